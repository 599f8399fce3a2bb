//! Asks Meta about the apps themselves: whether id and secret fit, and whether the version of Graph
//! that an app asks for works.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::tokens::ThrottledApps;
use super::{Run, apps};
use crate::exit::Exit;
use crate::graph::{App, CallError, Graph};
use crate::policy::{NEWEST, judge_answer};
use crate::report::{CheckResult, ConfigCheck};
use crate::session::Session;
use crate::store::StoreError;
use crate::token::{Problem, Provider, VersionAnswer, VersionCheck};

/// How often a run asks Graph about a version.
const EVERY: TimeDelta = TimeDelta::days(7);
/// How soon it asks again where there was no answer.
const AGAIN: TimeDelta = TimeDelta::days(1);

/// What Meta says of one app.
#[derive(Debug)]
pub struct AppAnswer {
    /// The app's name in the config.
    pub app: String,
    /// The service whose app it is.
    pub provider: Provider,
    /// Whether its id and secret fit.
    pub credentials: CredentialsAnswer,
    /// The version that it asks for, where it chooses one.
    pub version: Option<String>,
    /// Whether that works; nothing without an answer.
    pub version_answer: Option<VersionAnswer>,
}

/// What Meta says of an app's id and secret.
#[derive(Debug)]
pub enum CredentialsAnswer {
    /// They fit.
    Accepted,
    /// They do not.
    Refused(Problem),
    /// Meta gave no answer.
    Unanswered(Problem),
    /// There is nothing to ask with, or no question for it.
    NotAsked(&'static str),
}

impl AppAnswer {
    /// What Meta says of an app: of its id and secret, and of its Graph version. An app that Meta refuses
    /// is one that every run would fail with.
    pub fn checks(&self) -> Vec<ConfigCheck> {
        let AppAnswer { app, provider, credentials, version, version_answer } = self;
        let subject = format!("[app.{app}]");
        let credentials = match credentials {
            CredentialsAnswer::Accepted => {
                ConfigCheck::good(&subject, "Meta accepts its id and secret")
            }
            CredentialsAnswer::Refused(problem) => ConfigCheck::new(
                "bad_app_credentials",
                &subject,
                CheckResult::Error(Exit::Config),
                problem.to_string(),
                format!(
                    "compare `id` and `secret` of `[app.{app}]` with the app's dashboard ({})",
                    provider.spec().words.app_secret
                ),
            ),
            CredentialsAnswer::Unanswered(problem) => {
                unanswered(&subject, format!("Meta was not reached: {problem}"))
            }
            CredentialsAnswer::NotAsked(why) => {
                ConfigCheck::good(&subject, format!("id and secret were not checked: {why}"))
            }
        };
        let version = version.as_ref().and_then(|version| match version_answer {
            Some(VersionAnswer::Works) => {
                Some(ConfigCheck::good(&subject, format!("Graph {version} works")))
            }
            None => {
                Some(unanswered(&subject, format!("Graph did not say whether {version} works")))
            }
            Some(told) => judge_answer(app, version, told).map(ConfigCheck::warned),
        });
        std::iter::once(credentials).chain(version).collect()
    }

    /// The same for programs.
    pub fn json(&self) -> serde_json::Value {
        let (credentials, problem) = match &self.credentials {
            CredentialsAnswer::Accepted => ("accepted", None),
            CredentialsAnswer::Refused(problem) => ("refused", Some(problem.to_string())),
            CredentialsAnswer::Unanswered(problem) => ("unanswered", Some(problem.to_string())),
            CredentialsAnswer::NotAsked(why) => ("not_asked", Some((*why).to_owned())),
        };
        let state = match &self.version_answer {
            Some(VersionAnswer::Works) => "works",
            Some(VersionAnswer::Replaced { .. }) => "ended",
            Some(VersionAnswer::Unknown) => "unknown",
            None => "unanswered",
        };
        serde_json::json!({
            "app": self.app,
            "credentials": credentials,
            "message": problem,
            "graph_version": self.version,
            "graph_version_state": self.version.as_ref().map(|_| state),
        })
    }
}

fn unanswered(subject: &str, message: String) -> ConfigCheck {
    let fix = "run it again when Graph can be reached";
    ConfigCheck::new("network", subject, CheckResult::Error(Exit::Unavailable), message, fix)
}

/// Asks Meta about every app of the config: each version once, each id and secret once.
pub fn ask_about_apps(session: &Session, graph: &Graph) -> Vec<AppAnswer> {
    let answers = session.config.apps.iter().map(|app| {
        let version = app.kind.spec().has_chosen_versions().then(|| app.graph_version.clone());
        let version_answer = version.as_deref().and_then(|version| graph.ask_version(version));
        let asked_as = match version_answer {
            // Nothing can be asked at a version that is none.
            Some(VersionAnswer::Unknown) => NEWEST,
            _ => &app.graph_version,
        };
        AppAnswer {
            app: app.name.clone(),
            provider: app.kind,
            credentials: ask_about_credentials(session, graph, &app.name, asked_as),
            version,
            version_answer,
        }
    });
    answers.collect()
}

fn ask_about_credentials(
    session: &Session,
    graph: &Graph,
    name: &str,
    version: &str,
) -> CredentialsAnswer {
    let app = match apps::app(session, &ThrottledApps::new(), name) {
        Ok(app) => App { version: version.to_owned(), ..app },
        Err(problem) => return CredentialsAnswer::Refused(problem),
    };
    match app.provider {
        _ if app.secret.is_none() => return CredentialsAnswer::NotAsked("it has no `secret`"),
        Provider::Facebook => {}
        Provider::Instagram | Provider::Threads => {
            return CredentialsAnswer::NotAsked("only an exchange shows whether they fit");
        }
    }
    match graph.app_token(&app) {
        Ok(_) => CredentialsAnswer::Accepted,
        Err(CallError { problem, .. }) if problem.action.needs_a_person() => {
            CredentialsAnswer::Refused(problem)
        }
        Err(CallError { problem, .. }) => CredentialsAnswer::Unanswered(problem),
    }
}

/// Asks Graph once a week about each version that an app of the config asks for, so that the table of
/// their ends need not be complete. A new one is asked about a week after it was first seen.
///
/// Nothing is asked in a run to which Graph has answered nothing else.
pub fn ask_about_versions(run: &Run<'_>) -> Result<(), StoreError> {
    let now = run.now();
    let known = run.store.version_checks()?;
    let apps = run.session.config.apps.iter().filter(|app| app.kind.spec().has_chosen_versions());
    let versions: BTreeSet<&String> = apps.map(|app| &app.graph_version).collect();
    let has_answered = run.graph.has_answered();
    let checks: Vec<VersionCheck> = versions
        .into_iter()
        .map(|version| {
            let first = || VersionCheck { version: version.clone(), at: now, answer: None };
            let check = known.iter().find(|it| it.version == *version).cloned();
            let check = check.unwrap_or_else(first);
            // A time that lies ahead was written by a clock that was ahead.
            let is_due = now - check.at >= EVERY || check.at > now;
            if !is_due || !has_answered || run.out_of_time().is_some() {
                return check;
            }
            match run.graph.ask_version(version) {
                Some(answer) => VersionCheck { at: now, answer: Some(answer), ..check },
                None => VersionCheck { at: now - EVERY + AGAIN, ..check },
            }
        })
        .collect();
    if checks == known { Ok(()) } else { run.store.note_versions(&checks, now) }
}
