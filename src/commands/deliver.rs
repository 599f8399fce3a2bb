//! `deliver`: delivers what is pending. Meta is asked for nothing, but about an access token that a
//! first delivery would replace.

use std::time::Duration;

use crate::deliver::{DeliveryError, Preview, Replace, Restored, TokenDelivery, stored_deliveries};
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::humanize;
use crate::report::{
    DeliveryReport, PreviewReport, PreviewedDelivery, RunReport, TokenDeliveries, TokenResult,
    Would,
};
use crate::run::found::adopt_before_first_delivery;
use crate::run::tokens::TokenConfig;
use crate::run::{self, DryRun, Run, RunOptions, RunTurn, targets_of};
use crate::session::Session;
use crate::token::{
    Credential, Delivery, DeliveryState, Generation, Label, Outcome, Pattern, TargetId, Trigger,
};
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
    run::refuse_unknown(session, &order.patterns)?;
    let mut run = Run::open(&turn, session, options)?;
    let work = deliver_all(&mut run, order);
    let exit = work.as_ref().map_or_else(|complaint| complaint.exit, DeliveryReport::exit);
    run.close(exit)?;
    let report = work?;
    let ui = &session.ui;
    match ui.format {
        OutputFormat::Json => ui.data(&report.as_run(results(&run, &report)?).json())?,
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

/// What was done with each token, as any run reports it.
fn results(run: &Run<'_>, report: &DeliveryReport) -> Result<Vec<TokenResult>, CliError> {
    let result = |token: &TokenDeliveries| {
        let config = run.tokens.one(&token.label)?;
        let credential = run.store.credential(run.token_id(&token.label)?)?;
        let before = run.tokens.credential(&token.label).and_then(|it| it.current.as_ref());
        let (outcome, reason) = delivered(token, before, credential.current.as_ref());
        let outcome = if report.dry_run { outcome.rehearsed() } else { outcome };
        Ok(TokenResult {
            reached: token.reached.clone(),
            ..result_of(config, &credential, outcome, reason)
                .moving(before, credential.current.as_ref())
        })
    };
    report.tokens.iter().map(result).collect()
}

/// What a delivery did with a token, in a word and a sentence.
fn delivered(
    token: &TokenDeliveries,
    before: Option<&Generation>,
    after: Option<&Generation>,
) -> (Outcome, String) {
    let behind = token.deliveries.iter().filter(|it| it.is_behind()).map(|it| &it.target);
    let behind: Vec<&TargetId> = behind.collect();
    let reached: Vec<&TargetId> = token.reached.iter().map(|it| &it.target).collect();
    match after {
        None => (Outcome::Skipped, "no access token yet".to_owned()),
        Some(current) if current.verdict() == Some(false) => {
            (Outcome::Skipped, "its access token is dead".to_owned())
        }
        _ if !behind.is_empty() => {
            (Outcome::Failed, format!("not delivered to {}", humanize::list(&behind)))
        }
        Some(current) if before.is_none_or(|before| before.id != current.id) => {
            (Outcome::Adopted, "found in one of its targets".to_owned())
        }
        _ if !reached.is_empty() => {
            (Outcome::Delivered, format!("to {}", humanize::list(&reached)))
        }
        _ => (Outcome::NotDue, "nothing is pending".to_owned()),
    }
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
    let (mut previews, mut results) = (Vec::new(), Vec::new());
    for member in meant(&run, &order.patterns)? {
        let token = run.token_id(&member.label)?;
        let credential = run.store.credential(token)?;
        let states = stored_deliveries(&member, Some(&credential));
        let of_token = deliveries.of_token(&member, token, Replace::Own).preview_all()?;
        let of_token = of_token.into_iter().map(|it| {
            let now = states.iter().find(|now| now.target == it.target);
            PreviewedDelivery {
                label: member.label.clone(),
                target: it.target,
                state: now.map_or(DeliveryState::Unknown, Delivery::state),
                at: now.and_then(Delivery::at),
                would: would(it.outcome),
            }
        });
        let of_token: Vec<PreviewedDelivery> = of_token.collect();
        results.push(previewed(&member, &credential, &of_token));
        previews.extend(of_token);
    }
    let run = RunReport {
        dry_run: true,
        started_at: run.started_at(),
        finished_at: run.now(),
        results,
        system: Vec::new(),
    };
    let report = PreviewReport { run, previews };
    match session.ui.format {
        OutputFormat::Json => session.ui.data(&report.json())?,
        _ => session.ui.data(&report.text(session.ui.style()))?,
    }
    Ok(report.exit())
}

/// What a delivery of a token would do, in a word and a sentence.
fn previewed(
    token: &TokenConfig,
    credential: &Credential,
    previews: &[PreviewedDelivery],
) -> TokenResult {
    let those = |is: fn(&Would) -> bool| -> Vec<TargetId> {
        previews.iter().filter(|it| is(&it.would)).map(|it| it.target.clone()).collect()
    };
    let (failing, reached) = (those(Would::is_failure), those(Would::is_delivery));
    let (outcome, reason) = if !failing.is_empty() {
        (Outcome::Failed, format!("would not be delivered to {}", humanize::list(&failing)))
    } else if !reached.is_empty() {
        (Outcome::WouldDeliver, format!("to {}", humanize::list(&reached)))
    } else {
        (Outcome::NotDue, "nothing is pending".to_owned())
    };
    TokenResult {
        reached: targets_of(token, &reached),
        ..result_of(token, credential, outcome, reason)
    }
}

/// What was done with a token, with the state of its targets.
fn result_of(
    token: &TokenConfig,
    credential: &Credential,
    outcome: Outcome,
    reason: String,
) -> TokenResult {
    let current = credential.current.as_ref();
    TokenResult {
        deliveries: stored_deliveries(token, Some(credential)),
        ..TokenResult::of(token.label.clone(), token.token_type, outcome, reason)
            .moving(current, current)
    }
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
    if ui.format == OutputFormat::Json && failed.is_none() {
        let targets: Vec<&TargetId> = former.iter().chain(&targets).collect();
        return ui.data(&restored(&run, label, &targets)?.json()).map(|()| Exit::Ok);
    }
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

/// The report of any run on what was put back.
fn restored(run: &Run<'_>, label: &Label, targets: &[&TargetId]) -> Result<RunReport, CliError> {
    let reason = format!("what {} held before the last delivery", humanize::list(targets));
    let is_rehearsed = run.dry_run == DryRun::Yes;
    let outcome = if is_rehearsed { Outcome::WouldRestore } else { Outcome::Restored };
    let result = match run.tokens.one(label) {
        Ok(config) => {
            let credential = run.store.credential(run.token_id(label)?)?;
            Some(result_of(config, &credential, outcome, reason))
        }
        // Its files may outlive it in the config.
        Err(_) => run.tokens.credential(label).map(|credential| {
            let token_type = credential.token_type;
            TokenResult::of(label.clone(), token_type, outcome, reason)
        }),
    };
    Ok(RunReport {
        dry_run: is_rehearsed,
        started_at: run.started_at(),
        finished_at: run.now(),
        results: result.into_iter().collect(),
        system: Vec::new(),
    })
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
