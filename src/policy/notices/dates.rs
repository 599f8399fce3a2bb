//! Reminders of the dates that only a person can move.
//!
//! Each is told once for every reminder that was reached, however many were reached at once, and
//! not beside an alarm about the same date. What was told of a date is remembered until it has
//! passed: a token that is silent for a day has not got another one.

use chrono::TimeDelta;

use super::{Announcement, Interest, Plan, Standing};
use crate::policy::dates::Deadline;
use crate::policy::{Health, Reason};
use crate::token::{Action, Label, NoticeEvent, Time, Told, Topic, TopicState};

/// The code under which reminders are remembered.
const REMINDER: &str = "reminder";

/// Dates that Graph tells anew may differ by this and be the same.
const SAME_DATE: TimeDelta = TimeDelta::hours(24);

impl Plan {
    /// Reminds of the dates that have come near.
    pub(super) fn remind(
        &mut self,
        interest: Interest<'_>,
        standing: &Standing,
        told: &[Told],
        now: Time,
    ) {
        let tokens = standing.tokens.iter().filter(|token| interest.covers(&token.label));
        for (token, deadline) in tokens.flat_map(|it| it.deadlines.iter().map(move |at| (it, at))) {
            let topic = Topic {
                label: Some(token.label.clone()),
                code: REMINDER.to_owned(),
                about: Some(deadline.code.to_owned()),
            };
            let Some(reached) = deadline.reached(now) else { continue };
            if told.iter().any(|told| told.topic == topic && told.covers(deadline, reached)) {
                continue;
            }
            let state = TopicState::Reminded { deadline: deadline.at, before: reached };
            let remembered = Told { topic, state, message: deadline.message.clone() };
            self.tell_deadline(interest, deadline, &token.label, remembered);
        }
        let outdated = told.iter().filter(|told| match told.state {
            TopicState::Reminded { deadline, .. } => {
                deadline + SAME_DATE <= now || !interest.reaches(&told.topic, standing)
            }
            TopicState::Stands(_) => false,
        });
        let again: Vec<&Topic> =
            self.announcements.iter().flat_map(|it| &it.told).map(|told| &told.topic).collect();
        let outdated = outdated.map(|told| &told.topic).filter(|topic| !again.contains(topic));
        self.over.extend(outdated.cloned().collect::<Vec<_>>());
    }

    fn tell_deadline(
        &mut self,
        interest: Interest<'_>,
        deadline: &Deadline,
        label: &Label,
        remembered: Told,
    ) {
        let about_it = |told: &Told| {
            told.topic.code == deadline.code && told.topic.label.as_ref() == Some(label)
        };
        let alarm = self.announcements.iter_mut().find(|it| it.told.iter().any(about_it));
        if let Some(alarm) = alarm {
            alarm.told.push(remembered);
        } else if interest.wants(NoticeEvent::Reminder) {
            let mut reason = deadline.reason();
            reason.labels.retain(|label| interest.covers(label));
            let (event, told) = (NoticeEvent::Reminder, vec![remembered]);
            self.announcements.push(Announcement { event, reason, told, over: Vec::new() });
        }
    }
}

impl Told {
    /// Whether the channel was reminded of this date so near to it, or nearer.
    fn covers(&self, deadline: &Deadline, reached: TimeDelta) -> bool {
        match self.state {
            TopicState::Reminded { deadline: at, before } => {
                (at - deadline.at).abs() < SAME_DATE && before <= reached
            }
            TopicState::Stands(_) => false,
        }
    }
}

impl Deadline {
    /// The last reminder whose time has come; none once the date itself has.
    fn reached(&self, now: Time) -> Option<TimeDelta> {
        let left = Some(self.at - now).filter(|left| *left > TimeDelta::zero())?;
        self.reminders.iter().copied().filter(|before| left <= *before).min()
    }

    fn reason(&self) -> Reason {
        Reason {
            code: self.code,
            severity: Health::Warning,
            message: self.message.clone(),
            remedy: self.remedy.clone(),
            action: Action::Reauthenticate,
            about: None,
            labels: self.labels.clone(),
            held_by: None,
        }
    }
}
