//! A stored date that has passed: Graph is asked once, then it is a person's, unless Graph calls
//! the string alive and does not know its end.

use chrono::TimeDelta;
use metatoken::policy::{
    Dates, Decision, Health, Insistence, Moment, Policy, Renew, Skip, State, Verify, decide, judge,
};
use metatoken::token::{Credential, Expiry, Generation, Problem, ProblemKind, Time, TokenType};

use super::{SECOND, credential, day, hidden, hours, lifeless, string, subject, told, unasked};

const DATED: [TokenType; 5] = [
    TokenType::User,
    TokenType::Page,
    TokenType::SystemUser,
    TokenType::Instagram,
    TokenType::Threads,
];

fn ended() -> Problem {
    Problem::new(ProblemKind::Expired, "expired 2026-03-02 00:00 UTC, now")
}

fn of(token_type: TokenType, current: Generation) -> Credential {
    credential("brand", token_type, Some(current))
}

#[test]
fn it_is_asked_about_once() {
    let ends = day(60);
    for token_type in DATED {
        for make in [string, hidden as fn(Expiry, Time) -> Generation] {
            let proven = |at| of(token_type, make(Expiry::At(ends), at));
            let before = unasked(&proven(ends - hours(1)), ends - SECOND);
            assert!(!matches!(before, Decision::Verify(_)), "{token_type}: {before:?}");
            for now in [ends, ends + SECOND, day(90)] {
                let credential = proven(ends - hours(1));
                assert_eq!(
                    unasked(&credential, now),
                    Decision::Verify(Verify::PastItsDate { ended: ends }),
                    "{token_type} at {now}"
                );
            }
        }
    }
}

#[test]
fn what_graph_has_dated_itself_is_then_a_persons() {
    let policy = Policy::default();
    let ends = day(60);
    for token_type in DATED {
        let credential = of(token_type, string(Expiry::At(ends), ends));
        for insistence in [Insistence::None, Insistence::Named, Insistence::Forced] {
            let decision = decide(&subject(&credential, &policy), insistence, Moment::at(ends));
            assert_eq!(decision, Decision::Skip(Skip::Dead(ended())), "{token_type}");
        }
        // And asked about in every run, for perhaps a person has been.
        let later = unasked(&credential, ends + hours(1));
        assert_eq!(later, Decision::Verify(Verify::PersonAwaited), "{token_type}");
    }
}

#[test]
fn what_graph_calls_dead_is_then_a_persons() {
    let ends = day(60);
    for token_type in DATED {
        let credential =
            of(token_type, lifeless(hidden(Expiry::At(ends), ends), ProblemKind::Expired));
        let verdict = Problem::new(ProblemKind::Expired, "dead");
        assert_eq!(unasked(&credential, ends), Decision::Skip(Skip::Dead(verdict)), "{token_type}");
        let later = unasked(&credential, ends + SECOND);
        assert_eq!(later, Decision::Verify(Verify::PersonAwaited), "{token_type}");
    }
}

#[test]
fn what_graph_calls_alive_without_a_date_is_renewed() {
    let policy = Policy::default();
    let (ends, window) = (day(60), TimeDelta::days(20));
    for token_type in
        [TokenType::Instagram, TokenType::Threads, TokenType::User, TokenType::SystemUser]
    {
        let credential = of(token_type, hidden(Expiry::At(ends), ends));
        for now in [ends, ends + hours(1)] {
            let open = Decision::Renew(Renew::WindowOpen { ends, window });
            assert_eq!(unasked(&credential, now), open, "{token_type} at {now}");
        }
        let judgement = judge(&subject(&credential, &policy), Moment::at(ends));
        assert_eq!((judgement.state, judgement.health), (State::Expiring, Health::Critical));
        assert_eq!(
            told(&subject(&credential, &policy), Moment::at(ends + hours(2))),
            [
                "critical expiring: still works although it was to expire 2026-03-02 | run `metatoken refresh brand`. A timer should have done so: see that it runs `metatoken refresh`"
            ],
            "{token_type}"
        );
    }
}

#[test]
fn a_proof_from_before_the_end_is_no_word_that_it_lives_on() {
    let policy = Policy::default();
    let ends = day(60);
    for (proven, state) in
        [(ends - SECOND, State::Expired), (ends, State::Expiring), (ends + SECOND, State::Expiring)]
    {
        let credential = of(TokenType::Instagram, hidden(Expiry::At(ends), proven));
        let judgement = judge(&subject(&credential, &policy), Moment::at(ends + hours(1)));
        assert_eq!(judgement.state, state, "proven {proven}");
    }
}

#[test]
fn a_clock_that_is_not_believed_ends_nothing() {
    let policy = Policy::default();
    for token_type in DATED {
        let credential = of(token_type, string(Expiry::At(day(60)), day(60)));
        let moment = Moment { dates: Dates::Doubted, ..Moment::at(day(60)) };
        let decision = decide(&subject(&credential, &policy), Insistence::None, moment);
        assert!(!matches!(decision, Decision::Skip(Skip::Dead(_))), "{token_type}: {decision:?}");
        let judgement = judge(&subject(&credential, &policy), moment);
        assert_eq!((judgement.state, judgement.health), (State::Valid, Health::Ok), "{token_type}");
    }
}
