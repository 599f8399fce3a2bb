//! A working access token that an application has already: a first delivery examines it before it
//! replaces it.

use metatoken::sandbox::{FaultInjection, Invalidation, Rule, TokenFixture, UserFixture};
use metatoken::token::Expiry;

use super::{APP_INI, ONE, WEB_ENV, env, held, ini, reasons, states};
use crate::common::{ANNA, APP, BAKERY, BRAND, ROBOT, World, day, ends};

/// The simulated access tokens with this name are as long as real ones have to be at least.
const IN_THE_FILE: &str = "brandinthefile";

fn in_the_file() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named(IN_THE_FILE)
}

/// A world without a store, whose config has an access token of Anna's that expires on day 30.
fn lost(targets: &str) -> World {
    let spec = TokenFixture::user(APP, ANNA).named("brand").ending(ends(30));
    let world = World::new().config(&format!("{BRAND}\n{targets}")).token("BRAND", spec);
    world.write("app.ini", ini("changeme"));
    world.write("web/.env", env(""));
    world
}

/// Puts an access token into `app.ini`.
fn put(world: &World, spec: TokenFixture) -> String {
    let access_token = world.mint(spec);
    world.write("app.ini", ini(&access_token));
    access_token
}

fn events(world: &World) -> Vec<String> {
    world.events("brand").into_iter().map(|(event, _)| event).collect()
}

/// The store was lost, the config has the access token of the first day, and the application the one
/// that metatoken had renewed since.
#[test]
fn a_better_one_is_adopted_and_the_older_one_of_the_config_is_refused() {
    for better in [ends(60), Expiry::Never] {
        let world = lost(&format!("{APP_INI}{WEB_ENV}"));
        let living = put(&world, in_the_file().ending(better));
        let result = world.run(&["refresh", "--json"]).code(65).stderr("").result("brand");
        assert_eq!(states(&result), ["app in_sync", "web in_sync"]);
        assert_eq!(world.in_use("brand"), living);
        assert_eq!(held(&world, "app.ini"), ini(&living));
        assert_eq!(held(&world, "web/.env"), env(&living));
        assert_eq!(
            events(&world),
            ["adopted", "adoption_refused", "delivered", "delivered"],
            "one adoption, and nothing was delivered before it"
        );
        world.calls();
        world.run(&["refresh", "--quiet"]).silent().code(0);
        assert_eq!(world.calls(), [""; 0], "the older one is not asked about again");
        assert_eq!(world.in_use("brand"), living);
    }
}

#[test]
fn one_that_is_no_better_is_replaced_without_a_word() {
    for (spec, invalid) in [
        (in_the_file().ending(ends(20)), None),
        (in_the_file().ending(ends(60)), Some(Invalidation::PasswordChanged)),
    ] {
        let world = lost(APP_INI);
        let living = put(&world, spec);
        if let Some(invalidation) = invalid {
            world.graph.with(|graph| graph.invalidate(&living, invalidation));
        }
        world.run(&["refresh", "--quiet"]).silent().code(0);
        assert_eq!(world.in_use("brand"), ONE);
        assert_eq!(held(&world, "app.ini"), ini(ONE));
        assert_eq!(events(&world), ["adopted", "delivered"]);
        world.run(&["deliver", "--restore", "brand", "--quiet"]).silent().code(0);
        assert_eq!(held(&world, "app.ini"), ini(&living), "what was replaced can be put back");
    }
}

/// Where the config has none, or a dead one, the application's is taken.
#[test]
fn it_is_adopted_where_the_config_has_none_that_works() {
    let world = lost(&format!("{APP_INI}{WEB_ENV}"));
    world.graph.with(|graph| graph.invalidate(ONE, Invalidation::Revoked));
    let living = put(&world, in_the_file().ending(ends(20)));
    world.run(&["refresh", "--quiet"]).code(65);
    assert_eq!(world.in_use("brand"), living);
    assert_eq!(held(&world, "web/.env"), env(&living));

    let world = lost(&format!("{APP_INI}{WEB_ENV}"));
    world.reconfigure(&format!("[token.brand]\ntype = \"user\"\n{APP_INI}{WEB_ENV}"));
    let living = put(&world, in_the_file().ending(ends(60)));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "web/.env"), env(&living));
    assert_eq!(world.in_use("brand"), living);
}

#[test]
fn of_several_the_best_is_adopted_at_once_and_reaches_all() {
    let secret =
        "[[token.brand.deliver]]\nname = \"secret\"\nfile = \"s.yaml\"\nkey = \"data.T\"\n";
    for (app, web, coded, best) in
        [(40, 50, 45, "web"), (50, 40, 45, "app"), (40, 45, 50, "secret"), (20, 25, 21, "config")]
    {
        let world = lost(&format!("{APP_INI}{WEB_ENV}{secret}"));
        let [app, web, coded] =
            [app, web, coded].map(|n| world.mint(in_the_file().ending(ends(n))));
        let base64 = |value: &str| data_encoding::BASE64.encode(value.as_bytes());
        let yaml = |value: &str| format!("kind: Secret\ndata:\n  T: {}\n", base64(value));
        world.write("app.ini", ini(&app));
        world.write("web/.env", env(&web));
        world.write("s.yaml", yaml(&coded));
        let best = match best {
            "web" => web,
            "app" => app,
            "secret" => coded,
            _ => ONE.to_owned(),
        };
        let code = if best == ONE { 0 } else { 65 };
        world.run(&["refresh", "--quiet"]).code(code);
        assert_eq!(world.in_use("brand"), best);
        assert_eq!(held(&world, "app.ini"), ini(&best));
        assert_eq!(held(&world, "web/.env"), env(&best));
        assert_eq!(held(&world, "s.yaml"), yaml(&best));
        let adopted = events(&world).iter().filter(|it| *it == "adopted").count();
        assert_eq!(adopted, 1);
    }
}

/// Another person's, another Page's or another app's: it may be needed where it stands.
#[test]
fn a_working_one_of_another_identity_is_left_alone() {
    for (spec, why) in [
        (
            TokenFixture::user(APP, "3000000000000077").named(IN_THE_FILE),
            "the token belongs to user 3000000000000077, not to 3000000000000001",
        ),
        (
            TokenFixture::page(APP, ANNA, BAKERY).named(IN_THE_FILE),
            "a page token, not a user token",
        ),
        (
            TokenFixture::system_user(APP, ROBOT).named(IN_THE_FILE),
            "a system-user token, not a user token",
        ),
    ] {
        let mut world = lost(&format!("{APP_INI}{WEB_ENV}"));
        world.graph.with(|graph| graph.add_user(UserFixture::new("3000000000000077", "Bea")));
        let living = put(&world, spec.ending(ends(60)));
        let said = format!(
            "[DIR]/app.ini: the key `facebook.token` holds an access token that may still be \
             needed: {why}; correct `file` and `key` in the config, or set `overwrite = true` to \
             replace it"
        );
        for n in [0, 1, 2] {
            world.at(day(n));
            let ran = world.run(&["refresh"]).code(73).stderr("");
            assert!(ran.stdout.contains(&said), "{}", ran.stdout);
            assert_eq!(held(&world, "app.ini"), ini(&living));
            assert_eq!(held(&world, "web/.env"), env(ONE), "the next target does not wait");
            world.run(&["deliver", "--force", "brand"]).code(73);
            assert_eq!(held(&world, "app.ini"), ini(&living));
        }
        assert_eq!(reasons(&world.offline("brand")), ["critical delivery_failed"]);
        // The remedy that is named, typed.
        world.reconfigure(&format!("{BRAND}\n{APP_INI}overwrite = true\n{WEB_ENV}"));
        world.run(&["refresh", "--quiet"]).code(0);
        assert_eq!(held(&world, "app.ini"), ini(ONE));
        assert_eq!(states(&world.offline("brand")), ["app in_sync", "web in_sync"]);
    }
}

/// The operator who says `overwrite` does not say that the only one that works may be lost.
#[test]
fn a_better_one_is_adopted_also_where_the_target_may_be_overwritten() {
    let world = lost(&format!("{APP_INI}overwrite = true\n"));
    let living = put(&world, in_the_file().ending(ends(60)));
    world.run(&["refresh", "--quiet"]).code(65);
    assert_eq!(world.in_use("brand"), living);
    assert_eq!(held(&world, "app.ini"), ini(&living));
}

/// Graph knows nothing of it today: nothing is replaced today.
#[test]
fn one_that_graph_cannot_be_asked_about_is_not_replaced() {
    let world = lost(&format!("[http]\nattempts = 1\n{APP_INI}{WEB_ENV}"));
    let living = put(&world, in_the_file().ending(ends(60)));
    world.graph.misbehave(Rule::any().about(&living), FaultInjection::Status(500));
    for command in ["refresh", "deliver"] {
        let ran = world.run(&[command]).code(73);
        let said = "[DIR]/app.ini: the key `facebook.token` holds an access token that is not \
                    checked yet; run `metatoken refresh brand` to check it";
        assert!(ran.stdout.contains(said), "{}", ran.stdout);
        assert_eq!(held(&world, "app.ini"), ini(&living));
        assert_eq!(held(&world, "web/.env"), env(ONE));
    }
    world.graph.behave();
    world.run(&["refresh", "brand", "--quiet"]).silent().code(0);
    assert_eq!(world.in_use("brand"), living);
    assert_eq!(held(&world, "web/.env"), env(&living));
    assert_eq!(held(&world, "app.ini"), ini(&living));
}

/// A target that is added later, delivered by a command that else asks Meta for nothing.
#[test]
fn deliver_examines_what_it_would_replace_for_the_first_time() {
    for (n, expected) in [(50, "file"), (20, "current")] {
        let world = lost("");
        world.run(&["refresh", "--quiet"]).silent().code(0);
        world.reconfigure(&format!("{BRAND}\n{APP_INI}{WEB_ENV}"));
        let living = put(&world, in_the_file().ending(ends(n)));
        world.calls();
        world.run(&["deliver", "--quiet"]).silent().code(0);
        let expected = if expected == "file" { &living } else { ONE };
        assert_eq!(world.in_use("brand"), expected);
        assert_eq!(held(&world, "app.ini"), ini(expected));
        assert_eq!(held(&world, "web/.env"), env(expected));
        world.calls();
        world.run(&["deliver", "--quiet"]).silent().code(0);
        assert_eq!(world.calls(), [""; 0], "only what it would replace is asked about");
    }
}

/// What a person hands over is compared with the application's own.
#[test]
fn exchange_examines_what_it_would_replace_for_the_first_time() {
    let world = lost(APP_INI);
    put(&world, in_the_file().ending(ends(50)));
    let handed_over = world.mint(TokenFixture::user(APP, ANNA).named("new").ending(ends(59)));
    let ran = world.run_with_input(&["exchange", "brand", "--quiet"], &handed_over);
    ran.silent().code(0);
    assert_eq!(world.in_use("brand"), handed_over);
    assert_eq!(held(&world, "app.ini"), ini(&handed_over));

    let world = lost(APP_INI);
    let living = put(&world, in_the_file().ending(Expiry::Never));
    let handed_over = world.mint(TokenFixture::user(APP, ANNA).named("new").ending(ends(59)));
    world.run_with_input(&["exchange", "brand", "--quiet"], &handed_over).code(65);
    assert_eq!(world.in_use("brand"), living);
    assert_eq!(held(&world, "app.ini"), ini(&living));

    // The application's own, handed over.
    let world = lost(APP_INI);
    let living = put(&world, in_the_file().ending(ends(50)));
    world.run_with_input(&["exchange", "brand", "--quiet"], &living).silent().code(0);
    assert_eq!(held(&world, "app.ini"), ini(&living));
}

#[test]
fn a_dry_run_says_what_would_be_adopted_and_changes_nothing() {
    let world = lost(&format!("{APP_INI}{WEB_ENV}"));
    let living = put(&world, in_the_file().ending(ends(60)));
    let result = world.run(&["refresh", "--dry-run", "--json"]).code(65).result("brand");
    assert_eq!(result["new_expires_at"], "2026-03-02T00:00:00Z");
    assert_eq!(held(&world, "app.ini"), ini(&living));
    assert_eq!(held(&world, "web/.env"), env(""));
}

/// A kill between any two steps: the next run adopts the best one all the same.
#[test]
fn a_kill_at_any_step_loses_no_better_one() {
    for place in ["before-seal", "sealed", "promoted", "announced", "settled"] {
        let world = lost(&format!("{APP_INI}{WEB_ENV}"));
        let living = put(&world, in_the_file().ending(ends(60)));
        world.killed_at(place, &["refresh"], "");
        let _ = world.run(&["deliver"]);
        assert_eq!(held(&world, "app.ini"), ini(&living), "{place}: not before it was examined");
        let _ = world.run(&["refresh"]);
        assert_eq!(world.in_use("brand"), living, "{place}");
        assert_eq!(held(&world, "app.ini"), ini(&living), "{place}");
        assert_eq!(held(&world, "web/.env"), env(&living), "{place}");
        world.run(&["refresh", "--quiet"]).silent().code(0);
    }
}

/// Two tokens of one person, each with the other's or the same in its file.
#[test]
fn one_access_token_is_adopted_under_one_label_only() {
    let two = "[token.a]\ntype = \"user\"\n[[token.a.deliver]]\nfile = \"a.env\"\nkey = \"T\"\n\
               [token.b]\ntype = \"user\"\n[[token.b.deliver]]\nfile = \"b.env\"\nkey = \"T\"\n";
    let world = World::new().config(two);
    let same = world.mint(in_the_file().ending(ends(60)));
    world.write("a.env", format!("T={same}\n"));
    world.write("b.env", format!("T={same}\n"));
    let _ = world.run(&["refresh"]);
    let have = ["a", "b"].map(|label| world.run(&["token", label]).code == Some(0));
    assert_eq!(have.iter().filter(|it| **it).count(), 1, "{have:?}");

    // The config's of `b`, in the file of `a`.
    let world = World::new().config(&two.replace(
        "[token.b]\ntype = \"user\"\n",
        "[token.b]\ntype = \"user\"\naccess_token = { env = \"B\" }\n",
    ));
    let of_b = world.mint(in_the_file().ending(ends(60)));
    let world = world.with("B", &of_b);
    world.write("a.env", format!("T={of_b}\n"));
    world.write("b.env", "T=\n");
    let _ = world.run(&["refresh"]);
    assert_eq!(world.in_use("b"), of_b);
    assert_ne!(world.run(&["token", "a"]).code, Some(0));
}

/// What the config holds, what the application holds, and which of three is current in the end.
struct Disagreement {
    config: TokenFixture,
    config_dies: bool,
    target: TokenFixture,
    target_dies: bool,
    wins: &'static str,
}

/// The current one expires on day 40; the config and the application have each another one, and all
/// three disagree. The best is in use, and nothing flips back and forth.
#[test]
fn of_three_that_disagree_the_best_is_in_use_and_stays() {
    let all = ["public_profile", "pages_show_list"];
    let anna = |n: i64| in_the_file().ending(ends(n)).scopes(all);
    let ben =
        |n: i64| TokenFixture::user(APP, "3000000000000077").named(IN_THE_FILE).ending(ends(n));
    let poor = |n: i64| anna(n).scopes(["public_profile"]);
    let live = |config, target, wins| Disagreement {
        config,
        config_dies: false,
        target,
        target_dies: false,
        wins,
    };
    for (place, case) in [
        live(anna(50), anna(59), "target"),
        live(anna(59), anna(50), "config"),
        live(anna(30), anna(35), "current"),
        live(anna(30), anna(50), "target"),
        live(anna(50), anna(30), "config"),
        live(ben(59), anna(50), "target"),
        live(anna(50), ben(59), "config"),
        live(ben(59), ben(50), "current"),
        // One without the permission that is required is no better for living longer.
        live(poor(59), anna(50), "target"),
        live(anna(50), poor(59), "config"),
        live(poor(59), poor(50), "current"),
        Disagreement { config_dies: true, ..live(anna(59), anna(50), "target") },
        Disagreement { target_dies: true, ..live(anna(50), anna(59), "config") },
        Disagreement {
            config_dies: true,
            target_dies: true,
            ..live(anna(59), anna(50), "current")
        },
    ]
    .into_iter()
    .enumerate()
    {
        let needs = format!("required_scopes = [\"pages_show_list\"]\n{APP_INI}");
        let first = TokenFixture::user(APP, ANNA).named("brand").ending(ends(40)).scopes(all);
        let mut world = World::new().config(&format!("{BRAND}{needs}")).token("BRAND", first);
        world.graph.with(|graph| graph.add_user(UserFixture::new("3000000000000077", "Ben")));
        world.write("app.ini", ini("changeme"));
        world.run(&["refresh", "--quiet"]).silent().code(0);
        let current = world.in_use("brand");
        let [config, target] = [case.config, case.target].map(|spec| world.mint(spec));
        for (value, dies) in [(&config, case.config_dies), (&target, case.target_dies)] {
            if dies {
                world.graph.with(|graph| graph.invalidate(value, Invalidation::Revoked));
            }
        }
        world.set("BRAND", &config);
        world.write("app.ini", ini(&target));
        let wins = match case.wins {
            "config" => &config,
            "target" => &target,
            _ => &current,
        };
        let _ = world.run(&["refresh"]);
        assert_eq!(world.in_use("brand"), *wins, "case {place}");
        let adopted = || events(&world).iter().filter(|it| *it == "adopted").count();
        let (so_far, held_then) = (adopted(), held(&world, "app.ini"));
        // What the application holds is ours to replace only where it was examined and is worse.
        assert!(held_then == ini(wins) || held_then == ini(&target), "case {place}: {held_then}");
        for _ in 0..3 {
            let _ = world.run(&["refresh"]);
            assert_eq!(world.in_use("brand"), *wins, "case {place}");
            assert_eq!(held(&world, "app.ini"), held_then, "case {place}");
        }
        assert_eq!(adopted(), so_far, "case {place}");
        let told = world.run(&["deliver", "--force", "brand", "--quiet"]);
        assert_eq!(held(&world, "app.ini"), ini(wins), "case {place}: {}", told.stdout);
    }
}
