//! A damaged row is one token's trouble: it is named, it ends a run with 74, and every other token is
//! kept alive. Columns of every table are damaged in turn, each in a store of its own.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use metatoken::sandbox::TokenFixture;
use rusqlite::Connection;

use crate::common::{ANNA, APP, ROBOT, World, day};

const CONFIG: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
pages = "all"
[[token.brand.deliver]]
file = "app.env"
key = "TOKEN"

[token.shop]
type = "system-user"
access_token = { env = "SHOP" }
"#;

const SCOPES: [&str; 2] = ["public_profile", "pages_show_list"];

/// A world on day 2, when everything is to be verified again, whose store can be put back.
struct Bench {
    world: World,
    store: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let mut world = World::new()
            .config(CONFIG)
            .token("BRAND", TokenFixture::user(APP, ANNA).named("brand").scopes(SCOPES))
            .token("SHOP", TokenFixture::system_user(APP, ROBOT).named("shop"));
        world.write("app.env", "TOKEN=\n");
        world.run(&["refresh", "--quiet"]).silent().code(0);
        world.at(day(2));
        // Tables that a quiet life leaves empty have a row too.
        world
            .sql()
            .execute_batch(
                "INSERT INTO pause VALUES ('main', 1767225600);
                 INSERT INTO channel (name, uid) VALUES ('ops', 'abc');
                 INSERT INTO notice VALUES ('ops', 'brand', 'x', '', 'critical', NULL, NULL, 'm', 0, NULL);
                 INSERT INTO owner_mail VALUES ('anna@client.example', 1767225600);
                 INSERT INTO attempt (run, token, planned_at, closed_at)
                     SELECT 1, id, 1767225600, 1767225600 FROM token WHERE label = 'brand';
                 INSERT INTO replaced SELECT id, 'app', 1767225600, x'01' FROM token
                     WHERE label = 'brand';",
            )
            .unwrap();
        let store = fs::read(world.path("metatoken.db")).unwrap();
        Self { world, store }
    }

    /// Puts the store back as it was.
    fn restore(&self) {
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(self.world.path(&format!("metatoken.db{ending}")));
        }
        self.world.write("metatoken.db", &self.store);
        self.world.write("app.env", "TOKEN=EAAFAKEBrand1\n");
    }

    /// Damages the store; `false` if the tables themselves forbid it.
    fn damage(&self, sql: &str) -> bool {
        let connection = self.sql();
        connection.execute(sql, []).is_ok_and(|rows| rows > 0)
    }

    fn sql(&self) -> Connection {
        let connection = self.world.sql();
        let loose = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
        connection.execute_batch(loose).unwrap();
        connection
    }

    /// When Graph was last asked about the access token in use of `label`.
    fn checked(&self, label: &str) -> Option<i64> {
        self.sql()
            .query_row(
                "SELECT p.at FROM proof p JOIN generation g ON g.id = p.generation
                 JOIN token t ON t.id = g.token WHERE t.label = ?1 AND g.state = 'current'",
                [label],
                |row| row.get(0),
            )
            .ok()
    }
}

/// Which rows of a table are damaged: those of `brand`, or the only ones.
fn whose(table: &str) -> &'static str {
    match table {
        "token" => "label = 'brand'",
        "generation" | "attempt" | "delivery" | "replaced" => {
            "token = (SELECT id FROM token WHERE label = 'brand')"
        }
        "event" => {
            "id = (SELECT max(id) FROM event
             WHERE token = (SELECT id FROM token WHERE label = 'brand'))"
        }
        "proof" => {
            "generation = (SELECT g.id FROM generation g JOIN token t ON t.id = g.token
             WHERE t.label = 'brand')"
        }
        _ => "TRUE",
    }
}

/// Values that no version writes into a column of that type.
fn bad_values(kind: &str) -> &'static [&'static str] {
    match kind {
        "INTEGER" => &["-1", "9000000000000000000", "7"],
        "TEXT" => &["''", "'zzz'", "CAST(x'ff41' AS TEXT)", "'{\"kind\":1}'"],
        _ => &["x''", "x'0101'", "zeroblob(90)"],
    }
}

/// Every third column of every table but `meta`, each with one of the bad values; the store's own tests
/// try them all.
fn cases(bench: &Bench) -> Vec<(String, String)> {
    let connection = bench.sql();
    let mut columns = connection
        .prepare(
            "SELECT s.name, c.name, c.type FROM sqlite_schema s, pragma_table_info(s.name) c
             WHERE s.type = 'table' AND s.name <> 'meta' ORDER BY s.name, c.cid",
        )
        .unwrap();
    let columns = columns.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let columns: Vec<(String, String, String)> = columns.collect::<Result<_, _>>().unwrap();
    let mut cases = Vec::new();
    for (place, (table, column, kind)) in columns.into_iter().enumerate().step_by(3) {
        let values = bad_values(&kind);
        let value = values[place / 3 % values.len()];
        let sql = format!("UPDATE {table} SET {column} = {value} WHERE {}", whose(&table));
        cases.push((format!("{table}.{column} = {value}"), sql));
    }
    cases
}

/// What must hold whatever is damaged.
fn holds(bench: &Bench, case: &str) {
    let world = &bench.world;
    let ran = world.run(&["token", "shop"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "EAAFAKEShop1\n"),
        "{case}: {}",
        ran.stderr
    );
    let status = world.run(&["status", "--offline", "--json"]);
    assert!(matches!(status.code, Some(0..=3)), "{case}: {}", status.stderr);
    assert_eq!(status.token("shop")["state"], "valid", "{case}");
    let named = |code: &str, list: &[serde_json::Value]| {
        list.iter().any(|reason| reason["code"] == code && reason["severity"] == "critical")
    };
    let json = status.json();
    let brand = status.token("brand");
    let told = named("damaged", brand["reasons"].as_array().unwrap())
        || named("store_damaged", json["system"].as_array().unwrap());
    let checked = world.run(&["check"]);
    assert!(matches!(checked.code, Some(0..=2)), "{case}: {}{}", checked.stdout, checked.stderr);
    if told {
        assert_eq!(checked.code, Some(2), "{case}: {}", checked.stdout);
        assert!(checked.stdout.contains("damaged"), "{case}: {}", checked.stdout);
    }
    let history = world.run(&["history", "--json"]);
    assert!(matches!(history.code, Some(0 | 74)), "{case}: {}", history.stderr);
    // What a run did is no more readable than the run itself.
    let events = history.json()["events"].as_array().unwrap().len();
    assert!(events >= 2 || history.code == Some(74), "{case}");

    let ran = world.run(&["refresh", "--json"]);
    let codes: &[i32] = if told { &[74] } else { &[0, 74] };
    assert!(
        ran.code.is_some_and(|code| codes.contains(&code)),
        "{case}: {:?}, told {told}\n{}{}",
        ran.code,
        ran.stdout,
        ran.stderr
    );
    assert_eq!(ran.outcomes()["shop"], "verified", "{case}: {}", ran.stdout);
    assert_eq!(bench.checked("shop"), Some(day(2).timestamp()), "{case}");
    let app = fs::read_to_string(world.path("app.env")).unwrap();
    assert_eq!(app, "TOKEN=EAAFAKEBrand1\n", "{case}");

    let ran = world.run(&["refresh", "--json"]);
    let over = ran.code != Some(74) || ran.stdout.contains("store_damaged");
    assert!(over, "{case}: neither repaired nor adopted\n{}{}", ran.stdout, ran.stderr);
    let check = world.run(&["check"]);
    let damaged = check.stdout.contains("damaged");
    assert_eq!(ran.code == Some(74), damaged, "{case}: {}{}", ran.stdout, check.stdout);
    if !damaged {
        assert_eq!(ran.code, Some(0), "{case}: {}{}", ran.stdout, ran.stderr);
        world.run(&["token", "brand"]).code(0).stdout("EAAFAKEBrand1\n");
    }
}

#[test]
fn whatever_column_of_whatever_table_is_damaged_the_others_are_kept() {
    let tried = AtomicUsize::new(0);
    let workers = 4;
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let tried = &tried;
            scope.spawn(move || {
                let bench = Bench::new();
                for (case, sql) in cases(&bench).into_iter().skip(worker).step_by(workers) {
                    bench.restore();
                    // A label that reads well is another's: nothing is damaged.
                    if case != "token.label = 'zzz'" && bench.damage(&sql) {
                        holds(&bench, &case);
                        tried.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let tried = tried.into_inner();
    assert!(tried >= 26, "{tried} damaged stores");
}

#[test]
fn an_access_token_in_use_that_seems_forgotten_is_not_taken_for_a_new_one() {
    let bench = Bench::new();
    bench.restore();
    assert!(
        bench.damage(&format!(
            "UPDATE generation SET forgotten_at = 7 WHERE {}",
            whose("generation")
        ))
    );
    holds(&bench, "generation.forgotten_at = 7");
    assert!(bench.world.events("brand").iter().all(|(event, _)| event != "adoption_refused"));
}

/// Flips bits in the sealed access token in use of `label`.
fn flip(bench: &Bench, label: &str) {
    let sql = format!(
        "UPDATE generation SET sealed = CAST(substr(sealed, 1, 20)
             || iif(substr(sealed, 21, 1) = x'a5', x'5a', x'a5') || substr(sealed, 22) AS BLOB)
         WHERE state = 'current' AND token = (SELECT id FROM token WHERE label = '{label}')"
    );
    assert!(bench.damage(&sql));
}

const LOST: &str = "
TOKEN                   OUTCOME   EXPIRES  REASON
brand                   invalid   -        damaged in the store
brand/2000000000000001  verified  never    never expires
brand/2000000000000002  verified  never    never expires
shop                    verified  never    never expires

critical: `brand`: damaged in the store: access token
  hint: run `metatoken exchange brand` and paste a new access token, or restore a copy of the store made by `metatoken store backup`

4 tokens: 3 verified, 1 invalid
";

#[test]
fn a_lost_access_token_is_named_until_a_person_replaces_it() {
    let mut bench = Bench::new();
    bench.restore();
    bench.world.set("BRAND", "");
    flip(&bench, "brand");
    bench.world.run(&["refresh"]).stdout(LOST).stderr("").code(74);
    assert_eq!(bench.checked("shop"), Some(day(2).timestamp()));
    assert_eq!(bench.checked("brand/2000000000000001"), Some(day(2).timestamp()));
    let check = "
METATOKEN CRITICAL - brand: damaged in the store: access token; operator: metatoken exchange brand
CRITICAL: `brand`: damaged in the store: access token
  run `metatoken exchange brand` and paste a new access token, or restore a copy of the store made by `metatoken store backup`. Proof: `metatoken check brand`
";
    bench.world.run(&["check"]).verdict(check).code(2);
    let status = bench.world.run(&["status", "--offline", "--json"]).code(0);
    let brand = status.token("brand");
    assert_eq!((&brand["state"], &brand["health"]), (&"missing".into(), &"critical".into()));
    assert_eq!(brand["reasons"][0]["code"], "damaged");
    bench
        .world
        .run(&["token", "brand"])
        .stdout("")
        .stderr(
            "
error: brand: its access token in the store is damaged
hint: run `metatoken exchange brand` with a new access token, or restore a copy of the store made by `metatoken store backup`
",
        )
        .code(74);
    assert_eq!(bench.world.in_use("shop"), "EAAFAKEShop1");
    assert_eq!(bench.world.in_use("brand/2000000000000001"), "EAAFAKEPageBakery1");
    bench.world.run(&["deliver", "--quiet"]).code(74);

    // The timer is not blamed for what every run ends with.
    for n in 3..7 {
        bench.world.at(day(n));
        let ran = bench.world.run(&["refresh", "--json"]).code(74);
        assert_eq!(ran.outcomes()["shop"], "verified");
    }
    bench.world.run(&["check"]).verdict(check).code(2);

    let new = TokenFixture::user(APP, ANNA).named("brand").scopes(SCOPES);
    let new = bench.world.mint(new);
    let ran = bench.world.run_with_input(&["exchange", "brand"], &new).code(0);
    assert!(!ran.stdout.contains("damaged"), "{}", ran.stdout);
    bench.world.run(&["refresh", "--quiet"]).silent().code(0);
    let ok = bench.world.run(&["check"]).code(0);
    assert!(ok.stdout.starts_with("METATOKEN OK - 4 tokens, all well"), "{}", ok.stdout);
    assert_eq!(bench.world.in_use("brand"), new);
    let kept: i64 = bench
        .sql()
        .query_row(
            "SELECT count(*) FROM generation WHERE state = 'previous' AND sealed IS NOT NULL
             AND broken_since IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(kept, 1, "what was damaged is kept");
}

#[test]
fn what_the_config_or_a_parent_gives_replaces_a_lost_access_token_at_once() {
    let bench = Bench::new();
    for (label, outcome) in [("brand", "adopted"), ("brand/2000000000000001", "derived")] {
        bench.restore();
        let before = bench.world.in_use(label);
        flip(&bench, label);
        let dry = bench.world.run(&["refresh", "-n", "--json"]).code(74);
        assert_eq!(dry.json()["system"][0]["code"], "damaged", "{}", dry.stdout);
        let ran = bench.world.run(&["refresh"]).code(74);
        let said = format!(
            "critical: `{label}`: was damaged in the store and is repaired: access token\n"
        );
        assert!(ran.stdout.contains(&said) && ran.stdout.contains(outcome), "{}", ran.stdout);
        assert_eq!(bench.world.in_use(label), before);
        bench.world.run(&["refresh", "--quiet"]).silent().code(0);
        bench.world.run(&["check"]).code(0);
    }
}

#[test]
fn the_whole_store_is_looked_over_once_a_day() {
    let mut bench = Bench::new();
    bench.restore();
    bench.world.run(&["refresh", "--quiet"]).silent().code(0);
    // Nothing that a run reads: only who looks the whole file over finds it.
    assert!(bench.damage("UPDATE event SET generation = 99 WHERE id = 1"));
    bench.world.at(day(2) + chrono::TimeDelta::hours(12));
    bench.world.run(&["refresh", "--quiet"]).silent().code(0);
    bench.world.run(&["check"]).code(0);
    bench.world.at(day(3));
    let found =
        "the store is damaged: a row of `event` names a row of `generation` that is not there";
    let ran = bench.world.run(&["refresh"]).code(74);
    let said = format!(
        "critical: {found}\n  hint: restore a copy of the store made by `metatoken store backup`\n"
    );
    assert!(ran.stdout.contains(&said), "{}", ran.stdout);
    assert_eq!(bench.checked("shop"), Some(day(3).timestamp()), "the run's work stands");
    let check = bench.world.run(&["check", "--json"]).code(2).json();
    assert_eq!(check["system"][0]["code"], "store_damaged");
    assert_eq!(check["system"][0]["message"], found);
    assert!(bench.damage("UPDATE event SET generation = NULL WHERE id = 1"));
    bench.world.run(&["refresh", "--quiet"]).silent().code(0);
    bench.world.run(&["check"]).code(0);
}

#[test]
fn a_damaged_event_is_left_out_of_the_history_and_counted() {
    let bench = Bench::new();
    bench.restore();
    assert!(bench.damage("UPDATE event SET kind = 'zzz' WHERE id = 1"));
    let ran = bench.world.run(&["history", "--json"]).code(74).stderr(
        "
1 damaged event left out; restore a copy of the store made by `metatoken store backup`
",
    );
    assert!(!ran.json()["events"].as_array().unwrap().is_empty());
    bench.world.run(&["check"]).code(1);
}
