//! Strings that stand for an app: the id with the secret, and the opaque one that Graph makes.
//!
//! The opaque one follows from id and secret, so it is the same each time it is asked for and dies,
//! like the plain one, when the secret is reset. Nobody has to remember it.

use serde_json::{Value, json};

use crate::crypto;

use super::call::Call;
use super::fixtures::AppFixture;
use super::host::Host;
use super::refusal::Refusal;
use super::simulation::Simulation;

const PARAMETERS: [&str; 3] = ["grant_type", "client_id", "client_secret"];

impl AppFixture {
    /// What stands behind the id in the string that Graph makes for the app.
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
    /// The opaque string of a Facebook app, as `client_credentials` gives it.
    pub fn app_token(&self, app: &str) -> Option<String> {
        let app = self.app_at(Host::Facebook, app)?;
        Some(format!("{}|{}", app.id, app.opaque()))
    }

    /// Gives an app another secret, as its dashboard does. Every string that stands for the app
    /// dies of it and the old secret opens nothing any more; people's tokens live on.
    pub fn reset_secret(&mut self, app: &str, secret: &str) {
        if let Some(app) = self.apps.get_mut(app) {
            secret.clone_into(&mut app.secret);
        }
        self.touch();
    }

    /// The grant `client_credentials`: no string goes in, and what comes out has no end.
    pub(super) fn client_credentials(&self, call: &Call) -> Result<Value, Refusal> {
        call.takes_only(&PARAMETERS)?;
        let app = self.client(call)?;
        let string = format!("{}|{}", app.id, app.opaque());
        Ok(json!({ "access_token": string, "token_type": "bearer" }))
    }
}
