//! Runs a program that an access token is delivered to.
//!
//! The program gets the access token on its standard input, without a line end, and what it may want
//! to know of it in its environment; a token is never an argument. Programs alike are run once for
//! all tokens that they serve: then the access tokens come one a line, in the order of
//! `METATOKEN_LABELS`, and the other variables speak of the first.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::SecondsFormat;
use zeroize::Zeroizing;

use super::error::DeliveryError;
use crate::process::{Ended, Invocation, Process, ProcessError};
use crate::token::{
    AccessToken, Arrival, Expiry, Fingerprint, Label, Secret, Time, TokenType, redact,
};

/// What a program is given: an access token, and what it may want to know of it.
#[derive(Debug, Clone)]
pub struct HookInput {
    pub label: Label,
    pub token_type: TokenType,
    /// How it became the current one.
    pub event: Arrival,
    pub expiry: Expiry,
    /// What stands for it.
    pub fingerprint: Fingerprint,
    /// Its number among the token's generations.
    pub generation: u32,
    /// What people call the Page, where Graph told.
    pub page_name: Option<String>,
    pub access_token: AccessToken,
}

impl HookInput {
    /// What a program finds in its environment. One that never expires has an empty date.
    fn variables(&self) -> BTreeMap<String, String> {
        let expires = self.expiry.at().map(|end| end.to_rfc3339_opts(SecondsFormat::Secs, true));
        [
            ("LABEL", self.label.to_string()),
            ("TYPE", self.token_type.to_string()),
            ("EVENT", self.event.to_string()),
            ("EXPIRES_AT", expires.unwrap_or_default()),
            ("FINGERPRINT", self.fingerprint.to_string()),
            ("GENERATION", self.generation.to_string()),
        ]
        .into_iter()
        .chain(self.page_name.as_ref().map(|name| ("PAGE_NAME", printable(name))))
        .map(|(name, value)| (format!("METATOKEN_{name}"), value))
        .collect()
    }
}

/// The text without control characters: a person who may rename the Page chooses it.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Runs a program once for these access tokens, with nothing in its environment but `environment` and
/// our own variables.
///
/// `note` is told its process before it gets an access token. A program that reads an empty standard
/// input was started by a run that was killed in that instant: it got no access token.
pub fn run<E>(
    argv: &[String],
    timeout: Duration,
    inputs: &[&HookInput],
    environment: BTreeMap<String, String>,
    note: impl FnOnce(&Process) -> Result<(), E>,
) -> Result<Result<(), DeliveryError>, E> {
    let name = argv.first().map_or("", String::as_str);
    let call = Invocation {
        argv: argv.to_vec(),
        stdin: access_tokens(inputs),
        environment: variables(inputs, environment),
        timeout,
    };
    Ok(call
        .run_noted(note)?
        .map_err(|failure| not_run(name, &failure))
        .and_then(|ended| judge(name, &ended, inputs)))
}

/// What the end of a program means.
fn judge(name: &str, ended: &Ended, inputs: &[&HookInput]) -> Result<(), DeliveryError> {
    if ended.status.success() {
        return Ok(());
    }
    let how = match ended.status.code() {
        Some(code) => format!("exited with {code}"),
        None => "was killed by a signal".to_owned(),
    };
    let said =
        last_line(&ended.stderr.text(), inputs).or_else(|| last_line(&ended.stdout.text(), inputs));
    let said = said.map_or_else(String::new, |said| format!(": {said}"));
    Err(DeliveryError::new(format!("`{name}` {how}{said}")))
}

/// Returns the failure of a program that an interrupted run left behind and that still runs, itself
/// or what it has started; none of one that has ended.
pub fn still_running(argv: &[String], process: &Process, since: Time) -> Option<DeliveryError> {
    let name = argv.first().map_or("", String::as_str);
    let (survivor, group) = (process.survivor()?, process.pid);
    let since = since.format("%Y-%m-%d %H:%M UTC");
    let what = if survivor == group {
        format!("`{name}` is still running since {since} as process {group}")
    } else {
        format!(
            "`{name}` has exited, but process {survivor} that it left is still running since {since}"
        )
    };
    let error =
        DeliveryError::new(format!("{what}, started by an earlier run; no second one was started"));
    Some(error.hint(format!("wait until it has exited, or kill it: `kill -- -{group}`")))
}

fn not_run(name: &str, failure: &ProcessError) -> DeliveryError {
    let error = DeliveryError::new(format!("`{name}` {failure}"));
    match failure {
        ProcessError::TimedOut { .. } => {
            error.hint("give it a longer `timeout`, or make it faster")
        }
        _ => error.hint("correct `command` in the config"),
    }
}

fn access_tokens(inputs: &[&HookInput]) -> Zeroizing<Vec<u8>> {
    let length = inputs.iter().map(|input| input.access_token.expose().len() + 1).sum();
    // Never grown, so that no copy is left behind.
    let mut all = Zeroizing::new(Vec::with_capacity(length));
    for (place, input) in inputs.iter().enumerate() {
        if place > 0 {
            all.push(b'\n');
        }
        all.extend_from_slice(input.access_token.expose().as_bytes());
    }
    all
}

fn variables(
    inputs: &[&HookInput],
    mut environment: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    if let Some(first) = inputs.first() {
        environment.extend(first.variables());
    }
    let labels: Vec<&str> = inputs.iter().map(|input| input.label.as_str()).collect();
    environment.insert("METATOKEN_LABELS".to_owned(), labels.join(" "));
    environment
}

/// The last line of what a program printed, without our access tokens in it.
fn last_line(printed: &str, inputs: &[&HookInput]) -> Option<String> {
    let line = printed.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    let secrets: Vec<Secret> =
        inputs.iter().map(|input| Secret::new(input.access_token.expose())).collect();
    Some(redact::sentence(line, &secrets))
}
