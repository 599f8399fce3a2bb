//! Runs a program that notifies people.
//!
//! It reads the text on standard input and finds the rest in its environment.

use zeroize::Zeroizing;

use super::channel::Notifier;
use super::message::Message;
use super::retry::{AttemptError, SendError};
use crate::process::{Ended, Invocation, Printed, ProcessError};
use crate::token::redact;

/// Runs the program, again where that may help.
pub fn run(argv: &[String], message: &Message, notifier: &Notifier) -> Result<(), SendError> {
    let name = argv.first().map_or("", String::as_str);
    notifier.retry.run(|| match call(argv, message, notifier).run() {
        Ok(ended) if ended.status.success() => Ok(()),
        Ok(ended) => Err(AttemptError::transient(format!("`{name}` {}", end(&ended)))),
        Err(failure) => Err(not_run(name, &failure)),
    })
}

fn call(argv: &[String], message: &Message, notifier: &Notifier) -> Invocation {
    let mut environment = notifier.environment.clone();
    environment.extend(message.variables.clone());
    Invocation {
        argv: argv.to_vec(),
        stdin: Zeroizing::new(message.text.clone().into_bytes()),
        environment,
        timeout: notifier.retry.timeout,
    }
}

fn end(ended: &Ended) -> String {
    let how = match ended.status.code() {
        Some(code) => format!("exited with {code}"),
        None => "was killed by a signal".to_owned(),
    };
    match last_line(&ended.stderr).or_else(|| last_line(&ended.stdout)) {
        Some(said) => format!("{how}: {said}"),
        None => how,
    }
}

fn last_line(printed: &Printed) -> Option<String> {
    // The text of no output is a mark that it was cut off.
    if printed.bytes().is_empty() {
        return None;
    }
    let text = printed.text();
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    Some(redact::sentence(line, &[]))
}

/// A program that was not started has sent nothing. One whose end is not known may have sent the
/// message already, so it is not run again.
fn not_run(name: &str, failure: &ProcessError) -> AttemptError {
    let why = format!("`{name}` {failure}");
    match failure {
        ProcessError::TimedOut { .. } | ProcessError::NotStarted { .. } => {
            AttemptError::transient(why)
        }
        _ => AttemptError::permanent(why),
    }
}
