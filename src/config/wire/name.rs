//! What an operator calls a delivery or a channel; it stands in the middle of sentences.

use super::section::{Given, Section};
use crate::config::mistake::Faults;

/// Reads `name`.
pub(super) fn read(section: &Section<'_>, faults: &mut Faults) -> Given<String> {
    let name = section.string("name", faults)?;
    if name.get_ref().trim().is_empty() {
        faults.add(name.span(), "`name` is empty").label("leave it out, or say what this is");
        return None;
    }
    if name.get_ref().contains(char::is_control) {
        faults.add(name.span(), "`name` must be on one line, without control characters");
        return None;
    }
    Some(name)
}
