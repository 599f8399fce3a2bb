//! The Grafana dashboard: what it asks for is what we write, and a Prometheus answers it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::exporter::NodeExporter;
use super::server::Prometheus;
use super::{lacking, measured, metrics, shipped, skip, textfile};
use crate::common::until;

const DASHBOARD: &str = "grafana/metatoken.json";

fn dashboard() -> Value {
    serde_json::from_str(&shipped(DASHBOARD)).unwrap()
}

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().unwrap()
}

/// Every question of every panel, with the panel's title.
fn questions(dashboard: &Value) -> Vec<(String, String)> {
    let of_panel = |panel: &Value| -> Vec<(String, String)> {
        let title = panel["title"].as_str().unwrap();
        let targets = panel["targets"].as_array().unwrap().iter();
        targets.map(|it| (title.to_owned(), it["expr"].as_str().unwrap().to_owned())).collect()
    };
    panels(dashboard).iter().flat_map(of_panel).collect()
}

#[test]
fn every_metric_of_the_dashboard_is_written_and_every_one_written_is_shown() {
    let written = textfile(&measured());
    let dashboard = shipped(DASHBOARD);
    let (asked, written) = (metrics(&dashboard), metrics(&written));
    assert!(asked.len() > 10, "{asked:?}");
    assert_eq!(asked, written);
}

#[test]
fn its_panels_have_places_and_names_of_their_own_and_no_outside_address() {
    let text = shipped(DASHBOARD);
    assert!(!text.contains("://"), "an address");
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    for panel in panels(&dashboard) {
        let title = &panel["title"];
        let side = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(side("x") + side("w") <= 24, "{title}");
        for x in side("x")..side("x") + side("w") {
            for y in side("y")..side("y") + side("h") {
                assert!(taken.insert((x, y)), "{title} lies on another");
            }
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        assert!(!panel["description"].as_str().unwrap().is_empty(), "{title}");
    }
    for name in ["id", "title"] {
        let all: BTreeSet<String> =
            panels(&dashboard).iter().map(|it| it[name].to_string()).collect();
        assert_eq!(all.len(), panels(&dashboard).len(), "{name}");
    }
}

#[test]
fn prometheus_answers_every_panel() {
    if let Some(why) = lacking(&["prometheus", "prometheus-node-exporter"]) {
        return skip("packaging::prometheus::grafana::prometheus_answers_every_panel", &why);
    }
    let world = measured();
    let _ = textfile(&world);
    let exporter = NodeExporter::start(&world.path("node-exporter"));
    let prometheus = Prometheus::start(&world, &exporter);
    until("it has looked", || prometheus.samples("metatoken_build_info") == 1);
    for (title, question) in questions(&dashboard()) {
        let question = question.replace("$instance", ".*").replace("$token", ".*");
        assert!(!question.contains('$'), "{question}");
        assert!(prometheus.samples(&question) > 0, "{title}: {question}");
    }
}
