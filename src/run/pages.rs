//! Lists Pages: those that a user token manages.
//!
//! One listing serves all Pages of a parent. A Page that the list lacks is never taken for gone:
//! the list is known to come back empty or short for a while. It is asked for by its id, and its
//! stored access token stays.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Run;
use super::job::{PageListing, TokenJob};
use super::refresh_run::RefreshRun;
use super::tokens::{TokenConfig, discovered};
use crate::config::Pages;
use crate::error::CliError;
use crate::graph::{CallError, PageGrant};
use crate::policy::{Decision, listing_is_due};
use crate::store::StoreError;
use crate::token::{Credential, Label, TokenId};

/// What follows once a parent has been refreshed.
pub struct Following {
    /// The jobs for its Pages.
    pub jobs: Vec<TokenJob>,
    /// Why its Pages could not be listed, if that is so.
    pub error: Option<CallError>,
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
    let error = listing.as_ref().and_then(|listing| listing.as_ref().as_ref().err().cloned());
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
    Ok(Following { jobs, error })
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
    let access_token = run.store.reveal(current.id)?;
    // Where the app cannot be had the parent's own result says so already.
    let Ok(app) = run.app(&parent.app) else {
        return Ok(None);
    };
    let pages = run.graph.pages(&app, &access_token);
    let by_id = |pages: Vec<PageGrant>| {
        pages.into_iter().map(|page| (page.id.clone(), page)).collect::<HashMap<_, _>>()
    };
    Ok(Some(pages.map(by_id)))
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
        .keys()
        .filter_map(|page_id| discovered(&run.session.config, parent, page_id))
        .collect();
    tokens.sort_by(|a, b| a.label.cmp(&b.label));
    let name = |label: &Label| listed.get(label.as_discovered()?.1)?.name.clone();
    // A Page that was retired is not among `pages`; seen again, it is retired no more.
    let found = run.enrol(&tokens, name)?;
    let is_listed = |token: &TokenConfig| {
        token.page_id.as_ref().is_some_and(|page_id| listed.contains_key(page_id))
    };
    let (seen, unseen): (Vec<_>, Vec<_>) = pages.iter().partition(|(token, _)| is_listed(token));
    let id = |(_, credential): &(&TokenConfig, Credential)| credential.id;
    let seen: Vec<TokenId> = seen.into_iter().map(id).chain(found).collect();
    let unseen: Vec<TokenId> = unseen.into_iter().map(id).collect();
    run.store.note_listing(credential, current, &seen, &unseen, run.now())?;
    let known: HashSet<&Label> = pages.iter().map(|(known, _)| &known.label).collect();
    tokens.retain(|token| !known.contains(&token.label));
    Ok(tokens)
}
