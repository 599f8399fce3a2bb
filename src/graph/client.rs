//! Asks Graph what commands want to know, and for access tokens.
//!
//! Each question is one or more calls, which [`GraphCaller`] makes.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::token::{
    AccessToken, DebugTokenCall, Grant, GrantType, Inspection, InspectionWay, ProbeQuestion,
    Problem, ProblemKind, ProfileCall, Provider, Secret, Source, TokenType, VersionAnswer,
};

use super::attempts::{FailedCall, GraphCaller};
use super::breaker::ProbeGate;
use super::call_error::{CallError, Scope};
use super::calls::{
    self, Asker, Continuation, PageEdge, PageFields, PageGrant, Position, ProbeFinding,
};
use super::log;
use super::observations::{Throttle, VersionFallback};
use super::request::Request;
use super::settings::{App, Settings};

/// The Pages that a user token reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageList {
    /// Each once, in Graph's order.
    pub pages: Vec<PageGrant>,
    pub extent: Extent,
}

/// Whether a list was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// It was.
    Whole,
    /// Graph says that there is more, and not how to ask for it.
    Cut,
}

impl PageList {
    /// Adds the Pages that are not there yet, and says how many were.
    fn add(&mut self, pages: Vec<PageGrant>) -> usize {
        let known = self.pages.len();
        for page in pages {
            if self.pages.iter().all(|known| known.id != page.id) {
                self.pages.push(page);
            }
        }
        self.pages.len() - known
    }
}

/// What is to be ended at Meta.
#[derive(Debug, Clone, Copy)]
pub enum Revocation<'a> {
    /// One access token of a System User; another one that works asks for it.
    One { access_token: &'a AccessToken, by: &'a AccessToken },
    /// All that a System User has for the app; one of them, or an admin's, asks for it.
    SystemUser { user_id: &'a str, by: &'a AccessToken },
    /// All that a person granted the app.
    Grant { user_id: &'a str },
    /// The same where Meta documents no call for it.
    Undocumented { access_token: &'a AccessToken },
}

const fn at_once(limit: u32) -> usize {
    limit as usize
}

/// An asker that a host does not let ask about tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum RefusedAsker {
    /// The app of this id.
    App(String),
    /// An access token of the app of this id, about itself.
    Token(String),
}

impl RefusedAsker {
    fn of(asker: Asker<'_>, app: &App) -> Self {
        match asker {
            Asker::App(_) => Self::App(app.id.clone()),
            Asker::Token => Self::Token(app.id.clone()),
        }
    }
}

/// The client of one run, shared by its threads.
#[derive(Debug)]
pub struct Graph {
    caller: GraphCaller,
    gates: ProbeGate,
    /// Who may not ask about tokens.
    not_let_ask: Mutex<BTreeSet<RefusedAsker>>,
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
        let request = calls::inspect(app, call, Asker::App(secret), token);
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
        self.caller.call(app, &calls::profile(app, call, token), |response| {
            calls::read_profile(call, response)
        })
    }

    /// What Graph says of a token: to the token itself, else to its app; nothing where it lets neither
    /// ask, which is found out once.
    fn debug_token_where_allowed(
        &self,
        app: &App,
        call: &DebugTokenCall,
        token: &AccessToken,
    ) -> Option<Result<Inspection, CallError>> {
        let of_the_app = app.secret.as_ref().map(Asker::App);
        for asker in std::iter::once(Asker::Token).chain(of_the_app) {
            let refused = RefusedAsker::of(asker, app);
            if self.not_let_ask().contains(&refused) {
                continue;
            }
            let request = calls::inspect(app, call, asker, token);
            let read = match asker {
                Asker::App(_) => calls::read_inspection,
                Asker::Token => calls::read_own_inspection,
            };
            match self.caller.try_call(app, &request, read) {
                Ok(inspection) => return Some(Ok(inspection)),
                Err(FailedCall { fault, .. }) if fault.refuses_the_question() => {
                    // A dead access token may not ask, which says nothing of the next one.
                    if matches!(asker, Asker::App(_)) || !fault.is_about_a_session() {
                        log::may_not_ask(app, asker, &fault.problem);
                        self.not_let_ask().insert(refused);
                    }
                }
                Err(failed) => return Some(Err(self.caller.record_failure(app, failed))),
            }
        }
        None
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

    /// Asks for a new access token of a System User: once, for each answer holds another one.
    pub fn mint(&self, app: &App, asked: calls::MintInput<'_>) -> Result<Grant, CallError> {
        let request = calls::mint(app, secret_of(app, "make an access token")?, asked);
        self.caller
            .call(app, &request, |response| calls::read_grant(response, self.caller.present()))
    }

    /// Asks Meta to end access tokens. That it says yes is no proof.
    pub fn revoke(&self, app: &App, asked: Revocation<'_>) -> Result<(), CallError> {
        let secret = || secret_of(app, "revoke access tokens");
        let request = match asked {
            Revocation::One { access_token, by } => {
                calls::revoke_one(app, secret()?, access_token, by)
            }
            Revocation::SystemUser { user_id, by } => {
                calls::revoke_system_user(app, secret()?, user_id, by)
            }
            Revocation::Grant { user_id } => calls::revoke_grant(app, secret()?, user_id),
            Revocation::Undocumented { access_token } => {
                calls::revoke_undocumented(app, access_token)
            }
        };
        // What it did is asked for next, also where its answer was lost.
        let asked = self.caller.try_call(app, &request, calls::read_acknowledgement);
        asked.map_err(|failed| failed.fault)
    }

    /// Lists all Pages of a user, to the end of the list, and in shorter stretches where Graph asks
    /// for that. Where there are none, and a portfolio is named, the list is that portfolio's: what it
    /// owns, and what its clients have shared with it.
    pub fn pages(
        &self,
        app: &App,
        token: &AccessToken,
        business: Option<&str>,
    ) -> Result<PageList, CallError> {
        self.pages_of_all(app, token, business, PageFields::Token)
    }

    /// Lists the same with what the person may do on each.
    pub fn pages_with_tasks(
        &self,
        app: &App,
        token: &AccessToken,
        business: Option<&str>,
    ) -> Result<PageList, CallError> {
        self.pages_of_all(app, token, business, PageFields::Tasks)
    }

    fn pages_of_all(
        &self,
        app: &App,
        token: &AccessToken,
        business: Option<&str>,
        fields: PageFields,
    ) -> Result<PageList, CallError> {
        let own = self.list_pages(app, PageEdge::Own, token, fields)?;
        let Some(business) = business.filter(|_| own.pages.is_empty()) else { return Ok(own) };
        // What a System User may do there, a portfolio's list does not tell.
        let mut all = own;
        for edge in [PageEdge::OwnedBy(business), PageEdge::SharedWith(business)] {
            let list = self.list_pages(app, edge, token, PageFields::Token)?;
            all.add(list.pages);
            if list.extent == Extent::Cut {
                all.extent = Extent::Cut;
            }
        }
        Ok(all)
    }

    fn list_pages(
        &self,
        app: &App,
        edge: PageEdge<'_>,
        token: &AccessToken,
        fields: PageFields,
    ) -> Result<PageList, CallError> {
        /// As many as Meta gives at once.
        const MOST: u32 = 100;
        /// Ten thousand Pages: no person has more, and a list without an end is Graph's mistake.
        const ALL: usize = 10_000;
        let mut limit = MOST;
        let mut list = PageList { pages: Vec::new(), extent: Extent::Whole };
        let mut seen: Vec<Position> = Vec::new();
        loop {
            let request =
                calls::accounts(app, edge, app.secret.as_ref(), token, seen.last(), limit, fields);
            let stretch = match self.caller.try_call(app, &request, calls::read_accounts) {
                Ok(stretch) => stretch,
                Err(FailedCall { fault, .. }) if limit > 1 && fault.asks_for_less() => {
                    limit /= 2;
                    log::less_at_once(app, limit, &fault.problem);
                    continue;
                }
                Err(failed) => return Err(self.caller.record_failure(app, failed)),
            };
            // Places that are ever new, and the same Pages at each, are a circle. An empty stretch is none.
            let goes_round = !stretch.pages.is_empty() && list.add(stretch.pages) == 0;
            match stretch.next {
                Continuation::End => return Ok(list),
                Continuation::At(position)
                    if !goes_round
                        && !seen.contains(&position)
                        && (seen.len() + 1) * at_once(limit) < ALL =>
                {
                    seen.push(position);
                }
                Continuation::At(_) | Continuation::Lost => {
                    return Ok(PageList { extent: Extent::Cut, ..list });
                }
            }
        }
    }

    /// Exchanges the code of a login for an access token: once, for a code works once. `redirect` is
    /// the address that the dialog was asked with, if it was asked with one.
    pub fn exchange_code(
        &self,
        app: &App,
        code: &Secret,
        redirect: Option<&str>,
    ) -> Result<Grant, CallError> {
        let secret = secret_of(app, "exchange the code of a login")?;
        let request = calls::exchange_code(app, secret, code, redirect);
        self.caller
            .call(app, &request, |response| calls::read_grant(response, self.caller.present()))
    }

    /// Asks for the name by which people know the person behind an access token.
    pub fn person(&self, app: &App, token: &AccessToken) -> Result<String, CallError> {
        let request = match app.provider.spec().inspection {
            InspectionWay::DebugToken(_) => calls::person(app, app.secret.as_ref(), token),
            InspectionWay::Profile(call) | InspectionWay::DebugTokenOrProfile(_, call) => {
                calls::profile(app, call, token)
            }
        };
        self.caller.call(app, &request, calls::read_person)
    }

    /// Asks as a token the question that shows whether it does what it is for.
    pub fn probe(
        &self,
        app: &App,
        token: &AccessToken,
        question: &ProbeQuestion,
        page_id: Option<&str>,
    ) -> Result<ProbeFinding, CallError> {
        let request = calls::probe(app, app.secret.as_ref(), token, question, page_id);
        self.caller.call(app, &request, |response| calls::read_probe(question, response))
    }

    /// Asks for one Page.
    pub fn page(&self, app: &App, token: &AccessToken, id: &str) -> Result<PageGrant, CallError> {
        let request = calls::page(app, app.secret.as_ref(), token, id);
        self.caller.call(app, &request, calls::read_page)
    }

    /// Asks a provider's host what time it is: once, without a token, and nothing more. Where there
    /// is not an answer, nothing was learnt.
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

    /// Whether some call got what it asked for.
    pub fn has_answered(&self) -> bool {
        self.caller.has_answered()
    }

    /// How many requests were really sent.
    pub fn calls(&self) -> u64 {
        self.caller.calls()
    }

    /// How much of an app's rate limit was used up by the last answer that told, in percent.
    pub fn budget_used(&self, app: &App) -> Option<u64> {
        self.caller.observations().budget_used(app)
    }

    /// Whether an app of that name was answered in the Graph version that it asked for, and in no other.
    pub fn is_answered_as_asked(&self, app: &str) -> bool {
        self.caller.observations().is_answered_as_asked(app)
    }

    /// Where another Graph version answered than the one asked for, by app.
    pub fn fallbacks(&self) -> Vec<VersionFallback> {
        self.caller.observations().fallbacks()
    }

    /// The apps that Meta throttled as a whole, whatever token it was asked with.
    pub fn throttles(&self) -> Vec<Throttle> {
        self.caller.observations().throttles()
    }

    fn not_let_ask(&self) -> MutexGuard<'_, BTreeSet<RefusedAsker>> {
        self.not_let_ask.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn secret_of<'a>(app: &'a App, purpose: &str) -> Result<&'a Secret, CallError> {
    app.secret.as_ref().ok_or_else(|| CallError {
        problem: Problem::new(
            ProblemKind::BadAppCredentials,
            format!("app `{}` has no `secret`, which is needed to {purpose}", app.name),
        ),
        scope: Scope::App(app.id.clone()),
        held_back: false,
        answer_lost: false,
        wait: None,
    })
}
