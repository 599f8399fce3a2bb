//! Sending: every channel by itself, each announcement written down as soon as it got through.

use std::time::{Duration, Instant};

use super::channel::route;
use super::message::{Sender, select};
use super::{Messenger, Notice, log_failure};
use crate::config::NotifySetting;
use crate::failpoint;
use crate::policy::Announcement;
use crate::report::StatusReport;
use crate::session::Session;
use crate::store::{Channel, RunId, Store, StoreError};

/// How long one channel may keep a run from ending.
const LONGEST: Duration = Duration::from_secs(30);

/// After so many messages in a row that did not get through, a channel is left alone.
const FAILURES: u32 = 2;

/// What one channel is to be told.
pub(super) struct Errand<'a> {
    pub(super) setting: &'a NotifySetting,
    pub(super) announcements: Vec<Announcement>,
}

/// What every channel's thread works with.
pub(super) struct Work<'a> {
    pub(super) session: &'a Session,
    pub(super) store: &'a Store,
    pub(super) status: &'a StatusReport,
    pub(super) messenger: Messenger,
    pub(super) run: RunId,
}

impl Work<'_> {
    /// Side by side, so that none waits for another that is slow.
    pub(super) fn all(&self, errands: &[Errand<'_>]) -> Result<(), StoreError> {
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                errands.iter().map(|errand| scope.spawn(|| self.through(errand))).collect();
            let outcomes: Vec<_> =
                threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            outcomes.into_iter().try_for_each(|outcome| match outcome {
                Ok(outcome) => outcome,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })
    }

    /// One channel, until everything is said or nothing gets through any more. A message that is
    /// refused by itself, for its text or its length, does not stand in the way of the next.
    fn through(&self, errand: &Errand<'_>) -> Result<(), StoreError> {
        let channel = &errand.setting.channel;
        let now = self.status.generated_at;
        let began = Instant::now();
        let route = match route(self.session, errand.setting, &self.messenger) {
            Ok(route) => route,
            Err(why) => return self.failed(errand, &why),
        };
        let known = select(self.status, &errand.setting.labels);
        let sender = Sender { status: &known, host: self.messenger.machine() };
        let (mut failure, mut in_a_row) = (None, 0);
        for announcement in &errand.announcements {
            let enough = in_a_row == FAILURES || began.elapsed() > LONGEST;
            if enough || self.session.interrupt.is_raised() {
                break;
            }
            let notice = self.notice(&sender, &self.store.channel(channel)?, announcement);
            failpoint::reach("telling");
            match super::send(&route, &notice, &self.messenger) {
                Ok(()) => {
                    failpoint::reach("told");
                    self.store.note_told(channel, &announcement.told, &announcement.over, now)?;
                    in_a_row = 0;
                }
                Err(unsent) => {
                    failure.get_or_insert(unsent);
                    in_a_row += 1;
                }
            }
        }
        failure.map_or(Ok(()), |unsent| self.failed(errand, &unsent.to_string()))
    }

    fn failed(&self, errand: &Errand<'_>, why: &str) -> Result<(), StoreError> {
        let channel = &errand.setting.channel;
        log_failure(channel, why);
        self.store.note_channel_failure(self.run, channel, why, self.status.generated_at)
    }

    fn notice(&self, sender: &Sender<'_>, channel: &Channel, of: &Announcement) -> Notice {
        let id = number(channel, of);
        let letter = sender.letter(&id, of);
        Notice {
            id,
            at: self.status.generated_at,
            event: of.event,
            subject: letter.subject,
            text: letter.text,
            json: letter.json,
            variables: letter.variables,
        }
    }
}

/// What stands for an announcement: the same if it is sent again because a kill came between its
/// sending and the note of it, and never that of another.
fn number(channel: &Channel, announcement: &Announcement) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    let reason = &announcement.reason;
    (announcement.event, reason.code, &reason.about, &reason.labels).hash(&mut hasher);
    format!("{}-{}-{:08x}", channel.uid, channel.sent, hasher.finish() & 0xffff_ffff)
}
