//! The licences of what the binary is made of: `deployment/licences` names one for every crate, and each
//! is among those that `deny.toml` allows.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::skip;

#[test]
fn every_crate_has_a_licence_that_is_allowed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cargo = Path::new(env!("CARGO")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", cargo.display());
    let mut command = Command::new(folder.join("deployment/licences"));
    let ran = command.arg("--offline").env("PATH", path).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    if said.contains("--offline was specified") {
        assert!(!ran.status.success(), "a list that lacks crates counts as whole");
        return skip(
            "every_crate_has_a_licence_that_is_allowed",
            "crates of other platforms are not here: run `cargo fetch --locked`",
        );
    }
    assert!(ran.status.success(), "{said}");
    let listed = String::from_utf8(ran.stdout).unwrap();
    let rules = std::fs::read_to_string(folder.join("deny.toml")).unwrap();
    let allowed = rules.split_once("allow = [").unwrap().1.split_once(']').unwrap().0;
    let allowed: BTreeSet<&str> = allowed.split('"').skip(1).step_by(2).collect();
    assert!(allowed.len() > 5 && listed.lines().count() > 100, "{listed}");
    for line in listed.lines() {
        let (name, licence) = line.split_once(": ").unwrap();
        let alternative = |text: &str| {
            let all = text.trim_matches(['(', ')', ' ']).split(" AND ");
            all.map(|one| one.trim_matches(['(', ')'])).all(|one| allowed.contains(one))
        };
        // `A OR B`, as some write it with a stroke; `A AND (B OR C)` is taken word by word.
        let is_allowed = licence.replace('/', " OR ").split(" OR ").any(alternative);
        assert!(is_allowed, "{name}: {licence}");
    }
}
