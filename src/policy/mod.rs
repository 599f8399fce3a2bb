//! Judges tokens and decides what to do with them: values in, values out.
//!
//! Nothing here asks Graph, opens the store or reads a clock. A command hands over what is known
//! of a token and the present instant, and is told what to do and why. The reason is part of
//! every answer, because the same value becomes the log line, the table cell and the JSON field.

mod adoption;
mod causes;
mod checks;
mod clocks;
mod condition;
mod damage;
mod dates;
mod decision;
mod deliveries;
mod derivation;
mod disclosure;
mod extension;
mod headline;
mod health;
pub mod humanize;
mod incidents;
mod judgement;
mod labels;
mod notifications;
mod probe;
mod reason;
mod remedy;
mod remedy_choice;
mod remedy_kind;
mod remedy_rows;
mod renewal;
mod rotation;
mod subject;
mod system;
mod token_policy;
mod usability;
mod versions;
mod wording;

pub use crate::token::Losses;
pub use adoption::{Adoption, Contest, Current, FoundIn, judge_adoption, judge_handed_over};
pub use causes::{Interest, Issues, TokenIssues};
pub use clocks::{Clocks, Dates, LastHeard, Moment, TOLERANCE, throttle};
pub use condition::Condition;
pub use damage::{Repair, judge_repaired, judge_store};
pub use dates::{Deadline, deadlines};
pub use decision::{Decision, Derive, Insistence, Renew, Skip, Verify};
pub use deliveries::{judge_contested, judge_deliveries, judge_left_behind, tell_pages_apart};
pub use derivation::{gone_since, judge_cut_list, listing_is_due};
pub use disclosure::PageDetail;
pub use extension::{Extension, MARGIN, judge_grant};
pub use headline::{LONGEST, cut, headline, headline_within};
pub use health::{judge, judge_inspection, judge_unusable};
pub use incidents::{Incidents, by_incident};
pub use judgement::{Judgement, State};
pub use labels::{
    RenameConflict, is_many, judge_held_file, judge_left_out, judge_rename_conflict, judge_shared,
    judge_undeclared, may_live,
};
pub use notifications::{CLOSED, Notification, NotificationPlan, plan};
pub use probe::{as_probe_problem, probe_answer, probe_is_due, probes_stop};
pub use reason::{Health, Reason, merge};
pub use remedy::{Remedy, prefixed};
pub use remedy_choice::{
    end_the_old_one, own_access_token, put_back, remedy, replace_it, table, without_parent,
};
pub use remedy_kind::{Actor, RemedyKind, RemedyRow};
pub use remedy_rows::ROWS;
pub use renewal::{decide, decide_exchange, next_try, paced};
pub use rotation::{
    ADOPTIONS_WITHIN, Death, is_to_be_asked_about, judge_adoptions, outlives_its_successor,
    promotes_backup, rotation_stage,
};
pub use subject::{
    Backup, Naming, Parent, Subject, is_short_life, is_short_lived, short_lived, works,
};
pub use system::{
    Runs, Tampering, judge_channel, judge_exposure, judge_failed_run, judge_fullness, judge_runs,
    judge_tampering, judge_window,
};
pub use token_policy::{Limits, Policy, Promote};
pub use usability::{Usability, judge_usability};
pub use versions::{AskedVersion, NEWEST, judge_answer, judge_fallback, judge_version};
pub use wording::{cause, quote};
