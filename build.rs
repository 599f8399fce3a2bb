//! Has the linker place the functions that `check` and an idle `refresh` run next to each other.
//!
//! A `check` runs one function in ten. The kernel maps at least 64 KiB around each page that is
//! touched, so functions that are spread over the program bring nearly all of it into memory: 14 MiB,
//! but 8 MiB when they are next to each other. `order.ld` lists them. A release build uses the list if
//! the linker accepts it, as those of GNU and LLVM do; with another linker nothing else changes.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to a build script by variables")]

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=order.ld");
    let script = Path::new(&variable("CARGO_MANIFEST_DIR")).join("order.ld");
    if variable("PROFILE") == "release"
        && variable("CARGO_CFG_TARGET_OS") == "linux"
        && is_taken(&script)
    {
        println!("cargo::rustc-link-arg-bins=-T");
        println!("cargo::rustc-link-arg-bins={}", script.display());
    }
}

/// Tries whether a program of one line can be linked with the script, and runs.
fn is_taken(script: &Path) -> bool {
    let folder = variable("OUT_DIR");
    let [source, program] = ["tried.rs", "tried"].map(|name| Path::new(&folder).join(name));
    if fs::write(&source, "fn main() {}").is_err() {
        return false;
    }
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.arg(&source).arg("-o").arg(&program).arg("--target").arg(variable("TARGET"));
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        rustc.arg("-C").arg(option("linker", &linker));
    }
    if let Ok(flags) = env::var("CARGO_ENCODED_RUSTFLAGS") {
        rustc.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    }
    rustc.args(["-C", "link-arg=-T", "-C"]).arg(option("link-arg", script.as_os_str()));
    let succeeds =
        |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    succeeds(&mut rustc)
        && (variable("HOST") != variable("TARGET") || succeeds(&mut Command::new(program)))
}

fn option(name: &str, value: &OsStr) -> OsString {
    let mut option = OsString::from(format!("{name}="));
    option.push(value);
    option
}

/// A variable that cargo always sets for a build script.
fn variable(name: &str) -> OsString {
    env::var_os(name).unwrap_or_default()
}
