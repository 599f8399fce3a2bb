//! Which of several tables decides how a token is treated.
//!
//! A key of the token's own wins; then its parent's, save for what is about one token alone; then
//! `[defaults]`; then what is built in.

use std::ops::Range;

use chrono::TimeDelta;
use serde_spanned::Spanned;

use crate::config::mistake::Faults;
use crate::config::settings::{Origin, Origins};
use crate::config::wire::{Given, PolicyWire};
use crate::policy::{Policy, words};
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
pub(super) fn resolve(layers: Layers<'_>, origins: &mut Origins, faults: &mut Faults) -> Policy {
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
    check_order(layers, faults);
    policy
}

/// A token is in warning before it is critical, also when the two come from different tables.
fn check_order(layers: Layers<'_>, faults: &mut Faults) {
    // The shorter pair of defaults: one that fits it fits the other, or is judged at run time.
    const WARN: TimeDelta = TimeDelta::days(10);
    const CRITICAL: TimeDelta = TimeDelta::days(3);
    let warn = layers.find(FromParent::Inherited, |wire| &wire.warn_within);
    let critical = layers.find(FromParent::Inherited, |wire| &wire.critical_within);
    let place =
        |found: &Option<(&Spanned<TimeDelta>, Origin)>| -> Option<(TimeDelta, Range<usize>)> {
            found.as_ref().map(|(value, _)| (*value.get_ref(), value.span()))
        };
    match (place(&warn), place(&critical)) {
        (Some((warn, _)), Some((critical, span))) if critical > warn => {
            let message = format!(
                "`critical_within` must not be longer than `warn_within`: {}",
                words::duration(warn)
            );
            faults.add(span, message);
        }
        (Some((warn, span)), None) if warn < CRITICAL => {
            faults
                .add(span, "`warn_within` must not be shorter than `critical_within`: 3d, built in")
                .label("set `critical_within` too");
        }
        (None, Some((critical, span))) if critical > WARN => {
            faults
                .add(span, "`critical_within` must not be longer than `warn_within`: 10d, built in")
                .label("set `warn_within` too");
        }
        _ => {}
    }
}

/// The policy of a Page that no table names: its parent's, save for what is about one token.
pub(in crate::config) fn of_discovered_page(
    parent: &Label,
    policy: &Policy,
    origins: &Origins,
    defaults: &PolicyWire,
) -> (Policy, Origins) {
    let (silent, nobody) = (PolicyWire::default(), &mut Faults::default());
    let alone = Layers { label: parent, own: &silent, parent: None, defaults };
    let mut page_origins = Origins::new();
    let fresh = resolve(alone, &mut page_origins, nobody);
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
