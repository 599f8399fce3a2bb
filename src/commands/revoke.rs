//! `revoke`: has Meta end access tokens, and proves that they are dead.
//!
//! Everything that would die is listed before anything is done, and a person has to agree. It is
//! refused while a program still depends on one of them. Which are to die is stored before Meta is
//! asked: from then on nothing takes their place by itself, and after a kill the same command finishes
//! it.

use std::time::Duration;

use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::{Condition, Remedy, quote};
use crate::report::{RunReport, TokenResult};
use crate::run::revocation::{
    DoomedGeneration, Fate, GrantKind, RevocationPlan, RevocationScope, Revoked, carry_out,
    elsewhere, listing, plan,
};
use crate::run::{DryRun, Run, RunOptions, RunTurn};
use crate::session::Session;
use crate::token::{Action, Label, Outcome, Problem, ProblemKind, Trigger};

/// What was asked for.
#[derive(Debug)]
pub struct RevokeOrder {
    /// The token.
    pub label: Label,
    pub scope: RevocationScope,
    /// What a person typed to agree: the label, or how many labels.
    pub agreed: Option<String>,
    /// What is done while a target holds what would die.
    pub held: IfHeld,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// What is done while a target holds, or waits for, an access token that would die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfHeld {
    /// Nothing is revoked.
    Refuse,
    /// `--force`.
    Revoke,
}

/// Revokes access tokens.
pub fn revoke(session: &Session, order: &RevokeOrder) -> Result<Exit, CliError> {
    session.refuse_without_store("nothing is kept that could be revoked")?;
    let options = RunOptions {
        command: "revoke",
        trigger: Trigger::Manual,
        dry_run: order.dry_run,
        lock_wait: order.lock_wait,
    };
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let mut run = Run::open(&turn, session, options)?;
    let report = run.load_tokens().and_then(|()| {
        let work = || revoke_all(&run, order);
        session.interrupt.guard(|| run.aborted(), work)
    });
    run.finish(report)
}

fn revoke_all(run: &Run<'_>, order: &RevokeOrder) -> Result<RunReport, CliError> {
    let plan = plan(run, &order.label, order.scope)?;
    if order.held == IfHeld::Refuse {
        refuse_held(&plan)?;
    }
    let results = match order.dry_run {
        DryRun::Yes => {
            run.session.ui.note(&listing(&plan));
            would_revoke(run, &plan)?
        }
        DryRun::No => {
            agree(run, &plan, order.agreed.as_deref())?;
            match carry_out(run, &plan)? {
                Revoked::Refused(error) => {
                    return Err(refused_by_meta(&plan, &error.problem));
                }
                Revoked::Accepted(fates) => results(run, &plan, &fates)?,
            }
        }
    };
    Ok(RunReport {
        dry_run: order.dry_run == DryRun::Yes,
        started_at: run.started_at(),
        finished_at: run.now(),
        results,
        system: run.damage(),
    })
}

/// Refuses while a program would stop working.
fn refuse_held(plan: &RevocationPlan) -> Result<(), CliError> {
    let Some(held) = plan.doomed.iter().find(|it| !it.targets.is_empty()) else { return Ok(()) };
    let (label, number) = (&held.label, held.generation.number);
    let target = &held.targets[0];
    let message = format!("not revoked: `{target}` has generation {number}, which would die");
    let complaint = CliError::new(Exit::InputRefused, "still_delivered", label.as_str(), message);
    let first = if held.is_current() {
        format!("to rotate it, run `metatoken exchange {label}` with a new access token first")
    } else {
        format!("run `metatoken deliver {label}`, which brings the current access token there")
    };
    Err(complaint.hint(first).hint("to revoke it all the same, add `--force`"))
}

/// Lists what dies, and has a person agree: by a word that names it.
fn agree(run: &Run<'_>, plan: &RevocationPlan, agreed: Option<&str>) -> Result<(), CliError> {
    let ui = &run.session.ui;
    let labels = plan.labels();
    let word = match labels.as_slice() {
        [] => plan.label.to_string(),
        [one] => one.to_string(),
        several => several.len().to_string(),
    };
    let typed = if let Some(agreed) = agreed {
        ui.note(&listing(plan));
        agreed.to_owned()
    } else {
        ui.say(&listing(plan));
        let question = match labels.len() {
            0 | 1 => format!("Type `{word}` to revoke it"),
            _ => format!("Type {word}, the number of labels, to revoke them"),
        };
        match ui.ask(&question) {
            Some(typed) => typed.unwrap_or_default(),
            None => return Err(not_agreed(plan, &word, "there is no terminal to ask on")),
        }
    };
    if typed == word {
        return Ok(());
    }
    let why = format!("`{}` does not confirm it", typed.escape_debug());
    Err(not_agreed(plan, &word, &why))
}

fn not_agreed(plan: &RevocationPlan, word: &str, why: &str) -> CliError {
    let message = format!("not revoked: {why}");
    CliError::new(Exit::Usage, "not_agreed", plan.label.as_str(), message)
        .hint(format!("to confirm it without a terminal, add `--yes={word}`"))
}

fn refused_by_meta(plan: &RevocationPlan, problem: &Problem) -> CliError {
    let why = match plan.kind {
        GrantKind::Undocumented if !problem.kind.is_outage() => {
            "not revoked: Meta has no call for it".to_owned()
        }
        _ => format!("not revoked: {}", problem.in_short()),
    };
    let exit = if problem.kind.is_outage() { Exit::Unavailable } else { Exit::PersonNeeded };
    let complaint = CliError::new(exit, problem.kind.as_str(), plan.label.as_str(), why);
    let complaint = match quote(problem) {
        words if words.is_empty() => complaint,
        words => complaint.because(anyhow::anyhow!("Meta says {words}")),
    };
    match exit {
        Exit::Unavailable => complaint.hint("run the same again later; nothing was changed"),
        _ => complaint.hint(elsewhere(plan)),
    }
}

/// What dies under one label.
struct LabelFate<'a> {
    doomed: Vec<&'a DoomedGeneration>,
    /// What became of each; none in a dry run.
    fates: Vec<&'a Fate>,
}

fn by_label<'a>(
    plan: &'a RevocationPlan,
    fates: &'a [(DoomedGeneration, Fate)],
) -> Vec<(Label, LabelFate<'a>)> {
    let labels = plan.labels().into_iter();
    let of = |label: Label| {
        let doomed = plan.doomed.iter().filter(|it| it.label == label).collect();
        let theirs = fates.iter().filter(|(it, _)| it.label == label);
        let fate = LabelFate { doomed, fates: theirs.map(|(_, fate)| fate).collect() };
        (label, fate)
    };
    labels.map(of).collect()
}

impl LabelFate<'_> {
    /// The generations of which this holds, in words.
    fn numbers(&self, holds: impl Fn(&Fate) -> bool) -> String {
        let theirs = self.doomed.iter().zip(&self.fates).filter(|(_, fate)| holds(fate));
        named(theirs.map(|(doomed, _)| *doomed))
    }
}

/// `generation 2`, or `generations 1 and 2`.
fn named<'a>(doomed: impl Iterator<Item = &'a DoomedGeneration>) -> String {
    let mut numbers: Vec<u32> = doomed.map(|it| it.generation.number).collect();
    numbers.sort_unstable();
    match numbers.as_slice() {
        [one] => format!("generation {one}"),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(ToString::to_string).collect();
            format!("generations {} and {last}", rest.join(", "))
        }
        [] => String::new(),
    }
}

fn would_revoke(run: &Run<'_>, plan: &RevocationPlan) -> Result<Vec<TokenResult>, CliError> {
    let outcome = Outcome::Revoked.rehearsed();
    let each = by_label(plan, &[]).into_iter();
    each.map(|(_, theirs)| {
        let reason = format!("{} would die", named(theirs.doomed.iter().copied()));
        result(run, theirs.doomed[0], outcome, reason)
    })
    .collect()
}

fn results(
    run: &Run<'_>,
    plan: &RevocationPlan,
    fates: &[(DoomedGeneration, Fate)],
) -> Result<Vec<TokenResult>, CliError> {
    by_label(plan, fates).into_iter().map(|(_, theirs)| told(run, plan, &theirs)).collect()
}

fn told(
    run: &Run<'_>,
    plan: &RevocationPlan,
    theirs: &LabelFate<'_>,
) -> Result<TokenResult, CliError> {
    let first = theirs.doomed[0];
    let is_alive = |fate: &Fate| matches!(fate, Fate::Alive(_));
    if theirs.fates.iter().any(|fate| is_alive(fate)) {
        let which = theirs.numbers(is_alive);
        let works = if theirs.fates.iter().filter(|fate| is_alive(fate)).count() == 1 {
            "works"
        } else {
            "work"
        };
        let reason =
            format!("Meta accepted the revocation, and nothing changed: {which} still {works}");
        let problem =
            Problem::new(ProblemKind::Unknown, &*reason).with_action(Action::FixConfiguration);
        let failed = result(run, first, Outcome::Failed, reason)?;
        let remedy = Remedy::of_the_operator(elsewhere(plan));
        let condition = Some(Condition::Works { left: None });
        return Ok(TokenResult { condition, ..failed_by(failed, problem, remedy) });
    }
    let unknown = theirs.fates.iter().find_map(|fate| match fate {
        Fate::NotKnown(error) => Some(error),
        Fate::Dead(_) | Fate::Alive(_) => None,
    });
    if let Some(error) = unknown {
        let which = theirs.numbers(|fate| matches!(fate, Fate::NotKnown(_)));
        let reason = format!("Meta was asked, and it is not known whether {which} is dead");
        let failed = result(run, first, Outcome::Failed, reason)?;
        let remedy = Remedy::of_the_operator("run the same again later");
        return Ok(failed_by(failed, error.problem.clone(), remedy));
    }
    let is = if theirs.doomed.len() == 1 { "is" } else { "are" };
    let reason = format!("{} {is} dead", named(theirs.doomed.iter().copied()));
    result(run, first, Outcome::Revoked, reason)
}

fn failed_by(result: TokenResult, problem: Problem, remedy: Remedy) -> TokenResult {
    TokenResult {
        exit: Exit::for_problem(&problem),
        cause: result.reason.clone(),
        problem: Some(problem),
        remedy,
        ..result
    }
}

fn result(
    run: &Run<'_>,
    doomed: &DoomedGeneration,
    outcome: Outcome,
    reason: String,
) -> Result<TokenResult, CliError> {
    let known = run.known_id(&doomed.label).map(|token| run.store.credential(token)).transpose()?;
    let current = known.as_ref().and_then(|known| known.current.as_ref());
    let result = TokenResult::of(doomed.label.clone(), doomed.token_type, outcome, reason);
    Ok(result.moving(current, current))
}
