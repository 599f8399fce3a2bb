//! Dates that only a person can move.

use chrono::TimeDelta;
use metatoken::policy::{Dates, Issues, Moment, Policy, TokenIssues, deadlines};
use metatoken::token::NotificationEvent::{Critical, Recovered, Reminder, Warning};
use metatoken::token::{Credential, DataAccess, Expiry, ProblemKind, Time, TokenType};

use super::super::{SECOND, credential, hours, lifeless, page, string, subject, user, with_answer};
use super::{Channel, day, deadline, label, reason};

/// A token whose date that only a person can move is `at`.
fn ending(at: Time) -> Issues {
    let token = TokenIssues {
        label: label("a"),
        reasons: vec![],
        deadlines: vec![deadline("expiring", at, &["a"])],
    };
    Issues { tokens: vec![token], system: vec![], dates: Dates::Trusted, unheard_apps: Vec::new() }
}

const REMINDED: &str = "reminder a: it ends";

#[test]
fn each_reminder_comes_once() {
    let mut channel = Channel::new();
    for (left, heard) in [
        (TimeDelta::days(14) + SECOND, vec![]),
        (TimeDelta::days(14), vec![REMINDED]),
        (TimeDelta::days(13), vec![]),
        (TimeDelta::days(7) + SECOND, vec![]),
        (TimeDelta::days(7), vec![REMINDED]),
        (TimeDelta::days(1), vec![REMINDED]),
        (SECOND, vec![]),
    ] {
        assert_eq!(channel.hears(&ending(day(60)), day(60) - left), heard, "{left}");
        assert_eq!(channel.hears(&ending(day(60)), day(60) - left), [""; 0], "{left}");
    }
}

#[test]
fn of_several_at_once_the_last_counts() {
    let mut channel = Channel::new();
    for (now, heard) in [(day(54), vec![REMINDED]), (day(58), vec![]), (day(59), vec![REMINDED])] {
        assert_eq!(channel.hears(&ending(day(60)), now), heard);
    }
}

#[test]
fn what_did_not_get_through_is_told_by_the_next_run() {
    let mut channel = Channel::new();
    for _ in 0..2 {
        assert_eq!(channel.run(&ending(day(60)), day(46), |_| false).notifications.len(), 1);
    }
    assert_eq!(channel.hears(&ending(day(60)), day(47)), [REMINDED]);
}

#[test]
fn a_date_that_was_moved_is_another_and_one_that_trembles_is_not() {
    for (moved, heard) in [
        (TimeDelta::zero(), vec![]),
        (hours(24) - SECOND, vec![]),
        (SECOND - hours(24), vec![]),
        (hours(24), vec![REMINDED]),
        (-hours(24), vec![REMINDED]),
    ] {
        let mut channel = Channel::new();
        assert_eq!(channel.hears(&ending(day(60)), day(50)), [REMINDED]);
        assert_eq!(channel.hears(&ending(day(60) + moved), day(50)), heard, "{moved}");
        assert_eq!(channel.hears(&ending(day(60) + moved), day(50)), [""; 0], "{moved}");
    }
}

#[test]
fn a_token_that_is_silent_for_a_while_is_not_told_of_twice() {
    let mut channel = Channel::new();
    assert_eq!(channel.hears(&ending(day(60)), day(50)), [REMINDED]);
    let mut silent = ending(day(60));
    silent.tokens[0].deadlines.clear();
    assert_eq!(channel.hears(&silent, day(51)), [""; 0]);
    assert_eq!(channel.hears(&ending(day(60)), day(52)), [""; 0]);
    // What has passed is forgotten, and so is a token that is gone.
    channel.hears(&silent, day(61) - SECOND);
    assert_eq!(channel.notified.len(), 1);
    channel.hears(&silent, day(61));
    assert_eq!(channel.notified, []);
    channel.hears(&ending(day(60)), day(50));
    silent.tokens.clear();
    channel.hears(&silent, day(51));
    assert_eq!(channel.notified, []);
}

#[test]
fn an_alarm_about_the_same_date_is_a_reminder_too() {
    let mut channel = Channel::new();
    for (left, stands, heard) in [
        (14, Some("warning"), vec!["warning a: expiring"]),
        (8, Some("warning"), vec![]),
        (7, Some("critical"), vec!["critical a: expiring"]),
        (1, Some("critical"), vec![REMINDED]),
    ] {
        let mut now = ending(day(60));
        let stands = stands.map(|severity| reason("a", &format!("{severity} expiring")));
        now.tokens[0].reasons.extend(stands);
        assert_eq!(channel.hears(&now, day(60 - left)), heard, "{left}");
    }
    // An alarm that is not wanted is none.
    let mut channel = Channel::of(&[Critical, Recovered, Reminder]);
    let mut now = ending(day(60));
    now.tokens[0].reasons.push(reason("a", "warning expiring"));
    assert_eq!(channel.hears(&now, day(46)), [REMINDED]);
    // Nor is one about something else.
    let mut channel = Channel::new();
    now.tokens[0].reasons[0] = reason("a", "warning data_access_expiring");
    let both = ["warning a: data_access_expiring", REMINDED];
    assert_eq!(channel.hears(&now, day(46)), both);
    let mut channel = Channel::of(&[Warning]);
    assert_eq!(channel.hears(&now, day(46)), both[..1]);
}

/// The dates that only a person can move of a user token that ends on day 60: their codes.
fn of(credential: &Credential, policy: &Policy, now: Time) -> Vec<&'static str> {
    of_subject(&subject(credential, policy), now)
}

fn of_subject(subject: &metatoken::policy::Subject<'_>, now: Time) -> Vec<&'static str> {
    let proof = subject.current().and_then(|current| current.proof.as_ref());
    let found = deadlines(subject, proof.map(|proof| &proof.inspection), Moment::at(now));
    found.iter().map(|deadline| deadline.code).collect()
}

#[test]
fn only_what_no_run_renews_has_such_a_date() {
    let by_hand = Policy { auto_refresh: false, ..Policy::default() };
    let renewed = Policy::default();
    let at = Expiry::At(day(60));
    assert_eq!(of(&user(at, day(50)), &renewed, day(50)), [""; 0]);
    assert_eq!(of(&user(at, day(50)), &by_hand, day(50)), ["expiring"]);
    assert_eq!(of(&user(at, day(50)), &by_hand, day(60) - SECOND), ["expiring"]);
    assert_eq!(of(&user(at, day(50)), &by_hand, day(60)), [""; 0]);
    assert_eq!(of(&user(Expiry::Never, day(50)), &by_hand, day(50)), [""; 0]);
    assert_eq!(of(&user(Expiry::Unknown, day(50)), &by_hand, day(50)), [""; 0]);
    let dead = lifeless(string(at, day(50)), ProblemKind::Revoked);
    let dead = credential("brand", TokenType::User, Some(dead));
    assert_eq!(of(&dead, &by_hand, day(50)), [""; 0]);
    let doubted = Moment { dates: Dates::Doubted, ..Moment::at(day(50)) };
    let brand = user(at, day(50));
    let inspection = &brand.current.as_ref().unwrap().proof.as_ref().unwrap().inspection;
    assert_eq!(deadlines(&subject(&brand, &by_hand), Some(inspection), doubted), []);
}

#[test]
fn data_access_is_the_user_tokens_date() {
    let policy = Policy::default();
    let returning = |name: &str, token_type| {
        let answer = with_answer(string(Expiry::Never, day(50)), |answer| {
            answer.data_access = DataAccess::Until(day(60));
        });
        credential(name, token_type, Some(answer))
    };
    let (brand, shop) = (returning("brand", TokenType::User), returning("shop", TokenType::Page));
    assert_eq!(of(&brand, &policy, day(50)), ["data_access_expiring"]);
    assert_eq!(of(&brand, &policy, day(60)), [""; 0]);
    assert_eq!(of_subject(&page(&shop, &policy, &brand), day(50)), [""; 0]);
    // A Page token alone is its person's.
    assert_eq!(of(&shop, &policy, day(50)), ["data_access_expiring"]);
    let none =
        metatoken::policy::Limits { warning: TimeDelta::zero(), critical: TimeDelta::zero() };
    let not_applicable = Policy { data_access_within: none, ..Policy::default() };
    assert_eq!(of(&brand, &not_applicable, day(50)), [""; 0]);
}

#[test]
fn the_pages_that_hang_on_a_date_are_named_as_far_as_the_channel_knows_them() {
    let mut now = ending(day(60));
    now.tokens[0].deadlines = vec![deadline("data_access_expiring", day(60), &["a", "a/1", "a/2"])];
    assert_eq!(Channel::new().hears(&now, day(46)), ["reminder a, a/1, a/2: it ends"]);
    assert_eq!(Channel::about(&["a", "a/2"]).hears(&now, day(46)), ["reminder a, a/2: it ends"]);
    assert_eq!(Channel::about(&["a/*"]).hears(&now, day(46)), [""; 0]);
}
