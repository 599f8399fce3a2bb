//! The versions of Graph.

use serde_spanned::Spanned;

use crate::config::mask::quoted;
use crate::config::mistake::Faults;

/// The newest version that was out when this was written.
pub(super) const NEWEST: &str = "v26.0";

/// Whether the text has the form of a version; a newer one than ours may well exist.
pub(super) fn check(version: &Spanned<String>, faults: &mut Faults) -> bool {
    let digits =
        |part: &str| (1..=3).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit());
    let good = version
        .get_ref()
        .strip_prefix('v')
        .and_then(|version| version.split_once('.'))
        .is_some_and(|(major, minor)| digits(major) && digits(minor));
    if !good {
        let message = format!("{} is no version of Graph", quoted(version.get_ref()));
        faults.add(version.span(), message).label(format!("write it like `{NEWEST}`"));
    }
    good
}
