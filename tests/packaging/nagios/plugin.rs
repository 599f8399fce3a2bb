//! The plugin as a monitoring system calls it: by another user, with nothing in its environment.

use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use crate::common::World;

/// What turns a verdict round.
pub(super) const NEGATE: &str = "/usr/lib/nagios/plugins/negate";

/// Stands for the binary, with config and clock, in the arguments of a call.
pub(super) const PROGRAM: &str = "PROGRAM";

/// The group that reads the store; nobody has it.
const GROUP: u32 = 64_124;

/// Gives config and folder to the group, in the way in which `tmpfiles.d` does: the store that is
/// made there can be read by the group.
pub(super) fn open_to_group(world: &World) {
    for (name, mode) in [(".", 0o750), ("metatoken.toml", 0o640)] {
        let path = world.path(name);
        chown(&path, None, Some(GROUP)).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// The binary in a place that the user can reach.
pub(super) struct Plugin {
    folder: tempfile::TempDir,
    config: String,
}

impl Plugin {
    pub(super) fn new(world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let usual = world.command(&[]);
        let usual: Vec<&str> = usual.get_args().map(|it| it.to_str().unwrap()).collect();
        let ["--config", config, "--now", now] = usual[..] else { panic!("{usual:?}") };
        let plugin = Self { folder, config: config.to_owned() };
        let binary = plugin.folder.path().join("metatoken.real");
        let built = env!("CARGO_BIN_EXE_metatoken");
        if std::fs::hard_link(built, &binary).is_err() {
            std::fs::copy(built, &binary).unwrap();
        }
        let script = format!("#!/bin/sh\nexec '{}' --now '{now}' \"$@\"\n", binary.display());
        let mut file = std::fs::File::create(plugin.program()).unwrap();
        file.write_all(script.as_bytes()).unwrap();
        drop(file);
        for path in [plugin.folder.path(), Path::new(&plugin.program())] {
            let everybody = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(path, everybody).unwrap();
        }
        plugin
    }

    fn program(&self) -> String {
        self.folder.path().join("metatoken").to_str().unwrap().to_owned()
    }

    /// Something shipped, with the places of this test in the place of the usual ones.
    pub(super) fn installed(&self, text: &str) -> String {
        text.replace("/usr/local/bin/metatoken", &self.program())
            .replace("/etc/metatoken/metatoken.toml", &self.config)
    }

    /// Runs something as the user `nagios`; gives what it printed, and its exit code.
    pub(super) fn run(&self, call: &[&str]) -> (String, i32) {
        let program = self.program();
        let mut command = as_nagios();
        for word in call {
            match *word {
                PROGRAM => command.args([&program, "--config", &self.config]),
                word => command.arg(word),
            };
        }
        let ran = command.env_clear().env("PATH", "/usr/bin:/bin").output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stderr), "", "{call:?}");
        (String::from_utf8(ran.stdout).unwrap(), ran.status.code().unwrap())
    }
}

/// A command that runs as the user `nagios`, who is in the store's group.
pub(super) fn as_nagios() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nagios", "--regid=nagios", &format!("--groups={GROUP}")]);
    command
}

/// Gives the user `nagios` a folder with these files.
pub(super) fn hand_over(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let mut file = std::fs::File::create(folder.join(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
    let mut chown = Command::new("chown");
    chown.args(["--recursive", "nagios:nagios"]).arg(folder);
    assert!(chown.status().unwrap().success());
}
