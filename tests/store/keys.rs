//! `key rotate` and `key export`: the configured key opens the store at every moment, what an old one
//! opened is nowhere any more, and no token notices.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, World, converse, day, mode, shell};

const BRAND: &str = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n\
                     [[token.brand.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\n";
const OLD: &str = "0707070707070707070707070707070707070707070707070707070707070707";
const NEW: &str = "0808080808080808080808080808080808080808080808080808080808080808";
const SECOND: &str = "a second key opens the store now\n";

/// A world whose `brand` has a current access token, an earlier one, and a file that held another.
pub(super) fn world(store: &str) -> World {
    let user = || TokenFixture::user(APP, ANNA).named("brand");
    let mut world = World::new().config(&format!("{store}{BRAND}")).token("BRAND", user());
    world.write("app.env", "TOKEN=EAAFAKEBefore0123456789\n");
    world.write("old-key", OLD);
    world.write("new-key", NEW);
    world.write("key", OLD);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok);
    world.at(day(45));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world
}

/// The same with a key that the config names.
pub(super) fn with_its_own_key() -> World {
    world("[store]\nkey = { file = \"key\" }\n")
}

fn works(world: &World) {
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand2\n").stderr("").exit(Exit::Ok);
}

/// Every sealed value of the store, and the wrapped data keys.
pub(super) fn sealed(world: &World) -> Vec<Vec<u8>> {
    let sql = "SELECT sealed FROM generation WHERE sealed IS NOT NULL
               UNION ALL SELECT sealed FROM replaced UNION ALL SELECT value FROM meta WHERE name LIKE '%key'";
    let store = world.sql();
    let mut rows = store.prepare(sql).unwrap();
    let rows = rows.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// How many of these values stand anywhere in the store's files.
pub(super) fn traces(world: &World, values: &[Vec<u8>]) -> usize {
    let files: Vec<Vec<u8>> = ["metatoken.db", "metatoken.db-wal"]
        .iter()
        .filter_map(|name| fs::read(world.path(name)).ok())
        .collect();
    let stands = |value: &&Vec<u8>| {
        files.iter().any(|file| file.windows(value.len()).any(|part| part == value.as_slice()))
    };
    values.iter().filter(stands).count()
}

fn key_file(world: &World, name: &str) -> String {
    fs::read_to_string(world.path(name)).unwrap().trim().to_owned()
}

fn fingerprint(world: &World) -> String {
    let ran = world.run(&["status", "--offline", "--json"]).exit(Exit::Ok);
    ran.token("brand")["fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_of_our_making_is_changed_in_one_go() {
    for (options, seals_anew) in
        [(&["key", "rotate"][..], false), (&["key", "rotate", "--reseal"], true)]
    {
        let world = world("");
        fs::set_permissions(world.path("metatoken.key"), Permissions::from_mode(0o640)).unwrap();
        let (before, seals) = (key_file(&world, "metatoken.key"), sealed(&world));
        let known = fingerprint(&world);
        let anew = if seals_anew { "; 4 rows sealed again" } else { "" };
        world
            .run(options)
            .stdout(&format!(
                "
the old key no longer opens the store{anew}
keep a copy of the new one apart from the store: `metatoken key export`; backups of the store made before need the old one
"
            ))
            .stderr("")
            .exit(Exit::Ok);
        let after = key_file(&world, "metatoken.key");
        assert!(after != before && after.len() == 64, "{after}");
        assert_eq!(mode(&world.path("metatoken.key")), 0o640);
        works(&world);
        assert_eq!(fingerprint(&world), known);
        // Nothing that the old key opens is left; without `--reseal` only what it wrapped is gone.
        let left = traces(&world, &seals);
        assert_eq!(left, if seals_anew { 0 } else { seals.len() - 1 });
        world.run(&["key", "export"]).stdout(&format!("\n{after}\n")).stderr("").exit(Exit::Ok);
        let events = world.run(&["history", "--json", "--limit", "1"]).json();
        assert_eq!(events["events"][0]["event"], "key_rotated");
        assert_eq!(events["events"][0]["label"], serde_json::Value::Null);
        // What was sealed before is there: the file's content, and a value that the label has had.
        world.run(&["deliver", "--restore", "brand", "--quiet"]).exit(Exit::Ok);
        assert_eq!(fs::read_to_string(world.path("app.env")).unwrap(), "TOKEN=EAAFAKEBrand1\n");
        world.run(&["deliver", "--quiet"]).exit(Exit::Ok);
        assert!(!world.run(&["check"]).stdout.contains("key"));
        world.write("metatoken.key", before);
        world
            .run(&["refresh"])
            .stdout("")
            .stderr(
                "
error: [DIR]/metatoken.key: the store key is not the one that this store was sealed with
hint: put back the key that belongs to this store, or say where it is with `key` in `[store]`
",
            )
            .exit(Exit::Storage);
    }
}

#[test]
fn a_key_that_the_config_names_is_changed_in_two_steps() {
    let world = with_its_own_key();
    let seals = sealed(&world);
    world
        .run(&["key", "rotate"])
        .stdout("")
        .stderr(
            "
error: the key is not a file of metatoken's making: the file `[DIR]/key`
hint: run `metatoken key rotate --new FILE` with a new key in FILE
",
        )
        .exit(Exit::Usage);
    world
        .run(&["key", "rotate", "--finish"])
        .stdout(
            "
nothing to finish: one key opens the store
",
        )
        .stderr("")
        .exit(Exit::Ok);
    let next = "
a second key opens the store now
next: put it into the place of the old one, the file `[DIR]/key`, wherever metatoken runs; then run `metatoken key rotate --finish`
";
    // Typed twice it is the same; another new one takes the place of one that was never used.
    world
        .run_with_input(&["key", "rotate", "--new", "-"], "09".repeat(32))
        .stdout(next)
        .exit(Exit::Ok);
    world.run(&["key", "rotate", "--new", "new-key"]).stdout(next).stderr("").exit(Exit::Ok);
    world.run(&["key", "rotate", "--new", "new-key"]).stdout(next).stderr("").exit(Exit::Ok);
    works(&world);
    world
        .run(&["key", "rotate", "--finish"])
        .stdout("")
        .stderr(
            "
error: nothing was changed: the configured key is still the old one
hint: put the new key into its place, the file `[DIR]/key`; then run the same again
",
        )
        .exit(Exit::InputRefused);
    world.write("key", "09".repeat(32));
    world.run(&["token", "brand"]).stdout("").exit(Exit::Storage);
    // Both open the store, also for a run that writes.
    for key in [OLD, NEW, OLD, NEW] {
        world.write("key", key);
        works(&world);
        world.run(&["refresh", "brand", "--quiet"]).silent().exit(Exit::Ok);
    }
    world
        .run(&["key", "rotate", "--new", "old-key"])
        .stdout("")
        .stderr(
            "
error: nothing was changed: an earlier change of the key is not finished
hint: run `metatoken key rotate --finish` first
",
        )
        .exit(Exit::InputRefused);
    let json = world.run(&["key", "rotate", "--finish", "--json"]).stderr("").exit(Exit::Ok).json();
    assert_eq!(
        json,
        serde_json::json!({
            "version": 1,
            "key": { "old_key_opens": false, "sealed_anew": 0, "damaged": 0 },
        })
    );
    works(&world);
    assert_eq!(traces(&world, &seals), seals.len() - 1);
    world.write("key", OLD);
    world.run(&["token", "brand"]).stdout("").exit(Exit::Storage);
    world.write("key", NEW);
    world.run(&["key", "rotate", "--finish", "--quiet"]).silent().exit(Exit::Ok);
    assert!(!world.run(&["check"]).stdout.contains("key"));
}

/// A second key that somebody was told to put in place is not thrown away by the other way.
#[test]
fn a_second_key_of_a_file_of_our_making_waits_for_its_place() {
    let world = world("");
    let old = key_file(&world, "metatoken.key");
    for options in [&["key", "rotate"][..], &["key", "rotate", "--reseal"]] {
        let said = world.run(&["key", "rotate", "--new", "new-key"]).stderr("").exit(Exit::Ok);
        assert!(
            said.stdout.contains("put it into the place of the old one, `[DIR]/metatoken.key`")
        );
        world
            .run(options)
            .stdout("")
            .stderr(
                "
error: nothing was changed: a second key opens the store too, and is not in its place yet
hint: put it into its place, `[DIR]/metatoken.key`; then run `metatoken key rotate --finish`
",
            )
            .exit(Exit::InputRefused);
        works(&world);
        assert_eq!(key_file(&world, "metatoken.key"), old);
    }
    world.write("metatoken.key", NEW);
    works(&world);
    world.run(&["key", "rotate", "--finish", "--quiet"]).silent().exit(Exit::Ok);
    works(&world);
    world.run(&["key", "rotate", "--quiet"]).silent().exit(Exit::Ok);
    works(&world);
}

/// After a theft: neither the key nor what it opens is worth anything for what comes later.
#[test]
fn after_a_theft_the_rows_are_sealed_anew_with_either_step() {
    let resealed = "a second key opens the store now; 4 rows sealed again\n";
    for (add, finish) in [(&["--reseal"][..], &[][..]), (&[], &["--reseal"])] {
        let world = with_its_own_key();
        let seals = sealed(&world);
        let add = [&["key", "rotate", "--new", "new-key"], add].concat();
        let said = world.run(&add).stderr("").exit(Exit::Ok).stdout;
        assert!(said.starts_with(if finish.is_empty() { resealed } else { SECOND }), "{said}");
        works(&world);
        world.write("key", NEW);
        works(&world);
        let finish = [&["key", "rotate", "--finish"], finish].concat();
        world.run(&finish).stderr("").exit(Exit::Ok);
        works(&world);
        assert_eq!(traces(&world, &seals), 0);
    }
    let world = with_its_own_key();
    let seals = sealed(&world);
    world.run(&["key", "rotate", "--reseal"]).stdout("
the store key stays; 4 rows sealed again
who has that key and this store can read it all the same: `metatoken key rotate --new FILE` changes the key
").stderr("").exit(Exit::Ok);
    works(&world);
    assert_eq!(traces(&world, &seals), 0);
}

#[test]
fn what_is_no_new_key_changes_nothing() {
    let world = with_its_own_key();
    let malformed = "a key is 32 random bytes as 64 hex digits or base64: `openssl rand -hex 32`";
    for (content, error, hint) in [
        ("", "new-key: not a store key: it is empty", malformed),
        (
            "hunter2",
            "new-key: not a store key: it is neither 64 hex digits nor base64 of 32 bytes",
            malformed,
        ),
        (
            OLD,
            "nothing was changed: the new key is the one that the store has already",
            "make another: `openssl rand -hex 32`",
        ),
    ] {
        world.write("new-key", content);
        world
            .run(&["key", "rotate", "--new", "new-key"])
            .stdout("")
            .stderr(&format!("error: {error}\nhint: {hint}\n"))
            .exit(Exit::InputRefused);
    }
    for (typed, exit) in [
        (&["key", "rotate", "--new", "missing"][..], Exit::InputRefused),
        (&["key", "rotate", "--new", "new-key", "--finish"], Exit::Usage),
        (&["key", "rotate", "-n"], Exit::Usage),
        (&["key", "rotate", "new-key"], Exit::Usage),
        (&["key"], Exit::Usage),
    ] {
        world.run(typed).stdout("").exit(exit);
    }
    world.run(&["key", "export", "--json"]).exit(Exit::Usage);
    works(&world);
    // Neither a store nor a key is made, and a wrong key changes nothing.
    let empty = World::new().config(BRAND);
    for typed in [&["key", "rotate"][..], &["key", "rotate", "--finish"], &["key", "export"]] {
        empty
            .run(typed)
            .stdout("")
            .stderr(
                "
error: [DIR]/metatoken.db: there is no store yet
hint: `metatoken refresh` makes it, with its key
",
            )
            .exit(Exit::Storage);
    }
    assert!(!empty.path("metatoken.key").exists());
    world.write("key", NEW);
    for typed in [
        &["key", "rotate", "--finish"][..],
        &["key", "rotate", "--new", "new-key"],
        &["key", "export"],
    ] {
        world.run(typed).stdout("").exit(Exit::Storage);
    }
    world.write("key", OLD);
    works(&world);
}

#[test]
fn a_key_file_that_cannot_be_written_stays_as_it_is() {
    let world = world("");
    let before = key_file(&world, "metatoken.key");
    // Where a file is to be made stands a folder, whoever runs it.
    fs::create_dir(world.path(".metatoken.key.metatoken-tmp")).unwrap();
    let ran = world.run(&["key", "rotate"]).stdout("").exit(Exit::Storage);
    assert!(ran.stderr.starts_with("error: [DIR]/metatoken.key: the store key cannot be replaced: it is as it was\n  caused by: Is a directory"), "{}", ran.stderr);
    assert_eq!(key_file(&world, "metatoken.key"), before);
    works(&world);
    fs::remove_dir(world.path(".metatoken.key.metatoken-tmp")).unwrap();
    // No room for a single byte.
    let full = shell("ulimit -f 0; \"$@\"", &world.command(&["key", "rotate"]));
    let mut full = full;
    world.finish(full.spawn().unwrap()).stdout("").exit(Exit::Storage);
    assert_eq!(key_file(&world, "metatoken.key"), before);
    works(&world);
    world.run(&["key", "rotate", "--quiet"]).silent().exit(Exit::Ok);
    works(&world);
}

#[test]
fn a_kill_at_any_step_leaves_the_configured_key_good_and_the_same_command_finishes_it() {
    const POINTS: [&str; 4] =
        ["new-key-written", "new-key-added", "new-key-put", "old-key-dropped"];
    for options in [&["key", "rotate"][..], &["key", "rotate", "--reseal"]] {
        for point in POINTS {
            let world = world("");
            let (before, seals) = (key_file(&world, "metatoken.key"), sealed(&world));
            world.killed_at(point, options, "");
            let is_put = !matches!(point, "new-key-written" | "new-key-added");
            assert_eq!(key_file(&world, "metatoken.key") != before, is_put, "{point}");
            works(&world);
            assert!(!world.run(&["check"]).stdout.contains("key"));
            world.run(&["refresh", "brand", "--quiet"]).silent().exit(Exit::Ok);
            world.run(options).stderr("").exit(Exit::Ok);
            works(&world);
            let left = traces(&world, &seals);
            // Typed again after its end it was another change.
            let expected = if options.len() > 2 { 0 } else { seals.len() - 1 };
            assert_eq!(left, expected, "{point}");
            world.write("metatoken.key", &before);
            world.run(&["token", "brand"]).stdout("").exit(Exit::Storage);
            assert!(!world.path(".metatoken.key.metatoken-tmp").exists(), "{point}");
        }
    }
    let world = with_its_own_key();
    world.run(&["key", "rotate", "--new", "new-key", "--quiet"]).silent().exit(Exit::Ok);
    world.write("key", NEW);
    world.killed_at("old-key-dropped", &["key", "rotate", "--finish"], "");
    works(&world);
    world.run(&["key", "rotate", "--finish"]).exit(Exit::Ok);
    works(&world);
}

#[test]
fn who_reads_meanwhile_meets_no_error() {
    let world = world("");
    let done = AtomicBool::new(false);
    let reads = [AtomicUsize::new(0), AtomicUsize::new(0)];
    std::thread::scope(|scope| {
        for (typed, read) in
            [&["token", "brand"][..], &["status", "--json"]].into_iter().zip(&reads)
        {
            let (world, done) = (&world, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let ran = world.run(typed).stderr("").exit(Exit::Ok);
                    assert!(typed.len() < 2 || !ran.stdout.contains("critical"), "{}", ran.stdout);
                    read.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for options in [&[][..], &["--reseal"], &[], &["--reseal"]] {
            let before = reads.each_ref().map(|read| read.load(Ordering::Relaxed));
            let typed = [&["key", "rotate", "--quiet"], options].concat();
            let ran = world.run(&typed);
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            // Nobody changes the key twice while one command reads.
            let began = Instant::now();
            while reads
                .iter()
                .zip(before)
                .any(|(read, from)| read.load(Ordering::Relaxed) < from + 2)
                && began.elapsed() < Duration::from_secs(20)
            {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    works(&world);
}

#[test]
fn a_damaged_row_stays_as_it_is() {
    let user = || TokenFixture::user(APP, ANNA).named("shop");
    let shop = "[token.shop]\ntype = \"user\"\naccess_token = { env = \"SHOP\" }\n";
    let world = World::new().config(&format!("{BRAND}{shop}")).token("SHOP", user());
    let world = world.token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    world.write("app.env", "TOKEN=\n");
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    let damage =
        "UPDATE generation SET sealed = CAST(x'0101' || substr(sealed, 4) AS BLOB) WHERE id = (SELECT id FROM
                  generation WHERE token = (SELECT id FROM token WHERE label = 'shop'))";
    world.sql().execute(damage, []).unwrap();
    world.run(&["key", "rotate", "--reseal"]).stdout("
the old key no longer opens the store; 2 rows sealed again; 1 row damaged and left as they were
keep a copy of the new one apart from the store: `metatoken key export`; backups of the store made before need the old one
").stderr("").exit(Exit::Ok);
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand1\n").exit(Exit::Ok);
    world.run(&["token", "shop"]).stdout("").exit(Exit::Storage);
}

#[test]
fn the_key_is_printed_for_a_safe_and_never_into_the_journal() {
    let world = with_its_own_key();
    world.run(&["key", "export"]).stdout(&format!("\n{OLD}\n")).stderr("").exit(Exit::Ok);
    let (shown, code) = converse(&world.command(&["key", "export"]), &[]);
    assert_eq!((shown.as_str(), code), (&*format!("{OLD}\n"), Some(0)));
    let (written, code) = world.as_service(&["key", "export"]);
    assert_eq!(code, Some(64));
    assert!(!written.contains(OLD), "{written}");
    assert!(written.contains("not printed: standard output goes into the journal"), "{written}");
}
