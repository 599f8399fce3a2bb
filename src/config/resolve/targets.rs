//! Where a token is delivered: every default filled in, every path whole, every target named.

use std::ops::Range;
use std::path::PathBuf;

use chrono::TimeDelta;
use serde_spanned::Spanned;

use super::own::Own;
use super::places::absolute;
use super::slot::Slot;
use super::tokens::Draft;
use super::{duration, given_or, given_or_none};
use crate::config::mask::quoted_path;
use crate::config::mistake::Faults;
use crate::config::settings::{Origin, Origins};
use crate::config::wire::{DeliverWire, FileWire, PlaceWire};
use crate::deliver::{FileTarget, Place, Target, Writing};
use crate::edit::{Format, Missing};
use crate::token::TargetId;

/// A target, and where the file speaks of it.
pub(super) struct Stated {
    pub(super) target: Target,
    pub(super) origins: Origins,
    /// What it is called by.
    pub(super) id_span: Range<usize>,
    /// What names the value that it writes, or the program.
    pub(super) span: Range<usize>,
}

/// What a delivery may take when the file does not say.
const TIMEOUT: TimeDelta = TimeDelta::seconds(30);

/// The targets of one token, in the order of the file.
pub(super) fn of(draft: &Draft<'_>, own: &Own, faults: &mut Faults) -> Vec<Stated> {
    let table = format!("token.{}.deliver", draft.label);
    let stated = draft.wire.deliver.iter().map(|wire| state(wire, &table, own));
    let stated: Vec<Stated> = stated.collect();
    for stated in &stated {
        refuse_own(stated, own, faults);
    }
    stated
}

fn state(wire: &DeliverWire, table: &str, own: &Own) -> Stated {
    let mut origins = Origins::new();
    let timeout = wire.timeout.clone();
    let timeout = duration(given_or(timeout, TIMEOUT, "timeout", table, &mut origins));
    let (place, span, id, called_by) = match &wire.place {
        PlaceWire::File(file) => {
            let target = file_target(file, table, own, &mut origins);
            let span = file.key.as_ref().map_or_else(|| file.path.span(), Spanned::span);
            let path = target.path.display();
            let (id, called_by) = match &target.key {
                Some(key) => (format!("{path}#{key}"), "its file and key"),
                None => (path.to_string(), "its file"),
            };
            (Place::File(target), span, id, called_by)
        }
        PlaceWire::Command(words) => {
            origins.insert("command", Origin::Table(table.to_owned()));
            let argv = words.get_ref().clone();
            let program = argv.first().cloned().unwrap_or_default();
            (Place::Command(argv), words.span(), program, "its program")
        }
    };
    let id_span = wire.name.as_ref().map_or_else(|| span.clone(), Spanned::span);
    let id = TargetId::new(given_or(wire.name.clone(), id, "name", table, &mut origins));
    if wire.name.is_none() {
        origins.insert("name", Origin::Implied(called_by));
    }
    Stated { target: Target { id, place, timeout }, origins, id_span, span }
}

fn file_target(wire: &FileWire, table: &str, own: &Own, origins: &mut Origins) -> FileTarget {
    let path: PathBuf = absolute(own.config(), wire.path.get_ref()).components().collect();
    origins.insert("file", Origin::Table(table.to_owned()));
    let format: Format = wire.format_or_guess();
    let target = FileTarget {
        path,
        key: given_or_none(wire.key.clone(), "key", table, origins),
        format: given_or(wire.format.clone(), format, "format", table, origins),
        writing: given_or(wire.writing.clone(), Writing::default(), "write", table, origins),
        missing: given_or(wire.missing.clone(), Missing::Refuse, "create", table, origins),
    };
    if wire.format.is_none() {
        origins.insert("format", Origin::Implied("its file's name"));
    }
    target
}

fn refuse_own(stated: &Stated, own: &Own, faults: &mut Faults) {
    let Place::File(file) = &stated.target.place else { return };
    if let Some(what) = own.ruined_by(Slot::of(file)) {
        let message = format!("{} {what}", quoted_path(&file.path));
        faults
            .add(stated.span.clone(), message)
            .label("a token is delivered into a file of the program that uses it");
    }
}
