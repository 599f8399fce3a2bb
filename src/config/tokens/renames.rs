//! Checks which former label a token takes over: `was`.

use std::collections::{BTreeMap, HashSet};

use super::token_config::TokenConfig;
use crate::config::reader::Ask;
use crate::config::wording::quoted;
use crate::policy::RenameConflict;
use crate::token::Label;

/// Reads the label that a token had before.
pub fn renamed(own: &Label, ask: &Ask<'_, String>) -> Option<Label> {
    let was = ask.get()?;
    match Label::parse(was) {
        Ok(label) if label == *own => {
            ask.refuse(
                format!("`{own}` is its own label"),
                "`was` names the one that it had before",
            );
            None
        }
        Ok(label) => Some(label),
        Err(_) => {
            ask.refuse(format!("{} is not a valid label", quoted(was)), "");
            None
        }
    }
}

/// Renames no token whose former label is still declared, or is claimed by another: that is said of
/// the token, and holds up no other.
pub fn contest(tokens: &mut [TokenConfig]) {
    let declared: HashSet<Label> = tokens.iter().map(|token| token.label.clone()).collect();
    let mut claims: BTreeMap<Label, Vec<Label>> = BTreeMap::new();
    for token in tokens.iter() {
        let Some(was) = &token.was else { continue };
        claims.entry(was.clone()).or_default().push(token.label.clone());
    }
    for token in tokens {
        let Some(was) = token.was.clone() else { continue };
        let by = claims[&was].iter().find(|by| **by != token.label).cloned();
        token.not_renamed = if declared.contains(&was) {
            Some(RenameConflict::StillDeclared { was })
        } else {
            by.map(|by| RenameConflict::ClaimedTwice { was, by })
        };
        token.was.take_if(|_| token.not_renamed.is_some());
    }
}
