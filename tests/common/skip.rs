//! What a machine lacks for a test, said where everybody sees it: a test that passes in silence
//! without having looked is worse than none.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// Says on standard error that `test` was left out, and why.
///
/// The harness hides what the printing macros write in a test that passes; it does not hide what
/// goes to standard error itself.
pub(crate) fn skip(test: &str, why: &str) {
    let line = format!("skipped: {test}: {why}\n");
    // Whole and at once, so that lines of tests that run side by side do not mix.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Says what this machine lacks of `programs`; a bare name is looked for where programs are.
pub(crate) fn lacking(programs: &[&str]) -> Option<String> {
    let places = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    let is_there =
        |program: &str| places.iter().any(|place| Path::new(place).join(program).exists());
    let missing: Vec<&str> = programs.iter().copied().filter(|each| !is_there(each)).collect();
    (!missing.is_empty()).then(|| format!("{} is not installed", missing.join(", ")))
}

/// Says why a test cannot have a machine of its own, made of mounts that nobody else sees.
pub(crate) fn cannot_mount() -> Option<String> {
    let mut probe = Command::new("unshare");
    probe.args(["--mount", "--pid", "--fork", "--mount-proc"]);
    probe.args(["mount", "-t", "tmpfs", "probe", "/run"]);
    let is_able = probe.output().is_ok_and(|output| output.status.success());
    (!is_able).then(|| "only root can give it a machine of its own".to_owned())
}
