//! What a person reads who was woken by it: what is wrong, until when, whose it is, what to type.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;

use serde_json::json;

use super::check::{CheckReport, Scope};
use super::json::{VERSION, document, reasons, time};
use super::{StatusReport, TokenReport};
use crate::policy::{Announcement, State, words};
use crate::token::{Label, NoticeEvent, Pattern, Time};

/// One announcement in the words of every way to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its one line.
    pub subject: String,
    /// The whole, for people.
    pub text: String,
    /// The whole, for programs.
    pub json: String,
    /// The whole, as variables of a program.
    pub variables: BTreeMap<String, String>,
}

/// What a letter draws on.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// Everything as it stands, as far as the reader may know of it.
    pub status: &'a StatusReport,
    /// The name of this machine.
    pub host: &'a str,
}

impl Sender<'_> {
    /// Words what is to be announced, under its number.
    pub fn letter(&self, id: &str, announcement: &Announcement) -> Letter {
        let concerned = self.concerned(announcement);
        let deadline = deadline(announcement, &concerned, self.status.generated_at);
        let owners = owners(&concerned);
        let subject = subject(announcement);
        Letter {
            text: self.text(announcement, &subject, &concerned, deadline.as_ref(), &owners),
            json: self.json(id, announcement, &concerned, deadline.as_ref(), &owners),
            variables: self.variables(id, announcement, deadline.as_ref(), &owners),
            subject,
        }
    }

    /// The tokens that are named; a fault of the machinery alone names none.
    fn concerned(&self, announcement: &Announcement) -> Vec<&TokenReport> {
        let labels: HashSet<&Label> = announcement.reason.labels.iter().collect();
        let named =
            |token: &&TokenReport| token.label.as_ref().is_some_and(|label| labels.contains(label));
        self.status.tokens.iter().filter(named).collect()
    }

    fn text(
        &self,
        announcement: &Announcement,
        subject: &str,
        concerned: &[&TokenReport],
        deadline: Option<&Deadline>,
        owners: &BTreeSet<&str>,
    ) -> String {
        let (reason, now) = (&announcement.reason, self.status.generated_at);
        let mut text = format!("{}: {subject}\n", heading(announcement.event));
        let mut line = |name: &str, value: &str| {
            if !value.is_empty() {
                let _ = writeln!(text, "{name}: {value}");
            }
        };
        if reason.labels.len() > 1 {
            line("tokens", &words::list(&reason.labels));
        }
        if announcement.event == NoticeEvent::Recovered {
            if let [token] = concerned {
                line(
                    "now",
                    &format!(
                        "{}, ends {}",
                        token.judgement.health,
                        words::expiry(token.expiry, now)
                    ),
                );
            }
        } else {
            line("deadline", &deadline.map(|it| it.words(now)).unwrap_or_default());
            line("owner", &owners.iter().copied().collect::<Vec<_>>().join(", "));
            line("what to do", &reason.remedy);
        }
        line("from", &format!("metatoken on {}, {}", self.host, words::instant(now)));
        text
    }

    fn json(
        &self,
        id: &str,
        announcement: &Announcement,
        concerned: &[&TokenReport],
        deadline: Option<&Deadline>,
        owners: &BTreeSet<&str>,
    ) -> String {
        let reason = &announcement.reason;
        let of_it = StatusReport {
            tokens: concerned.iter().copied().cloned().collect(),
            system: if reason.labels.is_empty() { self.status.system.clone() } else { Vec::new() },
            generated_at: self.status.generated_at,
            dates: self.status.dates,
            unlisted: self.status.unlisted.clone(),
            runs: self.status.runs,
        };
        let check = CheckReport::new(of_it, Scope::All);
        document(&json!({
            "version": VERSION,
            "id": id,
            "event": announcement.event.as_str(),
            "at": time(Some(self.status.generated_at)),
            "host": self.host,
            "summary": subject(announcement),
            "deadline": time(deadline.and_then(Deadline::at)),
            "owners": owners,
            "reason": reasons(std::slice::from_ref(reason))[0],
            "check": check.document(),
        }))
    }

    fn variables(
        &self,
        id: &str,
        announcement: &Announcement,
        deadline: Option<&Deadline>,
        owners: &BTreeSet<&str>,
    ) -> BTreeMap<String, String> {
        let reason = &announcement.reason;
        let labels: Vec<&str> = reason.labels.iter().map(Label::as_str).collect();
        let owners: Vec<&str> = owners.iter().copied().collect();
        let ends = deadline.and_then(Deadline::at);
        [
            ("ID", id.to_owned()),
            ("EVENT", announcement.event.to_string()),
            ("CODE", reason.code.to_owned()),
            ("LABELS", labels.join(" ")),
            ("MESSAGE", reason.message.clone()),
            ("REMEDY", reason.remedy.clone()),
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

/// As much of everything as somebody may know who is told of these tokens only.
pub fn select(status: &StatusReport, labels: &[Pattern]) -> StatusReport {
    let mut known = status.clone();
    if !labels.is_empty() {
        let covered = |label: &Label| labels.iter().any(|pattern| pattern.matches(label));
        known.tokens.retain(|token| token.label.as_ref().is_some_and(covered));
        known.system.clear();
        known.unlisted.clear();
    }
    known
}

const fn heading(event: NoticeEvent) -> &'static str {
    match event {
        NoticeEvent::Warning => "WARNING",
        NoticeEvent::Critical => "CRITICAL",
        NoticeEvent::Unknown => "UNKNOWN",
        NoticeEvent::Recovered => "RECOVERED",
        NoticeEvent::Reminder => "REMINDER",
    }
}

/// Whom it is about, and what happened.
fn subject(announcement: &Announcement) -> String {
    let reason = &announcement.reason;
    let over = match announcement.event {
        NoticeEvent::Recovered => "no longer so: ",
        _ => "",
    };
    match reason.labels.as_slice() {
        [] => format!("{over}{}", reason.message),
        [one] => format!("{one}: {over}{}", reason.message),
        [first, others @ ..] => {
            format!("{first} and {} more: {over}{}", others.len(), reason.message)
        }
    }
}

/// Until when something can be done.
enum Deadline {
    /// The token, or the first of them, ends then.
    Ends(Time),
    /// Access to data ends then.
    DataAccess(Time),
    /// It is too late.
    Past,
}

impl Deadline {
    const fn at(&self) -> Option<Time> {
        match self {
            Self::Ends(at) | Self::DataAccess(at) => Some(*at),
            Self::Past => None,
        }
    }

    fn words(&self, now: Time) -> String {
        match self {
            Self::Ends(at) => format!("{}, when the token ends", words::when(*at, now)),
            Self::DataAccess(at) => format!("{}, when data access ends", words::when(*at, now)),
            Self::Past => "none, what uses the token fails already".to_owned(),
        }
    }
}

fn deadline(
    announcement: &Announcement,
    concerned: &[&TokenReport],
    now: Time,
) -> Option<Deadline> {
    let reason = &announcement.reason;
    if reason.code.starts_with("data_access") {
        let ends = concerned.iter().filter_map(|it| it.inspection.as_ref()?.data_access.until());
        let soonest = ends.min()?;
        return Some(if soonest > now { Deadline::DataAccess(soonest) } else { Deadline::Past });
    }
    let dead = |token: &&TokenReport| match token.judgement.state {
        State::Expired | State::Invalid => true,
        // A string that is awaited may yet come by itself.
        State::Missing => announcement.event == NoticeEvent::Critical,
        State::Unverified | State::Expiring | State::Valid => false,
    };
    if concerned.iter().any(dead) {
        return Some(Deadline::Past);
    }
    concerned
        .iter()
        .filter_map(|it| it.expiry.at())
        .filter(|at| *at > now)
        .min()
        .map(Deadline::Ends)
}

fn owners<'a>(concerned: &[&'a TokenReport]) -> BTreeSet<&'a str> {
    concerned.iter().filter_map(|token| token.owner.as_deref()).collect()
}
