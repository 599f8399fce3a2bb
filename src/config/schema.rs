//! Knows which keys each table has, as the readers ask for them.
//!
//! No list is kept by hand: the readers run once over an empty config, and what they ask for is
//! the schema. Suggestions, the place where a key belongs and the reference of keys come from it.

use super::wording;

/// Keys that were called otherwise: the old name and the new one.
const RENAMED: [(&str, &str); 1] = [("proof_within", "checked_within")];

/// The tables of the config, in the order in which they are read.
#[derive(Debug, Default)]
pub struct Schema {
    tables: Vec<TableSchema>,
}

/// A table and its keys.
#[derive(Debug)]
pub struct TableSchema {
    /// Where a person finds it: ``in `[http]` ``.
    pub place: String,
    /// Its keys, in the order in which they are shown.
    pub keys: Vec<KeySchema>,
}

/// A key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySchema {
    pub name: &'static str,
    /// What its value is: `a duration`.
    pub kind: &'static str,
    /// What it is for, in a sentence.
    pub sentence: &'static str,
    /// Whether its value may be a secret, or hold one.
    pub is_secret: bool,
}

impl Schema {
    /// The tables, each with its keys.
    pub fn tables(&self) -> &[TableSchema] {
        &self.tables
    }

    /// The position of a table among those at the top of the file, for sorting.
    pub(super) fn rank(&self, table: &str) -> usize {
        let top = self.tables.first().map(|top| top.keys.as_slice()).unwrap_or_default();
        top.iter().position(|key| key.name == table).unwrap_or(usize::MAX)
    }

    /// Adds a key to the table at `place`, once.
    pub(super) fn learn(&mut self, place: String, key: KeySchema) {
        let at = self.tables.iter().position(|table| table.place == place).unwrap_or_else(|| {
            self.tables.push(TableSchema { place, keys: Vec::new() });
            self.tables.len() - 1
        });
        let keys = &mut self.tables[at].keys;
        if !keys.iter().any(|known| known.name == key.name) {
            keys.push(key);
        }
    }

    /// Marks a key that was just learned.
    pub(super) fn set_secret(&mut self, place: &str, name: &str, is_secret: bool) {
        let table = self.tables.iter_mut().find(|table| table.place == place);
        let key = table.and_then(|table| table.keys.iter_mut().find(|key| key.name == name));
        if let Some(key) = key {
            key.is_secret = is_secret;
        }
    }

    /// Whether the table at `place` has the key.
    pub(super) fn has(&self, place: &str, key: &str) -> bool {
        self.readable(place).any(|name| name == key)
    }

    /// The position of a key in its table, for sorting.
    pub(super) fn position(&self, place: &str, key: &str) -> usize {
        self.readable(place).position(|name| name == key).unwrap_or(usize::MAX)
    }

    /// The new name of a key that was renamed.
    pub(super) fn renamed(key: &str) -> Option<&'static str> {
        RENAMED.iter().find(|(old, _)| *old == key).map(|(_, new)| *new)
    }

    /// The key of that table that was probably meant.
    pub(super) fn nearest(&self, place: &str, key: &str) -> Option<&'static str> {
        wording::nearest(key, self.readable(place))
    }

    /// The first table in which this key is read.
    pub fn home(&self, key: &str) -> Option<&str> {
        let table = self.tables.iter().find(|table| self.has(&table.place, key))?;
        Some(&table.place)
    }

    /// Whether no key of that name may hold a secret, and there is one.
    pub(super) fn is_harmless(&self, key: &str) -> bool {
        let mut named = self.keys().filter(|known| known.name == key).peekable();
        named.peek().is_some() && named.all(|known| !known.is_secret)
    }

    fn keys(&self) -> impl Iterator<Item = &KeySchema> {
        self.tables.iter().flat_map(|table| &table.keys)
    }

    fn readable(&self, place: &str) -> impl Iterator<Item = &'static str> {
        let table = self.tables.iter().find(|table| table.place == place);
        let keys = table.map(|table| table.keys.as_slice()).unwrap_or_default();
        keys.iter().map(|key| key.name)
    }
}

#[cfg(test)]
mod tests {
    use crate::config::schema;

    #[test]
    fn every_table_that_is_read_is_known() {
        let places: Vec<&str> =
            schema().tables().iter().map(|table| table.place.as_str()).collect();
        assert_eq!(
            places,
            [
                "at the top of the file",
                "in `[store]`",
                "in a SECRET",
                "in `[http]`",
                "in `[endpoints]`",
                "in `[app.NAME]`",
                "in `[token.LABEL]`",
                "in `[[token.LABEL.deliver]]`",
                "in `[token.\"PARENT/*\"]`",
                "in `[[token.\"PARENT/*\".deliver]]`",
                "in `[defaults]`",
                "in `probe`",
                "in `[[notify]]`",
                "in `recovered`",
                "in `smtp`",
                "in `[alerts]`",
            ]
        );
    }

    #[test]
    fn every_key_says_what_it_is_for() {
        for table in schema().tables() {
            for key in &table.keys {
                let begins = key.sentence.starts_with(|c: char| c.is_ascii_uppercase() || c == '"');
                assert!(begins && !key.sentence.ends_with('.'), "{}: {key:?}", table.place);
                assert!(!key.kind.is_empty(), "{}: {key:?}", table.place);
            }
        }
    }

    #[test]
    fn the_full_example_has_nearly_every_key() {
        let example = include_str!("../../examples/full.toml");
        let has = |key: &str| {
            let is_set = |before: &str| example.contains(&format!("{before}{key} ="));
            let is_table = |before: &str| example.contains(&format!("{before}{key}"));
            ["\n", "# ", "{ ", ", "].into_iter().any(is_set) || ["[", "."].into_iter().any(is_table)
        };
        let keys = schema().tables().iter().flat_map(|table| &table.keys);
        let mut missing: Vec<&str> = keys.map(|key| key.name).filter(|key| !has(key)).collect();
        missing.sort_unstable();
        missing.dedup();
        assert_eq!(missing, ["port", "required_targets"]);
    }

    #[test]
    fn what_may_be_a_secret_is_never_harmless() {
        for key in ["access_token", "secret", "key", "command", "webhook", "ping", "password"] {
            assert!(schema().home(key).is_some() && !schema().is_harmless(key), "{key}");
        }
        for key in ["id", "type", "env", "credential", "backup", "host"] {
            assert!(schema().is_harmless(key), "{key}");
        }
        assert!(!schema().is_harmless("colour"));
    }
}
