//! What an answer to a webhook or a ping means.

use std::time::Duration;

use crate::http::{Answer, Message};
use crate::token::redact;

use super::Messenger;
use super::address::Address;
use super::patience::{Miss, Next};

/// How much of an answer is read: a longer one is a page for browsers and tells us nothing.
const LONGEST: usize = 2048;

/// Sends a message once and judges the answer; `whose` names what has the address.
pub(super) fn to(
    message: Message,
    address: &Address,
    whose: &str,
    messenger: &Messenger,
) -> Result<(), Miss> {
    let http = messenger.http()?;
    http.prepare(message.place()).map_err(|error| Miss::hopeless(error.to_string()))?;
    let answer = http
        .send(message, messenger.patience.timeout)
        .map_err(|failure| Miss::hopeful(failure.to_string()))?;
    let status = answer.status();
    if (200..300).contains(&status) {
        // It has arrived, whatever else is said of it.
        return Ok(());
    }
    let next = next(status, answer.header("retry-after"));
    let said = quotable(answer, address).map_or_else(String::new, |said| format!(": {said}"));
    let host = address.host();
    let why = match status {
        404 | 410 => format!("the {whose} is gone: HTTP {status} of `{host}`{said}"),
        300..400 => format!("HTTP {status} of `{host}`: a redirect, which is not followed"),
        _ => format!("HTTP {status} of `{host}`{said}"),
    };
    Err(Miss { why, next })
}

fn next(status: u16, retry_after: Option<&str>) -> Next {
    match (status, retry_after.and_then(|wait| wait.trim().parse().ok())) {
        (429 | 500..600, Some(seconds)) => Next::HopefulAfter(Duration::from_secs(seconds)),
        (429 | 500..600, None) => Next::Hopeful,
        _ => Next::Hopeless,
    }
}

/// The first words of an answer, such as `invalid_payload`, if they are meant for us and give
/// nothing away.
fn quotable(answer: Answer, address: &Address) -> Option<String> {
    let body = answer.beginning(LONGEST);
    let text = std::str::from_utf8(&body).ok()?.trim();
    if body.len() == LONGEST || text.starts_with('<') || address.is_repeated_in(text) {
        return None;
    }
    let words: String = redact::sentence(text, &[]).chars().take(80).collect();
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_or_failing_server_is_asked_again_and_when_it_says() {
        let after = |seconds| Next::HopefulAfter(Duration::from_secs(seconds));
        for (status, retry_after, expected) in [
            (429, None, Next::Hopeful),
            (429, Some("2"), after(2)),
            (429, Some("Fri, 21 Nov 2026 12:00:00 GMT"), Next::Hopeful),
            (500, None, Next::Hopeful),
            (503, Some(" 3 "), after(3)),
            (400, None, Next::Hopeless),
            (400, Some("2"), Next::Hopeless),
            (302, None, Next::Hopeless),
            (404, None, Next::Hopeless),
        ] {
            assert_eq!(next(status, retry_after), expected, "{status} {retry_after:?}");
        }
    }
}
