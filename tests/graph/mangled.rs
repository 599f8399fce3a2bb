//! Answers of Graph's that came to harm on their way.
//!
//! Whatever the bytes and whatever was asked: no panic, no token or secret in any words, and no
//! death without Graph's own, explicit word for it.

use metatoken::graph::{Headers, Response, calls};
use metatoken::token::Problem;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::graph::cases::{ASKED_ABOUT, Question, SECRET, Understood, answer, bodies, understood};

/// One thing that can happen to a body.
#[derive(Debug, Clone)]
enum Damage {
    Truncated(Index),
    Flipped(Index, u8),
    Cut(Index, u8),
    Inserted(Index, Vec<u8>),
    /// The token that was asked about turns up where it does not belong.
    Quoting(Index),
    Nested(Index),
    /// A value of another type in the place of one.
    Swapped(Index, Index),
    /// A sentence with the token and the secret in the place of a value.
    Telling(Index),
    /// A name that an object has already, or might have.
    Doubled(Index, Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<Index>;
    prop_oneof![
        place().prop_map(Damage::Truncated),
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Flipped(at, byte)),
        (place(), any::<u8>()).prop_map(|(at, count)| Damage::Cut(at, count)),
        (place(), any::<Vec<u8>>()).prop_map(|(at, bytes)| Damage::Inserted(at, bytes)),
        place().prop_map(Damage::Quoting),
        place().prop_map(Damage::Nested),
        (place(), place()).prop_map(|(at, by)| Damage::Swapped(at, by)),
        place().prop_map(Damage::Telling),
        (place(), place()).prop_map(|(at, what)| Damage::Doubled(at, what)),
    ]
}

fn damaged(mut body: Vec<u8>, damage: Damage) -> Vec<u8> {
    let length = body.len();
    match damage {
        Damage::Truncated(at) => body.truncate(at.index(length + 1)),
        Damage::Flipped(at, byte) if length > 0 => body[at.index(length)] = byte,
        Damage::Flipped(..) => {}
        Damage::Cut(at, count) => {
            let start = at.index(length + 1);
            body.drain(start..length.min(start + usize::from(count)));
        }
        Damage::Inserted(at, bytes) => insert(&mut body, at.index(length + 1), &bytes),
        Damage::Quoting(at) => insert(&mut body, at.index(length + 1), ASKED_ABOUT.as_bytes()),
        Damage::Nested(how) => return nested(&body, how),
        Damage::Swapped(at, by) => return replaced(body, at, &other_values()[by.index(9)]),
        Damage::Telling(at) => {
            let telling =
                format!("{ASKED_ABOUT} at https://g/?access_token={ASKED_ABOUT}, {SECRET}");
            return replaced(body, at, &Value::String(telling));
        }
        Damage::Doubled(at, what) => return doubled(body, at, what),
    }
    body
}

fn insert(body: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    body.splice(at..at, bytes.iter().copied());
}

fn other_values() -> [Value; 9] {
    [
        Value::Null,
        json!(true),
        json!(false),
        json!(190),
        json!(-1.5e300),
        json!("463"),
        json!([]),
        json!({}),
        json!([{"code": 190, "error_subcode": 463}]),
    ]
}

fn nested(body: &[u8], how: Index) -> Vec<u8> {
    const WRAPPINGS: [(&str, &str); 6] = [
        (r#"{"data":"#, "}"),
        (r#"{"error":"#, "}"),
        (r#"{"meta":"#, "}"),
        ("[", "]"),
        (r#"{"data":["#, "]}"),
        (r#"{"error":null,"data":{"error":"#, "}}"),
    ];
    let (before, after) = WRAPPINGS[how.index(WRAPPINGS.len())];
    [before.as_bytes(), body, after.as_bytes()].concat()
}

/// The document with one of its values replaced; what is no document stays as it is.
fn replaced(body: Vec<u8>, at: Index, by: &Value) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice::<Value>(&body) else { return body };
    let mut left = at.index(count(&document));
    replace(&mut document, &mut left, by);
    document.to_string().into_bytes()
}

fn children(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// Replaces the value that comes after `left` others, itself before its children.
fn replace(value: &mut Value, left: &mut usize, by: &Value) -> bool {
    if *left == 0 {
        value.clone_from(by);
        return true;
    }
    *left -= 1;
    children(value).into_iter().any(|child| replace(child, left, by))
}

fn doubled(mut body: Vec<u8>, at: Index, what: Index) -> Vec<u8> {
    const PAIRS: [&str; 8] = [
        r#""is_valid":true"#,
        r#""error":null"#,
        r#""error":{"code":190,"error_subcode":463}"#,
        r#""code":"190""#,
        r#""subcode":460"#,
        r#""data":{}"#,
        r#""access_token":"EAAfakeother""#,
        r#""expires_at":0"#,
    ];
    let ends = |(place, byte): (usize, &u8)| matches!(byte, b'{' | b'}').then_some((place, *byte));
    let brackets: Vec<_> = body.iter().enumerate().filter_map(ends).collect();
    if let Some((place, byte)) = brackets.get(at.index(brackets.len().max(1))) {
        let pair = PAIRS[what.index(PAIRS.len())];
        match byte {
            b'{' => insert(&mut body, place + 1, format!("{pair},").as_bytes()),
            _ => insert(&mut body, *place, format!(",{pair}").as_bytes()),
        }
    }
    body
}

fn is_harmless(status: u16, body: &[u8]) {
    for question in Question::ALL {
        let response = answer(status, "application/json", body);
        match understood(question, &response) {
            Understood::Refusal(problem) => gives_nothing_away(&problem),
            Understood::Verdict(inspection) => {
                if inspection.valid == Some(false) {
                    let text: String = String::from_utf8_lossy(body).split_whitespace().collect();
                    assert!(text.contains(r#""is_valid":false"#), "{text}");
                    let dead = inspection.problem.as_ref().is_some_and(|it| it.kind.is_verdict());
                    assert_eq!(inspection.verdict(), dead.then_some(false), "{text}");
                }
                for word in [&inspection.token_type, &inspection.application].into_iter().flatten()
                {
                    hides_everything(word);
                }
                if let Some(problem) = &inspection.problem {
                    gives_nothing_away(problem);
                }
            }
            Understood::Grant(_) | Understood::Pages { .. } | Understood::Acknowledged => {}
        }
    }
    if let Ok(list) = calls::read_accounts(&answer(status, "application/json", body)) {
        list.pages.iter().filter_map(|page| page.name.as_deref()).for_each(hides_everything);
    }
}

fn gives_nothing_away(problem: &Problem) {
    hides_everything(&format!("{problem} {problem:?}"));
    assert!(problem.message.chars().count() <= 400, "{problem}");
    assert!(!problem.message.chars().any(char::is_control), "{problem:?}");
}

fn hides_everything(words: &str) {
    assert!(!words.contains(ASKED_ABOUT) && !words.contains(SECRET), "{words}");
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn statuses() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![200_u16, 302, 400, 401, 429, 500, 503])
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn no_mangled_answer_does_harm(
        body in prop::sample::select(bodies()),
        status in statuses(),
        damages in prop::collection::vec(damage(), 0..6),
    ) {
        is_harmless(status, &damages.into_iter().fold(body.as_bytes().to_vec(), damaged));
    }
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn no_arbitrary_answer_does_harm(status in any::<u16>(), body in any::<Vec<u8>>()) {
        is_harmless(status, &body);
    }

    #[test]
    fn no_arbitrary_header_does_harm(
        status in statuses(),
        value in r#"(\PC{0,40}|[\{\[][\{\}\[\]"':, a-z_0-9.\-]{0,60})"#,
        body in prop::sample::select(bodies()),
    ) {
        let names = [
            "date", "content-type", "retry-after", "facebook-api-version", "x-app-usage",
            "x-business-use-case-usage", "x-ad-account-usage", "www-authenticate",
        ];
        let headers: Headers = names.into_iter().map(|name| (name, value.as_str())).collect();
        let response = Response::new(status, headers, body.as_bytes().to_vec());
        let _ = (response.usage(), response.api_version(), response.retry_after(), response.date());
        if let Understood::Refusal(problem) = understood(Question::Exchange, &response) {
            assert!(problem.message.chars().count() <= 400, "{problem}");
        }
    }
}

#[test]
fn every_value_of_a_document_can_be_replaced() {
    let body = json!({"error": {"code": 190, "message": ["m"]}});
    let damaged: Vec<_> = (0..count(&body))
        .map(|place| {
            let (mut document, mut left) = (body.clone(), place);
            assert!(replace(&mut document, &mut left, &json!(7)), "{place}");
            document.to_string()
        })
        .collect();
    assert_eq!(
        damaged,
        [
            "7",
            r#"{"error":7}"#,
            r#"{"error":{"code":7,"message":["m"]}}"#,
            r#"{"error":{"code":190,"message":7}}"#,
            r#"{"error":{"code":190,"message":[7]}}"#,
        ]
    );
}
