//! Kills of commands that hand an access token over: a grant that is lost before its seal is named, and
//! what was sealed is finished by a timer's run as the command would have.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, OldString, Rule, TokenFixture, UserFixture};
use metatoken::token::Expiry;

use crate::common::{ANNA, APP, BRAND, ROBOT, Ran, World, day};

const LOST: &str =
    "an exchange that began 2026-01-01 00:00 UTC was cut short; what Meta answered is lost";
const BEN: &str = "3000000000000002";
const ADD: [&str; 4] = ["add", "anna", "--type", "user"];
const ADS: &str = "[token.ads]\ntype = \"system-user\"\n\
                   [[token.ads.deliver]]\nname = \"hook\"\n\
                   command = [\"/bin/sh\", \"-c\", \"echo $METATOKEN_EVENT >> FOLDER/events\"]\n";

fn user(name: &str) -> TokenFixture {
    TokenFixture::user(APP, ANNA).named(name).scopes(["public_profile", "pages_show_list"])
}

/// What the Graph API Explorer gives on that day.
fn short(name: &str, on: i64) -> TokenFixture {
    user(name).ending(Expiry::At(day(on) + TimeDelta::hours(1)))
}

fn ads() -> TokenFixture {
    TokenFixture::system_user(APP, ROBOT).named("ads").scopes(["ads_read"])
}

/// A world with a user's token, handed over on day 0; it is day 1.
fn with_brand(spec: TokenFixture) -> World {
    let mut world = World::new().config(&BRAND.replace("access_token = { env = \"BRAND\" }\n", ""));
    let pasted = world.mint(spec);
    world.run_with_input(&["exchange", "brand", "-q"], &pasted).exit(Exit::Ok);
    world.at(day(1));
    world
}

fn kinds(world: &World, label: &str) -> Vec<String> {
    world.events(label).into_iter().map(|(kind, _)| kind).collect()
}

/// The lines of standard error that speak of what was lost.
fn said_lost(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|line| line.contains("is lost")).collect()
}

const BEFORE_THE_SEAL: [&str; 3] = ["before-request", "granted", "before-seal"];

#[test]
fn what_was_lost_is_named_by_the_same_command() {
    for place in BEFORE_THE_SEAL {
        let world = World::new();
        let pasted = world.mint(short("anna", 0));
        world.killed_at(place, &ADD, &pasted);
        let ran = world.run_with_input(&ADD, &pasted).exit(Exit::Ok);
        assert_eq!(said_lost(&ran), [format!("warning: anna: {LOST}")], "{place}");
        let events = world.events("anna");
        assert_eq!(events[0], ("refresh_failed".to_owned(), LOST.to_owned()), "{place}");
        assert_eq!(events[1].0, "exchanged", "{place}: {events:?}");
        world.run(&["refresh", "-q"]).silent().exit(Exit::Ok);

        // One that has an access token: the new exchange says so too, and a renewal was not lost.
        let world = with_brand(user("brand"));
        let pasted = world.mint(short("new", 1));
        world.killed_at(place, &["exchange", "brand"], &pasted);
        let ran = world.run_with_input(&["exchange", "brand", "-q"], &pasted).stdout("");
        let lost = LOST.replace("01-01", "01-02");
        let ran = ran.exit(Exit::Ok).stderr(&format!("\nwarning: brand: {lost}\n"));
        drop(ran);
        assert_eq!(kinds(&world, "brand"), ["adopted", "refresh_failed", "exchanged"], "{place}");
    }
}

#[test]
fn what_was_lost_of_a_label_that_is_not_declared_yet_is_named_by_the_next_run() {
    for place in BEFORE_THE_SEAL {
        let world = World::new();
        let pasted = world.mint(short("anna", 0));
        world.killed_at(place, &ADD, &pasted);
        let expected =
            format!("\nwarning: anna: {LOST}; run the `metatoken add` that was cut short again\n");
        world.run(&["refresh", "-q"]).stdout("").stderr(&expected).exit(Exit::Ok);
        world.run(&["refresh", "-q"]).silent().exit(Exit::Ok);
        let ran = world.run_with_input(&ADD, &pasted).exit(Exit::Ok);
        assert_eq!(said_lost(&ran), [""; 0], "{place}");
        assert_eq!(kinds(&world, "anna"), ["refresh_failed", "exchanged"], "{place}");
    }
}

/// Whatever puts another access token in place: the renewal that was cut short before is not forgotten.
#[test]
fn a_renewal_that_was_cut_short_is_named_whatever_ends_it() {
    let lost =
        "a renewal that began 2026-02-15 00:00 UTC was cut short; what Meta answered is lost";
    for typed in
        [&["refresh", "-q"][..], &["exchange", "brand", "-q"], &["rollback", "brand", "-q"]]
    {
        let mut world = World::with_brand("");
        world.at(day(20));
        let second = world.mint(user("brand").aged(TimeDelta::days(1)));
        world.run_with_input(&["exchange", "brand", "-q"], &second).exit(Exit::Ok);
        world.at(day(45));
        world.killed_at("before-seal", &["refresh", "brand", "--force"], "");
        let third = world.mint(user("brand"));
        world.set("BRAND", &third);
        let ran = world.run_with_input(typed, &third).exit(Exit::Ok);
        let events = world.events("brand");
        let named = events.iter().filter(|(_, why)| why == lost).count();
        assert_eq!(named, 1, "{typed:?}: {events:?}");
        assert_eq!(said_lost(&ran).len(), usize::from(typed[0] != "refresh"), "{}", ran.stderr);
    }
}

#[test]
fn a_lost_answer_to_an_exchange_is_in_the_history() {
    let world = with_brand(user("brand"));
    world.reconfigure(&format!(
        "[http]\nattempts = 1\n{}",
        BRAND.replace("access_token = { env = \"BRAND\" }\n", "")
    ));
    world.graph.misbehave(Rule::on("/oauth/access_token").once(), FaultInjection::CloseAfterEffect);
    let pasted = world.mint(short("new", 1));
    world.run_with_input(&["exchange", "brand"], &pasted).exit(Exit::Unavailable);
    let lost = "the answer to an exchange sent 2026-01-02 00:00 UTC was lost";
    assert_eq!(world.events("brand").pop(), Some(("refresh_failed".to_owned(), lost.to_owned())));
}

/// Hands `new` over on day 1 with these options, kills that once it is sealed, and gives what a timer's
/// run makes of it.
fn finished(world: &World, new: TokenFixture, options: &[&str]) -> Ran {
    let pasted = world.mint(new);
    world.killed_at("sealed", &[&["exchange", "brand"], options].concat(), &pasted);
    world.run(&["refresh", "--json"])
}

#[test]
fn what_was_handed_over_is_finished_by_the_rules_of_handing_over() {
    let sooner = || user("new").ending(Expiry::At(day(40)));
    let bens = || TokenFixture::user(APP, BEN).named("new").scopes(["public_profile"]);
    for (new, options, outcome, exit) in [
        // What expires sooner is taken where that was said, and refused where it was not.
        (sooner(), &["--replace"][..], "adopted", Exit::Ok),
        (sooner(), &[], "failed", Exit::InputRefused),
        (bens(), &["--replace-identity", "--replace"], "adopted", Exit::Ok),
        // An hour's access token is exchanged before it is sealed.
        (short("new", 1), &[], "exchanged", Exit::Ok),
    ] {
        let world = with_brand(user("brand"));
        world.graph.with(|graph| graph.add_user(UserFixture::new(BEN, "Ben")));
        let before = world.in_use("brand");
        let ran = finished(&world, new, options).exit(exit);
        assert_eq!(ran.outcomes()["brand"], outcome, "{options:?}: {}", ran.stdout);
        assert_eq!(world.in_use("brand") == before, exit != Exit::Ok, "{options:?}");
        world.run(&["refresh", "-q"]).silent().exit(Exit::Ok);
    }
}

#[test]
fn what_never_expires_replaces_what_never_expires() {
    let world = World::new();
    let folder = world.path("").display().to_string();
    world.reconfigure(&ADS.replace("FOLDER", folder.trim_end_matches('/')));
    for place in ["sealed", "promoted"] {
        let pasted = world.mint(ads());
        let _ = world.run_with_input(&["exchange", "ads", "-q"], &pasted).exit(Exit::Ok);
        let new = world.mint(ads());
        world.killed_at(place, &["exchange", "ads"], &new);
        world.run(&["refresh", "-q"]).stdout("").exit(Exit::Ok);
        assert_eq!(world.in_use("ads"), new, "{place}");
        world.run_with_input(&["exchange", "ads", "-q"], &new).silent().exit(Exit::Ok);
    }
    let heard = std::fs::read_to_string(world.path("events")).unwrap();
    assert_eq!(heard, "adopted\n".repeat(4));
}

/// Meta ends the short-lived one with its exchange: what came of it is here, so the same command is
/// finished with that, and asks for no other.
#[test]
fn what_was_exchanged_is_not_exchanged_again() {
    for place in ["sealed", "promoted", "added"] {
        let world = World::new();
        world.graph.with(|graph| graph.set_old_string(OldString::Dies));
        let pasted = world.mint(short("anna", 0));
        world.killed_at(place, &ADD, &pasted);
        let ran = world.run_with_input(&[&ADD[..], &["--json"]].concat(), &pasted).exit(Exit::Ok);
        let result = ran.result("anna");
        assert_eq!(result["outcome"], "exchanged", "{place}");
        assert_eq!(
            result["reason"], "an earlier run had it exchanged and was cut short",
            "{place}"
        );
        assert_eq!(world.exchanges(), 1, "{place}");
        assert_eq!(kinds(&world, "anna"), ["exchanged"], "{place}");
        world.run(&["refresh", "-q"]).silent().exit(Exit::Ok);
    }
}
