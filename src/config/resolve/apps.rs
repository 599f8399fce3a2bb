//! Meta apps.

use serde_spanned::Spanned;

use super::{given_or, graph_version};
use crate::config::mask::quoted;
use crate::config::mistake::Faults;
use crate::config::settings::{AppSetting, Origin, Origins};
use crate::config::source::SecretSource;
use crate::config::wire::{AppWire, Named};
use crate::token::Provider;

pub(super) fn resolve(app: Named<AppWire>, faults: &mut Faults) -> Option<AppSetting> {
    let Named { name, span, body } = app;
    let table = format!("app.{}", name.get_ref());
    check_name(&name, faults);
    let mut origins = Origins::new();
    let kind = given_or(body.kind, Provider::Facebook, "kind", &table, &mut origins);
    let graph_version =
        graph_version::resolve(kind, body.graph_version, &table, &mut origins, faults);
    if let Some(secret) = &body.secret {
        check_secret(secret, faults);
    }
    let secret = given_or(
        body.secret.map(|secret| Spanned::new(secret.span(), Some(secret.into_inner()))),
        None,
        "secret",
        &table,
        &mut origins,
    );
    if !body.has_id {
        faults.add(span, format!("`[{table}]` needs an `id`")).label(shown_as(kind));
        return None;
    }
    let id = body.id?;
    check_id(&id, faults);
    origins.insert("id", Origin::Table(table));
    Some(AppSetting {
        name: name.into_inner(),
        kind,
        id: id.into_inner(),
        secret,
        graph_version,
        origins,
    })
}

/// What a person looks for in the app's dashboard.
const fn shown_as(kind: Provider) -> &'static str {
    match kind {
        Provider::Facebook => "Meta shows it as App ID",
        Provider::Instagram => "Meta shows it as Instagram app ID",
        Provider::Threads => "Meta shows it as Threads App ID",
    }
}

fn check_name(name: &Spanned<String>, faults: &mut Faults) {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.get_ref().is_empty() || !name.get_ref().chars().all(good) {
        let message = format!("{} is no name of an app", quoted(name.get_ref()));
        faults.add(name.span(), message).label("use letters, digits, `-` and `_`");
    }
}

fn check_id(id: &Spanned<SecretSource>, faults: &mut Faults) {
    let SecretSource::Literal(text) = id.get_ref() else { return };
    if !text.expose().chars().all(|c| c.is_ascii_digit()) {
        faults.add(id.span(), "the `id` of an app has digits only");
    }
}

/// A literal with a blank inside was cut badly from somewhere.
fn check_secret(secret: &Spanned<SecretSource>, faults: &mut Faults) {
    let SecretSource::Literal(text) = secret.get_ref() else { return };
    if text.expose().contains(char::is_whitespace) {
        faults.add(secret.span(), "the `secret` of an app has no blank in it");
    }
}
