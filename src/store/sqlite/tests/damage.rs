//! Every column of every table is damaged with every value that nobody writes; whatever it is, the
//! other token's rows are what they were, and the damaged one can be replaced.

use rusqlite::Connection;

use super::*;
use crate::token::{ChannelId, Credential, TargetId};

/// A store with two tokens, as a file's bytes; one row at least in every table.
fn bytes() -> Vec<u8> {
    let shelf = Shelf::new();
    for name in ["brand", "shop"] {
        let token = shelf.token(name);
        let end = Expiry::At(day(60));
        let current = shelf.current(token, &format!("EAAfake{name}"), end, day(1));
        shelf.note_proof(token, current.id, proof(day(1), true, end));
        shelf.store.set_pending(token, &[TargetId::new("app")], day(1)).unwrap();
        shelf.store.keep_target_backup(token, &TargetId::new("app"), b"old", day(1)).unwrap();
        shelf.store.plan_attempts(shelf.run, &[token], day(1)).unwrap();
    }
    shelf.store.throttle_app("main", day(9), day(1)).unwrap();
    shelf.store.channel(&ChannelId::new("ops")).unwrap();
    let path = shelf.path.clone();
    let Shelf { store, folder: _folder, .. } = shelf;
    drop(store);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "INSERT INTO notice VALUES ('ops', 'brand', 'x', '', 'critical', NULL, NULL, 'm', 0, NULL);
             PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;",
        )
        .unwrap();
    drop(connection);
    std::fs::read(path).unwrap()
}

fn whose(table: &str) -> &'static str {
    match table {
        "token" => "label = 'brand'",
        "generation" | "attempt" | "delivery" | "replaced" | "event" => {
            "token = (SELECT id FROM token WHERE label = 'brand')"
        }
        "proof" => {
            "generation = (SELECT g.id FROM generation g JOIN token t ON t.id = g.token
             WHERE t.label = 'brand')"
        }
        _ => "TRUE",
    }
}

fn values(kind: &str) -> &'static [&'static str] {
    match kind {
        "INTEGER" => &["-1", "9000000000000000000", "7", "NULL"],
        "TEXT" => &["''", "'zzz'", "CAST(x'ff41' AS TEXT)", "'{\"kind\":1}'", "NULL"],
        _ => &["x''", "x'0101'", "zeroblob(90)", "NULL"],
    }
}

fn cases(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut columns = connection
        .prepare(
            "SELECT s.name, c.name, c.type FROM sqlite_schema s, pragma_table_info(s.name) c
             WHERE s.type = 'table' AND s.name <> 'meta'",
        )
        .unwrap();
    let columns = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let columns: Vec<(String, String, String)> = columns.collect::<Result<_, _>>().unwrap();
    let each = columns.iter().flat_map(|(table, column, kind)| {
        values(kind).iter().map(move |value| {
            format!("UPDATE {table} SET {column} = {value} WHERE {}", whose(table))
        })
    });
    each.collect()
}

fn named(store: &Store, name: &str) -> Option<Credential> {
    let all = store.credentials().unwrap();
    let found = all.into_iter().find(|credential| credential.label.as_str() == name);
    found.map(std::sync::Arc::unwrap_or_clone)
}

#[expect(clippy::disallowed_methods, reason = "a test's own copy of a store")]
fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn whatever_is_damaged_the_other_token_is_untouched_and_the_damaged_one_replaceable() {
    let bytes = bytes();
    // Nothing here is about power cuts, so memory is disk enough where there is some.
    let memory = Path::new("/dev/shm");
    let folder = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap();
    let path = folder.path().join("metatoken.db");
    put(&path, &bytes);
    let cases = cases(&path);
    let lock = lock(&path);
    let mut tried = 0;
    for case in &cases {
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(place::beside(&path, ending));
        }
        put(&path, &bytes);
        let connection = Connection::open(&path).unwrap();
        let whole = "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
        connection.execute_batch(whole).unwrap();
        // What the tables themselves forbid cannot be tried.
        if !connection.execute(case, []).is_ok_and(|rows| rows > 0) {
            continue;
        }
        drop(connection);
        tried += 1;
        holds(&lock, &path, case);
    }
    assert!(tried >= 250, "{tried} damaged stores");
}

fn holds(lock: &RunLock, path: &Path, case: &str) {
    let before = Store::open_reader(path, None).unwrap().unwrap();
    let shop = named(&before, "shop").unwrap_or_else(|| panic!("{case}"));
    assert_eq!(shop.damage, None, "{case}");
    assert!(before.run_summary("refresh", day(2)).is_ok(), "{case}");
    assert!(before.throttled_apps(day(2)).is_ok(), "{case}");
    assert!(before.notified(&ChannelId::new("ops")).is_ok(), "{case}");
    assert!(before.failing_channels().is_ok(), "{case}");
    assert!(before.history(&EventQuery::default()).is_ok(), "{case}");
    assert!(before.last_runs(9).is_ok(), "{case}");
    drop(before);

    let store = Store::open(lock, path, &key()).unwrap();
    store.repair(day(2)).unwrap_or_else(|error| panic!("{case}: {error:?}"));
    assert_eq!(named(&store, "shop").unwrap().current, shop.current, "{case}");
    assert_eq!(store.reveal(shop.current.unwrap().id).unwrap(), string("EAAfakeshop"), "{case}");
    assert_eq!(store.repair(day(2)).unwrap(), [], "{case}");
    assert!(store.interrupted_attempts().is_ok(), "{case}");
    let run = store.begin_run("refresh", Trigger::Manual, day(2)).unwrap();
    let token = store.enrol(&[enrolment("brand")], day(0)).unwrap()[0];
    let brand = store.credential(token).unwrap();
    assert!(brand.damage.is_none() || brand.is_lost(), "{case}: {:?}", brand.damage);
    if let Some(current) = &brand.current {
        assert_eq!(store.reveal(current.id).unwrap(), string("EAAfakebrand"), "{case}");
    }
    let new = NewCandidate::found(string("EAAfakenew"));
    let (brand, candidate) = store.seal_candidate(brand, new, day(2)).unwrap();
    let promotion = Promotion {
        candidate: candidate.id,
        successor: crate::store::Successor::Candidate,
        proof: None,
        arrival: Arrival::Adopted,
        problem: None,
        predecessor: Predecessor::Kept,
        pending_for: vec![TargetId::new("app")],
    };
    let promoted = store.promote(run, brand, promotion, day(2));
    let promoted = promoted.unwrap_or_else(|error| panic!("{case}: {error:?}"));
    assert_eq!(store.reveal(promoted.current.unwrap().id).unwrap(), string("EAAfakenew"), "{case}");
    let keep = Retention { generations: 0, at_least: TimeDelta::zero() };
    assert!(store.purge(run, &[(token, keep)], day(90)).is_ok(), "{case}");
    assert_eq!(store.credential(token).unwrap().damage, None, "{case}");
}
