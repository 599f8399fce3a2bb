//! What must not be seen, taken out of other people's words.
//!
//! Meta quotes what it was sent, and a mangled answer may put anything anywhere. So the secrets of
//! the question go, then whatever has the shape of a token, stands behind the name of a secret
//! parameter, or is the query of a URL. Shapes are hints and err on the side of hiding.

use super::Secret;

/// What stands where a secret was.
pub const HIDDEN: &str = "[redacted]";

/// Parameters whose value is a secret.
const SECRET_PARAMETERS: [&str; 8] = [
    "access_token",
    "input_token",
    "fb_exchange_token",
    "client_secret",
    "client_token",
    "revoke_token",
    "appsecret_proof",
    "code",
];

/// How the tokens and codes of Meta's begin.
const PREFIXES: [&str; 6] = ["EAA", "IGQ", "IGAA", "THAA", "AQB", "AQD"];

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
        .filter(|c| !c.is_control() && !turns_the_line(*c))
        .collect();
    visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Characters that make a terminal show a line in another order than it was written.
const fn turns_the_line(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn without_secrets(text: &str, secrets: &[Secret]) -> String {
    /// A shorter secret is no secret, and would tear words apart.
    const SHORTEST: usize = 6;
    let mut text = text.to_owned();
    for secret in secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= SHORTEST) {
        text = text.replace(secret, HIDDEN);
        text = text.replace(&secret.replace('|', "%7C"), HIDDEN);
        // The app token `ID|SECRET` is two: the secret is one on its own.
        if let Some(half) = secret.split('|').next_back().filter(|half| half.len() >= SHORTEST) {
            text = text.replace(half, HIDDEN);
        }
    }
    without_shapes(&without_queries(&text))
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
    has_token_prefix(run) || is_app_token(run) || is_long_and_random(run)
}

fn has_token_prefix(run: &str) -> bool {
    let begins =
        |part: &str| part.len() >= 8 && PREFIXES.iter().any(|prefix| part.starts_with(prefix));
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
