//! Instagram's and Threads' two grants: an hour becomes sixty days, and sixty days begin again.
//!
//! Both hosts have the same rules under other names. No app is named in a call; the string alone
//! says whose it is. Source: Meta, Instagram platform reference, `access_token` and
//! `refresh_access_token`; Threads, long-lived tokens.

use serde_json::Value;

use super::call::Call;
use super::issued::DAY;
use super::quirks::YoungRefusal;
use super::refusal::Refusal;
use super::simulation::Simulation;

/// What the two hosts call things.
pub(super) struct Terms {
    exchange: &'static str,
    refresh: &'static str,
    permission: &'static str,
    pub(super) profile_fields: &'static [&'static str],
}

/// Instagram's names.
pub(super) const INSTAGRAM: Terms = Terms {
    exchange: "ig_exchange_token",
    refresh: "ig_refresh_token",
    permission: "instagram_business_basic",
    profile_fields: &["id", "user_id", "username", "name", "account_type"],
};

/// Threads' names.
pub(super) const THREADS: Terms = Terms {
    exchange: "th_exchange_token",
    refresh: "th_refresh_token",
    permission: "threads_basic",
    profile_fields: &["id", "username", "name"],
};

impl Simulation {
    /// `access_token`: for a short-lived string that works, with the app's secret.
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

    /// `refresh_access_token`: for a long-lived string that works and is a day old. No secret.
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

/// The string of a call that asks for this grant. It is a parameter here, and not a header.
fn granted<'a>(call: &'a Call, grant_type: &str) -> Result<&'a str, Refusal> {
    if call.need("grant_type")? != grant_type {
        return Err(Refusal::parameter("The grant_type is not supported"));
    }
    call.token()?;
    call.need("access_token")
}
