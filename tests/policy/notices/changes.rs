//! A cause comes, changes and goes.

use metatoken::policy::{Dates, Reason};

use super::{Channel, day, issues, reason, runs};

#[test]
fn a_cause_is_told_once_for_each_state() {
    runs(
        &mut Channel::new(),
        &[
            (&[("a", &[])], &[]),
            (&[("a", &["warning expiring"])], &["warning a: expiring"]),
            (&[("a", &["critical expiring"])], &["critical a: expiring"]),
            (&[("a", &["warning expiring"])], &["warning a: expiring"]),
            (&[("a", &["unknown expiring"])], &["unknown a: expiring"]),
            (&[("a", &[])], &["recovered a: expiring"]),
            (&[("a", &["warning expiring"])], &["warning a: expiring"]),
        ],
    );
}

#[test]
fn the_words_do_not_matter_and_those_that_were_told_are_taken_back() {
    let mut channel = Channel::new();
    for (message, said) in [
        ("it ends in 9 days", vec!["warning a: it ends in 9 days"]),
        ("it ends in 8 days", vec![]),
        ("it ends in 7 days", vec![]),
    ] {
        let mut now = issues(&[("a", &["warning expiring"])]);
        now.tokens[0].reasons[0].message = message.to_owned();
        assert_eq!(channel.hears(&now, day(0)), said);
    }
    assert_eq!(channel.hears(&issues(&[("a", &[])]), day(0)), ["recovered a: it ends in 9 days"]);
}

#[test]
fn what_takes_the_place_of_a_cause_is_told_and_not_that_it_went() {
    runs(
        &mut Channel::new(),
        &[
            (&[("a", &["critical expiring"])], &["critical a: expiring"]),
            (&[("a", &["critical expired"])], &["critical a: expired"]),
            (&[("a", &[])], &["recovered a: expired"]),
        ],
    );
    // What was there before does not take anything's place.
    runs(
        &mut Channel::new(),
        &[
            (
                &[("a", &["critical revoked", "warning expiring"])],
                &["critical a: revoked", "warning a: expiring"],
            ),
            (&[("a", &["warning expiring"])], &["recovered a: revoked"]),
        ],
    );
}

#[test]
fn the_old_cause_is_forgotten_only_with_the_new_one() {
    let mut channel = Channel::new();
    channel.hears(&issues(&[("a", &["warning expiring"])]), day(0));
    let dead = issues(&[("a", &["critical revoked"])]);
    for _ in 0..3 {
        let plan = channel.run(&dead, day(1), |_| false);
        assert_eq!(plan.notifications.len(), 1);
        assert_eq!(channel.notified[0].topic.code, "expiring");
    }
    assert_eq!(channel.hears(&dead, day(1)), ["critical a: revoked"]);
    let codes: Vec<_> =
        channel.notified.iter().map(|notified| notified.topic.code.as_str()).collect();
    assert_eq!(codes, ["revoked"]);
}

#[test]
fn targets_are_causes_of_their_own() {
    runs(
        &mut Channel::new(),
        &[
            (
                &[("a", &["warning delivery_failed app", "warning delivery_failed web"])],
                &["warning a: delivery_failed app", "warning a: delivery_failed web"],
            ),
            // Something else of the same token does not take their place.
            (
                &[("a", &["critical revoked", "warning delivery_failed web"])],
                &["critical a: revoked", "recovered a: delivery_failed app"],
            ),
            // Another word for the same target does.
            (
                &[("a", &["critical revoked", "warning delivery_pending web"])],
                &["warning a: delivery_pending web"],
            ),
            (&[("a", &["critical revoked"])], &["recovered a: delivery_pending web"]),
        ],
    );
}

#[test]
fn two_of_one_kind_are_one_cause() {
    let second = |severity| Reason {
        message: "nor that".to_owned(),
        remedy: "act again".into(),
        ..reason("a", &format!("{severity} revoked"))
    };
    let mut channel = Channel::new();
    let mut both = issues(&[("a", &["critical revoked"])]);
    both.tokens[0].reasons.push(second("warning"));
    let plan = channel.plan(&both, day(0));
    assert_eq!(plan.notifications[0].reason.remedy.to_string(), "act; act again");
    assert_eq!(channel.hears(&both, day(0)), ["critical a: revoked; nor that"]);
    assert_eq!(channel.hears(&both, day(0)), [""; 0]);
    // As one goes the other stays what it is.
    both.tokens[0].reasons.remove(0);
    assert_eq!(channel.hears(&both, day(0)), ["warning a: nor that"]);
}

#[test]
fn a_token_that_is_no_longer_looked_after_is_forgotten() {
    let mut channel = Channel::new();
    let both = issues(&[("a", &["critical revoked"]), ("b", &["critical expired"])]);
    channel.hears(&both, day(0));
    assert_eq!(channel.hears(&issues(&[("b", &["critical expired"])]), day(0)), [""; 0]);
    assert_eq!(channel.notified.len(), 1);
    assert_eq!(channel.hears(&both, day(0)), ["critical a: revoked"]);
}

#[test]
fn while_the_clock_is_not_believed_no_date_is_far_off() {
    let mut channel = Channel::new();
    let before = issues(&[
        ("", &["warning graph_version_ends main"]),
        ("a", &["warning expiring", "critical app_disabled"]),
    ]);
    assert_eq!(channel.hears(&before, day(0)).len(), 3);
    let doubted = |mut issues: super::Issues| {
        issues.dates = Dates::Doubted;
        issues
    };
    let silent = doubted(issues(&[("", &["warning clock_skew"]), ("a", &[])]));
    assert_eq!(
        channel.hears(&silent, day(0)),
        ["warning -: clock_skew", "recovered a: app_disabled"]
    );
    assert_eq!(
        channel.hears(&before, day(0)),
        ["critical a: app_disabled", "recovered -: clock_skew"]
    );
    // A token that is gone is forgotten all the same.
    channel.hears(&doubted(issues(&[])), day(0));
    assert_eq!(channel.notified.len(), 1, "{:?}", channel.notified);
}
