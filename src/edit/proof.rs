//! Proves that two versions of a file differ in one value and in nothing else.
//!
//! Both are read whole by the parser of their format into one kind of tree, which is compared at
//! every place. Names keep their order and may stand twice; a number is compared as it is written
//! where the parser shows that. For INI and env, which have no parser but ours, the lines are
//! compared as they stand. The caller checks that the value itself reads back as given.

use std::fmt;

use saphyr_parser::ScalarStyle;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml_edit::{Array, Item, TableLike, Value};
use zeroize::Zeroizing;

use super::jsonc::Strict;
use super::patch::Change;
use super::{EditError, File, Format, env, ini, json, toml, yaml};

/// Whether nothing differs but what the patch was to change.
pub fn holds(before: &File<'_>, after: &File<'_>, key: &str, change: Change) -> bool {
    compared(before, after, key, change).unwrap_or(false)
}

fn compared(
    before: &File<'_>,
    after: &File<'_>,
    key: &str,
    change: Change,
) -> Result<bool, EditError> {
    Ok(match before.format {
        Format::Raw => true,
        Format::Ini => one_line_differs(&lines_of_ini(before)?, &lines_of_ini(after)?, change),
        Format::Env => one_line_differs(&lines_of_env(before), &lines_of_env(after), change),
        Format::Toml | Format::Json | Format::Yaml => {
            let way = path(before, key)?;
            same_comments(before, after)
                && one_tree_differs(
                    &Tree::documents(before)?,
                    &Tree::documents(after)?,
                    &way,
                    change,
                )
        }
    })
}

/// Whether JSON has the comments that it had; of the others the parsers see none.
fn same_comments(before: &File<'_>, after: &File<'_>) -> bool {
    let comments = |file: &File<'_>| -> Vec<Zeroizing<Vec<u8>>> {
        let comments = Strict::of(file.bytes).comments(file.bytes).into_iter();
        comments.map(|comment| comment.to_vec().into()).collect()
    };
    before.format != Format::Json || comments(before) == comments(after)
}

fn path(file: &File<'_>, key: &str) -> Result<Vec<String>, EditError> {
    Ok(match file.format {
        Format::Toml => toml::path(file, key)?.iter().map(|part| part.get().to_owned()).collect(),
        Format::Json => json::path(key, file)?,
        _ => yaml::path(file, key)?,
    })
}

/// Whether one line holds another value, or one was added.
fn one_line_differs(old: &[Line], new: &[Line], change: Change) -> bool {
    let alike = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    match change {
        Change::Value => {
            old.len() == new.len()
                && old.get(alike).map(|(name, _)| name) == new.get(alike).map(|(name, _)| name)
                && old.get(alike + 1..) == new.get(alike + 1..)
        }
        Change::Key => new.len() == old.len() + 1 && old[alike..] == new[alike + 1..],
    }
}

type Line = (Zeroizing<Vec<u8>>, Zeroizing<Vec<u8>>);

fn lines_of_ini(file: &File<'_>) -> Result<Vec<Line>, EditError> {
    let name = |entry: &ini::IniEntry<'_>| [entry.section, entry.name].join(&b'\n');
    Ok(ini::entries(file)?
        .iter()
        .map(|entry| (name(entry).into(), entry.written.to_vec().into()))
        .collect())
}

fn lines_of_env(file: &File<'_>) -> Vec<Line> {
    let written = |entry: &env::EnvEntry<'_>| file.bytes[entry.at..entry.end()].to_vec();
    env::entries(file)
        .iter()
        .map(|entry| (entry.name.to_vec().into(), written(entry).into()))
        .collect()
}

fn one_tree_differs(old: &[Tree], new: &[Tree], path: &[String], change: Change) -> bool {
    if old.is_empty() {
        return new.len() == 1 && is_changed(None, &new[0], path, change);
    }
    let differing: Vec<_> = old.iter().zip(new).filter(|(old, new)| old != new).collect();
    old.len() == new.len()
        && differing.len() == 1
        && is_changed(Some(differing[0].0), differing[0].1, path, change)
}

/// Whether `new` is `old` with one value at `path` changed or added.
fn is_changed(old: Option<&Tree>, new: &Tree, path: &[String], change: Change) -> bool {
    let Some((part, below)) = path.split_first() else {
        let one = |tree: &Tree| matches!(tree.kind, TreeKind::One(_));
        return one(new)
            && old.map_or(change == Change::Key, |old| change == Change::Value && one(old));
    };
    // Where a YAML key had no value yet, a mapping may come in.
    let old = old.filter(|old| change == Change::Value || !old.is_nothing());
    if old.is_some_and(|old| old.note != new.note) {
        return false;
    }
    match (old.map(|old| &old.kind), &new.kind) {
        (None, TreeKind::Named(new)) => {
            change == Change::Key && one_entry_differs(&[], new, (part, below), change)
        }
        (Some(TreeKind::Named(old)), TreeKind::Named(new)) => {
            one_entry_differs(old, new, (part, below), change)
        }
        (Some(TreeKind::List(old)), TreeKind::List(new)) => {
            let Ok(wanted) = part.parse::<usize>() else { return false };
            let same = |(index, (old, new)): (usize, (&Tree, &Tree))| {
                if index == wanted { is_changed(Some(old), new, below, change) } else { old == new }
            };
            old.len() == new.len() && old.iter().zip(new).enumerate().all(same)
        }
        _ => false,
    }
}

fn one_entry_differs(
    old: &[(Tree, Tree)],
    new: &[(Tree, Tree)],
    (part, below): (&str, &[String]),
    change: Change,
) -> bool {
    let here = |entries: &[(Tree, Tree)]| -> Vec<usize> {
        (0..entries.len()).filter(|index| entries[*index].0.is_called(part)).collect()
    };
    let elsewhere = |(name, _): &&(Tree, Tree)| !name.is_called(part);
    old.iter().filter(elsewhere).eq(new.iter().filter(elsewhere))
        && match (&here(old)[..], &here(new)[..]) {
            ([], [at]) => is_changed(None, &new[*at].1, below, change),
            ([was], [at]) => is_changed(Some(&old[*was].1), &new[*at].1, below, change),
            _ => false,
        }
}

/// A value of a document.
#[derive(PartialEq)]
struct Tree {
    /// Which kind it is, with tag and anchor where there are such.
    pub note: String,
    pub kind: TreeKind,
}

#[derive(PartialEq)]
enum TreeKind {
    One(Zeroizing<String>),
    Named(Vec<(Tree, Tree)>),
    List(Vec<Tree>),
}

impl Tree {
    /// The root of every document in the file; a file with nothing in it has none.
    pub fn documents(file: &File<'_>) -> Result<Vec<Self>, EditError> {
        if file.is_blank() {
            return Ok(Vec::new());
        }
        match file.format {
            Format::Toml => {
                let text = file.text()?;
                Ok(vec![Self::from_table(text, toml::parse(file)?.as_table())])
            }
            Format::Json => Ok(vec![json::parsed(file)?.1]),
            _ => Ok(yaml::Node::documents(file)?.iter().map(Self::from_node).collect()),
        }
    }

    /// Whether it is one value with that text.
    fn is_called(&self, name: &str) -> bool {
        matches!(&self.kind, TreeKind::One(text) if text.as_str() == name)
    }

    /// Whether it is a place for a value that has none yet.
    fn is_nothing(&self) -> bool {
        self.note == "Plain" && self.is_called("")
    }

    fn one(note: impl Into<String>, text: impl Into<String>) -> Self {
        Self { note: note.into(), kind: TreeKind::One(Zeroizing::new(text.into())) }
    }

    fn named(note: impl Into<String>, entries: Vec<(Self, Self)>) -> Self {
        Self { note: note.into(), kind: TreeKind::Named(entries) }
    }

    fn list(note: impl Into<String>, items: Vec<Self>) -> Self {
        Self { note: note.into(), kind: TreeKind::List(items) }
    }

    fn from_table(text: &str, table: &dyn TableLike) -> Self {
        let entries = table.iter().map(|(name, item)| {
            let value = match item {
                Item::None => Self::one("none", ""),
                Item::Value(value) => Self::from_value(text, value),
                Item::Table(table) => Self::from_table(text, table),
                Item::ArrayOfTables(tables) => {
                    let tables = tables.iter().map(|table| Self::from_table(text, table));
                    Self::list("list", tables.collect())
                }
            };
            (Self::one("name", name), value)
        });
        Self::named("table", entries.collect())
    }

    fn from_value(text: &str, value: &Value) -> Self {
        let from_array = |array: &Array| {
            let items = array.iter().map(|value| Self::from_value(text, value));
            Self::list("list", items.collect())
        };
        match value {
            Value::String(value) => Self::one("text", value.value()),
            Value::Array(array) => from_array(array),
            Value::InlineTable(table) => Self::from_table(text, table),
            other => {
                let written = other.span().and_then(|span| text.get(span));
                Self::one(other.type_name(), written.unwrap_or_default())
            }
        }
    }

    fn from_node(node: &yaml::Node) -> Self {
        let tag = node.tag.as_ref().map(|tag| format!(" {tag}")).unwrap_or_default();
        let anchor = if node.anchor > 0 { format!(" &{}", node.anchor) } else { String::new() };
        let mark = |note: &str| format!("{note}{tag}{anchor}");
        match &node.kind {
            yaml::Kind::Scalar { text, style } => {
                Self::one(mark(style_name(*style)), text.as_str())
            }
            yaml::Kind::Alias(anchor) => Self::one("alias", anchor.to_string()),
            yaml::Kind::Mapping { entries, .. } => {
                let pair = |(name, value): &(yaml::Node, yaml::Node)| {
                    (Self::from_node(name), Self::from_node(value))
                };
                Self::named(mark("mapping"), entries.iter().map(pair).collect())
            }
            yaml::Kind::Sequence { items, .. } => {
                Self::list(mark("list"), items.iter().map(Self::from_node).collect())
            }
        }
    }
}

fn style_name(style: ScalarStyle) -> &'static str {
    match style {
        ScalarStyle::Plain => "Plain",
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => "Quoted",
        ScalarStyle::Literal | ScalarStyle::Folded => "Lines",
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Json)
    }
}

/// Takes JSON as it comes, with its order and with names that stand twice.
struct Json;

impl<'de> Visitor<'de> for Json {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::one("null", ""))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::one("bool", value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::one("number", value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::one("number", value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::one("number", format!("{value:e}")))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::one("text", value))
    }

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::one("text", value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::list("list", items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Tree>()? {
            entries.push((Tree::one("name", name), value));
        }
        Ok(Tree::named("object", entries))
    }
}
