//! What a file holds afterwards, what is not a file, and how a failure is told.

use super::*;

#[test]
fn a_file_is_replaced_whole_and_a_new_one_made_private() {
    let desk = Desk::new();
    let opened = Opened::open(&desk.file()).unwrap().unwrap();
    assert_eq!(opened.bytes(), OLD);
    assert!(!format!("{opened:?}").contains("EAAFAKE"), "{opened:?}");
    opened.replace(NEW).unwrap();
    desk.holds(NEW);
    replace(&desk.file(), b"").unwrap();
    desk.holds(b"");
    replace(&desk.file(), SWOLLEN).unwrap();
    assert_eq!(fs::metadata(desk.file()).unwrap().len(), SWOLLEN.len() as u64);

    let (new, shared) = (desk.path("new.ini"), desk.path("shared.ini"));
    assert!(Opened::open(&new).unwrap().is_none());
    create(&new, NEW, PRIVATE).unwrap();
    create(&shared, NEW, 0o664).unwrap();
    for (path, mode) in [(&new, 0o600), (&shared, 0o664)] {
        assert_eq!(fs::read(path).unwrap(), NEW);
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o7777, mode, "whatever the umask says");
    }
    assert_eq!(create(&new, OLD, PRIVATE), Err(FileError::Exists(new)));
    assert_eq!(desk.names(), ["app.ini", "new.ini", "shared.ini"]);
}

#[test]
fn in_place_the_file_stays_the_same_one() {
    let desk = Desk::new();
    let other = desk.path("other");
    fs::hard_link(desk.file(), &other).unwrap();
    assert_eq!(replace(&desk.file(), NEW), Err(FileError::ManyNames(desk.file(), 2)));
    for bytes in [NEW, SHORT, b"", SWOLLEN] {
        overwrite(&desk.file(), bytes).unwrap();
        assert!(fs::read(&other).unwrap() == bytes, "both names see it");
    }
    assert_eq!(desk.names(), ["app.ini", "other"]);
}

#[test]
fn what_is_no_file_is_refused_without_waiting_for_it() {
    let desk = Desk::new();
    let pipe = desk.path("pipe");
    let mode = Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(desk.path("socket")).unwrap();
    desk.link("/dev/null", "null");
    for (name, kind) in
        [("pipe", "a pipe"), ("socket", "a socket"), ("null", "a device"), ("..", "a folder")]
    {
        let path = desk.path(name);
        let expected = Err(FileError::NotAFile(path.clone(), kind));
        assert_eq!(Opened::open(&path).map(|_| ()), expected);
        assert_eq!(create(&path, NEW, PRIVATE), expected);
    }
    let inside = desk.path("app.ini/inside");
    let error = Opened::open(&inside).unwrap_err();
    assert_eq!(error, FileError::Unreadable(inside, Errno::NOTDIR));
    let large = desk.path("large");
    File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
    assert_eq!(Opened::open(&large).unwrap_err(), FileError::TooLarge(large));
}

#[test]
fn a_missing_folder_is_no_file_and_no_place_for_one() {
    let desk = Desk::new();
    let path = desk.path("none/app.ini");
    assert!(Opened::open(&path).unwrap().is_none());
    assert_eq!(create(&path, NEW, PRIVATE), Err(FileError::NoFolder(path)));
}

#[test]
fn the_longest_name_has_a_hidden_one() {
    let desk = Desk::new();
    for length in [240, 241, 255] {
        let path = desk.path(&"n".repeat(length));
        create(&path, OLD, PRIVATE).unwrap();
        replace(&path, NEW).unwrap();
        assert_eq!(fs::read(&path).unwrap(), NEW);
    }
    assert_eq!(desk.names().len(), 4, "three and the one that was there");
}

#[test]
fn a_disk_that_ends_halfway_leaves_the_old_content() {
    // A limit of the process stands for the disk's.
    let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""];
    for (verb, expected) in [("swell", "old: "), ("swell in place", "old again: ")] {
        let desk = Desk::new();
        let child = desk.again(verb, &desk.file(), "");
        let said = said(&child.behind(&limited).output().unwrap());
        assert!(said.starts_with(&format!("{expected}Unwritten(")), "{verb}: {said}");
        desk.holds(OLD);
    }
}

#[test]
fn an_error_names_the_file_what_happened_and_what_mends_it() {
    let path = PathBuf::from("/srv/app.ini");
    let error = FileError::NotCarried {
        path: path.clone(),
        right: Right::Owner(33),
        cause: Some(Errno::PERM),
    };
    assert_eq!(
        error.to_string(),
        "/srv/app.ini: not replaced: its owner (user 33) cannot be carried over"
    );
    let cause = std::error::Error::source(&error).unwrap();
    assert_eq!(cause.to_string(), Errno::PERM.to_string());
    for error in [
        error,
        FileError::Mounted(path.clone()),
        FileError::OtherFilesystem(path.clone()),
        FileError::Protected(path.clone(), Errno::PERM),
        FileError::ManyNames(path.clone(), 2),
        FileError::FolderUnwritable {
            path: path.clone(),
            folder: "/srv".into(),
            cause: Errno::ROFS,
        },
    ] {
        let hint = error.hint().unwrap();
        assert!(hint.contains("`write = \"in-place\"`"), "{error}: {hint}");
        assert_eq!(error.path(), path);
    }
    let link = PathBuf::from("/tmp/\u{1b}[2J");
    let refused = FileError::LinkRefused { path, link, owner: 7 };
    assert_eq!(
        refused.to_string(),
        "/srv/app.ini: the link `/tmp/?[2J` was not followed: user 7 made it, who is neither root, nor you, nor the owner of what it leads to"
    );
}
