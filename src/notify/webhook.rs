//! A POST to a webhook.

use crate::config::WebhookFormat;
use crate::http::Message;

use super::address::Address;
use super::patience::Miss;
use super::{Messenger, NotSent, Notice, Webhook, answer, chat};

pub(super) fn post(
    webhook: &Webhook,
    notice: &Notice,
    messenger: &Messenger,
) -> Result<(), NotSent> {
    let address = Address::parse(&webhook.url, "webhook")?;
    messenger.patience.insist(|| {
        let message = message(&address, webhook.format, notice)?;
        answer::to(message, &address, "webhook", messenger)
    })
}

fn message(address: &Address, format: WebhookFormat, notice: &Notice) -> Result<Message, Miss> {
    let message = match format {
        WebhookFormat::Text => Ok(Message::post(address.url(), chat::body(&notice.text))),
        // A program can tell by the key that it has seen this one.
        WebhookFormat::Json => Message::post(address.url(), notice.json.clone())
            .with_header("idempotency-key", &notice.id),
    };
    message
        .and_then(|message| message.with_header("content-type", "application/json"))
        .map_err(|error| Miss::hopeless(format!("the id of the notice is no id: {error}")))
}
