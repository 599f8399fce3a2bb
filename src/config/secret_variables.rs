//! Which environment variables lead to secrets, so that no program that we start inherits them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::notify::ChannelKind;
use super::store::KeySetting;
use super::{Config, SecretSource};
use crate::deliver::Place;
use crate::environment::Environment;

/// Where systemd puts the credentials of a unit.
pub(super) const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

fn variable(source: &SecretSource) -> Option<&str> {
    match source {
        SecretSource::Env(name) => Some(name),
        _ => None,
    }
}

impl Config {
    /// Every SECRET of the config.
    fn secret_sources(&self) -> impl Iterator<Item = &SecretSource> {
        let apps = self.apps.iter().flat_map(|app| [Some(&app.id), app.secret.as_ref()]);
        let tokens = self.tokens.iter().map(|token| token.access_token.as_ref());
        let key = match &self.store.key {
            KeySetting::Given(source) => Some(source),
            KeySetting::Beside(_) => None,
        };
        let channels = self.notify.iter().map(|channel| channel.kind.secret());
        apps.chain(tokens).chain(channels).chain([key]).flatten()
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
        let targets = self.tokens.iter().flat_map(|token| &token.deliver);
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
        let secret = self.secret_variables();
        let mut left = ours.variables().clone();
        left.retain(|name, _| {
            name != CREDENTIALS
                && !name.starts_with("METATOKEN_")
                && !secret.contains(name.as_str())
        });
        left
    }
}
