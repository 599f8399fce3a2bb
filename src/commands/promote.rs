//! `promote`: puts the backup of a token in its place.

use std::time::Duration;

use crate::error::CliError;
use crate::exit::Exit;
use crate::run::promotion::promote_backup;
use crate::run::{DryRun, RunOptions, add_pages_of, in_a_run};
use crate::session::Session;
use crate::token::Label;

/// What was asked for.
#[derive(Debug)]
pub struct PromoteOrder {
    /// The token whose backup takes its place.
    pub label: Label,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// Puts the backup of a token in its place, delivers it, and derives the token's Pages anew.
pub fn promote(session: &Session, order: &PromoteOrder) -> Result<Exit, CliError> {
    session.refuse_without_store("nothing is kept that could be promoted")?;
    let options = RunOptions::typed("promote", order.dry_run, order.lock_wait);
    in_a_run(session, options, |run| {
        let report = run.on_token(&order.label, |token, deliveries| {
            run.report_on(deliveries, promote_backup(run, deliveries, token)?)
        })?;
        add_pages_of(&order.label, run, options, report)
    })
}
