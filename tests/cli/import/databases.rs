//! The `SQLite` files of two programs, as those programs make them.

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;
use rusqlite::Connection;

use super::{AFTER_MYRCAT, declared, names, user};
use crate::common::{ANNA, APP, BAKERY, World};

/// The schema of a program that plays music and tells Facebook of it.
const MYRCAT: &str = "
    CREATE TABLE db_version (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, updated_at TEXT NOT NULL);
    CREATE TABLE playouts (id INTEGER PRIMARY KEY AUTOINCREMENT, artist TEXT NOT NULL, title TEXT NOT NULL);
    CREATE TABLE facebook_tokens (id INTEGER PRIMARY KEY AUTOINCREMENT, token_type TEXT, access_token TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT, metadata TEXT);
    CREATE INDEX idx ON facebook_tokens (token_type);
";

/// The schema of a Flask application that posts to a Page.
const SETTINGS: &str = "
    CREATE TABLE settings (id INTEGER NOT NULL, posts_per_day INTEGER, facebook_page_id VARCHAR(100), facebook_access_token TEXT, openai_api_key TEXT, facebook_app_id VARCHAR(100), facebook_app_secret TEXT, facebook_token_expires_at DATETIME, facebook_token_last_renewed DATETIME, facebook_token_auto_renew BOOLEAN, PRIMARY KEY (id));
";

fn database(world: &World, name: &str, schema: &str) -> Connection {
    let connection = Connection::open(world.path(name)).unwrap();
    connection.execute_batch(schema).unwrap();
    connection
}

#[test]
fn myrcats_newest_row_is_the_token_and_the_others_are_its_past() {
    let world = World::new();
    let token = world.mint(TokenFixture::page(APP, ANNA, BAKERY).named("myrcat"));
    let rows = database(&world, "myrcat.db", MYRCAT);
    for (created, expires, access_token, metadata) in [
        ("2025-10-01T08:00:00.123456", Some("2025-11-30T08:00:00"), "EAAold1", None),
        ("2025-11-20T08:00:00", None, "EAAold2", Some("not json")),
        (
            "2025-12-30T08:00:00",
            Some("2026-02-28T08:00:00"),
            token.as_str(),
            Some("{\"page_id\": \"2000000000000001\", \"scopes\": []}"),
        ),
    ] {
        rows.execute(
            "INSERT INTO facebook_tokens (token_type, access_token, created_at, expires_at, metadata) VALUES ('page', ?1, ?2, ?3, ?4)",
            (access_token, created, expires, metadata),
        )
        .unwrap();
    }
    world
        .run(&["import", "myrcat.db", "--from", "myrcat"])
        .stdout(
            "
TOKEN   OUTCOME   EXPIRES  REASON
myrcat  imported  never    never expires; declared in `tokens.d/myrcat.toml`

1 token: 1 imported
",
        )
        .stderr(AFTER_MYRCAT)
        .code(0);
    assert_eq!(world.in_use("myrcat"), token);
    world
        .run(&["history"])
        .stdout(
            "
AT (UTC)          TOKEN   EVENT     TRIGGER   GENERATION  DETAIL
2025-10-01 08:00  myrcat  imported  imported  -           expired 2025-11-30
2025-11-20 08:00  myrcat  imported  imported  -           -
2025-12-30 08:00  myrcat  imported  imported  -           expires 2026-02-28
2026-01-01 00:00  myrcat  adopted   manual    1           never expires

no attempts yet
",
        )
        .code(0);
    assert!(declared(&world, "myrcat").contains("page_id = \"2000000000000001\"\n"));
    // Nothing was written to or beside it.
    drop(rows);
    let beside: Vec<String> = std::fs::read_dir(world.path("."))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("myrcat"))
        .collect();
    assert_eq!(beside, ["myrcat.db"]);
}

#[test]
fn myrcats_types_are_labels_of_their_own() {
    let world = World::new();
    let page = world.mint(TokenFixture::page(APP, ANNA, BAKERY).named("page"));
    let anna = world.mint(user("anna"));
    let rows = database(&world, "myrcat.db", MYRCAT);
    for (kind, token) in [("page", &page), ("user", &anna)] {
        rows.execute(
            "INSERT INTO facebook_tokens (token_type, access_token, created_at) VALUES (?1, ?2, '2025-12-30')",
            (kind, token),
        )
        .unwrap();
    }
    let arguments = ["import", "myrcat.db", "--from", "myrcat", "--map", "page=radio"];
    world
        .run(&arguments)
        .stdout(
            "
TOKEN        OUTCOME   EXPIRES     REASON
radio        imported  never       never expires; declared in `tokens.d/radio.toml`
myrcat-user  imported  2026-03-02  long-lived already; declared in `tokens.d/myrcat-user.toml`

2 tokens: 2 imported
",
        )
        .stderr(AFTER_MYRCAT)
        .code(0);
    assert_eq!(names(&world), ["myrcat-user.toml", "radio.toml"]);
}

#[test]
fn a_database_in_use_is_read_with_its_log() {
    let world = World::new();
    let [old, new] = ["old", "new"].map(|name| world.mint(user(name)));
    let rows = database(&world, "myrcat.db", MYRCAT);
    rows.execute_batch("PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0").unwrap();
    for (at, token) in [("2025-12-01", &old), ("2025-12-30", &new)] {
        rows.execute(
            "INSERT INTO facebook_tokens (token_type, access_token, created_at) VALUES ('user', ?1, ?2)",
            (token, at),
        )
        .unwrap();
    }
    // A transaction that is not ended does not count.
    rows.execute_batch("BEGIN; DELETE FROM facebook_tokens").unwrap();
    world.run(&["import", "myrcat.db", "--from", "myrcat", "--quiet"]).stderr("").code(0);
    assert_eq!(world.in_use("myrcat"), new);
    rows.execute_batch("ROLLBACK").unwrap();
    // With a journal in place of a log it is waited for, and then refused.
    let world = World::new();
    let rows = database(&world, "myrcat.db", MYRCAT);
    rows.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; CREATE TABLE big (x); INSERT INTO big VALUES (zeroblob(400000)); UPDATE big SET x = zeroblob(500000)").unwrap();
    world
        .run(&["import", "myrcat.db", "--from", "myrcat"])
        .stdout("")
        .stderr(
            "
error: myrcat.db: is being written by another program
hint: stop the program that writes it: `fuser myrcat.db` names it
hint: then run the same again; nothing was imported
",
        )
        .exit(Exit::InputRefused);
}

#[test]
fn a_flask_applications_settings_name_the_app_and_the_token() {
    let world = World::new();
    let anna = world.mint(user("anna"));
    let rows = database(&world, "app.db", SETTINGS);
    rows.execute(
        "INSERT INTO settings VALUES (1, 3, ?1, ?2, 'sk-1', ?3, 'fakesecretofthemainapp', '2026-03-01 00:00:00.000000', '2025-12-31 10:00:00.123456', 1)",
        (BAKERY, &anna, APP),
    )
    .unwrap();
    world
        .run(&["import", "app.db", "--from", "flask-settings"])
        .stdout(
            "
TOKEN     OUTCOME   EXPIRES     REASON
facebook  imported  2026-03-02  long-lived already; declared in `tokens.d/facebook.toml`

1 token: 1 imported
",
        )
        .stderr(
            "
hint: switch off its own renewal: `sqlite3 app.db \"UPDATE settings SET facebook_token_auto_renew = 0\"`
hint: then delete its copies: `sqlite3 app.db \"UPDATE settings SET facebook_access_token = NULL, facebook_app_secret = NULL; VACUUM\"`
",
        )
        .code(0);
    world
        .run(&["history"])
        .stdout(
            "
AT (UTC)          TOKEN     EVENT      TRIGGER   GENERATION  DETAIL
2025-12-31 10:00  facebook  refreshed  imported  -           expires 2026-03-01
2026-01-01 00:00  facebook  adopted    manual    1           expires 2026-03-02

no attempts yet
",
        )
        .code(0);
    assert_eq!(world.in_use("facebook"), anna);
    // The app has to be in the config; the lines are said, and the secret is not.
    rows.execute("UPDATE settings SET facebook_app_id = '77'", []).unwrap();
    let ran = world.run(&["import", "app.db", "--from", "flask-settings"]);
    assert!(!ran.stderr.contains("fakesecret"), "{}", ran.stderr);
    let _ = ran.stdout("").stderr(
            "
error: [DIR]/metatoken.toml: has no app with the id 77
hint: add to `[DIR]/metatoken.toml`:
  [app.app-77]
  id = \"77\"
  secret = { file = \"app-77-secret\" }
hint: its secret goes from the database into that file: `(umask 077; sqlite3 -readonly app.db \"SELECT facebook_app_secret FROM settings\" > [DIR]/app-77-secret)`
",
        ).exit(Exit::Config);
    rows.execute("UPDATE settings SET facebook_access_token = NULL", []).unwrap();
    world
        .run(&["import", "app.db", "--from", "flask-settings"])
        .stdout("")
        .stderr(
            "
error: app.db: its table `settings` holds no access token in `facebook_access_token`
hint: if it stands in a `.env`, run `metatoken import .env --from env`
",
        )
        .exit(Exit::InputRefused);
    // Settings may also be rows of keys and values.
    let world = World::new();
    let anna = world.mint(user("anna"));
    let rows =
        database(&world, "app.db", "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT)");
    for (key, value) in
        [("facebook_app_id", APP), ("facebook_access_token", &anna), ("theme", "dark")]
    {
        rows.execute("INSERT INTO settings VALUES (?1, ?2)", (key, value)).unwrap();
    }
    world
        .run(&["import", "app.db", "--from", "flask-settings", "--map", "facebook=shop", "--quiet"])
        .stderr("")
        .code(0);
    assert_eq!(world.in_use("shop"), anna);
    // What is to be typed then fits rows, too.
    rows.execute("INSERT INTO settings VALUES ('facebook_app_secret', 'fakesecret')", []).unwrap();
    world.run(&["import", "app.db", "--from", "flask-settings", "--map", "facebook=shop"]).stderr("
hint: switch off its own renewal: `sqlite3 app.db \"UPDATE settings SET value = 0 WHERE key = 'facebook_token_auto_renew'\"`
hint: then delete its copies: `sqlite3 app.db \"UPDATE settings SET value = '' WHERE key IN ('facebook_access_token', 'facebook_app_secret'); VACUUM\"`
").code(0);
    rows.execute("UPDATE settings SET value = '77' WHERE key = 'facebook_app_id'", []).unwrap();
    let ran = world.run(&["import", "app.db", "--from", "flask-settings"]).exit(Exit::Config);
    assert_eq!(
        ran.stderr.lines().last(),
        Some(
            "hint: its secret goes from the database into that file: `(umask 077; sqlite3 -readonly app.db \"SELECT value FROM settings WHERE key = 'facebook_app_secret'\" > [DIR]/app-77-secret)`"
        )
    );
}
