//! `pages`: what a user token reaches, and what of it is kept here.

use metatoken::exit::Exit;
use metatoken::sandbox::{
    FaultInjection, Invalidation, Listing, PageFixture, Rule, TokenFixture, UserFixture,
};
use serde_json::json;

use crate::common::{self, ANNA, APP, BAKERY, CAFE, World, day};

const CONFIG: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
owner = "anna@client.example"

[token.bakery]
type = "page"
parent = "brand"
page_id = "2000000000000001"
"#;

const GARAGE: &str = "2000000000000003";

fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand").scopes(["public_profile", "pages_show_list"])
}

/// Anna ticked two of her three Pages, and one of them is kept.
fn kept(config: &str) -> World {
    let world = World::new().config(config).token("BRAND", brand());
    world.graph.with(|graph| {
        graph.add_page(PageFixture::new(GARAGE, "Garage"));
        graph.add_user(
            UserFixture::new(ANNA, "Anna")
                .with_page(BAKERY, Listing::Listed)
                .with_page(CAFE, Listing::Listed)
                .with_page(GARAGE, Listing::WithoutToken),
        );
    });
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.calls();
    world
}

#[test]
fn the_pages_are_listed_with_what_may_be_done_there() {
    let world = kept(CONFIG);
    let before = world.bytes_on_disk();
    world
        .run(&["pages", "brand"])
        .stdout(
            "
PAGE              NAME    KEPT AS  MAY
2000000000000001  Bakery  bakery   ANALYZE ADVERTISE MODERATE CREATE_CONTENT MANAGE
2000000000000002  Café    -        ANALYZE ADVERTISE MODERATE CREATE_CONTENT MANAGE
2000000000000003  Garage  -        no access token

brand: 3 Pages, 1 kept here
",
        )
        .stderr(
            "
hint: to keep one: `metatoken add page-2000000000000002 --type page --parent brand --page-id 2000000000000002`
hint: to keep all: `pages = \"all\"` in `[token.brand]`
",
        )
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["me/accounts Brand"]);
    assert!(world.bytes_on_disk() == before, "it writes nothing");
    let tasks = json!(["ANALYZE", "ADVERTISE", "MODERATE", "CREATE_CONTENT", "MANAGE"]);
    let json = world.run(&["pages", "brand", "--json"]).code(0).json();
    assert_eq!(
        json,
        json!({"version": 1, "label": "brand", "pages": [
            {"page_id": BAKERY, "name": "Bakery", "tasks": tasks, "kept": true, "kept_as": "bakery", "has_token": true},
            {"page_id": CAFE, "name": "Café", "tasks": tasks, "kept": false, "kept_as": null, "has_token": true},
            {"page_id": GARAGE, "name": "Garage", "tasks": tasks, "kept": false, "kept_as": null, "has_token": false},
        ]})
    );
    world.run(&["pages", "brand", "--quiet"]).stderr("").code(0);
    // The hint's command keeps it.
    let add = format!("add page-{CAFE} --type page --parent brand --page-id {CAFE}");
    world.run(&add.split(' ').collect::<Vec<_>>()).exit(Exit::Ok);
    let json = world.run(&["pages", "brand", "--json"]).code(0).json();
    assert_eq!(json["pages"][1]["kept_as"], format!("page-{CAFE}"));
}

#[test]
fn offline_it_is_what_the_store_knows() {
    let world =
        kept(&CONFIG.replace("owner", "pages = \"all\"\nexcept = [\"2000000000000003\"]\nowner"));
    world
        .run(&["pages", "brand", "--offline"])
        .stdout(
            "
PAGE              NAME    KEPT AS                 MAY
2000000000000002  Café    brand/2000000000000002  -
2000000000000001  Bakery  bakery                  -

brand: 2 Pages, 2 kept here
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), [""; 0]);
    // Neither secret nor key is needed.
    std::fs::remove_file(world.path("metatoken.key")).unwrap();
    let json = world.run(&["pages", "brand", "--offline", "--json"]).code(0).json();
    assert_eq!(json["pages"][0]["tasks"], json!(null));
    let bare = World::new().config("[token.x]\ntype = \"user\"\n");
    bare.run(&["pages", "x", "--offline"])
        .stdout("\nx: 0 Pages\n")
        .stderr("\nhint: to ask Meta: `metatoken pages x`\n")
        .code(0);
}

#[test]
fn a_token_of_another_type_is_answered_with_the_right_command() {
    let world = kept(CONFIG);
    world.reconfigure(&format!(
        "{CONFIG}\n[token.lone]\ntype = \"page\"\napp = \"main\"\npage_id = \"{CAFE}\"\n\
         [token.me]\ntype = \"app\"\napp = \"main\"\n"
    ));
    for (label, message, hint) in [
        ("bakery", "page", "those of its user: `metatoken pages brand`"),
        (
            "lone",
            "page",
            "it has no `parent`: `metatoken add LABEL --type user` declares the user who manages it",
        ),
        ("me", "app", "what it is: `metatoken status me`"),
    ] {
        world
            .run(&["pages", label])
            .stdout("")
            .stderr(&format!(
                "error: {label}: a token of type `{message}` lists no Pages, only a user's does\nhint: {hint}\n"
            ))
            .exit(Exit::InputRefused);
    }
    world.run(&["pages", "nobody"]).stdout("").exit(Exit::Usage);
    world.run(&["pages"]).stdout("").exit(Exit::Usage);
}

#[test]
fn what_stands_against_a_list_is_said() {
    // No permission: Meta's list is empty and no error.
    let world = World::new().config(CONFIG).token("BRAND", brand().scopes(["public_profile"]));
    let _ = world.run(&["refresh"]);
    world
        .run(&["pages", "brand"])
        .stdout("\nbrand: 0 Pages\n")
        .stderr(
            "
hint: no Page was ticked at the login, or `pages_show_list` is missing: `metatoken status brand` shows its scopes
",
        )
        .exit(Exit::Ok);
    // Graph out of reach, the user's token dead or missing.
    let mut world = kept(CONFIG);
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    let ran = world.run(&["pages", "brand"]).stdout("").exit(Exit::Unavailable);
    assert!(ran.stderr.starts_with("error: brand: its Pages are not listed: "), "{}", ran.stderr);
    world.graph.behave();
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    let ran = world.run(&["pages", "brand"]).stdout("").exit(Exit::PersonNeeded);
    assert!(ran.stderr.starts_with("error: brand: its Pages are not listed: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("\nhint: anna@client.example logs in"), "{}", ran.stderr);
    world.at(day(5));
    let _ = world.run(&["refresh"]);
    let ran = world.run(&["pages", "brand"]).stdout("").exit(Exit::PersonNeeded);
    assert!(ran.stderr.contains("run `metatoken login brand`"), "{}", ran.stderr);
    let bare = World::new().config(CONFIG);
    let ran = bare.run(&["pages", "brand"]).stdout("").code(1);
    assert!(ran.stderr.starts_with("error: brand: has no access token yet\n"), "{}", ran.stderr);
}

#[test]
fn it_fits_a_terminal_of_80_columns() {
    if let Some(why) = common::lacking(&["script", "stty"]) {
        return common::skip("pages::it_fits_a_terminal_of_80_columns", &why);
    }
    let world = kept(CONFIG);
    let inner = world.command(&["pages", "brand"]);
    let ran = world.finish(common::terminal(80, "\"$@\"", &inner).spawn().unwrap());
    let longest = ran.stdout.lines().map(|line| line.trim_end().chars().count()).max();
    assert!(longest.is_some_and(|longest| longest <= 80), "{}", ran.stdout);
    assert!(ran.stdout.contains("CREATE_CONTENT"), "{}", ran.stdout);
}
