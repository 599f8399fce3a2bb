//! What is said beside the data, on standard error.
//!
//! A program that asked for JSON gets nothing but JSON there, a line an object. The journal gets
//! lines with their priority. Everybody else reads text, and only a log that nobody else dates has
//! times.

use std::io::{self, Write};

use super::LogFormat;
use super::journal;
use super::level::Level;
use super::line::Line;
use super::reader::Reader;
use crate::clock::Clock;

/// The way to whoever reads standard error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aside {
    pub(super) format: LogFormat,
    pub(super) reader: Reader,
    pub(super) clock: Clock,
}

impl Aside {
    /// Says something that is no log line: for people it is `text` as it stands.
    pub(super) fn say(&self, line: &Line, text: &str) {
        self.write(line, || text.to_owned());
    }

    /// Writes a line of the log.
    pub(super) fn log(&self, line: &Line) {
        let at = (self.reader == Reader::Other).then(|| self.clock.now());
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
    pub(super) fn put(&self, level: Level, text: &str) {
        let text = match self.reader {
            Reader::Journal => journal::prefixed(level, text),
            Reader::Terminal | Reader::Other => format!("{text}\n"),
        };
        // Nobody can be told that standard error is gone.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}
