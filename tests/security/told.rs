//! People are told of tokens, and never a token; and nobody learns through what they are told.

use metatoken::sandbox::{FaultInjection, Rule, TokenFixture};

use super::{Hidden, MARK, fs, inspect, json};
use crate::common::{ANNA, APP, BRAND, Hook, PostOffice, Reply, World, day, is_long};

/// In every address and password through which people are told, and nowhere else.
const ADDRESS: &str = "linnet";

/// Every kind of channel; of each secret only its place is in the config.
const CHANNELS: &str = r#"
[alerts]
textfile = "metatoken.prom"

[[notify]]
webhook = { env = "CHAT" }

[[notify]]
webhook = { env = "JSON" }
format = "json"

[[notify]]
ping = { env = "PING" }

[[notify]]
email = "ops@example.org"
smtp = { host = "127.0.0.1", port = [PORT], security = "none", user = "ops", password = { env = "PASSWORD" } }

[[notify]]
command = ["/bin/sh", "[DIR]/tell.sh"]
"#;

/// Keeps all that it learns, or tells everybody and fails.
const PROGRAM: &str =
    "cd \"${0%/*}\"; [ ! -e broken ] || { cat; env; exit 1; } >&2; { cat; env; } >> said";

fn world() -> (World, Hook, PostOffice) {
    let (hook, office) = (Hook::new(), PostOffice::new());
    let at = |path: &str| format!("{}/{ADDRESS}{path}", hook.origin);
    let world = World::new();
    let channels = CHANNELS.replace("[PORT]", &office.port.to_string());
    let channels = channels.replace("[DIR]", world.path(".").to_str().unwrap());
    world.write("tell.sh", PROGRAM);
    let world = world
        .config(&format!("{BRAND}{channels}"))
        .token("BRAND", TokenFixture::user(APP, ANNA).named(MARK))
        .with("CHAT", &at("chat"))
        .with("JSON", &at(&format!("json?key={ADDRESS}key#{ADDRESS}end")))
        .with("PING", &at("ping"))
        .with("PASSWORD", &format!("{ADDRESS}password"));
    world.run(&["refresh"]).code(0);
    (world, hook, office)
}

/// Graph calls the token dead in words that quote it.
fn dies_in_its_own_words(world: &mut World, today: i64) {
    let string = world.in_use("brand");
    world.at(day(today));
    let body = r#"{"data":{"app_id":"APPID","type":"USER","is_valid":false,"user_id":"3000000000000001",
        "error":{"code":190,"subcode":460,"message":"Error validating TOKEN, fakesecretofthemainapp"},
        "expires_at":0,"scopes":[]}}"#;
    let body = body.replace("TOKEN", &string).replace("APPID", APP).into_bytes();
    world.graph.misbehave(Rule::any(), FaultInjection::Raw { status: 200, headers: json(), body });
}

/// In which forms what is printed is looked at. Telling takes seconds where nothing works.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Forms {
    /// As text and as JSON, and as a service.
    All,
    /// Those in turn.
    InTurn,
}

/// Runs what tells people and what tells of that, as talkative as it can be.
#[track_caller]
fn everything(world: &World, what: &str, forms: Forms) {
    for (place, arguments) in [
        &["refresh"][..],
        &["check", "--notify"],
        &["check", "--format", "prometheus"],
        &["history"],
        &["status", "--offline"],
        &["config", "show"],
    ]
    .into_iter()
    .enumerate()
    {
        let formats: &[&[&str]] = match arguments {
            ["check", "--format", _] => &[&["-vv"]],
            _ => &[&["-vv"], &["-vv", "--json", "--log-format", "json"]],
        };
        let formats = match forms {
            Forms::InTurn if formats.len() > 1 => &formats[place % 2..=place % 2],
            _ => formats,
        };
        for form in formats {
            let ran = world.run(&[arguments, form].concat());
            let what = format!("{what}: {arguments:?} {form:?}");
            inspect(world, &what, &ran);
            nowhere(world, &what, &(ran.stdout + &ran.stderr));
        }
    }
    if forms == Forms::InTurn {
        return;
    }
    let (written, _) = world.as_service(&["refresh", "-vv"]);
    Hidden::of(world).not_in(what, written.as_bytes());
    nowhere(world, what, &written);
}

/// Neither what was printed nor any file holds an address or a password.
#[track_caller]
fn nowhere(world: &World, what: &str, printed: &str) {
    assert!(!printed.to_lowercase().contains(ADDRESS), "{what}: {printed}");
    for (path, bytes) in world.bytes_on_disk() {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        assert!(!text.contains(ADDRESS), "{what}: {}: {text}", path.display());
    }
}

/// All that anybody was shown.
fn shown(world: &World, hook: &Hook, office: &PostOffice) -> Vec<String> {
    let said = fs::read_to_string(world.path("said")).unwrap_or_default();
    let posted = hook.everything().into_iter().map(|request| request.body);
    posted.chain(office.heard()).chain([said]).collect()
}

#[test]
fn what_people_are_told_holds_no_secret() {
    let (mut world, hook, office) = world();
    dies_in_its_own_words(&mut world, 2);
    everything(&world, "all work", Forms::All);
    let shown = shown(&world, &hook, &office);
    for text in &shown {
        Hidden::of(&world).not_in("what people are shown", text.as_bytes());
        assert!(!text.to_lowercase().contains(ADDRESS), "{text}");
    }
    // The canaries sing: each was told, and of the token in words without it.
    let about = shown.iter().filter(|text| text.contains("Error validating [redacted]"));
    assert_eq!(about.count(), 4, "{shown:#?}");
    assert!(hook.everything().iter().all(|request| request.line.contains(ADDRESS)));
    assert!(office.heard().iter().any(|line| line.starts_with("AUTH ")));
}

#[test]
fn a_way_that_fails_gives_nothing_away() {
    let (mut world, hook, office) = world();
    dies_in_its_own_words(&mut world, 2);
    world.write("broken", "");
    world.set("PASSWORD", "");
    for (path, reply) in [
        ("/linnetchat", Reply::Status(404, "no such hook: LinnetChat")),
        ("/linnetjson", Reply::Status(403, "the key linnetkey is not known")),
        ("/linnetping", Reply::Status(410, "linnetping is gone")),
    ] {
        hook.reply(path, reply);
    }
    everything(&world, "none works", Forms::All);
    let system = world.run(&["check", "--json"]).code(2).json()["system"].clone();
    let failing =
        system.as_array().unwrap().iter().filter(|it| it["code"] == "notification_failed");
    assert_eq!(failing.count(), 5, "{system:#}");
    assert_eq!(office.heard(), [""; 0]);

    // Nor does an address that is none.
    for (name, value) in [("CHAT", "linnet"), ("JSON", "http://linnet/"), ("PING", "ftp://linnet/")]
    {
        world.set(name, value);
    }
    world.at(day(3));
    everything(&world, "no addresses", if is_long() { Forms::All } else { Forms::InTurn });
}
