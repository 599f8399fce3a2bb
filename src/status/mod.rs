//! Judges all tokens and the system: one verdict for status, check, notifications and metrics.
//!
//! It takes no lock, makes nothing and adopts nothing. What Graph answers is stored where that is
//! possible, and judged all the same where it is not.
//!
//! `stored` reads what the store says, `inspect` asks Graph, `token` judges one token, `system` the
//! timer, the key and the store, `exposure` the files that the config names and `config_check`
//! everything else that it names, `background` what only
//! the store knows of a token and `month` what it knows of the last thirty days. `failed_run` is the mark of a run that could not do its work.

mod background;
mod config_check;
mod exposure;
mod failed_run;
mod inspect;
mod month;
mod stored;
mod system;
mod token;

use std::collections::HashMap;

pub use self::background::{backgrounds, entry as history_entry, past_of};
pub use self::config_check::check_config;
pub use self::failed_run::{Attempted, forget_failed_runs};
use self::inspect::LiveAnswer;
pub use self::month::past_month;
pub use self::stored::AskGraph;
use self::stored::Stored;
pub use self::system::unfinished_import;
pub use self::token::inspect_token;
use crate::error::CliError;
use crate::graph::Graph;
use crate::policy::Moment;
use crate::report::StatusReport;
use crate::run::apps;
use crate::run::hangs_on::Selection;
use crate::session::Session;
use crate::store::Store;
use crate::token::Label;

/// Judges the tokens that are meant.
pub fn collect(
    session: &Session,
    selection: &Selection,
    ask: AskGraph,
    graph: &Graph,
) -> Result<StatusReport, CliError> {
    let store = session.reader()?;
    let mut stored = Stored::read(session, store.as_ref(), selection, graph)?;
    let now = stored.clocks(graph).now();
    inspect::find_lost(&mut stored, store.as_ref(), ask);
    let mut answers = inspect::ask_graph(&stored, store.as_ref(), ask, graph)?;
    stored.look_at_targets(store.as_ref(), ask, now);
    stored.problems.extend(store.as_ref().and_then(|it| system::key_problem(session, it)));
    // While this process reads without the right to write, SQLite lets none of it write.
    drop(store);
    inspect::keep_answers(&mut stored, &answers);
    inspect::report_unanswered(session, &answers);
    answers.extend(inspect::look_at_unusable(&stored, ask));
    Ok(judge(stored, &answers, graph))
}

/// Judges all tokens by what an open store says of them, and asks neither Graph nor a file.
pub fn collect_stored(
    session: &Session,
    store: &Store,
    graph: &Graph,
) -> Result<StatusReport, CliError> {
    let mut stored = Stored::read(session, Some(store), &Selection::default(), graph)?;
    let now = stored.clocks(graph).now();
    stored.look_at_targets(Some(store), AskGraph::Never, now);
    Ok(judge(stored, &[], graph))
}

/// Judges everything that was read and answered.
fn judge(mut stored: Stored<'_>, answers: &[LiveAnswer], graph: &Graph) -> StatusReport {
    let clocks = stored.clocks(graph);
    let moment = Moment::at(clocks.now());
    let mut deliveries = std::mem::take(&mut stored.deliveries);
    let mut renewers = std::mem::take(&mut stored.renewers);
    let by_label: HashMap<&Label, &LiveAnswer> =
        answers.iter().map(|answer| (&answer.label, answer)).collect();
    let tokens = stored
        .selected
        .iter()
        .map(|member| {
            let answer = by_label.get(&member.label).copied();
            let deliveries = deliveries.remove(&member.label).unwrap_or_default();
            let renewers = renewers.remove(&member.label).unwrap_or_default();
            let mut report = token::judge_token(&stored.tokens, member, answer, deliveries, moment);
            report.judgement = report.judgement.with(renewers);
            report
        })
        .collect();
    let unlisted = stored.unlisted();
    let Stored { session, tokens: all, selected, run_summary, versions, problems, .. } = stored;
    let mut system = system::judge_system(session, &all, &selected, &run_summary, &clocks);
    system.extend(apps::version_reasons(session, &all, graph, &versions, moment));
    system.extend(problems);
    system.extend(all.declared_labels().judge_undeclared(&session.config, moment));
    let unheard = session.config.apps.iter().filter(|app| !graph.is_answered_as_asked(&app.name));
    StatusReport {
        generated_at: moment.now,
        tokens,
        system,
        dates: moment.dates,
        unheard_apps: unheard.map(|app| app.name.clone()).collect(),
        unlisted,
        runs: system::last_runs(&run_summary),
    }
}
