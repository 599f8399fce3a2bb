//! One file a command, each a page that reads in the order in which things happen.

mod add;
mod check;
mod config;
mod deliver;
mod exchange;
mod exec;
mod forget;
mod history;
mod init;
mod man;
mod notify;
mod pages;
mod refresh;
mod status;
mod store;
mod textfile;
mod token;

pub use crate::deliver::Replace;
pub use crate::run::candidate::IdentityChange;
pub use crate::run::in_use::IfDead;
pub use add::{AddOrder, add};
pub use check::{CheckOrder, SendNotifications, check, nagios_complaint, verdict_of};
pub use config::{check_config, show_config};
pub use deliver::{DeliverOrder, deliver, preview_deliveries, restore_files};
pub use exchange::{ExchangeOrder, exchange};
pub use exec::{ExecOrder, TokenWay, VARIABLE, exec};
pub use forget::{Declaration, ForgetOrder, HeldFiles, forget};
pub use history::{HistoryOrder, history};
pub use init::{ConfigDraft, InitOrder, InitOutcome, draft_config, init};
pub use man::write_manual;
pub use notify::test_notifications;
pub use pages::pages;
pub use refresh::refresh;
pub use status::{StatusOrder, Which, inspect_string, status};
pub use store::back_up;
pub use token::print_token;
