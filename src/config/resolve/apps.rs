//! Meta apps.

use serde_spanned::Spanned;

use super::{given_or, graph_version};
use crate::config::mask::quoted;
use crate::config::mistake::Faults;
use crate::config::settings::{AppSetting, Origin, Origins};
use crate::config::source::SecretSource;
use crate::config::wire::{AppWire, Named};

pub(super) fn resolve(app: Named<AppWire>, faults: &mut Faults) -> Option<AppSetting> {
    let Named { name, span, body } = app;
    let table = format!("app.{}", name.get_ref());
    check_name(&name, faults);
    let mut origins = Origins::new();
    let graph_version = body.graph_version.filter(|version| graph_version::check(version, faults));
    let graph_version = given_or(
        graph_version,
        graph_version::NEWEST.to_owned(),
        "graph_version",
        &table,
        &mut origins,
    );
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
        faults.add(span, format!("`[{table}]` needs an `id`")).label("Meta shows it as App ID");
        return None;
    }
    let id = body.id?;
    check_id(&id, faults);
    origins.insert("id", Origin::Table(table));
    Some(AppSetting {
        name: name.into_inner(),
        id: id.into_inner(),
        secret,
        graph_version,
        origins,
    })
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
