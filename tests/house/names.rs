//! One name for one thing, and a line that says what it is.

use std::collections::BTreeMap;

use super::tree::{Tree, defined};
use super::{source, source_files};

/// Public types that bear the name of another one, with the reason.
const SHARED: &[(&str, &str)] = &[];

#[test]
fn a_public_type_has_a_name_of_its_own() {
    let source = source();
    let tree = Tree::read(&source, source_files(&source));
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (module, file) in &tree.files {
        for line in file.code.lines().filter(|line| line.trim_start().starts_with("pub")) {
            let is_type = ["struct ", "enum ", "trait ", "type "];
            let Some(name) = defined(line) else { continue };
            let indent = line.len() - line.trim_start().len();
            if is_type.iter().any(|kind| line.contains(kind)) && indent <= 4 {
                places.entry(name).or_default().push(module.join("::"));
            }
        }
    }
    let twice: Vec<String> = places
        .iter()
        .filter(|(name, places)| {
            places.len() > 1 && !SHARED.iter().any(|(shared, _)| shared == &name.as_str())
        })
        .map(|(name, places)| format!("{name}: {}", places.join(", ")))
        .collect();
    assert!(twice.is_empty(), "\n{}", twice.join("\n"));
    for (name, reason) in SHARED {
        assert!(places.get(*name).is_some_and(|places| places.len() > 1), "{name}: {reason}");
    }
}

#[test]
fn what_is_public_says_what_it_is() {
    let source = source();
    let tree = Tree::read(&source, source_files(&source));
    let mut silent = Vec::new();
    for file in tree.files.values() {
        let lines: Vec<&str> =
            file.text.split("#[cfg(test)]\nmod tests {").next().unwrap().lines().collect();
        if !lines.first().is_some_and(|line| line.starts_with("//!")) {
            silent.push(format!("{}: the file", file.path.display()));
        }
        for (at, line) in lines.iter().enumerate() {
            let item = line.trim_start();
            let is_item = item.starts_with("pub ")
                && !item.starts_with("pub use ")
                && !item.starts_with("pub mod ");
            if !is_item || defined(item).is_none() {
                continue;
            }
            let mut before = lines[..at].iter().rev().map(|line| line.trim_start());
            let above = before.find(|line| !(line.starts_with("#[") || line.ends_with(")]")));
            if !above.is_some_and(|line| line.starts_with("///")) {
                silent.push(format!("{}:{}: {item}", file.path.display(), at + 1));
            }
        }
    }
    assert!(silent.is_empty(), "\n{}", silent.join("\n"));
}
