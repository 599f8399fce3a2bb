//! Judges one token by what the store says and what Graph answered.

use super::inspect::LiveAnswer;
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, CallError};
use crate::policy::{
    Dates, Deadline, Decision, Health, Insistence, Judgement, Limits, Moment, Naming, Policy,
    Remedy, Skip, Subject, deadlines, decide, judge, judge_deliveries, judge_inspection,
    judge_unusable, probe_answer, remedy, without_parent,
};
use crate::report::{LastRuns, ProbeReport, Refresh, StatusReport, TokenReport, VerdictSource};
use crate::run::found::where_found;
use crate::run::inspect::inspect;
use crate::run::tokens::{TokenConfig, Tokens, as_too_young};
use crate::session::Session;
use crate::token::{
    AccessToken, Delivery, Expiry, Identity, Inspection, Label, Probe, Problem, Proof, TokenType,
};

/// Judges one token.
pub fn judge_token(
    tokens: &Tokens,
    member: &TokenConfig,
    answer: Option<&LiveAnswer>,
    deliveries: Vec<Delivery>,
    moment: Moment,
) -> TokenReport {
    let subject = tokens.subject(member);
    let fresh = answer.and_then(|answer| answer.result.as_ref().ok());
    let failed = answer.and_then(|answer| answer.result.as_ref().err());
    let current = subject.current();
    let proof = fresh.or_else(|| current.and_then(|generation| generation.proof.as_ref()));
    let judgement = judge_answer(&subject, member, answer, moment)
        .with(judge_deliveries(&member.label, &deliveries, moment.now))
        .with(tokens.declared_labels().conflict(&member.label).cloned().into_iter().collect());
    let inspection = proof.map(|proof| &proof.inspection);
    let attempts = subject.credential.map(|credential| &credential.attempts);
    let problem = failed
        .map(|fault| &fault.problem)
        .or_else(|| inspection.and_then(|inspection| inspection.problem.as_ref()))
        .or_else(|| of_candidate(&subject))
        .or_else(|| attempts.and_then(|attempts| attempts.problem.as_ref()))
        .cloned();
    let named = |missing: Vec<&str>| missing.into_iter().map(str::to_owned).collect::<Vec<_>>();
    TokenReport {
        label: Some(member.label.clone()),
        token_type: Some(member.token_type),
        app: Some(member.app.clone()),
        parent: member.parent.clone(),
        backup: member.backup.clone(),
        name: subject.credential.and_then(|credential| credential.name.clone()),
        owner: member.policy.owner.clone(),
        limits: Limits { warning: subject.warn_within(), critical: subject.critical_within() },
        expiry: current.map_or_else(|| expiry_of(inspection), |generation| generation.expiry),
        verified_at: proof.map(|proof| proof.at),
        source: match (fresh, proof) {
            (Some(_), _) => VerdictSource::Live,
            (None, Some(proof)) if is_recent(proof, member, moment) => VerdictSource::Cache,
            _ => VerdictSource::Store,
        },
        missing_scopes: inspection
            .map(|it| named(Judgement::missing_scopes(&member.policy, it)))
            .unwrap_or_default(),
        missing_targets: inspection
            .map(|it| named(Judgement::missing_targets(&member.policy, it)))
            .unwrap_or_default(),
        refresh: match (current, fresh, &problem) {
            (None, Some(_), None) => adoption_is_next(member, moment),
            _ => plan(&subject, moment),
        },
        remedy: problem.as_ref().map(|problem| remedy(problem, &subject)).unwrap_or_default(),
        problem,
        fingerprint: current.map(|generation| generation.fingerprint),
        generation: current.map(|generation| generation.number),
        inspection: inspection.cloned(),
        deadlines: deadlines_of(tokens, member, &subject, inspection, moment),
        probe: member.policy.probe.as_ref().map(|probe| report_probe(probe, &subject)),
        deliveries,
        judgement,
    }
}

/// The verdict on the current access token; without one, on what Graph has just answered about the one
/// that the config points to.
fn judge_answer(
    subject: &Subject<'_>,
    member: &TokenConfig,
    answer: Option<&LiveAnswer>,
    moment: Moment,
) -> Judgement {
    match (subject.current(), answer.map(|answer| &answer.result)) {
        (None, Some(Ok(proof))) => {
            let expected = Identity { page_id: member.page_id.clone(), ..Identity::default() };
            judge_inspection(subject, &proof.inspection, &expected, moment)
        }
        (None, Some(Err(CallError { problem, held_back, .. })))
            if problem.fix.is_some() && !problem.kind.is_about_the_app() =>
        {
            let severity = if *held_back { Health::Unknown } else { Health::Critical };
            judge_unusable(subject, problem, severity, moment)
        }
        _ => judge(subject, moment),
    }
}

/// When an access token expires that is not in the store.
fn expiry_of(inspection: Option<&Inspection>) -> Expiry {
    match inspection {
        // Of an invalid access token Meta says 0, which does not mean that it never expires.
        Some(it) if it.verdict() != Some(true) => {
            it.expiry.at().map_or(Expiry::Unknown, Expiry::At)
        }
        Some(it) => it.expiry,
        None => Expiry::Unknown,
    }
}

fn is_recent(proof: &Proof, member: &TokenConfig, moment: Moment) -> bool {
    proof.at <= moment.now && moment.now - proof.at < member.policy.validation_interval
}

fn report_probe(probe: &Probe, subject: &Subject<'_>) -> ProbeReport {
    let answer = probe_answer(subject).cloned();
    let problem = answer.as_ref().and_then(|answer| answer.problem.as_ref());
    ProbeReport {
        question: probe.question.to_string(),
        remedy: problem.map(|it| remedy(it, subject)).unwrap_or_default(),
        answer,
    }
}

/// The dates that only a person can extend; the end of data access names the Pages that depend on
/// it.
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

/// What Graph said of a candidate, where there is no current access token.
fn of_candidate<'a>(subject: &Subject<'a>) -> Option<&'a Problem> {
    let credential = subject.credential.filter(|credential| credential.current.is_none())?;
    credential.candidate.as_ref()?.proof.as_ref()?.inspection.problem.as_ref()
}

/// The next step for an access token that the config points to and the store has not seen.
fn adoption_is_next(config: &TokenConfig, moment: Moment) -> Refresh {
    Refresh {
        automatic: true,
        due: true,
        reason: format!("adopt: {}", where_found(config)),
        due_at: Some(moment.now),
        ..Refresh::default()
    }
}

fn plan(subject: &Subject<'_>, moment: Moment) -> Refresh {
    let decision = as_too_young(decide(subject, Insistence::None, moment), subject);
    let attempts =
        subject.credential.map(|credential| credential.attempts.clone()).unwrap_or_default();
    Refresh {
        automatic: !subject.only_a_person_can_renew(),
        due: !matches!(decision, Decision::Skip(_)),
        reason: match &decision {
            Decision::Skip(_) => {
                match without_parent(subject).filter(|_| subject.current().is_some()) {
                    Some((why, how)) => format!("{}; {why}: {how}", decision.sentence(moment.now)),
                    None => decision.sentence(moment.now),
                }
            }
            other => format!("{}: {}", other.name(), other.sentence(moment.now)),
        },
        due_at: match decision {
            Decision::Skip(
                Skip::NotDue { due_at }
                | Skip::BackingOff { until: due_at }
                | Skip::TooYoung { eligible: due_at },
            ) => Some(due_at),
            Decision::Skip(_) => None,
            _ => Some(moment.now),
        },
        last_refreshed_at: attempts.last_refreshed_at,
        last_attempt_at: attempts.last_attempt_at,
        consecutive_failures: attempts.consecutive_failures,
    }
}

/// Inspects an access token that is not of the config, and stores nothing.
pub fn inspect_token(
    session: &Session,
    app: &App,
    token: &AccessToken,
) -> Result<StatusReport, CliError> {
    let inspection = inspect(&session.graph(), app, token).map_err(|fault| {
        let exit = Exit::for_problem(&fault.problem);
        CliError::new(exit, fault.problem.kind.as_str(), "Graph", fault.problem.to_string())
    })?;
    let label = Label::parse("given")
        .map_err(|error| CliError::new(Exit::Bug, "bad_label", "given", error.to_string()))?;
    let token_type = TokenType::ALL.iter().copied().find(|it| {
        it.spec().graph_name.is_some_and(|name| Some(name) == inspection.token_type.as_deref())
    });
    let policy = Policy::default();
    let subject = Subject {
        label: &label,
        token_type: token_type.unwrap_or(TokenType::User),
        policy: &policy,
        credential: None,
        parent: None,
        backup: None,
        throttled_until: None,
        naming: Naming::default(),
    };
    let now = session.clock.now();
    let mut judgement: Judgement =
        judge_inspection(&subject, &inspection, &Identity::default(), Moment::at(now));
    for reason in &mut judgement.reasons {
        // It has no label that could be typed in a command.
        reason.labels.clear();
        reason.remedy = Remedy::default();
    }
    let report = TokenReport {
        label: None,
        token_type,
        app: Some(app.name.clone()),
        parent: None,
        backup: None,
        name: None,
        owner: None,
        judgement,
        expiry: inspection.expiry,
        limits: Limits::default(),
        verified_at: Some(now),
        source: VerdictSource::Live,
        missing_scopes: Vec::new(),
        missing_targets: Vec::new(),
        refresh: Refresh { reason: "not stored".to_owned(), ..Refresh::default() },
        problem: inspection.problem.clone(),
        remedy: Remedy::default(),
        fingerprint: None,
        generation: None,
        inspection: Some(inspection),
        deliveries: Vec::new(),
        deadlines: Vec::new(),
        probe: None,
    };
    Ok(StatusReport {
        generated_at: now,
        tokens: vec![report],
        system: Vec::new(),
        dates: Dates::Trusted,
        unheard_apps: Vec::new(),
        unlisted: Vec::new(),
        runs: LastRuns::default(),
    })
}
