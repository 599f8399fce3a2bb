use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rusqlite::Connection;

use super::*;
use crate::store::private_files;

/// Every file of the folder, with its bytes.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_reader_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("metatoken.db");
    assert!(Store::open_reader(&absent, None).unwrap().is_none());
    assert!(contents(folder.path()).is_empty());

    let shelf = Shelf::new();
    shelf.token("brand");
    // A copy of the one file, as a backup holds it after the writer has left.
    let Shelf { store, path, folder: _folder, .. } = shelf;
    drop(store);
    fs::copy(&path, &absent).unwrap();
    for path in [&path, &absent] {
        let before = contents(path.parent().unwrap());
        let reader = Store::open_reader(path, None).unwrap().unwrap();
        assert_eq!(reader.credentials().unwrap().len(), 1);
        drop(reader);
        assert_eq!(before, contents(path.parent().unwrap()));
    }
}

#[test]
fn an_empty_file_is_no_store_yet_and_says_whose_it_will_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metatoken.db");
    private_files::make_file(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(Store::open_reader(&path, None).unwrap().is_none());
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    drop(Store::open(&lock(&path), &path, &key()).unwrap());
    assert_eq!(mode(&path), 0o640);
    assert!(Store::open_reader(&path, None).unwrap().is_some());
}

#[test]
fn a_store_behind_a_link_keeps_its_log_beside_the_file() {
    let shelf = Shelf::new();
    shelf.token("brand");
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("metatoken.db");
    std::os::unix::fs::symlink(&shelf.path, &link).unwrap();
    assert!(fs::metadata(place::beside(&shelf.path, place::LOG)).unwrap().len() > 32);
    let reader = Store::open_reader(&link, None).unwrap().unwrap();
    assert_eq!(reader.credentials().unwrap().len(), 1, "what only the log holds is read");
    assert_eq!(contents(elsewhere.path()).len(), 1, "nothing is made beside the link");
}

#[test]
fn a_rehearsal_reaches_no_disk() {
    let shelf = Shelf::new();
    let token = shelf.token("brand");
    let first = shelf.current(token, "EAAfake1", Expiry::Unknown, day(1));
    let Shelf { store, path, lock, folder, .. } = shelf;
    drop(store);
    let before = contents(folder.path());
    let rehearsal = Store::rehearsal(&path, Some(&key()), None).unwrap();
    let run = rehearsal.begin_run("refresh", Trigger::Manual, day(2)).unwrap();
    let new = NewCandidate::granted(string("EAAfake2"), Origin::Refreshed, Expiry::Never);
    let known = rehearsal.credential(token).unwrap();
    assert_eq!(known.current.as_ref().map(|current| current.id), Some(first.id));
    let (known, candidate) = rehearsal.seal_candidate(known, new, day(2)).unwrap();
    let promotion = Promotion {
        candidate: candidate.id,
        successor: crate::store::Successor::Candidate,
        proof: None,
        arrival: Arrival::Refreshed,
        problem: None,
        predecessor: Predecessor::Kept,
        pending_for: Vec::new(),
    };
    rehearsal.promote(run, known, promotion, day(2)).unwrap();
    assert_eq!(rehearsal.reveal(candidate.id).unwrap(), string("EAAfake2"));
    assert_eq!(rehearsal.credentials().unwrap()[0].current.as_ref().unwrap().number, 2);
    drop(rehearsal);
    assert_eq!(before, contents(folder.path()));
    let store = Store::open(&lock, &path, &key()).unwrap();
    assert_eq!(store.credentials().unwrap()[0].current.as_ref().unwrap().number, 1);

    let empty = tempfile::tempdir().unwrap();
    let nowhere = empty.path().join("state/metatoken.db");
    let source = KeySource::File(empty.path().join("state/metatoken.key"));
    let rehearsal = Store::rehearsal(&nowhere, Some(&source), None).unwrap();
    rehearsal.enrol(&[enrolment("brand")], day(0)).unwrap();
    rehearsal.fingerprint(&string("EAAfake1")).unwrap();
    assert!(contents(empty.path()).is_empty());
}

#[test]
fn what_the_operator_loosened_stays_so_and_the_log_follows() {
    let shelf = Shelf::new();
    let Shelf { store, path, folder: _folder, lock, .. } = shelf;
    let beside = [place::LOG, place::INDEX].map(|ending| place::beside(&path, ending));
    for file in &beside {
        assert_eq!(mode(file), 0o600);
    }
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let store = Store::open(&lock, &path, &key()).unwrap();
    store.enrol(&[enrolment("brand")], day(0)).unwrap();
    assert_eq!(mode(&path), 0o640);
    for file in &beside {
        assert_eq!(mode(file), 0o640);
    }
}

#[test]
fn the_log_is_kept_and_empty_after_the_writer_left() {
    let shelf = Shelf::new();
    let Shelf { store, path, folder: _folder, .. } = shelf;
    drop(store);
    assert_eq!(fs::metadata(place::beside(&path, place::LOG)).unwrap().len(), 0);
    assert!(place::beside(&path, place::INDEX).exists());
}

#[test]
fn what_is_no_store_of_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    fs::copy(file!(), &text).unwrap();
    let other = folder.path().join("other.db");
    let connection = Connection::open(&other).unwrap();
    connection.execute_batch("CREATE TABLE cookies (n)").unwrap();
    drop(connection);
    for path in [text, other] {
        let before = contents(folder.path());
        let written = Store::open(&lock(&path), &path, &key()).unwrap_err();
        assert_eq!(written.code(), "store_foreign", "{}", path.display());
        let read = Store::open_reader(&path, None).unwrap_err();
        assert_eq!(read.code(), "store_foreign", "{}", path.display());
        assert_eq!(before[&path], contents(folder.path())[&path]);
    }
}

#[test]
fn damage_is_named() {
    let shelf = Shelf::new();
    let token = shelf.token("brand");
    shelf.current(token, "EAAfake1", Expiry::Unknown, day(1));
    let current = shelf.current(token, "EAAfake2", Expiry::Unknown, day(1));
    let connection = Connection::open(&shelf.path).unwrap();
    let swap = "UPDATE generation SET sealed = (SELECT sealed FROM generation WHERE number = 1)";
    connection.execute_batch(swap).unwrap();
    assert_eq!(shelf.store.reveal(current.id).unwrap_err().code(), "store_damaged");
    connection.execute_batch("UPDATE token SET type = 'carrier pigeon'").unwrap();
    let damage = shelf.credential(token).damage.unwrap();
    assert_eq!((damage.in_place, damage.parts), (None, vec!["renewal record"]));
}
