//! Asks for access tokens: exchanges, renewals and the app's own; reads what a revocation answers.
//!
//! Which parameters a grant takes stands in its provider's row; here it becomes a request. Meta often
//! leaves `expires_in` out. Missing is neither expired nor never: the caller asks `debug_token` then.
//!
//! A revocation is answered by a bare yes, `true` or `{"success": true}`: the one answer that means
//! that a token is dead from now on. Source: Meta, user permissions, and System Users, revoke.

use chrono::TimeDelta;
use serde_json::Value;

use crate::graph::body::{flag, form_field, integer, subject, text};
use crate::graph::problem;
use crate::graph::request::Request;
use crate::graph::response::Response;
use crate::graph::settings::App;
use crate::token::{
    AccessToken, Credentials, Expiry, Grant, GrantType, Problem, ProblemKind, Secret, Time,
};

/// What a grant is asked for with.
#[derive(Debug, Clone, Copy)]
pub struct GrantInput<'a> {
    /// The app's secret, where the grant needs it.
    pub secret: Option<&'a Secret>,
    /// The access token in use, where the grant is for one that follows it.
    pub token: Option<&'a AccessToken>,
}

/// Asks for an access token. What the grant has no parameter for is not sent.
pub fn grant(app: &App, grant: &GrantType, bid: GrantInput<'_>) -> Request {
    let mut request =
        Request::by(grant.method, "grant", app, grant.path).with("grant_type", grant.name);
    if grant.credentials == Credentials::IdAndSecret {
        request = request.with("client_id", &app.id);
    }
    if let Some(secret) = bid.secret.filter(|_| grant.needs_the_secret()) {
        request = request.with_secret("client_secret", secret.expose()).in_the_apps_name();
    }
    for (name, value) in grant.extra {
        request = request.with(name, *value);
    }
    if let (Some(name), Some(token)) = (grant.token_parameter, bid.token) {
        request = request.with_secret(name, token.expose());
    }
    request.minting()
}

/// Reads a grant that came at `now`, as JSON or, from old versions, form-encoded.
pub fn read_grant(response: &Response, now: Time) -> Result<Grant, Problem> {
    let document = match problem::accepted(response) {
        Ok(document) => document,
        Err(problem) => return read_form(response, now).ok_or(problem),
    };
    let root = subject(document.root());
    let seconds = integer(root, "expires_in").or_else(|| integer(root, "expires"));
    let token = text(root, "access_token").and_then(|text| AccessToken::parse(text).ok());
    let token =
        token.ok_or_else(|| problem::malformed(response, "it has no usable `access_token`"))?;
    let expiry = ends(&token, seconds, now);
    Ok(Grant { token, expiry })
}

fn read_form(response: &Response, now: Time) -> Option<Grant> {
    let body = std::str::from_utf8(response.body()).ok()?;
    let token = zeroize::Zeroizing::new(form_field(body, "access_token")?);
    let seconds = form_field(body, "expires_in").or_else(|| form_field(body, "expires"));
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
    use crate::token::{ProblemKind, Provider, Source, TokenType};

    use super::*;

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
    fn each_family_asks_in_its_own_words_and_hides_what_is_secret() {
        let secret = Secret::new("hushhush");
        let token = AccessToken::parse("EAAfakeold").expect("a token");
        let bid = GrantInput { secret: Some(&secret), token: Some(&token) };
        let facebook = "POST /v25.0/oauth/access_token grant_type=fb_exchange_token client_id=7 \
                        client_secret=hushhush";
        for (token_type, exchange, refresh) in [
            (
                TokenType::User,
                format!("{facebook} fb_exchange_token=EAAfakeold"),
                format!("{facebook} fb_exchange_token=EAAfakeold"),
            ),
            (
                TokenType::SystemUser,
                format!(
                    "{facebook} set_token_expires_in_60_days=true fb_exchange_token=EAAfakeold"
                ),
                format!(
                    "{facebook} set_token_expires_in_60_days=true fb_exchange_token=EAAfakeold"
                ),
            ),
            (
                TokenType::Instagram,
                "GET /access_token grant_type=ig_exchange_token client_secret=hushhush \
                 access_token=EAAfakeold"
                    .to_owned(),
                "GET /refresh_access_token grant_type=ig_refresh_token access_token=EAAfakeold"
                    .to_owned(),
            ),
            (
                TokenType::Threads,
                "GET /access_token grant_type=th_exchange_token client_secret=hushhush \
                 access_token=EAAfakeold"
                    .to_owned(),
                "GET /refresh_access_token grant_type=th_refresh_token access_token=EAAfakeold"
                    .to_owned(),
            ),
        ] {
            let spec = token_type.spec();
            for (grant_type, expected) in [(spec.exchange, exchange), (spec.refresh, refresh)] {
                let grant_type = grant_type.expect("it can be renewed");
                let request = grant(&app(token_type.provider()), grant_type, bid);
                assert_eq!(spelled(&request), expected, "{token_type}");
                assert_eq!(request.provider(), token_type.provider());
                let shown = format!("{request:?}");
                assert!(!shown.contains("hush") && !shown.contains("EAAfake"), "{shown}");
            }
        }
        let Source::App(minted) = TokenType::App.spec().source else {
            panic!("an app's token comes from the app")
        };
        assert_eq!(
            spelled(&grant(&app(Provider::Facebook), minted, bid)),
            "POST /v25.0/oauth/access_token grant_type=client_credentials client_id=7 \
             client_secret=hushhush"
        );
    }

    fn app(provider: Provider) -> App {
        let version = "v25.0".into();
        App {
            name: "main".into(),
            provider,
            id: "7".into(),
            secret: None,
            version,
            throttled_until: None,
        }
    }

    fn spelled(request: &Request) -> String {
        request
            .parameters()
            .fold(format!("{} {}", request.method(), request.path()), |text, (name, value)| {
                format!("{text} {name}={value}")
            })
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
