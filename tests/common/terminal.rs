//! A terminal to run in.

use std::process::{Command, Stdio};

/// Runs a line of the shell in which `"$@"` is that command, with its environment and no other.
pub(crate) fn shell(line: &str, inner: &Command) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", line, "sh"])
        .arg(inner.get_program())
        .args(inner.get_args())
        .env_clear()
        .envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(folder) = inner.get_current_dir() {
        command.current_dir(folder);
    }
    command
}

/// Runs the same under a terminal of that many columns; its lines end in `\r\n`.
pub(crate) fn terminal(columns: u16, line: &str, inner: &Command) -> Command {
    let quoted = |word: &str| format!("'{}'", word.replace('\'', "'\\''"));
    let words = std::iter::once(inner.get_program()).chain(inner.get_args());
    let typed: Vec<String> = words.map(|word| quoted(word.to_str().unwrap())).collect();
    let line = format!("stty rows 24 cols {columns}; {}", line.replace("\"$@\"", &typed.join(" ")));
    let mut outer = Command::new("true");
    outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = inner.get_current_dir() {
        outer.current_dir(folder);
    }
    shell(&format!("script -qec {} /dev/null", quoted(&line)), &outer)
}
