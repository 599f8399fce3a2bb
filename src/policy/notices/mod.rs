//! What people are told, and when no more.
//!
//! An alarm that repeats itself is muted, and one that was muted is no alarm. So what every channel
//! was told of every cause is remembered, and it hears of a cause once for each state that it
//! takes: when it comes, when it becomes worse or better, when it goes. What is remembered is
//! written down only when it got through; whoever plans again after a failure or a kill plans the
//! same.
//!
//! `causes` makes one of what has one cause, `ends` says when one is over, `dates` reminds.

mod causes;
mod dates;
mod ends;

use self::causes::{Cause, causes};
use super::dates::Deadline;
use super::{Dates, Health, Reason};
use crate::token::{Label, NoticeEvent, Pattern, Time, Told, Topic, TopicState};

/// What a channel wants to hear of.
#[derive(Debug, Clone, Copy)]
pub struct Interest<'a> {
    /// What is told.
    pub events: &'a [NoticeEvent],
    /// Of which tokens; without a pattern of all, and of the machinery.
    pub labels: &'a [Pattern],
}

/// How everything stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Every token.
    pub tokens: Vec<TokenStanding>,
    /// What stands against the machinery.
    pub system: Vec<Reason>,
    /// Whether dates were judged: while they are doubted nothing is said of them, which does not
    /// mean that they are far off.
    pub dates: Dates,
}

impl Standing {
    /// Where a token stands among the others; the machinery comes first.
    fn place(&self, label: Option<&Label>) -> Option<usize> {
        let label = label?;
        Some(self.tokens.iter().position(|it| it.label == *label).unwrap_or(usize::MAX))
    }
}

/// How one token stands.
#[derive(Debug, Clone)]
pub struct TokenStanding {
    /// Its name.
    pub label: Label,
    /// What stands against it.
    pub reasons: Vec<Reason>,
    /// The dates that only a person can move.
    pub deadlines: Vec<Deadline>,
}

/// One thing that a channel is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// What it is about.
    pub event: NoticeEvent,
    /// What is said; of a cause that has gone, what was said when it stood.
    pub reason: Reason,
    /// What is remembered once it got through.
    pub told: Vec<Told>,
    /// What is forgotten then.
    pub over: Vec<Topic>,
}

/// What a channel is to be told, and what is remembered or forgotten without a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The worst first, then reminders, what has gone last.
    pub announcements: Vec<Announcement>,
    /// What has changed in a way that the channel does not want to hear of.
    pub told: Vec<Told>,
    /// What no longer concerns the channel.
    pub over: Vec<Topic>,
}

/// What a channel is to be told, after it was `told` so much.
pub fn plan(interest: Interest<'_>, standing: &Standing, told: &[Told], now: Time) -> Plan {
    let mut plan = Plan::default();
    let causes = causes(interest, standing);
    for cause in &causes {
        plan.tell_change(interest, cause, told);
    }
    plan.tell_ends(interest, standing, &causes, told);
    plan.remind(interest, standing, told, now);
    plan.announcements.sort_by_key(|announcement| rank(announcement.event));
    plan
}

const fn rank(event: NoticeEvent) -> u8 {
    match event {
        NoticeEvent::Critical => 0,
        NoticeEvent::Warning => 1,
        NoticeEvent::Unknown => 2,
        NoticeEvent::Reminder => 3,
        NoticeEvent::Recovered => 4,
    }
}

const fn event(health: Health) -> Option<NoticeEvent> {
    match health {
        Health::Ok => None,
        Health::Warning => Some(NoticeEvent::Warning),
        Health::Critical => Some(NoticeEvent::Critical),
        Health::Unknown => Some(NoticeEvent::Unknown),
    }
}

impl Interest<'_> {
    fn wants(self, event: NoticeEvent) -> bool {
        self.events.contains(&event)
    }

    fn covers(self, label: &Label) -> bool {
        self.labels.is_empty() || self.labels.iter().any(|pattern| pattern.matches(label))
    }

    /// Whether a cause is still one that the channel could hear of.
    fn reaches(self, topic: &Topic, standing: &Standing) -> bool {
        match &topic.label {
            Some(label) => {
                self.covers(label) && standing.tokens.iter().any(|it| it.label == *label)
            }
            None => self.labels.is_empty(),
        }
    }
}

impl Plan {
    /// Tells of a cause that is new or has changed, with the tokens of which that is true and those
    /// that they hold back.
    fn tell_change(&mut self, interest: Interest<'_>, cause: &Cause, told: &[Told]) {
        let before = |topic: &Topic| told.iter().find(|told| told.topic == *topic);
        let mut wanted = Vec::new();
        let mut worst = Health::Ok;
        for (topic, severity) in &cause.topics {
            let Some(event) = event(*severity) else { continue };
            let state = TopicState::Stands(event);
            let known = before(topic);
            if known.is_some_and(|told| told.state == state) {
                continue;
            }
            let message = cause.reason.message.clone();
            let now = Told { topic: topic.clone(), state, message };
            if interest.wants(event) {
                worst = worst.worse(*severity);
                wanted.push(now);
            } else if known.is_some() {
                self.told.push(now);
            }
        }
        let Some(event) = event(worst) else { return };
        let mut reason = cause
            .with_those(|label| wanted.iter().any(|told| told.topic.label.as_ref() == Some(label)));
        reason.severity = worst;
        self.announcements.push(Announcement { event, reason, told: wanted, over: Vec::new() });
    }
}
