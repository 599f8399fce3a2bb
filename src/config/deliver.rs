//! Reads `[[token.LABEL.deliver]]`: a file and the value in it, or a command.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;

use super::command::{describe_argv, harmless};
use super::diagnostic::{Diagnostic, Span, Spanned};
use super::placeholder::sample_key;
use super::reader::{Ask, Section, not_on_one_line};
use super::reserved::{Reserved, Slot};
use super::secret_form::looks_secret;
use super::show::{Shown, ValueOrigin};
use super::source::known_format;
use super::wording::quoted_path;
use crate::config::{FileTarget, FirstDelivery, FormatFrom, Place, Rules, Target, Writing};
use crate::edit::{self, Anchored, EditError, Format, Missing, Options};
use crate::token::{TargetId, is_blank};

/// A target, and where the file speaks of it.
pub struct DeliveryRead {
    pub target: Target,
    /// Whether the file gives it a name.
    pub has_name: bool,
    /// What it is called by.
    pub id_span: Span,
    /// What names the value that it writes, or the program.
    pub span: Span,
}

const FORMS: &str = "write `file` and `key`, or `command = [\"PROGRAM\", \"ARGUMENT\"]`";

/// What a delivery may take when the file does not say.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Reads the deliveries of a token in the order of the file.
pub fn read<'a>(token: &'a Section<'a>) -> Vec<(DeliveryRead, Section<'a>)> {
    let mut deliveries = Vec::new();
    for section in token.list("deliver", "Where the token goes, in this order") {
        if let Some(delivery) = read_one(&section) {
            deliveries.push((delivery, section));
        }
    }
    deliveries
}

fn read_one(section: &Section<'_>) -> Option<DeliveryRead> {
    let name = section.name_of_its_own("What it is called; one token's must differ").judged();
    let path = section.path("file", "The file that the token is written into");
    let key = section.string("key", "The key of the value in the file");
    let key = key.check(|key, span| not_on_one_line("key", key, span));
    let format = section.string("format", "How the file is written; by default as its name says");
    let command = section.command("A program that gets the token on its standard input");
    let writing = section.choice("write", "How the file is replaced", "way to write", Writing::ALL);
    let create = section.flag("create", "Whether a missing key or file is added");
    let overwrite = section.flag("overwrite", "Whether the first delivery may replace any value");
    let anchor = section.flag("anchor", "Whether a value that YAML aliases share is replaced");
    let document = document(section);
    let timeout = section.duration("timeout", "How long it may take");
    let timeout = timeout.check(bad_timeout).or_std(TIMEOUT);

    let place = match (path.is_present(), command.is_present()) {
        (true, false) => {
            let rules = RuleKeys { overwrite, anchor, document };
            file(section, FileKeys { path, key, format, writing, create, rules })
        }
        (false, true) => {
            refuse_with_command(section, &key);
            refuse_with_command(section, &format);
            refuse_with_command(section, &writing);
            refuse_with_command(section, &create);
            refuse_with_command(section, &overwrite);
            refuse_with_command(section, &anchor);
            refuse_with_command(section, &document);
            program(section, command)
        }
        (true, true) => {
            let (first, second) = in_order(path.key_span(), command.key_span());
            let wrong = Diagnostic::at(second, "a delivery has a `file` or a `command`, not both")
                .label("put it into a `[[token.LABEL.deliver]]` of its own");
            section.report(wrong.earlier(Some(first)));
            None
        }
        // What was meant is misspelled, and complained of.
        (false, false) if section.has_unknown_keys() => None,
        (false, false) => {
            let message = "a delivery needs a `file` or a `command`";
            section.report(Diagnostic::at(section.span(), message).label(FORMS));
            None
        }
    };
    // By a name that is wrong it could seem to be another's double.
    if name.is_wrong() {
        return None;
    }
    let Stated { place, id, called_by, span } = place?;
    let has_name = name.is_present();
    let id_span = if has_name { name.span() } else { span };
    let id = TargetId::new(name.or_implied(id, called_by));
    Some(DeliveryRead { target: Target { id, place, timeout }, has_name, id_span, span })
}

/// What is delivered to, and what it is called without a name.
struct Stated {
    place: Place,
    id: String,
    called_by: &'static str,
    span: Span,
}

fn in_order(one: Span, other: Span) -> (Span, Span) {
    if one < other { (one, other) } else { (other, one) }
}

/// A delivery that takes longer would take the run's time from the other tokens.
fn bad_timeout(timeout: &TimeDelta, span: Span) -> Option<Diagnostic> {
    let range = TimeDelta::seconds(1)..=TimeDelta::minutes(10);
    let message = "`timeout` must lie between 1s and 10m";
    (!range.contains(timeout)).then(|| Diagnostic::at(span, message))
}

fn refuse_with_command<T>(section: &Section<'_>, ask: &Ask<'_, T>) {
    if ask.is_present() {
        let message = format!("`{}` goes with `file`, not with `command`", ask.key());
        section.report(Diagnostic::at(ask.key_span(), message));
    }
}

fn program(section: &Section<'_>, command: Ask<'_, Vec<Spanned<String>>>) -> Option<Stated> {
    let reason = "a token is never an argument: the command gets it on standard input";
    let Spanned { value: argv, span } = harmless(section, command, reason)?;
    section.put("command", || ValueOrigin::Table(section.name()), || describe_argv(&argv));
    let id = argv.first().cloned().unwrap_or_default();
    Some(Stated { place: Place::Command(argv), id, called_by: "its program", span })
}

/// The keys that say how a file is written.
struct FileKeys<'a> {
    path: Ask<'a, PathBuf>,
    key: Ask<'a, String>,
    format: Ask<'a, String>,
    writing: Ask<'a, Writing>,
    create: Ask<'a, bool>,
    rules: RuleKeys<'a>,
}

/// The keys that say which value is meant, and what may be replaced there.
struct RuleKeys<'a> {
    overwrite: Ask<'a, bool>,
    anchor: Ask<'a, bool>,
    document: Ask<'a, u32>,
}

impl RuleKeys<'_> {
    /// Reads them for a file of that format; YAML alone has anchors and documents.
    fn read(self, section: &Section<'_>, format: Format, format_from: FormatFrom) -> Option<Rules> {
        let Self { overwrite, anchor, document } = self;
        let first =
            if overwrite.or(false) { FirstDelivery::Overwrite } else { FirstDelivery::Careful };
        let number = |number: u32| NonZeroUsize::new(usize::try_from(number).ok()?);
        let options = if format == Format::Yaml {
            let anchored = if anchor.or(false) { Anchored::Replace } else { Anchored::Refuse };
            Options { document: document.optional().and_then(number), anchored }
        } else {
            let are_present = (refuse_without_yaml(section, &anchor, format))
                | refuse_without_yaml(section, &document, format);
            if are_present {
                return None;
            }
            Options::default()
        };
        Some(Rules { options, format_from, first })
    }
}

/// Complains of a key that only YAML gives a meaning.
fn refuse_without_yaml<T>(section: &Section<'_>, ask: &Ask<'_, T>, format: Format) -> bool {
    if ask.is_present() {
        let message = format!("`{}` goes with a yaml file; this one is {format}", ask.key());
        section.report(Diagnostic::at(ask.key_span(), message));
    }
    ask.is_present()
}

/// Reads which document of a file is meant, counted from 1.
fn document<'a>(section: &'a Section<'a>) -> Ask<'a, u32> {
    let sentence = "Which document of a YAML file has the key; the first is 1";
    section.number("document", sentence, 1..=u32::from(u16::MAX))
}

fn file(section: &Section<'_>, keys: FileKeys<'_>) -> Option<Stated> {
    let writing = keys.writing.or(Writing::default());
    let missing = if keys.create.or(false) { Missing::Create } else { Missing::Refuse };
    let (is_key_wrong, key) = (keys.key.is_wrong(), keys.key.judged());
    let is_format_wrong = keys.format.is_wrong();
    let format = match keys.format.spanned() {
        Some(name) => Some(known_format(section, &name)?),
        None => None,
    };
    let path = keys.path.spanned()?;
    if is_key_wrong || is_format_wrong {
        return None;
    }
    check_key(section, &path, &key, format, missing)?;
    let span = if key.is_present() { key.span() } else { path.span };
    let path: PathBuf = path.value.components().collect();
    let key = key.optional();
    let table = || ValueOrigin::Table(section.name());
    section.put("file", table, || path.shown());
    let by_name =
        || if format.is_some() { table() } else { ValueOrigin::Implied("its file's name") };
    let format_from = if format.is_some() { FormatFrom::Config } else { FormatFrom::Name };
    let format = format.unwrap_or_else(|| Format::guess(&path));
    let rules = keys.rules.read(section, format, format_from)?;
    section.put("format", by_name, || format.shown());
    let (id, called_by) = match &key {
        Some(key) => (format!("{}#{key}", path.display()), "its file and key"),
        None => (path.display().to_string(), "its file"),
    };
    let place = Place::File(FileTarget { path, key, format, writing, missing, rules });
    Some(Stated { place, id, called_by, span })
}

/// Refuses a key that a file of its format cannot have, or that is missing, before there is a
/// token to write.
fn check_key(
    section: &Section<'_>,
    path: &Spanned<PathBuf>,
    key: &Ask<'_, String>,
    said: Option<Format>,
    missing: Missing,
) -> Option<()> {
    let format = said.unwrap_or_else(|| Format::guess(&path.value));
    let (span, message, label) = match key.get() {
        None if format == Format::Raw => return Some(()),
        None => (path.span, EditError::KeyNeeded(format).to_string(), shape(format)),
        Some(text) if text.is_empty() => (key.span(), "`key` is empty".to_owned(), shape(format)),
        Some(text) if text.trim_matches(is_blank) != text || text.contains(char::is_control) => (
            key.span(),
            "`key` has a blank or a line break at its beginning or end".to_owned(),
            shape(format),
        ),
        Some(_) if format == Format::Raw && said.is_none() => (
            key.span(),
            "which `format` the file has is not clear from its name".to_owned(),
            "say `format`: toml, ini, env, json or yaml",
        ),
        Some(text) if is_possible(&sample_key(text), format, missing) => return Some(()),
        Some(text) => {
            let shown = if looks_secret(text) { "…" } else { text };
            let wrong = EditError::BadKey { key: shown.to_owned(), format };
            (key.span(), wrong.to_string(), shape(format))
        }
    };
    section.report(Diagnostic::at(span, message).label(label));
    None
}

/// Whether a file could have the key; the editor is asked, with an empty file.
fn is_possible(key: &str, format: Format, missing: Missing) -> bool {
    let empty: &[u8] = if format == Format::Json { b"{}" } else { b"" };
    let missing = match format {
        // The name of a variable is good or not, whether it is there already or not.
        Format::Env => Missing::Create,
        _ => missing,
    };
    let tried = edit::replace(format, empty, Some(key), "value", missing);
    !matches!(tried, Err(EditError::BadKey { .. }))
}

const fn shape(format: Format) -> &'static str {
    match format {
        Format::Toml | Format::Yaml => "a key is a dotted path: `key = \"facebook.access_token\"`",
        Format::Json => "a key is a dotted path or a `/json/pointer`",
        Format::Ini => "a key is `section.name`: `key = \"facebook.access_token\"`",
        Format::Env => "a key is the variable's name: `key = \"FACEBOOK_TOKEN\"`",
        Format::Raw => "or leave `key` out to write the whole file",
    }
}

/// Refuses to write into a file that metatoken lives by.
pub fn refuse_reserved(delivery: &DeliveryRead, section: &Section<'_>, reserved: &Reserved) {
    let Place::File(file) = &delivery.target.place else { return };
    if let Some(what) = reserved.ruined_by(&Slot::of(file)) {
        let message = format!("{} {what}", quoted_path(&file.path));
        let label = "a token is delivered into a file of the program that uses it";
        section.report(Diagnostic::at(delivery.span, message).label(label));
    }
}
