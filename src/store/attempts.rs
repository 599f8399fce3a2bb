//! Records the attempts to keep a token alive, and how often they failed.
//!
//! An attempt is recorded before its first request. If the process dies between Meta's answer and
//! our disk, the open attempt says that there may have been a grant.

use super::columns;
use super::events::NewEvent;
use super::row::{BadCell, Row};
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, values};
use super::{Result, Store};
use crate::failpoint;
use crate::token::{
    AttemptKind, Credential, EventKind, Expiry, Fingerprint, GenerationId, Label, OpenAttempt,
    ProbeAnswer, ProbeGrade, Problem, SharedToken, Time, TokenId,
};

/// An attempt that did not bring what it was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setback {
    /// What the history calls it; a `not_extended` is a miss, a `refresh_failed` a failure, and
    /// others leave the counts alone. Nothing where nothing failed, and the token only waits.
    pub event: Option<EventKind>,
    /// The generation concerned, where there is one.
    pub generation: Option<GenerationId>,
    /// What was wrong.
    pub problem: Option<Problem>,
    /// No new attempt before this.
    pub not_before: Option<Time>,
    /// The parent's generation that it was tried with, where a Page was to be derived.
    pub refused_by: Option<GenerationId>,
}

/// An attempt that a run left open because it was cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    /// The token whose grant may be lost.
    pub token: TokenId,
    /// Its label.
    pub label: Label,
    /// The run that was cut short.
    pub run: RunId,
    /// What was asked for, and when.
    pub attempt: OpenAttempt,
}

impl Store {
    /// Records renewals before their first request, all in one commit; does nothing for those that
    /// the run has recorded already. What is known of these tokens is read after it.
    pub fn plan_attempts(&self, run: RunId, tokens: &[TokenId], now: Time) -> Result<()> {
        let tokens = tokens.to_vec();
        self.write_at(now, move |tx| plan(tx, run, &tokens, AttemptKind::Renewal))?;
        failpoint::reach("planned");
        Ok(())
    }

    /// Records what Meta is asked for one token before the first request, if the run has not yet.
    pub fn plan_attempt(
        &self,
        run: RunId,
        credential: Credential,
        kind: AttemptKind,
        now: Time,
    ) -> Result<Credential> {
        let planned = self.change(credential, Some(now), move |tx, credential| {
            plan(tx, run, &[credential.id], kind)
        })?;
        failpoint::reach("planned");
        Ok(planned)
    }

    /// Returns the attempts that earlier runs left open, oldest first.
    pub fn interrupted_attempts(&self) -> Result<Vec<Interrupted>> {
        let own = self.own_run();
        self.read(move |tx| {
            tx.undamaged(
                "SELECT a.token, t.label, a.run, a.kind, a.planned_at
                 FROM attempt a JOIN token t ON t.id = a.token
                 WHERE a.closed_at IS NULL AND a.run <> ?1 ORDER BY a.id",
                values![own],
                interrupted,
            )
        })
    }

    /// Records what prevents inspecting or renewing a token; nothing that stood before is kept. No
    /// event: nothing happened to the token.
    pub fn note_trouble(
        &self,
        credential: Credential,
        problem: Option<&Problem>,
    ) -> Result<Credential> {
        let problem = columns::problem(problem);
        self.change(credential, None, move |tx, credential| {
            tx.execute(
                "UPDATE token SET problem = ?2 WHERE id = ?1 AND problem IS DISTINCT FROM ?2",
                values![credential.id, problem.as_deref()],
            )
        })
    }

    /// Records the answer to a token's probe. It is an event when the token fails it that did not before,
    /// or for another reason.
    pub fn note_probe(
        &self,
        run: RunId,
        credential: Credential,
        answer: ProbeAnswer,
    ) -> Result<Credential> {
        self.change(credential, Some(answer.at), move |tx, credential| {
            let problem = columns::problem(answer.problem.as_ref());
            tx.execute(
                "UPDATE token SET probe_at = ?2, probe_question = ?3, probe_generation = ?4,
                     probe_grade = ?5, probe_problem = ?6
                 WHERE id = ?1",
                values![
                    credential.id,
                    answer.at,
                    answer.question.as_str(),
                    answer.generation,
                    answer.grade.as_str(),
                    problem.as_deref()
                ],
            )?;
            let in_short =
                |it: &ProbeAnswer| (it.grade, it.problem.as_ref().map(Problem::in_short));
            let before = credential.probe.as_ref().filter(|it| it.question == answer.question);
            if answer.grade == ProbeGrade::Ok || before.map(in_short) == Some(in_short(&answer)) {
                return Ok(());
            }
            NewEvent::new(credential.id, EventKind::ProbeFailed, answer.at)
                .of(Some(answer.generation))
                .because(answer.problem.as_ref())
                .write(tx, run)
        })
    }

    /// Forgets what prevented a renewal, and the pause that followed on it: it is over.
    pub fn forget_trouble(&self, credential: Credential) -> Result<Credential> {
        self.change(credential, None, move |tx, credential| {
            tx.execute(
                "UPDATE token SET problem = NULL, not_before = NULL WHERE id = ?1",
                values![credential.id],
            )
        })
    }

    /// Lets the next attempt be made at once; what the last one ran into stands until then.
    pub fn end_pause(&self, credential: Credential) -> Result<Credential> {
        self.change(credential, None, move |tx, credential| {
            tx.execute("UPDATE token SET not_before = NULL WHERE id = ?1", values![credential.id])
        })
    }

    /// Records with which id and secret of the app an attempt failed.
    pub fn note_failed_with(
        &self,
        credential: Credential,
        app: Option<Fingerprint>,
    ) -> Result<Credential> {
        self.change(credential, None, move |tx, credential| {
            tx.execute(
                "UPDATE token SET failed_with = ?2 WHERE id = ?1",
                values![credential.id, app.as_ref().map(Fingerprint::as_bytes)],
            )
        })
    }

    /// Records that a renewal was sent at that time and that its answer never came.
    pub fn note_lost_answer(&self, credential: Credential, sent_at: Time) -> Result<Credential> {
        self.change(credential, None, move |tx, credential| {
            tx.execute(
                "UPDATE token SET answer_lost_at = ?2 WHERE id = ?1",
                values![credential.id, sent_at],
            )
        })
    }

    /// Names in the history the attempts that earlier runs did not live to end, and closes them.
    pub fn note_interrupted(
        &self,
        run: RunId,
        credential: Credential,
        now: Time,
    ) -> Result<Credential> {
        self.change(credential, Some(now), move |tx, credential| {
            let problem = columns::problem(credential.cut_short().as_ref());
            close(tx, run, credential.id)?;
            tx.execute(
                "UPDATE token SET consecutive_failures = consecutive_failures + 1, problem = ?2,
                     not_before = NULL, refused_by = NULL WHERE id = ?1",
                values![credential.id, problem.as_deref()],
            )
        })
    }

    /// Records which token has the access token that the config names for this one; `None` if no
    /// other has it.
    pub fn note_shared(
        &self,
        credential: Credential,
        shared: Option<SharedToken>,
    ) -> Result<Credential> {
        self.change(credential, None, move |tx, credential| {
            let with = shared.as_ref().map(|shared| shared.with.as_str());
            let is_declared = shared.as_ref().map(|shared| i64::from(shared.is_declared));
            tx.execute(
                "UPDATE token SET shared_with = ?2, shared_with_declared = ?3 WHERE id = ?1",
                values![credential.id, with, is_declared],
            )
        })
    }

    /// Closes a token's open attempts without an outcome: what was asked for was refused.
    pub fn close_attempts(
        &self,
        run: RunId,
        credential: Credential,
        now: Time,
    ) -> Result<Credential> {
        self.change(credential, Some(now), move |tx, credential| close(tx, run, credential.id))
    }

    /// Records an attempt that failed, and closes it.
    pub fn note_setback(
        &self,
        run: RunId,
        credential: Credential,
        setback: Setback,
        now: Time,
    ) -> Result<Credential> {
        self.change(credential, Some(now), move |tx, credential| {
            setback.write(tx, run, credential.id)
        })
    }
}

/// Records attempts for tokens that the run has none open for yet.
pub fn plan(
    tx: &mut dyn Tx,
    run: RunId,
    tokens: &[TokenId],
    kind: AttemptKind,
) -> Result<(), TxError> {
    let now = tx.now();
    for token in tokens {
        // The sign keeps the index of runs out of it: that would read all that the run planned.
        let planned = tx.execute_counted(
            "INSERT INTO attempt (run, token, planned_at, kind) SELECT ?1, ?2, ?3, ?4
             WHERE NOT EXISTS (SELECT 1 FROM attempt
                               WHERE token = ?2 AND closed_at IS NULL AND +run = ?1)",
            values![run, *token, now, kind.as_str()],
        )?;
        if planned > 0 {
            tx.execute(
                "UPDATE token SET last_attempt_at = ?2 WHERE id = ?1",
                values![*token, now],
            )?;
        }
    }
    Ok(())
}

fn interrupted(mut row: Row<'_>) -> Result<Interrupted, BadCell> {
    Ok(Interrupted {
        token: row.token("attempt.token")?,
        label: row.label("token.label")?,
        run: RunId(row.integer("attempt.run")?),
        attempt: row.attempt(["attempt.kind", "attempt.planned_at"])?,
    })
}

impl Setback {
    /// Writes event, counts and attempt, in the caller's transaction.
    pub(super) fn write(&self, tx: &mut dyn Tx, run: RunId, token: TokenId) -> Result<(), TxError> {
        let problem = self.problem.as_ref();
        if let Some(event) = self.event {
            let expiry = expiry_in_use(tx, token)?;
            NewEvent::new(token, event, tx.now())
                .of(self.generation)
                .expiring(expiry)
                .because(problem)
                .write(tx, run)?;
        }
        let problem = columns::problem(problem);
        let (problem, now) = (problem.as_deref(), tx.now());
        match self.event {
            Some(EventKind::RefreshFailed) => tx.execute(
                "UPDATE token SET consecutive_failures = consecutive_failures + 1,
                     problem = ?2, not_before = ?3, refused_by = ?4 WHERE id = ?1",
                values![token, problem, self.not_before, self.refused_by],
            )?,
            Some(EventKind::NotExtended) => tx.execute(
                "UPDATE token SET misses = misses + 1, first_miss_at = coalesce(first_miss_at, ?2),
                     problem = ?3, not_before = ?4, refused_by = ?5 WHERE id = ?1",
                values![token, now, problem, self.not_before, self.refused_by],
            )?,
            // Without a current access token, why there is none is all that can be said.
            Some(EventKind::AdoptionRefused) => tx.execute(
                "UPDATE token SET problem = ?2 WHERE id = ?1 AND NOT EXISTS
                     (SELECT 1 FROM generation WHERE token = ?1 AND state = 'current')",
                values![token, problem],
            )?,
            None => tx.execute(
                "UPDATE token SET problem = ?2, not_before = ?3 WHERE id = ?1",
                values![token, problem, self.not_before],
            )?,
            Some(_) => {}
        }
        close(tx, run, token)
    }
}

/// When the access token in use expires, as far as that can be read.
fn expiry_in_use(tx: &mut dyn Tx, token: TokenId) -> Result<Option<Expiry>, TxError> {
    let expiry = tx.first(
        "SELECT expiry, expires_at FROM generation WHERE token = ?1 AND state = 'current'",
        values![token],
        |mut row| {
            Ok(row.maybe_expiry(["generation.expiry", "generation.expires_at"]).ok().flatten())
        },
    )?;
    Ok(expiry.flatten())
}

/// Names in the history what Meta may have granted, and no run has seen.
pub fn name_lost(
    tx: &mut dyn Tx,
    run: RunId,
    token: TokenId,
    problem: &Problem,
) -> Result<(), TxError> {
    let expiry = expiry_in_use(tx, token)?;
    NewEvent::new(token, EventKind::RefreshFailed, tx.now())
        .expiring(expiry)
        .because(Some(problem))
        .write(tx, run)
}

/// Records a new access token or a later expiry: the trouble is over, and the attempt with it.
pub fn succeed(tx: &mut dyn Tx, run: RunId, token: TokenId) -> Result<(), TxError> {
    tx.change(
        "token",
        "UPDATE token SET consecutive_failures = 0, not_before = NULL, first_miss_at = NULL,
             misses = 0, problem = NULL, answer_lost_at = NULL, refused_by = NULL,
             mint_sent_at = NULL, mint_tries = NULL WHERE id = ?1",
        values![token],
    )?;
    close(tx, run, token)
}

/// Records that Meta has renewed a token.
pub fn note_renewed(tx: &mut dyn Tx, token: TokenId) -> Result<(), TxError> {
    let now = tx.now();
    tx.execute("UPDATE token SET last_refreshed_at = ?2 WHERE id = ?1", values![token, now])
}

/// Closes a token's attempts. Those of runs that were cut short are named in the history: what Meta
/// may have granted them is lost.
pub fn close(tx: &mut dyn Tx, run: RunId, token: TokenId) -> Result<(), TxError> {
    let interrupted = tx.undamaged(
        "SELECT kind, planned_at FROM attempt
         WHERE token = ?1 AND closed_at IS NULL AND +run <> ?2 ORDER BY id",
        values![token, run],
        |mut row| row.attempt(["attempt.kind", "attempt.planned_at"]),
    )?;
    for attempt in interrupted {
        name_lost(tx, run, token, &attempt.problem())?;
    }
    let now = tx.now();
    tx.execute(
        "UPDATE attempt SET closed_at = ?2 WHERE token = ?1 AND closed_at IS NULL",
        values![token, now],
    )
}
