//! Finds the files that still hold an access token of a token that is to be forgotten, and empties
//! them.

use super::deliveries::Deliveries;
use super::error::DeliveryError;
use super::file::{PlannedWrite, Written, read_value, rewrite};
use super::half_written::StoreMemory;
use super::places::{file_of, place_of};
use crate::config::{FileTarget, SecretSource, TokenConfig};
use crate::edit::{Edited, Missing};
use crate::files::Opened;
use crate::store::{StoreError, TargetPlace};
use crate::token::{AccessToken, DryRun, TargetId, TokenId};

/// A file that holds an access token that its token has or had.
pub struct HoldingFile {
    /// The target.
    pub target: TargetId,
    token: TokenId,
    file: FileTarget,
}

impl Deliveries<'_> {
    /// Lists the files that hold an access token that this token has or had; the config may no longer
    /// have the token. A file that cannot be read is not known to hold one.
    pub fn holding(
        &self,
        token: TokenId,
        config: Option<&TokenConfig>,
    ) -> Result<Vec<HoldingFile>, StoreError> {
        let own = config.map(|config| config.deliver.as_slice()).unwrap_or_default();
        let own = own.iter().filter_map(|target| place_of(token, target));
        let mut places: Vec<TargetPlace> = own.collect();
        for place in self.context.store.places(Some(token))? {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let mut holding = Vec::new();
        for place in places {
            let target = place.target.clone();
            let Some(file) = file_of(place) else { continue };
            if self.holds(token, &file)? {
                holding.push(HoldingFile { target, token, file });
            }
        }
        Ok(holding)
    }

    /// Returns whether the file in which the config says that an access token is found holds one that
    /// this token has or had.
    pub fn source_holds(&self, token: TokenId, source: &SecretSource) -> Result<bool, StoreError> {
        let SecretSource::File { path, key, format } = source else { return Ok(false) };
        let (key, format) = (key.clone(), *format);
        self.holds(token, &FileTarget { key, format, ..FileTarget::former(path.clone()) })
    }

    fn holds(&self, token: TokenId, file: &FileTarget) -> Result<bool, StoreError> {
        let Ok(Some(found)) = read_value(file) else { return Ok(false) };
        let Ok(access_token) = AccessToken::parse(found.expose()) else { return Ok(false) };
        let fingerprint = self.context.store.fingerprint(&access_token)?;
        let sightings = self.context.store.sightings(&fingerprint)?;
        Ok(sightings.iter().any(|sighting| sighting.token == token))
    }

    /// Empties the value in the file; a dry run only tries it. A kill leaves it as it can be finished
    /// again.
    pub fn empty(&self, holding: &HoldingFile) -> Result<Result<(), DeliveryError>, StoreError> {
        let HoldingFile { target, token, file } = holding;
        let emptied = |bytes: &[u8]| match file.address().replace(bytes, "", Missing::Refuse) {
            Ok(Edited::Changed(bytes)) => Ok(PlannedWrite::Change(bytes)),
            Ok(Edited::Unchanged) => Ok(PlannedWrite::Leave(Written::Already)),
            Err(error) => Err(DeliveryError::in_file(&file.path, &error)),
        };
        let store = self.context.store;
        if self.context.dry_run == DryRun::Yes {
            let opened = Opened::open(&file.path);
            let tried = opened.map_err(DeliveryError::from);
            return Ok(tried.and_then(|opened| match opened {
                Some(opened) => emptied(opened.bytes()).map(drop),
                None => Ok(()),
            }));
        }
        let memory = StoreMemory {
            store,
            token: *token,
            target,
            path: &file.path,
            generation: None,
            now: self.context.time.now(),
        };
        let written = rewrite(file, &memory, emptied)?.map(drop);
        if written.is_ok() {
            store.end_overwrite(*token, target)?;
        }
        Ok(written)
    }
}
