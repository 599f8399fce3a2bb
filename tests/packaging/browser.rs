//! What a person sees who logs in, tried in headless Chromium: the sandbox's dialogs on a phone, the page
//! at the end of `login --listen`, the page of `examples/login-page`, and in `report` the page to look at.
//!
//! A page of the test's own stands in for the person's finger: it sends the form that the dialog's page
//! would send, and the browser goes on from there by itself.

mod report;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use metatoken::exit::Exit;
use metatoken::sandbox::TokenFixture;

use super::{lacking, skip};
use crate::common::{ANNA, APP, World};

/// A phone's width and height.
const PHONE: &str = "390,844";

/// What a page holds at its end, after every redirect.
fn dom(world: &World, address: &str) -> String {
    dom_with(world, &[], address)
}

/// The same with more options.
fn dom_with(world: &World, options: &[&str], address: &str) -> String {
    let profile = world.path("profile");
    let mut chromium = Command::new("chromium");
    chromium
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--no-first-run", "--disable-dev-shm-usage", "--timeout=10000"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--window-size={PHONE}"))
        .args(options)
        .args(["--dump-dom", address])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    world.finish(chromium.spawn().unwrap()).stdout
}

/// A page that sends this form to the dialog, as the button on its page does.
fn pressing(world: &World, dialog: &str, fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;");
    let input = |(name, value): &(&str, &str)| {
        format!("<input name=\"{}\" value=\"{}\">", escaped(name), escaped(value))
    };
    let inputs = fields.iter().map(input).collect::<Vec<_>>().concat();
    let page = format!(
        "<!doctype html><form method=\"post\" action=\"{}\">{inputs}</form>\
         <script>document.forms[0].submit()</script>",
        escaped(dialog.trim())
    );
    world.write("press.html", page);
    format!("file://{}", world.path("press.html").display())
}

/// A world with Anna's token, whose app is in development.
fn world() -> World {
    let world = World::new()
        .config("[token.brand]\ntype = \"user\"\npages = \"all\"\nuser_id = \"3000000000000001\"\n")
        .token("BRAND", TokenFixture::user(APP, ANNA));
    world.graph.with(|graph| graph.app_mut(APP).unwrap().in_development = true);
    world
}

/// A login that waits for a browser, and the address of its dialog.
#[expect(clippy::zombie_processes, reason = "the caller waits for it")]
fn listening(world: &World) -> (Child, String) {
    let mut child = world.command(&["login", "brand", "--listen"]).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    loop {
        let mut line = String::new();
        assert!(said.read_line(&mut line).unwrap() > 0, "no address");
        if line.starts_with("http://127.0.0.1:") {
            child.stderr = Some(said.into_inner());
            return (child, line.trim().to_owned());
        }
    }
}

const ALL: [(&str, &str); 5] = [
    ("as", ANNA),
    ("decision", "allow"),
    ("grant", "pages_show_list"),
    ("page", "2000000000000001"),
    ("page", "2000000000000002"),
];

fn skipped(test: &str) -> bool {
    let why = lacking(&["chromium"]);
    if let Some(why) = &why {
        skip(&format!("packaging::browser::{test}"), why);
    }
    why.is_some()
}

#[test]
fn the_dialog_asks_who_and_what_on_a_phone() {
    if skipped("the_dialog_asks_who_and_what_on_a_phone") {
        return;
    }
    let world = world();
    let (mut child, dialog) = listening(&world);
    let who = dom(&world, &dialog);
    assert!(who.contains("<h1>Log in to Main App</h1>") && who.contains(">Anna <small>"), "{who}");
    assert!(who.contains("width=device-width"), "{who}");
    let what = dom(&world, &pressing(&world, &dialog, &[("as", ANNA)]));
    for ticked in ["Bakery", "Café", "pages_show_list"] {
        assert!(what.contains(&format!("checked=\"\"> {ticked}</label>")), "{ticked}: {what}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn consent_in_a_browser_ends_at_the_page_that_says_so() {
    if skipped("consent_in_a_browser_ends_at_the_page_that_says_so") {
        return;
    }
    let world = world();
    let (child, dialog) = listening(&world);
    let end = dom(&world, &pressing(&world, &dialog, &ALL));
    assert!(end.contains("<h1>The answer has arrived</h1>"), "{end}");
    let ran = world.finish(child);
    assert!(ran.stdout.contains("2 derived, 1 logged in"), "{}{}", ran.stdout, ran.stderr);
    let _ = ran.exit(Exit::Ok);
}

#[test]
fn partial_consent_and_a_no_in_a_browser_are_told_apart() {
    if skipped("partial_consent_and_a_no_in_a_browser_are_told_apart") {
        return;
    }
    let world = world();
    let (child, dialog) = listening(&world);
    let end = dom(&world, &pressing(&world, &dialog, &ALL[..2]));
    assert!(end.contains("<h1>The answer has arrived</h1>"), "{end}");
    let ran = world.finish(child);
    assert!(ran.stderr.contains("not granted: pages_show_list\n"), "{}", ran.stderr);
    let (child, dialog) = listening(&world);
    let end = dom(&world, &pressing(&world, &dialog, &[("decision", "cancel")]));
    assert!(end.contains("<h1>The answer has arrived</h1>"), "{end}");
    let ran = world.finish(child).exit(Exit::PersonNeeded);
    assert!(ran.stderr.contains("login declined"), "{}", ran.stderr);
}

#[test]
fn the_page_for_owners_shows_the_answer_by_its_own_script() {
    if skipped("the_page_for_owners_shows_the_answer_by_its_own_script") {
        return;
    }
    let world = World::new();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/login-page/index.html");
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(!text.contains("http://") && !text.contains("https://"), "nothing from elsewhere");
    for (query, shown, hidden) in [
        ("?code=AQFAKE1&state=s", "answer", ["refused", "nothing"]),
        (
            "?error=access_denied&error_description=Permissions+error",
            "refused",
            ["answer", "nothing"],
        ),
        ("", "nothing", ["answer", "refused"]),
    ] {
        let dom = dom(&world, &format!("file://{}{query}", page.display()));
        assert!(dom.contains(&format!("<section id=\"{shown}\">")), "{query}: {dom}");
        for id in hidden {
            assert!(dom.contains(&format!("<section id=\"{id}\" hidden=\"\">")), "{query}: {dom}");
        }
        assert_eq!(dom.contains(">Permissions error</p>"), shown == "refused", "as text");
    }
    let evil = "?error=x&error_description=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E";
    let dom = dom(&world, &format!("file://{}{evil}", page.display()));
    assert!(dom.contains("&lt;img src=x onerror=alert(1)&gt;"), "{dom}");
}
