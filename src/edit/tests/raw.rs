//! A file that is one value, with or without a final line end.

use super::{created, replaced};
use crate::edit::Format::Raw;
use crate::edit::{Edited, Missing, replace};

#[test]
fn the_whole_file_is_the_value_and_its_final_line_end_stays() {
    for (text, expected) in [
        ("EAAold\n", "EAAnew\n"),
        ("EAAold", "EAAnew"),
        ("EAAold\r\n", "EAAnew\r\n"),
        ("\u{feff}EAAold\n", "\u{feff}EAAnew\n"),
        ("", "EAAnew"),
        ("\n", "EAAnew\n"),
        ("two\nlines\n", "EAAnew\n"),
        ("EAAnew\n", "="),
        ("EAAnew", "="),
    ] {
        assert_eq!(replaced(Raw, text, "", "EAAnew"), expected);
        assert_eq!(created(Raw, text, "", "EAAnew"), expected);
    }
}

#[test]
fn what_would_not_read_back_is_not_written() {
    let would = "writing the raw file would have changed more than the value";
    assert_eq!(replaced(Raw, "EAAold", "", "EAAnew\n"), would);
    let error = replace(Raw, b"a\n\xFF", None, "EAAnew", Missing::Create).unwrap_err();
    assert_eq!(error.to_string(), "it is not UTF-8 text: line 2");
    assert_eq!(replace(Raw, b"x", None, "x", Missing::Refuse), Ok(Edited::Unchanged));
}
