//! `login`: gets an access token from Meta's login dialog.
//!
//! The person opens the dialog's address in any browser, anywhere. It ends at the redirect address,
//! where mostly nothing listens, and the person hands that address in: here and now, or later with
//! `--answer`. The state in it is signed, so nothing else has to be remembered in between. A code
//! works once and soon: that it is tried is stored before it is sent, and what it gives is sealed
//! before anything looks at it.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;

use super::publish::publish;
use crate::deliver::Deliveries;
use crate::error::CliError;
use crate::exit::Exit;
use crate::failpoint;
use crate::graph::{App, CallError, PageList};
use crate::http::BrowserListener;
use crate::policy::{Losses, humanize};
use crate::report::RunReport;
use crate::run::candidate::IdentityChange;
use crate::run::declared::last_reading;
use crate::run::hand_over::HandedOver;
use crate::run::handed_over::{Fitting, inspect_handed_over, report_taken};
use crate::run::inspect::inspect;
use crate::run::log;
use crate::run::login::{LoginInvitation, LoginSubject, page_name, refuse_without_dialog};
use crate::run::tokens::{TokenConfig, Tokens};
use crate::run::{self, DryRun, Run, RunOptions, RunTurn};
use crate::session::Session;
use crate::store::{LoginUse, NewCandidate, RefusedCandidate, SignedState, Store};
use crate::token::{
    AccessToken, Arrival, Generation, Grant, Label, LoginAnswer, LoginOutcome, Origin, Pattern,
    Problem, Provider, Secret, Source, TokenType, UnfitAnswer, read_login_answer,
};

/// What was asked for.
#[derive(Debug)]
pub struct LoginOrder {
    /// The token.
    pub label: Label,
    pub way: LoginWay,
    /// How long an answer is taken.
    pub valid: TimeDelta,
    /// The person who has to log in.
    pub expect_user: Option<String>,
    /// Whether it may be worth less than the current one.
    pub losses: Losses,
    /// Whether it may belong to another person.
    pub identity: IdentityChange,
    /// How long to wait for another run to end.
    pub lock_wait: Duration,
}

/// How the address gets to the person, and the answer back.
#[derive(Debug)]
pub enum LoginWay {
    /// Both here and now.
    Paste,
    /// A browser on this machine brings the answer to that port, or to one that is free.
    Listen(u16),
    /// The address now, the answer later.
    PrintUrl,
    /// The answer to an address that was printed before, in a file or, as `-`, on standard input.
    Answer(PathBuf),
}

/// Gets an access token from Meta's login dialog, and makes it the current one, long-lived.
pub fn login(session: &Session, order: &LoginOrder) -> Result<Exit, CliError> {
    let text = match &order.way {
        LoginWay::Listen(port) => return listen(session, order, *port),
        LoginWay::PrintUrl => return print_url(session, order),
        LoginWay::Answer(file) => {
            session.read_text(Some(file), "the address in its address bar")?
        }
        LoginWay::Paste => {
            let invitation = invite(session, order, None)?;
            show(session, order, &invitation, &what_to_do(&invitation));
            let text = session.read_text(None, "Paste the address in its address bar")?;
            if text.trim().is_empty() {
                return Err(nothing_pasted(order));
            }
            text
        }
    };
    hand_in(session, order, &text, None)
}

/// Waits for the browser of a person who logs in on this machine. Meta lets only a Facebook app in
/// development come back to it by plain HTTP.
fn listen(session: &Session, order: &LoginOrder, port: u16) -> Result<Exit, CliError> {
    let label = order.label.as_str();
    let provider = session.config.token(&order.label).map(|token| token.token_type.provider());
    if provider.is_some_and(|provider| provider != Provider::Facebook) {
        let message = "`--listen` is for Facebook apps in development; others want `https`";
        return Err(CliError::new(Exit::Usage, "no_listener", label, message).hint(format!(
            "run `metatoken login {label}`, and paste the address in its address bar"
        )));
    }
    let listener = BrowserListener::bind(port).map_err(|error| {
        let message = format!("port {port} of this machine cannot be listened to");
        CliError::new(Exit::Failed, "no_listener", label, message)
            .because(error)
            .hint("`--listen` without a port takes one that is free")
    })?;
    let redirect = listener.address();
    let invitation = invite(session, order, Some(&redirect))?;
    show(session, order, &invitation, &invitation.what_to_tick());
    let limit = LISTENS.min(order.valid.to_std().unwrap_or(LISTENS));
    let state = invitation.address.split("state=").nth(1).unwrap_or_default();
    let is_answer =
        |query: &str| query.split('&').any(|it| it.strip_prefix("state=") == Some(state));
    let came = listener.wait(limit, is_answer, include_str!("logged_in.html"));
    let came = came.map_err(|error| {
        CliError::new(Exit::Failed, "no_listener", label, "this machine stopped listening")
            .because(error)
    })?;
    match came {
        Some(query) => hand_in(session, order, &query, Some(&redirect)),
        None => Err(nothing_came(order, limit, &redirect)),
    }
}

/// How long a browser may take.
const LISTENS: Duration = Duration::from_mins(10);

/// Names what keeps a browser from coming back: only Meta's own page shows which it is.
fn nothing_came(order: &LoginOrder, limit: Duration, redirect: &str) -> CliError {
    let label = &order.label;
    let limit = humanize::span(TimeDelta::from_std(limit).unwrap_or_default());
    let message = format!("no browser came back to {redirect} within {limit}");
    CliError::new(Exit::PersonNeeded, "no_answer", label.as_str(), message)
        .hint("look at the page in the browser: only Meta's own page shows what is wrong")
        .hint("a live app refuses `http://localhost`: only an app in development takes it")
        .hint("in development, only people with a role in the app can log in")
        .hint("the app needs the product Facebook Login")
        .hint(format!("without a listener, run `metatoken login {label}`"))
}

fn print_url(session: &Session, order: &LoginOrder) -> Result<Exit, CliError> {
    let invitation = invite(session, order, None)?;
    session.ui.data(&format!("{}\n", invitation.address))?;
    session.ui.note(&format!(
        "{}\nThen run `metatoken login {} --answer FILE` with that address, `-` for standard input, \
         before {}",
        what_to_do(&invitation),
        order.label,
        humanize::when(invitation.ends_at, session.clock.now()),
    ));
    Ok(Exit::Ok)
}

/// Makes the address of the dialog. Only the store's key is needed for it; a store that is not there
/// yet is made.
fn invite(
    session: &Session,
    order: &LoginOrder,
    redirect: Option<&str>,
) -> Result<LoginInvitation, CliError> {
    // A label that is mistyped, or has no dialog, makes no store.
    let reader = session.reader()?;
    let last = last_reading(&session.config, reader.as_ref())?;
    refuse_without_dialog(
        session,
        Tokens::new(&session.config, Vec::new(), &last).one(&order.label)?,
    )?;
    let store = if let Some(store) = reader {
        store.unlock(&session.key()?)?;
        store
    } else {
        let lock = session.lock("login", order.lock_wait)?;
        Store::open(&lock, &session.config.store.path, &session.key()?)?
    };
    let tokens = Tokens::new(&session.config, store.credentials()?, &last);
    let token = tokens.one(&order.label)?;
    let subject = LoginSubject { session, store: &store, tokens: &tokens, token };
    subject.invite(redirect, order.valid, session.clock.now())
}

/// Says what to do, and opens the dialog where there is a browser.
fn show(session: &Session, order: &LoginOrder, invitation: &LoginInvitation, to_do: &str) {
    let ui = &session.ui;
    ui.say(&format!(
        "Open this address in a browser, on any device, and log in as the owner of `{}`:\n\n{}\n\n{}",
        order.label,
        invitation.address,
        to_do.trim_end()
    ));
    if session.has_browser() && open::that_detached(&invitation.address).is_err() {
        ui.note("no browser could be opened here");
    }
}

/// What the person has to do in the dialog, and what the browser shows afterwards.
fn what_to_do(invitation: &LoginInvitation) -> String {
    format!(
        "{}Afterwards the browser shows a page that does not load. That is expected: copy the whole \
         address from its address bar, which begins with {}, within a few minutes.",
        invitation.what_to_tick(),
        invitation.redirect
    )
}

fn nothing_pasted(order: &LoginOrder) -> CliError {
    let label = &order.label;
    CliError::new(Exit::Usage, "no_answer", label.as_str(), "no answer was pasted").hint(format!(
        "without a terminal, run `metatoken login {label} --print-url` now and `metatoken login \
         {label} --answer FILE` later"
    ))
}

/// Takes the answer of a dialog.
fn hand_in(
    session: &Session,
    order: &LoginOrder,
    text: &str,
    redirect: Option<&str>,
) -> Result<Exit, CliError> {
    let options = RunOptions::typed("login", DryRun::No, order.lock_wait);
    let turn = RunTurn::wait(session, options)?;
    let session = turn.session(session);
    let mut run = Run::open(&turn, session, options)?;
    let report = run.load_tokens().and_then(|()| {
        run.on_token(&order.label, |token, deliveries| {
            take(&Login::new(&run, order, token, redirect)?, deliveries, text)
        })
    });
    let mut report = report.and_then(|report| with_pages(&mut run, options, order, report));
    let closed = run.close_with(&report);
    if let Err(error) = run.bear_full(closed) {
        report = Err(error.into());
    }
    if let Ok(report) = &mut report {
        report.system.extend(run.fullness(&report.results));
        publish(&run, report);
    }
    run.show(report?)
}

fn take(login: &Login<'_>, deliveries: &Deliveries<'_>, text: &str) -> Result<RunReport, CliError> {
    let run = login.run;
    let (code, redirect, state) = login.read(text)?;
    login.check_that_identity_is_known()?;
    // Room is there before Meta is asked: what it grants is sealed at once.
    let room = run.store.room_for_grant()?;
    let grant = login.exchange(&code, redirect.as_deref(), state.as_ref())?;
    let sealed = login.seal(&grant)?;
    drop(room);
    let adopted = login.fitting(&grant.token).and_then(|fitting| {
        login.check_granted(&fitting, state.as_ref());
        login.check_pages(&grant.token)?;
        fitting.take(run, deliveries)
    });
    let adopted = adopted.map_err(|error| login.not_taken(error, &sealed))?;
    report_taken(run, deliveries, vec![adopted.with_its_pages()])
}

/// Derives the Pages of the person who has logged in, and delivers them.
fn with_pages(
    run: &mut Run<'_>,
    options: RunOptions,
    order: &LoginOrder,
    report: RunReport,
) -> Result<RunReport, CliError> {
    if !order_has_pages(run, &order.label) {
        return Ok(report);
    }
    run::add_refreshed(run, options, vec![Pattern::new(order.label.as_str())], report)
}

fn order_has_pages(run: &Run<'_>, label: &Label) -> bool {
    let token = run.session.config.token(label);
    let lists = token.is_some_and(|token| token.pages != crate::config::Pages::None);
    lists || run.tokens.pages_of(label).next().is_some()
}

/// The login of one token, whose answer was handed in.
struct Login<'a> {
    run: &'a Run<'a>,
    order: &'a LoginOrder,
    token: &'a TokenConfig,
    app: App,
    redirect: String,
}

/// What is handed in: the code, the redirect address that it came to, and the signed state.
type HandedIn = (Secret, Option<String>, Option<SignedState>);

impl<'a> Login<'a> {
    fn new(
        run: &'a Run<'a>,
        order: &'a LoginOrder,
        token: &'a TokenConfig,
        redirect: Option<&str>,
    ) -> Result<Self, CliError> {
        let setting = match (token.token_type, run.session.config.app(&token.app)) {
            // Embedded Signup gives a code without a dialog of ours.
            (TokenType::SystemUser, Some(setting)) => setting,
            _ => refuse_without_dialog(run.session, token)?,
        };
        let app = run.app(&token.app).map_err(CallError::of_token);
        let redirect = redirect.unwrap_or(&setting.redirect_uri).to_owned();
        let app = app.map_err(|error| {
            CliError::new(
                Exit::for_problem(&error.problem),
                error.problem.kind.as_str(),
                token.label.as_str(),
                error.problem.to_string(),
            )
        })?;
        Ok(Self { run, order, token, app, redirect })
    }

    /// Reads what was handed in, and refuses what is not an answer to a login of this token.
    fn read(&self, text: &str) -> Result<HandedIn, CliError> {
        let LoginAnswer { state, outcome } =
            read_login_answer(text, &self.redirect).map_err(|unfit| self.unfit(&unfit))?;
        let state = state.map(|state| self.check_state(&state)).transpose()?;
        let code = match outcome {
            LoginOutcome::Code(code) => code,
            LoginOutcome::Refused { name, code, words } => {
                return Err(self.refused_by_dialog(&name, code, &words));
            }
        };
        let is_bare = state.is_none() && read_bare(text);
        if state.is_none() && !is_bare {
            let message =
                "refused: its address has no `state`, so it answers no login of this store";
            return Err(self.refused("login_state", message));
        }
        // The code of Embedded Signup came to a program in a page, and to no redirect address.
        let has_none = is_bare && self.token.token_type == TokenType::SystemUser;
        let redirect = (!has_none).then(|| self.redirect.clone());
        Ok((code, redirect, state))
    }

    fn unfit(&self, unfit: &UnfitAnswer) -> CliError {
        let label = &self.token.label;
        let message = format!("not the answer of a login: {unfit}");
        let complaint = CliError::new(Exit::InputRefused, "login_answer", label.as_str(), message);
        complaint.hint(match unfit {
            UnfitAnswer::AccessToken => format!("run `metatoken exchange {label}` with it"),
            UnfitAnswer::DialogAddress => {
                "open it in a browser, log in, and hand in the address in the address bar of the browser"
                    .to_owned()
            }
            UnfitAnswer::OtherPlace(_) => format!(
                "hand in the address in the address bar of the browser, which begins with {}",
                self.redirect
            ),
            UnfitAnswer::Empty
            | UnfitAnswer::NoCode
            | UnfitAnswer::TwoCodes
            | UnfitAnswer::ForeignCharacter => format!(
                "copy the whole address in the address bar of the browser; for a new one, run `metatoken \
                 login {label}`"
            ),
        })
    }

    fn check_state(&self, text: &str) -> Result<SignedState, CliError> {
        let Some(state) = self.run.store.verify_login(text)? else {
            let message = "refused: its `state` was not signed by this store";
            return Err(self.refused("login_state", message));
        };
        let claims = &state.claims;
        if claims.label != self.token.label {
            let label = &claims.label;
            let message = format!("refused: it answers the login of `{label}`");
            return Err(CliError::new(
                Exit::InputRefused,
                "login_state",
                self.token.label.as_str(),
                message,
            )
            .hint(format!("run `metatoken login {label} --answer FILE` with it")));
        }
        if claims.app_id != self.app.id {
            let message = format!("refused: it answers a login to another app, {}", claims.app_id);
            return Err(self.refused("login_state", message));
        }
        if claims.redirect != self.redirect {
            let message = format!(
                "refused: it answers a login with another redirect address, {}",
                claims.redirect
            );
            return Err(self.refused("login_state", message));
        }
        let now = self.run.now();
        if claims.ends_at <= now {
            let ended = humanize::when(claims.ends_at, now);
            return Err(self.refused(
                "login_expired",
                format!("refused: its address was valid until {ended}"),
            ));
        }
        Ok(state)
    }

    fn refused(&self, code: &'static str, message: impl Into<String>) -> CliError {
        CliError::new(Exit::InputRefused, code, self.token.label.as_str(), message)
            .hint(self.new_address())
    }

    fn new_address(&self) -> String {
        format!("for a new address, run `{}`", self.typed())
    }

    fn typed(&self) -> String {
        format!("metatoken login {}", self.token.label)
    }

    /// Says what the dialog said in place of a code.
    fn refused_by_dialog(&self, name: &str, code: Option<i64>, words: &str) -> CliError {
        let label = self.token.label.as_str();
        let (app, words) = (&self.app.name, words.trim());
        let spec = self.app.provider.spec();
        let person =
            |message: String| CliError::new(Exit::PersonNeeded, "login_refused", label, message);
        let number = code.map_or_else(String::new, |code| format!(" ({code})"));
        let typed = self.typed();
        match (name, code) {
            ("access_denied", _) => CliError::new(
                Exit::PersonNeeded,
                "login_declined",
                label,
                "login declined: the person pressed Cancel",
            )
            .hint(format!("to ask again, run `{typed}`")),
            (_, Some(1_349_168)) => {
                let redirect = &self.redirect;
                person(format!("the app's settings do not list the redirect address {redirect}{number}"))
                    .hint(format!(
                        "add `{redirect}`, to the byte, in the app's dashboard ({}), then run `{typed}`",
                        spec.dialog.redirect_settings
                    ))
            }
            (_, Some(1_349_245)) => person(format!(
                "the person has not accepted the invitation to test app `{app}`{number}"
            ))
            .hint(format!(
                "that person accepts it (account settings, Website permissions, Invites), then \
                         run `{typed}`"
            )),
            (_, Some(1_349_026 | 4_476_002)) => person(format!(
                "app `{app}` has the id of the app at Facebook{number}"
            ))
            .hint(format!(
                "set `id` of `[app.{app}]` to the {}, then run `{typed}`",
                spec.words.app_id
            )),
            _ => {
                let words = if words.is_empty() { name } else { words };
                person(format!("the login dialog refused: {words}{number}"))
                    .hint(format!("fix it in the app's dashboard, then run `{typed}`"))
            }
        }
    }

    /// Refuses a first login without a terminal where the person is not named.
    fn check_that_identity_is_known(&self) -> Result<(), CliError> {
        if !self.is_anybodys()? || self.run.session.ui.can_ask() {
            return Ok(());
        }
        let label = &self.token.label;
        let message =
            "the person who has to log in is not named, and there is no terminal to ask on";
        Err(CliError::new(Exit::Usage, "no_user", label.as_str(), message).hint(format!(
            "add `--expect-user ID` with the person's id, or `user_id` to `[token.{label}]`"
        )))
    }

    /// Whether it is not known yet whose access token it must be.
    fn is_anybodys(&self) -> Result<bool, CliError> {
        let LoginOrder { expect_user, identity, .. } = self.order;
        if expect_user.is_some()
            || self.token.user_id.is_some()
            || *identity == IdentityChange::Accepted
        {
            return Ok(false);
        }
        let credential = self.run.store.credential(self.run.token_id(&self.token.label)?)?;
        let proof = credential.current.and_then(|current| current.proof);
        Ok(proof.is_none_or(|proof| proof.inspection.identity.user_id.is_none()))
    }

    /// Exchanges the code, once: that it is tried is stored before.
    fn exchange(
        &self,
        code: &Secret,
        redirect: Option<&str>,
        state: Option<&SignedState>,
    ) -> Result<Grant, CliError> {
        let Run { store, id, .. } = self.run;
        let token = self.run.token_id(&self.token.label)?;
        let now = self.run.now();
        if let LoginUse::Used(at) = store.use_login(token, state, code, now)? {
            let at = humanize::instant(at);
            return Err(self.refused(
                "login_used",
                format!("refused: this login was handed in {at}, and works once"),
            ));
        }
        let credential = store.plan_attempt(*id, store.credential(token)?, now)?;
        failpoint::reach("before-request");
        let answer = self.run.graph.exchange_code(&self.app, code, redirect);
        match answer {
            Ok(grant) => {
                failpoint::reach("granted");
                Ok(grant)
            }
            Err(error) => {
                store.close_attempts(credential, self.run.now())?;
                Err(self.not_exchanged(&error))
            }
        }
    }

    fn not_exchanged(&self, error: &CallError) -> CliError {
        /// What Meta says of a code that is cut or changed.
        const MALFORMED: &str = "verification code format";
        let problem = &error.problem;
        log::not_taken(&self.token.label, problem);
        let input = Exit::InputRefused;
        let (exit, message) = match problem.subcode {
            Some(36_007) => (input, "the code has expired; it works for some minutes".to_owned()),
            Some(36_009) => (input, "the code was used already; it works once".to_owned()),
            Some(36_008) => (
                input,
                "the code came to another redirect address than it is handed in with".to_owned(),
            ),
            _ if problem.message.contains(MALFORMED) => {
                (input, "Meta does not know the code; it may be cut off".to_owned())
            }
            _ => (
                Exit::for_problem(problem),
                format!("the code is spent, and gave nothing: {problem}"),
            ),
        };
        let complaint =
            CliError::new(exit, problem.kind.as_str(), self.token.label.as_str(), message);
        self.untouched(complaint.hint(self.new_address()))
    }

    fn untouched(&self, complaint: CliError) -> CliError {
        let known = self.run.tokens.credential(&self.token.label);
        if known.is_some_and(|credential| credential.current.is_some()) {
            complaint.hint("the current access token is untouched")
        } else {
            complaint
        }
    }

    /// Seals what the code gave: from here on a kill or an outage loses nothing.
    fn seal(&self, grant: &Grant) -> Result<Generation, CliError> {
        let store = &self.run.store;
        let credential = store.credential(self.run.token_id(&self.token.label)?)?;
        let new = NewCandidate {
            access_token: grant.token.clone(),
            origin: Origin::Adopted,
            expiry: grant.expiry,
            parent: None,
        };
        let now = self.run.now();
        let (credential, sealed) = store.seal_candidate(credential, new, now)?;
        store.close_attempts(credential, now)?;
        Ok(sealed)
    }

    /// Inspects what the code gave, and asks whether it is the right person's where none is named.
    fn fitting(&self, access_token: &AccessToken) -> Result<Fitting<'a>, CliError> {
        let is_anybodys = self.is_anybodys()?;
        let handed = HandedOver {
            access_token: access_token.clone(),
            losses: self.order.losses,
            identity: self.order.identity,
            arrival: Some(Arrival::LoggedIn),
            typed: self.typed(),
        };
        let fitting = inspect_handed_over(self.run, self.token, handed)?;
        let user = fitting.inspection().identity.user_id.clone().unwrap_or_default();
        match &self.order.expect_user {
            Some(wanted) if *wanted != user => {
                let message = format!("refused: person {user} logged in, and not {wanted}");
                Err(self.untouched(self.refused("identity_changed", message)))
            }
            None if is_anybodys => self.confirm(access_token, &user).map(|()| fitting),
            _ => Ok(fitting),
        }
    }

    fn confirm(&self, access_token: &AccessToken, user: &str) -> Result<(), CliError> {
        let ui = &self.run.session.ui;
        // A name is for the person who is asked; without it the id is shown.
        let name = self.run.graph.person(&self.app, access_token).unwrap_or_default();
        let pages = if self.lists_pages() {
            self.listed(access_token).map(|list| list.pages).unwrap_or_default()
        } else {
            Vec::new()
        };
        let ticked = pages.iter().filter(|page| page.token.is_some());
        let names: Vec<String> =
            ticked.map(|page| page.name.clone().unwrap_or_else(|| page.id.clone())).collect();
        let with =
            if names.is_empty() { String::new() } else { format!(", Pages: {}", names.join(", ")) };
        ui.say(&format!("Logged in: {name} (id {user}){with}"));
        let question = format!("Is this the person for `{}`? [y/N]", self.token.label);
        let answer = ui.ask(&question).and_then(Result::ok).unwrap_or_default();
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(self.refused("identity_refused", format!("not taken: person {user} was not confirmed")))
    }

    fn listed(&self, access_token: &AccessToken) -> Result<PageList, CallError> {
        let business = self.token.business.as_deref();
        self.run.graph.pages(&self.app, access_token, business)
    }

    fn lists_pages(&self) -> bool {
        matches!(self.token.token_type.spec().source, Source::Person(_))
            && self.app.provider.spec().has_pages()
            && order_has_pages(self.run, &self.token.label)
    }

    /// Names the permissions that were asked for and not granted.
    fn check_granted(&self, fitting: &Fitting<'_>, state: Option<&SignedState>) {
        let asked = state.map(|state| state.claims.scopes.as_slice()).unwrap_or_default();
        let missing = fitting.inspection().lacks(asked);
        if !missing.is_empty() {
            self.run.session.ui.say(&format!("not granted: {}", missing.join(", ")));
        }
    }

    /// Refuses a login that gives no access token for a Page whose access token works today, unless
    /// that is accepted.
    fn check_pages(&self, access_token: &AccessToken) -> Result<(), CliError> {
        let kept: Vec<&TokenConfig> = self.run.tokens.pages_of(&self.token.label).collect();
        if kept.is_empty() || !self.app.provider.spec().has_pages() {
            return Ok(());
        }
        let listed = self.listed(access_token);
        let listed = listed.map_err(|error| self.sealed_and_not_checked(&error.problem))?.pages;
        let is_listed = |page: &&TokenConfig| {
            listed.iter().any(|it| Some(&it.id) == page.page_id.as_ref() && it.token.is_some())
        };
        let missing: Vec<&TokenConfig> = kept.into_iter().filter(|page| !is_listed(page)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let name = |page: &&TokenConfig| page_name(&self.run.tokens, page);
        let names: Vec<String> = missing.iter().map(name).collect();
        self.run.session.ui.say(&format!("not ticked: {}", names.join(", ")));
        let mut alive = Vec::new();
        for page in &missing {
            if self.lives(page)? {
                alive.push(name(page));
            }
        }
        if alive.is_empty() || self.order.losses == Losses::Accepted {
            return Ok(());
        }
        let label = self.token.label.as_str();
        let message = format!(
            "not replaced: these Pages work today, and would get no new access token: {}",
            alive.join(", ")
        );
        let complaint = CliError::new(Exit::InputRefused, "not_replaced", label, message)
            .hint(format!("log in again and tick them: `{}`", self.typed()))
            .hint(format!("to do without them, run `{} --replace`", self.typed()));
        Err(self.untouched(complaint))
    }

    /// Whether a Page's access token works now, by Graph's word, else by its last.
    fn lives(&self, page: &TokenConfig) -> Result<bool, CliError> {
        let credential = self.run.store.credential(self.run.token_id(&page.label)?)?;
        let Some(current) = credential.current else { return Ok(false) };
        let access_token = self.run.store.reveal(current.id)?;
        let now = inspect(&self.run.graph, &self.app, &access_token);
        let verdict = now.map_or_else(|_| current.verdict(), |inspection| inspection.verdict());
        Ok(verdict != Some(false))
    }

    fn sealed_and_not_checked(&self, problem: &Problem) -> CliError {
        CliError::new(
            Exit::for_problem(problem),
            problem.kind.as_str(),
            self.token.label.as_str(),
            format!("the new access token is sealed, but not checked yet: {problem}"),
        )
        .hint(format!("run `metatoken refresh {}`", self.token.label))
    }

    /// Sets aside what is not taken. What could only not be checked stays, and the next run looks at it.
    fn not_taken(&self, error: CliError, sealed: &Generation) -> CliError {
        if matches!(error.exit, Exit::Unavailable | Exit::Failed | Exit::Storage) {
            return error;
        }
        let set_aside = || -> Result<(), CliError> {
            let store = &self.run.store;
            let credential = store.credential(self.run.token_id(&self.token.label)?)?;
            if credential.candidate.as_ref().is_some_and(|it| it.id == sealed.id) {
                let refusal = RefusedCandidate { candidate: sealed.id, proof: None, setback: None };
                store.refuse(self.run.id, credential, refusal, self.run.now())?;
            }
            Ok(())
        };
        match set_aside() {
            Ok(()) => error,
            Err(worse) => worse,
        }
    }
}

/// Whether a text is a code alone, and no address that lost its state.
fn read_bare(text: &str) -> bool {
    !text.contains(['?', '&']) && !text.contains("code=")
}

/// For how long an answer is taken, if nothing else is said, and at most.
pub const VALID: (TimeDelta, TimeDelta) = (TimeDelta::hours(1), TimeDelta::days(7));

/// Refuses a length of time for which no address may be valid.
pub fn check_valid(valid: TimeDelta) -> Result<TimeDelta, CliError> {
    let (_, most) = VALID;
    if valid > TimeDelta::zero() && valid <= most {
        return Ok(valid);
    }
    Err(CliError::new(Exit::Usage, "usage", "--valid", "must lie between 1s and 7d"))
}
