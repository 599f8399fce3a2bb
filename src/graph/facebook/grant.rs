//! The exchange of a token for one that lives longer.
//!
//! Meta often leaves `expires_in` out. Missing is neither expired nor never: the caller asks
//! `debug_token` then.

use chrono::TimeDelta;
use serde_json::Value;

use crate::graph::document::{integer, text};
use crate::graph::request::Request;
use crate::graph::response::Response;
use crate::graph::settings::App;
use crate::graph::{fault, form};
use crate::token::{AccessToken, Expiry, Grant, Problem, Secret, Time};

/// Asks to exchange a token that is still alive, short-lived or long-lived.
pub fn exchange(app: &App, secret: &Secret, token: &AccessToken) -> Request {
    Request::get("exchange", &[&app.version, "oauth", "access_token"])
        .with("grant_type", "fb_exchange_token")
        .with("client_id", &app.id)
        .with_secret("client_secret", secret.expose())
        .with_secret("fb_exchange_token", token.expose())
        .minting()
}

/// Reads a grant that came at `now`, as JSON or, from old versions, form-encoded.
pub fn read_grant(response: &Response, now: Time) -> Result<Grant, Problem> {
    let document = match fault::accepted(response) {
        Ok(document) => document,
        Err(problem) => return read_form(response, now).ok_or(problem),
    };
    let root = unwrapped(document.root());
    let seconds = integer(root, "expires_in").or_else(|| integer(root, "expires"));
    let token = text(root, "access_token").and_then(|text| AccessToken::parse(text).ok());
    let token =
        token.ok_or_else(|| fault::malformed(response, "it has no usable `access_token`"))?;
    let expiry = ends(&token, seconds, now);
    Ok(Grant { token, expiry })
}

/// Instagram's login, as Meta documents it, wraps a grant into a list of one; the live answer is
/// flat. Source: Meta, Instagram business login.
fn unwrapped(root: &Value) -> &Value {
    match root.get("data").and_then(Value::as_array).map(Vec::as_slice) {
        Some([grant]) => grant,
        _ => root,
    }
}

fn read_form(response: &Response, now: Time) -> Option<Grant> {
    let body = std::str::from_utf8(response.body()).ok()?;
    let token = zeroize::Zeroizing::new(form::field(body, "access_token")?);
    let seconds = form::field(body, "expires_in").or_else(|| form::field(body, "expires"));
    let token = AccessToken::parse(&token).ok()?;
    let expiry = ends(&token, seconds.and_then(|seconds| seconds.parse().ok()), now);
    Some(Grant { token, expiry })
}

fn ends(token: &AccessToken, seconds: Option<i64>, now: Time) -> Expiry {
    /// Nothing lives for a hundred years: a larger number is an instant, or nonsense.
    const LIMIT: i64 = 100 * 365 * 86_400;
    // An app's token, `APPID|...`, lives as long as the app's secret; Graph gives it no date.
    if seconds.is_none() && token.expose().contains('|') {
        return Expiry::Never;
    }
    seconds
        .filter(|seconds| (1..=LIMIT).contains(seconds))
        .and_then(|seconds| now.checked_add_signed(TimeDelta::seconds(seconds)))
        .map_or(Expiry::Unknown, Expiry::At)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Headers;
    use crate::token::ProblemKind;

    fn now() -> Time {
        chrono::DateTime::from_timestamp(1_767_225_600, 0).expect("a date")
    }

    fn read(body: &str) -> Result<Grant, Problem> {
        read_grant(&Response::new(200, Headers::default(), body.as_bytes().to_vec()), now())
    }

    #[test]
    fn the_end_is_read_where_it_is_said() {
        let end = |seconds| Expiry::At(now() + TimeDelta::seconds(seconds));
        for (body, expiry) in [
            (r#"{"access_token":"EAAfake1","expires_in":5183944}"#, end(5_183_944)),
            (r#"{"access_token":"EAAfake1","expires_in":"5183944"}"#, end(5_183_944)),
            (r#"{"access_token":"EAAfake1","expires":60}"#, end(60)),
            (r#"{"access_token":"EAAfake1"}"#, Expiry::Unknown),
            (r#"{"access_token":"EAAfake1","expires_in":0}"#, Expiry::Unknown),
            (r#"{"access_token":"EAAfake1","expires_in":null}"#, Expiry::Unknown),
            (r#"{"access_token":"EAAfake1","expires_in":-5}"#, Expiry::Unknown),
            (r#"{"access_token":"EAAfake1","expires_in":1767225600000}"#, Expiry::Unknown),
            (r#"{"access_token":"EAAfake1","expires_in":1e99}"#, Expiry::Unknown),
            (
                r#"{"data":[{"access_token":"EAAfake1","expires_in":60,"permissions":"a,b"}]}"#,
                end(60),
            ),
            (r#"{"data":[],"access_token":"EAAfake1"}"#, Expiry::Unknown),
            ("access_token=EAAfake1&expires=5183944", end(5_183_944)),
            ("access_token=EAAfake1", Expiry::Unknown),
        ] {
            let grant = read(body).expect(body);
            assert_eq!((grant.token.expose(), grant.expiry), ("EAAfake1", expiry), "{body}");
        }
    }

    #[test]
    fn without_a_usable_token_there_is_no_grant() {
        for body in [
            "{}",
            "null",
            "true",
            "[]",
            r#"{"access_token":""}"#,
            r#"{"access_token":null}"#,
            r#"{"access_token":"EAA fake"}"#,
            r#"{"access_token":{"access_token":"EAAfake1"}}"#,
            r#"{"data":[]}"#,
            r#"{"data":[{"access_token":"EAAfake1"},{"access_token":"EAAfake2"}]}"#,
            r#"{"data":[[{"access_token":"EAAfake1"}]]}"#,
            "access_token=",
            "access_token=EAA+fake",
            "<html>?access_token=%3Cb%3E</html>",
            "<html>a=1&access_token=EAAfake1&b=2</html>",
        ] {
            assert_eq!(read(body).expect_err(body).kind, ProblemKind::MalformedResponse, "{body}");
        }
    }

    #[test]
    fn the_request_hides_what_is_secret() {
        let app = App {
            name: "main".into(),
            provider: crate::token::Provider::Facebook,
            id: "7".into(),
            secret: None,
            version: "v25.0".into(),
        };
        let token = AccessToken::parse("EAAfakeold").expect("a token");
        let request = exchange(&app, &Secret::new("hushhush"), &token);
        let names: Vec<_> = request.query().map(|(name, _)| name).collect();
        assert_eq!(names, ["grant_type", "client_id", "client_secret", "fb_exchange_token"]);
        assert_eq!(request.path(), "/v25.0/oauth/access_token");
        let shown = format!("{request:?}");
        assert!(!shown.contains("hush") && !shown.contains("EAAfake"), "{shown}");
    }
}
