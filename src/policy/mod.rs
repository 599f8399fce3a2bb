//! Judges tokens and decides what to do with them: values in, values out.
//!
//! Nothing here asks Graph, opens the store or reads a clock. A command hands over what is known
//! of a token and the present instant, and is told what to do and why. The reason is part of
//! every answer, because the same value becomes the log line, the table cell and the JSON field.

mod adoption;
mod causes;
mod checks;
mod clocks;
mod damage;
mod dates;
mod decision;
mod deliveries;
mod derivation;
mod extension;
mod health;
pub mod humanize;
mod judgement;
mod labels;
mod machinery;
mod notifications;
mod reason;
mod remedy;
mod renewal;
mod subject;
mod versions;

pub use adoption::{
    Adoption, Contest, Current, FoundIn, Losses, judge_adoption, judge_handed_over,
};
pub use causes::{Interest, Issues, TokenIssues};
pub use clocks::{Clocks, Dates, LastHeard, Moment, TOLERANCE, throttle};
pub use damage::{Repair, judge_repaired, judge_store};
pub use dates::{Deadline, deadlines};
pub use decision::{Decision, Derive, Insistence, Renew, Skip, Verify};
pub use deliveries::{CONTESTED_REMEDY, judge_contested, judge_deliveries, judge_left_behind};
pub use derivation::{gone_since, listing_is_due};
pub use extension::{Extension, MARGIN, judge_grant};
pub use health::{judge, judge_inspection};
pub use judgement::{Judgement, State};
pub use labels::judge_shared;
pub use machinery::{
    Runs, Tampering, judge_channel, judge_exposure, judge_failed_run, judge_fullness, judge_runs,
    judge_tampering, judge_window,
};
pub use notifications::{Notification, NotificationPlan, plan};
pub use reason::{Health, Reason, merge};
pub use remedy::remedy;
pub use renewal::{decide, next_try, paced};
pub use subject::{
    Limits, Parent, Policy, Subject, Window, is_short_life, is_short_lived, short_lived,
};
pub use versions::{NEWEST, judge_fallback, judge_version};
