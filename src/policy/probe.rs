//! Decides when a token is asked its probe, and judges the answer.

use chrono::TimeDelta;

use super::checks::{Checks, Step};
use super::renewal::BUDGET;
use super::{Health, Insistence, Moment, Subject, remedy, table};
use crate::token::{
    Action, Credential, Generation, Label, Probe, ProbeAnswer, ProbeGrade, ProbeOrigin,
    ProbeQuestion, Problem,
};

/// Whether the question that the config has for a token is to be asked now: once in `verify_every`, of
/// each access token and each question; at once where a person insists, and where another access token
/// took the place of one that failed.
///
/// Those of Pages that were found begin at different times, or all of them would be asked at once
/// whenever their parent was.
pub fn probe_is_due(
    subject: &Subject<'_>,
    current: &Generation,
    insistence: Insistence,
    moment: Moment,
) -> bool {
    let Some(probe) = &subject.policy.probe else { return false };
    let last = subject.credential.and_then(|credential| credential.probe.as_ref());
    let every = subject.policy.verify_every;
    match last {
        _ if insistence != Insistence::None => true,
        Some(last) if last.answers(&probe.question, current.id) => {
            last.at > moment.now || moment.now - last.at >= every
        }
        Some(last) if last.grade != ProbeGrade::Ok => true,
        _ => moment.now >= current.obtained_at + offset(subject, every),
    }
}

/// Whether so much of the app's calls is used up that no probe is asked.
pub fn probes_stop(used: Option<u64>) -> bool {
    used.is_some_and(|used| used > BUDGET)
}

/// When the first probe of a Page that was found is asked, as long after it was found; that of any
/// other token is asked at once.
fn offset(subject: &Subject<'_>, every: TimeDelta) -> TimeDelta {
    if subject.label.as_discovered().is_none() {
        return TimeDelta::zero();
    }
    // By the label, so that each keeps its place.
    let mixed = subject.label.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |mixed, byte| {
        (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let part = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd) >> 56;
    let part = i32::try_from(part).unwrap_or(0);
    every / 256 * part
}

/// The last answer to the question that the config has for a token, asked by its current access token.
pub fn probe_answer<'a>(subject: &Subject<'a>) -> Option<&'a ProbeAnswer> {
    let question = &subject.policy.probe.as_ref()?.question;
    let current = subject.current()?.id;
    let credential: &Credential = subject.credential?;
    credential.probe.as_ref().filter(|answer| answer.answers(question, current))
}

impl Checks<'_> {
    /// Says of a living token that it does not do what it is for.
    pub fn probed(&mut self) {
        let Some(answer) = probe_answer(self.subject) else { return };
        let severity = match answer.grade {
            ProbeGrade::Ok => return,
            ProbeGrade::Warning => Health::Warning,
            ProbeGrade::Critical => Health::Critical,
        };
        let Some(problem) = &answer.problem else { return };
        let message = self.what_fails(answer);
        let step = Step::new(problem.action, remedy(problem, self.subject));
        self.add("probe_failed", severity, message, step);
        self.quote(problem);
        if let Some(reason) = self.reasons.last_mut() {
            reason.about = Some(answer.question.clone());
        }
    }

    fn what_fails(&self, answer: &ProbeAnswer) -> String {
        let question = self.subject.policy.probe.as_ref().map(|probe| &probe.question);
        match question {
            Some(ProbeQuestion::Page) => {
                let page = self.subject.naming.page_id.unwrap_or_default();
                format!("Page {page} does not answer")
            }
            Some(ProbeQuestion::Whatsapp(id)) if answer.grade == ProbeGrade::Warning => {
                format!("WhatsApp {id} can send only some messages")
            }
            Some(ProbeQuestion::Whatsapp(id)) => format!("WhatsApp {id} cannot send messages"),
            Some(ProbeQuestion::Path(_)) | None => format!("`{}` fails", answer.question),
        }
    }
}

/// What the error of a probe says of the token, with the step against it: what is missing is granted,
/// and anything else is the question's.
pub fn as_probe_problem(
    problem: Problem,
    probe: &Probe,
    label: &Label,
    parent: Option<&Label>,
) -> Problem {
    if problem.action == Action::GrantPermission {
        return problem;
    }
    let given_in = match (probe.origin, parent) {
        (ProbeOrigin::Own, _) | (ProbeOrigin::AllPages | ProbeOrigin::Parent, None) => table(label),
        (ProbeOrigin::AllPages, Some(parent)) => format!("`[token.\"{parent}/*\"]`"),
        (ProbeOrigin::Parent, Some(parent)) => table(parent),
        (ProbeOrigin::Defaults, _) => "`[defaults]`".to_owned(),
    };
    let fix = match &probe.question {
        ProbeQuestion::Page if label.as_discovered().is_some() => {
            "see that the Page is published".to_owned()
        }
        ProbeQuestion::Page => format!(
            "see that the Page is published and that its `page_id` in {} is right",
            table(label)
        ),
        ProbeQuestion::Whatsapp(_) => format!(
            "do what WhatsApp Manager (business.facebook.com) asks for there, or correct `probe` of \
             {given_in}"
        ),
        ProbeQuestion::Path(_) => format!("correct `probe` of {given_in}, or what it asks about"),
    };
    problem.with_action(Action::FixConfiguration).with_fix(fix)
}
