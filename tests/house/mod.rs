//! Who may name whom.
//!
//! The rooms of the house and the doors between them. A door that is not in this table is not
//! there: `graph`, `store` and the rest never learn of one another, only a command sees them all.

mod circles;
mod names;
mod tree;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const DOORS: &[(&str, &[&str])] = &[
    // Leaves: they name nobody.
    ("cli", &[]),
    ("clock", &[]),
    ("crypto", &[]),
    ("edit", &["token"]),
    ("environment", &[]),
    ("failpoint", &[]),
    ("interrupt", &[]),
    ("name", &[]),
    ("shell", &[]),
    ("token", &[]),
    // It may be killed between its steps.
    ("files", &["failpoint", "shell"]),
    ("process", &["shell"]),
    // What speaks the vocabulary.
    ("exit", &["token"]),
    ("error", &["exit"]),
    ("http", &["crypto", "token"]),
    ("policy", &["shell", "token"]),
    ("deliver", &["config", "edit", "environment", "files", "policy", "process", "store", "token"]),
    (
        "notify",
        &[
            "error",
            "config",
            "exit",
            "failpoint",
            "http",
            "policy",
            "process",
            "report",
            "session",
            "store",
            "token",
        ],
    ),
    ("graph", &["clock", "crypto", "http", "token"]),
    ("store", &["error", "crypto", "exit", "failpoint", "shell", "token"]),
    (
        "config",
        &[
            "error",
            "edit",
            "environment",
            "exit",
            "graph",
            "http",
            "policy",
            "process",
            "shell",
            "token",
        ],
    ),
    // It reads the files of other programs with the store's way past a log.
    ("import", &["edit", "error", "exit", "name", "shell", "store", "token"]),
    ("report", &["crypto", "error", "exit", "policy", "token"]),
    ("manual", &["cli", "config"]),
    ("sandbox", &["error", "crypto", "exit", "shell", "token"]),
    ("ui", &["clock", "error", "environment", "exit", "http", "report"]),
    // What brings them together, the one above naming those below.
    (
        "session",
        &[
            "clock",
            "error",
            "config",
            "environment",
            "exit",
            "graph",
            "interrupt",
            "store",
            "token",
            "ui",
        ],
    ),
    (
        "run",
        &[
            "error",
            "config",
            "deliver",
            "exit",
            "failpoint",
            "files",
            "graph",
            "import",
            "policy",
            "report",
            "session",
            "shell",
            "store",
            "token",
            "ui",
        ],
    ),
    (
        "status",
        &[
            "error", "config", "deliver", "exit", "files", "graph", "notify", "policy", "report",
            "run", "session", "store", "token",
        ],
    ),
    (
        "commands",
        &[
            "notify",
            "error",
            "config",
            "deliver",
            "environment",
            "exit",
            "failpoint",
            "files",
            "graph",
            "http",
            "manual",
            "import",
            "policy",
            "process",
            "report",
            "run",
            "session",
            "shell",
            "status",
            "store",
            "token",
            "ui",
        ],
    ),
    (
        "dispatch",
        &[
            "cli",
            "clock",
            "commands",
            "error",
            "config",
            "environment",
            "exit",
            "graph",
            "http",
            "import",
            "interrupt",
            "manual",
            "policy",
            "report",
            "run",
            "sandbox",
            "session",
            "status",
            "token",
            "ui",
        ],
    ),
    ("main", &["clock", "dispatch", "environment", "failpoint", "process"]),
];

/// Where the source lies.
fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // A room's own tests may print, and start what they like.
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            files.extend(source_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The room that a file belongs to: its folder under `src`, or its own name.
fn room(source: &Path, file: &Path) -> String {
    let first = file.strip_prefix(source).unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The rooms named behind `prefix`, alone or in braces.
fn named(text: &str, prefix: &str) -> BTreeSet<String> {
    let word = |text: &str| {
        text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>()
    };
    let mut rooms = BTreeSet::new();
    for (at, _) in text.match_indices(prefix) {
        let rest = &text[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split('}').next().unwrap_or_default();
                rooms.extend(list.split(',').map(|item| word(item.trim())));
            }
            None => {
                rooms.insert(word(rest));
            }
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

#[test]
fn nobody_uses_a_door_that_is_not_there() {
    let source = source();
    let doors: BTreeMap<&str, &[&str]> = DOORS.iter().copied().collect();
    let mut wrong = Vec::new();
    for file in source_files(&source) {
        let room = room(&source, &file);
        if room == "lib" {
            continue;
        }
        let Some(open) = doors.get(room.as_str()) else {
            wrong.push(format!("{} is in no room of the table", file.display()));
            continue;
        };
        let text = std::fs::read_to_string(&file).unwrap();
        let prefix = if room == "main" { "metatoken::" } else { "crate::" };
        for other in named(&text, prefix) {
            if other != room
                && doors.contains_key(other.as_str())
                && !open.contains(&other.as_str())
            {
                wrong.push(format!("{} names `{other}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What a command may take from another one: only what several do at their end.
const SHARED_BY_COMMANDS: [&str; 4] = ["own_file", "page", "publish", "textfile"];

#[test]
fn a_command_names_no_other() {
    let commands = source().join("commands");
    for file in source_files(&commands).iter().filter(|file| !file.ends_with("mod.rs")) {
        let text = std::fs::read_to_string(file).unwrap();
        // What stands above a file of a command's own folder is the command itself.
        let is_alone = file.parent() == Some(commands.as_path());
        let above = if is_alone { named(&text, "super::") } else { BTreeSet::new() };
        let named = above.into_iter().chain(named(&text, "crate::commands::"));
        let others: Vec<String> =
            named.filter(|other| !SHARED_BY_COMMANDS.contains(&other.as_str())).collect();
        assert!(others.is_empty(), "{} names {}", file.display(), others.join(", "));
    }
}

#[test]
fn the_table_has_no_circle() {
    let doors: BTreeMap<&str, &[&str]> = DOORS.iter().copied().collect();
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    while settled.len() < doors.len() {
        let next: Vec<&str> = doors
            .iter()
            .filter(|(room, open)| {
                !settled.contains(*room) && open.iter().all(|door| settled.contains(door))
            })
            .map(|(room, _)| *room)
            .collect();
        assert!(!next.is_empty(), "a circle among those that are not in {settled:?}");
        settled.extend(next);
    }
}

#[test]
fn one_room_knows_the_http_library() {
    let source = source();
    for file in source_files(&source) {
        let text = std::fs::read_to_string(&file).unwrap();
        let named = room(&source, &file) == "http" || !text.contains("reqwest");
        assert!(named, "{} names reqwest, whose errors print URLs", file.display());
    }
}

#[test]
fn printing_and_the_clock_have_one_place_each() {
    let source = source();
    for file in source_files(&source) {
        let text = std::fs::read_to_string(&file).unwrap();
        let room = room(&source, &file);
        for (word, place) in
            [("Utc::now", "main"), ("stdout()", "ui"), ("stderr()", "ui"), ("println!", "ui")]
        {
            assert!(
                room == place || !text.contains(word),
                "{} has {word}, which belongs into {place}",
                file.display()
            );
        }
    }
}

/// A second database is to keep the same rules: what only one understands stands in its folder.
#[test]
fn the_rules_of_the_store_know_no_database() {
    const ONE_DATABASE_ONLY: &[&str] = &[
        "rusqlite",
        "iif(",
        "INSERT OR",
        "UPDATE OR",
        "REPLACE INTO",
        "json_each",
        "rowid",
        "GLOB",
        "INDEXED BY",
        "randomblob",
        "zeroblob",
        "AS BLOB",
        "ifnull(",
        "strftime",
        "PRAGMA",
        "IS ?",
        "IS NOT ?",
        "LIMIT -1",
    ];
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let files = source_files(&store);
    let rules: Vec<_> =
        files.iter().filter(|file| !file.starts_with(store.join("sqlite"))).collect();
    assert!(rules.len() > 15 && rules.len() < files.len(), "{} rules", rules.len());
    for file in rules {
        let text = std::fs::read_to_string(file).unwrap();
        for word in ONE_DATABASE_ONLY {
            assert!(!text.contains(word), "{} has `{word}`", file.display());
        }
    }
}
