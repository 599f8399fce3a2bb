//! Ends a run: writes down how it ended, and prints its report.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Display;

use chrono::TimeDelta;

use super::tokens::TokenConfig;
use super::{DryRun, Run, apps, log};
use crate::config::{AppSetting, Place, Target};
use crate::deliver::{Deliveries, Replace, stored_deliveries};
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{Throttle, Throttled};
use crate::policy::{Reason, judge_deliveries, judge_fullness, prefixed};
use crate::report::{PageRows, ReachedPlace, ReachedTarget, RunReport, TokenResult};
use crate::session::Session;
use crate::store::StoreError;
use crate::token::{Delivery, DeliveryState, Label, Outcome, TargetId};
use crate::ui::{OutputFormat, Verbosity};

/// How long a throttled app is left alone where Meta does not say: the limits are counted over an
/// hour, and an hourly run should not be missed for a few seconds. Source: Meta, Graph API, rate
/// limits.
pub const USUAL_THROTTLE: TimeDelta = TimeDelta::minutes(50);

/// Prints what to do next, with the config's prefix before each command.
pub fn hint(session: &Session, text: impl Display) {
    session.ui.note(&format!("hint: {}", with_prefix(session, &text.to_string())));
}

/// Gives a text with the config's prefix before each command.
pub fn with_prefix(session: &Session, text: &str) -> String {
    let prefix = session.config.alerts.prefix.as_deref();
    prefix.map_or_else(|| text.to_owned(), |prefix| prefixed(text, prefix))
}

/// How a run ends that gave this.
fn exit_of(report: &Result<RunReport, CliError>) -> Exit {
    report.as_ref().map_or_else(|complaint| complaint.exit, RunReport::exit)
}

/// Whether a target has the current access token now and had not before.
fn is_newly_in_sync(before: &Delivery, now: &Delivery) -> bool {
    let has_it = |it: &Delivery| it.state() == DeliveryState::InSync;
    has_it(now) && (!has_it(before) || before.settled != now.settled)
}

/// The tokens that the real run would renew: what Meta would grant is not known.
fn would_be_renewed(results: &[TokenResult]) -> HashSet<Label> {
    let is_renewed = |result: &&TokenResult| {
        matches!(
            result.outcome,
            Outcome::WouldRefresh | Outcome::WouldExchange | Outcome::WouldMint
        )
    };
    results.iter().filter(is_renewed).map(|result| result.label.clone()).collect()
}

/// Those of the token's targets, with what each is.
pub fn targets_of(config: &TokenConfig, targets: &[TargetId]) -> Vec<ReachedTarget> {
    let meant = config.deliver.iter().filter(|target| targets.contains(&target.id));
    let reached = |target: &Target| ReachedTarget {
        target: target.id.clone(),
        place: match &target.place {
            Place::File(file) => ReachedPlace::File(file.path.clone()),
            Place::Command(argv) => ReachedPlace::Command(argv.clone()),
        },
    };
    meant.map(reached).collect()
}

impl Run<'_> {
    /// Writes down how the run ended, and prints its report.
    pub fn finish(self, report: Result<RunReport, CliError>) -> Result<Exit, CliError> {
        let closed = self.close_with(&report);
        self.bear_full(closed)?;
        let mut report = report?;
        report.system.extend(self.fullness(&report.results));
        self.show(report)
    }

    /// Prints a report in the form that was asked for: silence where there is nothing to do.
    pub fn show(&self, report: RunReport) -> Result<Exit, CliError> {
        let exit = report.exit();
        let report = report.with_prefix(self.prefix());
        report.system.iter().for_each(log::issue);
        let ui = &self.session.ui;
        match ui.format {
            OutputFormat::Json => ui.data(&report.json())?,
            _ if ui.verbosity == Verbosity::Quiet && !report.wants_a_person() => {}
            _ => ui.data(&report.text(ui.style(), self.page_rows()))?,
        }
        Ok(exit)
    }

    /// How Pages are shown: in one row a parent, unless a person wants to see more.
    fn page_rows(&self) -> PageRows {
        if self.session.ui.verbosity > Verbosity::Normal {
            PageRows::Each
        } else {
            PageRows::Folded
        }
    }

    /// Gives the prefix of every message, if the config sets one.
    pub fn prefix(&self) -> Option<&str> {
        self.session.config.alerts.prefix.as_deref()
    }

    /// Prints what to do next.
    pub fn hint(&self, text: impl Display) {
        hint(self.session, text);
    }

    /// Records for the next run which apps Meta wants left alone.
    fn record_throttles(&self) -> Result<(), StoreError> {
        let now = self.now();
        let mut waits: BTreeMap<&str, TimeDelta> = BTreeMap::new();
        for Throttle { what, wait } in self.graph.throttles() {
            let wait = wait.unwrap_or(USUAL_THROTTLE);
            let is_meant = |app: &&AppSetting| match &what {
                Throttled::App(name) => app.name == *name,
                Throttled::Host(provider) => app.kind == *provider,
            };
            for app in self.session.config.apps.iter().filter(is_meant) {
                let longest = waits.entry(&app.name).or_insert(wait);
                *longest = wait.max(*longest);
            }
        }
        for (app, wait) in waits {
            self.store.throttle_app(app, now + wait, now)?;
        }
        Ok(())
    }

    /// Writes down how the run ended that gave this. One that worked around damage, or left out what the
    /// config has wrong, did its work: its code says nothing of the timer.
    pub fn close_with(&self, report: &Result<RunReport, CliError>) -> Result<(), StoreError> {
        let exit = exit_of(report);
        if matches!(exit, Exit::Storage | Exit::Config) && report.is_ok() {
            self.store.note_work_done(self.id)?;
        }
        self.close(exit)
    }

    /// Writes down how the run ended: as the shell will see it, by a signal if there was one.
    pub fn close(&self, exit: Exit) -> Result<(), StoreError> {
        if exit == Exit::Usage && self.store.drop_run(self.id)? {
            // What was typed is wrong: nothing was begun.
            return Ok(());
        }
        let recorded = self.record_throttles();
        let code = self.session.interrupt.exit_code().unwrap_or(exit.code());
        let (heard, now) = (self.graph.clock_skew(), self.now());
        if heard.is_some() {
            let brought = self.store.bring_back(self.id, self.started_at(), now);
            self.bear_full(brought)?;
        }
        self.store.finish_run(self.id, code, heard, now)?;
        recorded
    }

    /// Writes down that the process must end while a request hangs.
    pub fn aborted(&self) {
        let code = self.session.interrupt.exit_code().unwrap_or(Exit::Failed.code());
        log::aborted(code, self.began);
        // The process ends now: that the store failed too cannot be reported.
        let _ = self.store.abandon_run(self.id, code, self.graph.clock_skew(), self.now());
    }

    /// Adds to each result how its targets stand, once everything was delivered that can be.
    pub fn add_deliveries(
        &self,
        deliveries: &Deliveries<'_>,
        results: &mut [TokenResult],
    ) -> Result<(), StoreError> {
        let tokens = deliveries.tokens();
        let delivered = tokens.iter().filter(|token| !token.deliver.is_empty());
        let configs: HashMap<&Label, &TokenConfig> =
            delivered.map(|token| (&token.label, &**token)).collect();
        let renewed = would_be_renewed(results);
        for result in results {
            let Some(config) = configs.get(&result.label) else { continue };
            let Some(token) = self.known_id(&result.label) else { continue };
            let delivery = deliveries.of_token(config, token, Replace::Own);
            if renewed.contains(&result.label) {
                let foreseen = delivery.foresee_a_new_one()?;
                result.reached = targets_of(config, &foreseen.reached);
                if !foreseen.waiting.is_empty() {
                    result.exit = result.exit.or_worse(Exit::NotDelivered);
                }
            } else if config.parent.as_ref().is_some_and(|parent| renewed.contains(parent)) {
                result.may_reach = targets_of(config, &delivery.foresee_a_new_one()?.reached);
            }
            let credential = self.store.credential(token)?;
            result.deliveries = stored_deliveries(config, Some(&credential));
            if result.reached.is_empty() {
                result.reached = self.reached(config, &result.deliveries);
            }
            let reached = &result.reached;
            result.may_reach.retain(|it| !reached.contains(it));
            result.issues.extend(judge_deliveries(&result.label, &result.deliveries, self.now()));
            if result.deliveries.iter().any(Delivery::is_behind) {
                result.exit = result.exit.or_worse(Exit::NotDelivered);
            }
        }
        Ok(())
    }

    /// The targets that got the token's current access token in this run, or would get it; `now` is
    /// how they stand, in the config's order.
    pub fn reached(&self, config: &TokenConfig, now: &[Delivery]) -> Vec<ReachedTarget> {
        let before = stored_deliveries(config, self.tokens.credential(&config.label));
        let pairs = before.iter().zip(now);
        let new = pairs.filter(|(before, now)| is_newly_in_sync(before, now));
        let new: Vec<TargetId> = new.map(|(_, now)| now.target.clone()).collect();
        targets_of(config, &new)
    }

    /// Reports what was done with some tokens, once everything was delivered that can be.
    pub fn report(
        &self,
        deliveries: &Deliveries<'_>,
        mut results: Vec<TokenResult>,
    ) -> Result<RunReport, CliError> {
        self.add_deliveries(deliveries, &mut results)?;
        let is_meant = |label: &Label| results.iter().any(|result| result.label == *label);
        let mut system = self.system();
        system.extend(deliveries.contested_targets(is_meant));
        system.extend(deliveries.unfinished_files(is_meant));
        // A damaged access token that was just replaced is not a failure of what replaced it.
        let is_repaired = |reason: &Reason| {
            reason.is_damage() && !reason.labels.is_empty() && reason.labels.iter().all(is_meant)
        };
        system.retain(|reason| !is_repaired(reason));
        Ok(RunReport {
            dry_run: self.dry_run == DryRun::Yes,
            started_at: self.started_at(),
            finished_at: self.now(),
            results,
            system,
        })
    }

    /// Says where the disk was full: which tokens it held back, and which of them
    /// have no time left for that.
    pub fn fullness(&self, results: &[TokenResult]) -> Option<Reason> {
        let error = self.found_full()?;
        let shortage = error.shortage().or_else(|| self.store.shortage());
        let how = shortage.map_or("it cannot be written".to_owned(), |it| it.to_string());
        let held_back: HashSet<&Label> = results
            .iter()
            .filter(|result| result.exit == Exit::Storage)
            .map(|result| &result.label)
            .collect();
        let tokens = self.tokens.configs.iter();
        let tokens = tokens.filter(|token| held_back.contains(&token.label));
        let labels = tokens.clone().map(|token| token.label.clone()).collect();
        let critical = self.tokens.critical(tokens, self.now());
        Some(judge_fullness(self.store.path(), &how, labels, &critical))
    }

    /// Judges what concerns no single token: clock, Graph versions, store.
    pub fn system(&self) -> Vec<Reason> {
        // What cannot be read says nothing.
        let checks = self.store.version_checks().unwrap_or_default();
        let moment = self.moment();
        let versions =
            apps::version_reasons(self.session, &self.tokens, &self.graph, &checks, moment);
        let store = self.damage();
        self.clocks().reason().into_iter().chain(versions).chain(store).collect()
    }
}
