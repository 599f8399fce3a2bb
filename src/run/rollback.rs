//! Puts an earlier generation of a token back in the current one's place.
//!
//! Nothing is changed before Graph has said that it works. The one that is left is not taken again
//! until a person brings it: not from the config, not from a target, and not from Meta.

use super::Run;
use super::candidate::Examined;
use super::earlier::{Unavailable, numbered, which_are_kept};
use super::replacement::{Fitness, TokenReplacement};
use super::tokens::{TokenConfig, subject};
use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::{is_short_lived, replace_it};
use crate::report::TokenResult;
use crate::store::{Remains, StoreError};
use crate::token::{
    Credential, DryRun, EventKind, Generation, GenerationState, Label, Outcome, Problem, Proof,
    TokenType,
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
    let rollback = Rollback { of: TokenReplacement::begin(run, token, "not rolled back")? };
    if let Some(unnoticed) = rollback.unnoticed(wanted)? {
        rollback.of.deliver(deliveries)?;
        let number = unnoticed.number;
        let reason = format!("an earlier run went back to generation {number} and was cut short");
        return rollback.of.result(Outcome::RolledBack, &reason);
    }
    let choices = match wanted {
        Some(number) => vec![rollback.numbered(number)?],
        None => rollback.earlier()?,
    };
    let (credential, earlier, proof) = rollback.first_that_works(choices, wanted)?;
    let (_, examined) = rollback.of.candidates().put_back(credential, &earlier, proof.clone())?;
    rollback.of.deliver(deliveries)?;
    rollback.hint_at_the_giver()?;
    let outlived = match examined {
        Examined::Promoted { outlived, .. } => outlived,
        _ => None,
    };
    let left = rollback.of.before.current.as_ref().map(|left| format!(", leaving {}", left.number));
    let to = format!("to generation {}{}", earlier.number, left.unwrap_or_default());
    rollback.of.put_in_place(Outcome::RolledBack, to, &proof, outlived)
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
    of: TokenReplacement<'a>,
}

impl Rollback<'_> {
    /// The current generation, if a run that was cut short has put it back just so.
    fn unnoticed(&self, wanted: Option<u32>) -> Result<Option<Generation>, CliError> {
        let current = self.of.before.current.clone();
        let current = current.filter(|it| wanted.is_none_or(|wanted| wanted == it.number));
        match current {
            Some(current) if self.of.run.store.take_over(current.id, EventKind::RolledBack)? => {
                Ok(Some(current))
            }
            _ => Ok(None),
        }
    }

    /// The earlier generation of that number, if it can be put back at all.
    fn numbered(&self, number: u32) -> Result<Generation, CliError> {
        let found = numbered(&self.of.run.store, self.of.before.id, number)?;
        let generation = found.map_err(|why| self.unavailable(why, number))?;
        if generation.state == GenerationState::Current {
            let message = format!("generation {number} is the current one");
            return Err(self.of.refused("already_current", message).hint(self.which_are_kept()));
        }
        match self.in_use_by(&generation)? {
            Some(other) => Err(self.shared(&generation, &other)),
            None => Ok(generation),
        }
    }

    /// The other token whose current one it is: a promotion gave it away.
    fn in_use_by(&self, generation: &Generation) -> Result<Option<Label>, CliError> {
        let sightings = self.of.run.store.sightings(&generation.fingerprint)?.into_iter();
        let mut others = sightings.filter(|it| it.token != self.of.before.id);
        Ok(others.find(|it| it.state == GenerationState::Current).map(|it| it.label))
    }

    /// Says how a backup gets its access token back, where that is what was left: it has none since it
    /// was promoted.
    fn hint_at_the_giver(&self) -> Result<(), CliError> {
        let TokenReplacement { run, token, before, .. } = &self.of;
        let Some(left) = before.current.as_ref().filter(|_| run.dry_run == DryRun::No) else {
            return Ok(());
        };
        for sighting in run.store.sightings(&left.fingerprint)? {
            let other = run.store.credential(sighting.token)?;
            if other.given_to.is_some_and(|it| it.label == token.label) {
                let giver = sighting.label;
                run.hint(format!(
                    "run `metatoken rollback {giver}`, which makes it the backup again"
                ));
            }
        }
        Ok(())
    }

    /// Refuses what another token uses: under two labels a renewal of the one would surprise the other.
    fn shared(&self, generation: &Generation, other: &Label) -> CliError {
        let message = format!("generation {} is in use as `{other}`", generation.number);
        let refused = self.of.refused("shared_token", message);
        refused.hint(format!("an access token belongs to one label: `metatoken status {other}`"))
    }

    fn unavailable(&self, why: Unavailable, number: u32) -> CliError {
        let refused = self.of.error(why.exit(), why.code(), &why.of(number));
        refused.hint(why.hint(&self.of.token.label))
    }

    /// The earlier generations that may work, the newest first.
    fn earlier(&self) -> Result<Vec<Generation>, CliError> {
        let now = self.of.run.now();
        let current = self.of.before.current.as_ref().map(|current| current.number);
        let may_work = |it: &Generation| {
            it.state == GenerationState::Previous
                && current.is_none_or(|current| it.number < current)
                && it.verdict() != Some(false)
                && !it.expiry.has_passed(now)
                && !is_short_lived(it)
        };
        let past = self.of.run.store.past(self.of.before.id)?;
        let sealed = past.into_iter().filter_map(|it| match it.remains {
            Remains::Sealed(generation) => Some(*generation),
            Remains::Revoked | Remains::Purged | Remains::Damaged => None,
        });
        let (mut earlier, mut shared) = (Vec::new(), None);
        for generation in sealed.filter(may_work) {
            match self.in_use_by(&generation)? {
                Some(other) => drop(shared.get_or_insert(self.shared(&generation, &other))),
                None => earlier.push(generation),
            }
        }
        if let (true, Some(shared)) = (earlier.is_empty(), shared) {
            return Err(self.or_a_new_one(shared));
        }
        if earlier.is_empty() {
            let message = "no earlier access token is kept that may work";
            return Err(self.or_a_new_one(self.of.refused("no_earlier_one", message)));
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
        let TokenReplacement { run, before, .. } = &self.of;
        let app = self.of.app()?;
        let mut credential = before.clone();
        let mut dead = None;
        for generation in choices {
            let access_token = match run.store.reveal(generation.id) {
                Err(StoreError::Damaged(..)) => {
                    let why = Unavailable::Damaged;
                    dead.get_or_insert(self.unavailable(why, generation.number));
                    continue;
                }
                revealed => revealed?,
            };
            match self.of.ask(&app, &access_token)? {
                Fitness::Fits(proof) => return Ok((credential, generation, proof)),
                Fitness::Unfit(problem, proof) if proof.inspection.verdict() == Some(false) => {
                    let id = generation.id;
                    credential = run.store.note_proof(run.id, credential, id, proof)?.0;
                    dead.get_or_insert(self.unfit(&generation, &problem));
                }
                Fitness::Unfit(problem, _) | Fitness::OfAnotherApp(problem) => {
                    return Err(self.unfit(&generation, &problem));
                }
            }
        }
        let dead = dead.unwrap_or_else(|| self.of.refused("no_earlier_one", "none is left"));
        Err(if wanted.is_some() {
            dead.hint(self.which_are_kept())
        } else {
            self.or_a_new_one(dead)
        })
    }

    /// Says of a generation that it is dead, or not this token's.
    fn unfit(&self, generation: &Generation, problem: &Problem) -> CliError {
        let which = format!("generation {}", generation.number);
        self.of.unfit(&which, problem, self.of.token, &self.of.before)
    }

    fn which_are_kept(&self) -> String {
        which_are_kept(&self.of.token.label)
    }

    /// Names how a new access token is brought, where no earlier one is left.
    fn or_a_new_one(&self, refused: CliError) -> CliError {
        let subject = subject(self.of.token, Some(&self.of.before), None);
        refused.hint(replace_it(&subject).to_string())
    }
}
