//! `config check`: a line for everything that the config names, and what to do.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, Ran, World};

const BRAND: &str = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n";

fn world(tables: &str) -> World {
    World::new().config(tables).token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
}

#[track_caller]
fn checked(world: &World, code: u8) -> Ran {
    let (before, _) = (world.bytes_on_disk(), world.calls());
    let ran = world.run(&["config", "check"]).stderr("").code(code);
    assert!(world.bytes_on_disk() == before, "it writes nothing");
    assert_eq!(world.calls(), [""; 0], "it asks nobody");
    ran
}

#[test]
fn everything_that_the_config_names_has_a_line() {
    let tables = format!(
        "{BRAND}pages = \"all\"\n\n[[token.brand.deliver]]\nfile = \"app.ini\"\nkey = \"f.t\"\n\n\
         [[token.brand.deliver]]\ncommand = [\"true\"]\n\n\
         [[notify]]\ncommand = [\"true\"]\n"
    );
    let world = world(&tables).with("PATH", "/usr/bin:/bin");
    world.write("app.ini", "[f]\nt = \n");
    let good = "
ok: [store]: `[DIR]/metatoken.db` is made by the first run
ok: [endpoints]: facebook is `http://127.0.0.1:[PORT]`, instagram is `http://127.0.0.1:[PORT]/instagram`, threads is `http://127.0.0.1:[PORT]/threads`
ok: [app.main] id: the literal in the config is there
ok: [app.main] secret: the environment variable `APP_SECRET` is there
ok: [token.brand] access_token: the environment variable `BRAND` is there
ok: [token.brand]: user token of app `main`, with all Pages, 2 targets
ok: [[notify]] true: its program can be run
ok: [[token.brand.deliver]]: `app` can be written
ok: [[token.brand.deliver]]: `true` can be run
[DIR]/metatoken.toml: OK: 1 app, 1 token
";
    let ran = checked(&world, 0);
    let said = ran.stdout.replace("[DIR]/app.ini#f.t", "app");
    assert_eq!(said, good.trim_start());
    let doctor = world.run(&["doctor"]).code(0);
    assert_eq!(doctor.stdout, ran.stdout);
    world.run(&["config", "check", "--quiet"]).silent().code(0);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    let ran = checked(&world, 0);
    for line in
        ["ok: [store]: `[DIR]/metatoken.db` can be read\n", "ok: [store] key: opens the store\n"]
    {
        assert!(ran.stdout.contains(line), "{}", ran.stdout);
    }
}

#[test]
fn what_a_run_would_end_with_is_an_error_with_its_fix() {
    for (tables, code, said) in [
        (
            "[app.two]\nid = \"1000000000000002\"\nsecret = { file = \"app-secret\" }\n",
            78,
            "error: [app.two] secret: the file `[DIR]/app-secret` is missing; create the file `[DIR]/app-secret` (mode 0600) with the app's secret in it\n",
        ),
        (
            "[app.two]\nid = \"1000000000000002\"\nsecret = { file = \"app.env\", key = \"SECRET\" }\n",
            78,
            "error: [app.two] secret: `SECRET` in `[DIR]/app.env` is missing; put the app's secret as `SECRET` into `[DIR]/app.env`\n",
        ),
        (
            "[app.two]\nid = \"1000000000000002\"\nsecret = { command = [\"no-such-program\"] }\n",
            78,
            "error: [app.two] secret: ",
        ),
        (
            "[app.two]\nid = \"1000000000000002\"\n\n[token.x]\ntype = \"user\"\napp = \"two\"\naccess_token = { env = \"BRAND\" }\n",
            78,
            "error: [app.two] secret: there is no `secret`: tokens of it cannot be checked or renewed; copy it from the app's dashboard (App settings, Basic) into a file of mode 0600, and add `secret = { file = \"two-secret\" }` to `[app.two]`\n",
        ),
        (
            "[token.x]\ntype = \"user\"\naccess_token = { env = \"NEVER_SET\" }\n",
            78,
            "error: [token.x] access_token: the environment variable `NEVER_SET` is not set; set `NEVER_SET` to the access token, or use `{ file = \"PATH\" }`\n",
        ),
        (
            "[token.x]\ntype = \"user\"\naccess_token = { file = \"app.env\" }\n",
            78,
            "error: [token.x] access_token: no access token in the file `[DIR]/app.env`: it begins with `NAME=`; remove `NAME=`, or name the key of the file with `key`",
        ),
        (
            "[store]\nkey = { file = \"no-key\" }\n",
            74,
            "error: [store] key: the store key: cannot be read: the file `[DIR]/no-key` is missing",
        ),
    ] {
        let world = world(tables);
        world.write("app.env", "FAKE_NAME=two words\n");
        let ran = checked(&world, code);
        assert!(ran.stdout.contains(said), "{said}\n{}", ran.stdout);
        assert!(!ran.stdout.contains("two words"), "{}", ran.stdout);
        assert!(ran.stdout.lines().last().unwrap().contains(": 1 error"), "{}", ran.stdout);
        let quiet = world.run(&["config", "check", "--quiet"]).code(code).stdout;
        assert!(quiet.starts_with("error: ") || quiet.starts_with("warning: "), "{quiet}");
        let json = world.run(&["config", "check", "--json"]).code(code).json();
        assert_eq!(json["errors"].as_array().unwrap().len(), 1, "{json:#}");
    }
}

#[test]
fn what_a_person_should_know_is_a_warning() {
    for (tables, said) in [
        (
            "[token.shop]\ntype = \"page\"\napp = \"main\"\npage_id = \"2000000000000001\"\naccess_token = { env = \"BRAND\" }\n",
            "warning: `shop` has no `parent`: ",
        ),
        (
            "[token.x]\ntype = \"user\"\n",
            "warning: [token.x]: no access token yet, and no `access_token` says where one is; run `metatoken exchange x`\n",
        ),
        (
            "[app.i]\nkind = \"instagram\"\nid = \"1000000000000011\"\n\n[token.x]\ntype = \"instagram\"\naccess_token = { env = \"INSTA\" }\n",
            "warning: [app.i] secret: there is no `secret`: a short-lived access token cannot be made long-lived; ",
        ),
        (
            "[store]\nkey = { credential = \"key\" }\n",
            "warning: [store] key: the credential `key` is not there: `CREDENTIALS_DIRECTORY` is not set; a systemd unit sets it by `LoadCredential=`; run this check as the service: its unit hands the key over\n",
        ),
        (
            "[app.two]\nid = \"1000000000000002\"\nsecret = { credential = \"s\" }\n",
            "warning: [app.two] secret: the credential `s` is not there: `CREDENTIALS_DIRECTORY` is not set; a systemd unit sets it by `LoadCredential=`; put the app's secret into `/etc/credstore/s` (mode 0600), and run this check as the service\n",
        ),
        (
            "[[notify]]\nwebhook = { file = \"no-url\" }\n",
            "warning: [[notify]] webhook [DIR]/no-url: the file `[DIR]/no-url` is missing; create the file `[DIR]/no-url` (mode 0600) with the address in it\n",
        ),
        ("[[notify]]\ncommand = [\"no-such-program\"]\n", "warning: [[notify]] no-such-program: "),
        (
            "[[notify]]\nping = { env = \"QUOTED\" }\n",
            "warning: [[notify]] ping QUOTED: the address of the ping is not an `https://` URL of a host; put the address alone into the environment variable `QUOTED`\n",
        ),
        (
            "",
            "warning: [token.LABEL]: the config declares no tokens: nothing is kept alive; run `metatoken add LABEL --type TYPE`; `metatoken help add` has examples\n",
        ),
    ] {
        let ran = checked(
            &world(tables)
                .with("INSTA", "IGAAfake")
                .with("QUOTED", "\"https://ping.example/fake\""),
            0,
        );
        assert!(ran.stdout.contains(said), "{said}\n{}", ran.stdout);
    }
}

#[test]
fn a_target_is_tried_without_being_written() {
    for (target, said) in [
        ("file = \"none.ini\"\nkey = \"f.t\"\n", "none"),
        ("file = \"app.ini\"\nkey = \"f.other\"\n", "other"),
        ("command = [\"no-such-program\"]\n", "no-such-program"),
    ] {
        let world = world(&format!("{BRAND}\n[[token.brand.deliver]]\n{target}"));
        world.write("app.ini", "[f]\nt = \n");
        let ran = checked(&world, 0);
        let warned = ran.stdout.lines().filter(|line| line.starts_with("warning: "));
        let warned: Vec<&str> = warned.collect();
        assert!(warned.len() == 1 && warned[0].contains(said), "{}", ran.stdout);
        assert!(warned[0].contains("; "), "what to do is named: {}", warned[0]);
    }
}

#[test]
fn store_and_key_are_opened_together() {
    let world = world(BRAND);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    let key = std::fs::read(world.path("metatoken.key")).unwrap();
    std::fs::remove_file(world.path("metatoken.key")).unwrap();
    let ran = checked(&world, 74);
    assert!(ran.stdout.contains("error: [store]"), "{}", ran.stdout);
    world.write("metatoken.key", key);
    checked(&world, 0);
    world.write(
        "metatoken.db",
        "no database at all, and long enough to be read as one\n".repeat(100),
    );
    let ran = checked(&world, 74);
    assert!(ran.stdout.contains("error: [store]"), "{}", ran.stdout);
}

/// The config's place says who runs it: from /etc it is cron or a unit, without a shell's variables.
#[test]
fn a_variable_is_a_warning_where_cron_or_a_unit_runs_it() {
    const TEST: &str = "config_check::a_variable_is_a_warning_where_cron_or_a_unit_runs_it";
    if let Some(why) = crate::common::cannot_mount() {
        return crate::common::skip(TEST, &why);
    }
    let folder = crate::common::folder();
    let script = "set -e\nmount -t tmpfs none /etc\nmkdir /etc/metatoken\n\
                  printf '[app.main]\\nid = \"1\"\\nsecret = { env = \"META\" }\\n' > /etc/metatoken/metatoken.toml\n\
                  chmod 600 /etc/metatoken/metatoken.toml\n\"$0\" config check; META=x \"$0\" config check";
    let run = Command::new("unshare")
        .args(["--mount", "sh", "-c", script])
        .arg(env!("CARGO_BIN_EXE_metatoken"))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    let said = String::from_utf8(run.stdout).unwrap();
    let warned: Vec<&str> = said.lines().filter(|line| line.contains("`META`")).collect();
    assert_eq!(
        warned,
        [
            "warning: [app.main] secret: the environment variable `META` is not set; set `META` to the app's secret, or use `{ file = \"PATH\" }`",
            "warning: [app.main] secret: the environment variable `META` is set here, but cron and systemd do not have a shell's variables; use `{ file = \"PATH\" }` or `{ credential = \"NAME\" }`, or set it in the unit or crontab",
        ]
    );
}

#[test]
fn modes_are_warned_of_as_check_does() {
    let world = world("[app.two]\nid = \"1000000000000002\"\nsecret = { file = \"app-secret\" }\n");
    world.write("app-secret", "fakefakefakefakefakefakefakefake");
    let mode = std::fs::Permissions::from_mode(0o604);
    std::fs::set_permissions(world.path("app-secret"), mode).unwrap();
    let folder = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(world.path("."), folder).unwrap();
    let ran = checked(&world, 0);
    let said = "warning: the secret file `[DIR]/app-secret` can be read by every user of this machine; run `chmod o-r [DIR]/app-secret`\n";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
}
