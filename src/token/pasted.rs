//! Looks at a value that is to be an access token, before Meta is asked about it.
//!
//! What Meta answers about a value that is cut, quoted, or of another kind says nothing of that. The
//! value itself does: where it begins, and what stands around it.

use std::fmt;

use super::{AccessToken, Malformed, Provider, TokenType};

/// Why a value cannot be the access token of a token. Never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Nothing but white space.
    Empty,
    /// `NAME=` stands in front, as in a file of variables.
    Named,
    /// Quotes stand around it.
    Quoted,
    /// `Bearer` stands in front, as in a header.
    Bearer,
    /// It is an address.
    Address,
    /// It is the address at which a login ended, with a code in it.
    CodeAddress,
    /// It is an address with an access token in it.
    TokenAddress,
    /// It is the code of a login.
    Code,
    /// It is JSON, with an access token in it at best.
    Json,
    /// It has so many lines.
    Lines(usize),
    /// A space or a tab stands inside.
    Blank,
    /// A character stands in it that no access token has.
    ForeignCharacter,
    /// It ends in dots, as what a page shows of a longer one.
    Cut,
    /// It is longer than any.
    TooLong,
    /// It belongs to a token of another service.
    Platform { found: Provider, wanted: TokenType },
    /// It is an app's token, `ID|…`.
    AppToken { wanted: TokenType },
    /// It is an app's secret.
    AppSecret,
}

impl Unfit {
    /// What puts right a value that was handed over, for which no config says where it is.
    pub fn fix_of_input(self) -> String {
        match self {
            Self::Named => "remove `NAME=`".to_owned(),
            Self::Json => "take the value of `access_token` alone".to_owned(),
            other => other.fix(),
        }
    }

    /// What puts it right where the config says that it is.
    pub fn fix(self) -> String {
        let fix = match self {
            Self::Empty => "put the access token there",
            Self::Named => "remove `NAME=`, or name the key of the file with `key`",
            Self::Quoted => "remove the quotes around it",
            Self::Bearer => "remove `Bearer` in front of it",
            Self::Address => "paste an access token, which begins with `EAA`, `IG` or `TH`",
            Self::TokenAddress => "copy only what stands between `access_token=` and the next `&`",
            Self::Code | Self::CodeAddress => {
                "a code is exchanged for an access token once and within minutes, by the program \
                 that began the login: paste the access token that it got"
            }
            Self::Json => "take the value of `access_token` alone, or name it with `key`",
            Self::Lines(_) => "leave one access token, on one line",
            Self::Blank => "remove the blanks: copy it again, whole",
            Self::ForeignCharacter | Self::TooLong => "copy the access token again, alone",
            Self::Cut => "copy it again, whole",
            Self::Platform { wanted, .. } | Self::AppToken { wanted } => {
                return format!("use {} token, or correct `type`", article(wanted));
            }
            Self::AppSecret => {
                "use an access token; the app's secret belongs to `secret` of its `[app.NAME]`"
            }
        };
        fix.to_owned()
    }

    /// The command that takes it as what it is, where it can be told.
    pub const fn other_command(self) -> Option<&'static str> {
        match self {
            Self::Platform { found: Provider::Facebook, .. } => {
                Some("metatoken add LABEL --type user")
            }
            Self::Platform { found: Provider::Instagram, .. } => {
                Some("metatoken add LABEL --type instagram")
            }
            Self::Platform { found: Provider::Threads, .. } => {
                Some("metatoken add LABEL --type threads")
            }
            // An app's own is derived from its id and secret, and never pasted.
            Self::AppToken { .. } => Some("metatoken add LABEL --type app"),
            _ => None,
        }
    }
}

fn article(token_type: TokenType) -> String {
    let an = matches!(token_type, TokenType::Instagram | TokenType::App);
    format!("{} {token_type}", if an { "an" } else { "a" })
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Named => f.write_str("it begins with `NAME=`"),
            Self::Quoted => f.write_str("it has quotes around it"),
            Self::Bearer => f.write_str("it begins with `Bearer`"),
            Self::Address => f.write_str("it is an address"),
            Self::CodeAddress => f.write_str("it is the address of a login, with a code in it"),
            Self::TokenAddress => f.write_str("it is an address with an access token in it"),
            Self::Code => f.write_str("it is the code of a login (it begins with `AQ`)"),
            Self::Json => f.write_str("it is JSON"),
            Self::Lines(count) => write!(f, "it has {count} lines"),
            Self::Blank => f.write_str("it has a blank inside"),
            Self::ForeignCharacter => f.write_str("it has a character that no access token has"),
            Self::Cut => f.write_str("it ends in `…`: it was cut off"),
            Self::TooLong => f.write_str("it is longer than any access token"),
            Self::Platform { found, wanted } => {
                let begins = begins(*found);
                write!(
                    f,
                    "it belongs to {} (it begins with `{begins}`), not to {} token",
                    name(*found),
                    article(*wanted)
                )
            }
            Self::AppToken { wanted } => {
                write!(f, "it is an app's token, not {} token", article(*wanted))
            }
            Self::AppSecret => f.write_str("it is an app's secret (32 hex digits)"),
        }
    }
}

impl std::error::Error for Unfit {}

const fn name(provider: Provider) -> &'static str {
    match provider {
        Provider::Facebook => "Facebook",
        Provider::Instagram => "Instagram",
        Provider::Threads => "Threads",
    }
}

/// How the access tokens of a service begin.
const fn begins(provider: Provider) -> &'static str {
    match provider {
        Provider::Facebook => "EAA",
        Provider::Instagram => "IG",
        Provider::Threads => "TH",
    }
}

/// Reads the access token of a token of this type, or of any; white space around it is dropped.
///
/// Meta calls access tokens opaque, so only what certainly is something else is refused.
pub fn read_pasted(text: &str, wanted: Option<TokenType>) -> Result<AccessToken, Unfit> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    match around(text) {
        Some(unfit) => return Err(unfit),
        None if text.is_empty() => return Err(Unfit::Empty),
        None => {}
    }
    let token = AccessToken::parse(text).map_err(|malformed| match malformed {
        Malformed::Empty => Unfit::Empty,
        Malformed::WhiteSpace => inside(text),
        Malformed::ForeignCharacter => Unfit::ForeignCharacter,
        Malformed::TooLong => Unfit::TooLong,
    })?;
    match kind(text, wanted) {
        Some(unfit) => Err(unfit),
        None => Ok(token),
    }
}

/// What stands around an access token, and belongs to the place from which it was copied.
fn around(text: &str) -> Option<Unfit> {
    let first = text.lines().next().unwrap_or_default();
    let lower = first.to_ascii_lowercase();
    let is_quote = |c: char| matches!(c, '"' | '\'' | '`' | '“' | '”' | '‘' | '’' | '«' | '»');
    if text.starts_with(is_quote) || text.ends_with(is_quote) {
        return Some(Unfit::Quoted);
    }
    if lower.starts_with("http://") || lower.starts_with("https://") {
        return Some(address(first));
    }
    if text.starts_with(['{', '[']) {
        return Some(Unfit::Json);
    }
    if lower.starts_with("bearer ") || lower.starts_with("authorization:") {
        return Some(Unfit::Bearer);
    }
    if has_name(first) {
        return Some(Unfit::Named);
    }
    (text.ends_with('…') || text.ends_with("...")).then_some(Unfit::Cut)
}

fn address(text: &str) -> Unfit {
    let has = |name: &str| {
        let parameters = text.split(['?', '&', '#']).skip(1);
        parameters.filter_map(|it| it.split_once('=')).any(|(known, _)| known == name)
    };
    if has("access_token") {
        Unfit::TokenAddress
    } else if has("code") {
        Unfit::CodeAddress
    } else {
        Unfit::Address
    }
}

/// Whether a line is `NAME=…`, `export NAME=…` or `NAME: …`.
fn has_name(line: &str) -> bool {
    let line = line.trim_start_matches("export ").trim_start();
    let Some((name, rest)) = line.split_once(['=', ':']) else { return false };
    let name = name.trim_end();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    is_name && service(name).is_none() && !rest.trim().is_empty()
}

fn inside(text: &str) -> Unfit {
    match text.lines().filter(|line| !line.trim().is_empty()).count() {
        0 | 1 => Unfit::Blank,
        lines => Unfit::Lines(lines),
    }
}

/// What else it is than an access token for a token of this type.
fn kind(text: &str, wanted: Option<TokenType>) -> Option<Unfit> {
    let is_hex = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
    if text.len() == 32 && text.chars().all(is_hex) {
        return Some(Unfit::AppSecret);
    }
    // The codes of all three begin so, and no access token does.
    if text.len() >= 20 && text.starts_with("AQ") {
        return Some(Unfit::Code);
    }
    let wanted = wanted?;
    if is_of_an_app(text) {
        return (wanted != TokenType::App).then_some(Unfit::AppToken { wanted });
    }
    let found = service(text)?;
    let fits = found == wanted.provider() && wanted != TokenType::App;
    (!fits).then_some(Unfit::Platform { found, wanted })
}

/// Whether it is an app's token: digits, a bar, and more.
fn is_of_an_app(text: &str) -> bool {
    let text = text.strip_prefix("TH|").unwrap_or(text);
    text.split_once('|')
        .is_some_and(|(id, _)| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
}

impl AccessToken {
    /// The service that it belongs to, where its beginning says so.
    pub fn service(&self) -> Option<Provider> {
        service(self.expose())
    }
}

/// The service whose access tokens begin so.
fn service(text: &str) -> Option<Provider> {
    Provider::ALL.iter().copied().find(|provider| text.starts_with(begins(*provider)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_by_how_it_looks() {
        use TokenType::{App, Instagram, Page, SystemUser, Threads, User};
        for (text, wanted, found) in [
            ("EAAfake", User, Ok(())),
            (" EAAfake\r\n", Page, Ok(())),
            ("\u{feff}EAAfake", SystemUser, Ok(())),
            ("IGAAfake", Instagram, Ok(())),
            ("IGQVfake", Instagram, Ok(())),
            ("THAAfake", Threads, Ok(())),
            ("123|fake", App, Ok(())),
            // Opaque: nothing is known of it.
            ("fakewithoutaprefix", User, Ok(())),
            ("fake=", User, Ok(())),
            ("EAAfake=", User, Ok(())),
            ("EAAfake==x", User, Ok(())),
            ("", User, Err(Unfit::Empty)),
            (" \n\t", User, Err(Unfit::Empty)),
            ("FB_TOKEN=EAAfake", User, Err(Unfit::Named)),
            ("export FB_TOKEN=EAAfake", User, Err(Unfit::Named)),
            ("FB_TOKEN = EAAfake", User, Err(Unfit::Named)),
            ("access_token: EAAfake", User, Err(Unfit::Named)),
            ("A=EAAfake\nB=EAAfake", User, Err(Unfit::Named)),
            ("access_token=EAAfake&expires_in=3600", User, Err(Unfit::Named)),
            ("\"EAAfake\"", User, Err(Unfit::Quoted)),
            ("'EAAfake'", User, Err(Unfit::Quoted)),
            ("“EAAfake”", User, Err(Unfit::Quoted)),
            ("Bearer EAAfake", User, Err(Unfit::Bearer)),
            ("Authorization: Bearer EAAfake", User, Err(Unfit::Bearer)),
            ("https://localhost/?code=AQfake#_=_", User, Err(Unfit::CodeAddress)),
            ("https://localhost/?state=x&code=AQfake", User, Err(Unfit::CodeAddress)),
            (
                "https://localhost/#access_token=EAAfake&expires_in=1",
                User,
                Err(Unfit::TokenAddress),
            ),
            ("HTTPS://graph.facebook.com/me?access_token=EAAfake", User, Err(Unfit::TokenAddress)),
            ("https://www.facebook.com/", User, Err(Unfit::Address)),
            ("AQBfakefakefakefakefake#_=_", User, Err(Unfit::Code)),
            ("AQDfakefakefakefakefake", Instagram, Err(Unfit::Code)),
            ("{\"access_token\": \"EAAfake\"}", User, Err(Unfit::Json)),
            ("EAAfake\nEAAother", User, Err(Unfit::Lines(2))),
            ("EAAfa ke", User, Err(Unfit::Blank)),
            ("EAAfäke", User, Err(Unfit::ForeignCharacter)),
            ("EAAfake…", User, Err(Unfit::Cut)),
            ("EAAfake...", User, Err(Unfit::Cut)),
            ("IGAAfake", User, Err(Unfit::Platform { found: Provider::Instagram, wanted: User })),
            ("THAAfake", Page, Err(Unfit::Platform { found: Provider::Threads, wanted: Page })),
            (
                "EAAfake",
                Instagram,
                Err(Unfit::Platform { found: Provider::Facebook, wanted: Instagram }),
            ),
            ("EAAfake", App, Err(Unfit::Platform { found: Provider::Facebook, wanted: App })),
            ("123|fake", User, Err(Unfit::AppToken { wanted: User })),
            ("TH|123|fake", Threads, Err(Unfit::AppToken { wanted: Threads })),
            ("0123456789abcdef0123456789abcdef", User, Err(Unfit::AppSecret)),
        ] {
            assert_eq!(read_pasted(text, Some(wanted)).map(drop), found, "{text:?} {wanted}");
        }
        assert_eq!(read_pasted(&"E".repeat(4097), None), Err(Unfit::TooLong));
    }

    #[test]
    fn every_answer_says_what_it_is_and_what_to_do() {
        let wanted = TokenType::User;
        for (unfit, said) in [
            (
                Unfit::Named,
                "it begins with `NAME=`; remove `NAME=`, or name the key of the file with `key`",
            ),
            (
                Unfit::Platform { found: Provider::Instagram, wanted },
                "it belongs to Instagram (it begins with `IG`), not to a user token; use a user token, or correct `type`",
            ),
            (
                Unfit::AppToken { wanted: TokenType::Instagram },
                "it is an app's token, not an instagram token; use an instagram token, or correct `type`",
            ),
            (
                Unfit::AppSecret,
                "it is an app's secret (32 hex digits); use an access token; the app's secret belongs to `secret` of its `[app.NAME]`",
            ),
        ] {
            assert_eq!(format!("{unfit}; {}", unfit.fix()), said);
        }
    }
}
