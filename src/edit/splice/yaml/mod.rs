//! Writes into YAML.
//!
//! Plain, `'` and `"` are kept while they hold the value; what must not stand plain, or needs an
//! escape, goes into `"`. A block of lines becomes one scalar in `"`, for a block cannot say that
//! there is no line end behind the value without another mark. A new value is put into `"`, at the
//! end of its mapping. What is anchored is left alone, for its aliases would change with it, and so
//! is what has a tag of its own, such as an encrypted value.

mod entry;

use std::ops::Range;

use saphyr_parser::ScalarStyle;
use zeroize::Zeroizing;

pub(super) use self::entry::create;
use super::patch::{Patch, joined};
use super::quoted::{double, is_plain};
use crate::edit::yaml::{Kind, Layout, Node, Way, may_be_plain};
use crate::edit::{EditError, File};

/// Another value in the place of the one at `key`.
pub(super) fn overwrite(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
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
    if let Some(node) = way.above.iter().copied().chain([way.node]).find(|node| node.anchor > 0) {
        return refused(node, "it is anchored by `&`, and its aliases would change with it");
    }
    match way.node.tag.as_deref() {
        None | Some("!" | "tag:yaml.org,2002:str" | "tag:yaml.org,2002:map") => Ok(()),
        Some(_) => refused(way.node, "its tag gives it another meaning"),
    }
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
