//! The Meta apps, with their secrets read.

use super::Session;
use crate::graph::App;
use crate::token::{Problem, ProblemKind};

/// The app of that name, its id and secret read now that they are needed.
///
/// An id or a secret that cannot be read concerns only the tokens of that app, so it is a problem
/// of theirs and not the end of the run.
pub(super) fn app(session: &Session, name: &str) -> Result<App, Problem> {
    let setting = session.config.app(name).ok_or_else(|| {
        Problem::new(ProblemKind::BadAppCredentials, format!("there is no app `{name}`"))
    })?;
    let read = |what: &str, source| {
        session.secrets.resolve(source).map_err(|error| {
            Problem::new(
                ProblemKind::BadAppCredentials,
                format!("the {what} of app `{name}` cannot be read: {error}"),
            )
        })
    };
    Ok(App {
        name: name.to_owned(),
        provider: setting.kind,
        id: read("id", &setting.id)?.expose().to_owned(),
        secret: setting.secret.as_ref().map(|source| read("secret", source)).transpose()?,
        version: setting.graph_version.clone(),
    })
}
