//! The config as metatoken understands it: every value, and where it came from.
//!
//! The description is data; rendering it as text or JSON is the last step. Secrets appear as
//! references, a literal one as `(literal)`.

use std::fmt::Write as _;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::Config;
use super::settings::{
    AppSetting, Endpoints, HttpSettings, KeySetting, Origin, Origins, Pages, StoreSettings,
    TokenSetting,
};
use super::source::SecretSource;
use crate::policy::{Limits, Parent, Subject, words};
use crate::token::Provider;

/// A config in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The file.
    pub path: String,
    /// Its tables, in the order in which they are documented.
    pub tables: Vec<Table>,
}

/// One table of a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its path: `store`, or `token` and a label.
    pub path: Vec<String>,
    /// Its values.
    pub entries: Vec<Entry>,
}

/// One value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: &'static str,
    /// The value; null when there is none.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

impl Description {
    /// TOML with the origin of every value behind it; what has no value is a comment.
    pub fn to_text(&self) -> String {
        let mut text = format!("# {}\n", self.path);
        for table in &self.tables {
            let path: Vec<String> = table.path.iter().map(|part| toml_key(part)).collect();
            let _ = write!(text, "\n[{}]\n", path.join("."));
            let lines: Vec<String> = table.entries.iter().map(Entry::to_toml).collect();
            let width = lines.iter().map(|line| line.chars().count()).filter(|width| *width <= 48);
            let width = width.max().unwrap_or(0);
            for (line, entry) in lines.iter().zip(&table.entries) {
                let _ = writeln!(text, "{line:width$}  # {}", entry.origin);
            }
        }
        text
    }

    /// The same as JSON: every value with its origin beside it.
    pub fn to_json(&self) -> Value {
        let mut root = Map::new();
        root.insert("version".to_owned(), json!(1));
        root.insert("path".to_owned(), json!(self.path));
        for table in &self.tables {
            let entries = table.entries.iter().map(|entry| {
                let value = json!({ "value": entry.value, "origin": entry.origin.to_string() });
                (entry.key.to_owned(), value)
            });
            let mut place = &mut root;
            for part in &table.path {
                let inner = place.entry(part.clone()).or_insert_with(|| json!({}));
                place = inner.as_object_mut().expect("a table is an object");
            }
            place.extend(entries);
        }
        Value::Object(root)
    }
}

impl Entry {
    fn to_toml(&self) -> String {
        match &self.value {
            Value::Null => format!("# {} is not set", self.key),
            value => format!("{} = {}", self.key, toml_value(value)),
        }
    }
}

fn toml_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if key.chars().all(bare) { key.to_owned() } else { toml_string(key) }
}

fn toml_string(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

fn toml_value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => toml_string(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(toml_value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| format!("{} = {}", toml_key(key), toml_value(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

impl Config {
    /// What is in force, for `config show`.
    pub fn describe(&self) -> Description {
        let mut tables = vec![store(&self.store), http(&self.http), endpoints(&self.endpoints)];
        tables.extend(self.apps.iter().map(app));
        tables.extend(self.tokens.iter().map(token));
        Description { path: self.path.display().to_string(), tables }
    }
}

/// Puts values and origins side by side.
struct Writer<'a> {
    origins: &'a Origins,
    entries: Vec<Entry>,
}

impl<'a> Writer<'a> {
    fn new(origins: &'a Origins) -> Self {
        Self { origins, entries: Vec::new() }
    }

    fn put(&mut self, key: &'static str, value: impl Into<Value>) -> &mut Self {
        let origin = self.origins.get(key).cloned().unwrap_or(Origin::BuiltIn);
        self.entries.push(Entry { key, value: value.into(), origin });
        self
    }

    /// A limit whose default is longer where only a person can renew the token.
    fn put_limit(&mut self, key: &'static str, limit: TimeDelta, otherwise: Origin) -> &mut Self {
        let origin = self.origins.get(key).filter(|origin| **origin != Origin::BuiltIn);
        let origin = origin.cloned().unwrap_or(otherwise);
        self.entries.push(Entry { key, value: json!(time(limit)), origin });
        self
    }

    fn table(self, path: &[&str]) -> Table {
        Table { path: path.iter().map(|part| (*part).to_owned()).collect(), entries: self.entries }
    }
}

fn store(store: &StoreSettings) -> Table {
    let mut writer = Writer::new(&store.origins);
    let key = match &store.key {
        KeySetting::Beside(path) => json!({ "file": path.to_string_lossy() }),
        KeySetting::Given(source) => source.describe(),
    };
    writer
        .put("path", store.path.to_string_lossy().into_owned())
        .put("key", key)
        .put("keep_events", time(store.keep_events));
    writer.table(&["store"])
}

fn http(http: &HttpSettings) -> Table {
    let std_time = |duration| TimeDelta::from_std(duration).unwrap_or_default();
    let mut writer = Writer::new(&http.origins);
    writer
        .put("timeout", time(std_time(http.timeout)))
        .put("concurrency", http.concurrency)
        .put("attempts", http.attempts)
        .put("run_deadline", time(std_time(http.run_deadline)))
        .put("ca_file", http.ca_file.as_ref().map(|path| path.to_string_lossy().into_owned()));
    writer.table(&["http"])
}

fn endpoints(endpoints: &Endpoints) -> Table {
    let mut writer = Writer::new(&endpoints.origins);
    writer
        .put("facebook", endpoints.facebook.as_str())
        .put("instagram", endpoints.instagram.as_str())
        .put("threads", endpoints.threads.as_str());
    writer.table(&["endpoints"])
}

fn app(app: &AppSetting) -> Table {
    let mut writer = Writer::new(&app.origins);
    // The id is public; a literal one may be shown.
    let id = match &app.id {
        SecretSource::Literal(id) => json!(id.expose()),
        reference => reference.describe(),
    };
    // Threads' own version is no setting: shown as one, it would be refused when read again.
    let version = (app.kind != Provider::Threads).then_some(app.graph_version.as_str());
    writer
        .put("kind", app.kind.as_str())
        .put("id", id)
        .put("secret", app.secret.as_ref().map(SecretSource::describe))
        .put("graph_version", version);
    writer.table(&["app", &app.name])
}

fn token(token: &TokenSetting) -> Table {
    let mut writer = Writer::new(&token.origins);
    writer
        .put("type", token.token_type.as_str())
        .put("app", token.app.as_str())
        .put("parent", token.parent.as_ref().map(ToString::to_string))
        .put("page_id", token.page_id.clone());
    match &token.pages {
        Pages::None => writer.put("pages", Value::Null),
        Pages::All { except } => writer.put("pages", "all").put("except", except.clone()),
    };
    writer
        .put("was", token.was.as_ref().map(ToString::to_string))
        .put("access_token", token.access_token.as_ref().map(SecretSource::describe));
    policy(&mut writer, token);
    writer.table(&["token", token.label.as_str()])
}

fn policy(writer: &mut Writer<'_>, token: &TokenSetting) {
    let (subject, policy) = (subject(token), &token.policy);
    let (warn, critical) = if subject.only_a_person_can_renew() {
        let note = Origin::Implied("built in, as only a person can renew it");
        (note.clone(), note)
    } else {
        (
            Origin::Implied("built in; 14d where only a person can renew it"),
            Origin::Implied("built in; 7d where only a person can renew it"),
        )
    };
    let reminders: Vec<String> = policy.reminders.iter().copied().map(time).collect();
    writer
        .put("enabled", policy.enabled)
        .put("auto_refresh", policy.auto_refresh)
        .put("refresh_within", time(policy.refresh_within))
        .put("verify_every", time(policy.verify_every))
        .put("proof_within", limits(policy.proof_within))
        .put_limit("warn_within", subject.warn_within(), warn)
        .put_limit("critical_within", subject.critical_within(), critical)
        .put("data_access_within", limits(policy.data_access_within))
        .put("validation_interval", time(policy.validation_interval))
        .put("required_scopes", policy.required_scopes.clone())
        .put("required_targets", policy.required_targets.clone())
        .put("rotate_after", policy.rotate_after.map(time))
        .put("reminders", reminders)
        .put("keep_generations", policy.keep_generations)
        .put("keep_for", time(policy.keep_for))
        .put("owner", policy.owner.clone());
}

/// The token as the judgement sees it before anything is stored.
fn subject(token: &TokenSetting) -> Subject<'_> {
    let parent = token.parent.as_ref().map(|label| Parent { label, credential: None });
    Subject {
        label: &token.label,
        token_type: token.token_type,
        policy: &token.policy,
        credential: None,
        parent,
        throttled_until: None,
    }
}

fn time(duration: TimeDelta) -> String {
    words::duration(duration)
}

fn limits(limits: Limits) -> Value {
    json!([time(limits.warning), time(limits.critical)])
}
