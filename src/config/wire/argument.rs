//! Tells an argument that holds a token by mistake: everybody on the machine can read it.

/// Whether an argument holds what looks like one of Meta's tokens, alone or in a longer word.
pub(super) fn holds_token(word: &str) -> bool {
    let runs = || word.split(|c: char| !c.is_ascii_alphanumeric());
    runs().any(begins_like_a_token) || word.match_indices('|').any(|(at, _)| parts_an_app(word, at))
}

/// How a user's, a Page's, an Instagram and a Threads token begin.
const BEGINNINGS: [&str; 4] = ["EAA", "IGAA", "IGQ", "THAA"];

/// What is shorter is a word that happens to begin so.
const SHORTEST: usize = 7;

fn begins_like_a_token(run: &str) -> bool {
    run.len() >= SHORTEST && BEGINNINGS.iter().any(|beginning| run.starts_with(beginning))
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
