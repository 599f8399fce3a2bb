//! Lists Pages: those that a user token manages.
//!
//! One listing serves all Pages of a parent. A Page that the list lacks is never taken for gone:
//! the list is known to come back empty or short for a while. It is asked for by its id, and its
//! stored access token stays.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Run;
use super::finish::USUAL_THROTTLE;
use super::job::{ListedPages, PageListing, TokenJob};
use super::refresh_run::RefreshRun;
use super::tokens::{TokenConfig, discovered};
use crate::config::Pages;
use crate::error::CliError;
use crate::graph::{CallError, Extent, PageList, Scope};
use crate::policy::{Decision, listing_is_due, table, throttle};
use crate::store::StoreError;
use crate::token::{Credential, Label, Problem, ProblemKind, TokenId};

/// What follows once a parent has been refreshed.
pub struct Following {
    /// The jobs for its Pages.
    pub jobs: Vec<TokenJob>,
    /// Why its Pages could not be listed, if that is so.
    pub error: Option<CallError>,
    /// Whether they were listed to the end; nothing where they were not listed.
    pub extent: Option<Extent>,
}

/// Lists the Pages of `parent`, which has just been refreshed, if that is due, and gives their jobs.
pub fn follow(refresh: &RefreshRun<'_>, parent: &TokenConfig) -> Result<Following, CliError> {
    let run = refresh.run;
    let mut pages = Vec::new();
    for token in run.tokens.pages_of(&parent.label) {
        let id = run.token_id(&token.label)?;
        pages.push((token, run.store.credential(id)?));
    }
    let credential = run.store.credential(run.token_id(&parent.label)?)?;
    let listing = if is_due(refresh, parent, &credential, &pages) {
        list(run, parent, &credential)?.map(Arc::new)
    } else {
        None
    };
    let answer = listing.as_ref().map(|listing| listing.as_ref().as_ref());
    let error = answer.and_then(|answer| answer.err().cloned());
    let extent = answer.and_then(|answer| answer.ok().map(|listed| listed.extent));
    let mut jobs: Vec<TokenJob> = pages
        .iter()
        .map(|(token, credential)| {
            TokenJob::new((*token).clone(), Some(credential), listing.clone())
        })
        .collect();
    if let Some(listing) = listing {
        let found = record_listing(run, parent, credential, &pages, &listing);
        let found = run.bear_full(found)?.unwrap_or_default();
        let found: Vec<Arc<TokenConfig>> = found.into_iter().map(Arc::new).collect();
        refresh.deliveries.add(found.iter().cloned());
        let job = |token| TokenJob::new(token, None, Some(listing.clone()));
        jobs.extend(found.into_iter().map(job));
    }
    Ok(Following { jobs, error, extent })
}

fn is_due(
    refresh: &RefreshRun<'_>,
    parent: &TokenConfig,
    credential: &Credential,
    pages: &[(&TokenConfig, Credential)],
) -> bool {
    let run = refresh.run;
    let moment = run.moment();
    let insistence = refresh.insistence_on(&parent.label);
    let derives = |(token, page): &(&TokenConfig, Credential)| {
        let subject = run.subject(token, page, Some(credential));
        matches!(refresh.decide(token, &subject), Decision::Derive(_))
    };
    let discovered: Vec<&Credential> = pages
        .iter()
        .filter(|(token, _)| token.label.as_discovered().is_some())
        .map(|(_, credential)| credential)
        .collect();
    let lists_all = !matches!(parent.pages, Pages::None);
    let subject = run.subject(parent, credential, None);
    (lists_all && listing_is_due(&subject, &discovered, insistence, moment))
        || pages.iter().any(derives)
}

/// Asks Graph for the Pages; nothing where the parent has no access token to ask with.
fn list(
    run: &Run<'_>,
    parent: &TokenConfig,
    credential: &Credential,
) -> Result<Option<PageListing>, StoreError> {
    let Some(current) = &credential.current else { return Ok(None) };
    if let Some(waits) = list_waits(run, credential) {
        return Ok(Some(Err(waits)));
    }
    let access_token = run.store.reveal(current.id)?;
    // Where the app cannot be had the parent's own result says so already.
    let Ok(app) = run.app(&parent.app) else {
        return Ok(None);
    };
    let business = parent.business.as_deref();
    let answer = run.graph.pages(&app, &access_token, business);
    let answer = answer.map_err(|error| explained(error, parent));
    if let Err(error) = &answer {
        let paused = pause_list(run, credential, error);
        run.bear_full(paused)?;
        let noted = note_refused_list(run, credential, error);
        run.bear_full(noted)?;
    }
    let by_id = |list: PageList| ListedPages {
        by_id: list.pages.into_iter().map(|page| (page.id.clone(), page)).collect(),
        extent: list.extent,
    };
    Ok(Some(answer.map(by_id)))
}

/// Names the permissions that a list of Pages needs, and where the portfolio is named that is not there.
/// Source: Meta, Pages API, `me/accounts`; Business Management API, `owned_pages`.
fn explained(error: CallError, parent: &TokenConfig) -> CallError {
    let problem = match (error.problem.kind, &parent.business) {
        _ if error.held_back => error.problem,
        (ProblemKind::PermissionMissing, business) => {
            let needed = match business {
                Some(_) => "`pages_show_list` and `business_management`",
                None => "`pages_show_list`",
            };
            let message = format!(
                "its Pages are not listed without {needed}{}{}",
                Problem::META_SAYS,
                error.problem.message
            );
            Problem { message, ..error.problem }
        }
        (ProblemKind::ObjectNotFound, Some(business)) => {
            let fix = format!(
                "compare `business` of {} ({business}) with the portfolio's id (Meta Business \
                 settings, Business info)",
                table(&parent.label)
            );
            error.problem.with_fix(fix)
        }
        _ => error.problem,
    };
    CallError { problem, ..error }
}

/// Records why the list of Pages was refused, where only a person can change that, so that every
/// reader of the store learns of it. An answer about the parent forgets it, and the next list finds
/// out anew.
fn note_refused_list(
    run: &Run<'_>,
    parent: &Credential,
    error: &CallError,
) -> Result<(), StoreError> {
    let stands = parent.attempts.problem.is_some();
    if stands || error.held_back || !error.problem.action.needs_a_person() {
        return Ok(());
    }
    run.store.note_trouble(parent.clone(), Some(&error.problem)).map(drop)
}

/// Says why the list of a parent's Pages must not be asked for, if Meta's time is not over.
pub fn list_waits(run: &Run<'_>, parent: &Credential) -> Option<CallError> {
    let until = parent.attempts.list_not_before?;
    throttle(until, run.now()).map(CallError::listing_waits)
}

/// Records how long the Pages of this parent are to be left alone, where Meta refused because of a
/// limit that is not the whole app's.
pub fn pause_list(run: &Run<'_>, parent: &Credential, error: &CallError) -> Result<(), StoreError> {
    let is_limit = error.problem.kind == ProblemKind::RateLimited && error.scope == Scope::Token;
    if !is_limit || error.held_back {
        return Ok(());
    }
    let until = run.now() + error.wait.unwrap_or(USUAL_THROTTLE);
    run.store.pause_list(parent.clone(), until).map(drop)
}

/// Records which Pages were listed, and gives those that are new.
fn record_listing(
    run: &Run<'_>,
    parent: &TokenConfig,
    credential: Credential,
    pages: &[(&TokenConfig, Credential)],
    listing: &PageListing,
) -> Result<Vec<TokenConfig>, StoreError> {
    let current = credential.current.as_ref().map(|current| current.id);
    let (Ok(listed), Some(current)) = (listing, current) else {
        return Ok(Vec::new());
    };
    let mut tokens: Vec<TokenConfig> = listed
        .by_id
        .keys()
        .filter_map(|page_id| discovered(&run.session.config, parent, page_id))
        .collect();
    tokens.sort_by(|a, b| a.label.cmp(&b.label));
    let is_listed = |token: &TokenConfig| {
        token.page_id.as_ref().is_some_and(|page_id| listed.by_id.contains_key(page_id))
    };
    let declared = pages.iter().map(|(token, _)| *token);
    let declared = declared.filter(|it| run.session.config.token(&it.label).is_some());
    let declared: Vec<&TokenConfig> = declared.filter(|it| is_listed(it)).collect();
    let ids: HashMap<&Label, &String> = tokens
        .iter()
        .chain(declared.iter().copied())
        .filter_map(|token| Some((&token.label, token.page_id.as_ref()?)))
        .collect();
    let name = |label: &Label| listed.by_id.get(*ids.get(label)?)?.name.clone();
    // A Page that was retired is not among `pages`; seen again, it is retired no more.
    let found = run.enrol(&tokens, name)?;
    run.enrol(declared, name)?;
    let (seen, unseen): (Vec<_>, Vec<_>) = pages.iter().partition(|(token, _)| is_listed(token));
    let id = |(_, credential): &(&TokenConfig, Credential)| credential.id;
    let seen: Vec<TokenId> = seen.into_iter().map(id).chain(found).collect();
    // What a list lacks that was cut short may be in the rest of it.
    let unseen: Vec<TokenId> = match listed.extent {
        Extent::Whole => unseen.into_iter().map(id).collect(),
        Extent::Cut => Vec::new(),
    };
    run.store.note_listing(credential, current, &seen, &unseen, run.now())?;
    let known: HashSet<&Label> = pages.iter().map(|(known, _)| &known.label).collect();
    tokens.retain(|token| !known.contains(&token.label));
    Ok(tokens)
}
