//! Judges what a rotation leaves behind: an access token in the config that is not in use, an older
//! one that still works, and a program that brings new ones beside metatoken.

use chrono::{TimeDelta, Timelike as _};

use crate::token::{
    Action, Delivery, Expiry, Generation, Label, Problem, ProblemKind, RotatedGeneration,
    SourceValue, Time, TokenType,
};

use super::checks::{Checks, Step};
use super::remedy_choice::{clear_source, end_the_old_one, revoke_again, table};
use super::wording::cause;
use super::{Dates, Health, Moment, Policy, Promote, Reason, RemedyKind, Subject, humanize};

/// The code of what is said of an access token in the config that was refused.
const STALE_SOURCE: &str = "stale_source";

/// An older access token that ends by itself within this time is left to that.
const SOON: TimeDelta = TimeDelta::days(60);

/// So many adoptions from one place in so short a time are another program's.
const ADOPTIONS: usize = 3;
/// That time.
pub const ADOPTIONS_WITHIN: TimeDelta = TimeDelta::days(14);

/// Whether an access token lives on beside the one that a person puts in its place, until it is
/// revoked. Only a System User's can be revoked alone.
pub fn outlives_its_successor(token_type: TokenType, old: &Generation, now: Time) -> bool {
    let ends_soon = match old.expiry {
        Expiry::At(end) => end - now <= SOON,
        Expiry::Never | Expiry::Unknown => false,
    };
    token_type == TokenType::SystemUser && old.verdict() != Some(false) && !ends_soon
}

/// Whether Graph is to be asked about an older access token now: once in `verify_every`.
pub fn is_to_be_asked_about(rotated: &RotatedGeneration, policy: &Policy, moment: Moment) -> bool {
    let last = rotated.generation.proof.as_ref().map(|proof| proof.at);
    last.is_none_or(|last| last > moment.now || moment.now - last >= policy.verify_every)
}

/// Between two verdicts that call a token dead so much must lie before a run puts its backup in its
/// place: one may be a mistake of Meta's.
const SURE_AFTER: TimeDelta = TimeDelta::minutes(10);

/// What is known of the death of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// When an earlier run first heard of it, if one did.
    pub first_heard: Option<Time>,
    /// When a backup last took the token's place.
    pub promoted_at: Option<Time>,
}

/// Whether a run puts the backup of a dead token in its place: two runs have heard Graph call it dead
/// for a reason that only a new access token recovers, it was not revoked from here, and no backup took
/// its place lately.
pub fn promotes_backup(subject: &Subject<'_>, death: Death, moment: Moment) -> bool {
    let policy = subject.policy;
    let wanted = subject.backup.is_some_and(|backup| backup.promoted_by == Promote::Auto);
    let current = subject.current().filter(|current| current.revoked_at.is_none());
    let heard = current.and_then(|current| current.proof.as_ref()).filter(|proof| {
        let action = proof.inspection.problem.as_ref().map(|problem| problem.action);
        proof.inspection.verdict() == Some(false)
            && action == Some(Action::Reauthenticate)
            && proof.at >= moment.run_started
    });
    let is_sure =
        heard.zip(death.first_heard).is_some_and(|(proof, first)| proof.at - first >= SURE_AFTER);
    let is_rare = death.promoted_at.is_none_or(|last| moment.now - last >= policy.rotate_overlap);
    wanted && is_sure && is_rare && moment.dates == Dates::Trusted
}

/// Where a rotation stands, in a sentence: what is to be done before the old access token can go.
pub fn rotation_stage(
    label: &Label,
    rotated: &RotatedGeneration,
    deliveries: &[Delivery],
    overlap: TimeDelta,
    now: Time,
) -> String {
    let number = rotated.generation.number;
    let replaced = humanize::relative(rotated.since, now);
    let old = format!("generation {number} still works, replaced {replaced}");
    if let Some(behind) = deliveries.iter().find(|it| it.is_behind()) {
        return format!(
            "{old}; first `metatoken deliver {label}`: `{}` lacks its successor",
            behind.target
        );
    }
    let until = rotated.since + overlap;
    let when = if until > now {
        format!("within {}", humanize::span(until - now))
    } else {
        "now".to_owned()
    };
    format!("{old}; revoke it {when}: `metatoken revoke {label} --generation {number}`")
}

impl Reason {
    /// Whether it is about an access token in the config that was refused.
    pub fn is_about_a_stale_source(&self) -> bool {
        self.code == STALE_SOURCE
    }
}

impl Checks<'_> {
    /// Checks what a rotation has left behind.
    pub fn left_by_rotation(&mut self) {
        let Some(credential) = self.subject.credential else { return };
        if let Some(source) = &credential.source
            && let Some(problem) = &source.refused
        {
            self.stale_source(source, problem);
        }
        let overlap = self.subject.policy.rotate_overlap;
        for RotatedGeneration { generation, since } in &credential.rotated {
            if self.moment.dates == Dates::Trusted && self.moment.now - *since > overlap {
                self.old_token_alive(generation.number, *since);
            }
        }
    }

    /// Checks that what was revoked here does not work any more.
    pub fn revoked_in_vain(&mut self, current: &Generation) {
        let Some(at) = current.revoked_at else { return };
        let message =
            format!("revoked here {}, and still works", humanize::relative(at, self.moment.now));
        let step = Step::new(Action::FixConfiguration, revoke_again(self.subject));
        self.add("revoked_alive", Health::Warning, message, step);
    }

    fn stale_source(&mut self, source: &SourceValue, problem: &Problem) {
        let may_be_taken = problem.kind == ProblemKind::NotExtended;
        let remedy = clear_source(self.subject, &source.place, may_be_taken);
        // It never worked here, whatever Meta says of it.
        let why = cause(&problem.clone().rejected(), self.subject);
        let why = why.strip_prefix(Problem::REJECTED).unwrap_or(&why);
        self.add(
            STALE_SOURCE,
            Health::Warning,
            format!("unused access token in {}: {why}", source.place_and_line()),
            // The token itself needs nothing.
            Step::new(Action::None, remedy),
        );
        self.quote(problem);
    }

    fn old_token_alive(&mut self, number: u32, since: Time) {
        self.add(
            "old_token_alive",
            Health::Warning,
            format!(
                "generation {number} still works, replaced {}",
                humanize::relative(since, self.moment.now)
            ),
            Step::new(Action::FixConfiguration, end_the_old_one(self.subject, number)),
        );
    }
}

/// Says that something else renews a token, if one place gave three access tokens in two weeks.
/// `times` are those of the adoptions from that place, oldest first.
pub fn judge_adoptions(label: &Label, place: &str, times: &[Time], now: Time) -> Option<Reason> {
    let lately: Vec<Time> =
        times.iter().copied().filter(|at| now - *at <= ADOPTIONS_WITHIN).collect();
    if lately.len() < ADOPTIONS {
        return None;
    }
    let last = &lately[lately.len() - ADOPTIONS..];
    let hours: Vec<String> =
        last.iter().map(|at| format!("{:02}:{:02}", at.hour(), at.minute())).collect();
    let message = format!(
        "another program renews it too: {} new access tokens in 14 days from {place}, found at {} UTC",
        lately.len(),
        hours.join(", ")
    );
    let names = [("{label}", label.as_str()), ("{place}", place), ("{table}", &*table(label))];
    Some(Reason {
        remedy: RemedyKind::StopOther.of_the_operator(&names),
        about: Some(place.to_owned()),
        labels: vec![label.clone()],
        ..Reason::of_the_system("another_renewer", Health::Warning, message, "")
    })
}
