//! Finds a node of a YAML file by its dotted path, with the nodes that lead to it.

use super::tree::{Kind, Layout, Node};
use crate::edit::coding::Coding;
use crate::edit::{Anchored, EditError, File, flat};

/// A node with the nodes that lead to it.
#[derive(Clone)]
pub struct Way<'a> {
    /// From the root to the parent.
    pub above: Vec<&'a Node>,
    /// Its name in the parent, if that is a mapping.
    pub name: Option<&'a Node>,
    pub node: &'a Node,
}

impl<'a> Way<'a> {
    /// The way to the only node at `key` in all documents.
    pub fn to(file: &File<'_>, documents: &'a [Node], key: &str) -> Result<Self, EditError> {
        let path = path(file, key)?;
        let documents = chosen(file, documents)?;
        let (mut ways, mut numbers) = (Vec::new(), Vec::new());
        for (number, root) in &documents {
            match Self::from(root).along(file, key, &path) {
                Ok(way) => {
                    ways.push((way.place(), way));
                    numbers.push(*number);
                }
                Err(EditError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if ways.len() > 1 {
            return Err(EditError::InDocuments { key: key.to_owned(), documents: numbers });
        }
        file.only(key, ways).map_err(|error| match error {
            EditError::Missing { key, .. } => {
                let flat = |(_, root): &(usize, &'a Node)| {
                    flat::way(*root, &path, &|node, part| child(node, part))
                };
                let instead = documents.iter().find_map(flat).map(|names| flat::quoted(&names));
                EditError::Missing { key, instead }
            }
            error => error,
        })
    }

    fn along(self, file: &File<'_>, key: &str, path: &[String]) -> Result<Self, EditError> {
        let root = self.node;
        let is_there = |way: &Self| match &way.node.kind {
            Kind::Alias(anchor) => {
                let meant = root.anchored(*anchor).unwrap_or(way.node);
                let anchor = file.place(meant.span.start).line;
                let at = file.place(way.node.span.start);
                Err(EditError::Aliased { key: key.to_owned(), at, anchor })
            }
            _ => Ok(()),
        };
        let way = path.iter().try_fold(self, |way, part| {
            is_there(&way)?;
            file.only(key, way.step(part).into_iter().map(|way| (way.place(), way)).collect())
        })?;
        is_there(&way).map(|()| way)
    }

    /// The document that it is in.
    pub fn root(&self) -> &'a Node {
        self.above.first().copied().unwrap_or(self.node)
    }

    /// The way that has not begun yet.
    pub fn from(root: &'a Node) -> Self {
        Self { above: Vec::new(), name: None, node: root }
    }

    /// Every way on by `part`; more than one if a name is there twice.
    pub fn step(&self, part: &str) -> Vec<Self> {
        let on = |name: Option<&'a Node>, node: &'a Node| {
            let above = self.above.iter().copied().chain([self.node]).collect();
            Self { above, name, node }
        };
        match &self.node.kind {
            Kind::Mapping { entries, names, .. } => {
                let places = names.get(part).map(Vec::as_slice).unwrap_or_default();
                let entries = places.iter().map(|place| &entries[*place]);
                entries.map(|(name, node)| on(Some(name), node)).collect()
            }
            Kind::Sequence { items, .. } => {
                let item = part.parse().ok().and_then(|index: usize| items.get(index));
                item.map(|node| on(None, node)).into_iter().collect()
            }
            Kind::Scalar { .. } | Kind::Alias(_) => Vec::new(),
        }
    }

    /// Where it begins: its name, or itself.
    pub fn place(&self) -> usize {
        self.name.unwrap_or(self.node).span.start
    }

    /// Refuses what more than the value hangs on.
    pub fn check_alone(&self, file: &File<'_>, key: &str) -> Result<(), EditError> {
        let mut all = self.above.iter().copied().chain([self.node]);
        if file.options.anchored == Anchored::Refuse
            && let Some(node) = all.find(|node| node.anchor > 0)
        {
            let at = file.place(node.span.start);
            return Err(EditError::Anchored { key: key.to_owned(), at });
        }
        if self.node.has_own_tag() {
            let at = file.place(self.node.span.start);
            let why = "its tag gives it another meaning";
            return Err(EditError::Irreplaceable { key: key.to_owned(), at, why });
        }
        Ok(())
    }

    /// How the collection that holds it is laid out.
    pub fn layout(&self) -> Layout {
        match self.above.last().map(|node| &node.kind) {
            Some(Kind::Mapping { layout, .. } | Kind::Sequence { layout, .. }) => *layout,
            _ => Layout::Block,
        }
    }
}

/// The parts of a dotted path; a part in quotes may hold dots.
pub fn path(file: &File<'_>, key: &str) -> Result<Vec<String>, EditError> {
    let mut parts = Vec::new();
    let mut rest = Some(key);
    while let Some(text) = rest {
        let (part, more) = quoted_part(text).unwrap_or_else(|| match text.split_once('.') {
            Some((part, more)) => (part, Some(more)),
            None => (text, None),
        });
        if part.is_empty() {
            return Err(EditError::BadKey { key: key.to_owned(), format: file.format });
        }
        parts.push(part.to_owned());
        rest = more;
    }
    Ok(parts)
}

/// The part in quotes that the text begins with, and what follows its dot.
fn quoted_part(text: &str) -> Option<(&str, Option<&str>)> {
    let mark = text.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
    let (part, more) = text[1..].split_once(mark)?;
    match more.strip_prefix('.') {
        Some(more) => Some((part, Some(more))),
        None => more.is_empty().then_some((part, None)),
    }
}

/// The documents that a key is looked for in, with their numbers.
pub fn chosen<'a>(
    file: &File<'_>,
    documents: &'a [Node],
) -> Result<Vec<(usize, &'a Node)>, EditError> {
    let mut numbered = (1..).zip(documents);
    let Some(wanted) = file.options.document else { return Ok(numbered.collect()) };
    match numbered.nth(wanted.get() - 1) {
        Some(one) => Ok(vec![one]),
        None => Err(EditError::NoDocument { count: documents.len() }),
    }
}

/// What a node holds under that name; the first if it is there twice.
fn child<'a>(node: &'a Node, part: &str) -> Option<&'a Node> {
    Way::from(node).step(part).first().map(|way| way.node)
}

/// How the value at a dotted path is encoded, as the values around it say.
pub fn coding(root: &Node, parts: &[String]) -> Coding {
    let text = |way: &[String]| {
        let node = way.iter().try_fold(root, |node, part| child(node, part))?;
        node.text().map(str::to_owned)
    };
    Coding::of(parts, text)
}
