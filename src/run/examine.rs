//! Inspects a candidate, compares it with the current access token, and promotes or refuses it.
//!
//! A grant of Meta's is not taken on its word: Graph is asked about the new access token, and only a
//! better one takes the place of the current one. What is no better is refused and stays sealed; what
//! cannot be inspected now waits for the next run.

use super::candidate::{Advance, Candidates, Examined, IfRefused, found_in, is_critical};
use super::inspect::{Inspected, is_wrong_host, wrong_app};
use crate::graph::CallError;
use crate::policy::{Adoption, Extension, judge_adoption, judge_grant, judge_handed_over};
use crate::store::{StoreError, Successor};
use crate::token::{
    Concession, Credential, Expiry, Generation, Inspection, Label, LoginCheck, Origin, Problem,
    ProblemKind, Proof,
};

/// Asks Graph about one generation, and gives the token back as it is then.
pub type Inspect<'a> = &'a dyn Fn(Credential, &Generation) -> Result<Inspected, StoreError>;

/// What is said of a login that was cut short before anybody said that the right person logged in.
fn not_confirmed(label: &Label) -> Problem {
    let message = "a login was cut short before it was confirmed that the right person logged in";
    Problem::new(ProblemKind::IdentityChanged, message)
        .with_fix(format!("run `metatoken login {label}`"))
}

impl Candidates<'_> {
    /// Inspects a candidate, and promotes or refuses it.
    pub fn examine(
        &self,
        credential: Credential,
        candidate: &Generation,
        inspect: Inspect<'_>,
    ) -> Result<(Credential, Examined), StoreError> {
        if let Some(concession) = candidate.handed_over {
            return self.examine_handed_over(credential, candidate, concession, inspect);
        }
        let (credential, answer) = inspect(credential, candidate)?;
        let proof = match answer {
            Ok(proof) => proof,
            Err(error) => return self.not_inspected(credential, candidate, error),
        };
        match candidate.origin {
            Origin::Adopted => self.compare_adopted(credential, candidate, &proof, inspect),
            // What it was exchanged for came from outside, and renews nothing that is here.
            Origin::Exchanged if candidate.parent.is_some() => {
                self.compare_adopted(credential, candidate, &proof, inspect)
            }
            Origin::Exchanged | Origin::Refreshed | Origin::Derived | Origin::Minted => {
                self.compare_granted(credential, candidate, &proof, inspect)
            }
        }
    }

    /// Inspects a candidate that was handed over, or that Meta gave for what was, and promotes it
    /// unless the current one works and is known to be worth more, and that is not given up.
    ///
    /// The current one is inspected first: a person mostly hands over a new one because the old one
    /// is dead.
    fn examine_handed_over(
        &self,
        credential: Credential,
        candidate: &Generation,
        concession: Concession,
        inspect: Inspect<'_>,
    ) -> Result<(Credential, Examined), StoreError> {
        let (credential, answer) = inspect(credential, candidate)?;
        let proof = match answer {
            Ok(proof) => proof,
            Err(error) => return self.not_inspected(credential, candidate, error),
        };
        let credential = self.note(credential, candidate, &proof)?;
        let mut expected = self.expected_identity(&credential)?;
        match &candidate.login_check {
            None => {}
            Some(LoginCheck::Is(person)) => expected.user_id = Some(person.clone()),
            Some(LoginCheck::Confirm) => {
                let problem = not_confirmed(&self.token.label);
                return self.refuse_adoption(credential, candidate, problem);
            }
        }
        let told = match proof.inspection.expiry {
            Expiry::Unknown => Inspection { expiry: candidate.expiry, ..proof.inspection.clone() },
            _ => proof.inspection.clone(),
        };
        let credential = self.inspect_current(credential, inspect)?;
        let contest = self.contest(&expected, &credential);
        match judge_handed_over(&told, concession.losses(), &contest, self.run.now()) {
            Adoption::Take => {
                let advance = Advance {
                    arrival: candidate.arrival,
                    successor: Successor::HandedOver,
                    expiry: proof.inspection.expiry,
                    proof: None,
                };
                self.promote(credential, candidate, advance)
            }
            Adoption::OnlyIfCurrentIsDead(problem)
            | Adoption::OnlyNearItsEnd(problem)
            | Adoption::Wait(problem)
            | Adoption::Refuse(problem) => self.refuse_adoption(credential, candidate, problem),
        }
    }

    /// Asks Graph about the current one. Where it gives no answer its last one stands.
    fn inspect_current(
        &self,
        credential: Credential,
        inspect: Inspect<'_>,
    ) -> Result<Credential, StoreError> {
        let Some(current) = credential.current.clone() else { return Ok(credential) };
        match inspect(credential, &current)? {
            (credential, Ok(proof)) => self.note(credential, &current, &proof),
            (credential, Err(_)) => Ok(credential),
        }
    }

    /// Refuses what belongs to another app, which Graph never speaks of; anything else waits.
    fn not_inspected(
        &self,
        credential: Credential,
        candidate: &Generation,
        error: CallError,
    ) -> Result<(Credential, Examined), StoreError> {
        match wrong_app(&error, &self.token.app) {
            Some(problem) if candidate.origin == Origin::Adopted => {
                // Whose it is, is all that is known of it: a delivery asks for that.
                let inspection = Inspection::bare(None, Some(problem.clone()));
                let told = Proof { at: self.run.now(), inspection };
                let credential = self.note(credential, candidate, &told)?;
                self.refuse_adoption(credential, candidate, problem)
            }
            _ => Ok((credential, Examined::NotInspected(error))),
        }
    }

    fn compare_adopted(
        &self,
        mut credential: Credential,
        candidate: &Generation,
        proof: &Proof,
        inspect: Inspect<'_>,
    ) -> Result<(Credential, Examined), StoreError> {
        let verdict = self.judge_adopted(&credential, candidate, proof)?;
        if verdict != Adoption::Take {
            credential = self.note(credential, candidate, proof)?;
        }
        match verdict {
            Adoption::Take => self.promote_with(credential, candidate, proof),
            Adoption::Wait(problem)
                if is_wrong_host(&problem) || self.if_refused == IfRefused::Silent =>
            {
                self.refuse_adoption(credential, candidate, problem)
            }
            Adoption::Wait(problem) => Ok((credential, Examined::Waits(problem))),
            Adoption::OnlyNearItsEnd(_) if is_critical(self.token, &credential, self.run.now()) => {
                self.promote_worse(credential, candidate, proof)
            }
            Adoption::OnlyIfCurrentIsDead(_) | Adoption::OnlyNearItsEnd(_) => {
                match self.current_lives(credential, candidate, inspect)? {
                    (credential, Err(error)) => Ok((credential, Examined::NotInspected(error))),
                    (credential, Ok(true)) => self.compare_again(credential, candidate, proof),
                    (credential, Ok(false)) => self.promote_with(credential, candidate, proof),
                }
            }
            Adoption::Refuse(problem) => self.refuse_adoption(credential, candidate, problem),
        }
    }

    /// Judges what was found outside against what the token has now.
    fn judge_adopted(
        &self,
        credential: &Credential,
        candidate: &Generation,
        proof: &Proof,
    ) -> Result<Adoption, StoreError> {
        let expected = self.expected_identity(credential)?;
        let contest = self.contest(&expected, credential);
        Ok(judge_adoption(&proof.inspection, found_in(credential, candidate), &contest))
    }

    /// Compares with the current one as it is now: it may have lost a permission since it was last
    /// asked about.
    fn compare_again(
        &self,
        credential: Credential,
        candidate: &Generation,
        proof: &Proof,
    ) -> Result<(Credential, Examined), StoreError> {
        let verdict = self.judge_adopted(&credential, candidate, proof)?;
        match verdict.problem() {
            None => self.promote_with(credential, candidate, proof),
            Some(problem) => self.refuse_adoption(credential, candidate, problem),
        }
    }

    fn compare_granted(
        &self,
        mut credential: Credential,
        candidate: &Generation,
        proof: &Proof,
        inspect: Inspect<'_>,
    ) -> Result<(Credential, Examined), StoreError> {
        let expected = self.expected_identity(&credential)?;
        let verdict = judge_grant(
            &proof.inspection,
            candidate.expiry,
            self.token.token_type,
            candidate.origin,
            &expected,
            credential.current.as_ref(),
        );
        if verdict != Extension::Take {
            credential = self.note(credential, candidate, proof)?;
        }
        match verdict {
            Extension::Take => self.promote_with(credential, candidate, proof),
            Extension::EndUntold if is_critical(self.token, &credential, self.run.now()) => {
                self.promote_worse(credential, candidate, proof)
            }
            Extension::NotExtended | Extension::EndUntold => {
                match self.current_lives(credential, candidate, inspect)? {
                    (credential, Err(error)) => Ok((credential, Examined::NotInspected(error))),
                    (credential, Ok(true)) => {
                        self.refuse_not_extended(credential, candidate, proof.inspection.expiry)
                    }
                    (credential, Ok(false)) => self.promote_worse(credential, candidate, proof),
                }
            }
            Extension::FewerScopes(_) => self.compare_scopes(credential, candidate, proof, inspect),
            Extension::Wait(problem) => Ok((credential, Examined::Waits(problem))),
            Extension::Dead(problem) => {
                match self.current_lives(credential, candidate, inspect)? {
                    (credential, Err(error)) => Ok((credential, Examined::NotInspected(error))),
                    (credential, Ok(true)) => self.refuse_grant(credential, candidate, problem),
                    // Both are invalid; the new one may not have propagated yet.
                    (credential, Ok(false)) => Ok((credential, Examined::Waits(problem))),
                }
            }
            Extension::Refuse(problem) => self.refuse_grant(credential, candidate, problem),
        }
    }

    /// Fewer permissions than the current one has *now* wait for a person, but not until the current
    /// one is dead.
    fn compare_scopes(
        &self,
        credential: Credential,
        candidate: &Generation,
        proof: &Proof,
        inspect: Inspect<'_>,
    ) -> Result<(Credential, Examined), StoreError> {
        let credential = match self.current_lives(credential, candidate, inspect)? {
            (credential, Err(error)) => return Ok((credential, Examined::NotInspected(error))),
            (credential, Ok(false)) => return self.promote_worse(credential, candidate, proof),
            (credential, Ok(true)) => credential,
        };
        let has_now = credential
            .current
            .as_ref()
            .and_then(|current| current.proof.as_ref())
            .map(|proof| proof.inspection.known_scopes().to_vec())
            .unwrap_or_default();
        let lost: Vec<String> =
            proof.inspection.lacks(&has_now).into_iter().map(str::to_owned).collect();
        let Some(problem) =
            Extension::FewerScopes(lost.clone()).problem().filter(|_| !lost.is_empty())
        else {
            return self.promote_with(credential, candidate, proof);
        };
        if is_critical(self.token, &credential, self.run.now()) {
            return self.promote_worse(credential, candidate, proof);
        }
        Ok((credential, Examined::FewerScopes(problem)))
    }

    /// Whether the current one is alive, or why Graph gave no answer. Beside an access token from
    /// outside an answer of this run counts; a grant may have ended the old one, so Graph is asked
    /// again.
    fn current_lives(
        &self,
        credential: Credential,
        candidate: &Generation,
        inspect: Inspect<'_>,
    ) -> Result<(Credential, Result<bool, CallError>), StoreError> {
        let Some(current) = credential.current.clone() else { return Ok((credential, Ok(false))) };
        let of_this_run = current.proof.clone().filter(|proof| {
            candidate.origin == Origin::Adopted
                && proof.at >= self.run.moment().run_started
                && proof.at <= self.run.now()
        });
        let lives = |proof: &Proof| proof.inspection.verdict() != Some(false);
        if let Some(proof) = of_this_run {
            return Ok((credential, Ok(lives(&proof))));
        }
        match inspect(credential, &current)? {
            (credential, Ok(proof)) => {
                let credential = self.note(credential, &current, &proof)?;
                Ok((credential, Ok(lives(&proof))))
            }
            (credential, Err(error)) => Ok((credential, Err(error))),
        }
    }
}
