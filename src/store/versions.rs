//! Remembers which versions of Graph the apps ask for, and what Graph last said of each.

use std::ops::ControlFlow;

use super::value::values;
use super::{Result, Store};
use crate::token::{Time, VersionAnswer, VersionCheck};

impl Store {
    /// Returns what is known of each version. A damaged row says nothing: the worst that follows is
    /// one more question.
    pub fn version_checks(&self) -> Result<Vec<VersionCheck>> {
        self.read(|tx| {
            let sql = "SELECT version, at, answer FROM graph_version ORDER BY version";
            tx.undamaged(sql, &[], |mut row| {
                Ok(VersionCheck {
                    version: row.text("graph_version.version")?.to_owned(),
                    at: row.time("graph_version.at")?,
                    answer: row.maybe_text("graph_version.answer")?.map(VersionAnswer::from_word),
                })
            })
        })
    }

    /// Records what Graph said of versions, or that they were seen for the first time, and forgets
    /// all others.
    pub fn note_versions(&self, checks: &[VersionCheck], now: Time) -> Result<()> {
        let checks = checks.to_vec();
        self.write_at(now, move |tx| {
            let mut gone = Vec::new();
            tx.rows("SELECT version FROM graph_version", &[], &mut |mut row| {
                if let Ok(version) = row.text("graph_version.version")
                    && checks.iter().all(|check| check.version != version)
                {
                    gone.push(version.to_owned());
                }
                Ok(ControlFlow::Continue(()))
            })?;
            for version in gone {
                tx.execute("DELETE FROM graph_version WHERE version = ?1", values![&version])?;
            }
            for check in &checks {
                let answer = check.answer.as_ref().map(VersionAnswer::as_str);
                tx.execute(
                    "INSERT INTO graph_version (version, at, answer) VALUES (?1, ?2, ?3)
                     ON CONFLICT (version) DO UPDATE SET at = excluded.at, answer = excluded.answer",
                    values![&check.version, check.at, answer],
                )?;
            }
            Ok(())
        })
    }
}
