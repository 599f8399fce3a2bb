//! An Icinga 2 of one's own: the services as they are shipped, everything else in a scratch folder.

use std::collections::BTreeMap;
use std::process::Stdio;

use super::plugin::{Plugin, as_nagios, hand_over};
use super::server::Running;
use crate::shipped;

/// One host, of which nothing is asked, and a file of what checks have said.
const MAIN: &str = r#"
include <itl>
include "/etc/icinga2/conf.d/templates.conf"
include "[DIR]/metatoken.conf"
object Host "localhost" {
  import "generic-host"
  check_command = "dummy"
  vars.metatoken = true
  vars.metatoken_labels = [ "*" ]
}
object CheckerComponent "checker" {}
object PerfdataWriter "writer" {
  service_perfdata_path = "[DIR]/said"
  service_temp_path = "[DIR]/said.partly"
  host_perfdata_path = "[DIR]/host"
  host_temp_path = "[DIR]/host.partly"
  service_format_template = "$service.name$\t$service.state_id$\t$service.perfdata$\t$service.output$"
  rotation_interval = 1s
}
"#;

/// A folder with a config.
pub(super) struct Icinga {
    folder: tempfile::TempDir,
}

impl Icinga {
    /// Starts an Icinga 2 that checks every second.
    pub(super) fn start(plugin: &Plugin) -> (Self, Running) {
        let icinga = Self { folder: tempfile::tempdir().unwrap() };
        let folder = icinga.folder.path().to_str().unwrap();
        let ours = plugin.installed(&shipped("nagios/icinga2.conf"));
        let hasty = ours.replace("check_interval = 15m", "check_interval = 1s");
        assert_ne!(ours, hasty);
        hand_over(
            icinga.folder.path(),
            &[("icinga2.conf", &MAIN.replace("[DIR]", folder)), ("metatoken.conf", &hasty)],
        );
        let mut command = as_nagios();
        command.args(["icinga2", "daemon", "-c", &format!("{folder}/icinga2.conf")]);
        for place in ["DataDir", "LogDir", "CacheDir", "SpoolDir", "InitRunDir"] {
            command.args(["-D", &format!("{place}={folder}")]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running = Running(command.spawn().unwrap());
        (icinga, running)
    }

    /// What each service has said last: its state, its numbers, and the first line of its text.
    pub(super) fn said(&self) -> BTreeMap<String, [String; 3]> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|it| it.unwrap().path());
        let is_whole = |name: &str| name.starts_with("said.") && name != "said.partly";
        let whole = files.filter(|file| is_whole(file.file_name().unwrap().to_str().unwrap()));
        let texts = whole.map(|file| std::fs::read_to_string(file).unwrap_or_default());
        let mut said = BTreeMap::new();
        for line in texts.collect::<String>().lines() {
            // The further lines of a text have no tabs.
            if let [service, state, numbers, first] = line.split('\t').collect::<Vec<_>>()[..] {
                said.insert(service.to_owned(), [state, numbers, first].map(str::to_owned));
            }
        }
        said
    }
}
