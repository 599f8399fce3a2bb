//! `me` at Instagram and Threads: whose string it is.
//!
//! It tells neither dates nor permissions. At Instagram `id` is the app's own name for the account
//! and `user_id` the account's; a client that takes one for the other is found out.

use serde_json::{Value, json};

use super::accounts::{fields, no_current_user, no_token, pick};
use super::call::Call;
use super::host::Host;
use super::refusal::Refusal;
use super::simulation::Simulation;
use super::sixty_days::Terms;

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
