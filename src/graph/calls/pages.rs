//! Asks for the Pages behind a user token, and the access tokens that Graph derives for them.
//!
//! A Page that the person did not tick, or has no role on, comes without a token. That is an answer
//! and no error. The list is read to its end: Graph gives 25 at a time unless told otherwise.

use serde_json::Value;

use crate::crypto;
use crate::graph::body::{id, text};
use crate::graph::problem;
use crate::graph::request::Request;
use crate::graph::response::Response;
use crate::graph::settings::App;
use crate::token::redact;
use crate::token::{AccessToken, Path, Problem, Secret};

/// One Page, and its token if Graph gave one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageGrant {
    pub id: String,
    pub name: Option<String>,
    /// Its token; none where the person did not tick the Page or has no role on it.
    pub token: Option<AccessToken>,
}

/// One stretch of the list of Pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsPage {
    /// The Pages, in Graph's order.
    pub pages: Vec<PageGrant>,
    /// Where the list goes on; nothing at its end.
    pub after: Option<String>,
}

const FIELDS: &str = "id,name,access_token";

/// Asks for the Pages of a user, from the start or from where the last answer ended.
pub fn accounts(
    app: &App,
    secret: Option<&Secret>,
    token: &AccessToken,
    after: Option<&str>,
) -> Request {
    let request = Request::get("accounts", app, Path::Versioned(&["me", "accounts"]))
        .with("fields", FIELDS)
        .with("limit", "100");
    let request = match after {
        Some(after) => request.with("after", after),
        None => request,
    };
    signed(request, secret, token)
}

/// Asks for one Page.
pub fn page(app: &App, secret: Option<&Secret>, token: &AccessToken, page_id: &str) -> Request {
    let request = Request::get("page", app, Path::Versioned(&[])).below(page_id);
    signed(request.with("fields", FIELDS), secret, token)
}

/// Sends a correct `appsecret_proof` along wherever it can be made: harmless if not required.
fn signed(request: Request, secret: Option<&Secret>, token: &AccessToken) -> Request {
    let request = request.with_bearer(token.expose());
    let Some(secret) = secret else { return request };
    let proof = crypto::keyed_hash(secret.expose().as_bytes(), token.expose().as_bytes());
    request.with_secret("appsecret_proof", crypto::hex(&proof)).in_the_apps_name()
}

/// Reads one stretch of the list of Pages; an item without an id is none.
pub fn read_accounts(response: &Response) -> Result<AccountsPage, Problem> {
    let document = problem::accepted(response)?;
    let root = document.root();
    let Some(Value::Array(items)) = root.get("data") else {
        return Err(problem::malformed(response, "it has no list `data`"));
    };
    let paging = root.get("paging");
    // `cursors.after` is there on the last page too; only `next` says that there is more.
    let more = paging.filter(|paging| text(paging, "next").is_some());
    let after = more.and_then(|paging| text(paging.get("cursors")?, "after"));
    Ok(AccountsPage {
        pages: items.iter().filter_map(|item| granted(item, response)).collect(),
        after: after.map(str::to_owned),
    })
}

/// Reads one Page.
pub fn read_page(response: &Response) -> Result<PageGrant, Problem> {
    let document = problem::accepted(response)?;
    granted(document.root(), response)
        .ok_or_else(|| problem::malformed(response, "it has no `id` of a Page"))
}

fn granted(item: &Value, response: &Response) -> Option<PageGrant> {
    Some(PageGrant {
        id: id(item, "id")?,
        name: text(item, "name").map(|name| redact::sentence(name, response.secrets())),
        token: text(item, "access_token").and_then(|text| AccessToken::parse(text).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Headers;
    use crate::token::{ProblemKind, Provider};

    fn answer(body: &str) -> Response {
        Response::new(200, Headers::default(), body.as_bytes().to_vec())
    }

    fn app() -> App {
        App {
            name: "main".into(),
            provider: Provider::Facebook,
            id: "7".into(),
            secret: None,
            version: "v25.0".into(),
            throttled_until: None,
        }
    }

    #[test]
    fn the_list_goes_on_only_where_next_says_so() {
        for (paging, after) in [
            ("", None),
            (r#","paging":{"cursors":{"after":"A"}}"#, None),
            (r#","paging":{"cursors":{"after":"A"},"next":null}"#, None),
            (
                r#","paging":{"cursors":{"after":"A"},"next":"https://x/?access_token=EAAfake"}"#,
                Some("A"),
            ),
            (r#","paging":{"next":"https://x/?after=A"}"#, None),
        ] {
            let page = read_accounts(&answer(&format!(r#"{{"data":[]{paging}}}"#))).expect(paging);
            assert_eq!(page.after.as_deref(), after, "{paging}");
        }
    }

    #[test]
    fn a_page_without_a_token_is_an_answer() {
        let body = r#"{"data":[{"id":"1","name":"One","access_token":"EAAfake1"},{"id":2,"name":"Two"},
            {"id":"3","access_token":null},{"name":"none"},"odd"]}"#;
        let pages = read_accounts(&answer(body)).expect("a list").pages;
        let seen: Vec<_> =
            pages.iter().map(|page| (page.id.as_str(), page.token.is_some())).collect();
        assert_eq!(seen, [("1", true), ("2", false), ("3", false)]);
        assert_eq!(read_page(&answer(r#"{"id":"19"}"#)).expect("a Page").token, None);
        for body in ["{}", "null", r#"{"data":{}}"#, r#"{"id":"EAAfake"}"#] {
            assert_eq!(
                read_page(&answer(body)).expect_err(body).kind,
                ProblemKind::MalformedResponse,
                "{body}"
            );
            assert!(read_accounts(&answer(body)).is_err(), "{body}");
        }
    }

    #[test]
    fn a_call_is_signed_where_the_secret_is_known() {
        let token = AccessToken::parse("EAAfake1").expect("a token");
        let secret = Secret::new("hushhush");
        let names =
            |request: &Request| request.parameters().map(|(name, _)| name).collect::<Vec<_>>();
        let unsigned = accounts(&app(), None, &token, None);
        assert_eq!(names(&unsigned), ["fields", "limit"]);
        assert_eq!(unsigned.bearer().map(Secret::expose), Some("EAAfake1"));
        let signed = accounts(&app(), Some(&secret), &token, Some("A"));
        assert_eq!(names(&signed), ["fields", "limit", "after", "appsecret_proof"]);
        assert_eq!(page(&app(), Some(&secret), &token, "19").path(), "/v25.0/19");
    }
}
