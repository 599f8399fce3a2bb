//! Limits that name a time: kept in this run and in the next, for as far as they reach.

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Listing, PageFixture, Rule, TokenFixture, UserFixture};

use crate::common::brand::{ONE_TRY, answer, minute, user};
use crate::common::{ANNA, APP, BRAND, World, day, is_long};

const TWO: &str = r#"
[token.other]
type = "user"
access_token = { env = "OTHER" }
"#;

/// A host that throttles without a word of Meta's, on day 0.
fn too_many(retry_after: Option<&str>) -> FaultInjection {
    let mut headers = vec![
        ("Content-Type", "text/html".to_owned()),
        ("Date", day(0).format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
    ];
    headers.extend(retry_after.map(|wait| ("Retry-After", wait.to_owned())));
    let body = b"<html>Too Many Requests</html>".to_vec();
    FaultInjection::Raw { status: 429, headers, body }
}

/// Each token was asked about, and again in every run.
#[test]
fn a_host_that_says_429_is_left_alone_until_its_time() {
    for (retry_after, minutes) in [
        (Some("3600"), 60),
        (Some("Thu, 01 Jan 2026 01:00:00 GMT"), 60),
        (Some("Thursday, 01-Jan-26 01:00:00 GMT"), 60),
        // It does not say: the limits are counted over an hour.
        (None, 50),
        (Some("soon"), 50),
    ] {
        let config = format!("{ONE_TRY}concurrency = 1\n{BRAND}{TWO}");
        let mut world = World::new()
            .config(&config)
            .token("BRAND", user())
            .token("OTHER", TokenFixture::user(APP, ANNA).named("other"));
        world.graph.misbehave(Rule::any(), too_many(retry_after));
        world.run(&["refresh"]).exit(Exit::Unavailable);
        assert_eq!(world.calls().len(), 1, "{retry_after:?}");
        world.graph.behave();
        world.at(minute(0, minutes - 1));
        world.run(&["refresh"]).exit(Exit::Unavailable);
        assert_eq!(world.calls().len(), 0, "{retry_after:?}");
        world.at(minute(0, minutes + 1));
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
        assert_eq!(ran.outcomes()["brand"], "adopted", "{retry_after:?}");
    }
}

/// Whatever the header says, the host is left alone for as long as can be believed, in this run and in
/// the next, and for no longer: with Graph's own refusal and without, throttled or down.
#[test]
fn every_form_of_a_wait_is_obeyed_as_far_as_it_can_be_believed() {
    let throttled = r#"{"error":{"message":"Application request limit reached","type":"OAuthException","code":4}}"#;
    let down = r#"{"error":{"message":"An unexpected error has occurred","type":"OAuthException","code":2,"is_transient":true}}"#;
    let html = "<html>Sorry</html>";
    let hour = "Thu, 01 Jan 2026 01:00:00 GMT";
    // Minutes that it is left alone after a limit, and after a host that is down.
    let waits = [
        ("3600", 60, 60),
        (hour, 60, 60),
        ("Thu Jan  1 01:00:00 2026", 60, 60),
        ("+3600", 60, 60),
        // No number of seconds to wait: limits are counted over an hour, a fault passes.
        ("-3600", 50, 0),
        ("0", 50, 0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 50, 0),
        ("1e9", 50, 0),
        ("", 50, 0),
        // Longer than any window of Meta's.
        ("31536000", 50, 0),
        ("18446744073709551615", 50, 0),
        ("99999999999999999999999", 50, 0),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 50, 0),
    ];
    for (turn, (said, of_a_limit, of_a_fault)) in waits.into_iter().enumerate() {
        let limits = [(429, html), (400, throttled), (503, throttled)];
        let limits = limits.map(|(status, body)| (status, body, of_a_limit));
        let faults = [(503, html), (503, down)].map(|(status, body)| (status, body, of_a_fault));
        // Without time, they take turns: one limit and one fault for each wait.
        let tried = if is_long() {
            [&limits[..], &faults].concat()
        } else {
            vec![limits[turn % limits.len()], faults[turn % faults.len()]]
        };
        for (status, body, minutes) in tried {
            let about = format!("{status} {said:?} {body}");
            let content = if body == html { "text/html" } else { "application/json" };
            let headers = vec![
                ("Content-Type", content.to_owned()),
                ("Date", day(0).format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
                ("Retry-After", said.to_owned()),
            ];
            let body = body.as_bytes().to_vec();
            let mut world =
                World::new().config(&format!("{ONE_TRY}{BRAND}")).token("BRAND", user());
            world.graph.misbehave(Rule::any(), FaultInjection::Raw { status, headers, body });
            world.run(&["refresh"]).exit(Exit::Unavailable);
            assert_eq!(world.calls().len(), 1, "{about}");
            world.graph.behave();
            if minutes > 0 {
                world.at(minute(0, minutes - 1));
                world.run(&["refresh"]).exit(Exit::Unavailable);
                assert_eq!(world.calls(), [""; 0], "{about}");
            }
            world.at(minute(0, minutes + 1));
            let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
            assert_eq!(ran.outcomes()["brand"], "adopted", "{about}");
        }
    }
}

#[test]
fn what_a_throttled_host_keeps_back_is_told_once() {
    let config = format!("{ONE_TRY}concurrency = 1\n{BRAND}{TWO}");
    let world = World::new()
        .config(&config)
        .token("BRAND", user())
        .token("OTHER", TokenFixture::user(APP, ANNA).named("other"));
    world.graph.misbehave(Rule::any(), too_many(Some("3600")));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES  REASON
brand  failed   -        rate limited
other  skipped  -        rate limited

unknown: `brand` and `other`: not checked yet, a proxy or another server answered, not Graph: status 429, content type `text/html`, no JSON; it wants to be asked again in 60 minutes
  hint: nothing to do yet: it is tried again once Meta allows more calls

2 tokens: 1 skipped, 1 failed
").exit(Exit::Unavailable);
}

/// A limit that is one business's, on the list of Pages: Graph answers again in twelve minutes.
fn list_limit(minutes: Option<u32>) -> FaultInjection {
    let mut headers = vec![("Content-Type", "application/json".to_owned())];
    headers.extend(minutes.map(|minutes| {
        let usage = format!(r#"{{"77":[{{"type":"pages","call_count":100,"estimated_time_to_regain_access":{minutes}}}]}}"#);
        ("X-Business-Use-Case-Usage", usage)
    }));
    let body = r#"{"error":{"message":"There have been too many calls","type":"OAuthException","code":80001}}"#;
    FaultInjection::Raw { status: 400, headers, body: body.as_bytes().to_vec() }
}

fn with_pages() -> TokenFixture {
    user().scopes(["public_profile", "pages_show_list"])
}

const ALL: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
pages = "all"
"#;

/// The list was asked for in every run, which makes the block longer. The token itself is not
/// concerned.
#[test]
fn a_limit_on_a_list_holds_for_the_list() {
    for (named, minutes) in [(Some(12), 12), (Some(120), 120), (None, 50)] {
        let config = format!("{ONE_TRY}{ALL}");
        let mut world = World::new().config(&config).token("BRAND", with_pages());
        world.graph.misbehave(Rule::on("/me/accounts"), list_limit(named));
        world.run(&["refresh"]).exit(Exit::Unavailable);
        assert_eq!(world.calls(), ["debug_token Brand", "me/accounts Brand"], "{named:?}");
        world.at(minute(0, minutes - 1));
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Unavailable);
        assert_eq!(world.calls(), [""; 0], "{named:?}");
        let result = ran.result("brand");
        assert_eq!(result["outcome"], "skipped", "{named:?}");
        let reason = result["reason"].as_str().unwrap();
        assert!(
            reason.starts_with("its Pages are not listed: Meta throttles the list"),
            "{reason}"
        );
        // Insisting renews the token, and leaves the list alone.
        assert_ne!(world.run(&["refresh", "--force", "brand"]).code, Some(0), "{named:?}");
        assert!(!world.calls().contains(&"me/accounts Brand".to_owned()), "{named:?}");
        world.graph.behave();
        world.at(minute(0, minutes + 1));
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
        assert_eq!(ran.outcomes().len(), 3, "{named:?}: {}", ran.stdout);
    }
}

/// A limit that is one person's or business's, on a question about one access token: it was asked
/// again in every run, which makes the block longer. Other tokens are not concerned.
#[test]
fn a_limit_on_a_question_about_a_token_holds_for_that_token() {
    for (named, minutes) in [(Some(12), 12), (Some(120), 120)] {
        let mut world = World::new()
            .config(&format!("{ONE_TRY}concurrency = 1\n{BRAND}[token.other]\ntype = \"user\"\naccess_token = {{ env = \"OTHER\" }}\n"))
            .token("BRAND", user())
            .token("OTHER", TokenFixture::user(APP, ANNA).named("other"));
        world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
        world.calls();
        world.at(day(2));
        world.graph.misbehave(Rule::any().about("EAAFAKEBrand1"), list_limit(named));
        world.run(&["refresh", "brand"]).exit(Exit::Unavailable);
        assert_eq!(world.calls(), ["debug_token Brand"], "{named:?}");
        world.graph.behave();
        for at in [1, minutes - 1] {
            world.at(minute(2, at));
            let ran = world.run(&["refresh", "brand", "other", "--json"]).exit(Exit::Unavailable);
            assert_eq!(world.calls(), ["debug_token Other"], "{named:?} {at}");
            let result = ran.result("brand");
            let reason = result["reason"].as_str().unwrap();
            assert!(reason.contains("Meta throttles questions about it until"), "{reason}");
            world.run(&["check"]).code(0);
        }
        world.at(minute(2, minutes + 1));
        world.run(&["refresh", "brand", "--quiet"]).silent().exit(Exit::Ok);
        assert_eq!(world.calls(), ["debug_token Brand"], "{named:?}");
    }
}

#[test]
fn a_limit_on_one_page_holds_for_the_others_and_the_list() {
    let config = format!(
        "{ONE_TRY}concurrency = 1\n{BRAND}
[token.bakery]
type = \"page\"
parent = \"brand\"
page_id = \"{}\"
",
        crate::common::BAKERY
    );
    let mut world = World::new().config(&config).token("BRAND", user());
    // The list does not show it, so it is asked for by its id.
    world.graph.misbehave(Rule::on("/me/accounts"), answer(200, r#"{"data":[]}"#));
    world.graph.misbehave(Rule::on(crate::common::BAKERY), list_limit(Some(30)));
    world.run(&["refresh"]).exit(Exit::Unavailable);
    assert_eq!(world.calls().len(), 3);
    world.graph.behave();
    world.at(minute(0, 29));
    world.run(&["refresh"]).exit(Exit::Unavailable);
    assert_eq!(world.calls(), [""; 0]);
    world.at(minute(0, 31));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["bakery"], "derived");
}

/// A list that Graph cuts short says nothing against the Pages that it lacks.
#[test]
fn a_list_that_is_cut_short_is_said_and_retires_nobody() {
    let config = format!("{ONE_TRY}{ALL}");
    let mut world = World::new().config(&config).token("BRAND", with_pages());
    world.run(&["refresh"]).exit(Exit::Ok);
    let cut = r#"{"data":[],"paging":{"next":"https://graph.example/v25.0/77/accounts?limit=25&access_token=EAAfake"}}"#;
    let headers = vec![("Content-Type", "application/json".to_owned())];
    world.graph.misbehave(
        Rule::on("/me/accounts"),
        FaultInjection::Raw { status: 200, headers, body: cut.as_bytes().to_vec() },
    );
    for at in [1, 5, 9, 13] {
        world.at(day(at));
        let ran = world.run(&["refresh", "--force", "brand"]).exit(Exit::Ok);
        let said = "
warning: `brand`: Graph lists some of its Pages and does not say how to ask for the others
  hint: add each Page that is missing by its id: run `metatoken add PAGE --type page --parent brand --page-id ID`
";
        assert!(ran.stdout.contains(said), "day {at}: {}", ran.stdout);
    }
    let status = world.run(&["status", "--offline", "--json"]).exit(Exit::Ok);
    for page in [crate::common::BAKERY, crate::common::CAFE] {
        assert_eq!(status.token(&format!("brand/{page}"))["health"], "ok", "{page}");
    }
}

/// One page of a hundred was asked for on every try and in every run, and never given.
#[test]
fn a_list_that_is_too_much_at_once_is_given_in_parts() {
    let config = format!("{ONE_TRY}{ALL}");
    let world = World::new().config(&config).token("BRAND", with_pages());
    world.graph.with(|graph| {
        let mut anna = UserFixture::new(ANNA, "Anna");
        for n in 1..=60 {
            let id = format!("20000000000001{n:02}");
            graph.add_page(PageFixture::new(&id, "Shop"));
            anna = anna.with_page(&id, Listing::Listed);
        }
        graph.add_user(anna);
        graph.set_most_at_once(25);
    });
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes().len(), 61);
    let lists = world.calls().iter().filter(|call| call.starts_with("me/accounts")).count();
    assert_eq!(lists, 2 + 3, "100 and 50 are refused, three times 25 are given");
}

/// The run exited with 77, and `check` said that all was well.
#[test]
fn a_list_that_is_refused_is_told_by_check_until_it_is_given() {
    let config = format!("{ONE_TRY}{ALL}");
    let mut world = World::new().config(&config).token("BRAND", with_pages());
    let refused =
        r#"{"error":{"code":100,"type":"OAuthException","message":"(#100) Missing permissions"}}"#;
    world.graph.misbehave(Rule::on("/me/accounts"), answer(400, refused));
    for minutes in [0, 60, 120] {
        world.at(minute(0, minutes));
        world.run(&["refresh"]).exit(Exit::PersonNeeded);
        world.run(&["check"]).verdict("
METATOKEN WARNING - brand: works, permission missing, its Pages are not listed…; its owner grants it: metatoken login brand
WARNING: `brand`: works, permission missing, its Pages are not listed without `pages_show_list`
  the person behind the token logs in to the app again and grants it, ticking every Page: run `metatoken login brand`. Proof: `metatoken check brand`. Meta: \"(#100) Missing permissions\" (100)
").code(1);
    }
    world.graph.behave();
    world.at(minute(0, 180));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes().len(), 3);
    world.run(&["check", "--json"]).code(0);
}

/// Meta's own words, in the run that met them.
#[test]
fn missing_permissions_under_code_100_are_granted() {
    let world = World::new().config(&format!("{ONE_TRY}{ALL}")).token("BRAND", with_pages());
    let refused =
        r#"{"error":{"code":100,"type":"OAuthException","message":"(#100) Missing permissions"}}"#;
    world.graph.misbehave(Rule::on("/me/accounts"), answer(400, refused));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  permission missing (100)

warning: `brand`: works, permission missing, its Pages are not listed without `pages_show_list`
  hint: the person behind the token logs in to the app again and grants it, ticking every Page: run `metatoken login brand`
  Meta: \"(#100) Missing permissions\" (100)

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
}
