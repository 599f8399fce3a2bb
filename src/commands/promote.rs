//! `promote`: puts the backup of a token in its place.

use std::time::Duration;

use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::report::RunReport;
use crate::run::promotion::promote_backup;
use crate::run::{self, DryRun, Run, RunOptions, RunTurn, log};
use crate::session::Session;
use crate::token::{Label, Pattern, Trigger};

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
    let options = RunOptions {
        command: "promote",
        trigger: Trigger::Manual,
        dry_run: order.dry_run,
        lock_wait: order.lock_wait,
    };
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let mut run = Run::open(&turn, session, options)?;
    let report = run.load_tokens().and_then(|()| {
        let deliveries = run.deliveries()?;
        let work = || put_in_place(&run, &deliveries, order);
        session.interrupt.guard(|| run.aborted(), work)
    });
    let report = report.and_then(|report| {
        let pages = run.tokens.pages_of(&order.label).map(|page| Pattern::new(page.label.as_str()));
        let pages: Vec<Pattern> = pages.collect();
        run::add_refreshed(&mut run, options, pages, report)
    });
    run.finish(report)
}

fn put_in_place(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    order: &PromoteOrder,
) -> Result<RunReport, CliError> {
    let token = run.tokens.one(&order.label)?;
    let _about = log::about(&token.label);
    let result = promote_backup(run, deliveries, token)?;
    run.bear_full(deliveries.run_pending_hooks())?;
    run.report(deliveries, vec![result])
}
