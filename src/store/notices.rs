//! Keeps what each channel was notified of, and which channels fail.
//!
//! A row is written when a notification got through and not before: a kill in between sends once
//! more under the same number, by which the receiver can recognise it; what fails is sent by the
//! next run.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;

use super::events::NewEvent;
use super::row::{BadCell, Row};
use super::tx::Tx;
use super::tx_error::TxError;
use super::value::{RunId, SqlValue, values};
use super::{Result, Store};
use crate::crypto;
use crate::token::{
    ChannelId, EventKind, Label, NotificationEvent, Notified, Problem, ProblemKind, TargetId, Time,
    Topic, TopicState,
};

/// How long it is remembered that an owner was sent a mail.
const REMEMBERED: TimeDelta = TimeDelta::days(7);

/// A channel, as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRecord {
    /// What the ids of its messages begin with.
    pub uid: String,
    /// How many messages were sent.
    pub sent: u64,
}

/// A notification that got through.
#[derive(Debug, Clone, Copy)]
pub struct SentNotification<'a> {
    /// What the channel was notified of.
    pub notified: &'a [Notified],
    /// What it need not be notified of any more.
    pub over: &'a [Topic],
    /// The incident that it belongs to.
    pub incident: &'a str,
    /// The owner of tokens to whom it was mailed.
    pub owner: Option<&'a str>,
}

/// A channel that failed when it was last tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingChannel {
    /// Its name.
    pub channel: ChannelId,
    /// Since when.
    pub since: Time,
    /// What was wrong, in a sentence.
    pub error: String,
}

impl Store {
    /// Returns the row of a channel, made if there is none.
    pub fn channel(&self, channel: &ChannelId) -> Result<ChannelRecord> {
        let name = channel.as_str().to_owned();
        self.write(move |tx| enrolled(tx, &name))
    }

    /// Returns what a channel was last notified of every cause. Of a cause whose row cannot be read
    /// it is notified once more, which writes the row anew.
    pub fn notified(&self, channel: &ChannelId) -> Result<Vec<Notified>> {
        let name = channel.as_str().to_owned();
        self.read(move |tx| {
            tx.undamaged(
                "SELECT label, code, about, state, deadline, before, message FROM notice
                 WHERE channel = ?1",
                values![&name],
                notified,
            )
        })
    }

    /// Returns the incidents that a channel's causes belong to.
    pub fn incidents(&self, channel: &ChannelId) -> Result<HashMap<Topic, String>> {
        let name = channel.as_str().to_owned();
        let all = self.read(move |tx| {
            tx.undamaged(
                "SELECT label, code, about, incident FROM notice
                 WHERE channel = ?1 AND incident IS NOT NULL",
                values![&name],
                |mut row| Ok((topic(&mut row)?, row.text("notice.incident")?.to_owned())),
            )
        })?;
        Ok(all.into_iter().collect())
    }

    /// Returns how many mails the owner of tokens was sent since then.
    pub fn mails_to(&self, owner: &str, since: Time) -> Result<u64> {
        let owner = owner.to_owned();
        let count = self.read(move |tx| {
            tx.first(
                "SELECT count(*) AS sent FROM owner_mail WHERE owner = ?1 AND at > ?2",
                values![&owner, since],
                |mut row| row.integer("owner_mail.sent"),
            )
        })?;
        Ok(count.unwrap_or_default().unsigned_abs())
    }

    /// Records that a notification got through.
    pub fn note_notified(
        &self,
        channel: &ChannelId,
        sent: SentNotification<'_>,
        now: Time,
    ) -> Result<()> {
        let name = channel.as_str().to_owned();
        let (notified, over) = (sent.notified.to_vec(), sent.over.to_vec());
        let (incident, owner) = (sent.incident.to_owned(), sent.owner.map(str::to_owned));
        self.write_at(now, move |tx| {
            remember(tx, &name, &notified, &over, Some(&incident))?;
            if let Some(owner) = &owner {
                let now = tx.now();
                let before = now - REMEMBERED;
                tx.execute("DELETE FROM owner_mail WHERE at < ?1", values![before])?;
                tx.execute(
                    "INSERT INTO owner_mail (owner, at) VALUES (?1, ?2)",
                    values![owner, now],
                )?;
            }
            tx.execute(
                "UPDATE channel SET sent = sent + 1, failed_at = NULL, error = NULL
                 WHERE name = ?1",
                values![&name],
            )
        })
    }

    /// Records what a channel does not want to be notified of.
    pub fn note_unwanted(
        &self,
        channel: &ChannelId,
        notified: &[Notified],
        over: &[Topic],
        now: Time,
    ) -> Result<()> {
        if notified.is_empty() && over.is_empty() {
            return Ok(());
        }
        let name = channel.as_str().to_owned();
        let (notified, over) = (notified.to_vec(), over.to_vec());
        self.write_at(now, move |tx| remember(tx, &name, &notified, &over, None))
    }

    /// Records that a channel failed. The history has an event for each way in which it does.
    pub fn note_channel_failure(
        &self,
        run: RunId,
        channel: &ChannelId,
        error: &str,
        now: Time,
    ) -> Result<()> {
        let (name, error) = (channel.as_str().to_owned(), error.to_owned());
        self.write_at(now, move |tx| fail(tx, run, &name, &error))
    }

    /// Records that a channel that tells of runs works again.
    pub fn note_channel_works(&self, channel: &ChannelId) -> Result<()> {
        let name = channel.as_str().to_owned();
        self.write(move |tx| {
            tx.execute(
                "UPDATE channel SET failed_at = NULL, error = NULL
                 WHERE name = ?1 AND error IS NOT NULL",
                values![&name],
            )
        })
    }

    /// Returns the channels whose last message failed.
    pub fn failing_channels(&self) -> Result<Vec<FailingChannel>> {
        self.read(|tx| {
            tx.all(
                "SELECT name, failed_at, error FROM channel WHERE error IS NOT NULL
                 ORDER BY name",
                &[],
                failing,
            )
        })
    }

    /// Forgets every channel but these. Where there is none, nothing is written.
    pub fn forget_channels_but(&self, kept: &[ChannelId]) -> Result<()> {
        let known = self.read(|tx| {
            tx.all("SELECT name FROM channel", &[], |mut row| {
                Ok(row.maybe_raw_text("channel.name")?.unwrap_or_default().to_vec())
            })
        })?;
        let kept: HashSet<&[u8]> = kept.iter().map(|it| it.as_str().as_bytes()).collect();
        let gone: Vec<Vec<u8>> =
            known.into_iter().filter(|name| !kept.contains(name.as_slice())).collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.write(move |tx| {
            for name in &gone {
                let name = &[SqlValue::Text(name)];
                tx.execute("DELETE FROM notice WHERE channel = ?1", name)?;
                tx.execute("DELETE FROM channel WHERE name = ?1", name)?;
            }
            Ok(())
        })
    }
}

fn enrolled(tx: &mut dyn Tx, name: &str) -> Result<ChannelRecord, TxError> {
    let uid = crypto::hex(&crypto::random::<6>());
    tx.execute(
        "INSERT INTO channel (name, uid) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
        values![name, &uid],
    )?;
    let channel =
        tx.first("SELECT uid, sent FROM channel WHERE name = ?1", values![name], |mut row| {
            Ok(ChannelRecord {
                uid: row.prose("channel.uid")?.unwrap_or_default(),
                sent: row.integer("channel.sent")?.unsigned_abs(),
            })
        })?;
    channel.ok_or(TxError::Absent("channel"))
}

fn fail(tx: &mut dyn Tx, run: RunId, name: &str, error: &str) -> Result<(), TxError> {
    enrolled(tx, name)?;
    let known =
        tx.first("SELECT error FROM channel WHERE name = ?1", values![name], |mut row| {
            row.prose("channel.error")
        })?;
    let now = tx.now();
    tx.execute(
        "UPDATE channel SET error = ?2, failed_at = coalesce(failed_at, ?3) WHERE name = ?1",
        values![name, error, now],
    )?;
    if known.flatten().as_deref() == Some(error) {
        return Ok(());
    }
    let problem = Problem::new(ProblemKind::Unknown, error);
    NewEvent::of_none(EventKind::NotificationFailed, now)
        .because(Some(&problem))
        .to(&TargetId::new(name))
        .write(tx, run)
}

fn failing(mut row: Row<'_>) -> Result<FailingChannel, BadCell> {
    let channel = ChannelId::new(row.prose("channel.name")?.unwrap_or_default());
    // That it fails is known even where the time cannot be read.
    let since = row.time("channel.failed_at").unwrap_or(Time::UNIX_EPOCH);
    let error = row.prose("channel.error")?.unwrap_or_default();
    Ok(FailingChannel { channel, since, error })
}

fn remember(
    tx: &mut dyn Tx,
    channel: &str,
    notified: &[Notified],
    over: &[Topic],
    incident: Option<&str>,
) -> Result<(), TxError> {
    for topic in over {
        tx.execute(
            "DELETE FROM notice WHERE channel = ?1 AND label = ?2 AND code = ?3 AND about = ?4",
            values![channel, label(topic), &topic.code, about(topic)],
        )?;
    }
    let now = tx.now();
    for notified in notified {
        let (state, deadline, before) = state(notified.state);
        let topic = &notified.topic;
        tx.execute(
            "INSERT INTO notice
                 (channel, label, code, about, state, deadline, before, message, told_at, incident)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (channel, label, code, about) DO UPDATE SET
                 state = excluded.state, deadline = excluded.deadline,
                 before = excluded.before, message = excluded.message,
                 told_at = excluded.told_at, incident = coalesce(excluded.incident, incident)",
            values![
                channel,
                label(topic),
                &topic.code,
                about(topic),
                state,
                deadline,
                before,
                &notified.message,
                now,
                incident,
            ],
        )?;
    }
    Ok(())
}

fn label(topic: &Topic) -> &str {
    topic.label.as_ref().map_or("", Label::as_str)
}

fn about(topic: &Topic) -> &str {
    topic.about.as_deref().unwrap_or_default()
}

fn state(state: TopicState) -> (&'static str, Option<i64>, Option<i64>) {
    match state {
        TopicState::Stands(event) => (event.as_str(), None, None),
        TopicState::Reminded { deadline, before } => (
            NotificationEvent::Reminder.as_str(),
            Some(deadline.timestamp()),
            Some(before.num_seconds()),
        ),
    }
}

fn topic(row: &mut Row<'_>) -> Result<Topic, BadCell> {
    Ok(Topic {
        label: row.maybe_label("notice.label")?,
        code: row.text("notice.code")?.to_owned(),
        about: row.maybe_text("notice.about")?.filter(|about| !about.is_empty()).map(str::to_owned),
    })
}

fn notified(mut row: Row<'_>) -> Result<Notified, BadCell> {
    let topic = topic(&mut row)?;
    let event = row.named("notice.state", NotificationEvent::from_name)?;
    let date = (row.maybe_time("notice.deadline")?, row.maybe_integer("notice.before")?);
    let state = match date {
        (Some(deadline), Some(before)) => TopicState::Reminded {
            deadline,
            before: TimeDelta::try_seconds(before).unwrap_or_default(),
        },
        _ => TopicState::Stands(event),
    };
    Ok(Notified { topic, state, message: row.prose("notice.message")?.unwrap_or_default() })
}
