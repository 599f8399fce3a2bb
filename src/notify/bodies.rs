//! Writes a text as the body that a chat shows: Slack and its kin, Microsoft Teams, Google Chat.
//!
//! Slack and Mattermost read `text`, Discord reads `content`, and each ignores what it does not
//! know. The text is what a person reads in a shell: plain, with backticks, which all three show.
//! Teams and Google Chat get cards, in parts that show text as it is.
//!
//! Part of the text was chosen by others, such as the name of a Page and what Meta says. It must not
//! notify a whole channel or show a link as something else. Slack wants `<` and `&` as HTML entities,
//! which the other two would show as they are, so the few characters with a meaning are replaced
//! by others that look like them and have none anywhere. An invisible one between `@` and the word
//! would not do: Discord sees through it.

use serde_json::{Value, json};

/// Discord refuses a longer `content`. Source: Discord, Execute Webhook.
const DISCORD: usize = 2000;
/// Slack asks for no more, and cuts at ten times as much. Source: Slack, truncating really long
/// messages. Older Mattermost servers take no more.
const SLACK: usize = 4000;

/// What Slack, Mattermost and Discord show.
pub fn chat(text: &str) -> String {
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
pub fn cut(text: &str, longest: usize) -> String {
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

/// No text of ours has so many lines.
const MOST_LINES: usize = 40;

/// What Microsoft Teams shows: an Adaptive Card whose first line stands out. A run of text within a rich
/// text block is shown as it is, where a text block would read Markdown and dates in it. Source: Adaptive
/// Cards, `TextRun`. Teams takes 28 KB, which so much text never needs. Source: Teams, Create incoming webhooks.
pub fn teams(text: &str) -> String {
    let text = cut(text.trim_end(), SLACK);
    let line = |(at, line): (usize, &str)| {
        let mut run = json!({"type": "TextRun", "text": line});
        if at == 0 {
            run["weight"] = "Bolder".into();
        }
        json!({"type": "RichTextBlock", "inlines": [run]})
    };
    let lines = text.lines().filter(|line| !line.is_empty()).take(MOST_LINES);
    let lines: Vec<Value> = lines.enumerate().map(line).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "body": lines,
            },
        }],
    })
    .to_string()
}

/// So much of the first line stands above a card.
const LONGEST_LINE: usize = 1000;

/// What Google Chat shows: the first line, which a phone shows as well, and a card with the rest. A
/// paragraph of a card reads HTML, so that entities show each character as it is. Google takes 32,000
/// bytes, which so much text never needs. Source: Google Chat, Send messages.
pub fn google_chat(text: &str) -> String {
    let text = cut(text.trim_end(), SLACK);
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let mut body = json!({"text": cut(&harmless(first), LONGEST_LINE)});
    if !rest.is_empty() {
        let paragraph = json!({"textParagraph": {"text": html(rest)}});
        body["cardsV2"] =
            json!([{"cardId": "metatoken", "card": {"sections": [{"widgets": [paragraph]}]}}]);
    }
    body.to_string()
}

/// Text as HTML shows it.
fn html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\n' => html.push_str("<br>"),
            c => html.push(c),
        }
    }
    html
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
            chat("WARNING brand: run `metatoken refresh`\n\"now\" & then"),
            r#"{"text":"WARNING brand: run `metatoken refresh`\n\"now\" & then","#.to_owned()
                + r#""content":"WARNING brand: run `metatoken refresh`\n\"now\" & then","#
                + r#""allowed_mentions":{"parse":[]}}"#
        );
    }

    /// What a card shows of a text that others have chosen, line by line.
    const CHOSEN: &str = "CRITICAL: Page <users/all> **b** [x](https://a.example)\nWhat to do: run `a_b_c` & {{DATE(2026-01-01T00:00:00Z)}}\n";

    #[test]
    fn a_card_of_teams_shows_each_line_as_it_is() {
        let card: Value = serde_json::from_str(&teams(CHOSEN)).unwrap();
        assert_eq!(card["type"], "message");
        let attachment = &card["attachments"][0];
        assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
        let blocks = attachment["content"]["body"].as_array().unwrap();
        let lines: Vec<&str> = CHOSEN.lines().collect();
        assert_eq!(blocks.len(), lines.len());
        for (block, line) in blocks.iter().zip(lines) {
            assert_eq!(block["type"], "RichTextBlock");
            assert_eq!(block["inlines"][0]["type"], "TextRun");
            assert_eq!(block["inlines"][0]["text"], line);
        }
        assert_eq!(blocks[0]["inlines"][0]["weight"], "Bolder");
        for one in ["\u{1}", "€", "\u{1}\n"] {
            assert!(teams(&one.repeat(9000)).len() < 28 * 1024, "{one:?}");
        }
    }

    #[test]
    fn a_card_of_google_chat_shows_each_character_as_it_is() {
        let body: Value = serde_json::from_str(&google_chat(CHOSEN)).unwrap();
        assert_eq!(body["text"], "CRITICAL: Page ‹users/all› **b** [x]❨https://a.example)");
        let widget = &body["cardsV2"][0]["card"]["sections"][0]["widgets"][0];
        assert_eq!(
            widget["textParagraph"]["text"],
            "What to do: run `a_b_c` &amp; {{DATE(2026-01-01T00:00:00Z)}}"
        );
        assert_eq!(google_chat("one\n"), r#"{"text":"one"}"#);
        assert_eq!(html("a\n<b \"c\">"), "a<br>&lt;b &quot;c&quot;&gt;");
        for one in ["&", "\"", "€", "\u{1}"] {
            let longest = google_chat(&format!("{}\n{}", "€".repeat(1500), one.repeat(9000)));
            assert!(longest.len() < 32_000, "{one}: {}", longest.len());
        }
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
            // No mention that rings: a mail address, a person, half a word.
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
        let long: serde_json::Value = serde_json::from_str(&chat(&"ä".repeat(5000))).unwrap();
        for (key, length) in [("text", 4000), ("content", 2000)] {
            assert_eq!(long[key].as_str().unwrap().chars().count(), length, "{key}");
        }
    }
}
