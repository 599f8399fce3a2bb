//! Holds what a config means, and answers questions about it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Place;
use super::diagnostic::mistaken;
use super::notify::ChannelKind;
use super::reserved::Reserved;
use super::secrets::CREDENTIALS;
use super::{
    AlertSettings, AppSetting, HttpSettings, KeySetting, LeftOut, NotifySetting, OwnerFrom, Pages,
    SecretSource, Secrets, StoreSettings, TokenConfig,
};
use crate::environment::Environment;
use crate::error::CliError;
use crate::graph::Endpoints;
use crate::policy::Policy;
use crate::token::{Label, TokenType};

/// A config without a mistake.
#[derive(Debug, Clone)]
pub struct Config {
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
    pub tokens: Vec<Arc<TokenConfig>>,
    /// How a token is treated that has no table.
    pub default_policy: Policy,
    /// What monitoring is told.
    pub alerts: AlertSettings,
    /// The ways to people, in the order of the file.
    pub notify: Vec<NotifySetting>,
    /// The files of `tokens.d`, and the tokens, that do not count until they are fixed.
    pub left_out: Vec<LeftOut>,
    /// A digest of the files that it was read from.
    pub(super) as_read: u64,
    pub(super) by_label: HashMap<Label, usize>,
    pub(super) by_page: HashMap<(Label, String), usize>,
    pub(super) reserved: Arc<Reserved>,
}

impl Config {
    /// A resolver for the secrets that this config names.
    pub fn secrets(&self, environment: &Environment) -> Secrets {
        Secrets::new(environment.clone(), self.environment_of_programs(environment))
    }

    /// Refuses a config of which something is left out, with every mistake in it.
    pub fn refuse_left_out(&self) -> Result<(), CliError> {
        if self.left_out.is_empty() {
            return Ok(());
        }
        let mistakes: Vec<&str> =
            self.left_out.iter().flat_map(|it| &it.rendered).map(String::as_str).collect();
        Err(mistaken(&self.path, &mistakes))
    }

    /// The token of that label, if the file declares it.
    pub fn token(&self, label: &Label) -> Option<&TokenConfig> {
        self.by_label.get(label).map(|at| &*self.tokens[*at])
    }

    /// The token that was called so before, by its own word.
    pub fn formerly(&self, label: &Label) -> Option<&TokenConfig> {
        let mut tokens = self.tokens.iter().map(|token| &**token);
        tokens.find(|token| token.former_label() == Some(label))
    }

    /// Whether another program said whose the token is; a Page is its parent's.
    pub fn is_imported(&self, label: &Label) -> bool {
        let parent = || Label::parse(label.as_discovered()?.0).ok();
        let token = self.token(label).or_else(|| self.token(&parent()?));
        token.is_some_and(|token| token.owner_from == OwnerFrom::Import)
    }

    /// The app of that name.
    pub fn app(&self, name: &str) -> Option<&AppSetting> {
        self.apps.iter().find(|app| app.name == name)
    }

    /// The token that the file declares for a Page of `parent`; it takes the discovered one's place.
    pub fn declared_page(&self, parent: &Label, page_id: &str) -> Option<&TokenConfig> {
        let at = self.by_page.get(&(parent.clone(), page_id.to_owned()));
        at.map(|at| &*self.tokens[*at])
    }

    /// The settings of a Page that was discovered under `parent`: declared, or the parent's.
    pub fn page(&self, parent: &TokenConfig, page_id: &str) -> TokenConfig {
        if let Some(declared) = self.declared_page(&parent.label, page_id) {
            return declared.clone();
        }
        TokenConfig {
            label: Label::discovered(&parent.label, page_id),
            declared_in: None,
            owner_from: parent.owner_from,
            was: None,
            not_renamed: None,
            token_type: TokenType::Page,
            file: parent.file.clone(),
            app: parent.app.clone(),
            app_id: parent.app_id.clone(),
            app_lacks_secret: parent.app_lacks_secret,
            parent: Some(parent.label.clone()),
            page_id: Some(page_id.to_owned()),
            user_id: None,
            pages: Pages::None,
            business: None,
            mint: None,
            used_for: None,
            access_token: None,
            backup: None,
            deliver: parent
                .page_deliver
                .iter()
                .map(|target| target.of_page(&parent.label, page_id))
                .collect(),
            policy: parent.page_policy.as_deref().unwrap_or(&parent.policy).clone(),
            unasked_probe: None,
            page_policy: None,
            page_deliver: Vec::new(),
        }
    }

    /// The commands that all Pages found under a parent are delivered to.
    pub fn page_commands(&self) -> impl Iterator<Item = Vec<String>> {
        let targets = self.tokens.iter().flat_map(|parent| {
            let shared = parent.page_deliver.iter().filter(|target| target.is_the_same_for_all());
            shared.map(|target| target.of_page(&parent.label, ""))
        });
        targets.filter_map(|target| match target.place {
            Place::Command(argv) => Some(argv),
            Place::File(_) => None,
        })
    }

    /// Every SECRET of the config.
    fn secret_sources(&self) -> impl Iterator<Item = &SecretSource> {
        let apps = self.apps.iter().flat_map(|app| [Some(&app.id), app.secret.as_ref()]);
        let tokens = self.tokens.iter().map(|token| token.access_token.as_ref());
        let key = match &self.store.key {
            KeySetting::Given(source) => Some(source),
            KeySetting::Beside(_) => None,
        };
        let channels = self.notify.iter().flat_map(|channel| channel.kind.secrets());
        let channels = channels.map(|(_, source)| source);
        apps.chain(tokens).chain([key]).flatten().chain(channels)
    }

    /// The variables that the config names as secrets.
    pub fn secret_variables(&self) -> BTreeSet<&str> {
        self.secret_sources().filter_map(variable).collect()
    }

    /// The files that hold secrets of the config, besides the store key.
    pub fn secret_files(&self) -> BTreeSet<&Path> {
        let files = self.secret_sources().filter_map(|source| match source {
            SecretSource::File { path, .. } => Some(path.as_path()),
            _ => None,
        });
        files.collect()
    }

    /// The programs that the config names by a path, of whatever kind.
    pub fn programs(&self) -> BTreeSet<&Path> {
        let secrets = self.secret_sources().filter_map(|source| match source {
            SecretSource::Command(argv) => Some(argv),
            _ => None,
        });
        let targets =
            self.tokens.iter().flat_map(|token| token.deliver.iter().chain(&token.page_deliver));
        let targets = targets.filter_map(|target| match &target.place {
            Place::Command(argv) => Some(argv),
            Place::File(_) => None,
        });
        let channels = self.notify.iter().filter_map(|channel| match &channel.kind {
            ChannelKind::Command(argv) => Some(argv),
            _ => None,
        });
        let all = secrets.chain(targets).chain(channels).filter_map(|argv| argv.first());
        all.map(Path::new).filter(|program| program.is_absolute()).collect()
    }

    /// The variables that a program of any kind inherits from us: none that a SECRET names, no
    /// folder of credentials, and nothing that is meant for us alone.
    pub fn environment_of_programs(&self, ours: &Environment) -> BTreeMap<String, String> {
        let hidden = self.hidden_from_programs(ours);
        let mut left = ours.variables().clone();
        left.retain(|name, _| !hidden.contains(name));
        left
    }

    /// The variables that no program of ours sees: those that hold secrets, and our own.
    pub fn hidden_from_programs(&self, ours: &Environment) -> Vec<String> {
        let secret = self.secret_variables().into_iter().map(str::to_owned);
        let own = ours.variables().keys().filter(|name| name.starts_with("METATOKEN_")).cloned();
        secret.chain(own).chain([CREDENTIALS.to_owned()]).collect()
    }

    /// Whether reading the config itself is reading a secret; the id of an app is none.
    pub(super) fn holds_a_secret(&self) -> bool {
        let key = match &self.store.key {
            KeySetting::Given(source) => Some(source),
            KeySetting::Beside(_) => None,
        };
        let apps = self.apps.iter().map(|app| app.secret.as_ref());
        let own = self.tokens.iter().filter(|token| token.declared_in.is_none());
        let tokens = own.map(|token| token.access_token.as_ref());
        let mut sources = apps.chain(tokens).chain([key]).flatten();
        sources.any(SecretSource::is_literal)
            || self.notify.iter().any(|channel| channel.kind.holds_a_secret())
    }
}

fn variable(source: &SecretSource) -> Option<&str> {
    match source {
        SecretSource::Env(name) => Some(name),
        _ => None,
    }
}
