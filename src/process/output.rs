//! Keeps what a program prints, and how it ended.
//!
//! Everything is read, so that no program hangs on a full pipe or dies of a closed one; the first
//! 64 KiB are kept. The memory is wiped, and is allotted at once, since a buffer that grows leaves
//! copies behind.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use zeroize::Zeroizing;

/// How many bytes are kept of what a program prints, of each kind.
pub const CAP: usize = 64 * 1024;

/// How much is read at once.
const CHUNK: usize = 8 * 1024;

/// Says where the kept output ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputEnd {
    /// Where the program's does.
    Whole,
    /// At [`CAP`]: there was more.
    Cap,
    /// Where the program was ended, or where the wait for more was over.
    BrokenOff,
}

impl OutputEnd {
    const fn mark(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Cap => "[more than 64 KiB]",
            Self::BrokenOff => "[broken off]",
        }
    }
}

/// Holds what a program printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Printed {
    bytes: Zeroizing<Vec<u8>>,
    end: OutputEnd,
}

/// Output may hold a token, so only its size is shown.
impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Printed({} bytes, {:?})", self.bytes.len(), self.end)
    }
}

impl Printed {
    fn nothing() -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(CAP)), end: OutputEnd::Whole }
    }

    /// The bytes that were kept.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where they end.
    pub const fn end(&self) -> OutputEnd {
        self.end
    }

    /// The output as text for people, marked where it is not whole.
    ///
    /// Secrets in it are still to be redacted. A redactor knows a token but no half of one, so a
    /// word that may have been cut is left out.
    pub fn text(&self) -> Zeroizing<String> {
        let known = match self.end {
            OutputEnd::Whole => &self.bytes[..],
            OutputEnd::Cap | OutputEnd::BrokenOff => whole_words(&self.bytes),
        };
        // No byte becomes more than the three of U+FFFD, so the text never moves while it grows.
        let room = known.len() * char::REPLACEMENT_CHARACTER.len_utf8() + self.end.mark().len();
        let mut text = Zeroizing::new(String::with_capacity(room));
        for chunk in known.utf8_chunks() {
            text.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text.push_str(self.end.mark());
        text
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = CAP - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room {
            self.end = OutputEnd::Cap;
        }
    }

    /// Notes that there might have been more.
    fn break_off(&mut self) {
        if self.end == OutputEnd::Whole {
            self.end = OutputEnd::BrokenOff;
        }
    }
}

/// Tells how a program ended, well or not, and what it printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The exit code or the signal.
    pub status: ExitStatus,
    /// What it printed on standard output.
    pub stdout: Printed,
    /// What it printed on standard error.
    pub stderr: Printed,
    /// How long it ran.
    pub took: Duration,
}

impl Ended {
    /// The same of a program that did not end by itself, perhaps in the middle of a word.
    pub(super) fn broken_off(mut self) -> Self {
        self.stdout.break_off();
        self.stderr.break_off();
        self
    }
}

/// All up to the last blank, and with it.
fn whole_words(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
    &bytes[..end]
}

/// Reads a pipe beside the waiting.
pub struct Capture {
    kept: Arc<Mutex<Option<Printed>>>,
    reader: Option<JoinHandle<()>>,
}

impl Capture {
    /// Begins to read; without a pipe there is nothing to read.
    pub fn of(pipe: Option<impl Read + Send + 'static>) -> io::Result<Self> {
        let kept = Arc::new(Mutex::new(Some(Printed::nothing())));
        let shared = Arc::clone(&kept);
        let reader = pipe.map(|pipe| beside(move || drain(pipe, &shared))).transpose()?;
        Ok(Self { kept, reader })
    }

    /// Whether the pipe is at its end: no process holds its other side any more.
    pub fn is_complete(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// What was printed until now; nothing is kept after this.
    pub fn take(self) -> Printed {
        let complete = self.is_complete();
        let mut printed = lock(&self.kept).take().unwrap_or_else(Printed::nothing);
        if !complete {
            printed.break_off();
        }
        printed
    }
}

/// Reads to the end, or until the output is given up.
fn drain(mut pipe: impl Read, kept: &Mutex<Option<Printed>>) {
    let mut chunk = Zeroizing::new([0; CHUNK]);
    loop {
        match pipe.read(&mut chunk[..]) {
            Ok(0) => return,
            Ok(size) => match lock(kept).as_mut() {
                Some(printed) => printed.add(&chunk[..size]),
                None => return,
            },
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A broken pipe ends the text like its end does; the exit status tells.
            Err(_) => return,
        }
    }
}

fn lock(kept: &Mutex<Option<Printed>>) -> MutexGuard<'_, Option<Printed>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a thread; a machine that has none left is an error, and no panic.
pub fn beside(work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().spawn(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(bytes: &[u8], end: OutputEnd) -> Printed {
        Printed { bytes: Zeroizing::new(bytes.to_vec()), end }
    }

    #[test]
    fn a_text_that_is_not_whole_says_so_and_ends_with_a_whole_word() {
        for (bytes, end, text) in [
            (&b"done"[..], OutputEnd::Whole, "done"),
            (b"", OutputEnd::Whole, ""),
            (b"line\n", OutputEnd::BrokenOff, "line\n[broken off]"),
            (b"token: EAAFAKEha", OutputEnd::BrokenOff, "token: [broken off]"),
            (b"a\nEAAFAKEha", OutputEnd::Cap, "a\n[more than 64 KiB]"),
            (b"EAAFAKEha", OutputEnd::Cap, "[more than 64 KiB]"),
            (b"\xffa\xc3\xffb\xe2\x82", OutputEnd::Whole, "\u{fffd}a\u{fffd}\u{fffd}b\u{fffd}"),
        ] {
            let output = printed(bytes, end);
            assert_eq!(output.text().as_str(), text);
            assert!(!format!("{output:?}").contains("EAA"));
        }
    }

    #[test]
    fn memory_never_moves_while_it_fills() {
        let mut output = Printed::nothing();
        let place = output.bytes.as_ptr();
        for (size, end) in [
            (CAP - 1, OutputEnd::Whole),
            (1, OutputEnd::Whole),
            (1, OutputEnd::Cap),
            (1, OutputEnd::Cap),
        ] {
            output.add(&vec![0xff; size]);
            assert_eq!((output.bytes.as_ptr(), output.end), (place, end));
        }
        assert_eq!(output.bytes.len(), CAP);
        output.break_off();
        assert_eq!(output.end, OutputEnd::Cap);
    }
}
