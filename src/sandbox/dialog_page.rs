//! Writes the pages of the login dialogs: who logs in, what is granted, and what went wrong.
//!
//! They look like no page of Meta's on purpose: everything in them is fake, and says so. No script,
//! nothing from elsewhere; one column, with targets large enough for a thumb.

use std::fmt::Write as _;

use serde_json::json;

use super::call::{Answer, Call, http_date};
use super::fixtures::UserFixture;
use super::host::Host;
use super::logins::{ConsentForm, DialogError, DialogRequest};

const STYLE: &str = include_str!("dialog.css");

/// Asks who logs in.
pub fn choose(call: &Call, request: &DialogRequest, people: &[UserFixture], now: i64) -> Answer {
    let mut body = format!("<h1>Log in to {}</h1>\n<p>Who are you?</p>\n", text(&request.app.name));
    body.push_str(&form(call));
    for person in people {
        let _ = writeln!(
            body,
            "<button name=\"as\" value=\"{}\">{} <small>{}</small></button>",
            text(&person.id),
            text(&person.name),
            text(&person.username)
        );
    }
    body.push_str(
        "<button class=\"quiet\" name=\"decision\" value=\"cancel\">Cancel</button>\n</form>\n",
    );
    page(request.host, "Log in", &body, 200, now)
}

/// Asks a person what to grant.
pub fn consent(
    call: &Call,
    request: &DialogRequest,
    person: &UserFixture,
    asked: &ConsentForm,
    now: i64,
) -> Answer {
    let (app, name) = (text(&request.app.name), text(&person.name));
    let mut body = if asked.is_known && asked.scopes.is_empty() {
        format!("<h1>Continue as {name}?</h1>\n<p>You have logged in to {app} before.</p>\n")
    } else {
        format!("<h1>{app} wants access</h1>\n<p>You are {name}.</p>\n")
    };
    body.push_str(&form(call));
    let _ = writeln!(body, "<input type=\"hidden\" name=\"as\" value=\"{}\">", text(&person.id));
    if !asked.pages.is_empty() {
        body.push_str("<fieldset>\n<legend>Which Pages may it use?</legend>\n");
        for page in &asked.pages {
            body.push_str(&tick("page", &page.id, &page.name));
        }
        body.push_str("</fieldset>\n");
    }
    if !asked.scopes.is_empty() {
        body.push_str("<fieldset>\n<legend>What may it do?</legend>\n");
        for scope in &asked.scopes {
            body.push_str(&tick("grant", scope, scope));
        }
        body.push_str("</fieldset>\n");
    }
    let _ = writeln!(
        body,
        "<button name=\"decision\" value=\"allow\">Continue as {name}</button>\n\
         <button class=\"quiet\" name=\"decision\" value=\"cancel\">Cancel</button>\n</form>"
    );
    page(request.host, "Allow", &body, 200, now)
}

/// Holds a person until a check is passed.
pub fn checkpoint(call: &Call, person: &UserFixture, now: i64) -> Answer {
    let body = format!(
        "<h1>Confirm that it is you</h1>\n<p>{}, your account is locked until you pass a check.</p>\n\
         {}<input type=\"hidden\" name=\"as\" value=\"{}\">\n\
         <button name=\"decision\" value=\"check\">Pass the check</button>\n</form>\n",
        text(&person.name),
        form(call),
        text(&person.id)
    );
    page(call.host, "Check", &body, 200, now)
}

/// Shows why there is no dialog. The program that asked for it never hears of this page.
pub fn page_of_error(error: &DialogError, now: i64) -> Answer {
    let body = format!("<h1>{}</h1>\n<p>{}</p>\n", text(error.title), text(&error.message));
    page(Host::Facebook, error.title, &body, 400, now)
}

/// The same as Threads shows it: bare JSON.
pub fn flat_error(error: &DialogError, now: i64) -> Answer {
    let body = json!({ "error_message": error.message, "error_code": error.code });
    let headers = vec![
        ("Content-Type", "application/json; charset=UTF-8".to_owned()),
        ("Date", http_date(now)),
    ];
    Answer { status: 400, headers, body: body.to_string().into_bytes() }
}

/// The form goes to the address that was asked for, so that it carries the request along.
fn form(call: &Call) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&call.query);
    let place = format!("{}{}?{}", call.host.folder(), call.path, query.finish());
    format!("<form method=\"post\" action=\"{}\">\n", text(&place))
}

fn tick(name: &str, value: &str, words: &str) -> String {
    format!(
        "<label><input type=\"checkbox\" name=\"{name}\" value=\"{}\" checked> {}</label>\n",
        text(value),
        text(words)
    )
}

fn page(host: Host, title: &str, body: &str, status: u16, now: i64) -> Answer {
    let service = match host {
        Host::Facebook => "Facebook",
        Host::Instagram => "Instagram",
        Host::Threads => "Threads",
    };
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{} (sandbox)</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <p class=\"note\">The sandbox's {service}: everything here is fake.</p>\n{body}</main>\n\
         </body>\n</html>\n",
        text(title)
    );
    let headers = vec![
        ("Content-Type", "text/html; charset=utf-8".to_owned()),
        ("Date", http_date(now)),
        ("Cache-Control", "no-store".to_owned()),
        // No `form-action`: it would hold for the redirect after the form too.
        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'".to_owned()),
    ];
    Answer { status, headers, body: html.into_bytes() }
}

/// Names are text, never markup.
fn text(plain: &str) -> String {
    let mut safe = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
