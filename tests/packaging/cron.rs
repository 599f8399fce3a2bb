//! The crontabs, run by Debian's cron: they mail when somebody is to read it, and only then.

mod machine;

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use super::{cannot_mount, lacking, shipped, skip};
use machine::{Machine, USER};

/// Both crontabs, and the one that writes a log.
const CRONTABS: [&str; 2] = ["metatoken", LOGGED];
const LOGGED: &str = "metatoken-logged";

/// Where the crontab that writes a log is told to write it.
const LOG: &str = "log/metatoken/refresh.log";

/// Whether this machine cannot run cron so; says why.
fn left_out(test: &str) -> bool {
    let why = lacking(&["/usr/sbin/cron", "crontab", "unshare", "timeout"]).or_else(cannot_mount);
    why.inspect(|why| skip(test, why)).is_some()
}

#[test]
fn cron_mails_nothing_when_all_is_well() {
    if left_out("packaging::cron::cron_mails_nothing_when_all_is_well") {
        return;
    }
    for crontab in CRONTABS {
        let ran = Machine::new(crontab, "healthy", &["+0d"]).run();
        assert_eq!(ran.mails, [""; 0], "{crontab}");
        assert!(ran.calls[0].starts_with("0 check"), "{crontab}: {:?}", ran.calls);
        assert!(ran.calls[1].starts_with("0 refresh --"), "{crontab}: {:?}", ran.calls);
        assert_eq!(ran.calls.len(), 2, "{crontab}: {:?}", ran.calls);
    }
}

#[test]
fn cron_mails_days_before_a_person_must_act() {
    if left_out("packaging::cron::cron_mails_days_before_a_person_must_act") {
        return;
    }
    let machine = Machine::new("metatoken", "healthy", &["+0d", "+30d"]);
    let ran = machine.run();
    assert_eq!(ran.calls, ["0 refresh --quiet --scheduled\n", "1 check --quiet\n"]);
    let [mail] = ran.mails.try_into().unwrap();
    let verdict = "\nMETATOKEN WARNING - brand: works, data access expires in 12 days…; anna@brand.example logs in: metatoken login brand (and 2 more)";
    assert!(mail.contains(verdict), "{mail}");
}

#[test]
fn cron_mails_what_a_person_must_do_and_no_secret() {
    if left_out("packaging::cron::cron_mails_what_a_person_must_do_and_no_secret") {
        return;
    }
    for crontab in CRONTABS {
        let machine = Machine::new(crontab, "troubles", &["+0d"]);
        let ran = machine.run();
        // The run that has a log writes it there; the verdict is mailed by both.
        let mails = if crontab == LOGGED { 1 } else { 2 };
        assert_eq!(ran.mails.len(), mails, "{crontab}: {:#?}", ran.mails);
        let verdicts =
            ran.mails.iter().filter(|mail| mail.contains("\nMETATOKEN CRITICAL - ")).count();
        assert_eq!(verdicts, 1, "{crontab}: {:#?}", ran.mails);
        for mail in &ran.mails {
            let (head, body) = mail.split_once("\n\n").unwrap();
            assert!(head.contains("\nTo: root\n"), "{crontab}: {head}");
            assert!(head.contains("\nSubject: Cron <metatoken@"), "{crontab}: {head}");
            let remedy =
                "erin@trouble.example logs in to the app again: run `metatoken login expired`";
            assert_eq!(body.matches(remedy).count(), 1, "{crontab}: {body}");
        }
        let log = fs::read_to_string(machine.path(LOG)).unwrap_or_default();
        for secret in machine.secrets() {
            assert!(ran.mails.iter().all(|mail| !mail.contains(&secret)), "{crontab}: {secret}");
            assert!(!log.contains(&secret), "{crontab}: {secret}");
        }
    }
}

#[test]
fn cron_leaves_the_work_to_systemd_where_that_runs() {
    if left_out("packaging::cron::cron_leaves_the_work_to_systemd_where_that_runs") {
        return;
    }
    for crontab in CRONTABS {
        let machine = Machine::new(crontab, "troubles", &["+0d"]);
        machine.write("with-systemd", "");
        let ran = machine.run();
        assert_eq!((ran.calls.len(), ran.mails.len()), (0, 0), "{crontab}");
    }
}

#[test]
fn the_log_is_rotated_and_stays_its_users() {
    let test = "packaging::cron::the_log_is_rotated_and_stays_its_users";
    if left_out(test) {
        return;
    }
    if let Some(why) = lacking(&["logrotate"]) {
        return skip(test, &why);
    }
    let machine = Machine::new(LOGGED, "healthy", &["+0d"]);
    machine.write("rotate", &shipped("logrotate/metatoken"));
    let ran = machine.run();
    assert_eq!(ran.calls.len(), 2, "{:?}", ran.calls);
    let log = fs::metadata(machine.path(LOG)).unwrap();
    let rights = (log.uid(), log.gid(), log.mode() & 0o7777, log.len());
    assert_eq!(rights, (USER, USER, 0o640, 0));
    let rotated = fs::read_to_string(machine.path(&format!("{LOG}.1"))).unwrap();
    assert!(!rotated.is_empty());
    for line in rotated.lines() {
        let said: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(said.is_object(), "{line}");
    }
}
