use rusqlite::Connection;

use super::*;
use crate::token::TargetId;

contract! {
    the_last_content_of_each_target_comes_back,
    an_old_content_is_forgotten_with_the_old_strings_of_its_token,
}

fn target(name: &str) -> TargetId {
    TargetId::new(name)
}

fn content(store: &Store, token: TokenId, name: &str) -> Option<(Time, Vec<u8>)> {
    let replaced = store.target_backup(token, &target(name)).unwrap();
    replaced.map(|replaced| (replaced.at, replaced.content.to_vec()))
}

fn the_last_content_of_each_target_comes_back(make: Make) {
    let shelf = make();
    let (brand, other) = (shelf.token("brand"), shelf.token("other"));
    let keep = |token, name, bytes: &[u8], at| {
        shelf.store.keep_target_backup(token, &target(name), bytes, day(at)).unwrap();
    };
    keep(brand, "a", b"first", 1);
    keep(brand, "b", b"\xff\x00 any bytes", 1);
    keep(brand, "a", b"second", 2);
    keep(other, "a", b"", 3);
    let found = |token, name| content(&shelf.store, token, name);
    assert_eq!(found(brand, "a"), Some((day(2), b"second".to_vec())));
    assert_eq!(found(brand, "b"), Some((day(1), b"\xff\x00 any bytes".to_vec())));
    assert_eq!(found(other, "a"), Some((day(3), Vec::new())));
    assert_eq!(found(other, "b"), None);
    let shown = format!("{:?}", shelf.store.target_backup(brand, &target("a")).unwrap());
    assert!(shown.contains("6 bytes") && !shown.contains("second"), "{shown}");
}

#[test]
fn without_the_right_key_nothing_comes_back() {
    let shelf = Shelf::new();
    let token = shelf.token("brand");
    shelf.store.keep_target_backup(token, &target("app"), b"token = EAAfake1", day(1)).unwrap();
    let reader = Store::open_reader(&shelf.path, None).unwrap().unwrap();
    let refused = || reader.target_backup(token, &target("app")).unwrap_err();
    assert_eq!(refused().code(), "key_needed");
    let wrong = KeySource::Given(Key::new([8; 32]));
    assert_eq!(reader.unlock(&wrong).unwrap_err().code(), "key_wrong");
    assert_eq!(refused().code(), "key_needed");
    reader.unlock(&key()).unwrap();
    assert_eq!(content(&reader, token, "app"), Some((day(1), b"token = EAAfake1".to_vec())));

    let keyless = Store::rehearsal(&shelf.path, None, None).unwrap();
    let refused = keyless.keep_target_backup(token, &target("app"), b"", day(2)).unwrap_err();
    assert_eq!(refused.code(), "key_needed");
}

#[test]
fn a_content_in_anothers_place_does_not_open() {
    for moved in ["UPDATE replaced SET target = 'b'", "UPDATE replaced SET token = 2"] {
        let shelf = Shelf::new();
        let (brand, other) = (shelf.token("brand"), shelf.token("other"));
        shelf.store.keep_target_backup(brand, &target("a"), b"hush", day(1)).unwrap();
        Connection::open(&shelf.path).unwrap().execute(moved, []).unwrap();
        let codes: Vec<_> = [(brand, "a"), (brand, "b"), (other, "a")]
            .into_iter()
            .filter_map(|(token, name)| shelf.store.target_backup(token, &target(name)).err())
            .map(|error| error.code())
            .collect();
        assert_eq!(codes, ["store_damaged"], "{moved}");
    }
}

fn an_old_content_is_forgotten_with_the_old_strings_of_its_token(make: Make) {
    let shelf = make();
    let (brand, other) = (shelf.token("brand"), shelf.token("other"));
    for (token, name, at) in [(brand, "old", 1), (brand, "young", 2), (other, "old", 1)] {
        shelf.store.keep_target_backup(token, &target(name), b"hush", day(at)).unwrap();
    }
    let keep = Retention { generations: 9, at_least: TimeDelta::days(10) };
    assert_eq!(shelf.store.purge(shelf.run, &[(brand, keep)], day(11)).unwrap(), 0);
    let left = |token, name| content(&shelf.store, token, name).is_some();
    assert_eq!((left(brand, "old"), left(brand, "young")), (false, true));
    assert!(left(other, "old"), "nobody asked");
    assert_eq!(shelf.kinds(), [], "it is no string of the history");
}
