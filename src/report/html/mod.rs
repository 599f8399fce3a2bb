//! Draws the page to look at: what is wrong first and what to type, then the time of each token, then
//! the last month.
//!
//! It is one file that needs nothing else and reaches nothing else: style and script stand in it, and a
//! content security policy names both by their hashes. Whatever others choose, names of Pages and words of
//! Meta's, is text: the template escapes it, and none of it is put into an attribute. What it looks like is
//! `templates/page.html`, `.css` and `.js`.

mod month;
mod parts;
mod rows;
mod timeline;

use std::cmp::Reverse;
use std::collections::HashMap;

use askama::Template as _;
use chrono::TimeDelta;
use data_encoding::BASE64;

pub use self::month::{PastMonth, PastRun};
use self::parts::{FactLine, Piece, pieces, sign};
use self::rows::{PageSource, TokenGroup, TokenNames, groups};
pub use self::rows::{TokenPast, worth_opening};
use self::timeline::TimeAxis;
use super::act_by::ActBy;
use super::status::StatusReport;
use super::token_report::TokenReport;
use crate::crypto;
use crate::policy::{Health, PageDetail, Reason, humanize};
use crate::token::{Action, DeliveryState, Label, Time};

const STYLE: &str = include_str!("../../../templates/page.css");
const SCRIPT: &str = include_str!("../../../templates/page.js");

/// How every page begins.
pub const PAGE_BEGINS: &str = "<!doctype html>\n<!-- metatoken report -->\n";

/// More causes than this are left to the table.
const MOST_CARDS: usize = 60;

/// Without `run_every` a page is old after this, as runs are.
const USUAL_AGE: TimeDelta = TimeDelta::hours(26);

/// What a page is made with, beside what it shows.
#[derive(Debug, Clone, Copy)]
pub struct PageSettings<'a> {
    /// How much it tells.
    pub detail: PageDetail,
    /// The machine's name.
    pub machine: &'a str,
    /// How often runs are meant to happen.
    pub run_every: Option<TimeDelta>,
}

/// A cause, with what to do.
#[derive(Debug)]
struct CauseCard {
    health: Health,
    sign: char,
    /// The tokens that it is about.
    subject: Option<String>,
    what: String,
    /// Until when a person can do something; empty where that is not known.
    until: String,
    who: String,
    command: String,
    step: Vec<Piece>,
    meta: String,
}

#[derive(askama::Template)]
#[template(path = "page.html")]
struct PageTemplate<'a> {
    policy: String,
    title: String,
    style: &'a str,
    script: &'a str,
    health: Health,
    sign: char,
    headline: String,
    counts: String,
    machine: Option<&'a str>,
    stamp: String,
    at: String,
    seconds: i64,
    old_after: i64,
    cards: Vec<CauseCard>,
    more_cards: usize,
    waiting: Vec<CauseCard>,
    more_waiting: usize,
    axis: TimeAxis,
    groups: Vec<TokenGroup>,
    month: Vec<FactLine>,
    targets: Vec<FactLine>,
    runs: Vec<FactLine>,
    version: &'a str,
}

/// The page of what is judged, and of what was before it.
pub fn html_page(
    status: &StatusReport,
    month: &PastMonth,
    past: &TokenPast,
    settings: &PageSettings<'_>,
) -> String {
    let now = status.generated_at;
    let health = status.health();
    let names = TokenNames::new(&status.tokens, settings.detail);
    let (mut cards, waiting): (Vec<Reason>, Vec<Reason>) =
        status.reasons().into_iter().partition(needs_a_person);
    let persons = cards.len();
    let counts = status.counts();
    let deadlines = Deadlines::of(status);
    // What is due first comes first.
    cards.sort_by_cached_key(|it| (Reverse(it.severity.rank()), deadlines.place(it)));
    cards.truncate(MOST_CARDS);
    let card = |reason: &Reason| CauseCard {
        until: deadlines.of_cause(reason),
        ..cause_card(reason, &names, settings.detail)
    };
    let axis = TimeAxis::around(now);
    let age = settings.run_every.map_or(USUAL_AGE, |every| every * 3);
    let page = PageTemplate {
        policy: policy(),
        title: format!("{counts} - metatoken"),
        style: STYLE,
        script: SCRIPT,
        health,
        sign: sign(health),
        headline: headline(health, persons, waiting.len()),
        counts,
        machine: Some(settings.machine).filter(|_| settings.detail == PageDetail::Full),
        stamp: now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        at: humanize::instant(now),
        seconds: now.timestamp(),
        old_after: age.num_seconds(),
        more_cards: persons - cards.len(),
        cards: cards.iter().map(card).collect(),
        more_waiting: waiting.len().saturating_sub(MOST_CARDS),
        waiting: waiting.iter().take(MOST_CARDS).map(card).collect(),
        axis,
        groups: groups(&PageSource { status, month, past }, &names, settings.detail, &axis),
        month: month.facts(now),
        targets: targets(status, settings.detail),
        runs: month.runs_facts(settings.run_every, now),
        version: env!("CARGO_PKG_VERSION"),
    };
    let mut text = page.render().expect("writing into memory does not fail");
    text.push('\n');
    text
}

/// Nothing but the style and the script that stand in the page.
fn policy() -> String {
    let hash = |text: &str| BASE64.encode(&crypto::hash(text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

/// Whether a person has to do something now: what is tried again by itself waits until it is critical.
fn needs_a_person(reason: &Reason) -> bool {
    let retried = matches!(reason.action, Action::Retry | Action::SlowDown | Action::Wait);
    let is_left_alone = reason.remedy.is_empty() || (retried && !reason.labels.is_empty());
    reason.severity == Health::Critical || !is_left_alone
}

fn headline(health: Health, persons: usize, waiting: usize) -> String {
    match (health, persons, waiting) {
        (_, 1, _) => "1 thing needs a person".to_owned(),
        (_, persons, _) if persons > 1 => format!("{persons} things need a person"),
        (Health::Ok, _, _) => "All is well".to_owned(),
        _ => "Needs no one yet".to_owned(),
    }
}

fn cause_card(reason: &Reason, names: &TokenNames<'_>, detail: PageDetail) -> CauseCard {
    let subject = subject(&reason.labels, names);
    let (health, sign) = (reason.severity, sign(reason.severity));
    // The reason of a channel may name its address.
    if detail == PageDetail::Labels || reason.is_about_a_channel() {
        let step = match detail {
            PageDetail::Labels => reason.who_in_labels(),
            PageDetail::Full => "run `metatoken check --system` to see which and why",
        };
        return CauseCard {
            health,
            sign,
            subject,
            what: reason.what_in_labels(),
            until: String::new(),
            who: String::new(),
            command: String::new(),
            step: pieces(step),
            meta: String::new(),
        };
    }
    CauseCard {
        health,
        sign,
        subject,
        what: in_brief(reason),
        until: String::new(),
        who: reason.remedy.brief.replace('`', ""),
        command: reason.remedy.command.clone(),
        step: pieces(&reason.remedy.to_string()),
        meta: reason.meta.clone(),
    }
}

/// The state and the cause, without the date that stands beside them.
fn in_brief(reason: &Reason) -> String {
    let state = reason.condition.map(|condition| format!("{condition}, ")).unwrap_or_default();
    format!("{state}{}", reason.message.replace('`', ""))
}

/// The tokens by their labels, for what is said of the deadline of a cause.
struct Deadlines<'a> {
    tokens: HashMap<&'a Label, &'a TokenReport>,
    now: Time,
}

impl<'a> Deadlines<'a> {
    fn of(status: &'a StatusReport) -> Self {
        let labelled = status.tokens.iter().filter_map(|it| Some((it.label.as_ref()?, it)));
        Self { tokens: labelled.collect(), now: status.generated_at }
    }

    fn act_by(&self, reason: &Reason) -> Option<ActBy> {
        let tokens = reason.labels.iter().filter_map(|label| self.tokens.get(label).copied());
        ActBy::of(reason.code, reason.severity, &tokens.collect::<Vec<_>>(), self.now)
    }

    fn of_cause(&self, reason: &Reason) -> String {
        self.act_by(reason).map(|it| it.brief(self.now)).unwrap_or_default()
    }

    /// The place of a cause among others: those without a date come last.
    fn place(&self, reason: &Reason) -> (bool, Option<Time>) {
        let act_by = self.act_by(reason);
        (act_by.is_none(), act_by.and_then(|it| it.at()))
    }
}

/// The tokens of a cause: the first three by name.
fn subject(labels: &[Label], names: &TokenNames<'_>) -> Option<String> {
    const NAMED: usize = 3;
    let first: Vec<String> = labels.iter().take(NAMED).map(|label| names.of(label)).collect();
    match (first.is_empty(), labels.len() - first.len()) {
        (true, _) => None,
        (false, 0) => Some(first.join(", ")),
        (false, more) => Some(format!("{} and {more} more", first.join(", "))),
    }
}

/// How the targets stand, and in full which ones do not have what they should.
fn targets(status: &StatusReport, detail: PageDetail) -> Vec<FactLine> {
    let all = || status.tokens.iter().flat_map(|it| it.deliveries.iter().map(move |one| (it, one)));
    let total = all().count();
    let in_sync = all().filter(|(_, it)| it.state() == DeliveryState::InSync).count();
    let mut facts = vec![FactLine::new("in sync", format!("{in_sync} of {total}"))];
    for state in DeliveryState::ALL.iter().filter(|it| **it != DeliveryState::InSync) {
        let count = all().filter(|(_, it)| it.state() == *state).count();
        if count > 0 {
            facts.push(FactLine::new(&state.as_str().replace('_', " "), count));
        }
    }
    if detail == PageDetail::Full {
        let behind = all().filter(|(_, it)| {
            !matches!(it.state(), DeliveryState::InSync | DeliveryState::Unknown)
        });
        facts.extend(behind.take(MOST_CARDS).map(|(token, it)| {
            let label = token.label.as_ref().map_or("", Label::as_str);
            let why = it.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
            let state = it.state().as_str().replace('_', " ");
            FactLine::new(&format!("{label}, {}", it.target), format!("{state}{why}"))
        }));
    }
    facts
}
