//! How a person who looks at nothing learns that something is wrong.
//!
//! An alarm is worth what its way to people is worth, so nothing here decides: whoever calls has
//! decided what is to be said, once, and is told whether it got through. A way that is slow or
//! broken costs a run a few seconds and no more: 5 s for a try, from the connection to the last
//! byte, and a second try where the fault may pass.
//!
//! A [`NotSent`] says which host or program did what, and never an address that is a secret: who
//! knows the URL of a webhook can write to it, and who knows that of a ping can keep it quiet.
//! What is said quotes Meta and names of Pages, which others choose: in a chat it rings nobody's
//! bell and hides no link, in a mail it makes no header.

mod address;
mod answer;
mod channel;
mod chat;
mod digest;
mod heartbeat;
mod mail;
mod message;
mod messenger;
mod not_sent;
mod notice;
mod patience;
mod ping;
mod plan;
mod program;
mod route;
mod send;
#[cfg(test)]
mod tests;
mod webhook;

use crate::token::ChannelId;
pub use heartbeat::Heartbeat;
pub use messenger::Messenger;
pub use not_sent::NotSent;
pub use notice::Notice;
pub use patience::Patience;
pub use ping::{Beat, ping};
pub use plan::{channel_reasons, channel_troubles, nobody_told, tell};
pub use route::{Email, Login, MailServer, Route, Webhook};

/// Logs that a channel could not be notified.
fn log_failure(channel: &ChannelId, why: &str) {
    tracing::warn!(event = "notification_failed", target = %channel, "{channel}: {why}");
}

/// Sends a notice by one route, trying again where that may help.
///
/// Takes at most [`Patience::timeout`] for each try and what lies between them; a program that is
/// deaf to SIGTERM takes 2.5 s more.
pub fn send(route: &Route, notice: &Notice, messenger: &Messenger) -> Result<(), NotSent> {
    match route {
        Route::Webhook(webhook) => webhook::post(webhook, notice, messenger),
        Route::Email(email) => mail::send(email, notice, messenger),
        Route::Command(argv) => program::run(argv, notice, messenger),
    }
}
