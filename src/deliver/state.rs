//! Says the state of a token's targets, by what the store knows and by what the files hold.

use super::target::{FileTarget, Place, Target};
use super::write::look;
use crate::store::{Store, StoreError};
use crate::token::{AccessToken, Credential, Delivery, GenerationState, Secret, Time, TokenId};

/// What the store knows of the targets that the config names, in the config's order.
pub fn of_config(targets: &[Target], credential: Option<&Credential>) -> Vec<Delivery> {
    let known = credential.map(|credential| credential.deliveries.as_slice()).unwrap_or_default();
    let row = |target: &Target| {
        let known = known.iter().find(|row| row.target == target.id);
        known.cloned().unwrap_or_else(|| Delivery::unseen(target.id.clone()))
    };
    targets.iter().map(row).collect()
}

/// The same, with a look into the files; `store` has its key.
///
/// A file that cannot be read stays as the store has it: looking is not delivering.
pub fn seen(
    targets: &[Target],
    credential: &Credential,
    store: &Store,
    now: Time,
) -> Vec<Delivery> {
    let rows = of_config(targets, Some(credential));
    let seen = |(row, target): (Delivery, &Target)| match &target.place {
        Place::File(file) => looked(row, file, credential, store, now),
        Place::Command(_) => row,
    };
    rows.into_iter().zip(targets).map(seen).collect()
}

fn looked(
    row: Delivery,
    file: &FileTarget,
    credential: &Credential,
    store: &Store,
    now: Time,
) -> Delivery {
    if row.half_written_since.is_some() {
        // Half an access token is none of anybody's.
        return row;
    }
    let (Some(current), Ok(found)) = (&credential.current, look(file)) else { return row };
    let known = found
        .as_ref()
        .and_then(|found| AccessToken::parse(found.expose()).ok())
        .and_then(|string| store.fingerprint(&string).ok());
    if known == Some(current.fingerprint) {
        return Delivery {
            owed: None,
            owed_since: None,
            error: None,
            failed_at: None,
            drifted_since: None,
            settled: Some(current.id),
            settled_at: row.settled_at.or(Some(now)),
            ..row
        };
    }
    // Where nothing was ever delivered, nothing can have gone its own way.
    if row.settled.is_none() || row.drifted_since.is_some() {
        return row;
    }
    let ours = |found: &Secret| has_had(store, credential.id, found).unwrap_or(false);
    if found.as_ref().is_none_or(ours) {
        Delivery {
            owed: row.owed.or(Some(current.id)),
            owed_since: row.owed_since.or(Some(now)),
            ..row
        }
    } else {
        Delivery { drifted_since: Some(now), ..row }
    }
}

/// Whether this is the current access token of a token, or an earlier one. A candidate, or one that
/// was refused, belongs to the program that wrote it.
pub fn has_had(store: &Store, token: TokenId, found: &Secret) -> Result<bool, StoreError> {
    let Ok(string) = AccessToken::parse(found.expose()) else { return Ok(false) };
    let sightings = store.sightings(&store.fingerprint(&string)?)?;
    Ok(sightings.iter().any(|sighting| {
        sighting.token == token
            && !matches!(sighting.state, GenerationState::Candidate | GenerationState::Refused)
    }))
}
