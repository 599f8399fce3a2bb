//! Every outcome of a run and every exit code, which of them wins, and what a dry run may do.
//!
//! One code cannot be provoked from outside: 70 is a bug. 73 is tried in `deliver`, and `too_young`,
//! which Meta says of Instagram and Threads tokens only, in `families`.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Renewal, Rule, TokenFixture};
use metatoken::token::Expiry;

use crate::common::{ANNA, APP, BAKERY, ROBOT, Ran, World, day, ends};

const USER: &str = "type = \"user\"\napp = \"main\"\n";

/// One call at a time, the soonest end first, so that what is told does not hang on a race.
const ONE_BY_ONE: &str = "[http]\nconcurrency = 1\n";

/// A config with these user tokens, each with its string in a variable of its name.
fn users(labels: &[&str]) -> String {
    labels.iter().fold(ONE_BY_ONE.to_owned(), |config, label| {
        let variable = label.to_uppercase();
        format!("{config}\n[token.{label}]\n{USER}access_token = {{ env = \"{variable}\" }}\n")
    })
}

fn user(words: &str) -> TokenFixture {
    TokenFixture::user(APP, ANNA).named(words)
}

/// A world with these user tokens, adopted on day 0 and looked at again on day 39, on day 40.
fn due(specs: &[(&str, TokenFixture)]) -> World {
    let labels: Vec<&str> = specs.iter().map(|(label, _)| *label).collect();
    let mut world = World::new().config(&users(&labels));
    for (label, spec) in specs {
        let string = world.mint(spec.clone());
        world.set(&label.to_uppercase(), &string);
    }
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.at(day(39));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.at(day(40));
    world.calls();
    world
}

/// The outcomes of a run, by label.
#[track_caller]
fn outcomes(ran: &Ran, expected: &[(&str, &str)]) {
    let found = ran.outcomes();
    let found: Vec<(&str, &str)> =
        found.iter().map(|(label, outcome)| (label.as_str(), outcome.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_outcome_that_there_is() {
    let config = format!(
        "{}\n[token.page]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\"\n\
         [token.ads]\ntype = \"system-user\"\naccess_token = {{ env = \"ADS\" }}\n",
        users(&["brand", "fresh", "stuck", "dead", "down"])
    );
    let mut world = World::new()
        .config(&config)
        .token("BRAND", user("brand"))
        .token("FRESH", user("fresh").ending(ends(100)))
        .token("STUCK", user("stuck").renewal(Renewal::KeepsString))
        .token("DEAD", user("dead"))
        .token("DOWN", user("down").ending(ends(61)))
        .token("ADS", TokenFixture::system_user(APP, ROBOT).named("ads"));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    outcomes(
        &ran,
        &[
            ("ads", "adopted"),
            ("brand", "adopted"),
            ("dead", "adopted"),
            ("down", "adopted"),
            ("fresh", "adopted"),
            ("page", "derived"),
            ("stuck", "adopted"),
        ],
    );
    world.at(day(42));
    world.graph.with(|graph| graph.invalidate("EAAFAKEDead1", Invalidation::AppRemoved));
    world.graph.misbehave(
        Rule::on("/oauth/access_token").about("EAAFAKEDown1"),
        FaultInjection::Status(500),
    );
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME       EXPIRES     REASON
brand  refreshed     2026-04-13  expires in 18 days (renewal window: 20 days)
fresh  verified      2026-04-11  due 2026-03-22 00:00 UTC, in 38 days
stuck  not extended  2026-03-02  no later expiry
dead   invalid       2026-03-02  app not authorized (190/458)
down   failed        2026-03-03  graph unavailable (1)
page   derived       never       its parent has a newer access token
ads    verified      never       never expires

critical: `dead`: down, app removed
  hint: the person behind the token logs in to the app again: run `metatoken login dead`
  Meta: \"The user has not authorized application 1000000000000001\" (190/458)
warning: `stuck`: works, renewal gives no later expiry
  hint: nothing to do yet: it is tried again by itself
warning: `down`: works, Graph is unavailable
  hint: nothing to do yet: it is tried again by itself
  Meta: \"An unknown error occurred\" (1)

7 tokens: 1 refreshed, 1 derived, 2 verified, 1 not extended, 1 failed, 1 invalid
",
        )
        .stderr("")
        .exit(Exit::PersonNeeded);
    // Within the hour nothing is proven again, but what waits for a person is.
    world.at(day(42) + TimeDelta::minutes(1));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    outcomes(
        &ran,
        &[
            ("ads", "not_due"),
            ("brand", "not_due"),
            ("dead", "invalid"),
            ("down", "not_due"),
            ("fresh", "not_due"),
            ("page", "not_due"),
            ("stuck", "not_due"),
        ],
    );
    assert_eq!(ran.json()["summary"]["total"], 7);
    assert_eq!(ran.json()["summary"]["not_due"], 6);
}

#[test]
fn what_hangs_on_a_disabled_app_is_told_once_and_not_asked_about() {
    let world = due(&[("brand", user("brand")), ("shop", user("shop"))]);
    world.graph.with(|graph| graph.app_mut(APP).unwrap().disabled = true);
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  app disabled (200)
shop   skipped  2026-03-02  app disabled (200)

warning: `brand` and `shop`: works, app `main` is disabled
  hint: open the dashboard of app `main` (1000000000000001) and follow its alerts until the app is live again; then run `metatoken refresh`
  Meta: \"API access deactivated. To reactivate, go to the app dashboard\" (200)

2 tokens: 1 skipped, 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(world.calls().len(), 1);
}

#[test]
fn an_exchange_is_told_as_one() {
    let world = World::new()
        .config(&users(&["brand"]))
        .token("BRAND", user("brand").ending(Expiry::At(day(0) + TimeDelta::hours(1))));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    outcomes(&ran, &[("brand", "exchanged")]);
}

#[test]
fn exit_0_all_is_well() {
    due(&[("brand", user("brand"))]).run(&["refresh", "-q"]).exit(Exit::Ok).silent();
}

#[test]
fn exit_1_something_will_be_tried_again() {
    let world = due(&[("brand", user("brand").renewal(Renewal::KeepsEnd))]);
    // Twenty days are left: nobody need be told.
    world.run(&["refresh", "--quiet"]).code(1).silent();
}

#[test]
fn exit_64_the_command_line_is_wrong() {
    let world = World::new().config(&users(&["brand"]));
    world
        .run(&["refresh", "nobody"])
        .stdout("")
        .stderr(
            "
error: nobody: matches no token
hint: the labels are `brand`
",
        )
        .code(64);
    world
        .run(&["refresh", "nobody", "--json"])
        .stdout(
            r#"
{
  "version": 1,
  "error": {
    "code": "no_such_label",
    "exit_code": 64,
    "subject": "nobody",
    "message": "matches no token",
    "causes": [],
    "hints": [
      "the labels are `brand`"
    ]
  }
}
"#,
        )
        .stderr(
            "
error: nobody: matches no token
hint: the labels are `brand`
",
        )
        .code(64);
    world
        .run(&["renew"])
        .stdout("")
        .stderr(
            "
error: unknown command `renew`
hint: try `metatoken refresh`
",
        )
        .code(64);
    world
        .run(&["refresh", "--lock-wait", "soon"])
        .stdout("")
        .stderr(
            "
error: invalid duration `soon`
hint: write `90s`, `15m`, `6h`, `7d` or `2w`
",
        )
        .code(64);
    world
        .run(&["status", "--dry-run"])
        .stdout("")
        .stderr(
            "
error: `status` has no dry run
hint: `--dry-run` is an option of `add`, `import`, `refresh`, `deliver`, `exchange`, `rollback`, `promote`, `revoke` and `forget`
",
        )
        .code(64);
}

#[test]
fn exit_65_the_input_was_refused() {
    let mut world = due(&[("brand", user("brand").ending(ends(100)))]);
    let string = world.mint(user("other").ending(ends(90)));
    world.set("BRAND", &string);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  failed   2026-04-11  refused: no later expiry

warning: `brand`: works, the new access token was rejected: it expires no later than the current access token, which works

1 token: 1 failed
",
        )
        .stderr("")
        .code(65);
}

#[test]
fn exit_69_graph_is_out_of_reach() {
    let world = due(&[("brand", user("brand"))]);
    for (misbehaviour, kind) in [
        (FaultInjection::Status(503), "graph_unavailable"),
        (FaultInjection::CloseBeforeAnswer, "network"),
        (FaultInjection::Throttled, "rate_limited"),
    ] {
        world.graph.misbehave(Rule::any(), misbehaviour);
        let ran = world.run(&["refresh", "--force", "brand", "--json"]).code(69);
        assert_eq!(ran.result("brand")["outcome"], "failed");
        assert_eq!(ran.result("brand")["problem"]["kind"], kind);
        world.graph.behave();
    }
}

#[test]
fn exit_74_the_store_cannot_be_read() {
    let world = World::new().config(&users(&["brand"])).token("BRAND", user("brand"));
    world.write("metatoken.db", "this is no store of ours, but it is somebody's file\n");
    world
        .run(&["refresh"])
        .stdout("")
        .stderr(
            "
error: [DIR]/metatoken.db: the file is not a metatoken store
hint: if it was the store, restore a backup (`metatoken store backup` makes them): `mv [DIR]/metatoken.db \"$(mktemp -d [DIR]/metatoken.db-lost.XXXXXX)\" && cp BACKUP [DIR]/metatoken.db`
hint: if it is another program's file, name a file of its own with `path` in `[store]`
",
        )
        .code(74);
    world
        .run(&["status"])
        .stdout("")
        .stderr(
            "
error: [DIR]/metatoken.db: the file is not a metatoken store
hint: if it was the store, restore a backup (`metatoken store backup` makes them): `mv [DIR]/metatoken.db \"$(mktemp -d [DIR]/metatoken.db-lost.XXXXXX)\" && cp BACKUP [DIR]/metatoken.db`
hint: if it is another program's file, name a file of its own with `path` in `[store]`
",
        )
        .code(74);
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN CRITICAL - [DIR]/metatoken.db: the file is not a metatoken store
",
        )
        .stderr(
            "
error: [DIR]/metatoken.db: the file is not a metatoken store
hint: if it was the store, restore a backup (`metatoken store backup` makes them): `mv [DIR]/metatoken.db \"$(mktemp -d [DIR]/metatoken.db-lost.XXXXXX)\" && cp BACKUP [DIR]/metatoken.db`
hint: if it is another program's file, name a file of its own with `path` in `[store]`
",
        )
        .code(2);
}

#[test]
fn exit_75_another_run_is_at_work() {
    let world = World::new().config(&users(&["brand"])).token("BRAND", user("brand"));
    world.graph.latency(Duration::from_secs(20));
    let first = world.command(&["refresh"]).spawn().unwrap();
    let pid = first.id().to_string();
    while world.graph.connections() == 0 {
        std::thread::sleep(Duration::from_millis(2));
    }
    let second = world.run(&["refresh"]).code(75);
    assert_eq!(
        second.stderr.replace(&pid, "[PID]"),
        "error: another run holds the lock: pid [PID], `metatoken refresh`, since 2026-01-01 00:00 UTC\n\
         hint: wait for it with `--lock-wait 5m`\n"
    );
    world.run(&["refresh", "--quiet"]).code(75).silent();
    // Readers do not wait for it.
    world.run(&["status", "--offline", "--json"]).exit(Exit::Ok).stderr("");
    world.graph.latency(Duration::ZERO);
    world.run(&["refresh", "--lock-wait", "5m", "--quiet"]).exit(Exit::Ok).silent();
    world.finish(first).exit(Exit::Ok).stderr("");
}

#[test]
fn exit_77_a_person_must_act() {
    let world = due(&[("brand", user("brand"))]);
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::Inactive));
    world.run(&["refresh", "--quiet"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  inactive (190/493)

critical: `brand`: down, app not used for 90 days
  hint: the person behind the token logs in to the app again: run `metatoken login brand`
  Meta: \"The access token is invalid since the user hasn't engaged the app in longer than 90 days\" (190/493)

1 token: 1 invalid
").stderr("").code(77);
}

#[test]
fn exit_78_the_config_is_wrong_or_unsafe() {
    let world = World::new().config("[token.brand]\ntype = \"usr\"\naces_token = \"x\"\n");
    world
        .run(&["refresh"])
        .stdout("")
        .stderr(
            r#"
error: [DIR]/metatoken.toml: 2 mistakes
  metatoken.toml:11:8: unknown type `usr`
   11 | type = "usr"
      |        ^^^^^ did you mean `user`?
  metatoken.toml:12:1: unknown key `aces_token`
   12 | aces_token = "…"
      | ^^^^^^^^^^ did you mean `access_token`?
"#,
        )
        .code(78);
    world
        .run(&["refresh", "--json"])
        .stderr(
            r#"
error: [DIR]/metatoken.toml: 2 mistakes
  metatoken.toml:11:8: unknown type `usr`
   11 | type = "usr"
      |        ^^^^^ did you mean `user`?
  metatoken.toml:12:1: unknown key `aces_token`
   12 | aces_token = "…"
      | ^^^^^^^^^^ did you mean `access_token`?
"#,
        )
        .code(78);

    let world = World::new().config(&users(&["brand"])).token("BRAND", user("brand"));
    let open = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(world.path("metatoken.toml"), open).unwrap();
    world
        .run(&["refresh"])
        .stdout("")
        .stderr(
            "
error: [DIR]/metatoken.toml: refused: group or others can write it (mode 0666)
hint: a config names commands: only its owner may write it
hint: `chmod go-w [DIR]/metatoken.toml`
",
        )
        .code(78);
    assert!(!world.path("metatoken.db").exists());
}

#[test]
fn the_weightier_code_wins() {
    // From the weightiest to the lightest; each run is about one fewer.
    let all = [("dead", 77), ("refused", 65), ("stuck", 1), ("down", 69)];
    for heaviest in 0..all.len() {
        let mut world = due(&[
            ("dead", user("dead").ending(ends(90))),
            ("refused", user("refused").ending(ends(91))),
            ("stuck", user("stuck").renewal(Renewal::KeepsString)),
            ("down", user("down").ending(ends(60))),
        ]);
        world.graph.with(|graph| graph.invalidate("EAAFAKEDead1", Invalidation::Revoked));
        let worse = world.mint(user("worse").ending(ends(80)));
        world.set("REFUSED", &worse);
        world.graph.misbehave(
            Rule::on("/oauth/access_token").about("EAAFAKEDown1"),
            FaultInjection::Status(500),
        );
        let labels = all[heaviest..].iter().map(|(label, _)| *label);
        let arguments: Vec<&str> = ["refresh", "--json"].into_iter().chain(labels).collect();
        let ran = world.run(&arguments).code(all[heaviest].1);
        assert_eq!(ran.outcomes().len(), all.len() - heaviest);
    }
}

#[test]
fn a_dry_run_tells_what_would_happen_and_changes_nothing() {
    let config = format!(
        "{}\n[token.page]\ntype = \"page\"\nparent = \"fresh\"\npage_id = \"{BAKERY}\"\n",
        users(&["brand", "fresh", "short", "dead"])
    );
    let mut world = World::new().config(&config).token("BRAND", user("brand"));
    for (variable, spec) in [("FRESH", user("fresh")), ("DEAD", user("dead"))] {
        let string = world.mint(spec.ending(ends(100)));
        world.set(variable, &string);
    }
    let short = user("short").ending(Expiry::At(day(0) + TimeDelta::hours(1)));
    let short = world.mint(short);
    world.set("SHORT", &short);

    // Before the first run there is neither store nor key, and none is made.
    let before = world.bytes_on_disk();
    world.run(&["refresh", "--dry-run"]).stdout("
TOKEN  OUTCOME         EXPIRES     REASON
brand  would adopt     2026-03-02  found in the environment variable `BRAND`
fresh  would adopt     2026-04-11  found in the environment variable `FRESH`
short  would exchange  unknown     short-lived, expires 2026-01-01 01:00 UTC, in 60 minutes
dead   would adopt     2026-04-11  found in the environment variable `DEAD`
page   would derive    never       no access token yet

5 tokens: 1 would exchange, 1 would derive, 3 would adopt (dry run: nothing was changed, and whether Meta would renew is not known)
").stderr("").exit(Exit::Ok);
    assert_eq!(world.bytes_on_disk(), before);
    let ran = world.run(&["refresh", "-n", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.json()["dry_run"], true);
    assert!(world.calls().iter().all(|call| !call.starts_with("oauth")));

    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.at(day(40));
    world.graph.with(|graph| graph.invalidate("EAAFAKEDead1", Invalidation::Revoked));
    let again = world.mint(user("fresh").ending(ends(101)));
    world.set("FRESH", &again);
    world.calls();
    let before = world.bytes_on_disk();
    world.run(&["refresh", "-n"]).stdout("
TOKEN  OUTCOME        EXPIRES     REASON
brand  would refresh  unknown     expires in 20 days (renewal window: 20 days)
fresh  would adopt    2026-04-12  found in the environment variable `FRESH`
short  would refresh  unknown     expires in 20 days (renewal window: 20 days)
dead   invalid        2026-04-11  revoked (190/466)
page   would derive   never       its parent has a newer access token

critical: `dead`: down, revoked
  hint: the person behind the token logs in to the app again: run `metatoken login dead`
  Meta: \"The session was invalidated explicitly using an API call\" (190/466)

5 tokens: 1 invalid, 2 would refresh, 1 would derive, 1 would adopt (dry run: nothing was changed, and whether Meta would renew is not known)
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(world.bytes_on_disk(), before);
    assert!(world.calls().iter().all(|call| !call.starts_with("oauth")));
    // It ends as the real run does.
    let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    outcomes(
        &ran,
        &[
            ("brand", "refreshed"),
            ("dead", "invalid"),
            ("fresh", "adopted"),
            ("page", "derived"),
            ("short", "refreshed"),
        ],
    );
}

#[test]
fn a_dry_run_ends_as_the_real_one_would() {
    let mut world = due(&[("brand", user("brand").ending(ends(100)))]);
    let string = world.mint(user("other").ending(ends(90)));
    world.set("BRAND", &string);
    world
        .run(&["refresh", "-n", "--quiet"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  failed   2026-04-11  refused: no later expiry

warning: `brand`: works, the new access token was rejected: it expires no later than the current access token, which works

1 token: 1 failed (dry run: nothing was changed)
",
        )
        .stderr("")
        .exit(Exit::InputRefused);
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    world.run(&["refresh", "-n", "--quiet"]).exit(Exit::Unavailable).silent();
    world.graph.behave();
    world.reconfigure("[token.brand]\ntype = \"page\"\npage_id = \"1\"\nparent = \"x\"\n");
    world
        .run(&["refresh", "-n"])
        .stdout("")
        .stderr(
            r#"
error: [DIR]/metatoken.toml: 1 mistake
  metatoken.toml:13:10: there is no token `x`
   13 | parent = "x"
      |          ^^^ add `[token.x]`
"#,
        )
        .exit(Exit::Config);
}
