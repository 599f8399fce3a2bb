//! YAML, by the events of `saphyr-parser`.
//!
//! Its spans count characters, and run on over blanks behind a scalar; both are mended here.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{EditError, File, Located};

/// Finds the string at a dotted path; a number picks from a sequence.
pub(super) fn locate(file: &File<'_>, key: &str) -> Result<Located, EditError> {
    if key.split('.').any(str::is_empty) {
        return Err(EditError::BadKey { key: key.to_owned(), format: file.format });
    }
    let text = file.text()?;
    let places = Places::of(text);
    let mut walk = Walk { wanted: key.split('.').collect(), way: Vec::new(), found: Vec::new() };
    for event in Parser::new_from_str(text) {
        let (event, span) = event
            .map_err(|error| file.unparsable(file.start + places.byte(error.marker().index())))?;
        walk.take(&event, places.byte(span.start.index())..places.byte(span.end.index()));
    }
    let found = walk.found.into_iter().map(|leaf| (file.start + leaf.span.start, leaf)).collect();
    let leaf = file.only(key, found)?;
    let span = leaf.written(text);
    let span = file.start + span.start..file.start + span.end;
    match leaf.content {
        Content::Text(value) => Ok(file.located(span, value)),
        Content::Other(what) => Err(file.not_text(key, span.start, what)),
    }
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

/// What stands at the wanted path.
struct Leaf {
    content: Content,
    style: ScalarStyle,
    span: Range<usize>,
}

enum Content {
    Text(String),
    Other(&'static str),
}

impl Leaf {
    fn other(what: &'static str, span: Range<usize>) -> Self {
        Self { content: Content::Other(what), style: ScalarStyle::Plain, span }
    }

    /// The bytes of the scalar and nothing behind it.
    fn written(&self, text: &str) -> Range<usize> {
        let start = self.span.start + properties(&text[self.span.clone()]);
        let all = &text[start..self.span.end];
        let length = match self.style {
            ScalarStyle::DoubleQuoted => quoted(all, '"'),
            ScalarStyle::SingleQuoted => quoted(all, '\''),
            ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => all.trim_end().len(),
        };
        start..start + length
    }
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

/// The way from the document's root to the event at hand.
struct Walk<'a> {
    wanted: Vec<&'a str>,
    way: Vec<Step>,
    found: Vec<Leaf>,
}

/// One collection on the way, and how far it matches what is wanted.
enum Step {
    Mapping { on_path: bool, depth: usize, at: MappingAt },
    Sequence { on_path: bool, depth: usize, next: usize },
}

enum MappingAt {
    Key,
    Value { matches: bool },
}

impl Walk<'_> {
    fn take(&mut self, event: &Event<'_>, span: Range<usize>) {
        match event {
            Event::Scalar(value, style, _, tag) => {
                if self.key(Some(value.as_ref())) {
                    return;
                }
                let plain = *style == ScalarStyle::Plain && tag.is_none();
                let content = match (style, not_text(value)) {
                    (ScalarStyle::Literal | ScalarStyle::Folded, _) => {
                        Content::Other("a block of lines")
                    }
                    (_, Some(what)) if plain => Content::Other(what),
                    _ => Content::Text(value.clone().into_owned()),
                };
                self.node(|| Leaf { content, style: *style, span });
            }
            Event::Alias(_) => {
                if !self.key(None) {
                    self.node(|| Leaf::other("an alias", span));
                }
            }
            Event::MappingStart(..) => {
                let (on_path, depth) = self.open("a mapping", span);
                self.way.push(Step::Mapping { on_path, depth, at: MappingAt::Key });
            }
            Event::SequenceStart(..) => {
                let (on_path, depth) = self.open("a list", span);
                self.way.push(Step::Sequence { on_path, depth, next: 0 });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.way.pop();
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
    }

    /// Takes a node as the key of the mapping at hand, if one is due.
    fn key(&mut self, name: Option<&str>) -> bool {
        let Some(Step::Mapping { on_path, depth, at: at @ MappingAt::Key }) = self.way.last_mut()
        else {
            return false;
        };
        let wanted = self.wanted.get(*depth).copied();
        *at = MappingAt::Value { matches: *on_path && name.is_some() && name == wanted };
        true
    }

    /// Opens a collection: whether it is on the path, and how deep it is.
    fn open(&mut self, what: &'static str, span: Range<usize>) -> (bool, usize) {
        if self.key(None) {
            return (false, 0);
        }
        if self.way.is_empty() {
            return (true, 0);
        }
        let depth = self.node(|| Leaf::other(what, span));
        (depth.is_some(), depth.unwrap_or_default())
    }

    /// Takes a node as a value; the depth below it if it is on the path.
    fn node(&mut self, leaf: impl FnOnce() -> Leaf) -> Option<usize> {
        let (matches, depth) = match self.way.last_mut()? {
            Step::Mapping { depth, at, .. } => {
                let MappingAt::Value { matches } = *at else { return None };
                *at = MappingAt::Key;
                (matches, *depth)
            }
            Step::Sequence { on_path, depth, next } => {
                let wanted = self.wanted.get(*depth).and_then(|part| part.parse().ok());
                let matches = *on_path && wanted == Some(*next);
                *next += 1;
                (matches, *depth)
            }
        };
        if !matches {
            return None;
        }
        if depth + 1 == self.wanted.len() {
            self.found.push(leaf());
            return None;
        }
        Some(depth + 1)
    }
}

/// What a plain scalar is in YAML's core schema, or in the older one, if it is not text.
fn not_text(plain: &str) -> Option<&'static str> {
    match plain.to_ascii_lowercase().as_str() {
        "" | "~" | "null" => Some("nothing"),
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
            ("b: \"open\na: x\n", "it cannot be read as yaml: line 1"),
            ("just text", "it has no key `a`"),
            ("a: |\n  block\n", "the key `a` holds a block of lines, not text: line 2"),
        ] {
            assert_eq!(found(Yaml, text, "a"), expected, "{text}");
        }
    }
}
