//! What is pasted or piped where an access token belongs: each has its own answer and its own next
//! command, and nothing of it is repeated.

use metatoken::exit::Exit;
use metatoken::sandbox::{AppFixture, TokenFixture};

use crate::common::{ANNA, APP, BAKERY, CREATOR, INSTA_APP, THREADS_APP, World};

const CONFIG: &str = "[token.brand]\ntype = \"user\"\n";

const AGAIN: &str = "hint: then run `metatoken exchange brand`\n";

/// What is pasted, what is said of it, and what to do.
const VALUES: [(&str, &str, &str); 51] = [
    ("FB=EAAFAKEvalue1", "it begins with `NAME=`", "remove `NAME=`"),
    ("export FB='EAAFAKEvalue1'", "it has quotes around it", "remove the quotes around it"),
    ("\"EAAFAKEvalue1\"", "it has quotes around it", "remove the quotes around it"),
    ("Bearer EAAFAKEvalue1", "it begins with `Bearer`", "remove `Bearer` in front of it"),
    (
        "Authorization: Bearer EAAFAKEvalue1",
        "it begins with `Bearer`",
        "remove `Bearer` in front of it",
    ),
    ("EAAFAKE value1", "it has a blank inside", "remove the blanks: copy it again, whole"),
    ("EAAFAKE\nvalue1", "it has 2 lines", "leave one access token, on one line"),
    ("EAAFAKEvalue1…", "it ends in `…`: it was cut off", "copy it again, whole"),
    ("EAAFAKEvalue1...", "it ends in `…`: it was cut off", "copy it again, whole"),
    (
        "{\"access_token\":\"EAAFAKEvalue1\"}",
        "it is JSON",
        "take the value of `access_token` alone",
    ),
    (
        "https://localhost/?code=AQFAKEvalue1&state=x#_=_",
        "it is the address of a login, with a code in it",
        CODE,
    ),
    (
        "https://localhost/#access_token=EAAFAKEvalue1",
        "it is an address with an access token in it",
        "copy only what stands between `access_token=` and the next `&`",
    ),
    (
        "https://developers.facebook.com/FAKEvalue1",
        "it is an address",
        "paste an access token, which begins with `EAA`, `IG` or `TH`",
    ),
    ("AQBFAKEvalue1FAKEvalue2FAKE", "it is the code of a login (it begins with `AQ`)", CODE),
    (
        "0123456789abcdef0123456789abcdef",
        "it is an app's secret (32 hex digits)",
        "use an access token; the app's secret belongs to `secret` of its `[app.NAME]`",
    ),
    (
        "1000000000000001|FAKEvalue1",
        "it is an app's token, not a user token",
        "use a user token, or correct `type`\nhint: or keep what it is under a label of its own: `metatoken add LABEL --type app`",
    ),
    (
        "IGAAFAKEvalue1",
        "it belongs to Instagram (it begins with `IG`), not to a user token",
        "use a user token, or correct `type`\nhint: or keep what it is under a label of its own: `metatoken add LABEL --type instagram`",
    ),
    (
        "THAAFAKEvalue1",
        "it belongs to Threads (it begins with `TH`), not to a user token",
        "use a user token, or correct `type`\nhint: or keep what it is under a label of its own: `metatoken add LABEL --type threads`",
    ),
    (
        "1000000000000001%7CFAKEvalue1",
        "it is an app's token, not a user token",
        "use a user token, or correct `type`\nhint: or keep what it is under a label of its own: `metatoken add LABEL --type app`",
    ),
    ("bearer\u{a0}EAAFAKEvalue1", "it begins with `Bearer`", "remove `Bearer` in front of it"),
    ("OAuth EAAFAKEvalue1", "it begins with `OAuth`", "remove `OAuth` in front of it"),
    (
        "-H 'Authorization: Bearer EAAFAKEvalue1'",
        "it begins with `Bearer`",
        "remove `Bearer` in front of it",
    ),
    (
        "curl -i -X GET \\\n \"https://graph.facebook.com/me?access_token=EAAFAKEvalue1\"",
        "it is a command (`curl`)",
        "leave the access token alone",
    ),
    (
        "$ curl https://graph.facebook.com/me -d access_token=EAAFAKEvalue1",
        "it is a command (`curl`)",
        "leave the access token alone",
    ),
    ("EAAFAKEvalue1EAAFAKEvalue1", "it is the same access token twice", "paste it once"),
    ("EAAFAKEvalue1\r\nEAAFAKEvalue1", "it is the same access token twice", "paste it once"),
    (
        "{\n  \"name\": \"Anna value1\",\n  \"id\": \"3\"\n}",
        "it is JSON without an access token",
        "in the Graph API Explorer, copy the field *Access Token*, not the answer",
    ),
    (
        "[{\"access_token\": \"EAAFAKEvalue1\"}]",
        "it is JSON",
        "take the value of `access_token` alone",
    ),
    ("“EAAFAKEvalue1”", "it has quotes around it", "remove the quotes around it"),
    ("„EAAFAKEvalue1“", "it has quotes around it", "remove the quotes around it"),
    ("EAAFAKE\u{200b}value1", "it has an invisible character inside (U+200B)", FROM_META),
    ("EAAFAKE\u{ad}value1", "it has an invisible character inside (U+00AD)", FROM_META),
    ("EAAFAKE\u{a0}value1", "it has a blank inside", "remove the blanks: copy it again, whole"),
    (
        "User Token EAAFAKEvalue1",
        "it has other words beside the access token",
        "leave the access token alone",
    ),
    (
        "set FB=EAAFAKEvalue1",
        "it has other words beside the access token",
        "leave the access token alone",
    ),
    ("paste value1 here", "it is text with blanks", BEGINNINGS),
    ("EAAFA…value1", "a part of it is hidden (`***` or `…`)", "copy it again, whole"),
    ("EAAFA*****", "a part of it is hidden (`***` or `…`)", "copy it again, whole"),
    ("EAAFAKEvalue1,", "it has a character that no access token has: `,`", ALONE),
    ("\u{415}AAFAKEvalue1", "it has a character that no access token has: U+0415", ALONE),
    (
        "EAAFAKEvalue1%3D",
        "it has a `%`: it was encoded for an address",
        "copy it again where Meta shows it, not from an address",
    ),
    (
        "#access_token=EAAFAKEvalue1&expires_in=5183944",
        "it is an address with an access token in it",
        "copy only what stands between `access_token=` and the next `&`",
    ),
    (
        "graph.facebook.com/me?access_token=EAAFAKEvalue1",
        "it is an address with an access token in it",
        "copy only what stands between `access_token=` and the next `&`",
    ),
    (
        "localhost/?code=AQFAKEvalue1&state=x",
        "it is the address of a login, with a code in it",
        CODE,
    ),
    (
        "APP_SECRET=0123456789abcdef0123456789abcdef",
        "it is an app's secret (32 hex digits)",
        "use an access token; the app's secret belongs to `secret` of its `[app.NAME]`",
    ),
    ("1000000000000001", "it is an id (digits only)", BEGINNINGS),
    (
        "eyJFAKEvalue1.eyJFAKEvalue2.FAKE",
        "it is an identity token (it begins with `eyJ`), which Graph rejects",
        BEGINNINGS,
    ),
    ("YOUR_ACCESS_TOKEN", "it is a placeholder", "put the access token there"),
    ("${FB_value1}", "it is a reference to a value, not the value", "use the access token itself"),
    (
        "/home/me/value1",
        "it is the path of a file",
        "to read a file, name it with `--token-file FILE`",
    ),
    ("OAuth: EAAFAKEvalue1", "it begins with `OAuth`", "remove `OAuth` in front of it"),
];

const CODE: &str = "a code is of use only to the program that began the login, once and within minutes: paste the access token that it got\nhint: or, if `metatoken login` began it: `metatoken login LABEL --answer -`";

const ALONE: &str = "copy the access token again, alone";

const BEGINNINGS: &str = "paste an access token, which begins with `EAA`, `IG` or `TH`";

const FROM_META: &str = "copy it again where Meta shows it, not from a mail, a chat or a document";

#[test]
fn what_is_no_access_token_is_known_by_how_it_looks() {
    let world = World::new().config(CONFIG);
    for (value, wrong, fix) in VALUES {
        let padded = format!(" \t\r\n{value}\r\n\n");
        let ran = world.run_with_input(&["exchange", "brand"], &padded);
        ran.stdout("")
            .stderr(&format!(
                "error: standard input: no access token: {wrong}\nhint: {fix}\n{AGAIN}"
            ))
            .exit(Exit::InputRefused);
        world.write("pasted", value);
        let ran = world.run(&["exchange", "brand", "--token-file", "pasted", "--json"]);
        let json = ran.exit(Exit::InputRefused).json();
        assert_eq!(json["error"]["code"], "malformed_token", "{value}");
        assert!(!json.to_string().contains("value1"), "{json}");
        // What is of no type in particular is inspected as it is.
        if !fix.contains("`type`") {
            world
                .run(&["status", "--token-file", "pasted"])
                .stdout("")
                .stderr(&format!(
                    "error: pasted: no access token: {wrong}\nhint: {fix}\nhint: then run `metatoken status --token-file pasted`\n"
                ))
                .exit(Exit::InputRefused);
        }
    }
    assert_eq!(world.calls(), [""; 0], "Meta was not asked");
    assert!(!world.path("metatoken.db").exists());
}

#[test]
fn nothing_but_blanks_is_no_access_token() {
    let world = World::new().config(CONFIG);
    for value in ["", " \t\r\n\n"] {
        let empty = "no access token: it is empty";
        world
            .run_with_input(&["exchange", "brand"], value)
            .stdout("")
            .stderr(&format!(
                "error: standard input: {empty}\nhint: pipe the access token into it\n{AGAIN}"
            ))
            .exit(Exit::InputRefused);
        world.write("pasted", value);
        for command in ["exchange brand", "status"] {
            let typed = format!("{command} --token-file pasted");
            world
                .run(&typed.split(' ').collect::<Vec<_>>())
                .stdout("")
                .stderr(&format!(
                    "error: pasted: {empty}\nhint: put the access token there\nhint: then run `metatoken {typed}`\n"
                ))
                .exit(Exit::InputRefused);
        }
    }
    assert_eq!(world.calls(), [""; 0], "Meta was not asked");
}

/// What looks right is known by Meta's word.
#[test]
fn what_belongs_to_another_is_known_by_metas_answer() {
    let world = World::new().config(CONFIG);
    world.graph.with(|graph| {
        graph.add_app(AppFixture::new("1000000000000002", "fakesecretofanotherapp", "Other App"));
    });
    let whole = world.mint(TokenFixture::user(APP, ANNA).named("brand"));
    for (value, said) in [
        (world.mint(TokenFixture::page(APP, ANNA, BAKERY)), "a page token, not a user token"),
        (world.mint(TokenFixture::user("1000000000000002", ANNA)), "app"),
        (whole[..whole.len() - 3].to_owned(), ""),
    ] {
        let ran = world.run_with_input(&["exchange", "brand"], &value).stdout("");
        assert!(matches!(ran.code, Some(65 | 77 | 78)), "{:?} {}", ran.code, ran.stderr);
        let first = ran.stderr.lines().next().unwrap();
        assert!(first.contains(said), "{}", ran.stderr);
        assert!(ran.stderr.contains("`metatoken exchange brand`"), "{}", ran.stderr);
        assert!(!ran.stderr.contains(&value), "{}", ran.stderr);
    }
    // Whole, it is taken, with whatever nothing is seen of around it.
    world.run_with_input(&["exchange", "brand"], format!("\u{feff} {whole}\r\n")).exit(Exit::Ok);
    let unseen = format!("\u{200b}\u{202a}{whole}\u{202c}\u{2060}\0");
    world.run_with_input(&["exchange", "brand", "-n"], &unseen).exit(Exit::Ok);
    // PowerShell writes a file like this.
    let wide = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{text}\r\n").encode_utf16().flat_map(unit).collect()
    };
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        world.write("wide", wide(&whole, unit));
        world.run(&["exchange", "brand", "-n", "--token-file", "wide"]).exit(Exit::Ok);
    }
    world.write("latin", b"EAAFAKE\xe9\n");
    world
        .run(&["exchange", "brand", "--token-file", "latin"])
        .stdout("")
        .stderr(
            "
error: latin: is not text in UTF-8
hint: name a file that you can read, with the value alone in it, as plain text
hint: then run `metatoken exchange brand --token-file latin`
",
        )
        .exit(Exit::InputRefused);
    world
        .run_with_input(&["exchange", "brand"], b"EAAFAKE\xe9\n")
        .stdout("")
        .stderr(
            "
error: standard input: is not text in UTF-8
hint: pipe the value alone into it, as plain text
hint: then run `metatoken exchange brand`
",
        )
        .exit(Exit::InputRefused);
    // The right type takes what another refused.
    let insta = world.mint(TokenFixture::instagram(INSTA_APP, CREATOR));
    let threads = world.mint(TokenFixture::threads(THREADS_APP, CREATOR));
    assert!(insta.starts_with("IG") && threads.starts_with("TH"));
}
