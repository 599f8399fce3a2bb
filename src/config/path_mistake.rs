//! Finds out why a path cannot be the one that is meant: it has a part that only a shell, systemd, Windows
//! or a template replaces, or something that was copied along with it.

use std::fmt;

use crate::token::is_invisible;

/// Why a path cannot be the one that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathMistake {
    /// `~/token`.
    Home,
    /// `$HOME/token`.
    ShellVariable,
    /// `%h/token`.
    Specifier,
    /// `%USERPROFILE%/token`.
    WindowsVariable,
    /// `{{home}}/token`.
    Template,
    /// `<path>`.
    Placeholder,
    /// A line break, an escape, or a character without width.
    HiddenCharacter,
    /// ` /srv/token`.
    Blank,
    /// `"/srv/token"`, quotes and all.
    Quotes,
    /// `file:///srv/token`.
    Address,
}

impl PathMistake {
    /// The first such part of a path.
    pub fn find(path: &str) -> Option<Self> {
        let mut parts = path.split('/');
        let first = parts.clone().next().unwrap_or_default();
        let is_deep = path.contains('/');
        let is_home =
            |name: &str| name.is_empty() || is_deep && begins(name) && !name.contains('.');
        let is_variable = |behind: &str| begins(behind) || behind.starts_with(['{', '(']);
        let is_specifier =
            |part: &str| matches!(part.as_bytes(), [b'%', letter] if letter.is_ascii_alphabetic());
        let is_placeholder =
            |part: &str| part.len() > 2 && part.starts_with('<') && part.ends_with('>');
        let is_in = |marks: [char; 2]| path.starts_with(marks[0]) && path.ends_with(marks[1]);
        if path.contains(|c: char| c.is_control() || is_invisible(c)) {
            Some(Self::HiddenCharacter)
        } else if path.trim() != path {
            Some(Self::Blank)
        } else if [['"'; 2], ['\''; 2], ['`'; 2], ['“', '”']].into_iter().any(is_in) {
            Some(Self::Quotes)
        } else if path.starts_with("file:/") {
            Some(Self::Address)
        } else if first.strip_prefix('~').is_some_and(is_home) {
            Some(Self::Home)
        } else if path.split('$').skip(1).any(is_variable) {
            Some(Self::ShellVariable)
        } else if is_deep && is_specifier(first) {
            Some(Self::Specifier)
        } else if path.split(['/', '\\']).any(is_windows_variable) {
            Some(Self::WindowsVariable)
        } else if path.split_once("{{").is_some_and(|(_, behind)| behind.contains("}}")) {
            Some(Self::Template)
        } else if parts.any(is_placeholder) {
            Some(Self::Placeholder)
        } else {
            None
        }
    }

    /// What is written in its place.
    pub const fn instead(self) -> &'static str {
        match self {
            Self::HiddenCharacter | Self::Blank | Self::Quotes | Self::Address => {
                "write the path alone"
            }
            _ => "write the whole path",
        }
    }
}

fn begins(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// `%USERPROFILE%`.
fn is_windows_variable(part: &str) -> bool {
    let name = part.strip_prefix('%').and_then(|part| part.strip_suffix('%'));
    let is_plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    name.is_some_and(|name| begins(name) && is_plain(name))
}

/// What is wrong, behind what it is wrong of.
impl fmt::Display for PathMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Home => "begins with `~`, which only a shell understands",
            Self::ShellVariable => "has a variable with `$` in it, which only a shell understands",
            Self::Specifier => "begins with `%`, which only systemd understands",
            Self::WindowsVariable => {
                "has a variable with `%` in it, which only Windows understands"
            }
            Self::Template => "has `{{…}}` in it, which only a template understands",
            Self::Placeholder => "has a placeholder in it, `<…>`",
            Self::HiddenCharacter => {
                "has a character in it that is not shown, such as a line break"
            }
            Self::Blank => "has a blank at its beginning or end",
            Self::Quotes => "has quotes around it",
            Self::Address => "is an address, not a path",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_expanded_is_found_and_what_a_file_may_be_called_is_not() {
        for (path, expected) in [
            ("~/token", Some(PathMistake::Home)),
            ("~anna/token", Some(PathMistake::Home)),
            ("/srv/~a/token", None),
            ("~", Some(PathMistake::Home)),
            ("~anna", None),
            ("token~", None),
            ("~.bak/token", None),
            ("$HOME/token", Some(PathMistake::ShellVariable)),
            ("${XDG_CONFIG_HOME}/x", Some(PathMistake::ShellVariable)),
            ("/srv/$(hostname)/token", Some(PathMistake::ShellVariable)),
            ("/srv/price-in-$/token", None),
            ("%h/token", Some(PathMistake::Specifier)),
            ("%h", None),
            ("/srv/50%/token", None),
            ("%USERPROFILE%/token", Some(PathMistake::WindowsVariable)),
            ("%APPDATA%\\meta\\token", Some(PathMistake::WindowsVariable)),
            ("/srv/%TEMP%/token", Some(PathMistake::WindowsVariable)),
            ("/srv/%20 %20%/token", None),
            ("{{home}}/token", Some(PathMistake::Template)),
            ("/srv/{{ app }}.env", Some(PathMistake::Template)),
            ("/srv/{page_id}.env", None),
            ("/srv/{{.env", None),
            ("<path>", Some(PathMistake::Placeholder)),
            ("/srv/<your app>/.env", Some(PathMistake::Placeholder)),
            ("/srv/<>/a<b>.env", None),
            ("/srv/a\n.env", Some(PathMistake::HiddenCharacter)),
            ("/srv/\u{1b}[2J", Some(PathMistake::HiddenCharacter)),
            ("/srv/a\u{200b}.env", Some(PathMistake::HiddenCharacter)),
            (" /srv/a.env", Some(PathMistake::Blank)),
            ("/srv/a b.env", None),
            ("'/srv/a.env'", Some(PathMistake::Quotes)),
            ("/srv/it's.env", None),
            ("file:///srv/a.env", Some(PathMistake::Address)),
            ("/srv/file:/a.env", None),
        ] {
            assert_eq!(PathMistake::find(path), expected, "{path}");
        }
    }
}
