//! Exchanges the codes that the login dialogs give out for access tokens.
//!
//! A code works once, for a short time, and with the redirect address that the dialog was asked with,
//! to the byte. What comes is short-lived, but for a System User's. Embedded Signup gives its code to
//! a program in the page: it lives for thirty seconds and names no redirect address. Source: Meta,
//! manually build a login flow; Embedded Signup; Instagram, business login; Threads, get access
//! tokens.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};

use crate::token::{DataAccess, Expiry};

use super::call::Call;
use super::host::Host;
use super::issued::{TokenFixture, stem};
use super::logins::{AN_HOUR, CodeGrant, LoginCode};
use super::quirks::CodeReply;
use super::refusal::Refusal;
use super::simulation::Simulation;

const AT_FACEBOOK: [&str; 5] =
    ["client_id", "client_secret", "code", "redirect_uri", "code_verifier"];
const BESIDE_FACEBOOK: [&str; 5] =
    ["client_id", "client_secret", "grant_type", "redirect_uri", "code"];

impl Simulation {
    /// Ends an Embedded Signup for a System User, and gives the code that the page gets.
    pub fn embedded_signup(&mut self, app: &str, system_user: &str, scopes: &[&str]) -> String {
        self.give_code(LoginCode {
            host: Host::Facebook,
            app: app.to_owned(),
            redirect: None,
            issued_at: self.now,
            is_used: false,
            grant: CodeGrant::SystemUser {
                id: system_user.to_owned(),
                scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            },
        })
    }

    /// Names a code and keeps it.
    pub(super) fn give_code(&mut self, code: LoginCode) -> String {
        let name = self.users.get(code.grant.user()).map_or("", |user| &user.name);
        let string = format!("AQFAKE{}{}", stem(name), self.codes.len() + 1);
        self.codes.insert(string.clone(), code);
        self.touch();
        string
    }

    /// Facebook's exchange of a code.
    pub(super) fn exchange_code(&mut self, call: &Call) -> Result<Value, Refusal> {
        call.takes_only(&AT_FACEBOOK)?;
        let app = self.client(call)?.id.clone();
        if call.get("code_verifier").is_some() {
            let message = "code_verifier param is provided without a code_challenge.";
            return Err(Refusal::new(1, message));
        }
        let code = self.spend(call, &app)?;
        let string = self.mint_for(&code);
        let mut reply = json!({ "access_token": string, "token_type": "bearer" });
        if matches!(code.grant, CodeGrant::Person { .. }) {
            reply["expires_in"] = json!(AN_HOUR);
        }
        Ok(reply)
    }

    /// Instagram's and Threads' exchange of a code.
    pub(super) fn exchange_code_beside(&mut self, call: &Call) -> Result<Value, Refusal> {
        call.takes_only(&BESIDE_FACEBOOK)?;
        if call.query.iter().any(|(name, _)| name == "client_secret") {
            return Err(Refusal::parameter("The client_secret does not belong into the address"));
        }
        if call.need("grant_type")? != "authorization_code" {
            return Err(Refusal::parameter("The grant_type is not supported"));
        }
        let id = call.need("client_id")?;
        if call.host == Host::Threads && self.app_at(Host::Facebook, id).is_some() {
            return Err(Refusal::new(4_476_002, "Error validating client ID."));
        }
        let app = self.app_at(call.host, id).ok_or_else(Refusal::unknown_app)?;
        if call.need("client_secret")? != app.secret {
            return Err(Refusal::new(100, "Error validating client secret"));
        }
        let app = app.id.clone();
        let code = self.spend(call, &app)?;
        let string = self.mint_for(&code);
        let CodeGrant::Person { id, scopes, .. } = &code.grant else {
            return Err(Refusal::parameter("The code is not one of a person"));
        };
        let granted = json!({
            "access_token": string, "user_id": id, "permissions": scopes.join(","),
        });
        Ok(match (call.host, self.quirks.code_reply) {
            (Host::Instagram, CodeReply::Wrapped) => json!({ "data": [granted] }),
            _ => granted,
        })
    }

    /// Uses a code up. Whatever is wrong with the call, the code does not work a second time.
    fn spend(&mut self, call: &Call, app: &str) -> Result<LoginCode, Refusal> {
        let string = call.need("code")?.to_owned();
        let now = self.now;
        let redirect = call.get("redirect_uri").map(str::to_owned);
        let known = self.codes.get_mut(&string).filter(|code| code.host == call.host);
        let Some(code) = known.filter(|code| code.app == app) else {
            return Err(Refusal::parameter_of("Invalid verification code format.", None));
        };
        if code.is_used {
            let message = "This authorization code has been used.";
            return Err(Refusal::parameter_of(message, Some(36_009)));
        }
        code.is_used = true;
        let code = code.clone();
        self.touch();
        if now - code.issued_at > code.life() {
            let message = "This authorization code has expired.";
            return Err(Refusal::parameter_of(message, Some(36_007)));
        }
        if redirect != code.redirect {
            let message = "Error validating verification code. Please make sure your redirect_uri \
                           is identical to the one you used in the OAuth dialog request";
            return Err(Refusal::parameter_of(message, Some(36_008)));
        }
        Ok(code)
    }

    fn mint_for(&mut self, code: &LoginCode) -> String {
        let name = self.users.get(code.grant.user()).map_or_else(String::new, |it| it.name.clone());
        let soon = Expiry::At(self.now() + TimeDelta::seconds(AN_HOUR));
        let token = match &code.grant {
            CodeGrant::SystemUser { id, scopes } => {
                TokenFixture::system_user(&code.app, id).scopes(scopes.clone())
            }
            CodeGrant::Person { id, scopes, data_access_expires_at } => {
                let new = match code.host {
                    Host::Facebook => TokenFixture::user(&code.app, id),
                    Host::Instagram => TokenFixture::instagram(&code.app, id),
                    Host::Threads => TokenFixture::threads(&code.app, id),
                };
                let end = DateTime::from_timestamp(*data_access_expires_at, 0).unwrap_or_default();
                new.scopes(scopes.clone()).ending(soon).data_access(DataAccess::Until(end))
            }
        };
        self.mint(token.named(&name))
    }
}
