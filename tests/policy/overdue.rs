//! Renewals that were due and did not happen: when that is said, once, and what kept them.

use chrono::TimeDelta;
use metatoken::policy::{Moment, Policy, Subject};
use metatoken::token::{Credential, Expiry, Problem, ProblemKind, Time, TokenType};

use super::{SECOND, codes, credential, day, hidden, hours, lifeless, string, subject, told};

fn days(n: i64) -> TimeDelta {
    TimeDelta::days(n)
}

/// A token whose window opened on day 40.
fn due(token_type: TokenType, now: Time) -> Credential {
    credential("it", token_type, Some(string(Expiry::At(day(60)), now)))
}

#[test]
fn a_renewal_is_overdue_after_three_days_or_a_quarter_of_its_window() {
    let policy = |window| Policy { refresh_within: days(window), ..Policy::default() };
    for (window, delay) in [(20, days(3)), (16, days(3)), (12, days(3)), (11, hours(66))] {
        let policy = Policy { warn_within: Some(days(1)), ..policy(window) };
        let since = day(60 - window);
        for (age, overdue) in [(delay, false), (delay + SECOND, true)] {
            for token_type in
                [TokenType::User, TokenType::SystemUser, TokenType::Instagram, TokenType::Threads]
            {
                let now = since + age;
                let credential = due(token_type, now);
                let found = codes(&subject(&credential, &policy), Moment::at(now));
                let expected: &[&str] = if overdue { &["warning refresh_overdue"] } else { &[] };
                assert_eq!(found, expected, "{token_type}, {window} days, {age} late");
            }
        }
    }
    // What was found in its window is due since then.
    let policy = Policy::default();
    let mut found_late = due(TokenType::User, day(47));
    found_late.current.as_mut().unwrap().obtained_at = day(44);
    let none: [&str; 0] = [];
    assert_eq!(codes(&subject(&found_late, &policy), Moment::at(day(47))), none);
    let after = Moment::at(day(47) + SECOND);
    assert_eq!(codes(&subject(&found_late, &policy), after), ["warning refresh_overdue"]);
}

#[test]
fn a_string_of_unknown_end_is_overdue_three_days_after_its_first() {
    let policy = Policy::default();
    let off = Policy { auto_refresh: false, ..Policy::default() };
    let none: &[&str] = &[];
    let unknown: &[&str] = &["unknown expiry_unknown"];
    let overdue: &[&str] = &["warning refresh_overdue"];
    for (now, expected) in
        [(day(4) - SECOND, unknown), (day(4), unknown), (day(4) + SECOND, overdue)]
    {
        for token_type in TokenType::ALL {
            let hides = matches!(token_type, TokenType::Instagram | TokenType::Threads);
            let credential = credential("it", *token_type, Some(hidden(Expiry::Unknown, now)));
            let found = codes(&subject(&credential, &policy), Moment::at(now));
            assert_eq!(found, if hides { expected } else { none }, "{token_type} at {now}");
            let found = codes(&subject(&credential, &off), Moment::at(now));
            assert_eq!(found, if hides { unknown } else { none }, "{token_type} at {now}");
        }
    }
}

#[test]
fn what_is_overdue_is_said_once() {
    let policy = Policy::default();
    let now = day(45);
    let with = |change: &dyn Fn(&mut Credential)| {
        let mut credential = due(TokenType::User, now);
        change(&mut credential);
        codes(&subject(&credential, &policy), Moment::at(now))
    };
    let problem =
        |kind| move |it: &mut Credential| it.attempts.problem = Some(Problem::new(kind, "x"));
    assert_eq!(with(&|_| {}), ["warning refresh_overdue"]);
    assert_eq!(with(&problem(ProblemKind::Network)), ["warning refresh_overdue"]);
    assert_eq!(with(&problem(ProblemKind::BadAppCredentials)), ["warning bad_app_credentials"]);
    assert_eq!(with(&problem(ProblemKind::PermissionMissing)), ["warning permission_missing"]);
    assert_eq!(with(&problem(ProblemKind::Revoked)), ["warning revoked"]);
    let dead = with(&|it| {
        it.current = it.current.take().map(|it| lifeless(it, ProblemKind::Revoked));
        it.attempts.problem = Some(Problem::new(ProblemKind::SessionInvalid, "not renewed"));
    });
    assert_eq!(dead, ["critical revoked"]);
    // Within `warn_within` the end itself is said, with what became of the renewal.
    let expiring = codes(&subject(&due(TokenType::User, day(50)), &policy), Moment::at(day(50)));
    assert_eq!(expiring, ["warning expiring"]);
}

#[test]
fn what_kept_a_renewal_is_told() {
    let policy = Policy::default();
    let now = day(45);
    let again = "run `metatoken refresh it -v`. A timer should have done so: see that it runs \
                 `metatoken refresh`";
    let since = "renewal due since 2026-02-10 00:00 UTC, 5 days ago";
    let credential = |change: &dyn Fn(&mut Credential)| {
        let mut credential = due(TokenType::Instagram, now);
        change(&mut credential);
        credential
    };
    let untried = credential(&|_| {});
    let before = credential(&|it| it.attempts.last_attempt_at = Some(day(40)));
    let tried = credential(&|it| it.attempts.last_attempt_at = Some(day(42)));
    let failed = credential(&|it| {
        it.attempts.problem = Some(Problem::new(ProblemKind::Network, "no route"));
    });
    for (credential, throttled_until, then) in [
        (&untried, None, ", not tried"),
        (&before, None, ", not tried"),
        (&tried, None, ", last tried 2026-02-12 00:00 UTC, 3 days ago"),
        (&failed, None, ", failed: no route"),
        (&failed, Some(now), ", failed: no route"),
        (
            &failed,
            Some(now + hours(2)),
            ", Meta limits the app's calls until 2026-02-15 02:00 UTC, in 2 hours",
        ),
    ] {
        let subject = Subject { throttled_until, ..subject(credential, &policy) };
        let expected = format!("warning refresh_overdue: {since}{then} | {again}");
        assert_eq!(told(&subject, Moment::at(now)), [expected]);
    }
    let mut missed = credential(&|it| it.current = Some(hidden(Expiry::Unknown, now)));
    missed.attempts.misses = 3;
    (missed.attempts.first_miss_at, missed.attempts.last_attempt_at) = (Some(day(2)), Some(now));
    assert_eq!(
        told(&subject(&missed, &policy), Moment::at(now)),
        ["warning refresh_overdue: renewal due since 2026-01-02 00:00 UTC, 44 days ago, \
          no longer extended | the person behind the token logs in to the app again: run `metatoken login it`"]
    );
}
