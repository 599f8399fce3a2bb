//! Reports everything that is known of one token, on a page.

use std::fmt::Write as _;

use super::history::HistoryEntry;
use super::text::{TextStyle, Times};
use super::token_report::{ProbeReport, TokenReport};
use crate::policy::humanize;
use crate::token::{DataAccess, Delivery, Expiry, Generation, Label, Time};

/// What a page has beside the verdict: what only the store knows.
#[derive(Debug, Clone, Default)]
pub struct TokenBackground {
    /// The Pages that are taken from it.
    pub pages: PageCounts,
    /// What the token is worth that is kept in reserve for it.
    pub backup: Option<BackupStanding>,
    /// The generations that are still kept, without the current one, the newest first.
    pub earlier: Vec<Generation>,
    /// Where a rotation stands, of which an old access token is left.
    pub rotation: Option<String>,
    /// The last events, the newest last.
    pub events: Vec<HistoryEntry>,
}

/// What a backup is worth, by Graph's last word and its date.
#[derive(Debug, Clone)]
pub struct BackupStanding {
    pub label: Label,
    /// Whether it works; nothing where there is no access token, or no answer about it.
    pub works: Option<bool>,
    /// Whose it is, by Meta's id.
    pub user_id: Option<String>,
}

/// How many Pages a token has.
#[derive(Debug, Clone, Default)]
pub struct PageCounts {
    pub total: usize,
    /// Those with a label of their own; the others are called after their parent.
    pub declared: Vec<Label>,
    /// How many of them work, by Graph's last word and their dates.
    pub valid: usize,
}

/// The page about a token: a line a fact, and the last events. What is wrong with it is said by the
/// causes below.
pub fn token_page(
    token: &TokenReport,
    background: &TokenBackground,
    style: TextStyle,
    now: Time,
) -> String {
    let mut text = style.wrapped(&format!("{}\n\n", heading(token)), 2);
    for (name, value) in facts(token, background, style, now) {
        text.push_str(&style.named(&format!("  {name:FACT$}"), &value));
    }
    if !background.events.is_empty() {
        text.push('\n');
    }
    for event in &background.events {
        text.push_str(&style.wrapped(&format!("  {}\n", event.line(style, now)), 2));
    }
    text
}

/// The room for the name of a fact.
const FACT: usize = 14;

/// `brand: user token of Anna Berg (77), app main (1001)`.
fn heading(token: &TokenReport) -> String {
    let inspection = token.inspection.as_ref();
    let identity = inspection.map(|inspection| inspection.identity.clone()).unwrap_or_default();
    let label = token.label.as_ref().map_or("the given access token", Label::as_str);
    let mut text = format!("{label}: {} token", token.type_name());
    let of = match (&identity.page_id, &identity.user_id) {
        (Some(page), _) => named(token.name.as_deref(), page),
        (None, Some(user)) => named(token.name.as_deref(), user),
        (None, None) => token.name.clone().unwrap_or_default(),
    };
    if !of.is_empty() {
        let _ = write!(text, " of {of}");
    }
    if let Some(app) = &token.app {
        let app = identity.app_id.map_or_else(|| app.clone(), |id| format!("{app} ({id})"));
        let _ = write!(text, ", app {app}");
    }
    text
}

/// A name beside its id.
fn named(name: Option<&str>, id: &str) -> String {
    name.map_or_else(|| id.to_owned(), |name| format!("{name} ({id})"))
}

/// What is known of it, each fact with its name.
pub fn facts(
    token: &TokenReport,
    background: &TokenBackground,
    style: TextStyle,
    now: Time,
) -> Vec<(&'static str, String)> {
    let inspection = token.inspection.as_ref();
    let identity = inspection.map(|inspection| &inspection.identity);
    let at = |time: Time| moment(time, style, now);
    let of_a_page = identity.is_some_and(|identity| identity.page_id.is_some());
    let facts = [
        ("state", Some(state(token))),
        ("checked", token.verified_at.map(at)),
        ("expires", token.generation.map(|_| expiry(token.expiry, style, now))),
        ("data access", inspection.and_then(|it| data_access(it.data_access, style, now))),
        ("next", Some(next(token))),
        ("renewed", token.refresh.last_refreshed_at.map(at)),
        ("issued", inspection.and_then(|it| it.issued_at).map(at)),
        ("generation", generation(token)),
        ("rotation", background.rotation.clone()),
        ("owner", token.owner.clone()),
        ("person", identity.filter(|_| of_a_page).and_then(|it| it.user_id.clone())),
        ("parent", token.parent.as_ref().map(ToString::to_string)),
        ("application", inspection.and_then(|it| it.application.clone())),
        (
            "permissions",
            inspection.map(|it| it.known_scopes().join(", ")).filter(|it| !it.is_empty()),
        ),
        ("pages", pages(token, &background.pages)),
        ("probe", token.probe.as_ref().map(|it| probe(it, style, now))),
        ("backup", background.backup.as_ref().map(backup)),
    ];
    let known = facts.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let targets = token.deliveries.iter().map(|it| ("delivered to", standing(it, style, now)));
    let earlier = background.earlier.iter().map(|it| ("earlier", earlier(it, style, now)));
    known.chain(targets).chain(earlier).collect()
}

/// What is done next: by a person, or by a run. Nothing is done with one that was only inspected.
fn next(token: &TokenReport) -> String {
    let persons = token.label.as_ref().and_then(|_| token.persons_step());
    persons.unwrap_or(&token.refresh.reason).to_owned()
}

/// An instant on a page: how far off first where a person reads it now.
fn moment(time: Time, style: TextStyle, now: Time) -> String {
    match style.times {
        Times::Relative => {
            format!("{} ({})", humanize::relative(time, now), humanize::instant(time))
        }
        Times::Absolute => humanize::instant(time),
    }
}

fn expiry(expiry: Expiry, style: TextStyle, now: Time) -> String {
    match expiry {
        Expiry::At(time) => moment(time, style, now),
        Expiry::Never => "never".to_owned(),
        Expiry::Unknown => "unknown".to_owned(),
    }
}

fn state(token: &TokenReport) -> String {
    let words = token.state_in_words();
    match token.judgement.health {
        crate::policy::Health::Ok => words,
        health if words.contains(health.as_str()) => words,
        health => format!("{words} ({health})"),
    }
}

fn data_access(access: DataAccess, style: TextStyle, now: Time) -> Option<String> {
    match access {
        DataAccess::Until(until) => Some(moment(until, style, now)),
        DataAccess::NotApplicable => Some("never expires".to_owned()),
        DataAccess::Unknown => None,
    }
}

fn generation(token: &TokenReport) -> Option<String> {
    let number = token.generation?;
    let fingerprint = token.fingerprint.map(|it| format!(", fingerprint {it}"));
    Some(format!("{number}{}", fingerprint.unwrap_or_default()))
}

fn pages(token: &TokenReport, pages: &PageCounts) -> Option<String> {
    let label = token.label.as_ref().filter(|_| pages.total > 0)?;
    let valid = if pages.valid == pages.total {
        "all work".to_owned()
    } else {
        format!("{} work", pages.valid)
    };
    let found = (pages.total > pages.declared.len()).then(|| format!(" '{label}/*'"));
    let which = match pages.declared.len() {
        0..=3 => {
            let declared = pages.declared.iter().map(|label| format!(" {label}"));
            found.into_iter().chain(declared).collect()
        }
        _ => " --all".to_owned(),
    };
    Some(format!("{}, {valid} (`metatoken status{which}`)", pages.total))
}

/// The question that shows whether it does what it is for, and when it was answered how.
fn probe(probe: &ProbeReport, style: TextStyle, now: Time) -> String {
    format!("{}: {}", probe.question, probe.in_labels(style, now))
}

impl ProbeReport {
    /// How the question was answered, and when, without the question.
    pub fn in_labels(&self, style: TextStyle, now: Time) -> String {
        self.answer.as_ref().map_or_else(
            || "not asked yet".to_owned(),
            |answer| format!("{}, {}", answer.grade, moment(answer.at, style, now)),
        )
    }
}

impl BackupStanding {
    /// Its label, and whether it works.
    pub fn in_labels(&self) -> String {
        let works = match self.works {
            Some(true) => "works",
            Some(false) => "down",
            None => "not known to work",
        };
        format!("{}, {works}", self.label)
    }
}

/// `whatsapp-backup, works, of user 3000000000000010 (`metatoken status whatsapp-backup`)`.
fn backup(backup: &BackupStanding) -> String {
    let whose = backup.user_id.as_ref().map(|id| format!(", of user {id}")).unwrap_or_default();
    format!("{}{whose} (`metatoken status {}`)", backup.in_labels(), backup.label)
}

/// A target and its state.
fn standing(delivery: &Delivery, style: TextStyle, now: Time) -> String {
    let since = delivery.at().map_or_else(String::new, |at| match style.times {
        Times::Relative => format!(", {}", humanize::ago(at, now)),
        Times::Absolute => format!(" since {}", humanize::instant(at)),
    });
    let state = delivery.state().as_str().replace('_', " ");
    format!("{}: {state}{since}", delivery.target)
}

/// An earlier generation that is still kept.
fn earlier(generation: &Generation, style: TextStyle, now: Time) -> String {
    let revoked = generation.revoked_at.map_or_else(String::new, |at| {
        let dead = if generation.verdict() == Some(false) { ", dead" } else { "" };
        format!(", revoked {}{dead}", humanize::instant(at))
    });
    format!(
        "generation {}, {}, from {}, expires {}{revoked}",
        generation.number,
        generation.state,
        humanize::instant(generation.obtained_at),
        expiry(generation.expiry, style, now),
    )
}
