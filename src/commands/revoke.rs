//! `revoke`: has Meta make access tokens invalid, and proves that they are.
//!
//! Everything that would die is listed before anything is done, and a person has to confirm it. It is
//! refused while a program still depends on one of them. Which are to die is stored before Meta is
//! asked: from then on nothing takes their place by itself, and after a kill the same command finishes
//! it.

use std::time::Duration;

use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::{Condition, Remedy, quote};
use crate::report::{RunReport, TokenResult};
use crate::run::hangs_on::HangsOn;
use crate::run::revocation::{
    DoomedGeneration, Fate, GrantKind, RevocationPlan, RevocationScope, Revoked, carry_out,
    elsewhere, listing, plan,
};
use crate::run::{DryRun, Run, RunOptions, RunTurn, in_a_run};
use crate::session::Session;
use crate::token::{Action, Expiry, GenerationId, Label, Outcome, Problem, ProblemKind, TokenType};

/// What was asked for.
#[derive(Debug)]
pub struct RevokeOrder {
    pub meant: RevokedTokens,
    pub scope: RevocationScope,
    /// What a person typed to confirm it: the label, or how many labels.
    pub confirmed: Option<String>,
    /// What is done while a target holds what would die.
    pub held: IfHeld,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// Whose access tokens are revoked.
#[derive(Debug)]
pub enum RevokedTokens {
    Label(Label),
    /// Those of everything that hangs on a person, an account or an app.
    HangingOn(HangsOn),
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
    // No run waits for the lock while a person reads.
    let listed = match order.dry_run {
        DryRun::Yes => None,
        DryRun::No => Some(list_and_ask(session, order)?),
    };
    in_a_run(session, options(order, order.dry_run), |run| {
        let work = || revoke_all(run, order, listed.as_deref());
        run.session.interrupt.guard(|| run.aborted(), work)
    })
}

const fn options(order: &RevokeOrder, dry_run: DryRun) -> RunOptions {
    RunOptions::typed("revoke", dry_run, order.lock_wait)
}

/// Lists what would die, and has a person confirm it; returns what that is.
fn list_and_ask(session: &Session, order: &RevokeOrder) -> Result<Vec<GenerationId>, CliError> {
    let options = options(order, DryRun::Yes);
    let turn = RunTurn::wait(session, options)?;
    let mut run = Run::open(&turn, session, options)?;
    run.load_tokens()?;
    let plans = plans(&run, order)?;
    show(session, order, &plans);
    let labels = labels(&plans);
    let (word, what) = match labels.as_slice() {
        [one] => (one.to_string(), format!("the access tokens of `{one}`")),
        several => {
            let count = several.len().to_string();
            let what = format!("the access tokens of {count} labels");
            (count, what)
        }
    };
    session.ui.confirm(&word, order.confirmed.as_deref(), &format!("Revoke {what}?"))?;
    Ok(doomed(&plans))
}

/// Says what would die; a person who is to confirm it sees it in any case.
fn show(session: &Session, order: &RevokeOrder, plans: &[RevocationPlan]) {
    for plan in plans {
        let listing = listing(plan);
        if order.confirmed.is_some() || order.dry_run == DryRun::Yes {
            session.ui.note(&listing);
        } else {
            session.ui.say(&listing);
        }
    }
}

fn labels(plans: &[RevocationPlan]) -> Vec<Label> {
    let mut labels: Vec<Label> = plans.iter().flat_map(RevocationPlan::labels).collect();
    labels.sort();
    labels.dedup();
    labels
}

fn doomed(plans: &[RevocationPlan]) -> Vec<GenerationId> {
    plans.iter().flat_map(|plan| &plan.doomed).map(|it| it.generation.id).collect()
}

fn revoke_all(
    run: &Run<'_>,
    order: &RevokeOrder,
    listed: Option<&[GenerationId]>,
) -> Result<RunReport, CliError> {
    let plans = plans(run, order)?;
    if listed.is_some_and(|listed| listed != doomed(&plans)) {
        let message = "nothing was revoked: the list of what would become invalid has changed";
        return Err(CliError::new(Exit::Usage, "not_confirmed", "", message)
            .hint("run the same command again"));
    }
    if order.dry_run == DryRun::Yes {
        show(run.session, order, &plans);
    }
    let mut results = Vec::new();
    for plan in &plans {
        results.extend(match order.dry_run {
            DryRun::Yes => would_revoke(run, plan)?,
            DryRun::No => match carry_out(run, plan)? {
                Revoked::Accepted(fates) => told(run, plan, &fates)?,
                Revoked::Refused(error) if plans.len() == 1 => {
                    return Err(refused_by_meta(plan, &error.problem));
                }
                Revoked::Refused(error) => refused_among_others(run, plan, &error.problem)?,
            },
        });
    }
    Ok(RunReport {
        dry_run: order.dry_run == DryRun::Yes,
        started_at: run.started_at(),
        finished_at: run.now(),
        results,
        system: run.damage(),
    })
}

/// What ends together, for everything that is meant; refused while a target has some of it.
fn plans(run: &Run<'_>, order: &RevokeOrder) -> Result<Vec<RevocationPlan>, CliError> {
    let plans = match &order.meant {
        RevokedTokens::Label(label) => vec![plan(run, label, order.scope)?],
        RevokedTokens::HangingOn(what) => hanging_on(run, what)?,
    };
    if order.held == IfHeld::Refuse {
        plans.iter().try_for_each(|plan| refuse_held(run, plan))?;
    }
    Ok(plans)
}

/// Each grant that a person, an account or an app stands for, once.
fn hanging_on(run: &Run<'_>, what: &HangsOn) -> Result<Vec<RevocationPlan>, CliError> {
    let meant = what.labels(&run.session.config, &run.tokens)?.unwrap_or_default();
    let mut plans: Vec<RevocationPlan> = Vec::new();
    for credential in run.store.credentials()? {
        let label = &credential.label;
        let is_planned = plans.iter().any(|plan| plan.labels().contains(label));
        // A Page ends with its person, and an app's token cannot be revoked.
        let ends_by_itself =
            !matches!(credential.token_type, TokenType::App) && label.parent().is_none();
        if meant.contains(label) && ends_by_itself && !is_planned && credential.has_access_token() {
            plans.push(plan(run, label, RevocationScope::All)?);
        }
    }
    if plans.is_empty() {
        let message = "nothing is kept of it that could be revoked";
        let hint = "`metatoken status` with the same options shows what depends on it";
        return Err(
            CliError::new(Exit::InputRefused, "nothing_kept", what.to_string(), message).hint(hint)
        );
    }
    Ok(plans)
}

/// Refuses while a program would stop working. What is dead already serves none.
fn refuse_held(run: &Run<'_>, plan: &RevocationPlan) -> Result<(), CliError> {
    let serves =
        |it: &&DoomedGeneration| !it.targets.is_empty() && it.generation.verdict() != Some(false);
    let Some(held) = plan.doomed.iter().find(serves) else { return Ok(()) };
    let (label, number) = (&held.label, held.generation.number);
    let target = &held.targets[0];
    let message =
        format!("not revoked: `{target}` has generation {number}, which would become invalid");
    let complaint = CliError::new(Exit::InputRefused, "still_delivered", label.as_str(), message);
    let first = if held.is_current() {
        let mints = run.session.config.token(label).is_some_and(|token| token.mint.is_some());
        let never = held.generation.expiry == Expiry::Never;
        match (mints, never) {
            (true, _) => format!("to rotate it, run `metatoken mint {label}` first"),
            (false, true) => format!(
                "to rotate it, run `metatoken exchange {label} --replace` with a new access token first"
            ),
            (false, false) => {
                format!(
                    "to rotate it, run `metatoken exchange {label}` with a new access token first"
                )
            }
        }
    } else {
        format!("run `metatoken deliver {label}`, which brings the current access token there")
    };
    Err(complaint.hint(first).hint("to revoke it all the same, add `--force`"))
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
    let complaint = complaint.in_metas_words(&quote(problem));
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
) -> Vec<LabelFate<'a>> {
    let labels = plan.labels().into_iter();
    let of = |label: Label| {
        let doomed = plan.doomed.iter().filter(|it| it.label == label).collect();
        let theirs = fates.iter().filter(|(it, _)| it.label == label);
        LabelFate { doomed, fates: theirs.map(|(_, fate)| fate).collect() }
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
    each.map(|theirs| {
        let reason = format!("{} would become invalid", named(theirs.doomed.iter().copied()));
        result(run, theirs.doomed[0], outcome, reason)
    })
    .collect()
}

fn refused_among_others(
    run: &Run<'_>,
    plan: &RevocationPlan,
    problem: &Problem,
) -> Result<Vec<TokenResult>, CliError> {
    let each = by_label(plan, &[]).into_iter();
    each.map(|theirs| {
        let reason = format!("not revoked: {}", problem.in_short());
        let failed = result(run, theirs.doomed[0], Outcome::Failed, reason)?;
        let remedy = Remedy::of_the_operator(elsewhere(plan));
        let problem = if problem.kind.is_outage() {
            problem.clone()
        } else {
            problem.clone().with_action(Action::FixConfiguration)
        };
        Ok(failed_by(failed, problem, remedy))
    })
    .collect()
}

fn told(
    run: &Run<'_>,
    plan: &RevocationPlan,
    fates: &[(DoomedGeneration, Fate)],
) -> Result<Vec<TokenResult>, CliError> {
    by_label(plan, fates).into_iter().map(|theirs| told_of(run, plan, &theirs)).collect()
}

fn told_of(
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
