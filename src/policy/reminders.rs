//! The dates that only a person can move.
//!
//! A renewal that no run can make needs somebody with a browser, and somebody needs notice: once
//! two weeks ahead, once a week, once the day before.

use chrono::TimeDelta;

use super::checks::Checks;
use super::{Dates, Moment, Subject, humanize};
use crate::token::{DataAccess, Inspection, Label, Problem, ProblemKind, Time, TokenType};

/// A date that only a person can move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// What is said of it when it is near: the code of that reason.
    pub code: &'static str,
    /// When.
    pub at: Time,
    /// How long before it a person is reminded.
    pub reminders: Vec<TimeDelta>,
    /// What happens then.
    pub message: String,
    /// What the person does.
    pub remedy: String,
    /// The tokens that it is about.
    pub labels: Vec<Label>,
}

/// The dates of a living token that only a person can move; of a Page its parent's person is told.
pub fn deadlines(
    subject: &Subject<'_>,
    inspection: Option<&Inspection>,
    moment: Moment,
) -> Vec<Deadline> {
    let alive = inspection.filter(|it| it.valid == Some(true));
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
