//! Puts an earlier generation of a token back in the current one's place.
//!
//! Nothing is changed before Graph has said that it works. The one that is left is not taken again
//! until a person brings it: not from the config, not from a target, and not from Meta.

use std::time::Instant;

use super::Run;
use super::candidate::{Candidates, Examined, IdentityChange, IfRefused};
use super::earlier::{Unavailable, numbered, which_are_kept};
use super::inspect::{inspect, wrong_app};
use super::log;
use super::tokens::{TokenConfig, subject};
use crate::deliver::{Deliveries, Replace};
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, CallError};
use crate::policy::{
    Contest, Current, Losses, Remedy, cause, end_the_old_one, is_short_lived, judge_handed_over,
    quote, remedy, replace_it,
};
use crate::report::TokenResult;
use crate::store::{Remains, StoreError};
use crate::token::{
    Credential, DryRun, EventKind, Generation, GenerationState, Outcome, Problem, Proof, TokenType,
};

/// Puts the generation of that number back, or the newest earlier one that works, and delivers it to
/// the token's files.
pub fn roll_back(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    token: &TokenConfig,
    wanted: Option<u32>,
) -> Result<TokenResult, CliError> {
    refuse_derived(token)?;
    let began = Instant::now();
    let before = run.store.credential(run.token_id(&token.label)?)?;
    let rollback = Rollback { run, token, before };
    if let Some(unnoticed) = rollback.unnoticed(wanted)? {
        run.bear_full(deliveries.of_token(token, rollback.before.id, Replace::Own).deliver())?;
        let reason = format!(
            "an earlier run went back to generation {} and was cut short",
            unnoticed.number
        );
        return rollback.result(Outcome::RolledBack, reason, began);
    }
    let choices = match wanted {
        Some(number) => vec![rollback.numbered(number)?],
        None => rollback.earlier()?,
    };
    let (credential, earlier, proof) = rollback.first_that_works(choices, wanted)?;
    let candidates = rollback.candidates(None);
    let moved = rollback.moved(&proof);
    let (_, examined) = candidates.put_back(credential, &earlier, proof)?;
    run.bear_full(deliveries.of_token(token, rollback.before.id, Replace::Own).deliver())?;
    let outlived = match examined {
        Examined::Promoted { outlived, .. } => outlived,
        _ => None,
    };
    let left = rollback.before.current.as_ref().map(|left| format!(", leaving {}", left.number));
    let outlived = outlived.map(|old| {
        let subject = subject(token, Some(&rollback.before), None);
        run.hint(end_the_old_one(&subject, old));
        format!("generation {old} works on until it is revoked")
    });
    let to = format!("to generation {}{}", earlier.number, left.unwrap_or_default());
    let said: Vec<String> = std::iter::once(to).chain(moved).chain(outlived).collect();
    rollback.result(Outcome::RolledBack, said.join("; "), began)
}

/// Refuses a token whose access token is taken from somewhere: it would be taken from there again.
fn refuse_derived(token: &TokenConfig) -> Result<(), CliError> {
    let label = token.label.as_str();
    let refused = |message: String, hint: String| {
        Err(CliError::new(Exit::InputRefused, "derived", label, message).hint(hint))
    };
    match &token.parent {
        Some(parent) => refused(
            format!("not rolled back: its access token comes from its parent `{parent}`"),
            format!("run `metatoken rollback {parent}`"),
        ),
        None if token.token_type == TokenType::App => refused(
            "not rolled back: its access token comes from the app's id and secret".to_owned(),
            format!(
                "set `secret` of `[app.{}]` to the earlier secret; then run `metatoken refresh {label}`",
                token.app
            ),
        ),
        None => Ok(()),
    }
}

/// The rollback of one token.
struct Rollback<'a> {
    run: &'a Run<'a>,
    token: &'a TokenConfig,
    /// What the store knew of the token before anything was changed.
    before: Credential,
}

impl Rollback<'_> {
    /// The current generation, if a run that was cut short has put it back just so.
    fn unnoticed(&self, wanted: Option<u32>) -> Result<Option<Generation>, CliError> {
        let current = self.before.current.clone();
        let current = current.filter(|it| wanted.is_none_or(|wanted| wanted == it.number));
        match current {
            Some(current) if self.run.store.take_over(current.id, EventKind::RolledBack)? => {
                Ok(Some(current))
            }
            _ => Ok(None),
        }
    }

    /// The earlier generation of that number, if it can be put back at all.
    fn numbered(&self, number: u32) -> Result<Generation, CliError> {
        let found = numbered(&self.run.store, self.before.id, number)?;
        let generation = found.map_err(|why| self.unavailable(why, number))?;
        if generation.state == GenerationState::Current {
            let message = format!("generation {number} is the current one");
            return Err(self.refused("already_current", message).hint(self.which_are_kept()));
        }
        Ok(generation)
    }

    fn unavailable(&self, why: Unavailable, number: u32) -> CliError {
        let refused = self.refused(why.code(), why.of(number));
        CliError { exit: why.exit(), ..refused }.hint(why.hint(&self.token.label))
    }

    /// The earlier generations that may work, the newest first.
    fn earlier(&self) -> Result<Vec<Generation>, CliError> {
        let now = self.run.now();
        let current = self.before.current.as_ref().map(|current| current.number);
        let may_work = |it: &Generation| {
            it.state == GenerationState::Previous
                && current.is_none_or(|current| it.number < current)
                && it.verdict() != Some(false)
                && !it.expiry.has_passed(now)
                && !is_short_lived(it)
        };
        let past = self.run.store.past(self.before.id)?;
        let sealed = past.into_iter().filter_map(|it| match it.remains {
            Remains::Sealed(generation) => Some(*generation),
            Remains::Revoked | Remains::Purged | Remains::Damaged => None,
        });
        let earlier: Vec<Generation> = sealed.filter(may_work).collect();
        if earlier.is_empty() {
            let message = "no earlier access token is kept that may work";
            return Err(self.or_a_new_one(self.refused("no_earlier_one", message)));
        }
        Ok(earlier)
    }

    /// Asks Graph about these, one after the other, until one works. Only what is dead or damaged is
    /// passed over, and only where none was named.
    fn first_that_works(
        &self,
        choices: Vec<Generation>,
        wanted: Option<u32>,
    ) -> Result<(Credential, Generation, Proof), CliError> {
        let app = self.run.app(&self.token.app).map_err(CallError::of_token);
        let app = app.map_err(|error| self.not_answered(&error))?;
        let mut credential = self.before.clone();
        let mut dead = None;
        for generation in choices {
            let access_token = match self.run.store.reveal(generation.id) {
                Err(StoreError::Damaged(..)) => {
                    let why = Unavailable::Damaged;
                    dead.get_or_insert(self.unavailable(why, generation.number));
                    continue;
                }
                revealed => revealed?,
            };
            let inspection = inspect(&self.run.graph, &app, &access_token).map_err(|error| {
                match wrong_app(&error, &app.name) {
                    Some(problem) => self.unfit(&generation, &problem),
                    None => self.not_answered(&error),
                }
            })?;
            let candidates = self.candidates(Some(&app));
            let expected = candidates.expected_identity(&credential)?;
            let contest =
                Contest { current: Current::Gone, ..candidates.contest(&expected, &credential) };
            let now = self.run.now();
            let verdict = judge_handed_over(&inspection, Losses::Accepted, &contest, now);
            let is_dead = inspection.verdict() == Some(false);
            let proof = Proof { at: now, inspection };
            match verdict.problem() {
                None => return Ok((credential, generation, proof)),
                Some(problem) if is_dead => {
                    let (run, id) = (self.run.id, generation.id);
                    credential = self.run.store.note_proof(run, credential, id, proof)?.0;
                    dead.get_or_insert(self.unfit(&generation, &problem));
                }
                Some(problem) => return Err(self.unfit(&generation, &problem)),
            }
        }
        let dead = dead.unwrap_or_else(|| self.refused("no_earlier_one", "none is left"));
        Err(if wanted.is_some() {
            dead.hint(self.which_are_kept())
        } else {
            self.or_a_new_one(dead)
        })
    }

    /// The candidates of this token: it may go back to another person, whose it was before.
    fn candidates(&self, app: Option<&App>) -> Candidates<'_> {
        Candidates {
            run: self.run,
            token: self.token,
            app_id: app.map(|app| app.id.clone()),
            parent: None,
            if_refused: IfRefused::Told,
            identity: IdentityChange::Accepted,
        }
    }

    /// Says whose it is now, if it is another person's than before.
    fn moved(&self, proof: &Proof) -> Option<String> {
        let before = self.before.current.as_ref()?.proof.as_ref()?;
        let before = before.inspection.identity.user_id.as_ref()?;
        let now = proof.inspection.identity.user_id.as_ref()?;
        (before != now).then(|| format!("it belongs to user {now} now, and not to {before}"))
    }

    fn result(
        &self,
        outcome: Outcome,
        reason: String,
        began: Instant,
    ) -> Result<TokenResult, CliError> {
        // Its targets were served meanwhile.
        let credential = self.run.store.credential(self.before.id)?;
        let outcome = match self.run.dry_run {
            DryRun::No => outcome,
            DryRun::Yes => outcome.rehearsed(),
        };
        let (label, token_type) = (self.token.label.clone(), self.token.token_type);
        let result = TokenResult::of(label, token_type, outcome, reason)
            .moving(self.before.current.as_ref(), credential.current.as_ref());
        log::refreshed(&result, began);
        Ok(result)
    }

    fn refused(&self, code: &'static str, message: impl Into<String>) -> CliError {
        let message = format!("not rolled back: {}", message.into());
        CliError::new(Exit::InputRefused, code, self.token.label.as_str(), message)
    }

    /// Says of a generation that it is dead, or not this token's.
    fn unfit(&self, generation: &Generation, problem: &Problem) -> CliError {
        log::not_taken(&self.token.label, problem);
        let subject = subject(self.token, Some(&self.before), None);
        let message = format!("generation {}: {}", generation.number, cause(problem, &subject));
        let refused = self.refused(problem.kind.as_str(), message);
        match quote(problem) {
            quote if quote.is_empty() => refused,
            quote => refused.because(anyhow::anyhow!("Meta says {quote}")),
        }
    }

    fn not_answered(&self, error: &CallError) -> CliError {
        log::not_taken(&self.token.label, &error.problem);
        let problem = &error.problem;
        let refused = CliError::new(
            Exit::for_problem(problem),
            problem.kind.as_str(),
            self.token.label.as_str(),
            format!("not rolled back: {problem}"),
        );
        let refused = if problem.action.needs_a_person() {
            let subject = subject(self.token, Some(&self.before), None);
            refused.hint(remedy(problem, &subject).to_string())
        } else {
            refused
        };
        refused.hint("nothing was changed: run the same again later")
    }

    fn which_are_kept(&self) -> String {
        which_are_kept(&self.token.label)
    }

    /// Names how a new access token is brought, where no earlier one is left.
    fn or_a_new_one(&self, refused: CliError) -> CliError {
        let subject = subject(self.token, Some(&self.before), None);
        let how: Remedy = replace_it(&subject);
        refused.hint(how.to_string())
    }
}
