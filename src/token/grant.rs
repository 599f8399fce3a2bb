//! What Meta hands over when a token is exchanged.

use super::{AccessToken, Expiry};

/// A fresh string from Meta. It exists nowhere else until it is sealed.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The string.
    pub token: AccessToken,
    /// When it ends, from `expires_in` and the instant of the answer; often not said.
    pub expiry: Expiry,
}
