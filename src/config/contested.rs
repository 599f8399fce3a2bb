//! Finds targets of Pages that fall together once ids are filled in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::conflicts::{Files, written};
use super::reserved::Slot;
use super::settings::Config;
use super::target::Place;
use super::tokens::TokenConfig;
use crate::policy::humanize;
use crate::token::{Label, TargetId, TokenType};

/// A value that several Pages would write, or that a Page would ruin, once their ids are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContestedTarget {
    /// The Pages that leave it alone.
    pub pages: Vec<Label>,
    /// The target, as the first of them calls it.
    pub target: TargetId,
    /// What is the matter, in a sentence.
    pub message: String,
}

/// Finds the targets of Pages that fall together as ids are filled in: with each other's, with that
/// of another token, or with what metatoken lives by.
///
/// Only a table for all Pages of a parent fills in an id; without one the config was checked whole.
pub fn contested(config: &Config, tokens: &[Arc<TokenConfig>]) -> Vec<ContestedTarget> {
    if config.tokens.iter().all(|token| token.page_deliver.is_empty()) {
        return Vec::new();
    }
    let mut files: Files<'_, (&TokenConfig, &TargetId)> = Files::default();
    let mut groups: BTreeMap<usize, Vec<&TokenConfig>> = BTreeMap::new();
    let mut found = Vec::new();
    for token in tokens {
        for target in &token.deliver {
            let Place::File(file) = &target.place else { continue };
            let is_page = token.token_type == TokenType::Page;
            if let Some(what) = config.reserved.ruined_by(&Slot::of(file)).filter(|_| is_page) {
                found.push(ContestedTarget {
                    pages: vec![token.label.clone()],
                    target: target.id.clone(),
                    message: format!("{} {what}", written(file)),
                });
            } else if let Some(first) = files.first_that_meets(file) {
                groups.entry(first).or_default().push(token);
            }
            files.add(file, (token, &target.id));
        }
    }
    found.extend(groups.into_iter().filter_map(|(first, others)| {
        let ((owner, target), file) = files.at(first);
        let all: Vec<&TokenConfig> = std::iter::once(owner).chain(others).collect();
        let pages = all.iter().filter(|token| token.token_type == TokenType::Page);
        let pages: Vec<Label> = pages.map(|token| token.label.clone()).collect();
        let names: Vec<&Label> = all.iter().map(|token| &token.label).collect();
        let message =
            format!("{} would write the same value, {}", humanize::list(&names), written(file));
        let target = target.clone();
        (!pages.is_empty()).then_some(ContestedTarget { pages, target, message })
    }));
    found
}
