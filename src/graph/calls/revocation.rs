//! Asks Meta to end access tokens, and reads what it answers.
//!
//! A revocation is answered by a bare yes, `true` or `{"success": true}`. It is no proof: what an
//! access token is worth afterwards says `debug_token`, or the profile where that is all there is. What
//! was accepted is not asked for a second time: an access token that asked for its own end is dead.
//! Source: Meta, user permissions, and System Users, revoke.

use serde_json::Value;

use crate::graph::body::flag;
use crate::graph::problem;
use crate::graph::request::Request;
use crate::graph::response::Response;
use crate::graph::settings::App;
use crate::token::{AccessToken, Method, Path, Problem, ProblemKind, Provider, Secret};

use super::pages::signed;

/// Ends one access token of a System User; `by` is another one that works. Meta documents a GET alone.
pub fn revoke_one(
    app: &App,
    secret: &Secret,
    access_token: &AccessToken,
    by: &AccessToken,
) -> Request {
    Request::get("revoke", app, Path::Versioned(&["oauth", "revoke"]))
        .with("client_id", &app.id)
        .with_secret("client_secret", secret.expose())
        .with_secret("revoke_token", access_token.expose())
        .with_secret("access_token", by.expose())
        .in_the_apps_name()
        .spending()
}

/// Ends all that a System User has for this app; `by` may be one of them.
pub fn revoke_system_user(app: &App, secret: &Secret, user_id: &str, by: &AccessToken) -> Request {
    let request = Request::by(Method::Delete, "revoke", app, Path::Versioned(&[]))
        .below(user_id)
        .below("access_tokens");
    signed(request, Some(secret), by).spending()
}

/// Ends all that a person granted this app, in the app's own name: no access token of that person has
/// to work for it.
pub fn revoke_grant(app: &App, secret: &Secret, user_id: &str) -> Request {
    Request::by(Method::Delete, "revoke", app, Path::Versioned(&[]))
        .below(user_id)
        .below("permissions")
        .with_bearer(format!("{}|{}", app.id, secret.expose()))
        .in_the_apps_name()
        .spending()
}

/// Asks for the same where Meta documents no way to: many programs send it to Instagram and Threads.
/// What it did, the profile tells.
pub fn revoke_undocumented(app: &App, access_token: &AccessToken) -> Request {
    let path = match app.provider {
        Provider::Threads => Path::Fixed(&["v1.0", "me", "permissions"]),
        Provider::Facebook | Provider::Instagram => Path::Versioned(&["me", "permissions"]),
    };
    Request::by(Method::Delete, "revoke", app, path).with_bearer(access_token.expose()).spending()
}

/// Reads what a revocation answers; a no, or anything else than a yes, is a problem.
pub fn read_acknowledgement(response: &Response) -> Result<(), Problem> {
    let document = problem::accepted(response)?;
    let said = match document.root() {
        Value::Bool(said) => Some(*said),
        root => flag(root, "success"),
    };
    match said {
        Some(true) => Ok(()),
        Some(false) => Err(Problem::new(ProblemKind::Unknown, "Graph says that it did not do it")),
        None => Err(problem::malformed(response, "it says neither yes nor no")),
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::Headers;

    use super::*;

    #[test]
    fn each_kind_has_its_own_call_and_hides_what_is_secret() {
        let secret = Secret::new("hushhush");
        let token = AccessToken::parse("EAAfakeold").expect("a token");
        let by = AccessToken::parse("EAAfakenew").expect("a token");
        let facebook = App::sample(Provider::Facebook);
        let names = |request: &Request| {
            request.parameters().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
        };
        for (request, call, parameters, bearer) in [
            (
                revoke_one(&facebook, &secret, &token, &by),
                "GET /v25.0/oauth/revoke",
                "client_id client_secret revoke_token access_token",
                None,
            ),
            (
                revoke_system_user(&facebook, &secret, "9", &by),
                "DELETE /v25.0/9/access_tokens",
                "appsecret_proof",
                Some("EAAfakenew"),
            ),
            (
                revoke_grant(&facebook, &secret, "9"),
                "DELETE /v25.0/9/permissions",
                "",
                Some("7|hushhush"),
            ),
            (
                revoke_undocumented(&App::sample(Provider::Instagram), &token),
                "DELETE /v25.0/me/permissions",
                "",
                Some("EAAfakeold"),
            ),
            (
                revoke_undocumented(&App::sample(Provider::Threads), &token),
                "DELETE /v1.0/me/permissions",
                "",
                Some("EAAfakeold"),
            ),
        ] {
            assert_eq!(format!("{} {}", request.method(), request.path()), call);
            assert_eq!(names(&request), parameters, "{call}");
            assert_eq!(request.bearer().map(Secret::expose), bearer, "{call}");
            let shown = format!("{request:?}");
            assert!(!shown.contains("hush") && !shown.contains("EAAfake"), "{shown}");
        }
    }

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
