use super::*;
use crate::store::sqlite::place;
use crate::token::{Delivery, DeliveryState, GenerationId, TargetId};

contract! {
    a_promotion_owes_its_string_to_its_targets_or_does_not_happen,
    a_target_waits_for_the_newest_access_token_since_the_first,
    a_drifted_target_stays_so_until_it_is_settled_or_mended,
    a_delivery_is_told_with_its_target_and_generation,
    a_failure_that_stands_is_told_once_a_day,
    what_a_target_lost_is_pending_since_then,
    an_error_from_when_nothing_was_pending_is_no_failure_of_a_new_delivery,
    only_a_string_of_the_same_token_can_be_settled,
}

fn target(name: &str) -> TargetId {
    TargetId::new(name)
}

fn hour(n: i64) -> Time {
    day(0) + TimeDelta::hours(n)
}

impl Shelf {
    /// Seals a string and makes it the current one, pending for these targets.
    fn current_pending(
        &self,
        token: TokenId,
        text: &str,
        targets: &[&str],
        now: Time,
    ) -> Generation {
        let candidate = self.candidate(token, text, Expiry::Unknown, now);
        let pending_for = targets.iter().map(|name| target(name)).collect();
        let promotion = Promotion { pending_for, ..Shelf::promotion(&candidate) };
        self.promote(token, promotion, now).unwrap().current.unwrap()
    }

    fn settle(&self, token: TokenId, name: &str, generation: &Generation, now: Time) {
        let settlement = Settlement { token, target: target(name), generation: generation.id };
        self.store.settle(self.run, settlement, now).unwrap();
    }

    fn fail(&self, token: TokenId, name: &str, sentence: &str, now: Time) {
        let problem = Problem::new(ProblemKind::Unknown, sentence);
        let failure = DeliveryFailure { token, target: target(name), problem };
        self.store.note_delivery_failure(self.run, failure, now).unwrap();
    }

    fn set_pending(&self, token: TokenId, names: &[&str], now: Time) {
        let targets: Vec<_> = names.iter().map(|name| target(name)).collect();
        self.store.set_pending(token, &targets, now).unwrap();
    }

    fn delivery(&self, token: TokenId, name: &str) -> Delivery {
        let deliveries = self.credential(token).deliveries;
        let found = deliveries.into_iter().find(|delivery| delivery.target.as_str() == name);
        found.unwrap_or_else(|| Delivery::unseen(target(name)))
    }
}

fn pending(name: &str, generation: &Generation, since: Time) -> Delivery {
    Delivery {
        pending: Some(generation.id),
        pending_since: Some(since),
        ..Delivery::unseen(target(name))
    }
}

fn a_promotion_owes_its_string_to_its_targets_or_does_not_happen(make: Make) {
    let shelf = make();
    let (brand, other) = (shelf.token("brand"), shelf.token("other"));
    let first = shelf.current_pending(brand, "EAAfake1", &["b", "a"], day(1));
    shelf.current_pending(other, "EAAfakeOther", &[], day(1));
    let expected = [pending("a", &first, day(1)), pending("b", &first, day(1))];
    assert_eq!(shelf.credential(brand).deliveries, expected);
    assert_eq!(shelf.store.credential(brand).unwrap().deliveries, expected);
    assert_eq!(shelf.credential(other).deliveries, []);

    let candidate = shelf.candidate(brand, "EAAfake2", Expiry::Unknown, day(2));
    let promotion =
        Promotion { pending_for: vec![target("a"), target("c")], ..Shelf::promotion(&candidate) };
    let late = Credential { current: None, ..shelf.credential(brand) };
    let refused = shelf.store.promote(shelf.run, late, promotion, day(2)).unwrap_err();
    assert_eq!(refused.code(), "superseded");
    assert_eq!(shelf.credential(brand).deliveries, expected);
}

fn a_target_waits_for_the_newest_access_token_since_the_first(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let first = shelf.current_pending(token, "EAAfake1", &["app"], day(1));
    shelf.fail(token, "app", "no such file", day(1));
    let second = shelf.current_pending(token, "EAAfake2", &["app"], day(2));
    let waiting = shelf.delivery(token, "app");
    assert_eq!((waiting.pending, waiting.pending_since), (Some(second.id), Some(day(1))));
    assert_eq!(waiting.state(), DeliveryState::Failed, "nobody has tried again");

    // What was on its way while the newer one was promoted.
    shelf.settle(token, "app", &first, day(2));
    let behind = Delivery {
        settled: Some(first.id),
        settled_at: Some(day(2)),
        ..pending("app", &second, day(1))
    };
    assert_eq!(shelf.delivery(token, "app"), behind);
    shelf.settle(token, "app", &second, day(3));
    let settled = Delivery {
        settled: Some(second.id),
        settled_at: Some(day(3)),
        ..Delivery::unseen(target("app"))
    };
    assert_eq!(shelf.delivery(token, "app"), settled);

    let third = shelf.current_pending(token, "EAAfake3", &["app"], day(4));
    let again = shelf.delivery(token, "app");
    assert_eq!((again.pending, again.pending_since), (Some(third.id), Some(day(4))));
}

fn a_drifted_target_stays_so_until_it_is_settled_or_mended(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let note = |since| shelf.store.note_drift(token, &target("app"), since).unwrap();
    let drifted = || shelf.delivery(token, "app").drifted_since;
    note(Some(day(1)));
    assert_eq!(shelf.credential(token).deliveries, [], "it never had anything of ours");
    let first = shelf.current_pending(token, "EAAfake1", &["app", "other"], day(1));
    shelf.settle(token, "app", &first, day(1));
    note(Some(day(2)));
    note(Some(day(3)));
    assert_eq!(drifted(), Some(day(2)));
    let second = shelf.current_pending(token, "EAAfake2", &["app", "other"], day(4));
    assert_eq!(drifted(), Some(day(2)), "a new debt does not mend it");
    note(None);
    assert_eq!(drifted(), None);
    note(Some(day(5)));
    shelf.settle(token, "app", &second, day(6));
    assert_eq!(drifted(), None);
    assert_eq!(shelf.delivery(token, "other"), pending("other", &second, day(1)));
    let kinds = shelf.kinds();
    assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::Refreshed).count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::Delivered).count(), 2);
    assert_eq!(kinds.len(), 4, "a drift is no event");
}

#[test]
fn a_target_of_the_config_waits_for_the_current_access_token_unless_it_has_it() {
    let shelf = Shelf::new();
    let token = shelf.token("brand");
    shelf.set_pending(token, &["new"], day(0));
    assert_eq!(shelf.credential(token).deliveries, [], "there is no access token to deliver");

    let first = shelf.current_pending(token, "EAAfake1", &["has", "left-pending", "left"], day(1));
    for name in ["has", "left"] {
        shelf.settle(token, name, &first, day(1));
    }
    // From here on the config lacks two of them.
    let second = shelf.current_pending(token, "EAAfake2", &["has", "waits"], day(2));
    shelf.settle(token, "has", &second, day(2));
    shelf.set_pending(token, &["has", "waits", "new", "left", "left-pending"], day(3));
    for (name, expected) in [
        ("has", (None, None)),
        ("waits", (Some(second.id), Some(day(2)))),
        ("new", (Some(second.id), Some(day(3)))),
        ("left", (Some(second.id), Some(day(3)))),
        ("left-pending", (Some(second.id), Some(day(1)))),
    ] {
        let found = shelf.delivery(token, name);
        assert_eq!((found.pending, found.pending_since), expected, "{name}");
    }

    let log = || std::fs::read(place::beside(&shelf.path, place::LOG)).unwrap();
    let before = log();
    shelf.set_pending(token, &["has", "waits", "new"], day(4));
    assert!(before == log(), "where all is as it was nothing is written");
}

fn a_delivery_is_told_with_its_target_and_generation(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let first = shelf.current_pending(token, "EAAfake1", &["app"], day(1));
    shelf.fail(token, "app", "no such file", day(2));
    shelf.settle(token, "app", &first, day(3));
    let told: Vec<_> = shelf
        .store
        .events(&EventQuery::default())
        .unwrap()
        .into_iter()
        .map(|event| (event.kind, event.target, event.generation, event.problem))
        .collect();
    let problem = Problem::new(ProblemKind::Unknown, "no such file");
    assert_eq!(
        told,
        [
            (EventKind::Delivered, Some(target("app")), Some(1), None),
            (EventKind::DeliveryFailed, Some(target("app")), Some(1), Some(problem)),
            (EventKind::Refreshed, None, Some(1), None),
        ]
    );
}

fn a_failure_that_stands_is_told_once_a_day(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let first = shelf.current_pending(token, "EAAfake1", &["app", "other"], hour(0));
    shelf.fail(token, "other", "no such file", hour(0));
    let told = || shelf.kinds().iter().filter(|kind| **kind == EventKind::DeliveryFailed).count();
    for (at, sentence, news) in [
        (1, "no such file", true),
        (2, "no such file", false),
        (24, "no such file", false),
        (25, "no such file", true),
        (26, "no such file", false),
        (27, "permission denied", true),
        (28, "permission denied", false),
        (29, "no such file", true),
        (53, "no such file", true),
        // The clock was set back: what was told in the future is not a reason to be silent now.
        (-30, "no such file", true),
    ] {
        let before = told();
        shelf.fail(token, "app", sentence, hour(at));
        assert_eq!(told() - before, usize::from(news), "{at} {sentence}");
        let found = shelf.delivery(token, "app");
        assert_eq!(found.error.as_deref(), Some(sentence));
        assert_eq!((found.failed_at, found.pending), (Some(hour(at)), Some(first.id)));
    }
    let before = told();
    shelf.settle(token, "app", &first, hour(60));
    let found = shelf.delivery(token, "app");
    assert_eq!((found.error, found.failed_at), (None, None));
    shelf.fail(token, "app", "no such file", hour(61));
    assert_eq!(told() - before, 1, "it had worked in between");
    assert_eq!(shelf.delivery(token, "other").failed_at, Some(hour(0)), "it is another's trouble");
}

fn what_a_target_lost_is_pending_since_then(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let first = shelf.current_pending(token, "EAAfake1", &["app"], day(1));
    shelf.settle(token, "app", &first, day(1));
    for at in [2, 3] {
        shelf.fail(token, "app", "the file cannot be read", day(at));
        let found = shelf.delivery(token, "app");
        assert_eq!(found.state(), DeliveryState::Failed);
        assert_eq!((found.pending, found.pending_since), (Some(first.id), Some(day(2))));
        assert_eq!(found.failed_at, Some(day(at)));
    }
    shelf.settle(token, "app", &first, day(4));
    let found = shelf.delivery(token, "app");
    assert_eq!(
        (found.state(), found.pending, found.pending_since),
        (DeliveryState::InSync, None, None)
    );
}

fn an_error_from_when_nothing_was_pending_is_no_failure_of_a_new_delivery(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    shelf.fail(token, "app", "the file cannot be read", day(2));
    assert_eq!(shelf.delivery(token, "app").state(), DeliveryState::Failed);
    shelf.current_pending(token, "EAAfake1", &["app"], day(3));
    assert_eq!(shelf.delivery(token, "app").state(), DeliveryState::Pending);
}

fn only_a_string_of_the_same_token_can_be_settled(make: Make) {
    let shelf = make();
    let (brand, other) = (shelf.token("brand"), shelf.token("other"));
    let first = shelf.current_pending(brand, "EAAfake1", &["app"], day(1));
    let before = shelf.credential(brand).deliveries;
    for (token, generation) in [(other, first.id), (brand, GenerationId(99))] {
        let settlement = Settlement { token, target: target("app"), generation };
        let refused = shelf.store.settle(shelf.run, settlement, day(2)).unwrap_err();
        assert_eq!(refused.code(), "absent");
    }
    assert_eq!(shelf.credential(brand).deliveries, before);
    assert_eq!(shelf.credential(other).deliveries, []);
    assert_eq!(shelf.kinds(), [EventKind::Refreshed]);
}

#[test]
fn a_token_that_retires_keeps_its_deliveries_and_a_reader_sees_them_without_the_key() {
    let shelf = Shelf::new();
    let page = shelf.token("brand/1");
    let first = shelf.current_pending(page, "EAAfake1", &["app"], day(1));
    let listed = shelf.credential(page);
    let unlisted = shelf.store.note_listing(listed, GenerationId(1), &[], &[page], day(2)).unwrap();
    shelf.store.retire(shelf.run, unlisted, day(9)).unwrap();
    let reader = Store::open_reader(&shelf.path, None).unwrap().unwrap();
    let found = reader.credential(page).unwrap();
    assert_eq!(found.retired_at, Some(day(9)));
    assert_eq!(found.deliveries, [pending("app", &first, day(1))]);
}
