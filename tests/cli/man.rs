//! `man`: the pages, one a command, one for the config, one a topic. Whether `man` renders them
//! without a warning is tried in `tests/packaging/man.rs`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use metatoken::exit::Exit;

use crate::common::World;

/// The pages, by the names of their files.
fn pages(world: &World) -> BTreeMap<String, String> {
    let folder = world.path("man");
    // Neither config nor home, and the time of a build.
    let mut command = Command::new(world.command(&[]).get_program());
    command.env_clear().env("SOURCE_DATE_EPOCH", "1767225600").arg("man").arg(&folder);
    let ran = command.output().unwrap();
    assert_eq!((ran.status.code(), ran.stdout.len(), ran.stderr.len()), (Some(0), 0, 0));
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let page = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert!(!name.starts_with("metatoken") || mode == 0o644, "{name}: {mode:o}");
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(page).collect()
}

/// A page as it is read, without what sets it.
fn read(page: &str) -> String {
    let page = page.replace("\\fB", "").replace("\\fR", "").replace("\\-", "-");
    let page = page.replace("\\(aq", "'").replace("\\(dq", "\"").replace("\\(ti", "~");
    page.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_command_and_topic_has_a_page() {
    let world = World::new();
    let pages = pages(&world);
    let main = read(&pages["metatoken.1"]);
    for (_, names) in metatoken::cli::GROUPS {
        for name in *names {
            let page = format!("metatoken-{}", name.replace(' ', "-"));
            assert!(main.contains(&format!("{page}(1)")), "{page}");
            let text = read(&pages[&format!("{page}.1")]);
            assert!(text.contains(&format!(".SH \"SYNOPSIS\" metatoken {name}")), "{text}");
            assert!(text.contains(".SH \"EXAMPLES\""), "{text}");
        }
    }
    for topic in metatoken::cli::TOPICS {
        let (file, cited) = match topic.name {
            "config" => ("metatoken.toml.5".to_owned(), "metatoken.toml(5)".to_owned()),
            name => (format!("metatoken-{name}.7"), format!("metatoken-{name}(7)")),
        };
        assert!(main.contains(&cited), "{cited}");
        assert!(pages[&file].lines().count() > 20, "{file}");
    }
    assert!(pages["metatoken.1"].starts_with(&format!(
        ".TH METATOKEN 1 2026-01-01 \"metatoken {}\"\n.nh\n.ad l\n.SH \"NAME\"\nmetatoken \\- keeps Meta access tokens alive\n",
        env!("CARGO_PKG_VERSION")
    )));
}

#[test]
fn an_option_is_as_help_has_it() {
    let pages = pages(&World::new());
    let page = &pages["metatoken-refresh.1"];
    for (option, meaning) in [
        (
            "\\fBLABEL\\fR",
            "Labels; `*` matches any characters. Graph is asked about a named token first",
        ),
        ("\\fB\\-n\\fR, \\fB\\-\\-dry\\-run\\fR", "Show what would happen, and change nothing"),
        (
            "\\fB\\-\\-lock\\-wait\\fR DURATION",
            "Wait this long for another run to finish [default: 0s]",
        ),
    ] {
        let (_, behind) =
            page.split_once(&format!(".TP\n{option}\n")).unwrap_or_else(|| panic!("{page}"));
        assert!(read(behind).starts_with(&meaning.replace('`', "")), "{behind}");
    }
    // Those of every command stand on one page.
    assert!(!page.contains("\\-\\-sandbox\\fR"), "{page}");
    assert!(pages["metatoken.1"].contains("\\fB\\-\\-sandbox\\fR[=DIR]"));
}

#[test]
fn the_page_of_the_config_has_every_key_that_is_read() {
    let pages = pages(&World::new());
    let page = read(&pages["metatoken.toml.5"]);
    for table in metatoken::config::schema().tables() {
        for key in &table.keys {
            let sentence = key.sentence.replace('`', "");
            let sentence = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
            let line = format!(".TP {} value: {}; what it is for: {sentence}", key.name, key.kind);
            assert!(page.contains(&line.replace('`', "")), "{line}");
        }
    }
}

#[test]
fn pages_that_are_there_are_replaced_and_nothing_else_is_touched() {
    let world = World::new();
    world.write("man/metatoken.1", "an old one");
    world.write("man/other.1", "another program's");
    let first = pages(&world);
    assert!(first["metatoken.1"].starts_with(".TH"));
    assert_eq!(first["other.1"], "another program's");
    assert_eq!(first, pages(&world));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let world = World::new();
    world.write("file", "");
    world
        .run(&["man", world.path("file/man").to_str().unwrap()])
        .stdout("")
        .stderr(
            "
error: [DIR]/file/man: the manual cannot be written there
  caused by: Not a directory (os error 20)
hint: name a folder in which you may make files: `metatoken man DIR`
",
        )
        .exit(Exit::Storage);
}
