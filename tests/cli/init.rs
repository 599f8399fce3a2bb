//! `init`: from an app's id and secret to a config, and on a terminal to the first delivered token.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::{Command, Stdio};

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Rule, TokenFixture};
use metatoken::token::Provider;

use crate::common::{self, ANNA, APP, APP_SECRET, BAKERY, Ran, World, mode};

/// A world without a config, with the app's secret in a file.
fn bare() -> World {
    let world = World::new();
    std::fs::remove_file(world.path("metatoken.toml")).unwrap();
    world.write("secret", format!("{APP_SECRET}\n"));
    world.write("config.ini", "[facebook]\naccess_token = changeme\n");
    world
}

/// `init`, with what leads it to the simulated Graph.
fn command(world: &World, arguments: &[&str]) -> Command {
    let mut words = vec!["init".to_owned()];
    for provider in Provider::ALL {
        words.extend([
            "--endpoint".into(),
            format!("{provider}={}", world.graph.endpoint(*provider)),
        ]);
    }
    words.extend(arguments.iter().map(|it| (*it).to_owned()));
    world.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn init(world: &World, arguments: &[&str]) -> Ran {
    world.finish(command(world, arguments).spawn().unwrap())
}

const APP_ALONE: [&str; 4] = ["--app-id", APP, "--app-secret-file", "secret"];
const PAGE: [&str; 12] = [
    "--app-id",
    APP,
    "--app-secret-file",
    "secret",
    "--type",
    "page",
    "--label",
    "shop",
    "--page-id",
    BAKERY,
    "--deliver",
    "config.ini#facebook.access_token",
];

fn user() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("anna").scopes(["public_profile", "pages_show_list"])
}

#[test]
fn flags_write_store_and_app_alone() {
    let world = bare();
    init(&world, &APP_ALONE)
        .stdout(
            "
ok: [app.main]: Meta accepts its id and secret
ok: [app.main]: Graph v26.0 works
wrote `[DIR]/app-secret` (mode 0600)
wrote `[DIR]/metatoken.toml` (mode 0644)
next: metatoken --config [DIR]/metatoken.toml add LABEL --type user
"
            .replace("0644", if rustix::process::geteuid().is_root() { "0644" } else { "0600" })
            .as_str(),
        )
        .stderr("hint: the app's secret is in `[DIR]/app-secret` now; delete the other copy: `rm secret`\n")
        .exit(Exit::Ok);
    assert_eq!(mode(&world.path("app-secret")), 0o600);
    assert_eq!(
        std::fs::read_to_string(world.path("app-secret")).unwrap(),
        format!("{APP_SECRET}\n")
    );
    let text = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
    assert!(!text.contains(APP_SECRET) && !text.contains("[token"), "{text}");
    // Both take a config without tokens.
    let checked = world.run(&["config", "check"]).stderr("").code(0);
    assert!(checked.stdout.ends_with(": 1 warning: 1 app, 0 tokens\n"), "{}", checked.stdout);
    let shown = world.run(&["config", "show", "--json"]).stderr("").code(0).json();
    assert_eq!(shown["app"]["main"]["id"]["value"], APP);
    // Nothing else was written.
    let entries = std::fs::read_dir(world.path(".")).unwrap();
    let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["app-secret", "config.ini", "metatoken.toml", "secret"]);
    // The next command does what it says.
    let string = world.mint(user());
    world.run_with_input(&["add", "anna", "--type", "user"], &string).exit(Exit::Ok);
    assert!(world.in_use("anna").starts_with("EAAFAKEAnna"), "{}", world.in_use("anna"));
}

#[test]
fn one_command_and_a_paste_deliver_a_pages_token() {
    let world = bare();
    world.write("config.ini", "[facebook]\naccess_token = changeme\nother = 1\n");
    let ran = init(&world, &PAGE).exit(Exit::Ok);
    let next: Vec<&str> = ran.stdout.lines().filter_map(|it| it.strip_prefix("next: ")).collect();
    assert_eq!(
        next,
        [
            "metatoken --config [DIR]/metatoken.toml exchange shop-user",
            "metatoken --config [DIR]/metatoken.toml refresh shop",
        ]
    );
    let string = world.mint(user());
    world.run_with_input(&["exchange", "shop-user"], &string).exit(Exit::Ok);
    world.run(&["refresh", "shop"]).exit(Exit::Ok);
    let token = world.run(&["token", "shop"]).code(0).stdout;
    let delivered = std::fs::read_to_string(world.path("config.ini")).unwrap();
    assert_eq!(delivered, format!("[facebook]\naccess_token = {}\nother = 1\n", token.trim()));
    world.run(&["config", "check"]).stderr("").code(0);
}

/// A file or a key that is missing is told before anything is written, and added where that is wanted.
#[test]
fn a_target_that_is_not_there_is_added_when_asked_for() {
    for (target, why) in [
        ("config.ini#facebook.page_token", "config.ini: it has no key `facebook.page_token`"),
        ("app.env#FB_TOKEN", "app.env: the file is missing"),
    ] {
        let world = bare();
        let with = |more: &[&'static str]| {
            let mut all = PAGE.to_vec();
            all[11] = target;
            all.extend(more);
            init(&world, &all)
        };
        with(&[])
            .stdout("")
            .stderr(&format!(
                "
error: shop: `[DIR]/{target}` cannot be written: [DIR]/{why}
hint: correct `--deliver`, or add `--create`
hint: nothing was changed; Meta was not asked
"
            ))
            .exit(Exit::InputRefused);
        assert!(!world.path("metatoken.toml").exists() && !world.path("app-secret").exists());
        with(&["--create"]).exit(Exit::Ok);
        let string = world.mint(user());
        world.run_with_input(&["exchange", "shop-user"], &string).exit(Exit::Ok);
        world.run(&["refresh", "shop"]).exit(Exit::Ok);
        let (file, key) = target.split_once('#').unwrap();
        let delivered = std::fs::read_to_string(world.path(file)).unwrap();
        let token = world.run(&["token", "shop"]).code(0).stdout;
        assert!(delivered.contains(key.rsplit('.').next().unwrap()), "{delivered}");
        assert!(delivered.contains(token.trim()), "{delivered}");
        world.run(&["config", "check"]).stderr("").code(0);
    }
}

/// The newcomer with a Facebook app and an Instagram app had to open an editor for the second.
#[test]
fn an_app_of_another_kind_is_added_to_the_config() {
    let world = bare();
    init(&world, &APP_ALONE).exit(Exit::Ok);
    world.run_with_input(&["add", "anna", "--type", "user"], world.mint(user())).exit(Exit::Ok);
    let before = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
    // The way there is in the hint, and ends in what adds the token.
    let dora = TokenFixture::instagram(common::INSTA_APP, common::CREATOR);
    let dora = world.mint(dora.ending(metatoken::token::Expiry::At(common::day(60))));
    let add = ["add", "creator", "--type", "instagram"];
    let refused = world.run_with_input(&add, &dora).exit(Exit::Config).stderr;
    let hint = "hint: add it to `[DIR]/metatoken.toml`: `metatoken init --app-kind instagram`\n";
    assert!(refused.ends_with(hint), "{refused}");
    world.write("insta", format!("{}\n", common::INSTA_SECRET));
    let given = ["init", "--app-kind", "instagram", "--app-id", common::INSTA_APP];
    let given = [&given[..], &["--app-secret-file", "insta"]].concat();
    world
        .run(&given)
        .stdout(
            "
ok: [app.instagram]: id and secret were not checked: only an exchange shows whether they fit
ok: [app.instagram]: Graph v26.0 works
wrote `[DIR]/instagram-secret` (mode 0600)
added it to `[DIR]/metatoken.toml`
next: metatoken --config [DIR]/metatoken.toml add LABEL --type instagram
",
        )
        .stderr("hint: the app's secret is in `[DIR]/instagram-secret` now; delete the other copy: `rm insta`\n")
        .exit(Exit::Ok);
    let after = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
    let added = format!(
        "\n[app.instagram]\nkind = \"instagram\"\nid = \"{}\"\n# The app's secret: never in this file, which \
         others may read.\nsecret = {{ file = \"instagram-secret\" }}\n",
        common::INSTA_APP
    );
    assert_eq!(after, format!("{before}{added}"));
    world.run_with_input(&add, &dora).exit(Exit::Ok);
    world.run(&["config", "check"]).stderr("").code(0);
    // The same again finds it done; another app of that kind is not ours to choose for.
    let again = world.run(&given).exit(Exit::Ok);
    assert!(again.stdout.contains("is there already, and says the same\n"), "{}", again.stdout);
    let other = ["init", "--app-kind", "instagram", "--app-id", "1000000000000099"];
    let refused = world.run(&other).stdout("").exit(Exit::Usage);
    assert!(
        refused.stderr.contains("is there already, and `init` overwrites"),
        "{}",
        refused.stderr
    );
    // A kill between the two files.
    world.write("metatoken.toml", &before);
    world.run(&given).exit(Exit::Ok);
    assert_eq!(std::fs::read_to_string(world.path("metatoken.toml")).unwrap(), after);
    // Without a secret, which Threads renews without.
    let threads = ["init", "--app-kind", "threads", "--app-id", common::THREADS_APP];
    world.run(&threads).stderr("").exit(Exit::Ok);
    let endpoint = [&threads[..], &["--endpoint", "threads=http://127.0.0.1:1"]].concat();
    world.write("metatoken.toml", &after);
    world
        .run(&endpoint)
        .stdout("")
        .stderr("error: `--endpoint` is for a first config\nhint: write it into `[endpoints]` of `[DIR]/metatoken.toml`\n")
        .exit(Exit::Usage);
    assert_eq!(std::fs::read_to_string(world.path("metatoken.toml")).unwrap(), after);
}

#[test]
fn each_type_gives_a_config_that_is_approved() {
    for (kind, id, secret) in [
        ("facebook", APP, APP_SECRET),
        ("instagram", common::INSTA_APP, common::INSTA_SECRET),
        ("threads", common::THREADS_APP, common::THREADS_SECRET),
    ] {
        let types: &[(&str, &str)] = match kind {
            "facebook" => {
                &[("user", "exchange x"), ("system-user", "exchange x"), ("app", "refresh")]
            }
            "instagram" => &[("instagram", "exchange x")],
            _ => &[("threads", "exchange x")],
        };
        for (token_type, next) in types {
            let world = bare();
            world.write("secret", secret);
            let arguments = [
                "--app-id",
                id,
                "--app-secret-file",
                "secret",
                "--type",
                token_type,
                "--label",
                "x",
            ];
            let json = init(&world, &[&arguments[..], &["--json"]].concat()).exit(Exit::Ok).json();
            assert_eq!(json["next"][0], format!("metatoken --config [DIR]/metatoken.toml {next}"));
            assert_eq!(
                json["files"],
                serde_json::json!(["[DIR]/app-secret", "[DIR]/metatoken.toml"])
            );
            world.run(&["config", "check"]).stderr("").code(0);
        }
    }
    // Instagram and Threads renew without a secret.
    let world = bare();
    init(&world, &["--app-kind", "instagram", "--app-id", common::INSTA_APP]).exit(Exit::Ok);
    assert!(!world.path("app-secret").exists());
}

#[test]
fn without_a_terminal_a_missing_answer_is_named() {
    for (left_out, flag) in
        [(0, "--app-id"), (2, "--app-secret-file"), (4, "--type"), (6, "--label"), (8, "--page-id")]
    {
        let world = bare();
        let mut arguments = PAGE.to_vec();
        arguments.drain(left_out..left_out + 2);
        init(&world, &arguments)
            .stdout("")
            .stderr(&format!(
                "error: `{flag}` is missing, and there is no terminal to ask on\n\
                 hint: add `{flag}`; `metatoken help init` has examples\n"
            ))
            .exit(Exit::Usage);
        assert!(!world.path("metatoken.toml").exists() && !world.path("app-secret").exists());
    }
}

#[test]
fn a_wrong_answer_writes_nothing() {
    for (arguments, code, said) in [
        (vec!["--app-id", "1x"], 64, "error: invalid app id `1x`\nhint: it has digits only\n"),
        (vec!["--app-kind", "face"], 64, "error: unknown kind of app `face`\n"),
        (vec!["--type", "usr"], 64, "error: unknown type `usr`\n"),
        (
            vec!["--app-kind", "facebook", "--type", "threads"],
            64,
            "error: a token of type `threads` belongs to a threads app, not to a facebook app\n",
        ),
        (
            vec!["--label", "a b"],
            64,
            "error: `a b` is not a valid label: use letters, digits, `-` and `_`\n",
        ),
        (vec!["--label", "a/1"], 64, "error: invalid label `a/1`\n"),
        (vec!["--type", "user"], 64, "error: `--page-id` is for `--type page`\n"),
        (vec!["--page-id", "bakery"], 64, "error: invalid Page id `bakery`\n"),
        (vec!["--deliver", "#x"], 64, "error: invalid target `#x`: a file and a key are needed\n"),
        (
            vec!["--deliver", "$HOME/.env#x"],
            64,
            "error: invalid target `$HOME/.env#x`: it has a variable with `$` in it, which only a shell understands: write the whole path\n",
        ),
        (vec!["--deliver", "no.such#x"], 78, "error: [DIR]/metatoken.toml: 1 mistake\n"),
        (vec!["--deliver", "app-secret"], 78, "error: [DIR]/metatoken.toml: 1 mistake\n"),
        (vec!["--app-secret-file", "none"], 65, "error: none: cannot be read\n"),
        (vec!["--app-secret-file", "empty"], 65, "error: empty: holds nothing\n"),
        (
            vec!["--app-secret-file", "two"],
            65,
            "error: two: holds more than the app's secret: it has a blank or a line break inside\n",
        ),
        (
            vec!["--app-secret-file", "token"],
            65,
            "error: token: holds an access token, not the app's secret\n",
        ),
        (
            vec!["--app-secret-file", "quoted"],
            65,
            "error: quoted: holds the app's secret in quotes\n",
        ),
        (
            vec!["--app-secret-file", "named"],
            65,
            "error: named: holds `NAME=` in front of the app's secret\n",
        ),
        (
            vec!["--app-secret-file", "pair"],
            65,
            "error: pair: holds an app's token (`ID|…`), not the app's secret\n",
        ),
        (vec!["--app-secret-file", "other"], 65, "error: the app: Meta refuses its id or secret: "),
    ] {
        let world = bare();
        world.write("empty", " \n");
        world.write("two", "one two\n");
        world.write("token", "EAABfakefake12\n");
        world.write("other", "anothersecret\n");
        world.write("quoted", format!("“{APP_SECRET}”\n"));
        world.write("named", format!("APP_SECRET={APP_SECRET}\n"));
        world.write("pair", format!("1000000000000001|{APP_SECRET}\n"));
        let mut all = PAGE.to_vec();
        for pair in arguments.chunks(2) {
            match all.iter().position(|it| *it == pair[0]) {
                Some(at) => all[at + 1] = pair[1],
                None => all.extend(pair),
            }
        }
        let ran = init(&world, &all).stdout("").code(code);
        assert!(ran.stderr.starts_with(said), "{arguments:?}\n{}", ran.stderr);
        assert!(!ran.stderr.contains("fakefake"), "{}", ran.stderr);
        assert!(!world.path("metatoken.toml").exists() && !world.path("app-secret").exists());
    }
}

#[test]
fn nothing_is_overwritten_and_the_same_again_goes_on() {
    let world = bare();
    init(&world, &PAGE).exit(Exit::Ok);
    // A kill before the config.
    let config = std::fs::read(world.path("metatoken.toml")).unwrap();
    std::fs::remove_file(world.path("metatoken.toml")).unwrap();
    let again = init(&world, &PAGE).exit(Exit::Ok);
    assert!(again.stdout.contains("\nwrote `[DIR]/metatoken.toml`"), "{}", again.stdout);
    assert_eq!(std::fs::read(world.path("metatoken.toml")).unwrap(), config);
    // A kill after it.
    let again = init(&world, &PAGE).exit(Exit::Ok);
    assert!(
        again.stdout.contains("\n`[DIR]/metatoken.toml` is there already, and says the same\n"),
        "{}",
        again.stdout
    );
    // Another config, with another answer or with none.
    for arguments in [&APP_ALONE[..], &[]] {
        init(&world, arguments)
            .stdout("")
            .stderr(
                "
error: [DIR]/metatoken.toml: is there already, and `init` overwrites nothing
hint: what it lacks: `metatoken --config [DIR]/metatoken.toml config check`
hint: another token: `metatoken add LABEL --type TYPE`; another config: `--dir DIR`
",
            )
            .exit(Exit::Usage);
    }
    assert_eq!(std::fs::read(world.path("metatoken.toml")).unwrap(), config);
    // Another secret is not ours to replace, and the one that lies there can be used.
    std::fs::remove_file(world.path("metatoken.toml")).unwrap();
    world.write("app-secret", "anothersecret\n");
    init(&world, &PAGE)
        .stdout("")
        .stderr(
            "
error: [DIR]/app-secret: is there already, and `init` overwrites nothing
hint: to use the secret in it: `--app-secret-file [DIR]/app-secret`
hint: or move it away: `mv [DIR]/app-secret [DIR]/app-secret.old`
",
        )
        .exit(Exit::Usage);
    world.write("app-secret", APP_SECRET);
    let used = ["--app-id", APP, "--app-secret-file", "app-secret"];
    init(&world, &used).stderr("").exit(Exit::Ok);
    // A link is not followed, not even one to nothing.
    std::fs::remove_file(world.path("metatoken.toml")).unwrap();
    std::os::unix::fs::symlink("/nowhere", world.path("metatoken.toml")).unwrap();
    init(&world, &used).exit(Exit::Usage);
}

#[test]
fn with_graph_out_of_reach_the_files_are_written() {
    let world = bare();
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    let ran = init(&world, &APP_ALONE).exit(Exit::Unavailable);
    assert!(ran.stdout.starts_with("error: [app.main]: Meta was not reached: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("; run it again when Graph can be reached\n"), "{}", ran.stdout);
    assert!(world.path("metatoken.toml").exists() && world.path("app-secret").exists());
    world.graph.behave();
    init(&world, &APP_ALONE).exit(Exit::Ok);
}

#[test]
fn a_folder_is_made_and_one_that_is_unsafe_or_barred_is_refused() {
    let world = bare();
    let at = |dir: &str| {
        let mut words = command(&world, &APP_ALONE);
        let arguments: Vec<_> = words.get_args().map(ToOwned::to_owned).collect();
        let mut own = Command::new(words.get_program());
        own.env_clear().current_dir(world.path("."));
        // Without `--config FILE`, which names a place itself.
        own.args(&arguments[2..]).args(["--dir", dir]);
        own.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        words = own;
        world.finish(words.spawn().unwrap())
    };
    let ran = at("new/folder").exit(Exit::Ok);
    assert!(ran.stdout.contains("wrote `[DIR]/new/folder/metatoken.toml`"), "{}", ran.stdout);
    world.write("open/x", "");
    std::fs::set_permissions(world.path("open"), std::fs::Permissions::from_mode(0o777)).unwrap();
    let ran = at("open").stdout("").exit(Exit::Config);
    assert!(ran.stderr.contains("`chmod go-w [DIR]/open`"), "{}", ran.stderr);
    assert_eq!(std::fs::read_dir(world.path("open")).unwrap().count(), 1);
    world.write("file", "");
    let ran = at("file/folder").stdout("").exit(Exit::Storage);
    assert!(
        ran.stderr.contains("[DIR]/file/folder: the folder cannot be made\n"),
        "{}",
        ran.stderr
    );
    let both = world.run(&["init", "--dir", "x"]).stdout("").exit(Exit::Usage);
    assert!(both.stderr.contains("`--config` and `--dir` do not go together"), "{}", both.stderr);
    let mut sandbox = Command::new(env!("CARGO_BIN_EXE_metatoken"));
    let ran =
        sandbox.env_clear().args(["--sandbox=x", "init"]).current_dir(world.path(".")).output();
    assert_eq!(
        String::from_utf8(ran.unwrap().stderr).unwrap(),
        "error: `init` and `--sandbox` do not go together\nhint: the sandbox has a config already, which is yours to edit: `metatoken --sandbox config show`\n"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_meta_is_asked() {
    if !common::can_be_another_user() {
        return;
    }
    let world = bare();
    for (name, mode) in [(".", 0o755), ("secret", 0o644)] {
        std::fs::set_permissions(world.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let words = command(&world, &["--app-id", APP, "--app-secret-file"]);
    let secret = world.path("secret").display().to_string();
    // Behind the config and the time, which every command of a world has.
    let words: Vec<&str> = words.get_args().skip(4).map(|word| word.to_str().unwrap()).collect();
    common::Nobody::new()
        .run(&world, &[&words[..], &[&secret]].concat())
        .stdout("")
        .stderr(
            "
error: [DIR]/app-secret: cannot be written
  caused by: Permission denied (os error 13)
hint: name another folder with `--dir DIR`; who may write in this one: `ls -ld [DIR]`
",
        )
        .exit(Exit::Storage);
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn root_is_told_whom_the_secret_is_for() {
    if !common::can_be_another_user() {
        return;
    }
    let world = bare();
    world.write("state/x", "");
    chown(world.path("state"), Some(65534), None).unwrap();
    let folder = crate::common::folder();
    let script = "set -e; mount -t tmpfs none /etc; mkdir -p /etc/metatoken /var/lib/metatoken\n\
                  mount --bind \"$STATE\" /var/lib/metatoken\n\"$@\"; ls -l /etc/metatoken | cut -c 1-10";
    if let Some(why) = common::cannot_mount() {
        return common::skip("init::root_is_told_whom_the_secret_is_for", &why);
    }
    let words = command(&world, &APP_ALONE);
    let arguments: Vec<_> = words.get_args().skip(2).map(ToOwned::to_owned).collect();
    let mut own = Command::new("unshare");
    own.args(["--mount", "sh", "-c", script, "sh"])
        .arg(env!("CARGO_BIN_EXE_metatoken"))
        .args(arguments);
    own.env("STATE", world.path("state")).env("HOME", folder.path()).current_dir(world.path("."));
    own.env_remove("METATOKEN_CONFIG").env_remove("XDG_CONFIG_HOME");
    own.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    world
        .finish(own.spawn().unwrap())
        .stdout(
            "
ok: [app.main]: Meta accepts its id and secret
ok: [app.main]: Graph v26.0 works
wrote `/etc/metatoken/app-secret` (mode 0600)
wrote `/etc/metatoken/metatoken.toml` (mode 0644)
next: metatoken add LABEL --type user
total 8
-rw-------
-rw-r--r--
",
        )
        .stderr(
            "
hint: the app's secret is in `/etc/metatoken/app-secret` now; delete the other copy: `rm secret`
hint: user 65534 owns the store's folder: let it read the secret, and run metatoken as that user: `chown 65534 /etc/metatoken/app-secret`
",
        )
        .code(0);
}

#[test]
fn a_full_disk_is_named_and_the_same_again_goes_on() {
    if let Some(why) = common::cannot_mount() {
        return common::skip("init::a_full_disk_is_named_and_the_same_again_goes_on", &why);
    }
    let world = bare();
    std::fs::create_dir(world.path("disk")).unwrap();
    let script = "mount -t tmpfs -o size=4k,mode=700 none disk; \"$@\"; echo $?; ls -A disk; \
                  mount -o remount,size=64k disk; \"$@\" >&2; echo $?; ls -A disk";
    let words = command(&world, &APP_ALONE);
    let arguments: Vec<_> = words.get_args().skip(2).map(ToOwned::to_owned).collect();
    let mut own = Command::new("unshare");
    own.args(["--mount", "sh", "-c", script, "sh"]).arg(env!("CARGO_BIN_EXE_metatoken"));
    own.args(arguments).args(["--dir", "disk"]).current_dir(world.path("."));
    own.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = world.finish(own.spawn().unwrap());
    assert_eq!(ran.stdout, "74\napp-secret\n0\napp-secret\nmetatoken.toml\n", "{}", ran.stderr);
    let full = "error: [DIR]/disk/metatoken.toml: cannot be written\n  caused by: ";
    assert!(ran.stderr.starts_with(full), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(
            "hint: make room there and type the command again: it goes on where it stopped\n"
        ),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_terminal_is_asked_for_all_up_to_the_delivered_token() {
    if let Some(why) = common::lacking(&["script", "stty"]) {
        return common::skip("init::a_terminal_is_asked_for_all_up_to_the_delivered_token", &why);
    }
    let world = bare();
    let string = world.mint(user());
    let (shown, code) = common::converse(
        &command(&world, &[]),
        &[
            ("Kind of app: facebook, instagram or threads [facebook]: ", ""),
            ("App ID (digits): ", "abc"),
            ("App ID (digits): ", APP),
            ("App secret (App settings, Basic); it is not shown: ", APP_SECRET),
            ("Type of the first token: user, page, system-user, app [none yet]: ", "page"),
            ("Label, a name of your own for it [page]: ", "shop"),
            ("ID of the Page (on the Page: About, Page transparency): ", BAKERY),
            (
                "File and value that it is written into, FILE#KEY [none]: ",
                "config.ini#facebook.tokn",
            ),
            ("/config.ini#facebook.tokn` is not there; add it? yes or no [no]: ", ""),
            (
                "File and value that it is written into, FILE#KEY [none]: ",
                "config.ini#facebook.page_token",
            ),
            ("/config.ini#facebook.page_token` is not there; add it? yes or no [no]: ", "yes"),
            ("the new access token for `shop-user`: ", &string),
        ],
    );
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains(APP_SECRET) && !shown.contains(&string), "{shown}");
    assert!(shown.contains("error: invalid app id `abc`\n"), "{shown}");
    assert!(shown.contains("1 token: 1 derived"), "{shown}");
    let token = world.run(&["token", "shop"]).code(0).stdout;
    let delivered = std::fs::read_to_string(world.path("config.ini")).unwrap();
    let expected = "[facebook]\naccess_token = changeme\npage_token = ";
    assert_eq!(delivered, format!("{expected}{}\n", token.trim()));
    // What exists is refused before a question is asked.
    let (shown, code) = common::converse(&command(&world, &[]), &[]);
    assert_eq!(code, Some(64), "{shown}");
    assert!(shown.contains("is there already"), "{shown}");
}

#[test]
fn ctrl_c_at_a_secret_leaves_a_terminal_that_shows_what_is_typed() {
    if let Some(why) = common::lacking(&["script", "stty"]) {
        return common::skip("init::ctrl_c_at_a_secret_leaves_a_terminal", &why);
    }
    let world = bare();
    // Also where whoever runs the tests has SIGINT ignored, as a job in the background has.
    let line = "trap : INT; env --default-signal=INT \"$@\"; echo code $?; stty -a | tr ' ;' '\\n\\n' | grep -x -e '-*echo' -e '-*icanon' -e '-*isig'";
    let (shown, _) = common::converse_in(
        line,
        &command(&world, &["--app-id", APP, "--app-kind", "facebook"]),
        &[("it is not shown: ", "half a sec\u{3}")],
    );
    assert!(!shown.contains("half a sec"), "{shown}");
    let (_, after) = shown.split_once("it is not shown: \n").unwrap_or_else(|| panic!("{shown}"));
    // The line end that was typed behind it may still be shown.
    assert!(after.trim_start_matches('\n').starts_with("code 130\n"), "{shown}");
    for mode in ["\necho\n", "\nicanon\n", "\nisig\n"] {
        assert!(after.contains(mode), "{shown}");
    }
    assert!(!world.path("metatoken.toml").exists() && !world.path("app-secret").exists());
}
