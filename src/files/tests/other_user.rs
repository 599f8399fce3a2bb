//! A user who may do less: what cannot be carried over leaves the file as it was.

use std::os::unix::process::CommandExt as _;

use super::*;

/// What came of it when `nobody` did that.
fn as_nobody(desk: &Desk, verb: &str, path: &Path) -> String {
    let child = desk.again(verb, path, "");
    said(&child.behind(&[]).uid(NOBODY).gid(NOBODY).output().unwrap())
}

struct Case {
    /// Owner, group and mode of the folder.
    folder: (u32, u32, u32),
    /// Owner, group and mode of the file.
    file: (u32, u32, u32),
    replaced: &'static str,
    overwritten: &'static str,
}

const CASES: [Case; 7] = [
    Case {
        folder: (NOBODY, NOBODY, 0o755),
        file: (NOBODY, NOBODY, 0o600),
        replaced: "new: done",
        overwritten: "new: done",
    },
    // A folder that can be written and not read can be synced all the same.
    Case {
        folder: (NOBODY, NOBODY, 0o300),
        file: (NOBODY, NOBODY, 0o600),
        replaced: "new: done",
        overwritten: "new: done",
    },
    Case {
        folder: (NOBODY, NOBODY, 0o755),
        file: (0, 0, 0o666),
        replaced: "Group(0)",
        overwritten: "new: done",
    },
    Case {
        folder: (NOBODY, NOBODY, 0o755),
        file: (APPLICATION, NOBODY, 0o664),
        replaced: "Owner(61001)",
        overwritten: "new: done",
    },
    Case {
        folder: (NOBODY, NOBODY, 0o755),
        file: (NOBODY, APPLICATION, 0o640),
        replaced: "Group(61001)",
        overwritten: "new: done",
    },
    Case {
        folder: (0, 0, 0o755),
        file: (NOBODY, NOBODY, 0o600),
        replaced: "FolderUnwritable",
        overwritten: "new: done",
    },
    Case {
        folder: (0, 0, 0o755),
        file: (0, 0, 0o644),
        replaced: "FolderUnwritable",
        overwritten: "Unwritten",
    },
];

#[test]
fn what_cannot_be_carried_over_is_not_replaced() {
    if !is_root("become another user") {
        return;
    }
    for case in CASES {
        for (verb, expected) in [("replace", case.replaced), ("overwrite", case.overwritten)] {
            let desk = Desk::new();
            for (path, (owner, group, mode)) in
                [(desk.file(), case.file), (desk.folder(), case.folder)]
            {
                chown(&path, owner, group);
                chmod(&path, mode);
            }
            let before = fs::metadata(desk.file()).unwrap();
            let said = as_nobody(&desk, verb, &desk.file());
            assert!(said.contains(expected), "{expected}: {said}");
            let after = fs::metadata(desk.file()).unwrap();
            let rights = |file: &fs::Metadata| (file.uid(), file.gid(), file.mode());
            assert_eq!(rights(&before), rights(&after), "{expected}");
            if expected == "new: done" {
                desk.holds(NEW);
            } else {
                desk.holds(OLD);
                assert_eq!(before.ino(), after.ino(), "{expected}");
                assert_eq!(before.ctime_nsec(), after.ctime_nsec(), "{expected}");
            }
        }
    }
}

#[test]
fn a_file_or_a_folder_that_cannot_be_read() {
    if !is_root("become another user") {
        return;
    }
    for (folder, file) in [(0o755, 0o600), (0o700, 0o644)] {
        let desk = Desk::new();
        chmod(&desk.file(), file);
        chmod(&desk.folder(), folder);
        let said = as_nobody(&desk, "replace", &desk.file());
        assert!(said.contains("Unreadable"), "{said}");
        desk.holds(OLD);
    }
}

#[test]
fn another_user_follows_roots_links_and_their_own() {
    if !is_root("become another user") {
        return;
    }
    for (maker, followed) in [(0, true), (NOBODY, true), (STRANGER, false)] {
        let desk = Desk::new();
        chown(&desk.folder(), NOBODY, NOBODY);
        chown(&desk.file(), NOBODY, NOBODY);
        let link = desk.link("app.ini", "link");
        chown(&link, maker, maker);
        let said = as_nobody(&desk, "replace", &link);
        assert_eq!(said == "new: done", followed, "{maker}: {said}");
        assert_eq!(said.contains("LinkRefused"), !followed, "{maker}: {said}");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
