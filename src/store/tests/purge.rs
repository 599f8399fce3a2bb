use super::*;

contract! {
    a_purged_string_that_returns_is_sealed_again,
}

/// What stays sealed of six strings that were set aside on the days 1 to 6, kept two at least and
/// ten days at least.
fn kept(expiry: Expiry, valid: Option<bool>, today: i64) -> Vec<u32> {
    let shelf = Shelf::new();
    let token = shelf.token("brand");
    for n in 0..=6 {
        let generation = shelf.current(token, &format!("EAAfake{n}"), expiry, day(n));
        let inspection = Inspection { expiry, ..Inspection::bare(valid, None) };
        let proof = Proof { at: day(n), inspection };
        shelf.note_proof(token, generation.id, proof);
    }
    let keep = Retention { generations: 2, at_least: TimeDelta::days(10) };
    let gone = shelf.store.purge(shelf.run, &[(token, keep)], day(today)).unwrap();
    let purged = shelf.kinds().into_iter().filter(|kind| *kind == EventKind::Purged).count();
    assert_eq!(gone, purged);

    let mut sealed = Vec::new();
    for generation in shelf.store.generations(token).unwrap() {
        match shelf.store.reveal(generation.id) {
            Ok(_) => sealed.push(generation.number),
            Err(error) => assert_eq!(error.code(), "purged"),
        }
        assert_eq!(shelf.store.sightings(&generation.fingerprint).unwrap().len(), 1);
    }
    sealed
}

#[test]
fn old_strings_go_when_nobody_can_want_them() {
    let passed = Expiry::At(day(10));
    let future = Expiry::At(day(99));
    let all = vec![7, 6, 5, 4, 3, 2, 1];
    for (why, expiry, valid, today, expected) in [
        ("too young", passed, Some(true), 10, all.clone()),
        ("the first is ten days aside", passed, Some(true), 11, vec![7, 6, 5, 4, 3, 2]),
        ("and the second", passed, Some(true), 12, vec![7, 6, 5, 4, 3]),
        ("the newest two stay", passed, Some(true), 90, vec![7, 6, 5]),
        ("it may still be alive", future, Some(true), 90, all.clone()),
        ("until its date", future, Some(true), 99, vec![7, 6, 5]),
        ("or until it is dead", future, Some(false), 90, vec![7, 6, 5]),
        ("without a date", Expiry::Never, Some(true), 900, all.clone()),
        ("without a date or a verdict", Expiry::Unknown, None, 900, all),
        ("dead without a date", Expiry::Never, Some(false), 900, vec![7, 6, 5]),
    ] {
        assert_eq!(kept(expiry, valid, today), expected, "{why}");
    }
}

fn a_purged_string_that_returns_is_sealed_again(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let first = shelf.current(token, "EAAfake1", Expiry::At(day(2)), day(1));
    shelf.current(token, "EAAfake2", Expiry::Unknown, day(2));
    let keep = Retention { generations: 0, at_least: TimeDelta::zero() };
    assert_eq!(shelf.store.purge(shelf.run, &[(token, keep)], day(3)).unwrap(), 1);
    let back = shelf.candidate(token, "EAAfake1", Expiry::Unknown, day(4));
    assert_eq!((back.id, back.number), (first.id, 1));
    assert_eq!(shelf.store.reveal(back.id).unwrap(), string("EAAfake1"));
}
