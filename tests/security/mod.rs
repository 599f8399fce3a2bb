//! The canary: a marked token and a marked secret, looked for in everything that is printed and in
//! every byte that is stored.
//!
//! Only `token` may print a string, on standard output; only the environment of these runs, and the
//! files that a test writes as an operator would, may hold one.

mod arguments;
mod carried;
mod files;
mod programs;
mod proxies;
mod told;

use std::collections::BTreeSet;
use std::fs;

use metatoken::sandbox::{FaultInjection, Invalidation, Rule, TokenFixture};
use ring::hmac;

use crate::common::{ANNA, APP, APP_SECRET, BAKERY, BRAND, Ran, World, day};

/// In every string that Graph gives out for this test, and nowhere else.
const MARK: &str = "canary";

/// Files in which a test puts secrets itself, and the one to which they are delivered.
const OURS: [&str; 4] = ["pasted", "metatoken.toml", "metatoken.key", "app.env"];

/// A file, and a program that tells everybody what it was given and then fails.
const TARGETS: &str = r#"
[[token.brand.deliver]]
file = "app.env"
key = "TOKEN"
create = true

[[token.brand.deliver]]
command = ["/bin/sh", "-c", "read -r t; env; echo access_token=$t >&2; echo \"<$t>, $t and x$t.y\" >&2; exit 1"]
"#;

fn world() -> World {
    let world = World::new()
        .config(&format!("{BRAND}pages = \"all\"\n{TARGETS}"))
        .token("BRAND", TokenFixture::user(APP, ANNA).named(MARK));
    world.write("pasted", "nothing yet");
    world
}

/// A short-lived string in the file `pasted`.
fn paste(world: &World, n: i64) {
    let ends = metatoken::token::Expiry::At(day(n) + chrono::TimeDelta::hours(1));
    let string = world.mint(TokenFixture::user(APP, ANNA).named(MARK).ending(ends));
    world.write("pasted", &string);
}

/// The `appsecret_proof` of a string.
fn proof(string: &str) -> String {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, APP_SECRET.as_bytes());
    metatoken::crypto::hex(hmac::sign(&secret, string.as_bytes()).as_ref())
}

/// What nobody may see: every string, every proof of it, the secret, the key.
struct Hidden(BTreeSet<String>);

impl Hidden {
    fn of(world: &World) -> Self {
        let mut hidden = BTreeSet::from([APP_SECRET.to_owned(), format!("eaafake{MARK}")]);
        world.graph.with(|graph| {
            for string in graph.strings() {
                hidden.insert(string.to_ascii_lowercase());
                hidden.insert(proof(string));
            }
        });
        if let Ok(key) = fs::read_to_string(world.path("metatoken.key")) {
            hidden.insert(key.trim().to_owned());
        }
        Self(hidden)
    }

    /// The first of them that is in this text.
    fn found_in(&self, text: &str) -> Option<&String> {
        let text = text.to_ascii_lowercase();
        self.0.iter().find(|secret| text.contains(*secret))
    }

    #[track_caller]
    fn not_in(&self, what: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        assert!(self.found_in(&text).is_none(), "{what} shows {:?}:\n{text}", self.found_in(&text));
    }
}

/// Looks at what a run printed and at what lies on the disk after it.
#[track_caller]
fn inspect(world: &World, what: &str, ran: &Ran) {
    let hidden = Hidden::of(world);
    hidden.not_in(&format!("{what}: stdout"), ran.stdout.as_bytes());
    hidden.not_in(&format!("{what}: stderr"), ran.stderr.as_bytes());
    for (path, bytes) in world.bytes_on_disk() {
        let name = path.file_name().unwrap().to_str().unwrap();
        if !OURS.contains(&name) {
            hidden.not_in(&format!("{what}: {name}"), &bytes);
        }
    }
    assert!(!ran.stderr.contains("a bug"), "{what}: {}", ran.stderr);
}

const COMMANDS: [&[&str]; 19] = [
    &["refresh", "-n"],
    &["refresh"],
    &["refresh", "--force", "brand*"],
    &["deliver", "--test"],
    &["deliver"],
    &["deliver", "--restore", "brand"],
    &["deliver", "--force", "brand"],
    &["exchange", "brand", "--token-file", "pasted", "-n"],
    &["exchange", "brand", "--token-file", "pasted"],
    &["exchange", "--stored"],
    &["status"],
    &["status", "--live"],
    &["status", "--offline"],
    &["status", "--token-file", "pasted"],
    &["check"],
    &["check", "--live"],
    &["history"],
    &["config", "check"],
    &["config", "show"],
];

/// Runs every command, for people and for programs, as talkative as it can be.
#[track_caller]
fn everything(world: &World, what: &str) {
    for arguments in COMMANDS {
        for form in [&["-vv"][..], &["-vv", "--json", "--log-format", "json"]] {
            let ran = world.run(&[arguments, form].concat());
            inspect(world, &format!("{what}: {arguments:?} {form:?}"), &ran);
        }
        let (written, _) = world.as_service(&[arguments, &["-vv"]].concat());
        Hidden::of(world).not_in(&format!("{what}: journal {arguments:?}"), written.as_bytes());
    }
    let ran = world.run(&["token", "brand", "-vv"]);
    Hidden::of(world).not_in(&format!("{what}: token"), ran.stderr.as_bytes());
    assert!(ran.stdout.is_empty() || ran.stdout.lines().count() == 1, "{what}: {}", ran.stdout);
}

#[test]
fn a_life_without_trouble_shows_nothing() {
    let mut world = world();
    for n in [0, 45] {
        world.at(day(n));
        paste(&world, n);
        everything(&world, &format!("day {n}"));
    }
    // The exceptions, which show that the canary sings.
    let delivered = fs::read_to_string(world.path("app.env")).unwrap();
    assert!(Hidden::of(&world).found_in(&delivered).is_some(), "{delivered}");
    let ran = world.run(&["token", "brand"]).code(0).stderr("");
    assert!(Hidden::of(&world).found_in(&ran.stdout).is_some(), "{}", ran.stdout);
}

#[test]
fn a_token_that_dies_shows_nothing() {
    for death in [Invalidation::PasswordChanged, Invalidation::Checkpoint] {
        let mut world = world();
        world.run(&["refresh"]).code(73);
        let string = world.in_use("brand");
        world.graph.with(|graph| graph.invalidate(&string, death));
        world.at(day(45));
        paste(&world, 45);
        everything(&world, &format!("{death:?}"));
    }
}

/// A world on day 45 in which Graph answers everything with this.
///
/// Gives the world, so that a test can see that the answer was read.
fn answered(what: &str, status: u16, headers: Vec<(&'static str, String)>, body: &str) -> World {
    let mut world = world();
    world.run(&["refresh"]).code(73);
    let string = world.in_use("brand");
    world.at(day(45));
    paste(&world, 45);
    let pasted = fs::read_to_string(world.path("pasted")).unwrap();
    let proof = proof(&string);
    let fill = |text: &str| {
        text.replace("TOKEN", &string)
            .replace("PASTED", &pasted)
            .replace("SECRET", APP_SECRET)
            .replace("PROOF", &proof)
            .replace("APPID", APP)
            .replace("PAGE", BAKERY)
    };
    let misbehaviour = FaultInjection::Raw {
        status,
        headers: headers.into_iter().map(|(name, value)| (name, fill(&value))).collect(),
        body: fill(body).into_bytes(),
    };
    world.graph.misbehave(Rule::any(), misbehaviour);
    everything(&world, what);
    world
}

/// What Graph said reaches the person, without what must not be seen.
#[track_caller]
fn told_without_secrets(world: &World, words: &str) {
    let ran = world.run(&["status", "--token-file", "pasted"]);
    let said = ran.stdout + &ran.stderr;
    assert!(said.contains(words) && said.contains("[redacted]"), "{said}");
}

fn json() -> Vec<(&'static str, String)> {
    vec![("Content-Type", "application/json".to_owned())]
}

#[test]
fn an_error_that_quotes_everything_it_was_sent() {
    let world = answered(
        "a quoting error",
        400,
        json(),
        r#"{"error":{"message":"Malformed access token TOKENx, \"PASTED\" (APPID|SECRET, SECRET, PROOF)",
            "type":"TOKEN","code":190,"error_subcode":467,"fbtrace_id":"TOKEN",
            "error_user_title":"TOKEN","error_user_msg":"appsecret_proof=PROOF and SECRET",
            "error_data":"PASTED"}}"#,
    );
    told_without_secrets(&world, "Malformed access token");
}

#[test]
fn an_error_of_the_app_that_quotes_its_secret() {
    let _ = answered(
        "a wrong secret",
        400,
        json(),
        r#"{"error":{"message":"Error validating client secret: 'SECRET' for APPID|SECRET at
            https://graph.facebook.com/oauth/access_token?client_secret=SECRET&fb_exchange_token=TOKEN",
            "type":"OAuthException","code":1,"fbtrace_id":"AFake"}}"#,
    );
}

#[test]
fn an_error_that_only_the_header_tells() {
    let mut headers = json();
    headers.push((
        "WWW-Authenticate",
        "OAuth \"Facebook Platform\" \"invalid_token\" \"TOKEN PASTED SECRET PROOF\"".to_owned(),
    ));
    let _ = answered("a telling header", 401, headers, "");
}

#[test]
fn a_page_for_people_that_shows_the_address() {
    let _ = answered(
        "a page for people",
        200,
        vec![("Content-Type", "text/html".to_owned())],
        "<html>/v25.0/debug_token?input_token=TOKEN&amp;access_token=APPID%7CSECRET PROOF PASTED</html>",
    );
}

#[test]
fn a_redirect_that_carries_the_token_away() {
    let mut headers = json();
    headers.push(("Location", "http://127.0.0.1:9/?access_token=TOKEN&x=PROOF".to_owned()));
    let _ = answered("a redirect", 302, headers, "");
}

#[test]
fn half_an_answer() {
    let _ = answered(
        "half an answer",
        200,
        json(),
        r#"{"access_token":"TOKEN","client_secret":"SECRET"#,
    );
}

#[test]
fn a_verdict_that_quotes_the_token() {
    let world = answered(
        "a quoting verdict",
        200,
        json(),
        r#"{"data":{"app_id":"APPID","type":"USER","is_valid":false,"user_id":"3000000000000001",
            "error":{"code":190,"subcode":460,"message":"Error validating TOKEN, PASTED, SECRET, PROOF"},
            "expires_at":0,"scopes":[]}}"#,
    );
    told_without_secrets(&world, "Error validating");
}

#[test]
fn a_list_of_pages_whose_next_address_holds_the_token() {
    let mut world = world();
    world.run(&["refresh"]).code(73);
    let string = world.in_use("brand");
    world.at(day(45));
    paste(&world, 45);
    let page = r#"{"id":"PAGE","name":"Bakery","access_token":"EAAFAKEcanaryPage1"}"#;
    let next = "https://graph.facebook.com/v25.0/me/accounts?access_token=TOKEN&after=X";
    let body =
        format!(r#"{{"data":[{page}],"paging":{{"cursors":{{"after":"X"}},"next":"{next}"}}}}"#);
    let body = body.replace("PAGE", BAKERY).replace("TOKEN", &string).into_bytes();
    let misbehaviour = FaultInjection::Raw { status: 200, headers: json(), body };
    world.graph.misbehave(Rule::on("/me/accounts"), misbehaviour);
    everything(&world, "paging.next");
}

#[test]
fn what_an_operator_mistypes_is_not_repeated() {
    let mut world = world();
    world.run(&["refresh"]).code(73);
    for string in [
        "EAAFAKECanary 1",
        "\"EAAFAKECanary1\"",
        "EAAFAKECanary\u{e9}",
        "access_token=EAAFAKECanary1",
    ] {
        world.set("BRAND", string);
        world.write("pasted", string);
        for arguments in [
            &["refresh", "-vv"][..],
            &["exchange", "brand", "--token-file", "pasted", "--json"],
            &["status", "--token-file", "pasted"],
        ] {
            inspect(&world, &format!("{arguments:?}"), &world.run(arguments));
        }
    }
}

#[test]
fn a_string_that_graph_does_not_know_is_not_repeated() {
    let world = world().with("BRAND", "EAAFAKECanary9");
    for arguments in [&["refresh", "-vv"][..], &["status", "--json"], &["history", "--json"]] {
        inspect(&world, &format!("{arguments:?}"), &world.run(arguments));
    }
}

#[test]
fn a_mistake_beside_a_literal_secret_does_not_show_it() {
    for mistake in [
        "secret = \"fakesecretofthemainapp\nkind = 1\n",
        "secret = \"fakesecretofthemainapp\" x\n",
        "secret = fakesecretofthemainapp\n",
        "secert = \"fakesecretofthemainapp\"\n",
        "secret = [\"fakesecretofthemainapp\"]\n",
        "secret = { literal = \"fakesecretofthemainapp\" }\n",
        "secret = \"fakesecretofthemainapp\"\n[token.x]\ntype = \"user\"\naccess_token = \"EAAFAKECanary1\"\nacess = 1\n",
        "secret = \"fakesecretofthemainapp\"\n[token.x]\ntype = \"user\"\naccess_token = EAAFAKECanary1\n",
        "secret = \"fakesecretofthemainapp\"\n[token.x]\naccess_token = \"EAAFAKECanary1\"\n",
        "secret = \"fakesecretofthemainapp\"\nsecret = \"fakesecretofthemainapp\"\n",
    ] {
        let world = world();
        world.write("metatoken.toml", format!("[app.main]\nid = \"{APP}\"\n{mistake}"));
        for arguments in [&["config", "check"][..], &["config", "show"], &["refresh"], &["check"]] {
            for form in [&["-vv"][..], &["--json"]] {
                let ran = world.run(&[arguments, form].concat());
                assert!(matches!(ran.code, Some(78 | 3)), "{mistake}: {:?}", ran.code);
                inspect(&world, mistake, &ran);
            }
        }
    }
    let world = world();
    let literal = format!(
        "[app.main]\nid = \"{APP}\"\nsecret = \"{APP_SECRET}\"\n[token.x]\ntype = \"user\"\naccess_token = \"EAAFAKECanary1\"\n"
    );
    world.write("metatoken.toml", &literal);
    for form in [&["-vv"][..], &["--json"]] {
        let ran = world.run(&[&["config", "show"], form].concat()).code(0);
        inspect(&world, "config show", &ran);
    }
}
