//! Asks Meta which Pages a user token reaches, and changes nothing.

use super::apps;
use super::in_use::{HandedOut, IfAdmins, IfDead, access_token_in_use};
use super::tokens::{TokenConfig, subject};
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{CallError, PageList};
use crate::policy::{remedy, throttle};
use crate::session::Session;
use crate::store::Store;
use crate::token::Problem;

/// The Pages that Graph lists for `token`, and what its person may do there.
pub fn reached_pages(
    session: &Session,
    store: Option<&Store>,
    token: &TokenConfig,
) -> Result<PageList, CliError> {
    let wanted = HandedOut { if_dead: IfDead::Refuse, if_admins: IfAdmins::HandOut };
    let access_token = access_token_in_use(session, &token.label, wanted)?;
    let credential = store.map(|store| store.credential_called(&token.label, None)).transpose()?;
    let credential = credential.flatten();
    let failed = |problem: &Problem| {
        let exit = Exit::for_problem(problem);
        let message = format!("its Pages are not listed: {problem}");
        let complaint = CliError::new(exit, problem.kind.as_str(), token.label.as_str(), message);
        let remedy = remedy(problem, &subject(token, credential.as_ref(), None));
        if remedy.is_empty() { complaint } else { complaint.hint(remedy.to_string()) }
    };
    let now = session.clock.now();
    let throttled = store.map(|store| apps::throttled_apps(store, now)).transpose()?;
    let app = apps::app(session, &throttled.unwrap_or_default(), &token.app);
    let app = app.map_err(|problem| failed(&problem))?;
    let waits = credential.as_ref().and_then(|it| throttle(it.attempts.list_not_before?, now));
    if let Some(until) = waits {
        return Err(failed(&CallError::listing_waits(until).problem));
    }
    let graph = session.graph();
    let ask = || graph.pages_with_tasks(&app, &access_token, token.business.as_deref());
    session.interrupt.guard_reading(|| (), ask).map_err(|error| failed(&error.problem))
}
