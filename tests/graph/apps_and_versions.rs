//! What Meta says of apps and versions: `config check --live`, and the question that `refresh` asks
//! once a week.

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{AppFixture, FaultInjection, Rule, Sender, TokenFixture};
use serde_json::json;

use crate::common::{ANNA, APP, APP_SECRET, BRAND, World, day};

fn world() -> World {
    World::new().config(BRAND).token("BRAND", TokenFixture::user(APP, ANNA).named("brand"))
}

/// Which versions Graph was asked about since this was last looked at.
fn versions_asked(world: &World, seen: &mut usize) -> Vec<String> {
    let requests = world.graph.requests();
    let new =
        requests[*seen..].iter().filter(|it| it.place() == "me" && it.sender == Sender::Nobody);
    let asked = new.map(|it| it.path.clone()).collect();
    *seen = requests.len();
    asked
}

#[test]
fn config_check_live_asks_whether_id_and_secret_fit_and_the_version_works() {
    let world = world();
    world
        .run(&["config", "check", "--live"])
        .stdout(
            "
ok: [store]: `[DIR]/metatoken.db` is made by the first run
ok: [endpoints]: facebook is `http://127.0.0.1:[PORT]`, instagram is `http://127.0.0.1:[PORT]/instagram`, threads is `http://127.0.0.1:[PORT]/threads`
ok: [app.main] id: the literal in the config is there
ok: [app.main] secret: the environment variable `APP_SECRET` is there
ok: [token.brand] access_token: the environment variable `BRAND` is there
ok: [token.brand]: user token of app `main`
ok: [app.main]: Meta accepts its id and secret
ok: [app.main]: Graph v26.0 works
[DIR]/metatoken.toml: OK: 1 app, 1 token
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert!(!world.path("metatoken.db").exists(), "nothing is made");
    // Without it nobody is asked.
    let before = world.graph.requests().len();
    world.run(&["config", "check"]).exit(Exit::Ok);
    assert_eq!(world.graph.requests().len(), before);
}

#[test]
fn what_does_not_fit_is_named_with_the_place_to_look() {
    for (config, secret, exit, lines) in [
        (
            "",
            "anothersecret",
            Exit::Config,
            [
                "ok: [app.main]: Graph v26.0 works",
                "error: [app.main]: Error validating client secret (code 1); compare `id` and `secret` of `[app.main]` with the app's dashboard (App settings, Basic)",
            ],
        ),
        (
            "graph_version = \"v99.0\"",
            APP_SECRET,
            Exit::Ok,
            [
                "ok: [app.main]: Meta accepts its id and secret",
                "warning: app `main` asks for Graph v99.0, which Graph does not know; set `graph_version = \"v26.0\"` in `[app.main]`, or leave it out",
            ],
        ),
        (
            "graph_version = \"v3.0\"",
            APP_SECRET,
            Exit::Ok,
            [
                "ok: [app.main]: Meta accepts its id and secret",
                "warning: app `main` asks for Graph v3.0, which has expired: v19.0 answers in its place; set `graph_version = \"v26.0\"` in `[app.main]`, or leave it out",
            ],
        ),
    ] {
        let world = world().with("APP_SECRET", secret);
        let text = std::fs::read_to_string(world.path("metatoken.toml")).unwrap();
        let text = text.replace("[endpoints]", &format!("{config}\n[endpoints]"));
        world.write("metatoken.toml", text);
        let ran = world.run(&["config", "check", "--live"]).exit(exit).stderr("");
        let told = ran.stdout.lines().filter(|line| lines.contains(line));
        assert_eq!(told.collect::<Vec<_>>(), lines, "{config}: {}", ran.stdout);
        assert!(!ran.stdout.contains(secret));
    }
}

#[test]
fn a_graph_that_is_out_of_reach_says_nothing_against_the_config() {
    let world = world();
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    let ran = world.run(&["config", "check", "--live", "--json"]).exit(Exit::Unavailable);
    let live = &ran.json()["live"][0];
    assert_eq!(live["credentials"], "unanswered");
    assert_eq!(live["graph_version_state"], "unanswered");
    let instagram = "[app.insta]\nkind = \"instagram\"\nid = \"1\"\n";
    world.graph.behave();
    world.reconfigure(&format!("{BRAND}{instagram}"));
    let ran = world.run(&["config", "check", "--live", "--json"]).exit(Exit::Ok);
    let live = ran.json()["live"].clone();
    assert_eq!(
        (&live[0]["credentials"], &live[0]["graph_version_state"]),
        (&json!("accepted"), &json!("works"))
    );
    assert_eq!(live[1]["credentials"], "not_asked");
}

#[test]
fn a_run_asks_once_a_week_whether_the_version_works() {
    let mut world = world();
    let mut seen = 0;
    for (hours, asked) in [
        (0, 0),
        (24, 0),
        (6 * 24, 0),
        (7 * 24, 1),
        (7 * 24 + 1, 0),
        (13 * 24, 0),
        (14 * 24, 1),
        (14 * 24 + 1, 0),
    ] {
        world.at(day(0) + TimeDelta::hours(hours));
        world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
        let found = versions_asked(&world, &mut seen);
        assert_eq!(found.len(), asked, "+{hours} h: {found:?}");
        assert!(found.iter().all(|path| path == "/v26.0/me"), "{found:?}");
    }
}

#[test]
fn what_graph_said_is_remembered_and_told_by_check_and_status() {
    let mut world = world();
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    // From now on another version answers for this one.
    world.graph.with(|graph| {
        graph.add_app(AppFixture::new(APP, APP_SECRET, "Main App"));
    });
    let body = r#"{"error":{"message":"Unknown path components: /me","type":"OAuthException","code":2500}}"#;
    let unknown = FaultInjection::Raw {
        status: 400,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
    };
    world.graph.misbehave(Rule::on("/me"), unknown);
    world.at(day(8));
    let ran = world.run(&["refresh", "--json"]).exit(Exit::Ok);
    let codes = |json: serde_json::Value| -> Vec<String> {
        let system = json["system"].as_array().unwrap();
        system.iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(codes(ran.json()), ["graph_version_ends"]);
    world.graph.behave();
    world.run(&["check"]).verdict("
METATOKEN WARNING - brand: app main asks for Graph v26.0, which Graph does not know; operator: metatoken config check
WARNING: `brand`: app `main` asks for Graph v26.0, which Graph does not know
  set `graph_version = \"v25.0\"` in `[app.main]`; then run `metatoken config check`. Proof: `metatoken check brand`
").stderr("").code(1);
    // It is asked again when a week is over, and then all is well.
    world.at(day(16));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.run(&["check"]).code(0);
}
