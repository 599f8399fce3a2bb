//! Configs that are wrong, and command lines that are.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use metatoken::cli::{self, TOPICS};

use crate::Plan;
use crate::world::World;

/// What every config begins with, as in the tests of the table.
const HEAD: &str = "[app.main]\nid = \"1\"\n";

const COMMAND_LINES: [&str; 27] = [
    "",
    "--help",
    "-h",
    "--version",
    "help",
    "status -h",
    "revoke -h",
    "help stauts",
    "stauts",
    "status --livee",
    "status --live --offline",
    "refresh --force",
    "refresh -n -n",
    "exchange",
    "token",
    "token a b",
    "history --limit many",
    "history --since yesterday",
    "check --notify brand",
    "check --tokens --system",
    "--now tomorrow check",
    "--now +1d check",
    "--scenario healthy check",
    "--sandbox --scenario nowhere check",
    "--config /nonexistent/metatoken.toml check",
    "--quiet -v check",
    "completions nosuchshell",
];

/// The world of configs and that of command lines.
pub(crate) fn plans() -> Vec<Plan> {
    vec![Plan::new("mistakes", configs), Plan::new("command-lines", command_lines)]
}

fn configs(world: &mut World) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("src/config/mistakes.txt"))?;
    for case in table.split("\n====\n") {
        let text = case.split_once("\n----\n").map_or(case, |(text, _)| text);
        try_config(world, &format!("{HEAD}{text}"))?;
    }
    for entry in ["examples", "deployment"] {
        for path in configs_below(&root.join(entry))? {
            try_config(world, &std::fs::read_to_string(path)?)?;
        }
    }
    for text in ["", "\0", "[app.main", "\u{feff}[app.main]\nid = \"1\"\n", "a = \"\u{1b}[31m\"\n"]
    {
        try_config(world, text)?;
    }
    for mode in [0o644, 0o664, 0o666, 0o600] {
        let text = format!("{HEAD}secret = \"hush\"\n");
        world.write("metatoken.toml", &text)?;
        let rights = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(world.path("metatoken.toml"), rights)?;
        world.run("config check")?;
        world.run("refresh")?;
    }
    Ok(())
}

fn try_config(world: &mut World, text: &str) -> anyhow::Result<()> {
    world.write("metatoken.toml", text)?;
    let config = world.path("metatoken.toml").display().to_string();
    for command in ["config check", "config show", "config show --json", "check", "token t"] {
        let mut words = vec!["--config", config.as_str()];
        words.extend(command.split_whitespace());
        world.start(&words, &format!("{command}, with\n{text}"), "", None)?;
    }
    Ok(())
}

fn configs_below(folder: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(configs_below(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn command_lines(world: &mut World) -> anyhow::Result<()> {
    let mut lines = COMMAND_LINES.map(str::to_owned).to_vec();
    lines.extend(TOPICS.iter().map(|topic| format!("help {}", topic.name)));
    lines.extend(["bash", "zsh", "fish"].map(|shell| format!("completions {shell}")));
    ask_for_help(&cli::command(), "", &mut lines);
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        world.start(&words, &line, "", None)?;
    }
    Ok(())
}

/// Adds the question for the help of every command below this one.
fn ask_for_help(command: &clap::Command, words: &str, lines: &mut Vec<String>) {
    for inner in command.get_subcommands() {
        let words = format!("{words} {}", inner.get_name()).trim_start().to_owned();
        ask_for_help(inner, &words, lines);
        lines.push(format!("{words} --help"));
    }
}
