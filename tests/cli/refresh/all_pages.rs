//! `[token."brand/*"]`: what all Pages share that are found under one person.

use metatoken::exit::Exit;
use metatoken::sandbox::{Invalidation, Listing, PageFixture, TokenFixture};

use crate::common::{ANNA, APP, BAKERY, CAFE, World, day};

/// Anna and all her Pages, each in a file of its own.
const CONFIG: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
pages = "all"

[token."brand/*"]
owner = "anna@client.example"

[[token."brand/*".deliver]]
file = "{parent}/{page_id}.env"
key = "TOKEN_{page_id}"
create = true
"#;

fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand").scopes(["public_profile", "pages_show_list"])
}

/// A world with that config, in which `[DIR]` is its folder.
fn world(config: &str) -> World {
    let world = World::new().token("BRAND", brand());
    world.reconfigure(&config.replace("[DIR]", world.path("").to_str().unwrap()));
    std::fs::create_dir(world.path("brand")).unwrap();
    world
}

fn holds(world: &World, name: &str, expected: &str) {
    let path = world.path(name);
    let held = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(held, expected, "{name}");
}

#[test]
fn every_page_that_is_found_is_delivered_to_a_file_of_its_own() {
    let mut world = world(CONFIG);
    world.run(&["config", "check"]).exit(Exit::Ok).stderr("");
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    holds(&world, &format!("brand/{BAKERY}.env"), &format!("TOKEN_{BAKERY}=EAAFAKEPageBakery1\n"));
    holds(&world, &format!("brand/{CAFE}.env"), &format!("TOKEN_{CAFE}=EAAFAKEPageCaf1\n"));
    // One that comes later is delivered in the run that finds it, and reported there.
    world.at(day(1));
    world.graph.with(|graph| {
        graph.add_page(PageFixture::new("2000000000000003", "Shop"));
        graph.list(ANNA, "2000000000000003", Listing::Listed);
    });
    let ran = world.run(&["refresh", "--force", "--json", "brand"]).exit(Exit::Ok);
    let shop = ran.result("brand/2000000000000003");
    assert_eq!(shop["outcome"], "derived");
    assert_eq!(shop["deliveries"][0]["state"], "in_sync");
    holds(&world, "brand/2000000000000003.env", "TOKEN_2000000000000003=EAAFAKEPageShop1\n");
    // A new access token follows.
    world.graph.with(|graph| graph.invalidate("EAAFAKEPageBakery1", Invalidation::Revoked));
    world.at(day(2));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    holds(&world, &format!("brand/{BAKERY}.env"), &format!("TOKEN_{BAKERY}=EAAFAKEPageBakery2\n"));
    world.run(&["check"]).code(0).stderr("");
    world.run(&["deliver", "--quiet"]).silent().exit(Exit::Ok);
}

#[test]
fn settings_come_from_the_own_table_then_from_that_of_all_then_from_the_parent() {
    let config = format!(
        r#"
[defaults]
keep_for = "9d"
verify_every = "9h"
warn_within = "29d"

[token.brand]
type = "user"
access_token = {{ env = "BRAND" }}
pages = "all"
verify_every = "8h"
validation_interval = "8m"
warn_within = "28d"
required_scopes = ["public_profile"]

[token."brand/*"]
validation_interval = "7m"
warn_within = "27d"
required_scopes = ["pages_show_list"]

[token."brand/{BAKERY}"]
warn_within = "26d"

[token.cafe]
type = "page"
parent = "brand"
page_id = "{CAFE}"
required_scopes = []
"#
    );
    let world = world(&config);
    let shown = world.run(&["config", "show", "--json"]).exit(Exit::Ok).json();
    let of = |label: &str, key: &str| {
        let entry = &shown["token"][label][key];
        (entry["value"].to_string(), entry["origin"].as_str().unwrap().to_owned())
    };
    let bakery = format!("brand/{BAKERY}");
    for (label, key, value, origin) in [
        (&*bakery, "warn_within", r#""26d""#, &*format!("token.{bakery}")),
        (&bakery, "validation_interval", r#""7m""#, "token.brand/*"),
        (&bakery, "required_scopes", r#"["pages_show_list"]"#, "token.brand/*"),
        (&bakery, "verify_every", r#""8h""#, "parent brand"),
        (&bakery, "keep_for", r#""9d""#, "defaults"),
        (&bakery, "refresh_within", r#""20d""#, "built in"),
        ("cafe", "warn_within", r#""27d""#, "token.brand/*"),
        ("cafe", "required_scopes", "[]", "token.cafe"),
        ("cafe", "verify_every", r#""8h""#, "parent brand"),
        ("brand/*", "warn_within", r#""27d""#, "token.brand/*"),
        ("brand/*", "verify_every", r#""8h""#, "parent brand"),
        ("brand/*", "keep_for", r#""9d""#, "defaults"),
        ("brand", "warn_within", r#""28d""#, "token.brand"),
    ] {
        assert_eq!(of(label, key), (value.to_owned(), origin.to_owned()), "{label} {key}");
    }
}

#[test]
fn a_page_with_targets_of_its_own_has_none_of_the_shared_ones() {
    for (own, bakery) in [
        ("", Some(format!("brand/{BAKERY}.env"))),
        ("deliver = []", None),
        (
            "deliver = [{ file = \"own.env\", key = \"TOKEN\", create = true }]",
            Some("own.env".to_owned()),
        ),
    ] {
        for header in [
            format!("[token.\"brand/{BAKERY}\"]"),
            format!("[token.bakery]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\""),
        ] {
            let world = world(&format!("{CONFIG}\n{header}\n{own}\n"));
            world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
            let mut written: Vec<String> = ["own.env".to_owned()]
                .into_iter()
                .chain([BAKERY, CAFE].map(|page| format!("brand/{page}.env")))
                .filter(|name| world.path(name).exists())
                .collect();
            written.sort();
            let mut expected = vec![format!("brand/{CAFE}.env")];
            expected.extend(bakery.clone());
            expected.sort();
            assert_eq!(written, expected, "{header} {own}");
        }
    }
}

#[test]
fn programs_get_the_page_as_an_argument_and_its_name_beside_it() {
    let config = CONFIG.replace("file = \"{parent}/{page_id}.env\"\nkey = \"TOKEN_{page_id}\"\ncreate = true", "command = [\"/bin/sh\", \"-c\", \"cat > [DIR]/$1.got; echo \\\" $METATOKEN_PAGE_NAME\\\" >> [DIR]/$1.got\", \"sh\", \"of-{page_id}\"]");
    let world = world(&config);
    // Whoever may rename the Page chooses its name.
    world.graph.with(|graph| {
        graph.add_page(PageFixture::new(BAKERY, "Ba\u{1b}[31mkery\n\u{7f}"));
    });
    world.run(&["refresh", "--json"]).exit(Exit::Ok);
    let got = std::fs::read_to_string(world.path(&format!("of-{BAKERY}.got"))).unwrap();
    assert!(got.starts_with("EAAFAKEPage"), "{got:?}");
    assert!(got.ends_with(" Ba[31mkery\n"), "{got:?}");
    let got = std::fs::read_to_string(world.path(&format!("of-{CAFE}.got"))).unwrap();
    assert_eq!(got, "EAAFAKEPageCaf1 Café\n");
}

#[test]
fn a_page_that_is_declared_has_its_name_too() {
    for header in [
        format!("[token.\"brand/{CAFE}\"]"),
        format!("[token.cafe]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{CAFE}\""),
    ] {
        let world = world(&format!("{CONFIG}\n{header}\n"));
        world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
        let label = if header.contains("brand/") { format!("brand/{CAFE}") } else { "cafe".into() };
        let status = world.run(&["status", "--offline", "--json"]).exit(Exit::Ok);
        assert_eq!(status.token(&label)["name"], "Café", "{label}");
    }
}

#[test]
fn a_command_that_is_the_same_for_all_is_run_once() {
    let config = CONFIG.replace(
        "file = \"{parent}/{page_id}.env\"\nkey = \"TOKEN_{page_id}\"\ncreate = true",
        "command = [\"/bin/sh\", \"-c\", \"echo $METATOKEN_LABELS >> [DIR]/of-{parent}.runs\"]",
    );
    let world = world(&config);
    world.run(&["refresh", "--json"]).exit(Exit::Ok);
    holds(&world, "of-brand.runs", &format!("brand/{BAKERY} brand/{CAFE}\n"));
}

/// Two Pages that would write one value would undo each other's work.
#[test]
fn two_pages_with_one_target_are_left_alone_and_no_other_token_with_them() {
    let robot = "[token.other]\ntype = \"user\"\naccess_token = { env = \"OTHER\" }\n\
                 [[token.other.deliver]]\nfile = \"other.env\"\nkey = \"TOKEN\"\ncreate = true\n";
    let config =
        CONFIG.replace("{parent}/{page_id}.env", "page.env").replace("TOKEN_{page_id}", "TOKEN");
    let spec = TokenFixture::user(APP, ANNA).named("other");
    let world = world(&format!("{config}{robot}")).token("OTHER", spec);
    world.run(&["config", "check"]).stdout("
ok: [store]: `[DIR]/metatoken.db` is made by the first run
ok: [endpoints]: facebook is `http://127.0.0.1:[PORT]`, instagram is `http://127.0.0.1:[PORT]/instagram`, threads is `http://127.0.0.1:[PORT]/threads`
ok: [app.main] id: the literal in the config is there
ok: [app.main] secret: the environment variable `APP_SECRET` is there
ok: [token.brand] access_token: the environment variable `BRAND` is there
ok: [token.brand]: user token of app `main`, with all Pages
ok: [token.other] access_token: the environment variable `OTHER` is there
ok: [token.other]: user token of app `main`, 1 target
ok: [[token.other.deliver]]: `[DIR]/other.env#TOKEN` can be written
warning: two Pages of `brand` would write the same value: [DIR]/page.env#TOKEN; write `{page_id}` into the `file` or `key` of the `deliver` table that the Pages share; then run `metatoken refresh`
[DIR]/metatoken.toml: 1 warning: 1 app, 2 tokens
").exit(Exit::Ok);
    world.run(&["refresh"]).stdout("
TOKEN                   OUTCOME  EXPIRES     REASON
brand                   adopted  2026-03-02  found in the environment variable `BRAND`
brand/2000000000000001  derived  never       no access token yet
brand/2000000000000002  derived  never       no access token yet
other                   adopted  2026-03-02  found in the environment variable `OTHER`
                        delivered to [DIR]/other.env#TOKEN

critical: `brand/2000000000000001` and `brand/2000000000000002`: `brand/2000000000000001` and `brand/2000000000000002` would write the same value, `TOKEN` of `[DIR]/page.env`: left untouched
  hint: write `{page_id}` into the `file` or `key` of the `deliver` table that the Pages share; then run `metatoken refresh`

4 tokens: 2 derived, 2 adopted
").stderr("").exit(Exit::Config);
    assert!(!world.path("page.env").exists());
    assert!(world.path("other.env").exists());
    world.run(&["deliver", "--json"]).exit(Exit::Config);
    assert!(!world.path("page.env").exists());
    let check = world.run(&["check"]).code(2);
    assert!(check.stdout.starts_with("METATOKEN CRITICAL"), "{}", check.stdout);
    assert_eq!(check.stdout.matches("CRITICAL: ").count(), 1, "{}", check.stdout);
    assert!(!check.stdout.contains("WARNING: "), "said once: {}", check.stdout);
    // A run about another token says nothing of them.
    world.run(&["refresh", "other", "--quiet"]).silent().exit(Exit::Ok);
    // Once one of them is left out, the other has the target to itself.
    world.reconfigure(&format!(
        "{}{robot}",
        config.replace("\"all\"", &format!("\"all\"\nexcept = [\"{CAFE}\"]"))
    ));
    world.run(&["deliver", "--quiet"]).silent().exit(Exit::Ok);
    holds(&world, "page.env", "TOKEN=EAAFAKEPageBakery1\n");
}

/// Two people may look after different Pages, by one pattern; only a Page of both is contested.
#[test]
fn two_parents_may_share_a_pattern_as_far_as_their_pages_differ() {
    let template = |parent: &str| {
        format!(
            "[token.{parent}]\ntype = \"user\"\naccess_token = {{ env = \"{}\" }}\npages = \"all\"\n\
             [[token.\"{parent}/*\".deliver]]\nfile = \"{{page_id}}.env\"\nkey = \"TOKEN\"\ncreate = true\n",
            parent.to_uppercase()
        )
    };
    let config = format!("{}{}", template("brand"), template("shop"));
    let spec = brand().named("shop");
    let mut world = world(&config).token("SHOP", spec);
    world.run(&["config", "check"]).exit(Exit::Ok).stderr("");
    // Both reach both Pages. Which parent comes first makes no difference, in the first run neither.
    for (concurrency, at) in [(1, 0), (8, 1), (1, 2)] {
        world.at(day(at));
        world.reconfigure(&format!("[http]\nconcurrency = {concurrency}\n{config}"));
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Config);
        let about = format!("{concurrency} at a time, day {at}: {}", ran.stdout);
        for page in [BAKERY, CAFE] {
            assert!(!world.path(&format!("{page}.env")).exists(), "{page}, {about}");
            for parent in ["brand", "shop"] {
                let result = ran.result(&format!("{parent}/{page}"));
                let state = &result["deliveries"][0]["state"];
                assert_ne!(state, "in_sync", "{parent}/{page}, {about}");
            }
        }
    }
    let leave = |config: String, parent: &str, page: &str| {
        let from = format!("[token.{parent}]\n");
        config.replace(&from, &format!("{from}except = [\"{page}\"]\n"))
    };
    world.reconfigure(&leave(leave(config, "brand", CAFE), "shop", BAKERY));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    for (parent, page) in [("brand", BAKERY), ("shop", CAFE)] {
        let access_token = world.in_use(&format!("{parent}/{page}"));
        holds(&world, &format!("{page}.env"), &format!("TOKEN={access_token}\n"));
    }
}

#[test]
fn config_show_shows_the_shared_targets_and_those_of_each_page_that_is_declared() {
    let world = world(&format!("{CONFIG}\n[token.\"brand/{BAKERY}\"]\n"));
    let shown = world.run(&["config", "show", "--json"]).exit(Exit::Ok).json();
    let shared = &shown["token"]["brand/*"]["deliver"][0];
    assert!(shared["file"]["value"].as_str().unwrap().ends_with("/{parent}/{page_id}.env"));
    let filled = &shown["token"][format!("brand/{BAKERY}")]["deliver"][0];
    let file = filled["file"]["value"].as_str().unwrap();
    assert!(file.ends_with(&format!("/brand/{BAKERY}.env")), "{file}");
    assert_eq!(filled["key"]["value"], format!("TOKEN_{BAKERY}"));
    assert_eq!(filled["file"]["origin"], "token.brand/*.deliver");
    let text = world.run(&["config", "show"]).exit(Exit::Ok).stdout;
    assert!(text.contains("[[token.\"brand/*\".deliver]]"), "{text}");
}

/// Their threads wait for each other.
#[test]
fn all_pages_may_stand_in_one_file() {
    let world = world(&CONFIG.replace("{parent}/{page_id}.env", "pages.env"));
    world.graph.with(|graph| {
        for n in 10..30 {
            let id = format!("20000000000000{n}");
            graph.add_page(PageFixture::new(&id, &format!("Shop{n}")));
            graph.list(ANNA, &id, Listing::Listed);
        }
    });
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    let held = std::fs::read_to_string(world.path("pages.env")).unwrap();
    assert_eq!(held.lines().count(), 22, "{held}");
    for n in 10..30 {
        let line = format!("TOKEN_20000000000000{n}=EAAFAKEPageShop");
        assert!(held.contains(&line), "{held}");
    }
}

#[test]
fn an_id_that_is_filled_in_never_names_what_another_token_or_metatoken_has() {
    for (target, beside, message) in [
        (
            "\"{page_id}.env\"",
            format!(
                "[token.other]\ntype = \"user\"\naccess_token = {{ env = \"OTHER\" }}\n[[token.other.deliver]]\nfile = \"{BAKERY}.env\"\nkey = \"TOKEN\"\ncreate = true\n"
            ),
            format!(
                "`other` and `brand/{BAKERY}` would write the same value, `TOKEN` of `[DIR]/{BAKERY}.env`: left untouched"
            ),
        ),
        (
            "\"{page_id}.db\"",
            format!("[store]\npath = \"{BAKERY}.db\"\n"),
            format!("`TOKEN` of `[DIR]/{BAKERY}.db` is metatoken's own store: left untouched"),
        ),
    ] {
        let config = CONFIG
            .replace("\"{parent}/{page_id}.env\"", target)
            .replace("TOKEN_{page_id}", "TOKEN");
        let format = if target.contains(".db") {
            "create = true\nformat = \"env\""
        } else {
            "create = true"
        };
        let world = world(&format!("{}\n{beside}", config.replace("create = true", format)));
        let spec = TokenFixture::user(APP, ANNA).named("other");
        let world = world.token("OTHER", spec);
        let ran = world.run(&["refresh", "--json"]).exit(Exit::Config);
        let json = ran.json();
        let system = json["system"].as_array().unwrap();
        let alike: Vec<_> = system.iter().filter(|it| it["code"] == "targets_alike").collect();
        assert_eq!(alike.len(), 1, "{json:#}");
        assert_eq!(alike[0]["message"], message);
        assert_eq!(alike[0]["labels"][0], format!("brand/{BAKERY}"));
        if target.contains(".env") {
            holds(&world, &format!("{BAKERY}.env"), "TOKEN=EAAFAKEOther1\n");
        }
        // The other Page is served.
        assert!(
            world
                .path(&format!("{CAFE}.{}", if target.contains(".db") { "db" } else { "env" }))
                .exists()
        );
    }
}

#[test]
fn mistakes_are_answered_where_they_stand() {
    for (table, complaint) in [
        ("[token.\"bran/*\"]", "there is no token `bran`"),
        (
            "[token.\"creator/*\"]\n[token.creator]\ntype = \"user\"",
            "`[token.\"creator/*\"]` needs `pages = \"all\"`",
        ),
        ("[token.\"brand/*\"]\nprobe = \"pages\"", "unknown question `pages`"),
        ("[token.\"brand/*\"]\naccess_token = \"EAAfake\"", "unknown key `access_token`"),
        ("[token.\"brand/*\"]\npage_id = \"1\"", "unknown key `page_id`"),
        (
            "[token.\"brand/*\"]\ndeliver = [{ file = \"{page-id}.env\", key = \"T\" }]",
            "`{page-id}` is not known here",
        ),
        (
            "[token.\"brand/*\"]\ndeliver = [{ command = [\"/bin/x\", \"{parent}\"] }]",
            "an argument cannot begin with `{parent}`",
        ),
        (
            "[token.\"brand/*\"]\ndeliver = [{ command = [\"/bin/{page_id}\"] }]",
            "a program has no placeholder in its name",
        ),
        (
            "[token.\"brand/5\"]\ndeliver = [{ file = \"{page_id}.env\", key = \"T\" }]",
            "`{page_id}` and `{parent}` stand only in",
        ),
        (
            "[token.\"brand/*\"]\nrefresh_within = \"0s\"",
            "`refresh_within` must be greater than zero",
        ),
    ] {
        let config = format!("[token.brand]\ntype = \"user\"\npages = \"all\"\n{table}\n");
        let world = World::new().config(&config);
        let ran = world.run(&["config", "check"]).exit(Exit::Config);
        assert!(ran.stderr.contains(complaint), "{table}: {}", ran.stderr);
        assert_eq!(ran.stderr.matches("error: ").count(), 1, "{table}: {}", ran.stderr);
    }
}

/// Met: a Page with a target was gone and dead, and went out of every verdict while its program
/// waited for a new access token.
#[test]
fn a_page_that_is_gone_and_dead_is_missed_while_it_has_a_target_or_a_table() {
    let all =
        "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\npages = \"all\"\n";
    for config in [CONFIG.to_owned(), format!("{all}[token.\"brand/{CAFE}\"]\n")] {
        let mut world = world(&config);
        world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
        world.at(day(3));
        world.graph.with(|graph| {
            graph.list(ANNA, CAFE, Listing::Unlisted);
            graph.invalidate("EAAFAKEPageCaf1", Invalidation::RoleLost);
        });
        world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
        world.at(day(4));
        world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
        world.at(day(11));
        let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
        let label = format!("brand/{CAFE}");
        assert_eq!(ran.result(&label)["outcome"], "invalid", "{config}");
        let check = world.run(&["check", "--json"]).code(2);
        let codes: Vec<String> = check.token(&label)["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["code"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(codes[0], "page_gone", "{codes:?}");
        let remedy = &check.token(&label)["reasons"][0]["remedy"];
        let give_up = format!(
            ". If the Page is not needed any more, write `except = [\"{CAFE}\"]` into `[token.brand]` and run \
             `metatoken forget {label}`"
        );
        assert!(remedy.as_str().unwrap().ends_with(&give_up), "{remedy}");
        // Given up by a word in the config, it is out of every verdict; nothing of it is kept.
        world.reconfigure(&config.replace("\"all\"", &format!("\"all\"\nexcept = [\"{CAFE}\"]")));
        world.run(&["check"]).code(0);
        let forgotten = world.run(&["forget", &label, "--json"]).exit(Exit::Ok).result(&label);
        assert_eq!(forgotten["outcome"], "forgotten");
        world.run(&["check"]).code(0);
        world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
        // Listed again, it is kept again.
        world.reconfigure(&config);
        world.graph.with(|graph| graph.list(ANNA, CAFE, Listing::Listed));
        world.at(day(12));
        world.run(&["refresh", "--json"]).exit(Exit::Ok);
        world.run(&["check"]).code(0);
    }
}
