//! The program that prints a secret, and what counts as its answer.
//!
//! Only a program that ended well has answered, and only with text. What it says on standard
//! error may hold the secret, and is not looked at.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::process::{self, CAP, End, Invocation};

/// How long the program may take.
pub const LIMIT: Duration = Duration::from_secs(10);

/// Why the program gave no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    NotRun(process::ProcessError),
    Failed(ExitStatus),
    TooLong,
    NotText,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRun(failure) => failure.fmt(f),
            Self::Failed(status) => write!(f, "failed: {status}"),
            Self::TooLong => write!(f, "printed more than {} KiB", CAP / 1024),
            Self::NotText => f.write_str("printed something that is not UTF-8 text"),
        }
    }
}

/// What the program prints on standard output.
pub fn output(
    words: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<Zeroizing<String>, Failure> {
    let call = Invocation {
        argv: words.to_vec(),
        stdin: Zeroizing::default(),
        environment: environment.clone(),
        timeout: LIMIT,
    };
    answer(call)
}

fn answer(call: Invocation) -> Result<Zeroizing<String>, Failure> {
    let ended = call.run().map_err(Failure::NotRun)?;
    if ended.stdout.end() == End::Cap {
        return Err(Failure::TooLong);
    }
    if !ended.status.success() {
        return Err(Failure::Failed(ended.status));
    }
    let text = std::str::from_utf8(ended.stdout.bytes()).map_err(|_| Failure::NotText)?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["sh", "-c", script].map(str::to_owned).to_vec()
    }

    #[test]
    fn what_it_prints_is_the_secret() {
        let environment = BTreeMap::from([("HOME".to_owned(), "/home/fake".to_owned())]);
        for (script, printed) in [
            ("echo EAAFAKE", "EAAFAKE\n"),
            ("cat; echo done", "done\n"),
            ("echo $HOME", "/home/fake\n"),
        ] {
            assert_eq!(output(&shell(script), &environment).unwrap().as_str(), printed);
        }
    }

    #[test]
    fn a_failure_says_why_and_never_what_was_printed() {
        for (words, expected) in [
            (shell("echo EAAFAKE; echo EAAFAKE >&2; exit 3"), "failed: exit status: 3"),
            (shell("printf '\\377'"), "printed something that is not UTF-8 text"),
            (shell("head -c 70000 /dev/zero"), "printed more than 64 KiB"),
            (shell("head -c 70000 /dev/zero; exit 3"), "printed more than 64 KiB"),
            (vec!["/nowhere/pass".to_owned()], "is not there"),
            (Vec::new(), "names no program"),
        ] {
            assert_eq!(output(&words, &BTreeMap::new()).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn what_was_printed_before_the_time_was_up_is_no_secret() {
        let call = Invocation {
            argv: shell("echo EAAFAKE; exec sleep 60"),
            stdin: Zeroizing::default(),
            environment: BTreeMap::new(),
            timeout: Duration::from_millis(200),
        };
        assert_eq!(answer(call).unwrap_err().to_string(), "did not end within 200ms");
    }
}
