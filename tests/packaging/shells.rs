//! Completions as the shells make them: each real shell runs on a terminal, gets a line with a tab in
//! it, and what it makes of the line is looked at.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use crate::common::converse;
use crate::{lacking, skip};

/// What the shells are told to show when they wait for a line.
const PROMPT: &str = "ready: ";

const CONFIG: &str = r#"
[app.main]
id = "1000000000000001"
secret = { env = "APP_SECRET" }

[token.bakery-of-anna]
type = "user"
access_token = { env = "BAKERY" }
"#;

/// A home with a config, and the binary on the path.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Self { folder };
        home.write(".config/metatoken/metatoken.toml", CONFIG);
        home.write(
            ".config/metatoken/tokens.d/cafe.toml",
            "[token.cafe-by-the-sea]\ntype = \"user\"\naccess_token = { env = \"CAFE\" }\n",
        );
        fs::create_dir(home.path("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_metatoken"), home.path("bin/metatoken")).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    #[expect(clippy::disallowed_methods, reason = "a file of a test's own")]
    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The script that the binary prints for a shell.
    fn script(shell: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metatoken"));
        let ran = command.env_clear().args(["completions", shell]).output().unwrap();
        assert!(ran.status.success());
        String::from_utf8(ran.stdout).unwrap()
    }

    /// A shell in this home.
    fn shell(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]);
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.path("bin").display());
        command
            .args(&words[1..])
            .env_clear()
            .env("HOME", self.folder.path())
            .env("ZDOTDIR", self.folder.path())
            .env("LC_ALL", "C.UTF-8")
            .env("SHELL_PATH", path)
            .current_dir(self.folder.path());
        command
    }
}

/// Types lines with a tab in them: the shell completes and runs each.
#[track_caller]
fn completes(shell: &Command) {
    let lines = [
        ("echo begun", "begun"),
        ("metatoken help exit-\t", "# Exit codes"),
        ("metatoken status --offline ba\t", "bakery-of-anna"),
        ("metatoken status --offline ca\t", "cafe-by-the-sea"),
        ("metatoken --sandbox=/nowhere/at/all --scenario thr\t help", "throttled"),
    ];
    let typed: Vec<(&str, &str)> =
        lines.iter().map(|(line, _)| (PROMPT, *line)).chain([(PROMPT, "exit")]).collect();
    let (shown, _) = converse(shell, &typed);
    for (line, expected) in lines {
        assert!(shown.contains(expected), "{line}:\n{shown}");
    }
    assert!(!shown.contains("error:") || shown.contains("store"), "{shown}");
}

fn lacks(test: &str, shell: &str) -> bool {
    let why = lacking(&[shell, "script"]);
    if let Some(why) = &why {
        skip(&format!("packaging::shells::{test}"), why);
    }
    why.is_some()
}

#[test]
fn bash_completes_labels_topics_and_scenarios() {
    if lacks("bash_completes_labels_topics_and_scenarios", "bash") {
        return;
    }
    let home = Home::new();
    home.write("completions", &Home::script("bash"));
    home.write("rc", &format!("PATH=$SHELL_PATH\nPS1='{PROMPT}'\n. ./completions\n"));
    let shell = home.shell(&["bash", "--noprofile", "--rcfile", "rc", "-i"]);
    completes(&shell);
    says_nothing(&home, &shell);
}

#[test]
fn zsh_completes_labels_topics_and_scenarios() {
    if lacks("zsh_completes_labels_topics_and_scenarios", "zsh") {
        return;
    }
    // Both ways in which a script is installed: found in `fpath`, and read by `.zshrc`.
    for installed in [
        "fpath=($PWD/functions $fpath)\nautoload -U compinit\ncompinit -u",
        "autoload -U compinit\ncompinit -u\n. ./functions/_metatoken",
    ] {
        let home = Home::new();
        home.write("functions/_metatoken", &Home::script("zsh"));
        home.write(".zshrc", &format!("PATH=$SHELL_PATH\nPS1='{PROMPT}'\nunsetopt zle_bracketed_paste prompt_sp 2>/dev/null\n{installed}\n"));
        completes(&home.shell(&["zsh", "-i"]));
        says_nothing(&home, &home.shell(&["zsh", "-i"]));
    }
}

#[test]
fn fish_completes_labels_topics_and_scenarios() {
    if lacks("fish_completes_labels_topics_and_scenarios", "fish") {
        return;
    }
    let home = Home::new();
    home.write(".config/fish/completions/metatoken.fish", &Home::script("fish"));
    home.write(".config/fish/config.fish", &format!("set -gx PATH (string split : $SHELL_PATH)\nfunction fish_prompt; echo -n '{PROMPT}'; end\nset -g fish_greeting\n"));
    completes(&home.shell(&["fish", "-i"]));
    says_nothing(&home, &home.shell(&["fish", "-i"]));
}

/// A config that cannot be used is said by the command that is run, and never by a tab.
#[track_caller]
fn says_nothing(home: &Home, shell: &Command) {
    home.write("broken.toml", "[token.bakery\n");
    home.write("open.toml", CONFIG);
    fs::set_permissions(home.path("open.toml"), fs::Permissions::from_mode(0o666)).unwrap();
    let lines = ["missing", "broken", "open"]
        .map(|name| format!("metatoken --config {name}.toml status ba\t\t"));
    let typed: Vec<(&str, &str)> =
        lines.iter().map(|line| (PROMPT, line.as_str())).chain([(PROMPT, "exit")]).collect();
    let (shown, _) = converse(shell, &typed);
    assert_eq!(shown.matches("error:").count(), lines.len(), "{shown}");
    assert!(!shown.contains("bakery-of-anna"), "{shown}");
}

/// The same script is installed for all users, where the config is not theirs to read.
#[test]
fn a_tab_says_nothing_where_there_is_no_config() {
    if lacks("a_tab_says_nothing_where_there_is_no_config", "bash") {
        return;
    }
    let home = Home::new();
    fs::remove_dir_all(home.path(".config")).unwrap();
    home.write("completions", &Home::script("bash"));
    home.write("rc", &format!("PATH=$SHELL_PATH\nPS1='{PROMPT}'\n. ./completions\n"));
    let shell = home.shell(&["bash", "--noprofile", "--rcfile", "rc", "-i"]);
    let line = "metatoken --config /no.toml status b\t\t; echo \"ended:\"$?";
    let (shown, _) = converse(&shell, &[(PROMPT, line), (PROMPT, "exit")]);
    assert_eq!(shown.matches("error:").count(), 1, "{shown}");
    assert!(shown.contains("ended:78"), "{shown}");
}
