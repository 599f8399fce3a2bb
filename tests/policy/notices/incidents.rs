//! What a service that opens and closes incidents is told: whatever happens, those that are open there are
//! those whose causes stand.

use std::collections::HashSet;

use metatoken::policy::{Incidents, Interest, Issues, Notification, by_incident};
use metatoken::token::{NotificationEvent, Time, TopicState};
use proptest::prelude::*;

use super::property::{any_standing, config};
use super::{Channel, day, issues, label, line};

/// A channel with incidents, and the service behind it.
struct Service {
    channel: Channel,
    known: Incidents,
    open: HashSet<String>,
    sent: usize,
}

impl Service {
    fn new(channel: Channel) -> Self {
        Self { channel, known: Incidents::new(), open: HashSet::new(), sent: 0 }
    }

    /// Sends what is due and gets through; gives what was said, each line with its incident.
    fn run(
        &mut self,
        issues: &Issues,
        now: Time,
        mut gets: impl FnMut(&Notification) -> bool,
    ) -> Vec<String> {
        let plan = self.channel.plan(issues, now);
        let Channel { events, labels, notified } = &self.channel;
        let interest = Interest { events, labels };
        let plan = by_incident(plan, notified, &self.known, interest);
        self.channel.remember(&plan.notified, &plan.over);
        self.known.retain(|topic, _| !plan.over.contains(topic));
        let mut said = Vec::new();
        for notification in plan.notifications.iter().filter(|it| gets(it)) {
            self.sent += 1;
            let fresh = format!("i{}", self.sent);
            let incident = notification.incident.clone().unwrap_or(fresh);
            match notification.event {
                NotificationEvent::Recovered => drop(self.open.remove(&incident)),
                NotificationEvent::Reminder => {}
                _ => drop(self.open.insert(incident.clone())),
            }
            said.push(format!("{incident} {}", line(notification)));
            self.channel.remember(&notification.notified, &notification.over);
            self.known.retain(|topic, _| !notification.over.contains(topic));
            let topics = notification.notified.iter().map(|it| it.topic.clone());
            self.known.extend(topics.map(|topic| (topic, incident.clone())));
        }
        said
    }

    /// The incidents whose causes the channel was notified of and not of their end.
    fn standing(&self) -> HashSet<String> {
        let notified = self.channel.notified.iter();
        let stands = notified.filter(|it| matches!(it.state, TopicState::Stands(_)));
        stands.filter_map(|it| self.known.get(&it.topic)).cloned().collect()
    }
}

#[track_caller]
fn tells(service: &mut Service, issues: &Issues, expected: &[&str]) {
    assert_eq!(service.run(issues, day(0), |_| true), expected);
    assert_eq!(service.run(issues, day(0), |_| true), [""; 0], "again");
    assert_eq!(service.open, service.standing());
}

#[test]
fn an_alarm_what_becomes_of_it_and_its_end_have_one_id() {
    let mut service = Service::new(Channel::new());
    tells(&mut service, &issues(&[("a", &["warning expiring"])]), &["i1 warning a: expiring"]);
    tells(&mut service, &issues(&[("a", &["critical expiring"])]), &["i1 critical a: expiring"]);
    tells(&mut service, &issues(&[("a", &["critical expired"])]), &["i1 critical a: expired"]);
    tells(&mut service, &issues(&[("a", &[])]), &["i1 recovered a: expired"]);
    // What comes again is another.
    tells(&mut service, &issues(&[("a", &["warning expiring"])]), &["i5 warning a: expiring"]);
}

#[test]
fn an_incident_of_several_tokens_is_over_with_the_last_of_them() {
    let dead = |a: &[&str], b: &[&str]| issues(&[("a", a), ("b", b)]);
    let mut service = Service::new(Channel::new());
    let both = dead(&["critical app_disabled"], &["critical app_disabled"]);
    tells(&mut service, &both, &["i1 critical a, b: app_disabled"]);
    let one = dead(&[], &["critical app_disabled"]);
    tells(&mut service, &one, &["i2 recovered a: app_disabled"]);
    tells(&mut service, &dead(&[], &[]), &["i1 recovered b: app_disabled"]);
}

#[test]
fn two_incidents_that_end_together_are_both_closed() {
    let mut service = Service::new(Channel::new());
    let of = |a: &[&str], b: &[&str]| issues(&[("a", a), ("b", b)]);
    tells(&mut service, &of(&["critical expired"], &[]), &["i1 critical a: expired"]);
    let both = of(&["critical expired"], &["critical expired"]);
    tells(&mut service, &both, &["i2 critical b: expired"]);
    let revoked = of(&["critical revoked"], &["critical revoked"]);
    tells(&mut service, &revoked, &["i1 critical a: revoked", "i2 critical b: revoked"]);
    let well = ["i1 recovered a: revoked", "i2 recovered b: revoked"];
    tells(&mut service, &of(&[], &[]), &well);
}

#[test]
fn what_goes_on_with_its_parent_or_is_not_kept_any_more_is_closed() {
    let mut service = Service::new(Channel::new());
    let page = issues(&[("a", &[]), ("a/1", &["critical revoked"])]);
    tells(&mut service, &page, &["i1 critical a/1: revoked"]);
    let mut both = issues(&[("a", &["critical revoked"]), ("a/1", &["critical revoked"])]);
    both.tokens[1].reasons[0].held_by = Some(label("a"));
    "dead with `a`".clone_into(&mut both.tokens[1].reasons[0].message);
    tells(&mut service, &both, &["i2 critical a, a/1: revoked", "i1 recovered a/1: revoked"]);
    let gone = issues(&[("b", &[])]);
    tells(&mut service, &gone, &["i2 recovered a: revoked"]);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_open_there_is_what_stands_here(
        days in prop::collection::vec((any_standing(), any::<u8>()), 1..12),
        labels in prop::sample::select(vec![vec![], vec!["a*"], vec!["b", "a/1"]]),
    ) {
        let mut service = Service::new(Channel::about(&labels));
        for (number, (issues, luck)) in days.iter().enumerate() {
            let now = day(5 * i64::try_from(number).unwrap());
            let mut place = 0_u32;
            service.run(issues, now, |_| { place += 1; luck.rotate_right(place) & 1 == 0 });
            prop_assert_eq!(&service.open, &service.standing(), "{:?}", issues);
        }
        service.run(&issues(&[]), day(99), |_| true);
        prop_assert!(service.open.is_empty(), "left open: {:?}", service.open);
    }
}
