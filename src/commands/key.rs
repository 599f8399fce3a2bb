//! `key`: changes the key that opens the store, and prints it for a safe.
//!
//! While one key takes another's place both open the store, so that no moment is left, by a kill or by
//! a config that was not changed yet, in which the configured key opens nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::KeySetting;
use crate::error::CliError;
use crate::exit::Exit;
use crate::failpoint;
use crate::policy::humanize;
use crate::report;
use crate::run::{DryRun, Run, RunOptions, RunTurn};
use crate::session::{Session, place_of_input};
use crate::store::{
    KeyChange, KeySource, KeyStanding, NewKeyFile, Resealed, Sealing, Store, read_key,
};
use crate::token::Time;
use crate::ui::{OutputFormat, Verbosity};

/// What was asked for.
#[derive(Debug)]
pub struct KeyOrder {
    /// How far the change goes.
    pub step: KeyStep,
    /// Whether the rows are sealed anew.
    pub sealing: Sealing,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// How far a change of the store key goes.
#[derive(Debug)]
pub enum KeyStep {
    /// All in one, where the key is a file of our making.
    Whole,
    /// A second key, from this file, opens the store too.
    Add(PathBuf),
    /// The old one no longer does.
    Finish,
}

/// What came of it.
struct Changed {
    /// What a person reads.
    said: String,
    /// Whether an old key still opens the store.
    old_key_opens: bool,
    resealed: Resealed,
}

/// Changes the key that opens the store.
pub fn rotate_key(session: &Session, order: &KeyOrder) -> Result<Exit, CliError> {
    require_store(session)?;
    let added = match &order.step {
        KeyStep::Add(file) => Some(read_new_key(session, file)?),
        KeyStep::Whole | KeyStep::Finish => None,
    };
    let options = RunOptions::typed("key", DryRun::No, order.lock_wait);
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let run = Run::open(&turn, session, options)?;
    let configured = session.key()?;
    let rotation = Rotation { run: &run, configured, sealing: order.sealing };
    let changed = match (&order.step, added) {
        (KeyStep::Add(_), Some(new)) => rotation.add(&new),
        (KeyStep::Finish, _) => rotation.finish(),
        (KeyStep::Whole | KeyStep::Add(_), _) => rotation.whole(),
    };
    let traces = changed.as_ref().ok().and_then(|changed| changed.wipe_traces(&run.store));
    let exit = match (&changed, &traces) {
        (Err(complaint), _) => complaint.exit,
        (Ok(_), Some(_)) => Exit::Failed,
        (Ok(_), None) => Exit::Ok,
    };
    run.close(exit)?;
    show(session, &changed?)?;
    if let Some(why) = traces {
        session.ui.warn(&format!(
            "what an old key opens may still be in the file of the store: {why}; run `metatoken key \
             rotate --finish` again"
        ));
    }
    Ok(exit)
}

impl Changed {
    /// Wipes what an old key opens from the file of the store; says why that could not be done.
    fn wipe_traces(&self, store: &Store) -> Option<String> {
        if self.old_key_opens && self.resealed == Resealed::default() {
            return None;
        }
        match store.rewrite() {
            Ok(true) => None,
            Ok(false) => Some("another program reads it".to_owned()),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// Prints the key that opens the store.
pub fn export_key(session: &Session) -> Result<Exit, CliError> {
    require_store(session)?;
    if session.ui.stdout_is_the_journal() {
        let message = "not printed: standard output goes into the journal, which keeps it";
        return Err(CliError::new(Exit::Usage, "key_into_journal", "", message)
            .hint("run it at a terminal"));
    }
    let key = session.key()?;
    if let Some(store) = session.reader()? {
        store.unlock(&key)?;
    }
    session.ui.secret(&key.export()?)?;
    Ok(Exit::Ok)
}

fn require_store(session: &Session) -> Result<(), CliError> {
    let store = &session.config.store.path;
    if Store::is_there(store, session.made_key())? {
        return Ok(());
    }
    let message = "there is no store yet";
    Err(CliError::new(Exit::Storage, "store_missing", store.display().to_string(), message)
        .hint("`metatoken refresh` makes it, with its key"))
}

fn read_new_key(session: &Session, file: &Path) -> Result<KeySource, CliError> {
    let text = session.read_text(Some(file), "the new store key")?;
    read_key(&text).map(KeySource::Given).map_err(|bad| {
        let message = format!("not a store key: {bad}");
        CliError::new(Exit::InputRefused, "key_malformed", place_of_input(file), message)
            .hint("a key is 32 random bytes as 64 hex digits or base64: `openssl rand -hex 32`")
    })
}

/// A change of the store key, while the run lock is held.
struct Rotation<'a> {
    run: &'a Run<'a>,
    /// The key that the config leads to.
    configured: KeySource,
    sealing: Sealing,
}

impl Rotation<'_> {
    /// Has a second key open the store.
    fn add(&self, new: &KeySource) -> Result<Changed, CliError> {
        if self.standing()? == KeyStanding::New {
            return Err(refused("an earlier change of the key is not finished")
                .hint("run `metatoken key rotate --finish` first"));
        }
        match self.run.store.key_standing(new) {
            Ok(KeyStanding::Only | KeyStanding::Old) => {
                return Err(refused("the new key is the one that the store has already")
                    .hint("make another: `openssl rand -hex 32`"));
            }
            // Typed again after a kill, or another new key in place of one that was never used.
            Ok(KeyStanding::New) | Err(_) => {}
        }
        let resealed = self.change(self.configured.clone(), Some(new.clone()))?;
        let place = place_of_key(self.run.session);
        let said = format!(
            "a second key opens the store now{}\nnext: put it into the place of the old one, {place}, \
             wherever metatoken runs; then run `metatoken key rotate --finish`\n",
            in_words(resealed)
        );
        Ok(Changed { said, old_key_opens: true, resealed })
    }

    /// Has the old key open the store no longer.
    fn finish(&self) -> Result<Changed, CliError> {
        match self.standing()? {
            KeyStanding::New => self.drop_old(),
            KeyStanding::Old => {
                let place = place_of_key(self.run.session);
                Err(refused("the configured key is still the old one").hint(format!(
                    "put the new key into its place, {place}; then run the same again"
                )))
            }
            KeyStanding::Only if self.sealing == Sealing::Anew => self.reseal(),
            KeyStanding::Only => Ok(Changed {
                said: "nothing to finish: one key opens the store\n".to_owned(),
                old_key_opens: false,
                resealed: Resealed::default(),
            }),
        }
    }

    /// All in one.
    fn whole(&self) -> Result<Changed, CliError> {
        let standing = self.standing()?;
        let path = match &self.run.session.config.store.key {
            KeySetting::Beside(path) => path,
            KeySetting::Given(_) if self.sealing == Sealing::Anew => {
                return match standing {
                    KeyStanding::Only => self.reseal(),
                    KeyStanding::New => self.drop_old(),
                    KeyStanding::Old => Err(refused("two keys open the store")
                        .hint("run `metatoken key rotate --finish` first")),
                };
            }
            KeySetting::Given(source) => {
                let message = format!("the key is not a file of metatoken's making: {source}");
                return Err(CliError::new(Exit::Usage, "key_elsewhere", "", message)
                    .hint("run `metatoken key rotate --new FILE` with a new key in FILE"));
            }
        };
        if standing == KeyStanding::New {
            // A kill came between the new key file and the end.
            return self.drop_old();
        }
        if standing == KeyStanding::Old && !self.was_cut_short()? {
            return Err(refused("a second key opens the store too, and is not in its place yet")
                .hint(format!(
                    "put it into its place, `{}`; then run `metatoken key rotate --finish`",
                    path.display()
                )));
        }
        self.replace(path)
    }

    /// Whether a kill ended the last change of the key: then nobody has the second one.
    fn was_cut_short(&self) -> Result<bool, CliError> {
        let runs = self.run.store.runs_since("key", Time::UNIX_EPOCH)?;
        let last = runs.iter().rev().find(|run| run.id != self.run.id);
        Ok(last.is_some_and(|run| run.finished_at.is_none()))
    }

    fn replace(&self, path: &Path) -> Result<Changed, CliError> {
        let file = NewKeyFile::write(path)?;
        failpoint::reach("new-key-written");
        let new = file.key().clone();
        let keys = (self.configured.clone(), Some(new));
        self.commit(keys, Sealing::Kept)?;
        failpoint::reach("new-key-added");
        if let Err(error) = file.put() {
            // The first error is the one to tell; what stays opens nothing that the old key does not.
            let _ = self.commit((self.configured.clone(), None), Sealing::Kept);
            return Err(error.into());
        }
        failpoint::reach("new-key-put");
        self.drop_old()
    }

    /// The configured key is the new one: it alone opens the store from now on.
    fn drop_old(&self) -> Result<Changed, CliError> {
        // Read again: what opens the store from now on is what the next run finds.
        let configured = self.run.session.key()?;
        let resealed = self.run.store.change_key(
            self.run.id,
            &KeyChange {
                opens: configured.clone(),
                keys: (configured, None),
                sealing: self.sealing,
            },
            self.run.now(),
        )?;
        failpoint::reach("old-key-dropped");
        let said = format!(
            "the old key no longer opens the store{}\nkeep a copy of the new one apart from the store: \
             `metatoken key export`; backups of the store made before need the old one\n",
            in_words(resealed)
        );
        Ok(Changed { said, old_key_opens: false, resealed })
    }

    fn reseal(&self) -> Result<Changed, CliError> {
        let resealed = self.change(self.configured.clone(), None)?;
        let said = format!(
            "the store key stays{}\nwho has that key and this store can read it all the same: \
             `metatoken key rotate --new FILE` changes the key\n",
            in_words(resealed)
        );
        Ok(Changed { said, old_key_opens: true, resealed })
    }

    fn standing(&self) -> Result<KeyStanding, CliError> {
        Ok(self.run.store.key_standing(&self.configured)?)
    }

    fn change(&self, current: KeySource, next: Option<KeySource>) -> Result<Resealed, CliError> {
        self.commit((current, next), self.sealing)
    }

    fn commit(
        &self,
        keys: (KeySource, Option<KeySource>),
        sealing: Sealing,
    ) -> Result<Resealed, CliError> {
        let change = KeyChange { opens: self.configured.clone(), keys, sealing };
        Ok(self.run.store.change_key(self.run.id, &change, self.run.now())?)
    }
}

fn refused(message: &str) -> CliError {
    CliError::new(Exit::InputRefused, "key_refused", "", format!("nothing was changed: {message}"))
}

fn place_of_key(session: &Session) -> String {
    match &session.config.store.key {
        KeySetting::Beside(path) => format!("`{}`", path.display()),
        KeySetting::Given(source) => source.to_string(),
    }
}

fn in_words(resealed: Resealed) -> String {
    let Resealed { rows, broken } = resealed;
    let broken = match broken {
        0 => String::new(),
        some => format!("; {} damaged and left as they were", humanize::count(some, "row")),
    };
    match rows {
        0 => broken,
        rows => format!("; {} sealed again{broken}", humanize::count(rows, "row")),
    }
}

fn show(session: &Session, changed: &Changed) -> Result<(), CliError> {
    let ui = &session.ui;
    match ui.format {
        OutputFormat::Json => {
            let said = serde_json::json!({
                "version": report::VERSION,
                "key": {
                    "old_key_opens": changed.old_key_opens,
                    "sealed_anew": changed.resealed.rows,
                    "damaged": changed.resealed.broken,
                },
            });
            ui.data(&format!("{said:#}\n"))
        }
        _ if ui.verbosity == Verbosity::Quiet => Ok(()),
        _ => ui.data(&ui.style().wrapped(&changed.said, 2)),
    }
}
