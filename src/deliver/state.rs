//! Says how a token's targets stand, by what the store knows and by what the files hold.

use super::context::has_had;
use super::file::read_value;
use crate::config::{FileTarget, Place, Target, TokenConfig};
use crate::store::Store;
use crate::token::{AccessToken, Credential, Delivery, Secret, Time};

/// Returns what the store knows of the targets that the config names, in the config's order.
pub fn stored_deliveries(
    token_config: &TokenConfig,
    credential: Option<&Credential>,
) -> Vec<Delivery> {
    let known = credential.map(|credential| credential.deliveries.as_slice()).unwrap_or_default();
    let row = |target: &Target| {
        let known = known.iter().find(|row| row.target == target.id);
        known.cloned().unwrap_or_else(|| Delivery::unseen(target.id.clone()))
    };
    token_config.deliver.iter().map(row).collect()
}

/// Returns the same, with a look into the files; `store` has its key.
///
/// A file that may not be read stays as the store has it: looking is not delivering.
pub fn observed_deliveries(
    token_config: &TokenConfig,
    credential: &Credential,
    store: &Store,
    now: Time,
) -> Vec<Delivery> {
    let rows = stored_deliveries(token_config, Some(credential));
    let look = |(row, target): (Delivery, &Target)| match &target.place {
        Place::File(file) => observed(row, file, credential, store, now),
        Place::Command(_) => row,
    };
    rows.into_iter().zip(&token_config.deliver).map(look).collect()
}

fn observed(
    row: Delivery,
    file: &FileTarget,
    credential: &Credential,
    store: &Store,
    now: Time,
) -> Delivery {
    if row.half_written_since.is_some() {
        // Half an access token belongs to no token.
        return row;
    }
    let (Some(current), Ok(found)) = (&credential.current, read_value(file)) else { return row };
    let known = found
        .as_ref()
        .and_then(|found| AccessToken::parse(found.expose()).ok())
        .and_then(|string| store.fingerprint(&string).ok());
    if known == Some(current.fingerprint) {
        return Delivery {
            pending: None,
            pending_since: None,
            error: None,
            failed_at: None,
            drifted_since: None,
            settled: Some(current.id),
            settled_at: row.settled_at.or(Some(now)),
            ..row
        };
    }
    // Where nothing was ever delivered, nothing can have drifted.
    if row.settled.is_none() || row.drifted_since.is_some() {
        return row;
    }
    let ours = |found: &Secret| has_had(store, credential.id, found).unwrap_or(false);
    if found.as_ref().is_none_or(ours) {
        Delivery {
            pending: row.pending.or(Some(current.id)),
            pending_since: row.pending_since.or(Some(now)),
            ..row
        }
    } else {
        Delivery { drifted_since: Some(now), error: None, failed_at: None, ..row }
    }
}
