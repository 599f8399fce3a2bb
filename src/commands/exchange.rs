//! `exchange`: a person hands over a new string.
//!
//! The string is asked about before anything is stored. A short-lived one is exchanged, and the
//! grant is sealed before anything looks at it; a long-lived one is stored as it is.

use std::path::PathBuf;
use std::time::Duration;

use super::asking::{ask, misfit_behind};
use super::newcomers::{holds, shared};
use super::refresh::{Depth, Due, RefreshOrder, Workshop, exit_for};
use super::roster::{Member, Roster, subject};
use super::status::read_token;
use super::{Session, apps};
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::failpoint;
use crate::graph::{App, Fault};
use crate::policy::{
    Adoption, Incumbent, Insistence, is_short_life, judge_newcomer, remedy, words,
};
use crate::report::{RunReport, TokenResult};
use crate::store::{Arrival, Promotion, Refusal, Setback};
use crate::token::{
    AccessToken, Credential, EventKind, Expiry, Identity, Inspection, Label, Origin, Outcome,
    Pattern, Problem, Proof, TokenId, TokenType, Trigger,
};

/// What was asked for.
#[derive(Debug)]
pub struct ExchangeOrder {
    /// The token.
    pub label: Label,
    /// Where the string is, if not on standard input.
    pub file: Option<PathBuf>,
    /// Whether it is meant.
    pub depth: Depth,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// Reads a new string and makes it the current one, long-lived.
pub fn exchange(session: &Session, order: &ExchangeOrder) -> Result<Exit, Complaint> {
    if order.label.as_discovered().is_none() {
        // Nobody should paste a secret to learn that the label is mistyped.
        Roster::new(&session.config, Vec::new()).select(&[Pattern::new(order.label.as_str())])?;
    }
    let prompt = format!("the new access token for `{}`", order.label);
    let string = read_token(session, order.file.as_deref(), &prompt)?;
    let mut workshop = Workshop::open(session, &as_refresh(order))?;
    let report = workshop.take_stock().and_then(|()| {
        let work = || hand_over(&workshop, order, &string);
        session.interrupt.guard(|| workshop.last_words(), work)
    });
    workshop.conclude(report)
}

fn as_refresh(order: &ExchangeOrder) -> RefreshOrder {
    RefreshOrder {
        patterns: vec![Pattern::new(order.label.as_str())],
        insistence: Insistence::Named,
        which: Due::ShortLived,
        depth: order.depth,
        trigger: Trigger::Manual,
        lock_wait: order.lock_wait,
        command: "exchange",
    }
}

fn hand_over(
    workshop: &Workshop<'_>,
    order: &ExchangeOrder,
    string: &AccessToken,
) -> Result<RunReport, Complaint> {
    let member = workshop.roster.select(&[Pattern::new(order.label.as_str())])?[0].clone();
    let desk = Desk::new(workshop, member)?;
    desk.is_nobody_elses(string)?;
    let app = apps::app(workshop.session, &desk.member.app).map_err(Fault::of_token);
    let app = app.map_err(|fault| desk.fault(&fault))?;
    let inspection = ask(&workshop.graph, &app, string).map_err(|fault| {
        match misfit_behind(&fault, &app.name) {
            Some(problem) => desk.refusal(&problem),
            None => desk.fault(&fault),
        }
    })?;
    let given = Given { string, inspection: &inspection };
    desk.is_fit(&app, &given)?;
    let (outcome, reason) = if desk.wants_exchange(&given) {
        desk.exchange(&app, &given)?
    } else {
        desk.store_as_it_is(&given)?
    };
    Ok(RunReport {
        dry_run: order.depth == Depth::Rehearsal,
        started_at: workshop.started_at,
        finished_at: workshop.now(),
        results: vec![desk.result(outcome, reason)?],
        system: workshop.system(),
    })
}

/// The string that was handed over, and what Graph said of it.
struct Given<'a> {
    string: &'a AccessToken,
    inspection: &'a Inspection,
}

/// The one token that a string is handed over for.
struct Desk<'a> {
    workshop: &'a Workshop<'a>,
    member: Member,
    token: TokenId,
    before: Credential,
}

impl<'a> Desk<'a> {
    fn new(workshop: &'a Workshop<'a>, member: Member) -> Result<Self, Complaint> {
        let token = workshop.token(&member.label)?;
        let before = workshop.store.credential(token)?;
        Ok(Self { workshop, member, token, before })
    }

    fn is_nobody_elses(&self, string: &AccessToken) -> Result<(), Complaint> {
        let fingerprint = self.workshop.store.fingerprint(string)?;
        for sighting in self.workshop.store.sightings(&fingerprint)? {
            if sighting.token != self.token && holds(sighting.state) {
                return Err(shared(&sighting.label, &self.member.label));
            }
        }
        Ok(())
    }

    /// It must be alive, of the configured type, and the same app's, person's and Page's as before.
    fn is_fit(&self, app: &App, given: &Given<'_>) -> Result<(), Complaint> {
        let expected = self.expected(app);
        match judge_newcomer(given.inspection, self.member.token_type, &expected, Incumbent::Gone) {
            Adoption::Take | Adoption::OnlyIfCurrentIsDead(_) => Ok(()),
            Adoption::Wait(problem) | Adoption::Refuse(problem) => Err(self.refusal(&problem)),
        }
    }

    fn expected(&self, app: &App) -> Identity {
        let before = self
            .before
            .current
            .as_ref()
            .and_then(|current| current.proof.as_ref())
            .map(|proof| proof.inspection.identity.clone())
            .unwrap_or_default();
        Identity {
            app_id: Some(app.id.clone()),
            user_id: before.user_id,
            page_id: self.member.page_id.clone().or(before.page_id),
        }
    }

    fn wants_exchange(&self, given: &Given<'_>) -> bool {
        self.member.token_type == TokenType::User
            && is_short_life(given.inspection, self.workshop.now())
    }

    fn exchange(&self, app: &App, given: &Given<'_>) -> Result<(Outcome, String), Complaint> {
        let ends = words::expiry(given.inspection.expiry, self.workshop.now());
        let reason = format!("it was short-lived: it ends {ends}");
        if self.workshop.depth == Depth::Rehearsal {
            return Ok((Outcome::WouldExchange, reason));
        }
        let store = &self.workshop.store;
        self.workshop.plan(&[self.token])?;
        failpoint::reach("before-request");
        let grant = match self.workshop.graph.exchange(app, given.string) {
            Ok(grant) => grant,
            Err(fault) => {
                store.close_attempts(self.token, self.workshop.now())?;
                return Err(self.fault(&fault));
            }
        };
        failpoint::reach("granted");
        self.take(app, &grant.token, grant.expiry, Origin::Exchanged)?;
        Ok((Outcome::Exchanged, reason))
    }

    fn store_as_it_is(&self, given: &Given<'_>) -> Result<(Outcome, String), Complaint> {
        let fingerprint = self.workshop.store.fingerprint(given.string)?;
        if self.before.current.as_ref().is_some_and(|it| it.fingerprint == fingerprint) {
            return Ok((Outcome::Verified, "it is the string in use already".to_owned()));
        }
        let app = apps::app(self.workshop.session, &self.member.app)
            .map_err(|problem| self.fault(&Fault::of_token(problem)))?;
        self.take(&app, given.string, given.inspection.expiry, Origin::Adopted)?;
        let outcome = match self.workshop.depth {
            Depth::Real => Outcome::Adopted,
            Depth::Rehearsal => Outcome::WouldAdopt,
        };
        Ok((outcome, "it is long-lived already".to_owned()))
    }

    /// Seals the string, asks about it, and puts it in the place of the current one unless that
    /// one is alive and better.
    fn take(
        &self,
        app: &App,
        string: &AccessToken,
        expiry: Expiry,
        origin: Origin,
    ) -> Result<(), Complaint> {
        let Workshop { store, run, graph, .. } = self.workshop;
        let arrival =
            Arrival { token: self.token, string: string.clone(), origin, expiry, parent: None };
        let candidate = store.seal_candidate(arrival, self.workshop.now())?;
        let inspection = ask(graph, app, string).map_err(|fault| self.waits(&fault))?;
        let proof = Proof { at: self.workshop.now(), inspection };
        store.note_proof(*run, candidate.id, proof.clone())?;
        let incumbent = self.incumbent(app)?;
        let verdict = judge_newcomer(
            &proof.inspection,
            self.member.token_type,
            &self.expected(app),
            incumbent,
        );
        let event = match origin {
            Origin::Exchanged => EventKind::Exchanged,
            _ => EventKind::Adopted,
        };
        match verdict {
            Adoption::Take => {
                let promotion = Promotion {
                    token: self.token,
                    candidate: candidate.id,
                    supersedes: self.before.current.as_ref().map(|current| current.id),
                    proof: None,
                    event,
                    problem: None,
                };
                store.promote(*run, promotion, self.workshop.now())?;
                Ok(())
            }
            Adoption::OnlyIfCurrentIsDead(problem)
            | Adoption::Wait(problem)
            | Adoption::Refuse(problem) => {
                let refusal = Refusal {
                    token: self.token,
                    candidate: candidate.id,
                    proof: None,
                    setback: Some(Setback {
                        token: self.token,
                        event: EventKind::AdoptionRefused,
                        generation: None,
                        problem: Some(problem.clone()),
                        not_before: None,
                    }),
                };
                store.refuse(*run, refusal, self.workshop.now())?;
                Err(self.refusal(&problem))
            }
        }
    }

    /// The string in use, by Graph's word of now: a person hands over a new one mostly because
    /// the old one has died.
    fn incumbent(&self, app: &App) -> Result<Incumbent, Complaint> {
        let Some(mut current) = self.before.current.clone() else { return Ok(Incumbent::Gone) };
        let Workshop { store, run, graph, .. } = self.workshop;
        let string = store.reveal(current.id)?;
        if let Ok(inspection) = ask(graph, app, &string) {
            let proof = Proof { at: self.workshop.now(), inspection };
            store.note_proof(*run, current.id, proof.clone())?;
            current.proof = Some(proof);
        }
        Ok(Incumbent::of(Some(&current)))
    }

    fn result(&self, outcome: Outcome, reason: String) -> Result<TokenResult, Complaint> {
        let credential = self.workshop.store.credential(self.token)?;
        let current = credential.current.as_ref();
        Ok(TokenResult {
            label: self.member.label.clone(),
            token_type: self.member.token_type,
            outcome,
            reason,
            old_expiry: self.before.current.as_ref().map_or(Expiry::Unknown, |it| it.expiry),
            new_expiry: current.map_or(Expiry::Unknown, |generation| generation.expiry),
            generation: current.map(|generation| generation.number),
            fingerprint: current.map(|generation| generation.fingerprint),
            problem: None,
            remedy: String::new(),
            exit: Exit::Ok,
            standing: self.pages_wait(outcome),
        })
    }

    /// Pages get their strings from the new one by the next `refresh`.
    fn pages_wait(&self, outcome: Outcome) -> Vec<crate::policy::Reason> {
        let label = &self.member.label;
        let lists = !matches!(self.member.pages, crate::config::Pages::None);
        let has_pages = lists || self.workshop.roster.pages_of(label).next().is_some();
        if has_pages && matches!(outcome, Outcome::Exchanged | Outcome::Adopted) {
            self.workshop.session.ui.note(&format!(
                "hint: its Pages get new strings by the next run; now: `metatoken refresh '{label}*'`"
            ));
        }
        Vec::new()
    }

    fn refusal(&self, problem: &Problem) -> Complaint {
        let subject = subject(&self.member, Some(&self.before), None);
        let complaint = Complaint::new(
            Exit::InputRefused,
            problem.kind.as_str(),
            self.member.label.as_str(),
            format!("the string is refused: {problem}"),
        );
        let complaint = match remedy(problem, &subject) {
            remedy if remedy.is_empty() => complaint,
            remedy => complaint.hint(remedy),
        };
        self.untouched(complaint)
    }

    fn fault(&self, fault: &Fault) -> Complaint {
        let subject = subject(&self.member, Some(&self.before), None);
        let complaint = Complaint::new(
            exit_for(&fault.problem),
            fault.problem.kind.as_str(),
            self.member.label.as_str(),
            fault.problem.to_string(),
        );
        // No run will try again for the person what was never stored.
        self.untouched(if fault.problem.action.needs_a_person() {
            complaint.hint(remedy(&fault.problem, &subject))
        } else {
            complaint.hint("nothing was stored: paste the string again later")
        })
    }

    fn untouched(&self, complaint: Complaint) -> Complaint {
        if self.before.current.is_some() {
            complaint.hint("the string in use is untouched")
        } else {
            complaint
        }
    }

    /// The new string is sealed; only its examination is owed.
    fn waits(&self, fault: &Fault) -> Complaint {
        Complaint::new(
            exit_for(&fault.problem),
            fault.problem.kind.as_str(),
            self.member.label.as_str(),
            format!("the new string is sealed, but not examined yet: {}", fault.problem),
        )
        .hint(format!("run `metatoken refresh {}`", self.member.label))
    }
}
