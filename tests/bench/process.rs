//! One run of a program: how long it took and how much memory it held at most.
//!
//! The kernel's own high-water mark is read while the process lives; it only ever rises, so the
//! last reading is the peak. Where there is no `/proc` memory is not measured.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

/// What came of a run.
pub(crate) struct Ran {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// The most memory it held, in mebibytes.
    pub(crate) peak: Option<f64>,
}

/// Runs a program that must end well and print something, undisturbed.
pub(crate) fn timed(command: &mut Command) -> anyhow::Result<Ran> {
    let began = Instant::now();
    let output = command.stdin(Stdio::null()).output().context("it cannot be started")?;
    let wall = began.elapsed();
    judge(command, &output)?;
    Ok(Ran { wall, peak: None })
}

/// Runs a program that must end well and print something, and reads its memory every so often.
pub(crate) fn watched(command: &mut Command, every: Duration) -> anyhow::Result<Ran> {
    let began = Instant::now();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("it cannot be started")?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let is_over = AtomicBool::new(false);
    let (output, wall, peak) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut peak = None;
            while !is_over.load(Ordering::Relaxed) {
                peak = high_water(&status).or(peak);
                std::thread::sleep(every);
            }
            peak
        });
        let output = child.wait_with_output();
        let wall = began.elapsed();
        is_over.store(true, Ordering::Relaxed);
        (output, wall, watcher.join().unwrap_or_default())
    });
    judge(command, &output?)?;
    Ok(Ran { wall, peak })
}

/// A process that has ended has no such line any more.
fn high_water(status: &PathBuf) -> Option<f64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / 1024.0)
}

fn judge(command: &Command, output: &Output) -> anyhow::Result<()> {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(
        output.status.success() && !output.stdout.is_empty(),
        "{command:?} exited with {}\n{}{}",
        output.status,
        said(&output.stdout),
        said(&output.stderr)
    );
    Ok(())
}

/// Whether there is a program of that name.
pub(crate) fn is_there(program: &str) -> io::Result<bool> {
    match Command::new(program).arg("--version").stdout(Stdio::null()).status() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
