//! App tokens: the app's id and secret give one, and a new secret is its only death.

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;
use serde_json::json;

use super::hours;
use crate::common::{ANNA, APP, APP_SECRET, World, day};

const NEW_SECRET: &str = "fakesecretafterthereset";

/// The app's token beside a user token of the same app, kept one after the other so that what the
/// first call finds out is known to the second.
const CONFIG: &str = r#"
[http]
concurrency = 1

[token.publisher]
type = "app"

[token.brand]
type = "user"
access_token = { env = "BRAND" }
"#;

fn world() -> World {
    World::new().config(CONFIG).token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
}

fn app_token(world: &World) -> String {
    world.graph.with(|graph| graph.app_token(APP)).unwrap()
}

#[test]
fn it_is_taken_by_the_apps_id_and_secret_and_only_proven_after_that() {
    let mut world = world();
    world
        .run(&["refresh", "publisher"])
        .stdout(
            "
TOKEN      OUTCOME  EXPIRES  REASON
publisher  derived  never    no access token yet

1 token: 1 derived
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["oauth/access_token -", "debug_token -"]);
    let grant = world.graph.requests()[0].grant_type.clone();
    assert_eq!(grant.as_deref(), Some("client_credentials"));
    assert_eq!(world.in_use("publisher"), app_token(&world));
    world.at(day(100));
    world.run(&["refresh", "publisher", "--json"]).exit(Exit::Ok).stderr("");
    world
        .run(&["refresh", "--force", "publisher"])
        .stdout(
            "
TOKEN      OUTCOME  EXPIRES  REASON
publisher  not due  never    never expires

1 token: 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.exchanges(), 1, "it has no end, so nothing is taken again");
    world
        .run(&["status", "publisher", "--offline"])
        .stdout(
            "
publisher: app token, app main (1000000000000001)

  state         works
  checked       2026-04-11 00:00 UTC
  expires       never
  next          never expires
  renewed       2026-01-01 00:00 UTC
  generation    1, fingerprint fingerprint1
  application   Main App

  2026-01-01 00:00  derived, never expires (manual)
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn id_and_secret_may_be_pasted_as_one() {
    let literal = format!("{APP}|{APP_SECRET}");
    let config = CONFIG
        .replace("type = \"app\"\n", "type = \"app\"\naccess_token = { env = \"PUBLISHER\" }\n");
    let world = World::new()
        .config(&config)
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
        .with("PUBLISHER", &literal);
    world
        .run(&["refresh", "publisher"])
        .stdout(
            "
TOKEN      OUTCOME  EXPIRES  REASON
publisher  adopted  never    found in the environment variable `PUBLISHER`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.in_use("publisher"), literal);
    world
        .run(&["status", "publisher", "--offline"])
        .stdout(
            "
publisher: app token, app main (1000000000000001)

  state         works
  checked       2026-01-01 00:00 UTC
  expires       never
  next          never expires
  generation    1, fingerprint fingerprint1
  application   Main App

  2026-01-01 00:00  adopted, never expires (manual)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    for (path, bytes) in world.bytes_on_disk() {
        let found = bytes.windows(APP_SECRET.len()).any(|part| part == APP_SECRET.as_bytes());
        assert!(!found, "the secret is in {}", path.display());
    }
}

#[test]
fn a_reset_secret_is_the_configs_fault_and_nobodys_death() {
    let mut world = world();
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN      OUTCOME  EXPIRES     REASON
publisher  derived  never       no access token yet
brand      adopted  2026-03-02  found in the environment variable `BRAND`

2 tokens: 1 derived, 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.calls();
    let before = app_token(&world);

    // The config still has the old secret.
    world.graph.with(|graph| graph.reset_secret(APP, NEW_SECRET));
    world.at(day(1));
    world.run(&["refresh"]).stdout("
TOKEN      OUTCOME  EXPIRES     REASON
publisher  skipped  never       bad app credentials (190)
brand      invalid  2026-03-02  bad app credentials (190)

warning: `publisher` and `brand`: works, wrong id or secret of app `main`
  hint: compare `id` (1000000000000001) and `secret` of `[app.main]` in [DIR]/metatoken.toml with the app's dashboard (App settings, Basic); then run `metatoken refresh`
  Meta: \"Invalid OAuth access token signature\" (190)

2 tokens: 1 skipped, 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(world.calls().len(), 1, "one call finds it out");
    for label in ["publisher", "brand"] {
        let stored = world.offline(label);
        assert_eq!(stored["valid"], true, "{label}");
        assert_eq!(stored["problem"]["kind"], "bad_app_credentials", "{label}");
        assert_eq!(stored["problem"]["action"], "fix_configuration", "{label}");
    }
    world.run(&["check"]).verdict("
METATOKEN WARNING - publisher and 1 more: works, wrong id or secret of app main; operator: metatoken refresh
WARNING: `publisher` and `brand`: works, wrong id or secret of app `main`
  compare `id` (1000000000000001) and `secret` of `[app.main]` in [DIR]/metatoken.toml with the app's dashboard (App settings, Basic); then run `metatoken refresh`. Proof: `metatoken check publisher`. Meta: \"Invalid OAuth access token signature\" (190)
").stderr("").code(1);
    assert_eq!(world.in_use("publisher"), before);

    // The config has the new one: the app's token is taken anew, Anna's goes on as it is.
    world.set("APP_SECRET", NEW_SECRET);
    world.at(day(1) + hours(1));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN      OUTCOME   EXPIRES     REASON
publisher  derived   never       down, and the app's secret gives another
brand      verified  2026-03-02  due 2026-02-10 00:00 UTC, in 38 days

2 tokens: 1 derived, 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.in_use("publisher"), app_token(&world));
    assert_ne!(world.in_use("publisher"), before);
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand1");
    world
        .run(&["check"])
        .verdict(
            "
METATOKEN OK - 2 tokens, all well
",
        )
        .stderr("")
        .code(0);
    world
        .run(&["history", "publisher"])
        .stdout(
            "
AT (UTC)          TOKEN      EVENT    TRIGGER  DETAIL
2026-01-01 00:00  publisher  derived  manual   never expires
2026-01-02 01:00  publisher  invalid  manual   session invalid (190)
2026-01-02 01:00  publisher  derived  manual   never expires (was never)

2 attempts: 2 succeeded, 0 failed (100%)
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_secret_that_was_wrong_from_the_first_is_named() {
    let world = world().with("APP_SECRET", "fakewrong");
    world.run(&["refresh"]).stdout("
TOKEN      OUTCOME  EXPIRES  REASON
publisher  skipped  -        bad app credentials (190)
brand      invalid  -        bad app credentials (190)

critical: `publisher` and `brand`: not checked yet, wrong id or secret of app `main`
  hint: compare `id` (1000000000000001) and `secret` of `[app.main]` in [DIR]/metatoken.toml with the app's dashboard (App settings, Basic); then run `metatoken refresh`
  Meta: \"Invalid OAuth access token signature\" (190)

2 tokens: 1 skipped, 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(world.calls().len(), 1);
    let shared = &world.run(&["refresh", "--json"]).json()["system"];
    assert_eq!(shared[0]["labels"], json!(["publisher", "brand"]), "{shared:#}");
}

#[test]
fn the_token_of_another_app_is_refused() {
    let config = CONFIG
        .replace("type = \"app\"\n", "type = \"app\"\naccess_token = { env = \"PUBLISHER\" }\n");
    let world = World::new()
        .config(&config)
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
        .with("PUBLISHER", "1000000000000077|fakesecretofnobody");
    let ran = world.run(&["refresh", "--json"]).exit(Exit::InputRefused);
    assert_eq!(ran.outcomes()["brand"], "adopted");
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN      OUTCOME  EXPIRES     REASON
publisher  not due  never       never expires
brand      not due  2026-03-02  due 2026-02-10 00:00 UTC, in 40 days

warning: `publisher`: works, unused access token in the environment variable `PUBLISHER`: the app's secret was changed
  hint: remove it from the environment variable `PUBLISHER`, or put another access token there; then run `metatoken refresh publisher`
  Meta: \"Error validating application. Cannot get application info due to a system error\" (190)

2 tokens: 2 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
}
