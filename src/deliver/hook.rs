//! A string's way into a program.
//!
//! The program gets the string on its standard input, without a line's end, and what it may want
//! to know of it in its environment; a token is never an argument. Programs alike are run once for
//! all tokens that they serve: then the strings come one a line, in the order of
//! `METATOKEN_LABELS`, and the other variables speak of the first.

use std::collections::BTreeMap;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{Fault, Parcel};
use crate::process::{Ended, Invocation, Process, ProcessError};
use crate::token::{Secret, Time, redact};

/// Runs a program once for these strings, with nothing in its environment but `environment` and
/// our own variables.
///
/// `note` is told its process before it gets a string. A program that reads an empty standard
/// input was started by a run that was killed in that instant: it got no string.
pub fn hand_over<E>(
    argv: &[String],
    timeout: Duration,
    parcels: &[&Parcel],
    environment: BTreeMap<String, String>,
    note: impl FnOnce(&Process) -> Result<(), E>,
) -> Result<Result<(), Fault>, E> {
    let name = argv.first().map_or("", String::as_str);
    let call = Invocation {
        argv: argv.to_vec(),
        stdin: strings(parcels),
        environment: variables(parcels, environment),
        timeout,
    };
    Ok(call
        .run_noted(note)?
        .map_err(|failure| not_run(name, &failure))
        .and_then(|ended| judge(name, &ended, parcels)))
}

/// What the end of a program means.
fn judge(name: &str, ended: &Ended, parcels: &[&Parcel]) -> Result<(), Fault> {
    if ended.status.success() {
        return Ok(());
    }
    let how = match ended.status.code() {
        Some(code) => format!("ended with {code}"),
        None => "was ended by a signal".to_owned(),
    };
    let said = last_words(&ended.stderr.text(), parcels)
        .or_else(|| last_words(&ended.stdout.text(), parcels));
    let said = said.map_or_else(String::new, |said| format!(": {said}"));
    Err(Fault::new(format!("`{name}` {how}{said}")))
}

/// The failure of a program that an interrupted run left behind and that still runs, itself or what
/// it has started; none of one that has ended.
pub fn still_running(argv: &[String], process: &Process, since: Time) -> Option<Fault> {
    let name = argv.first().map_or("", String::as_str);
    let (survivor, group) = (process.survivor()?, process.pid);
    let since = since.format("%Y-%m-%d %H:%M UTC");
    let what = if survivor == group {
        format!("`{name}` is still running since {since} as process {group}")
    } else {
        format!(
            "`{name}` has ended, but process {survivor} that it left is still running since {since}"
        )
    };
    let fault = Fault::new(format!("{what}, started by an earlier run; no second one was started"));
    Some(fault.hint(format!("wait until it has ended, or end it: `kill -- -{group}`")))
}

fn not_run(name: &str, failure: &ProcessError) -> Fault {
    let fault = Fault::new(format!("`{name}` {failure}"));
    match failure {
        ProcessError::TimedOut { .. } => fault.hint("give it a longer `timeout`, or mend it"),
        _ => fault.hint("mend `command` in the config"),
    }
}

fn strings(parcels: &[&Parcel]) -> Zeroizing<Vec<u8>> {
    let length = parcels.iter().map(|parcel| parcel.string.expose().len() + 1).sum();
    // Never grown, so that no copy is left behind.
    let mut all = Zeroizing::new(Vec::with_capacity(length));
    for (place, parcel) in parcels.iter().enumerate() {
        if place > 0 {
            all.push(b'\n');
        }
        all.extend_from_slice(parcel.string.expose().as_bytes());
    }
    all
}

fn variables(
    parcels: &[&Parcel],
    mut environment: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    if let Some(first) = parcels.first() {
        environment.extend(first.variables());
    }
    let labels: Vec<&str> = parcels.iter().map(|parcel| parcel.label.as_str()).collect();
    environment.insert("METATOKEN_LABELS".to_owned(), labels.join(" "));
    environment
}

/// The last line of what a program printed, without our strings in it.
fn last_words(printed: &str, parcels: &[&Parcel]) -> Option<String> {
    let line = printed.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    let secrets: Vec<Secret> =
        parcels.iter().map(|parcel| Secret::new(parcel.string.expose())).collect();
    Some(redact::sentence(line, &secrets))
}
