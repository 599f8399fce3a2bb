//! Reads the answer of a login dialog that a person hands in, and refuses what answers no login of the token.

use crate::error::CliError;
use crate::exit::Exit;
use crate::graph::{App, CallError};
use crate::policy::{Losses, humanize};
use crate::run::Run;
use crate::run::candidate::IdentityChange;
use crate::run::login::refuse_without_dialog;
use crate::run::tokens::TokenConfig;
use crate::store::SignedState;
use crate::token::{LoginAnswer, LoginOutcome, Secret, TokenType, UnfitAnswer, read_login_answer};

/// On which terms the access token of a login is taken.
#[derive(Debug)]
pub struct LoginTerms {
    /// The person who has to log in.
    pub expect_user: Option<String>,
    /// Whether it may be worth less than the current one.
    pub losses: Losses,
    /// Whether it may belong to another person.
    pub identity: IdentityChange,
}

/// The login of one token, whose answer was handed in.
pub struct Login<'a> {
    pub run: &'a Run<'a>,
    pub terms: &'a LoginTerms,
    pub token: &'a TokenConfig,
    pub app: App,
    pub redirect: String,
}

/// What is handed in: the code, the redirect address that it came to, and the signed state.
pub type HandedIn = (Secret, Option<String>, Option<SignedState>);

impl<'a> Login<'a> {
    /// Begins with the app that the login was for.
    pub fn new(
        run: &'a Run<'a>,
        terms: &'a LoginTerms,
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
        Ok(Self { run, terms, token, app, redirect })
    }

    /// Reads what was handed in, and refuses what is not an answer to a login of this token.
    pub fn read(&self, text: &str) -> Result<HandedIn, CliError> {
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

    /// Refuses what was handed in.
    pub fn refused(&self, code: &'static str, message: impl Into<String>) -> CliError {
        CliError::new(Exit::InputRefused, code, self.token.label.as_str(), message)
            .hint(self.new_address())
    }

    /// Names what prints a new address.
    pub fn new_address(&self) -> String {
        format!("for a new address, run `{}`", self.typed())
    }

    /// The command that logs in again.
    pub fn typed(&self) -> String {
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
}

/// Whether a text is a code alone, and no address that lost its state.
fn read_bare(text: &str) -> bool {
    !text.contains(['?', '&']) && !text.contains("code=")
}
