//! JSON in every layout, with what only its writer would put into it.

use super::{created, found, replaced};
use crate::edit::Format::Json;

#[test]
fn only_the_value_changes() {
    for (text, key, expected) in [
        ("{\"a\":\"x\",\"n\":1.0e5}", "a", "{\"a\":\"EAAnew\",\"n\":1.0e5}"),
        (
            "\u{feff}{\r\n\t\"a\" : \"x\"\r\n}\r\n",
            "a",
            "\u{feff}{\r\n\t\"a\" : \"EAAnew\"\r\n}\r\n",
        ),
        (
            "{\"a\": {\"b\": [0, {\"c\": \"x\"}]}}",
            "/a/b/1/c",
            "{\"a\": {\"b\": [0, {\"c\": \"EAAnew\"}]}}",
        ),
        ("{\"a/b\": null}", "/a~1b", "{\"a/b\": \"EAAnew\"}"),
        (
            "{\"a\": 12345678901234567890123, \"b\": 1e2}",
            "b",
            "{\"a\": 12345678901234567890123, \"b\": \"EAAnew\"}",
        ),
        ("{\"d\":1,\"d\":2,\"a\":false}", "a", "{\"d\":1,\"d\":2,\"a\":\"EAAnew\"}"),
        ("{\"a\": \"EAA\\u006eew\"}", "a", "="),
        ("{\"a\": 1, \"a\": \"x\"}", "a", "the key `a` is there more than once: lines 1 and 1"),
        ("{\"a\": {}}", "a", "the key `a` holds an object, not text: line 1"),
        ("{\n// \"a\": 1\n\"a\": \"x\"}", "a", "{\n// \"a\": 1\n\"a\": \"EAAnew\"}"),
        ("{\"a\": \"x\",}", "a", "{\"a\": \"EAAnew\",}"),
        (
            "// é\r\n{\r\n  \"a\": /* old: */ \"x\" /* kept */, // \"\r\n  \"b\": [1, ], /* ] */\r\n}",
            "a",
            "// é\r\n{\r\n  \"a\": /* old: */ \"EAAnew\" /* kept */, // \"\r\n  \"b\": [1, ], /* ] */\r\n}",
        ),
        ("{\"b\": \"// no\", \"a\": \"/*\"}", "a", "{\"b\": \"// no\", \"a\": \"EAAnew\"}"),
        ("{\"a\": \"x\" /* open }", "a", "it cannot be read as json: line 1"),
        ("{\"a\": \"x\",,}", "a", "it cannot be read as json: line 1"),
        ("{\"a\": \"x\", \"b\": [,]}", "a", "it cannot be read as json: line 1"),
        ("{\"a\": \"x\" # c\n}", "a", "it cannot be read as json: line 1"),
        ("", "a", "it cannot be read as json: line 1"),
    ] {
        assert_eq!(replaced(Json, text, key, "EAAnew"), expected, "{text}");
    }
    assert_eq!(
        replaced(Json, "{\"a\":\"\"}", "a", "1|\"\\\n\0é"),
        "{\"a\":\"1|\\\"\\\\\\n\\u0000é\"}"
    );
}

#[test]
fn a_new_member_looks_like_its_sisters() {
    for (text, key, expected) in [
        ("", "k", "{\n  \"k\": \"v\"\n}\n"),
        ("\n", "a.k", "{\n  \"a\": {\n    \"k\": \"v\"\n  }\n}\n"),
        ("{}", "k", "{\"k\": \"v\"}"),
        ("{}", "a.b.k", "{\"a\": {\"b\": {\"k\": \"v\"}}}"),
        ("{\n}\n", "k", "{\n  \"k\": \"v\"\n}\n"),
        ("{\"a\":1}", "k", "{\"a\":1,\"k\":\"v\"}"),
        ("{ \"a\" : 1 }", "k", "{ \"a\" : 1, \"k\" : \"v\" }"),
        ("{\"a\": 1, \"b\": 2}", "c.k", "{\"a\": 1, \"b\": 2, \"c\": {\"k\": \"v\"}}"),
        ("{\r\n\t\"a\": 1\r\n}", "k", "{\r\n\t\"a\": 1,\r\n\t\"k\": \"v\"\r\n}"),
        (
            "{\n    \"a\": 1,\n\n    \"b\": [\n    ]\n}\n",
            "k",
            "{\n    \"a\": 1,\n\n    \"b\": [\n    ],\n    \"k\": \"v\"\n}\n",
        ),
        (
            "{\n    \"a\": 1\n}\n",
            "b.k",
            "{\n    \"a\": 1,\n    \"b\": {\n        \"k\": \"v\"\n    }\n}\n",
        ),
        ("{\n  \"a\": {}\n}\n", "a.k", "{\n  \"a\": {\n    \"k\": \"v\"\n  }\n}\n"),
        (
            "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n",
            "/a/k",
            "{\n  \"a\": {\n    \"b\": 1,\n    \"k\": \"v\"\n  }\n}\n",
        ),
        ("[{\"a\": 1}]", "0.k", "[{\"a\": 1, \"k\": \"v\"}]"),
        ("{\n  \"a\": 1 // one\n}\n", "k", "{\n  \"a\": 1, // one\n  \"k\": \"v\"\n}\n"),
        ("{\n  \"a\": 1, // one\n}\n", "k", "{\n  \"a\": 1, // one\n  \"k\": \"v\",\n}\n"),
        (
            "{\n  \"a\": 1 /* one */\n  // end\n}\n",
            "k",
            "{\n  \"a\": 1, /* one */\n  \"k\": \"v\"\n  // end\n}\n",
        ),
        ("{\n  // of a\n  \"a\": 1\n}\n", "k", "{\n  // of a\n  \"a\": 1,\n  \"k\": \"v\"\n}\n"),
        ("{\n  /* x */ \"a\": 1\n}\n", "k", "{\n  /* x */ \"a\": 1,\n  \"k\": \"v\"\n}\n"),
        ("{\"a\": 1 /* } */}", "k", "{\"a\": 1, \"k\": \"v\" /* } */}"),
        ("{\"a\": 1,}", "k", "{\"a\": 1, \"k\": \"v\",}"),
        ("{\n  // none yet\n}\n", "k", "{\n  // none yet\n  \"k\": \"v\"\n}\n"),
        ("{ /* none */ }", "k", "{ /* none */ \"k\": \"v\" }"),
        ("[]", "0", "the key `0` cannot be created: a list has no such element: line 1"),
        (
            "{\"a\": 1}",
            "a.k",
            "the key `a.k` cannot be created: what should hold it is not an object: line 1",
        ),
        (
            "{}",
            "a.0.k",
            "the key `a.0.k` cannot be created: a number in it would need a list that is not there",
        ),
        ("{\"a\": {}, \"a\": {}}", "a.k", "the key `a.k` is there more than once: lines 1 and 1"),
        ("{", "k", "it cannot be read as json: line 1"),
    ] {
        assert_eq!(created(Json, text, key, "v"), expected, "{text}");
    }
}

#[test]
fn a_path_or_a_pointer_leads_to_one_string() {
    let text = "{\r\n  \"a.b/c\" : \"x\",\r\n  \"facebook\": {\"id\": 12, \"access_token\" : \"EAA\\u0066ake\", \"on\": true},\r\n  \"list\": [1, {\"k\": \"v\\\"]}\"}, null],\r\n  \"dup\": 1, \"dup\": \"\"}";
    for (key, expected) in [
        ("facebook.access_token", "EAAfake <\"EAA\\u0066ake\"> 3"),
        ("/facebook/access_token", "EAAfake <\"EAA\\u0066ake\"> 3"),
        ("/a.b~1c", "x <\"x\"> 2"),
        ("list.1.k", "v\"]} <\"v\\\"]}\"> 4"),
        ("/list/1/k", "v\"]} <\"v\\\"]}\"> 4"),
        ("list.3", "it has no key `list.3`"),
        ("list.x", "it has no key `list.x`"),
        ("facebook.id", "the key `facebook.id` holds a number, not text: line 3"),
        ("facebook.on", "the key `facebook.on` holds true or false, not text: line 3"),
        ("list.2", "the key `list.2` holds null, not text: line 4"),
        ("list", "the key `list` holds a list, not text: line 4"),
        ("facebook", "the key `facebook` holds an object, not text: line 3"),
        ("facebook.id.x", "it has no key `facebook.id.x`"),
        ("facebook.access", "it has no key `facebook.access`"),
        ("dup", "the key `dup` is there more than once: lines 5 and 5"),
        ("a..b", "`a..b` is not a key of a json file"),
        ("a.b/c", "it has no key `a.b/c`, but `/a.b~1c`: a name in it holds the dots"),
        ("/a/b~1c", "it has no key `/a/b~1c`"),
    ] {
        assert_eq!(found(Json, text, key), expected);
    }
}

#[test]
fn comments_and_trailing_commas_are_read_over() {
    for (text, expected) in [
        ("\u{feff}{\"a\":\"x\"}", "x <\"x\"> 1"),
        ("{\"a\":\"x\"} ", "x <\"x\"> 1"),
        ("{\"b\":[],\"c\":{},\"a\":\"x\"}", "x <\"x\"> 1"),
        ("{}", "it has no key `a`"),
        ("\"a\"", "it has no key `a`"),
        ("{\"a\":\"x\",\n}", "x <\"x\"> 1"),
        ("{\n// c\n\"a\":\"x\"}", "x <\"x\"> 3"),
        ("{\"a\": /* c */ \"x\"}", "x <\"x\"> 1"),
        ("{\"a\": /* c \"x\"}", "it cannot be read as json: line 1"),
        ("{\"a\":\"x\"} {}", "it cannot be read as json: line 1"),
    ] {
        assert_eq!(found(Json, text, "a"), expected, "{text}");
    }
}
