//! Writes the lines that Nagios, Icinga and their kin read.
//!
//! The exit code is the verdict; the first line is for a pager, so it is short and names the
//! worst first; what stands behind its bar is drawn; further lines give each cause and its remedy.
//! A range `10:` in the performance data alerts below ten, so the thresholds of time that is left
//! end in a colon. Source: Monitoring Plugins development guidelines.

use std::fmt::Write as _;

use chrono::TimeDelta;

use super::check::{CheckReport, FIRST_LINE, shorten};
use super::status::StatusReport;
use super::token_report::TokenReport;
use crate::exit::Verdict;
use crate::policy::{Health, humanize};
use crate::token::Time;

/// So many of the tokens that share a cause are named: the cause must stand behind them before a
/// monitoring system cuts the line.
const NAMED: usize = 10;

/// The plugin's output.
pub fn nagios(report: &CheckReport, which: Perfdata) -> String {
    let first = first_line(report);
    let mut text = format!("{first} | {}\n", perfdata(&report.status, which));
    for reason in report.status.reasons() {
        let mut line = reason.severity.as_str().to_uppercase();
        if !reason.labels.is_empty() {
            let _ = write!(line, ": {}", humanize::list_of_few(&reason.labels, NAMED));
        }
        let _ = write!(line, ": {}", reason.what());
        let _ = writeln!(text, "{}", on_one_line(&line));
        let detail = reason.detail();
        if !detail.is_empty() {
            let _ = writeln!(text, "  {}", on_one_line(&detail));
        }
    }
    text
}

/// The verdict and the worst, in less than 200 characters.
pub fn first_line(report: &CheckReport) -> String {
    plugin_line(report.verdict(), &report.summary())
}

/// A verdict and what it is about, on one line of less than 200 characters without a bar.
pub fn plugin_line(verdict: Verdict, summary: &str) -> String {
    shorten(&on_one_line(&format!("{}{summary}", opening(verdict))), FIRST_LINE)
}

const fn opening(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "METATOKEN OK - ",
        Verdict::Warning => "METATOKEN WARNING - ",
        Verdict::Critical => "METATOKEN CRITICAL - ",
        Verdict::Unknown => "METATOKEN UNKNOWN - ",
    }
}

/// A bar would begin the performance data, and a line break another cause.
fn on_one_line(text: &str) -> String {
    text.replace('|', "/").replace(char::is_control, " ")
}

/// Which tokens get a number of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Perfdata {
    /// All with a date while they are few, else the soonest alone.
    Few,
    /// All with a date.
    All,
    /// None: only the counts.
    Counts,
}

/// How many tokens are few.
const FEW: usize = 20;

/// What stands behind the bar of the first line.
fn perfdata(status: &StatusReport, which: Perfdata) -> String {
    let mut dated: Vec<&TokenReport> =
        status.tokens.iter().filter(|token| token.expiry.at().is_some()).collect();
    match which {
        Perfdata::All => {}
        Perfdata::Few if dated.len() <= FEW => {}
        Perfdata::Few => {
            dated.sort_by_key(|token| left(token, status.generated_at));
            dated.truncate(1);
        }
        Perfdata::Counts => dated.clear(),
    }
    let count =
        |health| status.tokens.iter().filter(|token| token.judgement.health == health).count();
    let tokens = dated.iter().filter_map(|token| series(token, status.generated_at));
    let counts = [
        format!("tokens={};;;0", status.tokens.len()),
        format!("ok={}", count(Health::Ok)),
        format!("warning={}", count(Health::Warning)),
        format!("critical={}", count(Health::Critical)),
        format!("unknown={}", count(Health::Unknown)),
    ];
    tokens.chain(counts).collect::<Vec<_>>().join(" ")
}

fn series(token: &TokenReport, now: Time) -> Option<String> {
    let label = token.label.as_ref()?;
    let left = left(token, now).num_seconds();
    let (warning, critical) = (token.limits.warning, token.limits.critical);
    Some(format!("'{label}'={left}s;{}:;{}:", warning.num_seconds(), critical.num_seconds()))
}

/// The time until it expires; an invalid access token has none left, whatever its date.
fn left(token: &TokenReport, now: Time) -> TimeDelta {
    let dead = token.inspection.as_ref().is_some_and(|it| it.verdict() == Some(false));
    let left = token.expiry.remaining(now).filter(|_| !dead).unwrap_or_default();
    left.max(TimeDelta::zero())
}
