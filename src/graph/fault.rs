//! Every answer that is not what was asked for becomes one [`Problem`].
//!
//! Here a refusal is found, worded without its secrets and handed on; what Meta's numbers and words
//! mean is ruled in `judgement`. A page of a proxy's, an empty body and a redirect end here too:
//! none of them says anything of a token.

use crate::token::{Problem, ProblemKind, Secret};

use super::document::Document;
use super::envelope::Envelope;
use super::judgement::{ANOTHER_APP, by_status, judged};
use super::redact;
use super::response::Response;

/// Whether a problem of this kind means that the token it is about is dead.
///
/// The kinds that a person cures without a new login, or that are the app's, are no such verdict.
pub const fn is_verdict(problem: &Problem) -> bool {
    matches!(
        problem.kind,
        ProblemKind::Expired
            | ProblemKind::PasswordChanged
            | ProblemKind::AppNotAuthorized
            | ProblemKind::SessionInvalid
            | ProblemKind::Revoked
            | ProblemKind::RoleLost
            | ProblemKind::Inactive
    )
}

/// Whether a problem with the app's credentials is one token's alone.
pub(super) fn blames_the_token(problem: &Problem) -> bool {
    problem.message.to_lowercase().contains(ANOTHER_APP)
}

/// The document of an answer that is no refusal, or what the refusal means.
pub(super) fn accepted(response: &Response) -> Result<Document, Problem> {
    let document = Document::parse(response.body()).ok_or_else(|| unreadable(response))?;
    match Envelope::of(&document, response) {
        Some(envelope) => Err(problem(&envelope, response.status(), response)),
        None => Ok(document),
    }
}

/// Whether Graph itself refused, so that nothing else can have come of the request.
pub(super) fn is_refusal(response: &Response) -> bool {
    Document::parse(response.body())
        .and_then(|document| Envelope::of(&document, response))
        .is_some()
}

/// What an `error` inside a readable answer means, whatever the HTTP status.
pub(super) fn within(error: &serde_json::Value, response: &Response) -> Problem {
    problem(&Envelope::from_error(error), 200, response)
}

/// An answer that is no refusal but lacks what was asked for.
pub(super) fn malformed(response: &Response, what: &str) -> Problem {
    let (kind, action) = by_status(response.status(), ProblemKind::MalformedResponse);
    let message = match kind {
        ProblemKind::MalformedResponse => {
            format!("Graph's answer of status {} cannot be read: {what}", response.status())
        }
        _ => format!("Graph answered with status {}: {what}", response.status()),
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
        fbtrace_id: envelope.fbtrace_id.as_deref().and_then(redact::trace).filter(|trace| {
            !response.secrets().iter().map(Secret::expose).any(|secret| secret.contains(trace))
        }),
    }
}

fn worded(envelope: &Envelope, kind: ProblemKind, response: &Response) -> String {
    let said = redact::sentence(&envelope.message, response.secrets());
    let said = said.trim_end_matches('.');
    let said = if said.is_empty() { "Graph refused and did not say why" } else { said };
    match (kind, response.usage().regain_minutes) {
        (ProblemKind::RateLimited, Some(minutes)) if minutes > 0 => {
            format!("{said}: Graph answers again in {minutes} minutes")
        }
        _ => said.to_owned(),
    }
}

fn unreadable(response: &Response) -> Problem {
    if let Some(envelope) = Envelope::from_challenge(response) {
        return problem(&envelope, response.status(), response);
    }
    let status = response.status();
    if response.body().iter().all(u8::is_ascii_whitespace) {
        return malformed(response, "the body is empty");
    }
    let content_type = response.content_type().unwrap_or("nothing said");
    let seen = format!("status {status}, content type `{content_type}`, no JSON");
    let (kind, action) = by_status(status, ProblemKind::MalformedResponse);
    let whose = match status {
        300..=399 => "a redirect, which is not followed",
        _ => "a proxy or another server answered, not Graph",
    };
    Problem::new(kind, format!("{whose}: {seen}")).with_action(action)
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
            (200, "Service Unavailable", Kind::MalformedResponse),
        ] {
            let headers = [("content-type", "text/html")].into_iter().collect();
            let response = Response::new(status, headers, body.as_bytes().to_vec());
            let problem = accepted(&response).err().expect("it is no answer");
            assert_eq!(problem.kind, kind, "{status} {body}");
            assert!(problem.message.contains(&status.to_string()), "{}", problem.message);
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
        let usage = r#"{"7":[{"estimated_time_to_regain_access":12}]}"#;
        let headers = [("x-business-use-case-usage", usage)].into_iter().collect();
        let body = br#"{"error":{"code":80001,"message":"Too many calls."}}"#.to_vec();
        let problem = accepted(&Response::new(400, headers, body)).err().expect("a refusal");
        assert_eq!(problem.message, "Too many calls: Graph answers again in 12 minutes");
    }
}
