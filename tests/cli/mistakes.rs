//! The mistakes of newcomers, the messages that they get, and that what these say to do works.
//!
//! `mistakes.txt` holds everything that is printed for each. A person then does what the message says
//! outside of metatoken, the first command that it names is typed as it stands there, and what was
//! typed at first succeeds.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::{Command, Stdio};

use metatoken::sandbox::{AppFixture, Invalidation, TokenFixture};

use crate::common::{
    ANNA, APP, APP_SECRET, BAKERY, BRAND, CREATOR, INSTA_APP, Nobody, Ran, World,
    can_be_another_user, day,
};

/// What is printed for each, under its heading.
const SAID: &str = include_str!("mistakes.txt");

/// One mistake of a newcomer.
struct Mistake {
    /// Its heading in `mistakes.txt`.
    name: &'static str,
    /// A world in which it was made.
    made: fn() -> World,
    /// Who types.
    by: By,
    typed: &'static [&'static str],
    input: &'static str,
    code: u8,
    /// What is typed once it is known, where that is not what was typed at first.
    again: Option<&'static [&'static str]>,
    /// Does what the message says outside of metatoken, and gives what is pasted afterwards.
    done: fn(&mut World) -> String,
}

/// Who types.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// Whoever runs the tests.
    Me,
    /// An unprivileged user who owns all files of the world.
    Service,
    /// An unprivileged user who owns none.
    Stranger,
    /// Whoever runs the tests, without `--config` before it.
    Bare,
}

impl Mistake {
    const fn of(
        name: &'static str,
        made: fn() -> World,
        code: u8,
        done: fn(&mut World) -> String,
    ) -> Self {
        Self { name, made, by: By::Me, typed: &["refresh"], input: "", code, again: None, done }
    }

    const fn typing(self, typed: &'static [&'static str]) -> Self {
        Self { typed, ..self }
    }

    const fn piping(self, input: &'static str) -> Self {
        Self { input, ..self }
    }

    const fn corrected(self, again: &'static [&'static str]) -> Self {
        Self { again: Some(again), ..self }
    }

    const fn by(self, by: By) -> Self {
        Self { by, ..self }
    }

    fn run(&self, world: &World, arguments: &[&str], input: &str) -> Ran {
        match self.by {
            By::Me => world.run_with_input(arguments, input),
            By::Service => {
                give_to_the_service(world);
                Nobody::new().run(world, arguments)
            }
            By::Stranger => Nobody::new().run(world, arguments),
            By::Bare => bare(world, arguments),
        }
    }
}

fn give_to_the_service(world: &World) {
    let given = Command::new("chown").args(["-R", "65534:65534"]).arg(world.path(".")).status();
    assert!(given.unwrap().success());
}

/// Runs the binary with nothing but a home.
fn bare(world: &World, arguments: &[&str]) -> Ran {
    let folder = world.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    let mut command = Command::new(env!("CARGO_BIN_EXE_metatoken"));
    command.env_clear().env("HOME", &folder).current_dir(&folder);
    command.env("BRAND", value(world)).env("APP_SECRET", APP_SECRET);
    command.args(arguments.iter().map(|argument| argument.replace("[DIR]", &folder)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    world.finish(command.spawn().unwrap())
}

fn user() -> TokenFixture {
    TokenFixture::user(APP, ANNA).named("brand")
}

/// A config with that table, and a good access token in the variable `BRAND` and the file `token`.
fn with(tables: &str) -> World {
    let world = World::new().config(tables).token("BRAND", user());
    world.write("token", value(&world));
    world
}

fn value(world: &World) -> String {
    world.mint(user())
}

/// `brand` finds its first access token in a file.
const FROM_A_FILE: &str = "[token.brand]\ntype = \"user\"\naccess_token = { file = \"token\" }\n";

/// `brand` with what is in the file changed.
fn with_file(change: fn(String) -> String) -> World {
    let world = with(FROM_A_FILE);
    let good = value(&world);
    world.write("token", change(good));
    world
}

/// Puts another text in the place of one that stands in a file.
#[expect(clippy::disallowed_methods, reason = "a person's editor")]
fn edit(world: &World, name: &str, from: &str, to: &str) -> String {
    let text = fs::read_to_string(world.path(name)).unwrap();
    assert!(text.contains(from), "no {from:?} in {text}");
    let mode = fs::metadata(world.path(name)).unwrap().permissions();
    fs::write(world.path(name), text.replace(from, to)).unwrap();
    fs::set_permissions(world.path(name), mode).unwrap();
    String::new()
}

fn config(world: &World, from: &str, to: &str) -> String {
    edit(world, "metatoken.toml", from, to)
}

fn nothing(_: &mut World) -> String {
    String::new()
}

fn mode(world: &World, name: &str, mode: u32) {
    fs::set_permissions(world.path(name), Permissions::from_mode(mode)).unwrap();
}

/// What stands in the file is one good access token.
fn good_file(world: &mut World) -> String {
    let good = value(world);
    world.write("token", format!("{good}\n"));
    good
}

/// The value of a good access token, to be pasted.
fn paste(world: &mut World) -> String {
    value(world)
}

/// `brand` in use on day 1.
fn kept(tables: &str) -> World {
    let mut world = with(&format!("{BRAND}{tables}"));
    world.run(&["refresh"]).code(0);
    world.at(day(1));
    world
}

fn is_typed(command: &str) -> bool {
    let begins = ["metatoken ", "chmod ", "chown ", "mv "];
    let is_one = begins.iter().any(|begins| command.starts_with(begins));
    // It is named as where a backup comes from.
    is_one && command != "metatoken store backup"
}

/// Types the first command that a message names, and then what was typed at first, which succeeds.
fn obey(world: &World, mistake: &Mistake, said: &str, pasted: &str) -> Result<(), String> {
    let folder = world.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    let hints = said.lines().skip_while(|line| !line.trim_start().starts_with("hint: "));
    let text = hints.collect::<Vec<_>>().join("\n");
    let text = if text.is_empty() { said } else { &text };
    if let Some(command) = text.split('`').skip(1).step_by(2).find(|part| is_typed(part)) {
        let backup = format!("{folder}/backup.db");
        let command = command.replace("[DIR]", &folder).replace("BACKUP", &backup);
        if let Some(arguments) = command.strip_prefix("metatoken ") {
            let mut arguments: Vec<&str> = arguments.split(' ').collect();
            let answers = answers(world, &arguments);
            arguments.extend(answers.iter().map(String::as_str));
            let ran = match arguments[0] {
                "login" => world.logs_in(&arguments),
                _ => mistake.run(world, &arguments, pasted),
            };
            if ran.code != Some(0) {
                return Err(format!("typed `{command}`: {}{}", ran.stdout, ran.stderr));
            }
        } else if !Command::new("sh").args(["-c", &command]).status().unwrap().success() {
            return Err(format!("typed `{command}`"));
        }
    }
    let again = match mistake.again {
        Some(again) => again,
        // An unknown command stays so: the one that the message names was the step.
        None if mistake.code == 64 => return Ok(()),
        None => mistake.typed,
    };
    let again = mistake.run(world, again, pasted);
    match again.code {
        Some(0) => Ok(()),
        code => Err(format!("typed again: {code:?} {}{}", again.stdout, again.stderr)),
    }
}

/// What a person answers on a terminal where a command asks.
fn answers(world: &World, arguments: &[&str]) -> Vec<String> {
    if arguments != ["init"] {
        return Vec::new();
    }
    world.write("secret", APP_SECRET);
    let folder = world.path(".config/metatoken").display().to_string();
    let secret = world.path("secret").display().to_string();
    let graph = format!("facebook={}", world.graph.url());
    let given =
        ["--app-id", APP, "--app-secret-file", &secret, "--dir", &folder, "--endpoint", &graph];
    given.map(str::to_owned).to_vec()
}

const CONFIG: [Mistake; 26] = [
    Mistake::of(
        "a key is misspelt",
        || with(&BRAND.replace("access_token", "acces_token")),
        78,
        |world| config(world, "acces_token", "access_token"),
    ),
    Mistake::of(
        "a type is misspelt",
        || with(&BRAND.replace("\"user\"", "\"usr\"")),
        78,
        |world| config(world, "\"usr\"", "\"user\""),
    ),
    Mistake::of(
        "a table is misspelt",
        || with(&BRAND.replace("[token.", "[tokens.")),
        78,
        |world| config(world, "[tokens.", "[token."),
    ),
    Mistake::of(
        "a parent is misspelt",
        || {
            let page = "[token.shop]\ntype = \"page\"\nparent = \"brnd\"\npage_id = ";
            with(&format!("{BRAND}{page}\"{BAKERY}\"\n"))
        },
        78,
        |world| config(world, "\"brnd\"", "\"brand\""),
    ),
    Mistake::of(
        "a quote is missing",
        || with(&BRAND.replace("\"user\"", "\"user")),
        78,
        |world| config(world, "\"user\n", "\"user\"\n"),
    ),
    Mistake::of(
        "a label has a dot",
        || with(&BRAND.replace("token.brand", "token.brand.de")),
        78,
        |world| config(world, "token.brand.de", "token.brand-de"),
    ),
    Mistake::of(
        "two apps, and a token that names none",
        || {
            let other =
                "[app.other]\nid = \"1000000000000002\"\nsecret = { env = \"APP_SECRET\" }\n";
            with(&format!("{other}{BRAND}"))
        },
        78,
        |world| config(world, "type = \"user\"", "type = \"user\"\napp = \"main\""),
    ),
    Mistake::of(
        "an endpoint without TLS",
        || {
            let world = with(BRAND);
            let url = world.graph.url().clone();
            let facebook = format!("facebook = \"{url}\"");
            config(&world, &facebook, "facebook = \"http://graph.facebook.com\"");
            world
        },
        78,
        |world| {
            let facebook = format!("facebook = \"{}\"", world.graph.url());
            config(world, "facebook = \"http://graph.facebook.com\"", &facebook)
        },
    ),
    Mistake::of(
        "a secret in a config that others can read",
        || {
            let world = with(BRAND);
            config(&world, "{ env = \"APP_SECRET\" }", &format!("\"{APP_SECRET}\""));
            mode(&world, "metatoken.toml", 0o644);
            world
        },
        78,
        nothing,
    ),
    Mistake::of(
        "a config that its group can write",
        || {
            let world = with(BRAND);
            mode(&world, "metatoken.toml", 0o660);
            world
        },
        78,
        nothing,
    ),
    Mistake::of(
        "a config that is another user's",
        || {
            let world = with(BRAND);
            chown(world.path("metatoken.toml"), Some(65534), None).unwrap();
            world
        },
        78,
        nothing,
    ),
    Mistake::of(
        "a store that everyone can write",
        || {
            let world = kept("");
            mode(&world, "metatoken.db", 0o666);
            world
        },
        2,
        nothing,
    )
    .typing(&["check"]),
    Mistake::of(
        "an id without quotes",
        || {
            let world = with(BRAND);
            config(&world, &format!("\"{APP}\""), APP);
            world
        },
        78,
        |world| config(world, &format!("id = {APP}"), &format!("id = \"{APP}\"")),
    ),
    Mistake::of(
        "the app's name for its id",
        || {
            let world = with(BRAND);
            config(&world, &format!("\"{APP}\""), "\"my-app\"");
            world
        },
        78,
        |world| config(world, "\"my-app\"", &format!("\"{APP}\"")),
    ),
    Mistake::of(
        "the Page's name for its id",
        || {
            let page = "[token.shop]\ntype = \"page\"\nparent = \"brand\"\npage_id = ";
            with(&format!("{BRAND}{page}\"My Page\"\n"))
        },
        78,
        |world| config(world, "\"My Page\"", &format!("\"{BAKERY}\"")),
    ),
    Mistake::of(
        "a secret's file is missing",
        || {
            let world = with(BRAND);
            config(&world, "{ env = \"APP_SECRET\" }", "{ file = \"app-secret\" }");
            world
        },
        77,
        |world| {
            world.write("app-secret", APP_SECRET);
            String::new()
        },
    ),
    Mistake::of(
        "a secret's file is missing, as `config check` says it",
        || {
            let world = with(BRAND);
            config(&world, "{ env = \"APP_SECRET\" }", "{ file = \"app-secret\" }");
            world
        },
        78,
        |world| {
            world.write("app-secret", APP_SECRET);
            String::new()
        },
    )
    .typing(&["config", "check"]),
    Mistake::of(
        "an app without its secret",
        || {
            let world = with(BRAND);
            config(&world, "secret = { env = \"APP_SECRET\" }\n", "");
            world
        },
        77,
        the_secret_in_a_file,
    ),
    Mistake::of(
        "an app without its secret, as `config check` says it",
        || {
            let world = with(BRAND);
            config(&world, "secret = { env = \"APP_SECRET\" }\n", "");
            world
        },
        78,
        the_secret_in_a_file,
    )
    .typing(&["config", "check"]),
    Mistake::of(
        "a wrong secret",
        || with(BRAND).with("APP_SECRET", "fakewrongsecret"),
        77,
        |world| {
            world.set("APP_SECRET", APP_SECRET);
            String::new()
        },
    ),
    Mistake::of(
        "a wrong id",
        || {
            let world = with(BRAND);
            config(&world, APP, "1000000000000099");
            world
        },
        77,
        |world| config(world, "1000000000000099", APP),
    ),
    Mistake::of(
        "the id of another app",
        || {
            let world = with(BRAND);
            let other = AppFixture::new("1000000000000002", "fakeothersecret", "Other App");
            world.graph.with(|graph| graph.add_app(other));
            config(&world, APP, "1000000000000002");
            world
        },
        77,
        |world| config(world, "1000000000000002", APP),
    ),
    Mistake::of(
        "id and secret of another app",
        || {
            let world = with(BRAND).with("APP_SECRET", "fakeothersecret");
            let other = AppFixture::new("1000000000000002", "fakeothersecret", "Other App");
            world.graph.with(|graph| graph.add_app(other));
            config(&world, APP, "1000000000000002");
            world
        },
        65,
        |world| {
            world.set("APP_SECRET", APP_SECRET);
            config(world, "1000000000000002", APP);
            value(world)
        },
    ),
    Mistake::of(
        "a program that is not on the PATH",
        || {
            let world = with(BRAND);
            config(&world, "{ env = \"APP_SECRET\" }", "{ command = [\"pass\", \"meta\"] }");
            let bin = world.path("bin");
            fs::create_dir(&bin).unwrap();
            let path = format!("/usr/bin:/bin:{}", bin.display());
            world.with("PATH", &path)
        },
        77,
        |world| {
            world.write("bin/pass", format!("#!/bin/sh\necho {APP_SECRET}\n"));
            mode(world, "bin/pass", 0o700);
            String::new()
        },
    ),
    Mistake::of(
        "a Page id that is none",
        || {
            let page = "[token.shop]\ntype = \"page\"\nparent = \"brand\"\npage_id = \"9999\"\n";
            with(&format!("{BRAND}{page}"))
        },
        77,
        |world| config(world, "\"9999\"", &format!("\"{BAKERY}\"")),
    ),
    Mistake::of(
        "a label that is renamed without `was`",
        || {
            let world = kept("");
            config(&world, "[token.brand]", "[token.label]");
            world
        },
        78,
        |world| config(world, "[token.label]", "[token.label]\nwas = \"brand\""),
    ),
];

fn the_secret_in_a_file(world: &mut World) -> String {
    world.write("app-secret", APP_SECRET);
    config(world, "[app.main]", "[app.main]\nsecret = { file = \"app-secret\" }")
}

const FIRST_TOKENS: [Mistake; 18] = [
    Mistake::of(
        "a first access token's file is missing",
        || with(&FROM_A_FILE.replace("\"token\"", "\"first\"")),
        77,
        |world| {
            let good = value(world);
            world.write("first", good);
            String::new()
        },
    ),
    Mistake::of(
        "a first access token's file is empty",
        || with_file(|_| String::new()),
        77,
        good_file,
    ),
    Mistake::of(
        "a first access token's file cannot be read",
        || {
            let world = with(FROM_A_FILE);
            mode(&world, "token", 0o000);
            world
        },
        77,
        nothing,
    )
    .by(By::Service),
    Mistake::of(
        "a first access token's variable is not set",
        || with(&BRAND.replace("BRAND", "FB_TOKEN")),
        77,
        |world| {
            let good = value(world);
            world.set("FB_TOKEN", &good);
            String::new()
        },
    ),
    Mistake::of(
        "a first access token with a line break",
        || with_file(|good| format!("{}\n{}\n", &good[..9], &good[9..])),
        77,
        good_file,
    ),
    Mistake::of(
        "a first access token in quotes",
        || with_file(|good| format!("\"{good}\"\n")),
        77,
        |world| edit(world, "token", "\"", ""),
    ),
    Mistake::of(
        "NAME= before a first access token",
        || with_file(|good| format!("FB_TOKEN={good}\n")),
        77,
        |world| edit(world, "token", "FB_TOKEN=", ""),
    ),
    Mistake::of(
        "NAME= before a first access token, as `config check` says it",
        || with_file(|good| format!("FB_TOKEN={good}\n")),
        78,
        |world| edit(world, "token", "FB_TOKEN=", ""),
    )
    .typing(&["config", "check"]),
    Mistake::of(
        "a first access token that is cut in half",
        || with_file(|good| good[..good.len() / 2].to_owned()),
        65,
        good_file,
    ),
    Mistake::of(
        "an Instagram token for a user's",
        || {
            let world = with(FROM_A_FILE);
            world.write("token", world.mint(TokenFixture::instagram(INSTA_APP, CREATOR)));
            world
        },
        77,
        good_file,
    ),
    Mistake::of(
        "a Page token for a user's",
        || {
            let world = with(FROM_A_FILE);
            world.write("token", world.mint(TokenFixture::page(APP, ANNA, BAKERY)));
            world
        },
        65,
        good_file,
    ),
    Mistake::of("an access token as an argument", || with(BRAND), 64, paste).typing(&[
        "exchange",
        "brand",
        "EAAFAKEsecretvalue",
    ]),
    Mistake::of(
        "two access tokens are piped",
        || with("[token.brand]\ntype = \"user\"\n"),
        65,
        paste,
    )
    .typing(&["exchange", "brand"])
    .piping("EAAFAKEone\nEAAFAKEtwo\n"),
    Mistake::of("nothing is piped", || with("[token.brand]\ntype = \"user\"\n"), 65, paste)
        .typing(&["exchange", "brand"]),
    Mistake::of("a label is misspelt", || kept(""), 64, nothing)
        .typing(&["status", "brnd"])
        .corrected(&["status", "brand"]),
    Mistake::of(
        "an access token that has expired",
        || {
            let mut world = kept("");
            world.at(day(70));
            world
        },
        77,
        paste,
    ),
    Mistake::of(
        "an access token whose person changed the password",
        || {
            let world = kept("");
            let name = world.in_use("brand");
            world.graph.with(|graph| graph.invalidate(&name, Invalidation::PasswordChanged));
            world
        },
        77,
        paste,
    )
    .typing(&["refresh", "brand"]),
    Mistake::of(
        "garbage in a file that metatoken writes",
        || {
            let world = with(&format!("{BRAND}{TO_A_FILE}"));
            world.write("app.env", "TOKEN=\n");
            world.run(&["refresh"]).code(0);
            world.write("app.env", "TOKEN=EAAFAKEgarbage\n");
            world
        },
        0,
        nothing,
    ),
];

const TO_A_FILE: &str = "[[token.brand.deliver]]\nfile = \"app.env\"\nkey = \"TOKEN\"\n";

const MACHINE: [Mistake; 17] = [
    Mistake::of("a subcommand is misspelt", || kept(""), 64, nothing).typing(&["refesh"]),
    Mistake::of("`renew`", || kept(""), 64, nothing).typing(&["renew"]),
    Mistake::of("`list`", || kept(""), 64, nothing).typing(&["list"]),
    Mistake::of("a scenario is misspelt", World::new, 64, nothing)
        .typing(&["--sandbox=[DIR]/sandbox", "--scenario", "trouble", "status"])
        .corrected(&["--sandbox=[DIR]/sandbox", "--scenario", "troubles", "status"])
        .by(By::Bare),
    Mistake::of("there is no config", World::new, 78, nothing)
        .typing(&["config", "check"])
        .by(By::Bare),
    Mistake::of("a folder for the config", || with(BRAND), 78, nothing)
        .typing(&["-c", ".", "refresh"])
        .corrected(&["--config", "[DIR]/metatoken.toml", "refresh"])
        .by(By::Bare),
    Mistake::of(
        "a config that I may not read",
        || {
            let world = with(BRAND);
            mode(&world, ".", 0o755);
            world
        },
        78,
        |world| {
            mode(world, "metatoken.toml", 0o640);
            chown(world.path("metatoken.toml"), None, Some(65534)).unwrap();
            String::new()
        },
    )
    .typing(&["config", "show"])
    .by(By::Stranger),
    Mistake::of(
        "root first, then the service's user",
        || {
            let world = with(BRAND);
            mode(&world, ".", 0o755);
            mode(&world, "metatoken.toml", 0o644);
            world.run(&["refresh"]).code(0);
            world
        },
        74,
        nothing,
    )
    .by(By::Stranger),
    Mistake::of(
        "a clock in 1970",
        || {
            let mut world = with(BRAND);
            world.our_clock_at(chrono::DateTime::UNIX_EPOCH);
            world
        },
        0,
        |world| {
            world.our_clock_at(day(0));
            String::new()
        },
    ),
    Mistake::of(
        "the store is destroyed",
        || {
            let world = kept("");
            fs::copy(world.path("metatoken.db"), world.path("backup.db")).unwrap();
            world.write("metatoken.db", "destroyed");
            world
        },
        74,
        |world| {
            fs::copy(world.path("backup.db"), world.path("metatoken.db")).unwrap();
            String::new()
        },
    ),
    Mistake::of(
        "the store's path is a folder",
        || {
            let world = with(&format!("[store]\npath = \"state\"\n{BRAND}"));
            fs::create_dir(world.path("state")).unwrap();
            world
        },
        74,
        |world| config(world, "\"state\"", "\"state/metatoken.db\""),
    ),
    Mistake::of(
        "the store's key is lost",
        || {
            let world = kept("");
            fs::rename(world.path("metatoken.key"), world.path("safe.key")).unwrap();
            world
        },
        74,
        |world| {
            fs::rename(world.path("safe.key"), world.path("metatoken.key")).unwrap();
            String::new()
        },
    ),
    Mistake::of(
        "the store's key is another's",
        || {
            let world = kept("");
            fs::rename(world.path("metatoken.key"), world.path("safe.key")).unwrap();
            world.write("metatoken.key", "00".repeat(32));
            world
        },
        74,
        |world| {
            fs::rename(world.path("safe.key"), world.path("metatoken.key")).unwrap();
            String::new()
        },
    ),
    Mistake::of(
        "there is no network",
        || {
            let world = with(&format!("[http]\nattempts = 1\n{BRAND}"));
            let url = world.graph.url().clone();
            config(&world, &url, "http://127.0.0.1:9");
            world
        },
        69,
        |world| {
            let url = world.graph.url().clone();
            config(world, "http://127.0.0.1:9", &url)
        },
    ),
    Mistake::of(
        "a target's file is missing",
        || with(&format!("{BRAND}{TO_A_FILE}")),
        73,
        |world| {
            world.write("app.env", "TOKEN=\n");
            String::new()
        },
    ),
    Mistake::of(
        "a target's key is missing",
        || {
            let world = with(&format!("{BRAND}{TO_A_FILE}"));
            world.write("app.env", "OTHER=1\n");
            world
        },
        73,
        |world| edit(world, "app.env", "OTHER", "TOKEN=\nOTHER"),
    ),
    Mistake::of(
        "a target's command fails",
        || {
            let world = World::new();
            let hook = world.path("hook").display().to_string();
            let command = format!("[[token.brand.deliver]]\ncommand = [\"/bin/sh\", \"{hook}\"]\n");
            let world = world.config(&format!("{BRAND}{command}")).token("BRAND", user());
            world.write("hook", "echo no such unit >&2\nexit 5\n");
            world
        },
        73,
        |world| edit(world, "hook", "exit 5", "exit 0"),
    ),
];

/// What is printed is what `mistakes.txt` has, and its next step ends it.
#[test]
fn each_mistake_is_answered_with_a_step_that_ends_it() {
    let mut text = String::new();
    let mut stand = Vec::new();
    for mistake in CONFIG.iter().chain(&FIRST_TOKENS).chain(&MACHINE) {
        if matches!(mistake.by, By::Service | By::Stranger) && !can_be_another_user() {
            text += &entry(mistake.name).unwrap_or_default();
            continue;
        }
        let mut world = (mistake.made)();
        let ran = mistake.run(&world, mistake.typed, mistake.input);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let _ = write!(text, "==== {}\n{}\n----\n{said}", mistake.name, mistake.typed.join(" "));
        if ran.code != Some(i32::from(mistake.code)) {
            stand.push(format!("{}: exited with {:?}", mistake.name, ran.code));
        }
        let pasted = (mistake.done)(&mut world);
        if let Err(why) = obey(&world, mistake, &said, &pasted) {
            stand.push(format!("{}: {why}", mistake.name));
        }
    }
    let stand = stand.join("\n");
    assert!(
        text == SAID && stand.is_empty(),
        "{stand}\n-- found\n{text}\n-- end of what was found"
    );
}

/// What `mistakes.txt` has under that heading.
fn entry(name: &str) -> Option<String> {
    let heading = format!("==== {name}\n");
    let (_, rest) = SAID.split_once(&heading)?;
    let end = rest.find("\n==== ").map_or(rest.len(), |at| at + 1);
    Some(format!("{heading}{}", &rest[..end]))
}
