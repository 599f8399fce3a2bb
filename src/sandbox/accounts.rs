//! Answers `me`, `me/accounts` and a Page: who a token is, and the tokens of the Pages behind it.
//!
//! A Page token that comes from a long-lived login has no date and is the same access token each
//! time it is asked for; one from a short-lived login dies with its parent. At Instagram `id` is the
//! app's own name for the account and `user_id` the account's; a client that takes one for the other
//! is found out.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::fixtures::{Listing, PageFixture};
use super::grants::Terms;
use super::host::Host;
use super::issued::{IssuedToken, Renewal, TokenKind, derivation, stem};
use super::refusal::Refusal;
use super::simulation::Simulation;

const READ: [&str; 4] = ["fields", "access_token", "appsecret_proof", "appsecret_time"];
const LIST: [&str; 6] =
    ["fields", "access_token", "appsecret_proof", "appsecret_time", "limit", "after"];

/// How many Pages a list shows by default, and at most.
const LIMIT: (usize, usize) = (25, 100);

impl Simulation {
    pub(super) fn me(&self, call: &Call) -> Result<Value, Refusal> {
        call.takes_only(&READ)?;
        let (_, token) = self.holder(call, no_current_user)?;
        let fields = fields(call, &["id", "name"], &["id", "name"])?;
        let user = self.users.get(&token.user).map(|user| (&user.id, &user.name));
        let page = token.page.as_ref().and_then(|page| self.pages.get(page));
        let (id, name) =
            page.map(|page| (&page.id, &page.name)).or(user).ok_or_else(no_current_user)?;
        Ok(pick(&fields, &[("id", json!(id)), ("name", json!(name))]))
    }

    pub(super) fn accounts(&mut self, call: &Call) -> Result<Value, Refusal> {
        call.takes_only(&LIST)?;
        let (string, token) = self.holder(call, no_current_user)?;
        let (string, token) = (string.to_owned(), token.clone());
        if token.kind == TokenKind::Page {
            return Err(Refusal::parameter(
                "Tried accessing nonexisting field (accounts) on node type (Page)",
            ));
        }
        let listed = self.listed(&token);
        self.stretch(call, &string, &token, &listed)
    }

    /// The Pages of a portfolio, `ID/owned_pages` or `ID/client_pages`, for those who are in it and may
    /// manage it. Those that are not assigned to them come without a token.
    pub(super) fn portfolio_pages(&mut self, call: &Call, place: &str) -> Result<Value, Refusal> {
        call.takes_only(&LIST)?;
        let (string, token) = self.holder(call, no_token)?;
        let (string, token) = (string.to_owned(), token.clone());
        let (id, edge) = place.split_once('/').unwrap_or_default();
        let portfolio = self.portfolios.get(id).filter(|it| it.users.contains(&token.user));
        let portfolio = portfolio.ok_or_else(|| Refusal::no_object(id))?;
        if !token.scopes.iter().any(|scope| scope == "business_management") {
            let message = "(#100) Requires business_management permission to manage the object";
            return Err(Refusal::new(10, message));
        }
        let ids = if edge == "owned_pages" { &portfolio.owned } else { &portfolio.clients };
        let roles = self.users.get(&token.user).map(|user| &user.pages);
        let mut listed: Vec<(PageFixture, Listing)> = ids
            .iter()
            .filter_map(|id| {
                let role = roles.and_then(|pages| pages.get(id));
                let listing = role.map_or(Listing::WithoutToken, |_| Listing::Listed);
                Some((self.pages.get(id)?.clone(), listing))
            })
            .collect();
        listed.sort_by(|one, other| one.0.id.cmp(&other.0.id));
        self.stretch(call, &string, &token, &listed)
    }

    /// One stretch of a list of Pages.
    fn stretch(
        &mut self,
        call: &Call,
        string: &str,
        token: &IssuedToken,
        listed: &[(PageFixture, Listing)],
    ) -> Result<Value, Refusal> {
        let fields = fields(call, &PAGE_FIELDS, &["id", "name"])?;
        let limit = limit(call)?;
        if self.quirks.most_at_once.is_some_and(|most| limit > most) {
            return Err(Refusal::too_much());
        }
        let start = start(call, listed)?;
        let shown: Vec<_> = listed.iter().skip(start).take(limit).cloned().collect();
        let more = start + shown.len() < listed.len();
        let data: Vec<Value> = shown
            .iter()
            .map(|(page, listing)| self.page_node(string, token, page, *listing, &fields))
            .collect();
        Ok(match (shown.first(), shown.last()) {
            (Some((first, _)), Some((last, _))) => {
                json!({ "data": data, "paging": paging(call, string, first, last, more) })
            }
            _ => json!({ "data": data }),
        })
    }

    pub(super) fn page(&mut self, call: &Call, id: &str) -> Result<Value, Refusal> {
        call.takes_only(&READ)?;
        let (string, token) = self.holder(call, no_token)?;
        let (string, token) = (string.to_owned(), token.clone());
        let fields = fields(call, &PAGE_FIELDS, &["id", "name"])?;
        let page = self.pages.get(id).cloned().ok_or_else(|| Refusal::no_object(id))?;
        if token.page.as_deref() == Some(id) {
            return Ok(page_fields(&page, &fields, Some(&string)));
        }
        let role = self.users.get(&token.user).and_then(|user| user.pages.get(id).copied());
        match role {
            Some(listing @ (Listing::Listed | Listing::WithoutToken))
                if token.kind != TokenKind::Page =>
            {
                Ok(self.page_node(&string, &token, &page, listing, &fields))
            }
            _ => Err(Refusal::no_object(id)),
        }
    }

    /// The ad accounts of a person: none, for whoever may ask.
    pub(super) fn ad_accounts(&self, call: &Call) -> Result<Value, Refusal> {
        call.takes_only(&LIST)?;
        let (_, token) = self.holder(call, no_current_user)?;
        let may = |scope: &String| matches!(scope.as_str(), "ads_read" | "ads_management");
        if !token.scopes.iter().any(may) {
            return Err(Refusal::new(
                200,
                "(#200) Ad account owner has NOT grant ads_management or ads_read permission",
            ));
        }
        fields(call, &["id", "name", "account_id"], &["id"])?;
        limit(call)?;
        Ok(json!({ "data": [] }))
    }

    /// Whether a WhatsApp number or account can send messages; to a token of somebody whom it is not
    /// assigned to it is not there.
    pub(super) fn whatsapp_health(&self, call: &Call, id: &str) -> Result<Value, Refusal> {
        call.takes_only(&READ)?;
        let (_, token) = self.holder(call, no_token)?;
        let fields = fields(call, &["id", "health_status"], &["id"])?;
        let whatsapp = self.whatsapp.get(id).ok_or_else(|| Refusal::no_object(id))?;
        if whatsapp.user != token.user {
            return Err(Refusal::no_object(id));
        }
        if !token.scopes.iter().any(|scope| scope.starts_with("whatsapp_business_")) {
            return Err(Refusal::new(200, "(#200) You do not have the necessary permission"));
        }
        let errors: Vec<Value> = whatsapp
            .errors
            .iter()
            .map(|(code, says, advises)| {
                json!({
                    "error_code": code, "error_description": says, "possible_solution": advises,
                })
            })
            .collect();
        let mut number = json!({
            "entity_type": "PHONE_NUMBER", "id": id, "can_send_message": whatsapp.can_send,
        });
        if !errors.is_empty() {
            number["errors"] = json!(errors);
        }
        let app = json!({ "entity_type": "APP", "id": token.app, "can_send_message": "AVAILABLE" });
        let health = json!({ "can_send_message": whatsapp.can_send, "entities": [number, app] });
        Ok(pick(&fields, &[("id", json!(id)), ("health_status", health)]))
    }

    /// The Pages of a person's list. Without the permission to list them it is empty, not refused.
    fn listed(&self, token: &IssuedToken) -> Vec<(PageFixture, Listing)> {
        let user = self.users.get(&token.user);
        let user = user.filter(|_| token.scopes.iter().any(|scope| scope == "pages_show_list"));
        user.into_iter()
            .flat_map(|user| &user.pages)
            .filter(|(_, listing)| **listing != Listing::Unlisted)
            .filter_map(|(id, listing)| Some((self.pages.get(id)?.clone(), *listing)))
            .collect()
    }

    fn page_node(
        &mut self,
        string: &str,
        parent: &IssuedToken,
        page: &PageFixture,
        listing: Listing,
        fields: &[&str],
    ) -> Value {
        let wanted = fields.contains(&"access_token") && listing == Listing::Listed;
        let token = wanted.then(|| self.page_token(string, parent, page));
        page_fields(page, fields, token.as_deref())
    }

    fn page_token(&mut self, string: &str, parent: &IssuedToken, page: &PageFixture) -> String {
        let lasting = parent.is_long_lived();
        let key = derivation(parent, &page.id, if lasting { "" } else { string });
        if let Some(known) = self.derived.get(&key)
            && self.tokens.get(known).is_some_and(|token| token.invalidation(self.now).is_none())
        {
            return known.clone();
        }
        let token = self.give_out(IssuedToken {
            kind: TokenKind::Page,
            page: Some(page.id.clone()),
            issued_at: self.now,
            expires_at: if lasting { 0 } else { parent.expires_at },
            stem: format!("Page{}", stem(&page.name)),
            renewal: Renewal::Extends,
            withholds_expires_in: false,
            invalidation: None,
            ..parent.clone()
        });
        self.derived.insert(key, token.clone());
        token
    }
}

const PAGE_FIELDS: [&str; 5] = ["id", "name", "access_token", "category", "tasks"];

fn page_fields(page: &PageFixture, fields: &[&str], token: Option<&str>) -> Value {
    let mut values = vec![
        ("id", json!(page.id)),
        ("name", json!(page.name)),
        ("category", json!(page.category)),
        ("tasks", json!(["ANALYZE", "ADVERTISE", "MODERATE", "CREATE_CONTENT", "MANAGE"])),
    ];
    values.extend(token.map(|token| ("access_token", json!(token))));
    pick(fields, &values)
}

/// The fields that were asked for, in the order in which they were; `id` always comes along.
pub fn pick(fields: &[&str], values: &[(&str, Value)]) -> Value {
    let mut node = Map::new();
    for field in fields.iter().chain(&["id"]) {
        if let Some((name, value)) = values.iter().find(|(name, _)| name == field) {
            node.entry(*name).or_insert_with(|| value.clone());
        }
    }
    Value::Object(node)
}

/// Reads which fields a call asks for; refuses one that is not known.
pub fn fields<'a>(
    call: &'a Call,
    known: &[&str],
    usual: &[&'a str],
) -> Result<Vec<&'a str>, Refusal> {
    let Some(asked) = call.get("fields") else { return Ok(usual.to_vec()) };
    let asked: Vec<&str> = asked.split(',').collect();
    match asked.iter().find(|field| !known.contains(field)) {
        Some(field) => {
            Err(Refusal::parameter(format!("Tried accessing nonexisting field ({field})")))
        }
        None => Ok(asked),
    }
}

fn limit(call: &Call) -> Result<usize, Refusal> {
    let (usual, most) = LIMIT;
    let Some(asked) = call.get("limit") else { return Ok(usual) };
    match asked.parse() {
        Ok(0) | Err(_) => Err(Refusal::parameter("The parameter limit must be a positive number")),
        Ok(limit) => Ok(most.min(limit)),
    }
}

/// Where the list goes on. The cursor names the last Page that was shown, so that a Page which
/// comes or goes in between does not shift the others.
fn start(call: &Call, listed: &[(PageFixture, Listing)]) -> Result<usize, Refusal> {
    let Some(after) = call.get("after") else { return Ok(0) };
    let last = after.strip_prefix("QFAKE");
    let last = last.filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
    let last = last.ok_or_else(|| Refusal::parameter("Invalid cursor"))?;
    Ok(listed.partition_point(|(page, _)| page.id.as_str() <= last))
}

/// Meta names the cursor `after` on the last page too; only `next` says that there is more, and
/// it carries the caller's token.
fn paging(call: &Call, string: &str, first: &PageFixture, last: &PageFixture, more: bool) -> Value {
    let mut paging = json!({
        "cursors": { "before": format!("QFAKE{}", first.id), "after": format!("QFAKE{}", last.id) },
    });
    if more {
        let mut next = format!("http://{}{}?access_token={string}", call.authority, call.path);
        for name in ["fields", "limit"] {
            if let Some(value) = call.get(name) {
                next.extend(["&", name, "=", &value.replace(',', "%2C")]);
            }
        }
        next.extend(["&after=QFAKE", &last.id]);
        paging["next"] = json!(next);
    }
    paging
}

/// The refusal of a call about the person behind a token that has none.
pub fn no_current_user() -> Refusal {
    Refusal::new(
        2500,
        "An active access token must be used to query information about the current user.",
    )
}

/// The refusal of a call without an access token.
pub fn no_token() -> Refusal {
    Refusal::new(104, "An access token is required to request this resource.")
}

impl Simulation {
    pub(super) fn profile(&self, call: &Call, terms: &Terms) -> Result<Value, Refusal> {
        call.takes_only(&["fields", "access_token"])?;
        let (_, token) = self.living(call, no_token)?;
        let fields = fields(call, terms.profile_fields, &["id"])?;
        let user = self.users.get(&token.user).ok_or_else(no_current_user)?;
        let id = match call.host {
            Host::Instagram => format!("9{}", user.id),
            Host::Facebook | Host::Threads => user.id.clone(),
        };
        let values = [
            ("id", json!(id)),
            ("user_id", json!(user.id)),
            ("username", json!(user.username)),
            ("name", json!(user.name)),
            ("account_type", json!("BUSINESS")),
        ];
        Ok(pick(&fields, &values))
    }
}
