//! What is said of the timer and of Graph's versions, one second around each limit.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use metatoken::policy::{Health, NEWEST, judge_fallback, judge_runs, judge_version};

use super::{SECOND, day, hours, label};

#[test]
fn a_timer_that_stopped() {
    for (age, severity) in [
        (hours(26), None),
        (hours(26) + SECOND, Some(Health::Warning)),
        (hours(72), Some(Health::Warning)),
        (hours(72) + SECOND, Some(Health::Critical)),
    ] {
        let reason = judge_runs(Some(day(10) - age), day(10));
        assert_eq!(reason.map(|it| it.severity), severity, "{age} ago");
    }
    assert_eq!(judge_runs(None, day(10)), None);
    let reason = judge_runs(Some(day(5)), day(10)).unwrap();
    assert_eq!(reason.code, "no_recent_run");
    assert_eq!(reason.message, "the last run finished 2026-01-06 00:00 UTC, 5 days ago");
    assert_eq!(
        reason.remedy,
        "see that the timer or the cron job runs `metatoken refresh`, and run it now"
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
        ("v21.0", notice, Some("which ends 2027-01-21 00:00 UTC, in 60 days")),
        ("v21.0", end - SECOND, Some("which ends 2027-01-21 00:00 UTC, in 1 second")),
        ("v21.0", end, Some("which ended 2027-01-21 00:00 UTC, now")),
        ("v21.0", end + SECOND, Some("which ended 2027-01-21 00:00 UTC, 1 second ago")),
        ("v20.0", notice, Some("which ended 2026-09-24 00:00 UTC, 59 days ago")),
        ("v9.0", notice, Some("which has ended")),
        (NEWEST, date(2040, 1, 1), None),
    ] {
        let found = judge_version("main", version, vec![label("brand")], now);
        let message = found.as_ref().map(|it| it.message.clone());
        let expected = fate.map(|fate| format!("app `main` asks for Graph {version}, {fate}"));
        assert_eq!(message, expected, "{version} at {now}");
        if let Some(reason) = found {
            assert_eq!((reason.code, reason.severity), ("graph_version_ends", Health::Warning));
            assert_eq!(reason.labels, [label("brand")]);
            assert_eq!(
                reason.remedy,
                format!("set `graph_version = \"{NEWEST}\"` in `[app.main]`, or leave it out")
            );
        }
    }
    let fallback = judge_fallback("main", "v19.0", "v21.0", vec![label("brand")]);
    assert_eq!((fallback.code, fallback.severity), ("graph_version_fallback", Health::Warning));
    assert_eq!(fallback.message, "app `main` asks for Graph v19.0, and v21.0 answers");
    assert_eq!(
        fallback.remedy,
        format!("set `graph_version = \"{NEWEST}\"` in `[app.main]`, or leave it out")
    );
}
