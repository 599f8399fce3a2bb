//! Checks which token is kept in reserve for another.

use std::collections::HashMap;

use super::draft::{Draft, Drafts, TokenUse};
use super::token_config::TokenConfig;
use crate::config::additions::Additions;
use crate::config::diagnostic::Diagnostic;
use crate::config::secret_form::looks_secret;
use crate::config::wording::{nearest, quoted};
use crate::policy::humanize::with_article;
use crate::token::{Label, TokenType};

/// Finds the backup of a token, if it is named and there; what is out of place is complained of.
pub fn backup(draft: &Draft<'_>, drafts: &Drafts<'_>, additions: &Additions<'_>) -> Option<Label> {
    let given = &draft.keys.backup;
    let name = given.get()?;
    if draft.token_type == Some(TokenType::App) {
        given.refuse("an app token has no backup: the app's id and secret give it", "");
        return None;
    }
    if let Some(parent) = draft.parent_name() {
        let label = format!("set it in `[token.{parent}]`: the Page follows");
        given.refuse("a page with a parent has no backup of its own", label);
        return None;
    }
    if name == draft.label.as_str() {
        given.refuse("a token cannot be its own backup", "");
        return None;
    }
    if let Some(backup) = drafts.find(name) {
        return Some(backup.label.clone());
    }
    // It may be in a file that is left out: its primary is kept all the same.
    if !additions.some_are_left_out {
        let others = drafts.all.iter().filter(|other| other.label != draft.label);
        let labels = others.map(|other| other.label.as_str());
        let label = match nearest(name, labels) {
            Some(near) => format!("did you mean `{near}`?"),
            None if looks_secret(name) || name.is_empty() => {
                "write the label of another token".to_owned()
            }
            None => format!("add `[token.{name}]`"),
        };
        given.refuse(format!("there is no token {}", quoted(name)), label);
    }
    None
}

/// Complains of backups that could not take the place of their tokens.
pub fn check(drafts: &Drafts<'_>, tokens: &[TokenConfig]) {
    let by_label: HashMap<&Label, &TokenConfig> =
        tokens.iter().map(|token| (&token.label, token)).collect();
    for draft in &drafts.all {
        let Some(token) = by_label.get(&draft.label) else { continue };
        let Some(backup) = token.backup.as_ref().and_then(|it| by_label.get(it)) else { continue };
        if let Some(message) = misfit(token, backup, &by_label) {
            complain(draft, drafts.find(backup.label.as_str()), message);
        }
    }
}

/// Why an access token of the backup could not be this token's, if that is so.
fn misfit(
    token: &TokenConfig,
    backup: &TokenConfig,
    by_label: &HashMap<&Label, &TokenConfig>,
) -> Option<String> {
    let label = &backup.label;
    if backup.token_type != token.token_type {
        let (theirs, own) = (with_article(backup.token_type), with_article(token.token_type));
        return Some(format!(
            "`{label}` is {theirs} token, and the backup of {own} token is one too"
        ));
    }
    if backup.app != token.app {
        let (theirs, own) = (quoted(&backup.app), quoted(&token.app));
        return Some(format!(
            "`{label}` belongs to app {theirs}, and its backup must belong to {own}"
        ));
    }
    if backup.page_id != token.page_id {
        return Some(format!("`{label}` is of another Page"));
    }
    if !backup.policy.enabled {
        return Some(format!("`{label}` is not enabled, so nothing keeps it alive"));
    }
    if backup.used_for == Some(TokenUse::Mint) {
        return Some(format!(
            "`{label}` has `use = \"mint\"`, and no program gets an admin's token"
        ));
    }
    let mut next = backup.backup.as_ref();
    for _ in 0..by_label.len() {
        match next {
            Some(back) if *back == token.label => {
                return Some(format!("`{label}` has this token as its own backup"));
            }
            Some(further) => {
                next = by_label.get(further).and_then(|token| token.backup.as_ref());
            }
            None => break,
        }
    }
    None
}

/// Complains where the mistake is: a config is not refused over what another file says.
fn complain(draft: &Draft<'_>, backup: Option<&Draft<'_>>, message: String) {
    let given = &draft.keys.backup;
    match backup.filter(|backup| draft.is_wronged_by(backup)) {
        Some(backup) => {
            let message = format!("the backup of `{}`: {message}", draft.label);
            let wrong = Diagnostic::at(backup.name_span, message);
            backup.section.report(wrong.earlier(Some(given.span())));
        }
        None => given.refuse(message, ""),
    }
}

/// Requires of each backup what its token requires: it is judged as if it were in its place.
pub fn require(tokens: &mut [TokenConfig]) {
    let wanted: Vec<(Label, Vec<String>, Vec<String>)> = tokens
        .iter()
        .filter_map(|token| {
            let policy = &token.policy;
            let (scopes, targets) = (&policy.required_scopes, &policy.required_targets);
            Some((token.backup.clone()?, scopes.clone(), targets.clone()))
        })
        .collect();
    for (label, scopes, targets) in wanted {
        let Some(backup) = tokens.iter_mut().find(|token| token.label == label) else { continue };
        let add = |own: &mut Vec<String>, more: Vec<String>| {
            let missing: Vec<String> = more.into_iter().filter(|it| !own.contains(it)).collect();
            own.extend(missing);
        };
        add(&mut backup.policy.required_scopes, scopes);
        add(&mut backup.policy.required_targets, targets);
    }
}
