//! Waits for the turn of a command that changes something: one at a time, with the config as it is then.

use std::time::Duration;

use super::declared::LastReading;
use super::tokens::Tokens;
use crate::error::CliError;
use crate::exit::Exit;
use crate::files::Prepared;
use crate::policy::humanize;
use crate::session::Session;
use crate::store::{RunLock, Store};
use crate::token::{DryRun, Trigger};

/// How a run is opened.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions {
    /// The command, as the lock and the run row name it.
    pub command: &'static str,
    /// Who started it.
    pub trigger: Trigger,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

impl RunOptions {
    /// The run of a command that a person has typed.
    pub const fn typed(command: &'static str, dry_run: DryRun, lock_wait: Duration) -> Self {
        Self { command, trigger: Trigger::Manual, dry_run, lock_wait }
    }
}

/// The turn of a command that changes something: while it lasts no other one can. A rehearsal needs
/// none.
pub struct RunTurn {
    lock: Option<RunLock>,
    changed: Option<Session>,
}

impl RunTurn {
    /// Waits for the lock, and reads the config again: another command may have changed which tokens
    /// there are since it was read.
    pub fn wait(session: &Session, options: RunOptions) -> Result<Self, CliError> {
        if options.dry_run == DryRun::Yes {
            return Ok(Self { lock: None, changed: None });
        }
        let lock = session.lock(options.command, options.lock_wait);
        let lock = lock.map_err(|busy| with_urgent_tokens(session, busy))?;
        session.config.token_folders().iter().for_each(|it| Prepared::clear_left_behind(it));
        let changed = session.config.read_again(&session.environment)?;
        let path = &session.config.store.path;
        if changed.as_ref().is_some_and(|config| config.store.path != *path) {
            let message = "the config was changed meanwhile, and keeps its tokens elsewhere now";
            return Err(CliError::new(Exit::Config, "config_changed", "", message)
                .hint("run the same again"));
        }
        let changed = changed.map(|config| session.with_config(config));
        Ok(Self { lock: Some(lock), changed })
    }

    /// The session with the config as it is now.
    pub fn session<'s>(&'s self, session: &'s Session) -> &'s Session {
        self.changed.as_ref().unwrap_or(session)
    }

    /// Opens the store, or copies it into memory for a rehearsal.
    pub fn open_store(&self, session: &Session) -> Result<Store, CliError> {
        let path = &session.config.store.path;
        if let Some(lock) = &self.lock {
            return Ok(Store::open(lock, path, &session.key()?)?);
        }
        let key = if path.exists() { Some(session.key()?) } else { None };
        Ok(Store::rehearsal(path, key.as_ref(), session.made_key())?)
    }
}

/// Adds to the complaint that another run is at work the tokens that have little time left or none:
/// a person hears of it.
fn with_urgent_tokens(session: &Session, busy: CliError) -> CliError {
    let is_busy = busy.exit == Exit::Busy;
    let Some(Ok(Some(store))) = is_busy.then(|| session.reader()) else { return busy };
    let credentials = store.credentials().unwrap_or_default();
    let tokens = Tokens::new(&session.config, credentials, &LastReading::new());
    match tokens.urgent(session.clock.now()) {
        urgent if urgent.is_empty() => busy,
        urgent => busy
            .hint(format!("expired, or expiring within `warn_within`: {}", humanize::list(&urgent)))
            .urgent(),
    }
}
