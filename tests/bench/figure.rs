//! What was measured, beside what it is measured by.

use std::fmt;
use std::time::Duration;

/// In what a thing is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Requests that Graph saw.
    Requests,
    /// Milliseconds.
    Milliseconds,
    /// Mebibytes.
    Mebibytes,
}

/// A measured value, its yardstick, and how often the yardstick may go into it.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// What is measured.
    pub(crate) measure: &'static str,
    /// What it is divided by.
    pub(crate) yardstick: &'static str,
    /// The value, the yardstick and the aim; nothing where this machine cannot measure it.
    taken: Option<Taken>,
    unit: Unit,
}

#[derive(Debug, Clone, Copy)]
struct Taken {
    value: f64,
    by: f64,
    at_most: f64,
}

impl Figure {
    /// Requests, by what they were for.
    pub(crate) fn requests(measure: &'static str, yardstick: &'static str) -> Self {
        Self { measure, yardstick, taken: None, unit: Unit::Requests }
    }

    /// Wall time.
    pub(crate) fn time(measure: &'static str, yardstick: &'static str) -> Self {
        Self { measure, yardstick, taken: None, unit: Unit::Milliseconds }
    }

    /// Peak resident memory.
    pub(crate) fn memory(measure: &'static str, yardstick: &'static str) -> Self {
        Self { measure, yardstick, taken: None, unit: Unit::Mebibytes }
    }

    /// The figure with its value; the ratio of `value` to `by` may be `at_most` so much.
    pub(crate) fn is(self, value: f64, by: f64, at_most: f64) -> Self {
        Self { taken: Some(Taken { value, by, at_most }), ..self }
    }

    /// Whether the aim is met. What cannot be measured here is not missed.
    pub(crate) fn is_kept(&self) -> bool {
        self.taken.is_none_or(|taken| taken.ratio() <= taken.at_most)
    }

    /// The ratio and the aim; nothing where they were not measured.
    pub(crate) fn ratio(&self) -> Option<(f64, f64)> {
        self.taken.map(|taken| (taken.ratio(), taken.at_most))
    }
}

impl Taken {
    fn ratio(self) -> f64 {
        self.value / self.by
    }
}

impl Unit {
    fn of(self, value: f64) -> String {
        match self {
            Self::Requests => format!("{value:.0} requests"),
            Self::Milliseconds => format!("{value:.1} ms"),
            Self::Mebibytes => format!("{value:.1} MiB"),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.measure, self.yardstick)?;
        match self.taken {
            None => write!(f, ": skipped"),
            Some(taken) => write!(f, ": {:.2}, at most {:.2}", taken.ratio(), taken.at_most),
        }
    }
}

/// Milliseconds, as figures have them.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The middle of many.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The shortest of many: what else a machine does only ever adds.
pub(crate) fn best(times: Vec<Duration>) -> Duration {
    times.into_iter().min().unwrap_or_default()
}

/// A count as a number to divide.
pub(crate) fn count(items: usize) -> f64 {
    u32::try_from(items).map_or(f64::INFINITY, f64::from)
}

/// The figures for a person who looks on.
pub(crate) fn table(figures: &[Figure]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["measure", "value", "by", "", "ratio", "at most", ""]);
    for Figure { measure, yardstick, taken, unit } in figures {
        let numbers = taken.map_or_else(
            || ["skipped", "-", "-", "-", "-"].map(str::to_owned),
            |taken| {
                [
                    unit.of(taken.value),
                    unit.of(taken.by),
                    format!("{:.2}", taken.ratio()),
                    format!("{:.2}", taken.at_most),
                    if taken.ratio() <= taken.at_most { "kept" } else { "MISSED" }.to_owned(),
                ]
            },
        );
        let [value, by, ratio, at_most, verdict] = numbers;
        table.add_row([
            (*measure).to_owned(),
            value,
            (*yardstick).to_owned(),
            by,
            ratio,
            at_most,
            verdict,
        ]);
    }
    format!("{table}\n")
}
