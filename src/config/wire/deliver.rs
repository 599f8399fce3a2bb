//! `[[token.LABEL.deliver]]`: a file and the value in it, or a command.

mod key;

use std::path::Path;

use chrono::TimeDelta;
use serde_spanned::Spanned;

use super::known::DELIVER;
use super::secret::known_format;
use super::section::{Given, Section};
use super::{argv, choice, name};
use crate::config::mistake::Faults;
use crate::deliver::Writing;
use crate::edit::{Format, Missing};

/// One delivery, as far as it can be read.
#[derive(Debug)]
pub(in crate::config) struct DeliverWire {
    pub(in crate::config) name: Given<String>,
    pub(in crate::config) timeout: Given<TimeDelta>,
    pub(in crate::config) place: PlaceWire,
}

/// Which of the two it is.
#[derive(Debug)]
pub(in crate::config) enum PlaceWire {
    File(FileWire),
    Command(Spanned<Vec<String>>),
}

/// A value in a file.
#[derive(Debug)]
pub(in crate::config) struct FileWire {
    pub(in crate::config) path: Spanned<String>,
    pub(in crate::config) key: Given<String>,
    pub(in crate::config) format: Given<Format>,
    pub(in crate::config) writing: Given<Writing>,
    pub(in crate::config) missing: Given<Missing>,
}

impl FileWire {
    /// The format as given, or as the file's name tells.
    pub(in crate::config) fn format_or_guess(&self) -> Format {
        match &self.format {
            Some(format) => *format.get_ref(),
            None => Format::guess(Path::new(self.path.get_ref())),
        }
    }
}

const FORMS: &str = "write `file` and `key`, or `command = [\"PROGRAM\", \"ARGUMENT\"]`";

/// Keys that say how a file is written.
const OF_FILES: [&str; 4] = ["key", "format", "write", "create"];

/// Reads the deliveries of a token in the order of the file.
pub(super) fn read_all(
    token: &Section<'_>,
    folder: &Path,
    faults: &mut Faults,
) -> Vec<DeliverWire> {
    let sections = token.list("deliver", DELIVER, faults);
    sections.iter().filter_map(|section| read(section, folder, faults)).collect()
}

fn read(section: &Section<'_>, folder: &Path, faults: &mut Faults) -> Option<DeliverWire> {
    let name = name::read(section, faults);
    let timeout = timeout(section, faults);
    let place = match (section.has("file"), section.has("command")) {
        (true, false) => file(section, faults).map(PlaceWire::File),
        (false, true) => command(section, folder, faults).map(PlaceWire::Command),
        (true, true) => {
            let (file, command) = (section.key_span("file"), section.key_span("command"));
            let (first, second) =
                if file.start < command.start { (file, command) } else { (command, file) };
            faults
                .add(second, "a delivery has a `file` or a `command`, not both")
                .label("put it into a `[[token.LABEL.deliver]]` of its own")
                .earlier(Some(first));
            None
        }
        // What was meant is misspelled, and complained of.
        (false, false) if section.has_strangers() => None,
        (false, false) => {
            let message = "a delivery needs a `file` or a `command`";
            faults.add(section.span.clone(), message).label(FORMS);
            None
        }
    };
    // By a name that is wrong it could seem to be another's double.
    if section.has("name") && name.is_none() {
        return None;
    }
    Some(DeliverWire { name, timeout, place: place? })
}

/// A delivery that takes longer would take the run's time from the other tokens.
fn timeout(section: &Section<'_>, faults: &mut Faults) -> Given<TimeDelta> {
    let timeout = section.duration("timeout", faults)?;
    if *timeout.get_ref() < TimeDelta::seconds(1) || *timeout.get_ref() > TimeDelta::minutes(10) {
        faults.add(timeout.span(), "`timeout` must lie between 1s and 10m");
        return None;
    }
    Some(timeout)
}

fn file(section: &Section<'_>, faults: &mut Faults) -> Option<FileWire> {
    let writing = choice::read(section, "write", "way to write", Writing::ALL, faults);
    let missing = section.boolean("create", faults).map(|create| {
        let missing = if *create.get_ref() { Missing::Create } else { Missing::Refuse };
        Spanned::new(create.span(), missing)
    });
    let key = section.string("key", faults);
    let format = match section.string("format", faults) {
        None => None,
        Some(name) => Some(Spanned::new(name.span(), known_format(&name, faults)?)),
    };
    let path = section.path("file", faults)?;
    if (section.has("key") && key.is_none()) || (section.has("format") && format.is_none()) {
        return None;
    }
    let file = FileWire { path, key, format, writing, missing };
    key::check(&file, faults)?;
    Some(file)
}

fn command(
    section: &Section<'_>,
    folder: &Path,
    faults: &mut Faults,
) -> Option<Spanned<Vec<String>>> {
    for key in OF_FILES.into_iter().filter(|key| section.has(key)) {
        let message = format!("`{key}` goes with `file`, not with `command`");
        faults.add(section.key_span(key), message);
    }
    let reason = "a token is never an argument: the command gets it on standard input";
    argv::read_harmless(section, folder, reason, faults)
}
