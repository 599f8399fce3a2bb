//! `rollback`: puts an earlier access token back in the current one's place.

use std::time::Duration;

use crate::error::CliError;
use crate::exit::Exit;
use crate::run::rollback::roll_back;
use crate::run::{DryRun, RunOptions, add_pages_of, in_a_run};
use crate::session::Session;
use crate::token::Label;

/// What was asked for.
#[derive(Debug)]
pub struct RollbackOrder {
    /// The token.
    pub label: Label,
    /// The generation; the newest earlier one that works if none was named.
    pub generation: Option<u32>,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// Puts an earlier access token back, delivers it, and derives the token's Pages anew.
pub fn rollback(session: &Session, order: &RollbackOrder) -> Result<Exit, CliError> {
    session.refuse_without_store("nothing is kept that could be put back")?;
    let options = RunOptions::typed("rollback", order.dry_run, order.lock_wait);
    in_a_run(session, options, |run| {
        let report = run.on_token(&order.label, |token, deliveries| {
            run.report_on(deliveries, roll_back(run, deliveries, token, order.generation)?)
        })?;
        add_pages_of(&order.label, run, options, report)
    })
}
