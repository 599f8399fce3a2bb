//! A program and its arguments, as a SECRET, a delivery or a channel names them.

use std::path::Path;

use serde_spanned::Spanned;

use super::argument;
use super::section::{Given, Section};
use crate::config::mistake::Faults;

/// Reads `command`; a program that is a relative path begins at `folder`.
pub(super) fn read(
    section: &Section<'_>,
    folder: &Path,
    faults: &mut Faults,
) -> Given<Vec<Spanned<String>>> {
    let words = section.strings("command", faults)?;
    let span = words.span();
    let mut words = words.into_inner();
    let Some(program) = words.first_mut() else {
        faults.add(span, "`command` is empty").label("write `[\"PROGRAM\", \"ARGUMENT\"]`");
        return None;
    };
    if program.get_ref().trim().is_empty() {
        faults.add(span, "`command` names no program");
        return None;
    }
    // A name is searched for in PATH; a path is one, and begins beside the config.
    if program.get_ref().contains('/') {
        let path = folder.join(program.get_ref()).to_string_lossy().into_owned();
        *program = Spanned::new(program.span(), path);
    }
    Some(Spanned::new(span, words))
}

/// Reads `command` like [`read`], and complains for `reason` of every argument that holds a token.
pub(super) fn read_harmless(
    section: &Section<'_>,
    folder: &Path,
    reason: &str,
    faults: &mut Faults,
) -> Option<Spanned<Vec<String>>> {
    let words = read(section, folder, faults)?;
    for word in words.get_ref().iter().filter(|word| argument::holds_token(word.get_ref())) {
        faults.add(word.span(), reason).label("leave it out");
    }
    let span = words.span();
    Some(Spanned::new(span, words.into_inner().into_iter().map(Spanned::into_inner).collect()))
}
