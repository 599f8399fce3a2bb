//! Judges rows of the store that cannot be read.

use super::checks::{Checks, Step};
use super::remedy_choice::put_back;
use super::{Health, Reason, Remedy};
use crate::token::{Action, Damage, Label, TokenType};

/// The code of a token of which something is damaged.
const DAMAGED: &str = "damaged";
/// The code of damage that belongs to no known token.
const STORE_DAMAGED: &str = "store_damaged";

const RESTORE: &str = "restore a copy of the store made by `metatoken store backup`";

impl Checks<'_> {
    /// Names what is damaged. Only a lost access token that nothing can be derived from needs a person.
    pub fn damaged(&mut self, damage: &Damage) {
        let step = if damage.in_place.is_some() { self.replacement() } else { self.repair() };
        let message = format!("damaged in the store: {}", damage.parts.join(", "));
        self.add(DAMAGED, Health::Critical, message, step);
    }

    fn repair(&self) -> Step {
        let step = format!("run `metatoken refresh {}`, which repairs it", self.subject.label);
        Step::new(Action::Retry, Remedy::of_the_operator(step))
    }

    fn replacement(&self) -> Step {
        let label = self.subject.label;
        let step = |text: String| Remedy::of_the_operator(text);
        let parent = self.subject.parent.filter(|_| self.subject.token_type == TokenType::Page);
        match parent {
            Some(parent) if parent.credential.is_some_and(|it| it.current.is_some()) => Step::new(
                Action::Retry,
                step(format!(
                    "run `metatoken refresh {label}`, which derives it from `{}`",
                    parent.label
                )),
            ),
            Some(parent) => Step::new(
                Action::FixConfiguration,
                step(format!(
                    "fix its parent first (`metatoken status {}`), then run `metatoken refresh {label}`",
                    parent.label
                )),
            ),
            None if self.subject.token_type == TokenType::App => {
                Step::new(Action::Retry, step(format!("run `metatoken refresh {label}`")))
            }
            None => {
                let instead = step(format!(
                    "run `metatoken exchange {label}` and paste a new access token, or {RESTORE}"
                ));
                let remedy = put_back(self.subject, self.subject.fallback(), &instead);
                Step::new(Action::FixConfiguration, remedy)
            }
        }
    }
}

impl Reason {
    /// Whether it is about rows of the store that cannot be read: a run ends with 74 over it.
    pub fn is_damage(&self) -> bool {
        self.severity == Health::Critical && matches!(self.code, DAMAGED | STORE_DAMAGED)
    }
}

/// Whether a run has repaired what was damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    Done,
    /// A run that is meant would.
    Foreseen,
}

/// What is said of a token of which a run repairs what was damaged.
pub fn judge_repaired(label: &Label, parts: &[&str], repair: Repair) -> Reason {
    let parts = parts.join(", ");
    let (message, remedy) = match repair {
        Repair::Done => (
            format!("was damaged in the store and is repaired: {parts}"),
            format!("look for a failing disk; if it happens again, {RESTORE}"),
        ),
        Repair::Foreseen => (
            format!("damaged in the store: {parts}"),
            format!("run `metatoken refresh {label}`, which repairs it"),
        ),
    };
    Reason { labels: vec![label.clone()], ..damage(DAMAGED, message, remedy) }
}

/// Judges damage that belongs to no known token.
pub fn judge_store(checks: &[impl AsRef<str>]) -> Option<Reason> {
    let checks: Vec<&str> = checks.iter().map(AsRef::as_ref).collect();
    (!checks.is_empty()).then(|| {
        damage(
            STORE_DAMAGED,
            format!("the store is damaged: {}", checks.join("; ")),
            RESTORE.to_owned(),
        )
    })
}

fn damage(code: &'static str, message: String, step: String) -> Reason {
    Reason::of_the_system(code, Health::Critical, message, step)
}
