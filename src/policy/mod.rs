//! The judgement: values in, values out.
//!
//! Nothing here asks Graph, opens the store or reads a clock. A command hands over what is known
//! of a token and the present instant, and is told what to do and why. The reason is part of
//! every answer, because the same value becomes the log line, the table cell and the JSON field.

mod adoption;
mod age;
mod backoff;
mod causes;
mod clocks;
mod damage;
mod dates;
mod decision;
mod deliveries;
mod derivation;
mod extension;
mod findings;
mod health;
mod machinery;
mod notifications;
mod overdue;
mod pace;
mod reason;
mod remedy;
mod reminders;
mod renewal;
mod scopes;
mod settings;
mod subject;
mod versions;
pub mod words;

pub use adoption::{Adoption, Incumbent, judge_newcomer};
pub use age::{is_short_life, is_short_lived, short_lived};
pub use backoff::next_try;
pub use causes::{Interest, Issues, TokenIssues};
pub use clocks::{Clocks, LastHeard, TOLERANCE, throttle};
pub use damage::{Repair, judge_repaired, judge_store};
pub use decision::{Decision, Derive, Insistence, Renew, Rest, Verify};
pub use deliveries::judge_deliveries;
pub use derivation::listing_is_due;
pub use extension::{Extension, MARGIN, judge_grant};
pub use health::{Judgement, State, judge, judge_inspection};
pub use machinery::{
    Runs, Tampering, judge_channel, judge_exposure, judge_failed_run, judge_fullness, judge_runs,
    judge_tampering, judge_window,
};
pub use notifications::{Notification, Plan, plan};
pub use pace::paced;
pub use reason::{Health, Reason, merge};
pub use remedy::remedy;
pub use reminders::{Deadline, deadlines};
pub use renewal::decide;
pub use settings::{Limits, Policy};
pub use subject::{Dates, Moment, Parent, Subject, Window};
pub use versions::{NEWEST, judge_fallback, judge_version};
