//! Takes access tokens that a person hands over.
//!
//! Each is inspected before anything of it is stored. A short-lived one is exchanged at Meta for a
//! long-lived one; a long-lived one is stored as it is. Either becomes the token's candidate, and is
//! promoted unless the current access token works and is known to be worth more: then a person has to
//! say that it is to be replaced all the same. Where Graph does not say how long it lives, the attempt
//! to exchange it tells: Meta exchanges only what is short-lived.
//!
//! The way has steps, so that a command can hand over many, and do what must lie between two:
//! [`inspect_handed_over`] asks about one and refuses what does not fit, before anything is written;
//! [`Fitting::make_current`] seals it and puts it in its place; [`Taken::deliver`] brings it to the
//! token's files; [`report_taken`] runs the hooks once and reports all that were taken.
//! [`inspect_derived`] begins the same way with what Meta gave for a parent or an app.

use std::fmt::Write as _;
use std::time::Instant;

use super::candidate::{Candidates, Examined, HandOverTerms, IdentityChange, IfRefused};
use super::configured_tokens::{holds, refuse_shared};
use super::found::adopt_before_first_delivery;
use super::inspect::{inspect, wrong_app};
use super::log;
use super::replacement::works_on;
use super::tokens::{TokenConfig, subject};
use super::{DryRun, Run};
use crate::config::Pages;
use crate::deliver::{Deliveries, Replace, TokenDelivery};
use crate::error::CliError;
use crate::exit::Exit;
use crate::failpoint;
use crate::graph::{App, CallError};
use crate::policy::{
    Adoption, Contest, Current, Losses, Remedy, cause, humanize, is_short_life, judge_handed_over,
    quote, remedy, short_lived,
};
use crate::report::{RunReport, TokenResult};
use crate::store::{NewCandidate, Store, StoreError};
use crate::token::{
    AccessToken, Arrival, Credential, Expiry, Generation, GenerationId, Grant, Inspection, Origin,
    Outcome, Problem, ProblemKind, Proof, SentExchange, SharedToken,
};

/// An access token that a person hands over, and what may be given up for it.
#[derive(Debug, Clone)]
pub struct HandedOver {
    /// The access token.
    pub access_token: AccessToken,
    /// Whether it may be worth less than the current one.
    pub losses: Losses,
    /// Whether it may belong to another person.
    pub identity: IdentityChange,
    /// How it arrives, where the command has a word of its own for that.
    pub arrival: Option<Arrival>,
    /// The command that was typed, without `--replace` and `--replace-identity`: hints repeat it.
    pub typed: String,
}

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
    hand_over: HandOver<'a>,
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

/// Where a new access token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GivenBy {
    /// A person handed it over.
    Person,
    /// Meta gave it, for this generation of the parent or for the app's id and secret.
    Meta(Option<GenerationId>),
}

/// Asks Meta about an access token that is handed over for `token`, and refuses what is dead, what
/// another label has, and what is of another type, app, person or Page. Nothing of it is stored.
pub fn inspect_handed_over<'t>(
    run: &Run<'_>,
    token: &'t TokenConfig,
    handed: HandedOver,
) -> Result<Fitting<'t>, CliError> {
    let hand_over = HandOver::new(run, token, handed, GivenBy::Person)?;
    hand_over.check_not_of_another_label()?;
    let (app, inspection) = hand_over.inspect()?;
    Ok(hand_over.fitting(token, app, inspection))
}

/// Asks Meta about an access token that it gave for `token`, and refuses what does not fit; `parent`
/// is the generation that it was asked for with. Nothing of it is stored.
pub fn inspect_derived<'t>(
    run: &Run<'_>,
    token: &'t TokenConfig,
    handed: HandedOver,
    parent: Option<GenerationId>,
) -> Result<Fitting<'t>, CliError> {
    let hand_over = HandOver::new(run, token, handed, GivenBy::Meta(parent))?;
    let (app, inspection) = hand_over.inspect()?;
    Ok(hand_over.fitting(token, app, inspection))
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
    let hand_over = HandOver::new(run, token, handed, GivenBy::Person)?;
    hand_over.check_not_of_another_label()?;
    hand_over.check_fit(&app, &inspection)?;
    Ok(hand_over.fitting(token, app, inspection))
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
        let mut hand_over = HandOver { began, ..HandOver::new(run, token, handed, given_by)? };
        let room = run.store.room_for_grant()?;
        let delivery = deliveries.of_token(token, hand_over.before.id, Replace::Own);
        hand_over.adopt_before_first_delivery(&app, &delivery)?;
        let (outcome, reason) = match hand_over.lifetime(&inspection) {
            Lifetime::Long if inspection.expiry == Expiry::Never => {
                hand_over.store_as_it_is(&app, &inspection, "never expires")?
            }
            Lifetime::Long => hand_over.store_as_it_is(&app, &inspection, "long-lived already")?,
            Lifetime::Short => hand_over.exchange(&app, &inspection)?,
            Lifetime::Unknown => hand_over.exchange_if_possible(&app, &inspection)?,
        };
        drop(room);
        Ok(Taken { hand_over, outcome, reason, pages: PagesFollow::InTheNextRun })
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
        let HandOver { run, token, before, .. } = &self.hand_over;
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
            self.hand_over.hint_at_pages();
        }
        let result = self.hand_over.result(self.outcome, self.reason)?;
        log::refreshed(&result, self.hand_over.began);
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

/// How long an access token lives, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lifetime {
    /// An hour or a day: it is exchanged.
    Short,
    /// Sixty days, or for ever, or its type has no exchange.
    Long,
    /// Not known before an exchange is tried.
    Unknown,
}

/// The handing over of one access token.
struct HandOver<'a> {
    run: &'a Run<'a>,
    token: &'a TokenConfig,
    handed: HandedOver,
    given_by: GivenBy,
    began: Instant,
    /// What the store knew of the token before anything was changed.
    before: Credential,
    /// What it knows now: replaced by what each change gives back.
    credential: Credential,
    /// The number of the access token that lives on beside the new one.
    outlived: Option<u32>,
}

impl<'a> HandOver<'a> {
    fn new(
        run: &'a Run<'a>,
        token: &'a TokenConfig,
        handed: HandedOver,
        given_by: GivenBy,
    ) -> Result<Self, CliError> {
        let began = Instant::now();
        let before = match run.known_id(&token.label) {
            Some(id) => run.store.credential(id)?,
            None => Credential::of_a_new(token.label.clone(), token.token_type),
        };
        let credential = before.clone();
        Ok(Self { run, token, handed, given_by, began, before, credential, outlived: None })
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

    /// Has the store change the token, and knows it from then on as the store gives it back.
    fn change(
        &mut self,
        verb: impl FnOnce(&Store, Credential) -> Result<Credential, StoreError>,
    ) -> Result<(), StoreError> {
        self.credential = verb(&self.run.store, self.credential.clone())?;
        Ok(())
    }

    fn check_not_of_another_label(&self) -> Result<(), CliError> {
        let fingerprint = self.run.store.fingerprint(&self.handed.access_token)?;
        for sighting in self.run.store.sightings(&fingerprint)? {
            if sighting.token != self.before.id && holds(sighting.state) {
                let is_declared = self.run.session.config.token(&sighting.label).is_some();
                let shared = SharedToken { with: sighting.label, is_declared };
                let mut refused = refuse_shared(self.token, &shared);
                if !self.is_exchange() {
                    refused.hints = vec![of_one_label(&shared)];
                }
                return Err(refused);
            }
        }
        Ok(())
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

    fn lifetime(&self, inspection: &Inspection) -> Lifetime {
        let spec = self.token.token_type.spec();
        if spec.exchange.is_none() {
            Lifetime::Long
        } else if is_short_life(inspection, self.run.now()) {
            Lifetime::Short
        } else if spec.may_hide_the_end() && inspection.expiry == Expiry::Unknown {
            Lifetime::Unknown
        } else {
            Lifetime::Long
        }
    }

    fn exchange(
        &mut self,
        app: &App,
        inspection: &Inspection,
    ) -> Result<(Outcome, String), CliError> {
        let ends = humanize::expiry(inspection.expiry, self.run.now());
        let reason = format!("it was short-lived: expires {ends}");
        if self.run.dry_run == DryRun::Yes {
            return Ok((Outcome::WouldExchange, reason));
        }
        let grant = self.ask_for_exchange(app)?.map_err(|error| self.call_failed(&error))?;
        self.take_grant(app, &grant, reason)
    }

    /// Tries an exchange; a refusal says that the access token is long-lived already.
    fn exchange_if_possible(
        &mut self,
        app: &App,
        inspection: &Inspection,
    ) -> Result<(Outcome, String), CliError> {
        if self.run.dry_run == DryRun::Yes {
            let reason = "Meta does not report when it expires; an exchange is tried first";
            return Ok((Outcome::WouldExchange, reason.to_owned()));
        }
        if app.secret.is_none() {
            let reason = format!(
                "app `{}` has no secret, so nothing that lives an hour could be exchanged",
                app.name
            );
            return self.store_as_it_is(app, inspection, &reason);
        }
        match self.ask_for_exchange(app)? {
            Ok(grant) => self.take_grant(app, &grant, "it was short-lived".to_owned()),
            Err(error) if error.refuses_the_token() => {
                let reason = "Meta does not exchange it, so it is long-lived already";
                self.store_as_it_is(app, inspection, reason)
            }
            Err(error) => Err(self.call_failed(&error)),
        }
    }

    /// Takes what Meta granted, which may be the current access token itself.
    fn take_grant(
        &mut self,
        app: &App,
        grant: &Grant,
        reason: String,
    ) -> Result<(Outcome, String), CliError> {
        if self.is_in_use(&grant.token)? {
            let now = self.run.now();
            self.change(|store, credential| store.close_attempts(credential, now))?;
            self.change(|store, credential| store.note_exchanged(credential))?;
            return Ok((Outcome::Verified, "Meta gave the current access token again".to_owned()));
        }
        self.take(app, &grant.token, grant.expiry, Origin::Exchanged)?;
        Ok((self.arrival(Origin::Exchanged).outcome(), reason))
    }

    fn is_in_use(&self, access_token: &AccessToken) -> Result<bool, CliError> {
        let fingerprint = self.run.store.fingerprint(access_token)?;
        Ok(self.credential.current.as_ref().is_some_and(|it| it.fingerprint == fingerprint))
    }

    fn ask_for_exchange(&mut self, app: &App) -> Result<Result<Grant, CallError>, CliError> {
        let Some(exchange) = self.token.token_type.spec().exchange else {
            let why = Problem::new(ProblemKind::Unknown, "a token of its type has no exchange");
            return Ok(Err(CallError::of_token(why)));
        };
        let (run, now) = (self.run.id, self.run.now());
        self.change(|store, credential| store.plan_attempt(run, credential, now))?;
        let sent =
            SentExchange { at: now, of: self.run.store.fingerprint(&self.handed.access_token)? };
        self.change(|store, credential| store.note_exchange_sent(credential, Some(sent)))?;
        failpoint::reach("before-request");
        let answer = self.run.graph.grant(app, exchange, Some(&self.handed.access_token));
        match &answer {
            Ok(_) => failpoint::reach("granted"),
            Err(error) => {
                let now = self.run.now();
                self.change(|store, credential| store.close_attempts(credential, now))?;
                if !error.answer_lost {
                    self.change(|store, credential| store.note_exchange_sent(credential, None))?;
                }
            }
        }
        Ok(answer)
    }

    /// Says of a dead access token that an earlier exchange of it was not answered, if that is so.
    fn blame_a_lost_answer(&self, problem: Problem) -> Result<Problem, CliError> {
        let Some(sent) = self.before.ledger.sent_exchange else { return Ok(problem) };
        Ok(sent.blame(self.run.store.fingerprint(&self.handed.access_token)?, problem))
    }

    fn store_as_it_is(
        &mut self,
        app: &App,
        inspection: &Inspection,
        reason: &str,
    ) -> Result<(Outcome, String), CliError> {
        let handed = self.handed.access_token.clone();
        if self.is_in_use(&handed)? {
            return Ok((Outcome::Verified, "it is the current access token already".to_owned()));
        }
        let (origin, reason) = match self.given_by {
            GivenBy::Person => (Origin::Adopted, reason.to_owned()),
            GivenBy::Meta(_) => (Origin::Derived, self.source()),
        };
        self.take(app, &handed, inspection.expiry, origin)?;
        let outcome = self.arrival(origin).outcome();
        let outcome = match self.run.dry_run {
            DryRun::No => outcome,
            DryRun::Yes => outcome.rehearsed(),
        };
        Ok((outcome, reason))
    }

    /// What it was derived from.
    fn source(&self) -> String {
        match &self.token.parent {
            Some(parent) => format!("derived from `{parent}`"),
            None => format!("derived from app `{}`", self.token.app),
        }
    }

    /// Seals the new one, and makes it current unless the current one is alive and better.
    fn take(
        &mut self,
        app: &App,
        access_token: &AccessToken,
        expiry: Expiry,
        origin: Origin,
    ) -> Result<(), CliError> {
        let candidates = self.candidates(app);
        let parent = match self.given_by {
            GivenBy::Person => None,
            GivenBy::Meta(parent) => parent,
        };
        let new = NewCandidate { access_token: access_token.clone(), origin, expiry, parent };
        let (credential, sealed) = candidates.seal(self.credential.clone(), new)?;
        // What is said of it now counts, also where an earlier run had sealed it already.
        let candidate = Generation { origin, expiry, ..sealed };
        let ask = |credential, generation: &Generation| {
            let access_token = self.run.store.reveal(generation.id)?;
            let inspection = inspect(&self.run.graph, app, &access_token);
            let proof = inspection.map(|inspection| Proof { at: self.run.now(), inspection });
            Ok((credential, proof))
        };
        let (credential, examined) =
            candidates.examine_handed_over(credential, &candidate, self.terms(origin), &ask)?;
        self.credential = credential;
        match examined {
            Examined::Promoted { outlived, .. } => {
                self.outlived = outlived;
                Ok(())
            }
            Examined::NotInspected(error) => Err(self.waits(&error)),
            Examined::AdoptionRefused(problem) if problem.kind == ProblemKind::NotExtended => {
                Err(self.not_replaced(&problem))
            }
            Examined::AdoptionRefused(problem)
            | Examined::GrantRefused(problem)
            | Examined::NotExtended(problem)
            | Examined::TooYoung(problem)
            | Examined::FewerScopes(problem)
            | Examined::Waits(problem) => Err(self.refusal(&problem)),
        }
    }

    /// How one that came to us so arrives.
    fn arrival(&self, origin: Origin) -> Arrival {
        self.handed.arrival.unwrap_or_else(|| origin.into())
    }

    fn terms(&self, origin: Origin) -> HandOverTerms {
        HandOverTerms { losses: self.handed.losses, arrival: self.arrival(origin) }
    }

    /// The candidates of this token. A person may hand over the Page token of another person than
    /// the parent's, so only what was there before says whose it must be.
    fn candidates(&self, app: &App) -> Candidates<'_> {
        Candidates {
            run: self.run,
            token: self.token,
            app_id: Some(app.id.clone()),
            parent: match (self.given_by, &self.token.parent) {
                (GivenBy::Meta(_), Some(parent)) => self.run.known_id(parent),
                _ => None,
            },
            if_refused: IfRefused::Told,
            identity: self.handed.identity,
        }
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

    fn refusal(&self, problem: &Problem) -> CliError {
        log::not_taken(&self.token.label, problem);
        let subject = subject(self.token, Some(&self.before), None);
        let problem = problem.clone().rejected();
        let cause = cause(&problem, &subject);
        let cause = cause.strip_prefix(Problem::REJECTED).unwrap_or(&cause);
        let complaint = CliError::new(
            Exit::InputRefused,
            problem.kind.as_str(),
            self.token.label.as_str(),
            format!("{}{cause}", Problem::REJECTED),
        );
        let complaint = complaint.in_metas_words(&quote(&problem));
        self.untouched(complaint.hint(self.as_typed(&remedy(&problem, &subject))))
    }

    /// Says what would be lost, and how to replace the current one all the same.
    fn not_replaced(&self, problem: &Problem) -> CliError {
        log::not_taken(&self.token.label, problem);
        let label = self.token.label.as_str();
        let message = format!("not replaced: {problem}");
        let command = self.command(&["--replace"]);
        CliError::new(Exit::InputRefused, "not_replaced", label, message)
            .hint(format!("to replace the current access token all the same, run `{command}`"))
            .hint("the current access token is untouched")
    }

    /// The command that was typed, with more of its options.
    fn command(&self, more: &[&str]) -> String {
        let HandedOver { typed, losses, identity, .. } = &self.handed;
        let mut command = typed.clone();
        for (option, is_typed) in [
            ("--replace", *losses == Losses::Accepted),
            ("--replace-identity", *identity == IdentityChange::Accepted),
        ] {
            if is_typed || more.contains(&option) {
                let _ = write!(command, " {option}");
            }
        }
        command
    }

    /// A remedy in words that can be typed: `exchange` works for a label that is declared already.
    fn as_typed(&self, remedy: &Remedy) -> String {
        if self.is_exchange() {
            return remedy.to_string();
        }
        let exchange = format!("metatoken exchange {}", self.token.label);
        remedy.to_string().replace(&exchange, &self.handed.typed)
    }

    /// Whether `exchange` was typed, or takes what was typed.
    fn is_exchange(&self) -> bool {
        self.handed.typed.starts_with("metatoken exchange ")
    }

    fn call_failed(&self, error: &CallError) -> CliError {
        if self.is_sealed() && !error.problem.action.needs_a_person() {
            return self.waits(error);
        }
        log::not_taken(&self.token.label, &error.problem);
        let subject = subject(self.token, Some(&self.before), None);
        let complaint = CliError::new(
            Exit::for_problem(&error.problem),
            error.problem.kind.as_str(),
            self.token.label.as_str(),
            error.problem.to_string(),
        );
        // No run will try again for the person what was never stored.
        self.untouched(if error.problem.action.needs_a_person() {
            complaint.hint(self.as_typed(&remedy(&error.problem, &subject)))
        } else {
            complaint.hint(match self.given_by {
                GivenBy::Person => "nothing was stored: paste the access token again later",
                GivenBy::Meta(_) => "nothing was stored: run the same again later",
            })
        })
    }

    /// Whether it is the token's candidate already: what a login gave is sealed at once.
    fn is_sealed(&self) -> bool {
        let own = self.run.store.fingerprint(&self.handed.access_token).ok();
        self.before.candidate.as_ref().is_some_and(|it| Some(it.fingerprint) == own)
    }

    fn untouched(&self, complaint: CliError) -> CliError {
        if self.before.current.is_some() {
            complaint.hint("the current access token is untouched")
        } else {
            complaint
        }
    }

    /// Says that the new one is sealed and could not be inspected yet.
    fn waits(&self, error: &CallError) -> CliError {
        log::not_taken(&self.token.label, &error.problem);
        CliError::new(
            Exit::for_problem(&error.problem),
            error.problem.kind.as_str(),
            self.token.label.as_str(),
            format!("the new access token is sealed, but not checked yet: {}", error.problem),
        )
        .hint(format!("run `metatoken refresh {}`", self.token.label))
    }
}
