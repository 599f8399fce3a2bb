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
    rehearsal.run(&["refresh"]).stdout("
TOKEN      OUTCOME    EXPIRES     REASON
brand      refreshed  2026-03-02  its end, 2026-01-13 00:00 UTC, in 12 days, is within 20d
bakery     derived    never       no string yet
sixty      refreshed  2026-03-02  its end, 2026-01-16 00:00 UTC, in 15 days, is within 20d
creator    refreshed  2026-03-02  nobody knows when it ends, and it may be one of those that live an hour
notes      refreshed  2026-03-02  its end, 2026-01-13 00:00 UTC, in 12 days, is within 20d
publisher  derived    never       no string yet

6 tokens: 4 refreshed, 2 derived
").stderr("").exit(Exit::Ok);
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
bakery     verified  never       it never expires
sixty      verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
creator    verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
notes      verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days
publisher  verified  never       it never expires

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
brand      refreshed  2026-04-11  its end, 2026-03-02 00:00 UTC, in 20 days, is within 20d
bakery     derived    never       its parent has a newer string
sixty      refreshed  2026-04-11  its end, 2026-03-02 00:00 UTC, in 20 days, is within 20d
creator    refreshed  2026-04-11  its end, 2026-03-02 00:00 UTC, in 20 days, is within 20d
notes      refreshed  2026-04-11  its end, 2026-03-02 00:00 UTC, in 20 days, is within 20d
publisher  verified   never       it never expires

6 tokens: 4 refreshed, 1 derived, 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    rehearsal
        .run(&["check"])
        .verdict(
            "
METATOKEN WARNING - brand and 3 more: the window before its end is 20 days, and the longest time between two runs was 39 days lately: a run that fails may be the last chance
WARNING: `brand`, `sixty`, `creator` and `notes`: the window before its end is 20 days, and the longest time between two runs was 39 days lately: a run that fails may be the last chance; let the timer run `metatoken refresh` hourly, or set `refresh_within` to more
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

warning: `brand`, `sixty`, `creator` and `notes`: the window before its end is 20 days, and the longest time between two runs was 39 days lately: a run that fails may be the last chance
  hint: let the timer run `metatoken refresh` hourly, or set `refresh_within` to more
").stderr("").exit(Exit::Ok);
}

/// The window opens again on day 80, and nobody runs `refresh`: overdue from day 83 on.
fn overdue(rehearsal: &Rehearsal) {
    rehearsal.run(&["check", "--now", "+84d"]).verdict("
METATOKEN CRITICAL - brand and 5 more: the last run finished 2026-02-10 00:00 UTC, 44 days ago
CRITICAL: `brand`, `bakery`, `sixty`, `creator`, `notes` and `publisher`: the last run finished 2026-02-10 00:00 UTC, 44 days ago; see that the timer or the cron job runs `metatoken refresh`, and run it now
").stderr("").code(2);
    rehearsal.run(&["status", "--offline"]).stdout("
6 tokens: 6 critical                                        2026-03-26 00:00 UTC

TOKEN      TYPE         STATE             EXPIRES     DATA ACCESS  NEXT
brand      user         works, unchecked  2026-04-11  2026-02-12   due now
bakery     page         works, unchecked  never       2026-02-12   due now
sixty      system-user  works, unchecked  2026-04-11  never        due now
creator    instagram    works, unchecked  2026-04-11  unknown      due now
notes      threads      works, unchecked  2026-04-11  2026-02-12   due now
publisher  app          works, unchecked  never       unknown      due now

critical: `brand`, `bakery`, `sixty`, `creator`, `notes` and `publisher`: the last run finished 2026-02-10 00:00 UTC, 44 days ago
  hint: see that the timer or the cron job runs `metatoken refresh`, and run it now
").stderr("").exit(Exit::Ok);
}

/// Two days are left, and all could still be saved.
fn critical(rehearsal: &Rehearsal) {
    rehearsal.run(&["check", "--now", "+98d"]).verdict("
METATOKEN CRITICAL - brand: it ends 2026-04-11 00:00 UTC, in 2 days, and 4 more causes
CRITICAL: `brand`: it ends 2026-04-11 00:00 UTC, in 2 days; run `metatoken refresh brand`, and see that the timer runs
CRITICAL: `sixty`: it ends 2026-04-11 00:00 UTC, in 2 days; run `metatoken refresh sixty`, and see that the timer runs
CRITICAL: `creator`: it ends 2026-04-11 00:00 UTC, in 2 days; run `metatoken refresh creator`, and see that the timer runs
CRITICAL: `notes`: it ends 2026-04-11 00:00 UTC, in 2 days; run `metatoken refresh notes`, and see that the timer runs
CRITICAL: `brand`, `bakery`, `sixty`, `creator`, `notes` and `publisher`: the last run finished 2026-02-10 00:00 UTC, 58 days ago; see that the timer or the cron job runs `metatoken refresh`, and run it now
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

critical: `brand`: it ends 2026-04-11 00:00 UTC, in 2 days
  hint: run `metatoken refresh brand`, and see that the timer runs
critical: `sixty`: it ends 2026-04-11 00:00 UTC, in 2 days
  hint: run `metatoken refresh sixty`, and see that the timer runs
critical: `creator`: it ends 2026-04-11 00:00 UTC, in 2 days
  hint: run `metatoken refresh creator`, and see that the timer runs
critical: `notes`: it ends 2026-04-11 00:00 UTC, in 2 days
  hint: run `metatoken refresh notes`, and see that the timer runs
critical: the last run finished 2026-02-10 00:00 UTC, 58 days ago
  hint: see that the timer or the cron job runs `metatoken refresh`, and run it now
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

/// It is too late: only people can help.
fn expired(rehearsal: &Rehearsal) {
    rehearsal.run(&["check", "--now", "+101d"]).verdict("
METATOKEN CRITICAL - brand: it ended 2026-04-11 00:00 UTC, 24 hours ago, and 4 more causes
CRITICAL: `brand`: it ended 2026-04-11 00:00 UTC, 24 hours ago; anna@brand.example logs in to the app again; then run `metatoken exchange brand` and paste the new access token
CRITICAL: `sixty`: it ended 2026-04-11 00:00 UTC, 24 hours ago; ops@brand.example generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange sixty` and paste it
CRITICAL: `creator`: it ended 2026-04-11 00:00 UTC, 24 hours ago; dora@creator.example logs in to the app again, or generates a token in its dashboard (Instagram, API setup with Instagram login); then run `metatoken exchange creator` and paste the new access token
CRITICAL: `notes`: it ended 2026-04-11 00:00 UTC, 24 hours ago; emil@notes.example logs in to the Threads app again; then run `metatoken exchange notes` and paste the new access token
CRITICAL: the last run finished 2026-02-10 00:00 UTC, 61 days ago; see that the timer or the cron job runs `metatoken refresh`, and run it now
").stderr("").code(2);
    rehearsal.run(&["refresh"]).stdout("
TOKEN      OUTCOME   EXPIRES               REASON
brand      invalid   2026-04-11 00:00 UTC  expired (190/463)
bakery     verified  never                 it never expires
sixty      invalid   2026-04-11 00:00 UTC  expired (190/463)
creator    invalid   2026-04-11 00:00 UTC  expired (190)
notes      invalid   2026-04-11 00:00 UTC  expired (190/463)
publisher  verified  never                 it never expires

critical: `brand`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190/463)
  hint: anna@brand.example logs in to the app again; then run `metatoken exchange brand` and paste the new access token
critical: `sixty`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190/463)
  hint: ops@brand.example generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange sixty` and paste it
critical: `creator`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190)
  hint: dora@creator.example logs in to the app again, or generates a token in its dashboard (Instagram, API setup with Instagram login); then run `metatoken exchange creator` and paste the new access token
critical: `notes`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190/463)
  hint: emil@notes.example logs in to the Threads app again; then run `metatoken exchange notes` and paste the new access token

6 tokens: 2 verified, 4 invalid
").stderr("").exit(Exit::PersonNeeded);
    rehearsal.run(&["check"]).verdict("
METATOKEN CRITICAL - brand: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190/463), and 3 more causes
CRITICAL: `brand`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190/463); anna@brand.example logs in to the app again; then run `metatoken exchange brand` and paste the new access token
CRITICAL: `sixty`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190/463); ops@brand.example generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange sixty` and paste it
CRITICAL: `creator`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190); dora@creator.example logs in to the app again, or generates a token in its dashboard (Instagram, API setup with Instagram login); then run `metatoken exchange creator` and paste the new access token
CRITICAL: `notes`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190/463); emil@notes.example logs in to the Threads app again; then run `metatoken exchange notes` and paste the new access token
").stderr("").code(2);
    rehearsal.run(&["status"]).stdout("
6 tokens: 4 critical, 2 ok                                  2026-04-12 00:00 UTC

TOKEN      TYPE         STATE  EXPIRES               DATA ACCESS  NEXT
brand      user         down   2026-04-11 00:00 UTC  2026-02-12   log in again
sixty      system-user  down   2026-04-11 00:00 UTC  never        log in again
creator    instagram    down   2026-04-11 00:00 UTC  unknown      log in again
notes      threads      down   2026-04-11 00:00 UTC  2026-02-12   log in again
bakery     page         works  never                 2026-02-12   -
publisher  app          works  never                 unknown      -

critical: `brand`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190/463)
  hint: anna@brand.example logs in to the app again; then run `metatoken exchange brand` and paste the new access token
critical: `sixty`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190/463)
  hint: ops@brand.example generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange sixty` and paste it
critical: `creator`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190)
  hint: dora@creator.example logs in to the app again, or generates a token in its dashboard (Instagram, API setup with Instagram login); then run `metatoken exchange creator` and paste the new access token
critical: `notes`: Error validating access token: Session has expired on Friday, 10-Apr-26 17:00:00 PDT. The current time is Saturday, 11-Apr-26 17:00:00 PDT (code 190/463)
  hint: emil@notes.example logs in to the Threads app again; then run `metatoken exchange notes` and paste the new access token
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
METATOKEN WARNING - brand and 3 more: the window before its end is 20 days, and the longest time between two runs was 59 days lately: a run that fails may be the last chance
WARNING: `brand`, `sixty`, `creator` and `notes`: the window before its end is 20 days, and the longest time between two runs was 59 days lately: a run that fails may be the last chance; let the timer run `metatoken refresh` hourly, or set `refresh_within` to more
",
        )
        .stderr("")
        .code(1);
}
