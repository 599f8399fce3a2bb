//! INI as it is met: several readers, several habits, one value changed.

use super::{created, found, replaced};
use crate::edit::Format::Ini;
use crate::edit::{Edited, Format, Missing, locate, replace};

#[test]
fn only_the_value_changes() {
    for (text, key, expected) in [
        (
            "; conf\r\n[Facebook]\r\nApp_ID=12\r\naccess_token   =  EAAold ; keep\r\n\r\n",
            "Facebook.access_token",
            "; conf\r\n[Facebook]\r\nApp_ID=12\r\naccess_token   =  EAAnew ; keep\r\n\r\n",
        ),
        ("[f]\nTOKEN : old\n[g]\nTOKEN: x", "F.token", "[f]\nTOKEN : EAAnew\n[g]\nTOKEN: x"),
        ("[f]\nK = 1\nk = 2\n", "f.k", "[f]\nK = 1\nk = EAAnew\n"),
        ("[f]\nk=\"old\" ; c\n", "f.k", "[f]\nk=\"EAAnew\" ; c\n"),
        ("[f]\nk='old'\n", "f.k", "[f]\nk='EAAnew'\n"),
        ("\u{feff}k=old", "k", "\u{feff}k=EAAnew"),
        ("k=\n", "k", "k=EAAnew\n"),
        ("k =\n", "k", "k = EAAnew\n"),
        ("k = \n", "k", "k = EAAnew\n"),
        ("k =  ; c\n", "k", "k = EAAnew  ; c\n"),
        ("k=; c\n", "k", "k=EAAnew ; c\n"),
        ("k:", "k", "k:EAAnew"),
        ("[f]\n\tk = a\n\tl = b\n", "f.k", "[f]\n\tk = EAAnew\n\tl = b\n"),
        ("[f]\nk = EAAnew   ; same\n", "f.k", "="),
        (
            "[f]\nk=1\n[g]\n[f]\nk=2\n",
            "f.k",
            "the key `f.k` is there more than once: lines 2 and 5",
        ),
        ("[f]\nk=1\nk=2\n", "f.k", "the key `f.k` is there more than once: lines 2 and 3"),
        ("[f]\nk=1\n[f]\nl=2\n", "f.l", "[f]\nk=1\n[f]\nl=EAAnew\n"),
        (
            "[f]\nk = a\n  b\n",
            "f.k",
            "the value of the key `f.k` cannot be replaced: some readers take the indented line below it as part of it: line 2",
        ),
        (
            "[f]\nk = a\\\nb\n",
            "f.k",
            "the value of the key `f.k` cannot be replaced: a `\\` at the end of the line makes the next line part of it: line 2",
        ),
        ("[f]\nk = a\n  ; c\n", "f.k", "[f]\nk = EAAnew\n  ; c\n"),
        ("[f\nk = a\n", "f.k", "it cannot be read as ini: line 1"),
        ("[f]\nj = \"open\nk = a\n", "f.k", "it cannot be read as ini: line 2"),
        ("[f]\nj = \"open\nk = a\nl = \"b\"\n", "f.k", "it cannot be read as ini: line 2"),
        (
            "[f]\nj = \"on\nk = two\"\nk = a\n",
            "f.k",
            "the key `f.k` is there more than once: lines 3 and 4",
        ),
        ("[f]\nj = \"on\ntwo\" ; c\nk = a\n", "f.k", "[f]\nj = \"on\ntwo\" ; c\nk = EAAnew\n"),
        ("[f]\nk = a\nj = \"open\n", "f.k", "[f]\nk = EAAnew\nj = \"open\n"),
    ] {
        assert_eq!(replaced(Ini, text, key, "EAAnew"), expected, "{text}");
    }
}

#[test]
fn quotes_give_way_only_to_what_they_cannot_hold() {
    let none = "an ini file cannot hold the value: no kind of quotes fits around it";
    for (text, value, expected) in [
        ("k = x", "a%b=c:d", "k = a%b=c:d"),
        ("k = x", "1|a%b=c:d", "k = \"1|a%b=c:d\""),
        ("k = 'x'", "1|a", "k = '1|a'"),
        ("k = 1|b", "1|a", "k = 1|a"),
        ("k : x", "1|a", "k : 1|a"),
        ("j = a(b)\nk = x", "1|a", "j = a(b)\nk = 1|a"),
        ("j = \"a|b\"\nk = x ; (c)", "1|a", "j = \"a|b\"\nk = \"1|a\" ; (c)"),
        ("k =", "1|a", "k = \"1|a\""),
        ("k = x", "None", "k = \"None\""),
        ("k = x", " a;b#c ", "k = \" a;b#c \""),
        ("k = x", "\"a\"", "k = '\"a\"'"),
        ("k = x", "it's \"a\" b", "k = it's \"a\" b"),
        ("k = x", "EAA\\", none),
        ("k = 'x'", "it's", "k = \"it's\""),
        ("k = \"x\"", "a\"b", "k = 'a\"b'"),
        ("k = \"x\"", "a\"b'c", "k = a\"b'c"),
        ("k = \"x\"", "EAA\"b';", none),
        ("k = x", "", "k = "),
        ("k = \"x\"", "", "k = \"\""),
        (
            "k = x",
            "a\nb",
            "an ini file cannot hold the value: it has a line break or another control character",
        ),
    ] {
        assert_eq!(replaced(Ini, text, "k", value), expected);
    }
}

#[test]
fn a_new_key_goes_to_the_end_of_its_section() {
    for (text, key, expected) in [
        ("", "k", "k = v\n"),
        ("", "f.k", "[f]\nk = v\n"),
        ("a=1\n\n; of f\n[f]\nb=2\n", "k", "a=1\nk=v\n\n; of f\n[f]\nb=2\n"),
        ("; file\n\n; of f\n[f]\nb=2\n", "k", "; file\n\nk = v\n\n; of f\n[f]\nb=2\n"),
        (
            "[f]\r\na : 1 ; x\r\n\r\n; of g\r\n[g]\r\nb=2",
            "f.k",
            "[f]\r\na : 1 ; x\r\nk : v\r\n\r\n; of g\r\n[g]\r\nb=2",
        ),
        ("[f]\n\ta=1\n", "f.k", "[f]\n\ta=1\n\tk=v\n"),
        ("[f]\na=1", "f.k", "[f]\na=1\nk=v"),
        ("[f]\na=1", "g.k", "[f]\na=1\n\n[g]\nk=v"),
        ("[f]\na=1\n\n", "g.k", "[f]\na=1\n\n[g]\nk=v\n"),
        ("[F]\n", "f.k", "[F]\nk = v\n"),
        ("[a.b]\n[a]\n", "a.b.k", "[a.b]\nk = v\n[a]\n"),
        ("[a]\n", "a.b.k", "[a]\nb.k = v\n"),
        ("[f]\na = 1\n  more\n", "f.k", "[f]\na = 1\n  more\nk = v\n"),
        ("[f]\n[f]\n", "f.k", "the key `f` is there more than once: lines 1 and 2"),
        (
            "[f]\nk\n",
            "f.k",
            "the key `f.k` cannot be created: a line names it without a value: line 2",
        ),
        ("", "f.", "`f.` is not a key of an ini file"),
        ("", ".k", "`.k` is not a key of an ini file"),
        ("", "f].k", "`f].k` is not a key of an ini file"),
        ("", "f.a=b", "`f.a=b` is not a key of an ini file"),
    ] {
        assert_eq!(created(Ini, text, key, "v"), expected, "{text}");
    }
}

#[test]
fn bytes_of_another_encoding_survive() {
    let bytes = b"; caf\xE9\n[s]\nb = \xE9\na = x\n";
    let Ok(Edited::Changed(new)) = replace(Ini, bytes, Some("s.a"), "EAAnew", Missing::Refuse)
    else {
        panic!("it is written");
    };
    assert_eq!(&new[..], b"; caf\xE9\n[s]\nb = \xE9\na = EAAnew\n");
}

#[test]
fn a_section_and_a_name_lead_to_one_value() {
    let text = "; access_token = no\r\ntop = t\r\n[facebook]\r\n# access_token = no\r\naccess_token : EAAfake=; ; old\r\nquoted=\"a ; b\" ; c\r\nsingle = 'it' # c\r\nempty =\r\nallow_no_value\r\n[a.b]\r\n  c.d\t=\tx \r\n[twice]\r\nk=1\r\n[other]\r\nk=2\r\n[twice]\r\nk=3";
    for (key, expected) in [
        ("top", "t <t> 2"),
        ("facebook.access_token", "EAAfake=; <EAAfake=;> 5"),
        ("facebook.quoted", "a ; b <\"a ; b\"> 6"),
        ("facebook.single", "it <'it'> 7"),
        ("facebook.empty", " <> 8"),
        ("a.b.c.d", "x <x> 11"),
        ("other.k", "2 <2> 15"),
        ("twice.k", "the key `twice.k` is there more than once: lines 13 and 17"),
        ("Facebook.Access_Token", "EAAfake=; <EAAfake=;> 5"),
        ("access_token", "it has no key `access_token`"),
        ("facebook.missing", "it has no key `facebook.missing`"),
    ] {
        assert_eq!(found(Ini, text, key), expected);
    }
}

#[test]
fn what_makes_no_sense_is_named_by_its_line() {
    for (text, expected) in [
        ("\u{feff}a=1", "1 <1> 1"),
        ("x=1\n[open\na=1", "it cannot be read as ini: line 2"),
        ("\na=\"open", "it cannot be read as ini: line 2"),
        ("a=\"x\"y", "it cannot be read as ini: line 1"),
        ("b=\"open\na=1\n", "it cannot be read as ini: line 1"),
        ("a = # nothing", " <> 1"),
    ] {
        assert_eq!(found(Ini, text, "a"), expected, "{text}");
    }
}

#[test]
fn the_exact_case_comes_first() {
    let text = "[a]\nK = 1\nk = 2\nx = 3\nX = 4\n";
    for (key, expected) in [
        ("a.k", "2 <2> 3"),
        ("a.K", "1 <1> 2"),
        ("A.X", "the key `A.X` is there more than once: lines 4 and 5"),
    ] {
        assert_eq!(found(Ini, text, key), expected);
    }
}

#[test]
fn another_encoding_elsewhere_does_no_harm() {
    let located = locate(Format::Ini, b"; caf\xE9\nb = \xE9\na = x\n", Some("a")).unwrap();
    assert_eq!((located.value.as_str(), located.span), ("x", 17..18));
}

/// A line at the end of a script or of another program's config would break it.
#[test]
fn nothing_is_added_to_a_file_of_another_kind() {
    for (text, line) in [
        ("# c\nserver {\n  set $t \"a=b\";\n}\n", 2),
        ("<VirtualHost *:80>\nSetEnv T x\n</VirtualHost>\n", 1),
        ("<?php\n$a = 'x';\n", 1),
        ("SetEnv T x\n", 1),
        ("global\n  daemon\nfrontend www\n  bind *:80\n", 1),
    ] {
        let why = format!(
            "the key `t` cannot be created: its lines are not those of an INI file: line {line}"
        );
        assert_eq!(created(Ini, text, "t", "v"), why, "{text}");
        // Nor is it proposed.
        assert_eq!(replaced(Ini, text, "t", "v"), why, "{text}");
    }
    assert_eq!(
        created(Ini, "skip-name-resolve\n[a]\n", "a.t", "v"),
        "skip-name-resolve\n[a]\nt = v\n"
    );
    assert_eq!(
        created(Ini, "a: {\n", "t", "v"),
        "the key `t` cannot be created: its lines are not those of an INI file: line 1"
    );
}
