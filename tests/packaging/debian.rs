//! The Debian package: made, looked through by lintian, and installed, upgraded, removed and purged in a
//! root of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{cannot_mount, lacking, skip};

/// What happens to the package, in a root that is a copy of this machine's.
const MACHINE: &str = include_str!("debian/machine.sh");

/// Makes the package of the tested binary in that folder.
fn package(folder: &Path) -> PathBuf {
    let binary = folder.join("metatoken");
    std::fs::copy(env!("CARGO_BIN_EXE_metatoken"), &binary).unwrap();
    // As a release build is.
    assert!(Command::new("strip").arg(&binary).status().unwrap().success());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deployment/debian/build");
    let mut command = Command::new(script);
    let made = command.arg(&binary).arg(folder).env("XZ_LEVEL", "0").output().unwrap();
    assert!(made.status.success(), "{}", text(&made));
    PathBuf::from(String::from_utf8(made.stdout).unwrap().trim())
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it).into_owned()).concat()
}

fn lacks(test: &str, programs: &[&str]) -> bool {
    let needed: Vec<&str> = [&["dpkg-deb", "dpkg-shlibdeps", "strip"], programs].concat();
    let why = lacking(&needed);
    if let Some(why) = &why {
        skip(&format!("packaging::debian::{test}"), why);
    }
    why.is_some()
}

#[test]
fn lintian_has_no_complaint_that_is_not_explained() {
    if lacks("lintian_has_no_complaint_that_is_not_explained", &["lintian"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("lintian");
    command.args(["--no-cfg", "--allow-root", "--fail-on", "error,warning"]);
    let looked = command.arg(package(folder.path())).output().unwrap();
    assert!(looked.status.success(), "{}", text(&looked));
    assert_eq!(text(&looked), "");
}

#[test]
fn state_survives_upgrade_and_removal_and_a_purge_deletes_it_only_when_told_so() {
    let test = "state_survives_upgrade_and_removal_and_a_purge_deletes_it_only_when_told_so";
    if lacks(test, &["adduser", "su", "unshare", "chroot"]) {
        return;
    }
    if let Some(why) = cannot_mount() {
        return skip(&format!("packaging::debian::{test}"), &why);
    }
    let folder = tempfile::tempdir().unwrap();
    let package = package(folder.path());
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", MACHINE])
        .arg("sh")
        .arg(package)
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(std::process::Stdio::null());
    let ran = command.output().unwrap();
    if ran.status.code() == Some(99) {
        return skip(&format!("packaging::debian::{test}"), "it cannot have a root of its own");
    }
    assert!(ran.status.success(), "{}", text(&ran));
    let said = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(
        said,
        "\
== installed
metatoken is installed; nothing runs yet. Write /etc/metatoken/metatoken.toml
with `metatoken init` (examples: /usr/share/doc/metatoken/examples), then check
and start it:
  metatoken-as-service metatoken config check
  systemctl enable --now metatoken-refresh.timer metatoken-check.timer
750 root metatoken /etc/metatoken
750 metatoken metatoken /var/lib/metatoken
ExecStart=/usr/bin/metatoken refresh --scheduled
/usr/share/man/man1/metatoken-refresh.1.gz
/usr/share/bash-completion/completions/metatoken
/usr/share/zsh/vendor-completions/_metatoken
/usr/share/fish/vendor_completions.d/metatoken.fish
enabled: none
completed: brand
== used
640 metatoken metatoken /var/lib/metatoken/metatoken.db
600 metatoken metatoken /var/lib/metatoken/metatoken.key
== upgraded
state: the same
== removed
state: the same
== installed again
state: the same
brand
== purged
metatoken: the store in /var/lib/metatoken is kept
state: the same
== purged as told
/etc/metatoken: gone
/var/lib/metatoken: gone
/etc/logrotate.d/metatoken: gone
user: kept
"
    );
}
