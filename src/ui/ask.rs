//! Asks a person on a terminal: for a line, for a secret, for a word that confirms.

use std::io::{self, IsTerminal as _, Write as _};

use zeroize::Zeroizing;

use super::Ui;
use super::line::{Level, Line, LogFormat};
use super::stderr::StreamKind;
use crate::error::{CliError, visible};
use crate::exit::Exit;

impl Ui {
    /// Whether a person can be asked: standard input is a terminal.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal()
    }

    /// Asks a person for a line; nothing without a terminal.
    pub fn ask(&self, prompt: &str) -> Option<io::Result<String>> {
        self.can_ask().then(|| {
            self.prompt(prompt);
            let mut line = String::new();
            match io::stdin().read_line(&mut line)? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(line.trim().to_owned()),
            }
        })
    }

    /// Asks a person for a secret, without showing what is typed; nothing without a
    /// terminal.
    pub fn ask_secret(&self, prompt: &str) -> Option<io::Result<Zeroizing<String>>> {
        self.can_ask().then(|| read_hidden(|| self.prompt(prompt)))
    }

    /// Has a person confirm what was just listed. `expected` is what stands for it: a label, or how
    /// many there are. `given` is what `--yes` said; without it a terminal is asked.
    pub fn confirm(
        &self,
        expected: &str,
        given: Option<&str>,
        question: &str,
    ) -> Result<(), CliError> {
        let typed = match given {
            Some(_) => None,
            None => self.ask(&format!("{question} Type {expected} to go on")),
        };
        let typed = typed.map(Result::unwrap_or_default);
        let why = match given.or(typed.as_deref()) {
            None => "there is no terminal to ask on".to_owned(),
            Some(found) if found == expected => return Ok(()),
            Some("") if given.is_some() => "`--yes` alone does not say what is meant".to_owned(),
            Some(found) => format!("`{expected}` was expected, not `{}`", visible(found)),
        };
        let verb = if given.is_some() { "write" } else { "add" };
        let message = format!("nothing was done: {why}");
        Err(CliError::new(Exit::Usage, "not_confirmed", "", message)
            .hint(format!("if all that is listed is meant, {verb} `--yes={expected}`")))
    }

    fn prompt(&self, prompt: &str) {
        match (self.stderr.format, self.stderr.reader) {
            (LogFormat::Text, StreamKind::Terminal | StreamKind::Other) => {
                self.stderr.ask(&format!("{prompt}:"));
            }
            _ => self.stderr.say(&Line::of(Level::Info, "asked", prompt), prompt),
        }
    }
}

/// Reads a line from the terminal without showing it; `prompt` is called once nothing shows. Ctrl-C
/// ends the process as ever, but only when the terminal shows again what is typed.
fn read_hidden(prompt: impl FnOnce()) -> io::Result<Zeroizing<String>> {
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
    let stdin = io::stdin();
    let before = tcgetattr(&stdin)?;
    let mut hidden = before.clone();
    hidden.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
    hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(&stdin, OptionalActions::Now, &hidden)?;
    prompt();
    let typed = read_typed(stdin.lock());
    tcsetattr(&stdin, OptionalActions::Now, &before)?;
    let _ = io::stderr().write_all(b"\n");
    if typed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::INT)?;
    }
    typed
}

/// Reads what is typed up to the end of a line, byte by byte, as the terminal itself does not.
fn read_typed(mut terminal: impl io::Read) -> io::Result<Zeroizing<String>> {
    const INTERRUPT: u8 = 0x03;
    const END: u8 = 0x04;
    const CLEAR: u8 = 0x15;
    let mut line = Zeroizing::new(Vec::with_capacity(8 * 1024));
    let mut byte = [0];
    loop {
        match terminal.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        match byte[0] {
            b'\n' | b'\r' => {
                line.push(b'\n');
                break;
            }
            INTERRUPT => return Err(io::ErrorKind::Interrupted.into()),
            END if line.is_empty() => break,
            END => {}
            CLEAR => line.clear(),
            0x08 | 0x7f => drop(line.pop()),
            other => line.push(other),
        }
    }
    let text = String::from_utf8(std::mem::take(&mut *line));
    text.map(Zeroizing::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        io::ErrorKind::InvalidData.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_line_can_be_corrected_and_broken_off() {
        for (typed, read) in [
            ("abc\n", Ok("abc\n")),
            ("abc\rdef", Ok("abc\n")),
            ("ab\u{7f}c\u{8}d\n", Ok("ad\n")),
            ("\u{7f}a\n", Ok("a\n")),
            ("wrong\u{15}right\n", Ok("right\n")),
            ("\u{4}", Ok("")),
            ("a\u{4}b\n", Ok("ab\n")),
            ("", Ok("")),
            ("cut", Ok("cut")),
            ("abc\u{3}\n", Err(io::ErrorKind::Interrupted)),
        ] {
            let found = read_typed(typed.as_bytes());
            let found = found.as_ref().map(|line| line.as_str()).map_err(io::Error::kind);
            assert_eq!(found, read, "{typed:?}");
        }
        let torn = read_typed(&b"\xff\n"[..]).map_err(|error| error.kind());
        assert_eq!(torn.err(), Some(io::ErrorKind::InvalidData));
    }
}
