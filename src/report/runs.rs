//! Reports the runs: what was run, who had started it, and how it ended.

use serde_json::{Value, json};

use super::history::csv_row;
use super::json::{VERSION, document, time};
use super::table::{Table, plain};
use super::text::{TextStyle, Times};
use crate::policy::humanize;
use crate::token::{Time, Trigger};

/// One run of a command that changes something.
#[derive(Debug, Clone)]
pub struct ListedRun {
    /// The number by which events name it.
    pub id: i64,
    pub command: String,
    /// Who had started it.
    pub trigger: Trigger,
    pub started_at: Time,
    /// When it ended; nothing if it was killed or still works.
    pub finished_at: Option<Time>,
    pub exit_code: Option<u8>,
}

/// Runs, the oldest first.
#[derive(Debug, Clone)]
pub struct RunsReport {
    /// When they were looked at.
    pub now: Time,
    pub runs: Vec<ListedRun>,
}

impl RunsReport {
    /// One object a run.
    pub fn json(&self) -> String {
        let runs: Value = self.runs.iter().map(ListedRun::json).collect();
        document(&json!({ "version": VERSION, "runs": runs }))
    }

    /// Comma-separated values with a header line.
    pub fn csv(&self) -> String {
        let mut text = String::from("run,command,trigger,started_at,finished_at,exit_code\n");
        for run in &self.runs {
            text.push_str(&csv_row(&[
                json!(run.id),
                json!(run.command),
                json!(run.trigger.as_str()),
                time(Some(run.started_at)),
                time(run.finished_at),
                json!(run.exit_code),
            ]));
            text.push('\n');
        }
        text
    }

    /// The table for people.
    pub fn text(&self, style: TextStyle) -> String {
        if self.runs.is_empty() {
            return "no runs\n".to_owned();
        }
        let started = match style.times {
            Times::Relative => "STARTED",
            Times::Absolute => "STARTED (UTC)",
        };
        let mut table =
            Table::new(style, &["RUN", started, "COMMAND", "TRIGGER", "DURATION", "EXIT CODE"]);
        for run in &self.runs {
            let started = match style.times {
                Times::Relative => humanize::relative(run.started_at, self.now),
                Times::Absolute => humanize::minute(run.started_at),
            };
            let lasted = run.finished_at.map(|finished| humanize::span(finished - run.started_at));
            let exit_code = run.exit_code.map(|code| code.to_string());
            table.row([
                plain(run.id),
                plain(started),
                plain(&run.command),
                plain(run.trigger),
                plain(lasted.unwrap_or_else(|| "-".to_owned())),
                plain(exit_code.unwrap_or_else(|| "not finished".to_owned())),
            ]);
        }
        table.render()
    }
}

impl ListedRun {
    fn json(&self) -> Value {
        json!({
            "run": self.id,
            "command": self.command,
            "trigger": self.trigger.as_str(),
            "started_at": time(Some(self.started_at)),
            "finished_at": time(self.finished_at),
            "exit_code": self.exit_code,
        })
    }
}
