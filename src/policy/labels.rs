//! Judges labels: those that name another's access token.

use super::{Health, Reason};
use crate::token::{Action, Label, SharedToken};

/// The code of what is said of a label whose config names another token's access token.
const SHARED_TOKEN: &str = "shared_token";

/// Says that the config names for `label` the access token that another token has.
pub fn judge_shared(label: &Label, shared: &SharedToken) -> Reason {
    let SharedToken { with, is_declared } = shared;
    let remedy = if *is_declared {
        format!("give it an access token of its own, or remove {} from the config", table(label))
    } else {
        format!(
            "if it is the new name of `{with}`, set `was = \"{with}\"` in {}, else run \
             `metatoken forget {with}`; then run `metatoken refresh {label}`",
            table(label)
        )
    };
    Reason {
        code: SHARED_TOKEN,
        severity: Health::Critical,
        message: format!(
            "not adopted: its `access_token` is the access token of `{with}`{}",
            if *is_declared { "" } else { ", which the config no longer declares" }
        ),
        remedy,
        action: Action::FixConfiguration,
        about: None,
        labels: vec![label.clone()],
        held_by: None,
    }
}

impl Reason {
    /// Whether it is about what the config says of single labels: a run ends with 78 over it.
    pub fn is_about_the_config(&self) -> bool {
        self.code == SHARED_TOKEN
    }
}

/// The table of a token in the config, as a person finds it.
fn table(label: &Label) -> String {
    match label.as_discovered() {
        Some(_) => format!("`[token.\"{label}\"]`"),
        None => format!("`[token.{label}]`"),
    }
}
