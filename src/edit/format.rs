//! Names the formats that a value can be found in.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// TOML; a key is a dotted path.
    Toml,
    /// INI; a key is `section.name`, or `name` above the first section.
    Ini,
    /// Lines of `NAME=value`; a key is the name.
    Env,
    /// JSON, comments and trailing commas allowed; a key is a dotted path or a `/json/pointer`.
    Json,
    /// YAML; a key is a dotted path, in which a name with dots is quoted.
    Yaml,
    /// The whole file is the value; there is no key.
    Raw,
}

impl Format {
    /// Every format, in the order in which it is documented.
    pub const ALL: [Self; 6] =
        [Self::Toml, Self::Ini, Self::Env, Self::Json, Self::Yaml, Self::Raw];

    /// The name by which a config calls it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Ini => "ini",
            Self::Env => "env",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Raw => "raw",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// The format that a file of this name usually has; `Raw` when the name says nothing.
    pub fn guess(path: &Path) -> Self {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name == ".env" || name.starts_with(".env.") {
            return Self::Env;
        }
        match name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
            Some("toml") => Self::Toml,
            Some("ini" | "cfg" | "conf" | "cnf") => Self::Ini,
            Some("env") => Self::Env,
            Some("json" | "jsonc") => Self::Json,
            Some("yaml" | "yml") => Self::Yaml,
            _ => Self::Raw,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which of several values a key means, and what may change with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The number of the document in a YAML file that has several, counted from 1.
    pub document: Option<NonZeroUsize>,
    /// What to do with a value that aliases of YAML share.
    pub anchored: Anchored,
}

/// What to do with a value that is anchored by `&`, itself or with what it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Anchored {
    /// Nothing: its aliases would change with it.
    #[default]
    Refuse,
    /// Replace it for all its aliases.
    Replace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_guessed_from_the_name() {
        for (path, format) in [
            ("/srv/a/config.ini", Format::Ini),
            ("/srv/a/my.cnf", Format::Ini),
            ("/srv/a/.env", Format::Env),
            ("/srv/a/.env.production", Format::Env),
            ("/srv/a/web.env", Format::Env),
            ("/srv/a/a.TOML", Format::Toml),
            ("/srv/a/a.json", Format::Json),
            ("/srv/a/settings.jsonc", Format::Json),
            ("/srv/a/a.yml", Format::Yaml),
            ("/srv/a/token", Format::Raw),
            ("/", Format::Raw),
        ] {
            assert_eq!(Format::guess(Path::new(path)), format, "{path}");
        }
        for format in Format::ALL {
            assert_eq!(Format::from_name(format.as_str()), Some(format));
        }
    }
}
