//! Writes into files of `NAME=value` lines.
//!
//! Shells, systemd, Docker and the dotenv libraries agree on little. What all of them take alike is
//! written, and `export`, blanks and quotes stay. A bare value stays bare while it holds only what
//! a shell leaves alone, or what the old value held too: a file with a bare `|` is not read by a
//! shell. Otherwise it goes into `'`. A value in `'` goes into `"` if it has a `'`, or a `\` that some
//! readers undo even there; one in `"` goes into `'` if something inside might be expanded; what
//! fits neither is escaped in `"` as shells do. Line breaks are refused: some readers undo `\n`,
//! some do not.

use zeroize::Zeroizing;

use super::patch::{Patch, joined};
use super::quoted::between;
use crate::edit::env::{Exported, Quote, Written, entries, is_comment};
use crate::edit::{EditError, File, Format, Site};

/// Another value in the place of the one at `site`.
pub(super) fn overwrite(
    file: &File<'_>,
    key: &str,
    site: Site,
    value: &str,
) -> Result<Patch, EditError> {
    let old = &file.bytes[site.span.clone()];
    let quote = match old.first() {
        Some(b'"') => Quote::Double,
        Some(b'\'') => Quote::Single,
        _ => Quote::None,
    };
    if quote == Quote::None && old.ends_with(b"\\") {
        let why = "a `\\` at the end of the line makes the next line part of it";
        let at = file.place(site.span.start);
        return Err(EditError::Irreplaceable { key: key.to_owned(), at, why });
    }
    let written = written(value, quote, old)?;
    if old.is_empty() {
        return Ok(first_value(file, site.span.start, &written));
    }
    Ok(Patch::value(site.span, written))
}

/// Puts a value where none is yet: at the `=`, or a shell would run it as a command.
fn first_value(file: &File<'_>, at: usize, written: &str) -> Patch {
    let comment = !matches!(file.bytes.get(at), None | Some(b'\r' | b'\n'));
    let equals = file.bytes[..at].trim_ascii_end().len();
    match comment {
        true if at == equals => Patch::value(at..at, joined(&[written, " "])),
        true => Patch::value(equals..equals, joined(&[written])),
        false => Patch::value(at..at, joined(&[written])),
    }
}

fn written(value: &str, quote: Quote, old: &[u8]) -> Result<Zeroizing<String>, EditError> {
    if value.contains(char::is_control) {
        let why = "it has a line break or another control character";
        return Err(EditError::Unwritable { format: Format::Env, why });
    }
    let order = match quote {
        Quote::None => [Quote::None, Quote::Single, Quote::Double],
        Quote::Single => [Quote::Single, Quote::Double, Quote::Double],
        Quote::Double => [Quote::Double, Quote::Single, Quote::Double],
    };
    let fits = |quote: &Quote| match quote {
        Quote::None => value.chars().all(|c| is_bare(c, old)),
        Quote::Single => !value.contains(['\'', '\\']),
        Quote::Double => !value.contains(['$', '`']),
    };
    Ok(match order.into_iter().find(fits).unwrap_or(Quote::Double) {
        Quote::None => between("", value),
        Quote::Single => between("'", value),
        Quote::Double => escaped(value),
    })
}

/// Whether a character needs no quotes: no shell acts on it, or the old value had it bare as well.
fn is_bare(c: char, old: &[u8]) -> bool {
    let harmless = c.is_ascii_alphanumeric() || "_-./:=+@%,".contains(c);
    harmless
        || u8::try_from(c).is_ok_and(|byte| {
            byte.is_ascii_graphic() && !b"'\"\\$`#".contains(&byte) && old.contains(&byte)
        })
}

fn escaped(value: &str) -> Zeroizing<String> {
    let mut written = Zeroizing::new(String::with_capacity(value.len() * 2 + 2));
    written.push('"');
    for c in value.chars() {
        if "\"\\$`".contains(c) {
            written.push('\\');
        }
        written.push(c);
    }
    written.push('"');
    written
}

/// A new line at the end of the file, exported if all others are.
pub(super) fn create(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
    if !is_name(key) {
        return Err(EditError::BadKey { key: key.to_owned(), format: file.format });
    }
    let entries = entries(file);
    if let Some(open) = entries.iter().find(|entry| matches!(entry.value, Written::Unclosed)) {
        return Err(file.unparsable(open.at));
    }
    if let Some((at, line)) = file.lines().last()
        && line.ends_with(b"\\")
        && !is_comment(line)
    {
        let why = "the last line of the file goes on by its `\\`";
        return Err(file.no_place(key, Some(at), why));
    }
    let all = |entry: &_| matches!(entry, crate::edit::env::Entry { exported: Exported::Yes, .. });
    let export = if !entries.is_empty() && entries.iter().all(all) { "export " } else { "" };
    let line = joined(&[export, key, "=", &written(value, Quote::None, b"")?]);
    Ok(Patch::line_at_end(file, &[&line]))
}

/// A name that a shell takes; dots and dashes are for the readers that are none.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}
