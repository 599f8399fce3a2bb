//! Reads what only the store knows of a token: its Pages, earlier generations and last events.

use std::collections::HashMap;

use crate::deliver::stored_deliveries;
use crate::error::CliError;
use crate::policy::{rotation_stage, works};
use crate::report::{
    BackupStanding, HistoryEntry, PageCounts, TokenBackground, TokenPast, TokenReport,
};
use crate::run::declared::LastReading;
use crate::run::tokens::Tokens;
use crate::session::Session;
use crate::store::{Event, EventQuery, Store};
use crate::token::{Credential, Expiry, Generation, GenerationState, Label, Time};

/// How many events are told of one token.
const LAST_EVENTS: usize = 6;

/// The background of each token, in their order; that of a token without a label is empty.
pub fn backgrounds(
    session: &Session,
    tokens: &[TokenReport],
) -> Result<Vec<TokenBackground>, CliError> {
    let labels: Vec<Label> = tokens.iter().filter_map(|token| token.label.clone()).collect();
    let Some(store) = session.reader()?.filter(|_| !labels.is_empty()) else {
        return Ok(tokens.iter().map(|_| TokenBackground::default()).collect());
    };
    let known = Tokens::new(&session.config, store.credentials()?, &LastReading::new());
    let mut events = last_events(&store, labels)?;
    tokens
        .iter()
        .map(|token| {
            let Some(label) = &token.label else { return Ok(TokenBackground::default()) };
            let events = events.remove(label).unwrap_or_default();
            Ok(TokenBackground { events, ..background(session, &store, &known, token, label)? })
        })
        .collect()
}

/// The background of these tokens without their events.
pub fn past_of(
    session: &Session,
    store: &Store,
    tokens: &[&TokenReport],
) -> Result<TokenPast, CliError> {
    let known = Tokens::new(&session.config, store.credentials()?, &LastReading::new());
    let labelled = tokens.iter().filter_map(|token| Some((token, token.label.as_ref()?)));
    labelled
        .map(|(token, label)| {
            Ok((label.clone(), background(session, store, &known, token, label)?))
        })
        .collect()
}

/// The background of a token, without its events.
fn background(
    session: &Session,
    store: &Store,
    known: &Tokens,
    token: &TokenReport,
    label: &Label,
) -> Result<TokenBackground, CliError> {
    let credential = known.credential(label);
    let now = session.clock.now();
    Ok(TokenBackground {
        pages: pages(known, label, now),
        backup: token.backup.as_ref().map(|backup| standing(known, backup, now)),
        earlier: match credential {
            Some(credential) => earlier(store, credential)?,
            None => Vec::new(),
        },
        rotation: credential.and_then(|it| rotation(known, it, session)),
        events: Vec::new(),
    })
}

fn pages(tokens: &Tokens, parent: &Label, now: Time) -> PageCounts {
    let verdict = |page: &Label| works(tokens.credential(page)?.current.as_ref()?, now);
    let pages = || tokens.pages_of(parent).map(|page| &page.label);
    PageCounts {
        total: pages().count(),
        declared: pages().filter(|it| it.as_discovered().is_none()).cloned().collect(),
        valid: pages().filter(|it| verdict(it) == Some(true)).count(),
    }
}

fn standing(tokens: &Tokens, backup: &Label, now: Time) -> BackupStanding {
    let current = tokens.credential(backup).and_then(|it| it.current.as_ref());
    let proof = current.and_then(|current| current.proof.as_ref());
    BackupStanding {
        label: backup.clone(),
        works: current.and_then(|current| works(current, now)),
        user_id: proof.and_then(|proof| proof.inspection.identity.user_id.clone()),
    }
}

/// Where the rotation stands that has left the oldest access token beside the current one.
fn rotation(tokens: &Tokens, credential: &Credential, session: &Session) -> Option<String> {
    let oldest = credential.rotated.first()?;
    let token = tokens.configs.iter().find(|token| token.label == credential.label)?;
    let deliveries = stored_deliveries(token, Some(credential));
    let overlap = token.policy.rotate_overlap;
    let now = session.clock.now();
    Some(rotation_stage(&credential.label, oldest, &deliveries, overlap, now))
}

/// The generations that were current and are still kept, the newest first.
fn earlier(store: &Store, credential: &Credential) -> Result<Vec<Generation>, CliError> {
    let mut found = store.generations(credential.id)?;
    found.retain(|it| it.state == GenerationState::Previous);
    found.sort_by_key(|it| std::cmp::Reverse(it.number));
    Ok(found)
}

/// The last events of each label, the newest last.
fn last_events(
    store: &Store,
    labels: Vec<Label>,
) -> Result<HashMap<Label, Vec<HistoryEntry>>, CliError> {
    let query = EventQuery { labels: Some(labels), ..EventQuery::default() };
    let mut found: HashMap<Label, Vec<HistoryEntry>> = HashMap::new();
    for event in store.events(&query)? {
        let Some(label) = event.label.clone() else { continue };
        let events = found.entry(label).or_default();
        if events.len() < LAST_EVENTS {
            events.insert(0, entry(event));
        }
    }
    Ok(found)
}

/// A stored event as reports have it.
pub fn entry(event: Event) -> HistoryEntry {
    HistoryEntry {
        at: event.at,
        run: Some(event.run.0),
        label: event.label,
        event: event.kind,
        trigger: event.trigger,
        old_expiry: event.old_expiry.unwrap_or(Expiry::Unknown),
        new_expiry: event.new_expiry.unwrap_or(Expiry::Unknown),
        generation: event.generation,
        fingerprint: event.fingerprint,
        problem: event.problem,
        target: event.target,
        renamed_from: event.renamed_from,
    }
}
