//! `status`: what each token is worth.

use std::io::Read as _;
use std::path::Path;

use crate::complaint::Complaint;
use crate::exit::{Exit, Verdict};
use crate::policy::{Health, Judgement, Limits, Moment, Policy, Subject, judge_inspection};
use crate::report::{CheckReport, LastRuns, Refresh, Source, StatusReport, TokenReport};
use crate::run::apps;
use crate::run::inspect::inspect;
use crate::session::Session;
use crate::status::{Asking, survey};
use crate::token::{AccessToken, Identity, Label, Pattern, TokenType};
use crate::ui::{Format, Verbosity};

/// Longer input than this is no access token.
const MOST_INPUT: u64 = 64 * 1024;

/// What was asked for.
#[derive(Debug)]
pub struct StatusOrder {
    /// The labels that were typed.
    pub patterns: Vec<Pattern>,
    /// When Graph is asked.
    pub asking: Asking,
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
    /// Those that are not well.
    Problems,
    /// Either.
    DueOrProblems,
}

/// Shows what each token is worth, and gives the verdict that `check` would give.
pub fn status(session: &Session, order: &StatusOrder) -> Result<Verdict, Complaint> {
    let graph = session.graph();
    let mut report = survey(session, &order.patterns, order.asking, &graph)?;
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

/// Inspects a string that is in no config, and stores nothing.
pub fn inspect_string(
    session: &Session,
    file: &Path,
    app: Option<&str>,
) -> Result<Verdict, Complaint> {
    let string = read_token(session, Some(file), "the access token")?;
    let app = apps::app(session, &apps::Pauses::new(), &app_name(session, app)?)
        .map_err(|problem| Complaint::new(Exit::Config, "bad_app", "", problem.to_string()))?;
    let inspection = inspect(&session.graph(), &app, &string).map_err(|fault| {
        let exit = Exit::for_problem(&fault.problem);
        Complaint::new(exit, fault.problem.kind.as_str(), "Graph", fault.problem.to_string())
    })?;
    let label = Label::parse("given")
        .map_err(|error| Complaint::new(Exit::Bug, "bad_label", "given", error.to_string()))?;
    let token_type = TokenType::ALL.iter().copied().find(|it| {
        it.family().graph_name.is_some_and(|name| Some(name) == inspection.token_type.as_deref())
    });
    let policy = Policy::default();
    let subject = Subject {
        label: &label,
        token_type: token_type.unwrap_or(TokenType::User),
        policy: &policy,
        credential: None,
        parent: None,
        throttled_until: None,
    };
    let now = session.clock.now();
    let mut judgement: Judgement =
        judge_inspection(&subject, &inspection, &Identity::default(), Moment::at(now));
    for reason in &mut judgement.reasons {
        // It has no label, so there is no command that could be typed for it.
        reason.labels.clear();
        reason.remedy.clear();
    }
    let token = TokenReport {
        label: None,
        token_type,
        app: Some(app.name),
        parent: None,
        name: None,
        owner: None,
        judgement,
        expiry: inspection.expiry,
        limits: Limits::default(),
        verified_at: Some(now),
        source: Source::Live,
        missing_scopes: Vec::new(),
        missing_targets: Vec::new(),
        refresh: Refresh { reason: "not stored".to_owned(), ..Refresh::default() },
        problem: inspection.problem.clone(),
        remedy: String::new(),
        fingerprint: None,
        generation: None,
        inspection: Some(inspection),
        deliveries: Vec::new(),
        deadlines: Vec::new(),
    };
    let report = StatusReport {
        generated_at: now,
        tokens: vec![token],
        system: Vec::new(),
        dates: crate::policy::Dates::Trusted,
        unlisted: Vec::new(),
        runs: LastRuns::default(),
    };
    show(session, report)
}

/// The app to ask with: the one that was named, or the only one.
fn app_name(session: &Session, asked: Option<&str>) -> Result<String, Complaint> {
    let names: Vec<&str> = session.config.apps.iter().map(|app| app.name.as_str()).collect();
    let known = crate::policy::words::list(&names);
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
pub(super) fn read_token(
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
        Format::Json => report.json(),
        _ => report.text(ui.style()),
    };
    if ui.format != Format::Json && ui.verbosity >= Verbosity::Verbose {
        text.push_str(&report.details());
    }
    ui.data(&text)?;
    Ok(CheckReport { status: report }.verdict())
}
