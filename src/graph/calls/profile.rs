//! Asks a token for the profile of its person, and reads it as a verdict.
//!
//! It is the only question that Instagram answers about an access token. An answer proves that it works
//! and whose it is, and tells neither its expiry nor its scopes. A refusal is about the token itself:
//! what names a dead session is a verdict, what names the account or the request is none.

use crate::graph::body::{id, subject};
use crate::graph::problem;
use crate::graph::request::Request;
use crate::graph::response::Response;
use crate::graph::settings::App;
use crate::token::{AccessToken, Identity, Inspection, Problem, ProblemKind, ProfileCall};

/// Asks a token for its own person, by id and by the name people know.
pub fn profile(app: &App, call: &ProfileCall, token: &AccessToken) -> Request {
    Request::get("profile", app, call.path)
        .with("fields", format!("{},username", call.person))
        .with_secret("access_token", token.expose())
}

/// Reads the profile as a verdict; an error says nothing of the access token.
///
/// Instagram gives a person an id of the account and one that only the app knows. One in the place of
/// the other would make the next access token another person's.
pub fn read_profile(call: &ProfileCall, response: &Response) -> Result<Inspection, Problem> {
    let document = match problem::accepted(response) {
        Ok(document) => document,
        Err(problem) if says_nothing_of_the_token(problem.kind) => return Err(problem),
        Err(problem) => {
            let works_not = problem.kind.is_verdict() || problem.kind.is_held();
            return Ok(Inspection::bare(works_not.then_some(false), Some(problem)));
        }
    };
    let root = subject(document.root());
    if ["user_id", "id"].iter().all(|name| id(root, name).is_none()) {
        return Err(problem::malformed(response, "it has no `id` of a person"));
    }
    let identity = Identity { user_id: id(root, call.person), ..Identity::default() };
    Ok(Inspection { identity, ..Inspection::bare(Some(true), None) })
}

const fn says_nothing_of_the_token(kind: ProblemKind) -> bool {
    kind.is_outage()
        || kind.is_about_the_app()
        || matches!(kind, ProblemKind::PolicyBlock | ProblemKind::MalformedResponse)
}

#[cfg(test)]
mod tests {
    use crate::graph::Headers;
    use crate::token::{Expiry, InspectionWay, Provider, TokenType};

    use super::*;

    fn call(token_type: TokenType) -> &'static ProfileCall {
        let (InspectionWay::Profile(call) | InspectionWay::DebugTokenOrProfile(_, call)) =
            token_type.provider().spec().inspection
        else {
            panic!("{token_type} has a profile")
        };
        call
    }

    fn read_of(token_type: TokenType, status: u16, body: &str) -> Result<Inspection, Problem> {
        let response = Response::new(status, Headers::default(), body.as_bytes().to_vec());
        read_profile(call(token_type), &response)
    }

    fn read(status: u16, body: &str) -> Result<Inspection, Problem> {
        read_of(TokenType::Instagram, status, body)
    }

    #[test]
    fn an_answer_proves_life_and_nothing_more() {
        const INSTAGRAM: TokenType = TokenType::Instagram;
        const THREADS: TokenType = TokenType::Threads;
        let person = Some("17841400000000001");
        for (token_type, body, person) in [
            (INSTAGRAM, r#"{"user_id":"17841400000000001","username":"x","id":"9"}"#, person),
            (INSTAGRAM, r#"{"user_id":17841400000000001,"id":"9"}"#, person),
            (INSTAGRAM, r#"{"data":[{"user_id":"17841400000000001","id":"9"}]}"#, person),
            (INSTAGRAM, r#"{"data":[{"user_id":17841400000000001}]}"#, person),
            // The id that only the app knows is another one.
            (INSTAGRAM, r#"{"id":"9","username":"x"}"#, None),
            (INSTAGRAM, r#"{"user_id":null,"id":"9"}"#, None),
            (THREADS, r#"{"id":"9","username":"x"}"#, Some("9")),
            (THREADS, r#"{"data":{"id":9,"username":"x"}}"#, Some("9")),
            (THREADS, r#"{"id":"9","data":[]}"#, Some("9")),
            (THREADS, r#"{"user_id":"17841400000000001"}"#, None),
        ] {
            let inspection = read_of(token_type, 200, body).expect(body);
            assert_eq!((inspection.valid, inspection.expiry), (Some(true), Expiry::Unknown));
            assert_eq!(inspection.identity.user_id.as_deref(), person, "{token_type} {body}");
        }
        // Two people, or none, identify nobody.
        let two = r#"{"data":[{"user_id":"1"},{"user_id":"2"}]}"#;
        let none = r#"{"data":[{"username":"x"}]}"#;
        for body in ["{}", "null", "[]", r#"{"username":"x"}"#, r#"{"data":[]}"#, two, none] {
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
            (r#"{"code":190,"error_subcode":459}"#, Some(false)),
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
    fn the_access_token_travels_where_meta_documents_it_and_is_hidden() {
        for (token_type, path, fields) in [
            (TokenType::Instagram, "/v25.0/me", "user_id,username"),
            (TokenType::Threads, "/v1.0/me", "id,username"),
        ] {
            let app = App::sample(Provider::Instagram);
            let token = AccessToken::parse("IGfake").expect("a token");
            let request = profile(&app, call(token_type), &token);
            assert_eq!(request.path(), path);
            let query: Vec<_> = request.parameters().collect();
            assert_eq!(query, [("fields", fields), ("access_token", "IGfake")]);
            assert!(!format!("{request:?}").contains("IGfake"));
        }
    }
}
