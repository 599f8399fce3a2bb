//! What a first delivery replaces unasked, by the text of the value and by where it stands.

use crate::edit::first::{Standing, standing};
use crate::edit::{Edited, Format, Missing, Options, ValueAddress};

/// Twenty characters, as the shortest that looks like an access token.
const TOKEN: &str = "EAABfakefakefakefake";

#[test]
fn only_what_waits_for_a_value_or_was_one_gives_way() {
    use Standing::{Empty, Other, Placeholder, Several, Token};
    let reference = Other("a reference to a value elsewhere");
    let list = Several("a list or a table");
    let several = Several("more than one value (`NAME=`)");
    let lines = Several("more than one line");
    for (text, expected) in [
        ("", Empty),
        (" \r\n", Empty),
        ("changeme", Placeholder),
        ("ChangeMe", Placeholder),
        (" CHANGE_ME\n", Placeholder),
        ("todo", Placeholder),
        ("TBD", Placeholder),
        ("fixme", Placeholder),
        ("None", Placeholder),
        ("NULL", Placeholder),
        ("dummy", Placeholder),
        ("token", Placeholder),
        ("access_token", Placeholder),
        ("YOUR-ACCESS-TOKEN-HERE", Placeholder),
        ("your token goes here", Placeholder),
        ("your_token", Placeholder),
        ("your-token", Placeholder),
        ("xxxxxxxx", Placeholder),
        // What people leave in a file for the value to come.
        ("XXX", Placeholder),
        ("***", Placeholder),
        ("…", Placeholder),
        ("...", Placeholder),
        ("<your token>", Placeholder),
        ("<>", Placeholder),
        ("yours", Other("another value")),
        ("tokens", Other("another value")),
        ("xx", Other("another value")),
        ("**", Other("another value")),
        ("your_a\nyour_b", lines),
        ("<?php echo 1; ?>", Other("more than one word")),
        ("<?php?>", Other("another value")),
        ("<a>b</a>", Other("another value")),
        ("<!DOCTYPE html>", Other("more than one word")),
        ("<%= ENV['T'] %>", reference),
        (TOKEN, Token),
        ("IGfakefakefakefakefa", Token),
        ("THfakefakefakefakefa", Token),
        ("1234567|fakefakefake", Token),
        ("EAAB.fake_fake-fake|fake", Token),
        ("EAABfakefakefakefak", Other("another value")),
        ("1234567|fakefakefak", Other("another value")),
        ("eaabfakefakefakefake", Other("another value")),
        ("|12345678901234567890", Other("another value")),
        ("EAABfakefake=fakefake", several),
        ("EAABfakefakefakefake,EAAB", Other("another value")),
        ("EAABfakefake fakefake", Other("more than one word")),
        ("hunter2", Other("another value")),
        ("OLDVALUE", Other("another value")),
        ("1001", Other("a number")),
        ("-1.5e3", Other("a number")),
        ("true", Other("true or false")),
        ("Off", Other("true or false")),
        ("[a, b]", list),
        ("{\"a\": 1}", list),
        ("FB_TOKEN=EAAB", several),
        ("FB_TOKEN=\"OLDVALUE\",FB_VERIFY=\"fake\"", several),
        ("OLDVALUE; export FB_TOKEN=1", several),
        ("\"FB_TOKEN=OLDVALUE\" \"OTHER=1\"", several),
        ("two words", Other("more than one word")),
        ("one\ntwo", lines),
        ("${TOKEN}", reference),
        ("prefix-${TOKEN}", reference),
        ("your_${TOKEN}", reference),
        ("<${TOKEN}>", reference),
        ("$(cat /run/token)", reference),
        ("{{ token }}", reference),
        ("%(token)s", reference),
        ("%{token}", reference),
        ("#{token}", reference),
        ("$TOKEN", reference),
        ("%TOKEN%", reference),
        ("ENC[AES256_GCM,data:x,type:str]", reference),
        ("ENC(abc)", reference),
        ("!vault abc", reference),
        ("op://vault/item/field", reference),
        ("vault:secret/data/fb#token", reference),
        ("@Microsoft.KeyVault(SecretUri=https://x)", reference),
        ("encrypted:BFakeFake+/=", reference),
        ("ref+awsssm://fb/token", reference),
        ("arn:aws:secretsmanager:eu:1:secret:fb", reference),
    ] {
        assert_eq!(standing(text), expected, "{text:?}");
    }
}

#[test]
fn one_value_and_more_are_told_apart() {
    use Standing::{Other, Placeholder, Several};
    let several = Several("more than one value (`NAME=`)");
    for (text, expected) in [
        // Behind the first another value begins.
        ("your_id your_token", Other("more than one word")),
        ("your_token, your_secret", Other("more than one word")),
        ("your_user:your_password@db/app", Other("another value")),
        ("your_a;b=c", several),
        ("xxx;yyy", Other("another value")),
        ("xxx|yyy", Other("another value")),
        ("your token=x, from here", several),
        ("xxxx-xxxx", Placeholder),
        ("XXXXX...", Placeholder),
        ("<token/>", Other("another value")),
        ("<token value=\"\">", several),
        // What is encoded or sealed is one value.
        ("RUFBQmZha2VmYWtlZmFrZQ==", Other("another value")),
        ("AbcDef123==--IvIv==--TagTag==", Other("another value")),
        ("{cipher}abc", Other("another value")),
        ("FB_TOKEN=", several),
        ("TOKEN=\"x\",OTHER=\"1\"", several),
    ] {
        assert_eq!(standing(text), expected, "{text:?}");
    }
}

#[test]
fn what_stands_at_the_key_is_judged_with_its_kind() {
    use Format::{Env, Ini, Json, Raw, Toml, Yaml};
    let crowded = "the value of the key `a` cannot be replaced: more than the value stands on its line: line 1";
    let said = |what: &str| format!("the key `a` holds {what}, not an access token: line 1");
    for (format, text, expected) in [
        (Json, "{\"a\": null}", String::new()),
        (Json, "{\"a\": \"\"}", String::new()),
        (Json, "{}", String::new()),
        (Json, "", String::new()),
        (Json, "{\"a\": 12}", said("a number")),
        (Json, "{\"a\": false}", said("true or false")),
        (Json, "{\"a\": [\"changeme\"]}", "the key `a` holds a list, not text: line 1".to_owned()),
        (Json, "{\"a\": {}}", "the key `a` holds an object, not text: line 1".to_owned()),
        (Json, "{\"a\": \"hunter2\"}", said("another value")),
        (Yaml, "a:\n", String::new()),
        (Yaml, "a: ~\n", String::new()),
        (Yaml, "a: changeme # c\n", String::new()),
        (Yaml, "a: |\n  changeme\n", String::new()),
        (Yaml, "a: 12\n", said("a number")),
        (Yaml, "a: {}\n", "the key `a` holds a mapping, not text: line 1".to_owned()),
        (Yaml, "a: '12'\n", said("a number")),
        (Yaml, "kind: Secret\ndata: {b: x}\na: changeme\n", String::new()),
        (Toml, "a = 12", said("a number")),
        (Toml, "a = 2026-01-01", said("a date")),
        (Toml, "a = ''", String::new()),
        (Ini, "a =\n", String::new()),
        (Ini, "a = 12\n", said("a number")),
        (Ini, "; a = hunter2\n", String::new()),
        (Env, "# a=hunter2\n", String::new()),
        (Env, "a=\n", String::new()),
        (Env, "a=$B\n", said("a `$` that a reader may expand")),
        (Env, "a=x; export a\n", crowded.to_owned()),
        (Raw, "\n", String::new()),
    ] {
        let key = (format != Raw).then_some("a");
        let judged = ValueAddress { format, key, options: Options::default() };
        let judged = judged.may_be_replaced(text.as_bytes());
        assert_eq!(judged.map_or_else(|error| error.to_string(), |()| String::new()), expected);
    }
}

/// People put a placeholder, or the token itself, where a Secret wants base64.
#[test]
fn what_is_no_base64_in_a_secret_is_judged_as_it_stands() {
    let other =
        "the key `data.a` holds something other than text in base64, not an access token: line 2";
    for (written, expected) in [
        ("changeme", ""),
        ("'<base64 of the token>'", ""),
        ("Y2hhbmdlbWU=", ""),
        ("EAABfakefakefakefake", ""),
        ("RUFBQm9sZG9sZG9sZG9sZG9sZG9sZA==", ""),
        ("hunter2", other),
        ("aHVudGVyMg==", "the key `data.a` holds another value, not an access token: line 2"),
        ("12", "the key `data.a` holds a number, not an access token: line 2"),
    ] {
        let text = format!("kind: Secret\ndata: {{a: {written}}}\n");
        let address =
            ValueAddress { format: Format::Yaml, key: Some("data.a"), options: Options::default() };
        let judged = address.may_be_replaced(text.as_bytes());
        assert_eq!(judged.map_or_else(|it| it.to_string(), |()| String::new()), expected, "{text}");
        let edited = address.replace(text.as_bytes(), TOKEN, Missing::Refuse).unwrap();
        let base64 = data_encoding::BASE64.encode(TOKEN.as_bytes());
        let quote = if written.starts_with('\'') { "'" } else { "" };
        let expected = format!("kind: Secret\ndata: {{a: {quote}{base64}{quote}}}\n");
        assert_eq!(edited, Edited::Changed(expected.into_bytes().into()), "{text}");
    }
}

#[test]
fn a_file_is_one_value_by_its_name_only_if_it_is_one_word() {
    for (format, text, is_one) in [
        (Format::Raw, "", true),
        (Format::Raw, "\u{feff}word\r\n", true),
        (Format::Raw, "<?php\ndefine('T', 'x');\n", false),
        (Format::Raw, "a b", false),
        (Format::Ini, "a = b", true),
    ] {
        let key = (format != Format::Raw).then_some("a");
        let address = ValueAddress { format, key, options: Options::default() };
        assert_eq!(address.is_one_word(text.as_bytes()).is_ok(), is_one, "{text}");
    }
}
