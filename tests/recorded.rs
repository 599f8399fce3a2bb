//! Answers that Meta really gave, where a folder of them stands beside the project.
//!
//! They are not ours to ship. Without the folder the test says so and passes; the cases that are
//! ours stand in `graph_cases`.

use std::path::{Path, PathBuf};

use metatoken::graph::{Headers, Response, facebook, is_verdict};
use metatoken::token::{Action, Expiry, Inspection, Problem, ProblemKind as Kind};
use serde_json::Value;

use crate::graph_cases::{Question, Understood, now, understood};

/// What this version has no reader for: a success in another shape of another endpoint.
const NOT_READ_BY_THIS_VERSION: [(&str, &str); 2] = [
    ("048-ig-business-login-code-success-data-array", "Instagram's code exchange"),
    ("064-revoke-bare-true", "revoking"),
];

/// Refusals that name the date of expiry in a sentence only; a `Problem` has no place for it.
const DATE_IN_WORDS_ONLY: [&str; 3] = [
    "068-err-190-463-whatsapp",
    "088-err-190-subcode-zero-expired",
    "090-err-190-expired-pdt-in-january",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recorded")
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that skips must say so")]
fn every_recorded_answer_is_understood() {
    let Ok(entries) = std::fs::read_dir(folder()) else {
        eprintln!("skipped: no folder of recorded answers stands beside the project");
        return;
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
        if NOT_READ_BY_THIS_VERSION.iter().any(|(unread, _)| *unread == id) {
            assert!(matches!(seen, Understood::Refusal(_)), "{id}: it is read after all");
            return;
        }
        let context = format!("{id} at {status}: {seen:?}");
        meets(&recorded["expect"], id, &seen, &context);
        match &first {
            None => first = Some(seen),
            Some(first) => assert_eq!(*first, seen, "{id}: the status changed the meaning"),
        }
    }
}

/// Calls that this version does not make are read as the nearest one that it does make.
fn question(endpoint: &str) -> Question {
    if endpoint.contains("debug_token") {
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
    match seen {
        Understood::Refusal(problem) => {
            refuses(expect, id, problem, context);
        }
        Understood::Verdict(inspection) => says(expect, inspection, context),
        Understood::Grant(expiry) => {
            assert_eq!(expect["class"], "ok", "{context}");
            let end = expect["expires_in"].as_i64();
            let end = end.map(|seconds| Expiry::At(now() + chrono::TimeDelta::seconds(seconds)));
            assert_eq!(*expiry, end.unwrap_or(Expiry::Unknown), "{context}");
        }
        Understood::Pages { count, with_token, more } => {
            if let Some(pages) = expect["pages"].as_u64() {
                assert_eq!(u64::try_from(*count).ok(), Some(pages), "{context}");
                assert_eq!(*more, expect["more"] == true, "{context}");
            }
            // A Page without its token is an answer; the caller says what it lacks.
            let lacks = expect["class"] == "permission";
            assert!(expect["class"] == "ok" || (lacks && *with_token == 0), "{context}");
        }
    }
}

fn refuses(expect: &Value, id: &str, problem: &Problem, context: &str) {
    let class = expect["class"].as_str().expect("it has a class");
    let (kind, action) = (problem.kind, problem.action);
    let fits = match class {
        "invalid_token" => is_verdict(problem) && action == Action::Reauthenticate,
        "inspector_invalid" => {
            kind == Kind::BadAppCredentials && action == Action::FixConfiguration
        }
        "app_config" => {
            matches!(kind, Kind::BadAppCredentials | Kind::BadProof | Kind::AppDisabled)
                && action == Action::FixConfiguration
        }
        "request_error" => {
            matches!(kind, Kind::Unknown | Kind::WrongHostOrType | Kind::ObjectNotFound)
                && action.needs_a_person()
        }
        "suspect" => kind == Kind::Unknown && action == Action::FixConfiguration,
        "user_action" => action == Action::FixAccount,
        "permission" => kind == Kind::PermissionMissing && action == Action::GrantPermission,
        "not_found" => kind == Kind::ObjectNotFound,
        "rate_limit" => kind == Kind::RateLimited && action == Action::SlowDown,
        "policy_block" => kind == Kind::PolicyBlock && action == Action::Wait,
        "transient" => kind == Kind::GraphUnavailable && action == Action::Retry,
        "not_json" => kind == Kind::MalformedResponse && action == Action::Retry,
        _ => false,
    };
    assert!(fits, "{class}: {context}");
    let dead = is_verdict(problem).then_some(false);
    assert_eq!(dead, expect["valid"].as_bool(), "{context}");
    if let Some(code) = expect["code"].as_i64() {
        assert_eq!(problem.code, Some(code), "{context}");
    }
    let subcode = expect["subcode"].as_i64().filter(|subcode| *subcode != 0);
    assert_eq!(problem.subcode, subcode, "{context}");
    let dated =
        expect["expires_at"].is_number() || expect["expires_at"].to_string().contains(" or ");
    assert!(!dated || DATE_IN_WORDS_ONLY.contains(&id), "{context}");
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
    let action = inspection.problem.as_ref().map_or(Action::None, |problem| problem.action);
    match expect["class"].as_str().expect("it has a class") {
        "ok" => assert_eq!(action, Action::None, "{context}"),
        "invalid_token" if expect["action"] == "fix app secret" => {
            let inspection = facebook::as_app_token(inspection.clone());
            let action = inspection.problem.map(|problem| problem.action);
            assert_eq!(action, Some(Action::FixConfiguration), "{context}");
        }
        "invalid_token" => assert_eq!(action, Action::Reauthenticate, "{context}"),
        "unexpected" => assert_eq!(action, Action::Retry, "{context}"),
        class => panic!("no verdict is of class {class}: {context}"),
    }
}

#[test]
fn usage_headers_are_read() {
    let pairs = [
        ("x-app-usage", r#"{"call_count":16,"total_cputime":15,"total_time":12}"#),
        (
            "x-business-use-case-usage",
            r#"{"55":[{"type":"pages","estimated_time_to_regain_access":0}]}"#,
        ),
    ];
    let usage = Response::new(200, pairs.into_iter().collect(), Vec::new()).usage();
    assert_eq!((usage.percent, usage.regain_minutes), (Some(16), Some(0)));
}
