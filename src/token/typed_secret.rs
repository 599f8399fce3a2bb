//! Finds a secret in what a person typed, also where it was torn or encoded on the way.
//!
//! A paste brings blanks, line ends, quotes and marks that are not seen, and an address or a manifest
//! brings an encoding. What is left of a secret then has not its shape, and opens as much.

use std::borrow::Cow;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};

use super::login::decoded;
use super::redact::{SECRET_PARAMETERS, looks_like_a_value};
use super::secret_kind::{
    SecretKind, is_metas_token, is_mixed, is_name, is_opaque_token, secret_in,
};
use super::{is_blank, token_prefixes};

/// The kind of secret that an argument is or holds, if it is plainly one: as it stands, decoded, or
/// put together again.
pub fn secret_typed(text: &str) -> Option<SecretKind> {
    let plain = folded(text);
    secret_in(text)
        .or_else(|| secret_in(&plain))
        .or_else(|| secret_in_marks(&plain))
        .or_else(|| secret_in_parts(&plain))
        .or_else(|| secret_in_code(&plain))
        .or_else(|| named_secret(&plain))
        .or_else(|| is_login_address(&plain).then_some(SecretKind::Code))
}

/// The text without percent-encodings, and with wide characters as plain ones.
fn folded(text: &str) -> String {
    /// An address in an address is encoded twice.
    const TIMES: usize = 3;
    let mut plain = Cow::Borrowed(text);
    for _ in 0..TIMES {
        if !plain.contains('%') {
            break;
        }
        plain = Cow::Owned(decoded(&plain).into_owned());
    }
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{a6}' => '|',
        _ => c,
    };
    without_colours(&plain).chars().map(narrow).collect()
}

/// The text without the sequences by which a terminal shows colours.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    let behind = |part: &str| {
        let end = part.find(|c: char| c.is_ascii_alphabetic());
        end.map_or_else(String::new, |end| part[end + 1..].to_owned())
    };
    parts.fold(first, |whole, part| whole + &behind(part))
}

/// A secret with marks around it, such as those of a sentence, or in capitals.
fn secret_in_marks(text: &str) -> Option<SecretKind> {
    let is_mark = |c: char| !c.is_alphanumeric() && c != '/';
    let words = text.split(|c: char| c.is_whitespace() || c.is_control() || c == '=');
    words.map(|word| word.trim_matches(is_mark)).find_map(|word| {
        let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex { secret_in(&word.to_ascii_lowercase()) } else { secret_in(word) }
    })
}

/// What a paste puts between the parts of a secret, and no label and no path has there.
fn is_tear(c: char) -> bool {
    c != ' ' && is_blank(c) || c.is_control()
}

/// What may stand between words, and between the parts of a secret.
fn is_gap(c: char) -> bool {
    is_tear(c) || matches!(c, ' ' | '"' | '\'' | '`' | '\\' | '*' | '+' | ',') || is_sign(c)
}

/// A sign of a script, such as a long dash.
fn is_sign(c: char) -> bool {
    !c.is_ascii() && !c.is_alphanumeric()
}

/// A secret whose parts were torn from each other. Where only a blank or a sign stands between them, one
/// of the parts has to look like a secret's, or every title that begins like one would be taken for it.
fn secret_in_parts(text: &str) -> Option<SecretKind> {
    if text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_opaque_token) {
        return Some(SecretKind::AccessToken);
    }
    if !text.contains(is_gap) {
        return None;
    }
    let is_torn = text.contains(is_tear);
    // A line that was broken at a hyphen has it from the break.
    let joined: String = text.replace("-\n", "").replace("-\r\n", "").split(is_gap).collect();
    let has_part = text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_part);
    let is_app_token = secret_in(&joined) == Some(SecretKind::AccessToken) && joined.contains('|');
    let begins = |run: &str| token_prefixes().any(|it| run.starts_with(it)) && is_metas_token(run);
    let is_token = joined.split(|c: char| !c.is_ascii_alphanumeric()).any(begins);
    if is_app_token || (is_token && (is_torn || has_part)) {
        return Some(SecretKind::AccessToken);
    }
    let is_hex = joined.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && matches!(joined.len(), 32 | 64)).then_some(SecretKind::AppSecret)
}

/// Whether a word looks like a part of a secret: long, and of digits and letters of both kinds.
fn is_part(word: &str) -> bool {
    word.len() >= 16 && is_mixed(word)
}

/// A secret in base64 or in hex digits.
fn secret_in_code(text: &str) -> Option<SecretKind> {
    let in_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_');
    let mut words = text.split(|c: char| !in_code(c)).filter(|word| word.len() >= 16);
    words.find_map(|word| {
        let bytes = word.as_bytes();
        let decoders = [BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE];
        decoders.iter().find_map(|decoder| {
            let decoded = decoder.decode(bytes).ok()?;
            let decoded = String::from_utf8(decoded).ok().filter(|it| it.is_ascii())?;
            secret_in(&decoded)
        })
    })
}

/// A value behind the name of a secret parameter, in capitals or not, and whatever parts them.
fn named_secret(text: &str) -> Option<SecretKind> {
    let lower = text.to_ascii_lowercase();
    let parts = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ':' | '>' | '\\');
    let is_value = |rest: &str| {
        let value = rest.trim_start_matches(parts);
        let between = &rest[..rest.len() - value.len()];
        let end = value.find(|c: char| parts(c) || matches!(c, '&' | ',' | ';' | '}'));
        let value = &value[..end.unwrap_or(value.len())];
        between.contains(['=', ':'])
            && !value.starts_with(['$', '{', '<', '[', '/'])
            && looks_like_a_value(value)
            && !is_name(value)
    };
    let mut names = SECRET_PARAMETERS.iter().filter(|name| **name != "code");
    // Most texts assign nothing, and need not be searched for each of the names.
    let is_named =
        text.contains(['=', ':']) && names.any(|name| lower.split(*name).skip(1).any(is_value));
    let has_scheme = ["bearer ", "oauth "].iter().any(|scheme| {
        lower.split(scheme).skip(1).any(|it| looks_like_a_value(it) && !it.starts_with(['$', '{']))
            && lower.contains("authorization")
    });
    (is_named || has_scheme).then_some(SecretKind::AccessToken)
}

/// The address at which a login ended, with a code in it.
fn is_login_address(text: &str) -> bool {
    let query = text.split_once("://").and_then(|(_, rest)| rest.split_once(['?', '#']));
    query.is_some_and(|(_, query)| {
        let has = |name: &str| query.split('&').any(|it| it.starts_with(name));
        has("code=") && has("state=")
    })
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, BASE64URL, HEXLOWER};

    use super::*;

    const TOKEN: &str = "EAABfakeZBfake0ZCfake1fakefakefakefakeZD";

    #[test]
    fn what_was_torn_or_encoded_is_found() {
        let torn = |gap: &str, at: usize| format!("{}{gap}{}", &TOKEN[..at], &TOKEN[at..]);
        for gap in [
            " ", "  ", "\t", "\u{a0}", "\u{200b}", "\u{200c}", "\u{feff}", "\u{ad}", "\u{2060}",
            "\n", "\r\n", "\n  ", "\\", "\\\n", "-\n", "'", "\"", "\u{3000}", "\u{1}", "\u{1b}",
            "+", "%20", "%0A", ",", "*", "\u{2014}",
        ] {
            for at in [1, 2, 3, 4, 6, 12, 20] {
                let typed = torn(gap, at);
                assert_eq!(secret_typed(&typed), Some(SecretKind::AccessToken), "{typed:?}");
            }
        }
        let percent: Vec<String> = TOKEN.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let percent = percent.concat();
        let hex = HEXLOWER.encode(TOKEN.as_bytes());
        let wide = TOKEN.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap());
        for typed in [
            percent.replace('%', "%25"),
            percent,
            format!("%45{}", &TOKEN[1..]),
            format!("app.env#{}", BASE64.encode(TOKEN.as_bytes())),
            BASE64URL.encode(format!("{{\"access_token\":\"{TOKEN}\"}}").as_bytes()),
            hex.to_uppercase(),
            hex,
            wide.collect(),
            "EA AFAKEfake0FAKEfake1FAKE".to_owned(),
            "EAABfa\nkeZBfa\nke0ZCf\nake1fa".to_owned(),
            "IG AAfakefakefake0Fakefake".to_owned(),
            "ACCESS_TOKEN=opaque-value-of-1".to_owned(),
            "Access_Token: opaque-value-of-1".to_owned(),
            "{\"access_token\": \"opaque-value-of-1\"}".to_owned(),
            "'access_token' => 'opaque-value-of-1'".to_owned(),
            "Authorization: Bearer opaquevalue12345678".to_owned(),
            "1000000000000001 | fakefakefakefake".to_owned(),
            "1000000000000001\u{ff5c}fakefakefakefake".to_owned(),
            "1000000000000001%257Cfakefakefakefake".to_owned(),
            "<1000000000000001|fakefakefakefake>".to_owned(),
            "# mine\n1000000000000001|fakefakefakefake\n".to_owned(),
            format!("\u{1b}[32m{TOKEN}\u{1b}[0m"),
            "\u{1b}[1;32m1000000000000001|fakefakefakefake\u{1b}[0m".to_owned(),
        ] {
            assert_eq!(secret_typed(&typed), Some(SecretKind::AccessToken), "{typed:?}");
        }
        for (typed, kind) in [
            ("https://localhost/?code=opaque1&state=x.y", SecretKind::Code),
            ("0123456789abcdef 0123456789abcdef", SecretKind::AppSecret),
            ("0123456789ABCDEF\n0123456789ABCDEF", SecretKind::AppSecret),
            ("0123456789ABCDEF0123456789ABCDEF", SecretKind::AppSecret),
            ("0123456789abcdef0123456789abcdef.", SecretKind::AppSecret),
            ("<0123456789abcdef0123456789abcdef>;", SecretKind::AppSecret),
            ("--token-file= 0123456789abcdef0123456789abcdef ", SecretKind::AppSecret),
        ] {
            assert_eq!(secret_typed(typed), Some(kind), "{typed:?}");
        }
    }

    #[test]
    fn what_people_really_type_is_none() {
        for typed in [
            "brand",
            "brand/534295833110036",
            "EAA-team",
            "EAA Team 2026",
            "IGOR Nowak, 2nd office",
            "THE Great Brand of 2026 and its 12 Pages",
            "/home/anna/EAA Team/Report2026FinalVersion.toml",
            "/home/anna/My THINGS for 2026/metatoken.toml",
            "the-label-of-a-very-long-customer-name-with-2-digits",
            "/home/anna/.config/metatoken/Some_Very_Long_Folder_Name_With_2_Digits_And_CAPITALS/m.toml",
            "/nix/store/6y8mhw2yqv0b1ql8c3x9s7dyv5n4hwrl-metatoken-0.1.0/etc/metatoken.toml",
            "access_token=facebook_access_token_of_the_brand",
            "ACCESS_TOKEN",
            "app.env#ACCESS_TOKEN",
            "config.ini#facebook.access_token",
            "config.yaml#meta.client_secret.path",
            "https://localhost:8443/callback",
            "https://hooks.example.org/path?state=open",
            "code=1",
            "2026-01-01T00:00:00+00:00",
            "1000000000000001",
            "100%",
            "Zoë's Bäckerei – Köln",
            "0123456789abcdef",
            "./0123456789abcdef0123456789abcdef",
            "/builds/0123456789abcdef0123456789abcdef/",
            "sha256-0123456789abcdef0123456789abcdef.json",
            "550e8400-e29b-41d4-a716-446655440000",
            "",
        ] {
            assert_eq!(secret_typed(typed), None, "{typed:?}");
        }
    }
}
