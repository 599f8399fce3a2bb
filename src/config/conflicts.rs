//! Finds targets that would be taken for one another, or undo one another's work.

use std::collections::HashMap;
use std::path::PathBuf;

use super::deliver::DeliveryRead;
use super::diagnostic::Diagnostic;
use super::reader::Reader;
use super::reserved::Slot;
use super::wording::{quoted, quoted_path};
use crate::config::{FileTarget, Place};
use crate::token::TargetId;

/// A target with its token.
#[derive(Clone, Copy)]
pub struct Owned<'a> {
    /// The token's label, or the name of the table for all Pages of a parent.
    pub label: &'a str,
    pub delivery: &'a DeliveryRead,
}

impl<'a> Owned<'a> {
    fn file(self) -> Option<&'a FileTarget> {
        match &self.delivery.target.place {
            Place::File(file) => Some(file),
            Place::Command(_) => None,
        }
    }
}

/// Notes every target that conflicts with one before it, once each.
pub fn check<'a>(targets: impl Iterator<Item = Owned<'a>>, reader: &Reader<'_>) {
    let mut files: Files<'_, Owned<'a>> = Files::default();
    let mut ids: HashMap<(&str, &TargetId), Owned<'a>> = HashMap::new();
    for later in targets {
        let meets = |file| Some((files.at(files.first_that_meets(file)?).0, file));
        let first = later.file().and_then(meets);
        let id = (later.label, &later.delivery.target.id);
        if let Some((first, file)) = first {
            reader.report(overwriting(first, later, file));
        } else if let Some(first) = ids.get(&id) {
            reader.report(alike(first.delivery, later.delivery));
        }
        if let Some(file) = later.file() {
            files.add(file, later);
        }
        ids.entry(id).or_insert(later);
    }
}

/// Words the value that a target writes.
pub fn written(file: &FileTarget) -> String {
    let path = quoted_path(&file.path);
    match &file.key {
        Some(key) => format!("{} of {path}", quoted(key)),
        None => path,
    }
}

/// The values that are written, by file and by a key that is spelled the usual way.
///
/// Thousands of tokens may go into one file, so only those are compared that can be the same:
/// equal keys, and keys that have more than one spelling.
pub struct Files<'a, T> {
    all: Vec<(Slot<'a>, &'a FileTarget, T)>,
    by_path: HashMap<PathBuf, File>,
}

impl<T> Default for Files<'_, T> {
    fn default() -> Self {
        Self { all: Vec::new(), by_path: HashMap::new() }
    }
}

/// Where the values of one file stand among all.
#[derive(Default)]
struct File {
    all: Vec<usize>,
    /// Those of keys with one spelling.
    usual: HashMap<String, Vec<usize>>,
    /// Those of all others, and of whole files.
    unusual: Vec<usize>,
}

impl<'a, T: Copy> Files<'a, T> {
    /// The place of the first value that is the same, or holds this one.
    pub fn first_that_meets(&self, file: &FileTarget) -> Option<usize> {
        let slot = Slot::of(file);
        let before = self.by_path.get(slot.path())?;
        let meets = |at: &usize| self.all[*at].0.meets(&slot);
        match usual(&slot) {
            Some(key) => {
                let usual = before.usual.get(&key).into_iter().flatten().copied();
                usual.filter(meets).chain(before.unusual.iter().copied().filter(meets)).min()
            }
            None => before.all.iter().copied().find(meets),
        }
    }

    /// Whose the value at that place is, and its file.
    pub fn at(&self, place: usize) -> (T, &'a FileTarget) {
        let (_, file, owner) = &self.all[place];
        (*owner, file)
    }

    /// Adds a value.
    pub fn add(&mut self, file: &'a FileTarget, owner: T) {
        let slot = Slot::of(file);
        let same_file = self.by_path.entry(slot.path().to_owned()).or_default();
        let at = self.all.len();
        match usual(&slot) {
            Some(key) => same_file.usual.entry(key).or_default().push(at),
            None => same_file.unusual.push(at),
        }
        same_file.all.push(at);
        self.all.push((slot, file, owner));
    }
}

/// A key that can be spelled in one way only, but for its case, which some formats ignore.
fn usual(slot: &Slot<'_>) -> Option<String> {
    let key = slot.key()?;
    let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    key.chars().all(is_usual).then(|| key.to_ascii_lowercase())
}

fn overwriting(first: Owned<'_>, later: Owned<'_>, file: &FileTarget) -> Diagnostic {
    let value = written(file);
    let message = if first.label == later.label {
        format!("`{}` writes {value} twice", later.label)
    } else {
        format!("`{}` and `{}` both write {value}", first.label, later.label)
    };
    Diagnostic::at(later.delivery.span, message)
        .label("one would overwrite the other")
        .earlier(Some(first.delivery.span))
}

fn alike(first: &DeliveryRead, later: &DeliveryRead) -> Diagnostic {
    let label = if first.has_name && later.has_name {
        "give it another `name`"
    } else {
        "give one of them a `name`"
    };
    let id = quoted(later.target.id.as_str());
    Diagnostic::at(later.id_span, format!("two deliveries of one token are called {id}"))
        .label(label)
        .earlier(Some(first.id_span))
}
