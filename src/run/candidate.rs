//! Seals a new access token as a token's candidate, and puts it in the place of the current one or aside.
//!
//! The token's credential is handed from step to step: each takes it by value, and gives back what
//! the store made of it. What becomes of a candidate is found out in `examine`.

use super::tokens::{TokenConfig, subject};
use super::{DryRun, Run};
use crate::graph::CallError;
use crate::policy::{
    Contest, Current, Extension, FoundIn, end_the_old_one, next_try, outlives_its_successor,
};
use crate::store::{
    NewCandidate, Predecessor, Promotion, RefusedCandidate, Setback, StoreError, Successor,
};
pub use crate::token::IdentityChange;
use crate::token::{
    Action, Arrival, Credential, EventKind, Expiry, Generation, Identity, Origin, Outcome, Problem,
    ProblemKind, Proof, Time, TokenId, TokenType,
};

/// Handles the candidates of one token.
pub struct Candidates<'a> {
    /// The run.
    pub run: &'a Run<'a>,
    /// The token's config.
    pub token: &'a TokenConfig,
    /// The app that the access token must belong to, where it is known.
    pub app_id: Option<String>,
    /// The parent whose person a derived Page token must belong to.
    pub parent: Option<TokenId>,
    /// What becomes of an access token from outside that is not taken.
    pub if_refused: IfRefused,
    /// Whether the access token may belong to another person than before.
    pub identity: IdentityChange,
}

/// What becomes of an access token from outside that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfRefused {
    /// The history says so, and a person is told: it was put where new ones are looked for.
    Told,
    /// The store knows it, and no more: the file that holds it has drifted.
    Silent,
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
        /// The number of the one that it replaced, if that works on until it is revoked.
        outlived: Option<u32>,
    },
    /// It came from outside, and is set aside.
    AdoptionRefused(Problem),
    /// Meta granted it, and it is set aside.
    GrantRefused(Problem),
    /// Meta granted it, it expires no later than the current one, and it is set aside.
    NotExtended(Problem),
    /// Meta granted it, it expires no later than the current one, which is too young to be renewed,
    /// and it is set aside.
    TooYoung(Problem),
    /// It has fewer permissions than the current one, which lives: it waits for a person.
    FewerScopes(Problem),
    /// It waits for another reason.
    Waits(Problem),
    /// It waits, because Graph gave no answer about it, or about the current one.
    NotInspected(CallError),
}

/// How a candidate becomes the current one.
pub struct Advance {
    pub arrival: Arrival,
    pub successor: Successor,
    /// When it expires, by Graph's word.
    pub expiry: Expiry,
    /// The answer that justifies it, unless that is stored already.
    pub proof: Option<Proof>,
}

impl Candidates<'_> {
    /// Seals an access token as the candidate: when this returns it is on the disk.
    pub fn seal(
        &self,
        credential: Credential,
        new: NewCandidate,
    ) -> Result<(Credential, Generation), StoreError> {
        self.run.store.seal_candidate(credential, new, self.run.now())
    }

    /// The same for a candidate that was handed over: what a person gave up for it goes, and where it is
    /// not derived only what was there before says whose it must be.
    #[must_use]
    pub fn of(self, candidate: &Generation) -> Self {
        let Some(concession) = candidate.handed_over else { return self };
        let parent = self.parent.filter(|_| candidate.origin == Origin::Derived);
        Self { identity: concession.identity(), parent, ..self }
    }

    /// What an access token from outside is compared with.
    pub fn contest<'c>(
        &'c self,
        expected: &'c Identity,
        credential: &'c Credential,
    ) -> Contest<'c> {
        Contest {
            token_type: self.token.token_type,
            expected,
            policy: &self.token.policy,
            current: Current::of(credential.current.as_ref()),
        }
    }

    /// Promotes a candidate on this answer.
    pub fn promote_with(
        &self,
        credential: Credential,
        candidate: &Generation,
        proof: &Proof,
    ) -> Result<(Credential, Examined), StoreError> {
        let advance = Advance {
            arrival: candidate.arrival,
            successor: Successor::Candidate,
            expiry: proof.inspection.expiry,
            proof: Some(proof.clone()),
        };
        self.promote(credential, candidate, advance)
    }

    /// Puts an earlier generation, which works by this answer, back in the current one's place.
    pub fn put_back(
        &self,
        credential: Credential,
        earlier: &Generation,
        proof: Proof,
    ) -> Result<(Credential, Examined), StoreError> {
        let expiry = match proof.inspection.expiry {
            Expiry::Unknown => earlier.expiry,
            told => told,
        };
        let advance = Advance {
            arrival: Arrival::RolledBack,
            successor: Successor::Earlier,
            expiry,
            proof: Some(proof),
        };
        self.promote(credential, earlier, advance)
    }

    /// What is done about the current one when a person puts another in its place.
    pub fn predecessor(&self, credential: &Credential) -> Predecessor {
        let lives_on = |current: &Generation| {
            outlives_its_successor(self.token.token_type, current, self.run.now())
        };
        match &credential.current {
            Some(current) if lives_on(current) => Predecessor::Watched,
            _ => Predecessor::Kept,
        }
    }

    /// Whether the current one came from a backup that has had none since: a rollback takes the promotion
    /// back, and it is a backup again.
    fn is_lent(&self, credential: &Credential) -> bool {
        let (store, current) = (&self.run.store, credential.current.as_ref());
        let Some(current) = current else { return false };
        let lent_here = |token| {
            let other = store.credential(token);
            other.is_ok_and(|other| other.given_to.is_some_and(|it| it.label == credential.label))
        };
        let sightings = store.sightings(&current.fingerprint).unwrap_or_default();
        sightings.iter().any(|it| it.token != credential.id && lent_here(it.token))
    }

    /// Promotes a worse one, because the current one is dead or about to expire.
    pub fn promote_worse(
        &self,
        credential: Credential,
        candidate: &Generation,
        proof: &Proof,
    ) -> Result<(Credential, Examined), StoreError> {
        let (credential, promoted) = self.promote_with(credential, candidate, proof)?;
        let promoted = match promoted {
            Examined::Promoted { outcome, expiry, outlived, .. } => {
                Examined::Promoted { outcome, expiry, is_worse: true, outlived }
            }
            other => other,
        };
        Ok((credential, promoted))
    }

    /// Makes a candidate the current one in one transaction.
    pub fn promote(
        &self,
        credential: Credential,
        candidate: &Generation,
        advance: Advance,
    ) -> Result<(Credential, Examined), StoreError> {
        let Advance { arrival, successor, expiry, proof } = advance;
        let predecessor = match (successor, candidate.origin) {
            (Successor::Earlier, _) if self.is_lent(&credential) => Predecessor::Kept,
            (Successor::HandedOver | Successor::Earlier, _) | (_, Origin::Adopted) => {
                self.predecessor(&credential)
            }
            (Successor::Candidate, _) => Predecessor::Kept,
        };
        let watched = predecessor == Predecessor::Watched;
        let outlived = credential.current.as_ref().filter(|_| watched).map(|it| it.number);
        let promotion = Promotion {
            candidate: candidate.id,
            successor,
            proof,
            arrival,
            problem: None,
            predecessor,
            pending_for: self.token.deliver.iter().map(|target| target.id.clone()).collect(),
        };
        let promoted =
            self.run.store.promote(self.run.id, credential, promotion, self.run.now())?;
        let outcome = arrival.outcome();
        Ok((promoted, Examined::Promoted { outcome, expiry, is_worse: false, outlived }))
    }

    /// Sets one from outside aside.
    pub fn refuse_adoption(
        &self,
        credential: Credential,
        candidate: &Generation,
        problem: Problem,
    ) -> Result<(Credential, Examined), StoreError> {
        if self.if_refused == IfRefused::Silent {
            let refusal = RefusedCandidate { candidate: candidate.id, proof: None, setback: None };
            let now = self.run.now();
            let refused = self.run.store.refuse(self.run.id, credential, refusal, now)?;
            return Ok((refused, Examined::AdoptionRefused(problem)));
        }
        let sent = credential.attempts.sent_exchange;
        let problem = sent.map_or(problem.clone(), |it| it.blame(candidate.fingerprint, problem));
        let refused =
            self.refuse(credential, candidate, Some(EventKind::AdoptionRefused), &problem, None)?;
        Ok((refused, Examined::AdoptionRefused(problem)))
    }

    /// Sets a grant aside that is not taken.
    pub fn refuse_grant(
        &self,
        credential: Credential,
        candidate: &Generation,
        problem: Problem,
    ) -> Result<(Credential, Examined), StoreError> {
        let expiry = credential.current.as_ref().map_or(Expiry::Unknown, |current| current.expiry);
        let failures = credential.attempts.consecutive_failures.saturating_add(1);
        let not_before = Some(next_try(&problem, failures, expiry, self.run.now()));
        let refused = self.refuse(
            credential,
            candidate,
            Some(EventKind::RefreshFailed),
            &problem,
            not_before,
        )?;
        Ok((refused, Examined::GrantRefused(problem)))
    }

    /// Sets a grant aside that expires no later.
    pub fn refuse_not_extended(
        &self,
        credential: Credential,
        candidate: &Generation,
        expiry: Expiry,
    ) -> Result<(Credential, Examined), StoreError> {
        let now = self.run.now();
        let subject = subject(self.token, Some(&credential), None);
        let current = credential.current.as_ref();
        if let Some(eligible) = current.and_then(|it| subject.eligible_at_the_latest(it, now)) {
            let problem = too_young_to_extend();
            let refused = self.refuse(credential, candidate, None, &problem, Some(eligible))?;
            return Ok((refused, Examined::TooYoung(problem)));
        }
        let (problem, event) = (not_extended(), Some(EventKind::NotExtended));
        let not_before = Some(next_try(&problem, 1, expiry, now));
        let refused = self.refuse(credential, candidate, event, &problem, not_before)?;
        Ok((refused, Examined::NotExtended(problem.with_action(Action::Retry))))
    }

    /// Sets a candidate aside, still sealed, and writes down why.
    fn refuse(
        &self,
        credential: Credential,
        candidate: &Generation,
        event: Option<EventKind>,
        problem: &Problem,
        not_before: Option<Time>,
    ) -> Result<Credential, StoreError> {
        let refused_by = candidate.parent.filter(|_| candidate.origin == Origin::Derived);
        let problem = Some(problem.clone());
        let setback = Setback { event, generation: None, problem, not_before, refused_by };
        let refusal =
            RefusedCandidate { candidate: candidate.id, proof: None, setback: Some(setback) };
        self.run.store.refuse(self.run.id, credential, refusal, self.run.now())
    }

    /// Records what Graph said of a generation.
    pub fn note(
        &self,
        credential: Credential,
        generation: &Generation,
        proof: &Proof,
    ) -> Result<Credential, StoreError> {
        let Run { store, id, .. } = self.run;
        Ok(store.note_proof(*id, credential, generation.id, proof.clone())?.0)
    }

    /// Says whose access token this must be: the config's app and Page, and the person as before.
    ///
    /// The person behind a derived Page token is the parent's. Another worker may have inspected
    /// that, or may have promoted another generation of it: it is read again here.
    pub fn expected_identity(&self, credential: &Credential) -> Result<Identity, StoreError> {
        let proven = |credential: &Credential| {
            let proof = credential.current.as_ref()?.proof.as_ref()?;
            Some(proof.inspection.identity.clone())
        };
        if self.identity == IdentityChange::Accepted {
            let page_id = self.token.page_id.clone();
            let user_id = self.token.user_id.clone();
            return Ok(Identity { app_id: self.app_id.clone(), user_id, page_id });
        }
        let before = proven(credential).unwrap_or_default();
        let parent = self.parent.map(|parent| self.run.store.credential(parent)).transpose()?;
        let person = match parent {
            Some(parent) if self.token.token_type == TokenType::Page => {
                proven(&parent).and_then(|identity| identity.user_id)
            }
            _ => before.user_id,
        };
        Ok(Identity {
            app_id: self.app_id.clone(),
            user_id: self.token.user_id.clone().or(person),
            page_id: self.token.page_id.clone().or(before.page_id),
        })
    }
}

/// Says where an access token from outside was found, as far as that matters.
pub fn found_in(credential: &Credential, candidate: &Generation) -> FoundIn {
    match &credential.source {
        Some(source) if source.fingerprint == candidate.fingerprint && source.has_changed => {
            FoundIn::ChangedSource
        }
        _ => FoundIn::OtherPlace,
    }
}

/// Gives the problem of a renewal that Meta accepted and that moved nothing.
pub fn not_extended() -> Problem {
    Extension::NotExtended.problem().unwrap_or_else(|| {
        Problem::new(ProblemKind::NotExtended, "the new access token expires no later")
    })
}

/// Gives the problem of a renewal in the first day of an access token, which moved nothing: Meta
/// renews none that young.
pub fn too_young_to_extend() -> Problem {
    Problem::new(ProblemKind::TooYoung, "Meta extends no access token in its first day")
}

/// Whether a token has no current access token, or one that expires within its `critical_within`.
pub fn is_critical(token: &TokenConfig, credential: &Credential, now: Time) -> bool {
    let critical_within = subject(token, Some(credential), None).critical_within();
    credential.current.as_ref().is_none_or(|current| current.expiry.is_within(critical_within, now))
}

/// Says that the generation of that number works on beside its successor, and hints at what ends it:
/// not in a dry run, after which it is still the one in use.
pub fn works_on(run: &Run<'_>, token: &TokenConfig, number: u32) -> String {
    if run.dry_run == DryRun::Yes {
        return format!("generation {number} would work on until it is revoked");
    }
    run.hint(end_the_old_one(&subject(token, None, None), number));
    format!("generation {number} works on until it is revoked")
}
