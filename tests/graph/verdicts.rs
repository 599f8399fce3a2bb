//! What Meta's refusals say, and what they do not.

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Listing, Rule, TokenFixture};
use metatoken::token::Expiry;
use serde_json::json;

use crate::common::brand::{INSTA, ONE_TRY, answer, brand, creator, hour, minute, user};
use crate::common::{ANNA, APP, BAKERY, BRAND, CREATOR, THREADS_APP, World};

const THREADS: &str = r#"
[http]
attempts = 1

[app.threads]
kind = "threads"
id = "1000000000000012"
secret = { env = "THREADS_SECRET" }

[token.notes]
type = "threads"
access_token = { env = "NOTES" }
"#;

fn notes() -> TokenFixture {
    TokenFixture::threads(THREADS_APP, CREATOR).named("notes")
}

const LOGGED_OUT: &str = r#"{"error":{"message":"Error validating access token: The session is invalid","type":"OAuthException","code":190,"error_subcode":467}}"#;

/// A person was sent for although Graph itself called the string alive.
#[test]
fn a_refusal_that_blames_a_living_string_is_tried_again() {
    let mut world = brand(user());
    world.graph.misbehave(Rule::on("/oauth/access_token"), answer(400, LOGGED_OUT));
    for (minutes, exit) in
        [(0, Exit::Failed), (5, Exit::Ok), (20, Exit::Failed), (65, Exit::Failed)]
    {
        world.at(minute(45, minutes));
        let ran = world.run(&["refresh", "--json"]).exit(exit);
        if exit == Exit::Failed {
            assert_eq!(ran.result("brand")["problem"]["action"], "retry", "+{minutes} min");
            assert_eq!(world.calls(), ["oauth/access_token Brand", "debug_token Brand"]);
        }
        assert_eq!(world.offline("brand")["problem"]["action"], "retry", "+{minutes} min");
        assert_eq!(world.offline("brand")["valid"], true, "+{minutes} min");
    }
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  the last try failed; the next is 2026-02-15 02:05 UTC, in 60 minutes

warning: `brand`: works, renewal due since 2026-02-10 00:00 UTC, 5 days ago, failed: logged out
  hint: run `metatoken refresh brand -v`. A timer should have done so: see that it runs `metatoken refresh`
  Meta: \"The session is invalid\" (190/467)

1 token: 1 not due
").exit(Exit::Ok);
}

/// A string that lives an hour was stored as one that lives sixty days.
#[test]
fn what_is_no_refusal_of_the_string_does_not_make_it_long_lived() {
    let later = "hint: nothing was stored: paste the access token again later\n";
    let grant = "hint: the person behind the token logs in to the app again and grants it: run `metatoken login creator`\n";
    let blocked = r#"{"error":{"message":"blocked","type":"OAuthException","code":368}}"#;
    let denied = r#"{"error":{"message":"Permission","type":"OAuthException","code":10}}"#;
    let page = "a proxy or another server answered, not Graph: status 200, content type `text/html`, no JSON";
    for (trouble, exit, said, hint) in [
        (FaultInjection::Html, Exit::Failed, page, later),
        (answer(400, blocked), Exit::Failed, "blocked (code 368)", later),
        (answer(400, denied), Exit::PersonNeeded, "Permission (code 10)", grant),
    ] {
        let world = World::new().config(INSTA);
        let string = world.mint(creator().ending(Expiry::At(hour(0, 1))));
        world.graph.misbehave(Rule::on("/access_token").once(), trouble);
        world
            .run_with_input(&["exchange", "creator"], &string)
            .stdout("")
            .stderr(&format!("error: creator: {said}\n{hint}"))
            .exit(exit);
        assert_eq!(world.calls(), ["instagram/me Creator", "instagram/access_token Creator"]);
        assert_eq!(world.offline("creator")["state"], "missing", "{said}");
    }
}

/// The profile needs no secret, but its answer cleared the complaint about a wrong one.
#[test]
fn a_profile_does_not_clear_a_wrong_secret() {
    let spec = creator().ending(Expiry::At(hour(0, 1)));
    let mut world = World::new()
        .config(INSTA)
        .with("INSTA_SECRET", "fakewrongfakewrong")
        .token("CREATOR", spec);
    world.run(&["refresh"]).exit(Exit::PersonNeeded);
    world.at(minute(0, 5));
    for arguments in [&["refresh"][..], &["refresh", "creator"], &["refresh"]] {
        world.run(arguments).stdout("
TOKEN    OUTCOME  EXPIRES  REASON
creator  invalid  unknown  bad app credentials (100)

warning: `creator`: works, wrong id or secret of app `insta`
  hint: compare `id` (1000000000000011) and `secret` of `[app.insta]` in [DIR]/metatoken.toml with the app's dashboard (Instagram, API setup with Instagram login); then run `metatoken refresh`
  Meta: \"Error validating client secret\" (100)

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    }
    world.run(&["check"]).verdict("
METATOKEN WARNING - creator: works, wrong id or secret…; operator corrects [DIR]/metatoken.toml: metatoken refresh
WARNING: `creator`: works, wrong id or secret of app `insta`
  compare `id` (1000000000000011) and `secret` of `[app.insta]` in [DIR]/metatoken.toml with the app's dashboard (Instagram, API setup with Instagram login); then run `metatoken refresh`. Proof: `metatoken check creator`. Meta: \"Error validating client secret\" (100)
").code(1);
}

/// A page of a proxy's on a string's first day was taken for Meta's «too young».
#[test]
fn a_proxys_page_does_not_make_a_string_too_young() {
    let config = INSTA.replace("secret = { env = \"INSTA_SECRET\" }\n", "");
    let spec = creator().aged(chrono::TimeDelta::days(55));
    let mut world = World::new().config(&config).token("CREATOR", spec);
    world.graph.misbehave(Rule::on("/refresh_access_token").once(), FaultInjection::Html);
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Failed);
    assert_eq!(ran.result("creator")["problem"]["kind"], "malformed_response");
    world.at(hour(0, 1));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["creator"], "refreshed");
    assert_eq!(world.offline("creator")["expires_at"], "2026-03-02T01:00:00Z");
}

/// `valid` was null while an account was held, as if nobody knew.
#[test]
fn a_held_token_does_not_work_and_is_kept() {
    for held in [Invalidation::Checkpoint, Invalidation::Unconfirmed, Invalidation::Blocking] {
        let facebook = brand(user());
        let instagram = World::new().config(INSTA).token("CREATOR", creator());
        instagram.run(&["refresh"]).exit(Exit::Ok);
        for (mut world, label) in [(facebook, "brand"), (instagram, "creator")] {
            let string = world.in_use(label);
            world.graph.with(|graph| graph.invalidate(&string, held));
            world.at(minute(3, 0));
            world.run(&["refresh"]).exit(Exit::PersonNeeded);
            let token = world.offline(label);
            assert_eq!((&token["valid"], &token["state"]), (&json!(false), &json!("unverified")));
            assert_eq!(token["problem"]["action"], "fix_account", "{label} {held:?}");
            let metrics = world.run(&["check", "--format", "prometheus"]).stdout;
            let metric = metrics.lines().find(|line| line.starts_with("metatoken_token_valid{"));
            assert!(metric.is_some_and(|line| line.ends_with(" 0")), "{label} {held:?}");
            assert_eq!(world.in_use(label), string, "{label} {held:?}");
            // Once the account is free the same access token works again.
            world.graph.with(|graph| graph.revive(&string));
            world.at(minute(3, 30));
            let _ = world.run(&["refresh"]);
            assert_eq!(world.offline(label)["valid"], true, "{label} {held:?}");
        }
    }
}

/// No Instagram token could be adopted where Meta answers as its pages show it.
#[test]
fn instagrams_profile_is_read_in_its_envelope() {
    let flat = r#"{"user_id":"17841400000000001","username":"dora.creates"}"#;
    for body in
        [flat.to_owned(), format!(r#"{{"data":[{flat}]}}"#), format!(r#"{{"data":{flat}}}"#)]
    {
        let spec = creator().aged(chrono::TimeDelta::days(3));
        let world = World::new().config(INSTA).token("CREATOR", spec);
        world.graph.misbehave(Rule::on("/me"), answer(200, &body));
        world.run(&["refresh"]).exit(Exit::Ok);
        assert_eq!(world.offline("creator")["user_id"], "17841400000000001", "{body}");
        world.run(&["check"]).code(0);
    }
}

/// What is about no person says nothing of the access token, alive or dead: the next answer counts.
#[test]
fn a_profile_that_is_nobodys_is_no_verdict() {
    let person = r#"{"id":"17841400000000001","user_id":"17841400000000001"}"#;
    let other = r#"{"id":"17841400000000002","user_id":"17841400000000002"}"#;
    for body in [
        r#"{"data":[]}"#.to_owned(),
        r#"{"data":{}}"#.to_owned(),
        r#"{"data":null}"#.to_owned(),
        r#"{"data":"x"}"#.to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        format!(r#"{{"data":[{person},{other}]}}"#),
        format!(r#"{{"data":[[{person}]]}}"#),
        format!(r#"{{"result":{person}}}"#),
    ] {
        for (label, config) in [("creator", INSTA), ("notes", THREADS)] {
            let string = if label == "creator" { creator() } else { notes() };
            let variable = label.to_uppercase();
            let mut world = World::new()
                .config(config)
                .token(&variable, string.aged(chrono::TimeDelta::days(3)));
            for endpoint in ["/me", "/debug_token"] {
                let of_it = Rule::on(endpoint);
                world.graph.misbehave(of_it, answer(200, &body));
            }
            let ran = world.run(&["refresh", "--json"]).exit(Exit::Failed);
            assert_eq!(ran.result(label)["outcome"], "failed", "{label} {body}");
            let told = world.run(&["check", "--json"]).code(3).token(label);
            assert_eq!(told["health"], "unknown", "{label} {body}");
            assert_ne!(told["valid"], false, "{label} {body}");
            world.graph.behave();
            world.at(minute(0, 10));
            let _ = world.run(&["refresh"]).exit(Exit::Ok);
            assert_eq!(world.offline(label)["valid"], true, "{label} {body}");
        }
    }
}

/// The same of a Page that is asked for by its id, and of a list of Pages.
#[test]
fn a_page_in_an_envelope_is_read_and_one_that_is_none_is_asked_for_again() {
    let page = format!(r#"{{"id":"{BAKERY}","name":"Bakery","access_token":"[TOKEN]"}}"#);
    let config = format!(
        "{ONE_TRY}{BRAND}[token.bakery]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\"\n"
    );
    let cases = [
        (format!(r#"{{"data":{page}}}"#), true),
        (format!(r#"{{"data":[{page}]}}"#), true),
        (r#"{"data":[]}"#.to_owned(), false),
        (r#"{"data":{}}"#.to_owned(), false),
        (format!(r#"{{"data":[{page},{page}]}}"#), false),
        (r#"{"name":"Bakery"}"#.to_owned(), false),
    ];
    for (body, is_one) in cases {
        let spec = user().scopes(["public_profile", "pages_show_list"]);
        let mut world = World::new().config(&config).token("BRAND", spec);
        world.graph.with(|graph| graph.list(ANNA, BAKERY, Listing::Unlisted));
        let of_the_page = world.mint(TokenFixture::page(APP, ANNA, BAKERY));
        let answered = answer(200, &body.replace("[TOKEN]", &of_the_page));
        world.graph.misbehave(Rule::on(&format!("/{BAKERY}")), answered);
        let ran = world.run(&["refresh", "--json"]);
        let outcome = ran.result("bakery")["outcome"].clone();
        assert_eq!(outcome == "derived", is_one, "{body}: {}", ran.stdout);
        if !is_one {
            assert_eq!(ran.code, Some(1), "{body}: {}", ran.stdout);
            world.graph.behave();
            world.graph.with(|graph| graph.list(ANNA, BAKERY, Listing::Listed));
            // Behind the longest pause.
            world.at(minute(0, 7 * 60));
            let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
            assert_eq!(ran.result("bakery")["outcome"], "derived", "{body}");
        }
    }
}

/// An answer without a list of permissions was taken for one of a token that has none: a person was
/// sent for.
#[test]
fn permissions_that_graph_does_not_tell_are_not_missing() {
    let config = format!("{ONE_TRY}{BRAND}required_scopes = [\"pages_show_list\"]\n");
    let spec = || user().scopes(["public_profile", "pages_show_list"]);
    let told = |scopes: &str| {
        answer(
            200,
            &format!(
                r#"{{"data":{{"app_id":"{APP}","type":"USER","user_id":"{ANNA}","is_valid":true,"expires_at":1772409600{scopes}}}}}"#
            ),
        )
    };
    let without = json!(["public_profile", "pages_show_list"]);
    for (scopes, exit, known, missing) in [
        ("", Exit::Ok, without.clone(), json!([])),
        (r#","scopes":null"#, Exit::Ok, without.clone(), json!([])),
        (r#","scopes":"public_profile,pages_show_list""#, Exit::Ok, without, json!([])),
        (r#","scopes":[]"#, Exit::PersonNeeded, json!([]), json!(["pages_show_list"])),
    ] {
        let mut world = World::new().config(&config).token("BRAND", spec());
        world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
        world.at(hour(2, 0));
        world.graph.misbehave(Rule::on("/debug_token"), told(scopes));
        let ran = world.run(&["refresh", "--json"]).exit(exit);
        assert_eq!(ran.outcomes()["brand"], "verified", "{scopes}");
        let token = world.offline("brand");
        assert_eq!((&token["scopes"], &token["missing_scopes"]), (&known, &missing), "{scopes}");
    }
    // Nothing was ever told.
    let world = World::new().config(&config).token("BRAND", spec());
    world.graph.misbehave(Rule::on("/debug_token"), told(""));
    world.run(&["refresh", "--json"]).exit(Exit::Ok);
    let token = world.offline("brand");
    assert_eq!((&token["scopes"], &token["missing_scopes"]), (&json!(null), &json!([])));
    world.run(&["check"]).code(0);
}

/// An answer that says neither yes nor no was stored as a check, and the run exited with 0.
#[test]
fn an_answer_without_a_verdict_is_no_check() {
    let bare =
        format!(r#"{{"data":{{"app_id":"{APP}","type":"USER","scopes":["public_profile"]}}}}"#);
    let mut world = brand(user());
    world.at(hour(2, 0));
    world.graph.misbehave(Rule::on("/debug_token").once(), answer(200, &bare));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Failed);
    assert_eq!(ran.result("brand")["problem"]["kind"], "malformed_response");
    let token = world.offline("brand");
    assert_eq!((&token["state"], &token["valid"]), (&json!("valid"), &json!(true)));
    assert_eq!(token["verified_at"], "2026-01-01T00:00:00Z");
    world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(world.offline("brand")["verified_at"], "2026-01-03T00:00:00Z");
}
