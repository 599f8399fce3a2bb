//! Which environment variables hold secrets, so that no program that we start inherits them.

use std::collections::BTreeSet;

use super::settings::KeySetting;
use super::{Config, SecretSource};

fn variable(source: &SecretSource) -> Option<&str> {
    match source {
        SecretSource::Env(name) => Some(name),
        _ => None,
    }
}

impl Config {
    /// The variables that the config names as secrets.
    pub fn secret_variables(&self) -> BTreeSet<&str> {
        let apps = self.apps.iter().flat_map(|app| [Some(&app.id), app.secret.as_ref()]);
        let tokens = self.tokens.iter().map(|token| token.access_token.as_ref());
        let key = match &self.store.key {
            KeySetting::Given(source) => Some(source),
            KeySetting::Beside(_) => None,
        };
        let channels = self.notify.iter().map(|channel| channel.via.secret());
        apps.chain(tokens).chain(channels).chain([key]).flatten().filter_map(variable).collect()
    }
}
