//! Form-encoded bodies: how a grant is asked for, and how old Graph versions hand one over.

use std::fmt::Write as _;

/// The pairs as a form: `a=1&b=%7C`.
pub(super) fn encoded<'n, 'v>(pairs: impl Iterator<Item = (&'n str, &'v str)>) -> String {
    let mut body = String::new();
    for (name, value) in pairs {
        if !body.is_empty() {
            body.push('&');
        }
        encode(name, &mut body);
        body.push('=');
        encode(value, &mut body);
    }
    body
}

fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._*".contains(&byte) {
            into.push(char::from(byte));
        } else {
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

/// The value of a field of `a=1&b=2`, decoded.
///
/// What is no form has no fields: a page or a refusal may quote a URL with a token in it.
pub(super) fn field(body: &str, name: &str) -> Option<String> {
    let body = body.trim();
    let of_a_form = |c: char| c.is_ascii_graphic() && !"<>{}\"'".contains(c);
    if !body.chars().all(of_a_form) {
        return None;
    }
    body.split('&').filter_map(|pair| pair.split_once('=')).find_map(|(key, value)| {
        (key == name).then(|| decoded(value)).flatten().filter(|value| !value.is_empty())
    })
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (rest.next()?, rest.next()?);
                let digit = |digit: u8| char::from(digit).to_digit(16);
                u8::try_from(digit(high)? * 16 + digit(low)?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        for value in ["EAAfake", "12|a b+c", "é&=%", "a\nb"] {
            let body = encoded([("x", "1"), ("t", value)].into_iter());
            assert!(body.is_ascii() && !body.contains(' '), "{body}");
            assert_eq!(field(&body, "t").as_deref(), Some(value), "{body}");
        }
        assert_eq!(encoded([("a", "1|2"), ("b", "")].into_iter()), "a=1%7C2&b=");
    }

    #[test]
    fn a_field_is_found_and_decoded() {
        for (body, value) in [
            ("access_token=EAAfake&expires=5183999", Some("EAAfake")),
            ("x=1&access_token=12%7Cfake\n", Some("12|fake")),
            ("access_token=", None),
            ("access_token=%7", None),
            ("access_token=%zz", None),
            ("access_token=%ff", None),
            ("access_token", None),
            (r#"{"message":"at&access_token=EAAfake&b"}"#, None),
            ("<p>a=1&access_token=EAAfake&b=2</p>", None),
            ("a=1&access_token=EAAfake&b=2 and more", None),
            ("", None),
        ] {
            assert_eq!(field(body, "access_token").as_deref(), value, "{body}");
        }
    }
}
