//! Takes secrets out of text that others wrote.
//!
//! Meta quotes what it was sent, and a mangled answer may put anything anywhere. So the secrets of
//! the question go, whole or in part, then whatever has the shape of a token, is named as a secret by
//! the words before it, or is the query of a URL. Shapes are hints and err on the side of hiding.

use std::fmt::Write as _;

use super::{Secret, token_prefixes};

/// What stands where a secret was.
pub const HIDDEN: &str = "[redacted]";

/// Parameters whose value is a secret.
pub const SECRET_PARAMETERS: [&str; 15] = [
    "access_token",
    "app_secret",
    "code_verifier",
    "id_token",
    "refresh_token",
    "session_key",
    "signed_request",
    "auth_token",
    "input_token",
    "fb_exchange_token",
    "client_secret",
    "client_token",
    "revoke_token",
    "appsecret_proof",
    "code",
];

/// How Meta's login codes begin.
pub const CODE_PREFIXES: [&str; 2] = ["AQB", "AQD"];

/// What is hidden behind these words whatever it looks like, unless the sentence goes on: Meta says
/// "Session key ... is malformed" with the value in the middle.
const NAMES_OF_ANY_VALUE: [[&str; 2]; 1] = [["session", "key"]];

/// What is hidden behind these words if it looks like a value.
const NAMES_OF_VALUES: [[&str; 2]; 8] = [
    ["access", "token"],
    ["app", "secret"],
    ["client", "secret"],
    ["signed", "request"],
    ["verification", "code"],
    ["authorization", "code"],
    ["auth", "token"],
    ["refresh", "token"],
];

/// How a sentence goes on behind the name of a thing.
const GOES_ON: [&str; 22] = [
    "and",
    "are",
    "but",
    "can",
    "cannot",
    "could",
    "does",
    "for",
    "from",
    "has",
    "in",
    "invalid",
    "is",
    "malformed",
    "may",
    "must",
    "not",
    "of",
    "or",
    "that",
    "to",
    "was",
];

/// One line of at most 300 characters that gives nothing away.
pub fn sentence(text: &str, secrets: &[Secret]) -> String {
    /// What fits into a status line and a mail's subject.
    const LIMIT: usize = 300;
    let clean = without_secrets(&on_one_line(text), secrets);
    if clean.chars().count() <= LIMIT {
        return clean;
    }
    clean.chars().take(LIMIT - 1).chain(['…']).collect()
}

/// Meta's handle for its support, if it is plainly one.
pub fn trace(id: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+/=-".contains(c);
    let good = !id.is_empty() && id.len() <= 64 && id.chars().all(plain);
    (good && sentence(id, &[]) == id).then(|| id.to_owned())
}

/// Control characters go first, or they would hide a secret from what follows.
fn on_one_line(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_unseen(*c))
        .collect();
    visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Characters that are invisible: some make a terminal show a line in another order than it was
/// written, and all would part a secret in the middle.
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

fn without_secrets(text: &str, secrets: &[Secret]) -> String {
    /// A shorter secret is not a secret, and would tear words apart.
    const SHORTEST: usize = 6;
    let mut text = text.to_owned();
    for secret in secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= SHORTEST) {
        text = text.replace(secret, HIDDEN);
        for spelled in [secret.replace('|', "%7C"), encoded(secret), encoded(secret).to_lowercase()]
        {
            text = text.replace(&spelled, HIDDEN);
        }
        // The app token `ID|SECRET` is two: the secret is one on its own.
        if let Some(half) = secret.split('|').next_back().filter(|half| half.len() >= SHORTEST) {
            text = text.replace(half, HIDDEN);
        }
    }
    let text = without_shapes(&without_named(&without_queries(&text)));
    without_parts(&text, secrets)
}

/// A value as it stands in an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Meta quotes the beginning of a token, or one that was cut.
fn without_parts(text: &str, secrets: &[Secret]) -> String {
    /// A shorter part may be a word.
    const SHORTEST: usize = 8;
    let mut clean = text.to_owned();
    for run in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        // The number of an app or a person is none.
        let is_number = run.bytes().all(|byte| byte.is_ascii_digit());
        if run.len() < SHORTEST || is_number {
            continue;
        }
        if secrets.iter().any(|secret| secret.expose().contains(run)) {
            clean = clean.replace(run, HIDDEN);
        }
    }
    clean
}

/// Takes out what the two words before it name as a secret.
fn without_named(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_lowercase();
    let named = |place: usize, names: &[[&str; 2]]| {
        place >= 2
            && names.iter().any(|[first, second]| {
                bare(words[place - 2]) == *first && bare(words[place - 1]) == *second
            })
    };
    let hidden = words.iter().enumerate().map(|(place, word)| {
        let value = word.trim_matches(|c: char| "\"'`()<>,;:.".contains(c));
        let goes_on = value.is_empty() || GOES_ON.contains(&value.to_lowercase().as_str());
        let is_secret = named(place, &NAMES_OF_ANY_VALUE)
            || named(place, &NAMES_OF_VALUES) && looks_like_a_value(value);
        if is_secret && !goes_on { word.replace(value, HIDDEN) } else { (*word).to_owned() }
    });
    hidden.collect::<Vec<_>>().join(" ")
}

/// Whether a word may be a value: it is long, or has a digit.
pub fn looks_like_a_value(word: &str) -> bool {
    let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
    (has_digit && word.len() >= 6) || word.len() >= 16
}

fn without_queries(text: &str) -> String {
    let words = text.split(' ').map(|word| match (word.find("://"), word.find('?')) {
        (Some(scheme), Some(query)) if scheme < query => format!("{}?{HIDDEN}", &word[..query]),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn without_shapes(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut expects_secret = false;
    while let Some(first) = rest.chars().next() {
        let run = leading(rest, if expects_secret { ends_no_value } else { is_token_char });
        if run.is_empty() {
            clean.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let after = &rest[run.len()..];
        let hide = (expects_secret && !run.starts_with('[')) || looks_secret(run);
        clean.push_str(if hide { HIDDEN } else { run });
        let separator = if hide { 0 } else { separator_after(run, after) };
        expects_secret = separator > 0;
        clean.push_str(&after[..separator]);
        rest = &after[separator..];
    }
    clean
}

fn leading(text: &str, wanted: fn(char) -> bool) -> &str {
    &text[..text.find(|c| !wanted(c)).unwrap_or(text.len())]
}

const fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '|' | '%')
}

const fn ends_no_value(c: char) -> bool {
    !matches!(c, ' ' | '&' | '"' | '\'' | ',' | ';' | ')' | '}' | '<' | '>')
}

/// How long the `=`, `": "` or the like is that parts a secret parameter's name from its value.
fn separator_after(name: &str, after: &str) -> usize {
    if !SECRET_PARAMETERS.contains(&name) {
        return 0;
    }
    let separator = leading(after, |c| matches!(c, '=' | ':' | ' ' | '"' | '\''));
    // `(code: 190)` is a number of Meta's, not an authorization code.
    let parts = separator.contains('=') || (separator.contains(':') && name != "code");
    if parts { separator.len() } else { 0 }
}

fn looks_secret(run: &str) -> bool {
    has_token_prefix(run)
        || is_app_token(run)
        || is_long_and_random(run)
        || value_of_parameter(run).is_some()
}

/// The value behind the name of a secret parameter and an encoded `=`, which may be encoded twice.
pub fn value_of_parameter(run: &str) -> Option<&str> {
    // Nearly every text has no `%`, and needs not be searched for each of the names.
    if !run.contains('%') {
        return None;
    }
    SECRET_PARAMETERS.iter().find_map(|name| {
        let rest = &run[run.find(name)? + name.len()..];
        ["%3D", "%3d", "%253D", "%253d"].iter().find_map(|equals| rest.strip_prefix(equals))
    })
}

fn has_token_prefix(run: &str) -> bool {
    let begins = |part: &str| {
        part.len() >= 8 && token_prefixes().chain(CODE_PREFIXES).any(|it| part.starts_with(it))
    };
    // Behind `%3D` a token begins after the digits of the encoding.
    let encoded = run.split('%').skip(1).filter_map(|part| part.get(2..));
    run.split(|c: char| !c.is_ascii_alphanumeric()).chain(encoded).any(begins)
}

fn is_app_token(run: &str) -> bool {
    let halves = run.split_once('|').or_else(|| run.split_once("%7C"));
    halves.or_else(|| run.split_once("%7c")).is_some_and(|(id, secret)| {
        secret.len() >= 6 && (id == "TH" || id.chars().all(|c| c.is_ascii_digit()))
    })
}

/// Secrets and proofs are 32 and 64 hex digits; names of permissions are long but lower case.
fn is_long_and_random(run: &str) -> bool {
    let word = run.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '-');
    let hex = run.chars().all(|c| c.is_ascii_hexdigit());
    run.len() >= 32 && (hex || !word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_meta_names_as_a_secret_goes() {
        for (text, clean) in [
            ("Session key invalid.", None),
            ("Session key is malformed", None),
            ("Session key abc is malformed", Some("Session key [redacted] is malformed")),
            (
                "Session key \"2.AQBx_9\" is malformed",
                Some("Session key \"[redacted]\" is malformed"),
            ),
            ("session key: d1-5 has expired", Some("session key: [redacted] has expired")),
            ("Malformed access token Zm9v1YmFy", Some("Malformed access token [redacted]")),
            ("Error validating access token: Session has expired", None),
            ("An active access token must be used to query", None),
            ("The access token could not be decrypted", None),
            ("wrong app secret 'hush1hush'", Some("wrong app secret '[redacted]'")),
            ("This authorization code has been used.", None),
            ("authorization code abc123def456 used", Some("authorization code [redacted] used")),
            ("signed_request=x.y bad", Some("signed_request=[redacted] bad")),
            ("u=access_token%3Dopaque%26b", Some("u=[redacted]")),
            ("u=access_token%253Dopaque", Some("u=[redacted]")),
            ("EAA\u{200b}fake\u{ad}1234", Some("[redacted]")),
        ] {
            assert_eq!(sentence(text, &[]), clean.unwrap_or(text), "{text}");
        }
    }

    #[test]
    fn part_of_a_secret_of_the_question_goes_too() {
        let secrets =
            [Secret::new("opaquefirsthalf.and/second"), Secret::new("1000000000000001|hushhush")];
        for (text, clean) in [
            ("cannot read opaquefirst", "cannot read [redacted]"),
            ("at opaquefirsthalf.and%2Fsecond.", "at [redacted]."),
            ("at opaquefirsthalf.and%2fsecond.", "at [redacted]."),
            ("and second", "and second"),
            ("app 1000000000000001", "app 1000000000000001"),
        ] {
            assert_eq!(sentence(text, &secrets), clean, "{text}");
        }
    }

    #[test]
    fn secrets_go_and_sentences_stay() {
        let hex = "0123456789abcdef".repeat(2);
        for (text, clean) in [
            ("Error validating access token: Session has expired", None),
            ("(#200) instagram_business_content_publish is missing (code: 190)", None),
            ("see https://developers.facebook.com/docs/graph-api", None),
            ("bad token EAAfake1234, sorry", Some("bad token [redacted], sorry")),
            ("THAAfake12 or IGQVfake12", Some("[redacted] or [redacted]")),
            ("'123456|fakesecret'", Some("'[redacted]'")),
            ("TH|12345|fakesecret", Some("[redacted]")),
            ("12345%7Cfakesecret", Some("[redacted]")),
            ("access_token%3DEAAfake1234%26a", Some("[redacted]")),
            ("100%25EAA", None),
            ("access_token=odd.value~1&limit=4", Some("access_token=[redacted]&limit=4")),
            ("{\"client_secret\": \"abc\"}", Some("{\"client_secret\": \"[redacted]\"}")),
            ("code=AQ.x#_ used", Some("code=[redacted] used")),
            ("at https://h/p?a=1&b=2 now", Some("at https://h/p?[redacted] now")),
            (&format!("proof {hex}{hex}."), Some("proof [redacted].")),
            (&format!("secret {hex}"), Some("secret [redacted]")),
            ("one\u{1b}[31m\ntwo\u{202e}", Some("one[31m two")),
            ("EAAfa\u{0}ke1234", Some("[redacted]")),
        ] {
            assert_eq!(sentence(text, &[]), clean.unwrap_or(text), "{text}");
        }
    }

    #[test]
    fn the_secrets_of_the_question_go_whatever_their_shape() {
        let secrets = [Secret::new("12|opaque-one"), Secret::new("odd/two")];
        assert_eq!(
            sentence("12|opaque-one, 12%7Copaque-one, opaque-one and odd/two", &secrets),
            "[redacted], [redacted], [redacted] and [redacted]"
        );
    }

    #[test]
    fn a_sentence_has_an_end() {
        let long = sentence(&"a b ".repeat(1000), &[]);
        assert_eq!(long.chars().count(), 300);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn a_trace_is_plain() {
        assert_eq!(trace("A/b+C_d-1=").as_deref(), Some("A/b+C_d-1="));
        for bad in ["", "a b", "EAAfake1234", &"a1B2".repeat(10), &"a".repeat(65), "a\u{1b}"] {
            assert_eq!(trace(bad), None, "{bad:?}");
        }
    }
}
