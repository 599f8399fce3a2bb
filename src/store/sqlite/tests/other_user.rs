//! A reader of another user, who may read the files and write nothing: the test that chose the
//! journal mode.
//!
//! Another user is another process, so this binary starts itself again: once as that user, to
//! read the store in its working folder, and once as a writer that is killed while it writes.
//! Both are tests that are ignored unless they are named.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::time::Instant;

use super::*;

/// `nobody`, everywhere.
const NOBODY: u32 = 65534;
const HERE: &str = "metatoken.db";

#[test]
#[ignore = "started by the tests of this file, as another user"]
fn reads_the_store_of_this_folder() {
    if !is_child() {
        return;
    }
    let reader = Store::open_reader(Path::new(HERE), None).unwrap().unwrap();
    let tokens = reader.credentials().unwrap().len();
    let events = reader.events(&EventQuery::default()).unwrap().len();
    let written =
        fs::File::create("trace").is_ok() || fs::File::options().write(true).open(HERE).is_ok();
    assert!(!written, "this user was to have no right to write");
    // Through a panic, because what a passing test prints is not shown.
    panic!("read: {tokens} tokens, {events} events.");
}

#[test]
#[ignore = "started by the tests of this file, to be killed"]
fn writes_until_it_is_killed() {
    if !is_child() {
        return;
    }
    let path = Path::new(HERE);
    let store = Store::open(&lock(path), path, &key()).unwrap();
    for n in 0..100_000 {
        store.enrol(&[enrolment(&format!("more-{n}"))], day(0)).unwrap();
    }
}

/// What another user reads, or why it could not.
fn seen_by_nobody(folder: &Path) -> String {
    let output = again("other_user::reads_the_store_of_this_folder", folder)
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match text.split_once("read: ").and_then(|(_, rest)| rest.split_once('.')) {
        Some((seen, _)) => seen.to_owned(),
        None => text + &String::from_utf8_lossy(&output.stderr),
    }
}

fn loosen(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    for ending in ["", place::LOG, place::INDEX] {
        let path = place::beside(&folder.join(HERE), ending);
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
}

#[test]
fn another_user_reads_the_store_whatever_became_of_its_writer() {
    if !rustix::process::geteuid().is_root() {
        // The harness shows a line of a passing test only when asked to; that is enough here.
        let _ = writeln!(std::io::stdout(), "skipped: only root can become another user");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(HERE);
    let lock = lock(&path);
    drop(Store::open(&lock, &path, &key()).unwrap());
    loosen(folder.path());
    assert_eq!(seen_by_nobody(folder.path()), "0 tokens, 0 events");

    let store = Store::open(&lock, &path, &key()).unwrap();
    assert_eq!(seen_by_nobody(folder.path()), "0 tokens, 0 events", "writer open, log empty");
    store.enrol(&[enrolment("brand")], day(0)).unwrap();
    assert_eq!(seen_by_nobody(folder.path()), "1 tokens, 0 events", "after the first commit");
    let run = store.begin_run("refresh", Trigger::Manual, day(0)).unwrap();
    let token = Arc::unwrap_or_clone(store.credentials().unwrap().remove(0));
    store.retire(run, token, day(1)).unwrap();
    assert_eq!(seen_by_nobody(folder.path()), "1 tokens, 1 events", "after more");
    drop(store);
    assert_eq!(seen_by_nobody(folder.path()), "1 tokens, 1 events", "after a clean end");
    drop(lock);

    let mut writer = again("other_user::writes_until_it_is_killed", folder.path()).spawn().unwrap();
    let tokens_now = || {
        let reader = Store::open_reader(&path, None).unwrap().unwrap();
        reader.credentials().unwrap().len()
    };
    let started = Instant::now();
    while tokens_now() < 20 {
        assert!(started.elapsed() < Duration::from_mins(1), "the writer does not write");
    }
    let during = seen_by_nobody(folder.path());
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert!(fs::metadata(place::beside(&path, place::LOG)).unwrap().len() > 0);
    let after = seen_by_nobody(folder.path());
    let tokens = |seen: &str| seen.split(' ').next().and_then(|n| n.parse::<usize>().ok());
    assert!(tokens(&during) >= Some(20), "while it wrote: {during}");
    assert!(tokens(&after) >= tokens(&during), "after it was killed: {after}");
}
