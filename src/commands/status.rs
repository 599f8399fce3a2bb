//! `status`: shows the state of each token.

use std::io::Read as _;
use std::path::Path;

use crate::complaint::Complaint;
use crate::exit::{Exit, Verdict};
use crate::policy::Health;
use crate::report::{CheckReport, StatusReport, TokenReport};
use crate::run::apps;
use crate::run::tokens::ThrottledApps;
use crate::session::Session;
use crate::status::{self, AskGraph};
use crate::token::{AccessToken, Pattern};
use crate::ui::{OutputFormat, Verbosity};

/// Longer input is not an access token.
const MOST_INPUT: u64 = 64 * 1024;

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
pub fn status(session: &Session, order: &StatusOrder) -> Result<Verdict, Complaint> {
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
) -> Result<Verdict, Complaint> {
    let token = read_token(session, Some(file), "the access token")?;
    let app = apps::app(session, &ThrottledApps::new(), &app_name(session, app)?)
        .map_err(|problem| Complaint::new(Exit::Config, "bad_app", "", problem.to_string()))?;
    let report = status::inspect_token(session, &app, &token)?;
    show(session, report)
}

/// The app to ask with: the one that was named, or the only one.
fn app_name(session: &Session, asked: Option<&str>) -> Result<String, Complaint> {
    let names: Vec<&str> = session.config.apps.iter().map(|app| app.name.as_str()).collect();
    let known = crate::policy::humanize::list(&names);
    match (asked, names.as_slice()) {
        (Some(name), names) if names.contains(&name) => Ok(name.to_owned()),
        (None, [only]) => Ok((*only).to_owned()),
        (Some(name), _) => {
            Err(Complaint::new(Exit::Usage, "no_such_app", name, "is no app of the config")
                .hint(format!("the apps are {known}")))
        }
        (None, _) => Err(Complaint::new(Exit::Usage, "which_app", "", "say which app to ask with")
            .hint(format!("`--app NAME`; the apps are {known}"))),
    }
}

/// Reads an access token from a file, or from standard input: the two places where a secret may
/// come from.
pub fn read_token(
    session: &Session,
    file: Option<&Path>,
    what: &str,
) -> Result<AccessToken, Complaint> {
    let (text, place) = match file {
        Some(path) if path != Path::new("-") => {
            let place = path.display().to_string();
            let file = std::fs::File::open(path).map_err(|error| {
                Complaint::new(Exit::InputRefused, "input_unreadable", &place, "cannot be read")
                    .because(error)
            })?;
            (limited(file, &place)?, place)
        }
        _ => {
            let place = "standard input".to_owned();
            let text = match session.ui.ask_secret(what) {
                Some(typed) => typed.map_err(|error| unreadable(&place, error))?,
                None => limited(std::io::stdin().lock(), &place)?,
            };
            (text, place)
        }
    };
    AccessToken::parse(&text).map_err(|why| {
        Complaint::new(
            Exit::InputRefused,
            "malformed_token",
            place,
            format!("holds no access token: {why}"),
        )
        .hint("give the string alone, without quotes or a name before it")
    })
}

fn limited(
    source: impl std::io::Read,
    place: &str,
) -> Result<zeroize::Zeroizing<String>, Complaint> {
    let mut text = zeroize::Zeroizing::new(String::new());
    source.take(MOST_INPUT).read_to_string(&mut text).map_err(|error| unreadable(place, error))?;
    Ok(text)
}

fn unreadable(place: &str, error: std::io::Error) -> Complaint {
    Complaint::new(Exit::InputRefused, "input_unreadable", place, "cannot be read").because(error)
}

fn show(session: &Session, report: StatusReport) -> Result<Verdict, Complaint> {
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
