//! What the person who handed a string over is told.

use super::Desk;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::graph::Fault;
use crate::policy::remedy;
use crate::report::TokenResult;
use crate::run::log;
use crate::run::tokens::subject;
use crate::token::{Expiry, Outcome, Problem};

impl Desk<'_> {
    pub(super) fn result(
        &self,
        outcome: Outcome,
        reason: String,
    ) -> Result<TokenResult, Complaint> {
        let credential = self.run.store.credential(self.token)?;
        let current = credential.current.as_ref();
        Ok(TokenResult {
            label: self.member.label.clone(),
            token_type: self.member.token_type,
            outcome,
            reason,
            old_expiry: self.before.current.as_ref().map_or(Expiry::Unknown, |it| it.expiry),
            new_expiry: current.map_or(Expiry::Unknown, |generation| generation.expiry),
            generation: current.map(|generation| generation.number),
            fingerprint: current.map(|generation| generation.fingerprint),
            problem: None,
            remedy: String::new(),
            exit: Exit::Ok,
            standing: self.pages_wait(outcome),
            deliveries: Vec::new(),
        })
    }

    /// Pages get their strings from the new one by the next `refresh`.
    fn pages_wait(&self, outcome: Outcome) -> Vec<crate::policy::Reason> {
        let label = &self.member.label;
        let lists = !matches!(self.member.pages, crate::config::Pages::None);
        let has_pages = lists || self.run.tokens.pages_of(label).next().is_some();
        if has_pages && matches!(outcome, Outcome::Exchanged | Outcome::Adopted) {
            self.run.session.ui.note(&format!(
                "hint: its Pages get new strings by the next run; now: `metatoken refresh '{label}*'`"
            ));
        }
        Vec::new()
    }

    pub(super) fn refusal(&self, problem: &Problem) -> Complaint {
        log::not_taken(&self.member.label, problem);
        let subject = subject(&self.member, Some(&self.before), None);
        let complaint = Complaint::new(
            Exit::InputRefused,
            problem.kind.as_str(),
            self.member.label.as_str(),
            format!("the string is refused: {problem}"),
        );
        let complaint = match remedy(problem, &subject) {
            remedy if remedy.is_empty() => complaint,
            remedy => complaint.hint(remedy),
        };
        self.untouched(complaint)
    }

    pub(super) fn fault(&self, fault: &Fault) -> Complaint {
        log::not_taken(&self.member.label, &fault.problem);
        let subject = subject(&self.member, Some(&self.before), None);
        let complaint = Complaint::new(
            Exit::for_problem(&fault.problem),
            fault.problem.kind.as_str(),
            self.member.label.as_str(),
            fault.problem.to_string(),
        );
        // No run will try again for the person what was never stored.
        self.untouched(if fault.problem.action.needs_a_person() {
            complaint.hint(remedy(&fault.problem, &subject))
        } else {
            complaint.hint("nothing was stored: paste the string again later")
        })
    }

    fn untouched(&self, complaint: Complaint) -> Complaint {
        if self.before.current.is_some() {
            complaint.hint("the string in use is untouched")
        } else {
            complaint
        }
    }

    /// The new string is sealed; only its examination is owed.
    pub(super) fn waits(&self, fault: &Fault) -> Complaint {
        log::not_taken(&self.member.label, &fault.problem);
        Complaint::new(
            Exit::for_problem(&fault.problem),
            fault.problem.kind.as_str(),
            self.member.label.as_str(),
            format!("the new string is sealed, but not examined yet: {}", fault.problem),
        )
        .hint(format!("run `metatoken refresh {}`", self.member.label))
    }
}
