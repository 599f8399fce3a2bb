//! Holds what the process was given besides its arguments.
//!
//! `main` takes one snapshot; everything else is handed it, so that a test can hand over another
//! and no variable is read behind anyone's back.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The environment variables, the user and the home of the process.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

/// Values may be secrets, so only names are shown.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl Environment {
    /// Takes the variables over; those that are not text are left out.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }

    /// A variable's value; an empty one counts as unset.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All variables, for a program that is to see what we see.
    pub const fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Where configs live: `$XDG_CONFIG_HOME`, else `~/.config`.
    pub fn config_home(&self) -> Option<PathBuf> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    /// Where state lives: `$XDG_STATE_HOME`, else `~/.local/state`.
    pub fn state_home(&self) -> Option<PathBuf> {
        self.xdg("XDG_STATE_HOME", ".local/state")
    }

    /// The effective user that the process runs as.
    pub fn user_id(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }

    /// The XDG specification wants relative paths ignored.
    fn xdg(&self, variable: &str, under_home: &str) -> Option<PathBuf> {
        self.get(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| self.get("HOME").map(|home| PathBuf::from(home).join(under_home)))
    }
}
