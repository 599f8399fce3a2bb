//! Programs that tell people.

use super::*;

fn shell(script: &str, arguments: &[&str]) -> Channel {
    let argv = ["sh", "-c", script].into_iter().chain(arguments.iter().copied());
    Channel::Command(argv.map(str::to_owned).collect())
}

fn run(script: &str, arguments: &[&str]) -> Result<(), SendError> {
    let path = ("PATH".to_owned(), "/usr/bin:/bin".to_owned());
    let environment = BTreeMap::from([path, ("METATOKEN_EVENT".to_owned(), "ours".to_owned())]);
    let notifier = notifier().with_environment(environment);
    send(&shell(script, arguments), &message(), &notifier)
}

/// A file to which a program adds a line each time.
struct Diary(tempfile::TempDir);

impl Diary {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> String {
        self.0.path().join("diary").display().to_string()
    }

    fn read(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }
}

#[test]
fn a_program_reads_the_text_and_finds_the_rest_in_its_environment() {
    let diary = Diary::new();
    run("{ cat; env | grep -E '^(METATOKEN|PATH)' | sort; } >>\"$0\"", &[&diary.path()]).unwrap();
    let expected = format!("{}METATOKEN_EVENT=critical\nPATH=/usr/bin:/bin\n", message().text);
    assert_eq!(diary.read(), expected);
}

#[test]
fn one_that_fails_is_run_once_more_and_its_last_words_are_told() {
    for (script, expected) in [
        ("echo x >>$0; exit 3", "`sh` exited with 3"),
        ("echo x >>$0; echo first >&2; echo last >&2; exit 1", "`sh` exited with 1: last"),
        ("echo x >>$0; echo out; exit 1", "`sh` exited with 1: out"),
        (
            "echo x >>$0; echo access_token=EAAFAKEtoken12345 >&2; exit 1",
            "`sh` exited with 1: access_token=[redacted]",
        ),
        ("echo x >>$0; kill -9 $$", "`sh` was killed by a signal"),
    ] {
        let diary = Diary::new();
        assert_eq!(sentence(run(script, &[&diary.path()])), expected);
        assert_eq!(diary.read(), "x\nx\n", "{script}");
    }
    let diary = Diary::new();
    run("echo x >>$0; test $(wc -l <$0) = 2", &[&diary.path()]).unwrap();
}

#[test]
fn one_that_runs_on_is_ended_and_one_that_is_not_there_is_sought_once() {
    let begun = Instant::now();
    let path = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
    let hasty = notifier().with_retry_policy(HASTY).with_environment(path);
    let why = sentence(send(&shell("exec sleep 60", &[]), &message(), &hasty));
    assert_eq!(why, "`sh` did not end within 300ms");
    assert!(begun.elapsed() >= 2 * SHORT && begun.elapsed() < SOON);

    let lost = Channel::Command(vec!["/nowhere/program".to_owned()]);
    let slow = SendPolicy { pause: AMPLE, ..PATIENT };
    let begun = Instant::now();
    let why = sentence(send(&lost, &message(), &notifier().with_retry_policy(slow)));
    assert_eq!(why, "`/nowhere/program` is not there");
    assert!(begun.elapsed() < SOON);
}
