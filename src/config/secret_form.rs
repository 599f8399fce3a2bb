//! Tells by its form alone whether a text may be a secret.

use crate::token::token_prefixes;

/// So many letters and digits in a row are a token or a key, not a word or an id.
pub const RUN: usize = 20;

/// Whether a text holds what may be a token, or an address that is a secret.
pub fn looks_secret(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.len() >= RUN)
        || text.match_indices("://").any(|(at, mark)| is_more_than_a_host(&text[at + mark.len()..]))
}

/// Whether what follows a scheme is more than a host: who knows a path may write there.
fn is_more_than_a_host(rest: &str) -> bool {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let login = authority.split_once('@').map(|(login, _)| login);
    login.is_some_and(|login| login.contains(':')) || path.len() > 1
}

/// Whether an argument, which every user of the machine can read, holds what looks like one of
/// Meta's tokens, alone or in a longer word.
pub fn holds_token(word: &str) -> bool {
    let runs = || word.split(|c: char| !c.is_ascii_alphanumeric());
    runs().any(begins_like_a_token) || word.match_indices('|').any(|(at, _)| parts_an_app(word, at))
}

/// What is shorter is a word that happens to begin so.
const SHORTEST: usize = 7;

fn begins_like_a_token(run: &str) -> bool {
    run.len() >= SHORTEST && token_prefixes().any(|prefix| run.starts_with(prefix))
}

/// An app's token is `APPID|...`.
fn parts_an_app(word: &str, bar: usize) -> bool {
    const DIGITS: usize = 5;
    let id = word[..bar].bytes().rev().take_while(u8::is_ascii_digit).count();
    let rest = word[bar + 1..].bytes();
    let rest = rest.take_while(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)).count();
    id >= DIGITS && rest >= DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_that_holds_a_token_is_told_from_one_that_does_not() {
        for token in [
            "EAAFAKE",
            "--token=EAAFAKEfake1",
            "Bearer IGAAFAKEfake",
            "https://x.example/?access_token=THAAFAKEfake",
            "1000000000000001|fakefakefake",
            "access_token=123456|fake_-fake",
        ] {
            assert!(holds_token(token), "{token}");
        }
        for other in [
            "",
            "reload",
            "EAA",
            "THAAD",
            "/srv/EAA-exports/list",
            "eaafakefake",
            "a|b",
            "12|fakefake",
            "2000000000000001",
            "9f86d081884c7d659a2feaa0c55ad015",
        ] {
            assert!(!holds_token(other), "{other}");
        }
    }
}
