//! Documents made up at random, read before and after by parsers that are not ours.
//!
//! What is expected is computed without this room: the parsed document with one value exchanged.
//! INI and env have their parsers for this test alone.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use saphyr_parser::{Event, Parser};
use serde_json::Value;

use super::document::{Document, ends, lines, noise, value};
use crate::edit::{Edited, Format, Missing, locate, replace};

const JSON_VALUES: [&str; 8] =
    ["\"a\\u0041\\n\"", "1.50e3", "-0", "true", "null", "[1, {\"token\": \"no\"}]", "{}", "\"}\""];

fn toml_as_json(text: &str) -> Value {
    fn item(item: &toml_edit::Item) -> Value {
        if let Some(table) = item.as_table_like() {
            return table.iter().map(|(name, value)| (name.to_owned(), item_of(value))).collect();
        }
        match item.as_str() {
            Some(text) => text.into(),
            None => format!("{}: {}", item.type_name(), item.to_string().trim()).into(),
        }
    }
    fn item_of(value: &toml_edit::Item) -> Value {
        item(value)
    }
    let text = text.trim_start_matches('\u{feff}');
    item(toml_edit::Document::parse(text).unwrap().as_item())
}

fn yaml_events(text: &str) -> Vec<String> {
    Parser::new_from_str(text)
        .map(|event| match event.unwrap().0 {
            Event::Scalar(text, _, anchor, tag) => format!("{text:?} {anchor} {tag:?}"),
            other => format!("{other:?}"),
        })
        .collect()
}

fn ini_as_map(text: &str) -> BTreeMap<String, BTreeMap<String, Option<String>>> {
    let mut ini = configparser::ini::Ini::new_cs();
    let sections = ini.read(text.trim_start_matches('\u{feff}').to_owned()).unwrap();
    sections.into_iter().map(|(name, entries)| (name, entries.into_iter().collect())).collect()
}

fn env_as_list(text: &str) -> Vec<(String, String)> {
    let text = text.trim_start_matches('\u{feff}').to_owned();
    dotenvy::from_read_iter(text.as_bytes()).map(Result::unwrap).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn toml_differs_in_one_string(
        others in prop::collection::vec(select(vec![
            "'a'", "\"\\u0041\"", "0x1F # n", "1_000.0", "[1, # one\n 2]", "{ token = 'no', b.c = 1 }",
            "'''a\nb'''", "1979-05-27T07:32:00Z", "\"\"\"\n = # \"\"\"",
        ]), 0..5),
        at in 0_usize..5,
        old in select(vec!["'x'", "\"x\"", "'''x'''", "\"\"\"\nx\"\"\"", "\"\"", "''", "'x' # c"]),
        header in select(vec!["", "[t]", "[ t ] # c", "[t.u]"]),
        noise in prop::collection::vec(noise(vec!["", "# token = 'no'", "  "]), 1..4),
        ends in ends(),
        value in value(),
    ) {
        let mut all = vec!["top = 1".to_owned(), header.to_owned()];
        all.extend(lines(&others, (at, old), &noise, |name, value| format!("{name}  = {value}")));
        all.extend(["[z]".to_owned(), "token = 'other'".to_owned()]);
        let table = header.trim_end_matches(" # c").trim_matches(['[', ']', ' ']);
        let key = if table.is_empty() { "token".into() } else { format!("{table}.token") };
        let document = Document { format: Format::Toml, text: ends.join(&all), key, value };
        let new = document.replaced()?;
        let mut expected = toml_as_json(&document.text);
        *expected.pointer_mut(&format!("/{}", document.key.replace('.', "/"))).unwrap() =
            document.value.into();
        prop_assert_eq!(toml_as_json(&new), expected);
    }

    #[test]
    fn json_differs_in_one_string(
        others in prop::collection::vec(select(JSON_VALUES.to_vec()), 0..5),
        at in 0_usize..5,
        old in select(vec!["\"x\"", "\"\"", "\"\\\"\\\\\"", "null", "12", "false"]),
        gap in select(vec!["", " ", "\n  ", "\r\n\t"]),
        colon in select(vec![":", ": ", " : "]),
        value in value(),
        missing in any::<bool>(),
    ) {
        let mut members = lines(&others, (at, old), &[vec![]], |name, value| {
            format!("{gap}\"{name}\"{colon}{value}")
        });
        if missing {
            members.retain(|member| !member.contains("\"token\""));
        }
        let text = format!("[0, {{{}{gap}}}]", members.join(","));
        let mut expected: Value = serde_json::from_str(&text).unwrap();
        let document = Document { format: Format::Json, text, key: "/1/token".into(), value };
        let new = document.edited(Missing::Create)?;
        expected[1]["token"] = document.value.into();
        prop_assert_eq!(serde_json::from_str::<Value>(&new).unwrap(), expected);
    }

    /// Comments and commas are taken out again by what they are known to be.
    #[test]
    fn json_with_comments_differs_in_one_string(
        others in prop::collection::vec(select(JSON_VALUES.to_vec()), 0..4),
        at in 0_usize..4,
        old in select(vec!["\"x\"", "\"\"", "null"]),
        comments in prop::collection::vec(
            select(vec!["", " ", "\n  ", "/*,]\"*/", "\n  //}c\n  ", " /*,]\"*/\n", "//}c\n"]),
            1..9,
        ),
        comma in select(vec!["", ","]),
        value in value(),
        missing in any::<bool>(),
    ) {
        let mut comment = comments.iter().cycle().copied();
        let mut next = || comment.next().unwrap();
        let mut members = lines(&others, (at, old), &[vec![]], |name, value| {
            format!("\"{name}\":{value}")
        });
        if missing {
            members.retain(|member| !member.contains("\"token\""));
        }
        let comma = if members.is_empty() { "" } else { comma };
        let written: Vec<String> =
            members.iter().map(|member| format!("{}{member}{}", next(), next())).collect();
        let text = format!("{}{{{}{comma}{}}}{}", next(), written.join(","), next(), next());
        let clean = |text: &str| -> Value {
            let text = text.replace("/*,]\"*/", "").replace("//}c", "");
            let end = text.trim_end().trim_end_matches('}').trim_end();
            serde_json::from_str(&format!("{}}}", end.trim_end_matches(','))).unwrap()
        };
        let mut expected = clean(&text);
        let document = Document { format: Format::Json, text, key: "token".into(), value };
        let new = document.edited(Missing::Create)?;
        for comment in ["/*,]\"*/", "//}c"] {
            let count = |text: &str| text.matches(comment).count();
            let inside = count(&document.value);
            prop_assert_eq!(count(&new), count(&document.text) + inside);
        }
        expected["token"] = document.value.into();
        prop_assert_eq!(clean(&new), expected);
    }

    #[test]
    fn yaml_differs_in_one_scalar(
        others in prop::collection::vec(select(vec![
            "plain # c", "'it''s'", "\"a\\x41\"   ", "|\n    block\n    # no comment\n",
            ">-\n    folded\n\n    token: no", "[a, {token: no}]", "", "~", "&anchor 1", "!tag é",
            "\n    token: no", "\n  - token: no", "plain\n    more",
        ]), 0..5),
        at in 0_usize..5,
        old in select(vec![
            "x", "x # c", "'x'", "\"x\"   # c", "\"x\n    y\"", "|\n    x\n", ">+ # c\n    x\n    y", "",
            "# c", "~", "12", "!!str x", "x\n    y",
        ]),
        noise in prop::collection::vec(noise(vec!["", "  # token: no", "# é"]), 1..4),
        ends in ends(),
        value in value(),
    ) {
        let mut all = vec!["f:".to_owned()];
        all.extend(lines(&others, (at, old), &noise, |name, value| format!("  {name}: {value}")));
        all.push("z:\n  token: other".to_owned());
        let text = ends.join(&all);
        let document = Document { format: Format::Yaml, text, key: "f.token".into(), value };
        let new = document.edited(Missing::Refuse)?;
        let (before, after) = (yaml_events(&document.text), yaml_events(&new));
        prop_assert_eq!(before.len(), after.len());
        let differing = before.iter().zip(&after).filter(|(before, after)| before != after).count();
        prop_assert!(differing <= 1, "{}", new);
        let behind = |text: &str| text.rmatches("z:").next().map(str::len);
        prop_assert_eq!(behind(&new), behind(&document.text));
    }

    #[test]
    fn a_new_yaml_entry_adds_its_events_and_no_others(
        others in prop::collection::vec(select(vec![
            "plain # c", "\"a\"   ", "|\n    block\n", "|+\n    keep\n\n", "[a]", "", "\n    b: c",
            "\n    - b", "\n    b:\n      - c: d\n        e:",
        ]), 0..4),
        noise in prop::collection::vec(noise(vec!["", "# é", "  # c"]), 1..4),
        key in select(vec!["f.token", "token", "f.g.token"]),
        ends in ends(),
        value in value(),
    ) {
        let mut all = vec!["f:".to_owned()];
        all.extend(lines(&others, (0, "x"), &noise, |name, value| format!("  {name}: {value}")));
        all.retain(|line| line != "  token: x");
        all.push("z: 1".to_owned());
        let text = ends.join(&all);
        let document = Document { format: Format::Yaml, text, key: key.into(), value };
        let new = document.edited(Missing::Create)?;
        let (before, after) = (yaml_events(&document.text), yaml_events(&new));
        let same = before.iter().zip(&after).take_while(|(before, after)| before == after).count();
        prop_assert!(after.len() > before.len());
        // Only a key that had no value loses an event: its nothing becomes a mapping.
        let rest = &before[same..];
        prop_assert!(after.ends_with(rest) || after.ends_with(&rest[1..]), "{}", new);
    }

    #[test]
    fn ini_differs_in_one_value(
        others in prop::collection::vec(select(vec!["a", "\"a b\"", "'x'", "", "1|2 ; c", "é"]), 0..5),
        at in 0_usize..5,
        old in select(vec!["x", "\"x\"", "'x'", "x  ; c", "\"x\" # c"]),
        equals in select(vec!["=", " = ", ": ", " :\t"]),
        noise in prop::collection::vec(noise(vec!["", "; token = no", "# c"]), 1..4),
        ends in ends(),
        value in "[A-Za-z0-9|%=_.-]{1,30}",
    ) {
        let mut all = vec!["[a]".to_owned(), "token = other".to_owned(), "[f]".to_owned()];
        all.extend(lines(&others, (at, old), &noise, |name, value| format!("{name}{equals}{value}")));
        let document = Document { format: Format::Ini, text: ends.join(&all), key: "f.token".into(), value };
        let new = document.replaced()?;
        let mut expected = ini_as_map(&document.text);
        let mut after = ini_as_map(&new);
        let written = after.get_mut("f").unwrap().insert("token".into(), None).flatten().unwrap();
        prop_assert_eq!(written.trim_matches(['"', '\'']), document.value);
        expected.get_mut("f").unwrap().insert("token".into(), None);
        prop_assert_eq!(after, expected);
    }

    #[test]
    fn env_differs_in_one_value(
        others in prop::collection::vec(select(vec!["a", "\"a b\"", "'$x'", "", "x # c", "\"a\\\"b\""]), 0..5),
        at in 0_usize..5,
        old in select(vec!["x", "\"x\"", "'x'", "x  # c", "\"x\" # c", "", "\"one\ntwo\""]),
        export in select(vec!["", "export "]),
        noise in prop::collection::vec(noise(vec!["", "# token=no", "  "]), 1..4),
        ends in ends(),
        // dotenvy does not know the shell's "\\`".
        value in prop_oneof!["[A-Za-z0-9|%=_.-]{1,30}", "[ -&(-_a-~]{0,12}", "[`'$\"a-z]{0,4}"]
            .prop_filter("no escape for both", |value| {
                !value.contains(['`', '$']) || !value.contains(['\'', '\\'])
            }),
        missing in any::<bool>(),
    ) {
        let mut all =
            lines(&others, (at, old), &noise, |name, value| format!("{export}{name}={value}"));
        if missing {
            all.retain(|line| !line.contains("token="));
        }
        let document = Document { format: Format::Env, text: ends.join(&all), key: "token".into(), value };
        let new = document.edited(Missing::Create)?;
        let mut expected = env_as_list(&document.text);
        match expected.iter_mut().find(|(name, _)| name == "token") {
            Some((_, value)) => value.clone_from(&document.value),
            None => expected.push(("token".into(), document.value.clone())),
        }
        prop_assert_eq!(env_as_list(&new), expected);
    }

    /// Whatever is put together, an edit is refused or does what it says.
    #[test]
    fn no_file_makes_it_panic_or_lie(
        parts in prop::collection::vec(select(vec![
            "a", "b", "a: ", "a = ", "A=", "[a]\n", "[[a]]\n", "{", "}", "[", "]", "\"a\":", ",", "'", "\"",
            "'''", "\"\"\"", "|", ">+", "- ", "? ", ": ", "&x ", "*x", "!t ", "!!str ", "#", " # c", ";", "\\",
            "\n", "\r\n", "  ", "\t", "---\n", "...\n", "é", "\u{feff}", "export ", "$", "\0", "%", "1", "null",
        ]), 0..14),
        key in select(vec!["a", "a.b", "b.a", "a.0", "a.a.a", "/a", "/a/0/b", "A"]),
        value in value(),
        missing in select(vec![Missing::Refuse, Missing::Create]),
    ) {
        for format in Format::ALL {
            let key = (format != Format::Raw).then_some(key);
            let text = parts.concat();
            let Ok(Edited::Changed(new)) = replace(format, text.as_bytes(), key, &value, missing) else {
                continue;
            };
            let located = locate(format, &new, key);
            prop_assert_eq!(located.map(|located| located.value.to_string()), Ok(value.clone()));
            prop_assert_eq!(replace(format, &new, key, &value, missing), Ok(Edited::Unchanged));
        }
    }
}
