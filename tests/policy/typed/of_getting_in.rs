//! What `add`, `import`, `login`, `exchange` and `config check` tell the person who types them: the
//! step is done and the command typed as they stand there, and what was typed first succeeds.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};

use chrono::TimeDelta;
use metatoken::sandbox::{AppFixture, TokenFixture};
use metatoken::token::Expiry;

use super::{Done, OTHER_APP, shell};
use crate::common::{
    ANNA, APP, BAKERY, BRAND, CREATOR, INSTA_APP, Nobody, ROBOT, Ran, World, can_be_another_user,
    day, lacking, skip, until,
};

/// All cases.
pub(super) const CASES: [fn() -> Vec<Done>; 13] = [
    of_an_app_that_is_not_there,
    of_a_bare_access_token,
    of_another_access_token_that_works,
    of_an_import_that_the_store_ended,
    of_an_import_that_was_killed,
    of_what_no_person_logs_in_for,
    of_what_is_no_access_token,
    of_a_file_that_is_left_out,
    of_a_page_without_a_parent,
    of_a_config_without_tokens,
    of_a_program_that_is_not_there,
    of_a_store_that_moved_meanwhile,
    of_a_folder_that_root_owns,
];

const INSTA: &str = "[app.insta]\nkind = \"instagram\"\nid = \"1000000000000011\"\n";
const INSTA_SECRET: &str = "secret = { env = \"INSTA_SECRET\" }\n";

fn user(name: &str) -> TokenFixture {
    TokenFixture::user(APP, ANNA).named(name)
}

/// The command of metatoken in a text, the first that stands between backticks.
fn command(text: &str) -> Vec<String> {
    let is_one = |part: &&str| part.starts_with("metatoken ");
    let command = text.split('`').skip(1).step_by(2).find(is_one);
    let command = command.unwrap_or_else(|| panic!("no command in {text}"));
    command.split(' ').skip(1).map(str::to_owned).collect()
}

/// Types the first command that a text names, with these words in the place of what only a person
/// knows.
fn type_in(world: &World, text: &str, known: &[(&str, &str)], input: &str) -> Ran {
    let command = command(text);
    let named = |word: &String| {
        let known = known.iter().find(|(placeholder, _)| word == placeholder);
        known.map_or(word.clone(), |(_, is)| (*is).to_owned())
    };
    let words: Vec<String> = command.iter().map(named).collect();
    world.run_with_input(&words.iter().map(String::as_str).collect::<Vec<_>>(), input).code(0)
}

/// Types it until it succeeds: once before what its message says is done, and once after.
fn answered(
    world: &mut World,
    typed: &[&str],
    code: u8,
    act: impl FnOnce(&mut World, &str),
) -> Done {
    let told = world.run(typed).code(code);
    let told = format!("{}{}", told.stdout, told.stderr);
    act(world, &told);
    let _ = world.run(typed).code(0);
    Done(told)
}

fn of_an_app_that_is_not_there() -> Vec<Done> {
    let mut none = World::new();
    let insta = TokenFixture::instagram(INSTA_APP, CREATOR).aged(TimeDelta::days(2));
    none.write("token.txt", none.mint(insta));
    let none = answered(&mut none, &["import", "token.txt"], 78, |world, _| {
        world.reconfigure(&format!("{INSTA}{INSTA_SECRET}"));
    });
    let mut foreign = World::new().with("OTHER_SECRET", "othersecret");
    let other = AppFixture::new(OTHER_APP, "othersecret", "Other App");
    foreign.graph.with(|graph| graph.add_app(other));
    foreign.write("token.txt", foreign.mint(TokenFixture::user(OTHER_APP, ANNA)));
    let foreign = answered(&mut foreign, &["import", "token.txt"], 65, |world, _| {
        let id = format!("[app.other]\nid = \"{OTHER_APP}\"\n");
        world.reconfigure(&format!("{id}secret = {{ env = \"OTHER_SECRET\" }}\n"));
    });
    vec![none, foreign]
}

fn of_a_bare_access_token() -> Vec<Done> {
    let fixtures = [
        user("anna"),
        TokenFixture::page(APP, ANNA, BAKERY),
        TokenFixture::system_user(APP, ROBOT),
        TokenFixture::instagram(INSTA_APP, CREATOR).aged(TimeDelta::days(2)),
    ];
    let typed = |fixture| {
        let world = World::new().config(&format!("{INSTA}{INSTA_SECRET}"));
        let value = world.mint(fixture);
        world.write("token.txt", format!("{value}\n"));
        let told = world.run(&["import", "token.txt", "--json"]).code(0).json();
        let told = told["results"][0]["reason"].as_str().unwrap().to_owned();
        let _ = type_in(&world, &told, &[], "");
        assert_eq!(world.in_use(&command(&told)[1]), value);
        Done(told)
    };
    fixtures.into_iter().map(typed).chain([of_a_bare_dead_one()]).collect()
}

fn of_a_bare_dead_one() -> Done {
    let world = World::new();
    let dead = user("dead").ending(Expiry::At(day(-3))).aged(TimeDelta::days(60));
    world.write("token.txt", world.mint(dead));
    let told = world.run(&["import", "token.txt", "--json"]).code(65).json();
    let told = told["results"][0]["reason"].as_str().unwrap().to_owned();
    let new = world.mint(user("new"));
    let _ = type_in(&world, &told, &[], &new);
    assert_eq!(world.in_use(&command(&told)[1]), new);
    Done(told)
}

fn of_another_access_token_that_works() -> Vec<Done> {
    let mut world = World::new();
    let row = |value: &str| format!("label,type,access_token\nanna,user,{value}\n");
    let (first, second) = (world.mint(user("anna")), world.mint(user("anna")));
    world.write("first.csv", row(&first));
    world.write("second.csv", row(&second));
    let _ = world.run(&["import", "first.csv"]).code(0);
    vec![answered(&mut world, &["import", "second.csv"], 65, |world, told| {
        let _ = type_in(world, told, &[], &second);
        assert_eq!(world.in_use("anna"), second);
    })]
}

/// The store takes no generation, as on a disk that is full by now.
fn of_an_import_that_the_store_ended() -> Vec<Done> {
    let mut world = World::with_brand("");
    let rows = ["yves", "zoe"].map(|name| format!("{name},user,{}\n", world.mint(user(name))));
    world.write("tokens.csv", format!("label,type,access_token\n{}", rows.concat()));
    let full = "CREATE TRIGGER full BEFORE INSERT ON generation
                BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END;";
    world.sql().execute_batch(full).unwrap();
    let done = answered(&mut world, &["import", "tokens.csv"], 74, |world, _| {
        world.sql().execute_batch("DROP TRIGGER full;").unwrap();
    });
    world.run(&["check"]).verdict("\nMETATOKEN OK - 3 tokens, all well\n").code(0);
    vec![done]
}

/// Killed before a label is declared, and after it.
fn of_an_import_that_was_killed() -> Vec<Done> {
    let mut done = Vec::new();
    for (place, typed) in
        [("prepared", &["check"][..]), ("prepared", &["config", "check"]), ("declared", &["check"])]
    {
        let world = World::new();
        world.reconfigure("[http]\nconcurrency = 1\n");
        world.write(
            "tokens.csv",
            format!("label,type,access_token\nyves,user,{}\n", world.mint(user("yves"))),
        );
        world.killed_at(place, &["import", "tokens.csv"], "");
        let told = world.run(typed);
        let told = format!("{}{}", told.stdout, told.stderr);
        let folder = world.path("").display().to_string();
        let names_it = told.replace("[DIR]/", &folder);
        let at = names_it.find("run `metatoken import").unwrap_or_else(|| panic!("{told}"));
        let _ = type_in(&world, &names_it[at..], &[], "");
        world.run(&["check"]).verdict("\nMETATOKEN OK - 1 token, all well\n").code(0);
        done.push(Done(told));
    }
    done
}

fn of_what_no_person_logs_in_for() -> Vec<Done> {
    let creator = "[token.creator]\ntype = \"instagram\"\n";
    let config = format!(
        "{INSTA}{BRAND}[token.bakery]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"{BAKERY}\"\n\
         [token.robot]\ntype = \"system-user\"\n[token.self]\ntype = \"app\"\n{creator}"
    );
    let told = |world: &World, label: &str, code: u8| {
        world.run(&["login", label, "--print-url"]).stdout("").code(code).stderr
    };
    let world = World::new().config(&config).token("BRAND", user("brand"));
    let _ = world.run(&["refresh", "brand", "self"]).code(0);
    let page = told(&world, "bakery", 64);
    let words = command(&page);
    let _ = world.logs_in(&words.iter().map(String::as_str).collect::<Vec<_>>()).code(0);
    let _ = world.run(&["refresh", "bakery"]).code(0);
    let robot = told(&world, "robot", 64);
    let pasted = world.mint(TokenFixture::system_user(APP, ROBOT));
    let _ = type_in(&world, &robot, &[], &pasted);
    assert_eq!(world.in_use("robot"), pasted);
    let app = told(&world, "self", 64);
    let _ = type_in(&world, &app, &[], "");
    assert!(world.in_use("self").starts_with(APP));
    let insta = told(&world, "creator", 78);
    world.reconfigure(&config.replace(INSTA, &format!("{INSTA}{INSTA_SECRET}")));
    let _ = world.logs_in(&["login", "creator", "--expect-user", CREATOR]).code(0);
    [page, robot, app, insta].map(Done).into()
}

fn of_what_is_no_access_token() -> Vec<Done> {
    let world =
        World::new().config(&format!("[token.brand]\ntype = \"user\"\n{INSTA}{INSTA_SECRET}"));
    let insta = world.mint(TokenFixture::instagram(INSTA_APP, CREATOR).aged(TimeDelta::days(2)));
    let (of_instagram, of_the_app) = ("--type instagram", "--type app");
    let mut done = Vec::new();
    for (value, wanted) in
        [(insta.clone(), of_instagram), (format!("{APP}|FAKEvalue1"), of_the_app)]
    {
        let told = world.run_with_input(&["exchange", "brand"], &value).code(65).stderr;
        let (_, hint) = told.split_once("of its own: ").unwrap_or_else(|| panic!("{told}"));
        assert!(hint.contains(wanted), "{told}");
        let label = if wanted == of_the_app { "self" } else { "creator" };
        let _ = type_in(&world, hint, &[("LABEL", label)], &value);
        done.push(Done(told));
    }
    assert_eq!(world.in_use("creator"), insta);
    let mut world = world;
    let exchange = ["exchange", "brand", "--token-file", "pasted"];
    done.push(answered(&mut world, &exchange, 65, |world, _| {
        world.write("pasted", world.mint(user("brand")));
    }));
    done
}

fn of_a_file_that_is_left_out() -> Vec<Done> {
    let world = World::new();
    let pasted = world.mint(user("anna"));
    world.write("tokens.d/anna.toml", "[token.anna]\ntype = \"usr\"\n");
    let told = world.run_with_input(&["exchange", "anna"], &pasted).code(78).stderr;
    let words = command(&told);
    let shown = world.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).code(78).stderr;
    assert!(shown.contains("tokens.d/anna.toml:2:8") || shown.contains("unknown type"), "{shown}");
    world.write("tokens.d/anna.toml", "[token.anna]\ntype = \"user\"\n");
    let _ = world.run_with_input(&["exchange", "anna"], &pasted).code(0);
    vec![Done(told)]
}

fn of_a_page_without_a_parent() -> Vec<Done> {
    let page = format!("[token.page]\ntype = \"page\"\npage_id = \"{BAKERY}\"\n");
    let world = World::new().config(&page);
    let watched = "nothing at Meta renews a Page token without its parent";
    let told = world.run(&["config", "check"]).stdout;
    assert!(told.contains(watched), "{told}");
    let (_, step) = told.split_once(watched).unwrap();
    let pasted = world.mint(user("anna").scopes(["public_profile", "pages_show_list"]));
    let _ = type_in(&world, step, &[("USER", "anna")], &pasted);
    world.reconfigure(&format!("{page}parent = \"anna\"\n"));
    let checked = world.run(&["config", "check"]).code(0).stdout;
    assert!(!checked.contains(watched), "{checked}");
    let _ = world.run(&["refresh"]).code(0);
    assert!(world.in_use("page").starts_with("EAAFAKEPage"), "{}", world.in_use("page"));
    vec![Done(told)]
}

fn of_a_config_without_tokens() -> Vec<Done> {
    let mut done = Vec::new();
    for typed in [&["config", "check"][..], &["check"]] {
        let world = World::new();
        let told = world.run(typed);
        let told = format!("{}{}", told.stdout, told.stderr);
        let known = [("LABEL", "anna"), ("TYPE", "user")];
        let _ = type_in(&world, &told, &known, &world.mint(user("anna")));
        let after = world.run(typed).code(0);
        assert!(
            !format!("{}{}", after.stdout, after.stderr).contains("add LABEL"),
            "{}",
            after.stdout
        );
        done.push(Done(told));
    }
    done
}

/// A config that starts a program, and the exit code of `config check` where that is missing.
type Starting<'a> = (&'a dyn Fn(&str) -> String, u8);

fn of_a_program_that_is_not_there() -> Vec<Done> {
    let secret = |program: &str| {
        format!("[app.two]\nid = \"{OTHER_APP}\"\nsecret = {{ command = [\"{program}\"] }}\n")
    };
    let channel =
        |program: &str| format!("{BRAND}[[notify]]\nname = \"ops\"\ncommand = [\"{program}\"]\n");
    let cases: [Starting<'_>; 2] = [(&secret, 78), (&channel, 0)];
    let is_found = |(config, code): &Starting<'_>| {
        let config = |program: &str| config(program);
        let mut world =
            World::new().config(&config("no-such-program")).token("BRAND", user("brand"));
        let check = ["config", "check"];
        let told = answered(&mut world, &check, *code, |world, _| {
            let program = world.path("program.sh").display().to_string();
            // By a process of its own: a file that this one has open to write cannot be started.
            let script = format!("printf '#!/bin/sh\\necho othersecret\\n' > {program}");
            assert!(shell(&format!("{script}; chmod 755 {program}")));
            world.reconfigure(&config(&program));
        });
        let after = world.run(&check).code(0).stdout;
        assert!(!after.contains("whole path"), "{after}");
        told
    };
    cases.iter().map(is_found).collect()
}

fn of_a_store_that_moved_meanwhile() -> Vec<Done> {
    let world = World::with_brand("");
    let lock = fs::File::open(world.path("metatoken.db.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let typed = ["refresh", "--lock-wait", "30s"];
    if !std::path::Path::new("/proc/self/fd").exists() {
        skip("a config that is changed while a run waits", "there is no /proc");
        return Vec::new();
    }
    let waiting = world.spawn(&typed);
    let files = format!("/proc/{}/fd", waiting.id());
    until("it waits for the lock", || {
        let open = fs::read_dir(&files).into_iter().flatten().flatten();
        open.filter_map(|it| fs::read_link(it.path()).ok())
            .any(|it| it.ends_with("metatoken.db.lock"))
    });
    world.reconfigure(&format!("[store]\npath = \"other/metatoken.db\"\n{BRAND}"));
    drop(lock);
    let told = world.finish(waiting).code(78).stderr;
    let _ = world.run(&typed).code(0);
    assert!(world.path("other/metatoken.db").exists());
    vec![Done(told)]
}

/// The service's user owns the store, and root the folder in which tokens are declared.
fn of_a_folder_that_root_owns() -> Vec<Done> {
    if !can_be_another_user() {
        return Vec::new();
    }
    let world = World::new().config("[store]\npath = \"state/metatoken.db\"\n");
    world.write(
        "tokens.csv",
        format!("label,type,access_token\nanna,user,{}\n", world.mint(user("anna"))),
    );
    fs::create_dir(world.path("state")).unwrap();
    fs::create_dir(world.path("tokens.d")).unwrap();
    for (name, mode) in
        [(".", 0o755), ("tokens.d", 0o755), ("metatoken.toml", 0o644), ("tokens.csv", 0o644)]
    {
        fs::set_permissions(world.path(name), Permissions::from_mode(mode)).unwrap();
    }
    chown(world.path("state"), Some(65534), Some(65534)).unwrap();
    let file = world.path("tokens.csv").display().to_string();
    let service = Nobody::new();
    let told = service.run(&world, &["import", &file]).code(74).stderr;
    assert!(told.contains("hint: run it as the user who owns that folder"), "{told}");
    let _ = world.run(&["import", &file]).code(0);
    fs::set_permissions(world.path("tokens.d/anna.toml"), Permissions::from_mode(0o644)).unwrap();
    let forget = ["forget", "anna", "--undeclare"];
    let of_forget = service.run(&world, &forget).code(74).stderr;
    assert!(of_forget.contains("hint: run it as the user who owns that folder"), "{of_forget}");
    let _ = world.run(&forget).code(0);
    vec![Done(told)]
}

/// A secret that root keeps from the user of the service is read once root opens it, with the command
/// that is named: a file of ours changes its owner, an application's keeps it.
#[test]
fn a_secret_that_root_keeps_is_read_once_root_opens_it() {
    if !can_be_another_user() {
        return;
    }
    for (source, holds, needs) in [
        ("{ file = \"app-secret\" }", "fakesecretofthemainapp\n", &["chown"][..]),
        (
            "{ file = \"app.env\", key = \"SECRET\" }",
            "SECRET=fakesecretofthemainapp\n",
            &["setfacl"],
        ),
    ] {
        if let Some(lacks) = lacking(needs) {
            skip("what root opens to the user of the service", &lacks);
            continue;
        }
        let world =
            World::new().config(&format!("[store]\npath = \"state/metatoken.db\"\n{BRAND}"));
        let world = world.token("BRAND", user("brand"));
        let config = fs::read_to_string(world.path("metatoken.toml")).unwrap();
        world.write("metatoken.toml", config.replace("{ env = \"APP_SECRET\" }", source));
        let file = source.split('"').nth(1).unwrap();
        world.write(file, holds);
        fs::create_dir(world.path("state")).unwrap();
        for (name, mode) in [(".", 0o755), ("metatoken.toml", 0o644)] {
            fs::set_permissions(world.path(name), Permissions::from_mode(mode)).unwrap();
        }
        chown(world.path("state"), Some(65534), Some(65534)).unwrap();
        let service = Nobody::new();
        let told = service.run(&world, &["config", "check"]).code(78).stdout;
        let (_, step) = told.split_once("as root, run `").unwrap_or_else(|| panic!("{told}"));
        let step = step.split('`').next().unwrap();
        assert!(step.starts_with(needs[0]), "{told}");
        let folder = world.path("").display().to_string();
        assert!(shell(&step.replace("[DIR]", folder.trim_end_matches('/'))), "{step}");
        let _ = service.run(&world, &["config", "check"]).code(0);
        let _ = service.run(&world, &["refresh"]).code(0);
    }
}
