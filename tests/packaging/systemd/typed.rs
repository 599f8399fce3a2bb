//! `metatoken-as-service`: what is typed runs as what the timer starts.

use std::io::{Read as _, Write as _};

use super::machine::{Machine, SANDBOX};

#[test]
fn a_typed_command_is_the_units() {
    let Some(machine) = Machine::rehearsing("metatoken-as-service") else { return };
    machine.as_service(&["id", "--user", "--name"]).stdout("metatoken\n").stderr("").code(0);
    machine.as_service(&["sh", "-c", "exit 77"]).silent().code(77);
    machine.as_service(&["sh", "-c", "echo out; echo err >&2"]).stdout("out\n").stderr("err\n");
    machine.feed("as it is\n", &["metatoken-as-service", "cat"]).stdout("as it is\n").code(0);
    machine
        .as_service(&["printf", "<%s>", "a b", "$HOME", "%H"])
        .stdout("<a b><$HOME><%H>")
        .code(0);
    // Every limit that the unit's process has, and no other.
    let limits = "sh -c 'grep -E \"^(Cap|NoNew|Seccomp|Groups)\" /proc/self/status; \
                  cat /proc/self/uid_map; umask; pwd; ls /root /home; touch /etc/x /srv/x; \
                  unshare --user true; env | grep -E \"^(HOME|PATH|METATOKEN|STATE)\"' 2>&1";
    let typed = machine.sh(&format!("metatoken-as-service {limits}"));
    assert!(typed.stdout.contains("CapBnd:\t0000000000000000"), "{}", typed.stdout);
    assert!(typed.stdout.contains("Read-only file system"), "{}", typed.stdout);
    machine.write("/usr/local/bin/limits", &format!("#!/bin/sh\nexec {limits}\n"));
    machine.sh("chmod 755 /usr/local/bin/limits").code(0);
    machine.calls("metatoken-refresh", "limits");
    machine.run(&["systemctl", "start", "metatoken-refresh.service"]);
    let journal = machine.journal("metatoken-refresh.service");
    for line in typed.stdout.lines().map(str::trim_end) {
        assert!(journal.contains(line), "`{line}` is not in\n{journal}");
    }
}

#[test]
fn drop_ins_hold_for_what_is_typed() {
    let Some(machine) = Machine::installed("metatoken-as-service, drop-ins") else { return };
    machine.write(
        "/etc/systemd/system/metatoken-refresh.service.d/one.conf",
        "[Unit]\nDescription=not a setting\n[Service]\n  # nor this\nEnvironment = \"ONE=a b\" \\\n  TWO=2\nReadWritePaths=/srv\n",
    );
    let show = ["sh", "-c", "echo \"$ONE,$TWO\"; test -w /srv && echo writable"];
    machine.sh("chmod 777 /srv").code(0);
    // Also before `systemctl daemon-reload`.
    assert_eq!(machine.as_service(&show).stdout, "a b,2\nwritable\n");
    machine.drop_in(
        "metatoken-refresh.service",
        "two",
        "[Service]\nReadWritePaths=\nEnvironment=TWO=3\n",
    );
    machine.as_service(&show).stdout("a b,3\n").code(1);
}

#[test]
fn a_string_is_pasted() {
    let Some(machine) = Machine::rehearsing("metatoken-as-service, pasting") else { return };
    machine.metatoken(&["status", "--offline"]).code(0);
    let pasted = machine
        .sh("sed -n 's/^NEWCOMER_TOKEN=//p' /var/lib/metatoken/sandbox/healthy/app.env")
        .stdout;
    assert!(!pasted.trim().is_empty());
    let words = ["metatoken-as-service", "metatoken", SANDBOX, "exchange", "newcomer"];
    let ran = machine.feed(&pasted, &words).code(0);
    assert!(ran.stdout.contains("newcomer  exchanged"), "{}", ran.stdout);
    let ran = machine.feed("no token at all\n", &words);
    ran.code(65);
}

#[test]
fn a_terminal_is_handed_on() {
    let Some(machine) = Machine::rehearsing("metatoken-as-service, on a terminal") else { return };
    let typed = format!("metatoken-as-service metatoken {SANDBOX} exchange newcomer");
    let mut child =
        machine.start(&["script", "--quiet", "--return", "--command", &typed, "/dev/null"]);
    let mut shown = child.stdout.take().unwrap();
    let mut until = |word: &str| {
        let mut text = Vec::new();
        let mut byte = [0];
        while !String::from_utf8_lossy(&text).contains(word) && shown.read(&mut byte).unwrap() > 0 {
            text.extend(byte);
        }
        String::from_utf8(text).unwrap()
    };
    let prompt = until(": ");
    assert!(prompt.contains("newcomer"), "{prompt}");
    child.stdin.as_mut().unwrap().write_all(b"EAAFAKEtyped\n").unwrap();
    let rest = until("\u{0}");
    assert!(!rest.contains("EAAFAKEtyped"), "what is typed is not shown: {rest}");
    assert_eq!(child.wait().unwrap().code(), Some(65), "{rest}");

    // Ctrl-C reaches the command, not only what waits for it.
    let typed = "metatoken-as-service sh -c 'trap \"echo caught; exit 3\" INT; echo ready; sleep 60 & wait'";
    let mut child =
        machine.start(&["script", "--quiet", "--return", "--command", typed, "/dev/null"]);
    let mut shown = child.stdout.take().unwrap();
    let mut text = [0; 5];
    shown.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"ready");
    child.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    let mut rest = String::new();
    shown.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("caught"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn a_signal_is_handed_on() {
    let Some(machine) = Machine::installed("metatoken-as-service, signals") else { return };
    for (signal, code) in [("INT", 3), ("TERM", 4), ("HUP", 4)] {
        let script = "trap 'exit 3' INT; trap 'exit 4' TERM; touch ~/ready; sleep 60 & wait";
        let child = machine.start(&["metatoken-as-service", "sh", "-c", script]);
        machine.wait_for("test -e /var/lib/metatoken/ready");
        machine
            .sh(&format!("rm /var/lib/metatoken/ready; pkill -{signal} -f '^/bin/sh.*as-service'"))
            .code(0);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{signal}: {ended:?}");
        // And nothing is left of it.
        machine.wait_for("! systemctl list-units --all --no-legend | grep -q metatoken-as-service");
    }
}

#[test]
fn what_it_cannot_do_it_says() {
    let Some(machine) = Machine::installed("metatoken-as-service, refusals") else { return };
    machine
        .run(&["metatoken-as-service"])
        .stderr("usage: metatoken-as-service COMMAND [ARGUMENT...]\n")
        .code(64);
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    machine.run(&[&nobody[..], &["/usr/local/sbin/metatoken-as-service", "id"]].concat()).stdout("").stderr(
        "error: metatoken-as-service: only root can run a command as a unit\nhint: put `sudo` before it\n",
    ).code(77);
    let ran = machine.as_service(&["no-such-program"]);
    assert!(ran.stderr.contains("no-such-program"), "{}", ran.stderr);
    assert_eq!(ran.code, Some(1));
    machine.sh("rm /etc/systemd/system/metatoken-refresh.service; systemctl daemon-reload").code(0);
    let ran = machine.as_service(&["id"]).stdout("").code(78);
    assert!(ran.stderr.contains("metatoken-refresh.service"), "{}", ran.stderr);
}
