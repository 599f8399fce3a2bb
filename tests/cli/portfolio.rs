//! `business`: the Pages of a System User whose own list has none, by its portfolio.

use metatoken::exit::Exit;
use metatoken::sandbox::{Listing, PageFixture, PortfolioFixture, TokenFixture};
use serde_json::json;

use crate::common::{APP, BAKERY, CAFE, ROBOT, World};

const PORTFOLIO: &str = "5000000000000001";
const CLIENTS: &str = "2000000000000003";

fn table(business: &str) -> String {
    format!(
        "[token.bot]\ntype = \"system-user\"\npages = \"all\"\n{business}
access_token = {{ env = \"BOT\" }}\n"
    )
}

/// A System User whose role on three Pages only its portfolio tells.
fn world(business: &str, scopes: &[&str]) -> World {
    let robot = TokenFixture::system_user(APP, ROBOT).named("bot").scopes(scopes.to_vec());
    let world = World::new().config(&table(business)).token("BOT", robot);
    world.graph.with(|graph| {
        graph.add_page(PageFixture::new(CLIENTS, "Client"));
        for page in [BAKERY, CAFE, CLIENTS] {
            graph.list(ROBOT, page, Listing::Unlisted);
        }
        graph.add_portfolio(PortfolioFixture::new(
            PORTFOLIO,
            ROBOT,
            &[BAKERY, CAFE],
            &[CLIENTS, BAKERY],
        ));
    });
    world
}

const SCOPES: [&str; 2] = ["pages_show_list", "business_management"];

#[test]
fn the_portfolio_lists_what_the_system_user_s_own_list_lacks() {
    let business = format!("business = \"{PORTFOLIO}\"");
    let world = world(&business, &SCOPES);
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    let labels: Vec<String> = ran.outcomes().into_keys().collect();
    assert_eq!(
        labels,
        ["bot", "bot/2000000000000001", "bot/2000000000000002", "bot/2000000000000003"]
    );
    let lists: Vec<String> =
        world.calls().into_iter().filter(|call| !call.starts_with("debug_token")).collect();
    let edge = |name: &str| format!("{PORTFOLIO}/{name} Bot");
    assert_eq!(lists, ["me/accounts Bot".to_owned(), edge("owned_pages"), edge("client_pages")]);
    let pages = world.run(&["pages", "bot", "--json"]).exit(Exit::Ok).json();
    let ids: Vec<&str> = pages["pages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["page_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [BAKERY, CAFE, CLIENTS]);
    assert_eq!(pages["pages"][0]["kept"], json!(true));
    world.calls();
    // Where the own list has some, nobody else is asked.
    world.graph.with(|graph| graph.list(ROBOT, BAKERY, Listing::Listed));
    let _ = world.run(&["pages", "bot", "--json"]).exit(Exit::Ok);
    assert_eq!(world.calls(), ["me/accounts Bot"]);
}

#[test]
fn without_it_and_where_it_is_refused_that_is_said() {
    let without = world("", &SCOPES);
    let ran = without.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes().len(), 1);
    let business = format!("business = \"{PORTFOLIO}\"");
    let no_permission = world(&business, &["pages_show_list"]);
    let ran = no_permission.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    let problem = &ran.result("bot")["problem"];
    assert_eq!(problem["kind"], "permission_missing");
    let said = problem["message"].as_str().unwrap();
    assert!(
        said.starts_with(
            "its Pages are not listed without `pages_show_list` and `business_management`"
        ),
        "{said}"
    );
    let elsewhere = world("business = \"5\"", &SCOPES);
    let ran = elsewhere.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    let remedy = ran.result("bot")["problem"]["remedy"].as_str().unwrap().to_owned();
    assert_eq!(
        remedy,
        "compare `business` of `[token.bot]` (5) with the portfolio's id (Meta Business settings, \
         Business info); then run `metatoken refresh bot`"
    );
    // The remedy, typed.
    elsewhere.reconfigure(&table(&business));
    elsewhere.run(&["refresh", "bot", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(
        elsewhere.run(&["status", "--offline", "--json"]).json()["tokens"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
}

#[test]
fn an_app_may_name_it_for_its_tokens_and_mistakes_are_answered() {
    let world = world("", &SCOPES);
    let of_the_app = format!(
        "[app.other]\nid = \"{APP}\"\nsecret = {{ env = \"APP_SECRET\" }}\nbusiness = \"{PORTFOLIO}\"\n{}",
        table("app = \"other\"")
    );
    world.reconfigure(&of_the_app);
    assert_eq!(world.run(&["refresh", "--json"]).exit(Exit::Ok).outcomes().len(), 4);
    for (tables, said) in [
        (table("business = \"x\""), "a `business` has digits only"),
        (
            "[token.x]\ntype = \"page\"\npage_id = \"1\"\nbusiness = \"1\"\n".to_owned(),
            "a page token has no `business`",
        ),
        (
            "[app.i]\nkind = \"instagram\"\nid = \"1\"\nbusiness = \"1\"\n".to_owned(),
            "only a Facebook app has a `business`",
        ),
    ] {
        world.reconfigure(&tables);
        let ran = world.run(&["config", "check"]).exit(Exit::Config);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(all.contains(said), "{said}: {all}");
    }
}
