//! Forgets a token: its access tokens are wiped, its history stays.

use std::ffi::OsStr;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::events::NewEvent;
use super::row::{BadCell, Row};
use super::value::{RunId, values};
use super::{Result, Store};
use crate::token::{Credential, EventKind, TargetId, Time, TokenId};

/// Where a file target was when it was last served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetPlace {
    /// The token.
    pub token: TokenId,
    /// The target.
    pub target: TargetId,
    /// Its file.
    pub path: PathBuf,
    /// How the file is written, by its name.
    pub format: String,
    /// The key of the value in it.
    pub key: Option<String>,
    /// The document that is meant, where the file has several.
    pub document: Option<NonZeroUsize>,
    /// Whether it is written in place.
    pub in_place: bool,
}

impl Store {
    /// Returns where the file targets of a token, or of all, were when they were last served.
    pub fn places(&self, token: Option<TokenId>) -> Result<Vec<TargetPlace>> {
        self.read(move |tx| {
            let whose = if token.is_some() { "token = ?1" } else { "TRUE" };
            let sql = format!(
                "SELECT token, target, path, format, key, document, in_place FROM place
                 WHERE {whose} ORDER BY token, target"
            );
            match token {
                Some(token) => tx.undamaged(&sql, values![token], place),
                None => tx.undamaged(&sql, &[], place),
            }
        })
    }

    /// Records where file targets are.
    pub fn note_places(&self, places: &[TargetPlace]) -> Result<()> {
        let places = places.to_vec();
        self.write(move |tx| {
            for place in places {
                tx.execute(
                    "INSERT INTO place (token, target, path, format, key, document, in_place)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                     ON CONFLICT (token, target) DO UPDATE SET
                         path = excluded.path, format = excluded.format, key = excluded.key,
                         document = excluded.document, in_place = excluded.in_place",
                    values![
                        place.token,
                        place.target.as_str(),
                        place.path.as_os_str().as_bytes(),
                        place.format.as_str(),
                        place.key.as_ref(),
                        place.document.and_then(|it| i64::try_from(it.get()).ok()),
                        i64::from(place.in_place),
                    ],
                )?;
            }
            Ok(())
        })
    }

    /// Wipes all access tokens of a token, and what its files held before they were replaced;
    /// returns how many access tokens. Its history and the fingerprints stay, and hold nothing off
    /// any more.
    pub fn forget(
        &self,
        run: RunId,
        credential: Credential,
        now: Time,
    ) -> Result<(Credential, usize)> {
        self.change_returning(credential, Some(now), move |tx, credential| {
            let (token, now) = (credential.id, tx.now());
            let wiped = tx.execute_counted(
                "UPDATE generation SET state = 'purged', sealed = NULL, broken_since = NULL,
                     set_aside_at = coalesce(set_aside_at, ?2)
                 WHERE token = ?1 AND sealed IS NOT NULL",
                values![token, now],
            )?;
            tx.execute(
                "UPDATE generation SET forgotten_at = ?2, left_at = NULL, given_to = NULL,
                     revoked_at = NULL
                 WHERE token = ?1 AND forgotten_at IS NULL",
                values![token, now],
            )?;
            // What it got from its backup is the backup's again.
            tx.execute(
                "UPDATE generation SET given_to = NULL WHERE given_to = ?1",
                values![token],
            )?;
            for table in ["overwrite", "replaced", "delivery", "hook"] {
                tx.execute(&format!("DELETE FROM {table} WHERE token = ?1"), values![token])?;
            }
            tx.execute(
                "UPDATE attempt SET closed_at = ?2 WHERE token = ?1 AND closed_at IS NULL",
                values![token, now],
            )?;
            tx.execute(
                "UPDATE token SET listed = NULL, consecutive_failures = 0, not_before = NULL,
                     first_miss_at = NULL, misses = 0, problem = NULL, answer_lost_at = NULL,
                     exchange_sent_at = NULL, exchange_sent = NULL, exchanged = NULL,
                     shared_with = NULL, shared_with_declared = NULL, refused_by = NULL, mint_sent_at = NULL,
                     mint_tried_at = NULL, mint_tries = NULL, undeclared_since = NULL,
                     undeclared_with_many = NULL, owner = NULL, app = NULL,
                     probe_at = NULL, probe_question = NULL, probe_generation = NULL,
                     probe_grade = NULL, probe_problem = NULL, import = NULL
                 WHERE id = ?1",
                values![token],
            )?;
            let label = credential.label.as_str();
            tx.execute(
                "UPDATE token SET shared_with = NULL, shared_with_declared = NULL
                 WHERE shared_with = ?1",
                values![label],
            )?;
            tx.execute("DELETE FROM notice WHERE label = ?1", values![label])?;
            if wiped > 0 {
                NewEvent::new(token, EventKind::Forgotten, now).write(tx, run)?;
            }
            Ok(wiped)
        })
    }
}

fn place(mut row: Row<'_>) -> Result<TargetPlace, BadCell> {
    Ok(TargetPlace {
        token: row.token("place.token")?,
        target: row.target("place.target")?,
        path: PathBuf::from(OsStr::from_bytes(row.blob("place.path")?)),
        format: row.text("place.format")?.to_owned(),
        key: row.maybe_text("place.key")?.map(str::to_owned),
        document: row.maybe_number::<usize>("place.document")?.and_then(NonZeroUsize::new),
        in_place: row.maybe_flag("place.in_place")?.unwrap_or(false),
    })
}
