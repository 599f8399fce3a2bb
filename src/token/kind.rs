//! What kinds of token there are.

named! {
    /// The type of a token, as the config names it.
    pub enum TokenType {
        /// A Facebook user token: about sixty days, renewed by exchanging it.
        User = "user",
        /// A Page token: derived from a user token, with no date of its own when that one is long-lived.
        Page = "page",
        /// A System User token: never expires, or sixty days.
        SystemUser = "system-user",
    }
}

impl TokenType {
    /// The word by which Graph's `debug_token` calls this type.
    pub const fn graph_name(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Page => "PAGE",
            Self::SystemUser => "SYSTEM_USER",
        }
    }

    /// Whether `refresh` can make a dated token of this type live longer without a person.
    ///
    /// A Page token is not renewed but derived anew from its parent.
    pub const fn is_exchangeable(self) -> bool {
        matches!(self, Self::User)
    }
}
