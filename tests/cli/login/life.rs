//! A whole life: a password is changed at night, and everybody does what the alarm says.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{Invalidation, TokenFixture};

use super::{ALL, CONFIG, hand_in, play, read};
use crate::common::{ANNA, APP, World, day};

#[test]
fn a_password_that_was_changed_at_night_from_the_alarm_to_the_delivered_token() {
    let config = format!("{CONFIG}\n[[notify]]\nname = \"chat\"\nwebhook = \"[HOOK]/chat\"\n");
    let config =
        config.replace("[token.brand]", "[token.brand]\naccess_token = { env = \"BRAND\" }");
    let scopes = ["public_profile", "pages_show_list", "pages_manage_posts"];
    let brand = TokenFixture::user(APP, ANNA).named("brand").scopes(scopes);
    let world = World::new().token("BRAND", brand);
    let (mut world, hook) = world.told_through(&config);
    world.write("app.env", "");
    let _ = world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(hook.said(), [""; 0]);

    // At night: whatever Anna's login has given dies.
    world.at(day(5) + TimeDelta::hours(2));
    world.graph.with(|graph| {
        let strings: Vec<String> = graph.strings().map(str::to_owned).collect();
        for string in &strings {
            graph.invalidate(string, Invalidation::PasswordChanged);
        }
    });
    world.at(day(5) + TimeDelta::hours(3));
    let _ = world.run(&["refresh", "--quiet", "--scheduled"]).exit(Exit::PersonNeeded);
    let page = include_str!("../../../examples/README.md");
    let alarm = "CRITICAL: brand and 2 more: down, password changed; anna@client.example logs in: metatoken login brand";
    let said = hook.said();
    assert!(said.iter().any(|line| line == alarm), "{said:?}");
    assert!(page.contains(&format!("\n{alarm}\n")), "the page of examples shows it");

    // In the morning the operator prints the address, and Anna opens it on her phone.
    world.at(day(5) + TimeDelta::hours(8));
    let output = world.command(&["login", "brand", "--print-url"]).output().unwrap();
    let address = String::from_utf8(output.stdout).unwrap();
    world.at(day(5) + TimeDelta::minutes(8 * 60 + 20));
    let answer = play(&world, &address, &format!("as={ANNA}&decision=allow{ALL}"));
    assert!(answer.starts_with("https://localhost/?code="), "{answer}");

    // She sends back where it ended, and the operator hands that in.
    let ran = hand_in(&world, "brand", &answer, &[]).stderr("").exit(Exit::Ok);
    assert!(ran.stdout.contains("2 derived, 1 logged in"), "{}", ran.stdout);
    assert_eq!(read(&world, "app.env"), "BRAND=EAAFAKEAnna2\n");
    let over = "RECOVERED: brand: recovered, was: password changed";
    let said = hook.said();
    assert!(said.iter().any(|line| line == over), "{said:?}");
    assert!(page.contains(&format!("\n{over}\n")), "the page of examples shows it");
    let _ = world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(hook.said(), [""; 0], "nothing is told twice");
    for typed in ["metatoken login brand --print-url", "metatoken login brand --answer -"] {
        assert!(page.contains(&format!("`{typed}`")), "{typed}");
    }
}
