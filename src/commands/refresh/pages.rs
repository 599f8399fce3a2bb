//! Pages: found by listing what a user token manages, and given their strings from that list.
//!
//! One listing serves all Pages of a parent. A Page that the list lacks is never taken for gone:
//! the list is known to come back empty or short for a while. It is asked for by its id, and its
//! stored string stays.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;

use super::Job;
use super::keeper::Keeper;
use super::workshop::Workshop;
use crate::commands::roster::{Member, discovered, subject};
use crate::complaint::Complaint;
use crate::graph::{Fault, PageGrant};
use crate::policy::{Decision, decide, listing_is_due};
use crate::store::{Extension as Extended, StoreError};
use crate::token::{
    Action, Credential, EventKind, Expiry, Generation, Label, Origin, Outcome, Problem,
    ProblemKind, TokenId,
};

/// A Page that is gone from the list this long, and dead, is retired.
const GONE_FOR: TimeDelta = TimeDelta::days(7);

/// What Graph said when it was asked for the Pages of a user token.
#[derive(Debug)]
pub(super) struct Listing {
    pages: Result<HashMap<String, PageGrant>, Fault>,
}

/// What follows once a parent has been kept.
pub(super) struct Following {
    /// The jobs for its Pages.
    pub(super) jobs: Vec<Job>,
    /// Why its Pages could not be listed, if that is so.
    pub(super) fault: Option<Fault>,
}

/// Lists the Pages of `parent`, which has just been kept, if that is due, and gives their jobs.
pub(super) fn follow(workshop: &Workshop<'_>, parent: &Member) -> Result<Following, Complaint> {
    let members: Vec<&Member> = workshop.roster.pages_of(&parent.label).collect();
    let mut pages = Vec::new();
    for member in members {
        let token = workshop.token(&member.label)?;
        pages.push((member, workshop.store.credential(token)?));
    }
    let credential = workshop.store.credential(workshop.token(&parent.label)?)?;
    let listing = if is_due(workshop, parent, &credential, &pages) {
        list(workshop, parent, &credential)?.map(Arc::new)
    } else {
        None
    };
    let fault = listing.as_ref().and_then(|listing| listing.pages.as_ref().err().cloned());
    let mut jobs: Vec<Job> = pages
        .iter()
        .map(|(member, credential)| Job::new((*member).clone(), Some(credential), listing.clone()))
        .collect();
    if let Some(listing) = listing {
        let found = take_note(workshop, parent, &credential, &pages, &listing)?;
        jobs.extend(found.into_iter().map(|member| Job::new(member, None, Some(listing.clone()))));
    }
    Ok(Following { jobs, fault })
}

fn is_due(
    workshop: &Workshop<'_>,
    parent: &Member,
    credential: &Credential,
    pages: &[(&Member, Credential)],
) -> bool {
    let moment = workshop.moment();
    let insistence = workshop.insistence_on(&parent.label);
    let derives = |(member, page): &(&Member, Credential)| {
        let subject = subject(member, Some(page), Some(credential));
        let insistence = workshop.insistence_on(&member.label);
        matches!(decide(&subject, insistence, moment), Decision::Derive(_))
    };
    let discovered: Vec<&Credential> = pages
        .iter()
        .filter(|(member, _)| member.label.as_discovered().is_some())
        .map(|(_, credential)| credential)
        .collect();
    let lists_all = !matches!(parent.pages, crate::config::Pages::None);
    let subject = subject(parent, Some(credential), None);
    (lists_all && listing_is_due(&subject, &discovered, insistence, moment))
        || pages.iter().any(derives)
}

/// Asks Graph for the Pages; nothing where the parent has no string to ask with.
fn list(
    workshop: &Workshop<'_>,
    parent: &Member,
    credential: &Credential,
) -> Result<Option<Listing>, StoreError> {
    let Some(current) = &credential.current else { return Ok(None) };
    let string = workshop.store.reveal(current.id)?;
    // Where the app cannot be had the parent's own result says so already.
    let Ok(app) = crate::commands::apps::app(workshop.session, &parent.app) else {
        return Ok(None);
    };
    let pages = workshop.graph.pages(&app, &string).map(|pages| {
        pages.into_iter().map(|page| (page.id.clone(), page)).collect::<HashMap<_, _>>()
    });
    Ok(Some(Listing { pages }))
}

/// Writes down which Pages were listed, and gives those that are new.
fn take_note(
    workshop: &Workshop<'_>,
    parent: &Member,
    credential: &Credential,
    pages: &[(&Member, Credential)],
    listing: &Listing,
) -> Result<Vec<Member>, StoreError> {
    let (Ok(listed), Some(current)) = (&listing.pages, &credential.current) else {
        return Ok(Vec::new());
    };
    let mut members: Vec<Member> = listed
        .keys()
        .filter_map(|page_id| discovered(&workshop.session.config, parent, page_id))
        .collect();
    members.sort_by(|a, b| a.label.cmp(&b.label));
    let name = |label: &Label| listed.get(label.as_discovered()?.1)?.name.clone();
    // A Page that was retired is not among `pages`; seen again, it is retired no more.
    let found = workshop.enrol(&members, name)?;
    let is_listed = |member: &Member| {
        member.page_id.as_ref().is_some_and(|page_id| listed.contains_key(page_id))
    };
    let (seen, unseen): (Vec<_>, Vec<_>) = pages.iter().partition(|(member, _)| is_listed(member));
    let id = |(_, credential): &(&Member, Credential)| credential.id;
    let seen: Vec<TokenId> = seen.into_iter().map(id).chain(found).collect();
    let unseen: Vec<TokenId> = unseen.into_iter().map(id).collect();
    workshop.store.note_listing(credential.id, current.id, &seen, &unseen, workshop.now())?;
    members.retain(|member| !pages.iter().any(|(known, _)| known.label == member.label));
    Ok(members)
}

impl Keeper<'_> {
    /// Takes the Page's string from its parent: from the list, else by the Page's id.
    pub(super) fn take_from_parent(&mut self, listing: Option<&Listing>) -> Result<(), StoreError> {
        let (Some(parent), Some(page_id)) = (self.parent()?, self.member.page_id.clone()) else {
            return Ok(());
        };
        let Some(from) = parent.current else { return Ok(()) };
        let listed = match listing.map(|listing| &listing.pages) {
            Some(Ok(pages)) => pages.get(&page_id).cloned().map(Ok),
            Some(Err(fault)) => Some(Err(Fault { held_back: true, ..fault.clone() })),
            None => None,
        };
        let answer = if let Some(answer) = listed {
            answer
        } else {
            let string = self.workshop.store.reveal(from.id)?;
            self.app().and_then(|app| self.workshop.graph.page(&app, &string, &page_id))
        };
        let current = self.credential()?.current;
        match answer {
            Err(fault) => self.not_derived(fault, current.as_ref()),
            Ok(PageGrant { token: Some(string), .. }) => match current {
                Some(current)
                    if self.workshop.store.fingerprint(&string)? == current.fingerprint =>
                {
                    self.same_page_string(&current, &from)
                }
                _ => {
                    let candidate =
                        self.seal(&string, Origin::Derived, Expiry::Unknown, Some(from.id))?;
                    self.examine(&candidate)
                }
            },
            Ok(PageGrant { token: None, .. }) => {
                let problem = Problem::new(
                    ProblemKind::PermissionMissing,
                    format!("`{}` may not act for Page {page_id}", self.parent_label()),
                );
                self.not_derived_for(problem, current.as_ref())
            }
        }
    }

    /// The same string under a new parent is the same generation.
    fn same_page_string(
        &mut self,
        current: &Generation,
        from: &Generation,
    ) -> Result<(), StoreError> {
        let now = self.workshop.now();
        let fresh = current.proof.as_ref().is_some_and(|proof| {
            proof.at <= now && now - proof.at < self.member.policy.verify_every
        });
        let proof = match current.proof.clone().filter(|_| fresh) {
            Some(proof) => proof,
            None => match self.prove(current)? {
                Some(proof) => proof,
                None => return Ok(()),
            },
        };
        if proof.inspection.valid == Some(false) {
            let problem = proof.inspection.problem.clone().unwrap_or_else(|| {
                Problem::new(ProblemKind::SessionInvalid, "its parent gives a string that is dead")
            });
            return self.not_derived_for(problem, None);
        }
        let extended = Extended {
            token: self.token,
            generation: current.id,
            parent: Some(from.id),
            proof,
            event: EventKind::Derived,
        };
        self.workshop.store.extend(self.workshop.run, extended, now)?;
        self.diary.achieve(Outcome::Derived);
        Ok(())
    }

    fn not_derived(
        &mut self,
        fault: Fault,
        current: Option<&Generation>,
    ) -> Result<(), StoreError> {
        if fault.held_back || fault.problem.kind.is_outage() {
            self.diary.fault(fault);
            return Ok(());
        }
        self.not_derived_for(fault.problem, current)
    }

    /// While the stored string works nobody need be woken: it is tried again.
    fn not_derived_for(
        &mut self,
        problem: Problem,
        current: Option<&Generation>,
    ) -> Result<(), StoreError> {
        let alive = current
            .and_then(|generation| generation.proof.as_ref())
            .is_some_and(|proof| proof.inspection.valid == Some(true));
        let problem = if alive { problem.with_action(Action::Retry) } else { problem };
        self.note_failure(&problem, current.map_or(Expiry::Unknown, |it| it.expiry))?;
        self.diary.trouble(problem);
        Ok(())
    }

    fn parent_label(&self) -> String {
        self.member.parent.as_ref().map_or_else(String::new, Label::to_string)
    }

    /// A discovered Page that has been gone for a week and is dead goes out of every verdict.
    pub(super) fn retire_if_gone(&mut self) -> Result<(), StoreError> {
        if self.member.label.as_discovered().is_none() || self.member.access_token.is_some() {
            return Ok(());
        }
        let credential = self.credential()?;
        let now = self.workshop.now();
        let gone = credential.unlisted_since.is_some_and(|since| now - since >= GONE_FOR);
        let dead = credential.current.as_ref().is_none_or(|generation| {
            generation.proof.as_ref().is_some_and(|proof| proof.inspection.valid == Some(false))
        });
        if gone && dead {
            self.workshop.store.retire(self.workshop.run, self.token, now)?;
            self.diary.retired(format!(
                "retired: gone from the Pages of `{}` for 7 days, and dead",
                self.parent_label()
            ));
        }
        Ok(())
    }
}
