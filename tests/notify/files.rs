//! `[alerts] textfile`: the metrics as they are when a run has ended.

use super::{CHAT, dead, logs_in_again, well};
use crate::common::{day, mode};

const TEXTFILE: &str = "[alerts]\ntextfile = \"metrics/metatoken.prom\"\n";

/// The value of a series.
#[track_caller]
fn value(text: &str, series: &str) -> i64 {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{series} ")));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

#[test]
fn a_run_writes_them_when_it_has_ended() {
    let (mut world, _hook) = well("");
    world.write("metrics/other.prom", "");
    let config = format!("{}{TEXTFILE}", crate::common::BRAND);
    world.reconfigure(&config);
    let path = world.path("metrics/metatoken.prom");
    for arguments in [&["refresh", "-n"][..], &["check"], &["status"], &["exchange", "--stored"]] {
        let _ = world.run(arguments);
        assert!(!path.exists(), "{arguments:?}");
    }
    let finished = "metatoken_run_finished_timestamp_seconds";
    for today in [2, 3] {
        world.at(day(today));
        world.run(&["refresh", "--quiet"]).code(0).silent();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(value(&text, finished), day(today).timestamp());
        assert_eq!(value(&text, "metatoken_run_exit_code"), 0);
    }
    assert_eq!(mode(&path), 0o644);
    super::kill(&world);
    world.at(day(5));
    world.run(&["refresh", "--quiet"]).code(77);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(value(&text, finished), day(5).timestamp());
    assert_eq!(value(&text, "metatoken_run_success_timestamp_seconds"), day(3).timestamp());
    assert_eq!(value(&text, "metatoken_run_exit_code"), 77);
    assert_eq!(value(&text, "metatoken_token_valid{token=\"brand\",type=\"user\"}"), 0);
    // A run for one token is a run.
    logs_in_again(&world);
    world.run(&["refresh", "brand", "--quiet"]).code(0);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(value(&text, "metatoken_token_valid{token=\"brand\",type=\"user\"}"), 1);
}

/// The title was cut in the middle of a path, and what was wrong with the file stood nowhere.
#[test]
fn what_a_title_has_no_room_for_stands_below_it() {
    let folder = "a/folder/whose/name/is/so/long/that/it/fills/the/line/of/a/pager";
    let textfile = format!("[alerts]\ntextfile = \"{folder}/metatoken.prom\"\n");
    let (world, hook) = well(&format!("{CHAT}{textfile}"));
    let [request] = hook.heard().try_into().unwrap();
    let text = request.text();
    let (title, below) = text.split_once('\n').unwrap();
    assert!(title.contains('…'), "{title}");
    let file = world.path(folder).join("metatoken.prom").display().to_string();
    let cause = below.lines().next().unwrap();
    assert!(cause.starts_with("cause: ") && cause.contains(&file), "{cause}");
    assert!(!cause.contains('…'), "{cause}");
}

#[test]
fn a_file_that_cannot_be_written_is_a_warning_that_people_are_told_of() {
    let (world, hook) = well(&format!("{CHAT}{TEXTFILE}"));
    // Its folder is not there.
    let [said] = hook.said().try_into().unwrap();
    assert!(said.contains("the metrics file") && said.starts_with("WARNING: "), "{said}");
    let ran = world.run(&["refresh", "--json"]).code(0);
    let system = ran.json()["system"].clone();
    assert_eq!(system[0]["code"], "textfile_failed", "{system:#}");
    assert_eq!(system.as_array().unwrap().len(), 1);
    assert_eq!(hook.said(), [""; 0]);
    world.run(&["check"]).code(0);
    world.write("metrics/other.prom", "");
    let ran = world.run(&["refresh", "--json"]).code(0);
    assert_eq!(ran.json()["system"], serde_json::json!([]));
    let [said] = hook.said().try_into().unwrap();
    assert!(said.starts_with("RECOVERED: recovered, was: the metrics file"), "{said}");
}

#[test]
fn metrics_that_cannot_be_written_keep_nobody_from_being_told() {
    let (world, hook) = dead(&format!("{CHAT}{TEXTFILE}"));
    hook.said();
    world.run(&["refresh", "--quiet"]).code(77);
    assert_eq!(hook.said(), [super::DEAD]);
}
