//! Words a notification for people and for programs: what is wrong, until when, who owns it, what to
//! type.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

use serde_json::json;

use super::bodies::cut;
use crate::config::Placeholder;
use crate::policy::{CLOSED, Health, Notification, Reason, headline, humanize};
use crate::report::{
    ActBy, CheckReport, CheckScope, StatusReport, TokenReport, VERSION, document, reasons_json,
    time_json,
};
use crate::store::ChannelRecord;
use crate::token::{Label, NotificationEvent, Pattern, Time};

/// One notification, worded for every channel. It holds no token and no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id, in letters, digits and `-`: the same when it is sent again because it is not known
    /// whether it arrived.
    pub id: String,
    /// What it has in common with other messages about the same, until that is over; its own id where
    /// there is none.
    pub incident: String,
    /// When it was decided on, which is the date of an email however often it is sent.
    pub at: Time,
    /// What it is about: the name of an event, or `test`.
    pub event: &'static str,
    /// Its one line: which tokens, and what happened.
    pub subject: String,
    /// How bad it is.
    pub severity: Health,
    /// The tokens that it is about, as people list them.
    pub labels: String,
    /// What to do; empty where there is nothing to do.
    pub remedy: String,
    /// The whole, in lines for people; begins with more than the subject.
    pub text: String,
    /// The whole, as a JSON document.
    pub json: String,
    /// The whole, as variables of a program, `METATOKEN_...`.
    pub variables: BTreeMap<String, String>,
}

/// So long is a title at most: Opsgenie takes no longer one. Source: Opsgenie, Alert API.
const LONGEST_TITLE: usize = 130;
/// So many bytes long is the whole at most: Telegram takes 4096 characters, ntfy 4096 bytes. Source:
/// Telegram, sendMessage; ntfy, Limitations.
const LONGEST_TEXT: usize = 4000;
/// So long is any other part at most: `PagerDuty` takes 1024 characters.
const LONGEST_PART: usize = 1000;

impl Message {
    /// What stands for a placeholder in a body of the operator's own.
    pub fn part(&self, part: Placeholder) -> String {
        match part {
            Placeholder::Title => cut(&self.subject, LONGEST_TITLE),
            Placeholder::Message => cut_bytes(self.text.trim_end(), LONGEST_TEXT),
            Placeholder::Severity => self.severity.to_string(),
            Placeholder::Label => cut(&self.labels, LONGEST_PART),
            Placeholder::Remedy => cut(&self.remedy, LONGEST_PART),
            Placeholder::Id => self.incident.clone(),
        }
    }
}

/// The text in at most so many bytes, with a mark where it is cut.
fn cut_bytes(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let mut end = longest - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

/// Writes the messages of one channel.
pub struct Composer<'a> {
    /// Everything as it stands, as far as the reader may know of it.
    status: StatusReport,
    host: &'a str,
}

impl<'a> Composer<'a> {
    /// A composer for a channel that is notified of these tokens, on the machine of that name.
    pub fn new(status: &StatusReport, labels: &[Pattern], host: &'a str) -> Self {
        Self { status: visible(status, labels), host }
    }

    /// Words an notification.
    pub fn compose(&self, channel: &ChannelRecord, notification: &Notification) -> Message {
        let id = id(channel, notification);
        let concerned = self.concerned(notification);
        let act_by = act_by(notification, &concerned, self.status.generated_at);
        let owners = owners(&concerned);
        let subject = subject(notification);
        let reason = &notification.reason;
        Message {
            incident: notification.incident.clone().unwrap_or_else(|| id.clone()),
            severity: reason.severity,
            labels: reason.labels.iter().map(Label::as_str).collect::<Vec<_>>().join(", "),
            remedy: reason.remedy.to_string(),
            at: self.status.generated_at,
            event: notification.event.as_str(),
            text: self.text(notification, &subject, &concerned, act_by.as_ref(), &owners),
            json: self.json(&id, notification, &concerned, act_by.as_ref(), &owners),
            variables: self.variables(&id, notification, act_by.as_ref(), &owners),
            id,
            subject,
        }
    }

    /// Until when a person can do something, in words; empty where that is not known.
    pub fn deadline(&self, notification: &Notification) -> String {
        let act_by = act_by(notification, &self.concerned(notification), self.now());
        act_by.map(|it| it.words(self.now())).unwrap_or_default()
    }

    /// When everything stood as it is worded.
    pub const fn now(&self) -> Time {
        self.status.generated_at
    }

    /// The tokens that are named; a problem of the system names none.
    fn concerned(&self, notification: &Notification) -> Vec<&TokenReport> {
        let labels: HashSet<&Label> = notification.reason.labels.iter().collect();
        let named =
            |token: &&TokenReport| token.label.as_ref().is_some_and(|label| labels.contains(label));
        self.status.tokens.iter().filter(named).collect()
    }

    fn text(
        &self,
        notification: &Notification,
        subject: &str,
        concerned: &[&TokenReport],
        act_by: Option<&ActBy>,
        owners: &BTreeSet<&str>,
    ) -> String {
        let (reason, now) = (&notification.reason, self.status.generated_at);
        let mut text = format!("{}: {subject}\n", heading(notification.event));
        let mut line = |name: &str, value: &str| {
            if !value.is_empty() {
                let _ = writeln!(text, "{name}: {value}");
            }
        };
        if reason.labels.len() > 1 {
            line("tokens", &humanize::list(&reason.labels));
        }
        if notification.event == NotificationEvent::Recovered {
            if let [token] = concerned {
                line(
                    "now",
                    &format!(
                        "{}, expires {}",
                        token.judgement.health,
                        humanize::expiry(token.expiry, now)
                    ),
                );
            }
        } else {
            // The one line may have no room for it; what stands in parentheses is not missed.
            let cause = reason.message.replace('`', "");
            if !subject.contains(cause.split(" (").next().unwrap_or_default()) {
                line("cause", &reason.message);
            }
            line("deadline", &act_by.map(|it| it.words(now)).unwrap_or_default());
            line("owner", &owners.iter().copied().collect::<Vec<_>>().join(", "));
            line("what to do", &reason.remedy.to_string());
            line("proof", &reason.proof().unwrap_or_default());
            line("Meta", &reason.meta);
        }
        line("from", &format!("metatoken on {}, {}", self.host, humanize::instant(now)));
        text
    }

    fn json(
        &self,
        id: &str,
        notification: &Notification,
        concerned: &[&TokenReport],
        act_by: Option<&ActBy>,
        owners: &BTreeSet<&str>,
    ) -> String {
        let reason = &notification.reason;
        let of_it = StatusReport {
            tokens: concerned.iter().copied().cloned().collect(),
            system: if reason.labels.is_empty() { self.status.system.clone() } else { Vec::new() },
            generated_at: self.status.generated_at,
            dates: self.status.dates,
            unheard_apps: self.status.unheard_apps.clone(),
            unlisted: self.status.unlisted.clone(),
            runs: self.status.runs,
        };
        let check = CheckReport::new(of_it, CheckScope::All);
        document(&json!({
            "version": VERSION,
            "id": id,
            "event": notification.event.as_str(),
            "at": time_json(Some(self.status.generated_at)),
            "host": self.host,
            "summary": subject(notification),
            "deadline": time_json(act_by.and_then(ActBy::at)),
            "owners": owners,
            "reason": reasons_json(std::slice::from_ref(reason))[0],
            "check": check.document(),
        }))
    }

    fn variables(
        &self,
        id: &str,
        notification: &Notification,
        act_by: Option<&ActBy>,
        owners: &BTreeSet<&str>,
    ) -> BTreeMap<String, String> {
        let reason = &notification.reason;
        let labels: Vec<&str> = reason.labels.iter().map(Label::as_str).collect();
        let owners: Vec<&str> = owners.iter().copied().collect();
        let ends = act_by.and_then(ActBy::at);
        [
            ("ID", id.to_owned()),
            ("EVENT", notification.event.to_string()),
            ("CODE", reason.code.to_owned()),
            ("LABELS", labels.join(" ")),
            ("MESSAGE", reason.message.clone()),
            ("REMEDY", reason.remedy.to_string()),
            ("OWNER", owners.join(" ")),
            (
                "DEADLINE",
                ends.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default(),
            ),
            ("HOST", self.host.to_owned()),
        ]
        .map(|(name, value)| (format!("METATOKEN_{name}"), value))
        .into()
    }
}

/// The part of the status that a reader may know who is notified of these tokens only.
fn visible(status: &StatusReport, labels: &[Pattern]) -> StatusReport {
    let mut known = status.clone();
    if !labels.is_empty() {
        let covered = |label: &Label| labels.iter().any(|pattern| pattern.matches(label));
        known.tokens.retain(|token| token.label.as_ref().is_some_and(covered));
        known.system.clear();
        known.unlisted.clear();
    }
    known
}

const fn heading(event: NotificationEvent) -> &'static str {
    match event {
        NotificationEvent::Warning => "WARNING",
        NotificationEvent::Critical => "CRITICAL",
        NotificationEvent::Unknown => "UNKNOWN",
        NotificationEvent::Recovered => "RECOVERED",
        NotificationEvent::Reminder => "REMINDER",
    }
}

/// Which tokens it is about, what happened, and what to do.
fn subject(notification: &Notification) -> String {
    let reason = &notification.reason;
    if notification.event != NotificationEvent::Recovered {
        return headline(reason);
    }
    let message = match reason.code {
        // It is said of one incident, whose token may be down.
        CLOSED => {
            format!("closed: now part of another alarm, or not kept; was: {}", reason.message)
        }
        _ => format!("recovered, was: {}", reason.message),
    };
    headline(&Reason { message, condition: None, ..reason.clone() })
}

fn act_by(notification: &Notification, concerned: &[&TokenReport], now: Time) -> Option<ActBy> {
    let severity = match notification.event {
        NotificationEvent::Critical => Health::Critical,
        _ => Health::Warning,
    };
    ActBy::of(notification.reason.code, severity, concerned, now)
}

fn owners<'a>(concerned: &[&'a TokenReport]) -> BTreeSet<&'a str> {
    concerned.iter().filter_map(|token| token.owner.as_deref()).collect()
}

/// The id of a message: the same if it is sent again because a kill came before it was stored that
/// it was sent, and never that of another.
fn id(channel: &ChannelRecord, notification: &Notification) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    let reason = &notification.reason;
    (notification.event, reason.code, &reason.about, &reason.labels).hash(&mut hasher);
    format!("{}-{}-{:08x}", channel.uid, channel.sent, hasher.finish() & 0xffff_ffff)
}
