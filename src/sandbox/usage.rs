//! The headers in which Meta says how busy an app is.
//!
//! Three accounts are kept, each in a unit of its own: whole percent for the app, minutes until a
//! business object may go on, a fraction of a percent and seconds for an ad account.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::fixtures::AppFixture;

/// How busy a business object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessUsage {
    /// Percent of its limit.
    pub percent: u32,
    /// Minutes until it may go on; 0 while it may.
    pub regain_minutes: u32,
}

/// How busy an ad account is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdAccountUsage {
    /// Percent of its limit.
    pub percent: f64,
    /// Seconds until it starts again at nothing.
    pub reset_seconds: u32,
}

impl AppFixture {
    /// The headers about the accounts that are known.
    pub(super) fn usage_headers(&self) -> Vec<(&'static str, String)> {
        let app = self.usage.map(|percent| ("x-app-usage", of_the_app(percent)));
        let business =
            self.business_usage.map(|usage| ("x-business-use-case-usage", of_businesses(usage)));
        let ads = self.ad_account_usage.map(|usage| ("x-ad-account-usage", of_ads(usage)));
        [app, business, ads].into_iter().flatten().collect()
    }
}

fn of_the_app(percent: u8) -> String {
    let usage = json!({
        "call_count": percent, "total_cputime": percent / 4, "total_time": percent / 2,
    });
    usage.to_string()
}

/// Two objects, and the first of them is quiet: who reads only one reads the wrong one.
fn of_businesses(usage: BusinessUsage) -> String {
    let BusinessUsage { percent, regain_minutes } = usage;
    let usage = json!({
        "4000000000000001": [{
            "type": "messenger", "call_count": 1, "total_cputime": 1, "total_time": 1,
            "estimated_time_to_regain_access": 0,
        }],
        "4000000000000002": [{
            "type": "pages", "call_count": percent / 2, "total_cputime": percent,
            "total_time": percent / 4, "estimated_time_to_regain_access": regain_minutes,
        }],
    });
    usage.to_string()
}

fn of_ads(usage: AdAccountUsage) -> String {
    let usage = json!({
        "acc_id_util_pct": usage.percent, "reset_time_duration": usage.reset_seconds,
        "ads_api_access_tier": "standard_access",
    });
    usage.to_string()
}
