//! Finishes what an earlier run sealed and did not put in its place.

use super::candidate::is_critical;
use super::token_run::TokenRun;
use crate::store::StoreError;
use crate::token::Generation;

/// Why a candidate is examined that an earlier run left.
const SEALED_EARLIER: &str = "sealed by an earlier run, and examined now";

impl TokenRun<'_> {
    /// Examines what an earlier run sealed and could not inspect, or holds back: a grant, or what was
    /// handed over, each by the rules by which that run would have.
    pub fn settle_grant(&mut self) -> Result<(), StoreError> {
        let Some(candidate) = self.credential.candidate.clone() else { return Ok(()) };
        if candidate.is_found() || self.is_older_than_a_revocation(&candidate) {
            return Ok(());
        }
        if candidate.handed_over.is_some() {
            self.outcome.because(SEALED_EARLIER);
            return self.finish_handed_over(&candidate);
        }
        if self.is_held_for_now(&candidate) {
            return Ok(());
        }
        self.outcome.because(SEALED_EARLIER);
        self.examine(&candidate)
    }

    /// Whether a candidate was there when a person had the current one revoked.
    fn is_older_than_a_revocation(&self, candidate: &Generation) -> bool {
        let revoked = self.credential.current.as_ref().and_then(|current| current.revoked_at);
        revoked.is_some_and(|at| candidate.obtained_at < at)
    }

    /// Whether a candidate that was not good enough lately is not inspected again now. It is when the
    /// current one is about to expire: only then does it matter.
    pub fn is_held_for_now(&self, candidate: &Generation) -> bool {
        let lives =
            candidate.proof.as_ref().is_some_and(|it| it.inspection.verdict() == Some(true));
        let lately = lives && self.is_checked_lately(candidate);
        let current = self.credential.current.as_ref().and_then(|current| current.proof.as_ref());
        // What was known before the grant says nothing: the grant may have ended the current one.
        let current_lives = current.is_some_and(|proof| {
            proof.inspection.verdict() == Some(true) && proof.at >= candidate.obtained_at
        });
        lately && current_lives && !is_critical(self.token, &self.credential, self.run.now())
    }
}
