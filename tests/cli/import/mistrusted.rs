//! Files that are not what they should be: nothing of them runs, and nothing is written.

use metatoken::exit::Exit;
use rusqlite::Connection;

use super::names;
use crate::common::World;

#[test]
fn a_hostile_database_is_refused() {
    let view = "CREATE TABLE t (access_token, created_at, token_type); CREATE VIEW facebook_tokens AS SELECT writefile('/tmp/metatoken-was-here', 'x') AS access_token, '' AS created_at FROM t";
    // Another program's SQLite may have modules that ours is built without.
    let virtual_table = "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'facebook_tokens', 'facebook_tokens', 0, 'CREATE VIRTUAL TABLE facebook_tokens USING fts5 (access_token, created_at)')";
    let large = "CREATE TABLE facebook_tokens (id INTEGER PRIMARY KEY, access_token, x AS (hex(zeroblob(500000000))))";
    for (what, schema) in
        [("a view", view), ("a virtual table", virtual_table), ("a function", large)]
    {
        let world = World::new();
        let connection = Connection::open(world.path("x.db")).unwrap();
        connection.execute_batch(schema).unwrap_or_else(|error| panic!("{what}: {error}"));
        let _ =
            connection.execute("INSERT INTO facebook_tokens (access_token) VALUES ('EAAx')", []);
        drop(connection);
        let ran = world.run(&["import", "x.db", "--from", "myrcat"]);
        let _ = ran.stdout("").exit(Exit::InputRefused);
        assert!(!world.path("metatoken.db").exists() && names(&world).is_empty(), "{what}");
    }
}

#[test]
fn a_damaged_database_is_refused_at_every_page() {
    let world = World::new();
    let connection = Connection::open(world.path("x.db")).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE facebook_tokens (id INTEGER PRIMARY KEY, token_type, access_token, created_at, expires_at, metadata);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
             INSERT INTO facebook_tokens SELECT i, 'user', 'EAA' || hex(randomblob(60)), '2025-12-01', NULL, NULL FROM n",
        )
        .unwrap();
    drop(connection);
    let whole = std::fs::read(world.path("x.db")).unwrap();
    let mut refused = 0;
    for at in (100..whole.len()).step_by(whole.len() / 40) {
        let mut damaged = whole.clone();
        for byte in &mut damaged[at..(at + 16).min(whole.len())] {
            *byte = 0xff;
        }
        world.write("x.db", &damaged);
        let ran = world.run(&["import", "x.db", "--from", "myrcat", "--dry-run"]);
        assert!(matches!(ran.code, Some(0 | 65)), "{at}: {:?} {}", ran.code, ran.stderr);
        refused += usize::from(ran.stderr.contains("is damaged"));
        world.write("x.db", &whole[..at]);
        let ran = world.run(&["import", "x.db", "--from", "myrcat", "--dry-run"]);
        assert_eq!(ran.code, Some(65), "{at}: {}", ran.stderr);
    }
    assert!(refused > 2, "{refused}");
    world.write("x.db", "not a database, but long enough to be looked at");
    world
        .run(&["import", "x.db", "--from", "myrcat"])
        .stdout("")
        .stderr("error: x.db: not an SQLite database\nhint: look at it: `sqlite3 -readonly x.db 'PRAGMA integrity_check'`; nothing was imported\n")
        .exit(Exit::InputRefused);
    world.write("x.db", &whole);
    world.run(&["import", "x.db"]).stdout("").stderr("error: x.db: is an SQLite database\nhint: say whose: `--from myrcat` for the table `facebook_tokens`, `--from flask-settings` for `settings`\nhint: or export its tokens to CSV: see `examples/moving/`\n").exit(Exit::InputRefused);
    world
        .run(&["import", "x.db", "--from", "flask-settings"])
        .stdout("")
        .stderr("error: x.db: has no table `settings`\nhint: name the database of the application: often `instance/app.db`\n")
        .exit(Exit::InputRefused);
    let file = std::fs::File::create(world.path("large.db")).unwrap();
    file.set_len(64 * 1024 * 1024 + 1).unwrap();
    world
        .run(&["import", "large.db", "--from", "myrcat"])
        .stdout("")
        .stderr("error: large.db: is larger than 64 MiB\nhint: export the columns with the tokens alone, to CSV: see `examples/moving/`\n")
        .exit(Exit::InputRefused);
    world.run(&["import", "large.db"]).stdout("").stderr("error: large.db: is larger than 64 MiB\nhint: export the columns with the tokens alone, to CSV: see `examples/moving/`\n").exit(Exit::InputRefused);
}

#[test]
fn nothing_that_stands_in_the_file_becomes_a_setting_or_a_path() {
    let world = World::new();
    let token = world.mint(super::user("anna"));
    world.write(
        "tokens.csv",
        format!("label,type,access_token,owner,page_id,parent\n../../etc/x,user,{token},\"a\"\"b\\c\",,\nb,user,{token}x,\"a\nb\",,\nc,user,{token}y,,1/../2,\nd,user,{token}z,,,no-such\n"),
    );
    let ran = world.run(&["import", "tokens.csv"]);
    let _ = ran.exit(Exit::InputRefused);
    assert_eq!(names(&world), ["etc-x.toml"]);
    assert!(
        super::declared(&world, "etc-x").contains("owner = 'a\"b\\c'\n"),
        "{}",
        super::declared(&world, "etc-x")
    );
    world.run(&["config", "check"]).stderr("").code(0);
}
