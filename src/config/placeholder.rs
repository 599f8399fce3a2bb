//! Fills in what a target of `[token."PARENT/*"]` has of each Page.
//!
//! `{page_id}` and `{parent}` stand in the `file`, the `key` and the arguments, and become digits and
//! the characters of a label. So no path leaves its folder, and no argument becomes an option.

use std::path::PathBuf;

use super::target::{FileTarget, Place, Target};
use crate::token::{Label, TargetId};

/// What stands for the id of a Page.
const PAGE_ID: &str = "{page_id}";
/// What stands for the label of its parent.
const PARENT: &str = "{parent}";

/// Whether the text has one of the two.
pub fn has_placeholder(text: &str) -> bool {
    text.contains(PAGE_ID) || text.contains(PARENT)
}

/// Whether the text begins with one of the two.
pub fn begins_with_placeholder(text: &str) -> bool {
    text.starts_with(PAGE_ID) || text.starts_with(PARENT)
}

/// The first `{word}` that is neither of the two.
pub fn unknown_placeholder(text: &str) -> Option<&str> {
    text.match_indices('{').find_map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find('}')?;
        let word = &rest[1..end];
        let is_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
        let whole = &rest[..=end];
        (is_word && !has_placeholder(whole)).then_some(whole)
    })
}

/// The key as some Page has it, to be judged by.
pub fn sample_key(key: &str) -> String {
    key.replace(PAGE_ID, "1").replace(PARENT, "parent")
}

/// Fills in the two for one Page.
pub fn fill(text: &str, parent: &Label, page_id: &str) -> String {
    text.replace(PAGE_ID, page_id).replace(PARENT, parent.as_str())
}

impl Target {
    /// The same target for one Page: with its id, and the label of its parent.
    #[must_use]
    pub fn of_page(&self, parent: &Label, page_id: &str) -> Self {
        let filled = |text: &str| fill(text, parent, page_id);
        let place = match &self.place {
            Place::File(file) => Place::File(FileTarget {
                path: PathBuf::from(filled(&file.path.to_string_lossy())),
                key: file.key.as_deref().map(filled),
                ..file.clone()
            }),
            Place::Command(argv) => Place::Command(argv.iter().map(|word| filled(word)).collect()),
        };
        let id = TargetId::new(filled(self.id.as_str()));
        Self { id, place, timeout: self.timeout }
    }

    /// Whether two Pages of one parent get the same of it.
    pub fn is_the_same_for_all(&self) -> bool {
        match &self.place {
            Place::File(FileTarget { path, key, .. }) => {
                let has = |text: &str| text.contains(PAGE_ID);
                !has(&path.to_string_lossy()) && !key.as_deref().is_some_and(has)
            }
            Place::Command(argv) => !argv.iter().any(|word| word.contains(PAGE_ID)),
        }
    }
}
