//! Whatever happens, nothing is told twice and nothing is lost.

use metatoken::policy::{Health, Issues};
use metatoken::token::{NotificationEvent, TopicState};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{Channel, Notification, day, deadline, issues, label};

/// What may stand against a token; most of it twice, to be worse or better.
const OF_TOKENS: [&str; 9] = [
    "warning expiring",
    "critical expiring",
    "critical expired",
    "critical revoked",
    "warning app_disabled",
    "critical app_disabled",
    "warning delivery_failed app",
    "critical delivery_failed web",
    "warning unchecked",
];
const OF_SYSTEM: [&str; 4] =
    ["warning no_recent_run", "critical no_recent_run", "warning clock_skew", "unknown clock_skew"];
const NAMES: [&str; 4] = ["a", "a/1", "a/2", "b"];

prop_compose! {
    /// A day on which some tokens are there, each with some troubles; Pages may share their parent's.
    pub(super) fn any_standing()(
        present in prop::collection::vec(any::<bool>(), 4),
        troubles in prop::collection::vec(subsequence(&OF_TOKENS[..], 0..4), 4),
        held in prop::collection::vec(any::<bool>(), 4),
        system in subsequence(&OF_SYSTEM[..], 0..3),
        ends in prop::option::of(20..80_i64),
        doubted in prop::bool::weighted(0.1),
    ) -> Issues {
        let mut all: Vec<(&str, &[&str])> = vec![("", &system)];
        all.extend(NAMES.iter().zip(&troubles).map(|(name, troubles)| (*name, &troubles[..])));
        let mut issues = issues(&all);
        for ((token, held), name) in issues.tokens.iter_mut().zip(held).zip(NAMES) {
            if held && name.starts_with("a/") {
                for reason in &mut token.reasons {
                    reason.held_by = Some(label("a"));
                    reason.message.push_str(" with its parent");
                }
            }
            token.deadlines.extend(ends.map(|ends| deadline("expiring", day(ends), &[name])));
        }
        let mut present = present.into_iter();
        issues.tokens.retain(|_| present.next().unwrap());
        if doubted {
            issues.dates = metatoken::policy::Dates::Doubted;
            let dated = ["expiring", "expired", "unchecked"];
            for token in &mut issues.tokens {
                token.deadlines.clear();
                token.reasons.retain(|it| !dated.contains(&it.code));
            }
        }
        issues
    }
}

prop_compose! {
    fn any_channel()(
        events in subsequence(NotificationEvent::ALL, 1..=NotificationEvent::ALL.len()),
        labels in select(vec![vec![], vec!["a*"], vec!["a"], vec!["b", "a/1"]]),
    ) -> Channel {
        Channel { events, ..Channel::about(&labels) }
    }
}

/// What has not been told of an notification that stands: all of it must be new.
fn is_news(channel: &Channel, notification: &Notification) -> bool {
    let known = |topic| channel.notified.iter().find(|notified| &notified.topic == topic);
    let changed = notification
        .notified
        .iter()
        .all(|new| known(&new.topic).map(|it| it.state) != Some(new.state));
    // Of what has gone something was known.
    changed && notification.over.iter().all(|topic| known(topic).is_some())
}

fn is_told(channel: &Channel, notification: &Notification) -> bool {
    notification.notified.iter().all(|notified| channel.notified.contains(notified))
        && notification
            .over
            .iter()
            .all(|topic| channel.notified.iter().all(|it| it.topic != *topic))
}

pub(super) fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 400,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_is_told_twice_and_nothing_is_lost(
        mut channel in any_channel(),
        days in prop::collection::vec((any_standing(), any::<u8>()), 1..12),
    ) {
        for (number, (issues, luck)) in days.iter().enumerate() {
            let now = day(5 * i64::try_from(number).unwrap());
            let before = channel.plan(issues, now);
            for notification in &before.notifications {
                prop_assert!(channel.events.contains(&notification.event), "{notification:?}");
                prop_assert!(is_news(&channel, notification), "{notification:?}\n{:?}", channel.notified);
            }
            // Each gets through or not, as luck has it.
            let mut place = 0_u32;
            channel.run(issues, now, |_| { place += 1; luck.rotate_right(place) & 1 == 0 });
            let after = channel.plan(issues, now);
            for notification in &before.notifications {
                let again = after.notifications.iter().any(|it| it.event == notification.event
                    && it.reason.message == notification.reason.message);
                prop_assert!(again || is_told(&channel, notification), "lost: {notification:?}");
            }
            // What got through is not told twice, and once everything has nothing is.
            for notification in &after.notifications {
                prop_assert!(is_news(&channel, notification), "twice: {notification:?}");
            }
            if luck % 3 == 0 {
                let mut rested = channel.clone();
                rested.run(issues, now, |_| true);
                let rest = rested.plan(issues, now);
                prop_assert_eq!(rest, super::NotificationPlan::default());
                channel = rested;
            }
        }
    }

    #[test]
    fn who_wants_everything_knows_how_everything_stands(
        days in prop::collection::vec(any_standing(), 1..8),
    ) {
        let mut channel = Channel::new();
        for issues in &days {
            channel.run(issues, day(0), |_| true);
        }
        let last = days.last().unwrap();
        let all = last.tokens.iter().flat_map(|it| &it.reasons).chain(&last.system);
        let worst = all.clone().map(|it| it.severity).fold(Health::Ok, Health::worse);
        let stands = |notified: &&metatoken::token::Notified| matches!(notified.state, TopicState::Stands(_));
        // The worst is known, under whatever name, and nothing is known of which nothing is left.
        let known = |event| channel.notified.iter().any(|it| it.state == TopicState::Stands(event));
        prop_assert!(worst != Health::Critical || known(NotificationEvent::Critical));
        if last.dates == metatoken::policy::Dates::Trusted {
            for notified in channel.notified.iter().filter(stands) {
                prop_assert!(all.clone().any(|it| it.code == notified.topic.code), "{notified:?}");
            }
        }
    }
}
