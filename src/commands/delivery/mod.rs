//! Bringing a token's string to its targets.
//!
//! What is owed is settled in the config's order. A file that fails does not keep the next one
//! waiting, but a command waits for the files above it. Nothing here asks Meta for anything.

mod courier;
mod foresight;
mod half_written;
mod hooks;
mod seen;

use std::collections::HashMap;
use std::sync::Mutex;

use self::half_written::{HalfWritten, finish_files};
use self::hooks::PendingHook;
use crate::exit::Exit;
use crate::policy::judge_deliveries;
use crate::report::TokenResult;
use crate::run::Run;
use crate::run::tokens::TokenConfig;
use crate::store::{Store, StoreError};
use crate::token::{AccessToken, Delivery, GenerationState, Label, Secret, TokenId};

pub(super) use courier::{Courier, Manner};
pub(super) use half_written::Remembered;
pub(super) use seen::{of_config, seen};

/// The deliveries of one run: what an earlier one left unfinished, and the hooks that wait.
pub(super) struct Deliveries<'a> {
    run: &'a Run<'a>,
    half_written: Vec<HalfWritten>,
    /// Hooks that serve several tokens; run once for all, when every token has had its turn.
    pending_hooks: Mutex<Vec<PendingHook>>,
}

impl<'a> Deliveries<'a> {
    /// Finishes the files that an earlier run left half-written.
    pub(super) fn open(run: &'a Run<'a>) -> Result<Self, StoreError> {
        Ok(Self { run, half_written: finish_files(run)?, pending_hooks: Mutex::default() })
    }

    /// Delivers one token.
    pub(super) const fn of_token(
        &'a self,
        member: &'a TokenConfig,
        token: TokenId,
        manner: Manner,
    ) -> Courier<'a> {
        Courier::new(self, member, token, manner)
    }

    /// Adds to each result how its targets stand now that everything was brought that can be.
    pub(in crate::commands) fn account_for(
        &self,
        results: &mut [TokenResult],
    ) -> Result<(), StoreError> {
        let delivered = self.run.tokens.configs.iter().filter(|member| !member.deliver.is_empty());
        let members: HashMap<&Label, &TokenConfig> =
            delivered.map(|member| (&member.label, member)).collect();
        for result in results {
            let Some(member) = members.get(&result.label) else { continue };
            let Some(token) = self.run.known(&result.label) else { continue };
            let credential = self.run.store.credential(token)?;
            result.deliveries = of_config(member, Some(&credential));
            result.standing.extend(judge_deliveries(
                &result.label,
                &result.deliveries,
                self.run.now(),
            ));
            if result.deliveries.iter().any(Delivery::is_behind) {
                result.exit = result.exit.or_worse(Exit::NotDelivered);
            }
        }
        Ok(())
    }
}

/// Whether any token ever had this string, or it was ever looked at for one.
fn was_ever_had(store: &Store, found: &Secret) -> Result<bool, StoreError> {
    let Ok(string) = AccessToken::parse(found.expose()) else { return Ok(false) };
    Ok(!store.sightings(&store.fingerprint(&string)?)?.is_empty())
}

/// Whether this is a string that the token has, or had and that was followed by another. One that
/// waits to be examined, or was refused, is still whoever's it was.
fn has_had(store: &Store, token: TokenId, found: &Secret) -> Result<bool, StoreError> {
    let Ok(string) = AccessToken::parse(found.expose()) else { return Ok(false) };
    let sightings = store.sightings(&store.fingerprint(&string)?)?;
    Ok(sightings.iter().any(|sighting| {
        sighting.token == token
            && !matches!(sighting.state, GenerationState::Candidate | GenerationState::Refused)
    }))
}
