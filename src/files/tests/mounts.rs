//! Files and folders as a container sees them: mounted from outside, one by one, or read-only.

use super::*;

/// Runs the child in a view of the mounts that `script` arranged, with the folder of the desk as
/// `$1`; `None` where this machine lets nobody do that.
fn mounted(desk: &Desk, script: &str, verb: &str) -> Option<String> {
    let script = format!("set -e; {script}; shift; exec \"$@\"");
    let folder = desk.folder();
    let mut words = vec!["unshare"];
    if !rustix::process::geteuid().is_root() {
        words.push("--map-root-user");
    }
    words.extend(["--mount", "sh", "-c", &script, "sh", folder.to_str().unwrap()]);
    let probe = Command::new(words[0]).args(&words[1..]).arg("true").output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        skipped("this machine does not let its mounts be arranged anew");
        return None;
    }
    let child = desk.again(verb, &desk.file(), "");
    Some(said(&child.behind(&words).output().unwrap()))
}

const READ_ONLY: &str = "mount --bind \"$1\" \"$1\"; mount -o remount,ro,bind \"$1\"";
const FILE: &str = "mount --bind \"$1/outside\" \"$1/app.ini\"";
/// Bound before the folder is closed: what is mounted in it stays open.
const FILE_IN_READ_ONLY: &str = "mount --bind \"$1\" \"$1\"; mount --bind \"$1/../outside\" \"$1/app.ini\"; mount -o remount,ro,bind \"$1\"";

#[test]
fn a_file_that_is_mounted_by_itself_is_written_in_place() {
    let desk = Desk::new();
    desk.put("app.ini", b"beneath");
    desk.put("outside", OLD);
    let Some(said) = mounted(&desk, FILE, "replace") else { return };
    assert!(said.starts_with("old: Mounted("), "{said}");
    assert_eq!(desk.names(), ["app.ini", "outside"]);
    assert_eq!(fs::read(desk.path("outside")).unwrap(), OLD);
    let inode = fs::metadata(desk.path("outside")).unwrap().ino();
    assert_eq!(mounted(&desk, FILE, "overwrite").unwrap(), "new: done");
    assert_eq!(fs::read(desk.path("outside")).unwrap(), NEW);
    assert_eq!(fs::metadata(desk.path("outside")).unwrap().ino(), inode);
    assert_eq!(fs::read(desk.file()).unwrap(), b"beneath");
}

#[test]
fn a_read_only_folder_is_named() {
    let desk = Desk::new();
    for (verb, expected) in [("replace", "old: FolderUnwritable"), ("overwrite", "old: Unwritten")]
    {
        let Some(said) = mounted(&desk, READ_ONLY, verb) else { return };
        assert!(said.starts_with(expected) && said.contains("ReadOnlyFilesystem"), "{said}");
        desk.holds(OLD);
    }
}

#[test]
fn a_file_that_can_be_written_in_a_folder_that_cannot() {
    let desk = Desk::new();
    let outside = desk.root.path().join("outside");
    put(&outside, OLD);
    let Some(said) = mounted(&desk, FILE_IN_READ_ONLY, "replace") else { return };
    assert!(said.starts_with("old: FolderUnwritable"), "{said}");
    assert_eq!(mounted(&desk, FILE_IN_READ_ONLY, "overwrite").unwrap(), "new: done");
    assert_eq!(fs::read(&outside).unwrap(), NEW);
}

#[test]
fn a_full_disk_leaves_the_old_content() {
    let desk = Desk::new();
    let script = "cp \"$1/app.ini\" \"$1/../kept\"; mount -t tmpfs -o size=64k none \"$1\"; cp \"$1/../kept\" \"$1/app.ini\"";
    for verb in ["swell", "swell in place"] {
        let Some(said) = mounted(&desk, script, verb) else { return };
        assert!(said.starts_with("old: Unwritten"), "{verb}: {said}");
    }
}
