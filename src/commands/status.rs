//! `status`: shows the state of each token.

use std::path::Path;

use chrono::TimeDelta;

use crate::error::CliError;
use crate::exit::{Exit, Verdict};
use crate::policy::Health;
use crate::report::{
    CheckReport, CheckScope, PageRows, StatusReport, StatusSort, TokenReport, token_page,
};
use crate::run::apps;
use crate::run::hangs_on::Selection;
use crate::run::tokens::ThrottledApps;
use crate::session::Session;
use crate::shell::quoted;
use crate::status::{self, AskGraph};
use crate::token::{AccessToken, Expiry, Provider, Time};
use crate::ui::{OutputFormat, Verbosity};

/// What was asked for.
#[derive(Debug)]
pub struct StatusOrder {
    /// The tokens that were asked about.
    pub selection: Selection,
    /// When Graph is asked.
    pub ask: AskGraph,
    /// Which tokens are shown.
    pub which: Which,
    /// Only what expires within this time, whatever its backoff.
    pub within: Option<TimeDelta>,
    /// In which order; by default the worst first, for people.
    pub sort: Option<StatusSort>,
    /// How Pages are shown.
    pub pages: PageRows,
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
    let mut report = status::collect(session, &order.selection, order.ask, &graph)?;
    let now = report.generated_at;
    report.tokens.retain(|token| order.which.wants(token) && order.wants(token.expiry, now));
    if let Some(sort) = order.sort(session) {
        report.sort(sort);
    }
    let is_about_one = report.tokens.len() == 1 && order.names_one();
    let layout = match order.selection.hangs_on.is_given() {
        _ if is_about_one => Layout::Page,
        true => Layout::TableOfAll(order.pages),
        false => Layout::Table(order.pages),
    };
    show(session, report, layout)
}

impl StatusOrder {
    fn wants(&self, expiry: Expiry, now: Time) -> bool {
        self.within.is_none_or(|span| expiry.at().is_some_and(|at| at <= now + span))
    }

    /// The order that was asked for; without one programs get the config's, and people see first what
    /// they asked about.
    fn sort(&self, session: &Session) -> Option<StatusSort> {
        let usual = match (self.within, session.ui.format) {
            (Some(_), _) => Some(StatusSort::Expiry),
            (None, OutputFormat::Json) => None,
            (None, _) => Some(StatusSort::Health),
        };
        self.sort.or(usual)
    }

    /// Whether one label was typed, and no pattern.
    fn names_one(&self) -> bool {
        matches!(self.selection.patterns.as_slice(), [one] if one.is_a_label())
    }
}

/// How a report is laid out for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A row a token.
    Table(PageRows),
    /// The same, then the labels that the config no longer declares.
    TableOfAll(PageRows),
    /// A page about the only token.
    Page,
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
    let again = format!("then run `metatoken status --token-file {}`", quoted(file));
    let token = session
        .read_access_token(Some(file), "the access token", None)
        .map_err(|refused| refused.hint(again))?;
    let name = app_name(session, app, token.service())?;
    refuse_other_service(session, &name, &token, file)?;
    let app = apps::app(session, &ThrottledApps::new(), &name)
        .map_err(|problem| CliError::new(Exit::Config, "bad_app", "", problem.to_string()))?;
    let report = status::inspect_token(session, &app, &token)?;
    show(session, report, Layout::Page)
}

/// The app to ask with: the one that was named, or the only one of the service that the access token
/// belongs to.
fn app_name(
    session: &Session,
    asked: Option<&str>,
    service: Option<Provider>,
) -> Result<String, CliError> {
    let apps = &session.config.apps;
    let of_the_service = apps.iter().filter(|app| service == Some(app.kind));
    if let (None, [only]) = (asked, &*of_the_service.collect::<Vec<_>>()) {
        return Ok(only.name.clone());
    }
    let names: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
    let known = crate::policy::humanize::list(&names);
    match (asked, names.as_slice()) {
        (Some(name), names) if names.contains(&name) => Ok(name.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (Some(name), _) => {
            Err(CliError::new(Exit::Usage, "no_such_app", name, "is not an app of the config")
                .hint(format!("the apps are {known}")))
        }
        (None, _) => Err(CliError::new(Exit::Usage, "which_app", "", "say which app to ask with")
            .hint(format!("`--app NAME`; the apps are {known}"))),
    }
}

/// Refuses an access token by its beginning: the service of another one cannot read it.
fn refuse_other_service(
    session: &Session,
    app: &str,
    token: &AccessToken,
    file: &Path,
) -> Result<(), CliError> {
    let kind = session.config.apps.iter().find(|it| it.name == app).map(|it| it.kind);
    match (token.service(), kind) {
        (Some(service), Some(kind)) if service != kind => {
            let message = format!("a token of `{service}`, and app `{app}` is of kind `{kind}`");
            let place = file.display().to_string();
            Err(CliError::new(Exit::InputRefused, "malformed_token", place, message)
                .hint(format!("name an app of kind `{service}` with `--app`")))
        }
        _ => Ok(()),
    }
}

fn show(session: &Session, report: StatusReport, layout: Layout) -> Result<Verdict, CliError> {
    let report = report.with_prefix(session.config.alerts.prefix.as_deref());
    let ui = &session.ui;
    let text = match (ui.format, layout) {
        (OutputFormat::Json, _) => report.json(),
        (_, Layout::Page) => format!("{}{}", pages(session, &report)?, report.causes(ui.style())),
        (_, Layout::Table(_) | Layout::TableOfAll(_)) if ui.verbosity >= Verbosity::Verbose => {
            format!(
                "{}\n{}{}",
                report.text(ui.style(), PageRows::Each),
                pages(session, &report)?,
                report.unlisted_in_words()
            )
        }
        (_, Layout::Table(rows)) => report.text(ui.style(), rows),
        (_, Layout::TableOfAll(rows)) => {
            format!("{}{}", report.text(ui.style(), rows), report.unlisted_in_words())
        }
    };
    ui.data(&text)?;
    Ok(CheckReport::new(report, CheckScope::All).verdict())
}

/// A page about each token of the report, an empty line between two.
fn pages(session: &Session, report: &StatusReport) -> Result<String, CliError> {
    let backgrounds = status::backgrounds(session, &report.tokens)?;
    let (style, now) = (session.ui.style(), report.generated_at);
    let tokens = report.tokens.iter().zip(&backgrounds);
    let pages: Vec<String> =
        tokens.map(|(token, background)| token_page(token, background, style, now)).collect();
    Ok(pages.join("\n"))
}
