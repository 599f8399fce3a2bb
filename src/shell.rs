//! Writes paths and users into the commands that a person is to type.

use std::fmt::Write as _;
use std::path::Path;

/// The path as one word of a shell's command line.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%=".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text;
    }
    // A line break or an escape must not reach the terminal.
    if text.contains(char::is_control) {
        let mut escaped = String::new();
        for c in text.chars() {
            match c {
                '\'' | '\\' => escaped.extend(['\\', c]),
                c if c.is_control() => {
                    for byte in c.to_string().bytes() {
                        let _ = write!(escaped, "\\x{byte:02x}");
                    }
                }
                c => escaped.push(c),
            }
        }
        return format!("$'{escaped}'");
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A user's name, or the number where the machine has no name for it.
pub(crate) fn user_name(id: u32) -> String {
    name_in("/etc/passwd", id)
}

/// A group's name, or the number where the machine has no name for it.
pub(crate) fn group_name(id: u32) -> String {
    name_in("/etc/group", id)
}

fn name_in(list: &str, id: u32) -> String {
    let lines = std::fs::read_to_string(list).unwrap_or_default();
    let name = lines.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number == id.to_string()).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_needs_it() {
        for (path, expected) in [
            ("/var/lib/metatoken/metatoken.db", "/var/lib/metatoken/metatoken.db"),
            ("/a b/x.db", "'/a b/x.db'"),
            ("/it's", "'/it'\\''s'"),
            ("/$HOME", "'/$HOME'"),
            ("/it's\n\u{1b}[2J", "$'/it\\'s\\x0a\\x1b[2J'"),
        ] {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
