//! How each family of tokens is kept, seen through the binary: what Meta asks of it, what nobody
//! knows of Meta and both answers to that, and what the operator reads.
//!
//! User and Page tokens have files of their own, `renewal` and `pages`.

mod app;
mod exchange;
mod instagram;
mod pace;
mod shared_causes;
mod system_user;
mod threads;
mod versions;

use chrono::TimeDelta;
use metatoken::sandbox::TokenFixture;

use crate::common::{CREATOR, INSTA_APP, THREADS_APP};

/// The Instagram app, and Dora's token.
const CREATOR_CONFIG: &str = r#"
[app.insta]
kind = "instagram"
id = "1000000000000011"
secret = { env = "INSTA_SECRET" }

[token.creator]
type = "instagram"
access_token = { env = "CREATOR" }
owner = "dora@creator.example"
"#;

/// The Threads app, and Dora's token.
const NOTES_CONFIG: &str = r#"
[app.threads]
kind = "threads"
id = "1000000000000012"
secret = { env = "THREADS_SECRET" }

[token.notes]
type = "threads"
access_token = { env = "NOTES" }
owner = "dora@creator.example"
"#;

/// Dora's token at Instagram, of sixty days unless it is said otherwise.
fn creator() -> TokenFixture {
    TokenFixture::instagram(INSTA_APP, CREATOR).named("creator")
}

/// Dora's token at Threads, of sixty days unless it is said otherwise.
fn notes() -> TokenFixture {
    TokenFixture::threads(THREADS_APP, CREATOR).named("notes")
}

fn hours(n: i64) -> TimeDelta {
    TimeDelta::hours(n)
}
