//! Posts a message to a webhook, in a body of ours or of the operator's own.

use super::bodies;
use super::channel::{Notifier, Webhook};
use super::message::Message;
use super::retry::{AttemptError, SendError};
use super::secret_url::{self, SecretUrl};
use crate::config::{BodyTemplate, Placeholder, WebhookContent, WebhookFormat};
use crate::http::{BadHeader, HttpRequest};
use crate::token::{NotificationEvent, Secret};

/// Posts a message, again where that may help.
pub fn post(webhook: &Webhook, message: &Message, notifier: &Notifier) -> Result<(), SendError> {
    let post = Post::new(webhook, message)?;
    notifier.retry.run(|| secret_url::send(post.request()?, &post.url, "webhook", notifier))
}

/// What is posted, and where.
struct Post<'a> {
    url: SecretUrl,
    body: String,
    /// By which a program knows a message that it has seen.
    key: Option<&'a str>,
    headers: &'a [(String, Secret)],
}

impl<'a> Post<'a> {
    fn new(webhook: &'a Webhook, message: &'a Message) -> Result<Self, SendError> {
        let is_over = message.event == NotificationEvent::Recovered.as_str();
        let instead = webhook.recovered.as_ref().filter(|_| is_over);
        let url = instead.and_then(|(url, _)| url.as_ref()).unwrap_or(&webhook.url);
        // A service may want the id of what is closed in the address.
        let id = format!("{{{}}}", Placeholder::Id);
        let url = Secret::new(url.expose().replace(&id, &message.incident));
        let secrets = webhook.headers.iter().map(|(_, value)| value.clone());
        let url = SecretUrl::parse(&url, "webhook", webhook.plain_http)?.beside(secrets);
        let own = |template: &BodyTemplate| template.fill(|part| message.part(part));
        let (body, key) = match (&webhook.content, instead.and_then(|(_, body)| body.as_ref())) {
            (_, Some(template)) | (WebhookContent::Body(template), None) => (own(template), None),
            (WebhookContent::Format(format), None) => match format {
                WebhookFormat::Text => (bodies::chat(&message.text), None),
                WebhookFormat::Teams => (bodies::teams(&message.text), None),
                WebhookFormat::GoogleChat => (bodies::google_chat(&message.text), None),
                WebhookFormat::Json => (message.json.clone(), Some(message.id.as_str())),
            },
        };
        Ok(Self { url, body, key, headers: &webhook.headers })
    }

    fn request(&self) -> Result<HttpRequest, AttemptError> {
        let bad = |name: &str, error: BadHeader| {
            AttemptError::permanent(format!("the value of the header `{name}`: {error}"))
        };
        let mut request = HttpRequest::post(self.url.url(), self.body.clone());
        if let Some(key) = self.key {
            let named = request.with_header("idempotency-key", key);
            request = named.map_err(|error| bad("idempotency-key", error))?;
        }
        for (name, value) in self.headers {
            request = request.with_secret_header(name, value).map_err(|error| bad(name, error))?;
        }
        let typed = request.with_header("content-type", "application/json");
        typed.map_err(|error| bad("content-type", error))
    }
}
