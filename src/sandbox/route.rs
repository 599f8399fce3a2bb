//! Answers a call: which version of Graph, which endpoint, which headers.
//!
//! A version lives until two years after the next one came. A call to a dead version is not refused:
//! the oldest living one answers it, and only a header says so.

use chrono::NaiveDate;
use serde_json::Value;

use super::call::{Answer, Call, http_date};
use super::fixtures::AppFixture;
use super::grants::{INSTAGRAM, THREADS, Terms};
use super::host::Host;
use super::quirks::Revocations;
use super::refusal::Refusal;
use super::simulation::Simulation;

/// Where codes are exchanged; Facebook has its other grants there too.
const CODES: &str = "oauth/access_token";
/// What a person granted an app.
const GRANTS: &str = "permissions";
/// The same at Instagram and Threads, where it is not documented.
const OWN_GRANT: &str = "me/permissions";
/// The access tokens of a System User.
const TOKENS: &str = "access_tokens";

impl Call {
    /// Whether the host of Instagram's login answers, which words its refusals in its own way.
    fn is_for_instagrams_login(&self) -> bool {
        self.host == Host::Instagram && self.version().is_none() && self.endpoint() == CODES
    }

    /// Most things take a GET; a POST is taken where access tokens are given out, and there alone
    /// where a code is exchanged at Instagram and Threads. A DELETE takes away what was granted.
    fn method_is_taken(&self, revocations: Revocations) -> bool {
        let of_an_object = self.below_an_object();
        match (self.method.as_str(), self.host) {
            ("GET", Host::Facebook) => of_an_object.is_none(),
            ("GET", Host::Instagram | Host::Threads) => self.endpoint() != CODES,
            ("POST", Host::Facebook) => {
                self.endpoint() == CODES || matches!(of_an_object, Some((_, TOKENS)))
            }
            ("POST", Host::Instagram | Host::Threads) => self.endpoint() == CODES,
            ("DELETE", Host::Facebook) => of_an_object.is_some(),
            ("DELETE", Host::Instagram | Host::Threads) => {
                self.endpoint() == OWN_GRANT && revocations != Revocations::Documented
            }
            _ => false,
        }
    }

    /// The id of a person or System User, and what of it is meant: its grants or its access tokens.
    fn below_an_object(&self) -> Option<(&str, &str)> {
        let (id, edge) = self.endpoint().split_once('/')?;
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        (is_id && matches!(edge, GRANTS | TOKENS)).then_some((id, edge))
    }
}

impl Simulation {
    /// Answers one call, and remembers what it changed.
    pub fn answer(&mut self, call: &Call) -> Answer {
        if call.is_for_a_dialog() {
            return self.dialog(call);
        }
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
            Err(refusal) if call.is_for_instagrams_login() => (refusal.status, refusal.flat_body()),
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
    /// others give out access tokens without, and Threads counts for itself.
    fn version(&self, call: &Call, app: Option<&AppFixture>) -> Result<Option<String>, Refusal> {
        let asked = call.version();
        let answering = asked.and_then(|asked| answering(asked, self.now));
        let chosen = app.and_then(|app| app.answers_as.clone());
        match (call.host, asked, answering) {
            (Host::Facebook | Host::Instagram, _, Some(version)) => {
                Ok(Some(chosen.unwrap_or(version)))
            }
            (Host::Facebook, _, None) => {
                if asked.is_some() {
                    let message = format!("Unknown path components: /{}", call.endpoint());
                    return Err(Refusal::new(2500, message));
                }
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
        if !call.method_is_taken(self.quirks.revocations) {
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
            CODES if call.get("code").is_some() => self.exchange_code(call),
            CODES => self.exchange(call),
            "debug_token" => self.inspect(call),
            "me/accounts" => self.accounts(call),
            "me" => self.me(call),
            "oauth/revoke" => self.revoke_one(call),
            "me/adaccounts" => self.ad_accounts(call),
            place if place.ends_with("/owned_pages") || place.ends_with("/client_pages") => {
                self.portfolio_pages(call, place)
            }
            id if self.whatsapp.contains_key(id) => self.whatsapp_health(call, id),
            _ if call.below_an_object().is_some() => self.below_an_object(call),
            id if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => self.page(call, id),
            other => Err(Refusal::new(2500, format!("Unknown path components: /{other}"))),
        }
    }

    fn below_an_object(&mut self, call: &Call) -> Result<Value, Refusal> {
        match (call.method.as_str(), call.below_an_object()) {
            ("POST", Some((id, _))) => self.mint_for_system_user(call, id),
            (_, Some((id, TOKENS))) => self.revoke_system_user(call, id),
            (_, Some((id, _))) => self.revoke_grant(call, id),
            (method, None) => Err(Refusal::method(method)),
        }
    }

    /// Strings are given out without a version, as documented, and all else is behind one.
    fn beside_facebook(&mut self, call: &Call, terms: &Terms) -> Result<Value, Refusal> {
        match (call.version(), call.endpoint()) {
            (None, CODES) => self.exchange_code_beside(call),
            (None, "access_token") => self.lengthen(call, terms),
            (None, "refresh_access_token") => self.refresh(call, terms),
            (Some(_), "me") => self.profile(call, terms),
            (Some(_), OWN_GRANT) if call.method == "DELETE" => self.revoke_own(call),
            (Some(_), "debug_token") if call.host == Host::Threads => self.inspect(call),
            _ => Err(Refusal::method("get")),
        }
    }
}

/// Year, month and day.
type Day = (i32, u32, u32);

/// Minor versions are all 0; each major with its last day, as far as Meta has named one.
const LAST_DAYS: [(u32, Option<Day>); 8] = [
    (19, Some((2026, 5, 21))),
    (20, Some((2026, 9, 24))),
    (21, Some((2027, 1, 21))),
    (22, Some((2027, 5, 20))),
    (23, Some((2027, 10, 8))),
    (24, Some((2028, 2, 18))),
    (25, Some((2028, 7, 29))),
    (26, Some((2028, 11, 4))),
];

/// The version that answers a call to `asked` at `now`; nothing for what is not a version.
pub fn answering(asked: &str, now: i64) -> Option<String> {
    let major: u32 = asked.strip_prefix('v')?.strip_suffix(".0")?.parse().ok()?;
    let (newest, _) = LAST_DAYS[LAST_DAYS.len() - 1];
    if major == 0 || major > newest {
        return None;
    }
    let alive = LAST_DAYS.iter().filter(|(_, last)| last.is_none_or(|day| !has_ended(day, now)));
    let oldest = alive.map(|(each, _)| *each).min().unwrap_or(newest);
    Some(format!("v{}.0", major.max(oldest)))
}

fn has_ended((year, month, day): Day, now: i64) -> bool {
    NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|date| date.and_hms_opt(0, 0, 0))
        .is_some_and(|end| end.and_utc().timestamp() <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_living_version_answers_for_the_dead() {
        let (new_year, june) = (1_767_225_600, 1_780_272_000);
        for (asked, now, answers) in [
            ("v26.0", new_year, Some("v26.0")),
            ("v25.0", new_year, Some("v25.0")),
            ("v3.2", new_year, None),
            ("v3.0", new_year, Some("v19.0")),
            ("v19.0", new_year, Some("v19.0")),
            ("v19.0", june, Some("v20.0")),
            ("v27.0", new_year, None),
            ("v0.0", new_year, None),
            ("25.0", new_year, None),
            ("v25", new_year, None),
            ("me", new_year, None),
        ] {
            assert_eq!(answering(asked, now).as_deref(), answers, "{asked}");
        }
    }
}
