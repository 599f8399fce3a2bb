//! `forget`: what is kept of a label that the config does not declare any more is wiped, and its
//! history is not.

use std::os::unix::fs::PermissionsExt as _;

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, World, ends};

const BRAND: &str = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n";
const SHOP: &str = "[token.shop]\ntype = \"user\"\naccess_token = { env = \"SHOP\" }\n";

fn user(name: &str) -> TokenFixture {
    TokenFixture::user(APP, ANNA).named(name)
}

/// A world that keeps `brand` and `shop`; these tables are behind theirs.
fn keeping(more: &str) -> World {
    let world = World::new().config(&format!("{SHOP}{BRAND}{more}"));
    let world = world.token("SHOP", user("shop")).token("BRAND", user("brand"));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.calls();
    world
}

fn events(world: &World, label: &str) -> Vec<String> {
    let json = world.run(&["history", label, "--json"]).json();
    let events = json["events"].as_array().unwrap().clone();
    events.iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_label_that_left_the_config_is_forgotten_and_its_history_stays() {
    let world = keeping("");
    world.reconfigure(SHOP);
    world.run(&["check", "--system"]).code(2);
    world
        .run(&["forget", "brand", "--dry-run"])
        .stdout(
            "
TOKEN  OUTCOME       EXPIRES  REASON
brand  would forget  -        1 access token would be wiped

1 token: 1 would forget (dry run: nothing was changed)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(events(&world, "brand"), ["adopted"]);
    world
        .run(&["forget", "brand"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES  REASON
brand  forgotten  -        1 access token wiped

1 token: 1 forgotten
",
        )
        .stderr("")
        .exit(Exit::Ok);
    // Meta was not asked for anything.
    assert_eq!(world.calls(), [""; 0]);
    assert_eq!(events(&world, "brand"), ["adopted", "forgotten"]);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);
    world.run(&["token", "brand"]).stdout("").exit(Exit::Usage);
    // Again there is nothing left; the shape is that of a refresh.
    let again = world.run(&["forget", "brand", "--json"]).stderr("").exit(Exit::Ok);
    assert_eq!(again.result("brand")["outcome"], "forgotten");
    assert_eq!(again.result("brand")["reason"], "nothing was kept");
    assert_eq!(again.json()["summary"]["forgotten"], 1);
    assert_eq!(events(&world, "brand"), ["adopted", "forgotten"]);
    // What another token has is untouched.
    world.run(&["token", "shop"]).stdout("\nEAAFAKEShop1\n").code(0);
}

#[test]
fn what_is_declared_is_not_forgotten() {
    let world = keeping("");
    for (typed, stderr) in [
        (
            vec!["forget", "brand"],
            "
error: brand: not forgotten: `[DIR]/metatoken.toml` declares it
hint: remove its table from `[DIR]/metatoken.toml` first
",
        ),
        (
            vec!["forget", "brand", "--undeclare"],
            "
error: brand: not forgotten: `[DIR]/metatoken.toml` declares it
hint: remove its table from `[DIR]/metatoken.toml` first
",
        ),
    ] {
        world.run(&typed).stdout("").stderr(stderr).exit(Exit::InputRefused);
    }
    world
        .run(&["forget", "bran"])
        .stdout("")
        .stderr(
            "
error: bran: matches no token in the store
hint: `metatoken status -v --offline` lists the labels that are not declared
",
        )
        .exit(Exit::Usage);
    // One that is declared keeps all that were typed.
    world.reconfigure(SHOP);
    world.run(&["forget", "*"]).stdout("").exit(Exit::InputRefused);
    assert_eq!(events(&world, "brand"), ["adopted"]);
    world.run(&["forget"]).stdout("").exit(Exit::Usage);
    // Without a store nothing is made.
    let world = World::new().config(BRAND);
    world
        .run(&["forget", "brand"])
        .stdout("")
        .stderr(
            "
error: [DIR]/metatoken.db: there is no store yet
hint: nothing is kept that could be forgotten
",
        )
        .exit(Exit::Storage);
    assert!(!world.path("metatoken.db").exists() && !world.path("metatoken.key").exists());
}

#[test]
fn the_files_that_still_hold_it_are_named_and_emptied_when_that_is_said() {
    let files = [
        ("app.env", "T", "A=1\nT=\n", "A=1\nT=\n"),
        ("app.ini", "meta.token", "[meta]\ntoken =\nx = 1\n", "[meta]\ntoken = \nx = 1\n"),
        (
            "app.json",
            "meta.token",
            "{\"meta\": {\"token\": \"\"}}\n",
            "{\"meta\": {\"token\": \"\"}}\n",
        ),
        (
            "app.toml",
            "meta.token",
            "[meta]\ntoken = \"\" # kept\n",
            "[meta]\ntoken = \"\" # kept\n",
        ),
        (
            "app.yaml",
            "meta.token",
            "meta:\n  token: \"\"\n  x: 1\n",
            "meta:\n  token: \"\"\n  x: 1\n",
        ),
    ];
    let targets = files.map(|(file, key, ..)| {
        format!(
            "[[token.brand.deliver]]\nfile = \"{file}\"\nkey = \"{key}\"\nname = \"the {file}\"\n"
        )
    });
    let targets = targets.concat();
    let world = World::new().config(&format!("{SHOP}{BRAND}{targets}"));
    for (file, _, before, _) in files {
        world.write(file, before);
    }
    let world = world.token("SHOP", user("shop")).token("BRAND", user("brand"));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.reconfigure(SHOP);
    let ran = world.run(&["forget", "brand"]).stderr("").exit(Exit::Ok);
    for (file, ..) in files {
        assert!(ran.stdout.contains(&format!("warning: `brand`: `the {file}` still holds its access token\n  hint: run `metatoken forget --targets brand`, which empties it\n")), "{}", ran.stdout);
        let text = std::fs::read_to_string(world.path(file)).unwrap();
        assert!(text.contains("EAAFAKEBrand1"), "{file}: {text}");
    }
    // The remedy works when it is typed; before, it shows what it would do.
    let dry = world.run(&["forget", "--targets", "brand", "--dry-run"]).stderr("").exit(Exit::Ok);
    let said = "nothing is kept; `the app.env`, ";
    assert!(dry.stdout.contains(said), "{}", dry.stdout);
    assert!(dry.stdout.contains(" would be emptied\n"), "{}", dry.stdout);
    assert!(std::fs::read_to_string(world.path("app.env")).unwrap().contains("EAAFAKEBrand1"));
    world.run(&["forget", "--targets", "brand", "--quiet"]).silent().exit(Exit::Ok);
    for (file, _, _, after) in files {
        assert_eq!(std::fs::read_to_string(world.path(file)).unwrap(), after, "{file}");
    }
    // What is not its own stays.
    world.write("app.env", "T=EAAFAKEOther9\n");
    world.run(&["forget", "--targets", "brand", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(std::fs::read_to_string(world.path("app.env")).unwrap(), "T=EAAFAKEOther9\n");
}

#[test]
fn a_file_of_tokens_is_removed_with_its_label() {
    let world = keeping("");
    std::fs::create_dir(world.path("tokens.d")).unwrap();
    std::fs::set_permissions(world.path("tokens.d"), std::fs::Permissions::from_mode(0o755))
        .unwrap();
    let page =
        "[token.page]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"2000000000000001\"\n";
    let of_file = BRAND.replace("env = \"BRAND\"", "file = \"secret\"");
    world.write("tokens.d/secret", "EAAFAKEBrand1");
    world.write("tokens.d/brand.toml", &of_file);
    world.reconfigure(&format!("{SHOP}{page}"));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world
        .run(&["forget", "brand"])
        .stdout("")
        .stderr(
            "
error: brand: not forgotten: `[DIR]/tokens.d/brand.toml` declares it
hint: `metatoken forget --undeclare brand` removes that file first
",
        )
        .exit(Exit::InputRefused);
    // What depends on it, or stands in the same file, keeps it.
    world.run(&["forget", "--undeclare", "brand"]).stdout("").stderr("
error: [DIR]/tokens.d/brand.toml: not removed: the rest of the config depends on it: metatoken.toml:15:10: there is no token `brand`
hint: change what depends on it first; then run the same again
").exit(Exit::InputRefused);
    world.reconfigure(SHOP);
    world.write("tokens.d/brand.toml", format!("{of_file}[token.other]\ntype = \"user\"\n"));
    world
        .run(&["forget", "--undeclare", "brand"])
        .stdout("")
        .stderr(
            "
error: [DIR]/tokens.d/brand.toml: not removed: it declares `other` too
hint: remove the table that is not needed from the file by hand
",
        )
        .exit(Exit::InputRefused);
    assert!(world.path("tokens.d/brand.toml").exists());
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand1\n").code(0);

    world.write("tokens.d/brand.toml", &of_file);
    world.run(&["forget", "--undeclare", "brand", "-n", "--quiet"]).silent().exit(Exit::Ok);
    let dry = world.run(&["forget", "--undeclare", "brand", "-n"]).stderr("").exit(Exit::Ok);
    let said = "; `[DIR]/tokens.d/brand.toml` would be removed\n";
    assert!(dry.stdout.contains(said), "{}", dry.stdout);
    assert!(world.path("tokens.d/brand.toml").exists());
    world
        .run(&["forget", "--undeclare", "brand"])
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES  REASON
brand  forgotten  -        1 access token wiped; removed `[DIR]/tokens.d/brand.toml`

warning: `brand`: the file `[DIR]/tokens.d/secret`, its `access_token`, still holds its access token
  hint: remove the access token from it with an editor

1 token: 1 forgotten
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert!(!world.path("tokens.d/brand.toml").exists());
    world.run(&["forget", "page", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);
    // A file that is left out declares its labels all the same.
    world.write("tokens.d/brand.toml", &of_file);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.write("tokens.d/brand.toml", "[token.brand");
    for typed in [&["forget", "brand"][..], &["forget", "--undeclare", "brand"]] {
        world
            .run(typed)
            .stdout("")
            .stderr(
                "
error: brand: not forgotten: a file that declares it is left out of the config
hint: `metatoken config check` shows what is wrong with that file
",
            )
            .exit(Exit::InputRefused);
    }
}

#[test]
fn after_it_a_fingerprint_holds_nothing_off() {
    let mut world = keeping("");
    world.reconfigure(SHOP);
    world.run(&["forget", "brand", "--quiet"]).silent().exit(Exit::Ok);
    // Another one first, so that the old one is not just what a missing one is replaced with.
    world.reconfigure(&format!("{SHOP}{BRAND}"));
    let other = world.mint(user("brand").ending(ends(30)));
    let old = "EAAFAKEBrand1";
    world.set("BRAND", &other);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["token", "brand"]).stdout(&format!("\n{other}\n")).code(0);
    world.set("BRAND", old);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["token", "brand"]).stdout(&format!("\n{old}\n")).code(0);
    assert_eq!(events(&world, "brand"), ["adopted", "forgotten", "adopted", "adopted"]);
}

#[test]
fn the_remedies_that_name_it_work() {
    // One access token under a label that is gone and a new one.
    let mut world = keeping("");
    world.set("SHOP", "EAAFAKEBrand1");
    world.reconfigure(&SHOP.replace("shop", "label"));
    world.run(&["refresh", "--quiet"]).exit(Exit::Config);
    world.run(&["forget", "brand", "--quiet"]).silent().exit(Exit::Ok);
    assert!(!world.run(&["check", "--tokens"]).stdout.contains("access token of `brand`"));
    world.run(&["refresh", "label", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["token", "label"]).stdout("\nEAAFAKEBrand1\n").code(0);

    // Two labels that both have one: either can be kept.
    let renamed = SHOP.replace("type", "was = \"brand\"\ntype");
    let world = keeping("");
    world.reconfigure(&renamed);
    world.run(&["refresh", "--quiet"]).exit(Exit::Config);
    world.run(&["forget", "brand", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["token", "shop"]).stdout("\nEAAFAKEShop1\n").code(0);

    let mut world = keeping("");
    world.reconfigure(&renamed);
    world.run(&["refresh", "--quiet"]).exit(Exit::Config);
    world.reconfigure("");
    world.run(&["forget", "shop", "--quiet"]).exit(Exit::Ok);
    world.set("SHOP", "");
    world.reconfigure(&renamed);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["token", "shop"]).stdout("\nEAAFAKEBrand1\n").code(0);
}

#[test]
fn the_pages_that_were_found_go_with_their_parent() {
    let all = "[token.anna]\ntype = \"user\"\npages = \"all\"\naccess_token = { env = \"ANNA\" }\n";
    let spec = user("anna").scopes(["public_profile", "pages_show_list"]);
    let world = World::new().config(&format!("{SHOP}{all}"));
    let world = world.token("SHOP", user("shop")).token("ANNA", spec);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world
        .run(&["forget", "anna/2000000000000001"])
        .stdout("")
        .stderr(
            "
error: anna/2000000000000001: not forgotten: it is a Page of `anna`, which is declared
hint: add its id to `except` of `anna` first
",
        )
        .exit(Exit::InputRefused);
    world.reconfigure(&format!(
        "{SHOP}{}",
        all.replace("pages", "except = [\"2000000000000001\"]\npages")
    ));
    world.run(&["forget", "anna/2000000000000001", "--quiet"]).silent().exit(Exit::Ok);
    world.reconfigure(SHOP);
    let outcomes = world.run(&["forget", "anna", "--json"]).exit(Exit::Ok).outcomes();
    let labels: Vec<&str> = outcomes.keys().map(String::as_str).collect();
    assert_eq!(labels, ["anna", "anna/2000000000000001", "anna/2000000000000002"]);
    world.run(&["check"]).code(0);
}

/// It makes no store and migrates none: nothing is changed.
#[test]
fn a_store_that_is_missing_or_of_an_older_schema_stays_as_it_is() {
    let missing = World::new().config(SHOP);
    for typed in [&["forget", "gone"][..], &["forget", "gone", "--dry-run"]] {
        missing
            .run(typed)
            .stdout("")
            .stderr(
                "
error: [DIR]/metatoken.db: there is no store yet
hint: nothing is kept that could be forgotten
",
            )
            .exit(Exit::Storage);
    }
    assert!(!missing.path("metatoken.db").exists());

    for dump in [include_str!("../schemas/v1.sql"), include_str!("../schemas/v3.sql")] {
        let world = World::new().config(SHOP);
        world.write("metatoken.key", "07".repeat(32));
        world.sql().execute_batch(dump).unwrap();
        let label = "gone";
        world
            .sql()
            .execute("UPDATE token SET label = 'gone' WHERE id = (SELECT max(id) FROM token)", [])
            .unwrap();
        let schema = || -> i64 {
            world.sql().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
        };
        let before = schema();
        for typed in [&["forget", label][..], &["forget", label, "-n"]] {
            world
                .run(typed)
                .stdout("")
                .stderr(
                    "
error: [DIR]/metatoken.db: the store was written by an older metatoken
hint: run `metatoken refresh`, which brings it up to date; then run the same again
",
                )
                .exit(Exit::Storage);
            assert_eq!(schema(), before);
        }
        // The remedy that is named, typed.
        let _ = world.run(&["refresh"]);
        assert_ne!(schema(), before);
        world.run(&["forget", label, "--quiet"]).silent().exit(Exit::Ok);
    }
}
