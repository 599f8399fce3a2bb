//! Where a test has its files.
//!
//! In memory where the machine offers room there: a run waits for the disk a hundred times, and no
//! test pulls the plug.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rustix::fs::StatVfsMountFlags;

/// What Linux mounts in memory for everybody.
const MEMORY: &str = "/dev/shm";
/// How many bytes have to be free there; containers have 64 MiB.
const ROOM: u64 = 1 << 30;

/// Makes a folder that is there as long as what is returned. Its path has 15 characters in either place:
/// a line that is cut to its length is cut where the test expects it.
pub(crate) fn folder() -> tempfile::TempDir {
    static PLACE: LazyLock<PathBuf> = LazyLock::new(|| {
        let memory = Path::new(MEMORY);
        if is_fit(memory) { memory.to_owned() } else { std::env::temp_dir() }
    });
    let prefix = if *PLACE == Path::new(MEMORY) { "" } else { ".tmp" };
    tempfile::Builder::new().prefix(prefix).rand_bytes(6).tempdir_in(&*PLACE).unwrap()
}

/// Whether a test can write there and run what it wrote.
fn is_fit(place: &Path) -> bool {
    let Ok(room) = rustix::fs::statvfs(place) else { return false };
    room.f_bavail * room.f_frsize >= ROOM
        && !room.f_flag.contains(StatVfsMountFlags::NOEXEC)
        && tempfile::tempdir_in(place).is_ok()
}
