//! Gives an alarm, what becomes of it and the news that it is over one id, for services that open an
//! incident and close it.
//!
//! A message belongs to one incident at most, so a plan is parted by incidents. One that would be left
//! open, because its cause goes on as another or its token is not kept any more, is closed.

use std::collections::{HashMap, HashSet};

use super::Health;
use super::causes::Interest;
use super::notifications::{Notification, NotificationPlan};
use crate::token::{Label, NotificationEvent, Notified, Topic, TopicState};

/// The incidents that are open, by the causes that opened them.
pub type Incidents = HashMap<Topic, String>;

/// The same plan, each notification with the incident that it belongs to.
pub fn by_incident(
    plan: NotificationPlan,
    notified: &[Notified],
    open: &Incidents,
    interest: Interest<'_>,
) -> NotificationPlan {
    let standing = notified.iter().filter(|it| matches!(it.state, TopicState::Stands(_)));
    let open = Open {
        messages: standing.map(|it| (&it.topic, it.message.as_str())).collect(),
        incidents: open,
    };
    let NotificationPlan { notifications, notified, over } = plan;
    let (mut opened, mut recovered, mut closed) = (Vec::new(), Vec::new(), Vec::new());
    for notification in notifications {
        match notification.event {
            NotificationEvent::Recovered => recovered.extend(open.part_recovery(notification)),
            NotificationEvent::Reminder => opened.push(notification),
            NotificationEvent::Warning
            | NotificationEvent::Critical
            | NotificationEvent::Unknown => {
                let (parts, left) = open.part(notification);
                opened.extend(parts);
                closed.extend(left);
            }
        }
    }
    let (gone, over): (Vec<Topic>, Vec<Topic>) =
        over.into_iter().partition(|topic| open.of(topic).is_some());
    closed.extend(gone);
    let ended = open.ended(&opened, &recovered, &closed);
    for recovery in &mut recovered {
        // Where other tokens are left in it, it stays open.
        recovery.incident = recovery.incident.take().filter(|it| ended.contains(it.as_str()));
    }
    let told: HashSet<String> = recovered.iter().filter_map(|it| it.incident.clone()).collect();
    let is_wanted = interest.wants(NotificationEvent::Recovered);
    let is_left_open = |it: &str| is_wanted && ended.contains(it) && !told.contains(it);
    let (closings, over_in_silence) = open.closings(closed, is_left_open);
    let notifications = opened.into_iter().chain(recovered).chain(closings).collect();
    NotificationPlan {
        notifications,
        notified,
        over: over.into_iter().chain(over_in_silence).collect(),
    }
}

/// What is open.
struct Open<'a> {
    /// In which words the channel was notified of each cause that stands.
    messages: HashMap<&'a Topic, &'a str>,
    incidents: &'a Incidents,
}

impl Open<'_> {
    fn of(&self, topic: &Topic) -> Option<&String> {
        self.incidents.get(topic).filter(|_| self.messages.contains_key(topic))
    }

    /// Parts an alarm by the incidents that its causes belong to already, or whose causes they follow. What
    /// it ends of other incidents is left.
    fn part(&self, notification: Notification) -> (Vec<Notification>, Vec<Topic>) {
        let Notification { reason, notified, over, .. } = notification;
        let (standing, reminders): (Vec<Notified>, Vec<Notified>) =
            notified.into_iter().partition(|it| matches!(it.state, TopicState::Stands(_)));
        let mut parts: Vec<(Option<String>, Vec<Notified>)> = Vec::new();
        for one in standing {
            let same =
                |topic: &&Topic| topic.label == one.topic.label && topic.about == one.topic.about;
            let before = over.iter().filter(same).find_map(|topic| self.of(topic));
            let incident = self.of(&one.topic).or(before).cloned();
            match parts.iter_mut().find(|(known, _)| *known == incident) {
                Some((_, others)) => others.push(one),
                None => parts.push((incident, vec![one])),
            }
        }
        for reminder in reminders {
            let label = &reminder.topic.label;
            let is_its =
                |(_, all): &(_, Vec<Notified>)| all.iter().any(|it| it.topic.label == *label);
            let place = parts.iter().position(is_its).unwrap_or_default();
            if let Some((_, all)) = parts.get_mut(place) {
                all.push(reminder);
            }
        }
        let own: HashSet<Label> = parts.iter().flat_map(|(_, all)| labels(all)).collect();
        let (mut notifications, mut left) = (Vec::new(), over);
        for (at, (incident, notified)) in parts.into_iter().enumerate() {
            let its: HashSet<Label> = labels(&notified).collect();
            let mut reason = reason.clone();
            // Tokens that share the trouble of another are named once.
            reason.labels.retain(|it| its.contains(it) || (at == 0 && !own.contains(it)));
            let event = worst(&notified);
            reason.severity = severity(event);
            let (over, others) = left.into_iter().partition(|topic| match self.of(topic) {
                Some(of_it) => incident.as_ref() == Some(of_it),
                None => at == 0,
            });
            left = others;
            notifications.push(Notification { event, reason, notified, over, incident });
        }
        (notifications, left)
    }

    /// Parts the news that causes have gone by the incidents that they belonged to.
    fn part_recovery(&self, notification: Notification) -> Vec<Notification> {
        let mut parts: Vec<Notification> = Vec::new();
        for topic in notification.over.clone() {
            let incident = self.of(&topic).cloned();
            let label = topic.label.clone();
            if let Some(part) = parts.iter_mut().find(|part| part.incident == incident) {
                part.over.push(topic);
                part.reason.labels.extend(label);
            } else {
                let mut part = Notification { incident, ..notification.clone() };
                part.over = vec![topic];
                part.reason.labels = label.into_iter().collect();
                parts.push(part);
            }
        }
        // The news of a channel itself is of no cause.
        if parts.is_empty() { vec![notification] } else { parts }
    }

    /// The incidents of which nothing is left when all this was sent.
    fn ended(
        &self,
        opened: &[Notification],
        recovered: &[Notification],
        closed: &[Topic],
    ) -> HashSet<String> {
        let messages = || opened.iter().chain(recovered);
        let over: HashSet<&Topic> = messages().flat_map(|it| &it.over).chain(closed).collect();
        let moved: HashSet<&Topic> =
            opened.iter().flat_map(|it| &it.notified).map(|it| &it.topic).collect();
        let is_left = |topic: &&Topic| !over.contains(topic) && !moved.contains(topic);
        let topics = || self.incidents.keys().filter(|topic| self.messages.contains_key(topic));
        let left = topics().filter(is_left).filter_map(|topic| self.of(topic));
        let going_on = opened.iter().filter_map(|it| it.incident.as_ref());
        let left: HashSet<&String> = left.chain(going_on).collect();
        topics()
            .filter_map(|topic| self.of(topic))
            .filter(|it| !left.contains(it))
            .cloned()
            .collect()
    }

    /// A message for each incident that nothing else closes; what is only forgotten is the rest.
    fn closings(
        &self,
        topics: Vec<Topic>,
        is_to_be_closed: impl Fn(&str) -> bool,
    ) -> (Vec<Notification>, Vec<Topic>) {
        let (mut closings, mut rest): (Vec<Notification>, _) = (Vec::new(), Vec::new());
        for topic in topics {
            let incident = self.of(&topic).filter(|it| is_to_be_closed(it)).cloned();
            let Some(incident) = incident else {
                rest.push(topic);
                continue;
            };
            let known = closings.iter_mut().find(|it| it.incident.as_ref() == Some(&incident));
            let place = if let Some(known) = known {
                known
            } else {
                let message = self.messages.get(&topic).copied().unwrap_or_default();
                closings.push(Notification::closing(message, incident));
                let last = closings.len() - 1;
                &mut closings[last]
            };
            place.reason.labels.extend(topic.label.clone());
            place.over.push(topic);
        }
        (closings, rest)
    }
}

fn labels(notified: &[Notified]) -> impl Iterator<Item = Label> {
    notified.iter().filter_map(|it| it.topic.label.clone())
}

/// The worst of what is said.
fn worst(notified: &[Notified]) -> NotificationEvent {
    let events = notified.iter().filter_map(|it| match it.state {
        TopicState::Stands(event) => Some(event),
        TopicState::Reminded { .. } => None,
    });
    events.max_by_key(|event| severity(*event).rank()).unwrap_or(NotificationEvent::Warning)
}

const fn severity(event: NotificationEvent) -> Health {
    match event {
        NotificationEvent::Critical => Health::Critical,
        NotificationEvent::Warning | NotificationEvent::Reminder => Health::Warning,
        NotificationEvent::Unknown => Health::Unknown,
        NotificationEvent::Recovered => Health::Ok,
    }
}
