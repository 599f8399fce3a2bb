//! The proof refuses what a careless editor would do to a file.

use crate::edit::Format;
use crate::edit::file::File;
use crate::edit::patch::Change;
use crate::edit::proof::holds;

#[test]
fn a_second_difference_is_seen() {
    use Format::{Env, Ini, Json, Toml, Yaml};
    for (format, key, before, after, proven) in [
        (Toml, "a", "a = 'x'\nb = 1", "a = 'y'\nb = 1", true),
        (Toml, "a", "a = 'x'\nb = 1", "a = 'y'\nb = 2", false),
        (Toml, "a", "a = 'x'\nb = 1", "a = 'y'\nb = 1.0", false),
        (Toml, "a", "a = 'x'\nb = 1", "a = 'y'", false),
        (Toml, "a", "a = 'x'", "a = ['y']", false),
        (Toml, "a", "a = 'x'", "a = 'y", false),
        (Toml, "a.1", "a = ['x', 'y']", "a = ['x', 'z']", true),
        (Toml, "a.1", "a = ['x', 'y']", "a = ['z', 'y']", false),
        (Json, "a", "{\"a\":\"x\",\"d\":1,\"d\":2}", "{\"a\":\"y\",\"d\":1,\"d\":2}", true),
        (Json, "a", "{\"a\":\"x\",\"d\":1,\"d\":2}", "{\"a\":\"y\",\"d\":2}", false),
        (Json, "a", "{\"a\":\"x\",\"b\":1,\"c\":1}", "{\"a\":\"y\",\"c\":1,\"b\":1}", false),
        (Yaml, "a", "a: x\nb: 1\n", "a: y\nb: 1\n", true),
        (Yaml, "a", "a: x\nb: 1\n", "a: y\nb: '1'\n", false),
        (Yaml, "a", "a: x\nb: &b 1\n", "a: y\nb: 1\n", false),
        (Yaml, "a", "a: x\nb: !t 1\n", "a: y\nb: 1\n", false),
        (Yaml, "a", "a: x\n---\nb: 1\n", "a: y\n", false),
        (Yaml, "a", "a: x\nb: |\n  1\n", "a: y\nb: |\n  1\n  2\n", false),
        (Ini, "s.a", "[s]\na=x\nb=1", "[s]\na=y\nb=1", true),
        (Ini, "s.a", "[s]\na=x\nb=1", "[s]\na=y\nb=2", false),
        (Ini, "s.a", "[s]\na=x\nb=1", "[s]\na=y\n[t]\nb=1", false),
        (Ini, "s.a", "[s]\na=x\nb=1", "[s]\nc=x\nb=1", false),
        (Env, "A", "A=x\nB=1", "A=y\nB=1", true),
        (Env, "A", "A=x\nB=1", "A='y\nB=1'", false),
        (Env, "A", "A=x\nB=1", "A=y\nB='1'", false),
    ] {
        let (old, new) =
            (File::new(format, before.as_bytes()), File::new(format, after.as_bytes()));
        assert_eq!(holds(&old, &new, key, Change::Value), proven, "{before} -> {after}");
        assert!(!holds(&old, &new, key, Change::Key), "{before} -> {after}");
    }
}

#[test]
fn a_new_key_is_the_only_one() {
    use Format::{Env, Ini, Json, Toml, Yaml};
    for (format, key, before, after, proven) in [
        (Toml, "t.k", "[t]\na = 1", "[t]\na = 1\nk = 'v'", true),
        (Toml, "t.k", "[t]\na = 1", "[t]\na = 1\nk = 'v'\nl = 1", false),
        (Toml, "t.k", "[t]\na = 1\n[u]", "[t]\na = 1\n[u]\nk = 'v'", false),
        (Json, "a.k", "{}", "{\"a\":{\"k\":\"v\"}}", true),
        (Json, "a.k", "{}", "{\"a\":{\"k\":\"v\",\"l\":1}}", false),
        (Json, "a.k", "{\"a\":null}", "{\"a\":{\"k\":\"v\"}}", false),
        (Yaml, "a.k", "a:\n", "a:\n  k: v\n", true),
        (Yaml, "a.k", "a: ''\n", "a:\n  k: v\n", false),
        (Yaml, "k", "a: 1\n...\n", "a: 1\n...\nk: v\n", false),
        (Ini, "s.k", "[s]\na=1", "[s]\na=1\nk=v", true),
        (Ini, "s.k", "[s]\na=1\nb=1", "[s]\na=1\nk=v", false),
        (Env, "K", "A=1", "A=1\nK=v", true),
        (Env, "K", "A=1", "K=v", false),
    ] {
        let (old, new) =
            (File::new(format, before.as_bytes()), File::new(format, after.as_bytes()));
        assert_eq!(holds(&old, &new, key, Change::Key), proven, "{before} -> {after}");
    }
}
