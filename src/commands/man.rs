//! `man`: the manual, written into a folder.

use std::path::Path;

use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::files::{self, Readers};
use crate::manual;
use crate::token::Time;

/// What builds of a package set, so that the same source makes the same pages.
const BUILD_TIME: &str = "SOURCE_DATE_EPOCH";

/// Writes every page into the folder, which is made if it is missing.
pub fn write_manual(folder: &Path, environment: &Environment, now: Time) -> Result<(), CliError> {
    let unwritten = |path: &Path, error: std::io::Error| {
        let message = "the manual cannot be written there";
        CliError::new(Exit::Storage, "manual_unwritable", path.display().to_string(), message)
            .because(error)
            .hint("name a folder in which you may make files: `metatoken man DIR`")
    };
    std::fs::create_dir_all(folder).map_err(|error| unwritten(folder, error))?;
    let built = environment.get(BUILD_TIME).and_then(|seconds| seconds.parse().ok());
    let date = built.and_then(|seconds| Time::from_timestamp(seconds, 0)).unwrap_or(now);
    for page in manual::pages(&date.format("%Y-%m-%d").to_string()) {
        let path = folder.join(&page.file);
        files::publish(&path, page.text.as_bytes(), &Readers::Everybody)
            .map_err(|error| unwritten(&path, error))?;
    }
    Ok(())
}
