//! The page of `report`, as a browser shows it: on a phone, in the dark, on paper, and to a screen reader.
//!
//! The tests look at it from a page of their own, in a frame of its own width. `axe-core`, which judges
//! accessibility and contrast, comes from npm where npm is there.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use metatoken::sandbox::{Invalidation, TokenFixture};

use super::{dom_with, lacking, skip, skipped};
use crate::common::{ANNA, APP, World, day};

const DARK: &str = "--blink-settings=preferredColorScheme=0";
const LIGHT: &str = "--blink-settings=preferredColorScheme=1";

/// A label and an owner that no line has room for.
const LONG: &str = "a-label-that-is-longer-than-what-a-telephone-has-room-for-on-one-line";

/// A page with all that a page can show: dead, warned, healthy, Pages, a target.
fn page() -> (World, String) {
    let config = format!(
        "[token.brand]\ntype = \"user\"\npages = \"all\"\naccess_token = {{ env = \"BRAND\" }}\n\
         owner = \"anna.with.a.very.long.address@a-client-with-a-long-name.example\"\n\
         [token.{LONG}]\ntype = \"user\"\naccess_token = {{ env = \"LONG\" }}\n\
         [[token.{LONG}.deliver]]\nfile = \"no/such/folder/with/a/long/name/config.ini\"\nkey = \"a.b\"\ncreate = true\n"
    );
    let user = |words: &str| TokenFixture::user(APP, ANNA).named(words);
    let mut world =
        World::new().config(&config).token("BRAND", user("brand")).token("LONG", user("long"));
    let _ = world.run(&["refresh", "--quiet"]);
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    world.at(day(41));
    let _ = world.run(&["refresh", "--quiet"]);
    let page = world.run(&["report", "--html", "-"]).code(0).stdout;
    assert!(page.contains("needs a person") || page.contains("need a person"), "{page}");
    (world, page)
}

/// What a script finds that looks at the page in a frame of that width; it calls `done` with a text.
fn looked_at(world: &World, options: &[&str], page: &str, width: u16, script: &str) -> String {
    // As text in a script: `<` would end it.
    let text = serde_json::to_string(page).unwrap().replace('<', "\\u003c");
    let wrapper = format!(
        "<!doctype html><html lang=en><title>t</title><body><iframe id=f title=page width={width} height=800></iframe>\
         <pre id=said></pre><script>const done = said => {{ document.getElementById('said').textContent = said; }};\
         const f = document.getElementById('f'); f.onload = () => {{ const page = f.contentDocument; {script} }};\
         f.srcdoc = {text};</script>"
    );
    world.write("wrapper.html", wrapper);
    let address = format!("file://{}", world.path("wrapper.html").display());
    let dom = dom_with(world, &[options, &["--virtual-time-budget=20000"]].concat(), &address);
    let (_, said) = dom.split_once("<pre id=\"said\">").unwrap_or_else(|| panic!("{dom:.2000}"));
    said.split_once("</pre>").unwrap().0.to_owned()
}

#[test]
fn nothing_is_wider_than_a_phone() {
    if skipped("report::nothing_is_wider_than_a_phone") {
        return;
    }
    let (world, page) = page();
    for width in [390, 320, 1400] {
        let said = looked_at(
            &world,
            &[],
            &page,
            width,
            "page.querySelectorAll('details').forEach(it => { it.open = innerWidth < 800; });\
             done(page.documentElement.scrollWidth + ' ' + page.documentElement.clientWidth);",
        );
        let (wide, room) = said.split_once(' ').unwrap();
        let (wide, room): (u16, u16) = (wide.parse().unwrap(), room.parse().unwrap());
        assert!(wide <= room, "{width}: {said}");
    }
}

#[test]
fn its_own_script_tells_its_age_and_finds_a_token() {
    if skipped("report::its_own_script_tells_its_age_and_finds_a_token") {
        return;
    }
    let (world, page) = page();
    let script = "\
        const q = page.getElementById('q'); q.value = 'a-label-that'; \
        q.dispatchEvent(new Event('input')); \
        const shown = [...page.querySelectorAll('.tokens tbody tr:not(.group)')].filter(it => it.checkVisibility()).length; \
        done([page.body.classList.contains('stale'), page.getElementById('old').checkVisibility(), \
              /, \\d+ (day|hour|minute|second)s? ago/.test(page.getElementById('age').textContent), shown].join(' '));";
    assert_eq!(looked_at(&world, &[], &page, 1400, script), "true true true 1", "an old page");
    let fresh = page.replacen("data-old=\"", "data-old=\"99999", 1);
    assert_eq!(
        looked_at(&world, &[], &fresh, 1400, script),
        "false false true 1",
        "one that is not"
    );
}

#[test]
fn it_prints_on_paper() {
    if skipped("report::it_prints_on_paper") {
        return;
    }
    let (world, page) = page();
    world.write("page.html", &page);
    let pdf = world.path("page.pdf");
    let print = format!("--print-to-pdf={}", pdf.display());
    let address = format!("file://{}", world.path("page.html").display());
    let _ = dom_with(&world, &[&print], &address);
    assert!(std::fs::read(&pdf).unwrap().starts_with(b"%PDF-"));
    if let Some(why) = lacking(&["pdftotext"]) {
        return skip("packaging::browser::report::it_prints_on_paper (its words)", &why);
    }
    let printed = Command::new("pdftotext").arg("-layout").arg(&pdf).arg("-").output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    for said in ["What needs a person", "metatoken login brand", "Next deadline (UTC)", "Runs"] {
        assert!(printed.contains(said), "{said}: {printed}");
    }
    // What only a screen can open or search.
    for hidden in ["How\n", "Find", "fingerprint"] {
        assert!(!printed.contains(hidden), "{hidden}: {printed}");
    }
}

/// axe-core from the registry that npm knows.
fn axe(world: &World, test: &str) -> Option<String> {
    let why = lacking(&["npm"]).or_else(|| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "axe-core@4"]);
        npm.arg("--prefix").arg(world.path("npm")).stdin(Stdio::null());
        let installed = npm.output().is_ok_and(|output| output.status.success());
        (!installed).then(|| "npm cannot install axe-core".to_owned())
    });
    if let Some(why) = why {
        skip(test, &why);
        return None;
    }
    let file: PathBuf = world.path("npm/node_modules/axe-core/axe.min.js");
    Some(std::fs::read_to_string(file).unwrap())
}

#[test]
fn axe_finds_nothing_that_shuts_anybody_out() {
    if skipped("report::axe_finds_nothing_that_shuts_anybody_out") {
        return;
    }
    let (world, page) = page();
    let Some(axe) =
        axe(&world, "packaging::browser::report::axe_finds_nothing_that_shuts_anybody_out")
    else {
        return;
    };
    world.write("axe.js", axe);
    // The policy would keep axe out too.
    let (before, rest) = page.split_once("<meta http-equiv").unwrap();
    let open = format!("{before}{}", rest.split_once('>').unwrap().1);
    let source = format!("file://{}", world.path("axe.js").display());
    for (options, width) in [([LIGHT], 1400), ([DARK], 1400), ([LIGHT], 390)] {
        let script = format!(
            "const s = page.createElement('script'); s.src = '{source}'; s.onload = () => \
             f.contentWindow.axe.run(page).then(found => done(JSON.stringify({{ passes: found.passes.length, wrong: \
             found.violations.map(it => [it.id, it.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary)]) }}))); \
             page.head.append(s);"
        );
        let said = looked_at(&world, &options, &open, width, &script);
        let said = said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let found: serde_json::Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        assert!(found["passes"].as_u64().unwrap() > 20, "{found:#}");
        assert_eq!(found["wrong"], serde_json::json!([]), "{options:?} {width}: {found:#}");
    }
}
