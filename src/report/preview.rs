//! Reports what `deliver --test` would do.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::json::{document, time};
use super::run::RunReport;
use super::text::TextStyle;
use crate::exit::Exit;
use crate::token::{DeliveryState, Label, TargetId, Time};

/// What a delivery to one target would do.
#[derive(Debug, Clone)]
pub struct PreviewedDelivery {
    pub label: Label,
    pub target: TargetId,
    /// How it stands.
    pub state: DeliveryState,
    /// Since when.
    pub at: Option<Time>,
    /// What would be done.
    pub would: Would,
}

/// What would be done to a target.
#[derive(Debug, Clone)]
pub enum Would {
    /// It has the access token already.
    Nothing,
    /// A line of the file would change; what is secret in it is taken out.
    Change {
        /// How it is; empty where there is none yet.
        before: String,
        /// How it would be.
        after: String,
    },
    /// The file would be made.
    Create,
    /// An interrupted run left the file half-written, and it would be finished.
    Finish,
    /// It holds an unknown value, and would be left untouched.
    Leave,
    /// The program would be run.
    Run,
    /// It could not be done.
    Fail {
        message: String,
        /// What recovers from it.
        hint: Option<String>,
    },
}

/// What a delivery to all targets would do.
#[derive(Debug, Clone)]
pub struct PreviewReport {
    /// What would be done with each token.
    pub run: RunReport,
    /// One entry a target, in the config's order.
    pub previews: Vec<PreviewedDelivery>,
}

impl PreviewReport {
    /// How a real run would end.
    pub fn exit(&self) -> Exit {
        if self.previews.iter().any(|it| it.would.is_failure()) {
            Exit::NotDelivered
        } else {
            Exit::Ok
        }
    }

    /// JSON as of any run, and in it each target with what would be done to it.
    pub fn json(&self) -> String {
        let mut report = self.run.value();
        for result in report["results"].as_array_mut().into_iter().flatten() {
            let label = result["label"].as_str().unwrap_or_default().to_owned();
            let of_token = self.previews.iter().filter(|it| it.label.as_str() == label);
            result["deliveries"] = of_token.map(PreviewedDelivery::json).collect();
        }
        document(&report)
    }

    /// A line a target, and below it the line of the file that would change.
    pub fn text(&self, style: TextStyle) -> String {
        if self.previews.is_empty() {
            return "no targets\n".to_owned();
        }
        let mut text = String::new();
        for PreviewedDelivery { label, target, would, .. } in &self.previews {
            text.push_str(&style.wrapped(&format!("{label} -> {target}: {}\n", would.words()), 4));
            for line in would.detail() {
                let _ = writeln!(text, "  {line}");
            }
        }
        text
    }
}

impl PreviewedDelivery {
    fn json(&self) -> Value {
        let (before, after) = match &self.would {
            Would::Change { before, after } => (Some(before), Some(after)),
            _ => (None, None),
        };
        let (error, hint) = match &self.would {
            Would::Fail { message, hint } => (Some(message), hint.as_ref()),
            _ => (None, None),
        };
        json!({
            "target": self.target.as_str(),
            "state": self.state.as_str(),
            "at": time(self.at),
            "would": self.would.name(),
            "before": before,
            "after": after,
            "error": error,
            "remedy": hint,
        })
    }
}

impl Would {
    /// Whether the target would get the access token.
    pub const fn is_delivery(&self) -> bool {
        matches!(self, Self::Change { .. } | Self::Create | Self::Finish | Self::Run)
    }

    /// Whether it could not be done.
    pub const fn is_failure(&self) -> bool {
        matches!(self, Self::Fail { .. })
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Change { .. } => "change",
            Self::Create => "create",
            Self::Finish => "finish",
            Self::Leave => "leave",
            Self::Run => "run",
            Self::Fail { .. } => "fail",
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Nothing => "has the current access token already".to_owned(),
            Self::Change { .. } => "would change".to_owned(),
            Self::Create => "would be created".to_owned(),
            Self::Finish => "half-written by an interrupted run; would be finished".to_owned(),
            Self::Leave => "holds another value, and would be left untouched".to_owned(),
            Self::Run => "would be run".to_owned(),
            Self::Fail { message, .. } => format!("would fail: {message}"),
        }
    }

    fn detail(&self) -> Vec<String> {
        match self {
            Self::Change { before, after } => {
                let lines = [('-', before), ('+', after)].into_iter();
                lines
                    .filter(|(_, line)| !line.is_empty())
                    .map(|(sign, line)| format!("{sign} {line}"))
                    .collect()
            }
            Self::Fail { hint, .. } => hint.iter().map(|hint| format!("hint: {hint}")).collect(),
            _ => Vec::new(),
        }
    }
}
