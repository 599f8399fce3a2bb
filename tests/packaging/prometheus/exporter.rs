//! A node exporter of one's own, and what it gives out.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::listening::{Listening, free_port};

/// A node exporter that reads one folder and nothing else.
pub(super) struct NodeExporter {
    listening: Listening,
    port: u16,
}

impl NodeExporter {
    pub(super) fn start(folder: &Path) -> Self {
        let port = free_port();
        let mut command = Command::new("prometheus-node-exporter");
        command
            .args(["--collector.disable-defaults", "--collector.textfile"])
            .arg(format!("--collector.textfile.directory={}", folder.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        Self { listening: Listening::start(command, port, "/metrics"), port }
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn metrics(&self) -> String {
        self.listening.get("/metrics")
    }
}

/// Our samples in a text of metrics, by name and sorted labels.
#[derive(Debug, PartialEq)]
pub(super) struct Samples(BTreeMap<String, f64>);

impl Samples {
    pub(super) fn of(text: &str) -> Self {
        let lines = text.lines().filter(|line| line.starts_with("metatoken_"));
        Self(lines.map(sample).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

fn sample(line: &str) -> (String, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let mut labels = pairs(labels.trim_end_matches('}'));
    labels.sort_unstable();
    (format!("{name}{{{}}}", labels.join(",")), value.parse().unwrap())
}

/// The labels, apart; a comma within quotes does not part them, and an escaped quote ends nothing.
fn pairs(labels: &str) -> Vec<String> {
    let mut pairs = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in labels.chars() {
        match c {
            ',' if !quoted => pairs.push(String::new()),
            _ => pairs.last_mut().unwrap().push(c),
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    pairs
}
