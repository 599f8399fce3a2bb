//! What policy decides, in tables: dates around every threshold.

use chrono::{DateTime, TimeDelta};
use metatoken::policy::{
    Dates, Decision, Derive, Health, Insistence, Moment, Parent, Policy, Renew, Rest, State,
    Subject, Verify, decide, judge, listing_is_due,
};
use metatoken::token::{
    Credential, DataAccess, Expiry, Fingerprint, Generation, GenerationId, GenerationState,
    Inspection, Label, Ledger, Origin, Problem, ProblemKind, Proof, Time, TokenId, TokenType,
};

/// Day `n` of the world of these tests.
fn day(n: i64) -> Time {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::days(n)
}

fn hour(n: i64) -> TimeDelta {
    TimeDelta::hours(n)
}

fn label(name: &str) -> Label {
    Label::parse(name).unwrap()
}

/// A string issued on day 0, proven alive at `proven`.
fn string(expiry: Expiry, proven: Time) -> Generation {
    let inspection =
        Inspection { expiry, issued_at: Some(day(0)), ..Inspection::bare(Some(true), None) };
    Generation {
        id: GenerationId(1),
        number: 1,
        state: GenerationState::Current,
        origin: Origin::Adopted,
        fingerprint: Fingerprint::new([1; 32]),
        obtained_at: day(0),
        expiry,
        parent: None,
        proof: Some(Proof { at: proven, inspection }),
    }
}

fn credential(name: &str, token_type: TokenType, current: Option<Generation>) -> Credential {
    Credential {
        id: TokenId(1),
        label: label(name),
        token_type,
        name: None,
        page_id: None,
        current,
        candidate: None,
        ledger: Ledger::default(),
        listed: None,
        unlisted_since: None,
        retired_at: None,
    }
}

fn user(expiry: Expiry, proven: Time) -> Credential {
    credential("brand", TokenType::User, Some(string(expiry, proven)))
}

fn dead(kind: ProblemKind, proven: Time) -> Credential {
    let mut credential = user(Expiry::At(day(60)), proven);
    let proof = credential.current.as_mut().unwrap().proof.as_mut().unwrap();
    proof.inspection.valid = Some(false);
    proof.inspection.problem = Some(Problem::new(kind, "dead"));
    credential
}

fn subject<'a>(credential: &'a Credential, policy: &'a Policy) -> Subject<'a> {
    Subject {
        label: &credential.label,
        token_type: credential.token_type,
        policy,
        credential: Some(credential),
        parent: None,
    }
}

fn page<'a>(credential: &'a Credential, policy: &'a Policy, parent: &'a Credential) -> Subject<'a> {
    let parent = Parent { label: &parent.label, credential: Some(parent) };
    Subject { parent: Some(parent), ..subject(credential, policy) }
}

#[test]
fn a_user_token_is_renewed_within_its_window_and_verified_daily() {
    let policy = Policy::default();
    let ends = day(60);
    for (now, proven, expected) in [
        (day(39), day(39), Decision::Rest(Rest::NotDue { due_at: day(40) })),
        (day(40) - hour(1), day(39), Decision::Rest(Rest::NotDue { due_at: day(40) })),
        (
            day(40),
            day(40),
            Decision::Renew(Renew::WindowOpen { ends, window: policy.refresh_within }),
        ),
        (
            day(59),
            day(59),
            Decision::Renew(Renew::WindowOpen { ends, window: policy.refresh_within }),
        ),
        (day(39), day(38), Decision::Verify(Verify::Stale { last: day(38) })),
        (day(39), day(38) + hour(1), Decision::Rest(Rest::NotDue { due_at: day(40) })),
        // A proof from the future is worth nothing: some clock was wrong.
        (day(10), day(11), Decision::Verify(Verify::Stale { last: day(11) })),
        // Its date has come: Graph has the last word, whatever the proof says.
        (day(60), day(59) + hour(23), Decision::Verify(Verify::PastItsDate { ended: ends })),
        (day(90), day(59), Decision::Verify(Verify::PastItsDate { ended: ends })),
    ] {
        let credential = user(Expiry::At(ends), proven);
        let decision = decide(&subject(&credential, &policy), Insistence::None, Moment::at(now));
        assert_eq!(decision, expected, "at {now}, proven {proven}");
    }
}

#[test]
fn a_token_without_an_end_is_never_renewed_not_even_by_force() {
    let policy = Policy::default();
    for token_type in [TokenType::User, TokenType::SystemUser] {
        for insistence in [Insistence::None, Insistence::Forced] {
            let credential = credential("brand", token_type, Some(string(Expiry::Never, day(100))));
            let now = Moment::at(day(100));
            let decision = decide(&subject(&credential, &policy), insistence, now);
            assert_eq!(decision, Decision::Rest(Rest::NeverExpires));
        }
    }
}

#[test]
fn an_unknown_end_is_asked_about_and_not_renewed() {
    let policy = Policy::default();
    let fresh = user(Expiry::Unknown, day(10));
    let stale = user(Expiry::Unknown, day(8));
    let at = Moment::at(day(10));
    let decide = |credential| decide(&subject(credential, &policy), Insistence::None, at);
    assert_eq!(decide(&fresh), Decision::Rest(Rest::EndUnknown));
    assert_eq!(decide(&stale), Decision::Verify(Verify::Stale { last: day(8) }));
}

#[test]
fn a_short_lived_token_is_exchanged_at_once() {
    let policy = Policy::default();
    let ends = day(0) + hour(2);
    let mut credential = user(Expiry::At(ends), day(0));
    // Meta tells no issue date for short-lived tokens.
    credential.current.as_mut().unwrap().proof.as_mut().unwrap().inspection.issued_at = None;
    let decision = decide(&subject(&credential, &policy), Insistence::None, Moment::at(day(0)));
    assert_eq!(decision, Decision::Renew(Renew::ShortLived { ends }));
}

#[test]
fn a_long_lived_token_with_a_day_left_is_not_taken_for_short_lived() {
    let policy = Policy::default();
    let mut credential = user(Expiry::At(day(60)), day(59));
    credential.current.as_mut().unwrap().obtained_at = day(59);
    let decision = decide(&subject(&credential, &policy), Insistence::None, Moment::at(day(59)));
    assert!(matches!(decision, Decision::Renew(Renew::WindowOpen { .. })), "{decision:?}");
}

#[test]
fn a_window_wider_than_the_life_is_clipped_with_a_warning() {
    let policy = Policy { refresh_within: TimeDelta::days(90), ..Policy::default() };
    let credential = user(Expiry::At(day(60)), day(0));
    let subject = subject(&credential, &policy);
    let rest = decide(&subject, Insistence::None, Moment::at(day(0)));
    assert_eq!(rest, Decision::Rest(Rest::NotDue { due_at: day(1) }));
    let codes: Vec<_> =
        judge(&subject, Moment::at(day(0))).reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, ["window_clipped"]);
}

#[test]
fn the_dead_wait_for_a_person_and_are_asked_about_in_every_run() {
    let policy = Policy::default();
    let credential = dead(ProblemKind::PasswordChanged, day(10));
    let asked = Moment::at(day(10));
    let later = Moment::at(day(10) + hour(1));
    let decide = |moment, insistence| decide(&subject(&credential, &policy), insistence, moment);
    for insistence in [Insistence::None, Insistence::Named, Insistence::Forced] {
        assert!(matches!(decide(asked, insistence), Decision::Rest(Rest::Dead(_))));
        assert_eq!(decide(later, insistence), Decision::Verify(Verify::PersonAwaited));
    }
}

#[test]
fn the_named_are_asked_about_first_and_force_overrides_window_and_backoff() {
    let policy = Policy::default();
    let mut credential = user(Expiry::At(day(60)), day(9) + hour(23));
    credential.ledger.not_before = Some(day(11));
    let before = Moment::at(day(10));
    let after = Moment { run_started: day(9), ..before };
    let decide = |insistence, moment| decide(&subject(&credential, &policy), insistence, moment);
    let rest = Decision::Rest(Rest::NotDue { due_at: day(40) });
    assert_eq!(decide(Insistence::None, before), rest);
    assert_eq!(decide(Insistence::Named, before), Decision::Verify(Verify::Asked));
    assert_eq!(decide(Insistence::Named, after), rest);
    assert_eq!(decide(Insistence::Forced, before), Decision::Verify(Verify::Asked));
    assert_eq!(decide(Insistence::Forced, after), Decision::Renew(Renew::Forced));
}

#[test]
fn what_cannot_or_may_not_be_renewed_rests() {
    let off = Policy { auto_refresh: false, ..Policy::default() };
    let on = Policy::default();
    let due = user(Expiry::At(day(60)), day(50));
    let mut backing_off = due.clone();
    backing_off.ledger.not_before = Some(day(50) + hour(1));
    let mut held = due.clone();
    held.candidate = Some(string(Expiry::At(day(110)), day(50)));
    let system = credential("wa", TokenType::SystemUser, due.current.clone());
    let lone_page = credential("page", TokenType::Page, due.current.clone());
    let none = credential("brand", TokenType::User, None);
    for (credential, policy, expected) in [
        (&due, &off, Rest::AutoRefreshOff),
        (&backing_off, &on, Rest::BackingOff { until: day(50) + hour(1) }),
        (&held, &on, Rest::CandidateWaits),
        (&system, &on, Rest::NotRenewable),
        (&lone_page, &on, Rest::NotRenewable),
        (&none, &on, Rest::NoString),
    ] {
        let decision = decide(&subject(credential, policy), Insistence::None, Moment::at(day(50)));
        assert_eq!(decision, Decision::Rest(expected), "{}", credential.label);
    }
}

#[test]
fn a_renewal_that_was_cut_short_is_asked_about_first() {
    let policy = Policy::default();
    let mut credential = user(Expiry::At(day(60)), day(49));
    credential.ledger.open_attempt_at = Some(day(49) + hour(1));
    let now = Moment::at(day(49) + hour(2));
    assert_eq!(
        decide(&subject(&credential, &policy), Insistence::None, now),
        Decision::Verify(Verify::CutShort { began: day(49) + hour(1) })
    );
}

#[test]
fn nothing_is_due_by_a_clock_that_is_not_believed() {
    let policy = Policy::default();
    let credential = user(Expiry::At(day(60)), day(50));
    let moment = Moment { dates: Dates::Doubted, ..Moment::at(day(50)) };
    let subject = subject(&credential, &policy);
    assert_eq!(decide(&subject, Insistence::None, moment), Decision::Rest(Rest::ClockDoubted));
    let late = Moment { now: day(300), ..moment };
    assert_eq!(judge(&subject, late).state, State::Valid);
}

#[test]
fn a_page_is_derived_when_its_parent_can_give_it_a_string() {
    let policy = Policy::default();
    let now = Moment::at(day(10));
    let parent = user(Expiry::At(day(60)), day(10));
    let mut renewed = parent.clone();
    renewed.current.as_mut().unwrap().id = GenerationId(9);
    let mut short = user(Expiry::At(day(10) + hour(1)), day(10));
    short.current.as_mut().unwrap().obtained_at = day(10);
    short.current.as_mut().unwrap().proof.as_mut().unwrap().inspection.issued_at = None;
    let gone = dead(ProblemKind::Revoked, day(10));

    let mut child = string(Expiry::Never, day(10));
    child.id = GenerationId(2);
    child.parent = Some(GenerationId(1));
    let child = credential("page", TokenType::Page, Some(child));
    let none = credential("page", TokenType::Page, None);
    let mut lifeless = child.clone();
    lifeless.current.as_mut().unwrap().proof.as_mut().unwrap().inspection.valid = Some(false);
    let mut dated = child.clone();
    dated.current.as_mut().unwrap().expiry = Expiry::At(day(30));
    let mut far = child.clone();
    far.current.as_mut().unwrap().expiry = Expiry::At(day(31));

    let never = Decision::Rest(Rest::NeverExpires);
    for (what, credential, parent, expected) in [
        ("as it should be", &child, &parent, never.clone()),
        ("no string", &none, &parent, Decision::Derive(Derive::NoString)),
        ("dead", &lifeless, &parent, Decision::Derive(Derive::Dead)),
        ("new parent string", &child, &renewed, Decision::Derive(Derive::ParentRenewed)),
        ("in its window", &dated, &parent, Decision::Derive(Derive::WindowOpen { ends: day(30) })),
        ("before its window", &far, &parent, Decision::Rest(Rest::NotDue { due_at: day(11) })),
        ("short-lived parent", &child, &short, never.clone()),
        ("dead parent", &child, &gone, never.clone()),
    ] {
        let decision = decide(&page(credential, &policy, parent), Insistence::None, now);
        assert_eq!(decision, expected, "{what}");
    }
    for parent in [&short, &gone] {
        let decision = decide(&page(&none, &policy, parent), Insistence::None, now);
        assert!(matches!(decision, Decision::Rest(Rest::ParentNotReady { .. })), "{decision:?}");
    }
    let forced = Moment { run_started: day(9), ..now };
    assert_eq!(
        decide(&page(&child, &policy, &parent), Insistence::Forced, forced),
        Decision::Derive(Derive::Forced)
    );
}

#[test]
fn pages_are_listed_for_a_new_parent_string_for_a_lifeless_page_or_by_force() {
    let policy = Policy::default();
    let now = Moment::at(day(10));
    let mut parent = user(Expiry::At(day(60)), day(10));
    let lively = credential("brand/1", TokenType::Page, Some(string(Expiry::Never, day(10))));
    let lifeless = credential("brand/1", TokenType::Page, None);
    let mut retired = lifeless.clone();
    retired.retired_at = Some(day(9));
    let due = |parent: &Credential, pages: &[&Credential], insistence| {
        listing_is_due(&subject(parent, &policy), pages, insistence, now)
    };
    assert!(due(&parent, &[&lively], Insistence::None), "never listed");
    parent.listed = Some(GenerationId(1));
    assert!(!due(&parent, &[&lively], Insistence::None));
    assert!(!due(&parent, &[], Insistence::None));
    assert!(due(&parent, &[&lively, &lifeless], Insistence::None));
    assert!(!due(&parent, &[&lively, &retired], Insistence::None));
    assert!(due(&parent, &[&lively], Insistence::Forced));
}

#[test]
fn health_follows_the_nearest_of_the_three_clocks() {
    let policy = Policy::default();
    let by_person = Policy { auto_refresh: false, ..Policy::default() };
    for (policy, left, state, health) in [
        (&policy, TimeDelta::days(11), State::Valid, Health::Ok),
        (&policy, TimeDelta::days(10), State::Expiring, Health::Warning),
        (&policy, TimeDelta::days(3) + hour(1), State::Expiring, Health::Warning),
        (&policy, TimeDelta::days(3), State::Expiring, Health::Critical),
        (&policy, TimeDelta::seconds(1), State::Expiring, Health::Critical),
        (&policy, TimeDelta::zero(), State::Expired, Health::Critical),
        (&by_person, TimeDelta::days(15), State::Valid, Health::Ok),
        (&by_person, TimeDelta::days(14), State::Expiring, Health::Warning),
        (&by_person, TimeDelta::days(7), State::Expiring, Health::Critical),
    ] {
        let now = day(60) - left;
        let credential = user(Expiry::At(day(60)), now);
        let judgement = judge(&subject(&credential, policy), Moment::at(now));
        assert_eq!((judgement.state, judgement.health), (state, health), "{left} left");
    }
    for (age, health) in [
        (TimeDelta::days(3), Health::Ok),
        (TimeDelta::days(3) + hour(1), Health::Warning),
        (TimeDelta::days(7), Health::Warning),
        (TimeDelta::days(7) + hour(1), Health::Critical),
    ] {
        let credential = user(Expiry::Never, day(10));
        let judgement = judge(&subject(&credential, &policy), Moment::at(day(10) + age));
        assert_eq!(judgement.health, health, "proven {age} ago");
    }
    for (left, health) in [
        (TimeDelta::days(15), Health::Ok),
        (TimeDelta::days(14), Health::Warning),
        (TimeDelta::days(3), Health::Critical),
        (TimeDelta::days(-1), Health::Critical),
    ] {
        let mut credential = user(Expiry::Never, day(10));
        let proof = credential.current.as_mut().unwrap().proof.as_mut().unwrap();
        proof.inspection.data_access = DataAccess::Until(day(10) + left);
        let judgement = judge(&subject(&credential, &policy), Moment::at(day(10)));
        assert_eq!(judgement.health, health, "data access ends in {left}");
    }
}

#[test]
fn three_misses_over_three_days_make_it_a_persons_token() {
    let policy = Policy::default();
    let mut credential = user(Expiry::At(day(60)), day(48));
    for (misses, from, to, health) in [
        (0, 44, 48, Health::Ok),
        (2, 46, 48, Health::Ok),
        (3, 47, 48, Health::Ok),
        (3, 46, 48, Health::Warning),
    ] {
        credential.ledger.misses = misses;
        credential.ledger.first_miss_at = Some(day(from));
        credential.ledger.last_attempt_at = Some(day(to));
        let judgement = judge(&subject(&credential, &policy), Moment::at(day(48)));
        assert_eq!(judgement.health, health, "{misses} misses since day {from}");
    }
}
