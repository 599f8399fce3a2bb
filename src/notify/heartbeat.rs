//! Telling a watcher elsewhere that the runs go on.
//!
//! A timer that stopped and a machine that is off can tell nobody; whoever misses the ping can. It
//! tells of whole runs that are meant: that somebody refreshed one token by hand says nothing of
//! the timer.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::channel::{messenger, secret};
use super::{Beat, Messenger, log_failure, ping};
use crate::complaint::Complaint;
use crate::config::{SecretSource, Via};
use crate::exit::Exit;
use crate::session::Session;
use crate::store::{RunId, Store};
use crate::token::{ChannelId, Secret, Time};

/// The watchers of one run.
pub struct Heartbeat {
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
    /// Pings every watcher that a run begins.
    pub fn start(session: &Session) -> Self {
        let mut heartbeat = Self::of(session);
        heartbeat.watchers.iter_mut().for_each(Watcher::start);
        heartbeat
    }

    /// Pings every watcher that no run was possible, unless that is because one is under way.
    pub fn cannot_run(session: &Session, why: &Complaint) {
        if why.exit == Exit::Busy {
            return;
        }
        // Without a store a ping that failed cannot be stored either.
        for (channel, outcome) in Self::of(session).beat(Beat::Fail) {
            outcome.unwrap_or_else(|why| log_failure(&channel, &why));
        }
    }

    /// Pings every watcher how the run ended, and stores which ping failed. A run that was
    /// interrupted pings nothing, and is missed.
    pub fn end(self, session: &Session, store: &Store, run: RunId, beat: Beat, now: Time) {
        if session.interrupt.is_raised() {
            return;
        }
        for (channel, outcome) in self.beat(beat) {
            let noted = match outcome {
                Ok(()) => store.note_channel_works(&channel),
                Err(why) => {
                    log_failure(&channel, &why);
                    store.note_channel_failure(run, &channel, &why, now)
                }
            };
            // Whether the watcher heard is what counts; a store that fails says so by itself.
            if let Err(error) = noted {
                log_failure(&channel, &error.to_string());
            }
        }
    }

    fn of(session: &Session) -> Self {
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
            let _ = ping(&url, Beat::Start, &messenger);
        }));
    }

    /// An end that overtook its start would look like a run that never ends.
    fn tell(self, beat: Beat) -> Result<(), String> {
        if let Some(start) = self.start {
            let _ = start.join();
        }
        ping(&self.url?, beat, &self.messenger).map_err(|unsent| unsent.to_string())
    }
}
