//! Gives out access tokens: Facebook's `oauth/access_token`, and Instagram's and Threads' two grants.
//!
//! The hosts differ in what they ask before; what follows an access token is alike. Facebook also
//! gives an app its own: it is made of id and secret, so it is the same each time and dies when the
//! secret is reset. Instagram and Threads have the same rules under other names: an hour becomes
//! sixty days, and sixty days begin again; no app is named, the access token alone says whose it is.
//! Source: Meta, Instagram platform reference, `access_token` and `refresh_access_token`; Threads,
//! long-lived tokens.

use serde_json::{Map, Value, json};

use crate::crypto;

use super::call::Call;
use super::fixtures::AppFixture;
use super::host::Host;
use super::invalidation::Invalidation;
use super::issued::{DAY, IssuedToken, Renewal, TokenKind};
use super::quirks::{OldString, PageExchange, YoungRefusal};
use super::refusal::Refusal;
use super::simulation::Simulation;

const PARAMETERS: [&str; 5] = [
    "grant_type",
    "client_id",
    "client_secret",
    "fb_exchange_token",
    "set_token_expires_in_60_days",
];

impl Simulation {
    pub(super) fn exchange(&mut self, call: &Call) -> Result<Value, Refusal> {
        match call.need("grant_type")? {
            "fb_exchange_token" => {
                let old = self.exchangeable(call)?;
                self.follow(old)
            }
            "client_credentials" => self.client_credentials(call),
            _ => Err(Refusal::parameter("The grant_type is not supported")),
        }
    }

    /// The Facebook app that a call names and whose secret it knows.
    pub(super) fn client(&self, call: &Call) -> Result<&AppFixture, Refusal> {
        let client = call.get("client_id");
        let client = client.ok_or_else(|| Refusal::new(101, "Missing client_id parameter."))?;
        let app = self.app_at(Host::Facebook, client).ok_or_else(Refusal::unknown_app)?;
        let secret = call.get("client_secret");
        let secret = secret.ok_or_else(|| Refusal::new(1, "Missing client_secret parameter."))?;
        if secret == app.secret {
            Ok(app)
        } else {
            Err(Refusal::new(1, "Error validating client secret."))
        }
    }

    /// The access token to exchange, once everything about the call is as it must be.
    fn exchangeable<'a>(&self, call: &'a Call) -> Result<&'a str, Refusal> {
        call.takes_only(&PARAMETERS)?;
        let app = self.client(call)?;
        let string = call.need("fb_exchange_token")?;
        let token = self.issued(Host::Facebook, string)?;
        if token.app != app.id {
            let message = format!(
                "Error validating access token: The access token does not belong to application {}.",
                app.id
            );
            return Err(Refusal::new(190, message));
        }
        self.alive(token)?;
        let for_60_days = call.get("set_token_expires_in_60_days");
        match (token.kind, for_60_days) {
            (TokenKind::User, None) => Ok(string),
            (TokenKind::SystemUser, Some("true")) if token.expires_at != 0 => Ok(string),
            (TokenKind::SystemUser, Some("true")) => {
                Err(Refusal::parameter("The token of this system user never expires"))
            }
            (TokenKind::SystemUser, _) => {
                Err(Refusal::parameter("set_token_expires_in_60_days must be true"))
            }
            (TokenKind::User, Some(_)) => {
                Err(Refusal::parameter("set_token_expires_in_60_days is for system users"))
            }
            (TokenKind::Page, None) if self.quirks.page_exchange == PageExchange::Granted => {
                Ok(string)
            }
            (TokenKind::Page, _) => Err(Refusal::parameter("A Page's token cannot be exchanged")),
            // Their access tokens cannot be read at this host.
            (TokenKind::Instagram | TokenKind::Threads, _) => {
                Err(Refusal::unparsable(Host::Facebook))
            }
        }
    }
}

impl AppFixture {
    /// What stands behind the id in the access token that Graph makes for the app.
    fn opaque(&self) -> String {
        let hash = crypto::keyed_hash(self.secret.as_bytes(), self.id.as_bytes());
        format!("FAKE{}", crypto::hex(&hash[..12]))
    }

    /// Whether this, behind the app's id, speaks for the app.
    pub(super) fn is_proven_by(&self, proof: &str) -> bool {
        proof == self.secret || proof == self.opaque()
    }
}

impl Simulation {
    /// The opaque access token of a Facebook app, as `client_credentials` gives it.
    pub fn app_token(&self, app: &str) -> Option<String> {
        let app = self.app_at(Host::Facebook, app)?;
        Some(format!("{}|{}", app.id, app.opaque()))
    }

    /// Gives an app another secret, as its dashboard does. Every access token that stands for the
    /// app dies of it and the old secret opens nothing any more; people's tokens live on.
    pub fn reset_secret(&mut self, app: &str, secret: &str) {
        if let Some(app) = self.apps.get_mut(app) {
            secret.clone_into(&mut app.secret);
        }
        self.touch();
    }

    /// The grant `client_credentials`: no access token goes in, and what comes out has no end.
    pub(super) fn client_credentials(&self, call: &Call) -> Result<Value, Refusal> {
        call.takes_only(&["grant_type", "client_id", "client_secret"])?;
        let app = self.client(call)?;
        let string = format!("{}|{}", app.id, app.opaque());
        Ok(json!({ "access_token": string, "token_type": "bearer" }))
    }
}

/// What the two hosts call things.
pub struct Terms {
    exchange: &'static str,
    refresh: &'static str,
    permission: &'static str,
    pub profile_fields: &'static [&'static str],
}

/// Instagram's names.
pub const INSTAGRAM: Terms = Terms {
    exchange: "ig_exchange_token",
    refresh: "ig_refresh_token",
    permission: "instagram_business_basic",
    profile_fields: &["id", "user_id", "username", "name", "account_type"],
};

/// Threads' names.
pub const THREADS: Terms = Terms {
    exchange: "th_exchange_token",
    refresh: "th_refresh_token",
    permission: "threads_basic",
    profile_fields: &["id", "username", "name"],
};

impl Simulation {
    /// `access_token`: for a short-lived access token that works, with the app's secret.
    pub(super) fn lengthen(&mut self, call: &Call, terms: &Terms) -> Result<Value, Refusal> {
        call.takes_only(&["grant_type", "client_secret", "access_token"])?;
        let string = granted(call, terms.exchange)?;
        let token = self.issued(call.host, string)?;
        let app = self.apps.get(&token.app).ok_or_else(Refusal::unknown_app)?;
        if call.need("client_secret")? != app.secret {
            // The same words are code 1 at Facebook, and end in a full stop there.
            return Err(Refusal::new(100, "Error validating client secret"));
        }
        self.alive(token)?;
        if token.is_long_lived() {
            return Err(Refusal::session_key());
        }
        self.follow(string)
    }

    /// `refresh_access_token`: for a long-lived access token that works and is a day old. No
    /// secret.
    pub(super) fn refresh(&mut self, call: &Call, terms: &Terms) -> Result<Value, Refusal> {
        call.takes_only(&["grant_type", "access_token"])?;
        let string = granted(call, terms.refresh)?;
        let token = self.issued(call.host, string)?;
        self.alive(token)?;
        if !token.scopes.iter().any(|scope| scope == terms.permission) {
            let message = "(#10) Application does not have permission for this action";
            return Err(Refusal::new(10, message));
        }
        if !token.is_long_lived() {
            return Err(Refusal::session_key());
        }
        if self.now - token.issued_at < DAY {
            return Err(match self.quirks.young {
                YoungRefusal::SessionKey => Refusal::session_key(),
                YoungRefusal::Unsupported => Refusal::method("get"),
            });
        }
        self.follow(string)
    }
}

/// The access token of a call that asks for this grant. It is a parameter here, and not a header.
fn granted<'a>(call: &'a Call, grant_type: &str) -> Result<&'a str, Refusal> {
    if call.need("grant_type")? != grant_type {
        return Err(Refusal::parameter("The grant_type is not supported"));
    }
    call.token()?;
    call.need("access_token")
}

impl Simulation {
    /// Lets an access token be followed, by another or by itself, and grants what follows.
    pub(super) fn follow(&mut self, old: &str) -> Result<Value, Refusal> {
        let token = self.tokens.get(old).ok_or_else(Refusal::unknown_token)?.clone();
        let new = match successor(&token, self.now) {
            Successor::SameString { expires_at } => {
                if expires_at != token.expires_at {
                    self.extend(old, expires_at);
                }
                old.to_owned()
            }
            Successor::New(token) => self.give_out(token),
        };
        if new != old && self.quirks.old == OldString::Dies {
            self.invalidate(old, Invalidation::SessionInvalid);
        }
        Ok(self.grant(&new, token.withholds_expires_in))
    }

    /// Moves the end of an access token. Where an access token must be a day old to be renewed,
    /// that day begins again: the strict reading, for a client that asks twice in a row.
    fn extend(&mut self, string: &str, expires_at: i64) {
        let now = self.now;
        if let Some(token) = self.tokens.get_mut(string) {
            token.expires_at = expires_at;
            if !token.is_facebooks() {
                token.issued_at = now;
            }
        }
        self.touch();
    }

    fn grant(&self, string: &str, withholds_expires_in: bool) -> Value {
        let mut grant = Map::new();
        grant.insert("access_token".to_owned(), json!(string));
        grant.insert("token_type".to_owned(), json!("bearer"));
        let expires_at = self.tokens.get(string).map_or(0, |token| token.expires_at);
        if expires_at != 0 && !withholds_expires_in {
            grant.insert("expires_in".to_owned(), json!(expires_at - self.now));
        }
        Value::Object(grant)
    }
}

/// What follows an access token.
enum Successor {
    SameString { expires_at: i64 },
    New(IssuedToken),
}

/// A short-lived access token is always followed by a new one of sixty days; of a long-lived one
/// that depends on how Meta feels about the person.
fn successor(old: &IssuedToken, now: i64) -> Successor {
    let expires_at = if old.expires_at == 0 { 0 } else { now + 60 * DAY };
    let next = IssuedToken { issued_at: now, expires_at, ..old.clone() };
    match &old.renewal {
        Renewal::LosesScope(lost) => {
            let scopes = old.scopes.iter().filter(|scope| *scope != lost).cloned().collect();
            Successor::New(IssuedToken { scopes, ..next })
        }
        Renewal::BecomesSomeoneElse(user) => {
            Successor::New(IssuedToken { user: user.clone(), ..next })
        }
        Renewal::ExtendsInPlace if old.is_long_lived() => Successor::SameString { expires_at },
        Renewal::KeepsString if old.is_long_lived() => {
            Successor::SameString { expires_at: old.expires_at }
        }
        Renewal::KeepsEnd if old.is_long_lived() => {
            // Its issue stays too, or what is left would make it look short-lived.
            Successor::New(old.clone())
        }
        Renewal::Extends | Renewal::ExtendsInPlace | Renewal::KeepsString | Renewal::KeepsEnd => {
            Successor::New(next)
        }
    }
}
