//! The workflows' own step, taken from the file and run as a runner does: by `bash -e`, in a checkout
//! with nothing but the config, and with the secrets as variables.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use metatoken::edit::{Format, locate};
use metatoken::sandbox::{Invalidation, TokenFixture};

use super::shipped;
use crate::common::{ANNA, APP, ROBOT, Ran, World, day, ends};

/// A workflow, and the place of its step.
const GITHUB: (&str, &str) = ("ci/github-actions.yml", "jobs.check.steps.2");
const GITLAB: (&str, &str) = ("ci/gitlab-ci.yml", "metatoken.script");

const SECRETS: [&str; 3] = ["META_APP_SECRET", "FB_USER_TOKEN", "WA_TOKEN"];

/// The value at a path of something shipped.
#[track_caller]
fn value(file: &str, path: &str) -> String {
    let found = locate(Format::Yaml, shipped(file).as_bytes(), Some(path));
    found.unwrap_or_else(|error| panic!("{file}: {path}: {error}")).value.to_string()
}

/// The script of a workflow.
fn script(workflow: (&str, &str)) -> String {
    match workflow {
        GITHUB => value(GITHUB.0, &format!("{}.run", GITHUB.1)),
        (file, path) => {
            let lines = (0..2).map(|n| value(file, &format!("{path}.{n}")));
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

/// A repository with both tokens among its secrets.
fn repository(brand: TokenFixture) -> World {
    let world = World::new().config("").with("META_APP_SECRET", crate::common::APP_SECRET);
    let robot = TokenFixture::system_user(APP, ROBOT).scopes(["whatsapp_business_messaging"]);
    world.token("FB_USER_TOKEN", brand).token("WA_TOKEN", robot.named("whatsapp"))
}

fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand").scopes(["pages_show_list", "pages_manage_posts"])
}

/// Runs a workflow's script in a checkout.
fn run(world: &World, workflow: (&str, &str)) -> Ran {
    let usual = world.command(&[]);
    let usual: Vec<&str> = usual.get_args().map(|it| it.to_str().unwrap()).collect();
    let ["--config", config, "--now", now] = usual[..] else { panic!("{usual:?}") };
    let endpoints = std::fs::read_to_string(config).unwrap();
    let (_, endpoints) = endpoints.split_once("[endpoints]").unwrap();
    let config = format!("{}\n[endpoints]{endpoints}", shipped("ci/metatoken.toml"));
    world.write("checkout/.github/metatoken.toml", config);
    let binary = env!("CARGO_BIN_EXE_metatoken");
    world.write("bin/metatoken", format!("#!/bin/sh\nexec '{binary}' --now '{now}' \"$@\"\n"));
    // GitLab's runners check out under a umask of 0. Source: GitLab Runner, issue 1736.
    let (folder, checked_out) = if workflow == GITLAB { (0o777, 0o666) } else { (0o755, 0o644) };
    let modes = [
        ("checkout/.github", folder),
        ("checkout/.github/metatoken.toml", checked_out),
        ("bin/metatoken", 0o755),
    ];
    for (name, mode) in modes {
        std::fs::set_permissions(world.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let secrets = world.command(&[]);
    let secrets: Vec<_> = secrets
        .get_envs()
        .filter(|(name, _)| SECRETS.iter().any(|secret| name == secret))
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    assert_eq!(secrets.len(), SECRETS.len());
    let mut command = Command::new("bash");
    command
        .args(["-e", "-c", &script(workflow)])
        .env_clear()
        .envs(secrets)
        .env("PATH", format!("{}:/usr/bin:/bin", world.path("bin").display()))
        .env("HOME", world.path("home"))
        .current_dir(world.path("checkout"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    world.finish(command.spawn().unwrap())
}

#[test]
fn the_step_has_every_secret_that_the_config_asks_for() {
    let config = shipped("ci/metatoken.toml");
    let asked: Vec<&str> = config.split("env = \"").skip(1).collect();
    let asked: Vec<&str> = asked.iter().map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(asked, SECRETS);
    for name in SECRETS {
        let given = value(GITHUB.0, &format!("{}.env.{name}", GITHUB.1));
        assert_eq!(given, format!("${{{{ secrets.{name} }}}}"));
    }
    assert_eq!(value(GITHUB.0, "on.schedule.0.cron").split(' ').count(), 5);
}

#[test]
fn a_day_on_which_all_is_well_is_silent() {
    let world = repository(brand());
    let said = "METATOKEN OK - 2 tokens, all well\n";
    run(&world, GITHUB).stdout(said).stderr("").code(0);
    let said = run(&world, GITLAB).stderr("").code(0).stdout;
    assert!(said.starts_with("METATOKEN OK - 2 tokens, all well | 'brand'="), "{said}");
    assert!(!world.path("home").exists() && !world.path("checkout/metatoken.db").exists());
}

#[test]
fn an_end_that_draws_near_is_a_warning() {
    let world = repository(brand().ending(ends(10)));
    run(&world, GITHUB).stdout("
::warning title=metatoken%3A `brand`::works, expires in 10 days (2026-01-11 00:00 UTC), `auto_refresh` is off%0Aanna@client.example logs in to the app again: run `metatoken login brand`. Proof: `metatoken check brand`
METATOKEN WARNING - brand: works, expires in 10 days, auto_refresh is off; anna@client.example logs in: metatoken login brand
").stderr("").code(1);
    let said = run(&world, GITLAB).stderr("").code(1).stdout;
    assert!(said.starts_with("METATOKEN WARNING - brand: works, expires in 10 days"), "{said}");
    // Which GitLab is told to let pass with a mark.
    assert!(shipped(GITLAB.0).ends_with("\n  allow_failure:\n    exit_codes: 1\n"));
}

#[test]
fn a_token_that_is_dead_fails_the_job_and_says_what_mends_it() {
    let mut world = repository(brand());
    world.at(day(1));
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::AppRemoved));
    run(&world, GITHUB).stdout("
::error title=metatoken%3A `brand`::down, app removed%0Aanna@client.example logs in to the app again: run `metatoken login brand`. Proof: `metatoken check brand`. Meta: \"The user has not authorized application 1000000000000001\" (190/458)
METATOKEN CRITICAL - brand: down, app removed; anna@client.example logs in: metatoken login brand
").stderr("").code(2);
    run(&world, GITLAB).stderr("").code(2);
}

#[test]
fn a_secret_that_nobody_set_fails_the_job() {
    let world = repository(brand()).with("WA_TOKEN", "");
    run(&world, GITHUB).stdout("
::warning title=metatoken%3A `whatsapp`::never worked, the environment variable `WA_TOKEN` is not set%0Aset the variable `WA_TOKEN` to the access token; then run `metatoken refresh whatsapp`. Proof: `metatoken check whatsapp`
METATOKEN UNKNOWN - whatsapp: never worked, the environment variable WA_TOKEN is not set; operator: metatoken refresh whatsapp
").stderr("").code(3);
    run(&world, GITLAB).stderr("").code(3);
}
