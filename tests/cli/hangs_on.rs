//! `--owner`, `--user` and `--app`: what hangs on a person, a user id or an app, in `status` and in
//! `forget`.

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, BAKERY, ROBOT, World, converse};

const BOTH: &str = "pages_show_list";

/// Two tokens of Anna, one of which says whose it is, with Pages and a Page of another owner under it;
/// one of a System User that Anna made; and Ben's.
fn config() -> String {
    format!(
        "[token.anna]\ntype = \"user\"\npages = \"all\"\nowner = \"anna@client.example\"
access_token = {{ env = \"ANNA\" }}
[token.bakery]\ntype = \"page\"\nparent = \"anna\"\npage_id = \"{BAKERY}\"\nowner = \"ben\"
[token.old]\ntype = \"user\"\naccess_token = {{ env = \"OLD\" }}
[token.robot]\ntype = \"system-user\"\nowner = \"ANNA@client.example\"
access_token = {{ env = \"ROBOT\" }}
[token.ads]\ntype = \"system-user\"\naccess_token = {{ env = \"ADS\" }}
"
    )
}

fn world() -> World {
    let user =
        |name: &str| TokenFixture::user(APP, ANNA).named(name).scopes(["public_profile", BOTH]);
    let world = World::new().config(&config());
    let world = world.token("ANNA", user("anna")).token("OLD", user("old"));
    let robot = |name: &str| TokenFixture::system_user(APP, ROBOT).named(name);
    let world = world.token("ROBOT", robot("robot")).token("ADS", robot("ads"));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.calls();
    world
}

/// The labels that `status` shows, and those that it says are no longer declared.
fn labels(world: &World, options: &[&str]) -> (Vec<String>, Vec<String>) {
    let typed = [&["status", "--offline", "--json"], options].concat();
    let json = world.run(&typed).stderr("").exit(Exit::Ok).json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let shown = json["tokens"].as_array().unwrap().iter().map(|it| text(&it["label"])).collect();
    (shown, json["undeclared"].as_array().unwrap().iter().map(text).collect())
}

#[test]
fn it_is_found_by_owner_user_and_app() {
    let world = world();
    let cafe = "anna/2000000000000002";
    let annas = ["anna", cafe, "bakery", "old"];
    let all = ["anna", cafe, "bakery", "old", "robot", "ads"];
    for (options, expected) in [
        // A person's other token, which names no owner; what an admin of that address made for a System
        // User; and not what else is made for that one.
        (&["--owner", "anna@client.example"][..], vec!["anna", cafe, "bakery", "old", "robot"]),
        (&["--owner", "Anna@Client.Example"], vec!["anna", cafe, "bakery", "old", "robot"]),
        (&["--owner", "ben"], vec!["bakery"]),
        (&["--user", ANNA], annas.to_vec()),
        (&["--user", ROBOT], vec!["robot", "ads"]),
        (&["--app", "main"], all.to_vec()),
        (&["--app", APP], all.to_vec()),
        // Each narrows.
        (&["--owner", "anna@client.example", "--user", ROBOT], vec!["robot"]),
        (&["--owner", "anna@client.example", "--app", "main", "o*"], vec!["old"]),
    ] {
        assert_eq!(labels(&world, options), (to_strings(&expected), vec![]), "{options:?}");
    }
    // Meta is asked about what is shown alone.
    world.run(&["status", "--live", "--owner", "ben", "--json"]).exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token PageBakery"]);
}

fn to_strings(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|label| (*label).to_owned()).collect()
}

#[test]
fn what_matches_nothing_is_named_with_what_is_near() {
    let world = world();
    for (options, error, hint) in [
        (
            &["--owner", "ana@client.example"][..],
            "--owner ana@client.example: matches no token",
            "did you mean `anna@client.example`?",
        ),
        (
            &["--owner", "x"],
            "--owner x: matches no token",
            "the owners are `ANNA@client.example`, `anna@client.example` and `ben`",
        ),
        (
            &["--user", "3000000000000002"],
            "--user 3000000000000002: matches no token",
            "did you mean `3000000000000001`?",
        ),
        (&["--app", "mian"], "--app mian: matches no token", "did you mean `main`?"),
        (&["--app", ""], "--app : matches no token", "the apps are `main`"),
        (
            &["--owner", "ben", "--user", ROBOT],
            "--owner ben --user 3000000000000009: matches no token",
            "each of these matches tokens, but no token matches all of them",
        ),
    ] {
        let expected = format!("error: {error}\nhint: {hint}\n");
        for command in [&["status", "--offline"][..], &["status"], &["forget"], &["forget", "-n"]] {
            let ran = world.run(&[command, options].concat()).stdout("");
            ran.stderr(&expected).exit(Exit::Usage);
        }
    }
    assert_eq!(world.calls(), [""; 0]);
    // Without a store nothing is known but the config.
    let world = World::new().config(&config());
    assert_eq!(labels(&world, &["--owner", "ben"]).0, ["bakery"]);
    world
        .run(&["status", "--user", ANNA])
        .stdout("")
        .stderr(
            "
error: --user 3000000000000001: matches no token
hint: no token is known to belong to a user id yet; `metatoken refresh` asks Meta
",
        )
        .exit(Exit::Usage);
}

/// Anna leaves. Her tables are removed from the config, and what hung on her is forgotten.
#[test]
fn what_hung_on_a_person_is_found_and_forgotten_when_the_config_says_nothing_any_more() {
    let world = world();
    world
        .run(&["forget", "--owner", "anna@client.example", "--yes=5"])
        .stdout("")
        .stderr(
            "
error: anna: not forgotten: `[DIR]/metatoken.toml` declares it
hint: remove its table from `[DIR]/metatoken.toml` first
",
        )
        .exit(Exit::InputRefused);
    let left = "[token.ads]\ntype = \"system-user\"\naccess_token = { env = \"ADS\" }\n";
    world.reconfigure(left);
    let gone = ["anna", "anna/2000000000000002", "bakery", "old", "robot"];
    let owner = ["--owner", "anna@client.example"];
    assert_eq!(labels(&world, &owner), (vec![], to_strings(&gone)));
    assert_eq!(labels(&world, &["--app", "main"]), (to_strings(&["ads"]), to_strings(&gone)));
    assert_eq!(labels(&world, &["--user", ROBOT]), (to_strings(&["ads"]), to_strings(&["robot"])));
    world.run(&["status", "--offline", "--user", ANNA]).stdout("
no tokens                                                   2026-01-01 00:00 UTC

critical: `anna`, `bakery`, `old` and `robot`: no longer declared, many at once, not renewed, the first expires in 60 days (2026-03-02 00:00 UTC)
  hint: declare each again, or set `was` under its new name; then run `metatoken refresh`. If not needed any more, run `metatoken forget anna` and the same for the others

in the store but not in the config, neither renewed nor judged: `anna`, `anna/2000000000000002`, `bakery` and `old`
").exit(Exit::Ok);

    let forget = [&["forget"], &owner[..]].concat();
    let listed = "
5 tokens that match `--owner anna@client.example`:
  anna                   user token of 3000000000000001, app main, expires 2026-03-02 00:00 UTC
  anna/2000000000000002  page token of 3000000000000001, app main, never expires
  bakery                 page token of 3000000000000001, app main, never expires
  old                    user token of 3000000000000001, app main, expires 2026-03-02 00:00 UTC
  robot                  system-user token of 3000000000000009, app main, never expires
error: nothing was done: WHY
hint: if all that is listed is meant, HOW `--yes=5`
";
    for (given, why, how) in [
        (&[][..], "there is no terminal to ask on", "add"),
        (&["--yes"], "`--yes` alone does not say what is meant", "write"),
        (&["--yes=4"], "`5` was expected, not `4`", "write"),
        (&["--yes=anna"], "`5` was expected, not `anna`", "write"),
    ] {
        let ran = world.run(&[&forget, given].concat()).stdout("");
        ran.stderr(&listed.replace("WHY", why).replace("HOW", how)).exit(Exit::Usage);
    }
    let dry = world.run(&[&forget, &["-n", "--json"][..]].concat()).stderr("").exit(Exit::Ok);
    assert_eq!(dry.outcomes().into_keys().collect::<Vec<_>>(), gone);
    // On a terminal it is asked.
    let (shown, code) = converse(&world.command(&forget), &[("Type 5 to go on", "4")]);
    assert!(shown.contains("nothing was done: `5` was expected, not `4`"), "{shown}");
    assert_eq!(code, Some(64));
    assert_eq!(labels(&world, &owner).1.len(), 5);
    let (shown, code) = converse(&world.command(&forget), &[("Type 5 to go on", "5")]);
    assert!(shown.contains("5 tokens: 5 forgotten"), "{shown}");
    assert_eq!(code, Some(0));
    // Nothing hangs on her any more, and what did not is untouched.
    world.run(&["status", "--owner", "anna@client.example"]).stdout("").exit(Exit::Usage);
    world.run(&["token", "ads"]).stdout("\nEAAFAKEAds1\n").code(0);
}
