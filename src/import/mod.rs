//! Reads the tokens that other programs keep: files in, rows out.
//!
//! Nothing here asks Meta, knows the config or writes. What another program wrote is mistrusted: a
//! file is read up to a limit, one bad row is told and the others are read, and no message quotes
//! what may be a secret. `input` takes a file, `csv_rows`, `json_rows` and `env_names` read the shapes
//! that say themselves what is what, by the names that `fields` knows; `database` opens an `SQLite`
//! file that another program may be writing, and `myrcat` and `flask_settings` read the tables of two
//! programs. `row` is what comes of it all.

mod csv_rows;
mod database;
mod env_names;
mod fields;
mod flask_settings;
mod input;
mod json_rows;
mod myrcat;
mod row;

use std::path::Path;

pub use self::fields::{BadRename, type_by_prefix};
pub use self::row::{ImportRow, Imports, OldApp, PastEvent, SettingsTable};

use self::fields::Renames;
use self::input::Input;
use crate::error::CliError;
use crate::token::AccessToken;

/// How another program keeps its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// CSV, JSON, or an access token and nothing else.
    Rows,
    /// `NAME=value` lines.
    Env,
    /// The table `facebook_tokens` in an `SQLite` file.
    Myrcat,
    /// The table `settings` in an `SQLite` file.
    FlaskSettings,
}

impl Shape {
    /// How it is typed behind `--from`; nothing where that is left out.
    pub const fn typed(self) -> Option<&'static str> {
        match self {
            Self::Rows => None,
            Self::Env => Some("env"),
            Self::Myrcat => Some("myrcat"),
            Self::FlaskSettings => Some("flask-settings"),
        }
    }
}

/// What a file holds.
#[derive(Debug)]
pub enum ImportedFile {
    /// Tokens by their labels.
    Rows(Imports),
    /// An access token and nothing else: what it is called is not known.
    Bare(AccessToken),
}

/// Reads a file, or standard input for `-`; `renames` are pairs `COLUMN=NAME`.
pub fn read(
    file: &Path,
    shape: Shape,
    renames: &[(String, String)],
) -> Result<ImportedFile, CliError> {
    let renames = Renames::new(renames);
    let rows = match shape {
        Shape::Rows => {
            let input = Input::read(file)?;
            if let Some(bare) = input.bare()? {
                return Ok(ImportedFile::Bare(bare));
            }
            if input.is_json() {
                json_rows::read(&input, &renames)?
            } else {
                csv_rows::read(&input, &renames)?
            }
        }
        Shape::Env => env_names::read(&Input::read(file)?, &renames)?,
        Shape::Myrcat => myrcat::read(file, &renames)?,
        Shape::FlaskSettings => flask_settings::read(file, &renames)?,
    };
    Ok(ImportedFile::Rows(rows.settled()))
}

/// Reads `COLUMN=NAME` as it is typed.
pub fn parse_rename(text: &str) -> Result<(String, String), BadRename> {
    fields::parse_rename(text)
}
