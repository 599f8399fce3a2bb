//! Pages: found under the person who manages them, given their strings by that person's token,
//! and never given up because a list came back short.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{
    FaultInjection, Invalidation, Listing, PageFixture, Rule, TokenFixture, UserFixture,
};
use metatoken::token::Expiry;

use crate::common::{ANNA, APP, BAKERY, CAFE, World, day, ends};

/// Anna and all her Pages.
const ALL: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
pages = "all"
"#;

/// Anna and one of them, by a name of its own.
const ONE: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }

[token.bakery]
type = "page"
parent = "brand"
page_id = "2000000000000001"
owner = "anna@client.example"
"#;

fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand").scopes(["public_profile", "pages_show_list"])
}

fn world(config: &str) -> World {
    World::new().config(config).token("BRAND", brand())
}

/// A world after its first run, on day 0.
fn derived(config: &str) -> World {
    let world = world(config);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.calls();
    world
}

/// What Graph was asked, in the order of the alphabet: Pages are worked on side by side.
fn calls(world: &World) -> Vec<String> {
    let mut calls = world.calls();
    calls.sort();
    calls
}

#[test]
fn a_page_is_derived_from_its_parent_in_the_run_that_adopts_the_parent() {
    let world = world(ONE);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN   OUTCOME  EXPIRES     REASON
brand   adopted  2026-03-02  found in the environment variable `BRAND`
bakery  derived  never       no access token yet

2 tokens: 1 derived, 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(calls(&world), ["debug_token Brand", "debug_token PageBakery", "me/accounts Brand"]);
    world.run(&["token", "bakery"]).stdout("\nEAAFAKEPageBakery1\n").stderr("").exit(Exit::Ok);
    world
        .run(&["status"])
        .stdout(
            "
2 tokens: 2 ok                                              2026-01-01 00:00 UTC

TOKEN   TYPE  STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
brand   user  works  2026-03-02  2026-04-01   just now  renew 2026-02-10
bakery  page  works  never       2026-04-01   just now  -
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(calls(&world), [""; 0]);
}

#[test]
fn all_pages_are_found_and_named_by_their_parent_and_id() {
    let world = world(ALL);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN                   OUTCOME  EXPIRES     REASON
brand                   adopted  2026-03-02  found in the environment variable `BRAND`
brand/2000000000000001  derived  never       no access token yet
brand/2000000000000002  derived  never       no access token yet

3 tokens: 2 derived, 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    let ran = world.run(&["status", "--offline", "--json", &format!("brand/{CAFE}")]);
    let cafe = ran.exit(Exit::Ok).token(&format!("brand/{CAFE}"));
    assert_eq!(cafe["name"], "Café");
    assert_eq!(cafe["parent"], "brand");
    assert_eq!(cafe["page_id"], CAFE);
    assert_eq!(cafe["app"], "main");
}

#[test]
fn a_page_can_be_left_out() {
    let config = ALL.replace("\"all\"", &format!("\"all\"\nexcept = [\"{CAFE}\"]"));
    let world = world(&config);
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    let labels: Vec<String> = ran.outcomes().into_keys().collect();
    assert_eq!(labels, ["brand".to_owned(), format!("brand/{BAKERY}")]);
    // Left out later, it is kept but out of every verdict.
    world.reconfigure(
        &ALL.replace("\"all\"", &format!("\"all\"\nexcept = [\"{CAFE}\", \"{BAKERY}\"]")),
    );
    world
        .run(&["status", "--offline"])
        .stdout(
            "
1 token: 1 ok                                               2026-01-01 00:00 UTC

TOKEN  TYPE  STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
brand  user  works  2026-03-02  2026-04-01   just now  renew 2026-02-10
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_declared_page_takes_the_place_of_the_discovered_one() {
    let config = ONE.replace("{ env = \"BRAND\" }", "{ env = \"BRAND\" }\npages = \"all\"");
    let world = world(&config);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN                   OUTCOME  EXPIRES     REASON
brand                   adopted  2026-03-02  found in the environment variable `BRAND`
brand/2000000000000002  derived  never       no access token yet
bakery                  derived  never       no access token yet

3 tokens: 2 derived, 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(
        calls(&world),
        ["debug_token Brand", "debug_token PageBakery", "debug_token PageCaf", "me/accounts Brand"]
    );
}

#[test]
fn a_discovered_page_can_have_settings_of_its_own() {
    let config = format!(
        "{ALL}\n[token.\"brand/{CAFE}\"]\nrequired_scopes = [\"pages_manage_posts\"]\nowner = \"cleo@cafe.example\"\n"
    );
    let world = world(&config);
    world.run(&["refresh"]).stdout("
TOKEN                   OUTCOME  EXPIRES     REASON
brand                   adopted  2026-03-02  found in the environment variable `BRAND`
brand/2000000000000001  derived  never       no access token yet
brand/2000000000000002  derived  never       no access token yet

critical: `brand/2000000000000002`: works, permission missing: `pages_manage_posts`
  hint: cleo@cafe.example logs in to the app again and grants it, ticking every Page: run `metatoken login brand`

3 tokens: 2 derived, 1 adopted
").stderr("").exit(Exit::PersonNeeded);
}

#[test]
fn the_same_string_from_a_renewed_parent_is_the_same_generation() {
    let mut world = derived(ONE);
    world.at(day(40));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN   OUTCOME    EXPIRES     REASON
brand   refreshed  2026-04-11  expires in 20 days (renewal window: 20 days)
bakery  derived    never       its parent has a newer access token

2 tokens: 1 refreshed, 1 derived
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(
        calls(&world),
        [
            "debug_token Brand",
            "debug_token PageBakery",
            "me/accounts Brand",
            "oauth/access_token Brand"
        ]
    );
    let ran = world.run(&["status", "--offline", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.token("bakery")["generation"], 1);
    world.at(day(40) + TimeDelta::hours(1));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(calls(&world), [""; 0]);
}

#[test]
fn a_new_log_in_of_the_parent_brings_new_strings_for_its_pages() {
    let mut world = derived(ALL);
    world.at(day(3));
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    // The Pages died with their parent; one cause is told once.
    world.run(&["refresh"]).stdout("
TOKEN                   OUTCOME  EXPIRES     REASON
brand                   invalid  2026-03-02  password changed (190/460)
brand/2000000000000001  invalid  never       password changed (190/460)
brand/2000000000000002  invalid  never       password changed (190/460)

critical: `brand`, `brand/2000000000000001` and `brand/2000000000000002`: down, password changed
  hint: the person behind the token logs in to the app again: run `metatoken login brand`
  Meta: \"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)

3 tokens: 3 invalid
").stderr("").exit(Exit::PersonNeeded);
    let again = world.mint(brand());
    world.set("BRAND", &again);
    world.at(day(3) + TimeDelta::hours(1));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN                   OUTCOME  EXPIRES     REASON
brand                   adopted  2026-03-05  found in the environment variable `BRAND`
brand/2000000000000001  derived  never       down, and its parent works
brand/2000000000000002  derived  never       down, and its parent works

3 tokens: 2 derived, 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["history", "--format", "csv"]).stdout("
at,run,label,event,trigger,success,old_expires_at,new_expires_at,generation,fingerprint,problem,target,old_never_expires,new_never_expires
2026-01-01T00:00:00Z,1,brand,adopted,manual,,,2026-03-02T00:00:00Z,1,fingerprint1,,,false,false
2026-01-01T00:00:00Z,1,brand/2000000000000001,derived,manual,true,,,1,fingerprint2,,,false,true
2026-01-01T00:00:00Z,1,brand/2000000000000002,derived,manual,true,,,1,fingerprint3,,,false,true
2026-01-04T00:00:00Z,2,brand,invalid,manual,,2026-03-02T00:00:00Z,2026-03-02T00:00:00Z,1,fingerprint1,password_changed,,false,false
2026-01-04T00:00:00Z,2,brand/2000000000000001,invalid,manual,,,,1,fingerprint2,password_changed,,true,true
2026-01-04T00:00:00Z,2,brand/2000000000000002,invalid,manual,,,,1,fingerprint3,password_changed,,true,true
2026-01-04T01:00:00Z,3,brand,adopted,manual,,2026-03-02T00:00:00Z,2026-03-05T00:00:00Z,2,fingerprint4,,,false,false
2026-01-04T01:00:00Z,3,brand/2000000000000001,derived,manual,true,,,2,fingerprint5,,,true,true
2026-01-04T01:00:00Z,3,brand/2000000000000002,derived,manual,true,,,2,fingerprint6,,,true,true
").stderr("").exit(Exit::Ok);
}

#[test]
fn a_dead_page_is_derived_again_while_its_parent_lives() {
    let mut world = derived(ONE);
    world.at(day(2));
    world.graph.with(|graph| graph.invalidate("EAAFAKEPageBakery1", Invalidation::Revoked));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN   OUTCOME   EXPIRES     REASON
brand   verified  2026-03-02  due 2026-02-10 00:00 UTC, in 38 days
bakery  derived   never       down, and its parent works

2 tokens: 1 derived, 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["token", "bakery"]).stdout("\nEAAFAKEPageBakery2\n").stderr("").exit(Exit::Ok);
}

#[test]
fn no_page_is_derived_from_a_short_lived_parent() {
    let config = ONE.replace("{ env = \"BRAND\" }", "{ env = \"BRAND\" }\nauto_refresh = false");
    let spec = brand().ending(Expiry::At(day(0) + TimeDelta::hours(2)));
    let mut world = World::new().config(&config).token("BRAND", spec);
    world.run(&["refresh"]).stdout("
TOKEN   OUTCOME  EXPIRES               REASON
brand   adopted  2026-01-01 02:00 UTC  found in the environment variable `BRAND`
bakery  skipped  -                     its parent `brand` is short-lived

critical: `brand`: works, expires in 2 hours (2026-01-01 02:00 UTC), short-lived, `auto_refresh` is off
  hint: the person behind the token logs in to the app again: run `metatoken login brand`. It lives a day or less, like what the login dialog, the Graph API Explorer and WhatsApp's API setup page hand out

2 tokens: 1 adopted, 1 skipped
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(calls(&world), ["debug_token Brand"]);
    // Exchanged by hand, it serves.
    world.reconfigure(ONE);
    world.at(day(0) + TimeDelta::minutes(5));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN   OUTCOME    EXPIRES     REASON
brand   exchanged  2026-03-02  short-lived, expires 2026-01-01 02:00 UTC, in 115 minutes
bakery  derived    never       no access token yet

2 tokens: 1 exchanged, 1 derived
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_page_without_a_parent_is_verified_and_warned_of_if_it_is_dated() {
    let config = format!(
        "[token.bakery]\ntype = \"page\"\npage_id = \"{BAKERY}\"\naccess_token = {{ env = \"PAGE\" }}\n"
    );
    let mut world = World::new()
        .config(&config)
        .token("PAGE", TokenFixture::page(APP, ANNA, BAKERY).named("bakery"));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN   OUTCOME  EXPIRES  REASON
bakery  adopted  never    found in the environment variable `PAGE`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.at(day(2));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN   OUTCOME   EXPIRES  REASON
bakery  verified  never    never expires

1 token: 1 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(calls(&world), ["debug_token Bakery", "debug_token Bakery"]);

    let dated = TokenFixture::page(APP, ANNA, BAKERY).named("dated").ending(ends(60));
    let world = World::new().config(&config).token("PAGE", dated);
    world.run(&["refresh"]).stdout("
TOKEN   OUTCOME  EXPIRES     REASON
bakery  adopted  2026-03-02  found in the environment variable `PAGE`

warning: `bakery`: works, taken from a short-lived user token, expires in 60 days (2026-03-02 00:00 UTC)
  hint: the person behind the token takes a new Page token from a long-lived user token; then run `metatoken exchange bakery` and paste it. If that user token is kept here, set it as `parent` of `[token.bakery]` instead

1 token: 1 adopted
").stderr("").exit(Exit::Ok);
    world.run(&["check"]).verdict("
METATOKEN WARNING - bakery: works, taken from a short-lived user token…; its owner takes a new one: metatoken exchange bakery
WARNING: `bakery`: works, taken from a short-lived user token, expires in 60 days (2026-03-02 00:00 UTC)
  the person behind the token takes a new Page token from a long-lived user token; then run `metatoken exchange bakery` and paste it. If that user token is kept here, set it as `parent` of `[token.bakery]` instead. Proof: `metatoken check bakery`
").stderr("").code(1);
}

#[test]
fn an_empty_or_a_short_list_takes_nothing_away() {
    let mut world = derived(ALL);
    for listed in [r#"{"data":[]}"#, r#"{"data":[{"id":"2000000000000001","name":"Bakery"}]}"#] {
        world.at(day(if listed.len() < 20 { 40 } else { 80 }));
        world.graph.misbehave(
            Rule::on("/me/accounts"),
            FaultInjection::Raw { status: 200, headers: vec![], body: listed.as_bytes().to_vec() },
        );
        let ran = world.run(&["refresh", "--json"]);
        let outcomes = ran.outcomes();
        assert_eq!(outcomes["brand"], "refreshed");
        assert_eq!(outcomes[&format!("brand/{CAFE}")], "derived", "asked for by its id");
        world.graph.behave();
        for page in [BAKERY, CAFE] {
            let ran = world.run(&["token", &format!("brand/{page}")]).exit(Exit::Ok);
            assert!(ran.stdout.starts_with("EAAFAKEPage"));
        }
    }
}

#[test]
fn a_page_that_was_not_ticked_is_a_persons() {
    let world = world(ONE);
    world.graph.with(|graph| graph.list(ANNA, BAKERY, Listing::WithoutToken));
    world.run(&["refresh"]).stdout("
TOKEN   OUTCOME  EXPIRES     REASON
brand   adopted  2026-03-02  found in the environment variable `BRAND`
bakery  invalid  -           permission missing

critical: `bakery`: never worked, `brand` has no access to Page 2000000000000001 (not ticked)
  hint: anna@client.example logs in to the app again and grants it, ticking every Page: run `metatoken login brand`

2 tokens: 1 adopted, 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    world.run(&["refresh"]).stdout("
TOKEN   OUTCOME  EXPIRES     REASON
brand   not due  2026-03-02  due 2026-02-10 00:00 UTC, in 40 days
bakery  invalid  -           permission missing

critical: `bakery`: never worked, `brand` has no access to Page 2000000000000001 (not ticked)
  hint: anna@client.example logs in to the app again and grants it, ticking every Page: run `metatoken login brand`

2 tokens: 1 not due, 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    world.run(&["status"]).stdout("
2 tokens: 1 critical, 1 ok                                  2026-01-01 00:00 UTC

TOKEN   TYPE  STATE         EXPIRES     DATA ACCESS  CHECKED   NEXT
bakery  page  never worked  -           -            never     grant access
brand   user  works         2026-03-02  2026-04-01   just now  renew 2026-02-10

critical: `bakery`: never worked, `brand` has no access to Page 2000000000000001 (not ticked)
  hint: anna@client.example logs in to the app again and grants it, ticking every Page: run `metatoken login brand`
").stderr("").exit(Exit::Ok);
}

/// Met: a Page's person had logged in again with the Page ticked, and the Page stayed dead for the
/// rest of a pause that began with the login before.
#[test]
fn a_page_that_backs_off_is_derived_at_once_when_its_parent_has_a_new_generation() {
    for dies in [false, true] {
        let mut world = if dies { derived(ONE) } else { world(ONE) };
        world.graph.with(|graph| graph.list(ANNA, BAKERY, Listing::WithoutToken));
        if dies {
            world.at(day(3));
            world.graph.with(|graph| graph.invalidate("EAAFAKEPageBakery1", Invalidation::Revoked));
        }
        let login = |world: &mut World| {
            let again = world.mint(brand());
            world.set("BRAND", &again);
            world.run(&["refresh", "--json"]).outcomes()["bakery"].clone()
        };
        let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
        assert_eq!(ran.result("bakery")["problem"]["kind"], "permission_missing");
        world.calls();
        // While the parent is as it was the pause holds.
        world.run(&["refresh"]).exit(Exit::PersonNeeded);
        let asked: Vec<String> =
            calls(&world).into_iter().filter(|call| call.starts_with("me/accounts")).collect();
        assert_eq!(asked, [""; 0], "dies: {dies}");
        world.at(if dies { day(3) } else { day(0) } + TimeDelta::minutes(1));
        // A login that does not tick it either is asked once.
        assert_eq!(login(&mut world), "invalid");
        world.calls();
        world.run(&["refresh"]).exit(Exit::PersonNeeded);
        assert!(calls(&world).iter().all(|call| !call.starts_with("me/accounts")));
        // One that does is used at once.
        world.graph.with(|graph| graph.list(ANNA, BAKERY, Listing::Listed));
        world.at(if dies { day(3) } else { day(0) } + TimeDelta::minutes(2));
        assert_eq!(login(&mut world), "derived", "dies: {dies}");
        world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    }
}

#[test]
fn a_page_that_is_gone_for_a_week_and_dead_is_retired_and_that_is_said_once() {
    // A probe for all tokens is none that makes this Page one that is missed.
    let probe = "[defaults]\nprobe = { path = \"me?fields=id\" }\n";
    let mut world = derived(&format!("{ALL}{probe}"));
    world.at(day(3));
    world.graph.with(|graph| {
        graph.invalidate("EAAFAKEPageCaf1", Invalidation::RoleLost);
    });
    world.run(&["refresh"]).stdout("
TOKEN                   OUTCOME   EXPIRES     REASON
brand                   verified  2026-03-02  due 2026-02-10 00:00 UTC, in 37 days
brand/2000000000000001  verified  never       never expires
brand/2000000000000002  invalid   never       object not found (100/33)

critical: `brand/2000000000000002`: down, no role on the Page
  hint: a person who manages Page 2000000000000002 gives the person behind the token a role on it again; then run `metatoken refresh brand/2000000000000002`. If the Page is not needed any more, write `except = [\"2000000000000002\"]` into `[token.brand]` and run `metatoken forget brand/2000000000000002`
  Meta: \"The user must be an administrator, editor, or moderator of the page in order to…\" (190/492)

3 tokens: 2 verified, 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    for days in 4..11 {
        world.at(day(days));
        world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).stderr("");
    }
    world.at(day(11));
    world.run(&["refresh"]).stdout("
TOKEN                   OUTCOME   EXPIRES     REASON
brand                   verified  2026-03-02  due 2026-02-10 00:00 UTC, in 29 days
brand/2000000000000001  verified  never       never expires
brand/2000000000000002  skipped   never       retired: gone from the Pages of `brand` for 7 days, and dead

3 tokens: 2 verified, 1 skipped
").stderr("").exit(Exit::Ok);
    world.at(day(12));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN                   OUTCOME   EXPIRES     REASON
brand                   verified  2026-03-02  due 2026-02-10 00:00 UTC, in 28 days
brand/2000000000000001  verified  never       never expires

2 tokens: 2 verified
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["history", &format!("brand/{CAFE}"), "--format", "csv", "--limit", "2"])
        .stdout(
            "
at,run,label,event,trigger,success,old_expires_at,new_expires_at,generation,fingerprint,problem,target,old_never_expires,new_never_expires
2026-01-12T00:00:00Z,10,brand/2000000000000002,refresh_failed,manual,false,,,,,object_not_found,,true,false
2026-01-12T00:00:00Z,10,brand/2000000000000002,retired,manual,,,,,,,,false,false
",
        )
        .stderr("")
        .exit(Exit::Ok);
    // Back in the list, it is kept again.
    world.graph.with(|graph| graph.list(ANNA, CAFE, Listing::Listed));
    world.at(day(13));
    world
        .run(&["refresh", "--force", "brand"])
        .stdout(
            "
TOKEN                   OUTCOME    EXPIRES     REASON
brand                   refreshed  2026-03-15  `--force`
brand/2000000000000001  derived    never       its parent has a newer access token
brand/2000000000000002  derived    never       down, and its parent works

3 tokens: 1 refreshed, 2 derived
",
        )
        .stderr("")
        .exit(Exit::Ok);
    let ran = world.run(&["check", "--json"]).code(0);
    assert_eq!(ran.token(&format!("brand/{CAFE}"))["state"], "valid");
}

#[test]
fn a_page_outlives_the_mere_expiry_of_its_parent() {
    let mut world = derived(ONE);
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::Expired));
    world.at(day(2));
    world.run(&["refresh"]).stdout("
TOKEN   OUTCOME   EXPIRES     REASON
brand   invalid   2026-01-01  expired (190/463)
bakery  verified  never       never expires

critical: `brand`: down since 2026-01-01, expired
  hint: the person behind the token logs in to the app again: run `metatoken login brand`
  Meta: \"Session has expired on Wednesday, 31-Dec-25 16:00:00 PST. The current time is Friday…\" (190/463)

2 tokens: 1 verified, 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(calls(&world), ["debug_token Brand", "debug_token PageBakery"]);
    world.run(&["token", "bakery"]).stdout("\nEAAFAKEPageBakery1\n").stderr("").exit(Exit::Ok);
    // It is still judged: when it dies too, that is said.
    world.graph.with(|graph| graph.invalidate("EAAFAKEPageBakery1", Invalidation::Revoked));
    world.at(day(4));
    world.run(&["refresh"]).stdout("
TOKEN   OUTCOME  EXPIRES     REASON
brand   invalid  2026-01-01  expired (190/463)
bakery  invalid  never       revoked (190/466)

critical: `brand`: down since 2026-01-01, expired
  hint: the person behind the token logs in to the app again: run `metatoken login brand`
  Meta: \"Session has expired on Wednesday, 31-Dec-25 16:00:00 PST. The current time is Sunday…\" (190/463)
critical: `bakery`: down, revoked
  hint: anna@client.example logs in to the app again: run `metatoken login brand`
  Meta: \"The session was invalidated explicitly using an API call\" (190/466)

2 tokens: 2 invalid
").stderr("").exit(Exit::PersonNeeded);
}

#[test]
fn a_page_whose_parent_was_never_pasted_waits() {
    let world = World::new().config(ONE);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN   OUTCOME  EXPIRES  REASON
brand   failed   -        the environment variable `BRAND` is not set
bakery  skipped  -        its parent `brand` has no access token yet

critical: `brand`: never worked, the environment variable `BRAND` is not set
  hint: set the variable `BRAND` to the access token; then run `metatoken refresh brand`

2 tokens: 1 skipped, 1 failed
",
        )
        .stderr("")
        .exit(Exit::PersonNeeded);
    world
        .run(&["refresh", "bakery"])
        .stdout(
            "
TOKEN   OUTCOME  EXPIRES  REASON
bakery  skipped  -        its parent `brand` has no access token yet

1 token: 1 skipped
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn naming_a_parent_means_its_pages_too_and_force_lists_them_anew() {
    let mut world = derived(ALL);
    world.graph.with(|graph| {
        graph.add_page(PageFixture::new("2000000000000003", "Deli"));
        graph.list(ANNA, "2000000000000003", Listing::Listed);
    });
    world.at(day(2));
    let ran = world.run(&["refresh", "brand", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes().len(), 3);
    assert_eq!(
        calls(&world),
        ["debug_token Brand", "debug_token PageBakery", "debug_token PageCaf"]
    );
    world
        .run(&["refresh", "--force", "brand"])
        .stdout(
            "
TOKEN                   OUTCOME    EXPIRES     REASON
brand                   refreshed  2026-03-04  `--force`
brand/2000000000000001  derived    never       its parent has a newer access token
brand/2000000000000002  derived    never       its parent has a newer access token
brand/2000000000000003  derived    never       no access token yet

4 tokens: 1 refreshed, 3 derived
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn many_pages_cost_one_call_a_hundred_and_one_each() {
    const PAGES: usize = 205;
    let mut world = world(ALL);
    world.graph.with(|graph| {
        let mut anna = UserFixture::new(ANNA, "Anna");
        for number in 0..PAGES {
            let id = format!("{}", 2_100_000_000_000_000 + number);
            graph.add_page(PageFixture::new(&id, "Branch"));
            anna = anna.with_page(&id, Listing::Listed);
        }
        graph.add_user(anna);
    });
    let count = |world: &World| {
        let calls = world.calls();
        let of = |endpoint: &str| calls.iter().filter(|call| call.starts_with(endpoint)).count();
        (of("debug_token"), of("me/accounts"), of("oauth"), calls.len())
    };
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(count(&world), (1 + PAGES, 3, 0, PAGES + 4));
    // Where nothing is due nothing is asked.
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(count(&world), (0, 0, 0, 0));
    // A renewed parent is listed again; strings that came back the same are only verified.
    world.at(day(40));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(count(&world), (1 + PAGES, 3, 1, PAGES + 5));
}
