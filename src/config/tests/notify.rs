//! Whom the news goes to, as the config says.

use super::*;

#[test]
fn every_mistake_about_alarms_says_where_what_and_what_instead() {
    let count = try_cases(include_str!("notify.txt"));
    assert!(count > 12, "{count} cases");
}

#[test]
fn the_tables_are_tables_and_lists_of_them() {
    let text = "alerts = \"1h\"\nnotify = \"ops@example.org\"\nlabels = [\"brand\"]\npassword = \"hush\"\n";
    let expected = r#"error: /srv/m/metatoken.toml: 4 mistakes
  metatoken.toml:1:1: `alerts` must be a table
    1 | alerts = "1h"
      | ^^^^^^ write `[alerts]`
  metatoken.toml:2:1: `notify` must be a list of tables, not a string
    2 | notify = "ops@example.org"
      | ^^^^^^ write `[[notify]]`
  metatoken.toml:3:1: unknown key `labels`
    3 | labels = ["brand"]
      | ^^^^^^ it belongs in `[[notify]]`
  metatoken.toml:4:1: unknown key `password`
    4 | password = "…"
      | ^^^^^^^^ it belongs in `smtp`"#;
    assert_eq!(complaint(text), expected);
}

const CHANNELS: &str = r#"
[app.main]
id = "1"
[token.brand]
type = "user"
pages = "all"

[alerts]
textfile = "../prom/./metatoken.prom"
run_every = "90m"
prefix = "sudo -u m"

[[notify]]
webhook = { env = "SLACK_WEBHOOK" }
[[notify]]
webhook = "https://chat.example/hooks/hush"
format = "json"
labels = ["brand*", "*/5"]
[[notify]]
webhook = { file = "hooks.env", key = "CHAT" }
events = ["reminder", "critical", "reminder"]
[[notify]]
email = "ops@example.org"
[[notify]]
name = "on call"
email = ["anna@example.org", "ben@example.org"]
from = "metatoken@example.org"
smtp = { host = "mail.example", user = "ops", password = { credential = "smtp" } }
[[notify]]
email = "a@example.org"
[notify.smtp]
host = "mail.example"
security = "starttls"
[[notify]]
email = "b@example.org"
smtp = { host = "::1", security = "none", user = "ops", password = { env = "SMTP_PASSWORD" } }
[[notify]]
email = "c@example.org"
smtp = { host = "relay.lan", security = "none", port = 2525 }
[[notify]]
command = ["hooks/page", "--now"]
[[notify]]
ping = { command = ["pass", "show", "ping"] }
[[notify]]
ping = { env = "PING_URL" }
[[notify]]
ping = { file = "ping" }
[[notify]]
ping = "http://localhost:8000/ping/hush"
"#;

/// A channel as one line: its name, and what it is.
fn line(channel: &NotifySetting) -> String {
    let via = match &channel.kind {
        ChannelKind::Webhook(WebhookSetting { content, .. }) => match content {
            WebhookContent::Format(format) => format.to_string(),
            WebhookContent::Body(_) => "body".to_owned(),
        },
        ChannelKind::Email { to, from, smtp } => {
            let from = from.as_deref().unwrap_or("-");
            let server = smtp.as_ref().map(|smtp| {
                let login = if smtp.user.is_some() { "with" } else { "without" };
                format!(" through {} {} {} {login} login", smtp.host, smtp.port, smtp.security)
            });
            let to = match to {
                Recipients::Addresses(all) => format!("{all:?}"),
                other => other.name(),
            };
            format!("{from} to {to}{}", server.unwrap_or_default())
        }
        ChannelKind::Command(words) => words.join(" "),
        ChannelKind::Ping { .. } => "ping".to_owned(),
    };
    format!(
        "{}: {via}, {} events, {} labels",
        channel.channel,
        channel.events.len(),
        channel.labels.len()
    )
}

#[test]
fn what_is_not_said_of_a_channel_is_filled_in() {
    let config = good(CHANNELS);
    let lines: Vec<String> = config.notify.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "webhook SLACK_WEBHOOK: text, 5 events, 0 labels",
            "webhook chat.example: json, 5 events, 2 labels",
            "webhook /srv/m/hooks.env#CHAT: text, 2 events, 0 labels",
            "ops@example.org: - to [\"ops@example.org\"], 5 events, 0 labels",
            "on call: metatoken@example.org to [\"anna@example.org\", \"ben@example.org\"] through mail.example 465 tls with login, 5 events, 0 labels",
            "a@example.org: - to [\"a@example.org\"] through mail.example 587 starttls without login, 5 events, 0 labels",
            "b@example.org: - to [\"b@example.org\"] through ::1 25 none with login, 5 events, 0 labels",
            "c@example.org: - to [\"c@example.org\"] through relay.lan 2525 none without login, 5 events, 0 labels",
            "/srv/m/hooks/page: /srv/m/hooks/page --now, 5 events, 0 labels",
            "ping pass: ping, 0 events, 0 labels",
            "ping PING_URL: ping, 0 events, 0 labels",
            "ping /srv/m/ping: ping, 0 events, 0 labels",
            "ping localhost: ping, 0 events, 0 labels",
        ]
    );
    assert_eq!(config.notify[2].events, [NotificationEvent::Critical, NotificationEvent::Reminder]);
    assert!(config.notify[1].labels[1].matches(&Label::parse("brand/5").unwrap()));
    assert_eq!(config.alerts.textfile.as_deref(), Some(Path::new("/srv/m/../prom/metatoken.prom")));
    assert_eq!(config.alerts.run_every, Some(chrono::TimeDelta::minutes(90)));
    assert_eq!(config.alerts.prefix.as_deref(), Some("sudo -u m"));
    // No program that is started inherits them.
    let variables: Vec<&str> = config.secret_variables().into_iter().collect();
    assert_eq!(variables, ["PING_URL", "SLACK_WEBHOOK", "SMTP_PASSWORD"]);
}

const ALERTS: &str = r#"[alerts]
textfile = "/srv/m/../prom/metatoken.prom"  # alerts
# page is not set                           # built in
page_mode = "0640"                          # built in
page_detail = "labels"                      # built in
run_every = "90m"                           # alerts
prefix = "sudo -u m"                        # alerts
login_links = false                         # built in
owner_domains = []                          # built in"#;

/// The first, the fifth and the tenth.
const SHOWN: [&str; 3] = [
    r#"[[notify]]
name = "webhook SLACK_WEBHOOK"       # where its address is found
webhook = { env = "SLACK_WEBHOOK" }  # notify
format = "text"                      # built in
# body is not set                    # built in
# headers is not set                 # built in
# recovered is not set               # built in
allow_http = false                   # built in
events = ["warning", "critical", "unknown", "recovered", "reminder"]  # built in
labels = []                          # built in"#,
    r#"[[notify]]
name = "on call"                                 # notify
email = ["anna@example.org", "ben@example.org"]  # notify
from = "metatoken@example.org"                   # notify
# notify
smtp = { host = "mail.example", port = 465, security = "tls", user = "ops", password = { credential = "smtp" } }
events = ["warning", "critical", "unknown", "recovered", "reminder"]  # built in
labels = []                                      # built in"#,
    r#"[[notify]]
name = "ping pass"                             # where its address is found
ping = { command = ["pass", "show", "ping"] }  # notify
allow_http = false                             # built in"#,
];

#[test]
fn every_channel_can_be_shown() {
    let config = good(CHANNELS);
    let description = described(CHANNELS);
    let text = description.to_text();
    let tables: Vec<&str> = text.split("\n\n").skip_while(|table| *table != ALERTS).collect();
    assert_eq!(tables.len(), 1 + config.notify.len(), "{text}");
    assert_eq!([tables[1], tables[5], tables[10]], SHOWN, "{text}");
    let json = description.to_json();
    assert_eq!(json["alerts"]["run_every"]["value"], "90m");
    let channels = json["notify"].as_array().unwrap();
    assert_eq!(channels.len(), config.notify.len());
    assert_eq!(channels[0]["webhook"]["value"]["env"], "SLACK_WEBHOOK");
    assert_eq!(channels[1]["webhook"]["value"], "(literal)");
    assert_eq!(channels[1]["labels"]["value"][1], "*/5");
    assert_eq!(channels[3]["smtp"]["value"], serde_json::Value::Null);
    assert_eq!(channels[4]["smtp"]["value"]["password"]["credential"], "smtp");
    assert_eq!(channels[4]["smtp"]["value"]["port"], 465);
    assert_eq!(channels[5]["smtp"]["value"].get("password"), None);
    assert_eq!(channels[9]["name"]["origin"], "where its address is found");
    assert_eq!(channels[9].get("events"), None);

    // Read again it means the same, save for what is only referred to.
    let again = good(&text.replace("(literal)", "https://chat.example/hooks/fake"));
    assert_eq!(again.alerts.textfile, config.alerts.textfile);
    for (before, after) in config.notify.iter().zip(&again.notify) {
        assert!(before.kind.holds_a_secret() || before.kind == after.kind, "{}", before.channel);
        assert_eq!(before.channel, after.channel);
        assert_eq!((&before.events, &before.labels), (&after.events, &after.labels));
    }
}

#[test]
fn without_alarms_nothing_is_told() {
    let config = good(APP);
    assert!(config.notify.is_empty());
    let text = described(APP).to_text();
    let shown = "[alerts]\n# textfile is not set   # built in\n# page is not set       # built in\npage_mode = \"0640\"      # built in\npage_detail = \"labels\"  # built in\n# run_every is not set  # built in\n# prefix is not set     # built in\nlogin_links = false     # built in\nowner_domains = []      # built in\n";
    assert!(text.ends_with(shown), "{text}");
    assert_eq!(described(APP).to_json().get("notify"), None);
}

const SLACK: &str = "https://hooks.slack.com/services/THUSH/BHUSH/hushhushhush";

/// Who knows the address of a channel can write to it.
#[test]
fn the_secret_of_a_channel_is_never_shown_again() {
    let config = good(CHANNELS);
    let description = described(CHANNELS);
    assert!(!description.to_text().contains("hush"));
    assert!(!description.to_json().to_string().contains("hush"));
    assert!(!format!("{:?}", config.notify).contains("hush"));
    for text in [
        format!(
            "webhook = \"{SLACK}\"\nformat = \"xml\"\n[[notify]]\nwebhook = \"{SLACK}\"\nping = \"{SLACK}\""
        ),
        format!("webhook = \"{SLACK}\"\n[[notify]]\nwebhook = \"{SLACK}\""),
        format!("webhook = {SLACK}"),
        format!("webhook = {SLACK}?a=hush"),
        format!("webhook = \"{SLACK}"),
        format!("webhook = '{SLACK}' hush"),
        format!("webhook \"{SLACK}\""),
        format!("webhok = \"{SLACK}\""),
        format!("webhook = [\"{SLACK}\"]"),
        format!("webhook = {{ url = \"{SLACK}\" }}"),
        format!("webhook = {{ env = \"{SLACK}\" }}"),
        format!("webhook = {{ credential = \"{SLACK}\" }}"),
        format!("webhook = {{ env = \"A\" , file = \"{SLACK}\" }}"),
        format!("webhook = \"{}\"", SLACK.replace("https:", "http:")),
        format!("webhook = \"{}\"", SLACK.replace("https://", "")),
        format!("email = \"{SLACK}\""),
        format!("email = \"a@example.org\"\nfrom = \"{SLACK}\""),
        format!(
            "command = [\"curl\", \"{SLACK}\"]\nlabels = [\"{SLACK}\"]\nevents = [\"{SLACK}\"]"
        ),
        format!("ping = {{ env = \"A\" }}\nname = \"{SLACK}\"\nevents = []"),
        format!("ping = {{ env = \"A\" }}, format = \"{SLACK}\""),
        "email = \"a@example.org\"\nsmtp = { host = \"a:1\", user = \"a\", password = \"hush\" }"
            .to_owned(),
        "email = \"a@example.org\"\nsmtp = { host = \"a\", pasword = \"hush\" }".to_owned(),
        "email = \"a@example.org\"\nsmtp = { host = \"a\", user = \"a\", password = hush=hush }"
            .to_owned(),
        "email = \"a@example.org\"\nsmtp = { host = \"smtps://a:hush@mail.example\" }".to_owned(),
        "email = \"a@example.org\"\nsmtp = \"smtps://a:hush@mail.example\"".to_owned(),
    ] {
        let rendered = complaint(&format!("[[notify]]\n{text}\n"));
        assert!(rendered.contains("mistake"), "{text}");
        assert!(!rendered.to_lowercase().contains("hush"), "{text}\n{rendered}");
    }
}
