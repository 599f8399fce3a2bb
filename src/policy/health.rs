//! Judges a token: its state, and what is wrong with it.
//!
//! Three clocks run for every token: its own end, the end of data access, and the age of the
//! last proof. A fault of the network moves none of them, so an outage alone changes nothing
//! until the proof is too old.

use super::adoption::{explained, misfit};
use super::checks::{Checks, Step};
use super::judgement::{Judgement, State};
use super::labels::judge_shared;
use super::reason::OVERDUE;
use super::remedy_choice::{bring_it_back, import_again, put_back, replace_it};
use super::subject::{has_outlived_its_date, short_lived};
use super::wording::cause;
use super::{
    Dates, Health, Moment, Remedy, Subject, gone_since, humanize, is_short_life, is_short_lived,
};
use crate::token::{
    Action, Credential, Expiry, Generation, GivenNow, GivenTo, Identity, Inspection, Label,
    Problem, ProblemKind, Time, TokenType,
};

/// Judges a token by what the store knows of it.
pub fn judge(subject: &Subject<'_>, moment: Moment) -> Judgement {
    let mut checks = Checks::new(subject, moment);
    let damage = subject.credential.and_then(|credential| credential.damage.as_ref());
    if let Some(damage) = damage {
        checks.damaged(damage);
    }
    checks.shared();
    let state = match subject.current() {
        None if damage.is_some_and(|damage| damage.in_place.is_some()) => State::Missing,
        None => checks.without_access_token(),
        Some(current) => checks.with_access_token(current),
    };
    checks.conclude(state)
}

/// Judges a token that has no access token, and of which the config's place has none either.
pub fn judge_unusable(
    subject: &Subject<'_>,
    problem: &Problem,
    severity: Health,
    moment: Moment,
) -> Judgement {
    let mut checks = Checks::new(subject, moment);
    checks.add_problem(severity, problem);
    checks.conclude(State::Missing)
}

/// Judges an access token that is not in the store by what Graph just said of it, as the token of
/// `expected`.
pub fn judge_inspection(
    subject: &Subject<'_>,
    inspection: &Inspection,
    expected: &Identity,
    moment: Moment,
) -> Judgement {
    let mut checks = Checks { inspection: Some(inspection), ..Checks::new(subject, moment) };
    checks.shared();
    if let Some(problem) = misfit(inspection, subject.token_type, expected) {
        checks.add_problem(Health::Critical, &problem);
    }
    let state = checks.of_answer(inspection, inspection.expiry);
    if state == State::Valid {
        checks.unknown_end(inspection.expiry);
    }
    checks.conclude(state)
}

impl Checks<'_> {
    fn shared(&mut self) {
        let shared = self.subject.credential.and_then(|it| it.attempts.shared.as_ref());
        self.reasons.extend(shared.map(|shared| judge_shared(self.subject, shared)));
    }

    fn without_access_token(&mut self) -> State {
        let credential = self.subject.credential;
        let candidate = credential.and_then(|it| it.candidate.as_ref());
        let waits = candidate.is_some();
        let answer = candidate.and_then(|it| it.proof.as_ref()).map(|proof| &proof.inspection);
        let stands = credential.and_then(|it| it.attempts.problem.as_ref());
        let problem = answer.and_then(|answer| answer.problem.as_ref()).or(stands);
        match (problem, self.subject.parent) {
            _ if !waits && credential.is_some_and(|it| it.given_to.is_some()) => {
                if let Some(given_to) = credential.and_then(|it| it.given_to.as_ref()) {
                    self.without_what_was_given(given_to);
                }
            }
            // That another token has it is said already.
            _ if !waits && credential.is_some_and(|it| it.attempts.shared.is_some()) => {}
            // Nothing helps a Page while its parent is down but what helps the parent.
            (Some(problem), Some(parent))
                if parent.verdict() == Some(false) && problem.fix.is_none() =>
            {
                self.held_by_parent(parent.label, Health::Critical);
            }
            (Some(problem), _) if problem.action.needs_a_person() => {
                self.add_problem(Health::Critical, problem);
            }
            (Some(problem), _) => self.add_problem(Health::Unknown, problem),
            (None, _) if waits => self.add(
                "unverified",
                Health::Unknown,
                "Graph has not answered about the new access token".to_owned(),
                // Without the label an outage at the first run stays one cause.
                Step::new(Action::Retry, Remedy::of_the_operator("run `metatoken refresh`")),
            ),
            (None, Some(parent)) if parent.verdict() == Some(false) => {
                self.held_by_parent(parent.label, Health::Unknown);
            }
            (None, _) => {
                let (message, step) = self.first_one();
                self.add("missing", Health::Unknown, message, step);
            }
        }
        State::Missing
    }

    /// Judges a backup whose access token another token got, and that has none since.
    fn without_what_was_given(&mut self, given_to: &GivenTo) {
        let GivenTo { label: primary, now } = given_to;
        let mut step = self.new_login();
        let is_generated = step.remedy.command.contains("metatoken exchange ");
        if self.subject.token_type == TokenType::SystemUser && is_generated {
            step.remedy.note = format!(
                "Generate it for another System User than that of `{primary}`, or both may die \
                 together"
            );
        }
        let message = match now {
            GivenNow::InUse => format!("{primary} has its access token now, and no backup"),
            GivenNow::Left => {
                format!("{primary} no longer uses its access token, and has no backup")
            }
        };
        self.add("no_backup", Health::Warning, message, step);
    }

    /// Where a token that has no access token yet gets its first one.
    fn first_one(&self) -> (String, Step) {
        let subject = self.subject;
        let refresh =
            || Step::new(Action::Retry, Remedy::of_the_operator("run `metatoken refresh`"));
        if let Some(parent) = subject.parent {
            return (format!("no access token yet, derived from {}", parent.label), refresh());
        }
        // It was promoted, and the token that got it was forgotten.
        if let Some(kept) = subject.fallback() {
            let back = put_back(subject, Some(kept), &replace_it(subject));
            let message = "no access token in use, an earlier one is kept";
            return (message.to_owned(), Step::new(Action::Reauthenticate, back));
        }
        if let Some(import) = import_again(subject) {
            let message = "no access token yet, its import has not finished";
            return (message.to_owned(), Step::new(Action::Retry, import));
        }
        if let Some(lost) = subject.credential.and_then(Credential::cut_short) {
            return (format!("no access token yet, {}", lost.message), self.step_against(&lost));
        }
        if subject.token_type == TokenType::App {
            let message = "no access token yet, taken from the app's id and secret";
            return (message.to_owned(), refresh());
        }
        let label = subject.label;
        let remedy = Remedy::of_the_operator(format!("run `metatoken refresh {label}`"));
        let note = format!(
            "Without an `access_token` in the config run `metatoken exchange {label}` and paste one"
        );
        ("no access token yet".to_owned(), Step::new(Action::Retry, remedy.with_note(note)))
    }

    fn with_access_token(&mut self, current: &Generation) -> State {
        let state = match &current.proof {
            None => {
                self.add(
                    "unverified",
                    Health::Unknown,
                    "Graph was not asked about it yet".to_owned(),
                    Step::new(
                        Action::Retry,
                        Remedy::of_the_operator(format!(
                            "run `metatoken refresh {}`",
                            self.subject.label
                        )),
                    ),
                );
                State::Unverified
            }
            Some(proof) => {
                let state = self.of_answer(&proof.inspection, current.expiry);
                self.proof_age(proof.at);
                state
            }
        };
        if state == State::Valid {
            self.overdue(current);
            self.unknown_end(current.expiry);
        }
        // How it is kept matters while it lives.
        if !matches!(state, State::Expired | State::Invalid) {
            self.keeping(current);
            self.revoked_in_vain(current);
            self.left_by_rotation();
            self.probed();
        }
        if let Some(credential) = self.subject.credential {
            self.in_the_way(&credential.attempts, state);
        }
        state
    }

    /// What Graph's answer says, and what the dates in it say today.
    fn of_answer(&mut self, inspection: &Inspection, expiry: Expiry) -> State {
        let now = self.moment.now;
        match inspection.verdict() {
            Some(false) => {
                let problem = explained(inspection);
                self.dead(&problem);
                return if problem.kind == ProblemKind::Expired {
                    State::Expired
                } else {
                    State::Invalid
                };
            }
            None => {
                self.no_verdict(&explained(inspection));
                return State::Unverified;
            }
            Some(true) => {}
        }
        self.data_access(inspection);
        self.permissions(inspection);
        if self.moment.dates == Dates::Doubted {
            return State::Valid;
        }
        let Some(end) = expiry.at() else { return State::Valid };
        if expiry.has_passed(now) {
            return self.past_its_date(end);
        }
        if !expiry.is_within(self.subject.warn_within(), now) {
            self.short_parent(end);
            return State::Valid;
        }
        let severity = if expiry.is_within(self.subject.critical_within(), now) {
            Health::Critical
        } else {
            Health::Warning
        };
        let (mut message, meta, mut step) = self.ending(end);
        if self.is_short_lived(inspection) {
            message = format!("short-lived, {message}");
            if self.subject.token_type != TokenType::Page {
                step.remedy.note = short_lived(self.subject.token_type.provider());
            }
        }
        self.add("expiring", severity, message, step);
        self.said(meta);
        State::Expiring
    }

    /// Says of a living token that it may expire at any time: Meta reports no date, and only a renewal
    /// tells. Where `debug_token` left the date out, the next answer has it.
    fn unknown_end(&mut self, expiry: Expiry) {
        let attempts = self.subject.credential.map(|credential| &credential.attempts);
        let stands = attempts.and_then(|attempts| attempts.problem.as_ref());
        let is_said = stands.is_some_and(|problem| problem.action.needs_a_person())
            || self.reasons.iter().any(|reason| reason.code == OVERDUE);
        let hides = self.subject.token_type.spec().may_hide_the_end();
        if expiry != Expiry::Unknown || is_said || !hides {
            return;
        }
        let label = self.subject.label;
        let unknown = "Meta reports no expiry";
        let run = |command: String| Remedy::of_the_operator(format!("run `metatoken {command}`"));
        let now = self.moment.now;
        let renewed_at = self.subject.current().and_then(|it| self.subject.next_renewal(it, now));
        let (message, step) = match renewed_at {
            _ if !self.subject.policy.auto_refresh => (
                format!("{unknown}, and `auto_refresh` is off"),
                Step::new(Action::FixConfiguration, run(format!("refresh --force {label}"))),
            ),
            Some(at) if self.moment.dates == Dates::Trusted => (
                format!("{unknown}, known when it is renewed, {}", humanize::left(at, now)),
                Step::new(Action::Wait, "nothing to do yet: it is renewed then"),
            ),
            _ => (
                format!("{unknown}, known when it is renewed"),
                Step::new(Action::Retry, run(format!("refresh {label}"))),
            ),
        };
        self.add("expiry_unknown", Health::Unknown, message, step);
    }

    /// Only what a person must clear says anything of the token; the rest will pass.
    fn no_verdict(&mut self, problem: &Problem) {
        let severity =
            if problem.action.needs_a_person() { Health::Critical } else { Health::Unknown };
        self.add_problem(severity, problem);
    }

    /// Judges an access token whose date has passed. If Graph has called it valid since and did not
    /// say when it expires, it can still be renewed; for how long is unknown.
    fn past_its_date(&mut self, end: Time) -> State {
        let outlived = |current| has_outlived_its_date(current, self.moment.now);
        if self.subject.current().is_some_and(outlived) {
            let date = end.date_naive();
            let message = format!("still works although it was to expire {date}");
            let (_, meta, step) = self.ending(end);
            self.add("expiring", Health::Critical, message, step);
            self.said(meta);
            return State::Expiring;
        }
        let step = match self.subject.parent {
            Some(parent) if parent.verdict() == Some(true) => self.ask_the_parent(),
            _ => self.new_login(),
        };
        self.add("expired", Health::Critical, "expired".to_owned(), step);
        State::Expired
    }

    fn ask_the_parent(&self) -> Step {
        let label = self.subject.label;
        let step = format!("run `metatoken refresh {label}`");
        let note = "Its parent works and gives it a new access token";
        Step::new(Action::Retry, Remedy::of_the_operator(step).with_note(note))
    }

    fn held_by_parent(&mut self, parent: &Label, severity: Health) {
        let message = format!("its parent {parent} is down");
        self.add_held_by(parent, "parent_dead", severity, message, self.new_login());
    }

    fn is_short_lived(&self, inspection: &Inspection) -> bool {
        match self.subject.current() {
            Some(current) => is_short_lived(current),
            None => is_short_life(inspection, self.moment.now),
        }
    }

    fn dead(&mut self, problem: &Problem) {
        let current = self.subject.current();
        if let (Some(at), None) = (current.and_then(|it| it.revoked_at), self.subject.parent) {
            let message = format!("revoked here {}", humanize::relative(at, self.moment.now));
            let step = self.new_login();
            return self.add(ProblemKind::Revoked.as_str(), Health::Critical, message, step);
        }
        let attempts = self.subject.credential.map(|credential| &credential.attempts);
        let refused = attempts
            .and_then(|attempts| attempts.problem.as_ref())
            .filter(|problem| problem.action.needs_a_person());
        let gone = self.subject.credential.and_then(|it| gone_since(it, self.moment.now));
        let (code, message) = (problem.kind.as_str(), cause(problem, self.subject));
        match self.subject.parent {
            Some(parent) if parent.verdict() == Some(true) => match (gone, refused) {
                (Some(since), _) => {
                    let since = since.date_naive();
                    let message = format!("not among the Pages of {} since {since}", parent.label);
                    let step = Step::new(Action::GrantPermission, bring_it_back(self.subject));
                    self.add("page_gone", Health::Critical, message, step);
                }
                (None, None) => {
                    let step = self.ask_the_parent();
                    self.add(code, Health::Critical, message, step);
                    self.quote(problem);
                }
                // Its parent could give it a new one but for what a person must clear.
                (None, Some(refused)) if problem.action == Action::Reauthenticate => {
                    let message = format!("{message}, {}", cause(refused, self.subject));
                    self.add_caused(Health::Critical, code, message, refused);
                }
                (None, Some(_)) => self.add_problem(Health::Critical, problem),
            },
            Some(parent) if died_of(parent.credential) == Some(problem.kind) => {
                self.held_by_parent(parent.label, Health::Critical);
            }
            _ => self.add_problem(Health::Critical, problem),
        }
    }
}

/// What killed the parent, if it is dead.
fn died_of(parent: Option<&Credential>) -> Option<ProblemKind> {
    let inspection = &parent?.current.as_ref()?.proof.as_ref()?.inspection;
    inspection.problem.as_ref().filter(|_| inspection.verdict() == Some(false)).map(|it| it.kind)
}
