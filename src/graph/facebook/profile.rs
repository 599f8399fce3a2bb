//! The profile of a token's own person: the only question that Instagram answers about a string.
//!
//! An answer proves that the string is alive and whose it is, and tells neither its end nor its
//! scopes. A refusal is about the string itself, for nobody else is asking: what names a dead
//! session is a verdict, what names the account or the request is none.

use crate::graph::document::id;
use crate::graph::fault::{self, is_verdict};
use crate::graph::request::Request;
use crate::graph::response::Response;
use crate::graph::settings::App;
use crate::token::{AccessToken, Identity, Inspection, Problem, ProblemKind, ProfileCall};

/// Asks a token for its own person.
pub fn profile(app: &App, call: &ProfileCall, token: &AccessToken) -> Request {
    Request::get("profile", app, call.path)
        .with("fields", call.fields)
        .with_secret("access_token", token.expose())
}

/// Reads the profile as a verdict; an error says nothing of the string.
pub fn read_profile(response: &Response) -> Result<Inspection, Problem> {
    let document = match fault::accepted(response) {
        Ok(document) => document,
        Err(problem) if says_nothing_of_the_string(problem.kind) => return Err(problem),
        Err(problem) => {
            let verdict = is_verdict(&problem).then_some(false);
            return Ok(Inspection::bare(verdict, Some(problem)));
        }
    };
    let root = document.root();
    let person = id(root, "user_id").or_else(|| id(root, "id"));
    let person = person.ok_or_else(|| fault::malformed(response, "it has no `id` of a person"))?;
    let identity = Identity { user_id: Some(person), ..Identity::default() };
    Ok(Inspection { identity, ..Inspection::bare(Some(true), None) })
}

const fn says_nothing_of_the_string(kind: ProblemKind) -> bool {
    kind.is_outage()
        || kind.is_about_the_app()
        || matches!(kind, ProblemKind::PolicyBlock | ProblemKind::MalformedResponse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Headers;
    use crate::token::{Expiry, InspectionWay, Provider, TokenType};

    fn read(status: u16, body: &str) -> Result<Inspection, Problem> {
        read_profile(&Response::new(status, Headers::default(), body.as_bytes().to_vec()))
    }

    #[test]
    fn an_answer_proves_life_and_nothing_more() {
        for (body, person) in [
            (r#"{"user_id":"17841400000000001","username":"x","id":"9"}"#, "17841400000000001"),
            (r#"{"user_id":17841400000000001,"id":"9"}"#, "17841400000000001"),
            (r#"{"id":"9","username":"x"}"#, "9"),
        ] {
            let inspection = read(200, body).expect(body);
            assert_eq!((inspection.valid, inspection.expiry), (Some(true), Expiry::Unknown));
            assert_eq!(inspection.identity.user_id.as_deref(), Some(person), "{body}");
        }
        for body in ["{}", "null", "[]", r#"{"username":"x"}"#] {
            assert_eq!(
                read(200, body).expect_err(body).kind,
                ProblemKind::MalformedResponse,
                "{body}"
            );
        }
    }

    #[test]
    fn only_a_dead_session_is_a_verdict() {
        for (error, valid) in [
            (
                r#"{"code":190,"message":"Error validating access token: Session has expired on Monday"}"#,
                Some(false),
            ),
            (r#"{"code":190,"error_subcode":460}"#, Some(false)),
            (r#"{"code":190,"error_subcode":459}"#, None),
            (
                r#"{"code":190,"message":"Invalid OAuth access token - Cannot parse access token"}"#,
                None,
            ),
            (r#"{"code":100,"error_subcode":33,"message":"Unsupported get request."}"#, None),
            (r#"{"code":100,"message":"Unsupported request - method type: get"}"#, None),
            (r#"{"code":10,"message":"Application does not have permission"}"#, None),
        ] {
            let inspection = read(400, &format!(r#"{{"error":{error}}}"#)).expect(error);
            assert_eq!(inspection.valid, valid, "{error}");
            let problem = inspection.problem.expect("a refusal has a problem");
            assert!(problem.action.needs_a_person(), "{error}: {problem:?}");
        }
        for error in [r#"{"code":2}"#, r#"{"code":4}"#, r#"{"code":190,"is_transient":true}"#] {
            let problem = read(400, &format!(r#"{{"error":{error}}}"#)).expect_err(error);
            assert!(problem.kind.is_outage(), "{error}");
        }
    }

    #[test]
    fn the_string_travels_where_meta_documents_it_and_is_hidden() {
        for (token_type, path, fields) in [
            (TokenType::Instagram, "/v25.0/me", "user_id,username"),
            (TokenType::Threads, "/v1.0/me", "id,username"),
        ] {
            let (InspectionWay::Profile(call) | InspectionWay::DebugTokenOrProfile(_, call)) =
                token_type.provider().spec().inspection
            else {
                panic!("{token_type} has a profile")
            };
            let app = App {
                name: "main".into(),
                provider: Provider::Instagram,
                id: "7".into(),
                secret: None,
                version: "v25.0".into(),
                throttled_until: None,
            };
            let token = AccessToken::parse("IGfake").expect("a token");
            let request = profile(&app, call, &token);
            assert_eq!(request.path(), path);
            let query: Vec<_> = request.parameters().collect();
            assert_eq!(query, [("fields", fields), ("access_token", "IGfake")]);
            assert!(!format!("{request:?}").contains("IGfake"));
        }
    }
}
