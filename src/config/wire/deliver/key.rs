//! Whether a file of its format could have the key, before there is a token to write.

use super::FileWire;
use crate::config::mask::looks_secret;
use crate::config::mistake::Faults;
use crate::edit::{self, EditError, Format, Missing};

/// Complains of a key that is out of place, or missing.
pub(super) fn check(file: &FileWire, faults: &mut Faults) -> Option<()> {
    let format = file.format_or_guess();
    let (span, message, label) = match &file.key {
        None if format == Format::Raw => return Some(()),
        None => (file.path.span(), EditError::KeyNeeded(format).to_string(), shape(format)),
        Some(key) if key.get_ref().is_empty() => {
            (key.span(), "`key` is empty".to_owned(), shape(format))
        }
        Some(key) if format == Format::Raw && file.format.is_none() => (
            key.span(),
            "which `format` the file has is not clear from its name".to_owned(),
            "say `format`: toml, ini, env, json or yaml",
        ),
        Some(key) if fits(file, key.get_ref()) => return Some(()),
        Some(key) => (key.span(), no_key_of(format, key.get_ref()), shape(format)),
    };
    faults.add(span, message).label(label);
    None
}

/// Whether the file could have the key; the editor is asked, with an empty file.
fn fits(file: &FileWire, key: &str) -> bool {
    let format = file.format_or_guess();
    let empty: &[u8] = if format == Format::Json { b"{}" } else { b"" };
    let missing = match format {
        // The name of a variable is good or not, whether it is there already or not.
        Format::Env => Missing::Create,
        _ => file.missing.as_ref().map_or(Missing::Refuse, |missing| *missing.get_ref()),
    };
    let tried = edit::replace(format, empty, Some(key), "value", missing);
    !matches!(tried, Err(EditError::BadKey { .. }))
}

fn no_key_of(format: Format, key: &str) -> String {
    let key = if looks_secret(key) { "…" } else { key };
    EditError::BadKey { key: key.to_owned(), format }.to_string()
}

const fn shape(format: Format) -> &'static str {
    match format {
        Format::Toml | Format::Yaml => "a key is a dotted path: `key = \"facebook.access_token\"`",
        Format::Json => "a key is a dotted path or a `/json/pointer`",
        Format::Ini => "a key is `section.name`: `key = \"facebook.access_token\"`",
        Format::Env => "a key is the variable's name: `key = \"FACEBOOK_TOKEN\"`",
        Format::Raw => "or leave `key` out to write the whole file",
    }
}
