//! What the one who brings a token's string would do, in a rehearsal.
//!
//! Files are edited in memory and programs are looked for; neither is touched.

use super::courier::{Courier, Load};
use crate::deliver::{self, Consent, Fault, Place, Rehearsal, Target};
use crate::run::DryRun;
use crate::store::StoreError;
use crate::token::{AccessToken, Delivery, Secret, TargetId};

/// What a delivery to one target would do.
pub(in crate::commands) struct Foreseen {
    /// The target.
    pub(in crate::commands) target: TargetId,
    /// What would be done, or why it could not.
    pub(in crate::commands) outcome: Result<Rehearsal, Fault>,
}

impl Courier<'_> {
    /// A rehearsal before there is a string tries every target with a plainly fake one.
    pub(super) fn try_with_stand_in(&self) -> Result<(), StoreError> {
        if self.run.dry_run == DryRun::No {
            return Ok(());
        }
        for target in &self.member.deliver {
            let delivered = self.delivered(target);
            if let Err(fault) = self.rehearse(target, &deliver::stand_in(), &|_| Consent::First) {
                self.failed(delivered, &fault)?;
            }
        }
        Ok(())
    }

    /// A program is not run by a rehearsal; that it is there is seen whether it is owed anything
    /// today or not.
    pub(super) fn try_command(
        &self,
        target: &Target,
        row: &Delivery,
        load: &Load,
        held_up: bool,
    ) -> Result<(), StoreError> {
        let delivered = self.delivered(target);
        let foreseen = match self.left_behind(target)? {
            Some(fault) if row.owed.is_some() => Err(fault),
            _ => self.rehearse(target, &load.parcel.string, &|_| Consent::Given),
        };
        match foreseen {
            Err(fault) => self.failed(delivered, &fault),
            Ok(_) if row.owed.is_some() && !held_up => self.settled(delivered, load),
            Ok(_) => Ok(()),
        }
    }

    /// The fault of a target's program that a stopped run left behind, if it still runs.
    fn left_behind(&self, target: &Target) -> Result<Option<Fault>, StoreError> {
        match &target.place {
            Place::File(_) => Ok(None),
            Place::Command(argv) => self.deliveries.still_running(self.token, &target.id, argv),
        }
    }

    pub(super) fn rehearse(
        &self,
        target: &Target,
        string: &AccessToken,
        may_go: &dyn Fn(Option<&Secret>) -> Consent,
    ) -> Result<Rehearsal, Fault> {
        let path = self.run.session.environment.get("PATH");
        deliver::rehearse(target, string, may_go, path)
    }

    /// What a delivery of the string in use would do to each target, in the config's order.
    pub(in crate::commands) fn foresee(&self) -> Result<Vec<Foreseen>, StoreError> {
        let credential = self.run.store.credential(self.token)?;
        let string = match &credential.current {
            Some(current) => self.run.store.reveal(current.id)?,
            None => deliver::stand_in(),
        };
        let foresee = |target: &Target| {
            let known = credential.deliveries.iter().find(|row| row.target == target.id);
            let row = known.cloned().unwrap_or_else(|| Delivery::unseen(target.id.clone()));
            let in_the_way = match &target.place {
                Place::File(file) => self.not_whole(file),
                Place::Command(_) => self.left_behind(target)?.map(Err),
            };
            let outcome = match in_the_way {
                Some(outcome) => outcome,
                None => self.asking(&row, |may_go| self.rehearse(target, &string, may_go))?,
            };
            Ok(Foreseen { target: target.id.clone(), outcome })
        };
        self.member.deliver.iter().map(foresee).collect()
    }
}
