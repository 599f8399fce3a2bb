//! Compares the labels that the config declares with those that the store knows.
//!
//! A label that a file of `tokens.d` declared when it could last be read stays declared while that
//! file is left out. Any other label that the config does not declare any more is kept in the store,
//! and neither renewed nor judged.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Config, LeftOut, Pages, TokenConfig};
use crate::policy::{
    Moment, Reason, RenameConflict, is_many, judge_left_out, judge_rename_conflict,
    judge_undeclared, may_live,
};
use crate::store::{Store, StoreError};
use crate::token::{Credential, Label, Pattern, TokenId};

/// What each file of `tokens.d` declared when it could last be read.
pub type LastReading = HashMap<Label, PathBuf>;

/// Reads what files that are left out declared, if there are any.
pub fn last_reading(config: &Config, store: Option<&Store>) -> Result<LastReading, StoreError> {
    match store {
        Some(store) if !config.left_out.is_empty() => store.last_reading(),
        _ => Ok(LastReading::new()),
    }
}

/// The labels of the config and of the store, compared.
#[derive(Debug, Default)]
pub struct Declared {
    /// Labels that take the access token of the label behind them.
    pub renamed: HashMap<Label, Label>,
    /// Labels that cannot, and why.
    conflicts: HashMap<Label, Reason>,
    /// What is left out of the config.
    left_out: Vec<Reason>,
    left_out_labels: HashSet<Label>,
    /// Tokens that the config does not declare any more.
    undeclared: Vec<Arc<Credential>>,
    /// Those that it declares again.
    again: Vec<TokenId>,
    /// How many tokens had tables of their own before.
    had_tables: usize,
}

/// Where a label of the store stands in the config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is declared, or the Page of a token that is.
    Declared,
    /// The config says that it is not wanted, or calls it otherwise.
    Settled,
    LeftOut,
    Undeclared,
}

impl Declared {
    /// Compares them.
    pub fn new(config: &Config, credentials: &[Arc<Credential>], last: &LastReading) -> Self {
        let by_label: HashMap<&Label, &Credential> =
            credentials.iter().map(|known| (&known.label, &**known)).collect();
        let mut this = Self::default();
        this.read_renamed(config, &by_label);
        this.read_left_out(config, last);
        let was: HashSet<&Label> =
            config.tokens.iter().filter_map(|token| token.former_label()).collect();
        for known in credentials {
            let standing = this.standing(config, &was, &known.label);
            this.had_tables += usize::from(
                known.undeclared.is_none()
                    && known.label.as_discovered().is_none()
                    && standing != Standing::Settled
                    && known.current.is_some(),
            );
            match standing {
                Standing::Undeclared => this.undeclared.push(known.clone()),
                _ if known.undeclared.is_some() => this.again.push(known.id),
                _ => {}
            }
        }
        this
    }

    fn read_renamed(&mut self, config: &Config, by_label: &HashMap<&Label, &Credential>) {
        for token in &config.tokens {
            if let Some(conflict) = &token.not_renamed {
                self.note_conflict(&token.label, conflict);
            }
            let Some(was) = &token.was else { continue };
            let Some(old) = by_label.get(was) else { continue };
            match by_label.get(&token.label) {
                Some(new) if new.has_access_token() && old.has_access_token() => {
                    let conflict = RenameConflict::BothHaveOne { was: was.clone() };
                    self.note_conflict(&token.label, &conflict);
                }
                Some(new) if !new.is_renamed_from(old) => {}
                _ => {
                    self.renamed.insert(was.clone(), token.label.clone());
                }
            }
        }
    }

    fn note_conflict(&mut self, label: &Label, conflict: &RenameConflict) {
        self.conflicts.insert(label.clone(), judge_rename_conflict(label, conflict));
    }

    fn read_left_out(&mut self, config: &Config, last: &LastReading) {
        let mut by_file: HashMap<&Path, Vec<&Label>> = HashMap::new();
        for (label, file) in last {
            by_file.entry(file).or_default().push(label);
            if let Some(folder) = file.parent() {
                by_file.entry(folder).or_default().push(label);
            }
        }
        for LeftOut { path, labels, message, remedy, .. } in &config.left_out {
            let before = path.as_deref().and_then(|path| by_file.get(path));
            let before = before.into_iter().flatten().copied();
            let is_gone = |label: &&Label| config.token(label).is_none();
            let mut labels: Vec<Label> =
                labels.iter().chain(before).filter(is_gone).cloned().collect();
            labels.sort();
            labels.dedup();
            self.left_out_labels.extend(labels.iter().cloned());
            let about = path.as_ref().map_or(message.clone(), |path| path.display().to_string());
            self.left_out.push(judge_left_out(message, remedy, &about, labels));
        }
    }

    fn standing(&self, config: &Config, was: &HashSet<&Label>, label: &Label) -> Standing {
        if config.token(label).is_some() {
            return Standing::Declared;
        }
        if was.contains(label) {
            return Standing::Settled;
        }
        if self.left_out_labels.contains(label) {
            return Standing::LeftOut;
        }
        let Some((parent, page_id)) = label.as_discovered() else { return Standing::Undeclared };
        let Ok(parent) = Label::parse(parent) else { return Standing::Undeclared };
        match config.token(self.renamed.get(&parent).unwrap_or(&parent)) {
            Some(token) => page_standing(config, token, page_id),
            // What becomes of its parent is said of that.
            None => match self.standing(config, was, &parent) {
                Standing::Undeclared => Standing::Undeclared,
                Standing::Declared | Standing::Settled | Standing::LeftOut => Standing::LeftOut,
            },
        }
    }

    /// Says what is left out, as far as it is about these labels.
    pub fn left_out(&self, patterns: &[Pattern]) -> impl Iterator<Item = Reason> {
        let is_meant = |reason: &&Reason| {
            let matches = |label: &Label| patterns.iter().any(|pattern| pattern.matches(label));
            patterns.is_empty() || reason.labels.iter().any(matches)
        };
        self.left_out.iter().filter(is_meant).cloned()
    }

    /// Whether the config still wants the token of that label.
    pub fn is_wanted(&self, config: &Config, label: &Label) -> bool {
        let was = config.tokens.iter().filter_map(|token| token.former_label()).collect();
        matches!(self.standing(config, &was, label), Standing::Declared | Standing::LeftOut)
    }

    /// Whether the label is left out.
    pub fn is_left_out(&self, label: &Label) -> bool {
        self.left_out_labels.contains(label)
    }

    /// Whether a label that is left out matches.
    pub fn has_left_out(&self, pattern: &Pattern) -> bool {
        self.left_out_labels.iter().any(|label| pattern.matches(label))
    }

    /// Says that a token cannot be renamed.
    pub fn conflict(&self, label: &Label) -> Option<&Reason> {
        self.conflicts.get(label)
    }

    /// The tokens that the config does not declare any more and that may be alive. Pages that went
    /// with their parent are told by that.
    fn undeclared(&self, moment: Moment) -> Vec<&Credential> {
        let all = self.undeclared.iter().map(|it| &**it);
        let mut living: Vec<&Credential> =
            all.filter(|it| it.retired_at.is_none() && may_live(it, moment)).collect();
        let told: HashSet<&str> = living.iter().map(|it| it.label.as_str()).collect();
        let goes_along = |it: &Credential| {
            it.label.as_discovered().is_some_and(|(parent, _)| told.contains(parent))
        };
        living.retain(|it| !goes_along(it));
        living
    }

    /// Judges the tokens that the config does not declare any more.
    pub fn judge_undeclared(&self, config: &Config, moment: Moment) -> Option<Reason> {
        let undeclared = self.undeclared(moment);
        let critical_within = config.default_policy.critical_within;
        judge_undeclared(&undeclared, self.new_are_many(&undeclared), critical_within, moment)
    }

    fn new_are_many(&self, undeclared: &[&Credential]) -> bool {
        let new = undeclared.iter().filter(|it| it.undeclared.is_none());
        let with_tables = new.clone().filter(|it| it.label.as_discovered().is_none()).count();
        is_many(new.count(), with_tables, self.had_tables)
    }

    /// Records what files declare, and which tokens the config does not declare any more; says whether
    /// any are new.
    pub fn record(
        &self,
        config: &Config,
        store: &Store,
        moment: Moment,
    ) -> Result<bool, StoreError> {
        self.record_reading(config, store)?;
        let undeclared = self.undeclared(moment);
        let new = undeclared.iter().filter(|it| it.undeclared.is_none());
        let new: Vec<TokenId> = new.map(|it| it.id).collect();
        if new.is_empty() && self.again.is_empty() {
            return Ok(false);
        }
        store.note_undeclared(&new, self.new_are_many(&undeclared), &self.again, moment.now)?;
        Ok(!new.is_empty())
    }

    fn record_reading(&self, config: &Config, store: &Store) -> Result<(), StoreError> {
        let before = store.last_reading()?;
        let declared: HashMap<&Label, &Path> = config
            .tokens
            .iter()
            .filter_map(|token| Some((&token.label, token.declared_in.as_deref()?)))
            .collect();
        let is_new = |(label, file): &(&&Label, &&Path)| {
            before.get(**label).is_none_or(|known| known != **file)
        };
        let new = declared.iter().filter(is_new);
        let new: Vec<_> = new.map(|(label, file)| ((*label).clone(), (*file).to_owned())).collect();
        let is_gone = |label: &&Label| {
            !declared.contains_key(*label) && !self.left_out_labels.contains(*label)
        };
        let gone: Vec<Label> = before.keys().filter(is_gone).cloned().collect();
        if new.is_empty() && gone.is_empty() {
            return Ok(());
        }
        store.note_reading(&new, &gone)
    }
}

/// Where the Page of a declared token stands.
fn page_standing(config: &Config, parent: &TokenConfig, page_id: &str) -> Standing {
    match &parent.pages {
        _ if config.declared_page(&parent.label, page_id).is_some() => Standing::Settled,
        Pages::All { except } if except.iter().any(|id| id == page_id) => Standing::Settled,
        Pages::All { .. } => Standing::Declared,
        Pages::None => Standing::Undeclared,
    }
}
