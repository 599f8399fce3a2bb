//! Judges the dates of a token: when it expires, when its data access expires, when it was last
//! checked; whether the window and the rotation that the config asks for can be kept; and whether a
//! renewal that was due has not happened.
//!
//! A renewal that no run can make needs a person with a browser, who is reminded in time.

use chrono::TimeDelta;

use crate::token::{
    Action, DataAccess, Expiry, Generation, Inspection, Label, Ledger, Problem, ProblemKind, Time,
    TokenType,
};

use super::checks::{Checks, Step};
use super::clocks::throttle;
use super::judgement::State;
use super::reason::{OVERDUE, UNCHECKED};
use super::remedy::{replace_it, without_parent};
use super::{Dates, Health, Moment, Subject, humanize, is_short_lived};

impl Checks<'_> {
    /// Words that the token expires, and what prevents it.
    pub fn ending(&self, end: Time) -> (String, Step) {
        let when = humanize::when(end, self.moment.now);
        if self.subject.has_stopped_extending() {
            let message = format!("it ends {when}, and Meta no longer extends it");
            return (message, self.log_in_again());
        }
        if self.subject.only_a_person_can_renew() {
            return (
                format!("it ends {when}, and only a person can renew it"),
                self.log_in_again(),
            );
        }
        let ledger = self.subject.credential.map(|credential| &credential.ledger);
        match ledger.and_then(|ledger| ledger.problem.as_ref()) {
            Some(problem) if problem.action.needs_a_person() => (
                format!("it ends {when}, and the last renewal failed: {problem}"),
                self.step_against(problem),
            ),
            Some(problem) => (
                format!("it ends {when}, and the last renewal failed: {problem}"),
                Step::new(
                    problem.action,
                    format!(
                        "it is tried again by itself; should that not help, {}",
                        self.log_in_again().remedy
                    ),
                ),
            ),
            None => (
                format!("it ends {when}"),
                Step::new(
                    Action::Retry,
                    format!(
                        "run `metatoken refresh {}`, and see that the timer runs",
                        self.subject.label
                    ),
                ),
            ),
        }
    }

    /// Checks when the data access expires.
    pub fn data_access(&mut self, inspection: &Inspection) {
        let limits = self.subject.policy.data_access_within;
        let DataAccess::Until(until) = inspection.data_access else { return };
        if self.moment.dates == Dates::Doubted || limits.warning.is_zero() {
            return;
        }
        let left = until - self.moment.now;
        let passed = left <= TimeDelta::zero();
        // The date is the person's, so it is judged on the user token; a Page's own verdict says
        // whether it still works once the date has passed.
        let severity = match (self.subject.token_type, self.subject.parent) {
            _ if left > limits.warning => return,
            (TokenType::Page, Some(_)) if !passed => return,
            (TokenType::Page, _) => Health::Warning,
            _ if left <= limits.critical => Health::Critical,
            _ => Health::Warning,
        };
        let (code, verb) = if passed {
            ("data_access_expired", "ended")
        } else {
            ("data_access_expiring", "ends")
        };
        let message = format!("data access {verb} {}", humanize::when(until, self.moment.now));
        let step = self.step_against(&Problem::new(ProblemKind::DataAccessExpired, ""));
        match self.subject.parent {
            Some(parent) => self.add_held_by(parent.label, code, severity, message, step),
            None => self.add(code, severity, message, step),
        }
    }

    /// Checks how long ago Graph last answered about the token.
    pub fn proof_age(&mut self, proven: Time) {
        let limits = self.subject.policy.checked_within;
        if self.moment.dates == Dates::Doubted {
            return;
        }
        let age = self.moment.now - proven;
        let (severity, limit) = if age > limits.critical {
            (Health::Critical, limits.critical)
        } else if age > limits.warning {
            (Health::Warning, limits.warning)
        } else {
            return;
        };
        // Without the minute of each token's last proof an outage stays one cause.
        self.add(
            UNCHECKED,
            severity,
            format!(
                "Graph has not spoken of it for more than {} (`checked_within`)",
                humanize::span(limit)
            ),
            Step::new(
                Action::Retry,
                "run `metatoken refresh -v`, and see why Graph was not reached",
            ),
        );
    }

    /// Checks that a Page token without a parent has no date of its own.
    pub fn short_parent(&mut self, end: Time) {
        if self.subject.token_type != TokenType::Page || self.subject.parent.is_some() {
            return;
        }
        self.add(
            "short_parent",
            Health::Warning,
            format!(
                "a Page token with an end ({}) was taken from a short-lived user token",
                humanize::when(end, self.moment.now)
            ),
            Step::new(
                Action::FixConfiguration,
                without_parent(self.subject).map(|(_, how)| how).unwrap_or_default(),
            ),
        );
    }

    /// What stands against how it is kept, beside the access token itself.
    pub fn keeping(&mut self, current: &Generation) {
        let window = self.subject.window(current);
        if window.clipped && !self.subject.only_a_person_can_renew() {
            self.add(
                "window_clipped",
                Health::Warning,
                format!(
                    "`refresh_within` is {}, but it lives only {}: it is renewed {} before its end",
                    humanize::duration(self.subject.policy.refresh_within),
                    humanize::span(current.life().unwrap_or_default()),
                    humanize::span(window.span),
                ),
                Step::new(Action::FixConfiguration, "set `refresh_within` to less"),
            );
        }
        self.rotation(current);
    }

    fn rotation(&mut self, current: &Generation) {
        let age = self.moment.now - current.born_at();
        let limit = self.subject.policy.rotate_after.filter(|limit| age > *limit);
        let Some(limit) = limit.filter(|_| self.moment.dates == Dates::Trusted) else { return };
        let (age, limit) = (humanize::span(age), humanize::duration(limit));
        self.add(
            "rotation_due",
            Health::Warning,
            format!("it is {age} old; `rotate_after` is {limit}"),
            Step::new(self.log_in_again().action, replace_it(self.subject)),
        );
    }

    /// The access token works, but only a person can clear what keeps it from being renewed: the
    /// app's secret, or permissions that a new access token lacks.
    pub fn in_the_way(&mut self, ledger: &Ledger, state: State) {
        let is_dead = matches!(state, State::Expired | State::Invalid);
        if let Some(problem) = ledger.problem.as_ref().filter(|it| it.action.needs_a_person())
            && !(is_dead && problem.kind == ProblemKind::TooYoung)
            && !self.is_said(problem)
        {
            self.add_problem(Health::Warning, problem);
        }
    }

    /// Whether a reason holds the same words, or already calls for the login that would help.
    fn is_said(&self, problem: &Problem) -> bool {
        let words = problem.to_string();
        let login = problem.action == Action::Reauthenticate;
        self.reasons.iter().any(|reason| {
            reason.message.contains(&words)
                || login && reason.action == problem.action && reason.severity == Health::Critical
        })
    }
}

/// A renewal that is due may fail for so long before that is a fault.
const MOST_DELAY: TimeDelta = TimeDelta::days(3);

/// An access token of unknown end is due this long after it came, when Meta certainly renews it.
const FIRST_DAY: TimeDelta = TimeDelta::hours(24);

impl Checks<'_> {
    /// Says that a renewal is overdue, unless what keeps it is said already.
    pub fn overdue(&mut self, current: &Generation) {
        let Some((due, delay)) = self.due_since(current) else { return };
        if self.moment.dates == Dates::Doubted || self.moment.now - due <= delay {
            return;
        }
        let ledger = self.subject.credential.map(|credential| &credential.ledger);
        let problem = ledger.and_then(|ledger| ledger.problem.as_ref());
        // What only a person can clear out of the way is said by itself.
        if problem.is_some_and(|problem| problem.action.needs_a_person()) {
            return;
        }
        let message = format!(
            "its renewal is due since {}{}",
            humanize::when(due, self.moment.now),
            self.what_happened(ledger, problem, due)
        );
        let step = self.against_delay();
        self.add(OVERDUE, Health::Warning, message, step);
    }

    /// Since when a renewal is due, and how long it may take.
    fn due_since(&self, current: &Generation) -> Option<(Time, TimeDelta)> {
        let spec = self.subject.token_type.spec();
        if !spec.is_renewable() || !self.subject.policy.auto_refresh || is_short_lived(current) {
            return None;
        }
        let window = self.subject.window(current).span;
        match current.expiry {
            Expiry::At(_) if self.subject.has_stopped_extending() => None,
            Expiry::At(end) => {
                Some(((end - window).max(current.obtained_at), MOST_DELAY.min(window / 4)))
            }
            Expiry::Unknown if spec.may_hide_the_end() => {
                Some((current.obtained_at + FIRST_DAY, MOST_DELAY))
            }
            Expiry::Unknown | Expiry::Never => None,
        }
    }

    fn what_happened(
        &self,
        ledger: Option<&Ledger>,
        problem: Option<&Problem>,
        due: Time,
    ) -> String {
        let now = self.moment.now;
        if self.subject.has_stopped_extending() {
            return ", and Meta no longer extends it".to_owned();
        }
        if let Some(until) = self.subject.throttled_until.and_then(|until| throttle(until, now)) {
            return format!(", and Meta throttles its app until {}", humanize::when(until, now));
        }
        match (problem, ledger.and_then(|ledger| ledger.last_attempt_at)) {
            (Some(problem), _) => format!(", and the last one failed: {problem}"),
            (None, Some(last)) if last > due => {
                format!("; last tried {}", humanize::when(last, now))
            }
            _ => ", and none was tried".to_owned(),
        }
    }

    fn against_delay(&self) -> Step {
        if self.subject.has_stopped_extending() {
            return self.log_in_again();
        }
        let label = self.subject.label;
        Step::new(
            Action::Retry,
            format!("run `metatoken refresh {label} -v`, and see that the timer runs"),
        )
    }
}

/// A date that only a person can move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// What is said of it when it is near: the code of that reason.
    pub code: &'static str,
    pub at: Time,
    /// How long before it a person is reminded.
    pub reminders: Vec<TimeDelta>,
    /// What happens then.
    pub message: String,
    /// What the person does.
    pub remedy: String,
    pub labels: Vec<Label>,
}

/// The dates of a living token that only a person can move; of a Page its parent's person is told.
pub fn deadlines(
    subject: &Subject<'_>,
    inspection: Option<&Inspection>,
    moment: Moment,
) -> Vec<Deadline> {
    let alive = inspection.filter(|it| it.verdict() == Some(true));
    let (Some(inspection), Dates::Trusted) = (alive, moment.dates) else { return Vec::new() };
    let checks = Checks { subject, moment, reasons: Vec::new() };
    let deadline = |code, at, message, remedy| Deadline {
        code,
        at,
        reminders: subject.policy.reminders.clone(),
        message,
        remedy,
        labels: vec![subject.label.clone()],
    };
    let end = subject.current().and_then(|current| current.expiry.at());
    let end = end.filter(|_| subject.only_a_person_can_renew()).map(|end| {
        let (message, step) = checks.ending(end);
        deadline("expiring", end, message, step.remedy)
    });
    let access = data_access(subject, inspection).map(|until| {
        let step = checks.step_against(&Problem::new(ProblemKind::DataAccessExpired, ""));
        let message = format!("data access ends {}", humanize::when(until, moment.now));
        deadline("data_access_expiring", until, message, step.remedy)
    });
    end.into_iter().chain(access).filter(|deadline| deadline.at > moment.now).collect()
}

/// The end of data access, where it is this token's person who can move it.
fn data_access(subject: &Subject<'_>, inspection: &Inspection) -> Option<Time> {
    let follows = subject.token_type == TokenType::Page && subject.parent.is_some();
    match inspection.data_access {
        DataAccess::Until(until)
            if !follows && !subject.policy.data_access_within.warning.is_zero() =>
        {
            Some(until)
        }
        _ => None,
    }
}
