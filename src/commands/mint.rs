//! `mint`: has an admin's access token make a new one of a System User.
//!
//! Meta is asked once, and what it grants is sealed before anything looks at it. Then it goes the way of
//! every access token that a person hands over: inspected, compared, put in place, delivered. What an
//! earlier run had made before it was cut short is finished, and no other is asked for.

use std::time::Duration;

use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::CallError;
use crate::policy::humanize::with_article;
use crate::policy::{Losses, replace_it};
use crate::report::RunReport;
use crate::run::candidate::IdentityChange;
use crate::run::handed_over::{Fitting, inspect_handed_over, report_taken};
use crate::run::intake::HandedOver;
use crate::run::minting::{Minting, WantedLife, not_minted, settle_lost};
use crate::run::tokens::{TokenConfig, subject};
use crate::run::{DryRun, Run, RunOptions, in_a_run};
use crate::session::Session;
use crate::token::{Arrival, Credential, Generation, Label, Origin, TokenType};

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
    let options = RunOptions::typed("mint", DryRun::No, order.lock_wait);
    in_a_run(session, options, |run| {
        run.on_token(&order.label, |token, deliveries| make(run, deliveries, token, order))
    })
}

fn make(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    token: &TokenConfig,
    order: &MintOrder,
) -> Result<RunReport, CliError> {
    refuse_other_types(token)?;
    let admin = order.from.as_ref().or(token.mint.as_ref()).ok_or_else(|| no_admin(token))?;
    let credential = run.store.credential(run.token_id(&token.label)?)?;
    let credential = settle_lost(run, credential)?;
    if let Some(fitting) = unfinished(run, order, token, &credential)? {
        return report_taken(run, deliveries, vec![fitting.take(run, deliveries)?]);
    }
    let life = match order.losses {
        Losses::Refused => WantedLife::AsBefore,
        Losses::Accepted => WantedLife::SixtyDays,
    };
    let minting = Minting::plan(run, token, &credential, admin, life)
        .map_err(|it| not_minted(token, &credential, &it.problem, it.exit))?;
    let (credential, granted) = minting.ask(run, credential)?;
    let sealed = granted.map_err(|CallError { problem, .. }| {
        not_minted(token, &credential, &problem, Exit::for_problem(&problem))
    })?;
    let current = inspect_sealed(run, order, token, &sealed, None)?.take(run, deliveries)?;
    report_taken(run, deliveries, vec![current])
}

/// What an earlier run had made and did not live to put in place, or to tell of.
fn unfinished<'t>(
    run: &Run<'_>,
    order: &MintOrder,
    token: &'t TokenConfig,
    credential: &Credential,
) -> Result<Option<Fitting<'t>>, CliError> {
    let is_minted = |it: &&Generation| it.origin == Origin::Minted;
    let earlier = match credential.candidate.as_ref().filter(is_minted) {
        Some(candidate) => Some(candidate),
        None => match credential.current.as_ref().filter(is_minted) {
            Some(current) if run.store.take_over_sealed(current.id)? => Some(current),
            _ => None,
        },
    };
    let why = Some("an earlier run had it made and was cut short");
    match earlier.map(|earlier| inspect_sealed(run, order, token, earlier, why)).transpose() {
        // It is dead, or does not fit: another one is made.
        Err(refused) if refused.exit == Exit::InputRefused => Ok(None),
        fitting => fitting,
    }
}

fn inspect_sealed<'t>(
    run: &Run<'_>,
    order: &MintOrder,
    token: &'t TokenConfig,
    sealed: &Generation,
    finishes: Option<&'static str>,
) -> Result<Fitting<'t>, CliError> {
    let handed = HandedOver {
        access_token: run.store.reveal(sealed.id)?,
        losses: order.losses,
        identity: IdentityChange::Refused,
        arrival: Some(Arrival::Minted),
        finishes,
        typed: format!("metatoken mint {}", token.label),
    };
    inspect_handed_over(run, token, handed)
}

/// An admin makes access tokens of System Users alone.
fn refuse_other_types(token: &TokenConfig) -> Result<(), CliError> {
    if token.token_type == TokenType::SystemUser {
        return Ok(());
    }
    let message = format!(
        "not minted: it is {} token, and an admin makes access tokens of System Users only",
        with_article(token.token_type)
    );
    let refused = CliError::new(Exit::InputRefused, "not_mintable", token.label.as_str(), message);
    Err(refused.hint(replace_it(&subject(token, None, None)).to_string()))
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
