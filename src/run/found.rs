//! Adopts the best of the access tokens that are found outside: one that an earlier run could not
//! examine, one that the config points to, and those that the token's files hold.
//!
//! All are examined before one is promoted, so that no better one is replaced by a worse one on the
//! way: where the store was lost, the one in an application's file may be the only one that works.
//! They are looked at again where a run finds the current one dead.

use super::Run;
use super::candidate::{Candidates, IdentityChange, IfRefused, found_in};
use super::configured_tokens::{self, ConfiguredToken};
use super::inspect;
use super::refresh_run::Only;
use super::token_run::TokenRun;
use super::tokens::TokenConfig;
use crate::deliver::{ForeignToken, NextDelivery, TokenDelivery};
use crate::graph::{App, CallError};
use crate::policy::{Adoption, Contest, Current, FoundIn, humanize, judge_adoption};
use crate::store::{NewCandidate, StoreError};
use crate::token::{
    AccessToken, Credential, Generation, GenerationState, Identity, Problem, Proof, TargetId,
};

/// An access token that was found outside.
struct FoundToken {
    access_token: AccessToken,
    at: FoundAt,
    /// What Graph said of it in this run, or lately.
    answer: Option<Result<Proof, CallError>>,
}

/// Where an access token was found.
enum FoundAt {
    /// In the store: an earlier run sealed it.
    Store,
    /// Where the config points.
    Config,
    /// In files that the token is delivered to.
    Targets(Vec<TargetId>),
}

impl FoundToken {
    fn in_config(access_token: &AccessToken) -> Self {
        Self { access_token: access_token.clone(), at: FoundAt::Config, answer: None }
    }
}

/// Says where the config finds the access token of a token.
pub fn where_found(token: &TokenConfig) -> String {
    match &token.access_token {
        Some(source) => format!("found in {source}"),
        None => "found in the config".to_owned(),
    }
}

impl FoundAt {
    fn motive(&self, token: &TokenConfig) -> String {
        match self {
            Self::Store => "sealed by an earlier run, and checked now".to_owned(),
            Self::Config => where_found(token),
            Self::Targets(targets) => {
                let names: Vec<&str> = targets.iter().map(TargetId::as_str).collect();
                format!("found in {}", humanize::list(&names))
            }
        }
    }

    /// A file that holds another access token has drifted, and no one is told of anything else.
    const fn if_refused(&self) -> IfRefused {
        match self {
            Self::Store | Self::Config => IfRefused::Told,
            Self::Targets(_) => IfRefused::Silent,
        }
    }
}

impl TokenRun<'_> {
    /// Adopts the best of what is found outside.
    pub fn adopt_found(&mut self) -> Result<(), StoreError> {
        if self.credential.is_revoked() {
            // Nothing that was there before takes the place of what a person wanted dead.
            let since = self.credential.current.as_ref().and_then(|it| it.revoked_at);
            let is_newer = self.credential.candidate.as_ref().map(|it| it.obtained_at) >= since;
            let handed_over = self.in_store()?.into_iter().filter(|_| is_newer).collect();
            return self.adopt_the_best(handed_over);
        }
        let mut found: Vec<FoundToken> = Vec::new();
        let places = [self.in_store()?, self.in_config()?].into_iter().flatten();
        for each in places.chain(self.in_targets()?) {
            // It may stand at several places, and a person is told where it is looked for first.
            if !found.iter().any(|it| it.access_token == each.access_token) {
                found.push(each);
            }
        }
        self.adopt_the_best(found)?;
        self.miss_the_source()
    }

    /// Asks about what the config's place and the token's files hold where the current access token
    /// is dead or missing; adopts the best of it that works, and says whether there was one.
    pub fn adopt_in_place_of_dead(&mut self) -> Result<bool, StoreError> {
        if !self.credential.is_without_a_living_one() || self.credential.is_revoked() {
            return Ok(false);
        }
        let refresh = self.refresh;
        let known = match refresh.configured_token(&self.token.label) {
            Some(ConfiguredToken::Known(known)) => Some(known),
            _ => None,
        };
        let offered = match known {
            Some(known) => self.ask_known(known)?.map(|offered| (known, offered)),
            None => None,
        };
        let rival = offered.as_ref().map(|(_, offered)| offered);
        if self.adopt_from_targets(rival)? {
            return Ok(true);
        }
        match offered {
            Some((known, offered)) => self.adopt_offered(known, &offered),
            None => Ok(false),
        }
    }

    /// Adopts the best of what the token's files hold, by answers of this run, where there is no
    /// current one that works; says whether it adopted one. `rival` is what the config offers: what
    /// is no better than that is left where it is.
    fn adopt_from_targets(&mut self, rival: Option<&Generation>) -> Result<bool, StoreError> {
        let expected = self.candidates(IfRefused::Silent).expected_identity(&self.credential)?;
        let contest = Contest {
            token_type: self.token.token_type,
            expected: &of_the_best(&expected, rival),
            policy: &self.token.policy,
            current: Current::of(rival),
        };
        let is_best = |found: &FoundToken| match &found.answer {
            Some(Ok(proof)) => {
                let inspection = &proof.inspection;
                judge_adoption(inspection, FoundIn::OtherPlace, &contest) == Adoption::Take
            }
            _ => false,
        };
        let mut found = self.in_targets()?;
        found.retain(is_best);
        self.adopt_the_best(found)?;
        Ok(!self.credential.is_without_a_living_one())
    }

    fn adopt_the_best(&mut self, mut found: Vec<FoundToken>) -> Result<(), StoreError> {
        if found.len() > 1 {
            found = self.best_first(found)?;
        }
        for FoundToken { access_token, at, answer } in found {
            let candidate = self.seal(NewCandidate::found(access_token))?;
            self.outcome.because(at.motive(self.token));
            let answer = self.answer_before_an_exchange(&candidate, &at, answer)?;
            if let (FoundAt::Store | FoundAt::Config, Some(Ok(proof))) = (&at, &answer)
                && self.exchange_found(&candidate, proof)?
            {
                continue;
            }
            self.outcome.because(at.motive(self.token));
            self.examine_found(&candidate, at.if_refused(), answer.as_ref())?;
            self.note_the_place(&candidate, &at)?;
        }
        Ok(())
    }

    /// Graph's answer about what may have to be exchanged before it is compared.
    fn answer_before_an_exchange(
        &mut self,
        candidate: &Generation,
        at: &FoundAt,
        answer: Option<Result<Proof, CallError>>,
    ) -> Result<Option<Result<Proof, CallError>>, StoreError> {
        let is_configured = matches!(at, FoundAt::Store | FoundAt::Config);
        let exchanges = self.refresh.options.only == Only::ShortLived && is_configured;
        if answer.is_some() || !exchanges || self.credential.current.is_none() {
            return Ok(answer);
        }
        self.try_inspect_and_store(candidate).map(Some)
    }

    /// Records the target that the current access token came from.
    fn note_the_place(&self, candidate: &Generation, at: &FoundAt) -> Result<(), StoreError> {
        let is_current = self.credential.current.as_ref().is_some_and(|it| it.id == candidate.id);
        match at {
            FoundAt::Targets(targets) if is_current && !targets.is_empty() => {
                let place = format!("the target `{}`", targets[0]);
                self.run.store.note_adopted_from(self.credential.id, candidate.id, &place)
            }
            _ => Ok(()),
        }
    }

    /// Says why the config's source cannot be read, if there is nothing else. Of a lost access token
    /// its damage is told, and what replaces it.
    fn miss_the_source(&mut self) -> Result<(), StoreError> {
        let has_none = self.credential.in_place().is_none()
            && self.credential.candidate.is_none()
            && self.credential.given_to.is_none();
        match self.refresh.configured_token(&self.token.label) {
            Some(ConfiguredToken::Unusable { problem, .. }) if has_none => {
                let problem = problem.clone();
                self.miss(problem)
            }
            _ => Ok(()),
        }
    }

    /// Records what keeps a first access token away. Meta was not asked, so that no refresh has failed:
    /// the history counts none.
    fn miss(&mut self, problem: Problem) -> Result<(), StoreError> {
        if self.credential.attempts.problem.as_ref() != Some(&problem) {
            self.change(|store, credential| store.note_trouble(credential, Some(&problem)))?;
        }
        self.outcome.note_problem(problem);
        Ok(())
    }

    /// The candidate from outside that an earlier run sealed and could not inspect, or holds back.
    /// One that stands in a target is found there.
    fn in_store(&self) -> Result<Option<FoundToken>, StoreError> {
        let candidate = self.credential.candidate.as_ref();
        let Some(candidate) = candidate.filter(|it| it.is_found()) else {
            return Ok(None);
        };
        if self.is_held_for_now(candidate) || self.is_only_in_a_target(candidate)? {
            return Ok(None);
        }
        let access_token = self.run.store.reveal(candidate.id)?;
        Ok(Some(FoundToken { access_token, at: FoundAt::Store, answer: None }))
    }

    fn is_only_in_a_target(&self, candidate: &Generation) -> Result<bool, StoreError> {
        let is_candidate = |access_token: &AccessToken| -> Result<bool, StoreError> {
            Ok(self.run.store.fingerprint(access_token)? == candidate.fingerprint)
        };
        if let Some(ConfiguredToken::Found(configured)) =
            configured_tokens::read(self.run.session, self.token)
            && is_candidate(&configured)?
        {
            return Ok(false);
        }
        for foreign in self.foreign_tokens()? {
            if is_candidate(&foreign.access_token)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The new access token that the config points to.
    fn in_config(&mut self) -> Result<Option<FoundToken>, StoreError> {
        let configured = self.refresh.configured_token(&self.token.label);
        self.note_shared(configured)?;
        match configured {
            None | Some(ConfiguredToken::Shared(_) | ConfiguredToken::Unusable { .. }) => Ok(None),
            // A grant that waits to be inspected comes first; the source is read again.
            Some(ConfiguredToken::Found(_) | ConfiguredToken::Known(_))
                if self.has_granted_candidate() =>
            {
                Ok(None)
            }
            Some(ConfiguredToken::Found(found)) => Ok(Some(FoundToken::in_config(found))),
            Some(ConfiguredToken::Known(known)) => {
                if self.is_unjudged(known)? || self.is_refused_for_its_short_life(known)? {
                    return Ok(Some(FoundToken::in_config(&known.access_token)));
                }
                if self.is_wanted_near_the_end(known) {
                    self.adopt_known_token(known)?;
                }
                Ok(None)
            }
        }
    }

    /// Records whether another token has the access token that the config names for this one.
    fn note_shared(&mut self, configured: Option<&ConfiguredToken>) -> Result<(), StoreError> {
        let shared = match configured {
            Some(ConfiguredToken::Shared(shared)) => Some(shared.clone()),
            _ => None,
        };
        if self.credential.attempts.shared == shared {
            return Ok(());
        }
        self.change(|store, credential| store.note_shared(credential, shared))
    }

    /// The access tokens in the token's files that may be better than the current one.
    fn in_targets(&mut self) -> Result<Vec<FoundToken>, StoreError> {
        let mut found = Vec::new();
        for foreign in self.foreign_tokens()? {
            let fingerprint = self.run.store.fingerprint(&foreign.access_token)?;
            if !foreign.needs_examination(self.credential.current.as_ref())
                || !self.refresh.claim(&self.token.label, fingerprint)
            {
                continue;
            }
            let answer = match &foreign.known {
                Some(known) if known.state != GenerationState::Candidate => {
                    match self.ask_again(known)? {
                        Some(answer) => Some(Ok(answer)),
                        None => continue,
                    }
                }
                _ => None,
            };
            let at = FoundAt::Targets(foreign.targets);
            found.push(FoundToken { access_token: foreign.access_token, at, answer });
        }
        Ok(found)
    }

    fn foreign_tokens(&self) -> Result<Vec<ForeignToken>, StoreError> {
        if self.token.deliver.is_empty() || self.has_granted_candidate() {
            return Ok(Vec::new());
        }
        let mut foreign = self.delivery().foreign_tokens()?;
        if self.refresh.options.only == Only::ShortLived {
            foreign.retain(|it| it.next == NextDelivery::First);
        }
        Ok(foreign)
    }

    /// Asks Graph about an access token that the token had, or that was refused; gives the answer if
    /// it is better than the current one now. An answer of this run is enough, and while the current
    /// one works one of today.
    fn ask_again(&mut self, known: &Generation) -> Result<Option<Proof>, StoreError> {
        let current_works = Current::of(self.credential.current.as_ref()) != Current::Gone;
        let is_enough = |proof: &Proof| {
            let of_this_run = proof.at >= self.run.started_at();
            of_this_run || (current_works && self.is_checked_lately(known))
        };
        let answer = match known.proof.clone().filter(is_enough) {
            Some(proof) => proof,
            None => match self.inspect_and_store(known)? {
                Some(proof) => proof,
                None => return Ok(None),
            },
        };
        let candidates = self.candidates(IfRefused::Silent);
        let expected = candidates.expected_identity(&self.credential)?;
        let contest = candidates.contest(&expected, &self.credential);
        let verdict = judge_adoption(&answer.inspection, FoundIn::OtherPlace, &contest);
        Ok((verdict == Adoption::Take).then_some(answer))
    }

    /// Examines several, and puts the best first; those of which Graph says nothing come last, and
    /// the config's last of all: it is the one that waits.
    fn best_first(&mut self, found: Vec<FoundToken>) -> Result<Vec<FoundToken>, StoreError> {
        let expected = self.candidates(IfRefused::Silent).expected_identity(&self.credential)?;
        let mut best: Option<(usize, Generation)> = None;
        let mut ranked = Vec::new();
        for (place, mut each) in found.into_iter().enumerate() {
            let candidate = self.seal(NewCandidate::found(each.access_token.clone()))?;
            let answer = match each.answer.take() {
                Some(answer) => answer,
                None => self.try_inspect_and_store(&candidate)?,
            };
            let rank = match (&answer, &each.at) {
                (Ok(_), _) => 1,
                (Err(_), FoundAt::Targets(_)) => 2,
                (Err(_), FoundAt::Store | FoundAt::Config) => 3,
            };
            if let Ok(proof) = &answer {
                let best_so_far = best.as_ref().map(|(_, generation)| generation);
                let contest = Contest {
                    token_type: self.token.token_type,
                    expected: &of_the_best(&expected, best_so_far),
                    policy: &self.token.policy,
                    current: Current::of(best_so_far),
                };
                let found_in = found_in(&self.credential, &candidate);
                let verdict = judge_adoption(&proof.inspection, found_in, &contest);
                if verdict == Adoption::Take {
                    let expiry = proof.inspection.expiry;
                    let generation = Generation { expiry, proof: Some(proof.clone()), ..candidate };
                    best = Some((place, generation));
                }
            }
            ranked.push((rank, place, FoundToken { answer: Some(answer), ..each }));
        }
        let best = best.map(|(place, _)| place);
        ranked.sort_by_key(|(rank, place, _)| if Some(*place) == best { 0 } else { *rank });
        Ok(ranked.into_iter().map(|(_, _, each)| each).collect())
    }
}

/// Whose the next one must be, once there is a best one.
fn of_the_best(expected: &Identity, best: Option<&Generation>) -> Identity {
    let Some(proof) = best.and_then(|best| best.proof.as_ref()) else { return expected.clone() };
    let found = proof.inspection.identity.clone();
    Identity {
        app_id: expected.app_id.clone().or(found.app_id),
        user_id: expected.user_id.clone().or(found.user_id),
        page_id: expected.page_id.clone().or(found.page_id),
    }
}

/// Adopts what first deliveries to a token's files would replace, where that is better than the
/// current one; for commands that deliver and examine nothing else. `handed_over` is examined by the
/// command itself.
pub fn adopt_before_first_delivery(
    run: &Run<'_>,
    token: &TokenConfig,
    app: &App,
    mut credential: Credential,
    delivery: &TokenDelivery<'_>,
    handed_over: Option<&AccessToken>,
) -> Result<Credential, StoreError> {
    let candidates = Candidates {
        run,
        token,
        app_id: Some(app.id.clone()),
        parent: token.parent.as_ref().and_then(|parent| run.known_id(parent)),
        if_refused: IfRefused::Silent,
        identity: IdentityChange::Refused,
    };
    for foreign in delivery.foreign_tokens()? {
        let is_new = foreign.next == NextDelivery::First
            && foreign.known.is_none()
            && handed_over != Some(&foreign.access_token);
        // What waits to be examined is not given up for it: `refresh` examines both.
        if !is_new || credential.candidate.is_some() {
            continue;
        }
        let new = NewCandidate::found(foreign.access_token);
        let (sealed, candidate) = candidates.seal(credential, new)?;
        let ask = |credential, generation: &Generation| {
            let access_token = run.store.reveal(generation.id)?;
            let inspection = inspect::inspect(&run.graph, app, &access_token);
            Ok((credential, inspection.map(|inspection| Proof { at: run.now(), inspection })))
        };
        credential = candidates.examine(sealed, &candidate, &ask)?.0;
    }
    Ok(credential)
}
