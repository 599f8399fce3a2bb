//! Turns every answer that is not what was asked for into one [`Problem`].
//!
//! Here a refusal is found, worded without its secrets and handed on; what Meta's numbers and words
//! mean is ruled in `judgement`. A page of a proxy's, an empty body and a redirect end here too:
//! none of them says anything of a token.

use std::time::Duration;

use crate::token::{Action, Problem, ProblemKind, Secret};

use super::body::JsonBody;
use super::classify::{by_status, judged};
use super::envelope::Envelope;
use super::phrases;
use super::response::Response;
use crate::token::redact;

/// Whether a problem with the app's credentials is one token's alone.
pub fn blames_the_token(problem: &Problem) -> bool {
    phrases::name_another_app(&problem.message.to_lowercase())
}

/// The document of an answer that is not a refusal, or what the refusal means.
pub fn accepted(response: &Response) -> Result<JsonBody, Problem> {
    let document = JsonBody::parse(response.body()).ok_or_else(|| unreadable(response))?;
    match Envelope::of(&document, response) {
        Some(envelope) => Err(problem(&envelope, response.status(), response)),
        None => Ok(document),
    }
}

/// Whether it is a document, as all of Graph's own answers are.
pub fn is_readable(response: &Response) -> bool {
    JsonBody::parse(response.body()).is_some()
}

/// Whether Graph itself refused, so that nothing else can have come of the request.
pub fn is_refusal(response: &Response) -> bool {
    JsonBody::parse(response.body())
        .and_then(|document| Envelope::of(&document, response))
        .is_some()
}

/// What an `error` inside a readable answer means, whatever the HTTP status.
pub fn within(error: &serde_json::Value, response: &Response) -> Problem {
    problem(&Envelope::from_error(error), 200, response)
}

/// Whether Graph would answer if less was asked for at once.
pub fn asks_for_less(problem: &Problem) -> bool {
    problem.kind == ProblemKind::GraphUnavailable
        && phrases::ask_for_less(&problem.message.to_lowercase())
}

/// An answer that is not a refusal but lacks what was asked for.
pub fn malformed(response: &Response, what: &str) -> Problem {
    let status = response.status();
    let (kind, action) = by_status(status, ProblemKind::MalformedResponse);
    let message = match (kind, status) {
        (ProblemKind::MalformedResponse, 300..=399) => {
            format!("{}: status {status}, {what}", redirect(response))
        }
        (ProblemKind::MalformedResponse, _) => {
            format!("Graph's answer of status {status} cannot be read: {what}")
        }
        _ => format!("Graph answered with status {status}: {what}"),
    };
    Problem::new(kind, message).with_action(action)
}

fn problem(envelope: &Envelope, status: u16, response: &Response) -> Problem {
    let (kind, action) = judged(envelope, status);
    Problem {
        kind,
        action,
        code: envelope.code,
        subcode: envelope.subcode,
        message: worded(envelope, kind, response),
        fix: None,
        fbtrace_id: envelope.fbtrace_id.as_deref().and_then(redact::trace).filter(|trace| {
            !response.secrets().iter().map(Secret::expose).any(|secret| secret.contains(trace))
        }),
    }
}

fn worded(envelope: &Envelope, kind: ProblemKind, response: &Response) -> String {
    let said = redact::sentence(&envelope.message, response.secrets());
    let said = said.trim_end_matches('.');
    let said = if said.is_empty() { "Graph refused and did not say why" } else { said };
    match response.wait() {
        Some(wait) if kind == ProblemKind::RateLimited => {
            format!("{said}: Graph answers again in {}", spelled(wait))
        }
        _ => said.to_owned(),
    }
}

/// Words a wait, rounded up: a call that comes too early is throttled for longer.
fn spelled(wait: Duration) -> String {
    let (number, unit) = match wait.as_secs() {
        seconds @ ..60 => (seconds, "second"),
        seconds => (seconds.div_ceil(60), "minute"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

fn unreadable(response: &Response) -> Problem {
    if let Some(envelope) = Envelope::from_challenge(response) {
        return problem(&envelope, response.status(), response);
    }
    let status = response.status();
    if let Some(packing) = response.packing() {
        return packed(response, packing);
    }
    if response.body().iter().all(u8::is_ascii_whitespace) {
        return malformed(response, "the body is empty");
    }
    if let Some(sentence) = asked_for_less_in_plain_words(response.body()) {
        return Problem::new(ProblemKind::GraphUnavailable, sentence);
    }
    if says_that_it_is_down(response.body()) {
        let message = format!("Graph says in plain words, at status {status}, that it is down");
        return Problem::new(ProblemKind::GraphUnavailable, message);
    }
    let content_type = response.content_type().unwrap_or("nothing said");
    let wait = response.wait().filter(|_| matches!(status, 429 | 503));
    let wait = wait.map_or_else(String::new, |wait| {
        format!("; it wants to be asked again in {}", spelled(wait))
    });
    let seen = format!("status {status}, content type `{content_type}`, no JSON{wait}");
    let (kind, action) = by_status(status, ProblemKind::MalformedResponse);
    let whose = match status {
        300..=399 => redirect(response),
        _ => "a proxy or another server answered, not Graph".to_owned(),
    };
    Problem::new(kind, format!("{whose}: {seen}")).with_action(action)
}

/// Names where a redirect leads: the host alone, for the rest of the address may hold what was asked with.
fn redirect(response: &Response) -> String {
    match response.redirects_to() {
        Some(host) => format!("a redirect to `{host}`, which is not followed"),
        None => "a redirect, which is not followed".to_owned(),
    }
}

/// What cannot be unpacked was packed on the way: metatoken asks for plain answers, which Graph gives.
fn packed(response: &Response, packing: &str) -> Problem {
    let status = response.status();
    let message = format!(
        "the answer of status {status} is compressed (`{packing}`), although metatoken asks for \
         `Accept-Encoding: identity`: a proxy on the way does that"
    );
    let (kind, action) = by_status(status, ProblemKind::MalformedResponse);
    let action = match kind {
        ProblemKind::MalformedResponse => Action::FixConfiguration,
        _ => action,
    };
    Problem::new(kind, message).with_action(action)
}

/// Graph's sentence, where its front gives no more than that.
fn asked_for_less_in_plain_words(body: &[u8]) -> Option<&'static str> {
    /// No sentence is longer.
    const LONGEST: usize = 300;
    let words = std::str::from_utf8(body).ok().filter(|words| words.len() <= LONGEST)?;
    phrases::ask_for_less(&words.to_lowercase())
        .then_some("Graph asks to reduce the amount of data that is asked for at once")
}

/// Graph's own front may say so without JSON, and at HTTP 200. Source: Meta, its Python SDK.
fn says_that_it_is_down(body: &[u8]) -> bool {
    let words = String::from_utf8_lossy(body);
    let words = words.trim().trim_matches(['"', '.']);
    words.eq_ignore_ascii_case("service unavailable")
        || words.eq_ignore_ascii_case("service temporarily unavailable")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Headers;

    #[test]
    fn bodies_without_a_refusal_go_by_the_status() {
        use ProblemKind as Kind;
        for (status, body, kind) in [
            (500, "", Kind::GraphUnavailable),
            (200, "", Kind::MalformedResponse),
            (400, "<html>", Kind::MalformedResponse),
            (302, "<html>", Kind::MalformedResponse),
            (503, "<html>", Kind::GraphUnavailable),
            (429, "<html>", Kind::RateLimited),
            (200, "Service Unavailable", Kind::GraphUnavailable),
            (400, "service temporarily unavailable.\n", Kind::GraphUnavailable),
            (200, "Service Unavailable for you", Kind::MalformedResponse),
            (200, "\u{1f}\u{8b}", Kind::MalformedResponse),
        ] {
            let headers = [("content-type", "text/html")].into_iter().collect();
            let response = Response::new(status, headers, body.as_bytes().to_vec());
            let problem = accepted(&response).err().expect("it is no answer");
            assert_eq!(problem.kind, kind, "{status} {body}");
            assert!(problem.message.contains(&status.to_string()), "{}", problem.message);
        }
    }

    #[test]
    fn a_redirect_names_the_host_that_it_leads_to_and_nothing_more() {
        let to =
            |host: &str| format!("a redirect to `{host}`, which is not followed: status 301, ");
        let nowhere = "a redirect, which is not followed: status 301, ".to_owned();
        let hotel = "https://login.hotel.example:8443/x?next=access_token%3DEAAfakefake";
        for (location, message) in [
            (hotel, to("login.hotel.example")),
            ("http://EAAfake1234:x@hotel.example/", to("hotel.example")),
            ("https://eaafake-opaque1.example/", nowhere.clone()),
            ("/login?access_token=EAAfakefake", nowhere.clone()),
            ("", nowhere),
        ] {
            for (body, rest) in [
                ("", "the body is empty"),
                ("{}", "it has no `data`"),
                ("<html>", "content type `nothing said`, no JSON"),
            ] {
                let headers = [("Location", location)].into_iter().collect();
                let response = Response::new(301, headers, body.as_bytes().to_vec())
                    .to_a_question_with(vec![Secret::new("eaafake-opaque1")]);
                let problem = super::super::calls::read_inspection(&response).expect_err(body);
                assert_eq!(problem.kind, ProblemKind::MalformedResponse, "{location}");
                assert_eq!(problem.message, format!("{message}{rest}"), "{location}");
            }
        }
    }

    #[test]
    fn an_answer_that_was_packed_on_the_way_is_named() {
        let body = b"\x1f\x8b\x08\x00\x00".to_vec();
        for (status, headers, kind, action) in [
            (200, Headers::default(), ProblemKind::MalformedResponse, Action::FixConfiguration),
            (
                400,
                [("content-encoding", "gzip")].into_iter().collect(),
                ProblemKind::MalformedResponse,
                Action::FixConfiguration,
            ),
            (502, Headers::default(), ProblemKind::GraphUnavailable, Action::Retry),
        ] {
            let problem = accepted(&Response::new(status, headers, body.clone())).err().unwrap();
            assert_eq!((problem.kind, problem.action), (kind, action), "{status}");
            assert!(problem.message.contains("compressed (`gzip`)"), "{}", problem.message);
        }
    }

    #[test]
    fn graph_may_ask_for_less_in_any_form() {
        for (status, body, asks) in [
            (
                500,
                r#"{"error":{"code":1,"message":"Please reduce the amount of data you're asking for, then retry your request"}}"#,
                true,
            ),
            (
                503,
                r#"{"error":{"code":2,"is_transient":true,"message":"Please reduce the amount of data"}}"#,
                true,
            ),
            (503, "Please reduce the amount of data you're asking for", true),
            (500, r#"{"error":{"code":1,"message":"An unknown error has occurred"}}"#, false),
            (503, "Service Unavailable", false),
        ] {
            let response = Response::new(status, Headers::default(), body.as_bytes().to_vec());
            let problem = accepted(&response).err().expect("it is no answer");
            assert_eq!(asks_for_less(&problem), asks, "{status} {body}");
            assert_eq!(problem.kind, ProblemKind::GraphUnavailable, "{status} {body}");
        }
    }

    #[test]
    fn a_trace_that_is_part_of_a_secret_is_dropped() {
        let body = r#"{"error":{"code":2,"message":"at EAAfakeone.","fbtrace_id":"opaque1"}}"#;
        let response = Response::new(500, Headers::default(), body.as_bytes().to_vec())
            .to_a_question_with(vec![Secret::new("an-opaque1-secret")]);
        let problem = accepted(&response).err().expect("it is a refusal");
        assert_eq!(problem.fbtrace_id, None);
        assert_eq!(problem.message, "at [redacted]");
    }

    #[test]
    fn a_throttled_caller_is_told_how_long() {
        let regain = |minutes: u32| {
            let usage = format!(r#"{{"7":[{{"estimated_time_to_regain_access":{minutes}}}]}}"#);
            ("x-business-use-case-usage", usage)
        };
        let said = |code: u32, header: (&str, String)| {
            let body = format!(r#"{{"error":{{"code":{code},"message":"Too many calls."}}}}"#);
            let headers = [header].into_iter().collect();
            let problem = accepted(&Response::new(400, headers, body.into_bytes()));
            problem.err().expect("a refusal").message
        };
        let retry = |seconds: &str| ("retry-after", seconds.to_owned());
        for (code, header, ending) in [
            (80_001, regain(12), ": Graph answers again in 12 minutes"),
            (80_001, regain(0), ""),
            (4, retry("1"), ": Graph answers again in 1 second"),
            (17, retry("59"), ": Graph answers again in 59 seconds"),
            (32, retry("60"), ": Graph answers again in 1 minute"),
            (613, retry("61"), ": Graph answers again in 2 minutes"),
            (341, retry("soon"), ""),
            // Only the throttled are told to wait.
            (2, regain(12), ""),
            (190, retry("60"), ""),
        ] {
            let expected = format!("Too many calls{ending}");
            assert_eq!(said(code, header.clone()), expected, "{code} {header:?}");
        }
    }
}
