//! Reports the state of all tokens and of the system.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use super::json::{Each, VERSION, document, reasons, time};
use super::table::{Styled, Table, plain, tinted};
use super::text::{TextStyle, paragraphs, prefix_remedies};
use super::token_report::{TokenReport, renewal};
use crate::policy::{Dates, Health, Reason, humanize, merge};
use crate::token::{Expiry, Label, Time};

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
