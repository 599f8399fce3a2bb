//! Asks for access tokens: exchanges, renewals, the app's own, and those of System Users.
//!
//! Which parameters a grant takes stands in its provider's row; here it becomes a request. Meta often
//! leaves `expires_in` out. Missing is neither expired nor never: the caller asks `debug_token` then.

use chrono::TimeDelta;

use crate::graph::body::{JsonBody, form_field, integer, subject, text};
use crate::graph::problem;
use crate::graph::request::Request;
use crate::graph::response::Response;
use crate::graph::settings::App;
use crate::token::{
    AccessToken, Credentials, Expiry, Grant, GrantType, Method, Path, Problem, Secret, Time,
};

use super::pages::signed;

/// An access token of a System User that an admin of the business asks for.
#[derive(Debug, Clone, Copy)]
pub struct MintInput<'a> {
    /// Meta's id of the System User.
    pub user_id: &'a str,
    /// What it is to be allowed.
    pub scopes: &'a [String],
    /// How long it is to live.
    pub life: MintedLife,
    /// The admin's access token.
    pub admin: &'a AccessToken,
}

/// How long an access token lives that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MintedLife {
    /// Sixty days.
    SixtyDays,
    /// Until it is revoked.
    Never,
}

/// Asks for a new access token of a System User: once, for each answer holds another one. Source: Meta, System Users, install apps and generate
/// tokens.
pub fn mint(app: &App, secret: &Secret, asked: MintInput<'_>) -> Request {
    let request = Request::by(Method::Post, "mint", app, Path::Versioned(&[]))
        .below(asked.user_id)
        .below("access_tokens")
        .with("business_app", &app.id)
        .with("scope", asked.scopes.join(","));
    let request = match asked.life {
        MintedLife::SixtyDays => request.with("set_token_expires_in_60_days", "true"),
        MintedLife::Never => request,
    };
    signed(request, Some(secret), asked.admin).spending()
}

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
    match problem::accepted(response) {
        Ok(document) => grant_in(&document, now)
            .ok_or_else(|| problem::malformed(response, "it has no usable `access_token`")),
        Err(problem) => {
            read_form(response, now).or_else(|| beside_a_refusal(response, now)).ok_or(problem)
        }
    }
}

fn grant_in(document: &JsonBody, now: Time) -> Option<Grant> {
    let root = subject(document.root());
    let seconds = integer(root, "expires_in").or_else(|| integer(root, "expires"));
    let token = AccessToken::parse(text(root, "access_token")?).ok()?;
    let expiry = ends(&token, seconds, now);
    Some(Grant { token, expiry })
}

/// A grant with an error beside it exists nowhere else, and what it is worth is asked next. What was
/// sent and comes back is none.
fn beside_a_refusal(response: &Response, now: Time) -> Option<Grant> {
    let grant = grant_in(&JsonBody::parse(response.body())?, now)?;
    let is_echo = |secret: &Secret| secret.expose() == grant.token.expose();
    (!response.secrets().iter().any(is_echo)).then_some(grant)
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
            (r#"{"access_token":"EAAfake1","expires_in":5183944.0}"#, end(5_183_944)),
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
    fn a_grant_is_kept_whatever_stands_beside_it() {
        for error in [r"[]", r"{}", r#""""#, "0", r#"{"code":2}"#, r#"{"code":190}"#, r#""x""#] {
            let body = format!(r#"{{"error":{error},"access_token":"EAAfake1","expires_in":60}}"#);
            assert_eq!(read(&body).expect(&body).token.expose(), "EAAfake1", "{body}");
            let response = Response::new(400, Headers::default(), body.as_bytes().to_vec())
                .to_a_question_with(vec![Secret::new("EAAfake1")]);
            read_grant(&response, now()).expect_err("it was sent with the question");
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
    fn an_admin_asks_for_a_system_users() {
        let secret = Secret::new("hushhush");
        let admin = AccessToken::parse("EAAfakeadmin").expect("a token");
        let scopes = ["ads_read".to_owned(), "ads_management".to_owned()];
        for (life, more) in
            [(MintedLife::Never, ""), (MintedLife::SixtyDays, " set_token_expires_in_60_days=true")]
        {
            let asked = MintInput { user_id: "9", scopes: &scopes, life, admin: &admin };
            let request = mint(&App::sample(Provider::Facebook), &secret, asked);
            let proof = crate::crypto::keyed_hash(b"hushhush", b"EAAfakeadmin");
            let proof = crate::crypto::hex(&proof);
            assert_eq!(
                spelled(&request),
                format!(
                    "POST /v25.0/9/access_tokens business_app=7 scope=ads_read,ads_management{more} \
                     appsecret_proof={proof}"
                )
            );
            assert_eq!(request.bearer().map(Secret::expose), Some("EAAfakeadmin"));
            assert_eq!(request.idempotence(), crate::graph::request::Idempotence::Spending);
            let shown = format!("{request:?}");
            assert!(!shown.contains("EAAfake") && !shown.contains(&proof), "{shown}");
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
                let request = grant(&App::sample(token_type.provider()), grant_type, bid);
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
            spelled(&grant(&App::sample(Provider::Facebook), minted, bid)),
            "POST /v25.0/oauth/access_token grant_type=client_credentials client_id=7 \
             client_secret=hushhush"
        );
    }

    fn spelled(request: &Request) -> String {
        request
            .parameters()
            .fold(format!("{} {}", request.method(), request.path()), |text, (name, value)| {
                format!("{text} {name}={value}")
            })
    }
}
