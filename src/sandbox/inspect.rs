//! Answers `debug_token`: what Graph says of an access token.
//!
//! Two kinds of no must not be confused: a refusal is about the caller, an error inside the data
//! is about the access token that was asked about.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::caller::{Caller, wrong_signature};
use super::fixtures::{AppFixture, Listing};
use super::host::Host;
use super::invalidation::Invalidation;
use super::issued::{IssuedToken, TokenKind};
use super::quirks::ThreadsInspection;
use super::refusal::Refusal;
use super::simulation::Simulation;

const PARAMETERS: [&str; 4] = ["input_token", "access_token", "appsecret_proof", "appsecret_time"];
const PARAMETERS_AT_THREADS: [&str; 2] = ["input_token", "access_token"];

/// What Threads leaves out. Source: Meta, Threads, debug access tokens.
const UNSAID_AT_THREADS: [&str; 2] = ["app_id", "granular_scopes"];

impl Simulation {
    pub(super) fn inspect(&self, call: &Call) -> Result<Value, Refusal> {
        let at_threads = call.host == Host::Threads;
        call.takes_only(if at_threads { &PARAMETERS_AT_THREADS[..] } else { &PARAMETERS })?;
        let app = self.inspector(call)?;
        let input = call.need("input_token")?;
        let mut data = match self.caller(call.host, input) {
            Ok(Caller::App(input)) if input.id == app.id => describe_app(app),
            Ok(Caller::Holder(_, token)) if token.app == app.id => self.describe(token, app),
            Ok(_) => {
                return Err(Refusal::parameter(
                    "The App_id in the input_token did not match the Viewing App",
                ));
            }
            Err(refusal) => undecodable(&refusal),
        };
        if let Some(data) = data.as_object_mut().filter(|_| at_threads) {
            data.retain(|name, _| !UNSAID_AT_THREADS.contains(&name.as_str()));
        }
        Ok(json!({ "data": data }))
    }

    /// The app for which is asked. Facebook lets only the app itself ask; Threads, as a test chose.
    fn inspector<'a>(&'a self, call: &'a Call) -> Result<&'a AppFixture, Refusal> {
        let string = call.token()?.ok_or_else(not_the_app)?;
        let at_threads = call.host == Host::Threads;
        let allowed = self.quirks.inspection;
        match self.caller(call.host, string).map_err(|refusal| about_the_caller(&refusal))? {
            Caller::App(app) if !at_threads || allowed == ThreadsInspection::ForTheApp => {
                if call.get("appsecret_proof").is_some() {
                    self.check_proof(call, app, string)?;
                }
                Ok(app)
            }
            Caller::Holder(string, token)
                if at_threads
                    && allowed == ThreadsInspection::ForTheToken
                    && call.get("input_token") == Some(string) =>
            {
                self.app_at(call.host, &token.app).ok_or_else(Refusal::unknown_app)
            }
            Caller::App(_) | Caller::Holder(..) => Err(not_the_app()),
        }
    }

    fn describe(&self, token: &IssuedToken, app: &AppFixture) -> Value {
        let invalidation = token.invalidation(self.now);
        let mut data = Map::new();
        let mut put = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
        put("app_id", json!(token.app));
        put("type", json!(token.kind.graph_name()));
        put("application", json!(app.name));
        put("data_access_expires_at", json!(token.data_access_expires_at));
        if let Some(invalidation) = invalidation {
            put(
                "error",
                json!({
                    "code": 190,
                    "message": invalidation.sentence(&token.app, token.expires_at, self.now),
                    "subcode": invalidation.subcode(),
                }),
            );
        }
        put("expires_at", json!(shown_expiry(token, invalidation)));
        put("is_valid", json!(invalidation.is_none()));
        if invalidation.is_none() && token.is_long_lived() && token.kind != TokenKind::Page {
            put("issued_at", json!(token.issued_at));
        }
        if let Some(page) = &token.page {
            put("profile_id", json!(page));
        }
        put("scopes", json!(shown_scopes(token, invalidation)));
        let granular = self.granular(token, shown_scopes(token, invalidation));
        if !granular.is_empty() {
            put("granular_scopes", Value::Array(granular));
        }
        put("user_id", json!(token.user));
        Value::Object(data)
    }

    /// Permissions on objects, with the objects. A system user's hold for all and name none.
    fn granular(&self, token: &IssuedToken, scopes: &[String]) -> Vec<Value> {
        let pages: Vec<&str> = match (&token.page, self.users.get(&token.user)) {
            (Some(page), _) => vec![page],
            (None, Some(user)) => {
                let ticked = user.pages.iter().filter(|(_, how)| **how == Listing::Listed);
                ticked.map(|(page, _)| page.as_str()).collect()
            }
            (None, None) => Vec::new(),
        };
        let limited = scopes.iter().filter(|scope| {
            ["pages_", "instagram_", "whatsapp_", "ads_", "business_"]
                .iter()
                .any(|family| scope.starts_with(family))
        });
        limited
            .map(|scope| {
                if token.kind == TokenKind::SystemUser {
                    json!({ "scope": scope })
                } else {
                    json!({ "scope": scope, "target_ids": pages })
                }
            })
            .collect()
    }
}

/// After a changed password Meta says 0, as if it never expired, though it is dead.
fn shown_expiry(token: &IssuedToken, invalidation: Option<Invalidation>) -> i64 {
    if invalidation == Some(Invalidation::PasswordChanged) { 0 } else { token.expires_at }
}

/// What was revoked or removed has no permissions left; other dead tokens still list theirs.
fn shown_scopes(token: &IssuedToken, invalidation: Option<Invalidation>) -> &[String] {
    match invalidation {
        Some(Invalidation::Revoked | Invalidation::AppRemoved) => &[],
        _ => &token.scopes,
    }
}

/// An app token has neither dates nor a person.
fn describe_app(app: &AppFixture) -> Value {
    json!({
        "app_id": app.id, "type": "APP", "application": app.name, "is_valid": true, "scopes": [],
    })
}

fn undecodable(why: &Refusal) -> Value {
    json!({
        "error": { "code": 190, "message": why.message },
        "is_valid": false,
        "scopes": [],
    })
}

/// An unknown app as caller is a token that cannot be read, not an app that cannot be found.
fn about_the_caller(refusal: &Refusal) -> Refusal {
    if *refusal == wrong_signature() {
        return wrong_signature();
    }
    Refusal::new(190, refusal.message.clone())
}

fn not_the_app() -> Refusal {
    Refusal::parameter(
        "You must provide an app access token, or a user access token that is an owner or \
         developer of the app",
    )
}
