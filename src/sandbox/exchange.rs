//! `oauth/access_token`: a string that works becomes one that works longer.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::death::Death;
use super::minted::{DAY, Family, Minted, Renewal};
use super::refusal::Refusal;
use super::simulation::{OldString, Simulation};

const PARAMETERS: [&str; 5] = [
    "grant_type",
    "client_id",
    "client_secret",
    "fb_exchange_token",
    "set_token_expires_in_60_days",
];

impl Simulation {
    pub(super) fn exchange(&mut self, call: &Call) -> Result<Value, Refusal> {
        let old = self.exchangeable(call)?;
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
        if new != old && self.old_string == OldString::Dies {
            self.kill(old, Death::SessionInvalid);
        }
        Ok(self.grant(&new, token.withholds_expires_in))
    }

    /// The string to exchange, once everything about the call is as it must be.
    fn exchangeable<'a>(&self, call: &'a Call) -> Result<&'a str, Refusal> {
        call.takes_only(&PARAMETERS)?;
        if call.need("grant_type")? != "fb_exchange_token" {
            return Err(Refusal::parameter("The grant_type is not supported"));
        }
        let client = call.get("client_id");
        let client = client.ok_or_else(|| Refusal::new(101, "Missing client_id parameter."))?;
        let app = self.apps.get(client).ok_or_else(Refusal::unknown_app)?;
        let secret = call.get("client_secret");
        if secret.ok_or_else(|| Refusal::new(1, "Missing client_secret parameter."))? != app.secret
        {
            return Err(Refusal::new(1, "Error validating client secret."));
        }
        let string = call.need("fb_exchange_token")?;
        let token = self.tokens.get(string).ok_or_else(Refusal::unknown_token)?;
        if token.app != app.id {
            let message = format!(
                "Error validating access token: The access token does not belong to application {}.",
                app.id
            );
            return Err(Refusal::new(190, message));
        }
        self.alive(token)?;
        let for_60_days = call.get("set_token_expires_in_60_days");
        match (token.family, for_60_days) {
            (Family::User, None) => Ok(string),
            (Family::SystemUser, Some("true")) if token.expires_at != 0 => Ok(string),
            (Family::SystemUser, Some("true")) => {
                Err(Refusal::parameter("The token of this system user never expires"))
            }
            (Family::SystemUser, _) => {
                Err(Refusal::parameter("set_token_expires_in_60_days must be true"))
            }
            (Family::User, Some(_)) => {
                Err(Refusal::parameter("set_token_expires_in_60_days is for system users"))
            }
            (Family::Page, _) => Err(Refusal::parameter("A Page's token cannot be exchanged")),
        }
    }

    fn extend(&mut self, string: &str, expires_at: i64) {
        if let Some(token) = self.tokens.get_mut(string) {
            token.expires_at = expires_at;
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

/// What follows a string.
enum Successor {
    SameString { expires_at: i64 },
    New(Minted),
}

/// A short-lived string is always followed by a new one of sixty days; of a long-lived one that
/// depends on how Meta feels about the person.
fn successor(old: &Minted, now: i64) -> Successor {
    let expires_at = if old.expires_at == 0 { 0 } else { now + 60 * DAY };
    let next = Minted { issued_at: now, expires_at, ..old.clone() };
    match &old.renewal {
        Renewal::LosesScope(lost) => {
            let scopes = old.scopes.iter().filter(|scope| *scope != lost).cloned().collect();
            Successor::New(Minted { scopes, ..next })
        }
        Renewal::BecomesSomeoneElse(user) => Successor::New(Minted { user: user.clone(), ..next }),
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
