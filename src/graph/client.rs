//! Asks Graph what commands want to know, and for access tokens.
//!
//! Each question is one or more calls, which [`GraphCaller`] makes.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::token::{
    AccessToken, DebugTokenCall, Grant, GrantType, Inspection, InspectionWay, Problem, ProblemKind,
    ProfileCall, Provider, Secret, Source, TokenType, VersionAnswer,
};

use super::attempts::{FailedCall, GraphCaller};
use super::breaker::ProbeGate;
use super::call_error::{CallError, Scope};
use super::calls::{self, PageGrant};
use super::log;
use super::observations::{Throttle, VersionFallback};
use super::request::Request;
use super::settings::{App, Settings};

/// The client of one run, shared by its threads.
#[derive(Debug)]
pub struct Graph {
    caller: GraphCaller,
    gates: ProbeGate,
    /// Apps that may not ask about tokens.
    not_let_ask: Mutex<BTreeSet<String>>,
}

impl Graph {
    /// A client that has asked nothing yet; once `stop` is set it begins no request.
    pub fn new(settings: Settings, clock: Clock, stop: Arc<AtomicBool>) -> Self {
        Self {
            caller: GraphCaller::new(settings, clock, stop),
            gates: ProbeGate::default(),
            not_let_ask: Mutex::default(),
        }
    }

    /// Asks what a token is worth, in the way of the app's provider.
    pub fn inspect(&self, app: &App, token: &AccessToken) -> Result<Inspection, CallError> {
        self.gates.first_alone(app, || match app.provider.spec().inspection {
            InspectionWay::DebugToken(call) => self.debug_token(app, call, token),
            InspectionWay::Profile(call) => self.profile(app, call, token),
            InspectionWay::DebugTokenOrProfile(call, profile) => self
                .debug_token_where_allowed(app, call, token)
                .unwrap_or_else(|| self.profile(app, profile, token)),
        })
    }

    fn debug_token(
        &self,
        app: &App,
        call: &DebugTokenCall,
        token: &AccessToken,
    ) -> Result<Inspection, CallError> {
        let secret = secret_of(app, "ask Graph about a token")?;
        let request = calls::inspect(app, call, Some(secret), token);
        let inspection = self.caller.call(app, &request, calls::read_inspection)?;
        let of_an_app = token.expose().contains('|');
        Ok(if of_an_app { calls::as_app_token(inspection) } else { inspection })
    }

    fn profile(
        &self,
        app: &App,
        call: &ProfileCall,
        token: &AccessToken,
    ) -> Result<Inspection, CallError> {
        self.caller.call(app, &calls::profile(app, call, token), calls::read_profile)
    }

    /// What Graph says of a token; nothing where it does not let this app ask, which is found out
    /// once.
    fn debug_token_where_allowed(
        &self,
        app: &App,
        call: &DebugTokenCall,
        token: &AccessToken,
    ) -> Option<Result<Inspection, CallError>> {
        if self.not_let_ask().contains(&app.id) {
            return None;
        }
        let request = calls::inspect(app, call, app.secret.as_ref(), token);
        match self.caller.try_call(app, &request, calls::read_inspection) {
            Err(FailedCall { fault, .. }) if fault.refuses_the_question() => {
                log::may_not_ask(app, &fault.problem);
                self.not_let_ask().insert(app.id.clone());
                None
            }
            Err(failed) => Some(Err(self.caller.record_failure(app, failed))),
            Ok(inspection) => Some(Ok(inspection)),
        }
    }

    /// Asks for an access token: by `token`, the one in use, where the grant is for one that
    /// follows it.
    pub fn grant(
        &self,
        app: &App,
        grant: &GrantType,
        token: Option<&AccessToken>,
    ) -> Result<Grant, CallError> {
        let needed = grant.needs_the_secret().then(|| secret_of(app, "exchange a token"));
        let secret = needed.transpose()?;
        let request = calls::grant(app, grant, calls::GrantInput { secret, token });
        self.gates.first_alone(app, || {
            self.caller
                .call(app, &request, |response| calls::read_grant(response, self.caller.present()))
        })
    }

    /// Lists all Pages of a user, to the end of the list.
    pub fn pages(&self, app: &App, token: &AccessToken) -> Result<Vec<PageGrant>, CallError> {
        /// Ten thousand Pages: no person has more, and a list without an end is Graph's mistake.
        const STRETCHES: usize = 100;
        let mut pages: Vec<PageGrant> = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        loop {
            let after = seen.last().map(String::as_str);
            let request = calls::accounts(app, app.secret.as_ref(), token, after);
            let stretch = self.caller.call(app, &request, calls::read_accounts)?;
            for page in stretch.pages {
                if pages.iter().all(|known| known.id != page.id) {
                    pages.push(page);
                }
            }
            match stretch.after {
                None => return Ok(pages),
                Some(after) if seen.contains(&after) || seen.len() + 1 >= STRETCHES => {
                    log::endless_list(app);
                    return Ok(pages);
                }
                Some(after) => seen.push(after),
            }
        }
    }

    /// Asks for one Page.
    pub fn page(&self, app: &App, token: &AccessToken, id: &str) -> Result<PageGrant, CallError> {
        let request = calls::page(app, app.secret.as_ref(), token, id);
        self.caller.call(app, &request, calls::read_page)
    }

    /// Asks a provider's host what time it is: once, without a token, and nothing more. Where there
    /// is no answer, nothing was learnt.
    pub fn ask_the_time(&self, provider: Provider) {
        self.caller.ask_the_time(provider);
    }

    /// Asks whether a version of Graph works: once, without a token. Nothing without an answer.
    pub fn ask_version(&self, version: &str) -> Option<VersionAnswer> {
        let response = self.caller.ask_once(&Request::for_a_version(version))?;
        calls::read_version(version, &response)
    }

    /// Asks for the access token of a Facebook app itself, which only its id and secret give.
    pub fn app_token(&self, app: &App) -> Result<Grant, CallError> {
        match TokenType::App.spec().source {
            Source::App(grant) => self.grant(app, grant, None),
            Source::Person(_) | Source::Parent(_) => unreachable!("an app's token is its own"),
        }
    }

    /// Our clock minus Graph's, by the first answer that was dated; nothing before that.
    pub fn clock_skew(&self) -> Option<TimeDelta> {
        self.caller.clock_skew()
    }

    /// How many requests were really sent.
    pub fn calls(&self) -> u64 {
        self.caller.calls()
    }

    /// How much of an app's rate limit was used up by the last answer that told, in percent.
    pub fn budget_used(&self, app: &App) -> Option<u64> {
        self.caller.observations().budget_used(app)
    }

    /// Where another Graph version answered than the one asked for, by app.
    pub fn fallbacks(&self) -> Vec<VersionFallback> {
        self.caller.observations().fallbacks()
    }

    /// The apps that Meta throttled as a whole, whatever token it was asked with.
    pub fn throttles(&self) -> Vec<Throttle> {
        self.caller.observations().throttles()
    }

    fn not_let_ask(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.not_let_ask.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn secret_of<'a>(app: &'a App, purpose: &str) -> Result<&'a Secret, CallError> {
    app.secret.as_ref().ok_or_else(|| CallError {
        problem: Problem::new(
            ProblemKind::BadAppCredentials,
            format!("app `{}` has no secret, without which nobody can {purpose}", app.name),
        ),
        scope: Scope::App(app.id.clone()),
        held_back: false,
        answer_lost: false,
        wait: None,
    })
}
