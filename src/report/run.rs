//! Reports what a run that changes tokens did: `refresh` and `exchange`.

use serde_json::{Map, Value, json};

use super::json::{VERSION, document, reasons, time};
use super::reached::ReachedTarget;
use super::status::{PageRows, WORTH_FOLDING};
use super::table::{Table, plain, tinted};
use super::text::{TextStyle, paragraphs, prefix_remedies};
use super::token_result::TokenResult;
use crate::exit::Exit;
use crate::policy::{Reason, humanize, merge};
use crate::token::{Outcome, Time};

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
            let (first, label, reason) = match rows.as_slice() {
                [] => continue,
                [only] => (only, only.label.to_string(), only.in_short()),
                [first, ..] => {
                    let reason = format!("{} pages: {}", rows.len(), first.in_short());
                    (first, first.label_of_all_pages(), reason)
                }
            };
            table.row([
                plain(label),
                tinted(first.outcome_in_words(), first.tint()),
                plain(first.expires(style, self.finished_at)),
                plain(reason),
            ]);
            let delivered = if self.dry_run { "would be delivered to" } else { "delivered to" };
            for to in self.delivered_to(&rows) {
                table.note(format!("{delivered} {to}"));
            }
            for reached in rows.iter().flat_map(|it| &it.may_reach) {
                let to = reached.with_place();
                table.note(format!("may be delivered to {to}, if it changes with its parent"));
            }
        }
        table.render()
    }

    /// What the tokens of a row were delivered to: each target, or of several tokens how many.
    fn delivered_to(&self, row: &[&TokenResult]) -> Vec<String> {
        if let [only] = row {
            let targets = only.reached.iter();
            return targets
                .map(|it| if self.dry_run { it.with_place() } else { it.target.to_string() })
                .collect();
        }
        let count: usize = row.iter().map(|it| it.reached.len()).sum();
        if count == 0 { Vec::new() } else { vec![humanize::count(count, "target")] }
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
