//! Finds and replaces values in INI files, with a line scanner of ours.
//!
//! There is no single INI. This takes what the common readers agree on: `[section]`, `name = value`
//! or `name : value`, comments behind `;` or `#`, quotes around a value. A line that it does not
//! understand is left alone, in any encoding.
//!
//! A value without quotes stays without, one in quotes keeps them. No escape is known to all
//! readers, so a value that does not fit moves on: from bare to `"` to `'`; where none of them holds
//! it, it is refused. PHP computes with a bare `|`, as an app's token has it, so that goes into
//! quotes, unless the file shows that its reader is another: Python's configparser would take the
//! quotes for a part of the value. `%` stays as it is, though configparser wants it doubled.

use std::collections::HashMap;
use std::ops::Range;

use zeroize::Zeroizing;

use super::patch::{Patch, joined};
use super::quoted::between;
use super::site::{Content, Site};
use super::{EditError, File, Format};

/// The assignments of a file by `section.name`, or by `name` above the first section.
///
/// Both a section and a name may hold dots, so the parts are put together, not taken apart.
pub struct IniNames {
    exact: HashMap<Vec<u8>, Vec<Spot>>,
    folded: HashMap<Vec<u8>, Vec<Spot>>,
    /// What stands in quotes that are not closed on their line: some readers read on.
    open: Vec<Range<usize>>,
}

/// Where one assignment stands, and the value behind its `=`.
#[derive(Clone)]
struct Spot {
    line: usize,
    written: Range<usize>,
}

impl IniNames {
    /// Reads every assignment of the file, with its section.
    pub fn of(file: &File<'_>) -> Result<Self, EditError> {
        let mut names = Self { exact: HashMap::new(), folded: HashMap::new(), open: Vec::new() };
        for entry in entries(file)? {
            names.open.extend(open_quote(file, &entry));
            let name = match entry.section {
                b"" => entry.name.to_vec(),
                section => [section, entry.name].join(&b'.'),
            };
            let written = entry.at..entry.at + entry.written.len();
            let spot = Spot { line: entry.line, written };
            names.folded.entry(name.to_ascii_lowercase()).or_default().push(spot.clone());
            names.exact.entry(name).or_default().push(spot);
        }
        Ok(names)
    }

    /// Finds the value of `key`.
    ///
    /// Most readers do not tell `Access_Token` from `access_token`, some do: what is spelled
    /// exactly as asked comes first, another case counts only where there is no such.
    pub fn find(&self, file: &File<'_>, key: &str) -> Result<Site, EditError> {
        let found = self.exact.get(key.as_bytes());
        let found = found.or_else(|| self.folded.get(&key.as_bytes().to_ascii_lowercase()));
        let found = found.map(Vec::as_slice).unwrap_or_default();
        let spot = file.only(key, found.iter().map(|spot| (spot.line, spot)).collect())?;
        if let Some(open) = self.open.iter().find(|open| open.contains(&spot.line)) {
            return Err(file.unparsable(open.start));
        }
        let written = &file.bytes[spot.written.clone()];
        let blank = written.len() - written.trim_ascii_start().len();
        value(file, spot.written.start + blank, written.trim_ascii())
    }
}

/// One assignment as it stands in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IniEntry<'a> {
    /// Where its line begins.
    pub(super) line: usize,
    pub(super) section: &'a [u8],
    pub(super) name: &'a [u8],
    /// Where what is behind the `=` or `:` begins.
    pub(super) at: usize,
    /// Everything on the line behind the `=` or `:`.
    pub(super) written: &'a [u8],
}

/// Every assignment, in the order of the lines.
pub fn entries<'a>(file: &File<'a>) -> Result<Vec<IniEntry<'a>>, EditError> {
    let mut section: &[u8] = b"";
    let mut entries = Vec::new();
    for (start, line) in file.lines() {
        match IniLine::of(line) {
            IniLine::Nothing | IniLine::Other => {}
            IniLine::Broken => return Err(file.unparsable(start)),
            IniLine::Header(name) => section = name,
            IniLine::Assignment { name, delimiter } => entries.push(IniEntry {
                line: start,
                section,
                name,
                at: start + delimiter + 1,
                written: &line[delimiter + 1..],
            }),
        }
    }
    Ok(entries)
}

/// What a quote encloses that is open at the end of its line: up to the line on which it is closed,
/// or all the rest of the file.
fn open_quote(file: &File<'_>, entry: &IniEntry<'_>) -> Option<Range<usize>> {
    let value = entry.written.trim_ascii_start();
    let mark = *value.first().filter(|mark| matches!(mark, b'"' | b'\''))?;
    if value[1..].contains(&mark) {
        return None;
    }
    let line_end = entry.at + entry.written.len();
    let rest = &file.bytes[line_end..];
    let is_clean = |at: &usize| {
        let behind = rest[at + 1..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        matches!(behind.trim_ascii().first(), None | Some(b';' | b'#'))
    };
    let closed = rest.iter().position(|byte| *byte == mark).filter(is_clean);
    Some(entry.at..closed.map_or(file.bytes.len(), |at| line_end + at))
}

/// What a line is.
pub enum IniLine<'a> {
    /// Blank, or a comment.
    Nothing,
    Header(&'a [u8]),
    Assignment {
        name: &'a [u8],
        delimiter: usize,
    },
    /// Not understood, and left alone.
    Other,
    /// A header without its end.
    Broken,
}

impl<'a> IniLine<'a> {
    /// Tells what one line is.
    pub fn of(line: &'a [u8]) -> Self {
        let text = line.trim_ascii();
        match text.first() {
            None | Some(b';' | b'#') => Self::Nothing,
            Some(b'[') => match text.iter().position(|byte| *byte == b']') {
                Some(end) => Self::Header(text[1..end].trim_ascii()),
                None => Self::Broken,
            },
            Some(_) => match line.iter().position(|byte| matches!(byte, b'=' | b':')) {
                Some(delimiter) => {
                    Self::Assignment { name: line[..delimiter].trim_ascii(), delimiter }
                }
                None => Self::Other,
            },
        }
    }
}

fn value(file: &File<'_>, at: usize, written: &[u8]) -> Result<Site, EditError> {
    let text = std::str::from_utf8(written).map_err(|_| file.unparsable(at))?;
    for quote in ['"', '\''] {
        let Some(inside) = text.strip_prefix(quote) else { continue };
        let end = inside.find(quote).ok_or_else(|| file.unparsable(at))?;
        let behind = inside[end + 1..].trim_start();
        if !behind.is_empty() && !behind.starts_with([';', '#']) {
            return Err(file.unparsable(at));
        }
        return Ok(Site::new(at..at + end + 2, Content::text(&inside[..end])));
    }
    let is_blank = |at: usize| file.bytes.get(at).is_none_or(u8::is_ascii_whitespace);
    let begins_with_one = is_blank(at - 1) || is_blank(at + 1);
    let bare = text[..comment(text, begins_with_one)].trim_end();
    Ok(Site::new(at..at + bare.len(), Content::text(bare)))
}

/// Where a comment behind a bare value begins: a mark with a blank before it, or at the start where
/// it may stand there. Right behind the `=` most readers take `#word` for the value.
fn comment(text: &str, may_begin_with_one: bool) -> usize {
    let mut blank = may_begin_with_one;
    for (at, c) in text.char_indices() {
        if blank && matches!(c, ';' | '#') {
            return at;
        }
        blank = c.is_whitespace();
    }
    text.len()
}

/// Another value in the place of the one at `site`.
pub fn overwrite(file: &File<'_>, key: &str, site: Site, value: &str) -> Result<Patch, EditError> {
    if let Some(why) = goes_on(file, &site) {
        let at = file.place(site.span.start);
        return Err(EditError::Irreplaceable { key: key.to_owned(), at, why });
    }
    let order = match file.bytes[site.span.clone()].first() {
        Some(b'"') => [Style::Double, Style::Single, Style::Bare],
        Some(b'\'') => [Style::Single, Style::Double, Style::Bare],
        _ => bare_first(file, value)?,
    };
    let written = written(value, order)?;
    if !site.span.is_empty() {
        return Ok(Patch::value(site.span, written));
    }
    Ok(first_value(file, site.span.start, &written))
}

/// Puts a value where none is yet, with the blanks that the line has around its `=`.
fn first_value(file: &File<'_>, at: usize, written: &str) -> Patch {
    let line = &file.bytes[..at];
    let delimiter = line.trim_ascii_end().len();
    let is_blank = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b' ' | b'\t'));
    let spaced = is_blank(file.bytes.get(delimiter))
        || is_blank(line.iter().nth_back(line.len() + 1 - delimiter));
    let comment = !matches!(file.bytes.get(at), None | Some(b'\r' | b'\n'));
    let place = if comment { delimiter } else { at };
    let before = if spaced && (comment || at == delimiter) { " " } else { "" };
    let behind = if comment && at == delimiter { " " } else { "" };
    Patch::value(place..place, joined(&[before, written, behind]))
}

/// Why the value may be more than what stands on its line.
fn goes_on(file: &File<'_>, site: &Site) -> Option<&'static str> {
    if file.bytes[site.span.clone()].ends_with(b"\\") {
        return Some("a `\\` at the end of the line makes the next line part of it");
    }
    let own = file.indentation(site.span.start).len();
    let next = file.lines().find(|(start, _)| *start > site.span.start)?.1;
    let deeper = next.len() - next.trim_ascii_start().len() > own;
    let comment = next.trim_ascii_start().starts_with(b";") || next.trim_ascii().is_empty();
    (deeper && !comment && !next.trim_ascii_start().starts_with(b"#"))
        .then_some("some readers take the indented line below it as part of it")
}

/// Whether the line of a byte is indented deeper than the assignment above it: Python's configparser
/// reads on there.
pub fn is_indented_below_another(file: &File<'_>, at: usize) -> bool {
    let own = file.line_start(at);
    let mut option = None;
    for (start, line) in file.lines().take_while(|(start, _)| *start < own) {
        let indentation = file.indentation(start).len();
        match IniLine::of(line) {
            IniLine::Header(_) => option = None,
            IniLine::Assignment { .. } if option.is_none_or(|option| indentation <= option) => {
                option = Some(indentation);
            }
            _ => {}
        }
    }
    option.is_some_and(|option| file.indentation(own).len() > option)
}

/// What PHP computes with, or takes for more than text, in a value without quotes.
const OPERATORS: [char; 8] = ['|', '&', '^', '~', '!', '(', ')', '{'];

/// The words that PHP reads as something else in a value without quotes.
const WORDS: [&str; 8] = ["null", "none", "yes", "no", "true", "false", "on", "off"];

/// The styles for a value that may do without quotes, in the order of preference.
fn bare_first(file: &File<'_>, value: &str) -> Result<[Style; 3], EditError> {
    let is_misread = value.contains(OPERATORS) || WORDS.contains(&&*value.to_ascii_lowercase());
    if is_misread && !is_not_for_php(file)? {
        return Ok([Style::Double, Style::Single, Style::Bare]);
    }
    Ok([Style::Bare, Style::Double, Style::Single])
}

/// Whether the file shows that PHP does not read it: names end with `:`, or a value without quotes
/// holds what PHP would compute with.
fn is_not_for_php(file: &File<'_>) -> Result<bool, EditError> {
    let shows = |entry: &IniEntry<'_>| {
        let value = entry.written.trim_ascii();
        let is_bare = !value.starts_with(b"\"") && !value.starts_with(b"'");
        let value = value.split(|byte| *byte == b';').next().unwrap_or_default();
        let computes = |byte: &u8| OPERATORS.contains(&char::from(*byte));
        file.bytes[entry.at - 1] == b':' || (is_bare && value.iter().any(computes))
    };
    Ok(entries(file)?.iter().any(shows))
}

#[derive(Clone, Copy)]
enum Style {
    Bare,
    Double,
    Single,
}

impl Style {
    fn holds(self, value: &str) -> bool {
        match self {
            // A `;` or `#` ends a bare value for some readers even without a blank before it.
            Self::Bare => {
                value.trim() == value
                    && !value.starts_with(['"', '\''])
                    && !value.ends_with('\\')
                    && !value.contains([';', '#'])
            }
            // Some readers take a `\` before the quote as an escape.
            Self::Double => !value.contains('"') && !value.ends_with('\\'),
            Self::Single => !value.contains('\'') && !value.ends_with('\\'),
        }
    }

    fn write(self, value: &str) -> Zeroizing<String> {
        match self {
            Self::Bare => between("", value),
            Self::Double => between("\"", value),
            Self::Single => between("'", value),
        }
    }
}

fn written(value: &str, order: [Style; 3]) -> Result<Zeroizing<String>, EditError> {
    let refused = |why| EditError::Unwritable { format: Format::Ini, why };
    if value.contains(char::is_control) {
        return Err(refused("it has a line break or another control character"));
    }
    let style = order.into_iter().find(|style| style.holds(value));
    let style = style.ok_or_else(|| refused("no kind of quotes fits around it"))?;
    Ok(style.write(value))
}

/// A new line at the end of its section, or a new section at the end of the file.
pub fn create(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
    let bad_key = || EditError::BadKey { key: key.to_owned(), format: file.format };
    let sections = Section::all(file);
    let entries = entries(file)?;
    let home = home(file, key, &sections)?;
    let (section, name) = match home {
        Some(section) => (section.name, &key[section.name.len() + 1..]),
        None => key.rsplit_once('.').map_or((&b""[..], key), |(s, name)| (s.as_bytes(), name)),
    };
    if !is_name(name) || key.starts_with('.') || !is_section(section) {
        return Err(bad_key());
    }
    let within = |at: usize| home.is_none_or(|home| home.at < at && at <= home.last);
    if let Some((at, _)) = file.lines().find(|(at, line)| within(*at) && is_valueless(line, name)) {
        return Err(file.no_place(key, Some(at), "a line names it without a value"));
    }
    if let Some(at) = foreign_line(file) {
        let why = "its lines are not those of an INI file";
        return Err(file.no_place(key, Some(at), why));
    }
    let near = |entry: &&IniEntry<'_>| match home {
        Some(_) => within(entry.line),
        None => entry.section.is_empty() || !section.is_empty(),
    };
    let neighbour = entries.iter().rfind(near);
    if let Some(open) = entries.iter().find_map(|entry| open_quote(file, entry)) {
        return Err(file.unparsable(open.start));
    }
    let written = written(value, bare_first(file, value)?)?;
    let line = joined(&[name, &delimiter(file, neighbour), &written]);
    if let Some(home) = home {
        let indentation = neighbour.map_or("", |entry| file.indentation(entry.line));
        return Ok(Patch::line_after(file, home.last, &[&joined(&[indentation, &line])]));
    }
    if section.is_empty() {
        return Ok(match (neighbour, sections.first()) {
            (Some(last), _) => Patch::line_after(file, last.line, &[&line]),
            (None, Some(first)) => Patch::line_before(file, file.heading(first.at), &[&line]),
            (None, None) => Patch::line_at_end(file, &[&line]),
        });
    }
    let header = format!("[{}]", String::from_utf8_lossy(section));
    Ok(Patch::paragraph_at_end(file, &[&header, &line]))
}

/// Where the first line begins that shows the file to be written in another language, such as that of
/// nginx, Apache or PHP: an INI file has a header or a `NAME = VALUE`, and no blocks in braces.
fn foreign_line(file: &File<'_>) -> Option<usize> {
    let is_of_a_block = |line: &[u8]| {
        let line = line.trim_ascii();
        line.starts_with(b"<") || line == b"}" || (line.ends_with(b"{") && !line.contains(&b'='))
    };
    let is_of_ini = |line: &[u8]| match IniLine::of(line) {
        IniLine::Header(_) => true,
        IniLine::Assignment { delimiter, .. } => {
            line[delimiter] == b'=' || line.get(delimiter + 1).is_none_or(u8::is_ascii_whitespace)
        }
        IniLine::Nothing | IniLine::Other | IniLine::Broken => false,
    };
    if let Some((at, _)) = file.lines().find(|(_, line)| is_of_a_block(line)) {
        return Some(at);
    }
    let mut says_something =
        file.lines().filter(|(_, line)| !matches!(IniLine::of(line), IniLine::Nothing));
    let first = says_something.next()?;
    (!is_of_ini(first.1) && !says_something.any(|(_, line)| is_of_ini(line))).then_some(first.0)
}

/// The section that the key belongs to: the longest name that its beginning spells.
fn home<'a, 'b>(
    file: &File<'_>,
    key: &str,
    sections: &'b [Section<'a>],
) -> Result<Option<&'b Section<'a>>, EditError> {
    for alike in [<[u8]>::eq as fn(&[u8], &[u8]) -> bool, <[u8]>::eq_ignore_ascii_case] {
        let fits = |section: &&Section<'_>| {
            let length = section.name.len();
            length > 0
                && key.as_bytes().get(length) == Some(&b'.')
                && alike(&key.as_bytes()[..length], section.name)
        };
        let Some(longest) = sections.iter().filter(fits).map(|section| section.name.len()).max()
        else {
            continue;
        };
        let found = sections.iter().filter(fits).filter(|section| section.name.len() == longest);
        let found = found.map(|section| (section.at, section)).collect();
        return file.only(&key[..longest], found).map(Some);
    }
    Ok(None)
}

/// A name that no reader takes for anything else.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.trim() == name
        && !name.contains(['=', ':', '"', '\''])
        && !name.starts_with(['[', ';', '#'])
        && !name.contains(char::is_control)
}

/// Whether a line is that name and nothing else, which some readers take for a switch.
fn is_valueless(line: &[u8], name: &str) -> bool {
    matches!(IniLine::of(line), IniLine::Other)
        && line.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
}

fn is_section(name: &[u8]) -> bool {
    name.trim_ascii() == name && !name.iter().any(|byte| byte.is_ascii_control() || *byte == b']')
}

/// What stands between name and value in the line of a neighbour.
fn delimiter(file: &File<'_>, neighbour: Option<&IniEntry<'_>>) -> String {
    let Some(entry) = neighbour else { return " = ".to_owned() };
    let blank = |byte: u8| if byte.is_ascii_whitespace() { " " } else { "" };
    let before = if file.bytes[..entry.at - 1].ends_with(entry.name) { "" } else { " " };
    let behind = entry.written.first().map_or(before, |byte| blank(*byte));
    format!("{before}{}{behind}", char::from(file.bytes[entry.at - 1]))
}

/// A section, from its header to its last line that says something.
struct Section<'a> {
    name: &'a [u8],
    /// Where the header's line begins.
    at: usize,
    /// Where the last line begins that is neither blank nor a comment.
    last: usize,
}

impl<'a> Section<'a> {
    fn all(file: &File<'a>) -> Vec<Self> {
        let mut sections: Vec<Self> = Vec::new();
        for (at, line) in file.lines() {
            match IniLine::of(line) {
                IniLine::Header(name) => sections.push(Self { name, at, last: at }),
                IniLine::Assignment { .. } | IniLine::Other => {
                    if let Some(section) = sections.last_mut() {
                        section.last = at;
                    }
                }
                IniLine::Nothing | IniLine::Broken => {}
            }
        }
        sections
    }
}
