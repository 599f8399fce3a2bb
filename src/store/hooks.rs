//! Keeps the processes that the programs were started as that tokens are delivered to.
//!
//! A run that is killed leaves its program behind. The next run finds its process here, and starts
//! no second one beside it while it lives. A row stays when its process has ended: its number with
//! its start is no other's.

use super::row::{BadCell, Row};
use super::value::values;
use super::{Result, Store};
use crate::failpoint;
use crate::token::{TargetId, Time, TokenId};

/// A process that was started for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookProcess {
    /// Its number.
    pub pid: u32,
    /// When it was started, in clock ticks since the boot.
    pub start_ticks: u64,
    /// The boot.
    pub boot: String,
    /// When it was started.
    pub started_at: Time,
}

impl Store {
    /// Writes down the process that a command was started as for these targets.
    pub fn note_hook(
        &self,
        targets: &[(TokenId, TargetId)],
        command: &[String],
        process: HookProcess,
    ) -> Result<()> {
        let targets = targets.to_vec();
        let command = self.seals()?.command(command);
        self.write(move |tx| {
            let HookProcess { pid, start_ticks, boot, started_at } = &process;
            for (token, target) in &targets {
                tx.execute(
                    "INSERT INTO hook (token, target, command, pid, start_ticks, boot, started_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                     ON CONFLICT (token, target) DO UPDATE SET
                         command = excluded.command, pid = excluded.pid,
                         start_ticks = excluded.start_ticks, boot = excluded.boot,
                         started_at = excluded.started_at",
                    values![
                        *token,
                        target.as_str(),
                        &command,
                        *pid,
                        i64::try_from(*start_ticks).unwrap_or(i64::MAX),
                        boot,
                        *started_at,
                    ],
                )?;
            }
            Ok(())
        })?;
        failpoint::reach("hook-noted");
        Ok(())
    }

    /// Returns the processes that were started last for a target, or as this command for any.
    pub fn hooks(
        &self,
        token: TokenId,
        target: &TargetId,
        command: &[String],
    ) -> Result<Vec<HookProcess>> {
        let target = target.clone();
        let command = self.seals()?.command(command);
        self.read(move |tx| {
            tx.all(
                "SELECT DISTINCT pid, start_ticks, boot, started_at FROM hook
                 WHERE (token = ?1 AND target = ?2) OR command = ?3 ORDER BY started_at, pid",
                values![token, target.as_str(), &command],
                hook,
            )
        })
    }
}

fn hook(mut row: Row<'_>) -> Result<HookProcess, BadCell> {
    Ok(HookProcess {
        pid: row.number("hook.pid")?,
        start_ticks: u64::try_from(row.integer("hook.start_ticks")?).unwrap_or_default(),
        boot: row.text("hook.boot")?.to_owned(),
        started_at: row.time("hook.started_at")?,
    })
}
