//! What `systemd-analyze` thinks of the units.

use super::machine::Machine;

/// How exposed a unit may be, in tenths.
const REFRESH: u8 = 15;
const OFFLINE: u8 = 10;

#[test]
fn systemd_finds_nothing_wrong() {
    let Some(machine) = Machine::installed("units, verified") else { return };
    machine.sh("useradd --system myapp; cp /mnt/deployment/systemd/examples/myapp-token.* /etc/systemd/system/").code(0);
    machine.write("/etc/systemd/system/myapp.service", "[Service]\nExecStart=/bin/true\n");
    let verify = "systemd-analyze verify --man=no /etc/systemd/system/metatoken-*.service \
                  /etc/systemd/system/metatoken-*.timer /etc/systemd/system/metatoken-*.socket \
                  /etc/systemd/system/myapp-token.*";
    machine.sh(verify).silent().code(0);
    for (unit, example) in [
        ("metatoken-refresh.service", "app-folder"),
        ("metatoken-refresh.service", "encrypted-credentials"),
        ("metatoken-refresh.service", "textfile"),
        ("metatoken-refresh.service", "page"),
        ("metatoken-http.socket", "http-address"),
        ("metatoken-failed@.service", "failed-by-mail"),
    ] {
        machine.example(unit, example);
        machine.sh(verify).silent().code(0);
    }
    // That it would have said something.
    machine.drop_in("metatoken-check.service", "wrong", "[Service]\nPrivateNetworks=yes\n");
    let ran = machine.sh(verify);
    assert!(ran.stderr.contains("PrivateNetworks"), "{}", ran.stderr);
}

#[test]
fn no_unit_is_more_exposed_than_it_must_be() {
    let Some(machine) = Machine::installed("units, their exposure") else { return };
    let exposed = |unit: &str, most: u8| {
        let threshold = format!("--threshold={most}");
        machine.run(&["systemd-analyze", "security", "--offline=yes", &threshold, unit])
    };
    exposed("metatoken-refresh.service", REFRESH).code(0);
    exposed("metatoken-check.service", OFFLINE).code(0);
    exposed("metatoken-failed@.service", OFFLINE).code(0);
    exposed("metatoken-http@.service", OFFLINE).code(0);
    machine.drop_in("metatoken-refresh.service", "node", "[Service]\nMemoryDenyWriteExecute=no\n");
    exposed("metatoken-refresh.service", REFRESH).code(0);
    machine.example("metatoken-refresh.service", "app-folder");
    exposed("metatoken-refresh.service", REFRESH).code(0);
    machine.drop_in("metatoken-refresh.service", "lax", "[Service]\nSystemCallFilter=\n");
    exposed("metatoken-refresh.service", REFRESH).code(1);
}
