//! Finds and replaces values in files of `NAME=value` lines: shells, systemd, Docker, dotenv.
//!
//! Their readers disagree on much. What all of them read alike is taken and written; what they do
//! not, such as a `$` that some expand and others keep, is refused.
//!
//! `export`, blanks and quotes stay. A bare value stays bare while it holds only what a shell leaves
//! alone, or what the old value held too: a file with a bare `|` is not read by a shell. Otherwise
//! it goes into `'`. A value in `'` goes into `"` if it has a `'`, or a `\` that some readers undo
//! even there; one in `"` goes into `'` if something inside would have to be escaped. In `"` only
//! `"` and `\` are escaped: not every reader undoes `\$`. Line breaks are refused: some readers undo
//! `\n`, some do not. So is a line that holds more than the value: a shell begins another command
//! there, or another assignment. What stands in a here-document is not a variable.

use std::collections::HashMap;
use std::ops::Range;

use zeroize::Zeroizing;

use super::patch::{Patch, joined};
use super::quoted::between;
use super::site::{Content, Site};
use super::{EditError, File, Format};

/// The assignments of a file by their names.
pub struct EnvNames {
    spots: HashMap<Vec<u8>, Vec<Spot>>,
    /// Assignments behind other text on their line, for names without a plain assignment.
    behind: HashMap<Vec<u8>, Vec<Spot>>,
    /// Where quotes are opened that are not closed: what stands behind may be inside.
    open: Vec<usize>,
}

/// Where one assignment stands.
#[derive(Clone)]
struct Spot {
    line: usize,
    at: usize,
    value: Written,
}

impl EnvNames {
    /// Reads every assignment of the file.
    pub fn of(file: &File<'_>) -> Self {
        let mut names = Self { spots: HashMap::new(), behind: HashMap::new(), open: Vec::new() };
        for EnvEntry { line, name, at, value, .. } in entries(file) {
            if matches!(value, Written::Unclosed) {
                names.open.push(at);
            }
            if let Some(last) = last_name(name) {
                let spot = Spot { line, at, value: Written::Crowded };
                names.behind.entry(last.to_vec()).or_default().push(spot);
            }
            names.spots.entry(name.to_vec()).or_default().push(Spot { line, at, value });
        }
        names
    }

    /// Finds the value of the variable `key`.
    pub fn find(&self, file: &File<'_>, key: &str) -> Result<Site, EditError> {
        let found = self.spots.get(key.as_bytes()).or_else(|| self.behind.get(key.as_bytes()));
        let found = found.map(Vec::as_slice).unwrap_or_default();
        let spot = file.only(key, found.iter().map(|spot| (spot.line, spot)).collect())?;
        if let Some(open) = self.open.iter().find(|open| **open < spot.line) {
            return Err(file.unparsable(*open));
        }
        match spot.value.clone() {
            Written::Unclosed => Err(file.unparsable(spot.at)),
            Written::Crowded => Err(crowded(file, key, spot.at)),
            Written::Bare(span) => text(file, span.clone(), span, Quote::None),
            Written::Quoted { span, quote } => {
                text(file, span.clone(), span.start + 1..span.end - 1, quote)
            }
        }
    }
}

/// One assignment as it stands in the file.
pub struct EnvEntry<'a> {
    /// Where its line begins.
    line: usize,
    pub(super) name: &'a [u8],
    exported: Exported,
    /// Where what is behind the `=` begins.
    pub(super) at: usize,
    value: Written,
}

impl EnvEntry<'_> {
    /// Where the value ends; what is not closed has no end that can be told.
    pub(super) fn end(&self) -> usize {
        match &self.value {
            Written::Bare(span) | Written::Quoted { span, .. } => span.end,
            Written::Crowded | Written::Unclosed => self.at,
        }
    }

    /// Whether another assignment of `key` stands behind the value on the same line.
    fn hides(&self, file: &File<'_>, key: &str) -> bool {
        let behind = match &self.value {
            Written::Bare(span) => &file.bytes[span.clone()],
            Written::Crowded => {
                file.bytes[self.at..].split(|byte| *byte == b'\n').next().unwrap_or(b"")
            }
            Written::Quoted { .. } | Written::Unclosed => return false,
        };
        let words = behind.split(|byte| b" \t;&|".contains(byte));
        let wanted = joined(&[key, "="]);
        words.skip(1).any(|word| word.starts_with(wanted.as_bytes()))
    }
}

/// The error of a line that holds more than the value.
fn crowded(file: &File<'_>, key: &str, at: usize) -> EditError {
    let why = "more than the value stands on its line";
    EditError::Irreplaceable { key: key.to_owned(), at: file.place(at), why }
}

/// Whether a shell that reads the line hands the variable on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exported {
    Yes,
    No,
}

/// Every assignment, in the order of the lines.
pub fn entries<'a>(file: &File<'a>) -> Vec<EnvEntry<'a>> {
    let mut entries = Vec::new();
    // A quoted value and a here-document run over lines; what stands inside is not an assignment.
    let mut inside_until = 0;
    for (start, line) in file.lines().filter(|(_, line)| !is_comment(line)) {
        if start < inside_until {
            continue;
        }
        if let Some(end) = here_document_end(file, start, line) {
            inside_until = end;
        }
        let Some(equals) = line.iter().position(|byte| *byte == b'=') else { continue };
        let at = start + equals + 1;
        let value = Written::read(file.bytes, at, start + line.len());
        if let Written::Quoted { span, .. } = &value {
            inside_until = inside_until.max(span.end);
        }
        let (name, exported) = name(&line[..equals]);
        entries.push(EnvEntry { line: start, name, exported, at, value });
    }
    entries
}

/// Lists the variables of a file, each with the line on which it is set.
pub fn variables(bytes: &[u8]) -> Vec<(String, usize)> {
    let file = File::new(Format::Env, bytes);
    let named = entries(&file).into_iter().filter_map(|entry| {
        let name = std::str::from_utf8(entry.name).ok()?.to_owned();
        Some((name, file.place(entry.line).line))
    });
    named.collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
}

/// A value as it stands in the file.
#[derive(Clone)]
enum Written {
    Bare(Range<usize>),
    Quoted {
        span: Range<usize>,
        quote: Quote,
    },
    /// In quotes, with more behind them on the line, such as another command of a shell.
    Crowded,
    Unclosed,
}

impl Written {
    fn read(bytes: &[u8], from: usize, line_end: usize) -> Self {
        let line = &bytes[from..line_end];
        let start = from + (line.len() - line.trim_ascii_start().len());
        match bytes[start..line_end].first() {
            Some(b'\'') => Self::quoted(bytes, start, Quote::Single),
            Some(b'"') => Self::quoted(bytes, start, Quote::Double),
            _ => Self::Bare(bare(bytes, start, line_end)),
        }
    }

    fn quoted(bytes: &[u8], start: usize, quote: Quote) -> Self {
        let mark = bytes[start];
        let mut escaped = false;
        for (ahead, byte) in bytes[start + 1..].iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quote == Quote::Double => escaped = true,
                byte if *byte == mark => {
                    let end = start + ahead + 2;
                    let on_one_line = !bytes[start..end].contains(&b'\n');
                    return match behind(bytes, end) {
                        Behind::Nothing => Self::Quoted { span: start..end, quote },
                        Behind::More if on_one_line => Self::Crowded,
                        Behind::More | Behind::Glued => Self::Unclosed,
                    };
                }
                _ => {}
            }
        }
        Self::Unclosed
    }
}

/// What follows the quotes on their line.
enum Behind {
    /// Nothing, or a comment.
    Nothing,
    /// Something of its own.
    More,
    /// More of the same word.
    Glued,
}

fn behind(bytes: &[u8], from: usize) -> Behind {
    let rest = bytes[from..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    match (rest.first(), rest.trim_ascii_start().first()) {
        (_, None | Some(b'#')) => Behind::Nothing,
        (Some(b' ' | b'\t' | b';' | b'&' | b'|'), _) => Behind::More,
        _ => Behind::Glued,
    }
}

/// Whether a bare value is more than one: a shell begins another command or assignment in it. An
/// app's token has a `|`, and is one.
fn is_more_than_one(bare: &[u8]) -> bool {
    let mut words = bare.split(|byte| b" \t".contains(byte)).skip(1);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let is_assignment = |word: &[u8]| {
        let name = word.iter().take_while(|byte| is_name(byte)).count();
        name > 0 && word.get(name) == Some(&b'=')
    };
    let id = bare.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = match bare.get(id) {
        Some(b'|') if id > 0 => &bare[id + 1..],
        _ => bare,
    };
    rest.iter().any(|byte| b";&|".contains(byte)) || words.any(is_assignment)
}

fn bare(bytes: &[u8], start: usize, line_end: usize) -> Range<usize> {
    let line = &bytes[start..line_end];
    // Right behind the `=` only a mark with a blank after it begins a comment: most readers, and a
    // shell, take `#word` for the value.
    let is_blank = |at: usize| bytes.get(at).is_none_or(u8::is_ascii_whitespace);
    let mut blank = is_blank(start - 1) || is_blank(start + 1);
    let mut end = line.len();
    for (at, byte) in line.iter().enumerate() {
        if blank && *byte == b'#' {
            end = at;
            break;
        }
        blank = byte.is_ascii_whitespace();
    }
    start..start + line[..end].trim_ascii_end().len()
}

fn is_comment(line: &[u8]) -> bool {
    line.trim_ascii_start().starts_with(b"#")
}

/// Where the line begins that ends the here-document of a shell's command on `line`.
fn here_document_end(file: &File<'_>, start: usize, line: &[u8]) -> Option<usize> {
    let at = line.windows(2).position(|pair| pair == b"<<")?;
    let behind = line[at + 2..].strip_prefix(b"-").unwrap_or(&line[at + 2..]).trim_ascii_start();
    let is_mark = |byte: &u8| byte.is_ascii_alphanumeric() || b"_'\"\\".contains(byte);
    let mark: Vec<u8> = behind.iter().copied().take_while(is_mark).collect();
    let mark: Vec<u8> = mark.into_iter().filter(|byte| !b"'\"\\".contains(byte)).collect();
    let mut below = file.lines().skip_while(|(at, _)| *at <= start);
    let end = below.find(|(_, line)| !mark.is_empty() && line.trim_ascii() == mark);
    end.map(|(at, _)| at)
}

/// Reads what stands in front of the `=`; only words that hand on or keep a value may go before a name.
fn name(left: &[u8]) -> (&[u8], Exported) {
    let left = left.trim_ascii();
    let (word, rest) = first_word(left);
    let (flags, name) = match first_word(rest) {
        (flags, name) if flags.starts_with(b"-") => (&flags[1..], name),
        _ => (&b""[..], rest),
    };
    let is_plain = !name.is_empty() && flags.iter().all(|flag| b"gnrx".contains(flag));
    match word {
        b"export" if is_plain && !flags.contains(&b'n') => (name, Exported::Yes),
        b"export" if is_plain => (name, Exported::No),
        b"declare" | b"typeset" | b"readonly" if is_plain && !flags.contains(&b'n') => {
            (name, if flags.contains(&b'x') { Exported::Yes } else { Exported::No })
        }
        _ => (left, Exported::No),
    }
}

/// The first word of a line, and what follows its blanks.
fn first_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

/// The name at the end of what stands in front of an `=`, where that is more than a name.
fn last_name(left: &[u8]) -> Option<&[u8]> {
    let last = left.rsplit(|byte| b" \t;&|(){}".contains(byte)).next()?;
    let is_more = last.len() < left.len();
    std::str::from_utf8(last).ok().filter(|last| is_more && is_name(last)).map(str::as_bytes)
}

fn text(
    file: &File<'_>,
    span: Range<usize>,
    inside: Range<usize>,
    quote: Quote,
) -> Result<Site, EditError> {
    let written =
        std::str::from_utf8(&file.bytes[inside]).map_err(|_| file.unparsable(span.start))?;
    if quote == Quote::Single {
        return Ok(Site::new(span, Content::text(written)));
    }
    let mut value = Zeroizing::new(String::with_capacity(written.len()));
    let mut chars = written.chars();
    while let Some(c) = chars.next() {
        match c {
            '$' => {
                let content = Content::Scalar("a `$` that a reader may expand");
                return Ok(Site::new(span, content));
            }
            '\\' if quote == Quote::Double => match chars.next() {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some(escaped) if "\\\"$`'".contains(escaped) => value.push(escaped),
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            },
            _ => value.push(c),
        }
    }
    Ok(Site::new(span, Content::Text(value)))
}

/// Another value in the place of the one at `site`.
pub fn overwrite(file: &File<'_>, key: &str, site: Site, value: &str) -> Result<Patch, EditError> {
    let old = &file.bytes[site.span.clone()];
    let quote = match old.first() {
        Some(b'"') => Quote::Double,
        Some(b'\'') => Quote::Single,
        _ => Quote::None,
    };
    if quote == Quote::None && old.ends_with(b"\\") {
        let why = "a `\\` at the end of the line makes the next line part of it";
        let at = file.place(site.span.start);
        return Err(EditError::Irreplaceable { key: key.to_owned(), at, why });
    }
    if quote == Quote::None && is_more_than_one(old) {
        return Err(crowded(file, key, site.span.start));
    }
    let written = written(value, quote, old)?;
    if old.is_empty() {
        return Ok(first_value(file, site.span.start, &written));
    }
    Ok(Patch::value(site.span, written))
}

/// Puts a value where none is yet: at the `=`, or a shell would run it as a command.
fn first_value(file: &File<'_>, at: usize, written: &str) -> Patch {
    let comment = !matches!(file.bytes.get(at), None | Some(b'\r' | b'\n'));
    let equals = file.bytes[..at].trim_ascii_end().len();
    match comment {
        true if at == equals => Patch::value(at..at, joined(&[written, " "])),
        true => Patch::value(equals..equals, joined(&[written])),
        false => Patch::value(at..at, joined(&[written])),
    }
}

fn written(value: &str, quote: Quote, old: &[u8]) -> Result<Zeroizing<String>, EditError> {
    if value.contains(char::is_control) {
        let why = "it has a line break or another control character";
        return Err(EditError::Unwritable { format: Format::Env, why });
    }
    let order = match quote {
        Quote::None => [Quote::None, Quote::Single, Quote::Double],
        Quote::Single => [Quote::Single, Quote::Double, Quote::Double],
        Quote::Double => [Quote::Double, Quote::Single, Quote::Double],
    };
    let fits = |quote: &Quote| match quote {
        Quote::None => value.chars().all(|c| is_bare(c, old)),
        Quote::Single => !value.contains(['\'', '\\']),
        Quote::Double => !value.contains(['$', '`', '"', '\\']),
    };
    match order.into_iter().find(fits) {
        Some(Quote::None) => Ok(between("", value)),
        Some(Quote::Single) => Ok(between("'", value)),
        Some(Quote::Double) => Ok(between("\"", value)),
        None if !value.contains(['$', '`']) => Ok(escaped(value)),
        None => {
            let why = "it has a `$` or a backtick, and a `'` or a `\\`";
            Err(EditError::Unwritable { format: Format::Env, why })
        }
    }
}

/// Whether a character needs no quotes: no shell acts on it, or the old value had it bare as well.
fn is_bare(c: char, old: &[u8]) -> bool {
    let harmless = c.is_ascii_alphanumeric() || "_-./:=+@%,".contains(c);
    harmless
        || u8::try_from(c).is_ok_and(|byte| {
            byte.is_ascii_graphic() && !b"'\"\\$`#".contains(&byte) && old.contains(&byte)
        })
}

fn escaped(value: &str) -> Zeroizing<String> {
    let mut written = Zeroizing::new(String::with_capacity(value.len() * 2 + 2));
    written.push('"');
    for c in value.chars() {
        if "\"\\".contains(c) {
            written.push('\\');
        }
        written.push(c);
    }
    written.push('"');
    written
}

/// A new line at the end of the file, exported if all others are.
pub fn create(file: &File<'_>, key: &str, value: &str) -> Result<Patch, EditError> {
    if !is_name(key) {
        return Err(EditError::BadKey { key: key.to_owned(), format: file.format });
    }
    let entries = entries(file);
    if let Some(open) = entries.iter().find(|entry| matches!(entry.value, Written::Unclosed)) {
        return Err(file.unparsable(open.at));
    }
    let is_variable = |entry: &EnvEntry<'_>| std::str::from_utf8(entry.name).is_ok_and(is_name);
    if !entries.iter().any(is_variable)
        && let Some(at) = first_statement(file)
    {
        return Err(file.no_place(key, Some(at), "no line of the file is `NAME=VALUE`"));
    }
    if let Some((at, line)) = file.lines().last()
        && line.ends_with(b"\\")
        && !is_comment(line)
    {
        let why = "the last line of the file goes on by its `\\`";
        return Err(file.no_place(key, Some(at), why));
    }
    if let Some(entry) = entries.iter().find(|entry| entry.hides(file, key)) {
        return Err(file.no_place(
            key,
            Some(entry.line),
            "it stands behind another value on a line",
        ));
    }
    let all = |entry: &_| matches!(entry, EnvEntry { exported: Exported::Yes, .. });
    let export = if !entries.is_empty() && entries.iter().all(all) { "export " } else { "" };
    let line = joined(&[export, key, "=", &written(value, Quote::None, b"")?]);
    Ok(Patch::line_at_end(file, &[&line]))
}

/// Where the first line begins that is neither blank nor a comment.
fn first_statement(file: &File<'_>) -> Option<usize> {
    let mut lines = file.lines();
    lines.find(|(_, line)| !line.trim_ascii().is_empty() && !is_comment(line)).map(|(at, _)| at)
}

/// A name that a shell takes; dots and dashes are for the readers that are none.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}
