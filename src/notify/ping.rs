//! Pings watchers elsewhere when a run begins and ends.
//!
//! A timer that stopped and a machine that is off send no notification; a watcher that misses the
//! ping does.
//!
//! The URLs are those of healthchecks.io and its kin, or of a push monitor of Uptime Kuma. Source:
//! Healthchecks, Pinging API. A ping has
//! no body, which could hold what is not meant for the watcher, and no `rid`: it must be a UUID, kin
//! of other makes may refuse it, and only one run at a time has a start and an end to be matched.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::channel::{Notifier, log_failure, secret};
use super::retry::SendError;
use super::secret_url::{self, SecretUrl};
use crate::config::{ChannelKind, SecretSource};
use crate::error::CliError;
use crate::exit::Exit;
use crate::http::{HttpRequest, PlainHttp};
use crate::session::Session;
use crate::store::{RunId, Store};
use crate::token::{ChannelId, Secret, Time};

named! {
    /// What a ping says of a run.
    pub enum Beat {
        /// It begins.
        Start = "start",
        /// It has ended well.
        Success = "success",
        /// It has ended badly.
        Fail = "fail",
    }
}

/// Requests the URL of a beat, again where that may help.
pub fn ping(address: &PingAddress, beat: Beat, notifier: &Notifier) -> Result<(), SendError> {
    let Some(url) = of_beat(SecretUrl::parse(&address.url, "ping", address.plain_http)?, beat)
    else {
        return Ok(());
    };
    notifier.retry.run(|| {
        secret_url::send(HttpRequest::get(url.url()), &url, "check behind the ping", notifier)
    })
}

/// The address of a watcher.
#[derive(Clone)]
pub struct PingAddress {
    /// A secret: it is enough to silence the watcher.
    pub url: Secret,
    /// Where it may lead by plain HTTP.
    pub plain_http: PlainHttp,
}

/// What a push monitor of Uptime Kuma has in its address. Source: Uptime Kuma, Internal API.
const UP: &str = "status=up";

/// The URL of a beat. A push monitor has one URL whose query says how it went, and nothing for a run
/// that begins.
fn of_beat(url: SecretUrl, beat: Beat) -> Option<SecretUrl> {
    let query = url.url().query().map(str::to_owned).unwrap_or_default();
    let is_push_monitor = query.split('&').any(|part| part == UP);
    match (beat, is_push_monitor) {
        (Beat::Success, _) => Some(url),
        (Beat::Start | Beat::Fail, false) => Some(url.below(beat.as_str())),
        (Beat::Start, true) => None,
        (Beat::Fail, true) => {
            let part = |part: &str| match part.split_once('=') {
                Some(("status", _)) => "status=down".to_owned(),
                Some(("msg", _)) => "msg=failed".to_owned(),
                _ => part.to_owned(),
            };
            let parts: Vec<String> = query.split('&').map(part).collect();
            Some(url.with_query(&parts.join("&")))
        }
    }
}

/// The pings of one run.
pub struct Heartbeat {
    watchers: Vec<Watcher>,
}

struct Watcher {
    channel: ChannelId,
    address: Result<PingAddress, String>,
    notifier: Arc<Notifier>,
    /// The first ping, which the run does not wait for.
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
    pub fn cannot_run(session: &Session, why: &CliError) {
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
            // A store that fails changes nothing about the ping.
            if let Err(error) = noted {
                log_failure(&channel, &error.to_string());
            }
        }
    }

    fn of(session: &Session) -> Self {
        let pings = session.config.notify.iter().filter_map(|setting| match &setting.kind {
            ChannelKind::Ping { url, plain_http } => {
                Some((setting.channel.clone(), url, *plain_http))
            }
            _ => None,
        });
        let notifier = Arc::new(Notifier::of(session));
        let watcher = |(channel, url, plain_http): (ChannelId, &SecretSource, _)| Watcher {
            channel,
            address: secret(session, url).map(|url| PingAddress { url, plain_http }),
            notifier: Arc::clone(&notifier),
            start: None,
        };
        Self { watchers: pings.map(watcher).collect() }
    }

    /// Pings all watchers at the same time.
    fn beat(self, beat: Beat) -> Vec<(ChannelId, Result<(), String>)> {
        let threads: Vec<_> = self
            .watchers
            .into_iter()
            .map(|watcher| {
                let channel = watcher.channel.clone();
                (channel, std::thread::spawn(move || watcher.end(beat)))
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
        let Ok(address) = self.address.clone() else { return };
        let notifier = Arc::clone(&self.notifier);
        self.start = Some(std::thread::spawn(move || {
            // Only a failure of the last ping is reported.
            let _ = ping(&address, Beat::Start, &notifier);
        }));
    }

    /// Waits for the first ping: an end that overtook it would look like a run that never ends.
    fn end(self, beat: Beat) -> Result<(), String> {
        if let Some(start) = self.start {
            let _ = start.join();
        }
        ping(&self.address?, beat, &self.notifier).map_err(|unsent| unsent.to_string())
    }
}
