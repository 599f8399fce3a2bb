//! What one token is worth: the store's knowledge, Graph's answer and the judgement in one value.

use super::inspect::Answer;
use crate::policy::{
    Deadline, Decision, Insistence, Judgement, Limits, Moment, Rest, Subject, deadlines, decide,
    judge, judge_deliveries, judge_inspection, remedy,
};
use crate::report::{Refresh, Source, TokenReport};
use crate::run::tokens::{TokenConfig, Tokens, in_its_own_words};
use crate::token::{Delivery, Expiry, Identity, Inspection, Problem};

/// Describes and judges one token.
pub(super) fn describe(
    tokens: &Tokens,
    member: &TokenConfig,
    answer: Option<&Answer>,
    deliveries: Vec<Delivery>,
    moment: Moment,
) -> TokenReport {
    let subject = tokens.subject(member);
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
        limits: Limits { warning: subject.warn_within(), critical: subject.critical_within() },
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
        deadlines: deadlines_of(tokens, member, &subject, inspection, moment),
        deliveries,
        judgement,
    }
}

/// The dates that only a person can move; with the end of data access the Pages are named that
/// hang on it.
fn deadlines_of(
    tokens: &Tokens,
    member: &TokenConfig,
    subject: &Subject<'_>,
    inspection: Option<&Inspection>,
    moment: Moment,
) -> Vec<Deadline> {
    let mut found = deadlines(subject, inspection, moment);
    let pages = || tokens.pages_of(&member.label).map(|page| page.label.clone());
    for deadline in found.iter_mut().filter(|it| it.code == "data_access_expiring") {
        deadline.labels.extend(pages());
    }
    found
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
