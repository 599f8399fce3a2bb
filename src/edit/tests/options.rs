//! Values that need more than a key to be named, and values that stand in base64.

use std::num::NonZeroUsize;

use super::{created, found, replaced};
use crate::edit::Format::{Env, Ini, Json, Yaml};
use crate::edit::{Anchored, EditError, Edited, Missing, Options, ValueAddress};

fn with(options: Options, text: &str, key: &str, missing: Missing) -> String {
    let address = ValueAddress { format: Yaml, key: Some(key), options };
    match address.replace(text.as_bytes(), "EAAnew", missing) {
        Ok(Edited::Unchanged) => "=".to_owned(),
        Ok(Edited::Changed(bytes)) => {
            assert_eq!(*address.locate(&bytes).unwrap().value, "EAAnew");
            String::from_utf8(bytes.to_vec()).unwrap()
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_shared_value_is_replaced_where_that_is_asked_for() {
    let anchored = Options { anchored: Anchored::Replace, ..Options::default() };
    for (text, key, expected) in [
        (
            "x-env: &env\n  T: old # c\nservices:\n  web:\n    environment: *env\n",
            "x-env.T",
            "x-env: &env\n  T: EAAnew # c\nservices:\n  web:\n    environment: *env\n",
        ),
        (
            "x-env: &env\n  T: old\nservices:\n  web:\n    environment:\n      <<: *env\n",
            "x-env.T",
            "x-env: &env\n  T: EAAnew\nservices:\n  web:\n    environment:\n      <<: *env\n",
        ),
        ("t: &t 'old'\nu: *t\n", "t", "t: &t 'EAAnew'\nu: *t\n"),
        ("t: &t\nu: *t\n", "t", "writing the yaml file would have changed more than the value"),
        ("t: old\n", "t", "t: EAAnew\n"),
    ] {
        assert_eq!(with(anchored, text, key, Missing::Refuse), expected, "{text}");
    }
    assert_eq!(
        with(anchored, "x: &x\n  a: 1\ny: *x\n", "x.k", Missing::Create),
        "x: &x\n  a: 1\n  k: \"EAAnew\"\ny: *x\n"
    );
}

#[test]
fn a_document_is_chosen_by_its_number() {
    let text = "t: one\n---\nt: two # c\n...\n---\nu: 1\n";
    let document = |number| Options { document: NonZeroUsize::new(number), ..Options::default() };
    for (number, key, expected) in [
        (1, "t", text.replace("one", "EAAnew")),
        (2, "t", text.replace("two", "EAAnew")),
        (3, "t", "it has no key `t`".to_owned()),
        (4, "t", "it has only 3 documents".to_owned()),
    ] {
        assert_eq!(with(document(number), text, key, Missing::Refuse), expected, "{number}");
    }
    for (number, expected) in [
        (1, text.replace("t: one\n", "t: one\nk: \"EAAnew\"\n")),
        (2, text.replace("# c\n", "# c\nk: \"EAAnew\"\n")),
        (3, format!("{text}k: \"EAAnew\"\n")),
    ] {
        assert_eq!(with(document(number), text, "k", Missing::Create), expected, "{number}");
    }
    assert_eq!(with(document(2), "t: x\n", "t", Missing::Refuse), "it has only one document");
}

#[test]
fn the_data_of_a_kubernetes_secret_is_base64() {
    let yaml = |data: &str| format!("apiVersion: v1\nkind: Secret\ndata:\n  T: {data}\n");
    let other = "something other than text in base64, not text: line 4";
    for (text, key, expected) in [
        (yaml("RUFBZmFrZQ=="), "data.T", "EAAfake <RUFBZmFrZQ==> 4".to_owned()),
        (
            yaml("\"RUFB\\\n    ZmFrZQ==\""),
            "data.T",
            "EAAfake <\"RUFB\\\n    ZmFrZQ==\"> 4".to_owned(),
        ),
        (yaml("EAAfake!"), "data.T", format!("the key `data.T` holds {other}")),
        (yaml("/////w=="), "data.T", format!("the key `data.T` holds {other}")),
        (yaml("x").replace("Secret", "ConfigMap"), "data.T", "x <x> 4".to_owned()),
        (yaml("x").replace("data:", "stringData:"), "stringData.T", "x <x> 4".to_owned()),
    ] {
        assert_eq!(found(Yaml, &text, key), expected, "{text}");
    }
    let encoded = "RUFBbmV3";
    for (text, key, expected) in [
        (yaml("T0xE # c"), "data.T", yaml(&format!("{encoded} # c"))),
        (yaml("'T0xE'"), "data.T", yaml(&format!("'{encoded}'"))),
        (yaml(""), "data.T", yaml(encoded).replace("T: ", "T:  ").replace("T:  ", "T: ")),
        (
            yaml("x").replace("data:", "stringData:"),
            "stringData.T",
            yaml("EAAnew").replace("data:", "stringData:"),
        ),
        (
            format!("kind: List\nitems:\n- kind: Secret\n  data:\n    T: {}\n", "T0xE"),
            "items.0.data.T",
            format!("kind: List\nitems:\n- kind: Secret\n  data:\n    T: {encoded}\n"),
        ),
        (
            format!("kind: ConfigMap\ndata:\n  U: x\n---\n{}", yaml("T0xE")),
            "data.T",
            format!("kind: ConfigMap\ndata:\n  U: x\n---\n{}", yaml(encoded)),
        ),
    ] {
        assert_eq!(replaced(Yaml, &text, key, "EAAnew").trim_end(), expected.trim_end(), "{text}");
    }
    let json = |data: &str| format!("{{\"kind\": \"Secret\", \"data\": {data}}}");
    let written = format!("{{\"T\": \"{encoded}\"}}");
    assert_eq!(replaced(Json, &json("{\"T\": \"T0xE\"}"), "data.T", "EAAnew"), json(&written));
    assert_eq!(created(Json, &json("{}"), "/data/T", "EAAnew"), json(&written));
    assert_eq!(
        created(Yaml, "kind: Secret\ndata:\n  U: eA==\n", "data.T", "EAAnew"),
        format!("kind: Secret\ndata:\n  U: eA==\n  T: \"{encoded}\"\n")
    );
    assert_eq!(
        created(Yaml, "kind: Secret\n", "data.T", "EAAnew"),
        format!("kind: Secret\ndata:\n  T: \"{encoded}\"\n")
    );
}

/// Some readers read on behind a `\` at the end of a line, or into a line that is indented deeper.
#[test]
fn a_line_that_belongs_to_the_one_above_is_left_alone() {
    let backslash = "a `\\` at the end of the line above makes its line part of that one";
    let indented = "some readers take its indented line as part of the one above";
    for (format, text, key, why) in [
        (Env, "A=a\\\nT=\n", "T", Some(backslash)),
        (Env, "A=a\\\\\nT=\n", "T", None),
        (Env, "# a\\\nT=\n", "T", None),
        (Env, "A='a\\'\nT=\n", "T", None),
        (Ini, "[s]\na = x \\\nt = \n", "s.t", Some(backslash)),
        (Ini, "[s]\na = x\n  t = \n", "s.t", Some(indented)),
        (Ini, "[s]\n\ta = x\n\tt = \n", "s.t", None),
        (Ini, "[s]\n\ta = x\n; c\nt = \n", "s.t", None),
        (Ini, "[s]\na = x\n  b = y\n  t = \n", "s.t", Some(indented)),
        (Ini, "[r]\na = x\n[s]\n  t = \n", "s.t", None),
    ] {
        let address = ValueAddress { format, key: Some(key), options: Options::default() };
        let replaced = address.replace(text.as_bytes(), "EAAFAKE", Missing::Create);
        match (replaced, why) {
            (Ok(Edited::Changed(_)), None) => {}
            (Err(EditError::Irreplaceable { why: said, .. }), Some(why)) => {
                assert_eq!(said, why, "{text}");
            }
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
}
