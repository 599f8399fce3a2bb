//! What each format makes of ugly files, and what holds for every file.

mod document;
mod env;
mod ini;
mod json;
mod proof;
mod properties;
mod raw;
mod toml;
mod yaml;

use crate::edit::{EditError, Edited, Format, Missing, replace};

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
        (Format::Json, "\u{feff}{\"a\": // no\n1}", "a", (1, 7)),
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
