//! Asks as a token the question that shows whether it does what it is for.
//!
//! It is asked after a good verdict. A fault of the network, of the app or of a limit says nothing, and
//! it is asked again by the next run.

use super::refresh_run::Only;
use super::token_run::{NextStep, TokenRun};
use crate::graph::{CallError, ProbeFinding};
use crate::policy::{as_probe_problem, probe_is_due, probes_stop};
use crate::store::StoreError;
use crate::token::{Generation, Inspection, Probe, ProbeAnswer, Proof};

impl TokenRun<'_> {
    /// Asks the question that the config has for the token, if it is due; decides again where the answer
    /// is a verdict on the token.
    pub fn ask_probe(&mut self) -> Result<NextStep, StoreError> {
        let Some(probe) = self.token.policy.probe.clone() else { return Ok(NextStep::Stop) };
        let current = self.credential.current.clone();
        let Some(current) = current.filter(|it| it.verdict() == Some(true)) else {
            return Ok(NextStep::Stop);
        };
        let parent = self.parent()?;
        let subject = self.run.subject(self.token, &self.credential, parent.as_ref());
        let insistence = self.refresh.insistence_on(&self.token.label);
        let waits = self.refresh.options.only != Only::All
            || !probe_is_due(&subject, &current, insistence, self.run.moment())
            || subject.throttled_until.is_some()
            || self.run.out_of_time().is_some();
        let Ok(app) = self.app() else { return Ok(NextStep::Stop) };
        if waits || probes_stop(self.run.graph.budget_used(&app)) {
            return Ok(NextStep::Stop);
        }
        let access_token = self.run.store.reveal(current.id)?;
        let page_id = self.token.page_id.as_deref();
        match self.run.graph.probe(&app, &access_token, &probe.question, page_id) {
            Ok(finding) => self.note_finding(&probe, &current, finding),
            Err(error) => self.note_refusal(&probe, &current, error),
        }
    }

    fn note_refusal(
        &mut self,
        probe: &Probe,
        current: &Generation,
        error: CallError,
    ) -> Result<NextStep, StoreError> {
        if error.held_back || error.says_nothing_of_the_token() {
            return Ok(NextStep::Stop);
        }
        let problem = error.problem;
        if problem.kind.is_verdict() || problem.kind.is_held() {
            let known = current.proof.as_ref().map(|proof| proof.inspection.clone());
            let known = known.unwrap_or_else(|| Inspection::bare(None, None));
            let inspection = Inspection { valid: Some(false), problem: Some(problem), ..known };
            let proof = Proof { at: self.run.now(), inspection };
            self.note_proof(current, &proof)?;
            return Ok(NextStep::Decide);
        }
        let finding = ProbeFinding { grade: probe.fails, problem: Some(problem) };
        self.note_finding(probe, current, finding)
    }

    fn note_finding(
        &mut self,
        probe: &Probe,
        current: &Generation,
        finding: ProbeFinding,
    ) -> Result<NextStep, StoreError> {
        let (label, parent) = (&self.token.label, self.token.parent.as_ref());
        let explained = |problem| as_probe_problem(problem, probe, label, parent);
        let answer = ProbeAnswer {
            at: self.run.now(),
            question: probe.question.to_string(),
            generation: current.id,
            grade: finding.grade,
            problem: finding.problem.map(explained),
        };
        let run = self.run.id;
        self.change(|store, credential| store.note_probe(run, credential, answer))?;
        Ok(NextStep::Stop)
    }
}
