//! Finds and replaces values in YAML.
//!
//! Plain, `'` and `"` are kept while they hold the value; what must not stand plain, or needs an
//! escape, goes into `"`. A block of lines becomes one scalar in `"`, because a block needs
//! another mark to leave out the line end after the value. A new value goes into `"`, at
//! the end of its mapping. An anchored value is left alone, because its aliases would change with
//! it, and so is one with a tag of its own, such as an encrypted value.

mod create;
pub mod scalar;
pub mod tree;
mod way;

use std::ops::Range;

use saphyr_parser::ScalarStyle;

pub use self::create::create;
use self::scalar::{NOTHING, not_text, plain, single};
pub use self::tree::{Kind, Node};
pub use self::way::path;
use self::way::{Way, coding};
use super::patch::{Patch, joined};
use super::quoted::double;
use super::site::{Content, Site};
use super::{EditError, File};

/// Finds what is at a dotted path; a number picks from a sequence.
pub fn find(file: &File<'_>, documents: &[Node], key: &str) -> Result<Site, EditError> {
    let way = Way::to(file, documents, key)?;
    let coding = coding(way.root(), &path(file, key)?);
    Ok(Site::coded(way.node.span.clone(), content(way.node), coding))
}

fn content(node: &Node) -> Content {
    if node.has_own_tag() {
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

/// Another value in the place of the one at `key`.
pub fn overwrite(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
    let documents = Node::documents(file)?;
    let way = Way::to(file, &documents, key)?;
    way.check_alone(file, key)?;
    let Kind::Scalar { style, .. } = &way.node.kind else {
        return Err(file.not_text(Some(key), way.node.span.start, "more than one value"));
    };
    let span = way.node.span.clone();
    let layout = way.layout();
    match style {
        ScalarStyle::Plain if way.node.is_empty() => first_value(file, key, &way, value),
        ScalarStyle::Plain => Ok(Patch::value(span, plain(value, layout))),
        ScalarStyle::SingleQuoted => Ok(Patch::value(span, single(value))),
        ScalarStyle::DoubleQuoted => Ok(Patch::value(span, double(value))),
        ScalarStyle::Literal | ScalarStyle::Folded => block(file, key, &way, value),
    }
}

/// Puts a value where none is yet: after the `:` or `-`, before a comment.
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
    let written = plain(value, way.layout());
    Ok(Patch::value(at..at, joined(&[if touches { " " } else { "" }, &written])))
}

/// Replaces a block from its `|` or `>` to its last line; a comment after the mark stays.
fn block(file: &File<'_>, key: &str, way: &Way<'_>, value: &str) -> Result<Patch, EditError> {
    let Some((mark, comment)) = header(file, way.node) else {
        let (key, at) = (key.to_owned(), file.place(way.node.span.start));
        return Err(EditError::Irreplaceable { key, at, why: "its block has an unusual head" });
    };
    let end = way.node.span.end.max(mark + 1);
    let comment = String::from_utf8_lossy(&file.bytes[comment]);
    Ok(Patch::value(mark..end, joined(&[&double(value), comment.trim_end()])))
}

/// Where the mark of a block is, and what follows it on its line.
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
        let after = mark + 1 + sized..line_end;
        let text = &file.bytes[after.clone()];
        let blank = text.first().is_none_or(u8::is_ascii_whitespace);
        let comment = text.trim_ascii();
        (blank && (comment.is_empty() || comment.starts_with(b"#"))).then_some((mark, after))
    })
}
