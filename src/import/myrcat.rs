//! Reads the table `facebook_tokens` of an `SQLite` file: the newest row of each type is the token, the
//! older ones are its past.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::database::{Database, TableRow};
use super::fields::{Field, Fields, Renames, label_of, shown, token_type};
use super::row::{Entry, Imports, PastEvent, RefusedRow};
use crate::error::CliError;
use crate::token::EventKind;

/// The table.
const TABLE: &str = "facebook_tokens";
/// The label where there is one type of token only.
const LABEL: &str = "myrcat";

/// Reads the tokens and their past.
pub fn read(file: &Path, renames: &Renames) -> Result<Imports, CliError> {
    let database = Database::open(file)?;
    let Some(rows) = database.rows(TABLE)? else {
        return Err(database
            .refused(format!("has no table `{TABLE}`"))
            .hint("name the file that `database_path` names in the other program's config"));
    };
    if rows.is_empty() {
        return Err(database
            .refused(format!("its table `{TABLE}` is empty"))
            .hint("nothing was imported"));
    }
    let mut by_type: BTreeMap<String, Vec<(i64, TableRow)>> = BTreeMap::new();
    for (place, row) in rows.into_iter().enumerate() {
        let id = cell(&row, "id").and_then(|id| id.parse().ok());
        let id = id.unwrap_or_else(|| i64::try_from(place).unwrap_or(i64::MAX));
        let kind = cell(&row, "token_type").unwrap_or_default().trim().to_lowercase();
        by_type.entry(kind).or_default().push((id, row));
    }
    if let Some(unknown) = renames.unknown(|name| name == LABEL || by_type.contains_key(name)) {
        return Err(database.refused(format!("has no `token_type` {}", shown(unknown))));
    }
    let is_only = by_type.len() == 1;
    let mut imports = Imports::default();
    for (kind, mut rows) in by_type {
        rows.sort_by_key(|(id, _)| *id);
        let name = match kind.as_str() {
            "" => LABEL.to_owned(),
            kind if is_only && !renames.has(kind) => LABEL.to_owned(),
            kind if renames.has(kind) => renames.of(kind).to_owned(),
            kind => format!("{LABEL}-{kind}"),
        };
        let name = renames.of(&name).to_owned();
        let Some((newest, earlier)) = rows.split_last() else { continue };
        imports.add(token(newest, &name));
        for (id, row) in earlier {
            match past(*id, row, &name) {
                Ok(event) => imports.past.push(event),
                Err(refused) => imports.refused.push(refused),
            }
        }
    }
    Ok(imports)
}

fn place(id: i64) -> String {
    format!("{TABLE}:{id}")
}

fn cell<'a>(row: &'a TableRow, column: &str) -> Option<&'a str> {
    row.iter().find(|(name, _)| name == column).map(|(_, text)| text.as_str())
}

fn token((id, row): &(i64, TableRow), name: &str) -> Result<Entry, RefusedRow> {
    let mut fields = Fields::new(place(*id));
    fields.put(Field::Label, Zeroizing::new(name.to_owned()));
    for (column, field) in [
        ("token_type", Field::Type),
        ("access_token", Field::AccessToken),
        ("created_at", Field::IssuedAt),
        ("expires_at", Field::ExpiresAt),
    ] {
        let text = cell(row, column).unwrap_or_default();
        // A type of that program's own says nothing here.
        if field != Field::Type || token_type(text).is_ok() {
            fields.put(field, Zeroizing::new(text.to_owned()));
        }
    }
    let metadata = cell(row, "metadata").and_then(|text| serde_json::from_str(text).ok());
    let metadata: Map<String, Value> = metadata.unwrap_or_default();
    for (key, field) in [("page_id", Field::PageId), ("user_id", Field::UserId)] {
        let id = match metadata.get(key) {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => continue,
        };
        fields.put(field, Zeroizing::new(id));
    }
    fields.entry()
}

fn past(id: i64, row: &TableRow, name: &str) -> Result<PastEvent, RefusedRow> {
    let mut fields = Fields::new(place(id));
    let put = |fields: &mut Fields, field, text: &str| {
        fields.put(field, Zeroizing::new(text.to_owned()));
    };
    put(&mut fields, Field::Label, name);
    put(&mut fields, Field::Kind, EventKind::Imported.as_str());
    put(&mut fields, Field::IssuedAt, cell(row, "created_at").unwrap_or_default());
    put(&mut fields, Field::ExpiresAt, cell(row, "expires_at").unwrap_or_default());
    match fields.entry()? {
        Entry::Past(event) => Ok(event),
        Entry::Token(_) => Err(RefusedRow::new(place(id), "not an event")),
    }
    .map(|event| PastEvent { label: label_of(name).unwrap_or(event.label.clone()), ..event })
}
