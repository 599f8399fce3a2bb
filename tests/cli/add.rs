//! `add`: a token is declared, taken, delivered and told in one command; what is refused leaves
//! nothing, and what a kill leaves is finished by the same command.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use chrono::TimeDelta;
use metatoken::exit::Exit;
use metatoken::sandbox::{AppFixture, FaultInjection, Invalidation, Listing, Rule, TokenFixture};
use metatoken::token::Expiry;

use crate::common::{
    self, ANNA, APP, BAKERY, CAFE, CREATOR, INSTA_APP, Nobody, ROBOT, World, can_be_another_user,
    day, is_long, mode, until,
};

/// What the Graph API Explorer gives: it lives for an hour.
fn short(name: &str) -> TokenFixture {
    let hour = Expiry::At(day(0) + TimeDelta::hours(1));
    TokenFixture::user(APP, ANNA).named(name).scopes(SCOPES).ending(hour)
}

/// What a person ticks.
const SCOPES: [&str; 4] =
    ["public_profile", "pages_show_list", "pages_read_engagement", "pages_manage_posts"];

fn names(world: &World) -> Vec<String> {
    let Ok(folder) = std::fs::read_dir(world.path("tokens.d")) else { return Vec::new() };
    let mut names: Vec<String> =
        folder.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A world in which `anna` was added.
fn with_anna() -> World {
    let world = World::new();
    let pasted = world.mint(short("anna"));
    let ran = world.run_with_input(&["add", "anna", "--type", "user"], &pasted);
    ran.exit(Exit::Ok);
    world.calls();
    world
}

const PAGE: [&str; 9] = [
    "add",
    "anna-page",
    "--type",
    "page",
    "--parent",
    "anna",
    "--page-id",
    BAKERY,
    "--deliver=config.ini#facebook.access_token",
];

const INI: &str = "; of the shop\n[facebook]\naccess_token = changeme ; kept\npage = 1\n";

#[test]
fn a_person_and_a_page_take_one_command_each() {
    let world = World::new();
    world.write("config.ini", INI);
    let pasted = world.mint(short("anna"));
    world
        .run_with_input(&["add", "anna", "--type", "user"], &pasted)
        .stdout(
            "
TOKEN  OUTCOME    EXPIRES     REASON
anna   exchanged  2026-03-02  it was short-lived: expires 2026-01-01 01:00 UTC, in 60 minutes

1 token: 1 exchanged
",
        )
        .stderr(
            "
`anna` is a user token of app `main`, of user 3000000000000001, with `public_profile`, `pages_show_list`, `pages_read_engagement` and `pages_manage_posts`
it reaches Bakery (2000000000000001) and Café (2000000000000002)
declared in `[DIR]/tokens.d/anna.toml`
hint: to keep a Page's token too, run `metatoken add LABEL --type page --parent anna --page-id 2000000000000001 --deliver FILE#KEY`
",
        )
        .exit(Exit::Ok);
    assert_eq!(
        std::fs::read_to_string(world.path("tokens.d/anna.toml")).unwrap(),
        "# Written by `metatoken add`; yours to edit.\n[token.anna]\ntype = \"user\"\napp = \"main\"\n"
    );
    assert_eq!(
        (mode(&world.path("tokens.d")), mode(&world.path("tokens.d/anna.toml"))),
        (0o700, 0o600)
    );
    world
        .run(&PAGE)
        .stdout(
            "
TOKEN      OUTCOME  EXPIRES  REASON
anna-page  derived  never    derived from `anna`
           delivered to [DIR]/config.ini#facebook.access_token

1 token: 1 derived
",
        )
        .stderr(
            "
`anna-page` is a page token of app `main`, for Page 2000000000000001, of user 3000000000000001, with `public_profile`, `pages_show_list`, `pages_read_engagement` and `pages_manage_posts`
declared in `[DIR]/tokens.d/anna-page.toml`
hint: `metatoken refresh` keeps it alive: have cron or systemd run it every hour
",
        )
        .exit(Exit::Ok);
    let held = world.run(&["token", "anna-page"]).exit(Exit::Ok).stdout;
    assert_eq!(
        std::fs::read_to_string(world.path("config.ini")).unwrap(),
        INI.replace("changeme", held.trim_end())
    );
    assert_eq!(names(&world), ["anna-page.toml", "anna.toml"]);
    world.run(&["config", "check"]).exit(Exit::Ok);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").code(0);
    // What was pasted is nowhere but in the seal.
    for (path, bytes) in world.bytes_on_disk() {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(&pasted), "{}", path.display());
    }

    // Typed again nothing is left to do, and that is no error.
    let before = std::fs::read(world.path("tokens.d/anna-page.toml")).unwrap();
    let again = world.run(&PAGE).exit(Exit::Ok);
    assert!(again.stdout.contains("anna-page  verified  never"), "{}", again.stdout);
    assert_eq!(std::fs::read(world.path("tokens.d/anna-page.toml")).unwrap(), before);
    world.run_with_input(&["add", "anna", "--type", "user"], &pasted).exit(Exit::Ok);
    assert_eq!(names(&world), ["anna-page.toml", "anna.toml"]);
}

/// A newcomer with a number at WhatsApp read `it reaches no Page` and looked for a Page.
#[test]
fn pages_are_named_only_where_they_are_wanted() {
    let world = World::new();
    let robot = |scopes: &[&str]| {
        let scopes = scopes.iter().map(|it| (*it).to_owned());
        world.mint(TokenFixture::system_user(APP, ROBOT).named("robot").scopes(scopes))
    };
    let (whatsapp, lists) = (robot(&["whatsapp_business_messaging"]), robot(&["pages_show_list"]));
    let add = |label, pasted: &str| {
        let ran = world.run_with_input(&["add", label, "--type", "system-user"], pasted);
        ran.exit(Exit::Ok).stderr
    };
    let said = add("whatsapp", &whatsapp);
    assert!(!said.contains("no Page"), "{said}");
    let said = add("pages", &lists);
    assert!(said.contains("\nit reaches no Page\n"), "{said}");
}

#[test]
fn all_pages_of_a_person_come_along() {
    let world = World::new();
    let pasted = world.mint(TokenFixture::system_user(APP, ROBOT).named("robot").scopes(SCOPES));
    world.graph.with(|graph| {
        graph.list(ROBOT, BAKERY, Listing::Listed);
        graph.list(ROBOT, CAFE, Listing::Listed);
    });
    world.write("first-token", &pasted);
    let typed = [
        "add",
        "agency",
        "--type",
        "system-user",
        "--pages",
        "all",
        "--token-file",
        "first-token",
        "--owner",
        "Ops \"team\"",
        "--user-id",
        ROBOT,
    ];
    world
        .run(&typed)
        .stdout(
            "
TOKEN                    OUTCOME  EXPIRES  REASON
agency                   adopted  never    never expires
agency/2000000000000001  derived  never    no access token yet
agency/2000000000000002  derived  never    no access token yet

3 tokens: 2 derived, 1 adopted
",
        )
        .exit(Exit::Ok);
    assert_eq!(
        std::fs::read_to_string(world.path("tokens.d/agency.toml")).unwrap(),
        format!(
            "# Written by `metatoken add`; yours to edit.\n[token.agency]\ntype = \"system-user\"\n\
             app = \"main\"\npages = \"all\"\nowner = 'Ops \"team\"'\nuser_id = \"{ROBOT}\"\n"
        )
    );
    world.run(&["config", "check", "--quiet"]).exit(Exit::Ok);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 3 tokens, all well\n").code(0);
}

/// What is typed, what is on standard input, what is said, and how it ends.
type Refused<'a> = (&'a [&'a str], &'a str, &'a str, Exit);

#[track_caller]
fn refused(world: &World, cases: &[Refused<'_>]) {
    let before = (names(world), world.run(&["status", "--offline", "--json"]).code(0).stdout);
    for (typed, input, stderr, exit) in cases {
        world.run_with_input(typed, input).stdout("").stderr(stderr).exit(*exit);
    }
    let after = (names(world), world.run(&["status", "--offline", "--json"]).code(0).stdout);
    assert_eq!(after, before);
}

#[test]
fn what_can_be_refused_without_meta_is() {
    let world = with_anna();
    world.write("config.ini", INI);
    world.write("tokens.d/taken.toml", "[token.other]\ntype = \"app\"\n");
    let page = |id: &'static str| ["add", "p", "--type", "page", "--parent", id, "--page-id", "5"];
    refused(
        &world,
        &[
            (&["add", "../x", "--type", "user"], "", "
error: `../x` is not a valid label: use letters, digits, `-` and `_`
", Exit::Usage),
            (&["add", "a\nb", "--type", "user"], "", "
error: `a\\nb` is not a valid label: use letters, digits, `-` and `_`
", Exit::Usage),
            (&["add", "anna/5", "--type", "page"], "", "
error: invalid label `anna/5`: this form is for Pages that `pages = \"all\"` finds
hint: use letters, digits, `-` and `_`
", Exit::Usage),
            (&["add", "p", "--type", "page", "--parent", "anna"], "", "
error: p: a Page needs `--page-id ID`
hint: `metatoken pages anna` lists the Pages that it reaches, with their ids
", Exit::Usage),
            (&["add", "p", "--type", "user", "--page-id", "5"], "", "
error: p: `--page-id` is for a Page
hint: add `--type page`, or leave it out
", Exit::Usage),
            (&page("ann"), "", "
error: p: there is no token `ann`
hint: a parent can be `anna`
hint: or add the person first: `metatoken add ann --type user`
", Exit::Usage),
            (&page("other"), "", "
error: p: `other` is an app token, which has no Pages
hint: a parent is of type `user` or `system-user`
", Exit::Usage),
            (&["add", "p", "--type", "user", "--app", "mian"], "", "
error: p: the config has no app `mian`
hint: its app can be `main`
", Exit::Usage),
            (&["add", "p", "--type", "threads"], "", "
error: p: the config has no app of kind `threads` that a threads token could belong to
hint: add it to `[DIR]/metatoken.toml`: `metatoken init --app-kind threads`
", Exit::Config),
            (&["add", "anna", "--type", "system-user", "--owner", "ops"], "", "
error: anna: `[DIR]/tokens.d/anna.toml` declares it, and `type` is `user`, not `system-user`; `owner` is not set, not `ops`
hint: choose another label, or change it in that file
", Exit::InputRefused),
            (&["add", "taken", "--type", "user"], "", "
error: [DIR]/tokens.d/taken.toml: exists already, and does not declare `taken`
hint: choose another label, or move that file away
", Exit::InputRefused),
            (&["add", "p", "--type", "user", "--deliver", "config.ini#"], "", "
error: `--deliver config.ini#`: a file and a key are needed
hint: write FILE#KEY, such as `config.ini#facebook.access_token`
", Exit::Usage),
            (&["add", "p", "--type", "user", "--deliver", "~bob/config.ini#a.b"], "", "
error: `--deliver ~bob/config.ini#a.b`: it begins with `~`, which only a shell understands: write the whole path
hint: write FILE#KEY, such as `config.ini#facebook.access_token`
", Exit::Usage),
            (&["add", "p", "--type", "user", "--deliver", "none.ini#a.b"], "", "
error: p: `[DIR]/none.ini#a.b` cannot be written: [DIR]/none.ini: the file is missing
hint: correct `--deliver`, or add `--create`
hint: nothing was changed; Meta was not asked
", Exit::InputRefused),
            (&["add", "p", "--type", "user", "--deliver", "config.ini#a.b"], "", "
error: p: `[DIR]/config.ini#a.b` cannot be written: [DIR]/config.ini: it has no key `a.b`
hint: correct `--deliver`, or add `--create`
hint: nothing was changed; Meta was not asked
", Exit::InputRefused),
            (&["add", "p", "--type", "user"], "IGFAKESomething", "
error: p: invalid access token: it belongs to Instagram (it begins with `IG`), not to a user token
hint: `metatoken add p --type instagram` takes it
", Exit::InputRefused),
            (&["add", "p", "--type", "user", "--owner", "o p"], "1000000000000001|abc", "
error: p: invalid access token: it is an app's token, not a user token
hint: an app's own is not handed over: `metatoken add p --type app --owner 'o p'` derives it from the app's id and secret
", Exit::InputRefused),
            (&["add", "p", "--type", "app", "--token-file", "x"], "", "
error: p: its access token is derived from the id and secret of app `main`: none is handed over
hint: leave `--token-file` out
", Exit::Usage),
        ],
    );
    // What the config's reader would refuse is shown as it would be.
    for (deliver, why) in [
        ("config.ini", "  tokens.d/p.toml:7:8: an ini file needs a `key`\n"),
        ("config.ini#a#b#", "FILE#KEY"),
        ("metatoken.db#a.b", "  tokens.d/p.toml:"),
        ("metatoken.key", "  tokens.d/p.toml:"),
        ("app.dat#a.b", "which `format` the file has is not clear from its name"),
    ] {
        let typed = ["add", "p", "--type", "user", "--deliver", deliver];
        let ran = world.run(&typed).stdout("");
        assert!(ran.stderr.contains(why), "{deliver}: {}", ran.stderr);
        assert!(matches!(ran.code, Some(64 | 65)), "{deliver}: {:?}", ran.code);
        let hint = "FILE#KEY`, such as `config.ini#facebook.access_token`\n";
        assert!(ran.stderr.contains(hint) || ran.code == Some(64), "{deliver}: {}", ran.stderr);
    }
    assert_eq!(names(&world), ["anna.toml", "taken.toml"]);
    assert_eq!(world.calls(), [""; 0]);
}

/// A file or a key that is missing is added where that is wanted, and a hint that repeats the command
/// repeats that.
#[test]
fn a_target_that_is_not_there_is_added_with_create() {
    let world = with_anna();
    world.write("config.ini", INI);
    let pasted = world.mint(TokenFixture::instagram(INSTA_APP, CREATOR).named("dora"));
    let typed = [
        "add",
        "shop",
        "--type",
        "user",
        "--create",
        "--deliver",
        "new.env#FB",
        "--deliver",
        "config.ini#a.b",
    ];
    let ran = world.run_with_input(&typed, &pasted).stdout("").exit(Exit::InputRefused);
    let command = "metatoken add shop --type instagram --deliver '[DIR]/new.env#FB' --deliver '[DIR]/config.ini#a.b' --create";
    assert!(ran.stderr.ends_with(&format!("\nhint: `{command}` takes it\n")), "{}", ran.stderr);
    assert!(!world.path("new.env").exists());
    world
        .run_with_input(&[&typed[..], &["--dry-run"]].concat(), world.mint(short("dry")))
        .exit(Exit::Ok);
    assert!(!world.path("new.env").exists());
    world.run_with_input(&typed, world.mint(short("shop"))).exit(Exit::Ok);
    let held = world.in_use("shop");
    let read = |name: &str| std::fs::read_to_string(world.path(name)).unwrap();
    assert_eq!(read("new.env"), format!("FB={held}\n"));
    assert_eq!(read("config.ini"), format!("{INI}\n[a]\nb = {held}\n"));
    assert_eq!(read("tokens.d/shop.toml").matches("\ncreate = true\n").count(), 2);
    world.run(&["config", "check"]).exit(Exit::Ok);
    // Typed again it stands, with the option and without.
    world.run_with_input(&typed, &held).exit(Exit::Ok);
    let without: Vec<&str> = typed.iter().copied().filter(|it| *it != "--create").collect();
    world.run_with_input(&without, &held).exit(Exit::Ok);
    // A token that was declared without it is another.
    world.run(&PAGE).exit(Exit::Ok);
    world
        .run(&[&PAGE[..], &["--create"]].concat())
        .stdout("")
        .stderr(
            "
error: anna-page: `[DIR]/tokens.d/anna-page.toml` declares it, and `create` of `[DIR]/config.ini#facebook.access_token` is not set
hint: choose another label, or change it in that file
",
        )
        .exit(Exit::InputRefused);
    world.run(&["add", "x", "--type", "user", "--create"]).stdout("").exit(Exit::Usage);
}

#[test]
fn what_graph_refuses_is_answered_with_the_right_command() {
    let world = with_anna();
    let other_secret = "fakesecretoftheotherapp";
    world
        .graph
        .with(|graph| graph.add_app(AppFixture::new("1000000000000002", other_secret, "Other")));
    world.reconfigure(&format!(
        "[app.other]\nid = \"1000000000000002\"\nsecret = \"{other_secret}\"\n"
    ));
    let page = world.mint(TokenFixture::page(APP, ANNA, BAKERY).named("page"));
    let robot = world.mint(TokenFixture::system_user(APP, ROBOT).named("robot"));
    let others = world.mint(TokenFixture::user("1000000000000002", ANNA).named("others"));
    world.graph.with(|graph| {
        graph.add_app(AppFixture::new("1000000000000003", "fakesecretofthethird", "Third"));
    });
    let third = world.mint(TokenFixture::user("1000000000000003", ANNA).named("third"));
    let shared = world.run(&["token", "anna"]).code(0).stdout;
    refused(
        &world,
        &[
            (&["add", "p", "--type", "user"], "", "
error: p: several apps fit: `--app NAME` is needed
hint: its app can be `main` and `other`
", Exit::Usage),
            (&["add", "p", "--type", "instagram", "--app", "main"], "", "
error: p: the config has no app of kind `instagram` that an instagram token could belong to
hint: add it to `[DIR]/metatoken.toml`: `metatoken init --app-kind instagram`
", Exit::Config),
            (&["add", "p", "--type", "user", "--app", "main"], &page, "
error: p: the new access token was rejected: a page token, not a user token
hint: `metatoken add p --type page --app main --page-id 2000000000000001` takes it
", Exit::InputRefused),
            (&["add", "p", "--type", "user", "--app", "main", "--pages", "all"], &robot, "
error: p: the new access token was rejected: a system-user token, not a user token
hint: `metatoken add p --type system-user --app main --pages all` takes it
", Exit::InputRefused),
            (&["add", "p", "--type", "user", "--app", "main"], &others, "
error: p: the new access token was rejected: token of another app than `main`
  caused by: Meta says code 100
hint: `metatoken add p --type user --app other` takes it
", Exit::InputRefused),
            (&["add", "p", "--type", "user", "--app", "main"], &third, "
error: p: the new access token was rejected: token of another app than `main`
  caused by: Meta says code 100
hint: paste a token of app `main`, or add the app that it belongs to as `[app.NAME]` to [DIR]/metatoken.toml, then run `metatoken add p --type user --app NAME`
", Exit::InputRefused),
            (&["add", "p", "--type", "user", "--app", "main"], &shared, "
error: p: that is the access token of `anna`
hint: an access token belongs to one label: `metatoken status anna` shows it
", Exit::InputRefused),
            (&["add", "p", "--type", "user", "--app", "main", "--token-file", "-"], "EAAFAKENothing", "
error: p: the new access token was rejected: Meta does not know this value
  caused by: Meta says \"Invalid OAuth access token\" (190)
hint: copy the access token of app `main` again, whole; then run `metatoken add p --type user --app main --token-file -` and paste it
", Exit::InputRefused),
            (&["add", "p", "--type", "system-user", "--app", "main", "--user-id", ANNA], &robot, "
error: p: the new access token was rejected: the token belongs to user 3000000000000009, not to 3000000000000001
hint: an admin of the business generates a new token for the System User (Meta Business settings, Users, System users); then run `metatoken add p --type system-user --app main --user-id 3000000000000001` and paste it
", Exit::InputRefused),
        ],
    );
}

#[test]
fn a_page_that_its_parent_does_not_reach_is_refused() {
    let world = with_anna();
    let typed = ["add", "p", "--type", "page", "--parent", "anna", "--page-id", "2000000000000099"];
    refused(
        &world,
        &[(&typed, "", "
error: p: its parent `anna` has no access to Page 2000000000000099; it reaches Bakery (2000000000000001) and Café (2000000000000002)
hint: correct `--page-id`, or name another parent with `--parent`
hint: or have that Page ticked in a login: run `metatoken login anna`, then the same again
", Exit::InputRefused)],
    );
    // A parent whose login has ended is its own trouble.
    let parents = world.run(&["token", "anna"]).code(0).stdout;
    world.graph.with(|graph| graph.invalidate(parents.trim(), Invalidation::PasswordChanged));
    let ran = world.run(&["add", "p", "--type", "page", "--parent", "anna", "--page-id", BAKERY]);
    let ran = ran.stdout("").exit(Exit::PersonNeeded);
    assert!(ran.stderr.starts_with("error: p: its parent `anna`: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("`metatoken login anna`"), "{}", ran.stderr);
    assert_eq!(names(&world), ["anna.toml"]);
}

#[test]
fn while_graph_is_out_of_reach_nothing_is_written() {
    let world = with_anna();
    let pasted = world.mint(short("ben"));
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    world
        .run_with_input(&["add", "ben", "--type", "user"], &pasted)
        .stdout("")
        .stderr(
            "
error: ben: An unknown error occurred (code 1)
hint: nothing was stored: paste the access token again later
",
        )
        .exit(Exit::Unavailable);
    world
        .run(&["add", "p", "--type", "page", "--parent", "anna", "--page-id", BAKERY])
        .stdout("")
        .stderr(
            "
error: p: An unknown error occurred (code 1)
hint: nothing was stored: run the same again later
",
        )
        .exit(Exit::Unavailable);
    world.graph.behave();
    // Between inspection and exchange it may go away as well.
    world.graph.misbehave(Rule::on("/oauth/access_token"), FaultInjection::Status(503));
    world.run_with_input(&["add", "ben", "--type", "user"], &pasted).exit(Exit::Unavailable);
    world.graph.behave();
    assert_eq!(names(&world), ["anna.toml"]);
    let known = world.run(&["status", "-v", "--offline"]).code(0).stdout;
    assert!(!known.contains("`ben`"), "{known}");
    world.run(&["check", "--system"]).code(0);
    // What Meta granted is sealed, declared, and taken by the next run.
    world.graph.misbehave(Rule::on("/debug_token").sparing(1), FaultInjection::Status(503));
    let ran = world.run_with_input(&["add", "ben", "--type", "user"], &pasted);
    ran.exit(Exit::Unavailable).stdout("").stderr(
        "
error: ben: the new access token is sealed, but not checked yet: An unknown error occurred (code 1)
hint: run `metatoken refresh ben`
",
    );
    world.graph.behave();
    assert_eq!(names(&world), ["anna.toml", "ben.toml"]);
    world.run(&["refresh", "ben", "--quiet"]).silent().exit(Exit::Ok);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 2 tokens, all well\n").code(0);
}

#[test]
fn a_rehearsal_writes_nothing_and_names_every_file() {
    let world = with_anna();
    world.write("config.ini", INI);
    let before = (names(&world), std::fs::read(world.path("config.ini")).unwrap());
    let mut typed = PAGE.to_vec();
    typed.push("--dry-run");
    world
        .run(&typed)
        .stdout(
            "
TOKEN      OUTCOME       EXPIRES  REASON
anna-page  would derive  never    derived from `anna`
           would be delivered to [DIR]/config.ini#facebook.access_token

1 token: 1 would derive (dry run: nothing was changed)
",
        )
        .exit(Exit::Ok);
    let pasted = world.mint(short("ben"));
    let ran = world.run_with_input(&["add", "ben", "--type", "user", "-n"], &pasted).exit(Exit::Ok);
    assert!(ran.stderr.contains("`[DIR]/tokens.d/ben.toml` would be written\n"), "{}", ran.stderr);
    assert_eq!(before, (names(&world), std::fs::read(world.path("config.ini")).unwrap()));
    let known = world.run(&["status", "-v", "--offline"]).code(0).stdout;
    assert!(!known.contains("ben"), "{known}");
}

/// Every place of a run that adds a person, and one that adds a Page, at which it may be killed.
const OF_A_PERSON: &[&str] = &[
    "prepared",
    "planned",
    "before-request",
    "granted",
    "before-seal",
    "sealed",
    "promoted",
    "added",
    "declared",
];
const OF_A_PAGE: &[&str] = &[
    "prepared",
    "before-seal",
    "sealed",
    "promoted",
    "added",
    "declared",
    "temp-written",
    "temp-synced",
    "renamed",
    "settled",
];

#[test]
fn the_same_command_finishes_what_a_kill_left() {
    for place in OF_A_PERSON {
        let world = World::new();
        let pasted = world.mint(short("anna"));
        let typed = ["add", "anna", "--type", "user"];
        world.killed_at(place, &typed, &pasted);
        let ran = world.run_with_input(&typed, &pasted);
        assert_eq!(ran.code, Some(0), "{place}: {}{}", ran.stdout, ran.stderr);
        whole(&world, place, 1);
    }
    for place in OF_A_PAGE {
        let world = with_anna();
        world.write("config.ini", INI);
        world.killed_at(place, &PAGE, "");
        let ran = world.run(&PAGE);
        assert_eq!(ran.code, Some(0), "{place}: {}{}", ran.stdout, ran.stderr);
        let held = world.run(&["token", "anna-page"]).exit(Exit::Ok).stdout;
        let written = std::fs::read_to_string(world.path("config.ini")).unwrap();
        assert_eq!(written, INI.replace("changeme", held.trim_end()), "{place}");
        whole(&world, place, 2);
    }
}

/// Nothing lies about, and the next run and the monitoring have nothing to say.
#[track_caller]
fn whole(world: &World, place: &str, tokens: usize) {
    assert_eq!(names(world).len(), tokens, "{place}: {:?}", names(world));
    assert!(names(world).iter().all(|name| !name.starts_with('.')), "{place}");
    let ran = world.run(&["refresh", "--quiet"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), ("", "", Some(0)), "{place}");
    let ran = world.run(&["check"]);
    assert_eq!(ran.code, Some(0), "{place}: {}", ran.stdout);
    world.run(&["config", "check", "--quiet"]).exit(Exit::Ok);
}

#[test]
fn a_token_that_is_declared_by_hand_is_taken_as_it_is() {
    let world = World::new().config("[token.anna]\ntype = \"user\"\n");
    let pasted = world.mint(short("anna"));
    let ran = world.run_with_input(&["add", "anna", "--type", "user"], &pasted).exit(Exit::Ok);
    assert!(ran.stdout.contains("anna   exchanged  2026-03-02"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("declared in"), "{}", ran.stderr);
    assert_eq!(names(&world), [""; 0]);
}

#[test]
fn a_token_that_would_be_left_alone_is_refused() {
    let world = World::new().config("[token.anna]\ntype = \"user\"\nenabled = false\n");
    world
        .run(&["add", "anna", "--type", "user"])
        .stdout("")
        .stderr(
            "
error: anna: its `enabled` is false, so it would be left alone
hint: set `enabled = true` in `[token.anna]` or `[defaults]`: `[DIR]/metatoken.toml`
",
        )
        .exit(Exit::InputRefused);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_anybody_is_asked() {
    if !can_be_another_user() {
        return;
    }
    let world = with_anna();
    let nobody = Nobody::let_in(&world);
    for path in ["tokens.d", "tokens.d/anna.toml"] {
        let mode = if path.ends_with("toml") { 0o644 } else { 0o755 };
        std::fs::set_permissions(world.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    nobody
        .run(&world, &["add", "ben", "--type", "user"])
        .stdout("")
        .stderr(
            "
error: [DIR]/tokens.d: cannot be written by this user, and the token is declared there
  caused by: Permission denied (os error 13)
hint: run it as the user who owns that folder; nothing was changed
",
        )
        .exit(Exit::Storage);
    assert_eq!(world.calls(), [""; 0]);
}

/// The token was declared in a folder that no run reads, and said to be.
#[test]
fn a_folder_that_others_can_write_is_told_before_anybody_is_asked() {
    let world = with_anna();
    let pasted = world.mint(short("ben"));
    let unsafe_mode = std::fs::Permissions::from_mode(0o770);
    std::fs::set_permissions(world.path("tokens.d"), unsafe_mode).unwrap();
    world.write("ben.csv", format!("label,type,access_token\nben,user,{pasted}\n"));
    let refusal = "[DIR]/tokens.d: refused: group or others can write it (mode 0770)";
    world
        .run_with_input(&["add", "ben", "--type", "user"], &pasted)
        .stdout("")
        .stderr(&format!("\nerror: left out: {refusal}\nhint: run `chmod go-w [DIR]/tokens.d`\n"))
        .exit(Exit::Config);
    let ran = world.run(&["import", "ben.csv"]).exit(Exit::Config);
    assert!(ran.stderr.contains(refusal), "{}", ran.stderr);
    assert_eq!(world.calls(), [""; 0]);
    assert_eq!(names(&world), ["anna.toml"]);
}

/// What a kill left under a hidden name stayed until the same label was added again.
#[test]
fn what_a_kill_left_beside_the_others_is_cleared_away_by_the_next_command() {
    let world = with_anna();
    let pasted = world.mint(short("ben"));
    world.killed_at("prepared", &["add", "ben", "--type", "user"], &pasted);
    assert_eq!(names(&world), [".ben.toml.new", "anna.toml"]);
    // What another process works on stays, and a rehearsal clears nothing away.
    let at_work = std::fs::File::create(world.path("tokens.d/.cara.toml.new")).unwrap();
    rustix::fs::flock(&at_work, rustix::fs::FlockOperation::LockExclusive).unwrap();
    world.run(&["refresh", "--dry-run", "--quiet"]).exit(Exit::Ok);
    assert_eq!(names(&world), [".ben.toml.new", ".cara.toml.new", "anna.toml"]);
    world.run(&["refresh", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(names(&world), [".cara.toml.new", "anna.toml"]);
    drop(at_work);
    world.run(&["deliver", "--quiet"]).silent().exit(Exit::Ok);
    assert_eq!(names(&world), ["anna.toml"]);
}

/// Typed again on a terminal it asked for an access token that it had no use for.
#[test]
fn typed_again_on_a_terminal_it_asks_for_nothing() {
    if let Some(why) = common::lacking(&["script", "stty"]) {
        return common::skip("add::typed_again_on_a_terminal_it_asks_for_nothing", &why);
    }
    let mut world = World::new();
    world.write("home/app.env", "TOKEN=\n");
    let home = world.path("home").display().to_string();
    let pasted = world.mint(short("anna"));
    // A shell does not see what stands behind `=`, nor what a prompt is answered with.
    let typed = ["add", "anna", "--type", "user", "--deliver=~/app.env#TOKEN"];
    let command = |world: &World| {
        let mut command = world.command(&typed);
        command.env("HOME", &home);
        command
    };
    let asked = [("the access token for `anna`: ", pasted.as_str())];
    let (shown, code) = common::converse(&command(&world), &asked);
    assert_eq!(code, Some(0), "{shown}");
    let current = world.in_use("anna");
    assert_eq!(
        std::fs::read_to_string(world.path("home/app.env")).unwrap(),
        format!("TOKEN={current}\n")
    );
    let (shown, code) = common::converse(&command(&world), &[]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("verified"), "{shown}");
    assert!(!shown.contains("the access token for"), "{shown}");
    assert_eq!(world.in_use("anna"), current);
    // Once it is dead there is something to ask for.
    world.graph.with(|graph| graph.invalidate(&current, Invalidation::PasswordChanged));
    world.at(day(1));
    world.run(&["refresh", "--quiet"]).exit(Exit::PersonNeeded);
    let again = world.mint(TokenFixture::user(APP, ANNA).named("again").scopes(SCOPES));
    let asked = [("the access token for `anna`: ", again.as_str())];
    let (shown, code) = common::converse(&command(&world), &asked);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(world.in_use("anna"), again);
}

#[test]
fn a_run_that_waited_knows_what_was_added_meanwhile() {
    let world = with_anna();
    let pasted = world.mint(short("ben"));
    world.write("ben-token", &pasted);
    world.graph.misbehave(Rule::any(), FaultInjection::Slow(Duration::from_millis(3)));
    let before = world.calls_to("debug_token");
    let adding = world.spawn(&["add", "ben", "--type", "user", "--token-file", "ben-token"]);
    until("add asks Graph", || world.calls_to("debug_token") > before);
    // They have read the config by now, and wait for the lock.
    let refresh = world.spawn(&["refresh", "--json", "--lock-wait", "30s"]);
    let typed = ["add", "b-page", "--type", "page", "--parent", "ben", "--page-id", CAFE];
    assert_eq!(world.finish(adding).code, Some(0));
    let refreshed = world.finish(refresh).stderr("").exit(Exit::Ok);
    assert_eq!(refreshed.outcomes().keys().collect::<Vec<_>>(), ["anna", "ben"]);
    assert_eq!(refreshed.json()["system"].as_array().unwrap().len(), 0);
    world.graph.behave();
    world.run(&typed).exit(Exit::Ok);
    // While another one has the lock it is waited for, and no longer than is said.
    let lock = std::fs::File::open(world.path("metatoken.db.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let typed = [
        "add",
        "c-page",
        "--type",
        "page",
        "--parent",
        "ben",
        "--page-id",
        BAKERY,
        "--lock-wait",
        "0s",
    ];
    world.run(&typed).stdout("").exit(Exit::Busy);
    drop(lock);
    world.run(&typed).exit(Exit::Ok);
}

#[test]
fn labels_come_and_go_while_runs_go_on() {
    let count = if is_long() { 100 } else { 24 };
    let world = with_anna();
    for n in 0..count {
        let string = world.mint(TokenFixture::user(APP, ANNA).named(&letters(n)));
        world.write(&format!("token-{n}"), string);
    }
    let wait = ["--lock-wait", "10m"];
    let add = |n: usize| {
        let (label, file) = (format!("t{n}"), format!("token-{n}"));
        let typed = ["add", &label, "--type", "user", "--token-file", &file, wait[0], wait[1]];
        let ran = world.run(&typed);
        assert_eq!(ran.code, Some(0), "{label}: {}{}", ran.stdout, ran.stderr);
    };
    let forget = |n: usize| {
        let label = format!("t{n}");
        let ran = world.run(&["forget", &label, "--undeclare", wait[0], wait[1]]);
        assert_eq!(ran.code, Some(0), "{label}: {}{}", ran.stdout, ran.stderr);
    };
    let refresh = || {
        let ran = world.run(&["refresh", "--json", wait[0], wait[1]]).stderr("").exit(Exit::Ok);
        assert_eq!(ran.json()["system"].as_array().unwrap().len(), 0, "{}", ran.stdout);
        ran
    };
    let half = count / 2;
    let at_once = |work: &(dyn Fn(usize) + Sync)| {
        std::thread::scope(|scope| {
            scope.spawn(|| (0..half).for_each(work));
            scope.spawn(|| (half..count).for_each(work));
            for _ in 0..4 {
                refresh();
            }
        });
    };
    at_once(&add);
    assert_eq!(names(&world).len(), count + 1);
    assert_eq!(refresh().outcomes().len(), count + 1);
    let verdict = world.run(&["check"]).code(0).stdout;
    assert!(verdict.starts_with(&format!("METATOKEN OK - {} tokens", count + 1)), "{verdict}");
    at_once(&forget);
    assert_eq!(names(&world), ["anna.toml"]);
    world.run(&["check"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);
}

/// A number in letters, which is all that an access token's name keeps.
fn letters(n: usize) -> String {
    n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

#[test]
fn the_answer_has_the_shape_of_a_refresh() {
    let world = World::new();
    let pasted = world.mint(short("anna"));
    let ran = world.run_with_input(&["add", "anna", "--type", "user", "--json"], &pasted);
    let ran = ran.exit(Exit::Ok);
    assert_eq!(ran.result("anna")["outcome"], "exchanged");
    assert_eq!(ran.json()["summary"]["exchanged"], 1);
    let typed = ["add", "p", "--type", "page", "--parent", "anna", "--json"];
    let ran = world.run(&typed).exit(Exit::Usage);
    assert_eq!(ran.json()["error"]["code"], "usage");
}

#[test]
fn instagram_and_its_app() {
    let world = World::new();
    world.reconfigure(&format!(
        "[app.insta]\nkind = \"instagram\"\nid = \"{INSTA_APP}\"\nsecret = {{ env = \"INSTA_SECRET\" }}\n"
    ));
    world.write(".env", "IG_TOKEN=\nOTHER=1\n");
    let pasted = world.mint(
        TokenFixture::instagram(INSTA_APP, CREATOR)
            .named("dora")
            .ending(Expiry::At(day(0) + TimeDelta::hours(1))),
    );
    let typed = ["add", "dora", "--type", "instagram", "--deliver", ".env#IG_TOKEN"];
    world.run_with_input(&typed, &pasted).exit(Exit::Ok);
    let held = world.run(&["token", "dora"]).code(0).stdout;
    assert_eq!(
        std::fs::read_to_string(world.path(".env")).unwrap(),
        format!("IG_TOKEN={}\nOTHER=1\n", held.trim_end())
    );
    assert_ne!(held.trim_end(), pasted);
}
