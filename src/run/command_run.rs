//! Runs what a person has typed: opens a run, does the work with one token or with all, and ends it.

use super::refresh::add_refreshed;
use super::tokens::TokenConfig;
use super::{Run, RunOptions, RunTurn, log};
use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::report::{RunReport, TokenResult};
use crate::session::Session;
use crate::token::{Label, Pattern};

/// Opens a run, loads the tokens, does `work`, writes down how the run ended, and prints its report.
pub fn in_a_run(
    session: &Session,
    options: RunOptions,
    work: impl FnOnce(&mut Run<'_>) -> Result<RunReport, CliError>,
) -> Result<Exit, CliError> {
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let mut run = Run::open(&turn, session, options)?;
    let report = run.load_tokens().and_then(|()| work(&mut run));
    run.finish(report)
}

/// Adds the Pages of a token that has another access token now: they get new ones in the same run.
pub fn add_pages_of(
    label: &Label,
    run: &mut Run<'_>,
    options: RunOptions,
    report: RunReport,
) -> Result<RunReport, CliError> {
    let pages = run.tokens.pages_of(label).map(|page| Pattern::new(page.label.as_str()));
    let pages: Vec<Pattern> = pages.collect();
    add_refreshed(run, options, pages, report)
}

impl Run<'_> {
    /// Does `work` with the token of that label and its deliveries; a signal ends it after a grace.
    pub fn on_token(
        &self,
        label: &Label,
        work: impl FnOnce(&TokenConfig, &Deliveries<'_>) -> Result<RunReport, CliError>,
    ) -> Result<RunReport, CliError> {
        let deliveries = self.deliveries()?;
        let work = || {
            let token = self.tokens.one(label)?;
            let _about = log::about(&token.label);
            work(token, &deliveries)
        };
        self.session.interrupt.guard(|| self.aborted(), work)
    }

    /// Runs the hooks that are pending, and reports what was done with one token.
    pub fn report_on(
        &self,
        deliveries: &Deliveries<'_>,
        result: TokenResult,
    ) -> Result<RunReport, CliError> {
        self.bear_full(deliveries.run_pending_hooks())?;
        self.report(deliveries, vec![result])
    }
}
