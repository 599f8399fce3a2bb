//! Reports what a run that changes tokens did: `refresh` and `exchange`.

use serde_json::{Map, Value, json};

use super::json::{VERSION, deliveries, document, problem, reasons, time};
use super::reached::ReachedTarget;
use super::status::{PageRows, WORTH_FOLDING};
use super::table::{Table, plain, tinted};
use super::text::{TextStyle, paragraphs, prefix_remedies};
use crate::exit::Exit;
use crate::policy::{Condition, Health, Reason, Remedy, humanize, merge, quote};
use crate::token::{
    Delivery, Expiry, Fingerprint, Generation, Label, Outcome, Problem, ProblemKind, Time,
    TokenType,
};

/// What happened to one token.
#[derive(Debug, Clone)]
pub struct TokenResult {
    pub label: Label,
    pub token_type: TokenType,
    /// The weightiest thing that happened to it.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub reason: String,
    /// When it expired before the run.
    pub old_expiry: Expiry,
    /// When it expires now.
    pub new_expiry: Expiry,
    /// The number of the current generation.
    pub generation: Option<u32>,
    /// The fingerprint of the current access token.
    pub fingerprint: Option<Fingerprint>,
    pub problem: Option<Problem>,
    /// What the token can do now.
    pub condition: Option<Condition>,
    /// The problem in our words.
    pub cause: String,
    pub remedy: Remedy,
    /// The exit code that it alone would give.
    pub exit: Exit,
    /// What is wrong with the token after the run.
    pub issues: Vec<Reason>,
    /// The state of its targets.
    pub deliveries: Vec<Delivery>,
    /// The targets that got the current access token in this run, or would get it.
    pub reached: Vec<ReachedTarget>,
    /// In a dry run: the targets that get a new one if the renewal of its parent changes it.
    pub may_reach: Vec<ReachedTarget>,
}

/// A run that changes tokens.
#[derive(Debug, Clone)]
pub struct RunReport {
    pub dry_run: bool,
    pub started_at: Time,
    pub finished_at: Time,
    /// One result a token, in the config's order.
    pub results: Vec<TokenResult>,
    /// What is wrong with the system, or with several tokens at once.
    pub system: Vec<Reason>,
}

impl RunReport {
    /// The same, with `prefix` before each command of a remedy.
    pub fn with_prefix(mut self, prefix: Option<&str>) -> Self {
        let Some(prefix) = prefix else { return self };
        prefix_remedies(&mut self.system, prefix);
        for result in &mut self.results {
            prefix_remedies(&mut result.issues, prefix);
            result.remedy.with_prefix(prefix);
        }
        self
    }

    /// The exit code: the worst of its results, of damage to the store and of a full disk.
    pub fn exit(&self) -> Exit {
        let of_the_store = if self.is_store_in_trouble() { Exit::Storage } else { Exit::Ok };
        let of_files = if self.left_a_file() { Exit::NotDelivered } else { Exit::Ok };
        let of_targets = if self.leaves_a_target() { Exit::Config } else { Exit::Ok };
        let of_labels = self.system.iter().any(Reason::is_about_the_config);
        let of_labels = if of_labels { Exit::Config } else { Exit::Ok };
        let of_tokens = self.results.iter().map(|result| result.exit);
        of_tokens.fold(
            of_the_store.or_worse(of_labels).or_worse(of_files).or_worse(of_targets),
            Exit::or_worse,
        )
    }

    /// Whether a file that is no longer a target may be half-written.
    fn left_a_file(&self) -> bool {
        self.system.iter().any(Reason::is_about_delivery)
    }

    /// Whether a target is left alone because the config makes it that of two Pages.
    fn leaves_a_target(&self) -> bool {
        self.system.iter().any(Reason::is_about_a_contested_target)
    }

    /// Whether a damaged row or a full disk is reported.
    fn is_store_in_trouble(&self) -> bool {
        let issues = self.results.iter().flat_map(|result| &result.issues);
        issues.clone().chain(&self.system).any(Reason::is_damage)
            || self.system.iter().any(Reason::is_about_a_full_disk)
    }

    /// Whether a person has anything to do. What will be tried again does not count while every token
    /// concerned has time left.
    pub fn wants_a_person(&self) -> bool {
        let asks = |result: &TokenResult| match result.exit {
            Exit::Ok => false,
            Exit::Failed | Exit::Unavailable => {
                result.generation.is_none()
                    || result
                        .issues
                        .iter()
                        .any(|reason| matches!(reason.code, "expiring" | "expired"))
            }
            _ => true,
        };
        self.is_store_in_trouble()
            || self.left_a_file()
            || self.system.iter().any(Reason::is_about_labels)
            || self.leaves_a_target()
            || self.results.iter().any(asks)
    }

    /// The contract's JSON.
    pub fn json(&self) -> String {
        document(&self.value())
    }

    /// The same before it is written.
    pub fn value(&self) -> Value {
        let mut summary = Map::from_iter([("total".to_owned(), json!(self.results.len()))]);
        for outcome in Outcome::ALL {
            let count = self.results.iter().filter(|result| result.outcome == *outcome).count();
            summary.insert(outcome.as_str().to_owned(), json!(count));
        }
        let deliveries = self.results.iter().flat_map(|result| &result.deliveries);
        let pending = deliveries.filter(|delivery| delivery.is_behind()).count();
        summary.insert("pending".to_owned(), json!(pending));
        json!({
            "version": VERSION,
            "dry_run": self.dry_run,
            "started_at": time(Some(self.started_at)),
            "finished_at": time(Some(self.finished_at)),
            "summary": summary,
            "results": self.results.iter().map(|result| self.result_json(result)).collect::<Value>(),
            "system": reasons(&self.shared()),
        })
    }

    /// A result; in a dry run with every file that would be written and every program that would be run.
    fn result_json(&self, result: &TokenResult) -> Value {
        let mut value = result.json();
        if self.dry_run {
            value["would_deliver"] = result.reached.iter().map(ReachedTarget::json).collect();
            value["may_deliver"] = result.may_reach.iter().map(ReachedTarget::json).collect();
        }
        value
    }

    /// What is wrong with the system, and each cause that several tokens share, once.
    fn shared(&self) -> Vec<Reason> {
        let causes = merge(self.results.iter().flat_map(TokenResult::causes));
        let shared = causes.into_iter().filter(|reason| reason.labels.len() > 1);
        self.system.iter().cloned().chain(shared).collect()
    }

    /// The table for people: a row a token with what was delivered below it, then each cause and what
    /// to do, then a count.
    pub fn text(&self, style: TextStyle, pages: PageRows) -> String {
        let (mut text, count) = match self.results.as_slice() {
            [] => ("no tokens\n".to_owned(), String::new()),
            _ => (self.table(style, pages), format!("{}\n", self.count())),
        };
        let said = self.results.iter().flat_map(TokenResult::causes).chain(self.system.clone());
        for part in [paragraphs(said, style), style.wrapped(&count, 2)] {
            if !text.is_empty() && !part.is_empty() {
                text.push('\n');
            }
            text.push_str(&part);
        }
        text
    }

    fn table(&self, style: TextStyle, pages: PageRows) -> String {
        let mut table = Table::new(style, &["TOKEN", "OUTCOME", "EXPIRES", "REASON"]);
        for rows in self.rows(pages) {
            match rows.as_slice() {
                [result] => {
                    table.row([
                        plain(&result.label),
                        tinted(result.outcome_in_words(), result.tint()),
                        plain(result.expires(style, self.finished_at)),
                        plain(result.in_short()),
                    ]);
                    for reached in &result.reached {
                        let to = if self.dry_run {
                            reached.with_place()
                        } else {
                            reached.target.to_string()
                        };
                        table.note(format!("{} {to}", self.delivered_in_words()));
                    }
                    for reached in &result.may_reach {
                        let to = reached.with_place();
                        table.note(format!(
                            "may be delivered to {to}, if it changes with its parent"
                        ));
                    }
                }
                [first, ..] => {
                    table.row([
                        plain(first.label_of_all_pages()),
                        tinted(first.outcome_in_words(), first.tint()),
                        plain(first.expires(style, self.finished_at)),
                        plain(format!("{} pages: {}", rows.len(), first.in_short())),
                    ]);
                    let delivered: usize = rows.iter().map(|it| it.reached.len()).sum();
                    if delivered > 0 {
                        let targets = humanize::count(delivered, "target");
                        table.note(format!("{} {targets}", self.delivered_in_words()));
                    }
                    for reached in rows.iter().flat_map(|it| &it.may_reach) {
                        let to = reached.with_place();
                        table.note(format!(
                            "may be delivered to {to}, if it changes with its parent"
                        ));
                    }
                }
                [] => {}
            }
        }
        table.render()
    }

    const fn delivered_in_words(&self) -> &'static str {
        if self.dry_run { "would be delivered to" } else { "delivered to" }
    }

    /// The results by rows: the Pages of a parent with which the same happened are one.
    fn rows(&self, pages: PageRows) -> Vec<Vec<&TokenResult>> {
        let mut rows: Vec<Vec<&TokenResult>> = Vec::new();
        for result in &self.results {
            match rows.last_mut() {
                Some(row) if pages == PageRows::Folded && row[0].is_told_with(result) => {
                    row.push(result);
                }
                _ => rows.push(vec![result]),
            }
        }
        let mut shown = Vec::new();
        for row in rows {
            if row.len() >= WORTH_FOLDING {
                shown.push(row);
            } else {
                shown.extend(row.into_iter().map(|result| vec![result]));
            }
        }
        shown
    }

    /// `6 tokens: 2 refreshed, 4 not due`, in the order of the outcomes.
    fn count(&self) -> String {
        let counts: Vec<String> = Outcome::ALL
            .iter()
            .filter_map(|outcome| {
                let count = self.results.iter().filter(|it| it.outcome == *outcome).count();
                (count > 0).then(|| format!("{count} {}", outcome.as_str().replace('_', " ")))
            })
            .collect();
        let total = humanize::count(self.results.len(), "token");
        let asks = |result: &TokenResult| {
            matches!(result.outcome, Outcome::WouldRefresh | Outcome::WouldExchange)
        };
        let dry = match (self.dry_run, self.results.iter().any(asks)) {
            (false, _) => "",
            (true, false) => " (dry run: nothing was changed)",
            (true, true) => {
                " (dry run: nothing was changed, and whether Meta would renew is not known)"
            }
        };
        if counts.is_empty() {
            format!("{total}{dry}")
        } else {
            format!("{total}: {}{dry}", counts.join(", "))
        }
    }
}

impl TokenResult {
    /// What happened to a token that it left without an access token in use, where nothing went wrong.
    pub fn of(label: Label, token_type: TokenType, outcome: Outcome, reason: String) -> Self {
        Self {
            label,
            token_type,
            outcome,
            reason,
            old_expiry: Expiry::Unknown,
            new_expiry: Expiry::Unknown,
            generation: None,
            fingerprint: None,
            problem: None,
            condition: None,
            cause: String::new(),
            remedy: Remedy::default(),
            exit: Exit::Ok,
            issues: Vec::new(),
            deliveries: Vec::new(),
            reached: Vec::new(),
            may_reach: Vec::new(),
        }
    }

    /// The same with what is in use before and after it.
    #[must_use]
    pub fn moving(self, before: Option<&Generation>, after: Option<&Generation>) -> Self {
        let expiry =
            |it: Option<&Generation>| it.map_or(Expiry::Unknown, |generation| generation.expiry);
        Self {
            old_expiry: expiry(before),
            new_expiry: expiry(after),
            generation: after.map(|generation| generation.number),
            fingerprint: after.map(|generation| generation.fingerprint),
            ..self
        }
    }

    fn json(&self) -> Value {
        json!({
            "label": self.label.as_str(),
            "type": self.token_type.as_str(),
            "outcome": self.outcome.as_str(),
            "reason": self.reason,
            "old_expires_at": time(self.old_expiry.at()),
            "new_expires_at": time(self.new_expiry.at()),
            "never_expires": self.new_expiry == Expiry::Never,
            "old_never_expires": self.old_expiry == Expiry::Never,
            "new_never_expires": self.new_expiry == Expiry::Never,
            "generation": self.generation,
            "fingerprint": self.fingerprint.map(|fingerprint| fingerprint.to_string()),
            "problem": problem(self.problem.as_ref(), &self.remedy.to_string()),
            "deliveries": deliveries(&self.deliveries),
        })
    }

    /// The problem as a reason, unless the issues of the token say the same already.
    fn told(&self) -> Option<Reason> {
        let problem = self.problem.as_ref()?;
        let code = problem.kind.as_str();
        // A person who must act before it expires need not know that it will be tried again.
        let no_help = problem.kind == ProblemKind::NotExtended;
        let same = |reason: &Reason| {
            no_help && reason.code == "expiring"
                || reason.code == code
                || reason.message.contains(&self.cause)
                || self.cause.contains(&reason.message)
        };
        // One that is down for a cause of its own needs no second step.
        let is_down = |reason: &Reason| {
            matches!(reason.condition, Some(Condition::Down { .. }))
                && reason.action.needs_a_person()
        };
        let is_news = problem.is_rejection();
        if self.issues.iter().any(|it| same(it) || is_down(it) && !is_news) {
            return None;
        }
        // What was refused leaves the token that has one as it is.
        let severity = match self.generation {
            Some(_) if is_news => Health::Warning,
            _ => Health::of(problem, self.condition),
        };
        Some(Reason {
            condition: self.condition,
            meta: quote(problem),
            remedy: self.remedy.clone(),
            action: problem.action,
            labels: vec![self.label.clone()],
            ..Reason::of_the_system(code, severity, self.cause.clone(), "")
        })
    }

    /// Each cause of it. Beside a problem that has a name it is not said that nothing is known.
    fn causes(&self) -> Vec<Reason> {
        let told = self.told();
        let said = |reason: &Reason| {
            told.as_ref().is_some_and(|told| told.message.contains(&reason.message))
        };
        let goes_without = |reason: &&Reason| {
            reason.severity != Health::Unknown
                || (self.problem.is_none() && self.outcome != Outcome::Skipped)
        };
        let issues =
            self.issues.iter().filter(goes_without).filter(|reason| !said(reason)).cloned();
        told.iter().cloned().chain(issues).collect()
    }

    /// The reason as a table has room for it: name and numbers of a problem, whose sentence stands
    /// below, or the whole of any other and of a problem without a name.
    fn in_short(&self) -> String {
        match (&self.problem, self.exit) {
            (None, _) => self.reason.clone(),
            (Some(Problem { kind: ProblemKind::Unknown, code: None, .. }), _) => {
                self.reason.clone()
            }
            (Some(problem), Exit::InputRefused) => format!("refused: {}", problem.in_short()),
            (Some(problem), _) => problem.in_short(),
        }
    }

    fn expires(&self, style: TextStyle, now: Time) -> String {
        match self.generation {
            Some(_) => style.expiry(self.new_expiry, now),
            None => "-".to_owned(),
        }
    }

    fn outcome_in_words(&self) -> String {
        self.outcome.as_str().replace('_', " ")
    }

    /// Whether one row can tell of both: Pages found under one parent, with nothing wrong.
    fn is_told_with(&self, other: &Self) -> bool {
        let parent = |it: &Self| it.label.as_discovered().map(|(parent, _)| parent.to_owned());
        let is_well =
            |it: &Self| it.exit == Exit::Ok && it.issues.is_empty() && it.problem.is_none();
        parent(self).is_some()
            && parent(self) == parent(other)
            && self.outcome == other.outcome
            && self.reason == other.reason
            && self.new_expiry == other.new_expiry
            && is_well(self)
            && is_well(other)
    }

    /// The pattern that means this Page and its siblings.
    fn label_of_all_pages(&self) -> String {
        self.label
            .as_discovered()
            .map_or_else(|| self.label.to_string(), |(parent, _)| format!("{parent}/*"))
    }

    fn tint(&self) -> Health {
        match self.outcome {
            Outcome::Invalid => Health::Critical,
            Outcome::Failed | Outcome::NotExtended => Health::Warning,
            Outcome::Skipped | Outcome::TooYoung => Health::Unknown,
            _ => Health::Ok,
        }
    }
}
