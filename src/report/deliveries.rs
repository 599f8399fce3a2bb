//! Reports what `deliver` did.

use super::reached::ReachedTarget;
use super::run::RunReport;
use super::table::{Table, plain, tinted};
use super::text::{TextStyle, paragraphs, prefix_remedies};
use super::token_result::TokenResult;
use crate::exit::Exit;
use crate::policy::{Health, Reason, humanize, judge_deliveries};
use crate::token::{Delivery, DeliveryState, Label, TargetId, Time};

/// What a dry run says of a target that would get the access token.
const WOULD_BE_DELIVERED: &str = "would be delivered";

/// The state of one token's targets.
#[derive(Debug, Clone)]
pub struct TokenDeliveries {
    pub label: Label,
    /// Its targets, in the config's order.
    pub deliveries: Vec<Delivery>,
    /// Those that got the current access token in this run, or would get it.
    pub reached: Vec<ReachedTarget>,
}

impl TokenDeliveries {
    fn reached(&self, target: &TargetId) -> Option<&ReachedTarget> {
        self.reached.iter().find(|it| it.target == *target)
    }
}

/// The state of all targets after a run.
#[derive(Debug, Clone)]
pub struct DeliveryReport {
    pub dry_run: bool,
    pub started_at: Time,
    pub finished_at: Time,
    /// The tokens that are delivered anywhere, in the config's order.
    pub tokens: Vec<TokenDeliveries>,
    /// What is damaged in the store, and files that are no longer targets.
    pub system: Vec<Reason>,
    /// What stands before each command of a remedy, if the config says so.
    pub prefix: Option<String>,
}

impl DeliveryReport {
    /// The exit code: 0 if every target has the current access token, or was changed by another
    /// program before there was a newer one.
    pub fn exit(&self) -> Exit {
        if self.system.iter().any(Reason::is_damage) {
            Exit::Storage
        } else if self
            .system
            .iter()
            .any(|reason| reason.is_about_a_contested_target() || reason.is_about_the_config())
        {
            Exit::Config
        } else if self.all().any(Delivery::is_behind)
            || self.system.iter().any(Reason::is_about_delivery)
        {
            Exit::NotDelivered
        } else {
            Exit::Ok
        }
    }

    /// The report of any run with these results in it, for JSON.
    pub fn as_run(&self, results: Vec<TokenResult>) -> RunReport {
        let mut system = self.system.clone();
        self.put_prefix(&mut system);
        RunReport {
            dry_run: self.dry_run,
            started_at: self.started_at,
            finished_at: self.finished_at,
            results,
            system,
        }
    }

    /// The table for people: a row a target, then each cause and what to do, then a count.
    pub fn text(&self, style: TextStyle) -> String {
        let mut table = Table::new(style, &["TOKEN", "STATE", "SINCE", "TARGET"]);
        for token in &self.tokens {
            for delivery in &token.deliveries {
                if let Some(reached) = token.reached(&delivery.target).filter(|_| self.dry_run) {
                    table.row([
                        plain(&token.label),
                        plain(WOULD_BE_DELIVERED),
                        plain("-"),
                        plain(reached.with_place()),
                    ]);
                    continue;
                }
                let since = delivery
                    .at()
                    .map_or_else(|| "-".to_owned(), |at| style.instant(at, self.finished_at));
                table.row([
                    plain(&token.label),
                    tinted(delivery.state().as_str().replace('_', " "), tint(delivery)),
                    plain(since),
                    plain(&delivery.target),
                ]);
            }
        }
        let (mut text, counts) = match self.all().next() {
            None => ("no targets\n".to_owned(), String::new()),
            Some(_) => (table.render(), format!("{}\n", self.counts())),
        };
        let causes = self
            .tokens
            .iter()
            .flat_map(|token| judge_deliveries(&token.label, &token.deliveries, self.finished_at));
        let mut causes: Vec<Reason> = causes.chain(self.system.clone()).collect();
        self.put_prefix(&mut causes);
        let causes = paragraphs(causes, style);
        for part in [causes, counts] {
            if !part.is_empty() {
                text.push('\n');
                text.push_str(&part);
            }
        }
        text
    }

    fn put_prefix(&self, reasons: &mut [Reason]) {
        if let Some(prefix) = &self.prefix {
            prefix_remedies(reasons, prefix);
        }
    }

    fn counts(&self) -> String {
        let rehearsed: usize = if self.dry_run {
            self.tokens.iter().map(|token| token.reached.len()).sum()
        } else {
            0
        };
        let of_state = DeliveryState::ALL.iter().map(|state| {
            let count = self.count(*state);
            let is_rehearsed = *state == DeliveryState::InSync;
            let count = if is_rehearsed { count.saturating_sub(rehearsed) } else { count };
            (count, state.as_str().replace('_', " "))
        });
        let counts: Vec<String> = std::iter::once((rehearsed, WOULD_BE_DELIVERED.to_owned()))
            .chain(of_state)
            .filter(|(count, _)| *count > 0)
            .map(|(count, words)| format!("{count} {words}"))
            .collect();
        let dry = if self.dry_run { " (dry run: nothing was changed)" } else { "" };
        format!("{}: {}{dry}", humanize::count(self.all().count(), "target"), counts.join(", "))
    }

    fn all(&self) -> impl Iterator<Item = &Delivery> {
        self.tokens.iter().flat_map(|token| &token.deliveries)
    }

    fn count(&self, state: DeliveryState) -> usize {
        self.all().filter(|delivery| delivery.state() == state).count()
    }
}

const fn tint(delivery: &Delivery) -> Health {
    match delivery.state() {
        DeliveryState::InSync => Health::Ok,
        DeliveryState::Unknown => Health::Unknown,
        DeliveryState::Pending | DeliveryState::Failed | DeliveryState::Drifted => Health::Warning,
    }
}
