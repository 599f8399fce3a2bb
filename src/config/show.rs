//! Shows the config as metatoken understands it: every value, and where it came from.
//!
//! Readers note what they were told; rendering it as text or JSON is the last step. Secrets appear
//! as references, a literal one as `(literal)`.

use std::fmt;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::schema::Schema;
use crate::config::Writing;
use crate::edit::Format;
use crate::policy::{Limits, PageDetail, Promote, humanize};
use crate::token::{Label, NotificationEvent, Pattern, Provider, TokenType};

/// How wide a line with its remark may be.
const ROOM: usize = 80;

/// A config in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub path: String,
    /// Its tables, in the order in which they are documented.
    pub tables: Vec<ShownTable>,
}

/// One table of a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownTable {
    /// Its path: `store`, or `token` and a label.
    pub path: Vec<String>,
    /// Whether there may be more of that path.
    pub brackets: Brackets,
    pub entries: Vec<ShownValue>,
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
pub struct ShownValue {
    pub key: &'static str,
    /// The value; null when there is none.
    pub value: Value,
    pub origin: ValueOrigin,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueOrigin {
    /// The table of the config that it belongs to, such as `http` or `token.brand`.
    Table(String),
    /// The token's parent.
    Parent(Label),
    Defaults,
    /// It follows from something else, such as the label or the only app.
    Implied(&'static str),
    /// The config does not say; metatoken does.
    BuiltIn,
}

impl fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(table) => f.write_str(table),
            Self::Parent(label) => write!(f, "parent {label}"),
            Self::Defaults => f.write_str("defaults"),
            Self::Implied(by) => f.write_str(by),
            Self::BuiltIn => f.write_str("built in"),
        }
    }
}

impl Description {
    /// Describes the file at `path`; the tables are put into the order of `schema`, which is learnt only
    /// where there are any.
    pub(super) fn new(
        path: &Path,
        mut tables: Vec<ShownTable>,
        schema: fn() -> &'static Schema,
    ) -> Self {
        tables.sort_by_cached_key(|table| schema().rank(&table.path[0]));
        Self { path: path.display().to_string(), tables }
    }

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
            let lines: Vec<String> = table.entries.iter().map(ShownValue::to_toml).collect();
            let width = lines.iter().map(|line| line.chars().count()).filter(|width| *width <= 48);
            let width = width.max().unwrap_or(0);
            for (line, entry) in lines.iter().zip(&table.entries) {
                text.push_str(&remarked(line, width, &entry.origin.to_string()));
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

impl ShownValue {
    fn to_toml(&self) -> String {
        match &self.value {
            Value::Null => format!("# {} is not set", self.key),
            value => format!("{} = {}", self.key, toml_value(value)),
        }
    }
}

/// A line with a remark behind it: below the others of its table if there is room, otherwise right
/// behind it, otherwise above.
fn remarked(line: &str, width: usize, remark: &str) -> String {
    let room = ROOM.saturating_sub("  # ".len() + remark.chars().count());
    if width.max(line.chars().count()) <= room {
        format!("{line:width$}  # {remark}\n")
    } else if line.chars().count() <= room {
        format!("{line}  # {remark}\n")
    } else {
        format!("# {remark}\n{line}\n")
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

/// A value that `config show` can show.
pub trait Shown {
    /// The value as JSON has it; a secret as a reference.
    fn shown(&self) -> Value;
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> Value {
        self.as_ref().map_or(Value::Null, Shown::shown)
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(&self) -> Value {
        self.iter().map(Shown::shown).collect()
    }
}

impl Shown for PathBuf {
    fn shown(&self) -> Value {
        json!(self.to_string_lossy())
    }
}

impl Shown for TimeDelta {
    fn shown(&self) -> Value {
        json!(humanize::duration(*self))
    }
}

impl Shown for Duration {
    fn shown(&self) -> Value {
        TimeDelta::from_std(*self).unwrap_or_default().shown()
    }
}

impl Shown for Limits {
    fn shown(&self) -> Value {
        vec![self.warning, self.critical].shown()
    }
}

impl Shown for Label {
    fn shown(&self) -> Value {
        json!(self.as_str())
    }
}

impl Shown for Pattern {
    fn shown(&self) -> Value {
        json!(self.as_str())
    }
}

/// Shows what JSON has a form for, and words out of a list.
macro_rules! shown {
    (json: $($json:ty),*; words: $($words:ty),* $(,)?) => {
        $(impl Shown for $json {
            fn shown(&self) -> Value {
                json!(self)
            }
        })*
        $(impl Shown for $words {
            fn shown(&self) -> Value {
                json!(self.as_str())
            }
        })*
    };
}

shown! {
    json: bool, u16, u32, String;
    words: Promote, Provider, TokenType, Format, Writing, NotificationEvent, PageDetail,
}
