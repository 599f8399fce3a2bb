//! `exchange`, for each family: what is short-lived is exchanged, what is long-lived or never
//! expires is stored as it is, and what lives a day is called what it is.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{ThreadsInspection, TokenFixture};
use metatoken::token::Expiry;

use super::{CREATOR_CONFIG, NOTES_CONFIG, creator, hours, notes};
use crate::common::{ANNA, APP, APP_SECRET, BAKERY, ROBOT, World, day};

/// One token of each family, none of them pasted anywhere.
const REST: &str = r#"
[token.brand]
type = "user"

[token.bakery]
type = "page"
app = "main"
page_id = "2000000000000001"

[token.ads]
type = "system-user"

[token.publisher]
type = "app"
"#;

fn world() -> World {
    let unpasted = |config: &str, variable: &str| {
        config.replace(&format!("access_token = {{ env = \"{variable}\" }}\n"), "")
    };
    let (insta, threads) = (unpasted(CREATOR_CONFIG, "CREATOR"), unpasted(NOTES_CONFIG, "NOTES"));
    World::new().config(&format!("{insta}{threads}{REST}"))
}

fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand")
}

fn ads() -> TokenFixture {
    TokenFixture::system_user(APP, ROBOT).named("ads")
}

fn in_an_hour() -> Expiry {
    Expiry::At(day(0) + hours(1))
}

#[test]
fn what_is_short_lived_is_exchanged() {
    for (label, spec, in_use) in [
        ("brand", brand(), "EAAFAKEBrand2"),
        ("ads", ads(), "EAAFAKEAds2"),
        ("creator", creator(), "IGFAKECreator2"),
        ("notes", notes(), "THFAKENotes2"),
    ] {
        let world = world();
        let string = world.mint(spec.ending(in_an_hour()));
        let ran = world.run_with_input(&["exchange", label], &string).stderr("").exit(Exit::Ok);
        match label {
            "brand" => ran.stdout(
                "
TOKEN  OUTCOME    EXPIRES     REASON
brand  exchanged  2026-03-02  it was short-lived: expires 2026-01-01 01:00 UTC, in 60 minutes

1 token: 1 exchanged
",
            ),
            "ads" => ran.stdout(
                "
TOKEN  OUTCOME    EXPIRES     REASON
ads    exchanged  2026-03-02  it was short-lived: expires 2026-01-01 01:00 UTC, in 60 minutes

1 token: 1 exchanged
",
            ),
            "creator" => ran.stdout(
                "
TOKEN    OUTCOME    EXPIRES     REASON
creator  exchanged  2026-03-02  it was short-lived

1 token: 1 exchanged
",
            ),
            _ => ran.stdout(
                "
TOKEN  OUTCOME    EXPIRES     REASON
notes  exchanged  2026-03-02  it was short-lived: expires 2026-01-01 01:00 UTC, in 60 minutes

1 token: 1 exchanged
",
            ),
        };
        assert_eq!(world.in_use(label), in_use);
        assert_eq!(world.offline(label)["expires_at"], "2026-03-02T00:00:00Z", "{label}");
    }
}

#[test]
fn what_is_long_lived_or_never_expires_is_stored_as_it_is() {
    for (label, spec) in [
        ("brand", brand()),
        ("bakery", TokenFixture::page(APP, ANNA, BAKERY).named("bakery")),
        ("ads", ads()),
        ("creator", creator()),
        ("notes", notes()),
    ] {
        let world = world();
        let string = world.mint(spec);
        let ran = world.run_with_input(&["exchange", label], &string).stderr("").exit(Exit::Ok);
        match label {
            "brand" => ran.stdout(
                "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  long-lived already

1 token: 1 adopted
",
            ),
            "bakery" => ran.stdout(
                "
TOKEN   OUTCOME  EXPIRES  REASON
bakery  adopted  never    never expires

1 token: 1 adopted
",
            ),
            "ads" => ran.stdout(
                "
TOKEN  OUTCOME  EXPIRES  REASON
ads    adopted  never    never expires

1 token: 1 adopted
",
            ),
            "creator" => ran.stdout(
                "
TOKEN    OUTCOME  EXPIRES  REASON
creator  adopted  unknown  Meta does not exchange it, so it is long-lived already

1 token: 1 adopted
",
            ),
            _ => ran.stdout(
                "
TOKEN  OUTCOME  EXPIRES     REASON
notes  adopted  2026-03-02  long-lived already

1 token: 1 adopted
",
            ),
        };
        assert_eq!(world.in_use(label), string);
    }
}

#[test]
fn the_apps_id_and_secret_are_stored_as_they_are() {
    let world = world();
    let literal = format!("{APP}|{APP_SECRET}");
    world
        .run_with_input(&["exchange", "publisher"], &literal)
        .stdout(
            "
TOKEN      OUTCOME  EXPIRES  REASON
publisher  adopted  never    never expires

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.in_use("publisher"), literal);
}

#[test]
fn where_threads_does_not_tell_the_end_the_exchange_does() {
    for (spec, outcome, in_use) in [
        (notes().ending(in_an_hour()), "exchanged", "THFAKENotes2"),
        (notes(), "adopted", "THFAKENotes1"),
    ] {
        let world = world();
        world.graph.with(|graph| graph.set_threads_inspection(ThreadsInspection::ForTestersOnly));
        let string = world.mint(spec);
        let ran = world.run_with_input(&["exchange", "notes", "--json"], &string).exit(Exit::Ok);
        assert_eq!(ran.outcomes()["notes"], outcome);
        assert_eq!(world.in_use("notes"), in_use);
    }
}

#[test]
fn without_the_secret_nothing_is_exchanged_and_that_is_said() {
    let config = CREATOR_CONFIG
        .replace("secret = { env = \"INSTA_SECRET\" }\n", "")
        .replace("access_token = { env = \"CREATOR\" }\n", "");
    let world = World::new().config(&config);
    let string = world.mint(creator());
    world
        .run_with_input(&["exchange", "creator"], &string)
        .stdout(
            "
TOKEN    OUTCOME  EXPIRES  REASON
creator  adopted  unknown  app `insta` has no secret, so a short-lived one could not be exchanged

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_wrong_secret_is_the_configs_fault_and_stores_nothing() {
    let world = world().with("INSTA_SECRET", "fakewrong").with("THREADS_SECRET", "fakewrong");
    let string = world.mint(creator());
    let ran = world.run_with_input(&["exchange", "creator"], &string).exit(Exit::PersonNeeded);
    assert!(
        ran.stderr.starts_with(
            "error: creator: Error validating client secret (code 100)\nhint: compare `id`"
        ),
        "{}",
        ran.stderr
    );
    let ran = ran.stdout("");
    assert!(!ran.stderr.contains("untouched"), "there was none: {}", ran.stderr);
    world.run(&["token", "creator"]).stdout("").code(1);
}

#[test]
fn stored_strings_that_are_short_lived_are_exchanged_and_no_others() {
    let tables = format!(
        "{CREATOR_CONFIG}{NOTES_CONFIG}{}",
        r#"
[token.ads]
type = "system-user"
access_token = { env = "ADS" }

[token.fixed]
type = "system-user"
access_token = { env = "FIXED" }
"#
    );
    let config = tables.replace("type =", "auto_refresh = false\ntype =");
    let mut world = World::new()
        .config(&config)
        .token("CREATOR", creator().aged(TimeDelta::days(2)))
        .token("NOTES", notes().ending(Expiry::At(day(0) + hours(20))))
        .token("ADS", ads().ending(Expiry::At(day(0) + hours(20))))
        .token("FIXED", ads().named("fixed"));
    let ran = world.run(&["refresh", "--json"]);
    assert_eq!(ran.code, Some(77), "{}", ran.stdout);
    world.reconfigure(&tables);
    world.calls();
    world.at(day(0) + hours(1));
    world
        .run(&["exchange", "--stored"])
        .stdout(
            "
TOKEN    OUTCOME    EXPIRES     REASON
creator  refreshed  2026-03-02  Meta does not report when it expires; it may live only an hour
notes    exchanged  2026-03-02  short-lived, expires 2026-01-01 20:00 UTC, in 19 hours
ads      exchanged  2026-03-02  short-lived, expires 2026-01-01 20:00 UTC, in 19 hours
fixed    not due    never       never expires

4 tokens: 1 refreshed, 2 exchanged, 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    for (label, ends) in [("notes", "2026-03-02T01:00:00Z"), ("ads", "2026-03-02T01:00:00Z")] {
        assert_eq!(world.offline(label)["expires_at"], ends, "{label}");
    }
    assert_eq!(world.in_use("fixed"), "EAAFAKEFixed1");
}

#[test]
fn what_lives_a_day_is_called_what_it_is() {
    let config = CREATOR_CONFIG.replace("[token.creator]", "[token.wa]\ntype = \"system-user\"\naccess_token = { env = \"WA\" }\nauto_refresh = false\n\n[token.creator]");
    let world = World::new()
        .config(&config)
        .token("WA", ads().named("wa").ending(Expiry::At(day(0) + hours(23))))
        .token("CREATOR", creator().aged(TimeDelta::days(2)));
    world.run(&["refresh"]).stdout("
TOKEN    OUTCOME    EXPIRES               REASON
wa       adopted    2026-01-01 23:00 UTC  found in the environment variable `WA`
creator  refreshed  2026-03-02            Meta does not report when it expires; it may live only an hour

critical: `wa`: works, expires in 23 hours (2026-01-01 23:00 UTC), short-lived, `auto_refresh` is off
  hint: an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange wa` and paste it. It lives a day or less, like what the login dialog, the Graph API Explorer and WhatsApp's API setup page hand out

2 tokens: 1 refreshed, 1 adopted
").stderr("").exit(Exit::PersonNeeded);
    world.run(&["check"]).verdict("
METATOKEN CRITICAL - wa: works, expires in 23 hours, short-lived…; its owner generates a new one: metatoken exchange wa
CRITICAL: `wa`: works, expires in 23 hours (2026-01-01 23:00 UTC), short-lived, `auto_refresh` is off
  an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange wa` and paste it. It lives a day or less, like what the login dialog, the Graph API Explorer and WhatsApp's API setup page hand out. Proof: `metatoken check wa`
").stderr("").code(2);
}
