//! From a call to an answer.

use serde_json::{Value, json};

use super::call::{Answer, Call, http_date};
use super::people::AppSpec;
use super::refusal::Refusal;
use super::simulation::Simulation;
use super::version;

impl Simulation {
    /// Answers one call, and remembers what it changed.
    pub fn answer(&mut self, call: &Call) -> Answer {
        let app = self.billed(call).cloned();
        let asked = call.path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let version = version::answering(asked, self.now);
        let outcome = match &version {
            None => Err(Refusal::new(2635, format!("(#2635) Unknown version or path: {asked}"))),
            Some(_) => self.dispatch(call, app.as_ref()),
        };
        let mut answer = self.reply(call, outcome);
        if let Some(version) = version {
            answer.headers.push(("facebook-api-version", version));
        }
        if let Some(percent) = app.and_then(|app| app.usage) {
            let usage = json!({
                "call_count": percent, "total_cputime": percent / 4, "total_time": percent / 2,
            });
            answer.headers.push(("x-app-usage", usage.to_string()));
        }
        answer
    }

    /// Dresses an outcome as Graph does.
    pub(super) fn reply(&self, call: &Call, outcome: Result<Value, Refusal>) -> Answer {
        let trace = call.trace(self.now);
        let (status, body) = match outcome {
            Ok(body) => (200, body),
            Err(refusal) => (refusal.status, refusal.body(&trace)),
        };
        let mut headers = vec![
            ("Content-Type", "application/json; charset=UTF-8".to_owned()),
            ("Date", http_date(self.now)),
            ("Cache-Control", "private, no-cache, no-store, must-revalidate".to_owned()),
            ("x-fb-trace-id", trace),
        ];
        if status == 400 && body["error"]["type"] == "OAuthException" {
            let challenge = "OAuth \"Facebook Platform\" \"invalid_request\"";
            headers.push(("WWW-Authenticate", challenge.to_owned()));
        }
        Answer { status, headers, body: body.to_string().into_bytes() }
    }

    fn dispatch(&mut self, call: &Call, app: Option<&AppSpec>) -> Result<Value, Refusal> {
        if call.method != "GET" {
            return Err(Refusal::method(&call.method));
        }
        if app.is_some_and(|app| app.throttled) {
            return Err(Refusal::app_throttled());
        }
        if app.is_some_and(|app| app.disabled) {
            let message = "API access deactivated. To reactivate, go to the app dashboard.";
            return Err(Refusal::new(200, message));
        }
        match call.endpoint() {
            "oauth/access_token" => self.exchange(call),
            "debug_token" => self.inspect(call),
            "me/accounts" => self.accounts(call),
            "me" => self.me(call),
            id if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => self.page(call, id),
            other => Err(Refusal::new(2500, format!("Unknown path components: /{other}"))),
        }
    }
}
