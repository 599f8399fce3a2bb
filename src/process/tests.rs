//! Programs that behave, and programs that do not.

use std::os::unix::process::ExitStatusExt as _;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::run::GRACE;
use super::*;

/// More than any of these programs needs to end by itself.
const AMPLE: Duration = Duration::from_secs(20);

/// Enough for a shell to come as far as its loop.
const SHORT: Duration = Duration::from_millis(400);

/// What ends before this was not waited for: the sleepers sleep for much longer.
const SOON: Duration = Duration::from_secs(10);

fn call(argv: &[&str]) -> Invocation {
    Invocation {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        stdin: Zeroizing::default(),
        environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        timeout: AMPLE,
    }
}

fn shell(script: &str) -> Invocation {
    call(&["sh", "-c", script])
}

fn run(script: &str) -> Ended {
    shell(script).run().unwrap()
}

fn stdout(ended: &Ended) -> String {
    String::from_utf8(ended.stdout.bytes().to_vec()).unwrap()
}

/// The process whose number was printed.
fn number(ended: &Ended) -> Pid {
    Pid::from_raw(stdout(ended).trim().parse().unwrap()).unwrap()
}

/// How a program that runs into the timeout is ended.
fn run_out_of_time(call: Invocation, grace: Duration) -> Ended {
    match (Invocation { timeout: SHORT, ..call }).run_with_grace(grace) {
        Err(ProcessError::TimedOut { limit: SHORT, ended }) => *ended,
        other => panic!("not out of time: {other:?}"),
    }
}

#[test]
fn the_end_and_both_outputs_are_told() {
    for (script, code, signal, stdout, stderr) in [
        ("exit 0", Some(0), None, "", ""),
        ("echo out; echo err >&2; exit 3", Some(3), None, "out\n", "err\n"),
        ("printf x; printf y >&2", Some(0), None, "x", "y"),
        ("echo out; kill -KILL $$", None, Some(9), "out\n", ""),
        // A Rust program ignores this signal; its children must not.
        ("kill -PIPE $$; echo survived", None, Some(13), "", ""),
    ] {
        let ended = run(script);
        assert_eq!((ended.status.code(), ended.status.signal()), (code, signal), "{script}");
        assert_eq!(ended.stdout.bytes(), stdout.as_bytes(), "{script}");
        assert_eq!(ended.stderr.bytes(), stderr.as_bytes(), "{script}");
        let end = if signal.is_some() { OutputEnd::BrokenOff } else { OutputEnd::Whole };
        assert_eq!((ended.stdout.end(), ended.stderr.end()), (end, end), "{script}");
    }
}

#[test]
fn a_program_gets_its_words_variables_and_folder_and_no_others() {
    let words = call(&["sh", "-c", "echo \"$0|$1|$2\"", "*", "$HOME", "a b; echo c"]);
    assert_eq!(stdout(&words.run().unwrap()), "*|$HOME|a b; echo c\n");

    let own_name = call(&["cat", "/proc/self/cmdline"]).run().unwrap();
    assert_eq!(stdout(&own_name), "cat\0/proc/self/cmdline\0");

    let mut environment = call(&["env"]);
    environment.environment.insert("METATOKEN_LABEL".to_owned(), "brand page=1".to_owned());
    let ended = environment.run().unwrap();
    assert_eq!(stdout(&ended), "METATOKEN_LABEL=brand page=1\nPATH=/usr/bin:/bin\n");

    let bare = Invocation { environment: BTreeMap::new(), ..call(&["/usr/bin/env"]) };
    assert_eq!(stdout(&bare.run().unwrap()), "");
    assert_eq!(stdout(&call(&["pwd"]).run().unwrap()), "/\n");
}

#[test]
fn a_program_inherits_our_umask_and_none_of_our_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("open-in-the-parent");
    let _open = std::fs::File::create(&path).unwrap();
    let open_in = |process: &str| format!("for f in /proc/{process}/fd/*; do readlink $f; done");
    // That the list would show the file is seen by our own.
    let ours = stdout(&run(&open_in(&std::process::id().to_string())));
    assert!(ours.contains("open-in-the-parent"));
    let theirs = stdout(&run(&open_in("$$")));
    assert!(theirs.contains("/dev/null") && !theirs.contains("open-in-the-parent"), "{theirs}");

    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:")).unwrap();
    assert_eq!(stdout(&run("umask")).trim(), umask.trim());
}

#[test]
fn input_arrives_whole_and_need_not_be_read() {
    let million = || Zeroizing::new(vec![b'x'; 1_000_000]);
    let counted = Invocation { stdin: million(), ..shell("wc -c") }.run().unwrap();
    assert_eq!(stdout(&counted).trim(), "1000000");

    let unread = Invocation { stdin: million(), ..shell("exit 4") }.run().unwrap();
    assert_eq!(unread.status.code(), Some(4));

    let hanging = Invocation { stdin: million(), ..shell("exec sleep 60") };
    let ended = run_out_of_time(hanging, GRACE);
    assert!(ended.took < SOON);

    // Both pipes are full at once, so whoever did not read and write at once would hang.
    let echoed = Invocation { stdin: million(), ..call(&["cat"]) }.run().unwrap();
    assert_eq!((echoed.status.code(), echoed.stdout.end()), (Some(0), OutputEnd::Cap));

    assert_eq!(stdout(&run("cat; echo done")), "done\n");
}

#[test]
fn output_is_read_to_its_end_and_kept_to_the_cap() {
    let flood = "head -c 10000000 /dev/zero | tr '\\0' x";
    let ended = run(&format!("{flood}; {flood} >&2; exit 5"));
    assert_eq!(ended.status.code(), Some(5));
    for printed in [&ended.stdout, &ended.stderr] {
        assert_eq!((printed.bytes().len(), printed.end()), (CAP, OutputEnd::Cap));
        assert!(printed.bytes().iter().all(|byte| *byte == b'x'));
    }
    let full = run(&format!("head -c {CAP} /dev/zero"));
    assert_eq!((full.stdout.bytes().len(), full.stdout.end()), (CAP, OutputEnd::Whole));
}

#[test]
fn one_that_runs_on_is_asked_to_end_and_then_killed() {
    let loops = "while :; do sleep 0.02; done";
    let polite = run_out_of_time(shell(&format!("trap 'echo bye; exit 7' TERM; {loops}")), SOON);
    assert_eq!((polite.status.code(), stdout(&polite).as_str()), (Some(7), "bye\n"));
    assert_eq!(polite.stdout.end(), OutputEnd::BrokenOff);

    let plain = run_out_of_time(shell("exec sleep 60"), SOON);
    assert_eq!(plain.status.signal(), Some(15));

    let grace = Duration::from_millis(100);
    let deaf = run_out_of_time(shell(&format!("trap '' TERM; echo up; {loops}")), grace);
    assert_eq!((deaf.status.signal(), stdout(&deaf).as_str()), (Some(9), "up\n"));
    assert!(deaf.took >= SHORT + grace && deaf.took < SOON);
}

#[test]
fn one_that_tidies_up_has_time_to_even_when_the_shell_above_it_is_gone() {
    let tidies = "trap 'sleep 0.2; echo tidy; exit' TERM; while :; do sleep 0.02; done";
    let ended = run_out_of_time(shell(&format!("sh -c \"{tidies}\"; true")), SOON);
    assert_eq!((ended.status.signal(), stdout(&ended).as_str()), (Some(15), "tidy\n"));
}

#[test]
fn what_a_program_leaves_behind_is_killed_and_not_waited_for() {
    for script in ["sleep 60 & echo x", "(trap '' TERM HUP; sleep 60) & echo x"] {
        let begun = Instant::now();
        let ended = run(script);
        // The pipe is at its end, so the one that held it is no more.
        assert_eq!(
            (stdout(&ended).as_str(), ended.stdout.end()),
            ("x\n", OutputEnd::Whole),
            "{script}"
        );
        assert!(begun.elapsed() < SOON, "{script}");
    }
    let hanging = run_out_of_time(shell("(trap '' TERM; sleep 60) & sleep 60"), Duration::ZERO);
    assert!(hanging.took < SOON);
}

#[test]
fn a_daemon_that_keeps_a_pipe_is_not_waited_for() {
    let begun = Instant::now();
    // The shell goes on when the daemon has left the group and says who it is.
    let ended = run("{ setsid sh -c 'echo $$; exec sleep 60' & } | { read pid; echo $pid; }");
    assert!(begun.elapsed() < SOON);
    kill_process(number(&ended), Signal::KILL).unwrap();
    assert_eq!((ended.status.code(), ended.stdout.end()), (Some(0), OutputEnd::Whole));
    assert_eq!((ended.stderr.bytes(), ended.stderr.end()), (&b""[..], OutputEnd::BrokenOff));
}

#[test]
fn no_zombie_stays() {
    let well = number(&run("echo $$"));
    let killed = number(&run_out_of_time(shell("echo $$; exec sleep 60"), Duration::ZERO));
    for child in [well, killed] {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        assert_eq!(waitid(WaitId::Pid(child), look).unwrap_err(), Errno::CHILD);
    }
}

#[test]
fn what_cannot_be_started_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str| folder.path().join(name).display().to_string();
    // Another process writes them: a file that this one has open cannot be run, and a thread that
    // is starting a program at this moment would hold it open.
    let script =
        "cd \"$0\"; echo '#!/nowhere/sh' >lost; echo 'echo x' >bare; chmod +x *; echo >plain";
    assert!(call(&["sh", "-c", script, &of("")]).run().unwrap().status.success());
    let (lost, bare, plain) = (of("lost"), of("bare"), of("plain"));
    let not_executable = format!("cannot be started: `{plain}` is not an executable file");
    for (argv, expected) in [
        (&[][..], "names no program"),
        (&[""], "names no program"),
        (&["bin/sh"], "is neither a name nor an absolute path"),
        (&["/nowhere/sh"], "is not there"),
        (
            &["no-such-program"],
            "is not found in `/usr/bin`, `/bin`; write its whole path, or extend `PATH`",
        ),
        (&[&plain], &not_executable),
        (&[&lost], "cannot be started: the interpreter that it names is not there"),
        (&[&bare], "cannot be started: it is neither a program nor a script that begins with `#!`"),
        (&["true", "a\0b"], "cannot be started: nul byte found in provided data"),
    ] {
        assert_eq!(call(argv).run().unwrap_err().to_string(), expected, "{argv:?}");
    }
    let mut nowhere = call(&["sh"]);
    nowhere.environment.insert("PATH".to_owned(), ":.".to_owned());
    let failure = nowhere.run().unwrap_err().to_string();
    assert_eq!(failure, "is not found: `PATH` names no absolute folder; write its whole path");
}

#[test]
fn nothing_that_is_secret_is_shown() {
    let mut secretive = shell("echo EAAFAKEout; echo EAAFAKEerr >&2; exec sleep 60");
    secretive.stdin = Zeroizing::new(b"EAAFAKEin".to_vec());
    secretive.environment.insert("SECRET".to_owned(), "EAAFAKEvalue".to_owned());
    let shown = format!("{secretive:?}");
    assert!(shown.contains("SECRET") && !shown.contains("EAAFAKE"), "{shown}");
    let failure = Invocation { timeout: SHORT, ..secretive }.run().unwrap_err();
    assert_eq!(failure.to_string(), "did not end within 400ms");
    let shown = format!("{failure:?}");
    assert!(shown.contains("11 bytes") && !shown.contains("EAAFAKE"), "{shown}");
}

#[test]
fn a_program_whose_process_cannot_be_noted_reads_nothing_and_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let got = folder.path().join("got");
    let script = format!("read -r line && echo \"$line\" > {}; sleep 60", got.display());
    let mut call = shell(&script);
    call.stdin = Zeroizing::new(b"EAAFAKE\n".to_vec());
    let mut noted = None;
    let outcome = call.run_noted(|process| {
        assert_eq!(process.survivor(), Some(process.pid));
        noted = Some(process.clone());
        Err("the disk is full")
    });
    let Some(process) = noted else {
        // There is no /proc.
        return;
    };
    assert_eq!(outcome, Err("the disk is full"));
    assert_eq!(process.survivor(), None);
    assert!(!got.exists());
}
