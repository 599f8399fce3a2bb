//! Tells what kind of secret a text is that a person typed.

use std::fmt;

use super::redact::{CODE_PREFIXES, SECRET_PARAMETERS, looks_like_a_value, value_of_parameter};
use super::token_prefixes;

/// What kind of secret a text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// An access token of any host's, a person's or an app's.
    AccessToken,
    AppSecret,
    /// What a login gives in exchange for an access token.
    Code,
    /// A proof of an app's secret, or another key of 64 hex digits.
    Proof,
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessToken => "an access token",
            Self::AppSecret => "an app secret",
            Self::Code => "a login code",
            Self::Proof => "a secret key",
        })
    }
}

/// The kind of secret that what a person typed is or holds, if it is plainly one.
///
/// Narrower than what is hidden in Meta's words: a label or a path must not be taken for a secret.
pub fn secret_in(text: &str) -> Option<SecretKind> {
    let runs = || text.split(|c: char| !c.is_ascii_alphanumeric());
    let whole = text.rsplit(['=', ' ']).next().unwrap_or_default();
    let whole = whole.trim_matches(|c: char| "\"'`".contains(c));
    let is_hex = whole.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if runs().any(is_metas_token)
        || app_token_in(text)
        || is_opaque_token(whole)
        || parameter_in(text)
    {
        Some(SecretKind::AccessToken)
    } else if runs()
        .any(|run| run.len() >= 20 && CODE_PREFIXES.iter().any(|it| run.starts_with(it)))
    {
        Some(SecretKind::Code)
    } else if is_hex && whole.len() == 32 {
        Some(SecretKind::AppSecret)
    } else if is_hex && whole.len() == 64 {
        Some(SecretKind::Proof)
    } else {
        None
    }
}

/// A token of a person's or a Page's. A word may begin alike, but has no capitals or digits inside.
pub fn is_metas_token(run: &str) -> bool {
    let begins = |prefix: &str| {
        let rest = run.strip_prefix(prefix).unwrap_or_default();
        run.len() >= 12 && rest.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    };
    let known = token_prefixes().any(begins);
    known || ((run.starts_with("IG") || run.starts_with("TH")) && run.len() >= 20 && is_mixed(run))
}

/// An access token whose beginning is not known: long, and of digits and letters of both kinds.
pub fn is_opaque_token(word: &str) -> bool {
    word.len() >= 50 && word.bytes().all(|b| b.is_ascii_alphanumeric()) && is_mixed(word)
}

/// Whether a word has digits, and letters of both kinds.
pub fn is_mixed(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
    has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

fn app_token_in(text: &str) -> bool {
    if !text.contains(['|', '%']) {
        return false;
    }
    let is_one = |word: &str| {
        let halves = ["|", "%7C", "%7c"].iter().find_map(|bar| word.split_once(bar));
        halves.is_some_and(|(id, secret)| {
            let id_is_one = id.len() >= 5 && id.bytes().all(|byte| byte.is_ascii_digit());
            (id_is_one || id == "TH") && secret.len() >= 6
        })
    };
    text.split(['=', ' ', '"', '\'', '/', ',']).any(is_one)
}

/// A secret parameter with something that may be its value.
fn parameter_in(text: &str) -> bool {
    let plain = text.contains('=')
        && SECRET_PARAMETERS.iter().filter(|name| **name != "code").any(|name| {
            let rest = text.find(name).map(|at| &text[at + name.len()..]);
            let value = rest.and_then(|rest| rest.strip_prefix('='));
            // What a shell or a template fills in is none yet.
            let value = value.filter(|value| !value.starts_with(['$', '{', '<']));
            value.is_some_and(|value| looks_like_a_value(value) && !is_name(value))
        });
    plain || value_of_parameter(text).is_some()
}

/// The name of a variable or a key, such as `facebook_access_token`.
pub fn is_name(value: &str) -> bool {
    value.contains('_') && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
