//! `deliver`: delivers what is pending. Meta is asked for nothing, but about an access token that a
//! first delivery would replace.

use std::time::Duration;

use crate::deliver::{DeliveryError, Preview, Replace, Restored, TokenDelivery, stored_deliveries};
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::humanize;
use crate::report::{DeliveryReport, PreviewReport, PreviewedDelivery, TokenDeliveries, Would};
use crate::run::found::adopt_before_first_delivery;
use crate::run::tokens::TokenConfig;
use crate::run::{DryRun, Run, RunOptions, RunTurn};
use crate::session::Session;
use crate::token::{Label, Pattern, Trigger};
use crate::ui::{OutputFormat, Verbosity};

/// What was asked for.
#[derive(Debug)]
pub struct DeliverOrder {
    /// The labels that were typed.
    pub patterns: Vec<Pattern>,
    /// What may be replaced.
    pub replace: Replace,
    /// Who started it.
    pub trigger: Trigger,
    /// Whether it only shows what would happen.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

impl DeliverOrder {
    fn means(&self, label: &Label) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.matches(label))
    }
}

/// Delivers every token to the targets that have not got its current access token.
pub fn deliver(session: &Session, order: &DeliverOrder) -> Result<Exit, CliError> {
    let options = run_options(order, order.dry_run);
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let mut run = Run::open(&turn, session, options)?;
    let work = deliver_all(&mut run, order);
    let exit = work.as_ref().map_or_else(|complaint| complaint.exit, DeliveryReport::exit);
    run.close(exit)?;
    let report = work?;
    let ui = &session.ui;
    match ui.format {
        OutputFormat::Json => ui.data(&report.json())?,
        _ if ui.verbosity == Verbosity::Quiet && exit == Exit::Ok => {}
        _ => ui.data(&report.text(ui.style()))?,
    }
    Ok(exit)
}

fn deliver_all(run: &mut Run<'_>, order: &DeliverOrder) -> Result<DeliveryReport, CliError> {
    run.load_tokens()?;
    let run = &*run;
    let deliveries = run.deliveries()?;
    let members = meant(run, &order.patterns)?;
    let work = || -> Result<(), CliError> {
        for member in &members {
            let token = run.token_id(&member.label)?;
            let delivery = deliveries.of_token(member, token, order.replace);
            examine_what_is_replaced(run, member, &delivery)?;
            delivery.deliver()?;
        }
        Ok(deliveries.run_pending_hooks()?)
    };
    run.session.interrupt.guard(|| run.aborted(), work)?;
    let mut tokens = Vec::new();
    for member in &members {
        let credential = run.store.credential(run.token_id(&member.label)?)?;
        let deliveries = stored_deliveries(member, Some(&credential));
        let reached = run.reached(member, &deliveries);
        tokens.push(TokenDeliveries { label: member.label.clone(), deliveries, reached });
    }
    let contested = deliveries.contested_targets(|label| order.means(label));
    let unfinished = deliveries.unfinished_files(|label| order.means(label));
    Ok(DeliveryReport {
        dry_run: run.dry_run == DryRun::Yes,
        started_at: run.started_at(),
        finished_at: run.now(),
        tokens,
        system: run
            .damage()
            .into_iter()
            .chain(run.lost())
            .chain(run.label_issues(&order.patterns))
            .chain(contested)
            .chain(unfinished)
            .collect(),
        prefix: run.prefix().map(str::to_owned),
    })
}

/// Examines what the first deliveries of a token would replace, if its app is known: a better one is
/// delivered, and what could not be examined is not replaced.
fn examine_what_is_replaced(
    run: &Run<'_>,
    token: &TokenConfig,
    delivery: &TokenDelivery<'_>,
) -> Result<(), CliError> {
    let Ok(app) = run.app(&token.app) else { return Ok(()) };
    let credential = run.store.credential(run.token_id(&token.label)?)?;
    if credential.current.is_some() && !credential.is_revoked() {
        adopt_before_first_delivery(run, token, &app, credential, delivery, None)?;
    }
    Ok(())
}

/// The tokens that were typed, or all, as far as they are delivered anywhere.
fn meant(run: &Run<'_>, patterns: &[Pattern]) -> Result<Vec<TokenConfig>, CliError> {
    let chosen = run.tokens.select(patterns)?;
    Ok(chosen.into_iter().filter(|member| !member.deliver.is_empty()).cloned().collect())
}

const fn run_options(order: &DeliverOrder, dry_run: DryRun) -> RunOptions {
    RunOptions { command: "deliver", trigger: order.trigger, dry_run, lock_wait: order.lock_wait }
}

/// Shows what a delivery of every target would change, and changes nothing.
pub fn preview_deliveries(session: &Session, order: &DeliverOrder) -> Result<Exit, CliError> {
    let options = run_options(order, DryRun::Yes);
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let mut run = Run::open(&turn, session, options)?;
    run.load_tokens()?;
    let deliveries = run.deliveries()?;
    let mut previews = Vec::new();
    for member in meant(&run, &order.patterns)? {
        let token = run.token_id(&member.label)?;
        let of_token = deliveries.of_token(&member, token, Replace::Own).preview_all()?;
        previews.extend(of_token.into_iter().map(|it| PreviewedDelivery {
            label: member.label.clone(),
            target: it.target,
            would: would(it.outcome),
        }));
    }
    let report = PreviewReport { previews };
    match session.ui.format {
        OutputFormat::Json => session.ui.data(&report.json())?,
        _ => session.ui.data(&report.text(session.ui.style()))?,
    }
    Ok(report.exit())
}

fn would(outcome: Result<Preview, DeliveryError>) -> Would {
    match outcome {
        Ok(Preview::Already) => Would::Nothing,
        Ok(Preview::Change { before, after }) => Would::Change { before, after },
        Ok(Preview::Create) => Would::Create,
        Ok(Preview::Finish) => Would::Finish,
        Ok(Preview::Foreign) => Would::Leave,
        Ok(Preview::Run) => Would::Run,
        Err(DeliveryError { message, hint }) => Would::Fail { message, hint },
    }
}

/// Puts back what the last delivery to each of a token's files replaced.
///
/// Until `deliver --force` they then count as having gone their own way.
pub fn restore_files(
    session: &Session,
    label: &Label,
    order: &DeliverOrder,
) -> Result<Exit, CliError> {
    let options = run_options(order, order.dry_run);
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let mut run = Run::open(&turn, session, options)?;
    let work = restore(&mut run, label);
    run.close(work.as_ref().map_or_else(|complaint| complaint.exit, exit_of))?;
    let Restored { targets, former, failed } = work?;
    let ui = &session.ui;
    if ui.verbosity != Verbosity::Quiet {
        let holds = match order.dry_run {
            DryRun::No => "holds",
            DryRun::Yes => "would hold",
        };
        for target in former.iter().chain(&targets) {
            ui.note(&format!("`{target}` {holds} again what it held before the last delivery"));
        }
        if !targets.is_empty() && order.dry_run == DryRun::No {
            run.hint(format!(
                "`metatoken deliver --force {label}` brings the current access token again"
            ));
        }
    }
    failed.map_or(Ok(Exit::Ok), |error| Err(not_restored(error)))
}

fn restore(run: &mut Run<'_>, label: &Label) -> Result<Restored, CliError> {
    run.load_tokens()?;
    let deliveries = run.deliveries()?;
    let found = run.tokens.select(&[Pattern::new(label.as_str())]);
    let declared = match &found {
        Ok(found) => match found.first() {
            Some(token) => Some((run.token_id(label)?, *token)),
            None => None,
        },
        Err(_) => None,
    };
    let restored = deliveries.restore(label, declared)?;
    if restored.is_empty() {
        found?;
        let keep_for = run.tokens.one(label)?.policy.keep_for;
        return Err(CliError::new(
            Exit::InputRefused,
            "nothing_replaced",
            label.as_str(),
            "no file of it was replaced by a delivery that is remembered",
        )
        .hint(format!("old contents are kept for {}", humanize::duration(keep_for))));
    }
    Ok(restored)
}

const fn exit_of(restored: &Restored) -> Exit {
    match restored.failed {
        Some(_) => Exit::NotDelivered,
        None => Exit::Ok,
    }
}

fn not_restored(DeliveryError { message, hint }: DeliveryError) -> CliError {
    let complaint = CliError::new(Exit::NotDelivered, "not_restored", "", message);
    match hint {
        Some(hint) => complaint.hint(hint),
        None => complaint,
    }
}
