//! Writes to standard error, in the form that its reader takes.
//!
//! With `--log-format json` every line is a JSON object. The journal of systemd takes the `<N>` at
//! the beginning of a line off again and keeps it as the priority by which `journalctl -p` finds
//! it. Every other reader gets text, and only a log without another date has times.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use super::line::{Level, Line, LogFormat};
use crate::clock::Clock;
use crate::environment::Environment;
use crate::report::wrapped;

/// Writes to standard error.
#[derive(Debug, Clone, Copy)]
pub struct Stderr {
    pub format: LogFormat,
    pub reader: StreamKind,
    pub clock: Clock,
    /// The terminal's width, if it is one.
    pub width: Option<u16>,
}

/// How much deeper than its beginning a line is continued.
const HANG: usize = 2;

impl Stderr {
    /// Says something that is not a log line: for people it is `text`, wrapped at the terminal's width.
    pub fn say(&self, line: &Line, text: &str) {
        self.write(line, || match self.width {
            Some(width) => wrapped(text, width, HANG).trim_end().to_owned(),
            None => text.to_owned(),
        });
    }

    /// Asks on a terminal: the question is wrapped at its width, and the cursor stays behind it.
    pub fn ask(&self, question: &str) {
        let text = match self.width {
            Some(width) => wrapped(question, width.saturating_sub(1), HANG),
            None => question.to_owned(),
        };
        // Without the question a person can still type.
        let _ = io::stderr().lock().write_all(format!("{} ", text.trim_end()).as_bytes());
    }

    /// Writes a line of the log.
    pub fn log(&self, line: &Line) {
        let at = (self.reader == StreamKind::Other).then(|| self.clock.now());
        self.write(line, || line.text(at));
    }

    fn write(&self, line: &Line, text: impl FnOnce() -> String) {
        let said = match self.format {
            LogFormat::Text => text(),
            LogFormat::Json => line.json(self.clock.now()),
        };
        self.put(line.level(), &said);
    }

    /// Writes a text of one or more lines as it stands, whole: other threads have lines of theirs.
    pub fn put(&self, level: Level, text: &str) {
        let text = match self.reader {
            StreamKind::Journal => prefixed(level, text),
            StreamKind::Terminal | StreamKind::Other => format!("{text}\n"),
        };
        // There is no place to report that standard error is closed.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// Who reads what is written to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// A person.
    Terminal,
    /// The journal of systemd, which knows the time itself and reads how grave a line is.
    Journal,
    /// A file, a mail, another program.
    Other,
}

impl StreamKind {
    /// Looks once at where the stream goes.
    pub fn of(stream: impl AsFd + IsTerminal, environment: &Environment) -> Self {
        if stream.is_terminal() {
            Self::Terminal
        } else if is_the_journal(stream, environment) {
            Self::Journal
        } else {
            Self::Other
        }
    }
}

/// systemd names the device and the inode of the stream that it made for the journal; a service
/// whose stream was led elsewhere still has the variable. Source: systemd, systemd.exec(5).
fn is_the_journal(stream: impl AsFd, environment: &Environment) -> bool {
    let named = environment.get("JOURNAL_STREAM").and_then(|stream| stream.split_once(':'));
    named.is_some_and(|(device, inode)| {
        rustix::fs::fstat(stream)
            .is_ok_and(|stat| device == stat.st_dev.to_string() && inode == stat.st_ino.to_string())
    })
}

/// Every line of a text that is as grave as its beginning.
fn prefixed(level: Level, text: &str) -> String {
    text.lines().map(|line| one(level, line)).collect()
}

/// A report for people: each line as grave as it says, and what is indented below it too.
pub fn report_for_journal(text: &str) -> String {
    let mut level = Level::Info;
    let weighed = |line: &str| {
        if !line.starts_with(' ') {
            level = said(line);
        }
        one(level, line)
    };
    text.lines().map(weighed).collect()
}

fn one(level: Level, line: &str) -> String {
    format!("{}{line}\n", level.prefix())
}

/// How grave a line says it is: `critical: ...`, or a monitoring plugin's `METATOKEN CRITICAL - ...`.
fn said(line: &str) -> Level {
    let word = match line.strip_prefix("METATOKEN ") {
        Some(verdict) => verdict.split(' ').next(),
        None => line.split_once(": ").map(|(word, _)| word),
    };
    match word.map(str::to_ascii_lowercase).as_deref() {
        Some("critical" | "error") => Level::Error,
        Some("warning") => Level::Warning,
        _ => Level::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_text_has_the_prefix() {
        for (text, expected) in [
            ("", ""),
            ("one", "<4>one\n"),
            ("one\n", "<4>one\n"),
            ("one\n  two", "<4>one\n<4>  two\n"),
            ("one\n\ntwo", "<4>one\n<4>\n<4>two\n"),
        ] {
            assert_eq!(prefixed(Level::Warning, text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_of_a_report_is_as_grave_as_it_says() {
        for (text, expected) in [
            ("warning  user  ok", "<6>warning  user  ok\n"),
            ("critical: `a`: dead\n  hint: log in", "<3>critical: `a`: dead\n<3>  hint: log in\n"),
            ("warning: `a`: late\n  hint: wait", "<4>warning: `a`: late\n<4>  hint: wait\n"),
            ("unknown: `a`: not asked", "<6>unknown: `a`: not asked\n"),
            ("critical: x\n\n1 token", "<3>critical: x\n<6>\n<6>1 token\n"),
            ("METATOKEN WARNING - a: late", "<4>METATOKEN WARNING - a: late\n"),
            ("METATOKEN OK - 1 token", "<6>METATOKEN OK - 1 token\n"),
            (
                "METATOKEN CRITICAL - a\nCRITICAL: a: b",
                "<3>METATOKEN CRITICAL - a\n<3>CRITICAL: a: b\n",
            ),
        ] {
            assert_eq!(report_for_journal(text), expected, "{text:?}");
        }
    }
}
