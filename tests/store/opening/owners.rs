//! Whose the files of a store are, who else can write them, and where they may lie.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

use metatoken::store::refused_filesystem;

use super::{lost, names, remedy, type_in};
use crate::common::{BRAND, Nobody, World, can_be_another_user, day, mode};

const NOBODY: u32 = 65534;

fn new_world() -> World {
    World::new().config(BRAND).token("BRAND", lost::brand())
}

fn owner(world: &World, name: &str) -> (u32, u32) {
    let meta = fs::metadata(world.path(name)).unwrap();
    (meta.uid(), meta.gid())
}

/// The store's folder belongs to the user of the timer, and the config with its folder to root.
fn of_the_service(world: &World, folder: u32) {
    let state = world.path("state");
    fs::create_dir(&state).unwrap();
    for (path, mode) in [("metatoken.toml", 0o644), (".", 0o755), ("state", folder)] {
        fs::set_permissions(world.path(path), Permissions::from_mode(mode)).unwrap();
    }
    chown(state, Some(NOBODY), Some(NOBODY)).unwrap();
}

#[test]
fn what_root_makes_belongs_to_the_owner_of_the_folder() {
    if !can_be_another_user() {
        return;
    }
    for (folder, store, expected) in [
        (0o750, "state/metatoken.db", 0o640),
        (0o700, "state/metatoken.db", 0o600),
        (0o755, "state/metatoken.db", 0o600),
        (0o750, "state/a/b/metatoken.db", 0o600),
    ] {
        let world = new_world();
        world.reconfigure(&format!("[store]\npath = \"{store}\"\n{BRAND}"));
        of_the_service(&world, folder);
        world.run(&["refresh"]).code(0);
        let beside = |name: &str| store.replace("metatoken.db", name);
        for name in ["metatoken.db", "metatoken.db-wal", "metatoken.db-shm"] {
            assert_eq!(mode(&world.path(&beside(name))), expected, "{folder:o}, {name}");
            assert_eq!(owner(&world, &beside(name)), (NOBODY, NOBODY), "{folder:o}, {name}");
        }
        for name in ["metatoken.key", "metatoken.db.lock"] {
            assert_eq!(mode(&world.path(&beside(name))), 0o600, "{folder:o}, {name}");
            assert_eq!(owner(&world, &beside(name)), (NOBODY, NOBODY), "{folder:o}, {name}");
        }
        if store.contains("/a/") {
            for made in ["state/a", "state/a/b"] {
                assert_eq!(owner(&world, made), (NOBODY, NOBODY), "{made}");
            }
        }
        // The timer's user goes on where root began.
        Nobody::new().run(&world, &["refresh"]).code(0);
    }
}

#[test]
fn a_file_that_belongs_to_another_is_named_with_what_opens_it() {
    if !can_be_another_user() {
        return;
    }
    for name in ["metatoken.db.lock", "metatoken.key", "metatoken.db", "metatoken.db-wal"] {
        let name = format!("state/{name}");
        let world = new_world();
        world.reconfigure(&format!("[store]\npath = \"state/metatoken.db\"\n{BRAND}"));
        of_the_service(&world, 0o750);
        world.run(&["refresh"]).code(0);
        chown(world.path(&name), Some(0), Some(0)).unwrap();
        fs::set_permissions(world.path(&name), Permissions::from_mode(0o600)).unwrap();
        let service = Nobody::new();
        let ran = service.run(&world, &["refresh"]).code(74);
        let told = format!("`[DIR]/{name}` belongs to root: as root run `chown ");
        assert!(ran.stderr.contains(&told), "{name}: {}", ran.stderr);
        type_in(&remedy(&world, &ran, &format!("`[DIR]/{name}` belongs to root")));
        service.run(&world, &["refresh"]).code(0);
    }
}

#[test]
fn a_file_of_ones_own_that_is_closed_is_opened_by_its_mode() {
    if !can_be_another_user() {
        return;
    }
    for name in ["metatoken.db.lock", "metatoken.db"] {
        let world = new_world();
        world.reconfigure(&format!("[store]\npath = \"state/metatoken.db\"\n{BRAND}"));
        of_the_service(&world, 0o750);
        world.run(&["refresh"]).code(0);
        let file = world.path(&format!("state/{name}"));
        fs::set_permissions(&file, Permissions::from_mode(0o400)).unwrap();
        let service = Nobody::new();
        let ran = service.run(&world, &["refresh"]).code(74);
        type_in(&remedy(&world, &ran, "`chmod u+rw"));
        service.run(&world, &["refresh"]).code(0);
    }
}

#[test]
fn a_lock_or_a_key_that_is_a_link_is_not_followed() {
    for (name, code, words) in [
        ("metatoken.db.lock", "lock_unwritable", "a lock is never a link"),
        ("metatoken.key", "key_unreadable", "the store key is a link"),
    ] {
        let world = World::with_brand("");
        let elsewhere = world.path("elsewhere");
        fs::rename(world.path(name), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, world.path(name)).unwrap();
        let content = fs::read(&elsewhere).unwrap();
        let ran = world.run(&["refresh"]).code(74).stdout("");
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        let error = &world.run(&["refresh", "--json"]).code(74).json()["error"];
        assert_eq!(error["code"], code);
        assert_eq!(fs::read(&elsewhere).unwrap(), content, "{name}");
        if name == "metatoken.key" {
            let setting = remedy(&world, &ran, "see who made it; to use what it leads to");
            world.reconfigure(&format!("[store]\n{setting}\n{BRAND}"));
        } else {
            type_in(&remedy(&world, &ran, "a lock is never a link"));
        }
        world.run(&["refresh"]).code(0);
    }
}

#[test]
fn a_pipe_in_place_of_a_lock_or_a_key_is_not_waited_for() {
    for name in ["metatoken.db.lock", "metatoken.key"] {
        let world = World::with_brand("");
        fs::remove_file(world.path(name)).unwrap();
        type_in(&format!("mkfifo {}", world.path(name).display()));
        let ran = super::at_once(name, || world.run(&["refresh"])).code(74);
        assert!(ran.stderr.contains("it is not a file"), "{}", ran.stderr);
        super::at_once(name, || world.run(&["check"]));
    }
}

/// To take everybody's right to write from `/tmp` would stop the whole machine.
#[test]
fn a_store_in_a_folder_like_tmp_is_to_be_moved() {
    let world = World::with_brand("");
    world.reconfigure(&format!("[store]\npath = \"shared/metatoken.db\"\n{BRAND}"));
    fs::create_dir(world.path("shared")).unwrap();
    fs::set_permissions(world.path("shared"), Permissions::from_mode(0o1777)).unwrap();
    world.run(&["refresh"]).code(0);
    world.run(&["check", "--system"]).code(2).verdict(
        "
METATOKEN CRITICAL - the store's folder [DIR]/shared is for every user of this…; operator: metatoken config check
CRITICAL: the store's folder `[DIR]/shared` is for every user of this machine, like `/tmp`
  move the store into a folder of its own and set `path` of `[store]` to it; then run `metatoken config check`. Proof: `metatoken check --system`
",
    );
    // The remedy is one.
    fs::create_dir(world.path("own")).unwrap();
    fs::set_permissions(world.path("own"), Permissions::from_mode(0o700)).unwrap();
    type_in(&format!("mv {0}/shared/* {0}/own", world.path(".").display()));
    world.reconfigure(&format!("[store]\npath = \"own/metatoken.db\"\n{BRAND}"));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.run(&["check", "--system"]).code(0);
}

/// What is printed to be typed is read by a shell.
#[test]
fn a_command_about_a_path_with_a_blank_works_as_it_is_printed() {
    let world = World::with_brand("");
    world.reconfigure(&format!("[store]\npath = \"state of it/metatoken.db\"\n{BRAND}"));
    world.run(&["refresh"]).code(0);
    let loose = Permissions::from_mode(0o770);
    fs::set_permissions(world.path("state of it"), loose).unwrap();
    let told = world.run(&["check", "--system"]).code(2).stdout;
    let command =
        told.rsplit('`').nth(1).unwrap().replace("[DIR]", world.path(".").to_str().unwrap());
    assert!(command.starts_with("chmod g-w '"), "{told}");
    type_in(&command);
    world.run(&["check", "--system"]).code(0);
}

#[test]
fn what_others_can_write_is_critical() {
    for (name, what) in [
        ("state", "the store's folder"),
        ("state/metatoken.db", "the store"),
        ("state/metatoken.db.lock", "the store's lock"),
        ("state/metatoken.key", "the store key"),
    ] {
        for (bits, who, remedy) in
            [(0o020, "its group", "g-w"), (0o002, "every user of this machine", "go-w")]
        {
            let world = World::with_brand("");
            world.reconfigure(&format!("[store]\npath = \"state/metatoken.db\"\n{BRAND}"));
            world.run(&["refresh"]).code(0);
            let path = world.path(name);
            let before = mode(&path);
            fs::set_permissions(&path, Permissions::from_mode(before | bits)).unwrap();
            let shown = format!("[DIR]/{name}");
            let told = format!("{what} `{shown}` can be written by {who}");
            // How much of the cause there is room for depends on the path.
            let ran = world.run(&["check", "--system"]).code(2);
            let (first, rest) = ran.stdout.split_once('\n').unwrap();
            assert!(first.starts_with(&format!("METATOKEN CRITICAL - {what} [DIR]/")), "{first}");
            let command = format!("chmod {remedy} {shown}");
            assert!(first.contains(&format!("; operator: {command} | ")), "{first}");
            assert_eq!(rest, format!("CRITICAL: {told}\n  run `{command}`\n"));
            world.run(&["check"]).code(2);
            world.run(&["check", "--tokens"]).code(0);
            let reason = &world.run(&["check", "--json"]).code(2).json()["system"][0];
            assert_eq!(reason["code"], "writable_by_others");
            type_in(&format!("chmod {remedy} {}", path.display()));
            world.run(&["check", "--system"]).code(0);
        }
    }
}

#[test]
fn a_file_system_that_cannot_carry_a_store_is_known_by_its_number() {
    for (number, name) in [
        (0x6969, Some("nfs")),
        (0xff53_4d42, Some("cifs")),
        (0xfe53_4d42, Some("smb")),
        (0x517b, Some("smb")),
        (0x0102_1997, Some("9p")),
        (0x6573_5546, Some("fuse")),
        (0x00c3_6400, Some("ceph")),
        (0x786f_4256, Some("vboxsf")),
        // ext4, xfs, btrfs, tmpfs, overlay, zfs, f2fs
        (0xef53, None),
        (0x5846_5342, None),
        (0x9123_683e, None),
        (0x0102_1994, None),
        (0x794c_7630, None),
        (0x2fc1_2fc1, None),
        (0xf2f5_2010, None),
    ] {
        assert_eq!(refused_filesystem(number), name, "{number:#x}");
    }
}

#[test]
fn the_setting_for_such_a_file_system_is_known() {
    let world = new_world();
    world.reconfigure(&format!("[store]\nunsafe_filesystem = true\n{BRAND}"));
    world.run(&["config", "check"]).code(0);
    let shown = world.run(&["config", "show"]).code(0).stdout;
    assert!(shown.contains("unsafe_filesystem = true"), "{shown}");
    world.run(&["refresh"]).code(0);
    world.reconfigure(&format!("[store]\nunsafe_filesystem = \"yes\"\n{BRAND}"));
    world.run(&["config", "check"]).code(78);
    assert_eq!(names(&world, |name| name == "metatoken.db.lock").len(), 1);
}

/// Two configs may name one store by two names.
#[test]
fn a_store_and_a_link_to_it_have_one_lock() {
    let mut world = World::with_brand("");
    world.reconfigure(&format!("[store]\npath = \"real/metatoken.db\"\n{BRAND}"));
    world.run(&["refresh"]).code(0);
    let real = world.path("real/metatoken.db.lock");
    let key = world.path("real/metatoken.key");
    std::os::unix::fs::symlink("real/metatoken.db", world.path("link.db")).unwrap();
    world.reconfigure(&format!(
        "[store]\npath = \"link.db\"\nkey = {{ file = \"{}\" }}\n{BRAND}",
        key.display()
    ));
    let lock = fs::File::options().write(true).open(real).unwrap();
    lock.lock().unwrap();
    world.run(&["refresh"]).code(75);
    drop(lock);
    // What is due is renewed, with room that is taken in the log of the file itself.
    world.at(day(45));
    let ran = world.run(&["refresh", "--json"]).code(0);
    assert_eq!(ran.result("brand")["outcome"], "refreshed");
    assert!(!world.path("link.db.lock").exists() && !world.path("link.db-wal").exists());
}
