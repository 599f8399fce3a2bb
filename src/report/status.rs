//! Reports the state of each token and of the system.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::json::{Each, VERSION, deliveries, document, granular_scopes, problem, reasons, time};
use super::text::{Styled, Table, TextStyle, paragraphs, plain, prefix_remedies, tinted};
use crate::policy::{
    Dates, Deadline, Health, Judgement, Limits, Reason, Remedy, State, humanize, merge,
};
use crate::token::{
    Action, DataAccess, Delivery, Expiry, Fingerprint, Inspection, Label, ProbeAnswer, ProbeGrade,
    Problem, Time, TokenType,
};

named! {
    /// Where a verdict comes from.
    pub enum VerdictSource {
        /// Graph was asked just now.
        Live = "live",
        /// The last good check is younger than `validation_interval`.
        Cache = "cache",
        /// The last check in the store, of any age.
        Store = "store",
    }
}

/// One token, judged.
#[derive(Debug, Clone)]
pub struct TokenReport {
    /// Its label; nothing for an access token that is not of the config.
    pub label: Option<Label>,
    /// Its type by the config.
    pub token_type: Option<TokenType>,
    /// The app's name in the config.
    pub app: Option<String>,
    /// The parent's label.
    pub parent: Option<Label>,
    /// The label of the token that is kept in reserve for it.
    pub backup: Option<Label>,
    pub name: Option<String>,
    /// The person who can log in again.
    pub owner: Option<String>,
    /// State, health and reasons.
    pub judgement: Judgement,
    pub expiry: Expiry,
    /// How long before it expires that is a warning, and critical.
    pub limits: Limits,
    /// The last answer of Graph about it.
    pub inspection: Option<Inspection>,
    /// When that answer was given.
    pub verified_at: Option<Time>,
    /// Where that answer comes from.
    pub source: VerdictSource,
    /// Required scopes that it lacks.
    pub missing_scopes: Vec<String>,
    /// Required targets that it does not reach.
    pub missing_targets: Vec<String>,
    /// What the next `refresh` does with it.
    pub refresh: Refresh,
    /// Its problem, or that of the last call about it.
    pub problem: Option<Problem>,
    pub remedy: Remedy,
    /// The fingerprint of the current access token.
    pub fingerprint: Option<Fingerprint>,
    /// The number of the current generation.
    pub generation: Option<u32>,
    /// The state of its targets.
    pub deliveries: Vec<Delivery>,
    /// The dates that only a person can extend.
    pub deadlines: Vec<Deadline>,
    /// The question that shows whether it does what it is for, and the last answer.
    pub probe: Option<ProbeReport>,
}

/// What shows whether a token does what it is for.
#[derive(Debug, Clone)]
pub struct ProbeReport {
    pub question: String,
    /// The last answer to it, of the current access token.
    pub answer: Option<ProbeAnswer>,
    pub remedy: Remedy,
}

impl ProbeReport {
    fn json(&self) -> Value {
        let answer = self.answer.as_ref();
        json!({
            "question": self.question,
            "ok": answer.map(|answer| answer.grade == ProbeGrade::Ok),
            "at": time(answer.map(|answer| answer.at)),
            "problem": problem(
                answer.and_then(|answer| answer.problem.as_ref()),
                &self.remedy.to_string(),
            ),
        })
    }
}

/// What the next `refresh` does with a token.
#[derive(Debug, Clone, Default)]
pub struct Refresh {
    /// Whether `refresh` renews or derives it.
    pub automatic: bool,
    pub due: bool,
    /// Why it is due, or why not.
    pub reason: String,
    /// When it will be due, where that is known.
    pub due_at: Option<Time>,
    /// When it was last renewed.
    pub last_refreshed_at: Option<Time>,
    /// When that was last tried.
    pub last_attempt_at: Option<Time>,
    /// How often it has failed since.
    pub consecutive_failures: u32,
}

/// All tokens, judged.
#[derive(Debug, Clone)]
pub struct StatusReport {
    pub generated_at: Time,
    /// The tokens, in the config's order.
    pub tokens: Vec<TokenReport>,
    /// What is wrong with the system.
    pub system: Vec<Reason>,
    /// Whether dates were compared with the clock.
    pub dates: Dates,
    /// The apps that Graph has not answered just now in the version that they ask for.
    pub unheard_apps: Vec<String>,
    /// Labels that the store has and the config no longer declares.
    pub unlisted: Vec<Label>,
    /// The last runs.
    pub runs: LastRuns,
}

/// The last runs of `refresh`.
#[derive(Debug, Clone, Copy, Default)]
pub struct LastRuns {
    pub started: Option<Time>,
    /// When the last one that did its work ended.
    pub finished: Option<Time>,
    /// When the last one without a problem ended.
    pub success: Option<Time>,
    /// The exit code of the last one that ended.
    pub exit_code: Option<u8>,
}

/// The contract's JSON of `status`.
#[derive(Serialize)]
struct StatusDocument<'a, T> {
    version: u32,
    generated_at: Value,
    health: &'static str,
    tokens: T,
    system: Value,
    undeclared: Vec<&'a str>,
}

impl StatusReport {
    /// The same, with `prefix` before each command of a remedy.
    pub fn with_prefix(mut self, prefix: Option<&str>) -> Self {
        let Some(prefix) = prefix else { return self };
        prefix_remedies(&mut self.system, prefix);
        for token in &mut self.tokens {
            prefix_remedies(&mut token.judgement.reasons, prefix);
            token.remedy.with_prefix(prefix);
            for deadline in &mut token.deadlines {
                deadline.remedy.with_prefix(prefix);
            }
        }
        self
    }

    /// The worst health of all tokens and of the system.
    pub fn health(&self) -> Health {
        let tokens = self.tokens.iter().map(|token| token.judgement.health);
        tokens.chain(self.system.iter().map(|it| it.severity)).fold(Health::Ok, Health::worse)
    }

    /// Each cause once, of tokens and of the system.
    pub fn reasons(&self) -> Vec<Reason> {
        let tokens = self.tokens.iter().flat_map(|token| token.judgement.reasons.clone());
        merge(tokens.chain(self.system.clone()))
    }

    /// The contract's JSON.
    pub fn json(&self) -> String {
        document(&StatusDocument {
            version: VERSION,
            generated_at: time(Some(self.generated_at)),
            health: self.health().as_str(),
            tokens: self.tokens_json(),
            system: reasons(&self.system),
            undeclared: self.unlisted.iter().map(Label::as_str).collect(),
        })
    }

    /// The tokens as JSON.
    pub fn tokens_json(&self) -> impl Serialize {
        Each(&self.tokens, |token: &TokenReport| token.json(self.generated_at))
    }

    /// The text for people: the counts, a row a token, then each cause and what to do.
    pub fn text(&self, style: TextStyle, pages: PageRows) -> String {
        let mut text = format!("{}\n", self.heading(style));
        if !self.tokens.is_empty() {
            text.push('\n');
            text.push_str(&self.table(style, pages));
        }
        text.push_str(&self.causes(style));
        text
    }

    /// Each cause with what to do, below an empty line; nothing where nothing is wrong.
    pub fn causes(&self, style: TextStyle) -> String {
        let causes = paragraphs(self.reasons(), style);
        if causes.is_empty() { causes } else { format!("\n{causes}") }
    }

    /// The labels that the store has and the config does not.
    pub fn unlisted_in_words(&self) -> String {
        if self.unlisted.is_empty() {
            return String::new();
        }
        format!(
            "\nin the store but not in the config, neither renewed nor judged: {}\n",
            humanize::list(&self.unlisted)
        )
    }

    /// `26 tokens: 2 critical, 24 ok`, and what time it is.
    fn heading(&self, style: TextStyle) -> String {
        let counts = self.counts();
        let at = humanize::instant(self.generated_at);
        let taken = counts.chars().count() + at.chars().count();
        let gap = style.room().saturating_sub(taken);
        if gap == 0 { counts } else { format!("{counts}{}{at}", " ".repeat(gap)) }
    }

    /// `26 tokens: 2 critical, 24 ok`.
    pub fn counts(&self) -> String {
        if self.tokens.is_empty() {
            return "no tokens".to_owned();
        }
        let of = |health| self.tokens.iter().filter(|it| it.judgement.health == health).count();
        let counts: Vec<String> = [Health::Critical, Health::Warning, Health::Unknown, Health::Ok]
            .into_iter()
            .map(|health| (of(health), health))
            .filter(|(count, _)| *count > 0)
            .map(|(count, health)| format!("{count} {health}"))
            .collect();
        format!("{}: {}", humanize::count(self.tokens.len(), "token"), counts.join(", "))
    }

    fn table(&self, style: TextStyle, pages: PageRows) -> String {
        let headings = ["TOKEN", "TYPE", "STATE", "EXPIRES", "DATA ACCESS", "CHECKED", "NEXT"];
        let mut table = Table::new(style, &headings);
        for row in self.rows(pages) {
            table.row(match row {
                StatusRow::Token(token) => token.cells(style, self.generated_at),
                StatusRow::Pages(parent, pages) => {
                    folded_cells(parent, &pages, style, self.generated_at)
                }
            });
        }
        table.fit(&["CHECKED", "DATA ACCESS", "TYPE"]).render()
    }

    /// The rows in their order; the healthy Pages that were found under one parent are one row.
    fn rows(&self, pages: PageRows) -> Vec<StatusRow<'_>> {
        let mut healthy: HashMap<&str, Vec<&TokenReport>> = HashMap::new();
        for token in self.tokens.iter().filter(|_| pages == PageRows::Folded) {
            if let Some(parent) = token.folds_under() {
                healthy.entry(parent).or_default().push(token);
            }
        }
        healthy.retain(|_, pages| pages.len() >= WORTH_FOLDING);
        let row = |token| {
            let Some(parent) = TokenReport::folds_under(token) else {
                return Some(StatusRow::Token(token));
            };
            match healthy.get(parent) {
                None => Some(StatusRow::Token(token)),
                // Its row stands where its first Page would.
                Some(pages) if std::ptr::eq(pages[0], token) => {
                    Some(StatusRow::Pages(parent, pages.clone()))
                }
                Some(_) => None,
            }
        };
        self.tokens.iter().filter_map(row).collect()
    }

    /// Sorts the tokens.
    pub fn sort(&mut self, order: StatusSort) {
        match order {
            StatusSort::Config => {}
            StatusSort::Health => {
                self.tokens.sort_by_key(|token| std::cmp::Reverse(token.judgement.health.rank()));
            }
            StatusSort::Expiry => self.tokens.sort_by_key(|token| match token.expiry {
                Expiry::At(time) => (0, Some(time)),
                Expiry::Unknown => (1, None),
                Expiry::Never => (2, None),
            }),
        }
    }
}

named! {
    /// In which order tokens are shown.
    pub enum StatusSort {
        /// What expires first, first; what never does, last.
        Expiry = "expiry",
        /// As the config has them.
        Config = "config",
        /// The worst first, then as the config has them.
        Health = "health",
    }
}

/// How the Pages that were found under a parent are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRows {
    /// The healthy ones of a parent in one row.
    Folded,
    /// A row each.
    Each,
}

/// So many Pages are shown in one row.
pub const WORTH_FOLDING: usize = 3;

/// A row of the table.
enum StatusRow<'a> {
    Token(&'a TokenReport),
    /// The healthy Pages of this parent.
    Pages(&'a str, Vec<&'a TokenReport>),
}

/// The cells of the healthy Pages of a parent.
fn folded_cells(parent: &str, pages: &[&TokenReport], style: TextStyle, now: Time) -> Vec<Styled> {
    let soonest = |times: &mut dyn Iterator<Item = Time>| times.min();
    let expiry = soonest(&mut pages.iter().filter_map(|page| page.expiry.at()));
    let all_never = pages.iter().all(|page| page.expiry == Expiry::Never);
    let expiry = match expiry {
        Some(first) => Expiry::At(first),
        None if all_never => Expiry::Never,
        None => Expiry::Unknown,
    };
    let access = soonest(&mut pages.iter().filter_map(|page| page.data_access_until()));
    let checked = soonest(&mut pages.iter().filter_map(|page| page.verified_at));
    let due = soonest(&mut pages.iter().filter_map(|page| page.refresh.due_at));
    vec![
        plain(format!("{parent}/*")),
        plain("page"),
        tinted(format!("{} work", pages.len()), Health::Ok),
        plain(style.expiry(expiry, now)),
        plain(access.map_or("never".to_owned(), |at| style.instant(at, now))),
        plain(checked.map_or("never".to_owned(), |at| humanize::ago(at, now))),
        plain(due.map_or("-".to_owned(), |at| renewal(at, style, now))),
    ]
}

/// When a token is renewed.
fn renewal(at: Time, style: TextStyle, now: Time) -> String {
    if at <= now { "due now".to_owned() } else { format!("renew {}", style.instant(at, now)) }
}

impl TokenReport {
    /// Its type by the config, else by Graph.
    pub fn type_name(&self) -> String {
        match (self.token_type, &self.inspection) {
            (Some(token_type), _) => token_type.to_string(),
            (None, Some(inspection)) => {
                inspection.token_type.as_deref().unwrap_or("unknown").to_lowercase()
            }
            (None, None) => "unknown".to_owned(),
        }
    }

    fn cells(&self, style: TextStyle, now: Time) -> Vec<Styled> {
        let checked = self.verified_at.map_or("never".to_owned(), |at| humanize::ago(at, now));
        vec![
            plain(self.label.as_ref().map_or("-", Label::as_str)),
            plain(self.type_name()),
            tinted(self.state_in_words(), self.judgement.health),
            plain(self.expires(style, now)),
            plain(self.data_access(style, now)),
            plain(checked),
            plain(self.next(style, now)),
        ]
    }

    /// The parent under whose Pages it can be counted: it was found there, and is well.
    fn folds_under(&self) -> Option<&str> {
        let is_well = self.judgement.health == Health::Ok && !self.refresh.due;
        let (parent, _) = self.label.as_ref().filter(|_| is_well)?.as_discovered()?;
        Some(parent)
    }

    /// Whether it has an access token that is not known to be dead.
    pub const fn is_alive(&self) -> bool {
        !matches!(self.judgement.state, State::Missing | State::Invalid | State::Expired)
    }

    /// What is known of it, and where it works what is wrong all the same.
    pub fn state_in_words(&self) -> String {
        let works = match self.judgement.state {
            State::Missing => return "no access token".to_owned(),
            State::Invalid | State::Expired => return "down".to_owned(),
            State::Unverified => return "not checked".to_owned(),
            State::Expiring => return "expires soon".to_owned(),
            State::Valid => "works",
        };
        match self.judgement.reasons.first().map(|reason| reason.code) {
            None => works.to_owned(),
            Some(code) => match topic(code) {
                Some(topic) => format!("{works}, {topic}"),
                None => format!("{works}, {}", self.judgement.health),
            },
        }
    }

    /// The next step: a person's, or the date of the next renewal.
    fn next(&self, style: TextStyle, now: Time) -> String {
        let persons = self.judgement.reasons.iter().find(|it| it.action.needs_a_person());
        match persons.and_then(|reason| step(reason.action)) {
            Some(step) => step.to_owned(),
            None => match self.refresh.due_at {
                Some(at) if self.refresh.consecutive_failures > 0 && at > now => {
                    format!("retry {}", style.instant(at, now))
                }
                Some(at) => renewal(at, style, now),
                None => "-".to_owned(),
            },
        }
    }

    fn expires(&self, style: TextStyle, now: Time) -> String {
        if self.generation.is_none() && self.inspection.is_none() {
            "-".to_owned()
        } else {
            style.expiry(self.expiry, now)
        }
    }

    fn data_access_until(&self) -> Option<Time> {
        self.inspection.as_ref().and_then(|inspection| inspection.data_access.until())
    }

    fn data_access(&self, style: TextStyle, now: Time) -> String {
        match self.inspection.as_ref().map(|inspection| inspection.data_access) {
            Some(DataAccess::Until(until)) => style.instant(until, now),
            Some(DataAccess::NotApplicable) => "never".to_owned(),
            Some(DataAccess::Unknown) => "unknown".to_owned(),
            None => "-".to_owned(),
        }
    }

    fn json(&self, now: Time) -> Value {
        let inspection = self.inspection.as_ref();
        let identity = inspection.map(|inspection| &inspection.identity);
        let expires_in = self.expiry.remaining(now).map(|left| left.num_seconds());
        let of_scopes = inspection.filter(|inspection| inspection.tells_scopes());
        let data_access = inspection.and_then(|inspection| inspection.data_access.until());
        json!({
            "label": self.label.as_ref().map(Label::as_str),
            "type": self.token_type.map(crate::token::TokenType::as_str),
            "inspected_type": inspection.and_then(|inspection| inspection.token_type.clone()),
            "app": self.app,
            "app_id": identity.and_then(|identity| identity.app_id.clone()),
            "application": inspection.and_then(|inspection| inspection.application.clone()),
            "parent": self.parent.as_ref().map(Label::as_str),
            "user_id": identity.and_then(|identity| identity.user_id.clone()),
            "page_id": identity.and_then(|identity| identity.page_id.clone()),
            "name": self.name,
            "owner": self.owner,
            "backup": self.backup.as_ref().map(Label::as_str),
            "health": self.judgement.health.as_str(),
            "state": self.judgement.state.as_str(),
            "reasons": reasons(&self.judgement.reasons),
            "valid": inspection.and_then(|inspection| inspection.valid),
            "expires_at": time(self.expiry.at()),
            "never_expires": self.expiry == Expiry::Never,
            "expires_in_seconds": expires_in,
            "data_access_expires_at": time(data_access),
            "issued_at": time(inspection.and_then(|inspection| inspection.issued_at)),
            "scopes": of_scopes.map(|inspection| inspection.scopes.clone()),
            "granular_scopes": of_scopes.map(|it| granular_scopes(&it.granular_scopes)),
            "missing_scopes": self.missing_scopes,
            "missing_targets": self.missing_targets,
            "refresh": self.refresh.json(),
            "verified_at": time(self.verified_at),
            "source": self.source.as_str(),
            "problem": problem(self.problem.as_ref(), &self.remedy.to_string()),
            "fingerprint": self.fingerprint.map(|fingerprint| fingerprint.to_string()),
            "generation": self.generation,
            "deliveries": deliveries(&self.deliveries),
            "probe": self.probe.as_ref().map(ProbeReport::json),
            "next_deadline": self.next_deadline(now).map(|next| json!({
                "what": next.what.as_str(),
                "at": time(Some(next.at)),
            })),
        })
    }

    /// Whether it has no access token that may work.
    pub fn is_lost(&self) -> bool {
        self.generation.is_none() || !self.is_alive()
    }

    /// Returns the next date on which something happens: by a person if only one can move it, else by
    /// itself.
    pub fn next_deadline(&self, now: Time) -> Option<NextDeadline> {
        if let Some(first) = self.deadlines.iter().min_by_key(|deadline| deadline.at) {
            let what = match first.code {
                "data_access_expiring" => NextEvent::DataAccess,
                _ => NextEvent::Expiry,
            };
            return Some(NextDeadline { what, at: first.at });
        }
        let is_planned = |at: &Time| self.refresh.automatic && (*at > now || self.refresh.due);
        let renewal = self.refresh.due_at.filter(is_planned);
        let (what, at) = match (renewal, self.expiry) {
            _ if self.is_lost() => return None,
            (Some(at), _) => (NextEvent::Renewal, at),
            (None, Expiry::At(at)) => (NextEvent::Expiry, at),
            (None, Expiry::Never | Expiry::Unknown) => return None,
        };
        Some(NextDeadline { what, at })
    }
}

/// The next date of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextDeadline {
    pub what: NextEvent,
    pub at: Time,
}

named! {
    /// What happens on a date of a token.
    pub enum NextEvent {
        /// It expires.
        Expiry = "expiry",
        /// Its person's consent to data access ends.
        DataAccess = "data_access",
        /// A run renews it.
        Renewal = "renewal",
    }
}

/// What a reason is about, for a token that works.
fn topic(code: &str) -> Option<&'static str> {
    Some(match code {
        "data_access_expiring" | "data_access_expired" => "data access",
        "permission_missing" => "permissions",
        "delivery_failed" | "delivery_pending" | "not_deliverable" => "delivery",
        "drifted" => "target changed",
        "rotation_due" => "rotation",
        "unchecked" => "unchecked",
        "refresh_overdue" => "overdue",
        "short_parent" => "short-lived",
        "probe_failed" => "probe fails",
        _ => return None,
    })
}

/// A person's step in two words.
const fn step(action: Action) -> Option<&'static str> {
    match action {
        Action::Reauthenticate => Some("log in again"),
        Action::FixAccount => Some("free account"),
        Action::GrantPermission => Some("grant access"),
        Action::FixConfiguration => Some("fix config"),
        Action::Retry | Action::SlowDown | Action::Wait | Action::None => None,
    }
}

impl Refresh {
    fn json(&self) -> Value {
        json!({
            "automatic": self.automatic,
            "due": self.due,
            "due_reason": self.reason,
            "due_at": time(self.due_at),
            "last_refreshed_at": time(self.last_refreshed_at),
            "last_attempt_at": time(self.last_attempt_at),
            "consecutive_failures": self.consecutive_failures,
        })
    }
}
