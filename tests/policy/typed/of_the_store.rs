//! A store, a key, a config or a secret that cannot be used: what the error names is done, and the
//! same command comes right.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use metatoken::sandbox::TokenFixture;

use super::{Done, shell};
use crate::common::{ANNA, APP, BRAND, World, skip};

const STORE: &str = "metatoken.db";
const KEY: &str = "metatoken.key";
/// Copies that an operator keeps.
const STORE_COPY: &str = "kept.db";
const KEY_COPY: &str = "kept.key";
/// The user `nobody`, everywhere.
const NOBODY: u32 = 65534;

/// What befalls a world, and what a person does about it.
struct Case {
    befall: fn(&World),
    /// How the hint begins.
    hint: &'static str,
    /// Does what the hint says.
    act: fn(&mut World, &str),
}

/// Types the last command of a hint that begins with one of these programs.
fn type_it(world: &World, hint: &str) {
    let folder = world.path("").display().to_string();
    let copy = world.path(STORE_COPY).display().to_string();
    let is_command = |words: &&str| {
        ["mv ", "rm ", "cp ", "chmod ", "chown "].iter().any(|name| words.starts_with(name))
    };
    let line = hint.split('`').rfind(is_command);
    let line = line.unwrap_or_else(|| panic!("no command in {hint}"));
    let line = line.replace("[DIR]", folder.trim_end_matches('/')).replace("BACKUP", &copy);
    assert!(shell(&line), "{line}");
}

fn copy(world: &World, from: &str, to: &str) {
    fs::copy(world.path(from), world.path(to)).unwrap();
    fs::set_permissions(world.path(to), Permissions::from_mode(0o600)).unwrap();
}

fn remove(world: &World, names: &[&str]) {
    for name in names {
        fs::remove_file(world.path(name)).unwrap();
    }
}

fn cut(world: &World) {
    let file = fs::File::options().write(true).open(world.path(STORE)).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

/// Puts another setting of `[store]` before the token.
fn setting(world: &World, line: &str) {
    world.reconfigure(&format!("[store]\n{line}\n{BRAND}"));
}

/// A store that has lived, and a key.
const CASES: &[Case] = &[
    Case {
        befall: |world| remove(world, &[KEY]),
        hint: "put back the copy of it that you keep, to `[DIR]/metatoken.key`, or say where it is",
        act: |world, _| copy(world, KEY_COPY, KEY),
    },
    Case {
        befall: |world| remove(world, &[KEY]),
        hint: "put back the copy of it that you keep, to `[DIR]/metatoken.key`, or say where it is",
        act: |world, _| setting(world, "key = { file = \"kept.key\" }"),
    },
    Case {
        befall: |world| world.write(KEY, "ab".repeat(32)),
        hint: "put back the key that belongs to this store, or say where it is with `key` in",
        act: |world, _| setting(world, "key = { file = \"kept.key\" }"),
    },
    Case {
        befall: |world| world.write(KEY, "half a key"),
        hint: "a key is 32 bytes as 64 hex digits or base64; put back the copy of it that you keep",
        act: |world, _| copy(world, KEY_COPY, KEY),
    },
    Case {
        befall: |world| {
            remove(world, &[KEY]);
            fs::create_dir(world.path(KEY)).unwrap();
        },
        hint: "find out who made it, and put it aside: ",
        act: |world, hint| {
            assert!(hint.ends_with("; then put back the key, or the copy of it that you keep"));
            type_it(world, hint);
            copy(world, KEY_COPY, KEY);
        },
    },
    Case {
        befall: |world| {
            remove(world, &[KEY]);
            symlink(world.path(KEY_COPY), world.path(KEY)).unwrap();
        },
        hint: "see who made it; to use what it leads to: ",
        act: |world, hint| {
            let folder = world.path("").display().to_string();
            let line = hint.split('`').nth(1).unwrap();
            setting(world, &line.replace("[DIR]", folder.trim_end_matches('/')));
        },
    },
    Case {
        befall: |world| setting(world, "key = { env = \"STORE_KEY\" }"),
        hint: "set the variable `STORE_KEY` to the copy of the store key that you keep",
        act: |world, _| {
            let key = fs::read_to_string(world.path(KEY_COPY)).unwrap();
            world.set("STORE_KEY", key.trim());
        },
    },
    Case {
        befall: |world| setting(world, "key = { file = \"secret/key\" }"),
        hint: "write the copy of the store key that you keep into the file ",
        act: |world, _| {
            fs::create_dir(world.path("secret")).unwrap();
            copy(world, KEY_COPY, "secret/key");
        },
    },
    Case {
        befall: |world| {
            world.write("short.key", "ab");
            fs::set_permissions(world.path("short.key"), Permissions::from_mode(0o600)).unwrap();
            setting(world, "key = { file = \"short.key\" }");
        },
        hint: "a key is 32 bytes as 64 hex digits or base64; put back the copy of it that you keep, to the file",
        act: |world, _| copy(world, KEY_COPY, "short.key"),
    },
    Case {
        befall: |world| {
            remove(world, &[STORE]);
            symlink(world.path("gone.db"), world.path(STORE)).unwrap();
        },
        hint: "bring back what the link leads to, or name another file with `path` in `[store]`",
        act: |world, _| setting(world, "path = \"kept.db\""),
    },
    Case {
        befall: |world| remove(world, &[STORE]),
        hint: "restore a backup (`metatoken store backup` makes them): `rm -f ",
        act: |world, hint| type_it(world, hint),
    },
    Case {
        befall: cut,
        hint: "restore a backup (`metatoken store backup` makes them): `rm -f ",
        act: |world, hint| type_it(world, hint),
    },
    Case {
        befall: |world| remove(world, &[STORE]),
        hint: "without a backup, start over and paste every access token again: ",
        act: |world, hint| type_it(world, hint),
    },
    Case {
        befall: |world| remove(world, &[STORE, KEY]),
        hint: "restore a backup (`metatoken store backup` makes them): `rm -f ",
        act: |world, hint| {
            assert!(hint.ends_with(", and its key to `[DIR]/metatoken.key`"), "{hint}");
            type_it(world, hint);
            copy(world, KEY_COPY, KEY);
        },
    },
    Case {
        befall: |world| world.write(STORE, "restored from the wrong tape\n"),
        hint: "restore a backup (`metatoken store backup` makes them): `",
        act: |world, hint| type_it(world, hint),
    },
    Case {
        befall: |world| world.sql().pragma_update(None, "user_version", 99).unwrap(),
        hint: "or, from before the upgrade, restore a backup (`metatoken store backup` makes them): ",
        act: |world, hint| type_it(world, hint),
    },
    Case {
        befall: |world| {
            remove(world, &["metatoken.db.lock"]);
            symlink(world.path(KEY_COPY), world.path("metatoken.db.lock")).unwrap();
        },
        hint: "a lock is never a link: see who made it, and remove it with `rm ",
        act: |world, hint| type_it(world, hint),
    },
    Case {
        befall: |world| {
            remove(world, &["metatoken.db.lock"]);
            fs::create_dir(world.path("metatoken.db.lock")).unwrap();
        },
        hint: "find out who made it, and put it aside: ",
        act: |world, hint| type_it(world, hint),
    },
    Case {
        befall: |world| chmod(world, "metatoken.toml", 0o666),
        hint: "`chmod go-w ",
        act: |world, hint| type_it(world, hint),
    },
    Case {
        befall: |world| chmod(world, ".", 0o777),
        hint: "`chmod go-w ",
        act: |world, hint| type_it(world, hint),
    },
    Case {
        befall: |world| {
            let config = fs::read_to_string(world.path("metatoken.toml")).unwrap();
            let literal = format!("secret = \"{}\"", crate::common::APP_SECRET);
            let config = config.replace("secret = { env = \"APP_SECRET\" }", &literal);
            world.write("metatoken.toml", config);
            chmod(world, "metatoken.toml", 0o604);
        },
        hint: "`chmod o-r ",
        act: |world, hint| type_it(world, hint),
    },
    Case {
        befall: |world| {
            let config = fs::read_to_string(world.path("metatoken.toml")).unwrap();
            let literal = format!("secret = \"{}\"", crate::common::APP_SECRET);
            let config = config.replace("secret = { env = \"APP_SECRET\" }", &literal);
            world.write("metatoken.toml", config);
            chmod(world, "metatoken.toml", 0o604);
        },
        hint: "or name where the secret is: `{ env = NAME }`, `{ file = PATH }`",
        act: |world, _| world.reconfigure(BRAND),
    },
    Case {
        befall: |world| {
            fs::create_dir(world.path("ca.pem")).unwrap();
            world.reconfigure(&format!("[http]\nca_file = \"ca.pem\"\n{BRAND}"));
        },
        hint: "name a file with certificates in PEM form",
        act: |world, _| world.reconfigure(BRAND),
    },
    Case {
        befall: |world| {
            world.write("ca.pem", "");
            chmod(world, "ca.pem", 0o666);
            world.reconfigure(&format!("[http]\nca_file = \"ca.pem\"\n{BRAND}"));
        },
        hint: "`chmod go-w ",
        act: |world, hint| {
            type_it(world, hint);
            assert!(!world.run(&["refresh"]).stderr.contains("chmod"));
            world.reconfigure(BRAND);
        },
    },
];

/// What belongs to another user, which only root can arrange.
const OF_ROOT: &[Case] = &[
    Case {
        befall: |world| chown(world.path("metatoken.toml"), Some(NOBODY), None).unwrap(),
        hint: "`chown 0 ",
        act: |world, hint| type_it(world, hint),
    },
    Case {
        befall: |world| chown(world.path("."), Some(NOBODY), None).unwrap(),
        hint: "`chown 0 ",
        act: |world, hint| type_it(world, hint),
    },
];

/// A first run in the place of something else.
const FIRST: &[Case] = &[
    Case {
        befall: |world| world.write(STORE, "not a store\n"),
        hint: "if it is another program's file, name a file of its own with `path` in `[store]`",
        act: |world, _| setting(world, "path = \"own.db\""),
    },
    Case {
        befall: |world| {
            let other = rusqlite::Connection::open(world.path(STORE)).unwrap();
            other.execute_batch("CREATE TABLE orders (n); PRAGMA user_version = 7").unwrap();
        },
        hint: "name a file of its own with `path` in `[store]`",
        act: |world, _| setting(world, "path = \"own.db\""),
    },
    Case {
        befall: |world| world.write(KEY, "07".repeat(32)),
        hint: "to make a new store with that key",
        act: |world, hint| {
            chmod(world, KEY, 0o600);
            let folder = world.path("").display().to_string();
            let line = hint.split('`').nth(1).unwrap();
            setting(world, &line.replace("[DIR]", folder.trim_end_matches('/')));
        },
    },
];

/// Where an access token is looked for, and what a person does so that it is found there.
const SOURCES: &[(&str, Case)] = &[
    (
        "{ env = \"FIRST\" }",
        Case {
            befall: |_| {},
            hint: "set the variable `FIRST` to the access token",
            act: |world, _| {
                let value = world.mint(brand());
                world.set("FIRST", &value);
            },
        },
    ),
    (
        "{ file = \"first\" }",
        Case {
            befall: |_| {},
            hint: "write the access token into the file `[DIR]/first` (mode 0600)",
            act: |world, _| world.write("first", world.mint(brand())),
        },
    ),
    (
        "{ file = \"app.env\", key = \"FIRST\" }",
        Case {
            befall: |world| world.write("app.env", "OTHER=1\n"),
            hint: "set `FIRST` in `[DIR]/app.env` to the access token",
            act: |world, _| world.write("app.env", format!("FIRST={}\n", world.mint(brand()))),
        },
    ),
    (
        "{ file = \"first\" }",
        Case {
            befall: |world| fs::create_dir(world.path("first")).unwrap(),
            hint: "name a file in the config instead of `[DIR]/first`",
            act: |world, _| {
                fs::remove_dir(world.path("first")).unwrap();
                world.write("first", world.mint(brand()));
            },
        },
    ),
    (
        "{ file = \"first\" }",
        Case {
            befall: |world| {
                world.write("first", world.mint(brand()));
                chmod(world, "first", 0o602);
            },
            hint: "run `chmod o-w [DIR]/first`",
            act: |world, hint| type_it(world, hint),
        },
    ),
    (
        "{ credential = \"first\" }",
        Case {
            befall: |_| {},
            hint: "",
            act: |world, _| {
                // What the service manager does with `/etc/credstore/first`.
                world.write("credentials/first", world.mint(brand()));
                let folder = world.path("credentials").display().to_string();
                world.set("CREDENTIALS_DIRECTORY", &folder);
            },
        },
    ),
    (
        "{ command = [\"[DIR]/installed\"] }",
        Case {
            befall: |_| {},
            hint: "",
            act: |world, _| {
                let file = world.path("installed").display().to_string();
                let value = world.mint(brand());
                assert!(shell(&format!(
                    "printf '#!/bin/sh\\necho {value}\\n' > {file}; chmod 700 {file}"
                )));
            },
        },
    ),
    (
        "{ command = [\"/bin/sh\", \"[DIR]/program\"] }",
        Case {
            befall: |world| world.write("program", "exit 3\n"),
            hint: "run `/bin/sh` by hand, as the user who runs metatoken, to see why",
            act: |world, _| world.write("program", format!("echo {}\n", world.mint(brand()))),
        },
    ),
];

/// No config is found, or a variable names one in vain.
#[expect(clippy::disallowed_methods, reason = "a person's editor")]
fn of_the_place_of_the_config() -> Vec<Done> {
    let folder = crate::common::folder();
    let run = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_metatoken"));
        command.args(arguments).env_clear().env("XDG_CONFIG_HOME", folder.path());
        command.env("XDG_STATE_HOME", folder.path()).envs(variables.iter().copied());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    if Path::new("/etc/metatoken/metatoken.toml").exists() {
        skip("remedies for a config that is not there", "this machine has one");
        return Vec::new();
    }
    let (code, missing) = run(&[], &["config", "check"]);
    assert_eq!(code, Some(78), "{missing}");
    let value = format!("EAA{}", "fakeFAKE1234".repeat(5));
    let secret = ("METATOKEN_CONFIG", value.as_str());
    let (code, secret) = run(&[secret], &["config", "check"]);
    assert_eq!(code, Some(78), "{secret}");
    // Each remedy in turn: a sandbox needs none, a name may be given, or the place is filled.
    let (code, said) = run(&[], &["--sandbox", "status"]);
    assert_eq!(code, Some(0), "{said}");
    // What `metatoken init` writes, which asks Meta about the app.
    let place = missing.split("looked for `").nth(1).and_then(|rest| rest.split('`').next());
    let place = Path::new(place.unwrap());
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::set_permissions(place.parent().unwrap(), Permissions::from_mode(0o700)).unwrap();
    fs::write(place, "[app.main]\nid = \"1\"\n").unwrap();
    fs::set_permissions(place, Permissions::from_mode(0o600)).unwrap();
    let name = place.to_str().unwrap();
    for (variables, arguments) in [
        (&[][..], &["config", "show"][..]),
        (&[("METATOKEN_CONFIG", name)], &["config", "show"]),
        (&[], &["--config", name, "config", "show"]),
    ] {
        let (code, said) = run(variables, arguments);
        assert_eq!(code, Some(0), "{said}");
    }
    let (code, named) = run(&[], &["--config", "/nowhere/metatoken.toml", "config", "show"]);
    assert_eq!(code, Some(78), "{named}");
    [missing, secret, named].into_iter().map(Done).collect()
}

fn chmod(world: &World, name: &str, mode: u32) {
    fs::set_permissions(world.path(name), Permissions::from_mode(mode)).unwrap();
}

fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand")
}

/// Does what the hint of a refused run says, and sees the same command do its work.
fn comes_right(mut world: World, case: &Case) -> Vec<Done> {
    (case.befall)(&world);
    let ran = world.run(&["refresh"]);
    assert!(matches!(ran.code, Some(74 | 78)), "{}: {}{}", case.hint, ran.stdout, ran.stderr);
    let refused = ran.code;
    let before: Vec<String> = ran.stderr.lines().map(str::to_owned).collect();
    let mut hints = ran.stderr.lines().filter_map(|line| line.strip_prefix("hint: "));
    let hint = hints.rfind(|hint| hint.starts_with(case.hint));
    let hint = hint.unwrap_or_else(|| panic!("no `{}` in {}", case.hint, ran.stderr)).to_owned();
    (case.act)(&mut world, &hint);
    let ran = world.run(&["refresh"]);
    assert_eq!(ran.code, Some(0), "{hint}: {}{}", ran.stdout, ran.stderr);
    assert_eq!(world.run(&["token", "brand"]).code, Some(0), "{hint}");
    let check = world.run(&["check", "--json"]).json();
    let errors: Vec<&str> = check["system"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["code"].as_str().unwrap())
        .filter(|code| code.starts_with("store") || code.starts_with("key"))
        .collect();
    assert_eq!(errors, [""; 0], "{hint}");
    // The line above a command says why it is to be typed.
    let why = before.iter().rev().find(|line| line.starts_with("hint: ") && !line.contains('`'));
    let why = why.filter(|_| refused == Some(78)).map(|line| Done(line.clone()));
    why.into_iter().chain([Done(hint)]).collect()
}

/// The same of a token that has no access token yet: its remedy says where one is missing.
fn is_found(source: &str, case: &Case) -> Vec<Done> {
    let mut world = World::new();
    let folder = world.path("").display().to_string();
    let source = source.replace("[DIR]", folder.trim_end_matches('/'));
    world.reconfigure(&format!("[token.it]\ntype = \"user\"\naccess_token = {source}\n"));
    (case.befall)(&world);
    let missed = world.run(&["config", "check"]).stdout;
    let _ = world.run(&["refresh"]);
    let told = super::told(&world, "it");
    let step = told.remedy.strip_suffix("; then run `metatoken refresh it`").map(str::to_owned);
    let step = step.unwrap_or_else(|| panic!("{told:?}"));
    assert!(step.starts_with(case.hint), "{step}");
    (case.act)(&mut world, &step);
    let ran = world.run(&["refresh", "it"]);
    assert_eq!(ran.code, Some(0), "{step}: {}{}", ran.stdout, ran.stderr);
    assert_eq!(super::codes(&world, "it"), [""; 0], "{step}");
    let ran = world.run(&["config", "check"]);
    assert_eq!(ran.code, Some(0), "{missed}{}{}", ran.stdout, ran.stderr);
    vec![Done(step), Done(told.remedy), Done(missed)]
}

/// All of them.
pub(super) fn done() -> Vec<Done> {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        skip("remedies about another user's config", "only root can give files away");
    }
    let lived = || {
        let world = World::with_brand("");
        let backup = world.path(STORE_COPY).display().to_string();
        let _ = world.run(&["store", "backup", &backup]).code(0);
        copy(&world, KEY, KEY_COPY);
        world
    };
    let first = || World::new().config(BRAND).token("BRAND", brand());
    let of_root = OF_ROOT.iter().filter(|_| is_root);
    let of_stores = CASES.iter().chain(of_root).flat_map(|case| comes_right(lived(), case));
    let of_first_runs = FIRST.iter().flat_map(|case| comes_right(first(), case));
    let of_sources = SOURCES.iter().flat_map(|(source, case)| is_found(source, case));
    of_stores.chain(of_first_runs).chain(of_sources).chain(of_the_place_of_the_config()).collect()
}
