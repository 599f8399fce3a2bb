//! Reads JSON: an array of objects, also within `data` as Graph answers it, or an object on each line
//! as `mongoexport` writes them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::fields::{Field, Fields, Renames};
use super::input::Input;
use super::row::{Imports, RefusedRow};
use crate::error::CliError;

/// Reads every object.
pub fn read(input: &Input, renames: &Renames) -> Result<Imports, CliError> {
    let text = input.text()?;
    let mut imports = Imports::default();
    let listed = listed(text).map_err(|error| unparsable(input, &error))?;
    if let Some(elements) = listed {
        let (mut counted, mut line) = (0, 1);
        for element in elements {
            let at = offset(text, element.get());
            line += line_breaks(&text[counted..at]);
            counted = at;
            imports.add(row(element.get(), line, renames));
        }
        return Ok(imports);
    }
    // One object may run over several lines.
    if let Ok(one) = serde_json::from_str::<&RawValue>(text) {
        let line = line_breaks(&text[..offset(text, one.get())]) + 1;
        imports.add(row(one.get(), line, renames));
        return Ok(imports);
    }
    for (line, text) in text.lines().enumerate() {
        if !text.trim().is_empty() {
            imports.add(row(text, line + 1, renames));
        }
    }
    Ok(imports)
}

/// The elements of an array, or of the one that Graph puts into `data`.
fn listed(text: &str) -> serde_json::Result<Option<Vec<&RawValue>>> {
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text).map(Some);
    }
    let answer: serde_json::Result<BTreeMap<&str, &RawValue>> = serde_json::from_str(text);
    let data = answer.ok().and_then(|mut answer| answer.remove("data"));
    Ok(data.and_then(|data| serde_json::from_str(data.get()).ok()))
}

/// Where a value begins within the text that it was read from.
fn offset(text: &str, value: &str) -> usize {
    (value.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

fn line_breaks(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

fn unparsable(input: &Input, error: &serde_json::Error) -> CliError {
    // Its own words may quote what stands there.
    let place = format!("column {}", error.column());
    input
        .refused_at(error.line(), format!("invalid JSON: {place}"))
        .hint("export it again; nothing was imported")
}

fn row(text: &str, line: usize, renames: &Renames) -> Result<super::row::Entry, RefusedRow> {
    let refuse = |reason: String| RefusedRow::new(line.to_string(), reason);
    let object: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| refuse(format!("not a JSON object: column {}", error.column())))?;
    let mut row = Fields::new(line.to_string());
    for (name, value) in object {
        let Some(field) = renames.field(&name) else { continue };
        let text = plain(&value)
            .ok_or_else(|| refuse(format!("`{field}` is a list or an object, not text")))?;
        row.put(field, Zeroizing::new(text));
    }
    if row.get(Field::AccessToken).is_none() && row.get(Field::Kind).is_none() {
        let reason = "no `access_token`; if another name holds it, add `--map NAME=access_token`";
        return Err(refuse(reason.to_owned()));
    }
    row.entry()
}

/// A value as text; `MongoDB` writes dates and long numbers as objects of one.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Array(_) => None,
        Value::Object(object) => {
            let (name, value) = object.iter().next().filter(|_| object.len() == 1)?;
            name.starts_with('$').then(|| plain(value))?
        }
    }
}
