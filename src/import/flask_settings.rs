//! Reads the table `settings` of an `SQLite` file: an app, a token, and when it was last renewed.
//!
//! Each setting is a column, or a row with a key and a value.

use std::path::Path;

use zeroize::Zeroizing;

use super::database::{Database, TableRow};
use super::fields::{Field, Fields, Renames, shown};
use super::row::{Entry, Imports, OldApp, RefusedRow, SettingsTable};
use crate::error::CliError;
use crate::token::EventKind;

/// The table.
const TABLE: &str = "settings";
/// The label where there is one row of settings only.
const LABEL: &str = "facebook";
/// The column that holds the access token.
const TOKEN: &str = "facebook_access_token";
/// The columns that are looked at.
const COLUMNS: [&str; 6] = [
    TOKEN,
    "facebook_app_id",
    "facebook_app_secret",
    "facebook_page_id",
    "facebook_token_expires_at",
    "facebook_token_last_renewed",
];

impl SettingsTable {
    /// The query that prints the app's secret.
    pub fn secret(self) -> String {
        match self {
            Self::Columns => "SELECT facebook_app_secret FROM settings".to_owned(),
            Self::Rows(key) => {
                format!("SELECT value FROM settings WHERE {key} = 'facebook_app_secret'")
            }
        }
    }

    /// What switches the program's own renewal off.
    pub fn switch_off(self) -> String {
        match self {
            Self::Columns => "UPDATE settings SET facebook_token_auto_renew = 0".to_owned(),
            Self::Rows(key) => {
                format!("UPDATE settings SET value = 0 WHERE {key} = 'facebook_token_auto_renew'")
            }
        }
    }

    /// What deletes the program's copies.
    pub fn delete(self) -> String {
        match self {
            Self::Columns => "UPDATE settings SET facebook_access_token = NULL, facebook_app_secret = NULL; VACUUM".to_owned(),
            Self::Rows(key) => format!(
                "UPDATE settings SET value = '' WHERE {key} IN ('facebook_access_token', 'facebook_app_secret'); VACUUM"
            ),
        }
    }
}

/// Reads the app, the tokens and when they were last renewed.
pub fn read(file: &Path, renames: &Renames) -> Result<Imports, CliError> {
    let database = Database::open(file)?;
    let Some(rows) = database.rows(TABLE)? else {
        return Err(database
            .refused(format!("has no table `{TABLE}`"))
            .hint("name the database of the application: often `instance/app.db`"));
    };
    let (rows, table) = by_columns(rows);
    if let Some(unknown) = renames.unknown(|name| name == LABEL) {
        return Err(database
            .refused(format!("has no token {}", shown(unknown)))
            .hint(format!("its token is `{LABEL}`: `--map {LABEL}=LABEL`")));
    }
    let is_only = rows.len() < 2;
    let mut imports = Imports { app: app(&rows), settings: Some(table), ..Imports::default() };
    for row in &rows {
        let id = cell(row, "id").unwrap_or("1");
        let name = if is_only { LABEL.to_owned() } else { format!("{LABEL}-{id}") };
        let name = renames.of(&name).to_owned();
        let place = format!("{TABLE}:{id}");
        if cell(row, TOKEN).is_none_or(str::is_empty) {
            let reason = format!("`{TOKEN}` is empty");
            imports.refused.push(RefusedRow::new(place, reason));
            continue;
        }
        imports.add(token(row, &place, &name));
        if let Some(renewed) = last_renewed(row, &place, &name) {
            imports.add(renewed);
        }
    }
    if imports.tokens.is_empty() {
        return Err(database
            .refused(format!("its table `{TABLE}` holds no access token in `{TOKEN}`"))
            .hint("if it stands in a `.env`, run `metatoken import .env --from env`"));
    }
    Ok(imports)
}

/// The settings as columns, and how they are kept.
fn by_columns(rows: Vec<TableRow>) -> (Vec<TableRow>, SettingsTable) {
    for key in ["key", "name"] {
        let setting = |row: &TableRow| {
            let value = Zeroizing::new(cell(row, "value")?.to_owned());
            Some((cell(row, key)?.to_owned(), value))
        };
        let settings: TableRow = rows.iter().filter_map(setting).collect();
        if settings.iter().any(|(key, _)| COLUMNS.contains(&key.as_str())) {
            return (vec![settings], SettingsTable::Rows(key));
        }
    }
    (rows, SettingsTable::Columns)
}

fn cell<'a>(row: &'a TableRow, column: &str) -> Option<&'a str> {
    row.iter().find(|(name, _)| name == column).map(|(_, text)| text.trim())
}

fn app(rows: &[TableRow]) -> Option<OldApp> {
    let of = |column: &str| {
        rows.iter().find_map(|row| cell(row, column).filter(|text| !text.is_empty()))
    };
    let id = of("facebook_app_id").filter(|id| id.bytes().all(|digit| digit.is_ascii_digit()));
    let has_secret = of("facebook_app_secret").is_some();
    (id.is_some() || has_secret).then(|| OldApp { id: id.map(str::to_owned), has_secret })
}

fn token(row: &TableRow, place: &str, name: &str) -> Result<Entry, RefusedRow> {
    let mut fields = Fields::new(place);
    fields.put(Field::Label, Zeroizing::new(name.to_owned()));
    for (column, field) in [
        (TOKEN, Field::AccessToken),
        ("facebook_app_id", Field::App),
        ("facebook_page_id", Field::PageId),
        ("facebook_token_expires_at", Field::ExpiresAt),
    ] {
        fields.put(field, Zeroizing::new(cell(row, column).unwrap_or_default().to_owned()));
    }
    fields.entry()
}

fn last_renewed(row: &TableRow, place: &str, name: &str) -> Option<Result<Entry, RefusedRow>> {
    let at = cell(row, "facebook_token_last_renewed").filter(|at| !at.is_empty())?;
    let mut fields = Fields::new(place);
    for (field, text) in [
        (Field::Label, name),
        (Field::Kind, EventKind::Refreshed.as_str()),
        (Field::IssuedAt, at),
        (Field::ExpiresAt, cell(row, "facebook_token_expires_at").unwrap_or_default()),
    ] {
        fields.put(field, Zeroizing::new(text.to_owned()));
    }
    Some(fields.entry())
}
