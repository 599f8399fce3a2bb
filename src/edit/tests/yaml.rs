//! YAML with its styles, blocks, anchors and documents.

use super::{created, found, replaced};
use crate::edit::Format::Yaml;
use crate::edit::yaml::scalar::may_be_plain;
use crate::edit::yaml::tree::Layout;

#[test]
fn only_the_value_changes() {
    for (text, key, expected) in [
        ("# é\nt: old   # keep\n\nu: 1\n", "t", "# é\nt: EAAnew   # keep\n\nu: 1\n"),
        ("t : \"old\"   # keep\r\nu: yes\r\n", "t", "t : \"EAAnew\"   # keep\r\nu: yes\r\n"),
        ("f:\n  t: 'it''s'\n", "f.t", "f:\n  t: 'EAAnew'\n"),
        ("\u{feff}t: old", "t", "\u{feff}t: EAAnew"),
        ("f: {t: old, u: [a, b]} # c\n", "f.t", "f: {t: EAAnew, u: [a, b]} # c\n"),
        ("f: [a, \"b\"]\n", "f.1", "f: [a, \"EAAnew\"]\n"),
        ("f:\n- t: x\n- t: y\n", "f.1.t", "f:\n- t: x\n- t: EAAnew\n"),
        ("t:\nu: 1\n", "t", "t: EAAnew\nu: 1\n"),
        ("t:   # todo\nu: 1\n", "t", "t: EAAnew   # todo\nu: 1\n"),
        ("t: ~\n", "t", "t: EAAnew\n"),
        ("t: 12 # n\n", "t", "t: EAAnew # n\n"),
        ("t: !!str 12\n", "t", "t: !!str EAAnew\n"),
        ("t: plain\n  on two\nu: 1\n", "t", "t: EAAnew\nu: 1\n"),
        ("t: \"on\n  two\" # c\n", "t", "t: \"EAAnew\" # c\n"),
        (
            "f:\n  t: |  # c\n    EAAold\n    more\n\n# d\nu: 1\n",
            "f.t",
            "f:\n  t: \"EAAnew\"  # c\n\n# d\nu: 1\n",
        ),
        ("f:\r\n  t: >-\r\n    EAAold\r\n  u: 1\r\n", "f.t", "f:\r\n  t: \"EAAnew\"\r\n  u: 1\r\n"),
        ("t: |+\n  x\n\n\nu: 1\n", "t", "t: \"EAAnew\"\n\n\nu: 1\n"),
        ("t: !!str |\n  x\nu: 1\n", "t", "t: !!str \"EAAnew\"\nu: 1\n"),
        ("- |\n  x\n- y\n", "0", "- \"EAAnew\"\n- y\n"),
        ("t: |-\n  EAAnew\n", "t", "="),
        ("-\n- y\n", "0", "- EAAnew\n- y\n"),
        ("{t: , u: 1}\n", "t", "{t: EAAnew , u: 1}\n"),
        ("? t\n: old\n", "t", "? t\n: EAAnew\n"),
        ("a: 1\n---\nt: old\n...\n", "t", "a: 1\n---\nt: EAAnew\n...\n"),
        ("t: 1\n---\nt: 2\n", "t", "the key `t` is in more than one document: 1 and 2"),
        ("\"f.t\": x\n", "\"f.t\"", "\"f.t\": EAAnew\n"),
        ("f:\n  a.b/c: x\n", "f.'a.b/c'", "f:\n  a.b/c: EAAnew\n"),
        ("f.t: x\n", "f.t", "it has no key `f.t`, but `\"f.t\"`: a name in it holds the dots"),
        (
            "f:\n  g.h:\n    t: x\n",
            "f.g.h.t",
            "it has no key `f.g.h.t`, but `f.\"g.h\".t`: a name in it holds the dots",
        ),
        (
            "x: &e\n  t: x\nf:\n  env: *e\n",
            "f.env.t",
            "the key `f.env.t` leads through an alias: line 4; what it stands for begins on line 2",
        ),
        ("f:\n  t: 1\nf:\n  u: 2\n", "f.t", "the key `f.t` is there more than once: lines 1 and 3"),
        ("t: EAAnew # same\n", "t", "="),
        (
            "a: &a x\nt: *a\n",
            "t",
            "the key `t` leads through an alias: line 2; what it stands for begins on line 1",
        ),
        ("t: [x]\n", "t", "the key `t` holds a list, not text: line 1"),
        (
            "t: &a x\nb: *a\n",
            "t",
            "the value of the key `t` cannot be replaced alone: it is anchored by `&`, and its aliases would change with it: line 1",
        ),
        (
            "base: &b\n  t: x\nu:\n  <<: *b\n",
            "base.t",
            "the value of the key `base.t` cannot be replaced alone: it is anchored by `&`, and its aliases would change with it: line 2",
        ),
        (
            "t: !vault |\n  abc\n",
            "t",
            "the value of the key `t` cannot be replaced: its tag gives it another meaning: line 1",
        ),
        ("t: \"open\n", "t", "it cannot be read as yaml: line 1"),
    ] {
        assert_eq!(replaced(Yaml, text, key, "EAAnew"), expected, "{text}");
    }
}

#[test]
fn quotes_give_way_only_to_what_they_cannot_hold() {
    for (text, value, expected) in [
        ("t: x", "1|a%=-_", "t: 1|a%=-_"),
        ("t: x", "12", "t: \"12\""),
        ("t: x", "no", "t: \"no\""),
        ("t: x", "- a", "t: \"- a\""),
        ("t: x", "a: b", "t: \"a: b\""),
        ("t: x", "a #b", "t: \"a #b\""),
        ("t: x", "", "t: \"\""),
        ("{t: x}", "a:b", "{t: \"a:b\"}"),
        ("t: 'x'", "it's \"a\" \\", "t: 'it''s \"a\" \\'"),
        ("t: 'x'", "a\nb", "t: \"a\\nb\""),
        ("t: \"x\"", "\"\\\t\0\u{85}é", "t: \"\\\"\\\\\\t\\u0000\\u0085é\""),
    ] {
        assert_eq!(replaced(Yaml, text, "t", value), expected);
    }
}

#[test]
fn a_new_entry_goes_to_the_end_of_its_mapping() {
    for (text, key, expected) in [
        ("", "k", "k: \"v\"\n"),
        ("# only\n", "a.k", "# only\na:\n  k: \"v\"\n"),
        ("---\n", "k", "---\nk: \"v\"\n"),
        ("a: 1 # c\n\n# end\n", "k", "a: 1 # c\nk: \"v\"\n\n# end\n"),
        ("a: 1", "k", "a: 1\nk: \"v\""),
        ("a:\r\n    b: 1\r\nc: 2\r\n", "a.k", "a:\r\n    b: 1\r\n    k: \"v\"\r\nc: 2\r\n"),
        ("a:\n    b: 1\n", "c.k", "a:\n    b: 1\nc:\n    k: \"v\"\n"),
        (
            "a:\n  - b: 1\n    c: 2\n  - d\n",
            "a.0.k",
            "a:\n  - b: 1\n    c: 2\n    k: \"v\"\n  - d\n",
        ),
        ("a:\n- b\nc:\n", "k", "a:\n- b\nc:\nk: \"v\"\n"),
        ("a:\n  b: |+\n    x\n\n\nc: 1\n", "a.k", "a:\n  b: |+\n    x\n\n\n  k: \"v\"\nc: 1\n"),
        ("a:\n  b: >\n    x\n\nc: 1\n", "a.k", "a:\n  b: >\n    x\n  k: \"v\"\n\nc: 1\n"),
        ("a: # todo\nb: 1\n", "a.k", "a: # todo\n  k: \"v\"\nb: 1\n"),
        ("a: {b: 1} # c\n", "a.k", "a: {b: 1, k: \"v\"} # c\n"),
        ("{\"a\": 1}\n", "b.k", "{\"a\": 1, \"b\": {\"k\": \"v\"}}\n"),
        ("a: {}\n", "a.k", "a: {k: \"v\"}\n"),
        ("a: {b: }\n", "a.k", "a: {b:, k: \"v\" }\n"),
        ("a: 1\n", "on", "a: 1\n\"on\": \"v\"\n"),
        ("a: 1\n...\n", "k", "a: 1\nk: \"v\"\n...\n"),
        (
            "a: x\n",
            "a.k",
            "the key `a.k` cannot be created: what should hold it is not a mapping: line 1",
        ),
        ("a: [x]\n", "a.1", "the key `a.1` cannot be created: a list has no such element: line 1"),
        (
            "a: 1\n---\nb: 1\n",
            "k",
            "the key `k` cannot be created: the file holds more than one document; `document = N` names one: line 3",
        ),
        (
            "x: &x\n  b: 1\na: *x\n",
            "a.k",
            "the key `a.k` leads through an alias: line 3; what it stands for begins on line 2",
        ),
        (
            "x: &x\n  b: 1\na: *x\n",
            "x.k",
            "the value of the key `x.k` cannot be replaced alone: it is anchored by `&`, and its aliases would change with it: line 2",
        ),
        (
            "a: 1\n",
            "b.0.k",
            "the key `b.0.k` cannot be created: a number in it would need a list that is not there",
        ),
    ] {
        assert_eq!(created(Yaml, text, key, "v"), expected, "{text}");
    }
}

#[test]
fn what_cannot_be_proven_is_not_written() {
    let would = "writing the yaml file would have changed more than the value";
    for (text, key) in [
        // The end of the document is behind us, and what follows is a second one.
        ("---\n...\n", "k"),
        ("? a\n: 1\n", "k"),
    ] {
        assert_eq!(created(Yaml, text, key, "EAAnew"), would, "{text}");
    }
}

#[test]
fn a_dotted_path_leads_to_one_string() {
    let text = "# é: no\r\ntop: plain # why\r\nfacebook:\r\n  note: \"ünï\"   # c\r\n  access_token : \"EAA\\x66ake\"   # old\r\n  single: 'it''s'\r\n  id: 1173190721520267\r\n  on: yes\r\n  flow: { a: 'x', b: [p, \"q\"] }\r\n  tagged: !!str 12\r\n  nothing:\r\nlist:\r\n  - one\r\n  - k: v\r\n? [odd, key]\r\n: x\r\nanchor: &a text\r\nalias: *a\r\nlast: z";
    for (key, expected) in [
        ("top", "plain <plain> 2"),
        ("facebook.note", "ünï <\"ünï\"> 4"),
        ("facebook.access_token", "EAAfake <\"EAA\\x66ake\"> 5"),
        ("facebook.single", "it's <'it''s'> 6"),
        ("facebook.id", "the key `facebook.id` holds a number, not text: line 7"),
        ("facebook.on", "the key `facebook.on` holds true or false, not text: line 8"),
        ("facebook.flow.a", "x <'x'> 9"),
        ("facebook.flow.b.1", "q <\"q\"> 9"),
        ("facebook.tagged", "12 <12> 10"),
        ("list.0", "one <one> 13"),
        ("list.1.k", "v <v> 14"),
        ("list.2", "it has no key `list.2`"),
        ("list", "the key `list` holds a list, not text: line 13"),
        ("facebook", "the key `facebook` holds a mapping, not text: line 4"),
        ("anchor", "text <text> 17"),
        (
            "alias",
            "the key `alias` leads through an alias: line 18; what it stands for begins on line 17",
        ),
        ("last", "z <z> 19"),
        ("missing", "it has no key `missing`"),
        ("a..b", "`a..b` is not a key of a yaml file"),
    ] {
        assert_eq!(found(Yaml, text, key), expected);
    }
}

#[test]
fn documents_and_damage_are_told_apart() {
    for (text, expected) in [
        ("\u{feff}a: x\n", "x <x> 1"),
        ("---\na: x\n...\n", "x <x> 2"),
        ("a: x\na: y\n", "the key `a` is there more than once: lines 1 and 2"),
        ("a: x\n---\na: y\n", "the key `a` is in more than one document: 1 and 2"),
        ("a: x\n---\nb: y\n", "x <x> 1"),
        ("b: \"open\na: x\n", "it cannot be read as yaml: line 1"),
        ("just text", "it has no key `a`"),
        ("a: |\n  block\n", "the key `a` holds a block of lines, not text: line 2"),
    ] {
        assert_eq!(found(Yaml, text, "a"), expected, "{text}");
    }
}

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
