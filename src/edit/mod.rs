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

mod coding;
mod document;
mod env;
mod error;
mod file;
mod first;
mod flat;
mod format;
mod ini;
mod json;
mod jsonc;
mod patch;
mod proof;
mod quoted;
mod sealed;
mod site;
mod toml;
mod yaml;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

pub use self::document::Document;
use self::document::find;
pub use self::env::variables;
pub use self::error::{EditError, LineColumn};
use self::file::File;
pub use self::format::{Anchored, Format, Options};
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

/// Names one value in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValueAddress<'a> {
    /// How the file is written.
    pub format: Format,
    /// The key of the value; none where the file is the value.
    pub key: Option<&'a str>,
    /// Which value the key means.
    pub options: Options,
}

/// What stands at an address.
#[derive(Clone, PartialEq, Eq)]
pub enum HeldValue {
    /// No value: the key is missing, or has none yet.
    Nothing,
    /// This text.
    Text(Zeroizing<String>),
    /// Something that is not text, as it is written.
    Other(Zeroizing<String>),
}

impl fmt::Debug for HeldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Text(_) => "Text(redacted)",
            Self::Other(_) => "Other(redacted)",
        })
    }
}

impl ValueAddress<'_> {
    fn file<'b>(&self, bytes: &'b [u8]) -> File<'b> {
        File::with(self.format, bytes, self.options)
    }

    /// Finds the one value.
    pub fn locate(&self, bytes: &[u8]) -> Result<Located, EditError> {
        let file = self.file(bytes);
        let (span, value) = find(&file, self.key)?.text(&file, self.key)?;
        Ok(Located { line: file.place(span.start).line, value, span })
    }

    /// Tells what stands there, text or not.
    pub fn held(&self, bytes: &[u8]) -> Result<HeldValue, EditError> {
        let file = self.file(bytes);
        let site = match find(&file, self.key) {
            Err(EditError::Missing { .. }) => return Ok(HeldValue::Nothing),
            Err(_) if file.is_blank() => return Ok(HeldValue::Nothing),
            found => found?,
        };
        let written = String::from_utf8_lossy(&bytes[site.span]).into_owned();
        Ok(match site.content {
            Content::Nothing(_) => HeldValue::Nothing,
            Content::Text(text) | Content::Lines(text) if text.trim().is_empty() => {
                HeldValue::Nothing
            }
            Content::Text(text) => HeldValue::Text(text),
            Content::Uncoded(text) => HeldValue::Other(text),
            Content::Lines(_) | Content::Scalar(_) | Content::Other(_) => {
                HeldValue::Other(written.into())
            }
        })
    }

    /// Refuses what a first delivery may not replace unasked: what is neither empty, nor a
    /// placeholder, nor like an access token. What cannot be replaced at all says so itself.
    pub fn may_be_replaced(&self, bytes: &[u8]) -> Result<(), EditError> {
        first::judge(&self.file(bytes), self.key).or_else(|error| self.if_replaceable(bytes, error))
    }

    /// Refuses a file of more than one word as one raw value.
    pub fn is_one_word(&self, bytes: &[u8]) -> Result<(), EditError> {
        first::one_word(&self.file(bytes)).or_else(|error| self.if_replaceable(bytes, error))
    }

    /// The error, or the one of an edit that would fail all the same.
    fn if_replaceable(&self, bytes: &[u8], error: EditError) -> Result<(), EditError> {
        self.replace(bytes, "EAAFAKE", Missing::Refuse)?;
        Err(error)
    }

    /// Gives the file with `value` there, and every other byte as it was.
    ///
    /// One value of any kind may be replaced, also a number or null; a list, a table or what other
    /// parts of the file hang on is an error, and so is a key that is there twice. What is written
    /// is always text, and [`ValueAddress::locate`] reads it back.
    pub fn replace(
        &self,
        bytes: &[u8],
        value: &str,
        missing: Missing,
    ) -> Result<Edited, EditError> {
        let file = self.file(bytes);
        sealed::refuse(&file)?;
        let patch = match (find(&file, self.key), self.key) {
            (Ok(site), _) if site.content.says(value) => return Ok(Edited::Unchanged),
            (Ok(site), key) => overwrite(&file, key, site, value)?,
            (Err(error), Some(key))
                if missing == Missing::Create && may_be_created(&file, &error) =>
            {
                create(&file, key, value)?
            }
            // A remedy that proposes to create the key must not fail when it is followed.
            (Err(error), Some(key)) if may_be_created(&file, &error) => {
                return Err(match create(&file, key, value) {
                    Ok(_) | Err(EditError::BadKey { .. }) => error,
                    Err(why) => why,
                });
            }
            (Err(error), _) => return Err(error),
        };
        let changed = patch.apply(bytes);
        let after = self.file(&changed);
        let located = self.locate(&changed).ok().filter(|located| *located.value == *value);
        let change = patch.change();
        let (true, Some(located)) =
            (proof::holds(&file, &after, self.key.unwrap_or_default(), change), located)
        else {
            return Err(EditError::Unproven { format: self.format });
        };
        if let Some(why) = belongs_to_the_line_above(&after, located.span.start) {
            let (key, at) = (self.key.unwrap_or_default(), after.place(located.span.start));
            return Err(EditError::Irreplaceable { key: key.to_owned(), at, why });
        }
        Ok(Edited::Changed(changed))
    }
}

/// Returns whether a value looks like an access token of Meta's: a first delivery may replace it, but
/// not before it was examined.
pub fn looks_like_a_token(value: &str) -> bool {
    first::standing(value) == first::Standing::Token
}

/// Finds the one value that `key` names.
pub fn locate(format: Format, bytes: &[u8], key: Option<&str>) -> Result<Located, EditError> {
    ValueAddress { format, key, options: Options::default() }.locate(bytes)
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

/// Gives the file with `value` at `key`, as [`ValueAddress::replace`] does.
pub fn replace(
    format: Format,
    bytes: &[u8],
    key: Option<&str>,
    value: &str,
    missing: Missing,
) -> Result<Edited, EditError> {
    ValueAddress { format, key, options: Options::default() }.replace(bytes, value, missing)
}

/// Why some readers would take what was written at `at` for a part of another value.
fn belongs_to_the_line_above(after: &File<'_>, at: usize) -> Option<&'static str> {
    let is_by_line = matches!(after.format, Format::Ini | Format::Env);
    let backslash = is_by_line && after.continues_the_line_above(at);
    if backslash {
        return Some("a `\\` at the end of the line above makes its line part of that one");
    }
    let indented = after.format == Format::Ini && ini::is_indented_below_another(after, at);
    indented.then_some("some readers take its indented line as part of the one above")
}

/// A file with nothing in it lacks every key, whatever its format makes of nothing.
fn may_be_created(file: &File<'_>, error: &EditError) -> bool {
    matches!(error, EditError::Missing { instead: None, .. }) || file.is_blank()
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
    let value = &site.coding.encoded(value);
    match file.format {
        Format::Toml => Ok(toml::overwrite(file, site, value)),
        Format::Ini => ini::overwrite(file, key.unwrap_or_default(), site, value),
        Format::Env => env::overwrite(file, key.unwrap_or_default(), site, value),
        Format::Json => Ok(Patch::value(site.span, quoted::double(value))),
        Format::Yaml => yaml::overwrite(file, key.unwrap_or_default(), value),
        Format::Raw => Ok(Patch::value(site.span, value.clone())),
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
