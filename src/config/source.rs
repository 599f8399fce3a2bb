//! Reads where a secret is found. Naming a place is not reading it: no secret is fetched here.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::command::{describe_argv, harmless};
use super::diagnostic::{Diagnostic, Span, Spanned};
use super::reader::{Ask, FoundValue, Reading, Section, Str, not_on_one_line};
use super::show::Shown;
use super::wording::quoted;
use crate::edit::{EditError, Format};
use crate::token::{Secret, SecretKind, secret_in};

/// A SECRET of the config.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretSource {
    /// The secret itself stands in the config.
    Literal(Secret),
    Env(String),
    /// A file, or one value inside an application's file.
    File {
        path: PathBuf,
        /// The key of the value; without one the whole file is the secret.
        key: Option<String>,
        /// How the file is written.
        format: Format,
    },
    /// A credential that the service manager hands over.
    Credential(String),
    /// What a program prints.
    Command(Vec<String>),
}

impl SecretSource {
    /// Whether the secret itself stands in the config.
    pub const fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }
}

impl Shown for SecretSource {
    /// The reference; never a literal.
    fn shown(&self) -> Value {
        match self {
            Self::Literal(_) => json!("(literal)"),
            Self::Env(name) => json!({ "env": name }),
            Self::File { path, key: None, .. } => json!({ "file": path.to_string_lossy() }),
            Self::File { path, key: Some(key), format } => json!({
                "file": path.to_string_lossy(),
                "key": key,
                "format": format.as_str(),
            }),
            Self::Credential(name) => json!({ "credential": name }),
            Self::Command(words) => json!({ "command": describe_argv(words) }),
        }
    }
}

/// The source as the subject of a sentence.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(_) => f.write_str("the literal in the config"),
            Self::Env(name) => write!(f, "the environment variable `{name}`"),
            Self::File { path, key: None, .. } => write!(f, "the file `{}`", path.display()),
            Self::File { path, key: Some(key), .. } => {
                write!(f, "`{key}` in `{}`", path.display())
            }
            Self::Credential(name) => write!(f, "the credential `{name}`"),
            Self::Command(words) => {
                write!(f, "the command `{}`", words.first().map_or("", String::as_str))
            }
        }
    }
}

const FORMS: &str = "write `{ env = NAME }`, `{ file = PATH }`, `{ credential = NAME }` or \
                     `{ command = [...] }`";

impl Section<'_> {
    /// Reads a secret: a literal, or where it is found.
    pub fn secret(&self, key: Str, sentence: Str) -> Ask<'_, SecretSource> {
        let about = ("a secret, or where it is found", sentence);
        self.inline(key, "a SECRET", about, literal, |section| reference(key, section)).secret()
    }
}

impl Section<'_> {
    /// Reads a table of secrets under names of the operator's own; `form` says how it is written.
    pub fn secrets(
        &self,
        key: Str,
        sentence: Str,
        form: &str,
    ) -> Ask<'_, Vec<(Spanned<String>, SecretSource)>> {
        let about = ("a table of names, each with a SECRET", sentence, form);
        let read = |found: &FoundValue<'_>, section: Option<&Section<'_>>| match section {
            Some(section) => Ok(reference(key, section)),
            None => literal(found).map(Some),
        };
        self.entries(key, about, "a SECRET", read).secret()
    }
}

fn literal(found: &FoundValue<'_>) -> Reading<SecretSource> {
    match found.item().as_str() {
        Some(text) if text.trim().is_empty() => Err(vec![found.complain("is empty").label(FORMS)]),
        Some(text) => Ok(SecretSource::Literal(Secret::new(text))),
        None => {
            let label = found.id_in_quotes().unwrap_or_else(|| FORMS.to_owned());
            Err(vec![found.must_be("a string or a reference").label(label)])
        }
    }
}

fn reference(key: &str, section: &Section<'_>) -> Option<SecretSource> {
    let variable = section.string("env", "An environment variable");
    let path = section.path("file", "A file that is the secret, or has it under `key`");
    let file_key = section.string("key", "The key of the value in the file");
    let file_key = file_key.check(|key, span| not_on_one_line("key", key, span));
    let format = section.string("format", "How the file is written; by default as its name says");
    let credential = section.string("credential", "What systemd's `LoadCredential=` hands over");
    let command = section.command("A program that prints it within ten seconds");

    let forms = [
        ("env", variable.is_present()),
        ("file", path.is_present()),
        ("credential", credential.is_present()),
        ("command", command.is_present()),
    ];
    let named: Vec<&str> =
        forms.into_iter().filter(|(_, is_present)| *is_present).map(|(form, _)| form).collect();
    let [form] = named[..] else {
        // What was meant may be misspelled, and is complained of.
        if !(named.is_empty() && section.has_unknown_keys()) {
            let message = match named.len() {
                0 => format!("`{key}` says nowhere to find the secret"),
                _ => format!("`{key}` says `{}` at once", named.join("` and `")),
            };
            section.report(Diagnostic::at(section.span(), message).label(FORMS));
        }
        return None;
    };
    if form != "file" {
        refuse_without_file(section, &file_key, form);
        refuse_without_file(section, &format, form);
    }
    match form {
        "env" => variable
            .check(|name, span| is_the_secret(name, span).or_else(|| bad_variable(name, span)))
            .judged()
            .get()
            .cloned()
            .map(SecretSource::Env),
        "file" => file(section, path, file_key, format),
        "credential" => {
            let name = credential
                .check(|name, span| {
                    is_the_secret(name, span).or_else(|| bad_credential(name, span))
                })
                .judged();
            name.get().cloned().map(SecretSource::Credential)
        }
        _ => {
            let reason = "a token is never an argument: every user of this machine can read it";
            Some(SecretSource::Command(harmless(section, command, reason)?.value))
        }
    }
}

fn refuse_without_file<T>(section: &Section<'_>, ask: &Ask<'_, T>, form: &str) {
    if ask.is_present() {
        let message = format!("`{}` goes with `file`, not with `{form}`", ask.key());
        section.report(Diagnostic::at(ask.key_span(), message));
    }
}

/// Complains of an access token in the place of a label or an app's name, which are shown to people.
/// 32 hex digits are not refused: a program may call its tokens so.
pub fn is_the_token(name: &str, span: Span) -> Option<Diagnostic> {
    let kind = secret_in(name)?;
    matches!(kind, SecretKind::AccessToken | SecretKind::Code).then(|| {
        let message = format!("this looks like {kind}, where a name belongs");
        Diagnostic::at(span, message).label("choose a name of your own")
    })
}

/// Complains of a secret that stands where the name of its place belongs.
pub fn is_the_secret(name: &str, span: Span) -> Option<Diagnostic> {
    let kind = secret_in(name)?;
    let message = format!("this looks like {kind}, where a name belongs");
    Some(Diagnostic::at(span, message).label("put it into a file of mode 0600: `{ file = PATH }`"))
}

fn bad_variable(name: &str, span: Span) -> Option<Diagnostic> {
    let is_other = |c: char| !c.is_ascii_graphic() || "=/$%{}\"'`<>".contains(c);
    let is_bad = name.is_empty() || name.contains(is_other);
    is_bad.then(|| Diagnostic::at(span, "`env` must be the name of a variable"))
}

fn bad_credential(name: &str, span: Span) -> Option<Diagnostic> {
    if let Some(wrong) = not_on_one_line("credential", name, span) {
        return Some(wrong);
    }
    let is_bad = name.is_empty() || name.contains('/') || name == "." || name == "..";
    is_bad.then(|| Diagnostic::at(span, "`credential` must be a name, not a path"))
}

fn file(
    section: &Section<'_>,
    path: Ask<'_, PathBuf>,
    key: Ask<'_, String>,
    format: Ask<'_, String>,
) -> Option<SecretSource> {
    let format = match format.spanned() {
        Some(name) => Some(known_format(section, &name)?),
        None => None,
    };
    let (key, path) = (key.spanned(), path.spanned()?);
    let name = path.value.file_name().and_then(|name| name.to_str());
    if let Some(wrong) = name.and_then(|name| is_the_token(name, path.span)) {
        section.report(wrong);
        return None;
    }
    let format_or_guess = format.unwrap_or_else(|| Format::guess(&path.value));
    match (&key, format) {
        (Some(key), _) if format_or_guess == Format::Raw => {
            let message = "which `format` the file has is not clear from its name";
            let label = "say `format`: toml, ini, env, json or yaml";
            section.report(Diagnostic::at(key.span, message).label(label));
            return None;
        }
        (None, Some(format)) if format != Format::Raw => {
            let message = EditError::KeyNeeded(format).to_string();
            section.report(Diagnostic::at(path.span, message));
            return None;
        }
        _ => {}
    }
    Some(SecretSource::File {
        path: path.value,
        format: if key.is_some() { format_or_guess } else { Format::Raw },
        key: key.map(|key| key.value),
    })
}

/// Finds the format of that name, or says what could be written.
pub fn known_format(section: &Section<'_>, name: &Spanned<String>) -> Option<Format> {
    let format = Format::from_name(&name.value);
    if format.is_none() {
        let message = format!("unknown format {}", quoted(&name.value));
        let label = "write toml, ini, env, json, yaml or raw";
        section.report(Diagnostic::at(name.span, message).label(label));
    }
    format
}
