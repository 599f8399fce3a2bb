//! A `PostgreSQL` server of a test's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A `PostgreSQL` server with a folder of its own, which listens nowhere but there.
pub(crate) struct Postgres {
    folder: PathBuf,
    pg_ctl: PathBuf,
}

impl Postgres {
    pub(crate) fn start(folder: &Path) -> Result<Self, String> {
        let versions =
            std::fs::read_dir("/usr/lib/postgresql").map_err(|_| "postgresql is not installed")?;
        let programs = versions.filter_map(Result::ok).map(|it| it.path().join("bin"));
        let programs = programs.max().ok_or("postgresql is not installed")?;
        let folder = folder.to_owned();
        let this = Self { folder, pg_ctl: programs.join("pg_ctl") };
        let data = this.folder.join("pg");
        // It refuses to run as root.
        let user = if rustix::process::geteuid().is_root() { "postgres" } else { "" };
        if !user.is_empty() {
            let owned = Command::new("chown").arg(user).arg(&this.folder).status();
            owned
                .ok()
                .filter(std::process::ExitStatus::success)
                .ok_or("there is no user postgres")?;
        }
        let initdb = programs.join("initdb");
        this.run(
            &initdb,
            &[
                "-D",
                data.to_str().unwrap(),
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--no-sync",
            ],
        )?;
        let socket = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync=off",
            this.folder.display()
        );
        this.run(
            &this.pg_ctl,
            &[
                "-D",
                data.to_str().unwrap(),
                "-w",
                "-t",
                "60",
                "-l",
                this.folder.join("log").to_str().unwrap(),
                "-o",
                &socket,
                "start",
            ],
        )?;
        Ok(this)
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Result<(), String> {
        let mut command = if rustix::process::geteuid().is_root() {
            let mut other = Command::new("setpriv");
            other.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            other
        } else {
            Command::new(program)
        };
        let output = command
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.join("pg");
        let _ = self.run(&self.pg_ctl, &["-D", data.to_str().unwrap(), "-m", "immediate", "stop"]);
    }
}
