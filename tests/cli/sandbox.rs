//! The sandbox through the binary: it needs nothing, touches nothing outside its folder, and tells
//! the same story for ever.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::common::{Ran, World, mode};

/// A machine on which nothing works: a broken config where it would be found, a proxy that nobody
/// answers, a home that must stay as it is.
struct Machine {
    world: World,
}

impl Machine {
    fn new() -> Self {
        let world = World::new();
        world.write("xdg/metatoken/metatoken.toml", "this is no config");
        fs::create_dir(world.path("home")).unwrap();
        fs::create_dir(world.path("state")).unwrap();
        Self { world }
    }

    /// Runs the binary in the sandbox `rehearsal`.
    fn run(&self, arguments: &[&str]) -> Ran {
        let folder = self.world.path("rehearsal");
        let sandbox = format!("--sandbox={}", folder.display());
        self.run_plainly(&[&[sandbox.as_str()], arguments].concat())
    }

    fn run_plainly(&self, arguments: &[&str]) -> Ran {
        let dead = "http://127.0.0.1:1";
        let mut command = Command::new(env!("CARGO_BIN_EXE_metatoken"));
        command
            .env_clear()
            .env("HOME", self.world.path("home"))
            .env("XDG_CONFIG_HOME", self.world.path("xdg"))
            .env("XDG_STATE_HOME", self.world.path("state"))
            .env("METATOKEN_CONFIG", self.world.path("xdg/metatoken/metatoken.toml"))
            .env("APP_SECRET", "not for the sandbox")
            .env("BRAND_TOKEN", "not for the sandbox")
            .env("CREDENTIALS_DIRECTORY", self.world.path("home"))
            .current_dir(self.world.path("home"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
            command.env(name, dead);
        }
        self.world.finish(command.spawn().unwrap())
    }

    fn store(&self, scenario: &str) -> PathBuf {
        self.world.path(&format!("rehearsal/{scenario}/metatoken.db"))
    }
}

#[test]
fn it_writes_nothing_outside_its_folder_and_reads_nothing_there() {
    let machine = Machine::new();
    let before = machine.world.snapshot();
    for arguments in [
        &["refresh"][..],
        &["status"],
        &["status", "--live"],
        &["check"],
        &["history"],
        &["report", "--html", "-"],
        &["check", "--format", "http"],
        &["token", "brand"],
        &["config", "show"],
        &["config", "check"],
        &["refresh", "-n", "--now", "+20d"],
        &["refresh", "--now", "+30d"],
    ] {
        let ran = machine.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    }
    let folder = machine.world.path("rehearsal");
    let after: Vec<_> = machine.world.snapshot().into_iter().collect();
    let outside = after.iter().filter(|(path, _)| !path.starts_with(&folder)).cloned();
    assert!(outside.eq(before), "something outside the folder was changed");
    for (path, (mode, _)) in after.iter().filter(|(path, _)| path.starts_with(&folder)) {
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
    assert_eq!(mode(&folder.join("healthy")), 0o700);
    assert_eq!(machine.world.calls_to(""), 0, "no other Graph is asked");
}

#[test]
fn its_default_folder_is_in_the_state_home() {
    let machine = Machine::new();
    machine.run_plainly(&["--sandbox", "refresh"]).code(0);
    assert!(machine.world.path("state/metatoken/sandbox/healthy/metatoken.db").exists());
    assert_eq!(fs::read_dir(machine.world.path("home")).unwrap().count(), 0);
}

#[test]
fn every_scenario_ends_as_it_says() {
    for (scenario, code) in [("healthy", 0), ("troubles", 77), ("outage", 69), ("throttled", 69)] {
        let machine = Machine::new();
        let ran = machine.run(&["--scenario", scenario, "refresh", "--json"]).code(code);
        assert!(ran.json()["summary"]["total"].as_u64().unwrap() >= 5, "{scenario}");
        assert!(machine.store(scenario).exists(), "{scenario}");
        let again = machine.run(&["--scenario", scenario, "refresh"]);
        assert_eq!(again.code, Some(i32::from(code)), "{scenario}: a second run");
    }
    let healthy = Machine::new().run(&["refresh", "--json"]).code(0);
    let outcomes = healthy.outcomes();
    assert!(outcomes.values().any(|outcome| outcome == "refreshed"), "{outcomes:?}");
    assert!(outcomes.values().any(|outcome| outcome != "refreshed"), "{outcomes:?}");
}

#[test]
fn the_same_rehearsal_prints_the_same_for_ever() {
    for scenario in ["healthy", "troubles", "outage", "throttled"] {
        let told = [Machine::new(), Machine::new()].map(|machine| {
            let mut told = Vec::new();
            for arguments in [
                &["refresh"][..],
                &["status"],
                &["refresh", "--json", "--now", "+50d"],
                &["check"],
                &["history"],
            ] {
                let ran = machine.run(&[&["--scenario", scenario], arguments].concat());
                let plain = |text: &str| without_fingerprints(text);
                told.push((plain(&ran.stdout), plain(&ran.stderr), ran.code));
            }
            told
        });
        for (one, other) in told[0].iter().zip(&told[1]) {
            assert_eq!(one, other, "{scenario}");
        }
    }
}

/// A fingerprint is made with the store's own random key; every word of that shape is one here.
fn without_fingerprints(text: &str) -> String {
    let is_hex =
        |word: &str| word.len() == 12 && word.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    let words = text.split_inclusive([' ', '\n', '"', ',']);
    words
        .map(|word| {
            let bare = word.trim_end_matches([' ', '\n', '"', ',']);
            if is_hex(bare) { word.replace(bare, "FINGERPRINT") } else { word.to_owned() }
        })
        .collect()
}

#[test]
fn its_clock_moves_forward_only_and_is_remembered() {
    let machine = Machine::new();
    let at = |ran: Ran| ran.json()["started_at"].as_str().unwrap().to_owned();
    assert_eq!(at(machine.run(&["refresh", "--json"]).code(0)), "2026-01-01T00:00:00Z");
    let later = machine.run(&["refresh", "--json", "--now", "+30d"]).code(0);
    assert_eq!(at(later), "2026-01-31T00:00:00Z");
    assert_eq!(at(machine.run(&["refresh", "--json"]).code(0)), "2026-01-31T00:00:00Z");
    let before = machine.world.snapshot();
    for back in ["+29d", "2026-01-01T00:00:00Z", "+0d"] {
        let ran = machine.run(&["refresh", "--now", back]).code(64);
        assert!(
            ran.stderr.contains("2026-01-31") && ran.stderr.contains("rm -r"),
            "{}",
            ran.stderr
        );
    }
    for odd in ["yesterday", "-3d", "45d", "+1000000000000d", ""] {
        machine.run(&["refresh", "--now", odd]).code(64).stdout("");
    }
    assert_eq!(machine.world.snapshot(), before);
    let instant = machine.run(&["refresh", "--json", "--now", "2026-02-05"]).code(0);
    assert_eq!(at(instant), "2026-02-05T00:00:00Z");
    fs::remove_dir_all(machine.world.path("rehearsal")).unwrap();
    assert_eq!(at(machine.run(&["refresh", "--json"]).code(0)), "2026-01-01T00:00:00Z");
}

#[test]
fn the_scenario_that_was_named_last_goes_on() {
    let machine = Machine::new();
    let labels = |arguments: &[&str]| -> usize {
        let status = machine.run(&[&["status", "--offline", "--json"], arguments].concat());
        status.json()["tokens"].as_array().unwrap().len()
    };
    assert_eq!(labels(&[]), 9, "healthy");
    let troubles = labels(&["--scenario", "troubles"]);
    assert!(troubles > 9, "{troubles}");
    assert_eq!(labels(&[]), troubles);
    machine.run(&["--scenario", "nonsense", "status"]).code(64);
    assert_eq!(labels(&[]), troubles);
    assert_eq!(labels(&["--scenario", "ending"]), 1);
    assert_eq!(labels(&[]), 1);
    assert_eq!(labels(&["--scenario", "healthy"]), 9);
    assert_eq!(labels(&[]), 9);
    // Another folder has a memory of its own, and what cannot be read there is the usual one.
    machine.world.write("rehearsal/scenario", "nonsense");
    assert_eq!(labels(&[]), 9);
}

#[test]
fn a_whole_life_is_rehearsed_in_a_moment() {
    let machine = Machine::new();
    for n in (0..=99).step_by(9) {
        let now = format!("+{n}d");
        let ran = machine.run(&["refresh", "--json", "--now", &now]);
        // From day 39 on a person is called: nobody else can give access to data again.
        assert_eq!(ran.code, Some(if n < 39 { 0 } else { 77 }), "day {n}: {}", ran.stdout);
        let status = machine.run(&["status", "--offline", "--json"]).code(0).json();
        for token in status["tokens"].as_array().unwrap() {
            assert_eq!(token["valid"], true, "day {n}: {token:#}");
            assert!(matches!(token["state"].as_str(), Some("valid" | "expiring")), "{token:#}");
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let machine = Machine::new();
    let config = machine.world.path("metatoken.toml");
    let config = config.to_str().unwrap();
    machine.run(&["refresh", "--config", config]).code(64).stdout("");
    machine.run(&["--scenario", "nonsense", "refresh"]).code(64).stdout("");
    machine.run_plainly(&["refresh", "--scenario", "healthy"]).code(64);
    machine.run(&["check", "--config", config]).code(3);
    // `--now` is a rehearsal's too, and a real Graph is none.
    machine.world.write("real.toml", "[app.main]\nid = \"1\"\n[token.x]\ntype = \"user\"\n");
    let real = machine.world.path("real.toml");
    let real = real.to_str().unwrap();
    let ran = machine.run_plainly(&["--config", real, "status", "--now", "+1d"]).code(64);
    assert!(ran.stderr.contains("--sandbox"), "{}", ran.stderr);
    assert!(!machine.world.path("rehearsal").exists());
}

#[test]
fn a_folder_that_is_not_its_own_is_refused_with_a_way_out() {
    let machine = Machine::new();
    machine.world.write("rehearsal", "a file");
    let ran = machine.run(&["refresh"]).code(74).stdout("");
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    for (file, text) in [("graph.json", "{"), ("clock", "noon\n")] {
        let machine = Machine::new();
        machine.run(&["refresh"]).code(0);
        let path = format!("rehearsal/healthy/{file}");
        machine.world.write(&path, text);
        let ran = machine.run(&["refresh"]).code(74).stdout("");
        assert!(ran.stderr.contains(file) && ran.stderr.contains("rm -r"), "{}", ran.stderr);
        assert_eq!(fs::read_to_string(machine.world.path(&path)).unwrap(), text);
    }
}

#[test]
fn an_operator_may_edit_its_config() {
    let machine = Machine::new();
    machine.run(&["refresh"]).code(0);
    let name = "rehearsal/healthy/metatoken.toml";
    let path = machine.world.path(name);
    let text = fs::read_to_string(&path).unwrap() + "\n[defaults]\nrefresh_within = \"30d\"\n";
    machine.world.write(name, &text);
    machine.run(&["refresh", "--now", "+1d"]).code(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

/// The table once said `no access token` of what `check` called down.
#[test]
fn the_table_the_page_and_check_tell_the_same_of_each_token() {
    let machine = Machine::new();
    let _ = machine.run(&["--scenario", "troubles", "refresh"]);
    let told = machine.run(&["status", "--offline", "--json"]).json();
    let table = machine.run(&["status", "--offline", "--all"]).stdout;
    let page = machine.run(&["report", "--html", "-"]).stdout;
    let mut seen = std::collections::BTreeSet::new();
    for token in told["tokens"].as_array().unwrap() {
        let label = token["label"].as_str().unwrap();
        let Some(reason) = token["reasons"].as_array().unwrap().first() else { continue };
        let state = reason["state"].as_str().unwrap();
        let begins = match state {
            _ if state.starts_with("down") => "down",
            _ if state.starts_with("not checked") => "not checked",
            _ if state.starts_with("works, expires") => "expires soon",
            "works" => "works, ",
            other => other,
        };
        let row = table.lines().find(|it| it.starts_with(&format!("{label} "))).unwrap();
        let cell = row[label.len()..].trim_start();
        assert!(cell.starts_with(begins), "{state}: {row}");
        let head = machine.run(&["status", "--offline", label]).stdout;
        assert!(head.contains(&format!("\n  state         {begins}")), "{state}: {head}");
        assert!(page.contains(begins), "{state}");
        seen.insert(begins);
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["down", "expires soon", "never worked", "not checked", "works, "]
    );
    assert!(page.contains("down since 2025-12-20"), "{page}");
    assert!(!page.contains("\"no access token") && !page.contains(">no access token"), "{page}");
}

/// The address of a login was once taken for an access token.
#[test]
fn a_login_is_played_by_its_address() {
    let machine = Machine::new();
    let _ = machine.run(&["refresh", "-q"]);
    let address = machine.run(&["login", "shop", "--print-url"]).code(0).stdout;
    let played = machine.run(&["dialog", address.trim(), "--as", "Ben Example"]).code(0);
    assert!(played.stdout.starts_with("https://localhost/?code="), "{}", played.stdout);
    let token = address.trim().replace("state=", "state=EAABfakefakefakefakefakefake1&x=");
    let _ = machine.run(&["dialog", &token]).stdout("").code(64);
}

/// What was typed reaches the terminal as text, whatever it would do there.
#[test]
fn a_terminal_obeys_no_name_that_was_typed() {
    const TYPED: &str = "a\u{1b}[31mb\rc\nd";
    const SHOWN: &str = "a\\u{1b}[31mb\\rc\\nd";
    let machine = Machine::new();
    let _ = machine.run(&["refresh", "-q"]).code(0);
    for line in [
        &["status", TYPED][..],
        &["check", TYPED],
        &["forget", TYPED],
        &["token", TYPED],
        &["status", "--owner", TYPED],
        &["status", "--token-file", TYPED],
        &["status", "--within", TYPED],
        &["status", "--sort", TYPED],
        &["history", "--since", TYPED],
        &["history", "--event", TYPED],
        &["add", "new", "--type", "user", "--app", TYPED],
        &["add", "new", "--type", "user", "--deliver", TYPED],
        &["exec", "--env", TYPED, "shop", "--", "true"],
        &["exec", "shop", "--", TYPED],
        &["import", TYPED],
        &["import", "x", "--from", TYPED],
        &["rollback", "shop", "--generation", TYPED],
        &["store", "backup", TYPED],
        &["completions", TYPED],
        &["help", TYPED],
        &[TYPED],
        &["--scenario", TYPED, "status"],
        &["--now", TYPED, "status"],
    ] {
        let ran = machine.run(line);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(['\u{1b}', '\r']) && said.contains(SHOWN), "{line:?}: {said}");
    }
}
