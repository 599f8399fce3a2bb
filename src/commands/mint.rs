//! `mint`: has an admin's access token make a new one of a System User.
//!
//! Meta is asked once, and what it grants is sealed before anything looks at it. Then it goes the way of
//! every access token that a person hands over: inspected, compared, put in place, delivered.

use std::time::Duration;

use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::Losses;
use crate::report::RunReport;
use crate::run::candidate::IdentityChange;
use crate::run::handed_over::{HandedOver, inspect_handed_over, report_taken};
use crate::run::log;
use crate::run::minting::{Minting, WantedLife, not_minted, settle_lost};
use crate::run::tokens::TokenConfig;
use crate::run::{DryRun, Run, RunOptions, RunTurn};
use crate::session::Session;
use crate::token::{EventKind, Label, Outcome, Trigger};

/// What was asked for.
#[derive(Debug)]
pub struct MintOrder {
    /// The token.
    pub label: Label,
    /// The admin's token, if not the one that the config names.
    pub from: Option<Label>,
    /// Whether it may be worth less than the current one.
    pub losses: Losses,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// Makes a new access token of a System User, and puts it in the place of the current one.
pub fn mint(session: &Session, order: &MintOrder) -> Result<Exit, CliError> {
    let options = RunOptions {
        command: "mint",
        trigger: Trigger::Manual,
        dry_run: DryRun::No,
        lock_wait: order.lock_wait,
    };
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let mut run = Run::open(&turn, session, options)?;
    let report = run.load_tokens().and_then(|()| {
        let deliveries = run.deliveries()?;
        let work = || make(&run, &deliveries, order);
        session.interrupt.guard(|| run.aborted(), work)
    });
    run.finish(report)
}

fn make(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    order: &MintOrder,
) -> Result<RunReport, CliError> {
    let token = run.tokens.one(&order.label)?;
    let _about = log::about(&token.label);
    let admin = order.from.as_ref().or(token.mint.as_ref()).ok_or_else(|| no_admin(token))?;
    let credential = run.store.credential(run.token_id(&token.label)?)?;
    let credential = settle_lost(run, credential)?;
    let life = match order.losses {
        Losses::Refused => WantedLife::AsBefore,
        Losses::Accepted => WantedLife::SixtyDays,
    };
    let minting = Minting::plan(run, token, &credential, admin, life)
        .map_err(|problem| not_minted(token, &credential, &problem))?;
    let (credential, granted) = minting.ask(run, credential)?;
    let sealed = granted.map_err(|error| not_minted(token, &credential, &error.problem))?;
    let handed = HandedOver {
        access_token: run.store.reveal(sealed.id)?,
        losses: order.losses,
        identity: IdentityChange::Refused,
        typed: format!("metatoken mint {}", token.label),
    };
    let current = inspect_handed_over(run, token, handed)?.take(run, deliveries)?;
    run.store.note_brought_by(run.id, credential.id, EventKind::Minted)?;
    let mut report = report_taken(run, deliveries, vec![current])?;
    for result in &mut report.results {
        if result.outcome == Outcome::Adopted {
            result.outcome = Outcome::Minted;
        }
    }
    Ok(report)
}

fn no_admin(token: &TokenConfig) -> CliError {
    let label = &token.label;
    CliError::new(
        Exit::Usage,
        "no_admin",
        label.as_str(),
        "no admin's token is named to ask Meta with",
    )
    .hint(format!("add `--from ADMIN_LABEL`, or set `mint = \"ADMIN_LABEL\"` in `[token.{label}]`"))
}
