//! Reports the state of each token and of the system.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use super::json::{Each, VERSION, deliveries, document, granular_scopes, problem, reasons, time};
use super::text::{Table, TextStyle, paragraphs, plain, prefix_remedies, prefixed, tinted};
use crate::policy::{Dates, Deadline, Health, Judgement, Limits, Reason, humanize, merge};
use crate::token::{
    DataAccess, Delivery, Expiry, Fingerprint, Inspection, Label, Problem, Time, TokenType,
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
    pub remedy: String,
    /// The fingerprint of the current access token.
    pub fingerprint: Option<Fingerprint>,
    /// The number of the current generation.
    pub generation: Option<u32>,
    /// The state of its targets.
    pub deliveries: Vec<Delivery>,
    /// The dates that only a person can extend.
    pub deadlines: Vec<Deadline>,
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
struct StatusDocument<T> {
    version: u32,
    generated_at: Value,
    health: &'static str,
    tokens: T,
    system: Value,
}

impl StatusReport {
    /// The same, with `prefix` before each command of a remedy.
    pub fn with_prefix(mut self, prefix: Option<&str>) -> Self {
        let Some(prefix) = prefix else { return self };
        prefix_remedies(&mut self.system, prefix);
        for token in &mut self.tokens {
            prefix_remedies(&mut token.judgement.reasons, prefix);
            token.remedy = prefixed(&token.remedy, prefix);
            for deadline in &mut token.deadlines {
                deadline.remedy = prefixed(&deadline.remedy, prefix);
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
        })
    }

    /// The tokens as JSON.
    pub fn tokens_json(&self) -> impl Serialize {
        Each(&self.tokens, |token: &TokenReport| token.json(self.generated_at))
    }

    /// The table for people: a row a token, then each cause and what to do.
    pub fn text(&self, style: TextStyle) -> String {
        let mut text = String::new();
        if self.tokens.is_empty() {
            text.push_str("no tokens\n");
        } else {
            text.push_str(&self.table(style));
        }
        let causes = paragraphs(self.reasons());
        if !causes.is_empty() {
            text.push('\n');
            text.push_str(&causes);
        }
        text
    }

    /// Everything that is known of each token, a paragraph each, for `-v`.
    pub fn details(&self) -> String {
        let mut text = String::new();
        for token in &self.tokens {
            text.push('\n');
            text.push_str(&token.details(self.generated_at));
        }
        if !self.unlisted.is_empty() {
            let _ = writeln!(
                text,
                "\nin the store but not in the config, neither renewed nor judged: {}",
                humanize::list(&self.unlisted)
            );
        }
        text
    }

    fn table(&self, style: TextStyle) -> String {
        let mut table = Table::new(
            style,
            &["LABEL", "TYPE", "HEALTH", "STATE", "ENDS", "DATA ACCESS ENDS", "PROVEN", "NEXT"],
        );
        for token in &self.tokens {
            let proven = token
                .verified_at
                .map_or("never".to_owned(), |at| humanize::ago(at, self.generated_at));
            table.row([
                plain(token.label.as_ref().map_or("-", Label::as_str)),
                plain(token.type_name()),
                tinted(token.judgement.health, token.judgement.health),
                plain(token.judgement.state),
                plain(token.ends(self.generated_at)),
                plain(token.data_access(self.generated_at)),
                plain(proven),
                plain(&token.refresh.reason),
            ]);
        }
        table.render()
    }
}

impl TokenReport {
    fn type_name(&self) -> String {
        match (self.token_type, &self.inspection) {
            (Some(token_type), _) => token_type.to_string(),
            (None, Some(inspection)) => {
                inspection.token_type.as_deref().unwrap_or("unknown").to_lowercase()
            }
            (None, None) => "unknown".to_owned(),
        }
    }

    fn ends(&self, now: Time) -> String {
        if self.generation.is_none() && self.inspection.is_none() {
            "-".to_owned()
        } else {
            humanize::expiry(self.expiry, now)
        }
    }

    fn data_access(&self, now: Time) -> String {
        match self.inspection.as_ref().map(|inspection| inspection.data_access) {
            Some(DataAccess::Until(until)) => humanize::when(until, now),
            Some(DataAccess::NotApplicable) => "never".to_owned(),
            Some(DataAccess::Unknown) => "unknown".to_owned(),
            None => "-".to_owned(),
        }
    }

    fn json(&self, now: Time) -> Value {
        let inspection = self.inspection.as_ref();
        let identity = inspection.map(|inspection| &inspection.identity);
        let expires_in = self.expiry.remaining(now).map(|left| left.num_seconds());
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
            "granular_scopes": inspection.map(|it| granular_scopes(&it.granular_scopes)),
            "missing_scopes": self.missing_scopes,
            "missing_targets": self.missing_targets,
            "refresh": self.refresh.json(),
            "verified_at": time(self.verified_at),
            "source": self.source.as_str(),
            "problem": problem(self.problem.as_ref(), &self.remedy),
            "fingerprint": self.fingerprint.map(|fingerprint| fingerprint.to_string()),
            "generation": self.generation,
            "deliveries": deliveries(&self.deliveries),
        })
    }

    fn details(&self, now: Time) -> String {
        let inspection = self.inspection.as_ref();
        let identity = inspection.map(|inspection| inspection.identity.clone()).unwrap_or_default();
        let scopes = inspection.map(|inspection| inspection.scopes.join(", "));
        let application = inspection.and_then(|inspection| inspection.application.clone());
        let mut text =
            format!("{}\n", self.label.as_ref().map_or("the given string", Label::as_str));
        let lines = [
            ("name", self.name.clone()),
            ("owner", self.owner.clone()),
            ("app", self.app.clone()),
            ("app id", identity.app_id),
            ("application", application),
            ("user id", identity.user_id),
            ("page id", identity.page_id),
            ("parent", self.parent.as_ref().map(ToString::to_string)),
            ("generation", self.generation.map(|number| number.to_string())),
            ("fingerprint", self.fingerprint.map(|fingerprint| fingerprint.to_string())),
            ("issued", inspection.and_then(|it| it.issued_at).map(|at| humanize::when(at, now))),
            (
                "proven",
                self.verified_at.map(|at| format!("{} ({})", humanize::when(at, now), self.source)),
            ),
            ("last renewed", self.refresh.last_refreshed_at.map(|at| humanize::when(at, now))),
            ("scopes", scopes.filter(|scopes| !scopes.is_empty())),
        ];
        let targets = self.deliveries.iter().map(|it| ("delivered to", Some(standing(it, now))));
        for (name, value) in lines.into_iter().chain(targets) {
            if let Some(value) = value {
                let _ = writeln!(text, "  {:14}{value}", format!("{name}:"));
            }
        }
        text
    }
}

/// A target and its state, on one line.
fn standing(delivery: &Delivery, now: Time) -> String {
    let since =
        delivery.at().map_or_else(String::new, |at| format!(", {}", humanize::ago(at, now)));
    let state = delivery.state().as_str().replace('_', " ");
    format!("{}: {state}{since}", delivery.target)
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
