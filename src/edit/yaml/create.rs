//! Adds a value to a YAML file that lacks it, at the end of the mapping that is to hold it.

use saphyr_parser::ScalarStyle;
use zeroize::Zeroizing;

use super::scalar::name;
use super::tree::{Kind, Layout, Node};
use super::way::{Way, chosen, coding, path};
use crate::edit::coding::Coding;
use crate::edit::patch::{Patch, joined};
use crate::edit::quoted::double;
use crate::edit::{EditError, File};

/// The indentation of a mapping in a file that has no example.
const STEP: usize = 2;

/// A new last entry of the deepest mapping that is there, with the mappings below it that are not.
pub fn create(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
    let parts = path(file, key)?;
    let documents = Node::documents(file)?;
    let chosen = chosen(file, &documents)?;
    if let Some((_, second)) = chosen.get(1) {
        let why = "the file holds more than one document; `document = N` names one";
        return Err(file.no_place(key, Some(second.span.start), why));
    }
    let root = chosen.first().map(|(_, root)| *root).filter(|root| !root.is_empty());
    let step = root.and_then(|root| step(file, root)).unwrap_or(STEP);
    let coding = root.map_or(Coding::Plain, |root| coding(root, &parts));
    let value = &coding.encoded(value);
    let new = |parts, indentation| Entry { parts, value, indentation, step };
    let Some(root) = root else {
        if documents.len() > 1 {
            return Err(file.no_place(key, None, "the document is empty"));
        }
        return Ok(new(&parts, 0).at_end(file));
    };
    let (way, missing) = deepest(file, key, root, &parts)?;
    way.check_alone(file, key)?;
    if missing.iter().skip(1).any(|part| part.parse::<usize>().is_ok()) {
        let why = "a number in it would need a list that is not there";
        return Err(file.no_place(key, None, why));
    }
    let why = match &way.node.kind {
        Kind::Mapping { entries, layout: Layout::Flow, .. } => {
            return Ok(new(missing, 0).in_braces(file, way.node, entries));
        }
        Kind::Mapping { entries, layout: Layout::Block, .. } => {
            let indentation = column(file, way.node, entries);
            match end(file, way.node) {
                Some(end) => return Ok(new(missing, indentation).after(file, end)),
                None => "the block of lines at the end of the file would gain a line end",
            }
        }
        Kind::Scalar { .. } => match way.name {
            Some(name) if way.node.is_empty() && way.layout() == Layout::Block => {
                let indentation = file.place(name.span.start).column - 1 + step;
                return Ok(new(missing, indentation).after(file, name.span.end));
            }
            _ => "what should hold it is not a mapping",
        },
        Kind::Sequence { .. } => "a list has no such element",
        Kind::Alias(_) => "what should hold it is an alias",
    };
    Err(file.no_place(key, Some(way.node.span.start), why))
}

/// The way to the deepest node that is there, and the parts that are not.
fn deepest<'a, 'b>(
    file: &File<'_>,
    key: &str,
    root: &'a Node,
    parts: &'b [String],
) -> Result<(Way<'a>, &'b [String]), EditError> {
    let mut way = Way::from(root);
    let mut missing = parts;
    while let Some((part, below)) = missing.split_first() {
        let found = way.step(part);
        if found.is_empty() {
            break;
        }
        way = file.only(key, found.into_iter().map(|way| (way.place(), way)).collect())?;
        missing = below;
    }
    Ok((way, missing))
}

/// How far a block mapping is indented.
fn column(file: &File<'_>, mapping: &Node, entries: &[(Node, Node)]) -> usize {
    let start = entries.first().map_or(mapping.span.start, |(name, _)| name.span.start);
    file.place(start).column - 1
}

/// One step of indentation, as the first mapping inside another shows it.
fn step(file: &File<'_>, node: &Node) -> Option<usize> {
    match &node.kind {
        Kind::Mapping { entries, layout: Layout::Block, .. } => {
            let own = column(file, node, entries);
            entries.iter().find_map(|(_, value)| match &value.kind {
                Kind::Mapping { entries, layout: Layout::Block, .. } => {
                    column(file, value, entries).checked_sub(own).filter(|step| *step > 0)
                }
                _ => step(file, value),
            })
        }
        Kind::Sequence { items, .. } => items.iter().find_map(|item| step(file, item)),
        _ => None,
    }
}

/// The node below which nothing more is written in lines.
fn last_leaf(node: &Node) -> &Node {
    let last = match &node.kind {
        Kind::Mapping { entries, layout: Layout::Block, .. } => {
            entries.last().map(|(_, value)| value)
        }
        Kind::Sequence { items, layout: Layout::Block } => items.last(),
        _ => None,
    };
    last.map_or(node, last_leaf)
}

/// Where the last thing in a mapping ends, with the blank lines that belong to it.
///
/// `None` after a block of lines at the very end of a file without a final line end: some readers would
/// take a line end that is added there for a part of the block's text.
fn end(file: &File<'_>, mapping: &Node) -> Option<usize> {
    let leaf = last_leaf(mapping);
    let Kind::Scalar { text, style: ScalarStyle::Literal | ScalarStyle::Folded } = &leaf.kind
    else {
        return Some(leaf.span.end.max(mapping.span.end));
    };
    let own = text.len() - text.trim_end_matches('\n').len();
    let lines = file.bytes[leaf.span.end..].iter().enumerate();
    let mut ends = lines.filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
    ends.nth(own.saturating_sub(1)).map(|ahead| leaf.span.end + ahead)
}

/// The entry that is to come in, and those around it.
struct Entry<'a> {
    parts: &'a [String],
    value: &'a str,
    indentation: usize,
    step: usize,
}

impl Entry<'_> {
    fn at_end(&self, file: &File<'_>) -> Patch {
        let lines = self.lines();
        Patch::line_at_end(file, &lines.iter().map(|line| line.as_str()).collect::<Vec<_>>())
    }

    fn after(&self, file: &File<'_>, at: usize) -> Patch {
        let lines = self.lines();
        Patch::line_after(file, at, &lines.iter().map(|line| line.as_str()).collect::<Vec<_>>())
    }

    fn lines(&self) -> Vec<Zeroizing<String>> {
        let last = self.parts.len() - 1;
        let line = |(depth, part): (usize, &String)| {
            let blank = " ".repeat(self.indentation + self.step * depth);
            let name = name(part);
            if depth < last {
                joined(&[&blank, &name, ":"])
            } else {
                joined(&[&blank, &name, ": ", &double(self.value)])
            }
        };
        self.parts.iter().enumerate().map(line).collect()
    }

    fn in_braces(&self, file: &File<'_>, mapping: &Node, entries: &[(Node, Node)]) -> Patch {
        let quoted = |(name, _): &(Node, Node)| file.bytes[name.span.clone()].starts_with(b"\"");
        let all_quoted = !entries.is_empty() && entries.iter().all(quoted);
        let name = |part: &String| if all_quoted { double(part) } else { name(part) };
        let mut pair = double(self.value);
        for (depth, part) in self.parts.iter().enumerate().rev() {
            pair = joined(&[&name(part), ": ", &pair]);
            if depth > 0 {
                pair = joined(&["{", &pair, "}"]);
            }
        }
        let Some((name, value)) = entries.last() else {
            let inside = mapping.span.start + 1..mapping.span.end - 1;
            return Patch::key(inside, pair);
        };
        let at = if value.is_empty() { after_colon(file, name) } else { value.span.end };
        Patch::key(at..at, joined(&[", ", &pair]))
    }
}

/// Where an entry without a value ends: after the `:`, if it has one.
fn after_colon(file: &File<'_>, name: &Node) -> usize {
    let rest = &file.bytes[name.span.end..];
    let blank = rest.len() - rest.trim_ascii_start().len();
    let colon = rest.get(blank) == Some(&b':');
    name.span.end + if colon { blank + 1 } else { 0 }
}
