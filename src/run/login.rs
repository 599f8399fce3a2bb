//! Writes invitations to log in: the address of Meta's dialog, and what has to be ticked there.
//!
//! A login asks for what the access token in use may do, what the config requires of the token and
//! of its Pages, and no more. Which Pages are to be ticked, are those that are kept here.

use chrono::TimeDelta;

use super::apps;
use super::tokens::{TokenConfig, Tokens};
use crate::config::{AppSetting, Pages};
use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, AskAgain, Dialog, DialogScopes, dialog_address};
use crate::policy::remedy;
use crate::session::Session;
use crate::store::Store;
use crate::token::{DataAccess, LoginClaims, Problem, Source, Time, TokenType};

/// A login dialog that a person is to open, and what to do in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginInvitation {
    /// What a browser opens.
    pub address: String,
    /// Where the browser ends.
    pub redirect: String,
    /// The permissions that are asked for; none where a configuration at Meta says which.
    pub scopes: Vec<String>,
    /// The Pages that have to be ticked, as people know them.
    pub pages: Vec<String>,
    /// Until when an answer is taken.
    pub ends_at: Time,
}

impl LoginInvitation {
    /// What the person has to do in the dialog, in lines.
    pub fn what_to_tick(&self) -> String {
        let line = |what: &str, names: &[String]| {
            if names.is_empty() {
                String::new()
            } else {
                format!("{what}: {}.\n", names.join(", "))
            }
        };
        line("Tick every Page", &self.pages) + &line("Grant every permission", &self.scopes)
    }
}

/// What an invitation is made of.
pub struct LoginSubject<'a> {
    pub session: &'a Session,
    /// The store that signs, open with its key.
    pub store: &'a Store,
    pub tokens: &'a Tokens,
    pub token: &'a TokenConfig,
}

impl LoginSubject<'_> {
    /// Writes an invitation that is valid for so long. `redirect` is where the browser is sent, if not
    /// where the config says.
    pub fn invite(
        &self,
        redirect: Option<&str>,
        valid: TimeDelta,
        now: Time,
    ) -> Result<LoginInvitation, CliError> {
        let setting = refuse_without_dialog(self.session, self.token)?;
        let app = app_of_login(self)?;
        let redirect = redirect.unwrap_or(&setting.redirect_uri).to_owned();
        let scopes = self.asked();
        let ends_at = now + valid;
        let state = self.store.sign_login(&LoginClaims {
            label: self.token.label.clone(),
            app_id: app.id.clone(),
            redirect: redirect.clone(),
            scopes: scopes.clone(),
            ends_at,
        })?;
        let dialog = Dialog {
            redirect: &redirect,
            state: &state,
            scopes: match &setting.config_id {
                Some(id) => DialogScopes::Configuration(id),
                None => DialogScopes::Scopes(&scopes),
            },
            again: self.why_again(now),
        };
        let address = dialog_address(&self.session.graph.endpoints, &app, &dialog);
        let address = address.map_err(|problem| misconfigured(self.token, &problem))?;
        Ok(LoginInvitation { address, redirect, scopes, pages: self.pages(), ends_at })
    }

    /// The permissions that a login asks for; none where a configuration at Meta says which.
    pub fn asked(&self) -> Vec<String> {
        let setting = self.session.config.app(&self.token.app);
        let is_configured = setting.is_some_and(|it| it.config_id.is_some());
        if is_configured { Vec::new() } else { self.scopes() }
    }

    /// The permissions to ask for, the one that every login has first.
    fn scopes(&self) -> Vec<String> {
        let spec = self.token.token_type.provider().spec().dialog;
        let pages: Vec<&TokenConfig> = self.tokens.pages_of(&self.token.label).collect();
        let has_pages = !pages.is_empty() || self.token.pages != Pages::None;
        let current = self.tokens.credential(&self.token.label).and_then(|it| it.current.as_ref());
        let proof = current.and_then(|current| current.proof.as_ref());
        let has_now = proof.map(|proof| proof.inspection.known_scopes()).unwrap_or_default();
        let basic = [spec.basic_scope].into_iter().chain(spec.page_scope.filter(|_| has_pages));
        let required = [self.token].into_iter().chain(pages);
        let required = required.flat_map(|token| &token.policy.required_scopes);
        let mut scopes: Vec<String> = Vec::new();
        for scope in basic.chain(required.chain(has_now).map(String::as_str)) {
            if scopes.iter().all(|known| known != scope) {
                scopes.push(scope.to_owned());
            }
        }
        scopes
    }

    /// The Pages that are kept here.
    fn pages(&self) -> Vec<String> {
        let pages = self.tokens.pages_of(&self.token.label);
        pages.map(|page| page_name(self.tokens, page)).collect()
    }

    /// Asks for the data again where the access to it is what ends.
    fn why_again(&self, now: Time) -> AskAgain {
        let current = self.tokens.credential(&self.token.label).and_then(|it| it.current.as_ref());
        let proof = current.and_then(|current| current.proof.as_ref());
        let until = proof.map_or(DataAccess::Unknown, |proof| proof.inspection.data_access);
        let window = self.token.policy.data_access_within.warning;
        match until {
            DataAccess::Until(end) if !window.is_zero() && end - now <= window => {
                AskAgain::DataAccess
            }
            _ => AskAgain::Declined,
        }
    }
}

/// A Page as the person who ticks it knows it.
pub fn page_name(tokens: &Tokens, page: &TokenConfig) -> String {
    let name = tokens.credential(&page.label).and_then(|credential| credential.name.as_deref());
    let id = page.page_id.as_deref().unwrap_or(page.label.as_str());
    match name {
        Some(name) => format!("{name} ({id})"),
        None => id.to_owned(),
    }
}

/// Finds the app whose dialog gives this token; refuses what no person logs in for.
pub fn refuse_without_dialog<'s>(
    session: &'s Session,
    token: &TokenConfig,
) -> Result<&'s AppSetting, CliError> {
    let label = &token.label;
    let refused = |message: &str, hint: String| {
        CliError::new(Exit::Usage, "no_login", label.as_str(), message).hint(hint)
    };
    let setting = session.config.app(&token.app).ok_or_else(|| {
        refused("its app is not in the config", format!("add `[app.{}]` to it", token.app))
    })?;
    match (token.token_type.spec().source, &token.parent) {
        (Source::App(_), _) => Err(refused(
            "an app's token needs no login: its id and secret give it",
            format!("run `metatoken refresh {label}`"),
        )),
        (Source::Parent(_), Some(parent)) => Err(refused(
            "a Page's token comes from the login of a person",
            format!("run `metatoken login {parent}`"),
        )),
        (Source::Parent(_), None) => Err(refused(
            "a Page's token comes from the login of a person, and it has no `parent`",
            format!("declare a user token, and name it as the `parent` of `[token.{label}]`"),
        )),
        (Source::Person(words), _)
            if token.token_type == TokenType::SystemUser && setting.config_id.is_none() =>
        {
            Err(refused("a System User does not log in", {
                format!(
                    "{} {}, then run `metatoken exchange {label}`; for a login for businesses, set \
                     `config_id` in `[app.{}]`",
                    words.owner, words.log_in, token.app
                )
            }))
        }
        (Source::Person(_), _) => Ok(setting),
    }
}

/// Reads the app of a login, which exchanges a code by its secret alone.
fn app_of_login(subject: &LoginSubject<'_>) -> Result<App, CliError> {
    let LoginSubject { session, tokens, token, .. } = subject;
    let app = apps::app(session, tokens.throttled_apps(), &token.app);
    let app = app.map_err(|problem| misconfigured(token, &problem))?;
    if app.secret.is_none() {
        let message = format!("app `{}` has no `secret`, which a login needs", app.name);
        let place = app.provider.spec().words.app_secret;
        return Err(CliError::new(Exit::Config, "no_secret", token.label.as_str(), message)
            .hint(format!("add `secret` to `[app.{}]`; Meta shows it in {place}", app.name)));
    }
    Ok(app)
}

fn misconfigured(token: &TokenConfig, problem: &Problem) -> CliError {
    let exit = Exit::for_problem(problem);
    let subject = super::tokens::subject(token, None, None);
    let hint = remedy(problem, &subject).to_string();
    CliError::new(exit, problem.kind.as_str(), token.label.as_str(), problem.to_string()).hint(hint)
}
