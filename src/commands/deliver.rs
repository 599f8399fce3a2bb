//! `deliver`: settles what is owed to the tokens' targets, without asking Meta for anything.

use std::time::Duration;

use super::delivery::{Deliveries, Manner, Remembered};
use crate::complaint::Complaint;
use crate::deliver::{self, Fault, Place, Rehearsal};
use crate::exit::Exit;
use crate::policy::words;
use crate::report::{DeliveryReport, RehearsalReport, RehearsedDelivery, TokenDeliveries, Would};
use crate::run::tokens::TokenConfig;
use crate::run::{DryRun, Run, RunOptions};
use crate::session::Session;
use crate::token::{Label, Pattern, TargetId, Trigger};
use crate::ui::{Format, Verbosity};

/// What was asked for.
#[derive(Debug)]
pub struct DeliverOrder {
    /// The labels that were typed.
    pub patterns: Vec<Pattern>,
    /// What may be overwritten.
    pub overwrite: Overwrite,
    /// Who started it.
    pub trigger: Trigger,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// What a delivery may overwrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// What the token had before.
    Own,
    /// Whatever is there.
    Anything,
}

/// Brings every token's string to the targets that have not got it.
pub fn deliver(session: &Session, order: &DeliverOrder) -> Result<Exit, Complaint> {
    let mut run = Run::open(session, run_options(order, DryRun::No))?;
    let work = settle(&mut run, order);
    let exit = work.as_ref().map_or_else(|complaint| complaint.exit, DeliveryReport::exit);
    run.close(exit)?;
    let report = work?;
    let ui = &session.ui;
    match ui.format {
        Format::Json => ui.data(&report.json())?,
        _ if ui.verbosity == Verbosity::Quiet && exit == Exit::Ok => {}
        _ => ui.data(&report.text(ui.style()))?,
    }
    Ok(exit)
}

fn settle(run: &mut Run<'_>, order: &DeliverOrder) -> Result<DeliveryReport, Complaint> {
    run.load_tokens()?;
    let run = &*run;
    let deliveries = Deliveries::open(run)?;
    let members = meant(run, &order.patterns)?;
    let manner = match order.overwrite {
        Overwrite::Own => Manner::Careful,
        Overwrite::Anything => Manner::Forced,
    };
    let work = || -> Result<(), Complaint> {
        for member in &members {
            let token = run.token(&member.label)?;
            deliveries.of_token(member, token, manner).settle()?;
        }
        Ok(deliveries.run_pending_hooks()?)
    };
    run.session.interrupt.guard(|| run.aborted(), work)?;
    let mut tokens = Vec::new();
    for member in &members {
        let credential = run.store.credential(run.token(&member.label)?)?;
        tokens.push(TokenDeliveries {
            label: member.label.clone(),
            deliveries: deliver::of_config(&member.deliver, Some(&credential)),
        });
    }
    Ok(DeliveryReport {
        started_at: run.started_at(),
        finished_at: run.now(),
        tokens,
        system: run.damage().into_iter().chain(run.lost()).collect(),
    })
}

/// The tokens that were typed, or all, as far as they are delivered anywhere.
fn meant(run: &Run<'_>, patterns: &[Pattern]) -> Result<Vec<TokenConfig>, Complaint> {
    let chosen = run.tokens.select(patterns)?;
    Ok(chosen.into_iter().filter(|member| !member.deliver.is_empty()).cloned().collect())
}

const fn run_options(order: &DeliverOrder, dry_run: DryRun) -> RunOptions {
    RunOptions { command: "deliver", trigger: order.trigger, dry_run, lock_wait: order.lock_wait }
}

/// Shows what a delivery of every target would change, and changes nothing.
pub fn rehearse_deliveries(session: &Session, order: &DeliverOrder) -> Result<Exit, Complaint> {
    let mut run = Run::open(session, run_options(order, DryRun::Yes))?;
    run.load_tokens()?;
    let deliveries = Deliveries::open(&run)?;
    let mut rehearsed = Vec::new();
    for member in meant(&run, &order.patterns)? {
        let token = run.token(&member.label)?;
        let foreseen = deliveries.of_token(&member, token, Manner::Careful).foresee()?;
        rehearsed.extend(foreseen.into_iter().map(|it| RehearsedDelivery {
            label: member.label.clone(),
            target: it.target,
            would: would(it.outcome),
        }));
    }
    let report = RehearsalReport { rehearsed };
    match session.ui.format {
        Format::Json => session.ui.data(&report.json())?,
        _ => session.ui.data(&report.text())?,
    }
    Ok(report.exit())
}

fn would(outcome: Result<Rehearsal, Fault>) -> Would {
    match outcome {
        Ok(Rehearsal::Already) => Would::Nothing,
        Ok(Rehearsal::Change { before, after }) => Would::Change { before, after },
        Ok(Rehearsal::Create) => Would::Create,
        Ok(Rehearsal::Finish) => Would::Finish,
        Ok(Rehearsal::Foreign) => Would::Leave,
        Ok(Rehearsal::Run) => Would::Run,
        Err(Fault { message, hint }) => Would::Fail { message, hint },
    }
}

/// Puts back what the last delivery to each of a token's files replaced.
///
/// Until `deliver --force` they then count as having gone their own way.
pub fn restore_files(
    session: &Session,
    label: &Label,
    order: &DeliverOrder,
) -> Result<Exit, Complaint> {
    let mut run = Run::open(session, run_options(order, DryRun::No))?;
    let work = restore(&mut run, label);
    run.close(work.as_ref().map_or_else(|complaint| complaint.exit, Restored::exit))?;
    let Restored { targets, failed } = work?;
    let ui = &session.ui;
    if ui.verbosity != Verbosity::Quiet && !targets.is_empty() {
        for target in &targets {
            ui.note(&format!("`{target}` holds again what it held before the last delivery"));
        }
        ui.note(&format!(
            "hint: `metatoken deliver --force {label}` brings the string in use again"
        ));
    }
    failed.map_or(Ok(Exit::Ok), Err)
}

/// What became of a token's files.
struct Restored {
    targets: Vec<TargetId>,
    /// The first that could not be restored.
    failed: Option<Complaint>,
}

impl Restored {
    const fn exit(&self) -> Exit {
        match &self.failed {
            Some(complaint) => complaint.exit,
            None => Exit::Ok,
        }
    }
}

fn restore(run: &mut Run<'_>, label: &Label) -> Result<Restored, Complaint> {
    run.load_tokens()?;
    Deliveries::open(run)?;
    let member = run.tokens.select(&[Pattern::new(label.as_str())])?[0].clone();
    let token = run.token(label)?;
    let mut restored = Restored { targets: Vec::new(), failed: None };
    for target in &member.deliver {
        let Place::File(file) = &target.place else { continue };
        let Some(replaced) = run.store.replaced(token, &target.id)? else { continue };
        // What it holds now is kept, so that a second time takes the first one back.
        let remembered = Remembered {
            store: &run.store,
            token,
            target: &target.id,
            path: &file.path,
            generation: None,
            now: run.now(),
        };
        match deliver::restore(file, &replaced.content, &remembered)? {
            Ok(()) => {
                run.store.end_overwrite(token, &target.id)?;
                restored.targets.push(target.id.clone());
            }
            Err(fault) => {
                restored.failed.get_or_insert_with(|| not_restored(fault));
            }
        }
    }
    if restored.targets.is_empty() && restored.failed.is_none() {
        return Err(Complaint::new(
            Exit::InputRefused,
            "nothing_replaced",
            label.as_str(),
            "no file of it was replaced by a delivery that is remembered",
        )
        .hint(format!("old contents are kept for {}", words::duration(member.policy.keep_for))));
    }
    Ok(restored)
}

fn not_restored(Fault { message, hint }: Fault) -> Complaint {
    let complaint = Complaint::new(Exit::NotDelivered, "not_restored", "", message);
    match hint {
        Some(hint) => complaint.hint(hint),
        None => complaint,
    }
}
