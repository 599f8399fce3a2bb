//! INI, by a scanner of ours, line by line.
//!
//! There is no one INI. This takes what the common readers agree on: `[section]`, `name = value`
//! or `name : value`, comments behind `;` or `#`, quotes around a value. A line that it does not
//! understand is left alone, in whatever encoding it is.

use super::{Content, EditError, File, Site};

/// Finds the value of `section.name`, or of `name` above the first section.
///
/// Most readers do not tell `Access_Token` from `access_token`, some do: what is spelled exactly
/// as asked comes first, another case counts only where there is no such.
pub(super) fn find(file: &File<'_>, key: &str) -> Result<Site, EditError> {
    let entries = entries(file)?;
    let exact = entries.iter().any(|entry| entry.is_named(key, <[u8]>::eq));
    let alike = if exact { <[u8]>::eq } else { <[u8]>::eq_ignore_ascii_case };
    let found = entries.iter().filter(|entry| entry.is_named(key, alike));
    let entry = file.only(key, found.map(|entry| (entry.line, entry)).collect())?;
    let blank = entry.written.len() - entry.written.trim_ascii_start().len();
    value(file, entry.at + blank, entry.written.trim_ascii())
}

/// One assignment as it stands in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// Where its line begins.
    pub(super) line: usize,
    pub(super) section: &'a [u8],
    pub(super) name: &'a [u8],
    /// Where what is behind the `=` or `:` begins.
    pub(super) at: usize,
    /// Everything on the line behind the `=` or `:`.
    pub(super) written: &'a [u8],
}

impl Entry<'_> {
    /// Both a section and a name may hold dots, so the parts are put together, not taken apart.
    fn is_named(&self, key: &str, alike: fn(&[u8], &[u8]) -> bool) -> bool {
        if self.section.is_empty() {
            return alike(key.as_bytes(), self.name);
        }
        alike(key.as_bytes(), &[self.section, self.name].join(&b'.'))
    }
}

/// Every assignment, in the order of the lines.
pub(super) fn entries<'a>(file: &File<'a>) -> Result<Vec<Entry<'a>>, EditError> {
    let mut section: &[u8] = b"";
    let mut entries = Vec::new();
    for (start, line) in file.lines() {
        match Line::of(line) {
            Line::Nothing | Line::Other => {}
            Line::Broken => return Err(file.unparsable(start)),
            Line::Header(name) => section = name,
            Line::Assignment { name, delimiter } => entries.push(Entry {
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

/// What a line is.
pub(super) enum Line<'a> {
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

impl<'a> Line<'a> {
    pub(super) fn of(line: &'a [u8]) -> Self {
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
        return Ok(Site { span: at..at + end + 2, content: Content::text(&inside[..end]) });
    }
    let bare = text[..comment(text)].trim_end();
    Ok(Site { span: at..at + bare.len(), content: Content::text(bare) })
}

/// Where a comment behind a bare value begins: a mark with a blank before it, or at the start.
fn comment(text: &str) -> usize {
    let mut blank = true;
    for (at, c) in text.char_indices() {
        if blank && matches!(c, ';' | '#') {
            return at;
        }
        blank = c.is_whitespace();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use crate::edit::Format::Ini;
    use crate::edit::tests::found;
    use crate::edit::{Format, locate};

    #[test]
    fn a_section_and_a_name_lead_to_one_value() {
        let text = "; access_token = no\r\ntop = t\r\n[facebook]\r\n# access_token = no\r\naccess_token : EAAfake=; ; old\r\nquoted=\"a ; b\" ; c\r\nsingle = 'it' # c\r\nempty =\r\nallow_no_value\r\n[a.b]\r\n  c.d\t=\tx \r\n[twice]\r\nk=1\r\n[other]\r\nk=2\r\n[twice]\r\nk=3";
        for (key, expected) in [
            ("top", "t <t> 2"),
            ("facebook.access_token", "EAAfake=; <EAAfake=;> 5"),
            ("facebook.quoted", "a ; b <\"a ; b\"> 6"),
            ("facebook.single", "it <'it'> 7"),
            ("facebook.empty", " <> 8"),
            ("a.b.c.d", "x <x> 11"),
            ("other.k", "2 <2> 15"),
            ("twice.k", "the key `twice.k` is there more than once: lines 13 and 17"),
            ("Facebook.Access_Token", "EAAfake=; <EAAfake=;> 5"),
            ("access_token", "it has no key `access_token`"),
            ("facebook.missing", "it has no key `facebook.missing`"),
        ] {
            assert_eq!(found(Ini, text, key), expected);
        }
    }

    #[test]
    fn what_makes_no_sense_is_named_by_its_line() {
        for (text, expected) in [
            ("\u{feff}a=1", "1 <1> 1"),
            ("x=1\n[open\na=1", "it cannot be read as ini: line 2"),
            ("\na=\"open", "it cannot be read as ini: line 2"),
            ("a=\"x\"y", "it cannot be read as ini: line 1"),
            ("b=\"open\na=1\n", "1 <1> 2"),
            ("a = # nothing", " <> 1"),
        ] {
            assert_eq!(found(Ini, text, "a"), expected, "{text}");
        }
    }

    #[test]
    fn the_exact_case_comes_first() {
        let text = "[a]\nK = 1\nk = 2\nx = 3\nX = 4\n";
        for (key, expected) in [
            ("a.k", "2 <2> 3"),
            ("a.K", "1 <1> 2"),
            ("A.X", "the key `A.X` is there more than once: lines 4 and 5"),
        ] {
            assert_eq!(found(Ini, text, key), expected);
        }
    }

    #[test]
    fn another_encoding_elsewhere_does_no_harm() {
        let located = locate(Format::Ini, b"; caf\xE9\nb = \xE9\na = x\n", Some("a")).unwrap();
        assert_eq!((located.value.as_str(), located.span), ("x", 17..18));
    }
}
