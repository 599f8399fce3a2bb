//! The clocks of a token, one second around each limit.

use chrono::TimeDelta;
use metatoken::policy::{
    Clocks, Dates, Health, Insistence, LastHeard, Limits, Moment, Policy, State, Subject, decide,
    judge,
};
use metatoken::token::{Credential, DataAccess, Expiry, Problem, ProblemKind, Time, TokenType};

use super::{SECOND, codes, credential, day, hidden, page, string, subject, user, with_answer};

fn days(n: i64) -> TimeDelta {
    TimeDelta::days(n)
}

/// Health and state of a token that ends on day 60 and was just proven, with `left` to go.
fn with_left(token_type: TokenType, policy: &Policy, left: TimeDelta) -> (Health, State) {
    let now = day(60) - left;
    let credential = credential("it", token_type, Some(string(Expiry::At(day(60)), now)));
    let judgement = judge(&subject(&credential, policy), Moment::at(now));
    (judgement.health, judgement.state)
}

#[test]
fn the_end_is_said_ten_and_three_days_ahead_and_earlier_where_only_a_person_helps() {
    let on = Policy::default();
    let off = Policy { auto_refresh: false, ..Policy::default() };
    for (token_type, policy, warning, critical) in [
        (TokenType::User, &on, 10, 3),
        (TokenType::SystemUser, &on, 10, 3),
        (TokenType::Instagram, &on, 10, 3),
        (TokenType::Threads, &on, 10, 3),
        // An app's token is given anew by the app's secret, should one ever be dated.
        (TokenType::App, &on, 10, 3),
        (TokenType::User, &off, 14, 7),
        (TokenType::SystemUser, &off, 14, 7),
        (TokenType::Instagram, &off, 14, 7),
        (TokenType::Threads, &off, 14, 7),
        (TokenType::App, &off, 14, 7),
    ] {
        for (left, expected) in [
            (days(warning), (Health::Warning, State::Expiring)),
            (days(warning) - SECOND, (Health::Warning, State::Expiring)),
            (days(critical) + SECOND, (Health::Warning, State::Expiring)),
            (days(critical), (Health::Critical, State::Expiring)),
            (SECOND, (Health::Critical, State::Expiring)),
            (TimeDelta::zero(), (Health::Critical, State::Expired)),
            (-SECOND, (Health::Critical, State::Expired)),
        ] {
            let found = with_left(token_type, policy, left);
            assert_eq!(found, expected, "{token_type}, {left} left");
        }
        assert_eq!(with_left(token_type, policy, days(warning) + SECOND).1, State::Valid);
    }
    // A dated Page without a parent is warned of all along.
    let lone = |left| with_left(TokenType::Page, &on, left);
    assert_eq!(lone(days(14) + SECOND), (Health::Warning, State::Valid));
    assert_eq!(lone(days(14)), (Health::Warning, State::Expiring));
    assert_eq!(lone(days(7) + SECOND), (Health::Warning, State::Expiring));
    assert_eq!(lone(days(7)), (Health::Critical, State::Expiring));
}

#[test]
fn a_limit_of_ones_own_counts_for_everybody() {
    let own = Policy {
        warn_within: Some(days(5)),
        critical_within: Some(days(1)),
        auto_refresh: false,
        ..Policy::default()
    };
    for (left, health) in [
        (days(5) + SECOND, Health::Ok),
        (days(5), Health::Warning),
        (days(1) + SECOND, Health::Warning),
        (days(1), Health::Critical),
    ] {
        assert_eq!(with_left(TokenType::User, &own, left).0, health, "{left} left");
    }
}

#[test]
fn a_page_with_a_parent_has_the_shorter_limits() {
    let policy = Policy::default();
    let parent = user(Expiry::Never, day(60));
    for (left, expected) in [
        (days(10) + SECOND, vec![]),
        (days(10), vec!["warning expiring"]),
        (days(3) + SECOND, vec!["warning expiring"]),
        (days(3), vec!["critical expiring"]),
    ] {
        let now = day(60) - left;
        let child = credential("it", TokenType::Page, Some(string(Expiry::At(day(60)), now)));
        let found = codes(&page(&child, &policy, &parent), Moment::at(now));
        assert_eq!(found, expected, "{left} left");
    }
}

#[test]
fn three_misses_over_three_days_make_it_a_persons_token() {
    let policy = Policy::default();
    let last = day(48);
    for (misses, over, persons) in [
        (0, days(4), false),
        (2, days(4), false),
        (3, days(1), false),
        (3, days(2) - SECOND, false),
        // Tried daily, the third miss falls on the third day.
        (3, days(2), true),
        (4, days(3), true),
    ] {
        for token_type in
            [TokenType::User, TokenType::SystemUser, TokenType::Instagram, TokenType::Threads]
        {
            let mut credential =
                credential("it", token_type, Some(string(Expiry::At(day(60)), last)));
            credential.attempts.misses = misses;
            credential.attempts.first_miss_at = Some(last - over);
            credential.attempts.last_attempt_at = Some(last);
            let subject = subject(&credential, &policy);
            let thresholds = (subject.warn_within(), subject.critical_within());
            let expected = if persons { (days(14), days(7)) } else { (days(10), days(3)) };
            assert_eq!(thresholds, expected, "{token_type}, {misses} misses over {over}");
            assert_eq!(subject.only_a_person_can_renew(), persons);
            let found = codes(&subject, Moment::at(last));
            let expected = if persons { "warning expiring" } else { "warning refresh_overdue" };
            assert_eq!(found, [expected], "{token_type}, {misses} misses over {over}");
        }
    }
}

#[test]
fn a_proof_is_old_after_three_days_and_too_old_after_seven() {
    let policy = Policy::default();
    for token_type in TokenType::ALL {
        for (age, expected) in [
            (days(3), vec![]),
            (days(3) + SECOND, vec!["warning unchecked"]),
            (days(7), vec!["warning unchecked"]),
            (days(7) + SECOND, vec!["critical unchecked"]),
        ] {
            let credential = credential("it", *token_type, Some(string(Expiry::Never, day(10))));
            let found = codes(&subject(&credential, &policy), Moment::at(day(10) + age));
            assert_eq!(found, expected, "{token_type}, {age} old");
        }
    }
}

fn reading_until(token_type: TokenType, access: DataAccess) -> Credential {
    let current = with_answer(string(Expiry::Never, day(10)), |it| it.data_access = access);
    credential("it", token_type, Some(current))
}

#[test]
fn data_access_is_judged_on_whoever_logs_in() {
    let policy = Policy::default();
    let parent = user(Expiry::Never, day(10));
    let (soon, over) = (["warning data_access_expiring"], ["warning data_access_expired"]);
    let (urgent, gone) = (["critical data_access_expiring"], ["critical data_access_expired"]);
    let none: &[&str] = &[];
    for (left, person, lone, child) in [
        (days(14) + SECOND, none, none, none),
        (days(14), &soon, &soon, none),
        (days(3) + SECOND, &soon, &soon, none),
        // The date is the person's: a Page works on until its own verdict fails.
        (days(3), &urgent, &soon, none),
        (SECOND, &urgent, &soon, none),
        (TimeDelta::zero(), &gone, &over, &over),
        (-SECOND, &gone, &over, &over),
    ] {
        let until = DataAccess::Until(day(10) + left);
        let moment = Moment::at(day(10));
        for token_type in [TokenType::User, TokenType::Threads] {
            let found = codes(&subject(&reading_until(token_type, until), &policy), moment);
            assert_eq!(found, person, "{token_type}, {left} left");
        }
        let of_page = reading_until(TokenType::Page, until);
        assert_eq!(codes(&subject(&of_page, &policy), moment), lone, "{left} left");
        assert_eq!(codes(&page(&of_page, &policy, &parent), moment), child, "{left} left");
    }
}

#[test]
fn data_access_that_nobody_told_of_is_not_judged() {
    let policy = Policy::default();
    let never = Limits { warning: TimeDelta::zero(), critical: TimeDelta::zero() };
    let silent = Policy { data_access_within: never, ..Policy::default() };
    let none: [&str; 0] = [];
    for token_type in TokenType::ALL {
        for access in [DataAccess::Unknown, DataAccess::NotApplicable] {
            let credential = reading_until(*token_type, access);
            let found = codes(&subject(&credential, &policy), Moment::at(day(10)));
            assert_eq!(found, none, "{token_type}, {access:?}");
        }
        let passed = reading_until(*token_type, DataAccess::Until(day(9)));
        assert_eq!(codes(&subject(&passed, &silent), Moment::at(day(10))), none, "{token_type}");
    }
}

#[test]
fn a_string_is_to_be_rotated_once_it_is_older_than_the_config_wants() {
    let policy = Policy { rotate_after: Some(days(180)), ..Policy::default() };
    for token_type in TokenType::ALL {
        for (now, expected) in
            [(day(180), vec![]), (day(180) + SECOND, vec!["warning rotation_due"])]
        {
            let credential = credential("it", *token_type, Some(string(Expiry::Never, now)));
            let found = codes(&subject(&credential, &policy), Moment::at(now));
            assert_eq!(found, expected, "{token_type} at {now}");
        }
    }
}

#[test]
fn no_clock_runs_by_a_clock_that_is_not_believed() {
    let policy = Policy { rotate_after: Some(days(1)), ..Policy::default() };
    let none: [&str; 0] = [];
    for token_type in TokenType::ALL {
        for current in [
            string(Expiry::At(day(60)), day(10)),
            hidden(Expiry::Unknown, day(10)),
            with_answer(string(Expiry::Never, day(10)), |it| {
                it.data_access = DataAccess::Until(day(20));
            }),
        ] {
            let credential = credential("it", *token_type, Some(current));
            let moment = Moment { dates: Dates::Doubted, ..Moment::at(day(300)) };
            let found = codes(&subject(&credential, &policy), moment);
            // An end that nobody knows is none by any clock.
            let by_a_clock: Vec<_> =
                found.iter().filter(|code| *code != "unknown expiry_unknown").collect();
            assert_eq!(by_a_clock, none, "{token_type}");
        }
    }
}

/// The clocks of a host that shows `host`, where a run last heard Graph on day 10 and the host's
/// clock was ahead by `was`.
fn clocks(host: Time, heard: Option<TimeDelta>, was: TimeDelta) -> Clocks {
    Clocks { host, heard, last: Some(LastHeard { graph: day(10), host: day(10) + was }) }
}

#[test]
fn graphs_time_counts_where_it_was_heard_and_else_the_hosts() {
    let offsets = [-20_700, -400, -31, -1, 1, 30, 400, 4_000].map(days);
    for skew in offsets.into_iter().chain([-2, 2].map(TimeDelta::hours)) {
        let now = day(10) + TimeDelta::hours(1);
        // A clock that is wrong from now on: what Graph says now counts, whatever it said before.
        for was in [days(0), skew, -skew] {
            let heard = clocks(now + skew, Some(skew), was);
            assert_eq!((heard.now(), heard.dates()), (now, Dates::Trusted), "{skew} {was}");
            assert!(heard.reason().is_some() && !heard.is_in_doubt());
        }
        // One that was wrong and was set right, or is as wrong as it was, is known for it.
        let right = clocks(now, None, skew);
        let ahead = skew > days(0);
        if ahead || now >= day(10) {
            assert_eq!(right.now(), now, "{skew}");
            assert_eq!(right.reason(), None, "{skew}");
        }
        assert!(right.is_in_doubt(), "{skew}: until Graph is heard again");
        let as_before = clocks(now + skew, None, skew);
        assert_eq!(as_before.now(), now, "{skew}");
        assert!(as_before.reason().is_some(), "{skew}");
        // One that has gone back is no earlier than what Graph has said.
        let wrong_now = clocks(now + skew, None, days(0));
        let expected = if ahead { now + skew } else { day(10) };
        assert_eq!(wrong_now.now(), expected, "{skew}");
        assert_eq!(wrong_now.reason().is_some(), !ahead, "{skew}");
        let known = if ahead { Dates::Trusted } else { Dates::Doubted };
        assert_eq!(wrong_now.dates(), known, "{skew}");
        let noticed = !ahead || skew > TimeDelta::hours(25);
        assert_eq!(wrong_now.is_in_doubt(), noticed, "{skew}");
    }
    let nothing = Clocks { host: day(3), heard: None, last: None };
    assert_eq!((nothing.now(), nothing.dates()), (day(3), Dates::Trusted));
    assert!(!nothing.is_in_doubt() && nothing.reason().is_none());
}

#[test]
fn clocks_that_differ_by_less_than_five_minutes_agree() {
    let limit = TimeDelta::minutes(5);
    for direction in [1, -1] {
        for (skew, told) in [(limit - SECOND, false), (limit, true)] {
            let skew = skew * direction;
            let clocks = clocks(day(10) + skew, Some(skew), days(0));
            let expected = if told { day(10) } else { day(10) + skew };
            assert_eq!((clocks.now(), clocks.reason().is_some()), (expected, told), "{skew}");
        }
    }
    let reason = clocks(day(12), Some(days(2)), days(0)).reason().unwrap();
    assert_eq!((reason.code, reason.severity), ("clock_skew", Health::Warning));
    assert_eq!(reason.message, "the clock of this machine is 2 days ahead of Graph's");
}

#[test]
fn a_pause_that_no_run_has_ever_set_holds_nothing_back() {
    let policy = Policy::default();
    let decision = |until, problem: Option<ProblemKind>| {
        let mut credential = user(Expiry::At(day(60)), day(50));
        credential.attempts.not_before = Some(until);
        credential.attempts.problem = problem.map(|kind| Problem::new(kind, "x"));
        decide(&subject(&credential, &policy), Insistence::None, Moment::at(day(50)))
    };
    for (kind, longest) in [
        (None, TimeDelta::hours(25)),
        (Some(ProblemKind::Network), TimeDelta::hours(25)),
        (Some(ProblemKind::RateLimited), TimeDelta::hours(169)),
    ] {
        let until = day(50) + longest;
        assert_eq!(decision(until, kind).name(), "rest", "{kind:?}");
        assert_eq!(decision(until + SECOND, kind).name(), "renew", "{kind:?}");
        assert_eq!(decision(day(4_000), kind).name(), "renew", "{kind:?}");
    }
    let due = user(Expiry::At(day(60)), day(50));
    for (until, name) in [(day(57), "rest"), (day(58), "renew"), (day(4_000), "renew")] {
        let throttled = Subject { throttled_until: Some(until), ..subject(&due, &policy) };
        let decision = decide(&throttled, Insistence::None, Moment::at(day(50)));
        assert_eq!(decision.name(), name, "{until}");
    }
}
