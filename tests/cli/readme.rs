//! What the README shows is what happens.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use metatoken::exit::{Exit, Verdict};

const README: &str = include_str!("../../README.md");
const EXIT: &str = include_str!("../../src/exit.rs");

/// What the README has between two marks, without the fence around it.
#[track_caller]
fn block(mark: &str) -> &'static str {
    let (_, from) = README.split_once(&format!("<!-- {mark} -->\n```text\n")).unwrap();
    let (block, _) = from.split_once("```\n<!-- end -->").unwrap();
    block
}

/// The first fenced block of that language under a heading.
#[track_caller]
fn fenced(heading: &str, language: &str) -> &'static str {
    let (_, section) = README.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, from) = section.split_once(&format!("\n```{language}\n")).unwrap();
    from.split_once("```\n").unwrap().0
}

/// What the binary prints in a sandbox, with nothing in its environment.
#[track_caller]
fn sandboxed(folder: &Path, arguments: &[&str]) -> String {
    let sandbox = format!("--sandbox={}", folder.join("sandbox").display());
    let ran = Command::new(env!("CARGO_BIN_EXE_metatoken"))
        .env_clear()
        .arg(sandbox)
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    assert_eq!(ran.status.code(), Some(0));
    String::from_utf8(ran.stdout).unwrap()
}

/// What the doc comments say of each code: the last sentence before a variant, and its number.
fn documented(codes: &str) -> BTreeMap<u8, String> {
    let (variants, _) = EXIT.split_once(&format!("impl {codes} {{")).unwrap();
    let (_, variants) = variants.split_once(&format!("pub enum {codes} {{")).unwrap();
    let (variants, _) = variants.split_once("\n}").unwrap();
    let (_, numbers) = EXIT.split_once(&format!("impl {codes} {{")).unwrap();
    let lines: Vec<&str> =
        variants.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines
        .chunks(2)
        .map(|pair| {
            let name = pair[1].trim_end_matches(',');
            let (_, number) = numbers.split_once(&format!("Self::{name} => ")).unwrap();
            let (number, _) = number.split_once(',').unwrap();
            (number.parse().unwrap(), spoken(pair[0].trim_start_matches("/// ")))
        })
        .collect()
}

/// A doc comment's sentence as a table has it.
fn spoken(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}

#[test]
fn the_last_three_weeks_are_told_so() {
    let world = tempfile::tempdir().unwrap();
    let ran = Command::new("sh")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/last-three-weeks.sh"))
        .arg(world.path())
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", folder_of_the_binary()))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    assert_eq!(ran.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ran.stdout), block("last-three-weeks"));
}

fn folder_of_the_binary() -> &'static str {
    Path::new(env!("CARGO_BIN_EXE_metatoken")).parent().unwrap().to_str().unwrap()
}

#[test]
fn the_table_of_exit_codes_is_the_one_of_the_code() {
    let (_, section) = README.split_once("\n## Exit codes\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let table: BTreeMap<u8, String> = section
        .lines()
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            Some((cells.next()?.parse().ok()?, cells.next()?.to_owned()))
        })
        .collect();
    assert_eq!(table, documented("Exit"));
    let help: BTreeMap<u8, String> = include_str!("../../src/help/exit-codes.md")
        .lines()
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            Some((cells.next()?.parse().ok()?, cells.next()?.to_owned()))
        })
        .collect();
    assert_eq!(help, table);
    assert!(Exit::BY_WEIGHT.iter().all(|exit| table.contains_key(&exit.code())));
    let verdicts = [Verdict::Ok, Verdict::Warning, Verdict::Critical, Verdict::Unknown];
    assert_eq!(verdicts.map(Verdict::code), [0, 1, 2, 3]);
    assert!(section.contains("`check` answers 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."));
}

#[test]
fn the_first_refresh_and_the_status_after_it_are_real() {
    let folder = tempfile::tempdir().unwrap();
    let refresh = sandboxed(folder.path(), &["refresh"]);
    let status = sandboxed(folder.path(), &["status"]);
    assert_eq!(refresh, block("first-refresh"), "the README has another first refresh");
    assert_eq!(status, block("status"), "the README has another status");
}

#[test]
fn the_first_real_config_is_a_config() {
    is_good(fenced("A first real config", "toml"));
}

#[test]
fn the_ways_to_people_are_a_config() {
    let first = fenced("A first real config", "toml");
    is_good(&format!("{first}{}", fenced("When only a person can help", "toml")));
}

#[track_caller]
fn is_good(text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("metatoken.toml");
    let file = std::fs::File::create(&config).unwrap();
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
    std::io::Write::write_all(&mut &file, text.as_bytes()).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_metatoken"))
        .env_clear()
        .args(["config", "show", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stderr), "");
    assert_eq!(ran.status.code(), Some(0));
}
