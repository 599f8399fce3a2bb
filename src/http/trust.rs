//! Whose certificates are believed.

use std::fmt;
use std::path::Path;

use reqwest::Certificate;

use crate::crypto;

/// The certificates that are trusted besides the platform's. Whoever holds one may speak TLS: the
/// provider of its cryptography is installed.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    certificates: Vec<Certificate>,
    pem: Option<Vec<u8>>,
}

/// Why nothing can be sent at all: the configuration's fault, and none that passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupError(String);

impl SetupError {
    pub(super) const fn new(why: String) -> Self {
        Self(why)
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SetupError {}

impl Trust {
    /// Trusts the platform and the certificates in `ca_file`, which is a PEM file of at least one.
    pub fn new(ca_file: Option<&Path>) -> Result<Self, SetupError> {
        crypto::install_tls_provider();
        let Some(path) = ca_file else { return Ok(Self::default()) };
        let bad = |why: String| SetupError(format!("`ca_file` {}: {why}", path.display()));
        let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .map_err(|_| bad("it is no PEM file of certificates".to_owned()))?;
        if certificates.is_empty() {
            return Err(bad("it holds no certificate".to_owned()));
        }
        Ok(Self { certificates, pem: Some(pem) })
    }

    pub(super) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The content of `ca_file`, for whoever speaks TLS without HTTP.
    pub fn pem(&self) -> Option<&[u8]> {
        self.pem.as_deref()
    }
}
