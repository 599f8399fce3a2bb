//! Labels that leave the config, come back, or get another name.

use metatoken::exit::Exit;
use metatoken::sandbox::{Invalidation, TokenFixture};

use crate::common::{ANNA, APP, World, day};

fn user(name: &str) -> TokenFixture {
    TokenFixture::user(APP, ANNA).named(name)
}

/// The tables of these labels, each with its first access token in a variable.
fn tables(labels: &[&str]) -> String {
    let table = |label: &&str| {
        let variable = label.to_uppercase();
        format!("[token.{label}]\ntype = \"user\"\naccess_token = {{ env = \"{variable}\" }}\n")
    };
    labels.iter().map(table).collect()
}

/// A world that keeps these labels.
fn keeping(labels: &[&str]) -> World {
    let mut world = World::new().config(&tables(labels));
    for label in labels {
        world = world.token(&label.to_uppercase(), user(label));
    }
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world
}

const ELEVEN: [&str; 11] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];

#[test]
fn two_of_eleven_that_left_the_config_are_named() {
    let mut world = keeping(&ELEVEN);
    world.reconfigure(&tables(&ELEVEN[..9]));
    // Whoever looks first says so, and so does the run that finds it.
    let check = "
METATOKEN WARNING - j and 1 more: no longer declared, not renewed, the first…; operator declares each again: metatoken refresh
WARNING: `j` and `k`: no longer declared, not renewed, the first expires in 60 days (2026-03-02 00:00 UTC)
  declare each again, or set `was` under its new name; then run `metatoken refresh`. If not needed any more, run `metatoken forget j k`. Proof: `metatoken check --system`
";
    world.run(&["check"]).verdict(check).stderr("").code(1);
    world.run(&["check", "--system"]).verdict(check).stderr("").code(1);
    let ran = world.run(&["refresh"]).stderr("").exit(Exit::Ok);
    assert!(
        ran.stdout.contains(
            "\nwarning: `j` and `k`: no longer declared, not renewed, the first expires in "
        ),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.ends_with("\n9 tokens: 9 not due\n"), "{}", ran.stdout);
    // It stands until something is done about it; a run says it once.
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["check"]).verdict(check).code(1);
    world.run(&["check", "--tokens"]).verdict("\nMETATOKEN OK - 9 tokens, all well\n").code(0);
    for command in ["status", "refresh", "deliver", "token"] {
        world.run(&[command, "j"]).stdout("").stderr("
error: j: the config no longer declares it
hint: declare it again, or set `was = \"j\"` under its new name; `metatoken history j` shows what it was
").exit(Exit::Usage);
    }
    let status = world.run(&["status", "--offline", "-v"]).code(0).stdout;
    assert!(
        status.contains(
            "in the store but not in the config, neither renewed nor judged: `j` and `k`"
        ),
        "{status}"
    );
    world.run(&["token", "j"]).exit(Exit::Usage);

    // Within `critical_within` of the first end it is critical.
    world.at(day(53));
    world.run(&["refresh", "--quiet"]).code(0);
    let ran = world.run(&["check", "--system"]).code(2).stdout;
    assert!(ran.starts_with("METATOKEN CRITICAL - j and 1 more: no longer declared"), "{ran}");
    // A dead one is no loss.
    world.at(day(61));
    world.run(&["refresh", "--quiet"]).code(0);
    assert!(!world.run(&["check", "--system"]).stdout.contains("no longer declared"));
}

#[test]
fn declared_again_it_is_over() {
    let world = keeping(&ELEVEN);
    world.reconfigure(&tables(&ELEVEN[1..]));
    world.run(&["refresh"]).exit(Exit::Ok);
    world.run(&["check", "--system"]).code(1);
    world.reconfigure(&tables(&ELEVEN));
    world.run(&["check", "--system"]).code(0);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    // What goes again is found again.
    world.reconfigure(&tables(&ELEVEN[1..]));
    let ran = world.run(&["refresh"]).exit(Exit::Ok).stdout;
    assert!(ran.contains("warning: `a`: no longer declared"), "{ran}");
    world.graph.with(|graph| graph.invalidate("EAAFAKEA1", Invalidation::Revoked));
    world.run(&["check", "--system"]).code(1);
}

#[test]
fn many_that_go_at_once_are_critical() {
    for (kept, verdict) in
        [(&ELEVEN[..8], 1), (&ELEVEN[..7], 2), (&ELEVEN[..1], 2), (&ELEVEN[..0], 2)]
    {
        let world = keeping(&ELEVEN);
        world.reconfigure(&tables(kept));
        let gone = 11 - kept.len();
        let check = world.run(&["check", "--system"]).code(verdict).stdout;
        let message = if verdict == 2 {
            "no longer declared, many at once, "
        } else {
            "declared, not renewed, the first"
        };
        assert!(check.contains(message), "{gone}: {check}");
        let ran = world.run(&["refresh"]).exit(Exit::Ok).stdout;
        assert!(ran.contains(message), "{gone}: {ran}");
        // That it were many is remembered, and is no less when one more goes.
        world.run(&["refresh", "--quiet"]).exit(Exit::Ok);
        world.run(&["check", "--system"]).code(verdict);
    }
    for (all, kept, verdict) in [(3, 2, 1), (2, 1, 2), (1, 0, 2)] {
        let world = keeping(&ELEVEN[..all]);
        world.reconfigure(&tables(&ELEVEN[..kept]));
        world.run(&["check", "--system"]).code(verdict);
    }
}

#[test]
fn a_renamed_label_without_was_is_told_and_was_set_later_works() {
    let mut world = keeping(&["brand"]);
    let renamed = |was: &str| {
        format!("[token.label]\n{was}type = \"user\"\naccess_token = {{ env = \"BRAND\" }}\n")
    };
    world.reconfigure(&renamed(""));
    let ran = world.run(&["refresh"]).exit(Exit::Config).stdout;
    for line in [
        "critical: `label`: never worked, `access_token` is that of `brand`, no longer declared\n",
        "  hint: set `was = \"brand\"` in `[token.label]` in [DIR]/metatoken.toml; then run `metatoken refresh label`. If it is not the new name of `brand`, run `metatoken forget brand` first\n",
        "critical: `brand`: no longer declared, not renewed, expires in 60 days (2026-03-02 00:00 UTC)\n",
    ] {
        assert!(ran.contains(line), "{ran}");
    }
    // The remedy works when it is typed.
    world.reconfigure(&renamed("was = \"brand\"\n"));
    world.run(&["token", "label"]).stdout("\nEAAFAKEBrand1\n").stderr("").code(0);
    assert!(!world.run(&["check", "--system"]).stdout.contains("no longer declared"));
    world.run(&["refresh", "label", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["token", "label"]).stdout("\nEAAFAKEBrand1\n").code(0);
    world.run(&["check"]).code(0);
    world
        .run(&["history"])
        .stdout(
            "
AT (UTC)          TOKEN  EVENT    TRIGGER  GENERATION  DETAIL
2026-01-01 00:00  label  adopted  manual   1           expires 2026-03-02
2026-01-01 00:00  label  renamed  manual   -           it was `brand`

no attempts yet
",
        )
        .stderr("")
        .code(0);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    let history = world.run(&["history", "label", "--json"]).json();
    let events: Vec<_> = history["events"].as_array().unwrap().iter().collect();
    assert_eq!(events.len(), 2, "it is told once");
    assert_eq!(events[0]["event"], "adopted");
    assert_eq!(events[1]["event"], "renamed");
    assert_eq!(events[1]["renamed_from"], "brand");
    assert_eq!(events[1]["success"], serde_json::Value::Null);
    // Nothing of it depends on `was` staying there.
    world.reconfigure(&renamed(""));
    world.at(day(45));
    assert_eq!(world.run(&["refresh", "--json"]).code(0).result("label")["outcome"], "refreshed");
    world.run(&["check", "--tokens"]).code(0);
}

#[test]
fn what_happened_to_the_new_label_meanwhile_is_kept() {
    let mut world = keeping(&["brand"]);
    // One that is refused leaves the new label without an access token, and with a history.
    world.set("LABEL", "EAAFAKEForeign");
    world.reconfigure(&tables(&["label"]));
    world.run(&["refresh"]).code(65);
    let was = tables(&["label"]).replace("type", "was = \"brand\"\ntype");
    world.reconfigure(&was);
    world.set("LABEL", "");
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["token", "label"]).stdout("\nEAAFAKEBrand1\n").code(0);
    let events = |label: &str| {
        let json = world.run(&["history", label, "--json"]).json();
        let events = json["events"].as_array().unwrap().clone();
        events.iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(events("label"), ["adopted", "renamed"]);
    assert_eq!(events("brand"), ["adoption_refused"]);
    world.run(&["check"]).code(0);
}

#[test]
fn two_labels_that_both_have_an_access_token_are_not_made_one() {
    let mut world = keeping(&["brand", "shop"]);
    let text = tables(&["shop"]).replace("type", "was = \"brand\"\ntype");
    world.reconfigure(&format!("{text}{}", tables(&["other"])));
    world = world.token("OTHER", user("other"));
    let ran = world.run(&["refresh"]).stderr("").exit(Exit::Config).stdout;
    assert!(ran.contains("critical: `shop`: works, not renamed: it and `brand` both have an access token
  hint: to keep its own access token, run `metatoken forget brand`. To keep that of `brand`, remove `[token.shop]` from the config, run `metatoken forget shop`, and declare it again with `was`
"), "{ran}");
    assert!(ran.ends_with("2 tokens: 1 adopted, 1 not due\n"), "{ran}");
    // All commands have one truth.
    world.run(&["token", "shop"]).stdout("\nEAAFAKEShop1\n").code(0);
    let status = world.run(&["status", "--offline", "--json"]).code(0).token("shop");
    assert_eq!(status["reasons"][0]["code"], "rename_conflict");
    assert_eq!(status["generation"], 1);
    let check = world.run(&["check"]).code(2).stdout;
    assert!(
        check.contains("CRITICAL: `shop`: works, not renamed: ")
            && !check.contains("no longer declared"),
        "{check}"
    );
    world.at(day(45));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Config);
    assert_eq!(ran.result("shop")["outcome"], "refreshed");
    world.run(&["refresh", "other", "--quiet"]).silent().exit(Exit::Ok);
}

#[test]
fn a_page_that_is_not_wanted_or_goes_with_its_parent_is_not_told_apart() {
    let brand =
        "[token.brand]\ntype = \"user\"\npages = \"all\"\naccess_token = { env = \"BRAND\" }\n";
    let others = tables(&["a", "b", "c"]);
    let spec = user("brand").scopes(["public_profile", "pages_show_list"]);
    let mut world = World::new().config(&format!("{brand}{others}")).token("BRAND", spec);
    for label in ["a", "b", "c"] {
        world = world.token(&label.to_uppercase(), user(label));
    }
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    for (text, verdict, labels) in [
        (brand.replace("pages", "except = [\"2000000000000001\"]\npages"), 0, ""),
        (brand.replace("[token.brand]", "[token.brand]\nenabled = false"), 0, ""),
        (
            format!(
                "{brand}[token.page]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"2000000000000001\"\n"
            ),
            3,
            "",
        ),
        (brand.replace("[token.brand]", "[token.label]\nwas = \"brand\""), 0, ""),
        (
            brand.replace("pages = \"all\"\n", ""),
            1,
            "`brand/2000000000000001` and `brand/2000000000000002`",
        ),
        (String::new(), 1, "\nWARNING: `brand`"),
    ] {
        world.reconfigure(&format!("{text}{others}"));
        let check = world.run(&["check"]).code(verdict).stdout;
        assert_eq!(check.contains("no longer declared"), verdict == 1, "{text}{check}");
        assert!(
            check.contains(&format!("{labels}{}", if verdict == 1 { ": no longer" } else { "" })),
            "{text}{check}"
        );
    }
}

/// A former label that is still declared, in the config or in a file, concerns the token that claims
/// it, and no other.
#[test]
fn a_former_label_that_is_still_declared_holds_up_one_token() {
    for in_a_file in [false, true] {
        let world = keeping(&["brand", "shop"]).token("NEW", user("new"));
        let (kept, new) = (tables(&["brand", "shop"]), tables(&["new"]));
        let claiming = new.replace("type", "was = \"brand\"\ntype");
        let place = if in_a_file {
            world.write("tokens.d/new.toml", &claiming);
            std::fs::set_permissions(
                world.path("tokens.d"),
                std::os::unix::fs::PermissionsExt::from_mode(0o700),
            )
            .unwrap();
            "tokens.d/new.toml"
        } else {
            world.reconfigure(&format!("{kept}{claiming}"));
            "metatoken.toml"
        };
        // Nobody gets the access token of `brand` by the name of another.
        world.run(&["token", "new"]).stdout("").exit(Exit::Failed);
        let ran = world.run(&["refresh"]).stderr("").exit(Exit::Config).stdout;
        assert!(
            ran.contains(
                "critical: `new`: works, not renamed: its former label `brand` is still declared
  hint: remove `[token.brand]` from the config if it is called `new` now, otherwise remove `was` from `[token.new]`; then run `metatoken refresh`
"
            ),
            "{ran}"
        );
        assert!(ran.ends_with("3 tokens: 1 adopted, 2 not due\n"), "{place}: {ran}");
        world.run(&["refresh", "brand", "shop", "--quiet"]).silent().exit(Exit::Ok);
        for (label, value) in [("brand", "EAAFAKEBrand1"), ("new", "EAAFAKENew1")] {
            world.run(&["token", label]).stdout(&format!("\n{value}\n")).stderr("").code(0);
        }
        let ran = world.run(&["config", "check"]).exit(Exit::Config).stdout;
        let line =
            "error: [token.new]: not renamed: its former label `brand` is still declared; remove ";
        assert!(ran.contains(line), "{ran}");
        // What is added takes the name away no more than what is written by hand.
        world.reconfigure(&format!("{}{claiming}", tables(&["shop"])));
        let _ = std::fs::remove_file(world.path("tokens.d/new.toml"));
        world
            .run_with_input(&["add", "brand", "--type", "user"], "EAAFAKENew1")
            .stdout("")
            .stderr(
                "
error: brand: is the former label of `new`
hint: choose another label, or remove `was` from `[token.new]`
",
            )
            .exit(Exit::InputRefused);
        world.write("rows.csv", "label,type,access_token\nbrand,user,EAAFAKENew1\n");
        let ran = world.run(&["import", "rows.csv"]).exit(Exit::InputRefused).stderr;
        let line =
            "rows.csv:2: `brand` is the former label of `new`: remove `was` from `[token.new]`\n";
        assert!(ran.starts_with(line), "{ran}");
        world.reconfigure(&format!("{kept}{new}"));
        world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
        world.run(&["config", "check", "--quiet"]).code(0);
    }
}

/// The other way out: the old table goes, and the token gets its new name.
#[test]
fn once_the_old_table_is_gone_the_token_is_renamed() {
    let world = keeping(&["brand", "shop"]);
    let kept = tables(&["shop"]);
    let renamed = "[token.new]\nwas = \"brand\"\ntype = \"user\"\n";
    let too = "[token.more]\nwas = \"brand\"\ntype = \"user\"\n";
    world.reconfigure(&format!("{}{kept}{renamed}", tables(&["brand"])));
    let ran = world.run(&["refresh"]).exit(Exit::Config).stdout;
    assert!(
        ran.contains(
            "`new`: never worked, not renamed: its former label `brand` is still declared\n"
        ),
        "{ran}"
    );
    // Two claim it: neither gets it, and it is no label that left the config.
    world.reconfigure(&format!("{kept}{renamed}{too}"));
    let ran = world.run(&["refresh"]).exit(Exit::Config).stdout;
    for (one, other) in [("new", "more"), ("more", "new")] {
        assert!(
            ran.contains(&format!("not renamed: `{other}` claims the former label `brand` too\n  hint: remove `was` from `[token.{one}]` or from `[token.{other}]`, whichever is not the new name of `brand`; then run `metatoken refresh`\n")),
            "{ran}"
        );
        world.run(&["token", one]).stdout("").exit(Exit::Failed);
    }
    assert!(!ran.contains("no longer declared"), "{ran}");
    world.run(&["refresh", "shop", "--quiet"]).silent().exit(Exit::Ok);
    world.reconfigure(&format!("{kept}{renamed}"));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["token", "new"]).stdout("\nEAAFAKEBrand1\n").stderr("").code(0);
}
