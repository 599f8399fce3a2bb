//! Writes a string in double quotes, as JSON, TOML and YAML all read it.
//!
//! The three agree on `\"`, `\\`, `\n`, `\r`, `\t` and `\u0000`. What any of them forbids or folds
//! is escaped; every other character stays as it is.

use zeroize::Zeroizing;

/// The longest escape of one byte.
const LONGEST: usize = 6;

/// The value with quotes around it.
pub fn double(value: &str) -> Zeroizing<String> {
    // Room for everything: a string that grows leaves copies of the secret behind.
    let mut written = Zeroizing::new(String::with_capacity(value.len() * LONGEST + 2));
    written.push('"');
    for c in value.chars() {
        match c {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            c if !is_plain(c) => {
                let code = u32::from(c);
                written.push_str("\\u");
                for shift in [12, 8, 4, 0] {
                    written.push(char::from_digit((code >> shift) & 0xF, 16).unwrap_or('0'));
                }
            }
            c => written.push(c),
        }
    }
    written.push('"');
    written
}

/// The value between two marks of the same kind, with nothing escaped.
pub fn between(mark: &str, value: &str) -> Zeroizing<String> {
    let mut written = Zeroizing::new(String::with_capacity(value.len() + 2 * mark.len()));
    written.push_str(mark);
    written.push_str(value);
    written.push_str(mark);
    written
}

/// Whether a character stands for itself in every quoted string: no control character, and none
/// that a reader takes for a line end or a byte order mark.
pub fn is_plain(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_stand_for_itself_is_escaped() {
        for (value, written) in [
            ("EAAfake|x%=-_/", "\"EAAfake|x%=-_/\""),
            ("", "\"\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("\n\r\t\0\u{7f}\u{85}", "\"\\n\\r\\t\\u0000\\u007f\\u0085\""),
            ("é\u{2028}\u{feff}𝄞", "\"é\\u2028\\ufeff𝄞\""),
        ] {
            assert_eq!(*double(value), written);
            assert_eq!(serde_json::from_str::<String>(written).unwrap(), value);
        }
    }
}
