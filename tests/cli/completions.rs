//! `completions`: the scripts, and what the binary answers a shell that asks. What real shells make of
//! it is tried in `tests/packaging/shells.rs`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use metatoken::exit::Exit;

use crate::common::World;

const TOKENS: &str = r#"
[token.brand]
type = "user"
access_token = { env = "BRAND" }
pages = "all"

[token."brand/*"]

[token.bakery]
type = "page"
page_id = "2000000000000001"
access_token = { env = "BAKERY" }
"#;

/// A file of `tokens.d`.
const ADDED: &str = "[token.bistro]\ntype = \"user\"\naccess_token = { env = \"BISTRO\" }\n";

/// What fish is offered for the last of these words, and nothing else is printed.
#[track_caller]
fn offered(world: &World, words: &[&str]) -> Vec<String> {
    let ran = world.finish(asking(world, "fish", words).spawn().unwrap()).stderr("").code(0);
    // Behind a tab stands what the word is for.
    ran.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

fn asking(world: &World, shell: &str, words: &[&str]) -> Command {
    let usual = world.command(&[]);
    let mut command = Command::new(usual.get_program());
    command
        .env_clear()
        .env("HOME", world.path("home"))
        .env("METATOKEN_COMPLETE", shell)
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .current_dir(world.path("."))
        .args(["--", "metatoken"])
        .args(words)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    command
}

#[test]
fn each_shell_gets_a_script_that_asks_the_binary_on_the_path() {
    let world = World::new();
    for (shell, has) in [
        (
            "bash",
            "complete -o nospace -o bashdefault -o nosort -F _clap_complete_metatoken metatoken",
        ),
        ("zsh", "#compdef metatoken\n"),
        ("fish", "METATOKEN_COMPLETE=fish metatoken -- (commandline"),
    ] {
        let ran = world.run(&["completions", shell]).stderr("").code(0);
        assert!(ran.stdout.contains(has), "{}", ran.stdout);
        // Neither where it was built nor who built it.
        assert!(!ran.stdout.contains(env!("CARGO_MANIFEST_DIR")), "{}", ran.stdout);
    }
    let ran = world.run(&["completions", "tcsh"]).stdout("").exit(Exit::Usage);
    assert!(ran.stderr.contains("bash, zsh, fish"), "{}", ran.stderr);
}

#[test]
fn labels_are_those_of_the_config_and_of_tokens_d() {
    let world = World::new().config(TOKENS);
    world.write("tokens.d/bistro.toml", ADDED);
    let config = ["--config", "metatoken.toml"];
    let of = |words: &[&str]| offered(&world, &[&config[..], words].concat());
    assert_eq!(of(&["status", "b"]), ["brand", "bakery", "bistro"]);
    assert_eq!(of(&["refresh", "brand", "bis"]), ["bistro"]);
    assert_eq!(of(&["token", "ba"]), ["bakery"]);
    assert_eq!(of(&["deliver", "--restore", "br"]), ["brand"]);
    assert_eq!(of(&["status", "--token-file", "-", "--app", ""]), ["main"]);
    // A label that is to be new is not one that there is.
    assert_eq!(of(&["init", "--label", "b"]), [""; 0]);
    assert_eq!(of(&["add", "b"]), [""; 0]);
    assert_eq!(of(&["add", "new", "--parent", "br"]), ["brand"]);
    assert_eq!(of(&["add", "new", "--app", ""]), ["main"]);
    assert_eq!(of(&["exec", "bis"]), ["bistro"]);
    assert_eq!(of(&["exec", "--env", "TOKEN=b"]), ["TOKEN=brand", "TOKEN=bakery", "TOKEN=bistro"]);
    assert_eq!(of(&["exec", "--env=TOKEN=ba"]), ["--env=TOKEN=bakery"]);
    // A variable is called as a person likes.
    assert_eq!(of(&["exec", "--env", "b"]), [""; 0]);
    assert_eq!(offered(&world, &["--config=metatoken.toml", "history", "bak"]), ["bakery"]);
    // What is typed may still have its tilde.
    world.write("home/metatoken.toml", "");
    std::fs::rename(world.path("metatoken.toml"), world.path("home/metatoken.toml")).unwrap();
    assert_eq!(offered(&world, &["-c", "~/metatoken.toml", "status", "br"]), ["brand"]);
    assert_eq!(offered(&world, &["-qc~/metatoken.toml", "status", "br"]), ["brand"]);
}

#[test]
fn commands_topics_formats_scenarios_and_shells_are_offered() {
    let world = World::new();
    for (words, expected) in [
        (&["ref"][..], &["refresh"][..]),
        (&["config", ""], &["check", "show"]),
        (&["help", "ex"], &["exchange", "exec", "exit-codes"]),
        (&["history", "--format", ""], &["table", "json", "csv"]),
        (&["history", "--event", "deliv"], &["delivered", "delivery_failed"]),
        (&["--sandbox", "--scenario", "t"], &["troubles", "throttled"]),
        (&["--scenario=he"], &["--scenario=healthy"]),
        (&["completions", ""], &["bash", "zsh", "fish"]),
        (&["--color", "a"], &["auto", "always"]),
    ] {
        let found = offered(&world, words);
        let own: Vec<&str> = found
            .iter()
            .map(String::as_str)
            .filter(|word| word.starts_with(|c: char| c != '-') || words[0].starts_with("--sc"))
            .collect();
        assert_eq!(own, expected, "{words:?}");
    }
}

#[test]
fn bash_is_answered_although_it_breaks_words_at_equal_signs() {
    let world = World::new().config(TOKENS);
    for (cursor, words, expected) in [
        (5, &["--config", "=", "metatoken.toml", "status", "br"][..], "brand"),
        (4, &["--config", "metatoken.toml", "status", "b"], "brand|bakery"),
        (3, &["--scenario", "=", "tr"], "troubles"),
        (7, &["-c", "metatoken.toml", "exec", "--env", "A", "=", "ba"], "bakery"),
        (6, &["-c", "metatoken.toml", "exec", "--env", "A", "="], "brand|bakery"),
        (8, &["-c", "metatoken.toml", "exec", "--env", "=", "A", "=", "ba"], "bakery"),
        (8, &["-c", "metatoken.toml", "exec", "--env", "A", "=", "bakery", "br"], "brand"),
        (3, &["--config", "=", "metatoken.to"], "metatoken.toml"),
    ] {
        let mut command = asking(&world, "bash", words);
        command.env("_CLAP_COMPLETE_INDEX", cursor.to_string()).env("_CLAP_IFS", "|");
        world.finish(command.spawn().unwrap()).stdout(expected).stderr("").code(0);
    }
}

/// A shell prints an error into the line that is being typed.
#[test]
fn a_config_that_is_missing_or_refused_completes_nothing_in_silence() {
    let world = World::new().config(TOKENS);
    let config = world.path("metatoken.toml");
    let status = ["--config", "metatoken.toml", "status", "b"];
    assert_eq!(offered(&world, &status).len(), 2);
    let whole = std::fs::read_to_string(&config).unwrap();
    for (what, text, mode) in [
        ("others may write it", whole.as_str(), 0o666),
        ("not TOML", "[token.brand", 0o600),
        ("an unknown key", &format!("{whole}\nnonsense = 1\n"), 0o600),
        ("no text", "\u{0}", 0o600),
        ("empty", "", 0o600),
    ] {
        world.write("metatoken.toml", text);
        std::fs::set_permissions(&config, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(offered(&world, &status), [""; 0], "{what}");
    }
    std::fs::remove_file(&config).unwrap();
    assert_eq!(offered(&world, &status), [""; 0]);
    // Options are offered all the same.
    assert_eq!(offered(&world, &["--config", "metatoken.toml", "status", "--of"]), ["--offline"]);
    // No config is named, and there is none in the usual places of this home.
    assert!(
        Path::new("/etc/metatoken/metatoken.toml").exists()
            || offered(&world, &["status", ""]).iter().all(|it| it.starts_with('-'))
    );
}

#[test]
fn a_secret_that_is_being_typed_is_answered_with_nothing() {
    let world = World::new().config(TOKENS);
    let words = ["--config", "metatoken.toml", "token", "EAABfakefake12"];
    assert_eq!(offered(&world, &words), [""; 0]);
}

#[test]
fn the_sandbox_completes_its_own_labels_and_is_not_made_by_it() {
    let world = World::new();
    let words = ["--sandbox=rehearsal", "--scenario", "troubles", "status", "revo"];
    assert_eq!(offered(&world, &words), [""; 0]);
    assert!(!world.path("rehearsal").exists());
    let mut ran = Command::new(world.command(&[]).get_program());
    ran.env_clear().current_dir(world.path("."));
    let ran = ran.args(&words[..3]).args(["config", "show"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    assert_eq!(offered(&world, &words), ["revoked"]);
}

#[test]
fn a_variable_alone_changes_nothing() {
    let world = World::new().with("METATOKEN_COMPLETE", "bash");
    assert_eq!(
        world.run(&["--version"]).code(0).stdout,
        concat!("metatoken ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

/// A key press that is answered later feels broken. What counts is the time that the process works: it
/// waits for nothing, and a busy machine lets it wait for a processor.
#[test]
fn labels_are_there_within_fifty_milliseconds() {
    let token = |n| format!("[token.t{n}]\ntype = \"user\"\naccess_token = {{ env = \"T{n}\" }}\n");
    let tokens = (0..100).map(token).collect::<Vec<_>>().concat();
    let world = World::new().config(&tokens);
    let words = ["--config", "metatoken.toml", "status", "t9"];
    assert_eq!(offered(&world, &words).len(), 11);
    let least = (0..5).map(|_| hundredths_of_work(asking(&world, "fish", &words))).min().unwrap();
    assert!(least <= 5, "{least}0 ms");
}

/// How long a program works, in hundredths of a second, as the kernel counts.
fn hundredths_of_work(mut command: Command) -> u64 {
    let mut child = command.spawn().unwrap();
    let stat = format!("/proc/{}/stat", child.id());
    let ended = loop {
        let stat = std::fs::read_to_string(&stat).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let fields: Vec<String> = fields.split(' ').map(str::to_owned).collect();
        // It has ended, and has not been waited for.
        if fields[0] == "Z" {
            break fields;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    child.wait().unwrap();
    let [user, system] = [11, 12].map(|field: usize| ended[field].parse::<u64>().unwrap());
    user + system
}
