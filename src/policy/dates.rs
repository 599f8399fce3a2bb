//! Judges the dates of a token: when it expires, when its data access expires, when it was last
//! checked; whether the window and the rotation that the config asks for can be kept; and whether a
//! renewal that was due has not happened.
//!
//! A renewal that no run can make needs a person with a browser, who is reminded in time.

use chrono::TimeDelta;

use crate::token::{
    Action, Attempts, DataAccess, Expiry, Generation, Inspection, Label, Problem, ProblemKind,
    Time, TokenType,
};

use super::checks::{Checks, Step, condition};
use super::clocks::throttle;
use super::judgement::State;
use super::reason::{OVERDUE, UNCHECKED};
use super::remedy_choice::replace_it;
use super::wording::{cause, quote};
use super::{Condition, Dates, Health, Moment, Reason, Remedy, Subject, humanize, is_short_lived};

impl Checks<'_> {
    /// Words what keeps the token from living longer, with what Meta said of it.
    pub fn ending(&self, end: Time) -> (String, String, Step) {
        let ours = |message: &str, step| (message.to_owned(), String::new(), step);
        if self.subject.has_stopped_extending() {
            return ours("no longer extended", self.new_login());
        }
        if self.subject.only_a_person_can_renew() {
            return ours(self.why_not_automatic(), self.new_login());
        }
        let attempts = self.subject.credential.map(|credential| &credential.attempts);
        let Some(problem) = attempts.and_then(|attempts| attempts.problem.as_ref()) else {
            let step = format!("run `metatoken refresh {}`", self.subject.label);
            let remedy = Remedy::of_the_operator(step)
                .with_note("A timer should have done so: see that it runs `metatoken refresh`");
            return ours("not renewed yet", Step::new(Action::Retry, remedy));
        };
        let message = match problem.kind {
            ProblemKind::NotExtended => cause(problem, self.subject),
            _ => format!("renewal failed: {}", cause(problem, self.subject)),
        };
        let step = if problem.action.needs_a_person() {
            self.step_against(problem)
        } else {
            Step::new(problem.action, self.patience(problem, end))
        };
        (message, quote(problem), step)
    }

    /// Why only a person can renew it.
    fn why_not_automatic(&self) -> &'static str {
        match self.subject.token_type {
            _ if !self.subject.policy.auto_refresh => "`auto_refresh` is off",
            TokenType::Page => "without `parent` it cannot be renewed",
            _ => "it cannot be renewed",
        }
    }

    /// What to do about a renewal that is tried again by itself until the token `ends`.
    fn patience(&self, problem: &Problem, end: Time) -> Remedy {
        let often = match problem.kind {
            ProblemKind::NotExtended | ProblemKind::TooYoung => "daily",
            _ => "by each run",
        };
        let critical = end - self.subject.critical_within();
        let login = self.new_login().remedy;
        if self.moment.now >= critical {
            return login.with_note("Meanwhile renewal is tried again by itself");
        }
        let date = critical.date_naive();
        Remedy {
            brief: format!("no action tonight: retried {often} until {date}"),
            step: format!("no action tonight: it is retried {often} until {date}"),
            command: String::new(),
            note: format!("If this is still here then, {}", login.step),
            of_owner: String::new(),
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
            ("data_access_expired", "expired")
        } else {
            ("data_access_expiring", "expires")
        };
        let message = format!("data access {verb} {}", humanize::left(until, self.moment.now));
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
                "no answer from Graph for more than {} (`checked_within`)",
                humanize::span(limit)
            ),
            Step::new(
                Action::Retry,
                Remedy::of_the_operator(
                    "run `metatoken refresh -v` to see why Graph was not reached",
                ),
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
                "taken from a short-lived user token, expires {}",
                humanize::left(end, self.moment.now)
            ),
            Step::new(Action::FixConfiguration, self.new_login().remedy),
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
                    "`refresh_within` is {}, but it lives only {}: renewed {} before it expires",
                    humanize::duration(self.subject.policy.refresh_within),
                    humanize::span(current.life().unwrap_or_default()),
                    humanize::span(window.span),
                ),
                Step::new(
                    Action::FixConfiguration,
                    Remedy::of_the_operator(format!(
                        "set `refresh_within` of `[token.{}]` to {} or less; then run `metatoken config check`",
                        self.subject.label,
                        humanize::duration(window.span),
                    )),
                ),
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
            format!("{age} old, `rotate_after` is {limit}"),
            Step::new(self.new_login().action, replace_it(self.subject)),
        );
    }

    /// The access token works, but only a person can clear what keeps it from being renewed: the
    /// app's secret, or permissions that a new access token lacks.
    pub fn in_the_way(&mut self, attempts: &Attempts, state: State) {
        let is_dead = matches!(state, State::Expired | State::Invalid);
        let calls_for_a_person = |it: &Reason| it.action.needs_a_person();
        // What keeps a dead one from being replaced is not a second cause beside its death.
        if is_dead && self.reasons.iter().any(calls_for_a_person) {
            return;
        }
        if let Some(problem) = attempts.problem.as_ref().filter(|it| it.action.needs_a_person())
            && !(is_dead && problem.kind == ProblemKind::TooYoung)
            && !self.is_said(problem)
        {
            let condition = condition(self.subject, state, self.inspection, self.moment);
            self.add_problem(Health::of(problem, condition), problem);
        }
    }

    /// Whether a reason holds the same words, or already calls for the login that would help.
    fn is_said(&self, problem: &Problem) -> bool {
        let words = cause(problem, self.subject);
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
        let attempts = self.subject.credential.map(|credential| &credential.attempts);
        let problem = attempts.and_then(|attempts| attempts.problem.as_ref());
        // What only a person can clear out of the way is said by itself.
        if problem.is_some_and(|problem| problem.action.needs_a_person()) {
            return;
        }
        let message = format!(
            "renewal due since {}{}",
            humanize::when(due, self.moment.now),
            self.what_happened(attempts, problem, due)
        );
        let step = self.against_delay();
        self.add(OVERDUE, Health::Warning, message, step);
        if let Some(problem) = problem {
            self.quote(problem);
        }
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
        attempts: Option<&Attempts>,
        problem: Option<&Problem>,
        due: Time,
    ) -> String {
        let now = self.moment.now;
        if self.subject.has_stopped_extending() {
            return ", no longer extended".to_owned();
        }
        if let Some(until) = self.subject.throttled_until.and_then(|until| throttle(until, now)) {
            return format!(", Meta limits the app's calls until {}", humanize::when(until, now));
        }
        match (problem, attempts.and_then(|attempts| attempts.last_attempt_at)) {
            (Some(problem), _) => format!(", failed: {}", cause(problem, self.subject)),
            (None, Some(last)) if last > due => {
                format!(", last tried {}", humanize::when(last, now))
            }
            _ => ", not tried".to_owned(),
        }
    }

    fn against_delay(&self) -> Step {
        if self.subject.has_stopped_extending() {
            return self.new_login();
        }
        let label = self.subject.label;
        let step = format!("run `metatoken refresh {label} -v`");
        let note = "A timer should have done so: see that it runs `metatoken refresh`";
        Step::new(Action::Retry, Remedy::of_the_operator(step).with_note(note))
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
    /// What Meta said that is in the way.
    pub meta: String,
    /// What the person does.
    pub remedy: Remedy,
    /// What the token can do now.
    pub condition: Option<Condition>,
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
    let checks = Checks::new(subject, moment);
    let condition = condition(subject, State::Valid, Some(inspection), moment);
    let deadline = |code, at, message, meta, remedy| Deadline {
        code,
        at,
        reminders: subject.policy.reminders.clone(),
        message,
        meta,
        remedy,
        condition,
        labels: vec![subject.label.clone()],
    };
    let end = subject.current().and_then(|current| current.expiry.at());
    let end = end.filter(|_| subject.only_a_person_can_renew()).map(|end| {
        let (message, meta, step) = checks.ending(end);
        deadline("expiring", end, message, meta, step.remedy)
    });
    let access = data_access(subject, inspection).map(|until| {
        let step = checks.step_against(&Problem::new(ProblemKind::DataAccessExpired, ""));
        let message = format!("data access expires {}", humanize::left(until, moment.now));
        deadline("data_access_expiring", until, message, String::new(), step.remedy)
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
