//! Holds the table of remedies: a row for each way in which a token is put right.
//!
//! A step can be followed at three in the morning by someone who has never seen this tool. The tests read
//! the same table.

use super::remedy::{OPERATOR, Remedy};
use super::remedy_kind::{Actor, RemedyKind, RemedyRow};

/// `{replace}` is the word that lets the new access token expire earlier, where the current one never
/// expires and Meta may give only sixty days.
const EXCHANGE: &str = "metatoken exchange {label}{replace}";
const LOGIN: &str = "metatoken login {label}{replace}";
const REFRESH: &str = "metatoken refresh {label}";
const REFRESH_ALL: &str = "metatoken refresh";

/// Every way in which a token is put right.
pub const ROWS: &[RemedyRow] = &[
    RemedyRow {
        kind: RemedyKind::LogIn,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "{who} {log_in}; then run {run} and paste {pasted}",
        command: EXCHANGE,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::LogInByDialog,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "{who} {log_in}: run {run}",
        command: LOGIN,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::LogInWithSecret,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "copy the app's secret ({app_secret}), which a login needs, into `secret` of \
               `[app.{app}]` in {config}; then {who} {log_in}: run {run}",
        command: LOGIN,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::Promote,
        actor: Actor::Operator,
        brief: "promotes the backup",
        step: "its backup `{backup}` works: run {run}",
        command: "metatoken promote {label}",
        note: "Otherwise {instead}",
    },
    RemedyRow {
        kind: RemedyKind::RollBack,
        actor: Actor::Operator,
        brief: "rolls back",
        step: "generation {generation} is kept and may still work: run {run}, which asks Meta first",
        command: "metatoken rollback {label}",
        note: "If none works, {instead}",
    },
    RemedyRow {
        kind: RemedyKind::CopyAgain,
        actor: Actor::Operator,
        brief: "pastes it again",
        step: "copy the access token of app `{app}` again, whole; then run {run} and paste it",
        command: EXCHANGE,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::ImportAgain,
        actor: Actor::Operator,
        brief: "imports again",
        step: "run {run} again, which finishes what it began",
        command: "{import}",
        note: "Without that file run `metatoken exchange {label}` and paste an access token",
    },
    RemedyRow {
        kind: RemedyKind::TakePageToken,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "{who} {log_in}; then run {run} and paste {pasted}",
        command: EXCHANGE,
        note: "If that user token is kept here, set it as `parent` of {table} instead",
    },
    RemedyRow {
        kind: RemedyKind::Parent,
        actor: Actor::None,
        brief: "fix {parent}",
        step: "fix its parent first: run {run}",
        command: "metatoken status {parent}",
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::FreeAccount,
        actor: Actor::Owner,
        brief: "logs in at {site}",
        step: "{who} opens {site}, logs in and does what it asks; then run {run}",
        command: REFRESH,
        note: "No other person can do it; the token is kept and may work again",
    },
    RemedyRow {
        kind: RemedyKind::Grant,
        actor: Actor::Owner,
        brief: "{grants}",
        step: "{who} {grant}; then run {run} and paste {pasted}",
        command: EXCHANGE,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::GrantByDialog,
        actor: Actor::Owner,
        brief: "{grants}",
        step: "{who} {grant}: run {run}",
        command: LOGIN,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::NoPermissions,
        actor: Actor::Operator,
        brief: "edits {file}",
        step: "an app's token has no permissions: remove `required_scopes` and `required_targets` \
               of {table} in {file}; then run {run}",
        command: REFRESH,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::AppCredentials,
        actor: Actor::Operator,
        brief: "corrects {config}",
        step: "compare `id`{app_id} and `secret` of `[app.{app}]` in {config} with the app's dashboard \
               ({app_secret}); then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::AppSecret,
        actor: Actor::Operator,
        brief: "corrects {config}",
        step: "set `secret` of `[app.{app}]` in {config} to the secret of the app that the token \
               belongs to ({app_secret}); then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::MissingSecret,
        actor: Actor::Operator,
        brief: "adds it",
        step: "copy the app's secret ({app_secret}) into `secret` of `[app.{app}]` in {config}; \
               then run {run}",
        command: "metatoken refresh{which}",
        note: "{dashboard}",
    },
    RemedyRow {
        kind: RemedyKind::Certificate,
        actor: Actor::Operator,
        brief: "sets `ca_file`",
        step: "if a proxy or a firewall opens HTTPS here, set `ca_file` of `[http]` in {config} to a \
               PEM file with its CA, or have it pass Meta's hosts through; then run {run}",
        command: REFRESH_ALL,
        note: "See also that this machine's clock is right",
    },
    RemedyRow {
        kind: RemedyKind::Proxy,
        actor: Actor::Operator,
        brief: "corrects the proxy",
        step: "have the proxy between this machine and Meta pass answers on as they are; then run \
               {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::AppDisabled,
        actor: Actor::Operator,
        brief: "opens the app's dashboard",
        step: "open the dashboard of app `{app}`{app_id} and follow its alerts until the app is \
               live again; then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::PageId,
        actor: Actor::Operator,
        brief: "checks `page_id`",
        step: "compare `page_id` of {table} in {file} with the Page's id; then run {run}",
        command: REFRESH,
        note: "If it is right, a person who manages the Page gives {who} a role on it first",
    },
    RemedyRow {
        kind: RemedyKind::AppList,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "if the account's settings ({app_list}) no longer list the app, {who} {log_in}: run \
               {run}",
        command: LOGIN,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::WrongType,
        actor: Actor::Operator,
        brief: "pastes another",
        step: "paste {a_type} token: run {run}",
        command: EXCHANGE,
        note: "If the token is the right one, correct `type` of {table} in {file}",
    },
    RemedyRow {
        kind: RemedyKind::NeedsNone,
        actor: Actor::Operator,
        brief: "removes `access_token`",
        step: "remove `access_token` of {table} in {file}: an app's token is taken from the app's \
               id and secret; then run {run}",
        command: REFRESH,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::WrongIdentity,
        actor: Actor::Operator,
        brief: "pastes the right one",
        step: "paste a token of app `{app}`: run {run}",
        command: EXCHANGE,
        note: "If the token is the right one, correct {identity}",
    },
    RemedyRow {
        kind: RemedyKind::LinkAnew,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "account and app must be linked again, {who} {log_in}: run {run}",
        command: LOGIN,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::ResetSecret,
        actor: Actor::Operator,
        brief: "resets the app's secret",
        step: "reset the app's secret in its dashboard ({app_secret}) and set it as `secret` of \
               `[app.{app}]` in {config}; then run {run}",
        command: REFRESH,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::BringBack,
        actor: Actor::Owner,
        brief: "needs a role on the Page",
        step: "a person who manages Page {page} gives {who} a role on it again; then run {run}",
        command: REFRESH,
        note: "If the Page is not needed any more, {give_up} and run `metatoken forget {label}`",
    },
    RemedyRow {
        kind: RemedyKind::StaleSource,
        actor: Actor::Operator,
        brief: "removes it",
        step: "remove it from {place}, or put another access token there; then run {run}",
        command: REFRESH,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::StaleSourceOrReplace,
        actor: Actor::Operator,
        brief: "removes it",
        step: "remove it from {place}; then run {run}",
        command: REFRESH,
        note: "If it is the one to use, run `metatoken exchange {label} --replace` and paste it first",
    },
    RemedyRow {
        kind: RemedyKind::RevokeOld,
        actor: Actor::Operator,
        brief: "revokes it",
        step: "run {run}, which makes it invalid at Meta",
        command: "metatoken revoke {label} --generation {generation}",
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::Mint,
        actor: Actor::Operator,
        brief: "mints a new one",
        step: "run {run}, which has Meta make a new one in the name of `{admin}`",
        command: "metatoken mint {label}",
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::RevokeAgain,
        actor: Actor::Operator,
        brief: "revokes it again",
        step: "run {run}, which asks Meta again",
        command: "metatoken revoke {label} --all",
        note: "To keep using it, run `metatoken exchange {label}` and paste it",
    },
    RemedyRow {
        kind: RemedyKind::OwnAccessToken,
        actor: Actor::Operator,
        brief: "sets its own",
        step: "set `access_token` of {table} in {file} to an access token of its own, or remove \
               the table; then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::SayNewName,
        actor: Actor::Operator,
        brief: "sets `was`",
        step: "set `was = \"{was}\"` in {table} in {file}; then run {run}",
        command: REFRESH,
        note: "If it is not the new name of `{was}`, run `metatoken forget {was}` first",
    },
    RemedyRow {
        kind: RemedyKind::ForgetOldName,
        actor: Actor::Operator,
        brief: "keeps its own",
        step: "to keep its own access token, run {run}",
        command: "metatoken forget {was}",
        note: "To keep that of `{was}`, remove {table} from the config, run `metatoken forget \
               {label}`, and declare it again with `was`",
    },
    RemedyRow {
        kind: RemedyKind::DropOldName,
        actor: Actor::Operator,
        brief: "corrects `was`",
        step: "remove {other} from the config if it is called `{label}` now, otherwise remove \
               `was` from {table}; then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::ChooseNewName,
        actor: Actor::Operator,
        brief: "corrects `was`",
        step: "remove `was` from {table} or from {other}, whichever is not the new name of \
               `{was}`; then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::DeclareAgain,
        actor: Actor::Operator,
        brief: "declares {each} again",
        step: "declare {each} again, or set {was} under its new name; then run {run}",
        command: REFRESH_ALL,
        note: "If not needed any more, run `metatoken forget {labels}`{others}",
    },
    RemedyRow {
        kind: RemedyKind::TellPagesApart,
        actor: Actor::Operator,
        brief: "corrects it",
        step: "write `{page_id}` into the `file` or `key` of the `deliver` table that the Pages \
               share; then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::DeclarePages,
        actor: Actor::Operator,
        brief: "adds them",
        step: "add each Page that is missing by its id: run {run}",
        command: "metatoken add PAGE --type page --parent {label} --page-id ID",
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::StopOther,
        actor: Actor::Operator,
        brief: "stops it",
        step: "run {run} to see when, find what writes {place} then, and stop it",
        command: "metatoken history {label}",
        note: "If that program is to renew it, set `auto_refresh = false` in {table}",
    },
    RemedyRow {
        kind: RemedyKind::EmptyFile,
        actor: Actor::Operator,
        brief: "empties it",
        step: "run {run}, which empties it",
        command: "metatoken forget --targets {label}",
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::Setting,
        actor: Actor::Operator,
        brief: "",
        step: "{fix}; then run {run}",
        command: REFRESH,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::AppSetting,
        actor: Actor::Operator,
        brief: "",
        step: "{fix}; then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::Inspect,
        actor: Actor::Operator,
        brief: "",
        step: "run {run} to see every call and its answer",
        command: "metatoken refresh -vv {label}",
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::Retry,
        actor: Actor::None,
        brief: "",
        step: "nothing to do yet: it is tried again by itself",
        command: "",
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::SlowDown,
        actor: Actor::None,
        brief: "",
        step: "nothing to do yet: it is tried again once Meta allows more calls",
        command: "",
        note: "",
    },
    RemedyRow {
        kind: RemedyKind::Wait,
        actor: Actor::None,
        brief: "",
        step: "nothing to do but wait: it is tried again when Meta allows it",
        command: "",
        note: "",
    },
];

impl RemedyKind {
    /// The step of the operator, where no token is at hand: `names` are put into the row.
    pub fn of_the_operator(self, names: &[(&str, &str)]) -> Remedy {
        let put = |template: &str| {
            names.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
        };
        self.row().filled(OPERATOR, put)
    }

    /// The row of the table.
    pub fn row(self) -> &'static RemedyRow {
        let row = ROWS.iter().find(|row| row.kind == self);
        row.expect("every way has its row")
    }
}
