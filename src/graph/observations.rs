//! Remembers what the answers of one run tell of the apps, besides what was asked.
//!
//! How full an app's budget of calls is, for how long Meta wants it left alone, and whether the Graph
//! version that it asks for has ended. None of it costs a call of its own, and none is judged here.
//!
//! Three headers tell how full it is: the app's own, that of the business use cases, and an ad
//! account's. Their absence says nothing, for they appear only once an app makes enough calls. They
//! are written by many hands: whole numbers, floats or texts, above a hundred, once with single
//! quotes. What cannot be read is as good as not said. Source: Meta, Graph API rate limiting.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;

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

/// What the usage headers of an answer say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The fullest of all counters, in percent, rounded up; at 100 Meta may throttle.
    pub percent: Option<u64>,
    /// The longest time until a throttled caller is let in again.
    pub regain: Option<Duration>,
}

impl Usage {
    const COUNTERS: [&str; 4] = ["call_count", "total_time", "total_cputime", "acc_id_util_pct"];
    const MINUTES: &str = "estimated_time_to_regain_access";
    const SECONDS: &str = "reset_time_duration";

    /// Reads whatever the given headers hold.
    pub(super) fn read<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
        let mut usage = Self::default();
        for header in headers {
            if let Some(said) = parsed(header) {
                usage.take_in(&said);
            }
        }
        usage
    }

    fn take_in(&mut self, said: &Value) {
        match said {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.count(name, value);
                    self.take_in(value);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.take_in(item)),
            _ => {}
        }
    }

    fn count(&mut self, name: &str, value: &Value) {
        /// More of anything is no reading but garbage.
        const LIMIT: u64 = 1_000_000;
        let Some(number) = rounded_up(value).filter(|number| *number <= LIMIT) else { return };
        if Self::COUNTERS.contains(&name) {
            self.percent = self.percent.max(Some(number));
        } else if name == Self::MINUTES {
            self.regain = self.regain.max(Some(Duration::from_mins(number)));
        } else if name == Self::SECONDS {
            self.regain = self.regain.max(Some(Duration::from_secs(number)));
        }
    }
}

/// JSON, or what a Python program prints of the same.
fn parsed(header: &str) -> Option<Value> {
    serde_json::from_str(header).ok().or_else(|| {
        let printed_by_python = header.contains('\'') && !header.contains('"');
        let json = header.replace('\'', "\"").replace(": None", ": null");
        serde_json::from_str(&json).ok().filter(|_| printed_by_python)
    })
}

/// A number that is not negative, perhaps written as a text.
fn rounded_up(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().trim_end_matches('%').parse().ok()?,
        _ => return None,
    };
    // The one conversion of the standard library that takes a float and cannot go wrong silently.
    Some(Duration::try_from_secs_f64(number.ceil()).ok()?.as_secs())
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

    #[test]
    fn the_fullest_counter_and_the_longest_wait_speak() {
        let business = r#"{"77":[{"type":"pages","call_count":95,"estimated_time_to_regain_access":0},
                                 {"type":"leadgen","estimated_time_to_regain_access":12}],
                           "78":[{"type":"instagram","total_time":3}]}"#;
        let minutes = |minutes| Some(Duration::from_mins(minutes));
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (headers, percent, regain) in [
            (vec![], None, None),
            (vec![r#"{"call_count":28,"total_time":25,"total_cputime":31}"#], Some(31), None),
            (vec![r#"{"call_count":0,"total_time":0,"total_cputime":0}"#], Some(0), None),
            (vec![r#"{"call_count":1}"#, business], Some(95), minutes(12)),
            (
                vec![
                    r#"{"acc_id_util_pct":90.01,"reset_time_duration":100,"ads_api_access_tier":"x"}"#,
                ],
                Some(91),
                seconds(100),
            ),
            (vec![business, r#"{"reset_time_duration":3600}"#], Some(95), minutes(60)),
            (vec![business, r#"{"reset_time_duration":60}"#], Some(95), minutes(12)),
            (vec![r#"{"call_count":"95","total_time":" 7.5 "}"#], Some(95), None),
            (vec![r#"{"call_count":"96%"}"#], Some(96), None),
            (vec![r#"{"call_count":250,"total_time":99.5}"#], Some(250), None),
            (vec!["{'call_count': 95, 'total_time': 3}"], Some(95), None),
            (
                vec![
                    "{'77': [{'type': 'pages', 'call_count': 101, 'estimated_time_to_regain_access': None}]}",
                ],
                Some(101),
                None,
            ),
        ] {
            assert_eq!(Usage::read(headers.clone()), Usage { percent, regain }, "{headers:?}");
        }
    }

    #[test]
    fn garbage_is_nothing_and_spoils_nothing() {
        for header in [
            "",
            "{",
            "[]",
            "null",
            "95",
            r#""call_count""#,
            r#"{"call_count":-5}"#,
            r#"{"call_count":"many"}"#,
            r#"{"call_count":1e300}"#,
            r#"{"call_count":"inf"}"#,
            r#"{"call_count":"NaN"}"#,
            r#"{"call_count":null,"total_time":[],"total_cputime":true}"#,
            r#"{"77":{"call_count":"'"}}"#,
            "{'call_count': '95\"'}",
            r#"{"estimated_time_to_regain_access":99999999999999999999}"#,
        ] {
            assert_eq!(Usage::read([header]), Usage::default(), "{header}");
            let with_a_good_one = Usage::read([header, r#"{"call_count":7}"#]);
            assert_eq!(with_a_good_one.percent, Some(7), "{header}");
        }
        assert_eq!(Usage::read(["[".repeat(100_000).as_str()]), Usage::default());
    }
}
