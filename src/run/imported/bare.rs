//! Asks about an access token that stands alone in a file.

use super::ask::{UnknownToken, type_by_graph};
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, Graph};
use crate::import::type_by_prefix;
use crate::policy::humanize;
use crate::report::{RunReport, TokenResult};
use crate::run::apps;
use crate::run::inspect::{inspect, wrong_app};
use crate::run::tokens::ThrottledApps;
use crate::session::Session;
use crate::token::{AccessToken, Expiry, Inspection, Label, Outcome, Problem, Provider, TokenType};

/// Asks about an access token whose label is not known: what it is, until when, and the command that
/// takes it. Nothing is stored. `source` is the option that leads that command to it.
pub fn inspect_bare(
    session: &Session,
    access_token: &AccessToken,
    source: &str,
) -> Result<RunReport, CliError> {
    let graph = session.graph();
    let kind = provider_of(access_token);
    let names: Vec<&str> = session
        .config
        .apps
        .iter()
        .filter(|app| app.kind == kind)
        .map(|app| app.name.as_str())
        .collect();
    let Some(name) = names.first() else {
        let message =
            format!("the config has no app of kind `{kind}`, which this access token needs");
        return Err(CliError::new(Exit::Config, "no_such_app", "", message).hint(format!(
            "add it to `{}`: `metatoken init --app-kind {kind}`",
            session.config.path.display()
        )));
    };
    let mut answer =
        Err(CliError::new(Exit::Config, "no_such_app", *name, "not an app of the config"));
    for name in &names {
        answer = ask_as(session, &graph, name, access_token);
        if answer.is_ok() {
            break;
        }
    }
    let (app, inspection) = answer?;
    bare_report(session, &app, &inspection, access_token, source)
}

fn provider_of(access_token: &AccessToken) -> Provider {
    type_by_prefix(access_token).map_or(Provider::Facebook, TokenType::provider)
}

fn ask_as(
    session: &Session,
    graph: &Graph,
    name: &str,
    access_token: &AccessToken,
) -> Result<(App, Inspection), CliError> {
    let failed = |problem: &Problem| {
        CliError::new(Exit::for_problem(problem), problem.kind.as_str(), "", problem.to_string())
    };
    let app =
        apps::app(session, &ThrottledApps::new(), name).map_err(|problem| failed(&problem))?;
    let inspection =
        inspect(graph, &app, access_token).map_err(|error| match wrong_app(&error, name) {
            Some(problem) => {
                CliError::new(Exit::InputRefused, problem.kind.as_str(), "", problem.message)
                    .hint("add the app that it belongs to, as `[app.NAME]`, to the config")
            }
            None => failed(&error.problem),
        })?;
    Ok((app, inspection))
}

fn bare_report(
    session: &Session,
    app: &App,
    inspection: &Inspection,
    access_token: &AccessToken,
    source: &str,
) -> Result<RunReport, CliError> {
    let now = session.clock.now();
    let by_graph = || type_by_graph(app.provider, inspection);
    let token_type = type_by_prefix(access_token).or_else(by_graph).unwrap_or(TokenType::User);
    let identity = &inspection.identity;
    let id = match token_type {
        TokenType::Page => identity.page_id.as_ref(),
        _ => identity.user_id.as_ref(),
    };
    let name = id.map_or_else(|| token_type.to_string(), |id| format!("{token_type}-{id}"));
    let bug = |_| CliError::new(Exit::Bug, "no_label", &name, "not a label");
    let label = Label::parse(&name).map_err(bug)?;
    let page = identity.page_id.as_ref().filter(|_| token_type == TokenType::Page);
    let page = page.map_or_else(String::new, |id| format!(" --page-id {id}"));
    let of_kind = session.config.apps.iter().filter(|it| it.kind == app.provider);
    let option = if of_kind.count() > 1 { format!(" --app {}", app.name) } else { String::new() };
    let lives = inspection.verdict() == Some(true);
    let command = format!("metatoken add {name} --type {token_type}{option}{page}");
    let what = humanize::with_article(format!("{token_type} token"));
    let reason = if lives {
        let ends = humanize::expiry(inspection.expiry, now);
        let ends = match inspection.expiry {
            Expiry::At(_) => format!("expires {ends}"),
            Expiry::Never => "never expires".to_owned(),
            Expiry::Unknown => "Meta does not say when it expires".to_owned(),
        };
        format!("{what} of app `{}`, {ends}; nothing was stored: run `{command}{source}`", app.name)
    } else {
        let page_id = identity.page_id.as_deref();
        let unknown = UnknownToken { label: &label, token_type, app, page_id };
        let cause = inspection.problem.clone().map(|problem| unknown.cause(session, problem));
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        format!("{what} that Meta rejects{cause}; to take a new one, run `{command}`")
    };
    let outcome = if lives { Outcome::Verified } else { Outcome::Invalid };
    let result = TokenResult {
        old_expiry: inspection.expiry,
        new_expiry: inspection.expiry,
        exit: if lives { Exit::Ok } else { Exit::InputRefused },
        ..TokenResult::of(label, token_type, outcome, reason)
    };
    Ok(RunReport {
        dry_run: false,
        started_at: now,
        finished_at: session.clock.now(),
        results: vec![result],
        system: Vec::new(),
    })
}
