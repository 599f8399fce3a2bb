//! What holds for every command: data and talk apart, silence where nobody has anything to do,
//! errors that programs can read, pipes and terminals; and `token` and `config`.

use metatoken::exit::Exit;
use metatoken::sandbox::{FaultInjection, Invalidation, Rule, TokenFixture};
use metatoken::token::Expiry;

use crate::common::{self, ANNA, APP, Ran, World, day};

const CONFIG: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
owner = "anna@client.example"
"#;

fn kept() -> World {
    let world =
        World::new().config(CONFIG).token("BRAND", TokenFixture::user(APP, ANNA).named("brand"));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world
}

/// Runs a line of the shell in which `"$@"` is the binary with these arguments.
fn shell(world: &World, line: &str, arguments: &[&str]) -> Ran {
    world.finish(common::shell(line, &world.command(arguments)).spawn().unwrap())
}

/// Runs a line of the shell under a terminal of 100 columns.
fn terminal(world: &World, line: &str, arguments: &[&str]) -> Ran {
    let mut ran =
        world.finish(common::terminal(100, line, &world.command(arguments)).spawn().unwrap());
    ran.stdout = ran.stdout.replace("\r\n", "\n");
    ran
}

#[test]
fn quiet_is_silent_unless_a_person_has_something_to_do() {
    let mut world = kept();
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    world.at(day(39));
    world.run(&["refresh", "--quiet"]).exit(Exit::Ok).silent();
    // Out of reach, with twenty days left.
    world.at(day(40));
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    world.run(&["refresh", "--quiet"]).exit(Exit::Unavailable).silent();
    // The same with nine days left.
    world.at(day(51));
    world.run(&["refresh", "--quiet"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  failed   2026-03-02  graph unavailable (1)

critical: `brand`: not checked since 2026-02-09, no answer from Graph for more than 7 days (`checked_within`)
  hint: run `metatoken refresh -v` to see why Graph was not reached
warning: `brand`: not checked since 2026-02-09, renewal failed: Graph is unavailable
  hint: no action tonight: it is retried by each run until 2026-02-27. If this is still here then, anna@client.example logs in to the app again: run `metatoken login brand`
  Meta: \"An unknown error occurred\" (1)

1 token: 1 failed
").stderr("").exit(Exit::Unavailable);
    world.graph.behave();
    world.graph.with(|graph| graph.invalidate("EAAFAKEBrand1", Invalidation::PasswordChanged));
    world.at(day(52));
    world.run(&["refresh", "--quiet"]).stdout("
TOKEN  OUTCOME  EXPIRES     REASON
brand  invalid  2026-03-02  password changed (190/460)

critical: `brand`: down, password changed
  hint: anna@client.example logs in to the app again: run `metatoken login brand`
  Meta: \"The session has been invalidated because the user changed their password or Facebook has…\" (190/460)

1 token: 1 invalid
").stderr("").exit(Exit::PersonNeeded);
    // What was asked for is printed all the same.
    let asked = ["token", "brand", "--dead", "--quiet"];
    world.run(&asked).stdout("\nEAAFAKEBrand1\n").stderr("").exit(Exit::Ok);
    let ran = world.run(&["refresh", "--quiet", "--json"]).exit(Exit::PersonNeeded).stderr("");
    assert_eq!(ran.outcomes()["brand"], "invalid");
}

#[test]
fn a_first_string_that_waits_is_worth_a_word_even_in_quiet() {
    let world = World::new().config(CONFIG).token("BRAND", TokenFixture::user(APP, ANNA));
    world.graph.misbehave(Rule::any(), FaultInjection::Status(503));
    let ran = world.run(&["refresh", "--quiet"]).exit(Exit::Unavailable);
    assert!(!ran.stdout.is_empty());
}

#[test]
fn verbose_says_what_is_decided_on_stderr() {
    let mut world = kept();
    world.at(day(40));
    let ran = world.run(&["refresh", "-v"]).exit(Exit::Ok).stdout(
        "
TOKEN  OUTCOME    EXPIRES     REASON
brand  refreshed  2026-04-11  expires in 20 days (renewal window: 20 days)

1 token: 1 refreshed
",
    );
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let decided =
        "2026-02-10T00:00:00Z info: brand: renew: expires in 20 days (renewal window: 20 days)";
    assert!(lines.contains(&decided), "{lines:#?}");
}

#[test]
fn a_format_that_a_command_has_not_is_a_usage_error() {
    let world = kept();
    for (command, format) in [
        ("status", "csv"),
        ("refresh", "nagios"),
        ("history", "nagios"),
        ("check", "table"),
        ("check", "csv"),
    ] {
        let code = if command == "check" { 3 } else { 64 };
        let ran = world.run(&[command, "--format", format]).code(code);
        let told =
            format!("invalid value '{format}' for '--format <FORMAT>'\n  [possible values: ");
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
        let ran = world.run(&["--format", format, command]).code(code);
        assert!(ran.stderr.contains("cannot be printed in that format"), "{}", ran.stderr);
    }
    world
        .run(&["--format", "csv", "status"])
        .stdout("")
        .stderr(
            "
error: `status` cannot be printed in that format
hint: its formats: `table` and `json`
",
        )
        .exit(Exit::Usage);
    world
        .run(&["token", "brand", "--json"])
        .stderr(
            "
error: `token` cannot be printed in that format
hint: its formats: `table`
",
        )
        .exit(Exit::Usage);
    world
        .run(&["status", "--format", "xml"])
        .stdout("")
        .stderr(
            "
error: invalid value 'xml' for '--format <FORMAT>'
  [possible values: table, json]

For more information, try '--help'.
",
        )
        .exit(Exit::Usage);
    world
        .run(&["status", "--json", "--format", "table"])
        .stdout(
            r#"
{
  "version": 1,
  "error": {
    "code": "usage",
    "exit_code": 64,
    "subject": null,
    "message": "the argument '--json' cannot be used with '--format <FORMAT>'",
    "causes": [],
    "hints": []
  }
}
"#,
        )
        .stderr(
            "
error: the argument '--json' cannot be used with '--format <FORMAT>'
",
        )
        .exit(Exit::Usage);
}

#[test]
fn an_error_before_there_is_a_report_is_json_too() {
    let world = kept();
    world
        .run(&["refresh", "--nonsense", "--json"])
        .stdout(
            r#"
{
  "version": 1,
  "error": {
    "code": "usage",
    "exit_code": 64,
    "subject": null,
    "message": "unexpected argument '--nonsense' found",
    "causes": [],
    "hints": []
  }
}
"#,
        )
        .stderr(
            "
error: unexpected argument '--nonsense' found
",
        )
        .exit(Exit::Usage);
    std::fs::remove_file(world.path("metatoken.key")).unwrap();
    world.run(&["refresh", "--json"]).stdout(r#"
{
  "version": 1,
  "error": {
    "code": "key_missing",
    "exit_code": 74,
    "subject": "[DIR]/metatoken.key",
    "message": "the store key is missing, and the store is sealed with it",
    "causes": [],
    "hints": [
      "put back the copy of it that you keep, to `[DIR]/metatoken.key`, or say where it is with `key` in `[store]`; a new key could not open this store"
    ]
  }
}
"#).stderr("
error: [DIR]/metatoken.key: the store key is missing, and the store is sealed with it
hint: put back the copy of it that you keep, to `[DIR]/metatoken.key`, or say where it is with `key` in `[store]`; a new key could not open this store
").exit(Exit::Storage);
    std::fs::remove_file(world.path("metatoken.toml")).unwrap();
    world
        .run(&["refresh", "--json"])
        .stdout(
            r#"
{
  "version": 1,
  "error": {
    "code": "config_missing",
    "exit_code": 78,
    "subject": "[DIR]/metatoken.toml",
    "message": "there is no such config",
    "causes": [],
    "hints": [
      "write one by `metatoken init --dir [DIR]`",
      "or try it without one: `metatoken --sandbox status`"
    ]
  }
}
"#,
        )
        .stderr(
            "
error: [DIR]/metatoken.toml: there is no such config
hint: write one by `metatoken init --dir [DIR]`
hint: or try it without one: `metatoken --sandbox status`
",
        )
        .exit(Exit::Config);
}

#[test]
fn labels_may_be_patterns() {
    let config =
        format!("{CONFIG}\n[token.brand-two]\ntype = \"user\"\n[token.shop]\ntype = \"user\"\n");
    let world = World::new().config(&config);
    let labels = |pattern: &[&str]| {
        let arguments: Vec<&str> =
            ["status", "--offline", "--json"].iter().chain(pattern).copied().collect();
        let json = world.run(&arguments).exit(Exit::Ok).json();
        let tokens = json["tokens"].as_array().unwrap().clone();
        tokens.iter().map(|token| token["label"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(labels(&["brand*"]), ["brand", "brand-two"]);
    assert_eq!(labels(&["shop", "brand"]), ["brand", "shop"]);
    assert_eq!(labels(&["*"]).len(), 3);
    world
        .run(&["status", "brand*", "x*"])
        .stdout("")
        .stderr(
            "
error: x*: matches no token
hint: the labels are `brand`, `brand-two` and `shop`
",
        )
        .exit(Exit::Usage);
}

#[test]
fn a_token_is_printed_and_nothing_else() {
    let world = kept();
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand1\n").stderr("").exit(Exit::Ok);
    world.run(&["token", "brand", "-v"]).stdout("\nEAAFAKEBrand1\n").stderr("").exit(Exit::Ok);
    world
        .run(&["token", "nobody"])
        .stdout("")
        .stderr(
            "
error: nobody: matches no token
hint: the labels are `brand`
",
        )
        .exit(Exit::Usage);
    world
        .run(&["token", "b*"])
        .stdout("")
        .stderr(
            "
error: `b*` is not a valid label: use letters, digits, `-` and `_`
",
        )
        .exit(Exit::Usage);
    world
        .run(&["token"])
        .stdout("")
        .stderr(
            "
error: the following required arguments were not provided:
  <LABEL>

Usage: metatoken token <LABEL>

For more information, try '--help'.
",
        )
        .exit(Exit::Usage);
}

#[test]
fn a_config_can_be_shown() {
    let world = World::new().config(CONFIG);
    let shown = world.run(&["config", "show"]).exit(Exit::Ok).stderr("");
    // How far the remarks of the first table are indented hangs on the folder's name.
    let (store, rest) = shown.stdout.split_once("\n\n[http]\n").unwrap();
    assert!(store.starts_with("# [DIR]/metatoken.toml\n\n[store]\npath = \"[DIR]/metatoken.db\" "));
    Ran { stdout: rest.to_owned(), ..shown }
        .stdout(
            r#"
timeout = "30s"       # built in
concurrency = 8       # built in
attempts = 4          # built in
run_deadline = "15m"  # built in
# ca_file is not set  # built in

[endpoints]
facebook = "http://127.0.0.1:[PORT]"             # endpoints
instagram = "http://127.0.0.1:[PORT]/instagram"  # endpoints
threads = "http://127.0.0.1:[PORT]/threads"      # endpoints
# instagram_login is not set                    # built in

[app.main]
kind = "facebook"                    # built in
id = "1000000000000001"              # app.main
secret = { env = "APP_SECRET" }      # app.main
graph_version = "v26.0"              # built in
redirect_uri = "https://localhost/"  # built in
# config_id is not set               # built in
# business is not set                # built in

[token.brand]
type = "user"                       # token.brand
app = "main"                        # the only app
# parent is not set                 # built in
# page_id is not set                # built in
# user_id is not set                # built in
# pages is not set                  # built in
# business is not set               # built in
# was is not set                    # built in
# mint is not set                   # built in
# use is not set                    # built in
access_token = { env = "BRAND" }    # token.brand
# backup is not set                 # built in
enabled = true                      # built in
auto_refresh = true                 # built in
refresh_within = "20d"              # built in
verify_every = "1d"                 # built in
checked_within = ["3d", "7d"]       # built in
warn_within = "10d"  # built in; 14d where only a person can renew it
critical_within = "3d"  # built in; 7d where only a person can renew it
data_access_within = ["14d", "3d"]  # built in
validation_interval = "1h"          # built in
required_scopes = []                # built in
required_targets = []               # built in
# rotate_after is not set           # built in
rotate_overlap = "7d"               # built in
promote = "manual"                  # built in
reminders = ["14d", "7d", "1d"]     # built in
keep_generations = 3                # built in
keep_for = "30d"                    # built in
owner = "anna@client.example"       # token.brand
# probe is not set                  # built in

[alerts]
# textfile is not set   # built in
# page is not set       # built in
page_mode = "0640"      # built in
page_detail = "labels"  # built in
# run_every is not set  # built in
# prefix is not set     # built in
login_links = false     # built in
owner_domains = []      # built in
"#,
        )
        .exit(Exit::Ok);
    let json = world.run(&["config", "show", "--json"]).exit(Exit::Ok).json();
    assert_eq!(json["version"], 1);

    world.reconfigure(
        "[token.brand]\ntype = \"user\"\nrefresh_within = \"20 days\"\nverify_evry = \"24h\"\n",
    );
    world
        .run(&["config", "check"])
        .stdout("")
        .stderr(
            r#"
error: [DIR]/metatoken.toml: 2 mistakes
  metatoken.toml:12:18: `refresh_within` is not a valid duration: `20 days`
   12 | refresh_within = "20 days"
      |                  ^^^^^^^^^ write `90s`, `15m`, `6h`, `7d` or `2w`
  metatoken.toml:13:1: unknown key `verify_evry`
   13 | verify_evry = "…"
      | ^^^^^^^^^^^ did you mean `verify_every`?
"#,
        )
        .exit(Exit::Config);
}

#[test]
fn the_address_of_a_channel_is_never_repeated() {
    let world = kept();
    let address = "http://hooks.slack.com/services/TFAKE/BFAKE/fakefakefake";
    world.reconfigure(&format!("[[notify]]\nwebhook = \"{address}\" # {address}\n"));
    for arguments in [&["config", "check"][..], &["config", "show"], &["status", "--offline"]] {
        world
            .run(arguments)
            .stdout("")
            .stderr(
                r#"
error: [DIR]/metatoken.toml: 1 mistake
  metatoken.toml:11:11: plain `http` would show a secret address to the network
   11 | webhook = "…" #…
      |           ^^^ write `https`; `http` is for loopback, or with `allow_http` for a private host
"#,
            )
            .exit(Exit::Config);
    }
    let json = world.run(&["config", "show", "--json"]).exit(Exit::Config);
    assert!(json.stdout.contains("config_invalid"), "{}", json.stdout);
    assert!(!json.stdout.contains("FAKE"), "{}", json.stdout);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = kept();
    for arguments in [&["status", "--offline"][..], &["history", "--json"], &["config", "show"]] {
        let line = r#""$@" | head -n 1; "$@" | true; "$@" >&-; echo "$?" >&2"#;
        let ran = shell(&world, line, arguments);
        assert_eq!(ran.stdout.lines().count(), 1, "{arguments:?}");
        assert_eq!(ran.stderr, "0\n", "{arguments:?}");
    }
    let full = shell(&world, r#""$@" >/dev/full"#, &["status", "--offline"]);
    full.stdout("")
        .stderr(
            "
error: standard output: cannot be written
  caused by: No space left on device (os error 28)
",
        )
        .exit(Exit::Storage);
}

#[test]
fn on_a_terminal_a_table_is_coloured_and_fits() {
    let world = kept();
    let ran = terminal(&world, r#""$@""#, &["status", "--offline"]);
    assert!(ran.stdout.contains("\u{1b}["), "{:?}", ran.stdout);
    let plain = terminal(&world, r#"NO_COLOR=1 "$@""#, &["status", "--offline"]);
    assert!(!plain.stdout.contains('\u{1b}'), "{:?}", plain.stdout);
    let widest = plain.stdout.lines().map(|line| line.trim_end().chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}\n{}", plain.stdout);
    plain.stdout(
        "
1 token: 1 ok                                                                   2026-01-01 00:00 UTC

TOKEN  TYPE  STATE  EXPIRES     DATA ACCESS  CHECKED   NEXT
brand  user  works  in 60 days  in 90 days   just now  renew in 40 days
",
    );
    let never = terminal(&world, r#""$@""#, &["status", "--offline", "--color", "never"]);
    assert!(!never.stdout.contains('\u{1b}'));
    // Piped, it is plain unless colour was asked for.
    let piped = world.run(&["status", "--offline"]).exit(Exit::Ok);
    assert!(!piped.stdout.contains('\u{1b}'));
    let always = world.run(&["status", "--offline", "--color", "always"]).exit(Exit::Ok);
    assert!(always.stdout.contains("\u{1b}[38;5;10mworks"), "{:?}", always.stdout);
}

#[test]
fn at_a_terminal_a_secret_is_asked_for_and_not_shown() {
    let world = World::new().config(CONFIG);
    let hour = chrono::TimeDelta::hours(1);
    let spec = TokenFixture::user(APP, ANNA).named("brand").ending(Expiry::At(day(0) + hour));
    let string = world.mint(spec);
    let inner = world.command(&["exchange", "brand"]);
    let words = std::iter::once(inner.get_program()).chain(inner.get_args());
    let typed: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    let line =
        format!("(sleep 0.5; echo {string}) | script -qec \"{}\" /dev/null", typed.join(" "));
    let ran = shell(&world, &line, &[]);
    assert!(!ran.stdout.contains(&string), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("the new access token for `brand`: "), "{}", ran.stdout);
    world.run(&["token", "brand"]).stdout("\nEAAFAKEBrand2\n").stderr("").exit(Exit::Ok);
}

#[test]
fn help_is_an_answer() {
    let world = kept();
    let help = world.run(&["--help"]).exit(Exit::Ok).stderr("");
    assert!(help.stdout.contains("Usage: metatoken [OPTIONS] COMMAND"));
    for command in ["status", "refresh", "history", "exchange", "check", "token", "config"] {
        let ran = world.run(&[command, "--help"]).exit(Exit::Ok).stderr("");
        assert!(ran.stdout.contains(&format!("Usage: metatoken {command}")), "{}", ran.stdout);
        assert!(help.stdout.contains(command));
    }
    let version = format!("metatoken {}\n", env!("CARGO_PKG_VERSION"));
    world.run(&["--version"]).stdout(&version).stderr("").exit(Exit::Ok);
}

/// The prefix stood before the commands of a verdict, and not before those of hints.
#[test]
fn the_prefix_stands_before_the_commands_of_every_hint() {
    let prefix = "[alerts]\nprefix = \"sudo -u metatoken\"\n";
    let target = "[[token.brand.deliver]]\nfile = \"gone.env\"\nkey = \"T\"\n";
    let later = "[token.later]\ntype = \"user\"\n";
    let world = World::new()
        .config(&format!("{prefix}{CONFIG}{target}{later}"))
        .token("BRAND", TokenFixture::user(APP, ANNA).scopes(["pages_show_list"]));
    let _ = world.run(&["refresh", "brand"]);
    for (typed, command) in [
        (&["deliver"][..], "metatoken deliver brand"),
        (&["pages", "brand"], "metatoken add page-2000000000000001"),
        (&["config", "check"], "metatoken exchange later"),
        (&["status"], "metatoken exchange later"),
        (&["token", "later"], "metatoken refresh later"),
    ] {
        let ran = world.run(typed);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let with_prefix = format!("`sudo -u metatoken {command}");
        assert!(said.contains(&with_prefix), "{typed:?}: {said}");
        assert!(!said.contains(&format!("`{command}")), "{typed:?}: {said}");
    }
}
