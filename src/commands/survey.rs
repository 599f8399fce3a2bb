//! Looking at every token: what `status` and `check` have in common.
//!
//! A survey takes no lock, makes nothing and adopts nothing. What Graph answers is written down
//! where that is possible, and judged all the same where it is not.

use std::collections::HashMap;

use chrono::TimeDelta;

use super::apps::{Pauses, version_reasons};
use super::asking::ask;
use super::delivery::{of_config, seen};
use super::newcomers::{self, Newcomer};
use super::refresh::{believed, clock_reason, trust};
use super::roster::{Member, Roster, in_its_own_words};
use super::{Session, apps, log, pool};
use crate::complaint::Complaint;
use crate::config::KeySetting;
use crate::graph::{Fault, Graph};
use crate::policy::{
    Decision, Health, Insistence, Judgement, Moment, Reason, Rest, Subject, decide, judge,
    judge_deliveries, judge_inspection, judge_runs, remedy,
};
use crate::report::{Refresh, Source, StatusReport, TokenReport};
use crate::store::{KeySource, Store, StoreError};
use crate::token::{
    AccessToken, Action, Delivery, Expiry, GenerationId, Identity, Label, Pattern, Problem, Proof,
    Time,
};

/// A bad answer is asked for again after this.
const TRUST_IN_A_BAD_ANSWER: TimeDelta = TimeDelta::minutes(1);

/// When Graph is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// About every token.
    Always,
    /// About those whose last good answer is older than `validation_interval`.
    WhenStale,
    /// Never.
    Never,
}

/// What Graph answered about one token just now.
struct Answer {
    place: usize,
    label: Label,
    generation: Option<GenerationId>,
    result: Result<Proof, Fault>,
}

/// How Graph is asked.
#[derive(Clone, Copy)]
struct Look<'a> {
    asking: Asking,
    now: Time,
    graph: &'a Graph,
}

/// One question.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    // Reversed, because the pool takes the greatest first.
    place: std::cmp::Reverse<usize>,
}

/// Looks at the tokens that are meant.
pub(super) fn survey(
    session: &Session,
    patterns: &[Pattern],
    asking: Asking,
    graph: &Graph,
) -> Result<StatusReport, Complaint> {
    let store = session.reader()?;
    let credentials = store.as_ref().map_or_else(|| Ok(Vec::new()), Store::credentials)?;
    let pauses = match &store {
        Some(store) => store.paused_apps(session.clock.now())?,
        None => Pauses::new(),
    };
    let mut roster = Roster::new(&session.config, credentials).mindful_of(pauses);
    let meant: Vec<Member> = roster.select(patterns)?.into_iter().cloned().collect();
    let now = session.clock.now();
    let last_run = match &store {
        Some(store) => store.last_finished("refresh")?,
        None => None,
    };
    let skew_then = last_run.as_ref().and_then(|run| run.clock_skew);
    let look = Look { asking, now: believed(now, skew_then), graph };
    let answers = ask_about(session, &roster, store.as_ref(), &meant, look)?;
    let mut deliveries = look_at_targets(session, &roster, store.as_ref(), &meant, look);
    let key = store.as_ref().and_then(|store| key_trouble(session, store));
    // While this process reads without the right to write, SQLite lets none of it write.
    drop(store);
    keep_answers(session, &mut roster, &answers);
    say_what_was_not_answered(session, &answers);
    let skew = graph.clock_skew().or(skew_then);
    let moment = Moment { dates: trust(skew), ..Moment::at(believed(now, skew)) };
    let tokens = meant
        .iter()
        .map(|member| {
            let answer = answers.iter().find(|answer| answer.label == member.label);
            let deliveries = deliveries.remove(&member.label).unwrap_or_default();
            describe(&roster, member, answer, deliveries, moment)
        })
        .collect();
    let system = judge_runs(last_run.and_then(|run| run.finished_at), now)
        .into_iter()
        .chain(skew.and_then(clock_reason))
        .chain(version_reasons(session, &roster, graph, moment))
        .chain(key)
        .collect();
    Ok(StatusReport {
        generated_at: moment.now,
        tokens,
        system,
        unlisted: roster.unlisted().to_vec(),
    })
}

/// How every target stands: by what the files hold, unless nobody is to look further than the
/// store, or its key is not at hand.
fn look_at_targets(
    session: &Session,
    roster: &Roster,
    store: Option<&Store>,
    meant: &[Member],
    look: Look<'_>,
) -> HashMap<Label, Vec<Delivery>> {
    let delivers = meant.iter().any(|member| !member.deliver.is_empty());
    let key = (delivers && look.asking != Asking::Never).then(|| session.key().ok()).flatten();
    let open = store.zip(key).filter(|(store, key)| store.unlock(key).is_ok());
    let standing = |member: &Member| match (roster.credential(&member.label), &open) {
        (Some(credential), Some((store, _))) => seen(member, credential, store, look.now),
        (credential, _) => of_config(member, credential),
    };
    meant.iter().map(|member| (member.label.clone(), standing(member))).collect()
}

/// Whether the key beside the store still opens it. Where there is none to read nothing is said:
/// looking needs no key, and a run that needs it says so itself.
fn key_trouble(session: &Session, store: &Store) -> Option<Reason> {
    let KeySetting::Beside(path) = &session.config.store.key else { return None };
    let error = store.unlock(&KeySource::File(path.clone())).err()?;
    if matches!(error, StoreError::KeyUnreadable(..) | StoreError::KeyMissing(_)) {
        return None;
    }
    let complaint = Complaint::from(error);
    Some(Reason {
        code: complaint.code,
        severity: Health::Critical,
        message: format!("{}: {}", complaint.subject, complaint.message),
        remedy: complaint.hints.join("; "),
        action: Action::FixConfiguration,
        labels: Vec::new(),
        held_by: None,
    })
}

/// Asks Graph about every string that needs it, several at a time.
fn ask_about(
    session: &Session,
    roster: &Roster,
    store: Option<&Store>,
    meant: &[Member],
    look: Look<'_>,
) -> Result<Vec<Answer>, Complaint> {
    let strings: Vec<(&Member, Option<GenerationId>, AccessToken)> = match look.asking {
        Asking::Never => return Ok(Vec::new()),
        Asking::Always | Asking::WhenStale => {
            let mut strings = Vec::new();
            let mut unlocked = false;
            for member in meant.iter().filter(|member| is_stale(roster, member, look)) {
                let current = roster.subject(member).current().map(|generation| generation.id);
                match (current, store) {
                    (Some(generation), Some(store)) => {
                        if !unlocked {
                            store.unlock(&session.key()?)?;
                            unlocked = true;
                        }
                        strings.push((member, Some(generation), store.reveal(generation)?));
                    }
                    // A string that a run has refused already is not judged again.
                    _ if was_refused(roster, member) => {}
                    _ => {
                        if let Some(Newcomer::String(string)) = newcomers::read(session, member) {
                            strings.push((member, None, string));
                        }
                    }
                }
            }
            strings
        }
    };
    let questions =
        (0..strings.len()).map(|place| Question { place: std::cmp::Reverse(place) }).collect();
    let bar = session.ui.progress(strings.len());
    let answer = |question: &Question| {
        let (member, generation, string) = &strings[question.place.0];
        let _about = log::about(&member.label);
        let result = apps::app(session, roster.pauses(), &member.app)
            .map_err(Fault::of_token)
            .and_then(|app| ask(look.graph, &app, string))
            .map(|inspection| {
                let at = believed(session.clock.now(), look.graph.clock_skew());
                Proof { at, inspection }
            });
        let (place, label) = (question.place.0, member.label.clone());
        (Answer { place, label, generation: *generation, result }, Vec::new())
    };
    let workers = session.config.http.concurrency;
    let (mut answers, _) = pool::work(questions, workers, answer, |_| bar.inc(1));
    bar.finish_and_clear();
    // Which worker came first is chance; what is said follows the config.
    answers.sort_by_key(|answer| answer.place);
    Ok(answers)
}

fn was_refused(roster: &Roster, member: &Member) -> bool {
    roster
        .credential(&member.label)
        .is_some_and(|known| known.candidate.is_none() && known.ledger.problem.is_some())
}

/// A live answer that could not be had is said, each cause once, and changes no verdict.
fn say_what_was_not_answered(session: &Session, answers: &[Answer]) {
    // Two outages differ in no more than the milliseconds that were waited.
    let alike = |one: &Problem, other: &Problem| {
        one.kind == other.kind && (one.kind.is_outage() || one.message == other.message)
    };
    let mut causes: Vec<(&Problem, Vec<&Label>)> = Vec::new();
    for answer in answers {
        let Err(Fault { problem, .. }) = &answer.result else { continue };
        match causes.iter_mut().find(|(other, _)| alike(other, problem)) {
            Some((_, labels)) => labels.push(&answer.label),
            None => causes.push((problem, vec![&answer.label])),
        }
    }
    for (cause, labels) in causes {
        let labels = crate::policy::words::list(&labels);
        session
            .ui
            .note(&format!("Graph gave no verdict, so what is stored is shown: {labels}: {cause}"));
    }
}

fn is_stale(roster: &Roster, member: &Member, look: Look<'_>) -> bool {
    let now = look.now;
    let Some(current) = roster.subject(member).current() else { return true };
    match (&current.proof, look.asking) {
        (_, Asking::Always) | (None, _) => true,
        (Some(proof), _) => {
            let trusted = if proof.inspection.valid == Some(true) {
                member.policy.validation_interval
            } else {
                TRUST_IN_A_BAD_ANSWER
            };
            proof.at > now || now - proof.at >= trusted
        }
    }
}

/// Puts fresh proofs in the place of the stored ones, here and, as well as may be, in the store.
fn keep_answers(session: &Session, roster: &mut Roster, answers: &[Answer]) {
    let mut proofs = Vec::new();
    for answer in answers {
        let (Some(generation), Ok(proof)) = (answer.generation, &answer.result) else { continue };
        let Some(mut credential) = roster.credential(&answer.label).cloned() else { continue };
        if let Some(current) = credential.current.as_mut().filter(|it| it.id == generation) {
            match (proof.inspection.valid, proof.inspection.expiry) {
                // Of a dead string Meta may say 0, which is no promise that it lives for ever.
                (_, Expiry::Unknown) | (Some(false) | None, Expiry::Never) => {}
                (_, told) => current.expiry = told,
            }
            current.proof = Some(proof.clone());
            roster.learn(&answer.label, credential);
            proofs.push((generation, proof.clone()));
        }
    }
    // Where nothing was learnt the store is not even opened to be written.
    if proofs.is_empty() {
        return;
    }
    // A store that cannot be written is no error for somebody who only looks.
    if let Err(error) = Store::note_proofs(&session.config.store.path, &proofs) {
        log::not_stored(error);
    }
}

fn describe(
    roster: &Roster,
    member: &Member,
    answer: Option<&Answer>,
    deliveries: Vec<Delivery>,
    moment: Moment,
) -> TokenReport {
    let subject = roster.subject(member);
    let fresh = answer.and_then(|answer| answer.result.as_ref().ok());
    let failed = answer.and_then(|answer| answer.result.as_ref().err());
    let current = subject.current();
    let proof = fresh.or_else(|| current.and_then(|generation| generation.proof.as_ref()));
    let judgement = match (current, fresh) {
        (None, Some(proof)) => {
            let expected = Identity { page_id: member.page_id.clone(), ..Identity::default() };
            judge_inspection(&subject, &proof.inspection, &expected, moment)
        }
        _ => judge(&subject, moment),
    }
    .with(judge_deliveries(&member.label, &deliveries, moment.now));
    let inspection = proof.map(|proof| &proof.inspection);
    let ledger = subject.credential.map(|credential| &credential.ledger);
    let problem = failed
        .map(|fault| &fault.problem)
        .or_else(|| inspection.and_then(|inspection| inspection.problem.as_ref()))
        .or_else(|| of_what_waits(&subject))
        .or_else(|| ledger.and_then(|ledger| ledger.problem.as_ref()))
        .cloned();
    let named = |missing: Vec<&str>| missing.into_iter().map(str::to_owned).collect::<Vec<_>>();
    TokenReport {
        label: Some(member.label.clone()),
        token_type: Some(member.token_type),
        app: Some(member.app.clone()),
        parent: member.parent.clone(),
        name: subject.credential.and_then(|credential| credential.name.clone()),
        owner: member.policy.owner.clone(),
        expiry: match (current, inspection) {
            (Some(generation), _) => generation.expiry,
            // Of a dead string Meta says 0, which is no promise that it lives for ever.
            (None, Some(inspection)) if inspection.valid == Some(true) => inspection.expiry,
            (None, Some(inspection)) => inspection.expiry.at().map_or(Expiry::Unknown, Expiry::At),
            (None, None) => Expiry::Unknown,
        },
        verified_at: proof.map(|proof| proof.at),
        source: match (fresh, proof) {
            (Some(_), _) => Source::Live,
            (None, Some(proof))
                if proof.at <= moment.now
                    && moment.now - proof.at < member.policy.validation_interval =>
            {
                Source::Cache
            }
            _ => Source::Store,
        },
        missing_scopes: inspection
            .map(|it| named(Judgement::missing_scopes(&member.policy, it)))
            .unwrap_or_default(),
        missing_targets: inspection
            .map(|it| named(Judgement::missing_targets(&member.policy, it)))
            .unwrap_or_default(),
        refresh: match (current, fresh, &problem) {
            (None, Some(_), None) => adoption_is_next(moment),
            _ => plan(&subject, moment),
        },
        remedy: problem.as_ref().map(|problem| remedy(problem, &subject)).unwrap_or_default(),
        problem,
        fingerprint: current.map(|generation| generation.fingerprint),
        generation: current.map(|generation| generation.number),
        inspection: inspection.cloned(),
        deliveries,
        judgement,
    }
}

/// What Graph said of a string that waits, where none is in use.
fn of_what_waits<'a>(subject: &Subject<'a>) -> Option<&'a Problem> {
    let credential = subject.credential.filter(|credential| credential.current.is_none())?;
    credential.candidate.as_ref()?.proof.as_ref()?.inspection.problem.as_ref()
}

/// A string that the config points to and the store has not seen.
fn adoption_is_next(moment: Moment) -> Refresh {
    Refresh {
        automatic: true,
        due: true,
        reason: "adopt: found where the config points".to_owned(),
        due_at: Some(moment.now),
        ..Refresh::default()
    }
}

fn plan(subject: &Subject<'_>, moment: Moment) -> Refresh {
    let decision = in_its_own_words(decide(subject, Insistence::None, moment), subject);
    let ledger = subject.credential.map(|credential| credential.ledger.clone()).unwrap_or_default();
    Refresh {
        automatic: !subject.only_a_person_can_renew(),
        due: !matches!(decision, Decision::Rest(_)),
        reason: match &decision {
            Decision::Rest(_) => decision.sentence(moment.now),
            other => format!("{}: {}", other.name(), other.sentence(moment.now)),
        },
        due_at: match decision {
            Decision::Rest(
                Rest::NotDue { due_at }
                | Rest::BackingOff { until: due_at }
                | Rest::TooYoung { eligible: due_at },
            ) => Some(due_at),
            Decision::Rest(_) => None,
            _ => Some(moment.now),
        },
        last_refreshed_at: ledger.last_refreshed_at,
        last_attempt_at: ledger.last_attempt_at,
        consecutive_failures: ledger.consecutive_failures,
    }
}
