//! Holds what a command works with: the config, the clock, and the ways to Graph, to the store and to
//! the person.

use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::config::{Config, KeySetting, Secrets};
use crate::environment::Environment;
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{Graph, Settings};
use crate::interrupt::Interrupt;
use crate::store::{Holder, KeySource, LockError, RunLock, Store, filesystem_trouble, read_key};
use crate::token::{AccessToken, TokenType, Unfit, read_pasted};
use crate::ui::Ui;

/// Longer input is not an access token.
const MOST_INPUT: u64 = 64 * 1024;

/// What standard input is called.
const STANDARD_INPUT: &str = "standard input";

/// Refuses a store on a file system that cannot carry one, unless the config says that it may be.
pub fn refuse_filesystem(config: &Config) -> Result<(), CliError> {
    let store = &config.store;
    let Some(name) = filesystem_trouble(&store.path).filter(|_| !store.unsafe_filesystem) else {
        return Ok(());
    };
    let message = format!(
        "refused: the store would be on {name}, where two runs can hold one lock and damage it"
    );
    Err(CliError::new(Exit::Config, "unsafe_filesystem", store.path.display().to_string(), message)
        .hint("name a file on a disk of this machine with `path` in `[store]`")
        .hint("or, if only this machine ever uses it: `unsafe_filesystem = true` in `[store]`"))
}

/// One run of the program, ready to work.
#[derive(Debug)]
pub struct Session {
    /// What the config means.
    pub config: Config,
    /// What the config's references to secrets lead to.
    pub secrets: Secrets,
    /// How Graph is reached.
    pub graph: Settings,
    /// The time.
    pub clock: Clock,
    /// Whether Graph is the simulated one.
    pub is_sandbox: bool,
    /// The variables and the user.
    pub environment: Environment,
    /// Whether the process was asked to end.
    pub interrupt: Interrupt,
    /// The way to the person.
    pub ui: Ui,
}

impl Session {
    /// A client that asks Graph as the config says.
    pub fn graph(&self) -> Graph {
        Graph::new(self.graph.clone(), self.clock, self.interrupt.flag())
    }

    /// A client that tries each call once, and begins none after `span` from now.
    pub fn graph_within(&self, span: Duration) -> Graph {
        let settings =
            Settings { attempts: 1, deadline: Some(Instant::now() + span), ..self.graph.clone() };
        Graph::new(settings, self.clock, self.interrupt.flag())
    }

    /// Where the store's key is; read only now, when it is needed.
    pub fn key(&self) -> Result<KeySource, CliError> {
        let source = match &self.config.store.key {
            KeySetting::Beside(path) => return Ok(KeySource::File(path.clone())),
            KeySetting::Given(source) => source,
        };
        let unreadable =
            || CliError::new(Exit::Storage, "key_unreadable", "the store key", "cannot be read");
        let text = self.secrets.resolve(source).map_err(|error| {
            let fix = error.fix("the copy of the store key that you keep");
            unreadable().because(error).hint(fix)
        })?;
        read_key(text.expose()).map(KeySource::Given).map_err(|error| {
            unreadable().because(error).hint(format!(
                "a key is 32 bytes as 64 hex digits or base64; put back the copy of it that you \
                 keep, to {source}"
            ))
        })
    }

    /// The name of this machine, as a person who gets a message from it knows it. Rehearsals have
    /// one of their own, so that they say the same everywhere.
    pub fn host(&self) -> String {
        if self.is_sandbox {
            return "sandbox".to_owned();
        }
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }

    /// The key file where it is one of our making: the config does not name it.
    pub fn made_key(&self) -> Option<&Path> {
        match &self.config.store.key {
            KeySetting::Beside(path) => Some(path),
            KeySetting::Given(_) => None,
        }
    }

    /// The store as it is, for reading; nothing where none was made yet.
    pub fn reader(&self) -> Result<Option<Store>, CliError> {
        Ok(Store::open_reader(&self.config.store.path, self.made_key())?)
    }

    /// Refuses to go on without a store, for a command that makes and migrates none.
    pub fn refuse_without_store(&self, hint: &str) -> Result<(), CliError> {
        let path = &self.config.store.path;
        if Store::is_there(path, self.made_key())? {
            return Ok(());
        }
        let subject = path.display().to_string();
        let message = "there is no store yet";
        Err(CliError::new(Exit::Storage, "store_missing", subject, message).hint(hint))
    }

    /// Reads an access token from a file, or from standard input: the two places where a secret may
    /// come from.
    pub fn read_access_token(
        &self,
        file: Option<&Path>,
        what: &str,
        wanted: Option<TokenType>,
    ) -> Result<AccessToken, CliError> {
        let (text, place) = self.read_secret_text(file, what)?;
        read_pasted(&text, wanted).map_err(|unfit| {
            let message = format!("no access token: {unfit}");
            let fix = match unfit {
                Unfit::Empty if place == STANDARD_INPUT => {
                    "pipe the access token into it".to_owned()
                }
                _ => unfit.fix_of_input(),
            };
            let complaint = CliError::new(Exit::InputRefused, "malformed_token", place, message);
            let complaint = complaint.hint(fix);
            match unfit.other_command() {
                Some((when, command)) => complaint.hint(format!("{when}: `{command}`")),
                None => complaint,
            }
        })
    }

    /// Reads the answer of a login, which may hold a code, from the same two places.
    pub fn read_text(
        &self,
        file: Option<&Path>,
        what: &str,
    ) -> Result<zeroize::Zeroizing<String>, CliError> {
        self.read_secret_text(file, what).map(|(text, _)| text)
    }

    /// Whether a browser may be opened here: never as root, and not where a person looks at it from
    /// another machine.
    pub fn has_browser(&self) -> bool {
        let is_set = |name: &&str| self.environment.get(name).is_some();
        let over_ssh = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(is_set);
        let on_a_screen =
            cfg!(target_os = "macos") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(is_set);
        self.ui.can_ask() && self.environment.user_id() != 0 && !over_ssh && on_a_screen
    }

    fn read_secret_text(
        &self,
        file: Option<&Path>,
        what: &str,
    ) -> Result<(zeroize::Zeroizing<String>, String), CliError> {
        Ok(match file {
            Some(path) if path != Path::new("-") => read_input(path)?,
            _ => match self.ui.ask_secret(what) {
                Some(typed) => {
                    let place = STANDARD_INPUT.to_owned();
                    (typed.map_err(|error| unreadable(&place, error))?, place)
                }
                None => read_input(Path::new("-"))?,
            },
        })
    }

    /// The same with another config.
    pub fn with_config(&self, mut config: Config) -> Self {
        let secrets = if self.is_sandbox {
            config.http.concurrency = self.config.http.concurrency;
            // A rehearsal must not send a real secret anywhere.
            config.secrets(&Environment::default())
        } else {
            config.secrets(&self.environment)
        };
        Self {
            config,
            secrets,
            graph: self.graph.clone(),
            clock: self.clock,
            is_sandbox: self.is_sandbox,
            environment: self.environment.clone(),
            interrupt: self.interrupt.clone(),
            ui: self.ui,
        }
    }

    /// The lock that only one run holds.
    pub fn lock(&self, command: &str, wait: Duration) -> Result<RunLock, CliError> {
        let holder = Holder {
            pid: std::process::id(),
            command: format!("metatoken {command}"),
            started_at: self.clock.now(),
        };
        RunLock::take(&self.config.store.path, &holder, wait).map_err(LockError::into)
    }
}

/// What people call the place of an input: `-` is standard input.
pub fn place_of_input(path: &Path) -> String {
    if path == Path::new("-") { STANDARD_INPUT.to_owned() } else { path.display().to_string() }
}

/// What the file holds, or standard input for `-`, and what people call the place.
pub fn read_input(path: &Path) -> Result<(zeroize::Zeroizing<String>, String), CliError> {
    let place = place_of_input(path);
    if path == Path::new("-") {
        let text = limited(std::io::stdin().lock(), &place)
            .map_err(|refused| refused.hint("pipe the value alone into it, as plain text"))?;
        return Ok((text, place));
    }
    let named = |refused: CliError| {
        refused.hint("name a file that you can read, with the value alone in it, as plain text")
    };
    let file = std::fs::File::open(path).map_err(|error| named(unreadable(&place, error)))?;
    Ok((limited(file, &place).map_err(named)?, place))
}

fn limited(
    source: impl std::io::Read,
    place: &str,
) -> Result<zeroize::Zeroizing<String>, CliError> {
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    source.take(MOST_INPUT).read_to_end(&mut bytes).map_err(|error| unreadable(place, error))?;
    let text = match bytes.as_slice() {
        // So Windows writes what is redirected into a file.
        [0xff, 0xfe, wide @ ..] => wide_text(wide, u16::from_le_bytes),
        [0xfe, 0xff, wide @ ..] => wide_text(wide, u16::from_be_bytes),
        bytes => std::str::from_utf8(bytes).ok().map(str::to_owned),
    };
    text.map(zeroize::Zeroizing::new).ok_or_else(|| {
        CliError::new(Exit::InputRefused, "input_unreadable", place, "is not text in UTF-8")
    })
}

/// Text in UTF-16.
fn wide_text(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    char::decode_utf16(units).collect::<Result<String, _>>().ok()
}

fn unreadable(place: &str, error: std::io::Error) -> CliError {
    CliError::new(Exit::InputRefused, "input_unreadable", place, "cannot be read").because(error)
}
