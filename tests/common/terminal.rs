//! A terminal to run in.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// No answer takes longer to be asked for.
const PATIENCE: Duration = Duration::from_mins(1);

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

/// Runs the command under a terminal and types each answer once its prompt has appeared; returns
/// all that the terminal showed, with plain line ends, and the exit code.
pub(crate) fn converse(inner: &Command, turns: &[(&str, &str)]) -> (String, Option<i32>) {
    converse_in("\"$@\"", inner, turns)
}

/// The same with a line of the shell in which `"$@"` is the command.
pub(crate) fn converse_in(
    line: &str,
    inner: &Command,
    turns: &[(&str, &str)],
) -> (String, Option<i32>) {
    converse_at(200, line, inner, turns)
}

/// The same under a terminal of that many columns.
pub(crate) fn converse_at(
    columns: u16,
    line: &str,
    inner: &Command,
    turns: &[(&str, &str)],
) -> (String, Option<i32>) {
    let mut child = terminal(columns, line, inner).stdin(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (sender, shown) = mpsc::channel();
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stdout.read(&mut chunk) {
            let _ = sender.send(String::from_utf8_lossy(&chunk[..read]).into_owned());
        }
    });
    let (mut seen, mut from, began) = (String::new(), 0, Instant::now());
    for (prompt, answer) in turns {
        while !seen[from..].contains(prompt) {
            let left = PATIENCE.saturating_sub(began.elapsed());
            let more = shown.recv_timeout(left);
            seen += &more.unwrap_or_else(|_| panic!("`{prompt}` was not asked:\n{seen}"));
        }
        from = seen.len();
        // At once, as a paste arrives.
        stdin.write_all(format!("{answer}\n").as_bytes()).unwrap();
    }
    seen.extend(shown.iter());
    (seen.replace("\r\n", "\n"), child.wait().unwrap().code())
}
