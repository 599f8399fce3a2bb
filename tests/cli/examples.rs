//! The examples are configs: what people start from passes `config check` as it stands.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Shows also what is not built yet.
const FULL: &str = "full.toml";

/// Every file under `examples/`, by name.
fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

fn name(file: &Path) -> &str {
    file.file_name().unwrap().to_str().unwrap()
}

/// What `config show` says of a copy that everybody may read; gives stdout, stderr and the code.
#[track_caller]
fn checked(example: &Path) -> (String, String, Option<i32>) {
    let folder = crate::common::folder();
    let config = folder.path().join("metatoken.toml");
    let mut file = std::fs::File::create(&config).unwrap();
    // A copy in a checkout may be writable for a group, which is refused for good reason. That
    // everybody may read it shows that no example holds a secret itself.
    file.set_permissions(std::fs::Permissions::from_mode(0o644)).unwrap();
    file.write_all(&std::fs::read(example).unwrap()).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_metatoken"))
        .env_clear()
        .args(["config", "show", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    let text = |bytes| {
        String::from_utf8(bytes).unwrap().replace(config.to_str().unwrap(), "metatoken.toml")
    };
    (text(ran.stdout), text(ran.stderr), ran.status.code())
}

#[test]
fn every_example_passes_but_for_what_is_not_built_yet() {
    let examples = examples();
    let names: Vec<&str> = examples.iter().map(|file| name(file)).collect();
    assert_eq!(
        names,
        [
            "app.toml",
            FULL,
            "instagram.toml",
            "one-user.toml",
            "pages.toml",
            "recipes.toml",
            "system-user.toml",
            "threads.toml",
            "whatsapp.toml",
        ]
    );
    for example in examples.iter().filter(|file| name(file) != FULL) {
        let (stdout, stderr, code) = checked(example);
        let name = name(example);
        assert_eq!((stderr.as_str(), code), ("", Some(0)), "{name}");
        let tokens = if name == "pages.toml" { 3 } else { 1 };
        assert_eq!(stdout.matches("\n[token.").count(), tokens, "{name}");
    }
}

#[test]
fn the_full_example_is_taken() {
    let full = examples().into_iter().find(|file| name(file) == FULL).unwrap();
    let (stdout, stderr, code) = checked(&full);
    assert_eq!((stderr.as_str(), code), ("", Some(0)), "{stdout}");
}

#[test]
fn the_readme_beside_them_names_every_example_and_every_script() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let scripts = std::fs::read_dir(folder.join("hooks")).unwrap();
    let scripts = scripts.map(|entry| entry.unwrap().path());
    let rehearsal = [folder.join("last-three-weeks.sh")];
    for file in examples().into_iter().chain(scripts).chain(rehearsal) {
        let place = file.strip_prefix(&folder).unwrap().display().to_string();
        assert!(readme.contains(&format!("({place})")), "{place}");
    }
}

#[test]
fn every_page_for_those_who_move_here_is_listed_and_says_what_comes_afterwards() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/moving");
    let list = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let pages: Vec<PathBuf> =
        entries.filter(|it| it.extension().is_some_and(|it| it == "md")).collect();
    assert_eq!(pages.len(), 7);
    for page in pages.iter().filter(|page| name(page) != "README.md") {
        let text = std::fs::read_to_string(page).unwrap();
        assert!(list.contains(&format!("]({})", name(page))), "{}", name(page));
        for part in ["mport\n", "## Switch off\n", "## Delete\n", "metatoken import"] {
            assert!(text.contains(part), "{}: {part}", name(page));
        }
    }
}
