//! `exchange`: a person hands over a new string.
//!
//! The string is asked about before anything is stored. A short-lived one is exchanged, and the
//! grant is sealed before anything looks at it; a long-lived one is stored as it is.

mod reply;
mod taking;
mod ways;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use self::ways::Life;
use super::delivery::{Deliveries, Manner};
use super::status::read_token;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::graph::{App, Fault};
use crate::policy::{Adoption, Incumbent, is_short_life, judge_newcomer, short_lived};
use crate::report::RunReport;
use crate::run::configured_tokens::{holds, shared};
use crate::run::inspect::{inspect, misfit_behind};
use crate::run::log;
use crate::run::tokens::{TokenConfig, Tokens};
use crate::run::{DryRun, Run, RunOptions};
use crate::session::Session;
use crate::token::{
    AccessToken, Credential, Expiry, Identity, Inspection, Label, Pattern, TokenId, Trigger,
};

/// What was asked for.
#[derive(Debug)]
pub struct ExchangeOrder {
    /// The token.
    pub label: Label,
    /// Where the string is, if not on standard input.
    pub file: Option<PathBuf>,
    /// Whether it is meant.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// Reads a new string and makes it the current one, long-lived.
pub fn exchange(session: &Session, order: &ExchangeOrder) -> Result<Exit, Complaint> {
    if order.label.as_discovered().is_none() {
        // Nobody should paste a secret to learn that the label is mistyped.
        Tokens::new(&session.config, Vec::new()).select(&[Pattern::new(order.label.as_str())])?;
    }
    let prompt = format!("the new access token for `{}`", order.label);
    let string = read_token(session, order.file.as_deref(), &prompt)?;
    let options = RunOptions {
        command: "exchange",
        trigger: Trigger::Manual,
        dry_run: order.dry_run,
        lock_wait: order.lock_wait,
    };
    let mut run = Run::open(session, options)?;
    let report = run.load_tokens().and_then(|()| {
        let deliveries = Deliveries::open(&run)?;
        let work = || hand_over(&run, &deliveries, order, &string);
        session.interrupt.guard(|| run.aborted(), work)
    });
    run.conclude(report)
}

fn hand_over(
    run: &Run<'_>,
    deliveries: &Deliveries<'_>,
    order: &ExchangeOrder,
    string: &AccessToken,
) -> Result<RunReport, Complaint> {
    let member = run.tokens.select(&[Pattern::new(order.label.as_str())])?[0].clone();
    let (_about, began) = (log::about(&member.label), Instant::now());
    let desk = Desk::new(run, member)?;
    desk.is_nobody_elses(string)?;
    // Before Meta is asked: what it gives, and the string itself, must find a place.
    let room = run.store.room_for_grant()?;
    let app = run.app(&desk.member.app).map_err(Fault::of_token);
    let app = app.map_err(|fault| desk.fault(&fault))?;
    let inspection = inspect(&run.graph, &app, string).map_err(|fault| {
        match misfit_behind(&fault, &app.name) {
            Some(problem) => desk.refusal(&problem),
            None => desk.fault(&fault),
        }
    })?;
    let given = Given { string, inspection: &inspection };
    desk.is_fit(&app, &given)?;
    let (outcome, reason) = match desk.life(&given) {
        Life::Long if inspection.expiry == Expiry::Never => {
            desk.store_as_it_is(&app, &given, "it never expires")?
        }
        Life::Long => desk.store_as_it_is(&app, &given, "it is long-lived already")?,
        Life::Short => desk.exchange(&app, &given)?,
        Life::Unknown => desk.exchange_if_possible(&app, &given)?,
    };
    drop(room);
    let delivered = deliveries.of_token(&desk.member, desk.token, Manner::Careful).settle();
    run.bear_full(delivered)?;
    let run_hooks = deliveries.run_pending_hooks();
    run.bear_full(run_hooks)?;
    let result = desk.result(outcome, reason)?;
    log::kept(&result, began);
    let mut results = vec![result];
    deliveries.account_for(&mut results)?;
    // A damaged access token that was just replaced is no failure of what replaced it.
    let mut system = run.system();
    system.extend(deliveries.unfinished_files());
    system.retain(|reason| !(reason.is_damage() && reason.labels == [desk.member.label.clone()]));
    Ok(RunReport {
        dry_run: order.dry_run == DryRun::Yes,
        started_at: run.started_at(),
        finished_at: run.now(),
        results,
        system,
    })
}

/// The string that was handed over, and what Graph said of it.
struct Given<'a> {
    string: &'a AccessToken,
    inspection: &'a Inspection,
}

/// The one token that a string is handed over for.
struct Desk<'a> {
    run: &'a Run<'a>,
    member: TokenConfig,
    token: TokenId,
    before: Credential,
}

impl<'a> Desk<'a> {
    fn new(run: &'a Run<'a>, member: TokenConfig) -> Result<Self, Complaint> {
        let token = run.token(&member.label)?;
        let before = run.store.credential(token)?;
        Ok(Self { run, member, token, before })
    }

    fn is_nobody_elses(&self, string: &AccessToken) -> Result<(), Complaint> {
        let fingerprint = self.run.store.fingerprint(string)?;
        for sighting in self.run.store.sightings(&fingerprint)? {
            if sighting.token != self.token && holds(sighting.state) {
                return Err(shared(&sighting.label, &self.member.label));
            }
        }
        Ok(())
    }

    /// It must be alive, of the configured type, and the same app's, person's and Page's as before.
    fn is_fit(&self, app: &App, given: &Given<'_>) -> Result<(), Complaint> {
        let expected = self.expected(app);
        match judge_newcomer(given.inspection, self.member.token_type, &expected, Incumbent::Gone) {
            Adoption::Take | Adoption::OnlyIfCurrentIsDead(_) => Ok(()),
            Adoption::Wait(problem) | Adoption::Refuse(problem) => {
                let refusal = self.refusal(&problem);
                let short = is_short_life(given.inspection, self.run.now());
                Err(if short { refusal.hint(short_lived(app.provider)) } else { refusal })
            }
        }
    }

    fn expected(&self, app: &App) -> Identity {
        let before = self
            .before
            .current
            .as_ref()
            .and_then(|current| current.proof.as_ref())
            .map(|proof| proof.inspection.identity.clone())
            .unwrap_or_default();
        Identity {
            app_id: Some(app.id.clone()),
            user_id: before.user_id,
            page_id: self.member.page_id.clone().or(before.page_id),
        }
    }
}
