//! Finds and replaces values in YAML.
//!
//! Plain, `'` and `"` are kept while they hold the value; what must not stand plain, or needs an
//! escape, goes into `"`. A block of lines becomes one scalar in `"`, because a block cannot say
//! that there is no line end behind the value without another mark. A new value goes into `"`, at
//! the end of its mapping. An anchored value is left alone, because its aliases would change with
//! it, and so is one with a tag of its own, such as an encrypted value.
//!
//! YAML 1.1 and 1.2 differ on what a scalar without quotes means, and readers mix them: what either
//! reads as something other than text is kept in quotes.

use std::ops::Range;

use saphyr_parser::ScalarStyle;
use zeroize::Zeroizing;

use super::coding::Coding;
use super::patch::{Patch, joined};
use super::quoted::{double, is_plain};
use super::site::{Content, Site};
use super::yaml_tree::{Kind, Layout, Node};
use super::{Anchored, EditError, File, flat};

/// Finds what is at a dotted path; a number picks from a sequence.
pub fn find(file: &File<'_>, documents: &[Node], key: &str) -> Result<Site, EditError> {
    let way = Way::to(file, documents, key)?;
    let coding = coding(way.root(), &path(file, key)?);
    Ok(Site::coded(way.node.span.clone(), content(way.node), coding))
}

fn coding(root: &Node, parts: &[String]) -> Coding {
    let text = |way: &[String]| {
        let node = way.iter().try_fold(root, |node, part| child(node, part))?;
        node.text().map(str::to_owned)
    };
    Coding::of(parts, text)
}

/// What a node holds under that name; the first if it is there twice.
fn child<'a>(node: &'a Node, part: &str) -> Option<&'a Node> {
    Way::from(node).step(part).first().map(|way| way.node)
}

/// The documents that a key is looked for in, with their numbers.
fn chosen<'a>(file: &File<'_>, documents: &'a [Node]) -> Result<Vec<(usize, &'a Node)>, EditError> {
    let mut numbered = (1..).zip(documents);
    let Some(wanted) = file.options.document else { return Ok(numbered.collect()) };
    match numbered.nth(wanted.get() - 1) {
        Some(one) => Ok(vec![one]),
        None => Err(EditError::NoDocument { count: documents.len() }),
    }
}

fn content(node: &Node) -> Content {
    if has_own_tag(node) {
        return Content::Scalar("a value with a tag of its own");
    }
    match &node.kind {
        Kind::Scalar { text, style: ScalarStyle::Literal | ScalarStyle::Folded } => {
            Content::Lines(text.clone())
        }
        Kind::Scalar { text, style } => match not_text(text) {
            Some(what @ NOTHING) if *style == ScalarStyle::Plain && node.tag.is_none() => {
                Content::Nothing(what)
            }
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

/// The parts of a dotted path; a part in quotes may hold dots.
pub fn path(file: &File<'_>, key: &str) -> Result<Vec<String>, EditError> {
    let mut parts = Vec::new();
    let mut rest = Some(key);
    while let Some(text) = rest {
        let (part, behind) = quoted_part(text).unwrap_or_else(|| match text.split_once('.') {
            Some((part, behind)) => (part, Some(behind)),
            None => (text, None),
        });
        if part.is_empty() {
            return Err(EditError::BadKey { key: key.to_owned(), format: file.format });
        }
        parts.push(part.to_owned());
        rest = behind;
    }
    Ok(parts)
}

/// The part in quotes that the text begins with, and what is behind its dot.
fn quoted_part(text: &str) -> Option<(&str, Option<&str>)> {
    let mark = text.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
    let (part, behind) = text[1..].split_once(mark)?;
    match behind.strip_prefix('.') {
        Some(behind) => Some((part, Some(behind))),
        None => behind.is_empty().then_some((part, None)),
    }
}

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
    fn root(&self) -> &'a Node {
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
}

/// Another value in the place of the one at `key`.
pub fn overwrite(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
    let documents = Node::documents(file)?;
    let way = Way::to(file, &documents, key)?;
    alone(file, key, &way)?;
    let Kind::Scalar { style, .. } = &way.node.kind else {
        return Err(file.not_text(Some(key), way.node.span.start, "more than one value"));
    };
    let span = way.node.span.clone();
    let layout = layout(way.above.last().copied());
    match style {
        ScalarStyle::Plain if way.node.is_empty() => first_value(file, key, &way, value),
        ScalarStyle::Plain => Ok(Patch::value(span, plain(value, layout))),
        ScalarStyle::SingleQuoted => Ok(Patch::value(span, single(value))),
        ScalarStyle::DoubleQuoted => Ok(Patch::value(span, double(value))),
        ScalarStyle::Literal | ScalarStyle::Folded => block(file, key, &way, value),
    }
}

/// Refuses what more than the value hangs on.
fn alone(file: &File<'_>, key: &str, way: &Way<'_>) -> Result<(), EditError> {
    let refused = |node: &Node, why| {
        let at = file.place(node.span.start);
        Err(EditError::Irreplaceable { key: key.to_owned(), at, why })
    };
    let mut all = way.above.iter().copied().chain([way.node]);
    if file.options.anchored == Anchored::Refuse
        && let Some(node) = all.find(|node| node.anchor > 0)
    {
        let at = file.place(node.span.start);
        return Err(EditError::Anchored { key: key.to_owned(), at });
    }
    if has_own_tag(way.node) {
        return refused(way.node, "its tag gives it another meaning");
    }
    Ok(())
}

/// Whether a tag makes the node mean something of its own, such as an encrypted value.
fn has_own_tag(node: &Node) -> bool {
    let plain = |tag: &str| matches!(tag, "!" | "tag:yaml.org,2002:str" | "tag:yaml.org,2002:map");
    node.tag.as_deref().is_some_and(|tag| !plain(tag))
}

fn layout(node: Option<&Node>) -> Layout {
    match node.map(|node| &node.kind) {
        Some(Kind::Mapping { layout, .. } | Kind::Sequence { layout, .. }) => *layout,
        _ => Layout::Block,
    }
}

fn plain(value: &str, layout: Layout) -> Zeroizing<String> {
    if may_be_plain(value, layout) { joined(&[value]) } else { double(value) }
}

fn single(value: &str) -> Zeroizing<String> {
    if !value.chars().all(is_plain) {
        return double(value);
    }
    let mut written = Zeroizing::new(String::with_capacity(value.len() * 2 + 2));
    written.push('\'');
    for c in value.chars() {
        written.push(c);
        if c == '\'' {
            written.push(c);
        }
    }
    written.push('\'');
    written
}

/// Puts a value where none is yet: behind the `:` or `-`, before a comment.
fn first_value(file: &File<'_>, key: &str, way: &Way<'_>, value: &str) -> Result<Patch, EditError> {
    let before = way.name.map_or(way.node.span.start, |name| name.span.end);
    let rest = &file.bytes[before..];
    let blank = rest.len() - rest.trim_ascii_start().len();
    let at = match (way.name, rest.get(blank)) {
        (Some(_), Some(b':')) if way.node.tag.is_none() => before + blank + 1,
        (Some(_), Some(b':')) => way.node.span.start,
        (None, _) => before,
        _ => {
            let why = "no `:` is behind its name";
            let at = file.place(before);
            return Err(EditError::Irreplaceable { key: key.to_owned(), at, why });
        }
    };
    let touches = !file.bytes[..at].ends_with(b" ");
    let written = plain(value, layout(way.above.last().copied()));
    Ok(Patch::value(at..at, joined(&[if touches { " " } else { "" }, &written])))
}

/// Replaces a block from its `|` or `>` to its last line; a comment behind the mark stays.
fn block(file: &File<'_>, key: &str, way: &Way<'_>, value: &str) -> Result<Patch, EditError> {
    let Some((mark, comment)) = header(file, way.node) else {
        let (key, at) = (key.to_owned(), file.place(way.node.span.start));
        return Err(EditError::Irreplaceable { key, at, why: "its block has an unusual head" });
    };
    let end = way.node.span.end.max(mark + 1);
    let comment = String::from_utf8_lossy(&file.bytes[comment]);
    Ok(Patch::value(mark..end, joined(&[&double(value), comment.trim_end()])))
}

/// Where the mark of a block is, and what stands behind it on its line.
fn header(file: &File<'_>, block: &Node) -> Option<(usize, Range<usize>)> {
    let content = file.line_start(block.span.start);
    // With a tag the parser begins at the mark, without at the first line of content.
    let is_mark = |at: usize| matches!(file.bytes.get(at), Some(b'|' | b'>'));
    let tagged = block.tag.is_some() && is_mark(block.span.start);
    let (from, line_end) = if tagged {
        let rest = &file.bytes[block.span.start..];
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        (block.span.start, block.span.start + length)
    } else {
        let end = file.bytes[..content].trim_ascii_end().len();
        (file.line_start(end), end)
    };
    (from..line_end).filter(|at| is_mark(*at)).find_map(|mark| {
        let rest = &file.bytes[mark + 1..line_end];
        let sized = rest.iter().take_while(|byte| b"+-0123456789".contains(byte)).count();
        let behind = mark + 1 + sized..line_end;
        let text = &file.bytes[behind.clone()];
        let blank = text.first().is_none_or(u8::is_ascii_whitespace);
        let comment = text.trim_ascii();
        (blank && (comment.is_empty() || comment.starts_with(b"#"))).then_some((mark, behind))
    })
}

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
    alone(file, key, &way)?;
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
                Some(end) => return Ok(new(missing, indentation).behind(file, end)),
                None => "the block of lines at the end of the file would gain a line end",
            }
        }
        Kind::Scalar { .. } => match way.name {
            Some(name) if way.node.is_empty() && is_block(&way) => {
                let indentation = file.place(name.span.start).column - 1 + step;
                return Ok(new(missing, indentation).behind(file, name.span.end));
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

fn is_block(way: &Way<'_>) -> bool {
    layout(way.above.last().copied()) == Layout::Block
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
/// There is no such place behind a block of lines at the very end of a file without a final line
/// end: with one behind it, some readers would find one in its text.
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

    fn behind(&self, file: &File<'_>, at: usize) -> Patch {
        let lines = self.lines();
        Patch::line_behind(file, at, &lines.iter().map(|line| line.as_str()).collect::<Vec<_>>())
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
        let at = if value.is_empty() { behind_colon(file, name) } else { value.span.end };
        Patch::key(at..at, joined(&[", ", &pair]))
    }
}

/// Where an entry without a value ends: behind the `:`, if it has one.
fn behind_colon(file: &File<'_>, name: &Node) -> usize {
    let rest = &file.bytes[name.span.end..];
    let blank = rest.len() - rest.trim_ascii_start().len();
    let colon = rest.get(blank) == Some(&b':');
    name.span.end + if colon { blank + 1 } else { 0 }
}

fn name(part: &str) -> Zeroizing<String> {
    if may_be_plain(part, Layout::Flow) { joined(&[part]) } else { double(part) }
}

const NOTHING: &str = "nothing";

/// What a plain scalar is in YAML's core schema, or in the older one, if it is not text.
pub fn not_text(plain: &str) -> Option<&'static str> {
    match plain.to_ascii_lowercase().as_str() {
        "" | "~" | "null" => Some(NOTHING),
        "true" | "false" | "yes" | "no" | "on" | "off" => Some("true or false"),
        word => {
            let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
            let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && (digits.parse::<f64>().is_ok()
                    || digits.strip_prefix("0x").is_some_and(|hex| is_all(hex, 16))
                    || digits.strip_prefix("0o").is_some_and(|octal| is_all(octal, 8)));
            numeric.then_some("a number")
        }
    }
}

fn is_all(text: &str, radix: u32) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_digit(radix))
}

/// Whether the text means itself without quotes, to every reader.
pub fn may_be_plain(text: &str, layout: Layout) -> bool {
    let has_role = |c: char| match c {
        ':' => layout == Layout::Flow,
        _ => !c.is_ascii_graphic() || "#,[]{}&*!>'\"`\\".contains(c),
    };
    let starts_well = text.starts_with(|c: char| {
        c.is_ascii_alphabetic() || (c.is_ascii_digit() && !is_like_a_number(text))
    });
    starts_well
        && !text.contains(has_role)
        && !text.ends_with(':')
        && not_text(text).is_none()
        && !["y", "n"].contains(&text.to_ascii_lowercase().as_str())
}

/// Whether all of it could belong to a number, a date or a time in some notation.
fn is_like_a_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_hexdigit() || "xoXO_.:+-tTzZ".contains(c))
}
