//! Reports what a config names and how that stands, a line each.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::json::{VERSION, document};
use super::text::TextStyle;
use crate::exit::Exit;
use crate::policy::{Health, Reason, humanize};
use crate::token::Label;

/// How one thing stands that the config names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckResult {
    Good,
    /// A run does its work all the same.
    Warning,
    /// A run would end with this.
    Error(Exit),
}

/// One thing that the config names.
#[derive(Debug, Clone)]
pub struct ConfigCheck {
    /// A stable name of what is wrong; `ok` where nothing is.
    pub code: &'static str,
    /// What was looked at: `[app.main] secret`.
    pub subject: String,
    pub result: CheckResult,
    pub message: String,
    /// What to do; empty where nothing needs doing.
    pub fix: String,
    /// The tokens that it concerns.
    pub labels: Vec<Label>,
}

/// Everything that a config names.
#[derive(Debug, Clone)]
pub struct ConfigReport {
    pub path: String,
    /// How many apps it declares.
    pub apps: usize,
    /// How many tokens it declares.
    pub tokens: usize,
    pub checks: Vec<ConfigCheck>,
    /// What Meta answered about each app, if it was asked.
    pub live: Option<Value>,
}

/// Which lines are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckLines {
    All,
    /// Only what is not good.
    Problems,
}

impl ConfigCheck {
    /// Something that is as it should be.
    pub fn good(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new("ok", subject, CheckResult::Good, message, "")
    }

    /// Something that is not.
    pub fn new(
        code: &'static str,
        subject: impl Into<String>,
        result: CheckResult,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            code,
            subject: subject.into(),
            result,
            message: message.into(),
            fix: fix.into(),
            labels: Vec::new(),
        }
    }

    /// A warning that a verdict would give too. That this command shows whether it is over need not
    /// be said.
    pub fn warned(reason: Reason) -> Self {
        let Reason { code, message, remedy, labels, .. } = reason;
        let fix = remedy.to_string().replace("; then run `metatoken config check`", "");
        Self { labels, ..Self::new(code, "", CheckResult::Warning, message, fix) }
    }

    /// An error that a run would end with, for the tokens that it concerns.
    pub fn refused(reason: &Reason) -> Self {
        let tables: Vec<String> = reason.labels.iter().map(|it| format!("[token.{it}]")).collect();
        let (subject, fix) = (tables.join(", "), reason.remedy.to_string());
        let result = CheckResult::Error(Exit::Config);
        Self::new(reason.code, subject, result, reason.message.as_str(), fix)
    }

    /// The same, about this token.
    pub fn about(mut self, label: &Label) -> Self {
        self.labels = vec![label.clone()];
        self
    }

    /// It on one line, with what to do.
    pub fn line(&self, style: TextStyle) -> String {
        let word = self.result.word();
        let mut line = format!("{word}: ");
        if !self.subject.is_empty() {
            let _ = write!(line, "{}: ", self.subject);
        }
        line.push_str(&self.message);
        if !self.fix.is_empty() {
            let _ = write!(line, "; {}", self.fix);
        }
        line.push('\n');
        style.wrapped(&line, 4)
    }

    /// It as an object.
    pub fn json(&self) -> Value {
        let labels: Vec<&str> = self.labels.iter().map(Label::as_str).collect();
        json!({
            "code": self.code,
            "severity": self.result.severity().as_str(),
            "subject": Some(&self.subject).filter(|subject| !subject.is_empty()),
            "message": self.message,
            "remedy": self.fix,
            "labels": labels,
        })
    }
}

impl CheckResult {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Error(_) => "error",
        }
    }

    const fn severity(self) -> Health {
        match self {
            Self::Good => Health::Ok,
            Self::Warning => Health::Warning,
            Self::Error(_) => Health::Critical,
        }
    }
}

impl ConfigReport {
    /// The worst of the errors; warnings are none.
    pub fn exit(&self) -> Exit {
        self.checks.iter().fold(Exit::Ok, |worst, check| match check.result {
            CheckResult::Error(exit) => worst.or_worse(exit),
            CheckResult::Good | CheckResult::Warning => worst,
        })
    }

    /// JSON: every check, and those that are not good apart.
    pub fn json(&self) -> String {
        let of = |wanted: &str| -> Value {
            let found = self.checks.iter().filter(|check| check.result.word() == wanted);
            found.map(ConfigCheck::json).collect()
        };
        let mut report = json!({
            "version": VERSION,
            "config": self.path,
            "apps": self.apps,
            "tokens": self.tokens,
            "warnings": of("warning"),
            "errors": of("error"),
            "checks": self.checks.iter().map(ConfigCheck::json).collect::<Value>(),
        });
        if let Some(live) = &self.live {
            report["live"] = live.clone();
        }
        document(&report)
    }

    /// A line for each thing that was looked at, what is wrong last, then a count.
    pub fn text(&self, style: TextStyle, lines: CheckLines) -> String {
        let mut checks: Vec<&ConfigCheck> = self.checks.iter().collect();
        checks.retain(|check| lines == CheckLines::All || check.result != CheckResult::Good);
        checks.sort_by_key(|check| check.result.severity().rank());
        let mut text: String = checks.iter().map(|check| check.line(style)).collect();
        if lines == CheckLines::All {
            text.push_str(&style.wrapped(&format!("{}: {}\n", self.path, self.summary()), 4));
        }
        text
    }

    /// `OK: 1 app, 2 tokens`, or how many errors and warnings there are.
    fn summary(&self) -> String {
        let count = |word: &str| self.checks.iter().filter(|it| it.result.word() == word).count();
        let counts: Vec<String> = ["error", "warning"]
            .into_iter()
            .filter(|word| count(word) > 0)
            .map(|word| humanize::count(count(word), word))
            .collect();
        let verdict = if counts.is_empty() { "OK".to_owned() } else { counts.join(", ") };
        let (apps, tokens) =
            (humanize::count(self.apps, "app"), humanize::count(self.tokens, "token"));
        format!("{verdict}: {apps}, {tokens}")
    }
}
