//! What policy decides, in tables: dates around every threshold.

mod adoption;
mod clocks;
mod due;
mod families;
mod health;
mod insistence;
mod keeping;
mod machinery;
mod notices;
mod overdue;
mod pace;
mod pages;
mod past;
mod reasons;
mod remedies;
mod rotation;
mod sentences;
mod severities;
mod typed;

use chrono::{DateTime, TimeDelta};
use metatoken::policy::{
    Decision, Insistence, Moment, Naming, Parent, Policy, Subject, decide, judge,
};
use metatoken::token::{
    Arrival, AttemptKind, Attempts, Credential, Expiry, Fingerprint, Generation, GenerationId,
    GenerationState, Inspection, Label, OpenAttempt, Origin, Problem, ProblemKind, Proof, Time,
    TokenId, TokenType,
};

/// The smallest step that a table takes across a threshold.
const SECOND: TimeDelta = TimeDelta::seconds(1);

/// Day `n` of the world of these tests.
fn day(n: i64) -> Time {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::days(n)
}

fn hours(n: i64) -> TimeDelta {
    TimeDelta::hours(n)
}

/// A renewal that was cut short.
fn renewal(began: Time) -> OpenAttempt {
    OpenAttempt { kind: AttemptKind::Renewal, began }
}

fn label(name: &str) -> Label {
    Label::parse(name).unwrap()
}

/// A string issued on day 0, proven alive at `proven` by an answer that tells all its dates.
fn string(expiry: Expiry, proven: Time) -> Generation {
    let inspection = Inspection {
        expiry,
        token_type: Some("USER".to_owned()),
        scopes: Some(Vec::new()),
        issued_at: Some(day(0)),
        ..Inspection::bare(Some(true), None)
    };
    Generation {
        id: GenerationId(1),
        number: 1,
        state: GenerationState::Current,
        origin: Origin::Adopted,
        arrival: Arrival::Adopted,
        handed_over: None,
        login_check: None,
        fingerprint: Fingerprint::new([1; 32]),
        obtained_at: day(0),
        expiry,
        parent: None,
        revoked_at: None,
        proof: Some(Proof { at: proven, inspection }),
    }
}

/// A string whose end we know from its grant, if at all: the answer tells no dates.
fn hidden(expiry: Expiry, proven: Time) -> Generation {
    let inspection = Inspection::bare(Some(true), None);
    Generation { proof: Some(Proof { at: proven, inspection }), ..string(expiry, proven) }
}

/// The answer about `generation`, changed.
fn with_answer(mut generation: Generation, change: impl FnOnce(&mut Inspection)) -> Generation {
    change(&mut generation.proof.as_mut().unwrap().inspection);
    generation
}

fn lifeless(generation: Generation, kind: ProblemKind) -> Generation {
    with_answer(generation, |answer| {
        answer.valid = Some(false);
        answer.problem = Some(Problem::new(kind, "dead"));
    })
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
        attempts: Attempts::default(),
        deliveries: Vec::new(),
        source: None,
        rotated: Vec::new(),
        barred: Vec::new(),
        fallback: None,
        given_to: None,
        listed: None,
        owner: None,
        app: None,
        probe: None,
        import: None,
        unlisted_since: None,
        retired_at: None,
        undeclared: None,
        damage: None,
    }
}

fn user(expiry: Expiry, proven: Time) -> Credential {
    credential("brand", TokenType::User, Some(string(expiry, proven)))
}

fn subject<'a>(credential: &'a Credential, policy: &'a Policy) -> Subject<'a> {
    Subject {
        label: &credential.label,
        token_type: credential.token_type,
        policy,
        credential: Some(credential),
        parent: None,
        backup: None,
        throttled_until: None,
        naming: Naming {
            config: "metatoken.toml",
            file: "metatoken.toml",
            app: "main",
            ..Naming::default()
        },
    }
}

fn page<'a>(credential: &'a Credential, policy: &'a Policy, parent: &'a Credential) -> Subject<'a> {
    let parent = Parent { label: &parent.label, credential: Some(parent), backup: None };
    Subject { parent: Some(parent), ..subject(credential, policy) }
}

/// What a timer does with a token of the default policy at `now`, if nothing was asked yet.
fn unasked(credential: &Credential, now: Time) -> Decision {
    let policy = Policy::default();
    decide(&subject(credential, &policy), Insistence::None, Moment::at(now))
}

/// Every reason that stands against a token, as one line each: `severity code: message | remedy`.
fn told(subject: &Subject<'_>, moment: Moment) -> Vec<String> {
    judge(subject, moment)
        .reasons
        .iter()
        .map(|it| format!("{} {}: {} | {}", it.severity, it.code, it.message, it.remedy))
        .collect()
}

/// The same, without the words.
fn codes(subject: &Subject<'_>, moment: Moment) -> Vec<String> {
    judge(subject, moment).reasons.iter().map(|it| format!("{} {}", it.severity, it.code)).collect()
}

/// How a user token named `brand` is replaced.
const LOG_IN: &str =
    "the person behind the token logs in to the app again: run `metatoken login brand`";

/// What is told of a token under the default policy.
fn plain(credential: &Credential, now: Time) -> Vec<String> {
    told(&subject(credential, &Policy::default()), Moment::at(now))
}
