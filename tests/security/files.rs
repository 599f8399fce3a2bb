//! Files that somebody else can write or read: the config's folder, its certificates, its programs,
//! its secrets.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::Command;

use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, APP_SECRET, BRAND, Ran, World};

/// `nobody`, everywhere.
const NOBODY: u32 = 65534;

fn set(world: &World, name: &str, mode: u32) {
    fs::set_permissions(world.path(name), Permissions::from_mode(mode)).unwrap();
}

/// Types the commands that the hints of a run give.
fn obey(world: &World, ran: &Ran) {
    let words = ran.stderr.split('`').chain(ran.stdout.split('`'));
    let typed: Vec<_> = words.filter(|word| word.starts_with("chmod ")).collect();
    assert!(!typed.is_empty(), "{}{}", ran.stdout, ran.stderr);
    for line in typed {
        let line = line.replace("[DIR]", world.path("").to_str().unwrap().trim_end_matches('/'));
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success(), "{line}");
    }
}

fn world() -> World {
    World::new().config(BRAND).token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
}

#[test]
fn a_folder_in_which_others_can_write_makes_a_config_unsafe() {
    for (mode, refused) in [
        (0o777, true),
        (0o775, true),
        (0o722, true),
        (0o1777, false),
        (0o755, false),
        (0o700, false),
    ] {
        let world = world();
        set(&world, ".", mode);
        let ran = world.run(&["config", "check"]).code(if refused { 78 } else { 0 });
        if refused {
            let expected = format!(
                "error: [DIR]/metatoken.toml: refused: group or others can write its folder `[DIR]` (mode {mode:04o})\n\
                 hint: every user who can write there can put another config in its place\n\
                 hint: `chmod go-w [DIR]`\n"
            );
            let ran = ran.stderr(&expected);
            world.run(&["refresh"]).stdout("").code(78);
            obey(&world, &ran);
            world.run(&["config", "check"]).code(0);
        }
    }
}

#[test]
fn certificates_that_others_can_write_are_not_trusted() {
    for mode in [0o666, 0o664, 0o646] {
        let world = world();
        world.reconfigure(&format!("[http]\nca_file = \"ca.pem\"\n{BRAND}"));
        world.write("ca.pem", "none yet");
        set(&world, "ca.pem", mode);
        let expected = format!(
            "error: `ca_file` [DIR]/ca.pem: refused: group or others can write it (mode {mode:04o})\n\
             hint: its certificates decide who may read the access tokens: only its owner may write it\n\
             hint: `chmod go-w [DIR]/ca.pem`\n"
        );
        let ran = world.run(&["refresh"]).stdout("").stderr(&expected).code(78);
        obey(&world, &ran);
        world.run(&["config", "check"]).code(0);
    }
}

/// Two tokens, each of an app of its own; the second app's secret stands in a file.
fn two_apps() -> World {
    let world = World::new()
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
        .token("OTHER", TokenFixture::user(APP, ANNA).named("other"));
    world.reconfigure(&format!(
        "[app.second]\nid = \"{APP}\"\nsecret = {{ file = \"app-secret\" }}\n\
         {BRAND}app = \"main\"\n[token.other]\ntype = \"user\"\napp = \"second\"\n\
         access_token = {{ env = \"OTHER\" }}\n"
    ));
    world.write("app-secret", APP_SECRET);
    world
}

#[test]
fn a_secret_that_every_user_can_write_is_one_apps_trouble() {
    let world = two_apps();
    set(&world, "app-secret", 0o602);
    let ran = world.run(&["refresh", "--json"]).code(77);
    let outcomes = ran.outcomes();
    assert_eq!((outcomes["brand"].as_str(), outcomes["other"].as_str()), ("adopted", "failed"));
    assert_eq!(
        ran.result("other")["problem"]["message"],
        "no secret of app `second`: the file `[DIR]/app-secret` is refused: every user of this machine can write it (mode 0602)"
    );
    obey(&world, &ran);
    world.run(&["refresh", "--quiet"]).code(0);
}

#[test]
fn white_space_around_an_apps_secret_is_no_part_of_it() {
    for around in [
        "SECRET \n",
        "SECRET\r\n",
        "SECRET\n\n",
        " SECRET\t",
        "\u{feff}SECRET",
        "SECRET\u{a0}\r\n\r\n",
        "\u{200b}SECRET\u{202c}\u{feff}",
    ] {
        let world = two_apps();
        world.write("app-secret", around.replace("SECRET", APP_SECRET));
        let ran = world.run(&["refresh", "--json"]);
        assert_eq!(ran.code, Some(0), "{around:?}: {}", ran.stdout);
    }
    let mut world = two_apps();
    world.set("APP_SECRET", &format!("{APP_SECRET} "));
    world.run(&["refresh", "--quiet"]).code(0);
    world.write("app-secret", " \n");
    let ran = world.run(&["refresh", "--json", "--force", "other"]).code(77);
    assert_eq!(
        ran.result("other")["problem"]["message"],
        "no secret of app `second`: the file `[DIR]/app-secret` holds only white space"
    );
}

/// Meta only says that something is wrong with an app's id or secret; the file says what.
#[test]
fn what_was_saved_with_an_apps_secret_is_named() {
    let world = two_apps();
    world.run(&["refresh", "--quiet"]).code(0);
    let wide: Vec<u8> =
        format!("\u{feff}{APP_SECRET}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let alone = "put the app's secret alone into the file `[DIR]/app-secret`";
    for (contents, why, fix) in [
        (format!("\"{APP_SECRET}\"\n").into_bytes(), "holds the app's secret in quotes", alone),
        (
            format!("APP_SECRET={APP_SECRET}\n").into_bytes(),
            "holds `NAME=` in front of the app's secret",
            alone,
        ),
        (
            format!("{APP_SECRET}\u{200b}x").into_bytes(),
            "holds the app's secret with an invisible character inside",
            alone,
        ),
        (b"EAABfakefake12\n".to_vec(), "holds an access token, not the app's secret", alone),
        (b"changeme\n".to_vec(), "holds a placeholder or a reference, not the app's secret", alone),
        (
            b"${APP_SECRET}\n".to_vec(),
            "holds a placeholder or a reference, not the app's secret",
            alone,
        ),
        (
            format!("{}…\n", &APP_SECRET[..4]).into_bytes(),
            "holds the app's secret with a part of it hidden (`***` or `…`)",
            alone,
        ),
        (
            format!("{APP_SECRET},\n").into_bytes(),
            "holds more than the app's secret, which has letters and digits only",
            alone,
        ),
        (
            wide,
            "cannot be read: it is UTF-16, not UTF-8 text",
            "convert the file, for example with `iconv -f UTF-16 -t UTF-8`",
        ),
        (
            b"fake\xe9\n".to_vec(),
            "cannot be read: it is not UTF-8 text: line 1",
            "put the app's secret alone into `[DIR]/app-secret`, as plain text",
        ),
    ] {
        world.write("app-secret", contents);
        let ran = world.run(&["refresh", "--json", "--force", "other"]).code(77);
        assert_eq!(
            ran.result("other")["problem"]["message"],
            format!("no secret of app `second`: the file `[DIR]/app-secret` {why}")
        );
        let checked = world.run(&["config", "check"]).code(78).stdout;
        let line =
            format!("error: [app.second] secret: the file `[DIR]/app-secret` {why}; {fix}\n");
        assert!(checked.contains(&line), "{checked}");
    }
}

/// Whoever writes into a pipe may never come, and a run holds the lock meanwhile.
#[test]
fn what_is_no_file_is_not_waited_for() {
    let fifo = |world: &World, name: &str| {
        let (path, mode) = (world.path(name), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR);
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    };
    let apps = two_apps();
    fs::remove_file(apps.path("app-secret")).unwrap();
    fs::create_dir(apps.path("app-secret")).unwrap();
    let ran = apps.run(&["refresh", "--json"]).code(77);
    assert_eq!(
        ran.result("other")["problem"]["message"],
        "no secret of app `second`: the file `[DIR]/app-secret` is a folder, not a file"
    );
    let said = apps.run(&["config", "check"]).stdout;
    assert!(!said.contains("chmod"), "{said}");
    let world = world();
    fifo(&world, "pipe");
    world.reconfigure(&format!("[http]\nca_file = \"pipe\"\n{BRAND}"));
    let expected = "error: `ca_file` [DIR]/pipe: is not a regular file\nhint: name a file with certificates in PEM form\n";
    world.run(&["refresh"]).stdout("").stderr(expected).code(78);
    fs::remove_file(world.path("metatoken.toml")).unwrap();
    fifo(&world, "metatoken.toml");
    world
        .run(&["refresh"])
        .stderr("error: [DIR]/metatoken.toml: it is not a regular file\n")
        .code(78);
}

#[test]
fn careless_files_are_warned_of() {
    let world = two_apps();
    world.run(&["refresh", "--quiet"]).code(0);
    set(&world, ".", 0o755);
    for (mode, warning) in [
        (
            0o644,
            "the secret file `[DIR]/app-secret` can be read by every user of this machine; run `chmod o-r [DIR]/app-secret`",
        ),
        (
            0o620,
            "the secret file `[DIR]/app-secret` can be written by its group; run `chmod g-w [DIR]/app-secret`",
        ),
        (
            0o602,
            "the secret file `[DIR]/app-secret` can be written by every user of this machine; run `chmod go-w [DIR]/app-secret`",
        ),
    ] {
        set(&world, "app-secret", mode);
        // A secret that everybody can write is refused by a run.
        let code = if mode == 0o602 { 78 } else { 0 };
        let ran = world.run(&["config", "check"]).stderr("").code(code);
        let warned = ran.stdout.lines().filter(|line| line.starts_with("warning: "));
        assert_eq!(warned.collect::<Vec<_>>(), [format!("warning: {warning}")]);
        let json = world.run(&["config", "check", "--json"]).code(code).json();
        let message = json["warnings"][0]["message"].as_str().unwrap().to_owned();
        assert!(warning.starts_with(&message), "{json}");
        let ran = world.run(&["check", "--system"]).code(1);
        assert!(ran.stdout.contains(&warning.replacen("; run", "\n  run", 1)), "{}", ran.stdout);
        obey(&world, &ran);
        world.run(&["check", "--system"]).code(0);
    }
}

#[test]
fn folders_in_which_every_user_can_write_are_warned_of() {
    let world = two_apps();
    world.run(&["refresh", "--quiet"]).code(0);
    fs::create_dir(world.path("open")).unwrap();
    fs::rename(world.path("app-secret"), world.path("open/app-secret")).unwrap();
    std::os::unix::fs::symlink("open/app-secret", world.path("app-secret")).unwrap();
    for mode in [0o755, 0o775, 0o1777] {
        set(&world, "open", mode);
        world.run(&["check", "--system"]).code(0);
    }
    set(&world, "open", 0o777);
    let ran = world.run(&["check", "--system"]).code(1);
    let warning = "the folder of a secret `[DIR]/open` can be written by every user of this machine; run `chmod go-w [DIR]/open`";
    assert!(ran.stdout.contains(&warning.replacen("; run", "\n  run", 1)), "{}", ran.stdout);
    obey(&world, &ran);
    world.run(&["check", "--system"]).code(0);
}

/// A program in a file of this mode, which keeps what it is given.
fn with_a_hook(mode: u32) -> World {
    let world = world();
    let folder = world.path(".").display().to_string();
    world.reconfigure(&format!(
        "{BRAND}\n[[token.brand.deliver]]\ncommand = [\"{folder}/hook.sh\"]\n"
    ));
    // Another process writes it: a file that this one has open to write cannot be started.
    let script = "printf '%s\\n' '#!/bin/sh' 'cat > \"${0%/*}/got\"' > hook.sh";
    let mut shell = Command::new("sh");
    assert!(shell.args(["-c", script]).current_dir(world.path(".")).status().unwrap().success());
    set(&world, "hook.sh", mode);
    world
}

#[test]
fn a_program_that_others_can_write_is_not_run() {
    for mode in [0o777, 0o775, 0o757] {
        let world = with_a_hook(mode);
        let ran = world.run(&["refresh", "--json"]).code(73);
        assert!(!world.path("got").exists());
        let error = ran.result("brand")["deliveries"][0]["error"].clone();
        let error = error.as_str().unwrap().to_owned();
        assert!(
            error.contains(&format!(
                "hook.sh` is refused: group or others can write it (mode {mode:04o}); run `chmod go-w "
            )),
            "{error}"
        );
        let said = world.run(&["config", "check"]).code(0).stdout;
        assert!(said.lines().any(|line| line.starts_with("warning: ")), "{said}");
        let hint = world.run(&["check", "--system"]).code(1);
        obey(&world, &hint);
        set(&world, "hook.sh", 0o755);
        world.run(&["refresh", "--quiet"]).code(0);
        assert!(world.path("got").exists());
        world.run(&["check", "--system"]).code(0);
    }
}

#[test]
fn files_of_strangers_are_told() {
    if !crate::common::can_be_another_user() {
        return;
    }
    // A user whom no namespace stands for: `nobody` is what it shows of those that it hides.
    let stranger = NOBODY - 1;
    let world = with_a_hook(0o755);
    world.run(&["refresh", "--quiet"]).code(0);
    chown(world.path("hook.sh"), Some(stranger), None).unwrap();
    let ran = world.run(&["check", "--system"]).code(1);
    assert!(
        ran.stdout.contains("belongs to neither root nor the owner of the config"),
        "{}",
        ran.stdout
    );
    chown(world.path("."), Some(stranger), None).unwrap();
    let ran = world.run(&["refresh"]).stdout("").code(78);
    assert!(ran.stderr.contains("its folder `[DIR]` belongs to user 65533"), "{}", ran.stderr);
}

/// To open a pipe waits for whoever holds the other end.
#[test]
fn a_pipe_in_place_of_the_config_is_no_config() {
    let world = World::new();
    fs::remove_file(world.path("metatoken.toml")).unwrap();
    let pipe = world.path("metatoken.toml");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    world
        .run(&["refresh"])
        .code(78)
        .stdout("")
        .stderr("error: [DIR]/metatoken.toml: it is not a regular file\n");
}
