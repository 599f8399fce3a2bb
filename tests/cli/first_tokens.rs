//! A first access token is looked at before Meta is asked, on every way on which it comes in.

use metatoken::sandbox::TokenFixture;

use crate::common::{ANNA, APP, BAKERY, World, day, ends};

const CONFIG: &str = "[token.brand]\ntype = \"user\"\naccess_token = { file = \"first\" }\n";

/// The command that takes it as what it is, and when.
fn other_command(value: &str) -> Option<(&'static str, &'static str)> {
    const OWN_LABEL: &str = "or keep what it is under a label of its own";
    match value {
        "1000000000000001|FAKEvalue" => Some((OWN_LABEL, "metatoken add LABEL --type app")),
        "IGAAFAKEvalue" => Some((OWN_LABEL, "metatoken add LABEL --type instagram")),
        "THAAFAKEvalue" => Some((OWN_LABEL, "metatoken add LABEL --type threads")),
        "https://localhost/?code=AQFAKEvalue" => {
            Some(("or, if `metatoken login` began it", "metatoken login LABEL --answer -"))
        }
        _ => None,
    }
}

/// What is in the file, what is said of it, and what to do.
const VALUES: [(&str, &str, &str); 14] = [
    ("FB_TOKEN=EAAFAKEvalue", "it begins with `NAME=`", "remove `NAME=`"),
    ("export FB_TOKEN=EAAFAKEvalue", "it begins with `NAME=`", "remove `NAME=`"),
    ("\"EAAFAKEvalue\"", "it has quotes around it", "remove the quotes around it"),
    ("'EAAFAKEvalue'", "it has quotes around it", "remove the quotes around it"),
    ("Bearer EAAFAKEvalue", "it begins with `Bearer`", "remove `Bearer` in front of it"),
    ("EAAFAKE value", "it has a blank inside", "remove the blanks: copy it again, whole"),
    ("EAAFAKE\nvalue", "it has 2 lines", "leave one access token, on one line"),
    ("EAAFAKEvalue…", "it ends in `…`: it was cut off", "copy it again, whole"),
    (
        "https://localhost/?code=AQFAKEvalue",
        "it is the address of a login, with a code in it",
        "a code is of use only to the program that began the login, once and within minutes: paste \
         the access token that it got",
    ),
    (
        "{\"access_token\": \"EAAFAKEvalue\"}",
        "it is JSON",
        "take the value of `access_token` alone",
    ),
    (
        "0123456789abcdef0123456789abcdef",
        "it is an app's secret (32 hex digits)",
        "use an access token; the app's secret belongs to `secret` of its `[app.NAME]`",
    ),
    (
        "1000000000000001|FAKEvalue",
        "it is an app's token, not a user token",
        "use a user token, or correct `type`",
    ),
    (
        "IGAAFAKEvalue",
        "it belongs to Instagram (it begins with `IG`), not to a user token",
        "use a user token, or correct `type`",
    ),
    (
        "THAAFAKEvalue",
        "it belongs to Threads (it begins with `TH`), not to a user token",
        "use a user token, or correct `type`",
    ),
];

#[test]
fn each_way_in_names_the_place_and_what_is_wrong_before_meta_is_asked() {
    for (value, wrong, fix) in VALUES {
        let world = World::new().config(CONFIG);
        world.write("first", value);
        let in_file = format!("no access token in the file `[DIR]/first`: {wrong}");
        let step = format!("in the file `[DIR]/first`, {fix}");
        for (typed, code) in [
            (&["status"][..], 0),
            (&["status", "brand"], 0),
            (&["check", "--live"], 2),
            (&["config", "check"], 78),
            (&["refresh", "--dry-run"], 77),
            (&["refresh"], 77),
            (&["status"], 0),
            (&["check"], 2),
        ] {
            let ran = world.run(typed).code(code);
            assert!(ran.stdout.contains(&in_file), "{typed:?} {value}: {}", ran.stdout);
            let said = if typed[0] == "config" { fix } else { step.as_str() };
            assert!(ran.stdout.contains(said), "{typed:?} {value}: {}", ran.stdout);
            assert!(!ran.stdout.contains("FAKE"), "{typed:?} {value}: {}", ran.stdout);
        }
        let refused = |place: &str, file: &str| {
            let other = other_command(value);
            let other = other.map(|(when, command)| format!("hint: {when}: `{command}`\n"));
            let other = other.unwrap_or_default();
            format!(
                "error: {place}: no access token: {wrong}\nhint: {fix}\n{other}\
                 hint: then run `metatoken exchange brand{file}`\n"
            )
        };
        world
            .run_with_input(&["exchange", "brand"], value)
            .stdout("")
            .stderr(&refused("standard input", ""))
            .code(65);
        world
            .run(&["exchange", "brand", "--token-file", "first"])
            .stdout("")
            .stderr(&refused("first", " --token-file first"))
            .code(65);
        assert_eq!(world.calls(), [""; 0], "{value}");
    }
}

/// Which app it belongs to is known by its beginning, where one app fits.
#[test]
fn any_value_is_inspected_with_the_app_of_its_service() {
    let insta = "[app.insta]\nkind = \"instagram\"\nid = \"1000000000000011\"\n";
    let world = World::new().config("");
    world.write("first", "IGAAFAKEvalue");
    world
        .run(&["status", "--token-file", "first"])
        .stdout("")
        .stderr(
            "
error: first: a token of `instagram`, and app `main` is of kind `facebook`
hint: name an app of kind `instagram` with `--app`
",
        )
        .code(65);
    assert_eq!(world.calls(), [""; 0]);
    world.reconfigure(insta);
    let ran = world.run(&["status", "--token-file", "first"]).code(0);
    assert!(ran.stdout.contains("app insta"), "{}", ran.stdout);
    assert_ne!(world.calls(), [""; 0]);
}

/// A value inside an application's file, in each format, with the key that leads to it and its line.
const IN_FILES: [(&str, &str, &str, u32); 6] = [
    ("app.env", "TOKEN", "# of the app\nTOKEN={}\n", 2),
    ("app.ini", "meta.token", "[db]\nhost = x\n\n[meta]\ntoken = {}\n", 5),
    ("app.json", "meta.token", "{\n  \"meta\": {\n    \"token\": \"{}\"\n  }\n}\n", 3),
    ("app.yaml", "meta.token", "# of the app\nmeta:\n  page: 1\n  token: \"{}\"\n", 4),
    ("app.toml", "meta.token", "[meta]\ntoken = \"{}\"\n", 2),
    ("app.php.env", "T", "\n\n\nexport T=\"{}\"\n", 4),
];

/// A world whose first access token is looked for in that file.
fn with_source(file: &str, key: &str) -> World {
    let source = format!("{{ file = \"{file}\", key = \"{key}\" }}");
    World::new().config(&format!("[token.brand]\ntype = \"user\"\naccess_token = {source}\n"))
}

/// What Meta refuses later was named without the line on which it stands, and a person searched a long
/// file for it.
#[test]
fn what_meta_refuses_is_named_with_its_line_too() {
    for (file, key, text, line) in IN_FILES {
        let world = with_source(file, key);
        let page = world.mint(TokenFixture::page(APP, ANNA, BAKERY));
        world.write(file, text.replace("{}", &page));
        let ran = world.run(&["refresh"]).code(65);
        let said = format!("a user token, found in `{key}` in `[DIR]/{file}`, line {line}\n");
        assert!(ran.stdout.contains(&said), "{}", ran.stdout);
    }
}

#[test]
fn a_refused_value_is_named_with_its_line_by_every_command() {
    let (file, key, text, line) = IN_FILES[0];
    let mut world = with_source(file, key);
    let place = |line: u32| format!("`{key}` in `[DIR]/{file}`, line {line}");
    let found = format!("found in {}", place(line));
    let unfit = format!("no access token in {}: ", place(line));
    let unused = |line| format!("unused access token in {}: ", place(line));
    let put = |world: &World, value: &str| world.write(file, text.replace("{}", value));
    for (value, typed, code, said) in [
        ("\u{201c}EAAFAKEvalue", &["refresh"][..], 77, &unfit),
        ("EAAFAKEofNobody", &["refresh", "-n"], 65, &found),
        ("EAAFAKEofNobody", &["refresh"], 65, &found),
        ("EAAFAKEofNobody", &["status"], 0, &found),
        ("EAAFAKEofNobody", &["check"], 2, &found),
        ("EAAFAKEofNobody", &["refresh"], 77, &found),
    ] {
        put(&world, value);
        let ran = world.run(typed).code(code);
        assert!(ran.stdout.contains(said), "{typed:?} {value}: {}", ran.stdout);
    }
    // One that is no better is named with the line that it has now.
    let [first, second] =
        [60, 50].map(|n| world.mint(TokenFixture::user(APP, ANNA).ending(ends(n))));
    put(&world, &first);
    world.run(&["refresh", "-q"]).code(0).silent();
    put(&world, &second);
    let _ = world.run(&["refresh"]).code(65);
    let ran = world.run(&["check"]).code(1);
    assert!(ran.stdout.contains(&unused(line)), "{}", ran.stdout);
    world.write(file, format!("\n{}", text.replace("{}", &second)));
    world.at(day(1));
    world.run(&["refresh", "-q"]).code(0).silent();
    let ran = world.run(&["check"]).code(1);
    assert!(ran.stdout.contains(&unused(line + 1)), "{}", ran.stdout);
}
