//! Remembers where the file targets are: the config may no longer say it when a token is forgotten.

use std::collections::HashMap;

use crate::config::{FileTarget, Place, Rules, Target, Writing};
use crate::edit::{Format, Missing, Options};
use crate::store::TargetPlace;
use crate::token::{TargetId, TokenId};

/// Where the file targets of all tokens were when they were last served.
pub struct Places(HashMap<(TokenId, TargetId), TargetPlace>);

impl Places {
    /// Keeps what the store says.
    pub fn new(all: Vec<TargetPlace>) -> Self {
        Self(all.into_iter().map(|it| ((it.token, it.target.clone()), it)).collect())
    }

    /// Lists those of a token's targets that are new or elsewhere now.
    pub fn changed(&self, token: TokenId, targets: &[Target]) -> Vec<TargetPlace> {
        let places = targets.iter().filter_map(|target| place_of(token, target));
        places.filter(|it| self.0.get(&(token, it.target.clone())) != Some(it)).collect()
    }
}

/// Where a target is, if it is a file.
pub fn place_of(token: TokenId, target: &Target) -> Option<TargetPlace> {
    let Place::File(file) = &target.place else { return None };
    Some(TargetPlace {
        token,
        target: target.id.clone(),
        path: file.path.clone(),
        format: file.format.as_str().to_owned(),
        key: file.key.clone(),
        document: file.rules.options.document,
        in_place: file.writing == Writing::InPlace,
    })
}

/// The file of a target that the config may no longer have.
pub fn file_of(place: TargetPlace) -> Option<FileTarget> {
    let options = Options { document: place.document, ..Options::default() };
    Some(FileTarget {
        path: place.path,
        key: place.key,
        format: Format::from_name(&place.format)?,
        writing: if place.in_place { Writing::InPlace } else { Writing::Atomic },
        missing: Missing::Refuse,
        rules: Rules { options, ..Rules::default() },
    })
}
