//! What a channel is told, run by run: each table is a row of runs, what stands in each, and what
//! the channel hears of it.

mod changes;
mod filters;
mod incidents;
mod property;
mod reminders;
mod shared;

use metatoken::policy::{
    Dates, Deadline, Health, Interest, Issues, Notification, NotificationPlan, Reason, TokenIssues,
    plan,
};
use metatoken::token::{Action, NotificationEvent, Notified, Pattern, Time, Topic};

use super::{day, label};

/// One channel: what it wants, and what it remembers.
#[derive(Debug, Clone)]
struct Channel {
    events: Vec<NotificationEvent>,
    labels: Vec<Pattern>,
    notified: Vec<Notified>,
}

impl Channel {
    fn new() -> Self {
        Self { events: NotificationEvent::ALL.to_vec(), labels: Vec::new(), notified: Vec::new() }
    }

    fn of(events: &[NotificationEvent]) -> Self {
        Self { events: events.to_vec(), ..Self::new() }
    }

    fn about(labels: &[&str]) -> Self {
        Self { labels: labels.iter().map(|it| Pattern::new(*it)).collect(), ..Self::new() }
    }

    fn plan(&self, issues: &Issues, now: Time) -> NotificationPlan {
        let interest = Interest { events: &self.events, labels: &self.labels };
        plan(interest, issues, &self.notified, now)
    }

    /// Does what a run does of which those notifications get through that `gets` says, and gives
    /// what was planned.
    fn run(
        &mut self,
        issues: &Issues,
        now: Time,
        mut gets: impl FnMut(&Notification) -> bool,
    ) -> NotificationPlan {
        let plan = self.plan(issues, now);
        self.remember(&plan.notified, &plan.over);
        for notification in &plan.notifications {
            if gets(notification) {
                self.remember(&notification.notified, &notification.over);
            }
        }
        plan
    }

    /// A run in which everything gets through; gives what was said, a line each.
    fn hears(&mut self, issues: &Issues, now: Time) -> Vec<String> {
        let said = self.run(issues, now, |_| true);
        said.notifications.iter().map(line).collect()
    }

    fn remember(&mut self, notified: &[Notified], over: &[Topic]) {
        let again = |old: &Notified| notified.iter().any(|notified| notified.topic == old.topic);
        self.notified.retain(|old| !over.contains(&old.topic) && !again(old));
        self.notified.extend(notified.iter().cloned());
    }
}

/// `warning a, b: late`.
fn line(notification: &Notification) -> String {
    let labels: Vec<_> = notification.reason.labels.iter().map(ToString::to_string).collect();
    let labels = if labels.is_empty() { "-".to_owned() } else { labels.join(", ") };
    format!("{} {labels}: {}", notification.event, notification.reason.message)
}

/// `severity code` of a token, such as `warning expiring`, or `severity code target`; its message
/// is the code.
fn reason(name: &str, text: &str) -> Reason {
    let words: Vec<&str> = text.split(' ').collect();
    let code = CODES.into_iter().find(|code| *code == words[1]).unwrap();
    Reason {
        code,
        severity: Health::from_name(words[0]).unwrap(),
        message: words[1..].join(" "),
        remedy: "act".into(),
        condition: None,
        meta: String::new(),
        action: Action::Retry,
        about: words.get(2).map(|about| (*about).to_owned()),
        labels: if name.is_empty() { Vec::new() } else { vec![label(name)] },
        held_by: None,
        waits_for: None,
    }
}

/// The codes of these tests; only some of them mean anything to policy.
const CODES: [&str; 12] = [
    "expiring",
    "expired",
    "revoked",
    "app_disabled",
    "delivery_pending",
    "delivery_failed",
    "unchecked",
    "no_recent_run",
    "graph_version_ends",
    "clock_skew",
    "readable_by_others",
    "data_access_expiring",
];

/// Tokens with what stands against each.
fn issues(all: Stands<'_>) -> Issues {
    let mut issues = Issues {
        tokens: Vec::new(),
        system: Vec::new(),
        dates: Dates::Trusted,
        unheard_apps: Vec::new(),
    };
    for (name, reasons) in all {
        let reasons = reasons.iter().map(|text| reason(name, text)).collect();
        if name.is_empty() {
            issues.system = reasons;
        } else {
            issues.tokens.push(TokenIssues { label: label(name), reasons, deadlines: vec![] });
        }
    }
    issues
}

/// What stands in a run, by token; a name that is empty stands for the machinery.
type Stands<'a> = &'a [(&'a str, &'a [&'a str])];

/// One run after the other, what stands in it and what is heard.
#[track_caller]
fn runs(channel: &mut Channel, table: &[(Stands<'_>, &[&str])]) {
    for (number, (stands, heard)) in table.iter().enumerate() {
        let issues = issues(stands);
        assert_eq!(channel.hears(&issues, day(0)), *heard, "run {number}: {stands:?}");
        assert_eq!(channel.hears(&issues, day(0)), [""; 0], "run {number}, again: {stands:?}");
    }
}

fn deadline(code: &'static str, at: Time, labels: &[&str]) -> Deadline {
    Deadline {
        code,
        at,
        reminders: [14, 7, 1].map(chrono::TimeDelta::days).to_vec(),
        message: "it ends".to_owned(),
        remedy: "log in".into(),
        condition: None,
        meta: String::new(),
        labels: labels.iter().map(|it| label(it)).collect(),
    }
}
