//! Reads `probe`: the question that shows whether a token does what it is for.
//!
//! A token's own has to fit its type. One of its parent or of `[defaults]` that does not is passed over.

use serde_json::{Value, json};

use super::diagnostic::Diagnostic;
use super::reader::{Ask, FoundValue, Reading, Section, Str};
use super::secret_form::looks_secret;
use super::show::Shown;
use super::wording::quoted;
use crate::token::{Probe, ProbeGrade, ProbeOrigin, ProbePath, ProbeQuestion, TokenType};

const FORMS: &str =
    "write `\"page\"`, `{ whatsapp = \"ID\" }`, `{ path = \"PATH\" }` or `\"none\"`";

/// What is asked of the account of a person or System User alone.
const OF_PEOPLE: [&str; 5] =
    ["accounts", "adaccounts", "assigned_ad_accounts", "assigned_pages", "businesses"];

/// Reads a probe; `"none"` is for no question at all.
pub fn probe<'a>(section: &'a Section<'a>, key: Str, sentence: Str) -> Ask<'a, Option<Probe>> {
    section
        .inline(key, "`probe`", ("a question", sentence), word, |section| table(section).map(Some))
}

fn word(found: &FoundValue<'_>) -> Reading<Option<Probe>> {
    match found.item().as_str() {
        Some("none") => Ok(None),
        Some("page") => Ok(Some(Probe {
            question: ProbeQuestion::Page,
            fails: ProbeGrade::Critical,
            origin: ProbeOrigin::Own,
        })),
        Some(other) => {
            let message = format!("unknown question {}", quoted(other));
            Err(vec![Diagnostic::at(found.span(), message).label(FORMS)])
        }
        None => Err(vec![found.must_be("`\"page\"` or a table").label(FORMS)]),
    }
}

fn table(section: &Section<'_>) -> Option<Probe> {
    let whatsapp = section
        .string("whatsapp", "The number or business account that has to be able to send messages")
        .check(|id, span| {
            let wrong = || Diagnostic::at(span, "the `whatsapp` of a probe has digits only");
            let is_id = !id.is_empty() && id.bytes().all(|digit| digit.is_ascii_digit());
            (!is_id).then(wrong)
        });
    let path = section
        .string(
            "path",
            "A path on Graph that has to be answered, such as `me/adaccounts?fields=id`",
        )
        .and_then(|text, span| {
            let secret = text.split(['?', '&', '=', '/']).any(looks_secret);
            if secret {
                let message = "the `path` of a probe has something in it that looks like a secret";
                return Err(vec![Diagnostic::at(span, message)]);
            }
            ProbePath::parse(&text)
                .map_err(|bad| vec![Diagnostic::at(span, format!("the `path` of a probe {bad}"))])
        });
    let grades = [ProbeGrade::Warning, ProbeGrade::Critical];
    let fails = section.choice("fails", "How bad a refusal is", "severity", &grades);
    let fails = fails.or(ProbeGrade::Critical);
    let is_one = whatsapp.is_present() != path.is_present();
    let (whatsapp, path) = (whatsapp.judged(), path.judged());
    if !is_one && !section.has_unknown_keys() {
        let message = "a probe has a `whatsapp` or a `path`";
        section.report(Diagnostic::at(section.span(), message).label(FORMS));
    }
    let question = match (whatsapp.get(), path.get()) {
        (Some(id), _) => ProbeQuestion::Whatsapp(id.clone()),
        (None, Some(path)) => ProbeQuestion::Path(path.clone()),
        (None, None) => return None,
    };
    is_one.then_some(Probe { question, fails, origin: ProbeOrigin::Own })
}

/// Says for which tokens a probe is, if that of this type is not among them.
pub fn probe_misfit(probe: &Probe, token_type: TokenType) -> Option<String> {
    const OF_PEOPLE_ONLY: &str = "is for a user or a system-user token";
    let is_of_people = matches!(token_type, TokenType::User | TokenType::SystemUser);
    let is_page = token_type == TokenType::Page;
    match &probe.question {
        ProbeQuestion::Page => (!is_page).then(|| "`probe = \"page\"` is for a page".to_owned()),
        ProbeQuestion::Whatsapp(_) => {
            (!is_of_people).then(|| format!("a probe of WhatsApp {OF_PEOPLE_ONLY}"))
        }
        ProbeQuestion::Path(path) if path.has_page_id() => {
            (!is_page).then(|| "`{page_id}` is for a page".to_owned())
        }
        ProbeQuestion::Path(path) => match path.edge_of_me()? {
            edge if OF_PEOPLE.contains(&edge) => {
                (!is_of_people).then(|| format!("`me/{edge}` {OF_PEOPLE_ONLY}"))
            }
            _ if token_type == TokenType::App => {
                Some("`me` is for the token of a person, a System User or a Page".to_owned())
            }
            _ => None,
        },
    }
}

impl Shown for Probe {
    fn shown(&self) -> Value {
        let fails = self.fails.as_str();
        match &self.question {
            ProbeQuestion::Page => json!("page"),
            ProbeQuestion::Whatsapp(id) => json!({ "whatsapp": id, "fails": fails }),
            ProbeQuestion::Path(path) => json!({ "path": path.as_str(), "fails": fails }),
        }
    }
}

impl Shown for ProbeGrade {
    fn shown(&self) -> Value {
        json!(self.as_str())
    }
}
