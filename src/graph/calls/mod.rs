//! Builds the calls to Meta's hosts and reads their answers.
//!
//! Nothing here knows a network, a clock or a retry: a request goes out as a value and an answer
//! comes in as one. Parameters that Meta has withdrawn (`ids`, `pretty`, `debug`, `date_format`)
//! are never sent, and `paging.next`, which carries the token, is never called.

mod grant;
mod inspection;
mod login;
mod pages;
mod probe;
mod profile;
mod revocation;
mod version;

pub use grant::{GrantInput, MintInput, MintedLife, grant, mint, read_grant};
pub use inspection::{Asker, as_app_token, inspect, read_inspection, read_own_inspection};
pub use login::{
    AskAgain, Dialog, DialogScopes, dialog_address, exchange_code, person, read_person,
};
pub use pages::{AccountsPage, Continuation, PageEdge, PageFields, PageGrant, Position};
pub use pages::{accounts, page, read_accounts, read_page};
pub use probe::{ProbeFinding, probe, read_probe};
pub use profile::{profile, read_profile};
pub use revocation::{
    read_acknowledgement, revoke_grant, revoke_one, revoke_system_user, revoke_undocumented,
};
pub use version::read_version;
