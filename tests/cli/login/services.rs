//! Each service's login, and what no person logs in for.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{AppFixture, CodeReply, LoginConfiguration};
use metatoken::token::Expiry;

use super::{ALL, CONFIG, address, anna_grants, edit_config, hand_in, kept, play};
use crate::common::{ANNA, APP, APP_SECRET, CREATOR, ROBOT, World, day};

const OTHERS: &str = r#"
[app.insta]
kind = "instagram"
id = "1000000000000011"
secret = { env = "INSTA_SECRET" }

[app.notes]
kind = "threads"
id = "1000000000000012"
secret = { env = "THREADS_SECRET" }

[token.creator]
type = "instagram"
user_id = "17841400000000001"

[token.notes]
type = "threads"
user_id = "17841400000000001"
"#;

const ROBOTS: &str = r#"
[token.robot]
type = "system-user"
user_id = "3000000000000009"
"#;

#[test]
fn instagram_and_threads_have_their_own_dialogs() {
    for reply in [CodeReply::Wrapped, CodeReply::Flat] {
        let world = World::new().config(OTHERS);
        world.graph.with(|graph| graph.set_code_reply(reply));
        for (label, place, scope) in [
            (
                "creator",
                "/instagram/oauth/authorize?client_id=1000000000000011&",
                "instagram_business_basic",
            ),
            ("notes", "/threads/oauth/authorize?client_id=1000000000000012&", "threads_basic"),
        ] {
            let address = address(&world, label);
            assert!(address.contains(place), "{address}");
            assert!(address.contains(&format!("&scope={scope}&state=")), "{address}");
            let answer = play(&world, &address, &format!("as={CREATOR}&decision=allow"));
            assert!(answer.ends_with("#_"), "{answer}");
            let ran = hand_in(&world, label, &answer, &["--json"]).stderr("").exit(Exit::Ok);
            let result = ran.result(label);
            assert_eq!(result["outcome"], "logged_in", "{}", ran.stdout);
            assert_eq!(result["new_expires_at"], "2026-03-02T00:00:00Z");
        }
    }
}

#[test]
fn a_login_for_a_business_gives_a_system_users_token_which_is_never_exchanged() {
    let world = World::new().config(ROBOTS);
    edit_config(&world, "[app.main]", "[app.main]\nconfig_id = \"77\"");
    world.graph.with(|graph| {
        let configuration = LoginConfiguration {
            scopes: vec!["ads_management".to_owned()],
            system_user: Some(ROBOT.to_owned()),
        };
        graph.add_app(AppFixture::new(APP, APP_SECRET, "Main App").configured("77", configuration));
    });
    let address = address(&world, "robot");
    assert!(address.contains("&config_id=77&") && !address.contains("scope="), "{address}");
    let answer = play(&world, &address, &format!("as={ANNA}&decision=allow&grant=ads_management"));
    let _ = hand_in(&world, "robot", &answer, &[])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES  REASON
robot  logged in  never    never expires

1 token: 1 logged in
",
        )
        .exit(Exit::Ok);
    let calls = world.calls();
    assert_eq!(calls.iter().filter(|it| it.starts_with("oauth/")).count(), 1, "{calls:?}");
    world.graph.with(|graph| {
        assert_eq!(graph.expiry("EAAFAKERobot1"), Some(Expiry::Never), "not made to expire");
    });
}

#[test]
fn the_code_of_embedded_signup_is_sent_without_a_redirect_address() {
    let mut world = World::new().config(ROBOTS);
    let signup = |world: &World| {
        world
            .graph
            .with(|graph| graph.embedded_signup(APP, ROBOT, &["whatsapp_business_messaging"]))
    };
    let _ =
        hand_in(&world, "robot", &format!("{}\n", signup(&world)), &[]).stderr("").exit(Exit::Ok);
    let late = signup(&world);
    world.at(day(0) + TimeDelta::seconds(31));
    let _ = hand_in(&world, "robot", &late, &[])
        .stderr(
            "
error: robot: the code has expired; it works for some minutes
hint: for a new address, run `metatoken login robot`
hint: the current access token is untouched
",
        )
        .exit(Exit::InputRefused);
}

#[test]
fn what_no_person_logs_in_for_says_what_to_do_instead() {
    let world = World::new().config(
        r#"
[app.insta]
kind = "instagram"
id = "1000000000000011"

[token.brand]
type = "user"

[token.bakery]
type = "page"
parent = "brand"
page_id = "2000000000000001"

[token.lone]
type = "page"
app = "main"
page_id = "2000000000000002"

[token.robot]
type = "system-user"

[token.self]
type = "app"

[token.creator]
type = "instagram"
"#,
    );
    for (label, exit, said, hint) in [
        (
            "bakery",
            Exit::Usage,
            "a Page's token comes from the login of a person",
            "run `metatoken login brand`",
        ),
        (
            "lone",
            Exit::Usage,
            "a Page's token comes from the login of a person, and it has no `parent`",
            "declare a user token, and name it as the `parent` of `[token.lone]`",
        ),
        (
            "robot",
            Exit::Usage,
            "a System User does not log in",
            "an admin of the business generates a new token for the System User (Meta Business \
             settings, Users, System users), then run `metatoken exchange robot`; for a login for \
             businesses, set `config_id` in `[app.main]`",
        ),
        (
            "self",
            Exit::Usage,
            "an app's token needs no login: its id and secret give it",
            "run `metatoken refresh self`",
        ),
        (
            "creator",
            Exit::Config,
            "app `insta` has no `secret`, which a login needs",
            "add `secret` to `[app.insta]`; Meta shows it in Instagram, API setup with Instagram login",
        ),
        ("brnd", Exit::Usage, "matches no token", "did you mean `brand`?"),
    ] {
        let _ = world
            .run(&["login", label, "--print-url"])
            .stdout("")
            .stderr(&format!("\nerror: {label}: {said}\nhint: {hint}\n"))
            .exit(exit);
    }
}

#[test]
fn access_to_the_data_that_ends_is_asked_for_again() {
    let mut world = kept(CONFIG);
    assert!(address(&world, "brand").contains("&auth_type=rerequest&"));
    world.at(day(80));
    assert!(address(&world, "brand").contains("&auth_type=reauthorize&"));
    let answer = anna_grants(&world, ALL);
    let _ = hand_in(&world, "brand", &answer, &[]).exit(Exit::Ok);
    assert_eq!(world.offline("brand")["data_access_expires_at"], "2026-06-20T00:00:00Z");
}
