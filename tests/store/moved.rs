//! What `help upgrade`, `move`, `restore` and `uninstall` promise, done step by step.

use std::fs;
use std::path::Path;

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, BRAND, World, day};

/// A user token that is delivered to a file.
const DELIVERED: &str =
    "[[token.brand.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\ncreate = true\n";

/// A second machine: another folder with the config that the first has, and nothing else. It asks
/// the same Graph.
struct NewMachine<'a> {
    old: &'a World,
    folder: tempfile::TempDir,
}

impl<'a> NewMachine<'a> {
    fn with(old: &'a World, names: &[&str]) -> Self {
        let machine = Self { old, folder: crate::common::folder() };
        for name in names {
            machine.bring(name, name);
        }
        machine
    }

    fn bring(&self, name: &str, from: &str) {
        fs::copy(self.old.path(from), self.path(name)).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> crate::common::Ran {
        let mut command = self.old.command(&[]);
        let config = self.path("metatoken.toml");
        command.current_dir(self.folder.path()).arg("--quiet");
        let usual: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let mut there = std::process::Command::new(command.get_program());
        there
            .env_clear()
            .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(self.folder.path())
            .arg("--config")
            .arg(config)
            .args(&usual[2..4])
            .args(arguments)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        self.old.finish(there.spawn().unwrap())
    }
}

/// The topic's page names this.
#[track_caller]
fn page_says(topic: &str, words: &str) {
    let ran = World::new().run(&["help", topic]).code(0);
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(words), "`{words}` is not in\n{}", ran.stdout);
}

fn remove_store(world: &World) {
    for name in ["metatoken.db", "metatoken.db-wal", "metatoken.db-shm"] {
        let _ = fs::remove_file(world.path(name));
    }
}

#[test]
fn a_store_is_moved_with_its_key_and_nobody_logs_in_again() {
    let world = World::with_brand(DELIVERED);
    let token = world.run(&["token", "brand"]).code(0).stdout;
    let history = world.run(&["history", "--json"]).code(0).json();
    world.run(&["store", "backup", world.path("copy.db").to_str().unwrap()]).code(0);
    let machine = NewMachine::with(&world, &["metatoken.toml", "metatoken.key"]);
    machine.bring("metatoken.db", "copy.db");
    // The source of the first access token is not needed there.
    machine.run(&["config", "check"]).exit(Exit::Ok);
    assert_eq!(machine.run(&["token", "brand"]).code(0).stdout, token);
    assert_eq!(machine.run(&["history", "--json"]).code(0).json()["events"], history["events"]);
    let status = machine.run(&["status", "--json"]).code(0);
    assert_eq!(status.token("brand")["health"], "ok");
    machine.run(&["refresh", "--dry-run", "--quiet"]).exit(Exit::Ok);
    machine.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(machine.run(&["token", "brand"]).code(0).stdout, token);
    assert!(fs::read_to_string(machine.path("app.env")).unwrap().contains(token.trim()));
}

#[test]
fn without_its_key_a_moved_store_is_not_opened_until_the_key_is_there() {
    page_says("move", "says where the key belongs");
    let world = World::with_brand("");
    let token = world.run(&["token", "brand"]).code(0).stdout;
    let machine = NewMachine::with(&world, &["metatoken.toml"]);
    world.run(&["store", "backup", machine.path("metatoken.db").to_str().unwrap()]).code(0);
    for arguments in [&["token", "brand"][..], &["refresh"]] {
        let ran = machine.run(arguments).stdout("").exit(Exit::Storage);
        assert!(
            ran.stderr.contains("the store key is missing, and the store is sealed with it"),
            "{}",
            ran.stderr
        );
        assert!(!machine.path("metatoken.key").exists(), "a key was made");
        assert!(ran.stderr.contains("metatoken.key"), "{}", ran.stderr);
    }
    // What needs no access token works.
    machine.run(&["history"]).exit(Exit::Ok);
    let offline = machine.run(&["status", "--offline", "--json"]).code(0);
    assert_eq!(offline.token("brand")["label"], "brand");
    machine.bring("metatoken.key", "metatoken.key");
    assert_eq!(machine.run(&["token", "brand"]).code(0).stdout, token);
}

#[test]
fn an_older_store_is_brought_up_to_date_by_refresh_and_keeps_what_it_had() {
    page_says("upgrade", "Commands that only read, and `store backup`, work with the older store");
    page_says("upgrade", "`rollback`, `promote`, `revoke`, `forget` and `key` do not");
    for dump in [include_str!("../schemas/v1.sql"), include_str!("../schemas/v3.sql")] {
        let world = World::new().config(BRAND);
        world.write("metatoken.key", "07".repeat(32));
        world.sql().execute_batch(dump).unwrap();
        let (old, events): (i64, i64) = world
            .sql()
            .query_row(
                "SELECT user_version, (SELECT count(*) FROM event) FROM pragma_user_version",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        let schema = || -> i64 {
            world.sql().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
        };
        for reading in [&["history"][..], &["status", "--offline"], &["check"]] {
            let ran = world.run(reading);
            assert!(!ran.stderr.contains("error:"), "{reading:?}: {}", ran.stderr);
        }
        let copy = world.path("copy.db").display().to_string();
        world.run(&["store", "backup", &copy]).code(0);
        fs::remove_file(&copy).unwrap();
        for changing in [
            &["rollback", "brand"][..],
            &["promote", "brand"],
            &["revoke", "brand", "--all"],
            &["forget", "brand"],
            &["key", "rotate"],
        ] {
            let ran = world.run(changing).stdout("").exit(Exit::Storage);
            let why = "[DIR]/metatoken.db: the store was written by an older metatoken\n\
                       hint: run `metatoken refresh`, which brings it up to date; then run the same again\n";
            assert!(ran.stderr.ends_with(why), "{changing:?}: {}", ran.stderr);
        }
        assert_eq!(schema(), old);
        let _ = world.run(&["refresh", "--quiet"]);
        let kept: i64 =
            world.sql().query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
        assert!(kept >= events && events > 0, "{kept} of {events}");
        assert!(schema() > old);
        world.run(&["history"]).stderr("").exit(Exit::Ok);
    }
}

#[test]
fn a_newer_store_is_refused_by_name_and_the_copy_from_before_opens() {
    page_says("upgrade", "names both schemas and changes nothing");
    let world = World::with_brand("");
    let copy = world.path("copy.db");
    world.run(&["store", "backup", copy.to_str().unwrap()]).code(0);
    let known: i64 =
        world.sql().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    world.sql().pragma_update(None, "user_version", known + 1).unwrap();
    let said = format!(
        "error: [DIR]/metatoken.db: the store was written by a newer metatoken (schema {}, this one knows {known})\nhint: install the newer metatoken again\nhint: or, from before the upgrade, restore a backup (`metatoken store backup` makes them): `rm -f [DIR]/metatoken.db-wal [DIR]/metatoken.db-shm && cp BACKUP [DIR]/metatoken.db`\n",
        known + 1
    );
    for arguments in [&["refresh"][..], &["status"], &["token", "brand"], &["deliver"]] {
        world.run(arguments).stdout("").stderr(&said).exit(Exit::Storage);
    }
    let found: i64 =
        world.sql().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(found, known + 1);
    type_restore(&said, &world, &copy);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
}

/// The command that an error names, as it is typed.
fn type_restore(said: &str, world: &World, copy: &Path) {
    let command = said.rsplit('`').nth(1).unwrap();
    let command = command
        .replace("[DIR]", world.path("").to_str().unwrap().trim_end_matches('/'))
        .replace("BACKUP", copy.to_str().unwrap());
    let output = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
}

#[test]
fn an_old_copy_takes_over_what_was_renewed_since_from_the_target() {
    page_says("restore", "finds it, examines it and takes it over if it is better");
    let mut world = World::with_brand(DELIVERED);
    let first = world.run(&["token", "brand"]).code(0).stdout;
    let copy = world.path("copy.db");
    world.run(&["store", "backup", copy.to_str().unwrap()]).code(0);
    world.at(day(45));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    let renewed = world.run(&["token", "brand"]).code(0).stdout;
    assert_ne!(renewed, first);
    // The disk is lost, the copy is put back, and the old one has expired meanwhile.
    remove_store(&world);
    let ran = world.run(&["refresh"]).stdout("").exit(Exit::Storage);
    let hint =
        ran.stderr.lines().find(|line| line.contains("`metatoken store backup` makes")).unwrap();
    type_restore(hint, &world, &copy);
    world.at(day(61));
    world.run(&["refresh"]).stderr("").exit(Exit::Ok);
    assert_eq!(world.run(&["token", "brand"]).code(0).stdout, renewed);
}

#[test]
fn what_is_uninstalled_leaves_its_files_until_a_token_is_forgotten() {
    page_says("uninstall", "metatoken forget LABEL --targets");
    page_says("uninstall", "`metatoken revoke LABEL --all` before that");
    let mut world = World::new()
        .config(&format!("{BRAND}\n{DELIVERED}"))
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    let token = world.run(&["token", "brand"]).code(0).stdout;
    world.at(day(1));
    world.reconfigure("");
    world.run(&["forget", "brand", "--dry-run"]).exit(Exit::Ok);
    let file = || fs::read_to_string(world.path("app.env")).unwrap();
    assert!(file().contains(token.trim()));
    world.run(&["forget", "brand", "--targets", "--quiet"]).silent().exit(Exit::Ok);
    assert!(!file().contains(token.trim()), "{}", file());
}
