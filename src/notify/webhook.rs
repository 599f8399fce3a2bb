//! Posts a message to a webhook, in a body that Slack, Mattermost and Discord show.
//!
//! Slack and Mattermost read `text`, Discord reads `content`, and each ignores what it does not
//! know. The text is what a person reads in a shell: plain, with backticks, which all three show.
//!
//! Part of it was chosen by others, such as the name of a Page and what Meta says. It must not
//! notify a whole channel or show a link as something else. Slack wants `<` and `&` as HTML entities,
//! which the other two would show as they are, so the few characters with a meaning are replaced
//! by others that look like them and have none anywhere. An invisible one between `@` and the word
//! would not do: Discord sees through it.

use serde_json::json;

use super::channel::{Notifier, Webhook};
use super::message::Message;
use super::retry::{AttemptError, SendError};
use super::secret_url::{self, SecretUrl};
use crate::config::WebhookFormat;
use crate::http::HttpRequest;

/// Posts a message, again where that may help.
pub fn post(webhook: &Webhook, message: &Message, notifier: &Notifier) -> Result<(), SendError> {
    let url = SecretUrl::parse(&webhook.url, "webhook")?;
    notifier.retry.run(|| {
        let request = request(&url, webhook.format, message)?;
        secret_url::send(request, &url, "webhook", notifier)
    })
}

fn request(
    url: &SecretUrl,
    format: WebhookFormat,
    message: &Message,
) -> Result<HttpRequest, AttemptError> {
    let request = match format {
        WebhookFormat::Text => Ok(HttpRequest::post(url.url(), body(&message.text))),
        // By the key a program knows a message that it has seen.
        WebhookFormat::Json => HttpRequest::post(url.url(), message.json.clone())
            .with_header("idempotency-key", &message.id),
    };
    request.and_then(|request| request.with_header("content-type", "application/json")).map_err(
        |error| AttemptError::permanent(format!("the id of the notice is not an id: {error}")),
    )
}

/// Discord refuses a longer `content`. Source: Discord, Execute Webhook.
const DISCORD: usize = 2000;
/// Slack asks for no more, and cuts at ten times as much. Source: Slack, truncating really long
/// messages. Older Mattermost servers take no more.
const SLACK: usize = 4000;

/// The body of a POST that shows this text.
fn body(text: &str) -> String {
    let text = harmless(text);
    json!({
        "text": cut(&text, SLACK),
        "content": cut(&text, DISCORD),
        // Discord mentions no person, whatever the text says.
        "allowed_mentions": {"parse": []},
    })
    .to_string()
}

/// The text up to a length, with a mark where it is cut. A character outside the first plane
/// counts twice, as it does for those who count in UTF-16.
fn cut(text: &str, longest: usize) -> String {
    if text.encode_utf16().count() <= longest {
        return text.to_owned();
    }
    let mut room = longest - 1;
    let kept = text.chars().take_while(|c| {
        let fits = c.len_utf16() <= room;
        room -= if fits { c.len_utf16() } else { room };
        fits
    });
    kept.chain(['…']).collect()
}

fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    let mut before = ' ';
    let mut within_brackets = false;
    for (at, c) in text.char_indices() {
        harmless.push(match c {
            // `<!channel>` mentions, and `<URL|words>` shows a link as other words.
            '<' => '‹',
            '>' if within_brackets => '›',
            '@' if !before.is_ascii_alphanumeric() && names_everyone(&text[at + 1..]) => '＠',
            // So does `[words](URL)`.
            '(' if before == ']' => '❨',
            _ => c,
        });
        within_brackets = c == '<' || (within_brackets && c != '>');
        before = c;
    }
    harmless
}

/// Whether a text begins with a word that notifies a whole channel. What follows it does not
/// matter: Discord finds it within longer words.
fn names_everyone(text: &str) -> bool {
    ["everyone", "channel", "here", "all"].iter().any(|word| {
        text.get(..word.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_as_each_of_the_three_reads_it() {
        assert_eq!(
            body("WARNING brand: run `metatoken refresh`\n\"now\" & then"),
            r#"{"text":"WARNING brand: run `metatoken refresh`\n\"now\" & then","#.to_owned()
                + r#""content":"WARNING brand: run `metatoken refresh`\n\"now\" & then","#
                + r#""allowed_mentions":{"parse":[]}}"#
        );
    }

    #[test]
    fn nobody_is_called_and_nothing_else_is_changed() {
        for (text, expected) in [
            ("Page <!channel> Shop", "Page ‹!channel› Shop"),
            ("<!here> <@U0FAKE> <#C0FAKE>", "‹!here› ‹@U0FAKE› ‹#C0FAKE›"),
            ("<https://a.example|b.example>", "‹https://a.example|b.example›"),
            ("[b.example](https://a.example)", "[b.example]❨https://a.example)"),
            ("@everyone @channel @all @here", "＠everyone ＠channel ＠all ＠here"),
            (
                "@Everyone! (@ALL) x.@here _@channel @@all",
                "＠Everyone! (＠ALL) x.＠here _＠channel @＠all",
            ),
            ("é@here", "é＠here"),
            // Nobody's bell: a mail address, a person, half a word.
            (
                "anna@allianz.example, sales@here.example",
                "anna@allianz.example, sales@here.example",
            ),
            ("@anna @al @", "@anna @al @"),
            ("OK -> WARNING, `f(x)` [1] (2)", "OK -> WARNING, `f(x)` [1] (2)"),
            ("a < b > c > d", "a ‹ b › c > d"),
            ("https://h.example/?a=1&b=2", "https://h.example/?a=1&b=2"),
            ("@\u{e9}veryone", "@\u{e9}veryone"),
        ] {
            assert_eq!(harmless(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters_and_says_so() {
        for (text, longest, expected) in [
            ("abcd", 4, "abcd"),
            ("abcde", 4, "abc…"),
            ("äöüßé", 4, "äöü…"),
            ("a😀b", 4, "a😀b"),
            ("ab😀b", 4, "ab…"),
            ("a😀bc", 4, "a😀…"),
            ("😀bcd", 3, "😀…"),
            ("😀bcd", 2, "…"),
        ] {
            assert_eq!(cut(text, longest), expected, "{text} {longest}");
        }
        let long: serde_json::Value = serde_json::from_str(&body(&"ä".repeat(5000))).unwrap();
        for (key, length) in [("text", 4000), ("content", 2000)] {
            assert_eq!(long[key].as_str().unwrap().chars().count(), length, "{key}");
        }
    }
}
