//! Gathers what a first config is to say: from options, and from a person for what no option says.

use std::path::{Path, PathBuf};

use crate::config::{self, FIRST_APP, FileAndKey, FirstConfig, FirstToken, Missing};
use crate::environment::Environment;
use crate::error::{CliError, visible};
use crate::exit::Exit;
use crate::policy::humanize;
use crate::run::declaration::check_targets;
use crate::session::read_input;
use crate::token::{Label, Provider, Secret, TokenType, unfit_secret};
use crate::ui::Ui;

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

/// Answers from options, and from a person for what no option says.
pub struct FirstAnswers<'a> {
    /// What was typed.
    pub order: &'a InitOrder,
    pub environment: &'a Environment,
    pub ui: &'a Ui,
}

impl FirstAnswers<'_> {
    /// Whose app it is; that may follow from the type of the first token.
    pub fn kind(&self) -> Result<Provider, CliError> {
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

    /// The id of the app.
    pub fn app_id(&self, kind: Provider) -> Result<String, CliError> {
        let prompt = format!("{} (digits)", kind.spec().words.app_id);
        self.ask("--app-id", self.order.app_id.as_deref(), &prompt, |text| digits("app id", text))
    }

    /// The app's secret, and the file that it was read from. Instagram and Threads need none.
    pub fn secret(&self, kind: Provider) -> Result<(Option<Secret>, Option<PathBuf>), CliError> {
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
                Err(why) => self.ui.note(&format!("error: the app's secret: {why}")),
            }
        }
    }

    /// The first token, if there is to be one.
    pub fn token(&self, kind: Provider) -> Result<Option<FirstToken>, CliError> {
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

    /// Where Graph is, if it is not where Meta has it; a config that is there says it already.
    pub fn endpoints(
        &self,
        existing: Option<&Secret>,
    ) -> Result<Vec<(Provider, String)>, CliError> {
        if existing.is_some() && !self.order.endpoints.is_empty() {
            return Err(usage("`--endpoint` is for a first config")
                .hint(format!("write it into `[endpoints]` of `{}`", self.order.place.display())));
        }
        self.order.endpoints.iter().map(|it| endpoint(it)).collect()
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
            usage(&format!("invalid target `{}`: {why}", visible(text)))
                .hint("write `FILE#KEY`, such as `config.ini#facebook.access_token`")
        };
        let typed = FileAndKey::read(text, self.environment).map_err(|why| wrong(&why))?;
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
            existing: None,
            app: FIRST_APP.to_owned(),
            kind,
            app_id,
            has_secret: true,
            endpoints: Vec::new(),
            token: Some(token),
        };
        match config::judge_text(&self.order.place, alone.text().expose(), self.environment) {
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

/// What was read as the app's secret, or why it cannot be one.
fn app_secret(text: &str) -> Result<Secret, String> {
    let secret = Secret::new(text).trimmed();
    match unfit_secret(secret.expose()) {
        Some(why) => Err(why.to_owned()),
        None => Ok(secret),
    }
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
    usage(&format!("unknown {what} `{text}`")).hint(format!("it is one of {}", humanize::list(all)))
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
