//! The operator's file: found, judged, read, and turned into what it means.
//!
//! `wire` is what the file says and `resolve` what it means. Between them every mistake is
//! gathered, so that one look at the screen is enough to mend them all: each with its place, the
//! line with secrets masked, and what was probably meant. Secrets are named here, not read; that
//! is for [`Secrets`], when one is first needed.

mod command;
mod describe;
mod duration;
mod find;
mod mask;
mod mistake;
mod resolve;
mod secret_variables;
mod secrets;
mod settings;
mod source;
mod trusted;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use self::describe::{Brackets, Description, Entry, Table};
pub use self::duration::{BadDuration, parse_duration};
pub use self::find::find;
pub use self::mistake::{Mistake, Refused};
pub use self::resolve::default_store;
pub use self::secrets::{SecretError, Secrets};
pub use self::settings::{
    AlertSettings, AppSetting, Endpoints, HttpSettings, KeySetting, NotifySetting, Origin, Origins,
    Pages, SmtpSetting, StoreSettings, TokenSetting, Via,
};
pub use self::source::SecretSource;

use self::mistake::Faults;
use self::trusted::Trusted;
use crate::complaint::Complaint;
use crate::environment::Environment;
use crate::token::{Label, TokenType};

/// A config without a mistake.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// Where tokens are kept.
    pub store: StoreSettings,
    /// How Graph is called.
    pub http: HttpSettings,
    /// Where Graph is.
    pub endpoints: Endpoints,
    /// The apps, in the order of the file.
    pub apps: Vec<AppSetting>,
    /// The tokens, in the order of the file.
    pub tokens: Vec<TokenSetting>,
    /// What monitoring is told.
    pub alerts: AlertSettings,
    /// The ways to people, in the order of the file.
    pub notify: Vec<NotifySetting>,
    /// Whether whoever reads the file reads a secret.
    has_literal: bool,
    /// Where in `tokens` a label stands, and a declared Page.
    places: OnceLock<Places>,
    /// `[defaults]`, for pages that no table names.
    defaults: wire::PolicyWire,
}

/// Where in the config's tokens one of them stands.
#[derive(Debug, Clone, Default)]
struct Places {
    labels: HashMap<Label, usize>,
    /// By the label of the parent and the id of the Page.
    pages: HashMap<Label, HashMap<String, usize>>,
}

/// Reads and judges the config at `path`.
pub fn load(path: &Path, environment: &Environment) -> Result<Config, Complaint> {
    read(path, environment).map_err(Complaint::from)
}

/// Like [`load`], but keeps the mistakes apart for a caller that renders them itself.
pub fn read(path: &Path, environment: &Environment) -> Result<Config, Refused> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let trusted = Trusted::read(&path, environment.user_id()).map_err(Refused::Unfit)?;
    let config = parse(&path, &trusted.text, environment)?;
    if config.has_literal {
        trusted.may_hold_secrets(&path).map_err(Refused::Unfit)?;
    }
    if let Some(ca_file) = &config.http.ca_file {
        trusted::judge_ca_file(ca_file, &path, environment.user_id()).map_err(Refused::Unfit)?;
    }
    Ok(config)
}

/// Reads a config's text as if it stood at `path`, which is absolute; touches no file.
pub fn parse(path: &Path, text: &str, environment: &Environment) -> Result<Config, Refused> {
    let mut faults = Faults::default();
    let folder = path.parent().unwrap_or(Path::new("/"));
    let wire = wire::read(text, folder, &mut faults);
    let config = resolve::resolve(path, wire, environment, &mut faults);
    match faults.into_mistakes(path, text) {
        Some(refused) => Err(refused),
        None => Ok(config),
    }
}

impl Config {
    /// A resolver for the secrets that this config names.
    pub fn secrets(&self, environment: &Environment) -> Secrets {
        Secrets::new(environment.clone(), self.environment_of_programs(environment))
    }

    /// The token of that label, if the file declares it.
    pub fn token(&self, label: &Label) -> Option<&TokenSetting> {
        self.places().labels.get(label).map(|place| &self.tokens[*place])
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(|| {
            let mut places = Places::default();
            for (place, token) in self.tokens.iter().enumerate() {
                places.labels.entry(token.label.clone()).or_insert(place);
                if let (Some(parent), Some(page_id)) = (&token.parent, &token.page_id) {
                    let pages = places.pages.entry(parent.clone()).or_default();
                    pages.entry(page_id.clone()).or_insert(place);
                }
            }
            places
        })
    }

    /// The app of that name.
    pub fn app(&self, name: &str) -> Option<&AppSetting> {
        self.apps.iter().find(|app| app.name == name)
    }

    /// The token that the file declares for a Page of `parent`; it takes the discovered one's place.
    pub fn declared_page(&self, parent: &Label, page_id: &str) -> Option<&TokenSetting> {
        let place = self.places().pages.get(parent)?.get(page_id)?;
        Some(&self.tokens[*place])
    }

    /// The settings of a Page that was discovered under `parent`: declared, or the parent's.
    pub fn page(&self, parent: &TokenSetting, page_id: &str) -> TokenSetting {
        if let Some(declared) = self.declared_page(&parent.label, page_id) {
            return declared.clone();
        }
        let (policy, mut origins) = resolve::of_discovered_page(
            &parent.label,
            &parent.policy,
            &parent.origins,
            &self.defaults,
        );
        for key in ["type", "app", "parent", "page_id"] {
            origins.insert(key, Origin::Parent(parent.label.clone()));
        }
        TokenSetting {
            label: Label::discovered(&parent.label, page_id),
            was: None,
            token_type: TokenType::Page,
            app: parent.app.clone(),
            parent: Some(parent.label.clone()),
            page_id: Some(page_id.to_owned()),
            pages: Pages::None,
            access_token: None,
            deliver: Vec::new(),
            policy,
            origins,
            delivery_origins: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests;
