//! `[[notify]]`: a channel, which is an address, a mail, a program or a ping, and what goes there.

mod mail;

use std::ops::Range;
use std::path::Path;

use serde_spanned::Spanned;

use super::known::NOTIFY;
use super::section::{Given, Section};
use super::{argv, choice, name, secret};
use crate::alert::Form;
use crate::config::mistake::Faults;
use crate::config::source::SecretSource;
use crate::token::NoticeEvent;

pub(in crate::config) use self::mail::{EmailWire, SmtpWire};

/// One channel, as far as it can be read.
#[derive(Debug)]
pub(in crate::config) struct NotifyWire {
    pub(in crate::config) name: Given<String>,
    pub(in crate::config) via: ViaWire,
    pub(in crate::config) events: Given<Vec<NoticeEvent>>,
    pub(in crate::config) labels: Given<Vec<Spanned<String>>>,
}

/// Which of the four it is.
#[derive(Debug)]
pub(in crate::config) enum ViaWire {
    Webhook { url: Spanned<SecretSource>, form: Given<Form> },
    Email(Box<EmailWire>),
    Command(Spanned<Vec<String>>),
    Ping(Spanned<SecretSource>),
}

impl ViaWire {
    /// The one secret that it has, and its key.
    pub(in crate::config) fn secret(&self) -> Option<(&'static str, &SecretSource)> {
        match self {
            Self::Webhook { url, .. } => Some(("webhook", url.get_ref())),
            Self::Ping(url) => Some(("ping", url.get_ref())),
            Self::Email(mail) => {
                let password = mail.smtp.as_ref()?.get_ref().password.as_ref()?;
                Some(("password", password.get_ref()))
            }
            Self::Command(_) => None,
        }
    }
}

/// The keys that say what a channel is.
const KINDS: [&str; 4] = ["webhook", "email", "command", "ping"];

/// The keys that only one of them has, and which.
const OF_ONE: [(&str, &str); 3] = [("format", "webhook"), ("from", "email"), ("smtp", "email")];

const FORMS: &str = "write `webhook = { env = NAME }`, `email = \"NAME@HOST\"`, \
                     `command = [\"PROGRAM\"]` or `ping = { env = NAME }`";

/// Reads the channels in the order of the file.
pub(super) fn read_all(top: &Section<'_>, folder: &Path, faults: &mut Faults) -> Vec<NotifyWire> {
    let sections = top.list("notify", NOTIFY, faults);
    sections.iter().filter_map(|section| read(section, folder, faults)).collect()
}

fn read(section: &Section<'_>, folder: &Path, faults: &mut Faults) -> Option<NotifyWire> {
    let name = name::read(section, faults);
    let events = events(section, faults);
    let labels = section.strings("labels", faults);
    let via = kind(section, faults).and_then(|kind| {
        refuse_strange(section, kind, faults);
        via(section, kind, folder, faults)
    });
    // By a name that is wrong it could seem to be another's double.
    if section.has("name") && name.is_none() {
        return None;
    }
    Some(NotifyWire { name, via: via?, events, labels })
}

/// The one key that says what the channel is.
fn kind(section: &Section<'_>, faults: &mut Faults) -> Option<&'static str> {
    let mut kinds: Vec<(&'static str, Range<usize>)> = KINDS
        .into_iter()
        .filter(|kind| section.has(kind))
        .map(|kind| (kind, section.key_span(kind)))
        .collect();
    kinds.sort_by_key(|(_, span)| span.start);
    match &kinds[..] {
        [(kind, _)] => Some(kind),
        // What was meant is misspelled, and complained of.
        [] if section.has_strangers() => None,
        [] => {
            let message = "a channel needs a `webhook`, an `email`, a `command` or a `ping`";
            faults.add(section.span.clone(), message).label(FORMS);
            None
        }
        [(first, place), others @ ..] => {
            for (other, span) in others {
                faults
                    .add(span.clone(), format!("a channel has `{first}` or `{other}`, not both"))
                    .label("put it into a `[[notify]]` of its own")
                    .earlier(Some(place.clone()));
            }
            None
        }
    }
}

/// Complains of keys that a channel of this kind has no use for.
fn refuse_strange(section: &Section<'_>, kind: &str, faults: &mut Faults) {
    for (key, home) in OF_ONE.into_iter().filter(|(key, home)| *home != kind && section.has(key)) {
        let message = format!("`{key}` goes with `{home}`, not with `{kind}`");
        faults.add(section.key_span(key), message);
    }
    for key in ["events", "labels"].into_iter().filter(|key| kind == "ping" && section.has(key)) {
        faults
            .add(section.key_span(key), "a ping tells of runs, not of tokens")
            .label(format!("leave `{key}` out"));
    }
}

fn via(section: &Section<'_>, kind: &str, folder: &Path, faults: &mut Faults) -> Option<ViaWire> {
    match kind {
        "webhook" => {
            let form = choice::read(section, "format", "format", Form::ALL, faults);
            let url = secret::read(section, "webhook", folder, faults)?;
            Some(ViaWire::Webhook { url, form })
        }
        "email" => mail::read(section, folder, faults).map(Box::new).map(ViaWire::Email),
        "command" => {
            let reason = "a token is never an argument: everybody on this machine could read it";
            argv::read_harmless(section, folder, reason, faults).map(ViaWire::Command)
        }
        _ => secret::read(section, "ping", folder, faults).map(ViaWire::Ping),
    }
}

fn events(section: &Section<'_>, faults: &mut Faults) -> Given<Vec<NoticeEvent>> {
    let words = section.strings("events", faults)?;
    if words.get_ref().is_empty() {
        faults.add(words.span(), "`events` is empty").label("leave it out for all of them");
        return None;
    }
    let events = words.get_ref().iter();
    let events: Vec<NoticeEvent> =
        events.filter_map(|word| choice::one_of(NoticeEvent::ALL, "event", word, faults)).collect();
    Some(Spanned::new(words.span(), events))
}
