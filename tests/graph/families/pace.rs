//! Pace: near the end of an app's budget what can wait does, and a throttled app is left alone,
//! in this run and the next, while the others go on.

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;

use super::hours;
use crate::common::{ANNA, APP, APP_SECRET, World, day, ends};

const OTHER_APP: &str = "1000000000000002";

/// Tokens of one app, kept one after the other: the budget is known once Graph has answered.
const CONFIG: &str = r#"
[http]
concurrency = 1
attempts = 1

[token.calm]
type = "user"
app = "main"
access_token = { env = "CALM" }

[token.due]
type = "user"
app = "main"
access_token = { env = "DUE" }

[token.urgent]
type = "user"
app = "main"
access_token = { env = "URGENT" }

[app.other]
id = "1000000000000002"
secret = { env = "APP_SECRET" }

[token.elsewhere]
type = "user"
app = "other"
access_token = { env = "ELSEWHERE" }
"#;

/// A world on day 41: `urgent` has 5 days left, `due` and `elsewhere` 19, and `calm` 40. All were
/// proven a day ago, and none was renewed yet.
fn world() -> World {
    let user = |words: &str| TokenFixture::user(APP, ANNA).named(words);
    let world = World::new().config(&format!("[defaults]\nauto_refresh = false\n{CONFIG}"));
    world.graph.with(|graph| {
        graph.add_app(metatoken::sandbox::AppFixture::new(OTHER_APP, APP_SECRET, "Other App"));
    });
    let mut world = world
        .token("CALM", user("calm").ending(ends(81)))
        .token("DUE", user("due").ending(ends(60)))
        .token("URGENT", user("urgent").ending(ends(46)))
        .token("ELSEWHERE", TokenFixture::user(OTHER_APP, ANNA).named("elsewhere"));
    for at in (0..=40).step_by(10) {
        world.at(day(at));
        world.run(&["refresh", "--quiet", "calm", "due", "elsewhere", "urgent"]).stderr("");
    }
    world.reconfigure(CONFIG);
    world.calls();
    world.at(day(41));
    world
}

fn busy(world: &World, percent: Option<u8>) {
    world.graph.with(|graph| graph.app_mut(APP).unwrap().usage = percent);
}

fn throttle(world: &World, throttled: bool) {
    world.graph.with(|graph| graph.app_mut(APP).unwrap().throttled = throttled);
}

#[test]
fn above_nine_tenths_of_the_budget_what_can_wait_does() {
    let world = world();
    busy(&world, Some(91));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN      OUTCOME    EXPIRES     REASON
calm       skipped    2026-03-23  left for the next run: 91% of its app's calls are used up
due        skipped    2026-03-02  left for the next run: 91% of its app's calls are used up
urgent     refreshed  2026-04-12  expires in 5 days (renewal window: 20 days)
elsewhere  refreshed  2026-04-12  expires in 19 days (renewal window: 20 days)

4 tokens: 2 refreshed, 2 skipped
",
        )
        .stderr("")
        .exit(Exit::Ok);
    let calls = world.calls();
    assert_eq!(calls[..2], ["oauth/access_token Urgent", "debug_token Urgent"]);
    assert!(calls[2..].iter().all(|call| call.ends_with(" Elsewhere")), "{calls:?}");
    // The hour is over.
    busy(&world, Some(12));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["due"], "refreshed");
}

#[test]
fn at_nine_tenths_nothing_is_left_and_what_is_named_is_done_anyway() {
    let quiet = world();
    busy(&quiet, Some(90));
    let ran = quiet.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert!(ran.outcomes().values().all(|outcome| outcome != "skipped"), "{:?}", ran.outcomes());
    let busy_world = world();
    busy(&busy_world, Some(99));
    let ran = busy_world.run(&["refresh", "*", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["due"], "refreshed");
}

#[test]
fn a_throttled_app_is_parked_and_the_others_go_on() {
    let mut world = world();
    throttle(&world, true);
    world.run(&["refresh"]).stdout("
TOKEN      OUTCOME    EXPIRES     REASON
calm       skipped    2026-03-23  rate limited (4)
due        skipped    2026-03-02  rate limited (4)
urgent     failed     2026-02-16  rate limited (4)
elsewhere  refreshed  2026-04-12  expires in 19 days (renewal window: 20 days)

warning: `calm` and `due`: works, Meta limits the app's calls
  hint: nothing to do yet: it is tried again once Meta allows more calls
  Meta: \"(#4) Application request limit reached\" (4)
warning: `urgent`: works, expires in 5 days (2026-02-16 00:00 UTC), renewal failed: Meta limits the app's calls
  hint: no action tonight: it is retried by each run until 2026-02-13. If this is still here then, the person behind the token logs in to the app again: run `metatoken login urgent`
  Meta: \"(#4) Application request limit reached\" (4)

4 tokens: 1 refreshed, 2 skipped, 1 failed
").stderr("").exit(Exit::Unavailable);
    let calls = world.calls();
    assert_eq!(calls[0], "oauth/access_token Urgent", "the one that finds it out");
    assert!(calls[1..].iter().all(|call| call.ends_with(" Elsewhere")), "{calls:?}");
    // In the next run too, whoever insists; not even a question is asked.
    throttle(&world, false);
    world.at(day(41) + chrono::TimeDelta::minutes(30));
    world
        .run(&["refresh", "--force", "due"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
due    skipped  2026-03-02  rate limited

warning: `due`: works, Meta throttles app `main` until 2026-02-11 00:50 UTC
  hint: nothing to do yet: it is tried again once Meta allows more calls

1 token: 1 skipped
",
        )
        .stderr("")
        .exit(Exit::Unavailable);
    assert_eq!(world.calls(), [""; 0]);
    world.run(&["status", "--live"]).stdout("
4 tokens: 1 warning, 3 ok                                   2026-02-11 00:30 UTC

TOKEN      TYPE  STATE         EXPIRES     DATA ACCESS  NEXT
urgent     user  expires soon  2026-02-16  2026-04-01   -
calm       user  works         2026-03-23  2026-04-01   -
due        user  works         2026-03-02  2026-04-01   -
elsewhere  user  works         2026-04-12  2026-04-01   renew 2026-03-23

warning: `urgent`: works, expires in 4 days (2026-02-16 00:00 UTC), renewal failed: Meta limits the app's calls
  hint: no action tonight: it is retried by each run until 2026-02-13. If this is still here then, the person behind the token logs in to the app again: run `metatoken login urgent`
  Meta: \"(#4) Application request limit reached\" (4)
").stderr("
Graph gave no verdict, so what is stored is shown: `calm`, `due` and `urgent`: Meta throttles app `main` until 2026-02-11 00:50 UTC
").exit(Exit::Ok);
    // Until its time is over.
    world.at(day(41) + hours(1));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN      OUTCOME    EXPIRES     REASON
calm       verified   2026-03-23  due 2026-03-03 00:00 UTC, in 19 days
due        refreshed  2026-04-12  expires in 18 days (renewal window: 20 days)
urgent     refreshed  2026-04-12  expires in 4 days (renewal window: 20 days)
elsewhere  not due    2026-04-12  due 2026-03-23 00:00 UTC, in 39 days

4 tokens: 2 refreshed, 1 verified, 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn meta_may_say_how_long() {
    let mut world = world();
    world.graph.with(|graph| {
        let app = graph.app_mut(APP).unwrap();
        *app = app.clone().throttled().busy_businesses(100, 200);
    });
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Unavailable);
    assert_eq!(ran.outcomes()["urgent"], "failed");
    throttle(&world, false);
    world.calls();
    for (minutes, asked) in [(60, false), (199, false), (200, true)] {
        world.at(day(41) + chrono::TimeDelta::minutes(minutes));
        let _ = world.run(&["refresh", "urgent", "--json"]);
        assert_eq!(!world.calls().is_empty(), asked, "after {minutes} minutes");
    }
}
