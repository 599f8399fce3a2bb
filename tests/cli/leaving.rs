//! What happens when a person leaves, or a Page is sold: from the first word to the end.

use metatoken::exit::Exit;
use metatoken::sandbox::{Invalidation, Listing, TokenFixture, UserFixture};

use crate::common::{ANNA, APP, BAKERY, CAFE, World, day};

const BEN: &str = "3000000000000003";

fn config(owner: &str, more: &str) -> String {
    format!(
        "[token.shop]\ntype = \"user\"\npages = \"all\"\n{more}owner = \"{owner}\"
access_token = {{ env = \"SHOP\" }}\n"
    )
}

const BAKERY_TABLE: &str = "[token.bakery]\ntype = \"page\"\nparent = \"shop\"\n\
    page_id = \"2000000000000001\"\n[[token.bakery.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\n";

fn world() -> World {
    let user = TokenFixture::user(APP, ANNA).named("anna").scopes(["pages_show_list"]);
    let world = World::new().config(&format!("{}{BAKERY_TABLE}", config("anna@shop.example", "")));
    let world = world.token("SHOP", user);
    world.write("app.env", "TOKEN=\n");
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world
}

fn holds(world: &World) -> String {
    std::fs::read_to_string(world.path("app.env")).unwrap()
}

fn shown(world: &World, options: &[&str]) -> Vec<String> {
    let typed = [&["status", "--offline", "--json"], options].concat();
    let json = world.run(&typed).exit(Exit::Ok).json();
    let labels = json["tokens"].as_array().unwrap().iter();
    labels.map(|token| token["label"].as_str().unwrap().to_owned()).collect()
}

/// Anna leaves the company. What hangs on her is listed, Ben logs in for it, and then nothing hangs on
/// her any more: her password and her roles can go.
#[test]
fn an_employee_leaves_and_another_person_takes_over() {
    let mut world = world();
    world.graph.with(|graph| {
        graph.add_user(
            UserFixture::new(BEN, "Ben")
                .with_page(BAKERY, Listing::Listed)
                .with_page(CAFE, Listing::Listed),
        );
    });
    world.at(day(10));
    let hung = ["shop", "shop/2000000000000002", "bakery"];
    assert_eq!(shown(&world, &["--owner", "anna@shop.example"]), hung);
    assert_eq!(shown(&world, &["--user", ANNA]), hung);
    let annas = world.in_use("shop");
    let spec = TokenFixture::user(APP, BEN).named("ben").scopes(["pages_show_list"]);
    let bens = world.mint(spec);
    // Not by accident.
    let _ = world.run_with_input(&["exchange", "shop", "--quiet"], &bens).exit(Exit::InputRefused);
    let taken = ["exchange", "shop", "--replace-identity", "--quiet"];
    let _ = world.run_with_input(&taken, &bens).exit(Exit::Ok);
    world.reconfigure(&format!("{}{BAKERY_TABLE}", config("ben@shop.example", "")));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok);
    assert_eq!(shown(&world, &["--owner", "ben@shop.example"]), hung);
    assert_eq!(shown(&world, &["--user", BEN]), hung);
    world.run(&["status", "--user", ANNA]).stdout("").exit(Exit::Usage);
    world.run(&["status", "--owner", "anna@shop.example"]).stdout("").exit(Exit::Usage);
    assert!(holds(&world).contains(&world.in_use("bakery")));
    // She removes the app from her account: nobody notices.
    world.graph.with(|graph| graph.invalidate(&annas, Invalidation::AppRemoved));
    world.at(day(12));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["check", "--tokens"]).code(0);
}

/// Anna leaves and nobody takes over: her tables go, then what is kept of hers, and the files.
#[test]
fn an_employee_leaves_and_what_hung_on_her_is_given_up() {
    let world = world();
    world.reconfigure("");
    let forget = ["forget", "--owner", "anna@shop.example", "--targets"];
    let dry = world.run(&[&forget[..], &["-n", "--json"]].concat()).exit(Exit::Ok);
    assert_eq!(dry.outcomes().len(), 3);
    world.run(&[&forget[..], &["--yes=3", "--quiet"]].concat()).exit(Exit::Ok);
    assert_eq!(holds(&world), "TOKEN=\n");
    for label in ["shop", "bakery", "shop/2000000000000002"] {
        world.run(&["token", "--dead", label]).stdout("").exit(Exit::Usage);
    }
}

/// A Page is sold: its new owner takes Anna's role away. That is told, and the Page is given up.
#[test]
fn a_page_is_sold_to_somebody_else() {
    let mut world = world();
    let sold = world.in_use("bakery");
    world.at(day(3));
    world.graph.with(|graph| {
        graph.list(ANNA, BAKERY, Listing::Unlisted);
        graph.invalidate(&sold, Invalidation::RoleLost);
    });
    let ran = world.run(&["refresh"]).exit(Exit::PersonNeeded);
    // From the first word on it is said how the Page is given up.
    let way = "If the Page is not needed any more, remove `[token.bakery]` from the config and run \
               `metatoken forget bakery`\n";
    assert!(ran.stdout.contains(way), "{}", ran.stdout);
    for n in [4, 8, 12] {
        world.at(day(n));
        world.run(&["refresh", "--quiet"]).exit(Exit::PersonNeeded);
    }
    let told = world.run(&["check", "bakery"]).code(2).stdout;
    assert!(told.contains("Page"), "{told}");
    // The other Page works on.
    world.run(&["check", "shop/2000000000000002", "--tokens"]).code(0);
    // It is not needed any more.
    world.reconfigure(&config("anna@shop.example", &format!("except = [\"{BAKERY}\"]\n")));
    world.run(&["forget", "bakery", "--targets", "--quiet"]).exit(Exit::Ok);
    assert_eq!(holds(&world), "TOKEN=\n");
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["check", "--tokens"]).code(0);
    assert_eq!(shown(&world, &["--user", ANNA]), ["shop", "shop/2000000000000002"]);
}
