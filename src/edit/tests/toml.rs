//! TOML with all its strings, tables and dotted keys.

use super::{created, found, replaced};
use crate::edit::Format::Toml;

#[test]
fn only_the_value_changes() {
    for (text, key, expected) in [
        ("a='x'   # why\r\n\r\n#end", "a", "a='EAAnew'   # why\r\n\r\n#end"),
        ("\u{feff}a = \"x\"", "a", "\u{feff}a = \"EAAnew\""),
        ("[t]\n\ta   =   \"EAA\\u0066\" #\"x\"\n", "t.a", "[t]\n\ta   =   \"EAAnew\" #\"x\"\n"),
        ("t = { a = 'x', b = 1_000 }\n", "t.a", "t = { a = 'EAAnew', b = 1_000 }\n"),
        ("x.'y z'.a = ''\n", "x.\"y z\".a", "x.'y z'.a = 'EAAnew'\n"),
        ("a = \"\"\nb = 0x1F\n", "a", "a = \"EAAnew\"\nb = 0x1F\n"),
        ("a = \"\"\"\r\nold\r\n\"\"\" # c\r\n", "a", "a = \"\"\"\r\nEAAnew\"\"\" # c\r\n"),
        ("a = '''old\nold'''\n", "a", "a = '''EAAnew'''\n"),
        ("a = '''\nold\n'''\n", "a", "a = '''\nEAAnew'''\n"),
        ("a = 1979-05-27 # date\n", "a", "a = \"EAAnew\" # date\n"),
        ("a = false", "a", "a = \"EAAnew\""),
        ("[[p]]\nid='1'\n[[p]]\nid='2'\n", "p.1.id", "[[p]]\nid='1'\n[[p]]\nid='EAAnew'\n"),
        ("l = [ 'x', # one\n 'y' ]\n", "l.1", "l = [ 'x', # one\n 'EAAnew' ]\n"),
        ("a = 'EAAnew' # same\n", "a", "="),
        ("a = \"EAA\\u006eew\"\n", "a", "="),
        ("a = [1]\n", "a", "the key `a` holds a list, not text: line 1"),
        ("\n[a]\n", "a", "the key `a` holds a table, not text: line 2"),
        ("a = 'x'\na = 'y'\n", "a", "it cannot be read as toml: line 2"),
        ("b = 'x'\n", "a", "it has no key `a`"),
    ] {
        assert_eq!(replaced(Toml, text, key, "EAAnew"), expected);
    }
}

#[test]
fn quotes_give_way_only_to_what_they_cannot_hold() {
    for (text, value, expected) in [
        ("a = 'x'", "it's \\", "a = \"it's \\\\\""),
        ("a = 'x'", "\t\"\\", "a = '\t\"\\'"),
        ("a = 'x'", "\n", "a = \"\\n\""),
        ("a = ''", "x", "a = 'x'"),
        ("a = \"x\"", "\"\\\u{7f}\n", "a = \"\\\"\\\\\\u007f\\n\""),
        ("a = '''x'''", "it's", "a = \"it's\""),
        ("a = '''x'''", "1\n2", "a = \"1\\n2\""),
        ("a = \"\"\"x\"\"\"", "\"\"\"\n", "a = \"\"\"\\\"\\\"\\\"\\n\"\"\""),
        ("a = 'x'", "", "a = ''"),
        ("a = 'x'", "1|é%=-_", "a = '1|é%=-_'"),
    ] {
        assert_eq!(replaced(Toml, text, "a", value), expected);
    }
}

#[test]
fn a_new_key_goes_to_the_end_of_its_table() {
    for (text, key, expected) in [
        ("", "k", "k = \"v\"\n"),
        ("\u{feff}", "k", "\u{feff}k = \"v\"\n"),
        ("", "a.b.k", "[a.b]\nk = \"v\"\n"),
        ("# only\n", "k", "# only\nk = \"v\"\n"),
        ("a = 1 # one\n\n# of t\n[t]\n", "k", "a = 1 # one\nk = \"v\"\n\n# of t\n[t]\n"),
        ("# file\n\n# of t\n[t]\n", "k", "# file\n\nk = \"v\"\n\n# of t\n[t]\n"),
        (
            "[t]\r\n  a = [\r\n  1 ] # c\r\n\r\n[u]",
            "t.k",
            "[t]\r\n  a = [\r\n  1 ] # c\r\n  k = \"v\"\r\n\r\n[u]",
        ),
        ("[t] # c\n[u]\n", "t.k", "[t] # c\nk = \"v\"\n[u]\n"),
        ("[t]\na = 1", "t.k", "[t]\na = 1\nk = \"v\""),
        ("[t]\na = 1", "u.k", "[t]\na = 1\n\n[u]\nk = \"v\""),
        ("[t.u]\na = 1\n", "t.k", "[t.u]\na = 1\n\n[t]\nk = \"v\"\n"),
        ("[t]\na = 1\n", "t.u.w.k", "[t]\na = 1\n\n[t.u.w]\nk = \"v\"\n"),
        ("[t]\na.b = 1\nz = 2\n", "t.a.k", "[t]\na.b = 1\na.k = \"v\"\nz = 2\n"),
        ("[t]\na.b = 1\n", "t.a.c.k", "[t]\na.b = 1\na.c.k = \"v\"\n"),
        ("t = { a = 1, b.c = 2 } # x\n", "t.k", "t = { a = 1, b.c = 2, k = \"v\" } # x\n"),
        ("t = { b.c = 2 }\n", "t.b.k", "t = { b.c = 2, b.k = \"v\" }\n"),
        ("t = {}\n", "t.u.k", "t = { u.k = \"v\" }\n"),
        ("[[p]]\nid = 1\n[[p]]\n", "p.0.k", "[[p]]\nid = 1\nk = \"v\"\n[[p]]\n"),
        ("[[p]]\n[[p]]\n", "p.0.a.k", "[[p]]\na.k = \"v\"\n[[p]]\n"),
        ("[t]\n", "t.'odd key'", "[t]\n\"odd key\" = \"v\"\n"),
        (
            "t = 'x'",
            "t.k",
            "the key `t.k` cannot be created: what should hold it is not a table: line 1",
        ),
        (
            "t = []",
            "t.0",
            "the key `t.0` cannot be created: what should hold it is not a table: line 1",
        ),
        (
            "",
            "t.0.k",
            "the key `t.0.k` cannot be created: a number in it would need a list that is not there",
        ),
        ("a = [", "k", "it cannot be read as toml: line 1"),
        ("k = 'old'", "k", "k = 'v'"),
    ] {
        assert_eq!(created(Toml, text, key, "v"), expected, "{text}");
    }
}

#[test]
fn a_dotted_path_leads_to_one_string() {
    let text = "# app = \"no\"\r\ntop = 'x' # why\r\n[facebook]\r\naccess_token   =   \"EAA\\u0066ake\"   # old\r\nlist = [\"a\", { b = \"c\" }]\r\n\"odd key\" = \"o\"\r\n[[page]]\r\nid = \"1\"\r\n[[page]]\r\nid = \"2\"";
    for (key, expected) in [
        ("top", "x <'x'> 2"),
        ("facebook.access_token", "EAAfake <\"EAA\\u0066ake\"> 4"),
        ("facebook.list.0", "a <\"a\"> 5"),
        ("facebook.list.1.b", "c <\"c\"> 5"),
        ("facebook.'odd key'", "o <\"o\"> 6"),
        ("page.1.id", "2 <\"2\"> 10"),
        ("facebook", "the key `facebook` holds a table, not text: line 3"),
        ("facebook.list", "the key `facebook.list` holds a list, not text: line 5"),
        ("facebook.missing", "it has no key `facebook.missing`"),
        ("facebook.list.9", "it has no key `facebook.list.9`"),
        ("a b", "`a b` is not a key of a toml file"),
    ] {
        assert_eq!(found(Toml, text, key), expected);
    }
}

#[test]
fn the_byte_order_mark_is_no_part_of_a_key() {
    assert_eq!(found(Toml, "\u{feff}a = \"x\"", "a"), "x <\"x\"> 1");
    assert_eq!(found(Toml, "\u{feff}\na = 1", "a"), "the key `a` holds a number, not text: line 2");
}

#[test]
fn a_broken_file_is_named_by_its_line() {
    assert_eq!(found(Toml, "a = \"x\"\nb = EAAfake\n", "a"), "it cannot be read as toml: line 2");
    assert_eq!(found(Toml, "a = \"x\"\na = \"y\"\n", "a"), "it cannot be read as toml: line 2");
}
