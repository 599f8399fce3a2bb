//! Plays a login dialog of the sandbox, whose Graph answers only while a command runs.
//!
//! `login` serves its dialog while it waits for the answer. What `login --print-url` printed is served
//! here, to a browser on this machine; or a person is named, and the form is filled in without one.

use std::time::{Duration, Instant};

use super::refusal::usage;
use crate::cli::DialogArguments;
use crate::error::CliError;
use crate::exit::Exit;
use crate::sandbox::{Call, Sandbox};
use crate::session::Session;

/// How long a person may take in a browser.
const PATIENCE: Duration = Duration::from_mins(10);

/// Plays a dialog to its end.
pub fn play(
    session: &Session,
    sandbox: Option<&Sandbox>,
    given: &DialogArguments,
) -> Result<Exit, CliError> {
    let Some(sandbox) = sandbox else {
        return Err(usage("`dialog` is for the sandbox").hint("add `--sandbox`"));
    };
    // The port was that of the command that printed the address.
    let target = given.address.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let Some((_, target)) = target else {
        return Err(usage("ADDRESS is not that of a login dialog")
            .hint("`metatoken --sandbox login LABEL --print-url` prints one"));
    };
    let target = format!("/{target}");
    let form = match &given.person {
        _ if given.cancel => "decision=cancel".to_owned(),
        Some(person) => {
            let filled = |graph: &mut crate::sandbox::Simulation| {
                graph.filled_in(&target, person, &given.without)
            };
            sandbox.server().with(filled).map_err(|why| usage(&why))?
        }
        None => return serve(session, sandbox, &target),
    };
    let call = Call::new("POST", &target, []).with_form(&form);
    let answer = sandbox.server().answer(&call);
    let place = answer.as_ref().and_then(|answer| answer.header("Location"));
    let Some(place) = place else {
        return Err(usage("the dialog sends the browser nowhere")
            .hint("without `--as`, a browser shows what it says"));
    };
    session.ui.data(&format!("{place}\n"))?;
    Ok(Exit::Ok)
}

/// Serves the dialog until it has sent the browser away.
fn serve(session: &Session, sandbox: &Sandbox, target: &str) -> Result<Exit, CliError> {
    session.ui.say(&format!(
        "Open this address in a browser on this machine:\n\n{}{target}",
        sandbox.url()
    ));
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if sandbox.server().requests().iter().any(|seen| seen.status == Some(302)) {
            session.ui.say("\nThe browser was sent on: its address is the answer");
            return Ok(Exit::Ok);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(usage("there was no login within 10 minutes"))
}
