//! A Page's string that has an end.

use metatoken::exit::Exit;
use metatoken::sandbox::Rule;
use serde_json::json;

use crate::common::brand::{ONE_TRY, answer, hour, user};
use crate::common::{ANNA, APP, BAKERY, BRAND, World, day};

const PAGE: &str = r#"
[token.bakery]
type = "page"
parent = "brand"
page_id = "2000000000000001"
"#;

/// The same string came back, was called derived, and was asked for again in every run.
#[test]
fn a_dated_page_that_gets_the_same_string_back_is_asked_for_daily() {
    let spec = user().scopes(["public_profile", "pages_show_list"]);
    let config = format!("{ONE_TRY}{BRAND}{PAGE}");
    let mut world = World::new().config(&config).token("BRAND", spec);
    world.run(&["refresh"]).exit(Exit::Ok);
    let dated = json!({"data": {
        "app_id": APP, "type": "PAGE", "is_valid": true,
        "expires_at": day(16).timestamp(), "issued_at": day(0).timestamp(),
        "profile_id": BAKERY, "user_id": ANNA,
        "scopes": ["public_profile", "pages_show_list"],
    }});
    let rule = Rule::on("/debug_token").about(&world.in_use("bakery"));
    world.graph.misbehave(rule, answer(200, &dated.to_string()));

    let derivations = [format!("{BAKERY} Brand"), "me/accounts Brand".to_owned()];
    for (hours, exit, asks) in [
        (25, Exit::Failed, 1),
        (26, Exit::Ok, 0),
        (27, Exit::Ok, 0),
        (48, Exit::Ok, 0),
        (50, Exit::Failed, 1),
    ] {
        world.calls();
        world.at(hour(0, hours));
        let ran = world.run(&["refresh", "--json"]).exit(exit);
        let asked = world.calls().iter().filter(|call| derivations.contains(call)).count();
        assert_eq!(asked, asks, "+{hours} h: {}", ran.stdout);
        if asks == 1 {
            assert_eq!(ran.outcomes()["bakery"], "not_extended", "+{hours} h");
        }
        assert_eq!(ran.result("bakery")["generation"], 1);
    }
}
