//! The bytes of an open file, from its first to its last.
//!
//! They may be a secret: they are read into one buffer of the right size, which never moves and
//! is wiped in the end.

use rustix::fd::OwnedFd;
use rustix::io::{self, Errno};
use zeroize::Zeroizing;

/// Reads a file of that size; `None` if it has another by now.
pub(super) fn read(file: &OwnedFd, size: u64) -> Result<Option<Zeroizing<Vec<u8>>>, Errno> {
    let size = usize::try_from(size).map_err(|_| Errno::FBIG)?;
    // One byte more than there should be, to see one that was added.
    let mut bytes = Zeroizing::new(vec![0; size + 1]);
    let mut read = 0;
    while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match io::retry_on_intr(|| io::pread(file, &mut *rest, read as u64))? {
            0 => break,
            more => read += more,
        }
    }
    bytes.truncate(size);
    Ok((read == size).then_some(bytes))
}

/// Writes from the first byte on; what lies behind the last one stays.
pub(super) fn write(file: &OwnedFd, bytes: &[u8]) -> Result<(), Errno> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match io::retry_on_intr(|| io::pwrite(file, rest, written as u64))? {
            0 => return Err(Errno::IO),
            more => written += more,
        }
    }
    Ok(())
}
