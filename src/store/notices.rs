//! What people were told, and how the ways to them fare.
//!
//! A row is written when a notification got through and not before: a kill in between tells once
//! more under the same number, which whoever receives it can know by; what fails is told by the
//! next run.

use rusqlite::{Connection, OptionalExtension as _};

use chrono::TimeDelta;

use super::columns::Cells;
use super::events::Entry;
use super::runs::RunId;
use super::{Result, Store};
use crate::token::{
    ChannelId, EventKind, Label, NoticeEvent, Problem, ProblemKind, TargetId, Time, Told, Topic,
    TopicState,
};

/// One way to people, as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// What stands for it in the numbers of its notifications.
    pub uid: String,
    /// How many got through.
    pub sent: u64,
}

/// A way to people that failed when it was last tried.
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
    /// The channel of that name, which is known from now on.
    pub fn channel(&self, channel: &ChannelId) -> Result<Channel> {
        let name = channel.as_str().to_owned();
        self.write(move |connection| Ok(enrolled(connection, &name)?))
    }

    /// What a channel was last told of every cause. Of a cause whose row cannot be read it is told
    /// once more, which writes the row anew.
    pub fn told(&self, channel: &ChannelId) -> Result<Vec<Told>> {
        let name = channel.as_str().to_owned();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT label, code, about, state, deadline, before, message FROM notice
                 WHERE channel = ?1",
            )?;
            let rows = statement.query_map([name], |row| Ok(told(row).ok()))?;
            Ok(rows.filter_map(Result::transpose).collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Writes down that a notification got through: what the channel was told by it, and what it
    /// need not be told of any more.
    pub fn note_told(
        &self,
        channel: &ChannelId,
        told: &[Told],
        over: &[Topic],
        now: Time,
    ) -> Result<()> {
        let name = channel.as_str().to_owned();
        let (told, over) = (told.to_vec(), over.to_vec());
        self.write(move |connection| {
            remember(connection, &name, &told, &over, now)?;
            connection.execute(
                "UPDATE channel SET sent = sent + 1, failed_at = NULL, error = NULL
                 WHERE name = ?1",
                [name],
            )?;
            Ok(())
        })
    }

    /// Writes down what a channel does not want to hear of.
    pub fn note_untold(
        &self,
        channel: &ChannelId,
        told: &[Told],
        over: &[Topic],
        now: Time,
    ) -> Result<()> {
        if told.is_empty() && over.is_empty() {
            return Ok(());
        }
        let name = channel.as_str().to_owned();
        let (told, over) = (told.to_vec(), over.to_vec());
        self.write(move |connection| Ok(remember(connection, &name, &told, &over, now)?))
    }

    /// Writes down that a channel failed. The history has an event for each way in which it does.
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

    /// Writes down that a channel that tells of runs works again.
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

    /// The channels that failed when they were last tried.
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

fn enrolled(connection: &Connection, name: &str) -> rusqlite::Result<Channel> {
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
            Ok(Channel {
                uid: cells.prose()?.unwrap_or_default(),
                sent: cells.take::<i64>()?.unsigned_abs(),
            })
        },
    )
}

fn remember(
    connection: &Connection,
    channel: &str,
    told: &[Told],
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
    for told in told {
        let (state, deadline, before) = state(told.state);
        let topic = &told.topic;
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
                &told.message,
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
        TopicState::Reminded { deadline, before } => {
            (NoticeEvent::Reminder.as_str(), Some(deadline.timestamp()), Some(before.num_seconds()))
        }
    }
}

fn told(row: &rusqlite::Row<'_>) -> rusqlite::Result<Told> {
    let mut cells = Cells::of(row);
    let topic = Topic {
        label: cells.maybe_label()?,
        code: cells.take()?,
        about: cells.take::<Option<String>>()?.filter(|about| !about.is_empty()),
    };
    let event = cells.named(NoticeEvent::from_name, "a state")?;
    let date = (cells.maybe_time()?, cells.take::<Option<i64>>()?);
    let state = match date {
        (Some(deadline), Some(before)) => TopicState::Reminded {
            deadline,
            before: TimeDelta::try_seconds(before).unwrap_or_default(),
        },
        _ => TopicState::Stands(event),
    };
    Ok(Told { topic, state, message: cells.prose()?.unwrap_or_default() })
}
