//! Reports one token, judged: its row of the table, and its JSON.

use serde_json::{Value, json};

use super::json::{deliveries, granular_scopes, problem, reasons, time};
use super::table::{Styled, plain, tinted};
use super::text::TextStyle;
use crate::policy::{
    Condition, Deadline, Health, Judgement, Limits, Reason, Remedy, State, humanize,
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

    /// Its cells in the table.
    pub fn cells(&self, style: TextStyle, now: Time) -> Vec<Styled> {
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
    pub fn folds_under(&self) -> Option<&str> {
        let is_well = self.judgement.health == Health::Ok && !self.refresh.due;
        let (parent, _) = self.label.as_ref().filter(|_| is_well)?.as_discovered()?;
        Some(parent)
    }

    /// Whether it has an access token that is not known to be dead.
    pub const fn is_alive(&self) -> bool {
        !matches!(self.judgement.state, State::Missing | State::Invalid | State::Expired)
    }

    /// What it can do now, as its reasons say it, and where it works what is wrong all the same.
    pub fn state_in_words(&self) -> String {
        let judgement = &self.judgement;
        match judgement.condition {
            _ if judgement.has_none_yet() => "no access token".to_owned(),
            None => "damaged".to_owned(),
            Some(Condition::NeverWorked) => "never worked".to_owned(),
            Some(Condition::Down { .. }) => "down".to_owned(),
            Some(Condition::NotChecked { .. }) => "not checked".to_owned(),
            Some(Condition::Works { .. }) if judgement.state == State::Expiring => {
                "expires soon".to_owned()
            }
            Some(Condition::Works { .. }) => match judgement.reasons.first() {
                None => "works".to_owned(),
                Some(reason) => match topic(reason.code) {
                    Some(topic) => format!("works, {topic}"),
                    None => format!("works, {}", judgement.health),
                },
            },
        }
    }

    /// What a person does next, in two words.
    pub fn persons_step(&self) -> Option<&'static str> {
        let persons = self.judgement.reasons.iter().find(|it| it.action.needs_a_person())?;
        step(persons, self.token_type)
    }

    /// The next step: a person's, or the date of the next renewal.
    fn next(&self, style: TextStyle, now: Time) -> String {
        match self.persons_step() {
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

    /// Until when data may be read, where Meta says it.
    pub fn data_access_until(&self) -> Option<Time> {
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

    /// The contract's JSON of it.
    pub fn json(&self, now: Time) -> Value {
        let inspection = self.inspection.as_ref();
        let identity = inspection.map(|inspection| &inspection.identity);
        let expires_in = self.expiry.remaining(now).map(|left| left.num_seconds());
        let of_scopes = inspection.filter(|inspection| inspection.scopes.is_some());
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
            "scopes": inspection.map(|inspection| inspection.scopes.clone()),
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

/// When a token is renewed.
pub fn renewal(at: Time, style: TextStyle, now: Time) -> String {
    if at <= now { "due now".to_owned() } else { format!("renew {}", style.instant(at, now)) }
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
        "refresh_overdue" => "overdue",
        "short_parent" => "short-lived",
        "probe_failed" => "probe fails",
        _ => return None,
    })
}

/// A person's step in two words.
fn step(reason: &Reason, token_type: Option<TokenType>) -> Option<&'static str> {
    let runs = |command: &str| reason.remedy.command.contains(command);
    match reason.action {
        Action::Reauthenticate if runs("metatoken promote ") => Some("promote"),
        Action::Reauthenticate if runs("metatoken mint ") => Some("mint"),
        Action::Reauthenticate if runs("metatoken rollback ") => Some("roll back"),
        // Nobody logs in for a System User: an admin generates its access token.
        Action::Reauthenticate if token_type == Some(TokenType::SystemUser) => Some("new token"),
        Action::Reauthenticate => Some("log in again"),
        Action::FixAccount => Some("free account"),
        Action::GrantPermission => Some("grant access"),
        Action::FixConfiguration => Some("fix config"),
        Action::Retry | Action::SlowDown | Action::Wait | Action::None => None,
    }
}
