//! Asks Graph about every row of an import, and refuses what it does not confirm.
//!
//! Nothing is written: what is dead, of another app, person or Page, or dies before it could be
//! renewed, is refused with its place in the file.

use chrono::TimeDelta;

use crate::config::{AppSetting, SecretSource};
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, CallError};
use crate::import::ImportRow;
use crate::policy::{
    Adoption, Contest, Current, Losses, Naming, Subject, cause, humanize, judge_handed_over,
};
use crate::report::RefusedLine;
use crate::run::inspect::{inspect, wrong_app};
use crate::run::{Run, log};
use crate::session::Session;
use crate::token::{Identity, Inspection, Label, Problem, Provider, TokenType};

/// What lives no longer than this and cannot be exchanged is dead before anybody notices.
const TOO_SHORT: TimeDelta = TimeDelta::hours(48);

/// A row that Graph was asked about.
pub struct AskedRow {
    pub row: ImportRow,
    pub app: App,
    pub token_type: TokenType,
    pub inspection: Inspection,
}

/// Asks Graph about every row, and refuses what it does not confirm.
pub fn ask(run: &Run<'_>, rows: &[ImportRow], left: &mut Vec<RefusedLine>) -> Vec<AskedRow> {
    let work = || run.on_each(rows, |row| ask_about(run, row));
    let answers = run.session.interrupt.guard(|| run.aborted(), work);
    let mut asked = Vec::new();
    for (row, answer) in rows.iter().zip(answers) {
        match answer {
            Some(Ok(answer)) => asked.push(answer),
            Some(Err(refused)) => left.push(refused),
            None => left.push(RefusedLine::of_a_bug(&row.place)),
        }
    }
    asked
}

fn ask_about(run: &Run<'_>, row: &ImportRow) -> Result<AskedRow, RefusedLine> {
    if let Some(why) = run.out_of_time() {
        return Err(RefusedLine::new(&row.place, why.message, Exit::Failed));
    }
    let _about = log::about(&row.label);
    let setting = app_of(run, row).map_err(|reason| RefusedLine::of_input(&row.place, reason))?;
    let app = run.app(&setting.name).map_err(|problem| {
        RefusedLine::new(&row.place, problem.to_string(), Exit::for_problem(&problem))
    })?;
    let inspection = inspect(&run.graph, &app, &row.access_token)
        .map_err(|error| not_answered(row, &app, &error))?;
    let is_dead = inspection.verdict() == Some(false);
    let token_type = row
        .token_type
        .or_else(|| type_by_graph(app.provider, &inspection))
        // Of what is dead Meta says nothing else, and it is refused for that.
        .or_else(|| is_dead.then(|| app.provider.spec().tokens[0].token_type));
    let token_type = token_type.ok_or_else(|| {
        RefusedLine::of_input(
            &row.place,
            "Meta does not say of which type it is: name it in a column `type`",
        )
    })?;
    judge(run, row, &app, token_type, &inspection)?;
    Ok(AskedRow { row: row.clone(), app, token_type, inspection })
}

fn not_answered(row: &ImportRow, app: &App, error: &CallError) -> RefusedLine {
    if let Some(problem) = wrong_app(error, &app.name) {
        return RefusedLine::of_input(&row.place, problem.message);
    }
    RefusedLine::new(&row.place, error.problem.to_string(), Exit::for_problem(&error.problem))
}

/// The type that Graph calls it by.
pub fn type_by_graph(provider: Provider, inspection: &Inspection) -> Option<TokenType> {
    let name = inspection.token_type.as_deref()?;
    let specs = provider.spec().tokens.iter();
    specs.filter(|spec| spec.graph_name == Some(name)).map(|spec| spec.token_type).next()
}

/// Refuses what is dead, what belongs to another app, person or Page than the row says, and what
/// dies before it could be renewed.
fn judge(
    run: &Run<'_>,
    row: &ImportRow,
    app: &App,
    token_type: TokenType,
    inspection: &Inspection,
) -> Result<(), RefusedLine> {
    let now = run.now();
    let policy = &run.session.config.default_policy;
    let is_page = token_type == TokenType::Page;
    let expected = Identity {
        app_id: Some(app.id.clone()),
        user_id: row.user_id.clone(),
        page_id: row.page_id.clone().filter(|_| is_page),
    };
    let contest = Contest { token_type, expected: &expected, policy, current: Current::Gone };
    match judge_handed_over(inspection, Losses::Refused, &contest, now) {
        Adoption::Take | Adoption::OnlyIfCurrentIsDead(_) | Adoption::OnlyNearItsEnd(_) => {}
        Adoption::Wait(problem) | Adoption::Refuse(problem) => {
            let problem = blame_a_lost_answer(run, row, problem)?;
            let reason = in_our_words(run, row, app, token_type, problem);
            return Err(RefusedLine::of_input(&row.place, reason));
        }
    }
    let exchange = token_type.spec().exchange;
    let can_be_exchanged =
        exchange.is_some_and(|grant| !grant.needs_the_secret() || app.secret.is_some());
    if !can_be_exchanged && inspection.expiry.is_within(TOO_SHORT, now) {
        let ends = humanize::expiry(inspection.expiry, now);
        let why = match exchange {
            Some(_) => format!("app `{}` has no secret to exchange it", app.name),
            None => format!("Meta exchanges no {token_type} token"),
        };
        return Err(RefusedLine::of_input(&row.place, format!("expires {ends}, and {why}")));
    }
    Ok(())
}

/// Says of a dead access token that an earlier exchange of it was not answered, if that is so.
fn blame_a_lost_answer(
    run: &Run<'_>,
    row: &ImportRow,
    problem: Problem,
) -> Result<Problem, RefusedLine> {
    let Some(id) = run.known_id(&row.label) else { return Ok(problem) };
    let blamed = run.store.credential(id).and_then(|known| {
        let own = run.store.fingerprint(&row.access_token)?;
        Ok(match known.attempts.sent_exchange {
            Some(sent) => sent.blame(own, problem),
            None => problem,
        })
    });
    blamed.map_err(|error| RefusedLine::failed(&row.place, &CliError::from(error)))
}

/// A problem as people read it, without what only helps a token that is kept here.
fn in_our_words(
    run: &Run<'_>,
    row: &ImportRow,
    app: &App,
    token_type: TokenType,
    problem: Problem,
) -> String {
    let unknown =
        UnknownToken { label: &row.label, token_type, app, page_id: row.page_id.as_deref() };
    format!("its access token was rejected: {}", unknown.cause(run.session, problem))
}

/// A token that is not kept here yet.
pub struct UnknownToken<'a> {
    pub label: &'a Label,
    pub token_type: TokenType,
    pub app: &'a App,
    pub page_id: Option<&'a str>,
}

impl UnknownToken<'_> {
    /// What is wrong with its access token, in our words.
    pub fn cause(&self, session: &Session, problem: Problem) -> String {
        let config = session.config.path.to_string_lossy();
        let subject = Subject {
            label: self.label,
            token_type: self.token_type,
            policy: &session.config.default_policy,
            credential: None,
            parent: None,
            backup: None,
            throttled_until: None,
            naming: Naming {
                config: &config,
                file: &config,
                app: &self.app.name,
                app_id: Some(&self.app.id),
                page_id: self.page_id,
                lacks_secret: self.app.secret.is_none(),
                admin: None,
            },
        };
        let cause = cause(&problem.rejected(), &subject);
        cause.strip_prefix(Problem::REJECTED).unwrap_or(&cause).to_owned()
    }
}

/// The app that a row names, or the only one that fits.
fn app_of<'a>(run: &'a Run<'_>, row: &ImportRow) -> Result<&'a AppSetting, String> {
    let config = &run.session.config;
    let kind = row.token_type.map_or(Provider::Facebook, TokenType::provider);
    let names = |apps: &[&AppSetting]| {
        let names: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
        humanize::list(&names)
    };
    let parent = row.parent.as_ref().and_then(|parent| config.token(parent));
    if let Some(wanted) = row.app.as_deref().or(parent.map(|parent| parent.app.as_str())) {
        let has_id = |app: &&AppSetting| match &app.id {
            SecretSource::Literal(id) => id.expose() == wanted,
            _ => run.app(&app.name).is_ok_and(|app| app.id == wanted),
        };
        let found = config.app(wanted).or_else(|| config.apps.iter().find(has_id));
        let all: Vec<&AppSetting> = config.apps.iter().collect();
        return match found {
            Some(app) if app.kind == kind => Ok(app),
            Some(app) => {
                Err(format!("its app `{}` is of kind `{}`, not `{kind}`", app.name, app.kind))
            }
            None if wanted.bytes().all(|byte| byte.is_ascii_digit()) => Err(format!(
                "the config has no app with the id {wanted}; its apps are {}",
                names(&all)
            )),
            None => {
                Err(format!("the config has no app of that name; its apps are {}", names(&all)))
            }
        };
    }
    let fit: Vec<&AppSetting> = config.apps.iter().filter(|app| app.kind == kind).collect();
    match fit.as_slice() {
        [only] => Ok(only),
        [] => Err(format!(
            "the config has no app of kind `{kind}`: add it by `metatoken init --app-kind {kind}`"
        )),
        many => Err(format!("several apps fit: name one in a column `app`: {}", names(many))),
    }
}
