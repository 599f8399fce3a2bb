//! Writes values and names so that every reader takes them for the text that they are.
//!
//! YAML 1.1 and 1.2 differ on what a scalar without quotes means, and readers mix them: what either
//! reads as something other than text is kept in quotes.

use zeroize::Zeroizing;

use super::tree::Layout;
use crate::edit::patch::joined;
use crate::edit::quoted::{double, is_plain};

/// Writes a value without quotes, if it may stand so.
pub fn plain(value: &str, layout: Layout) -> Zeroizing<String> {
    if may_be_plain(value, layout) { joined(&[value]) } else { double(value) }
}

/// Writes a value into `'`, if that can hold it.
pub fn single(value: &str) -> Zeroizing<String> {
    if !value.chars().all(is_plain) {
        return double(value);
    }
    let mut written = Zeroizing::new(String::with_capacity(value.len() * 2 + 2));
    written.push('\'');
    for c in value.chars() {
        written.push(c);
        if c == '\'' {
            written.push(c);
        }
    }
    written.push('\'');
    written
}

/// Writes a name.
pub fn name(part: &str) -> Zeroizing<String> {
    if may_be_plain(part, Layout::Flow) { joined(&[part]) } else { double(part) }
}

/// What an empty scalar is.
pub const NOTHING: &str = "nothing";

/// What a plain scalar is in YAML's core schema, or in the older one, if it is not text.
pub fn not_text(plain: &str) -> Option<&'static str> {
    match plain.to_ascii_lowercase().as_str() {
        "" | "~" | "null" => Some(NOTHING),
        "true" | "false" | "yes" | "no" | "on" | "off" => Some("true or false"),
        word => {
            let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
            let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && (digits.parse::<f64>().is_ok()
                    || digits.strip_prefix("0x").is_some_and(|hex| is_all(hex, 16))
                    || digits.strip_prefix("0o").is_some_and(|octal| is_all(octal, 8)));
            numeric.then_some("a number")
        }
    }
}

fn is_all(text: &str, radix: u32) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_digit(radix))
}

/// Whether the text means itself without quotes, to every reader.
pub fn may_be_plain(text: &str, layout: Layout) -> bool {
    let has_role = |c: char| match c {
        ':' => layout == Layout::Flow,
        _ => !c.is_ascii_graphic() || "#,[]{}&*!>'\"`\\".contains(c),
    };
    let starts_well = text.starts_with(|c: char| {
        c.is_ascii_alphabetic() || (c.is_ascii_digit() && !is_like_a_number(text))
    });
    starts_well
        && !text.contains(has_role)
        && !text.ends_with(':')
        && not_text(text).is_none()
        && !["y", "n"].contains(&text.to_ascii_lowercase().as_str())
}

/// Whether all of it could belong to a number, a date or a time in some notation.
fn is_like_a_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_hexdigit() || "xoXO_.:+-tTzZ".contains(c))
}
