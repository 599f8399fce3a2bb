//! Says how an access token is added that is of another type, platform or app than was typed.

use std::fmt::Write as _;
use std::path::Path;

use super::reply::has_a_list;
use crate::config::{Missing, NewToken, TokenConfig};
use crate::error::CliError;
use crate::exit::Exit;
use crate::run::Run;
use crate::run::inspect::{inspect, wrong_app};
use crate::shell;
use crate::token::{AccessToken, Label, ProblemKind, Provider, TokenType, Unfit};

/// Says of what certainly is an access token of another kind how that is added.
pub fn unfit(new: &NewToken, unfit: Unfit) -> CliError {
    let other = match unfit {
        Unfit::Platform { found: Provider::Facebook, .. } => Some(TokenType::User),
        Unfit::Platform { found: Provider::Instagram, .. } => Some(TokenType::Instagram),
        Unfit::Platform { found: Provider::Threads, .. } => Some(TokenType::Threads),
        Unfit::AppToken { .. } => Some(TokenType::App),
        _ => None,
    };
    let message = format!("invalid access token: {unfit}");
    let label = new.label.as_str();
    let complaint = CliError::new(Exit::InputRefused, "malformed_token", label, message);
    complaint.hint(match other {
        Some(TokenType::App) => format!(
            "an app's own is not handed over: `{}` derives it from the app's id and secret",
            with_type(new, TokenType::App)
        ),
        Some(other) => format!("`{}` takes it", with_type(new, other)),
        None => unfit.fix(),
    })
}

/// Says of an access token that is refused for its type or its app how it is added.
pub fn of_another_kind(
    new: &NewToken,
    run: &Run<'_>,
    token: &TokenConfig,
    access_token: &AccessToken,
    mut refused: CliError,
) -> CliError {
    let how = if refused.code == ProblemKind::WrongHostOrType.as_str() {
        by_its_type(new, run, token, access_token)
    } else if refused.code == ProblemKind::IdentityChanged.as_str() {
        by_its_app(new, run, token, access_token)
            .or_else(|| by_an_unknown_app(new, run, token, access_token))
    } else {
        None
    };
    if let Some(how) = how {
        refused.hints = vec![how];
    }
    refused
}

fn by_its_type(
    new: &NewToken,
    run: &Run<'_>,
    token: &TokenConfig,
    access_token: &AccessToken,
) -> Option<String> {
    let app = run.app(&token.app).ok()?;
    let found = inspect(&run.graph, &app, access_token).ok()?;
    let named = |it: &&TokenType| it.spec().graph_name == found.token_type.as_deref();
    let other = *TokenType::ALL.iter().find(named)?;
    let page_id = found.identity.page_id.filter(|_| other == TokenType::Page);
    let other_one = NewToken { page_id, ..new.clone() };
    Some(format!("`{}` takes it", with_type(&other_one, other)))
}

/// Graph answers only the app that an access token was issued to.
fn by_its_app(
    new: &NewToken,
    run: &Run<'_>,
    token: &TokenConfig,
    access_token: &AccessToken,
) -> Option<String> {
    let ours = run.session.config.app(&token.app)?;
    let others = run.session.config.apps.iter();
    let others = others.filter(|other| other.kind == ours.kind && other.name != ours.name);
    for other in others {
        let Ok(app) = run.app(&other.name) else { continue };
        let answer = inspect(&run.graph, &app, access_token);
        if answer.is_ok_and(|found| found.identity.app_id.is_none_or(|id| id == app.id)) {
            let other_one = NewToken { app: Some(app.name), ..new.clone() };
            return Some(format!("`{}` takes it", with_type(&other_one, token.token_type)));
        }
    }
    None
}

/// What is to be done where the config has no app that it belongs to. No file declares the token, so
/// none can be corrected.
fn by_an_unknown_app(
    new: &NewToken,
    run: &Run<'_>,
    token: &TokenConfig,
    access_token: &AccessToken,
) -> Option<String> {
    token.declared_in.as_ref().filter(|file| !file.exists())?;
    let app = run.app(&token.app).ok()?;
    let is_anothers = match inspect(&run.graph, &app, access_token) {
        Ok(found) => found.identity.app_id.is_some_and(|id| id != app.id),
        Err(error) => wrong_app(&error, &app.name).is_some(),
    };
    let other_one = NewToken { app: Some("NAME".to_owned()), ..new.clone() };
    is_anothers.then(|| {
        format!(
            "paste a token of app `{}`, or add the app that it belongs to as `[app.NAME]` to {}, \
             then run `{}`",
            app.name,
            run.session.config.path.display(),
            with_type(&other_one, token.token_type)
        )
    })
}

/// The command that adds a token as one of that type.
pub fn with_type(new: &NewToken, token_type: TokenType) -> String {
    let mut command = format!("metatoken add {} --type {token_type}", new.label);
    let is_page = token_type == TokenType::Page;
    let same_apps = token_type.provider() == new.token_type.provider();
    let mut put = |option: &str, value: Option<&str>| {
        if let Some(value) = value {
            let _ = write!(command, " --{option} {}", shell::quoted(Path::new(value)));
        }
    };
    put("app", new.app.as_deref().filter(|_| same_apps));
    put("parent", new.parent.as_ref().map(Label::as_str).filter(|_| is_page));
    put("page-id", new.page_id.as_deref().filter(|_| is_page));
    put("pages", Some("all").filter(|_| new.all_pages && has_a_list(token_type)));
    for target in &new.deliver {
        put("deliver", Some(&target.to_string()));
    }
    let creates = new.deliver.iter().any(|target| target.missing == Missing::Create);
    put("owner", new.owner.as_deref());
    put("user-id", new.user_id.as_deref());
    if creates {
        command.push_str(" --create");
    }
    command
}
