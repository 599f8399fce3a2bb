//! `rollback`: an earlier access token is put back, and the one that is left does not come back by
//! itself. `token --generation` prints an earlier one.

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Rule, TokenFixture};

use crate::common::{ANNA, APP, BAKERY, ROBOT, Ran, World, day, ends};

/// A System User whose access tokens a person hands over, and one file that gets them.
const ADS: &str = r#"
[token.ads]
type = "system-user"
[[token.ads.deliver]]
file = "app.env"
key = "TOKEN"
"#;

fn ads() -> TokenFixture {
    TokenFixture::system_user(APP, ROBOT).named("ads").scopes(["ads_read", "ads_management"])
}

/// A world in which `ads` has had three access tokens, of which the third is in use on day 3.
fn thrice(config: &str) -> World {
    let mut world = World::new().config(config);
    world.write("app.env", "TOKEN=\nLAST=1\n");
    for n in 1..=3 {
        world.at(day(n));
        let access_token = world.mint(ads());
        world.run_with_input(&["exchange", "ads", "-q"], &access_token).exit(Exit::Ok);
    }
    assert_eq!(world.in_use("ads"), "EAAFAKEAds3");
    world.calls();
    world
}

fn kill(world: &World, access_token: &str) {
    world.graph.with(|graph| graph.invalidate(access_token, Invalidation::Revoked));
}

fn held(world: &World) -> String {
    std::fs::read_to_string(world.path("app.env")).unwrap()
}

fn events(world: &World, label: &str) -> Vec<String> {
    let json = world.run(&["history", label, "--json"]).json();
    let events = json["events"].as_array().unwrap().clone();
    events.iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn refused(ran: Ran, exit: Exit, stderr: &str) {
    ran.stdout("").stderr(stderr).exit(exit);
}

#[test]
fn the_newest_earlier_one_that_works_is_put_back_and_delivered() {
    let world = thrice(ADS);
    let before = held(&world);
    world
        .run(&["rollback", "ads", "--dry-run"])
        .stdout(
            "
TOKEN  OUTCOME          EXPIRES  REASON
ads    would roll back  never    to generation 2, leaving 3; generation 3 would work on until it is revoked
       would be delivered to [DIR]/app.env#TOKEN

1 token: 1 would roll back (dry run: nothing was changed)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!((world.in_use("ads"), held(&world)), ("EAAFAKEAds3".to_owned(), before));
    world.calls();
    world
        .run(&["rollback", "ads"])
        .stdout(
            "
TOKEN  OUTCOME      EXPIRES  REASON
ads    rolled back  never    to generation 2, leaving 3; generation 3 works on until it is revoked
       delivered to [DIR]/app.env#TOKEN

1 token: 1 rolled back
",
        )
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Ads"], "the earlier one is asked about, once");
    assert_eq!(world.in_use("ads"), "EAAFAKEAds2");
    assert_eq!(held(&world), "TOKEN=EAAFAKEAds2\nLAST=1\n");
    let told = events(&world, "ads");
    assert_eq!(told[told.len() - 2..], ["rolled_back", "delivered"]);
    // Typed again it goes one further back; and any that is kept can be named, the left one too.
    let again = world.run(&["rollback", "ads", "--json"]).exit(Exit::Ok);
    assert_eq!(again.result("ads")["outcome"], "rolled_back");
    assert_eq!(again.result("ads")["generation"], 1);
    assert_eq!(again.json()["summary"]["rolled_back"], 1);
    world.run(&["rollback", "ads", "--generation", "3", "-q"]).stdout("").exit(Exit::Ok);
    assert_eq!(held(&world), "TOKEN=EAAFAKEAds3\nLAST=1\n");
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds3");
}

#[test]
fn what_cannot_be_put_back_is_refused_with_its_own_words() {
    let mut world = thrice(ADS);
    let typed = |n: &'static str| ["rollback", "ads", "--generation", n];
    refused(
        world.run(&typed("7")),
        Exit::InputRefused,
        "
error: ads: not rolled back: it has had no generation 7
hint: `metatoken status ads` lists the generations that are kept
",
    );
    refused(
        world.run(&typed("3")),
        Exit::InputRefused,
        "
error: ads: not rolled back: generation 3 is the current one
hint: `metatoken status ads` lists the generations that are kept
",
    );
    kill(&world, "EAAFAKEAds1");
    refused(
        world.run(&typed("1")),
        Exit::InputRefused,
        "
error: ads: not rolled back: generation 1: revoked
  caused by: Meta says \"The session was invalidated explicitly using an API call\" (190/466)
hint: `metatoken status ads` lists the generations that are kept
",
    );
    // Nothing named it: the dead one is passed over, and Graph was asked about the other alone.
    world.calls();
    world.run(&["rollback", "ads", "-q"]).exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Ads"]);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds2");
    refused(
        world.run(&["rollback", "ads"]),
        Exit::InputRefused,
        "
error: ads: not rolled back: no earlier access token is kept that may work
hint: an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads --replace` and paste it. Generate it for System User 3000000000000009, app `main` (1000000000000001), expiration Never, permissions ads_read, ads_management
",
    );
    world.sql().execute_batch("UPDATE generation SET revoked_at = 7 WHERE number = 3").unwrap();
    refused(
        world.run(&typed("3")),
        Exit::InputRefused,
        "
error: ads: not rolled back: generation 3 was revoked here
hint: `metatoken status ads` lists the generations that are kept
",
    );
    world
        .sql()
        .execute_batch("UPDATE generation SET state = 'purged', sealed = NULL WHERE number = 1")
        .unwrap();
    refused(
        world.run(&typed("1")),
        Exit::InputRefused,
        "
error: ads: not rolled back: generation 1 was wiped, and only its fingerprint is kept
hint: `metatoken status ads` lists the generations that are kept
",
    );
    // One of another app, and one that was never in use.
    world.at(day(4));
    let dated = world.mint(ads().ending(ends(40)));
    world.run_with_input(&["exchange", "ads"], &dated).exit(Exit::InputRefused);
    refused(
        world.run(&typed("4")),
        Exit::InputRefused,
        "
error: ads: not rolled back: generation 4 was rejected, and never in use
hint: to take it all the same, run `metatoken exchange ads` and paste it
",
    );
    world.run(&["rollback", "ads", "--generation", "x"]).stdout("").exit(Exit::Usage);
    world.run(&["rollback", "ad"]).stdout("").exit(Exit::Usage);
    world.run(&["rollback"]).stdout("").exit(Exit::Usage);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds2");
}

#[test]
fn a_seal_that_does_not_open_is_passed_over_or_named() {
    let world = thrice(ADS);
    let spoil = "UPDATE generation SET sealed = zeroblob(length(sealed)) WHERE number = 2";
    world.sql().execute_batch(spoil).unwrap();
    refused(
        world.run(&["rollback", "ads", "--generation", "2"]),
        Exit::Storage,
        "
error: ads: not rolled back: generation 2 is damaged in the store
hint: restore a copy of the store made by `metatoken store backup`
hint: `metatoken status ads` lists the generations that are kept
",
    );
    world.run(&["rollback", "ads", "-q"]).exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds1");
}

#[test]
fn nothing_is_changed_while_graph_is_away() {
    let world = thrice(ADS);
    let before = (held(&world), events(&world, "ads"));
    world.graph.misbehave(Rule::any(), FaultInjection::CloseBeforeAnswer);
    let ran = world.run(&["rollback", "ads"]).stdout("").exit(Exit::Unavailable);
    assert!(ran.stderr.ends_with("\nhint: nothing was changed: run the same again later\n"));
    world.graph.behave();
    assert_eq!((held(&world), events(&world, "ads")), before);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds3");
    world.run(&["rollback", "ads", "-q"]).exit(Exit::Ok);
}

#[test]
fn what_comes_from_elsewhere_is_rolled_back_there() {
    let config = format!(
        "[token.anna]\ntype = \"user\"\npages = \"all\"\n\
         [token.page]\ntype = \"page\"\nparent = \"anna\"\npage_id = \"{BAKERY}\"\n\
         [token.own]\ntype = \"app\"\n"
    );
    let mut world = World::new().config(&config);
    let user = || {
        TokenFixture::user(APP, ANNA).named("anna").scopes(["public_profile", "pages_show_list"])
    };
    for n in 0..2 {
        world.at(day(n * 3));
        let access_token = world.mint(user().ending(ends(n * 3 + 60)));
        world.run_with_input(&["exchange", "anna", "-q"], &access_token).exit(Exit::Ok);
        world.run(&["refresh", "-q"]).exit(Exit::Ok);
    }
    let of_second = world.in_use("page");
    refused(
        world.run(&["rollback", "page"]),
        Exit::InputRefused,
        "
error: page: not rolled back: its access token comes from its parent `anna`
hint: run `metatoken rollback anna`
",
    );
    refused(
        world.run(&["rollback", "own"]),
        Exit::InputRefused,
        "
error: own: not rolled back: its access token comes from the app's id and secret
hint: set `secret` of `[app.main]` to the earlier secret; then run `metatoken refresh own`
",
    );
    // The Pages follow at once, and stay.
    let ran = world.run(&["rollback", "anna", "--json"]).stderr("").exit(Exit::Ok);
    assert_eq!(ran.outcomes()["anna"], "rolled_back");
    assert_eq!(ran.outcomes()["page"], "derived", "{}", ran.stdout);
    assert_ne!(world.in_use("page"), of_second);
    world.run(&["refresh", "-q"]).exit(Exit::Ok).silent();
    assert_eq!(world.in_use("anna"), "EAAFAKEAnna1");
}

#[test]
fn the_one_that_was_left_does_not_come_back_by_itself() {
    let config = ADS.replace(
        "type = \"system-user\"",
        "type = \"system-user\"\naccess_token = { file = \"source.env\", key = \"TOKEN\" }",
    );
    let mut world = World::new().config(&config);
    world.write("app.env", "TOKEN=\n");
    for n in 1..=2 {
        world.at(day(n));
        let access_token = world.mint(ads());
        world.write("source.env", format!("TOKEN={access_token}\n"));
        world.run(&["refresh", "-q"]).exit(Exit::Ok);
    }
    assert_eq!(world.in_use("ads"), "EAAFAKEAds2");
    world.run(&["rollback", "ads", "-q"]).exit(Exit::Ok);
    let stays = |world: &World| {
        world.run(&["refresh", "-q"]).exit(Exit::Ok);
        assert_eq!(world.in_use("ads"), "EAAFAKEAds1");
    };
    // The config still holds it; then a program writes it into the target.
    stays(&world);
    world.at(day(5));
    stays(&world);
    world.write("app.env", "TOKEN=EAAFAKEAds2\n");
    stays(&world);
    // Nor when the one in use dies: a person is called, and only a person brings it.
    kill(&world, "EAAFAKEAds1");
    world.at(day(6));
    world.run(&["refresh", "-q"]).exit(Exit::PersonNeeded);
    assert_eq!(world.run(&["token", "ads", "--dead"]).stdout.trim(), "EAAFAKEAds1");
    let handed = world.run_with_input(&["exchange", "ads", "-q"], "EAAFAKEAds2");
    handed.exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds2");
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds2");
}

#[test]
fn a_kill_at_any_place_is_finished_by_the_same_command() {
    for place in ["promoted", "temp-written", "temp-synced", "renamed", "settled"] {
        for named in [false, true] {
            let world = thrice(ADS);
            let typed: &[&str] = if named {
                &["rollback", "ads", "--generation", "2"]
            } else {
                &["rollback", "ads"]
            };
            world.killed_at(place, typed, "");
            let ran = world.run(typed);
            assert_eq!(ran.code, Some(0), "{place}: {}{}", ran.stdout, ran.stderr);
            assert_eq!(world.in_use("ads"), "EAAFAKEAds2", "{place}");
            assert_eq!(held(&world), "TOKEN=EAAFAKEAds2\nLAST=1\n", "{place}");
            world.run(&["refresh", "-q"]).exit(Exit::Ok);
            assert_eq!(world.in_use("ads"), "EAAFAKEAds2", "{place}");
            if place != "settled" || named {
                continue;
            }
            // That was the end of it: the next goes one further back, also after another kill.
            let newest = ["rollback", "ads"];
            world.killed_at("settled", &newest, "");
            world.run(&["refresh", "-q"]).exit(Exit::Ok);
            for expected in ["an earlier run went back to generation 1 and was cut short", ""] {
                let ran = world.run(&[&newest[..], &["--json"]].concat());
                assert_eq!(ran.code, Some(if expected.is_empty() { 65 } else { 0 }), "{place}");
                assert!(ran.stdout.contains(expected), "{place}: {}", ran.stdout);
            }
        }
    }
}

#[test]
fn neither_store_nor_schema_is_made_for_it() {
    let world = World::new().config(ADS);
    refused(
        world.run(&["rollback", "ads"]),
        Exit::Storage,
        "
error: [DIR]/metatoken.db: there is no store yet
hint: nothing is kept that could be put back
",
    );
    assert!(!world.path("metatoken.db").exists() && !world.path("metatoken.key").exists());
}

#[test]
fn an_earlier_one_that_is_kept_is_printed() {
    let world = thrice(ADS);
    let typed = |n: &'static str| ["token", "ads", "--generation", n];
    for (n, access_token) in [("1", "EAAFAKEAds1"), ("2", "EAAFAKEAds2"), ("3", "EAAFAKEAds3")] {
        world.run(&typed(n)).stdout(&format!("\n{access_token}\n")).stderr("").exit(Exit::Ok);
    }
    assert_eq!(world.calls(), [""; 0]);
    // Graph calls the second one dead, and a rollback hears it.
    kill(&world, "EAAFAKEAds2");
    world.run(&["rollback", "ads", "-q"]).exit(Exit::Ok);
    refused(
        world.run(&typed("2")),
        Exit::PersonNeeded,
        "
error: ads: generation 2 is dead: revoked; Meta: \"The session was invalidated explicitly using an API call\" (190/466)
hint: to have it all the same, add `--dead`
",
    );
    let dead = world.run(&["token", "ads", "--generation", "2", "--dead"]);
    dead.stdout("\nEAAFAKEAds2\n").stderr("").exit(Exit::Ok);
    for (what, sql, stderr, exit) in [
        (
            "9",
            "",
            "\nerror: ads: it has had no generation 9\nhint: `metatoken status ads` lists the generations that are kept\n",
            Exit::InputRefused,
        ),
        (
            "3",
            "UPDATE generation SET revoked_at = 7 WHERE number = 3",
            "\nerror: ads: generation 3 was revoked here\nhint: `metatoken status ads` lists the generations that are kept\n",
            Exit::PersonNeeded,
        ),
        (
            "2",
            "UPDATE generation SET state = 'purged', sealed = NULL WHERE number = 2",
            "\nerror: ads: generation 2 was wiped, and only its fingerprint is kept\nhint: `metatoken status ads` lists the generations that are kept\n",
            Exit::InputRefused,
        ),
        (
            "1",
            "UPDATE generation SET sealed = zeroblob(length(sealed)) WHERE number = 1",
            "\nerror: ads: generation 1 is damaged in the store\nhint: restore a copy of the store made by `metatoken store backup`\n",
            Exit::Storage,
        ),
    ] {
        world.sql().execute_batch(sql).unwrap();
        refused(world.run(&typed(what)), exit, stderr);
        // No word makes it print what is revoked, wiped or damaged.
        let forced = world.run(&["token", "ads", "--generation", what, "--dead"]);
        forced.stdout("").exit(exit);
    }
}

#[test]
fn a_dead_one_with_an_earlier_one_names_the_rollback() {
    let mut world = thrice(ADS);
    kill(&world, "EAAFAKEAds3");
    world.at(day(5));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES  REASON
ads    invalid  never    revoked (190/466)

critical: `ads`: down, revoked
  hint: generation 2 is kept and may still work: run `metatoken rollback ads`, which asks Meta first. If none works, an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it
  Meta: \"The session was invalidated explicitly using an API call\" (190/466)

1 token: 1 invalid
").exit(Exit::PersonNeeded);
    world.run(&["rollback", "ads", "-q"]).exit(Exit::Ok);
    world.run(&["check", "--tokens", "-q"]).code(0);
}
