//! `[alerts]`: what monitoring reads, and how remedies begin.

use chrono::TimeDelta;

use super::section::{Given, Section};
use crate::config::mistake::Faults;

/// `[alerts]`
#[derive(Debug, Default)]
pub(in crate::config) struct AlertsWire {
    pub(in crate::config) textfile: Given<String>,
    pub(in crate::config) run_every: Given<TimeDelta>,
    pub(in crate::config) prefix: Given<String>,
}

impl AlertsWire {
    pub(super) fn read(section: &Section<'_>, faults: &mut Faults) -> Self {
        Self {
            textfile: section.path("textfile", faults),
            run_every: section.positive("run_every", faults),
            prefix: prefix(section, faults),
        }
    }
}

/// It goes before a command that a person types, on one line.
fn prefix(section: &Section<'_>, faults: &mut Faults) -> Given<String> {
    let prefix = section.string("prefix", faults)?;
    if prefix.get_ref().trim().is_empty() {
        faults
            .add(prefix.span(), "`prefix` is empty")
            .label("leave it out, or write what goes before `metatoken`");
        return None;
    }
    if prefix.get_ref().contains(char::is_control) {
        faults.add(prefix.span(), "`prefix` must be on one line, without control characters");
        return None;
    }
    Some(prefix)
}
