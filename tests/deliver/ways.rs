//! Every way to a new string ends at the targets: `exchange` and a Page's parent, not only a
//! renewal.

use chrono::TimeDelta;
use metatoken::sandbox::{Invalidation, TokenFixture, UserFixture};
use metatoken::token::Expiry;

use super::{APP_INI, WEB_ENV, env, held, ini, script, states, world};
use crate::common::{ANNA, APP, BAKERY, BRAND, ROBOT, World, day};

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

/// A System User beside the one that every world has, and one that is an admin.
const OTHERS: [&str; 2] = ["3000000000000008", "3000000000000005"];

/// The word is that of the history, whichever command brings the access token, and also where a later
/// run delivers it.
#[test]
fn a_program_hears_how_the_access_token_came() {
    let [spare, keeper] = OTHERS;
    let world = World::new();
    world.graph.with(|graph| {
        graph.add_user(UserFixture::new(spare, "Spare"));
        graph.add_user(UserFixture::new(keeper, "Keeper").admin());
    });
    let folder = world.path(".").display().to_string();
    let text = format!(
        "test -e {folder}/busy && exit 1\necho $1 $METATOKEN_GENERATION $METATOKEN_EVENT >> {folder}/heard\n"
    );
    let hook = |label: &str| {
        let run = script(&world, "hook.sh", &text)
            .replace("hook.sh\"", &format!("hook.sh\", \"{label}\""));
        format!("[[token.{label}.deliver]]\n{run}")
    };
    let from = |variable: &str| format!("access_token = {{ env = \"{variable}\" }}\n");
    let config = format!(
        "[token.brand]\ntype = \"user\"\n{}{}\
         [token.page]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\"\n{}\
         [token.ads]\ntype = \"system-user\"\nbackup = \"spare\"\nmint = \"admin\"\n{}{}\
         [token.spare]\ntype = \"system-user\"\n{}\
         [token.admin]\ntype = \"system-user\"\nuse = \"mint\"\n{}",
        from("BRAND"),
        hook("brand"),
        hook("page"),
        from("ADS"),
        hook("ads"),
        from("SPARE"),
        from("ADMIN")
    );
    let robot = |user, name| TokenFixture::system_user(APP, user).named(name).scopes(["ads_read"]);
    let anna = |name| TokenFixture::user(APP, ANNA).named(name).scopes(["pages_show_list"]);
    let mut world = world
        .config(&config)
        .token("BRAND", anna("brand"))
        .token("ADS", robot(ROBOT, "ads"))
        .token("SPARE", robot(spare, "spare"))
        .token("ADMIN", robot(keeper, "admin").scopes(["business_management"]));
    let heard = |world: &World| {
        let mut lines: Vec<String> = held(world, "heard").lines().map(str::to_owned).collect();
        std::fs::remove_file(world.path("heard")).unwrap();
        lines.sort();
        lines
    };
    world.run(&["refresh", "-q"]).silent().code(0);
    assert_eq!(heard(&world), ["ads 1 adopted", "brand 1 adopted", "page 1 derived"]);
    world.at(day(45));
    world.run(&["refresh", "-q"]).silent().code(0);
    assert_eq!(heard(&world), ["brand 2 refreshed"]);
    let pasted = world.mint(anna("typed").ending(Expiry::At(day(45) + TimeDelta::hours(1))));
    world.run_with_input(&["exchange", "brand", "-q"], &pasted).code(0);
    assert_eq!(heard(&world)[0], "brand 3 exchanged");
    let pasted = world.mint(robot(ROBOT, "typed"));
    world.run_with_input(&["exchange", "ads", "-q"], &pasted).code(0);
    assert_eq!(heard(&world), ["ads 2 adopted"]);
    world.run(&["rollback", "ads", "-q"]).code(0);
    assert_eq!(heard(&world), ["ads 1 rolled_back"]);
    world.write("busy", "");
    world.run(&["promote", "ads", "-q"]).code(73);
    std::fs::remove_file(world.path("busy")).unwrap();
    world.run(&["deliver", "-q"]).silent().code(0);
    assert_eq!(heard(&world), ["ads 3 promoted"]);
    world.run(&["mint", "ads", "-q"]).code(0);
    assert_eq!(heard(&world), ["ads 4 minted"]);
    world.logs_in(&["login", "brand", "-q"]).code(0);
    assert_eq!(heard(&world)[0], "brand 5 logged_in");
    // The history has the same words.
    let words = |label: &str| -> Vec<String> {
        let events = world.events(label).into_iter().map(|(event, _)| event);
        events.filter(|event| !event.starts_with("deliver") && event != "verified").collect()
    };
    let of_ads = ["adopted", "adopted", "rolled_back", "promoted", "minted"];
    assert_eq!(words("ads"), of_ads);
    assert_eq!(words("brand"), ["adopted", "refreshed", "exchanged", "logged_in"]);
}

#[test]
fn a_token_that_is_not_enabled_is_not_delivered() {
    let world = world("");
    world.reconfigure(&format!("{BRAND}enabled = false\n\n{APP_INI}"));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    world.run(&["deliver"]).stdout("no targets\n").stderr("").code(0);
    assert_eq!(held(&world, "app.ini"), ini("YOUR-KEY-HERE"));
}
