//! A Page's token without a parent: nothing at Meta renews it alone, and some apps are answered all
//! the same.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, PageExchange, Renewal, Rule, TokenFixture};

use crate::common::{ANNA, APP, BAKERY, World, day, ends};

const CONFIG: &str = r#"
[http]
attempts = 1

[token.bakery]
type = "page"
page_id = "2000000000000001"
access_token = { env = "PAGE" }
"#;

fn page() -> TokenFixture {
    TokenFixture::page(APP, ANNA, BAKERY).named("page")
}

fn world(spec: TokenFixture) -> World {
    World::new().config(CONFIG).token("PAGE", spec)
}

/// How often an exchange was asked for since this was last looked at.
fn exchanges(world: &World) -> usize {
    world.calls().iter().filter(|call| call.starts_with("oauth/access_token")).count()
}

#[test]
fn within_its_window_one_exchange_is_tried_and_a_refusal_is_no_failure_of_the_run() {
    let mut world = world(page().ending(ends(60)));
    // Before its window nothing is tried.
    world.run(&["refresh", "--json"]).exit(Exit::Ok);
    world.at(day(40) - TimeDelta::seconds(1));
    world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(exchanges(&world), 0);
    world.at(day(40));
    world.run(&["refresh"]).stdout("
TOKEN   OUTCOME       EXPIRES     REASON
bakery  not extended  2026-03-02  Meta does not renew it without a parent: (#100) A Page's token cannot be exchanged (code 100)

warning: `bakery`: works, taken from a short-lived user token, expires in 20 days (2026-03-02 00:00 UTC)
  hint: the person behind the token takes a new Page token from a long-lived user token; then run `metatoken exchange bakery` and paste it. If that user token is kept here, set it as `parent` of `[token.bakery]` instead

1 token: 1 not extended
").stderr("").exit(Exit::Ok);
    assert_eq!(exchanges(&world), 1);
    // Once is enough for this access token.
    for days in [41, 45, 52] {
        world.at(day(days));
        world.run(&["refresh", "--json"]).exit(Exit::Ok);
        assert_eq!(exchanges(&world), 0, "day {days}");
    }
    let check = world.run(&["check", "--json"]);
    let token = check.token("bakery");
    let codes: Vec<_> =
        token["reasons"].as_array().unwrap().iter().map(|it| it["code"].clone()).collect();
    assert_eq!(codes, ["expiring"]);
    // A person who insists may try again; a new access token is tried once more.
    world.run(&["refresh", "--force", "bakery", "--json"]).exit(Exit::Ok);
    assert_eq!(exchanges(&world), 1);
    let again = world.mint(page().ending(ends(65)));
    world.set("PAGE", &again);
    world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(exchanges(&world), 0, "as far as is known it lives thirteen days");
    world.at(day(54));
    world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(exchanges(&world), 1);
    assert_eq!(world.in_use("bakery"), "EAAFAKEPage2");
}

#[test]
fn where_the_app_is_answered_only_graph_s_word_counts() {
    for (renewal, outcome, end, exit) in [
        (Renewal::Extends, "exchanged", day(100), Exit::Ok),
        (Renewal::KeepsEnd, "not_extended", day(60), Exit::Ok),
        (Renewal::KeepsString, "not_extended", day(60), Exit::Ok),
        (Renewal::ExtendsInPlace, "exchanged", day(100), Exit::Ok),
    ] {
        let mut world = world(page().ending(ends(60)).renewal(renewal.clone()));
        world.graph.with(|graph| graph.set_page_exchange(PageExchange::Granted));
        world.run(&["refresh", "--json"]).exit(Exit::Ok);
        world.at(day(40));
        let result = world.run(&["refresh", "--json"]).exit(exit).result("bakery");
        assert_eq!(result["outcome"], outcome, "{renewal:?}");
        let end = end.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        assert_eq!(result["new_expires_at"], end, "{renewal:?}");
        assert_eq!(exchanges(&world), 1, "{renewal:?}");
        world.at(day(41));
        world.run(&["refresh", "--json"]).exit(Exit::Ok);
        assert_eq!(exchanges(&world), 0, "{renewal:?}");
    }
}

#[test]
fn an_outage_is_no_answer() {
    let mut world = world(page().ending(ends(60)));
    world.run(&["refresh", "--json"]).exit(Exit::Ok);
    world.at(day(40));
    world.graph.misbehave(Rule::on("/oauth/access_token"), FaultInjection::Status(503));
    world.run(&["refresh", "--json"]).exit(Exit::Unavailable);
    world.graph.behave();
    world.calls();
    world.at(day(40) + TimeDelta::hours(1));
    world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(exchanges(&world), 1, "it is asked again");
    // What never expires, and what has a parent, is not tried.
    let world = World::new().config(CONFIG).token("PAGE", page());
    world.run(&["refresh", "--force", "bakery", "--json"]).exit(Exit::Ok);
    assert_eq!(exchanges(&world), 0);
}

#[test]
fn config_check_and_status_say_that_nothing_renews_it_and_how_to_give_it_a_parent() {
    let how = "run `metatoken add USER --type user` for the person who manages the Page, and set `parent = \"USER\"` in `[token.bakery]`";
    let world = world(page());
    let said = format!(
        "warning: `bakery` has no `parent`: nothing at Meta renews a Page token without its parent; {how}\n"
    );
    let ran = world.run(&["config", "check"]).stderr("").exit(Exit::Ok);
    assert!(ran.stdout.contains(&said), "{}", ran.stdout);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    let status = world.run(&["status", "bakery", "--json"]).exit(Exit::Ok);
    assert_eq!(
        status.token("bakery")["refresh"]["due_reason"],
        format!("never expires; nothing at Meta renews a Page token without its parent: {how}")
    );
    let world = world.token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    let user = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n";
    world.reconfigure(&format!("{CONFIG}parent = \"brand\"\n{user}"));
    world
        .run(&["config", "check"])
        .stdout(
            "
ok: [store]: `[DIR]/metatoken.db` can be read
ok: [store] key: opens the store
ok: [endpoints]: facebook is `http://127.0.0.1:[PORT]`, instagram is `http://127.0.0.1:[PORT]/instagram`, threads is `http://127.0.0.1:[PORT]/threads`
ok: [app.main] id: the literal in the config is there
ok: [app.main] secret: the environment variable `APP_SECRET` is there
ok: [token.bakery]: page token of app `main`, derived from `brand`
ok: [token.brand] access_token: the environment variable `BRAND` is there
ok: [token.brand]: user token of app `main`
[DIR]/metatoken.toml: OK: 1 app, 2 tokens
",
        )
        .stderr("")
        .exit(Exit::Ok);
}

#[test]
fn permissions_that_meta_does_not_tell_of_are_never_checked_and_config_check_says_so() {
    let config = r#"
[app.insta]
kind = "instagram"
id = "9"

[token.creator]
type = "instagram"
required_scopes = ["instagram_business_basic"]
access_token = { env = "INSTA" }

[token.it]
type = "app"
app = "main"
required_targets = ["1"]

[token.brand]
type = "user"
required_scopes = ["public_profile"]
access_token = { env = "PAGE" }
"#;
    let world = World::new().config(config).with("PAGE", "EAAFAKEPage");
    let world = world.with("INSTA", "IGAAfake");
    let ran = world.run(&["config", "check"]).stderr("").exit(Exit::Ok);
    let told = ran.stdout.lines().filter(|line| line.contains("does not report"));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "warning: `creator` has `required_scopes`, but Meta does not report the permissions of instagram tokens; remove `required_scopes` from `[token.creator]`: it is never checked",
            "warning: `it` has `required_targets`, but Meta does not report the permissions of app tokens; remove `required_targets` from `[token.it]`: it is never checked",
        ]
    );
    let json = world.run(&["config", "check", "--json"]).exit(Exit::Ok).json();
    let warnings = json["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|it| it["code"] == "scopes_unknown"), "{json:#}");
}
