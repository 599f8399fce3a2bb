//! State and health in one word each, what a scope reaches, and causes that are told once.

use metatoken::policy::{Health, Moment, Policy, State, judge, merge};
use metatoken::token::{Expiry, GranularScope, Problem, ProblemKind, TokenType};

use super::{
    codes, credential, day, label, lifeless, page, string, subject, told, user, with_answer,
};

#[test]
fn the_state_is_the_first_that_fits() {
    let policy = Policy::default();
    let ends = Expiry::At(day(60));
    let said = |valid, kind: Option<ProblemKind>| {
        with_answer(string(ends, day(59)), |answer| {
            answer.valid = valid;
            answer.problem = kind.map(|kind| Problem::new(kind, "x"));
        })
    };
    let mut unchecked = string(ends, day(59));
    unchecked.proof = None;
    for (what, current, state, health) in [
        ("no string", None, State::Missing, Health::Unknown),
        ("never asked", Some(unchecked), State::Unverified, Health::Unknown),
        (
            "dead",
            Some(said(Some(false), Some(ProblemKind::Revoked))),
            State::Invalid,
            Health::Critical,
        ),
        (
            "dead by date",
            Some(said(Some(false), Some(ProblemKind::Expired))),
            State::Expired,
            Health::Critical,
        ),
        ("dead, and no reason", Some(said(Some(false), None)), State::Invalid, Health::Critical),
        (
            "blocked",
            Some(said(None, Some(ProblemKind::Checkpoint))),
            State::Unverified,
            Health::Critical,
        ),
        // What will pass says nothing against the token.
        (
            "Graph down",
            Some(said(None, Some(ProblemKind::GraphUnavailable))),
            State::Unverified,
            Health::Unknown,
        ),
        ("garbled", Some(said(None, None)), State::Unverified, Health::Unknown),
        ("about to end", Some(said(Some(true), None)), State::Expiring, Health::Critical),
        ("well", Some(string(Expiry::Never, day(59))), State::Valid, Health::Ok),
    ] {
        let credential = credential("brand", TokenType::User, current);
        let judgement = judge(&subject(&credential, &policy), Moment::at(day(59)));
        assert_eq!((judgement.state, judgement.health), (state, health), "{what}");
    }
}

#[test]
fn the_network_moves_no_verdict() {
    let policy = Policy::default();
    for kind in [ProblemKind::Network, ProblemKind::GraphUnavailable, ProblemKind::RateLimited] {
        let mut credential = user(Expiry::At(day(60)), day(30));
        credential.attempts.problem = Some(Problem::new(kind, "x"));
        credential.attempts.consecutive_failures = 9;
        let judgement = judge(&subject(&credential, &policy), Moment::at(day(33)));
        assert_eq!((judgement.state, judgement.health), (State::Valid, Health::Ok), "{kind}");
    }
}

#[test]
fn a_required_target_must_be_reached_and_no_list_reaches_all() {
    let entry = |scope: &str, ids: Option<&[&str]>| GranularScope {
        scope: scope.into(),
        target_ids: ids.map(|ids| ids.iter().map(ToString::to_string).collect()),
    };
    let (posts, reads) = ("pages_manage_posts", "pages_read_engagement");
    for (what, required, granular, missing) in [
        ("nothing granular", vec![], vec![], None),
        ("all", vec![], vec![entry(posts, None)], None),
        ("both", vec![], vec![entry(posts, Some(&["1", "2"]))], None),
        (
            "in two entries",
            vec![],
            vec![entry(posts, Some(&["1"])), entry(posts, Some(&["2"]))],
            None,
        ),
        ("one", vec![], vec![entry(posts, Some(&["1"]))], Some("no access to `2`")),
        ("none", vec![], vec![entry(posts, Some(&[]))], Some("no access to `1` and `2`")),
        (
            "by a scope that is not asked for",
            vec![posts],
            vec![entry(posts, Some(&["1"])), entry(reads, None)],
            Some("no access to `2`"),
        ),
        (
            "by the one that is",
            vec![posts],
            vec![entry(posts, None), entry(reads, Some(&[]))],
            None,
        ),
    ] {
        let policy = Policy {
            required_scopes: required.iter().map(ToString::to_string).collect(),
            required_targets: vec!["1".into(), "2".into()],
            ..Policy::default()
        };
        let current = with_answer(string(Expiry::Never, day(1)), |answer| {
            answer.scopes = Some(vec![posts.into(), reads.into()]);
            answer.granular_scopes = granular;
        });
        let credential = credential("brand", TokenType::User, Some(current));
        let judgement = judge(&subject(&credential, &policy), Moment::at(day(1)));
        let said: Vec<_> = judgement
            .reasons
            .iter()
            .map(|it| (it.code, it.severity, it.message.as_str()))
            .collect();
        let expected: Vec<_> =
            missing.map(|it| ("permission_missing", Health::Critical, it)).into_iter().collect();
        assert_eq!(said, expected, "{what}");
    }
}

#[test]
fn the_worst_comes_first_and_gives_the_health() {
    let policy = Policy {
        required_scopes: vec!["pages_show_list".into()],
        rotate_after: Some(super::hours(1)),
        ..Policy::default()
    };
    let credential = user(Expiry::Never, day(10));
    let subject = subject(&credential, &policy);
    let moment = Moment::at(day(14));
    assert_eq!(
        codes(&subject, moment),
        ["critical permission_missing", "warning unchecked", "warning rotation_due"]
    );
    assert_eq!(judge(&subject, moment).health, Health::Critical);
}

#[test]
fn a_dead_parent_is_told_once_with_all_that_it_holds() {
    let policy = Policy::default();
    let moment = Moment::at(day(10));
    let dead = lifeless(string(Expiry::At(day(60)), day(10)), ProblemKind::PasswordChanged);
    let parent = credential("brand", TokenType::User, Some(dead.clone()));
    let first = credential("brand/1", TokenType::Page, Some(dead.clone()));
    let second = credential("brand/2", TokenType::Page, None);
    // This one died by itself: its reason is its own.
    let lively = user(Expiry::At(day(60)), day(10));
    let own = credential("shop/3", TokenType::Page, Some(dead));
    let pages = [page(&first, &policy, &parent), page(&second, &policy, &parent)];
    let reasons = |subject| judge(&subject, moment).reasons;
    let all = pages.into_iter().flat_map(reasons).chain(reasons(subject(&parent, &policy)));
    let merged = merge(all.chain(reasons(page(&own, &policy, &lively))));
    let held: Vec<_> = merged
        .iter()
        .map(|it| (it.code, it.labels.iter().map(ToString::to_string).collect::<Vec<_>>()))
        .collect();
    assert_eq!(
        held,
        [
            ("password_changed", ["brand", "brand/1", "brand/2"].map(str::to_owned).to_vec()),
            ("password_changed", vec!["shop/3".to_owned()]),
        ]
    );
    let healths = pages.map(|page| judge(&page, moment).health);
    assert_eq!(healths, [Health::Critical, Health::Unknown], "by itself each is as bad as it is");
}

#[test]
fn what_a_healthy_parent_does_not_hold_is_told_by_itself() {
    let policy = Policy::default();
    let parent = user(Expiry::At(day(60)), day(10));
    let child = credential("brand/1", TokenType::Page, None);
    let merged = merge(judge(&page(&child, &policy, &parent), Moment::at(day(10))).reasons);
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0].labels, [label("brand/1")]);
    assert_eq!(merged[0].held_by, None);
    let found = told(&subject(&parent, &policy), Moment::at(day(10)));
    assert_eq!(found, [""; 0]);
}
