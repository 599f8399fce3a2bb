//! Which of several tables decides how a token is treated.
//!
//! A key of the token's own wins; then its parent's, save for what is about one token alone; then
//! `[defaults]`; then what is built in.

use chrono::TimeDelta;
use serde_spanned::Spanned;

use crate::config::mistake::Faults;
use crate::config::settings::{Origin, Origins};
use crate::config::wire::{Given, PolicyWire};
use crate::policy::{Policy, Subject, words};
use crate::token::Label;

/// The tables that speak about one token.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a> {
    pub(super) label: &'a Label,
    pub(super) own: &'a PolicyWire,
    pub(super) parent: Option<(&'a Label, &'a PolicyWire)>,
    pub(super) defaults: &'a PolicyWire,
}

/// Whether a Page has its parent's value when it has none of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FromParent {
    Inherited,
    /// What one token needs says nothing about another.
    OwnOnly,
}

type Pick<'a, T> = fn(&'a PolicyWire) -> &'a Given<T>;

impl<'a> Layers<'a> {
    fn find<T>(&self, from: FromParent, pick: Pick<'a, T>) -> Option<(&'a Spanned<T>, Origin)> {
        let own = || {
            let origin = Origin::Table(format!("token.{}", self.label));
            Some((pick(self.own).as_ref()?, origin))
        };
        let parent = || {
            let (label, wire) = self.parent.filter(|_| from == FromParent::Inherited)?;
            Some((pick(wire).as_ref()?, Origin::Parent(label.clone())))
        };
        let defaults = || Some((pick(self.defaults).as_ref()?, Origin::Defaults));
        own().or_else(parent).or_else(defaults)
    }
}

/// Fills in every key, and writes down where each came from.
pub(super) fn resolve(layers: Layers<'_>, origins: &mut Origins) -> Policy {
    let mut policy = Policy::default();
    macro_rules! fill {
        ($($from:ident { $($field:ident),* $(,)? })*) => { $($(
            let origin = match layers.find(FromParent::$from, |wire| &wire.$field) {
                Some((value, origin)) => {
                    policy.$field = value.get_ref().clone().into();
                    origin
                }
                None => Origin::BuiltIn,
            };
            origins.insert(stringify!($field), origin);
        )*)* };
    }
    fill! {
        Inherited {
            enabled, auto_refresh, refresh_within, verify_every, proof_within, warn_within,
            critical_within, data_access_within, validation_interval, reminders,
            keep_generations, keep_for, owner,
        }
        OwnOnly { required_scopes, required_targets, rotate_after }
    }
    policy
}

/// A token is in warning before it is critical, also when the two come from different tables.
///
/// What is not given depends on who can renew the token, so the judgement itself is asked; it may
/// be unable to say.
pub(super) fn check_order(layers: Layers<'_>, subject: Option<Subject<'_>>, faults: &mut Faults) {
    let warn = layers.find(FromParent::Inherited, |wire| &wire.warn_within);
    let critical = layers.find(FromParent::Inherited, |wire| &wire.critical_within);
    match (warn, critical, subject) {
        (Some((warn, _)), Some((critical, _)), _) if critical.get_ref() > warn.get_ref() => {
            let message = format!(
                "`critical_within` must not be longer than `warn_within`: {}",
                words::duration(*warn.get_ref())
            );
            faults.add(critical.span(), message);
        }
        (Some((warn, _)), None, Some(subject)) if subject.critical_within() > *warn.get_ref() => {
            let message = format!(
                "`warn_within` must not be shorter than `critical_within`: {}",
                built_in(subject.critical_within(), &subject)
            );
            faults.add(warn.span(), message).label("set `critical_within` too");
        }
        (None, Some((critical, _)), Some(subject))
            if *critical.get_ref() > subject.warn_within() =>
        {
            let message = format!(
                "`critical_within` must not be longer than `warn_within`: {}",
                built_in(subject.warn_within(), &subject)
            );
            faults.add(critical.span(), message).label("set `warn_within` too");
        }
        _ => {}
    }
}

fn built_in(limit: TimeDelta, subject: &Subject<'_>) -> String {
    let limit = words::duration(limit);
    if subject.only_a_person_can_renew() {
        format!("{limit}, built in where only a person can renew it")
    } else {
        format!("{limit}, built in")
    }
}

/// The policy of a Page that no table names: its parent's, save for what is about one token.
pub(in crate::config) fn of_discovered_page(
    parent: &Label,
    policy: &Policy,
    origins: &Origins,
    defaults: &PolicyWire,
) -> (Policy, Origins) {
    let silent = PolicyWire::default();
    let alone = Layers { label: parent, own: &silent, parent: None, defaults };
    let mut page_origins = Origins::new();
    let fresh = resolve(alone, &mut page_origins);
    for (key, origin) in &mut page_origins {
        let inherited = !matches!(*key, "required_scopes" | "required_targets" | "rotate_after");
        if let (true, Some(Origin::Table(_))) = (inherited, origins.get(key)) {
            *origin = Origin::Parent(parent.clone());
        }
    }
    let page = Policy {
        required_scopes: fresh.required_scopes,
        required_targets: fresh.required_targets,
        rotate_after: fresh.rotate_after,
        ..policy.clone()
    };
    (page, page_origins)
}
