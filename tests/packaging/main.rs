//! What is shipped under `deployment/`, tried with the programs that it is made for: systemd, cron,
//! logrotate, Nagios, Icinga 2, Prometheus, dpkg and lintian, and the shells of CI runners; what the
//! binary writes for shells and for `man`; and `examples/moving/` and the hooks that put a token into a row,
//! with the databases that they are for.
//!
//! A target of its own, which plain `cargo test` leaves alone; `cargo test --test packaging` runs it.
//! Not every machine has those programs, so a test may have to leave something out, and says so.

mod browser;
mod ci;
#[path = "../common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other tests use the rest")]
mod common;
mod container;
mod cron;
mod debian;
mod kubernetes;
mod licences;
mod man;
mod moving;
mod nagios;
mod network;
mod order;
mod page;
mod postgres;
mod prometheus;
mod rows;
mod shells;
mod systemd;

use std::path::Path;

pub(crate) use common::{cannot_mount, lacking, skip};

/// What is shipped under `deployment/`.
pub(crate) fn shipped(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deployment");
    std::fs::read_to_string(folder.join(name)).unwrap()
}
