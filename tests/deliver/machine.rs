//! What the machine does not allow: another user's file, a mounted one, a folder that cannot be
//! written. And what a run costs when there is nothing to bring.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{APP_INI, ONE, TWO, WEB_ENV, delivered, due, env, held, ini, states, world};
use crate::common::skip;
use crate::common::{Ran, World};

/// `nobody`, everywhere.
const NOBODY: u32 = 65534;

const IN_PLACE: &str = "write = \"in-place\"\n";

fn skipped(why: &str) {
    skip("deliver: what the machine does not allow", why);
}

/// A run by `nobody`, to whom all of the world but these files is given.
pub(super) fn as_nobody(world: &World, not_theirs: &[&str], arguments: &[&str]) -> Ran {
    let folder = crate::common::folder();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let binary = folder.path().join("metatoken");
    // By a process of its own: a file that this one has open to write cannot be started.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_metatoken")).arg(&binary).status();
    assert!(copied.unwrap().success());
    for (path, _) in world.bytes_on_disk() {
        if !not_theirs.iter().any(|name| path.ends_with(name)) {
            chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    for name in [".", "web"] {
        chown(world.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let template = world.command(arguments);
    let mut command = Command::new(binary);
    command
        .args(template.get_args())
        .env_clear()
        .envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .uid(NOBODY)
        .gid(NOBODY);
    world.finish(command.spawn().unwrap())
}

#[test]
fn another_users_file_stays_as_it_was() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can become another user");
    }
    let world = world(&format!("{APP_INI}{WEB_ENV}"));
    let app = world.path("app.ini");
    fs::set_permissions(&app, Permissions::from_mode(0o666)).unwrap();
    let before = fs::metadata(&app).unwrap();
    as_nobody(&world, &["app.ini"], &["deliver", "--test"]).stdout(r#"
brand -> app: would fail: [DIR]/app.ini: not replaced: its group (group 0) cannot be carried over: Operation not permitted (os error 1)
  hint: run metatoken as the owner of the file or as root, or write into the file itself: `write = "in-place"`
brand -> web: would change
  - FB_TOKEN=[redacted]
  + FB_TOKEN=[redacted]
"#).stderr("").code(73);
    as_nobody(&world, &["app.ini"], &["refresh"]).stdout(r#"
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  found in the environment variable `BRAND`
       delivered to web

warning: `brand`: not delivered to `app`, just now: [DIR]/app.ini: not replaced: its group (group 0) cannot be carried over: Operation not permitted (os error 1); run metatoken as the owner of the file or as root, or write into the file itself: `write = "in-place"`
  hint: run `metatoken deliver brand`, which tries again and says what to fix

1 token: 1 adopted
"#).stderr("").code(73);
    let after = fs::metadata(&app).unwrap();
    let rights = |file: &fs::Metadata| (file.ino(), file.uid(), file.gid(), file.mode());
    assert_eq!(rights(&before), rights(&after));
    assert_eq!(held(&world, "app.ini"), ini("YOUR-KEY-HERE"));
    assert_eq!(held(&world, "web/.env"), env(ONE));

    world.reconfigure(&format!("{}\n{APP_INI}{IN_PLACE}{WEB_ENV}", crate::common::BRAND));
    as_nobody(&world, &["app.ini"], &["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "app.ini"), ini(ONE));
    assert_eq!(rights(&before), rights(&fs::metadata(&app).unwrap()));
}

/// A run in a view of the mounts that `script` arranged, with the world's folder as `$1`; `None`
/// where this machine lets nobody do that.
fn mounted(world: &World, script: &str, arguments: &[&str]) -> Option<Ran> {
    let script = format!("set -e; {script}; shift; exec \"$@\"");
    let folder = world.path("");
    let mut words = vec!["--mount", "sh", "-c", &script, "sh", folder.to_str().unwrap()];
    if !rustix::process::geteuid().is_root() {
        words.insert(0, "--map-root-user");
    }
    let probe = Command::new("unshare").args(&words).arg("true").output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        skipped("this machine does not let its mounts be arranged anew");
        return None;
    }
    let template = world.command(arguments);
    let mut command = Command::new("unshare");
    command
        .args(&words)
        .arg(template.get_program())
        .args(template.get_args())
        .envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Some(world.finish(command.spawn().unwrap()))
}

const FILE: &str = "mount --bind \"$1/outside\" \"$1/app.ini\"";
const READ_ONLY: &str = "mount --bind \"$1/web\" \"$1/web\"; mount -o remount,ro,bind \"$1/web\"";

#[test]
fn a_file_that_is_mounted_by_itself_names_in_place() {
    let world = due(&format!("{APP_INI}{WEB_ENV}"));
    world.write("outside", ini(ONE));
    let Some(ran) = mounted(&world, FILE, &["deliver", "--test"]) else { return };
    ran.stdout(r#"
brand -> app: would fail: [DIR]/app.ini: not replaced: the file is mounted there by itself, so that no other can take its place
  hint: write into the file itself: `write = "in-place"`
brand -> web: has the current access token already
"#).stderr("").code(73);
    mounted(&world, FILE, &["refresh", "-n"]).unwrap().code(73);
    mounted(&world, FILE, &["refresh"]).unwrap().stdout(r#"
TOKEN  OUTCOME    EXPIRES     REASON
brand  refreshed  2026-04-16  expires in 15 days (renewal window: 20 days)
       delivered to web

warning: `brand`: not delivered to `app`, just now: [DIR]/app.ini: not replaced: the file is mounted there by itself, so that no other can take its place; write into the file itself: `write = "in-place"`
  hint: run `metatoken deliver brand`, which tries again and says what to fix

1 token: 1 refreshed
"#).stderr("").code(73);
    assert_eq!(held(&world, "outside"), ini(ONE));
    assert_eq!(held(&world, "web/.env"), env(TWO));
    world.reconfigure(&format!("{}\n{APP_INI}{IN_PLACE}{WEB_ENV}", crate::common::BRAND));
    world.calls();
    mounted(&world, FILE, &["refresh", "--quiet"]).unwrap().silent().code(0);
    assert_eq!(held(&world, "outside"), ini(TWO));
    assert_eq!(held(&world, "app.ini"), ini(ONE), "what lies beneath");
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let world = due(&format!("{APP_INI}{WEB_ENV}"));
    let Some(ran) = mounted(&world, READ_ONLY, &["deliver", "--test"]) else { return };
    ran.stdout(r#"
brand -> app: has the current access token already
brand -> web: would fail: [DIR]/web/.env: not replaced: nothing can be made in its folder `[DIR]/web`: Read-only file system (os error 30)
  hint: let the user who runs metatoken write in the folder, or write into the file itself: `write = "in-place"`
"#).stderr("").code(73);
    mounted(&world, READ_ONLY, &["refresh"]).unwrap().stdout(r#"
TOKEN  OUTCOME    EXPIRES     REASON
brand  refreshed  2026-04-16  expires in 15 days (renewal window: 20 days)
       delivered to app

warning: `brand`: not delivered to `web`, just now: [DIR]/web/.env: not replaced: nothing can be made in its folder `[DIR]/web`: Read-only file system (os error 30); let the user who runs metatoken write in the folder, or write into the file itself: `write = "in-place"`
  hint: run `metatoken deliver brand`, which tries again and says what to fix

1 token: 1 refreshed
"#).stderr("").code(73);
    assert_eq!(states(&world.offline("brand")), ["app in_sync", "web failed"]);
    assert_eq!(held(&world, "web/.env"), env(ONE));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "web/.env"), env(TWO));
}

#[test]
fn a_run_with_nothing_to_bring_asks_nobody_and_is_quick() {
    let token = "[[token.brand.deliver]]\nname = \"raw\"\nfile = \"token\"\ncreate = true\n";
    let world = delivered(&format!("{APP_INI}{WEB_ENV}{token}"));
    let written = |name: &str| fs::metadata(world.path(name)).unwrap().ctime_nsec();
    let files = ["app.ini", "web/.env", "token"];
    let before = files.map(written);
    let quickest = (0..5).map(|_| {
        let began = Instant::now();
        world.run(&["refresh", "--quiet"]).silent().code(0);
        began.elapsed()
    });
    let quickest = quickest.min().unwrap();
    assert_eq!(world.calls(), [""; 0]);
    assert_eq!(files.map(written), before, "nothing was written");
    // A debug build on a busy machine; a call or a timeout would take longer.
    assert!(quickest < Duration::from_secs(1), "{quickest:?}");
}

#[test]
fn a_group_that_a_user_namespace_hides_is_not_taken_for_another() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can give a file to any group");
    }
    let namespace = ["--user", "--map-root-user"];
    let works = Command::new("unshare").args(namespace).arg("true").status();
    if !works.is_ok_and(|status| status.success()) {
        return skipped("there are no user namespaces");
    }
    let world = world(APP_INI);
    // The folder hands its own group to a new file, and both look alike from within.
    chown(world.path("app.ini"), None, Some(12345)).unwrap();
    chown(world.path("."), None, Some(23456)).unwrap();
    fs::set_permissions(world.path("."), Permissions::from_mode(0o2755)).unwrap();
    let template = world.command(&["refresh", "--json"]);
    let mut command = Command::new("unshare");
    command
        .args(namespace)
        .arg(template.get_program())
        .args(template.get_args())
        .env_clear()
        .envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ran = world.finish(command.spawn().unwrap()).code(73);
    assert!(
        ran.stdout.contains("its group (group 65534) cannot be carried over"),
        "{}",
        ran.stdout
    );
    assert_eq!(fs::metadata(world.path("app.ini")).unwrap().gid(), 12345);
}

#[test]
fn a_file_that_is_closed_gets_it_once_it_is_opened() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can become another user");
    }
    let world = world(&format!("{APP_INI}{IN_PLACE}{WEB_ENV}"));
    fs::set_permissions(world.path("app.ini"), Permissions::from_mode(0o600)).unwrap();
    let ran = as_nobody(&world, &["app.ini"], &["refresh"]).stderr("").code(73);
    let opens = "let the user who runs metatoken read the file and enter its folders";
    assert!(ran.stdout.contains(opens), "{}", ran.stdout);
    assert_eq!(held(&world, "app.ini"), ini("YOUR-KEY-HERE"));
    assert_eq!(held(&world, "web/.env"), env(ONE));
    chown(world.path("app.ini"), None, Some(NOBODY)).unwrap();
    fs::set_permissions(world.path("app.ini"), Permissions::from_mode(0o660)).unwrap();
    as_nobody(&world, &["app.ini"], &["deliver", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "app.ini"), ini(ONE));
}
