//! Gives out access tokens of System Users by API.
//!
//! An admin of the business asks, with a permission for that and a proof that the app's secret is
//! known. The answer has no `expires_in`. Source: Meta, System Users, install apps and generate tokens;
//! business, `system_user_access_tokens`.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::accounts::no_token;
use super::call::Call;
use super::fixtures::Listing;
use super::invalidation::Invalidation;
use super::issued::{IssuedToken, TokenFixture};
use super::quirks::NeverExpiring;
use super::refusal::Refusal;
use super::revocations::no_admin;
use super::simulation::Simulation;
use crate::token::Expiry;

const PARAMETERS: [&str; 6] = [
    "business_app",
    "scope",
    "appsecret_proof",
    "appsecret_time",
    "access_token",
    "set_token_expires_in_60_days",
];

/// The permission that the admin's access token needs.
const ADMINISTRATION: &str = "business_management";

/// How the names of permissions begin that there are here, and those that stand alone.
const FAMILIES: [&str; 6] =
    ["pages_", "ads_", "whatsapp_business_", "instagram_", "catalog_", "leads_"];
const PERMISSIONS: [&str; 4] = ["public_profile", "email", ADMINISTRATION, "read_insights"];

impl Simulation {
    pub(super) fn mint_for_system_user(&mut self, call: &Call, id: &str) -> Result<Value, Refusal> {
        call.takes_only(&PARAMETERS)?;
        if !call.query.is_empty() {
            return Err(Refusal::parameter("The parameters do not belong into the address"));
        }
        let app = self.check_admin(call)?.app.clone();
        if call.need("business_app")? != app {
            return Err(Refusal::parameter("business_app is not the application of the caller"));
        }
        if !self.is_system_user(id, &app) {
            return Err(Refusal::no_object(id));
        }
        let scopes = self.scopes_for(id, call.need("scope")?)?;
        let expiry = match call.get("set_token_expires_in_60_days") {
            Some("true") => Expiry::At(self.now() + TimeDelta::days(60)),
            Some(_) => {
                return Err(Refusal::parameter("set_token_expires_in_60_days must be true"));
            }
            None if self.quirks.never_expiring == NeverExpiring::Refused => {
                return Err(Refusal::parameter("set_token_expires_in_60_days must be true"));
            }
            None => Expiry::Never,
        };
        let name = self.users.get(id).map_or_else(String::new, |user| user.name.clone());
        let new = TokenFixture::system_user(&app, id).named(&name).scopes(scopes).ending(expiry);
        Ok(json!({ "access_token": self.mint(new) }))
    }

    /// The admin's access token that a call carries, once everything about it is as it must be.
    fn check_admin<'a>(&'a self, call: &'a Call) -> Result<&'a IssuedToken, Refusal> {
        let string = call.token()?.ok_or_else(no_token)?;
        // What was revoked is called a session key here.
        if self.invalidation(string) == Some(Invalidation::Revoked) {
            return Err(Refusal::session_key());
        }
        let (_, token) = self.holder(call, no_token)?;
        if call.get("appsecret_proof").is_none() {
            return Err(Refusal::proof(
                "API calls from the server require an appsecret_proof argument",
            ));
        }
        let has_permission = token.scopes.iter().any(|scope| scope == ADMINISTRATION);
        let is_admin = self.users.get(&token.user).is_some_and(|user| user.is_admin);
        if has_permission && is_admin { Ok(token) } else { Err(no_admin()) }
    }

    /// The permissions that are asked for: each has to be one, and those for Pages need a Page.
    fn scopes_for(&self, id: &str, scope: &str) -> Result<Vec<String>, Refusal> {
        let scopes: Vec<String> = scope.split(',').map(str::to_owned).collect();
        let is_known = |scope: &String| {
            PERMISSIONS.contains(&scope.as_str())
                || FAMILIES.iter().any(|family| scope.starts_with(family))
        };
        if let Some(unknown) = scopes.iter().find(|scope| !is_known(scope)) {
            return Err(Refusal::new(3962, format!("(#3962) Invalid permission: {unknown}")));
        }
        let has_pages = self
            .users
            .get(id)
            .is_some_and(|user| user.pages.values().any(|listing| *listing == Listing::Listed));
        if scopes.iter().any(|scope| scope.starts_with("pages_")) && !has_pages {
            let message = "(#10) The Page is not assigned to the system user";
            return Err(Refusal { subcode: Some(1_341_012), ..Refusal::new(10, message) });
        }
        Ok(scopes)
    }
}
