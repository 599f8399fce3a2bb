//! Facebook's `oauth/access_token`: a string that works becomes one that works longer.

use serde_json::Value;

use super::call::Call;
use super::fixtures::AppFixture;
use super::host::Host;
use super::issued::TokenKind;
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

    /// The string to exchange, once everything about the call is as it must be.
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
            (TokenKind::Page, _) => Err(Refusal::parameter("A Page's token cannot be exchanged")),
            // Their strings cannot be read at this host.
            (TokenKind::Instagram | TokenKind::Threads, _) => {
                Err(Refusal::unparsable(Host::Facebook))
            }
        }
    }
}
