//! Rotation: an access token gives way to a newer one while it still works.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{Invalidation, TokenFixture, UserFixture};
use metatoken::token::{DataAccess, Expiry};

use crate::common::{ANNA, APP, BAKERY, CAFE, CREATOR, INSTA_APP, ROBOT, Ran, World, day, ends};

const BEN: &str = "3000000000000002";

/// A System User whose access token is handed over by a person, and of whom one scope is required.
const PASTED: &str = r#"
[token.ads]
type = "system-user"
required_scopes = ["ads_read"]
"#;

fn ads() -> TokenFixture {
    TokenFixture::system_user(APP, ROBOT).named("ads").scopes(["ads_read", "ads_management"])
}

/// A world in which an access token was pasted on day 0, and which is now on day 10.
fn pasted(config: &str, label: &str, spec: TokenFixture) -> World {
    let mut world = World::new().config(config);
    let access_token = world.mint(spec);
    world.run_with_input(&["exchange", label, "-q"], &access_token).exit(Exit::Ok).silent();
    world.at(day(10));
    world
}

/// The last command that a text names.
fn last_command(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let command = quoted.filter_map(|it| it.strip_prefix("metatoken ")).last();
    let command = command.unwrap_or_else(|| panic!("no command in {text}"));
    command.split(' ').map(str::to_owned).collect()
}

/// Types a command, and hands an access token over to it.
fn typed(world: &World, command: &[String], access_token: &str) -> Ran {
    let words: Vec<&str> = command.iter().map(String::as_str).chain(["--quiet"]).collect();
    if words[0] == "login" {
        world.logs_in(&words)
    } else {
        world.run_with_input(&words, access_token)
    }
}

#[test]
fn one_that_never_expires_is_rotated_by_hand_while_it_works() {
    let world = pasted(PASTED, "ads", ads());
    let second = world.mint(ads());
    world.run_with_input(&["exchange", "ads", "--quiet"], &second).exit(Exit::Ok).stderr("");
    assert_eq!(world.in_use("ads"), second);
    let graph = |world: &World| world.graph.with(|graph| graph.invalidation("EAAFAKEAds1"));
    assert_eq!(graph(&world), None, "the old one is left to the person");
}

#[test]
fn a_date_in_the_place_of_none_needs_a_word_more() {
    let world = pasted(PASTED, "ads", ads());
    let dated = world.mint(ads().ending(ends(70)));
    let refused = world
        .run_with_input(&["exchange", "ads"], &dated)
        .stdout("")
        .stderr("
error: ads: not replaced: it expires 2026-03-12 00:00 UTC, in 60 days, and the current access token never expires
hint: to replace the current access token all the same, run `metatoken exchange ads --replace`
hint: the current access token is untouched
")
        .exit(Exit::InputRefused);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds1");
    typed(&world, &last_command(&refused.stderr), &dated).exit(Exit::Ok).stderr("");
    assert_eq!(world.in_use("ads"), dated);
    // The file that was named is named again.
    let shorter = world.mint(ads().ending(ends(60)));
    world.write("new token", &shorter);
    let refused = world.run(&["exchange", "ads", "--token-file", "new token", "--json"]);
    assert_eq!(refused.json()["error"]["code"], "not_replaced");
    let hint = "to replace the current access token all the same, run `metatoken exchange ads \
                --token-file 'new token' --replace`";
    assert_eq!(refused.json()["error"]["hints"][0], hint);
    assert_eq!(refused.code, Some(65));
}

#[test]
fn a_required_permission_is_not_lost_without_a_word_more() {
    let world = pasted(PASTED, "ads", ads());
    let poorer = world.mint(ads().scopes(["ads_management"]));
    let refused = world
        .run_with_input(&["exchange", "ads"], &poorer)
        .stdout("")
        .stderr(
            "
error: ads: not replaced: it lacks `ads_read`, which the current access token has
hint: to replace the current access token all the same, run `metatoken exchange ads --replace`
hint: the current access token is untouched
",
        )
        .exit(Exit::InputRefused);
    typed(&world, &last_command(&refused.stderr), &poorer).exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), poorer);
    // Now there is nothing left to lose, and a permission that is not required was never in the way.
    for scopes in [vec!["ads_management"], vec!["ads_read"], vec!["ads_read", "business"]] {
        let next = world.mint(ads().scopes(scopes));
        world.run_with_input(&["exchange", "ads", "--quiet"], &next).exit(Exit::Ok);
        assert_eq!(world.in_use("ads"), next);
    }
}

#[test]
fn a_person_who_logs_in_twice_in_a_minute_needs_no_word_more() {
    let config = "[token.brand]\ntype = \"user\"\n";
    let spec = || TokenFixture::user(APP, ANNA).named("brand");
    let mut world = pasted(config, "brand", spec().ending(ends(60)));
    // Meta's seconds differ: this one expires a little before the one in use.
    world.at(day(0) + TimeDelta::hours(1));
    let again = world.mint(spec().ending(Expiry::At(day(60) - TimeDelta::minutes(5))));
    world.run_with_input(&["exchange", "brand", "--quiet"], &again).exit(Exit::Ok).silent();
    assert_eq!(world.in_use("brand"), again);
}

#[test]
fn another_person_needs_a_word_of_its_own() {
    let config = "[token.brand]\ntype = \"user\"\n";
    let world = pasted(config, "brand", TokenFixture::user(APP, ANNA).named("brand"));
    world.graph.with(|graph| graph.add_user(UserFixture::new(BEN, "Ben")));
    let bens = world.mint(TokenFixture::user(APP, BEN).named("ben"));
    let refused = world
        .run_with_input(&["exchange", "brand", "--replace"], &bens)
        .exit(Exit::InputRefused)
        .stdout("");
    assert!(refused.stderr.contains("belongs to user 3000000000000002, not to"));
    let command = last_command(&refused.stderr);
    assert_eq!(command, ["exchange", "brand", "--replace", "--replace-identity"]);
    typed(&world, &command, &bens).exit(Exit::Ok).silent();
    assert_eq!(world.in_use("brand"), bens);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
}

#[test]
fn what_the_config_contradicts_no_word_helps() {
    let config = format!("[token.page]\ntype = \"page\"\npage_id = \"{BAKERY}\"\n");
    let page = |id| TokenFixture::page(APP, ANNA, id).named("page");
    let world = pasted(&config, "page", page(BAKERY));
    let cafe = world.mint(page(CAFE));
    let user = world.mint(TokenFixture::user(APP, ANNA));
    for access_token in [cafe, user] {
        let typed = ["exchange", "page", "--replace", "--replace-identity"];
        let refused = world.run_with_input(&typed, &access_token).exit(Exit::InputRefused);
        assert!(!refused.stderr.contains("--replace"), "{}", refused.stderr);
        assert_eq!(world.in_use("page"), "EAAFAKEPage1");
    }
}

/// The same System User, whose access token is found in an application's file.
const CONFIGURED: &str = r#"
[token.ads]
type = "system-user"
access_token = { file = "app.env", key = "TOKEN" }
required_scopes = ["ads_read"]
"#;

/// A world in which that file held an access token on day 0, and which is now on day 10.
fn configured(spec: TokenFixture) -> World {
    let world = first_run(spec, Exit::Ok);
    assert_eq!(codes(&world), [""; 0]);
    world
}

fn first_run(spec: TokenFixture, exit: Exit) -> World {
    let mut world = World::new().config(CONFIGURED);
    let access_token = world.mint(spec);
    put(&world, &access_token);
    world.run(&["refresh", "--quiet"]).exit(exit).stderr("");
    world.at(day(1));
    world.run(&["refresh", "--quiet"]).exit(exit).stderr("");
    world.at(day(10));
    world
}

fn put(world: &World, access_token: &str) {
    world.write("app.env", format!("TOKEN={access_token}\n"));
}

fn kill(world: &World, access_token: &str) {
    world.graph.with(|graph| graph.invalidate(access_token, Invalidation::Revoked));
}

/// The reasons that `check` gives for the token, by code.
fn codes(world: &World) -> Vec<String> {
    let told = world.run(&["check", "--json"]).token("ads");
    let reasons = told["reasons"].as_array().unwrap().iter();
    let codes = reasons.map(|reason| reason["code"].as_str().unwrap().to_owned());
    codes.filter(|code| code != "unchecked").collect()
}

#[test]
fn a_newer_one_in_the_config_takes_the_place_of_one_that_never_expires() {
    let mut world = configured(ads());
    let second = world.mint(ads());
    put(&world, &second);
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES  REASON
ads    adopted  never    found in `TOKEN` in `[DIR]/app.env`; generation 1 works on until it is revoked

1 token: 1 adopted
").stderr("
hint: `ads`: run `metatoken revoke ads --generation 1`, which makes it invalid at Meta
").exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), second);
    // The older one, put back, is old: nothing flips.
    for (day_of_it, access_token) in [(11, "EAAFAKEAds1"), (12, &*second), (13, "EAAFAKEAds1")] {
        world.at(day(day_of_it));
        put(&world, access_token);
        world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
        assert_eq!(world.in_use("ads"), second);
    }
    assert_eq!(codes(&world), [""; 0]);
}

#[test]
fn what_is_no_better_is_refused_once_and_named_until_it_changes() {
    let mut world = configured(ads());
    let dated = world.mint(ads().ending(ends(70)));
    put(&world, &dated);
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES  REASON
ads    failed   never    refused: no later expiry

warning: `ads`: works, the new access token was rejected: it expires no later than the current access token, which works

1 token: 1 failed
").stderr("").exit(Exit::InputRefused);
    for day_of_it in [11, 12] {
        world.at(day(day_of_it));
        world.calls();
        world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
        assert_eq!(world.calls(), ["debug_token Ads"], "the current one, and no other");
        let report = world.run(&["check"]).code(1).stderr("");
        report.verdict("
METATOKEN WARNING - ads: works, unused access token in TOKEN in [DIR]/app.e…; operator removes it: metatoken refresh ads
WARNING: `ads`: works, unused access token in `TOKEN` in `[DIR]/app.env`, line 1: it expires no later than the current access token, which works
  remove it from `TOKEN` in `[DIR]/app.env`; then run `metatoken refresh ads`. If it is the one to use, run `metatoken exchange ads --replace` and paste it first. Proof: `metatoken check ads`
");
    }
    // An application that cannot be read for a while changes nothing.
    std::fs::rename(world.path("app.env"), world.path("away.env")).unwrap();
    std::fs::create_dir(world.path("app.env")).unwrap();
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    std::fs::remove_dir(world.path("app.env")).unwrap();
    std::fs::rename(world.path("away.env"), world.path("app.env")).unwrap();
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(codes(&world), ["stale_source"]);
    // Taken out, it is named no more; put in again, it is refused again.
    put(&world, "");
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(codes(&world), [""; 0]);
    put(&world, &dated);
    world.run(&["refresh", "-q", "--json"]).exit(Exit::InputRefused);
    assert_eq!(codes(&world), ["stale_source"]);
    // What the remedy names.
    let told = world.run(&["check", "--json"]).token("ads")["reasons"][0].clone();
    typed(&world, &last_command(told["remedy"].as_str().unwrap()), &dated).exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), dated);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(codes(&world), [""; 0]);
}

#[test]
fn what_was_refused_is_taken_when_the_current_one_dies() {
    let mut world = configured(ads());
    let dated = world.mint(ads().ending(ends(70)));
    put(&world, &dated);
    world.run(&["refresh", "--json"]).exit(Exit::InputRefused).stderr("");
    kill(&world, "EAAFAKEAds1");
    world.at(day(12));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
ads    adopted  2026-03-12  refused before, and the best now: `TOKEN` in `[DIR]/app.env`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), dated);
    assert_eq!(codes(&world), [""; 0]);
}

#[test]
fn an_earlier_one_in_the_config_is_asked_about_before_a_person_is() {
    let mut world = configured(ads());
    let second = world.mint(ads());
    world.run_with_input(&["exchange", "ads", "-q"], &second).exit(Exit::Ok).stderr("");
    world.at(day(11));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    kill(&world, &second);
    world.at(day(12));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
ads    adopted  never    earlier_generation: generation 1 is in `TOKEN` in `[DIR]/app.env`

1 token: 1 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds1");
    // Both are dead now: Graph is asked about the other once a day, and a person is called.
    kill(&world, "EAAFAKEAds1");
    world.at(day(13));
    world.run(&["refresh", "--quiet", "--json"]).exit(Exit::PersonNeeded).stderr("");
    put(&world, &second);
    world.calls();
    for hour in 1..=3 {
        world.at(day(13) + TimeDelta::hours(hour));
        world.run(&["refresh", "--quiet", "--json"]).exit(Exit::PersonNeeded).stderr("");
    }
    let asked = world.calls();
    assert_eq!(asked.len(), 4, "{asked:?}: the current one each time, the other one once");
}

#[test]
fn what_was_revoked_here_never_comes_back() {
    let mut world = configured(ads());
    let second = world.mint(ads());
    world.run_with_input(&["exchange", "ads", "-q"], &second).exit(Exit::Ok).stderr("");
    world.sql().execute("UPDATE generation SET revoked_at = 1 WHERE number = 1", []).unwrap();
    kill(&world, &second);
    world.at(day(12));
    world.run(&["refresh", "--quiet", "--json"]).exit(Exit::PersonNeeded).stderr("");
}

#[test]
fn a_wrong_type_in_the_config_is_forgotten_once_it_is_right() {
    let wrong = CONFIGURED.replace("system-user", "user");
    let world = World::new().config(&wrong);
    put(&world, &world.mint(ads()));
    world.run(&["refresh", "--json"]).exit(Exit::InputRefused).stderr("");
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).stderr("");
    world.reconfigure(CONFIGURED);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(world.in_use("ads"), "EAAFAKEAds1");
}

#[test]
fn what_is_required_counts_more_than_a_date() {
    let world = first_run(ads().scopes(["ads_management"]), Exit::PersonNeeded);
    assert_eq!(codes(&world), ["permission_missing"]);
    let richer = world.mint(ads().ending(ends(70)));
    put(&world, &richer);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(world.in_use("ads"), richer);
    assert_eq!(codes(&world), [""; 0]);
    // And is not given up for one.
    let poorer = world.mint(ads().scopes(["ads_management"]));
    put(&world, &poorer);
    world.run(&["refresh", "--json"]).exit(Exit::InputRefused).stderr("");
    assert_eq!(world.in_use("ads"), richer);
    assert_eq!(codes(&world), ["stale_source"]);
}

#[test]
fn a_longer_life_without_what_is_required_is_taken_rather_than_none() {
    let mut world = configured(ads().ending(ends(30)));
    world.reconfigure(&format!("{CONFIGURED}auto_refresh = false\n"));
    let poorer = world.mint(ads().scopes(["ads_management"]));
    put(&world, &poorer);
    world.run(&["refresh", "--json"]).exit(Exit::InputRefused).stderr("");
    world.at(day(25));
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).stderr("");
    assert_eq!(world.in_use("ads"), poorer);
}

#[test]
fn where_meta_does_not_say_only_a_changed_value_is_newer() {
    let config = r#"
[app.insta]
kind = "instagram"
id = "1000000000000011"
secret = { env = "INSTA_SECRET" }
[token.dora]
type = "instagram"
app = "insta"
access_token = { env = "DORA" }
"#;
    let spec = || TokenFixture::instagram(INSTA_APP, CREATOR).named("dora");
    let mut world = World::new().config(config);
    let first = world.mint(spec());
    world.run_with_input(&["exchange", "dora", "-q"], &first).exit(Exit::Ok).stderr("");
    // The first value of a source may be as old as the source.
    let unknown = world.mint(spec());
    world.set("DORA", &unknown);
    world.run(&["refresh", "--json"]).exit(Exit::InputRefused).stderr("");
    assert_eq!(world.in_use("dora"), first);
    let changed = world.mint(spec());
    world.set("DORA", &changed);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(world.in_use("dora"), changed);
}

#[test]
fn the_older_one_is_watched_until_it_is_dead() {
    let mut world = configured(ads());
    let second = world.mint(ads());
    put(&world, &second);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.calls();
    let asks = |world: &World| {
        world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
        world.calls().iter().filter(|call| call.ends_with("Ads")).count()
    };
    world.at(day(10) + TimeDelta::hours(1));
    assert_eq!(asks(&world), 0, "it was asked about lately");
    for day_of_it in 11..=17 {
        world.at(day(day_of_it));
        assert_eq!((asks(&world), asks(&world)), (2, 0), "both once in `verify_every`");
        assert_eq!(codes(&world), [""; 0]);
    }
    world.at(day(18));
    assert_eq!(asks(&world), 2);
    world.run(&["check"]).code(1).stderr("").verdict("
METATOKEN WARNING - ads: works, generation 1 still works, replaced…; operator revokes it: metatoken revoke ads --generation 1
WARNING: `ads`: works, generation 1 still works, replaced 8 days ago
  run `metatoken revoke ads --generation 1`, which makes it invalid at Meta. Proof: `metatoken check ads`
");
    world.reconfigure(&format!("{CONFIGURED}rotate_overlap = \"30d\"\n"));
    assert_eq!(codes(&world), [""; 0]);
    world.reconfigure(CONFIGURED);
    kill(&world, "EAAFAKEAds1");
    world.at(day(19));
    assert_eq!(asks(&world), 2);
    assert_eq!(codes(&world), [""; 0]);
    world.at(day(25));
    assert_eq!(asks(&world), 1, "the older one is dead");
}

#[test]
fn only_a_system_users_rotation_leaves_one_that_has_to_be_revoked() {
    // A renewal is no rotation, nor is a date that comes by itself.
    let mut world = configured(ads().ending(ends(60)));
    world.at(day(45));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    let next = world.mint(ads());
    put(&world, &next);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(world.in_use("ads"), next);
    world.at(day(60));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(codes(&world), [""; 0]);

    let config = "[token.ads]\ntype = \"user\"\n";
    let spec = || TokenFixture::user(APP, ANNA).named("ads").ending(Expiry::Never);
    let mut world = pasted(config, "ads", spec());
    let next = world.mint(spec());
    world.run_with_input(&["exchange", "ads"], &next).exit(Exit::Ok).stderr("");
    world.at(day(30));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(codes(&world), [""; 0]);
}

#[test]
fn another_program_that_renews_too_is_named_with_its_hours() {
    let mut world = configured(ads().ending(ends(40)));
    for (n, hour) in [(10, 3), (15, 3), (20, 4)] {
        world.at(day(n) + TimeDelta::hours(hour));
        put(&world, &world.mint(ads().ending(ends(60 + n))));
        world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    }
    world.run(&["check", "--tokens"]).code(1).stderr("").verdict("
METATOKEN WARNING - ads: works, another program renews it too: 3 new access tokens…; operator stops it: metatoken history ads
WARNING: `ads`: works, another program renews it too: 3 new access tokens in 14 days from `TOKEN` in `[DIR]/app.env`, found at 03:00, 03:00, 04:00 UTC
  run `metatoken history ads` to see when, find what writes `TOKEN` in `[DIR]/app.env` then, and stop it. If that program is to renew it, set `auto_refresh = false` in `[token.ads]`. Proof: `metatoken check ads`
");
    world.at(day(26));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(codes(&world), [""; 0]);
}

/// Every remedy that asks for a new access token is typed while the old one works, with the dullest
/// one that Meta may give: it lives sixty days.
#[test]
fn what_asks_for_a_new_access_token_is_content_with_it() {
    let system = |extra: &str| format!("[token.ads]\ntype = \"system-user\"\n{extra}\n");
    let user = |extra: &str| format!("[token.ads]\ntype = \"user\"\n{extra}\n");
    let page =
        |extra: &str| format!("[token.ads]\ntype = \"page\"\npage_id = \"{BAKERY}\"\n{extra}\n");
    let of_a_user = || TokenFixture::user(APP, ANNA).named("ads").scopes(["ads_read"]);
    let of_a_page = || TokenFixture::page(APP, ANNA, BAKERY).named("ads");
    let old = "rotate_after = \"5d\"";
    let scope = "required_scopes = [\"business_management\"]";
    let with_scope = |spec: TokenFixture| spec.scopes(["ads_read", "business_management"]);
    let access = DataAccess::Until(day(12));
    for (config, first, next, code) in [
        (system(old), ads(), ads().ending(ends(70)), "rotation_due"),
        (system(old), ads().ending(ends(60)), ads().ending(ends(70)), "rotation_due"),
        (system(scope), ads(), with_scope(ads().ending(ends(70))), "permission_missing"),
        (user(old), of_a_user(), of_a_user(), "rotation_due"),
        (user(old), of_a_user().ending(Expiry::Never), of_a_user(), "rotation_due"),
        (user(scope), of_a_user(), with_scope(of_a_user()), "permission_missing"),
        (user(""), of_a_user().data_access(access), of_a_user(), "data_access_expiring"),
        (
            user(""),
            of_a_user().data_access(access).ending(Expiry::Never),
            of_a_user(),
            "data_access_expiring",
        ),
        (page(old), of_a_page(), of_a_page(), "rotation_due"),
    ] {
        let mut world = World::new().config(&config);
        let first = world.mint(first);
        let ran = world.run_with_input(&["exchange", "ads", "-q"], &first).exit(Exit::Ok);
        assert_eq!(ran.stderr, "", "{config}");
        world.at(day(10));
        let _ = world.run(&["refresh", "--quiet"]);
        let told = world.run(&["check", "--json"]).token("ads");
        let reasons = told["reasons"].as_array().unwrap();
        let reason = reasons.iter().find(|reason| reason["code"] == code);
        let reason = reason.unwrap_or_else(|| panic!("{config}: {told:#}"));
        let command = last_command(reason["remedy"].as_str().unwrap());
        let next = world.mint(next);
        let given_out = || -> BTreeSet<String> {
            world.graph.with(|graph| graph.strings().map(str::to_owned).collect())
        };
        let before = given_out();
        let ran = typed(&world, &command, &next);
        assert_eq!(ran.code, Some(0), "{config}: {command:?}: {}{}", ran.stdout, ran.stderr);
        let in_use = world.in_use("ads");
        if command[0] == "login" {
            // The dialog gives one of an hour, and that one of sixty days.
            let after = given_out();
            let given: Vec<&String> = after.difference(&before).collect();
            assert_eq!((given.len(), given.contains(&&in_use)), (2, true), "{config}: {given:?}");
            assert_eq!(world.offline("ads")["expires_at"], "2026-03-12T00:00:00Z", "{config}");
        } else {
            assert_eq!(in_use, next, "{config}");
        }
        assert!(!codes(&world).contains(&code.to_owned()), "{config}: {:?}", codes(&world));
    }
}

#[test]
fn a_page_grows_young_with_its_parent() {
    let config = format!(
        "[token.ads]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\"\n\
         rotate_after = \"5d\"\n[token.brand]\ntype = \"user\"\n"
    );
    let spec = || {
        let scopes = ["public_profile", "pages_show_list"];
        TokenFixture::user(APP, ANNA).named("brand").scopes(scopes)
    };
    let mut world = World::new().config(&config);
    let first = world.mint(spec());
    world.run_with_input(&["exchange", "brand", "-q"], &first).exit(Exit::Ok).silent();
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.at(day(10));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(codes(&world), ["rotation_due"]);
    let told = world.run(&["check", "--json"]).token("ads");
    let command = last_command(told["reasons"][0]["remedy"].as_str().unwrap());
    let next = world.mint(spec());
    let ran = typed(&world, &command, &next);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    assert_eq!(codes(&world), [""; 0]);
}

#[test]
fn another_program_that_writes_into_a_target_is_named_too() {
    let config = format!(
        "{PASTED}[[token.ads.deliver]]\nname = \"app\"\nfile = \"app.env\"\nkey = \"TOKEN\"\n"
    );
    // Long enough to be told from a word.
    let spec = |n| ads().named("adsinthefileoftheapplication").ending(ends(n));
    let mut world = World::new().config(&config);
    put(&world, "");
    let first = world.mint(spec(40));
    world.run_with_input(&["exchange", "ads", "-q"], &first).exit(Exit::Ok).silent();
    for n in [2, 4, 6] {
        world.at(day(n) + TimeDelta::hours(5));
        let brought = world.mint(spec(60 + n));
        put(&world, &brought);
        world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
        assert_eq!(world.in_use("ads"), brought);
    }
    world.run(&["check", "--tokens"]).code(1).stderr("").verdict("
METATOKEN WARNING - ads: works, another program renews it too: 3 new access tokens…; operator stops it: metatoken history ads
WARNING: `ads`: works, another program renews it too: 3 new access tokens in 14 days from the target `app`, found at 05:00, 05:00, 05:00 UTC
  run `metatoken history ads` to see when, find what writes the target `app` then, and stop it. If that program is to renew it, set `auto_refresh = false` in `[token.ads]`. Proof: `metatoken check ads`
");
}
