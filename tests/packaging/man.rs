//! The manual, read by the programs that people read it with.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{lacking, skip};

/// Every page, in a folder of their own.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metatoken"));
    let ran = command.env_clear().arg("man").arg(folder).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let pages: Vec<PathBuf> = entries.collect();
    assert!(pages.len() > 20);
    pages
}

/// What the program says of a page on both streams.
fn said(program: &str, arguments: &[&str], page: &Path) -> String {
    let mut command = Command::new(program);
    let ran = command
        .env("LC_ALL", "C.UTF-8")
        .env("MANWIDTH", "100")
        .args(arguments)
        .arg(page)
        .output()
        .unwrap();
    [ran.stdout, ran.stderr].iter().map(|it| String::from_utf8_lossy(it)).collect()
}

#[test]
fn mandoc_has_no_complaint() {
    if let Some(why) = lacking(&["mandoc"]) {
        return skip("packaging::man::mandoc_has_no_complaint", &why);
    }
    let folder = tempfile::tempdir().unwrap();
    for page in pages(folder.path()) {
        assert_eq!(said("mandoc", &["-Tlint"], &page), "", "{}", page.display());
    }
}

#[test]
fn groff_has_no_warning() {
    if let Some(why) = lacking(&["groff"]) {
        return skip("packaging::man::groff_has_no_warning", &why);
    }
    let folder = tempfile::tempdir().unwrap();
    for page in pages(folder.path()) {
        // -z: warnings, and no page.
        assert_eq!(
            said("groff", &["-man", "-ww", "-z", "-Tutf8"], &page),
            "",
            "{}",
            page.display()
        );
    }
}

#[test]
fn man_shows_a_page_with_its_examples_as_they_stand() {
    if let Some(why) = lacking(&["man", "groff"]) {
        return skip("packaging::man::man_shows_a_page_with_its_examples_as_they_stand", &why);
    }
    let folder = tempfile::tempdir().unwrap();
    pages(folder.path());
    let arguments = ["--warnings=w", "-P", "cat", "-l"];
    let shown = said("man", &arguments, &folder.path().join("metatoken-refresh.1"));
    for line in [
        "       metatoken-refresh - renew what is due, check the others, derive Pages, deliver\n",
        "       metatoken refresh [OPTIONS] [LABEL]...\n",
        "           metatoken refresh --dry-run            show what it would do\n",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    assert!(!shown.contains("warning"), "{shown}");
}
