//! Derives an access token: a Page's from its parent, an app's from the app.
//!
//! It is sealed, inspected and compared like any other new access token. Where it is the current one
//! again, no generation is added.

use super::DryRun;
use super::pages::{list_waits, pause_list};
use super::token_run::{NextStep, TokenRun};
use crate::graph::{CallError, PageGrant};
use crate::policy::{Decision, Derive, MARGIN};
use crate::store::{ExtendedExpiry, NewCandidate, StoreError};
use crate::token::{
    AccessToken, Action, EventKind, Expiry, Generation, GenerationId, GrantType, Origin, Outcome,
    Problem, ProblemKind, Source,
};

impl TokenRun<'_> {
    /// Derives an access token from the token's parent or its app.
    pub fn derive(&mut self, why: &Derive) -> Result<NextStep, StoreError> {
        let sentence = Decision::Derive(why.clone()).sentence(self.run.now());
        self.outcome.because(sentence);
        let Some(_room) = self.room()? else { return Ok(NextStep::Stop) };
        match self.token.token_type.spec().source {
            Source::App(grant) => self.derive_from_app(grant)?,
            Source::Parent(_) | Source::Person(_) => self.derive_from_parent()?,
        }
        Ok(NextStep::Stop)
    }

    /// Takes the Page's access token from its parent: from the list, else by the Page's id.
    fn derive_from_parent(&mut self) -> Result<(), StoreError> {
        let (Some(parent), Some(page_id)) = (self.parent()?, self.token.page_id.clone()) else {
            return Ok(());
        };
        let Some(from) = parent.current.clone() else { return Ok(()) };
        let listed = match self.job.listing.as_deref() {
            Some(Ok(pages)) => pages.by_id.get(&page_id).cloned().map(Ok),
            Some(Err(error)) => Some(Err(CallError { held_back: true, ..error.clone() })),
            None => None,
        };
        let waits = || list_waits(self.run, &parent).map(Err);
        let answer = if let Some(answer) = listed.or_else(waits) {
            answer
        } else {
            let access_token = self.run.store.reveal(from.id)?;
            let answer =
                self.app().and_then(|app| self.run.graph.page(&app, &access_token, &page_id));
            if let Err(error) = &answer {
                pause_list(self.run, &parent, error)?;
            }
            answer
        };
        let current = self.credential.current.clone();
        match answer {
            Err(error) => self.not_derived(error, current.as_ref(), Some(from.id)),
            Ok(PageGrant { token: Some(access_token), .. }) => {
                self.seal_derived(&access_token, current.as_ref(), Some(from.id))
            }
            Ok(PageGrant { token: None, .. }) => {
                let problem = Problem::new(
                    ProblemKind::PermissionMissing,
                    format!(
                        "`{}` has no access to Page {page_id} (not ticked)",
                        self.parent_label()
                    ),
                );
                self.not_derived_for(problem, current.as_ref(), Some(from.id))
            }
        }
    }

    /// Takes the app's own access token from the app's id and secret.
    fn derive_from_app(&mut self, grant: &GrantType) -> Result<(), StoreError> {
        if self.run.dry_run == DryRun::Yes {
            self.outcome.achieve(Outcome::Derived);
            return Ok(());
        }
        let current = self.credential.current.clone();
        match self.app().and_then(|app| self.run.graph.grant(&app, grant, None)) {
            Err(error) => self.not_derived(error, current.as_ref(), None),
            Ok(granted) => self.seal_derived(&granted.token, current.as_ref(), None),
        }
    }

    fn seal_derived(
        &mut self,
        access_token: &AccessToken,
        current: Option<&Generation>,
        from: Option<GenerationId>,
    ) -> Result<(), StoreError> {
        let fingerprint = self.run.store.fingerprint(access_token)?;
        if let Some(current) = current.filter(|current| current.fingerprint == fingerprint) {
            return self.same_token_again(current, from);
        }
        if self.credential.is_barred(&fingerprint) {
            return self.note_barred(current.map_or(Expiry::Unknown, |it| it.expiry), from);
        }
        let (origin, expiry) = (Origin::Derived, Expiry::Unknown);
        let new = NewCandidate::granted(access_token.clone(), origin, expiry);
        let candidate = self.seal(NewCandidate { parent: from, ..new })?;
        self.examine(&candidate)
    }

    /// Keeps the generation where the access token is the current one, also under a new parent.
    fn same_token_again(
        &mut self,
        current: &Generation,
        from: Option<GenerationId>,
    ) -> Result<(), StoreError> {
        let fresh = self.is_checked_lately(current);
        let proof = match current.proof.clone().filter(|_| fresh) {
            Some(proof) => proof,
            None => match self.inspect_and_store(current)? {
                Some(proof) => proof,
                None => return Ok(()),
            },
        };
        if proof.inspection.verdict() == Some(false) {
            let problem = proof.inspection.problem.clone().unwrap_or_else(|| {
                Problem::new(ProblemKind::SessionInvalid, "it was derived, and is dead")
            });
            return self.not_derived_for(problem, None, from);
        }
        let expiry = proof.inspection.expiry;
        let nothing_new = current.parent == from && !expiry.extends(current.expiry, MARGIN);
        if nothing_new && current.expiry.at().is_some() {
            // Asked again at once it would give the same.
            return self.note_not_extended(expiry, from);
        }
        let extension = ExtendedExpiry {
            generation: current.id,
            parent: from,
            proof,
            event: EventKind::Derived,
        };
        self.extend(extension)?;
        self.outcome.achieve(Outcome::Derived);
        Ok(())
    }

    fn not_derived(
        &mut self,
        error: CallError,
        current: Option<&Generation>,
        from: Option<GenerationId>,
    ) -> Result<(), StoreError> {
        if error.held_back || error.problem.kind.is_outage() {
            return self.not_answered(error);
        }
        self.not_derived_for(error.problem, current, from)
    }

    /// Records why nothing was derived. While the current access token works it is tried again, and
    /// no person is needed.
    fn not_derived_for(
        &mut self,
        problem: Problem,
        current: Option<&Generation>,
        from: Option<GenerationId>,
    ) -> Result<(), StoreError> {
        let alive = current
            .and_then(|generation| generation.proof.as_ref())
            .is_some_and(|proof| proof.inspection.verdict() == Some(true));
        let problem = if alive { problem.with_action(Action::Retry) } else { problem };
        let expiry = current.map_or(Expiry::Unknown, |it| it.expiry);
        self.note_not_derived(&problem, expiry, from)?;
        self.outcome.note_problem(problem);
        Ok(())
    }
}
