//! A run as a service of systemd: what it prints goes to the journal.

use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use super::{World, limit};

/// What `JOURNAL_STREAM` says of a stream.
pub(crate) fn stream_name(stream: impl AsFd) -> String {
    let stat = rustix::fs::fstat(stream).unwrap();
    format!("{}:{}", stat.st_dev, stat.st_ino)
}

impl World {
    /// Runs the binary with both its streams on one socket, as a unit has them, and gives what it
    /// wrote there and how it ended.
    #[must_use = "a run is worth nothing unless it is looked at"]
    pub(crate) fn as_service(&self, arguments: &[&str]) -> (String, Option<i32>) {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let mut command = self.command(arguments);
        command.env("JOURNAL_STREAM", stream_name(&theirs));
        command.stdout(OwnedFd::from(theirs.try_clone().unwrap()));
        command.stderr(OwnedFd::from(theirs));
        let mut child = command.spawn().unwrap();
        // What is held for it would keep the socket open.
        drop(command);
        ours.set_read_timeout(Some(limit())).unwrap();
        let mut written = String::new();
        ours.read_to_string(&mut written).unwrap();
        (self.plain(&written), child.wait().unwrap().code())
    }
}
