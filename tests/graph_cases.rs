//! Answers of Graph's, in every shape that is known, and what each of them means.
//!
//! The bodies are our own, written from the facts and cut down to what is matched on; every id and
//! every token in them is made up.

use chrono::{DateTime, TimeDelta};
use metatoken::graph::{Headers, Response, facebook};
use metatoken::token::{Action, Expiry, Inspection, Problem, ProblemKind as Kind, Secret, Time};
use proptest::prelude::*;

/// What was asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question {
    Inspect,
    Exchange,
    Accounts,
    Page,
}

/// What was understood.
#[derive(Debug, PartialEq)]
pub(crate) enum Understood {
    Verdict(Box<Inspection>),
    Grant(Expiry),
    Pages { count: usize, with_token: usize, more: bool },
    Refusal(Problem),
}

/// When the answers came.
pub(crate) fn now() -> Time {
    DateTime::from_timestamp(1_767_225_600, 0).expect("a date")
}

pub(crate) fn understood(question: Question, response: &Response) -> Understood {
    match question {
        Question::Inspect => facebook::read_inspection(response)
            .map(|inspection| Understood::Verdict(Box::new(inspection))),
        Question::Exchange => {
            facebook::read_grant(response, now()).map(|grant| Understood::Grant(grant.expiry))
        }
        Question::Accounts => facebook::read_accounts(response).map(|list| Understood::Pages {
            count: list.pages.len(),
            with_token: list.pages.iter().filter(|page| page.token.is_some()).count(),
            more: list.after.is_some(),
        }),
        Question::Page => facebook::read_page(response).map(|page| Understood::Pages {
            count: 1,
            with_token: usize::from(page.token.is_some()),
            more: false,
        }),
    }
    .unwrap_or_else(Understood::Refusal)
}

const EVERY_STATUS: [u16; 4] = [200, 400, 401, 500];

/// The token that was asked about, and the app's secret.
const ASKED_ABOUT: &str = "EAAfakeMARKEDtokenMARKED";
const SECRET: &str = "fakeMARKEDsecret";

fn answer(status: u16, content_type: &str, body: &[u8]) -> Response {
    let headers: Headers = [("content-type", content_type)].into_iter().collect();
    Response::new(status, headers, body.to_vec())
        .to_a_question_with(vec![Secret::new(ASKED_ABOUT), Secret::new(SECRET)])
}

/// What is wrong, and what recovers it.
type Trouble = Option<(Kind, Action)>;

/// Verdicts: body, valid, what is wrong, when it ends.
const VERDICTS: &[(&str, Option<bool>, Trouble, Expiry)] = &[
    (
        r#"{"data":{"app_id":"7","type":"USER","expires_at":1772000000,"is_valid":true,"issued_at":1767225000,"scopes":["public_profile"],"user_id":"123"}}"#,
        Some(true),
        None,
        at(1_772_000_000),
    ),
    (
        r#"{"data":{"app_id":7,"type":"SYSTEM_USER","data_access_expires_at":0,"expires_at":0,"is_valid":true,"user_id":9007199254740993}}"#,
        Some(true),
        None,
        Expiry::Never,
    ),
    (
        r#"{"data":{"app_id":"7","type":"PAGE","profile_id":"55","expires_at":"1772000000","is_valid":true}}"#,
        Some(true),
        None,
        at(1_772_000_000),
    ),
    (r#"{"data":{"app_id":"7","user_id":"1","is_valid":true}}"#, Some(true), None, Expiry::Unknown),
    (r#"{"data":{"app_id":"7","is_valid":true}}"#, Some(true), None, Expiry::Never),
    (
        r#"{"data":{"expires_at":0,"is_valid":false,"error":{"code":190,"subcode":460,"message":"The session has been invalidated."}}}"#,
        Some(false),
        Some((Kind::PasswordChanged, Action::Reauthenticate)),
        Expiry::Never,
    ),
    (
        r#"{"data":{"expires_at":1772000000,"is_valid":false,"scopes":[],"error":{"code":190,"subcode":466}}}"#,
        Some(false),
        Some((Kind::Revoked, Action::Reauthenticate)),
        at(1_772_000_000),
    ),
    (
        r#"{"data":{"is_valid":false,"error":{"code":190,"subcode":492}}}"#,
        Some(false),
        Some((Kind::RoleLost, Action::GrantPermission)),
        Expiry::Unknown,
    ),
    (
        r#"{"data":{"is_valid":false,"scopes":[],"error":{"code":190,"message":"The access token could not be decrypted"}}}"#,
        Some(false),
        Some((Kind::SessionInvalid, Action::Reauthenticate)),
        Expiry::Unknown,
    ),
    (
        r#"{"data":{"is_valid":false,"error":{"code":190,"subcode":459}}}"#,
        None,
        Some((Kind::Checkpoint, Action::FixAccount)),
        Expiry::Unknown,
    ),
    (
        r#"{"data":{"is_valid":false,"error":{"code":190,"subcode":464}}}"#,
        None,
        Some((Kind::UnconfirmedUser, Action::FixAccount)),
        Expiry::Unknown,
    ),
    (
        r#"{"data":{"is_valid":false,"error":{"code":190,"message":"Application has been deleted"}}}"#,
        None,
        Some((Kind::AppDisabled, Action::FixConfiguration)),
        Expiry::Unknown,
    ),
    (
        r#"{"data":{"granular_scopes":[{"scope":"a","target_ids":["1"]},{"scope":"a","target_ids":["2"]}]}}"#,
        None,
        Some((Kind::MalformedResponse, Action::Retry)),
        Expiry::Unknown,
    ),
];

const fn at(seconds: i64) -> Expiry {
    Expiry::At(DateTime::from_timestamp(seconds, 0).expect("a date"))
}

#[test]
fn verdicts_are_read_whatever_the_status() {
    for (body, valid, problem, expiry) in VERDICTS {
        for status in EVERY_STATUS {
            let response = answer(status, "application/json", body.as_bytes());
            let Understood::Verdict(seen) = understood(Question::Inspect, &response) else {
                panic!("no verdict at {status}: {body}");
            };
            assert_eq!((seen.valid, seen.expiry), (*valid, *expiry), "{status} {body}");
            let seen = seen.problem.map(|problem| (problem.kind, problem.action));
            assert_eq!(seen, *problem, "{status} {body}");
        }
    }
}

/// Refusals of an exchange or a list, whose status means nothing: body, kind, action.
const REFUSALS: &[(&str, Kind, Action)] = &[
    (
        r#"{"error":{"message":"Error validating client secret.","type":"OAuthException","code":1}}"#,
        Kind::BadAppCredentials,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"Error validating client secret","code":100}}"#,
        Kind::BadAppCredentials,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"Invalid OAuth access token.","code":190}}"#,
        Kind::SessionInvalid,
        Action::Reauthenticate,
    ),
    (
        r#"{"error":{"message":"Session has expired on some day.","code":190,"error_subcode":463}}"#,
        Kind::Expired,
        Action::Reauthenticate,
    ),
    (
        r#"{"error":{"message":"Session has expired on some day.","code":190,"error_subcode":0}}"#,
        Kind::Expired,
        Action::Reauthenticate,
    ),
    (
        r#"{"error":{"message":"it was invalidated because they changed their password","code":"190"}}"#,
        Kind::PasswordChanged,
        Action::Reauthenticate,
    ),
    (
        r#"{"error":{"code":102,"error_subcode":460}}"#,
        Kind::PasswordChanged,
        Action::Reauthenticate,
    ),
    (
        r#"{"error":{"message":"User need to relogin","code":102}}"#,
        Kind::SessionInvalid,
        Action::Reauthenticate,
    ),
    (r#"{"error":{"code":190,"error_subcode":452}}"#, Kind::SessionInvalid, Action::Reauthenticate),
    (
        r#"{"error":{"code":190,"error_subcode":458}}"#,
        Kind::AppNotAuthorized,
        Action::Reauthenticate,
    ),
    (r#"{"error":{"code":190,"error_subcode":493}}"#, Kind::Inactive, Action::Reauthenticate),
    (
        r#"{"error":{"code":190,"error_subcode":490,"error_data":"{\"flow\":\"1\"}"}}"#,
        Kind::Checkpoint,
        Action::FixAccount,
    ),
    (
        r#"{"error":{"code":415,"error_subcode":2859009,"error_data":{"hash":"9"},"is_transient":false}}"#,
        Kind::Checkpoint,
        Action::FixAccount,
    ),
    (
        r#"{"error":{"code":25,"error_subcode":2207050,"is_transient":false}}"#,
        Kind::Checkpoint,
        Action::FixAccount,
    ),
    (
        r#"{"error":{"message":"Any of the a or b permission(s) must be granted before it.","code":190}}"#,
        Kind::PermissionMissing,
        Action::GrantPermission,
    ),
    (r#"{"error":{"code":200}}"#, Kind::PermissionMissing, Action::GrantPermission),
    (r#"{"error":{"code":200,"error_subcode":2069030}}"#, Kind::Unknown, Action::FixConfiguration),
    (
        r#"{"error":{"message":"Error validating application. Cannot get application info.","code":190}}"#,
        Kind::WrongHostOrType,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"Cannot parse access token","code":190}}"#,
        Kind::WrongHostOrType,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"Error validating application.","code":101}}"#,
        Kind::BadAppCredentials,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"API access deactivated.","code":200}}"#,
        Kind::AppDisabled,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"calls require an appsecret_proof argument","code":100}}"#,
        Kind::BadProof,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"Object with ID '1' does not exist","code":100,"error_subcode":33}}"#,
        Kind::ObjectNotFound,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"(#803) no such alias","code":803}}"#,
        Kind::ObjectNotFound,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"Unsupported request - method type: get","type":"IGApiException","code":100}}"#,
        Kind::Unknown,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"(#341) limit reached","type":"OAuthException"}}"#,
        Kind::RateLimited,
        Action::SlowDown,
    ),
    (r#"{"error":{"code":4,"is_transient":true}}"#, Kind::RateLimited, Action::SlowDown),
    (r#"{"error":{"code":80000,"error_subcode":2446079}}"#, Kind::RateLimited, Action::SlowDown),
    (r#"{"error_code":613,"error_msg":"too fast"}"#, Kind::RateLimited, Action::SlowDown),
    (
        r#"{"error":{"code":4,"error_subcode":2207051,"is_transient":false}}"#,
        Kind::PolicyBlock,
        Action::Wait,
    ),
    (r#"{"error":{"code":368}}"#, Kind::PolicyBlock, Action::Wait),
    (
        r#"{"error":{"code":2,"type":"OAuthException","is_transient":true}}"#,
        Kind::GraphUnavailable,
        Action::Retry,
    ),
    (
        r#"{"error":{"code":190,"error_subcode":467,"is_transient":true}}"#,
        Kind::GraphUnavailable,
        Action::Retry,
    ),
    (
        r#"{"error_code":190,"error_description":"Error validating access token."}"#,
        Kind::SessionInvalid,
        Action::Reauthenticate,
    ),
    (
        r#"{"error_type":"OAuthException","code":400,"error_message":"Invalid platform app"}"#,
        Kind::BadAppCredentials,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":"invalid_grant","error_description":"The code is not valid."} "#,
        Kind::Unknown,
        Action::Reauthenticate,
    ),
    (
        "/**/ call_1({\"error\":{\"message\":\"Invalid OAuth access token signature.\",\"code\":190}});",
        Kind::SessionInvalid,
        Action::Reauthenticate,
    ),
];

#[test]
fn refusals_mean_the_same_whatever_the_status() {
    for (body, kind, action) in REFUSALS {
        for question in [Question::Exchange, Question::Accounts, Question::Page] {
            for status in EVERY_STATUS {
                let response = answer(status, "text/javascript; charset=UTF-8", body.as_bytes());
                let Understood::Refusal(problem) = understood(question, &response) else {
                    panic!("{question:?} at {status} took it for an answer: {body}");
                };
                let seen = (problem.kind, problem.action);
                assert_eq!(seen, (*kind, *action), "{question:?} {status} {body}");
            }
        }
    }
}

#[test]
fn where_the_body_says_nothing_the_status_decides() {
    let html = "<html><h1>Bad Gateway</h1></html>";
    for (status, body, kind) in [
        (200, "", Kind::MalformedResponse),
        (400, "", Kind::MalformedResponse),
        (500, "", Kind::GraphUnavailable),
        (400, html, Kind::MalformedResponse),
        (502, html, Kind::GraphUnavailable),
        (429, html, Kind::RateLimited),
        (200, "true", Kind::MalformedResponse),
        (200, "null", Kind::MalformedResponse),
        (500, "null", Kind::GraphUnavailable),
        (200, "Service Unavailable", Kind::MalformedResponse),
        (500, r#"{"error":{}}"#, Kind::GraphUnavailable),
        (400, r#"{"error":{}}"#, Kind::Unknown),
    ] {
        for question in [Question::Inspect, Question::Exchange, Question::Accounts, Question::Page]
        {
            let response = answer(status, "text/html", body.as_bytes());
            let Understood::Refusal(problem) = understood(question, &response) else {
                panic!("{question:?} took it for an answer: {status} {body}");
            };
            assert_eq!(problem.kind, kind, "{question:?} {status} {body}");
        }
    }
}

#[test]
fn grants_and_pages_are_read_whatever_the_status() {
    let in_two_months = Expiry::At(now() + TimeDelta::seconds(5_183_944));
    let pages = |count, with_token, more| Understood::Pages { count, with_token, more };
    for (question, body, expected) in [
        (
            Question::Exchange,
            r#"{"access_token":"EAAfakenew","token_type":"bearer","expires_in":5183944}"#,
            Understood::Grant(in_two_months),
        ),
        (
            Question::Exchange,
            r#"{"access_token":"EAAfakenew","expires_in":"5183944"}"#,
            Understood::Grant(in_two_months),
        ),
        (
            Question::Exchange,
            "access_token=EAAfakenew&expires=5183944",
            Understood::Grant(in_two_months),
        ),
        (Question::Exchange, "access_token=EAAfakenew", Understood::Grant(Expiry::Unknown)),
        (
            Question::Exchange,
            r#"{"access_token":"7|fakefakefake","token_type":"bearer"}"#,
            Understood::Grant(Expiry::Unknown),
        ),
        (Question::Accounts, r#"{"data":[]}"#, pages(0, 0, false)),
        (
            Question::Accounts,
            r#"{"data":[{"id":"1","access_token":"EAAfakepage"},{"id":2}],"paging":{"cursors":{"after":"A"},"next":"https://graph.example/?access_token=EAAfake"}}"#,
            pages(2, 1, true),
        ),
        (
            Question::Accounts,
            r#"{"data":[{"id":"1"}],"paging":{"cursors":{"after":"A"}}}"#,
            pages(1, 0, false),
        ),
        (Question::Page, r#"{"id":"19"}"#, pages(1, 0, false)),
        (
            Question::Page,
            r#"{"id":"19","name":"One","access_token":"EAAfakepage"}"#,
            pages(1, 1, false),
        ),
    ] {
        for status in EVERY_STATUS {
            let response = answer(status, "text/plain", body.as_bytes());
            assert_eq!(understood(question, &response), expected, "{status} {body}");
        }
    }
}

fn bodies() -> Vec<&'static str> {
    let verdicts = VERDICTS.iter().map(|(body, ..)| *body);
    let others = [
        r#"{"access_token":"EAAfakenew","expires_in":5183944}"#,
        r#"{"data":[{"id":"1","name":"EAAfakeMARKEDtokenMARKED","access_token":"EAAfakepage"}]}"#,
        r#"{"error":{"message":"bad token EAAfakeMARKEDtokenMARKED","code":190,"fbtrace_id":"EAAfakeMARKEDtokenMARKED"}}"#,
        r#"{"data":{"is_valid":false,"error":{"code":190,"message":"fakeMARKEDsecret, access_token=EAAfakeMARKEDtokenMARKED"}}}"#,
    ];
    verdicts.chain(REFUSALS.iter().map(|(body, ..)| *body)).chain(others).collect()
}

/// One thing that can happen to a body on its way.
#[derive(Debug, Clone)]
enum Damage {
    Truncated(prop::sample::Index),
    Flipped(prop::sample::Index, u8),
    Cut(prop::sample::Index, u8),
    Inserted(prop::sample::Index, Vec<u8>),
    Quoting(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        place().prop_map(Damage::Truncated),
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Flipped(at, byte)),
        (place(), any::<u8>()).prop_map(|(at, count)| Damage::Cut(at, count)),
        (place(), any::<Vec<u8>>()).prop_map(|(at, bytes)| Damage::Inserted(at, bytes)),
        place().prop_map(Damage::Quoting),
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
        Damage::Inserted(at, bytes) => {
            let at = at.index(length + 1);
            body.splice(at..at, bytes);
        }
        Damage::Quoting(at) => {
            let at = at.index(length + 1);
            body.splice(at..at, ASKED_ABOUT.bytes());
        }
    }
    body
}

/// Whatever the bytes: no panic, no secret in any words, no death without Graph's own word for it.
fn is_harmless(status: u16, body: &[u8]) {
    for question in [Question::Inspect, Question::Exchange, Question::Accounts, Question::Page] {
        let response = answer(status, "application/json", body);
        let problem = match understood(question, &response) {
            Understood::Refusal(problem) => Some(problem),
            Understood::Verdict(inspection) => {
                if inspection.valid == Some(false) {
                    let text = String::from_utf8_lossy(body);
                    assert!(text.contains("is_valid") && text.contains("false"), "{text}");
                }
                inspection.problem
            }
            Understood::Grant(_) | Understood::Pages { .. } => None,
        };
        if let Some(problem) = problem {
            let words = format!("{problem} {problem:?}");
            assert!(!words.contains(ASKED_ABOUT) && !words.contains(SECRET), "{words}");
            assert!(problem.message.chars().count() <= 400, "{words}");
            assert!(!problem.message.chars().any(char::is_control), "{words:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_mangled_answer_does_harm(
        body in prop::sample::select(bodies()),
        status in prop::sample::select(vec![200_u16, 302, 400, 401, 429, 500]),
        damages in prop::collection::vec(damage(), 0..6),
    ) {
        is_harmless(status, &damages.into_iter().fold(body.as_bytes().to_vec(), damaged));
    }

    #[test]
    fn no_arbitrary_answer_does_harm(status in any::<u16>(), body in any::<Vec<u8>>()) {
        is_harmless(status, &body);
    }
}
