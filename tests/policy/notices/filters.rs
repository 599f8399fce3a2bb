//! What a channel does not want to hear of.

use metatoken::token::NotificationEvent::{self, Critical, Recovered, Reminder, Unknown, Warning};

use super::{Channel, day, issues, label, runs};

const WARNED: &[(&str, &[&str])] = &[("a", &["warning expiring"])];
const ALARMED: &[(&str, &[&str])] = &[("a", &["critical expiring"])];
const UNSURE: &[(&str, &[&str])] = &[("a", &["unknown expiring"])];
const WELL: &[(&str, &[&str])] = &[("a", &[])];

#[test]
fn a_change_that_is_not_wanted_is_remembered_without_a_word() {
    for (events, table) in [
        // It returns to critical, which is told again.
        (
            &[Critical][..],
            vec![
                (WARNED, vec![]),
                (ALARMED, vec!["critical a: expiring"]),
                (WARNED, vec![]),
                (ALARMED, vec!["critical a: expiring"]),
                (WELL, vec![]),
                (ALARMED, vec!["critical a: expiring"]),
            ],
        ),
        // What was never told does not recover; what was does, whatever it was last.
        (
            &[Critical, Recovered],
            vec![
                (WARNED, vec![]),
                (WELL, vec![]),
                (ALARMED, vec!["critical a: expiring"]),
                (WARNED, vec![]),
                (WELL, vec!["recovered a: expiring"]),
            ],
        ),
        (
            &[Warning, Unknown],
            vec![
                (WARNED, vec!["warning a: expiring"]),
                (ALARMED, vec![]),
                (UNSURE, vec!["unknown a: expiring"]),
                (WELL, vec![]),
                (WELL, vec![]),
            ],
        ),
        (&[Reminder], vec![(WARNED, vec![]), (ALARMED, vec![]), (WELL, vec![])]),
    ] {
        let mut channel = Channel::of(events);
        for (stands, heard) in table {
            runs(&mut channel, &[(stands, &heard)]);
        }
        assert!(
            events.contains(&Critical) || channel.notified.is_empty(),
            "{:?}",
            channel.notified
        );
    }
}

#[test]
fn what_becomes_something_worse_that_is_not_wanted_has_not_recovered() {
    let mut channel = Channel::of(&[Warning, Recovered]);
    runs(
        &mut channel,
        &[(WARNED, &["warning a: expiring"]), (&[("a", &["critical expired"])], &[]), (WELL, &[])],
    );
}

#[test]
fn of_one_cause_only_those_are_told_of_whom_it_is_wanted() {
    let both = &[("a", &["warning app_disabled"][..]), ("b", &["critical app_disabled"])];
    for (event, heard) in
        [(Warning, "warning a: app_disabled"), (Critical, "critical b: app_disabled")]
    {
        runs(&mut Channel::of(&[event]), &[(both, &[heard])]);
    }
    runs(&mut Channel::of(NotificationEvent::ALL), &[(both, &["critical a, b: app_disabled"])]);
}

#[test]
fn a_channel_with_labels_hears_of_their_tokens() {
    let mut channel = Channel::about(&["brand*"]);
    runs(
        &mut channel,
        &[
            (
                &[
                    (
                        "",
                        &[
                            "warning clock_skew",
                            "warning no_recent_run",
                            "warning readable_by_others k",
                        ],
                    ),
                    ("shop", &["critical app_disabled"]),
                    ("brand", &["critical app_disabled"]),
                    ("brand/1", &[]),
                ],
                &["critical brand: app_disabled"],
            ),
            (
                &[
                    ("", &[]),
                    ("shop", &[]),
                    ("brand", &[]),
                    ("brand/1", &["warning delivery_failed app"]),
                ],
                &["warning brand/1: delivery_failed app", "recovered brand: app_disabled"],
            ),
        ],
    );
}

#[test]
fn a_channel_with_labels_hears_of_the_machinery_what_concerns_them() {
    let mut channel = Channel::about(&["brand*"]);
    let tokens = [("brand", &[][..]), ("shop", &[])];
    let mut ends = issues(&[("", &["warning graph_version_ends main"]), tokens[0], tokens[1]]);
    ends.system[0].labels = vec![label("shop")];
    assert_eq!(channel.hears(&ends, day(0)), [""; 0]);
    ends.system[0].labels = vec![label("shop"), label("brand")];
    assert_eq!(channel.hears(&ends, day(0)), ["warning brand: graph_version_ends main"]);
    assert_eq!(channel.hears(&ends, day(0)), [""; 0]);
    assert_eq!(
        channel.hears(&issues(&tokens), day(0)),
        ["recovered brand: graph_version_ends main"]
    );
}

#[test]
fn a_channel_whose_labels_change_forgets_the_others() {
    let mut channel = Channel::new();
    let all = issues(&[
        ("", &["warning clock_skew"]),
        ("a", &["critical revoked"]),
        ("b", &["critical expired"]),
    ]);
    assert_eq!(channel.hears(&all, day(0)).len(), 3);
    channel.labels = Channel::about(&["b"]).labels;
    assert_eq!(channel.hears(&all, day(0)), [""; 0]);
    assert_eq!(channel.notified.len(), 1);
}
