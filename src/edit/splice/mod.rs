//! Replaces one value inside a file, and proves that nothing else has changed.
//!
//! Locate and splice: the bytes of the one value give way to the new ones in the same style of
//! quotes, and every other byte is copied. What comes out is read again by the format's parser and
//! must equal what went in but for that value; if it does not, there is an error and nothing else.
//! So a mistake in here costs a delivery and never somebody's file.
//!
//! A value that does not fit the style it finds takes the nearest that holds it; each format's
//! page says which.

mod env;
mod ini;
mod json;
mod patch;
mod proof;
mod quoted;
mod toml;
mod tree;
mod yaml;

#[cfg(test)]
mod tests;

use std::fmt;

use zeroize::Zeroizing;

use self::patch::Patch;
use super::{Content, EditError, File, Format, Site, find, locate};

/// What to do about a key that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It is an error.
    Refuse,
    /// It is put where one would look for it, with the parents that it lacks.
    Create,
}

/// What became of a file.
#[derive(Clone, PartialEq, Eq)]
pub enum Edited {
    /// It holds the value already, and need not be touched.
    Unchanged,
    /// The bytes that it is to have.
    Changed(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for Edited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unchanged => "Unchanged",
            Self::Changed(_) => "Changed(redacted)",
        })
    }
}

/// Gives the file with `value` at `key`, and every other byte as it was.
///
/// One value of any kind may be replaced, also a number or null; a list, a table or what other
/// parts of the file hang on is an error, and so is a key that is there twice. What is written is
/// always text, and [`locate`] reads it back.
pub fn replace(
    format: Format,
    bytes: &[u8],
    key: Option<&str>,
    value: &str,
    missing: Missing,
) -> Result<Edited, EditError> {
    let file = File::new(format, bytes);
    let patch = match (find(&file, key), key) {
        (Ok(site), _) if site.content.says(value) => return Ok(Edited::Unchanged),
        (Ok(site), _) => overwrite(&file, key, site, value)?,
        (Err(error), Some(key)) if missing == Missing::Create && may_be_created(&file, &error) => {
            create(&file, key, value)?
        }
        (Err(error), _) => return Err(error),
    };
    let changed = patch.apply(bytes);
    let after = File::new(format, &changed);
    if !proof::holds(&file, &after, key.unwrap_or_default(), patch.change())
        || !locate(format, &changed, key).is_ok_and(|located| *located.value == *value)
    {
        return Err(EditError::Unproven { format });
    }
    Ok(Edited::Changed(changed))
}

impl Content {
    fn says(&self, value: &str) -> bool {
        matches!(self, Self::Text(text) | Self::Lines(text) if text.as_str() == value)
    }
}

/// A file with nothing in it lacks every key, whatever its format makes of nothing.
fn may_be_created(file: &File<'_>, error: &EditError) -> bool {
    matches!(error, EditError::Missing { .. }) || file.is_blank()
}

fn overwrite(
    file: &File<'_>,
    key: Option<&str>,
    site: Site,
    value: &str,
) -> Result<Patch, EditError> {
    if let Content::Other(found) = site.content {
        return Err(file.not_text(key, site.span.start, found));
    }
    match file.format {
        Format::Toml => Ok(toml::overwrite(file, site, value)),
        Format::Ini => ini::overwrite(file, key.unwrap_or_default(), site, value),
        Format::Env => env::overwrite(file, key.unwrap_or_default(), site, value),
        Format::Json => Ok(Patch::value(site.span, quoted::double(value))),
        Format::Yaml => yaml::overwrite(file, key.unwrap_or_default(), value),
        Format::Raw => Ok(Patch::value(site.span, Zeroizing::new(value.to_owned()))),
    }
}

fn create(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
    match file.format {
        Format::Toml => toml::create(file, key, value),
        Format::Ini => ini::create(file, key, value),
        Format::Env => env::create(file, key, value),
        Format::Json => json::create(file, key, value),
        Format::Yaml => yaml::create(file, key, value),
        Format::Raw => Err(EditError::BadKey { key: key.to_owned(), format: file.format }),
    }
}

impl File<'_> {
    fn is_blank(&self) -> bool {
        self.bytes[self.start..].trim_ascii().is_empty()
    }

    /// The line end of the file, `\n` if it has none yet.
    fn line_end(&self) -> &'static str {
        let first = self.bytes.iter().position(|byte| *byte == b'\n');
        match first.and_then(|at| at.checked_sub(1)).map(|at| self.bytes[at]) {
            Some(b'\r') => "\r\n",
            _ => "\n",
        }
    }

    /// The blanks with which the line around `at` begins.
    fn indentation(&self, at: usize) -> &str {
        let line = &self.bytes[self.line_start(at)..];
        let length = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        std::str::from_utf8(&line[..length]).unwrap_or_default()
    }

    fn line_start(&self, at: usize) -> usize {
        let before = &self.bytes[self.start..at];
        self.start + before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
    }

    /// Where the comment begins that stands right above the line at `at`, or that line.
    fn heading(&self, at: usize) -> usize {
        let mut top = at;
        while top > self.start {
            let above = self.line_start(top - 1);
            if !self.bytes[above..top].trim_ascii_start().starts_with(b"#")
                && !self.bytes[above..top].trim_ascii_start().starts_with(b";")
            {
                break;
            }
            top = above;
        }
        top
    }

    fn no_place(&self, key: &str, at: Option<usize>, why: &'static str) -> EditError {
        EditError::NoPlace { key: key.to_owned(), at: at.map(|at| self.place(at)), why }
    }
}
