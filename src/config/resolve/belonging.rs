//! Which app a token belongs to.
//!
//! Facebook, Instagram and Threads have apps of their own: an app of one kind can neither renew
//! nor inspect what another gave out, and Meta's refusal does not say so plainly.

use serde_spanned::Spanned;

use super::nouns::with_article;
use super::relations::parent_name;
use super::tokens::Draft;
use crate::config::mask::quoted;
use crate::config::mistake::Faults;
use crate::config::wire::{AppWire, Named, known};
use crate::token::{Provider, Source, TokenType};

/// The apps of the file, as far as a token asks about them.
pub(super) struct Apps(Vec<Candidate>);

struct Candidate {
    name: String,
    /// None where the file names a kind that there is not, which is complained of there.
    kind: Option<Provider>,
    has_secret: bool,
}

impl Apps {
    pub(super) fn of(apps: &[Named<AppWire>]) -> Self {
        let candidates = apps.iter().map(|Named { name, body, .. }| Candidate {
            name: name.get_ref().clone(),
            kind: match &body.kind {
                Some(kind) => Some(*kind.get_ref()),
                None if body.has_kind => None,
                None => Some(Provider::Facebook),
            },
            has_secret: body.has_secret,
        });
        Self(candidates.collect())
    }

    fn named(&self, name: &str) -> Option<&Candidate> {
        self.0.iter().find(|app| app.name == name)
    }

    fn of_kind(&self, kind: Provider) -> Vec<&Candidate> {
        self.0.iter().filter(|app| app.kind == Some(kind)).collect()
    }

    fn has_unknown_kind(&self) -> bool {
        self.0.iter().any(|app| app.kind.is_none())
    }
}

/// Where the name of a token's app came from.
#[derive(Clone, Copy)]
pub(super) enum AppFrom {
    Own,
    Parent,
    OnlyOne,
    OnlyOneOfItsKind,
}

/// The app of a token: its own word, its parent's app, or the only one that fits.
pub(super) fn app(
    draft: &Draft<'_>,
    parent: Option<&Draft<'_>>,
    apps: &Apps,
    faults: &mut Faults,
) -> Option<(String, AppFrom)> {
    let own = draft.wire.app.as_ref();
    let parents = parent.and_then(|parent| parent.wire.app.as_ref());
    if let (Some(own), Some(theirs), Some(parent)) = (own, parents, parent)
        && own.get_ref() != theirs.get_ref()
    {
        let message = format!("a page has its parent's app: {}", quoted(theirs.get_ref()));
        let label = format!("leave `app` out, or change it in `[token.{}]`", parent.label);
        faults.add(own.span(), message).label(label);
        return None;
    }
    if parents.is_some() && own.is_none() {
        // Whether it exists and fits is complained of there.
        return parents.map(|theirs| (theirs.get_ref().clone(), AppFrom::Parent));
    }
    let (app, from) = match own {
        Some(own) => (named(own, draft.token_type, apps, faults)?, AppFrom::Own),
        None => only_one(draft, apps, faults)?,
    };
    check_secret(draft, app, faults);
    Some((app.name.clone(), from))
}

/// The app that a token names, if it is there and of the token's kind.
fn named<'a>(
    name: &Spanned<String>,
    token_type: Option<TokenType>,
    apps: &'a Apps,
    faults: &mut Faults,
) -> Option<&'a Candidate> {
    let Some(app) = apps.named(name.get_ref()) else {
        let fault = faults.add(name.span(), format!("there is no app {}", quoted(name.get_ref())));
        match known::nearest(name.get_ref(), apps.0.iter().map(|app| app.name.as_str())) {
            Some(near) => fault.label(format!("did you mean `{near}`?")),
            None => fault.label("add its `[app.NAME]`"),
        };
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
    let label = match &apps.of_kind(wanted)[..] {
        [] => how_to_add(wanted).to_owned(),
        fit => format!("write {}", known::any_of(fit.iter().map(|app| app.name.as_str()))),
    };
    faults.add(name.span(), message).label(label);
    None
}

/// The app of a token that names none, if only one is of its kind.
fn only_one<'a>(
    draft: &Draft<'_>,
    apps: &'a Apps,
    faults: &mut Faults,
) -> Option<(&'a Candidate, AppFrom)> {
    let wanted = draft.token_type?.provider();
    match &apps.of_kind(wanted)[..] {
        [only] if apps.0.len() == 1 => Some((only, AppFrom::OnlyOne)),
        [only] => Some((only, AppFrom::OnlyOneOfItsKind)),
        // Its parent's word is waited for.
        _ if parent_name(draft).is_some() => None,
        // It may be the one whose kind is misspelt.
        [] if apps.has_unknown_kind() => None,
        [] => {
            let message = match wanted {
                Provider::Facebook => "there is no app that this token could belong to".to_owned(),
                kind => format!("there is no app of kind `{kind}` that this token could belong to"),
            };
            faults.add(draft.span.clone(), message).label(how_to_add(wanted));
            None
        }
        many => {
            let names: Vec<String> = many.iter().map(|app| quoted(&app.name)).collect();
            faults
                .add(draft.span.clone(), format!("`[token.{}]` needs an `app`", draft.label))
                .label(format!("one of {}", names.join(", ")));
            None
        }
    }
}

/// What to write where there is no app of that kind.
const fn how_to_add(kind: Provider) -> &'static str {
    match kind {
        Provider::Facebook => "add `[app.main]` with `id` and `secret`",
        Provider::Instagram => {
            "add `[app.NAME]` with `kind = \"instagram\"`: it has an id and a secret of its own in the app dashboard"
        }
        Provider::Threads => {
            "add `[app.NAME]` with `kind = \"threads\"`: it has an id and a secret of its own in the app dashboard"
        }
    }
}

/// Nobody gives out an app's token but the app itself.
fn check_secret(draft: &Draft<'_>, app: &Candidate, faults: &mut Faults) {
    let made_by_the_app = |it: TokenType| matches!(it.family().source, Source::App(grant) if grant.needs_the_secret());
    if app.has_secret || !draft.token_type.is_some_and(made_by_the_app) {
        return;
    }
    let place = draft.wire.app.as_ref().map_or_else(|| draft.span.clone(), Spanned::span);
    faults
        .add(place, "an app token is made from the app's id and secret")
        .label(format!("add `secret` to {}", quoted(&format!("[app.{}]", app.name))));
}
