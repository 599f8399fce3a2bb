//! What monitoring is told; the metrics must not go where something else is kept.

use std::path::PathBuf;

use serde_spanned::Spanned;

use super::given_or_none;
use super::own::Own;
use super::places::absolute;
use super::slot::Slot;
use crate::config::mask::quoted_path;
use crate::config::mistake::Faults;
use crate::config::settings::{AlertSettings, Origins};
use crate::config::wire::AlertsWire;

const TABLE: &str = "alerts";

pub(super) fn resolve(wire: &AlertsWire, own: &Own, faults: &mut Faults) -> AlertSettings {
    let mut origins = Origins::new();
    let textfile = wire.textfile.as_ref().map(|path| textfile(path, own, faults));
    AlertSettings {
        textfile: given_or_none(textfile, "textfile", TABLE, &mut origins),
        run_every: given_or_none(wire.run_every.clone(), "run_every", TABLE, &mut origins),
        prefix: given_or_none(wire.prefix.clone(), "prefix", TABLE, &mut origins),
        origins,
    }
}

fn textfile(path: &Spanned<String>, own: &Own, faults: &mut Faults) -> Spanned<PathBuf> {
    let whole: PathBuf = absolute(own.config(), path.get_ref()).components().collect();
    if let Some(what) = own.ruined_by(Slot::whole(&whole)) {
        faults
            .add(path.span(), format!("{} {what}", quoted_path(&whole)))
            .label("the metrics need a file of their own");
    }
    Spanned::new(path.span(), whole)
}
