//! Reads `.env` files: variables whose values begin as Meta's access tokens do.
//!
//! The label follows from the variable's name, or is what `--map NAME=label` says.

use zeroize::Zeroizing;

use super::fields::{Field, Fields, Renames, label_of, shown};
use super::input::Input;
use super::row::{Imports, RefusedRow};
use crate::edit::{Document, Format, variables};
use crate::error::CliError;
use crate::token::{AccessToken, Label};

/// What stands behind the name of a token in the name of a variable that holds it.
const ENDINGS: [&str; 3] = ["-access-token", "-token", "-key"];

/// A shorter value is an access token only where its name says so.
const LONG_ENOUGH: usize = 40;

/// Reads every variable that holds an access token.
pub fn read(input: &Input, renames: &Renames) -> Result<Imports, CliError> {
    let variables = variables(input.text()?.as_bytes());
    let document = Document::new(Format::Env, Zeroizing::new(input.bytes().to_vec()));
    let has = |name: &str| variables.iter().any(|(variable, _)| variable == name);
    if let Some(unknown) = renames.unknown(has) {
        let names: Vec<String> = variables.iter().map(|(name, _)| shown(name)).collect();
        return Err(input
            .refused(format!("has no variable {}", shown(unknown)))
            .hint(format!("its variables are {}", names.join(", "))));
    }
    let mut imports = Imports::default();
    for (name, line) in &variables {
        let is_meant = renames.has(name);
        let value = match document.read(Some(name)) {
            Ok(value) => value,
            Err(error) if is_meant || says_token(name) => {
                let reason = format!("`{name}` cannot be read: {error}");
                imports.refused.push(RefusedRow::new(line.to_string(), reason));
                continue;
            }
            Err(_) => continue,
        };
        if !is_meant && !is_access_token(name, &value) {
            continue;
        }
        let mut row = Fields::new(line.to_string());
        row.put(Field::AccessToken, value);
        imports.add(
            label(name, renames)
                .map_err(|reason| RefusedRow::new(line.to_string(), reason))
                .and_then(|label| {
                    row.put(Field::Label, Zeroizing::new(label.to_string()));
                    row.entry()
                }),
        );
    }
    if imports.tokens.is_empty() && imports.refused.is_empty() {
        return Err(input
            .refused("holds no access token of Meta's")
            .hint("a variable counts if its value begins with `EAA`, `IG`, `TH` or `ID|`")
            .hint("to take another one, add `--map VARIABLE=LABEL`"));
    }
    Ok(imports)
}

fn says_token(name: &str) -> bool {
    name.to_ascii_uppercase().contains("TOKEN")
}

fn is_access_token(name: &str, value: &str) -> bool {
    let begins = AccessToken::parse(value).is_ok_and(|token| token.begins_like_metas());
    begins && (says_token(name) || value.trim().len() >= LONG_ENOUGH)
}

/// `FB_USER_TOKEN` becomes `fb-user`.
fn label(name: &str, renames: &Renames) -> Result<Label, String> {
    if renames.has(name) {
        return label_of(renames.of(name));
    }
    let lower = name.to_ascii_lowercase().replace('_', "-");
    let short = ENDINGS.iter().find_map(|ending| lower.strip_suffix(ending));
    label_of(short.filter(|short| !short.is_empty()).unwrap_or(&lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_follow_from_the_names_of_variables() {
        let renames = Renames::new(&[("ACCESS_TOKEN".to_owned(), "ads".to_owned())]);
        for (name, expected) in [
            ("FB_USER_TOKEN", "fb-user"),
            ("INSTAGRAM_ACCESS_TOKEN", "instagram"),
            ("ACCESS_TOKEN", "ads"),
            ("META_ACCESS_TOKEN", "meta"),
            ("TOKEN", "token"),
            ("WHATSAPP_KEY", "whatsapp"),
        ] {
            assert_eq!(label(name, &renames).unwrap().as_str(), expected, "{name}");
        }
    }
}
