//! Publishes how a run ended: metrics and notifications.

use super::textfile;
use crate::notify;
use crate::policy::Reason;
use crate::report::{RunReport, StatusReport};
use crate::run::Run;
use crate::status;

/// Writes the metrics and sends the notifications, now that the run is stored. What failed at that is
/// in the report.
pub fn publish(run: &Run<'_>, report: &mut RunReport) {
    let config = &run.session.config;
    let wanted = config.alerts.textfile.is_some() || !config.notify.is_empty();
    if !wanted || run.session.interrupt.is_raised() {
        return;
    }
    match status::collect_stored(run.session, &run.store, &run.graph) {
        Ok(status) => {
            let status = status.with_prefix(run.prefix());
            report.system.extend(write_and_notify(run, status));
        }
        Err(complaint) => report.system.push(notify::cannot_notify(&complaint)),
    }
}

/// Gives a reason for each of both that failed.
fn write_and_notify(run: &Run<'_>, mut status: StatusReport) -> Vec<Reason> {
    let file = run.session.config.alerts.textfile.as_deref();
    let unwritten = file.and_then(|path| textfile::write(path, &status).err().map(|it| *it));
    status.system.extend(unwritten.clone());
    let not_sent = notify::notify(run.session, &run.store, status, &|| Ok(run.id));
    unwritten.into_iter().chain(not_sent).collect()
}
