//! Answers of Graph's, in every shape that is known, and what each of them means.
//!
//! The bodies are our own, written from the facts and cut down to what is matched on; every id and
//! every token in them is made up.

use std::time::Duration;

use chrono::DateTime;
use metatoken::graph::{Headers, Response, calls, read_acknowledgement};
use metatoken::token::{Action, Expiry, Inspection, Problem, ProblemKind as Kind, Secret, Time};

use crate::graph::refusals::{REFUSALS, REFUSED_INSPECTIONS};

/// What was asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question {
    Inspect,
    Exchange,
    Accounts,
    Page,
    Revoke,
}

impl Question {
    pub(crate) const ALL: [Self; 5] =
        [Self::Inspect, Self::Exchange, Self::Accounts, Self::Page, Self::Revoke];
}

/// What was understood.
#[derive(Debug, PartialEq)]
pub(crate) enum Understood {
    Verdict(Box<Inspection>),
    Grant(Expiry),
    Pages { count: usize, with_token: usize, more: bool },
    Acknowledged,
    Refusal(Problem),
}

/// When the answers came.
pub(crate) fn now() -> Time {
    DateTime::from_timestamp(1_767_225_600, 0).expect("a date")
}

pub(crate) fn understood(question: Question, response: &Response) -> Understood {
    match question {
        Question::Inspect => calls::read_inspection(response)
            .map(|inspection| Understood::Verdict(Box::new(inspection))),
        Question::Exchange => {
            calls::read_grant(response, now()).map(|grant| Understood::Grant(grant.expiry))
        }
        Question::Accounts => calls::read_accounts(response).map(|list| Understood::Pages {
            count: list.pages.len(),
            with_token: list.pages.iter().filter(|page| page.token.is_some()).count(),
            more: list.next != metatoken::graph::Continuation::End,
        }),
        Question::Page => calls::read_page(response).map(|page| Understood::Pages {
            count: 1,
            with_token: usize::from(page.token.is_some()),
            more: false,
        }),
        Question::Revoke => read_acknowledgement(response).map(|()| Understood::Acknowledged),
    }
    .unwrap_or_else(Understood::Refusal)
}

pub(crate) const EVERY_STATUS: [u16; 4] = [200, 400, 401, 500];

/// The token that was asked about, and the app's secret.
pub(crate) const ASKED_ABOUT: &str = "EAAfakeMARKEDtokenMARKED";
pub(crate) const SECRET: &str = "fakeMARKEDsecret";

pub(crate) fn answer(status: u16, content_type: &str, body: &[u8]) -> Response {
    answer_with(status, [("content-type", content_type)].into_iter().collect(), body)
}

pub(crate) fn answer_with(status: u16, headers: Headers, body: &[u8]) -> Response {
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
        r#"{"data":{"error":{"code":190,"message":"Invalid OAuth access token signature."},"is_valid":false,"scopes":[]}}"#,
        Some(false),
        Some((Kind::SessionInvalid, Action::Reauthenticate)),
        Expiry::Unknown,
    ),
    (
        r#"{"data":{"is_valid":false,"error":{"code":100,"message":"It did not match the Viewing App"}}}"#,
        Some(false),
        Some((Kind::BadAppCredentials, Action::FixConfiguration)),
        Expiry::Unknown,
    ),
    (
        r#"{"data":{"is_valid":false,"error":{"code":368,"message":"It is blocked for now"}}}"#,
        Some(false),
        Some((Kind::PolicyBlock, Action::Wait)),
        Expiry::Unknown,
    ),
    (
        r#"{"data":{"app_id":"7","profile_id":"55","user_id":"1","application":"old","expires_at":1772000000,"is_valid":true}}"#,
        Some(true),
        None,
        at(1_772_000_000),
    ),
    (
        r#"{"data":{"is_valid":false,"error":{"code":190,"subcode":459}}}"#,
        Some(false),
        Some((Kind::Checkpoint, Action::FixAccount)),
        Expiry::Unknown,
    ),
    (
        r#"{"data":{"is_valid":false,"error":{"code":190,"subcode":464}}}"#,
        Some(false),
        Some((Kind::UnconfirmedUser, Action::FixAccount)),
        Expiry::Unknown,
    ),
    (
        r#"{"data":{"is_valid":false,"error":{"code":190,"message":"Application has been deleted"}}}"#,
        Some(false),
        Some((Kind::AppDisabled, Action::FixConfiguration)),
        Expiry::Unknown,
    ),
];

#[test]
fn graphs_own_trouble_inside_the_data_is_no_verdict_and_no_answer() {
    for (error, kind) in [
        (r#"{"code":190,"subcode":463,"is_transient":true}"#, Kind::GraphUnavailable),
        (r#"{"code":2}"#, Kind::GraphUnavailable),
        (r#"{"code":4}"#, Kind::RateLimited),
    ] {
        let body =
            format!(r#"{{"data":{{"is_valid":false,"expires_at":1772000000,"error":{error}}}}}"#);
        for status in EVERY_STATUS {
            let response = answer(status, "application/json", body.as_bytes());
            let Understood::Refusal(problem) = understood(Question::Inspect, &response) else {
                panic!("an answer at {status}: {body}");
            };
            assert_eq!(problem.kind, kind, "{status} {body}");
        }
    }
}

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

const fn pages(count: usize, with_token: usize, more: bool) -> Understood {
    Understood::Pages { count, with_token, more }
}

const IN_TWO_MONTHS: Understood = Understood::Grant(at(1_767_225_600 + 5_183_944));
const WITHOUT_AN_END: Understood = Understood::Grant(Expiry::Unknown);

/// Answers that are what was asked for.
const ANSWERS: &[(Question, &str, Understood)] = &[
    (
        Question::Exchange,
        r#"{"access_token":"EAAfakenew","token_type":"bearer","expires_in":5183944}"#,
        IN_TWO_MONTHS,
    ),
    (Question::Exchange, r#"{"access_token":"EAAfakenew","expires_in":"5183944"}"#, IN_TWO_MONTHS),
    (Question::Exchange, "access_token=EAAfakenew&expires=5183944", IN_TWO_MONTHS),
    (Question::Exchange, "access_token=EAAfakenew", WITHOUT_AN_END),
    (Question::Exchange, r#"{"access_token":"EAAfakenew","expires_in":0}"#, WITHOUT_AN_END),
    (
        Question::Exchange,
        r#"{"access_token":"IGAAfakenew","user_id":17841400000000001}"#,
        WITHOUT_AN_END,
    ),
    (
        Question::Exchange,
        r#"{"data":[{"access_token":"IGAAfakenew","user_id":"9","permissions":"a,b"}]}"#,
        WITHOUT_AN_END,
    ),
    (Question::Exchange, r#"{"access_token":"THAAfakenew","user_id":9}"#, WITHOUT_AN_END),
    // An app's token lives as long as the app's secret.
    (
        Question::Exchange,
        r#"{"access_token":"7|fakefakefake","token_type":"bearer"}"#,
        Understood::Grant(Expiry::Never),
    ),
    (
        Question::Exchange,
        r#"{"access_token":"TH|7|fakefakefake","token_type":"bearer"}"#,
        Understood::Grant(Expiry::Never),
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
    (Question::Revoke, "true", Understood::Acknowledged),
    (Question::Revoke, r#"{"success":true}"#, Understood::Acknowledged),
];

#[test]
fn answers_are_read_whatever_the_status() {
    for (question, body, expected) in ANSWERS {
        for status in EVERY_STATUS {
            let response = answer(status, "text/plain", body.as_bytes());
            assert_eq!(understood(*question, &response), *expected, "{status} {body}");
        }
    }
}

#[test]
fn usage_headers_stand_beside_any_answer() {
    let headers = [
        ("x-app-usage", r#"{"call_count":16,"total_cputime":15,"total_time":12}"#),
        (
            "x-business-use-case-usage",
            r#"{"55":[{"type":"pages","call_count":1,"estimated_time_to_regain_access":0}]}"#,
        ),
        ("x-ad-account-usage", r#"{"acc_id_util_pct":9.5,"reset_time_duration":0}"#),
    ];
    let response = answer_with(200, headers.into_iter().collect(), br#"{"id":"55"}"#);
    assert_eq!(understood(Question::Page, &response), pages(1, 0, false));
    let usage = response.usage();
    assert_eq!((usage.percent, usage.regain), (Some(16), Some(Duration::ZERO)));
}

/// Bodies that quote what was asked.
const TELLING: [&str; 3] = [
    r#"{"data":[{"id":"1","name":"EAAfakeMARKEDtokenMARKED","access_token":"EAAfakepage"}]}"#,
    r#"{"error":{"message":"bad token EAAfakeMARKEDtokenMARKED","code":190,"fbtrace_id":"EAAfakeMARKEDtokenMARKED"}}"#,
    r#"{"data":{"application":"fakeMARKEDsecret","is_valid":false,"error":{"code":190,"message":"fakeMARKEDsecret, access_token=EAAfakeMARKEDtokenMARKED"}}}"#,
];

/// Every body of the tables.
pub(crate) fn bodies() -> Vec<&'static str> {
    let verdicts = VERDICTS.iter().map(|(body, ..)| *body);
    let refusals = REFUSED_INSPECTIONS.iter().chain(REFUSALS).map(|(body, ..)| *body);
    let answers = ANSWERS.iter().map(|(_, body, _)| *body);
    verdicts.chain(refusals).chain(answers).chain(TELLING).collect()
}
