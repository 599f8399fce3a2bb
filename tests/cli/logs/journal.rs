//! The priorities that the journal reads, and whom they are kept from.

use std::path::Path;

use metatoken::sandbox::Invalidation;
use serde_json::Value;

use super::{due, lines};
use crate::common::{World, day, stream_name};

/// A world in which `brand` is dead, on a day when that is known.
fn dead() -> World {
    let mut world = World::with_brand("");
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    world.at(day(2));
    world
}

/// What stands before each line: priorities, or nothing.
fn prefixes(text: &str) -> Vec<&str> {
    text.lines()
        .map(|line| match line.as_bytes() {
            [b'<', b'0'..=b'7', b'>', ..] => &line[..3],
            _ => "",
        })
        .collect()
}

#[test]
fn the_journal_is_told_how_grave_each_line_is() {
    let world = dead();
    let (journal, code) = world.as_service(&["refresh"]);
    assert_eq!(code, Some(77), "{journal}");
    let expected = "
<6>TOKEN  OUTCOME  EXPIRES     REASON
<6>brand  invalid  2026-03-02  password changed (190/460)
<6>
<3>critical: `brand`: down, password changed
<3>  hint: the person behind the token logs in to the app again: run `metatoken login brand`
<3>  Meta: \"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)
<6>
<6>1 token: 1 invalid
";
    assert_eq!(journal, expected.trim_start(), "\n{journal}");

    for (arguments, expected) in [
        (&["check"][..], &["<3>", "<3>", "<3>"][..]),
        (&["refresh", "nobody"], &["<3>", "<3>"]),
        (&["refresh", "nobody", "--log-format", "json"], &["<3>"]),
    ] {
        let (journal, _) = world.as_service(arguments);
        assert_eq!(prefixes(&journal), expected, "{arguments:?}\n{journal}");
    }
    let (journal, _) = world.as_service(&["config", "check"]);
    assert!(prefixes(&journal).iter().all(|prefix| *prefix == "<6>"), "{journal}");
    let (journal, _) = world.as_service(&["refersh"]);
    let prefixes = prefixes(&journal);
    assert!(prefixes.len() == 2 && prefixes.iter().all(|prefix| *prefix == "<3>"), "{journal}");
}

#[test]
fn a_log_in_the_journal_has_priorities() {
    let world = due();
    let (journal, _) = world.as_service(&["refresh", "-vv", "--log-format", "json", "--json"]);
    let (log, report): (Vec<&str>, Vec<&str>) =
        journal.lines().partition(|line| line.starts_with('<'));
    // JSON on standard output is for a program, wherever it goes.
    let report: Value = serde_json::from_str(&report.join("\n")).unwrap();
    assert_eq!(report["results"][0]["outcome"], "refreshed");
    let mut seen = Vec::new();
    for line in log {
        let (prefix, object) = line.split_at(3);
        let level = lines(object)[0]["level"].as_str().unwrap().to_owned();
        let expected = match level.as_str() {
            "error" => "<3>",
            "warning" => "<4>",
            "info" => "<6>",
            _ => "<7>",
        };
        assert_eq!(prefix, expected, "{line}");
        seen.push(expected);
    }
    for prefix in ["<4>", "<6>", "<7>"] {
        assert!(seen.contains(&prefix), "no {prefix} in\n{journal}");
    }
}

#[test]
fn a_token_in_the_journal_is_printed_as_it_is() {
    let world = World::with_brand("");
    assert_eq!(world.as_service(&["token", "brand"]), ("EAAFAKEBrand1\n".to_owned(), Some(0)));
}

#[test]
fn only_the_stream_that_systemd_names_is_the_journal() {
    let world = dead();
    let stderr = world.path("stderr");
    let write = |path: &Path| std::fs::File::create(path).unwrap();
    // Standard error alone.
    let file = write(&stderr);
    let mut command = world.command(&["refresh", "nobody"]);
    command.env("JOURNAL_STREAM", stream_name(&file)).stderr(file.try_clone().unwrap());
    assert_eq!(command.output().unwrap().status.code(), Some(64));
    let said = std::fs::read_to_string(&stderr).unwrap();
    assert_eq!(prefixes(&said), ["<3>", "<3>"], "{said}");
    let mut command = world.command(&["refresh"]);
    command.env("JOURNAL_STREAM", stream_name(&file)).stderr(write(&world.path("other")));
    let output = command.output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(prefixes(&report).iter().all(|prefix| prefix.is_empty()), "{report}");
    // A service whose streams were led elsewhere still has the variable.
    let mut elsewhere = world.command(&["refresh", "nobody"]);
    elsewhere.env("JOURNAL_STREAM", stream_name(&file));
    let said = String::from_utf8(elsewhere.output().unwrap().stderr).unwrap();
    assert_eq!(prefixes(&said), ["", ""], "{said}");
    for nonsense in ["", ":", "1", "x:y", "1:2:3"] {
        let mut command = world.command(&["refresh", "nobody"]);
        command.env("JOURNAL_STREAM", nonsense);
        let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
        assert!(said.starts_with("error: nobody: "), "{said}");
    }
}
