//! The ways to people, with their secrets read now that they are needed.

use super::{Email, Login, MailServer, Messenger, Route, Webhook};
use crate::config::{NotifySetting, SecretSource, SmtpSecurity, SmtpSetting, Via};
use crate::session::Session;
use crate::token::Secret;

/// The mail server on this machine, which takes mail from anybody here.
const LOCAL: (&str, u16) = ("localhost", 25);

/// Who sends: with the name of this machine, and what programs may see.
pub(super) fn messenger(session: &Session) -> Messenger {
    Messenger::new(session.host())
        .trusting(session.config.http.ca_file.clone())
        .with_environment(session.config.environment_of_programs(&session.environment))
}

/// The way to people that a channel is; why there is none, in a sentence.
pub(super) fn route(
    session: &Session,
    setting: &NotifySetting,
    messenger: &Messenger,
) -> Result<Route, String> {
    match &setting.via {
        Via::Webhook { url, format } => {
            Ok(Route::Webhook(Webhook { url: secret(session, url)?, format: *format }))
        }
        Via::Email { to, from, smtp } => Ok(Route::Email(Email {
            to: to.clone(),
            from: from.clone().unwrap_or_else(|| Email::default_from(messenger.machine())),
            server: server(session, smtp.as_ref())?,
        })),
        Via::Command(argv) => Ok(Route::Command(argv.clone())),
        Via::Ping(_) => Err("a ping tells of runs only".to_owned()),
    }
}

fn server(session: &Session, smtp: Option<&SmtpSetting>) -> Result<MailServer, String> {
    let Some(smtp) = smtp else {
        let (host, port) = (LOCAL.0.to_owned(), LOCAL.1);
        return Ok(MailServer { host, port, security: SmtpSecurity::None, login: None });
    };
    let login = match (&smtp.user, &smtp.password) {
        (Some(user), Some(password)) => {
            Some(Login { user: user.clone(), password: secret(session, password)? })
        }
        _ => None,
    };
    let (host, port, security) = (smtp.host.clone(), smtp.port, smtp.security);
    Ok(MailServer { host, port, security, login })
}

pub(super) fn secret(session: &Session, source: &SecretSource) -> Result<Secret, String> {
    session.secrets.resolve(source).map_err(|error| format!("its secret cannot be read: {error}"))
}
