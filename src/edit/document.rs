//! Reads many values out of one file, which is parsed once.

use std::fmt;
use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::site::{Site, raw};
use super::yaml::Node;
use super::{EditError, File, Format, env, ini, json, toml, yaml};

/// A file that many values are read from.
pub struct Document {
    format: Format,
    bytes: Zeroizing<Vec<u8>>,
    is_text: OnceLock<Result<(), EditError>>,
    parsed: OnceLock<Result<Parsed, EditError>>,
    /// Where each line ends: of many values each is asked for its line.
    line_ends: OnceLock<Vec<usize>>,
}

impl Document {
    /// A file that holds `bytes`; it is parsed when the first value is asked for.
    pub fn new(format: Format, bytes: Zeroizing<Vec<u8>>) -> Self {
        let (is_text, parsed, line_ends) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { format, bytes, is_text, parsed, line_ends }
    }

    /// Reads the one value that `key` names, as [`locate`](super::locate) does.
    pub fn read(&self, key: Option<&str>) -> Result<Zeroizing<String>, EditError> {
        self.locate(key).map(|(_, value)| value)
    }

    /// The line on which the value that `key` names begins, counted from 1.
    pub fn line(&self, key: &str) -> Result<usize, EditError> {
        let (start, _) = self.locate(Some(key))?;
        let line_ends = self.line_ends.get_or_init(|| {
            let bytes = self.bytes.iter().enumerate();
            bytes.filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect()
        });
        Ok(line_ends.partition_point(|end| *end < start) + 1)
    }

    /// Where the value begins, and what it is. Nothing here looks through the file for one key.
    fn locate(&self, key: Option<&str>) -> Result<(usize, Zeroizing<String>), EditError> {
        let file = self.file();
        self.is_text.get_or_init(|| file.is_text()).clone()?;
        check(&file, key)?;
        let parsed = self.parsed.get_or_init(|| Parsed::of(&file));
        let site = parsed.as_ref().map_err(EditError::clone)?.find(&file, key)?;
        let (span, value) = site.text(&file, key)?;
        Ok((span.start, value))
    }

    fn file(&self) -> File<'_> {
        File::new(self.format, &self.bytes)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document(redacted)")
    }
}

/// What a format's parser makes of a file, ready to be asked for any key.
pub enum Parsed {
    Env(env::EnvNames),
    Ini(ini::IniNames),
    Json(json::Collections),
    Raw,
    Toml(toml_edit::Item),
    Yaml(Vec<Node>),
}

impl Parsed {
    /// Parses a file.
    pub fn of(file: &File<'_>) -> Result<Self, EditError> {
        Ok(match file.format {
            Format::Env => Self::Env(env::EnvNames::of(file)),
            Format::Ini => Self::Ini(ini::IniNames::of(file)?),
            Format::Json => Self::Json(json::Collections::of(file)?),
            Format::Raw => Self::Raw,
            Format::Toml => Self::Toml(toml::parse(file)?.as_item().clone()),
            Format::Yaml => Self::Yaml(Node::documents(file)?),
        })
    }

    /// Finds what is at a key that [`check`] has let pass.
    pub fn find(&self, file: &File<'_>, key: Option<&str>) -> Result<Site, EditError> {
        let Some(key) = key else { return raw(file) };
        match self {
            Self::Env(names) => names.find(file, key),
            Self::Ini(names) => names.find(file, key),
            Self::Json(collections) => json::find(file, collections, key),
            Self::Raw => raw(file),
            Self::Toml(root) => toml::find(file, root, key),
            Self::Yaml(documents) => yaml::find(file, documents, key),
        }
    }
}

/// Finds what is at `key`, text or not.
pub fn find(file: &File<'_>, key: Option<&str>) -> Result<Site, EditError> {
    file.is_text()?;
    check(file, key)?;
    Parsed::of(file)?.find(file, key)
}

/// Whether a file of that format can have such a key, whatever it holds.
fn check(file: &File<'_>, key: Option<&str>) -> Result<(), EditError> {
    match (file.format, key) {
        (Format::Raw, None) => Ok(()),
        (Format::Raw, Some(key)) => {
            Err(EditError::BadKey { key: key.to_owned(), format: file.format })
        }
        (_, None) => Err(EditError::KeyNeeded(file.format)),
        (Format::Toml, Some(key)) => toml::path(file, key).map(drop),
        (_, Some(_)) => Ok(()),
    }
}
