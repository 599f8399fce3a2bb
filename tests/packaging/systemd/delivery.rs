//! A renewed token reaches an application's folder, and root tells the application.

use super::machine::{BRAND, Machine};

const REFRESH: &str = "metatoken-refresh.service";
const FILE: &str = "/srv/myapp/config.ini";
const TARGET: &str = "\n[[token.brand.deliver]]\nfile = \"/srv/myapp/config.ini\"\nkey = \"facebook.access_token\"\n";

/// A machine with an application, `myapp`, that has a folder of its own and notes each reload.
fn with_app(test: &str) -> Option<Machine> {
    let machine = Machine::rehearsing(test)?;
    machine.write(FILE, "[facebook]\naccess_token = YOUR-KEY-HERE\n");
    machine.write(
        "/etc/systemd/system/myapp.service",
        "[Service]\nExecStart=sleep infinity\nExecReload=+sh -c 'cat /srv/myapp/config.ini >> /srv/reloaded'\nUser=myapp\n",
    );
    machine.sh("useradd --system --user-group myapp; chown -R myapp:myapp /srv/myapp; chmod 750 /srv/myapp; chmod 640 /srv/myapp/config.ini").code(0);
    Some(machine)
}

const APP_FOLDER: &str = include_str!("../../../deployment/systemd/examples/app-folder.conf");
const TEXTFILE: &str = include_str!("../../../deployment/systemd/examples/textfile.conf");

/// The lines of an example that say what its folder needs.
fn preparation(example: &str) -> String {
    let lines: Vec<&str> = example.lines().filter_map(|line| line.strip_prefix("#     ")).collect();
    assert_eq!(lines.len(), 2);
    lines.join("\n")
}

#[test]
fn a_file_in_an_applications_folder_is_replaced_and_the_application_reloaded() {
    let Some(machine) = with_app("app-folder.conf and myapp-token.path") else { return };
    machine.configure(&format!("{BRAND}{TARGET}"));
    machine.sh(&preparation(APP_FOLDER)).code(0);
    machine.sh("cp /mnt/deployment/systemd/examples/myapp-token.* /etc/systemd/system/; systemctl daemon-reload; systemctl start myapp.service").code(0);
    machine.sh(super::block("Deliver", "sh")).code(0);

    // As shipped the unit cannot; the token is renewed all the same, and its delivery pending.
    machine.run(&["systemctl", "start", REFRESH]).code(1);
    let journal = machine.journal(REFRESH);
    assert!(journal.contains("1 token: 1 refreshed") && journal.contains(FILE), "{journal}");
    machine.example(REFRESH, "app-folder");
    machine.run(&["systemctl", "start", REFRESH]).code(0);
    let token = machine.metatoken(&["token", "brand"]).code(0).stdout;
    let written = format!("[facebook]\naccess_token = {token}");
    assert_eq!(machine.run(&["cat", FILE]).stdout, written);
    let stat = ["stat", "--format=%U %G %a", FILE];
    machine.run(&stat).stdout("metatoken myapp 640\n");
    machine.wait_for("test -s /srv/reloaded");
    assert_eq!(machine.run(&["cat", "/srv/reloaded"]).stdout, written);

    // A run with nothing to bring is no reason to reload.
    machine.run(&["systemctl", "start", REFRESH]).code(0);
    // One that a person asks for is, and it follows without being told again.
    machine.sh(&format!("echo '# by hand' >> {FILE}")).code(0);
    machine.wait_for("grep -q 'by hand' /srv/reloaded");
    assert_eq!(
        machine.run(&["cat", "/srv/reloaded"]).stdout,
        format!("{written}{written}# by hand\n")
    );
}

#[test]
fn each_line_of_the_drop_in_is_needed() {
    let Some(machine) = with_app("app-folder.conf, line by line") else { return };
    machine.configure(&format!("{BRAND}{TARGET}"));
    machine.sh(&preparation(APP_FOLDER)).code(0);
    machine.metatoken(&["refresh"]).code(73);
    machine.example(REFRESH, "app-folder");
    let example = "/etc/systemd/system/metatoken-refresh.service.d/app-folder.conf";
    for line in ["ReadWritePaths=", "SupplementaryGroups=", "PrivateUsers=", "SystemCallFilter="] {
        machine.sh(&format!("cp {example} /tmp/whole; sed -i '/^{line}/d' {example}")).code(0);
        let ran = machine.metatoken(&["deliver"]);
        assert_eq!(ran.code, Some(73), "without `{line}`: {}", ran.stdout);
        machine.sh(&format!("mv /tmp/whole {example}")).code(0);
    }
    machine.metatoken(&["deliver"]).code(0);
}

#[test]
fn a_file_that_stays_the_applications_own_is_written_in_place() {
    let Some(machine) = with_app("app-folder.conf, in place") else { return };
    machine.configure(&format!("{BRAND}{TARGET}write = \"in-place\"\n"));
    machine.sh(&format!("chmod 660 {FILE}")).code(0);
    machine.example(REFRESH, "app-folder");
    machine.run(&["systemctl", "start", REFRESH]).code(0);
    let token = machine.metatoken(&["token", "brand"]).code(0).stdout;
    assert_eq!(machine.run(&["cat", FILE]).stdout, format!("[facebook]\naccess_token = {token}"));
    machine.run(&["stat", "--format=%U %G %a", FILE]).stdout("myapp myapp 660\n");
}

#[test]
fn the_metrics_reach_the_node_exporters_folder() {
    let Some(machine) = Machine::rehearsing("textfile.conf") else { return };
    let file = "/var/lib/prometheus/node-exporter/metatoken.prom";
    machine.sh("mkdir -p /var/lib/prometheus/node-exporter").code(0);
    machine.metatoken(&["refresh"]).code(0);
    machine.sh(&preparation(TEXTFILE)).code(0);
    machine.metatoken(&["check", "--textfile", file]).code(1);
    machine.example(REFRESH, "textfile");
    machine.metatoken(&["check", "--textfile", file]).code(0);
    machine.run(&["stat", "--format=%U %a", file]).stdout("metatoken 644\n");
    assert!(machine.run(&["cat", file]).stdout.contains("metatoken_build_info"));

    // And the run itself writes them where the config says so.
    let config = "/var/lib/metatoken/sandbox/healthy/metatoken.toml";
    let alerts = format!("rm {file}; printf '\\n[alerts]\\ntextfile = \"{file}\"\\n' >> {config}");
    machine.sh(&alerts).code(0);
    machine.run(&["systemctl", "start", REFRESH]).code(0);
    let metrics = machine.run(&["cat", file]).code(0).stdout;
    assert!(metrics.contains("metatoken_run_finished_timestamp_seconds "), "{metrics}");
}
