//! Knows files that are encrypted as a whole or value by value, and must be edited by their own tool.
//!
//! An edit from outside breaks the seal of all the other values in such a file, and puts an access
//! token in the clear into a file that people commit.

use super::document::Parsed;
use super::site::Content;
use super::{EditError, File, Format, env};

/// How a file begins that is encrypted as a whole.
const BEGINNINGS: [(&[u8], &str); 7] = [
    (b"$ANSIBLE_VAULT;", "ansible-vault"),
    (b"\0GITCRYPT\0", "git-crypt"),
    (b"age-encryption.org/", "age"),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", "age"),
    (b"-----BEGIN PGP MESSAGE-----", "GnuPG"),
    (b"Salted__", "OpenSSL"),
    (b"U2FsdGVkX1", "OpenSSL"),
];

/// The keys of values by which a tool seals a file.
const SEALS: [(&str, &str); 5] = [
    ("sops.mac", "sops"),
    ("sops.version", "sops"),
    ("sops_mac", "sops"),
    ("sops_version", "sops"),
    ("_public_key", "ejson"),
];

/// Refuses a file that is encrypted.
pub fn refuse(file: &File<'_>) -> Result<(), EditError> {
    match whole(file).or_else(|| by_value(file)) {
        Some(by) => Err(EditError::Sealed { by }),
        None => Ok(()),
    }
}

/// What encrypted the whole of a file.
pub fn whole(file: &File<'_>) -> Option<&'static str> {
    let text = file.bytes[file.start..].trim_ascii_start();
    BEGINNINGS.iter().find(|(beginning, _)| text.starts_with(beginning)).map(|(_, by)| *by)
}

fn by_value(file: &File<'_>) -> Option<&'static str> {
    if file.format == Format::Env
        && env::entries(file).iter().any(|entry| is_of_dotenvx(file, entry))
    {
        return Some("dotenvx");
    }
    if matches!(file.format, Format::Raw | Format::Toml) {
        return None;
    }
    let parsed = Parsed::of(file).ok()?;
    let says = |key: &str| match parsed.find(file, Some(key)) {
        Ok(site) => match site.content {
            Content::Text(text) => Some(text),
            _ => Some(String::new().into()),
        },
        Err(EditError::InDocuments { .. } | EditError::Ambiguous { .. }) => {
            Some(String::new().into())
        }
        Err(_) => None,
    };
    let seal = SEALS.iter().find(|(key, _)| says(key).is_some()).map(|(_, by)| *by);
    seal.or_else(|| says("kind").filter(|kind| &***kind == "SealedSecret").map(|_| "kubeseal"))
}

fn is_of_dotenvx(file: &File<'_>, entry: &env::EnvEntry<'_>) -> bool {
    let value = file.bytes[entry.at..entry.end()].trim_ascii_start();
    let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
    entry.name.starts_with(b"DOTENV_PUBLIC_KEY") || value.starts_with(b"encrypted:")
}
