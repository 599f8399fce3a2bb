//! `examples/moving/`: every page is followed, command by command, with the programs that people come
//! from: a `PostgreSQL` server of its own, `sqlite3`, and lines as `MongoDB` exports them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use metatoken::sandbox::TokenFixture;

use super::postgres::Postgres;
use super::{lacking, skip};
use crate::common::{ANNA, APP, BAKERY, ROBOT, World};

/// A file of `examples/moving/`.
fn page(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/moving");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The commands of a page below a heading, as a person copies them.
fn commands(name: &str, heading: &str) -> Vec<String> {
    let text = page(name);
    let (_, below) =
        text.split_once(&format!("## {heading}\n")).unwrap_or_else(|| panic!("{name}: {heading}"));
    let below = below.split("\n## ").next().unwrap();
    let (_, block) = below.split_once("```sh\n").unwrap_or_else(|| panic!("{name}: {heading}"));
    block.split("```").next().unwrap().lines().map(str::to_owned).collect()
}

/// Runs a command of a page in the world's folder; `before` holds the commands that come first.
#[track_caller]
fn typed(world: &World, command: &str, before: &Path) -> Output {
    let template = world.command(&[]);
    let mut shell = Command::new("sh");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", before.display());
    shell
        .env_clear()
        .envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", path)
        .env("PGHOST", before)
        .env("PGUSER", "postgres")
        .args(["-ec", command])
        .current_dir(world.path("."))
        .stdin(Stdio::null());
    let output = shell.output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}\n{err}");
    assert!(!err.contains("EAA"), "{err}");
    output
}

/// A folder with `metatoken` as a command that has the world's config and clock.
fn bin(world: &World) -> PathBuf {
    let template = world.command(&[]);
    let arguments: Vec<String> =
        template.get_args().map(|it| format!("'{}'", it.to_str().unwrap())).collect();
    let program = template.get_program().to_str().unwrap();
    world.write(
        "bin/metatoken",
        format!("#!/bin/sh\nexec '{program}' {} \"$@\"\n", arguments.join(" ")),
    );
    let folder = world.path("bin");
    make_executable(&folder.join("metatoken"));
    folder
}

fn make_executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Follows a page from the dry run to the deleted copies.
#[track_caller]
fn follow(world: &World, name: &str, import: &str, afterwards: &[&str], label: &str, token: &str) {
    let bin = bin(world);
    let [rehearsal, real] = commands(name, import).try_into().unwrap();
    typed(world, &rehearsal, &bin);
    assert!(!world.path("metatoken.db").exists(), "{name}: {rehearsal}");
    typed(world, &real, &bin);
    assert_eq!(world.in_use(label), token, "{name}");
    for heading in afterwards {
        for command in commands(name, heading) {
            typed(world, &command, &bin);
        }
    }
}

#[test]
fn an_sqlite_table_of_tokens() {
    if let Some(why) = lacking(&["sqlite3"]) {
        return skip("an_sqlite_table_of_tokens", &why);
    }
    let world = World::new();
    let token = world.mint(TokenFixture::page(APP, ANNA, BAKERY).named("myrcat"));
    let schema = "CREATE TABLE facebook_tokens (id INTEGER PRIMARY KEY AUTOINCREMENT, token_type TEXT, access_token TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT, metadata TEXT)";
    let rows = format!(
        "INSERT INTO facebook_tokens (token_type, access_token, created_at, expires_at) VALUES ('page', 'EAAold', '2025-10-01T08:00:00', '2025-12-01T08:00:00'), ('page', '{token}', '2025-12-30T08:00:00', NULL)"
    );
    let database = rusqlite::Connection::open(world.path("myrcat.db")).unwrap();
    database.execute_batch(&format!("{schema}; {rows}")).unwrap();
    follow(&world, "myrcat.md", "Import", &["Delete"], "myrcat", &token);
    let left: i64 =
        database.query_row("SELECT count(*) FROM facebook_tokens", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
    assert_eq!(world.events("myrcat").len(), 3);
}

#[test]
fn the_settings_of_a_flask_application() {
    if let Some(why) = lacking(&["sqlite3"]) {
        return skip("the_settings_of_a_flask_application", &why);
    }
    let world = World::new();
    let token = world.mint(TokenFixture::user(APP, ANNA).named("flask"));
    let database = rusqlite::Connection::open(world.path("app.db")).unwrap();
    let schema = "CREATE TABLE settings (id INTEGER PRIMARY KEY, facebook_page_id TEXT, facebook_access_token TEXT, facebook_app_id TEXT, facebook_app_secret TEXT, facebook_token_expires_at DATETIME, facebook_token_last_renewed DATETIME, facebook_token_auto_renew BOOLEAN)";
    let row = format!(
        "INSERT INTO settings VALUES (1, NULL, '{token}', '{APP}', 'hush', NULL, '2025-12-31 10:00:00', 1)"
    );
    database.execute_batch(&format!("{schema}; {row}")).unwrap();
    follow(&world, "flask-settings.md", "Import", &["Switch off", "Delete"], "facebook", &token);
    let left: String = database
        .query_row(
            "SELECT facebook_token_auto_renew || coalesce(facebook_access_token, '') || coalesce(facebook_app_secret, '') FROM settings",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, "0");
}

#[test]
fn variables_and_the_ads_cli() {
    let world = World::new();
    let token = world.mint(TokenFixture::user(APP, ANNA).named("env"));
    world.write(".env", format!("FB_USER_TOKEN={token}\n"));
    follow(&world, "dotenv.md", "Import", &[], "fb-user", &token);
    let world = World::new();
    let token = world.mint(TokenFixture::system_user(APP, ROBOT).named("ads"));
    world.write(".env", format!("ACCESS_TOKEN='{token}'\nAD_ACCOUNT_ID='act_1'\n"));
    let bin = bin(&world);
    // What Meta's program is told by its environment.
    world.write("bin/meta", "#!/bin/sh\nprintf %s \"$ACCESS_TOKEN\" > seen\n");
    make_executable(&bin.join("meta"));
    follow(&world, "ads-cli.md", "Import", &["Delete"], "ads", &token);
    assert_eq!(std::fs::read_to_string(world.path("seen")).unwrap(), token);
}

#[test]
fn lines_of_mongodb() {
    let world = World::new();
    let token = world.mint(TokenFixture::user(APP, ANNA).named("mongo"));
    let bin = bin(&world);
    let line = format!(
        "{{\"_id\":{{\"$oid\":\"65a0f0000000000000000001\"}},\"username\":\"anna.b\",\"accessToken\":\"{token}\",\"tokenExpiresIn\":5184000,\"lastTokenRefresh\":{{\"$date\":\"2025-12-31T09:30:00.000Z\"}},\"tokenExpiresAt\":{{\"$date\":\"2026-03-01T09:30:00.000Z\"}}}}"
    );
    world.write("bin/mongoexport", format!("#!/bin/sh\necho '{line}'\n"));
    make_executable(&bin.join("mongoexport"));
    follow(&world, "mongodb.md", "Export and import", &[], "anna-b", &token);
}

/// What the tables of the application look like.
const TABLES: &str = "
CREATE TABLE meta_accounts (id SERIAL PRIMARY KEY, user_id INTEGER NOT NULL, meta_user_id VARCHAR(255) NOT NULL, access_token TEXT NOT NULL, token_type VARCHAR(50) DEFAULT 'long_lived', expires_at TIMESTAMP WITH TIME ZONE, scopes TEXT, created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE pages (id SERIAL PRIMARY KEY, user_id INTEGER NOT NULL, meta_account_id INTEGER REFERENCES meta_accounts (id), page_id VARCHAR(255) NOT NULL, page_name VARCHAR(255), page_access_token TEXT NOT NULL, token_expires_at TIMESTAMP WITH TIME ZONE, created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE token_refresh_log (id SERIAL PRIMARY KEY, meta_account_id INTEGER REFERENCES meta_accounts (id), page_id INTEGER REFERENCES pages (id), refresh_type VARCHAR(50) NOT NULL, success BOOLEAN NOT NULL, error_message TEXT, old_expires_at TIMESTAMP WITH TIME ZONE, new_expires_at TIMESTAMP WITH TIME ZONE, refreshed_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP);
";

#[test]
fn tables_of_postgresql() {
    const NAME: &str = "tables_of_postgresql";
    if let Some(why) = lacking(&["psql", "setpriv"]) {
        return skip(NAME, &why);
    }
    let own = tempfile::tempdir().unwrap();
    let server = match Postgres::start(own.path()) {
        Ok(server) => server,
        Err(why) => return skip(NAME, why.lines().next().unwrap_or_default()),
    };
    let world = World::new();
    let anna = world.mint(TokenFixture::user(APP, ANNA).named("anna"));
    let of_the_page = world.mint(TokenFixture::page(APP, ANNA, BAKERY).named("bakery"));
    let rows = format!(
        "{TABLES}
INSERT INTO meta_accounts (user_id, meta_user_id, access_token, expires_at, created_at) VALUES (1, '{ANNA}', '{anna}', '2026-03-01 00:00:00+00', '2025-10-01 00:00:00+00');
INSERT INTO pages (user_id, meta_account_id, page_id, page_name, page_access_token, created_at) VALUES (1, 1, '{BAKERY}', 'Bakery, \"the\" one', '{of_the_page}', '2025-10-01 00:00:00+00');
INSERT INTO token_refresh_log (meta_account_id, page_id, refresh_type, success, error_message, new_expires_at, refreshed_at) VALUES
 (1, NULL, 'automatic', true, NULL, '2026-01-15 00:00:00+00', '2025-11-16 03:00:00+00'),
 (1, 1, 'manual', false, 'Error validating access token: EAAsecretsecretsecretsecretsecretsecret, line' || chr(10) || 'two', NULL, '2025-12-01 03:00:00+00');"
    );
    world.write("rows.sql", rows);
    world.write("postgresql.sql", page("postgresql.sql"));
    let bin = bin(&world);
    // The socket of the server is found where the commands are.
    let socket = own.path().join(".s.PGSQL.5432");
    std::os::unix::fs::symlink(&socket, bin.join(".s.PGSQL.5432")).unwrap();
    typed(
        &world,
        "psql -X -q -d postgres -c 'CREATE DATABASE app'; psql -X -q -v ON_ERROR_STOP=1 -d app -f rows.sql",
        &bin,
    );
    follow(
        &world,
        "postgresql.md",
        "Export and import",
        &["Delete"],
        &format!("user-{ANNA}"),
        &anna,
    );
    assert_eq!(world.in_use(&format!("page-{BAKERY}")), of_the_page);
    let events = world.events(&format!("page-{BAKERY}"));
    let failed = (
        "refresh_failed".to_owned(),
        "Error validating access token: [redacted], line two".to_owned(),
    );
    assert!(events.contains(&failed), "{events:?}");
    drop(server);
}
