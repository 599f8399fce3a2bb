//! Asks Meta for the access token of a Page with its parent's, or of an app with its id and secret.

use std::fmt::Write as _;

use super::reply::{Reach, named, reach};
use crate::config::TokenConfig;
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, CallError, PageGrant};
use crate::policy::{cause, is_short_life, remedy};
use crate::run::tokens::subject;
use crate::run::{Run, log};
use crate::token::{AccessToken, Credential, GenerationId, Label, Problem, ProblemKind, TokenType};

/// Asks Meta for the access token of a token that is derived; gives it with the parent's generation that
/// it was asked for with.
pub fn derive(
    run: &Run<'_>,
    token: &TokenConfig,
) -> Result<(AccessToken, Option<GenerationId>), CliError> {
    let app = run.app(&token.app).map_err(CallError::of_token);
    let app = app.map_err(|error| not_derived(run, token, None, &error.problem))?;
    if let (Some(parent), Some(page_id)) = (&token.parent, &token.page_id) {
        let (access_token, from) = of_the_parent(run, token, parent, &app, page_id)?;
        return Ok((access_token, Some(from)));
    }
    let granted = run.graph.app_token(&app);
    let granted = granted.map_err(|error| not_derived(run, token, None, &error.problem))?;
    Ok((granted.token, None))
}

/// Asks Meta for the Page's access token with the parent's.
fn of_the_parent(
    run: &Run<'_>,
    token: &TokenConfig,
    parent: &Label,
    app: &App,
    page_id: &str,
) -> Result<(AccessToken, GenerationId), CliError> {
    let known = run.tokens.credential(parent);
    let Some(current) = known.and_then(|known| known.current.as_ref()) else {
        let message = format!("its parent `{parent}` has no access token");
        return Err(refusal(token, "parent_missing", message)
            .hint(format!("run `metatoken exchange {parent}`, then the same again")));
    };
    let is_short =
        current.proof.as_ref().is_some_and(|proof| is_short_life(&proof.inspection, run.now()));
    if is_short {
        let message =
            format!("its parent `{parent}` is short-lived, and what is derived from it too");
        return Err(refusal(token, "parent_short_lived", message)
            .hint(format!("run `metatoken exchange --stored {parent}`, then the same again")));
    }
    let access_token = run.store.reveal(current.id)?;
    match run.graph.page(app, &access_token, page_id) {
        Ok(PageGrant { token: Some(page), .. }) => Ok((page, current.id)),
        Ok(PageGrant { token: None, .. }) => {
            Err(not_reached(run, token, parent, app, &access_token, page_id))
        }
        Err(error) if speaks_of_the_page(&error.problem) => {
            Err(not_reached(run, token, parent, app, &access_token, page_id))
        }
        Err(error) => Err(not_derived(run, token, known, &error.problem)),
    }
}

/// Says which Pages the parent reaches, since it does not reach this one.
fn not_reached(
    run: &Run<'_>,
    token: &TokenConfig,
    parent: &Label,
    app: &App,
    access_token: &AccessToken,
    page_id: &str,
) -> CliError {
    let mut message = format!("its parent `{parent}` has no access to Page {page_id}");
    if let Reach::Pages(pages) = reach(run.graph.pages(app, access_token, None)) {
        let _ = write!(message, "; it reaches {}", named(&pages));
    }
    let parents = run.session.config.token(parent).map(|it| it.token_type);
    let how = match parents {
        Some(TokenType::SystemUser) => format!(
            "have an admin of the business assign that Page to the System User of `{parent}`, then \
             run the same again"
        ),
        _ => format!(
            "have that Page ticked in a login: run `metatoken login {parent}`, then the same again"
        ),
    };
    refusal(token, "page_not_reached", message)
        .hint("correct `--page-id`, or name another parent with `--parent`")
        .hint(format!("or {how}"))
}

/// Refuses it.
pub fn refusal(token: &TokenConfig, code: &'static str, message: String) -> CliError {
    CliError::new(Exit::InputRefused, code, token.label.as_str(), message)
}

/// Says why Meta gave no access token: that is the parent's trouble, or the app's.
fn not_derived(
    run: &Run<'_>,
    token: &TokenConfig,
    parent: Option<&Credential>,
    problem: &Problem,
) -> CliError {
    log::not_taken(&token.label, problem);
    let label = token.label.as_str();
    let (code, exit) = (problem.kind.as_str(), Exit::for_problem(problem));
    if !problem.action.needs_a_person() {
        return CliError::new(exit, code, label, problem.to_string())
            .hint("nothing was stored: run the same again later");
    }
    let theirs = token.parent.as_ref().and_then(|label| run.session.config.token(label));
    let subject = subject(theirs.unwrap_or(token), parent, None);
    let message = match &token.parent {
        Some(parent) => format!("its parent `{parent}`: {}", cause(problem, &subject)),
        None => problem.to_string(),
    };
    CliError::new(exit, code, label, message)
        .hint(format!("{}; then run the same again", remedy(problem, &subject)))
}

/// Whether the trouble is the Page, and not the parent's access token.
fn speaks_of_the_page(problem: &Problem) -> bool {
    matches!(
        problem.kind,
        ProblemKind::PermissionMissing | ProblemKind::ObjectNotFound | ProblemKind::Unknown
    )
}
