//! What a first delivery replaces, and what it leaves alone because it may be needed.

use std::fs;

use metatoken::sandbox::TokenFixture;

use super::{ONE, TWO, delivered, held, ini, reasons, states, world};
use crate::common::{ANNA, APP, World, day};

/// Files whose value cannot have been an access token: name, keys of the target, content, and what
/// is said of it behind the file's name.
const KEPT: [(&str, &str, &str, &str); 29] = [
    (
        "wp-config.php",
        "",
        "<?php\ndefine( 'DB_NAME', 'fake' );\ndefine( 'FB_TOKEN', 'OLDVALUE' );\n",
        ": it holds more than one word, and its name does not say which format it has",
    ),
    (
        "web.service",
        "",
        "[Service]\nEnvironment=FB_TOKEN=OLDVALUE\n",
        ": it holds more than one word, and its name does not say which format it has",
    ),
    (
        "app.py",
        "",
        "TOKEN = 'x'\n",
        ": it holds more than one word, and its name does not say which format it has",
    ),
    (
        "app.js",
        "",
        "let t = 1;\n",
        ": it holds more than one word, and its name does not say which format it has",
    ),
    (
        "a.tfvars",
        "",
        "t = \"x\"\n",
        ": it holds more than one word, and its name does not say which format it has",
    ),
    (
        "a.properties",
        "",
        "a.b = c\n",
        ": it holds more than one word, and its name does not say which format it has",
    ),
    ("password", "", "hunter2\n", ":1:1: it holds another value, not an access token"),
    (
        "settings",
        "format = \"raw\"\n",
        "two words\n",
        ":1:1: it holds more than one word, not an access token",
    ),
    (
        "db.env",
        "key = \"DB_PASSWORD\"\n",
        "DB_PASSWORD=hunter2\n",
        ":1:13: the key `DB_PASSWORD` holds another value, not an access token: line 1",
    ),
    (
        "hash.env",
        "key = \"DB_PASSWORD\"\n",
        "DB_PASSWORD=#hunter2\n",
        ":1:13: the key `DB_PASSWORD` holds another value, not an access token: line 1",
    ),
    (
        "filled.env",
        "key = \"FB_TOKEN\"\n",
        "FB_TOKEN=#{FB_TOKEN}# c\n",
        ":1:10: the key `FB_TOKEN` holds a reference to a value elsewhere, not an access token: line 1",
    ),
    (
        "hash.ini",
        "key = \"db.password\"\n",
        "[db]\npassword=#hunter2\n",
        ":2:10: the key `db.password` holds another value, not an access token: line 2",
    ),
    (
        "shell.env",
        "key = \"FB_TOKEN\"\n",
        "export FB_TOKEN=OLDVALUE; export FB_APP_SECRET=fakesecret\n",
        ":1:17: the value of the key `FB_TOKEN` cannot be replaced: more than the value stands on its line: line 1",
    ),
    (
        "web.conf",
        "key = \"program:web.environment\"\n",
        "[program:web]\ncommand=/x\nenvironment=FB_TOKEN=\"OLDVALUE\",FB_VERIFY=\"fake\"\n",
        ":3:13: the key `program:web.environment` holds more than one value (`NAME=`), not an access token: line 3",
    ),
    (
        "unit.conf",
        "key = \"Service.Environment\"\n",
        "[Service]\nEnvironment=\"FB_TOKEN=OLDVALUE\" \"A=1\"\n",
        ":2:13: it cannot be read as ini: line 2",
    ),
    (
        "uwsgi.ini",
        "key = \"uwsgi.env\"\n",
        "[uwsgi]\nenv = FB_TOKEN=EAABfakefakefakefake\n",
        ":2:7: the key `uwsgi.env` holds more than one value (`NAME=`), not an access token: line 2",
    ),
    (
        "compose.yaml",
        "key = \"services.web.environment.0\"\n",
        "services:\n  web:\n    environment:\n      - FB_TOKEN=OLDVALUE\n",
        ":4:9: the key `services.web.environment.0` holds more than one value (`NAME=`), not an access token: line 4",
    ),
    (
        "number.json",
        "key = \"port\"\n",
        "{\"port\": 8080}\n",
        ":1:10: the key `port` holds a number, not an access token: line 1",
    ),
    (
        "list.toml",
        "key = \"tokens\"\n",
        "tokens = ['EAABfakefakefakefake']\n",
        ":1:10: the key `tokens` holds a list, not text: line 1",
    ),
    (
        "reference.yml",
        "key = \"token\"\n",
        "token: ${FB_TOKEN}\n",
        ":1:8: the key `token` holds a reference to a value elsewhere, not an access token: line 1",
    ),
    (
        "vault.yaml",
        "key = \"token\"\n",
        "token: !vault |\n  6162\n",
        ":1:15: the value of the key `token` cannot be replaced: its tag gives it another meaning: line 1",
    ),
    (
        "secrets.yaml",
        "key = \"fb_token\"\n",
        "fb_token: ENC[AES256_GCM,data:c29t,type:str]\nsops:\n  mac: ENC[x]\n",
        ": it is encrypted by sops, and an edit would break it or show the token",
    ),
    (
        "sops.json",
        "key = \"fb_token\"\n",
        "{\"fb_token\": \"\", \"sops\": {\"mac\": \"x\"}}\n",
        ": it is encrypted by sops, and an edit would break it or show the token",
    ),
    (
        ".env.production",
        "key = \"FB_TOKEN\"\ncreate = true\n",
        "DOTENV_PUBLIC_KEY=\"03fake\"\n",
        ": it is encrypted by dotenvx, and an edit would break it or show the token",
    ),
    (
        "vault.ini",
        "key = \"a\"\ncreate = true\n",
        "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
        ": it is encrypted by ansible-vault, and an edit would break it or show the token",
    ),
    (
        "wide.env",
        "key = \"FB_TOKEN\"\ncreate = true\n",
        "\0A\0=\0x\0\r\0\n",
        ": it is UTF-16, not UTF-8 text",
    ),
    (
        "open.env",
        "key = \"FB_TOKEN\"\n",
        "A=\"open\nFB_TOKEN=\nB=\"x\"\n",
        ":1:3: it cannot be read as env: line 1",
    ),
    (
        "flat.json",
        "key = \"facebook.accessToken\"\ncreate = true\n",
        "{\"facebook.accessToken\": \"\"}\n",
        ": it has no key `facebook.accessToken`, but `/facebook.accessToken`: a name in it holds the dots",
    ),
    (
        "shared.yaml",
        "key = \"x-env.T\"\n",
        "x-env: &env\n  T:\nweb: *env\n",
        ":2:3: the value of the key `x-env.T` cannot be replaced alone: it is anchored by `&`, and its aliases would change with it: line 2",
    ),
];

fn target(file: &str, keys: &str) -> String {
    format!("[[token.brand.deliver]]\nname = \"{file}\"\nfile = \"{file}\"\n{keys}")
}

/// A world with these files, each with its target.
fn files(all: &[(&str, &str, &str)]) -> World {
    let targets: Vec<String> = all.iter().map(|(file, keys, _)| target(file, keys)).collect();
    let world = world(&targets.concat());
    for (file, _, content) in all {
        world.write(file, content);
    }
    world
}

#[test]
fn what_may_be_needed_is_left_alone_and_config_check_says_so() {
    let world = files(&KEPT.map(|(file, keys, content, _)| (file, keys, content)));
    let checked = world.run(&["config", "check"]).code(0).stderr("");
    let ran = world.run(&["refresh"]).code(73).stderr("");
    for (file, _, content, said) in KEPT {
        let said = format!("[DIR]/{file}{said}; ");
        let line = checked.stdout.lines().find(|line| line.contains(&said));
        let begins = format!("warning: `brand` cannot be delivered to `{file}`: ");
        assert!(line.is_some_and(|line| line.starts_with(&begins)), "{said}\n{}", checked.stdout);
        assert!(ran.stdout.contains(&said), "{said}\n{}", ran.stdout);
        assert_eq!(held(&world, file), content);
    }
    world.run(&["deliver", "--force", "brand"]).code(73);
    for (file, _, content, _) in KEPT {
        assert_eq!(held(&world, file), content, "`--force` is for what was delivered before");
    }
}

#[test]
fn each_refusal_names_its_remedy() {
    for (file, keys, content, remedy) in [
        (
            "db.env",
            "key = \"P\"\n",
            "P=hunter2\n",
            "correct `file` and `key` in the config, or set `overwrite = true` to replace it",
        ),
        (
            "a.php",
            "",
            "a b",
            "set `format` in the config: toml, ini, env, json or yaml with a `key`, or raw, with `overwrite = true`, to replace the whole file",
        ),
        (
            "supervisord.conf",
            "key = \"program:web.environment\"\n",
            "[program:web]\nenvironment=FB_TOKEN=\"x\",FB_APP=\"1\"\n",
            "name a value that is the access token alone by `file`, `format` and `key`, or deliver with `command` to a program that edits this one",
        ),
        (
            "nginx.conf",
            "key = \"t\"\n",
            "server {\n  set $t changeme;\n}\n",
            "add the key to the file by hand, with an empty value, or correct `key` and `format` in the config",
        ),
        ("a.json", "key = \"a.b\"\n", "{\"a.b\": \"\"}", "write `key = '/a.b'` in the config"),
        ("a.toml", "key = \"a.b\"\n", "\"a.b\" = ''\n", "write `key = '\"a.b\"'` in the config"),
        (
            "a.yaml",
            "key = \"t\"\n",
            "t:\n---\nt:\n",
            "name the document in the config: `document = 1` is the first",
        ),
        (
            "b.yaml",
            "key = \"t\"\n",
            "t: &t ''\nu: *t\n",
            "set `anchor = true` in the config to change it for all its aliases",
        ),
        (
            "c.yaml",
            "key = \"u.t\"\n",
            "x: &x\n  t: ''\nu: *x\n",
            "name the value on line 2 with `key`, and set `anchor = true`",
        ),
        (
            "d.env",
            "key = \"T\"\n",
            "T\0=\0",
            "convert the file, for example with `iconv -f UTF-16 -t UTF-8`",
        ),
        (
            "e.env",
            "key = \"T\"\n",
            "T=\nsops_mac=x\n",
            "deliver with `command` to a program that encrypts the token, instead of `file`",
        ),
    ] {
        let world = files(&[(file, keys, content)]);
        let checked = world.run(&["config", "check"]).code(0).stderr("");
        assert!(checked.stdout.contains(&format!("; {remedy}\n")), "{}", checked.stdout);
        assert!(world.run(&["refresh"]).code(73).stdout.contains(remedy), "{remedy}");
        assert_eq!(held(&world, file), content);
    }
}

#[test]
fn the_remedies_work_when_they_are_typed() {
    let mut all = files(&[
        ("db.env", "key = \"P\"\noverwrite = true\n", "P=hunter2\n"),
        ("a.php", "format = \"raw\"\noverwrite = true\n", "a b\n"),
        ("a.json", "key = '/a.b'\n", "{\"a.b\": \"\"}"),
        ("a.toml", "key = '\"a.b\"'\n", "\"a.b\" = ''\n"),
        ("a.yaml", "key = \"t\"\ndocument = 2\n", "t: hunter2\n---\nt:\n"),
        ("b.yaml", "key = \"t\"\nanchor = true\n", "t: &t ''\nu: *t\n"),
        ("n.json", "key = \"port\"\noverwrite = true\n", "{\"port\": 8080}"),
        ("r.yaml", "key = \"t\"\noverwrite = true\n", "t: ${T} # c\n"),
        ("c.jsonc", "key = \"T\"\n", "{\n  // c\n  \"T\": \"changeme\", /* kept */\n}\n"),
        ("k.yaml", "key = \"data.T\"\n", "kind: Secret\ndata:\n  T: Y2hhbmdlbWU=\n"),
        ("i.ini", "key = \"f.t\"\n", "[f]\nt = \"1234567|fakefakefake\" ; c\n"),
    ]);
    let said = all.run(&["config", "check"]).code(0).stdout;
    assert!(said.ends_with("[DIR]/metatoken.toml: OK: 1 app, 1 token\n"), "{said}");
    let now = |string: &str, coded: &str| {
        [
            ("db.env", format!("P={string}\n")),
            ("a.php", format!("{string}\n")),
            ("a.json", format!("{{\"a.b\": \"{string}\"}}")),
            ("a.toml", format!("\"a.b\" = '{string}'\n")),
            ("a.yaml", format!("t: hunter2\n---\nt: {string}\n")),
            ("b.yaml", format!("t: &t '{string}'\nu: *t\n")),
            ("n.json", format!("{{\"port\": \"{string}\"}}")),
            ("r.yaml", format!("t: {string} # c\n")),
            ("c.jsonc", format!("{{\n  // c\n  \"T\": \"{string}\", /* kept */\n}}\n")),
            ("k.yaml", format!("kind: Secret\ndata:\n  T: {coded}\n")),
            ("i.ini", format!("[f]\nt = \"{string}\" ; c\n")),
        ]
    };
    for (string, coded, at) in [(ONE, "RUFBRkFLRUJyYW5kMQ==", 0), (TWO, "RUFBRkFLRUJyYW5kMg==", 45)]
    {
        all.at(day(at));
        let _ = all.run(&["refresh", "--quiet"]).code(0);
        for (file, expected) in now(string, coded) {
            assert_eq!(held(&all, file), expected, "{file}");
        }
    }
}

#[test]
fn a_placeholder_or_an_access_token_gives_way_unasked() {
    for value in [
        "",
        "changeme",
        "YOUR_TOKEN",
        "<paste it here>",
        "xxxx",
        "EAABfakefakefakefake",
        "IGfakefakefakefakefake",
        "THfakefakefakefakefake",
        "1234567|fakefakefakefa",
    ] {
        let world = world(super::APP_INI);
        world.write("app.ini", ini(value));
        world.run(&["refresh", "--quiet"]).silent().code(0);
        let written = held(&world, "app.ini").replace("  ;", " ;");
        assert_eq!(written, ini(ONE), "{value}");
    }
}

/// What any token ever had is replaced, whatever it looks like.
#[test]
fn what_was_ours_under_another_name_gives_way() {
    let mut world = delivered(super::APP_INI);
    assert_eq!(held(&world, "app.ini"), ini(ONE));
    world.at(day(1));
    let renamed = super::APP_INI.replace("name = \"app\"", "name = \"renamed\"");
    world.reconfigure(&format!("{}\n{renamed}", crate::common::BRAND));
    world.write("app.ini", ini(ONE));
    world.at(day(45));
    let result = world.run(&["refresh", "--json"]).code(0).result("brand");
    assert_eq!(states(&result), ["renamed in_sync"]);
    assert_eq!(held(&world, "app.ini"), ini(TWO));
}

#[test]
fn a_dry_run_and_a_test_say_it_too() {
    let world = files(&[("db.env", "key = \"DB_PASSWORD\"\n", "DB_PASSWORD=hunter2\n")]);
    world.run(&["refresh", "--dry-run", "--quiet"]).code(73);
    world
        .run(&["deliver", "--test"])
        .stdout(
            "
brand -> db.env: would fail: [DIR]/db.env:1:13: the key `DB_PASSWORD` holds another value, not an access token: line 1
  hint: correct `file` and `key` in the config, or set `overwrite = true` to replace it
",
        )
        .stderr("")
        .code(73);
    let json = world.run(&["config", "check", "--json"]).code(0).json();
    assert_eq!(json["warnings"][0]["code"], "not_deliverable");
    assert_eq!(fs::read_to_string(world.path("db.env")).unwrap(), "DB_PASSWORD=hunter2\n");
}

/// Garbage that comes later is drift, also where it is no text.
#[test]
fn a_number_that_stands_there_later_is_drift() {
    let target = "[[token.brand.deliver]]\nname = \"app\"\nfile = \"app.json\"\nkey = \"t\"\n";
    let world = world(target);
    world.write("app.json", "{\"t\": null}");
    world.run(&["refresh", "--quiet"]).silent().code(0);
    for garbage in ["{\"t\": 12}", "{\"t\": \"garbage\"}", "{\"t\": true}"] {
        world.write("app.json", garbage);
        world.calls();
        world.run(&["refresh", "--quiet"]).code(0);
        assert_eq!(world.calls(), [""; 0], "{garbage}");
        assert_eq!(held(&world, "app.json"), garbage);
        assert_eq!(reasons(&world.offline("brand")), ["warning drifted"], "{garbage}");
    }
    world.write("app.json", "{\"t\": 12}");
    world.run(&["deliver", "--force", "brand"]).code(0);
    assert_eq!(held(&world, "app.json"), format!("{{\"t\": \"{ONE}\"}}"));
}

/// Nothing could be written over a list, so `--force` is no remedy for it.
#[test]
fn a_list_that_stands_there_later_is_a_failed_delivery() {
    let target = "[[token.brand.deliver]]\nname = \"app\"\nfile = \"app.json\"\nkey = \"t\"\n";
    let world = world(target);
    world.write("app.json", "{\"t\": null}");
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.write("app.json", "{\"t\": [1]}");
    let said = "[DIR]/app.json:1:7: the key `t` holds a list, not text: line 1; correct the file, or `key` and `format` in the config";
    for args in [&["refresh", "--quiet"][..], &["deliver", "--force", "brand"]] {
        let ran = world.run(args).code(73);
        assert!(
            ran.stdout.contains(said) || ran.stderr.contains(said),
            "{}{}",
            ran.stdout,
            ran.stderr
        );
        assert_eq!(held(&world, "app.json"), "{\"t\": [1]}");
    }
    world.write("app.json", "{\"t\": null}");
    world.run(&["deliver", "brand"]).code(0);
    assert_eq!(held(&world, "app.json"), format!("{{\"t\": \"{ONE}\"}}"));
}

/// A wrong `key`, in the source and in the target: the value was refused as an access token, and is
/// the application's password all the same.
#[test]
fn what_was_refused_as_an_access_token_may_be_a_password() {
    let keys = "file = \"db.env\", key = \"DB_PASSWORD\"";
    let config = format!(
        "[token.brand]\ntype = \"user\"\naccess_token = {{ {keys} }}\n{}",
        target("db.env", "key = \"DB_PASSWORD\"\n")
    );
    let world = World::new().config(&config);
    world.write("db.env", "DB_PASSWORD=hunter2\n");
    let _ = world.run(&["refresh"]);
    let string = world.mint(TokenFixture::user(APP, ANNA));
    world.run_with_input(&["exchange", "brand"], &string).code(73);
    let _ = world.run(&["refresh"]).code(73);
    assert_eq!(held(&world, "db.env"), "DB_PASSWORD=hunter2\n");
}

/// `overwrite` is for a first delivery: after it another value is left to `--force`.
#[test]
fn what_drifted_is_overwritten_by_what_config_check_names() {
    let world = files(&[("db.env", "key = \"P\"\n", "P=\n")]);
    world.run(&["refresh", "--quiet"]).code(0);
    world.write("db.env", "P=hunter2\n");
    world.run(&["refresh", "--quiet"]).code(0);
    let said = world.run(&["config", "check"]).code(0).stdout;
    let force = "; run `metatoken deliver --force brand` to overwrite it\n";
    assert!(said.contains(force) && !said.contains("overwrite = true"), "{said}");
    world.run(&["deliver", "--force", "brand"]).code(0);
    let said = world.run(&["config", "check"]).code(0).stdout;
    assert!(!said.contains("warning: `brand`"), "{said}");
}
