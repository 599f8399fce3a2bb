//! A Nagios of one's own: the definitions as they are shipped, everything else in a scratch folder.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use super::plugin::{Plugin, as_nagios, hand_over};
use crate::common::signal;
use crate::shipped;

/// The host and services that Debian's package brings.
pub(super) const DEBIANS: &str =
    "cfg_dir=/etc/nagios-plugins/config\ncfg_file=/etc/nagios4/objects/localhost.cfg";

/// One host, of which nothing is asked.
pub(super) const ONE_HOST: &str = "cfg_file=[DIR]/host.cfg";
const HOST: &str = "
define host {
    use                    generic-host
    host_name              localhost
    address                127.0.0.1
    max_check_attempts     1
    active_checks_enabled  0
    contact_groups         admins
}
";

/// A second is a minute, nothing is spread over time, and nobody is told anything.
const MAIN: &str = "
cfg_file=/etc/nagios4/objects/commands.cfg
cfg_file=/etc/nagios4/objects/contacts.cfg
cfg_file=/etc/nagios4/objects/timeperiods.cfg
cfg_file=/etc/nagios4/objects/templates.cfg
cfg_file=[DIR]/metatoken.cfg
resource_file=/etc/nagios4/resource.cfg
log_file=[DIR]/nagios.log
log_archive_path=[DIR]
object_cache_file=[DIR]/objects.cache
status_file=[DIR]/status.dat
state_retention_file=[DIR]/retention.dat
lock_file=[DIR]/nagios.pid
temp_file=[DIR]/nagios.tmp
temp_path=[DIR]
check_result_path=[DIR]
query_socket=[DIR]/nagios.qh
nagios_user=nagios
nagios_group=nagios
use_syslog=0
check_for_updates=0
check_external_commands=0
enable_notifications=0
process_performance_data=1
status_update_interval=1
check_result_reaper_frequency=1
interval_length=1
service_inter_check_delay_method=n
service_interleave_factor=1
illegal_object_name_chars=`~!$%^&*|'\"<>?,()=
illegal_macro_output_chars=`~$&|'\"<>
";

/// A folder with a config.
pub(super) struct Nagios {
    folder: tempfile::TempDir,
}

impl Nagios {
    /// A Nagios that has our definitions and these besides.
    pub(super) fn new(plugin: &Plugin, besides: &str) -> Self {
        let nagios = Self { folder: tempfile::tempdir().unwrap() };
        let folder = nagios.folder.path().to_str().unwrap();
        let main = format!("{MAIN}{besides}\n").replace("[DIR]", folder);
        let ours = plugin.installed(&shipped("nagios/metatoken.cfg"));
        let files = [("nagios.cfg", main.as_str()), ("metatoken.cfg", &ours), ("host.cfg", HOST)];
        hand_over(nagios.folder.path(), &files);
        nagios
    }

    /// Nagios with these options and its config.
    fn command(&self, options: &[&str]) -> Command {
        let mut command = as_nagios();
        command.arg("nagios4").args(options).arg(self.folder.path().join("nagios.cfg"));
        command.stdin(Stdio::null());
        command
    }

    /// What Nagios says of its config.
    pub(super) fn verified(&self) -> String {
        let ran = self.command(&["-v"]).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(ran.status.success(), "{said}");
        said
    }

    /// Starts it.
    pub(super) fn start(&self) -> Running {
        let mut command = self.command(&[]);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// What it knows of a service; nothing at first.
    pub(super) fn service(&self, description: &str) -> BTreeMap<String, String> {
        let path = self.folder.path().join("status.dat");
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let blocks = status.split("servicestatus {").skip(1).map(|block| {
            let lines = block.lines().take_while(|line| line.trim() != "}");
            let pairs = lines.filter_map(|line| line.trim().split_once('='));
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        });
        let mut services = blocks.filter(|service: &BTreeMap<String, String>| {
            service.get("service_description").is_some_and(|it| it == description)
        });
        services.next().unwrap_or_default()
    }
}

/// A program that is at work, ended when it goes out of scope.
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        signal(&self.0, Signal::TERM);
        let _ = self.0.wait();
    }
}
