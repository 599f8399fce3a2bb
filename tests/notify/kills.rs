//! A kill before something is told loses nothing, and one after it tells it once more under the
//! same number.

use serde_json::Value;

use super::{CHAT, DEAD, dead};
use crate::common::{Request, day};

const JSON: &str = "[[notify]]\nname = \"json\"\nwebhook = \"[HOOK]/json\"\nformat = \"json\"\n";

#[track_caller]
fn number(request: &Request) -> String {
    let json = request.json();
    let id = json["id"].as_str().unwrap().to_owned();
    assert_eq!(request.header("idempotency-key"), Some(id.as_str()));
    id
}

#[test]
fn killed_before_it_is_told() {
    let (mut world, hook) = dead(CHAT);
    for _ in 0..2 {
        world.killed_at("telling", &["refresh"], "");
        assert_eq!(hook.lines(), [""; 0]);
    }
    world.at(day(2));
    world.run(&["refresh"]).code(77);
    assert_eq!(hook.said(), [DEAD]);
    world.run(&["refresh"]).code(77);
    assert_eq!(hook.said(), [""; 0]);
}

#[test]
fn killed_after_it_was_told() {
    let (mut world, hook) = dead(JSON);
    world.killed_at("told", &["refresh"], "");
    let [first] = hook.heard().try_into().unwrap();
    // Whoever comes next says it again, under its number.
    world.at(day(2));
    world.killed_at("told", &["check", "--notify"], "");
    let [second] = hook.heard().try_into().unwrap();
    world.run(&["refresh"]).code(77);
    let [third] = hook.heard().try_into().unwrap();
    assert_eq!([&second, &third].map(number), [number(&first), number(&first)]);
    let reason = |request: &Request| -> Value { request.json()["reason"].clone() };
    assert_eq!(reason(&first), reason(&third));
    world.run(&["refresh"]).code(77);
    assert_eq!(hook.lines(), [""; 0]);

    // What is told next has another one, even if it is the same.
    let mut numbers = vec![number(&first)];
    for today in [3, 4] {
        super::logs_in_again(&world);
        world.at(day(today));
        world.run(&["refresh"]).code(0);
        super::kill(&world);
        world.at(day(today) + chrono::TimeDelta::hours(25));
        world.run(&["refresh"]).code(77);
        numbers.extend(hook.heard().iter().map(number));
    }
    assert_eq!(numbers.len(), 5);
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 5);
}

#[test]
fn killed_between_two() {
    let (mut world, hook) = dead(&format!("{}{CHAT}", super::OTHER));
    let other = world.in_use("other");
    world
        .graph
        .with(|graph| graph.invalidate(&other, metatoken::sandbox::Invalidation::Checkpoint));
    world.killed_at("told", &["refresh"], "");
    let first = hook.said();
    assert_eq!(first.len(), 1);
    world.at(day(2));
    world.run(&["refresh"]).code(77);
    let then = hook.said();
    assert_eq!((then.len(), &then[0]), (2, &first[0]));
    assert_ne!(then[0], then[1]);
    world.run(&["refresh"]).code(77);
    assert_eq!(hook.said(), [""; 0]);
}
