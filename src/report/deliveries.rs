//! Reports what `deliver` did.

use serde_json::{Map, Value, json};

use super::json::{VERSION, deliveries, document, reasons, time};
use super::text::{Table, TextStyle, paragraphs, plain, tinted};
use crate::exit::Exit;
use crate::policy::{Health, Reason, humanize, judge_deliveries};
use crate::token::{Delivery, DeliveryState, Label, Time};

/// The state of one token's targets.
#[derive(Debug, Clone)]
pub struct TokenDeliveries {
    pub label: Label,
    /// Its targets, in the config's order.
    pub deliveries: Vec<Delivery>,
}

/// The state of all targets after a run.
#[derive(Debug, Clone)]
pub struct DeliveryReport {
    pub started_at: Time,
    pub finished_at: Time,
    /// The tokens that are delivered anywhere, in the config's order.
    pub tokens: Vec<TokenDeliveries>,
    /// What is damaged in the store, and files that are no longer targets.
    pub system: Vec<Reason>,
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

    /// JSON: each token with its targets, and how many are in which state.
    pub fn json(&self) -> String {
        let mut summary = Map::from_iter([("total".to_owned(), json!(self.all().count()))]);
        for state in DeliveryState::ALL {
            summary.insert(state.as_str().to_owned(), json!(self.count(*state)));
        }
        let results: Value = self
            .tokens
            .iter()
            .map(|token| {
                json!({
                    "label": token.label.as_str(),
                    "deliveries": deliveries(&token.deliveries),
                })
            })
            .collect();
        document(&json!({
            "version": VERSION,
            "started_at": time(Some(self.started_at)),
            "finished_at": time(Some(self.finished_at)),
            "summary": summary,
            "results": results,
            "system": reasons(&self.system),
        }))
    }

    /// The table for people: a row a target, then each cause and what to do, then a count.
    pub fn text(&self, style: TextStyle) -> String {
        let mut table = Table::new(style, &["TOKEN", "STATE", "SINCE", "TARGET"]);
        for token in &self.tokens {
            for delivery in &token.deliveries {
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
        let causes = paragraphs(causes.chain(self.system.clone()), style);
        for part in [causes, counts] {
            if !part.is_empty() {
                text.push('\n');
                text.push_str(&part);
            }
        }
        text
    }

    fn counts(&self) -> String {
        let counts: Vec<String> = DeliveryState::ALL
            .iter()
            .filter(|state| self.count(**state) > 0)
            .map(|state| format!("{} {}", self.count(*state), state.as_str().replace('_', " ")))
            .collect();
        format!("{}: {}", humanize::count(self.all().count(), "target"), counts.join(", "))
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
