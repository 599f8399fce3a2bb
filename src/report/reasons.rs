//! Reasons as a person reads them: which tokens, what is wrong, what to do.

use std::fmt::Write as _;

use crate::policy::{Reason, humanize, merge};

/// Each cause once, the worst first, with the tokens it concerns and its remedy.
pub fn paragraphs(reasons: impl IntoIterator<Item = Reason>) -> String {
    merge(reasons).iter().fold(String::new(), |mut text, reason| {
        let _ = write!(text, "{}: ", reason.severity);
        if !reason.labels.is_empty() {
            let _ = write!(text, "{}: ", humanize::list(&reason.labels));
        }
        let _ = writeln!(text, "{}", reason.message);
        if !reason.remedy.is_empty() {
            let _ = writeln!(text, "  hint: {}", reason.remedy);
        }
        text
    })
}
