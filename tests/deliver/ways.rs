//! Every way to a new string ends at the targets: `exchange` and a Page's parent, not only a
//! renewal.

use chrono::TimeDelta;
use metatoken::sandbox::{Invalidation, TokenFixture};
use metatoken::token::Expiry;

use super::{APP_INI, WEB_ENV, env, held, ini, script, states, world};
use crate::common::{ANNA, APP, BAKERY, BRAND, day};

#[test]
fn an_exchange_delivers() {
    let world = world("");
    let text = format!("echo $METATOKEN_EVENT > {}\n", world.path("event").display());
    let hook = script(&world, "hook.sh", &text);
    world.reconfigure(&format!(
        "{BRAND}\n{APP_INI}{WEB_ENV}[[token.brand.deliver]]\nname = \"hook\"\n{hook}"
    ));
    std::fs::remove_file(world.path("app.ini")).unwrap();
    let short = Expiry::At(day(0) + TimeDelta::hours(1));
    let string = world.mint(TokenFixture::user(APP, ANNA).named("typed").ending(short));
    let dry = world.run_with_input(&["exchange", "brand", "-n", "--json"], &string).code(73);
    assert_eq!(held(&world, "web/.env"), env(""));
    assert_eq!(states(&dry.result("brand"))[0], "app failed");
    let ran = world.run_with_input(&["exchange", "brand", "--json"], &string).code(73);
    assert_eq!(ran.result("brand")["outcome"], "exchanged");
    assert_eq!(states(&ran.result("brand")), ["app failed", "web in_sync", "hook pending"]);
    let long = world.in_use("brand");
    assert_ne!(long, string);
    assert_eq!(held(&world, "web/.env"), env(&long));
    world.write("app.ini", ini("todo"));
    world.calls();
    world.run(&["deliver", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "app.ini"), ini(&long));
    assert_eq!(held(&world, "event"), "exchanged\n");
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn a_page_is_delivered_when_its_parent_gives_a_new_string() {
    let own = format!("type = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\"\n");
    let discovered = format!("brand/{BAKERY}");
    for (listing, label, own) in
        [("", "page", own.as_str()), ("pages = \"all\"\n", discovered.as_str(), "")]
    {
        let mut world = world("");
        let target = format!("[[token.\"{label}\".deliver]]\nfile = \"app.ini\"\n");
        world.reconfigure(&format!(
            "{BRAND}{listing}\n[token.\"{label}\"]\n{own}\n{target}name = \"app\"\nkey = \"facebook.token\"\n"
        ));
        let result = world.run(&["refresh", "--json"]).code(0).result(label);
        assert_eq!(states(&result), ["app in_sync"], "{label}");
        let first = world.in_use(label);
        assert_eq!(held(&world, "app.ini"), ini(&first), "{label}");
        world.at(day(1));
        world.graph.with(|graph| graph.invalidate(&first, Invalidation::Revoked));
        world.run(&["refresh", "--quiet"]).silent().code(0);
        let second = world.in_use(label);
        assert_ne!(first, second, "{label}");
        assert_eq!(held(&world, "app.ini"), ini(&second), "{label}");
        // What the renewal of its parent may change is named before it does.
        world.at(day(45));
        let dry = world.run(&["refresh", "-n"]).code(0).stdout;
        let may = "may be delivered to app ([DIR]/app.ini), if it changes with its parent\n";
        assert!(dry.contains(may), "{dry}");
    }
}

#[test]
fn a_token_that_is_not_enabled_is_not_delivered() {
    let world = world("");
    world.reconfigure(&format!("{BRAND}enabled = false\n\n{APP_INI}"));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.run(&["deliver"]).stdout("no targets\n").stderr("").code(0);
    assert_eq!(held(&world, "app.ini"), ini("YOUR-KEY-HERE"));
}
