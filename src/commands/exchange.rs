//! `exchange`: takes a new access token from a person.
//!
//! It is inspected before anything is stored. A short-lived one is exchanged at Meta for a long-lived
//! one; a long-lived one is stored as it is. Either becomes the token's candidate, and is promoted
//! unless the current access token works and is known to be worth more: then a person has to say
//! that it is to be replaced all the same. Where Graph does not say how long it lives,
//! the attempt to exchange it tells: Meta exchanges only what is short-lived.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::config::Pages;
use crate::deliver::{Deliveries, Replace, TokenDelivery};
use crate::error::CliError;
use crate::exit::Exit;
use crate::failpoint;
use crate::graph::{App, CallError};
use crate::policy::{
    Adoption, Contest, Current, Losses, Remedy, cause, end_the_old_one, humanize, is_short_life,
    judge_handed_over, quote, remedy, short_lived,
};
use crate::report::{RunReport, TokenResult};
use crate::run::candidate::{Candidates, Examined, IdentityChange, IfRefused};
use crate::run::configured_tokens::{holds, refuse_shared};
use crate::run::declared::last_reading;
use crate::run::found::adopt_before_first_delivery;
use crate::run::inspect::{inspect, wrong_app};
use crate::run::log;
use crate::run::tokens::{TokenConfig, Tokens, subject};
use crate::run::{DryRun, Run, RunOptions};
use crate::session::Session;
use crate::shell;
use crate::store::{NewCandidate, Store, StoreError};
use crate::token::{
    AccessToken, Credential, Expiry, Generation, Grant, Inspection, Label, Origin, Outcome,
    Problem, ProblemKind, Proof, SentExchange, SharedToken, TokenType, Trigger,
};

/// What was asked for.
#[derive(Debug)]
pub struct ExchangeOrder {
    /// The token.
    pub label: Label,
    /// Where the access token is, if not on standard input.
    pub file: Option<PathBuf>,
    /// Whether it may be worth less than the current one.
    pub losses: Losses,
    /// Whether it may belong to another person.
    pub identity: IdentityChange,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// Reads a new access token and makes it the current one, long-lived.
pub fn exchange(session: &Session, order: &ExchangeOrder) -> Result<Exit, CliError> {
    if order.label.as_discovered().is_none() {
        // Nobody should paste a secret to learn that the label is mistyped.
        let store = session.reader()?;
        let last = last_reading(&session.config, store.as_ref())?;
        Tokens::new(&session.config, Vec::new(), &last).one(&order.label)?;
    }
    let prompt = format!("the new access token for `{}`", order.label);
    let declared = session.config.token(&order.label).map(|token| token.token_type);
    let wanted = Some(declared.unwrap_or(TokenType::Page));
    let access_token = session.read_access_token(order.file.as_deref(), &prompt, wanted)?;
    let options = RunOptions {
        command: "exchange",
        trigger: Trigger::Manual,
        dry_run: order.dry_run,
        lock_wait: order.lock_wait,
    };
    let mut run = Run::open(session, options)?;
    let report = run.load_tokens().and_then(|()| {
        let deliveries = run.deliveries()?;
        let work = || hand_over(&run, &deliveries, order, &access_token);
        session.interrupt.guard(|| run.aborted(), work)
    });
    run.finish(report)
}

fn hand_over(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    order: &ExchangeOrder,
    access_token: &AccessToken,
) -> Result<RunReport, CliError> {
    let token = run.tokens.one(&order.label)?;
    let (_about, began) = (log::about(&token.label), Instant::now());
    let mut exchange = Exchange::new(run, order, token)?;
    exchange.check_not_of_another_label(access_token)?;
    // Room is taken before Meta is asked: what it grants, and the access token itself, is sealed.
    let room = run.store.room_for_grant()?;
    let app = run.app(&exchange.token.app).map_err(CallError::of_token);
    let app = app.map_err(|error| exchange.call_failed(&error))?;
    let inspection = inspect(&run.graph, &app, access_token).map_err(|error| {
        match wrong_app(&error, &app.name) {
            Some(problem) => exchange.refusal(&problem),
            None => exchange.call_failed(&error),
        }
    })?;
    let new = NewToken { access_token, inspection: &inspection };
    exchange.check_fit(&app, &new)?;
    let delivery = deliveries.of_token(exchange.token, exchange.before.id, Replace::Own);
    exchange.adopt_before_first_delivery(&app, &delivery, access_token)?;
    let (outcome, reason) = match exchange.lifetime(&new) {
        Lifetime::Long if inspection.expiry == Expiry::Never => {
            exchange.store_as_it_is(&app, &new, "never expires")?
        }
        Lifetime::Long => exchange.store_as_it_is(&app, &new, "long-lived already")?,
        Lifetime::Short => exchange.exchange(&app, &new)?,
        Lifetime::Unknown => exchange.exchange_if_possible(&app, &new)?,
    };
    drop(room);
    run.bear_full(delivery.deliver())?;
    let run_hooks = deliveries.run_pending_hooks();
    run.bear_full(run_hooks)?;
    let result = exchange.result(outcome, reason)?;
    log::refreshed(&result, began);
    let mut results = vec![result];
    run.add_deliveries(deliveries, &mut results)?;
    // A damaged access token that was just replaced is no failure of what replaced it.
    let mut system = run.system();
    system.extend(deliveries.contested_targets(|label| *label == exchange.token.label));
    system.extend(deliveries.unfinished_files(|label| *label == exchange.token.label));
    system
        .retain(|reason| !(reason.is_damage() && reason.labels == [exchange.token.label.clone()]));
    Ok(RunReport {
        dry_run: order.dry_run == DryRun::Yes,
        started_at: run.started_at(),
        finished_at: run.now(),
        results,
        system,
    })
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

/// The access token that was handed over, and its inspection.
struct NewToken<'a> {
    access_token: &'a AccessToken,
    inspection: &'a Inspection,
}

/// The exchange of one token.
struct Exchange<'a> {
    run: &'a Run<'a>,
    order: &'a ExchangeOrder,
    token: &'a TokenConfig,
    /// What the store knew of the token before anything was changed.
    before: Credential,
    /// What it knows now: replaced by what each change gives back.
    credential: Credential,
    /// The number of the access token that lives on beside the new one.
    outlived: Option<u32>,
}

impl<'a> Exchange<'a> {
    fn new(
        run: &'a Run<'a>,
        order: &'a ExchangeOrder,
        token: &'a TokenConfig,
    ) -> Result<Self, CliError> {
        let before = run.store.credential(run.token_id(&token.label)?)?;
        Ok(Self { run, order, token, credential: before.clone(), before, outlived: None })
    }

    /// Has the store change the token, and knows it from then on as the store gives it back.
    fn change(
        &mut self,
        verb: impl FnOnce(&Store, Credential) -> Result<Credential, StoreError>,
    ) -> Result<(), StoreError> {
        self.credential = verb(&self.run.store, self.credential.clone())?;
        Ok(())
    }

    fn check_not_of_another_label(&self, access_token: &AccessToken) -> Result<(), CliError> {
        let fingerprint = self.run.store.fingerprint(access_token)?;
        for sighting in self.run.store.sightings(&fingerprint)? {
            if sighting.token != self.before.id && holds(sighting.state) {
                let is_declared = self.run.session.config.token(&sighting.label).is_some();
                let shared = SharedToken { with: sighting.label, is_declared };
                return Err(refuse_shared(self.token, &shared));
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
        handed_over: &AccessToken,
    ) -> Result<(), StoreError> {
        let (run, token, credential) = (self.run, self.token, self.credential.clone());
        let handed_over = Some(handed_over);
        self.credential =
            adopt_before_first_delivery(run, token, app, credential, delivery, handed_over)?;
        Ok(())
    }

    /// Checks that it is alive, of the configured type, and of the same app, person and Page.
    fn check_fit(&self, app: &App, new: &NewToken<'_>) -> Result<(), CliError> {
        match self.fit(app, new, self.order.identity)? {
            Adoption::Take | Adoption::OnlyIfCurrentIsDead(_) | Adoption::OnlyNearItsEnd(_) => {
                Ok(())
            }
            Adoption::Wait(problem) | Adoption::Refuse(problem) => {
                let problem = self.blame_a_lost_answer(new.access_token, problem)?;
                let refusal = self.refusal(&problem);
                if is_short_life(new.inspection, self.run.now()) {
                    return Err(refusal.hint(short_lived(app.provider)));
                }
                let only_its_identity = problem.kind == ProblemKind::IdentityChanged
                    && self.fit(app, new, IdentityChange::Accepted)? == Adoption::Take;
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
        new: &NewToken<'_>,
        identity: IdentityChange,
    ) -> Result<Adoption, CliError> {
        let candidates = Candidates { identity, ..self.candidates(app) };
        let expected = candidates.expected_identity(&self.before)?;
        let contest =
            Contest { current: Current::Gone, ..candidates.contest(&expected, &self.before) };
        Ok(judge_handed_over(new.inspection, Losses::Refused, &contest, self.run.now()))
    }

    fn lifetime(&self, new: &NewToken<'_>) -> Lifetime {
        let spec = self.token.token_type.spec();
        if spec.exchange.is_none() {
            Lifetime::Long
        } else if is_short_life(new.inspection, self.run.now()) {
            Lifetime::Short
        } else if spec.may_hide_the_end() && new.inspection.expiry == Expiry::Unknown {
            Lifetime::Unknown
        } else {
            Lifetime::Long
        }
    }

    fn exchange(&mut self, app: &App, new: &NewToken<'_>) -> Result<(Outcome, String), CliError> {
        let ends = humanize::expiry(new.inspection.expiry, self.run.now());
        let reason = format!("it was short-lived: expires {ends}");
        if self.run.dry_run == DryRun::Yes {
            return Ok((Outcome::WouldExchange, reason));
        }
        let grant = self.ask_for_exchange(app, new)?.map_err(|error| self.call_failed(&error))?;
        self.take_grant(app, &grant, reason)
    }

    /// Tries an exchange; a refusal says that the access token is long-lived already.
    fn exchange_if_possible(
        &mut self,
        app: &App,
        new: &NewToken<'_>,
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
            return self.store_as_it_is(app, new, &reason);
        }
        match self.ask_for_exchange(app, new)? {
            Ok(grant) => self.take_grant(app, &grant, "it was short-lived".to_owned()),
            Err(error) if error.refuses_the_token() => {
                let reason = "Meta does not exchange it, so it is long-lived already";
                self.store_as_it_is(app, new, reason)
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
            self.change(|store, credential| store.note_exchange_sent(credential, None))?;
            return Ok((Outcome::Verified, "Meta gave the current access token again".to_owned()));
        }
        self.take(app, &grant.token, grant.expiry, Origin::Exchanged)?;
        Ok((Outcome::Exchanged, reason))
    }

    fn is_in_use(&self, access_token: &AccessToken) -> Result<bool, CliError> {
        let fingerprint = self.run.store.fingerprint(access_token)?;
        Ok(self.credential.current.as_ref().is_some_and(|it| it.fingerprint == fingerprint))
    }

    fn ask_for_exchange(
        &mut self,
        app: &App,
        new: &NewToken<'_>,
    ) -> Result<Result<Grant, CallError>, CliError> {
        let Some(exchange) = self.token.token_type.spec().exchange else {
            let why = Problem::new(ProblemKind::Unknown, "a token of its type has no exchange");
            return Ok(Err(CallError::of_token(why)));
        };
        let (run, now) = (self.run.id, self.run.now());
        self.change(|store, credential| store.plan_attempt(run, credential, now))?;
        let sent = SentExchange { at: now, of: self.run.store.fingerprint(new.access_token)? };
        self.change(|store, credential| store.note_exchange_sent(credential, Some(sent)))?;
        failpoint::reach("before-request");
        let answer = self.run.graph.grant(app, exchange, Some(new.access_token));
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
    fn blame_a_lost_answer(
        &self,
        access_token: &AccessToken,
        problem: Problem,
    ) -> Result<Problem, CliError> {
        let Some(sent) = self.before.ledger.sent_exchange else { return Ok(problem) };
        Ok(sent.blame(self.run.store.fingerprint(access_token)?, problem))
    }

    fn store_as_it_is(
        &mut self,
        app: &App,
        new: &NewToken<'_>,
        reason: &str,
    ) -> Result<(Outcome, String), CliError> {
        if self.is_in_use(new.access_token)? {
            return Ok((Outcome::Verified, "it is the current access token already".to_owned()));
        }
        self.take(app, new.access_token, new.inspection.expiry, Origin::Adopted)?;
        let outcome = match self.run.dry_run {
            DryRun::No => Outcome::Adopted,
            DryRun::Yes => Outcome::WouldAdopt,
        };
        Ok((outcome, reason.to_owned()))
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
        let new = NewCandidate { access_token: access_token.clone(), origin, expiry, parent: None };
        let (credential, sealed) = candidates.seal(self.credential.clone(), new)?;
        let credential = match origin {
            Origin::Exchanged => self.run.store.note_exchange_sent(credential, None)?,
            Origin::Adopted | Origin::Refreshed | Origin::Derived => credential,
        };
        // What is said of it now counts, also where an earlier run had sealed it already.
        let candidate = Generation { origin, expiry, ..sealed };
        let ask = |credential, generation: &Generation| {
            let access_token = self.run.store.reveal(generation.id)?;
            let inspection = inspect(&self.run.graph, app, &access_token);
            let proof = inspection.map(|inspection| Proof { at: self.run.now(), inspection });
            Ok((credential, proof))
        };
        let (credential, examined) =
            candidates.examine_handed_over(credential, &candidate, self.order.losses, &ask)?;
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

    /// The candidates of this token. A person may hand over the Page token of another person than
    /// the parent's, so only what was there before says whose it must be.
    fn candidates(&self, app: &App) -> Candidates<'_> {
        Candidates {
            run: self.run,
            token: self.token,
            app_id: Some(app.id.clone()),
            parent: None,
            if_refused: IfRefused::Told,
            identity: self.order.identity,
        }
    }

    fn result(&self, outcome: Outcome, reason: String) -> Result<TokenResult, CliError> {
        // Its targets were served meanwhile.
        let credential = self.run.store.credential(self.before.id)?;
        let current = credential.current.as_ref();
        if matches!(outcome, Outcome::Exchanged | Outcome::Adopted) {
            self.hint_at_pages();
        }
        let reason = match self.outlived {
            Some(old) => {
                self.hint_at_the_old_one(old);
                format!("{reason}; generation {old} works on until it is revoked")
            }
            None => reason,
        };
        Ok(TokenResult {
            label: self.token.label.clone(),
            token_type: self.token.token_type,
            outcome,
            reason,
            old_expiry: self.before.current.as_ref().map_or(Expiry::Unknown, |it| it.expiry),
            new_expiry: current.map_or(Expiry::Unknown, |generation| generation.expiry),
            generation: current.map(|generation| generation.number),
            fingerprint: current.map(|generation| generation.fingerprint),
            problem: None,
            condition: None,
            cause: String::new(),
            remedy: Remedy::default(),
            exit: Exit::Ok,
            issues: Vec::new(),
            deliveries: Vec::new(),
            delivered: Vec::new(),
        })
    }

    /// Hints that the Pages get new access tokens from this one by the next `refresh`.
    fn hint_at_pages(&self) {
        let label = &self.token.label;
        let lists = !matches!(self.token.pages, Pages::None);
        let has_pages = lists || self.run.tokens.pages_of(label).next().is_some();
        if has_pages {
            self.run.session.ui.note(&format!(
                "hint: its Pages get new access tokens in the next run; now: `metatoken refresh '{label}*'`"
            ));
        }
    }

    /// Names what a person does about an access token that lives on beside its successor.
    fn hint_at_the_old_one(&self, number: u32) {
        let subject = subject(self.token, Some(&self.credential), None);
        let how = end_the_old_one(&subject, number);
        self.run.session.ui.note(&format!("hint: {how}"));
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
        let complaint = match quote(&problem) {
            quote if quote.is_empty() => complaint,
            quote => complaint.because(anyhow::anyhow!("Meta says {quote}")),
        };
        let complaint = match remedy(&problem, &subject) {
            remedy if remedy.is_empty() => complaint,
            remedy => complaint.hint(remedy.to_string()),
        };
        self.untouched(complaint)
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
        let ExchangeOrder { label, file, losses, identity, .. } = self.order;
        let mut command = format!("metatoken exchange {label}");
        if let Some(file) = file {
            let _ = write!(command, " --token-file {}", shell::quoted(file));
        }
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

    fn call_failed(&self, error: &CallError) -> CliError {
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
            complaint.hint(remedy(&error.problem, &subject).to_string())
        } else {
            complaint.hint("nothing was stored: paste the access token again later")
        })
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
