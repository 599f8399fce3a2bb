//! Makes go wrong on purpose what can go wrong between Graph and a client.
//!
//! A rule says which calls are hit, a injection what happens to them. The first rule that fits
//! a call decides; every rule counts the calls that fit it, hit or not.

use std::time::Duration;

use chrono::TimeDelta;

use crate::token::Provider;

use super::call::{Answer, Call};
use super::refusal::Refusal;
use super::simulation::Simulation;

/// What happens in place of the right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultInjection {
    /// A page for people, as from a proxy or a captive portal, with status 200.
    Html,
    /// Status 200 and no body.
    Nothing,
    /// Status 200 and the JSON value `null`.
    Null,
    /// Status 200 and a body of this many bytes.
    Huge(usize),
    /// The right answer, one byte at a time with this pause after each.
    Slow(Duration),
    /// The connection closes and nothing was done.
    CloseBeforeAnswer,
    /// It is done and remembered, and then the connection closes: the answer is lost.
    CloseAfterEffect,
    /// This status with Graph's unknown error.
    Status(u16),
    /// Graph says that it is down: code 2, transient, status 503.
    Code2Transient,
    /// The app is over its limit: code 4.
    Throttled,
    /// The person is over theirs: code 17.
    UserThrottled,
    /// Whatever the test wants; `Content-Length` is added.
    Raw { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// The right answer, dated by this much off.
    WrongDate(TimeDelta),
}

/// Which calls are hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    endpoint: String,
    provider: Option<Provider>,
    about: Option<String>,
    spared: u32,
    hits: Option<u32>,
}

impl Rule {
    /// Every call.
    pub fn any() -> Self {
        Self::on("")
    }

    /// Calls to endpoints of any host that begin so, without the version: `/debug_token`,
    /// `/me/accounts`, `/refresh_access_token`.
    pub fn on(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.trim_start_matches('/').to_owned(),
            provider: None,
            about: None,
            spared: 0,
            hits: None,
        }
    }

    /// Only calls to this provider's host.
    pub fn at(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Only calls in which this access token occurs as a token.
    pub fn about(mut self, token: &str) -> Self {
        self.about = Some(token.to_owned());
        self
    }

    /// Not the first `calls` that fit.
    pub fn sparing(mut self, calls: u32) -> Self {
        self.spared = calls;
        self
    }

    /// Only so many calls, and no more after that.
    pub fn times(mut self, calls: u32) -> Self {
        self.hits = Some(calls);
        self
    }

    /// Only one call.
    pub fn once(self) -> Self {
        self.times(1)
    }

    fn fits(&self, call: &Call) -> bool {
        call.endpoint().starts_with(&self.endpoint)
            && self.provider.is_none_or(|provider| call.host == provider.into())
            && self.about.as_deref().is_none_or(|token| call.tokens().any(|each| each == token))
    }
}

/// A rule with what it does and how many calls have fitted it.
pub struct Armed {
    rule: Rule,
    injection: FaultInjection,
    fitted: u32,
}

impl Armed {
    /// Misbehaves from now on, where the rule says so.
    pub fn new(rule: Rule, injection: FaultInjection) -> Self {
        Self { rule, injection, fitted: 0 }
    }

    /// What happens to this call by this rule, if anything.
    pub fn strike(&mut self, call: &Call) -> Option<FaultInjection> {
        if !self.rule.fits(call) {
            return None;
        }
        self.fitted += 1;
        let place = self.fitted.checked_sub(self.rule.spared + 1)?;
        let hit = self.rule.hits.is_none_or(|hits| place < hits);
        hit.then(|| self.injection.clone())
    }
}

impl FaultInjection {
    /// The answer that stands in for the right one, where there is one and nothing is done.
    pub(super) fn stand_in(&self, sim: &Simulation, call: &Call) -> Option<Answer> {
        let refusal = |refusal| Some(sim.reply(call, Err(refusal)));
        match self {
            Self::Html => Some(plain("text/html", b"<html><h1>Log in to the network</h1></html>")),
            Self::Nothing => Some(plain("application/json", b"")),
            Self::Null => Some(plain("application/json", b"null")),
            Self::Huge(bytes) => Some(plain("application/json", &huge(*bytes))),
            Self::Status(status) => refusal(Refusal::unknown_error(*status)),
            Self::Code2Transient => refusal(Refusal::unavailable()),
            Self::Throttled => refusal(Refusal::app_throttled()),
            Self::UserThrottled => refusal(Refusal::user_throttled()),
            Self::Raw { status, headers, body } => {
                Some(Answer { status: *status, headers: headers.clone(), body: body.clone() })
            }
            Self::Slow(_)
            | Self::CloseBeforeAnswer
            | Self::CloseAfterEffect
            | Self::WrongDate(_) => None,
        }
    }
}

fn plain(content_type: &str, body: &[u8]) -> Answer {
    let headers = vec![("Content-Type", content_type.to_owned())];
    Answer { status: 200, headers, body: body.to_vec() }
}

/// Well-formed JSON, so that only its length is wrong.
fn huge(bytes: usize) -> Vec<u8> {
    let (head, tail) = (br#"{"data":""#, br#""}"#);
    let mut body = head.to_vec();
    body.resize(bytes.saturating_sub(tail.len()).max(head.len()), b'a');
    body.extend_from_slice(tail);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_spares_hits_and_rests() {
        let call = Call::new("GET", "/v26.0/debug_token?input_token=EAAFAKEX1", []);
        let hits = |rule: Rule| {
            let mut armed = Armed::new(rule, FaultInjection::Null);
            (0..4).map(|_| armed.strike(&call).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(hits(Rule::any()), [true; 4]);
        assert_eq!(hits(Rule::on("/debug_token").once()), [true, false, false, false]);
        assert_eq!(hits(Rule::any().sparing(1).times(2)), [false, true, true, false]);
        assert_eq!(hits(Rule::on("/me")), [false; 4]);
        assert_eq!(hits(Rule::any().at(Provider::Facebook)), [true; 4]);
        assert_eq!(hits(Rule::on("/debug_token").at(Provider::Threads)), [false; 4]);
        assert_eq!(hits(Rule::any().about("EAAFAKEX1")), [true; 4]);
        assert_eq!(hits(Rule::any().about("EAAFAKEX")), [false; 4]);
    }

    #[test]
    fn a_huge_body_has_the_size_it_says() {
        assert_eq!(huge(1000).len(), 1000);
        assert_eq!(huge(0), br#"{"data":""}"#);
    }
}
