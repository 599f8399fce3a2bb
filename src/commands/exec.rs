//! `exec`: replaces the process by a program that has the access token.
//!
//! The program keeps the access token of its start. It sees no other secret that the config names.

use std::ffi::OsString;
use std::path::Path;

use crate::error::CliError;
use crate::exit::Exit;
use crate::process::{Descriptor, NotStarted, Replacement};
use crate::run::in_use::{HandedOut, IfAdmins, IfDead, access_token_in_use};
use crate::session::Session;
use crate::token::{AccessToken, Label};
use crate::ui::Ui;

/// The variable that holds the access token unless another is named.
pub const VARIABLE: &str = "META_ACCESS_TOKEN";

/// What is to be run, and how it gets the access token.
#[derive(Debug)]
pub struct ExecOrder {
    /// The token.
    pub label: Label,
    /// How the program gets it.
    pub way: TokenWay,
    /// What is done with a dead one.
    pub if_dead: IfDead,
    /// The program and its arguments.
    pub argv: Vec<OsString>,
}

/// How a program gets access tokens.
#[derive(Debug)]
pub enum TokenWay {
    /// In variables, each with the token that it holds.
    Variables(Vec<(String, Label)>),
    /// On standard input, without a line end.
    StandardInput,
    /// Ready to be read from this descriptor, without a line end.
    Descriptor(u32),
}

/// Runs the program in place of this process; returns only where it cannot be started.
pub fn exec(session: &Session, order: &ExecOrder) -> Result<u8, CliError> {
    let descriptor = match order.way {
        TokenWay::Descriptor(number) => Some(claim(number)?),
        TokenWay::Variables(_) | TokenWay::StandardInput => None,
    };
    let wanted = HandedOut { if_dead: order.if_dead, if_admins: IfAdmins::Refuse };
    let reveal = |label: &Label| access_token_in_use(session, label, wanted);
    let (variables, input): (Vec<(String, AccessToken)>, Option<AccessToken>) = match &order.way {
        TokenWay::Variables(variables) => {
            let one = |(name, label): &(String, Label)| Ok((name.clone(), reveal(label)?));
            (variables.iter().map(one).collect::<Result<_, CliError>>()?, None)
        }
        TokenWay::StandardInput | TokenWay::Descriptor(_) => {
            (Vec::new(), Some(reveal(&order.label)?))
        }
    };
    let failed = Replacement {
        argv: &order.argv,
        removed: session.config.hidden_from_programs(&session.environment),
        variables: variables.iter().map(|(name, it)| (name.as_str(), it.expose())).collect(),
        input: input.as_ref().map(AccessToken::expose),
        descriptor,
    }
    .run();
    Ok(not_started(&session.ui, &order.argv[0], &failed))
}

fn claim(number: u32) -> Result<Descriptor, CliError> {
    Descriptor::claim(number).map_err(|(why, free)| {
        CliError::new(Exit::Usage, "usage", format!("--fd {number}"), why)
            .hint(format!("name a descriptor that is free, such as `--fd {free}`; `--stdin` is 0"))
    })
}

/// Says why, and gives the code by which a shell tells it.
fn not_started(ui: &Ui, program: &OsString, failed: &NotStarted) -> u8 {
    let code = failed.code();
    let name = program.to_string_lossy().into_owned();
    let complaint = match failed {
        NotStarted::Absent => {
            CliError::new(Exit::Failed, "program_missing", name, "command not found")
                .hint("name a program that is in `PATH`, or its path")
        }
        NotStarted::Barred(error) => {
            let message = format!("cannot be run: {error}");
            let hint = if Path::new(program).is_dir() {
                "it is a folder: name a program in it"
            } else {
                "name a file that you may execute: `chmod +x FILE`"
            };
            CliError::new(Exit::Failed, "program_barred", name, message).hint(hint)
        }
    };
    ui.complain(&complaint, code);
    code
}
