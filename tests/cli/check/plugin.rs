//! What a monitoring system makes of a plugin's output, by the Monitoring Plugins guidelines and no
//! more generous than they are.

use crate::common::Ran;

/// A plugin's output, read.
pub(super) struct Output {
    /// What stands before the bar.
    pub(super) text: String,
    /// What is drawn.
    pub(super) series: Vec<Series>,
    /// The lines below the first.
    pub(super) details: Vec<String>,
}

/// One number that is drawn.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Series {
    pub(super) label: String,
    pub(super) value: i64,
    pub(super) unit: String,
    warning: Option<Range>,
    critical: Option<Range>,
    least: Option<i64>,
    most: Option<i64>,
}

/// The values that are well, or those that are not if it is turned inside out.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    inside_out: bool,
    start: Option<i64>,
    end: Option<i64>,
}

impl Output {
    /// Reads what was printed; panics where a monitoring system would stumble.
    #[track_caller]
    pub(super) fn of(ran: &Ran) -> Self {
        let text = ran.stdout.strip_suffix('\n').expect("it ends its last line");
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        let (text, numbers) = first.split_once(" | ").unwrap_or_else(|| panic!("no bar: {first}"));
        assert!(!text.contains('|') && !numbers.contains('|'), "a second bar: {first}");
        let details: Vec<String> = rest.lines().map(str::to_owned).collect();
        for line in &details {
            assert!(!line.contains('|'), "what follows a bar is drawn: {line}");
        }
        let codes = [("OK", 0), ("WARNING", 1), ("CRITICAL", 2), ("UNKNOWN", 3)];
        let told = |word: &str| text.starts_with(&format!("METATOKEN {word} - "));
        let code = codes.iter().find(|(word, _)| told(word)).map(|(_, code)| *code);
        assert_eq!(code, ran.code, "the first word is the exit code: {text}");
        Self { text: text.to_owned(), series: read_series(numbers), details }
    }

    /// The value of that name.
    #[track_caller]
    pub(super) fn value(&self, label: &str) -> i64 {
        let found = self.series.iter().find(|series| series.label == label);
        found.unwrap_or_else(|| panic!("no `{label}`: {:?}", self.series)).value
    }

    /// The seconds that are left, by label.
    pub(super) fn seconds(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().filter(|series| series.unit == "s")
    }
}

#[track_caller]
fn read_series(mut text: &str) -> Vec<Series> {
    let mut found: Vec<Series> = Vec::new();
    loop {
        let (label, rest) = read_label(text);
        let (numbers, rest) = match rest.split_once(' ') {
            Some((numbers, rest)) => (numbers, Some(rest)),
            None => (rest, None),
        };
        let series = read_numbers(label, numbers);
        let known = found.iter().any(|other| other.label == series.label);
        assert!(!known, "`{}` is there twice", series.label);
        found.push(series);
        match rest {
            Some(rest) => text = rest,
            None => return found,
        }
    }
}

/// A label up to its `=`: between single quotes it may hold anything but `=`, and a quote twice.
#[track_caller]
fn read_label(text: &str) -> (String, &str) {
    let (label, rest) = match text.strip_prefix('\'') {
        None => text.split_once('=').expect("a label ends in `=`"),
        Some(quoted) => quoted.split_once("'=").expect("a quoted label ends in a quote and `=`"),
    };
    let bare = !text.starts_with('\'');
    assert!(!label.is_empty() && !label.contains(['=', '\'']), "label `{label}`");
    assert!(!bare || !label.contains(' '), "label `{label}` needs quotes");
    (label.to_owned(), rest)
}

/// `VALUE[UNIT];[WARNING];[CRITICAL];[LEAST];[MOST]`.
#[track_caller]
fn read_numbers(label: String, text: &str) -> Series {
    let mut fields = text.split(';');
    let value = fields.next().unwrap();
    let digits = value.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = value[digits.len()..].to_owned();
    assert!(["", "s"].contains(&unit.as_str()), "unit of {label}: {value}");
    let mut range = || fields.next().filter(|it| !it.is_empty()).map(read_range);
    let (warning, critical) = (range(), range());
    let mut number = || fields.next().filter(|it| !it.is_empty()).map(whole);
    let (least, most) = (number(), number());
    assert_eq!(fields.next(), None, "{label}: {text}");
    Series { label, value: whole(digits), unit, warning, critical, least, most }
}

/// `[@][START:][END]`, where `~` is without a limit and a missing start is zero.
#[track_caller]
fn read_range(text: &str) -> Range {
    let (inside_out, text) = match text.strip_prefix('@') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (start, end) = text.split_once(':').unwrap_or(("0", text));
    let start = if start == "~" { None } else { Some(whole(start)) };
    let end = if end.is_empty() { None } else { Some(whole(end)) };
    assert!(end.is_none_or(|end| start.is_none_or(|start| start <= end)), "range {text}");
    Range { inside_out, start, end }
}

#[track_caller]
fn whole(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

impl Series {
    /// Whether a monitoring system would warn, and whether it would call it critical.
    pub(super) fn alerts(&self) -> (bool, bool) {
        let alerts = |range: &Option<Range>| {
            range.as_ref().is_some_and(|range| {
                let below = range.start.is_some_and(|start| self.value < start);
                let above = range.end.is_some_and(|end| self.value > end);
                (below || above) != range.inside_out
            })
        };
        (alerts(&self.warning), alerts(&self.critical))
    }
}
