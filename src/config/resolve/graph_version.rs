//! The versions of Graph.

use serde_spanned::Spanned;

use super::given_or;
use crate::config::mask::quoted;
use crate::config::mistake::Faults;
use crate::config::settings::{Origin, Origins};
use crate::config::wire::Given;
use crate::policy::NEWEST;
use crate::token::Provider;

/// The only one that Threads ever had. Source: Meta, Threads, get started.
const THREADS: &str = "v1.0";

/// The version that an app's calls name.
pub(super) fn resolve(
    kind: Provider,
    given: Given<String>,
    table: &str,
    origins: &mut Origins,
    faults: &mut Faults,
) -> String {
    if kind == Provider::Threads {
        if let Some(given) = given {
            faults
                .add(given.span(), "Threads has one version of its own")
                .label("leave `graph_version` out");
        }
        origins.insert("graph_version", Origin::Implied("Threads has one version of its own"));
        return THREADS.to_owned();
    }
    let given = given.filter(|version| check(version, faults));
    given_or(given, NEWEST.to_owned(), "graph_version", table, origins)
}

/// Whether the text has the form of a version; a newer one than ours may well exist.
fn check(version: &Spanned<String>, faults: &mut Faults) -> bool {
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
