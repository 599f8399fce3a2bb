//! `help`: commands in groups, examples that can be typed, topics, and names from other tools.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use metatoken::exit::Exit;
use metatoken::token::ProblemKind;

use crate::common::World;

const COMMANDS: [&[&str]; 27] = [
    &["report"],
    &["import"],
    &["add"],
    &["pages"],
    &["exec"],
    &["notify"],
    &["init"],
    &["status"],
    &["refresh"],
    &["deliver"],
    &["check"],
    &["history"],
    &["token"],
    &["exchange"],
    &["login"],
    &["mint"],
    &["revoke"],
    &["rollback"],
    &["promote"],
    &["forget"],
    &["config", "check"],
    &["config", "show"],
    &["key", "rotate"],
    &["key", "export"],
    &["store", "backup"],
    &["completions"],
    &["man"],
];

const TOPICS: [&str; 12] = [
    "config",
    "delivery",
    "exit-codes",
    "json",
    "logs",
    "sandbox",
    "monitoring",
    "meta",
    "upgrade",
    "move",
    "restore",
    "uninstall",
];

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_metatoken"))
        .env_clear()
        // Nothing here leaves this machine.
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .args(arguments)
        .output()
        .unwrap()
}

/// What it prints without any config.
#[track_caller]
fn help(arguments: &[&str]) -> String {
    let ran = run(arguments);
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "", "{arguments:?}");
    assert_eq!(ran.status.code(), Some(0), "{arguments:?}");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn the_commands_stand_in_groups_and_their_options_before_those_of_all() {
    let all = help(&["help"]);
    assert_eq!(all, help(&["--help"]));
    let (groups, options) = all.split_once("\nOptions:\n").unwrap();
    assert_eq!(
        groups,
        "\
Keeps Meta access tokens alive: renews them before they expire, delivers them to
the programs that use them, and says what only a person can do

Usage: metatoken [OPTIONS] COMMAND

Getting started:
  init          Write a first config by asking, and check the app with Meta
  add           Declare a token and take its access token
  import        Take over the tokens of another program
  login         Get an access token from Meta's login dialog
  config check  Check the config and everything it names (alias: doctor)
  config show   Show every setting with its value and where it came from

Every day:
  status        Show what each token is worth; with one LABEL, a page about it
  refresh       Renew what is due, check the others, derive Pages, deliver
  deliver       Bring each token to the files and programs that lack it
  check         Print one verdict for monitoring (Nagios line, exit 0 to 3)
  history       List generations, attempts and deliveries, with the success rate
  report        Write a page to look at: what is wrong, and the last month

Using tokens:
  token         Print the current access token, and nothing else
  exec          Run a program with the access token in its environment
  pages         List the Pages a user token reaches, and which are kept here

Changing tokens:
  exchange      Read a new access token and make it long-lived
  rollback      Put an earlier access token back
  promote       Put the backup in a token's place
  mint          Make a new System User access token by API
  revoke        Make access tokens invalid at Meta, and prove that they are
  forget        Delete a token's access tokens here; its history stays

Housekeeping:
  key rotate    Change the key that opens the store
  key export    Print the key that opens the store, for a safe
  store backup  Copy the store to a new file while runs go on, without the key
  notify        Send a test message to the channels that are notified
  completions   Print the script that completes command lines in a shell
  man           Write the manual into a folder
  help          Print the help of a command or a topic
"
    );
    assert!(options.contains("\nGlobal options:\n"), "{options}");
    for command in COMMANDS {
        let text = help(&[&["help"], command].concat());
        assert_eq!(text, help(&[command, &["--help"]].concat()), "{command:?}");
        let places = ["Usage: ", "\nOptions:\n", "\nGlobal options:\n", "\nExamples:\n"];
        let places: Vec<usize> =
            places.iter().map(|it| text.find(it).unwrap_or_else(|| panic!("{text}"))).collect();
        assert!(places.is_sorted(), "{text}");
    }
}

#[test]
fn a_command_offers_the_formats_that_it_has() {
    for (command, formats) in [
        (&["status"][..], "table, json [default: table]"),
        (&["config", "check"], "table, json [default: table]"),
        (&["history"], "table, json, csv [default: table]"),
        (&["check"], "nagios, json, prometheus, github, http [default: nagios]"),
    ] {
        let text = help(&[&["help"], command].concat());
        let on_one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(on_one_line.contains(&format!("Print the report as {formats} ")), "{text}");
    }
    assert!(!help(&["help", "token"]).contains("--format <FORMAT>  Print"));
}

/// Whoever copies an example gets something else than a usage error.
#[test]
fn every_example_can_be_typed() {
    let here = World::new();
    here.write("file", "EAAFAKE\n");
    let sandbox = format!("--sandbox={}", here.path("sandbox").display());
    let config = here.path("new/metatoken.toml").display().to_string();
    // It has one app, as most people do.
    let scenario = "--scenario=ending";
    assert_eq!(run(&[&sandbox, scenario, "refresh"]).status.code(), Some(0));
    let mut tried = 0;
    for command in COMMANDS.iter().chain(&[&["help"][..]]) {
        let text = help(&[&["help"], *command].concat());
        let (_, examples) = text.split_once("\nExamples:\n").unwrap();
        for line in examples.lines() {
            let typed = line.trim_start().split("  ").next().unwrap();
            let words: Vec<String> = typed
                .split(' ')
                .skip(1)
                .map(|word| match word {
                    "DIR" => here.path("man").display().to_string(),
                    "FILE" => here.path("file").display().to_string(),
                    "/backup/metatoken.db" => here.path("copy").display().to_string(),
                    word => word.to_owned(),
                })
                .collect();
            let begin = match words.first().map(String::as_str) {
                // The sandbox has a config already.
                Some("init") => vec!["--config", config.as_str()],
                _ => vec![sandbox.as_str(), scenario],
            };
            let words: Vec<&str> =
                begin.into_iter().chain(words.iter().map(String::as_str)).collect();
            let ran = run(&words);
            let said = String::from_utf8_lossy(&ran.stderr);
            // No label has left the sandbox's config, so that none can be forgotten.
            let has_left_none = words.contains(&"forget") && said.contains("matches no token");
            // A Page's person is another one there.
            let has_no_anna = words.contains(&"shop") && said.contains("there is no token `anna`");
            // It has no System User either.
            let is_of_a_robot = ["mint", "revoke"].iter().any(|it| words.contains(it));
            let has_no_robot = is_of_a_robot && said.contains("matches no token");
            // The sandbox has a channel of another name.
            let has_no_ops = words.contains(&"notify") && said.contains("no channel has this name");
            let would_ask = said.contains("there is no terminal to ask on")
                || said.contains("hint: without a terminal, run ");
            let is_answered = !matches!(ran.status.code(), Some(64 | 70) | None);
            let is_elsewhere = has_left_none || has_no_anna || has_no_robot || has_no_ops;
            assert!(is_answered || would_ask || is_elsewhere, "{typed}: {said}");
            tried += 1;
        }
    }
    assert!(tried > 25, "{tried}");
}

#[test]
fn a_topic_is_a_text_of_its_own() {
    for topic in TOPICS {
        let text = help(&["help", topic]);
        assert!(text.starts_with("# ") && text.lines().count() > 15, "{topic}:\n{text}");
    }
    let config = help(&["help", "config"]);
    for table in metatoken::config::schema().tables() {
        for key in &table.keys {
            assert!(config.contains(&format!("| `{}` |", key.name)), "{}", key.name);
        }
    }
    let world = World::new();
    world
        .run(&["help", "nonsense"])
        .stdout("")
        .stderr(
            "
error: no command or topic `nonsense`
hint: run `metatoken help` for the commands
hint: the topics are `config`, `delivery`, `exit-codes`, `json`, `logs`, `sandbox`, `monitoring`, `meta`, `upgrade`, `move`, `restore` and `uninstall`
",
        )
        .exit(Exit::Usage);
}

/// What stands behind the name of a command is of no concern, and what is nearly a name is answered with
/// it.
#[test]
fn help_is_found_as_people_ask_for_it() {
    for (asked, same) in [
        (&["sandbox", "dialog"][..], &["dialog"][..]),
        (&["sandbox", "key", "rotate"], &["key", "rotate"]),
        (&["status", "brand"], &["status"]),
        (&["key", "rotate", "now"], &["key", "rotate"]),
        (&["metatoken", "refresh"], &["refresh"]),
        (&["Config", "Check"], &["config", "check"]),
        (&["exit", "codes"], &["exit-codes"]),
        (&["exit_codes"], &["exit-codes"]),
        (&["CONFIG"], &["config"]),
        (&["doctor"], &["doctor"]),
    ] {
        assert_eq!(
            help(&[&["help"], asked].concat()),
            help(&[&["help"], same].concat()),
            "{asked:?}"
        );
    }
    // Of a group all its commands.
    for (group, commands) in [("key", "rotate  "), ("key", "export  "), ("store", "backup  ")] {
        assert!(help(&["help", group]).contains(&format!("\n  {commands}")), "{group}");
    }
    for name in ["key", "store", "doctor", "dialog"] {
        assert!(help(&["help", name]).contains("\nExamples:\n  metatoken "), "{name}");
    }
    assert!(help(&["config", "--help"]).contains("\nExamples:\n  metatoken config check"));
    for (asked, hint) in [
        (&["key", "foo"][..], "try `metatoken help key rotate` or `metatoken help key export`"),
        (&["config", "chek"], "try `metatoken help config`"),
        (&["sandbox", "nonsense"], "try `metatoken help sandbox`"),
        (&["renew"], "try `metatoken help refresh`"),
        (&["renew", "brand"], "try `metatoken help refresh`"),
        (&["debug"], "try `metatoken help status`"),
        (&["version"], "try `metatoken --version`"),
        (&["monitorin"], "try `metatoken help monitoring`"),
        (&["statsu"], "try `metatoken help status`"),
    ] {
        let ran = run(&[&["help"], asked].concat());
        let told = format!("error: no command or topic `{}`\nhint: {hint}\n", asked.join(" "));
        assert_eq!(String::from_utf8_lossy(&ran.stderr), told);
        assert_eq!((ran.stdout.len(), ran.status.code()), (0, Some(64)), "{asked:?}");
    }
    for asked in [&["help", "notify", "--test"][..], &["help", "--test", "notify"]] {
        let told = "error: `help` takes the name of a command or a topic, without options\nhint: try `metatoken help notify`\n";
        let ran = run(asked);
        assert_eq!(String::from_utf8_lossy(&ran.stderr), told, "{asked:?}");
        assert_eq!(ran.status.code(), Some(64), "{asked:?}");
    }
    for (typed, hint) in [
        (&["config", "chek"][..], "try `metatoken config check`"),
        (&["key", "foo"], "try `metatoken key rotate` or `metatoken key export`"),
        (
            &["--sandbox", "there", "status"],
            "to name the sandbox's folder, write `--sandbox=there`",
        ),
    ] {
        let ran = run(typed);
        let word = typed[1];
        let told = format!("error: unknown command `{word}`\nhint: {hint}\n");
        assert_eq!(String::from_utf8_lossy(&ran.stderr), told);
        assert_eq!(ran.status.code(), Some(64), "{typed:?}");
    }
    // A topic where a command is expected.
    let ran = run(&["sandbox"]);
    let told = "error: unknown command `sandbox`\nhint: try `metatoken help sandbox`\n";
    assert_eq!(String::from_utf8_lossy(&ran.stderr), told);
}

#[test]
fn a_name_from_another_tool_is_answered_with_ours() {
    let world = World::new();
    for (typed, here) in [
        ("renew", "refresh"),
        ("list", "status"),
        ("set", "exchange LABEL"),
        ("debug", "status --token-file FILE"),
        ("inspect", "status --token-file FILE"),
        ("validate", "config check"),
        ("get", "token LABEL"),
        ("RENEW", "refresh"),
        ("refersh", "refresh"),
        ("statsu", "status"),
    ] {
        let told = format!("error: unknown command `{typed}`\nhint: try `metatoken {here}`\n");
        world.run(&[typed]).stdout("").stderr(&told).exit(Exit::Usage);
        // What is named is a command.
        let words = here.split(' ').filter(|word| word.chars().all(|c| c.is_ascii_lowercase()));
        let words: Vec<&str> = ["help"].into_iter().chain(words).collect();
        world.run(&words).exit(Exit::Ok);
    }
    world
        .run(&["brand", "--json"])
        .stdout(
            r#"
{
  "version": 1,
  "error": {
    "code": "usage",
    "exit_code": 64,
    "subject": null,
    "message": "unknown command `brand`",
    "causes": [],
    "hints": [
      "run `metatoken help` for the commands; a label comes after one: `metatoken status LABEL`"
    ]
  }
}
"#,
        )
        .exit(Exit::Usage);
}

/// The codes in the tables of `help json`, each with the severities that it can have.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let text = help(&["help", "json"]);
    let (_, tables) = text.split_once("\n| code | severity | who | over when |\n").unwrap();
    let rows = tables.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let severities = |cells: &str| {
        let (severities, _) = cells.split_once(" | ").unwrap();
        severities.split(", ").map(str::to_owned).collect()
    };
    rows.map(|(code, cells)| (code.to_owned(), severities(cells))).collect()
}

/// A token's problem is as bad as the step that recovers from it: one that a person must take is a
/// warning while the token works.
#[test]
fn the_severities_of_every_problem_are_documented() {
    let documented = documented();
    for kind in ProblemKind::ALL.iter().filter(|kind| **kind != ProblemKind::Unknown) {
        let severities = if kind.action().needs_a_person() {
            ["critical", "warning"]
        } else {
            ["unknown", "warning"]
        };
        let expected: BTreeSet<String> = severities.map(str::to_owned).into();
        assert_eq!(documented.get(kind.as_str()), Some(&expected), "{kind}");
    }
}

#[test]
fn every_reason_code_is_documented() {
    let mut codes: BTreeSet<String> =
        ProblemKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    codes.extend(codes_in(&source()));
    // Of what is sent, not of what is wrong.
    codes.retain(|code| !["closed", "digest", "recovered", "reminder"].contains(&code.as_str()));
    assert!(codes.contains("no_recent_run") && codes.contains("expiring"), "{codes:?}");
    let of_the_store = codes_of_the_store();
    assert!(of_the_store.contains("key_missing") && of_the_store.contains("store_lost"));
    codes.extend(of_the_store.iter().cloned());
    let documented: BTreeSet<String> = documented().into_keys().collect();
    let missing: Vec<&String> = codes.difference(&documented).collect();
    assert!(missing.is_empty(), "add to `src/help/json.md`: {missing:?}");
    let source = source();
    let gone = documented
        .difference(&of_the_store)
        .filter(|code| !source.contains(&format!("\"{code}\"")));
    let gone: Vec<&String> = gone.collect();
    assert!(gone.is_empty(), "not printed any more: {gone:?}");
}

/// The codes of a store or a key that cannot be used, which `check` and `config check` report.
fn codes_of_the_store() -> BTreeSet<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/error.rs");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, code) = text.split_once("pub fn code(&self)").unwrap();
    let (code, _) = code.split_once("\n    }\n").unwrap();
    let literals = code.split('"').skip(1).step_by(2);
    let is_meant = |code: &&str| code.starts_with("store_") || code.starts_with("key_");
    literals.filter(is_meant).map(str::to_owned).collect()
}

/// The text of the rooms that give reasons, without their tests.
fn source() -> String {
    fn read(path: &Path, text: &mut String) {
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                read(&entry.unwrap().path(), text);
            }
        } else if path.extension().is_some_and(|it| it == "rs") {
            let file = std::fs::read_to_string(path).unwrap();
            text.push_str(file.split("#[cfg(test)]\nmod tests {").next().unwrap());
        }
    }
    let mut text = String::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for room in ["policy", "status", "notify", "run", "commands", "token"] {
        read(&folder.join(room), &mut text);
    }
    text
}

/// The codes that reasons get: literals behind `code:` and in the calls that make one, and constants
/// whose doc comment says that they are a code.
fn codes_in(source: &str) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for call in
        ["code: ", ".add(", "add_held_by(", "of_the_system(", "reason(", "ConfigCheck::new("]
    {
        for (at, _) in source.match_indices(call) {
            let rest = source[at + call.len()..].trim_start();
            let rest = rest.strip_prefix("parent.label,").unwrap_or(rest).trim_start();
            codes.extend(literal(rest));
        }
    }
    for (at, _) in source.match_indices("/// The code of ") {
        let declared = source[at..].lines().nth(1).unwrap_or_default();
        codes.extend(declared.split_once(": &str = ").and_then(|(_, value)| literal(value)));
    }
    codes
}

/// The code that a text begins with, in quotes.
fn literal(text: &str) -> Option<String> {
    let (code, _) = text.strip_prefix('"')?.split_once('"')?;
    let is_code = !code.is_empty() && code.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    is_code.then(|| code.to_owned())
}

#[test]
fn no_scenario_prints_another_reason_code() {
    let documented = documented();
    let folder = crate::common::folder();
    let sandbox = format!("--sandbox={}", folder.path().display());
    for scenario in ["healthy", "troubles", "outage", "throttled", "ending", "empty"] {
        for (now, command) in [
            ("+0d", &["refresh"][..]),
            ("+0d", &["status"]),
            ("+0d", &["config", "check"]),
            ("+30d", &["check"]),
            ("+50d", &["refresh"]),
            ("+70d", &["status"]),
            ("+70d", &["check"]),
        ] {
            let first = [&sandbox, "--scenario", scenario, "--now", now, "--json"];
            let ran = run(&[&first[..], command].concat());
            let json: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
            let tokens = json["tokens"].as_array().cloned().unwrap_or_default();
            let own = tokens.iter().filter_map(|token| token["reasons"].as_array());
            // `check` of a config without tokens has nothing to judge.
            let lists = ["system", "warnings", "errors"].map(|list| json[list].as_array());
            let all = own.flatten().chain(lists.into_iter().flatten().flatten());
            for reason in all {
                let (code, severity) = (&reason["code"], &reason["severity"]);
                let (code, severity) = (code.as_str().unwrap(), severity.as_str().unwrap());
                let severities = documented.get(code);
                assert!(
                    severities.is_some_and(|known| known.contains(severity)),
                    "{scenario} {command:?}: {code} is {severity}"
                );
            }
        }
    }
}
