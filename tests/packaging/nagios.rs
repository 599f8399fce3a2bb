//! The plugin and its definitions, run by Nagios, Icinga 2, NRPE's lines and `negate`, as the user
//! `nagios`: who is in the store's group, and has neither the key nor a right to write.

mod icinga;
mod perfdata;
mod plugin;
mod server;

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{Invalidation, TokenFixture};

use super::{lacking, shipped, skip};
use crate::common::{ANNA, APP, World, day, mode, until};
use icinga::Icinga;
use perfdata::{Datum, parsed};
use plugin::{PROGRAM, Plugin};
use server::Nagios;

const TOKENS: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }

[token.shop]
type = "user"
access_token = { env = "SHOP" }

[token.app]
type = "app"
"#;

/// Why tests of this kind cannot run here.
fn left_out(test: &str) -> bool {
    let programs = ["nagios4", "setpriv", plugin::NEGATE];
    let why = lacking(&programs).or_else(|| {
        (!rustix::process::getuid().is_root())
            .then(|| "only root can be the user `nagios`".to_owned())
    });
    why.inspect(|why| skip(test, why)).is_some()
}

/// Three tokens that are all well.
fn healthy() -> World {
    let world = World::new()
        .config(TOKENS)
        .token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
        .token("SHOP", TokenFixture::user(APP, ANNA).named("shop"));
    if rustix::process::getuid().is_root() {
        plugin::open_to_group(&world);
    }
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok);
    world
}

/// The same two days later, with one token dead, and a timer that has stopped since yesterday.
fn troubled() -> World {
    let mut world = healthy();
    world.at(day(2));
    world.graph.with(|graph| graph.invalidate("EAAFAKEShop1", Invalidation::PasswordChanged));
    world.run(&["refresh", "--quiet"]).exit(Exit::PersonNeeded);
    world.at(day(2) + TimeDelta::hours(27));
    world
}

/// Whether a first line is about the tokens alone.
fn is_of_tokens(first: &str) -> bool {
    first.starts_with("METATOKEN CRITICAL - shop: ") && !first.contains("more cause")
}

#[test]
fn it_works_as_the_user_nagios() {
    if left_out("packaging::nagios::it_works_as_the_user_nagios") {
        return;
    }
    let world = troubled();
    let plugin = Plugin::new(&world);
    assert_eq!(mode(&world.path("metatoken.key")), 0o600);
    let (said, code) = plugin.run(&[PROGRAM, "check"]);
    assert!(said.starts_with("METATOKEN CRITICAL - shop: "), "{said}");
    assert_eq!(code, 2);
    let (said, code) = plugin.run(&[PROGRAM, "check", "--system"]);
    assert!(said.starts_with("METATOKEN WARNING - no run since "), "{said}");
    assert_eq!(code, 1);
}

#[test]
fn negate_turns_the_verdict_round() {
    if left_out("packaging::nagios::negate_turns_the_verdict_round") {
        return;
    }
    // `-s` puts another word in the place of the verdict's. It is not for a verdict of OK: it would
    // find that in `METATOKEN` too.
    for (world, options, expected, code) in [
        (healthy(), &[][..], "METATOKEN OK - 3 tokens, all well", 2),
        (troubled(), &[], "METATOKEN CRITICAL - shop: ", 0),
        (troubled(), &["-s"], "METATOKEN OK - shop: ", 0),
        (troubled(), &["-s", "--critical=WARNING"], "METATOKEN WARNING - shop: ", 1),
    ] {
        let call = [&[plugin::NEGATE], options, &[PROGRAM, "check"]].concat();
        let (said, ended) = Plugin::new(&world).run(&call);
        assert!(said.starts_with(expected), "{call:?}: {said}");
        assert_eq!(ended, code, "{call:?}: {said}");
    }
}

#[test]
fn the_numbers_are_of_the_form_that_plugins_give() {
    let world = troubled();
    let ran = world.run(&["check", "--tokens"]).code(2);
    let (first, _) = ran.stdout.split_once('\n').unwrap();
    let (_, numbers) = first.split_once(" | ").unwrap();
    let numbers = parsed(numbers).unwrap_or_else(|fault| panic!("{fault}: {numbers}"));
    let day = 86_400.0;
    let counted = |label: &str, value: f64| Datum { minimum: None, ..Datum::plain(label, value) };
    let living = |label: &str, days: f64| Datum {
        unit: "s".to_owned(),
        warning: Some((Some(10.0 * day), None)),
        critical: Some((Some(3.0 * day), None)),
        ..Datum::plain(label, days * day)
    };
    assert_eq!(
        numbers,
        [
            living("brand", 56.875),
            living("shop", 0.0),
            Datum { minimum: Some(0.0), ..Datum::plain("tokens", 3.0) },
            counted("ok", 2.0),
            counted("warning", 0.0),
            counted("critical", 1.0),
            counted("unknown", 0.0),
        ]
    );
}

#[test]
fn every_line_for_nrpe_gives_a_verdict() {
    if left_out("packaging::nagios::every_line_for_nrpe_gives_a_verdict") {
        return;
    }
    let world = troubled();
    let plugin = Plugin::new(&world);
    let lines = shipped("nagios/nrpe.cfg");
    let commands: Vec<(&str, &str)> =
        lines.lines().filter_map(|line| line.strip_prefix("command[")?.split_once("]=")).collect();
    let verdicts = commands.iter().map(|(name, line)| {
        let (said, code) = plugin.run(&["sh", "-c", &plugin.installed(line)]);
        (*name, said.split(" - ").next().unwrap().to_owned(), code)
    });
    let expected = [
        ("check_metatoken_tokens", "METATOKEN CRITICAL".to_owned(), 2),
        ("check_metatoken_system", "METATOKEN WARNING".to_owned(), 1),
    ];
    assert_eq!(verdicts.collect::<Vec<_>>(), expected);
}

#[test]
fn nagios_accepts_the_definitions_beside_its_own() {
    if left_out("packaging::nagios::nagios_accepts_the_definitions_beside_its_own") {
        return;
    }
    let world = World::new();
    let plugin = Plugin::new(&world);
    let said = Nagios::new(&plugin, server::DEBIANS).verified();
    assert!(said.contains("\nTotal Warnings: 0\nTotal Errors:   0\n"), "{said}");
    let (_, services) = said.split_once("\tChecked ").unwrap();
    let services: usize = services.split(' ').next().unwrap().parse().unwrap();
    assert!(services > 2, "{said}");
}

#[test]
fn nagios_reads_verdict_causes_and_numbers() {
    if left_out("packaging::nagios::nagios_reads_verdict_causes_and_numbers") {
        return;
    }
    let world = troubled();
    let plugin = Plugin::new(&world);
    let nagios = Nagios::new(&plugin, server::ONE_HOST);
    let _running = nagios.start();
    let tokens = || nagios.service("Meta access tokens");
    let system = || nagios.service("metatoken");
    until("both services are checked", || {
        [tokens(), system()].iter().all(|it| it.get("has_been_checked").is_some_and(|it| it == "1"))
    });
    let (tokens, system) = (tokens(), system());
    assert_eq!((tokens["current_state"].as_str(), system["current_state"].as_str()), ("2", "1"));
    assert!(is_of_tokens(&tokens["plugin_output"]), "{tokens:#?}");
    assert!(tokens["long_plugin_output"].starts_with("CRITICAL: "), "{tokens:#?}");
    assert!(tokens["long_plugin_output"].contains("metatoken login shop"), "{tokens:#?}");
    let numbers = parsed(&tokens["performance_data"]).unwrap();
    assert!(numbers.iter().any(|number| number.label == "brand"), "{tokens:#?}");
    assert!(
        system["plugin_output"].starts_with("METATOKEN WARNING - no run since "),
        "{system:#?}"
    );
}

#[test]
fn icinga_2_reads_verdict_and_numbers() {
    let test = "packaging::nagios::icinga_2_reads_verdict_and_numbers";
    if left_out(test) {
        return;
    }
    if let Some(why) = lacking(&["icinga2"]) {
        return skip(test, &why);
    }
    let world = troubled();
    let plugin = Plugin::new(&world);
    let (icinga, _running) = Icinga::start(&plugin);
    until("both services are checked", || icinga.said().len() == 2);
    let said = icinga.said();
    let [state, numbers, first] = &said["metatoken-tokens"];
    assert!(is_of_tokens(first), "{said:#?}");
    assert!(parsed(numbers).unwrap().iter().any(|it| it.label == "brand"), "{said:#?}");
    assert_eq!(state, "2");
    let [state, _, first] = &said["metatoken-system"];
    assert!(first.starts_with("METATOKEN WARNING - no run since "), "{said:#?}");
    assert_eq!(state, "1");
}
