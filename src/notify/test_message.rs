//! Sends a test message to channels, so that an operator sees whether each reaches its people.
//!
//! Nothing of it is stored: a test that fails is not a failure of a notification, and one that arrives
//! says nothing of what the channel missed.

use std::collections::BTreeMap;

use serde_json::json;

use super::channel::{self, Channel, Notifier, Webhook, secret};
use super::message::Message;
use super::ping::{Beat, PingAddress, ping};
use super::send;
use crate::config::{ChannelKind, NotifySetting};
use crate::policy::{Health, humanize};
use crate::report::{VERSION, document, time_json};
use crate::session::Session;
use crate::token::{ChannelId, NotificationEvent, Time};

/// How the test of one channel ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelTest {
    /// The channel.
    pub channel: ChannelId,
    /// What it is: `webhook`, `email`, `command` or `ping`.
    pub kind: &'static str,
    /// Why it failed, in one sentence without a secret.
    pub outcome: Result<(), String>,
}

/// Sends a test message to each of these channels at the same time, and requests the URL of a ping.
///
/// Each takes at most as long as a notification: two attempts of five seconds.
pub fn test_channels(session: &Session, settings: &[&NotifySetting]) -> Vec<ChannelTest> {
    let notifier = Notifier::of(session);
    std::thread::scope(|scope| {
        let threads: Vec<_> = settings
            .iter()
            .map(|setting| scope.spawn(|| test(session, setting, &notifier)))
            .collect();
        let ended = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended.map(|test| test.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

fn test(session: &Session, setting: &NotifySetting, notifier: &Notifier) -> ChannelTest {
    let outcome = match &setting.kind {
        ChannelKind::Ping { url, plain_http } => secret(session, url).and_then(|url| {
            let address = PingAddress { url, plain_http: *plain_http };
            ping(&address, Beat::Success, notifier).map_err(|error| error.to_string())
        }),
        _ => channel::open(session, setting, notifier).and_then(|channel| {
            let message = message(&setting.channel, &notifier.machine, session.clock.now());
            send(&channel, &message, notifier)
                .and_then(|()| {
                    if closes(&channel) {
                        send(&channel, &over(&message), notifier)
                    } else {
                        Ok(())
                    }
                })
                .map_err(|error| error.to_string())
        }),
    };
    ChannelTest { channel: setting.channel.clone(), kind: setting.kind.name(), outcome }
}

/// Whether the channel says when something is over in a way of its own: what the test opened is closed.
const fn closes(channel: &Channel) -> bool {
    matches!(channel, Channel::Webhook(Webhook { recovered: Some(_), .. }))
}

/// The message that the test is over.
fn over(message: &Message) -> Message {
    let event = NotificationEvent::Recovered.as_str();
    let text = message.text.replacen("TEST", "TEST, RECOVERED", 1);
    Message { event, text, severity: Health::Ok, ..message.clone() }
}

fn message(channel: &ChannelId, machine: &str, now: Time) -> Message {
    let subject = format!("channel {channel} works, no action needed");
    let id = format!("test-{}", now.timestamp());
    let document = document(&json!({
        "version": VERSION,
        "id": id,
        "event": EVENT,
        "at": time_json(Some(now)),
        "host": machine,
        "summary": subject,
        "deadline": null,
        "owners": [],
        "reason": {"code": EVENT, "severity": "ok", "message": subject, "remedy": "", "labels": []},
        "check": null,
    }));
    let variables = [
        ("ID", id.as_str()),
        ("EVENT", EVENT),
        ("CODE", EVENT),
        ("LABELS", ""),
        ("MESSAGE", &subject),
        ("REMEDY", ""),
        ("OWNER", ""),
        ("DEADLINE", ""),
        ("HOST", machine),
    ]
    .map(|(name, value)| (format!("METATOKEN_{name}"), value.to_owned()));
    Message {
        text: format!(
            "TEST: {subject}\nfrom: metatoken on {machine}, {}, sent by `metatoken notify --test`\n",
            humanize::instant(now)
        ),
        incident: id.clone(),
        // As bad as anything that is not nothing: services refuse what they have no word for.
        severity: Health::Warning,
        labels: String::new(),
        remedy: String::new(),
        id,
        at: now,
        event: EVENT,
        subject,
        json: document,
        variables: BTreeMap::from(variables),
    }
}

/// The event of a test message. No channel can ask for it.
const EVENT: &str = "test";
