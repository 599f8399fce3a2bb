//! `exchange`: takes a new access token from a person for a token that has one.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::CliError;
use crate::exit::Exit;
use crate::policy::Losses;
use crate::run::candidate::IdentityChange;
use crate::run::declared::last_reading;
use crate::run::handed_over::{inspect_handed_over, report_taken};
use crate::run::intake::HandedOver;
use crate::run::tokens::Tokens;
use crate::run::{DryRun, RunOptions, in_a_run};
use crate::session::Session;
use crate::shell;
use crate::token::{Label, TokenType};

/// What was asked for.
#[derive(Debug)]
pub struct ExchangeOrder {
    /// The token.
    pub label: Label,
    /// Where the access token is, if not on standard input.
    pub file: Option<PathBuf>,
    /// Whether it may be worth less than the current one.
    pub losses: Losses,
    /// Whether it may belong to another person.
    pub identity: IdentityChange,
    /// Whether it is a dry run.
    pub dry_run: DryRun,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// Reads a new access token and makes it the current one, long-lived.
pub fn exchange(session: &Session, order: &ExchangeOrder) -> Result<Exit, CliError> {
    if order.label.as_discovered().is_none() {
        // No secret is asked for before the label is known.
        let store = session.reader()?;
        let last = last_reading(&session.config, store.as_ref())?;
        Tokens::new(&session.config, Vec::new(), &last).one(&order.label)?;
    }
    let prompt = format!("the new access token for `{}`", order.label);
    let declared = session.config.token(&order.label).map(|token| token.token_type);
    let wanted = Some(declared.unwrap_or(TokenType::Page));
    let access_token = session
        .read_access_token(order.file.as_deref(), &prompt, wanted)
        .map_err(|refused| refused.hint(format!("then run `{}`", order.typed())))?;
    let handed = HandedOver {
        access_token,
        losses: order.losses,
        identity: order.identity,
        arrival: None,
        finishes: None,
        typed: order.typed(),
    };
    let options = RunOptions::typed("exchange", order.dry_run, order.lock_wait);
    in_a_run(session, options, |run| {
        run.on_token(&order.label, |token, deliveries| {
            let adopted = inspect_handed_over(run, token, handed)?.take(run, deliveries)?;
            report_taken(run, deliveries, vec![adopted])
        })
    })
}

impl ExchangeOrder {
    /// The command that was typed, for hints that repeat it.
    fn typed(&self) -> String {
        let command = format!("metatoken exchange {}", self.label);
        match &self.file {
            Some(file) => format!("{command} --token-file {}", shell::quoted(file)),
            None => command,
        }
    }
}
