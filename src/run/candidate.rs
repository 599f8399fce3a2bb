//! Seals a new access token, inspects it, compares it with the current one, and promotes or refuses
//! it.
//!
//! A grant of Meta's is not taken on its word: Graph is asked about the new access token, and only a
//! better one takes the place of the current one. What is no better is refused and stays sealed; what
//! cannot be inspected now waits for the next run.

use super::Run;
use super::inspect::{is_another_hosts, misfit_behind};
use super::tokens::{TokenConfig, subject};
use crate::graph::CallError;
use crate::policy::{Adoption, Extension, Incumbent, judge_grant, judge_newcomer, next_try};
use crate::store::{NewCandidate, Promotion, Refusal, Setback, StoreError};
use crate::token::{
    AccessToken, Action, Credential, EventKind, Expiry, Generation, GenerationId, Identity,
    Inspection, Origin, Outcome, Problem, ProblemKind, Proof, Time, TokenId, TokenType,
};

/// Asks Graph about one generation.
pub type Inspect<'a> = &'a dyn Fn(&Generation) -> Result<Result<Proof, CallError>, StoreError>;

/// Handles the candidates of one token.
pub struct Candidates<'a> {
    /// The run.
    pub run: &'a Run<'a>,
    /// The token's config.
    pub member: &'a TokenConfig,
    /// The token.
    pub token: TokenId,
    /// The app that the access token must belong to, where it is known.
    pub app_id: Option<String>,
    /// The parent whose person a derived Page token must belong to.
    pub parent: Option<TokenId>,
}

/// What became of a candidate.
#[derive(Debug)]
pub enum Examined {
    /// It is the current one now.
    Promoted {
        /// What its success is called.
        outcome: Outcome,
        /// When it expires, by Graph's word.
        expiry: Expiry,
        /// Whether it replaced a better one that is dead or about to expire.
        is_worse: bool,
    },
    /// It came from outside, and is set aside.
    AdoptionRefused(Problem),
    /// Meta granted it, and it is set aside.
    GrantRefused(Problem),
    /// Meta granted it, it expires no later than the current one, and it is set aside.
    NotExtended(Problem),
    /// It has fewer permissions than the current one, which lives: it waits for a person.
    FewerScopes(Problem),
    /// It waits for another reason.
    Waits(Problem),
    /// It waits, because Graph gave no answer about it, or about the current one.
    NotInspected(CallError),
}

impl Candidates<'_> {
    /// Seals an access token as the candidate: when this returns it is on the disk.
    pub fn seal(
        &self,
        string: &AccessToken,
        origin: Origin,
        expiry: Expiry,
        parent: Option<GenerationId>,
    ) -> Result<Generation, StoreError> {
        let new = NewCandidate {
            token: self.token,
            access_token: string.clone(),
            origin,
            expiry,
            parent,
        };
        self.run.store.seal_candidate(new, self.run.now())
    }

    /// Inspects a candidate, and promotes or refuses it.
    pub fn examine(
        &self,
        candidate: &Generation,
        inspect: Inspect<'_>,
    ) -> Result<Examined, StoreError> {
        let proof = match inspect(candidate)? {
            Ok(proof) => proof,
            Err(fault) => return self.not_inspected(candidate, fault),
        };
        match candidate.origin {
            Origin::Adopted => self.compare_adopted(candidate, &proof, inspect),
            Origin::Exchanged | Origin::Refreshed | Origin::Derived => {
                self.compare_granted(candidate, &proof, inspect)
            }
        }
    }

    /// Inspects a candidate that a person handed over, or that Meta gave in exchange for it, and
    /// promotes it unless the current one is alive and better.
    ///
    /// The current one is inspected first: a person mostly hands over a new one because the old one
    /// is dead.
    pub fn examine_handed_over(
        &self,
        candidate: &Generation,
        inspect: Inspect<'_>,
    ) -> Result<Examined, StoreError> {
        let proof = match inspect(candidate)? {
            Ok(proof) => proof,
            Err(fault) => return Ok(Examined::NotInspected(fault)),
        };
        self.note(candidate, &proof)?;
        let credential = self.credential()?;
        let expected = self.expected_identity(&credential)?;
        let told = match proof.inspection.expiry {
            Expiry::Unknown => Inspection { expiry: candidate.expiry, ..proof.inspection.clone() },
            _ => proof.inspection.clone(),
        };
        let hidden =
            told.expiry == Expiry::Unknown && self.member.token_type.spec().may_hide_the_end();
        // Where neither tells when it expires, the person has chosen.
        let incumbent = match credential.current {
            Some(current) if !hidden => self.incumbent(current, inspect)?,
            _ => Incumbent::Gone,
        };
        match judge_newcomer(&told, self.member.token_type, &expected, incumbent) {
            Adoption::Take => self.promote(candidate, proof.inspection.expiry, None),
            Adoption::OnlyIfCurrentIsDead(problem)
            | Adoption::Wait(problem)
            | Adoption::Refuse(problem) => self.refuse_adoption(candidate, problem),
        }
    }

    /// The current one by Graph's word of now, or by its last one where Graph gives no answer.
    fn incumbent(
        &self,
        mut current: Generation,
        inspect: Inspect<'_>,
    ) -> Result<Incumbent, StoreError> {
        if let Ok(proof) = inspect(&current)? {
            self.note(&current, &proof)?;
            current.proof = Some(proof);
        }
        Ok(Incumbent::of(Some(&current)))
    }

    /// Refuses what belongs to another app, which Graph never speaks of; anything else waits.
    fn not_inspected(
        &self,
        candidate: &Generation,
        fault: CallError,
    ) -> Result<Examined, StoreError> {
        match misfit_behind(&fault, &self.member.app) {
            Some(problem) if candidate.origin == Origin::Adopted => {
                self.refuse_adoption(candidate, problem)
            }
            _ => Ok(Examined::NotInspected(fault)),
        }
    }

    fn compare_adopted(
        &self,
        candidate: &Generation,
        proof: &Proof,
        inspect: Inspect<'_>,
    ) -> Result<Examined, StoreError> {
        let credential = self.credential()?;
        let expected = self.expected_identity(&credential)?;
        let incumbent = Incumbent::of(credential.current.as_ref());
        let verdict =
            judge_newcomer(&proof.inspection, self.member.token_type, &expected, incumbent);
        if verdict != Adoption::Take {
            self.note(candidate, proof)?;
        }
        match verdict {
            Adoption::Take => self.promote_with(candidate, proof),
            Adoption::Wait(problem) if is_another_hosts(&problem) => {
                self.refuse_adoption(candidate, problem)
            }
            Adoption::Wait(problem) => Ok(Examined::Waits(problem)),
            Adoption::OnlyIfCurrentIsDead(problem) => {
                match self.current_lives(candidate, inspect)? {
                    Err(fault) => Ok(Examined::NotInspected(fault)),
                    Ok(true) => self.refuse_adoption(candidate, problem),
                    Ok(false) => self.promote_with(candidate, proof),
                }
            }
            Adoption::Refuse(problem) => self.refuse_adoption(candidate, problem),
        }
    }

    fn compare_granted(
        &self,
        candidate: &Generation,
        proof: &Proof,
        inspect: Inspect<'_>,
    ) -> Result<Examined, StoreError> {
        let credential = self.credential()?;
        let expected = self.expected_identity(&credential)?;
        let verdict = judge_grant(
            &proof.inspection,
            candidate.expiry,
            self.member.token_type,
            &expected,
            credential.current.as_ref(),
        );
        if verdict != Extension::Take {
            self.note(candidate, proof)?;
        }
        match verdict {
            Extension::Take => self.promote_with(candidate, proof),
            Extension::NotExtended => match self.current_lives(candidate, inspect)? {
                Err(fault) => Ok(Examined::NotInspected(fault)),
                Ok(true) => self.refuse_not_extended(candidate, proof.inspection.expiry),
                Ok(false) => self.promote_worse(candidate, proof),
            },
            Extension::FewerScopes(_) => self.compare_scopes(candidate, proof, inspect),
            Extension::Wait(problem) => Ok(Examined::Waits(problem)),
            Extension::Dead(problem) => match self.current_lives(candidate, inspect)? {
                Err(fault) => Ok(Examined::NotInspected(fault)),
                Ok(true) => self.refuse_grant(candidate, problem),
                // Both are invalid; the new one may not have propagated yet.
                Ok(false) => Ok(Examined::Waits(problem)),
            },
            Extension::Refuse(problem) => self.refuse_grant(candidate, problem),
        }
    }

    /// Fewer permissions than the current one has *now* wait for a person, but not until the current
    /// one is dead.
    fn compare_scopes(
        &self,
        candidate: &Generation,
        proof: &Proof,
        inspect: Inspect<'_>,
    ) -> Result<Examined, StoreError> {
        match self.current_lives(candidate, inspect)? {
            Err(fault) => return Ok(Examined::NotInspected(fault)),
            Ok(false) => return self.promote_worse(candidate, proof),
            Ok(true) => {}
        }
        let credential = self.credential()?;
        let has_now = credential
            .current
            .as_ref()
            .and_then(|current| current.proof.as_ref())
            .map(|proof| proof.inspection.scopes.clone())
            .unwrap_or_default();
        let lost: Vec<String> =
            proof.inspection.lacks(&has_now).into_iter().map(str::to_owned).collect();
        let Some(problem) =
            Extension::FewerScopes(lost.clone()).problem().filter(|_| !lost.is_empty())
        else {
            return self.promote_with(candidate, proof);
        };
        if is_critical(self.member, &credential, self.run.now()) {
            return self.promote_worse(candidate, proof);
        }
        Ok(Examined::FewerScopes(problem))
    }

    /// Whether the current one is alive, or why Graph gave no answer. Beside an access token from
    /// outside an answer of this run counts; a grant may have ended the old one, so Graph is asked
    /// again.
    fn current_lives(
        &self,
        candidate: &Generation,
        inspect: Inspect<'_>,
    ) -> Result<Result<bool, CallError>, StoreError> {
        let Some(current) = self.credential()?.current else { return Ok(Ok(false)) };
        let of_this_run = current.proof.clone().filter(|proof| {
            candidate.origin == Origin::Adopted
                && proof.at >= self.run.moment().run_started
                && proof.at <= self.run.now()
        });
        let proof = match of_this_run {
            Some(proof) => proof,
            None => match inspect(&current)? {
                Ok(proof) => {
                    self.note(&current, &proof)?;
                    proof
                }
                Err(fault) => return Ok(Err(fault)),
            },
        };
        Ok(Ok(proof.inspection.valid != Some(false)))
    }

    fn promote_with(&self, candidate: &Generation, proof: &Proof) -> Result<Examined, StoreError> {
        self.promote(candidate, proof.inspection.expiry, Some(proof.clone()))
    }

    /// Promotes a worse one, because the current one is dead or about to expire.
    fn promote_worse(&self, candidate: &Generation, proof: &Proof) -> Result<Examined, StoreError> {
        let promoted = self.promote_with(candidate, proof)?;
        Ok(match promoted {
            Examined::Promoted { outcome, expiry, .. } => {
                Examined::Promoted { outcome, expiry, is_worse: true }
            }
            other => other,
        })
    }

    /// Makes a candidate the current one in one transaction, with the answer that justifies it
    /// unless that is stored already.
    fn promote(
        &self,
        candidate: &Generation,
        expiry: Expiry,
        proof: Option<Proof>,
    ) -> Result<Examined, StoreError> {
        let (event, outcome) = match candidate.origin {
            Origin::Adopted => (EventKind::Adopted, Outcome::Adopted),
            Origin::Exchanged => (EventKind::Exchanged, Outcome::Exchanged),
            Origin::Refreshed => (EventKind::Refreshed, Outcome::Refreshed),
            Origin::Derived => (EventKind::Derived, Outcome::Derived),
        };
        let promotion = Promotion {
            token: self.token,
            candidate: candidate.id,
            supersedes: self.credential()?.in_place(),
            proof,
            event,
            problem: None,
            owes: self.member.deliver.iter().map(|target| target.id.clone()).collect(),
        };
        self.run.store.promote(self.run.id, promotion, self.run.now())?;
        Ok(Examined::Promoted { outcome, expiry, is_worse: false })
    }

    fn refuse_adoption(
        &self,
        candidate: &Generation,
        problem: Problem,
    ) -> Result<Examined, StoreError> {
        self.refuse(candidate, EventKind::AdoptionRefused, &problem, None)?;
        Ok(Examined::AdoptionRefused(problem))
    }

    fn refuse_grant(
        &self,
        candidate: &Generation,
        problem: Problem,
    ) -> Result<Examined, StoreError> {
        let credential = self.credential()?;
        let expiry = credential.current.map_or(Expiry::Unknown, |current| current.expiry);
        let failures = credential.ledger.consecutive_failures.saturating_add(1);
        let not_before = next_try(&problem, failures, expiry, self.run.now());
        self.refuse(candidate, EventKind::RefreshFailed, &problem, Some(not_before))?;
        Ok(Examined::GrantRefused(problem))
    }

    fn refuse_not_extended(
        &self,
        candidate: &Generation,
        expiry: Expiry,
    ) -> Result<Examined, StoreError> {
        let problem = not_extended();
        let not_before = next_try(&problem, 1, expiry, self.run.now());
        self.refuse(candidate, EventKind::NotExtended, &problem, Some(not_before))?;
        Ok(Examined::NotExtended(problem.with_action(Action::Retry)))
    }

    /// Sets a candidate aside, still sealed, and writes down why.
    fn refuse(
        &self,
        candidate: &Generation,
        event: EventKind,
        problem: &Problem,
        not_before: Option<Time>,
    ) -> Result<(), StoreError> {
        let setback = Setback {
            token: self.token,
            event,
            generation: None,
            problem: Some(problem.clone()),
            not_before,
        };
        let refusal = Refusal {
            token: self.token,
            candidate: candidate.id,
            proof: None,
            setback: Some(setback),
        };
        self.run.store.refuse(self.run.id, refusal, self.run.now())
    }

    fn note(&self, generation: &Generation, proof: &Proof) -> Result<(), StoreError> {
        self.run.store.note_proof(self.run.id, generation.id, proof.clone()).map(drop)
    }

    /// What the store knows now: an inspection may just have changed it.
    fn credential(&self) -> Result<Credential, StoreError> {
        self.run.store.credential(self.token)
    }

    /// Whose access token this must be: the config's app and Page, and the person as before. The
    /// person behind a derived Page token is the parent's, which another worker may have inspected.
    pub fn expected_identity(&self, credential: &Credential) -> Result<Identity, StoreError> {
        let proven = |credential: &Credential| {
            let proof = credential.current.as_ref()?.proof.as_ref()?;
            Some(proof.inspection.identity.clone())
        };
        let before = proven(credential).unwrap_or_default();
        let parent = self.parent.map(|parent| self.run.store.credential(parent)).transpose()?;
        let person = match parent {
            Some(parent) if self.member.token_type == TokenType::Page => {
                proven(&parent).and_then(|identity| identity.user_id)
            }
            _ => before.user_id,
        };
        Ok(Identity {
            app_id: self.app_id.clone(),
            user_id: person,
            page_id: self.member.page_id.clone().or(before.page_id),
        })
    }
}

/// The problem of a renewal that Meta accepted and that moved nothing.
pub fn not_extended() -> Problem {
    Extension::NotExtended
        .problem()
        .unwrap_or_else(|| Problem::new(ProblemKind::NotExtended, "the new string ends no later"))
}

/// Whether a token has no current access token, or one that expires within its `critical_within`.
pub fn is_critical(member: &TokenConfig, credential: &Credential, now: Time) -> bool {
    let critical_within = subject(member, Some(credential), None).critical_within();
    credential.current.as_ref().is_none_or(|current| current.expiry.is_within(critical_within, now))
}
