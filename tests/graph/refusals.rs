//! Refusals of Graph's, in every shape that is known, and what each of them means.
//!
//! The bodies are our own, as in `graph::cases`. Meta's tables of numbers stand, row by row, beside the
//! judgement itself; here are the shapes in which they come.

use metatoken::token::{Action, ProblemKind as Kind};

use crate::graph::cases::{EVERY_STATUS, Question, Understood, answer, answer_with, understood};

/// Refusals of an inspection, which are about the app that asks and never about the token.
pub(crate) const REFUSED_INSPECTIONS: &[(&str, Kind, Action)] = &[
    (
        r#"{"error":{"message":"Invalid OAuth access token - Debug only access token","code":190}}"#,
        Kind::BadAppCredentials,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"Invalid OAuth access token signature.","code":190}}"#,
        Kind::BadAppCredentials,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"Session has expired on some day","code":190,"error_subcode":463}}"#,
        Kind::BadAppCredentials,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"(#100) The App_id in it did not match the Viewing App","code":100}}"#,
        Kind::BadAppCredentials,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"(#100) You must provide an app access token","code":100}}"#,
        Kind::BadAppCredentials,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"Application has been deleted","code":190}}"#,
        Kind::AppDisabled,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"Invalid appsecret_proof provided","code":100}}"#,
        Kind::BadProof,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"code":190,"error_subcode":463,"is_transient":true}}"#,
        Kind::GraphUnavailable,
        Action::Retry,
    ),
    (r#"{"error":{"code":4},"data":{"is_valid":false}}"#, Kind::RateLimited, Action::SlowDown),
    (
        r#"{"data":{"granular_scopes":[{"scope":"a","target_ids":["1"]},{"scope":"a","target_ids":["2"]}]}}"#,
        Kind::MalformedResponse,
        Action::Retry,
    ),
];

#[test]
fn a_refused_inspection_says_nothing_of_the_token() {
    for (body, kind, action) in REFUSED_INSPECTIONS {
        for status in EVERY_STATUS {
            let response = answer(status, "application/json", body.as_bytes());
            let Understood::Refusal(problem) = understood(Question::Inspect, &response) else {
                panic!("a verdict at {status}: {body}");
            };
            assert_eq!((problem.kind, problem.action), (*kind, *action), "{status} {body}");
        }
    }
}

/// Refusals of an exchange or a list, whose status means nothing: body, kind, action.
pub(crate) const REFUSALS: &[(&str, Kind, Action)] = &[
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
    // A refusal that quotes a URL is no form-encoded grant.
    (
        r#"{"error":{"message":"at&access_token=EAAfakequoted&b=1","code":190}}"#,
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
        r#"{"error":{"message":"Session has expired on a day in PDT.","type":"OAuthException","code":190}}"#,
        Kind::Expired,
        Action::Reauthenticate,
    ),
    (
        r#"{"error":{"message":"The session was invalidated explicitly.","code":190,"error_subcode":466}}"#,
        Kind::Revoked,
        Action::Reauthenticate,
    ),
    (
        r#"{"error":{"message":"The user is not a confirmed user.","code":190,"error_subcode":464}}"#,
        Kind::UnconfirmedUser,
        Action::FixAccount,
    ),
    (r#"{"error":{"code":190,"error_subcode":459}}"#, Kind::Checkpoint, Action::FixAccount),
    (r#"{"error":{"code":190,"error_subcode":492}}"#, Kind::RoleLost, Action::GrantPermission),
    (
        r#"{"error":{"message":"This method must be called with a Page Access Token","code":190}}"#,
        Kind::WrongHostOrType,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"This authorization code has been used.","code":100}}"#,
        Kind::Unknown,
        Action::Reauthenticate,
    ),
    (
        r#"{"error":{"message":"Object does not exist","type":"THApiException","code":100,"error_subcode":33}}"#,
        Kind::ObjectNotFound,
        Action::FixConfiguration,
    ),
    (
        r#"{"error":{"message":"(#10) not assigned","code":10,"error_subcode":1341012}}"#,
        Kind::PermissionMissing,
        Action::GrantPermission,
    ),
    (r#"{"error":{"code":3}}"#, Kind::PermissionMissing, Action::FixConfiguration),
    (r#"{"error":{"code":"2635"}}"#, Kind::Unknown, Action::FixConfiguration),
    (r#"{"error":{"code":4476002}}"#, Kind::BadAppCredentials, Action::FixConfiguration),
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
        Kind::WrongHostOrType,
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
    (r#"{"error":{"code":368,"is_transient":true}}"#, Kind::PolicyBlock, Action::Wait),
    (r#"{"error":{"code":17,"error_subcode":2446079}}"#, Kind::RateLimited, Action::SlowDown),
    (r#"{"error":{"code":32}}"#, Kind::RateLimited, Action::SlowDown),
    (r#"{"error":{"code":80014}}"#, Kind::RateLimited, Action::SlowDown),
    (
        r#"{"error":{"message":"Error validating client secret","code":1,"is_transient":true}}"#,
        Kind::GraphUnavailable,
        Action::Retry,
    ),
    (
        r#"{"error":{"code":190,"error_subcode":463,"is_transient":"true"}}"#,
        Kind::GraphUnavailable,
        Action::Retry,
    ),
    (
        r#"{"error":{"code":1,"message":"An unknown error occurred"}}"#,
        Kind::GraphUnavailable,
        Action::Retry,
    ),
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
        r#"{"error_type":"OAuthException","code":429,"error_message":"Slow down"}"#,
        Kind::RateLimited,
        Action::SlowDown,
    ),
    (
        r#"{"meta":{"error_type":"OAuthAccessTokenException","code":400,"error_message":"It is invalid."}}"#,
        Kind::SessionInvalid,
        Action::Reauthenticate,
    ),
    (
        r#"{"meta":{"error_type":"OAuthRateLimitException","code":429,"error_message":"The maximum is reached."}}"#,
        Kind::RateLimited,
        Action::SlowDown,
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
        for question in [Question::Exchange, Question::Accounts, Question::Page, Question::Revoke] {
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
fn a_header_speaks_where_the_body_names_no_code() {
    let challenge = |name: &str| format!(r#"OAuth "Facebook Platform" "{name}" "said so""#);
    for (name, body, kind, action) in [
        (
            "invalid_request",
            r#"{"error":{"type":"OAuthException","message":"no client_secret here, please"}}"#,
            Kind::Unknown,
            Action::FixConfiguration,
        ),
        (
            "invalid_code",
            r#"{"error":{"message":"This authorization code has been used.","code":100}}"#,
            Kind::Unknown,
            Action::Reauthenticate,
        ),
        ("invalid_token", "", Kind::SessionInvalid, Action::Reauthenticate),
        ("invalid_token", r#"{"error":{}}"#, Kind::SessionInvalid, Action::Reauthenticate),
        ("invalid_token", r#"{"error":{"code":2}}"#, Kind::GraphUnavailable, Action::Retry),
    ] {
        let headers = [("WWW-Authenticate".to_owned(), challenge(name))];
        let response = answer_with(400, headers.into_iter().collect(), body.as_bytes());
        let Understood::Refusal(problem) = understood(Question::Exchange, &response) else {
            panic!("it took it for an answer: {name} {body}");
        };
        assert_eq!((problem.kind, problem.action), (kind, action), "{name} {body}");
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
        (200, "null", Kind::MalformedResponse),
        (500, "null", Kind::GraphUnavailable),
        (200, "Service Unavailable", Kind::GraphUnavailable),
        (500, r#"{"error":{}}"#, Kind::GraphUnavailable),
        (400, r#"{"error":{}}"#, Kind::Unknown),
    ] {
        for question in Question::ALL {
            let response = answer(status, "text/html", body.as_bytes());
            let Understood::Refusal(problem) = understood(question, &response) else {
                panic!("{question:?} took it for an answer: {status} {body}");
            };
            assert_eq!(problem.kind, kind, "{question:?} {status} {body}");
        }
    }
}
