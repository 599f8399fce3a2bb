//! Finds a secret that was typed where anything else belongs.
//!
//! Arguments are seen by every user of the machine and stay in the shell's history, and whatever
//! reads them quotes them in its messages. So they are looked at before anything else is, and one
//! that looks like a secret of Meta's is named by its kind and its place, never by its value.

use std::ffi::OsString;

use crate::error::CliError;
use crate::exit::Exit;
use crate::token::{Label, SecretKind, TokenType, secret_in, secret_typed};

/// The complaint about the first argument that looks like a secret.
pub fn refuse_secrets(arguments: &[OsString]) -> Result<(), CliError> {
    let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    // What stands behind it belongs to the program of an `exec`, and to the command otherwise.
    let has_program = arguments[..end].iter().any(|argument| argument == "exec");
    let mut typed = arguments.iter().enumerate().skip(1);
    let found = typed.find_map(|(place, argument)| {
        if arguments[..place].iter().any(|it| it == "dialog") && !has_program {
            return secret_in_argument(argument, secret_in_invitation).map(|kind| (place, kind));
        }
        if place < end || !has_program {
            return secret_in_argument(argument, secret_typed).map(|kind| (place, kind));
        }
        // A program takes sentences, and digests of images and files, which look like a secret too.
        let kind = secret_in_argument(argument, secret_in)?;
        let may_be_a_digest = matches!(kind, SecretKind::AppSecret | SecretKind::Proof);
        (!may_be_a_digest).then_some((place, kind))
    });
    found.map_or(Ok(()), |(place, kind)| Err(complaint(place, kind, &arguments[..place])))
}

/// The same in the address of a login dialog, whose signed state looks like a secret and opens nothing.
fn secret_in_invitation(text: &str) -> Option<SecretKind> {
    let others: Vec<&str> =
        text.split(['?', '&']).filter(|part| !part.starts_with("state=")).collect();
    secret_in(text).or_else(|| secret_typed(&others.join("&")))
}

fn secret_in_argument(
    argument: &OsString,
    kind_of: fn(&str) -> Option<SecretKind>,
) -> Option<SecretKind> {
    let text = argument.to_string_lossy();
    // What is glued to a dash or to short options begins behind any of their letters.
    let option = if text.starts_with('-') { text.trim_start_matches('-') } else { "" };
    let glued = option.char_indices().take(8).map(|(at, _)| &option[at..]);
    std::iter::once(text.as_ref()).chain(glued).find_map(kind_of)
}

/// How the secret gets where it was meant to go, by what was typed before it.
fn instead(before: &[OsString], kind: SecretKind) -> String {
    let words: Vec<&str> = before.iter().filter_map(|argument| argument.to_str()).collect();
    let behind = |command: &str| {
        let at = words.iter().position(|word| *word == command)?;
        let labels = |word: &&&str| !word.starts_with('-') && Label::parse(word).is_ok();
        let label = words[at + 1..].iter().find(labels);
        Some(*label.unwrap_or(&"LABEL"))
    };
    if kind == SecretKind::Code {
        let label = behind("login").unwrap_or("LABEL");
        return format!("run `metatoken login {label} --answer -` and paste it");
    }
    if let Some(label) = behind("exec") {
        return format!(
            "a program finds it in `META_ACCESS_TOKEN`: `metatoken exec {label} -- PROGRAM`"
        );
    }
    let paste = "and paste it, or name a file with `--token-file`";
    if let Some(label) = behind("add") {
        let types = words.iter().skip_while(|word| **word != "--type").nth(1);
        let token_type = types.copied().and_then(TokenType::from_name);
        let token_type = token_type.map_or("TYPE", TokenType::as_str);
        return format!("run `metatoken add {label} --type {token_type}` {paste}");
    }
    format!("run `metatoken exchange {}` {paste}", behind("exchange").unwrap_or("LABEL"))
}

fn complaint(place: usize, kind: SecretKind, before: &[OsString]) -> CliError {
    let message =
        format!("argument {place} looks like {kind}; it was not used, and is not repeated here");
    let complaint = CliError::new(Exit::Usage, "secret_in_arguments", "", message)
        .hint("the shell's history has it now: delete that line (in bash: `history -d NUMBER`)");
    match kind {
        SecretKind::AppSecret => complaint
            .hint("put it into a file of mode 0600 and name that in the config: `secret = { file = \"app-secret\" }`"),
        SecretKind::AccessToken | SecretKind::Code | SecretKind::Proof => {
            complaint.hint(instead(before, kind))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(argument: &str) -> bool {
        refuse_secrets(&["metatoken".into(), argument.into()]).is_err()
    }

    #[test]
    fn what_a_program_is_given_may_be_a_digest_and_no_token() {
        let hex = "0123456789abcdef".repeat(2);
        for (argument, is_refused) in [
            (format!("image@sha256:{hex}{hex}"), false),
            (hex.clone(), false),
            (format!("--digest={hex}{hex}"), false),
            (
                "curl https://graph.facebook.com/me?access_token=$META_ACCESS_TOKEN".to_owned(),
                false,
            ),
            ("access_token=${META_ACCESS_TOKEN}".to_owned(), false),
            ("access_token={META_ACCESS_TOKEN_123}".to_owned(), false),
            ("EAABfakefake12".to_owned(), true),
            ("curl https://graph.facebook.com/me?access_token=EAABfakefake12".to_owned(), true),
            ("access_token=opaque-value-of-1".to_owned(), true),
            ("AQBfakefakefakefakefake1".to_owned(), true),
        ] {
            let arguments = ["metatoken", "exec", "brand", "--", "sh", "-c"].map(OsString::from);
            let arguments = [&arguments[..], &[argument.clone().into()]].concat();
            assert_eq!(refuse_secrets(&arguments).is_err(), is_refused, "{argument}");
        }
    }

    #[test]
    fn a_secret_is_found_wherever_it_was_typed() {
        let hex = "0123456789abcdef".repeat(2);
        let token = format!("EAAB{}", "wzLixnjYBO7zC".repeat(12));
        for argument in [
            token.clone(),
            format!("--app={token}"),
            format!("-c{token}"),
            format!("-qv{token}"),
            format!("-{token}"),
            format!("--{token}"),
            "--1173190721520267|fakesecretfake".to_owned(),
            format!("-c{hex}"),
            format!("\"{token}\""),
            format!("ACCESS_TOKEN={token}"),
            format!("Bearer {token}"),
            format!("https://graph.facebook.com/me?access_token={token}"),
            "EAABfakefake12".to_owned(),
            "IGQVJfakefake12".to_owned(),
            "IGAAfakefake12".to_owned(),
            "THAAfakefake12".to_owned(),
            "IGfake0Fake1Fake2Fake3".to_owned(),
            "1173190721520267|fakesecretfake".to_owned(),
            "1173190721520267%7Cfakesecretfake".to_owned(),
            "TH|1173190721520267|fakesecretfake".to_owned(),
            "access_token=opaque-value-of-1".to_owned(),
            "client_secret=hushhush1".to_owned(),
            "a b access_token%3Dopaque".to_owned(),
            hex.clone(),
            format!("--secret={hex}"),
            format!("{hex}{hex}"),
            "AQBfakefakefakefakefake1".to_owned(),
        ] {
            assert!(refused(&argument), "{argument}");
        }
    }

    #[test]
    fn what_people_really_type_is_let_through() {
        let hex = "0123456789abcdef".repeat(2);
        for argument in [
            "brand",
            "brand/534295833110036",
            "brand*",
            "EAAB",
            "EAA-team",
            "THE-great-brand-of-ours-page",
            "IGNORE-THIS-LABEL-OF-OURS-01",
            "the-label-of-a-very-long-customer-name-with-2-digits",
            "code-review",
            "code=1",
            "access_token=fb_token",
            "config.ini#facebook.access_token",
            "+45d",
            "2026-01-01T00:00:00+00:00",
            "--config=/etc/metatoken/metatoken.toml",
            "-c/etc/metatoken/metatoken.toml",
            "--lock-wait=30s",
            "/home/anna/.config/metatoken/Some_Very_Long_Folder_Name_With_2_Digits_And_CAPITALS/m.toml",
            &format!("/tmp/{hex}/metatoken.toml"),
            &format!("--sandbox=/builds/{hex}{hex}"),
            "-qvv",
            "",
        ] {
            assert!(!refused(argument), "{argument}");
        }
    }

    #[test]
    fn the_value_is_not_repeated() {
        let arguments = ["metatoken", "refresh", "EAABfakefake12"].map(OsString::from);
        assert_eq!(
            refuse_secrets(&arguments).unwrap_err().render(),
            "error: argument 2 looks like an access token; it was not used, and is not repeated here\n\
             hint: the shell's history has it now: delete that line (in bash: `history -d NUMBER`)\n\
             hint: run `metatoken exchange LABEL` and paste it, or name a file with `--token-file`"
        );
    }
}
