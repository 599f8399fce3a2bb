//! Reads from the headers of an answer how much of the rate limits is used up.
//!
//! Three headers tell: the app's own, that of the business use cases, and an ad account's. Their
//! absence says nothing, for they appear only once an app makes enough calls. Their values are whole
//! numbers, floats or texts, some above a hundred, once in single quotes. What cannot be read counts
//! as absent. Source: Meta, Graph API rate limiting.

use std::time::Duration;

use serde_json::Value;

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
    pub fn read<'a>(headers: impl IntoIterator<Item = &'a str>) -> Self {
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
        /// More of anything is not a reading but garbage.
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
    use super::*;

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
