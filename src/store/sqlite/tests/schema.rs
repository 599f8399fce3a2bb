use rusqlite::Connection;

use super::*;
use crate::token::{ChannelId, TargetId};

/// A store of schema 1 as its first release wrote it.
const V1: &str = include_str!("../../../../tests/schemas/v1.sql");

/// One of schema 3, in which targets have an access token and wait for one.
const V3: &str = include_str!("../../../../tests/schemas/v3.sql");

fn build(path: &Path, dump: &str) {
    Connection::open(path).unwrap().execute_batch(dump).unwrap();
}

fn schema(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn every_released_schema_becomes_todays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metatoken.db");
    build(&path, V1);
    let store = Store::open(&lock(&path), &path, &key()).unwrap();
    let credentials = store.credentials().unwrap();
    let [brand, gone] = credentials.as_slice() else { panic!("{credentials:?}") };
    assert_eq!((brand.label.as_str(), gone.label.as_str()), ("brand", "gone"));
    let current = brand.current.as_ref().unwrap();
    assert_eq!(current.expiry, Expiry::At(day(62)));
    assert_eq!(store.reveal(current.id).unwrap(), string("EAAfakeV1b"));
    assert_eq!(store.events(&EventQuery::default()).unwrap().len(), 3);
    // Nothing was ever delivered from there: what the config now names waits for the current access
    // token.
    store.set_pending(brand.id, &[TargetId::new("app")], day(3)).unwrap();
    let brand = store.credential(brand.id).unwrap();
    assert_eq!(brand.deliveries[0].pending, Some(brand.current.unwrap().id));
    drop(store);
    assert_eq!(schema(&path), schema(&Shelf::new().path));
}

#[test]
fn the_history_is_kept_where_events_need_no_token_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metatoken.db");
    build(&path, V3);
    let rows = |sql: &str| -> Vec<String> {
        let connection = Connection::open(&path).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|at| row.get::<_, rusqlite::types::Value>(at)).collect()
        };
        let rows = statement.query_map([], row).unwrap();
        let rows: Vec<Vec<_>> = rows.collect::<Result<_, _>>().unwrap();
        rows.into_iter().map(|row| format!("{row:?}")).collect()
    };
    let events =
        "SELECT id, run, token, at, kind, generation, old_expiry, old_expires_at, new_expiry,
        new_expires_at, problem, target FROM event ORDER BY id";
    let before = rows(events);
    let store = Store::open(&lock(&path), &path, &key()).unwrap();
    assert_eq!((before.len(), rows(events)), (5, before));
    let told: Vec<_> = store
        .events(&EventQuery::default())
        .unwrap()
        .into_iter()
        .map(|event| (event.kind, event.label.unwrap(), event.target))
        .collect();
    let app = TargetId::new("app");
    assert!(told.contains(&(EventKind::Delivered, label("brand"), Some(app))), "{told:?}");
    let deliveries = store.credentials().unwrap()[0].deliveries.clone();
    assert_eq!(deliveries.len(), 2);
    assert_eq!(store.throttled_apps(day(2)).unwrap().len(), 1);
    let ops = ChannelId::new("ops");
    let run = store.begin_run("refresh", Trigger::Scheduled, day(4)).unwrap();
    store.note_channel_failure(run, &ops, "HTTP 500", day(4)).unwrap();
    assert_eq!(store.notified(&ops).unwrap(), []);
    drop(store);
    assert_eq!(rows("PRAGMA foreign_key_check"), [""; 0]);
    assert_eq!(schema(&path), schema(&Shelf::new().path));
}

#[test]
fn a_cause_whose_code_was_renamed_is_not_notified_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metatoken.db");
    build(&path, V3);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(include_str!("../migrations/v4.sql")).unwrap();
    connection
        .execute_batch(
            "INSERT INTO channel (name, uid) VALUES ('ops', 'abc');
             INSERT INTO notice VALUES
                 ('ops', 'brand', 'unproven', '', 'warning', NULL, NULL, 'old', 0),
                 ('ops', 'brand', 'delivery_owed', 'app', 'critical', NULL, NULL, 'old', 0),
                 ('ops', 'brand', 'expiring', '', 'warning', NULL, NULL, 'old', 0);",
        )
        .unwrap();
    connection.pragma_update(None, "user_version", 4).unwrap();
    drop(connection);
    let store = Store::open(&lock(&path), &path, &key()).unwrap();
    let known = store.notified(&ChannelId::new("ops")).unwrap();
    let mut codes: Vec<&str> = known.iter().map(|known| known.topic.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["delivery_pending", "expiring", "unchecked"]);
}

#[test]
fn a_newer_store_is_refused_by_name_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metatoken.db");
    build(&path, V1);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let refused = [
        Store::open(&lock(&path), &path, &key()).map(drop),
        Store::open_reader(&path, None).map(drop),
        Store::rehearsal(&path, Some(&key()), None).map(drop),
        Store::note_proofs(&path, &[]),
    ];
    for outcome in refused {
        let message = outcome.unwrap_err().to_string();
        let known = migrations::latest();
        let expected = format!("written by a newer metatoken (schema 7, this one knows {known})");
        assert!(message.ends_with(&expected), "{message}");
    }
    let connection = Connection::open(&path).unwrap();
    assert_eq!(migrations::schema_of(&connection).unwrap(), 7);
}
