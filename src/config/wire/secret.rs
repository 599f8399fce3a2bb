//! A SECRET: a literal, or where the string is found.

use std::ops::Range;
use std::path::Path;

use serde_spanned::Spanned;
use toml_edit::TableLike;

use super::argv;
use super::known;
use super::section::{Given, Section, article};
use crate::config::mask::quoted;
use crate::config::mistake::Faults;
use crate::config::source::SecretSource;
use crate::edit::{EditError, Format};
use crate::token::Secret;

const FORMS: &str = "write `{ env = NAME }`, `{ file = PATH }`, `{ credential = NAME }` or \
                     `{ command = [...] }`";

/// Reads the SECRET under `key`; relative paths begin at `folder`.
pub(super) fn read(
    section: &Section<'_>,
    key: &str,
    folder: &Path,
    faults: &mut Faults,
) -> Given<SecretSource> {
    let (item, span) = section.item(key)?;
    if let Some(text) = item.as_str() {
        return literal(key, text, span, faults);
    }
    let Some(table) = item.as_table_like() else {
        let message = format!("`{key}` must be a string or a reference, not {}", article(item));
        faults.add(span, message).label(FORMS);
        return None;
    };
    let source = reference(key, table, span.clone(), folder, faults)?;
    Some(Spanned::new(span, source))
}

fn literal(key: &str, text: &str, span: Range<usize>, faults: &mut Faults) -> Given<SecretSource> {
    if text.trim().is_empty() {
        faults.add(span, format!("`{key}` is empty")).label(FORMS);
        return None;
    }
    Some(Spanned::new(span, SecretSource::Literal(Secret::new(text))))
}

fn reference(
    key: &str,
    table: &dyn TableLike,
    span: Range<usize>,
    folder: &Path,
    faults: &mut Faults,
) -> Option<SecretSource> {
    let section = Section::open(table, known::SECRET, span.clone(), faults);
    let named: Vec<&str> = ["env", "file", "credential", "command"]
        .into_iter()
        .filter(|form| section.has(form))
        .collect();
    let [form] = named[..] else {
        if named.is_empty() && section.has_strangers() {
            // What was meant is misspelled, and complained of.
            return None;
        }
        let message = match named.len() {
            0 => format!("`{key}` says nowhere to find the secret"),
            _ => format!("`{key}` says `{}` at once", named.join("` and `")),
        };
        faults.add(span, message).label(FORMS);
        return None;
    };
    for only_in_files in ["key", "format"] {
        if form != "file" && section.has(only_in_files) {
            let place = section.key_span(only_in_files);
            faults.add(place, format!("`{only_in_files}` goes with `file`, not with `{form}`"));
        }
    }
    match form {
        "env" => variable(&section, faults),
        "file" => file(&section, folder, faults),
        "credential" => credential(&section, faults),
        _ => command(&section, folder, faults),
    }
}

fn variable(section: &Section<'_>, faults: &mut Faults) -> Option<SecretSource> {
    let name = section.string("env", faults)?;
    if name.get_ref().is_empty() || name.get_ref().contains(['=', '\0', ' ', '/']) {
        faults.add(name.span(), "`env` must be the name of a variable");
        return None;
    }
    Some(SecretSource::Env(name.into_inner()))
}

fn file(section: &Section<'_>, folder: &Path, faults: &mut Faults) -> Option<SecretSource> {
    let format = section.string("format", faults);
    let format = match &format {
        None => None,
        Some(name) => Some(known_format(name, faults)?),
    };
    let key = section.string("key", faults);
    let path = section.path("file", faults)?;
    let format_or_guess = format.unwrap_or_else(|| Format::guess(Path::new(path.get_ref())));
    match (&key, format) {
        (Some(key), _) if format_or_guess == Format::Raw => {
            faults
                .add(key.span(), "which `format` the file has is not clear from its name")
                .label("say `format`: toml, ini, env, json or yaml");
            return None;
        }
        (None, Some(format)) if format != Format::Raw => {
            faults.add(path.span(), EditError::KeyNeeded(format).to_string());
            return None;
        }
        _ => {}
    }
    Some(SecretSource::File {
        path: folder.join(path.get_ref()),
        format: if key.is_some() { format_or_guess } else { Format::Raw },
        key: key.map(Spanned::into_inner),
    })
}

/// The format of that name.
pub(super) fn known_format(name: &Spanned<String>, faults: &mut Faults) -> Option<Format> {
    let format = Format::from_name(name.get_ref());
    if format.is_none() {
        faults
            .add(name.span(), format!("unknown format {}", quoted(name.get_ref())))
            .label("write toml, ini, env, json, yaml or raw");
    }
    format
}

fn credential(section: &Section<'_>, faults: &mut Faults) -> Option<SecretSource> {
    let name = section.string("credential", faults)?;
    let text = name.get_ref();
    if text.is_empty() || text.contains('/') || text == "." || text == ".." {
        faults.add(name.span(), "`credential` must be a name, not a path");
        return None;
    }
    Some(SecretSource::Credential(name.into_inner()))
}

fn command(section: &Section<'_>, folder: &Path, faults: &mut Faults) -> Option<SecretSource> {
    let words = argv::read(section, folder, faults)?.into_inner();
    Some(SecretSource::Command(words.into_iter().map(Spanned::into_inner).collect()))
}
