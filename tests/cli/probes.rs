//! `probe`: what is asked as a token after a good verdict, and what the answer means.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{AppFixture, Listing, PageFixture, Rule, TokenFixture, WhatsappFixture};
use serde_json::{Value, json};

use crate::common::brand::answer;
use crate::common::{ANNA, APP, APP_SECRET, BAKERY, ROBOT, World, day};

const NUMBER: &str = "4000000000000001";

fn robot() -> TokenFixture {
    TokenFixture::system_user(APP, ROBOT).named("bot").scopes(["whatsapp_business_messaging"])
}

/// A System User's token with this probe, and a WhatsApp number that can send messages.
fn whatsapp() -> World {
    let table = format!(
        "[token.bot]\ntype = \"system-user\"\naccess_token = {{ env = \"BOT\" }}\n\
         probe = {{ whatsapp = \"{NUMBER}\" }}\n"
    );
    let world = World::new().config(&table).token("BOT", robot());
    world.graph.with(|graph| graph.add_whatsapp(WhatsappFixture::new(NUMBER, ROBOT)));
    world
}

/// A person's token with this probe.
fn asking(probe: &str) -> World {
    let table = format!(
        "[token.brand]\ntype = \"user\"\naccess_token = {{ env = \"BRAND\" }}\nprobe = {probe}\n"
    );
    World::new().config(&table).token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
}

fn probe(world: &World, label: &str) -> Value {
    world.run(&["status", "--offline", "--json"]).token(label)["probe"].clone()
}

fn kinds(world: &World, label: &str) -> Vec<String> {
    let json = world.run(&["history", label, "--json"]).json();
    let events = json["events"].as_array().unwrap().iter();
    events.map(|event| event["event"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn whatsapp_says_in_three_words_whether_a_number_can_send() {
    let mut world = whatsapp();
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Bot", &format!("{NUMBER} Bot")]);
    let question = format!("whatsapp {NUMBER}");
    assert_eq!(
        probe(&world, "bot"),
        json!({ "question": question, "ok": true, "at": "2026-01-01T00:00:00Z", "problem": null })
    );
    world.run(&["check"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);

    let is = |word: &str| {
        let number = WhatsappFixture::new(NUMBER, ROBOT);
        number.that_can(word, 141_006, "The account has no payment method.", "Add one.")
    };
    world.graph.with(|graph| graph.add_whatsapp(is("LIMITED")));
    world.at(day(2));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["check"]).verdict("
METATOKEN WARNING - bot: works, WhatsApp 4000000000000001 can send only some messages; operator: metatoken refresh bot
WARNING: `bot`: works, WhatsApp 4000000000000001 can send only some messages
  do what WhatsApp Manager (business.facebook.com) asks for there, or correct `probe` of `[token.bot]`; then run `metatoken refresh bot`. Proof: `metatoken check bot`. Meta: \"The account has no payment method. Add one.\" (141006)
").code(1);

    world.graph.with(|graph| graph.add_whatsapp(is("BLOCKED")));
    world.at(day(3));
    world
        .run(&["refresh"])
        .stdout(
            "
TOKEN  OUTCOME   EXPIRES  REASON
bot    verified  never    never expires

critical: `bot`: works, WhatsApp 4000000000000001 cannot send messages
  hint: do what WhatsApp Manager (business.facebook.com) asks for there, or correct `probe` of `[token.bot]`; then run `metatoken refresh bot`
  Meta: \"The account has no payment method. Add one.\" (141006)

1 token: 1 verified
",
        )
        .exit(Exit::PersonNeeded);
    assert_eq!(kinds(&world, "bot"), ["adopted", "probe_failed", "probe_failed"]);
    let failed = probe(&world, "bot");
    assert_eq!((&failed["ok"], &failed["problem"]["code"]), (&json!(false), &json!(141_006)));
    let page = world.run(&["status", "bot", "--offline"]).exit(Exit::Ok).stdout;
    let line = "  probe         whatsapp 4000000000000001: critical, 2026-01-04 00:00 UTC\n";
    assert!(page.contains(line), "{page}");

    // The remedy, typed: the person has done what Meta asks for.
    world.graph.with(|graph| graph.add_whatsapp(WhatsappFixture::new(NUMBER, ROBOT)));
    world.run(&["refresh", "bot", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);
    // A number of somebody else's, and a missing permission.
    world.graph.with(|graph| graph.add_whatsapp(WhatsappFixture::new(NUMBER, ANNA)));
    world.run(&["refresh", "bot", "--quiet"]).exit(Exit::PersonNeeded);
    assert_eq!(probe(&world, "bot")["problem"]["kind"], "object_not_found");
}

/// A gateway's own JSON, whatever its status, was taken for a good answer.
#[test]
fn what_is_not_an_answer_of_graph_s_proves_nothing() {
    let down = r#"{"message":"Service Unavailable"}"#;
    for (status, body, ok) in [
        (503, down, None),
        (404, r#"{"message":"Not Found"}"#, None),
        (200, "{}", Some(true)),
        (200, r#"{"data":[]}"#, Some(true)),
    ] {
        let world = asking("{ path = \"me/adaccounts\" }");
        world.graph.misbehave(Rule::on("/me/adaccounts"), answer(status, body));
        let _ = world.run(&["refresh"]).exit(Exit::Ok);
        assert_eq!(probe(&world, "brand")["ok"], json!(ok), "{status} {body}");
    }
    let page = format!(
        "[token.bakery]\ntype = \"page\"\npage_id = \"{BAKERY}\"\nprobe = \"page\"\n\
         access_token = {{ env = \"PAGE\" }}\n"
    );
    for (body, ok) in [("{}", None), (r#"{"id":"2000000000000001"}"#, Some(true))] {
        let spec = TokenFixture::page(APP, ANNA, BAKERY);
        let world = World::new().config(&page).token("PAGE", spec);
        world.graph.misbehave(Rule::on(BAKERY), answer(200, body));
        let _ = world.run(&["refresh"]).exit(Exit::Ok);
        assert_eq!(probe(&world, "bakery")["ok"], json!(ok), "{body}");
    }
}

/// Meta's reason was left out where its number came as a text.
#[test]
fn whatsapp_s_reason_is_told_whatever_its_number_is_written_as() {
    let world = whatsapp();
    let body = r#"{"health_status":{"can_send_message":"LIMITED","entities":[{"errors":[{"error_code":"141006","error_description":"The account has no payment method."}]}]}}"#;
    world.graph.misbehave(Rule::on(NUMBER), answer(200, body));
    let ran = world.run(&["refresh"]).exit(Exit::Ok);
    let meta = "  Meta: \"The account has no payment method.\" (141006)\n";
    assert!(ran.stdout.contains(meta), "{}", ran.stdout);
}

#[test]
fn it_is_asked_once_in_verify_every_as_the_token_and_by_get_alone() {
    let mut world = asking("{ path = \"me?fields=id,name\" }");
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand", "me Brand"]);
    let asked = world.graph.requests().pop().unwrap();
    assert_eq!(asked.method, "GET");
    for (hours, calls) in [(1, &[][..]), (23, &[]), (24, &["debug_token Brand", "me Brand"])] {
        world.at(day(0) + TimeDelta::hours(hours));
        world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
        assert_eq!(world.calls(), *calls, "{hours}");
    }
    // Who insists has it asked; a dry run stores no answer.
    world.run(&["refresh", "brand", "-n", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(world.calls(), ["me Brand"]);
    world.run(&["refresh", "brand", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(world.calls(), ["me Brand"]);
    assert_eq!(kinds(&world, "brand"), ["adopted"]);
    // Another question is asked at once, and the old answer means nothing.
    let other = "[token.brand]\ntype = \"user\"\nprobe = { path = \"me/adaccounts\", fails = \"warning\" }\n";
    world.reconfigure(other);
    assert_eq!(probe(&world, "brand")["ok"], Value::Null);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(world.calls(), ["me/adaccounts Brand"]);
    let failed = probe(&world, "brand");
    assert_eq!(
        (&failed["ok"], &failed["problem"]["kind"]),
        (&json!(false), &json!("permission_missing"))
    );
    world.run(&["check"]).code(1);
    // Without it nothing stands.
    world.reconfigure("[token.brand]\ntype = \"user\"\n");
    world.run(&["check"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);
    assert_eq!(probe(&world, "brand"), Value::Null);
}

#[test]
fn a_verdict_is_one_whoever_gives_it_and_a_fault_of_the_network_is_none() {
    let error = |code: i64, subcode: i64, message: &str| {
        json!({"error": {
            "code": code, "error_subcode": subcode, "message": message, "type": "OAuthException",
        }})
    };
    let dead = error(190, 460, "The password was changed");
    let held = error(190, 459, "You are checkpointed");
    let cases = [
        (200, dead, Some(false), "invalid", 77),
        (400, held, Some(false), "unverified", 77),
        (500, error(2, 0, "Service temporarily unavailable"), Some(true), "valid", 0),
        (400, error(4, 0, "Application request limit reached"), Some(true), "valid", 0),
        (400, error(368, 0, "The action is deemed abusive"), Some(true), "valid", 0),
        (400, error(101, 0, "Error validating application."), Some(true), "valid", 0),
    ];
    for (status, body, valid, state, code) in cases {
        let world = asking("{ path = \"me?fields=id\" }");
        world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
        world.graph.misbehave(Rule::on("me"), answer(status, &body.to_string()));
        let ran = world.run(&["refresh", "brand", "--json"]);
        assert_eq!(ran.code, Some(code), "{body}: {}", ran.stdout);
        let token = world.run(&["status", "--offline", "--json"]).token("brand");
        assert_eq!((&token["valid"], &token["state"]), (&json!(valid), &json!(state)), "{body}");
        // The answer before stands where nothing was said.
        if valid == Some(true) {
            assert_eq!(token["probe"]["ok"], true, "{body}");
        }
    }
}

#[test]
fn what_is_no_question_is_refused_in_the_config() {
    let world = World::new();
    for (kind, probe, said) in [
        ("user", "\"page\"", "`probe = \"page\"` is for a page, and this is a user token"),
        ("user", "\"pages\"", "unknown question `pages`"),
        ("user", "true", "`probe` must be `\"page\"` or a table, not true or false"),
        ("user", "{}", "a probe has a `whatsapp` or a `path`"),
        ("user", "{ whatsapp = \"1\", path = \"me\" }", "a probe has a `whatsapp` or a `path`"),
        ("user", "{ whatsapp = \"x\" }", "the `whatsapp` of a probe has digits only"),
        ("app", "{ whatsapp = \"1\" }", "a probe of WhatsApp is for a user or a system-user token"),
        ("user", "{ path = \"/me\" }", "the `path` of a probe begins with `/`; write it without"),
        ("user", "{ path = \"https://evil.example/me\" }", "the `path` of a probe names a host"),
        (
            "user",
            "{ path = \"me?access_token=x\" }",
            "the `path` of a probe has `access_token` in it",
        ),
        (
            "user",
            "{ path = \"me/../x\" }",
            "the `path` of a probe has a part that is empty, `.` or `..`",
        ),
        (
            "user",
            "{ path = \"me/feed?method=delete\" }",
            "the `path` of a probe does more than read",
        ),
        ("user", "{ path = \"me\", fails = \"ok\" }", "unknown severity `ok`"),
        ("user", "{ paht = \"me\" }", "unknown key `paht`"),
    ] {
        world.reconfigure(&format!("[token.x]\ntype = \"{kind}\"\nprobe = {probe}\n"));
        let ran = world.run(&["config", "check"]).exit(Exit::Config);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(all.contains(said), "{probe}: {all}");
    }
    let secret = "{ path = \"me?x=EAAfakeZBfake0ZCfake1fakefakefakefakeZD\" }";
    world.reconfigure(&format!("[token.x]\ntype = \"user\"\nprobe = {secret}\n"));
    let ran = world.run(&["config", "check"]).exit(Exit::Config);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(all.contains("looks like a secret") && !all.contains("fake0"), "{all}");
    world.reconfigure("[token.x]\ntype = \"page\"\npage_id = \"1\"\nprobe = \"page\"\n");
    let shown = world.run(&["config", "show"]).exit(Exit::Ok).stdout;
    assert!(shown.contains("probe = \"page\""), "{shown}");
}

/// The probe of each of these labels as `config show` has it, with where it came from.
fn shown(world: &World, labels: &[&str]) -> Vec<(Value, String)> {
    let json = world.run(&["config", "show", "--json"]).exit(Exit::Ok).json();
    let of = |label: &&str| {
        let probe = &json["token"][*label]["probe"];
        let value = probe["value"].get("path").unwrap_or(&probe["value"]);
        (value.clone(), probe["origin"].as_str().unwrap().to_owned())
    };
    labels.iter().map(of).collect()
}

#[test]
fn the_nearest_table_that_has_one_that_fits_gives_it() {
    const LABELS: [&str; 6] = ["anna", "shop", "anna/2000000000000002", "bot", "insta", "own"];
    const TOKENS: &str = r#"
[token.shop]
type = "page"
parent = "anna"
page_id = "2000000000000001"
[token."anna/2000000000000002"]
[token.bot]
type = "system-user"
[token.insta]
type = "instagram"
app = "insta"
[token.own]
type = "app"
app = "main"
[app.insta]
kind = "instagram"
id = "1000000000000002"
"#;
    let world = World::new();
    let none = || (Value::Null, "built in".to_owned());
    let asks = |what: &str, from: &str| (json!(what), from.to_owned());
    let is = |anna: &str, pages: &str, defaults: &str, expected: [(Value, String); 6]| {
        let line = |probe: &str| match probe {
            "" => String::new(),
            probe => format!("probe = {probe}\n"),
        };
        let (anna, pages, defaults) = (line(anna), line(pages), line(defaults));
        world.reconfigure(&format!(
            "[token.anna]\ntype = \"user\"\napp = \"main\"\npages = \"all\"\n{anna}\
             [token.\"anna/*\"]\n{pages}[defaults]\n{defaults}{}",
            TOKENS.replace("type = \"system-user\"", "type = \"system-user\"\napp = \"main\"")
        ));
        assert_eq!(shown(&world, &LABELS), expected, "{anna}{pages}{defaults}");
    };
    // Nothing, and what everyone can be asked but an app.
    is("", "", "", [none(), none(), none(), none(), none(), none()]);
    let me = "me?fields=id";
    let all = || asks(me, "defaults");
    let defaults = "{ path = \"me?fields=id\" }";
    is("", "", defaults, [all(), all(), all(), all(), all(), none()]);
    // The parent's comes first, and that of all its Pages before it.
    let (of_anna, name) = ("{ path = \"me?fields=name\" }", "me?fields=name");
    let from_anna = || asks(name, "parent anna");
    let anna = || asks(name, "token.anna");
    is(of_anna, "", defaults, [anna(), from_anna(), from_anna(), all(), all(), none()]);
    let page = || asks("page", "token.anna/*");
    is(of_anna, "\"page\"", defaults, [anna(), page(), page(), all(), all(), none()]);
    // What does not fit is passed over where it was not written for the token.
    let (of_people, accounts) = ("{ path = \"me/adaccounts\" }", "me/adaccounts");
    let people = || asks(accounts, "defaults");
    is("", "", of_people, [people(), none(), none(), people(), none(), none()]);
    let anna = || asks(accounts, "token.anna");
    is(of_people, "", defaults, [anna(), all(), all(), all(), all(), none()]);
    let pages = || asks("page", "defaults");
    is(of_people, "", "\"page\"", [anna(), pages(), pages(), none(), none(), none()]);
    let feed = || asks("{page_id}/feed", "defaults");
    let of_pages = "{ path = \"{page_id}/feed\" }";
    is("", "", of_pages, [none(), feed(), feed(), none(), none(), none()]);
    // `"none"` ends the search.
    let off = |from: &str| (Value::Null, from.to_owned());
    let (own, theirs) = (|| off("token.anna"), || off("token.anna/*"));
    is("\"none\"", "\"none\"", defaults, [own(), theirs(), theirs(), all(), all(), none()]);
    let parent = || off("parent anna");
    is("\"none\"", "", defaults, [own(), parent(), parent(), all(), all(), none()]);
}

#[test]
fn what_defaults_ask_is_asked_as_each_token_that_it_fits() {
    let config = |probe: &str, own: &str| {
        format!(
            "[token.anna]\ntype = \"user\"\npages = \"all\"\naccess_token = {{ env = \"ANNA\" }}\n\
             [token.shop]\ntype = \"page\"\nparent = \"anna\"\npage_id = \"{BAKERY}\"\n\
             [token.bot]\ntype = \"system-user\"\naccess_token = {{ env = \"BOT\" }}\n{own}\
             [defaults]\nprobe = {probe}\n"
        )
    };
    let anna = TokenFixture::user(APP, ANNA).named("anna").scopes(["pages_show_list"]);
    let asked = |world: &World| {
        let mut calls = world.calls();
        calls.retain(|call| !call.starts_with("debug_token") && !call.starts_with("me/accounts"));
        calls.sort();
        calls
    };
    let world = World::new()
        .config(&config("{ path = \"me?fields=id\" }", ""))
        .token("ANNA", anna)
        .token("BOT", robot());
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    // Of the Page that was found the hour has not come.
    assert_eq!(asked(&world), ["me Anna", "me Bot", "me PageBakery"]);
    // The Page's id is filled in, and a token that it does not fit is not asked.
    world.reconfigure(&config("{ path = \"{page_id}/feed\", fails = \"warning\" }", ""));
    let ran = world.run(&["refresh", "shop", "anna", "bot"]).exit(Exit::Ok);
    assert_eq!(asked(&world), [format!("{BAKERY}/feed PageBakery")]);
    let hint = "correct `probe` of `[defaults]`, or what it asks about";
    assert!(ran.stdout.contains(hint), "{}", ran.stdout);
    // Who checks the config is told which are left out, but for a person whose Pages are asked; `none`
    // ends that.
    let said = |world: &World| {
        let all = world.run(&["config", "check", "--quiet"]).exit(Exit::Ok);
        assert_eq!(all.stderr, "");
        all.stdout
    };
    let fix = "move `probe` to the tables of the tokens that it is for, or add `probe = \"none\"` to \
               those of the others";
    assert_eq!(
        said(&world),
        format!(
            "warning: [defaults] probe: `{{page_id}}` is for a page: not asked of `bot`; {fix}\n"
        )
    );
    world.reconfigure(&config("\"page\"", "probe = \"none\"\n"));
    assert_eq!(said(&world), "");
    world.run(&["refresh", "shop", "anna", "bot", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(asked(&world), [format!("{BAKERY} PageBakery")]);
}

#[test]
fn a_mistake_is_named_where_it_stands() {
    let world = World::new();
    let token = "[token.anna]\ntype = \"user\"\npages = \"all\"\n";
    for (table, probe, said) in [
        ("[defaults]", "{ path = \"https://evil.example/me\" }", "names a host"),
        ("[defaults]", "{ path = \"me?access_token=x\" }", "has `access_token` in it"),
        ("[defaults]", "{ path = \"me/feed?method=post\" }", "does more than read"),
        ("[defaults]", "{ path = \"{parent}/feed\" }", "has a placeholder other than `{page_id}`"),
        ("[defaults]", "\"pages\"", "unknown question `pages`"),
        ("[token.\"anna/*\"]", "{ path = \"//evil.example\" }", "names a host"),
        ("[token.\"anna/*\"]", "{ path = \"oauth/revoke\" }", "does more than read"),
        ("[token.\"anna/*\"]", "{ path = \"{page_id}x\" }", "has a placeholder other than"),
        (
            "[token.\"anna/*\"]",
            "{ whatsapp = \"1\" }",
            "a probe of WhatsApp is for a user or a system-user token, and this is a page token",
        ),
        (
            "[token.\"anna/*\"]",
            "{ path = \"me/accounts\" }",
            "`me/accounts` is for a user or a system-user token, and this is a page token",
        ),
    ] {
        world.reconfigure(&format!("{token}{table}\nprobe = {probe}\n"));
        let ran = world.run(&["config", "check"]).stdout("").exit(Exit::Config);
        assert!(ran.stderr.contains(said), "{table} {probe}: {}", ran.stderr);
        assert_eq!(ran.stderr.matches(said).count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn pages_that_are_found_are_asked_at_different_times() {
    let all = "[token.anna]\ntype = \"user\"\npages = \"all\"\naccess_token = { env = \"ANNA\" }\n\
               [token.\"anna/*\"]\nprobe = \"page\"\n";
    let user = TokenFixture::user(APP, ANNA).named("anna").scopes(["pages_show_list"]);
    let mut world = World::new().config(all).token("ANNA", user);
    world.graph.with(|graph| {
        for n in 10..40 {
            let id = format!("20000000000000{n}");
            graph.add_page(PageFixture::new(&id, &format!("Shop{n}")));
            graph.list(ANNA, &id, Listing::Listed);
        }
    });
    let mut by_hour = Vec::new();
    for hour in 0..48 {
        world.at(day(0) + TimeDelta::hours(hour));
        world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
        let asked = world.calls().into_iter().filter(|call| call.starts_with("20")).count();
        by_hour.push(asked);
    }
    // Each of them once in a day, and never many in one hour.
    let asked: usize = by_hour.iter().sum();
    assert!((63..=65).contains(&asked), "{by_hour:?}");
    assert!(by_hour.iter().all(|asked| *asked <= 8), "{by_hour:?}");
    // One with a table of its own is asked its own question, at once.
    let table = format!("{all}[token.\"anna/{BAKERY}\"]\nprobe = {{ path = \"me\" }}\n");
    world.reconfigure(&table);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(world.calls().len(), 1);
}

#[test]
fn they_stop_while_little_is_left_of_the_apps_calls() {
    let mut world = asking("{ path = \"me?fields=id\" }");
    world.graph.with(|graph| {
        graph.add_app(AppFixture::new(APP, APP_SECRET, "Main App").busy(95));
    });
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand"]);
    world.graph.with(|graph| {
        graph.add_app(AppFixture::new(APP, APP_SECRET, "Main App").busy(90));
    });
    world.at(day(1));
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(world.calls(), ["debug_token Brand", "me Brand"]);
}
