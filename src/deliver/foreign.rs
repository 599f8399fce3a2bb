//! Finds access tokens in a token's files that another program or a person put there, and says what a
//! first delivery may do with them.
//!
//! What is found is examined like a new access token from the config before anything is delivered:
//! it may be the only one that works, for example when the store was lost. So a first delivery
//! replaces an access token only if Graph has called it dead, or if it belongs to the same person, app
//! and Page and the current one is no worse.

use super::context::DeliveryContext;
use super::error::DeliveryError;
use super::file::{Consent, read_value, replaceable_token};
use crate::config::{FileTarget, FirstDelivery, Place, Target, TokenConfig};
use crate::edit;
use crate::policy::{Adoption, Contest, Current, FoundIn, judge_adoption};
use crate::store::{Sighting, StoreError};
use crate::token::{
    AccessToken, Delivery, Generation, GenerationState, Identity, ProblemKind, Secret, TargetId,
    TokenId,
};

/// An access token in one of the token's files that is not the current one.
#[derive(Debug, Clone)]
pub struct ForeignToken {
    /// The access token.
    pub access_token: AccessToken,
    /// What the store knows of it, if this token had it before or it was examined before.
    pub known: Option<Generation>,
    /// The targets that hold it.
    pub targets: Vec<TargetId>,
    /// Which delivery comes next to the first of them.
    pub next: NextDelivery,
}

/// Which delivery to a file comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextDelivery {
    /// The first one: it would replace the access token.
    First,
    /// A later one: it leaves the access token alone.
    Later,
}

impl NextDelivery {
    /// Reads it off what the store knows of the target.
    pub fn to(row: Option<&Delivery>) -> Self {
        let is_first = row.is_none_or(|row| {
            row.settled.is_none() && row.drifted_since.is_none() && row.half_written_since.is_none()
        });
        if is_first { Self::First } else { Self::Later }
    }
}

impl ForeignToken {
    /// Whether it may be better than the current one: it is new, or it works and the current one does
    /// not, or it would be replaced.
    pub fn needs_examination(&self, current: Option<&Generation>) -> bool {
        let Some(known) = &self.known else { return true };
        let is_gone = current.is_none_or(is_dead);
        match known.state {
            GenerationState::Candidate => true,
            GenerationState::Current | GenerationState::Purged => false,
            GenerationState::Previous | GenerationState::Refused if is_dead(known) => false,
            GenerationState::Previous => is_gone,
            GenerationState::Refused => {
                is_gone || self.next == NextDelivery::First || known.verdict().is_none()
            }
        }
    }
}

/// Whether Graph has called it dead.
pub fn is_dead(generation: &Generation) -> bool {
    generation.verdict() == Some(false)
}

/// The files of one token, as far as others may write them too.
pub struct SharedFiles<'a> {
    pub context: &'a DeliveryContext<'a>,
    pub token_config: &'a TokenConfig,
    pub token: TokenId,
}

impl SharedFiles<'_> {
    /// Returns the access tokens in the token's files that are not the current one. Other text is
    /// drift, and nothing that could be examined; what another token has is left to that one.
    pub fn foreign_tokens(
        &self,
        is_left_alone: impl Fn(&Target, &FileTarget) -> bool,
    ) -> Result<Vec<ForeignToken>, StoreError> {
        let store = self.context.store;
        let credential = store.credential(self.token)?;
        let mut foreign: Vec<ForeignToken> = Vec::new();
        for target in &self.token_config.deliver {
            let Place::File(file) = &target.place else { continue };
            if is_left_alone(target, file) {
                continue;
            }
            let row = credential.deliveries.iter().find(|row| row.target == target.id);
            let next = NextDelivery::to(row);
            let Some(access_token) = token_in(file, next) else { continue };
            if let Some(same) = foreign.iter_mut().find(|it| it.access_token == access_token) {
                same.targets.push(target.id.clone());
                continue;
            }
            let fingerprint = store.fingerprint(&access_token)?;
            if credential.current.as_ref().is_some_and(|it| it.fingerprint == fingerprint) {
                continue;
            }
            let sightings = store.sightings(&fingerprint)?;
            let is_had =
                |state| !matches!(state, GenerationState::Refused | GenerationState::Purged);
            let is_excluded = |it: &Sighting| {
                let is_own = it.token == self.token;
                // It may work, and must not come back by itself.
                (is_own && it.is_barred) || (!is_own && is_had(it.state))
            };
            if sightings.iter().any(is_excluded) {
                continue;
            }
            let known = self.known(&sightings)?;
            let targets = vec![target.id.clone()];
            foreign.push(ForeignToken { access_token, known, targets, next });
        }
        Ok(foreign)
    }

    /// What this token's rows say of an access token that was seen.
    fn known(&self, sightings: &[Sighting]) -> Result<Option<Generation>, StoreError> {
        let Some(seen) = sightings.iter().find(|it| it.token == self.token) else {
            return Ok(None);
        };
        let generations = self.context.store.generations(self.token)?;
        Ok(generations.into_iter().find(|it| it.id == seen.generation))
    }

    /// Says what a first delivery may do with what a file holds.
    pub fn first_consent(
        &self,
        file: &FileTarget,
        found: &Secret,
        current: &Generation,
    ) -> Result<Consent, StoreError> {
        let Ok(access_token) = AccessToken::parse(found.expose()) else {
            return Ok(Consent::First);
        };
        // What was refused may be a password that a wrong `key` in the config led to.
        let is_token = edit::looks_like_a_token(found.expose());
        let fingerprint = self.context.store.fingerprint(&access_token)?;
        let sightings = self.context.store.sightings(&fingerprint)?;
        let was_had =
            |state| !matches!(state, GenerationState::Candidate | GenerationState::Refused);
        if sightings.iter().any(|it| was_had(it.state)) {
            return Ok(Consent::Given);
        }
        Ok(match self.known(&sightings)? {
            _ if !is_token => Consent::First,
            Some(known) => self.consent_over(file, &known, current),
            None if replaceable_token(file).is_some() => {
                Consent::Kept(DeliveryError::not_examined(file, &self.token_config.label))
            }
            None => Consent::First,
        })
    }

    /// Says the same of what was examined, and not made current.
    fn consent_over(&self, file: &FileTarget, known: &Generation, current: &Generation) -> Consent {
        let not_examined =
            || Consent::Kept(DeliveryError::not_examined(file, &self.token_config.label));
        let Some(proof) = &known.proof else { return not_examined() };
        let inspection = &proof.inspection;
        if inspection.verdict() == Some(false) {
            return Consent::Given;
        }
        let of_another = |why: &str| match file.rules.first {
            FirstDelivery::Overwrite => Consent::Given,
            FirstDelivery::Careful => Consent::Kept(DeliveryError::of_another(file, why)),
        };
        let told = inspection.problem.as_ref();
        if let Some(problem) = told.filter(|it| it.kind == ProblemKind::IdentityChanged) {
            return of_another(&problem.message);
        }
        let identity = current.proof.as_ref().map(|proof| proof.inspection.identity.clone());
        let contest = Contest {
            token_type: self.token_config.token_type,
            expected: &whose(self.token_config, identity.unwrap_or_default()),
            policy: &self.token_config.policy,
            current: Current::of(Some(current)),
        };
        match judge_adoption(inspection, FoundIn::OtherPlace, &contest) {
            Adoption::Refuse(problem) => of_another(&problem.message),
            Adoption::OnlyIfCurrentIsDead(_) | Adoption::OnlyNearItsEnd(_) => Consent::Given,
            Adoption::Wait(_) if file.rules.first == FirstDelivery::Overwrite => Consent::Given,
            Adoption::Take | Adoption::Wait(_) => not_examined(),
        }
    }
}

/// The identity that counts: the Page is the config's where it names one.
fn whose(token_config: &TokenConfig, current: Identity) -> Identity {
    Identity { page_id: token_config.page_id.clone().or(current.page_id), ..current }
}

/// The access token that a file holds, if the next delivery has to do with one.
fn token_in(file: &FileTarget, next: NextDelivery) -> Option<AccessToken> {
    match next {
        NextDelivery::First => replaceable_token(file),
        NextDelivery::Later => {
            // A file that cannot be read is reported when it is delivered.
            let found = read_value(file).ok()??;
            AccessToken::parse(found.expose()).ok().filter(AccessToken::begins_like_metas)
        }
    }
}
