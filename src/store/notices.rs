//! Stores what each channel was notified of, and whether it works.
//!
//! A row is written when a message was sent and not before: after a kill in between it is sent once
//! more with the same id, by which its receiver knows it; what failed is sent by the next run.

use rusqlite::{Connection, OptionalExtension as _};

use chrono::TimeDelta;

use super::columns::Cells;
use super::events::Entry;
use super::runs::RunId;
use super::{Result, Store};
use crate::token::{
    ChannelId, EventKind, Label, NotificationEvent, Notified, Problem, ProblemKind, TargetId, Time,
    Topic, TopicState,
};

/// A channel's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRecord {
    /// What the ids of its messages begin with.
    pub uid: String,
    /// How many messages were sent.
    pub sent: u64,
}

/// A channel whose last message failed.
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
    /// The row of a channel, made if there is none.
    pub fn channel(&self, channel: &ChannelId) -> Result<ChannelRecord> {
        let name = channel.as_str().to_owned();
        self.write(move |connection| Ok(enrolled(connection, &name)?))
    }

    /// What a channel was last notified of every cause. Of a cause whose row cannot be read it is
    /// notified once more, which writes the row anew.
    pub fn notified(&self, channel: &ChannelId) -> Result<Vec<Notified>> {
        let name = channel.as_str().to_owned();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT label, code, about, state, deadline, before, message FROM notice
                 WHERE channel = ?1",
            )?;
            let rows = statement.query_map([name], |row| Ok(notified(row).ok()))?;
            Ok(rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Stores that a message was sent: what the channel was notified of by it, and which causes are
    /// over.
    pub fn note_notified(
        &self,
        channel: &ChannelId,
        notified: &[Notified],
        over: &[Topic],
        now: Time,
    ) -> Result<()> {
        let name = channel.as_str().to_owned();
        let (notified, over) = (notified.to_vec(), over.to_vec());
        self.write(move |connection| {
            remember(connection, &name, &notified, &over, now)?;
            connection.execute(
                "UPDATE channel SET sent = sent + 1, failed_at = NULL, error = NULL
                 WHERE name = ?1",
                [name],
            )?;
            Ok(())
        })
    }

    /// Stores what a channel does not want to be notified of.
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
        self.write(move |connection| Ok(remember(connection, &name, &notified, &over, now)?))
    }

    /// Stores that a channel failed. Each different error is an event of the history.
    pub fn note_channel_failure(
        &self,
        run: RunId,
        channel: &ChannelId,
        error: &str,
        now: Time,
    ) -> Result<()> {
        let (name, error) = (channel.as_str().to_owned(), error.to_owned());
        self.write(move |connection| {
            enrolled(connection, &name)?;
            let known: Option<String> = connection
                .prepare_cached("SELECT error FROM channel WHERE name = ?1")?
                .query_row([&name], |row| Cells::of(row).prose())?;
            connection.execute(
                "UPDATE channel SET error = ?2, failed_at = coalesce(failed_at, ?3)
                 WHERE name = ?1",
                (&name, &error, now.timestamp()),
            )?;
            if known.as_ref() != Some(&error) {
                let problem = Problem::new(ProblemKind::Unknown, error);
                Entry::of_none(EventKind::NotificationFailed, now)
                    .because(Some(&problem))
                    .to(&TargetId::new(name))
                    .write(connection, run)?;
            }
            Ok(())
        })
    }

    /// Stores that a channel works again.
    pub fn note_channel_works(&self, channel: &ChannelId) -> Result<()> {
        let name = channel.as_str().to_owned();
        self.write(move |connection| {
            connection.execute(
                "UPDATE channel SET failed_at = NULL, error = NULL
                 WHERE name = ?1 AND error IS NOT NULL",
                [name],
            )?;
            Ok(())
        })
    }

    /// The channels whose last message failed.
    pub fn failing_channels(&self) -> Result<Vec<FailingChannel>> {
        self.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT name, failed_at, error FROM channel WHERE error IS NOT NULL
                 ORDER BY name",
            )?;
            let rows = statement.query_map([], |row| {
                let mut cells = Cells::of(row);
                let channel = ChannelId::new(cells.prose()?.unwrap_or_default());
                // That it fails is known even where nobody can say since when.
                let since = cells.time().unwrap_or(Time::UNIX_EPOCH);
                let error = cells.prose()?.unwrap_or_default();
                Ok(FailingChannel { channel, since, error })
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Forgets every channel but these.
    pub fn forget_channels_but(&self, kept: &[ChannelId]) -> Result<()> {
        let kept: Vec<String> = kept.iter().map(|it| it.as_str().to_owned()).collect();
        let kept = serde_json::Value::from(kept).to_string();
        let gone = "NOT IN (SELECT value FROM json_each(?1))";
        let known = kept.clone();
        let any = self.read(move |connection| {
            let sql = format!("SELECT 1 FROM channel WHERE name {gone} LIMIT 1");
            Ok(connection.query_row(&sql, [known], |_| Ok(())).optional()?.is_some())
        })?;
        if !any {
            return Ok(());
        }
        self.write(move |connection| {
            connection.execute(&format!("DELETE FROM notice WHERE channel {gone}"), [&kept])?;
            connection.execute(&format!("DELETE FROM channel WHERE name {gone}"), [&kept])?;
            Ok(())
        })
    }
}

fn enrolled(connection: &Connection, name: &str) -> rusqlite::Result<ChannelRecord> {
    connection
        .prepare_cached(
            "INSERT INTO channel (name, uid) VALUES (?1, lower(hex(randomblob(6))))
             ON CONFLICT (name) DO NOTHING",
        )?
        .execute([name])?;
    connection.prepare_cached("SELECT uid, sent FROM channel WHERE name = ?1")?.query_row(
        [name],
        |row| {
            let mut cells = Cells::of(row);
            Ok(ChannelRecord {
                uid: cells.prose()?.unwrap_or_default(),
                sent: cells.take::<i64>()?.unsigned_abs(),
            })
        },
    )
}

fn remember(
    connection: &Connection,
    channel: &str,
    notified: &[Notified],
    over: &[Topic],
    now: Time,
) -> rusqlite::Result<()> {
    for topic in over {
        connection
            .prepare_cached(
                "DELETE FROM notice
                 WHERE channel = ?1 AND label = ?2 AND code = ?3 AND about = ?4",
            )?
            .execute((channel, label(topic), &topic.code, about(topic)))?;
    }
    for notified in notified {
        let (state, deadline, before) = state(notified.state);
        let topic = &notified.topic;
        connection
            .prepare_cached(
                "INSERT INTO notice
                     (channel, label, code, about, state, deadline, before, message, told_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (channel, label, code, about) DO UPDATE SET
                     state = excluded.state, deadline = excluded.deadline,
                     before = excluded.before, message = excluded.message,
                     told_at = excluded.told_at",
            )?
            .execute((
                channel,
                label(topic),
                &topic.code,
                about(topic),
                state,
                deadline,
                before,
                &notified.message,
                now.timestamp(),
            ))?;
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

fn notified(row: &rusqlite::Row<'_>) -> rusqlite::Result<Notified> {
    let mut cells = Cells::of(row);
    let topic = Topic {
        label: cells.maybe_label()?,
        code: cells.take()?,
        about: cells.take::<Option<String>>()?.filter(|about| !about.is_empty()),
    };
    let event = cells.named(NotificationEvent::from_name, "a state")?;
    let date = (cells.maybe_time()?, cells.take::<Option<i64>>()?);
    let state = match date {
        (Some(deadline), Some(before)) => TopicState::Reminded {
            deadline,
            before: TimeDelta::try_seconds(before).unwrap_or_default(),
        },
        _ => TopicState::Stands(event),
    };
    Ok(Notified { topic, state, message: cells.prose()?.unwrap_or_default() })
}
