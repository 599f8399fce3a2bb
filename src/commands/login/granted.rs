//! Takes what the code of a login gives: once, for the right person, and without a loss that nobody accepted.
//!
//! That a code is tried is stored before it is sent, and what it gives is sealed before anything looks at
//! it.

use super::answer::{Login, LoginTerms};
use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::failpoint;
use crate::graph::{CallError, PageList};
use crate::policy::{Losses, humanize};
use crate::report::RunReport;
use crate::run::Run;
use crate::run::candidate::IdentityChange;
use crate::run::handed_over::{Fitting, inspect_handed_over, report_taken};
use crate::run::intake::HandedOver;
use crate::run::log;
use crate::run::login_pages::unticked_pages;
use crate::store::{LoginUse, NewCandidate, RefusedCandidate, SignedState};
use crate::token::{
    AccessToken, Arrival, AttemptKind, Concession, Generation, Grant, Label, LoginCheck, Origin,
    Problem, Secret, Source,
};

/// Takes what the code in an answer gives, and delivers it.
pub fn take(
    login: &Login<'_>,
    deliveries: &Deliveries<'_>,
    text: &str,
) -> Result<RunReport, CliError> {
    let run = login.run;
    let (code, redirect, state) = login.read(text)?;
    login.check_that_identity_is_known()?;
    // Room is there before Meta is asked: what it grants is sealed at once.
    let room = run.store.room_for_grant()?;
    let grant = login.exchange(&code, redirect.as_deref(), state.as_ref())?;
    let sealed = login.seal(&grant)?;
    drop(room);
    let adopted = login.fitting(&grant.token).and_then(|fitting| {
        login.check_granted(&fitting, state.as_ref());
        login.check_pages(&grant.token)?;
        fitting.take(run, deliveries)
    });
    let adopted = adopted.map_err(|error| login.not_taken(error, &sealed))?;
    report_taken(run, deliveries, vec![adopted.with_its_pages()])
}

/// Whether the token has Pages, or lists them.
pub fn order_has_pages(run: &Run<'_>, label: &Label) -> bool {
    let token = run.session.config.token(label);
    let lists = token.is_some_and(|token| token.pages != crate::config::Pages::None);
    lists || run.tokens.pages_of(label).next().is_some()
}

impl<'a> Login<'a> {
    /// Refuses a first login without a terminal where the person is not named.
    fn check_that_identity_is_known(&self) -> Result<(), CliError> {
        if !self.is_anybodys()? || self.run.session.ui.can_ask() {
            return Ok(());
        }
        let label = &self.token.label;
        let message =
            "the person who has to log in is not named, and there is no terminal to ask on";
        Err(CliError::new(Exit::Usage, "no_user", label.as_str(), message).hint(format!(
            "add `--expect-user ID` with the person's id, or `user_id` to `[token.{label}]`"
        )))
    }

    /// Whether it is not known yet whose access token it must be.
    fn is_anybodys(&self) -> Result<bool, CliError> {
        let LoginTerms { expect_user, identity, .. } = self.terms;
        if expect_user.is_some()
            || self.token.user_id.is_some()
            || *identity == IdentityChange::Accepted
        {
            return Ok(false);
        }
        let credential = self.run.store.credential(self.run.token_id(&self.token.label)?)?;
        let proof = credential.current.and_then(|current| current.proof);
        Ok(proof.is_none_or(|proof| proof.inspection.identity.user_id.is_none()))
    }

    /// Exchanges the code, once: that it is tried is stored before.
    fn exchange(
        &self,
        code: &Secret,
        redirect: Option<&str>,
        state: Option<&SignedState>,
    ) -> Result<Grant, CliError> {
        let Run { store, id, .. } = self.run;
        let token = self.run.token_id(&self.token.label)?;
        let now = self.run.now();
        if let LoginUse::Used(at) = store.use_login(token, state, code, now)? {
            let at = humanize::instant(at);
            let label = self.token.label.as_str();
            let message = format!("refused: this login was handed in {at}, and works once");
            let hint = if self.has_sealed_login()? {
                format!("what it gave is kept: `metatoken refresh {label}` finishes it")
            } else {
                self.new_address()
            };
            let refused = CliError::new(Exit::InputRefused, "login_used", label, message);
            return Err(refused.hint(hint));
        }
        let credential = self.run.name_interrupted(store.credential(token)?)?;
        let credential = store.plan_attempt(*id, credential, AttemptKind::Login, now)?;
        failpoint::reach("before-request");
        let answer = self.run.graph.exchange_code(&self.app, code, redirect);
        match answer {
            Ok(grant) => {
                failpoint::reach("granted");
                Ok(grant)
            }
            Err(error) => {
                store.close_attempts(*id, credential, self.run.now())?;
                Err(self.not_exchanged(&error))
            }
        }
    }

    /// Whether what a login gave waits for a run: the one that took it was cut short, or Graph gave no
    /// answer. A run takes none whose person was not confirmed.
    fn has_sealed_login(&self) -> Result<bool, CliError> {
        let credential = self.run.store.credential(self.run.token_id(&self.token.label)?)?;
        Ok(credential.candidate.is_some_and(|it| {
            it.arrival == Arrival::LoggedIn && it.login_check != Some(LoginCheck::Confirm)
        }))
    }

    fn not_exchanged(&self, error: &CallError) -> CliError {
        /// What Meta says of a code that is cut or changed.
        const MALFORMED: &str = "verification code format";
        let problem = &error.problem;
        log::not_taken(&self.token.label, problem);
        let input = Exit::InputRefused;
        let (exit, message) = match problem.subcode {
            Some(36_007) => (input, "the code has expired; it works for some minutes".to_owned()),
            Some(36_009) => (input, "the code was used already; it works once".to_owned()),
            Some(36_008) => (
                input,
                "the code came to another redirect address than it is handed in with".to_owned(),
            ),
            _ if problem.message.contains(MALFORMED) => {
                (input, "Meta does not know the code; it may be cut off".to_owned())
            }
            _ => (
                Exit::for_problem(problem),
                format!("the code is spent, and gave nothing: {problem}"),
            ),
        };
        let complaint =
            CliError::new(exit, problem.kind.as_str(), self.token.label.as_str(), message);
        self.untouched(complaint.hint(self.new_address()))
    }

    fn untouched(&self, complaint: CliError) -> CliError {
        let known = self.run.tokens.credential(&self.token.label);
        if known.is_some_and(|credential| credential.current.is_some()) {
            complaint.hint("the current access token is untouched")
        } else {
            complaint
        }
    }

    /// Seals what the code gave: from here on a kill or an outage loses nothing.
    fn seal(&self, grant: &Grant) -> Result<Generation, CliError> {
        let store = &self.run.store;
        let credential = store.credential(self.run.token_id(&self.token.label)?)?;
        let LoginTerms { expect_user, losses, identity } = self.terms;
        let login_check = match expect_user {
            Some(person) => Some(LoginCheck::Is(person.clone())),
            None => self.is_anybodys()?.then_some(LoginCheck::Confirm),
        };
        let new = NewCandidate::granted(grant.token.clone(), Origin::Adopted, grant.expiry)
            .handed_over(Arrival::LoggedIn, Concession::new(*losses, *identity));
        let new = NewCandidate { login_check, ..new };
        Ok(store.seal_candidate(credential, new, self.run.now())?.1)
    }

    /// Inspects what the code gave, and asks whether it is the right person's where none is named.
    fn fitting(&self, access_token: &AccessToken) -> Result<Fitting<'a>, CliError> {
        let is_anybodys = self.is_anybodys()?;
        let handed = HandedOver {
            access_token: access_token.clone(),
            losses: self.terms.losses,
            identity: self.terms.identity,
            arrival: Some(Arrival::LoggedIn),
            finishes: None,
            typed: self.typed(),
        };
        let fitting = inspect_handed_over(self.run, self.token, handed)?;
        let user = fitting.inspection().identity.user_id.clone().unwrap_or_default();
        match &self.terms.expect_user {
            Some(wanted) if *wanted != user => {
                let message = format!("refused: person {user} logged in, and not {wanted}");
                Err(self.untouched(self.refused("identity_changed", message)))
            }
            None if is_anybodys => self.confirm(access_token, &user).map(|()| fitting),
            _ => Ok(fitting),
        }
    }

    fn confirm(&self, access_token: &AccessToken, user: &str) -> Result<(), CliError> {
        let ui = &self.run.session.ui;
        // A name is for the person who is asked; without it the id is shown.
        let name = self.run.graph.person(&self.app, access_token).unwrap_or_default();
        let pages = if self.lists_pages() {
            self.listed(access_token).map(|list| list.pages).unwrap_or_default()
        } else {
            Vec::new()
        };
        let ticked = pages.iter().filter(|page| page.token.is_some());
        let names: Vec<String> =
            ticked.map(|page| page.name.clone().unwrap_or_else(|| page.id.clone())).collect();
        let with =
            if names.is_empty() { String::new() } else { format!(", Pages: {}", names.join(", ")) };
        ui.say(&format!("Logged in: {name} (id {user}){with}"));
        let question = format!("Is this the person for `{}`? [y/N]", self.token.label);
        let answer = ui.ask(&question).and_then(Result::ok).unwrap_or_default();
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(self.refused("identity_refused", format!("not taken: person {user} was not confirmed")))
    }

    fn listed(&self, access_token: &AccessToken) -> Result<PageList, CallError> {
        let business = self.token.business.as_deref();
        self.run.graph.pages(&self.app, access_token, business)
    }

    fn lists_pages(&self) -> bool {
        matches!(self.token.token_type.spec().source, Source::Person(_))
            && self.app.provider.spec().has_pages()
            && order_has_pages(self.run, &self.token.label)
    }

    /// Names the permissions that were asked for and not granted.
    fn check_granted(&self, fitting: &Fitting<'_>, state: Option<&SignedState>) {
        let asked = state.map(|state| state.claims.scopes.as_slice()).unwrap_or_default();
        let missing = fitting.inspection().lacks(asked);
        if !missing.is_empty() {
            self.run.session.ui.say(&format!("not granted: {}", missing.join(", ")));
        }
    }

    /// Refuses a login that gives no access token for a Page whose access token works today, unless
    /// that is accepted.
    fn check_pages(&self, access_token: &AccessToken) -> Result<(), CliError> {
        let unticked = unticked_pages(self.run, self.token, &self.app, access_token)?;
        let unticked = unticked.map_err(|error| self.sealed_and_not_checked(&error.problem))?;
        let Some(unticked) = unticked else { return Ok(()) };
        self.run.session.ui.say(&unticked.note());
        if unticked.alive.is_empty() || self.terms.losses == Losses::Accepted {
            return Ok(());
        }
        let label = self.token.label.as_str();
        let message = format!("not replaced: {}", unticked.loss());
        let complaint = CliError::new(Exit::InputRefused, "not_replaced", label, message)
            .hint(format!("log in again and tick them: `{}`", self.typed()))
            .hint(format!("to do without them, run `{} --replace`", self.typed()));
        Err(self.untouched(complaint))
    }

    fn sealed_and_not_checked(&self, problem: &Problem) -> CliError {
        CliError::new(
            Exit::for_problem(problem),
            problem.kind.as_str(),
            self.token.label.as_str(),
            format!("the new access token is sealed, but not checked yet: {problem}"),
        )
        .hint(format!("run `metatoken refresh {}`", self.token.label))
    }

    /// Sets aside what is not taken. What could only not be checked stays, and the next run looks at it.
    fn not_taken(&self, error: CliError, sealed: &Generation) -> CliError {
        if matches!(error.exit, Exit::Unavailable | Exit::Failed | Exit::Storage) {
            return error;
        }
        let set_aside = || -> Result<(), CliError> {
            let store = &self.run.store;
            let credential = store.credential(self.run.token_id(&self.token.label)?)?;
            if credential.candidate.as_ref().is_some_and(|it| it.id == sealed.id) {
                let refusal = RefusedCandidate { candidate: sealed.id, proof: None, setback: None };
                store.refuse(self.run.id, credential, refusal, self.run.now())?;
            }
            Ok(())
        };
        match set_aside() {
            Ok(()) => error,
            Err(worse) => worse,
        }
    }
}
