//! Asks for the Pages behind a user token, and the access tokens that Graph derives for them.
//!
//! A Page that the person did not tick, or has no role on, comes without a token. That is an answer
//! and no error. The list is read to its end: Graph gives 25 at a time unless told otherwise.

use serde_json::Value;

use crate::crypto;
use crate::graph::body::{form_field, id, subject, text};
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
    /// What the person may do there, in Meta's words; none where that was not asked.
    pub tasks: Option<Vec<String>>,
}

/// One stretch of the list of Pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountsPage {
    /// The Pages, in Graph's order.
    pub pages: Vec<PageGrant>,
    /// What follows.
    pub next: Continuation,
}

/// What follows on one stretch of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Continuation {
    /// Nothing: it was the last.
    End,
    /// More, from there.
    At(Position),
    /// More, and Graph does not say from where.
    Lost,
}

/// Where a list goes on, in the parameters with which Graph's own `next` asks for it.
///
/// That address holds the access token and may name any host, so it is never called: what it says of
/// the place is put into a request of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position(Vec<(&'static str, String)>);

impl Position {
    /// Names what says where a list goes on. Source: Meta, Graph API, paginated results.
    const PARAMETERS: [&str; 7] =
        ["after", "__after_id", "__paging_token", "offset", "page", "since", "until"];

    fn of_cursor(after: &str) -> Self {
        Self(vec![("after", after.to_owned())])
    }

    fn of_address(next: &str) -> Option<Self> {
        let (_, query) = next.split_once('?')?;
        let query = query.split('#').next().unwrap_or_default();
        let said = Self::PARAMETERS.into_iter();
        let said: Vec<_> = said.filter_map(|name| Some((name, form_field(query, name)?))).collect();
        (!said.is_empty()).then_some(Self(said))
    }
}

const FIELDS: &str = "id,name,access_token";

/// What is asked of each Page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageFields {
    /// Its name and access token.
    Token,
    /// Also what the person may do there.
    Tasks,
}

impl PageFields {
    const fn names(self) -> &'static str {
        match self {
            Self::Token => FIELDS,
            Self::Tasks => "id,name,access_token,tasks",
        }
    }
}

/// A list of Pages that Graph keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageEdge<'a> {
    /// Those on which the person, or the System User, has a role.
    Own,
    /// Those that the portfolio of this id owns.
    OwnedBy(&'a str),
    /// Those that the clients of that portfolio have shared with it.
    SharedWith(&'a str),
}

impl PageEdge<'_> {
    fn request(self, app: &App) -> Request {
        let below = |id, edge| {
            Request::get("business_pages", app, Path::Versioned(&[])).below(id).below(edge)
        };
        match self {
            Self::Own => Request::get("accounts", app, Path::Versioned(&["me", "accounts"])),
            Self::OwnedBy(id) => below(id, "owned_pages"),
            Self::SharedWith(id) => below(id, "client_pages"),
        }
    }
}

/// Asks for at most `limit` Pages of a list, from the start or from where the last answer ended.
pub fn accounts(
    app: &App,
    edge: PageEdge<'_>,
    secret: Option<&Secret>,
    token: &AccessToken,
    from: Option<&Position>,
    limit: u32,
    fields: PageFields,
) -> Request {
    let request = edge.request(app).with("fields", fields.names()).with("limit", limit.to_string());
    let place = from.into_iter().flat_map(|position| &position.0);
    let request = place.fold(request, |request, (name, value)| request.with(name, value));
    signed(request, secret, token)
}

/// Asks for one Page.
pub fn page(app: &App, secret: Option<&Secret>, token: &AccessToken, page_id: &str) -> Request {
    let request = Request::get("page", app, Path::Versioned(&[])).below(page_id);
    signed(request.with("fields", FIELDS), secret, token)
}

/// Sends a correct `appsecret_proof` along wherever it can be made: harmless if not required.
pub fn signed(request: Request, secret: Option<&Secret>, token: &AccessToken) -> Request {
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
    Ok(AccountsPage {
        pages: items.iter().filter_map(|item| granted(item, response)).collect(),
        next: paging.map_or(Continuation::End, next),
    })
}

/// Reads where a list goes on. `cursors.after` is there on the last stretch too; only `next` says
/// that there is more.
fn next(paging: &Value) -> Continuation {
    let Some(address) = text(paging, "next") else { return Continuation::End };
    let cursor = paging.get("cursors").and_then(|cursors| text(cursors, "after"));
    let position = cursor.map(Position::of_cursor).or_else(|| Position::of_address(address));
    position.map_or(Continuation::Lost, Continuation::At)
}

/// Reads one Page.
pub fn read_page(response: &Response) -> Result<PageGrant, Problem> {
    let document = problem::accepted(response)?;
    granted(subject(document.root()), response)
        .ok_or_else(|| problem::malformed(response, "it has no `id` of a Page"))
}

fn granted(item: &Value, response: &Response) -> Option<PageGrant> {
    Some(PageGrant {
        id: id(item, "id")?,
        name: text(item, "name").map(|name| redact::sentence(name, response.secrets())),
        token: text(item, "access_token").and_then(|text| AccessToken::parse(text).ok()),
        tasks: tasks(item, response),
    })
}

fn tasks(item: &Value, response: &Response) -> Option<Vec<String>> {
    let Value::Array(tasks) = item.get("tasks")? else { return None };
    let words = tasks.iter().filter_map(Value::as_str);
    Some(words.map(|word| redact::sentence(word, response.secrets())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Headers;
    use crate::token::{ProblemKind, Provider};

    fn answer(body: &str) -> Response {
        Response::new(200, Headers::default(), body.as_bytes().to_vec())
    }

    #[test]
    fn the_list_goes_on_only_where_next_says_so() {
        let at = |place: &[(&'static str, &str)]| {
            let place = place.iter().map(|(name, value)| (*name, (*value).to_owned()));
            Continuation::At(Position(place.collect()))
        };
        for (paging, next) in [
            ("", Continuation::End),
            (r#","paging":{"cursors":{"after":"A"}}"#, Continuation::End),
            (r#","paging":{"cursors":{"after":"A"},"next":null}"#, Continuation::End),
            (
                r#","paging":{"cursors":{"after":"A"},"next":"https://x/?access_token=EAAfake"}"#,
                at(&[("after", "A")]),
            ),
            (r#","paging":{"next":"https://x/?after=A%3D&limit=25"}"#, at(&[("after", "A=")])),
            (
                r#","paging":{"next":"https://x/?limit=25&offset=25&access_token=EAAfake#x"}"#,
                at(&[("offset", "25")]),
            ),
            (
                r#","paging":{"next":"/v1/me?until=9&__paging_token=t"}"#,
                at(&[("__paging_token", "t"), ("until", "9")]),
            ),
            (r#","paging":{"next":"https://x/?access_token=EAAfake"}"#, Continuation::Lost),
            (r#","paging":{"cursors":{},"next":"https://x/"}"#, Continuation::Lost),
        ] {
            let page = read_accounts(&answer(&format!(r#"{{"data":[]{paging}}}"#))).expect(paging);
            assert_eq!(page.next, next, "{paging}");
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
        fn names(request: &Request) -> Vec<&str> {
            request.parameters().map(|(name, _)| name).collect()
        }
        let token = AccessToken::parse("EAAfake1").expect("a token");
        let secret = Secret::new("hushhush");
        let unsigned = accounts(
            &App::sample(Provider::Facebook),
            PageEdge::Own,
            None,
            &token,
            None,
            100,
            PageFields::Token,
        );
        assert_eq!(names(&unsigned), ["fields", "limit"]);
        assert_eq!(unsigned.bearer().map(Secret::expose), Some("EAAfake1"));
        let from = Position::of_cursor("A");
        let signed = accounts(
            &App::sample(Provider::Facebook),
            PageEdge::Own,
            Some(&secret),
            &token,
            Some(&from),
            50,
            PageFields::Token,
        );
        assert_eq!(names(&signed), ["fields", "limit", "after", "appsecret_proof"]);
        assert_eq!(
            page(&App::sample(Provider::Facebook), Some(&secret), &token, "19").path(),
            "/v25.0/19"
        );
    }
}
