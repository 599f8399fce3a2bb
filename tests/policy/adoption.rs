//! What an access token from outside is worth beside the current one: which is taken, and why not.

use metatoken::policy::{
    Adoption, Contest, Current, Extension, FoundIn, Losses, Policy, judge_adoption, judge_grant,
    judge_handed_over,
};
use metatoken::token::{
    Expiry, Generation, GranularScope, Identity, Inspection, Origin, Problem, ProblemKind,
    TokenType,
};

use super::{SECOND, day, hidden, hours, lifeless, string, with_answer};

fn answer(expiry: Expiry) -> Inspection {
    Inspection { expiry, ..Inspection::bare(Some(true), None) }
}

const USER: TokenType = TokenType::User;
const SYSTEM: TokenType = TokenType::SystemUser;
const INSTAGRAM: TokenType = TokenType::Instagram;
const THREADS: TokenType = TokenType::Threads;

/// What Graph says of an access token that expires then.
#[derive(Clone, Copy)]
struct Worth {
    expiry: Expiry,
    /// The day of its issue, where Meta tells.
    issued: Option<i64>,
    /// Its scopes by their first letters; without one the answer tells none.
    scopes: &'static str,
    /// The targets that it reaches, likewise.
    targets: &'static str,
}

const fn worth(expiry: Expiry) -> Worth {
    Worth { expiry, issued: None, scopes: "", targets: "" }
}

impl Worth {
    const fn issued(self, day: i64) -> Self {
        Self { issued: Some(day), ..self }
    }

    const fn with(self, scopes: &'static str) -> Self {
        Self { scopes, ..self }
    }

    const fn reaching(self, targets: &'static str) -> Self {
        Self { targets, ..self }
    }

    fn answer(self) -> Inspection {
        let letters = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
        let granular =
            || GranularScope { scope: "a".into(), target_ids: Some(letters(self.targets)) };
        Inspection {
            issued_at: self.issued.map(day),
            scopes: Some(letters(self.scopes)).filter(|it| !it.is_empty()),
            granular_scopes: if self.targets.is_empty() { Vec::new() } else { vec![granular()] },
            ..answer(self.expiry)
        }
    }

    fn generation(self) -> Generation {
        let answer = self.answer();
        with_answer(string(self.expiry, day(0)), |known| *known = answer)
    }
}

/// The scopes `a` and `b` and the target `1` are required.
fn policy() -> Policy {
    Policy {
        required_scopes: vec!["a".into(), "b".into()],
        required_targets: vec!["1".into()],
        ..Policy::default()
    }
}

fn contest<'a>(
    token_type: TokenType,
    expected: &'a Identity,
    policy: &'a Policy,
    current: Option<&'a Generation>,
) -> Contest<'a> {
    Contest { token_type, expected, policy, current: Current::of(current) }
}

/// What becomes of an access token: the name of the verdict, and why it is not taken.
fn said(adoption: Adoption) -> (&'static str, String) {
    let name = match adoption {
        Adoption::Take => "take",
        Adoption::OnlyIfCurrentIsDead(_) => "only if dead",
        Adoption::OnlyNearItsEnd(_) => "only near its end",
        Adoption::Wait(_) => "wait",
        Adoption::Refuse(_) => "refuse",
    };
    (name, adoption.problem().map(|problem| problem.message).unwrap_or_default())
}

#[test]
fn what_is_found_takes_the_place_of_what_is_gone_ends_sooner_or_lacks_what_is_required() {
    use Expiry::{At, Never, Unknown};
    use FoundIn::{ChangedSource, OtherPlace};
    let (ends, policy, anyone) = (day(60), policy(), Identity::default());
    let no_later = "it expires no later than the current access token, which works";
    let perhaps =
        "Meta does not say when it expires, so it may expire before the current access token";
    let hides = "Meta does not say when either expires or was issued, so it may be the older one";
    let older = "it was issued no later than the current access token";
    let forever_older = "neither expires, and it was issued no later than the current one";
    let forever = "neither expires, and Meta does not say which was issued later";
    let (dated, later, earlier) =
        (worth(At(ends)), worth(At(ends + SECOND)), worth(At(ends - SECOND)));
    let (never, unknown) = (worth(Never), worth(Unknown));
    for (token_type, found, place, current, expected) in [
        // The one that expires later.
        (USER, later, OtherPlace, dated, ""),
        (USER, dated, ChangedSource, dated, no_later),
        (USER, earlier, ChangedSource, dated, no_later),
        (USER, never, OtherPlace, dated, ""),
        (SYSTEM, dated, ChangedSource, never, no_later),
        (USER, dated, OtherPlace, unknown, ""),
        // Two that never expire: the one that was issued later.
        (SYSTEM, never.issued(5), OtherPlace, never.issued(4), ""),
        (SYSTEM, never.issued(4), ChangedSource, never.issued(4), forever_older),
        (SYSTEM, never.issued(3), ChangedSource, never.issued(4), forever_older),
        (SYSTEM, never, ChangedSource, never.issued(4), ""),
        (SYSTEM, never.issued(5), ChangedSource, never, ""),
        (SYSTEM, never.issued(5), OtherPlace, never, forever),
        (SYSTEM, never, OtherPlace, never, forever),
        // Two whose ends cannot be known, likewise.
        (INSTAGRAM, unknown, ChangedSource, unknown, ""),
        (INSTAGRAM, unknown, OtherPlace, unknown, hides),
        (THREADS, unknown.issued(5), OtherPlace, unknown.issued(4), ""),
        (THREADS, unknown.issued(4), ChangedSource, unknown.issued(5), older),
        // Graph would tell the end: that it does not is no reason to trust the new one.
        (USER, unknown, ChangedSource, unknown, perhaps),
        (SYSTEM, unknown, ChangedSource, unknown, perhaps),
        (USER, unknown, ChangedSource, dated, perhaps),
        (INSTAGRAM, unknown, ChangedSource, dated, perhaps),
        (SYSTEM, unknown, ChangedSource, never, perhaps),
        (THREADS, dated, ChangedSource, dated, no_later),
        // What is required counts more than a date.
        (SYSTEM, dated.with("ab"), OtherPlace, never.with("a"), ""),
        (SYSTEM, never.with("ab"), OtherPlace, never.with("a"), ""),
        (USER, dated.with("ab"), OtherPlace, dated.with("b"), ""),
        (USER, dated.with("abz"), ChangedSource, dated.with("ab"), no_later),
        (SYSTEM, dated.with("ab").reaching("12"), OtherPlace, never.with("ab").reaching("2"), ""),
        // What an answer does not tell is neither had nor lacked.
        (SYSTEM, dated, OtherPlace, never.with("a"), no_later),
        (SYSTEM, dated.with("ab"), OtherPlace, never, no_later),
        (SYSTEM, dated.with("ab"), OtherPlace, never.with("ab").reaching("2"), no_later),
    ] {
        let generation = current.generation();
        let contest = contest(token_type, &anyone, &policy, Some(&generation));
        let verdict = judge_adoption(&found.answer(), place, &contest);
        let wanted = if expected.is_empty() { "take" } else { "only if dead" };
        let case = format!("{token_type}: {:?} beside {:?}", found.answer(), current.answer());
        assert_eq!(said(verdict), (wanted, expected.to_owned()), "{case}");
    }
}

#[test]
fn what_is_required_is_not_lost_for_a_later_date_until_the_current_one_is_about_to_expire() {
    let (policy, anyone) = (policy(), Identity::default());
    let current = worth(Expiry::At(day(60))).with("ab").reaching("1").generation();
    let contest = contest(USER, &anyone, &policy, Some(&current));
    for (found, expected) in [
        (worth(Expiry::At(day(90))).with("ab").reaching("1"), ("take", "")),
        (
            worth(Expiry::At(day(90))).with("b").reaching("1"),
            ("only near its end", "it lacks `a`, which the current access token has"),
        ),
        (
            worth(Expiry::Never).with("z").reaching("2"),
            ("only near its end", "it lacks `a`, `b` and `1`, which the current access token has"),
        ),
        (
            worth(Expiry::At(day(60))).with("b").reaching("1"),
            ("only if dead", "it lacks `a`, which the current access token has"),
        ),
    ] {
        let verdict = said(judge_adoption(&found.answer(), FoundIn::ChangedSource, &contest));
        assert_eq!((verdict.0, verdict.1.as_str()), expected, "{:?}", found.answer());
    }
}

#[test]
fn what_a_person_hands_over_is_taken_unless_it_is_known_to_be_worse() {
    use Expiry::{At, Never, Unknown};
    let (policy, anyone, now) = (policy(), Identity::default(), day(1));
    let all = |expiry| worth(expiry).with("ab").reaching("1");
    let ends = day(60);
    let earlier = "it expires 2026-03-01 00:00 UTC, in 58 days, and the current access token \
                   2026-03-02 00:00 UTC, in 59 days";
    let dated = "it expires 2026-03-02 00:00 UTC, in 59 days, and the current access token never \
                 expires";
    for (token_type, new, current, expected) in [
        (SYSTEM, all(Never), all(Never), ""),
        (SYSTEM, all(Never).issued(1), all(Never).issued(2), ""),
        (USER, all(At(ends)), all(At(ends)), ""),
        // Meta's seconds differ from answer to answer.
        (USER, all(At(ends - hours(24) + SECOND)), all(At(ends)), ""),
        (USER, all(At(ends - hours(24))), all(At(ends)), earlier),
        (SYSTEM, all(At(ends)), all(Never), dated),
        (USER, all(At(ends)), all(Unknown), ""),
        (INSTAGRAM, worth(Unknown), worth(Unknown), ""),
        (INSTAGRAM, worth(Unknown), worth(At(ends)), ""),
        // A permission that is not required may go.
        (USER, all(At(ends)), all(At(ends)).with("abz"), ""),
        (USER, all(At(ends)).with("a"), all(At(ends)).with("a"), ""),
        (
            USER,
            all(At(ends)).with("b"),
            all(At(ends)),
            "it lacks `a`, which the current access token has",
        ),
        (
            SYSTEM,
            all(At(ends)).with("b"),
            all(Never),
            "it lacks `a`, which the current access token has; it expires 2026-03-02 00:00 UTC, \
             in 59 days, and the current access token never expires",
        ),
    ] {
        let generation = current.generation();
        let contest = contest(token_type, &anyone, &policy, Some(&generation));
        let judged = |losses| said(judge_handed_over(&new.answer(), losses, &contest, now));
        let wanted = if expected.is_empty() { "take" } else { "only if dead" };
        let case = format!("{token_type}: {:?} beside {:?}", new.answer(), current.answer());
        assert_eq!(judged(Losses::Refused), (wanted, expected.to_owned()), "{case}");
        assert_eq!(judged(Losses::Accepted), ("take", String::new()), "{case}");
        let dead = lifeless(generation.clone(), ProblemKind::Revoked);
        let contest = Contest { current: Current::of(Some(&dead)), ..contest };
        let verdict = judge_handed_over(&new.answer(), Losses::Refused, &contest, now);
        assert_eq!(said(verdict).0, "take", "{case}, which is dead");
    }
}

#[test]
fn nothing_that_was_found_and_taken_gives_way_to_what_it_replaced() {
    use Expiry::{At, Never, Unknown};
    let (policy, anyone) = (policy(), Identity::default());
    let mut worths = Vec::new();
    for expiry in [At(day(30)), At(day(60)), Never, Unknown] {
        for scopes in ["", "a", "b", "ab"] {
            for issued in [None, Some(1), Some(2)] {
                worths.push(Worth { expiry, issued, scopes, targets: "1" });
            }
        }
    }
    let is_taken = |token_type, found: &Worth, current: &Worth| {
        let current = current.generation();
        let contest = contest(token_type, &anyone, &policy, Some(&current));
        judge_adoption(&found.answer(), FoundIn::OtherPlace, &contest) == Adoption::Take
    };
    let mut taken = 0;
    for token_type in [USER, SYSTEM, INSTAGRAM, THREADS] {
        for one in &worths {
            for other in &worths {
                let both = is_taken(token_type, one, other) && is_taken(token_type, other, one);
                assert!(!both, "{token_type}: {:?} and {:?}", one.answer(), other.answer());
                taken += usize::from(is_taken(token_type, one, other));
            }
        }
    }
    assert!(taken > 1000, "{taken}");
}

#[test]
fn the_current_one_is_gone_only_by_graphs_verdict() {
    let ends = Expiry::At(day(60));
    let mut unchecked = string(ends, day(0));
    unchecked.proof = None;
    let silent = with_answer(string(ends, day(0)), |answer| answer.valid = None);
    let dead = lifeless(string(ends, day(0)), ProblemKind::Revoked);
    assert_eq!(Current::of(None), Current::Gone);
    assert_eq!(Current::of(Some(&dead)), Current::Gone);
    for current in [string(ends, day(0)), unchecked, silent] {
        let inspection = current.proof.as_ref().map(|proof| &proof.inspection);
        let serves = Current::Serves { expiry: ends, inspection };
        assert_eq!(Current::of(Some(&current)), serves);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_what_is_silent_waits() {
    let person = |id: &str| Identity { user_id: Some(id.into()), ..Identity::default() };
    let of = |id: &str| Inspection { identity: person(id), ..answer(Expiry::Unknown) };
    let typed = |word: &str| Inspection { token_type: Some(word.into()), ..of("7") };
    let verdict = |valid| Inspection { valid, ..of("7") };
    let (another, wrong) =
        ("the token belongs to user 8, not to 7", "a page token, not a user token");
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
        let (seven, policy) = (person("7"), Policy::default());
        let contest = contest(token_type, &seven, &policy, None);
        for verdict in [
            judge_adoption(&inspection, FoundIn::OtherPlace, &contest),
            judge_handed_over(&inspection, Losses::Accepted, &contest, day(0)),
        ] {
            let wanted = match expected {
                None => ("take", ""),
                Some((true, why)) => ("refuse", why),
                Some((false, why)) => ("wait", why),
            };
            let (name, why) = said(verdict);
            assert_eq!((name, why.as_str()), wanted, "{what}");
        }
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
        // Where neither tells it, it is held for the time when the current one is about to expire.
        let is_untold = (told, granted) == (Unknown, Unknown) && token_type == INSTAGRAM;
        let expected = match taken {
            true => Extension::Take,
            false if is_untold => Extension::EndUntold,
            false => Extension::NotExtended,
        };
        assert_eq!(
            verdict, expected,
            "{token_type}: {told:?}, granted {granted:?}, for {expiry:?}"
        );
    }
}

#[test]
fn a_grant_that_carries_less_is_held_and_says_what_it_lacks() {
    let scoped = |scopes: &[&str]| Inspection {
        scopes: Some(scopes.iter().map(ToString::to_string).collect()),
        ..answer(Expiry::At(day(90)))
    };
    let current = with_answer(string(Expiry::At(day(60)), day(0)), |answer| {
        answer.scopes = Some(vec!["a".into(), "b".into(), "c".into()]);
    });
    let judged = |scopes| {
        let unknown = Identity::default();
        let origin = Origin::Refreshed;
        judge_grant(&scoped(scopes), Expiry::Unknown, USER, origin, &unknown, Some(&current))
    };
    assert_eq!(judged(&["c", "b", "a", "d"]), Extension::Take);
    let fewer = judged(&["b"]);
    assert_eq!(fewer, Extension::FewerScopes(vec!["a".into(), "c".into()]));
    let missing =
        Problem::new(ProblemKind::PermissionMissing, "the new access token lacks `a` and `c`");
    assert_eq!(fewer.problem(), Some(missing));
    let missed = Extension::NotExtended.problem().unwrap();
    assert_eq!(missed.message, "renewal gives no later expiry");
    assert!(!missed.action.needs_a_person(), "a first miss is tried again");
    assert_eq!(Extension::Take.problem(), None);
}
