//! Keeps the tokens: which there are, what they are called, and what the store knows of each.
//!
//! The config alone says which labels exist. The store gives each a row when it first hears of it
//! and never takes one away, so that a label that leaves the config and comes back finds its
//! access tokens and its history again.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::events::NewEvent;
use super::row::{self, BadCell, Row};
use super::runs::RunId;
use super::tx::{SqlValue, Tx, values};
use super::tx_error::TxError;
use super::{Result, Store, deliveries};
use crate::token::{
    Credential, Damage, Delivery, EventKind, Expiry, Generation, GenerationId, GenerationState,
    Label, Ledger, Proof, Time, TokenId, TokenType,
};

/// A token as the config, or a list of Pages, has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Its label.
    pub label: Label,
    /// The label that it had before.
    pub was: Option<Label>,
    /// Its type.
    pub token_type: TokenType,
    /// The Page that it is for; what the store knows stays where this says nothing.
    pub page_id: Option<String>,
    /// The Page's name, likewise.
    pub name: Option<String>,
}

impl Enrolment {
    /// Whether the store has this token just like that; a damaged row never does.
    pub(super) fn is_enrolled_as(&self, known: &Credential) -> bool {
        let stays = |new: &Option<String>, old: &Option<String>| new.is_none() || new == old;
        known.damage.is_none()
            && self.label == known.label
            && self.token_type == known.token_type
            && stays(&self.page_id, &known.page_id)
            && stays(&self.name, &known.name)
    }
}

/// All tokens that the store ever heard of.
#[derive(Debug, Clone, Default)]
pub struct Stock {
    /// The tokens, by label.
    pub credentials: Vec<Arc<Credential>>,
    /// Damaged rows that cannot be assigned to a token.
    pub strays: Vec<&'static str>,
}

/// What of a token can be damaged, as people are told.
pub mod part {
    pub(in crate::store) use crate::token::IN_USE;
    pub(in crate::store) const CANDIDATE: &str = "access token that waits to be examined";
    pub(in crate::store) const PROOF: &str = "last check";
    pub(in crate::store) const RECORD: &str = "renewal record";
    pub(in crate::store) const DELIVERY: &str = "delivery record";
}

impl Store {
    /// Every token that the store ever heard of, by label, with its current generation, its
    /// candidate and its deliveries.
    pub fn credentials(&self) -> Result<Vec<Arc<Credential>>> {
        Ok(self.stock()?.credentials)
    }

    /// The same, with what belongs to none of them.
    pub fn stock(&self) -> Result<Stock> {
        let own = self.own_run();
        if let Some(known) = self.known.stock(self.changes.count(), own) {
            return Ok(known);
        }
        self.read(move |tx| everything(tx, own))
    }

    /// One token by its label, reading no other's rows; the label that it had before counts while
    /// the new one is not in the store.
    pub fn credential_called(
        &self,
        label: &Label,
        was: Option<&Label>,
    ) -> Result<Option<Credential>> {
        let own = self.own_run();
        let labels: Vec<Label> = std::iter::once(label).chain(was).cloned().collect();
        self.read(move |tx| {
            for label in &labels {
                let Some(token) = find(tx, label)? else { continue };
                let stock = select(tx, own, Some(token))?;
                return Ok(stock.credentials.into_iter().next().map(Arc::unwrap_or_clone));
            }
            Ok(None)
        })
    }

    /// One token, as it is now.
    pub fn credential(&self, token: TokenId) -> Result<Credential> {
        let own = self.own_run();
        let changes = self.changes.count();
        let Some(known) = self.known.credential(token, changes, own) else {
            return self.read(move |tx| credential(tx, own, token));
        };
        debug_assert!(
            without_proofs(self.read(move |tx| credential(tx, own, token))?)
                == without_proofs(known.clone())
                || self.changes.count() != changes,
            "`{}` was changed unnoticed",
            known.label
        );
        Ok(known)
    }

    /// Gives each of these a row, renames what was called otherwise, and updates what changed.
    ///
    /// Returns their ids in the same order. Where all is as it was nothing is written.
    pub fn enrol(&self, enrolments: &[Enrolment]) -> Result<Vec<TokenId>> {
        let known = self.known.enrolled(enrolments, self.changes.count(), self.own_run());
        if let Some(enrolled) = known {
            return Ok(enrolled);
        }
        let enrolments = enrolments.to_vec();
        self.write(move |tx| {
            rename(tx, &enrolments)?;
            enrolments.iter().map(|each| enrol(tx, each)).collect()
        })
    }

    /// Records that the Pages of a parent were listed by one of its generations, which the list has,
    /// and which it no longer has.
    ///
    /// One that is seen again is unlisted and retired no more.
    pub fn note_listing(
        &self,
        parent: Credential,
        listed: GenerationId,
        seen: &[TokenId],
        unseen: &[TokenId],
        now: Time,
    ) -> Result<Credential> {
        let (seen, unseen) = (seen.to_vec(), unseen.to_vec());
        let (noted, ()) = self.change(parent, Some(now), move |tx, parent| {
            tx.execute("UPDATE token SET listed = ?2 WHERE id = ?1", values![parent.id, listed])?;
            for token in seen {
                tx.execute(
                    "UPDATE token SET unlisted_since = NULL, retired_at = NULL WHERE id = ?1
                     AND (unlisted_since IS NOT NULL OR retired_at IS NOT NULL)",
                    values![token],
                )?;
            }
            let now = tx.now();
            for token in unseen {
                tx.execute(
                    "UPDATE token SET unlisted_since = ?2
                     WHERE id = ?1 AND unlisted_since IS NULL",
                    values![token, now],
                )?;
            }
            Ok(())
        })?;
        Ok(noted)
    }

    /// Takes a token out of every verdict; does nothing if it is out already.
    pub fn retire(&self, run: RunId, credential: Credential, now: Time) -> Result<Credential> {
        let (retired, ()) = self.change(credential, Some(now), move |tx, credential| {
            let (token, now) = (credential.id, tx.now());
            let changed = tx.execute(
                "UPDATE token SET retired_at = ?2 WHERE id = ?1 AND retired_at IS NULL",
                values![token, now],
            )?;
            if changed == 1 {
                NewEvent::new(token, EventKind::Retired, now).write(tx, run)?;
            }
            Ok(())
        })?;
        Ok(retired)
    }
}

/// What only a run changes: `status` adds proofs, and what follows from them, at any time.
fn without_proofs(mut known: Credential) -> Credential {
    known.ledger.problem = None;
    for generation in known.current.iter_mut().chain(&mut known.candidate) {
        (generation.proof, generation.expiry) = (None, Expiry::Unknown);
    }
    known
}

/// All that is known of every token.
pub fn everything(tx: &mut dyn Tx, own: RunId) -> Result<Stock, TxError> {
    select(tx, own, None)
}

/// All that is known of one token.
pub fn credential(tx: &mut dyn Tx, own: RunId, token: TokenId) -> Result<Credential, TxError> {
    let found = select(tx, own, Some(token))?;
    let found = found.credentials.into_iter().next().map(Arc::unwrap_or_clone);
    found.ok_or(TxError::Absent("token"))
}

/// Renames one after the other, each as soon as its new label is free; a chain unwinds so.
fn rename(tx: &mut dyn Tx, enrolments: &[Enrolment]) -> Result<(), TxError> {
    let mut open: Vec<(&Label, &Label)> = enrolments
        .iter()
        .filter_map(|each| Some((each.was.as_ref()?, &each.label)))
        .filter(|(was, label)| was != label)
        .collect();
    loop {
        let before = open.len();
        let mut left = Vec::new();
        for (was, label) in open {
            let free = find(tx, label)?.is_none() && find(tx, was)?.is_some();
            if free {
                rename_one(tx, was, label)?;
            } else {
                left.push((was, label));
            }
        }
        if left.len() == before {
            return Ok(());
        }
        open = left;
    }
}

/// Renames a token. A parent's discovered Pages are called after it, and move with it; what people
/// were told of either they are not told again.
fn rename_one(tx: &mut dyn Tx, was: &Label, label: &Label) -> Result<(), TxError> {
    let (was, label) = (was.as_str(), label.as_str());
    let above = format!("{was}/");
    let moving = |table: &str| {
        format!(
            "SELECT DISTINCT label FROM {table}
             WHERE label = ?1 OR substr(label, 1, {}) = ?2",
            above.chars().count()
        )
    };
    for (table, taken) in [
        ("token", "SELECT 1 FROM token t WHERE t.label = ?2"),
        (
            "notice",
            "SELECT 1 FROM notice n WHERE n.channel = notice.channel AND n.label = ?2
             AND n.code = notice.code AND n.about = notice.about",
        ),
    ] {
        let labels = tx.undamaged(&moving(table), values![was, &above], |mut row| {
            Ok(row.text("token.label")?.to_owned())
        })?;
        for old in labels {
            let new = format!("{label}{}", old.strip_prefix(was).unwrap_or_default());
            let sql =
                format!("UPDATE {table} SET label = ?2 WHERE label = ?1 AND NOT EXISTS ({taken})");
            tx.execute(&sql, values![&old, &new])?;
        }
    }
    Ok(())
}

fn find(tx: &mut dyn Tx, label: &Label) -> Result<Option<TokenId>, TxError> {
    tx.first("SELECT id FROM token WHERE label = ?1", values![label.as_str()], |mut row| {
        row.token("token.id")
    })
}

fn enrol(tx: &mut dyn Tx, each: &Enrolment) -> Result<TokenId, TxError> {
    tx.execute(
        "INSERT INTO token (label, type, page_id, name) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (label) DO UPDATE SET
             type = excluded.type,
             page_id = coalesce(excluded.page_id, token.page_id),
             name = coalesce(excluded.name, token.name)
         WHERE token.type <> excluded.type
            OR coalesce(excluded.page_id, token.page_id) IS DISTINCT FROM token.page_id
            OR coalesce(excluded.name, token.name) IS DISTINCT FROM token.name",
        values![
            each.label.as_str(),
            each.token_type.as_str(),
            each.page_id.as_ref(),
            each.name.as_ref()
        ],
    )?;
    find(tx, &each.label)?.ok_or(TxError::Absent("token"))
}

/// Reads one token or all of them: three statements, however many there are.
fn select(tx: &mut dyn Tx, own: RunId, token: Option<TokenId>) -> Result<Stock, TxError> {
    let (mut live, mut places) = live_generations(tx, token)?;
    let mut deliveries = deliveries::all(tx, token)?;
    let which = if token.is_some() { "id = ?2" } else { "TRUE" };
    let sql = format!(
        "SELECT id, label, type, name, page_id, listed, unlisted_since, retired_at,
                last_refreshed_at, last_attempt_at, consecutive_failures, not_before, first_miss_at,
                misses, problem,
                (SELECT max(planned_at) FROM attempt WHERE attempt.token = token.id
                 AND closed_at IS NULL AND run <> ?1) AS planned_at,
                answer_lost_at, exchange_sent_at, exchange_sent
         FROM token WHERE {which} ORDER BY label"
    );
    let parameters: Vec<SqlValue<'_>> =
        std::iter::once(own.into()).chain(token.map(SqlValue::from)).collect();
    let mut stock = Stock { credentials: Vec::with_capacity(places.len()), strays: Vec::new() };
    tx.rows(&sql, &parameters, &mut |row| {
        let id = row.at(0).token("token.id")?;
        let place = places.remove(&id);
        let live = place.map(|place| std::mem::take(&mut live[place])).unwrap_or_default();
        let deliveries = deliveries.remove(&id).unwrap_or_default();
        match row.at(1).label("token.label") {
            Ok(label) => {
                let known = live.with(token_of(row, id, label), deliveries);
                stock.credentials.push(Arc::new(known));
            }
            Err(_) => stock.strays.push("a token whose label cannot be read"),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if !places.is_empty() {
        stock.strays.push("an access token that belongs to no token");
    }
    Ok(stock)
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
        let broken =
            row.at(row::GENERATION_CELLS + 1).maybe_integer("generation.broken_since")?.is_some();
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
        let proof = row.at(row::GENERATION_OWN).proof();
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

/// The state of a generation, if that can be read.
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
        row::GENERATION
    );
    let (mut live, mut places) = (Vec::new(), HashMap::new());
    tx.rows(&sql, token.map(SqlValue::from).as_slice(), &mut |row| {
        let token = row.at(row::GENERATION_CELLS).token("generation.token")?;
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
    let credential = Credential {
        id,
        label,
        ..known.unwrap_or_else(|_| Credential {
            id,
            label: Label::parse("unread").expect("a label"),
            token_type: TokenType::User,
            name: None,
            page_id: None,
            current: None,
            candidate: None,
            ledger: Ledger::default(),
            deliveries: Vec::new(),
            listed: None,
            unlisted_since: None,
            retired_at: None,
            damage: None,
        })
    };
    (credential, intact)
}

fn known(mut row: Row<'_>) -> Result<Credential, BadCell> {
    Ok(Credential {
        id: row.token("token.id")?,
        label: row.label("token.label")?,
        token_type: row.named("token.type", TokenType::from_name)?,
        name: row.prose("token.name")?,
        page_id: row.maybe_text("token.page_id")?.map(str::to_owned),
        listed: row.maybe_generation("token.listed")?,
        current: None,
        candidate: None,
        deliveries: Vec::new(),
        unlisted_since: row.maybe_time("token.unlisted_since")?,
        retired_at: row.maybe_time("token.retired_at")?,
        ledger: Ledger {
            last_refreshed_at: row.maybe_time("token.last_refreshed_at")?,
            last_attempt_at: row.maybe_time("token.last_attempt_at")?,
            consecutive_failures: row.number("token.consecutive_failures")?,
            not_before: row.maybe_time("token.not_before")?,
            first_miss_at: row.maybe_time("token.first_miss_at")?,
            misses: row.number("token.misses")?,
            problem: row.problem("token.problem")?,
            open_attempt_at: row.maybe_time("attempt.planned_at")?,
            answer_lost_at: row.maybe_time("token.answer_lost_at")?,
            sent_exchange: row.sent_exchange(["token.exchange_sent_at", "token.exchange_sent"])?,
        },
        damage: None,
    })
}
