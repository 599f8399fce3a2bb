//! Judges the deliveries of a token.
//!
//! A renewed access token that a program has not got is an outage to come: the old one works for a
//! while, and Meta does not say how long.

use chrono::TimeDelta;

use super::reason::TARGETS_ALIKE;
use super::{Health, Reason, Remedy, RemedyKind, humanize};
use crate::token::{Action, Delivery, DeliveryState, Label, TargetId, Time};

/// A delivery that is pending for this long is critical.
const CRITICAL_AFTER: TimeDelta = TimeDelta::hours(24);

const INTERRUPTED: &str = "a run was interrupted while writing the file";

/// What is to be said of these deliveries of one token.
pub fn judge_deliveries(label: &Label, deliveries: &[Delivery], now: Time) -> Vec<Reason> {
    let above = |place: usize| deliveries[..place].iter().find(|above| holds_up(above));
    let judged = deliveries.iter().enumerate();
    judged.filter_map(|(place, delivery)| judge(label, delivery, above(place), now)).collect()
}

/// Whether a program below waits for it.
fn holds_up(delivery: &Delivery) -> bool {
    matches!(delivery.state(), DeliveryState::Failed | DeliveryState::Drifted)
}

fn judge(
    label: &Label,
    delivery: &Delivery,
    above: Option<&Delivery>,
    now: Time,
) -> Option<Reason> {
    let target = &delivery.target;
    let since = delivery.pending_since.or(delivery.failed_at).or(delivery.half_written_since);
    let by_delay = by_delay(since, now);
    let half_written = delivery.half_written_since.filter(|_| delivery.error.is_none());
    let (code, severity, message, step) = match (delivery.state(), above) {
        _ if half_written.is_some() => (
            "delivery_failed",
            by_delay,
            format!("`{target}` may be half-written: {INTERRUPTED}{}", waiting(half_written, now)),
            format!("run `metatoken deliver {label}` to finish it"),
        ),
        (DeliveryState::InSync | DeliveryState::Unknown, _) => return None,
        (DeliveryState::Pending, Some(above)) => (
            "delivery_pending",
            by_delay,
            format!("`{target}` waits for `{}` above it{}", above.target, waiting(since, now)),
            format!("fix `{}` first: run `metatoken deliver {label}`", above.target),
        ),
        (DeliveryState::Pending, None) => (
            "delivery_pending",
            by_delay,
            format!("not delivered to `{target}` yet{}", waiting(since, now)),
            format!("run `metatoken deliver {label}`"),
        ),
        (DeliveryState::Failed, _) => (
            "delivery_failed",
            by_delay,
            format!(
                "not delivered to `{target}`{}: {}",
                waiting(since, now),
                delivery.error.as_deref().unwrap_or_default()
            ),
            format!("run `metatoken deliver {label}`, which tries again and says what to fix"),
        ),
        (DeliveryState::Drifted, _) => (
            "drifted",
            Health::Warning,
            format!(
                "`{target}` holds another value{}, and is left untouched",
                waiting(delivery.drifted_since, now)
            ),
            format!("run `metatoken deliver --force {label}` to overwrite it"),
        ),
    };
    let waits = above.filter(|_| delivery.state() == DeliveryState::Pending);
    Some(Reason {
        action: Action::Retry,
        about: Some(target.to_string()),
        labels: vec![label.clone()],
        waits_for: waits.map(|above| above.target.to_string()),
        ..Reason::of_the_system(code, severity, message, step)
    })
}

/// Judges a half-written file whose target the config no longer has: a run has not tried to finish
/// it yet, or this failure and its remedy are known.
pub fn judge_left_behind(
    label: &Label,
    target: &TargetId,
    since: Time,
    failure: Option<(&str, Option<&str>)>,
    now: Time,
) -> Reason {
    let waiting = waiting(Some(since), now);
    let cause = match failure {
        None => format!(": {INTERRUPTED}{waiting}"),
        Some((message, _)) => format!("{waiting}: {message}"),
    };
    let remedy = match failure {
        Some((_, Some(hint))) => hint.to_owned(),
        _ => "run `metatoken deliver` to finish it".to_owned(),
    };
    let message = format!("`{target}`, no longer a target, may be half-written{cause}");
    let severity = by_delay(Some(since), now);
    Reason {
        action: Action::Retry,
        about: Some(target.to_string()),
        labels: vec![label.clone()],
        ..Reason::of_the_system("delivery_failed", severity, message, remedy)
    }
}

/// What is to be done where two Pages have one target.
pub fn tell_pages_apart() -> Remedy {
    RemedyKind::TellPagesApart.of_the_operator(&[])
}

/// Judges a target that several Pages would write, or that would ruin what metatoken lives by: all of
/// them leave it alone.
pub fn judge_contested(pages: &[Label], target: &TargetId, message: &str) -> Reason {
    let message = format!("{message}: left untouched");
    Reason {
        remedy: tell_pages_apart(),
        about: Some(target.to_string()),
        labels: pages.to_vec(),
        ..Reason::of_the_system(TARGETS_ALIKE, Health::Critical, message, "")
    }
}

fn by_delay(since: Option<Time>, now: Time) -> Health {
    let late = since.is_some_and(|since| now - since >= CRITICAL_AFTER);
    if late { Health::Critical } else { Health::Warning }
}

fn waiting(since: Option<Time>, now: Time) -> String {
    match since {
        None => String::new(),
        Some(since) if since >= now => ", just now".to_owned(),
        Some(since) => format!(", since {}", humanize::when(since, now)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::policy::merge;
    use crate::token::{GenerationId, TargetId};

    #[test]
    fn a_pending_delivery_is_a_warning_and_after_a_day_critical() {
        let since = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let settled = Delivery {
            settled: Some(GenerationId(1)),
            settled_at: Some(since),
            ..Delivery::unseen(TargetId::new("app"))
        };
        let pending = Delivery {
            pending: Some(GenerationId(2)),
            pending_since: Some(since),
            ..settled.clone()
        };
        let failed = Delivery { error: Some("it is full".into()), ..pending.clone() };
        let drifted = Delivery { drifted_since: Some(since), ..pending.clone() };
        let label = Label::parse("brand").unwrap();
        for (delivery, hours, told) in [
            (&settled, 100, None),
            (&pending, 0, Some(("delivery_pending", Health::Warning))),
            (&pending, 23, Some(("delivery_pending", Health::Warning))),
            (&pending, 24, Some(("delivery_pending", Health::Critical))),
            (&failed, 1, Some(("delivery_failed", Health::Warning))),
            (&failed, 24, Some(("delivery_failed", Health::Critical))),
            (&drifted, 48, Some(("drifted", Health::Warning))),
        ] {
            let now = since + TimeDelta::hours(hours);
            let reason = judge(&label, delivery, None, now);
            let seen = reason.map(|reason| (reason.code, reason.severity));
            assert_eq!(seen, told, "{hours} h: {delivery:?}");
        }
    }

    #[test]
    fn what_waits_says_for_what() {
        let since = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let delivery = |name: &str| Delivery {
            pending: Some(GenerationId(2)),
            pending_since: Some(since),
            ..Delivery::unseen(TargetId::new(name))
        };
        let label = Label::parse("brand").unwrap();
        let failed = Delivery { error: Some("it is full".into()), ..delivery("app") };
        let drifted = Delivery { drifted_since: Some(since), ..delivery("app") };
        for above in [failed, drifted] {
            let reasons = judge_deliveries(&label, &[above.clone(), delivery("hook")], since);
            let last = reasons.last().unwrap();
            assert_eq!(last.message, "`hook` waits for `app` above it, just now");
            assert_eq!(last.code, "delivery_pending");
            assert_eq!(last.remedy.step, "fix `app` first: run `metatoken deliver brand`");
            let reasons = judge_deliveries(&label, &[delivery("hook"), above], since);
            assert!(reasons[0].message.starts_with("not delivered to `hook` yet"));
        }
    }

    /// A file that could not be written once made a second alarm of the program below it.
    #[test]
    fn what_waits_is_told_with_what_it_waits_for_until_it_is_worse() {
        let since = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let delivery = |name: &str| Delivery {
            pending: Some(GenerationId(2)),
            pending_since: Some(since),
            ..Delivery::unseen(TargetId::new(name))
        };
        let failed = Delivery { error: Some("it is full".into()), ..delivery("app") };
        let drifted = Delivery { drifted_since: Some(since), ..delivery("app") };
        let causes = |above: &[&Delivery], hours| {
            let now = since + TimeDelta::hours(hours);
            let of = |label| {
                let all = above.iter().map(|it| (*it).clone()).chain([delivery("hook")]);
                judge_deliveries(&Label::parse(label).unwrap(), &all.collect::<Vec<_>>(), now)
            };
            let merged = merge([of("brand"), of("shop")].concat());
            merged.iter().map(|it| (it.code, it.severity, it.labels.len())).collect::<Vec<_>>()
        };
        let (late, soon) = (Health::Critical, Health::Warning);
        assert_eq!(causes(&[&failed], 1), [("delivery_failed", soon, 1); 2]);
        assert_eq!(causes(&[&failed], 24), [("delivery_failed", late, 1); 2]);
        assert_eq!(causes(&[&drifted], 1), [("drifted", soon, 1); 2]);
        let told = causes(&[&drifted], 24);
        assert_eq!(told[..2], [("delivery_pending", late, 1); 2]);
        assert_eq!(causes(&[], 1), [("delivery_pending", soon, 1); 2]);
    }
}
