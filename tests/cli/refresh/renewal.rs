//! How a user token is kept alive: from the first sight of its string to the day on which only a
//! person can help.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, OldString, Renewal, Rule, TokenFixture};
use metatoken::token::{DataAccess, Expiry};
use serde_json::json;

use crate::common::{ANNA, APP, ROBOT, World, day, ends};

const CONFIG: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
owner = "anna@client.example"
"#;

/// Anna's token, of sixty days unless it is said otherwise.
fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand")
}

/// A world in which the config points to this string.
fn world(spec: TokenFixture) -> World {
    World::new().config(CONFIG).token("BRAND", spec)
}

/// A world in which it has been adopted, on day 0.
fn adopted(spec: TokenFixture) -> World {
    let world = world(spec);
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["brand"], "adopted");
    world.calls();
    world
}

fn hours(n: i64) -> TimeDelta {
    TimeDelta::hours(n)
}

#[test]
fn a_token_is_adopted_rests_is_verified_and_is_renewed_in_its_window() {
    let mut world = world(brand());
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  found in the environment variable `BRAND`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand"]);

    // Nothing is due and the proof is fresh: Graph is not asked.
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 40 days

1 token: 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), [""; 0]);

    world.lives_until(30);
    world.at(day(39));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
brand  verified  2026-03-02  due 2026-02-10 00:00 UTC, in 24 hours

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand"]);

    world.at(day(40));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
brand  refreshed  2026-04-11  expires in 20 days (renewal window: 20 days)

1 token: 1 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["oauth/access_token Brand", "debug_token Brand"]);
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand2\n").stderr("").exit(Exit::Ok);

    world.run(&["history", "--format", "csv"]).stdout("
at,run,label,event,trigger,success,old_expires_at,new_expires_at,generation,fingerprint,problem,target,old_never_expires,new_never_expires
2026-01-01T00:00:00Z,1,brand,adopted,manual,,,2026-03-02T00:00:00Z,1,fingerprint1,,,false,false
2026-02-10T00:00:00Z,7,brand,refreshed,manual,true,2026-03-02T00:00:00Z,2026-04-11T00:00:00Z,2,fingerprint2,,,false,false
").stderr("").exit(Exit::Ok);
    // The old string stays sealed for a while: both are known, only one is current.
    world
        .run(&["status", "--offline"])
        .stdout(
            "
1 token: 1 ok                                               2026-02-10 00:00 UTC

TOKEN  TYPE  STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
brand  user  works  2026-04-11  2026-04-01   just now  renew 2026-03-22
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_renewal_tells_programs_what_has_changed() {
    let mut world = adopted(brand());
    world.at(day(45));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    ran.stdout(
        r#"
{
  "version": 1,
  "dry_run": false,
  "started_at": "2026-02-15T00:00:00Z",
  "finished_at": "2026-02-15T00:00:00Z",
  "summary": {
    "total": 1,
    "refreshed": 1,
    "exchanged": 0,
    "derived": 0,
    "adopted": 0,
    "verified": 0,
    "not_due": 0,
    "too_young": 0,
    "not_extended": 0,
    "skipped": 0,
    "failed": 0,
    "invalid": 0,
    "would_refresh": 0,
    "would_exchange": 0,
    "would_derive": 0,
    "would_adopt": 0,
    "logged_in": 0,
    "minted": 0,
    "would_mint": 0,
    "revoked": 0,
    "would_revoke": 0,
    "forgotten": 0,
    "would_forget": 0,
    "imported": 0,
    "would_import": 0,
    "rolled_back": 0,
    "would_roll_back": 0,
    "promoted": 0,
    "would_promote": 0,
    "delivered": 0,
    "would_deliver": 0,
    "restored": 0,
    "would_restore": 0,
    "pending": 0
  },
  "results": [
    {
      "label": "brand",
      "type": "user",
      "outcome": "refreshed",
      "reason": "expires in 15 days (renewal window: 20 days)",
      "old_expires_at": "2026-03-02T00:00:00Z",
      "new_expires_at": "2026-04-16T00:00:00Z",
      "never_expires": false,
      "old_never_expires": false,
      "new_never_expires": false,
      "generation": 2,
      "fingerprint": "fingerprint2",
      "problem": null,
      "deliveries": []
    }
  ],
  "system": []
}
"#,
    )
    .stderr("");
}

#[test]
fn a_short_lived_string_is_exchanged_in_the_run_that_adopts_it() {
    let world = world(brand().ending(Expiry::At(day(0) + hours(1))));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
brand  exchanged  2026-03-02  short-lived, expires 2026-01-01 01:00 UTC, in 60 minutes

1 token: 1 exchanged
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(
        world.calls(),
        ["debug_token Brand", "oauth/access_token Brand", "debug_token Brand"]
    );
    world
        .run(&["history"])
        .stdout(
            "
AT (UTC)          TOKEN  EVENT      TRIGGER  DETAIL
2026-01-01 00:00  brand  adopted    manual   expires 2026-01-01 01:00 UTC
2026-01-01 00:00  brand  exchanged  manual   expires 2026-03-02 (was 2026-01-01 01:00 UTC)

1 attempt: 1 succeeded, 0 failed (100%)
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_token_without_an_end_is_never_renewed() {
    let mut world = adopted(brand().ending(Expiry::Never).data_access(DataAccess::NotApplicable));
    world.at(day(400));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES  REASON
brand  verified  never    never expires

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["refresh", "--force", "brand"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
brand  not due  never    never expires

1 token: 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["refresh", "-n", "--force", "brand"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
brand  not due  never    never expires

1 token: 1 not due (dry run: nothing was changed)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert!(world.calls().iter().all(|call| call == "debug_token Brand"));
}

#[test]
fn an_unknown_end_is_asked_about_and_not_renewed() {
    let mut world = world(brand());
    let answer = json!({ "data": {
        "app_id": APP, "type": "USER", "is_valid": true, "scopes": [], "user_id": ANNA,
    }});
    world.graph.misbehave(
        Rule::on("/debug_token"),
        FaultInjection::Raw { status: 200, headers: vec![], body: answer.to_string().into_bytes() },
    );
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
brand  adopted  unknown  found in the environment variable `BRAND`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.at(day(50));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES  REASON
brand  verified  unknown  Meta does not report when it expires

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand", "debug_token Brand"]);
}

#[test]
fn a_grant_that_does_not_say_when_it_ends_is_asked_about() {
    let mut world = adopted(brand().withholding_expires_in());
    world.at(day(50));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
brand  refreshed  2026-04-21  expires in 10 days (renewal window: 20 days)

1 token: 1 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn the_same_string_with_a_later_end_is_the_same_generation() {
    let mut world = adopted(brand().renewal(Renewal::ExtendsInPlace));
    world.at(day(50));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    let result = ran.result("brand");
    assert_eq!(result["outcome"], "refreshed");
    assert_eq!(result["generation"], 1);
    assert_eq!(result["new_expires_at"], "2026-04-21T00:00:00Z");
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand1\n").stderr("").exit(Exit::Ok);
    world.run(&["history", "--format", "csv"]).stdout("
at,run,label,event,trigger,success,old_expires_at,new_expires_at,generation,fingerprint,problem,target,old_never_expires,new_never_expires
2026-01-01T00:00:00Z,1,brand,adopted,manual,,,2026-03-02T00:00:00Z,1,fingerprint1,,,false,false
2026-02-20T00:00:00Z,2,brand,refreshed,manual,true,2026-03-02T00:00:00Z,2026-04-21T00:00:00Z,1,fingerprint1,,,false,false
").stderr("").exit(Exit::Ok);
}

#[test]
fn what_meta_does_not_extend_is_kept_and_tried_again_daily() {
    for renewal in [Renewal::KeepsString, Renewal::KeepsEnd] {
        let mut world = adopted(brand().renewal(renewal.clone()));
        world.at(day(40));
        let ran = world.run(&["refresh"]);
        ran.stdout(
            "
TOKEN  OUTCOME       EXPIRES     REASON
brand  not extended  2026-03-02  no later expiry

warning: `brand`: works, renewal gives no later expiry
  hint: nothing to do yet: it is tried again by itself

1 token: 1 not extended
",
        )
        .stderr("")
        .exit(Exit::Failed);
        world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand1\n").stderr("").exit(Exit::Ok);
        world.calls();

        // It waits for a day.
        world.at(day(40) + hours(23));
        world
            .run(&["refresh"])
            .stdout(
                "
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  the last try failed; the next is 2026-02-11 00:00 UTC, in 60 minutes

1 token: 1 not due
",
            )
            .stderr("")
            .exit(Exit::Ok);
        assert_eq!(world.calls(), [""; 0], "{renewal:?}");

        world.at(day(41));
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Failed);
        assert_eq!(ran.result("brand")["outcome"], "not_extended");
        assert!(world.calls().contains(&"oauth/access_token Brand".to_owned()));

        // Three misses over three days: from now on a person is reminded, earlier than usual.
        world.at(day(42));
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Failed);
        assert_eq!(ran.result("brand")["outcome"], "not_extended");
        let status = world.run(&["status", "--json"]).exit(Exit::Ok);
        assert_eq!(status.token("brand")["refresh"]["automatic"], false);
        world.at(day(47));
        world
            .run(&["refresh"])
            .stdout(
                "
TOKEN  OUTCOME       EXPIRES     REASON
brand  not extended  2026-03-02  no later expiry

warning: `brand`: works, expires in 13 days (2026-03-02 00:00 UTC), no longer extended
  hint: anna@client.example logs in to the app again: run `metatoken login brand`

1 token: 1 not extended
",
            )
            .stderr("")
            .exit(Exit::Failed);
        world.run(&["check"]).verdict("
METATOKEN WARNING - brand: works, expires in 13 days, no longer extended; anna@client.example logs in: metatoken login brand
WARNING: `brand`: works, expires in 13 days (2026-03-02 00:00 UTC), no longer extended
  anna@client.example logs in to the app again: run `metatoken login brand`. Proof: `metatoken check brand`
").stderr("").code(1);
        world.at(day(54));
        world
            .run(&["refresh"])
            .stdout(
                "
TOKEN  OUTCOME       EXPIRES     REASON
brand  not extended  2026-03-02  no later expiry

critical: `brand`: works, expires in 6 days (2026-03-02 00:00 UTC), no longer extended
  hint: anna@client.example logs in to the app again: run `metatoken login brand`

1 token: 1 not extended
",
            )
            .stderr("")
            .exit(Exit::PersonNeeded);
    }
}

#[test]
fn a_grant_with_fewer_permissions_is_held_until_the_end_is_near() {
    let spec = brand()
        .scopes(["public_profile", "pages_show_list"])
        .renewal(Renewal::LosesScope("pages_show_list".into()));
    let mut world = adopted(spec);
    world.at(day(40));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  permission missing

warning: `brand`: works, the new access token lacks `pages_show_list`
  hint: anna@client.example logs in to the app again and grants it, ticking every Page: run `metatoken login brand`

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand1\n").stderr("").exit(Exit::Ok);

    // On every run while it stands, and no second grant on top.
    world.calls();
    world.at(day(41));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  permission missing

warning: `brand`: works, the new access token lacks `pages_show_list`
  hint: anna@client.example logs in to the app again and grants it, ticking every Page: run `metatoken login brand`

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    assert!(!world.calls().contains(&"oauth/access_token Brand".to_owned()));

    // Never a reason to let a token die.
    world.at(day(57));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME    EXPIRES     REASON
brand  refreshed  2026-04-11  the new access token is worth less, but the one it replaces is dead or about to expire

1 token: 1 refreshed
").stderr("").exit(Exit::Ok);
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand2\n").stderr("").exit(Exit::Ok);
}

#[test]
fn a_grant_for_somebody_else_is_refused() {
    let mut world = adopted(brand().renewal(Renewal::BecomesSomeoneElse(ROBOT.into())));
    world.at(day(45));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  wrong identity

critical: `brand`: not checked since 2026-01-01, no answer from Graph for more than 7 days (`checked_within`)
  hint: run `metatoken refresh -v` to see why Graph was not reached
warning: `brand`: not checked since 2026-01-01, the token belongs to user 3000000000000009, not to 3000000000000001
  hint: anna@client.example logs in to the app again: run `metatoken login brand`

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand1\n").stderr("").exit(Exit::Ok);
    world
        .run(&["history", "--failed"])
        .stdout(
            "
AT (UTC)          TOKEN  EVENT           TRIGGER  GENERATION  DETAIL
2026-02-15 00:00  brand  refresh failed  manual   2           wrong identity

1 attempt: 0 succeeded, 1 failed (0%)
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_token_that_is_named_is_asked_about_first() {
    let mut world = adopted(brand());
    world.at(day(0) + hours(1));
    world
        .run(&["refresh", "brand"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
brand  verified  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand"]);
    world.at(day(1) - hours(1));
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    // The proof of yesterday is trusted until a program that met an error says otherwise.
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 39 days

1 token: 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), [""; 0]);
    world.run(&["refresh", "b*"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  password changed (190/460)

critical: `brand`: down, password changed
  hint: anna@client.example logs in to the app again: run `metatoken login brand`
  Meta: \"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(world.calls(), ["debug_token Brand"]);
}

#[test]
fn force_overrides_the_window_and_the_backoff() {
    let mut world = adopted(brand());
    world.at(day(2));
    world
        .run(&["refresh", "--force", "brand"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
brand  refreshed  2026-03-04  `--force`

1 token: 1 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(
        world.calls(),
        ["debug_token Brand", "oauth/access_token Brand", "debug_token Brand"]
    );

    world.at(day(45));
    world.graph.misbehave(Rule::on("/oauth/access_token"), FaultInjection::Status(500));
    world.run(&["refresh", "--json"]).exit(Exit::Unavailable).stderr("");
    world.graph.behave();
    world.calls();
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(
        ran.result("brand")["reason"],
        "the last try failed; the next is 2026-02-15 00:15 UTC, in 15 minutes"
    );
    let ran = world.run(&["refresh", "--force", "brand", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["brand"], "refreshed");

    // Without a label it is not known what to insist on.
    world
        .run(&["refresh", "--force"])
        .stdout("")
        .stderr(
            "
error: the following required arguments were not provided:
  <LABEL>...

Usage: metatoken refresh --force <LABEL>...

For more information, try '--help'.
",
        )
        .exit(Exit::Usage);
}

#[test]
fn without_auto_refresh_it_is_only_judged() {
    let config = format!("{CONFIG}auto_refresh = false\n");
    let mut world = World::new().config(&config).token("BRAND", brand());
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  found in the environment variable `BRAND`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.at(day(47));
    world.calls();
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
brand  verified  2026-03-02  `auto_refresh` is off

warning: `brand`: works, expires in 13 days (2026-03-02 00:00 UTC), `auto_refresh` is off
  hint: anna@client.example logs in to the app again: run `metatoken login brand`

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand"]);
    world.at(day(54));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
brand  verified  2026-03-02  `auto_refresh` is off

critical: `brand`: works, expires in 6 days (2026-03-02 00:00 UTC), `auto_refresh` is off
  hint: anna@client.example logs in to the app again: run `metatoken login brand`

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::PersonNeeded);
}

#[test]
fn a_token_that_is_not_enabled_is_neither_touched_nor_judged() {
    let mut world = adopted(brand());
    world.at(day(2));
    world.reconfigure(&format!("{CONFIG}enabled = false\n"));
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::Revoked));
    world
        .run(&["refresh"])
        .stdout(
            "
no tokens
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["status"])
        .stdout(
            "
no tokens                                                   2026-01-03 00:00 UTC
",
        )
        .stderr("")
        .exit(Exit::Ok);
    // Named, it is not called unknown.
    for (arguments, typed) in [
        (&["status", "brand"][..], "brand"),
        (&["refresh", "--force", "brand"], "brand"),
        (&["check", "br*"], "br*"),
        (&["token", "brand"], "brand"),
        (&["deliver", "brand/2000000000000001"], "brand/2000000000000001"),
    ] {
        let code = if arguments[0] == "check" { 3 } else { 64 };
        world.run(arguments).code(code).stderr(&format!(
            "error: {typed}: not enabled: `[token.brand]` or what it inherits has `enabled = false`\n\
             hint: set `enabled = true` in `[token.brand]` in `[DIR]/metatoken.toml`\n"
        ));
    }
    assert_eq!(world.calls(), [""; 0]);
    world.reconfigure(CONFIG);
    world
        .run(&["refresh", "brand", "--quiet"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  revoked (190/466)

critical: `brand`: down, revoked
  hint: anna@client.example logs in to the app again: run `metatoken login brand`
  Meta: \"The session was invalidated explicitly using an API call\" (190/466)

1 token: 1 invalid
",
        )
        .stderr("")
        .exit(Exit::PersonNeeded);
}

#[test]
fn proofs_are_asked_for_as_often_as_the_config_says() {
    let config = format!("{CONFIG}verify_every = \"6h\"\n");
    let mut world = World::new().config(&config).token("BRAND", brand());
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    for (hour, asked) in [(5, false), (6, true), (11, false), (12, true)] {
        world.calls();
        world.at(day(0) + hours(hour));
        world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
        assert_eq!(!world.calls().is_empty(), asked, "hour {hour}");
    }
}

#[test]
fn pauses_between_tries_double() {
    let mut world = adopted(brand());
    world.at(day(39));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.graph.misbehave(Rule::on("/oauth/access_token"), FaultInjection::Status(500));
    let started = day(40);
    for (minute, tried, failures) in
        [(0, true, 1), (14, false, 1), (15, true, 2), (44, false, 2), (45, true, 3)]
    {
        world.at(started + TimeDelta::minutes(minute));
        world.calls();
        let exit = if tried { Exit::Unavailable } else { Exit::Ok };
        // The token has time left: nobody is told.
        world.run(&["refresh", "--quiet"]).exit(exit).silent();
        let asked = world.calls().contains(&"oauth/access_token Brand".to_owned());
        assert_eq!(asked, tried, "minute {minute}");
        let status = world.run(&["status", "--offline", "--json"]).exit(Exit::Ok);
        assert_eq!(status.token("brand")["refresh"]["consecutive_failures"], failures);
    }
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  the last try failed; the next is 2026-02-10 01:45 UTC, in 60 minutes

1 token: 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.at(day(58));
    world.run(&["refresh", "--quiet"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  failed   2026-03-02  graph unavailable (1)

critical: `brand`: works, expires in 2 days (2026-03-02 00:00 UTC), renewal failed: Graph is unavailable
  hint: anna@client.example logs in to the app again: run `metatoken login brand`. Meanwhile renewal is tried again by itself
  Meta: \"An unknown error occurred\" (1)

1 token: 1 failed
").stderr("").exit(Exit::Unavailable);
}

#[test]
fn every_death_calls_a_person_on_every_run_while_it_stands() {
    for (death, kind, action) in [
        (Invalidation::Expired, "expired", "reauthenticate"),
        (Invalidation::PasswordChanged, "password_changed", "reauthenticate"),
        (Invalidation::AppRemoved, "app_not_authorized", "reauthenticate"),
        (Invalidation::Revoked, "revoked", "reauthenticate"),
        (Invalidation::SessionInvalid, "session_invalid", "reauthenticate"),
        (Invalidation::Checkpoint, "checkpoint", "fix_account"),
        (Invalidation::Unconfirmed, "unconfirmed_user", "fix_account"),
        (Invalidation::Blocking, "checkpoint", "fix_account"),
        (Invalidation::Inactive, "inactive", "reauthenticate"),
    ] {
        let mut world = adopted(brand());
        world.at(day(3));
        world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", death));
        for hour in [0, 1, 30] {
            world.at(day(3) + hours(hour));
            world.calls();
            let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
            let result = ran.result("brand");
            assert_eq!(result["outcome"], "invalid", "{death:?}");
            assert_eq!(result["problem"]["kind"], kind, "{death:?}");
            assert_eq!(result["problem"]["action"], action, "{death:?}");
            assert!(result["problem"]["remedy"].as_str().unwrap().contains("anna@client.example"));
            // It is asked each time, in case the person has been; and nothing is renewed. What may
            // be an error of Meta's system by its own words is confirmed.
            let asked = if death == Invalidation::SessionInvalid { 2 } else { 1 };
            assert_eq!(world.calls(), vec!["debug_token Brand"; asked], "{death:?}");
        }
    }
}

#[test]
fn a_person_who_passes_the_check_brings_the_token_back() {
    let mut world = adopted(brand());
    world.at(day(3));
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::Checkpoint));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  checkpoint (190/459)

critical: `brand`: down, account held
  hint: anna@client.example opens facebook.com, logs in and does what it asks; then run `metatoken refresh brand`. No other person can do it; the token is kept and may work again
  Meta: \"You cannot access the app till you log in to www.facebook.com and follow…\" (190/459)

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    world.graph.with(|graph| graph.revive("EAAFAKEBrand1"));
    world.at(day(3) + hours(1));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
brand  verified  2026-03-02  due 2026-02-10 00:00 UTC, in 36 days

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_dead_token_recovers_by_a_new_string_in_its_source() {
    let mut world = adopted(brand());
    world.at(day(3));
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  password changed (190/460)

critical: `brand`: down, password changed
  hint: anna@client.example logs in to the app again: run `metatoken login brand`
  Meta: \"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    let again = world.mint(brand());
    world.set("BRAND", &again);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-05  found in the environment variable `BRAND`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand2\n").stderr("").exit(Exit::Ok);
}

#[test]
fn a_renewal_that_kills_the_old_string_loses_nothing() {
    let mut world = adopted(brand());
    world.graph.with(|graph| graph.set_old_string(OldString::Dies));
    world.at(day(40));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["brand"], "refreshed");
    let ran = world.run(&["status", "--live", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.token("brand")["state"], "valid");
}

#[test]
fn a_stored_date_that_has_passed_is_asked_about_once_and_then_a_person_is() {
    let mut world = adopted(brand().ending(ends(30)));
    world.at(day(31));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES               REASON
brand  invalid  2026-01-31 00:00 UTC  expired (190/463)

critical: `brand`: down since 2026-01-31, expired
  hint: anna@client.example logs in to the app again: run `metatoken login brand`
  Meta: \"Session has expired on Friday, 30-Jan-26 16:00:00 PST. The current time is Saturday…\" (190/463)

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(world.calls(), ["debug_token Brand"]);
}

#[test]
fn a_system_user_token_without_an_end_rests_and_a_dated_one_is_renewed() {
    let config = r#"
[token.ads]
type = "system-user"
access_token = { env = "ADS" }
[token.dated]
type = "system-user"
access_token = { env = "DATED" }
"#;
    let mut world = World::new()
        .config(config)
        .token("ADS", TokenFixture::system_user(APP, ROBOT).named("ads"))
        .token("DATED", TokenFixture::system_user(APP, ROBOT).named("dated").ending(ends(60)));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
ads    adopted  never       found in the environment variable `ADS`
dated  adopted  2026-03-02  found in the environment variable `DATED`

2 tokens: 2 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.at(day(47));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
ads    verified   never       never expires
dated  refreshed  2026-04-18  expires in 13 days (renewal window: 20 days)

2 tokens: 1 refreshed, 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    // Not even by force.
    world.at(day(48));
    world
        .run(&["refresh", "--force", "ads"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES  REASON
ads    verified  never    never expires

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    let minted = world.calls().into_iter().filter(|call| !call.starts_with("debug_token")).count();
    assert_eq!(minted, 1, "the one grant of day 47");
}
