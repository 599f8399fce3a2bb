//! Takes access tokens out of use: one of a System User, all of a System User, or all that a person
//! granted an app.
//!
//! What dies says so with its own subcode afterwards: 466 where an API call named it, 458 where the
//! app was taken off the person's list. Source: Meta, System Users, revoke; user permissions.

use serde_json::{Value, json};

use super::accounts::no_token;
use super::call::Call;
use super::caller::Caller;
use super::dialog::consent_key;
use super::host::Host;
use super::invalidation::Invalidation;
use super::issued::{IssuedToken, TokenKind};
use super::quirks::Revocations;
use super::refusal::Refusal;
use super::simulation::Simulation;

const ONE: [&str; 4] = ["client_id", "client_secret", "revoke_token", "access_token"];
const ALL: [&str; 3] = ["access_token", "appsecret_proof", "appsecret_time"];

impl Simulation {
    /// `oauth/revoke`: ends one access token of a System User. Another one that works has to ask.
    pub(super) fn revoke_one(&mut self, call: &Call) -> Result<Value, Refusal> {
        call.takes_only(&ONE)?;
        let app = self.client(call)?.id.clone();
        let string = call.need("revoke_token")?.to_owned();
        let (asker, token) = self.living(call, no_token)?;
        if token.app != app {
            return Err(Refusal::parameter("The access token does not belong to this application"));
        }
        if asker == string {
            return Err(Refusal::parameter("An access token cannot revoke itself"));
        }
        let token = self.issued(Host::Facebook, &string)?;
        if token.app != app {
            return Err(Refusal::parameter("The revoke_token does not belong to this application"));
        }
        if token.kind != TokenKind::SystemUser {
            return Err(Refusal::parameter("The revoke_token is not one of a system user"));
        }
        self.alive(token)?;
        if self.quirks.revocations != Revocations::InVain {
            self.invalidate(&string, Invalidation::Revoked);
        }
        Ok(json!({ "success": true }))
    }

    /// Ends all access tokens of a System User for the caller's app, with those of its Pages.
    pub(super) fn revoke_system_user(&mut self, call: &Call, id: &str) -> Result<Value, Refusal> {
        call.takes_only(&ALL)?;
        let (_, token) = self.holder(call, no_token)?;
        let is_admin = self.users.get(&token.user).is_some_and(|user| user.is_admin);
        if token.user != id && !is_admin {
            return Err(no_admin());
        }
        let app = token.app.clone();
        if !self.is_system_user(id, &app) {
            return Err(Refusal::no_object(id));
        }
        self.end_all(id, &app, Invalidation::Revoked);
        Ok(json!({ "success": true }))
    }

    /// Ends all that a person granted an app, which the app or the person asks for.
    pub(super) fn revoke_grant(&mut self, call: &Call, id: &str) -> Result<Value, Refusal> {
        call.takes_only(&ALL)?;
        let string = call.token()?.ok_or_else(no_token)?;
        let app = match self.caller(call.host, string)? {
            Caller::App(app) => {
                if call.get("appsecret_proof").is_some() {
                    self.check_proof(call, app, string)?;
                }
                app.id.clone()
            }
            Caller::Holder(_, token) if token.user == id && token.kind == TokenKind::User => {
                self.holder(call, no_token)?;
                token.app.clone()
            }
            Caller::Holder(..) => return Err(Refusal::no_object(id)),
        };
        let granted = |token: &IssuedToken| {
            token.user == id && token.app == app && token.kind == TokenKind::User
        };
        if !self.tokens.values().any(granted) {
            return Err(Refusal::no_object(id));
        }
        self.end_all(id, &app, Invalidation::AppRemoved);
        // A bare yes, as Graph has it here.
        Ok(json!(true))
    }

    /// What eleven programs send to Instagram and Threads, and no page of Meta's names.
    pub(super) fn revoke_own(&mut self, call: &Call) -> Result<Value, Refusal> {
        call.takes_only(&["access_token"])?;
        let (_, token) = self.living(call, no_token)?;
        let (user, app) = (token.user.clone(), token.app.clone());
        self.end_all(&user, &app, Invalidation::AppRemoved);
        Ok(json!({ "success": true }))
    }

    /// Whether the app has or had an access token of that System User.
    pub(super) fn is_system_user(&self, id: &str, app: &str) -> bool {
        self.tokens.values().any(|token| {
            token.user == id && token.app == app && token.kind == TokenKind::SystemUser
        })
    }

    fn end_all(&mut self, user: &str, app: &str, invalidation: Invalidation) {
        if self.quirks.revocations == Revocations::InVain {
            return;
        }
        let now = self.now;
        let theirs = self.tokens.values_mut().filter(|it| it.user == user && it.app == app);
        theirs
            .filter(|token| token.invalidation(now).is_none())
            .for_each(|token| token.invalidation = Some(invalidation));
        self.consents.retain(|key, _| *key != consent_key(user, app));
        self.touch();
    }
}

/// The caller is no admin of the business.
pub fn no_admin() -> Refusal {
    Refusal::new(200, "(#200) Permissions error")
}
