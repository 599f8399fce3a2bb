//! What somebody reads who knows nothing of the tool: state, cause, who acts, and the command.

use metatoken::sandbox::Invalidation;

use super::plugin::Output;
use super::{SCENARIOS, rehearse, user};
use crate::common::{World, day, measure};

#[test]
fn each_line_is_short_and_plain() {
    for scenario in SCENARIOS {
        let world = World::new();
        measure(&rehearse(&world, scenario, &["check"]));
        for now in ["+0d", "+1d", "+5d", "+14d", "+41d", "+70d"] {
            let _ = rehearse(&world, scenario, &["refresh", "--now", now]);
            measure(&rehearse(&world, scenario, &["check"]));
            measure(&rehearse(&world, scenario, &["check", "--system"]));
        }
        measure(&rehearse(&world, scenario, &["check", "--now", "+120d"]));
    }
}

#[test]
fn each_trouble_is_short_and_plain() {
    let world = World::new();
    let ran = rehearse(&world, "troubles", &["refresh", "--json"]);
    let labels: Vec<String> = ran.outcomes().into_keys().collect();
    assert!(labels.len() > 20);
    for label in labels {
        measure(&rehearse(&world, "troubles", &["check", &label]));
    }
}

/// What stands before the commands is not counted, and all the same the line stays under 200 characters
/// with its whole command in it: a pager showed `metatoken refresh never-past…`.
#[test]
fn a_long_prefix_costs_the_cause_and_never_the_command() {
    let world = World::new();
    let ran = rehearse(&world, "troubles", &["refresh", "--json"]);
    let config = world.path("rehearsal/troubles/metatoken.toml");
    let prefix = "sudo -u metatoken env METATOKEN_CONFIG=/etc/metatoken/metatoken.toml";
    let text = std::fs::read_to_string(&config).unwrap();
    let text = format!("{text}\n[alerts]\nprefix = \"{prefix}\"\n");
    world.write("rehearsal/troubles/metatoken.toml", text);
    let mut commands = 0;
    for label in ran.outcomes().into_keys() {
        let json = rehearse(&world, "troubles", &["check", &label, "--json"]).json();
        let first = Output::of(&rehearse(&world, "troubles", &["check", &label])).text;
        assert!(first.chars().count() < 200, "{first}");
        let reason = &json["tokens"][0]["reasons"][0];
        let Some(command) = reason["command"].as_str() else { continue };
        assert!(command.starts_with(prefix), "{command}");
        assert!(first.contains(command), "{first}");
        let shown = json["summary"].as_str().unwrap();
        assert_eq!(first.split_once(" - ").unwrap().1, shown.replace('|', "/"));
        commands += 1;
    }
    assert!(commands > 20, "{commands}");
}

/// What is down is worse than what works and needs a person: it is what a pager shows first.
#[test]
fn what_is_down_comes_before_what_works() {
    let mut world = World::new()
        .config(
            "[token.near]\ntype = \"user\"\naccess_token = { env = \"NEAR\" }\n\
             [token.dead]\ntype = \"user\"\naccess_token = { env = \"DEAD\" }\n",
        )
        .token("NEAR", user("near"));
    let dead = world.mint(user("dead"));
    world.set("DEAD", &dead);
    world.run(&["refresh", "--quiet"]).silent().code(0);
    let text = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
    let text = text.replace("[token.near]", "[token.near]\nrequired_scopes = [\"ads_read\"]");
    world.write("metatoken.toml", text);
    world.graph.with(|graph| graph.invalidate(&dead, Invalidation::PasswordChanged));
    world.at(day(1));
    let _ = world.run(&["refresh", "--quiet"]);
    let ran = world.run(&["check", "--perfdata", "none"]).code(2);
    let causes: Vec<&str> =
        ran.stdout.lines().filter(|line| line.starts_with("CRITICAL")).collect();
    assert!(ran.stdout.starts_with("METATOKEN CRITICAL - dead: down"), "{}", ran.stdout);
    assert!(causes[0].starts_with("CRITICAL: `dead`: down"), "{causes:?}");
    assert!(causes[1].starts_with("CRITICAL: `near`: works"), "{causes:?}");
}

/// The alerts by which a reader who did not know the tool could not act.
#[test]
fn ten_alerts_say_state_cause_who_and_command() {
    let world = World::new();
    let _ = rehearse(&world, "troubles", &["refresh"]);
    let config = "[DIR]/rehearsal/troubles/metatoken.toml";
    for (label, code, said) in [
        (
            "short-parent",
            2,
            "METATOKEN CRITICAL - short-parent: works, expires in 2 hours; sam@trouble.example takes a new one: metatoken exchange short-parent
CRITICAL: `short-parent`: works, expires in 2 hours (2026-01-01 02:00 UTC), short-lived, without `parent` it cannot be renewed
  sam@trouble.example takes a new Page token from a long-lived user token; then run `metatoken exchange short-parent` and paste it. If that user token is kept here, set it as `parent` of `[token.short-parent]` instead. Proof: `metatoken check short-parent`
".to_owned(),
        ),
        (
            "instagram-no-secret",
            1,
            format!("METATOKEN WARNING - instagram-no-secret: works, app no-secret…; operator adds it: metatoken refresh --force instagram-no-secret
WARNING: `instagram-no-secret`: works, app `no-secret` has no `secret`, may expire within 1 hour
  copy the app's secret (Instagram, API setup with Instagram login) into `secret` of `[app.no-secret]` in {config}; then run `metatoken refresh --force instagram-no-secret`. A token that is generated in the app's dashboard lives sixty days without it. Proof: `metatoken check instagram-no-secret`. Meta: \"Session key invalid. This could be because the session key has an incorrect format, or…\" (452)
"),
        ),
        (
            "wrong-secret",
            2,
            format!("METATOKEN CRITICAL - wrong-secret: not checked yet, wrong id or secret of app mistyped; operator: metatoken refresh
CRITICAL: `wrong-secret`: not checked yet, wrong id or secret of app `mistyped`
  compare `id` (1000000000000004) and `secret` of `[app.mistyped]` in {config} with the app's dashboard (App settings, Basic); then run `metatoken refresh`. Proof: `metatoken check wrong-secret`. Meta: \"Invalid OAuth access token signature\" (190)
"),
        ),
        (
            "no-longer-listed",
            2,
            format!("METATOKEN CRITICAL - no-longer-listed: never worked, Page 2000000000000013 not found or no…; metatoken refresh no-longer-listed
CRITICAL: `no-longer-listed`: never worked, Page 2000000000000013 not found or no role on it
  compare `page_id` of `[token.no-longer-listed]` in {config} with the Page's id; then run `metatoken refresh no-longer-listed`. If it is right, a person who manages the Page gives edda@trouble.example a role on it first. Proof: `metatoken check no-longer-listed`. Meta: \"Unsupported get request. Object with ID '2000000000000013' does not exist, cannot be…\" (100/33)
"),
        ),
        (
            "foreign-app",
            2,
            format!("METATOKEN CRITICAL - foreign-app: never worked, token of another…; operator pastes the right one: metatoken exchange foreign-app
CRITICAL: `foreign-app`: never worked, token of another app than `main`, found in `FOREIGN_APP` in `[DIR]/rehearsal/troubles/app.env`, line 20
  paste a token of app `main`: run `metatoken exchange foreign-app`. If the token is the right one, correct `app` of `[token.foreign-app]`, or `id` of `[app.main]`, in {config}. Proof: `metatoken check foreign-app`. Meta: code 100
"),
        ),
        (
            "not-ticked",
            2,
            "METATOKEN CRITICAL - not-ticked: never worked, editor has no access to…; edda@trouble.example grants it: metatoken login editor
CRITICAL: `not-ticked`: never worked, `editor` has no access to Page 2000000000000014 (not ticked)
  edda@trouble.example logs in to the app again and grants it, ticking every Page: run `metatoken login editor`. Proof: `metatoken check not-ticked`
".to_owned(),
        ),
        (
            "checkpoint",
            2,
            "METATOKEN CRITICAL - checkpoint: down, account held; chris@trouble.example logs in at facebook.com: metatoken refresh checkpoint
CRITICAL: `checkpoint`: down, account held
  chris@trouble.example opens facebook.com, logs in and does what it asks; then run `metatoken refresh checkpoint`. No other person can do it; the token is kept and may work again. Proof: `metatoken check checkpoint`. Meta: \"You cannot access the app till you log in to www.facebook.com and follow…\" (190/459)
".to_owned(),
        ),
        (
            "not-extended",
            1,
            "METATOKEN WARNING - not-extended: works, expires in 6 days, renewal gives no…; no action tonight: retried daily until 2026-01-04
WARNING: `not-extended`: works, expires in 6 days (2026-01-07 00:00 UTC), renewal gives no later expiry
  no action tonight: it is retried daily until 2026-01-04. If this is still here then, noor@trouble.example logs in to the app again: run `metatoken login not-extended`
".to_owned(),
        ),
        (
            "expired",
            2,
            "METATOKEN CRITICAL - expired: down since 2025-12-20, expired; erin@trouble.example logs in: metatoken login expired
CRITICAL: `expired`: down since 2025-12-20, expired
  erin@trouble.example logs in to the app again: run `metatoken login expired`. Proof: `metatoken check expired`. Meta: \"Session has expired on Friday, 19-Dec-25 16:00:00 PST. The current time is Wednesday…\" (190/463)
".to_owned(),
        ),
    ] {
        rehearse(&world, "troubles", &["check", label]).verdict(&said).code(code);
    }
    // How much there is room for depends on the path.
    let ran = rehearse(&world, "troubles", &["check", "never-pasted"]).code(2);
    let (first, rest) = ran.stdout.split_once('\n').unwrap();
    let begins = "METATOKEN CRITICAL - never-pasted: never worked, NEVER_PASTED in ";
    assert!(first.starts_with(begins), "{first}");
    assert!(first.contains("; operator: metatoken refresh never-pasted | "), "{first}");
    let file = "[DIR]/rehearsal/troubles/app.env";
    assert_eq!(
        rest,
        format!(
            "CRITICAL: `never-pasted`: never worked, `NEVER_PASTED` in `{file}` is missing
  set `NEVER_PASTED` in `{file}` to the access token; then run `metatoken refresh never-pasted`. Proof: `metatoken check never-pasted`
"
        )
    );
}

/// A Page that cannot be helped before its parent is, says so and nothing else.
#[test]
fn a_page_whose_parent_is_down_names_the_parent_and_its_command() {
    let world = World::new();
    let _ = rehearse(&world, "troubles", &["refresh"]);
    let _ = rehearse(&world, "troubles", &["refresh", "--now", "+60d"]);
    rehearse(&world, "troubles", &["check", "not-ticked"])
        .verdict(
            "METATOKEN CRITICAL - not-ticked: never worked, its parent editor is down; edda@trouble.example logs in: metatoken login editor
CRITICAL: `not-ticked`: never worked, its parent editor is down
  edda@trouble.example logs in to the app again: run `metatoken login editor`. Proof: `metatoken check not-ticked`
",
        )
        .code(2);
    let all = rehearse(&world, "troubles", &["check"]).code(2).stdout;
    let said =
        "CRITICAL: `editor`, `no-longer-listed` and `not-ticked`: down since 2026-02-15, expired\n";
    assert!(all.contains(said), "{all}");
    for label in ["editor", "no-longer-listed", "not-ticked"] {
        let named = all.lines().filter(|line| {
            let is_cause = line.starts_with("CRITICAL: ") || line.starts_with("WARNING: ");
            is_cause && line.contains(&format!("`{label}`"))
        });
        assert_eq!(named.count(), 1, "{label}: {all}");
    }
}

/// What was told of a first value that belongs to another app is told again by a later run.
#[test]
fn a_token_of_another_app_stays_one_when_it_is_asked_about_again() {
    let world = World::new();
    let _ = rehearse(&world, "troubles", &["refresh"]);
    let first = rehearse(&world, "troubles", &["check", "foreign-app"]).code(2).stdout;
    let _ = rehearse(&world, "troubles", &["refresh", "--now", "+14d"]);
    let later = rehearse(&world, "troubles", &["check", "foreign-app"]).code(2).stdout;
    assert_eq!(later, first);
    assert!(first.contains("foreign-app: never worked, token of another"), "{first}");
}
