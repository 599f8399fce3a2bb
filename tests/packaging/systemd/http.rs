//! An uptime monitor asks by HTTP: a real socket unit, `curl`, and clients that mean no good.

use super::machine::Machine;
use crate::{lacking, skip};

const ADDRESS: &str = "http://127.0.0.1:9573/";

/// A machine that answers for the store of that scenario; nothing where it cannot be had.
fn answering(test: &str) -> Option<Machine> {
    if let Some(why) = lacking(&["curl", "perl"]) {
        skip(test, &why);
        return None;
    }
    let machine = Machine::rehearsing(test)?;
    machine.metatoken(&["refresh"]).code(0);
    serve(&machine, "healthy");
    machine.sh(super::block("An uptime monitor", "sh")).code(0);
    Some(machine)
}

/// Has the service judge the store of a sandbox, without the sandbox.
fn serve(machine: &Machine, scenario: &str) {
    machine.judges(scenario);
    let config = format!("/var/lib/metatoken/sandbox/{scenario}/metatoken.toml");
    let command =
        format!("metatoken --config {config} --now 2026-01-01T00:00:00Z check --format http");
    machine.calls("metatoken-http@", &command);
}

/// The status that `curl` gets with these options.
fn status(machine: &Machine, options: &[&str]) -> String {
    let print = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"];
    machine.run(&[&print, options, &[ADDRESS]].concat()).code(0).stdout
}

#[test]
fn a_monitor_asks_and_is_answered() {
    let Some(machine) = answering("packaging::systemd::http::a_monitor_asks_and_is_answered")
    else {
        return;
    };
    let curl = super::README.lines().find(|line| line.starts_with("curl ")).unwrap();
    let body = machine.sh(curl).code(0).json();
    assert_eq!((&body["health"], &body["counts"]["tokens"]), (&"ok".into(), &11.into()), "{body}");
    assert_eq!(status(&machine, &["--head"]), "200");
    assert_eq!(status(&machine, &["--request", "PUT", "--data", "x"]), "405");
    machine.sh("head -c 300000 /dev/zero | tr '\\0' x > /tmp/large").code(0);
    assert_eq!(status(&machine, &["--data-binary", "@/tmp/large"]), "405");
    assert_eq!(status(&machine, &["--get", "--data-binary", "@/tmp/large"]), "414");
    let long = format!("X-Long: {}", "x".repeat(9000));
    assert_eq!(status(&machine, &["--header", &long]), "431");

    machine.metatoken(&["--scenario", "troubles", "refresh"]).code(77);
    serve(&machine, "troubles");
    assert_eq!(status(&machine, &[]), "503");
    machine.sh(curl).code(22);

    machine.write("/var/lib/metatoken/sandbox/troubles/metatoken.toml", "nonsense\n");
    let body = machine.sh(&curl.replace("--fail ", "")).code(0);
    assert_eq!(body.json()["health"], "unknown", "{}", body.stdout);
    assert!(!body.stdout.contains('/') && !body.stdout.contains("nonsense"), "{}", body.stdout);
    let journal = machine.journal("metatoken-http@*");
    assert!(journal.contains("metatoken.toml"), "{journal}");
    // Who asks every minute leaves no line a minute, and nothing that failed.
    assert!(!journal.contains("Answer an uptime monitor"), "{journal}");
    machine.sh("systemctl --failed --quiet --plain").stdout("");
    machine.sh("ss -ltn 2>/dev/null | grep 9573 | grep -v 127.0.0.1 || true").stdout("");
}

/// Opens so many connections, waits, and says what came of each when they are closed.
const CROWD: &str = r#"
use IO::Socket::INET; my @all;
for (1..12) { push @all, IO::Socket::INET->new("127.0.0.1:9573"); }
print {$_} "GET / HTTP/1.1\r\n" for grep { defined } @all;
my %said; my $began = time;
for (@all) { my $line = defined $_ ? <$_> : undef; $line = "nothing" unless defined $line; $line =~ s/\s+$//; $said{$line}++; }
print "$_: $said{$_}\n" for sort keys %said;
print time - $began < 12 ? "in time\n" : "late\n";
"#;

#[test]
fn slow_clients_are_cut_off_and_only_eight_are_let_in() {
    let test = "packaging::systemd::http::slow_clients_are_cut_off_and_only_eight_are_let_in";
    let Some(machine) = answering(test) else { return };
    machine.write("/tmp/crowd", CROWD);
    let said = machine.run(&["perl", "/tmp/crowd"]).code(0).stdout;
    assert_eq!(said, "HTTP/1.1 408 Request Timeout: 8\nnothing: 4\nin time\n");
    // Then it answers as before, also after a flood.
    machine
        .sh(&format!(
            "for n in $(seq 300); do curl --silent --output /dev/null {ADDRESS} & done; wait"
        ))
        .code(0);
    machine.wait_for(&format!("curl --silent --fail --output /dev/null {ADDRESS}"));
    machine.sh("systemctl is-active metatoken-http.socket").stdout("active\n");
}
