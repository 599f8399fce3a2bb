use std::fs;
use std::os::unix::fs::MetadataExt as _;

use std::sync::Arc;

use rusqlite::Connection;

use super::super::{open, place, room};
use crate::store::tests::{Shelf, day, key, lock};
use crate::store::{Promotion, Store};
use crate::token::{
    Arrival, Expiry, GranularScope, Identity, Inspection, Proof, TargetId, TokenId, Trigger,
};

/// The log of a store: its length, and what is taken on the disk for it.
fn log(shelf: &Shelf) -> (u64, u64) {
    let log = fs::metadata(place::beside(&shelf.path, place::LOG)).unwrap();
    (log.len(), log.blocks() * 512)
}

/// The longest string, an answer with a hundred permissions, and thirty targets.
fn renew(shelf: &Shelf, token: TokenId, n: i64) {
    let (run, now) = (shelf.run, day(n));
    let text = format!("EAAfake{n}{}", "x".repeat(4000));
    let names = (0..100).map(|n| format!("a_permission_with_a_long_name_{n}"));
    let inspection = Inspection {
        scopes: Some(names.clone().collect()),
        granular_scopes: names
            .map(|scope| GranularScope {
                scope,
                target_ids: Some(vec!["1234567890123456".into(); 20]),
            })
            .collect(),
        identity: Identity { user_id: Some("1".into()), ..Identity::default() },
        ..Inspection::bare(Some(true), None)
    };
    let proof = Proof { at: now, inspection };
    shelf.store.plan_attempts(run, &[token], now).unwrap();
    let candidate = shelf.candidate(token, &text, Expiry::At(day(n + 60)), now);
    if let Some(current) = shelf.credential(token).current {
        shelf.note_proof(token, current.id, proof.clone());
    }
    let promotion = Promotion {
        proof: Some(proof),
        pending_for: (0..30)
            .map(|n| TargetId::new(format!("/srv/application/{n}.ini#token")))
            .collect(),
        candidate: candidate.id,
        successor: crate::store::Successor::Candidate,
        arrival: Arrival::Refreshed,
        problem: None,
        predecessor: crate::store::Predecessor::Kept,
    };
    shelf.promote(token, promotion, now).unwrap();
}

#[test]
fn a_grant_fits_into_the_room_that_is_taken_for_it() {
    let shelf = Shelf::new();
    let tokens: Vec<TokenId> = (0..12).map(|n| shelf.token(&format!("brand-{n}"))).collect();
    // Until the trees have leaves to split.
    for n in 1..=2 {
        for token in &tokens {
            renew(&shelf, *token, n);
        }
    }
    let mut most = 0;
    for token in &tokens {
        let frames = |sql| -> i64 {
            let other = Connection::open(&shelf.path).unwrap();
            other.query_row(sql, [], |row| row.get(1)).unwrap()
        };
        frames("PRAGMA wal_checkpoint(RESTART)");
        renew(&shelf, *token, 3);
        let written = frames("PRAGMA wal_checkpoint(PASSIVE)");
        most = most.max(written);
    }
    let frames = i64::try_from(room::GRANT / room::FRAME).unwrap();
    assert!((frames / 4..=frames).contains(&most), "{most} frames of {frames}");
}

#[test]
fn room_is_taken_behind_the_end_of_the_log_and_kept_for_the_next_run() {
    let shelf = Shelf::new();
    let held = shelf.store.room_for_grant().unwrap();
    let (length, taken) = log(&shelf);
    assert!(taken >= length + room::needed(1), "{taken} of {length}");
    drop(held);
    let Shelf { store, path, lock: _lock, run: _, folder: _folder } = shelf;
    drop(store);
    let file = fs::metadata(place::beside(&path, place::LOG)).unwrap();
    assert_eq!(file.len(), 0);
    assert!(file.blocks() * 512 >= room::needed(1), "{}", file.blocks());
}

#[test]
fn what_cannot_be_taken_is_written_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metatoken.db");
    let lock = lock(&path);
    let (sqlite, seals) = open(&lock, &path, &key()).unwrap();
    let room = sqlite.queue.room.as_ref().unwrap();
    room.takes.store(false, std::sync::atomic::Ordering::Relaxed);
    let store = Store::over(Arc::new(sqlite), &path, Some(seals));
    let run = store.begin_run("refresh", Trigger::Scheduled, day(0)).unwrap();
    let shelf = Shelf { store, lock, run, path, folder };
    let token = shelf.token("brand");
    let held = shelf.store.room_for_grant().unwrap();
    let (length, _) = log(&shelf);
    assert!(length >= room::needed(1), "{length}");
    renew(&shelf, token, 1);
    drop(held);
    let again = shelf.store.room_for_grant().unwrap();
    let longer = log(&shelf).0 - length;
    assert!(longer < room::GRANT, "what was written once is written over, not behind: {longer}");
    drop(again);
    let other = Connection::open(&shelf.path).unwrap();
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'room'";
    let tables: i64 = other.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn a_copy_in_memory_has_all_the_room_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let copy = Store::rehearsal(&folder.path().join("metatoken.db"), None, None).unwrap();
    assert!(copy.room_for_grant().is_ok());
    assert!(copy.has_room_to_announce(1_000_000).unwrap());
}
