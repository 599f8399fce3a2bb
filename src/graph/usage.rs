//! How much of Meta's rate limits is used up.
//!
//! The two headers hold JSON; they appear only once an app makes enough calls, so their absence
//! says nothing.

use serde_json::Value;

/// What the usage headers of an answer say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The fullest of all counters, in percent; at 100 Meta may throttle.
    pub percent: Option<u64>,
    /// The minutes until a throttled caller is let in again.
    pub regain_minutes: Option<u64>,
}

impl Usage {
    const COUNTERS: [&str; 3] = ["call_count", "total_time", "total_cputime"];

    pub(super) fn read(app: Option<&str>, business: Option<&str>) -> Self {
        let app = app.and_then(parse);
        let business = business.and_then(parse);
        let cases: Vec<&Value> = business
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|objects| objects.values())
            .filter_map(Value::as_array)
            .flatten()
            .collect();
        let counters = app.iter().chain(cases.iter().copied()).flat_map(|holder| {
            Self::COUNTERS.iter().filter_map(|counter| holder.get(counter)?.as_u64())
        });
        Self {
            percent: counters.max(),
            regain_minutes: cases
                .iter()
                .filter_map(|case| case.get("estimated_time_to_regain_access")?.as_u64())
                .max(),
        }
    }
}

fn parse(header: &str) -> Option<Value> {
    serde_json::from_str(header).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_counter_speaks() {
        for (app, business, percent, regain_minutes) in [
            (None, None, None, None),
            (Some("{"), Some("[]"), None, None),
            (Some(r#"{"call_count":28,"total_time":25,"total_cputime":31}"#), None, Some(31), None),
            (
                Some(r#"{"call_count":1}"#),
                Some(
                    r#"{"77":[{"type":"pages","call_count":95,"estimated_time_to_regain_access":0},
                              {"type":"leadgen","estimated_time_to_regain_access":12}]}"#,
                ),
                Some(95),
                Some(12),
            ),
        ] {
            assert_eq!(Usage::read(app, business), Usage { percent, regain_minutes });
        }
    }
}
