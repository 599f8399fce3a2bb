//! Looks a database over: its pages, its indexes, what its tables promise, and its rows.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rusqlite::Connection;

use super::tx::SqliteTx;
use crate::store::engine::RowCheck;
use crate::store::tx_error::{EngineFailure, TxError};

/// How many findings are told; more say no more.
const MOST_FINDINGS: u32 = 5;

/// Returns what is damaged; nothing can be said if it takes longer than `patience`.
pub fn look_over(
    connection: &Connection,
    patience: Duration,
    check: RowCheck,
) -> Result<Option<Vec<String>>, TxError> {
    let handle = connection.get_interrupt_handle();
    let (done, wait) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                handle.interrupt();
            }
        });
        let found = findings(connection, check);
        drop(done);
        match found {
            Err(TxError::Engine(EngineFailure::Interrupted, _)) => Ok(None),
            // Damage that keeps it from being looked for is damage.
            Err(TxError::Engine(EngineFailure::Damaged, cause)) => {
                Ok(Some(vec![cause.to_string()]))
            }
            found => Ok(Some(found?)),
        }
    })
}

fn findings(connection: &Connection, check: RowCheck) -> Result<Vec<String>, TxError> {
    let mut findings = Vec::new();
    let mut quick_check = connection.prepare(&format!("PRAGMA quick_check({MOST_FINDINGS})"))?;
    let said = quick_check.query_map([], |row| row.get::<_, String>(0))?;
    for finding in said {
        findings.push(finding?);
    }
    findings.retain(|finding| finding != "ok");
    let mut key_check = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = key_check.query([])?;
    if let Some(row) = rows.next()? {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        findings.push(format!("a row of `{table}` names a row of `{parent}` that is not there"));
    }
    findings.extend(check(&mut SqliteTx::new(connection, None))?);
    Ok(findings)
}
