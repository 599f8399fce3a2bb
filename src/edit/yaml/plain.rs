//! What a scalar without quotes means, and which text may stand without them.
//!
//! YAML 1.1 and 1.2 differ, and readers mix them. Both are taken together: what either of them
//! reads as something else than text is kept in quotes.

use super::Layout;

/// What a plain scalar is in YAML's core schema, or in the older one, if it is not text.
pub(in crate::edit) fn not_text(plain: &str) -> Option<&'static str> {
    match plain.to_ascii_lowercase().as_str() {
        "" | "~" | "null" => Some("nothing"),
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
pub(in crate::edit) fn may_be_plain(text: &str, layout: Layout) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_reader_takes_for_more_than_text_needs_quotes() {
        for (text, block, flow) in [
            ("EAAfake", true, true),
            ("123|fake-_=%.~^", true, true),
            ("a:b", true, false),
            ("a:", false, false),
            ("", false, false),
            ("-a", false, false),
            ("%a", false, false),
            ("|a", false, false),
            ("a b", false, false),
            ("a#b", false, false),
            ("a,b", false, false),
            ("é", false, false),
            ("null", false, false),
            ("Yes", false, false),
            ("y", false, false),
            ("12", false, false),
            ("1e5", false, false),
            ("0x1F", false, false),
            ("1_000", false, false),
            ("12:30:45", false, false),
            ("2026-01-01T00:00:00Z", false, false),
            ("1.2.3", false, false),
        ] {
            assert_eq!(may_be_plain(text, Layout::Block), block, "{text}");
            assert_eq!(may_be_plain(text, Layout::Flow), flow, "{text}");
        }
    }
}
