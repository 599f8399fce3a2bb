//! What the file says, before anybody asks what it means.
//!
//! Every value keeps its place, and nothing is filled in: an absent key is `None`. What can be
//! seen to be wrong in one value alone is noted here; what takes two is for `resolve`.

mod alerts;
mod argument;
mod argv;
mod choice;
mod deliver;
pub(super) mod known;
mod name;
mod notify;
mod policy;
mod secret;
mod section;
mod syntax;

use std::ops::Range;
use std::path::Path;

use chrono::TimeDelta;
use serde_spanned::Spanned;
use toml_edit::Document;

use self::section::Section;
use super::mistake::Faults;
use super::source::SecretSource;
use crate::token::{Provider, TokenType};

pub(super) use self::alerts::AlertsWire;
pub(super) use self::deliver::{DeliverWire, FileWire, PlaceWire};
pub(super) use self::notify::{EmailWire, NotifyWire, SmtpWire, ViaWire};
pub(super) use self::policy::PolicyWire;
pub(super) use self::section::Given;

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) store: StoreWire,
    pub(super) http: HttpWire,
    pub(super) endpoints: EndpointsWire,
    pub(super) apps: Vec<Named<AppWire>>,
    pub(super) tokens: Vec<Named<TokenWire>>,
    pub(super) defaults: PolicyWire,
    pub(super) alerts: AlertsWire,
    pub(super) notify: Vec<NotifyWire>,
}

/// `[store]`
#[derive(Debug, Default)]
pub(super) struct StoreWire {
    pub(super) path: Given<String>,
    pub(super) key: Given<SecretSource>,
    pub(super) keep_events: Given<TimeDelta>,
    pub(super) unsafe_filesystem: Given<bool>,
}

/// `[http]`
#[derive(Debug, Default)]
pub(super) struct HttpWire {
    pub(super) timeout: Given<TimeDelta>,
    pub(super) concurrency: Given<u32>,
    pub(super) attempts: Given<u32>,
    pub(super) run_deadline: Given<TimeDelta>,
    pub(super) ca_file: Given<String>,
}

/// `[endpoints]`
#[derive(Debug, Default)]
pub(super) struct EndpointsWire {
    pub(super) facebook: Given<String>,
    pub(super) instagram: Given<String>,
    pub(super) threads: Given<String>,
}

/// A table that has a name.
#[derive(Debug)]
pub(super) struct Named<T> {
    pub(super) name: Spanned<String>,
    /// Where a complaint about the table as a whole points.
    pub(super) span: Range<usize>,
    pub(super) body: T,
}

/// `[app.NAME]`
#[derive(Debug)]
pub(super) struct AppWire {
    pub(super) kind: Given<Provider>,
    /// Whether `kind` is there at all, known or not.
    pub(super) has_kind: bool,
    pub(super) id: Given<SecretSource>,
    /// Whether `id` is there at all, readable or not.
    pub(super) has_id: bool,
    pub(super) secret: Given<SecretSource>,
    /// Whether `secret` is there at all, readable or not.
    pub(super) has_secret: bool,
    pub(super) graph_version: Given<String>,
}

/// `[token.LABEL]`
#[derive(Debug)]
pub(super) struct TokenWire {
    pub(super) token_type: Given<TokenType>,
    /// Whether `type` is there at all, known or not.
    pub(super) has_type: bool,
    pub(super) app: Given<String>,
    pub(super) parent: Given<String>,
    pub(super) page_id: Given<String>,
    /// Whether `page_id` is there at all, readable or not.
    pub(super) has_page_id: bool,
    pub(super) pages: Given<String>,
    pub(super) except: Given<Vec<Spanned<String>>>,
    pub(super) was: Given<String>,
    pub(super) access_token: Given<SecretSource>,
    pub(super) deliver: Vec<DeliverWire>,
    pub(super) policy: PolicyWire,
}

/// Reads the text of a config; relative paths in it begin at `folder`.
pub(super) fn read(text: &str, folder: &Path, faults: &mut Faults) -> Wire {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            syntax::explain(text, &error, faults);
            return Wire::default();
        }
    };
    let top = Section::open(document.as_table(), known::TOP, 0..0, faults);
    Wire {
        store: top
            .child("store", known::STORE, faults)
            .map(|section| store(&section, folder, faults))
            .unwrap_or_default(),
        http: top
            .child("http", known::HTTP, faults)
            .map(|section| http(&section, faults))
            .unwrap_or_default(),
        endpoints: top
            .child("endpoints", known::ENDPOINTS, faults)
            .map(|section| endpoints(&section, faults))
            .unwrap_or_default(),
        apps: named(&top, "app", known::APP, faults, |section, faults| {
            app(section, folder, faults)
        }),
        tokens: named(&top, "token", known::TOKEN, faults, |section, faults| {
            token(section, folder, faults)
        }),
        defaults: top
            .child("defaults", known::DEFAULTS, faults)
            .map(|section| PolicyWire::read(&section, faults))
            .unwrap_or_default(),
        alerts: top
            .child("alerts", known::ALERTS, faults)
            .map(|section| AlertsWire::read(&section, faults))
            .unwrap_or_default(),
        notify: notify::read_all(&top, folder, faults),
    }
}

fn named<T>(
    top: &Section<'_>,
    key: &str,
    vocabulary: known::Vocabulary,
    faults: &mut Faults,
    read: impl Fn(&Section<'_>, &mut Faults) -> T,
) -> Vec<Named<T>> {
    let children = top.children(key, vocabulary, faults);
    let named = children.into_iter().map(|(name, section)| Named {
        name,
        span: section.span.clone(),
        body: read(&section, faults),
    });
    named.collect()
}

fn store(section: &Section<'_>, folder: &Path, faults: &mut Faults) -> StoreWire {
    StoreWire {
        path: section.path("path", faults),
        key: secret::read(section, "key", folder, faults),
        keep_events: section.positive("keep_events", faults),
        unsafe_filesystem: section.boolean("unsafe_filesystem", faults),
    }
}

fn http(section: &Section<'_>, faults: &mut Faults) -> HttpWire {
    HttpWire {
        timeout: section.positive("timeout", faults),
        concurrency: section.number("concurrency", 1..=32, faults),
        attempts: section.number("attempts", 1..=10, faults),
        run_deadline: section.positive("run_deadline", faults),
        ca_file: section.path("ca_file", faults),
    }
}

fn endpoints(section: &Section<'_>, faults: &mut Faults) -> EndpointsWire {
    EndpointsWire {
        facebook: section.string("facebook", faults),
        instagram: section.string("instagram", faults),
        threads: section.string("threads", faults),
    }
}

fn app(section: &Section<'_>, folder: &Path, faults: &mut Faults) -> AppWire {
    AppWire {
        kind: choice::read(section, "kind", "kind of app", Provider::ALL, faults),
        has_kind: section.has("kind"),
        id: secret::read(section, "id", folder, faults),
        has_id: section.has("id"),
        secret: secret::read(section, "secret", folder, faults),
        has_secret: section.has("secret"),
        graph_version: section.string("graph_version", faults),
    }
}

fn token(section: &Section<'_>, folder: &Path, faults: &mut Faults) -> TokenWire {
    TokenWire {
        token_type: choice::read(section, "type", "type", TokenType::ALL, faults),
        has_type: section.has("type"),
        app: section.string("app", faults),
        parent: section.string("parent", faults),
        page_id: section.string("page_id", faults),
        has_page_id: section.has("page_id"),
        pages: section.string("pages", faults),
        except: section.strings("except", faults),
        was: section.string("was", faults),
        access_token: secret::read(section, "access_token", folder, faults),
        deliver: deliver::read_all(section, folder, faults),
        policy: PolicyWire::read(section, faults),
    }
}
