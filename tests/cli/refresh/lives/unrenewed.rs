//! A life that Meta does not prolong: `refresh` runs, every question is answered, and every renewal
//! fails, from the opening of the window to the end.

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Rule, TokenFixture};

use crate::common::{ANNA, APP, CREATOR, INSTA_APP, ROBOT, THREADS_APP, World, day};

const CONFIG: &str = r#"
[http]
concurrency = 1
attempts = 1

[app.insta]
kind = "instagram"
id = "1000000000000011"
secret = { env = "INSTA_SECRET" }

[app.threads]
kind = "threads"
id = "1000000000000012"
secret = { env = "THREADS_SECRET" }

[token.brand]
type = "user"
access_token = { env = "BRAND" }
owner = "anna@client.example"

[token.bakery]
type = "page"
parent = "brand"
page_id = "2000000000000001"

[token.ads]
type = "system-user"
access_token = { env = "ADS" }

[token.creator]
type = "instagram"
access_token = { env = "CREATOR" }
owner = "dora@creator.example"

[token.notes]
type = "threads"
access_token = { env = "NOTES" }
owner = "dora@creator.example"

[token.publisher]
type = "app"
"#;

/// Every token is issued on day 0, for sixty days where it has an end, but for Instagram's: a
/// string of thirty days is renewed on day 0, so that its end is known.
fn world() -> World {
    let sixty = metatoken::token::Expiry::Unknown;
    let old = chrono::TimeDelta::days(30);
    World::new()
        .config(CONFIG)
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
        .token("ADS", TokenFixture::system_user(APP, ROBOT).named("ads").ending(sixty))
        .token("CREATOR", TokenFixture::instagram(INSTA_APP, CREATOR).named("creator").aged(old))
        .token("NOTES", TokenFixture::threads(THREADS_APP, CREATOR).named("notes"))
}

#[test]
fn a_life_that_meta_does_not_prolong() {
    let mut world = world();

    issue(&world);
    world.at(day(1));
    a_day_later(&world);
    world.lives_until(31);
    for renewal in ["/oauth/access_token", "/refresh_access_token"] {
        world.graph.misbehave(Rule::on(renewal), FaultInjection::Status(500));
    }
    world.at(day(40));
    the_window_opens(&world);
    world.at(day(44));
    overdue(&world);
    world.at(day(50));
    ten_days_are_left(&world);
    world.at(day(57));
    three_days_are_left(&world);
    world.at(day(60));
    expired(&world);
    world.graph.behave();
    people_log_in_again(&world);
}

/// The first run.
fn issue(world: &World) {
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN      OUTCOME    EXPIRES     REASON
brand      adopted    2026-03-02  found in the environment variable `BRAND`
bakery     derived    never       no access token yet
ads        adopted    2026-03-02  found in the environment variable `ADS`
creator    refreshed  2026-03-02  Meta does not report when it expires; it may live only an hour
notes      adopted    2026-03-02  found in the environment variable `NOTES`
publisher  derived    never       no access token yet

6 tokens: 1 refreshed, 2 derived, 3 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN OK - 6 tokens, all well
",
        )
        .stderr("")
        .code(0);
    world
        .run(&["status"])
        .stdout(
            "
6 tokens: 6 ok                                              2026-01-01 00:00 UTC

TOKEN      TYPE         STATE  EXPIRES     DATA ACCESS  NEXT
brand      user         works  2026-03-02  2026-04-01   renew 2026-02-10
bakery     page         works  never       2026-04-01   -
ads        system-user  works  2026-03-02  never        renew 2026-02-10
creator    instagram    works  2026-03-02  unknown      renew 2026-02-10
notes      threads      works  2026-03-02  2026-04-01   renew 2026-02-10
publisher  app          works  never       unknown      -
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

/// A day later everything is asked about again.
fn a_day_later(world: &World) {
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN      OUTCOME   EXPIRES     REASON
brand      verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
bakery     verified  never       never expires
ads        verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
creator    verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
notes      verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
publisher  verified  never       never expires

6 tokens: 6 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN OK - 6 tokens, all well
",
        )
        .stderr("")
        .code(0);
    world
        .run(&["status"])
        .stdout(
            "
6 tokens: 6 ok                                              2026-01-02 00:00 UTC

TOKEN      TYPE         STATE  EXPIRES     DATA ACCESS  NEXT
brand      user         works  2026-03-02  2026-04-01   renew 2026-02-10
bakery     page         works  never       2026-04-01   -
ads        system-user  works  2026-03-02  never        renew 2026-02-10
creator    instagram    works  2026-03-02  unknown      renew 2026-02-10
notes      threads      works  2026-03-02  2026-04-01   renew 2026-02-10
publisher  app          works  never       unknown      -
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

/// On day 40 the window opens; one failure is no cause for alarm yet.
fn the_window_opens(world: &World) {
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN      OUTCOME   EXPIRES     REASON
brand      failed    2026-03-02  graph unavailable (1)
bakery     verified  never       never expires
ads        failed    2026-03-02  graph unavailable (1)
creator    failed    2026-03-02  graph unavailable (1)
notes      failed    2026-03-02  graph unavailable (1)
publisher  verified  never       never expires

warning: `brand`, `ads`, `creator` and `notes`: works, Graph is unavailable
  hint: nothing to do yet: it is tried again by itself
  Meta: \"An unknown error occurred\" (1)

6 tokens: 2 verified, 4 failed
",
        )
        .stderr("")
        .exit(Exit::Unavailable);
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN OK - 6 tokens, all well
",
        )
        .stderr("")
        .code(0);
    world
        .run(&["status"])
        .stdout(
            "
6 tokens: 6 ok                                              2026-02-10 00:00 UTC

TOKEN      TYPE         STATE  EXPIRES     DATA ACCESS  NEXT
brand      user         works  2026-03-02  2026-04-01   retry 2026-02-10 00:15 UTC
bakery     page         works  never       2026-04-01   -
ads        system-user  works  2026-03-02  never        retry 2026-02-10 00:15 UTC
creator    instagram    works  2026-03-02  unknown      retry 2026-02-10 00:15 UTC
notes      threads      works  2026-03-02  2026-04-01   retry 2026-02-10 00:15 UTC
publisher  app          works  never       unknown      -
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

/// After three days of failures it is.
fn overdue(world: &World) {
    world.run(&["refresh"]).stdout("
TOKEN      OUTCOME   EXPIRES     REASON
brand      failed    2026-03-02  graph unavailable (1)
bakery     verified  never       never expires
ads        failed    2026-03-02  graph unavailable (1)
creator    failed    2026-03-02  graph unavailable (1)
notes      failed    2026-03-02  graph unavailable (1)
publisher  verified  never       never expires

warning: `brand`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  hint: run `metatoken refresh brand -v`. A timer should have done so: see that it runs `metatoken refresh`
  Meta: \"An unknown error occurred\" (1)
warning: `ads`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  hint: run `metatoken refresh ads -v`. A timer should have done so: see that it runs `metatoken refresh`
  Meta: \"An unknown error occurred\" (1)
warning: `creator`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  hint: run `metatoken refresh creator -v`. A timer should have done so: see that it runs `metatoken refresh`
  Meta: \"An unknown error occurred\" (1)
warning: `notes`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  hint: run `metatoken refresh notes -v`. A timer should have done so: see that it runs `metatoken refresh`
  Meta: \"An unknown error occurred\" (1)

6 tokens: 2 verified, 4 failed
").stderr("").exit(Exit::Unavailable);
    world.run(&["check"]).verdict("
METATOKEN WARNING - brand: works, renewal due since 2026-02-10 00:00 UTC…; operator: metatoken refresh brand -v (and 3 more)
WARNING: `brand`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  run `metatoken refresh brand -v`. A timer should have done so: see that it runs `metatoken refresh`. Proof: `metatoken check brand`. Meta: \"An unknown error occurred\" (1)
WARNING: `ads`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  run `metatoken refresh ads -v`. A timer should have done so: see that it runs `metatoken refresh`. Proof: `metatoken check ads`. Meta: \"An unknown error occurred\" (1)
WARNING: `creator`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  run `metatoken refresh creator -v`. A timer should have done so: see that it runs `metatoken refresh`. Proof: `metatoken check creator`. Meta: \"An unknown error occurred\" (1)
WARNING: `notes`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  run `metatoken refresh notes -v`. A timer should have done so: see that it runs `metatoken refresh`. Proof: `metatoken check notes`. Meta: \"An unknown error occurred\" (1)
").stderr("").code(1);
    world.run(&["status"]).stdout("
6 tokens: 4 warning, 2 ok                                   2026-02-14 00:00 UTC

TOKEN      TYPE         STATE           EXPIRES     NEXT
brand      user         works, overdue  2026-03-02  retry 2026-02-14 00:30 UTC
ads        system-user  works, overdue  2026-03-02  retry 2026-02-14 00:30 UTC
creator    instagram    works, overdue  2026-03-02  retry 2026-02-14 00:30 UTC
notes      threads      works, overdue  2026-03-02  retry 2026-02-14 00:30 UTC
bakery     page         works           never       -
publisher  app          works           never       -

warning: `brand`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  hint: run `metatoken refresh brand -v`. A timer should have done so: see that it runs `metatoken refresh`
  Meta: \"An unknown error occurred\" (1)
warning: `ads`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  hint: run `metatoken refresh ads -v`. A timer should have done so: see that it runs `metatoken refresh`
  Meta: \"An unknown error occurred\" (1)
warning: `creator`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  hint: run `metatoken refresh creator -v`. A timer should have done so: see that it runs `metatoken refresh`
  Meta: \"An unknown error occurred\" (1)
warning: `notes`: works, renewal due since 2026-02-10 00:00 UTC, 4 days ago, failed: Graph is unavailable
  hint: run `metatoken refresh notes -v`. A timer should have done so: see that it runs `metatoken refresh`
  Meta: \"An unknown error occurred\" (1)
").stderr("").exit(Exit::Ok);
}

/// Ten days to the end: a warning.
fn ten_days_are_left(world: &World) {
    world.run(&["refresh"]).stdout("
TOKEN      OUTCOME   EXPIRES     REASON
brand      failed    2026-03-02  graph unavailable (1)
bakery     verified  never       never expires
ads        failed    2026-03-02  graph unavailable (1)
creator    failed    2026-03-02  graph unavailable (1)
notes      failed    2026-03-02  graph unavailable (1)
publisher  verified  never       never expires

warning: `brand`: works, expires in 10 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: no action tonight: it is retried by each run until 2026-02-27. If this is still here then, anna@client.example logs in to the app again: run `metatoken login brand`
  Meta: \"An unknown error occurred\" (1)
warning: `ads`: works, expires in 10 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: no action tonight: it is retried by each run until 2026-02-27. If this is still here then, an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it
  Meta: \"An unknown error occurred\" (1)
warning: `creator`: works, expires in 10 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: no action tonight: it is retried by each run until 2026-02-27. If this is still here then, dora@creator.example logs in to the app again: run `metatoken login creator`
  Meta: \"An unknown error occurred\" (1)
warning: `notes`: works, expires in 10 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: no action tonight: it is retried by each run until 2026-02-27. If this is still here then, dora@creator.example logs in to the Threads app again: run `metatoken login notes`
  Meta: \"An unknown error occurred\" (1)

6 tokens: 2 verified, 4 failed
").stderr("").exit(Exit::Unavailable);
    world.run(&["check"]).verdict("
METATOKEN WARNING - brand: works, expires in 10 days; no action tonight: retried by each run until 2026-02-27 (and 3 more)
WARNING: `brand`: works, expires in 10 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  no action tonight: it is retried by each run until 2026-02-27. If this is still here then, anna@client.example logs in to the app again: run `metatoken login brand`. Meta: \"An unknown error occurred\" (1)
WARNING: `ads`: works, expires in 10 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  no action tonight: it is retried by each run until 2026-02-27. If this is still here then, an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it. Meta: \"An unknown error occurred\" (1)
WARNING: `creator`: works, expires in 10 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  no action tonight: it is retried by each run until 2026-02-27. If this is still here then, dora@creator.example logs in to the app again: run `metatoken login creator`. Meta: \"An unknown error occurred\" (1)
WARNING: `notes`: works, expires in 10 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  no action tonight: it is retried by each run until 2026-02-27. If this is still here then, dora@creator.example logs in to the Threads app again: run `metatoken login notes`. Meta: \"An unknown error occurred\" (1)
").stderr("").code(1);
}

/// Three: critical.
fn three_days_are_left(world: &World) {
    world.run(&["refresh"]).stdout("
TOKEN      OUTCOME   EXPIRES     REASON
brand      failed    2026-03-02  graph unavailable (1)
bakery     verified  never       never expires
ads        failed    2026-03-02  graph unavailable (1)
creator    failed    2026-03-02  graph unavailable (1)
notes      failed    2026-03-02  graph unavailable (1)
publisher  verified  never       never expires

critical: `brand`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: anna@client.example logs in to the app again: run `metatoken login brand`. Meanwhile renewal is tried again by itself
  Meta: \"An unknown error occurred\" (1)
critical: `ads`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it. Meanwhile renewal is tried again by itself
  Meta: \"An unknown error occurred\" (1)
critical: `creator`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: dora@creator.example logs in to the app again: run `metatoken login creator`. Meanwhile renewal is tried again by itself
  Meta: \"An unknown error occurred\" (1)
critical: `notes`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: dora@creator.example logs in to the Threads app again: run `metatoken login notes`. Meanwhile renewal is tried again by itself
  Meta: \"An unknown error occurred\" (1)

6 tokens: 2 verified, 4 failed
").stderr("").exit(Exit::Unavailable);
    world.run(&["check"]).verdict("
METATOKEN CRITICAL - brand: works, expires in 3 days; anna@client.example logs in: metatoken login brand (and 3 more)
CRITICAL: `brand`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  anna@client.example logs in to the app again: run `metatoken login brand`. Meanwhile renewal is tried again by itself. Proof: `metatoken check brand`. Meta: \"An unknown error occurred\" (1)
CRITICAL: `ads`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it. Meanwhile renewal is tried again by itself. Proof: `metatoken check ads`. Meta: \"An unknown error occurred\" (1)
CRITICAL: `creator`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  dora@creator.example logs in to the app again: run `metatoken login creator`. Meanwhile renewal is tried again by itself. Proof: `metatoken check creator`. Meta: \"An unknown error occurred\" (1)
CRITICAL: `notes`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  dora@creator.example logs in to the Threads app again: run `metatoken login notes`. Meanwhile renewal is tried again by itself. Proof: `metatoken check notes`. Meta: \"An unknown error occurred\" (1)
").stderr("").code(2);
    world.run(&["status"]).stdout("
6 tokens: 4 critical, 2 ok                                  2026-02-27 00:00 UTC

TOKEN      TYPE         STATE         EXPIRES     NEXT
brand      user         expires soon  2026-03-02  retry 2026-02-27 02:00 UTC
ads        system-user  expires soon  2026-03-02  retry 2026-02-27 02:00 UTC
creator    instagram    expires soon  2026-03-02  retry 2026-02-27 02:00 UTC
notes      threads      expires soon  2026-03-02  retry 2026-02-27 02:00 UTC
bakery     page         works         never       -
publisher  app          works         never       -

critical: `brand`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: anna@client.example logs in to the app again: run `metatoken login brand`. Meanwhile renewal is tried again by itself
  Meta: \"An unknown error occurred\" (1)
critical: `ads`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it. Meanwhile renewal is tried again by itself
  Meta: \"An unknown error occurred\" (1)
critical: `creator`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: dora@creator.example logs in to the app again: run `metatoken login creator`. Meanwhile renewal is tried again by itself
  Meta: \"An unknown error occurred\" (1)
critical: `notes`: works, expires in 3 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: dora@creator.example logs in to the Threads app again: run `metatoken login notes`. Meanwhile renewal is tried again by itself
  Meta: \"An unknown error occurred\" (1)
").stderr("").exit(Exit::Ok);
}

/// It is too late: only people can help.
fn expired(world: &World) {
    world.run(&["refresh"]).stdout("
TOKEN      OUTCOME   EXPIRES               REASON
brand      invalid   2026-03-02 00:00 UTC  expired (190/463)
bakery     verified  never                 never expires
ads        invalid   2026-03-02 00:00 UTC  expired (190/463)
creator    invalid   2026-03-02 00:00 UTC  expired (190)
notes      invalid   2026-03-02 00:00 UTC  expired (190/463)
publisher  verified  never                 never expires

critical: `brand`: down since 2026-03-02, expired
  hint: anna@client.example logs in to the app again: run `metatoken login brand`
  Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190/463)
critical: `ads`: down since 2026-03-02, expired
  hint: an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it. Generate it for System User 3000000000000009, app `main` (1000000000000001), expiration 60 days, permissions public_profile
  Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190/463)
critical: `creator`: down since 2026-03-02, expired
  hint: dora@creator.example logs in to the app again: run `metatoken login creator`
  Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190)
critical: `notes`: down since 2026-03-02, expired
  hint: dora@creator.example logs in to the Threads app again: run `metatoken login notes`
  Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190/463)

6 tokens: 2 verified, 4 invalid
").stderr("").exit(Exit::PersonNeeded);
    world.run(&["check"]).verdict("
METATOKEN CRITICAL - brand: down since 2026-03-02, expired; anna@client.example logs in: metatoken login brand (and 3 more)
CRITICAL: `brand`: down since 2026-03-02, expired
  anna@client.example logs in to the app again: run `metatoken login brand`. Proof: `metatoken check brand`. Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190/463)
CRITICAL: `ads`: down since 2026-03-02, expired
  an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it. Generate it for System User 3000000000000009, app `main` (1000000000000001), expiration 60 days, permissions public_profile. Proof: `metatoken check ads`. Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190/463)
CRITICAL: `creator`: down since 2026-03-02, expired
  dora@creator.example logs in to the app again: run `metatoken login creator`. Proof: `metatoken check creator`. Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190)
CRITICAL: `notes`: down since 2026-03-02, expired
  dora@creator.example logs in to the Threads app again: run `metatoken login notes`. Proof: `metatoken check notes`. Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190/463)
").stderr("").code(2);
    world.run(&["status"]).stdout("
6 tokens: 4 critical, 2 ok                                  2026-03-02 00:00 UTC

TOKEN      TYPE         STATE  EXPIRES               DATA ACCESS  NEXT
brand      user         down   2026-03-02 00:00 UTC  2026-04-01   log in again
ads        system-user  down   2026-03-02 00:00 UTC  never        new token
creator    instagram    down   2026-03-02 00:00 UTC  unknown      log in again
notes      threads      down   2026-03-02 00:00 UTC  2026-04-01   log in again
bakery     page         works  never                 2026-04-01   -
publisher  app          works  never                 unknown      -

critical: `brand`: down since 2026-03-02, expired
  hint: anna@client.example logs in to the app again: run `metatoken login brand`
  Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190/463)
critical: `ads`: down since 2026-03-02, expired
  hint: an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it. Generate it for System User 3000000000000009, app `main` (1000000000000001), expiration 60 days, permissions public_profile
  Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190/463)
critical: `creator`: down since 2026-03-02, expired
  hint: dora@creator.example logs in to the app again: run `metatoken login creator`
  Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190)
critical: `notes`: down since 2026-03-02, expired
  hint: dora@creator.example logs in to the Threads app again: run `metatoken login notes`
  Meta: \"Session has expired on Sunday, 01-Mar-26 16:00:00 PST. The current time is Sunday…\" (190/463)
").stderr("").exit(Exit::Ok);
}

/// They do, and all is well.
fn people_log_in_again(world: &World) {
    for (label, spec) in [
        ("brand", TokenFixture::user(APP, ANNA).named("brand")),
        ("ads", TokenFixture::system_user(APP, ROBOT).named("ads")),
        ("creator", TokenFixture::instagram(INSTA_APP, CREATOR).named("creator")),
        ("notes", TokenFixture::threads(THREADS_APP, CREATOR).named("notes")),
    ] {
        let string = world.mint(spec);
        let ran = world.run_with_input(&["exchange", label, "--json"], &string).exit(Exit::Ok);
        assert_eq!(ran.outcomes()[label], "adopted");
    }
    world.run(&["refresh"]).stdout("
TOKEN      OUTCOME    EXPIRES     REASON
brand      not due    2026-05-01  due 2026-04-11 00:00 UTC, in 40 days
bakery     derived    never       its parent has a newer access token
ads        not due    never       never expires
creator    too young  unknown     Meta renews no access token in its first day; Meta says: Session key invalid. This could be because the session key has an incorrect format, or because the user has revoked this session (code 452)
notes      not due    2026-05-01  due 2026-04-11 00:00 UTC, in 40 days
publisher  not due    never       never expires

unknown: `creator`: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-03-03 00:00 UTC)
  hint: nothing to do yet: it is renewed then

6 tokens: 1 derived, 4 not due, 1 too young
").stderr("").exit(Exit::Ok);
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN UNKNOWN - creator: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-03-03 00:00 UTC)
UNKNOWN: `creator`: works, Meta reports no expiry, known when it is renewed, in 24 hours (2026-03-03 00:00 UTC)
  nothing to do yet: it is renewed then
",
        )
        .stderr("")
        .code(3);
}
