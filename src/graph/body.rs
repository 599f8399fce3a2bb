//! Reads the body of an answer, as JSON or as a form, and writes forms.
//!
//! Meta writes numbers as strings and strings as numbers, serves JSON as `text/javascript`, and
//! leaves out whatever it likes. Ids pass 2^53, so none is ever read as a float. What is read
//! is wiped afterwards: it may hold a token.

use std::fmt::Write as _;

use serde_json::Value;
use zeroize::Zeroize;

/// A parsed body; its strings are wiped when it is dropped, for one of them may be a token.
pub struct JsonBody(Value);

impl JsonBody {
    /// Parses a body; a call-back's wrapping (JSONP) and guards before the JSON are taken off.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}').trim();
        serde_json::from_str(text)
            .ok()
            .or_else(|| serde_json::from_str(unwrapped(text)?).ok())
            .map(Self)
    }

    /// Returns the outermost value.
    pub const fn root(&self) -> &Value {
        &self.0
    }
}

impl Drop for JsonBody {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What stands inside `/**/ name({...});` or behind `for (;;);`.
fn unwrapped(text: &str) -> Option<&str> {
    if let Some(guarded) = text.strip_prefix("for (;;);") {
        return Some(guarded);
    }
    let (name, call) = text.trim_start_matches("/**/").trim_start().split_once('(')?;
    let named = |c: char| c.is_ascii_alphanumeric() || "_$.".contains(c);
    let inside = call.trim_end_matches(';').trim_end().strip_suffix(')')?;
    name.trim_end().chars().all(named).then_some(inside)
}

/// The one object that an answer is about: the answer itself, or what it wraps.
pub fn subject(root: &Value) -> &Value {
    wrapped(root).unwrap_or(root)
}

/// What an answer wraps as `data`, alone or as the only item of a list. Meta's pages show the wrapped
/// form where its hosts often give the flat one. Source: Meta, Instagram platform reference, `me`;
/// Instagram business login.
pub fn wrapped(root: &Value) -> Option<&Value> {
    match root.get("data")? {
        data @ Value::Object(_) => Some(data),
        Value::Array(items) => match items.as_slice() {
            [item @ Value::Object(_)] => Some(item),
            _ => None,
        },
        _ => None,
    }
}

/// A field that holds a text.
pub fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// A field that holds a whole number, perhaps written as a text.
pub fn integer(object: &Value, name: &str) -> Option<i64> {
    match object.get(name)? {
        Value::Number(number) => number.as_i64().or_else(|| whole(&number.to_string())),
        Value::String(text) => whole(text.trim()),
        _ => None,
    }
}

/// A whole number, perhaps in the form in which some programs write one: `60.0`.
fn whole(text: &str) -> Option<i64> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

/// A field that holds one of Meta's ids.
pub fn id(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(as_id)
}

/// One of Meta's ids, written as a text or as a number: digits, and nothing else.
pub fn as_id(value: &Value) -> Option<String> {
    /// Longer than the longest id of Meta's, and short enough to print.
    const LIMIT: usize = 32;
    let id = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_u64()?.to_string(),
        _ => return None,
    };
    let plain = !id.is_empty() && id.len() <= LIMIT && id.bytes().all(|c| c.is_ascii_digit());
    plain.then_some(id)
}

/// A field that says yes or no, perhaps as a text or a number.
pub fn flag(object: &Value, name: &str) -> Option<bool> {
    match object.get(name)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64().map(|number| number != 0),
        _ => None,
    }
}

/// The pairs as a form: `a=1&b=%7C`.
pub fn form_encoded<'n, 'v>(pairs: impl Iterator<Item = (&'n str, &'v str)>) -> String {
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
/// What is not a form has no fields: a page or a refusal may quote a URL with a token in it.
pub fn form_field(body: &str, name: &str) -> Option<String> {
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
    fn the_wrapping_is_taken_off() {
        for (body, parsed) in [
            ("{\"a\":1} ", true),
            ("\u{feff}{\"a\":1}", true),
            ("/**/ back_17({\"a\":1});", true),
            ("back({\"a\":1})", true),
            ("for (;;);{\"a\":1}", true),
            ("{\"a\":1} and more", false),
            ("<html>(1)</html>", false),
            ("one two({\"a\":1})", false),
            ("", false),
            ("(", false),
        ] {
            let document = JsonBody::parse(body.as_bytes());
            assert_eq!(document.is_some(), parsed, "{body}");
            if let Some(document) = document {
                assert_eq!(integer(document.root(), "a"), Some(1), "{body}");
            }
        }
        assert!(JsonBody::parse(b"\xff\xfe").is_none());
        assert!(JsonBody::parse("[".repeat(10_000).as_bytes()).is_none());
    }

    #[test]
    fn numbers_and_texts_are_the_same_and_fractions_are_neither() {
        let document = JsonBody::parse(
            br#"{"n":5,"s":" 5 ","w":5.0,"ws":"5.0","f":5.5,"e":1e300,"big":17841400123456789,"ids":"178","bad":"1a","neg":-1,"t":"true"}"#,
        );
        let root = document.as_ref().expect("it is JSON").root();
        assert_eq!((integer(root, "n"), integer(root, "s")), (Some(5), Some(5)));
        assert_eq!((integer(root, "w"), integer(root, "ws")), (Some(5), Some(5)));
        assert_eq!((id(root, "w"), integer(root, "e")), (None, None));
        assert_eq!((integer(root, "f"), id(root, "f")), (None, None));
        assert_eq!(id(root, "big").as_deref(), Some("17841400123456789"));
        assert_eq!(id(root, "ids").as_deref(), Some("178"));
        assert_eq!((id(root, "bad"), id(root, "neg")), (None, None));
        assert_eq!(
            (flag(root, "t"), flag(root, "n"), flag(root, "bad")),
            (Some(true), Some(true), None)
        );
    }

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        for value in ["EAAfake", "12|a b+c", "é&=%", "a\nb"] {
            let body = form_encoded([("x", "1"), ("t", value)].into_iter());
            assert!(body.is_ascii() && !body.contains(' '), "{body}");
            assert_eq!(form_field(&body, "t").as_deref(), Some(value), "{body}");
        }
        assert_eq!(form_encoded([("a", "1|2"), ("b", "")].into_iter()), "a=1%7C2&b=");
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
            assert_eq!(form_field(body, "access_token").as_deref(), value, "{body}");
        }
    }
}
