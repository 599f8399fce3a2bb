//! `tokens.d`: files that declare tokens beside the config and beside the store, each judged by
//! itself.

use std::os::unix::fs::PermissionsExt as _;

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, BAKERY, World, day, is_long};

const BRAND: &str = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n";

fn user(name: &str) -> TokenFixture {
    TokenFixture::user(APP, ANNA).named(name)
}

fn chmod(world: &World, name: &str, mode: u32) {
    std::fs::set_permissions(world.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A world whose config declares `brand`, with a folder for more.
fn world() -> World {
    let world = World::new().config(BRAND).token("BRAND", user("brand"));
    std::fs::create_dir(world.path("tokens.d")).unwrap();
    chmod(&world, "tokens.d", 0o755);
    world
}

/// Declares a user token in a file of its own, with its first access token beside it.
fn declare(world: &World, label: &str) {
    let string = world.mint(user(label));
    world.write(&format!("tokens.d/{label}.txt"), &string);
    world.write(
        &format!("tokens.d/{label}.toml"),
        format!("[token.{label}]\ntype = \"user\"\naccess_token = {{ file = \"{label}.txt\" }}\n"),
    );
}

#[test]
fn a_file_declares_tokens_as_the_config_does() {
    let world = world();
    declare(&world, "shop");
    declare(&world, "anna");
    // What is being written, and what is no file of tokens, does not count.
    world.write("tokens.d/.half.toml", "[token.half");
    world.write("tokens.d/README", "[token.readme");
    world
        .run(&["config", "check"])
        .stdout("\nok: [store]: `[DIR]/metatoken.db` is made by the first run\nok: [endpoints]: facebook is `http://127.0.0.1:[PORT]`, instagram is `http://127.0.0.1:[PORT]/instagram`, threads is `http://127.0.0.1:[PORT]/threads`\nok: [app.main] id: the literal in the config is there\nok: [app.main] secret: the environment variable `APP_SECRET` is there\nok: [token.brand] access_token: the environment variable `BRAND` is there\nok: [token.brand]: user token of app `main`\nok: [token.anna] access_token: the file `[DIR]/tokens.d/anna.txt` is there\nok: [token.anna]: user token of app `main`\nok: [token.shop] access_token: the file `[DIR]/tokens.d/shop.txt` is there\nok: [token.shop]: user token of app `main`\n[DIR]/metatoken.toml: OK: 1 app, 3 tokens\n")
        .code(0);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
brand  adopted  2026-03-02  found in the environment variable `BRAND`
anna   adopted  2026-03-02  found in the file `[DIR]/tokens.d/anna.txt`
shop   adopted  2026-03-02  found in the file `[DIR]/tokens.d/shop.txt`

3 tokens: 3 adopted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    world.run(&["token", "shop"]).stdout("\nEAAFAKEShop1\n").stderr("").code(0);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 3 tokens, all well\n").code(0);
    let status = world.run(&["status", "--offline", "--json"]).code(0);
    assert_eq!(status.token("anna")["health"], "ok");
    let history = world.run(&["history", "shop", "--json"]).code(0).json();
    assert_eq!(history["events"][0]["event"], "adopted");
    let shown = world.run(&["config", "show", "--json"]).code(0).json();
    let source = &shown["token"]["shop"]["access_token"]["value"]["file"];
    assert!(source.as_str().unwrap().ends_with("/tokens.d/shop.txt"), "{source}");

    // What goes on a rename, or on a parent in the config, is of the same kind.
    world.write(
        "tokens.d/page.toml",
        format!("[token.page]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\"\n"),
    );
    assert_eq!(world.run(&["refresh", "--json"]).code(0).result("page")["outcome"], "derived");
}

#[test]
fn files_may_lie_beside_the_store() {
    let world = world();
    world.reconfigure(&format!("[store]\npath = \"state/metatoken.db\"\n{BRAND}"));
    declare(&world, "anna");
    let string = world.mint(user("shop"));
    world.write(
        "state/tokens.d/shop.toml",
        format!("[token.shop]\ntype = \"user\"\naccess_token = \"{string}\"\n"),
    );
    chmod(&world, "state", 0o755);
    chmod(&world, "state/tokens.d", 0o755);
    let outcomes = world.run(&["refresh", "--json"]).stderr("").code(0).outcomes();
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
    assert!(outcomes.values().all(|outcome| outcome == "adopted"), "{outcomes:?}");
    // It is named by where it is, and a secret in it is for its owner.
    chmod(&world, "state/tokens.d/shop.toml", 0o644);
    world
        .run(&["config", "check"])
        .stdout("")
        .stderr(
            "
error: [DIR]/metatoken.toml: 1 mistake
  [DIR]/state/tokens.d/shop.toml:3:16: a literal secret, and others can read the file (mode 0644)
    3 | access_token = \"…\"
      |                ^^^ `chmod o-r [DIR]/state/tokens.d/shop.toml`
",
        )
        .exit(Exit::Config);
    // One folder beside both is read once.
    world.reconfigure(BRAND);
    world
        .run(&["config", "check"])
        .stdout("\nok: [store]: `[DIR]/metatoken.db` is made by the first run\nok: [endpoints]: facebook is `http://127.0.0.1:[PORT]`, instagram is `http://127.0.0.1:[PORT]/instagram`, threads is `http://127.0.0.1:[PORT]/threads`\nok: [app.main] id: the literal in the config is there\nok: [app.main] secret: the environment variable `APP_SECRET` is there\nok: [token.brand] access_token: the environment variable `BRAND` is there\nok: [token.brand]: user token of app `main`\nok: [token.anna] access_token: the file `[DIR]/tokens.d/anna.txt` is there\nok: [token.anna]: user token of app `main`\n[DIR]/metatoken.toml: OK: 1 app, 2 tokens\n")
        .code(0);
}

#[test]
fn a_bad_file_takes_only_its_own_labels_out() {
    for (name, contents, mode, why) in [
        (
            "a.toml",
            "[token.shop]\ntype = \"usr\"\n",
            0o600,
            "critical: `shop`: left out: tokens.d/a.toml:2:8: unknown type `usr`",
        ),
        (
            "a.toml",
            "[token.shop]\ntyp = 1\nx = 2\n",
            0o600,
            "critical: `shop`: left out: tokens.d/a.toml:1:1: `[token.shop]` needs a `type`, and 2 more mistakes",
        ),
        (
            "a.toml",
            "[token.shop]\ntype = \"user\"\n[app.other]\nid = \"1\"\n",
            0o600,
            "critical: `shop`: left out: tokens.d/a.toml:3:2: `app` does not belong here",
        ),
        (
            "a.toml",
            "[store]\npath = \"/tmp/x.db\"\n",
            0o600,
            "critical: left out: tokens.d/a.toml:1:2: `store` does not belong here",
        ),
        (
            "a.toml",
            "[token.shop]\ntype = \"us",
            0o600,
            "critical: left out: tokens.d/a.toml:2:11: this is not TOML",
        ),
        (
            "a.toml",
            "[token.shop]\ntype = \"user\"\n",
            0o620,
            "critical: left out: [DIR]/tokens.d/a.toml: refused: group or others can write it (mode 0620)",
        ),
        (
            "a.toml",
            "[token.shop]\ntype = \"user\"\n",
            0o602,
            "critical: left out: [DIR]/tokens.d/a.toml: refused: group or others can write it (mode 0602)",
        ),
        (
            "a.toml",
            "[token.shop]\ntype = \"user\"\napp = \"none\"\n",
            0o600,
            "critical: `shop`: left out: tokens.d/a.toml:3:7: there is no app `none`",
        ),
        (
            "a.toml",
            "[token.shop]\ntype = \"page\"\npage_id = \"1\"\nparent = \"nobody\"\n",
            0o600,
            "critical: `shop`: left out: tokens.d/a.toml:4:10: there is no token `nobody`",
        ),
        (
            "a.toml",
            "token = 1\n",
            0o600,
            "critical: left out: tokens.d/a.toml:1:1: `token` must hold tables",
        ),
    ] {
        let world = world();
        world.write(&format!("tokens.d/{name}"), contents);
        chmod(&world, &format!("tokens.d/{name}"), mode);
        declare(&world, "anna");
        let ran = world.run(&["refresh"]).stderr("").exit(Exit::Config);
        let first = ran.stdout.lines().find(|line| line.starts_with("critical: ")).unwrap();
        assert_eq!(first, why);
        assert!(ran.stdout.ends_with("\n2 tokens: 2 adopted\n"), "{}", ran.stdout);
        let check = world.run(&["check"]).code(2);
        let message = why.strip_prefix("critical: ").unwrap();
        assert!(check.stdout.contains(&format!("CRITICAL: {message}\n  ")), "{}", check.stdout);
        world.run(&["token", "anna"]).stdout("\nEAAFAKEAnna1\n").code(0);
        // A run about another token is not about that file.
        world.run(&["refresh", "anna", "--quiet"]).silent().exit(Exit::Ok);
        world.run(&["config", "check"]).stdout("").exit(Exit::Config);
        let shown = world.run(&["config", "show"]).exit(Exit::Config);
        assert!(shown.stdout.contains("[token.anna]") && !shown.stdout.contains("[token.shop]"));
        // Fixed, it counts.
        world.write(&format!("tokens.d/{name}"), "");
        world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    }
}

#[test]
fn every_mistake_of_every_file_is_shown_at_its_place() {
    let world = world();
    world.write("tokens.d/a.toml", "\n[token.shop]\ntype = \"usr\"\n");
    world.write("tokens.d/b.toml", "[token.brand]\ntype = \"user\"\n");
    world.write("tokens.d/c.toml", "[token.x]\ntype = \"user\"\n");
    world.write("tokens.d/d.toml", "[token.y]\ntype = \"user\"\n[token.x]\ntype = \"user\"\n");
    world
        .run(&["config", "check"])
        .stdout("")
        .stderr(
            "
error: [DIR]/metatoken.toml: 4 mistakes
  tokens.d/a.toml:3:8: unknown type `usr`
    3 | type = \"usr\"
      |        ^^^^^ did you mean `user`?
  tokens.d/b.toml:1:8: `brand` is declared in two files
    1 | [token.brand]
      |        ^^^^^ here
   10 | [token.brand]
      |        ----- and here: metatoken.toml:10
  tokens.d/c.toml:1:8: `x` is declared in two files
    1 | [token.x]
      |        ^ here
    3 | [token.x]
      |        - and here: tokens.d/d.toml:3
  tokens.d/d.toml:3:8: `x` is declared in two files
    3 | [token.x]
      |        ^ here
    1 | [token.x]
      |        - and here: tokens.d/c.toml:1
",
        )
        .exit(Exit::Config);
    // Of a label that is declared twice neither counts.
    let ran = world.run(&["refresh"]).exit(Exit::Config);
    assert!(ran.stdout.starts_with("no tokens\n"), "{}", ran.stdout);
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn the_labels_of_the_last_good_reading_stay_declared() {
    let mut world = world();
    declare(&world, "shop");
    let shop = std::fs::read_to_string(world.path("tokens.d/shop.toml")).unwrap();
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    for broken in ["[token.shop", "[token.shop]\ntype = \"user\"\nwhat = 1\n", "\u{0}\u{1}"] {
        world.write("tokens.d/shop.toml", broken);
        let ran = world.run(&["refresh", "--json"]).stderr("").exit(Exit::Config);
        let json = ran.json();
        let system = json["system"].as_array().unwrap();
        assert_eq!(system.len(), 1, "{system:?}");
        assert_eq!(system[0]["code"], "config_file");
        assert_eq!(system[0]["labels"], serde_json::json!(["shop"]));
        // Programs get what they had, and people are told of the file, not of a mistyped label.
        world.run(&["token", "shop"]).stdout("\nEAAFAKEShop1\n").stderr("").code(0);
        let named = world.run(&["refresh", "shop"]).stderr("").exit(Exit::Config);
        assert!(
            named.stdout.starts_with("no tokens\n\ncritical: `shop`: left out: "),
            "{}",
            named.stdout
        );
        let check = world.run(&["check"]).code(2);
        assert!(!check.stdout.contains("no longer declared"), "{}", check.stdout);
        let pasted = world.run_with_input(&["exchange", "shop"], "EAAFAKEOther9");
        let pasted = pasted.exit(Exit::Config).stderr;
        assert!(pasted.starts_with("error: shop: left out: tokens.d/shop.toml:"), "{pasted}");
    }
    world.write("tokens.d/shop.toml", &shop);
    // Its time comes when it is fixed: nothing was lost.
    world.at(day(1));
    assert_eq!(world.run(&["refresh", "--json"]).code(0).result("shop")["outcome"], "verified");
    world.run(&["check"]).code(0);
}

#[test]
fn what_depends_on_a_file_that_is_left_out_waits_with_it() {
    let page =
        format!("[token.page]\ntype = \"page\"\nparent = \"shop\"\npage_id = \"{BAKERY}\"\n");
    let world = world();
    world.reconfigure(&format!(
        "{BRAND}{page}[[notify]]\ncommand = [\"true\"]\nlabels = [\"shop\"]\n"
    ));
    declare(&world, "shop");
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    for broken in
        ["[token.shop", "[token.shop]\ntype = \"usr\"\n", "[token.shop]\ntype = \"threads\"\n"]
    {
        world.write("tokens.d/shop.toml", broken);
        let ran = world.run(&["refresh", "--json"]).stderr("").exit(Exit::Config);
        assert_eq!(ran.outcomes().into_keys().collect::<Vec<_>>(), ["brand"]);
        let json = ran.json();
        let labels = &json["system"][0]["labels"];
        assert_eq!(labels, &serde_json::json!(["page", "shop"]), "{broken}");
        world.run(&["token", "page"]).code(0);
        let check = world.run(&["check", "--system"]).code(2).stdout;
        assert!(!check.contains("no longer declared"), "{check}");
    }
}

#[test]
fn the_config_is_not_refused_over_what_a_file_says() {
    let page = |more: &str| {
        format!("[token.page]\ntype = \"page\"\nparent = \"shop\"\npage_id = \"{BAKERY}\"\n{more}")
    };
    for (config, file, why) in [
        (page(""), "type = \"app\"\n", "1:8: an app token cannot be the parent of `page`"),
        (
            page("app = \"main\"\n"),
            "type = \"user\"\napp = \"second\"\n",
            "3:7: its page `page` has another app: `main`",
        ),
        (
            page("warn_within = \"2d\"\n"),
            "type = \"user\"\ncritical_within = \"9d\"\nwarn_within = \"10d\"\n",
            "1:1: `critical_within` must not be longer than `warn_within`: 2d",
        ),
    ] {
        let world = world();
        let second = "[app.second]\nid = \"1000000000000002\"\n";
        world.reconfigure(&format!(
            "{}{config}{second}",
            BRAND.replace("type", "app = \"main\"\ntype")
        ));
        world.write("tokens.d/shop.toml", format!("[token.shop]\n{file}"));
        let ran = world.run(&["refresh", "brand"]).stderr("").exit(Exit::Ok);
        assert!(ran.stdout.ends_with("1 token: 1 adopted\n"), "{}", ran.stdout);
        let ran = world.run(&["config", "check"]).exit(Exit::Config).stderr;
        assert!(ran.contains(&format!("  tokens.d/shop.toml:{why}\n")), "{ran}");
    }
}

#[test]
fn two_files_that_write_one_value_are_both_left_out() {
    let world = world();
    for label in ["a", "b"] {
        declare(&world, label);
        let path = format!("tokens.d/{label}.toml");
        let text = std::fs::read_to_string(world.path(&path)).unwrap();
        world.write(&path, format!("{text}[[token.{label}.deliver]]\nfile = \"../app.env\"\nkey = \"T\"\ncreate = true\n"));
    }
    let ran = world.run(&["refresh"]).exit(Exit::Config);
    assert!(ran.stdout.ends_with("\n1 token: 1 adopted\n"), "{}", ran.stdout);
    assert!(!world.path("app.env").exists());
    // One of the two is enough.
    std::fs::remove_file(world.path("tokens.d/b.toml")).unwrap();
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(std::fs::read_to_string(world.path("app.env")).unwrap(), "T=EAAFAKEA1\n");
}

#[test]
fn a_folder_that_others_can_write_is_left_out_as_a_whole() {
    let world = world();
    declare(&world, "shop");
    declare(&world, "anna");
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    chmod(&world, "tokens.d", 0o777);
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  not due  2026-03-02  due 2026-02-10 00:00 UTC, in 40 days

critical: `anna` and `shop`: left out: [DIR]/tokens.d: refused: group or others can write it (mode 0777)
  hint: run `chmod go-w [DIR]/tokens.d`; then run `metatoken config check`

1 token: 1 not due
").stderr("").exit(Exit::Config);
    world.run(&["token", "shop"]).stdout("\nEAAFAKEShop1\n").code(0);
    chmod(&world, "tokens.d", 0o755);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
}

#[test]
fn a_folder_that_cannot_be_listed_is_an_error() {
    let world = world();
    std::fs::remove_dir(world.path("tokens.d")).unwrap();
    world.write("tokens.d", "");
    world
        .run(&["refresh"])
        .stdout("")
        .stderr(
            "
error: [DIR]/tokens.d: the files in it cannot be listed, so which tokens there are is not known
  caused by: Not a directory (os error 20)
hint: make it a folder that you can read, or remove it: `ls -ld [DIR]/tokens.d`
",
        )
        .exit(Exit::Config);
    std::fs::remove_file(world.path("tokens.d")).unwrap();
    std::os::unix::fs::symlink("/nowhere", world.path("tokens.d")).unwrap();
    world.run(&["refresh"]).stdout("").exit(Exit::Config);
    assert_eq!(world.calls(), [""; 0]);
    std::fs::remove_file(world.path("tokens.d")).unwrap();
    world.run(&["refresh"]).exit(Exit::Ok);
}

#[test]
fn a_file_that_is_a_link_is_judged_where_it_leads() {
    let world = world();
    world.write("elsewhere/shop.toml", "[token.shop]\ntype = \"user\"\n");
    chmod(&world, "elsewhere", 0o755);
    std::os::unix::fs::symlink("../elsewhere/shop.toml", world.path("tokens.d/shop.toml")).unwrap();
    world.run(&["config", "check"]).code(0);
    chmod(&world, "elsewhere", 0o777);
    let ran = world.run(&["config", "check"]).exit(Exit::Config).stderr;
    assert!(
        ran.contains("group or others can write its folder `[DIR]/elsewhere` (mode 0777)"),
        "{ran}"
    );
}

/// What is said of a config that is missing, or a folder, would help nothing here.
#[test]
fn what_is_not_even_a_file_is_named_with_what_helps() {
    let world = world();
    std::os::unix::fs::symlink("nowhere", world.path("tokens.d/a.toml")).unwrap();
    std::fs::create_dir(world.path("tokens.d/b.toml")).unwrap();
    world.write("tokens.d/c.toml", b"[token.c]\n# \xe9\n");
    world
        .run(&["config", "check"])
        .stdout("")
        .stderr(
            "
error: [DIR]/metatoken.toml: 3 mistakes
  [DIR]/tokens.d/a.toml: it is a link that leads to nothing
    hint: remove it, or make it a file: `ls -ld [DIR]/tokens.d/a.toml`
  [DIR]/tokens.d/b.toml: it is a folder, not a config
    hint: remove it, or make it a file: `ls -ld [DIR]/tokens.d/b.toml`
  [DIR]/tokens.d/c.toml: is not UTF-8 text: line 2
    hint: save it as UTF-8
",
        )
        .exit(Exit::Config);
}

#[test]
fn ten_thousand_files_with_a_hundred_bad_ones_keep_the_rest() {
    let world = world();
    world.reconfigure(&format!("{BRAND}[http]\nconcurrency = 1\n"));
    // A thousand take a debug build long enough.
    let all = if is_long() { 10_000 } else { 1_000 };
    let each = all / 100;
    for n in 0..all {
        let text = match n % each {
            0 if n % (2 * each) == 0 => format!("[token.t{n}]\ntype = \"usr\"\n"),
            0 => format!("[token.t{n}\n"),
            _ => format!("[token.t{n}]\ntype = \"user\"\n"),
        };
        world.write(&format!("tokens.d/t{n:04}.toml"), text);
    }
    let json = world.run(&["status", "--offline", "--json"]).code(0).json();
    assert_eq!(json["tokens"].as_array().unwrap().len(), all - 100 + 1);
    assert_eq!(json["system"].as_array().unwrap().len(), 100);
    let told = world.run(&["config", "check"]).exit(Exit::Config).stderr;
    assert!(told.starts_with("error: [DIR]/metatoken.toml: 100 mistakes\n"), "{told}");
}
