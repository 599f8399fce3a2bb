//! What a document says, whatever its format: enough to tell two of them apart.
//!
//! Names keep their order and may stand twice; a number is compared as it is written where the
//! parser shows that, so that no respelling goes unseen.

use std::fmt;

use saphyr_parser::ScalarStyle;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml_edit::{Array, Item, TableLike, Value};
use zeroize::Zeroizing;

use crate::edit::{EditError, File, Format, json, toml, yaml};

/// A value of a document.
#[derive(PartialEq)]
pub(super) struct Tree {
    /// Which kind it is, with tag and anchor where there are such.
    pub(super) note: String,
    pub(super) content: Content,
}

#[derive(PartialEq)]
pub(super) enum Content {
    One(Zeroizing<String>),
    Named(Vec<(Tree, Tree)>),
    List(Vec<Tree>),
}

impl Tree {
    /// The root of every document in the file; a file with nothing in it has none.
    pub(super) fn documents(file: &File<'_>) -> Result<Vec<Self>, EditError> {
        if file.is_blank() {
            return Ok(Vec::new());
        }
        match file.format {
            Format::Toml => {
                let text = file.text()?;
                Ok(vec![Self::from_table(text, toml::parse(file)?.as_table())])
            }
            Format::Json => {
                let root = serde_json::from_str(file.text()?);
                Ok(vec![root.map_err(|error| json::unparsable(file, &error))?])
            }
            _ => Ok(yaml::Node::documents(file)?.iter().map(Self::from_node).collect()),
        }
    }

    /// Whether it is one value with that text.
    pub(super) fn is_called(&self, name: &str) -> bool {
        matches!(&self.content, Content::One(text) if text.as_str() == name)
    }

    /// Whether it is a place for a value that has none yet.
    pub(super) fn is_nothing(&self) -> bool {
        self.note == "Plain" && self.is_called("")
    }

    fn one(note: impl Into<String>, text: impl Into<String>) -> Self {
        Self { note: note.into(), content: Content::One(Zeroizing::new(text.into())) }
    }

    fn named(note: impl Into<String>, entries: Vec<(Self, Self)>) -> Self {
        Self { note: note.into(), content: Content::Named(entries) }
    }

    fn list(note: impl Into<String>, items: Vec<Self>) -> Self {
        Self { note: note.into(), content: Content::List(items) }
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
