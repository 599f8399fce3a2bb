//! SIGTERM and SIGINT: no new request, what arrives is sealed, the run is written down as ended.

use std::time::{Duration, Instant};

use metatoken::sandbox::{FaultInjection, OldString, Rule, TokenFixture};
use rustix::process::Signal;

use crate::common::{ANNA, APP, BRAND, World, day, signal, until};

const SIGNALS: [(Signal, u8); 2] = [(Signal::TERM, 143), (Signal::INT, 130)];

#[test]
fn what_arrives_after_the_signal_is_sealed_and_nothing_more_is_asked() {
    for (which, code) in SIGNALS {
        let mut world = World::with_brand("");
        world.graph.with(|graph| graph.set_old_string(OldString::Dies));
        world.at(day(45));
        world.graph.latency(Duration::from_secs(1));
        let (connections, calls) = (world.graph.connections(), world.calls_to(""));
        let child = world.spawn(&["refresh", "--json"]);
        until("it asks", || world.graph.connections() > connections);
        signal(&child, which);
        let began = Instant::now();
        world.finish(child).code(code);
        // Before it would give up waiting.
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        assert_eq!(world.calls_to(""), calls + 1, "the answer that was under way, and no more");
        assert_eq!(world.last_run(), (true, Some(i64::from(code))));
        assert_eq!(world.in_use("brand"), "EAAFAKEBrand1", "nobody has looked at the new one yet");

        world.graph.latency(Duration::ZERO);
        world.run(&["refresh"]).code(0);
        assert_eq!((world.in_use("brand").as_str(), world.exchanges()), ("EAAFAKEBrand2", 1));
    }
}

#[test]
fn an_answer_that_hangs_is_given_up_after_five_seconds_and_named_by_the_next_run() {
    let mut world = World::with_brand("");
    world.graph.with(|graph| graph.set_old_string(OldString::Dies));
    world.at(day(45));
    // Meta has granted; its answer takes for ever.
    let drip = FaultInjection::Slow(Duration::from_secs(1));
    world.graph.misbehave(Rule::on("/oauth/access_token"), drip);
    let child = world.spawn(&["refresh", "--json"]);
    until("Meta has granted", || world.exchanges() == 1);
    signal(&child, Signal::TERM);
    let began = Instant::now();
    world.finish(child).code(143);
    let took = began.elapsed();
    assert!((4..10).contains(&took.as_secs()), "{took:?}");
    assert_eq!(world.last_run(), (true, Some(143)));

    world.graph.behave();
    world.run(&["refresh", "--json"]).code(77);
    let events = world.events("brand");
    assert!(events.iter().any(|(_, why)| why.contains("cut short")), "{events:?}");
    assert_eq!(world.exchanges(), 1);
}

#[test]
fn an_exchange_that_hangs_ends_in_time_too() {
    let mut world = World::new().config(&BRAND.replace("access_token = { env = \"BRAND\" }\n", ""));
    world.at(day(10));
    let ends = metatoken::token::Expiry::At(day(10) + chrono::TimeDelta::hours(1));
    let string = world.mint(TokenFixture::user(APP, ANNA).named("brand").ending(ends));
    world.write("pasted", &string);
    world.graph.latency(Duration::from_secs(20));
    let child = world.spawn(&["exchange", "brand", "--token-file", "pasted"]);
    until("it asks", || world.graph.connections() > 0);
    signal(&child, Signal::INT);
    let began = Instant::now();
    world.finish(child).code(130);
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    assert_eq!(world.last_run(), (true, Some(130)));
}

#[test]
fn tokens_whose_turn_did_not_come_are_left_as_they_were() {
    let labels: Vec<String> = (0..6).map(|n| format!("t{n}")).collect();
    let mut tables = "[http]\nconcurrency = 1\n".to_owned();
    for label in &labels {
        let table = BRAND.replace("brand", label).replace("BRAND", &label.to_uppercase());
        tables.push_str(&table);
    }
    let mut world = World::new().config(&tables);
    for label in &labels {
        let spec = TokenFixture::user(APP, ANNA).named("token");
        world = world.token(&label.to_uppercase(), spec);
    }
    world.run(&["refresh"]).code(0);
    world.at(day(45));
    world.graph.latency(Duration::from_secs(1));
    let connections = world.graph.connections();
    let child = world.spawn(&["refresh", "--json"]);
    until("it asks", || world.graph.connections() > connections);
    signal(&child, Signal::TERM);
    let ran = world.finish(child).code(143);
    assert_eq!(world.exchanges(), 1);
    let outcomes = ran.outcomes();
    let skipped = outcomes.values().filter(|outcome| *outcome == "skipped").count();
    assert!(skipped >= 5, "{outcomes:?}");

    world.graph.latency(Duration::ZERO);
    let ran = world.run(&["refresh", "--json"]).code(0);
    assert!(ran.outcomes().values().all(|outcome| outcome == "refreshed"), "{:?}", ran.outcomes());
    assert_eq!(world.exchanges(), 6);
    for label in &labels {
        let events = world.events(label);
        assert!(!events.iter().any(|(_, why)| why.contains("cut short")), "{label}: {events:?}");
    }
}

#[test]
fn somebody_who_only_looks_ends_at_once() {
    let world = World::with_brand("");
    world.graph.latency(Duration::from_secs(20));
    let connections = world.graph.connections();
    let child = world.spawn(&["status", "--live"]);
    until("it asks", || world.graph.connections() > connections);
    signal(&child, Signal::TERM);
    let began = Instant::now();
    let ran = world.finish(child);
    assert!(ran.signal == Some(15) || ran.code == Some(143), "{:?} {:?}", ran.signal, ran.code);
    // A run would wait for its answer for five seconds.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
