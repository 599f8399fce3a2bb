//! Owner, group, mode, access list and attributes: all are carried over.

use rustix::fs::{XattrFlags, getxattr, removexattr, setxattr};

use super::*;

const ACL: &str = "system.posix_acl_access";
const DEFAULT_ACL: &str = "system.posix_acl_default";
const NOTE: &str = "user.note";

/// An access list by which the application may read, as the kernel writes it: version 2, then
/// tag, permissions and user of each entry.
fn acl() -> Vec<u8> {
    let nobody = u32::MAX;
    let entries: [(u16, u16, u32); 5] = [
        (0x01, 6, nobody),
        (0x02, 4, APPLICATION),
        (0x04, 0, nobody),
        (0x10, 4, nobody),
        (0x20, 0, nobody),
    ];
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, user) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(user.to_le_bytes());
    }
    bytes
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 1024];
    let length = getxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

/// Sets it, or says that this file system has no such thing.
fn set(path: &Path, name: &str, value: &[u8]) -> bool {
    let set = setxattr(path, name, value, XattrFlags::empty());
    if set == Err(Errno::NOTSUP) {
        skipped(&format!("this file system has no {name}"));
        return false;
    }
    set.unwrap();
    true
}

#[test]
fn the_mode_is_kept() {
    for mode in [0o600, 0o640, 0o644, 0o664, 0o666, 0o400, 0o444, 0o2750, 0o4711] {
        let desk = Desk::new();
        chmod(&desk.file(), mode);
        replace(&desk.file(), NEW).unwrap();
        desk.holds(NEW);
        assert_eq!(fs::metadata(desk.file()).unwrap().mode() & 0o7777, mode, "{mode:04o}");
    }
}

#[test]
fn owner_and_group_are_kept() {
    if !is_root("give a file away") {
        return;
    }
    for (owner, group, mode) in
        [(APPLICATION, 0, 0o600), (0, APPLICATION, 0o640), (APPLICATION, STRANGER, 0o6755)]
    {
        let desk = Desk::new();
        // The folder hands its own group down to new files.
        chown(&desk.folder(), STRANGER, 61_003);
        chmod(&desk.folder(), 0o2755);
        chown(&desk.file(), owner, group);
        chmod(&desk.file(), mode);
        replace(&desk.file(), NEW).unwrap();
        desk.holds(NEW);
        let metadata = fs::metadata(desk.file()).unwrap();
        let found = (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
        assert_eq!(found, (owner, group, mode));
    }
}

#[test]
fn the_access_list_and_the_attributes_are_kept() {
    let desk = Desk::new();
    if !set(&desk.file(), ACL, &acl()) {
        return;
    }
    let noted = set(&desk.file(), NOTE, b"theirs");
    let empty = noted && set(&desk.file(), "user.empty", b"");
    let before = fs::metadata(desk.file()).unwrap();
    replace(&desk.file(), NEW).unwrap();
    desk.holds(NEW);
    let after = fs::metadata(desk.file()).unwrap();
    assert_ne!(before.ino(), after.ino(), "it is another file");
    assert_eq!(before.mode(), after.mode());
    assert_eq!(attribute(&desk.file(), ACL), Some(acl()));
    assert_eq!(attribute(&desk.file(), NOTE), noted.then(|| b"theirs".to_vec()));
    assert_eq!(attribute(&desk.file(), "user.empty"), empty.then(Vec::new));
}

#[test]
fn what_a_folder_hands_down_lets_nobody_in() {
    let desk = Desk::new();
    if !set(&desk.folder(), DEFAULT_ACL, &acl()) {
        return;
    }
    chmod(&desk.file(), 0o640);
    replace(&desk.file(), NEW).unwrap();
    desk.holds(NEW);
    assert_eq!(attribute(&desk.file(), ACL), None, "the file had none");
    assert_eq!(fs::metadata(desk.file()).unwrap().mode() & 0o7777, 0o640);

    let inherited = desk.path("new.ini");
    put(&inherited, OLD);
    assert!(attribute(&inherited, ACL).is_some(), "that is what the folder does");
    removexattr(&inherited, ACL).unwrap();
    create(&desk.path("private.ini"), NEW, PRIVATE).unwrap();
    let mode = fs::metadata(desk.path("private.ini")).unwrap().mode() & 0o7777;
    assert_eq!(mode, PRIVATE, "an access list is no more than its mask, and that is nothing");
}

#[test]
fn a_file_that_may_not_be_moved_is_named_so() {
    use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

    let desk = Desk::new();
    let file = File::open(desk.file()).unwrap();
    let Ok(flags) = ioctl_getflags(&file) else {
        return skipped("this file system has no immutable files");
    };
    if ioctl_setflags(&file, flags | IFlags::IMMUTABLE).is_err() {
        return skipped("this user cannot make a file immutable");
    }
    let (replaced, overwritten) = (replace(&desk.file(), NEW), overwrite(&desk.file(), NEW));
    ioctl_setflags(&file, flags).unwrap();
    assert_eq!(replaced, Err(FileError::Protected(desk.file(), Errno::PERM)));
    assert_eq!(overwritten, Err(FileError::Unwritten(desk.file(), Errno::PERM)));
    desk.holds(OLD);
}
