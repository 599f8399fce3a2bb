//! Finds, judges and reads the operator's file, and turns it into what it means.
//!
//! Each table has a file here that reads its keys: one line asks for a key and one field holds it.
//! Every mistake is gathered, so that one look at the screen is enough to fix them all: each with
//! its place, the line with secrets hidden, and what was probably meant. Secrets are named here,
//! not read; that is for [`Secrets`], when one is first needed.

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
mod http;
mod notify;
mod permissions;
mod placeholder;
mod policy;
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
mod tokens;
mod wording;

use std::path::Path;
use std::sync::{Arc, LazyLock};

use toml_edit::{Document, TableLike};

pub use self::alerts::AlertSettings;
pub use self::apps::AppSetting;
pub use self::contested::{ContestedTarget, contested};
pub use self::diagnostic::ConfigError;
pub use self::duration::{BadDuration, parse_duration};
pub use self::find::find;
pub use self::http::HttpSettings;
pub use self::notify::{
    ChannelKind, NotifySetting, SmtpSecurity, SmtpSetting, WebhookFormat, mailbox,
};
pub use self::schema::{KeySchema, Schema, TableSchema};
pub use self::secrets::{SecretError, Secrets};
pub use self::settings::Config;
pub use self::show::{Brackets, Description, ShownTable, ShownValue, ValueOrigin};
pub use self::source::SecretSource;
pub use self::store::{KeySetting, StoreSettings, default_store};
pub use self::target::{FileTarget, FirstDelivery, FormatFrom, Place, Rules, Target, Writing};
pub use self::tokens::{Pages, TokenConfig};

use self::diagnostic::{FileId, SourceText};
use self::notify::{ChannelRead, Labels};
use self::permissions::JudgedFile;
use self::policy::Layers;
use self::reader::{Purpose, Reader};
use self::reserved::Reserved;
use self::tokens::Surroundings;
use crate::environment::Environment;
use crate::error::CliError;

/// Reads and judges the config at `path`.
pub fn load(path: &Path, environment: &Environment) -> Result<Config, CliError> {
    let (config, _) = read(path, environment, Purpose::Use)?;
    Ok(config)
}

/// Reads and judges the config at `path`, and shows what is in force.
pub fn describe(path: &Path, environment: &Environment) -> Result<Description, CliError> {
    let (_, description) = read(path, environment, Purpose::Show)?;
    Ok(description)
}

/// The keys of every table, as the readers ask for them.
pub fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        let nowhere = Path::new("/");
        let reader = Reader::new(Purpose::Learn, FileId::default(), nowhere, schema);
        read_tables(&reader, None, nowhere, &Environment::default());
        reader.into_schema()
    });
    &SCHEMA
}

fn read(
    path: &Path,
    environment: &Environment,
    purpose: Purpose,
) -> Result<(Config, Description), CliError> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let file = JudgedFile::read(&path, environment.user_id())?;
    let (config, description) = parse(&path, &file.text, environment, purpose)?;
    if config.holds_a_secret() {
        file.may_hold_secrets(&path)?;
    }
    if let Some(ca_file) = &config.http.ca_file {
        permissions::judge_ca_file(ca_file, &path, environment.user_id())?;
    }
    Ok((config, description))
}

/// Reads a config's text as if it stood at `path`, which is absolute; touches no file.
fn parse(
    path: &Path,
    text: &str,
    environment: &Environment,
    purpose: Purpose,
) -> Result<(Config, Description), ConfigError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let file = FileId::default();
    let reader = Reader::new(purpose, file, folder, schema);
    let document = Document::parse(text);
    let table = document.as_ref().map(|document| document.as_table() as &dyn TableLike);
    if let Err(error) = &document {
        reader.report(syntax::explain(text, error, |bytes| reader.span(bytes)));
    }
    let config = read_tables(&reader, table.ok(), path, environment);
    let (diagnostics, tables) = reader.finish();
    match diagnostics.into_refused(&[SourceText { path, text }], schema) {
        Some(refused) => Err(refused),
        None => Ok((config, Description::new(path, tables, schema()))),
    }
}

/// Reads every table; the config counts only if no mistake was noted.
fn read_tables(
    reader: &Reader<'_>,
    table: Option<&dyn TableLike>,
    path: &Path,
    environment: &Environment,
) -> Config {
    let top = reader.top(table);
    let store = store::read(&top, environment);
    let http = http::read(&top);
    let endpoints = http::read_endpoints(&top);
    let apps = apps::read(&top);
    let token_tables = top.named("token", "LABEL", "The tokens");
    let drafts = tokens::read(&token_tables);
    let page_tables = tokens::all_pages::tables(&token_tables);
    let all_pages = tokens::all_pages::read(&page_tables);
    let defaults = top.table("defaults", "What holds for every token that does not say otherwise");
    policy::read(Layers {
        own: &defaults,
        all_pages: None,
        parent: None,
        defaults: &defaults.nowhere(),
    });
    let alerts_table = top.table("alerts", "What monitoring reads");
    let channel_tables = top.list("notify", "Who is told, and how");
    let channels = notify::read(&channel_tables);

    let mut reserved = Reserved::new(path, &store);
    for app in &apps {
        for (key, source) in &app.sources {
            let name = wording::quoted(&format!("[app.{}]", app.name));
            reserved.reserve_source(source, format!("holds the `{key}` of {name}"));
        }
    }
    for (key, source) in channels.iter().filter_map(ChannelRead::secret) {
        reserved.reserve_source(source, format!("holds the `{key}` of a `[[notify]]`"));
    }
    let alerts = alerts::read(&alerts_table, &reserved);
    if let Some(textfile) = &alerts.textfile {
        reserved.reserve_file(textfile, "is where the metrics go");
    }

    let labels = Labels::of(&drafts);
    let defaults = defaults.quiet();
    let around = Surroundings {
        reader,
        apps: &apps,
        defaults: &defaults,
        reserved: &reserved,
        all_pages: &all_pages,
    };
    let tokens = tokens::resolve(drafts, around).into_iter().map(Arc::new);
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
        alerts,
        notify,
    }
}

#[cfg(test)]
mod tests;
