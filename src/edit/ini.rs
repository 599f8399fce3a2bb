//! INI, by a scanner of ours, line by line.
//!
//! There is no one INI. This takes what the common readers agree on: `[section]`, `name = value`
//! or `name : value`, comments behind `;` or `#`, quotes around a value. A line that it does not
//! understand is left alone, in whatever encoding it is.

use super::{EditError, File, Located};

/// Finds the value of `section.name`, or of `name` above the first section.
pub(super) fn locate(file: &File<'_>, key: &str) -> Result<Located, EditError> {
    let mut section = String::new();
    let mut found = Vec::new();
    for (start, line) in file.lines() {
        let text = line.trim_ascii();
        match text.first() {
            None | Some(b';' | b'#') => {}
            Some(b'[') => section = header(text).ok_or_else(|| file.unparsable(start))?,
            Some(_) => {
                let Some(equals) = line.iter().position(|byte| matches!(byte, b'=' | b':')) else {
                    continue;
                };
                if is_named(key, &section, line[..equals].trim_ascii()) {
                    found.push((start, (start + equals + 1, &line[equals + 1..])));
                }
            }
        }
    }
    let (at, written) = file.only(key, found)?;
    let at = at + (written.len() - written.trim_ascii_start().len());
    value(file, at, written.trim_ascii())
}

fn header(line: &[u8]) -> Option<String> {
    let end = line.iter().position(|byte| *byte == b']')?;
    let name = line.get(1..end)?.trim_ascii();
    Some(String::from_utf8_lossy(name).into_owned())
}

/// Both a section and a name may hold dots, so the parts are put together, not taken apart.
fn is_named(key: &str, section: &str, name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    if section.is_empty() {
        return key == name;
    }
    key.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) == Some(name)
}

fn value(file: &File<'_>, at: usize, written: &[u8]) -> Result<Located, EditError> {
    let text = std::str::from_utf8(written).map_err(|_| file.unparsable(at))?;
    for quote in ['"', '\''] {
        let Some(inside) = text.strip_prefix(quote) else { continue };
        let end = inside.find(quote).ok_or_else(|| file.unparsable(at))?;
        let behind = inside[end + 1..].trim_start();
        if !behind.is_empty() && !behind.starts_with([';', '#']) {
            return Err(file.unparsable(at));
        }
        return Ok(file.located(at..at + end + 2, &inside[..end]));
    }
    let bare = text[..comment(text)].trim_end();
    Ok(file.located(at..at + bare.len(), bare))
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
    fn another_encoding_elsewhere_does_no_harm() {
        let located = locate(Format::Ini, b"; caf\xE9\nb = \xE9\na = x\n", Some("a")).unwrap();
        assert_eq!((located.value.as_str(), located.span), ("x", 17..18));
    }
}
