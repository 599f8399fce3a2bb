//! What is posted in a body of the operator's own, with headers, and where to.

use serde_json::json;

use super::{OTHER, dead, kill, logs_in_again, well};
use crate::common::{APP, BRAND, Reply, World, day};

const OWN: &str = r#"
[[notify]]
name = "own"
webhook = "[HOOK]/own"
headers = { Authorization = { env = "HOOK_KEY" }, X-Team = "ops" }
body = '''
{
  "t": "{title}", "n": 1.50,
  "m": "{message}", "s": "{severity}", "l": "{label}", "r": "{remedy}", "id": "{id}"
}
'''
"#;

#[test]
fn a_body_of_ones_own_is_filled_and_keeps_one_id_until_it_is_over() {
    let (world, hook) = well(&format!("owner = \"anna \\\"x\\\" \\\\\"\n{OWN}"));
    let mut world = world.with("HOOK_KEY", "Bearer fakefakekey");
    kill(&world);
    world.run(&["refresh"]).code(77).stderr("");
    let [alarm] = hook.heard().try_into().unwrap();
    assert_eq!(alarm.header("authorization"), Some("Bearer fakefakekey"));
    assert_eq!(alarm.header("x-team"), Some("ops"));
    assert_eq!(alarm.header("content-type"), Some("application/json"));
    assert!(alarm.body.contains("\"n\": 1.50,"), "{}", alarm.body);
    let body = alarm.json();
    let title = "brand: down, password changed; anna \"x\" \\ logs in: metatoken login brand";
    assert_eq!(body["t"], title);
    assert_eq!(body["m"].as_str().unwrap().lines().next(), Some(&*format!("CRITICAL: {title}")));
    assert_eq!((&body["s"], &body["l"]), (&json!("critical"), &json!("brand")));
    assert_eq!(body["r"], "anna \"x\" \\ logs in to the app again: run `metatoken login brand`");
    logs_in_again(&world);
    world.at(day(2));
    world.run(&["refresh"]).code(0).stderr("");
    let [over] = hook.heard().try_into().unwrap();
    let over = over.json();
    assert_eq!(over["t"], "brand: recovered, was: password changed");
    assert_eq!((&over["s"], &over["r"]), (&json!("ok"), &json!("")));
    assert_eq!(over["id"], body["id"]);
}

#[test]
fn a_kill_between_sending_and_storing_changes_no_id() {
    let (world, hook) = dead(OWN);
    let mut world = world.with("HOOK_KEY", "Bearer fakefakekey");
    world.killed_at("told", &["refresh"], "");
    world.run(&["refresh"]).code(77);
    logs_in_again(&world);
    world.at(day(2));
    world.killed_at("told", &["refresh"], "");
    world.run(&["refresh"]).code(0);
    let ids: Vec<_> = hook.heard().iter().map(|it| it.json()["id"].clone()).collect();
    assert_eq!(ids, vec![ids[0].clone(); 4]);
}

/// Where nothing is opened, nothing is closed one by one.
#[test]
fn a_body_without_an_id_is_told_like_a_chat() {
    let plain = "[[notify]]\nname = \"own\"\nwebhook = \"[HOOK]/own\"\nbody = '{\"text\": \"{message}\"}'\n";
    let (mut world, hook) = dead(&format!("{OTHER}{plain}"));
    world.run(&["refresh"]).code(77);
    let other = world.in_use("other");
    world
        .graph
        .with(|graph| graph.invalidate(&other, metatoken::sandbox::Invalidation::PasswordChanged));
    world.at(day(2) + chrono::TimeDelta::hours(2));
    world.run(&["refresh"]).code(77);
    hook.lines();
    logs_in_again(&world);
    let string = world.mint(
        metatoken::sandbox::TokenFixture::user(crate::common::APP, crate::common::ANNA)
            .named("other")
            .scopes(super::SCOPES),
    );
    world.run_with_input(&["exchange", "other"], &string).code(0);
    world.at(day(3));
    world.run(&["refresh"]).code(0);
    assert_eq!(hook.said(), ["RECOVERED: brand and 1 more: recovered, was: password changed"]);
}

const CLOSES: &str = r#"
[[notify]]
name = "own"
webhook = "[HOOK]/open"
body = '{"id": "{id}"}'
[notify.recovered]
webhook = "[HOOK]/close/{id}?by=id"
body = '{"was": "{title}"}'
"#;

#[test]
fn what_is_over_goes_to_an_address_and_in_a_body_of_its_own() {
    let (mut world, hook) = dead(&format!("{CLOSES}{OTHER}"));
    let other = world.in_use("other");
    world
        .graph
        .with(|graph| graph.invalidate(&other, metatoken::sandbox::Invalidation::PasswordChanged));
    world.run(&["refresh"]).code(77);
    let opened = hook.heard();
    let ids: Vec<String> =
        opened.iter().map(|it| it.json()["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.iter().all(|id| id.len() < 100), "{ids:?}");
    logs_in_again(&world);
    world.at(day(2));
    world.run(&["refresh"]).code(77);
    let [closed] = hook.heard().try_into().unwrap();
    assert!(ids.iter().any(|id| closed.line == format!("POST /close/{id}?by=id")), "{closed:?}");
    assert_eq!(closed.body, r#"{"was": "brand: recovered, was: password changed"}"#);
}

#[test]
fn the_test_of_a_channel_closes_what_it_opens() {
    let (world, hook) = well(CLOSES);
    world.run(&["notify", "--test"]).code(0).stdout("own: webhook, sent; see that it arrived\n");
    let [open, close] = hook.heard().try_into().unwrap();
    let id = open.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (open.line, close.line),
        ("POST /open".to_owned(), format!("POST /close/{id}?by=id"))
    );
    hook.reply("/close", Reply::Status(422, "no such alert"));
    let why = "HTTP 422 of `127.0.0.1`: no such alert";
    let said = format!("own: webhook, failed: {why}\n");
    world.run(&["notify", "--test"]).code(1).stdout(&said).stderr("");
}

#[test]
fn a_header_is_a_secret_that_nothing_repeats() {
    let (world, hook) = dead(OWN);
    let world = world.with("HOOK_KEY", "Bearer fakefakekey");
    hook.reply("/own", Reply::Status(403, "unknown key fakefakekey"));
    let ran = world.run(&["-vv", "refresh"]).code(77);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("fakefake"), "{}", ran.stderr);
    let warning =
        "notifications to `own` fail since 2026-01-02 00:00 UTC, now: HTTP 403 of `127.0.0.1`\n";
    assert!(ran.stdout.contains(warning), "{}", ran.stdout);
    let shown = world.run(&["config", "show"]).code(0).stdout;
    let line =
        "# notify\nheaders = { Authorization = { env = \"HOOK_KEY\" }, X-Team = \"(literal)\" }\n";
    assert!(shown.contains(line), "{shown}");
    for (key, why) in [
        (
            "fake\nX-Other: fake",
            "the value of the header `Authorization`: it has a character that no HTTP header may hold",
        ),
        (
            "",
            "header `Authorization`: its secret cannot be read: the environment variable `HOOK_KEY` is not set",
        ),
    ] {
        let world = well(OWN).0.with("HOOK_KEY", key);
        let said = format!("own: webhook, failed: {why}\n");
        world.run(&["notify", "--test", "own"]).code(1).stdout(&said).stderr("");
    }
}

#[test]
fn no_program_inherits_the_secret_of_a_header() {
    let (world, _hook) = well("");
    let world = world.with("HOOK_KEY", "fakefakekey").with("PATH", "/usr/bin:/bin");
    world.write("tell.sh", "env > \"${0%/*}/variables\"\n");
    let program = world.path("tell.sh").display().to_string();
    world.reconfigure(&format!(
        "{BRAND}{}[[notify]]\ncommand = [\"/bin/sh\", \"{program}\"]\n",
        OWN.replace("[HOOK]", "https://hooks.example.org")
    ));
    world.run(&["notify", "--test", "/bin/sh"]).code(0);
    let variables = std::fs::read_to_string(world.path("variables")).unwrap();
    assert!(!variables.contains("HOOK_KEY"), "{variables}");
}

#[test]
fn plain_http_leads_to_no_public_host() {
    let config =
        "[[notify]]\nname = \"own\"\nwebhook = { env = \"HOOK_URL\" }\nallow_http = true\n";
    for (url, host) in [
        ("http://198.51.100.7/fakefake", "198.51.100.7"),
        ("http://hooks.example.org/fakefake", "hooks.example.org"),
        ("http://3325256711/fakefake", "198.51.100.7"),
    ] {
        let (world, _hook) = well(config);
        let world = world.with("HOOK_URL", url);
        let said = format!(
            "own: webhook, failed: `{host}` is not on a private network, so plain `http` is not used: write `https`\n"
        );
        world.run(&["notify", "--test"]).code(1).stdout(&said).stderr("");
    }
    let (world, _hook) = well(config);
    let world = world.with("HOOK_URL", "http://no-such-host.invalid.internal/fakefake");
    let ran = world.run(&["notify", "--test"]).code(1).stderr("");
    let begins = "own: webhook, failed: ";
    assert!(ran.stdout.starts_with(begins) && !ran.stdout.contains("fakefake"), "{}", ran.stdout);
}

/// A key in a body is a secret like every other.
#[test]
fn a_body_with_a_key_in_it_is_read_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let key = "0123456789abcdef0123456789abcdef";
    let config = "[[notify]]\nname = \"own\"\nwebhook = { env = \"HOOK_URL\" }\nbody = '{\"key\": \"KEY\"}'\n";
    for (key, code, shown) in [(key, 78, "(literal)"), ("short", 0, "short")] {
        let (world, _hook) = well(&config.replace("KEY", key));
        let world = world.with("HOOK_URL", "https://hooks.example.org");
        assert!(world.run(&["config", "show"]).code(0).stdout.contains(shown));
        let file = world.path("metatoken.toml");
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
        world.run(&["config", "show"]).code(code);
    }
}

/// Which Graph version answers is seen only while Graph is asked.
#[test]
fn another_version_that_answered_is_over_once_the_right_one_answers() {
    let (mut world, hook) = well(CLOSES);
    let answering = |world: &World, version: Option<&str>| {
        let version = version.map(str::to_owned);
        world.graph.with(|graph| graph.app_mut(APP).unwrap().answers_as = version);
    };
    answering(&world, Some("v24.0"));
    world.run(&["refresh"]).code(0).stderr("");
    assert_eq!(hook.lines(), ["POST /open"]);
    // Nothing is due, so nothing is heard of it; nor by a check.
    world.at(day(1) + chrono::TimeDelta::hours(1));
    world.run(&["refresh"]).code(0).stderr("");
    world.run(&["check", "--notify"]).code(0);
    assert_eq!(hook.lines(), [""; 0]);
    answering(&world, None);
    world.at(day(2) + chrono::TimeDelta::hours(1));
    world.run(&["refresh"]).code(0).stderr("");
    let closed = hook.lines();
    assert!(closed[0].starts_with("POST /close/") && closed.len() == 1, "{closed:?}");
    world.at(day(3) + chrono::TimeDelta::hours(1));
    world.run(&["refresh"]).code(0).stderr("");
    assert_eq!(hook.lines(), [""; 0]);
}
