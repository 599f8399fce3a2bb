//! Reads the access tokens that the config points to, and finds what the store knows of each.

use std::collections::HashMap;

use super::tokens::TokenConfig;
use crate::error::CliError;
use crate::session::Session;
use crate::store::{Sighting, Store};
use crate::token::{
    AccessToken, Action, Fingerprint, GenerationId, GenerationState, Label, Problem, ProblemKind,
    SharedToken, read_pasted,
};

/// What is found where the config points.
#[derive(Debug)]
pub enum ConfiguredToken {
    /// An access token that this token never had.
    Found(AccessToken),
    /// One that the store has seen as this token's.
    Known(KnownToken),
    /// An access token that another token has.
    Shared(SharedToken),
    /// Nothing that could be an access token.
    Unusable {
        /// Why.
        problem: Problem,
        /// What the place holds.
        holds: Holds,
    },
}

/// What a place holds that has no access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Nothing: it is unset.
    Nothing,
    /// What cannot be read here.
    Unread,
    /// A text that is not an access token of this type.
    OtherText,
}

/// An access token of the config that the store has seen as this token's.
#[derive(Debug, Clone)]
pub struct KnownToken {
    /// The access token.
    pub access_token: AccessToken,
    /// Which generation it is or was.
    pub generation: GenerationId,
    /// Where that stands.
    pub state: GenerationState,
    /// Whether it may not be taken again by itself.
    pub is_barred: bool,
}

/// Reads the source of one token.
pub fn read(session: &Session, config: &TokenConfig) -> Option<ConfiguredToken> {
    let source = config.access_token.as_ref()?;
    let unusable = |why: String, fix: String, holds| {
        let problem = Problem::new(ProblemKind::Unknown, why).with_fix(fix);
        let problem = problem.with_action(Action::FixConfiguration);
        Some(ConfiguredToken::Unusable { problem, holds })
    };
    match session.secrets.resolve(source) {
        Err(error) => {
            let holds = if error.unset { Holds::Nothing } else { Holds::Unread };
            unusable(error.to_string(), error.fix("the access token"), holds)
        }
        Ok(secret) => match read_pasted(secret.expose(), Some(config.token_type)) {
            Ok(token) => Some(ConfiguredToken::Found(token)),
            Err(unfit) => {
                let place = session.secrets.place(source);
                unusable(
                    format!("no access token in {place}: {unfit}"),
                    format!("in {source}, {}", unfit.fix()),
                    Holds::OtherText,
                )
            }
        },
    }
}

/// Reads the sources of all `tokens`, and finds what the store knows of what they hold.
///
/// Where the current one is lost, one that the token had before counts as new: Graph says whether it
/// still lives. One that another token has is never adopted: a renewal under one label would surprise
/// the other. Where several name one that no token has, it is the first one's.
pub fn read_all(
    session: &Session,
    tokens: &[&TokenConfig],
    store: &Store,
    is_lost: impl Fn(&Label) -> bool,
) -> Result<HashMap<Label, ConfiguredToken>, CliError> {
    let mut configured_tokens = HashMap::new();
    let (mut found, mut fingerprints) = (Vec::new(), Vec::new());
    for config in tokens {
        match read(session, config) {
            Some(ConfiguredToken::Found(token)) => {
                fingerprints.push(store.fingerprint(&token)?);
                found.push((config, token));
            }
            Some(other) => {
                configured_tokens.insert(config.label.clone(), other);
            }
            None => {}
        }
    }
    let sightings = store.sightings_of_each(&fingerprints)?;
    let mut named_by: HashMap<Fingerprint, &Label> = HashMap::new();
    for (((config, token), fingerprint), sightings) in
        found.into_iter().zip(fingerprints).zip(sightings)
    {
        let is_own = |sighting: &&Sighting| {
            sighting.label == config.label || Some(&sighting.label) == config.was.as_ref()
        };
        let is_known = |it: &&Sighting| is_own(it) && !it.is_forgotten;
        let own = sightings.iter().find(is_known);
        let own = own.filter(|own| own.is_barred || !is_lost(&config.label));
        if let Some(own) = own {
            let known = KnownToken {
                access_token: token,
                generation: own.generation,
                state: own.state,
                is_barred: own.is_barred,
            };
            configured_tokens.insert(config.label.clone(), ConfiguredToken::Known(known));
            continue;
        }
        let other = sightings.iter().find(|it| !is_own(it) && holds(it.state));
        let other = other.map(|it| &it.label).or_else(|| named_by.get(&fingerprint).copied());
        let configured_token = if let Some(with) = other {
            let is_declared = session.config.token(with).is_some();
            ConfiguredToken::Shared(SharedToken { with: with.clone(), is_declared })
        } else {
            named_by.insert(fingerprint, &config.label);
            ConfiguredToken::Found(token)
        };
        configured_tokens.insert(config.label.clone(), configured_token);
    }
    Ok(configured_tokens)
}

/// Whether an access token in this state still belongs to the token that has it.
pub const fn holds(state: GenerationState) -> bool {
    matches!(
        state,
        GenerationState::Candidate | GenerationState::Current | GenerationState::Previous
    )
}
