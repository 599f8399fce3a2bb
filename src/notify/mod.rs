//! Sends notifications by webhook, email and command, and pings at the start and end of runs.
//!
//! What is sent follows from the status of everything and from what each channel was notified of
//! before. So it does not matter which run sends it, whether the last run was killed, or whether
//! `check` comes first. A channel that fails costs a few seconds, is a warning that the other
//! channels get, and gets everything itself once it works again.
//!
//! `plan` says what each channel is to be sent, `message` in which words, `bodies` in which form to a
//! chat, `channel` reads the secrets; `webhook`, `email` and `hook` send, and `retry` says how often.
//! `owners` writes to the owners of tokens, `ping` is the heartbeat, `test_message` what an operator sends to see that a channel reaches its
//! people.
//!
//! A [`SendError`] names a host or a program and never a URL that is a secret: the URL of a webhook
//! is enough to write to it, that of a ping enough to silence it. A message quotes Meta and names of
//! Pages, which others choose: in a chat it mentions no person and hides no link, in an email it makes
//! no header.

mod bodies;
mod channel;
mod email;
mod hook;
mod message;
mod owners;
mod ping;
mod plan;
mod retry;
mod secret_url;
mod smtp;
mod test_message;
#[cfg(test)]
mod tests;
mod webhook;

use std::time::{Duration, Instant};

pub use self::channel::Notifier;
use self::channel::{Channel, log_failure};
use self::message::{Composer, Message};
pub use self::owners::{LoginLink, MakeLink, address_of};
pub use self::ping::{Beat, Heartbeat};
pub use self::plan::failing_channels;
use self::plan::{ChannelQueue, is_about, queue};
pub use self::retry::SendError;
pub use self::secret_url::unfit_address;
pub use self::test_message::{ChannelTest, test_channels};
use crate::config::NotifySetting;
use crate::error::CliError;
use crate::failpoint;
use crate::policy::{Health, Reason};
use crate::report::StatusReport;
use crate::session::Session;
use crate::store::{RunId, SentNotification, Store, StoreError};
use crate::token::{ChannelId, Time};

/// How long one channel may keep a run from ending.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// After so many messages in a row that failed, a channel gets no further one.
const FAILURES: u32 = 2;

/// Gives the run in whose name something is stored.
pub type GetRun<'a> = &'a dyn Fn() -> Result<RunId, StoreError>;

/// Sends every channel what it was not notified of yet. A failure of the store ends nothing; what is
/// to be said of it is the result.
pub fn notify(
    session: &Session,
    store: &Store,
    status: StatusReport,
    run: GetRun<'_>,
    link: Option<MakeLink<'_>>,
) -> Option<Reason> {
    let sent = notify_all(session, store, status, Means { run, link });
    sent.map_err(|error| cannot_notify(&CliError::from(error))).err()
}

/// What is to be said where the store cannot be written.
pub fn cannot_notify(why: &CliError) -> Reason {
    let causes = why.causes.iter().map(|cause| format!(": {cause}"));
    let causes = causes.collect::<String>();
    let message = format!("notifications cannot be sent: {}: {}{causes}", why.subject, why.message);
    Reason::of_the_system("nobody_told", Health::Warning, message, why.hints.join("; "))
}

/// What is to be said of the channels whose last message failed, or of the store that does not say.
pub fn channel_problems(session: &Session, store: &Store, now: Time) -> Vec<Reason> {
    failing_channels(store, &session.config.notify, now)
        .unwrap_or_else(|error| vec![cannot_notify(&CliError::from(error))])
}

/// What is made when it is needed.
#[derive(Clone, Copy)]
struct Means<'a> {
    run: GetRun<'a>,
    /// What only a run can make, which has the store's key.
    link: Option<MakeLink<'a>>,
}

/// Notifies all channels, and then those that work of those that failed at that.
fn notify_all(
    session: &Session,
    store: &Store,
    mut status: StatusReport,
    means: Means<'_>,
) -> Result<(), StoreError> {
    let settings = &owners::served(&session.config, &status);
    let names: Vec<ChannelId> = settings.iter().map(|it| it.channel.clone()).collect();
    store.forget_channels_but(&names)?;
    let waits = |it: &NotifySetting| means.link.is_none() && owners::waits_for_a_link(session, it);
    let channels = settings.iter().filter(|it| !it.is_ping() && !waits(it));
    let channels: Vec<&NotifySetting> = channels.collect();
    notify_once(session, store, &status, &channels, means)?;
    let failing = failing_channels(store, settings, status.generated_at)?;
    if names_in(&failing) == names_in(&status.system) {
        return Ok(());
    }
    status.system.retain(|reason| !reason.is_about_a_channel());
    status.system.extend(failing.clone());
    let fails = |it: &NotifySetting| failing.iter().any(|reason| is_about(reason, &it.channel));
    let others: Vec<&NotifySetting> = channels.into_iter().filter(|it| !fails(it)).collect();
    notify_once(session, store, &status, &others, means)
}

/// The channels that any of these is about.
fn names_in(reasons: &[Reason]) -> Vec<&str> {
    let about_channels = reasons.iter().filter(|reason| reason.is_about_a_channel());
    about_channels.filter_map(|reason| reason.about.as_deref()).collect()
}

fn notify_once(
    session: &Session,
    store: &Store,
    status: &StatusReport,
    channels: &[&NotifySetting],
    means: Means<'_>,
) -> Result<(), StoreError> {
    let prefix = session.config.alerts.prefix.as_deref();
    let mut queues = Vec::new();
    for setting in channels {
        queues.extend(queue(store, status, setting, prefix)?);
    }
    if queues.is_empty() || session.interrupt.is_raised() {
        return Ok(());
    }
    let notifier = Notifier::of(session);
    let (run, link) = ((means.run)()?, means.link);
    Delivery { session, store, status, notifier, run, link }.send_all(&queues)
}

/// What the threads of all channels share.
struct Delivery<'a> {
    session: &'a Session,
    store: &'a Store,
    status: &'a StatusReport,
    notifier: Notifier,
    run: RunId,
    link: Option<MakeLink<'a>>,
}

impl Delivery<'_> {
    /// Sends all queues at the same time, so that no channel waits for a slow one.
    fn send_all(&self, queues: &[ChannelQueue<'_>]) -> Result<(), StoreError> {
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                queues.iter().map(|queue| scope.spawn(|| self.send_queue(queue))).collect();
            let outcomes: Vec<_> =
                threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            outcomes.into_iter().try_for_each(|outcome| match outcome {
                Ok(outcome) => outcome,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })
    }

    /// Sends one queue, until it is empty or the channel fails. A message that is refused for its
    /// text or its length does not hold up the next.
    fn send_queue(&self, queue: &ChannelQueue<'_>) -> Result<(), StoreError> {
        if let Some(owner) = queue.setting.owner() {
            return self.send_letter(queue, owner);
        }
        let name = &queue.setting.channel;
        let now = self.status.generated_at;
        let began = Instant::now();
        let channel = match channel::open(self.session, queue.setting, &self.notifier) {
            Ok(channel) => channel,
            Err(why) => return self.failed(name, &why),
        };
        let composer = Composer::new(self.status, &queue.setting.labels, &self.notifier.machine);
        let (mut failure, mut in_a_row) = (None, 0);
        for notification in &queue.notifications {
            let enough = in_a_row == FAILURES || began.elapsed() > TIME_LIMIT;
            if enough || self.session.interrupt.is_raised() {
                break;
            }
            let message = composer.compose(&self.store.channel(name)?, notification);
            failpoint::reach("telling");
            match send(&channel, &message, &self.notifier) {
                Ok(()) => {
                    failpoint::reach("told");
                    let sent = SentNotification {
                        notified: &notification.notified,
                        over: &notification.over,
                        incident: &message.incident,
                        owner: None,
                    };
                    self.store.note_notified(name, sent, now)?;
                    in_a_row = 0;
                }
                Err(error) => {
                    failure.get_or_insert(error);
                    in_a_row += 1;
                }
            }
        }
        failure.map_or(Ok(()), |error| self.failed(name, &error.to_string()))
    }

    /// Sends one owner all that he is due as one mail, unless he has had enough of them today.
    fn send_letter(&self, queue: &ChannelQueue<'_>, owner: &str) -> Result<(), StoreError> {
        let ChannelQueue { setting, notifications } = queue;
        let (name, now) = (&setting.channel, self.status.generated_at);
        let is_to_wait = owners::has_had_enough(self.store, owner, now)?;
        if is_to_wait || self.session.interrupt.is_raised() {
            return Ok(());
        }
        let channel = match channel::open(self.session, setting, &self.notifier) {
            Ok(channel) => channel,
            Err(why) => return self.failed(name, &why),
        };
        let composer = Composer::new(self.status, &setting.labels, &self.notifier.machine);
        let record = self.store.channel(name)?;
        let answer_to = match &channel {
            Channel::Email(email) => email.from.as_str(),
            Channel::Webhook(_) | Channel::Command(_) => "",
        };
        let letter = owners::letter(&composer, &record, notifications, answer_to, self.link);
        let Some(message) = letter else { return Ok(()) };
        // What cannot be noted on a full disk would be sent again by every run.
        let Some(_room) = self.store.room_to_note()? else { return Ok(()) };
        failpoint::reach("telling");
        if let Err(error) = send(&channel, &message, &self.notifier) {
            return self.failed(name, &error.to_string());
        }
        failpoint::reach("told");
        let notified: Vec<_> = notifications.iter().flat_map(|it| it.notified.clone()).collect();
        let over: Vec<_> = notifications.iter().flat_map(|it| it.over.clone()).collect();
        let (incident, owner) = (message.incident.as_str(), Some(owner));
        let sent = SentNotification { notified: &notified, over: &over, incident, owner };
        self.store.note_notified(name, sent, now)
    }

    fn failed(&self, name: &ChannelId, why: &str) -> Result<(), StoreError> {
        log_failure(name, why);
        self.store.note_channel_failure(self.run, name, why, self.status.generated_at)
    }
}

/// Sends a message to a channel, again where that may help.
///
/// Takes at most the timeout for each attempt and the pauses between them; a program that ignores
/// SIGTERM takes 2.5 s more.
fn send(channel: &Channel, message: &Message, notifier: &Notifier) -> Result<(), SendError> {
    match channel {
        Channel::Webhook(webhook) => webhook::post(webhook, message, notifier),
        Channel::Email(email) => email::send(email, message, notifier),
        Channel::Command(argv) => hook::run(argv, message, notifier),
    }
}
