//! Another user of the machine: whoever looks at the store without owning it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use super::{Ran, World, skip};

/// `nobody`, and its group, everywhere.
const NOBODY: u32 = 65534;

/// Somebody else, with the binary at hand: where it was built nobody else may be able to go.
pub(crate) struct Nobody {
    folder: tempfile::TempDir,
}

impl Nobody {
    pub(crate) fn new() -> Self {
        let folder = super::folder();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        // By a process of its own: a file that this one has open to write cannot be started.
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_metatoken")).arg(folder.path().join("metatoken"));
        assert!(copy.status().unwrap().success());
        Self { folder }
    }

    /// Somebody whose group may read the world's folder and all in it but the key, and write
    /// nothing.
    pub(crate) fn let_in(world: &World) -> Self {
        let group = |name: &str, mode| {
            let path = world.path(name);
            chown(&path, None, Some(NOBODY)).unwrap();
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        group(".", 0o750);
        for file in ["metatoken.toml", "metatoken.db", "metatoken.db-wal", "metatoken.db-shm"] {
            group(file, 0o640);
        }
        Self::new()
    }

    /// Runs the binary with the world's config and variables.
    #[must_use = "a run is worth nothing unless it is looked at"]
    pub(crate) fn run(&self, world: &World, arguments: &[&str]) -> Ran {
        let template = world.command(arguments);
        let mut command = self.command(&template);
        command.envs(template.get_envs().filter_map(|(name, value)| Some((name, value?))));
        world.finish(command.spawn().unwrap())
    }

    /// Runs the binary with the world's config and no variable at all.
    #[must_use = "a run is worth nothing unless it is looked at"]
    pub(crate) fn run_without_secrets(&self, world: &World, arguments: &[&str]) -> Ran {
        world.finish(self.command(&world.command(arguments)).spawn().unwrap())
    }

    fn command(&self, template: &Command) -> Command {
        let mut command = Command::new(self.folder.path().join("metatoken"));
        command
            .args(template.get_args())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .uid(NOBODY)
            .gid(NOBODY);
        command
    }
}

/// Whether this test can become another user; says so if not.
pub(crate) fn can_be_another_user() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        let test = std::thread::current();
        skip(test.name().unwrap_or("as another user"), "only root can become another user");
    }
    root
}
