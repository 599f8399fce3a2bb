//! Lays out the tokens of the page: by app and owner, Pages under their parents, the worst first.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::month::PastMonth;
use super::parts::{FactLine, Piece, pieces, sign};
use super::timeline::{TimeAxis, TimeLine};
use crate::policy::{Health, PageDetail, humanize};
use crate::report::ProbeReport;
use crate::report::history::HistoryEntry;
use crate::report::status::{StatusReport, WORTH_FOLDING};
use crate::report::text::{TextColor, TextStyle, Times};
use crate::report::token_page::{TokenBackground, facts};
use crate::report::token_report::{NextEvent, TokenReport};
use crate::token::{Expiry, Label, Time};

/// Of more tokens only the worst can be opened: the file stays small.
const MOST_OPENED: usize = 200;

/// What a page that tells labels alone says of a token that is opened.
const FACTS_IN_LABELS: [&str; 6] =
    ["state", "checked", "expires", "data access", "renewed", "issued"];

/// What only the store knows of the tokens that can be opened, without their events.
pub type TokenPast = HashMap<Label, TokenBackground>;

/// What the rows are made of.
pub struct PageSource<'a> {
    pub status: &'a StatusReport,
    pub month: &'a PastMonth,
    pub past: &'a TokenPast,
}

/// How the facts of a token are worded here.
const STYLE: TextStyle = TextStyle { width: None, color: TextColor::None, times: Times::Relative };

/// How many events are told of a token that is opened.
const LAST_EVENTS: usize = 6;

/// What each token is called on this page.
pub struct TokenNames<'a> {
    detail: PageDetail,
    pages: HashMap<&'a Label, &'a str>,
}

impl<'a> TokenNames<'a> {
    /// The names of these tokens.
    pub fn new(tokens: &'a [TokenReport], detail: PageDetail) -> Self {
        let named = |token: &'a TokenReport| Some((token.label.as_ref()?, token.name.as_deref()?));
        Self { detail, pages: tokens.iter().filter_map(named).collect() }
    }

    /// The label, and the name of its Page; a Page that was found, whose label is an id, by its name alone.
    pub fn of(&self, label: &Label) -> String {
        let name = self.pages.get(label).copied();
        match (label.as_discovered(), name) {
            (Some(_), Some(name)) => name.to_owned(),
            (Some((parent, _)), None) if self.detail == PageDetail::Labels => {
                format!("a Page of {parent}")
            }
            (None, Some(name)) => format!("{label} ({name})"),
            (_, None) => label.to_string(),
        }
    }
}

/// The tokens of one app, those of one owner together.
pub struct TokenGroup {
    pub title: String,
    pub rows: Vec<TokenRow>,
}

/// A token, or the healthy Pages of one.
pub struct TokenRow {
    /// Health, and whether it stands under another.
    pub class: String,
    pub sign: char,
    pub name: String,
    pub state: String,
    pub line: TimeLine,
    pub deadline: String,
    pub owner: String,
    /// What is shown when it is opened.
    pub facts: Vec<FactLine>,
    /// What to do, cause by cause.
    pub steps: Vec<Vec<Piece>>,
    /// The Pages that it stands for, or its last events.
    pub items: Vec<String>,
}

impl TokenRow {
    /// Whether it can be opened.
    pub fn has_more(&self) -> bool {
        !(self.facts.is_empty() && self.steps.is_empty() && self.items.is_empty())
    }
}

/// Everything that a row is made of.
struct Rows<'a> {
    status: &'a StatusReport,
    past: &'a TokenPast,
    names: &'a TokenNames<'a>,
    detail: PageDetail,
    axis: &'a TimeAxis,
    events: HashMap<&'a Label, Vec<&'a HistoryEntry>>,
    /// Those that can be opened.
    opened: HashSet<&'a Label>,
}

/// A token with the Pages that are taken from it.
struct Family<'a> {
    head: &'a TokenReport,
    pages: Vec<&'a TokenReport>,
}

impl Family<'_> {
    /// How bad the worst of them is, for sorting.
    fn badness(&self) -> u8 {
        let members = std::iter::once(self.head).chain(self.pages.iter().copied());
        members.map(|it| it.judgement.health.rank()).max().unwrap_or(0)
    }
}

/// All tokens by groups, the worst first.
pub fn groups(
    source: &PageSource<'_>,
    names: &TokenNames<'_>,
    detail: PageDetail,
    axis: &TimeAxis,
) -> Vec<TokenGroup> {
    let PageSource { status, month, past } = *source;
    let mut events: HashMap<&Label, Vec<&HistoryEntry>> = HashMap::new();
    for event in &month.events {
        if let Some(label) = &event.label {
            events.entry(label).or_default().push(event);
        }
    }
    let opened = worth_opening(&status.tokens);
    let opened = opened.into_iter().filter_map(|token| token.label.as_ref()).collect();
    let rows = Rows { status, past, names, detail, axis, events, opened };
    let mut by_app: Vec<(String, Vec<Family<'_>>)> = Vec::new();
    for family in families(&status.tokens) {
        let title =
            family.head.app.as_ref().map_or("no app".to_owned(), |app| format!("app {app}"));
        match by_app.iter_mut().find(|(it, _)| *it == title) {
            Some((_, families)) => families.push(family),
            None => by_app.push((title, vec![family])),
        }
    }
    for (_, families) in &mut by_app {
        sort_by_owner(families);
    }
    by_app.sort_by_key(|(_, families)| Reverse(families.first().map_or(0, Family::badness)));
    let group = |(title, families): (String, Vec<Family<'_>>)| TokenGroup {
        title,
        rows: families.iter().flat_map(|family| rows.of_family(family)).collect(),
    };
    by_app.into_iter().map(group).collect()
}

/// What hangs on one person stands together; the person with the worst comes first.
fn sort_by_owner(families: &mut [Family<'_>]) {
    let mut worst: HashMap<Option<&str>, u8> = HashMap::new();
    for family in families.iter() {
        let of_owner = worst.entry(family.head.owner.as_deref()).or_default();
        *of_owner = family.badness().max(*of_owner);
    }
    families.sort_by_key(|family| {
        let owner = family.head.owner.as_deref();
        (Reverse(worst[&owner]), owner.is_none(), owner, Reverse(family.badness()))
    });
}

/// The tokens that can be opened: all while they are few, else the worst.
pub fn worth_opening(tokens: &[TokenReport]) -> Vec<&TokenReport> {
    let mut worst: Vec<&TokenReport> = tokens.iter().collect();
    worst.sort_by_key(|token| Reverse(token.judgement.health.rank()));
    worst.truncate(MOST_OPENED);
    worst
}

/// The tokens in their order, each Page behind its parent.
fn families(tokens: &[TokenReport]) -> Vec<Family<'_>> {
    let labels: HashMap<&Label, usize> = tokens
        .iter()
        .filter(|token| token.parent.is_none())
        .enumerate()
        .filter_map(|(place, token)| Some((token.label.as_ref()?, place)))
        .collect();
    let mut families: Vec<Family<'_>> = tokens
        .iter()
        .filter(|token| token.parent.is_none())
        .map(|head| Family { head, pages: Vec::new() })
        .collect();
    for page in tokens.iter().filter(|token| token.parent.is_some()) {
        match page.parent.as_ref().and_then(|parent| labels.get(parent)) {
            Some(place) => families[*place].pages.push(page),
            // Its parent is not among those that are shown.
            None => families.push(Family { head: page, pages: Vec::new() }),
        }
    }
    families
}

impl Rows<'_> {
    /// The owner, where no address may be told only one that has a plain name.
    fn owner(&self, token: &TokenReport) -> String {
        let tells =
            |owner: &&String| self.detail == PageDetail::Full || !owner.contains(['@', '/', ':']);
        token.owner.as_ref().filter(tells).cloned().unwrap_or_default()
    }

    /// The row of a token, then those of its Pages; the healthy ones are one.
    fn of_family(&self, family: &Family<'_>) -> Vec<TokenRow> {
        let is_well = |page: &&TokenReport| page.judgement.health == Health::Ok;
        let (healthy, mut others): (Vec<&TokenReport>, Vec<&TokenReport>) =
            family.pages.iter().copied().partition(is_well);
        let folds = healthy.len() >= WORTH_FOLDING;
        if !folds {
            others.extend(&healthy);
        }
        others.sort_by_key(|page| Reverse(page.judgement.health.rank()));
        let mut rows = vec![self.row(family.head, "")];
        rows.extend(others.into_iter().map(|page| self.row(page, " child")));
        if folds {
            rows.push(self.folded(&healthy));
        }
        rows
    }

    fn row(&self, token: &TokenReport, place: &str) -> TokenRow {
        let health = token.judgement.health;
        let events = self.events_of(token);
        let opens = token.label.as_ref().is_some_and(|label| self.opened.contains(label));
        TokenRow {
            class: format!("{health}{place}"),
            sign: sign(health),
            name: token.label.as_ref().map_or("-".to_owned(), |label| self.names.of(label)),
            state: token.state_in_words(),
            line: TimeLine::of(token, events, self.axis),
            deadline: self.deadline(token),
            owner: self.owner(token),
            facts: if opens { self.facts(token) } else { Vec::new() },
            steps: if opens { self.steps(token) } else { Vec::new() },
            items: if opens { self.last_events(events) } else { Vec::new() },
        }
    }

    fn events_of(&self, token: &TokenReport) -> &[&HistoryEntry] {
        let events = token.label.as_ref().and_then(|label| self.events.get(label));
        events.map(Vec::as_slice).unwrap_or_default()
    }

    /// The healthy Pages of one parent in one row, with the time of the one that has the least.
    fn folded(&self, pages: &[&TokenReport]) -> TokenRow {
        let least = |page: &&&TokenReport| match page.expiry {
            Expiry::At(at) => (0, Some(at)),
            Expiry::Unknown => (1, None),
            Expiry::Never => (2, None),
        };
        let first = pages.iter().min_by_key(least).copied();
        let line = first.map(|page| TimeLine::of(page, self.events_of(page), self.axis));
        let labels = pages.iter().filter_map(|page| page.label.as_ref());
        TokenRow {
            class: "ok child fold".to_owned(),
            sign: sign(Health::Ok),
            name: format!("{} Pages", pages.len()),
            state: "all work".to_owned(),
            line: line.unwrap_or_default(),
            deadline: first.map(|page| self.deadline(page)).unwrap_or_default(),
            owner: first.map(|page| self.owner(page)).unwrap_or_default(),
            facts: Vec::new(),
            steps: Vec::new(),
            items: labels.map(|label| self.names.of(label)).collect(),
        }
    }

    /// The next date on which something happens: by a person if only one can, else by itself.
    fn deadline(&self, token: &TokenReport) -> String {
        let now = self.status.generated_at;
        let Some(next) = token.next_deadline(now) else {
            let never = token.expiry == Expiry::Never && !token.is_lost();
            return if never { "never expires".to_owned() } else { String::new() };
        };
        let what = match next.what {
            NextEvent::DataAccess => "data access until",
            NextEvent::Renewal if next.at <= now => return "due now".to_owned(),
            NextEvent::Renewal => "renews",
            NextEvent::Expiry => "expires",
        };
        let (date, span) = (humanize::dated(next.at, now), humanize::span(next.at - now));
        format!("{what} {date} ({span})")
    }

    fn facts(&self, token: &TokenReport) -> Vec<FactLine> {
        let now = self.status.generated_at;
        let of_it = token.label.as_ref().and_then(|label| self.past.get(label));
        let none = TokenBackground::default();
        let background = of_it.unwrap_or(&none);
        let known = facts(token, background, STYLE, now).into_iter();
        let known = known.map(|(name, value)| FactLine::new(name, value.replace('`', "")));
        if self.detail == PageDetail::Labels {
            let told = known.filter(|it| FACTS_IN_LABELS.contains(&it.name.as_str()));
            return told.chain(in_labels(token, background, now)).collect();
        }
        let label = token.label.as_ref().filter(|it| it.as_discovered().is_some());
        label.map(|label| FactLine::new("label", label)).into_iter().chain(known).collect()
    }

    /// What to do about each cause of its own.
    fn steps(&self, token: &TokenReport) -> Vec<Vec<Piece>> {
        let reasons = token.judgement.reasons.iter();
        let reasons = reasons.filter(|_| self.detail == PageDetail::Full);
        reasons
            .map(|reason| pieces(&reason.remedy.to_string()))
            .filter(|it| !it.is_empty())
            .collect()
    }

    fn last_events(&self, events: &[&HistoryEntry]) -> Vec<String> {
        let tells = self.detail == PageDetail::Full;
        let last = events.iter().rev().filter(|_| tells).take(LAST_EVENTS);
        last.map(|event| event.line(STYLE, self.status.generated_at)).collect()
    }
}

/// What a page that tells labels alone says of the reserve and of the probe: no id and no path.
fn in_labels(token: &TokenReport, background: &TokenBackground, now: Time) -> Vec<FactLine> {
    let answer = |probe: &ProbeReport| probe.in_labels(STYLE, now);
    let probe = token.probe.as_ref().map(|it| FactLine::new("probe", answer(it)));
    let backup = background.backup.as_ref().map(|it| FactLine::new("backup", it.in_labels()));
    probe.into_iter().chain(backup).collect()
}
