//! Reads the JSON text that an operator has posted to a webhook, with placeholders in it.
//!
//! A placeholder stands within a string, and what takes its place is escaped as the content of one. So
//! what is posted is JSON whatever is put in.

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::config::diagnostic::{Diagnostic, Span};
use crate::config::reader::{Ask, Section, Str};
use crate::config::secret_form::looks_secret;
use crate::config::show::Shown;
use crate::config::wording::{any_of, nearest, quoted};
use crate::token::Secret;

named! {
    /// What stands for a part of the message.
    pub enum Placeholder {
        /// Its one line.
        Title = "title",
        /// All of it.
        Message = "message",
        /// How bad it is.
        Severity = "severity",
        /// The tokens that it is about.
        Label = "label",
        /// What to do.
        Remedy = "remedy",
        /// What an alarm and the news that it is over have in common.
        Id = "id",
    }
}

/// A JSON text with placeholders. It may hold a secret, such as the key of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyTemplate {
    text: Secret,
}

/// Why a text cannot be posted.
enum BadBody<'a> {
    /// This is the name of no placeholder.
    Unknown(&'a str),
    /// This placeholder stands outside of every string.
    Outside(&'a str),
    /// It is not JSON, for this reason.
    NotJson(String),
}

/// Reads `body`.
pub fn template<'a>(section: &'a Section<'a>, sentence: Str) -> Ask<'a, BodyTemplate> {
    let text = section.string("body", sentence).secret();
    text.and_then(|text, span| match judge(&text) {
        Ok(()) => Ok(BodyTemplate { text: Secret::new(text) }),
        Err(bad) => Err(vec![bad.at(span)]),
    })
}

fn judge(text: &str) -> Result<(), BadBody<'_>> {
    for Found { name, is_within_a_string, .. } in found(text) {
        if Placeholder::from_name(name).is_none() && is_within_a_string {
            return Err(BadBody::Unknown(name));
        }
        if Placeholder::from_name(name).is_some() && !is_within_a_string {
            return Err(BadBody::Outside(name));
        }
    }
    let whole: Result<IgnoredAny, _> = serde_json::from_str(text);
    whole.map(drop).map_err(|error| BadBody::NotJson(error.to_string()))
}

impl BadBody<'_> {
    fn at(&self, span: Span) -> Diagnostic {
        match self {
            Self::Unknown(name) => {
                let names = Placeholder::ALL.iter().map(|it| it.as_str());
                let label = if let Some(near) = nearest(name, names.clone()) {
                    format!("did you mean `{{{near}}}`?")
                } else {
                    let names: Vec<String> = names.map(|name| format!("{{{name}}}")).collect();
                    let names = any_of(names.iter().map(String::as_str));
                    format!("write {names}; a brace that is meant is `\\u007b`")
                };
                let what = quoted(&format!("{{{name}}}"));
                Diagnostic::at(span, format!("unknown placeholder {what} in `body`")).label(label)
            }
            Self::Outside(name) => {
                let message = format!("`{{{name}}}` in `body` must stand within a string");
                Diagnostic::at(span, message).label(format!("write `\"{{{name}}}\"`"))
            }
            Self::NotJson(why) => {
                Diagnostic::at(span, "`body` is not valid JSON").label(why.clone())
            }
        }
    }
}

/// `{name}` in a text.
struct Found<'a> {
    name: &'a str,
    /// Where its brace opens.
    at: usize,
    is_within_a_string: bool,
}

/// Finds every `{name}`; other braces are left to JSON.
fn found(text: &str) -> Vec<Found<'_>> {
    let (mut found, mut is_within_a_string, mut is_escaped) = (Vec::new(), false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_within_a_string,
            '"' => is_within_a_string = !is_within_a_string,
            '{' => {
                let rest = &text[at + 1..];
                let name = &rest[..rest.find('}').unwrap_or(0)];
                let is_name =
                    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
                if is_name {
                    found.push(Found { name, at, is_within_a_string });
                }
            }
            _ => {}
        }
    }
    found
}

impl BodyTemplate {
    /// The text with what `part` says in the place of each placeholder.
    pub fn fill(&self, part: impl Fn(Placeholder) -> String) -> String {
        let text = self.text.expose();
        let (mut filled, mut from) = (String::with_capacity(2 * text.len()), 0);
        for Found { name, at, .. } in found(text) {
            let Some(placeholder) = Placeholder::from_name(name) else { continue };
            filled.push_str(&text[from..at]);
            let quoted = json!(part(placeholder)).to_string();
            filled.push_str(&quoted[1..quoted.len() - 1]);
            from = at + name.len() + 2;
        }
        filled.push_str(&text[from..]);
        filled
    }

    /// Whether it has this placeholder.
    pub fn has(&self, placeholder: Placeholder) -> bool {
        found(self.text.expose()).iter().any(|found| found.name == placeholder.as_str())
    }

    /// Whether who reads it may have read a secret.
    pub fn looks_secret(&self) -> bool {
        looks_secret(self.text.expose())
    }
}

impl Shown for BodyTemplate {
    fn shown(&self) -> Value {
        if self.looks_secret() { json!("(literal)") } else { json!(self.text.expose()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn what_is_posted_is_json_whatever_is_put_in(value: String, around in "[a-z{} \\u{7b}]*") {
            let text = json!({"a": format!("{around}{{title}} {{id}}"), "b": ["{message}", 1.50]});
            let text = text.to_string();
            if judge(&text).is_ok() {
                let filled = BodyTemplate { text: Secret::new(text) }.fill(|_| value.clone());
                let read: Value = serde_json::from_str(&filled).unwrap();
                proptest::prop_assert_eq!(&read["b"][0], &json!(value));
                proptest::prop_assert_eq!(&read["b"][1].to_string(), "1.5");
            }
        }
    }

    #[test]
    fn each_placeholder_is_filled_and_nothing_else_is_changed() {
        let text = r#"{ "a":"{title}: {{title}}", "n": 1.50, "e": "\"{ x }\\", "{id}": "{ID}" }"#;
        let template = BodyTemplate { text: Secret::new(text.replace("{ID}", "\\u007bID}")) };
        assert!(judge(template.text.expose()).is_ok());
        let filled = template.fill(|part| format!("<{part}\"\n>"));
        assert_eq!(
            filled,
            r#"{ "a":"<title\"\n>: {<title\"\n>}", "n": 1.50, "e": "\"{ x }\\", "<id\"\n>": "\u007bID}" }"#
        );
    }
}
