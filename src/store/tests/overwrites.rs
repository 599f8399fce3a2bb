use std::path::PathBuf;

use rusqlite::Connection;

use super::*;
use crate::token::TargetId;

contract! {
    both_contents_come_back_until_the_file_is_whole,
    what_is_about_to_be_written_is_pending_and_what_is_restored_has_drifted,
    a_restore_of_which_nothing_was_written_can_be_made_again,
    one_write_is_open_for_a_file,
    what_is_needed_to_finish_a_file_is_not_purged,
    the_process_of_a_target_or_of_its_command_is_known,
}

fn target(name: &str) -> TargetId {
    TargetId::new(name)
}

/// Begins a write of `new` over `old` into `/srv/NAME`.
fn begin(shelf: &Shelf, token: TokenId, name: &str, generation: Option<GenerationId>) {
    let begun = Overwriting {
        token,
        target: &target(name),
        path: PathBuf::from("/srv").join(name),
        generation,
        old: b"old",
        new: b"new",
    };
    shelf.store.begin_overwrite(&begun, day(2)).unwrap();
}

/// What is open: the target, and what the file held and is to hold.
fn open(store: &Store) -> Vec<(String, Option<[Vec<u8>; 2]>)> {
    let contents = |contents: FileContents| [contents.old.to_vec(), contents.new.to_vec()];
    let overwrites = store.overwrites().unwrap().into_iter();
    overwrites.map(|it| (it.target.to_string(), it.contents.map(contents))).collect()
}

fn both() -> [Vec<u8>; 2] {
    [b"old".to_vec(), b"new".to_vec()]
}

fn both_contents_come_back_until_the_file_is_whole(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let current = shelf.current(token, "EAAfake1", Expiry::Unknown, day(1));
    shelf.store.set_pending(token, &[target("a"), target("b")], day(1)).unwrap();
    for name in ["a", "b"] {
        begin(&shelf, token, name, Some(current.id));
    }
    assert_eq!(
        open(&shelf.store),
        [("a".to_owned(), Some(both())), ("b".to_owned(), Some(both()))]
    );
    let shown = format!("{:?}", shelf.store.overwrites().unwrap()[0].contents);
    assert!(shown.contains("3 bytes") && !shown.contains("old"), "{shown}");
    let since = |shelf: &Shelf| -> Vec<_> {
        let credential = shelf.store.credential(token).unwrap();
        credential.deliveries.iter().map(|it| it.half_written_since).collect()
    };
    assert_eq!(since(&shelf), [Some(day(2)), Some(day(2))]);
    let settlement = Settlement { token, target: target("a"), generation: current.id };
    shelf.store.settle(shelf.run, settlement, day(3)).unwrap();
    assert_eq!(since(&shelf), [None, Some(day(2))]);
    shelf.store.end_overwrite(token, &target("b")).unwrap();
    assert_eq!(open(&shelf.store), []);
}

fn what_is_about_to_be_written_is_pending_and_what_is_restored_has_drifted(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let current = shelf.current(token, "EAAfake1", Expiry::Unknown, day(1));
    for name in ["delivered", "restored"] {
        let settlement = Settlement { token, target: target(name), generation: current.id };
        shelf.store.settle(shelf.run, settlement, day(1)).unwrap();
    }
    begin(&shelf, token, "delivered", Some(current.id));
    begin(&shelf, token, "restored", None);
    let deliveries = shelf.store.credential(token).unwrap().deliveries;
    let [delivered, restored] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    assert_eq!((delivered.pending, delivered.pending_since), (Some(current.id), Some(day(2))));
    assert_eq!((restored.pending, restored.drifted_since), (None, Some(day(2))));
}

fn a_restore_of_which_nothing_was_written_can_be_made_again(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let replaced = |name: &str| {
        shelf.store.target_backup(token, &target(name)).unwrap().unwrap().content.to_vec()
    };
    let current = shelf.current(token, "EAAfake1", Expiry::Unknown, day(1));
    begin(&shelf, token, "restored", None);
    begin(&shelf, token, "delivered", Some(current.id));
    for name in ["restored", "delivered"] {
        assert_eq!(replaced(name), b"old");
        shelf.store.cancel_overwrite(token, &target(name)).unwrap();
    }
    assert_eq!((replaced("restored"), replaced("delivered")), (b"new".to_vec(), b"old".to_vec()));
    assert_eq!(open(&shelf.store), []);
}

fn one_write_is_open_for_a_file(make: Make) {
    let shelf = make();
    let (brand, shop) = (shelf.token("brand"), shelf.token("shop"));
    begin(&shelf, brand, "a", None);
    begin(&shelf, shop, "a", None);
    let open: Vec<_> = shelf.store.overwrites().unwrap().iter().map(|it| it.token).collect();
    assert_eq!(open, [shop]);
}

fn what_is_needed_to_finish_a_file_is_not_purged(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    begin(&shelf, token, "a", None);
    let keep = Retention { generations: 9, at_least: TimeDelta::days(1) };
    shelf.store.purge(shelf.run, &[(token, keep)], day(99)).unwrap();
    assert_eq!(open(&shelf.store), [("a".to_owned(), Some(both()))]);
    shelf.store.end_overwrite(token, &target("a")).unwrap();
    shelf.store.purge(shelf.run, &[(token, keep)], day(99)).unwrap();
    assert!(shelf.store.target_backup(token, &target("a")).unwrap().is_none());
}

#[test]
fn a_damaged_row_is_that_files_trouble() {
    for damage in [
        "UPDATE overwrite SET sealed = zeroblob(60) WHERE target = 'a'",
        "UPDATE replaced SET sealed = x'' WHERE target = 'a'",
        "DELETE FROM replaced WHERE target = 'a'",
        "UPDATE overwrite SET sealed = (SELECT sealed FROM replaced r WHERE r.target = 'a')
         WHERE target = 'a'",
    ] {
        let shelf = Shelf::new();
        let token = shelf.token("brand");
        begin(&shelf, token, "a", None);
        begin(&shelf, token, "b", None);
        Connection::open(&shelf.path).unwrap().execute(damage, []).unwrap();
        let expected = [("a".to_owned(), None), ("b".to_owned(), Some(both()))];
        assert_eq!(open(&shelf.store), expected, "{damage}");
    }
}

#[test]
fn no_content_lies_on_the_disk_in_the_clear() {
    let shelf = Shelf::new();
    let token = shelf.token("brand");
    let begun = Overwriting {
        token,
        target: &target("a"),
        path: PathBuf::from("/srv/a"),
        generation: None,
        old: b"token = EAAFAKEOldInTheClear",
        new: b"token = EAAFAKENewInTheClear",
    };
    shelf.store.begin_overwrite(&begun, day(2)).unwrap();
    for entry in std::fs::read_dir(shelf.path.parent().unwrap()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(10).any(|window| window == b"InTheClear"));
    }
}

fn the_process_of_a_target_or_of_its_command_is_known(make: Make) {
    let shelf = make();
    let (brand, shop) = (shelf.token("brand"), shelf.token("shop"));
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let (one, two) = (words(&["/bin/hook", "a b"]), words(&["/bin/hook", "a", "b"]));
    let process = |pid| HookProcess {
        pid,
        start_ticks: u64::from(pid) * 1_000_000_000_000,
        boot: "boot".into(),
        started_at: day(1),
    };
    let note = |token, name, command: &[String], pid| {
        shelf.store.note_hook(&[(token, target(name))], command, process(pid)).unwrap();
    };
    let pids = |token, name, command: &[String]| -> Vec<u32> {
        let hooks = shelf.store.hooks(token, &target(name), command).unwrap();
        hooks.into_iter().map(|hook| hook.pid).collect()
    };
    note(brand, "a", &one, 1);
    note(shop, "b", &two, 2);
    assert_eq!(shelf.store.hooks(brand, &target("a"), &one).unwrap(), [process(1)]);
    assert_eq!(pids(brand, "a", &two), [1, 2], "its target, and the same command elsewhere");
    assert_eq!(pids(brand, "c", &two), [2]);
    assert_eq!(pids(shop, "a", &words(&["/bin/other"])), [0; 0]);
    note(brand, "a", &one, 3);
    assert_eq!(pids(brand, "a", &one), [3], "the last one counts");
    let shared = [(brand, target("d")), (shop, target("d"))];
    shelf.store.note_hook(&shared, &one, process(4)).unwrap();
    assert_eq!(pids(shop, "d", &one), [3, 4], "a process that serves several is one");
}
