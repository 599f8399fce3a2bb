//! The same import again: after a renewal, after a kill, beside other labels.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::token::Expiry;

use super::{AFTERWARDS, AGAIN, csv_of, declared, names, user};
use crate::common::{World, day};

#[test]
fn twice_is_the_same_as_once() {
    let mut world = World::new();
    world.write("tokens.csv", csv_of(&world, &["anna", "ben"]));
    world.run(&["import", "tokens.csv", "--quiet"]).stderr("").code(0);
    let expected = "
TOKEN  OUTCOME   EXPIRES     REASON
anna   verified  2026-03-02  imported before
ben    verified  2026-03-02  imported before

2 tokens: 2 verified
";
    let history = world.run(&["history", "--json"]).code(0).json();
    world.calls();
    world.run(&["import", "tokens.csv"]).stdout(expected).stderr(AFTERWARDS).code(0);
    assert_eq!(world.calls(), Vec::<String>::new());
    assert_eq!(world.run(&["history", "--json"]).code(0).json(), history);
    // Once they were renewed the old ones do not come back.
    world.at(day(45));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    let renewed = world.in_use("anna");
    world.run(&["import", "tokens.csv", "--quiet"]).silent().code(0);
    assert_eq!(world.in_use("anna"), renewed);
}

#[test]
fn another_access_token_replaces_none_that_works() {
    let world = World::new();
    world.write("tokens.csv", csv_of(&world, &["anna"]));
    world.run(&["import", "tokens.csv", "--quiet"]).stderr("").code(0);
    world.write("other.csv", csv_of(&world, &["anna"]));
    let expected = "other.csv:2: `anna` has another access token that works: to replace it, run `metatoken exchange anna`\n";
    world
        .run(&["import", "other.csv"])
        .stdout("\nno tokens\n")
        .stderr(&format!("{expected}{AGAIN}"))
        .exit(Exit::InputRefused);
    // One of another label.
    let text = std::fs::read_to_string(world.path("tokens.csv")).unwrap();
    world.write("renamed.csv", text.replace("anna,", "ben,"));
    world
        .run(&["import", "renamed.csv"])
        .stdout("\nno tokens\n")
        .stderr(&format!("renamed.csv:2: that is the access token of `anna`\n{AGAIN}"))
        .exit(Exit::InputRefused);
    assert_eq!(names(&world), ["anna.toml"]);
}

#[test]
fn a_kill_is_finished_by_the_same_import() {
    for (place, expected) in [
        ("prepared", "imported"),
        ("declared", "imported"),
        ("before-seal", "imported"),
        ("sealed", "imported"),
        ("promoted", "verified"),
        ("before-request", "imported"),
        ("granted", ""),
    ] {
        let world = World::new();
        world.reconfigure("[http]\nconcurrency = 1\n");
        let is_short = matches!(place, "before-request" | "granted");
        let text = if is_short {
            let short = user("anna").ending(Expiry::At(day(0) + TimeDelta::hours(1)));
            format!(
                "label,type,access_token,issued_at\nanna,user,{},2026-01-01\n",
                world.mint(short)
            )
        } else {
            csv_of(&world, &["anna"])
        };
        world.write("tokens.csv", text);
        world.killed_at(place, &["import", "tokens.csv"], "");
        let ran = world.run(&["import", "tokens.csv", "--json"]);
        if !expected.is_empty() {
            assert_eq!(ran.result("anna")["outcome"], expected, "{place}");
        }
        // Once more there is nothing new, also where it was exchanged.
        let again = world.run(&["import", "tokens.csv", "--json"]).exit(Exit::Ok);
        assert_eq!(again.result("anna")["outcome"], "verified", "{place}");
        assert_eq!(again.result("anna")["reason"], "imported before", "{place}");
        assert_eq!(names(&world), ["anna.toml"], "{place}");
        world.run(&["check"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);
    }
}

#[test]
fn a_label_of_the_config_gets_its_first_access_token() {
    let world = World::new().config("[token.anna]\ntype = \"user\"\n[[token.anna.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\ncreate = true\n");
    world.write("app.env", "");
    world.write("tokens.csv", csv_of(&world, &["anna"]));
    world
        .run(&["import", "tokens.csv"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
anna   imported  2026-03-02  long-lived already
       delivered to [DIR]/app.env#TOKEN

1 token: 1 imported
",
        )
        .stderr(AFTERWARDS)
        .code(0);
    assert!(names(&world).is_empty());
    let delivered = std::fs::read_to_string(world.path("app.env")).unwrap();
    assert!(delivered.contains(&world.in_use("anna")), "{delivered}");
}

#[test]
fn the_past_comes_along_once_and_counts_in_no_rate() {
    let world = World::new();
    let token = world.mint(user("anna"));
    world.write(
        "tokens.csv",
        format!(
            "label,type,access_token,kind,created,expires_at,error\nanna,user,{token},,2025-11-01T00:00:00Z,,\nanna,,,refreshed,2025-11-20 10:00:00+00,2026-01-19 10:00:00+00,\nanna,,,refreshed,2025-12-01,,Error validating access token: EAAsecretsecretsecretsecretsecretsecret has expired\nanna,,,moved,2025-12-02,,\nanna,,,refreshed,2026-12-02,,\nben,,,refreshed,2025-12-02,,\nanna,,,refreshed,,,\n"
        ),
    );
    let refused = "
tokens.csv:5: unknown kind `moved`: one of imported, adopted, exchanged, refreshed, derived, not_extended, refresh_failed, invalid
tokens.csv:6: it happened at 2026-12-02 00:00, which has not come yet
tokens.csv:7: `ben` is not a token of this import or of the config
tokens.csv:8: no `created`: when it happened is not said
";
    world
        .run(&["import", "tokens.csv"])
        .stderr(&format!("{refused}{AGAIN}{AFTERWARDS}"))
        .exit(Exit::InputRefused);
    let again = world.run(&["import", "tokens.csv", "--quiet"]);
    let _ = again.stdout("").stderr(refused).exit(Exit::InputRefused);
    world
        .run(&["history"])
        .stdout(
            "
AT (UTC)          TOKEN  EVENT           TRIGGER   DETAIL
2025-11-01 00:00  anna   imported        imported  -
2025-11-20 10:00  anna   refreshed       imported  expires 2026-01-19
2025-12-01 00:00  anna   refresh failed  imported  Error validating access token: [redacted] has expired
2026-01-01 00:00  anna   adopted         manual    expires 2026-03-02

no attempts yet
",
        )
        .code(0);
    world.run(&["history", "--summary"]).stdout("\nno attempts yet\n").code(0);
}

#[test]
fn files_of_others_in_the_folder_are_left_alone() {
    let world = World::new();
    world.write("tokens.csv", csv_of(&world, &["anna", "ben", "cara"]));
    world.write("tokens.d/anna.toml", "[token.other]\ntype = \"user\"\n");
    world.write("tokens.d/broken.toml", "[token.ben]\ntype = \"usr\"\n");
    world
        .run(&["import", "tokens.csv"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
cara   imported  2026-03-02  long-lived already; declared in `tokens.d/cara.toml`

1 token: 1 imported
",
        )
        .stderr(&format!(
            "
tokens.csv:2: `[DIR]/tokens.d/anna.toml` is there already, and does not declare `anna`
tokens.csv:3: `ben` is declared in a file that is left out: tokens.d/broken.toml:2:8: unknown type `usr`
{AGAIN}{AFTERWARDS}"
        ))
        .exit(Exit::Config);
    assert_eq!(declared(&world, "anna"), "[token.other]\ntype = \"user\"\n");
}
