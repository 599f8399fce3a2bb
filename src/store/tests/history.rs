use super::*;
use crate::store::sqlite::place;
use crate::token::{AttemptKind, Attempts, GenerationId, OpenAttempt, TargetId};

contract! {
    a_changed_verdict_is_told_once,
    failures_count_until_a_success,
    an_attempt_that_was_cut_short_is_named_until_something_came_of_it,
    a_run_that_was_abandoned_is_ended_and_its_attempts_are_not,
    the_history_is_asked_by_label_time_kind_and_number,
    the_machinery_is_seen_through_its_runs,
    a_clock_that_was_wrong_once_leaves_no_gap,
    a_label_moves_and_its_history_with_it,
    a_label_without_an_access_token_gives_way_to_the_one_that_it_was,
    a_page_that_is_gone_is_unlisted_then_retired_and_comes_back,
}

fn a_changed_verdict_is_told_once(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let alive = |at| proof(day(at), true, Expiry::Unknown);
    let dead = |at| proof(day(at), false, Expiry::Unknown);
    let candidate = shelf.candidate(token, "EAAfake1", Expiry::Unknown, day(1));
    let note = |proof| shelf.note_proof(token, candidate.id, proof);
    assert_eq!(note(alive(1)), None);
    let promotion = Promotion { proof: Some(alive(1)), ..Shelf::promotion(&candidate) };
    shelf.promote(token, promotion, day(1)).unwrap();
    assert_eq!(note(alive(2)), None);
    assert_eq!(note(dead(3)), Some(EventKind::Invalid));
    assert_eq!(note(dead(4)), None);
    let silent = Proof { at: day(5), inspection: Inspection::bare(None, None) };
    assert_eq!(note(silent), None);
    assert_eq!(note(alive(6)), Some(EventKind::Verified));
    assert_eq!(shelf.kinds(), [EventKind::Refreshed, EventKind::Invalid, EventKind::Verified]);
}

#[test]
fn what_status_saw_first_the_next_run_still_tells() {
    let shelf = Shelf::new();
    let token = shelf.token("brand");
    let current = shelf.current(token, "EAAfake1", Expiry::Unknown, day(1));
    let dead = proof(day(3), false, Expiry::Unknown);
    shelf.note_proof(token, current.id, proof(day(2), true, Expiry::Never));
    Store::note_proofs(&shelf.path, &[(current.id, dead.clone())]).unwrap();
    assert_eq!(shelf.credential(token).current.unwrap().proof, Some(dead.clone()));
    let told = shelf.note_proof(token, current.id, dead);
    assert_eq!(told, Some(EventKind::Invalid));
}

#[test]
fn status_adds_only_what_is_newer_and_known() {
    let shelf = Shelf::new();
    let token = shelf.token("brand");
    let current = shelf.current(token, "EAAfake1", Expiry::Unknown, day(1));
    let newer = proof(day(5), true, Expiry::Never);
    shelf.note_proof(token, current.id, newer.clone());
    let older = proof(day(4), false, Expiry::Unknown);
    let absent = crate::token::GenerationId(99);
    Store::note_proofs(&shelf.path, &[(current.id, older.clone()), (absent, older)]).unwrap();
    assert_eq!(shelf.credential(token).current.unwrap().proof, Some(newer));
}

fn failures_count_until_a_success(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let problem = Problem::new(ProblemKind::Network, "no answer");
    let failed = Setback {
        event: Some(EventKind::RefreshFailed),
        generation: None,
        problem: Some(problem.clone()),
        not_before: Some(day(2)),
        refused_by: None,
    };
    let refused = Setback { event: Some(EventKind::AdoptionRefused), ..failed.clone() };
    shelf.store.plan_attempts(shelf.run, &[token], day(1)).unwrap();
    for setback in [failed.clone(), failed, refused] {
        let credential = shelf.credential(token);
        shelf.store.note_setback(shelf.run, credential, setback, day(1)).unwrap();
    }
    let expected = Attempts {
        last_attempt_at: Some(day(1)),
        consecutive_failures: 2,
        not_before: Some(day(2)),
        problem: Some(problem),
        ..Attempts::default()
    };
    assert_eq!(shelf.credential(token).attempts, expected);

    shelf.current(token, "EAAfake1", Expiry::Unknown, day(3));
    let expected = Attempts {
        last_refreshed_at: Some(day(3)),
        last_attempt_at: Some(day(1)),
        ..Attempts::default()
    };
    assert_eq!(shelf.credential(token).attempts, expected);
}

fn an_attempt_that_was_cut_short_is_named_until_something_came_of_it(make: Make) {
    let shelf = make();
    let (brand, other) = (shelf.token("brand"), shelf.token("other"));
    for announced in [&[brand, other][..], &[brand], &[other]] {
        shelf.store.plan_attempts(shelf.run, announced, day(1)).unwrap();
    }
    assert_eq!(shelf.store.interrupted_attempts().unwrap(), []);
    shelf.store.close_attempts(shelf.run, shelf.credential(other), day(1)).unwrap();

    let next = shelf.store.begin_run("refresh", Trigger::Manual, day(2)).unwrap();
    let attempt = OpenAttempt { kind: AttemptKind::Renewal, began: day(1) };
    let interrupted = Interrupted { token: brand, label: label("brand"), run: shelf.run, attempt };
    assert_eq!(shelf.store.interrupted_attempts().unwrap(), [interrupted]);
    assert_eq!(shelf.credential(brand).attempts.open_attempt, Some(attempt));

    shelf.store.plan_attempts(next, &[brand, other], day(2)).unwrap();
    shelf.current(brand, "EAAfake1", Expiry::Unknown, day(2));
    shelf.store.finish_run(next, 0, None, day(2)).unwrap();
    shelf.store.begin_run("refresh", Trigger::Manual, day(3)).unwrap();
    assert_eq!(shelf.store.interrupted_attempts().unwrap(), []);
}

fn a_run_that_was_abandoned_is_ended_and_its_attempts_are_not(make: Make) {
    let shelf = make();
    let brand = shelf.token("brand");
    shelf.store.plan_attempts(shelf.run, &[brand], day(1)).unwrap();
    shelf.store.abandon_run(shelf.run, 143, None, day(1)).unwrap();
    let run = &shelf.store.last_runs(1).unwrap()[0];
    assert_eq!((run.finished_at, run.exit_code), (Some(day(1)), Some(143)));
    shelf.store.begin_run("refresh", Trigger::Manual, day(2)).unwrap();
    assert_eq!(shelf.store.interrupted_attempts().unwrap().len(), 1);
}

fn the_history_is_asked_by_label_time_kind_and_number(make: Make) {
    let shelf = make();
    let brand = shelf.token("brand");
    let other = shelf.token("other");
    shelf.current(brand, "EAAfake1", Expiry::Unknown, day(1));
    shelf.current(other, "EAAfake2", Expiry::Unknown, day(2));
    let failed = Setback {
        event: Some(EventKind::RefreshFailed),
        generation: None,
        problem: None,
        not_before: None,
        refused_by: None,
    };
    shelf.store.note_setback(shelf.run, shelf.credential(brand), failed, day(3)).unwrap();
    let days = |query: EventQuery| -> Vec<i64> {
        let events = shelf.store.events(&query).unwrap();
        events.iter().map(|event| (event.at - day(0)).num_days()).collect()
    };
    assert_eq!(days(EventQuery::default()), [3, 2, 1]);
    let brand_only = EventQuery { labels: Some(vec![label("brand")]), ..EventQuery::default() };
    assert_eq!(days(brand_only), [3, 1]);
    assert_eq!(days(EventQuery { since: Some(day(2)), ..EventQuery::default() }), [3, 2]);
    assert_eq!(days(EventQuery { limit: Some(1), ..EventQuery::default() }), [3]);
    let failures = EventQuery { kinds: Some(EventQuery::FAILURES), ..EventQuery::default() };
    assert_eq!(days(failures), [3]);

    assert_eq!(shelf.store.purge_events(day(3)).unwrap(), 2);
    assert_eq!(days(EventQuery::default()), [3]);
}

fn the_machinery_is_seen_through_its_runs(make: Make) {
    let shelf = make();
    let finish = |at, code| {
        let run = shelf.store.begin_run("refresh", Trigger::Scheduled, day(at)).unwrap();
        shelf.store.finish_run(run, code, Some(TimeDelta::seconds(-3)), day(at)).unwrap();
        run
    };
    shelf.store.begin_run("exchange", Trigger::Manual, day(1)).unwrap();
    let good = finish(10, 0);
    let failed = finish(12, 69);
    let broken = finish(13, 74);
    let run_summary = shelf.store.run_summary("refresh", day(14)).unwrap();
    assert_eq!(run_summary.last_success.unwrap().id, good);
    let finished = run_summary.last_finished.unwrap();
    assert_eq!((finished.id, finished.exit_code), (failed, Some(69)));
    assert_eq!(finished.clock_skew, Some(TimeDelta::seconds(-3)));
    assert_eq!(shelf.store.last_heard().unwrap().unwrap().id, broken);
    assert_eq!(run_summary.last.unwrap().id, broken);
    assert_eq!(run_summary.first_began, Some(day(0)));
    // What was killed or could not work leaves a gap.
    assert_eq!(run_summary.longest_gap, Some(TimeDelta::days(2)));
    finish(17, 1);
    let later = shelf.store.run_summary("refresh", day(42)).unwrap();
    assert_eq!(later.longest_gap, Some(TimeDelta::days(5)));
    let last = shelf.store.run_summary("refresh", day(48)).unwrap();
    assert_eq!(last.longest_gap, None);
    assert_eq!(shelf.store.last_runs(2).unwrap().len(), 2);
}

fn a_clock_that_was_wrong_once_leaves_no_gap(make: Make) {
    let shelf = make();
    let unheard = |at: i64| {
        let run = shelf.store.begin_run("refresh", Trigger::Scheduled, day(at)).unwrap();
        shelf.store.finish_run(run, 0, None, day(at)).unwrap();
    };
    let heard = |at: i64, ahead: i64| {
        let run = shelf.store.begin_run("refresh", Trigger::Scheduled, day(at + ahead)).unwrap();
        shelf.store.bring_back(run, day(at), day(at)).unwrap();
        shelf.store.finish_run(run, 0, Some(TimeDelta::days(ahead)), day(at)).unwrap();
    };
    unheard(-20_000);
    for (at, ahead) in [(100, 0), (101, 365), (102, -90)] {
        heard(at, ahead);
        unheard(at);
    }
    for wrong in [400, -20_000, 130, 50] {
        unheard(wrong);
    }
    unheard(102);
    heard(103, 0);
    let gap = |until| shelf.store.run_summary("refresh", day(until)).unwrap().longest_gap;
    assert_eq!(gap(104), Some(TimeDelta::days(1)));
    // Those that were ahead say nothing later either.
    assert_eq!(gap(131), Some(TimeDelta::days(1)));
}

fn a_label_moves_and_its_history_with_it(make: Make) {
    let shelf = make();
    let (a, b) = (shelf.token("a"), shelf.token("b"));
    let page = shelf.token("a/1");
    shelf.current(a, "EAAfake1", Expiry::Unknown, day(1));
    let was = |name: &str, was: &str| Enrolment { was: Some(label(was)), ..enrolment(name) };
    let chain = [was("b", "a"), was("c", "b")];
    assert_eq!(shelf.store.enrol(&chain, day(0)).unwrap(), [a, b]);
    assert_eq!(shelf.store.enrol(&chain, day(0)).unwrap(), [a, b]);
    assert_eq!(shelf.credential(a).label, label("b"));
    assert_eq!(shelf.credential(page).label, label("b/1"));
    let events = shelf.store.events(&EventQuery::default()).unwrap();
    let told: Vec<_> = events
        .iter()
        .filter(|event| event.kind == EventKind::Renamed)
        .map(|event| (event.label.clone().unwrap(), event.renamed_from.clone().unwrap()))
        .collect();
    let moved = |new: &str, old: &str| (label(new), old.to_owned());
    assert_eq!(told, [moved("c", "b"), moved("b/1", "a/1"), moved("b", "a")], "each once");
    assert_eq!(events.last().unwrap().label, Some(label("b")));
}

fn a_label_without_an_access_token_gives_way_to_the_one_that_it_was(make: Make) {
    let shelf = make();
    let (old, bare, new) = (shelf.token("old"), shelf.token("bare"), shelf.token("new"));
    shelf.current(old, "EAAfake1", Expiry::Unknown, day(1));
    let was = |name: &str, was: &str| Enrolment { was: Some(label(was)), ..enrolment(name) };
    shelf.store.set_pending(bare, &[TargetId::new("app")], day(1)).unwrap();
    assert_eq!(shelf.store.enrol(&[was("bare", "old")], day(0)).unwrap(), [old]);
    let labels = || -> Vec<String> {
        let all = shelf.store.credentials().unwrap();
        all.iter().map(|it| it.label.to_string()).collect()
    };
    assert_eq!(labels(), ["bare", "new"]);
    assert_eq!(shelf.store.credential_called(&label("bare"), None).unwrap().unwrap().id, old);
    // One that was refused leaves its trace under the label that is free now.
    let candidate = shelf.candidate(new, "EAAfake2", Expiry::Unknown, day(2)).id;
    let refusal = RefusedCandidate { candidate, proof: None, setback: None };
    shelf.store.refuse(shelf.run, shelf.credential(new), refusal, day(2)).unwrap();
    assert_eq!(shelf.store.enrol(&[was("new", "bare")], day(0)).unwrap(), [old]);
    assert_eq!(labels(), ["bare", "new"]);
    assert_eq!(shelf.credential(new).label, label("bare"));
    // Two that both have one are left as they are, in any order and as often as that is tried.
    let other = shelf.token("other");
    shelf.current(other, "EAAfake3", Expiry::Unknown, day(3));
    for _ in 0..2 {
        assert_eq!(shelf.store.enrol(&[was("other", "new")], day(0)).unwrap(), [other]);
        assert_eq!(shelf.credential(old).label, label("new"));
    }
}

#[test]
fn enrolling_the_same_again_writes_nothing() {
    let shelf = Shelf::new();
    let page = Enrolment {
        token_type: TokenType::Page,
        page_id: Some("1".into()),
        name: Some("Fake Page".into()),
        ..enrolment("page")
    };
    let id = shelf.store.enrol(std::slice::from_ref(&page), day(0)).unwrap()[0];
    let log = || std::fs::read(place::beside(&shelf.path, place::LOG)).unwrap();
    let before = log();
    let silent = Enrolment { page_id: None, name: None, ..page.clone() };
    assert_eq!(shelf.store.enrol(&[page, silent], day(0)).unwrap(), [id, id]);
    assert!(before == log());
    assert_eq!(shelf.credential(id).name.as_deref(), Some("Fake Page"));
}

fn a_page_that_is_gone_is_unlisted_then_retired_and_comes_back(make: Make) {
    let shelf = make();
    let page = shelf.token("brand/1");
    let list = |seen: &[TokenId], unseen: &[TokenId], at| {
        let credential = shelf.credential(page);
        shelf.store.note_listing(credential, GenerationId(1), seen, unseen, at).unwrap();
    };
    list(&[], &[page], day(1));
    list(&[], &[page], day(5));
    assert_eq!(shelf.credential(page).unlisted_since, Some(day(1)));
    for at in [8, 9] {
        shelf.store.retire(shelf.run, shelf.credential(page), day(at)).unwrap();
    }
    assert_eq!(shelf.credential(page).retired_at, Some(day(8)));
    assert_eq!(shelf.kinds(), [EventKind::Retired]);
    list(&[page], &[], day(10));
    let back = shelf.credential(page);
    assert_eq!((back.unlisted_since, back.retired_at), (None, None));
}
