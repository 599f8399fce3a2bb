//! Says how much of a cause is told to whoever reads a page that anybody in the office can open.

use super::Reason;
use crate::token::Action;

named! {
    /// How much a page tells.
    pub enum PageDetail {
        /// Labels, states and dates; no address, path, id or command.
        Labels = "labels",
        /// Everything that `report --html` shows.
        Full = "full",
    }
}

impl Reason {
    /// The state and the cause in words that hold no address, path, id or command.
    pub fn what_in_labels(&self) -> String {
        let cause = self.code.replace('_', " ");
        match self.condition {
            Some(condition) => format!("{condition}, {cause}"),
            None => cause,
        }
    }

    /// Who acts, without a name.
    pub const fn who_in_labels(&self) -> &'static str {
        match self.action {
            Action::Reauthenticate => "its owner logs in again",
            Action::FixAccount => "its owner frees the account",
            Action::GrantPermission => "its owner grants what is missing",
            Action::FixConfiguration => "the operator corrects it",
            Action::Retry | Action::SlowDown | Action::Wait => "it is tried again",
            Action::None => "",
        }
    }
}
