//! A unit that failed is told of.

use super::machine::{Machine, SANDBOX};

const REFRESH: &str = "metatoken-refresh.service";
const ERRORS: &str = "journalctl --quiet --priority=err --output=cat \
                      --unit=metatoken-failed@metatoken-refresh.service.service";

/// A machine on which the refresh finds troubles.
fn in_trouble(test: &str) -> Option<Machine> {
    let machine = Machine::rehearsing(test)?;
    machine.calls("metatoken-refresh", &format!("metatoken {SANDBOX} --scenario troubles refresh"));
    Some(machine)
}

#[test]
fn what_a_unit_said_is_said_again_where_people_look() {
    let Some(machine) = in_trouble("metatoken-failed@") else { return };
    machine.run(&["systemctl", "start", REFRESH]).code(1);
    machine.wait_for(&format!("{ERRORS} | grep -q 'to look further'"));
    let told = machine.sh(ERRORS).stdout;
    assert!(
        told.contains("metatoken-refresh.service failed on machine: exit-code, exited 77"),
        "{told}"
    );
    assert!(told.contains("11 tokens: ") || told.contains("hint: "), "what the run said: {told}");
    // The shipped verdict is about the real config, and here there is none.
    assert!(told.contains("METATOKEN UNKNOWN - /etc/metatoken/metatoken.toml"), "{told}");
    machine.sh("systemctl is-failed metatoken-failed@metatoken-refresh.service.service").code(1);
}

#[test]
fn a_mail_is_sent_once_and_not_every_hour() {
    let Some(machine) = in_trouble("failed-by-mail.conf") else { return };
    let example = include_str!("../../../deployment/systemd/examples/failed-by-mail.conf");
    // Not in /usr, which is that of the computer itself.
    let example = example.replace("/usr/sbin/sendmail", "/usr/local/sbin/sendmail");
    machine.drop_in("metatoken-failed@.service", "failed-by-mail", &example);
    machine.write(
        "/usr/local/sbin/sendmail",
        "#!/bin/sh\ngrep ^Cap /proc/self/status > /srv/rights\n{ echo \"$@\"; cat; } > /srv/mail.$$\n",
    );
    machine.sh("chmod 755 /usr/local/sbin/sendmail").code(0);
    let handler = "metatoken-failed@metatoken-refresh.service.service";
    machine.run(&["systemctl", "start", REFRESH]).code(1);
    machine.wait_for("grep -q 'to look further' /srv/mail.*");
    let mail = machine.sh("cat /srv/mail.*").stdout;
    let head = "-t\nTo: root\nSubject: metatoken-refresh.service failed on machine\n\n\
                metatoken-refresh.service failed on machine: exit-code, exited 77\n";
    assert!(mail.starts_with(head), "{mail}");
    machine.sh("! grep -q 'CapEff:.*0000000000000000' /srv/rights").code(0);
    machine.run(&["systemctl", "start", REFRESH]).code(1);
    machine.wait_for(&format!("systemctl is-failed {handler}"));
    machine.sh("ls /srv/mail.* | wc -l").stdout("1\n");
}
