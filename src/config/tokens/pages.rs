//! Reads which Pages of a user are looked after: `pages`, `except` and `business`.

use std::collections::{BTreeMap, HashSet};

use super::draft::{Draft, Keys};
use super::parent::{has_pages, is_id};
use super::token_config::{Pages, TokenConfig};
use crate::config::diagnostic::Diagnostic;
use crate::policy::humanize::with_article;
use crate::token::{Label, TokenType};

/// Reads which Pages of a user are looked after.
pub fn pages(draft: &Draft<'_>) -> Pages {
    let Keys { pages, except, .. } = &draft.keys;
    let Some(word) = pages.get() else {
        if except.get().is_some() {
            let message = match draft.token_type {
                Some(other) if other != TokenType::Page && !has_pages(other) => {
                    format!("{} token has no `except`", with_article(other))
                }
                _ => "`except` needs `pages = \"all\"`".to_owned(),
            };
            except.refuse(message, "");
        }
        return Pages::None;
    };
    if draft.token_type == Some(TokenType::Page) {
        pages.refuse("a page has no `pages`", "");
    } else if let Some(other) = draft.token_type.filter(|it| !has_pages(*it)) {
        pages.refuse(format!("{} token has no `pages`", with_article(other)), "");
    } else if word != "all" {
        let label = "declare single pages as `[token.LABEL]` of type `page`";
        pages.refuse("`pages` can only be `\"all\"`", label);
    }
    let except = except.get().map(Vec::as_slice).unwrap_or_default();
    for id in except.iter().filter(|id| !is_id(&id.value)) {
        let message = "`except` lists the ids of Pages, which have digits only";
        draft.section.report(Diagnostic::at(id.span, message));
    }
    Pages::All { except: except.iter().map(|id| id.value.clone()).collect() }
}

/// Finds the portfolio that the token's own table names.
pub fn business(draft: &Draft<'_>) -> Option<String> {
    let given = &draft.keys.business;
    let id = given.get()?;
    match draft.token_type {
        Some(other) if !has_pages(other) => {
            given.refuse(format!("{} token has no `business`", with_article(other)), "");
            None
        }
        _ if !is_id(id) => {
            given.refuse("a `business` has digits only", "Meta Business settings, Business info");
            None
        }
        _ => Some(id.clone()),
    }
}

/// Leaves out what is declared by the name of a Page that its parent's `except` names.
pub fn leave_out_excepted(tokens: &mut Vec<TokenConfig>) {
    let excepted: HashSet<Label> = tokens
        .iter()
        .filter_map(|token| match &token.pages {
            Pages::All { except } => Some((&token.label, except)),
            Pages::None => None,
        })
        .flat_map(|(label, except)| except.iter().map(|id| Label::discovered(label, id)))
        .collect();
    tokens.retain(|token| !excepted.contains(&token.label));
}

/// Complains of two tokens that are the same Page of one parent.
pub fn check(drafts: &[Draft<'_>]) {
    let mut seen: BTreeMap<(&str, &str), &Draft<'_>> = BTreeMap::new();
    for draft in drafts {
        let given =
            || Some((draft.keys.parent.get()?.as_str(), draft.keys.page_id.get()?.as_str()));
        let Some(page) = draft.label.as_discovered().or_else(given) else { continue };
        match seen.get(&page) {
            Some(first) => {
                let (first, parent) = (*first, page.0);
                let message = format!(
                    "`{}` and `{}` are the same Page of `{parent}`",
                    first.label, draft.label
                );
                let wrong = Diagnostic::at(draft.section.span(), message);
                draft.section.report(wrong.earlier(Some(first.section.span())));
            }
            None => {
                seen.insert(page, draft);
            }
        }
    }
}
