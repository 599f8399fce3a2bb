//! A notice as a mail.

use std::time::SystemTime;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use lettre::{Address, message};

use super::super::{Email, NotSent, Notice};
use crate::config::mailbox;

/// What of a subject every mail program shows, and no server folds in a way that others do not
/// undo.
const LONGEST_SUBJECT: usize = 150;

/// A mail as it is sent, and between whom.
#[derive(Clone)]
pub(super) struct Letter {
    pub(super) from: Address,
    pub(super) to: Vec<Address>,
    pub(super) bytes: Vec<u8>,
}

impl Letter {
    /// Writes the mail from the machine of that name; the same notice is always the same mail.
    pub(super) fn write(email: &Email, notice: &Notice, machine: &str) -> Result<Self, NotSent> {
        let from = address(&email.from)?;
        let to = email.to.iter().map(|to| address(to)).collect::<Result<Vec<_>, _>>()?;
        let message = to.iter().cloned().fold(head(notice, machine), message::MessageBuilder::to);
        let message = message
            .from(from.clone())
            .singlepart(SinglePart::plain(notice.text.trim_end().to_owned()))
            .map_err(|_| NotSent::new("the mail has nobody to go to"))?;
        let to = to.into_iter().map(|mailbox| mailbox.email).collect();
        Ok(Self { from: from.email, to, bytes: message.formatted() })
    }
}

fn head(notice: &Notice, machine: &str) -> message::MessageBuilder {
    let id: String = notice.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    Message::builder()
        .date(SystemTime::from(notice.at))
        .message_id(Some(format!("<{id}@{}>", domain(machine))))
        .subject(subject(notice))
        // No vacation answers it. Source: RFC 3834.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
}

fn subject(notice: &Notice) -> String {
    let event = notice.event.as_str().to_uppercase();
    let whole = format!("metatoken {event}: {}", notice.subject);
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

fn address(text: &str) -> Result<Mailbox, NotSent> {
    mailbox(text)
        .ok_or_else(|| NotSent::new(format!("`{}` is no mail address", text.escape_debug())))
}

/// A machine's name as the domain of an address; any name, for it is the system's to choose.
pub(super) fn domain(machine: &str) -> String {
    let labels = machine.split('.').map(|label| {
        let kept = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        label.chars().filter(kept).collect::<String>().trim_matches('-').to_owned()
    });
    let domain = labels.filter(|label| !label.is_empty()).collect::<Vec<_>>().join(".");
    if domain.is_empty() { "localhost".to_owned() } else { domain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_has_a_domain() {
        for (machine, expected) in [
            ("web1", "web1"),
            ("web1.example.org", "web1.example.org"),
            ("web_1", "web1"),
            ("-web1-.example..org.", "web1.example.org"),
            ("ö", "localhost"),
            ("", "localhost"),
        ] {
            assert_eq!(domain(machine), expected);
            assert!(mailbox(&Email::default_from(machine)).is_some(), "{machine}");
        }
    }
}
