//! Compares what a login gives with the Pages that are kept here: a Page whose access token works today
//! is not lost unasked. A login that was cut short before is compared by the run that finishes it, and its
//! permissions with those that were asked for.

use super::Run;
use super::candidate::IfRefused;
use super::inspect::inspect;
use super::login::{LoginSubject, page_name};
use super::token_run::{NextStep, TokenRun};
use super::tokens::TokenConfig;
use crate::graph::{App, CallError};
use crate::policy::{Adoption, Contest, Current, Losses, judge_handed_over};
use crate::store::StoreError;
use crate::token::{
    AccessToken, Arrival, Generation, LoginCheck, Origin, Problem, ProblemKind, Proof,
};

/// The Pages that are kept here and for which a login gives no access token, as people know them.
pub struct UntickedPages {
    /// All of them.
    pub names: Vec<String>,
    /// Those whose access tokens work today.
    pub alive: Vec<String>,
}

impl UntickedPages {
    /// Names all of them.
    pub fn note(&self) -> String {
        format!("not ticked: {}", self.names.join(", "))
    }

    /// Says what would be lost.
    pub fn loss(&self) -> String {
        format!(
            "these Pages work today, and would get no new access token: {}",
            self.alive.join(", ")
        )
    }
}

/// Asks which of a token's Pages a login gives no access token for; none where it gives all of them.
pub fn unticked_pages(
    run: &Run<'_>,
    token: &TokenConfig,
    app: &App,
    access_token: &AccessToken,
) -> Result<Result<Option<UntickedPages>, CallError>, StoreError> {
    let kept: Vec<&TokenConfig> = run.tokens.pages_of(&token.label).collect();
    if kept.is_empty() || !app.provider.spec().has_pages() {
        return Ok(Ok(None));
    }
    let listed = match run.graph.pages(app, access_token, token.business.as_deref()) {
        Ok(listed) => listed.pages,
        Err(error) => return Ok(Err(error)),
    };
    let is_listed = |page: &&TokenConfig| {
        listed.iter().any(|it| Some(&it.id) == page.page_id.as_ref() && it.token.is_some())
    };
    let unticked: Vec<&TokenConfig> = kept.into_iter().filter(|page| !is_listed(page)).collect();
    if unticked.is_empty() {
        return Ok(Ok(None));
    }
    let name = |page: &TokenConfig| page_name(&run.tokens, page);
    let mut alive = Vec::new();
    for page in &unticked {
        if lives(run, app, page)? {
            alive.push(name(page));
        }
    }
    Ok(Ok(Some(UntickedPages { names: unticked.into_iter().map(name).collect(), alive })))
}

/// Whether a Page's access token works now, by Graph's word, else by its last.
fn lives(run: &Run<'_>, app: &App, page: &TokenConfig) -> Result<bool, StoreError> {
    let Some(id) = run.known_id(&page.label) else { return Ok(false) };
    let Some(current) = run.store.credential(id)?.current else { return Ok(false) };
    let access_token = run.store.reveal(current.id)?;
    let now = inspect(&run.graph, app, &access_token);
    let verdict = now.map_or_else(|_| current.verdict(), |inspection| inspection.verdict());
    Ok(verdict != Some(false))
}

impl TokenRun<'_> {
    /// Compares the Pages of a login that was cut short before; refuses it where a Page that works would
    /// be lost without `--replace`, and leaves it to the next run where they cannot be listed.
    pub fn compare_pages(
        &mut self,
        candidate: &Generation,
        proof: &Proof,
    ) -> Result<NextStep, StoreError> {
        let Some(concession) = candidate.handed_over else { return Ok(NextStep::Decide) };
        let is_login =
            candidate.arrival == Arrival::LoggedIn && candidate.origin == Origin::Adopted;
        if !is_login || !self.is_right_login(candidate, proof)? {
            return Ok(NextStep::Decide);
        }
        let Ok(app) = self.app() else { return Ok(NextStep::Decide) };
        let access_token = self.run.store.reveal(candidate.id)?;
        let unticked = match unticked_pages(self.run, self.token, &app, &access_token)? {
            Ok(unticked) => unticked,
            Err(error) => {
                self.not_answered(error)?;
                return Ok(NextStep::Stop);
            }
        };
        self.tell_ungranted(proof);
        let Some(unticked) = unticked else { return Ok(NextStep::Decide) };
        let label = &self.token.label;
        self.run.session.ui.say(&format!("{label}: {}", unticked.note()));
        if unticked.alive.is_empty() || concession.losses() == Losses::Accepted {
            return Ok(NextStep::Decide);
        }
        self.run.hint(format!("to do without them, run `metatoken login {label} --replace`"));
        let problem = Problem::new(ProblemKind::PermissionMissing, unticked.loss());
        let (credential, _) = self.candidates(IfRefused::Told).refuse_adoption(
            self.credential.clone(),
            candidate,
            problem.clone(),
        )?;
        self.credential = credential;
        self.note_refused(problem, candidate);
        Ok(NextStep::Stop)
    }

    /// Names the permissions that a login asks for and this one did not grant.
    fn tell_ungranted(&self, proof: &Proof) {
        let Run { session, store, tokens, .. } = self.run;
        let asked = LoginSubject { session, store, tokens, token: self.token }.asked();
        let missing = proof.inspection.lacks(&asked);
        if !missing.is_empty() {
            session.ui.say(&format!("{}: not granted: {}", self.token.label, missing.join(", ")));
        }
    }

    /// Whether the right person logged in, and the access token can be this token's.
    fn is_right_login(&self, candidate: &Generation, proof: &Proof) -> Result<bool, StoreError> {
        let candidates = self.candidates(IfRefused::Told).of(candidate);
        let mut expected = candidates.expected_identity(&self.credential)?;
        match &candidate.login_check {
            None => {}
            Some(LoginCheck::Is(person)) => expected.user_id = Some(person.clone()),
            Some(LoginCheck::Confirm) => return Ok(false),
        }
        let contest =
            Contest { current: Current::Gone, ..candidates.contest(&expected, &self.credential) };
        let now = self.run.now();
        let verdict = judge_handed_over(&proof.inspection, Losses::Accepted, &contest, now);
        Ok(verdict == Adoption::Take)
    }
}
