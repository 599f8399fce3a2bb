//! `login`: a person logs in through Meta's dialog, here or far away.

mod codes;
mod life;
mod listening;
mod people;
mod services;
mod states;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{Invalidation, TokenFixture};

use crate::common::{ANNA, APP, Ran, World, day};

const CONFIG: &str = r#"
[token.brand]
type = "user"
owner = "anna@client.example"
pages = "all"
required_scopes = ["pages_show_list"]

[[token.brand.deliver]]
file = "app.env"
key = "BRAND"
create = true
"#;

/// What Anna ticks where she grants everything.
const ALL: &str = "&grant=pages_show_list&grant=pages_manage_posts&page=2000000000000001\
                   &page=2000000000000002";

fn brand() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand").scopes([
        "public_profile",
        "pages_show_list",
        "pages_manage_posts",
    ])
}

/// A world in which Anna's token and her two Pages are kept since day 0, and which is now on day 10.
fn kept(config: &str) -> World {
    let mut world = World::new().config(config);
    world.write("app.env", "");
    let string = world.mint(brand());
    world.run_with_input(&["exchange", "brand", "-q"], &string).exit(Exit::Ok);
    world.run(&["refresh", "-q"]).exit(Exit::Ok).silent();
    world.at(day(10));
    world.calls();
    world
}

/// The same after Anna has changed her password.
fn locked_out() -> World {
    let world = kept(CONFIG);
    world.graph.with(|graph| {
        let strings: Vec<String> = graph.strings().map(str::to_owned).collect();
        for string in &strings {
            graph.invalidate(string, Invalidation::PasswordChanged);
        }
    });
    world.run(&["refresh", "-q"]).exit(Exit::PersonNeeded);
    world.calls();
    world
}

/// Does in the dialog what the form says, and gives the address in the address bar of the browser.
#[track_caller]
fn play(world: &World, address: &str, form: &str) -> String {
    world.play(address, form)
}

/// Prints the address of the dialog for a label.
fn address(world: &World, label: &str) -> String {
    let output = world.command(&["login", label, "--print-url"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("http://127.0.0.1:"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text.trim().to_owned()
}

/// The address at which Anna's browser ends after she has granted so much.
fn anna_grants(world: &World, ticked: &str) -> String {
    play(world, &address(world, "brand"), &format!("as={ANNA}&decision=allow{ticked}"))
}

/// Hands in the answer of a dialog.
fn hand_in(world: &World, label: &str, answer: &str, more: &[&str]) -> Ran {
    world.run_with_input(&[&["login", label, "--answer", "-"], more].concat(), answer)
}

/// The code in an answer.
fn code(answer: &str) -> &str {
    answer.split(['=', '&']).nth(1).unwrap()
}

fn read(world: &World, name: &str) -> String {
    std::fs::read_to_string(world.path(name)).unwrap()
}

/// Changes the first place in the config that reads so.
fn edit_config(world: &World, from: &str, to: &str) {
    let config = read(world, "metatoken.toml");
    assert!(config.contains(from), "{config}");
    world.write("metatoken.toml", config.replacen(from, to, 1));
}

#[test]
fn the_address_is_printed_now_and_the_answer_is_handed_in_later() {
    let mut world = locked_out();
    let ran = world.run(&["login", "brand", "--print-url"]).exit(Exit::Ok);
    let (before, state) = ran.stdout.split_once("&state=").unwrap();
    assert_eq!(
        before,
        "http://127.0.0.1:[PORT]/v26.0/dialog/oauth?client_id=1000000000000001\
         &redirect_uri=https%3A%2F%2Flocalhost%2F&response_type=code\
         &scope=public_profile%2Cpages_show_list%2Cpages_manage_posts&auth_type=rerequest"
    );
    assert_eq!(state.lines().count(), 1, "one line");
    let before = before.to_owned();
    let _ = ran.stderr(
        "
Tick every Page: Bakery (2000000000000001), Café (2000000000000002).
Grant every permission: public_profile, pages_show_list, pages_manage_posts.
Afterwards the browser shows a page that does not load. That is expected: copy the whole address from its address bar, which begins with https://localhost/, within a few minutes.
Then run `metatoken login brand --answer FILE` with that address, `-` for standard input, before 2026-01-11 01:00 UTC, in 60 minutes
",
    );
    let json = world.run(&["login", "brand", "--print-url", "--json"]).exit(Exit::Ok).json();
    assert!(json["address"].as_str().unwrap().starts_with(&before), "{json}");
    assert_eq!(json["label"], "brand");
    assert_eq!(json["redirect_uri"], "https://localhost/");
    assert_eq!(json["ends_at"], "2026-01-11T01:00:00Z");
    let answer = anna_grants(&world, ALL);
    world.at(day(10) + TimeDelta::minutes(5));
    world.calls();
    world.write("answer", format!("{answer}\n"));
    let _ = world
        .run(&["login", "brand", "--answer", "answer"])
        .stdout(
            "
TOKEN                   OUTCOME    EXPIRES     REASON
brand                   logged in  2026-03-12  it was short-lived: expires 2026-01-11 01:05 UTC, in 60 minutes
                        delivered to [DIR]/app.env#BRAND
brand/2000000000000001  derived    never       down, and its parent works
brand/2000000000000002  derived    never       down, and its parent works

3 tokens: 2 derived, 1 logged in
",
        )
        .stderr("")
        .exit(Exit::Ok);
    assert_eq!(
        world.calls()[..7],
        [
            "oauth/access_token -",
            "debug_token Anna",
            "me/accounts Anna",
            "oauth/access_token Anna",
            "debug_token Anna",
            "debug_token Brand",
            "me/accounts Anna",
        ]
    );
    assert_eq!(read(&world, "app.env"), "BRAND=EAAFAKEAnna2\n");
    let _ =
        world.run(&["check", "--tokens"]).verdict("METATOKEN OK - 3 tokens, all well\n").code(0);
    let events: Vec<String> = world.events("brand").into_iter().map(|(event, _)| event).collect();
    assert_eq!(events[events.len() - 2..], ["logged_in", "delivered"]);
}

#[test]
fn the_answer_is_pasted_while_the_command_waits() {
    let world = locked_out();
    let mut child = world.command(&["login", "brand"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut lines: Vec<String> = Vec::new();
    while !lines.last().is_some_and(|line| line.starts_with("Afterwards")) {
        let mut line = String::new();
        assert!(said.read_line(&mut line).unwrap() > 0, "{lines:?}");
        lines.push(line);
    }
    assert_eq!(
        lines[0],
        "Open this address in a browser, on any device, and log in as the owner of `brand`:\n"
    );
    assert_eq!((lines[1].as_str(), lines[3].as_str()), ("\n", "\n"));
    let answer = play(&world, &lines[2], &format!("as={ANNA}&decision=allow{ALL}"));
    writeln!(child.stdin.take().unwrap(), "{answer}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("2 derived, 1 logged in"));
}

#[test]
fn without_an_answer_the_way_without_a_terminal_is_named() {
    let world = kept(CONFIG);
    let ran = world.run(&["login", "brand", "-q"]).exit(Exit::Usage);
    assert!(ran.stderr.contains("/dialog/oauth?client_id="), "it is said also when quiet");
    assert!(
        ran.stderr.ends_with(
            "error: brand: no answer was pasted\n\
             hint: without a terminal, run `metatoken login brand --print-url` now and `metatoken \
             login brand --answer FILE` later\n"
        ),
        "{}",
        ran.stderr
    );
}

/// A text as it stands inside the query of another address.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn an_answer_is_taken_however_it_was_pasted() {
    type Spoil<'a> = &'a dyn Fn(&str) -> String;
    let ways: [(&str, Spoil<'_>); 10] = [
        ("blanks", &|it| format!("  {it} \r\n\n")),
        ("line breaks", &|it| it.replace("&state", "\n&st\r\n  ate")),
        ("quotes", &|it| format!("\"{it}\"")),
        ("#_", &|it| it.replace("#_=_", "#_")),
        ("a query", &|it| it.split_once('?').unwrap().1.replace("#_=_", "")),
        ("without https://", &|it| it.replace("https://", "")),
        ("encoded as a whole", &encoded),
        ("encoded twice", &|it| {
            let twice = encoded(&encoded(&format!("{}#_=_", code(it))));
            it.replacen(code(it), &twice, 1)
        }),
        ("a bare code", &|it| code(it).to_owned()),
        ("a bare code with its tail", &|it| format!("{}#_=_", code(it))),
    ];
    for (way, spoil) in ways {
        let world = kept("[token.brand]\ntype = \"user\"\n");
        let answer = spoil(&anna_grants(&world, ALL));
        let ran = hand_in(&world, "brand", &answer, &[]);
        assert!(
            ran.stdout.contains("1 logged in"),
            "{way}: {answer}: {}{}",
            ran.stdout,
            ran.stderr
        );
        let _ = ran.stderr("").exit(Exit::Ok);
    }
}

#[test]
fn what_is_no_answer_is_named_and_nothing_is_spent() {
    let world = kept(CONFIG);
    let dialog = address(&world, "brand");
    let again = "copy the whole address in the address bar of the browser; for a new one, run `metatoken \
                 login brand`";
    for (answer, unfit, hint) in [
        ("", "it is empty", again),
        ("https://localhost/", "its address has no `code` in it", again),
        ("EAAFAKEBrand1", "it is an access token", "run `metatoken exchange brand` with it"),
        (
            dialog.as_str(),
            "it is the address of the login dialog itself",
            "open it in a browser, log in, and hand in the address in the address bar of the browser",
        ),
        (
            "https://localhost.evil.example/?code=AQFAKE1&state=x",
            "its address is of another place: https://localhost.evil.example/",
            "hand in the address in the address bar of the browser, which begins with https://localhost/",
        ),
    ] {
        let expected = format!("error: brand: not the answer of a login: {unfit}\nhint: {hint}\n");
        let _ = hand_in(&world, "brand", answer, &[])
            .stdout("")
            .stderr(&format!("\n{expected}"))
            .exit(Exit::InputRefused);
    }
    assert_eq!(world.calls(), [""; 0]);
}
