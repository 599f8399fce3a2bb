//! What all ways to people share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::http::{Http, Limits, NotSetUp, Trust};

use super::Patience;
use super::patience::Miss;

/// Carries notices. Nothing is set up before it is needed: most runs have nothing to say.
pub struct Messenger {
    pub(super) patience: Patience,
    /// The name of this machine, as mail knows it.
    pub(super) machine: String,
    /// The variables of programs, besides the notice's own.
    pub(super) environment: BTreeMap<String, String>,
    ca_file: Option<PathBuf>,
    trust: OnceLock<Result<Trust, NotSetUp>>,
    http: OnceLock<Result<Http, NotSetUp>>,
}

impl Messenger {
    /// A messenger with the usual patience, on the machine of that name.
    pub fn new(machine: impl Into<String>) -> Self {
        Self {
            patience: Patience::default(),
            machine: machine.into(),
            environment: BTreeMap::new(),
            ca_file: None,
            trust: OnceLock::new(),
            http: OnceLock::new(),
        }
    }

    /// The same that also trusts the certificates in a PEM file, for HTTPS and mail.
    pub fn trusting(mut self, ca_file: Option<PathBuf>) -> Self {
        self.ca_file = ca_file;
        self
    }

    /// The same whose programs see these variables; the caller leaves out what is secret.
    pub fn with_environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.environment = environment;
        self
    }

    /// The same with another patience.
    pub const fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The name of this machine.
    pub fn machine(&self) -> &str {
        &self.machine
    }

    pub(super) fn trust(&self) -> Result<&Trust, Miss> {
        made(self.trust.get_or_init(|| Trust::new(self.ca_file.as_deref())))
    }

    pub(super) fn http(&self) -> Result<&Http, Miss> {
        let timeout = self.patience.timeout;
        let limits = Limits { whole: timeout, connect: timeout };
        made(self.http.get_or_init(|| {
            Trust::new(self.ca_file.as_deref()).map(|trust| Http::new(trust, limits))
        }))
    }
}

fn made<T>(thing: &Result<T, NotSetUp>) -> Result<&T, Miss> {
    thing.as_ref().map_err(|error| Miss::hopeless(error.to_string()))
}
