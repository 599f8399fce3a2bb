//! Finds, judges and reads the operator's file, and turns it into what it means.
//!
//! Each table has a file here that reads its keys: one line asks for a key and one field holds it.
//! Every mistake is gathered, so that one look at the screen is enough to fix them all: each with
//! its place, the line with secrets hidden, and what was probably meant. Secrets are named here,
//! not read; that is for [`Secrets`], when one is first needed.

mod additions;
mod address;
mod alerts;
mod apps;
mod command;
mod conflicts;
mod contested;
mod deliver;
mod diagnostic;
mod duration;
mod find;
mod first;
mod http;
mod new_token;
mod notify;
mod path_mistake;
mod permissions;
mod placeholder;
mod policy;
mod probe;
mod reader;
mod redact;
mod reserved;
mod schema;
mod secret_form;
mod secrets;
mod settings;
mod show;
mod source;
mod store;
mod syntax;
mod target;
mod token_files;
mod tokens;
mod wording;

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use toml_edit::{Document, TableLike, TomlError};

pub use self::additions::LeftOut;
pub use self::alerts::{AlertSettings, LoginLinks};
pub use self::apps::AppSetting;
pub use self::contested::{ContestedTarget, contested};
pub use self::diagnostic::{ConfigError, MISTAKEN};
pub use self::duration::parse_duration;
pub use self::find::{find, usual_place};
pub use self::first::{FIRST_APP, FirstConfig, FirstToken, secret_file};
pub use self::http::HttpSettings;
pub use self::new_token::{FileAndKey, NewToken};
pub use self::notify::{
    BodyTemplate, ChannelKind, NotifySetting, Placeholder, Recipients, SmtpSecurity, SmtpSetting,
    WebhookContent, WebhookFormat, WebhookSetting, mailbox,
};
pub use self::permissions::judge_new_place;
pub use self::probe::probe_misfit;
pub use self::schema::Schema;
pub use self::secrets::{SecretError, Secrets};
pub use self::settings::Config;
pub use self::show::Description;
pub use self::source::SecretSource;
pub use self::store::{KeySetting, StoreSettings, default_store};
pub use self::target::{FileTarget, FirstDelivery, FormatFrom, Place, Rules, Target, Writing};
pub use self::token_files::NewTokenFile;
pub use self::tokens::{OwnerFrom, Pages, TokenConfig, TokenUse};
pub use self::wording::nearest;

pub use crate::edit::Missing;

use self::additions::{Additions, CheckedFiles};
use self::diagnostic::{FileId, MistakePages, SourceText};
use self::notify::{ChannelRead, Labels};
use self::permissions::JudgedFile;
use self::policy::Layers;
use self::reader::{Purpose, Reader, Section};
use self::reserved::Reserved;
use self::token_files::{TokenFile, TokenFiles};
use self::tokens::Surroundings;
use crate::environment::Environment;
use crate::error::CliError;

/// Reads and judges the config at `path`.
pub fn load(path: &Path, environment: &Environment) -> Result<Config, CliError> {
    let (config, _) = read(path, environment, Purpose::Use, &Change::None)?;
    Ok(config)
}

/// Reads and judges this text as the config that it would be at `path`, where nothing needs to be yet;
/// what `tokens.d` declares is left out.
pub fn judge_text(path: &Path, text: &str, environment: &Environment) -> Result<Config, CliError> {
    let none = TokenFiles::default();
    let (config, _) = parse(path, &ConfigText::of(text), &none, environment, Purpose::Use)?;
    Ok(config)
}

/// Judges this text as the config at `path`, together with what `tokens.d` declares there.
pub fn judge_change(
    path: &Path,
    text: &str,
    environment: &Environment,
) -> Result<Config, CliError> {
    let text = ConfigText::of(text);
    let store = store_path(path, &text, environment);
    let files = TokenFiles::read(path, &store, environment.user_id())?;
    let (config, _) = parse(path, &text, &files, environment, Purpose::Use)?;
    Ok(config)
}

/// Reads and judges the config at `path` as it would be without these files of `tokens.d`.
pub fn load_without(
    path: &Path,
    environment: &Environment,
    gone: &[Arc<Path>],
) -> Result<Config, CliError> {
    let (config, _) = read(path, environment, Purpose::Use, &Change::Without(gone))?;
    Ok(config)
}

/// Reads and judges the config at `path` as it would be with one more file in `tokens.d`.
pub fn load_with(
    path: &Path,
    environment: &Environment,
    new: &NewTokenFile,
) -> Result<Config, CliError> {
    load_with_all(path, environment, std::slice::from_ref(new))
}

/// Reads and judges the config at `path` as it would be with these files more in `tokens.d`.
pub fn load_with_all(
    path: &Path,
    environment: &Environment,
    new: &[NewTokenFile],
) -> Result<Config, CliError> {
    let (config, _) = read(path, environment, Purpose::Use, &Change::With(new))?;
    Ok(config)
}

/// What is different in `tokens.d` from what is there.
enum Change<'a> {
    None,
    Without(&'a [Arc<Path>]),
    With(&'a [NewTokenFile]),
}

impl Change<'_> {
    fn apply(&self, files: &mut TokenFiles) {
        match self {
            Self::None => {}
            Self::Without(gone) => files.fit.retain(|file| !gone.contains(&file.path)),
            Self::With(new) => files.fit.extend(new.iter().map(TokenFile::of_new)),
        }
    }
}

/// Reads and judges the config at `path`, and shows what is in force.
pub fn describe(path: &Path, environment: &Environment) -> Result<(Config, Description), CliError> {
    read(path, environment, Purpose::Show, &Change::None)
}

/// The keys of every table, as the readers ask for them.
pub fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        let nowhere = Path::new("/");
        let reader = Reader::new(Purpose::Learn, FileId::default(), nowhere, schema);
        let files = Additions::default();
        read_tables(&reader, None, &files, nowhere, &Environment::default());
        reader.into_schema()
    });
    &SCHEMA
}

fn read(
    path: &Path,
    environment: &Environment,
    purpose: Purpose,
    change: &Change<'_>,
) -> Result<(Config, Description), CliError> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let file = JudgedFile::read(&path, environment.user_id())?;
    let text = ConfigText::of(&file.text);
    let store = store_path(&path, &text, environment);
    let mut files = TokenFiles::read(&path, &store, environment.user_id())?;
    let as_read = files.digest(&file);
    change.apply(&mut files);
    let (mut config, description) = parse(&path, &text, &files, environment, purpose)?;
    config.as_read = as_read;
    if config.holds_a_secret() {
        file.may_hold_secrets(&path)?;
    }
    if let Some(ca_file) = &config.http.ca_file {
        permissions::judge_ca_file(ca_file, &path, environment.user_id())?;
    }
    Ok((config, description))
}

/// A config's text, and what it is as TOML.
struct ConfigText<'a> {
    text: &'a str,
    document: Result<Document<&'a str>, TomlError>,
}

impl<'a> ConfigText<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, document: Document::parse(text) }
    }

    fn table(&self) -> Option<&dyn TableLike> {
        self.document.as_ref().ok().map(|document| document.as_table() as &dyn TableLike)
    }
}

/// Where the store is, as far as the config can be read: token files may lie beside it.
fn store_path(path: &Path, text: &ConfigText<'_>, environment: &Environment) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let reader = Reader::new(Purpose::Use, FileId::CONFIG, folder, schema);
    let top = reader.top(text.table());
    top.silence();
    store::read(&top, environment).path
}

/// Reads a config's text as if it stood at `path`, which is absolute, together with the files of
/// `tokens.d`; touches no file.
fn parse(
    path: &Path,
    config_text: &ConfigText<'_>,
    files: &TokenFiles,
    environment: &Environment,
    purpose: Purpose,
) -> Result<(Config, Description), ConfigError> {
    let text = config_text.text;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let of_files = files.fit.iter().map(|it| SourceText { name: &it.name, text: &it.text });
    let sources: Vec<SourceText<'_>> =
        std::iter::once(SourceText { name: &name, text }).chain(of_files).collect();
    let mut pages = MistakePages::new(&sources, schema);

    let table = config_text.table();
    let mut checked = CheckedFiles::new(&files.fit, &files.unfit);
    checked.take_out_doubled(table);
    loop {
        let reader = Reader::new(purpose, FileId::CONFIG, folder, schema);
        if let Err(error) = &config_text.document {
            reader.report(syntax::explain(text, error, |bytes| reader.span(bytes)));
        }
        let open = |file, folder| Reader::new(purpose, file, folder, schema);
        let mut additions = checked.additions(table, open);
        let mut config = read_tables(&reader, table, &additions, path, environment);
        let (mut diagnostics, mut tables) = reader.finish();
        for addition in additions.read.drain(..) {
            let (of_file, shown) = addition.reader.finish();
            diagnostics.extend(of_file.in_order());
            tables.extend(shown);
        }
        let mistakes = diagnostics.in_order();
        if mistakes.iter().any(|mistake| mistake.file() == FileId::CONFIG) {
            let all = mistakes.iter().chain(checked.mistakes());
            let mistakes = all.map(|mistake| pages.mistake(mistake)).collect();
            return Err(ConfigError { path: path.to_owned(), mistakes });
        }
        if mistakes.is_empty() {
            config.left_out = checked.left_out(&additions, &files.unfit, &mut pages);
            return Ok((config, Description::new(path, tables, schema)));
        }
        drop(additions);
        checked.take_out(mistakes);
    }
}

/// Reads every table; the config counts only if no mistake was noted.
fn read_tables(
    reader: &Reader<'_>,
    table: Option<&dyn TableLike>,
    additions: &Additions<'_>,
    path: &Path,
    environment: &Environment,
) -> Config {
    let top = reader.top(table);
    let more = additions.read.iter();
    let more: Vec<Section<'_>> = more.map(|it| it.reader.top(Some(it.table))).collect();
    let store = store::read(&top, environment);
    let http = http::read(&top);
    let endpoints = http::read_endpoints(&top);
    let apps = apps::read(&top);
    let token_tables = tokens::tables(&top, &more, additions);
    let drafts = tokens::read(&token_tables);
    let page_tables = tokens::all_pages::tables(&token_tables);
    let all_pages = tokens::all_pages::read(&page_tables);
    let defaults = top.table("defaults", "What holds for every token that does not say otherwise");
    let default_policy = policy::read(Layers {
        own: &defaults,
        all_pages: None,
        parent: None,
        defaults: &defaults.nowhere(),
        token_type: None,
    });
    let alerts_table = top.table("alerts", "What monitoring reads");
    let channel_tables = top.list("notify", "Who is notified, and how");
    let channels = notify::read(&channel_tables);

    let mut reserved = Reserved::new(path, &store);
    reserve_secrets(&mut reserved, &apps, &channels);
    let alerts = alerts::read(&alerts_table, &reserved);
    if let Some(page) = &alerts.page {
        reserved.reserve_file(&page.path, "is where the page goes");
    }
    if let Some(textfile) = &alerts.textfile {
        reserved.reserve_file(textfile, "is where the metrics go");
    }

    let labels = Labels::of(&drafts, additions.some_are_left_out);
    let defaults = defaults.quiet();
    let around = Surroundings {
        reader,
        additions,
        path: path.to_string_lossy().into(),
        apps: &apps,
        defaults: &defaults,
        reserved: &reserved,
        all_pages: &all_pages,
    };
    let tokens = tokens::resolve(drafts, &around).into_iter().map(Arc::new);
    let tokens: Vec<Arc<TokenConfig>> = tokens.collect();
    let notify = notify::resolve(channels, &labels, reader);
    let apps = apps.into_iter().filter_map(|app| app.setting).collect();
    let by_label = tokens.iter().enumerate().map(|(at, token)| (token.label.clone(), at));
    let by_page = tokens
        .iter()
        .enumerate()
        .filter_map(|(at, token)| Some(((token.parent.clone()?, token.page_id.clone()?), at)));
    Config {
        path: path.to_owned(),
        by_label: by_label.collect(),
        by_page: by_page.collect(),
        reserved: Arc::new(reserved),
        store,
        http,
        endpoints,
        apps,
        tokens,
        default_policy,
        alerts,
        notify,
        left_out: Vec::new(),
        as_read: 0,
    }
}

/// Keeps targets away from the files that hold the secrets of apps and channels.
fn reserve_secrets(reserved: &mut Reserved, apps: &[apps::AppRead], channels: &[ChannelRead]) {
    for app in apps {
        for (key, source) in &app.sources {
            let name = wording::quoted(&format!("[app.{}]", app.name));
            reserved.reserve_source(source, format!("holds the `{key}` of {name}"));
        }
    }
    for (key, source) in channels.iter().flat_map(ChannelRead::secrets) {
        reserved.reserve_source(source, format!("holds the `{key}` of a `[[notify]]`"));
    }
}

impl Config {
    /// Reads the config once more, and gives it if any of its files has changed since.
    pub fn read_again(&self, environment: &Environment) -> Result<Option<Self>, CliError> {
        let file = JudgedFile::read(&self.path, environment.user_id())?;
        // Where the store is stands in that file: it moves only with a change that is seen below.
        let files = TokenFiles::read(&self.path, &self.store.path, environment.user_id())?;
        if files.digest(&file) == self.as_read {
            return Ok(None);
        }
        load(&self.path, environment).map(Some)
    }
}

#[cfg(test)]
mod tests;
