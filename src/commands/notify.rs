//! `notify --test`: sends a test message, to see that each channel reaches its people.
//!
//! It takes no lock, needs no store, and writes nothing.

use serde_json::json;

use crate::config::NotifySetting;
use crate::error::CliError;
use crate::exit::Exit;
use crate::notify::{ChannelTest, test_channels};
use crate::policy::humanize;
use crate::report;
use crate::session::Session;
use crate::ui::{OutputFormat, Verbosity};

/// Sends a test message to the channel of that name, or to all channels.
pub fn test_notifications(session: &Session, channel: Option<&str>) -> Result<Exit, CliError> {
    let tests = test_channels(session, &chosen(&session.config.notify, channel)?);
    show(session, &tests)?;
    let all_work = tests.iter().all(|test| test.outcome.is_ok());
    Ok(if all_work { Exit::Ok } else { Exit::Failed })
}

fn chosen<'a>(
    settings: &'a [NotifySetting],
    name: Option<&str>,
) -> Result<Vec<&'a NotifySetting>, CliError> {
    if settings.is_empty() {
        let message = "the config has no `[[notify]]`, so no notification is sent";
        return Err(CliError::new(Exit::Config, "no_channels", "", message)
            .hint("add a channel to the config: `metatoken help monitoring` shows each kind"));
    }
    let chosen: Vec<_> = settings
        .iter()
        .filter(|setting| name.is_none_or(|name| setting.channel.as_str() == name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = settings.iter().map(|it| it.channel.as_str()).collect();
        let name = name.unwrap_or_default();
        return Err(CliError::new(
            Exit::Usage,
            "no_such_channel",
            name,
            "no channel has this name",
        )
        .hint(format!("the config has {}", humanize::list(&names))));
    }
    Ok(chosen)
}

fn show(session: &Session, tests: &[ChannelTest]) -> Result<(), CliError> {
    let ui = &session.ui;
    if ui.format == OutputFormat::Json {
        return ui.data(&report::document(&json!({
            "version": report::VERSION,
            "channels": tests.iter().map(document).collect::<Vec<_>>(),
        })));
    }
    let is_shown = |test: &&ChannelTest| ui.verbosity > Verbosity::Quiet || test.outcome.is_err();
    let lines: String = tests.iter().filter(is_shown).map(line).collect();
    ui.data(&lines)
}

fn line(test: &ChannelTest) -> String {
    let ChannelTest { channel, kind, outcome } = test;
    match outcome {
        Ok(()) if *kind == "ping" => format!("{channel}: {kind}, sent as after a good run\n"),
        Ok(()) => format!("{channel}: {kind}, sent; see that it arrived\n"),
        Err(why) => format!("{channel}: {kind}, failed: {why}\n"),
    }
}

fn document(test: &ChannelTest) -> serde_json::Value {
    json!({
        "channel": test.channel.as_str(),
        "kind": test.kind,
        "sent": test.outcome.is_ok(),
        "error": test.outcome.as_ref().err(),
    })
}
