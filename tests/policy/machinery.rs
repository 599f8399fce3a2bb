//! What is said of the timer and of Graph's versions, one second around each limit.

use std::path::Path;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use metatoken::policy::{
    AskedVersion, Health, Moment, NEWEST, Policy, Reason, Runs, judge_exposure, judge_failed_run,
    judge_fallback, judge_runs, judge_version, judge_window, merge,
};
use metatoken::token::{Action, Credential, Expiry};

use super::{SECOND, day, hours, label, subject, user};

const RUN_IT: &str =
    "run `metatoken refresh`. Then see why the timer or the cron job does not run it";

/// How severe it is that the last run finished `age` ago, with `run_every` and the narrowest window.
fn stopped(
    age: TimeDelta,
    every: Option<TimeDelta>,
    narrowest_window: Option<TimeDelta>,
) -> Option<Health> {
    let runs =
        Runs { every, narrowest_window, last_finished: Some(day(50) - age), ..Runs::default() };
    judge_runs(&runs, day(50)).map(|it| it.severity)
}

#[test]
fn a_timer_that_stopped() {
    let (warning, critical) = (Some(Health::Warning), Some(Health::Critical));
    let minutes = TimeDelta::minutes;
    for (every, window, first, second) in [
        (None, None, hours(26), hours(72)),
        (None, Some(hours(24 * 20)), hours(26), hours(72)),
        (None, Some(hours(24 * 4)), hours(26), hours(48)),
        // A timer that runs often is critical no sooner than after a day.
        (Some(minutes(5)), None, minutes(15), hours(24)),
        (Some(hours(1)), None, hours(3), hours(24)),
        (Some(hours(2)), None, hours(6), hours(24)),
        (Some(hours(3)), None, hours(9), hours(36)),
        (Some(hours(24)), None, hours(72), hours(24 * 12)),
        // Half of the narrowest window is left in any case.
        (Some(hours(24)), Some(hours(24 * 20)), hours(72), hours(24 * 10)),
        (Some(hours(1)), Some(hours(10)), hours(3), hours(5)),
    ] {
        let told = |age| stopped(age, every, window);
        assert_eq!(told(first), None, "{every:?} {window:?}");
        assert_eq!(told(first + SECOND), warning, "{every:?} {window:?}");
        assert_eq!(told(second), warning, "{every:?} {window:?}");
        assert_eq!(told(second + SECOND), critical, "{every:?} {window:?}");
    }
    // Where both limits are half of a window, there is no time for a warning.
    for (every, window) in [(Some(hours(24 * 7)), hours(24 * 20)), (None, hours(48))] {
        let half = window / 2;
        assert_eq!(stopped(half, every, Some(window)), None);
        assert_eq!(stopped(half + SECOND, every, Some(window)), critical);
    }
    assert_eq!(stopped(hours(9999), Some(TimeDelta::MAX), None), None);
    let runs = Runs { last_finished: Some(day(5)), ..Runs::default() };
    let reason = judge_runs(&runs, day(10)).unwrap();
    assert_eq!(reason.code, "no_recent_run");
    assert_eq!(reason.message, "no run since 2026-01-06 00:00 UTC, 5 days ago");
    assert_eq!(reason.remedy.to_string(), RUN_IT);
}

#[test]
fn a_timer_that_never_started() {
    // Somebody's first try is no fault; a timer that was promised is.
    assert_eq!(judge_runs(&Runs::default(), day(10)), None);
    let begun = Runs { first_began: Some(day(0)), ..Runs::default() };
    assert_eq!(judge_runs(&begun, day(10)), None);
    let promised = Runs { every: Some(hours(1)), ..Runs::default() };
    for (first_began, severity) in [
        (None, Health::Warning),
        (Some(day(9)), Health::Warning),
        (Some(day(9) - SECOND), Health::Critical),
    ] {
        let reason = judge_runs(&Runs { first_began, ..promised }, day(10)).unwrap();
        assert_eq!((reason.code, reason.severity), ("no_recent_run", severity));
        assert_eq!(reason.message, "no run has finished yet");
        assert_eq!(reason.remedy.to_string(), RUN_IT);
    }
}

#[test]
fn a_scheduled_run_that_failed() {
    let (at, now) = (day(9), day(9) + hours(2));
    let hints = ["close the quote", "see `metatoken config check`"];
    for (hints, remedy) in [
        (&hints[..0], "run `metatoken refresh` as the user of the timer to see the whole error"),
        (&hints[..1], "close the quote; then run `metatoken refresh`"),
        (&hints[..], "close the quote; see `metatoken config check`; then run `metatoken refresh`"),
    ] {
        let reason = judge_failed_run(at, 78, "/etc/x.toml: line 3", hints, now);
        assert_eq!((reason.code, reason.severity), ("scheduled_run_failed", Health::Critical));
        assert_eq!(
            reason.message,
            "the last scheduled run failed, 2026-01-10 00:00 UTC, 2 hours ago: /etc/x.toml: line 3 \
             (exit code 78)"
        );
        assert_eq!(reason.remedy.to_string(), remedy);
    }
}

#[test]
fn a_window_that_a_timer_may_miss() {
    let ten_days = TimeDelta::days(10);
    let of = |credential: &Credential, policy: &Policy, gap, every| {
        let runs = Runs { longest_gap: gap, every, ..Runs::default() };
        judge_window(&subject(credential, policy), &runs)
    };
    let policy = Policy::default();
    let dated = user(Expiry::At(day(59)), day(0));
    for (gap, every, found) in [
        (None, None, None),
        (Some(ten_days), None, None),
        (Some(ten_days + SECOND), None, Some("two runs were 10 days apart lately")),
        (Some(hours(1)), Some(ten_days + SECOND), Some("`run_every` is 864001s")),
        (Some(ten_days + SECOND), Some(hours(1)), Some("two runs were 10 days apart lately")),
    ] {
        let reason = of(&dated, &policy, gap, every);
        let told = found.map(|found| {
            format!("renewal window 20 days is too narrow: {found}, one failed run may be the last chance")
        });
        assert_eq!(reason.as_ref().map(|it| it.message.clone()), told, "{gap:?} {every:?}");
        if let Some(reason) = reason {
            assert_eq!((reason.code, reason.severity), ("window_too_narrow", Health::Warning));
            assert_eq!(reason.labels, [label("brand")]);
        }
    }
    // What no run renews has no window.
    let rare = Some(TimeDelta::days(40));
    let by_hand = Policy { auto_refresh: false, ..Policy::default() };
    let ends = |expiry| user(expiry, day(0));
    assert!(of(&dated, &policy, rare, None).is_some());
    assert_eq!(of(&dated, &by_hand, rare, None), None);
    assert_eq!(of(&ends(Expiry::Never), &policy, rare, None), None);
    assert_eq!(of(&ends(Expiry::Unknown), &policy, rare, None), None);
}

#[test]
fn a_file_that_lies_open() {
    let reason = judge_exposure("the store key", Path::new("/var/lib/metatoken/metatoken.key"));
    assert_eq!((reason.code, reason.severity), ("readable_by_others", Health::Warning));
    assert_eq!(
        reason.message,
        "the store key `/var/lib/metatoken/metatoken.key` can be read by every user of this machine"
    );
    assert_eq!(reason.remedy.to_string(), "run `chmod o-r /var/lib/metatoken/metatoken.key`");
}

#[test]
fn what_follows_from_a_stopped_timer_is_told_with_it() {
    let reason = |name: &str, code, message: &str| Reason {
        code,
        severity: Health::Warning,
        message: message.into(),
        remedy: format!("fix {name}").into(),
        condition: None,
        meta: String::new(),
        action: Action::Retry,
        labels: if name.is_empty() { Vec::new() } else { vec![label(name)] },
        about: None,
        held_by: None,
        waits_for: None,
    };
    let told = |reasons: Vec<Reason>| -> Vec<_> {
        let merged = merge(reasons);
        merged.into_iter().map(|it| (it.code, it.labels)).collect()
    };
    let stopped = reason("", "no_recent_run", "the last run finished long ago");
    let (late, silent) = ("refresh_overdue", "unchecked");
    let late = |name| reason(name, late, "due for days");
    let silent = |name| reason(name, silent, "not asked for days");
    let other = reason("c", "expiring", "it ends");
    assert_eq!(
        told(vec![late("a"), silent("a"), late("b"), stopped, other.clone()]),
        [("no_recent_run", vec![label("a"), label("b")]), ("expiring", vec![label("c")])],
    );
    // Runs that go on and do not reach Graph renew nothing either.
    assert_eq!(
        told(vec![late("a"), silent("a"), late("b"), other]),
        [
            ("expiring", vec![label("c")]),
            ("unchecked", vec![label("a")]),
            ("refresh_overdue", vec![label("b")]),
        ],
    );
}

#[test]
fn a_graph_version_that_ends() {
    let date = |year, month, day| {
        NaiveDate::from_ymd_opt(year, month, day).unwrap().and_time(NaiveTime::MIN).and_utc()
    };
    let end = date(2027, 1, 21);
    let notice = end - TimeDelta::days(60);
    for (version, now, fate) in [
        ("v21.0", notice - SECOND, None),
        ("v21.0", notice, Some("which expires 2027-01-21 00:00 UTC, in 60 days")),
        ("v21.0", end - SECOND, Some("which expires 2027-01-21 00:00 UTC, in 1 second")),
        ("v21.0", end, Some("which expired 2027-01-21 00:00 UTC, now")),
        ("v21.0", end + SECOND, Some("which expired 2027-01-21 00:00 UTC, 1 second ago")),
        ("v20.0", notice, Some("which expired 2026-09-24 00:00 UTC, 59 days ago")),
        ("v9.0", notice, Some("which has expired")),
        (NEWEST, date(2028, 9, 1), None),
    ] {
        let found = judge_version(
            AskedVersion { app: "main", version, check: None },
            vec![label("brand")],
            Moment::at(now),
        );
        let message = found.as_ref().map(|it| it.message.clone());
        let expected = fate.map(|fate| format!("app `main` asks for Graph {version}, {fate}"));
        assert_eq!(message, expected, "{version} at {now}");
        if let Some(reason) = found {
            assert_eq!((reason.code, reason.severity), ("graph_version_ends", Health::Warning));
            assert_eq!(reason.labels, [label("brand")]);
            assert_eq!(
                reason.remedy.to_string(),
                format!(
                    "set `graph_version = \"{NEWEST}\"` in `[app.main]`, or leave it out; then run `metatoken config check`"
                )
            );
        }
    }
    let fallback = judge_fallback("main", "v19.0", "v21.0", vec![label("brand")]);
    assert_eq!((fallback.code, fallback.severity), ("graph_version_fallback", Health::Warning));
    assert_eq!(fallback.message, "app `main` asks for Graph v19.0, and v21.0 answers");
    assert_eq!(
        fallback.remedy.to_string(),
        format!(
            "set `graph_version = \"{NEWEST}\"` in `[app.main]`, or leave it out; then run `metatoken config check`"
        )
    );
}
