//! The bare yes with which Graph answers a revocation.
//!
//! No object and no token: the whole body is `true`, or `{"success": true}`. It is the one answer
//! that means that a token is dead from now on because somebody wanted it so. Source: Meta, user
//! permissions, and System Users, revoke.

use serde_json::Value;

use crate::token::{Problem, ProblemKind};

use super::document::flag;
use super::fault;
use super::response::Response;

/// Reads what a revocation answers; a no, or anything else than a yes, is a problem.
pub fn read_acknowledgement(response: &Response) -> Result<(), Problem> {
    let document = fault::accepted(response)?;
    let said = match document.root() {
        Value::Bool(said) => Some(*said),
        root => flag(root, "success"),
    };
    match said {
        Some(true) => Ok(()),
        Some(false) => Err(Problem::new(ProblemKind::Unknown, "Graph says that it did not do it")),
        None => Err(fault::malformed(response, "it says neither yes nor no")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Headers;

    #[test]
    fn only_a_yes_is_one() {
        use ProblemKind as Kind;
        for (status, body, problem) in [
            (200, "true", None),
            (200, " true\n", None),
            (500, "true", None),
            (200, r#"{"success":true}"#, None),
            (200, r#"{"success":"true"}"#, None),
            (200, r#"{"success":1}"#, None),
            (200, "false", Some(Kind::Unknown)),
            (200, r#"{"success":false}"#, Some(Kind::Unknown)),
            (200, "", Some(Kind::MalformedResponse)),
            (200, "null", Some(Kind::MalformedResponse)),
            (200, "{}", Some(Kind::MalformedResponse)),
            (200, "[true]", Some(Kind::MalformedResponse)),
            (200, r#""true""#, Some(Kind::MalformedResponse)),
            (503, "{}", Some(Kind::GraphUnavailable)),
            (200, r#"{"success":true,"error":{"code":190}}"#, Some(Kind::SessionInvalid)),
        ] {
            let response = Response::new(status, Headers::default(), body.as_bytes().to_vec());
            let seen = read_acknowledgement(&response).err().map(|problem| problem.kind);
            assert_eq!(seen, problem, "{status} {body}");
        }
    }
}
