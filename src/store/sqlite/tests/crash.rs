//! Kills at the places that matter. A fail point ends the whole process, so this binary starts
//! itself again and dies in the child.

use std::os::unix::process::ExitStatusExt as _;

use super::*;
use crate::failpoint;
use crate::token::{AttemptKind, Delivery, GenerationId, GenerationState, TargetId};

const HERE: &str = "metatoken.db";
const ARMED: &str = "armed";

fn target() -> TargetId {
    TargetId::new("/srv/fake.ini#token")
}

#[test]
#[ignore = "started by the test of this file, to be killed"]
fn renews_until_it_is_killed() {
    if !is_child() {
        return;
    }
    let path = Path::new(HERE);
    let store = Store::open(&lock(path), path, &key()).unwrap();
    failpoint::arm(&std::fs::read_to_string(ARMED).unwrap());
    let run = store.begin_run("refresh", Trigger::Scheduled, day(2)).unwrap();
    let credential = Arc::unwrap_or_clone(store.credentials().unwrap().remove(0));
    let credential = store.plan_attempt(run, credential, AttemptKind::Renewal, day(2)).unwrap();
    let (origin, expiry) = (Origin::Refreshed, Expiry::Unknown);
    let new = NewCandidate::granted(string("EAAfake2"), origin, expiry);
    let (credential, candidate) = store.seal_candidate(credential, new, day(2)).unwrap();
    let promotion = Promotion {
        candidate: candidate.id,
        successor: crate::store::Successor::Candidate,
        proof: None,
        arrival: Arrival::Refreshed,
        problem: None,
        predecessor: Predecessor::Kept,
        pending_for: vec![target()],
    };
    let credential = store.promote(run, credential, promotion, day(2)).unwrap();
    let settlement =
        Settlement { token: credential.id, target: target(), generation: candidate.id };
    store.settle(run, settlement, day(2)).unwrap();
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    use GenerationState::{Candidate, Current, Previous};
    let second = Some(GenerationId(2));
    let pending =
        Delivery { pending: second, pending_since: Some(day(2)), ..Delivery::unseen(target()) };
    let settled =
        Delivery { settled: second, settled_at: Some(day(2)), ..Delivery::unseen(target()) };
    for (place, states, open_since, deliveries) in [
        ("planned", vec![Current], Some(day(2)), vec![]),
        ("before-seal", vec![Current], Some(day(2)), vec![]),
        ("sealed", vec![Candidate, Current], None, vec![]),
        ("promoted", vec![Current, Previous], None, vec![pending]),
        ("settled", vec![Current, Previous], None, vec![settled]),
    ] {
        let Shelf { store, lock, path, folder, run, .. } = {
            let shelf = Shelf::new();
            let token = shelf.token("brand");
            shelf.current(token, "EAAfake1", Expiry::Unknown, day(1));
            shelf
        };
        store.finish_run(run, 0, None, day(1)).unwrap();
        drop((store, lock));
        let mut armed = std::fs::File::create(folder.path().join(ARMED)).unwrap();
        std::io::Write::write_all(&mut armed, place.as_bytes()).unwrap();
        let output = again("crash::renews_until_it_is_killed", folder.path()).output().unwrap();
        assert_eq!(output.status.signal(), Some(9), "{place}: {output:?}");

        // The kernel let go of the dead holder's lock.
        let lock = super::lock(&path);
        let store = Store::open(&lock, &path, &key()).unwrap();
        let credential = Arc::unwrap_or_clone(store.credentials().unwrap().remove(0));
        let found: Vec<_> =
            store.generations(credential.id).unwrap().iter().map(|each| each.state).collect();
        assert_eq!(found, states, "{place}");
        let open = credential.attempts.open_attempt.map(|open| open.began);
        assert_eq!(open, open_since, "{place}");
        assert_eq!(credential.deliveries, deliveries, "{place}");
        assert_eq!(store.last_runs(1).unwrap()[0].finished_at, None, "{place}");
    }
}
