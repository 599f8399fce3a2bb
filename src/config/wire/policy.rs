//! The POLICY keys, as a token's table or `[defaults]` gives them.

use chrono::TimeDelta;
use serde_spanned::Spanned;

use super::section::{Given, Section, article};
use crate::config::duration::parse_duration;
use crate::config::mistake::Faults;
use crate::policy::Limits;

/// What one table says about how tokens are to be treated.
#[derive(Debug, Clone, Default)]
pub(in crate::config) struct PolicyWire {
    pub(in crate::config) enabled: Given<bool>,
    pub(in crate::config) auto_refresh: Given<bool>,
    pub(in crate::config) refresh_within: Given<TimeDelta>,
    pub(in crate::config) verify_every: Given<TimeDelta>,
    pub(in crate::config) proof_within: Given<Limits>,
    pub(in crate::config) warn_within: Given<TimeDelta>,
    pub(in crate::config) critical_within: Given<TimeDelta>,
    pub(in crate::config) data_access_within: Given<Limits>,
    pub(in crate::config) validation_interval: Given<TimeDelta>,
    pub(in crate::config) required_scopes: Given<Vec<String>>,
    pub(in crate::config) required_targets: Given<Vec<String>>,
    pub(in crate::config) rotate_after: Given<TimeDelta>,
    pub(in crate::config) reminders: Given<Vec<TimeDelta>>,
    pub(in crate::config) keep_generations: Given<u32>,
    pub(in crate::config) keep_for: Given<TimeDelta>,
    pub(in crate::config) owner: Given<String>,
}

impl PolicyWire {
    pub(super) fn read(section: &Section<'_>, faults: &mut Faults) -> Self {
        Self {
            enabled: section.boolean("enabled", faults),
            auto_refresh: section.boolean("auto_refresh", faults),
            refresh_within: window(section, faults),
            verify_every: section.duration("verify_every", faults),
            proof_within: ages(section, "proof_within", faults),
            warn_within: section.duration("warn_within", faults),
            critical_within: section.duration("critical_within", faults),
            data_access_within: distances(section, "data_access_within", faults),
            validation_interval: section.duration("validation_interval", faults),
            required_scopes: names(section, "required_scopes", faults),
            required_targets: names(section, "required_targets", faults),
            rotate_after: section.positive("rotate_after", faults),
            reminders: reminders(section, faults),
            keep_generations: section.number("keep_generations", 0..=1000, faults),
            keep_for: section.duration("keep_for", faults),
            owner: owner(section, faults),
        }
    }
}

/// Without a window nothing would be renewed before it is dead, which is said otherwise.
fn window(section: &Section<'_>, faults: &mut Faults) -> Given<TimeDelta> {
    let window = section.duration("refresh_within", faults)?;
    if window.get_ref().is_zero() {
        faults
            .add(window.span(), "`refresh_within` must be longer than nothing")
            .label("`auto_refresh = false` leaves a token alone");
        return None;
    }
    Some(window)
}

fn reminders(section: &Section<'_>, faults: &mut Faults) -> Given<Vec<TimeDelta>> {
    let reminders = section.durations("reminders", faults)?;
    if reminders.get_ref().iter().any(TimeDelta::is_zero) {
        faults
            .add(reminders.span(), "`reminders` must be longer than nothing")
            .label("they come before the end; `[]` is for none");
    }
    Some(reminders)
}

fn owner(section: &Section<'_>, faults: &mut Faults) -> Given<String> {
    let owner = section.string("owner", faults)?;
    if owner.get_ref().trim().is_empty() {
        faults
            .add(owner.span(), "`owner` is empty")
            .label("say who can log in again, or leave it out");
        return None;
    }
    Some(owner)
}

/// Two ages: the warning comes first, so it is the smaller.
fn ages(section: &Section<'_>, key: &str, faults: &mut Faults) -> Given<Limits> {
    let limits = pair(section, key, faults)?;
    if limits.get_ref().warning > limits.get_ref().critical {
        let message = format!("`{key}` is critical before it is a warning");
        faults.add(limits.span(), message).label("write the shorter one first");
    } else if limits.get_ref().warning.is_zero() {
        faults
            .add(limits.span(), format!("`{key}` must be longer than nothing"))
            .label("no proof is as young as that");
    }
    Some(limits)
}

/// Two distances from an end: the warning comes first, so it is the larger. Zero is never.
fn distances(section: &Section<'_>, key: &str, faults: &mut Faults) -> Given<Limits> {
    let limits = match section.item(key) {
        Some((item, span)) if is_zero(item) => {
            let never = Limits { warning: TimeDelta::zero(), critical: TimeDelta::zero() };
            return Some(Spanned::new(span, never));
        }
        _ => pair(section, key, faults)?,
    };
    if limits.get_ref().critical > limits.get_ref().warning {
        let message = format!("`{key}` is critical before it is a warning");
        faults.add(limits.span(), message).label("write the longer one first");
    }
    Some(limits)
}

fn is_zero(item: &toml_edit::Item) -> bool {
    let zero = |text: &str| text == "0" || parse_duration(text).is_ok_and(|zero| zero.is_zero());
    item.as_integer() == Some(0) || item.as_str().is_some_and(zero)
}

fn pair(section: &Section<'_>, key: &str, faults: &mut Faults) -> Given<Limits> {
    let (item, span) = section.item(key)?;
    if item.as_array().is_none_or(|array| array.len() != 2) {
        let found = match item.as_array() {
            Some(array) => format!("{} of them", array.len()),
            None => article(item).to_owned(),
        };
        let message = format!("`{key}` must be a list of two durations, not {found}");
        faults.add(span, message).label("write `[WARNING, CRITICAL]`");
        return None;
    }
    let both = section.durations(key, faults)?;
    let [warning, critical] = both.get_ref()[..] else { return None };
    Some(Spanned::new(span, Limits { warning, critical }))
}

fn names(section: &Section<'_>, key: &str, faults: &mut Faults) -> Given<Vec<String>> {
    let list = section.strings(key, faults)?;
    let blank = |c: char| c.is_whitespace() || c == ',';
    for name in list.get_ref() {
        if name.get_ref().is_empty() || name.get_ref().contains(blank) {
            faults
                .add(name.span(), format!("`{key}` has one name in each string"))
                .label("write `[\"ONE\", \"TWO\"]`");
        }
    }
    let names = list.get_ref().iter().map(|name| name.get_ref().clone()).collect();
    Some(Spanned::new(list.span(), names))
}
