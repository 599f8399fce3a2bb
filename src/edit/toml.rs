//! Finds and replaces values in TOML, by the spans of `toml_edit`.
//!
//! Each of the four kinds of string is kept while it holds the value; `'` and `'''` have no
//! escapes, and give way to `"` where one is needed. A number or a date becomes a string in `"`. A
//! new key goes to the end of its table, and a missing table to the end of the file; inside braces
//! and below `[[...]]`, where a header would mean something else, it is a dotted key.

use toml_edit::{Document, InlineTable, Item, Key, Table, TableLike, Value};

use super::patch::{Patch, joined};
use super::quoted::{between, double, is_plain};
use super::site::{Content, Site};
use super::{EditError, File, flat};

/// Finds what is at a dotted path; a part may be quoted, a number picks from an array.
pub fn find(file: &File<'_>, root: &Item, key: &str) -> Result<Site, EditError> {
    let path = path(file, key)?;
    let mut item = root;
    for part in &path {
        item = step(item, part.get()).ok_or_else(|| missing(root, key, &path))?;
    }
    let span = item.span().unwrap_or_default();
    let content = match (item.as_str(), kind(item)) {
        (Some(text), _) => Content::text(text),
        (None, what @ ("a list" | "a table")) => Content::Other(what),
        (None, what) => Content::Scalar(what),
    };
    Ok(Site::new(file.start + span.start..file.start + span.end, content))
}

/// The error of a key that is not there; it names a name with dots that may be meant.
fn missing(root: &Item, key: &str, path: &[Key]) -> EditError {
    let parts: Vec<String> = path.iter().map(|part| part.get().to_owned()).collect();
    let way = flat::way(root, &parts, &|item, part| step(item, part));
    EditError::Missing { key: key.to_owned(), instead: way.map(|names| flat::quoted(&names)) }
}

/// The parts of a dotted path, with their quotes undone.
pub fn path(file: &File<'_>, key: &str) -> Result<Vec<Key>, EditError> {
    Key::parse(key).map_err(|_| EditError::BadKey { key: key.to_owned(), format: file.format })
}

/// The document; its spans count from behind the byte order mark.
pub fn parse<'a>(file: &File<'a>) -> Result<Document<&'a str>, EditError> {
    Document::parse(file.text()?)
        .map_err(|error| file.unparsable(file.start + error.span().map_or(0, |span| span.start)))
}

/// Follows one part of a key: a name in a table, a number in a list.
pub fn step<'a>(item: &'a Item, part: &str) -> Option<&'a Item> {
    if item.is_table_like() { item.get(part) } else { item.get(part.parse::<usize>().ok()?) }
}

fn kind(item: &Item) -> &'static str {
    match item.type_name() {
        "integer" | "float" => "a number",
        "boolean" => "true or false",
        "datetime" => "a date",
        "array" | "array of tables" => "a list",
        _ => "a table",
    }
}

/// Another value in the place of the one at `site`.
pub fn overwrite(file: &File<'_>, site: Site, value: &str) -> Patch {
    let literal = value.chars().all(|c| c == '\t' || is_plain(c)) && !value.contains('\'');
    let text = match &file.bytes[site.span.clone()] {
        [b'\'', b'\'', b'\'', rest @ ..] if literal => {
            joined(&["'''", opening(rest), value, "'''"])
        }
        [b'"', b'"', b'"', rest @ ..] => {
            let quoted = double(value);
            joined(&["\"\"\"", opening(rest), &quoted[1..quoted.len() - 1], "\"\"\""])
        }
        [b'\'', ..] if literal => between("'", value),
        _ => double(value),
    };
    Patch::value(site.span, text)
}

/// The line end behind the opening quotes, which is not a part of the value.
fn opening(rest: &[u8]) -> &'static str {
    match rest {
        [b'\r', b'\n', ..] => "\r\n",
        [b'\n', ..] => "\n",
        _ => "",
    }
}

/// A new key at the end of its table, or a new table at the end of the file.
pub fn create(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
    let path = path(file, key)?;
    let document = parse(file)?;
    let mut way = Way::from(document.as_item(), document.as_table());
    let known = path.iter().take_while(|part| way.step(part)).count();
    let missing = &path[known..];
    if !way.item.is_table_like() {
        let at = way.item.span().map(|span| file.start + span.start);
        return Err(file.no_place(key, at, "what should hold it is not a table"));
    }
    if missing.iter().skip(1).any(|part| part.get().parse::<usize>().is_ok()) {
        let why = "a number in it would need a list that is not there";
        return Err(file.no_place(key, None, why));
    }
    let value = double(value);
    let line = |from: usize| joined(&[&dotted(&path[from..]), " = ", &value]);
    if let Some((braces, from)) = way.braces {
        return Ok(in_braces(file, braces, &line(from)));
    }
    let beside = way.item.as_table().filter(|table| table.is_dotted());
    match way.table {
        Some((table, from))
            if missing.len() == 1 || beside.is_some() || way.below == Below::List =>
        {
            Ok(in_table(file, beside.unwrap_or(table), &line(from)))
        }
        None if way.below == Below::List => {
            Err(file.no_place(key, None, "a header for it would belong to another element"))
        }
        _ => {
            let header = format!("[{}]", dotted(&path[..path.len() - 1]));
            Ok(Patch::paragraph_at_end(file, &[&header, &line(path.len() - 1)]))
        }
    }
}

/// The way down from the root, and where on it a key could be written.
struct Way<'a> {
    item: &'a Item,
    /// How many parts of the path lie behind.
    length: usize,
    /// The last table with a header, and how many parts that spells.
    table: Option<(&'a Table, usize)>,
    /// The last table in braces, and how many parts lead to it.
    braces: Option<(&'a InlineTable, usize)>,
    below: Below,
}

/// Whether a header at the end of the file can name what is here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    Tables,
    List,
}

impl<'a> Way<'a> {
    fn from(item: &'a Item, root: &'a Table) -> Self {
        Self { item, length: 0, table: Some((root, 0)), braces: None, below: Below::Tables }
    }

    /// Goes on by `part`, if that is there.
    fn step(&mut self, part: &Key) -> bool {
        let Some(item) = step(self.item, part.get()) else { return false };
        (self.item, self.length) = (item, self.length + 1);
        match item {
            Item::Table(table) if table.is_dotted() => {}
            Item::Table(table) if table.is_implicit() => self.table = None,
            Item::Table(table) => self.table = Some((table, self.length)),
            Item::ArrayOfTables(_) => self.below = Below::List,
            Item::Value(Value::InlineTable(table)) if !table.is_dotted() => {
                self.braces = Some((table, self.length));
            }
            Item::Value(_) | Item::None => {}
        }
        true
    }
}

fn in_table(file: &File<'_>, table: &Table, line: &str) -> Patch {
    if let Some((start, end)) = last(table) {
        let indentation = file.indentation(file.start + start);
        return Patch::line_after(file, file.start + end, &[&joined(&[indentation, line])]);
    }
    // The root has no header, though it may have a span.
    if table.position().is_some_and(|position| position > 0)
        && let Some(header) = table.span()
    {
        return Patch::line_after(file, file.start + header.end, &[line]);
    }
    let says_something = |line: &[u8]| !line.is_empty() && !line.starts_with(b"#");
    match file.lines().find(|(_, line)| says_something(line.trim_ascii())) {
        Some((first, _)) => Patch::line_before(file, file.heading(first), &[line]),
        None => Patch::line_at_end(file, &[line]),
    }
}

fn in_braces(file: &File<'_>, table: &InlineTable, pair: &str) -> Patch {
    if let Some((_, end)) = last(table) {
        let at = file.start + end;
        return Patch::key(at..at, joined(&[", ", pair]));
    }
    let span = table.span().unwrap_or_default();
    let inside = file.start + span.start + 1..file.start + span.end - 1;
    Patch::key(inside, joined(&[" ", pair, " "]))
}

/// Where the last pair of a table begins, and where its value ends.
fn last(table: &dyn TableLike) -> Option<(usize, usize)> {
    let pair = |(name, item): (&str, &Item)| match item {
        Item::Table(table) if table.is_dotted() => last(table),
        Item::Value(Value::InlineTable(table)) if table.is_dotted() => last(table),
        Item::Value(value) => {
            let start = table.key(name).and_then(Key::span).unwrap_or_default().start;
            value.span().map(|span| (start, span.end))
        }
        _ => None,
    };
    table.iter().filter_map(pair).max_by_key(|(_, end)| *end)
}

fn dotted(parts: &[Key]) -> String {
    let spelled = |part: &Key| Key::new(part.get()).display_repr().into_owned();
    parts.iter().map(spelled).collect::<Vec<_>>().join(".")
}
