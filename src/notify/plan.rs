//! Telling people what stands, each cause once.
//!
//! What is to be said follows from how everything stands and from what every channel was told
//! before; so it does not matter which run says it, whether the last one was killed, or whether
//! `check` comes first. A channel that fails costs a few seconds, is a warning that the others are
//! told of, and hears of it all when it works again. `work` sends; `routes` reads the secrets;
//! `heartbeat` tells of the run itself.

use super::channel::messenger;
use super::digest;
use super::send::{Errand, Work};
use crate::complaint::Complaint;
use crate::config::NotifySetting;
use crate::policy::{
    Announcement, Health, Interest, Plan, Reason, Standing, TokenStanding, judge_channel, plan,
};
use crate::report::StatusReport;
use crate::session::Session;
use crate::store::{RunId, Store, StoreError};
use crate::token::{Action, ChannelId, NoticeEvent, Time};

/// Gives the run in whose name something is written down.
pub type NewRun<'a> = &'a dyn Fn() -> Result<RunId, StoreError>;

/// Tells every channel what it has not been told yet; a failure of the store ends nothing, and is
/// to be said.
pub fn tell(
    session: &Session,
    store: &Store,
    status: StatusReport,
    run: NewRun<'_>,
) -> Option<Reason> {
    let told = try_to_tell(session, store, status, run);
    told.map_err(|error| nobody_told(&Complaint::from(error))).err()
}

/// What is to be said where the store cannot be written: all else stands.
pub fn nobody_told(why: &Complaint) -> Reason {
    let causes = why.causes.iter().map(|cause| format!(": {cause}"));
    Reason {
        code: "nobody_told",
        severity: Health::Warning,
        message: format!(
            "nobody can be told: {}: {}{}",
            why.subject,
            why.message,
            causes.collect::<String>()
        ),
        remedy: why.hints.join("; "),
        action: Action::FixConfiguration,
        about: None,
        labels: Vec::new(),
        held_by: None,
    }
}

/// What is to be said of the channels that failed when they were last tried.
pub fn channel_troubles(session: &Session, store: &Store, now: Time) -> Vec<Reason> {
    channel_reasons(store, &session.config.notify, now)
        .unwrap_or_else(|error| vec![nobody_told(&Complaint::from(error))])
}

fn try_to_tell(
    session: &Session,
    store: &Store,
    mut status: StatusReport,
    run: NewRun<'_>,
) -> Result<(), StoreError> {
    let settings = &session.config.notify;
    let names: Vec<ChannelId> = settings.iter().map(|it| it.channel.clone()).collect();
    store.forget_channels_but(&names)?;
    let people: Vec<&NotifySetting> = settings.iter().filter(|it| !it.is_ping()).collect();
    tell_all(session, store, &status, &people, run)?;
    let troubles = channel_reasons(store, settings, status.generated_at)?;
    if names_of(&troubles) == names_of(&status.system) {
        return Ok(());
    }
    // Now that it is known which work, these hear of those that do not.
    status.system.retain(|reason| !reason.is_about_a_channel());
    status.system.extend(troubles.clone());
    let fails = |it: &NotifySetting| names_of(&troubles).contains(&it.channel.as_str());
    let others: Vec<&NotifySetting> = people.into_iter().filter(|it| !fails(it)).collect();
    tell_all(session, store, &status, &others, run)
}

/// The channels that any of these is about.
fn names_of(reasons: &[Reason]) -> Vec<&str> {
    let about_channels = reasons.iter().filter(|reason| reason.is_about_a_channel());
    about_channels.filter_map(|reason| reason.about.as_deref()).collect()
}

/// Tells these channels once.
fn tell_all(
    session: &Session,
    store: &Store,
    status: &StatusReport,
    channels: &[&NotifySetting],
    run: NewRun<'_>,
) -> Result<(), StoreError> {
    let now = status.generated_at;
    let mut errands = Vec::new();
    for setting in channels {
        let channel = &setting.channel;
        let interest = Interest { events: &setting.events, labels: &setting.labels };
        let Plan { mut announcements, told, over } =
            plan(interest, &standing(status, channel), &store.told(channel)?, now);
        store.note_untold(channel, &told, &over, now)?;
        match own_trouble(status, channel) {
            Some(trouble) if announcements.is_empty() => {
                announcements.extend(trial(setting, trouble));
                if announcements.is_empty() {
                    store.note_channel_works(channel)?;
                }
            }
            _ => {}
        }
        if !announcements.is_empty() {
            let announcements = digest::in_brief(announcements, session);
            errands.push(Errand { setting, announcements });
        }
    }
    if errands.is_empty() || session.interrupt.is_raised() {
        return Ok(());
    }
    Work { session, store, status, messenger: messenger(session), run: run()? }.all(&errands)
}

/// What a channel that failed, and that has nothing more to be told, is told to see whether it
/// works again. One that does not want to hear of that is not tried: nobody has missed anything.
fn trial(setting: &NotifySetting, trouble: &Reason) -> Option<Announcement> {
    setting
        .events
        .contains(&NoticeEvent::Recovered)
        .then(|| Announcement::recovery(&trouble.message))
}

/// What is to be said of the channels that failed when they were last tried.
pub fn channel_reasons(
    store: &Store,
    settings: &[NotifySetting],
    now: Time,
) -> Result<Vec<Reason>, StoreError> {
    let failing = store.failing_channels()?.into_iter();
    let ours = failing.filter(|it| settings.iter().any(|setting| setting.channel == it.channel));
    Ok(ours.map(|it| judge_channel(&it.channel, it.since, &it.error, now)).collect())
}

fn own_trouble<'a>(status: &'a StatusReport, channel: &ChannelId) -> Option<&'a Reason> {
    status.system.iter().find(|reason| is_of(reason, channel))
}

fn is_of(reason: &Reason, channel: &ChannelId) -> bool {
    reason.is_about_a_channel() && reason.about.as_deref() == Some(channel.as_str())
}

/// How everything stands, but for the channel's own trouble, of which it cannot tell.
fn standing(status: &StatusReport, channel: &ChannelId) -> Standing {
    let tokens = status.tokens.iter().filter_map(|token| {
        Some(TokenStanding {
            label: token.label.clone()?,
            reasons: token.judgement.reasons.clone(),
            deadlines: token.deadlines.clone(),
        })
    });
    Standing {
        tokens: tokens.collect(),
        system: status.system.iter().filter(|it| !is_of(it, channel)).cloned().collect(),
        dates: status.dates,
    }
}
