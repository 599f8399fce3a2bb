//! Who is at the other end of a stream.

use std::io::IsTerminal;
use std::os::fd::AsFd;

use crate::environment::Environment;

/// Who reads what is written to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A person.
    Terminal,
    /// The journal of systemd, which knows the time itself and reads how grave a line is.
    Journal,
    /// A file, a mail, another program.
    Other,
}

impl Reader {
    /// Looks once at where the stream goes.
    pub(super) fn of(stream: impl AsFd + IsTerminal, environment: &Environment) -> Self {
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
