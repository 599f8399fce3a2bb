//! Says what each channel is to be sent, in how many messages.
//!
//! A hundred messages in a minute are not read, and a chat would throttle their sender: what is left
//! after the worst is one digest.

use crate::config::NotifySetting;
use crate::policy::{
    Interest, Issues, Notification, NotificationPlan, Reason, Remedy, TokenIssues, by_incident,
    judge_channel, plan,
};
use crate::report::StatusReport;
use crate::store::{Store, StoreError};
use crate::token::{ChannelId, NotificationEvent, Time};

/// How many messages a channel gets at once.
const MOST: usize = 10;

/// What one channel is to be sent.
pub struct ChannelQueue<'a> {
    pub setting: &'a NotifySetting,
    /// One message each.
    pub notifications: Vec<Notification>,
}

/// What a channel is to be sent; nothing if it was notified of everything. What it does not want to
/// be notified of is stored at once.
pub fn queue<'a>(
    store: &Store,
    status: &StatusReport,
    setting: &'a NotifySetting,
    prefix: Option<&str>,
) -> Result<Option<ChannelQueue<'a>>, StoreError> {
    let (channel, now) = (&setting.channel, status.generated_at);
    let interest = Interest { events: &setting.events, labels: &setting.labels };
    let issues = match setting.owner() {
        Some(_) => owners_issues(status),
        None => issues(status, channel),
    };
    let known = store.notified(channel)?;
    let mut plan = plan(interest, &issues, &known, now);
    if setting.has_incidents() {
        plan = by_incident(plan, &known, &store.incidents(channel)?, interest);
    }
    let NotificationPlan { mut notifications, notified, over } = plan;
    store.note_unwanted(channel, &notified, &over, now)?;
    let own_problem = status.system.iter().find(|reason| is_about(reason, channel));
    if let Some(problem) = own_problem.filter(|_| notifications.is_empty()) {
        // An owner is sent nothing that is about the channel.
        let trial = trial(setting, problem).filter(|_| setting.owner().is_none());
        notifications.extend(trial);
        if notifications.is_empty() {
            store.note_channel_works(channel)?;
        }
    }
    let notifications = if setting.owner().is_some() {
        // All of it is one mail.
        notifications
    } else if setting.has_incidents() {
        // What belongs to an incident that is open is said of it alone.
        let is_new =
            |it: &Notification| it.incident.is_none() && it.event != NotificationEvent::Recovered;
        let (new, others): (Vec<_>, Vec<_>) = notifications.into_iter().partition(is_new);
        in_brief(new, prefix).into_iter().chain(others).collect()
    } else {
        in_brief(notifications, prefix)
    };
    Ok((!notifications.is_empty()).then_some(ChannelQueue { setting, notifications }))
}

/// What is to be said of the channels whose last message failed.
pub fn failing_channels(
    store: &Store,
    settings: &[NotifySetting],
    now: Time,
) -> Result<Vec<Reason>, StoreError> {
    let failing = store.failing_channels()?.into_iter();
    let ours = failing.filter(|it| settings.iter().any(|setting| setting.is_called(&it.channel)));
    Ok(ours.map(|it| judge_channel(&it.channel, it.since, &it.error, now)).collect())
}

/// Whether a reason is about this channel.
pub fn is_about(reason: &Reason, channel: &ChannelId) -> bool {
    reason.is_about_a_channel() && reason.about.as_deref() == Some(channel.as_str())
}

/// What a channel that failed, and that is to be sent nothing else, is sent to see whether it works
/// again. A channel without this event is not tried: it has missed nothing.
fn trial(setting: &NotifySetting, problem: &Reason) -> Option<Notification> {
    setting
        .events
        .contains(&NotificationEvent::Recovered)
        .then(|| Notification::recovery(&problem.message))
}

/// How everything stands, but for the channel's own problem, of which it cannot notify.
fn issues(status: &StatusReport, channel: &ChannelId) -> Issues {
    let tokens = status.tokens.iter().filter_map(|token| {
        Some(TokenIssues {
            label: token.label.clone()?,
            reasons: token.judgement.reasons.clone(),
            deadlines: token.deadlines.clone(),
        })
    });
    Issues {
        tokens: tokens.collect(),
        system: status.system.iter().filter(|it| !is_about(it, channel)).cloned().collect(),
        dates: status.dates,
        unheard_apps: status.unheard_apps.clone(),
    }
}

/// What owners can do something about, and nothing else.
fn owners_issues(status: &StatusReport) -> Issues {
    let tokens = status.tokens.iter().filter_map(|token| {
        let reasons = token.judgement.reasons.iter();
        let deadlines = token.deadlines.iter();
        Some(TokenIssues {
            label: token.label.clone()?,
            reasons: reasons.filter(|it| it.remedy.is_of_the_owner()).cloned().collect(),
            deadlines: deadlines.filter(|it| it.remedy.is_of_the_owner()).cloned().collect(),
        })
    });
    Issues {
        tokens: tokens.collect(),
        system: Vec::new(),
        dates: status.dates,
        unheard_apps: status.unheard_apps.clone(),
    }
}

/// The same in at most [`MOST`] messages: the worst by themselves, and a digest of all that are
/// left.
fn in_brief(mut all: Vec<Notification>, prefix: Option<&str>) -> Vec<Notification> {
    if all.len() > MOST {
        let rest = all.split_off(MOST - 1);
        all.extend(digest(rest, prefix));
    }
    all
}

fn digest(rest: Vec<Notification>, prefix: Option<&str>) -> Option<Notification> {
    let first = rest.first()?;
    let message = format!("{} more causes, the first: {}", rest.len(), first.reason.message);
    let mut remedy = Remedy::of_the_operator("run `metatoken check` to see them all");
    if let Some(prefix) = prefix {
        remedy.with_prefix(prefix);
    }
    let reason = Reason {
        code: "digest",
        message,
        remedy,
        about: None,
        held_by: None,
        waits_for: None,
        ..first.reason.clone()
    };
    let mut digest = Notification {
        event: first.event,
        reason,
        notified: Vec::new(),
        over: Vec::new(),
        incident: None,
    };
    for one in rest {
        for label in one.reason.labels {
            if !digest.reason.labels.contains(&label) {
                digest.reason.labels.push(label);
            }
        }
        digest.notified.extend(one.notified);
        digest.over.extend(one.over);
    }
    Some(digest)
}
