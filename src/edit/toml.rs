//! TOML, by the spans of `toml_edit`.

use toml_edit::{Document, Item, Key};

use super::{Content, EditError, File, Site};

/// Finds what is at a dotted path; a part may be quoted, a number picks from an array.
pub(super) fn find(file: &File<'_>, key: &str) -> Result<Site, EditError> {
    let path = path(file, key)?;
    let document = parse(file)?;
    let mut item = document.as_item();
    for part in &path {
        item = step(item, part.get()).ok_or_else(|| EditError::Missing { key: key.to_owned() })?;
    }
    let span = item.span().unwrap_or_default();
    let content = match (item.as_str(), kind(item)) {
        (Some(text), _) => Content::text(text),
        (None, what @ ("a list" | "a table")) => Content::Other(what),
        (None, what) => Content::Scalar(what),
    };
    Ok(Site { span: file.start + span.start..file.start + span.end, content })
}

/// The parts of a dotted path, with their quotes undone.
pub(super) fn path(file: &File<'_>, key: &str) -> Result<Vec<Key>, EditError> {
    Key::parse(key).map_err(|_| EditError::BadKey { key: key.to_owned(), format: file.format })
}

/// The document; its spans count from behind the byte order mark.
pub(super) fn parse<'a>(file: &File<'a>) -> Result<Document<&'a str>, EditError> {
    Document::parse(file.text()?)
        .map_err(|error| file.unparsable(file.start + error.span().map_or(0, |span| span.start)))
}

pub(super) fn step<'a>(item: &'a Item, part: &str) -> Option<&'a Item> {
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

#[cfg(test)]
mod tests {
    use crate::edit::Format::Toml;
    use crate::edit::tests::found;

    #[test]
    fn a_dotted_path_leads_to_one_string() {
        let text = "# app = \"no\"\r\ntop = 'x' # why\r\n[facebook]\r\naccess_token   =   \"EAA\\u0066ake\"   # old\r\nlist = [\"a\", { b = \"c\" }]\r\n\"odd key\" = \"o\"\r\n[[page]]\r\nid = \"1\"\r\n[[page]]\r\nid = \"2\"";
        for (key, expected) in [
            ("top", "x <'x'> 2"),
            ("facebook.access_token", "EAAfake <\"EAA\\u0066ake\"> 4"),
            ("facebook.list.0", "a <\"a\"> 5"),
            ("facebook.list.1.b", "c <\"c\"> 5"),
            ("facebook.'odd key'", "o <\"o\"> 6"),
            ("page.1.id", "2 <\"2\"> 10"),
            ("facebook", "the key `facebook` holds a table, not text: line 3"),
            ("facebook.list", "the key `facebook.list` holds a list, not text: line 5"),
            ("facebook.missing", "it has no key `facebook.missing`"),
            ("facebook.list.9", "it has no key `facebook.list.9`"),
            ("a b", "`a b` is no key of a toml file"),
        ] {
            assert_eq!(found(Toml, text, key), expected);
        }
    }

    #[test]
    fn the_byte_order_mark_is_no_part_of_a_key() {
        assert_eq!(found(Toml, "\u{feff}a = \"x\"", "a"), "x <\"x\"> 1");
        assert_eq!(
            found(Toml, "\u{feff}\na = 1", "a"),
            "the key `a` holds a number, not text: line 2"
        );
    }

    #[test]
    fn a_broken_file_is_named_by_its_line() {
        assert_eq!(
            found(Toml, "a = \"x\"\nb = EAAfake\n", "a"),
            "it cannot be read as toml: line 2"
        );
        assert_eq!(found(Toml, "a = \"x\"\na = \"y\"\n", "a"), "it cannot be read as toml: line 2");
    }
}
