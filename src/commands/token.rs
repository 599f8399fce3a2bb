//! `token`: the access token in use, and nothing else, on standard output.

use crate::error::CliError;
use crate::exit::Exit;
use crate::run::in_use::{IfDead, access_token_in_use};
use crate::session::Session;
use crate::token::Label;

/// Prints the access token that programs are to use.
pub fn print_token(session: &Session, label: &Label, if_dead: IfDead) -> Result<Exit, CliError> {
    let access_token = access_token_in_use(session, label, if_dead)?;
    session.ui.secret(access_token.expose())?;
    Ok(Exit::Ok)
}
