//! Reads `[alerts]`: what monitoring is told, and how remedies begin.

use std::path::PathBuf;

use chrono::TimeDelta;

use serde_json::{Value, json};

use super::diagnostic::{Diagnostic, Span, Spanned};
use super::reader::Section;
use super::reserved::{Reserved, Slot};
use super::show::Shown;
use super::wording::{quoted, quoted_path};
use crate::policy::PageDetail;

/// `[alerts]`: what monitoring is told beside the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// Where `refresh` writes the metrics for a node exporter.
    pub textfile: Option<PathBuf>,
    /// The page that `refresh` writes.
    pub page: Option<PageFile>,
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

/// The page that `refresh` and `check --notify` write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFile {
    pub path: PathBuf,
    pub mode: u32,
    /// How much it tells.
    pub detail: PageDetail,
}

/// Who may do what with a page at most: only its owner writes it.
const MOST: u32 = 0o644;

/// The owner writes it, its group reads it.
const USUAL: &str = "0640";

/// Reads `[alerts]`; metrics and page must not go where something else is kept.
pub fn read(alerts: &Section<'_>, reserved: &Reserved) -> AlertSettings {
    let textfile = alerts.path("textfile", "Where `refresh` writes metrics for a node exporter");
    let textfile = textfile.map(|path| path.components().collect::<PathBuf>());
    if let Some(path) = textfile.get()
        && let Some(what) = reserved.ruined_by(&Slot::whole(path))
    {
        let message = format!("{} {what}", quoted_path(path));
        textfile.refuse(message, "the metrics need a file of their own");
    }
    let page = page_file(alerts, reserved, textfile.get());
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
        page,
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

fn page_file(
    alerts: &Section<'_>,
    reserved: &Reserved,
    textfile: Option<&PathBuf>,
) -> Option<PageFile> {
    let path = alerts.path("page", "Where `refresh` writes a page to look at");
    let path = path.map(|path| path.components().collect::<PathBuf>());
    if let Some(page) = path.get() {
        let slot = Slot::whole(page);
        let is_the_metrics = textfile.is_some_and(|textfile| slot.meets(&Slot::whole(textfile)));
        let taken = is_the_metrics.then_some("is where the metrics go");
        if let Some(what) = taken.or_else(|| reserved.ruined_by(&slot)) {
            path.refuse(
                format!("{} {what}", quoted_path(page)),
                "the page needs a file of its own",
            );
        }
    }
    let mode = alerts
        .string("page_mode", "The mode of that file")
        .check(|text, span| bad_mode(text, span));
    let mode = mode_of(&mode.or(USUAL.to_owned())).unwrap_or(MOST);
    let detail =
        alerts.choice("page_detail", "How much detail the page has", "detail", PageDetail::ALL);
    let detail = detail.or(PageDetail::Labels);
    path.optional().map(|path| PageFile { path, mode, detail })
}

/// The mode that a text means.
fn mode_of(text: &str) -> Option<u32> {
    let is_octal = (3..=4).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
    let mode = u32::from_str_radix(text, 8).ok().filter(|_| is_octal)?;
    (mode & !MOST == 0 && mode & 0o600 == 0o600).then_some(mode)
}

fn bad_mode(text: &str, span: Span) -> Option<Diagnostic> {
    let wrong = Diagnostic::at(span, format!("invalid mode {}", quoted(text)));
    mode_of(text).is_none().then(|| wrong.label("write `\"0640\"`, `\"0644\"` or `\"0600\"`"))
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
