//! Holds secrets and access tokens, which are never printed.
//!
//! A secret is a type: only `expose` gives its value, `Debug` hides it and there is no `Display`. People are shown a [`Fingerprint`] instead.

use std::fmt;

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::Expiry;

/// A secret: wiped from memory when dropped and never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl std::hash::Hash for Secret {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl Secret {
    /// Takes the value over; the caller keeps no copy.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The value itself, for the one place that sends, seals or delivers it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The same without what is blank around it, as it comes from a dashboard by copy and paste.
    pub fn trimmed(&self) -> Self {
        Self::new(self.expose().trim_matches(is_blank))
    }
}

/// Whether nothing is seen of a character: white space, or one of those that pages, mails and chats
/// put around what is copied from them.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// Whether a character takes no place on a screen: marks of width zero and of direction, soft
/// hyphens, marks of an encoding, and zero bytes.
pub const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\0' | '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// One Meta access token, as Meta or a person gave it.
///
/// Meta calls the access token opaque: length and prefix prove nothing, so only what could not
/// travel in a header or a form is refused.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(Secret);

/// Why a text cannot be an access token. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing but white space.
    Empty,
    /// White space inside: two tokens, a broken line, or a whole file was pasted.
    WhiteSpace,
    /// A character that no token has, such as a control character or a letter outside ASCII.
    ForeignCharacter,
    /// Longer than any token Meta ever gave.
    TooLong,
}

impl Malformed {
    /// Longer than this was never seen: Meta's tokens have 100 to 500 characters.
    const LIMIT: usize = 4096;
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::WhiteSpace => f.write_str("it has a space, a tab or a line break inside"),
            Self::ForeignCharacter => f.write_str("it has a character that no access token has"),
            Self::TooLong => write!(f, "it is longer than {} characters", Self::LIMIT),
        }
    }
}

impl std::error::Error for Malformed {}

impl AccessToken {
    /// Reads a token; white space around it, such as a final newline, is dropped.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Malformed::Empty);
        }
        if text.contains(char::is_whitespace) {
            return Err(Malformed::WhiteSpace);
        }
        if !text.chars().all(|c| c.is_ascii_graphic()) || text.contains(['"', '\'', '<', '>']) {
            return Err(Malformed::ForeignCharacter);
        }
        if text.len() > Malformed::LIMIT {
            return Err(Malformed::TooLong);
        }
        Ok(Self(Secret::new(text)))
    }

    /// Whether it begins as Meta's access tokens do. It is a hint, for text that was not called a
    /// token.
    pub fn begins_like_metas(&self) -> bool {
        let text = self.expose();
        let is_of_app = text
            .split_once('|')
            .is_some_and(|(id, _)| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
        is_of_app || ["EAA", "IG", "TH"].iter().any(|start| text.starts_with(start))
    }

    /// The value itself, for the one place that sends, seals or delivers it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(redacted)")
    }
}

/// What stands for a token before people: 12 hex digits of a hash keyed by the store.
///
/// The whole hash is kept so that two access tokens are never taken for one; only its head is
/// shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Wraps a keyed hash of a token.
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The whole hash, for the store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HEXLOWER.encode_display(&self.0[..6]).fmt(f)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A fresh access token from Meta. It exists nowhere else until it is sealed.
#[derive(Debug, Clone)]
pub struct Grant {
    pub token: AccessToken,
    /// When it ends, from `expires_in` and the instant of the answer; often not said.
    pub expiry: Expiry,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        let token = AccessToken::parse("EAAfake").expect("it is well formed");
        assert_eq!(format!("{token:?}"), "AccessToken(redacted)");
        assert_eq!(format!("{:?}", Secret::new("hush")), "Secret(redacted)");
    }

    #[test]
    fn what_cannot_be_a_token_says_why() {
        for (text, why) in [
            ("", Malformed::Empty),
            (" \n", Malformed::Empty),
            ("EAA one", Malformed::WhiteSpace),
            ("EAA\nEAB", Malformed::WhiteSpace),
            ("\"EAA\"", Malformed::ForeignCharacter),
            ("EAA\u{7}", Malformed::ForeignCharacter),
            ("EAÄ", Malformed::ForeignCharacter),
        ] {
            assert_eq!(AccessToken::parse(text), Err(why), "{text:?}");
        }
        assert_eq!(AccessToken::parse(&"E".repeat(4097)), Err(Malformed::TooLong));
        assert_eq!(AccessToken::parse(" 12|ab\r\n").expect("trimmed").expose(), "12|ab");
    }

    #[test]
    fn a_fingerprint_is_twelve_hex_digits() {
        let mut hash = [0; 32];
        hash[0] = 0xab;
        assert_eq!(Fingerprint::new(hash).to_string(), "ab0000000000");
    }
}
