//! When a cause is over, and whether that is good news.
//!
//! It is not where something else took its place, where the token now shares another's trouble, or
//! where the token is no longer looked after; and while dates are doubted nobody knows.

use super::causes::Cause;
use super::{Announcement, Interest, Plan, Standing};
use crate::policy::reason::hangs_on_a_date;
use crate::policy::versions::FALLBACK;
use crate::policy::{Dates, Health, Reason};
use crate::token::{Action, NoticeEvent, Told, Topic, TopicState};

/// The code of what is said of a cause that has gone.
const RECOVERED: &str = "recovered";

/// Whether a cause is seen only while Graph is asked: that it is not seen now means nothing.
fn is_seen_by_chance(told: &Told) -> bool {
    told.topic.code == FALLBACK
}

/// What becomes of a cause that has gone.
enum End {
    /// Something else is told in its place.
    ReplacedBy(usize),
    /// It is forgotten.
    Silent,
    /// It is told.
    Recovered,
}

impl Plan {
    /// Tells of causes that have gone.
    pub(super) fn tell_ends(
        &mut self,
        interest: Interest<'_>,
        standing: &Standing,
        causes: &[Cause],
        told: &[Told],
    ) {
        let stands =
            |topic: &Topic| causes.iter().flat_map(|it| &it.topics).any(|it| it.0 == *topic);
        let doubted = |told: &Told| {
            standing.dates == Dates::Doubted
                && hangs_on_a_date(&told.topic.code)
                && interest.reaches(&told.topic, standing)
        };
        let gone = told.iter().filter(|told| {
            matches!(told.state, TopicState::Stands(_))
                && !stands(&told.topic)
                && !doubted(told)
                && !is_seen_by_chance(told)
        });
        let known = |topic: &Topic| told.iter().any(|told| told.topic == *topic);
        let mut gone: Vec<&Told> = gone.collect();
        gone.sort_by_key(|told| standing.place(told.topic.label.as_ref()));
        for gone in gone {
            let topic = &gone.topic;
            let end = if interest.reaches(topic, standing) {
                self.end(interest, causes, topic, known)
            } else {
                End::Silent
            };
            match end {
                End::ReplacedBy(place) => self.announcements[place].over.push(topic.clone()),
                End::Silent => self.over.push(topic.clone()),
                End::Recovered => self.tell_recovery(gone),
            }
        }
    }

    fn end(
        &self,
        interest: Interest<'_>,
        causes: &[Cause],
        topic: &Topic,
        known: impl Fn(&Topic) -> bool,
    ) -> End {
        let place = self.announcements.iter().position(|it| it.replaces(topic));
        if let Some(place) = place {
            return End::ReplacedBy(place);
        }
        let goes_on = causes.iter().any(|cause| cause.goes_on_as(topic, &known));
        if goes_on || !interest.wants(NoticeEvent::Recovered) {
            return End::Silent;
        }
        End::Recovered
    }

    fn tell_recovery(&mut self, told: &Told) {
        let topic = &told.topic;
        let same = |it: &&mut Announcement| {
            it.event == NoticeEvent::Recovered
                && it.reason.message == told.message
                && it.over.iter().all(|it| (&it.code, &it.about) == (&topic.code, &topic.about))
        };
        if let Some(known) = self.announcements.iter_mut().find(same) {
            known.reason.labels.extend(topic.label.clone());
            known.over.push(topic.clone());
            return;
        }
        let mut announcement = Announcement::recovery(&told.message);
        announcement.reason.about.clone_from(&topic.about);
        announcement.reason.labels = topic.label.iter().cloned().collect();
        announcement.over.push(topic.clone());
        self.announcements.push(announcement);
    }
}

impl Cause {
    /// Whether this is what has become of a cause of the same token that has gone: one that the
    /// channel was not told of before, or that of a token which holds this one back.
    fn goes_on_as(&self, topic: &Topic, known: impl Fn(&Topic) -> bool) -> bool {
        let Some(label) = &topic.label else { return false };
        let held = topic.about.is_none()
            && self.reason.labels.contains(label)
            && !self.has_topic_of(label);
        let new = |other: &Topic| other.is_in_the_place_of(topic) && !known(other);
        held || self.topics.iter().any(|(other, _)| new(other))
    }
}

impl Topic {
    /// Whether both are about the same thing of the same token.
    fn is_in_the_place_of(&self, gone: &Self) -> bool {
        gone.label.is_some() && (&self.label, &self.about) == (&gone.label, &gone.about)
    }
}

impl Announcement {
    /// That what was said is no longer so.
    pub fn recovery(of: &str) -> Self {
        let reason = Reason {
            code: RECOVERED,
            severity: Health::Ok,
            message: of.to_owned(),
            remedy: String::new(),
            action: Action::None,
            about: None,
            labels: Vec::new(),
            held_by: None,
        };
        Self { event: NoticeEvent::Recovered, reason, told: Vec::new(), over: Vec::new() }
    }

    /// Whether it tells what has become of a cause that has gone.
    fn replaces(&self, gone: &Topic) -> bool {
        let Some(label) = &gone.label else { return false };
        let own = |told: &Told| told.topic.label.as_ref() == Some(label);
        let held = gone.about.is_none()
            && self.reason.labels.contains(label)
            && !self.told.iter().any(own);
        !self.told.is_empty()
            && (held || self.told.iter().any(|told| told.topic.is_in_the_place_of(gone)))
    }
}
