//! Reads the access tokens that the config points to and the store has not seen.

use std::collections::HashMap;

use super::tokens::TokenConfig;
use crate::error::CliError;
use crate::exit::Exit;
use crate::session::Session;
use crate::store::Store;
use crate::token::{AccessToken, Fingerprint, GenerationState, Label, Problem, ProblemKind};

/// What is found where the config points.
#[derive(Debug)]
pub enum ConfiguredToken {
    /// An access token that this token never had.
    Found(AccessToken),
    /// Nothing that could be an access token, and why.
    Unusable(Problem),
}

/// Reads the source of one token.
pub fn read(session: &Session, config: &TokenConfig) -> Option<ConfiguredToken> {
    let source = config.access_token.as_ref()?;
    let unusable = |why: String| {
        Some(ConfiguredToken::Unusable(
            Problem::new(ProblemKind::Unknown, why)
                .with_action(crate::token::Action::FixConfiguration),
        ))
    };
    match session.secrets.resolve(source) {
        Err(error) => unusable(format!("its `access_token` cannot be read: {error}")),
        Ok(secret) => match AccessToken::parse(secret.expose()) {
            Ok(token) => Some(ConfiguredToken::Found(token)),
            Err(why) => unusable(format!("its `access_token` is no access token: {why}")),
        },
    }
}

/// Reads the sources of all `tokens` and keeps what is new to each.
///
/// Where the current one is lost, one that the token had before counts as new: Graph says whether it
/// still lives. One access token under two labels is refused before anything runs: a renewal under
/// one label would surprise the other.
pub fn read_all(
    session: &Session,
    tokens: &[&TokenConfig],
    store: &Store,
    is_lost: impl Fn(&Label) -> bool,
) -> Result<HashMap<Label, ConfiguredToken>, CliError> {
    let mut holders: HashMap<Fingerprint, &Label> = HashMap::new();
    let mut configured_tokens = HashMap::new();
    let (mut found, mut fingerprints) = (Vec::new(), Vec::new());
    let mut shared_here = Ok(());
    for config in tokens {
        let Some(configured_token) = read(session, config) else { continue };
        let ConfiguredToken::Found(token) = &configured_token else {
            configured_tokens.insert(config.label.clone(), configured_token);
            continue;
        };
        let fingerprint = store.fingerprint(token)?;
        if let Some(other) = holders.insert(fingerprint, &config.label) {
            shared_here = Err(refuse_shared(other, &config.label));
            break;
        }
        found.push((config, configured_token));
        fingerprints.push(fingerprint);
    }
    let sightings = store.sightings_of_each(&fingerprints)?;
    for ((config, configured_token), sightings) in found.into_iter().zip(sightings) {
        let mut seen = false;
        for sighting in sightings {
            if sighting.label == config.label || Some(&sighting.label) == config.was.as_ref() {
                seen = !is_lost(&config.label);
            } else if holds(sighting.state) {
                return Err(refuse_shared(&sighting.label, &config.label));
            }
        }
        if !seen {
            configured_tokens.insert(config.label.clone(), configured_token);
        }
    }
    shared_here.map(|()| configured_tokens)
}

/// Whether an access token in this state still belongs to the token that has it.
pub const fn holds(state: GenerationState) -> bool {
    matches!(
        state,
        GenerationState::Candidate | GenerationState::Current | GenerationState::Previous
    )
}

/// Refuses one access token under two labels.
pub fn refuse_shared(one: &Label, other: &Label) -> CliError {
    CliError::new(
        Exit::Config,
        "shared_string",
        format!("`{one}` and `{other}`"),
        "have one and the same access token",
    )
    .hint(format!(
        "give each its own string, or, if `{other}` is the new name of `{one}`, set `was = \"{one}\"`"
    ))
}
