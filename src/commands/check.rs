//! `check`: gives one verdict for monitoring.
//!
//! It judges what is stored, and needs no key, no secret, no lock and no right to write, so that
//! it works as another user and while a run is under way.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::time::Duration;

use super::{page, textfile};
use crate::config::MISTAKEN;
use crate::error::{CliError, visible};
use crate::exit::{Exit, Verdict};
use crate::notify;
use crate::policy::{LONGEST, Reason, cut};
use crate::report::{
    AnswerOptions, CheckReport, CheckScope, Perfdata, StatusReport, github, nagios, plugin_line,
    prometheus,
};
use crate::run;
use crate::run::hangs_on::Selection;
use crate::session::Session;
use crate::status::{self, AskGraph};
use crate::store::Store;
use crate::token::Trigger;
use crate::ui::{OutputFormat, Verbosity};

/// A plugin has about ten seconds; after this no further question is asked.
const TIME_TO_ASK: Duration = Duration::from_secs(8);

const BEFORE_THE_FIRST_RUN: &str =
    "nothing is sent before the first `metatoken refresh` of this version";

/// What was asked for.
#[derive(Debug)]
pub struct CheckOrder {
    /// The tokens that are judged.
    pub selection: Selection,
    /// Whether Graph is asked.
    pub ask: AskGraph,
    /// What is judged.
    pub scope: CheckScope,
    /// Which tokens get a number of their own.
    pub perfdata: Perfdata,
    /// Where the metrics are written besides.
    pub textfile: Option<PathBuf>,
    /// Whether notifications are sent.
    pub notifications: SendNotifications,
    /// How an HTTP request is answered.
    pub answer: AnswerOptions,
}

/// Whether notifications are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendNotifications {
    /// None are sent, and nothing is written.
    No,
    /// The channels of the config get what they were not notified of before.
    Yes,
}

/// Gives the verdict.
pub fn check(session: &Session, order: &CheckOrder) -> Result<Verdict, CliError> {
    let graph = session.graph_within(TIME_TO_ASK);
    let status = status::collect(session, &order.selection, order.ask, &graph)?;
    if status.tokens.is_empty() && !status.system.iter().any(Reason::is_about_labels) {
        let message = "the config declares no tokens";
        let import = status::unfinished_import(session.reader()?.as_ref());
        let hint = import.unwrap_or_else(|| "run `metatoken add LABEL --type TYPE`".to_owned());
        return Err(CliError::new(Exit::Config, "no_tokens", "", message)
            .hint(run::with_prefix(session, &hint)));
    }
    let mut status = status.with_prefix(session.config.alerts.prefix.as_deref());
    let mut beside = None;
    if order.notifications == SendNotifications::Yes {
        // A run writes it before it notifies; what it said of a failure stands until it is written.
        beside = session.config.alerts.textfile.as_deref();
        let unwritten = beside.and_then(|path| textfile::write(path, &status).err().map(|it| *it));
        status.system.extend(unwritten);
        let no_page = page::write(session, session.reader()?.as_ref(), &status);
        status.system.extend(no_page);
        if let Err(why) = send_notifications(session, &mut status) {
            status.system.push(notify::cannot_notify(&why));
        }
    }
    // The metrics are of everything, whatever is judged: another half of them would be taken for all.
    let asked = order.textfile.as_deref().filter(|path| Some(*path) != beside);
    let unwritten = asked.and_then(|path| textfile::write(path, &status).err().map(|it| *it));
    let mut report = CheckReport::new(status, order.scope);
    report.status.system.extend(unwritten);
    show(session, order, &report)?;
    Ok(report.verdict())
}

/// Sends notifications, unless a run is under way, which does so itself.
fn send_notifications(session: &Session, status: &mut StatusReport) -> Result<(), CliError> {
    // A lock without a store would belong to this user, and be in the way of the one who makes it.
    if !session.config.store.path.exists() {
        session.ui.note(BEFORE_THE_FIRST_RUN);
        return Ok(());
    }
    let lock = match session.lock("check", Duration::ZERO) {
        Err(complaint) if complaint.exit == Exit::Busy => return Ok(()),
        lock => lock?,
    };
    let Some(store) = Store::open_without_key(&lock, &session.config.store.path)? else {
        session.ui.note(BEFORE_THE_FIRST_RUN);
        return Ok(());
    };
    let now = status.generated_at;
    // A run in between has notified of more than is known here.
    if store.run_summary("refresh", now)?.last.map(|run| run.started_at) != status.runs.started {
        return Ok(());
    }
    let run = OnceCell::new();
    let begin = || {
        if let Some(run) = run.get() {
            return Ok(*run);
        }
        let begun = store.begin_run("check", Trigger::Scheduled, now)?;
        Ok(*run.get_or_init(|| begun))
    };
    let untold = notify::notify(session, &store, status.clone(), &begin, None);
    status.system.retain(|reason| !reason.is_about_a_channel());
    status.system.extend(notify::channel_problems(session, &store, status.generated_at));
    status.system.extend(untold);
    if let Some(run) = run.get() {
        store.finish_run(*run, Exit::Ok.code(), None, now)?;
    }
    Ok(())
}

fn show(session: &Session, order: &CheckOrder, report: &CheckReport) -> Result<(), CliError> {
    let ui = &session.ui;
    let text = match ui.format {
        OutputFormat::Json => report.json(),
        OutputFormat::Prometheus => prometheus(&report.status),
        OutputFormat::Github => github(report),
        OutputFormat::Http => {
            let status = order.answer.fail_on.http_status(report.verdict());
            return ui.answer(status, &report.http_body(order.answer.detail));
        }
        // A monitoring system reads lines as they are; a person reads them on a terminal.
        _ => ui.style().wrapped(&nagios(report, order.perfdata), 2),
    };
    // An empty document is not valid.
    let document = matches!(ui.format, OutputFormat::Json | OutputFormat::Prometheus);
    let talkative = ui.verbosity > Verbosity::Quiet || report.verdict() != Verdict::Ok;
    if document || talkative { ui.data(&text) } else { Ok(()) }
}

/// The verdict on an error: a store that is there and cannot be read is
/// critical, anything else says nothing about the tokens.
pub fn verdict_of(complaint: &CliError) -> Verdict {
    if complaint.exit == Exit::Storage { Verdict::Critical } else { Verdict::Unknown }
}

/// The plugin's first line for an error.
pub fn nagios_complaint(complaint: &CliError, verdict: Verdict) -> String {
    let subject = match complaint.subject.as_str() {
        "" => String::new(),
        subject => format!("{}: ", visible(subject)),
    };
    let message = complaint.message.lines().next().unwrap_or_default();
    let told = first_mistake(complaint).unwrap_or_else(|| format!("{subject}{}", visible(message)));
    format!("{}\n", plugin_line(verdict, &told))
}

/// The first mistake of a config with its place, and the command that shows them all.
fn first_mistake(complaint: &CliError) -> Option<String> {
    let mut lines = complaint.message.lines().filter(|_| complaint.code == MISTAKEN);
    let count: usize = lines.next()?.split(' ').next()?.parse().ok()?;
    let (file, mistake) = lines.next()?.trim().split_once(':')?;
    let place = complaint.subject.strip_suffix(file)?;
    let more = match count {
        1 => String::new(),
        _ => format!(" (and {} more)", count - 1),
    };
    let step = "; operator: metatoken config check";
    let taken = [place, file, ":", step, &more].map(|text| text.chars().count());
    let room = LONGEST.saturating_sub(taken.iter().sum());
    Some(format!("{place}{file}:{}{step}{more}", cut(&mistake.replace('`', ""), room)))
}
