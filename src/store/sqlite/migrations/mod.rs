//! Brings a file of an older schema to today's.
//!
//! An append-only list: a step that was ever released is never edited, because some store has
//! taken it already. `user_version` counts the steps taken; all that are missing are taken in one
//! exclusive transaction, so a store is of one schema or of another and never between.

use rusqlite::Connection;

/// The steps, oldest first.
const STEPS: &[&str] = &[
    // 1: tokens, their generations and proofs, runs, attempts and events.
    include_str!("v1.sql"),
    // 2: apps that are left alone; more types of token.
    include_str!("v2.sql"),
    // 3: what is pending for targets and what they have, and what their files held before.
    include_str!("v3.sql"),
    // 4: what people were told, and through what; events of no token.
    include_str!("v4.sql"),
    // 5: damage and who worked around it; writes into a file that were not ended; programs that
    // may outlive a run; renewals whose answers were lost.
    include_str!("v5.sql"),
];

/// Returns the schema that this version reads and writes.
pub fn latest() -> i64 {
    i64::try_from(STEPS.len()).expect("a list in memory is short")
}

/// Returns the schema of an open file; 0 is a blank one.
pub fn schema_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the missing steps. The caller holds the transaction, and has refused newer files.
pub fn take(within: &rusqlite::Transaction<'_>) -> rusqlite::Result<()> {
    let taken = usize::try_from(schema_of(within)?).unwrap_or(0);
    for step in STEPS.iter().skip(taken) {
        within.execute_batch(step)?;
    }
    if taken < STEPS.len() {
        within.pragma_update(None, "user_version", latest())?;
    }
    Ok(())
}
