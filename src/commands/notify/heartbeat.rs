//! Telling a watcher elsewhere that the runs go on.
//!
//! A timer that stopped and a machine that is off can tell nobody; whoever misses the ping can. It
//! tells of whole runs that are meant: that somebody refreshed one token by hand says nothing of
//! the timer.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::routes::{messenger, secret};
use crate::commands::refresh::{Only, RefreshOrder};
use crate::complaint::Complaint;
use crate::config::{SecretSource, Via};
use crate::exit::Exit;
use crate::notify::{self, Beat, Messenger};
use crate::report::RunReport;
use crate::run::log;
use crate::run::{DryRun, Run};
use crate::session::Session;
use crate::token::{ChannelId, Secret};

/// The watchers of one run.
pub(in crate::commands) struct Heartbeat {
    watchers: Vec<Watcher>,
}

struct Watcher {
    channel: ChannelId,
    url: Result<Secret, String>,
    messenger: Arc<Messenger>,
    /// A run does not wait for its first ping.
    start: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Tells every watcher that a run begins.
    pub(in crate::commands) fn start(session: &Session, order: &RefreshOrder) -> Self {
        let mut heartbeat = Self::of(session, order);
        heartbeat.watchers.iter_mut().for_each(Watcher::start);
        heartbeat
    }

    /// Tells every watcher that no run was possible, unless that is because one is under way.
    pub(in crate::commands) fn cannot_run(
        session: &Session,
        order: &RefreshOrder,
        why: &Complaint,
    ) {
        if why.exit == Exit::Busy {
            return;
        }
        // There is no store to write down in who could not be told.
        for (channel, outcome) in Self::of(session, order).beat(Beat::Fail) {
            outcome.unwrap_or_else(|why| log::untold(&channel, &why));
        }
    }

    /// Tells every watcher how the run ended: badly, if a person has something to do. Writes down
    /// which could not be told. A run that somebody ended says nothing, and is missed.
    pub(in crate::commands) fn end(self, run: &Run<'_>, report: &Result<RunReport, Complaint>) {
        if run.session.interrupt.is_raised() {
            return;
        }
        let well = report.as_ref().is_ok_and(|report| !report.wants_a_person());
        let now = run.now();
        for (channel, outcome) in self.beat(if well { Beat::Success } else { Beat::Fail }) {
            let noted = match outcome {
                Ok(()) => run.store.note_channel_works(&channel),
                Err(why) => {
                    log::untold(&channel, &why);
                    run.store.note_channel_failure(run.id, &channel, &why, now)
                }
            };
            // Whether the watcher heard is what counts; a store that fails says so by itself.
            if let Err(error) = noted {
                log::untold(&channel, &error.to_string());
            }
        }
    }

    fn of(session: &Session, order: &RefreshOrder) -> Self {
        let whole = order.patterns.is_empty() && order.only == Only::All;
        if !whole || order.run.dry_run != DryRun::No {
            return Self { watchers: Vec::new() };
        }
        let pings = session.config.notify.iter().filter_map(|setting| match &setting.via {
            Via::Ping(url) => Some((setting.channel.clone(), url)),
            _ => None,
        });
        let messenger = Arc::new(messenger(session));
        let watcher = |(channel, url): (ChannelId, &SecretSource)| Watcher {
            channel,
            url: secret(session, url),
            messenger: Arc::clone(&messenger),
            start: None,
        };
        Self { watchers: pings.map(watcher).collect() }
    }

    /// Tells all watchers side by side.
    fn beat(self, beat: Beat) -> Vec<(ChannelId, Result<(), String>)> {
        let threads: Vec<_> = self
            .watchers
            .into_iter()
            .map(|watcher| {
                let channel = watcher.channel.clone();
                (channel, std::thread::spawn(move || watcher.tell(beat)))
            })
            .collect();
        let outcome = |thread: JoinHandle<_>| {
            thread.join().unwrap_or_else(|_| Err("metatoken met a bug".to_owned()))
        };
        threads.into_iter().map(|(channel, thread)| (channel, outcome(thread))).collect()
    }
}

impl Watcher {
    fn start(&mut self) {
        let Ok(url) = self.url.clone() else { return };
        let messenger = Arc::clone(&self.messenger);
        self.start = Some(std::thread::spawn(move || {
            // Whether the end gets through is what counts.
            let _ = notify::ping(&url, Beat::Start, &messenger);
        }));
    }

    /// An end that overtook its start would look like a run that never ends.
    fn tell(self, beat: Beat) -> Result<(), String> {
        if let Some(start) = self.start {
            let _ = start.join();
        }
        notify::ping(&self.url?, beat, &self.messenger).map_err(|unsent| unsent.to_string())
    }
}
