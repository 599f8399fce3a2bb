//! One file a command, each a page that reads in the order in which things happen.

mod apps;
mod check;
mod config;
mod configured_tokens;
mod deliver;
mod delivery;
mod exchange;
mod exposure;
mod failed_run;
mod history;
mod inspect;
mod log;
mod notify;
mod refresh;
mod session;
mod status;
mod store;
mod survey;
mod textfile;
mod token;
mod tokens;
mod worker_pool;

pub use check::{CheckOrder, Telling, check, nagios_complaint, verdict_of};
pub use config::{check_config, show_config};
pub use deliver::{DeliverOrder, Overwrite, deliver, rehearse_deliveries, restore_files};
pub use exchange::{ExchangeOrder, exchange};
pub use failed_run::{Attempted, forget_failed_runs};
pub use history::{HistoryOrder, history};
pub use refresh::{DryRun, Only, RefreshOrder, RunOptions, refresh};
pub use session::{Session, Stage, refuse_filesystem};
pub use status::{StatusOrder, Which, inspect_string, status};
pub use store::back_up;
pub use survey::Asking;
pub use token::print_token;
