//! A life in the sandbox: everything is renewed once, and then nobody runs `refresh` any more.

use std::process::{Command, Stdio};

use metatoken::exit::Exit;

use crate::common::{Ran, World};

/// What an operator left of the sandbox's config: one token of each family. The end of data access
/// is another clock than the end of a token, so it is set aside.
const CONFIG: &str = r#"
[app.main]
id = "1000000000000001"
secret = { file = "app.env", key = "APP_SECRET" }

[app.insta]
kind = "instagram"
id = "1000000000000011"
secret = { file = "app.env", key = "INSTA_SECRET" }

[app.threads]
kind = "threads"
id = "1000000000000012"
secret = { file = "app.env", key = "THREADS_SECRET" }

[defaults]
data_access_within = ["0d", "0d"]

[token.brand]
type = "user"
access_token = { file = "app.env", key = "BRAND_TOKEN" }
owner = "anna@brand.example"

[token.bakery]
type = "page"
parent = "brand"
page_id = "2000000000000001"

[token.sixty]
type = "system-user"
access_token = { file = "app.env", key = "SIXTY_TOKEN" }
owner = "ops@brand.example"

[token.creator]
type = "instagram"
access_token = { file = "app.env", key = "CREATOR_TOKEN" }
owner = "dora@creator.example"

[token.notes]
type = "threads"
access_token = { file = "app.env", key = "NOTES_TOKEN" }
owner = "emil@notes.example"

[token.publisher]
type = "app"
"#;

/// A sandbox with that config.
struct Rehearsal {
    world: World,
}

impl Rehearsal {
    fn new() -> Self {
        let world = World::new();
        world.write("rehearsal/healthy/metatoken.toml", CONFIG);
        Self { world }
    }

    #[must_use = "a run is worth nothing unless it is looked at"]
    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metatoken"));
        command
            .env_clear()
            .current_dir(self.world.path("."))
            .arg(format!("--sandbox={}", self.world.path("rehearsal").display()))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.world.finish(command.spawn().unwrap())
    }
}

#[test]
fn a_life_whose_timer_stops() {
    let rehearsal = Rehearsal::new();

    issue(&rehearsal);
    a_day_later(&rehearsal);
    the_window_opens(&rehearsal);
    overdue(&rehearsal);
    critical(&rehearsal);
    expired(&rehearsal);
}

/// The first run.
fn issue(rehearsal: &Rehearsal) {
    rehearsal
        .run(&["refresh"])
        .stdout(
            "
TOKEN      OUTCOME    EXPIRES     REASON
brand      refreshed  2026-03-02  expires in 12 days (renewal window: 20 days)
bakery     derived    never       no access token yet
sixty      refreshed  2026-03-02  expires in 15 days (renewal window: 20 days)
creator    refreshed  2026-03-02  Meta does not report when it expires; it may live only an hour
notes      refreshed  2026-03-02  expires in 12 days (renewal window: 20 days)
publisher  derived    never       no access token yet

6 tokens: 4 refreshed, 2 derived
",
        )
        .stderr("")
        .exit(Exit::Ok);
    rehearsal
        .run(&["check"])
        .verdict(
            "
METATOKEN OK - 6 tokens, all well
",
        )
        .stderr("")
        .code(0);
    rehearsal
        .run(&["status"])
        .stdout(
            "
6 tokens: 6 ok                                              2026-01-01 00:00 UTC

TOKEN      TYPE         STATE  EXPIRES     DATA ACCESS  NEXT
brand      user         works  2026-03-02  2026-02-12   renew 2026-02-10
bakery     page         works  never       2026-02-12   -
sixty      system-user  works  2026-03-02  never        renew 2026-02-10
creator    instagram    works  2026-03-02  unknown      renew 2026-02-10
notes      threads      works  2026-03-02  2026-02-12   renew 2026-02-10
publisher  app          works  never       unknown      -
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

/// A day later everything is asked about again.
fn a_day_later(rehearsal: &Rehearsal) {
    rehearsal
        .run(&["refresh", "--now", "+1d"])
        .stdout(
            "
TOKEN      OUTCOME   EXPIRES     REASON
brand      verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
bakery     verified  never       never expires
sixty      verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
creator    verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
notes      verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
publisher  verified  never       never expires

6 tokens: 6 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    rehearsal
        .run(&["check"])
        .verdict(
            "
METATOKEN OK - 6 tokens, all well
",
        )
        .stderr("")
        .code(0);
    rehearsal
        .run(&["status"])
        .stdout(
            "
6 tokens: 6 ok                                              2026-01-02 00:00 UTC

TOKEN      TYPE         STATE  EXPIRES     DATA ACCESS  NEXT
brand      user         works  2026-03-02  2026-02-12   renew 2026-02-10
bakery     page         works  never       2026-02-12   -
sixty      system-user  works  2026-03-02  never        renew 2026-02-10
creator    instagram    works  2026-03-02  unknown      renew 2026-02-10
notes      threads      works  2026-03-02  2026-02-12   renew 2026-02-10
publisher  app          works  never       unknown      -
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

/// On day 40 what has sixty days is renewed.
fn the_window_opens(rehearsal: &Rehearsal) {
    rehearsal
        .run(&["refresh", "--now", "+40d"])
        .stdout(
            "
TOKEN      OUTCOME    EXPIRES     REASON
brand      refreshed  2026-04-11  expires in 20 days (renewal window: 20 days)
bakery     derived    never       its parent has a newer access token
sixty      refreshed  2026-04-11  expires in 20 days (renewal window: 20 days)
creator    refreshed  2026-04-11  expires in 20 days (renewal window: 20 days)
notes      refreshed  2026-04-11  expires in 20 days (renewal window: 20 days)
publisher  verified   never       never expires

6 tokens: 4 refreshed, 1 derived, 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    rehearsal
        .run(&["check"])
        .verdict(
            "
METATOKEN WARNING - brand and 3 more: renewal window 20 days is too narrow: two runs were 39 days…; operator: metatoken refresh
WARNING: `brand`, `sixty`, `creator` and `notes`: renewal window 20 days is too narrow: two runs were 39 days apart lately, one failed run may be the last chance
  have the timer run `metatoken refresh` hourly, or set `refresh_within` to more; then run `metatoken refresh`. Proof: `metatoken check brand`
",
        )
        .stderr("")
        .code(1);
    rehearsal.run(&["status"]).stdout("
6 tokens: 6 ok                                              2026-02-10 00:00 UTC

TOKEN      TYPE         STATE  EXPIRES     DATA ACCESS  NEXT
brand      user         works  2026-04-11  2026-02-12   renew 2026-03-22
bakery     page         works  never       2026-02-12   -
sixty      system-user  works  2026-04-11  never        renew 2026-03-22
creator    instagram    works  2026-04-11  unknown      renew 2026-03-22
notes      threads      works  2026-04-11  2026-02-12   renew 2026-03-22
publisher  app          works  never       unknown      -

warning: `brand`, `sixty`, `creator` and `notes`: renewal window 20 days is too narrow: two runs were 39 days apart lately, one failed run may be the last chance
  hint: have the timer run `metatoken refresh` hourly, or set `refresh_within` to more; then run `metatoken refresh`
").stderr("").exit(Exit::Ok);
}

/// The window opens again on day 80, and nobody runs `refresh`: overdue from day 83 on.
fn overdue(rehearsal: &Rehearsal) {
    rehearsal.run(&["check", "--now", "+84d"]).verdict("
METATOKEN CRITICAL - brand and 5 more: no run since 2026-02-10 00:00 UTC, 44 days ago; operator: metatoken refresh
CRITICAL: `brand`, `bakery`, `sixty`, `creator`, `notes` and `publisher`: no run since 2026-02-10 00:00 UTC, 44 days ago
  run `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check brand`
").stderr("").code(2);
    rehearsal.run(&["status", "--offline"]).stdout("
6 tokens: 6 critical                                        2026-03-26 00:00 UTC

TOKEN      TYPE         STATE        EXPIRES     DATA ACCESS  NEXT
brand      user         not checked  2026-04-11  2026-02-12   due now
bakery     page         not checked  never       2026-02-12   due now
sixty      system-user  not checked  2026-04-11  never        due now
creator    instagram    not checked  2026-04-11  unknown      due now
notes      threads      not checked  2026-04-11  2026-02-12   due now
publisher  app          not checked  never       unknown      due now

critical: `brand`, `bakery`, `sixty`, `creator`, `notes` and `publisher`: no run since 2026-02-10 00:00 UTC, 44 days ago
  hint: run `metatoken refresh`. Then see why the timer or the cron job does not run it
").stderr("").exit(Exit::Ok);
}

/// Two days are left, and all could still be saved.
fn critical(rehearsal: &Rehearsal) {
    rehearsal.run(&["check", "--now", "+98d"]).verdict("
METATOKEN CRITICAL - brand: not checked since 2026-02-10, not renewed yet; operator: metatoken refresh brand (and 4 more)
CRITICAL: `brand`: not checked since 2026-02-10, not renewed yet
  run `metatoken refresh brand`. A timer should have done so: see that it runs `metatoken refresh`. Proof: `metatoken check brand`
CRITICAL: `sixty`: not checked since 2026-02-10, not renewed yet
  run `metatoken refresh sixty`. A timer should have done so: see that it runs `metatoken refresh`. Proof: `metatoken check sixty`
CRITICAL: `creator`: not checked since 2026-02-10, not renewed yet
  run `metatoken refresh creator`. A timer should have done so: see that it runs `metatoken refresh`. Proof: `metatoken check creator`
CRITICAL: `notes`: not checked since 2026-02-10, not renewed yet
  run `metatoken refresh notes`. A timer should have done so: see that it runs `metatoken refresh`. Proof: `metatoken check notes`
CRITICAL: `brand`, `bakery`, `sixty`, `creator`, `notes` and `publisher`: no run since 2026-02-10 00:00 UTC, 58 days ago
  run `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check brand`
").stderr("").code(2);
    rehearsal
        .run(&["status"])
        .stdout(
            "
6 tokens: 4 critical, 2 ok                                  2026-04-09 00:00 UTC

TOKEN      TYPE         STATE         EXPIRES     DATA ACCESS  CHECKED   NEXT
brand      user         expires soon  2026-04-11  2026-02-12   just now  due now
sixty      system-user  expires soon  2026-04-11  never        just now  due now
creator    instagram    expires soon  2026-04-11  unknown      just now  due now
notes      threads      expires soon  2026-04-11  2026-02-12   just now  due now
bakery     page         works         never       2026-02-12   just now  -
publisher  app          works         never       unknown      just now  -

critical: `brand`: works, expires in 2 days (2026-04-11 00:00 UTC), not renewed yet
  hint: run `metatoken refresh brand`. A timer should have done so: see that it runs `metatoken refresh`
critical: `sixty`: works, expires in 2 days (2026-04-11 00:00 UTC), not renewed yet
  hint: run `metatoken refresh sixty`. A timer should have done so: see that it runs `metatoken refresh`
critical: `creator`: works, expires in 2 days (2026-04-11 00:00 UTC), not renewed yet
  hint: run `metatoken refresh creator`. A timer should have done so: see that it runs `metatoken refresh`
critical: `notes`: works, expires in 2 days (2026-04-11 00:00 UTC), not renewed yet
  hint: run `metatoken refresh notes`. A timer should have done so: see that it runs `metatoken refresh`
critical: no run since 2026-02-10 00:00 UTC, 58 days ago
  hint: run `metatoken refresh`. Then see why the timer or the cron job does not run it
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

/// It is too late: only people can help.
fn expired(rehearsal: &Rehearsal) {
    rehearsal.run(&["check", "--now", "+101d"]).verdict("
METATOKEN CRITICAL - brand: down since 2026-04-11, expired; anna@brand.example logs in: metatoken login brand (and 4 more)
CRITICAL: `brand`: down since 2026-04-11, expired
  anna@brand.example logs in to the app again: run `metatoken login brand`. Proof: `metatoken check brand`
CRITICAL: `sixty`: down since 2026-04-11, expired
  ops@brand.example generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange sixty` and paste it. Generate it for System User 3000000000000005, app `main` (1000000000000001), expiration 60 days, permissions read_insights. Proof: `metatoken check sixty`
CRITICAL: `creator`: down since 2026-04-11, expired
  dora@creator.example logs in to the app again: run `metatoken login creator`. Proof: `metatoken check creator`
CRITICAL: `notes`: down since 2026-04-11, expired
  emil@notes.example logs in to the Threads app again: run `metatoken login notes`. Proof: `metatoken check notes`
CRITICAL: no run since 2026-02-10 00:00 UTC, 61 days ago
  run `metatoken refresh`. Then see why the timer or the cron job does not run it. Proof: `metatoken check --system`
").stderr("").code(2);
    rehearsal.run(&["refresh"]).stdout("
TOKEN      OUTCOME   EXPIRES               REASON
brand      invalid   2026-04-11 00:00 UTC  expired (190/463)
bakery     verified  never                 never expires
sixty      invalid   2026-04-11 00:00 UTC  expired (190/463)
creator    invalid   2026-04-11 00:00 UTC  expired (190)
notes      invalid   2026-04-11 00:00 UTC  expired (190/463)
publisher  verified  never                 never expires

critical: `brand`: down since 2026-04-11, expired
  hint: anna@brand.example logs in to the app again: run `metatoken login brand`
  Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190/463)
critical: `sixty`: down since 2026-04-11, expired
  hint: ops@brand.example generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange sixty` and paste it. Generate it for System User 3000000000000005, app `main` (1000000000000001), expiration 60 days, permissions read_insights
  Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190/463)
critical: `creator`: down since 2026-04-11, expired
  hint: dora@creator.example logs in to the app again: run `metatoken login creator`
  Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190)
critical: `notes`: down since 2026-04-11, expired
  hint: emil@notes.example logs in to the Threads app again: run `metatoken login notes`
  Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190/463)

6 tokens: 2 verified, 4 invalid
").stderr("").exit(Exit::PersonNeeded);
    rehearsal.run(&["check"]).verdict("
METATOKEN CRITICAL - brand: down since 2026-04-11, expired; anna@brand.example logs in: metatoken login brand (and 3 more)
CRITICAL: `brand`: down since 2026-04-11, expired
  anna@brand.example logs in to the app again: run `metatoken login brand`. Proof: `metatoken check brand`. Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190/463)
CRITICAL: `sixty`: down since 2026-04-11, expired
  ops@brand.example generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange sixty` and paste it. Generate it for System User 3000000000000005, app `main` (1000000000000001), expiration 60 days, permissions read_insights. Proof: `metatoken check sixty`. Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190/463)
CRITICAL: `creator`: down since 2026-04-11, expired
  dora@creator.example logs in to the app again: run `metatoken login creator`. Proof: `metatoken check creator`. Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190)
CRITICAL: `notes`: down since 2026-04-11, expired
  emil@notes.example logs in to the Threads app again: run `metatoken login notes`. Proof: `metatoken check notes`. Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190/463)
").stderr("").code(2);
    rehearsal.run(&["status"]).stdout("
6 tokens: 4 critical, 2 ok                                  2026-04-12 00:00 UTC

TOKEN      TYPE         STATE  EXPIRES               DATA ACCESS  NEXT
brand      user         down   2026-04-11 00:00 UTC  2026-02-12   log in again
sixty      system-user  down   2026-04-11 00:00 UTC  never        new token
creator    instagram    down   2026-04-11 00:00 UTC  unknown      log in again
notes      threads      down   2026-04-11 00:00 UTC  2026-02-12   log in again
bakery     page         works  never                 2026-02-12   -
publisher  app          works  never                 unknown      -

critical: `brand`: down since 2026-04-11, expired
  hint: anna@brand.example logs in to the app again: run `metatoken login brand`
  Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190/463)
critical: `sixty`: down since 2026-04-11, expired
  hint: ops@brand.example generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange sixty` and paste it. Generate it for System User 3000000000000005, app `main` (1000000000000001), expiration 60 days, permissions read_insights
  Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190/463)
critical: `creator`: down since 2026-04-11, expired
  hint: dora@creator.example logs in to the app again: run `metatoken login creator`
  Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190)
critical: `notes`: down since 2026-04-11, expired
  hint: emil@notes.example logs in to the Threads app again: run `metatoken login notes`
  Meta: \"Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday…\" (190/463)
").stderr("").exit(Exit::Ok);
    rehearsal
        .run(&["history", "--summary"])
        .stdout(
            "
11 attempts: 11 succeeded, 0 failed (100%)

EVENT      RESULT     COUNT
refreshed  succeeded  8
derived    succeeded  3

TRIGGER    ATTEMPTS  SUCCEEDED  FAILED  RATE
scheduled  0         0          0       -
manual     11        11         0       100%
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_timer_that_comes_back_in_time_saves_them_all() {
    let rehearsal = Rehearsal::new();
    for now in ["+0d", "+40d"] {
        let ran = rehearsal.run(&["refresh", "--now", now, "--json"]).exit(Exit::Ok);
        assert_eq!(ran.outcomes()["creator"], "refreshed", "{now}");
    }
    let ran = rehearsal.run(&["refresh", "--now", "+99d", "--json"]).exit(Exit::Ok);
    for label in ["brand", "sixty", "creator", "notes"] {
        assert_eq!(ran.result(label)["outcome"], "refreshed", "{label}");
        assert_eq!(ran.result(label)["new_expires_at"], "2026-06-09T00:00:00Z", "{label}");
    }
    rehearsal
        .run(&["check"])
        .verdict(
            "
METATOKEN WARNING - brand and 3 more: renewal window 20 days is too narrow: two runs were 59 days…; operator: metatoken refresh
WARNING: `brand`, `sixty`, `creator` and `notes`: renewal window 20 days is too narrow: two runs were 59 days apart lately, one failed run may be the last chance
  have the timer run `metatoken refresh` hourly, or set `refresh_within` to more; then run `metatoken refresh`. Proof: `metatoken check brand`
",
        )
        .stderr("")
        .code(1);
}
