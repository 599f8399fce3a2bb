//! Finds the app that a token belongs to.
//!
//! Facebook, Instagram and Threads have apps of their own: an app of one kind can neither renew
//! nor inspect what another gave out, and Meta's refusal does not say so plainly.

use super::draft::Draft;
use crate::config::apps::AppRead;
use crate::config::diagnostic::Diagnostic;
use crate::config::reader::Ask;
use crate::config::show::ValueOrigin;
use crate::config::wording::{any_of, nearest, quoted};
use crate::policy::humanize::with_article;
use crate::token::{Provider, Source, TokenType};

/// Finds the app of a token: its own word, its parent's app, or the only one that fits.
pub fn app(
    draft: &Draft<'_>,
    parent: Option<&Draft<'_>>,
    apps: &[AppRead],
) -> Option<(String, ValueOrigin)> {
    let own = &draft.keys.app;
    let parents = parent.and_then(|parent| Some((parent, parent.keys.app.get()?)));
    match (own.get(), parents) {
        (Some(name), Some((parent, theirs))) if name != theirs => {
            if draft.is_wronged_by(parent) {
                let message =
                    format!("its page `{}` has another app: {}", draft.label, quoted(name));
                let wrong = Diagnostic::at(parent.keys.app.span(), message);
                parent.section.report(wrong.earlier(Some(own.span())));
                return None;
            }
            let message = format!("a page has its parent's app: {}", quoted(theirs));
            let label = format!("leave `app` out, or change it in `[token.{}]`", parent.label);
            own.refuse(message, label);
            return None;
        }
        // Whether it exists and fits is complained of there.
        (None, Some((parent, theirs))) => {
            return Some((theirs.clone(), ValueOrigin::Parent(parent.label.clone())));
        }
        _ => {}
    }
    let (app, origin) = match own.get() {
        Some(name) => {
            (named(name, own, draft.token_type, apps)?, ValueOrigin::Table(draft.section.name()))
        }
        None => only_one(draft, apps)?,
    };
    check_secret(draft, app);
    Some((app.name.clone(), origin))
}

/// Finds the app that a token names, if it is there and of the token's kind.
fn named<'a>(
    name: &str,
    ask: &Ask<'_, String>,
    token_type: Option<TokenType>,
    apps: &'a [AppRead],
) -> Option<&'a AppRead> {
    let Some(app) = apps.iter().find(|app| app.name == name) else {
        let label = match nearest(name, apps.iter().map(|app| app.name.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add its `[app.NAME]`".to_owned(),
        };
        ask.refuse(format!("there is no app {}", quoted(name)), label);
        return None;
    };
    let (Some(token_type), Some(kind)) = (token_type, app.kind) else { return Some(app) };
    let wanted = token_type.provider();
    if kind == wanted {
        return Some(app);
    }
    let message = format!(
        "{} is {} app, and {} token needs an app of kind `{wanted}`",
        quoted(&app.name),
        with_article(kind),
        with_article(token_type),
    );
    let label = match &of_kind(apps, wanted)[..] {
        [] => how_to_add(wanted),
        fit => format!("write {}", any_of(fit.iter().map(|app| app.name.as_str()))),
    };
    ask.refuse(message, label);
    None
}

fn of_kind(apps: &[AppRead], kind: Provider) -> Vec<&AppRead> {
    apps.iter().filter(|app| app.kind == Some(kind)).collect()
}

/// Finds the app of a token that names none, if only one is of its kind.
fn only_one<'a>(draft: &Draft<'_>, apps: &'a [AppRead]) -> Option<(&'a AppRead, ValueOrigin)> {
    let wanted = draft.token_type?.provider();
    let complain = |message: String, label: String| {
        draft.section.report(Diagnostic::at(draft.section.span(), message).label(label));
        None
    };
    match &of_kind(apps, wanted)[..] {
        [only] if apps.len() == 1 => Some((only, ValueOrigin::Implied("the only app"))),
        [only] => Some((only, ValueOrigin::Implied("the only app of its kind"))),
        // Its parent's word is waited for.
        _ if draft.parent_name().is_some() => None,
        // It may be the one whose kind is misspelt.
        [] if apps.iter().any(|app| app.kind.is_none()) => None,
        [] => {
            let message = match wanted {
                Provider::DEFAULT => "there is no app that this token could belong to".to_owned(),
                kind => format!("there is no app of kind `{kind}` that this token could belong to"),
            };
            complain(message, how_to_add(wanted))
        }
        many => {
            let names: Vec<String> = many.iter().map(|app| quoted(&app.name)).collect();
            let message = format!("`[token.{}]` needs an `app`", draft.label);
            complain(message, format!("one of {}", names.join(", ")))
        }
    }
}

/// What to write where there is no app of that kind.
fn how_to_add(kind: Provider) -> String {
    match kind {
        Provider::DEFAULT => "add `[app.main]` with `id` and `secret`".to_owned(),
        _ => format!(
            "add `[app.NAME]` with `kind = \"{kind}\"`: it has an id and a secret of its own in the app dashboard"
        ),
    }
}

/// Only the app itself, by its secret, gives out its token.
fn check_secret(draft: &Draft<'_>, app: &AppRead) {
    let made_by_the_app =
        |it: TokenType| matches!(it.spec().source, Source::App(grant) if grant.needs_the_secret());
    if app.has_secret || !draft.token_type.is_some_and(made_by_the_app) {
        return;
    }
    let named = &draft.keys.app;
    let span = if named.get().is_some() { named.span() } else { draft.section.span() };
    let label = format!("add `secret` to {}", quoted(&format!("[app.{}]", app.name)));
    let message = "an app token is made from the app's id and secret";
    draft.section.report(Diagnostic::at(span, message).label(label));
}
