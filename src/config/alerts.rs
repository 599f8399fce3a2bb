//! Reads `[alerts]`: what monitoring is told, and how remedies begin.

use std::path::PathBuf;

use chrono::TimeDelta;

use serde_json::{Value, json};

use super::diagnostic::{Diagnostic, Span, Spanned};
use super::reader::Section;
use super::reserved::{Reserved, Slot};
use super::show::Shown;
use super::wording::quoted_path;

/// `[alerts]`: what monitoring is told beside the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// Where `refresh` writes the metrics for a node exporter.
    pub textfile: Option<PathBuf>,
    /// How often runs are meant to happen.
    pub run_every: Option<TimeDelta>,
    /// What is put before the commands in remedies.
    pub prefix: Option<String>,
    /// Whether a mail to an owner carries the address of the login dialog.
    pub login_links: LoginLinks,
    /// The domains of owners who are written to although an import named them.
    pub owner_domains: Vec<String>,
}

/// Whether a mail to an owner carries the address of the login dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginLinks {
    /// Where the remedy is to log in.
    Sent,
    /// The operator sends it.
    NotSent,
}

impl Shown for LoginLinks {
    fn shown(&self) -> Value {
        json!(*self == Self::Sent)
    }
}

/// Reads `[alerts]`; the metrics must not go where something else is kept.
pub fn read(alerts: &Section<'_>, reserved: &Reserved) -> AlertSettings {
    let textfile = alerts.path("textfile", "Where `refresh` writes metrics for a node exporter");
    let textfile = textfile.map(|path| path.components().collect::<PathBuf>());
    if let Some(path) = textfile.get()
        && let Some(what) = reserved.ruined_by(&Slot::whole(path))
    {
        let message = format!("{} {what}", quoted_path(path));
        textfile.refuse(message, "the metrics need a file of their own");
    }
    let run_every = alerts.duration("run_every", "How often runs are meant to happen");
    let prefix = alerts.string("prefix", "What goes before the commands in remedies");
    let sentence = "Whether mails to owners carry the address of the login dialog";
    let login_links = alerts
        .flag("login_links", sentence)
        .map(|sent| if sent { LoginLinks::Sent } else { LoginLinks::NotSent });
    let sentence = "Domains of owners who get mails although an import named them";
    let owner_domains = alerts.strings("owner_domains", sentence).and_then(|names, _| {
        let wrong: Vec<Diagnostic> = names.iter().filter_map(bad_domain).collect();
        let names = names.into_iter().map(|name| name.value).collect::<Vec<String>>();
        if wrong.is_empty() { Ok(names) } else { Err(wrong) }
    });
    let settings = AlertSettings {
        textfile: textfile.optional(),
        run_every: run_every.positive().optional(),
        prefix: prefix.check(|prefix, span| bad_prefix(prefix, span)).optional(),
        login_links: login_links.or(LoginLinks::NotSent),
        owner_domains: owner_domains.or(Vec::new()),
    };
    alerts.show();
    settings
}

fn bad_domain(name: &Spanned<String>) -> Option<Diagnostic> {
    let is_domain = name.value.contains('.')
        && name.value.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    let wrong = || Diagnostic::at(name.span, "`owner_domains` has one domain in each string");
    (!is_domain).then(|| wrong().label("write what follows the `@`: `client.example`"))
}

/// The prefix goes before a command that a person types, on one line.
fn bad_prefix(prefix: &str, span: Span) -> Option<Diagnostic> {
    if prefix.trim().is_empty() {
        let wrong = Diagnostic::at(span, "`prefix` is empty");
        return Some(wrong.label("leave it out, or write what goes before `metatoken`"));
    }
    let message = "`prefix` must be on one line, without control characters";
    prefix.contains(char::is_control).then(|| Diagnostic::at(span, message))
}
