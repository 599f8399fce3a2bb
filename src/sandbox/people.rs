//! Who is in the simulated world: apps, people and Pages.
//!
//! These are Graph's records and the way to describe them at once; a test fills in the fields it
//! cares about through the builders and leaves the rest as Meta has it by default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An app, as its dashboard describes it.
#[derive(Clone, Serialize, Deserialize)]
pub struct AppSpec {
    /// The app's id.
    pub id: String,
    /// The app's secret; plainly fake.
    pub secret: String,
    /// The app's name.
    pub name: String,
    /// Whether Meta has switched the app off.
    pub disabled: bool,
    /// Whether «Require App Secret» is on.
    pub requires_proof: bool,
    /// Whether every call is over the limit.
    pub throttled: bool,
    /// How busy the app is in percent; the usage header appears only when it is known.
    pub usage: Option<u8>,
}

impl AppSpec {
    /// An app in good standing.
    pub fn new(id: &str, secret: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            name: name.to_owned(),
            disabled: false,
            requires_proof: false,
            throttled: false,
            usage: None,
        }
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
pub struct UserSpec {
    /// The person's id, as this app sees it.
    pub id: String,
    /// The person's name.
    pub name: String,
    /// The Pages on which the person has a role, by id.
    pub pages: BTreeMap<String, Listing>,
}

impl UserSpec {
    /// A person without Pages.
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), pages: BTreeMap::new() }
    }

    /// The person with a role on a Page.
    pub fn with_page(mut self, page: &str, listing: Listing) -> Self {
        self.pages.insert(page.to_owned(), listing);
        self
    }
}

/// A Page.
#[derive(Clone, Serialize, Deserialize)]
pub struct PageSpec {
    /// The Page's id.
    pub id: String,
    /// The Page's name.
    pub name: String,
    /// What the Page is about.
    pub category: String,
}

impl PageSpec {
    /// A Page of a local business.
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), category: "Local business".to_owned() }
    }
}
