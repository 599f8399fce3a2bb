//! Reads a webhook: its address, what is posted there, and the headers that go with it.

use serde_json::{Map, Value, json};

use super::body::{self, BodyTemplate, Placeholder};
use crate::config::diagnostic::{Diagnostic, Span, Spanned};
use crate::config::reader::{Ask, FoundValue, Section};
use crate::config::show::{Shown, ValueOrigin};
use crate::config::source::SecretSource;
use crate::http::PlainHttp;

/// A URL that takes a POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSetting {
    /// A secret: it is enough to write to the channel.
    pub url: SecretSource,
    /// What is posted.
    pub content: WebhookContent,
    /// Headers of the operator's own.
    pub headers: Vec<HeaderSetting>,
    /// Where it may lead by plain HTTP.
    pub plain_http: PlainHttp,
    /// What is posted instead when something is over.
    pub recovered: Option<RecoveredSetting>,
}

/// What is posted to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookContent {
    /// A body of ours.
    Format(WebhookFormat),
    /// A body of the operator's own.
    Body(BodyTemplate),
}

named! {
    /// What is posted to a webhook.
    pub enum WebhookFormat {
        /// What Slack, Mattermost and Discord show: the text, under the key that each reads.
        Text = "text",
        /// The JSON document.
        Json = "json",
        /// An Adaptive Card, for Microsoft Teams.
        Teams = "teams",
        /// A card of Google Chat.
        GoogleChat = "google-chat",
    }
}

impl Shown for WebhookFormat {
    fn shown(&self) -> Value {
        json!(self.as_str())
    }
}

/// A header, whose value is a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderSetting {
    pub name: String,
    pub value: SecretSource,
}

/// What is posted when something is over; what is not said is as for every message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveredSetting {
    pub url: Option<SecretSource>,
    pub body: Option<BodyTemplate>,
}

impl WebhookSetting {
    /// Where its secrets are found, by their keys.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &SecretSource)> {
        let instead = self.recovered.iter().filter_map(|it| it.url.as_ref());
        let addresses = std::iter::once(&self.url).chain(instead).map(|url| ("webhook", url));
        addresses.chain(self.headers.iter().map(|header| ("headers", &header.value)))
    }

    /// Whether one of its bodies holds what may be a secret.
    pub fn has_a_secret_body(&self) -> bool {
        let own = match &self.content {
            WebhookContent::Body(body) => Some(body),
            WebhookContent::Format(_) => None,
        };
        let instead = self.recovered.as_ref().and_then(|it| it.body.as_ref());
        own.into_iter().chain(instead).any(BodyTemplate::looks_secret)
    }

    /// Whether its messages carry an id by which an alarm and the news that it is over are one: those
    /// whose body has it, or that have another way to say that something is over.
    pub fn has_incidents(&self) -> bool {
        let has_id = match &self.content {
            WebhookContent::Body(body) => body.has(Placeholder::Id),
            WebhookContent::Format(_) => false,
        };
        has_id || self.recovered.is_some()
    }
}

/// The keys of a webhook.
pub struct WebhookKeys<'a> {
    pub url: Ask<'a, SecretSource>,
    pub format: Ask<'a, WebhookFormat>,
    pub body: Ask<'a, BodyTemplate>,
    pub headers: Ask<'a, Vec<HeaderSetting>>,
    pub recovered: Ask<'a, RecoveredSetting>,
}

/// A webhook, as far as it can be read.
pub struct WebhookRead<'a> {
    pub url: Spanned<SecretSource>,
    keys: OtherKeys<'a>,
}

struct OtherKeys<'a> {
    format: Ask<'a, WebhookFormat>,
    body: Ask<'a, BodyTemplate>,
    headers: Ask<'a, Vec<HeaderSetting>>,
    recovered: Ask<'a, RecoveredSetting>,
}

/// Asks for every key of a webhook.
pub fn keys<'a>(section: &'a Section<'a>) -> WebhookKeys<'a> {
    let formats = WebhookFormat::ALL;
    WebhookKeys {
        url: section.secret("webhook", "An address that is posted to"),
        format: section.choice("format", "What is posted to a webhook", "format", formats),
        body: body::template(section, "A JSON text of your own that is posted to a webhook"),
        headers: headers(section),
        recovered: recovered(section),
    }
}

const FORM: &str = "write `headers = { NAME = { env = VARIABLE } }`";

fn headers<'a>(section: &'a Section<'a>) -> Ask<'a, Vec<HeaderSetting>> {
    let sentence = "HTTP headers that go with it, each with a SECRET";
    section.secrets("headers", sentence, FORM).and_then(|headers, _| {
        let (mut read, mut wrong): (Vec<HeaderSetting>, _) = (Vec::new(), Vec::new());
        for (name, value) in headers {
            wrong.extend(bad_header(&name, &value, &read));
            read.push(HeaderSetting { name: name.value, value });
        }
        if wrong.is_empty() { Ok(read) } else { Err(wrong) }
    })
}

/// Headers that say what is sent and how, and the beginning of others.
const OURS: [&str; 13] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn bad_header(
    name: &Spanned<String>,
    value: &SecretSource,
    before: &[HeaderSetting],
) -> Option<Diagnostic> {
    let Spanned { value: text, span } = name;
    let wrong = |message: String, label: &str| Some(Diagnostic::at(*span, message).label(label));
    let is_of_a_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if text.is_empty() || !text.chars().all(is_of_a_token) {
        return wrong("invalid name of a header".to_owned(), "it has letters, digits and `-`");
    }
    if OURS.iter().any(|ours| text.eq_ignore_ascii_case(ours)) {
        return wrong(format!("metatoken sets the header `{text}` itself"), "leave it out");
    }
    if before.iter().any(|header| header.name.eq_ignore_ascii_case(text)) {
        return wrong(format!("the header `{text}` stands here twice"), "leave one of them out");
    }
    match value {
        SecretSource::Literal(value) if !value.expose().chars().all(may_be_in_a_header) => {
            wrong(format!("the value of `{text}` must be on one line, in ASCII"), FORM)
        }
        _ => None,
    }
}

const fn may_be_in_a_header(c: char) -> bool {
    matches!(c, ' '..='~' | '\t')
}

fn recovered<'a>(section: &'a Section<'a>) -> Ask<'a, RecoveredSetting> {
    let about = ("a table", "What is posted instead when something is over");
    let form = "write `recovered = { body = '…' }`";
    let instead = |found: &FoundValue<'_>| Err(vec![found.must_be("a table").label(form)]);
    section.inline("recovered", "`recovered`", about, instead, |recovered| {
        let url = recovered.secret("webhook", "The address for it, if it is another").judged();
        let body = body::template(recovered, "The JSON text for it, if it is another").judged();
        if !url.is_present() && !body.is_present() && !recovered.has_unknown_keys() {
            let message = "`recovered` needs a `body` or a `webhook`";
            recovered.report(Diagnostic::at(recovered.span(), message).label(form));
        }
        Some(RecoveredSetting { url: url.get().cloned(), body: body.get().cloned() })
    })
}

impl Shown for RecoveredSetting {
    fn shown(&self) -> Value {
        let parts = [
            ("webhook", self.url.as_ref().map(Shown::shown)),
            ("body", self.body.as_ref().map(Shown::shown)),
        ];
        let parts = parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Value::Object(parts.collect())
    }
}

fn shown(headers: &[HeaderSetting]) -> Value {
    if headers.is_empty() {
        return Value::Null;
    }
    let headers = headers.iter().map(|header| (header.name.clone(), header.value.shown()));
    Value::Object(headers.collect::<Map<_, _>>())
}

impl<'a> WebhookKeys<'a> {
    /// The keys that only a webhook has, besides its address: each, where it stands, whether it is there.
    pub fn others(&self) -> [(&'static str, Span, bool); 4] {
        let Self { format, body, headers, recovered, .. } = self;
        [
            (format.key(), format.key_span(), format.is_present()),
            (body.key(), body.key_span(), body.is_present()),
            (headers.key(), headers.key_span(), headers.is_present()),
            (recovered.key(), recovered.key_span(), recovered.is_present()),
        ]
    }

    /// Reads the webhook; none if it has no address.
    pub fn read(self, section: &Section<'_>) -> Option<WebhookRead<'a>> {
        let Self { url, format, body, headers, recovered } = self;
        if format.is_present() && body.is_present() {
            let message = "a webhook has `format` or `body`, not both";
            let wrong = Diagnostic::at(body.key_span(), message).label("leave one of them out");
            section.report(wrong.earlier(Some(format.key_span())));
        }
        if recovered.is_present() && !body.is_present() {
            let message = "`recovered` goes with `body`";
            section.report(Diagnostic::at(recovered.key_span(), message));
        }
        let url = url.spanned();
        let keys = OtherKeys { format, body, headers, recovered };
        Some(WebhookRead { url: url?, keys })
    }
}

impl WebhookRead<'_> {
    /// Where its secrets are found, by their keys.
    pub fn secrets(&self) -> impl Iterator<Item = (&'static str, &SecretSource)> {
        let instead = self.keys.recovered.get().and_then(|it| it.url.as_ref());
        let addresses = std::iter::once(&self.url.value).chain(instead).map(|it| ("webhook", it));
        let headers = self.keys.headers.get().into_iter().flatten();
        addresses.chain(headers.map(|header| ("headers", &header.value)))
    }

    /// The address for what is over, if it is another.
    pub fn other_url(&self) -> Option<&SecretSource> {
        self.keys.recovered.get()?.url.as_ref()
    }

    /// Where what is said of what is over stands.
    pub fn other_span(&self) -> Span {
        self.keys.recovered.span()
    }

    /// Reports what is wrong, shows the webhook, and gives it.
    pub fn settle(self, section: &Section<'_>, plain_http: PlainHttp) -> WebhookSetting {
        let Self { url, keys: OtherKeys { format, body, headers, recovered } } = self;
        let table = || ValueOrigin::Table(section.name());
        section.put("webhook", table, || url.value.shown());
        let has_body = body.is_present();
        let content = match body.optional() {
            Some(body) => {
                format.judged();
                WebhookContent::Body(body)
            }
            // Of a body that is wrong that is said already.
            None if has_body => WebhookContent::Format(WebhookFormat::Text),
            None => WebhookContent::Format(format.or(WebhookFormat::Text)),
        };
        let origin = headers.origin_or(ValueOrigin::BuiltIn);
        let headers = headers.judged().get().cloned().unwrap_or_default();
        section.put("headers", || origin, || shown(&headers));
        let recovered = recovered.optional();
        WebhookSetting { url: url.value, content, headers, plain_http, recovered }
    }
}
