//! Reads what the store says of the tokens, before anything is judged.

use std::collections::{HashMap, HashSet};

use super::exposure::exposures;
use super::system;
use crate::config::contested;
use crate::deliver::{observed_deliveries, stored_deliveries};
use crate::error::CliError;
use crate::graph::Graph;
use crate::notify::failing_channels;
use crate::policy::{Clocks, LastHeard, Reason, TOLERANCE, judge_contested};
use crate::run::apps;
use crate::run::declared::last_reading;
use crate::run::hangs_on::Selection;
use crate::run::last_heard;
use crate::run::tokens::{ThrottledApps, TokenConfig, Tokens};
use crate::session::Session;
use crate::store::{RunSummary, Store, StoredTokens};
use crate::token::{Delivery, Label, Time, VersionCheck};

/// When Graph is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskGraph {
    /// About every token.
    Always,
    /// About those whose last good check is older than `validation_interval`.
    WhenStale,
    Never,
}

/// What the store and the files say.
pub struct Stored<'a> {
    pub session: &'a Session,
    pub tokens: Tokens,
    /// The tokens that are judged.
    pub selected: Vec<TokenConfig>,
    /// The labels that hang on what was asked for, declared or not; nothing where all are meant.
    hanging: Option<HashSet<Label>>,
    pub run_summary: RunSummary,
    /// What Graph last said of the versions that the apps ask for.
    pub versions: Vec<VersionCheck>,
    pub deliveries: HashMap<Label, Vec<Delivery>>,
    /// What is to be said of other programs that renew a token.
    pub renewers: HashMap<Label, Vec<Reason>>,
    /// What is wrong with the system.
    pub problems: Vec<Reason>,
    last_heard: Option<LastHeard>,
}

impl<'a> Stored<'a> {
    /// Reads the tokens that match; all without a pattern.
    pub fn read(
        session: &'a Session,
        store: Option<&Store>,
        selection: &Selection,
        graph: &Graph,
    ) -> Result<Self, CliError> {
        let last_heard = match store {
            Some(store) => last_heard(store.last_heard()?.as_ref()),
            None => None,
        };
        let heard = graph.clock_skew();
        let now = Clocks { host: session.clock.now(), heard, last: last_heard }.now();
        let StoredTokens { credentials, strays } =
            store.map_or_else(|| Ok(StoredTokens::default()), Store::stored_tokens)?;
        let throttled = store
            .map_or_else(|| Ok(ThrottledApps::new()), |store| apps::throttled_apps(store, now))?;
        let last = last_reading(&session.config, store)?;
        let tokens =
            Tokens::new(&session.config, credentials.clone(), &last).with_throttled_apps(throttled);
        let mut problems = exposures(&session.config, &tokens.configs);
        problems.extend(system::left_half_written(&session.config, &tokens, &credentials, now));
        problems.extend(
            contested(&session.config, &tokens.configs)
                .iter()
                .map(|it| judge_contested(&it.pages, &it.target, &it.message)),
        );
        problems.extend(tokens.declared_labels().left_out(&[]));
        let run_summary = match store {
            Some(store) => store.run_summary("refresh", now + TOLERANCE)?,
            None => RunSummary::default(),
        };
        let versions = store.map_or_else(|| Ok(Vec::new()), Store::version_checks)?;
        if let Some(store) = store {
            problems.extend(system::damage(store, strays)?);
            problems.extend(failing_channels(store, &session.config.notify, now)?);
            problems.extend(system::fullness(&tokens, store, now));
        }
        let renewers = match store {
            Some(store) => system::other_renewers(&tokens, store, now)?,
            None => HashMap::new(),
        };
        let hanging = selection.hangs_on.labels(&session.config, &tokens)?;
        let is_meant = |label: &Label| hanging.as_ref().is_none_or(|it| it.contains(label));
        let selected = tokens.select(&selection.patterns)?.into_iter();
        let selected = selected.filter(|token| is_meant(&token.label)).cloned().collect();
        let deliveries = HashMap::new();
        Ok(Self {
            session,
            tokens,
            selected,
            hanging,
            run_summary,
            versions,
            deliveries,
            renewers,
            problems,
            last_heard,
        })
    }

    /// The labels that the store knows and the config no longer has, as far as they are meant.
    pub fn unlisted(&self) -> Vec<Label> {
        let is_meant = |label: &&Label| self.hanging.as_ref().is_none_or(|it| it.contains(*label));
        self.tokens.unlisted().iter().filter(is_meant).cloned().collect()
    }

    /// What is known of the time.
    pub fn clocks(&self, graph: &Graph) -> Clocks {
        let (host, heard) = (self.session.clock.now(), graph.clock_skew());
        Clocks { host, heard, last: self.last_heard }
    }

    /// Reads the state of every target: by what the files hold, unless Graph is never asked or the
    /// store's key cannot be read.
    pub fn look_at_targets(&mut self, store: Option<&Store>, ask: AskGraph, now: Time) {
        let delivers = self.selected.iter().any(|member| !member.deliver.is_empty());
        let key = (delivers && ask != AskGraph::Never).then(|| self.session.key().ok());
        let open = store.zip(key.flatten()).filter(|(store, key)| store.unlock(key).is_ok());
        let deliveries = |member: &TokenConfig| match (self.tokens.credential(&member.label), &open)
        {
            (Some(credential), Some((store, _))) => {
                observed_deliveries(member, credential, store, now)
            }
            (credential, _) => stored_deliveries(member, credential),
        };
        self.deliveries =
            self.selected.iter().map(|member| (member.label.clone(), deliveries(member))).collect();
    }
}
