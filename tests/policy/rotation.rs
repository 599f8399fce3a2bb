//! What a rotation leaves behind, around every threshold.

use chrono::TimeDelta;
use metatoken::policy::{
    Backup, Dates, Death, Decision, Insistence, Moment, Policy, Promote, Skip, Subject, decide,
    decide_exchange, is_to_be_asked_about, judge_adoptions, outlives_its_successor,
    promotes_backup,
};
use metatoken::token::{
    Expiry, Generation, Problem, ProblemKind, RotatedGeneration, SourceValue, Time, TokenType,
};

use super::{
    SECOND, codes, credential, day, hidden, hours, label, lifeless, page, string, subject,
};

fn rotated(generation: Generation, since: Time) -> RotatedGeneration {
    RotatedGeneration { generation, since }
}

#[test]
fn only_a_system_users_access_token_outlives_its_successor() {
    use Expiry::{At, Never, Unknown};
    let now = day(1);
    for (token_type, expiry, expected) in [
        (TokenType::SystemUser, Never, true),
        (TokenType::SystemUser, Unknown, true),
        (TokenType::SystemUser, At(day(61)), false),
        (TokenType::SystemUser, At(day(61) + SECOND), true),
        (TokenType::SystemUser, At(day(0)), false),
        (TokenType::User, Never, false),
        (TokenType::Page, Never, false),
        (TokenType::Instagram, Unknown, false),
        (TokenType::Threads, At(day(90)), false),
        (TokenType::App, Never, false),
    ] {
        let old = string(expiry, day(0));
        let found = outlives_its_successor(token_type, &old, now);
        assert_eq!(found, expected, "{token_type} {expiry:?}");
        let dead = lifeless(old, ProblemKind::Revoked);
        assert!(!outlives_its_successor(token_type, &dead, now), "{token_type} {expiry:?}, dead");
    }
}

#[test]
fn the_older_one_is_asked_about_once_in_verify_every() {
    let policy = Policy::default();
    let checked = rotated(string(Expiry::Never, day(3)), day(1));
    for (now, expected) in [
        (day(3), false),
        (day(4) - SECOND, false),
        (day(4), true),
        // Checked by a clock that was ahead.
        (day(2), true),
    ] {
        assert_eq!(is_to_be_asked_about(&checked, &policy, Moment::at(now)), expected, "{now}");
    }
    let mut never = checked;
    never.generation.proof = None;
    assert!(is_to_be_asked_about(&never, &policy, Moment::at(day(3))));
}

#[test]
fn the_older_one_is_named_when_the_overlap_is_over() {
    let policy = Policy::default();
    let now = day(20);
    let mut known = credential("ads", TokenType::SystemUser, Some(string(Expiry::Never, now)));
    for (since, expected) in [
        (now - TimeDelta::days(7), vec![]),
        (now - TimeDelta::days(7) - SECOND, vec!["warning old_token_alive"]),
    ] {
        known.rotated = vec![rotated(string(Expiry::Never, now), since)];
        assert_eq!(codes(&subject(&known, &policy), Moment::at(now)), expected, "{since}");
    }
    let longer = Policy { rotate_overlap: TimeDelta::days(8), ..Policy::default() };
    assert_eq!(codes(&subject(&known, &longer), Moment::at(now)), [""; 0]);
}

#[test]
fn a_refused_source_is_named_while_the_current_one_works() {
    let now = day(2);
    let refused = Some(Problem::new(ProblemKind::NotExtended, "no better"));
    let source = |refused| {
        let fingerprint = metatoken::token::Fingerprint::new([2; 32]);
        let (place, line) = ("`app.env`".into(), Some(3));
        Some(SourceValue { place, line, fingerprint, has_changed: true, refused })
    };
    let works = string(Expiry::Never, now);
    let dead = lifeless(works.clone(), ProblemKind::Revoked);
    for (current, refused, expected) in [
        (Some(works.clone()), refused.clone(), vec!["warning stale_source"]),
        (Some(works), None, vec![]),
        (Some(dead), refused.clone(), vec!["critical revoked"]),
        (None, refused, vec!["unknown missing"]),
    ] {
        let mut known = credential("ads", TokenType::SystemUser, current);
        known.source = source(refused);
        let found = codes(&subject(&known, &Policy::default()), Moment::at(now));
        assert_eq!(found, expected, "{:?}", known.current);
    }
}

#[test]
fn three_adoptions_in_two_weeks_are_another_programs() {
    let now = day(14);
    let times = |days: &[i64]| days.iter().map(|n| day(*n)).collect::<Vec<_>>();
    for (adopted, expected) in [
        (times(&[]), None),
        (times(&[3, 9]), None),
        (times(&[0, 3, 9]), Some("3 new access tokens")),
        (vec![day(0) - SECOND, day(3), day(9)], None),
        (times(&[1, 3, 9, 10]), Some("4 new access tokens")),
    ] {
        let reason = judge_adoptions(&label("ads"), "`app.env`", &adopted, now);
        let message = reason.map(|reason| reason.message);
        assert_eq!(message.is_some(), expected.is_some(), "{adopted:?}: {message:?}");
        assert!(message.unwrap_or_default().contains(expected.unwrap_or_default()));
    }
}

#[test]
fn what_is_short_lived_is_exchanged_when_a_person_asks_for_it() {
    let now = day(0) + hours(2);
    let off = Policy { auto_refresh: false, ..Policy::default() };
    let short = || string(Expiry::At(day(0) + hours(3)), day(0));
    let exchanged = |token_type, current, policy: &Policy, insistence, problem: Option<Problem>| {
        let mut known = credential("brand", token_type, Some(current));
        known.attempts.not_before = problem.as_ref().map(|_| day(1));
        known.attempts.problem = problem;
        decide_exchange(&subject(&known, policy), insistence, Moment::at(now)).name()
    };
    let (none, named, on) = (Insistence::None, Insistence::Named, Policy::default());
    let fault = Some(Problem::new(ProblemKind::GraphUnavailable, "x"));
    let throttled = Some(Problem::new(ProblemKind::RateLimited, "x"));
    let sixty = || string(Expiry::At(day(60)), day(0));
    for (what, found, expected) in [
        ("short", exchanged(TokenType::User, short(), &on, none, None), "renew"),
        ("backing off", exchanged(TokenType::User, short(), &on, none, fault), "renew"),
        ("throttled", exchanged(TokenType::User, short(), &on, named, throttled), "rest"),
        ("off", exchanged(TokenType::User, short(), &off, none, None), "rest"),
        ("off and named", exchanged(TokenType::User, short(), &off, named, None), "renew"),
        ("a Page's", exchanged(TokenType::Page, short(), &on, named, None), "rest"),
        ("long", exchanged(TokenType::User, sixty(), &on, named, None), "rest"),
        (
            "never",
            exchanged(TokenType::SystemUser, string(Expiry::Never, day(0)), &on, named, None),
            "rest",
        ),
        (
            "unknown and young",
            exchanged(TokenType::Instagram, hidden(Expiry::Unknown, day(0)), &on, none, None),
            "renew",
        ),
    ] {
        assert_eq!(found, expected, "{what}");
    }
}

/// Nothing is renewed, exchanged or derived in the place of what a person has revoked here.
#[test]
fn what_was_revoked_here_waits_for_a_person() {
    let (at, now, policy) = (day(45), day(50), Policy::default());
    let revoked = |generation| Some(Generation { revoked_at: Some(at), ..generation });
    let decided = |subject: &Subject<'_>, insistence| {
        decide(subject, insistence, Moment { run_started: now, ..Moment::at(now) })
    };
    let skip = Decision::Skip(Skip::Revoked { at });
    let hour = now + TimeDelta::hours(1);
    let insistences = [Insistence::None, Insistence::Named, Insistence::Forced];
    for token_type in
        [TokenType::User, TokenType::SystemUser, TokenType::Instagram, TokenType::Threads]
    {
        for (what, current) in [
            ("in its window", string(Expiry::At(day(60)), now)),
            ("short-lived", string(Expiry::At(hour), now)),
            ("for ever", string(Expiry::Never, now)),
            ("of unknown end", hidden(Expiry::Unknown, now)),
            ("dead", lifeless(string(Expiry::At(day(60)), now), ProblemKind::Revoked)),
            ("expired", lifeless(string(Expiry::At(day(49)), now), ProblemKind::Expired)),
        ] {
            let known = credential("ads", token_type, revoked(current));
            for insistence in insistences {
                let decision = decided(&subject(&known, &policy), insistence);
                assert_eq!(decision, skip, "{token_type} {what} {insistence:?}");
            }
        }
        // Whether it is dead is asked as of any other.
        let known = credential("ads", token_type, revoked(string(Expiry::At(day(60)), day(48))));
        let decision = decided(&subject(&known, &policy), Insistence::None);
        assert!(matches!(decision, Decision::Verify(_)), "{token_type} {decision:?}");
    }
    // A Page follows its parent, once a person has brought that a new one.
    let dead = lifeless(string(Expiry::Never, now), ProblemKind::Revoked);
    let known = credential("page", TokenType::Page, revoked(dead.clone()));
    for (what, parent, follows) in [
        ("works", Some(string(Expiry::At(day(90)), now)), true),
        ("was revoked too", revoked(string(Expiry::At(day(90)), now)), false),
        ("is dead", Some(dead), false),
        ("is missing", None, false),
    ] {
        let parent = credential("brand", TokenType::User, parent);
        let decision = decided(&page(&known, &policy, &parent), Insistence::None);
        let expected =
            if follows { matches!(decision, Decision::Derive(_)) } else { decision == skip };
        assert!(expected, "its parent {what}: {decision:?}");
    }
}

#[test]
fn a_backup_takes_the_place_of_a_dead_token_only_when_that_is_sure() {
    use Dates::{Doubted, Trusted};
    use Promote::{Auto, Manual};
    let now = day(10);
    let ago = |minutes| now - TimeDelta::minutes(minutes);
    let (ten, week) = (Some(ago(10)), TimeDelta::days(7));
    let spare = label("spare");
    for (what, kind, promote, first_heard, promoted_at, dates, expected) in [
        ("ten minutes", ProblemKind::Revoked, Auto, ten, None, Trusted, true),
        ("a second less", ProblemKind::Revoked, Auto, Some(ago(10) + SECOND), None, Trusted, false),
        ("heard in this run alone", ProblemKind::Revoked, Auto, None, None, Trusted, false),
        ("a person does it", ProblemKind::Revoked, Manual, ten, None, Trusted, false),
        ("an account that is held", ProblemKind::Checkpoint, Auto, ten, None, Trusted, false),
        ("an app at fault", ProblemKind::AppDisabled, Auto, ten, None, Trusted, false),
        ("a clock in doubt", ProblemKind::Revoked, Auto, ten, None, Doubted, false),
        ("a week ago", ProblemKind::Revoked, Auto, ten, Some(now - week), Trusted, true),
        ("this week", ProblemKind::Revoked, Auto, ten, Some(now - week + SECOND), Trusted, false),
    ] {
        let policy = Policy { promote, ..Policy::default() };
        let mut dead = lifeless(string(Expiry::Never, day(0)), kind);
        dead.proof.as_mut().unwrap().at = now;
        let known = credential("ads", TokenType::SystemUser, Some(dead));
        let backup = Some(Backup { label: &spare, credential: None, promoted_by: promote });
        let subject = Subject { backup, ..subject(&known, &policy) };
        let death = Death { first_heard, promoted_at };
        let moment = Moment { dates, ..Moment::at(now) };
        assert_eq!(promotes_backup(&subject, death, moment), expected, "{what}");
        let without = Subject { backup: None, ..subject };
        assert!(!promotes_backup(&without, death, moment), "{what}, without a backup");
        // What was revoked here waits for a person.
        let mut revoked = known.clone();
        revoked.current.as_mut().unwrap().revoked_at = Some(ago(20));
        let revoked = Subject { credential: Some(&revoked), ..subject };
        assert!(!promotes_backup(&revoked, death, moment), "{what}, revoked here");
        // What an earlier run heard is no second verdict.
        let later = Moment { dates, ..Moment::at(now + SECOND) };
        assert!(!promotes_backup(&subject, death, later), "{what}, not asked in this run");
    }
}
