//! Refuses file systems that cannot carry a store.
//!
//! The run lock and `SQLite`'s own locks are the kernel's, and the log's index is memory that the
//! processes of one machine share. Over a network, and where another program plays the disk, locks
//! may be granted twice, and two machines never share memory: then two runs write at once and the
//! store is damaged unnoticed. A reader there may see a log that another machine is
//! writing, so it is refused as well.

use std::io::ErrorKind;
use std::path::Path;

/// The file systems, by the number that `statfs` gives for each.
const REFUSED: [(u32, &str); 15] = [
    (0x0000_6969, "nfs"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb"),
    (0x0000_517b, "smb"),
    (0x0000_564c, "ncp"),
    (0x0102_1997, "9p"),
    (0x6573_5546, "fuse"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "afs"),
    (0x7375_7245, "coda"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
    (0x4750_4653, "gpfs"),
    (0x786f_4256, "vboxsf"),
    (0xbacb_acbc, "vmhgfs"),
];

/// Returns the name of a file system that cannot carry a store, by its number.
pub fn refused_filesystem(number: u32) -> Option<&'static str> {
    REFUSED.iter().find(|(refused, _)| *refused == number).map(|(_, name)| *name)
}

/// Returns the name of the file system under the store, or under the folder in which it would be
/// made, if it cannot carry a store. What cannot be asked is not refused: opening it says why.
pub fn filesystem_trouble(store: &Path) -> Option<&'static str> {
    let place = store.ancestors().find(|place| match place.metadata() {
        Err(error) => error.kind() != ErrorKind::NotFound && !place.as_os_str().is_empty(),
        Ok(_) => true,
    })?;
    let about = rustix::fs::statfs(place).ok()?;
    // The kernel's numbers have 32 bits; the field is wider, and signed, on some machines.
    let [a, b, c, d, ..] = about.f_type.to_le_bytes();
    refused_filesystem(u32::from_le_bytes([a, b, c, d]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_not_there_yet_is_judged_by_the_folder_above() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["metatoken.db", "a/b/c/metatoken.db"] {
            assert_eq!(filesystem_trouble(&folder.path().join(path)), None);
        }
        assert_eq!(filesystem_trouble(Path::new("/proc/none/metatoken.db")), None);
    }
}
