//! The hooks that put a token into a row, with a real database behind each.

use std::os::unix::fs::symlink;
use std::path::Path;

use metatoken::sandbox::TokenFixture;

use super::postgres::Postgres;
use super::{lacking, skip};
use crate::common::{ANNA, APP, BRAND, World};

/// A world in which `brand` is delivered by a hook with these arguments.
fn delivered_by(hook: &str, arguments: &[&str]) -> World {
    let world = World::new().token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hooks");
    symlink(hooks, world.path("hooks")).unwrap();
    let words: Vec<String> = arguments.iter().map(|word| format!("{word:?}")).collect();
    let command = format!("command = [\"hooks/{hook}\", {}]\n", words.join(", "));
    world.reconfigure(&format!("{BRAND}[[token.brand.deliver]]\n{command}"));
    world.with("PATH", "/usr/local/bin:/usr/bin:/bin")
}

/// What a run says of a delivery that failed; the token is in none of it.
#[track_caller]
fn fails(world: &World, why: &str) {
    let ran = world.run(&["refresh"]).code(73);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains(why), "{why}: {said}");
    assert!(!said.contains(&world.in_use("brand")), "{said}");
}

/// An application's table, with a name that has to be quoted.
const TABLE: &str =
    "CREATE TABLE \"meta accounts\" (id INTEGER PRIMARY KEY, name TEXT NOT NULL, token TEXT)";

#[test]
fn a_row_in_sqlite() {
    if let Some(why) = lacking(&["sqlite3"]) {
        return skip("a_row_in_sqlite", &why);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it's app.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    let rows = "INSERT INTO \"meta accounts\" VALUES (1, 'a''na', 'old'), (2, 'ben', 'his'), (3, 'ben', 'also')";
    database.execute_batch(&format!("{TABLE}; {rows}")).unwrap();
    let all = || {
        let mut select =
            database.prepare("SELECT token FROM \"meta accounts\" ORDER BY id").unwrap();
        let tokens = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
        tokens.map(Result::unwrap).collect::<Vec<_>>()
    };
    let to = |who: &str| {
        let words = [file.to_str().unwrap(), "meta accounts", "token", "name", who];
        delivered_by("sqlite-row", &words)
    };
    let world = to("a'na");
    world.run(&["refresh"]).code(0);
    assert_eq!(all(), [world.in_use("brand"), "his".to_owned(), "also".to_owned()]);
    let before = all();
    for who in ["ben", "nobody", "x'; DROP TABLE \"meta accounts\"; --"] {
        fails(&to(who), "CHECK constraint failed: rows_changed = 1");
        assert_eq!(all(), before, "{who}");
    }
    let nowhere = delivered_by("sqlite-row", &["/nowhere/app.db", "t", "c", "k", "v"]);
    fails(&nowhere, "there is no database /nowhere/app.db");
    let words = [file.to_str().unwrap(), "no such table", "token", "name", "ben"];
    fails(&delivered_by("sqlite-row", &words), "no such table");
    assert_eq!(all(), before);
}

#[test]
fn a_row_in_postgresql() {
    const NAME: &str = "a_row_in_postgresql";
    if let Some(why) = lacking(&["psql", "setpriv"]) {
        return skip(NAME, &why);
    }
    let own = tempfile::tempdir().unwrap();
    let server = match Postgres::start(own.path()) {
        Ok(server) => server,
        Err(why) => return skip(NAME, why.lines().next().unwrap_or_default()),
    };
    let socket = own.path().to_str().unwrap().to_owned();
    let psql = |sql: &str| {
        let output = std::process::Command::new("psql")
            .args([
                "-X", "-q", "-A", "-t", "-h", &socket, "-U", "postgres", "-d", "postgres", "-c",
                sql,
            ])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    psql(TABLE);
    psql(
        "INSERT INTO \"meta accounts\" VALUES (1, 'a''na', 'old'), (2, 'ben', 'his'), (3, 'ben', 'also')",
    );
    let all = || psql("SELECT token FROM \"meta accounts\" ORDER BY id");
    let to = |key: &str, value: &str| {
        let words = ["postgres", "meta accounts", "token", key, value];
        delivered_by("postgresql-row", &words).with("PGHOST", &socket).with("PGUSER", "postgres")
    };
    let world = to("name", "a'na");
    world.run(&["refresh"]).code(0);
    assert_eq!(all(), format!("{}\nhis\nalso", world.in_use("brand")));
    let world = to("id", "1");
    world.run(&["refresh"]).code(0);
    let before = format!("{}\nhis\nalso", world.in_use("brand"));
    assert_eq!(all(), before);
    for (value, why) in [
        ("ben", "more than one row returned for \\gset"),
        ("nobody", "no rows returned for \\gset"),
        ("x'; DROP TABLE \"meta accounts\"; --", "no rows returned for \\gset"),
    ] {
        fails(&to("name", value), why);
        assert_eq!(all(), before, "{value}");
    }
    fails(&to("nothing", "x"), "column \"nothing\" does not exist");
    assert_eq!(all(), before);
    drop(server);
    fails(&to("id", "1"), "Is the server running");
}
