//! Writes a message as an email and sends it over SMTP.
//!
//! To this machine's own server on port 25 it goes as it is, like that of every other program here.
//! A password goes nowhere without TLS but to this machine. A recipient that is refused keeps the
//! email from no other.

use std::time::SystemTime;

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, SinglePart};

use super::channel::{EmailChannel, Notifier};
use super::message::Message;
use super::retry::{AttemptError, SendError};
use super::smtp::{Email, RefusedRecipient, SmtpOutcome, SmtpRoute};
use crate::config::mailbox;

/// Sends a message to every recipient, again to those that were refused for now.
pub fn send(
    channel: &EmailChannel,
    message: &Message,
    notifier: &Notifier,
) -> Result<(), SendError> {
    let transport = SmtpRoute::to(&channel.server, notifier)?;
    let email = write(channel, message)?;
    let mut recipients = Recipients { waiting: email.to.clone(), refused: Vec::new(), reached: 0 };
    let sent = notifier.retry.run(|| {
        let outcome = transport.send(&email, &recipients.waiting, notifier.retry.timeout)?;
        recipients.take(outcome)
    });
    recipients.end(sent)
}

/// The recipients, over all attempts.
struct Recipients {
    waiting: Vec<Address>,
    refused: Vec<String>,
    reached: usize,
}

impl Recipients {
    fn take(&mut self, outcome: SmtpOutcome) -> Result<(), AttemptError> {
        self.reached += outcome.reached;
        let (transient, permanent): (Vec<RefusedRecipient>, Vec<_>) =
            outcome.refused.into_iter().partition(|refusal| refusal.is_transient);
        self.refused.extend(permanent.into_iter().map(|refusal| refusal.why));
        let Some(first) = transient.first() else {
            self.waiting.clear();
            return Ok(());
        };
        let error = AttemptError::transient(first.why.clone());
        self.waiting = transient.into_iter().map(|refusal| refusal.address).collect();
        Err(error)
    }

    fn end(self, sent: Result<(), SendError>) -> Result<(), SendError> {
        let last = sent.err().map(|error| error.to_string());
        let mut why: Vec<String> = self.refused.into_iter().chain(last).collect();
        why.dedup();
        if why.is_empty() {
            return Ok(());
        }
        let others = if self.reached > 0 { "; it was sent to all others" } else { "" };
        Err(SendError::new(format!("{}{others}", why.join("; "))))
    }
}

/// Every mail program shows a subject of this length, and no server folds it for good.
const LONGEST_SUBJECT: usize = 150;

/// Writes a message as an email; the same message is always the same email.
fn write(channel: &EmailChannel, message: &Message) -> Result<Email, SendError> {
    let from = address(&channel.from)?;
    let to = channel.to.iter().map(|to| address(to)).collect::<Result<Vec<_>, _>>()?;
    let head = to.iter().cloned().fold(head(message, &channel.id_domain), MessageBuilder::to);
    let email = head
        .from(from.clone())
        .singlepart(SinglePart::plain(message.text.trim_end().to_owned()))
        .map_err(|_| SendError::new("the mail has no recipient"))?;
    let to = to.into_iter().map(|mailbox| mailbox.email).collect();
    Ok(Email { from: from.email, to, bytes: email.formatted() })
}

fn head(message: &Message, domain: &str) -> MessageBuilder {
    let id: String =
        message.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    lettre::Message::builder()
        .date(SystemTime::from(message.at))
        .message_id(Some(format!("<{id}@{domain}>")))
        .subject(subject(message))
        // No out-of-office reply answers it. Source: RFC 3834.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
}

fn subject(message: &Message) -> String {
    let event = message.event.to_uppercase();
    let whole = format!("metatoken {event}: {}", message.subject);
    // A line break would begin another header.
    let words: Vec<&str> = whole
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect();
    let line = words.join(" ");
    if line.chars().count() <= LONGEST_SUBJECT {
        return line;
    }
    line.chars().take(LONGEST_SUBJECT - 1).chain(['…']).collect()
}

fn address(text: &str) -> Result<Mailbox, SendError> {
    mailbox(text)
        .ok_or_else(|| SendError::new(format!("`{}` is not a mail address", text.escape_debug())))
}
