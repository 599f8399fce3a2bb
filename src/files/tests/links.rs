//! Links: whose are followed, and how far.

use super::*;

#[test]
fn a_link_stays_and_its_file_is_replaced() {
    let desk = Desk::new();
    fs::create_dir(desk.path("deep")).unwrap();
    desk.link(desk.folder(), "deep/absolute");
    desk.link("../app.ini", "deep/relative");
    desk.link("deep/relative", "chain");
    desk.link("chain", "longer");
    desk.link("deep", "folder");
    let names = desk.names();
    for name in [
        "deep/relative",
        "chain",
        "longer",
        "folder/relative",
        "folder/absolute/chain",
        "deep/../app.ini",
        "./app.ini",
    ] {
        let path = desk.path(name);
        for write in [replace, overwrite] {
            write(&path, OLD).unwrap();
            write(&path, NEW).unwrap();
            assert_eq!(fs::read(desk.file()).unwrap(), NEW, "{name}");
            assert!(fs::symlink_metadata(desk.file()).unwrap().is_file(), "{name}");
        }
    }
    assert_eq!(desk.names(), names, "nothing came or went");
    assert_eq!(fs::read_dir(desk.path("deep")).unwrap().count(), 2);
    assert_eq!(fs::read_link(desk.path("longer")).unwrap(), Path::new("chain"));
}

#[test]
fn a_link_that_leads_nowhere_or_in_a_circle_is_refused() {
    let desk = Desk::new();
    let dangling = desk.link("none", "dangling");
    let second = desk.link("dangling", "second");
    for path in [&dangling, &second] {
        let expected = FileError::Dangling { path: path.clone(), link: dangling.clone() };
        assert_eq!(Opened::open(path).unwrap_err(), expected);
        assert_eq!(create(path, NEW, PRIVATE), Err(expected));
    }
    let circle = desk.link("back", "circle");
    desk.link("circle", "back");
    assert_eq!(Opened::open(&circle).unwrap_err(), FileError::TooManyLinks(circle));
    assert!(!desk.path("none").exists());
}

#[test]
fn forty_links_are_followed_and_no_more() {
    let desk = Desk::new();
    let mut last = desk.file();
    for n in 1..=41 {
        last = desk.link(&last, &format!("link-{n}"));
    }
    assert!(Opened::open(&desk.path("link-40")).unwrap().is_some());
    assert_eq!(Opened::open(&last).unwrap_err(), FileError::TooManyLinks(last));
}

#[test]
fn a_new_file_is_made_where_a_link_on_the_way_leads() {
    let desk = Desk::new();
    fs::create_dir(desk.path("release")).unwrap();
    desk.link("release", "current");
    create(&desk.path("current/new.ini"), NEW, PRIVATE).unwrap();
    assert_eq!(fs::read(desk.path("release/new.ini")).unwrap(), NEW);
}

#[test]
fn a_strangers_link_leads_only_to_what_is_theirs() {
    if !is_root("make links of others") {
        return;
    }
    // Maker of the link, owner of the file, whether it is followed.
    for (maker, owner, followed) in [
        (0, 0, true),
        (0, APPLICATION, true),
        (APPLICATION, APPLICATION, true),
        (STRANGER, 0, false),
        (STRANGER, APPLICATION, false),
        (NOBODY, NOBODY, false),
    ] {
        let desk = Desk::new();
        chmod(&desk.folder(), 0o1777);
        chown(&desk.file(), owner, owner);
        let to_file = desk.link("app.ini", "to-file");
        let to_folder = desk.link(".", "to-folder");
        let chain = desk.link("to-file", "chain");
        for link in [&to_file, &to_folder] {
            chown(link, maker, maker);
        }
        let names = desk.names();
        for (path, link) in [
            (to_file.clone(), &to_file),
            (chain, &to_file),
            (desk.path("to-folder/app.ini"), &to_folder),
        ] {
            let expected = if followed {
                Ok(())
            } else {
                let link = link.clone();
                Err(FileError::LinkRefused { path: path.clone(), link, owner: maker })
            };
            for write in [replace, overwrite] {
                assert_eq!(write(&path, NEW), expected, "{maker} to {owner}'s");
            }
        }
        let content = if followed { NEW } else { OLD };
        assert_eq!(fs::read(desk.file()).unwrap(), content, "{maker} to {owner}'s");
        assert_eq!(desk.names(), names);
    }
}

#[test]
fn a_new_file_is_not_made_where_a_strangers_link_leads() {
    if !is_root("make links of others") {
        return;
    }
    for (maker, followed) in [(0, true), (APPLICATION, true), (STRANGER, false)] {
        let desk = Desk::new();
        fs::create_dir(desk.path("release")).unwrap();
        chown(&desk.path("release"), APPLICATION, APPLICATION);
        let link = desk.link("release", "current");
        chown(&link, maker, maker);
        let path = desk.path("current/new.ini");
        let expected = if followed {
            Ok(())
        } else {
            Err(FileError::LinkRefused { path: path.clone(), link, owner: maker })
        };
        assert_eq!(create(&path, NEW, PRIVATE), expected, "{maker}");
        assert_eq!(path.exists(), followed, "{maker}");
    }
}
