//! What is put before the commands that a person is told to type.
//!
//! Where a unit runs metatoken, its user, its credentials and its rights are the unit's: the same
//! command typed by a person would not find them. The config names what leads there.

use super::{RunReport, StatusReport};
use crate::policy::Reason;

/// How our commands begin in a text for people.
const COMMAND: &str = "`metatoken ";

/// The text with `prefix` before each of our commands.
pub fn prefixed(text: &str, prefix: &str) -> String {
    text.replace(COMMAND, &format!("`{prefix} metatoken "))
}

fn in_reasons<'a>(reasons: impl IntoIterator<Item = &'a mut Reason>, prefix: &str) {
    for reason in reasons {
        reason.remedy = prefixed(&reason.remedy, prefix);
    }
}

impl StatusReport {
    /// The same, with `prefix` before each command of a remedy.
    pub fn with_prefix(mut self, prefix: Option<&str>) -> Self {
        let Some(prefix) = prefix else { return self };
        in_reasons(&mut self.system, prefix);
        for token in &mut self.tokens {
            in_reasons(&mut token.judgement.reasons, prefix);
            token.remedy = prefixed(&token.remedy, prefix);
            for deadline in &mut token.deadlines {
                deadline.remedy = prefixed(&deadline.remedy, prefix);
            }
        }
        self
    }
}

impl RunReport {
    /// The same, with `prefix` before each command of a remedy.
    pub fn with_prefix(mut self, prefix: Option<&str>) -> Self {
        let Some(prefix) = prefix else { return self };
        in_reasons(&mut self.system, prefix);
        for result in &mut self.results {
            in_reasons(&mut result.standing, prefix);
            result.remedy = prefixed(&result.remedy, prefix);
        }
        self
    }
}
