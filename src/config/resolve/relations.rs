//! What may hang on what: pages on users and System Users.

use std::ops::Range;

use super::nouns::with_article;
use super::tokens::Draft;
use crate::config::mask::quoted;
use crate::config::mistake::Faults;
use crate::config::wire::known;
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
        Some(token_type) if has_pages(token_type) => Some(parent),
        // Its own type is already complained of.
        None => None,
        Some(TokenType::Page) if parent.label == draft.label => {
            faults.add(span, "a token cannot be its own parent");
            None
        }
        Some(other) => {
            let message =
                format!("`{name}` is {} token and cannot be a parent", with_article(other));
            faults.add(span, message).label("a parent is of type `user` or `system-user`");
            None
        }
    }
}

/// Whether Graph lists Pages for a token of this type, and gives their tokens for it.
pub(super) const fn has_pages(token_type: TokenType) -> bool {
    matches!(token_type, TokenType::User | TokenType::SystemUser)
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
        (Some(token_type), Some(given)) if token_type != TokenType::Page => {
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

/// What the token says its parent is called, by the key or by the label.
pub(super) fn parent_name<'a>(draft: &'a Draft<'_>) -> Option<&'a str> {
    let given = || draft.wire.parent.as_ref().map(|parent| parent.get_ref().as_str());
    draft.label.as_discovered().map(|(parent, _)| parent).or_else(given)
}
