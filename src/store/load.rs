//! Reads what the store knows of its tokens, as far as their rows can be read.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::columns;
use super::known::StoredTokens;
use super::row::{BadCell, Row};
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, SqlValue};
use super::{deliveries, earlier, rotations};
use crate::token::{
    Attempts, Credential, Damage, Delivery, Generation, GenerationId, GenerationState, Label,
    MintingAttempts, Proof, TokenId, TokenType,
};

/// What of a token can be damaged, as people are told.
pub mod part {
    pub(in crate::store) use crate::token::IN_USE;
    pub(in crate::store) const CANDIDATE: &str = "access token that waits to be examined";
    pub(in crate::store) const PROOF: &str = "last check";
    pub(in crate::store) const RECORD: &str = "renewal record";
    pub(in crate::store) const DELIVERY: &str = "delivery record";
}

/// Returns all that is known of every token.
pub fn everything(tx: &mut dyn Tx, own: RunId) -> Result<StoredTokens, TxError> {
    select(tx, own, None)
}

/// Returns all that is known of one token.
pub fn credential(tx: &mut dyn Tx, own: RunId, token: TokenId) -> Result<Credential, TxError> {
    let found = select(tx, own, Some(token))?;
    let found = found.credentials.into_iter().next().map(Arc::unwrap_or_clone);
    found.ok_or(TxError::Absent("token"))
}

/// Reads one token or all of them: five statements, however many there are, and one more for each
/// whose access token is dead or missing.
fn select(tx: &mut dyn Tx, own: RunId, token: Option<TokenId>) -> Result<StoredTokens, TxError> {
    let (mut live, mut places) = live_generations(tx, token)?;
    let mut deliveries = deliveries::all(tx, token)?;
    let mut rotated = rotations::all(tx, token)?;
    let mut barred = earlier::barred(tx, token)?;
    let which = if token.is_some() { "id = ?2" } else { "TRUE" };
    let sql = format!(
        "SELECT id, label, type, name, page_id, listed, unlisted_since, retired_at,
                last_refreshed_at, last_attempt_at, consecutive_failures, not_before, first_miss_at,
                misses, problem,
                (SELECT kind FROM attempt WHERE attempt.token = token.id AND closed_at IS NULL
                 AND run <> ?1 ORDER BY planned_at DESC LIMIT 1) AS kind,
                (SELECT max(planned_at) FROM attempt WHERE attempt.token = token.id
                 AND closed_at IS NULL AND run <> ?1) AS planned_at,
                answer_lost_at, failed_with, list_not_before, ask_not_before, exchange_sent_at,
                exchange_sent, exchanged, shared_with, shared_with_declared, refused_by,
                mint_sent_at, mint_tried_at, mint_tries, undeclared_since, undeclared_with_many,
                source, source_value, source_changed, source_refused, source_line, owner, app,
                probe_at, probe_question, probe_generation, probe_grade, probe_problem, import
         FROM token WHERE {which} ORDER BY label"
    );
    let parameters: Vec<SqlValue<'_>> =
        std::iter::once(own.into()).chain(token.map(SqlValue::from)).collect();
    let mut stored =
        StoredTokens { credentials: Vec::with_capacity(places.len()), strays: Vec::new() };
    tx.rows(&sql, &parameters, &mut |row| {
        let id = row.at(0).token("token.id")?;
        let place = places.remove(&id);
        let live = place.map(|place| std::mem::take(&mut live[place])).unwrap_or_default();
        let deliveries = deliveries.remove(&id).unwrap_or_default();
        match row.at(1).label("token.label") {
            Ok(label) => {
                let known = live.with(token_of(row, id, label), deliveries);
                let rotated = rotated.remove(&id).unwrap_or_default();
                let barred = barred.remove(&id).unwrap_or_default();
                stored.credentials.push(Arc::new(Credential { rotated, barred, ..known }));
            }
            Err(_) => stored.strays.push("a token whose label cannot be read"),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    for credential in stored.credentials.iter_mut().filter_map(Arc::get_mut) {
        credential.given_to = earlier::given_to(tx, credential)?;
        credential.fallback = earlier::fallback(tx, credential)?.map(Box::new);
    }
    if !places.is_empty() {
        stored.strays.push("an access token that belongs to no token");
    }
    Ok(stored)
}

/// The live generations of one token, as far as they can be read.
#[derive(Default)]
struct Live {
    current: Option<Generation>,
    candidate: Option<Generation>,
    in_place: Option<GenerationId>,
    parts: Vec<&'static str>,
}

impl Live {
    fn add(&mut self, row: Row<'_>) -> Result<(), BadCell> {
        let id = GenerationId(row.at(0).integer("generation.id")?);
        let state = state_of(row);
        let broken = row
            .at(columns::GENERATION_CELLS + 1)
            .maybe_integer("generation.broken_since")?
            .is_some();
        let found = row.at(0).generation_itself().ok().filter(|_| !broken);
        let found = found.map(|generation| Generation { proof: self.proof(row), ..generation });
        match (state, found) {
            (Some(GenerationState::Candidate), Some(generation)) => {
                self.candidate = Some(generation);
            }
            (Some(GenerationState::Candidate), None) => self.parts.push(part::CANDIDATE),
            (Some(_), Some(generation)) => self.current = Some(generation),
            (_, _) => {
                self.parts.push(part::IN_USE);
                self.in_place.get_or_insert(id);
            }
        }
        Ok(())
    }

    fn proof(&mut self, row: Row<'_>) -> Option<Proof> {
        let proof = row.at(columns::GENERATION_OWN).proof();
        if proof.is_err() {
            self.parts.push(part::PROOF);
        }
        proof.ok().flatten()
    }

    /// The credential with these generations and deliveries.
    fn with(
        mut self,
        (mut credential, intact): (Credential, bool),
        deliveries: Vec<Option<Delivery>>,
    ) -> Credential {
        if !intact {
            self.parts.push(part::RECORD);
        }
        if deliveries.iter().any(Option::is_none) {
            self.parts.push(part::DELIVERY);
        }
        self.parts.dedup();
        credential.deliveries = deliveries.into_iter().flatten().collect();
        credential.damage = (!self.parts.is_empty()).then(|| Damage {
            in_place: self.in_place.filter(|_| self.current.is_none()),
            parts: self.parts,
        });
        credential.current = self.current;
        credential.candidate = self.candidate;
        credential.blame_the_lost_answer();
        credential
    }
}

/// Returns the state of a generation, if that can be read.
pub fn state_of(row: Row<'_>) -> Option<GenerationState> {
    row.at(2).named("generation.state", GenerationState::from_name).ok()
}

/// The live generations of these tokens, and where among them those of each token stand.
fn live_generations(
    tx: &mut dyn Tx,
    token: Option<TokenId>,
) -> Result<(Vec<Live>, HashMap<TokenId, usize>), TxError> {
    let whose = if token.is_some() { "g.token = ?1" } else { "TRUE" };
    let sql = format!(
        "SELECT {}, g.token, g.broken_since
         FROM generation g LEFT JOIN proof p ON p.generation = g.id
         WHERE {whose} AND g.state NOT IN ('previous', 'refused', 'purged')",
        columns::GENERATION
    );
    let (mut live, mut places) = (Vec::new(), HashMap::new());
    tx.rows(&sql, token.map(SqlValue::from).as_slice(), &mut |row| {
        let token = row.at(columns::GENERATION_CELLS).token("generation.token")?;
        let place = *places.entry(token).or_insert_with(|| {
            live.push(Live::default());
            live.len() - 1
        });
        live[place].add(row)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((live, places))
}

/// The token's own row, and whether all of it can be read.
fn token_of(row: Row<'_>, id: TokenId, label: Label) -> (Credential, bool) {
    let known = known(row);
    let intact = known.is_ok();
    let of_a_new = |_| Credential::of_a_new(label.clone(), TokenType::User);
    let credential = known.unwrap_or_else(of_a_new);
    (Credential { id, label, ..credential }, intact)
}

fn known(mut row: Row<'_>) -> Result<Credential, BadCell> {
    let id = row.token("token.id")?;
    let label = row.label("token.label")?;
    let token_type = row.named("token.type", TokenType::from_name)?;
    Ok(Credential {
        id,
        name: row.prose("token.name")?,
        page_id: row.maybe_text("token.page_id")?.map(str::to_owned),
        listed: row.maybe_generation("token.listed")?,
        unlisted_since: row.maybe_time("token.unlisted_since")?,
        retired_at: row.maybe_time("token.retired_at")?,
        attempts: Attempts {
            last_refreshed_at: row.maybe_time("token.last_refreshed_at")?,
            last_attempt_at: row.maybe_time("token.last_attempt_at")?,
            consecutive_failures: row.number("token.consecutive_failures")?,
            not_before: row.maybe_time("token.not_before")?,
            first_miss_at: row.maybe_time("token.first_miss_at")?,
            misses: row.number("token.misses")?,
            problem: row.problem("token.problem")?,
            open_attempt: row.maybe_attempt(["attempt.kind", "attempt.planned_at"])?,
            answer_lost_at: row.maybe_time("token.answer_lost_at")?,
            failed_with: row.maybe_fingerprint("token.failed_with")?,
            list_not_before: row.maybe_time("token.list_not_before")?,
            ask_not_before: row.maybe_time("token.ask_not_before")?,
            sent_exchange: row.sent_exchange(["token.exchange_sent_at", "token.exchange_sent"])?,
            exchanged: row.maybe_fingerprint("token.exchanged")?,
            shared: row.shared_token(["token.shared_with", "token.shared_with_declared"])?,
            refused_by: row.maybe_generation("token.refused_by")?,
            minting: MintingAttempts {
                sent_at: row.maybe_time("token.mint_sent_at")?,
                tried_at: row.maybe_time("token.mint_tried_at")?,
                tries: row.maybe_number("token.mint_tries")?.unwrap_or_default(),
            },
        },
        undeclared: row.undeclared(["token.undeclared_since", "token.undeclared_with_many"])?,
        source: row.source_value()?,
        owner: row.prose("token.owner")?,
        app: row.prose("token.app")?,
        probe: row.probe_answer()?,
        import: row.maybe_text("token.import")?.map(str::to_owned),
        ..Credential::of_a_new(label, token_type)
    })
}
