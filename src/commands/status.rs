//! `status`: shows the state of each token.

use std::path::Path;

use crate::error::CliError;
use crate::exit::{Exit, Verdict};
use crate::policy::Health;
use crate::report::{CheckReport, StatusReport, TokenReport};
use crate::run::apps;
use crate::run::tokens::ThrottledApps;
use crate::session::Session;
use crate::status::{self, AskGraph};
use crate::token::Pattern;
use crate::ui::{OutputFormat, Verbosity};

/// What was asked for.
#[derive(Debug)]
pub struct StatusOrder {
    /// The labels that were typed.
    pub patterns: Vec<Pattern>,
    /// When Graph is asked.
    pub ask: AskGraph,
    /// Which tokens are shown.
    pub which: Which,
}

/// Which tokens are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those that the next `refresh` would do something about.
    Due,
    /// Those with a problem.
    Problems,
    /// Either.
    DueOrProblems,
}

/// Shows the state of each token, and gives the verdict that `check` would give.
pub fn status(session: &Session, order: &StatusOrder) -> Result<Verdict, CliError> {
    let graph = session.graph();
    let mut report = status::collect(session, &order.patterns, order.ask, &graph)?;
    report.tokens.retain(|token| order.which.wants(token));
    show(session, report)
}

impl Which {
    fn wants(self, token: &TokenReport) -> bool {
        let problem = token.judgement.health != Health::Ok;
        match self {
            Self::All => true,
            Self::Due => token.refresh.due,
            Self::Problems => problem,
            Self::DueOrProblems => token.refresh.due || problem,
        }
    }
}

/// Inspects an access token that is not of the config, and stores nothing.
pub fn inspect_string(
    session: &Session,
    file: &Path,
    app: Option<&str>,
) -> Result<Verdict, CliError> {
    let token = session.read_access_token(Some(file), "the access token")?;
    let app = apps::app(session, &ThrottledApps::new(), &app_name(session, app)?)
        .map_err(|problem| CliError::new(Exit::Config, "bad_app", "", problem.to_string()))?;
    let report = status::inspect_token(session, &app, &token)?;
    show(session, report)
}

/// The app to ask with: the one that was named, or the only one.
fn app_name(session: &Session, asked: Option<&str>) -> Result<String, CliError> {
    let names: Vec<&str> = session.config.apps.iter().map(|app| app.name.as_str()).collect();
    let known = crate::policy::humanize::list(&names);
    match (asked, names.as_slice()) {
        (Some(name), names) if names.contains(&name) => Ok(name.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (Some(name), _) => {
            Err(CliError::new(Exit::Usage, "no_such_app", name, "is no app of the config")
                .hint(format!("the apps are {known}")))
        }
        (None, _) => Err(CliError::new(Exit::Usage, "which_app", "", "say which app to ask with")
            .hint(format!("`--app NAME`; the apps are {known}"))),
    }
}

fn show(session: &Session, report: StatusReport) -> Result<Verdict, CliError> {
    let report = report.with_prefix(session.config.alerts.prefix.as_deref());
    let ui = &session.ui;
    let mut text = match ui.format {
        OutputFormat::Json => report.json(),
        _ => report.text(ui.style()),
    };
    if ui.format != OutputFormat::Json && ui.verbosity >= Verbosity::Verbose {
        text.push_str(&report.details());
    }
    ui.data(&text)?;
    Ok(CheckReport { status: report }.verdict())
}
