//! From what the file says to what it means.
//!
//! Defaults are filled in, names are looked up, and whatever takes two values to be seen wrong is
//! noted. Nothing behind this line asks again whether a value may be invalid.

mod address;
mod alerts;
mod apps;
mod belonging;
mod collisions;
mod endpoint;
mod graph_version;
mod notify;
mod nouns;
mod own;
mod places;
mod policy;
mod relations;
mod slot;
mod targets;
mod tokens;

use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use serde_spanned::Spanned;

use self::belonging::Apps;
use self::own::Own;
pub use self::places::default_store;
use super::mistake::Faults;
use super::settings::{Endpoints, HttpSettings, Origin, Origins};
use super::wire::{EndpointsWire, Given, HttpWire, Wire};
use super::{Config, source::SecretSource};
use crate::environment::Environment;
use crate::graph;
use crate::token::Provider;

/// Resolves the whole file; the config counts only if no fault was noted.
pub(super) fn resolve(
    path: &Path,
    wire: Wire,
    environment: &Environment,
    faults: &mut Faults,
) -> Config {
    let has_literal = has_literal(&wire);
    let apps = Apps::of(&wire.apps);
    let store = places::store(path, &wire.store, environment);
    let own = Own::of(path, &store, &wire);
    let alerts = alerts::resolve(&wire.alerts, &own, faults);
    let own = own.and_written(alerts.textfile.as_ref(), "is where the metrics go");
    Config {
        path: path.to_owned(),
        store,
        http: http(path, &wire.http),
        endpoints: endpoints(wire.endpoints, faults),
        tokens: tokens::resolve(&wire.tokens, &apps, &own, &wire.defaults, faults),
        apps: wire.apps.into_iter().filter_map(|app| apps::resolve(app, faults)).collect(),
        alerts,
        notify: notify::resolve(&wire.notify, &wire.tokens, faults),
        has_literal,
        places: std::sync::OnceLock::new(),
        defaults: wire.defaults,
    }
}

pub(super) use self::policy::of_discovered_page;

/// A value of the file or the default for it, with its origin written down.
fn given_or<T>(
    given: Given<T>,
    default: T,
    key: &'static str,
    table: &str,
    origins: &mut Origins,
) -> T {
    let origin = if given.is_some() { Origin::Table(table.to_owned()) } else { Origin::BuiltIn };
    origins.insert(key, origin);
    given.map_or(default, Spanned::into_inner)
}

/// A value of the file, which may well lack it, with its origin written down.
fn given_or_none<T>(
    given: Given<T>,
    key: &'static str,
    table: &str,
    origins: &mut Origins,
) -> Option<T> {
    let given = given.map(|given| Spanned::new(given.span(), Some(given.into_inner())));
    given_or(given, None, key, table, origins)
}

fn has_literal(wire: &Wire) -> bool {
    let apps = wire.apps.iter().map(|app| &app.body.secret);
    let tokens = wire.tokens.iter().map(|token| &token.body.access_token);
    let channels = wire.notify.iter().filter_map(|channel| Some(channel.via.secret()?.1));
    std::iter::once(&wire.store.key)
        .chain(apps)
        .chain(tokens)
        .flatten()
        .map(Spanned::get_ref)
        .chain(channels)
        .any(SecretSource::is_literal)
}

fn http(path: &Path, wire: &HttpWire) -> HttpSettings {
    let mut origins = Origins::new();
    let ca_file = wire
        .ca_file
        .as_ref()
        .map(|file| Spanned::new(file.span(), places::absolute(path, file.get_ref())));
    HttpSettings {
        timeout: duration(given_or(
            wire.timeout.clone(),
            TimeDelta::seconds(30),
            "timeout",
            "http",
            &mut origins,
        )),
        concurrency: given_or(wire.concurrency.clone(), 8, "concurrency", "http", &mut origins)
            as usize,
        attempts: given_or(wire.attempts.clone(), 4, "attempts", "http", &mut origins),
        run_deadline: duration(given_or(
            wire.run_deadline.clone(),
            TimeDelta::minutes(15),
            "run_deadline",
            "http",
            &mut origins,
        )),
        ca_file: given_or_none(ca_file, "ca_file", "http", &mut origins),
        origins,
    }
}

fn duration(duration: TimeDelta) -> Duration {
    duration.to_std().unwrap_or_default()
}

fn endpoints(wire: EndpointsWire, faults: &mut Faults) -> Endpoints {
    let mut origins = Origins::new();
    let metas = graph::Endpoints::default();
    let mut host = |given: Given<String>, provider: Provider| {
        let key = provider.as_str();
        let given = given.and_then(|given| {
            let url = endpoint::check(key, &given, faults)?;
            Some(Spanned::new(given.span(), url))
        });
        given_or(given, metas.url(provider).to_owned(), key, "endpoints", &mut origins)
    };
    Endpoints {
        facebook: host(wire.facebook, Provider::Facebook),
        instagram: host(wire.instagram, Provider::Instagram),
        threads: host(wire.threads, Provider::Threads),
        origins,
    }
}
