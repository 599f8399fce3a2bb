//! `token`: the access token in use, or an earlier one, and nothing else, on standard output.

use crate::error::CliError;
use crate::exit::Exit;
use crate::run::in_use::{HandedOut, access_token_in_use, earlier_access_token};
use crate::session::Session;
use crate::token::Label;

/// Prints the access token that programs are to use, or that of an earlier generation.
pub fn print_token(
    session: &Session,
    label: &Label,
    generation: Option<u32>,
    wanted: HandedOut,
) -> Result<Exit, CliError> {
    let access_token = match generation {
        None => access_token_in_use(session, label, wanted)?,
        Some(number) => earlier_access_token(session, label, number, wanted)?,
    };
    session.ui.secret(access_token.expose())?;
    Ok(Exit::Ok)
}
