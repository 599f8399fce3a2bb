//! Finds one value inside a file that belongs to another program, and replaces it.
//!
//! An access token often lives in the config of the program that uses it: comments, order, quotes
//! and line ends must survive. So nothing here writes a document anew. [`locate`] finds the bytes of
//! the value; [`replace`] exchanges those bytes in the same style of quotes and copies all others.
//! The result is read again by the format's parser and must equal the old file but for that value,
//! else nothing is returned but an error: a mistake in here costs a delivery, never a file.
//!
//! Everything in such a file may be a secret: no error quotes it. A value that does not fit the
//! style it finds takes the nearest that holds it; each format's page says which.

mod document;
mod env;
mod error;
mod file;
mod format;
mod ini;
mod json;
mod patch;
mod proof;
mod quoted;
mod site;
mod toml;
mod yaml;
mod yaml_tree;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

pub use self::document::Document;
use self::document::find;
pub use self::error::{EditError, Place};
use self::file::File;
pub use self::format::Format;
use self::patch::Patch;
use self::site::{Content, Site};

/// One value, and where it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Located {
    /// What it says, with quotes and escapes undone.
    pub value: Zeroizing<String>,
    /// The bytes of the value as written, quotes included.
    pub span: Range<usize>,
    /// The line on which it begins, counted from 1.
    pub line: usize,
}

impl fmt::Debug for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Located")
            .field("span", &self.span)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// Finds the one value that `key` names.
pub fn locate(format: Format, bytes: &[u8], key: Option<&str>) -> Result<Located, EditError> {
    let file = File::new(format, bytes);
    let (span, value) = find(&file, key)?.text(&file, key)?;
    Ok(Located { line: file.place(span.start).line, value, span })
}

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
