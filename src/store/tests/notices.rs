use std::collections::HashMap;

use super::*;
use crate::store::SentNotification;
use crate::store::sqlite::place;
use crate::token::{ChannelId, NotificationEvent, Notified, TargetId, Topic, TopicState};

contract! {
    what_a_channel_was_told_is_remembered_to_the_letter,
    the_last_word_counts_and_what_is_over_is_forgotten_with_it,
    a_channel_keeps_its_number_and_counts_what_got_through,
    a_channel_fails_since_it_first_did_and_each_way_is_an_event,
    a_channel_that_the_config_lost_is_forgotten_with_all_it_was_told,
    a_cause_keeps_the_incident_it_was_told_of_last,
    the_mails_of_an_owner_are_counted_for_a_week,
}

fn ops() -> ChannelId {
    ChannelId::new("ops")
}

fn topic(token: &str, code: &str, about: &str) -> Topic {
    Topic {
        label: (!token.is_empty()).then(|| label(token)),
        code: code.to_owned(),
        about: (!about.is_empty()).then(|| about.to_owned()),
    }
}

fn notified(topic: Topic, event: NotificationEvent) -> Notified {
    Notified { topic, state: TopicState::Stands(event), message: format!("it is {event}") }
}

impl Shelf {
    fn note_notified(&self, channel: &ChannelId, notified: &[Notified], over: &[Topic]) {
        self.store.channel(channel).unwrap();
        self.sent(channel, SentNotification { notified, over, incident: "1", owner: None });
    }

    fn sent(&self, channel: &ChannelId, sent: SentNotification<'_>) {
        self.store.note_notified(channel, sent, day(1)).unwrap();
    }

    #[track_caller]
    fn remembers(&self, channel: &ChannelId, expected: &[Notified]) {
        let mut expected = expected.to_vec();
        let mut found = self.store.notified(channel).unwrap();
        expected.sort_by(|a, b| a.topic.cmp(&b.topic));
        found.sort_by(|a, b| a.topic.cmp(&b.topic));
        assert_eq!(found, expected);
    }

    fn fails(&self, channel: &ChannelId, error: &str, now: Time) {
        self.store.note_channel_failure(self.run, channel, error, now).unwrap();
    }

    /// Which channels fail, since which day, and how.
    fn failing(&self) -> Vec<(String, Time, String)> {
        let failing = self.store.failing_channels().unwrap().into_iter();
        failing.map(|it| (it.channel.to_string(), it.since, it.error)).collect()
    }
}

fn what_a_channel_was_told_is_remembered_to_the_letter(make: Make) {
    let shelf = make();
    let reminder = Notified {
        topic: topic("brand", "reminder", "expiring"),
        state: TopicState::Reminded { deadline: day(60), before: TimeDelta::days(7) },
        message: "it ends".to_owned(),
    };
    let all = [
        notified(topic("brand", "expiring", ""), NotificationEvent::Warning),
        notified(topic("brand", "delivery_failed", "app"), NotificationEvent::Critical),
        notified(topic("brand", "delivery_failed", "web"), NotificationEvent::Unknown),
        notified(topic("brand/1", "expiring", ""), NotificationEvent::Warning),
        notified(topic("", "clock_skew", ""), NotificationEvent::Warning),
        notified(topic("", "readable_by_others", "/etc/key"), NotificationEvent::Warning),
        reminder,
    ];
    shelf.note_notified(&ops(), &all, &[]);
    shelf.remembers(&ops(), &all);
    shelf.remembers(&ChannelId::new("other"), &[]);
}

fn the_last_word_counts_and_what_is_over_is_forgotten_with_it(make: Make) {
    let shelf = make();
    let (late, dead) = (topic("brand", "expiring", ""), topic("brand", "revoked", ""));
    shelf.note_notified(&ops(), &[notified(late.clone(), NotificationEvent::Warning)], &[]);
    let worse = notified(late.clone(), NotificationEvent::Critical);
    shelf.note_notified(&ops(), std::slice::from_ref(&worse), &[]);
    shelf.remembers(&ops(), &[worse]);
    let dead = notified(dead, NotificationEvent::Critical);
    // Another channel's and another target's are not touched.
    let other = ChannelId::new("other");
    let others = [notified(late.clone(), NotificationEvent::Warning)];
    shelf.note_notified(&other, &others, &[topic("brand", "expiring", "app")]);
    shelf.note_notified(&ops(), std::slice::from_ref(&dead), &[late]);
    shelf.remembers(&ops(), &[dead]);
    shelf.remembers(&other, &others);
    // What is told again while it is said to be over stays.
    shelf.note_notified(&other, &others, &[others[0].topic.clone()]);
    shelf.remembers(&other, &others);
}

fn a_cause_keeps_the_incident_it_was_told_of_last(make: Make) {
    let shelf = make();
    let late = notified(topic("brand", "expiring", ""), NotificationEvent::Warning);
    let told = |notified: &[Notified], over: &[Topic], incident: &str| {
        shelf.store.channel(&ops()).unwrap();
        shelf.sent(&ops(), SentNotification { notified, over, incident, owner: None });
    };
    told(std::slice::from_ref(&late), &[], "i-1");
    // What the channel does not want to be notified of changes nothing about it.
    shelf.store.note_unwanted(&ops(), std::slice::from_ref(&late), &[], day(1)).unwrap();
    let incidents = || shelf.store.incidents(&ops()).unwrap();
    assert_eq!(incidents(), HashMap::from([(late.topic.clone(), "i-1".to_owned())]));
    told(std::slice::from_ref(&late), &[], "i-2");
    assert_eq!(incidents()[&late.topic], "i-2");
    told(&[], std::slice::from_ref(&late.topic), "i-2");
    assert!(incidents().is_empty());
}

fn the_mails_of_an_owner_are_counted_for_a_week(make: Make) {
    let shelf = make();
    let mailed = |owner: &str, at: Time| {
        let sent = SentNotification { notified: &[], over: &[], incident: "1", owner: Some(owner) };
        shelf.store.note_notified(&ops(), sent, at).unwrap();
    };
    for (owner, at) in [("anna", 1), ("anna", 2), ("ben", 2)] {
        mailed(owner, day(at));
    }
    let count = |owner: &str, since: i64| shelf.store.mails_to(owner, day(since)).unwrap();
    assert_eq!((count("anna", 0), count("anna", 1), count("ben", 0)), (2, 1, 1));
    mailed("ben", day(9));
    assert_eq!((count("anna", 0), count("ben", 0)), (1, 2));
}

fn a_channel_keeps_its_number_and_counts_what_got_through(make: Make) {
    let shelf = make();
    let first = shelf.store.channel(&ops()).unwrap();
    assert_eq!((first.uid.len(), first.sent), (12, 0));
    shelf.note_notified(&ops(), &[], &[]);
    let silent = [notified(topic("brand", "expiring", ""), NotificationEvent::Warning)];
    shelf.store.note_unwanted(&ops(), &silent, &[], day(1)).unwrap();
    shelf.remembers(&ops(), &silent);
    shelf.fails(&ops(), "HTTP 500", day(2));
    let now = shelf.store.channel(&ops()).unwrap();
    assert_eq!((now.uid, now.sent), (first.uid.clone(), 1));
    assert_ne!(shelf.store.channel(&ChannelId::new("other")).unwrap().uid, first.uid);
}

fn a_channel_fails_since_it_first_did_and_each_way_is_an_event(make: Make) {
    let shelf = make();
    for (at, error) in [(1, "HTTP 500"), (2, "HTTP 500"), (3, "no answer"), (4, "no answer")] {
        shelf.fails(&ops(), error, day(at));
        assert_eq!(shelf.failing(), [("ops".to_owned(), day(1), error.to_owned())]);
    }
    shelf.note_notified(&ops(), &[], &[]);
    assert_eq!(shelf.failing(), []);
    shelf.fails(&ops(), "no answer", day(5));
    assert_eq!(shelf.failing(), [("ops".to_owned(), day(5), "no answer".to_owned())]);
    shelf.store.note_channel_works(&ops()).unwrap();
    assert_eq!(shelf.failing(), []);
    let events = shelf.store.events(&EventQuery::default()).unwrap();
    let notified: Vec<_> = events
        .iter()
        .rev()
        .map(|it| (it.at, it.kind, it.problem.as_ref().unwrap().message.as_str()))
        .collect();
    let failed = EventKind::NotificationFailed;
    let expected = [(1, "HTTP 500"), (3, "no answer"), (5, "no answer")]
        .map(|(at, why)| (day(at), failed, why));
    assert_eq!(notified, expected);
    assert!(events.iter().all(|it| it.label.is_none() && it.target == Some(TargetId::new("ops"))));
    // They are nobody's, so they are not among a token's, and count as failures.
    let of = |query| shelf.store.events(&query).unwrap().len();
    assert_eq!(of(EventQuery { labels: Some(vec![label("ops")]), ..EventQuery::default() }), 0);
    assert_eq!(of(EventQuery { kinds: Some(EventQuery::FAILURES), ..EventQuery::default() }), 3);
}

fn a_channel_that_the_config_lost_is_forgotten_with_all_it_was_told(make: Make) {
    let shelf = make();
    let (gone, other) = (ChannelId::new("it's \"gone\""), ChannelId::new("other"));
    let known = [notified(topic("brand", "expiring", ""), NotificationEvent::Warning)];
    for channel in [&gone, &other] {
        shelf.note_notified(channel, &known, &[]);
        shelf.fails(channel, "HTTP 500", day(1));
    }
    let uid = shelf.store.channel(&gone).unwrap().uid;
    shelf.store.forget_channels_but(&[gone.clone(), other.clone()]).unwrap();
    shelf.remembers(&gone, &known);
    shelf.store.forget_channels_but(std::slice::from_ref(&other)).unwrap();
    shelf.remembers(&gone, &[]);
    shelf.remembers(&other, &known);
    assert_eq!(shelf.failing().len(), 1);
    assert_ne!(shelf.store.channel(&gone).unwrap().uid, uid, "it is another one now");
    shelf.store.forget_channels_but(&[]).unwrap();
    assert_eq!(shelf.failing(), []);
}

#[test]
fn where_nothing_changes_nothing_is_written() {
    let shelf = Shelf::new();
    shelf.store.channel(&ops()).unwrap();
    let log = || std::fs::read(place::beside(&shelf.path, place::LOG)).unwrap();
    let before = log();
    shelf.store.note_unwanted(&ops(), &[], &[], day(1)).unwrap();
    shelf.store.forget_channels_but(&[ops()]).unwrap();
    assert_eq!(shelf.store.notified(&ops()).unwrap(), []);
    assert!(before == log());
}
