//! `refresh`: renews what is due, verifies what was not checked lately, derives Pages.
//!
//! The run itself is `run/refresh.rs`. How it ended is published here: metrics, notifications, pings.

use super::publish::publish;
use crate::error::CliError;
use crate::exit::Exit;
use crate::notify::{self, Beat, Heartbeat};
use crate::policy::humanize;
use crate::report::RunReport;
use crate::run::declared::LastReading;
use crate::run::tokens::Tokens;
use crate::run::{self, DryRun, Only, RefreshOptions, Run, RunTurn};
use crate::session::Session;
use crate::store::FULL;

/// Refreshes tokens, and publishes how that ended.
pub fn refresh(session: &Session, options: &RefreshOptions) -> Result<Exit, CliError> {
    let cannot_run = |why: CliError| {
        let why = with_critical_tokens(session, why);
        if is_watched(options) {
            Heartbeat::cannot_run(session, &why);
        }
        why
    };
    let turn = RunTurn::wait(session, options.run).map_err(cannot_run)?;
    let session = turn.session(session);
    run::refuse_unknown(session, &options.patterns)?;
    let mut run = Run::open(&turn, session, options.run).map_err(cannot_run)?;
    let heartbeat = is_watched(options).then(|| Heartbeat::start(session));
    let mut report = run::refresh(&mut run, options);
    let closed = run.close_with(&report);
    if let Err(error) = run.bear_full(closed) {
        report = Err(error.into());
    }
    if let Ok(report) = &mut report {
        report.system.extend(run.fullness(&report.results));
        if is_published(options) {
            publish(&run, report);
        }
    }
    if let Some(heartbeat) = heartbeat {
        heartbeat.end(session, &run.store, run.id, beat(&report), run.now());
    }
    run.show(report.map(|report| with_channel_problems(&run, options, report))?)
}

/// Adds to the error of a full disk the tokens that have no time left for it.
fn with_critical_tokens(session: &Session, why: CliError) -> CliError {
    let of_a_full_disk = why.code == FULL;
    let Some(Ok(Some(store))) = of_a_full_disk.then(|| session.reader()) else { return why };
    let credentials = store.credentials().unwrap_or_default();
    let tokens = Tokens::new(&session.config, credentials, &LastReading::new());
    match tokens.critical(&tokens.configs, session.clock.now()) {
        critical if critical.is_empty() => why,
        critical => {
            why.hint(format!("expiring within `critical_within`: {}", humanize::list(&critical)))
        }
    }
}

/// Whether watchers wait for this run: all tokens, and no dry run. That a person refreshed one token
/// by hand says nothing of the timer.
fn is_watched(options: &RefreshOptions) -> bool {
    options.patterns.is_empty() && is_published(options)
}

/// How the run ended for watchers: well, unless a person has to do something.
fn beat(report: &Result<RunReport, CliError>) -> Beat {
    let well = report.as_ref().is_ok_and(|report| !report.wants_a_person());
    if well { Beat::Success } else { Beat::Fail }
}

/// The report with the channels that failed, now that each with a message to send was tried.
fn with_channel_problems(
    run: &Run<'_>,
    options: &RefreshOptions,
    mut report: RunReport,
) -> RunReport {
    if is_published(options) {
        let now = run.now();
        report.system.extend(notify::channel_problems(run.session, &run.store, now));
    }
    report
}

/// Whether a run is published: no dry run, and not the exchange of stored tokens alone.
fn is_published(options: &RefreshOptions) -> bool {
    options.run.dry_run == DryRun::No && options.only == Only::All
}
