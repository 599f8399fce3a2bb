//! System Users: tokens of sixty days are renewed with the flag that says so, and those that never
//! expire, or may be of that kind, are never touched.

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Rule, TokenFixture};
use metatoken::token::Expiry;
use serde_json::json;

use super::hours;
use crate::common::{APP, ROBOT, World, day, ends};

const CONFIG: &str = r#"
[token.ads]
type = "system-user"
access_token = { env = "ADS" }
"#;

fn ads() -> TokenFixture {
    TokenFixture::system_user(APP, ROBOT).named("ads")
}

fn world(spec: TokenFixture) -> World {
    World::new().config(CONFIG).token("ADS", spec)
}

#[test]
fn the_sixty_day_kind_is_renewed_with_its_flag_and_the_old_string_lives_on() {
    let mut world = world(ads().ending(ends(60)));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
ads    adopted  2026-03-02  found in the environment variable `ADS`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.calls();
    world.at(day(45));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
ads    refreshed  2026-04-16  expires in 15 days (renewal window: 20 days)

1 token: 1 refreshed
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["oauth/access_token Ads", "debug_token Ads"]);
    let renewal = world.graph.requests().into_iter().find(|call| call.grant_type.is_some());
    let renewal = renewal.unwrap();
    assert_eq!(renewal.grant_type.as_deref(), Some("fb_exchange_token"));
    let flag = "set_token_expires_in_60_days";
    assert!(renewal.parameters.iter().any(|name| name == flag), "{:?}", renewal.parameters);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds2");
    world.graph.with(|graph| {
        assert_eq!(graph.invalidation("EAAFAKEAds1"), None, "it works until its own end");
        assert_eq!(graph.expiry("EAAFAKEAds1"), Some(ends(60)));
    });
}

#[test]
fn what_never_expires_is_not_touched_whoever_insists() {
    let mut world = world(ads());
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
ads    adopted  never    found in the environment variable `ADS`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.at(day(400));
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
    let ran = world.run_with_input(&["exchange", "--stored", "ads"], "");
    ran.stdout(
        "
TOKEN  OUTCOME  EXPIRES  REASON
ads    not due  never    never expires

1 token: 1 not due
",
    )
    .stderr("")
    .exit(Exit::Ok);
    assert_eq!(world.exchanges(), 0);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds1");
}

#[test]
fn what_may_be_of_that_kind_is_not_touched_either() {
    let mut world = world(ads());
    let answer = json!({ "data": {
        "app_id": APP, "type": "SYSTEM_USER", "is_valid": true, "scopes": [], "user_id": ROBOT,
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
ads    adopted  unknown  found in the environment variable `ADS`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.at(day(30));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES  REASON
ads    verified  unknown  Meta does not report when it expires

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["refresh", "--force", "ads"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
ads    not due  unknown  Meta does not report when it expires

1 token: 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.exchanges(), 0);
}

#[test]
fn a_dated_string_never_takes_the_place_of_one_that_never_expires() {
    let world = world(ads());
    world.run(&["refresh"]).exit(Exit::Ok).stderr("");
    let world = world.token("ADS", ads().ending(ends(60)));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::InputRefused);
    assert_eq!(ran.outcomes()["ads"], "failed");
    assert_eq!(world.in_use("ads"), "EAAFAKEAds1");
}

#[test]
fn a_string_of_a_day_is_exchanged_and_a_revoked_one_is_an_admins() {
    // WhatsApp's setup page hands out such a string.
    let mut world = world(ads().ending(Expiry::At(day(0) + hours(23))));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
ads    exchanged  2026-03-02  short-lived, expires 2026-01-01 23:00 UTC, in 23 hours

1 token: 1 exchanged
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.at(day(0) + hours(1));
    // Both are revoked; else the config's would be taken again.
    for access_token in ["EAAFAKEAds1", "EAAFAKEAds2"] {
        world.graph.with(|graph| graph.invalidate(access_token, Invalidation::Revoked));
    }
    world.run(&["refresh", "ads"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
ads    invalid  2026-03-02  revoked (190/466)

critical: `ads`: down, revoked
  hint: an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it. Generate it for System User 3000000000000009, app `main` (1000000000000001), expiration 60 days, permissions public_profile
  Meta: \"The session was invalidated explicitly using an API call\" (190/466)

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
}
