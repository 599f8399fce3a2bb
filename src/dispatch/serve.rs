//! Speaks with the HTTP client of `check --format http`, before and beside the command.
//!
//! The request is read before anything else is done: one that is no request costs nothing more. Once it
//! is there, whatever goes wrong is answered too.

use crate::error::CliError;
use crate::exit::{Exit, Verdict};
use crate::http::HttpClient;
use crate::report::{bad_request_body, error_body};
use crate::ui::{OUTPUT_FAILED, OutputFormat, Ui};

/// Reads the request, where there is one to be answered. One that is turned away gives the exit code.
pub fn accept_request(ui: Ui) -> Result<Ui, u8> {
    // A person at a terminal is no client, and is shown what one would get.
    if ui.format != OutputFormat::Http || ui.can_ask() {
        return Ok(ui);
    }
    let mut client = HttpClient::new(std::io::stdin());
    client.request().map(|wanted| ui.answering(wanted)).map_err(|why| {
        let answered = ui.answer(why.status(), &bad_request_body(why.code()));
        client.linger();
        ended(ui, answered)
    })
}

/// Answers that nothing can be told, and says why where the operator reads it.
pub fn answer_error(ui: Ui, complaint: &CliError, verdict: Verdict) -> u8 {
    // A client that could not be answered takes no second answer.
    if complaint.code == OUTPUT_FAILED {
        ui.complain(complaint, Verdict::Unknown.code());
        return Verdict::Unknown.code();
    }
    ui.complain(complaint, verdict.code());
    let answered = ui.answer(503, &error_body(complaint, verdict, ui.now()));
    ended(ui, answered)
}

/// The exit code once a client was answered, or could not be.
fn ended(ui: Ui, answered: Result<(), CliError>) -> u8 {
    match answered {
        Ok(()) => Exit::Ok.code(),
        Err(complaint) => {
            ui.complain(&complaint, Verdict::Unknown.code());
            Verdict::Unknown.code()
        }
    }
}
