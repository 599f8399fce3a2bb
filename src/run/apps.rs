//! Reads the Meta apps, with their secrets.

use super::tokens::{ThrottledApps, Tokens};
use crate::graph::{App, Graph};
use crate::policy::{AskedVersion, Moment, Reason, judge_fallback, judge_version, throttle};
use crate::session::Session;
use crate::store::{Store, StoreError};
use crate::token::{Problem, ProblemKind, Time, VersionCheck, unfit_id, unfit_secret};

/// Reads which apps are to be left alone at `now`.
pub fn throttled_apps(store: &Store, now: Time) -> Result<ThrottledApps, StoreError> {
    let mut throttled = store.throttled_apps(now)?;
    throttled.retain(|_, until| throttle(*until, now).is_some());
    Ok(throttled)
}

/// Reads the app of that name, with its id and secret, now that they are needed.
///
/// An id or a secret that cannot be read concerns only the tokens of that app, so it is a problem
/// of theirs and not the end of the run.
pub fn app(session: &Session, throttled: &ThrottledApps, name: &str) -> Result<App, Problem> {
    let setting = session.config.app(name).ok_or_else(|| {
        Problem::new(ProblemKind::BadAppCredentials, format!("there is no app `{name}`"))
            .with_fix(format!("add `[app.{name}]` to the config"))
    })?;
    let bad = |what: &str, why: &str, fix: String| {
        let message = format!("no {what} of app `{name}`: {why}");
        Problem::new(ProblemKind::BadAppCredentials, message).with_fix(fix)
    };
    // Neither has white space in it: what is around it was copied along.
    let read = |what: &str, source, unfit: fn(&str) -> Option<&'static str>| {
        let secret = session.secrets.resolve(source);
        let about = format!("the {what}");
        let secret = secret.map_err(|error| bad(what, &error.to_string(), error.fix(&about)))?;
        let secret = secret.trimmed();
        if secret.expose().is_empty() {
            let fix = format!("put {about} into {source}");
            return Err(bad(what, &format!("{source} holds only white space"), fix));
        }
        if let Some(why) = unfit(secret.expose()) {
            return Err(bad(
                what,
                &format!("{source} {why}"),
                format!("put {about} alone into {source}"),
            ));
        }
        Ok(secret)
    };
    Ok(App {
        name: name.to_owned(),
        provider: setting.kind,
        id: read("id", &setting.id, unfit_id)?.expose().to_owned(),
        secret: (setting.secret.as_ref())
            .map(|source| read("secret", source, unfit_secret))
            .transpose()?,
        version: setting.graph_version.clone(),
        throttled_until: throttled.get(name).copied(),
    })
}

/// Judges the Graph versions that the apps of these tokens ask for.
///
/// Threads has one version of its own, which no app chooses.
pub fn version_reasons(
    session: &Session,
    tokens: &Tokens,
    graph: &Graph,
    checks: &[VersionCheck],
    moment: Moment,
) -> Vec<Reason> {
    let fallbacks = graph.fallbacks();
    let apps = session.config.apps.iter().filter(|app| app.kind.spec().has_chosen_versions());
    apps.filter_map(|app| {
        let labels = tokens.labels_of_app(&app.name);
        if labels.is_empty() {
            return None;
        }
        let check = checks.iter().find(|check| check.version == app.graph_version);
        let asked = AskedVersion { app: &app.name, version: &app.graph_version, check };
        let by_date = judge_version(asked, labels.clone(), moment);
        // One sentence about one version is enough; that it has ended explains the fallback.
        by_date.or_else(|| {
            let fallback = fallbacks.iter().find(|fallback| fallback.app == app.name)?;
            Some(judge_fallback(&app.name, &fallback.asked, &fallback.answered, labels))
        })
    })
    .collect()
}
