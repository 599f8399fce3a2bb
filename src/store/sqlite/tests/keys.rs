use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::error::CliError;

fn put(path: &Path, text: &str) {
    use std::io::Write as _;
    fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_key_is_made_with_a_new_store_and_never_for_an_existing_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/metatoken.db");
    let key_path = folder.path().join("state/metatoken.key");
    let source = KeySource::File(key_path.clone());
    let lock = lock(&path);
    drop(Store::open(&lock, &path, &source).unwrap());
    for made in [&path, &key_path] {
        assert_eq!(fs::metadata(made).unwrap().permissions().mode() & 0o777, 0o600);
    }
    drop(Store::open(&lock, &path, &source).unwrap());

    let kept = fs::read_to_string(&key_path).unwrap();
    fs::remove_file(&key_path).unwrap();
    let complaint = CliError::from(Store::open(&lock, &path, &source).unwrap_err());
    assert_eq!(complaint.code, "key_missing");
    assert_eq!(complaint.subject, key_path.display().to_string());
    assert!(!key_path.exists());

    for (text, code) in [
        ("11".repeat(32), "key_wrong"),
        (String::new(), "key_malformed"),
        ("hunter2".into(), "key_malformed"),
    ] {
        put(&key_path, &text);
        let error = Store::open(&lock, &path, &source).unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(error.path(), key_path);
    }
    put(&key_path, &kept);
    assert!(Store::open(&lock, &path, &source).is_ok());
}

#[test]
fn a_key_of_our_making_without_its_store_is_a_loss_and_a_named_one_waits_for_its_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metatoken.db");
    let key_path = folder.path().join("metatoken.key");
    put(&key_path, &"07".repeat(32));
    let made = KeySource::File(key_path.clone());
    assert_eq!(Store::open(&lock(&path), &path, &made).unwrap_err().code(), "store_lost");
    let read = Store::open_reader(&path, Some(&key_path)).unwrap_err();
    assert_eq!(read.code(), "store_lost");
    drop(Store::open(&lock(&path), &path, &key()).unwrap());
    assert!(Store::open(&lock(&path), &path, &made).is_ok());
    assert_eq!(fs::read_to_string(&key_path).unwrap(), "07".repeat(32));

    // Earlier installations made both files beforehand, empty.
    let other = folder.path().join("other.db");
    let key_path = folder.path().join("other.key");
    put(&other, "");
    put(&key_path, "");
    drop(Store::open(&lock(&other), &other, &KeySource::File(key_path.clone())).unwrap());
    assert!(Store::open(&lock(&other), &other, &KeySource::File(key_path)).is_ok());
}

#[test]
fn a_link_is_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metatoken.db");
    let (target, link) = (folder.path().join("target"), folder.path().join("metatoken.key"));
    put(&target, &"07".repeat(32));
    drop(Store::open(&lock(&path), &path, &key()).unwrap());
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let error = Store::open(&lock(&path), &path, &KeySource::File(link.clone())).unwrap_err();
    assert_eq!((error.code(), error.path()), ("key_unreadable", link.as_path()));
    let hint = CliError::from(error).hints.remove(0);
    assert!(hint.contains(&format!("key = {{ file = \"{}\" }}", target.display())), "{hint}");
}

#[test]
fn a_reader_needs_the_key_only_to_reveal() {
    let shelf = Shelf::new();
    let token = shelf.token("brand");
    let current = shelf.current(token, "EAAfake1", Expiry::Unknown, day(1));
    let reader = Store::open_reader(&shelf.path, None).unwrap().unwrap();
    assert_eq!(reader.credentials().unwrap().len(), 1);
    assert_eq!(reader.reveal(current.id).unwrap_err().code(), "key_needed");
    let wrong = KeySource::Given(Key::new([8; 32]));
    assert_eq!(reader.unlock(&wrong).unwrap_err().code(), "key_wrong");
    reader.unlock(&key()).unwrap();
    assert_eq!(reader.reveal(current.id).unwrap(), string("EAAfake1"));
    let write = reader.begin_run("refresh", Trigger::Manual, day(1)).unwrap_err();
    assert_eq!(write.code(), "store_unwritable");
}

#[test]
fn no_string_lies_in_the_clear() {
    let shelf = Shelf::new();
    let token = shelf.token("brand");
    shelf.current(token, "EAAfakeOld", Expiry::Unknown, day(1));
    shelf.current(token, "EAAfakeNew", Expiry::Unknown, day(2));
    let target = crate::token::TargetId::new("app");
    shelf.store.keep_target_backup(token, &target, b"token = EAAfakeOld", day(2)).unwrap();
    let folder = shelf.path.parent().unwrap().to_path_buf();
    let clear = || {
        fs::read_dir(&folder).unwrap().any(|entry| {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            bytes.windows(7).any(|window| window == b"EAAfake" || window == [7; 7])
        })
    };
    assert!(fs::metadata(place::beside(&shelf.path, place::LOG)).unwrap().len() > 0);
    assert!(!clear(), "while the writer is there");
    let Shelf { store, folder: _folder, .. } = shelf;
    drop(store);
    assert!(!clear(), "after it has left");
}
