//! What may hang on what: pages on users, tokens on apps.

use std::ops::Range;

use serde_spanned::Spanned;

use super::tokens::Draft;
use crate::config::mask::quoted;
use crate::config::mistake::Faults;
use crate::config::wire::{AppWire, Named, known};
use crate::token::TokenType;

/// The parent of a token, if it is named, there and fit.
pub(super) fn parent<'a>(
    draft: &Draft<'_>,
    drafts: &'a [Draft<'a>],
    faults: &mut Faults,
) -> Option<&'a Draft<'a>> {
    let (name, span) = named_parent(draft, faults)?;
    let Some(parent) = drafts.iter().find(|other| other.label.as_str() == name) else {
        let names = drafts.iter().map(|other| other.label.as_str());
        let fault = faults.add(span, format!("there is no token {}", quoted(&name)));
        match known::nearest(&name, names) {
            Some(near) => fault.label(format!("did you mean `{near}`?")),
            None => fault.label(format!("add `[token.{name}]`")),
        };
        return None;
    };
    match parent.token_type {
        Some(TokenType::User | TokenType::SystemUser) => Some(parent),
        // Its own type is already complained of.
        None => None,
        Some(TokenType::Page) if parent.label == draft.label => {
            faults.add(span, "a token cannot be its own parent");
            None
        }
        Some(TokenType::Page) => {
            let message = format!("`{name}` is a page token and cannot be a parent");
            faults.add(span, message).label("a parent is of type `user` or `system-user`");
            None
        }
    }
}

/// The parent by the key or by the label; a key that is out of place is a fault.
fn named_parent(draft: &Draft<'_>, faults: &mut Faults) -> Option<(String, Range<usize>)> {
    let given = draft.wire.parent.as_ref();
    if let Some((implied, _)) = draft.label.as_discovered() {
        if let Some(given) = given.filter(|given| given.get_ref() != implied) {
            let message = format!("the label says that the parent is `{implied}`");
            faults.add(given.span(), message).label("leave `parent` out");
        }
        return Some((implied.to_owned(), draft.name_span.clone()));
    }
    let given = given?;
    if draft.token_type.is_some_and(|token_type| token_type != TokenType::Page) {
        faults.add(given.span(), "only a page has a `parent`");
        return None;
    }
    Some((given.get_ref().clone(), given.span()))
}

/// The Page of a token.
pub(super) fn page_id(draft: &Draft<'_>, faults: &mut Faults) -> Option<String> {
    let given = draft.wire.page_id.as_ref();
    if let Some((_, implied)) = draft.label.as_discovered() {
        if let Some(given) = given.filter(|given| given.get_ref() != implied) {
            let message = format!("the label says that the Page is `{implied}`");
            faults.add(given.span(), message).label("leave `page_id` out");
        }
        return Some(implied.to_owned());
    }
    match (draft.token_type, given) {
        (Some(TokenType::User | TokenType::SystemUser), Some(given)) => {
            faults.add(given.span(), "only a page has a `page_id`");
            None
        }
        (Some(TokenType::Page), None) if !draft.wire.has_page_id => {
            faults
                .add(draft.span.clone(), format!("`[token.{}]` needs a `page_id`", draft.label))
                .label("so that no other Page's token takes its place");
            None
        }
        (_, Some(given)) => {
            if !is_id(given.get_ref()) {
                faults.add(given.span(), "a `page_id` has digits only");
            }
            Some(given.get_ref().clone())
        }
        (_, None) => None,
    }
}

pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// The names of the apps.
pub(super) struct Apps {
    all: Vec<String>,
    /// Those that a Facebook token can belong to.
    fit: Vec<String>,
}

impl Apps {
    pub(super) fn of(apps: &[Named<AppWire>]) -> Self {
        let names = |apps: &mut dyn Iterator<Item = &Named<AppWire>>| {
            apps.map(|app| app.name.get_ref().clone()).collect()
        };
        Self {
            all: names(&mut apps.iter()),
            fit: names(&mut apps.iter().filter(|app| app.body.fits_facebook)),
        }
    }
}

/// Where the name of a token's app came from.
pub(super) enum AppFrom {
    Own,
    Parent,
    OnlyOne,
}

/// The app of a token: its own word, its parent's app, or the only one there is.
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
    if let Some(own) = own {
        return exists(own, apps, faults).map(|name| (name, AppFrom::Own));
    }
    if let Some(theirs) = parents {
        // Whether it exists is complained of there.
        return Some((theirs.get_ref().clone(), AppFrom::Parent));
    }
    match &apps.fit[..] {
        [only] => Some((only.clone(), AppFrom::OnlyOne)),
        // What it needs is not known, or its parent's word is waited for.
        _ if draft.token_type.is_none() || parent_name(draft).is_some() => None,
        [] => {
            faults
                .add(draft.span.clone(), "there is no app that this token could belong to")
                .label("add `[app.main]` with `id` and `secret`");
            None
        }
        many => {
            let names: Vec<String> = many.iter().map(|name| quoted(name)).collect();
            faults
                .add(draft.span.clone(), format!("`[token.{}]` needs an `app`", draft.label))
                .label(format!("one of {}", names.join(", ")));
            None
        }
    }
}

fn parent_name<'a>(draft: &'a Draft<'_>) -> Option<&'a str> {
    let given = || draft.wire.parent.as_ref().map(|parent| parent.get_ref().as_str());
    draft.label.as_discovered().map(|(parent, _)| parent).or_else(given)
}

fn exists(name: &Spanned<String>, apps: &Apps, faults: &mut Faults) -> Option<String> {
    if apps.all.contains(name.get_ref()) {
        return Some(name.get_ref().clone());
    }
    let fault = faults.add(name.span(), format!("there is no app {}", quoted(name.get_ref())));
    match known::nearest(name.get_ref(), apps.all.iter().map(String::as_str)) {
        Some(near) => fault.label(format!("did you mean `{near}`?")),
        None => fault.label("add its `[app.NAME]`"),
    };
    None
}
