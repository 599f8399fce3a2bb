//! Reads `[[notify]]`: a channel, which is a webhook, an email, a command or a ping, and what goes there.

mod body;
mod channel;
mod email;
mod labels;
mod webhook;

use serde_json::{Value, json};

pub use self::body::{BodyTemplate, Placeholder};
pub use self::channel::{ChannelKind, NotifySetting};
use self::email::{EmailKeys, EmailRead};
pub use self::email::{Recipients, SmtpSecurity, SmtpSetting, mailbox};
pub use self::labels::Labels;
use self::webhook::WebhookRead;
pub use self::webhook::{WebhookContent, WebhookFormat, WebhookSetting};
use super::address::{Bad, host_of_secret};
use super::command::{describe_argv, harmless};
use super::diagnostic::{Diagnostic, Span, Spanned};
use super::reader::{Ask, Reader, Reading, Section, one_of};
use super::show::{Shown, ValueOrigin};
use super::source::SecretSource;
use super::wording::quoted;
use crate::http::PlainHttp;
use crate::token::{ChannelId, NotificationEvent};

/// A channel as its own table says; its labels are not matched with the tokens yet.
pub struct ChannelRead<'a> {
    section: &'a Section<'a>,
    name: Ask<'a, String>,
    kind: KindRead<'a>,
    plain_http: Ask<'a, PlainHttp>,
    events: Ask<'a, Vec<NotificationEvent>>,
    labels: Ask<'a, Vec<Spanned<String>>>,
}

/// Which of the four kinds it is.
enum KindRead<'a> {
    Webhook(Box<WebhookRead<'a>>),
    Email(Box<EmailRead>),
    Command(Spanned<Vec<String>>),
    Ping(Spanned<SecretSource>),
}

const FORMS: &str = "write `webhook = { env = NAME }`, `email = \"NAME@HOST\"`, \
                     `command = [\"PROGRAM\"]` or `ping = { env = NAME }`";

/// Reads the channels in the order of the file.
pub fn read<'a>(sections: &'a [Section<'a>]) -> Vec<ChannelRead<'a>> {
    sections.iter().filter_map(read_one).collect()
}

fn read_one<'a>(section: &'a Section<'a>) -> Option<ChannelRead<'a>> {
    let name = section.name_of_its_own("What it is called; no two are alike").judged();
    let webhook = webhook::keys(section);
    let to = email::recipients(section);
    let command = section.command("A program that gets the text on its standard input");
    let ping = section.secret("ping", "An address that is called when a run begins and finishes");
    let plain_http =
        section.flag("allow_http", "Whether plain `http` may lead to a private address");
    let plain_http =
        plain_http.map(|allowed| if allowed { PlainHttp::Private } else { PlainHttp::Loopback });
    let from = email::sender(section);
    let smtp = email::server(section);
    let events = section
        .strings("events", "What is notified")
        .and_then(|words, span| events(&words, span))
        .judged();
    let labels = section.strings("labels", "The tokens that it is about; `*` is any characters");
    let labels = labels.judged();

    let kinds = [
        ("webhook", webhook.url.is_present(), webhook.url.key_span()),
        ("email", to.is_present(), to.key_span()),
        ("command", command.is_present(), command.key_span()),
        ("ping", ping.is_present(), ping.key_span()),
    ];
    let kind = kind(section, kinds).and_then(|kind| {
        for (key, span, is_present) in webhook.others() {
            refuse_without(section, (key, span, is_present), "webhook", kind);
        }
        refuse_without(section, of(&from), "email", kind);
        refuse_without(section, of(&smtp), "email", kind);
        if kind != "ping" {
            refuse_without(section, of(&plain_http), "webhook", kind);
        }
        if kind == "ping" {
            refuse_of_ping(section, &events);
            refuse_of_ping(section, &labels);
        }
        match kind {
            "webhook" => webhook.read(section).map(Box::new).map(KindRead::Webhook),
            "email" => {
                EmailKeys { to, from, smtp }.read(section).map(Box::new).map(KindRead::Email)
            }
            "command" => {
                let reason =
                    "a token is never an argument: everybody on this machine could read it";
                harmless(section, command, reason).map(KindRead::Command)
            }
            _ => ping.spanned().map(KindRead::Ping),
        }
    });
    // With an invalid name it could seem to be a duplicate.
    if name.is_wrong() {
        return None;
    }
    Some(ChannelRead { section, name, kind: kind?, plain_http, events, labels })
}

/// Finds the one key that says what the channel is.
fn kind(section: &Section<'_>, kinds: [(&'static str, bool, Span); 4]) -> Option<&'static str> {
    let present = kinds.into_iter().filter(|(_, is_present, _)| *is_present);
    let mut kinds: Vec<(&'static str, Span)> =
        present.map(|(kind, _, span)| (kind, span)).collect();
    kinds.sort_by_key(|(_, span)| *span);
    match &kinds[..] {
        [(kind, _)] => Some(kind),
        // An unknown key is reported already.
        [] if section.has_unknown_keys() => None,
        [] => {
            let message = "a channel needs a `webhook`, an `email`, a `command` or a `ping`";
            section.report(Diagnostic::at(section.span(), message).label(FORMS));
            None
        }
        [(first, place), others @ ..] => {
            for (other, span) in others {
                let message = format!("a channel has `{first}` or `{other}`, not both");
                let wrong = Diagnostic::at(*span, message)
                    .label("put it into a `[[notify]]` of its own")
                    .earlier(Some(*place));
                section.report(wrong);
            }
            None
        }
    }
}

/// Reports a key that only a channel of another kind has.
fn refuse_without(
    section: &Section<'_>,
    (key, span, is_present): (&str, Span, bool),
    home: &str,
    kind: &str,
) {
    if home != kind && is_present {
        let message = format!("`{key}` goes with `{home}`, not with `{kind}`");
        section.report(Diagnostic::at(span, message));
    }
}

/// A key, where it stands, and whether it is there.
fn of<T>(ask: &Ask<'_, T>) -> (&'static str, Span, bool) {
    (ask.key(), ask.key_span(), ask.is_present())
}

fn refuse_of_ping<T>(section: &Section<'_>, ask: &Ask<'_, T>) {
    if ask.is_present() {
        let wrong = Diagnostic::at(ask.key_span(), "a ping reports runs, not tokens");
        section.report(wrong.label(format!("leave `{}` out", ask.key())));
    }
}

/// The events, in one order and each once.
fn events(words: &[Spanned<String>], span: Span) -> Reading<Vec<NotificationEvent>> {
    if words.is_empty() {
        let wrong = Diagnostic::at(span, "`events` is empty");
        return Err(vec![wrong.label("leave it out for all of them")]);
    }
    let (mut named, mut wrong) = (Vec::new(), Vec::new());
    for word in words {
        match one_of(NotificationEvent::ALL, "event", word) {
            Ok(event) => named.push(event),
            Err(diagnostic) => wrong.push(diagnostic),
        }
    }
    let events = NotificationEvent::ALL.iter().copied().filter(|event| named.contains(event));
    if wrong.is_empty() { Ok(events.collect()) } else { Err(wrong) }
}

impl ChannelRead<'_> {
    /// Where its secrets are found, by their keys.
    pub fn secrets(&self) -> Vec<(&'static str, &SecretSource)> {
        match &self.kind {
            KindRead::Webhook(webhook) => webhook.secrets().collect(),
            KindRead::Ping(url) => vec![("ping", &url.value)],
            KindRead::Email(email) => {
                email.password().map(|it| ("password", it)).into_iter().collect()
            }
            KindRead::Command(_) => Vec::new(),
        }
    }
}

/// Names every channel, and refuses two with one name.
pub fn resolve(
    channels: Vec<ChannelRead<'_>>,
    known: &Labels,
    reader: &Reader<'_>,
) -> Vec<NotifySetting> {
    let stated = channels.into_iter().filter_map(|channel| state(channel, known));
    let stated: Vec<Stated> = stated.collect();
    refuse_alike(&stated, reader);
    stated.into_iter().map(|stated| stated.setting).collect()
}

/// A channel, and its place in the file.
struct Stated {
    setting: NotifySetting,
    has_name: bool,
    /// Where its name is, or what it follows from.
    id_span: Span,
}

fn state(channel: ChannelRead<'_>, known: &Labels) -> Option<Stated> {
    let ChannelRead { section, name, kind, plain_http, events, labels } = channel;
    let labels = known.patterns(labels, section);
    let allowed = plain_http.get().copied().unwrap_or(PlainHttp::Loopback);
    let identity = identity(section, &kind, allowed);
    let kind = settle(section, kind, plain_http);
    // For a ping these are not settings, and would be refused when read again.
    let (events, labels) = match kind {
        ChannelKind::Ping { .. } => (Vec::new(), Vec::new()),
        _ => (events.or(NotificationEvent::ALL.to_vec()), labels.or(Vec::new())),
    };
    let identity = identity?;
    let has_name = name.is_present();
    let id_span = if has_name { name.span() } else { identity.span };
    let channel = ChannelId::new(name.or_implied(identity.id, identity.called_by));
    section.show();
    Some(Stated { setting: NotifySetting { channel, kind, events, labels }, has_name, id_span })
}

fn settle(
    section: &Section<'_>,
    kind: KindRead<'_>,
    plain_http: Ask<'_, PlainHttp>,
) -> ChannelKind {
    let table = || ValueOrigin::Table(section.name());
    match kind {
        KindRead::Webhook(webhook) => {
            let plain_http = plain_http.or(PlainHttp::Loopback);
            ChannelKind::Webhook(webhook.settle(section, plain_http))
        }
        KindRead::Email(email) => {
            let (to, from, smtp) = email.settle(section);
            ChannelKind::Email { to, from, smtp }
        }
        KindRead::Command(words) => {
            section.put("command", table, || describe_argv(&words.value));
            ChannelKind::Command(words.value)
        }
        KindRead::Ping(url) => {
            section.put("ping", table, || url.value.shown());
            ChannelKind::Ping { url: url.value, plain_http: plain_http.or(PlainHttp::Loopback) }
        }
    }
}

/// What a channel without a name is called: short, lasting, and never a secret.
struct Identity {
    id: String,
    /// What it follows from.
    called_by: &'static str,
    span: Span,
}

impl Shown for PlainHttp {
    fn shown(&self) -> Value {
        json!(*self == Self::Private)
    }
}

/// What the channel is called; none where its URL is invalid.
fn identity(section: &Section<'_>, kind: &KindRead<'_>, plain_http: PlainHttp) -> Option<Identity> {
    let where_found = "where its address is found";
    let (id, called_by, span) = match kind {
        KindRead::Webhook(webhook) => {
            if let Some(url) = webhook.other_url() {
                let url = Spanned { value: url.clone(), span: webhook.other_span() };
                reference("webhook", &url, plain_http, section)?;
            }
            let url = &webhook.url;
            (reference("webhook", url, plain_http, section)?, where_found, url.span)
        }
        KindRead::Ping(url) => {
            (reference("ping", url, plain_http, section)?, where_found, url.span)
        }
        KindRead::Email(email) => (email.to.value.name(), "its addresses", email.to.span),
        KindRead::Command(words) => {
            let program = words.value.first().cloned().unwrap_or_default();
            (program, "its program", words.span)
        }
    };
    Some(Identity { id, called_by, span })
}

/// The key and where the URL is found; of a literal URL only the host.
fn reference(
    key: &str,
    url: &Spanned<SecretSource>,
    plain_http: PlainHttp,
    section: &Section<'_>,
) -> Option<String> {
    let place = match &url.value {
        SecretSource::Literal(literal) => match host_of_secret(literal.expose(), plain_http) {
            Ok(host) => host.to_owned(),
            Err(bad) => {
                section.report(bad_address(key, bad, plain_http, url.span));
                return None;
            }
        },
        SecretSource::Env(name) | SecretSource::Credential(name) => name.clone(),
        SecretSource::File { path, key: None, .. } => path.display().to_string(),
        SecretSource::File { path, key: Some(key), .. } => format!("{}#{key}", path.display()),
        SecretSource::Command(words) => words.first().cloned().unwrap_or_default(),
    };
    Some(format!("{key} {place}"))
}

fn bad_address(key: &str, bad: Bad, plain_http: PlainHttp, span: Span) -> Diagnostic {
    match (bad, plain_http) {
        (Bad::Form, _) => Diagnostic::at(span, format!("`{key}` is not a valid URL"))
            .label("write `https://HOST/PATH`, or where it is found: `{ env = NAME }`"),
        (Bad::PlainHttp, PlainHttp::Loopback) => {
            Diagnostic::at(span, "plain `http` would show a secret address to the network").label(
                "write `https`; `http` is for loopback, or with `allow_http` for a private host",
            )
        }
        (Bad::PlainHttp, PlainHttp::Private) => {
            let message = "`allow_http` is for a host on a private network";
            Diagnostic::at(span, message).label("write `https`, or an address such as 192.168.1.5")
        }
    }
}

fn refuse_alike(stated: &[Stated], reader: &Reader<'_>) {
    for (at, later) in stated.iter().enumerate() {
        let channel = &later.setting.channel;
        let Some(first) = stated[..at].iter().find(|first| first.setting.channel == *channel)
        else {
            continue;
        };
        let label = if first.has_name && later.has_name {
            "give it another `name`"
        } else {
            "give one of them a `name`"
        };
        let message = format!("two channels are called {}", quoted(channel.as_str()));
        let wrong = Diagnostic::at(later.id_span, message).label(label);
        reader.report(wrong.earlier(Some(first.id_span)));
    }
}
