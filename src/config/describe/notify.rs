//! The channels, each a table of its own; secrets are references.

use serde_json::{Map, Value, json};

use super::{Table, Writer};
use crate::config::settings::{NotifySetting, SmtpSetting, Via};
use crate::config::source::{SecretSource, describe_argv};
use crate::token::Pattern;

/// `[[notify]]`
pub(super) fn table(channel: &NotifySetting) -> Table {
    let mut writer = Writer::new(&channel.origins);
    writer.put("name", channel.channel.as_str());
    match &channel.via {
        Via::Webhook { url, form } => {
            writer.put("webhook", url.describe()).put("format", form.as_str());
        }
        Via::Email { to, from, smtp } => {
            writer
                .put("email", to.clone())
                .put("from", from.clone())
                .put("smtp", smtp.as_ref().map(server));
        }
        Via::Command(words) => {
            writer.put("command", describe_argv(words));
        }
        Via::Ping(url) => {
            writer.put("ping", url.describe());
        }
    }
    // A ping tells of runs: for it these are no settings, and would be refused when read again.
    if !matches!(channel.via, Via::Ping(_)) {
        let events: Vec<&str> = channel.events.iter().map(|event| event.as_str()).collect();
        let labels: Vec<&str> = channel.labels.iter().map(Pattern::as_str).collect();
        writer.put("events", events).put("labels", labels);
    }
    writer.one_of_many(&["notify"])
}

fn server(smtp: &SmtpSetting) -> Value {
    let mut server = Map::new();
    server.insert("host".to_owned(), json!(smtp.host));
    server.insert("port".to_owned(), json!(smtp.port));
    server.insert("security".to_owned(), json!(smtp.security.as_str()));
    let user = smtp.user.as_ref().map(|user| json!(user));
    let password = smtp.password.as_ref().map(SecretSource::describe);
    server.extend(user.map(|user| ("user".to_owned(), user)));
    server.extend(password.map(|password| ("password".to_owned(), password)));
    Value::Object(server)
}
