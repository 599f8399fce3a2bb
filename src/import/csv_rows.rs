//! Reads CSV with a header line, separated by commas, semicolons or tabs.

use csv::{ByteRecord, ReaderBuilder};
use zeroize::Zeroizing;

use super::fields::{Field, Fields, Renames, shown};
use super::input::Input;
use super::row::{Imports, RefusedRow};
use crate::error::CliError;
use crate::token::secret_in;

/// What may stand between two columns.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// Reads every row.
pub fn read(input: &Input, renames: &Renames) -> Result<Imports, CliError> {
    let mut reader = ReaderBuilder::new()
        .delimiter(separator(input.bytes()))
        .flexible(true)
        .from_reader(input.bytes());
    let unparsable = |_| input.refused("invalid CSV").hint("export it again with a header line");
    let header = reader.byte_headers().map_err(unparsable)?;
    let columns: Vec<String> =
        header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let fields: Vec<Option<Field>> = columns.iter().map(|name| renames.field(name)).collect();
    judge_header(input, &columns, &fields, renames)?;
    let mut imports = Imports::default();
    let mut record = ByteRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_byte_record(&mut record) {
            Ok(false) => return Ok(imports),
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                let read = row(&record, line, &columns, &fields);
                if let Some(row) = read.transpose() {
                    imports.add(row.and_then(|row| row.entry()));
                }
            }
            Err(_) => {
                imports.refused.push(RefusedRow::new(line.to_string(), "invalid CSV"));
                return Ok(imports);
            }
        }
    }
}

/// One row; nothing of a line with nothing in it.
fn row(
    record: &ByteRecord,
    line: u64,
    columns: &[String],
    fields: &[Option<Field>],
) -> Result<Option<Fields>, RefusedRow> {
    let place = line.to_string();
    if record.len() != columns.len() {
        let (found, wanted) = (record.len(), columns.len());
        let reason = format!("it has {found} columns, and the header has {wanted}");
        return Err(RefusedRow::new(place, reason));
    }
    let mut row = Fields::new(&place);
    for (value, field) in record.iter().zip(fields) {
        let Some(field) = field else { continue };
        let text = std::str::from_utf8(value)
            .map_err(|_| RefusedRow::new(&place, format!("`{field}` is not UTF-8 text")))?;
        row.put(*field, Zeroizing::new(text.to_owned()));
    }
    Ok((!row.is_empty()).then_some(row))
}

/// Refuses a file without the columns that are needed.
fn judge_header(
    input: &Input,
    columns: &[String],
    fields: &[Option<Field>],
    renames: &Renames,
) -> Result<(), CliError> {
    let mut lines = input.text().map_or("", |text| text).lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    if (columns.len() == 1 || columns[0].starts_with('#')) && first.contains('=') {
        return Err(input
            .refused("holds `NAME=value` lines, not CSV or JSON")
            .hint("run it again with `--from env`"));
    }
    if columns.iter().any(|column| secret_in(column).is_some()) {
        return Err(input
            .refused_at(1, "has no header line: an access token stands there")
            .hint("put a line before it that names the columns: `label,type,access_token`"));
    }
    let has = |name: &str| columns.iter().any(|column| column == name);
    let names: Vec<String> = columns.iter().map(|column| shown(column)).collect();
    let names = format!("its columns are {}", names.join(", "));
    if let Some(unknown) = renames.unknown(has) {
        return Err(input.refused(format!("has no column {}", shown(unknown))).hint(names));
    }
    if fields.contains(&Some(Field::AccessToken)) {
        return Ok(());
    }
    Err(input
        .refused("has no column `access_token`")
        .hint(names)
        .hint("if another one holds the access tokens, add `--map COLUMN=access_token`"))
}

/// The separator that the header line has most.
fn separator(text: &[u8]) -> u8 {
    let header = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: &u8| header.split(|byte| byte == separator).count();
    // The first of those that are as frequent.
    SEPARATORS.into_iter().rev().max_by_key(count).unwrap_or(b',')
}
