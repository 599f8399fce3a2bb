use super::*;
use crate::token::{GenerationId, GenerationState, GranularScope, Identity};

contract! {
    a_string_becomes_candidate_then_current_then_previous,
    there_is_one_candidate_at_most,
    a_string_that_was_there_before_keeps_its_number,
    a_promotion_names_whom_it_replaces,
    what_a_rollback_left_is_barred_until_a_person_brings_it,
    an_earlier_one_that_may_work_is_known_where_the_current_one_is_dead,
    a_refused_candidate_stays_sealed_and_the_current_string_as_it_was,
    the_same_string_back_moves_its_end,
    a_string_is_known_by_whoever_has_or_had_it,
    a_proof_comes_back_whole,
    an_end_follows_an_answer_that_tells,
}

fn states(shelf: &Shelf, token: TokenId) -> Vec<(u32, GenerationState)> {
    let all = shelf.store.generations(token).unwrap();
    all.into_iter().map(|generation| (generation.number, generation.state)).collect()
}

fn a_string_becomes_candidate_then_current_then_previous(make: Make) {
    use GenerationState::{Current, Previous};
    let shelf = make();
    let token = shelf.token("brand");
    let end = Expiry::At(day(60));
    let first = shelf.current(token, "EAAfake1", end, day(1));
    let second = shelf.current(token, "EAAfake2", Expiry::Never, day(2));
    assert_eq!(states(&shelf, token), [(2, Current), (1, Previous)]);
    assert_eq!(shelf.store.reveal(first.id).unwrap(), string("EAAfake1"));
    assert_eq!(shelf.store.reveal(second.id).unwrap(), string("EAAfake2"));

    let event = &shelf.store.events(&EventQuery::default()).unwrap()[0];
    assert_eq!((event.old_expiry, event.new_expiry), (Some(end), Some(Expiry::Never)));
    assert_eq!((event.generation, event.fingerprint), (Some(2), Some(second.fingerprint)));
    assert_eq!((event.trigger, event.label.clone()), (Trigger::Scheduled, Some(label("brand"))));
}

fn there_is_one_candidate_at_most(make: Make) {
    use GenerationState::{Candidate, Refused};
    let shelf = make();
    let token = shelf.token("brand");
    let first = shelf.candidate(token, "EAAfake1", Expiry::Unknown, day(1));
    shelf.candidate(token, "EAAfake2", Expiry::Unknown, day(2));
    assert_eq!(states(&shelf, token), [(2, Candidate), (1, Refused)]);
    let late = shelf.promote(token, Shelf::promotion(&first), day(3));
    assert!(matches!(late, Err(StoreError::Superseded { .. })), "{late:?}");
}

fn a_string_that_was_there_before_keeps_its_number(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let first = shelf.candidate(token, "EAAfake1", Expiry::At(day(60)), day(1));
    let again = shelf.candidate(token, "EAAfake1", Expiry::Unknown, day(2));
    assert_eq!(first, again);

    shelf.promote(token, Shelf::promotion(&first), day(2)).unwrap();
    let same = shelf.candidate(token, "EAAfake1", Expiry::Unknown, day(3));
    assert_eq!((same.id, same.state), (first.id, GenerationState::Current));

    shelf.current(token, "EAAfake2", Expiry::Unknown, day(4));
    let back = shelf.candidate(token, "EAAfake1", Expiry::Unknown, day(5));
    assert_eq!((back.id, back.state), (first.id, GenerationState::Candidate));
    assert_eq!((back.number, back.expiry), (1, Expiry::At(day(60))));
    assert_eq!(shelf.store.reveal(back.id).unwrap(), string("EAAfake1"));
}

fn a_promotion_names_whom_it_replaces(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let other = shelf.token("other");
    let first = shelf.current(token, "EAAfake1", Expiry::Unknown, day(1));
    let candidate = shelf.candidate(token, "EAAfake2", Expiry::Unknown, day(2));
    let right = Shelf::promotion(&candidate);
    let known = || shelf.credential(token);
    let with_current = |current| Credential { current, ..known() };
    let no_candidate = Promotion { candidate: first.id, ..right.clone() };
    for (stale, promotion) in [
        (with_current(None), right.clone()),
        (with_current(Some(candidate.clone())), right.clone()),
        (known(), no_candidate),
        (shelf.credential(other), right.clone()),
    ] {
        let outcome = shelf.store.promote(shelf.run, stale, promotion, day(2));
        assert!(matches!(outcome, Err(StoreError::Superseded { .. })), "{outcome:?}");
        assert_eq!(shelf.credential(token).current.unwrap().id, first.id);
    }
    let absent = Promotion { candidate: GenerationId(99), ..right.clone() };
    let outcome = shelf.promote(token, absent, day(2));
    assert!(matches!(outcome, Err(StoreError::Absent { .. })), "{outcome:?}");
    assert_eq!(shelf.kinds(), [EventKind::Refreshed]);
    shelf.promote(token, right, day(2)).unwrap();
}

fn what_a_rollback_left_is_barred_until_a_person_brings_it(make: Make) {
    use GenerationState::{Current, Previous};
    let shelf = make();
    let token = shelf.token("brand");
    let first = shelf.current(token, "EAAfake1", Expiry::Never, day(1));
    let second = shelf.current(token, "EAAfake2", Expiry::Never, day(2));
    let back = |successor| Promotion {
        successor,
        arrival: Arrival::RolledBack,
        ..Shelf::promotion(&first)
    };
    // It is no candidate, and only what goes back takes it.
    let as_candidate = shelf.promote(token, back(Successor::Candidate), day(3));
    assert!(matches!(as_candidate, Err(StoreError::Superseded { .. })), "{as_candidate:?}");
    shelf.promote(token, back(Successor::Earlier), day(3)).unwrap();
    assert_eq!(states(&shelf, token), [(2, Previous), (1, Current)]);
    let barred = || shelf.credential(token).barred;
    let is_barred = |it: &Generation| shelf.store.sightings(&it.fingerprint).unwrap()[0].is_barred;
    assert_eq!(barred(), [second.fingerprint]);
    assert!(is_barred(&second) && !is_barred(&first));
    // A renewal changes nothing about that; a person who hands over another one does.
    let third = shelf.current(token, "EAAfake3", Expiry::Never, day(4));
    assert_eq!(barred(), [second.fingerprint]);
    let fourth = shelf.candidate(token, "EAAfake4", Expiry::Never, day(5));
    let handed = Promotion { successor: Successor::HandedOver, ..Shelf::promotion(&fourth) };
    shelf.promote(token, handed, day(5)).unwrap();
    assert_eq!(barred(), []);
    assert!(!is_barred(&second) && !is_barred(&third));
}

fn an_earlier_one_that_may_work_is_known_where_the_current_one_is_dead(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let dated = shelf.current(token, "EAAfake1", Expiry::At(day(90)), day(1));
    let lasting = shelf.current(token, "EAAfake2", Expiry::Never, day(2));
    let current = shelf.current(token, "EAAfake3", Expiry::Never, day(3));
    let say = |generation: &Generation, valid| {
        let answer = proof(day(4), valid, Expiry::Unknown);
        let known = shelf.credential(token);
        shelf.store.note_proof(shelf.run, known, generation.id, answer).unwrap();
    };
    let fallback = || shelf.credential(token).fallback.map(|it| it.number);
    assert_eq!(fallback(), None);
    say(&current, false);
    assert_eq!(fallback(), Some(lasting.number), "the one that may work longest");
    say(&lasting, false);
    assert_eq!(fallback(), Some(dated.number));
    say(&dated, false);
    assert_eq!(fallback(), None);
}

fn a_refused_candidate_stays_sealed_and_the_current_string_as_it_was(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let first = shelf.current(token, "EAAfake1", Expiry::At(day(60)), day(1));
    let candidate = shelf.candidate(token, "EAAfake2", Expiry::At(day(60)), day(2));
    shelf.store.plan_attempts(shelf.run, &[token], day(2)).unwrap();
    let setback = Setback {
        event: Some(EventKind::NotExtended),
        generation: None,
        problem: Some(Problem::new(ProblemKind::NotExtended, "it ends no later")),
        not_before: Some(day(3)),
        refused_by: None,
    };
    let refusal = RefusedCandidate {
        candidate: candidate.id,
        proof: Some(proof(day(2), true, Expiry::At(day(60)))),
        setback: Some(setback),
    };
    let known = shelf.credential(token);
    shelf.store.refuse(shelf.run, known, refusal.clone(), day(2)).unwrap();

    let credential = shelf.credential(token);
    assert_eq!(credential.current.unwrap().id, first.id);
    assert_eq!(credential.candidate, None);
    assert_eq!(credential.attempts.misses, 1);
    assert_eq!(credential.attempts.first_miss_at, Some(day(2)));
    assert_eq!(credential.attempts.not_before, Some(day(3)));
    assert_eq!(credential.attempts.consecutive_failures, 0);
    assert_eq!(shelf.store.reveal(candidate.id).unwrap(), string("EAAfake2"));
    let known = shelf.credential(token);
    let again = shelf.store.refuse(shelf.run, known, refusal, day(2));
    assert!(matches!(again, Err(StoreError::Superseded { .. })), "{again:?}");
}

fn the_same_string_back_moves_its_end(make: Make) {
    let shelf = make();
    let parent = shelf.token("brand");
    let page = shelf.token("page");
    let above = shelf.current(parent, "EAAfake1", Expiry::Unknown, day(1));
    let generation = shelf.current(page, "EAAfake2", Expiry::At(day(30)), day(1));
    let extension = ExtendedExpiry {
        generation: generation.id,
        parent: Some(above.id),
        proof: proof(day(2), true, Expiry::At(day(60))),
        event: EventKind::Derived,
    };
    let known = shelf.credential(page);
    let extended = shelf.store.extend(shelf.run, known, extension, day(2)).unwrap();
    let extended = extended.current.unwrap();
    assert_eq!((extended.number, extended.parent), (1, Some(above.id)));
    assert_eq!(extended.expiry, Expiry::At(day(60)));
    assert_eq!(shelf.credential(page).attempts.last_refreshed_at, Some(day(2)));
}

fn a_string_is_known_by_whoever_has_or_had_it(make: Make) {
    let shelf = make();
    let (brand, other) = (shelf.token("brand"), shelf.token("other"));
    let one = shelf.candidate(brand, "EAAfake1", Expiry::Unknown, day(1));
    shelf.candidate(other, "EAAfake1", Expiry::Unknown, day(1));
    let fingerprint = shelf.store.fingerprint(&string("EAAfake1")).unwrap();
    assert_eq!(fingerprint, one.fingerprint);
    let labels: Vec<Label> =
        shelf.store.sightings(&fingerprint).unwrap().into_iter().map(|seen| seen.label).collect();
    assert_eq!(labels, [label("brand"), label("other")]);
    let unseen = shelf.store.fingerprint(&string("EAAfake9")).unwrap();
    assert_eq!(shelf.store.sightings(&unseen).unwrap(), []);
}

fn a_proof_comes_back_whole(make: Make) {
    let shelf = make();
    let token = shelf.token("brand");
    let whole = Inspection {
        valid: None,
        problem: Some(Problem {
            code: Some(190),
            subcode: Some(459),
            fbtrace_id: Some("AfakeTrace".into()),
            fix: Some("set `id`".into()),
            ..Problem::new(ProblemKind::Checkpoint, "“check” first\n")
        }),
        token_type: Some("USER".into()),
        application: Some("Fake".into()),
        identity: Identity { app_id: Some("007".into()), user_id: Some("1".into()), page_id: None },
        expiry: Expiry::At(day(60)),
        data_access: crate::token::DataAccess::NotApplicable,
        issued_at: Some(day(-1)),
        scopes: Some(vec!["a".into(), "b\"c".into()]),
        granular_scopes: vec![
            GranularScope { scope: "a".into(), target_ids: None },
            GranularScope { scope: "a".into(), target_ids: Some(vec!["12".into()]) },
            GranularScope { scope: "b".into(), target_ids: Some(vec![]) },
        ],
    };
    // Whose it is and what it could do stays known, also when the next answer does not tell.
    let bare = Inspection {
        identity: whole.identity.clone(),
        scopes: whole.scopes.clone(),
        ..Inspection::bare(Some(false), None)
    };
    let untold = Inspection::bare(Some(false), None);
    for (inspection, kept) in [(whole.clone(), whole), (untold, bare)] {
        let generation = shelf.candidate(token, "EAAfake1", Expiry::Unknown, day(1));
        let proof = Proof { at: day(2), inspection };
        shelf.note_proof(token, generation.id, proof.clone());
        let kept = Proof { inspection: kept, ..proof };
        assert_eq!(shelf.credential(token).candidate.unwrap().proof, Some(kept));
    }
}

fn an_end_follows_an_answer_that_tells(make: Make) {
    let end = Expiry::At(day(60));
    for (valid, told, expected) in [
        (Some(true), Expiry::At(day(90)), Expiry::At(day(90))),
        (Some(true), Expiry::Never, Expiry::Never),
        (Some(true), Expiry::Unknown, end),
        (Some(false), Expiry::At(day(1)), Expiry::At(day(1))),
        (Some(false), Expiry::Never, end),
        (None, Expiry::Never, end),
    ] {
        let shelf = make();
        let token = shelf.token("brand");
        let generation = shelf.current(token, "EAAfake1", end, day(1));
        let inspection = Inspection { expiry: told, ..Inspection::bare(valid, None) };
        let proof = Proof { at: day(2), inspection };
        shelf.note_proof(token, generation.id, proof);
        assert_eq!(shelf.credential(token).current.unwrap().expiry, expected, "{valid:?} {told:?}");
    }
}
