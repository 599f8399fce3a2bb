//! The recipes of `examples/notify`, run against stand-ins that are as strict as each service is documented
//! to be: what one of them refuses fails the test with its words.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{dead, logs_in_again};
use crate::common::{Hook, Judge, Request, World, day};

const README: &str = include_str!("../../examples/notify/README.md");

/// The table under a heading.
fn recipe(heading: &str) -> &'static str {
    let (_, section) = README.split_once(&format!("\n## {heading}\n")).expect(heading);
    let (_, block) = section.split_once("```toml\n").expect(heading);
    block.split_once("```").expect(heading).0
}

/// A service: its heading, the files that its table names, and how it judges.
struct Service {
    heading: &'static str,
    files: &'static [(&'static str, &'static str)],
    judge: Judge,
}

const SERVICES: [Service; 10] = [
    Service {
        heading: "Microsoft Teams",
        files: &[("teams-url", "[HOOK]/workflows/fake/triggers/manual/paths/invoke?sig=fake")],
        judge: teams,
    },
    Service {
        heading: "Google Chat",
        files: &[("google-chat-url", "[HOOK]/v1/spaces/FAKE/messages?key=fake&token=fake")],
        judge: google_chat,
    },
    Service {
        heading: "Telegram",
        files: &[("telegram-url", "[HOOK]/bot123456:FAKEfake/sendMessage")],
        judge: telegram,
    },
    Service {
        heading: "ntfy",
        files: &[("ntfy-url", "[HOOK]/"), ("ntfy-authorization", "Bearer tk_fakefake")],
        judge: ntfy,
    },
    Service {
        heading: "Gotify",
        files: &[("gotify-url", "[HOOK]/message"), ("gotify-token", "Afakefake")],
        judge: gotify,
    },
    Service {
        heading: "PagerDuty",
        files: &[("pagerduty-url", "[HOOK]/v2/enqueue")],
        judge: pagerduty,
    },
    Service {
        heading: "Opsgenie",
        files: &[
            ("opsgenie-url", "[HOOK]/v2/alerts"),
            ("opsgenie-close-url", "[HOOK]/v2/alerts/{id}/close?identifierType=alias"),
            ("opsgenie-authorization", "GenieKey fakefake"),
        ],
        judge: opsgenie,
    },
    Service {
        heading: "Home Assistant",
        files: &[
            ("hass-url", "[HOOK]/api/services/persistent_notification/create"),
            ("hass-dismiss-url", "[HOOK]/api/services/persistent_notification/dismiss"),
            ("hass-authorization", "Bearer fakefake"),
        ],
        judge: home_assistant,
    },
    Service {
        heading: "Healthchecks",
        files: &[("healthchecks-url", "[HOOK]/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278")],
        judge: healthchecks,
    },
    Service {
        heading: "Uptime Kuma",
        files: &[("kuma-url", "[HOOK]/api/push/fakefake?status=up&msg=OK&ping=")],
        judge: kuma,
    },
];

/// A world in which Anna has changed her password, and that is told by this recipe alone.
fn told_by(service: &Service) -> (World, Hook) {
    let (world, hook) = dead(recipe(service.heading));
    hook.judged_by(service.judge);
    for (name, text) in service.files {
        world.write(name, text.replace("[HOOK]", &hook.origin));
    }
    (world, hook)
}

#[test]
fn every_recipe_is_tested() {
    let headings: Vec<&str> = README.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(headings, SERVICES.map(|service| service.heading));
}

#[test]
fn every_service_takes_the_test_the_alarm_and_the_news_that_it_is_over() {
    for service in &SERVICES {
        let (mut world, hook) = told_by(service);
        let heading = service.heading;
        let tested = world.run(&["notify", "--test"]);
        assert_eq!(
            (tested.code, tested.stderr.as_str()),
            (Some(0), ""),
            "{heading}: {}",
            tested.stdout
        );
        assert!(!hook.heard().is_empty(), "{heading}");
        let alarm = world.run(&["refresh", "--json"]).code(77).json();
        assert_eq!(alarm["system"], json!([]), "{heading}");
        assert!(!hook.heard().is_empty(), "{heading}");
        logs_in_again(&world);
        world.at(day(2));
        let over = world.run(&["refresh", "--json"]).code(0).json();
        assert_eq!(over["system"], json!([]), "{heading}");
        assert!(!hook.heard().is_empty(), "{heading}");
        let checked = world.run(&["config", "check"]);
        assert_eq!(checked.code, Some(0), "{heading}: {}", checked.stdout);
    }
}

#[test]
fn what_was_opened_is_closed() {
    for (heading, opened, closed) in [
        ("PagerDuty", "/v2/enqueue", "/v2/enqueue"),
        ("Opsgenie", "/v2/alerts", "/close"),
        ("Home Assistant", "/create", "/dismiss"),
    ] {
        let service = SERVICES.iter().find(|it| it.heading == heading).unwrap();
        let (mut world, hook) = told_by(service);
        world.run(&["notify", "--test"]).code(0);
        world.run(&["refresh"]).code(77);
        let mut open = HashSet::new();
        for request in hook.heard() {
            count(&request, &mut open);
        }
        assert_eq!(open.len(), 1, "{heading}: the test is closed, the alarm is not");
        logs_in_again(&world);
        world.at(day(2));
        world.run(&["refresh"]).code(0);
        for request in hook.heard() {
            assert!(request.line.contains(closed), "{heading}: {opened}: {request:?}");
            count(&request, &mut open);
        }
        assert!(open.is_empty(), "{heading}: {open:?}");
    }
}

/// Opens or closes at the service what a request asks for.
fn count(request: &Request, open: &mut HashSet<String>) {
    let body = request.json();
    let id = ["dedup_key", "alias", "notification_id"].iter().find_map(|key| body[key].as_str());
    let path = request.line.trim_start_matches("POST ");
    let of_path = path.strip_prefix("/v2/alerts/").and_then(|rest| rest.split('/').next());
    let id = id.or(of_path).unwrap().to_owned();
    let closes =
        body["event_action"] == "resolve" || path.contains("close") || path.contains("dismiss");
    if closes {
        assert!(open.remove(&id), "{id} was not open");
    } else {
        open.insert(id);
    }
}

/// A request to this path with a JSON body, or why not.
fn posted(request: &Request, path: &str) -> Result<Value, (u16, String)> {
    if request.line != format!("POST {path}") {
        return Err((404, format!("no such route: {}", request.line)));
    }
    if request.header("content-type") != Some("application/json") {
        return Err((415, "unsupported media type".to_owned()));
    }
    serde_json::from_str(&request.body).map_err(|error| (400, error.to_string()))
}

/// Refuses what a service refuses.
fn must(holds: bool, status: u16, why: &str) -> Result<(), (u16, String)> {
    if holds { Ok(()) } else { Err((status, why.to_owned())) }
}

fn has_only(body: &Value, known: &[&str]) -> bool {
    body.as_object().is_some_and(|body| body.keys().all(|key| known.contains(&key.as_str())))
}

fn is_text(value: &Value, longest: usize) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty() && text.chars().count() <= longest)
}

type Answer = Result<(u16, String), (u16, String)>;

fn given(answer: Answer) -> (u16, String) {
    answer.unwrap_or_else(|refused| refused)
}

/// Source: Microsoft Learn, Create incoming webhooks with Workflows; Adaptive Cards, schema 1.4.
fn teams(request: &Request) -> (u16, String) {
    let judged = || {
        let body = posted(request, "/workflows/fake/triggers/manual/paths/invoke?sig=fake")?;
        must(request.body.len() <= 28 * 1024, 413, "RequestEntityTooLarge")?;
        must(body["type"] == "message", 400, "type")?;
        let attachments = body["attachments"].as_array();
        must(attachments.is_some_and(|all| all.len() == 1), 400, "attachments")?;
        let attachment = &body["attachments"][0];
        let kind = "application/vnd.microsoft.card.adaptive";
        must(attachment["contentType"] == kind, 400, "contentType")?;
        let card = &attachment["content"];
        must(card["type"] == "AdaptiveCard" && card["version"] == "1.4", 400, "card")?;
        for block in card["body"].as_array().ok_or((400, "body".to_owned()))? {
            must(block["type"] == "RichTextBlock", 400, "block")?;
            let run = &block["inlines"][0];
            must(run["type"] == "TextRun" && is_text(&run["text"], 10_000), 400, "run")?;
        }
        Ok((202, String::new()))
    };
    given(judged())
}

/// Source: Google Chat API, `spaces.messages.create`: unknown fields are refused.
fn google_chat(request: &Request) -> (u16, String) {
    let judged = || {
        let body = posted(request, "/v1/spaces/FAKE/messages?key=fake&token=fake")?;
        must(request.body.len() <= 32_000, 400, "INVALID_ARGUMENT: size")?;
        must(has_only(&body, &["text", "cardsV2"]), 400, "INVALID_ARGUMENT: unknown name")?;
        must(is_text(&body["text"], 4096), 400, "INVALID_ARGUMENT: text")?;
        for card in body["cardsV2"].as_array().into_iter().flatten() {
            must(has_only(card, &["cardId", "card"]), 400, "INVALID_ARGUMENT: card")?;
            for section in
                card["card"]["sections"].as_array().ok_or((400, "sections".to_owned()))?
            {
                for widget in section["widgets"].as_array().ok_or((400, "widgets".to_owned()))? {
                    must(has_only(widget, &["textParagraph"]), 400, "INVALID_ARGUMENT: widget")?;
                    let text = &widget["textParagraph"]["text"];
                    must(is_text(text, 32_000), 400, "INVALID_ARGUMENT: paragraph")?;
                }
            }
        }
        Ok((200, json!({"name": "spaces/FAKE/messages/1"}).to_string()))
    };
    given(judged())
}

/// Source: Telegram Bot API, `sendMessage`.
fn telegram(request: &Request) -> (u16, String) {
    let judged = || {
        let body = posted(request, "/bot123456:FAKEfake/sendMessage")?;
        let chat = &body["chat_id"];
        must(chat.is_string() || chat.is_i64(), 400, "Bad Request: chat_id is empty")?;
        let text = body["text"].as_str().unwrap_or_default();
        must(!text.trim().is_empty(), 400, "Bad Request: message text is empty")?;
        must(text.encode_utf16().count() <= 4096, 400, "Bad Request: message is too long")?;
        must(body.get("parse_mode").is_none(), 400, "Bad Request: can't parse entities")?;
        Ok((200, json!({"ok": true, "result": {"message_id": 1}}).to_string()))
    };
    let (status, words) = given(judged());
    if status == 200 {
        return (status, words);
    }
    (status, json!({"ok": false, "error_code": status, "description": words}).to_string())
}

/// Source: ntfy, Publish as JSON; Limitations.
fn ntfy(request: &Request) -> (u16, String) {
    let judged = || {
        must(request.header("authorization") == Some("Bearer tk_fakefake"), 401, "unauthorized")?;
        let body = posted(request, "/")?;
        let topic = body["topic"].as_str().unwrap_or_default();
        let is_topic = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        must(!topic.is_empty() && topic.len() <= 64 && topic.chars().all(is_topic), 400, "topic")?;
        let message = body["message"].as_str().ok_or((400, "message".to_owned()))?;
        // A longer one becomes a file.
        must(message.len() <= 4096, 400, "attachments not allowed")?;
        let priority = body["priority"].as_i64().unwrap_or(3);
        must((1..=5).contains(&priority), 400, "invalid priority")?;
        let tags = body["tags"].as_array().cloned().unwrap_or_default();
        must(tags.iter().all(Value::is_string), 400, "invalid JSON")?;
        Ok((200, json!({"id": "fake", "event": "message", "topic": topic}).to_string()))
    };
    given(judged())
}

/// Source: Gotify, REST API, `createMessage`.
fn gotify(request: &Request) -> (u16, String) {
    let judged = || {
        must(
            request.header("x-gotify-key") == Some("Afakefake"),
            401,
            "you need to provide a valid access token",
        )?;
        let body = posted(request, "/message")?;
        must(is_text(&body["message"], usize::MAX), 400, "Field 'message' is required")?;
        must(body["title"].is_string() && body["priority"].is_i64(), 400, "cannot unmarshal")?;
        Ok((200, json!({"id": 1, "appid": 1}).to_string()))
    };
    given(judged())
}

/// Source: `PagerDuty`, Events API v2, Send an event.
fn pagerduty(request: &Request) -> (u16, String) {
    let judged = || {
        let body = posted(request, "/v2/enqueue")?;
        must(request.body.len() <= 512 * 1024, 413, "too large")?;
        let key = body["routing_key"].as_str().unwrap_or_default();
        must(key.len() == 32, 400, "'routing_key' is missing or blank")?;
        must(is_text(&body["dedup_key"], 255), 400, "'dedup_key' is too long or blank")?;
        let action = body["event_action"].as_str().unwrap_or_default();
        must(["trigger", "acknowledge", "resolve"].contains(&action), 400, "'event_action'")?;
        if action == "trigger" {
            let payload = &body["payload"];
            must(is_text(&payload["summary"], 1024), 400, "'payload.summary'")?;
            must(is_text(&payload["source"], 1024), 400, "'payload.source'")?;
            let severity = payload["severity"].as_str().unwrap_or_default();
            let known = ["critical", "error", "warning", "info"];
            must(known.contains(&severity), 400, "'payload.severity'")?;
        }
        Ok((202, json!({"status": "success", "message": "Event processed"}).to_string()))
    };
    given(judged())
}

/// Source: Opsgenie, Alert API, create and close.
fn opsgenie(request: &Request) -> (u16, String) {
    let judged = || {
        let key = request.header("authorization");
        must(key == Some("GenieKey fakefake"), 401, "Could not authenticate")?;
        let close = "/close?identifierType=alias";
        if request.line.ends_with(close) {
            let path = request.line.trim_start_matches("POST ");
            let body = posted(request, path)?;
            must(has_only(&body, &["user", "source", "note"]), 422, "unknown field")?;
            must(is_text(&body["note"], 25_000), 422, "note")?;
        } else {
            let body = posted(request, "/v2/alerts")?;
            must(is_text(&body["message"], 130), 422, "message is too long or empty")?;
            must(is_text(&body["alias"], 512), 422, "alias")?;
            must(is_text(&body["description"], 15_000), 422, "description")?;
            must(is_text(&body["source"], 100), 422, "source")?;
            let tags = body["tags"].as_array().ok_or((422, "tags".to_owned()))?;
            must(tags.len() <= 20 && tags.iter().all(|tag| is_text(tag, 50)), 422, "tags")?;
            let priority = body["priority"].as_str().unwrap_or_default();
            must(["P1", "P2", "P3", "P4", "P5"].contains(&priority), 422, "priority")?;
        }
        Ok((202, json!({"result": "Request will be processed"}).to_string()))
    };
    given(judged())
}

/// Source: Home Assistant, REST API and the actions of `persistent_notification`.
fn home_assistant(request: &Request) -> (u16, String) {
    let judged = || {
        must(request.header("authorization") == Some("Bearer fakefake"), 401, "401: Unauthorized")?;
        let service = "/api/services/persistent_notification";
        if request.line.ends_with("/dismiss") {
            let body = posted(request, &format!("{service}/dismiss"))?;
            must(has_only(&body, &["notification_id"]), 400, "extra keys not allowed")?;
            must(is_text(&body["notification_id"], usize::MAX), 400, "required key")?;
        } else {
            let body = posted(request, &format!("{service}/create"))?;
            let known = ["message", "title", "notification_id"];
            must(has_only(&body, &known), 400, "extra keys not allowed")?;
            must(is_text(&body["message"], usize::MAX), 400, "required key")?;
        }
        Ok((200, "[]".to_owned()))
    };
    given(judged())
}

/// Source: Healthchecks, Pinging API.
fn healthchecks(request: &Request) -> (u16, String) {
    let path = request.line.trim_start_matches("GET ");
    let check = "/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278";
    match path.strip_prefix(check) {
        Some("" | "/start" | "/fail") => (200, "OK".to_owned()),
        Some(_) => (400, "invalid url format".to_owned()),
        None => (404, "not found".to_owned()),
    }
}

/// Source: Uptime Kuma, Internal API. Its web pages answer every other address with 200, which tells
/// nobody anything: here it is an error.
fn kuma(request: &Request) -> (u16, String) {
    let status = request.line.strip_prefix("GET /api/push/fakefake?status=");
    match status.map(|rest| rest.split('&').next().unwrap_or_default()) {
        Some("up" | "down") => (200, json!({"ok": true}).to_string()),
        _ => (404, json!({"ok": false, "msg": "Monitor not found or not active."}).to_string()),
    }
}
