//! Answers that Meta really gave, where a folder of them stands beside the project.
//!
//! They are not ours to ship. Without the folder the test says so and passes; the cases that are
//! ours stand in `graph::cases`.

use std::path::{Path, PathBuf};

use metatoken::graph::{Headers, Response, calls};
use metatoken::token::{Action, Expiry, Inspection, Problem, ProblemKind as Kind};
use serde_json::Value;

use crate::common::skip;
use crate::graph::cases::{Question, Understood, now, understood};

/// What each file means in our words; those that are not here are answers without a fault.
const KINDS: [(&str, Kind); 44] = [
    ("004", Kind::PasswordChanged),
    ("006", Kind::Revoked),
    ("010", Kind::SessionInvalid),
    ("012", Kind::BadAppCredentials),
    ("020", Kind::MalformedResponse),
    ("022", Kind::BadAppCredentials),
    ("028", Kind::BadAppCredentials),
    ("030", Kind::SessionInvalid),
    ("034", Kind::Unknown),
    ("036", Kind::Unknown),
    ("038", Kind::Unknown),
    ("040", Kind::WrongHostOrType),
    ("042", Kind::BadAppCredentials),
    ("044", Kind::BadAppCredentials),
    ("050", Kind::Checkpoint),
    ("052", Kind::ObjectNotFound),
    ("066", Kind::PasswordChanged),
    ("068", Kind::Expired),
    ("070", Kind::Revoked),
    ("072", Kind::RateLimited),
    ("074", Kind::GraphUnavailable),
    ("076", Kind::ObjectNotFound),
    ("078", Kind::SessionInvalid),
    ("080", Kind::SessionInvalid),
    ("082", Kind::Checkpoint),
    ("084", Kind::PasswordChanged),
    ("086", Kind::PermissionMissing),
    ("088", Kind::Expired),
    ("090", Kind::Expired),
    ("092", Kind::Checkpoint),
    ("094", Kind::ObjectNotFound),
    ("096", Kind::Unknown),
    ("098", Kind::UnconfirmedUser),
    ("100", Kind::Inactive),
    ("102", Kind::SessionInvalid),
    ("104", Kind::WrongHostOrType),
    ("106", Kind::BadProof),
    ("108", Kind::RateLimited),
    ("112", Kind::PolicyBlock),
    ("114", Kind::RateLimited),
    ("116", Kind::RateLimited),
    ("118", Kind::MalformedResponse),
    ("120", Kind::SessionInvalid),
    ("122", Kind::GraphUnavailable),
];

/// Refusals that name the date of expiry in a sentence only. It is not read: the sentence is for
/// people, its time zone can be wrong by an hour, and the stored date comes from Graph's numbers.
const DATE_IN_WORDS_ONLY: [&str; 3] = [
    "068-err-190-463-whatsapp",
    "088-err-190-subcode-zero-expired",
    "090-err-190-expired-pdt-in-january",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded")
}

#[test]
fn every_recorded_answer_is_understood() {
    let Ok(entries) = std::fs::read_dir(folder()) else {
        return skip("recorded answers", "no folder of them stands beside the project");
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    assert!(!paths.is_empty(), "the folder is there and empty");
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("it can be read");
        judge(&serde_json::from_str(&text).expect("it is JSON"));
    }
}

fn judge(recorded: &Value) {
    let id = recorded["id"].as_str().expect("it has an id");
    let assumed = recorded["http_status_assumed"] == true;
    let status = recorded["http_status"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.expect("it has a status");
    let statuses = if assumed { vec![status, 200, 400, 401, 500] } else { vec![status] };
    let question = question(recorded["endpoint"].as_str().unwrap_or_default());
    let mut first = None;
    for status in statuses {
        let seen = understood(question, &response(status, recorded));
        let context = format!("{id} at {status}: {seen:?}");
        meets(&recorded["expect"], id, &seen, &context);
        paced(&recorded["expect"], &response(status, recorded), &context);
        match &first {
            None => first = Some(seen),
            Some(first) => assert_eq!(*first, seen, "{id}: the status changed the meaning"),
        }
    }
}

/// Calls that this version does not make are read as the nearest one that it does make.
fn question(endpoint: &str) -> Question {
    if endpoint.starts_with("DELETE") {
        Question::Revoke
    } else if endpoint.contains("debug_token") {
        Question::Inspect
    } else if endpoint.contains("access_token") {
        Question::Exchange
    } else if endpoint.contains("/accounts") {
        Question::Accounts
    } else {
        Question::Page
    }
}

fn response(status: u16, recorded: &Value) -> Response {
    let pairs = recorded["headers"].as_object().into_iter().flatten();
    let headers: Headers =
        pairs.filter_map(|(name, value)| Some((name, value.as_str()?))).collect();
    let body = match &recorded["body"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Response::new(status, headers, body.into_bytes())
}

fn meets(expect: &Value, id: &str, seen: &Understood, context: &str) {
    let of_this_file = KINDS.iter().find(|(number, _)| id.starts_with(number));
    let kind = match seen {
        Understood::Refusal(problem) => Some(problem.kind),
        Understood::Verdict(inspection) => inspection.problem.as_ref().map(|problem| problem.kind),
        _ => None,
    };
    assert_eq!(kind, of_this_file.map(|(_, kind)| *kind), "{context}");
    match seen {
        Understood::Refusal(problem) => refuses(expect, id, problem, context),
        Understood::Verdict(inspection) => says(expect, inspection, context),
        Understood::Grant(expiry) => {
            assert_eq!(
                (&expect["class"], &expect["valid"]),
                (&"ok".into(), &true.into()),
                "{context}"
            );
            let end = match expect["expires_in"].as_i64() {
                Some(seconds) => Expiry::At(now() + chrono::TimeDelta::seconds(seconds)),
                None if expect["expires_at"] == "never" => Expiry::Never,
                None => Expiry::Unknown,
            };
            assert_eq!(*expiry, end, "{context}");
        }
        Understood::Pages { count, with_token, more } => {
            if let Some(pages) = expect["pages"].as_u64() {
                assert_eq!(u64::try_from(*count).ok(), Some(pages), "{context}");
                assert_eq!(*more, expect["more"] == true, "{context}");
            }
            // A Page without its token is an answer; the caller says what it lacks.
            let lacks = expect["class"] == "permission" && *with_token == 0;
            assert!(expect["class"] == "ok" || lacks, "{context}");
            assert_eq!(expect["valid"].as_bool(), (!lacks).then_some(true), "{context}");
        }
        // Graph has done as it was told: what was revoked is dead.
        Understood::Acknowledged => {
            assert_eq!(
                (&expect["class"], &expect["valid"]),
                (&"ok".into(), &false.into()),
                "{context}"
            );
        }
    }
}

/// Where a class covers several steps, the file's own words decide.
fn step(class: &str, words: &str) -> Action {
    match class {
        "invalid_token" if words == "fix app secret" => Action::FixConfiguration,
        "invalid_token" => Action::Reauthenticate,
        "request_error" if words.starts_with("restart the login") => Action::Reauthenticate,
        // It asks for another kind of string: a login to the same app brings none.
        "request_error" | "suspect" | "not_found" | "app_config" | "inspector_invalid" => {
            Action::FixConfiguration
        }
        "user_action" => Action::FixAccount,
        "permission" => Action::GrantPermission,
        "rate_limit" => Action::SlowDown,
        "policy_block" => Action::Wait,
        "transient" | "not_json" | "unexpected" => Action::Retry,
        "ok" => Action::None,
        class => panic!("no such class: {class}"),
    }
}

fn refuses(expect: &Value, id: &str, problem: &Problem, context: &str) {
    let word = |name: &str| expect[name].as_str().unwrap_or_default();
    assert_eq!(problem.action, step(word("class"), word("action")), "{context}");
    let dead = problem.kind.is_verdict().then_some(false);
    assert_eq!(dead, expect["valid"].as_bool(), "{context}");
    assert_eq!(word("class") == "invalid_token", dead == Some(false), "{context}");
    if expect["retry"] == false {
        assert!(!problem.kind.is_outage(), "{context}");
    }
    let code = expect["code"].as_i64();
    assert!(code.is_none() || problem.code == code, "{context}");
    let subcode = expect["subcode"].as_i64().filter(|subcode| *subcode != 0);
    assert_eq!(problem.subcode, subcode, "{context}");
    let dated =
        expect["expires_at"].is_number() || expect["expires_at"].to_string().contains(" or ");
    assert_eq!(dated, DATE_IN_WORDS_ONLY.contains(&id), "{context}");
}

fn paced(expect: &Value, response: &Response, context: &str) {
    let usage = response.usage();
    assert_eq!(usage.percent, expect["usage_percent"].as_u64(), "{context}");
    let minutes = usage.regain.map(|wait| wait.as_secs() / 60);
    assert_eq!(minutes, expect["regain_minutes"].as_u64(), "{context}");
}

fn says(expect: &Value, inspection: &Inspection, context: &str) {
    assert_eq!(inspection.valid, expect["valid"].as_bool(), "{context}");
    let end = match &expect["expires_at"] {
        Value::Number(seconds) => Expiry::from_graph(seconds.as_i64()),
        Value::String(words) if words.starts_with("never") => Expiry::Never,
        _ => Expiry::Unknown,
    };
    assert_eq!(inspection.expiry, end, "{context}");
    let same = |name: &str, seen: Option<&str>| {
        if let Some(expected) = expect[name].as_str() {
            // «PAGE (inferred from profile_id)»
            assert_eq!(seen, expected.split(' ').next(), "{name}: {context}");
        }
    };
    same("token_type", inspection.token_type.as_deref());
    same("user_id", inspection.identity.user_id.as_deref());
    same("page_id", inspection.identity.page_id.as_deref());
    if let Some(seconds) = expect["issued_at"].as_i64() {
        assert_eq!(inspection.issued_at.map(|at| at.timestamp()), Some(seconds), "{context}");
    }
    if let Some(seconds) = expect["data_access_expires_at"].as_i64() {
        assert_eq!(
            inspection.data_access.until().map(|at| at.timestamp()),
            Some(seconds),
            "{context}"
        );
    }
    let word = |name: &str| expect[name].as_str().unwrap_or_default();
    let of_an_app = word("action") == "fix app secret";
    let inspection =
        if of_an_app { calls::as_app_token(inspection.clone()) } else { inspection.clone() };
    let action = inspection.problem.map_or(Action::None, |problem| problem.action);
    assert_eq!(action, step(word("class"), word("action")), "{context}");
}
