//! Tells people how a refresh ended: metrics, notifications, channels that failed.

use super::{Only, RefreshOrder};
use crate::commands::textfile;
use crate::complaint::Complaint;
use crate::notify::{self, Beat};
use crate::policy::{Reason, words};
use crate::report::{RunReport, StatusReport};
use crate::run::tokens::Tokens;
use crate::run::{DryRun, Run};
use crate::session::Session;
use crate::status;
use crate::store::FULL;

/// Adds to what is said of a full disk which tokens have no time left for it.
pub(super) fn naming_the_critical(session: &Session, why: Complaint) -> Complaint {
    let of_a_full_disk = why.code == FULL;
    let Some(Ok(Some(store))) = of_a_full_disk.then(|| session.reader()) else { return why };
    let tokens = Tokens::new(&session.config, store.credentials().unwrap_or_default());
    match tokens.critical(&tokens.configs, session.clock.now()) {
        critical if critical.is_empty() => why,
        critical => {
            why.hint(format!("expiring within `critical_within`: {}", words::list(&critical)))
        }
    }
}

/// Writes the metrics and tells people what they have not been told, now that all is settled
/// and the run is written down. What is to be said of
/// what failed at that is in the report.
pub(super) fn tell(run: &Run<'_>, order: &RefreshOrder, report: &mut RunReport) {
    let config = &run.session.config;
    let wanted = config.alerts.textfile.is_some() || !config.notify.is_empty();
    if !wanted || !tells(order) || run.session.interrupt.is_raised() {
        return;
    }
    match status::collect_stored(run.session, &run.store, &run.graph) {
        Ok(status) => {
            let status = status.with_prefix(run.prefix());
            report.system.extend(publish(run, status));
        }
        Err(complaint) => report.system.push(notify::cannot_notify(&complaint)),
    }
}

/// Writes the metrics and sends the notifications. Gives what is to be said of what failed at that.
fn publish(run: &Run<'_>, mut status: StatusReport) -> Vec<Reason> {
    let file = run.session.config.alerts.textfile.as_deref();
    let unwritten = file.and_then(|path| textfile::write(path, &status).err());
    status.system.extend(unwritten.clone());
    let untold = notify::notify(run.session, &run.store, status, &|| Ok(run.id));
    unwritten.into_iter().chain(untold).collect()
}

/// Whether watchers wait for this run: a whole one, and a real one. That a person refreshed one
/// token by hand says nothing of the timer.
pub(super) fn is_watched(order: &RefreshOrder) -> bool {
    order.patterns.is_empty() && tells(order)
}

/// What watchers are told of the end: a run ended well if nobody has to do anything.
pub(super) fn beat(report: &Result<RunReport, Complaint>) -> Beat {
    let well = report.as_ref().is_ok_and(|report| !report.wants_a_person());
    if well { Beat::Success } else { Beat::Fail }
}

/// The report with what is to be said of the channels, now that every one was tried that has
/// something to tell.
pub(super) fn with_channel_troubles(
    run: &Run<'_>,
    order: &RefreshOrder,
    mut report: RunReport,
) -> RunReport {
    if tells(order) {
        let now = run.now();
        report.system.extend(notify::channel_problems(run.session, &run.store, now));
    }
    report
}

/// Whether this is a run that people are told of.
fn tells(order: &RefreshOrder) -> bool {
    order.run.dry_run == DryRun::No && order.only == Only::All
}
