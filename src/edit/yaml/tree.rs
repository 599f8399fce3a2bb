//! Reads a YAML file into a tree in which every node knows its bytes.
//!
//! Built from the events of `saphyr-parser`, whose spans count characters, run on over blanks
//! after a scalar, begin a block of lines at its first line and not at its `|`, and stand anywhere
//! for an empty value; all of that is corrected here.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use zeroize::Zeroizing;

use crate::edit::{EditError, File};

/// Deeper than any settings file, and shallow enough for a walk that calls itself.
const DEEPEST: usize = 128;

/// One value with what stands before it.
pub struct Node {
    /// The bytes as written, without tag and anchor; what is empty has none.
    pub span: Range<usize>,
    /// The number of the anchor, 0 for none.
    pub anchor: usize,
    pub tag: Option<String>,
    pub kind: Kind,
}

/// What a node is.
pub enum Kind {
    Scalar {
        text: Zeroizing<String>,
        style: ScalarStyle,
    },
    /// Stands for the node with that anchor.
    Alias(usize),
    Mapping {
        entries: Vec<(Node, Node)>,
        /// Where in `entries` a name stands, more than once if it is there twice.
        names: HashMap<String, Vec<usize>>,
        layout: Layout,
    },
    Sequence {
        items: Vec<Node>,
        layout: Layout,
    },
}

/// How a collection is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// By lines and their indentation.
    Block,
    /// In brackets.
    Flow,
}

impl Node {
    /// The root of every document in the file.
    pub fn documents(file: &File<'_>) -> Result<Vec<Self>, EditError> {
        let text = file.text()?;
        let mut builder = Builder { places: Places::of(text), open: Vec::new(), roots: Vec::new() };
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| {
                file.unparsable(file.start + builder.places.byte(error.marker().index()))
            })?;
            let places = &builder.places;
            let span = places.byte(span.start.index())..places.byte(span.end.index());
            if builder.open.len() > DEEPEST {
                return Err(file.unparsable(file.start + span.start));
            }
            builder.take(text, event, span);
        }
        for root in &mut builder.roots {
            root.shift(file.start);
        }
        Ok(builder.roots)
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The node with that anchor, this one or one below it.
    pub fn anchored(&self, anchor: usize) -> Option<&Self> {
        if self.anchor == anchor {
            return Some(self);
        }
        match &self.kind {
            Kind::Scalar { .. } | Kind::Alias(_) => None,
            Kind::Mapping { entries, .. } => entries
                .iter()
                .find_map(|(name, value)| name.anchored(anchor).or_else(|| value.anchored(anchor))),
            Kind::Sequence { items, .. } => items.iter().find_map(|item| item.anchored(anchor)),
        }
    }

    /// Whether nothing is written where a value could be.
    pub fn is_empty(&self) -> bool {
        matches!(self.kind, Kind::Scalar { style: ScalarStyle::Plain, .. }) && self.span.is_empty()
    }

    /// From the bytes after the byte order mark to the bytes of the file.
    fn shift(&mut self, by: usize) {
        self.span = self.span.start + by..self.span.end + by;
        match &mut self.kind {
            Kind::Scalar { .. } | Kind::Alias(_) => {}
            Kind::Mapping { entries, .. } => entries.iter_mut().for_each(|(key, value)| {
                key.shift(by);
                value.shift(by);
            }),
            Kind::Sequence { items, .. } => items.iter_mut().for_each(|item| item.shift(by)),
        }
    }

    fn add(&mut self, pending: &mut Option<Self>, node: Self) {
        self.span.end = self.span.end.max(node.span.end);
        match &mut self.kind {
            Kind::Mapping { entries, names, .. } => match pending.take() {
                Some(key) => {
                    if let Some(name) = key.text() {
                        names.entry(name.to_owned()).or_default().push(entries.len());
                    }
                    entries.push((key, node));
                }
                None => *pending = Some(node),
            },
            Kind::Sequence { items, .. } => items.push(node),
            Kind::Scalar { .. } | Kind::Alias(_) => {}
        }
    }

    /// Whether a tag makes it mean something of its own, such as an encrypted value.
    pub fn has_own_tag(&self) -> bool {
        let plain =
            |tag: &str| matches!(tag, "!" | "tag:yaml.org,2002:str" | "tag:yaml.org,2002:map");
        self.tag.as_deref().is_some_and(|tag| !plain(tag))
    }
}

/// The collections that are not yet closed, each with the key that waits for its value.
struct Builder {
    places: Places,
    open: Vec<(Node, Option<Node>)>,
    roots: Vec<Node>,
}

impl Builder {
    fn take(&mut self, text: &str, event: Event<'_>, span: Range<usize>) {
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let span = written(text, span, style, value.is_empty());
                let text = Zeroizing::new(value.into_owned());
                self.add(Node {
                    span,
                    anchor,
                    tag: named(tag),
                    kind: Kind::Scalar { text, style },
                });
            }
            Event::Alias(anchor) => {
                self.add(Node { span, anchor: 0, tag: None, kind: Kind::Alias(anchor) });
            }
            Event::MappingStart(anchor, tag) => {
                let layout = layout(text, &span, '{');
                let kind = Kind::Mapping { entries: Vec::new(), names: HashMap::new(), layout };
                self.open(span, layout, anchor, named(tag), kind);
            }
            Event::SequenceStart(anchor, tag) => {
                let layout = layout(text, &span, '[');
                let kind = Kind::Sequence { items: Vec::new(), layout };
                self.open(span, layout, anchor, named(tag), kind);
            }
            Event::MappingEnd | Event::SequenceEnd => self.close(&span),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
    }

    fn open(
        &mut self,
        span: Range<usize>,
        layout: Layout,
        anchor: usize,
        tag: Option<String>,
        kind: Kind,
    ) {
        let start = if layout == Layout::Flow { span.end - 1 } else { span.end };
        self.open.push((Node { span: start..span.end, anchor, tag, kind }, None));
    }

    fn close(&mut self, span: &Range<usize>) {
        let Some((mut node, _)) = self.open.pop() else { return };
        if let Kind::Mapping { layout: Layout::Flow, .. }
        | Kind::Sequence { layout: Layout::Flow, .. } = node.kind
        {
            node.span.end = span.end;
        }
        self.add(node);
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            Some((parent, pending)) => parent.add(pending, node),
            None => self.roots.push(node),
        }
    }
}

fn layout(text: &str, span: &Range<usize>, bracket: char) -> Layout {
    if text[span.clone()].ends_with(bracket) { Layout::Flow } else { Layout::Block }
}

fn named(tag: Option<std::borrow::Cow<'_, Tag>>) -> Option<String> {
    tag.map(|tag| format!("{}{}", tag.handle, tag.suffix))
}

/// Where each character begins, to turn the parser's counts into bytes.
struct Places {
    starts: Vec<usize>,
    end: usize,
}

impl Places {
    fn of(text: &str) -> Self {
        Self { starts: text.char_indices().map(|(at, _)| at).collect(), end: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        self.starts.get(character).copied().unwrap_or(self.end)
    }
}

/// The bytes of the scalar and nothing around it.
fn written(text: &str, span: Range<usize>, style: ScalarStyle, empty: bool) -> Range<usize> {
    let start = span.start + properties(&text[span.clone()]);
    let all = &text[start..span.end];
    let length = match style {
        ScalarStyle::DoubleQuoted => quoted(all, '"'),
        ScalarStyle::SingleQuoted => quoted(all, '\''),
        ScalarStyle::Plain if empty => 0,
        ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => all.trim_end().len(),
    };
    start..start + length
}

/// The length of the tag and the anchor before a scalar.
fn properties(text: &str) -> usize {
    let mut rest = text;
    while rest.starts_with(['!', '&']) {
        rest = rest.trim_start_matches(|c: char| !c.is_whitespace()).trim_start();
    }
    text.len() - rest.len()
}

/// The length of a quoted scalar; a mark is escaped by `\` in double quotes, by itself in single.
fn quoted(text: &str, mark: char) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && mark == '"' {
            chars.next();
        } else if c == mark {
            if mark == '\'' && chars.next_if(|(_, next)| *next == mark).is_some() {
                continue;
            }
            return at + c.len_utf8();
        }
    }
    text.len()
}
