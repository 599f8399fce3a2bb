//! `rollback`: puts an earlier access token back in the current one's place.

use std::time::Duration;

use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::report::RunReport;
use crate::run::rollback::roll_back;
use crate::run::{self, DryRun, Run, RunOptions, RunTurn, log};
use crate::session::Session;
use crate::token::{Label, Pattern, Trigger};

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
    let options = RunOptions {
        command: "rollback",
        trigger: Trigger::Manual,
        dry_run: order.dry_run,
        lock_wait: order.lock_wait,
    };
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let mut run = Run::open(&turn, session, options)?;
    let report = run.load_tokens().and_then(|()| {
        let deliveries = run.deliveries()?;
        let work = || put_back(&run, &deliveries, order);
        session.interrupt.guard(|| run.aborted(), work)
    });
    let report = report.and_then(|report| {
        let pages = run.tokens.pages_of(&order.label).map(|page| Pattern::new(page.label.as_str()));
        let pages: Vec<Pattern> = pages.collect();
        run::add_refreshed(&mut run, options, pages, report)
    });
    run.finish(report)
}

fn put_back(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    order: &RollbackOrder,
) -> Result<RunReport, CliError> {
    let token = run.tokens.one(&order.label)?;
    let _about = log::about(&token.label);
    let result = roll_back(run, deliveries, token, order.generation)?;
    run.bear_full(deliveries.run_pending_hooks())?;
    run.report(deliveries, vec![result])
}
