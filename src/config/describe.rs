//! The config as metatoken understands it: every value, and where it came from.
//!
//! The description is data; rendering it as text or JSON is the last step. Secrets appear as
//! references, a literal one as `(literal)`.

mod notify;
mod target;
mod token;

use std::fmt::Write as _;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::Config;
use super::settings::{
    AlertSettings, AppSetting, Endpoints, HttpSettings, KeySetting, Origin, Origins, StoreSettings,
};
use super::source::SecretSource;
use crate::policy::words;
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
    /// Whether there may be more of that path.
    pub brackets: Brackets,
    /// Its values.
    pub entries: Vec<Entry>,
}

/// How a table's header is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brackets {
    /// `[path]`: the only one.
    Single,
    /// `[[path]]`: one of a list.
    Double,
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
            let path = path.join(".");
            let _ = match table.brackets {
                Brackets::Single => write!(text, "\n[{path}]\n"),
                Brackets::Double => write!(text, "\n[[{path}]]\n"),
            };
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
            let Some((last, above)) = table.path.split_last() else { continue };
            let mut place = &mut root;
            for part in above {
                place = within(place, part);
            }
            match table.brackets {
                Brackets::Single => within(place, last).extend(entries),
                Brackets::Double => {
                    let rows = place.entry(last.clone()).or_insert_with(|| json!([]));
                    let rows = rows.as_array_mut().expect("a list of tables is an array");
                    rows.push(Value::Object(entries.collect()));
                }
            }
        }
        Value::Object(root)
    }
}

fn within<'a>(place: &'a mut Map<String, Value>, part: &str) -> &'a mut Map<String, Value> {
    let inner = place.entry(part.to_owned()).or_insert_with(|| json!({}));
    inner.as_object_mut().expect("a table is an object")
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
        for each in &self.tokens {
            tables.push(token::table(each));
            tables.extend(target::tables(each));
        }
        tables.push(alerts(&self.alerts));
        tables.extend(self.notify.iter().map(notify::table));
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

    fn table(self, path: &[&str]) -> Table {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        Table { path, brackets: Brackets::Single, entries: self.entries }
    }

    fn one_of_many(self, path: &[&str]) -> Table {
        Table { brackets: Brackets::Double, ..self.table(path) }
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
        .put("keep_events", time(store.keep_events))
        .put("unsafe_filesystem", store.unsafe_filesystem);
    writer.table(&["store"])
}

fn http(http: &HttpSettings) -> Table {
    let mut writer = Writer::new(&http.origins);
    writer
        .put("timeout", std_time(http.timeout))
        .put("concurrency", http.concurrency)
        .put("attempts", http.attempts)
        .put("run_deadline", std_time(http.run_deadline))
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

fn alerts(alerts: &AlertSettings) -> Table {
    let mut writer = Writer::new(&alerts.origins);
    writer
        .put("textfile", alerts.textfile.as_ref().map(|path| path.to_string_lossy().into_owned()))
        .put("run_every", alerts.run_every.map(time))
        .put("prefix", alerts.prefix.clone());
    writer.table(&["alerts"])
}

fn time(duration: TimeDelta) -> String {
    words::duration(duration)
}

fn std_time(duration: Duration) -> String {
    time(TimeDelta::from_std(duration).unwrap_or_default())
}
