//! The channels: every default filled in, every one named, and none that nothing can reach.

mod identity;
mod mail;
mod reach;

use std::ops::Range;

use serde_spanned::Spanned;

use self::reach::Reach;
use super::given_or;
use crate::alert::Form;
use crate::config::mask::quoted;
use crate::config::mistake::Faults;
use crate::config::settings::{NotifySetting, Origin, Origins, Via};
use crate::config::wire::{Given, Named, NotifyWire, TokenWire, ViaWire};
use crate::token::{ChannelId, NoticeEvent, Pattern};

const TABLE: &str = "notify";

/// A channel, and where the file speaks of it.
struct Stated {
    setting: NotifySetting,
    /// What it is called by.
    id_span: Range<usize>,
}

/// The channels in the order of the file.
pub(super) fn resolve(
    wire: &[NotifyWire],
    tokens: &[Named<TokenWire>],
    faults: &mut Faults,
) -> Vec<NotifySetting> {
    let reach = Reach::of(tokens);
    let stated = wire.iter().filter_map(|channel| state(channel, &reach, faults));
    let stated: Vec<Stated> = stated.collect();
    refuse_alike(&stated, faults);
    stated.into_iter().map(|stated| stated.setting).collect()
}

fn state(wire: &NotifyWire, reach: &Reach, faults: &mut Faults) -> Option<Stated> {
    let mut origins = Origins::new();
    let labels = labels(wire, reach, faults);
    let identity = identity::of(&wire.via, faults);
    let via = via(&wire.via, &mut origins, faults);
    let tells_of_tokens = !matches!(via, Via::Ping(_));
    let (events, labels) = if tells_of_tokens {
        let events =
            given_or(events(wire), NoticeEvent::ALL.to_vec(), "events", TABLE, &mut origins);
        (events, given_or(labels, Vec::new(), "labels", TABLE, &mut origins))
    } else {
        (Vec::new(), Vec::new())
    };
    let identity = identity?;
    let id_span = wire.name.as_ref().map_or(identity.span, Spanned::span);
    let channel = given_or(wire.name.clone(), identity.id, "name", TABLE, &mut origins);
    if wire.name.is_none() {
        origins.insert("name", Origin::Implied(identity.called_by));
    }
    let channel = ChannelId::new(channel);
    Some(Stated { setting: NotifySetting { channel, via, events, labels, origins }, id_span })
}

fn via(wire: &ViaWire, origins: &mut Origins, faults: &mut Faults) -> Via {
    let key = match wire {
        ViaWire::Webhook { .. } => "webhook",
        ViaWire::Email(_) => "email",
        ViaWire::Command(_) => "command",
        ViaWire::Ping(_) => "ping",
    };
    origins.insert(key, Origin::Table(TABLE.to_owned()));
    match wire {
        ViaWire::Webhook { url, form } => Via::Webhook {
            url: url.get_ref().clone(),
            form: given_or(form.clone(), Form::Text, "format", TABLE, origins),
        },
        ViaWire::Email(wire) => mail::resolve(wire, origins, faults),
        ViaWire::Command(words) => Via::Command(words.get_ref().clone()),
        ViaWire::Ping(url) => Via::Ping(url.get_ref().clone()),
    }
}

/// What is told, in one order and each once.
fn events(wire: &NotifyWire) -> Given<Vec<NoticeEvent>> {
    let given = wire.events.as_ref()?;
    let events = NoticeEvent::ALL.iter().filter(|event| given.get_ref().contains(event));
    Some(Spanned::new(given.span(), events.copied().collect()))
}

/// A pattern that can match nothing would keep its channel silent for ever.
fn labels(wire: &NotifyWire, reach: &Reach, faults: &mut Faults) -> Given<Vec<Pattern>> {
    let given = wire.labels.as_ref()?;
    let patterns = given.get_ref().iter().map(|typed| {
        let pattern = Pattern::new(typed.get_ref());
        if !reach.has(&pattern) {
            let message = format!("{} is the label of no token", quoted(typed.get_ref()));
            let fault = faults.add(typed.span(), message);
            match reach.nearest(typed.get_ref()) {
                Some(near) => fault.label(format!("did you mean `{near}`?")),
                None => fault.label("`*` stands for any characters: `brand*`"),
            };
        }
        pattern
    });
    Some(Spanned::new(given.span(), patterns.collect()))
}

fn refuse_alike(stated: &[Stated], faults: &mut Faults) {
    let has_name = |stated: &Stated| matches!(stated.setting.origins["name"], Origin::Table(_));
    for (at, later) in stated.iter().enumerate() {
        let channel = &later.setting.channel;
        let Some(first) = stated[..at].iter().find(|first| first.setting.channel == *channel)
        else {
            continue;
        };
        let label = if has_name(first) && has_name(later) {
            "give it another `name`"
        } else {
            "give one of them a `name`"
        };
        faults
            .add(
                later.id_span.clone(),
                format!("two channels are called {}", quoted(channel.as_str())),
            )
            .label(label)
            .earlier(Some(first.id_span.clone()));
    }
}
