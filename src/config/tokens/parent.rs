//! Checks what may hang on what: pages on users and System Users.

use super::draft::{Draft, Drafts};
use crate::config::additions::Additions;
use crate::config::diagnostic::{Diagnostic, Span};
use crate::config::secret_form::looks_secret;
use crate::config::wording::{nearest, quoted};
use crate::policy::humanize::with_article;
use crate::token::TokenType;

/// What became of the search for a parent.
pub enum Found<'d, 'a> {
    /// It is there, and fit.
    Parent(&'d Draft<'a>),
    /// None is named, or the one that is named is complained of.
    None,
    /// It is not there, and may be in a file that is left out.
    LeftOut,
}

/// Finds the parent of a token, if it is named, there and fit.
pub fn parent<'a, 'd>(
    draft: &Draft<'a>,
    drafts: &'d Drafts<'a>,
    additions: &Additions<'_>,
) -> Found<'d, 'a> {
    let Some((name, span)) = named_parent(draft) else { return Found::None };
    let complain = |message: String, label: String| {
        draft.section.report(Diagnostic::at(span, message).label(label));
        Found::None
    };
    let Some(parent) = drafts.find(name) else {
        if additions.some_are_left_out {
            additions.leave_out(&draft.label, name);
            return Found::LeftOut;
        }
        let labels = drafts.all.iter().map(|other| other.label.as_str());
        let label = match nearest(name, labels) {
            Some(near) => format!("did you mean `{near}`?"),
            None if looks_secret(name) => "write the label of another token".to_owned(),
            None => format!("add `[token.{name}]`"),
        };
        return complain(format!("there is no token {}", quoted(name)), label);
    };
    match parent.token_type {
        Some(token_type) if has_pages(token_type) => Found::Parent(parent),
        // Its own type is already complained of.
        None => Found::None,
        Some(TokenType::Page) if parent.label == draft.label => {
            complain("a token cannot be its own parent".to_owned(), String::new())
        }
        Some(other) if draft.is_wronged_by(parent) => {
            let message =
                format!("{} token cannot be the parent of `{}`", with_article(other), draft.label);
            let wrong = Diagnostic::at(parent.name_span, message);
            parent.section.report(wrong.earlier(Some(span)));
            Found::None
        }
        Some(other) => complain(
            format!("`{name}` is {} token and cannot be a parent", with_article(other)),
            "a parent is of type `user` or `system-user`".to_owned(),
        ),
    }
}

/// Whether Graph lists Pages for a token of this type, and gives their tokens for it.
pub const fn has_pages(token_type: TokenType) -> bool {
    matches!(token_type, TokenType::User | TokenType::SystemUser)
}

/// The parent by the key or by the label; a key that is out of place is complained of.
fn named_parent<'d>(draft: &'d Draft<'_>) -> Option<(&'d str, Span)> {
    let given = &draft.keys.parent;
    if let Some((implied, _)) = draft.label.as_discovered() {
        if given.get().is_some_and(|given| given != implied) {
            let message = format!("the label says that the parent is `{implied}`");
            given.refuse(message, "leave `parent` out");
        }
        return Some((implied, draft.name_span));
    }
    let name = given.get()?;
    if draft.token_type.is_some_and(|token_type| token_type != TokenType::Page) {
        given.refuse("only a page has a `parent`", "");
        return None;
    }
    Some((name, given.span()))
}

/// Finds the Page of a token.
pub fn page_id(draft: &Draft<'_>) -> Option<String> {
    let given = &draft.keys.page_id;
    if let Some((_, implied)) = draft.label.as_discovered() {
        if given.get().is_some_and(|given| given != implied) {
            let message = format!("the label says that the Page is `{implied}`");
            given.refuse(message, "leave `page_id` out");
        }
        return Some(implied.to_owned());
    }
    match (draft.token_type, given.get()) {
        (Some(token_type), Some(_)) if token_type != TokenType::Page => {
            given.refuse("only a page has a `page_id`", "");
            None
        }
        (Some(TokenType::Page), None) if !given.is_present() => {
            let message = format!("`[token.{}]` needs a `page_id`", draft.label);
            let wrong = Diagnostic::at(draft.section.span(), message);
            draft.section.report(wrong.label("so that no other Page's token takes its place"));
            None
        }
        (_, Some(id)) => {
            if !is_id(id) {
                let place = "copy the Page ID from the Page (About, Page transparency)";
                given.refuse("a `page_id` has digits only", place);
            }
            Some(id.clone())
        }
        (_, None) => None,
    }
}

/// Finds the person or System User that a token must belong to.
pub fn user_id(draft: &Draft<'_>) -> Option<String> {
    let given = &draft.keys.user_id;
    let id = given.get()?;
    if draft.token_type == Some(TokenType::App) {
        given.refuse("an app token belongs to no person", "");
    } else if !is_id(id) {
        given.refuse("a `user_id` has digits only", "");
    }
    Some(id.clone())
}

/// Whether the text has the form of an id of Meta's.
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}
