//! `promote`: the backup of a token takes its place.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Rule, TokenFixture, UserFixture};
use metatoken::token::Time;

use crate::common::{ANNA, APP, BAKERY, Hook, ROBOT, Ran, World, day, ends};

/// A System User beside the one that every world has.
const SPARE: &str = "3000000000000008";

/// A token with a file and a backup that belongs to another System User.
const ADS: &str = r#"
[token.ads]
type = "system-user"
access_token = { env = "ADS" }
backup = "spare"
[[token.ads.deliver]]
file = "app.env"
key = "TOKEN"
[token.spare]
type = "system-user"
access_token = { env = "SPARE" }
"#;

fn of(user: &str, name: &str) -> TokenFixture {
    TokenFixture::system_user(APP, user).named(name).scopes(["ads_read"])
}

/// The world with the access tokens of Anna and of Ben, who both have the Page.
fn with_anna_and_ben(world: World) -> World {
    const BEN: &str = "3000000000000002";
    world.graph.with(|graph| {
        let ben = UserFixture::new(BEN, "Ben");
        graph.add_user(ben.with_page(BAKERY, metatoken::sandbox::Listing::Listed));
    });
    let user = |id: &str, name: &str| {
        TokenFixture::user(APP, id)
            .named(name)
            .scopes(["public_profile", "pages_show_list"])
            .ending(ends(60))
    };
    world.token("ANNA", user(ANNA, "anna")).token("BEN", user(BEN, "ben"))
}

/// A world in which both are kept since day 0, and which is now on day 3.
fn kept(config: &str) -> World {
    let world = World::new().config(config);
    world.graph.with(|graph| graph.add_user(UserFixture::new(SPARE, "Spare")));
    world.write("app.env", "TOKEN=\nLAST=1\n");
    let mut world = world.token("ADS", of(ROBOT, "ads")).token("SPARE", of(SPARE, "spare"));
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    world.at(day(3));
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    world.calls();
    world
}

fn kill(world: &World, access_token: &str) {
    world.graph.with(|graph| graph.invalidate(access_token, Invalidation::Revoked));
}

fn held(world: &World) -> String {
    std::fs::read_to_string(world.path("app.env")).unwrap()
}

/// The codes of what stands against a token.
fn codes(world: &World, label: &str) -> Vec<String> {
    let told = world.run(&["check", "--json"]).token(label);
    let reasons = told["reasons"].as_array().unwrap().iter();
    reasons.map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn refused(ran: Ran, exit: Exit, stderr: &str) {
    ran.stdout("").stderr(stderr).exit(exit);
}

#[test]
fn the_backup_takes_the_place_of_a_dead_token() {
    let mut world = kept(ADS);
    kill(&world, "EAAFAKEAds1");
    world.at(day(4));
    world.run(&["refresh"]).stdout("
TOKEN  OUTCOME   EXPIRES  REASON
ads    invalid   never    revoked (190/466)
spare  verified  never    never expires

critical: `ads`: down, revoked
  hint: its backup `spare` works: run `metatoken promote ads`. Otherwise an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it
  Meta: \"The session was invalidated explicitly using an API call\" (190/466)

2 tokens: 1 verified, 1 invalid
").exit(Exit::PersonNeeded);
    let before = held(&world);
    world
        .run(&["promote", "ads", "-n"])
        .stdout(
            "
TOKEN  OUTCOME        EXPIRES  REASON
ads    would promote  never    the access token of `spare`; it would belong to user 3000000000000008, and not to 3000000000000009
       would be delivered to [DIR]/app.env#TOKEN

1 token: 1 would promote (dry run: nothing was changed)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(held(&world), before);
    assert_eq!(world.run(&["token", "spare"]).stdout.trim(), "EAAFAKESpare1");
    world.calls();
    world
        .run(&["promote", "ads"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES  REASON
ads    promoted  never    the access token of `spare`; it belongs to user 3000000000000008 now, and not to 3000000000000009
       delivered to [DIR]/app.env#TOKEN

1 token: 1 promoted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Spare"]);
    assert_eq!(world.in_use("ads"), "EAAFAKESpare1");
    assert_eq!(held(&world), "TOKEN=EAAFAKESpare1\nLAST=1\n");
    // The config of the backup still holds it: nothing is said of that but that there is no backup.
    for n in [5, 6] {
        world.at(day(n));
        world.run(&["refresh", "-q"]).exit(Exit::Ok).stderr("");
        assert_eq!(world.in_use("ads"), "EAAFAKESpare1");
        assert_eq!(codes(&world, "ads"), [""; 0]);
        assert_eq!(codes(&world, "spare"), ["no_backup"]);
    }
    world.run(&["check"]).verdict("
METATOKEN WARNING - spare: ads has its access token now, and no backup; its owner generates a new one: metatoken exchange spare
WARNING: `spare`: ads has its access token now, and no backup
  an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange spare` and paste it. Generate it for another System User than that of `ads`, or both may die together. Proof: `metatoken check spare`
").code(1);
    // A revived primary is not put back, and the backup's next access token is a backup again.
    world.graph.with(|graph| graph.revive("EAAFAKEAds1"));
    let next = world.mint(of(SPARE, "spare"));
    world.set("SPARE", &next);
    world.at(day(7));
    world.run(&["refresh", "-q"]).exit(Exit::Ok).stderr("");
    assert_eq!((world.in_use("ads"), world.in_use("spare")), ("EAAFAKESpare1".into(), next));
    assert_eq!(codes(&world, "spare"), [""; 0]);
    let told = world.run(&["history", "ads", "--json"]).json();
    let promoted = told["events"].as_array().unwrap().iter().find(|it| it["event"] == "promoted");
    assert_eq!(promoted.unwrap()["generation"], 2);
}

#[test]
fn what_cannot_be_promoted_is_refused_with_its_own_words() {
    let world = kept(ADS);
    refused(
        world.run(&["promote", "spare"]),
        Exit::InputRefused,
        "
error: spare: not promoted: it has no `backup`
hint: it is the backup of `ads`: run `metatoken promote ads`
",
    );
    let before = (held(&world), world.in_use("ads"));
    world.graph.misbehave(Rule::any(), FaultInjection::CloseBeforeAnswer);
    let ran = world.run(&["promote", "ads"]).stdout("").exit(Exit::Unavailable);
    assert!(ran.stderr.ends_with("\nhint: nothing was changed: run the same again later\n"));
    world.graph.behave();
    kill(&world, "EAAFAKESpare1");
    refused(
        world.run(&["promote", "ads"]),
        Exit::InputRefused,
        "
error: ads: not promoted: `spare`: revoked
  caused by: Meta says \"The session was invalidated explicitly using an API call\" (190/466)
hint: an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange spare --replace` and paste it. Generate it for System User 3000000000000008, app `main` (1000000000000001), expiration Never, permissions ads_read
",
    );
    assert_eq!((held(&world), world.in_use("ads")), before);
    // It says who it must be.
    let mine =
        ADS.replace("backup = \"spare\"", "backup = \"spare\"\nuser_id = \"3000000000000009\"");
    let world = kept(&mine);
    let ran = world.run(&["promote", "ads"]).stdout("").exit(Exit::InputRefused);
    assert!(ran.stderr.contains("belongs to user 3000000000000008, not to"), "{}", ran.stderr);
    // One without a backup, one that has none left, and one that was revoked here.
    world.reconfigure(&ADS.replace("backup = \"spare\"\n", ""));
    refused(
        world.run(&["promote", "ads"]),
        Exit::InputRefused,
        "
error: ads: not promoted: it has no `backup`
hint: set `backup` of `[token.ads]` to the label of a token that is kept in reserve
",
    );
    world.reconfigure(ADS);
    world
        .sql()
        .execute_batch(
            "UPDATE generation SET revoked_at = 7
             WHERE token = (SELECT id FROM token WHERE label = 'spare')",
        )
        .unwrap();
    let ran = world.run(&["promote", "ads"]).stdout("").exit(Exit::InputRefused);
    assert!(ran.stderr.starts_with("error: ads: not promoted: `spare` was revoked here\n"));
    let world = World::new().config(ADS);
    world.run(&["promote", "ads"]).stdout("").exit(Exit::Storage);
    assert!(!world.path("metatoken.db").exists());
}

#[test]
fn a_kill_at_any_place_is_finished_by_the_same_command() {
    for place in ["promoted", "temp-written", "temp-synced", "renamed", "settled"] {
        let world = kept(ADS);
        kill(&world, "EAAFAKEAds1");
        world.killed_at(place, &["promote", "ads"], "");
        let ran = world.run(&["promote", "ads"]);
        assert_eq!(ran.code, Some(0), "{place}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(held(&world), "TOKEN=EAAFAKESpare1\nLAST=1\n", "{place}");
        world.run(&["refresh", "-q"]).exit(Exit::Ok).stderr("");
        assert_eq!(world.in_use("ads"), "EAAFAKESpare1", "{place}");
    }
}

#[test]
fn the_pages_of_a_person_follow_to_the_other_one() {
    let config = format!(
        "[token.anna]\ntype = \"user\"\nbackup = \"ben\"\naccess_token = {{ env = \"ANNA\" }}\n\
         [token.ben]\ntype = \"user\"\naccess_token = {{ env = \"BEN\" }}\n\
         [token.page]\ntype = \"page\"\nparent = \"anna\"\npage_id = \"{BAKERY}\"\n"
    );
    let world = with_anna_and_ben(World::new().config(&config));
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    let of_anna = world.in_use("page");
    let ran = world.run(&["promote", "anna", "--json"]).stderr("").exit(Exit::Ok);
    assert_eq!(ran.outcomes()["anna"], "promoted");
    assert_eq!(ran.outcomes()["page"], "derived", "{}", ran.stdout);
    assert_ne!(world.in_use("page"), of_anna);
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    assert_eq!(codes(&world, "page"), [""; 0]);
}

/// What a backup gave away is its own again once the token that got it is forgotten.
#[test]
fn a_backup_has_again_what_a_forgotten_token_got_from_it() {
    let ads = &ADS[..ADS.find("[token.spare]").unwrap()];
    let pasted = "[token.spare]\ntype = \"system-user\"\n";
    let configured = format!("{pasted}access_token = {{ env = \"SPARE\" }}\n");
    // The config of the backup still holds it, or it is kept here alone; the token left the config by
    // hand, or with its file.
    for (config, forget) in [
        (configured.as_str(), &["forget", "ads", "-q"][..]),
        (pasted, &["forget", "ads", "-q"]),
        (&configured, &["forget", "ads", "--undeclare", "-q"]),
    ] {
        let world = kept(ADS);
        world.run(&["promote", "ads", "-q"]).exit(Exit::Ok);
        world.reconfigure(config);
        if forget.contains(&"--undeclare") {
            std::fs::create_dir(world.path("tokens.d")).unwrap();
            world.write("tokens.d/ads.toml", ads.replace("app.env", "../app.env"));
        }
        assert_eq!(codes(&world, "spare"), ["no_backup"], "{forget:?}");
        world.run(forget).stdout("").exit(Exit::Ok);
        if config == pasted {
            let told = world.run(&["check", "spare", "--json"]).token("spare");
            assert_eq!(told["reasons"][0]["command"], "metatoken rollback spare", "{told:#}");
            world.run(&["rollback", "spare", "-q"]).exit(Exit::Ok);
        }
        world.run(&["refresh", "-q"]).exit(Exit::Ok).stderr("");
        assert_eq!(world.in_use("spare"), "EAAFAKESpare1", "{forget:?}");
        assert_eq!(codes(&world, "spare"), [""; 0], "{forget:?}");
    }
    // One that is forgotten itself has no claim on it: the token that got it keeps it.
    let world = kept(ADS);
    world.run(&["promote", "ads", "-q"]).exit(Exit::Ok);
    world.reconfigure(&ads.replace("backup = \"spare\"\n", ""));
    world.run(&["forget", "spare", "-q"]).exit(Exit::Ok);
    world.reconfigure(ADS);
    world.run(&["refresh", "-q"]).exit(Exit::Config);
    assert_eq!(
        (world.in_use("ads").as_str(), codes(&world, "spare")),
        ("EAAFAKESpare1", vec!["shared_token".to_owned()])
    );
}

/// What `check`, a run, a chat and a program hear of Pages that are dead with a parent whose backup is
/// this one.
#[test]
fn pages_that_are_dead_with_their_parent_name_the_backup_of_the_parent() {
    let config = format!(
        "[token.anna]\ntype = \"user\"\nbackup = \"ben\"\npages = \"all\"\naccess_token = {{ env = \"ANNA\" }}\n\
         [token.ben]\ntype = \"user\"\naccess_token = {{ env = \"BEN\" }}\n\
         [token.page]\ntype = \"page\"\nparent = \"anna\"\npage_id = \"{BAKERY}\"\n\
         [[notify]]\nname = \"chat\"\nwebhook = \"[HOOK]/chat\"\nlabels = [\"page\"]\n"
    );
    let world = with_anna_and_ben(World::new());
    let (mut world, hook) = world.told_through(&config);
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    world.graph.with(|graph| graph.invalidate("EAAFAKEAnna1", Invalidation::PasswordChanged));
    world.at(day(2));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    let promote = "its backup `ben` works: run `metatoken promote anna`. Otherwise ";
    for label in ["anna", "page"] {
        let remedy = ran.result(label)["problem"]["remedy"].as_str().unwrap().to_owned();
        assert!(remedy.starts_with(promote), "{label}: {remedy}");
    }
    let line =
        "page: down, its parent anna is down; operator promotes the backup: metatoken promote anna";
    assert_eq!(hook.said(), [format!("CRITICAL: {line}")]);
    let check = world.run(&["check", "page"]).code(2).stdout;
    assert!(check.starts_with(&format!("METATOKEN CRITICAL - {line} | ")), "{check}");
    let refused = world.run(&["token", "page"]).stdout("").exit(Exit::PersonNeeded).stderr;
    assert!(refused.contains(&format!("hint: {promote}")), "{refused}");
    // Where the backup is dead too, only the person helps.
    world.graph.with(|graph| graph.invalidate("EAAFAKEBen1", Invalidation::PasswordChanged));
    world.at(day(4));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::PersonNeeded);
    let remedy = ran.result("page")["problem"]["remedy"].as_str().unwrap().to_owned();
    assert!(!remedy.contains("promote"), "{remedy}");
    let told = world.run(&["check", "page", "--json"]).token("page");
    assert_eq!(told["reasons"][0]["command"], "metatoken login anna", "{told}");
}

/// The run that finds both dead says so itself: also where the backup was not to be asked about yet.
#[test]
fn no_report_names_a_backup_that_died_with_its_token() {
    for typed in [&["refresh"][..], &["refresh", "ads"], &["refresh", "ads", "-n"]] {
        let mut world = kept(ADS);
        kill(&world, "EAAFAKEAds1");
        kill(&world, "EAAFAKESpare1");
        world.at(day(3) + TimeDelta::hours(if typed.len() == 1 { 24 } else { 1 }));
        let ran = world.run(typed).exit(Exit::PersonNeeded);
        assert!(!ran.stdout.contains("promote"), "{typed:?}: {}", ran.stdout);
        let remedy = "\ncritical: `ads`: down, revoked\n  hint: an admin of the business generates";
        assert!(ran.stdout.contains(remedy), "{typed:?}: {}", ran.stdout);
        let mut calls = world.calls();
        calls.sort();
        assert_eq!(calls, ["debug_token Ads", "debug_token Spare"], "{typed:?}");
        if !typed.contains(&"-n") {
            assert_eq!(codes(&world, "spare"), ["revoked"], "{typed:?}");
        }
    }
    // One that works is named, and was asked for that; without an answer its last verdict counts.
    for answers in [true, false] {
        let mut world = kept(ADS);
        kill(&world, "EAAFAKEAds1");
        world.at(day(3) + TimeDelta::hours(1));
        world.run(&["refresh", "ads", "-q"]).exit(Exit::PersonNeeded);
        assert_eq!(world.calls(), ["debug_token Ads", "debug_token Spare"]);
        if !answers {
            world.graph.misbehave(Rule::any(), FaultInjection::Status(500));
        }
        world.at(day(3) + TimeDelta::hours(2));
        let ran = world.run(&["refresh", "ads", "--json"]);
        let told = world.run(&["check", "ads", "--json"]).token("ads");
        assert_eq!(told["reasons"][0]["command"], "metatoken promote ads", "{}", ran.stdout);
    }
}

/// Promoted by mistake: each has again what it had.
#[test]
fn a_promotion_is_taken_back() {
    let pasted = ADS.replace("access_token = { env = \"SPARE\" }\n", "");
    let world = kept(ADS);
    world.reconfigure(&pasted);
    world.run(&["promote", "ads", "-q"]).exit(Exit::Ok);
    world.run(&["rollback", "ads", "-n"]).stderr("").exit(Exit::Ok);
    // That one is not to be revoked: it is the backup.
    let hint = "\nhint: run `metatoken rollback spare`, which makes it the backup again\n";
    world.run(&["rollback", "ads"]).stderr(hint).exit(Exit::Ok);
    let left = "ads no longer uses its access token, and has no backup";
    assert_eq!(why(&world, "spare"), [left, "metatoken rollback spare"]);
    world.run(&["rollback", "spare"]).stderr("").exit(Exit::Ok);
    world.run(&["refresh", "-q"]).exit(Exit::Ok).stderr("");
    assert_eq!((world.in_use("ads"), world.in_use("spare")), of_both());
    assert_eq!((codes(&world, "ads"), codes(&world, "spare")), (vec![], vec![]));
}

/// The first that stands against a token, and the command that ends it.
fn why(world: &World, label: &str) -> [String; 2] {
    let told = world.run(&["check", "--json"]).token(label);
    ["message", "command"].map(|it| told["reasons"][0][it].as_str().unwrap_or("").to_owned())
}

/// What a token does with the access token that it got from its backup is said as it is now.
#[test]
fn who_has_the_access_token_of_a_backup_is_said_while_it_is_true() {
    let has = "ads has its access token now, and no backup";
    let left = "ads no longer uses its access token, and has no backup";
    let mut world = kept(ADS);
    world.run(&["promote", "ads", "-q"]).exit(Exit::Ok);
    assert_eq!(why(&world, "spare"), [has, "metatoken exchange spare"]);
    // It gets one of its own, by a person or by its config.
    let own = world.mint(of(ROBOT, "own"));
    let typed = ["exchange", "ads", "--replace-identity", "-q"];
    world.run_with_input(&typed, &own).exit(Exit::Ok);
    assert_eq!(why(&world, "spare"), [left, "metatoken rollback spare"]);
    let refused = world.run(&["promote", "ads"]).stdout("").exit(Exit::InputRefused);
    assert!(refused.stderr.contains("run `metatoken rollback spare`"), "{}", refused.stderr);
    world.at(day(4));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    let reason = "`ads` got its access token, and no longer uses it";
    assert_eq!(ran.result("spare")["reason"], reason, "{}", ran.stdout);
    // It goes back to what it got.
    world.run(&["rollback", "ads", "--generation", "2", "-q"]).exit(Exit::Ok);
    assert_eq!(why(&world, "spare"), [has, "metatoken exchange spare"]);
    world.run(&["rollback", "ads", "--generation", "3", "-q"]).exit(Exit::Ok);
    assert_eq!(why(&world, "spare"), [left, "metatoken rollback spare"]);
    world.run(&["rollback", "spare", "-q"]).exit(Exit::Ok);
    assert_eq!(codes(&world, "spare"), [""; 0]);
    assert_eq!((world.in_use("ads"), world.in_use("spare")), (own, "EAAFAKESpare1".to_owned()));
}

/// What was renewed of it is of the same grant: the backup would be none beside it.
#[test]
fn what_a_backup_gave_away_is_in_use_after_a_renewal() {
    let config = ADS.replace("system-user", "user");
    let world = World::new().config(&config);
    world.write("app.env", "TOKEN=\n");
    world.graph.with(|graph| graph.add_user(UserFixture::new(SPARE, "Spare")));
    let user = |id: &str, name: &str| {
        TokenFixture::user(APP, id).named(name).scopes(["public_profile"]).ending(ends(60))
    };
    let mut world = world.token("ADS", user(ANNA, "ads")).token("SPARE", user(SPARE, "spare"));
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    world.run(&["promote", "ads", "-q"]).exit(Exit::Ok);
    world.at(day(45));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.outcomes()["ads"], "refreshed", "{}", ran.stdout);
    assert_ne!(world.in_use("ads"), "EAAFAKESpare1");
    let [message, _] = why(&world, "spare");
    assert_eq!(message, "ads has its access token now, and no backup");
}

fn of_both() -> (String, String) {
    ("EAAFAKEAds1".to_owned(), "EAAFAKESpare1".to_owned())
}

/// What makes access tokens for others is given to no program, and no more by way of a promotion.
#[test]
fn an_admins_token_is_nobodys_backup() {
    let world = World::new().config(&format!("{ADS}use = \"mint\"\n"));
    let ran = world.run(&["config", "check"]).stdout("").code(78);
    let said = "`spare` has `use = \"mint\"`, and no program gets an admin's token";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

/// A token has what its backup had: the backup does not take it back while that is so.
#[test]
fn what_was_given_away_is_not_put_back_beside_the_token_that_has_it() {
    let world = kept(ADS);
    let next = world.mint(of(SPARE, "next"));
    world.run_with_input(&["exchange", "spare", "-q"], &next).exit(Exit::Ok);
    world.run(&["promote", "ads", "-q"]).exit(Exit::Ok);
    refused(
        world.run(&["rollback", "spare", "--generation", "2"]),
        Exit::InputRefused,
        "
error: spare: not rolled back: generation 2 is in use as `ads`
hint: an access token belongs to one label: `metatoken status ads`
",
    );
    // The one before it is free, and is the newest that is.
    let ran = world.run(&["rollback", "spare", "--json"]).exit(Exit::Ok);
    assert_eq!(ran.result("spare")["generation"], 1);
    assert_eq!((world.in_use("ads"), world.in_use("spare")), (next, "EAAFAKESpare1".to_owned()));
    world.run(&["refresh", "-q"]).exit(Exit::Ok).stderr("");
    // Where there is no other, that is said.
    let world = kept(ADS);
    world.run(&["promote", "ads", "-q"]).exit(Exit::Ok);
    let ran = world.run(&["rollback", "spare"]).stdout("").exit(Exit::InputRefused);
    let said = "error: spare: not rolled back: generation 1 is in use as `ads`\n";
    assert!(ran.stderr.starts_with(said), "{}", ran.stderr);
    let printed = "
error: spare: has no access token: ads has its access token now, and no backup
hint: an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken exchange spare` and paste it. Generate it for another System User than that of `ads`, or both may die together
";
    for typed in [&["token", "spare"][..], &["exec", "spare", "--", "true"]] {
        world.run(typed).stdout("").stderr(printed).exit(Exit::PersonNeeded);
    }
}

#[test]
fn whose_a_backup_is_shows_before_it_is_needed() {
    let world = kept(ADS);
    let page = world.run(&["status", "ads", "--offline"]).exit(Exit::Ok).stdout;
    let line =
        "\n  backup        spare, works, of user 3000000000000008 (`metatoken status spare`)\n";
    assert!(page.contains(line), "{page}");
    let json = world.run(&["status", "--offline", "--json"]).exit(Exit::Ok);
    assert_eq!(json.token("ads")["backup"], "spare");
    assert_eq!(json.token("spare")["backup"], serde_json::Value::Null);
    let checked = world.run(&["config", "check"]).exit(Exit::Ok).stdout;
    assert!(checked.contains("`spare` belongs to user 3000000000000008"), "{checked}");
    let same = World::new().config(ADS);
    same.write("app.env", "TOKEN=\n");
    let same = same.token("ADS", of(ROBOT, "ads")).token("SPARE", of(ROBOT, "spare"));
    same.run(&["refresh", "-q"]).exit(Exit::Ok);
    let checked = same.run(&["config", "check"]).exit(Exit::Ok).stdout;
    let told = "`spare` belongs to user 3000000000000009 too: both may die together";
    assert!(checked.contains(told), "{checked}");
    let others = same.mint(of(ANNA, "other"));
    let typed = ["exchange", "spare", "--replace-identity", "-q"];
    same.run_with_input(&typed, &others).exit(Exit::Ok);
    let checked = same.run(&["config", "check"]).exit(Exit::Ok).stdout;
    assert!(!checked.contains("die together"), "{checked}");
    // What the token must be able to do, its backup must be, too.
    same.reconfigure(
        &ADS.replace("backup = ", "required_scopes = [\"ads_read\", \"x\"]\nbackup = "),
    );
    same.run(&["refresh", "-q"]).exit(Exit::PersonNeeded);
    assert_eq!(codes(&same, "spare"), ["permission_missing"]);
}

/// A backup whose date has passed is down on its primary's page as well as on its own.
#[test]
fn a_backup_that_has_expired_does_not_work() {
    let world = World::new().config(ADS);
    world.graph.with(|graph| graph.add_user(UserFixture::new(SPARE, "Spare")));
    world.write("app.env", "TOKEN=\n");
    let mut world =
        world.token("ADS", of(ROBOT, "ads")).token("SPARE", of(SPARE, "spare").ending(ends(60)));
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    for (at, works) in [(59, "works"), (61, "down")] {
        world.at(day(at));
        let page = world.run(&["status", "ads", "--offline"]).stdout;
        assert!(page.contains(&format!("\n  backup        spare, {works}, of user ")), "{page}");
    }
    let own = world.run(&["status", "spare", "--offline"]).stdout;
    assert!(own.contains("\n  state         down (critical)\n"), "{own}");
}

/// What was in use before, and the backup's, belong to two System Users: each is revoked as its own.
#[test]
fn what_a_promotion_replaced_is_revoked_as_its_own_system_users() {
    let world = kept(ADS);
    world.run(&["promote", "ads", "-q"]).exit(Exit::Ok);
    let ran = world.run(&["revoke", "ads", "--generation", "1", "--dry-run"]).exit(Exit::Ok);
    let old = "of System User 3000000000000009 for app `main` (1000000000000001), wherever a copy of it \
               is kept:\n  ads  generation 1\n";
    assert!(ran.stderr.contains(old), "{}", ran.stderr);
    // All of whom it belongs to now; not what another one had under the same label.
    let ran = world.run(&["revoke", "ads", "--all", "--force", "--dry-run"]).exit(Exit::Ok);
    assert!(ran.stderr.contains("of System User 3000000000000008 for app"), "{}", ran.stderr);
    assert!(ran.stderr.contains("  ads    generation 2"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("  ads    generation 1"), "{}", ran.stderr);
    world.run(&["revoke", "ads", "--generation", "1", "--yes=ads", "-q"]).exit(Exit::Ok);
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), "EAAFAKESpare1");
}

/// Minute `n` of the night in which the token dies, on day 10.
fn minute(n: i64) -> Time {
    day(10) + TimeDelta::minutes(120 + n)
}

/// The same world with `promote = "auto"`, and one chat that is told.
fn by_itself() -> (World, Hook) {
    let config = ADS.replace("backup = \"spare\"", "backup = \"spare\"\npromote = \"auto\"");
    let chat = "[[notify]]\nname = \"chat\"\nwebhook = \"[HOOK]/chat\"\n";
    let world = World::new();
    world.graph.with(|graph| graph.add_user(UserFixture::new(SPARE, "Spare")));
    world.write("app.env", "TOKEN=\nLAST=1\n");
    let world = world.token("ADS", of(ROBOT, "ads")).token("SPARE", of(SPARE, "spare"));
    let (mut world, hook) = world.told_through(&format!("{config}{chat}"));
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    world.at(minute(0));
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    assert_eq!(hook.said(), [""; 0]);
    (world, hook)
}

/// A run that a timer starts in that minute of the night.
fn timer(world: &mut World, n: i64) -> Ran {
    world.at(minute(n));
    world.run(&["refresh", "--scheduled", "-q", "--json"])
}

#[test]
fn a_token_that_dies_at_night_is_replaced_by_its_backup_in_the_second_run() {
    let (mut world, hook) = by_itself();
    kill(&world, "EAAFAKEAds1");
    // Nobody has asked about it yet.
    timer(&mut world, 30).exit(Exit::Ok);
    assert_eq!(hook.said(), [""; 0]);
    let found = |world: &mut World, n| {
        world.at(minute(n));
        world.run(&["refresh", "ads", "-q", "--json"])
    };
    found(&mut world, 60).exit(Exit::PersonNeeded);
    assert_eq!(
        hook.said(),
        ["CRITICAL: ads: down, revoked; operator promotes the backup: metatoken promote ads"]
    );
    // One verdict may be a mistake; so may two within ten minutes.
    timer(&mut world, 65).exit(Exit::PersonNeeded);
    assert_eq!(world.run(&["token", "ads", "--dead"]).stdout.trim(), "EAAFAKEAds1");
    world.calls();
    let ran = timer(&mut world, 70).exit(Exit::Ok);
    assert_eq!(ran.result("ads")["outcome"], "promoted", "{}", ran.stdout);
    assert_eq!(world.calls(), ["debug_token Ads", "debug_token Spare"]);
    assert_eq!(world.in_use("ads"), "EAAFAKESpare1");
    assert_eq!(held(&world), "TOKEN=EAAFAKESpare1\nLAST=1\n");
    assert_eq!(
        hook.said(),
        [
            "WARNING: spare: ads has its access token now, and no backup; its owner generates a new one: metatoken exchange spare",
            "RECOVERED: ads: recovered, was: revoked",
        ]
    );
    // Nothing more is told until somebody does something.
    timer(&mut world, 75).exit(Exit::Ok);
    timer(&mut world, 600).exit(Exit::Ok);
    assert_eq!(hook.said(), [""; 0]);
    // The next backup is not used up in the same week.
    let next = world.mint(of(SPARE, "spare"));
    world.set("SPARE", &next);
    timer(&mut world, 660).exit(Exit::Ok);
    assert_eq!(world.in_use("spare"), next);
    kill(&world, "EAAFAKESpare1");
    for n in [720, 760, 6 * 1440] {
        found(&mut world, n).exit(Exit::PersonNeeded);
    }
    let later = 8 * 1440;
    found(&mut world, later).exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), next);
}

#[test]
fn nothing_moves_unless_two_runs_know_the_one_dead_and_the_other_alive() {
    let typed = ["refresh", "ads", "-q", "--json"];
    let twice = |world: &mut World| {
        for n in [60, 90, 120] {
            world.at(minute(n));
            let _ = world.run(&typed);
        }
        world.run(&["token", "ads", "--dead"]).stdout.trim().to_owned()
    };
    // Both are dead.
    let (mut world, _) = by_itself();
    kill(&world, "EAAFAKEAds1");
    kill(&world, "EAAFAKESpare1");
    assert_eq!(twice(&mut world), "EAAFAKEAds1");
    assert_eq!(world.run(&["token", "spare", "--dead"]).stdout.trim(), "EAAFAKESpare1");
    // An account that is held, and an app at fault.
    let (mut world, _) = by_itself();
    world.graph.with(|graph| graph.invalidate("EAAFAKEAds1", Invalidation::Checkpoint));
    assert_eq!(twice(&mut world), "EAAFAKEAds1");
    let (mut world, _) = by_itself();
    world.graph.misbehave(Rule::any(), FaultInjection::Status(500));
    assert_eq!(twice(&mut world), "EAAFAKEAds1");
    // Meta takes its word back in between: the count begins anew.
    let (mut world, _) = by_itself();
    kill(&world, "EAAFAKEAds1");
    world.at(minute(60));
    world.run(&typed).exit(Exit::PersonNeeded);
    world.graph.with(|graph| graph.revive("EAAFAKEAds1"));
    world.at(minute(80));
    world.run(&typed).exit(Exit::Ok);
    kill(&world, "EAAFAKEAds1");
    world.at(minute(100));
    world.run(&typed).exit(Exit::PersonNeeded);
    world.at(minute(105));
    world.run(&typed).exit(Exit::PersonNeeded);
    world.at(minute(110));
    world.run(&["refresh", "ads", "-n", "--json"]).exit(Exit::Ok);
    world.run(&typed).exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), "EAAFAKESpare1");
}
