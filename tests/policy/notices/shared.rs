//! A cause that several tokens have, and a token that shares another's trouble.

use metatoken::policy::{Issues, Reason};

use super::{Channel, day, issues, label, reason, runs};

#[test]
fn one_cause_of_several_tokens_is_told_once() {
    runs(
        &mut Channel::new(),
        &[
            (
                &[("a", &["critical app_disabled"]), ("b", &["critical app_disabled"])],
                &["critical a, b: app_disabled"],
            ),
            // Who comes late is named alone.
            (
                &[
                    ("a", &["critical app_disabled"]),
                    ("b", &["critical app_disabled"]),
                    ("c", &["warning app_disabled"]),
                ],
                &["warning c: app_disabled"],
            ),
            // And who becomes worse.
            (
                &[
                    ("a", &["critical app_disabled"]),
                    ("b", &["critical app_disabled"]),
                    ("c", &["critical app_disabled"]),
                ],
                &["critical c: app_disabled"],
            ),
            (
                &[("a", &[]), ("b", &["critical app_disabled"]), ("c", &["critical app_disabled"])],
                &["recovered a: app_disabled"],
            ),
            (&[("a", &[]), ("b", &[]), ("c", &[])], &["recovered b, c: app_disabled"]),
        ],
    );
}

/// `parent` with its own troubles, and two Pages, of which each is held by it or stands alone.
fn family(parent: &[&str], pages: [&[&str]; 2]) -> Issues {
    let mut family = issues(&[("a", parent), ("a/1", pages[0]), ("a/2", pages[1]), ("b", &[])]);
    for page in &mut family.tokens[1..3] {
        for reason in page.reasons.iter_mut().filter(|it| it.code == "revoked") {
            reason.held_by = Some(label("a"));
            "dead with `a`".clone_into(&mut reason.message);
        }
    }
    family
}

const DEAD: &[&str] = &["critical revoked"];

#[test]
fn a_page_comes_with_its_dead_parent_and_is_no_news_later() {
    let mut channel = Channel::new();
    for (stands, heard) in [
        (family(DEAD, [DEAD, &[]]), vec!["critical a, a/1: revoked"]),
        (family(DEAD, [DEAD, DEAD]), vec![]),
        (family(DEAD, [&[], DEAD]), vec![]),
        (family(&[], [&[], &[]]), vec!["recovered a: revoked"]),
    ] {
        assert_eq!(channel.hears(&stands, day(0)), heard);
        assert_eq!(channel.hears(&stands, day(0)), [""; 0]);
    }
}

#[test]
fn a_page_that_was_told_of_alone_does_not_recover_when_its_parent_dies() {
    let late: &[&str] = &["warning expiring"];
    // With the parent's death, and after it.
    for first in [family(&[], [late, &[]]), family(DEAD, [late, &[]])] {
        let mut channel = Channel::new();
        channel.hears(&first, day(0));
        assert!(channel.notified.iter().any(|notified| notified.topic.label == Some(label("a/1"))));
        let said = channel.hears(&family(DEAD, [DEAD, DEAD]), day(1));
        let parent_is_news = first.tokens[0].reasons.is_empty();
        let news = vec!["critical a, a/1, a/2: revoked".to_owned()];
        assert_eq!(said, if parent_is_news { news } else { vec![] });
        let kept: Vec<_> =
            channel.notified.iter().map(|it| it.topic.label.clone().unwrap()).collect();
        assert_eq!(kept, [label("a")]);
    }
}

#[test]
fn a_page_that_stays_dead_is_told_of_when_its_parent_lives() {
    let mut channel = Channel::new();
    channel.hears(&family(DEAD, [DEAD, &[]]), day(0));
    let said = channel.hears(&family(&[], [DEAD, &[]]), day(1));
    assert_eq!(said, ["critical a/1: dead with `a`", "recovered a: revoked"]);
}

#[test]
fn only_those_pages_are_named_again_whose_parent_is_news() {
    let shared =
        |name: &str| Reason { held_by: Some(label(name)), ..reason("x", "critical expired") };
    let mut both =
        issues(&[("a", &["critical app_disabled"]), ("a/1", &[]), ("b", &[]), ("b/1", &[])]);
    both.tokens[1].reasons = vec![Reason { labels: vec![label("a/1")], ..shared("a") }];
    let mut channel = Channel::new();
    assert_eq!(channel.hears(&both, day(0)), ["critical a, a/1: app_disabled"]);
    both.tokens[2].reasons = vec![reason("b", "critical app_disabled")];
    both.tokens[3].reasons = vec![Reason { labels: vec![label("b/1")], ..shared("b") }];
    assert_eq!(channel.hears(&both, day(0)), ["critical b, b/1: app_disabled"]);
}

#[test]
fn what_a_stopped_timer_explains_comes_with_it_and_does_not_recover() {
    runs(
        &mut Channel::new(),
        &[
            (&[("a", &["warning unchecked"]), ("b", &[])], &["warning a: unchecked"]),
            (
                &[
                    ("", &["warning no_recent_run"]),
                    ("a", &["warning unchecked"]),
                    ("b", &["warning unchecked"]),
                ],
                &["warning a, b: no_recent_run"],
            ),
            // The runs go on and do not reach Graph.
            (
                &[("a", &["warning unchecked"]), ("b", &["warning unchecked"])],
                &["warning a, b: unchecked", "recovered -: no_recent_run"],
            ),
            (&[("a", &[]), ("b", &[])], &["recovered a, b: unchecked"]),
        ],
    );
}
