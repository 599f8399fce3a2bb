//! Targets that would be taken for one another, or undo one another's work.

use super::slot::Slot;
use super::targets::Stated;
use crate::config::mask::{quoted, quoted_path};
use crate::config::mistake::Faults;
use crate::config::settings::Origin;
use crate::deliver::{FileTarget, Place};
use crate::token::Label;

/// A target with its token.
#[derive(Clone, Copy)]
struct Owned<'a> {
    label: &'a Label,
    stated: &'a Stated,
}

/// Notes every target that collides with one before it, once each.
pub(super) fn check<'a>(
    targets: impl Iterator<Item = (&'a Label, &'a [Stated])>,
    faults: &mut Faults,
) {
    let all: Vec<Owned<'a>> = targets
        .flat_map(|(label, stated)| stated.iter().map(move |stated| Owned { label, stated }))
        .collect();
    for (at, later) in all.iter().enumerate() {
        let before = &all[..at];
        if let Some((first, file)) = before.iter().find_map(|first| {
            let file = overwritten(first.stated, later.stated)?;
            Some((first, file))
        }) {
            refuse_overwriting(first, later, file, faults);
        } else if let Some(first) = before.iter().find(|first| {
            first.label == later.label && first.stated.target.id == later.stated.target.id
        }) {
            refuse_alike(first.stated, later.stated, faults);
        }
    }
}

/// The later file, if its value is the earlier one's too.
fn overwritten<'a>(earlier: &Stated, later: &'a Stated) -> Option<&'a FileTarget> {
    let (Place::File(first), Place::File(second)) = (&earlier.target.place, &later.target.place)
    else {
        return None;
    };
    Slot::of(first).meets(Slot::of(second)).then_some(second)
}

fn refuse_overwriting(
    first: &Owned<'_>,
    later: &Owned<'_>,
    file: &FileTarget,
    faults: &mut Faults,
) {
    let path = quoted_path(&file.path);
    let value = match &file.key {
        Some(key) => format!("{} of {path}", quoted(key)),
        None => path,
    };
    let message = if first.label == later.label {
        format!("`{}` writes {value} twice", later.label)
    } else {
        format!("`{}` and `{}` both write {value}", first.label, later.label)
    };
    faults
        .add(later.stated.span.clone(), message)
        .label("one would overwrite the other")
        .earlier(Some(first.stated.span.clone()));
}

fn refuse_alike(first: &Stated, later: &Stated, faults: &mut Faults) {
    let has_name = |stated: &Stated| matches!(stated.origins["name"], Origin::Table(_));
    let label = if has_name(first) && has_name(later) {
        "give it another `name`"
    } else {
        "give one of them a `name`"
    };
    let message =
        format!("two deliveries of one token are called {}", quoted(later.target.id.as_str()));
    faults.add(later.id_span.clone(), message).label(label).earlier(Some(first.id_span.clone()));
}
