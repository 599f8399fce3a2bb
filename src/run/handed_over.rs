//! Takes access tokens that a person hands over.
//!
//! Each is inspected before anything of it is stored, then made long-lived and current, and delivered.
//!
//! The way has steps, so that a command can hand over many, and do what must lie between two:
//! [`inspect_handed_over`] asks about one and refuses what does not fit, before anything is written;
//! [`Fitting::make_current`] seals it and puts it in its place; [`Taken::deliver`] brings it to the
//! token's files; [`report_taken`] runs the hooks once and reports all that were taken.
//! [`inspect_derived`] begins the same way with what Meta gave for a parent or an app.

use std::time::Instant;

use super::Run;
use super::candidate::{Candidates, IdentityChange, works_on};
use super::configured_tokens::holds;
use super::found::adopt_before_first_delivery;
use super::inspect::{inspect, wrong_app};
use super::intake::{GivenBy, HandedOver, Intake};
use super::log;
use super::make_current::Lifetime;
use super::tokens::{TokenConfig, subject};
use crate::config::Pages;
use crate::deliver::{Deliveries, Replace, TokenDelivery};
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, CallError};
use crate::policy::{
    Adoption, Contest, Current, Losses, is_short_life, judge_handed_over, own_access_token,
    short_lived,
};
use crate::report::{RunReport, TokenResult};
use crate::store::StoreError;
use crate::token::{
    Expiry, Generation, GenerationId, Inspection, Origin, Outcome, Problem, ProblemKind,
    SharedToken,
};

/// An access token that was handed over, is alive, and fits its token.
pub struct Fitting<'t> {
    token: &'t TokenConfig,
    handed: HandedOver,
    given_by: GivenBy,
    began: Instant,
    app: App,
    inspection: Inspection,
}

/// An access token that was taken, or was the current one already.
pub struct Taken<'a> {
    intake: Intake<'a>,
    outcome: Outcome,
    reason: String,
    pages: PagesFollow,
}

/// When the Pages of a token get access tokens of the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PagesFollow {
    /// In the next run, and a person is told so.
    InTheNextRun,
    /// In this one.
    AtOnce,
}

/// Asks Meta about an access token that is handed over for `token`, and refuses what is dead, what
/// another label has, and what is of another type, app, person or Page. Nothing of it is stored.
pub fn inspect_handed_over<'t>(
    run: &Run<'_>,
    token: &'t TokenConfig,
    handed: HandedOver,
) -> Result<Fitting<'t>, CliError> {
    let intake = Intake::new(run, token, handed, GivenBy::Person)?.or_what_came_of_it()?;
    intake.check_not_of_another_label()?;
    let (app, inspection) = intake.inspect()?;
    Ok(intake.fitting(token, app, inspection))
}

/// Asks Meta about an access token that it gave for `token`, and refuses what does not fit; `parent`
/// is the generation that it was asked for with. Nothing of it is stored.
pub fn inspect_derived<'t>(
    run: &Run<'_>,
    token: &'t TokenConfig,
    handed: HandedOver,
    parent: Option<GenerationId>,
) -> Result<Fitting<'t>, CliError> {
    let intake = Intake::new(run, token, handed, GivenBy::Meta(parent))?;
    let (app, inspection) = intake.inspect()?;
    Ok(intake.fitting(token, app, inspection))
}

/// The same as [`inspect_handed_over`] for an access token that Meta was asked about just now, as one
/// of many.
pub fn fit_handed_over<'t>(
    run: &Run<'_>,
    token: &'t TokenConfig,
    handed: HandedOver,
    app: App,
    inspection: Inspection,
) -> Result<Fitting<'t>, CliError> {
    let intake = Intake::new(run, token, handed, GivenBy::Person)?;
    intake.check_not_of_another_label()?;
    intake.check_fit(&app, &inspection)?;
    Ok(intake.fitting(token, app, inspection))
}

impl<'t> Fitting<'t> {
    /// What Graph says of it.
    pub const fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// The token that it is for.
    pub const fn token(&self) -> &TokenConfig {
        self.token
    }

    /// The app that it was asked about with.
    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Makes it current, long-lived, and delivers it to the token's files.
    pub fn take<'a>(
        self,
        run: &'a Run<'a>,
        deliveries: &Deliveries<'_>,
    ) -> Result<Taken<'a>, CliError>
    where
        't: 'a,
    {
        let taken = self.make_current(run, deliveries)?;
        taken.deliver(deliveries)?;
        Ok(taken)
    }

    /// Makes it current, long-lived. What the token's files hold is looked at before. By now the
    /// token is enrolled.
    pub fn make_current<'a>(
        self,
        run: &'a Run<'a>,
        deliveries: &Deliveries<'_>,
    ) -> Result<Taken<'a>, CliError>
    where
        't: 'a,
    {
        let Self { token, handed, given_by, began, app, inspection } = self;
        let mut intake = Intake { began, ..Intake::new(run, token, handed, given_by)? };
        let room = run.store.room_for_grant()?;
        intake.credential = run.name_interrupted(intake.credential)?;
        let delivery = deliveries.of_token(token, intake.before.id, Replace::Own);
        intake.adopt_before_first_delivery(&app, &delivery)?;
        let (outcome, reason) = match intake.lifetime(&inspection) {
            Lifetime::Long if inspection.expiry == Expiry::Never => {
                intake.store_as_it_is(&app, &inspection, "never expires")?
            }
            Lifetime::Long => intake.store_as_it_is(&app, &inspection, "long-lived already")?,
            Lifetime::Short => intake.exchange(&app, &inspection)?,
            Lifetime::Unknown => intake.exchange_if_possible(&app, &inspection)?,
        };
        drop(room);
        Ok(Taken { intake, outcome, reason, pages: PagesFollow::InTheNextRun })
    }
}

/// Runs the hooks that are pending, and reports the access tokens that were taken.
pub fn report_taken(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    taken: Vec<Taken<'_>>,
) -> Result<RunReport, CliError> {
    let run_hooks = deliveries.run_pending_hooks();
    run.bear_full(run_hooks)?;
    let mut results = Vec::with_capacity(taken.len());
    for each in taken {
        results.push(each.into_result()?);
    }
    run.report(deliveries, results)
}

impl Taken<'_> {
    /// Delivers it to the token's files.
    pub fn deliver(&self, deliveries: &Deliveries<'_>) -> Result<(), CliError> {
        let Intake { run, token, before, .. } = &self.intake;
        run.bear_full(deliveries.of_token(token, before.id, Replace::Own).deliver())?;
        Ok(())
    }

    /// Says that the token's Pages follow in this run, not in the next.
    #[must_use]
    pub fn with_its_pages(self) -> Self {
        Self { pages: PagesFollow::AtOnce, ..self }
    }

    fn into_result(self) -> Result<TokenResult, CliError> {
        if matches!(self.outcome, Outcome::Exchanged | Outcome::Adopted | Outcome::Minted)
            && self.pages == PagesFollow::InTheNextRun
        {
            self.intake.hint_at_pages();
        }
        let result = self.intake.result(self.outcome, self.reason)?;
        log::refreshed(&result, self.intake.began);
        Ok(result)
    }
}

/// What is done about an access token that another label has.
fn of_one_label(shared: &SharedToken) -> String {
    let with = &shared.with;
    if shared.is_declared {
        format!("an access token belongs to one label: `metatoken status {with}` shows it")
    } else {
        format!("`metatoken forget {with}` gives it up there; then run the same again")
    }
}

impl Intake<'_> {
    /// Hands over what Meta gave for it, where a run that was cut short had it exchanged and sealed: it
    /// may be dead since, and the same command finishes that once.
    fn or_what_came_of_it(mut self) -> Result<Self, CliError> {
        let store = &self.run.store;
        let own = store.fingerprint(&self.handed.access_token)?;
        if self.before.attempts.exchanged != Some(own) {
            return Ok(self);
        }
        let is_exchanged = |it: &&Generation| it.origin == Origin::Exchanged;
        let sealed = match self.before.candidate.as_ref().filter(is_exchanged) {
            Some(candidate) => Some(candidate),
            None => match self.before.current.as_ref().filter(is_exchanged) {
                Some(current) if store.take_over_sealed(current.id)? => Some(current),
                _ => None,
            },
        };
        if let Some(Generation { id, arrival, .. }) = sealed {
            self.handed.access_token = store.reveal(*id)?;
            self.handed.arrival = Some(*arrival);
            self.handed.finishes = Some("an earlier run had it exchanged and was cut short");
        }
        Ok(self)
    }

    /// Asks Meta about it, and refuses what does not fit.
    fn inspect(&self) -> Result<(App, Inspection), CliError> {
        let run = self.run;
        // Room is there before Meta is asked: what it grants, and the access token itself, is sealed.
        let _room = run.store.room_for_grant()?;
        let app = run.app(&self.token.app).map_err(CallError::of_token);
        let app = app.map_err(|error| self.call_failed(&error))?;
        let inspection =
            inspect(&run.graph, &app, &self.handed.access_token).map_err(
                |error| match wrong_app(&error, &app.name) {
                    Some(problem) => self.refusal(&problem),
                    None => self.call_failed(&error),
                },
            )?;
        self.check_fit(&app, &inspection)?;
        Ok((app, inspection))
    }

    fn fitting(self, token: &TokenConfig, app: App, inspection: Inspection) -> Fitting<'_> {
        let Self { handed, given_by, began, .. } = self;
        Fitting { token, handed, given_by, began, app, inspection }
    }

    fn check_not_of_another_label(&self) -> Result<(), CliError> {
        let fingerprint = self.run.store.fingerprint(&self.handed.access_token)?;
        for sighting in self.run.store.sightings(&fingerprint)? {
            if sighting.token != self.before.id && holds(sighting.state) {
                let is_declared = self.run.session.config.token(&sighting.label).is_some();
                let shared = SharedToken { with: sighting.label, is_declared };
                return Err(self.is_anothers(&shared));
            }
        }
        Ok(())
    }

    /// Refuses what another label has: under two labels a renewal of the one would surprise the other.
    fn is_anothers(&self, shared: &SharedToken) -> CliError {
        let label = &self.token.label;
        let message = format!("that is the access token of `{}`", shared.with);
        let refused = CliError::new(Exit::InputRefused, "shared_token", label.as_str(), message);
        match (self.is_exchange(), shared.is_declared) {
            (true, false) => {
                let subject = subject(self.token, None, None);
                refused.hint(own_access_token(&subject, shared).to_string())
            }
            (true, true) => refused.hint(of_one_label(shared)).hint(format!(
                "run `metatoken exchange {label}`, and paste an access token of its own"
            )),
            (false, _) => refused.hint(of_one_label(shared)),
        }
    }

    /// Adopts a better one that the token's first deliveries would replace: the new one is compared
    /// with that, too.
    fn adopt_before_first_delivery(
        &mut self,
        app: &App,
        delivery: &TokenDelivery<'_>,
    ) -> Result<(), StoreError> {
        let (run, token, credential) = (self.run, self.token, self.credential.clone());
        let handed_over = Some(&self.handed.access_token);
        self.credential =
            adopt_before_first_delivery(run, token, app, credential, delivery, handed_over)?;
        Ok(())
    }

    /// Checks that it is alive, of the configured type, and of the same app, person and Page.
    fn check_fit(&self, app: &App, inspection: &Inspection) -> Result<(), CliError> {
        match self.fit(app, inspection, self.handed.identity)? {
            Adoption::Take | Adoption::OnlyIfCurrentIsDead(_) | Adoption::OnlyNearItsEnd(_) => {
                Ok(())
            }
            Adoption::Wait(problem) | Adoption::Refuse(problem) => {
                let problem = self.blame_a_lost_answer(problem)?;
                let refusal = self.refusal(&problem);
                // What a login gave is short-lived as it should be.
                if is_short_life(inspection, self.run.now()) && !self.is_sealed() {
                    return Err(refusal.hint(short_lived(app.provider)));
                }
                let only_its_identity = problem.kind == ProblemKind::IdentityChanged
                    && self.fit(app, inspection, IdentityChange::Accepted)? == Adoption::Take;
                Err(if only_its_identity {
                    let command = self.command(&["--replace-identity"]);
                    refusal.hint(format!(
                        "to make it the token of the other person from now on, run `{command}`"
                    ))
                } else {
                    refusal
                })
            }
        }
    }

    /// Whether it can be this token's at all. What it is worth is compared once it is long-lived.
    fn fit(
        &self,
        app: &App,
        inspection: &Inspection,
        identity: IdentityChange,
    ) -> Result<Adoption, CliError> {
        let candidates = Candidates { identity, ..self.candidates(app) };
        let expected = candidates.expected_identity(&self.before)?;
        let contest =
            Contest { current: Current::Gone, ..candidates.contest(&expected, &self.before) };
        Ok(judge_handed_over(inspection, Losses::Refused, &contest, self.run.now()))
    }

    /// Says of a dead access token that an earlier exchange of it was not answered, if that is so.
    fn blame_a_lost_answer(&self, problem: Problem) -> Result<Problem, CliError> {
        let Some(sent) = self.before.attempts.sent_exchange else { return Ok(problem) };
        Ok(sent.blame(self.run.store.fingerprint(&self.handed.access_token)?, problem))
    }

    fn result(&self, outcome: Outcome, reason: String) -> Result<TokenResult, CliError> {
        // Its targets were served meanwhile.
        let credential = self.run.store.credential(self.before.id)?;
        let current = credential.current.as_ref();
        let reason = match self.outlived {
            Some(old) => format!("{reason}; {}", works_on(self.run, self.token, old)),
            None => reason,
        };
        Ok(TokenResult::of(self.token.label.clone(), self.token.token_type, outcome, reason)
            .moving(self.before.current.as_ref(), current))
    }

    /// Hints that the Pages get new access tokens from this one by the next `refresh`.
    fn hint_at_pages(&self) {
        let label = &self.token.label;
        let lists = !matches!(self.token.pages, Pages::None);
        let has_pages = lists || self.run.tokens.pages_of(label).next().is_some();
        if has_pages {
            self.run.hint(format!(
                "its Pages get new access tokens in the next run; now: `metatoken refresh '{label}*'`"
            ));
        }
    }
}
