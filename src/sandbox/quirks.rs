//! Decides how Graph behaves where Meta does not say.
//!
//! The documentation is silent here or contradicts what people report, so a client must get along
//! with either answer; a test chooses one. The defaults are the more likely ones.

use serde::{Deserialize, Serialize};

/// What becomes of the old access token when a token is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum OldString {
    /// It works until its own end, as Meta has it.
    #[default]
    Lives,
    /// It dies at once: Meta does not promise that this cannot happen.
    Dies,
}

/// How Instagram and Threads refuse to renew an access token that is not a day old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum YoungRefusal {
    /// Code 452: the session key is called invalid, though the access token lives.
    #[default]
    SessionKey,
    /// Code 100: the request is called unsupported.
    Unsupported,
}

/// How Instagram and Threads say that an access token is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DeadRefusal {
    /// Code 190 and the usual sentence.
    #[default]
    Sentence,
    /// Code 100: there is no such resource, and not a word of why.
    NoResource,
}

/// Whom Threads lets ask about an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ThreadsInspection {
    /// The access token itself, as programs do it, and no other.
    #[default]
    ForTheToken,
    /// The app, by its own access token, and no other.
    ForTheApp,
    /// Only testers of the app, and there are none here.
    ForTestersOnly,
}

/// Whether a Page's access token is exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum PageExchange {
    /// No app is answered.
    #[default]
    Refused,
    /// Some apps are.
    Granted,
}

/// What an accepted revocation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Revocations {
    /// Facebook's take effect at once; Instagram and Threads know of none and refuse.
    #[default]
    Documented,
    /// Every host accepts, and nothing changes.
    InVain,
    /// Every host accepts, and it takes effect at once.
    Everywhere,
}

/// Whether a business may have access tokens of System Users that never expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NeverExpiring {
    /// It may.
    #[default]
    Granted,
    /// It gets those of sixty days, and no other.
    Refused,
}

/// How Instagram answers the exchange of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CodeReply {
    /// `data` is a list of one, as documented.
    #[default]
    Wrapped,
    /// Flat, as programs read it.
    Flat,
}

/// What a test has decided, for each of these questions.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Quirks {
    pub old: OldString,
    pub young: YoungRefusal,
    pub dead: DeadRefusal,
    pub inspection: ThreadsInspection,
    #[serde(default)]
    pub code_reply: CodeReply,
    #[serde(default)]
    pub page_exchange: PageExchange,
    #[serde(default)]
    pub revocations: Revocations,
    #[serde(default)]
    pub never_expiring: NeverExpiring,
    /// How many Pages a list gives at once, where that is less than it promises.
    #[serde(default)]
    pub most_at_once: Option<usize>,
}
