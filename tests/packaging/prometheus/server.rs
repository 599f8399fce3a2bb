//! A Prometheus of one's own, with the rules as they are shipped.

use std::collections::BTreeSet;
use std::process::Command;

use super::RULES;
use super::exporter::NodeExporter;
use super::listening::{Listening, free_port};
use crate::common::World;
use crate::shipped;

const CONFIG: &str = "
global:
  scrape_interval: 500ms
  evaluation_interval: 500ms
rule_files: [metatoken.rules.yml]
scrape_configs:
  - job_name: node
    static_configs:
      - targets: ['[EXPORTER]']
";

/// A Prometheus that looks at one node exporter twice a second.
pub(super) struct Prometheus(Listening);

impl Prometheus {
    pub(super) fn start(world: &World, exporter: &NodeExporter) -> Self {
        world.write("prometheus/metatoken.rules.yml", shipped(RULES));
        world.write("prometheus/config.yml", CONFIG.replace("[EXPORTER]", &exporter.address()));
        let port = free_port();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", world.path("prometheus/config.yml").display()))
            .arg(format!("--storage.tsdb.path={}", world.path("prometheus/data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        Self(Listening::start(command, port, "/-/ready"))
    }

    /// The alerts that are raised: each with its severity and its token.
    pub(super) fn firing(&self) -> BTreeSet<String> {
        let answer: serde_json::Value =
            serde_json::from_str(&self.0.get("/api/v1/alerts")).unwrap();
        let alerts = answer["data"]["alerts"].as_array().unwrap().iter();
        let firing =
            alerts.filter(|alert| alert["state"] == "firing").map(|alert| &alert["labels"]);
        firing
            .map(|labels| {
                let word = |name: &str| labels[name].as_str().unwrap_or("-");
                [word("alertname"), word("severity"), word("token")].join(" ")
            })
            .collect()
    }
    /// How many samples answer a question.
    pub(super) fn samples(&self, question: &str) -> usize {
        let asked: String = url::form_urlencoded::byte_serialize(question.as_bytes()).collect();
        let answer: serde_json::Value =
            serde_json::from_str(&self.0.get(&format!("/api/v1/query?query={asked}"))).unwrap();
        assert_eq!(answer["status"], "success", "{question}: {answer}");
        answer["data"]["result"].as_array().unwrap().len()
    }
}
