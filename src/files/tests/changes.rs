//! Others write too: a program that changes its own file, and more runs of ours.

use super::*;

/// What another program did between reading and writing.
type Change = (&'static str, fn(&Desk));

const CHANGES: [Change; 9] = [
    ("wrote more", |desk| desk.put("app.ini", SWOLLEN)),
    ("wrote as many bytes", |desk| desk.put("app.ini", &OLD.to_ascii_uppercase())),
    ("emptied it", |desk| desk.put("app.ini", b"")),
    ("changed the mode", |desk| chmod(&desk.file(), 0o640)),
    ("renamed another over it", |desk| {
        desk.put("next", OLD);
        fs::rename(desk.path("next"), desk.file()).unwrap();
    }),
    ("removed it", |desk| fs::remove_file(desk.file()).unwrap()),
    ("put a folder there", |desk| {
        fs::remove_file(desk.file()).unwrap();
        fs::create_dir(desk.file()).unwrap();
    }),
    ("put a link there", |desk| {
        fs::rename(desk.file(), desk.path("moved")).unwrap();
        desk.link("moved", "app.ini");
    }),
    ("swapped the folder", |desk| {
        fs::rename(desk.folder(), desk.root.path().join("before")).unwrap();
        fs::create_dir(desk.folder()).unwrap();
        desk.put("app.ini", OLD);
    }),
];

#[test]
fn what_changed_meanwhile_is_not_overwritten() {
    for write in [Opened::replace, Opened::overwrite] {
        for (what, change) in CHANGES {
            let desk = Desk::new();
            let opened = Opened::open(&desk.file()).unwrap().unwrap();
            change(&desk);
            let (names, content) = (desk.names(), fs::read(desk.file()).ok());
            assert_eq!(
                write(opened, NEW),
                Err(FileError::ChangedMeanwhile(desk.file())),
                "somebody {what}"
            );
            assert_eq!(desk.names(), names, "somebody {what}");
            assert!(fs::read(desk.file()).ok() == content, "somebody {what}");
        }
    }
}

#[test]
fn a_link_that_leads_elsewhere_by_now_is_a_change() {
    let desk = Desk::new();
    desk.put("other.ini", OLD);
    for folder in ["one", "two"] {
        fs::create_dir(desk.path(folder)).unwrap();
        put(&desk.path(folder).join("app.ini"), OLD);
    }
    desk.link("one", "current");
    let path = desk.path("current/app.ini");
    let opened = Opened::open(&path).unwrap().unwrap();
    desk.link("two", "next");
    fs::rename(desk.path("next"), desk.path("current")).unwrap();
    assert_eq!(opened.replace(NEW), Err(FileError::ChangedMeanwhile(path.clone())));
    replace(&path, NEW).unwrap();
    assert_eq!(fs::read(desk.path("one/app.ini")).unwrap(), OLD);
    assert_eq!(fs::read(desk.path("two/app.ini")).unwrap(), NEW);
}

#[test]
fn writers_take_turns_and_lose_nothing() {
    const WRITERS: u32 = 4;
    const TIMES: u32 = 12;
    for write in [Opened::replace, Opened::overwrite] {
        let desk = Desk::new();
        desk.put("app.ini", b"00000000");
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    for _ in 0..TIMES {
                        add_one(&desk.file(), write);
                    }
                });
            }
        });
        desk.holds(format!("{:08}", WRITERS * TIMES).as_bytes());
    }
}

fn add_one(path: &Path, write: fn(Opened, &[u8]) -> Result<(), FileError>) {
    loop {
        let written = Opened::open(path).map(Option::unwrap).and_then(|opened| {
            let count: u32 = std::str::from_utf8(opened.bytes()).unwrap().parse().unwrap();
            write(opened, format!("{:08}", count + 1).as_bytes())
        });
        match written {
            Ok(()) => return,
            Err(FileError::Busy(_) | FileError::ChangedMeanwhile(_)) => std::thread::yield_now(),
            Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
        }
    }
}

#[test]
fn of_many_who_make_a_file_one_does() {
    let desk = Desk::new();
    let path = desk.path("new.ini");
    let made = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..4).map(|_| scope.spawn(|| create(&path, NEW, PRIVATE))).collect();
        makers.into_iter().filter_map(|maker| maker.join().unwrap().ok()).count()
    });
    assert_eq!(made, 1);
    assert_eq!(desk.names(), ["app.ini", "new.ini"]);
}

#[test]
fn a_hidden_name_that_lives_or_is_not_ours_is_left_alone() {
    let desk = Desk::new();
    let hidden = desk.path(".app.ini.metatoken-tmp");
    let in_the_way =
        || FileError::InTheWay { path: desk.file(), temp: hidden.clone(), cause: None };

    let alive = File::create(&hidden).unwrap();
    alive.lock().unwrap();
    assert_eq!(replace(&desk.file(), NEW), Err(FileError::Busy(desk.file())));
    assert!(hidden.exists(), "its writer lives");
    alive.unlock().unwrap();
    replace(&desk.file(), NEW).unwrap();
    desk.holds(NEW);

    fs::create_dir(&hidden).unwrap();
    assert_eq!(replace(&desk.file(), OLD), Err(in_the_way()));
    fs::remove_dir(&hidden).unwrap();
    desk.link("app.ini", ".app.ini.metatoken-tmp");
    assert_eq!(replace(&desk.file(), OLD), Err(in_the_way()));
    fs::remove_file(&hidden).unwrap();
    if is_root("give a file away") {
        put(&hidden, b"theirs");
        chown(&hidden, STRANGER, STRANGER);
        assert_eq!(replace(&desk.file(), OLD), Err(in_the_way()));
        assert_eq!(fs::read(&hidden).unwrap(), b"theirs");
        fs::remove_file(&hidden).unwrap();
    }
    desk.holds(NEW);
}

#[test]
fn a_file_that_another_program_has_locked_is_not_written_in_place() {
    let desk = Desk::new();
    let held = File::open(desk.file()).unwrap();
    held.lock().unwrap();
    assert_eq!(overwrite(&desk.file(), NEW), Err(FileError::Busy(desk.file())));
    desk.holds(OLD);
    held.unlock().unwrap();
    overwrite(&desk.file(), NEW).unwrap();
    desk.holds(NEW);
}

#[test]
fn without_a_conditional_rename_a_new_file_is_linked() {
    let desk = Desk::new();
    let path = desk.path("new.ini");
    let place = FolderEntry::find(&path).unwrap();
    let owner = rustix::process::geteuid().as_raw();
    let linked = || {
        let mut temp = Temp::claim(&path, &place, owner).unwrap();
        temp.write(NEW).unwrap();
        temp.link_anew()
    };
    linked().unwrap();
    assert_eq!(fs::read(&path).unwrap(), NEW);
    assert_eq!(linked(), Err(Errno::EXIST));
    assert_eq!(desk.names(), ["app.ini", "new.ini"]);

    // A run was killed between the two steps.
    fs::hard_link(&path, desk.path(".new.ini.metatoken-tmp")).unwrap();
    assert_eq!(replace(&path, OLD), Err(FileError::ChangedMeanwhile(path.clone())));
    replace(&path, OLD).unwrap();
    assert_eq!(fs::read(&path).unwrap(), OLD);
    assert_eq!(desk.names(), ["app.ini", "new.ini"]);
}
