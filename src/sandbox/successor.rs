//! What follows a string that is exchanged or renewed, and how the grant tells of it.
//!
//! The hosts differ in what they ask before; what they do then is alike.

use serde_json::{Map, Value, json};

use super::invalidation::Invalidation;
use super::issued::{DAY, IssuedToken, Renewal};
use super::quirks::OldString;
use super::refusal::Refusal;
use super::simulation::Simulation;

impl Simulation {
    /// Lets a string be followed, by another or by itself, and grants what follows.
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

    /// Moves the end of a string. Where a string must be a day old to be renewed, that day begins
    /// again: the strict reading, for a client that asks twice in a row.
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

/// What follows a string.
enum Successor {
    SameString { expires_at: i64 },
    New(IssuedToken),
}

/// A short-lived string is always followed by a new one of sixty days; of a long-lived one that
/// depends on how Meta feels about the person.
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
