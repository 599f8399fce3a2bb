//! Finds in a path what only a shell, systemd, Windows or a template would put something else in the
//! place of, and what no path has that a person means.

use std::fmt;

/// Why a path cannot be the one that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unexpanded {
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
    /// A line break, or an escape.
    ControlCharacter,
}

impl Unexpanded {
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
        if path.contains(char::is_control) {
            Some(Self::ControlCharacter)
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
            Self::ControlCharacter => "write it on one line",
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
impl fmt::Display for Unexpanded {
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
            Self::ControlCharacter => "has a line break or another control character in it",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_expanded_is_found_and_what_a_file_may_be_called_is_not() {
        for (path, expected) in [
            ("~/token", Some(Unexpanded::Home)),
            ("~anna/token", Some(Unexpanded::Home)),
            ("/srv/~a/token", None),
            ("~", Some(Unexpanded::Home)),
            ("~anna", None),
            ("token~", None),
            ("~.bak/token", None),
            ("$HOME/token", Some(Unexpanded::ShellVariable)),
            ("${XDG_CONFIG_HOME}/x", Some(Unexpanded::ShellVariable)),
            ("/srv/$(hostname)/token", Some(Unexpanded::ShellVariable)),
            ("/srv/price-in-$/token", None),
            ("%h/token", Some(Unexpanded::Specifier)),
            ("%h", None),
            ("/srv/50%/token", None),
            ("%USERPROFILE%/token", Some(Unexpanded::WindowsVariable)),
            ("%APPDATA%\\meta\\token", Some(Unexpanded::WindowsVariable)),
            ("/srv/%TEMP%/token", Some(Unexpanded::WindowsVariable)),
            ("/srv/%20 %20%/token", None),
            ("{{home}}/token", Some(Unexpanded::Template)),
            ("/srv/{{ app }}.env", Some(Unexpanded::Template)),
            ("/srv/{page_id}.env", None),
            ("/srv/{{.env", None),
            ("<path>", Some(Unexpanded::Placeholder)),
            ("/srv/<your app>/.env", Some(Unexpanded::Placeholder)),
            ("/srv/<>/a<b>.env", None),
            ("/srv/a\n.env", Some(Unexpanded::ControlCharacter)),
            ("/srv/\u{1b}[2J", Some(Unexpanded::ControlCharacter)),
        ] {
            assert_eq!(Unexpanded::find(path), expected, "{path}");
        }
    }
}
