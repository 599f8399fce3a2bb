//! Looks at a value that is to be an access token, before Meta is asked about it.
//!
//! What Meta answers about a value that is cut, quoted, or of another kind says nothing of that. The
//! value itself does: where it begins, and what stands around it.

use super::unfit::begins;
use super::{
    AccessToken, Malformed, Provider, TokenType, Unfit, is_blank, is_invisible, is_placeholder,
    is_reference,
};

/// Reads the access token of a token of this type, or of any; what is blank around it is dropped.
///
/// Meta calls access tokens opaque, so only what certainly is something else is refused.
pub fn read_pasted(text: &str, wanted: Option<TokenType>) -> Result<AccessToken, Unfit> {
    let text = text.trim_matches(is_blank);
    if text.is_empty() {
        return Err(Unfit::Empty);
    }
    if let Some(unfit) = around(text).or_else(|| instead(text)).or_else(|| kind(text, wanted)) {
        return Err(unfit);
    }
    let token = AccessToken::parse(text).map_err(|malformed| match malformed {
        Malformed::Empty => Unfit::Empty,
        Malformed::WhiteSpace => inside(text),
        Malformed::ForeignCharacter => strange(text),
        Malformed::TooLong => Unfit::TooLong,
    })?;
    if is_twice(text) {
        return Err(Unfit::Twice);
    }
    text.chars().find(|c| FOREIGN.contains(*c)).map_or(Ok(token), |c| Err(Unfit::Foreign(c)))
}

/// Characters that a form can carry, and that Meta puts into no access token.
const FOREIGN: &str = ",;()[]{}*$&?#\\^!@`";

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '“' | '”' | '„' | '‘' | '’' | '‚' | '«' | '»' | '″' | '′')
}

/// What stands around an access token, and belongs to the place from which it was copied.
fn around(text: &str) -> Option<Unfit> {
    let first = text.lines().next().unwrap_or_default();
    if let Some(program) = command(first) {
        return Some(Unfit::Command(program));
    }
    if let Some(scheme) = scheme(text.trim_start_matches(is_quote)) {
        return Some(Unfit::Scheme(scheme));
    }
    let is_one_value = has_name(first) || !first.contains(char::is_whitespace);
    if text.starts_with(is_quote) || (text.ends_with(is_quote) && is_one_value) {
        return Some(Unfit::Quoted);
    }
    if let Some(unfit) = address(first) {
        return Some(unfit);
    }
    if text.starts_with(['{', '[']) && text.contains([':', '"']) && !is_reference(text) {
        return Some(if text.contains("access_token") { Unfit::Json } else { Unfit::OtherJson });
    }
    if has_name(first) {
        let value = first.split_once(['=', ':']).map_or("", |(_, value)| value.trim());
        let is_one = text.lines().count() == 1;
        return Some(kind(value, None).filter(|_| is_one).unwrap_or(Unfit::Named));
    }
    if text.ends_with('…') || text.ends_with("...") {
        return Some(if is_placeholder(text) { Unfit::Placeholder } else { Unfit::Cut });
    }
    None
}

/// The program that a line calls.
fn command(line: &str) -> Option<&'static str> {
    let line = line.trim_start_matches(['$', '>', '%', '#']).trim_start();
    let (word, rest) = line.split_once(char::is_whitespace)?;
    let programs = ["curl", "wget", "http", "https", "metatoken"];
    programs.into_iter().find(|program| *program == word && !rest.trim().is_empty())
}

/// The word of a header that stands in front.
fn scheme(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let stands = |name: &str| {
        let behind = lower.strip_prefix(&name.to_ascii_lowercase());
        behind.is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || c == ':'))
    };
    if stands("Authorization") || lower.contains("authorization: bearer ") {
        return Some("Bearer");
    }
    ["Bearer", "OAuth"].into_iter().find(|name| stands(name))
}

/// What an address is good for; nothing of what is none. Its beginning may be left out.
fn address(line: &str) -> Option<Unfit> {
    let parameters = line.split(['?', '&', '#']);
    let parts: Vec<&str> = parameters.filter_map(|it| Some(it.split_once('=')?.0)).collect();
    let has = |name: &str| parts.contains(&name);
    let is_part = line.contains(['?', '&', '#']) && !line.contains(char::is_whitespace);
    let lower = line.to_ascii_lowercase();
    let is_whole = lower.starts_with("http://") || lower.starts_with("https://");
    if (is_part || is_whole) && has("access_token") {
        return Some(Unfit::TokenAddress);
    }
    if ((is_part || is_whole) && has("code")) || line.starts_with("code=AQ") {
        return Some(Unfit::CodeAddress);
    }
    is_whole.then_some(Unfit::Address)
}

/// Whether a line is `NAME=…`, `export NAME=…` or `NAME: …`.
fn has_name(line: &str) -> bool {
    let line = line.trim_start_matches("export ").trim_start();
    let Some((name, rest)) = line.split_once(['=', ':']) else { return false };
    let name = name.trim_end();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    is_name && service(name).is_none() && !rest.trim().is_empty() && !rest.starts_with("//")
}

/// What was taken for an access token, as a whole.
fn instead(text: &str) -> Option<Unfit> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    if is_reference(text) {
        Some(Unfit::Reference)
    } else if ["/", "./", "../", "~/"].iter().any(|start| text.starts_with(start)) {
        Some(Unfit::Path)
    } else if is_placeholder(text) && !holds_one(text) {
        Some(Unfit::Placeholder)
    } else if text.contains(is_mask) || (text.contains("...") && service(text).is_some()) {
        Some(Unfit::Masked)
    } else if text.len() > 5 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Some(Unfit::Id)
    } else if text.starts_with("eyJ") && text.matches('.').count() == 2 {
        Some(Unfit::IdentityToken)
    } else {
        None
    }
}

/// A character that a screen shows in the place of a secret's.
fn is_mask(c: char) -> bool {
    matches!(c, '•' | '●' | '…' | '*')
}

/// What white space inside says.
fn inside(text: &str) -> Unfit {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    if words.clone().all(|word| word == first) {
        return Unfit::Twice;
    }
    if lines > 1 {
        return Unfit::Lines(lines);
    }
    if words.any(holds_one) {
        Unfit::Among
    } else if service(first).is_some() {
        Unfit::Blank
    } else {
        Unfit::Prose
    }
}

/// Whether an access token stands somewhere in a word.
fn holds_one(word: &str) -> bool {
    const SHORTEST: usize = 7;
    word.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|run| run.len() >= SHORTEST && service(run).is_some())
}

/// The first character that no access token has.
fn strange(text: &str) -> Unfit {
    if let Some(c) = text.chars().find(|c| is_invisible(*c)) {
        return Unfit::Invisible(c);
    }
    let is_foreign = |c: &char| !c.is_ascii_graphic() || matches!(c, '"' | '\'' | '<' | '>');
    text.chars().find(is_foreign).map_or(Unfit::TooLong, Unfit::Foreign)
}

/// Whether the same was pasted twice, one behind the other.
fn is_twice(text: &str) -> bool {
    let half = text.len() / 2;
    text.len().is_multiple_of(2)
        && service(text).is_some()
        && text.is_char_boundary(half)
        && text[..half] == text[half..]
}

/// What else it is than an access token for a token of this type.
fn kind(text: &str, wanted: Option<TokenType>) -> Option<Unfit> {
    if text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit()) {
        return Some(Unfit::AppSecret);
    }
    // The codes of all three begin so, and no access token does.
    if text.len() >= 20 && text.starts_with("AQ") {
        return Some(Unfit::Code);
    }
    let is_of_an_app = is_of_an_app(text);
    if let Some(wanted) = wanted {
        if is_of_an_app && wanted != TokenType::App {
            return Some(Unfit::AppToken { wanted });
        }
        if let Some(found) = service(text).filter(|_| !is_of_an_app)
            && (found != wanted.provider() || wanted == TokenType::App)
        {
            return Some(Unfit::Platform { found, wanted });
        }
    }
    let is_encoded = text.contains('%') && !text.contains(char::is_whitespace);
    is_encoded.then_some(Unfit::Encoded)
}

/// Whether it is an app's token: digits, a bar, and more.
fn is_of_an_app(text: &str) -> bool {
    let text = text.replace("%7C", "|").replace("%7c", "|");
    let (id, rest) = text.split_once('|').unwrap_or_default();
    let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let is_family = id.len() == 2 && id.bytes().all(|byte| byte.is_ascii_uppercase());
    is_id(id) || (is_family && rest.split_once('|').is_some_and(|(id, _)| is_id(id)))
}

/// Why a text without blanks around it cannot be an app's id. Never holds the text.
pub fn unfit_id(text: &str) -> Option<&'static str> {
    let is_id = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (!is_id).then_some("holds something other than the app's id, which has digits only")
}

/// Why a text without blanks around it cannot be an app's secret. Never holds the text.
pub fn unfit_secret(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("holds nothing")
    } else if text.contains(char::is_whitespace) {
        Some("holds more than the app's secret: it has a blank or a line break inside")
    } else if text.contains(|c: char| is_invisible(c) || c.is_control()) {
        Some("holds the app's secret with an invisible character inside")
    } else if text.contains(is_quote) {
        Some("holds the app's secret in quotes")
    } else if text.contains('=') {
        Some("holds `NAME=` in front of the app's secret")
    } else if ["EAA", "IGAA", "IGQ", "THAA"].iter().any(|prefix| text.starts_with(prefix)) {
        Some("holds an access token, not the app's secret")
    } else if is_of_an_app(text) {
        Some("holds an app's token (`ID|…`), not the app's secret")
    } else if is_placeholder(text) || is_reference(text) {
        Some("holds a placeholder or a reference, not the app's secret")
    } else if text.contains(is_mask) {
        Some("holds the app's secret with a part of it hidden (`***` or `…`)")
    } else if !text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        Some("holds more than the app's secret, which has letters and digits only")
    } else {
        None
    }
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

    use TokenType::{App, Instagram, Page, SystemUser, Threads, User};

    /// What is pasted, where a token of which type is wanted, and what it is found to be.
    const VALUES: &[(&str, TokenType, Result<(), Unfit>)] = &[
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
        ("access_token=EAAfake&expires_in=3600", User, Err(Unfit::TokenAddress)),
        ("#access_token=EAAfake&expires_in=1", User, Err(Unfit::TokenAddress)),
        ("graph.facebook.com/me?access_token=EAAfake", User, Err(Unfit::TokenAddress)),
        ("localhost/?code=AQfake", User, Err(Unfit::CodeAddress)),
        ("code=AQfake", User, Err(Unfit::CodeAddress)),
        ("SECRET=0123456789abcdef0123456789abcdef", User, Err(Unfit::AppSecret)),
        ("\"EAAfake\"", User, Err(Unfit::Quoted)),
        ("'EAAfake'", User, Err(Unfit::Quoted)),
        ("“EAAfake”", User, Err(Unfit::Quoted)),
        ("Bearer EAAfake", User, Err(Unfit::Scheme("Bearer"))),
        ("bearer\u{a0}EAAfake", User, Err(Unfit::Scheme("Bearer"))),
        ("Bearer: EAAfake", User, Err(Unfit::Scheme("Bearer"))),
        ("OAuth EAAfake", User, Err(Unfit::Scheme("OAuth"))),
        ("Authorization: Bearer EAAfake", User, Err(Unfit::Scheme("Bearer"))),
        ("'Authorization: Bearer EAAfake'", User, Err(Unfit::Scheme("Bearer"))),
        ("-H 'Authorization: Bearer EAAfake'", User, Err(Unfit::Scheme("Bearer"))),
        ("curl -d access_token=EAAfake", User, Err(Unfit::Command("curl"))),
        ("$ curl 'https://x/?access_token=EAAfake'", User, Err(Unfit::Command("curl"))),
        ("metatoken add anna", User, Err(Unfit::Command("metatoken"))),
        ("curling", User, Ok(())),
        ("EAAfake1EAAfake1", User, Err(Unfit::Twice)),
        ("EAAfake1 EAAfake1", User, Err(Unfit::Twice)),
        ("EAAfake1\nEAAfake1", User, Err(Unfit::Twice)),
        ("aa", User, Ok(())),
        ("\u{200b}EAAfake\u{2060}", User, Ok(())),
        ("\u{202a}EAAfake\u{202c}\0", User, Ok(())),
        ("EAAfa\u{ad}ke", User, Err(Unfit::Invisible('\u{ad}'))),
        ("EAAfa\u{200b}ke", User, Err(Unfit::Invisible('\u{200b}'))),
        ("set FB=EAAfake", User, Err(Unfit::Among)),
        ("User token EAAfake", User, Err(Unfit::Among)),
        ("$token = 'EAAfake';", User, Err(Unfit::Among)),
        ("setx FB \"EAAfake\"", User, Err(Unfit::Among)),
        ("paste it here", User, Err(Unfit::Prose)),
        ("<!DOCTYPE html>\n<html>", User, Err(Unfit::Lines(2))),
        ("${FB_TOKEN}", User, Err(Unfit::Reference)),
        ("$FB_TOKEN", User, Err(Unfit::Reference)),
        ("{{ token }}", User, Err(Unfit::Prose)),
        ("{{token}}", User, Err(Unfit::Reference)),
        ("op://vault/item", User, Err(Unfit::Reference)),
        ("/run/secrets/fb", User, Err(Unfit::Path)),
        ("~/token", User, Err(Unfit::Path)),
        ("YOUR_ACCESS_TOKEN", User, Err(Unfit::Placeholder)),
        ("<token>", User, Err(Unfit::Placeholder)),
        ("<EAAfake1>", User, Err(Unfit::Foreign('<'))),
        ("...", User, Err(Unfit::Placeholder)),
        ("EAAfa…ke", User, Err(Unfit::Masked)),
        ("EAAfa...ke", User, Err(Unfit::Masked)),
        ("EAAfa****", User, Err(Unfit::Masked)),
        ("••••••", User, Err(Unfit::Masked)),
        ("1000000000000001", User, Err(Unfit::Id)),
        ("eyJfake.eyJfake.fake", User, Err(Unfit::IdentityToken)),
        ("EAAfake,", User, Err(Unfit::Foreign(','))),
        ("(EAAfake)", User, Err(Unfit::Foreign('('))),
        ("[EAAfake]", User, Err(Unfit::Foreign('['))),
        ("EAAfake\\n", User, Err(Unfit::Foreign('\\'))),
        ("EAAfake%0A", User, Err(Unfit::Encoded)),
        ("123%7Cfake", User, Err(Unfit::AppToken { wanted: User })),
        ("IG|123|fake", Instagram, Err(Unfit::AppToken { wanted: Instagram })),
        ("https://localhost/?code=AQfake#_=_", User, Err(Unfit::CodeAddress)),
        ("https://localhost/?state=x&code=AQfake", User, Err(Unfit::CodeAddress)),
        ("https://localhost/#access_token=EAAfake&expires_in=1", User, Err(Unfit::TokenAddress)),
        ("HTTPS://graph.facebook.com/me?access_token=EAAfake", User, Err(Unfit::TokenAddress)),
        ("https://www.facebook.com/", User, Err(Unfit::Address)),
        ("AQBfakefakefakefakefake#_=_", User, Err(Unfit::Code)),
        ("AQDfakefakefakefakefake", Instagram, Err(Unfit::Code)),
        ("{\"access_token\": \"EAAfake\"}", User, Err(Unfit::Json)),
        ("{\n  \"name\": \"Anna\"\n}", User, Err(Unfit::OtherJson)),
        ("EAAfake\nEAAother", User, Err(Unfit::Lines(2))),
        ("EAAfa ke", User, Err(Unfit::Blank)),
        ("EAAfäke", User, Err(Unfit::Foreign('ä'))),
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
        ("0123456789ABCDEF0123456789ABCDEF", User, Err(Unfit::AppSecret)),
    ];

    #[test]
    fn a_value_is_known_by_how_it_looks() {
        for (text, wanted, found) in VALUES {
            assert_eq!(read_pasted(text, Some(*wanted)).map(drop), *found, "{text:?} {wanted}");
        }
        assert_eq!(read_pasted(&"E".repeat(4097), None), Err(Unfit::TooLong));
    }
}
