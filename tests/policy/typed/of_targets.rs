//! What keeps a token from its targets: `check` names the command, the command names what to do, and
//! once that is done the same command delivers it.

use std::fs;
use std::os::unix::fs::{chown, symlink};

use super::Done;
use crate::common::{BRAND, World, skip};
use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP};

/// A target that cannot be written, and what a person does about it.
struct Case {
    /// The target's table.
    target: &'static str,
    /// What lies at the target.
    lay: fn(&World),
    /// How the remedy begins.
    remedy: &'static str,
    /// What the remedy says is to be done; gets the remedy, and gives the target's table.
    act: fn(&World, &str) -> String,
    /// The file that must hold the access token in the end.
    file: &'static str,
}

/// A target with these settings.
macro_rules! table {
    ($($line:literal),*) => { concat!("[[token.brand.deliver]]\nname = \"app\"\n", $($line, "\n"),*) };
}

/// Puts an env file there whose key waits for its value.
fn env(world: &World, name: &str) {
    world.write(name, "TOKEN=\n");
}

/// The words between the last two backticks of a remedy, with the world's folder in them.
fn command(world: &World, remedy: &str) -> String {
    let words = remedy.rsplit('`').nth(1).unwrap_or_else(|| panic!("no command in {remedy}"));
    words.replace("[DIR]", world.path("").to_str().unwrap().trim_end_matches('/'))
}

const CASES: &[Case] = &[
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |_| {},
        remedy: "correct `file` in the config, or set `create = true`",
        act: |_, _| table!("file = \"a.env\"", "key = \"TOKEN\"", "create = true").to_owned(),
        file: "a.env",
    },
    Case {
        target: table!("file = \"wrong.env\"", "key = \"TOKEN\""),
        lay: |world| env(world, "a.env"),
        remedy: "correct `file` in the config, or set `create = true`",
        act: |_, _| table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned(),
        file: "a.env",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"OTHER\""),
        lay: |world| env(world, "a.env"),
        remedy: "correct `key` in the config, or set `create = true`",
        act: |_, _| table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned(),
        file: "a.env",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"OTHER\""),
        lay: |world| env(world, "a.env"),
        remedy: "correct `key` in the config, or set `create = true`",
        act: |_, _| table!("file = \"a.env\"", "key = \"OTHER\"", "create = true").to_owned(),
        file: "a.env",
    },
    Case {
        target: table!("file = \"a.json\"", "key = \"a.b\""),
        lay: |world| world.write("a.json", "{\"a.b\": \"\"}"),
        remedy: "write `key = '/a.b'` in the config",
        act: |world, remedy| format!("{}{}\n", table!("file = \"a.json\""), command(world, remedy)),
        file: "a.json",
    },
    Case {
        target: table!("file = \"a.toml\"", "key = \"a.b\""),
        lay: |world| world.write("a.toml", "\"a.b\" = ''\n"),
        remedy: "write `key = '\"a.b\"'` in the config",
        act: |world, remedy| format!("{}{}\n", table!("file = \"a.toml\""), command(world, remedy)),
        file: "a.toml",
    },
    Case {
        target: table!("file = \"a.yaml\"", "key = \"t\""),
        lay: |world| world.write("a.yaml", "t:\n---\nt:\n"),
        remedy: "name the document in the config: `document = 1` is the first",
        act: |world, remedy| {
            let document = remedy.split('`').nth(1).unwrap();
            let _ = world;
            format!("{}{document}\n", table!("file = \"a.yaml\"", "key = \"t\""))
        },
        file: "a.yaml",
    },
    Case {
        target: table!("file = \"a.yaml\"", "key = \"t\"", "document = 5"),
        lay: |world| world.write("a.yaml", "t:\n---\nt:\n"),
        remedy: "correct `document` in the config",
        act: |_, _| table!("file = \"a.yaml\"", "key = \"t\"", "document = 2").to_owned(),
        file: "a.yaml",
    },
    Case {
        target: table!("file = \"a.yaml\"", "key = \"t\""),
        lay: |world| world.write("a.yaml", "t: &t ''\nu: *t\n"),
        remedy: "set `anchor = true` in the config to change it for all its aliases",
        act: |_, _| table!("file = \"a.yaml\"", "key = \"t\"", "anchor = true").to_owned(),
        file: "a.yaml",
    },
    Case {
        target: table!("file = \"a.yaml\"", "key = \"u.t\""),
        lay: |world| world.write("a.yaml", "x: &x\n  t: ''\nu: *x\n"),
        remedy: "name the value on line 2 with `key`, and set `anchor = true`",
        act: |_, _| table!("file = \"a.yaml\"", "key = \"x.t\"", "anchor = true").to_owned(),
        file: "a.yaml",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| {
            world.write(
                "a.env",
                "\u{feff}TOKEN=\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
            );
        },
        remedy: "convert the file, for example with `iconv -f UTF-16 -t UTF-8`",
        act: |world, remedy| {
            let file = world.path("a.env").display().to_string();
            let line = command(world, remedy);
            let typed = format!("{line} {file} > {file}.new && mv {file}.new {file}");
            if !super::shell(&typed) {
                skip("convert the file", "there is no iconv");
                env(world, "a.env");
            }
            table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned()
        },
        file: "a.env",
    },
    Case {
        target: table!("file = \"b.env\"", "key = \"TOKEN\""),
        lay: |world| {
            world.write("b.env", b"\x00\x01\x02TOKEN=\xff\n");
            env(world, "a.env");
        },
        remedy: "correct `file` in the config",
        act: |_, _| table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned(),
        file: "a.env",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| world.write("a.env", "TOKEN=\nsops_mac=x\n"),
        remedy: "deliver with `command` to a program that encrypts the token, instead of `file`",
        act: |world, _| {
            let line = format!("cat > {}", world.path("sealed").display());
            format!(
                "[[token.brand.deliver]]\nname = \"app\"\ncommand = [\"/bin/sh\", \"-c\", \"{line}\"]\n"
            )
        },
        file: "sealed",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| world.write("a.env", "TOKEN=hunter2\n"),
        remedy: "correct `file` and `key` in the config, or set `overwrite = true` to replace it",
        act: |_, _| table!("file = \"a.env\"", "key = \"TOKEN\"", "overwrite = true").to_owned(),
        file: "a.env",
    },
    Case {
        target: table!("file = \"web.conf\"", "key = \"program:web.environment\""),
        lay: |world| {
            world.write("web.conf", "[program:web]\nenvironment=TOKEN=\"x\",OTHER=\"1\"\n");
            env(world, "a.env");
        },
        remedy: "name a value that is the access token alone by `file`, `format` and `key`, or deliver with `command` to a program that edits this one",
        act: |_, _| table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned(),
        file: "a.env",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| world.write("a.env", "set -u\n"),
        remedy: "add the key to the file by hand, with an empty value, or correct `key` and `format` in the config",
        act: |world, _| {
            world.write("a.env", "set -u\nTOKEN=\n");
            table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned()
        },
        file: "a.env",
    },
    Case {
        target: table!("file = \"settings\""),
        lay: |world| world.write("settings", "TOKEN=changeme\nOTHER=1\n"),
        remedy: "set `format` in the config: toml, ini, env, json or yaml with a `key`, or raw",
        act: |_, _| table!("file = \"settings\"", "format = \"env\"", "key = \"TOKEN\"").to_owned(),
        file: "settings",
    },
    Case {
        target: table!("file = \"a.toml\"", "key = \"t\""),
        lay: |world| world.write("a.toml", "t = \n[broken\n"),
        remedy: "correct the file, or `key` and `format` in the config",
        act: |world, _| {
            world.write("a.toml", "t = ''\n");
            table!("file = \"a.toml\"", "key = \"t\"").to_owned()
        },
        file: "a.toml",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| fs::create_dir(world.path("a.env")).unwrap(),
        remedy: "name the file that holds the value",
        act: |world, _| {
            env(world, "b.env");
            table!("file = \"b.env\"", "key = \"TOKEN\"").to_owned()
        },
        file: "b.env",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| {
            fs::File::create(world.path("a.env")).unwrap().set_len(17 << 20).unwrap();
            env(world, "b.env");
        },
        remedy: "name the file that holds the value",
        act: |_, _| table!("file = \"b.env\"", "key = \"TOKEN\"").to_owned(),
        file: "b.env",
    },
    Case {
        target: table!("file = \"a.env/b.env\"", "key = \"TOKEN\""),
        lay: |world| env(world, "a.env"),
        remedy: "name a file in a folder: a part of this path is a file itself",
        act: |_, _| table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned(),
        file: "a.env",
    },
    Case {
        target: concat!(
            "[[token.brand.deliver]]\nname = \"app\"\nkey = \"TOKEN\"\nformat = \"env\"\nfile = \"",
            "a.long.name.that.no.file.system.takes.a.long.name.that.no.file.system.takes.a.long.",
            "a.long.name.that.no.file.system.takes.a.long.name.that.no.file.system.takes.a.long.",
            "a.long.name.that.no.file.system.takes.a.long.name.that.no.file.system.takes.a.long.",
            "a.long.name.that.no.file.system.takes.a.long.name.that.no.file.system.takes\"\n"
        ),
        lay: |world| env(world, "a.env"),
        remedy: "name a file with a shorter path",
        act: |_, _| table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned(),
        file: "a.env",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| {
            symlink(world.path("b.env"), world.path("a.env")).unwrap();
            symlink(world.path("a.env"), world.path("b.env")).unwrap();
            env(world, "c.env");
        },
        remedy: "name the file itself",
        act: |_, _| table!("file = \"c.env\"", "key = \"TOKEN\"").to_owned(),
        file: "c.env",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| symlink(world.path("b.env"), world.path("a.env")).unwrap(),
        remedy: "remove the link, or make the file that it leads to",
        act: |world, _| {
            env(world, "b.env");
            table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned()
        },
        file: "b.env",
    },
    Case {
        target: table!("file = \"new/a.env\"", "key = \"TOKEN\"", "create = true"),
        lay: |_| {},
        remedy: "`mkdir -p [DIR]/new`, for the user who reads it",
        act: |world, remedy| {
            assert!(super::shell(&command(world, remedy)), "{remedy}");
            table!("file = \"new/a.env\"", "key = \"TOKEN\"", "create = true").to_owned()
        },
        file: "new/a.env",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| {
            env(world, "a.env");
            fs::create_dir(world.path(".a.env.metatoken-tmp")).unwrap();
        },
        remedy: "look at it, then `rm -r [DIR]/.a.env.metatoken-tmp`",
        act: |world, remedy| {
            assert!(super::shell(&command(world, remedy)), "{remedy}");
            table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned()
        },
        file: "a.env",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| {
            env(world, "a.env");
            symlink("/dev/null", world.path(".a.env.metatoken-tmp")).unwrap();
        },
        remedy: "look at it, then `rm [DIR]/.a.env.metatoken-tmp`",
        act: |world, remedy| {
            assert!(super::shell(&command(world, remedy)), "{remedy}");
            table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned()
        },
        file: "a.env",
    },
    Case {
        target: table!("command = [\"/nowhere/program\"]"),
        lay: |_| {},
        remedy: "correct `command` in the config",
        act: |world, _| {
            let line = format!("cat > {}", world.path("got").display());
            format!(
                "[[token.brand.deliver]]\nname = \"app\"\ncommand = [\"/bin/sh\", \"-c\", \"{line}\"]\n"
            )
        },
        file: "got",
    },
    Case {
        target: table!("command = [\"/bin/sleep\", \"20\"]", "timeout = \"1s\""),
        lay: |_| {},
        remedy: "give it a longer `timeout`, or make it faster",
        act: |world, _| {
            let line = format!("cat > {}", world.path("got").display());
            format!(
                "[[token.brand.deliver]]\nname = \"app\"\ncommand = [\"/bin/sh\", \"-c\", \"{line}\"]\n"
            )
        },
        file: "got",
    },
];

/// Cases that only root can arrange: what belongs to another user.
const OF_ROOT: &[Case] = &[
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| {
            env(world, "b.env");
            symlink(world.path("b.env"), world.path("a.env")).unwrap();
            std::os::unix::fs::lchown(world.path("a.env"), Some(65534), None).unwrap();
        },
        remedy: "name the file itself; or, if the link is right, make it yours: `chown -h root ",
        act: |world, remedy| {
            assert!(super::shell(&command(world, remedy)), "{remedy}");
            table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned()
        },
        file: "b.env",
    },
    Case {
        target: table!("file = \"a.env\"", "key = \"TOKEN\""),
        lay: |world| {
            env(world, "a.env");
            chown(world.path("a.env"), Some(65534), None).unwrap();
            fs::hard_link(world.path("a.env"), world.path("b.env")).unwrap();
        },
        remedy: "run metatoken as user 65534, or give the file a single name: `cp -p ",
        act: |world, remedy| {
            assert!(super::shell(&command(world, remedy)), "{remedy}");
            table!("file = \"a.env\"", "key = \"TOKEN\"").to_owned()
        },
        file: "a.env",
    },
];

/// Types what stands in the way of a target out of it.
fn delivered(case: &Case) -> Vec<Done> {
    let Case { target, lay, remedy, act, file } = case;
    let world = World::new()
        .config(&format!("{BRAND}\n{target}"))
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    lay(&world);
    let _ = world.run(&["refresh"]).code(73);
    let stands = super::reasons(&world, "brand").remove(0);
    assert_eq!(stands.code, "delivery_failed", "{remedy}");
    let words = stands.words();
    let ran = world.run(&words).code(73);
    let said = ran.stdout.lines().find_map(|line| line.split_once(remedy));
    let (_, rest) = said.unwrap_or_else(|| panic!("no `{remedy}` in {}", ran.stdout));
    let said = format!("{remedy}{rest}");
    let target = act(&world, &said);
    world.reconfigure(&format!("{BRAND}\n{target}"));
    let ran = world.run(&words);
    assert_eq!(ran.code, Some(0), "{said}: {}{}", ran.stdout, ran.stderr);
    let held = fs::read_to_string(world.path(file)).unwrap();
    assert!(held.contains(&world.in_use("brand")), "{said}: {held}");
    assert_eq!(super::codes(&world, "brand"), [""; 0], "{said}");
    vec![Done(said), Done(stands.remedy)]
}

/// All of them.
pub(super) fn done() -> Vec<Done> {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        skip("remedies about other users' files", "only root can make them");
    }
    let of_root = OF_ROOT.iter().filter(|_| is_root);
    CASES.iter().chain(of_root).flat_map(delivered).collect()
}
