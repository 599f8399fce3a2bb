//! Rotation: an access token gives way to a newer one while it still works.

use metatoken::exit::Exit;
use metatoken::sandbox::{TokenFixture, UserFixture};
use metatoken::token::Expiry;

use crate::common::{ANNA, APP, BAKERY, CAFE, ROBOT, Ran, World, day, ends};

const BEN: &str = "3000000000000002";

/// A System User whose access token is handed over by a person, and of whom one scope is required.
const PASTED: &str = r#"
[token.ads]
type = "system-user"
required_scopes = ["ads_read"]
"#;

fn ads() -> TokenFixture {
    TokenFixture::system_user(APP, ROBOT).named("ads").scopes(["ads_read", "ads_management"])
}

/// A world in which an access token was pasted on day 0, and which is now on day 10.
fn pasted(config: &str, label: &str, spec: TokenFixture) -> World {
    let mut world = World::new().config(config);
    let access_token = world.mint(spec);
    world.run_with_input(&["exchange", label, "-q"], &access_token).exit(Exit::Ok).silent();
    world.at(day(10));
    world
}

/// The last command that a text names.
fn last_command(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let command = quoted.filter_map(|it| it.strip_prefix("metatoken ")).last();
    let command = command.unwrap_or_else(|| panic!("no command in {text}"));
    command.split(' ').map(str::to_owned).collect()
}

/// Types a command, and hands an access token over to it.
fn typed(world: &World, command: &[String], access_token: &str) -> Ran {
    let words: Vec<&str> = command.iter().map(String::as_str).chain(["--quiet"]).collect();
    world.run_with_input(&words, access_token)
}

#[test]
fn one_that_never_expires_is_rotated_by_hand_while_it_works() {
    let world = pasted(PASTED, "ads", ads());
    let second = world.mint(ads());
    world.run_with_input(&["exchange", "ads", "--quiet"], &second).exit(Exit::Ok).stderr("");
    assert_eq!(world.in_use("ads"), second);
    let graph = |world: &World| world.graph.with(|graph| graph.invalidation("EAAFAKEAds1"));
    assert_eq!(graph(&world), None, "the old one is left to the person");
}

#[test]
fn a_date_in_the_place_of_none_needs_a_word_more() {
    let world = pasted(PASTED, "ads", ads());
    let dated = world.mint(ads().ending(ends(70)));
    let refused = world
        .run_with_input(&["exchange", "ads"], &dated)
        .stdout("")
        .stderr("
error: ads: not replaced: it expires 2026-03-12 00:00 UTC, in 60 days, and the current access token never expires
hint: to replace the current access token all the same, run `metatoken exchange ads --replace`
hint: the current access token is untouched
")
        .exit(Exit::InputRefused);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds1");
    typed(&world, &last_command(&refused.stderr), &dated).exit(Exit::Ok).stderr("");
    assert_eq!(world.in_use("ads"), dated);
    // The file that was named is named again.
    let shorter = world.mint(ads().ending(ends(60)));
    world.write("new token", &shorter);
    let refused = world.run(&["exchange", "ads", "--token-file", "new token", "--json"]);
    assert_eq!(refused.json()["error"]["code"], "not_replaced");
    let hint = "to replace the current access token all the same, run `metatoken exchange ads \
                --token-file 'new token' --replace`";
    assert_eq!(refused.json()["error"]["hints"][0], hint);
    assert_eq!(refused.code, Some(65));
}

#[test]
fn a_required_permission_is_not_lost_without_a_word_more() {
    let world = pasted(PASTED, "ads", ads());
    let poorer = world.mint(ads().scopes(["ads_management"]));
    let refused = world
        .run_with_input(&["exchange", "ads"], &poorer)
        .stdout("")
        .stderr(
            "
error: ads: not replaced: it lacks `ads_read`, which the current access token has
hint: to replace the current access token all the same, run `metatoken exchange ads --replace`
hint: the current access token is untouched
",
        )
        .exit(Exit::InputRefused);
    typed(&world, &last_command(&refused.stderr), &poorer).exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), poorer);
    // Now there is nothing left to lose, and a permission that is not required was never in the way.
    for scopes in [vec!["ads_management"], vec!["ads_read"], vec!["ads_read", "business"]] {
        let next = world.mint(ads().scopes(scopes));
        world.run_with_input(&["exchange", "ads", "--quiet"], &next).exit(Exit::Ok);
        assert_eq!(world.in_use("ads"), next);
    }
}

#[test]
fn a_person_who_logs_in_twice_in_a_minute_needs_no_word_more() {
    let config = "[token.brand]\ntype = \"user\"\n";
    let spec = || TokenFixture::user(APP, ANNA).named("brand");
    let mut world = pasted(config, "brand", spec().ending(ends(60)));
    // Meta's seconds differ: this one expires a little before the one in use.
    world.at(day(0) + chrono::TimeDelta::hours(1));
    let again = world.mint(spec().ending(Expiry::At(day(60) - chrono::TimeDelta::minutes(5))));
    world.run_with_input(&["exchange", "brand", "--quiet"], &again).exit(Exit::Ok).silent();
    assert_eq!(world.in_use("brand"), again);
}

#[test]
fn another_person_needs_a_word_of_its_own() {
    let config = "[token.brand]\ntype = \"user\"\n";
    let world = pasted(config, "brand", TokenFixture::user(APP, ANNA).named("brand"));
    world.graph.with(|graph| graph.add_user(UserFixture::new(BEN, "Ben")));
    let bens = world.mint(TokenFixture::user(APP, BEN).named("ben"));
    let refused = world
        .run_with_input(&["exchange", "brand", "--replace"], &bens)
        .exit(Exit::InputRefused)
        .stdout("");
    assert!(refused.stderr.contains("it belongs to user 3000000000000002, not to"));
    let command = last_command(&refused.stderr);
    assert_eq!(command, ["exchange", "brand", "--replace", "--replace-identity"]);
    typed(&world, &command, &bens).exit(Exit::Ok).silent();
    assert_eq!(world.in_use("brand"), bens);
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
}

#[test]
fn what_the_config_contradicts_no_word_helps() {
    let config = format!("[token.page]\ntype = \"page\"\npage_id = \"{BAKERY}\"\n");
    let page = |id| TokenFixture::page(APP, ANNA, id).named("page");
    let world = pasted(&config, "page", page(BAKERY));
    let cafe = world.mint(page(CAFE));
    let user = world.mint(TokenFixture::user(APP, ANNA));
    for access_token in [cafe, user] {
        let typed = ["exchange", "page", "--replace", "--replace-identity"];
        let refused = world.run_with_input(&typed, &access_token).exit(Exit::InputRefused);
        assert!(!refused.stderr.contains("--replace"), "{}", refused.stderr);
        assert_eq!(world.in_use("page"), "EAAFAKEPage1");
    }
}
