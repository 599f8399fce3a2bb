//! Publishes how a run ended: metrics, page and notifications.

use chrono::TimeDelta;

use super::{page, textfile};
use crate::config::LoginLinks;
use crate::notify::{self, LoginLink};
use crate::policy::Reason;
use crate::report::{RunReport, StatusReport};
use crate::run::Run;
use crate::run::login::LoginSubject;
use crate::status;
use crate::token::Label;

/// Writes the metrics and the page and sends the notifications, now that the run is stored. What
/// failed at that is in the report.
pub fn publish(run: &Run<'_>, report: &mut RunReport) {
    let config = &run.session.config;
    let alerts = &config.alerts;
    let wanted = alerts.textfile.is_some() || alerts.page.is_some() || !config.notify.is_empty();
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

/// How long the address of a dialog is good that goes out by mail.
const VALID: TimeDelta = TimeDelta::days(7);

/// The dialog by which the owner of a token logs in, where the config has it sent.
fn login_link(run: &Run<'_>, label: &Label) -> Option<LoginLink> {
    if run.session.config.alerts.login_links == LoginLinks::NotSent {
        return None;
    }
    let token = run.tokens.one(label).ok()?;
    let Run { session, store, tokens, .. } = run;
    let subject = LoginSubject { session, store, tokens, token };
    let invitation = subject.invite(None, VALID, run.now()).ok()?;
    Some(LoginLink {
        to_tick: invitation.what_to_tick(),
        address: invitation.address,
        redirect: invitation.redirect,
        ends_at: invitation.ends_at,
    })
}

/// Gives a reason for each of them that failed.
fn write_and_notify(run: &Run<'_>, mut status: StatusReport) -> Vec<Reason> {
    let file = run.session.config.alerts.textfile.as_deref();
    let mut unwritten: Vec<Reason> = file
        .and_then(|path| textfile::write(path, &status).err().map(|it| *it))
        .into_iter()
        .collect();
    status.system.extend(unwritten.clone());
    let no_page = page::write(run.session, Some(&run.store), &status);
    status.system.extend(no_page.clone());
    unwritten.extend(no_page);
    let link = |label: &Label| login_link(run, label);
    let not_sent = notify::notify(run.session, &run.store, status, &|| Ok(run.id), Some(&link));
    unwritten.into_iter().chain(not_sent).collect()
}
