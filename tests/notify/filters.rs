//! What a channel is told by its `events` and `labels`, and whom it names.

use metatoken::sandbox::TokenFixture;

use super::{OTHER, SCOPES, dead, kill, logs_in_again, well};
use crate::common::{ANNA, APP, BRAND, Hook, day};

fn channel(name: &str, more: &str) -> String {
    format!("[[notify]]\nname = \"{name}\"\nwebhook = \"[HOOK]/{name}\"\n{more}")
}

/// What each channel was told since this was last looked at: `chat CRITICAL`.
fn told(hook: &Hook) -> Vec<String> {
    let mut told: Vec<String> = hook
        .heard()
        .iter()
        .map(|it| {
            let text = it.text();
            let (event, _) = text.split_once(':').unwrap();
            format!("{} {event}", it.line.trim_start_matches("POST /"))
        })
        .collect();
    told.sort();
    told
}

#[test]
fn each_channel_hears_of_what_it_wants() {
    let channels = [
        channel("all", ""),
        channel("brand", "labels = [\"brand*\"]\n"),
        channel("other", "labels = [\"other\"]\n"),
        channel("alarms", "events = [\"critical\"]\n"),
        channel("ends", "events = [\"recovered\", \"critical\"]\n"),
        channel("reminders", "events = [\"reminder\"]\n"),
    ]
    .concat();
    let (mut world, hook) = dead(&format!("{OTHER}{channels}"));
    world.run(&["refresh", "--quiet"]).code(77);
    assert_eq!(told(&hook), ["alarms CRITICAL", "all CRITICAL", "brand CRITICAL", "ends CRITICAL"]);
    logs_in_again(&world);
    world.at(day(2));
    world.run(&["refresh", "--quiet"]).code(0);
    assert_eq!(told(&hook), ["all RECOVERED", "brand RECOVERED", "ends RECOVERED"]);
    // The timer is the machinery's: who has labels does not hear of it.
    world.at(day(4));
    world.run(&["check", "--notify"]).code(1);
    assert_eq!(told(&hook), ["all WARNING"]);
}

#[test]
fn pages_of_a_parent_that_is_not_ones_own() {
    let channels = [
        channel("pages", "labels = [\"brand/*\"]\n"),
        channel("one", "labels = [\"brand/2000000000000001\"]\n"),
        channel("parent", "labels = [\"brand\"]\n"),
    ];
    let (mut world, hook) = well(&format!("pages = \"all\"\n{}", channels.concat()));
    kill(&world);
    world.at(day(2));
    world.run(&["refresh", "--quiet"]).code(77);
    let mut said = hook.said();
    said.sort();
    assert_eq!(
        said,
        [
            "CRITICAL: brand/2000000000000001 and 1 more: down, its parent brand is down; its owner logs in: metatoken login brand",
            "CRITICAL: brand/2000000000000001: down, its parent brand is down; its owner logs in: metatoken login brand",
            "CRITICAL: brand: down, password changed; its owner logs in: metatoken login brand",
        ]
    );
}

#[test]
fn all_owners_of_one_cause_are_named() {
    let config = format!(
        "owner = \"anna@client.example\"\n{OTHER}owner = \"otto@client.example\"\n{}",
        channel("chat", "")
    );
    let (mut world, hook) = well(&config);
    world.graph.with(|graph| graph.app_mut(APP).unwrap().disabled = true);
    world.at(day(2));
    world.run(&["refresh", "--quiet"]).code(77);
    let [request] = hook.heard().try_into().unwrap();
    let text = request.text();
    assert!(text.contains("\nowner: anna@client.example, otto@client.example\n"), "{text}");
}

#[test]
fn a_channel_that_comes_later_hears_of_what_stands() {
    let (world, hook) = dead(&channel("first", ""));
    world.run(&["refresh", "--quiet"]).code(77);
    assert_eq!(told(&hook), ["first CRITICAL"]);
    let both = [channel("first", ""), channel("second", "")].concat();
    let both = both.replace("[HOOK]", &hook.origin);
    world.reconfigure(&format!("{BRAND}{both}"));
    world.run(&["refresh", "--quiet"]).code(77);
    assert_eq!(told(&hook), ["second CRITICAL"]);
    // One that goes and comes back is a new one.
    let second = channel("second", "").replace("[HOOK]", &hook.origin);
    world.reconfigure(&format!("{BRAND}{second}"));
    world.run(&["refresh", "--quiet"]).code(77);
    world.reconfigure(&format!("{BRAND}{both}"));
    world.run(&["refresh", "--quiet"]).code(77);
    assert_eq!(told(&hook), ["first CRITICAL"]);
}

#[test]
fn a_token_that_is_switched_off_does_not_recover() {
    let chat = channel("chat", "");
    let (world, hook) = dead(&chat);
    world.run(&["refresh", "--quiet"]).code(77);
    assert_eq!(told(&hook), ["chat CRITICAL"]);
    let chat = chat.replace("[HOOK]", &hook.origin);
    world.reconfigure(&format!("{BRAND}enabled = false\n{OTHER}{chat}"));
    world.run(&["refresh", "--quiet"]).code(0);
    assert_eq!(told(&hook), [""; 0]);
    world.reconfigure(&format!("{BRAND}{OTHER}{chat}"));
    world.run(&["refresh", "--quiet"]).code(77);
    assert_eq!(told(&hook), ["chat CRITICAL"]);
}

#[test]
fn a_token_under_another_name_is_no_news() {
    let channels = |parent: &str| {
        let pages = format!("labels = [\"{parent}/*\"]\n");
        format!("pages = \"all\"\n{}{}", channel("all", ""), channel("pages", &pages))
    };
    let (mut world, hook) = well(&channels("brand"));
    kill(&world);
    world.at(day(2));
    world.run(&["refresh", "--quiet"]).code(77);
    assert_eq!(told(&hook), ["all CRITICAL", "pages CRITICAL"]);
    let shop = BRAND.replace("[token.brand]", "[token.shop]\nwas = \"brand\"");
    let config = format!("{shop}{}", channels("shop").replace("[HOOK]", &hook.origin));
    world.reconfigure(&config);
    world.run(&["refresh", "--quiet"]).code(77);
    assert_eq!(told(&hook), [""; 0]);
    let string = world.mint(TokenFixture::user(APP, ANNA).named("brand").scopes(SCOPES));
    world.run_with_input(&["exchange", "shop"], &string).code(0);
    world.run(&["refresh", "--quiet"]).code(0);
    assert_eq!(told(&hook), ["all RECOVERED", "pages RECOVERED"]);
}
