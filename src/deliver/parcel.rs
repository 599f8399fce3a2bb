//! What is handed over: a string, and what a program may want to know of it.

use std::collections::BTreeMap;

use chrono::SecondsFormat;

use crate::token::{AccessToken, EventKind, Expiry, Fingerprint, Label, TokenType};

/// A string on its way to a target.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Whose string it is.
    pub label: Label,
    /// The type of the token.
    pub token_type: TokenType,
    /// How it came to be the one in use.
    pub event: EventKind,
    /// When it ends.
    pub expiry: Expiry,
    /// What stands for it.
    pub fingerprint: Fingerprint,
    /// Its number among the token's strings.
    pub generation: u32,
    /// The string.
    pub string: AccessToken,
}

impl Parcel {
    /// What a program finds in its environment. A token without an end has an empty date.
    pub(super) fn variables(&self) -> BTreeMap<String, String> {
        let ends = self.expiry.at().map(|end| end.to_rfc3339_opts(SecondsFormat::Secs, true));
        [
            ("LABEL", self.label.to_string()),
            ("TYPE", self.token_type.to_string()),
            ("EVENT", self.event.to_string()),
            ("EXPIRES_AT", ends.unwrap_or_default()),
            ("FINGERPRINT", self.fingerprint.to_string()),
            ("GENERATION", self.generation.to_string()),
        ]
        .into_iter()
        .map(|(name, value)| (format!("METATOKEN_{name}"), value))
        .collect()
    }
}
