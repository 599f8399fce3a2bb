//! Asks whether a version of Graph works, without an access token.
//!
//! One that works answers with the demand for an access token. One that has ended answers so too, by
//! the oldest that works, which a header names. One that Graph does not know is taken for a part of
//! the path. Source: Meta, Graph API versioning; what two programs report of 2026.

use crate::graph::body::JsonBody;
use crate::graph::envelope::Envelope;
use crate::graph::response::Response;
use crate::token::VersionAnswer;

/// Reads what Graph says of a version; nothing from an answer that is not Graph's.
pub fn read_version(asked: &str, response: &Response) -> Option<VersionAnswer> {
    /// What is wrong with the question, by Meta's numbers.
    const BAD_QUESTION: [i64; 2] = [2500, 2635];
    let document = JsonBody::parse(response.body())?;
    let refusal = Envelope::of(&document, response)?;
    if !refusal.code.is_some_and(|code| BAD_QUESTION.contains(&code)) {
        return None;
    }
    let said = refusal.message.to_lowercase();
    if said.contains("unknown path components") || said.contains("unknown version") {
        return Some(VersionAnswer::Unknown);
    }
    if !said.contains("access token must be used") {
        return None;
    }
    Some(match response.api_version() {
        Some(by) if by != asked => VersionAnswer::Replaced { by: by.to_owned() },
        _ => VersionAnswer::Works,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::response::Headers;

    #[test]
    fn graph_s_words_tell_a_version_that_works_from_one_that_does_not() {
        let demand = r#"{"error":{"message":"An active access token must be used to query information about the current user.","type":"OAuthException","code":2500}}"#;
        let lost = r#"{"error":{"message":"Unknown path components: /me","type":"OAuthException","code":2500}}"#;
        let by = |by: &str| Some(VersionAnswer::Replaced { by: by.to_owned() });
        for (body, header, answer) in [
            (demand, Some("v25.0"), Some(VersionAnswer::Works)),
            (demand, None, Some(VersionAnswer::Works)),
            (demand, Some("v26.0"), by("v26.0")),
            (lost, None, Some(VersionAnswer::Unknown)),
            (
                r#"{"error":{"message":"(#2635) Unknown version or path: v99.0","code":2635}}"#,
                None,
                Some(VersionAnswer::Unknown),
            ),
            (r#"{"error":{"message":"Unknown path components: /me","code":1}}"#, None, None),
            (r#"{"error":{"message":"Service temporarily unavailable","code":2}}"#, None, None),
            (r#"{"id":"1"}"#, Some("v25.0"), None),
            ("<html>Log in to the hotel's network</html>", None, None),
            ("", None, None),
        ] {
            let headers = Headers::from_iter(header.map(|it| ("facebook-api-version", it)));
            let response = Response::new(400, headers, body.as_bytes().to_vec());
            assert_eq!(read_version("v25.0", &response), answer, "{body} {header:?}");
        }
    }
}
