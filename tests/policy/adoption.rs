//! What a new string is worth beside the one in use, where ends are told and where they are hidden.

use metatoken::policy::{Adoption, Current, Extension, judge_adoption, judge_grant};
use metatoken::token::{
    Expiry, Generation, Identity, Inspection, Origin, Problem, ProblemKind, TokenType,
};

use super::{SECOND, day, hidden, lifeless, string, with_answer};

fn answer(expiry: Expiry) -> Inspection {
    Inspection { expiry, ..Inspection::bare(Some(true), None) }
}

const USER: TokenType = TokenType::User;
const INSTAGRAM: TokenType = TokenType::Instagram;
const THREADS: TokenType = TokenType::Threads;

#[test]
fn a_new_access_token_takes_the_place_of_the_dead_the_missing_and_the_sooner_ended() {
    use Expiry::{At, Never, Unknown};
    let ends = day(60);
    let no_later = "it ends no later than the string in use, which is alive";
    let cannot_tell = "nobody can tell whether it ends later than the string in use, which is \
                       alive; `metatoken exchange` takes it all the same";
    for (token_type, new, current, refusal) in [
        (USER, At(ends), Current::Gone, None),
        (USER, Unknown, Current::Gone, None),
        (USER, At(ends - SECOND), Current::Serves(At(ends)), Some(no_later)),
        (USER, At(ends), Current::Serves(At(ends)), Some(no_later)),
        (USER, At(ends + SECOND), Current::Serves(At(ends)), None),
        (USER, Never, Current::Serves(At(ends)), None),
        (USER, Never, Current::Serves(Never), Some(no_later)),
        (USER, At(ends), Current::Serves(Unknown), None),
        // Graph would tell: that it does not is no reason to trust the new one.
        (USER, Unknown, Current::Serves(At(ends)), Some(no_later)),
        (USER, Unknown, Current::Serves(Unknown), Some(no_later)),
        (TokenType::SystemUser, Unknown, Current::Serves(Unknown), Some(no_later)),
        // Nobody can tell: the later one of two is a person's choice.
        (INSTAGRAM, Unknown, Current::Gone, None),
        (INSTAGRAM, Unknown, Current::Serves(Unknown), None),
        (INSTAGRAM, Unknown, Current::Serves(At(ends)), Some(cannot_tell)),
        (THREADS, Unknown, Current::Serves(Unknown), None),
        (THREADS, Unknown, Current::Serves(At(ends)), Some(cannot_tell)),
        (THREADS, At(ends), Current::Serves(At(ends)), Some(no_later)),
    ] {
        let verdict = judge_adoption(&answer(new), token_type, &Identity::default(), current);
        match (verdict, refusal) {
            (Adoption::Take, None) => {}
            (Adoption::OnlyIfCurrentIsDead(problem), Some(message)) => {
                assert_eq!(problem.message, message);
                assert_eq!(problem.kind, ProblemKind::NotExtended);
            }
            (verdict, _) => panic!("{token_type}: {new:?} beside {current:?}: {verdict:?}"),
        }
    }
}

#[test]
fn the_string_in_use_is_gone_only_by_graphs_verdict() {
    let ends = Expiry::At(day(60));
    let mut unproven = string(ends, day(0));
    unproven.proof = None;
    let silent = with_answer(string(ends, day(0)), |answer| answer.valid = None);
    let dead = lifeless(string(ends, day(0)), ProblemKind::Revoked);
    assert_eq!(Current::of(None), Current::Gone);
    assert_eq!(Current::of(Some(&dead)), Current::Gone);
    for current in [string(ends, day(0)), unproven, silent] {
        assert_eq!(Current::of(Some(&current)), Current::Serves(ends));
    }
}

#[test]
fn what_does_not_fit_is_refused_and_what_is_silent_waits() {
    let person = |id: &str| Identity { user_id: Some(id.into()), ..Identity::default() };
    let of = |id: &str| Inspection { identity: person(id), ..answer(Expiry::Unknown) };
    let typed = |word: &str| Inspection { token_type: Some(word.into()), ..of("7") };
    let verdict = |valid| Inspection { valid, ..of("7") };
    let (another, wrong) =
        ("it belongs to user 8, not to 7", "it is a PAGE token, not a USER token");
    let silence = "Graph gave no verdict and no reason";
    for (what, token_type, inspection, expected) in [
        ("another person", INSTAGRAM, of("8"), Some((true, another))),
        ("the same person", INSTAGRAM, of("7"), None),
        ("another type", USER, typed("PAGE"), Some((true, wrong))),
        ("its type", USER, typed("USER"), None),
        // Meta documents no word for these types, so none is wrong.
        ("any word", THREADS, typed("USER"), None),
        ("dead", USER, verdict(Some(false)), Some((true, silence))),
        ("no verdict", USER, verdict(None), Some((false, silence))),
    ] {
        let said = match judge_adoption(&inspection, token_type, &person("7"), Current::Gone) {
            Adoption::Take => None,
            Adoption::Refuse(problem) => Some((true, problem.message)),
            Adoption::Wait(problem) | Adoption::OnlyIfCurrentIsDead(problem) => {
                Some((false, problem.message))
            }
        };
        let said = said.as_ref().map(|(refused, message)| (*refused, message.as_str()));
        assert_eq!(said, expected, "{what}");
        let origin = Origin::Refreshed;
        let whose = person("7");
        let grant = judge_grant(&inspection, Expiry::Unknown, token_type, origin, &whose, None);
        let said = match &grant {
            Extension::Take => None,
            Extension::Refuse(problem) | Extension::Dead(problem) => {
                Some((true, problem.message.as_str()))
            }
            Extension::Wait(problem) => Some((false, problem.message.as_str())),
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(said, expected, "{what}, granted");
    }
}

#[test]
fn a_grant_ends_a_day_later_by_graphs_word_or_by_the_grants_where_graph_is_silent() {
    use Expiry::{At, Never, Unknown};
    let old = day(60);
    let later = day(61);
    let current = |token_type: TokenType, expiry| -> Generation {
        if token_type.spec().may_hide_the_end() {
            hidden(expiry, day(0))
        } else {
            string(expiry, day(0))
        }
    };
    for (token_type, told, granted, expiry, taken) in [
        (USER, At(later - SECOND), Unknown, At(old), false),
        (USER, At(later), Unknown, At(old), true),
        (USER, At(later + SECOND), Unknown, At(old), true),
        // Graph's word counts, not the grant's.
        (USER, At(old), At(later), At(old), false),
        (USER, Unknown, Unknown, Unknown, false),
        (USER, At(later), Unknown, Unknown, true),
        (USER, At(later), Unknown, Never, false),
        (TokenType::SystemUser, At(later), Unknown, Never, false),
        (TokenType::SystemUser, At(later), Unknown, At(old), true),
        (INSTAGRAM, Unknown, At(later - SECOND), At(old), false),
        (INSTAGRAM, Unknown, At(later), At(old), true),
        (INSTAGRAM, Unknown, At(later), Unknown, true),
        (INSTAGRAM, Unknown, Unknown, At(old), false),
        // Nobody can be asked for either end, and this one was issued later.
        (INSTAGRAM, Unknown, Unknown, Unknown, true),
        (THREADS, Unknown, Unknown, Unknown, true),
        (THREADS, At(later), Unknown, At(old), true),
        // What is derived follows its source; only a date in place of none is a loss.
        (TokenType::Page, At(old), Unknown, At(later), true),
        (TokenType::Page, At(later), Unknown, Never, false),
        (TokenType::App, Never, Unknown, Never, true),
        (TokenType::App, Unknown, Unknown, Never, false),
    ] {
        let origin = match token_type {
            TokenType::Page | TokenType::App => Origin::Derived,
            _ => Origin::Refreshed,
        };
        let verdict = judge_grant(
            &answer(told),
            granted,
            token_type,
            origin,
            &Identity::default(),
            Some(&current(token_type, expiry)),
        );
        let expected = if taken { Extension::Take } else { Extension::NotExtended };
        assert_eq!(
            verdict, expected,
            "{token_type}: {told:?}, granted {granted:?}, for {expiry:?}"
        );
    }
}

#[test]
fn a_grant_that_carries_less_is_held_and_says_what_it_lacks() {
    let scoped = |scopes: &[&str]| Inspection {
        scopes: scopes.iter().map(ToString::to_string).collect(),
        ..answer(Expiry::At(day(90)))
    };
    let current = with_answer(string(Expiry::At(day(60)), day(0)), |answer| {
        answer.scopes = vec!["a".into(), "b".into(), "c".into()];
    });
    let judged = |scopes| {
        let unknown = Identity::default();
        let origin = Origin::Refreshed;
        judge_grant(&scoped(scopes), Expiry::Unknown, USER, origin, &unknown, Some(&current))
    };
    assert_eq!(judged(&["c", "b", "a", "d"]), Extension::Take);
    let fewer = judged(&["b"]);
    assert_eq!(fewer, Extension::FewerScopes(vec!["a".into(), "c".into()]));
    let missing = Problem::new(ProblemKind::PermissionMissing, "the new string lacks `a` and `c`");
    assert_eq!(fewer.problem(), Some(missing));
    let missed = Extension::NotExtended.problem().unwrap();
    assert_eq!(missed.message, "Meta accepted the renewal, but the new string ends no later");
    assert!(!missed.action.needs_a_person(), "a first miss is tried again");
    assert_eq!(Extension::Take.problem(), None);
}
