//! Looking at every token: what `status`, `check` and the notifications have in common.
//!
//! A survey takes no lock, makes nothing and adopts nothing. What Graph answers is written down
//! where that is possible, and judged all the same where it is not. `questions` asks, `portrait`
//! says what one token is worth, `machinery` what the timer, the key and the files are.

mod machinery;
mod portrait;
mod questions;

use std::collections::HashMap;

use self::portrait::describe;
use self::questions::Answer;
use super::delivery::{of_config, seen};
use super::exposure::exposures;
use super::notify::channel_reasons;
use crate::complaint::Complaint;
use crate::graph::Graph;
use crate::policy::{Clocks, LastHeard, Moment, Reason, TOLERANCE};
use crate::report::StatusReport;
use crate::run::apps;
use crate::run::apps::Pauses;
use crate::run::last_heard;
use crate::run::tokens::{TokenConfig, Tokens};
use crate::session::Session;
use crate::store::{Machinery, Stock, Store};
use crate::token::{Delivery, Label, Pattern, Time};

/// When Graph is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// About every token.
    Always,
    /// About those whose last good answer is older than `validation_interval`.
    WhenStale,
    /// Never.
    Never,
}

/// How Graph is asked.
#[derive(Clone, Copy)]
struct Look<'a> {
    asking: Asking,
    now: Time,
    graph: &'a Graph,
}

/// What the store and the files say, before anything is judged.
struct Survey<'a> {
    session: &'a Session,
    last_heard: Option<LastHeard>,
    tokens: Tokens,
    meant: Vec<TokenConfig>,
    machinery: Machinery,
    deliveries: HashMap<Label, Vec<Delivery>>,
    troubles: Vec<Reason>,
}

/// Looks at the tokens that are meant.
pub(super) fn survey(
    session: &Session,
    patterns: &[Pattern],
    asking: Asking,
    graph: &Graph,
) -> Result<StatusReport, Complaint> {
    let store = session.reader()?;
    let mut survey = Survey::of(session, store.as_ref(), patterns, graph)?;
    let now = survey.clocks(graph).now();
    let look = Look { asking, now, graph };
    survey.look_for_lost(store.as_ref(), look);
    let answers = survey.ask_about(store.as_ref(), look)?;
    survey.look_at_targets(store.as_ref(), look);
    survey.troubles.extend(store.as_ref().and_then(|it| machinery::key_trouble(session, it)));
    // While this process reads without the right to write, SQLite lets none of it write.
    drop(store);
    survey.keep_answers(&answers);
    survey.say_what_was_not_answered(&answers);
    Ok(survey.conclude(&answers, graph))
}

/// All tokens by what an open store says of them; nobody is asked and no file is read.
pub(super) fn overview(
    session: &Session,
    store: &Store,
    graph: &Graph,
) -> Result<StatusReport, Complaint> {
    let mut survey = Survey::of(session, Some(store), &[], graph)?;
    let look = Look { asking: Asking::Never, now: survey.clocks(graph).now(), graph };
    survey.look_at_targets(Some(store), look);
    Ok(survey.conclude(&[], graph))
}

impl<'a> Survey<'a> {
    fn of(
        session: &'a Session,
        store: Option<&Store>,
        patterns: &[Pattern],
        graph: &Graph,
    ) -> Result<Self, Complaint> {
        let last_heard = match store {
            Some(store) => last_heard(store.last_heard()?.as_ref()),
            None => None,
        };
        let heard = graph.clock_skew();
        let now = Clocks { host: session.clock.now(), heard, last: last_heard }.now();
        let Stock { credentials, strays } =
            store.map_or_else(|| Ok(Stock::default()), Store::stock)?;
        let pauses = store.map_or_else(|| Ok(Pauses::new()), |store| apps::pauses(store, now))?;
        let tokens = Tokens::new(&session.config, credentials).mindful_of(pauses);
        let machinery = match store {
            Some(store) => store.machinery("refresh", now + TOLERANCE)?,
            None => Machinery::default(),
        };
        let mut troubles = exposures(&session.config);
        if let Some(store) = store {
            troubles.extend(machinery::damage(store, strays)?);
            troubles.extend(channel_reasons(store, &session.config.notify, now)?);
            troubles.extend(machinery::fullness(&tokens, store, now));
        }
        let meant = tokens.select(patterns)?.into_iter().cloned().collect();
        let deliveries = HashMap::new();
        Ok(Self { session, last_heard, tokens, meant, machinery, deliveries, troubles })
    }

    /// What is known of the time.
    fn clocks(&self, graph: &Graph) -> Clocks {
        let (host, heard) = (self.session.clock.now(), graph.clock_skew());
        Clocks { host, heard, last: self.last_heard }
    }

    /// How every target stands: by what the files hold, unless nobody is to look further than the
    /// store, or its key is not at hand.
    fn look_at_targets(&mut self, store: Option<&Store>, look: Look<'_>) {
        let delivers = self.meant.iter().any(|member| !member.deliver.is_empty());
        let key = (delivers && look.asking != Asking::Never).then(|| self.session.key().ok());
        let open = store.zip(key.flatten()).filter(|(store, key)| store.unlock(key).is_ok());
        let standing = |member: &TokenConfig| match (self.tokens.credential(&member.label), &open) {
            (Some(credential), Some((store, _))) => seen(member, credential, store, look.now),
            (credential, _) => of_config(member, credential),
        };
        self.deliveries =
            self.meant.iter().map(|member| (member.label.clone(), standing(member))).collect();
    }

    /// Judges everything that was gathered.
    fn conclude(mut self, answers: &[Answer], graph: &Graph) -> StatusReport {
        let clocks = self.clocks(graph);
        let moment = Moment::at(clocks.now());
        let mut deliveries = std::mem::take(&mut self.deliveries);
        let by_label: HashMap<&Label, &Answer> =
            answers.iter().map(|answer| (&answer.label, answer)).collect();
        let tokens = self
            .meant
            .iter()
            .map(|member| {
                let answer = by_label.get(&member.label).copied();
                let deliveries = deliveries.remove(&member.label).unwrap_or_default();
                describe(&self.tokens, member, answer, deliveries, moment)
            })
            .collect();
        let mut system = self.judge_machinery(&clocks);
        system.extend(apps::version_reasons(self.session, &self.tokens, graph, moment));
        system.extend(self.troubles);
        StatusReport {
            generated_at: moment.now,
            tokens,
            system,
            dates: moment.dates,
            unlisted: self.tokens.unlisted().to_vec(),
            runs: machinery::last_runs(&self.machinery),
        }
    }
}
