//! Every row of a store, with what is sealed in it opened.

use std::fmt::Write as _;
use std::path::Path;

use metatoken::crypto::{self, Key};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::record::Counts;

/// What opens the values of one store.
struct Opener {
    sealing: Option<Key>,
}

/// The store beside `path` as text: its schema, and each table's rows in the order of their keys.
///
/// A copy is read, so that nothing about the store itself changes.
pub(crate) fn dump(path: &Path, counts: &mut Counts) -> anyhow::Result<String> {
    let copy = tempfile::tempdir()?;
    let here = copy.path().join("store");
    std::fs::copy(path, &here)?;
    let log = path.with_extension("db-wal");
    if log.exists() {
        std::fs::copy(log, copy.path().join("store-wal"))?;
    }
    let connection = Connection::open(&here)?;
    match read(&connection, &path.with_extension("key"), path, counts) {
        Ok(text) => Ok(text),
        Err(error) => Ok(format!("(cannot be read: {error})\n")),
    }
}

fn read(
    connection: &Connection,
    beside: &Path,
    path: &Path,
    counts: &mut Counts,
) -> anyhow::Result<String> {
    let opener = Opener { sealing: sealing_key(connection, beside) };
    let mut text = String::new();
    for pragma in ["application_id", "user_version", "integrity_check", "journal_mode"] {
        let value: rusqlite::types::Value =
            connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
        let _ = writeln!(text, "{}: {pragma} {value:?}", path.display());
    }
    let mut statement =
        connection.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type DESC, name")?;
    let entries = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<Vec<(String, String, Option<String>)>>>()?;
    for (kind, name, sql) in &entries {
        let _ = writeln!(text, "{kind} {name}: {}", sql.as_deref().unwrap_or("-"));
    }
    for (_, name, _) in entries.iter().filter(|(kind, ..)| kind == "table") {
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{name}\""))?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        let mut lines = Vec::new();
        while let Some(row) = rows.next()? {
            counts.rows += 1;
            let mut line = format!("{name}:");
            for (index, column) in columns.iter().enumerate() {
                let value = opener.shown(name, column, row, row.get_ref(index)?, counts);
                let _ = write!(line, " {column}={value}");
            }
            lines.push(line);
        }
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
    }
    Ok(text)
}

/// The key that the data key is wrapped with, and out of that the one that seals.
fn sealing_key(connection: &Connection, file: &Path) -> Option<Key> {
    let written = std::fs::read_to_string(file).ok()?;
    let store_key = metatoken::store::read_key(&written).ok()?;
    let wrapped: Vec<u8> = connection
        .query_row("SELECT value FROM meta WHERE name = 'data_key'", [], |row| row.get(0))
        .ok()?;
    let [format, id, body @ ..] = wrapped.as_slice() else { return None };
    let place = format!("metatoken|format {format}|key {id}|meta.data_key");
    let wrapping = crypto::derive_key(&store_key, "wrap the data key 1");
    let plain = crypto::open(&wrapping, place.as_bytes(), body).ok()?;
    let mut data_key = Key::new([0; 32]);
    if plain.len() != data_key.len() {
        return None;
    }
    data_key.copy_from_slice(&plain);
    Some(crypto::derive_key(&data_key, "seal strings 1"))
}

impl Opener {
    fn shown(
        &self,
        table: &str,
        column: &str,
        row: &Row<'_>,
        value: ValueRef<'_>,
        counts: &mut Counts,
    ) -> String {
        match value {
            ValueRef::Null => "null".to_owned(),
            // Another process each time.
            _ if table == "hook" && matches!(column, "pid" | "start_ticks") => "(any)".to_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
            ValueRef::Blob(bytes) => match (table, column) {
                ("meta", "data_key") => format!("({} wrapped bytes)", bytes.len()),
                // Its first digits are what people see; they say which fingerprint it is.
                (_, "fingerprint") => crypto::hex(bytes.get(..6).unwrap_or(bytes)),
                _ => match self.opened(table, row, bytes) {
                    Some(plain) => {
                        counts.opened += 1;
                        format!("sealed({:?})", String::from_utf8_lossy(&plain))
                    }
                    None => format!("({} bytes that are not opened)", bytes.len()),
                },
            },
        }
    }

    fn opened(&self, table: &str, row: &Row<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        let [format, id, body @ ..] = sealed else { return None };
        let token: i64 = row.get("token").ok()?;
        let place = match table {
            "generation" => {
                let number: i64 = row.get("number").ok()?;
                format!("generation.sealed|{token}|{number}")
            }
            "replaced" => {
                let target: String = row.get("target").ok()?;
                format!("replaced.sealed|{token}|{target}")
            }
            _ => return None,
        };
        let place = format!("metatoken|format {format}|key {id}|{place}");
        let plain = crypto::open(self.sealing.as_ref()?, place.as_bytes(), body).ok()?;
        Some(plain.to_vec())
    }
}
