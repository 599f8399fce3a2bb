//! `status`: what each token is worth, where that is known from, and what is left behind.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{AppFixture, FaultInjection, Invalidation, Rule, TokenFixture};

use crate::common::{ANNA, APP, BAKERY, World, day, ends};

const CONFIG: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
owner = "anna@client.example"
required_scopes = ["pages_show_list"]

[token.bakery]
type = "page"
parent = "brand"
page_id = "2000000000000001"
"#;

fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand").scopes(["public_profile", "pages_show_list"])
}

fn world() -> World {
    World::new().config(CONFIG).token("BRAND", brand())
}

/// A world after its first run.
fn kept() -> World {
    let world = world();
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.calls();
    world
}

#[test]
fn before_the_first_run_the_configured_string_is_judged_and_not_stored() {
    let world = world();
    let before = world.bytes_on_disk();
    world
        .run(&["status"])
        .stdout(
            "
2 tokens: 1 unknown, 1 ok                                   2026-01-01 00:00 UTC

TOKEN   TYPE  STATE            EXPIRES     DATA ACCESS  CHECKED   NEXT
bakery  page  no access token  -           -            never     -
brand   user  works            2026-03-02  2026-04-01   just now  due now

unknown: `bakery`: no access token yet, derived from brand
  hint: run `metatoken refresh`
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand"]);
    world.run(&["status", "--offline"]).stdout("
2 tokens: 2 unknown                                         2026-01-01 00:00 UTC

TOKEN   TYPE  STATE            EXPIRES  DATA ACCESS  CHECKED  NEXT
brand   user  no access token  -        -            never    -
bakery  page  no access token  -        -            never    -

unknown: `brand`: no access token yet
  hint: run `metatoken refresh brand`. Without an `access_token` in the config run `metatoken exchange brand` and paste one
unknown: `bakery`: no access token yet, derived from brand
  hint: run `metatoken refresh`
").stderr("").exit(Exit::Ok);
    assert_eq!(world.calls(), [""; 0]);
    assert_eq!(world.bytes_on_disk(), before);
}

#[test]
fn programs_get_every_field() {
    let mut world = kept();
    world.at(day(0) + TimeDelta::minutes(30));
    world
        .run(&["status", "brand", "--json"])
        .stdout(
            r#"
{
  "version": 1,
  "generated_at": "2026-01-01T00:30:00Z",
  "health": "ok",
  "tokens": [
    {
      "label": "brand",
      "type": "user",
      "inspected_type": "USER",
      "app": "main",
      "app_id": "1000000000000001",
      "application": "Main App",
      "parent": null,
      "user_id": "3000000000000001",
      "page_id": null,
      "name": null,
      "owner": "anna@client.example",
      "backup": null,
      "health": "ok",
      "state": "valid",
      "reasons": [],
      "valid": true,
      "expires_at": "2026-03-02T00:00:00Z",
      "never_expires": false,
      "expires_in_seconds": 5182200,
      "data_access_expires_at": "2026-04-01T00:00:00Z",
      "issued_at": "2026-01-01T00:00:00Z",
      "scopes": [
        "public_profile",
        "pages_show_list"
      ],
      "granular_scopes": [
        {
          "scope": "pages_show_list",
          "target_ids": [
            "2000000000000001",
            "2000000000000002"
          ]
        }
      ],
      "missing_scopes": [],
      "missing_targets": [],
      "refresh": {
        "automatic": true,
        "due": false,
        "due_reason": "due 2026-02-10 00:00 UTC, in 39 days",
        "due_at": "2026-02-10T00:00:00Z",
        "last_refreshed_at": null,
        "last_attempt_at": null,
        "consecutive_failures": 0
      },
      "verified_at": "2026-01-01T00:00:00Z",
      "source": "cache",
      "problem": null,
      "fingerprint": "fingerprint1",
      "generation": 1,
      "deliveries": [],
      "probe": null,
      "next_deadline": {
        "what": "data_access",
        "at": "2026-04-01T00:00:00Z"
      }
    }
  ],
  "system": [],
  "undeclared": []
}
"#,
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn programs_get_the_problem_and_the_remedy() {
    let mut world = kept();
    world.at(day(1));
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    world.run(&["status", "brand", "--json"]).stdout(r#"
{
  "version": 1,
  "generated_at": "2026-01-02T00:00:00Z",
  "health": "critical",
  "tokens": [
    {
      "label": "brand",
      "type": "user",
      "inspected_type": "USER",
      "app": "main",
      "app_id": "1000000000000001",
      "application": "Main App",
      "parent": null,
      "user_id": "3000000000000001",
      "page_id": null,
      "name": null,
      "owner": "anna@client.example",
      "backup": null,
      "health": "critical",
      "state": "invalid",
      "reasons": [
        {
          "code": "password_changed",
          "severity": "critical",
          "message": "password changed",
          "remedy": "anna@client.example logs in to the app again: run `metatoken login brand`",
          "labels": [
            "brand"
          ],
          "state": "down",
          "brief": "anna@client.example logs in",
          "command": "metatoken login brand",
          "meta": "\"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)"
        }
      ],
      "valid": false,
      "expires_at": "2026-03-02T00:00:00Z",
      "never_expires": false,
      "expires_in_seconds": 5097600,
      "data_access_expires_at": "2026-04-01T00:00:00Z",
      "issued_at": null,
      "scopes": [
        "public_profile",
        "pages_show_list"
      ],
      "granular_scopes": [
        {
          "scope": "pages_show_list",
          "target_ids": [
            "2000000000000001",
            "2000000000000002"
          ]
        }
      ],
      "missing_scopes": [],
      "missing_targets": [],
      "refresh": {
        "automatic": true,
        "due": false,
        "due_reason": "password changed (190/460)",
        "due_at": null,
        "last_refreshed_at": null,
        "last_attempt_at": null,
        "consecutive_failures": 0
      },
      "verified_at": "2026-01-02T00:00:00Z",
      "source": "live",
      "problem": {
        "kind": "password_changed",
        "action": "reauthenticate",
        "code": 190,
        "subcode": 460,
        "message": "Error validating access token: The session has been invalidated because the user changed their password or Facebook has changed the session for security reasons",
        "fbtrace_id": null,
        "remedy": "anna@client.example logs in to the app again: run `metatoken login brand`"
      },
      "fingerprint": "fingerprint1",
      "generation": 1,
      "deliveries": [],
      "probe": null,
      "next_deadline": null
    }
  ],
  "system": [],
  "undeclared": []
}
"#).stderr("").exit(Exit::Ok);
}

#[test]
fn a_good_proof_is_trusted_for_an_hour_and_a_bad_one_for_a_minute() {
    let mut world = kept();
    let source = |world: &World| {
        let ran = world.run(&["status", "--json", "brand"]).exit(Exit::Ok);
        let source = ran.token("brand")["source"].as_str().unwrap().to_owned();
        (source, world.calls().len())
    };
    world.at(day(0) + TimeDelta::minutes(59));
    assert_eq!(source(&world), ("cache".to_owned(), 0));
    world.at(day(0) + TimeDelta::minutes(60));
    assert_eq!(source(&world), ("live".to_owned(), 1));
    // What it learnt was kept.
    assert_eq!(source(&world), ("cache".to_owned(), 0));

    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::Checkpoint));
    world.at(day(0) + TimeDelta::minutes(120));
    assert_eq!(source(&world), ("live".to_owned(), 1));
    assert_eq!(source(&world).1, 0);
    world.at(day(0) + TimeDelta::minutes(121));
    assert_eq!(source(&world), ("live".to_owned(), 1));
}

#[test]
fn live_always_asks_and_offline_never_does() {
    let mut world = kept();
    world.run(&["status", "--live", "--json"]).exit(Exit::Ok).stderr("");
    assert_eq!(world.calls().len(), 2);
    world.at(day(30));
    world
        .run(&["status", "--offline"])
        .stdout(
            "
2 tokens: 2 critical                                        2026-01-31 00:00 UTC

TOKEN   TYPE  STATE        EXPIRES     DATA ACCESS  CHECKED      NEXT
brand   user  not checked  2026-03-02  2026-04-01   30 days ago  due now
bakery  page  not checked  never       2026-04-01   30 days ago  due now

critical: `brand` and `bakery`: no run since 2026-01-01 00:00 UTC, 30 days ago
  hint: run `metatoken refresh`. Then see why the timer or the cron job does not run it
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), [""; 0]);
    world
        .run(&["status", "--live", "--offline"])
        .stdout("")
        .stderr(
            "
error: the argument '--live' cannot be used with '--offline'

Usage: metatoken status --live [LABEL]...

For more information, try '--help'.
",
        )
        .exit(Exit::Usage);
}

#[test]
fn while_graph_is_out_of_reach_the_stored_verdict_stands() {
    let mut world = kept();
    world.at(day(1));
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    world.run(&["status"]).stdout("
2 tokens: 2 ok                                              2026-01-02 00:00 UTC

TOKEN   TYPE  STATE  EXPIRES     DATA ACCESS  CHECKED       NEXT
brand   user  works  2026-03-02  2026-04-01   24 hours ago  due now
bakery  page  works  never       2026-04-01   24 hours ago  due now
").stderr("
Graph gave no verdict, so what is stored is shown: `brand` and `bakery`: An unknown error occurred (code 1)
").exit(Exit::Ok);
    let ran = world.run(&["status", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.token("brand")["state"], "valid");
    assert_eq!(ran.token("brand")["source"], "store");
    assert_eq!(ran.token("brand")["problem"]["kind"], "graph_unavailable");
}

#[test]
fn what_is_due_or_not_well_can_be_picked() {
    let mut world = kept();
    world
        .run(&["status", "--offline", "--due"])
        .stdout(
            "
no tokens                                                   2026-01-01 00:00 UTC
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["status", "--offline", "--problems"])
        .stdout(
            "
no tokens                                                   2026-01-01 00:00 UTC
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.at(day(40));
    world
        .run(&["status", "--due"])
        .stdout(
            "
1 token: 1 ok                                               2026-02-10 00:00 UTC

TOKEN  TYPE  STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
brand  user  works  2026-03-02  2026-04-01   just now  due now

critical: no run since 2026-01-01 00:00 UTC, 40 days ago
  hint: run `metatoken refresh`. Then see why the timer or the cron job does not run it
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.graph.with(|graph| graph.invalidate("EAAFAKEPageBakery1", Invalidation::Revoked));
    world
        .run(&["status", "--live", "--problems"])
        .stdout(
            "
1 token: 1 critical                                         2026-02-10 00:00 UTC

TOKEN   TYPE  STATE  EXPIRES  DATA ACCESS  CHECKED   NEXT
bakery  page  down   never    2026-04-01   just now  due now

critical: `bakery`: down, revoked
  hint: run `metatoken refresh bakery`. Its parent works and gives it a new access token
  Meta: \"The session was invalidated explicitly using an API call\" (190/466)
critical: no run since 2026-01-01 00:00 UTC, 40 days ago
  hint: run `metatoken refresh`. Then see why the timer or the cron job does not run it
",
        )
        .stderr("")
        .exit(Exit::Ok);
    let ran = world.run(&["status", "--problems", "--due", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.json()["tokens"].as_array().unwrap().len(), 2, "{:#}", ran.json());
}

#[test]
fn it_exits_0_unless_it_is_asked_for_checks_codes() {
    let mut world = kept();
    world.run(&["status", "--exit-code", "--offline", "--json"]).code(0).stderr("");
    world.at(day(2));
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    world.run(&["status", "--live", "--json"]).exit(Exit::Ok).stderr("");
    world.run(&["status", "--exit-code", "--json"]).code(2).stderr("");
    let world = World::new().config(CONFIG);
    world.run(&["status", "--exit-code", "--offline", "--json"]).code(3).stderr("");
    world.write("metatoken.toml", "[token.brand]\ntype = 1\n");
    world.run(&["check", "--json"]).code(3);
    assert_eq!(
        world.run(&["status", "--exit-code", "--json"]).code(3).json()["error"]["exit_code"],
        3
    );
    world.run(&["status", "--json"]).exit(Exit::Config);
}

#[test]
fn any_string_can_be_inspected_and_nothing_is_stored() {
    let world = World::new().config("");
    let string = world.mint(brand().ending(ends(50)));
    world.write("found.txt", format!("{string}\n"));
    let before = world.bytes_on_disk();
    world
        .run(&["status", "--token-file", "found.txt"])
        .stdout(
            "
the given access token: user token of 3000000000000001, app main (1000000000000001)

  state         works
  checked       2026-01-01 00:00 UTC
  data access   2026-04-01 00:00 UTC
  next          not stored
  issued        2026-01-01 00:00 UTC
  application   Main App
  permissions   public_profile, pages_show_list
",
        )
        .stderr("")
        .exit(Exit::Ok);
    let ran = world.run_with_input(&["status", "--token-file", "-", "--json"], &string);
    let json = ran.exit(Exit::Ok).json();
    assert_eq!(json["tokens"][0]["label"], serde_json::Value::Null);
    assert_eq!(json["tokens"][0]["user_id"], ANNA);

    world.graph.with(|graph| graph.invalidate(&string, Invalidation::Revoked));
    world
        .run(&["status", "--token-file", "found.txt", "--exit-code"])
        .stdout(
            "
the given access token: user token of 3000000000000001, app main (1000000000000001)

  state         down (critical)
  checked       2026-01-01 00:00 UTC
  data access   2026-04-01 00:00 UTC
  next          not stored
  application   Main App

critical: down, revoked
  Meta: \"The session was invalidated explicitly using an API call\" (190/466)
",
        )
        .stderr("")
        .code(2);
    world
        .run_with_input(&["status", "--token-file", "-"], "EAAfake unknown")
        .stdout("")
        .stderr(
            "
error: standard input: no access token: it has a blank inside
hint: remove the blanks: copy it again, whole
hint: then run `metatoken status --token-file -`
",
        )
        .exit(Exit::InputRefused);
    world
        .run_with_input(&["status", "--token-file", "-"], "EAAfakeUnknown")
        .stdout(
            "
the given access token: unknown token, app main

  state         never worked (critical)
  checked       2026-01-01 00:00 UTC
  next          not stored

critical: never worked, Meta does not know this value
  Meta: \"Invalid OAuth access token\" (190)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["status", "--token-file", "none.txt"])
        .stdout("")
        .stderr(
            "
error: none.txt: cannot be read
  caused by: No such file or directory (os error 2)
hint: name a file that you can read, with the value alone in it, as plain text
hint: then run `metatoken status --token-file none.txt`
",
        )
        .exit(Exit::InputRefused);
    assert_eq!(world.bytes_on_disk(), before);
}

#[test]
fn with_several_apps_the_one_to_ask_with_is_named() {
    let world = World::new()
        .config("[app.other]\nid = \"1000000000000002\"\nsecret = { env = \"APP_SECRET\" }\n");
    let other = AppFixture::new("1000000000000002", crate::common::APP_SECRET, "Other App");
    world.graph.with(|graph| graph.add_app(other));
    let string = world.mint(TokenFixture::page("1000000000000002", ANNA, BAKERY).named("bakery"));
    let status = |arguments: &[&str]| {
        let arguments: Vec<&str> =
            ["status", "--token-file", "-"].iter().chain(arguments).copied().collect();
        world.run_with_input(&arguments, &string)
    };
    status(&[])
        .stdout("")
        .stderr(
            "
error: say which app to ask with
hint: `--app NAME`; the apps are `main` and `other`
",
        )
        .exit(Exit::Usage);
    status(&["--app", "third"])
        .stdout("")
        .stderr(
            "
error: third: is not an app of the config
hint: the apps are `main` and `other`
",
        )
        .exit(Exit::Usage);
    status(&["--app", "other"])
        .stdout(
            "
the given access token: page token of 2000000000000001, app other (1000000000000002)

  state         works
  checked       2026-01-01 00:00 UTC
  data access   2026-04-01 00:00 UTC
  next          not stored
  person        3000000000000001
  application   Other App
  permissions   public_profile
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn verbose_tells_everything_that_is_known() {
    let world = kept();
    world
        .run(&["status", "-v", "--offline"])
        .stdout(
            "
2 tokens: 2 ok                                              2026-01-01 00:00 UTC

TOKEN   TYPE  STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
brand   user  works  2026-03-02  2026-04-01   just now  renew 2026-02-10
bakery  page  works  never       2026-04-01   just now  -

brand: user token of 3000000000000001, app main (1000000000000001)

  state         works
  checked       2026-01-01 00:00 UTC
  expires       2026-03-02 00:00 UTC
  data access   2026-04-01 00:00 UTC
  next          due 2026-02-10 00:00 UTC, in 40 days
  issued        2026-01-01 00:00 UTC
  generation    1, fingerprint fingerprint1
  owner         anna@client.example
  application   Main App
  permissions   public_profile, pages_show_list
  pages         1, all work (`metatoken status bakery`)

  2026-01-01 00:00  adopted, expires 2026-03-02 (manual)

bakery: page token of Bakery (2000000000000001), app main (1000000000000001)

  state         works
  checked       2026-01-01 00:00 UTC
  expires       never
  data access   2026-04-01 00:00 UTC
  next          never expires
  renewed       2026-01-01 00:00 UTC
  generation    1, fingerprint fingerprint2
  owner         anna@client.example
  person        3000000000000001
  parent        brand
  application   Main App
  permissions   public_profile, pages_show_list

  2026-01-01 00:00  derived, never expires (manual)
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_store_that_cannot_be_written_is_no_error_for_a_reader() {
    let mut world = kept();
    world.at(day(1));
    // Whoever may not write (root may) learns the same as whoever may.
    let mut permissions = std::fs::metadata(world.path("metatoken.db")).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(world.path("metatoken.db"), permissions).unwrap();
    let ran = world.run(&["status", "--json"]).exit(Exit::Ok).stderr("");
    assert_eq!(ran.token("brand")["source"], "live");
}

/// The command beside the number of Pages named a pattern that those with labels of their own do not
/// match.
#[test]
fn the_command_that_shows_the_pages_of_a_token_works() {
    let of_all = CONFIG.replace("required_scopes", "pages = \"all\"\nrequired_scopes");
    for (config, pages, command) in [
        (CONFIG, "1, all work", "metatoken status bakery"),
        (&of_all, "2, all work", "metatoken status 'brand/*' bakery"),
        (
            of_all.split("[token.bakery]").next().unwrap(),
            "2, all work",
            "metatoken status 'brand/*'",
        ),
    ] {
        let world = World::new().config(config).token("BRAND", brand());
        let _ = world.run(&["refresh", "--quiet"]);
        let page = world.run(&["status", "brand", "--offline"]).code(0).stdout;
        assert!(page.contains(&format!("  {pages} (`{command}`)\n")), "{page}");
        let words: Vec<String> =
            command.split(' ').skip(1).map(|word| word.replace('\'', "")).collect();
        let typed: Vec<&str> = words.iter().map(String::as_str).collect();
        let _ = world.run(&typed).code(0);
    }
}
