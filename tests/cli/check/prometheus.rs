//! The metrics, to the letter; and that nothing but metrics is printed in their place.

use std::collections::BTreeSet;

use metatoken::exit::Exit;
use metatoken::sandbox::{Invalidation, TokenFixture};

use super::metrics::{Sample, read};
use super::{SCENARIOS, kept, rehearse, user};
use crate::common::{APP, BRAND, ROBOT, World, day};

const METRICS: &[&str] = &["check", "--format", "prometheus"];

/// All that there are.
const NAMES: [&str; 14] = [
    "metatoken_build_info",
    "metatoken_delivery_in_sync",
    "metatoken_run_exit_code",
    "metatoken_run_finished_timestamp_seconds",
    "metatoken_run_started_timestamp_seconds",
    "metatoken_run_success_timestamp_seconds",
    "metatoken_token_action_required",
    "metatoken_token_consecutive_failures",
    "metatoken_token_data_access_expiry_timestamp_seconds",
    "metatoken_token_expiry_timestamp_seconds",
    "metatoken_token_health",
    "metatoken_token_refreshed_timestamp_seconds",
    "metatoken_token_valid",
    "metatoken_token_verified_timestamp_seconds",
];

/// What a person must do in the scenario of troubles.
const REQUIRED: [&str; 22] = [
    "expired reauthenticate",
    "password-changed reauthenticate",
    "app-removed reauthenticate",
    "checkpoint fix_account",
    "blocked fix_account",
    "unconfirmed fix_account",
    "revoked reauthenticate",
    "logged-out reauthenticate",
    "inactive reauthenticate",
    "instagram-expired reauthenticate",
    "missing-scope grant_permission",
    "data-access reauthenticate",
    "wrong-type fix_configuration",
    "foreign-app fix_configuration",
    "never-pasted fix_configuration",
    "app-disabled fix_configuration",
    "wrong-secret fix_configuration",
    "instagram-no-secret fix_configuration",
    "short-parent reauthenticate",
    "role-lost grant_permission",
    "no-longer-listed fix_configuration",
    "not-ticked grant_permission",
];

/// What is printed of the world below.
const PAGE: &str = r#"
# HELP metatoken_token_expiry_timestamp_seconds When the token expires; absent if it never does or that is not known.
# TYPE metatoken_token_expiry_timestamp_seconds gauge
metatoken_token_expiry_timestamp_seconds{token="brand",type="user"} 1775865600
metatoken_token_expiry_timestamp_seconds{token="shop",type="user"} 1772409600
# HELP metatoken_token_data_access_expiry_timestamp_seconds When access to the person's data expires unless the person returns to the app.
# TYPE metatoken_token_data_access_expiry_timestamp_seconds gauge
metatoken_token_data_access_expiry_timestamp_seconds{token="brand",type="user"} 1775001600
metatoken_token_data_access_expiry_timestamp_seconds{token="shop",type="user"} 1775001600
# HELP metatoken_token_valid Whether Graph last called the token alive; absent if it gave no verdict.
# TYPE metatoken_token_valid gauge
metatoken_token_valid{token="brand",type="user"} 1
metatoken_token_valid{token="robot",type="system-user"} 1
metatoken_token_valid{token="shop",type="user"} 0
# HELP metatoken_token_health 0 ok, 1 warning, 2 critical, 3 unknown, as `metatoken check` exits.
# TYPE metatoken_token_health gauge
metatoken_token_health{token="brand",type="user"} 1
metatoken_token_health{token="robot",type="system-user"} 0
metatoken_token_health{token="shop",type="user"} 2
# HELP metatoken_token_verified_timestamp_seconds When Graph last answered about the token.
# TYPE metatoken_token_verified_timestamp_seconds gauge
metatoken_token_verified_timestamp_seconds{token="brand",type="user"} 1770681600
metatoken_token_verified_timestamp_seconds{token="robot",type="system-user"} 1770681600
metatoken_token_verified_timestamp_seconds{token="shop",type="user"} 1770681600
# HELP metatoken_token_refreshed_timestamp_seconds When the token was last renewed.
# TYPE metatoken_token_refreshed_timestamp_seconds gauge
metatoken_token_refreshed_timestamp_seconds{token="brand",type="user"} 1770681600
# HELP metatoken_token_consecutive_failures How many renewals have failed since the last that did not.
# TYPE metatoken_token_consecutive_failures gauge
metatoken_token_consecutive_failures{token="brand",type="user"} 0
metatoken_token_consecutive_failures{token="robot",type="system-user"} 0
metatoken_token_consecutive_failures{token="shop",type="user"} 1
# HELP metatoken_token_action_required 1 for each kind of step that a person must take.
# TYPE metatoken_token_action_required gauge
metatoken_token_action_required{token="shop",type="user",action="reauthenticate"} 1
# HELP metatoken_delivery_in_sync Whether the target has the current access token; absent if that is not known.
# TYPE metatoken_delivery_in_sync gauge
metatoken_delivery_in_sync{token="brand",type="user",target="app"} 1
metatoken_delivery_in_sync{token="brand",type="user",target="[DIR]/gone.env#TOKEN"} 0
# HELP metatoken_run_started_timestamp_seconds When the last `refresh` began.
# TYPE metatoken_run_started_timestamp_seconds gauge
metatoken_run_started_timestamp_seconds 1770681600
# HELP metatoken_run_finished_timestamp_seconds When the last `refresh` that did its work finished, whatever it found.
# TYPE metatoken_run_finished_timestamp_seconds gauge
metatoken_run_finished_timestamp_seconds 1770681600
# HELP metatoken_run_success_timestamp_seconds When the last `refresh` that found everything well finished.
# TYPE metatoken_run_success_timestamp_seconds gauge
metatoken_run_success_timestamp_seconds 1770595200
# HELP metatoken_run_exit_code The exit code of the last `refresh`.
# TYPE metatoken_run_exit_code gauge
metatoken_run_exit_code 77
# HELP metatoken_build_info The version that wrote these metrics.
# TYPE metatoken_build_info gauge
metatoken_build_info{version="VERSION"} 1
"#;

/// A token that is renewed and reaches one of its files, one that never ends, and one that is
/// revoked on day 40.
fn three() -> World {
    let targets = "[[token.brand.deliver]]\nname = \"app\"\nfile = \"app.env\"\nkey = \"TOKEN\"\n\
                   [[token.brand.deliver]]\nfile = \"gone.env\"\nkey = \"TOKEN\"\n";
    let others = "[token.robot]\ntype = \"system-user\"\naccess_token = { env = \"ROBOT\" }\n\
                  [token.shop]\ntype = \"user\"\naccess_token = { env = \"SHOP\" }\n";
    let mut world = World::new()
        .config(&format!("{BRAND}\n{targets}{others}"))
        .token("BRAND", user("brand"))
        .token("ROBOT", TokenFixture::system_user(APP, ROBOT).named("robot"))
        .token("SHOP", user("shop"));
    for file in ["app.env", "gone.env"] {
        world.write(file, "TOKEN=\n");
    }
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.at(day(39));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    std::fs::remove_file(world.path("gone.env")).unwrap();
    world.graph.with(|graph| graph.invalidate("EAAFAKEShop1", Invalidation::Revoked));
    world.at(day(40));
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    world
}

#[test]
fn the_metrics_are_these() {
    let world = three();
    let page = PAGE.replace("VERSION", env!("CARGO_PKG_VERSION"));
    world.run(METRICS).stdout(&page).stderr("").code(2);
}

#[test]
fn every_metric_is_in_some_page() {
    let samples = read(&three().run(METRICS).code(2).stdout);
    let names: BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    assert_eq!(names, NAMES.into());
}

#[test]
fn every_scenario_prints_what_prometheus_reads() {
    for (scenario, refreshed) in SCENARIOS.iter().flat_map(|it| [(it, false), (it, true)]) {
        let world = World::new();
        if refreshed {
            let _ = rehearse(&world, scenario, &["refresh"]);
        }
        for asked in [&[][..], &["--tokens"], &["--system"], &["--now", "+46d"]] {
            let ran = rehearse(&world, scenario, &[METRICS, asked].concat());
            let samples = read(&ran.stdout);
            assert!(samples.iter().all(|it| NAMES.contains(&it.name.as_str())), "{scenario}");
            assert!(samples.iter().any(|it| it.name == "metatoken_build_info"), "{scenario}");
        }
    }
}

#[test]
fn each_step_that_a_person_must_take_is_one() {
    let world = World::new();
    rehearse(&world, "troubles", &["refresh"]).exit(Exit::PersonNeeded);
    let samples = read(&rehearse(&world, "troubles", METRICS).code(2).stdout);
    let required = samples.iter().filter(|it| it.name == "metatoken_token_action_required");
    let told: Vec<String> = required
        .inspect(|sample| assert_eq!(sample.value, 1))
        .map(|sample| format!("{} {}", sample.label("token"), sample.label("action")))
        .collect();
    assert_eq!(told, REQUIRED);
}

#[test]
fn a_target_that_nobody_has_looked_at_is_absent() {
    let world = three();
    let in_sync = |samples: &[Sample]| -> Vec<(String, i64)> {
        let found = samples.iter().filter(|it| it.name == "metatoken_delivery_in_sync");
        found.map(|it| (it.label("target").to_owned(), it.value)).collect()
    };
    let told = in_sync(&read(&world.run(METRICS).code(2).stdout));
    assert_eq!(told.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [1, 0]);
    let more = "[[token.brand.deliver]]\nname = \"new\"\nfile = \"new.env\"\nkey = \"TOKEN\"\n";
    world.reconfigure(&format!("{BRAND}\n{more}"));
    assert_eq!(in_sync(&read(&world.run(METRICS).stdout)), []);
}

#[test]
fn an_error_is_no_metric() {
    let world = kept();
    for arguments in [
        &["check", "nobody", "--format", "prometheus"][..],
        &["check", "--format", "prometheus", "--nonsense"],
        &["check", "--format=prometheus", "--tokens", "--system"],
        &["check", "--format", "prometheus", "--config", "none.toml"],
    ] {
        let ran = world.run(arguments).stdout("").code(3);
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
    world.write("metatoken.toml", "[token.brand]\n");
    world.run(METRICS).stdout("").code(3);
    world.reconfigure(BRAND);
    world.write("metatoken.db", "no store");
    world.run(METRICS).stdout("").code(2);
}
