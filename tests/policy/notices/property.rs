//! Whatever happens, nothing is told twice and nothing is lost.

use metatoken::policy::{Health, Standing};
use metatoken::token::{NoticeEvent, TopicState};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{Announcement, Channel, day, deadline, label, standing};

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
    "warning unproven",
];
const OF_SYSTEM: [&str; 4] =
    ["warning no_recent_run", "critical no_recent_run", "warning clock_skew", "unknown clock_skew"];
const NAMES: [&str; 4] = ["a", "a/1", "a/2", "b"];

prop_compose! {
    /// A day on which some tokens are there, each with some troubles; Pages may share their parent's.
    fn any_standing()(
        present in prop::collection::vec(any::<bool>(), 4),
        troubles in prop::collection::vec(subsequence(&OF_TOKENS[..], 0..4), 4),
        held in prop::collection::vec(any::<bool>(), 4),
        system in subsequence(&OF_SYSTEM[..], 0..3),
        ends in prop::option::of(20..80_i64),
        doubted in prop::bool::weighted(0.1),
    ) -> Standing {
        let mut all: Vec<(&str, &[&str])> = vec![("", &system)];
        all.extend(NAMES.iter().zip(&troubles).map(|(name, troubles)| (*name, &troubles[..])));
        let mut standing = standing(&all);
        for ((token, held), name) in standing.tokens.iter_mut().zip(held).zip(NAMES) {
            if held && name.starts_with("a/") {
                for reason in &mut token.reasons {
                    reason.held_by = Some(label("a"));
                    reason.message.push_str(" with its parent");
                }
            }
            token.deadlines.extend(ends.map(|ends| deadline("expiring", day(ends), &[name])));
        }
        let mut present = present.into_iter();
        standing.tokens.retain(|_| present.next().unwrap());
        if doubted {
            standing.dates = metatoken::policy::Dates::Doubted;
            let dated = ["expiring", "expired", "unproven"];
            for token in &mut standing.tokens {
                token.deadlines.clear();
                token.reasons.retain(|it| !dated.contains(&it.code));
            }
        }
        standing
    }
}

prop_compose! {
    fn any_channel()(
        events in subsequence(NoticeEvent::ALL, 1..=NoticeEvent::ALL.len()),
        labels in select(vec![vec![], vec!["a*"], vec!["a"], vec!["b", "a/1"]]),
    ) -> Channel {
        Channel { events, ..Channel::about(&labels) }
    }
}

/// What has not been told of an announcement that stands: all of it must be new.
fn is_news(channel: &Channel, announcement: &Announcement) -> bool {
    let known = |topic| channel.told.iter().find(|told| &told.topic == topic);
    let changed =
        announcement.told.iter().all(|new| known(&new.topic).map(|it| it.state) != Some(new.state));
    // Of what has gone something was known.
    changed && announcement.over.iter().all(|topic| known(topic).is_some())
}

fn is_told(channel: &Channel, announcement: &Announcement) -> bool {
    announcement.told.iter().all(|told| channel.told.contains(told))
        && announcement.over.iter().all(|topic| channel.told.iter().all(|it| it.topic != *topic))
}

fn config() -> ProptestConfig {
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
        for (number, (standing, luck)) in days.iter().enumerate() {
            let now = day(5 * i64::try_from(number).unwrap());
            let before = channel.plan(standing, now);
            for announcement in &before.announcements {
                prop_assert!(channel.events.contains(&announcement.event), "{announcement:?}");
                prop_assert!(is_news(&channel, announcement), "{announcement:?}\n{:?}", channel.told);
            }
            // Each gets through or not, as luck has it.
            let mut place = 0_u32;
            channel.run(standing, now, |_| { place += 1; luck.rotate_right(place) & 1 == 0 });
            let after = channel.plan(standing, now);
            for announcement in &before.announcements {
                let again = after.announcements.iter().any(|it| it.event == announcement.event
                    && it.reason.message == announcement.reason.message);
                prop_assert!(again || is_told(&channel, announcement), "lost: {announcement:?}");
            }
            // What got through is not told twice, and once everything has nothing is.
            for announcement in &after.announcements {
                prop_assert!(is_news(&channel, announcement), "twice: {announcement:?}");
            }
            if luck % 3 == 0 {
                let mut rested = channel.clone();
                rested.run(standing, now, |_| true);
                let rest = rested.plan(standing, now);
                prop_assert_eq!(rest, super::Plan::default());
                channel = rested;
            }
        }
    }

    #[test]
    fn who_wants_everything_knows_how_everything_stands(
        days in prop::collection::vec(any_standing(), 1..8),
    ) {
        let mut channel = Channel::new();
        for standing in &days {
            channel.run(standing, day(0), |_| true);
        }
        let last = days.last().unwrap();
        let all = last.tokens.iter().flat_map(|it| &it.reasons).chain(&last.system);
        let worst = all.clone().map(|it| it.severity).fold(Health::Ok, Health::worse);
        let stands = |told: &&metatoken::token::Told| matches!(told.state, TopicState::Stands(_));
        // The worst is known, under whatever name, and nothing is known of which nothing is left.
        let known = |event| channel.told.iter().any(|it| it.state == TopicState::Stands(event));
        prop_assert!(worst != Health::Critical || known(NoticeEvent::Critical));
        if last.dates == metatoken::policy::Dates::Trusted {
            for told in channel.told.iter().filter(stands) {
                prop_assert!(all.clone().any(|it| it.code == told.topic.code), "{told:?}");
            }
        }
    }
}
