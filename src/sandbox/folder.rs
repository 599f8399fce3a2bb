//! Keeps the sandbox on disk: `DIR/SCENARIO/`, where a rehearsal goes on from command to command.
//!
//! A file that is there is never written over but for the two that are Graph's own: its memory and
//! its clock. So an operator may edit the config and `app.env`, and a run that was killed while it
//! made the folder is simply made whole by the next.
//!
//! A rehearsal may be killed at any point like the real thing: what Graph remembers is then from
//! before the call or from after it, and no other user can read it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::crypto;
use crate::error::CliError;
use crate::exit::Exit;
use crate::token::{Provider, Time};

use super::clock::{self, NowArg};
use super::fault_injection::{FaultInjection, Rule};
use super::scenario::{Scenario, Stage};
use super::server::Server;
use super::simulation::Simulation;

/// A sandbox that is open: its Graph answers until this is dropped.
pub struct Sandbox {
    pub config: PathBuf,
    /// The sandbox's time.
    pub now: Time,
    server: Server,
}

impl Sandbox {
    /// Where its Graph listens; another port each time, so no file names it.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Where a provider's host is simulated.
    pub fn endpoint(&self, provider: Provider) -> String {
        self.server.endpoint(provider)
    }

    /// Its Graph.
    pub fn server(&self) -> &Server {
        &self.server
    }
}

/// Opens the sandbox of a scenario under `dir`, makes what is missing, and moves its clock.
///
/// A clock that would go back is refused with exit 64, a folder that cannot be used with 74.
pub fn open(dir: &Path, scenario: Scenario, now: Option<NowArg>) -> Result<Sandbox, CliError> {
    let folder = Folder(dir.join(scenario.as_str()));
    let stage = Stage::of(scenario);
    make_folder(&folder.0).map_err(|error| folder.unusable(&folder.0, error))?;
    let now = folder.turn_clock(now)?;
    folder.furnish("app.env", &stage.pasted)?;
    folder.furnish("graph.json", &stage.graph.to_json())?;
    let place = folder.0.to_string_lossy();
    folder.furnish("metatoken.toml", &scenario.config().replace("@FOLDER@", &place))?;
    let mut graph = folder.memory()?;
    graph.set_now(now);
    let server = Server::start(graph).map_err(|error| folder.unusable(&folder.0, error))?;
    if scenario == Scenario::Outage {
        server.misbehave(Rule::any(), FaultInjection::Code2Transient);
    }
    let memory = folder.file("graph.json");
    server.on_change(move |graph| replace(&memory, graph.to_json().as_bytes()));
    Ok(Sandbox { config: folder.file("metatoken.toml"), now, server })
}

/// The scenario that was named last in this sandbox; the usual one of a new sandbox.
pub fn remembered(dir: &Path) -> Scenario {
    let name = fs::read_to_string(dir.join(REMEMBERED)).unwrap_or_default();
    Scenario::from_name(name.trim()).unwrap_or_default()
}

/// Has the sandbox go on with this scenario where none is named.
pub fn remember(dir: &Path, scenario: Scenario) -> Result<(), CliError> {
    let path = dir.join(REMEMBERED);
    if path.exists() && remembered(dir) == scenario {
        return Ok(());
    }
    replace(&path, format!("{scenario}\n").as_bytes())
        .map_err(|error| Folder(dir.to_owned()).unusable(&path, error))
}

/// The file that holds the scenario's name.
const REMEMBERED: &str = "scenario";

struct Folder(PathBuf);

impl Folder {
    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn furnish(&self, name: &str, text: &str) -> Result<(), CliError> {
        let path = self.file(name);
        let made = match path.try_exists() {
            Ok(true) => Ok(()),
            Ok(false) => replace(&path, text.as_bytes()),
            Err(error) => Err(error),
        };
        made.map_err(|error| self.unusable(&path, error))
    }

    fn memory(&self) -> Result<Simulation, CliError> {
        let path = self.file("graph.json");
        let text = fs::read_to_string(&path).map_err(|error| self.unusable(&path, error))?;
        Simulation::from_json(&text).map_err(|error| self.unusable(&path, error.into()))
    }

    /// Where the clock stands; a new sandbox's stands at the start.
    fn clock(&self) -> Result<Option<Time>, CliError> {
        let path = self.file("clock");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unusable(&path, error)),
        };
        match DateTime::parse_from_rfc3339(text.trim()) {
            Ok(time) => Ok(Some(time.with_timezone(&Utc))),
            Err(error) => {
                Err(self.unusable(&path, io::Error::new(io::ErrorKind::InvalidData, error)))
            }
        }
    }

    fn turn_clock(&self, wanted: Option<NowArg>) -> Result<Time, CliError> {
        let kept = self.clock()?;
        let stands = kept.unwrap_or_else(clock::start);
        let now = wanted.map_or(stands, NowArg::in_sandbox);
        if now < stands {
            let message =
                format!("the sandbox's clock stands at {}; it never goes back", written(stands));
            return Err(CliError::new(Exit::Usage, "clock_goes_back", "--now", message)
                .hint(self.start_again()));
        }
        if kept != Some(now) {
            let path = self.file("clock");
            replace(&path, format!("{}\n", written(now)).as_bytes())
                .map_err(|error| self.unusable(&path, error))?;
        }
        Ok(now)
    }

    fn start_again(&self) -> String {
        format!("`rm -r {}` starts again", crate::shell::quoted(&self.0))
    }

    fn unusable(&self, path: &Path, error: io::Error) -> CliError {
        let subject = path.display().to_string();
        CliError::new(Exit::Storage, "sandbox_unusable", subject, "the sandbox cannot be used")
            .because(error)
            .hint(self.start_again())
            .hint("`--sandbox=DIR` names another folder")
    }
}

fn written(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Makes a folder and those above it, where they are missing, for the owner alone.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Puts `bytes` in the place of what `path` holds.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", crypto::hex(&crypto::random::<6>())));
    let beside = folder.join(name);
    let written = write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What cannot be removed is only litter; the first error is the one to tell.
        drop(fs::remove_file(&beside));
        return written;
    }
    File::open(folder)?.sync_all()
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use crate::sandbox::Call;

    use super::*;

    fn at(text: &str) -> NowArg {
        NowArg::parse(text).unwrap()
    }

    #[test]
    fn a_folder_is_made_once_private_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        for scenario in Scenario::ALL {
            let folder = dir.path().join("new").join(scenario.as_str());
            let first = open(&dir.path().join("new"), scenario, None).unwrap();
            assert_eq!(first.config, folder.join("metatoken.toml"));
            assert_eq!(first.now, clock::start());
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&folder), 0o700);
            for name in ["metatoken.toml", "app.env", "graph.json", "clock"] {
                assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
            }
            drop(first);
            for name in ["metatoken.toml", "app.env"] {
                replace(&folder.join(name), b"# mine").unwrap();
            }
            open(&dir.path().join("new"), scenario, None).unwrap();
            for name in ["metatoken.toml", "app.env"] {
                assert_eq!(fs::read(folder.join(name)).unwrap(), b"# mine", "{name}");
            }
        }
    }

    #[test]
    fn the_clock_moves_only_forward_and_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let turn = |now| open(dir.path(), Scenario::Healthy, now).map(|sandbox| sandbox.now);
        assert_eq!(turn(None).unwrap(), clock::start());
        let later = at("+45d").in_sandbox();
        assert_eq!(turn(Some(at("+45d"))).unwrap(), later);
        assert_eq!(turn(None).unwrap(), later);
        assert_eq!(
            turn(Some(at("2026-02-15"))).unwrap(),
            later,
            "standing still is not going back"
        );
        let complaint = turn(Some(at("+44d"))).unwrap_err();
        assert_eq!(complaint.exit, Exit::Usage);
        assert_eq!(
            complaint.render(),
            format!(
                "error: --now: the sandbox's clock stands at 2026-02-15T00:00:00Z; it never goes \
                 back\nhint: `rm -r {}` starts again",
                dir.path().join("healthy").display()
            )
        );
        assert_eq!(turn(None).unwrap(), later, "a refusal moves nothing");
        let early = open(dir.path(), Scenario::Outage, Some(at("2025-12-31")));
        assert_eq!(early.err().map(|complaint| complaint.exit), Some(Exit::Usage));
    }

    #[test]
    fn graph_remembers_from_command_to_command() {
        let dir = tempfile::tempdir().unwrap();
        let renew = |string: &str| {
            let target = format!(
                "/v26.0/oauth/access_token?grant_type=fb_exchange_token\
                 &client_id=1000000000000001&client_secret=fakefakefakefakefakefakefakefake\
                 &fb_exchange_token={string}"
            );
            let sandbox = open(dir.path(), Scenario::Healthy, None).unwrap();
            let mut stream =
                std::net::TcpStream::connect(sandbox.url().strip_prefix("http://").unwrap())
                    .unwrap();
            io::Write::write_all(
                &mut stream,
                format!("GET {target} HTTP/1.1\r\nConnection: close\r\n\r\n").as_bytes(),
            )
            .unwrap();
            let mut answer = String::new();
            io::Read::read_to_string(&mut stream, &mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        };
        renew("EAAFAKEBrand1");
        renew("EAAFAKEBrand2");
        let sandbox = open(dir.path(), Scenario::Healthy, Some(at("+1d"))).unwrap();
        sandbox.server().with(|sim| {
            assert!(sim.strings().any(|string| string == "EAAFAKEBrand3"));
            assert_eq!(sim.now(), sandbox.now);
        });
    }

    #[test]
    fn an_outage_and_a_throttle_hit_every_call() {
        let dir = tempfile::tempdir().unwrap();
        let throttled = open(dir.path(), Scenario::Throttled, None).unwrap();
        let answer = throttled
            .server()
            .with(|sim| sim.answer(&Call::new("GET", "/v26.0/me?access_token=EAAFAKEBrand1", [])));
        assert!(String::from_utf8(answer.body).unwrap().contains("\"code\":4,"));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path(), Scenario::Healthy, None).unwrap();
        for (name, text) in [("graph.json", "{}"), ("clock", "noon")] {
            let path = dir.path().join("healthy").join(name);
            let good = fs::read(&path).unwrap();
            replace(&path, text.as_bytes()).unwrap();
            let complaint = open(dir.path(), Scenario::Healthy, None).err().unwrap();
            assert_eq!(complaint.exit, Exit::Storage);
            assert_eq!(complaint.subject, path.display().to_string());
            assert_eq!(complaint.causes.len(), 1, "{complaint:?}");
            replace(&path, &good).unwrap();
        }
        let file = dir.path().join("healthy").join("clock");
        assert_eq!(
            open(&file, Scenario::Healthy, None).err().map(|complaint| complaint.exit),
            Some(Exit::Storage)
        );
    }

    #[test]
    fn a_file_is_replaced_whole_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, path) = (folder.path().join("a/b"), folder.path().join("a/b/c"));
        make_folder(&inner).unwrap();
        make_folder(&inner).unwrap();
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1, "no litter");
        assert!(replace(&folder.path().join("none/c"), b"x").is_err());
    }
}
