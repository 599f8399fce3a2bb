//! What each format makes of ugly files, and what holds for every file.

mod document;
mod env;
mod first;
mod ini;
mod json;
mod options;
mod proof;
mod properties;
mod raw;
mod sealed;
mod toml;
mod yaml;

use crate::edit::{Document, EditError, Edited, Format, Missing, locate, replace};

/// The file that comes out, `=` for one that need not be touched, or the error's text.
fn edited(format: Format, text: &str, key: &str, value: &str, missing: Missing) -> String {
    let key = (format != Format::Raw).then_some(key);
    match replace(format, text.as_bytes(), key, value, missing) {
        Ok(Edited::Unchanged) => "=".to_owned(),
        Ok(Edited::Changed(bytes)) => {
            let again = replace(format, &bytes, key, value, Missing::Refuse);
            assert_eq!(again, Ok(Edited::Unchanged), "a second time: {text}");
            String::from_utf8(bytes.to_vec()).unwrap()
        }
        Err(error) => {
            assert!(!format!("{error:?} {error}").contains("EAA"), "{error}");
            error.to_string()
        }
    }
}

fn replaced(format: Format, text: &str, key: &str, value: &str) -> String {
    edited(format, text, key, value, Missing::Refuse)
}

fn created(format: Format, text: &str, key: &str, value: &str) -> String {
    edited(format, text, key, value, Missing::Create)
}

#[test]
fn an_error_knows_its_place() {
    for (format, text, key, place) in [
        (Format::Json, "{\r\n \"é\": [1], \"a\": []}", "a", (2, 17)),
        (Format::Json, "\u{feff}{\"a\": // c\n[]}", "a", (2, 1)),
        (Format::Toml, "\u{feff}a = [1]", "a", (1, 5)),
        (Format::Yaml, "b: 1\na:   &x y\nc: *x\n", "a", (2, 9)),
        (Format::Env, "A=1\nB=one\\\ntwo", "B", (2, 3)),
        (Format::Ini, "[s]\na = 1\n  more\n", "s.a", (2, 5)),
    ] {
        let error = replace(format, text.as_bytes(), Some(key), "EAAfake", Missing::Refuse);
        let at = error.unwrap_err().place().unwrap();
        assert_eq!((at.line, at.column), place, "{text}");
    }
}

#[test]
fn a_missing_key_is_refused_unless_it_is_to_be_created() {
    for format in [Format::Toml, Format::Ini, Format::Env, Format::Json, Format::Yaml] {
        let text = if format == Format::Json { "{}" } else { "" };
        assert_eq!(replaced(format, text, "token", "EAAfake"), "it has no key `token`");
        let error = replace(format, text.as_bytes(), None, "EAAfake", Missing::Create).unwrap_err();
        assert_eq!(error, EditError::KeyNeeded(format));
    }
}

#[test]
fn no_depth_of_nesting_ends_the_process() {
    let deep = 100_000;
    for text in [
        "[".repeat(deep),
        "{\"a\":".repeat(deep) + "1" + &"}".repeat(deep),
        format!("a: {}", "[".repeat(deep)),
        format!("a = {}", "[".repeat(deep)),
        "- ".repeat(deep),
        "a.".repeat(deep) + "a = 1",
    ] {
        for format in [Format::Toml, Format::Json, Format::Yaml] {
            for key in ["a", "b", "a.a.a"] {
                let edited =
                    replace(format, text.as_bytes(), Some(key), "EAAfake", Missing::Create);
                assert!(edited.is_err(), "{format}: {}", &text[..9]);
            }
        }
    }
}

#[test]
fn an_edit_is_not_debugged() {
    let edited = replace(Format::Raw, b"", None, "EAAfake", Missing::Refuse).unwrap();
    assert_eq!(format!("{edited:?}"), "Changed(redacted)");
}

/// What is found, as value, written form and line; or the error's text.
fn found(format: Format, text: &str, key: &str) -> String {
    let located = locate(format, text.as_bytes(), Some(key));
    let document = Document::new(format, text.as_bytes().to_vec().into());
    for _ in 0..2 {
        let read = document.read(Some(key));
        assert_eq!(read, located.clone().map(|located| located.value), "{key}");
    }
    match located {
        Ok(located) => {
            let written = &text[located.span];
            format!("{} <{written}> {}", *located.value, located.line)
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_raw_file_is_one_value() {
    for (bytes, span) in [
        (&b"EAAfake\n"[..], 0..7),
        (b"\xEF\xBB\xBFEAAfake\r\n", 3..10),
        (b"EAAfake", 0..7),
        (b"", 0..0),
    ] {
        let located = locate(Format::Raw, bytes, None).unwrap();
        assert_eq!((located.span, located.line), (span, 1));
    }
    let error = locate(Format::Raw, b"a\n\xFF", None).unwrap_err();
    assert_eq!(error.to_string(), "it is not UTF-8 text: line 2");
    let error = locate(Format::Raw, b"a", Some("k")).unwrap_err();
    assert_eq!(error.to_string(), "a raw file is one value and has no `key`: say its `format`");
    let error = locate(Format::Toml, b"a", None).unwrap_err();
    assert_eq!(error.to_string(), "a toml file needs a `key`");
}

#[test]
fn nothing_in_any_file_makes_it_panic() {
    let awkward: [&[u8]; 14] = [
        b"",
        b"\xFF\xFE",
        b"{",
        b"{\"a\":",
        b"[[[",
        b"a = \"",
        b"a='",
        b"a: \"",
        b"a: |\n x",
        b"[a",
        b"= x",
        b"export ",
        b"\xEF\xBB\xBF",
        b"a: &x *x",
    ];
    for format in Format::ALL {
        for bytes in awkward {
            for key in [None, Some(""), Some("a"), Some("a.b"), Some("/a"), Some(".")] {
                let _ = locate(format, bytes, key);
            }
        }
    }
}

#[test]
fn a_located_value_is_not_debugged() {
    let located = locate(Format::Env, b"A=EAAfake", Some("A")).unwrap();
    assert_eq!(format!("{located:?}"), "Located { span: 2..9, line: 1, .. }");
}
