//! `revoke`: ends access tokens at Meta, proves it, and nothing takes their place by itself.

use std::process::Stdio;

use metatoken::exit::Exit;
use metatoken::sandbox::{
    FaultInjection, Invalidation, Revocations, Rule, TokenFixture, UserFixture,
};
use metatoken::token::Expiry;

use crate::common::{
    ANNA, APP, BAKERY, CREATOR, INSTA_APP, ROBOT, THREADS_APP, World, converse, day, ends, lacking,
    skip,
};

/// A System User whose access tokens are pasted.
const ADS: &str = "[token.ads]\ntype = \"system-user\"\n";
/// The same, delivered to a file.
const DELIVERED: &str = "[token.ads]\ntype = \"system-user\"\n\
                         [[token.ads.deliver]]\nname = \"app\"\nfile = \"app.env\"\nkey = \"TOKEN\"\n";
/// A person with all of her Pages.
const BRAND: &str = "[token.brand]\ntype = \"user\"\naccess_token = { env = \"BRAND\" }\n\
                     pages = \"all\"\n";

fn ads() -> TokenFixture {
    TokenFixture::system_user(APP, ROBOT).named("ads").scopes(["ads_read"])
}

fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand").scopes(["public_profile", "pages_show_list"])
}

/// Hands over a new access token of `ads`.
fn exchange(world: &World, spec: TokenFixture) -> String {
    let access_token = world.mint(spec);
    world.run_with_input(&["exchange", "ads", "-q"], &access_token).exit(Exit::Ok).stderr("");
    access_token
}

/// A world in which the access token of a System User was rotated on day 0.
fn rotated(config: &str) -> World {
    let world = World::new().config(config);
    world.write("app.env", "TOKEN=\n");
    exchange(&world, ads());
    exchange(&world, ads());
    world.calls();
    world
}

fn invalidation(world: &World, access_token: &str) -> Option<Invalidation> {
    world.graph.with(|graph| graph.invalidation(access_token))
}

fn codes(world: &World, label: &str) -> Vec<String> {
    let told = world.run(&["check", "--json"]).token(label);
    let reasons = told["reasons"].as_array().unwrap().iter();
    reasons.map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
}

fn events(world: &World, label: &str) -> Vec<String> {
    world.events(label).into_iter().map(|(event, _)| event).collect()
}

#[test]
fn the_old_one_of_a_rotation_is_ended_and_proven_dead() {
    let mut world = rotated(ADS);
    world.run(&["revoke", "ads", "--generation", "1", "--dry-run"]).stdout("
TOKEN  OUTCOME       EXPIRES  REASON
ads    would revoke  never    generation 1 would become invalid

1 token: 1 would revoke (dry run: nothing was changed)
").stderr("
This revokes one access token of System User 3000000000000009 for app `main` (1000000000000001), wherever a copy of it is kept:
  ads  generation 1
").exit(Exit::Ok);
    assert_eq!(invalidation(&world, "EAAFAKEAds1"), None);
    assert_eq!(world.calls(), [""; 0]);
    world.run(&["revoke", "ads", "--generation", "1", "--yes=ads"]).stdout("
TOKEN  OUTCOME  EXPIRES  REASON
ads    revoked  never    generation 1 is dead

1 token: 1 revoked
").stderr("
This revokes one access token of System User 3000000000000009 for app `main` (1000000000000001), wherever a copy of it is kept:
  ads  generation 1
").exit(Exit::Ok);
    assert_eq!(world.calls(), ["oauth/revoke Ads", "debug_token Ads"]);
    assert_eq!(invalidation(&world, "EAAFAKEAds1"), Some(Invalidation::Revoked));
    assert_eq!(invalidation(&world, "EAAFAKEAds2"), None);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds2");
    assert_eq!(events(&world, "ads"), ["adopted", "adopted", "revoked"]);
    // It is watched no more, and the overlap is over in silence.
    world.at(day(20));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Ads"]);
    assert_eq!(codes(&world, "ads"), [""; 0]);
    // Again it is dead already, which is what was wanted.
    let again = world.run(&["revoke", "ads", "--generation", "1", "--yes=ads", "--json"]);
    assert_eq!(again.exit(Exit::Ok).result("ads")["outcome"], "revoked");
}

#[test]
fn what_would_die_is_listed_and_somebody_agrees() {
    let world = rotated(ADS);
    let typed = ["revoke", "ads", "--generation", "1"];
    world.run(&typed).stdout("").stderr("
This revokes one access token of System User 3000000000000009 for app `main` (1000000000000001), wherever a copy of it is kept:
  ads  generation 1
error: nothing was done: there is no terminal to ask on
hint: if all that is listed is meant, add `--yes=ads`
").exit(Exit::Usage);
    let alone = world.run(&[&typed[..], &["--yes", "-q"]].concat()).stdout("");
    alone
        .stderr(
            "
error: nothing was done: `--yes` alone does not say what is meant
hint: if all that is listed is meant, write `--yes=ads`
",
        )
        .exit(Exit::Usage);
    for yes in ["2", "brand"] {
        let option = format!("--yes={yes}");
        let refused = world.run(&[&typed[..], &[&option, "-q"]].concat()).stdout("");
        refused
            .stderr(&format!(
                "
error: nothing was done: `ads` was expected, not `{yes}`
hint: if all that is listed is meant, write `--yes=ads`
"
            ))
            .exit(Exit::Usage);
    }
    for line in [
        &["revoke", "ads"][..],
        &["revoke", "ads", "--all", "--generation", "1"],
        // One generation is that of one token: all that hang on an app or a person are not meant.
        &["revoke", "--app", "main", "--generation", "1", "--force"],
        &["revoke", "--user", "3000000000000009", "--generation", "1", "--force"],
    ] {
        world.run(line).stdout("").exit(Exit::Usage);
    }
    assert_eq!(invalidation(&world, "EAAFAKEAds1"), None);
    assert_eq!(world.calls(), [""; 0]);
    assert_eq!(world.run(&["check"]).code, Some(0));
}

#[test]
fn a_terminal_asks() {
    if let Some(why) = lacking(&["script", "stty"]) {
        return skip("a_terminal_asks", &why);
    }
    let world = rotated(ADS);
    let mut typed = world.command(&["revoke", "ads", "--generation", "1"]);
    let (shown, code) = converse(typed.stdin(Stdio::null()), &[("Type ads to go on: ", "no")]);
    assert_eq!(code, Some(64), "{shown}");
    assert_eq!(invalidation(&world, "EAAFAKEAds1"), None);
    let typed = world.command(&["revoke", "ads", "--generation", "1"]);
    let (shown, code) = converse(&typed, &[("Type ads to go on: ", "ads")]);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(invalidation(&world, "EAAFAKEAds1"), Some(Invalidation::Revoked));
}

#[test]
fn what_cannot_be_revoked_says_what_can() {
    let config = format!("{ADS}{BRAND}[token.own]\ntype = \"app\"\n");
    let world = rotated(&config).token("BRAND", brand());
    world.run(&["refresh", "-q"]).exit(Exit::Ok).silent();
    world.reconfigure(&format!("{config}[token.none]\ntype = \"user\"\n"));
    for (typed, stderr) in [
        (
            ["ads", "--generation=9"],
            "
error: ads: has no generation 9
hint: `metatoken status ads` lists them
",
        ),
        (
            ["brand", "--generation=1"],
            "
error: brand: Meta revokes a single access token only of a System User
hint: `metatoken revoke brand --all` revokes all that this person granted the app
",
        ),
        (
            ["own", "--all"],
            "
error: own: an app's token cannot be revoked: it is valid until the app's secret is reset
hint: reset the app's secret at Meta (App settings, Basic)
",
        ),
        (
            ["none", "--all"],
            "
error: none: nothing is kept of it that could be revoked
hint: remove the app in the settings of the person whose access token it was
",
        ),
    ] {
        let line = [&["revoke"][..], &typed, &["--yes=1"]].concat();
        world.run(&line).stdout("").stderr(stderr).exit(Exit::InputRefused);
    }
    world
        .run(&["revoke", "bran", "--all", "--yes=bran"])
        .stdout("")
        .stderr("\nerror: bran: matches no token\nhint: did you mean `brand`?\n")
        .exit(Exit::Usage);
    // The only one that works cannot end itself.
    let world = World::new().config(ADS);
    exchange(&world, ads());
    world
        .run(&["revoke", "ads", "--generation", "1", "--yes=ads", "-q"])
        .stdout("")
        .stderr(
            "
error: ads: no access token revokes itself, and no other of this app works here
hint: `metatoken revoke ads --all` revokes all access tokens of that System User
",
        )
        .exit(Exit::InputRefused);
    assert_eq!(codes(&world, "ads"), [""; 0], "nothing was marked");
    // Without a store nothing is made.
    let world = World::new().config(ADS);
    world
        .run(&["revoke", "ads", "--all", "--yes=ads"])
        .stdout("")
        .stderr(
            "
error: [DIR]/metatoken.db: there is no store yet
hint: nothing is kept that could be revoked
",
        )
        .exit(Exit::Storage);
    assert!(!world.path("metatoken.db").exists());
}

#[test]
fn it_is_refused_while_a_target_has_it() {
    let world = rotated(DELIVERED);
    let typed = ["revoke", "ads", "--generation", "2", "--yes=ads", "-q"];
    world
        .run(&typed)
        .stdout("")
        .stderr(
            "
error: ads: not revoked: `app` has generation 2, which would become invalid
hint: to rotate it, run `metatoken exchange ads --replace` with a new access token first
hint: to revoke it all the same, add `--force`
",
        )
        .exit(Exit::InputRefused);
    // An old one that a target still has.
    std::fs::remove_file(world.path("app.env")).unwrap();
    std::fs::create_dir(world.path("app.env")).unwrap();
    let third = world.mint(ads());
    let _ = world.run_with_input(&["exchange", "ads", "-q"], &third).exit(Exit::NotDelivered);
    world
        .run(&typed)
        .stdout("")
        .stderr(
            "
error: ads: not revoked: `app` has generation 2, which would become invalid
hint: run `metatoken deliver ads`, which brings the current access token there
hint: to revoke it all the same, add `--force`
",
        )
        .exit(Exit::InputRefused);
    std::fs::remove_dir(world.path("app.env")).unwrap();
    world.write("app.env", "TOKEN=\n");
    world.run(&["deliver", "ads", "-q"]).exit(Exit::Ok).silent();
    world.run(&typed).stderr("").exit(Exit::Ok).silent();
    assert_eq!(invalidation(&world, "EAAFAKEAds2"), Some(Invalidation::Revoked));
    let forced = ["revoke", "ads", "--generation", "3", "--yes=ads", "-q", "--force"];
    // The first one still works, and asks.
    world.run(&forced).silent().exit(Exit::Ok);
    assert_eq!(invalidation(&world, &third), Some(Invalidation::Revoked));
}

#[test]
fn all_that_a_person_granted_ends_with_the_pages() {
    let mut world = World::new()
        .config(&format!("{BRAND}{ADS}[token.again]\ntype = \"user\"\n"))
        .token("BRAND", brand());
    exchange(&world, ads());
    let again = world.mint(brand());
    world.run_with_input(&["exchange", "again", "-q"], &again).exit(Exit::Ok).silent();
    world.run(&["refresh", "-q"]).exit(Exit::Ok).silent();
    world.calls();
    let listing = "
This revokes every access token of user 3000000000000001 for app `main` (1000000000000001), also those kept elsewhere:
  again                   generation 1 (current, fingerprint fingerprint1)
  brand                   generation 1 (current, fingerprint fingerprint2)
  brand/2000000000000001  generation 1 (current, fingerprint fingerprint3)
  brand/2000000000000002  generation 1 (current, fingerprint fingerprint4)
";
    world
        .run(&["revoke", "brand", "--all"])
        .stdout("")
        .stderr(&format!(
            "{listing}error: nothing was done: there is no terminal to ask on
hint: if all that is listed is meant, add `--yes=4`
"
        ))
        .exit(Exit::Usage);
    world
        .run(&["revoke", "brand", "--all", "--yes=4"])
        .stdout(
            "
TOKEN                   OUTCOME  EXPIRES     REASON
again                   revoked  2026-03-02  generation 1 is dead
brand                   revoked  2026-03-02  generation 1 is dead
brand/2000000000000001  revoked  never       generation 1 is dead
brand/2000000000000002  revoked  never       generation 1 is dead

4 tokens: 4 revoked
",
        )
        .stderr(listing)
        .exit(Exit::Ok);
    let calls = world.calls();
    assert_eq!(calls[0], format!("{ANNA}/permissions -"));
    assert_eq!(calls.len(), 5, "{calls:?}");
    assert_eq!(world.in_use("ads"), "EAAFAKEAds1");
    assert_eq!(codes(&world, "ads"), [""; 0]);
    // Nothing takes their place by itself, and every run says whose turn it is.
    world.at(day(2));
    let next = world.mint(brand());
    world.set("BRAND", &next);
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).stderr("");
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand1");
    world.run(&["check", "--tokens"]).code(2).stderr("").verdict("
METATOKEN CRITICAL - brand and 2 more: down, revoked here 2 days ago; its owner logs in: metatoken login brand (and 1 more)
CRITICAL: `brand`, `brand/2000000000000001` and `brand/2000000000000002`: down, revoked here 2 days ago
  the person behind the token logs in to the app again: run `metatoken login brand`. Proof: `metatoken check brand`
CRITICAL: `again`: down, revoked here 2 days ago
  the person behind the token logs in to the app again: run `metatoken login again`. Proof: `metatoken check again`
");
    // Until that person does.
    world.run_with_input(&["exchange", "brand", "-q"], &next).exit(Exit::Ok).silent();
    world.run(&["refresh", "-q", "brand"]).exit(Exit::Ok).silent();
    assert_eq!(codes(&world, "brand"), [""; 0]);
    assert_eq!(codes(&world, &format!("brand/{BAKERY}")), [""; 0]);
}

#[test]
fn a_grant_that_nothing_is_left_of_is_not_adopted_again() {
    let mut world = World::new().config(&BRAND.replace("pages = \"all\"\n", ""));
    world = world.token("BRAND", brand());
    world.run(&["refresh", "-q"]).exit(Exit::Ok).silent();
    // A login that was cut short waits: it goes with the rest.
    world.killed_at("sealed", &["exchange", "brand", "-q"], &world.mint(brand()));
    world.run(&["revoke", "brand", "--all", "--yes=brand"]).exit(Exit::Ok).stderr("
This revokes every access token of user 3000000000000001 for app `main` (1000000000000001), also those kept elsewhere:
  brand  generation 2 (waits to be checked)
  brand  generation 1 (current, fingerprint fingerprint1)
");
    world.at(day(1));
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).stderr("");
    assert_eq!(world.in_use("brand"), "EAAFAKEBrand1");
}

#[test]
fn what_meta_accepts_in_vain_is_told_as_that() {
    let mut world = rotated(ADS);
    world.graph.with(|graph| graph.set_revocations(Revocations::InVain));
    world.run(&["revoke", "ads", "--all", "--yes=ads", "-q"]).stdout("
TOKEN  OUTCOME  EXPIRES  REASON
ads    failed   never    Meta accepted the revocation, and nothing changed: generations 1 and 2 still work

warning: `ads`: works, Meta accepted the revocation, and nothing changed: generations 1 and 2 still work
  hint: an admin of the business removes the tokens of System User 3000000000000009 (Meta Business settings, Users, System users)

1 token: 1 failed
").stderr("").exit(Exit::PersonNeeded);
    assert_eq!(world.calls_to("3000000000000009/access_tokens"), 1, "it is asked for once");
    world.at(day(1));
    world.run(&["refresh", "-q"]).silent().exit(Exit::Ok);
    world.run(&["check", "--tokens"]).code(1).verdict("
METATOKEN WARNING - ads: works, revoked here 24 hours ago, and still works; operator revokes it again: metatoken revoke ads --all
WARNING: `ads`: works, revoked here 24 hours ago, and still works
  run `metatoken revoke ads --all`, which asks Meta again. To keep using it, run `metatoken exchange ads` and paste it. Proof: `metatoken check ads`
");
    world.graph.with(|graph| graph.set_revocations(Revocations::Documented));
    world.run(&["revoke", "ads", "--all", "--yes=ads", "-q"]).silent().exit(Exit::Ok);
    assert_eq!(invalidation(&world, "EAAFAKEAds2"), Some(Invalidation::Revoked));
}

#[test]
fn instagram_and_threads_are_tried_and_otherwise_named() {
    let config = "[app.insta]\nkind = \"instagram\"\nid = \"1000000000000011\"\n\
                  secret = { env = \"INSTA_SECRET\" }\n\
                  [app.threads]\nkind = \"threads\"\nid = \"1000000000000012\"\n\
                  secret = { env = \"THREADS_SECRET\" }\n\
                  [token.dora]\ntype = \"instagram\"\naccess_token = { env = \"DORA\" }\n\
                  [token.emil]\ntype = \"threads\"\naccess_token = { env = \"EMIL\" }\n";
    let world = World::new()
        .config(config)
        .token("DORA", TokenFixture::instagram(INSTA_APP, CREATOR).named("dora"))
        .token("EMIL", TokenFixture::threads(THREADS_APP, CREATOR).named("emil"));
    let _ = world.run(&["refresh", "-q"]);
    for label in ["dora", "emil"] {
        let yes = format!("--yes={label}");
        world.run(&["revoke", label, "--all", &yes, "-q"]).stdout("").stderr(&format!("
error: {label}: not revoked: Meta has no call for it
  caused by: Meta says \"Unsupported request - method type: delete\" (100)
hint: the owner of `{label}` opens instagram.com, Settings, Website permissions, Apps and websites, and removes the app
")).exit(Exit::PersonNeeded);
        assert!(!codes(&world, label).contains(&"revoked".to_owned()));
    }
    world.graph.with(|graph| graph.set_revocations(Revocations::Everywhere));
    for label in ["dora", "emil"] {
        let yes = format!("--yes={label}");
        world.run(&["revoke", label, "--all", &yes, "-q"]).silent().exit(Exit::Ok);
        assert_eq!(codes(&world, label), ["revoked"]);
    }
}

#[test]
fn while_graph_is_away_nothing_is_changed() {
    let world = rotated(&format!("[http]\nattempts = 1\n{ADS}"));
    let typed = ["revoke", "ads", "--generation", "1", "--yes=ads", "-q"];
    world.graph.misbehave(Rule::on("/oauth/revoke"), FaultInjection::Code2Transient);
    let away = world.run(&typed).stdout("").exit(Exit::Unavailable);
    assert!(
        away.stderr.contains("run the same again later; nothing was changed"),
        "{}",
        away.stderr
    );
    assert_eq!(invalidation(&world, "EAAFAKEAds1"), None);
    world.graph.behave();
    // A lost answer is none: Graph's word counts.
    world.graph.misbehave(Rule::on("/oauth/revoke"), FaultInjection::CloseAfterEffect);
    world.run(&typed).silent().exit(Exit::Ok);
    assert_eq!(invalidation(&world, "EAAFAKEAds1"), Some(Invalidation::Revoked));
    assert_eq!(events(&world, "ads"), ["adopted", "adopted", "revoked"]);
    // Accepted, and then Graph is away: it is not known, and the same again finds out.
    world.graph.behave();
    let world = rotated(&format!("[http]\nattempts = 1\n{ADS}"));
    world.graph.misbehave(Rule::on("/debug_token"), FaultInjection::Code2Transient);
    world.run(&typed).exit(Exit::Unavailable).silent();
    let told = world.run(&typed[..5]).exit(Exit::Unavailable);
    let said = "Meta was asked, and it is not known whether generation 1 is dead";
    assert!(told.stdout.contains(said), "{}", told.stdout);
    world.graph.behave();
    world.run(&typed).silent().exit(Exit::Ok);
}

#[test]
fn a_kill_at_any_step_leaves_what_the_same_command_finishes() {
    for place in ["marked-revoked", "before-request", "revoked", "noted-revoked"] {
        let mut world = World::new()
            .config("[token.ads]\ntype = \"system-user\"\naccess_token = { env = \"ADS\" }\n");
        exchange(&world, ads());
        let next = world.mint(ads());
        world.set("ADS", &next);
        let typed = ["revoke", "ads", "--all", "--yes=ads", "-q"];
        world.killed_at(place, &typed, "");
        // A run in between takes nothing in its place.
        world.at(day(1));
        let ran = world.run(&["refresh", "--json"]);
        assert!([Some(0), Some(77)].contains(&ran.code), "{place}: {}", ran.stdout);
        assert_eq!(world.in_use("ads"), "EAAFAKEAds1", "{place}");
        let lives = invalidation(&world, "EAAFAKEAds1").is_none();
        assert_eq!(
            codes(&world, "ads"),
            [if lives { "revoked_alive" } else { "revoked" }],
            "{place}"
        );
        world.run(&typed).stderr("").silent().exit(Exit::Ok);
        assert_eq!(invalidation(&world, "EAAFAKEAds1"), Some(Invalidation::Revoked), "{place}");
        assert_eq!(codes(&world, "ads"), ["revoked"], "{place}");
    }
}

#[test]
fn a_label_that_left_the_config_is_revoked_all_the_same() {
    let world = rotated(ADS);
    world.graph.with(|graph| graph.add_user(UserFixture::new("3000000000000003", "Other")));
    world.reconfigure("");
    world.run(&["revoke", "ads", "--all", "--yes=ads", "-q"]).silent().exit(Exit::Ok);
    assert_eq!(invalidation(&world, "EAAFAKEAds2"), Some(Invalidation::Revoked));
}

#[test]
fn of_a_system_user_without_one_that_works_nobody_can_ask() {
    let mut world = World::new().config(ADS);
    exchange(&world, ads().ending(Expiry::At(day(20))));
    exchange(&world, ads().ending(ends(60)));
    world.at(day(61));
    world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded).stderr("");
    world.run(&["revoke", "ads", "--all", "--yes=ads", "-q"]).stdout("").stderr("
error: ads: no access token of it works here that could ask Meta
hint: an admin of the business removes the tokens of System User 3000000000000009 (Meta Business settings, Users, System users)
").exit(Exit::InputRefused);
    assert_eq!(codes(&world, "ads"), ["expired"]);
}

#[test]
fn what_hung_on_a_person_who_left_is_revoked_together() {
    let owned = BRAND.replace("pages = \"all\"\n", "owner = \"anna@brand.example\"\n");
    let world = World::new()
        .config(&format!(
            "{owned}{ADS}owner = \"anna@brand.example\"\n[token.own]\ntype = \"app\"\n"
        ))
        .token("BRAND", brand());
    exchange(&world, ads());
    world.run(&["refresh", "-q"]).exit(Exit::Ok).silent();
    world.calls();
    let typed = ["revoke", "--owner", "anna@brand.example", "--all"];
    let listing = "
This revokes every access token of System User 3000000000000009 for app `main` (1000000000000001), also those kept elsewhere:
  ads  generation 1 (current, fingerprint fingerprint1)
This revokes every access token of user 3000000000000001 for app `main` (1000000000000001), also those kept elsewhere:
  brand  generation 1 (current, fingerprint fingerprint2)
";
    world
        .run(&typed)
        .stdout("")
        .stderr(&format!(
            "{listing}error: nothing was done: there is no terminal to ask on
hint: if all that is listed is meant, add `--yes=2`
"
        ))
        .exit(Exit::Usage);
    world
        .run(&[&typed[..], &["--yes=2"]].concat())
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES     REASON
ads    revoked  never       generation 1 is dead
brand  revoked  2026-03-02  generation 1 is dead

2 tokens: 2 revoked
",
        )
        .stderr(listing)
        .exit(Exit::Ok);
    assert_eq!(codes(&world, "own"), [""; 0]);
    let none = world.run(&["revoke", "--owner", "ben@brand.example", "--all"]).stdout("");
    none.exit(Exit::Usage);
    // One that is named goes by its label alone.
    world
        .run(&["revoke", "ads", "--owner", "anna@brand.example", "--all"])
        .exit(Exit::Usage)
        .stdout("");
}
