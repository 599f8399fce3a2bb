//! Putting a string in the place of the one in use.
//!
//! It is sealed before anyone looks at it, examined, and then put to use unless the one in use is
//! alive and better.

use super::Desk;
use crate::complaint::Complaint;
use crate::graph::App;
use crate::policy::{Adoption, Incumbent, judge_newcomer};
use crate::run::Run;
use crate::run::inspect::inspect;
use crate::store::{Arrival, Promotion, Refusal, Setback};
use crate::token::{AccessToken, EventKind, Expiry, Inspection, Origin, Proof};

impl Desk<'_> {
    /// Seals the string, asks about it, and puts it in the place of the current one unless that
    /// one is alive and better.
    pub(super) fn take(
        &self,
        app: &App,
        string: &AccessToken,
        expiry: Expiry,
        origin: Origin,
    ) -> Result<(), Complaint> {
        let Run { store, id, graph, .. } = self.run;
        let arrival =
            Arrival { token: self.token, string: string.clone(), origin, expiry, parent: None };
        let candidate = store.seal_candidate(arrival, self.run.now())?;
        let inspection = inspect(graph, app, string).map_err(|fault| self.waits(&fault))?;
        let proof = Proof { at: self.run.now(), inspection };
        store.note_proof(*id, candidate.id, proof.clone())?;
        let told = match proof.inspection.expiry {
            Expiry::Unknown => Inspection { expiry, ..proof.inspection.clone() },
            _ => proof.inspection.clone(),
        };
        let hidden =
            told.expiry == Expiry::Unknown && self.member.token_type.family().may_hide_the_end();
        // Of two ends that nobody can tell, a person who pastes one has chosen.
        let incumbent = if hidden { Incumbent::Gone } else { self.incumbent(app)? };
        let verdict = judge_newcomer(&told, self.member.token_type, &self.expected(app), incumbent);
        let event = match origin {
            Origin::Exchanged => EventKind::Exchanged,
            _ => EventKind::Adopted,
        };
        match verdict {
            Adoption::Take => {
                let promotion = Promotion {
                    token: self.token,
                    candidate: candidate.id,
                    supersedes: self.before.in_place(),
                    proof: None,
                    event,
                    problem: None,
                    owes: self.member.deliver.iter().map(|target| target.id.clone()).collect(),
                };
                store.promote(*id, promotion, self.run.now())?;
                Ok(())
            }
            Adoption::OnlyIfCurrentIsDead(problem)
            | Adoption::Wait(problem)
            | Adoption::Refuse(problem) => {
                let refusal = Refusal {
                    token: self.token,
                    candidate: candidate.id,
                    proof: None,
                    setback: Some(Setback {
                        token: self.token,
                        event: EventKind::AdoptionRefused,
                        generation: None,
                        problem: Some(problem.clone()),
                        not_before: None,
                    }),
                };
                store.refuse(*id, refusal, self.run.now())?;
                Err(self.refusal(&problem))
            }
        }
    }

    /// The string in use, by Graph's word of now: a person hands over a new one mostly because
    /// the old one has died.
    fn incumbent(&self, app: &App) -> Result<Incumbent, Complaint> {
        let Some(mut current) = self.before.current.clone() else { return Ok(Incumbent::Gone) };
        let Run { store, id, graph, .. } = self.run;
        let string = store.reveal(current.id)?;
        if let Ok(inspection) = inspect(graph, app, &string) {
            let proof = Proof { at: self.run.now(), inspection };
            store.note_proof(*id, current.id, proof.clone())?;
            current.proof = Some(proof);
        }
        Ok(Incumbent::of(Some(&current)))
    }
}
