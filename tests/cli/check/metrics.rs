//! A metrics file as Prometheus reads it, by its exposition format and no more generous than that.

use std::collections::BTreeSet;

/// One number with what it is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: i64,
}

impl Sample {
    /// The value of a label.
    #[track_caller]
    pub(super) fn label(&self, name: &str) -> &str {
        let found = self.labels.iter().find(|(each, _)| each == name);
        &found.unwrap_or_else(|| panic!("no `{name}`: {self:?}")).1
    }
}

/// Reads a page; panics where Prometheus or a node exporter would refuse it: families torn apart or
/// without their type, a sample twice or with a time of its own.
#[track_caller]
pub(super) fn read(page: &str) -> Vec<Sample> {
    assert!(page.is_empty() || page.ends_with('\n'), "the last line is not ended");
    let mut families: BTreeSet<&str> = BTreeSet::new();
    let mut samples: Vec<Sample> = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(help) = lines.next() {
        let (name, _) = help.strip_prefix("# HELP ").unwrap().split_once(' ').unwrap();
        assert_eq!(lines.next(), Some(format!("# TYPE {name} gauge").as_str()));
        assert!(families.insert(name), "{name} is torn apart");
        let before = samples.len();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let sample = read_sample(line);
            assert_eq!(sample.name, name, "a sample of another family");
            let known =
                samples.iter().any(|it| it.name == sample.name && it.labels == sample.labels);
            assert!(!known, "twice: {line}");
            samples.push(sample);
        }
        assert!(samples.len() > before, "{name} is empty");
    }
    samples
}

/// `NAME{LABEL="VALUE",...} NUMBER`, and nothing behind it.
#[track_caller]
fn read_sample(line: &str) -> Sample {
    let end = line.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap();
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, value) = rest.split_once("=\"").unwrap();
            let (value, after) = read_value(value);
            labels.push((label.to_owned(), value));
            if let Some(next) = after.strip_prefix(',') {
                rest = next;
            } else {
                rest = after.strip_prefix('}').unwrap();
                break;
            }
        }
    }
    let number = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    let value = number.parse().unwrap_or_else(|_| panic!("more than a number: {line}"));
    Sample { name: name.to_owned(), labels, value }
}

/// A quoted value, and what stands behind its quote.
#[track_caller]
fn read_value(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    loop {
        match letters.next().unwrap() {
            (at, '"') => return (value, &text[at + 1..]),
            (_, '\\') => match letters.next().unwrap().1 {
                'n' => value.push('\n'),
                other @ ('"' | '\\') => value.push(other),
                other => panic!("`\\{other}` means nothing: {text}"),
            },
            (_, other) => value.push(other),
        }
    }
}
