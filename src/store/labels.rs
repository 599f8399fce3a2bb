//! Records which labels the config declares: where each file of `tokens.d` said so last, and since
//! when a token is declared no more.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::value::values;
use super::{Result, Store};
use crate::token::{Label, Time, TokenId};

impl Store {
    /// Returns the labels that files of `tokens.d` declared when each could last be read, with the
    /// file.
    pub fn last_reading(&self) -> Result<HashMap<Label, PathBuf>> {
        let rows = self.read(|tx| {
            tx.undamaged("SELECT label, file FROM declaration", &[], |mut row| {
                let label = row.label("declaration.label")?;
                let file = PathBuf::from(OsStr::from_bytes(row.blob("declaration.file")?));
                Ok((label, file))
            })
        })?;
        Ok(rows.into_iter().collect())
    }

    /// Records which file declares each of these labels, and of which others none does any more.
    pub fn note_reading(&self, declared: &[(Label, PathBuf)], gone: &[Label]) -> Result<()> {
        let (declared, gone) = (declared.to_vec(), gone.to_vec());
        self.write(move |tx| {
            for label in gone {
                tx.execute("DELETE FROM declaration WHERE label = ?1", values![label.as_str()])?;
            }
            for (label, file) in declared {
                tx.execute(
                    "INSERT INTO declaration (label, file) VALUES (?1, ?2)
                     ON CONFLICT (label) DO UPDATE SET file = excluded.file",
                    values![label.as_str(), file.as_os_str().as_bytes()],
                )?;
            }
            Ok(())
        })
    }

    /// Records the import that is to bring these tokens their first access tokens, as it is typed; `None`
    /// once it has run to its end.
    pub fn note_import(&self, tokens: &[TokenId], typed: Option<&str>) -> Result<()> {
        let (tokens, typed) = (tokens.to_vec(), typed.map(str::to_owned));
        self.write(move |tx| {
            for token in tokens {
                tx.execute(
                    "UPDATE token SET import = ?2 WHERE id = ?1 AND import IS DISTINCT FROM ?2",
                    values![token, typed.as_deref()],
                )?;
            }
            Ok(())
        })
    }

    /// Records that the config does not declare these tokens any more, whether so many went at once
    /// that it may be a mistake, and that it declares those `again`.
    pub fn note_undeclared(
        &self,
        gone: &[TokenId],
        with_many: bool,
        again: &[TokenId],
        now: Time,
    ) -> Result<()> {
        let (gone, again) = (gone.to_vec(), again.to_vec());
        self.write_at(now, move |tx| {
            let now = tx.now();
            for token in gone {
                tx.execute(
                    "UPDATE token SET undeclared_since = ?2, undeclared_with_many = ?3
                     WHERE id = ?1",
                    values![token, now, i64::from(with_many)],
                )?;
            }
            for token in again {
                tx.execute(
                    "UPDATE token SET undeclared_since = NULL, undeclared_with_many = NULL
                     WHERE id = ?1",
                    values![token],
                )?;
            }
            Ok(())
        })
    }
}
