//! A timer fires, and the real binary keeps the sandbox's tokens alive.

use super::machine::{BRAND, Machine, SANDBOX};

/// At once, where the shipped timer leaves an hour for it.
const AT_ONCE: &str =
    "[Timer]\nOnCalendar=\nOnActiveSec=0\nRandomizedDelaySec=0\nAccuracySec=1ms\n";

const REFRESH: &str = "metatoken-refresh.service";

/// Lets the unit note how it ended: one that ended well is forgotten by systemd at once.
fn note_ends(machine: &Machine) {
    let note = "sh -c 'echo $SERVICE_RESULT $EXIT_STATUS > $STATE_DIRECTORY/end'";
    machine.drop_in(REFRESH, "note", &format!("[Service]\nExecStopPost={note}\n"));
}

fn end(machine: &Machine) -> String {
    machine.run(&["cat", "/var/lib/metatoken/end"]).code(0).stdout
}

#[test]
fn the_timer_refreshes() {
    let Some(machine) = Machine::rehearsing("the timer") else { return };
    note_ends(&machine);
    let enable = super::block("Begin", "sh").lines().find(|line| line.contains("enable")).unwrap();
    machine.judges("healthy");
    machine.drop_in("metatoken-refresh.timer", "at-once", AT_ONCE);
    machine.drop_in("metatoken-check.timer", "at-once", AT_ONCE);
    machine.sh(enable).code(0);
    machine.wait_for("journalctl --quiet --unit=metatoken-refresh.service | grep -q 'Finished'");
    let journal = machine.journal(REFRESH);
    assert!(
        journal.contains("11 tokens: 4 refreshed, 1 exchanged, 4 derived, 2 adopted"),
        "{journal}"
    );
    assert_eq!(end(&machine), "success 0\n");
    // Made by the unit's user, for nobody else.
    machine
        .sh("stat --format='%U %a' /var/lib/metatoken/sandbox/healthy/metatoken.*")
        .stdout("metatoken 600\nmetatoken 600\nmetatoken 600\nmetatoken 600\nmetatoken 600\nmetatoken 600\n");
    let history = machine.metatoken(&["history", "brand", "--json"]).code(0).json();
    assert_eq!(history["events"][0]["trigger"], "scheduled");
    // The verdict comes after the run, whichever timer fired first.
    machine.wait_for(
        "journalctl --quiet --unit=metatoken-check.service | grep -q 'METATOKEN OK - 11'",
    );
    machine.sh("systemctl is-enabled metatoken-refresh.timer metatoken-check.timer").code(0);
}

#[test]
fn a_passing_fault_is_no_failure() {
    let Some(machine) = Machine::rehearsing("passing faults") else { return };
    note_ends(&machine);
    machine.calls("metatoken-refresh", &format!("metatoken {SANDBOX} --scenario outage refresh"));
    machine.run(&["systemctl", "start", REFRESH]).code(0);
    assert_eq!(end(&machine), "success 69\n");

    machine.calls("metatoken-refresh", &format!("metatoken {SANDBOX} --scenario healthy refresh"));
    let slow =
        "[[token.brand.deliver]]\ncommand = [\"sh\", \"-c\", \"cd; touch started; sleep 20\"]\n";
    machine.configure(&format!("{BRAND}{slow}"));
    let healthy = ["--scenario", "healthy", "refresh"];
    let typed = [&["metatoken-as-service", "metatoken", SANDBOX][..], &healthy].concat();
    let mut other = machine.start(&typed);
    machine.wait_for("test -e /var/lib/metatoken/started");
    machine.run(&["systemctl", "start", REFRESH]).code(0);
    assert_eq!(end(&machine), "success 75\n");
    machine.sh("systemctl kill --signal=TERM 'metatoken-as-service-*.service'").code(0);
    other.wait().unwrap();

    machine.calls("metatoken-refresh", &format!("metatoken {SANDBOX} --scenario troubles refresh"));
    machine.run(&["systemctl", "start", REFRESH]).code(1);
    assert_eq!(end(&machine), "exit-code 77\n");
}
