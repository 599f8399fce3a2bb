//! A program that tells people.
//!
//! It reads the text on standard input and finds the rest in its environment.

use zeroize::Zeroizing;

use crate::process::{Call, Ended, Failure, Printed};
use crate::token::redact;

use super::patience::Miss;
use super::{Messenger, NotSent, Notice};

pub(super) fn run(argv: &[String], notice: &Notice, messenger: &Messenger) -> Result<(), NotSent> {
    let name = argv.first().map_or("", String::as_str);
    messenger.patience.insist(|| match call(argv, notice, messenger).run() {
        Ok(ended) if ended.status.success() => Ok(()),
        Ok(ended) => Err(Miss::hopeful(format!("`{name}` {}", end(&ended)))),
        Err(failure) => Err(not_run(name, &failure)),
    })
}

fn call(argv: &[String], notice: &Notice, messenger: &Messenger) -> Call {
    let mut environment = messenger.environment.clone();
    environment.extend(notice.variables.clone());
    Call {
        argv: argv.to_vec(),
        stdin: Zeroizing::new(notice.text.clone().into_bytes()),
        environment,
        timeout: messenger.patience.timeout,
    }
}

fn end(ended: &Ended) -> String {
    let how = match ended.status.code() {
        Some(code) => format!("ended with {code}"),
        None => "was ended by a signal".to_owned(),
    };
    match last_line(&ended.stderr).or_else(|| last_line(&ended.stdout)) {
        Some(said) => format!("{how}: {said}"),
        None => how,
    }
}

fn last_line(printed: &Printed) -> Option<String> {
    // Of nothing at all, a mark would say that it was broken off.
    if printed.bytes().is_empty() {
        return None;
    }
    let text = printed.text();
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    Some(redact::sentence(line, &[]))
}

/// One that could not be started was not run at all; one that ended nobody knows how may have
/// told people already.
fn not_run(name: &str, failure: &Failure) -> Miss {
    let why = format!("`{name}` {failure}");
    match failure {
        Failure::TimedOut { .. } | Failure::NotStarted { .. } => Miss::hopeful(why),
        _ => Miss::hopeless(why),
    }
}
