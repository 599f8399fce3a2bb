//! Remembers what the answers of one run tell of the apps, besides what was asked.
//!
//! How full an app's budget of calls is, for how long Meta wants it left alone, and whether the Graph
//! version that it asks for has ended. None of it costs a call of its own, and none is judged here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::response::Response;
use super::settings::App;

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

/// An app that Meta throttles as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttle {
    /// The app's name in the config.
    pub app: String,
    /// The longest time for which it is to be left alone; none where Meta named none.
    pub wait: Option<TimeDelta>,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Observations {
    /// By the app's id, in percent.
    used: BTreeMap<String, u64>,
    fallbacks: BTreeSet<VersionFallback>,
    /// By the app's name.
    throttled: BTreeMap<String, Option<TimeDelta>>,
}

impl Observations {
    /// Takes note of an answer to a request with this path.
    pub fn note(&mut self, app: &App, path: &[String], response: &Response) {
        if let Some(percent) = response.usage().percent {
            self.used.insert(app.id.clone(), percent);
        }
        // Threads has a `v1.0` of its own in some paths, which is not the app's choice.
        let asked = path.first().filter(|first| **first == app.version);
        if let (Some(asked), Some(answered)) = (asked, response.api_version())
            && asked != answered
        {
            let (app, answered) = (app.name.clone(), answered.to_owned());
            self.fallbacks.insert(VersionFallback { app, asked: asked.clone(), answered });
        }
    }

    /// Takes note that an app is throttled, whatever the token.
    pub fn note_throttle(&mut self, app: &App, wait: Option<TimeDelta>) {
        let longest = self.throttled.entry(app.name.clone()).or_default();
        *longest = wait.max(*longest);
    }

    /// The last percentage that was seen for an app.
    pub fn budget_used(&self, app: &App) -> Option<u64> {
        self.used.get(&app.id).copied()
    }

    /// Every app that was throttled, once.
    pub fn throttles(&self) -> Vec<Throttle> {
        let throttled = self.throttled.iter();
        throttled.map(|(app, wait)| Throttle { app: app.clone(), wait: *wait }).collect()
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
        App {
            name: format!("app-{id}"),
            provider: Provider::Facebook,
            id: id.into(),
            secret: None,
            version: "v19.0".into(),
            throttled_until: None,
        }
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
    fn the_longest_wait_of_a_throttled_app_counts() {
        let mut seen = Observations::default();
        let minutes = |minutes| Some(TimeDelta::minutes(minutes));
        for (id, wait) in [("2", None), ("1", minutes(5)), ("1", minutes(12)), ("1", None)] {
            seen.note_throttle(&app(id), wait);
        }
        let throttle = |app: &str, wait| Throttle { app: app.into(), wait };
        assert_eq!(seen.throttles(), [throttle("app-1", minutes(12)), throttle("app-2", None)]);
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
    }
}
