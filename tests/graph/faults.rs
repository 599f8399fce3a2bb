//! A Graph, or a network before it, that answers anything but what was asked.
//!
//! Whatever comes back, the stored token stays as it is, nothing is half written, no storm of calls
//! sets in, and when Graph behaves again the next run that is due does its work.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use metatoken::sandbox::{FaultInjection, OldString, Rule, TokenFixture};

use crate::common::{ANNA, APP, BRAND, World, day};

const IMPATIENT: &str = "[http]\ntimeout = \"1s\"\n";
const ONE: &str = "EAAFAKEBrand1";
const TWO: &str = "EAAFAKEBrand2";

/// A misbehaviour with what a run makes of it: exit code, problem kind, action.
struct Case {
    name: &'static str,
    misbehaviour: FaultInjection,
    code: u8,
    kind: &'static str,
    action: &'static str,
}

fn cases() -> Vec<Case> {
    let case =
        |name, misbehaviour, code, kind, action| Case { name, misbehaviour, code, kind, action };
    let down = |name, misbehaviour| case(name, misbehaviour, 69, "graph_unavailable", "retry");
    let odd = |name, misbehaviour| case(name, misbehaviour, 1, "malformed_response", "retry");
    let raw = |status, body: &str| FaultInjection::Raw {
        status,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
    };
    vec![
        odd("a page for people", FaultInjection::Html),
        odd("nothing", FaultInjection::Nothing),
        odd("null", FaultInjection::Null),
        odd("10 MB", FaultInjection::Huge(10_000_000)),
        odd("another shape", raw(200, r#"{"data":[1,{"x":null}],"access_token":7}"#)),
        odd("half a document", raw(200, r#"{"access_token":"EAAFAKEBra"#)),
        odd("an empty string as a token", raw(200, r#"{"access_token":"","token_type":"bearer"}"#)),
        odd("no text", raw(200, "\u{fffd}\u{0}\u{1}")),
        odd("deeply nested", raw(200, &"[".repeat(100_000))),
        down("status 500", FaultInjection::Status(500)),
        down("status 503", FaultInjection::Status(503)),
        down("code 2", FaultInjection::Code2Transient),
        case("code 4", FaultInjection::Throttled, 69, "rate_limited", "slow_down"),
        case("code 17", FaultInjection::UserThrottled, 69, "rate_limited", "slow_down"),
        case("closed before the answer", FaultInjection::CloseBeforeAnswer, 69, "network", "retry"),
    ]
}

/// One case of each sort.
fn few() -> Vec<Case> {
    let wanted = ["a page for people", "null", "status 500", "code 4", "closed before the answer"];
    cases().into_iter().filter(|case| wanted.contains(&case.name)).collect()
}

/// After a fault the token is what it was, by its string and by its state.
#[track_caller]
fn untouched(world: &World, state: &str, what: &str) {
    assert_eq!(world.in_use("brand"), ONE, "{what}");
    let status = world.offline("brand");
    assert_eq!(status["state"], state, "{what}: {status:#}");
    assert_eq!(status["generation"], 1, "{what}");
    let strings: (i64, i64) = world
        .sql()
        .query_row("SELECT count(*), max(number) FROM generation", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(strings, (1, 1), "{what}: no candidate came of it");
    assert!(world.last_run().0, "{what}: the run is written down");
}

#[test]
fn a_renewal_that_meets_a_malformed_answer_changes_nothing_and_is_made_up_for() {
    renew_and_make_up_for(|case| case.kind == "malformed_response");
}

#[test]
fn a_renewal_that_meets_an_outage_changes_nothing_and_is_made_up_for() {
    renew_and_make_up_for(|case| case.kind != "malformed_response");
}

fn renew_and_make_up_for(which: impl Fn(&Case) -> bool) {
    for Case { name, misbehaviour, code, kind, action } in cases().into_iter().filter(which) {
        let mut world = World::with_brand(IMPATIENT);
        world.at(day(45));
        world.graph.misbehave(Rule::any(), misbehaviour);
        let before = world.calls_to("");
        let ran = world.run(&["refresh", "--json"]).code(code);
        let result = ran.result("brand");
        assert_eq!(result["outcome"], "failed", "{name}: {result:#}");
        assert_eq!(result["problem"]["kind"], kind, "{name}: {result:#}");
        assert_eq!(result["problem"]["action"], action, "{name}: {result:#}");
        let calls = world.calls_to("") - before;
        assert!(calls <= 8, "{name}: {calls} calls");
        untouched(&world, "valid", name);

        // Once more while it lasts: backed off or tried again, but never a storm.
        let _ = world.run(&["refresh", "--json"]);
        assert!(world.calls_to("") - before <= 12, "{name}: {}", world.calls_to("") - before);
        untouched(&world, "valid", name);

        world.graph.behave();
        world.at(day(46));
        let ran = world.run(&["refresh", "--json"]).code(0);
        assert_eq!(ran.outcomes()["brand"], "refreshed", "{name}: {}", ran.stdout);
        assert_eq!(world.in_use("brand"), TWO, "{name}");
        assert_eq!(world.offline("brand")["state"], "valid", "{name}");
    }
}

#[test]
fn a_verification_that_meets_a_fault_changes_no_verdict() {
    for Case { name, misbehaviour, code, kind, .. } in few() {
        let mut world = World::with_brand(IMPATIENT);
        world.at(day(10));
        world.graph.misbehave(Rule::any(), misbehaviour);
        let before = world.calls_to("");
        let ran = world.run(&["refresh", "--json"]).code(code);
        assert_eq!(ran.result("brand")["problem"]["kind"], kind, "{name}");
        untouched(&world, "valid", name);
        let live = world.run(&["status", "--live", "--json"]).code(0).json();
        assert_eq!(live["tokens"][0]["state"], "valid", "{name}: {live:#}");
        assert_eq!(live["tokens"][0]["problem"]["kind"], kind, "{name}: {live:#}");
        assert_eq!(live["tokens"][0]["valid"], true, "{name}: {live:#}");
        assert!(world.calls_to("") - before <= 12, "{name}: {}", world.calls_to("") - before);
        let stored = world.run(&["check"]).code;
        assert_eq!(world.run(&["check", "--live"]).code, stored, "{name}");
        world.an_hour_later();
        let ran = world.run(&["refresh", "--json"]).code(0);
        assert_eq!(ran.outcomes()["brand"], "verified", "{name}: {}", ran.stdout);
    }
}

impl World {
    /// Graph is well again, and what was to be left alone for a while may be asked again.
    fn an_hour_later(&mut self) {
        self.graph.behave();
        let now = self.graph.with(|graph| graph.now());
        self.at(now + TimeDelta::hours(1));
    }
}

#[test]
fn a_first_string_that_cannot_be_examined_waits_and_is_used_later() {
    for Case { name, misbehaviour, code, kind, .. } in few() {
        let mut world = World::new()
            .config(&format!("{IMPATIENT}{BRAND}"))
            .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
        world.graph.misbehave(Rule::any(), misbehaviour);
        let ran = world.run(&["refresh", "--json"]).code(code);
        assert_eq!(ran.result("brand")["problem"]["kind"], kind, "{name}: {}", ran.stdout);
        world.run(&["token", "brand"]).code(1).stdout("");
        assert_eq!(world.offline("brand")["state"], "missing", "{name}");
        world.an_hour_later();
        let ran = world.run(&["refresh", "--json"]).code(0);
        assert_eq!(ran.outcomes()["brand"], "adopted", "{name}: {}", ran.stdout);
        assert_eq!(world.in_use("brand"), ONE, "{name}");
    }
}

#[test]
fn a_string_that_is_handed_over_to_a_fault_is_not_lost_by_us() {
    for Case { name, misbehaviour, code, .. } in few() {
        let mut world = World::with_brand(IMPATIENT);
        world.at(day(10));
        let ends = metatoken::token::Expiry::At(day(10) + TimeDelta::hours(2));
        let string = world.mint(TokenFixture::user(APP, ANNA).named("pasted").ending(ends));
        world.graph.misbehave(Rule::on("/oauth/access_token"), misbehaviour);
        let ran = world.run_with_input(&["exchange", "brand", "--json"], &string).code(code);
        let error = &ran.json()["error"];
        assert_eq!(error["subject"], "brand", "{name}: {error:#}");
        assert_eq!(world.in_use("brand"), ONE, "{name}");
        world.an_hour_later();
        world.run_with_input(&["exchange", "brand"], &string).code(0);
        assert_eq!(world.in_use("brand"), "EAAFAKEPasted2", "{name}");
    }
}

#[test]
fn a_grant_that_is_examined_by_a_faulty_graph_waits_sealed() {
    for Case { name, misbehaviour, code, .. } in few() {
        let mut world = World::with_brand(IMPATIENT);
        world.graph.with(|graph| graph.set_old_string(OldString::Dies));
        world.at(day(45));
        world.graph.misbehave(Rule::on("/debug_token"), misbehaviour);
        world.run(&["refresh", "--json"]).code(code);
        assert_eq!((world.exchanges(), world.in_use("brand").as_str()), (1, ONE), "{name}");
        let _ = world.run(&["refresh", "--json"]);
        assert_eq!(world.exchanges(), 1, "{name}: no second grant while the first waits");
        world.an_hour_later();
        world.run(&["refresh", "--json"]).code(0);
        assert_eq!((world.exchanges(), world.in_use("brand").as_str()), (1, TWO), "{name}");
    }
}

#[test]
fn a_slow_graph_is_given_up() {
    let mut world = World::with_brand("[http]\ntimeout = \"1s\"\nattempts = 1\n");
    world.at(day(10));
    world.graph.latency(Duration::from_secs(20));
    let began = Instant::now();
    let ran = world.run(&["refresh", "--json"]).code(69);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(ran.result("brand")["problem"]["kind"], "network");
    untouched(&world, "valid", "slow");
}

#[test]
fn an_answer_that_drips_is_given_up_too() {
    let mut world = World::with_brand("[http]\ntimeout = \"1s\"\nattempts = 1\n");
    world.at(day(10));
    world.graph.misbehave(Rule::any(), FaultInjection::Slow(Duration::from_millis(100)));
    let began = Instant::now();
    let ran = world.run(&["refresh", "--json"]).code(69);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(ran.result("brand")["problem"]["kind"], "network");
    untouched(&world, "valid", "dripping");
}

#[test]
fn a_grant_whose_answer_is_lost_is_not_asked_for_twice_in_a_run() {
    for (fate, at_last) in [(OldString::Lives, Some("EAAFAKEBrand3")), (OldString::Dies, None)] {
        let mut world = World::with_brand(IMPATIENT);
        world.graph.with(|graph| graph.set_old_string(fate));
        world.at(day(45));
        let once = Rule::on("/oauth/access_token").once();
        world.graph.misbehave(once, FaultInjection::CloseAfterEffect);
        let ran = world.run(&["refresh", "--json"]).code(69);
        assert_eq!(ran.result("brand")["problem"]["kind"], "network");
        assert_eq!(world.exchanges(), 1);
        untouched(&world, "valid", "lost");

        world.at(day(46));
        let ran = world.run(&["refresh", "--json"]);
        if let Some(string) = at_last {
            assert_eq!(ran.code(0).outcomes()["brand"], "refreshed");
            assert_eq!(world.in_use("brand"), string);
        } else {
            let result = ran.code(77).result("brand");
            assert_eq!(result["problem"]["action"], "reauthenticate", "{result:#}");
            untouched(&world, "invalid", "both are gone");
        }
    }
}

#[test]
fn nobody_listens() {
    let mut world = World::with_brand("");
    world.at(day(39));
    world.run(&["refresh"]).code(0);
    world.at(day(41));
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let config = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
    world.write("metatoken.toml", config.replace(&world.graph.url(), &closed));
    let began = Instant::now();
    let ran = world.run(&["refresh", "--json"]).code(69);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let problem = &ran.result("brand")["problem"];
    assert_eq!((&problem["kind"], &problem["action"]), (&"network".into(), &"retry".into()));
    untouched(&world, "valid", "refused");
    world.run(&["refresh", "--quiet"]).silent();
    world.write("metatoken.toml", &config);
    world.at(day(42));
    assert_eq!(world.run(&["refresh", "--json"]).code(0).outcomes()["brand"], "refreshed");
}

#[test]
fn many_tokens_find_a_dead_graph_once() {
    let mut tables = "[http]\nconcurrency = 1\nattempts = 2\n".to_owned();
    for n in 0..12 {
        tables
            .push_str(&BRAND.replace("brand", &format!("t{n}")).replace("BRAND", &format!("T{n}")));
    }
    for (misbehaviour, most) in [
        (FaultInjection::Status(500), 6),
        (FaultInjection::CloseBeforeAnswer, 3),
        (FaultInjection::Throttled, 1),
    ] {
        let mut world = World::new().config(&tables);
        for n in 0..12 {
            world = world.token(&format!("T{n}"), TokenFixture::user(APP, ANNA));
        }
        world.run(&["refresh"]).code(0);
        world.at(day(45));
        world.graph.misbehave(Rule::any(), misbehaviour.clone());
        let before = world.calls_to("");
        let ran = world.run(&["refresh", "--json"]).code(69);
        let calls = world.calls_to("") - before;
        assert!(calls <= most, "{misbehaviour:?}: {calls} calls");
        assert_eq!(ran.outcomes().len(), 12);
        world.graph.behave();
        world.at(day(46));
        let ran = world.run(&["refresh", "--json"]).code(0);
        assert!(ran.outcomes().values().all(|it| it == "refreshed"), "{:?}", ran.outcomes());
    }
}
