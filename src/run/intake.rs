//! Holds an access token that is handed over for a token, and says why it is not taken.
//!
//! A hint repeats the command that was typed, with what it lacks.

use std::fmt::Write as _;
use std::time::Instant;

use super::Run;
use super::candidate::{Candidates, IfRefused};
use super::log;
use super::tokens::{TokenConfig, subject};
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, CallError};
use crate::policy::{Remedy, cause, quote, remedy};
use crate::store::{Store, StoreError};
use crate::token::{
    AccessToken, Arrival, Concession, Credential, GenerationId, IdentityChange, Losses, Origin,
    Problem,
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
    /// What an earlier run began with it and did not live to tell of, if that is finished now: the reason
    /// that is reported.
    pub finishes: Option<&'static str>,
    /// The command that was typed, without `--replace` and `--replace-identity`: hints repeat it.
    pub typed: String,
}

/// Where a new access token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenBy {
    /// A person handed it over.
    Person,
    /// Meta gave it, for this generation of the parent or for the app's id and secret.
    Meta(Option<GenerationId>),
}

/// One access token on its way in, and what is known of its token meanwhile.
pub struct Intake<'a> {
    pub run: &'a Run<'a>,
    pub token: &'a TokenConfig,
    pub handed: HandedOver,
    pub given_by: GivenBy,
    pub began: Instant,
    /// What the store knew of the token before anything was changed.
    pub before: Credential,
    /// What it knows now: replaced by what each change gives back.
    pub credential: Credential,
    /// The number of the access token that lives on beside the new one.
    pub outlived: Option<u32>,
}

impl<'a> Intake<'a> {
    /// Begins to hand over an access token.
    pub fn new(
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

    /// Has the store change the token, and knows it from then on as the store gives it back.
    pub fn change(
        &mut self,
        verb: impl FnOnce(&Store, Credential) -> Result<Credential, StoreError>,
    ) -> Result<(), StoreError> {
        self.credential = verb(&self.run.store, self.credential.clone())?;
        Ok(())
    }

    /// The candidates of this token. A person may hand over the Page token of another person than
    /// the parent's, so only what was there before says whose it must be.
    pub fn candidates(&self, app: &App) -> Candidates<'_> {
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

    /// How one that came to us so arrives.
    pub fn arrival(&self, origin: Origin) -> Arrival {
        self.handed.arrival.unwrap_or_else(|| origin.into())
    }

    /// What is given up for it.
    pub const fn concession(&self) -> Concession {
        Concession::new(self.handed.losses, self.handed.identity)
    }

    /// Whether it is the current access token.
    pub fn is_in_use(&self, access_token: &AccessToken) -> Result<bool, CliError> {
        let fingerprint = self.run.store.fingerprint(access_token)?;
        Ok(self.credential.current.as_ref().is_some_and(|it| it.fingerprint == fingerprint))
    }

    /// Whether it is the token's candidate already: what a login gave is sealed at once.
    pub fn is_sealed(&self) -> bool {
        let own = self.run.store.fingerprint(&self.handed.access_token).ok();
        self.before.candidate.as_ref().is_some_and(|it| Some(it.fingerprint) == own)
    }
}

impl Intake<'_> {
    /// Says why it is refused, and what to do about it.
    pub fn refusal(&self, problem: &Problem) -> CliError {
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
    pub fn not_replaced(&self, problem: &Problem) -> CliError {
        log::not_taken(&self.token.label, problem);
        let label = self.token.label.as_str();
        let message = format!("not replaced: {problem}");
        let command = self.command(&["--replace"]);
        CliError::new(Exit::InputRefused, "not_replaced", label, message)
            .hint(format!("to replace the current access token all the same, run `{command}`"))
            .hint("the current access token is untouched")
    }

    /// The command that was typed, with more of its options.
    pub fn command(&self, more: &[&str]) -> String {
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
    pub fn is_exchange(&self) -> bool {
        self.handed.typed.starts_with("metatoken exchange ")
    }

    /// Says that Meta gave no answer, or why it gives none.
    pub fn call_failed(&self, error: &CallError) -> CliError {
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

    fn untouched(&self, complaint: CliError) -> CliError {
        if self.before.current.is_some() {
            complaint.hint("the current access token is untouched")
        } else {
            complaint
        }
    }

    /// Says that the new one is sealed and could not be inspected yet.
    pub fn waits(&self, error: &CallError) -> CliError {
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
