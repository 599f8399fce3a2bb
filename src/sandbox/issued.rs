//! Holds an access token as Graph remembers it.
//!
//! Dates are in Graph's own unit, unix seconds with 0 for «no such date», because that is what it
//! answers. A token belongs to a session: one log-in of one person to one app. Strings that come
//! from it by exchange or by derivation stay in that session, and most deaths end all of it.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::token::{DataAccess, Expiry};

use super::host::Host;
use super::invalidation::Invalidation;

/// Seconds in a day.
pub const DAY: i64 = 86_400;

/// What happens when a long-lived token is renewed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Renewal {
    /// A new access token, sixty days from now.
    #[default]
    Extends,
    /// The same access token, sixty days from now.
    ExtendsInPlace,
    /// The same access token and the same end: renewal is accepted and does nothing.
    KeepsString,
    /// A new access token with the old end.
    KeepsEnd,
    /// A new access token, sixty days from now, without this permission.
    LosesScope(String),
    /// A new access token, sixty days from now, for another person.
    BecomesSomeoneElse(String),
}

/// The type of a token. Graph's own word for each is given by `graph_name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenKind {
    User,
    Page,
    SystemUser,
    Instagram,
    Threads,
}

impl TokenKind {
    /// The word by which `debug_token` calls the type.
    pub const fn graph_name(self) -> &'static str {
        match self {
            // Threads says no other word, and Instagram none at all.
            Self::User | Self::Instagram | Self::Threads => "USER",
            Self::Page => "PAGE",
            Self::SystemUser => "SYSTEM_USER",
        }
    }

    /// The host that gives out and reads its access tokens.
    pub const fn host(self) -> Host {
        match self {
            Self::User | Self::Page | Self::SystemUser => Host::Facebook,
            Self::Instagram => Host::Instagram,
            Self::Threads => Host::Threads,
        }
    }
}

/// One access token that Graph gave out.
#[derive(Clone, Serialize, Deserialize)]
pub struct IssuedToken {
    #[serde(rename = "family")]
    pub kind: TokenKind,
    pub app: String,
    pub user: String,
    pub page: Option<String>,
    pub scopes: Vec<String>,
    pub issued_at: i64,
    pub expires_at: i64,
    pub data_access_expires_at: i64,
    pub session: u32,
    pub stem: String,
    pub renewal: Renewal,
    pub withholds_expires_in: bool,
    #[serde(rename = "death")]
    pub invalidation: Option<Invalidation>,
}

impl IssuedToken {
    /// Meta calls a token long-lived by the life it was given, not by what is left of it.
    pub const fn is_long_lived(&self) -> bool {
        self.expires_at == 0 || self.expires_at - self.issued_at > DAY
    }

    /// Whether Facebook itself gave it out.
    pub fn is_facebooks(&self) -> bool {
        self.kind.host() == Host::Facebook
    }

    /// What invalidated it, if anything has.
    pub const fn invalidation(&self, now: i64) -> Option<Invalidation> {
        match self.invalidation {
            None if self.expires_at != 0 && self.expires_at <= now => Some(Invalidation::Expired),
            recorded => recorded,
        }
    }
}

/// A token to be given out.
#[derive(Debug, Clone)]
pub struct TokenFixture {
    pub(super) kind: TokenKind,
    pub(super) app: String,
    pub(super) user: String,
    pub(super) page: Option<String>,
    pub(super) words: String,
    pub(super) scopes: Vec<String>,
    pub(super) age: TimeDelta,
    pub(super) expiry: Expiry,
    pub(super) data_access: DataAccess,
    pub(super) renewal: Renewal,
    pub(super) withholds_expires_in: bool,
}

impl TokenFixture {
    fn new(kind: TokenKind, words: &str, app: &str, user: &str) -> Self {
        Self {
            kind,
            app: app.to_owned(),
            user: user.to_owned(),
            page: None,
            words: words.to_owned(),
            scopes: vec!["public_profile".to_owned()],
            age: TimeDelta::zero(),
            expiry: Expiry::Never,
            data_access: DataAccess::Unknown,
            renewal: Renewal::Extends,
            withholds_expires_in: false,
        }
    }

    /// A person's token; sixty days, unless [`TokenFixture::ending`] says otherwise.
    pub fn user(app: &str, user: &str) -> Self {
        Self { expiry: Expiry::Unknown, ..Self::new(TokenKind::User, "user", app, user) }
    }

    /// A Page's token, taken by `user`; never expires by default.
    pub fn page(app: &str, user: &str, page: &str) -> Self {
        Self { page: Some(page.to_owned()), ..Self::new(TokenKind::Page, "page", app, user) }
    }

    /// A system user's token; never expires by default, and has no data access date.
    pub fn system_user(app: &str, user: &str) -> Self {
        Self {
            data_access: DataAccess::NotApplicable,
            ..Self::new(TokenKind::SystemUser, "system-user", app, user)
        }
    }

    /// The token of an Instagram account; sixty days, unless [`TokenFixture::ending`] says otherwise.
    pub fn instagram(app: &str, user: &str) -> Self {
        Self { expiry: Expiry::Unknown, ..Self::new(TokenKind::Instagram, "instagram", app, user) }
            .scopes(["instagram_business_basic"])
    }

    /// The token of a Threads profile; sixty days, unless [`TokenFixture::ending`] says otherwise.
    pub fn threads(app: &str, user: &str) -> Self {
        Self { expiry: Expiry::Unknown, ..Self::new(TokenKind::Threads, "threads", app, user) }
            .scopes(["threads_basic"])
    }

    /// Words to know it by in the access token itself; anything but letters is dropped.
    pub fn named(mut self, words: &str) -> Self {
        words.clone_into(&mut self.words);
        self
    }

    /// The permissions it carries.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// How long ago it was issued. A life under a day makes it short-lived.
    pub fn aged(mut self, age: TimeDelta) -> Self {
        self.age = age;
        self
    }

    /// When it ends; unknown means sixty days from its issue.
    pub fn ending(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// Until when the app may read the person's data; unknown means ninety days from its issue.
    pub fn data_access(mut self, data_access: DataAccess) -> Self {
        self.data_access = data_access;
        self
    }

    /// What happens when it is renewed.
    pub fn renewal(mut self, renewal: Renewal) -> Self {
        self.renewal = renewal;
        self
    }

    /// Leaves `expires_in` out when it is renewed.
    pub fn withholding_expires_in(mut self) -> Self {
        self.withholds_expires_in = true;
        self
    }
}

/// The key under which a Page token is given again: the log-in and the Page, and for a short-lived
/// parent the parent itself.
pub fn derivation(parent: &IssuedToken, page: &str, short_lived: &str) -> String {
    format!("{}/{page}/{short_lived}", parent.session)
}

/// Words as they stand inside an access token: letters only, each word with a capital.
pub fn stem(words: &str) -> String {
    words
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .flat_map(|word| {
            let (first, rest) = word.split_at(1);
            [first.to_ascii_uppercase(), rest.to_owned()]
        })
        .collect()
}
