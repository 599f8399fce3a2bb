//! `login`: gets an access token from Meta's login dialog.
//!
//! The person opens the dialog's address in any browser, anywhere. It ends at the redirect address,
//! where mostly nothing listens, and the person hands that address in: here and now, or later with
//! `--answer`. The state in it is signed, so nothing else has to be remembered in between. `answer` reads
//! what is handed in, and `granted` takes what its code gives.

mod answer;
mod granted;

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use self::answer::Login;
pub use self::answer::LoginTerms;
use self::granted::{order_has_pages, take};
use super::publish::publish;
use crate::error::CliError;
use crate::exit::Exit;
use crate::http::BrowserListener;
use crate::policy::humanize;
use crate::report::{self, RunReport};
use crate::run::declared::last_reading;
use crate::run::login::{LoginInvitation, LoginSubject, refuse_without_dialog};
use crate::run::tokens::Tokens;
use crate::run::{self, DryRun, Run, RunOptions, RunTurn};
use crate::session::Session;
use crate::store::Store;
use crate::token::{Label, Pattern, Provider};
use crate::ui::OutputFormat;

/// What was asked for.
#[derive(Debug)]
pub struct LoginOrder {
    /// The token.
    pub label: Label,
    pub way: LoginWay,
    /// How long an answer is taken.
    pub valid: TimeDelta,
    pub terms: LoginTerms,
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
    let printed = match session.ui.format {
        OutputFormat::Json => report::document(&json!({
            "version": report::VERSION,
            "label": order.label.as_str(),
            "address": invitation.address,
            "redirect_uri": invitation.redirect,
            "ends_at": report::time_json(Some(invitation.ends_at)),
        })),
        _ => format!("{}\n", invitation.address),
    };
    session.ui.data(&printed)?;
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
            take(&Login::new(&run, &order.terms, token, redirect)?, deliveries, text)
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
