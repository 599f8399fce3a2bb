//! Kills between the steps: what the file holds then, and what the next run leaves of it all.

use std::os::unix::process::ExitStatusExt as _;

use super::*;

#[track_caller]
fn kill(desk: &Desk, verb: &str, path: &Path, place: &str) {
    let output = desk.again(verb, path, place).behind(&[]).output().unwrap();
    assert_eq!(output.status.signal(), Some(9), "{verb}, {place}: {output:?}");
}

#[test]
fn a_kill_leaves_the_old_content_or_the_new_and_the_next_run_no_litter() {
    for (place, content, litter) in
        [("temp-written", OLD, true), ("temp-synced", OLD, true), ("renamed", NEW, false)]
    {
        // Mode and owner of the litter are the file's from some step on.
        for (mode, owner) in [(0o600, None), (0o440, None), (0o000, Some(APPLICATION))] {
            if owner.is_some() && !is_root("give a file away") {
                continue;
            }
            let desk = Desk::new();
            if let Some(owner) = owner {
                chown(&desk.file(), owner, owner);
            }
            chmod(&desk.file(), mode);
            kill(&desk, "replace", &desk.file(), place);
            assert_eq!(fs::read(desk.file()).unwrap(), content, "{place}");
            let hidden = desk.path(".app.ini.metatoken-tmp");
            assert_eq!(hidden.exists(), litter, "{place}");
            if litter {
                let mode = fs::metadata(&hidden).unwrap().mode() & 0o7777;
                assert_eq!(mode & !0o600 & !mode, 0, "{place}: it is as closed as the file");
                assert_eq!(fs::read(&hidden).unwrap(), NEW, "no copy of the old one");
            }
            replace(&desk.file(), SHORT).unwrap();
            desk.holds(SHORT);
            let metadata = fs::metadata(desk.file()).unwrap();
            assert_eq!(metadata.mode() & 0o7777, mode);
            assert!(owner.is_none_or(|owner| metadata.uid() == owner));
        }
    }
}

#[test]
fn a_new_file_is_there_or_not() {
    for (place, there) in [("temp-written", false), ("temp-synced", false), ("renamed", true)] {
        let desk = Desk::new();
        let path = desk.path("new.ini");
        kill(&desk, "create", &path, place);
        assert_eq!(path.exists(), there, "{place}");
        if !there {
            create(&path, NEW, PRIVATE).unwrap();
        }
        assert_eq!(fs::read(&path).unwrap(), NEW);
        assert_eq!(desk.names(), ["app.ini", "new.ini"], "{place}");
    }
}

#[test]
fn in_place_a_kill_leaves_some_of_both() {
    let desk = Desk::new();
    kill(&desk, "shorten", &desk.file(), "overwritten");
    desk.holds(&[SHORT, &OLD[SHORT.len()..]].concat());
    overwrite(&desk.file(), NEW).unwrap();
    desk.holds(NEW);
}
