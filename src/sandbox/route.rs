//! From a call to an answer.

use serde_json::Value;

use super::call::{Answer, Call, http_date};
use super::fixtures::AppFixture;
use super::host::Host;
use super::refusal::Refusal;
use super::simulation::Simulation;
use super::sixty_days::{INSTAGRAM, THREADS, Terms};
use super::version;

impl Call {
    /// Everything takes a GET; a POST is taken by the one endpoint of which Meta says so.
    fn method_is_taken(&self) -> bool {
        match self.method.as_str() {
            "GET" => true,
            "POST" => self.host == Host::Facebook && self.endpoint() == "oauth/access_token",
            _ => false,
        }
    }
}

impl Simulation {
    /// Answers one call, and remembers what it changed.
    pub fn answer(&mut self, call: &Call) -> Answer {
        let app = self.billed(call).cloned();
        let version = self.version(call, app.as_ref());
        let outcome = match &version {
            Err(refusal) => Err(refusal.clone()),
            Ok(_) => self.dispatch(call, app.as_ref()),
        };
        let mut answer = self.reply(call, outcome);
        if let Ok(Some(version)) = version {
            answer.headers.push(("facebook-api-version", version));
        }
        answer.headers.extend(app.iter().flat_map(AppFixture::usage_headers));
        answer
    }

    /// Dresses an outcome as the host does.
    pub(super) fn reply(&self, call: &Call, outcome: Result<Value, Refusal>) -> Answer {
        let trace = call.trace(self.now);
        let (status, body) = match outcome {
            Ok(body) => (200, body),
            Err(refusal) => (refusal.status, refusal.worded_by(call.host).body(&trace)),
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

    /// Which version of Graph answers, where Graph has one: Facebook is never asked without, the
    /// others give out strings without, and Threads counts for itself.
    fn version(&self, call: &Call, app: Option<&AppFixture>) -> Result<Option<String>, Refusal> {
        let asked = call.version();
        let answering = asked.and_then(|asked| version::answering(asked, self.now));
        let chosen = app.and_then(|app| app.answers_as.clone());
        match (call.host, asked, answering) {
            (Host::Facebook | Host::Instagram, _, Some(version)) => {
                Ok(Some(chosen.unwrap_or(version)))
            }
            (Host::Facebook, _, None) => {
                let asked = call.path.trim_start_matches('/').split('/').next().unwrap_or_default();
                let message = format!("(#2635) Unknown version or path: {asked}");
                Err(Refusal::new(2635, message))
            }
            (Host::Instagram | Host::Threads, None, _) | (Host::Threads, Some("v1.0"), _) => {
                Ok(None)
            }
            (Host::Instagram | Host::Threads, Some(_), _) => Err(Refusal::method("get")),
        }
    }

    fn dispatch(&mut self, call: &Call, app: Option<&AppFixture>) -> Result<Value, Refusal> {
        if !call.method_is_taken() {
            return Err(Refusal::method(&call.method));
        }
        if app.is_some_and(|app| app.throttled) {
            return Err(Refusal::app_throttled());
        }
        if app.is_some_and(|app| app.disabled) {
            let message = "API access deactivated. To reactivate, go to the app dashboard.";
            return Err(Refusal::new(200, message));
        }
        match call.host {
            Host::Facebook => self.at_facebook(call),
            Host::Instagram => self.beside_facebook(call, &INSTAGRAM),
            Host::Threads => self.beside_facebook(call, &THREADS),
        }
    }

    fn at_facebook(&mut self, call: &Call) -> Result<Value, Refusal> {
        match call.endpoint() {
            "oauth/access_token" => self.exchange(call),
            "debug_token" => self.inspect(call),
            "me/accounts" => self.accounts(call),
            "me" => self.me(call),
            id if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => self.page(call, id),
            other => Err(Refusal::new(2500, format!("Unknown path components: /{other}"))),
        }
    }

    /// Strings are given out without a version, as documented, and all else is behind one.
    fn beside_facebook(&mut self, call: &Call, terms: &Terms) -> Result<Value, Refusal> {
        match (call.version(), call.endpoint()) {
            (None, "access_token") => self.lengthen(call, terms),
            (None, "refresh_access_token") => self.refresh(call, terms),
            (Some(_), "me") => self.profile(call, terms),
            (Some(_), "debug_token") if call.host == Host::Threads => self.inspect(call),
            _ => Err(Refusal::method("get")),
        }
    }
}
