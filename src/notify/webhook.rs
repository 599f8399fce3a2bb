//! A POST to a webhook.

use crate::http::Message;

use super::address::Address;
use super::patience::Miss;
use super::{Form, Messenger, NotSent, Notice, Webhook, answer, chat};

pub(super) fn post(
    webhook: &Webhook,
    notice: &Notice,
    messenger: &Messenger,
) -> Result<(), NotSent> {
    let address = Address::parse(&webhook.url, "webhook")?;
    messenger.patience.insist(|| {
        let message = message(&address, webhook.form, notice)?;
        answer::to(message, &address, "webhook", messenger)
    })
}

fn message(address: &Address, form: Form, notice: &Notice) -> Result<Message, Miss> {
    let message = match form {
        Form::Text => Ok(Message::post(address.url(), chat::body(&notice.text))),
        // A program can tell by the key that it has seen this one.
        Form::Json => Message::post(address.url(), notice.json.clone())
            .with_header("idempotency-key", &notice.id),
    };
    message
        .and_then(|message| message.with_header("content-type", "application/json"))
        .map_err(|error| Miss::hopeless(format!("the id of the notice is no id: {error}")))
}
