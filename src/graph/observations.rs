//! Remembers what the answers of one run tell of the apps, besides what was asked.
//!
//! How full an app's budget of calls is, for how long Meta wants it left alone, and whether the Graph
//! version that it asks for has ended. None of it costs a call of its own, and none is judged here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::response::Response;
use super::settings::App;
use crate::token::Provider;

/// Another Graph version answered than the one that was asked for, for that one has ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionFallback {
    /// The app's name in the config.
    pub app: String,
    /// The version that its calls name, such as `v19.0`.
    pub asked: String,
    /// The version that answered.
    pub answered: String,
}

/// What is throttled as a whole, whatever the token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Throttled {
    /// The app of this name in the config.
    App(String),
    /// Every call to this provider's host.
    Host(Provider),
}

/// An app or a host that is to be left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttle {
    pub what: Throttled,
    /// The longest time for which it is to be left alone; none where none was named.
    pub wait: Option<TimeDelta>,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Observations {
    /// By the app's id, in percent.
    used: BTreeMap<String, u64>,
    fallbacks: BTreeSet<VersionFallback>,
    /// The apps, by name, that were answered in the version that they asked for.
    as_asked: BTreeSet<String>,
    throttled: BTreeMap<Throttled, Option<TimeDelta>>,
}

impl Observations {
    /// Takes note of an answer to a request with this path.
    pub fn note(&mut self, app: &App, path: &[String], response: &Response) {
        if let Some(percent) = response.usage().percent {
            self.used.insert(app.id.clone(), percent);
        }
        // Threads has a `v1.0` of its own in some paths, which is not the app's choice.
        let asked = path.first().filter(|first| **first == app.version);
        let (Some(asked), Some(answered)) = (asked, response.api_version()) else { return };
        let (app, answered) = (app.name.clone(), answered.to_owned());
        if *asked == answered {
            self.as_asked.insert(app);
        } else {
            self.fallbacks.insert(VersionFallback { app, asked: asked.clone(), answered });
        }
    }

    /// Takes note that an app or a host is to be left alone.
    pub fn note_throttle(&mut self, what: Throttled, wait: Option<TimeDelta>) {
        /// The word of a proxy must not keep a token from its renewal until it is dead.
        const LONGEST_OF_A_HOST: TimeDelta = TimeDelta::hours(24);
        let wait = match what {
            Throttled::App(_) => wait,
            Throttled::Host(_) => wait.map(|wait| wait.min(LONGEST_OF_A_HOST)),
        };
        let longest = self.throttled.entry(what).or_default();
        *longest = wait.max(*longest);
    }

    /// The last percentage that was seen for an app.
    pub fn budget_used(&self, app: &App) -> Option<u64> {
        self.used.get(&app.id).copied()
    }

    /// Every app and every host that was throttled, once.
    pub fn throttles(&self) -> Vec<Throttle> {
        let throttled = self.throttled.iter();
        throttled.map(|(what, wait)| Throttle { what: what.clone(), wait: *wait }).collect()
    }

    /// Whether an app was answered in the version that it asked for, and in no other.
    pub fn is_answered_as_asked(&self, app: &str) -> bool {
        self.as_asked.contains(app) && !self.fallbacks.iter().any(|it| it.app == app)
    }

    /// Every fallback once, by app and version.
    pub fn fallbacks(&self) -> Vec<VersionFallback> {
        self.fallbacks.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::token::Provider;

    use super::*;

    fn app(id: &str) -> App {
        let (name, version) = (format!("app-{id}"), "v19.0".into());
        App { name, id: id.into(), version, ..App::sample(Provider::Facebook) }
    }

    fn answer(name: &str, value: &str) -> Response {
        Response::new(200, [(name, value)].into_iter().collect(), Vec::new())
    }

    #[test]
    fn the_last_word_on_a_budget_counts_for_its_app_alone() {
        let mut seen = Observations::default();
        assert_eq!(seen.budget_used(&app("1")), None);
        for (usage, known) in [
            (r#"{"call_count":50}"#, Some(50)),
            (r#"{"call_count":91}"#, Some(91)),
            ("", Some(91)),
            (r#"{"call_count":12}"#, Some(12)),
        ] {
            seen.note(&app("1"), &[], &answer("x-app-usage", usage));
            assert_eq!(seen.budget_used(&app("1")), known, "{usage}");
        }
        assert_eq!(seen.budget_used(&app("2")), None);
    }

    #[test]
    fn the_longest_wait_of_what_is_throttled_counts() {
        let mut seen = Observations::default();
        let minutes = |minutes| Some(TimeDelta::minutes(minutes));
        let of = |id: &str| Throttled::App(app(id).name);
        let host = || Throttled::Host(Provider::Facebook);
        for (what, wait) in [
            (of("2"), None),
            (of("1"), minutes(5)),
            (of("1"), minutes(12)),
            (of("1"), None),
            (host(), minutes(3)),
            // A proxy may say what it likes.
            (host(), minutes(7 * 24 * 60)),
        ] {
            seen.note_throttle(what, wait);
        }
        let throttle = |what, wait| Throttle { what, wait };
        assert_eq!(
            seen.throttles(),
            [
                throttle(of("1"), minutes(12)),
                throttle(of("2"), None),
                throttle(host(), minutes(24 * 60))
            ]
        );
    }

    #[test]
    fn a_fallback_is_told_once_and_only_where_the_app_chose_the_version() {
        let mut seen = Observations::default();
        for (id, path, answered) in [
            ("2", "v19.0", "v22.0"),
            ("1", "v19.0", "v22.0"),
            ("1", "v19.0", "v22.0"),
            ("1", "v19.0", "v21.0"),
            ("1", "v19.0", "v19.0"),
            ("1", "v19.0", "soon"),
            ("1", "v1.0", "v22.0"),
            ("1", "refresh_access_token", "v22.0"),
        ] {
            let path = [path.to_owned(), "me".to_owned()];
            seen.note(&app(id), &path, &answer("facebook-api-version", answered));
        }
        seen.note(&app("1"), &[], &answer("facebook-api-version", "v22.0"));
        let fallback = |app: &str, answered: &str| VersionFallback {
            app: app.into(),
            asked: "v19.0".into(),
            answered: answered.into(),
        };
        assert_eq!(
            seen.fallbacks(),
            [fallback("app-1", "v21.0"), fallback("app-1", "v22.0"), fallback("app-2", "v22.0")]
        );
        let path = ["v19.0".to_owned(), "me".to_owned()];
        seen.note(&app("3"), &path, &answer("facebook-api-version", "v19.0"));
        let as_asked = ["app-1", "app-2", "app-3", "app-4"].map(|it| seen.is_answered_as_asked(it));
        assert_eq!(as_asked, [false, false, true, false]);
    }
}
