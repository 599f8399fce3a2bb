//! Keeps what a rotation leaves behind: the place that a new access token came from, and the older
//! access token that lives on beside it.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::columns;
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{SqlValue, values};
use super::{Result, Store};
use crate::token::{
    EventKind, GenerationId, Problem, RotatedGeneration, SourceValue, Time, TokenId,
};

/// An access token that was adopted from a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptionFrom {
    /// The token.
    pub token: TokenId,
    /// The place that it was found in.
    pub place: String,
    /// When.
    pub at: Time,
}

impl Store {
    /// Records what the places hold that the config names, all in one commit; `None` where a place
    /// is empty now.
    pub fn note_sources(&self, sources: &[(TokenId, Option<SourceValue>)]) -> Result<()> {
        let sources = sources.to_vec();
        self.write(move |tx| {
            for (token, source) in &sources {
                note_source(tx, *token, source.as_ref())?;
            }
            Ok(())
        })
    }

    /// Records in which target an access token was found that was just adopted.
    pub fn note_adopted_from(
        &self,
        token: TokenId,
        generation: GenerationId,
        target: &str,
    ) -> Result<()> {
        let target = target.to_owned();
        self.write(move |tx| {
            tx.execute(
                "UPDATE event SET place = ?3 WHERE token = ?1 AND generation = ?2 AND kind = ?4
                     AND place IS NULL",
                values![token, generation, &target, EventKind::Adopted.as_str()],
            )
        })
    }

    /// Returns what was adopted since then and from where, by token, place and time.
    pub fn adoptions_since(&self, since: Time) -> Result<Vec<AdoptionFrom>> {
        self.read(move |tx| {
            tx.undamaged(
                "SELECT token, place, at FROM event
                 WHERE at >= ?1 AND kind = ?2 AND place IS NOT NULL AND token IS NOT NULL
                 ORDER BY token, place, at, id",
                values![since, EventKind::Adopted.as_str()],
                |mut row| {
                    Ok(AdoptionFrom {
                        token: row.token("event.token")?,
                        place: row.text("event.place")?.to_owned(),
                        at: row.time("event.at")?,
                    })
                },
            )
        })
    }
}

fn note_source(
    tx: &mut dyn Tx,
    token: TokenId,
    source: Option<&SourceValue>,
) -> Result<(), TxError> {
    let refused = columns::problem(source.and_then(|source| source.refused.as_ref()));
    tx.execute(
        "UPDATE token SET source = ?2, source_value = ?3, source_changed = ?4, source_refused = ?5,
             source_line = ?6
         WHERE id = ?1",
        values![
            token,
            source.map(|it| it.place.as_str()),
            source.map(|it| it.fingerprint.as_bytes()),
            source.map(|it| it.has_changed),
            refused.as_deref(),
            source.and_then(|it| it.line),
        ],
    )
}

/// Records why what the config's place holds is refused, or that it is not, if it is this generation
/// or the one that this was exchanged for; in the caller's transaction.
pub fn refuse_source(
    tx: &mut dyn Tx,
    token: TokenId,
    generation: GenerationId,
    problem: Option<&Problem>,
) -> Result<(), TxError> {
    let problem = columns::problem(problem);
    tx.execute(
        "UPDATE token SET source_refused = ?3 WHERE id = ?1
         AND source_value IN (SELECT fingerprint FROM generation
             WHERE id = ?2 OR id = (SELECT parent FROM generation WHERE id = ?2))",
        values![token, generation, problem.as_deref()],
    )
}

/// Records that what was just promoted is what the config's place holds, if it is: it is refused no
/// longer, and if it was adopted the event names the place. In the caller's transaction.
pub fn note_place(
    tx: &mut dyn Tx,
    token: TokenId,
    generation: GenerationId,
) -> Result<(), TxError> {
    refuse_source(tx, token, generation, None)?;
    tx.execute(
        "UPDATE event SET place = (SELECT source FROM token WHERE id = ?1)
         WHERE id = (SELECT max(id) FROM event WHERE token = ?1) AND kind = ?3
         AND (SELECT source_value FROM token WHERE id = ?1)
             = (SELECT fingerprint FROM generation WHERE id = ?2)",
        values![token, generation, EventKind::Adopted.as_str()],
    )
}

/// Returns the older access tokens that a person's rotations left alive, by token, the oldest first.
/// What cannot be read is left out: nothing hangs on it.
pub fn all(
    tx: &mut dyn Tx,
    token: Option<TokenId>,
) -> Result<HashMap<TokenId, Vec<RotatedGeneration>>, TxError> {
    let whose = if token.is_some() { "g.token = ?1" } else { "TRUE" };
    let token = token.map(SqlValue::from);
    let mut all: HashMap<TokenId, Vec<RotatedGeneration>> = HashMap::new();
    // Most stores have none, and to prepare the long statement takes longer than to run it.
    let any =
        format!("SELECT 1 FROM generation g WHERE g.rotated_at IS NOT NULL AND {whose} LIMIT 1");
    if !tx.has_row(&any, token.as_slice())? {
        return Ok(all);
    }
    let sql = format!(
        "SELECT {}, g.token, g.rotated_at
         FROM generation g LEFT JOIN proof p ON p.generation = g.id
         WHERE g.rotated_at IS NOT NULL AND {whose} AND g.state IN ('previous', 'refused')
         ORDER BY g.number",
        columns::GENERATION
    );
    tx.rows(&sql, token.as_slice(), &mut |row| {
        let mut rest = row.at(columns::GENERATION_CELLS);
        let found = row.at(0).generation().and_then(|generation| {
            let token = rest.token("generation.token")?;
            let since = rest.time("generation.rotated_at")?;
            Ok((token, RotatedGeneration { generation, since }))
        });
        if let Ok((token, rotated)) = found
            && rotated.generation.verdict() != Some(false)
        {
            all.entry(token).or_default().push(rotated);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(all)
}
