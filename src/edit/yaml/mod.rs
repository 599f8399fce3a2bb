//! YAML, by a tree of the values and their bytes.

mod node;
mod plain;

use saphyr_parser::ScalarStyle;

pub(super) use self::node::{Kind, Layout, Node};
pub(super) use self::plain::{may_be_plain, not_text};
use super::{Content, EditError, File, Site};

/// Finds what is at a dotted path; a number picks from a sequence.
pub(super) fn find(file: &File<'_>, key: &str) -> Result<Site, EditError> {
    let documents = Node::documents(file)?;
    let node = Way::to(file, &documents, key)?.node;
    Ok(Site { span: node.span.clone(), content: content(node) })
}

fn content(node: &Node) -> Content {
    match &node.kind {
        Kind::Scalar { text, style: ScalarStyle::Literal | ScalarStyle::Folded } => {
            Content::Lines(text.clone())
        }
        Kind::Scalar { text, style } => match not_text(text) {
            Some(what) if *style == ScalarStyle::Plain && node.tag.is_none() => {
                Content::Scalar(what)
            }
            _ => Content::Text(text.clone()),
        },
        Kind::Alias(_) => Content::Other("an alias"),
        Kind::Mapping { .. } => Content::Other("a mapping"),
        Kind::Sequence { .. } => Content::Other("a list"),
    }
}

/// The parts of a dotted path.
pub(super) fn path<'a>(file: &File<'_>, key: &'a str) -> Result<Vec<&'a str>, EditError> {
    let parts: Vec<&str> = key.split('.').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err(EditError::BadKey { key: key.to_owned(), format: file.format });
    }
    Ok(parts)
}

/// A node with the nodes that lead to it.
#[derive(Clone)]
pub(super) struct Way<'a> {
    /// From the root to the parent.
    pub(super) above: Vec<&'a Node>,
    /// Its name in the parent, if that is a mapping.
    pub(super) name: Option<&'a Node>,
    pub(super) node: &'a Node,
}

impl<'a> Way<'a> {
    /// The way to the only node at `key` in all documents.
    pub(super) fn to(file: &File<'_>, documents: &'a [Node], key: &str) -> Result<Self, EditError> {
        let path = path(file, key)?;
        let mut ways = Vec::new();
        for root in documents {
            match Self::from(root).along(file, key, &path) {
                Ok(way) => ways.push((way.place(), way)),
                Err(EditError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        file.only(key, ways)
    }

    fn along(self, file: &File<'_>, key: &str, path: &[&str]) -> Result<Self, EditError> {
        path.iter().try_fold(self, |way, part| {
            file.only(key, way.step(part).into_iter().map(|way| (way.place(), way)).collect())
        })
    }

    /// The way that has not begun yet.
    pub(super) fn from(root: &'a Node) -> Self {
        Self { above: Vec::new(), name: None, node: root }
    }

    /// Every way on by `part`; more than one if a name is there twice.
    pub(super) fn step(&self, part: &str) -> Vec<Self> {
        let on = |name: Option<&'a Node>, node: &'a Node| {
            let above = self.above.iter().copied().chain([self.node]).collect();
            Self { above, name, node }
        };
        match &self.node.kind {
            Kind::Mapping { entries, .. } => entries
                .iter()
                .filter(|(name, _)| name.text() == Some(part))
                .map(|(name, node)| on(Some(name), node))
                .collect(),
            Kind::Sequence { items, .. } => {
                let item = part.parse().ok().and_then(|index: usize| items.get(index));
                item.map(|node| on(None, node)).into_iter().collect()
            }
            Kind::Scalar { .. } | Kind::Alias(_) => Vec::new(),
        }
    }

    /// Where it begins: its name, or itself.
    pub(super) fn place(&self) -> usize {
        self.name.unwrap_or(self.node).span.start
    }
}

#[cfg(test)]
mod tests {
    use crate::edit::Format::Yaml;
    use crate::edit::tests::found;

    #[test]
    fn a_dotted_path_leads_to_one_string() {
        let text = "# é: no\r\ntop: plain # why\r\nfacebook:\r\n  note: \"ünï\"   # c\r\n  access_token : \"EAA\\x66ake\"   # old\r\n  single: 'it''s'\r\n  id: 1173190721520267\r\n  on: yes\r\n  flow: { a: 'x', b: [p, \"q\"] }\r\n  tagged: !!str 12\r\n  nothing:\r\nlist:\r\n  - one\r\n  - k: v\r\n? [odd, key]\r\n: x\r\nanchor: &a text\r\nalias: *a\r\nlast: z";
        for (key, expected) in [
            ("top", "plain <plain> 2"),
            ("facebook.note", "ünï <\"ünï\"> 4"),
            ("facebook.access_token", "EAAfake <\"EAA\\x66ake\"> 5"),
            ("facebook.single", "it's <'it''s'> 6"),
            ("facebook.id", "the key `facebook.id` holds a number, not text: line 7"),
            ("facebook.on", "the key `facebook.on` holds true or false, not text: line 8"),
            ("facebook.flow.a", "x <'x'> 9"),
            ("facebook.flow.b.1", "q <\"q\"> 9"),
            ("facebook.tagged", "12 <12> 10"),
            ("list.0", "one <one> 13"),
            ("list.1.k", "v <v> 14"),
            ("list.2", "it has no key `list.2`"),
            ("list", "the key `list` holds a list, not text: line 13"),
            ("facebook", "the key `facebook` holds a mapping, not text: line 4"),
            ("anchor", "text <text> 17"),
            ("alias", "the key `alias` holds an alias, not text: line 18"),
            ("last", "z <z> 19"),
            ("missing", "it has no key `missing`"),
            ("a..b", "`a..b` is no key of a yaml file"),
        ] {
            assert_eq!(found(Yaml, text, key), expected);
        }
    }

    #[test]
    fn documents_and_damage_are_told_apart() {
        for (text, expected) in [
            ("\u{feff}a: x\n", "x <x> 1"),
            ("---\na: x\n...\n", "x <x> 2"),
            ("a: x\na: y\n", "the key `a` is there more than once: lines 1 and 2"),
            ("a: x\n---\na: y\n", "the key `a` is there more than once: lines 1 and 3"),
            ("a: x\n---\nb: y\n", "x <x> 1"),
            ("b: \"open\na: x\n", "it cannot be read as yaml: line 1"),
            ("just text", "it has no key `a`"),
            ("a: |\n  block\n", "the key `a` holds a block of lines, not text: line 2"),
        ] {
            assert_eq!(found(Yaml, text, "a"), expected, "{text}");
        }
    }
}
