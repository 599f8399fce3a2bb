//! The exchange of the code: it is tried once, and whatever goes wrong there ends in a new address.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{Call, FaultInjection, Rule};

use super::{
    ALL, CONFIG, address, anna_grants, code, edit_config, hand_in, kept, locked_out, read,
};
use crate::common::{APP, APP_SECRET, World, day};

const AGAIN: &str = "hint: for a new address, run `metatoken login brand`
hint: the current access token is untouched
";

/// Hands an answer in whose code gives nothing, with exactly one try at Meta.
#[track_caller]
fn spent(world: &World, answer: &str, exit: Exit, expected: &str) {
    world.calls();
    let _ = hand_in(world, "brand", answer, &[])
        .stdout("")
        .stderr(&format!("\nerror: brand: {expected}\n{AGAIN}"))
        .exit(exit);
    assert_eq!(world.calls(), ["oauth/access_token -"], "no second try");
    // What is typed next works.
    assert!(address(world, "brand").contains("/dialog/oauth?"));
}

#[test]
fn a_code_that_gives_nothing_says_why() {
    let mut world = kept(CONFIG);
    let refused = Exit::InputRefused;

    let answer = anna_grants(&world, ALL);
    let form = format!(
        "client_id={APP}&client_secret={APP_SECRET}&redirect_uri=https%3A%2F%2Flocalhost%2F&code={}",
        code(&answer)
    );
    let call = Call::new("POST", "/v26.0/oauth/access_token", []).with_form(&form);
    assert_eq!(world.graph.with(|graph| graph.answer(&call)).status, 200);
    spent(&world, &answer, refused, "the code was used already; it works once");

    let answer = anna_grants(&world, ALL);
    let cut = answer.replace(code(&answer), "AQFAK");
    spent(&world, &cut, refused, "Meta does not know the code; it may be cut off");

    let answer = anna_grants(&world, ALL);
    world.at(day(10) + TimeDelta::minutes(11));
    spent(&world, &answer, refused, "the code has expired; it works for some minutes");

    let answer = anna_grants(&world, ALL);
    edit_config(&world, "[app.main]", "[app.main]\nredirect_uri = \"https://login.example/\"");
    let moved = "the code came to another redirect address than it is handed in with";
    spent(&world, code(&answer), refused, moved);
}

#[test]
fn code_1_over_a_code_verifier_is_not_tried_again() {
    let world = kept(CONFIG);
    let answer = anna_grants(&world, ALL);
    let words = "code_verifier param is provided without a code_challenge";
    let body = format!(r#"{{"error":{{"message":"{words}.","type":"OAuthException","code":1}}}}"#);
    world.graph.misbehave(
        Rule::on("/oauth/access_token"),
        FaultInjection::Raw { status: 400, headers: Vec::new(), body: body.into() },
    );
    let expected = format!("the code is spent, and gave nothing: {words} (code 1)");
    spent(&world, &answer, Exit::PersonNeeded, &expected);
}

#[test]
fn a_network_fault_spends_the_code_and_offers_a_new_address() {
    for injection in [
        FaultInjection::CloseBeforeAnswer,
        FaultInjection::CloseAfterEffect,
        FaultInjection::Code2Transient,
    ] {
        let world = kept(CONFIG);
        let answer = anna_grants(&world, ALL);
        world.graph.misbehave(Rule::on("/oauth/access_token"), injection);
        world.calls();
        let ran = hand_in(&world, "brand", &answer, &[]).stdout("").exit(Exit::Unavailable);
        assert!(
            ran.stderr.starts_with("error: brand: the code is spent, and gave nothing: ")
                && ran.stderr.ends_with(AGAIN),
            "{}",
            ran.stderr
        );
        assert_eq!(world.calls(), ["oauth/access_token -"]);
        world.graph.behave();
        let ran = hand_in(&world, "brand", &answer, &[]);
        assert!(ran.stderr.contains("works once"), "never tried twice: {}", ran.stderr);
        let answer = anna_grants(&world, ALL);
        let _ = hand_in(&world, "brand", &answer, &[]).exit(Exit::Ok);
    }
}

#[test]
fn a_login_that_could_not_be_checked_is_sealed_and_taken_by_the_next_run() {
    let world = locked_out();
    let answer = anna_grants(&world, ALL);
    world.graph.misbehave(Rule::on("/debug_token"), FaultInjection::Code2Transient);
    let ran = hand_in(&world, "brand", &answer, &[]).stdout("").exit(Exit::Unavailable);
    assert!(
        ran.stderr.contains("the new access token is sealed, but not checked yet: ")
            && ran.stderr.ends_with("hint: run `metatoken refresh brand`\n"),
        "{}",
        ran.stderr
    );
    world.graph.behave();
    let ran = world.run(&["refresh", "brand", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.result("brand")["outcome"], "logged_in", "{}", ran.stdout);
    assert_eq!(read(&world, "app.env"), "BRAND=EAAFAKEAnna2\n");
}

#[test]
fn a_kill_between_code_and_seal_is_named_and_loses_no_more_than_that_login() {
    for (place, is_lost) in
        [("before-request", true), ("granted", true), ("before-seal", true), ("sealed", false)]
    {
        let world = locked_out();
        let answer = anna_grants(&world, ALL);
        world.killed_at(place, &["login", "brand", "--answer", "-"], &answer);
        let ran = world.run(&["refresh", "--json"]);
        let result = ran.result("brand");
        if is_lost {
            let ran = ran.exit(Exit::PersonNeeded);
            assert_eq!(result["outcome"], "invalid", "{place}: {}", ran.stdout);
            let again = hand_in(&world, "brand", &answer, &[]);
            assert!(again.stderr.contains("works once"), "{place}: {}", again.stderr);
            let answer = anna_grants(&world, ALL);
            let _ = hand_in(&world, "brand", &answer, &[]).exit(Exit::Ok);
            let events = world.events("brand");
            let named = events.iter().filter(|(_, why)| why.starts_with("a login that began "));
            assert_eq!(named.count(), 1, "{place}: {events:?}");
        } else {
            let _ = ran.exit(Exit::Ok);
            assert_eq!(result["outcome"], "logged_in", "{place}");
            let (event, _) =
                world.events("brand").into_iter().rfind(|it| it.0 != "delivered").unwrap();
            assert_eq!(event, "logged_in", "{place}");
        }
    }
}
