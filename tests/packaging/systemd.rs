//! The units, run by a systemd of their own.
//!
//! Each test has a machine to itself, see [`machine`], on which the units are installed by the very
//! lines of `deployment/systemd/README.md`. The binary is the real one, on its sandbox; only what
//! it is called with is overridden, by a drop-in, as an operator would.

mod credentials;
mod delivery;
mod failed;
mod followed;
mod hooks;
mod http;
mod machine;
mod readers;
mod timer;
mod typed;
mod units;

const README: &str = include_str!("../../deployment/systemd/README.md");

/// The first fenced block of that language under a heading of the README.
#[track_caller]
fn block(heading: &str, language: &str) -> &'static str {
    let (_, section) = README.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let (_, from) = section.split_once(&format!("\n```{language}\n")).unwrap();
    from.split_once("```\n").unwrap().0
}
