//! A mail, over SMTP.
//!
//! To this machine's own server on port 25 it goes as it is, like that of every other program here.
//! A password goes nowhere without TLS but to this machine. One address that is refused keeps the
//! notice from nobody else.

mod conversation;
mod letter;
mod line;
mod reply;
mod within;

use lettre::Address;

use self::conversation::{Outcome, Refusal};
use self::letter::Letter;
use self::line::Line;
use super::patience::Miss;
use super::{Email, Messenger, NotSent, Notice};

impl Email {
    /// The sender on a machine of that name if the config names none: `metatoken@` the name.
    pub fn default_from(machine: &str) -> String {
        format!("metatoken@{}", letter::domain(machine))
    }
}

pub(super) fn send(email: &Email, notice: &Notice, messenger: &Messenger) -> Result<(), NotSent> {
    let line = Line::to(&email.server, messenger)?;
    let letter = Letter::write(email, notice, &messenger.machine)?;
    let mut round = Round { waiting: letter.to.clone(), refused: Vec::new(), reached: 0 };
    let end = messenger.patience.insist(|| {
        let (line, letter, waiting) = (line.clone(), letter.clone(), round.waiting.clone());
        let limit = messenger.patience.timeout;
        let outcome = within::limit(limit, move |until, tell| {
            conversation::hold(&line, &letter, &waiting, until, tell);
        });
        round.take(outcome.unwrap_or_else(|| Err(email.server.too_slow(limit)))?)
    });
    round.end(end)
}

/// Who is still to be reached, over all tries.
struct Round {
    waiting: Vec<Address>,
    refused: Vec<String>,
    reached: usize,
}

impl Round {
    fn take(&mut self, outcome: Outcome) -> Result<(), Miss> {
        self.reached += outcome.reached;
        let (passing, lasting): (Vec<Refusal>, Vec<_>) =
            outcome.refused.into_iter().partition(|refusal| refusal.may_pass);
        self.refused.extend(lasting.into_iter().map(|refusal| refusal.why));
        let Some(first) = passing.first() else {
            self.waiting.clear();
            return Ok(());
        };
        let miss = Miss::hopeful(first.why.clone());
        self.waiting = passing.into_iter().map(|refusal| refusal.address).collect();
        Err(miss)
    }

    fn end(self, end: Result<(), NotSent>) -> Result<(), NotSent> {
        let last = end.err().map(|failure| failure.to_string());
        let mut why: Vec<String> = self.refused.into_iter().chain(last).collect();
        why.dedup();
        if why.is_empty() {
            return Ok(());
        }
        let others = if self.reached > 0 { "; it was sent to all others" } else { "" };
        Err(NotSent::new(format!("{}{others}", why.join("; "))))
    }
}
