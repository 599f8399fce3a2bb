//! Tokens: which there are, what they are called, and what the store knows of each.
//!
//! The config alone says which labels exist. The store gives each a row when it first hears of it
//! and never takes one away, so that a label that leaves the config and comes back finds its
//! strings and its history again.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql};

use super::columns::{self, Cells};
use super::events::Entry;
use super::fault::Fault;
use super::runs::RunId;
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
    /// Damaged rows of which nobody can say whose they are.
    pub strays: Vec<&'static str>,
}

/// What of a token can be damaged, as people are told.
pub(super) mod part {
    pub(in crate::store) use crate::token::IN_USE;
    pub(in crate::store) const CANDIDATE: &str = "access token that waits to be examined";
    pub(in crate::store) const PROOF: &str = "last check";
    pub(in crate::store) const RECORD: &str = "renewal record";
    pub(in crate::store) const DELIVERY: &str = "delivery record";
}

impl Store {
    /// Every token that the store ever heard of, by label, with its current string, its candidate
    /// and its deliveries.
    pub fn credentials(&self) -> Result<Vec<Arc<Credential>>> {
        Ok(self.stock()?.credentials)
    }

    /// The same, with what belongs to none of them.
    pub fn stock(&self) -> Result<Stock> {
        let own = self.own_run();
        if let Some(known) = self.known.stock(self.changes.count(), own) {
            return Ok(known);
        }
        self.read(move |connection| Ok(everything(connection, own)?))
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
        self.read(move |connection| {
            for label in &labels {
                let Some(token) = find(connection, label)? else { continue };
                let stock = select(connection, own, "id = ?2", "token = ?1", token.0)?;
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
            return self.read_credential(token, own);
        };
        debug_assert!(
            without_proofs(self.read_credential(token, own)?) == without_proofs(known.clone())
                || self.changes.count() != changes,
            "`{}` was changed unnoticed",
            known.label
        );
        Ok(known)
    }

    fn read_credential(&self, token: TokenId, own: RunId) -> Result<Credential> {
        self.read(move |connection| {
            let found = select(connection, own, "id = ?2", "token = ?1", token.0)?;
            let found = found.credentials.into_iter().next().map(Arc::unwrap_or_clone);
            found.ok_or(Fault::Absent("token"))
        })
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
        self.write(move |connection| {
            rename(connection, &enrolments)?;
            enrolments.iter().map(|each| Ok(enrol(connection, each)?)).collect()
        })
    }

    /// Writes down that the Pages of a parent's string were listed, which the list has, and which
    /// it no longer has.
    ///
    /// One that is seen again is unlisted and retired no more.
    pub fn note_listing(
        &self,
        parent: TokenId,
        string: GenerationId,
        seen: &[TokenId],
        unseen: &[TokenId],
        now: Time,
    ) -> Result<()> {
        let (seen, unseen) = (seen.to_vec(), unseen.to_vec());
        self.write(move |connection| {
            connection
                .execute("UPDATE token SET listed = ?2 WHERE id = ?1", (parent.0, string.0))?;
            for token in seen {
                connection.execute(
                    "UPDATE token SET unlisted_since = NULL, retired_at = NULL WHERE id = ?1
                     AND (unlisted_since IS NOT NULL OR retired_at IS NOT NULL)",
                    [token.0],
                )?;
            }
            for token in unseen {
                connection.execute(
                    "UPDATE token SET unlisted_since = ?2
                     WHERE id = ?1 AND unlisted_since IS NULL",
                    (token.0, now.timestamp()),
                )?;
            }
            Ok(())
        })
    }

    /// Takes a token out of every verdict; does nothing if it is out already.
    pub fn retire(&self, run: RunId, token: TokenId, now: Time) -> Result<()> {
        self.write(move |connection| {
            let changed = connection.execute(
                "UPDATE token SET retired_at = ?2 WHERE id = ?1 AND retired_at IS NULL",
                (token.0, now.timestamp()),
            )?;
            if changed == 1 {
                Entry::new(token, EventKind::Retired, now).write(connection, run)?;
            }
            Ok(())
        })
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
pub(super) fn everything(connection: &Connection, own: RunId) -> rusqlite::Result<Stock> {
    select(connection, own, "?2 IS NULL", "?1 IS NULL", None::<i64>)
}

/// Renames one after the other, each as soon as its new label is free; a chain unwinds so.
fn rename(connection: &Connection, enrolments: &[Enrolment]) -> Result<(), Fault> {
    let mut open: Vec<(&Label, &Label)> = enrolments
        .iter()
        .filter_map(|each| Some((each.was.as_ref()?, &each.label)))
        .filter(|(was, label)| was != label)
        .collect();
    loop {
        let before = open.len();
        let mut left = Vec::new();
        for (was, label) in open {
            let free = find(connection, label)?.is_none() && find(connection, was)?.is_some();
            if free {
                rename_one(connection, was, label)?;
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

/// A parent's discovered Pages are called after it, and move with it; what people were told of
/// either they are not told again.
fn rename_one(connection: &Connection, was: &Label, label: &Label) -> rusqlite::Result<()> {
    for table in ["token", "notice"] {
        let sql = format!(
            "UPDATE OR IGNORE {table} SET label = ?2 || substr(label, length(?1) + 1)
             WHERE label = ?1 OR substr(label, 1, length(?1) + 1) = ?1 || '/'"
        );
        connection.execute(&sql, (was.as_str(), label.as_str()))?;
    }
    Ok(())
}

fn find(connection: &Connection, label: &Label) -> rusqlite::Result<Option<TokenId>> {
    connection
        .prepare_cached("SELECT id FROM token WHERE label = ?1")?
        .query_row([label.as_str()], |row| row.get(0).map(TokenId))
        .optional()
}

fn enrol(connection: &Connection, each: &Enrolment) -> rusqlite::Result<TokenId> {
    let row =
        (each.label.as_str(), each.token_type.as_str(), each.page_id.as_ref(), each.name.as_ref());
    connection
        .prepare_cached(
            "INSERT INTO token (label, type, page_id, name) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (label) DO UPDATE SET
                 type = excluded.type,
                 page_id = coalesce(excluded.page_id, page_id),
                 name = coalesce(excluded.name, name)
             WHERE type <> excluded.type
                OR coalesce(excluded.page_id, page_id) IS NOT page_id
                OR coalesce(excluded.name, name) IS NOT name",
        )?
        .execute(row)?;
    find(connection, &each.label)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Three statements, however many tokens there are.
pub(super) fn select(
    connection: &Connection,
    own: RunId,
    which: &str,
    whose: &str,
    parameter: impl ToSql,
) -> rusqlite::Result<Stock> {
    let (mut live, mut places) = live_generations(connection, whose, &parameter)?;
    let mut deliveries = deliveries::all(connection, whose, &parameter)?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, label, type, name, page_id, listed, unlisted_since, retired_at, last_refreshed_at,
                last_attempt_at, consecutive_failures, not_before, first_miss_at, misses, problem,
                (SELECT max(planned_at) FROM attempt
                 WHERE attempt.token = token.id AND closed_at IS NULL AND run <> ?1),
                answer_lost_at
         FROM token WHERE {which} ORDER BY label"
    ))?;
    let mut stock = Stock { credentials: Vec::with_capacity(places.len()), strays: Vec::new() };
    let mut rows = statement.query((own.0, &parameter))?;
    while let Some(row) = rows.next()? {
        let id = TokenId(row.get(0)?);
        let place = places.remove(&id);
        let live = place.map(|place| std::mem::take(&mut live[place])).unwrap_or_default();
        let deliveries = deliveries.remove(&id).unwrap_or_default();
        let Ok(label) = Cells::from(row, 1).label() else {
            stock.strays.push("a token whose label cannot be read");
            continue;
        };
        stock.credentials.push(Arc::new(live.with(credential(row, id, label), deliveries)));
    }
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
    fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let id = GenerationId(row.get(0)?);
        let state = state_of(row);
        let intact = row.get::<_, Option<i64>>(columns::GENERATION_CELLS + 1)?.is_none();
        let found = Cells::of(row).generation_itself().ok().filter(|_| intact);
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

    fn proof(&mut self, row: &Row<'_>) -> Option<Proof> {
        let proof = Cells::from(row, columns::GENERATION_OWN).proof();
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

/// Where a generation stands, if that can be read.
pub(super) fn state_of(row: &Row<'_>) -> Option<GenerationState> {
    row.get::<_, String>(2).ok().and_then(|name| GenerationState::from_name(&name))
}

/// The live generations of these tokens, and where among them those of each token stand.
fn live_generations(
    connection: &Connection,
    whose: &str,
    parameter: &impl ToSql,
) -> rusqlite::Result<(Vec<Live>, HashMap<TokenId, usize>)> {
    let sql = format!(
        "SELECT {}, g.token, g.broken_since
         FROM generation g LEFT JOIN proof p ON p.generation = g.id
         WHERE {whose} AND g.state NOT IN ('previous', 'refused', 'purged')",
        columns::GENERATION
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([parameter])?;
    let (mut live, mut places) = (Vec::new(), HashMap::new());
    while let Some(row) = rows.next()? {
        let token = TokenId(row.get(columns::GENERATION_CELLS)?);
        let place = *places.entry(token).or_insert_with(|| {
            live.push(Live::default());
            live.len() - 1
        });
        live[place].add(row)?;
    }
    Ok((live, places))
}

/// The token's own row, and whether all of it can be read.
fn credential(row: &Row<'_>, id: TokenId, label: Label) -> (Credential, bool) {
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

fn known(row: &Row<'_>) -> rusqlite::Result<Credential> {
    let mut cells = Cells::of(row);
    Ok(Credential {
        id: TokenId(cells.take()?),
        label: cells.label()?,
        token_type: cells.named(TokenType::from_name, "a type")?,
        name: cells.prose()?,
        page_id: cells.take()?,
        listed: cells.take::<Option<i64>>()?.map(GenerationId),
        current: None,
        candidate: None,
        deliveries: Vec::new(),
        unlisted_since: cells.maybe_time()?,
        retired_at: cells.maybe_time()?,
        ledger: Ledger {
            last_refreshed_at: cells.maybe_time()?,
            last_attempt_at: cells.maybe_time()?,
            consecutive_failures: cells.take()?,
            not_before: cells.maybe_time()?,
            first_miss_at: cells.maybe_time()?,
            misses: cells.take()?,
            problem: cells.problem()?,
            open_attempt_at: cells.maybe_time()?,
            answer_lost_at: cells.maybe_time()?,
        },
        damage: None,
    })
}
