//! `exchange`: a person hands over a new string.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{
    AppFixture, FaultInjection, Invalidation, Listing, Rule, TokenFixture, UserFixture,
};
use metatoken::token::Expiry;

use crate::common::{ANNA, APP, BAKERY, World, day, ends};

const CONFIG: &str = r#"
[token.brand]
type = "user"
owner = "anna@client.example"

[token.bakery]
type = "page"
parent = "brand"
page_id = "2000000000000001"
"#;

fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand").scopes(["public_profile", "pages_show_list"])
}

/// What the login dialog hands out on day `n`.
fn short_lived(n: i64) -> TokenFixture {
    brand().ending(Expiry::At(day(n) + TimeDelta::hours(1)))
}

/// A world in which Anna has pasted a string on day 0, and which is now on day 10.
fn pasted() -> World {
    let mut world = World::new().config(CONFIG);
    let string = world.mint(brand());
    world.run_with_input(&["exchange", "brand", "-q"], &string).exit(Exit::Ok).silent();
    world.at(day(10));
    world.calls();
    world
}

#[test]
fn a_short_lived_string_is_made_long_lived() {
    let world = World::new().config(CONFIG);
    let string = world.mint(short_lived(0));
    world
        .run_with_input(&["exchange", "brand"], format!("{string}\n"))
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
brand  exchanged  2026-03-02  it was short-lived: expires 2026-01-01 01:00 UTC, in 60 minutes

1 token: 1 exchanged
",
        )
        .stderr(
            "
hint: its Pages get new access tokens in the next run; now: `metatoken refresh 'brand*'`
",
        )
        .exit(Exit::Ok);
    assert_eq!(
        world.calls(),
        ["debug_token Brand", "oauth/access_token Brand", "debug_token Brand"]
    );
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand2\n").stderr("").exit(Exit::Ok);
    world
        .run(&["history"])
        .stdout(
            "
AT (UTC)          TOKEN  EVENT      TRIGGER  GENERATION  DETAIL
2026-01-01 00:00  brand  exchanged  manual   1           expires 2026-03-02

1 attempt: 1 succeeded, 0 failed (100%)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    // The hint's command.
    world.run(&["refresh", "brand*", "--json"]).exit(Exit::Ok).stderr("");
}

#[test]
fn a_long_lived_string_is_stored_as_it_is() {
    let world = World::new().config(CONFIG);
    let string = world.mint(brand());
    world.write("new.txt", &string);
    world
        .run(&["exchange", "brand", "--token-file", "new.txt"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  long-lived already

1 token: 1 adopted
",
        )
        .stderr(
            "
hint: its Pages get new access tokens in the next run; now: `metatoken refresh 'brand*'`
",
        )
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand", "debug_token Brand"]);
    let ran = world.run_with_input(&["exchange", "brand", "--json"], &string);
    let result = ran.exit(Exit::Ok).result("brand");
    assert_eq!(result["outcome"], "verified");
    assert_eq!(result["reason"], "it is the current access token already");
}

#[test]
fn what_cannot_be_a_token_is_refused_before_anything_is_asked() {
    let world = World::new().config(CONFIG);
    world
        .run_with_input(&["exchange", "brand"], "")
        .stdout("")
        .stderr(
            "
error: standard input: no access token: it is empty
hint: pipe the access token into it
hint: then run `metatoken exchange brand`
",
        )
        .exit(Exit::InputRefused);
    world
        .run_with_input(&["exchange", "brand"], "EAAfakeOne\nEAAfakeTwo\n")
        .stdout("")
        .stderr(
            "
error: standard input: no access token: it has 2 lines
hint: leave one access token, on one line
hint: then run `metatoken exchange brand`
",
        )
        .exit(Exit::InputRefused);
    world
        .run_with_input(&["exchange", "brand", "--json"], "\"EAAfake\"")
        .stdout(
            r#"
{
  "version": 1,
  "error": {
    "code": "malformed_token",
    "exit_code": 65,
    "subject": "standard input",
    "message": "no access token: it has quotes around it",
    "causes": [],
    "hints": [
      "remove the quotes around it",
      "then run `metatoken exchange brand`"
    ]
  }
}
"#,
        )
        .stderr(
            "
error: standard input: no access token: it has quotes around it
hint: remove the quotes around it
hint: then run `metatoken exchange brand`
",
        )
        .exit(Exit::InputRefused);
    world
        .run(&["exchange", "brand", "--token-file", "none.txt"])
        .stdout("")
        .stderr(
            "
error: none.txt: cannot be read
  caused by: No such file or directory (os error 2)
hint: name a file that you can read, with the value alone in it, as plain text
hint: then run `metatoken exchange brand --token-file none.txt`
",
        )
        .exit(Exit::InputRefused);
    assert_eq!(world.calls(), [""; 0]);
    assert!(!world.path("metatoken.db").exists());
}

#[test]
fn a_string_of_the_wrong_kind_is_refused_and_the_one_in_use_stays() {
    let world = pasted();
    let other = AppFixture::new("1000000000000002", "fakesecretofanotherapp", "Other App");
    world.graph.with(|graph| {
        graph.add_app(other);
        graph.add_user(UserFixture::new("3000000000000002", "Ben"));
    });
    let page = world.mint(TokenFixture::page(APP, ANNA, BAKERY));
    world
        .run_with_input(&["exchange", "brand"], &page)
        .stdout("")
        .stderr("
error: brand: the new access token was rejected: a page token, not a user token
hint: paste a user token: run `metatoken exchange brand`. If the token is the right one, correct `type` of `[token.brand]` in [DIR]/metatoken.toml
hint: the current access token is untouched
")
        .exit(Exit::InputRefused);
    let ben = world.mint(TokenFixture::user(APP, "3000000000000002"));
    world
        .run_with_input(&["exchange", "brand"], &ben)
        .stdout("")
        .stderr("
error: brand: the new access token was rejected: the token belongs to user 3000000000000002, not to 3000000000000001
hint: anna@client.example logs in to the app again: run `metatoken login brand`
hint: the current access token is untouched
hint: to make it the token of the other person from now on, run `metatoken exchange brand --replace-identity`
")
        .exit(Exit::InputRefused);
    let foreign = world.mint(TokenFixture::user("1000000000000002", ANNA));
    world
        .run_with_input(&["exchange", "brand"], &foreign)
        .stdout("")
        .stderr("
error: brand: the new access token was rejected: token of another app than `main`
  caused by: Meta says code 100
hint: paste a token of app `main`: run `metatoken exchange brand`. If the token is the right one, correct `app` of `[token.brand]`, or `id` of `[app.main]`, in [DIR]/metatoken.toml
hint: the current access token is untouched
")
        .exit(Exit::InputRefused);
    let dead = world.mint(brand());
    world.graph.with(|graph| graph.invalidate(&dead, Invalidation::Revoked));
    world
        .run_with_input(&["exchange", "brand"], &dead)
        .stdout("")
        .stderr(
            "
error: brand: the new access token was rejected: revoked
  caused by: Meta says \"The session was invalidated explicitly using an API call\" (190/466)
hint: anna@client.example logs in to the app again: run `metatoken login brand`
hint: the current access token is untouched
",
        )
        .exit(Exit::InputRefused);
    world
        .run_with_input(&["exchange", "brand"], "EAAfakeUnknown")
        .stdout("")
        .stderr("
error: brand: the new access token was rejected: Meta does not know this value
  caused by: Meta says \"Invalid OAuth access token\" (190)
hint: copy the access token of app `main` again, whole; then run `metatoken exchange brand` and paste it
hint: the current access token is untouched
")
        .exit(Exit::InputRefused);
    let shorter = world.mint(brand().ending(ends(30)));
    world
        .run_with_input(&["exchange", "brand"], &shorter)
        .stdout("")
        .stderr(
            "
error: brand: not replaced: it expires 2026-01-31 00:00 UTC, in 20 days, and the current access token 2026-03-02 00:00 UTC, in 50 days
hint: to replace the current access token all the same, run `metatoken exchange brand --replace`
hint: the current access token is untouched
",
        )
        .exit(Exit::InputRefused);
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand1\n").stderr("").exit(Exit::Ok);
}

#[test]
fn a_string_of_another_label_is_refused() {
    let world = pasted();
    world.reconfigure(&format!("{CONFIG}\n[token.shop]\ntype = \"user\"\n"));
    world
        .run_with_input(&["exchange", "shop"], "EAAFAKEBrand1")
        .stdout("")
        .stderr(
            "
error: shop: that is the access token of `brand`
hint: an access token belongs to one label: `metatoken status brand` shows it
hint: run `metatoken exchange shop`, and paste an access token of its own
",
        )
        .exit(Exit::InputRefused);
    assert_eq!(world.calls(), [""; 0]);
    let own = world.mint(TokenFixture::user(APP, ANNA).named("shop"));
    world.run_with_input(&["exchange", "shop", "-q"], &own).exit(Exit::Ok);
    assert_eq!(world.in_use("shop"), own);
}

#[test]
fn a_dead_token_recovers() {
    let mut world = pasted();
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    world.run(&["refresh", "--quiet"]).exit(Exit::PersonNeeded).stderr("");
    let string = world.mint(short_lived(10));
    world.at(day(10) + TimeDelta::minutes(5));
    let ran = world.run_with_input(&["exchange", "brand"], &string).exit(Exit::Ok);
    let now = "hint: its Pages get new access tokens in the next run; now: `metatoken refresh 'brand*'`\n";
    assert!(ran.stderr.ends_with(now), "{}", ran.stderr);
    // As a shell hands it over.
    world
        .run(&["refresh", "brand*"])
        .stdout(
            "
TOKEN   OUTCOME  EXPIRES     REASON
brand   not due  2026-03-12  due 2026-02-20 00:05 UTC, in 40 days
bakery  derived  never       no access token yet

2 tokens: 1 derived, 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").stderr("").code(0);
}

#[test]
fn while_graph_is_out_of_reach_nothing_is_stored() {
    let world = World::new().config(CONFIG);
    let string = world.mint(short_lived(0));
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    world
        .run_with_input(&["exchange", "brand"], &string)
        .stdout("")
        .stderr(
            "
error: brand: An unknown error occurred (code 1)
hint: nothing was stored: paste the access token again later
",
        )
        .exit(Exit::Unavailable);
    world
        .run(&["token", "brand"])
        .stdout("")
        .stderr(
            "
error: brand: has no access token yet
hint: run `metatoken refresh brand`, or `metatoken exchange brand` to paste one
",
        )
        .exit(Exit::Failed);
}

#[test]
fn a_grant_that_cannot_be_examined_is_sealed_and_taken_by_the_next_run() {
    let world = World::new().config(CONFIG);
    let string = world.mint(short_lived(0));
    world.graph.misbehave(Rule::on("/debug_token").sparing(1), FaultInjection::Status(503));
    world
        .run_with_input(&["exchange", "brand"], &string)
        .stdout("")
        .stderr(
            "
error: brand: the new access token is sealed, but not checked yet: An unknown error occurred (code 1)
hint: run `metatoken refresh brand`
",
        )
        .exit(Exit::Unavailable);
    world.graph.behave();
    world
        .run(&["refresh", "brand"])
        .stdout(
            "
TOKEN   OUTCOME    EXPIRES     REASON
brand   exchanged  2026-03-02  sealed by an earlier run, and examined now
bakery  derived    never       no access token yet

2 tokens: 1 exchanged, 1 derived
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand2\n").stderr("").exit(Exit::Ok);
}

#[test]
fn a_dry_run_asks_and_stores_nothing() {
    let world = World::new().config(CONFIG);
    let string = world.mint(short_lived(0));
    let before = world.bytes_on_disk();
    world
        .run_with_input(&["exchange", "brand", "-n"], &string)
        .stdout(
            "
TOKEN  OUTCOME         EXPIRES  REASON
brand  would exchange  -        it was short-lived: expires 2026-01-01 01:00 UTC, in 60 minutes

1 token: 1 would exchange (dry run: nothing was changed, and whether Meta would renew is not known)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    let string = world.mint(brand());
    world
        .run_with_input(&["exchange", "brand", "-n"], &string)
        .stdout(
            "
TOKEN  OUTCOME      EXPIRES     REASON
brand  would adopt  2026-03-02  long-lived already

1 token: 1 would adopt (dry run: nothing was changed)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert!(world.calls().iter().all(|call| call == "debug_token Brand"));
    assert_eq!(world.bytes_on_disk(), before);
}

#[test]
fn stored_strings_that_are_short_lived_are_exchanged() {
    let config = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
auto_refresh = false
[token.shop]
type = "user"
access_token = { env = "SHOP" }
"#;
    let world = World::new()
        .config(config)
        .token("BRAND", short_lived(0))
        .token("SHOP", TokenFixture::user(APP, ANNA).named("shop"));
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).stderr("");
    world.reconfigure(&config.replace("auto_refresh = false\n", ""));
    world.run(&["exchange", "--stored", "-n"]).stdout("
TOKEN  OUTCOME         EXPIRES     REASON
brand  would exchange  unknown     short-lived, expires 2026-01-01 01:00 UTC, in 60 minutes
shop   not due         2026-03-02  long-lived, expires 2026-03-02 00:00 UTC, in 60 days

2 tokens: 1 not due, 1 would exchange (dry run: nothing was changed, and whether Meta would renew is not known)
").stderr("").exit(Exit::Ok);
    world
        .run(&["exchange", "--stored"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
brand  exchanged  2026-03-02  short-lived, expires 2026-01-01 01:00 UTC, in 60 minutes
shop   not due    2026-03-02  long-lived, expires 2026-03-02 00:00 UTC, in 60 days

2 tokens: 1 exchanged, 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world
        .run(&["exchange", "--stored", "s*"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
shop   not due  2026-03-02  long-lived, expires 2026-03-02 00:00 UTC, in 60 days

1 token: 1 not due
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn a_page_without_a_parent_is_pasted_too() {
    let world =
        World::new().config(&format!("[token.bakery]\ntype = \"page\"\npage_id = \"{BAKERY}\"\n"));
    world.graph.with(|graph| graph.list(ANNA, BAKERY, Listing::Listed));
    let page = world.mint(TokenFixture::page(APP, ANNA, BAKERY).named("bakery"));
    world
        .run_with_input(&["exchange", "bakery"], &page)
        .stdout(
            "
TOKEN   OUTCOME  EXPIRES  REASON
bakery  adopted  never    never expires

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    let cafe = world.mint(TokenFixture::page(APP, ANNA, crate::common::CAFE).named("cafe"));
    world
        .run_with_input(&["exchange", "bakery"], &cafe)
        .stdout("")
        .stderr("
error: bakery: the new access token was rejected: the token belongs to page 2000000000000002, not to 2000000000000001
hint: the person behind the token takes a new Page token from a long-lived user token; then run `metatoken exchange bakery` and paste it. If that user token is kept here, set it as `parent` of `[token.bakery]` instead
hint: the current access token is untouched
")
        .exit(Exit::InputRefused);
}

#[test]
fn what_is_typed_must_make_sense() {
    let world = World::new().config(CONFIG);
    // A mistyped label is told before anything is read.
    world
        .run(&["exchange", "brnad"])
        .stdout("")
        .stderr(
            "
error: brnad: matches no token
hint: did you mean `brand`?
",
        )
        .exit(Exit::Usage);
    world
        .run(&["exchange"])
        .stdout("")
        .stderr(
            "
error: the following required arguments were not provided:
  <LABEL>...

Usage: metatoken exchange <LABEL>...

For more information, try '--help'.
",
        )
        .exit(Exit::Usage);
    world
        .run_with_input(&["exchange", "nobody"], "EAAfake")
        .stdout("")
        .stderr(
            "
error: nobody: matches no token
hint: the labels are `brand` and `bakery`
",
        )
        .exit(Exit::Usage);
    world
        .run(&["exchange", "brand", "bakery"])
        .stdout("")
        .stderr(
            "
error: exactly one label is needed here
",
        )
        .exit(Exit::Usage);
    world
        .run(&["exchange", "b*"])
        .stdout("")
        .stderr(
            "
error: `b*` is not a valid label: use letters, digits, `-` and `_`
",
        )
        .exit(Exit::Usage);
}

/// Everything that `exchange --stored` meets, an hour and a half after the first run.
/// An app's token was called a failure for which a person had to paste one.
#[test]
fn what_a_refresh_derives_is_no_failure_of_an_exchange() {
    let own = "[token.own]\ntype = \"app\"\n";
    let source = "owner = \"anna@client.example\"\naccess_token = { env = \"BRAND\" }\n";
    let config = CONFIG.replace("owner = \"anna@client.example\"\n", source);
    let world = World::new().config(&format!("{config}{own}")).token("BRAND", brand());
    for (typed, rows) in [
        (
            &["exchange", "--stored", "own", "bakery"][..],
            "bakery  not due  -        no access token yet; `metatoken refresh` derives one\n\
             own     not due  -        no access token yet; `metatoken refresh` derives one\n",
        ),
        (
            &["exchange", "--stored"],
            "own    not due  -           no access token yet; `metatoken refresh` derives one\n",
        ),
    ] {
        let ran = world.run(typed).stderr("").exit(Exit::Ok);
        assert!(ran.stdout.contains(rows), "{}", ran.stdout);
    }
}

#[test]
fn what_is_not_exchanged_has_its_true_reason() {
    let config = r#"
[token.fresh]
type = "user"
access_token = { env = "FRESH" }
[token.ending]
type = "user"
access_token = { env = "ENDING" }
[token.left]
type = "user"
access_token = { env = "LEFT" }
auto_refresh = false
[token.page]
type = "page"
page_id = "2000000000000001"
access_token = { env = "PAGE" }
[token.empty]
type = "user"
access_token = { env = "EMPTY" }
"#;
    let named = |name: &str| TokenFixture::user(APP, ANNA).named(name);
    let at = |minutes| Expiry::At(day(0) + TimeDelta::minutes(minutes));
    let mut world = World::new()
        .config(config)
        .token("ENDING", named("ending").aged(TimeDelta::days(59)).ending(at(179)))
        .token("LEFT", named("left").ending(at(180)))
        .token("PAGE", TokenFixture::page(APP, ANNA, BAKERY).named("page").ending(at(180)));
    world.graph.with(|graph| graph.list(ANNA, BAKERY, Listing::Listed));
    // The renewal of what is about to end fails, so that it is still about to end.
    world.graph.misbehave(Rule::on("/oauth/access_token"), FaultInjection::Status(503));
    let ran = world.run(&["refresh", "--json"]);
    assert_eq!(ran.code, Some(77), "{}", ran.stdout);
    world.graph.behave();
    world.at(day(0) + TimeDelta::minutes(90));
    // What was never adopted is adopted first.
    let world = world.token("FRESH", named("fresh").ending(at(150)));
    let ran = world.run(&["exchange", "--stored"]).exit(Exit::PersonNeeded);
    ran.stdout("
TOKEN   OUTCOME    EXPIRES               REASON
fresh   exchanged  2026-03-02            short-lived, expires 2026-01-01 02:30 UTC, in 60 minutes
ending  not due    2026-01-01 02:59 UTC  long-lived, expires 2026-01-01 02:59 UTC, in 89 minutes
left    not due    2026-01-01 03:00 UTC  expires 2026-01-01 03:00 UTC, in 90 minutes, but `auto_refresh` is off: name it to exchange it
page    not due    2026-01-01 03:00 UTC  expires 2026-01-01 03:00 UTC, in 90 minutes, and Meta exchanges no access token of its type
empty   failed     -                     the environment variable `EMPTY` is not set

critical: `empty`: never worked, the environment variable `EMPTY` is not set
  hint: set the variable `EMPTY` to the access token; then run `metatoken refresh empty`

5 tokens: 1 exchanged, 3 not due, 1 failed
").stderr("");
    let ran = world.run(&["exchange", "--stored", "left", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["left"], "exchanged");
}

#[test]
fn a_failure_a_minute_ago_does_not_keep_stored_ones_from_being_exchanged() {
    let config = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n";
    let mut world = World::new().config(config).token("BRAND", short_lived(0));
    world.graph.misbehave(Rule::on("/oauth/access_token"), FaultInjection::Status(503));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Unavailable);
    assert_eq!(ran.outcomes()["brand"], "failed");
    world.graph.behave();
    world.at(day(0) + TimeDelta::minutes(1));
    let ran = world.run(&["exchange", "--stored", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["brand"], "exchanged");
}

/// An hour beside sixty days is worth nothing, and what Meta gives for it may be worth more.
#[test]
fn a_configured_short_lived_one_is_exchanged_before_it_is_compared() {
    let config = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n";
    let stored = &["exchange", "--stored", "--json"];
    for (ends, outcome, exit) in [
        (Expiry::At(day(30)), "exchanged", Exit::Ok),
        (Expiry::Never, "failed", Exit::InputRefused),
    ] {
        for refused_before in [false, true] {
            let about =
                format!("beside one that expires {ends:?}, refused before: {refused_before}");
            let named = |name: &str| TokenFixture::user(APP, ANNA).named(name);
            let mut world = World::new().config(config).token("BRAND", named("long").ending(ends));
            let _ = world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
            world.at(day(1));
            let hour = Expiry::At(day(1) + TimeDelta::hours(1));
            let mut world = world.token("BRAND", named("hour").ending(hour));
            if refused_before {
                let _ = world.run(&["refresh", "--quiet"]).exit(Exit::InputRefused);
                assert_eq!(reasons_of(&world), ["stale_source"], "{about}");
            }
            let before = world.in_use("brand");
            world.calls();
            let ran = world.run(&["exchange", "--stored", "--json", "-n"]).exit(Exit::Ok);
            assert_eq!(ran.outcomes()["brand"], "would_exchange", "{about}");
            assert!(!world.calls().iter().any(|call| call.contains("access_token ")), "{about}");

            let ran = world.run(stored).exit(exit);
            assert_eq!(ran.outcomes()["brand"], outcome, "{about}: {}", ran.stdout);
            let taken = exit == Exit::Ok;
            assert_eq!(world.in_use("brand") != before, taken, "{about}");
            let left: &[&str] = if taken { &[] } else { &["stale_source"] };
            assert_eq!(reasons_of(&world), left, "{about}");

            // The hour is used up: nothing asks Meta for it again, and nothing takes it back.
            let in_use = world.in_use("brand");
            world.calls();
            for command in [stored, &["refresh", "--quiet", "--json"]] {
                world.at(day(1) + TimeDelta::minutes(5));
                let ran = world.run(command).exit(Exit::Ok);
                assert_eq!(ran.outcomes()["brand"], "not_due", "{about}: {}", ran.stdout);
            }
            assert_eq!(world.calls(), [""; 0], "{about}");
            assert_eq!(world.in_use("brand"), in_use, "{about}");
        }
    }
}

/// The codes of what `check` says of `brand`.
fn reasons_of(world: &World) -> Vec<String> {
    let token = world.run(&["check", "--json"]).token("brand");
    let reasons = token["reasons"].as_array().unwrap();
    reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
}

/// What Meta gave for it is on the disk when the run is killed: the next run, whichever it is, judges
/// it like what it was given for, and loses nothing.
// A release build has no fail points.
#[cfg(debug_assertions)]
#[test]
fn a_kill_while_a_configured_one_is_exchanged_costs_nothing() {
    let config = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n";
    for (ends, is_taken) in [(Expiry::At(day(30)), true), (Expiry::Never, false)] {
        for place in ["before-request", "granted", "before-seal", "sealed", "promoted"] {
            let named = |name: &str| TokenFixture::user(APP, ANNA).named(name);
            let mut world = World::new().config(config).token("BRAND", named("long").ending(ends));
            let _ = world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
            let before = world.in_use("brand");
            world.at(day(1));
            let hour = Expiry::At(day(1) + TimeDelta::hours(1));
            let mut world = world.token("BRAND", named("hour").ending(hour));
            let mut command = world.command(&["exchange", "--stored"]);
            command.env("METATOKEN_FAILPOINT", place);
            let _ = world.finish(command.spawn().unwrap());
            world.at(day(1) + TimeDelta::minutes(2));
            let _ = world.run(&["exchange", "--stored"]);
            world.at(day(1) + TimeDelta::minutes(4));
            let _ = world.run(&["exchange", "--stored"]).exit(Exit::Ok);
            let changed = world.in_use("brand") != before;
            assert_eq!(changed, is_taken, "beside one that expires {ends:?}, killed at `{place}`");
            assert_eq!(
                world.run(&["refresh", "--json"]).exit(Exit::Ok).outcomes()["brand"],
                "not_due"
            );
        }
    }
}
