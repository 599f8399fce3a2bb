//! Asks as a token the question that shows whether it does what it is for.
//!
//! Any answer that is no error is good, but for WhatsApp's: that says in a word of its own whether a
//! number can send messages, and why not. JSON from a gateway does not count as an answer. Source: Meta, WhatsApp Business Platform, messaging health
//! status.

use serde_json::Value;

use super::pages::signed;
use crate::graph::body::{id, integer, subject, text};
use crate::graph::problem;
use crate::graph::request::Request;
use crate::graph::response::Response;
use crate::graph::settings::App;
use crate::token::{
    AccessToken, Action, Path, ProbeGrade, ProbeQuestion, Problem, ProblemKind, Provider, Secret,
    redact,
};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeFinding {
    pub grade: ProbeGrade,
    /// Why it is not ok.
    pub problem: Option<Problem>,
}

impl ProbeFinding {
    const OK: Self = Self { grade: ProbeGrade::Ok, problem: None };
}

/// Asks the question as the token of this Page, if it is a Page's.
pub fn probe(
    app: &App,
    secret: Option<&Secret>,
    token: &AccessToken,
    question: &ProbeQuestion,
    page_id: Option<&str>,
) -> Request {
    let request = Request::get("probe", app, Path::Versioned(&[]));
    let request = match question {
        ProbeQuestion::Page => request.below(page_id.unwrap_or("me")).with("fields", "id,name"),
        ProbeQuestion::Whatsapp(id) => request.below(id).with("fields", "health_status"),
        ProbeQuestion::Path(path) => {
            let request = path.segments_of(page_id).into_iter().fold(request, Request::below);
            path.parameters().fold(request, |request, (name, value)| request.asking(name, value))
        }
    };
    match app.provider {
        Provider::Facebook => signed(request, secret, token),
        // They take it as a parameter, and no proof.
        Provider::Instagram | Provider::Threads => {
            request.with_secret("access_token", token.expose())
        }
    }
}

/// Reads the answer.
pub fn read_probe(question: &ProbeQuestion, response: &Response) -> Result<ProbeFinding, Problem> {
    let document = problem::accepted(response)?;
    match question {
        ProbeQuestion::Page if id(subject(document.root()), "id").is_none() => {
            Err(problem::malformed(response, "it has no `id` of a Page"))
        }
        ProbeQuestion::Path(_) if !matches!(response.status(), 200..=299) => {
            Err(problem::malformed(response, "it is neither a refusal nor an answer"))
        }
        ProbeQuestion::Page | ProbeQuestion::Path(_) => Ok(ProbeFinding::OK),
        ProbeQuestion::Whatsapp(_) => {
            let said = subject(document.root()).get("health_status");
            let word = said.and_then(|said| text(said, "can_send_message"));
            let grade = match word {
                Some("AVAILABLE") => return Ok(ProbeFinding::OK),
                Some("LIMITED") => ProbeGrade::Warning,
                Some("BLOCKED") => ProbeGrade::Critical,
                _ => {
                    let what = "it has no `can_send_message` that is known";
                    return Err(problem::malformed(response, what));
                }
            };
            let why = said.map(|said| reasons(said, response)).unwrap_or_default();
            let message = if why.is_empty() { word.unwrap_or_default().to_owned() } else { why };
            let problem =
                Problem::new(ProblemKind::Unknown, message).with_action(Action::FixConfiguration);
            let code = said.and_then(first_code);
            Ok(ProbeFinding { grade, problem: Some(Problem { code, ..problem }) })
        }
    }
}

/// Meta's own reasons: what is wrong with the number, the account, the business or the app.
fn reasons(said: &Value, response: &Response) -> String {
    let words = errors(said).filter_map(|error| {
        let parts = [text(error, "error_description"), text(error, "possible_solution")];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| redact::sentence(&parts.join(" "), response.secrets()))
    });
    words.collect::<Vec<_>>().join("; ")
}

fn first_code(said: &Value) -> Option<i64> {
    errors(said).find_map(|error| integer(error, "error_code"))
}

fn errors(said: &Value) -> impl Iterator<Item = &Value> {
    let entities = said.get("entities").and_then(Value::as_array).into_iter().flatten();
    entities.flat_map(|it| it.get("errors").and_then(Value::as_array).into_iter().flatten())
}
