//! Writes `order.ld`, the list of the functions that `check` and an idle `refresh` run; `build.rs` says
//! what it is for.
//!
//! Valgrind follows both commands. The binary must not be stripped, because functions are known by
//! their symbols.

use std::collections::{BTreeSet, HashSet};
use std::fs::{File, read_to_string};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::process::timed;
use super::world::World;

const BINARY: &str = env!("CARGO_BIN_EXE_metatoken");
/// The commands that run most often; the first is to take the least memory.
const COMMANDS: [&str; 2] = ["check", "refresh"];
/// A stripped binary shows fewer.
const AT_LEAST: usize = 500;
const HEAD: &str = "\
/* The functions that `check`, and a `refresh` with nothing due, run (see build.rs). Written by
   CARGO_PROFILE_RELEASE_STRIP=none cargo bench --locked --bench pace -- --order */
SECTIONS {
    .text.often : {
";
const FOOT: &str = "    }\n}\nINSERT BEFORE .text;\n";

/// Follows the commands in a world where nothing is due, and writes the list.
pub(crate) fn write() -> anyhow::Result<()> {
    let world = World::small()?;
    timed(&mut world.command(&["refresh"]))?;
    let all = functions()?;
    let mut listed = HashSet::new();
    let mut script = HEAD.to_owned();
    for command in COMMANDS {
        for section in sections(&run(&world, command)?, &all) {
            if listed.insert(section.clone()) {
                script.extend(["        *(", &section, ")\n"]);
            }
        }
    }
    ensure!(listed.len() > AT_LEAST, "the binary was stripped: see the head of order.ld");
    script.push_str(FOOT);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("order.ld");
    Ok(File::create(path)?.write_all(script.as_bytes())?)
}

/// The symbols of all functions that a command runs, those of libraries too.
fn run(world: &World, command: &str) -> anyhow::Result<BTreeSet<String>> {
    let calls = world.path("calls");
    let ours = world.command(&[command]);
    let mut followed = Command::new("valgrind");
    followed
        .args(["--tool=callgrind", "--demangle=no"])
        .arg(format!("--callgrind-out-file={}", calls.display()))
        .arg(ours.get_program())
        .args(ours.get_args())
        .envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    timed(&mut followed).context("valgrind is needed")?;
    // `fn=(NUMBER) NAME` or `cfn=(NUMBER) NAME` where a function is first seen, then the number alone.
    // `NAME'2` is a recursive call.
    Ok(read_to_string(calls)?
        .lines()
        .filter_map(|line| line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")))
        .filter_map(|function| function.split([' ', '\'']).nth(1))
        .map(str::to_owned)
        .collect())
}

/// The symbols of all functions of the binary.
fn functions() -> anyhow::Result<BTreeSet<String>> {
    let mut nm = Command::new("nm");
    nm.args(["--defined-only", "--format=just-symbols", BINARY]);
    let listed = nm.output().context("nm, of the binutils, is needed")?;
    Ok(String::from_utf8(listed.stdout)?.lines().map(str::to_owned).collect())
}

/// The sections of what was run. Last come those that other functions share, because their names
/// differ in the hash alone.
fn sections(run: &BTreeSet<String>, all: &BTreeSet<String>) -> Vec<String> {
    let idle: BTreeSet<String> = all.difference(run).map(|symbol| pattern(symbol)).collect();
    let patterns: BTreeSet<String> = run.intersection(all).map(|symbol| pattern(symbol)).collect();
    let alone = patterns.difference(&idle);
    alone.chain(patterns.intersection(&idle)).cloned().collect()
}

/// The section of a function for any version of the compiler: without the hashes in its name and
/// without the number that the compiler gave to a copy of it. Rust's cold functions are in
/// `.text.unlikely.`.
fn pattern(symbol: &str) -> String {
    if let Some((path, _)) = symbol.strip_prefix("_ZN").and(symbol.rsplit_once("17h")) {
        return format!(".text*.{path}17h*");
    }
    let (name, copy) = symbol.split_once('.').map_or((symbol, ""), |(name, _)| (name, ".*"));
    if name.starts_with("_R") {
        return format!(".text*.{}{copy}", without_hashes(name));
    }
    format!(".text.{name}{copy}")
}

/// In a name a crate is `Cs`, a hash, `_`, the length of its name, and its name.
fn without_hashes(name: &str) -> String {
    let mut crates = name.split("Cs");
    let first = crates.next().unwrap_or_default().to_owned();
    crates.fold(first, |pattern, each| match each.split_once('_') {
        Some((hash, rest)) if hash.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            pattern + "Cs*_" + rest
        }
        _ => pattern + "Cs" + each,
    })
}
