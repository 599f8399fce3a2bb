//! `init`: writes a first config.
//!
//! It asks on a terminal for what no option answers. The text is judged as any config is and Meta is
//! asked about the app before a file is written, the secret first and the config last: what a kill
//! leaves is finished when the same is typed again. Nothing that exists is overwritten.

use std::error::Error as _;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config::{self, Config, FileAndKey, FirstConfig, FirstToken, Missing, SECRET_FILE};
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::files::{self, FileError, PRIVATE};
use crate::policy::humanize;
use crate::report::{self, CheckResult, ConfigCheck};
use crate::run::app_check::{AppAnswer, CredentialsAnswer, ask_about_apps};
use crate::run::declaration::check_targets;
use crate::session::{Session, read_input};
use crate::shell::quoted;
use crate::token::{Label, Provider, Secret, TokenType};
use crate::ui::{OutputFormat, Ui, Verbosity};

/// Root's config is read by the service's user; it holds no secret.
const READABLE: u32 = 0o644;

/// What was typed.
#[derive(Debug)]
pub struct InitOrder {
    /// Where the config goes.
    pub place: PathBuf,
    /// The id of the app.
    pub app_id: Option<String>,
    /// The file that holds its secret, `-` for standard input.
    pub app_secret_file: Option<PathBuf>,
    /// Whose app it is.
    pub app_kind: Option<String>,
    /// The type of the first token.
    pub token_type: Option<String>,
    /// Its label.
    pub label: Option<String>,
    /// The Page, of a Page's token.
    pub page_id: Option<String>,
    /// The file that it is delivered to, and the key in it.
    pub deliver: Option<String>,
    /// What to do where that key or file is missing.
    pub missing: Missing,
    /// Where Graph is, each `PROVIDER=URL`.
    pub endpoints: Vec<String>,
}

/// A first config that is not written yet.
#[derive(Debug)]
pub struct ConfigDraft {
    place: PathBuf,
    text: String,
    first: FirstConfig,
    secret: Option<Secret>,
    /// The file from which the secret was read.
    secret_from: Option<PathBuf>,
    /// The config to ask Meta with: the secret stands in it.
    pub config: Config,
}

/// What was written, and what is left to do.
#[derive(Debug)]
pub struct InitOutcome {
    /// How it ended.
    pub exit: Exit,
    /// The first token, where a person hands an access token over.
    pub hand_over: Option<Label>,
    /// The first token.
    pub first: Option<Label>,
}

/// Gathers what the config is to say, and judges it; a terminal is asked for what is missing.
pub fn draft_config(
    order: &InitOrder,
    environment: &Environment,
    ui: &Ui,
) -> Result<ConfigDraft, CliError> {
    let place = order.place.clone();
    let exists = place.symlink_metadata().is_ok();
    if exists && order.app_id.is_none() {
        return Err(file_exists(&place));
    }
    let first = FirstAnswers { order, environment, ui };
    let kind = first.kind()?;
    let app_id = first.app_id(kind)?;
    let (secret, secret_from) = first.secret(kind)?;
    let token = first.token(kind)?;
    let endpoints = order.endpoints.iter().map(|it| endpoint(it)).collect::<Result<_, _>>()?;
    let first = FirstConfig { kind, app_id, has_secret: secret.is_some(), endpoints, token };
    let text = first.text();
    let unwritten =
        |error: CliError| error.hint("nothing was written; type the command again, corrected");
    config::judge_text(&place, &text, environment).map_err(unwritten)?;
    let asking = secret
        .as_ref()
        .map_or_else(|| Secret::new(text.as_str()), |secret| first.text_to_ask_with(secret));
    let config = config::judge_text(&place, asking.expose(), environment).map_err(unwritten)?;
    Ok(ConfigDraft { place, text, first, secret, secret_from, config })
}

/// Asks Meta about the app, writes the files, and says what to type next. `session` works with the
/// config of the draft.
pub fn init(session: &Session, draft: &ConfigDraft) -> Result<InitOutcome, CliError> {
    let files = NewFiles { draft, environment: &session.environment };
    let missing = files.prepare()?;
    let answers = ask_about_apps(session, &session.graph());
    if let Some(refused) = answers.iter().find_map(|answer| match &answer.credentials {
        CredentialsAnswer::Refused(problem) => Some(problem),
        _ => None,
    }) {
        let words = &draft.first.kind.spec().words;
        let message = format!("Meta refuses its id or secret: {refused}");
        return Err(CliError::new(Exit::InputRefused, "bad_app_credentials", "the app", message)
            .hint(format!(
                "compare both with the app's dashboard ({}); nothing was written",
                words.app_secret
            )));
    }
    for NewFile { path, bytes, mode } in &missing {
        files::create(path, bytes, *mode).map_err(|error| not_written(&error))?;
    }
    let checks: Vec<ConfigCheck> = answers.iter().flat_map(AppAnswer::checks).collect();
    let exit = checks.iter().fold(Exit::Ok, |worst, check| match check.result {
        CheckResult::Error(exit) => worst.or_worse(exit),
        CheckResult::Good | CheckResult::Warning => worst,
    });
    let next = next_commands(draft, &session.environment);
    let ui = &session.ui;
    if ui.format == OutputFormat::Json {
        let said = serde_json::json!({
            "version": report::VERSION,
            "config": draft.place.display().to_string(),
            "files": missing.iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>(),
            "checks": checks.iter().map(ConfigCheck::json).collect::<Vec<_>>(),
            "live": answers.iter().map(AppAnswer::json).collect::<Vec<_>>(),
            "next": next,
        });
        ui.data(&format!("{said:#}\n"))?;
    } else if ui.verbosity > Verbosity::Quiet {
        let mut text: String = checks.iter().map(|check| check.line(ui.style())).collect();
        for NewFile { path, mode, .. } in &missing {
            let _ = writeln!(text, "wrote `{}` (mode {mode:04o})", path.display());
        }
        if missing.is_empty() {
            let place = draft.place.display();
            let _ = writeln!(text, "`{place}` is there already, and says the same");
        }
        for command in &next {
            let _ = writeln!(text, "next: {command}");
        }
        ui.data(&text)?;
    }
    files.advise(ui);
    let token = draft.first.token.as_ref();
    Ok(InitOutcome {
        exit,
        hand_over: token.and_then(FirstToken::handed_over),
        first: token.map(|token| token.label.clone()),
    })
}

/// Answers from options, and from a person for what no option says.
struct FirstAnswers<'a> {
    order: &'a InitOrder,
    environment: &'a Environment,
    ui: &'a Ui,
}

impl FirstAnswers<'_> {
    fn kind(&self) -> Result<Provider, CliError> {
        let order = self.order;
        let of_type = order.token_type.as_deref().and_then(TokenType::from_name);
        if let (None, Some(token_type)) = (&order.app_kind, of_type) {
            return Ok(token_type.provider());
        }
        if order.app_kind.is_none() && !self.ui.can_ask() {
            return Ok(Provider::DEFAULT);
        }
        let prompt = "Kind of app: facebook, instagram or threads [facebook]";
        self.ask("--app-kind", order.app_kind.as_deref(), prompt, |text| match text {
            "" => Ok(Provider::DEFAULT),
            text => {
                Provider::from_name(text).ok_or_else(|| unknown("kind of app", text, Provider::ALL))
            }
        })
    }

    fn app_id(&self, kind: Provider) -> Result<String, CliError> {
        let prompt = format!("{} (digits)", kind.spec().words.app_id);
        self.ask("--app-id", self.order.app_id.as_deref(), &prompt, |text| digits("app id", text))
    }

    /// The app's secret, and the file that it was read from. Instagram and Threads need none.
    fn secret(&self, kind: Provider) -> Result<(Option<Secret>, Option<PathBuf>), CliError> {
        let is_needed = kind == Provider::Facebook;
        if let Some(path) = &self.order.app_secret_file {
            let (text, place) = read_input(path)?;
            let secret = app_secret(&text).map_err(|why| {
                CliError::new(Exit::InputRefused, "bad_app_secret", place, why)
                    .hint("copy the app's secret again, alone, from the app's dashboard")
            })?;
            let is_file = path != Path::new("-");
            return Ok((Some(secret), is_file.then(|| path.clone())));
        }
        let prompt = format!("App secret ({}); it is not shown", kind.spec().words.app_secret);
        loop {
            let Some(typed) = self.ui.ask_secret(&prompt) else {
                return if is_needed {
                    Err(missing("--app-secret-file"))
                } else {
                    Ok((None, None))
                };
            };
            let typed = typed.map_err(|error| no_answer("--app-secret-file", error))?;
            if typed.is_empty() {
                let end = std::io::ErrorKind::UnexpectedEof.into();
                return Err(no_answer("--app-secret-file", end));
            }
            match app_secret(&typed) {
                Ok(secret) => return Ok((Some(secret), None)),
                Err(_) if !is_needed && typed.trim().is_empty() => return Ok((None, None)),
                Err(why) => self.ui.note(&why),
            }
        }
    }

    fn token(&self, kind: Provider) -> Result<Option<FirstToken>, CliError> {
        let Some(token_type) = self.token_type(kind)? else { return Ok(None) };
        let order = self.order;
        let prompt = format!("Label, a name of your own for it [{token_type}]");
        let label = self.ask("--label", order.label.as_deref(), &prompt, |text| {
            let name = if text.is_empty() { token_type.as_str() } else { text };
            match Label::parse(name) {
                Ok(label) if label.as_discovered().is_none() => Ok(label),
                Ok(_) => Err(usage(&format!("invalid label `{name}`"))
                    .hint("use letters, digits, `-` and `_`")),
                Err(error) => Err(usage(&error.to_string())),
            }
        })?;
        let page_id = match token_type {
            TokenType::Page => {
                let prompt = "ID of the Page (on the Page: About, Page transparency)";
                let given = order.page_id.as_deref();
                Some(self.ask("--page-id", given, prompt, |text| digits("Page id", text))?)
            }
            _ if order.page_id.is_some() => {
                return Err(usage("`--page-id` is for `--type page`"));
            }
            _ => None,
        };
        let first = FirstToken { label, token_type, page_id, deliver: None };
        let deliver = match (&order.deliver, self.asks_about_the_token()) {
            (None, false) => None,
            (given, _) => {
                let prompt = "File and value that it is written into, FILE#KEY [none]";
                let read = |text: &str| self.target(text, kind, &first);
                self.ask("--deliver", given.as_deref(), prompt, read)?
            }
        };
        Ok(Some(FirstToken { deliver, ..first }))
    }

    /// Whether the person answers what a first token is to be.
    fn asks_about_the_token(&self) -> bool {
        self.ui.can_ask() && self.order.label.is_none()
    }

    fn token_type(&self, kind: Provider) -> Result<Option<TokenType>, CliError> {
        let order = self.order;
        if order.token_type.is_none() && !self.ui.can_ask() {
            let wants_token =
                [&order.label, &order.page_id, &order.deliver].iter().any(|it| it.is_some());
            return if wants_token { Err(missing("--type")) } else { Ok(None) };
        }
        let types: Vec<TokenType> =
            TokenType::ALL.iter().copied().filter(|it| it.provider() == kind).collect();
        let names: Vec<&str> = types.iter().map(|it| it.as_str()).collect();
        let prompt = format!("Type of the first token: {} [none yet]", names.join(", "));
        self.ask("--type", order.token_type.as_deref(), &prompt, |text| match text {
            "" | "none" => Ok(None),
            text => match TokenType::from_name(text) {
                Some(found) if types.contains(&found) => Ok(Some(found)),
                Some(found) => Err(usage(&format!(
                    "a token of type `{found}` belongs to a {} app, not to a {kind} app",
                    found.provider()
                ))
                .hint(format!("the types of a {kind} app: {}", humanize::list(&names)))),
                None => Err(unknown("type", text, TokenType::ALL)),
            },
        })
    }

    /// `FILE#KEY`, the file as an absolute path: it is typed where the person stands.
    fn target(
        &self,
        text: &str,
        kind: Provider,
        first: &FirstToken,
    ) -> Result<Option<FileAndKey>, CliError> {
        if text.is_empty() || text == "none" {
            return Ok(None);
        }
        let wrong = |why: &str| {
            usage(&format!("invalid target `{text}`: {why}"))
                .hint("write `FILE#KEY`, such as `config.ini#facebook.access_token`")
        };
        let typed = FileAndKey::read(text, self.environment).map_err(wrong)?;
        let file = std::path::absolute(&typed.file).map_err(|error| wrong(&error.to_string()))?;
        let target = FileAndKey { file, missing: self.order.missing, ..typed };
        self.deliverable(target, kind, first).map(Some)
    }

    /// The target, if it can be written; where only the key or the file is missing, a person may have
    /// it added.
    fn deliverable(
        &self,
        target: FileAndKey,
        kind: Provider,
        first: &FirstToken,
    ) -> Result<FileAndKey, CliError> {
        let Err(refused) = self.try_target(&target, kind, first) else { return Ok(target) };
        let added = FileAndKey { missing: Missing::Create, ..target };
        let is_asked = self.order.deliver.is_none();
        if !is_asked || self.try_target(&added, kind, first).is_err() {
            return Err(refused);
        }
        let prompt = format!("`{added}` is not there; add it? yes or no [no]");
        match self.ui.ask(&prompt) {
            Some(Ok(answer)) if ["y", "yes"].contains(&answer.to_lowercase().as_str()) => Ok(added),
            _ => Err(refused),
        }
    }

    /// Tries a delivery of the first token there, as a config with nothing else would make it.
    fn try_target(
        &self,
        target: &FileAndKey,
        kind: Provider,
        first: &FirstToken,
    ) -> Result<(), CliError> {
        let token = FirstToken { deliver: Some(target.clone()), ..first.clone() };
        let app_id = "1".to_owned();
        let alone = FirstConfig {
            kind,
            app_id,
            has_secret: true,
            endpoints: Vec::new(),
            token: Some(token),
        };
        match config::judge_text(&self.order.place, &alone.text(), self.environment) {
            Ok(config) => config
                .tokens
                .iter()
                .try_for_each(|token| check_targets(self.environment.get("PATH"), token)),
            // Of options that is said where the whole config is judged.
            Err(_) if self.order.deliver.is_some() => Ok(()),
            Err(refused) => Err(refused),
        }
    }

    /// The option's answer, or a person's; a wrong one is asked for again.
    fn ask<T>(
        &self,
        flag: &str,
        given: Option<&str>,
        prompt: &str,
        read: impl Fn(&str) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        if let Some(given) = given {
            return read(given.trim());
        }
        loop {
            let Some(typed) = self.ui.ask(prompt) else { return Err(missing(flag)) };
            match read(&typed.map_err(|error| no_answer(flag, error))?) {
                Ok(answer) => return Ok(answer),
                Err(wrong) => self.ui.note(&wrong.render()),
            }
        }
    }
}

/// The files that `init` writes.
struct NewFiles<'a> {
    draft: &'a ConfigDraft,
    environment: &'a Environment,
}

impl NewFiles<'_> {
    /// Makes the folder, and gives the files that are missing, the config last; one that exists and
    /// says something else is an error.
    fn prepare(&self) -> Result<Vec<NewFile>, CliError> {
        let ConfigDraft { place, text, secret, .. } = self.draft;
        let folder = place.parent().unwrap_or(Path::new("/"));
        if !folder.exists() {
            let mode = if self.is_root() { 0o755 } else { 0o700 };
            DirBuilder::new().recursive(true).mode(mode).create(folder).map_err(|error| {
                let folder = folder.display().to_string();
                CliError::new(Exit::Storage, "file_unwritable", folder, "the folder cannot be made")
                    .because(error)
                    .hint("name another one with `--dir DIR`")
            })?;
        }
        config::judge_new_place(place, self.environment.user_id())?;
        let mut missing = Vec::new();
        if let Some(secret) = secret {
            let path = self.secret_file();
            let bytes = Zeroizing::new(format!("{}\n", secret.expose()).into_bytes());
            missing.extend(NewFile::unless_there(path, bytes, PRIVATE)?);
        }
        let mode = if self.is_root() { READABLE } else { PRIVATE };
        let bytes = Zeroizing::new(text.clone().into_bytes());
        missing.extend(NewFile::unless_there(place.clone(), bytes, mode)?);
        for file in &missing {
            files::foresee_create(&file.path).map_err(|error| not_written(&error))?;
        }
        Ok(missing)
    }

    fn secret_file(&self) -> PathBuf {
        self.draft.place.with_file_name(SECRET_FILE)
    }

    fn is_root(&self) -> bool {
        self.environment.user_id() == 0
    }

    /// Says what a person should do about the files, besides the next command.
    fn advise(&self, ui: &Ui) {
        let ConfigDraft { secret_from, secret, config, .. } = self.draft;
        let own = self.secret_file();
        if let Some(from) = secret_from
            && from.canonicalize().ok() != own.canonicalize().ok()
        {
            ui.note(&format!(
                "hint: the app's secret is in `{}` now; delete the other copy: `rm {}`",
                own.display(),
                quoted(from)
            ));
        }
        let owner = |path: &Path| fs::metadata(path.parent()?).ok().map(|it| it.uid());
        let service = owner(&config.store.path).filter(|it| *it != 0);
        if let (true, true, Some(user)) = (self.is_root(), secret.is_some(), service) {
            ui.note(&format!(
                "hint: user {user} owns the store's folder: let it read the secret, and run metatoken as that user: `chown {user} {}`",
                quoted(&own)
            ));
        }
    }
}

/// A file that is missing.
struct NewFile {
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
    mode: u32,
}

impl NewFile {
    /// The file where it is missing; nothing where it is there and holds just that.
    fn unless_there(
        path: PathBuf,
        bytes: Zeroizing<Vec<u8>>,
        mode: u32,
    ) -> Result<Option<Self>, CliError> {
        if path.symlink_metadata().is_err() {
            return Ok(Some(Self { path, bytes, mode }));
        }
        let found = fs::read(&path).map(Zeroizing::new);
        match found {
            Ok(found) if found.trim_ascii() == bytes.trim_ascii() => Ok(None),
            _ => Err(file_exists(&path)),
        }
    }
}

/// The commands that lead on, each with the config where it is not found by itself.
fn next_commands(draft: &ConfigDraft, environment: &Environment) -> Vec<String> {
    let is_found = config::find(None, environment).is_ok_and(|found| found == draft.place);
    let config =
        if is_found { String::new() } else { format!("--config {} ", quoted(&draft.place)) };
    let kind = draft.first.kind;
    let words = match &draft.first.token {
        None => {
            let token_type = kind.spec().tokens[0].token_type;
            vec![format!("add LABEL --type {token_type}")]
        }
        Some(token) => match token.handed_over() {
            None => vec!["refresh".to_owned()],
            Some(label) if label == token.label => vec![format!("exchange {label}")],
            Some(label) => vec![format!("exchange {label}"), format!("refresh {}", token.label)],
        },
    };
    words.into_iter().map(|words| format!("metatoken {config}{words}")).collect()
}

/// What was read as the app's secret, or why it cannot be one.
fn app_secret(text: &str) -> Result<Secret, String> {
    let secret = Secret::new(text).trimmed();
    let looks = secret.expose();
    if looks.is_empty() {
        return Err("the app's secret is empty".to_owned());
    }
    if looks.contains(char::is_whitespace) || looks.contains(char::is_control) {
        return Err(
            "holds more than the app's secret: it has a blank or a line break inside".to_owned()
        );
    }
    if ["EAA", "IGAA", "IGQ", "THAA"].iter().any(|prefix| looks.starts_with(prefix)) {
        return Err("holds an access token, not the app's secret".to_owned());
    }
    Ok(secret)
}

fn digits(what: &str, text: &str) -> Result<String, CliError> {
    let is_id = !text.is_empty() && text.len() <= 32 && text.bytes().all(|it| it.is_ascii_digit());
    let wrong = || usage(&format!("invalid {what} `{text}`")).hint("it has digits only");
    if is_id { Ok(text.to_owned()) } else { Err(wrong()) }
}

fn endpoint(text: &str) -> Result<(Provider, String), CliError> {
    let read = text
        .split_once('=')
        .and_then(|(name, url)| Some((Provider::from_name(name)?, url.to_owned())));
    read.ok_or_else(|| {
        usage(&format!("invalid endpoint `{text}`")).hint("write `facebook=https://HOST`")
    })
}

fn unknown<T: std::fmt::Display>(what: &str, text: &str, all: &[T]) -> CliError {
    let names: Vec<String> = all.iter().map(ToString::to_string).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    usage(&format!("unknown {what} `{text}`")).hint(format!("write {}", humanize::list(&names)))
}

fn usage(message: &str) -> CliError {
    CliError::new(Exit::Usage, "usage", "", message)
}

fn missing(flag: &str) -> CliError {
    usage(&format!("`{flag}` is missing, and there is no terminal to ask on"))
        .hint(format!("add `{flag}`; `metatoken help init` has examples"))
}

fn no_answer(flag: &str, error: std::io::Error) -> CliError {
    CliError::new(Exit::Usage, "usage", "", "there was no answer; nothing was written")
        .because(error)
        .hint(format!("answer it, or add `{flag}`"))
}

fn file_exists(path: &Path) -> CliError {
    let subject = path.display().to_string();
    let message = "is there already, and `init` overwrites nothing";
    let complaint = CliError::new(Exit::Usage, "file_exists", subject, message);
    if path.ends_with(SECRET_FILE) {
        return complaint
            .hint(format!("to use the secret in it: `--app-secret-file {}`", quoted(path)))
            .hint(format!("or move it away: `mv {0} {0}.old`", quoted(path)));
    }
    complaint
        .hint(format!("what it lacks: `metatoken --config {} config check`", quoted(path)))
        .hint("another token: `metatoken add LABEL --type TYPE`; another config: `--dir DIR`")
}

fn not_written(error: &FileError) -> CliError {
    let file = error.path().display().to_string();
    if let FileError::Exists(path) = error {
        return file_exists(path);
    }
    let mut complaint = CliError::new(Exit::Storage, "file_unwritable", file, "cannot be written");
    complaint.causes.push(error.source().map_or_else(|| error.message(), ToString::to_string));
    complaint.hint(match error {
        FileError::FolderUnwritable { folder, .. } => format!(
            "name another folder with `--dir DIR`; who may write in this one: `ls -ld {}`",
            quoted(folder)
        ),
        FileError::Unwritten(..) => {
            "make room there and type the command again: it goes on where it stopped".to_owned()
        }
        _ => error.hint().unwrap_or_else(|| "name another folder with `--dir DIR`".to_owned()),
    })
}
