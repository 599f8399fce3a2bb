//! Tells people how a refresh ended: metrics, notifications, channels that failed.

use super::{Only, RefreshOrder};
use crate::commands::notify;
use crate::commands::survey::overview;
use crate::complaint::Complaint;
use crate::policy::humanize;
use crate::report::RunReport;
use crate::run::tokens::Tokens;
use crate::run::{DryRun, Run};
use crate::session::Session;
use crate::store::FULL;

/// Adds to what is said of a full disk which tokens have no time left for it.
pub fn naming_the_critical(session: &Session, why: Complaint) -> Complaint {
    let of_a_full_disk = why.code == FULL;
    let Some(Ok(Some(store))) = of_a_full_disk.then(|| session.reader()) else { return why };
    let tokens = Tokens::new(&session.config, store.credentials().unwrap_or_default());
    match tokens.critical(&tokens.configs, session.clock.now()) {
        critical if critical.is_empty() => why,
        critical => {
            why.hint(format!("expiring within `critical_within`: {}", humanize::list(&critical)))
        }
    }
}

/// Writes the metrics and tells people what they have not been told, now that all is settled
/// and the run is written down. What is to be said of
/// what failed at that is in the report.
pub fn tell(run: &Run<'_>, order: &RefreshOrder, report: &mut RunReport) {
    let config = &run.session.config;
    let wanted = config.alerts.textfile.is_some() || !config.notify.is_empty();
    if !wanted || !tells(order) || run.session.interrupt.is_raised() {
        return;
    }
    match overview(run.session, &run.store, &run.graph) {
        Ok(status) => {
            let status = status.with_prefix(run.prefix());
            let said = notify::tell_of_run(run.session, &run.store, run.id, status);
            report.system.extend(said);
        }
        Err(complaint) => report.system.push(notify::nobody_told(&complaint)),
    }
}

/// The report with what is to be said of the channels, now that every one was tried that has
/// something to tell.
pub fn with_channel_troubles(
    run: &Run<'_>,
    order: &RefreshOrder,
    mut report: RunReport,
) -> RunReport {
    if tells(order) {
        let now = run.now();
        report.system.extend(notify::channel_troubles(run.session, &run.store, now));
    }
    report
}

/// Whether this is a run that people are told of.
fn tells(order: &RefreshOrder) -> bool {
    order.run.dry_run == DryRun::No && order.only == Only::All
}
