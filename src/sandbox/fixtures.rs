//! Describes the simulated world: apps and how busy they are, people and Pages.
//!
//! These are Graph's records and the way to describe them at once; a test fills in the fields it
//! needs through the builders and leaves the rest as Meta has it by default. Usage is kept in three
//! accounts, each in a unit of its own: whole percent for the app, minutes until a business object
//! may go on, a fraction of a percent and seconds for an ad account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::token::Provider;

use super::host::Host;

/// An app, as its dashboard describes it.
#[derive(Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the dashboard")]
pub struct AppFixture {
    pub id: String,
    /// The app's secret; plainly fake.
    pub secret: String,
    pub name: String,
    pub(super) host: Host,
    /// Whether Meta has switched the app off.
    pub disabled: bool,
    /// Whether «Require App Secret» is on.
    pub requires_proof: bool,
    /// Whether every call is over the limit.
    pub throttled: bool,
    /// How busy the app is in percent; the usage header appears only when it is known.
    pub usage: Option<u8>,
    /// How busy its businesses are, if a header is to say so.
    pub business_usage: Option<BusinessUsage>,
    /// How busy its ad account is, if a header is to say so.
    pub ad_account_usage: Option<AdAccountUsage>,
    /// The version that answers its calls whichever was asked, if it is to be another.
    pub answers_as: Option<String>,
    /// The redirect addresses that its dashboard lists, to the byte.
    #[serde(default = "listed_by_default")]
    pub redirects: Vec<String>,
    /// Whether it is in development: Facebook then takes `http://localhost` unlisted.
    #[serde(default)]
    pub in_development: bool,
    /// Whether the person who logs in has not accepted to be one of its testers.
    #[serde(default)]
    pub tester_refused: bool,
    /// What its logins for businesses ask for, by `config_id`.
    #[serde(default)]
    pub configurations: BTreeMap<String, LoginConfiguration>,
}

fn listed_by_default() -> Vec<String> {
    vec!["https://localhost/".to_owned()]
}

impl AppFixture {
    /// A Facebook app in good standing.
    pub fn new(id: &str, secret: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            name: name.to_owned(),
            host: Host::Facebook,
            disabled: false,
            requires_proof: false,
            throttled: false,
            usage: None,
            business_usage: None,
            ad_account_usage: None,
            answers_as: None,
            redirects: listed_by_default(),
            in_development: false,
            tester_refused: false,
            configurations: BTreeMap::new(),
        }
    }

    /// The app as one of another provider's: only that one's host knows it.
    pub fn of(mut self, provider: Provider) -> Self {
        self.host = provider.into();
        self
    }

    /// The app, switched off by Meta.
    pub fn disabled(mut self) -> Self {
        self.disabled = true;
        self
    }

    /// The app with «Require App Secret» on.
    pub fn requiring_proof(mut self) -> Self {
        self.requires_proof = true;
        self
    }

    /// The app, over its limit of calls.
    pub fn throttled(mut self) -> Self {
        self.throttled = true;
        self.usage = Some(100);
        self
    }

    /// The app, busy to `percent` of its limit.
    pub fn busy(mut self, percent: u8) -> Self {
        self.usage = Some(percent);
        self
    }

    /// The app, whose businesses are busy to `percent` and may go on in so many minutes.
    pub fn busy_businesses(mut self, percent: u32, regain_minutes: u32) -> Self {
        self.business_usage = Some(BusinessUsage { percent, regain_minutes });
        self
    }

    /// The app, whose ad account is busy to `percent` and starts again in so many seconds.
    pub fn busy_ad_account(mut self, percent: f64, reset_seconds: u32) -> Self {
        self.ad_account_usage = Some(AdAccountUsage { percent, reset_seconds });
        self
    }

    /// The app, not live yet.
    pub fn in_development(mut self) -> Self {
        self.in_development = true;
        self
    }

    /// The app with a configuration of its login for businesses.
    pub fn configured(mut self, id: &str, configuration: LoginConfiguration) -> Self {
        self.configurations.insert(id.to_owned(), configuration);
        self
    }

    /// The app, answered by this version of Graph (`v24.0`) whichever it asks for.
    pub fn answered_as(mut self, version: &str) -> Self {
        self.answers_as = Some(version.to_owned());
        self
    }
}

/// What Facebook Login for Business asks for, in place of permissions in the address.
#[derive(Clone, Serialize, Deserialize)]
pub struct LoginConfiguration {
    /// The permissions.
    pub scopes: Vec<String>,
    /// The System User whose access token the login gives; without one it is the person's.
    pub system_user: Option<String>,
}

/// How a Page shows in the list of a person who has a role on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Listing {
    /// With its token.
    Listed,
    /// Without its token: it was not ticked when the person consented.
    WithoutToken,
    /// Not at all: the role is lost, or Meta forgets to list it.
    Unlisted,
}

/// A person, or the system user of a business.
#[derive(Clone, Serialize, Deserialize)]
pub struct UserFixture {
    /// The person's id, as this app sees it.
    pub id: String,
    pub name: String,
    /// The name of the account at Instagram or Threads.
    pub username: String,
    /// The Pages on which the person has a role, by id.
    pub pages: BTreeMap<String, Listing>,
    /// Whether the account is locked until the person passes a check.
    #[serde(default)]
    pub is_checkpointed: bool,
    /// Whether it is an admin of the business, who may give out access tokens of System Users.
    #[serde(default)]
    pub is_admin: bool,
}

impl UserFixture {
    /// A person without Pages, whose username is the name in small letters.
    pub fn new(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            username: name.to_lowercase().replace(' ', "."),
            pages: BTreeMap::new(),
            is_checkpointed: false,
            is_admin: false,
        }
    }

    /// The person with another username.
    pub fn known_as(mut self, username: &str) -> Self {
        username.clone_into(&mut self.username);
        self
    }

    /// The person or System User, as an admin of the business.
    pub fn admin(mut self) -> Self {
        self.is_admin = true;
        self
    }

    /// The person, locked out until a check is passed.
    pub fn checkpointed(mut self) -> Self {
        self.is_checkpointed = true;
        self
    }

    /// The person with a role on a Page.
    pub fn with_page(mut self, page: &str, listing: Listing) -> Self {
        self.pages.insert(page.to_owned(), listing);
        self
    }
}

/// A Page.
#[derive(Clone, Serialize, Deserialize)]
pub struct PageFixture {
    pub id: String,
    pub name: String,
    /// What the Page is about.
    pub category: String,
}

impl PageFixture {
    /// A Page of a local business.
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), category: "Local business".to_owned() }
    }
}

/// A business portfolio.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PortfolioFixture {
    pub id: String,
    /// Its System Users and the people in it, by id.
    pub users: Vec<String>,
    /// The Pages that it owns, by id.
    pub owned: Vec<String>,
    /// The Pages that its clients have shared with it, by id.
    pub clients: Vec<String>,
}

impl PortfolioFixture {
    /// A portfolio with this System User and these Pages.
    pub fn new(id: &str, user: &str, owned: &[&str], clients: &[&str]) -> Self {
        let texts = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
        Self {
            id: id.to_owned(),
            users: vec![user.to_owned()],
            owned: texts(owned),
            clients: texts(clients),
        }
    }
}

/// A WhatsApp number or business account, and whether it can send messages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WhatsappFixture {
    pub id: String,
    /// The person or System User that it is assigned to.
    pub user: String,
    /// `AVAILABLE`, `LIMITED` or `BLOCKED`.
    pub can_send: String,
    /// Why not: Meta's code, what it says, and what it advises.
    pub errors: Vec<(i64, String, String)>,
}

impl WhatsappFixture {
    /// One that can send messages.
    pub fn new(id: &str, user: &str) -> Self {
        let (id, user) = (id.to_owned(), user.to_owned());
        Self { id, user, can_send: "AVAILABLE".to_owned(), errors: Vec::new() }
    }

    /// The same in that state, for this reason.
    #[must_use]
    pub fn that_can(mut self, word: &str, code: i64, says: &str, advises: &str) -> Self {
        word.clone_into(&mut self.can_send);
        self.errors.push((code, says.to_owned(), advises.to_owned()));
        self
    }
}

/// How busy a business object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessUsage {
    /// Percent of its limit.
    pub percent: u32,
    /// Minutes until it may go on; 0 while it may.
    pub regain_minutes: u32,
}

/// How busy an ad account is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdAccountUsage {
    /// Percent of its limit.
    pub percent: f64,
    /// Seconds until it starts again at nothing.
    pub reset_seconds: u32,
}

impl AppFixture {
    /// The headers about the accounts that are known.
    pub(super) fn usage_headers(&self) -> Vec<(&'static str, String)> {
        let app = self.usage.map(|percent| ("x-app-usage", of_the_app(percent)));
        let business =
            self.business_usage.map(|usage| ("x-business-use-case-usage", of_businesses(usage)));
        let ads = self.ad_account_usage.map(|usage| ("x-ad-account-usage", of_ads(usage)));
        [app, business, ads].into_iter().flatten().collect()
    }
}

fn of_the_app(percent: u8) -> String {
    let usage = json!({
        "call_count": percent, "total_cputime": percent / 4, "total_time": percent / 2,
    });
    usage.to_string()
}

/// Two objects, and the first of them is quiet: who reads only one reads the wrong one.
fn of_businesses(usage: BusinessUsage) -> String {
    let BusinessUsage { percent, regain_minutes } = usage;
    let usage = json!({
        "4000000000000001": [{
            "type": "messenger", "call_count": 1, "total_cputime": 1, "total_time": 1,
            "estimated_time_to_regain_access": 0,
        }],
        "4000000000000002": [{
            "type": "pages", "call_count": percent / 2, "total_cputime": percent,
            "total_time": percent / 4, "estimated_time_to_regain_access": regain_minutes,
        }],
    });
    usage.to_string()
}

fn of_ads(usage: AdAccountUsage) -> String {
    let usage = json!({
        "acc_id_util_pct": usage.percent, "reset_time_duration": usage.reset_seconds,
        "ads_api_access_tier": "standard_access",
    });
    usage.to_string()
}
