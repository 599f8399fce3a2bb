//! `mint`: an admin's access token has Meta make a new one of a System User, by hand and in `refresh`.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{
    FaultInjection, Invalidation, NeverExpiring, Rule, TokenFixture, UserFixture,
};
use metatoken::token::Expiry;

use crate::common::{APP, ROBOT, World, day, ends};

const KEEPER: &str = "3000000000000005";

const BOTH: &str = "[token.ads]\ntype = \"system-user\"\nmint = \"admin\"\n\
                    [[token.ads.deliver]]\nname = \"app\"\nfile = \"app.env\"\nkey = \"TOKEN\"\n\
                    [token.admin]\ntype = \"system-user\"\nuse = \"mint\"\n";

fn ads() -> TokenFixture {
    TokenFixture::system_user(APP, ROBOT).named("ads").scopes(["ads_read", "ads_management"])
}

fn admin() -> TokenFixture {
    TokenFixture::system_user(APP, KEEPER).named("keeper").scopes(["business_management"])
}

/// A world with an admin's access token and this one of the System User.
fn world_of(config: &str, spec: TokenFixture) -> World {
    let world = World::new().config(config);
    world.graph.with(|graph| graph.add_user(UserFixture::new(KEEPER, "Keeper").admin()));
    world.write("app.env", "TOKEN=\n");
    for (label, spec) in [("admin", admin()), ("ads", spec)] {
        let pasted = world.mint(spec);
        world.run_with_input(&["exchange", label, "-q"], &pasted).exit(Exit::Ok).silent();
    }
    world.calls();
    world
}

fn file(world: &World) -> String {
    std::fs::read_to_string(world.path("app.env")).unwrap()
}

fn events(world: &World) -> Vec<String> {
    world.events("ads").into_iter().map(|(event, _)| event).collect()
}

fn codes(world: &World, label: &str) -> Vec<String> {
    let told = world.run(&["check", "--json"]).token(label);
    let reasons = told["reasons"].as_array().unwrap().iter();
    reasons.map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_new_one_is_made_put_in_place_and_delivered() {
    let world = world_of(BOTH, ads());
    world
        .run(&["mint", "ads"])
        .stdout(
            "
TOKEN  OUTCOME  EXPIRES  REASON
ads    minted   never    never expires; generation 1 works on until it is revoked
       delivered to app

1 token: 1 minted
",
        )
        .stderr(
            "
hint: run `metatoken revoke ads --generation 1`, which makes it invalid at Meta
",
        )
        .exit(Exit::Ok);
    assert_eq!(
        world.calls(),
        [
            "3000000000000009/access_tokens Keeper",
            "debug_token Robot",
            "debug_token Robot",
            "debug_token Ads"
        ]
    );
    assert_eq!(world.in_use("ads"), "EAAFAKERobot1");
    assert_eq!(file(&world), "TOKEN=EAAFAKERobot1\n");
    assert_eq!(events(&world), ["adopted", "delivered", "minted", "delivered"]);
    // As before: the permissions of the last one, and as long a life.
    let scopes = world.run(&["status", "ads", "--json", "--live"]).token("ads")["scopes"].clone();
    assert_eq!(scopes, serde_json::json!(["ads_read", "ads_management"]));
    // A dated one is followed by a dated one.
    let mut world = world_of(BOTH, ads().ending(ends(40)));
    world.at(day(10));
    let minted = world.run(&["mint", "ads", "--json"]).exit(Exit::Ok).result("ads");
    assert_eq!(
        (&minted["outcome"], &minted["new_expires_at"]),
        (&"minted".into(), &"2026-03-12T00:00:00Z".into())
    );
    world.run(&["refresh", "-q"]).silent().exit(Exit::Ok);
}

#[test]
fn what_is_missing_for_it_is_named_before_meta_is_asked() {
    let world = world_of(BOTH, ads());
    let config = BOTH.replace("mint = \"admin\"\n", "");
    world.reconfigure(&config);
    world
        .run(&["mint", "ads"])
        .stdout("")
        .stderr(
            "
error: ads: no admin's token is named to ask Meta with
hint: add `--from ADMIN_LABEL`, or set `mint = \"ADMIN_LABEL\"` in `[token.ads]`
",
        )
        .exit(Exit::Usage);
    world
        .run(&["mint", "ads", "--from", "ads"])
        .stdout("")
        .stderr(
            "
error: ads: no new access token: `ads` is not declared as an admin's
hint: set `use = \"mint\"` in `[token.ads]`
",
        )
        .exit(Exit::Config);
    world.run(&["mint", "ads", "--from", "admin", "-q"]).stderr("").exit(Exit::Ok).silent();
    // A first one has no inspection to ask by: the config says what it needs.
    let config = "[token.ads]\ntype = \"system-user\"\nmint = \"admin\"\n\
                  [token.admin]\ntype = \"system-user\"\nuse = \"mint\"\n";
    let world = World::new().config(config);
    world.graph.with(|graph| graph.add_user(UserFixture::new(KEEPER, "Keeper").admin()));
    let known = world.mint(ads());
    world
        .run(&["mint", "ads"])
        .stdout("")
        .stderr(
            "
error: ads: no new access token: which System User it is for is not known
hint: set `user_id` of `[token.ads]` to the System User's id
",
        )
        .exit(Exit::Config);
    let with_user = config.replace("mint =", &format!("user_id = \"{ROBOT}\"\nmint ="));
    world.reconfigure(&with_user);
    world
        .run(&["mint", "ads"])
        .stdout("")
        .stderr(
            "
error: ads: no new access token: which permissions it needs is not known
hint: set `required_scopes` of `[token.ads]`
",
        )
        .exit(Exit::Config);
    world.reconfigure(&with_user.replace("mint =", "required_scopes = [\"ads_read\"]\nmint ="));
    world
        .run(&["mint", "ads"])
        .stdout("")
        .stderr(
            "
error: ads: no new access token: the access token of `admin` is missing
hint: run `metatoken exchange admin` and paste a new one
",
        )
        .exit(Exit::PersonNeeded);
    let pasted = world.mint(admin());
    world.run_with_input(&["exchange", "admin", "-q"], &pasted).exit(Exit::Ok).silent();
    world.calls();
    world.reconfigure(&with_user.replace("mint =", "required_scopes = [\"ads\"]\nmint ="));
    let ran = world.run(&["mint", "ads"]).stdout("").exit(Exit::PersonNeeded);
    assert!(ran.stderr.ends_with("\nhint: correct `required_scopes` of `[token.ads]`\n"));
    world.reconfigure(&with_user.replace("mint =", "required_scopes = [\"ads_read\"]\nmint ="));
    world.calls();
    world.run(&["mint", "ads", "-q"]).exit(Exit::Ok).silent();
    assert_ne!(world.in_use("ads"), known);
    assert_eq!(world.calls()[0], "3000000000000009/access_tokens Keeper");
}

#[test]
fn only_a_system_user_has_one_made() {
    let config = format!(
        "{BOTH}[token.anna]\ntype = \"user\"\n[token.shop]\ntype = \"page\"\nparent = \"anna\"\n\
         page_id = \"2000000000000001\"\n"
    );
    let world = world_of(&config, ads());
    for (label, kind, hint) in
        [("anna", "user", "`metatoken login anna`"), ("shop", "page", "`metatoken login anna`")]
    {
        for typed in [&["mint", label][..], &["mint", label, "--from", "admin"]] {
            let ran = world.run(typed).stdout("").exit(Exit::InputRefused);
            let error = format!(
                "error: {label}: not minted: it is a {kind} token, and an admin makes access tokens of \
                 System Users only\nhint: "
            );
            let said = &ran.stderr;
            assert!(said.starts_with(&error) && said.contains(hint), "{said}");
        }
    }
    assert_eq!(world.calls(), [""; 0]);
}

#[test]
fn each_refusal_says_who_does_what() {
    let refused = |spec: TokenFixture, stderr: &str, change: fn(&World)| {
        let world = world_of(BOTH, spec);
        change(&world);
        let before = world.in_use("ads");
        world.run(&["mint", "ads"]).stdout("").stderr(stderr).exit(Exit::PersonNeeded);
        assert_eq!(world.in_use("ads"), before);
        assert_eq!(events(&world), ["adopted", "delivered"], "{stderr}");
        assert_eq!(codes(&world, "ads"), [""; 0], "{stderr}");
    };
    refused(
        ads().scopes(["ads_read", "ads"]),
        "
error: ads: no new access token: Meta refuses it
  caused by: Meta says \"(#3962) Invalid permission: ads\" (3962)
hint: an admin of the business generates a new token for System User 3000000000000009 without that permission (Meta Business settings, Users, System users); then run `metatoken exchange ads` and paste it
",
        |_| {},
    );
    let of_the_admin = "hint: an admin of the business generates a new access token for `admin`, of an admin System User and with `business_management`, and you run `metatoken exchange admin`\n";
    refused(
        ads(),
        &format!(
            "
error: ads: no new access token: Meta refuses it
  caused by: Meta says \"(#200) Permissions error\" (200)
{of_the_admin}"
        ),
        |world| {
            world.graph.with(|graph| graph.add_user(UserFixture::new(KEEPER, "Keeper")));
        },
    );
    let world = world_of(BOTH, ads());
    world.graph.with(|graph| graph.invalidate("EAAFAKEKeeper1", Invalidation::Revoked));
    let ran = world.run(&["mint", "ads"]).stdout("").exit(Exit::PersonNeeded);
    assert!(
        ran.stderr.contains("Session key invalid") && ran.stderr.ends_with(of_the_admin),
        "{}",
        ran.stderr
    );
    refused(ads().scopes(["pages_show_list"]), "
error: ads: no new access token: Meta refuses it
  caused by: Meta says \"(#10) The Page is not assigned to the system user\" (10/1341012)
hint: an admin of the business assigns the Page to System User 3000000000000009 (Meta Business settings, Users, System users)
", |_| {});
    refused(ads(), "
error: ads: no new access token: Meta refuses it
  caused by: Meta says \"(#100) set_token_expires_in_60_days must be true\" (100)
hint: this business may give no access token that never expires: run `metatoken mint ads --replace`, which asks for 60 days
", |world| {
        world.graph.with(|graph| graph.set_never_expiring(NeverExpiring::Refused));
    });
    let world = world_of(BOTH, ads());
    world.graph.with(|graph| graph.set_never_expiring(NeverExpiring::Refused));
    world.run(&["mint", "ads", "--replace", "-q"]).exit(Exit::Ok).stdout("");
    assert_eq!(
        world.run(&["status", "ads", "--json"]).token("ads")["expires_at"],
        "2026-03-02T00:00:00Z"
    );
}

#[test]
fn it_is_sent_once_and_a_lost_answer_is_told() {
    let mut world = world_of(BOTH, ads());
    world
        .graph
        .misbehave(Rule::on("/3000000000000009/access_tokens"), FaultInjection::CloseAfterEffect);
    world.run(&["mint", "ads"]).stdout("").stderr("
error: ads: no new access token: the answer to a request sent 2026-01-01 00:00 UTC was lost: Meta may have made an access token of System User 3000000000000009 that is kept nowhere
hint: an admin of the business revokes it (Meta Business settings, Users, System users), or `metatoken revoke ads --all` revokes it with all others
").exit(Exit::Unavailable);
    assert_eq!(world.calls_to("3000000000000009/access_tokens"), 1);
    assert_eq!(events(&world), ["adopted", "delivered", "mint_lost"]);
    assert_eq!(world.in_use("ads"), "EAAFAKEAds1");
    world.graph.behave();
    // Graph away: nothing was sent that could be lost.
    world.at(day(1));
    world
        .graph
        .misbehave(Rule::on("/3000000000000009/access_tokens"), FaultInjection::Code2Transient);
    world.run(&["mint", "ads", "-q"]).stdout("").exit(Exit::Unavailable);
    assert_eq!(events(&world), ["adopted", "delivered", "mint_lost"]);
}

#[test]
fn a_kill_at_any_step_loses_nothing_in_silence() {
    for (place, comes) in [
        ("planned", false),
        ("before-request", false),
        ("granted", false),
        ("before-seal", false),
        ("sealed", true),
        ("promoted", true),
    ] {
        let mut world = world_of(BOTH, ads());
        world.killed_at(place, &["mint", "ads"], "");
        world.at(day(1));
        let ran = world.run(&["refresh", "-q"]).stdout("").exit(Exit::Ok);
        let is_told = ran.stderr.contains("was lost: Meta may have made an access token");
        assert_eq!(is_told, !comes, "{place}: {}", ran.stderr);
        let (kept, made) = ("EAAFAKEAds1", "EAAFAKERobot1");
        assert_eq!(world.in_use("ads"), if comes { made } else { kept }, "{place}");
        assert_eq!(file(&world), format!("TOKEN={}\n", world.in_use("ads")), "{place}");
        assert_eq!(events(&world).contains(&"mint_lost".to_owned()), !comes, "{place}");
        world.run(&["refresh", "-q"]).silent().exit(Exit::Ok);
    }
    // The same command takes what was made, and asks for no other; and once only.
    for place in ["sealed", "promoted", "renamed", "settled"] {
        let world = world_of(BOTH, ads());
        world.killed_at(place, &["mint", "ads"], "");
        for (number, reason) in
            [(1, "an earlier run had it made and was cut short"), (2, "never expires")]
        {
            let minted = world.run(&["mint", "ads", "--json"]).exit(Exit::Ok).result("ads");
            assert_eq!(minted["outcome"], "minted", "{place}");
            let said = minted["reason"].as_str().unwrap();
            assert!(said.starts_with(reason), "{place}: {said}");
            let made = format!("EAAFAKERobot{number}");
            assert_eq!((world.in_use("ads"), world.calls_to("3000000000000009/")), (made, number));
            assert_eq!(file(&world), format!("TOKEN={}\n", world.in_use("ads")), "{place}");
        }
        let minted = events(&world).iter().filter(|event| *event == "minted").count();
        assert_eq!(minted, 2, "{place}");
    }
    // So it does where a timer's run has put it in place meanwhile.
    for place in ["sealed", "promoted"] {
        let world = world_of(BOTH, ads());
        world.killed_at(place, &["mint", "ads"], "");
        world.run(&["refresh", "-q"]).silent().exit(Exit::Ok);
        for (number, reason) in
            [(1, "an earlier run had it made and was cut short"), (2, "never expires")]
        {
            let minted = world.run(&["mint", "ads", "--json"]).exit(Exit::Ok).result("ads");
            let said = minted["reason"].as_str().unwrap();
            assert!(minted["outcome"] == "minted" && said.starts_with(reason), "{place}: {said}");
            assert_eq!(world.calls_to("3000000000000009/access_tokens"), number, "{place}");
        }
    }
    // What was asked for with `--replace` is finished so.
    let world = world_of(BOTH, ads());
    world.killed_at("sealed", &["mint", "ads", "--replace"], "");
    world.run(&["refresh", "-q"]).exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), "EAAFAKERobot1");
    // One that has died meanwhile is not waited for.
    let world = world_of(BOTH, ads());
    world.killed_at("sealed", &["mint", "ads"], "");
    world.graph.with(|graph| graph.invalidate("EAAFAKERobot1", Invalidation::Revoked));
    world.run(&["mint", "ads", "-q"]).exit(Exit::Ok);
    assert_eq!(world.in_use("ads"), "EAAFAKERobot2");
}

#[test]
fn refresh_has_one_made_where_the_last_one_has_expired() {
    let mut world = world_of(BOTH, ads().ending(Expiry::At(day(5))));
    world.at(day(6));
    world.calls();
    world
        .run(&["refresh", "--dry-run"])
        .stdout(
            "
TOKEN  OUTCOME     EXPIRES  REASON
ads    would mint  unknown  the last one expired; `admin` would have one made
       would be delivered to app ([DIR]/app.env)
admin  verified    never    never expires

2 tokens: 1 verified, 1 would mint (dry run: nothing was changed)
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls_to("3000000000000009/access_tokens"), 0);
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES     REASON
ads    minted    2026-03-08  the last one expired; `admin` had it made
       delivered to app
admin  verified  never       never expires

2 tokens: 1 verified, 1 minted
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(world.calls_to("3000000000000009/access_tokens"), 1);
    assert_eq!(file(&world), "TOKEN=EAAFAKERobot1\n");
    assert_eq!(codes(&world, "ads"), [""; 0]);
}

#[test]
fn it_does_so_for_no_other_death_and_three_times_at_most() {
    for invalidation in [Invalidation::Revoked, Invalidation::SessionInvalid] {
        let mut world = world_of(BOTH, ads().ending(ends(60)));
        world.graph.with(|graph| graph.invalidate("EAAFAKEAds1", invalidation));
        world.at(day(1));
        world.run(&["refresh", "--json"]).stderr("").exit(Exit::PersonNeeded);
        assert_eq!(world.calls_to("3000000000000009/access_tokens"), 0, "{invalidation:?}");
        // A person does it by the remedy.
        let told = world.run(&["check", "--json"]).token("ads");
        assert_eq!(told["reasons"][0]["command"], "metatoken mint ads", "{told}");
        world.run(&["mint", "ads", "-q"]).exit(Exit::Ok).silent();
        assert_eq!(codes(&world, "ads"), [""; 0]);
    }
    let mut world = world_of(BOTH, ads().ending(Expiry::At(day(5))));
    world.graph.with(|graph| graph.add_user(UserFixture::new(KEEPER, "Keeper")));
    for (hour, sent) in [(0, 1), (1, 1), (24, 2), (30, 2), (48, 3), (72, 3), (240, 3)] {
        world.at(day(6) + TimeDelta::hours(hour));
        world.run(&["refresh", "--json"]).stderr("").exit(Exit::PersonNeeded);
        assert_eq!(world.calls_to("3000000000000009/access_tokens"), sent, "{hour}");
    }
    assert_eq!(codes(&world, "ads"), ["expired"]);
    // Without the setting nothing of it happens.
    let mut world =
        world_of(&BOTH.replace("mint = \"admin\"\n", ""), ads().ending(Expiry::At(day(5))));
    world.at(day(6));
    world.run(&["refresh", "--json"]).stderr("").exit(Exit::PersonNeeded);
    assert_eq!(world.calls_to("3000000000000009/access_tokens"), 0);
}

#[test]
fn what_was_revoked_here_is_not_made_again_by_itself() {
    let mut world = world_of(BOTH, ads().ending(Expiry::At(day(5))));
    let revoke = ["revoke", "ads", "--all", "--yes=ads", "--force", "-q"];
    world.run(&revoke).silent().exit(Exit::Ok);
    world.at(day(6));
    world.run(&["refresh", "--json"]).stderr("").exit(Exit::PersonNeeded);
    assert_eq!(world.calls_to("3000000000000009/access_tokens"), 1, "the revocation alone");
    assert_eq!(codes(&world, "ads"), ["revoked"]);
}

#[test]
fn no_program_gets_an_admins_access_token() {
    let world = world_of(BOTH, ads());
    let said = "
error: admin: it makes access tokens of System Users (`use = \"mint\"`), and no program gets it
hint: a person prints it with `metatoken token admin --admin`
";
    world.run(&["token", "admin"]).stdout("").stderr(said).exit(Exit::Usage);
    world.run(&["exec", "admin", "--", "env"]).stdout("").stderr(said).exit(Exit::Usage);
    let named = ["exec", "--env", "A=admin", "ads", "--", "env"];
    world.run(&named).stdout("").stderr(said).exit(Exit::Usage);
    world.run(&["token", "admin", "--admin"]).stdout("\nEAAFAKEKeeper1\n").exit(Exit::Ok);
    world.run(&["refresh", "-q"]).silent().exit(Exit::Ok);
}

#[test]
fn the_config_says_what_does_not_fit() {
    let admin = "[token.admin]\ntype = \"system-user\"\nuse = \"mint\"\n";
    let ads = "[token.ads]\ntype = \"system-user\"\n";
    for (config, said) in [
        (format!("{ads}mint = \"admn\"\n{admin}"), "there is no token `admn`"),
        (format!("{ads}mint = \"ads\"\n"), "does not make its own access tokens"),
        (
            format!("{ads}mint = \"other\"\n[token.other]\ntype = \"system-user\"\n"),
            "`other` is not an admin's token",
        ),
        (
            format!("[token.ads]\ntype = \"user\"\nmint = \"admin\"\n{admin}"),
            "only a System User's access token",
        ),
        (
            format!("{admin}[[token.admin.deliver]]\nfile = \"x\"\n"),
            "no program gets an admin's token",
        ),
        (
            "[token.dora]\ntype = \"page\"\npage_id = \"1\"\nuse = \"mint\"\n".to_owned(),
            "a page token is not an admin's",
        ),
        (format!("{ads}use = \"min\"\n"), "min"),
    ] {
        let world = World::new().config(&config);
        let ran = world.run(&["config", "check"]).code(78);
        assert!(ran.stderr.contains(said), "{config}: {}", ran.stderr);
    }
    let world = World::new().config(BOTH);
    world.write("app.env", "TOKEN=\n");
    assert_eq!(world.run(&["config", "check"]).code, Some(0));
}
