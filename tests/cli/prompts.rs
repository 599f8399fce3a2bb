//! What a terminal of 80 columns is asked: every line fits, and the cursor stands behind the question.

use std::process::Command;

use metatoken::sandbox::TokenFixture;

use crate::common::{APP, ROBOT, World, converse_at, lacking, skip};

/// The longest label that somebody is likely to give.
const LONG: &str = "the-token-of-the-bakery-in-the-old-town-that-posts-every-morning";

/// Types it at 80 columns and answers what it asks; every line that is shown fits.
#[track_caller]
fn shown(command: &mut Command, turns: &[(&str, &str)]) -> String {
    command.env("NO_COLOR", "1");
    let (shown, _) = converse_at(80, "\"$@\"", command, turns);
    for line in shown.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line:?}", line.chars().count());
    }
    shown
}

#[test]
fn every_question_fits_80_columns() {
    if let Some(why) = lacking(&["script", "stty"]) {
        return skip("prompts::every_question_fits_80_columns", &why);
    }
    let config = format!("[token.{LONG}]\ntype = \"system-user\"\nowner = \"anna\"\n");
    let world = World::new().config(&config);
    let pasted = world.mint(TokenFixture::system_user(APP, ROBOT).named("ads"));
    let asked = format!("the new access token for\n  `{LONG}`: \n");
    let said = shown(&mut world.command(&["exchange", LONG]), &[("`: ", &pasted)]);
    assert!(said.starts_with(&asked), "{said}");
    let said =
        shown(&mut world.command(&["revoke", LONG, "--generation", "1"]), &[("to go on: ", "no")]);
    assert!(said.contains("Revoke the access tokens of\n"), "{said}");
    assert!(said.contains("to go on: no\n"), "{said}");
    let said = shown(&mut world.command(&["key", "rotate", "--new", "-"]), &[("key: ", "zz")]);
    assert!(said.starts_with("the new store key: \n"), "{said}");
    world.reconfigure("");
    let said = shown(&mut world.command(&["forget", "--owner", "anna"]), &[("to go on: ", "no")]);
    let asked = "\nDelete the access tokens of 1 token here? Type 1 to go on: no\n";
    assert!(said.contains(asked), "{said}");
}
