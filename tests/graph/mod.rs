//! Graph's side: each family of tokens, what Meta answers and what that means, and answers that
//! never come.

mod apps_and_versions;
mod cases;
mod families;
mod faults;
mod hosts;
mod limits;
mod lost_answers;
mod mangled;
mod pauses;
mod recorded;
mod refusals;
mod verdicts;
