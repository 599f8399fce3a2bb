//! Each format, byte for byte but for the value.

use std::os::unix::fs::PermissionsExt as _;

use super::{ONE, TWO, held, left_behind, states, world};
use crate::common::{World, day, mode};
use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP};

/// A file, the value's key in it, and its text with `@` for the value.
const FILES: [(&str, Option<&str>, &str); 7] = [
    (
        "app.ini",
        Some("facebook.token"),
        "; mine\r\n[ Facebook ]\r\nPage = 1\r\ntoken\t=  @   ; kept\r\n\r\n[other]\r\ntoken = no\r\n",
    ),
    ("web.env", Some("FB_TOKEN"), "# a comment\nexport FB_TOKEN='@' # why\nFB_TOKEN_OLD=x\n"),
    (
        "app.json",
        Some("meta.accounts.0"),
        "{\"b\":1.0,\t\"meta\" : {\"accounts\":[\"@\", \"\\u00e9\"]},\"a\":[]}",
    ),
    ("pointer.json", Some("/meta/a~1b"), "{\n  \"meta\": {\"a/b\": \"@\"}\n}\n"),
    (
        "app.yaml",
        Some("meta.token"),
        "# top\nmeta:\n    token: \"@\"   # the token\n    list: [1,2]\n...\n",
    ),
    ("app.toml", Some("meta.\"fb token\""), "[meta]\n\"fb token\" = '@' # kept\nx=1\n"),
    ("token", None, "@\n"),
];

#[test]
fn a_renewal_reaches_each_format_and_changes_nothing_but_the_value() {
    let targets = FILES.map(|(file, key, _)| {
        let key = key.map_or_else(String::new, |key| format!("key = '{key}'\n"));
        format!("[[token.brand.deliver]]\nname = \"{file}\"\nfile = \"{file}\"\n{key}")
    });
    let mut world = world(&targets.concat());
    for (file, _, text) in FILES {
        world.write(file, text.replace('@', "your-token-here"));
        let rights = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(world.path(file), rights).unwrap();
    }
    let holds = |world: &World, string: &str| {
        for (file, _, text) in FILES {
            assert_eq!(held(world, file), text.replace('@', string), "{file}");
            assert_eq!(mode(&world.path(file)), 0o640, "{file}");
        }
        assert_eq!(left_behind(world), [""; 0]);
    };
    world.run(&["refresh", "--quiet"]).silent().code(0);
    holds(&world, ONE);
    world.at(day(45));
    let result = world.run(&["refresh", "--json"]).code(0).result("brand");
    assert_eq!(result["outcome"], "refreshed");
    assert_eq!(states(&result), FILES.map(|(file, ..)| format!("{file} in_sync")));
    holds(&world, TWO);
}

#[test]
fn our_own_config_can_be_a_target() {
    let mut world = World::new();
    let string = world.mint(TokenFixture::user(APP, ANNA).named("brand"));
    world.reconfigure(&format!(
        "[token.brand] # mine\ntype = \"user\"\naccess_token = \"{string}\" # pasted\n
[[token.brand.deliver]]\nfile = \"metatoken.toml\"\nkey = \"token.brand.access_token\"\n"
    ));
    let before = held(&world, "metatoken.toml");
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "metatoken.toml"), before);
    world.at(day(45));
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(held(&world, "metatoken.toml"), before.replace(ONE, TWO));
    assert_eq!(mode(&world.path("metatoken.toml")), 0o600);
    // What it finds there now is its own string and no newcomer.
    world.calls();
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn a_link_is_followed_and_stays_a_link() {
    let world = world("[[token.brand.deliver]]\nfile = \"link.ini\"\nkey = \"facebook.token\"\n");
    std::os::unix::fs::symlink("app.ini", world.path("link.ini")).unwrap();
    world.run(&["refresh", "--quiet"]).silent().code(0);
    assert!(world.path("link.ini").is_symlink());
    assert_eq!(held(&world, "app.ini"), super::ini(ONE));
}

#[test]
fn a_file_or_a_key_that_is_missing_is_made_only_if_that_is_asked_for() {
    for (create, code) in [("create = true\n", 0), ("", 73)] {
        let target = |file: &str, key: &str| {
            format!("[[token.brand.deliver]]\nname = \"{file}\"\nfile = \"{file}\"\n{key}{create}")
        };
        let targets = target("new.env", "key = \"T\"\n") + &target("web/.env", "key = \"NEW\"\n");
        let world = world(&targets);
        world.write("web/.env", "A=1");
        let ran = world.run(&["refresh", "--json"]).code(code);
        if code == 0 {
            assert_eq!(held(&world, "new.env"), format!("T={ONE}\n"));
            assert_eq!(mode(&world.path("new.env")), 0o600);
            assert_eq!(held(&world, "web/.env"), format!("A=1\nNEW={ONE}"));
        } else {
            assert!(!world.path("new.env").exists());
            assert_eq!(held(&world, "web/.env"), "A=1");
            assert_eq!(states(&ran.result("brand")), ["new.env failed", "web/.env failed"]);
        }
    }
}
