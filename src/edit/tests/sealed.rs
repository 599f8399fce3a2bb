//! Files that are encrypted, or that are not in UTF-8, are named and left alone.

use super::{created, replaced};
use crate::edit::Format::{Env, Ini, Json, Raw, Toml, Yaml};
use crate::edit::{EditError, Edited, Format, Missing, replace};

#[test]
fn an_encrypted_file_is_left_to_its_tool() {
    for (format, text, by) in [
        (Yaml, "a: ENC[AES256_GCM,data:x]\nsops:\n  mac: ENC[x]\n", "sops"),
        (Yaml, "a: x\nsops:\n  version: 3.9.0\n---\nb: 1\nsops:\n  version: 3.9.0\n", "sops"),
        (Json, "{\"a\": \"x\", \"sops\": {\"mac\": \"ENC[x]\", \"version\": \"3.9.0\"}}", "sops"),
        (Env, "a=x\nsops_mac=ENC[x]\n", "sops"),
        (Ini, "a = x\n[sops]\nmac = ENC[x]\n", "sops"),
        (Env, "DOTENV_PUBLIC_KEY=\"03fake\"\na=x\n", "dotenvx"),
        (Env, "DOTENV_PUBLIC_KEY_CI=\"03fake\"\na=x\n", "dotenvx"),
        (Env, "b=\"encrypted:Bfake\"\na=x\n", "dotenvx"),
        (Json, "{\"_public_key\": \"63fake\", \"a\": \"x\"}", "ejson"),
        (Yaml, "kind: SealedSecret\na: x\n", "kubeseal"),
        (Yaml, "$ANSIBLE_VAULT;1.1;AES256\n6162\n", "ansible-vault"),
        (Raw, "$ANSIBLE_VAULT;1.1;AES256\n6162\n", "ansible-vault"),
        (Raw, "\0GITCRYPT\0fake", "git-crypt"),
        (Env, "\0GITCRYPT\0fake", "git-crypt"),
        (Raw, "age-encryption.org/v1\n-> fake", "age"),
        (Toml, "-----BEGIN AGE ENCRYPTED FILE-----\n", "age"),
        (Ini, "-----BEGIN PGP MESSAGE-----\n", "GnuPG"),
        (Raw, "U2FsdGVkX1fake", "OpenSSL"),
    ] {
        let why = format!("it is encrypted by {by}, and an edit would break it or show the token");
        assert_eq!(replaced(format, text, "a", "EAAnew"), why, "{text}");
        assert_eq!(created(format, text, "new", "EAAnew"), why, "{text}");
    }
    // Files that only look a little like these.
    for (format, text, expected) in [
        (Yaml, "a: x\nsops: no\n", "a: EAAnew\nsops: no\n"),
        (Yaml, "kind: Secret\na: x\n", "kind: Secret\na: EAAnew\n"),
        (Env, "DOTENV=1\na=x\n", "DOTENV=1\na=EAAnew\n"),
    ] {
        assert_eq!(replaced(format, text, "a", "EAAnew"), expected);
    }
}

#[test]
fn another_encoding_is_named_and_nothing_is_appended() {
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let units = text.encode_utf16();
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let text = "\u{feff}A=1\r\na=x\r\n";
    let plain = text.trim_start_matches('\u{feff}');
    let utf32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for (bytes, found) in [
        (utf16(text, false), "UTF-16"),
        (utf16(text, true), "UTF-16"),
        (utf16(plain, false), "UTF-16"),
        (utf16(plain, true), "UTF-16"),
        (utf16("\u{feff}", false), "UTF-16"),
        (utf32, "UTF-32"),
        (b"a=x\0\n".to_vec(), "binary"),
    ] {
        for format in Format::ALL {
            let key = (format != Raw).then_some("a");
            for missing in [Missing::Refuse, Missing::Create] {
                let refused = replace(format, &bytes, key, "EAAnew", missing);
                assert_eq!(refused, Err(EditError::Encoded { found }), "{format} {bytes:?}");
            }
        }
    }
    let Ok(Edited::Changed(_)) = replace(Env, "a=é\n".as_bytes(), Some("a"), "x", Missing::Refuse)
    else {
        panic!("UTF-8 is written");
    };
}
