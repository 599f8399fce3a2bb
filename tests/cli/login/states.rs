//! Answers that belong to no login, to another, or to one that is over.

use chrono::TimeDelta;
use metatoken::exit::Exit;

use super::{ALL, CONFIG, address, anna_grants, code, edit_config, hand_in, kept, play};
use crate::common::{ANNA, World, day};

const AGAIN: &str = "hint: for a new address, run `metatoken login brand`\n";

/// Hands an answer in, which is refused without a question to Meta.
#[track_caller]
fn refused(world: &World, answer: &str, expected: &str) {
    world.calls();
    let _ = hand_in(world, "brand", answer, &[])
        .stdout("")
        .stderr(&format!("\nerror: brand: {expected}\n{AGAIN}"))
        .exit(Exit::InputRefused);
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn a_state_that_is_old_is_refused() {
    let mut world = kept(CONFIG);
    let answer = anna_grants(&world, ALL);
    world.at(day(10) + TimeDelta::hours(2));
    let expected = "refused: its address was valid until 2026-01-11 01:00 UTC, 60 minutes ago";
    refused(&world, &answer, expected);
}

#[test]
fn an_address_may_be_valid_for_a_week_and_no_longer() {
    let mut world = kept(CONFIG);
    let output = world.command(&["login", "brand", "--print-url", "--valid", "7d"]).output();
    let address = String::from_utf8(output.unwrap().stdout).unwrap();
    world.at(day(16));
    let answer = play(&world, &address, &format!("as={ANNA}&decision=allow{ALL}"));
    let ran = hand_in(&world, "brand", &answer, &[]);
    assert!(ran.stdout.contains("logged in"), "{}{}", ran.stdout, ran.stderr);
    for valid in ["8d", "0s"] {
        let _ = world
            .run(&["login", "brand", "--print-url", "--valid", valid])
            .stdout("")
            .stderr("\nerror: --valid: must lie between 1s and 7d\n")
            .exit(Exit::Usage);
    }
}

#[test]
fn a_state_that_is_forged_or_another_stores_is_refused() {
    let world = kept(CONFIG);
    let answer = anna_grants(&world, ALL);
    let unsigned = "refused: its `state` was not signed by this store";
    let (place, state) = answer.split_once("state=").unwrap();
    let (said, signature) = state.trim_end_matches("#_=_").split_once('.').unwrap();
    let bent: String = signature.chars().rev().collect();
    for forged in [
        format!("{place}state={said}.{bent}"),
        format!("{place}state={said}"),
        format!("{place}state={said}."),
        format!("{place}state=.{signature}"),
        format!("{place}state=x{said}.{signature}"),
        format!("{place}state=x"),
    ] {
        refused(&world, &forged, unsigned);
    }
    let other = kept(CONFIG);
    refused(&world, &anna_grants(&other, ALL), unsigned);
    refused(
        &world,
        place.trim_end_matches('&'),
        "refused: its address has no `state`, so it answers no login of this store",
    );
    let _ = hand_in(&world, "brand", &answer, &[]).exit(Exit::Ok);
}

#[test]
fn a_state_of_another_label_app_or_redirect_address_is_refused() {
    const TWO: &str = r#"
[token.brand]
type = "user"

[token.shop]
type = "user"
user_id = "3000000000000001"
"#;
    let world = kept("[token.brand]\ntype = \"user\"\n");
    world.reconfigure(TWO);
    let answer = play(&world, &address(&world, "shop"), &format!("as={ANNA}&decision=allow"));
    let _ = hand_in(&world, "brand", &answer, &[])
        .stdout("")
        .stderr(
            "
error: brand: refused: it answers the login of `shop`
hint: run `metatoken login shop --answer FILE` with it
",
        )
        .exit(Exit::InputRefused);
    let answer = anna_grants(&world, "");
    edit_config(&world, "id = \"1000000000000001\"", "id = \"1000000000000002\"");
    let another = "refused: it answers a login to another app, 1000000000000001";
    refused(&world, &answer, another);
    edit_config(&world, "id = \"1000000000000002\"", "id = \"1000000000000001\"");
    edit_config(&world, "[app.main]", "[app.main]\nredirect_uri = \"https://login.example/\"");
    let _ = hand_in(&world, "brand", &answer, &[])
        .stdout("")
        .stderr(
            "
error: brand: not the answer of a login: its address is of another place: https://localhost/
hint: hand in the address in the address bar of the browser, which begins with https://login.example/
",
        )
        .exit(Exit::InputRefused);
    let query = answer.split_once('?').unwrap().1;
    let another = "refused: it answers a login with another redirect address, https://localhost/";
    refused(&world, query, another);
}

#[test]
fn an_answer_is_taken_once_also_when_it_is_handed_in_twice_at_the_same_moment() {
    let world = kept(CONFIG);
    let answer = anna_grants(&world, ALL);
    world.write("answer", &answer);
    let both = [0, 1].map(|_| world.spawn(&["login", "brand", "--answer", "answer"]));
    let [one, other] = both.map(|child| world.finish(child));
    let (taken, late) = if one.code == Some(0) { (one, other) } else { (other, one) };
    assert!(taken.stdout.contains("1 logged in"), "{}{}", taken.stdout, taken.stderr);
    let used = "refused: this login was handed in 2026-01-11 00:00 UTC, and works once";
    let expected = format!("\nerror: brand: {used}\n{AGAIN}");
    let _ = late.stdout("").stderr(&expected).exit(Exit::InputRefused);
    let exchanges = world.calls().iter().filter(|call| *call == "oauth/access_token -").count();
    assert_eq!(exchanges, 1);
    // The code alone is the same answer.
    refused(&world, code(&answer), used);
}
