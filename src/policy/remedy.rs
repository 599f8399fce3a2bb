//! Says what to do about a cause: who acts, the one command to run, and what to expect after it.
//!
//! [`ROWS`] has a row for each way in which a token is put right. A step can be followed at three in
//! the morning by someone who has never seen this tool. The tests read the same table.

use std::fmt;

use crate::token::Label;

/// What to do about a cause; empty where there is nothing to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Remedy {
    /// Who acts, and what that person does, in a few words: `anna@client.example logs in`.
    pub brief: String,
    /// The whole step, with the command in it.
    pub step: String,
    /// The command, as it is typed.
    pub command: String,
    /// What to expect after it, or the rule that chooses between two ways.
    pub note: String,
    /// The part of the step that the owner of the token takes, without a command; empty where another
    /// person acts.
    pub of_owner: String,
}

/// How commands of ours begin.
const COMMAND: &str = "metatoken ";
/// How the command begins by which an owner logs in.
const LOGIN_COMMAND: &str = "metatoken login ";

impl Remedy {
    /// Whether there is nothing to do.
    pub const fn is_empty(&self) -> bool {
        self.step.is_empty()
    }

    /// A step of the operator.
    pub fn of_the_operator(step: impl Into<String>) -> Self {
        let remedy = Self::from(step.into());
        let brief = if remedy.command.is_empty() { "" } else { OPERATOR };
        Self { brief: brief.to_owned(), ..remedy }
    }

    /// The same with what to expect after it.
    pub fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// Puts `prefix` before each of our commands.
    pub fn with_prefix(&mut self, prefix: &str) {
        for text in [&mut self.step, &mut self.note] {
            *text = prefixed(text, prefix);
        }
        if self.command.starts_with(COMMAND) {
            self.command = format!("{prefix} {}", self.command);
        }
    }

    /// Whether the owner of the token takes a step.
    pub const fn is_of_the_owner(&self) -> bool {
        !self.of_owner.is_empty()
    }

    /// The token whose owner logs in by a dialog, where that is the remedy.
    pub fn login(&self) -> Option<Label> {
        let (_, typed) = self.command.split_once(LOGIN_COMMAND)?;
        Label::parse(typed.split(' ').next()?).ok()
    }

    /// Adds another remedy to this one.
    pub fn append(&mut self, other: &Self) {
        if self.of_owner.is_empty() {
            self.of_owner.clone_from(&other.of_owner);
        }
        if !self.step.contains(&other.step) {
            self.step = format!("{}; {}", self.step, other.step);
        }
    }
}

/// The text with `prefix` before each of our commands.
///
/// Where a unit runs metatoken, its user, its credentials and its rights are the unit's: the same
/// command typed by a person would not find them. The config names what leads there.
pub fn prefixed(text: &str, prefix: &str) -> String {
    text.replace(&format!("`{COMMAND}"), &format!("`{prefix} {COMMAND}"))
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.step.as_str(), self.note.as_str()) {
            (step, "") => f.write_str(step),
            ("", note) => f.write_str(note),
            (step, note) => write!(f, "{step}. {note}"),
        }
    }
}

impl From<String> for Remedy {
    /// The first command that the step says to run is the command.
    fn from(step: String) -> Self {
        let command = step.split_once("run `").and_then(|(_, rest)| rest.split_once('`'));
        let command = command.map(|(command, _)| command.to_owned()).unwrap_or_default();
        Self { step, command, ..Self::default() }
    }
}

impl From<&str> for Remedy {
    fn from(step: &str) -> Self {
        Self::from(step.to_owned())
    }
}

/// Who runs metatoken and its machine.
pub const OPERATOR: &str = "operator";

/// A way in which a token is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure {
    /// The person behind the token gets a new access token.
    LogIn,
    /// The same, where a login dialog gives it.
    LogInByDialog,
    /// The same, once the app has the secret that the dialog needs.
    LogInWithSecret,
    /// The backup works, and takes the token's place.
    Promote,
    /// An earlier access token may work, and is put back.
    RollBack,
    /// The value was never good: it is copied again.
    CopyAgain,
    /// A Page token without a parent is taken anew.
    TakePageToken,
    /// The parent is put right.
    Parent,
    /// The person frees the account.
    FreeAccount,
    /// The person grants what is missing.
    Grant,
    /// The same, in a login dialog.
    GrantByDialog,
    /// A person who manages the Page gives the person a role on it.
    Role,
    /// An app's token has no permissions.
    NoPermissions,
    /// The app's id or secret is corrected.
    AppCredentials,
    /// The secret belongs to another app.
    AppSecret,
    /// The app's secret is added.
    MissingSecret,
    /// The CA of a proxy is trusted, or the proxy leaves Meta alone.
    Certificate,
    /// A proxy passes on what Meta answers.
    Proxy,
    /// The app is enabled again.
    AppDisabled,
    /// The Page's id is corrected.
    PageId,
    /// The account lists the app again.
    AppList,
    /// The access token has another type.
    WrongType,
    /// The config has an access token for a token that is derived from its app.
    NeedsNone,
    /// The access token belongs to another app, person or Page.
    WrongIdentity,
    /// Account and app are linked anew.
    LinkAnew,
    /// The app's secret is reset.
    ResetSecret,
    /// The Page is given back to the person whose parent token lists it.
    BringBack,
    /// What is not in use is removed from where the config points.
    StaleSource,
    /// What is not in use could be, at a loss.
    StaleSourceOrReplace,
    /// The access token that was replaced is revoked.
    RevokeOld,
    /// What was revoked and works all the same is revoked again.
    RevokeAgain,
    /// An admin's token makes a new one.
    Mint,
    /// The token gets an access token of its own.
    OwnAccessToken,
    /// The token is said to be the new name of another.
    SayNewName,
    /// The token under the old name is forgotten.
    ForgetOldName,
    /// The token is declared again.
    DeclareAgain,
    /// The place that all Pages share gets a part that differs.
    TellPagesApart,
    /// The Pages that Graph does not list are declared.
    DeclarePages,
    /// Another program that renews the token is stopped.
    StopOther,
    /// The file that still holds an access token is emptied.
    EmptyFile,
    /// What the config points to is put right, as the problem itself says.
    Setting,
    /// What Meta refuses has no remedy of its own.
    Inspect,
    /// It is tried again by itself.
    Retry,
    /// It is tried again when Meta allows more calls.
    SlowDown,
    /// It is tried again when Meta allows it.
    Wait,
}

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The person who owns the token.
    Owner,
    /// The person who runs metatoken.
    Operator,
    /// Neither: it passes by itself.
    None,
}

/// How a token is put right. In the texts `{who}`, `{label}`, `{app}` and the like stand for names.
#[derive(Debug, Clone, Copy)]
pub struct RemedyRow {
    /// Which way it is.
    pub cure: Cure,
    /// Who takes the step.
    pub actor: Actor,
    /// What that person does, in a few words.
    pub brief: &'static str,
    /// The whole step; `{run}` is the command.
    pub step: &'static str,
    /// The command; empty where there is none.
    pub command: &'static str,
    /// What to expect after it, or the rule that chooses.
    pub note: &'static str,
}

/// `{replace}` is the word that lets the new access token expire earlier, where the current one never
/// expires and Meta may give only sixty days.
const EXCHANGE: &str = "metatoken exchange {label}{replace}";
const LOGIN: &str = "metatoken login {label}{replace}";
const REFRESH: &str = "metatoken refresh {label}";
const REFRESH_ALL: &str = "metatoken refresh";

/// Every way in which a token is put right.
pub const ROWS: &[RemedyRow] = &[
    RemedyRow {
        cure: Cure::LogIn,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "{who} {log_in}; then run {run} and paste {pasted}",
        command: EXCHANGE,
        note: "",
    },
    RemedyRow {
        cure: Cure::LogInByDialog,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "{who} {log_in}: run {run}",
        command: LOGIN,
        note: "",
    },
    RemedyRow {
        cure: Cure::LogInWithSecret,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "copy the app's secret ({app_secret}), which a login needs, into `secret` of \
               `[app.{app}]` in {config}; then {who} {log_in}: run {run}",
        command: LOGIN,
        note: "",
    },
    RemedyRow {
        cure: Cure::Promote,
        actor: Actor::Operator,
        brief: "promotes the backup",
        step: "its backup `{backup}` works: run {run}",
        command: "metatoken promote {label}",
        note: "Otherwise {instead}",
    },
    RemedyRow {
        cure: Cure::RollBack,
        actor: Actor::Operator,
        brief: "rolls back",
        step: "generation {generation} is kept and may still work: run {run}, which asks Meta first",
        command: "metatoken rollback {label}",
        note: "If none works, {instead}",
    },
    RemedyRow {
        cure: Cure::CopyAgain,
        actor: Actor::Operator,
        brief: "pastes it again",
        step: "copy the access token of app `{app}` again, whole; then run {run} and paste it",
        command: EXCHANGE,
        note: "",
    },
    RemedyRow {
        cure: Cure::TakePageToken,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "{who} {log_in}; then run {run} and paste {pasted}",
        command: EXCHANGE,
        note: "If that user token is kept here, set it as `parent` of {table} instead",
    },
    RemedyRow {
        cure: Cure::Parent,
        actor: Actor::None,
        brief: "fix {parent}",
        step: "fix its parent first: run {run}",
        command: "metatoken status {parent}",
        note: "",
    },
    RemedyRow {
        cure: Cure::FreeAccount,
        actor: Actor::Owner,
        brief: "logs in at {site}",
        step: "{who} opens {site}, logs in and does what it asks; then run {run}",
        command: REFRESH,
        note: "No other person can do it; the token is kept and may work again",
    },
    RemedyRow {
        cure: Cure::Grant,
        actor: Actor::Owner,
        brief: "{grants}",
        step: "{who} {grant}; then run {run} and paste {pasted}",
        command: EXCHANGE,
        note: "",
    },
    RemedyRow {
        cure: Cure::GrantByDialog,
        actor: Actor::Owner,
        brief: "{grants}",
        step: "{who} {grant}: run {run}",
        command: LOGIN,
        note: "",
    },
    RemedyRow {
        cure: Cure::Role,
        actor: Actor::Owner,
        brief: "needs a role on the Page",
        step: "a person who manages Page {page} gives {who} a role on it again; then run {run}",
        command: REFRESH,
        note: "",
    },
    RemedyRow {
        cure: Cure::NoPermissions,
        actor: Actor::Operator,
        brief: "edits {file}",
        step: "an app's token has no permissions: remove `required_scopes` and `required_targets` \
               of {table} in {file}; then run {run}",
        command: REFRESH,
        note: "",
    },
    RemedyRow {
        cure: Cure::AppCredentials,
        actor: Actor::Operator,
        brief: "corrects {config}",
        step: "compare `id`{app_id} and `secret` of `[app.{app}]` in {config} with the app's dashboard \
               ({app_secret}); then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        cure: Cure::AppSecret,
        actor: Actor::Operator,
        brief: "corrects {config}",
        step: "set `secret` of `[app.{app}]` in {config} to the secret of the app that the token \
               belongs to ({app_secret}); then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        cure: Cure::MissingSecret,
        actor: Actor::Operator,
        brief: "adds it",
        step: "copy the app's secret ({app_secret}) into `secret` of `[app.{app}]` in {config}; \
               then run {run}",
        command: "metatoken refresh {force}{label}",
        note: "{dashboard}",
    },
    RemedyRow {
        cure: Cure::Certificate,
        actor: Actor::Operator,
        brief: "sets `ca_file`",
        step: "if a proxy or a firewall opens HTTPS here, set `ca_file` of `[http]` in {config} to a \
               PEM file with its CA, or have it pass Meta's hosts through; then run {run}",
        command: REFRESH_ALL,
        note: "See also that this machine's clock is right",
    },
    RemedyRow {
        cure: Cure::Proxy,
        actor: Actor::Operator,
        brief: "corrects the proxy",
        step: "have the proxy between this machine and Meta pass answers on as they are; then run \
               {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        cure: Cure::AppDisabled,
        actor: Actor::Operator,
        brief: "opens the app's dashboard",
        step: "open the dashboard of app `{app}`{app_id} and follow its alerts until the app is \
               live again; then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        cure: Cure::PageId,
        actor: Actor::Operator,
        brief: "checks `page_id`",
        step: "compare `page_id` of {table} in {file} with the Page's id; then run {run}",
        command: REFRESH,
        note: "If it is right, a person who manages the Page gives {who} a role on it first",
    },
    RemedyRow {
        cure: Cure::AppList,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "if the account's settings ({app_list}) no longer list the app, {who} {log_in}: run \
               {run}",
        command: LOGIN,
        note: "",
    },
    RemedyRow {
        cure: Cure::WrongType,
        actor: Actor::Operator,
        brief: "pastes another",
        step: "paste {a_type} token: run {run}",
        command: EXCHANGE,
        note: "If the token is the right one, correct `type` of {table} in {file}",
    },
    RemedyRow {
        cure: Cure::NeedsNone,
        actor: Actor::Operator,
        brief: "removes `access_token`",
        step: "remove `access_token` of {table} in {file}: an app's token is taken from the app's \
               id and secret; then run {run}",
        command: REFRESH,
        note: "",
    },
    RemedyRow {
        cure: Cure::WrongIdentity,
        actor: Actor::Operator,
        brief: "pastes the right one",
        step: "paste a token of app `{app}`: run {run}",
        command: EXCHANGE,
        note: "If the token is the right one, correct {identity}",
    },
    RemedyRow {
        cure: Cure::LinkAnew,
        actor: Actor::Owner,
        brief: "{logs_in}",
        step: "account and app must be linked again, {who} {log_in}: run {run}",
        command: LOGIN,
        note: "",
    },
    RemedyRow {
        cure: Cure::ResetSecret,
        actor: Actor::Operator,
        brief: "resets the app's secret",
        step: "reset the app's secret in its dashboard ({app_secret}) and set it as `secret` of \
               `[app.{app}]` in {config}; then run {run}",
        command: REFRESH,
        note: "",
    },
    RemedyRow {
        cure: Cure::BringBack,
        actor: Actor::Owner,
        brief: "needs a role on the Page",
        step: "a person who manages Page {page} gives {who} a role on it again; then run {run}",
        command: REFRESH,
        note: "If the Page is not needed any more, {give_up} and run `metatoken forget {label}`",
    },
    RemedyRow {
        cure: Cure::StaleSource,
        actor: Actor::Operator,
        brief: "removes it",
        step: "remove it from {place}, or put another access token there; then run {run}",
        command: REFRESH,
        note: "",
    },
    RemedyRow {
        cure: Cure::StaleSourceOrReplace,
        actor: Actor::Operator,
        brief: "removes it",
        step: "remove it from {place}; then run {run}",
        command: REFRESH,
        note: "If it is the one to use, run `metatoken exchange {label} --replace` and paste it first",
    },
    RemedyRow {
        cure: Cure::RevokeOld,
        actor: Actor::Operator,
        brief: "revokes it",
        step: "run {run}, which makes it invalid at Meta",
        command: "metatoken revoke {label} --generation {generation}",
        note: "",
    },
    RemedyRow {
        cure: Cure::Mint,
        actor: Actor::Operator,
        brief: "mints a new one",
        step: "run {run}, which has Meta make a new one in the name of `{admin}`",
        command: "metatoken mint {label}",
        note: "",
    },
    RemedyRow {
        cure: Cure::RevokeAgain,
        actor: Actor::Operator,
        brief: "revokes it again",
        step: "run {run}, which asks Meta again",
        command: "metatoken revoke {label} --all",
        note: "To keep using it, run `metatoken exchange {label}` and paste it",
    },
    RemedyRow {
        cure: Cure::OwnAccessToken,
        actor: Actor::Operator,
        brief: "sets its own",
        step: "set `access_token` of {table} in {file} to an access token of its own, or remove \
               the table; then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        cure: Cure::SayNewName,
        actor: Actor::Operator,
        brief: "sets `was`",
        step: "set `was = \"{was}\"` in {table} in {file}; then run {run}",
        command: REFRESH,
        note: "If it is not the new name of `{was}`, run `metatoken forget {was}` first",
    },
    RemedyRow {
        cure: Cure::ForgetOldName,
        actor: Actor::Operator,
        brief: "keeps its own",
        step: "to keep its own access token, run {run}",
        command: "metatoken forget {was}",
        note: "To keep that of `{was}`, remove {table} from the config, run `metatoken forget \
               {label}`, and declare it again with `was`",
    },
    RemedyRow {
        cure: Cure::DeclareAgain,
        actor: Actor::Operator,
        brief: "declares {each} again",
        step: "declare {each} again, or set {was} under its new name; then run {run}",
        command: REFRESH_ALL,
        note: "If not needed any more, run `metatoken forget {labels}`{others}",
    },
    RemedyRow {
        cure: Cure::TellPagesApart,
        actor: Actor::Operator,
        brief: "corrects it",
        step: "write `{page_id}` into the `file` or `key` of the `deliver` table that the Pages \
               share; then run {run}",
        command: REFRESH_ALL,
        note: "",
    },
    RemedyRow {
        cure: Cure::DeclarePages,
        actor: Actor::Operator,
        brief: "adds them",
        step: "add each Page that is missing by its id: run {run}",
        command: "metatoken add PAGE --type page --parent {label} --page-id ID",
        note: "",
    },
    RemedyRow {
        cure: Cure::StopOther,
        actor: Actor::Operator,
        brief: "stops it",
        step: "run {run} to see when, find what writes {place} then, and stop it",
        command: "metatoken history {label}",
        note: "If that program is to renew it, set `auto_refresh = false` in {table}",
    },
    RemedyRow {
        cure: Cure::EmptyFile,
        actor: Actor::Operator,
        brief: "empties it",
        step: "run {run}, which empties it",
        command: "metatoken forget --targets {label}",
        note: "",
    },
    RemedyRow {
        cure: Cure::Setting,
        actor: Actor::Operator,
        brief: "",
        step: "{fix}; then run {run}",
        command: REFRESH,
        note: "",
    },
    RemedyRow {
        cure: Cure::Inspect,
        actor: Actor::Operator,
        brief: "",
        step: "run {run} to see every call and its answer",
        command: "metatoken refresh -vv {label}",
        note: "",
    },
    RemedyRow {
        cure: Cure::Retry,
        actor: Actor::None,
        brief: "",
        step: "nothing to do yet: it is tried again by itself",
        command: "",
        note: "",
    },
    RemedyRow {
        cure: Cure::SlowDown,
        actor: Actor::None,
        brief: "",
        step: "nothing to do yet: it is tried again once Meta allows more calls",
        command: "",
        note: "",
    },
    RemedyRow {
        cure: Cure::Wait,
        actor: Actor::None,
        brief: "",
        step: "nothing to do but wait: it is tried again when Meta allows it",
        command: "",
        note: "",
    },
];

impl RemedyRow {
    /// The remedy in which `put` puts names into each text, and `who` acts.
    pub fn filled(&self, who: &str, put: impl Fn(&str) -> String) -> Remedy {
        let command = put(self.command);
        let step = put(self.step).replace("{run}", &format!("`{command}`"));
        let brief = match (self.actor, put(self.brief)) {
            (Actor::None, brief) => brief,
            (_, brief) if brief.is_empty() => who.to_owned(),
            (_, brief) => format!("{who} {brief}"),
        };
        let of_owner = match self.actor {
            Actor::Owner => put(self.before_the_command()),
            Actor::Operator | Actor::None => String::new(),
        };
        Remedy { brief, step, command, note: put(self.note), of_owner }
    }

    /// What is done before the command is typed.
    fn before_the_command(&self) -> &'static str {
        let before = self.step.split("run {run}").next().unwrap_or_default();
        before.trim_end_matches("then ").trim_end().trim_end_matches([':', ';'])
    }
}

impl Cure {
    /// The step of the operator, where no token is at hand: `names` are put into the row.
    pub fn of_the_operator(self, names: &[(&str, &str)]) -> Remedy {
        let put = |template: &str| {
            names.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
        };
        self.row().filled(OPERATOR, put)
    }

    /// The row of the table.
    pub fn row(self) -> &'static RemedyRow {
        let row = ROWS.iter().find(|row| row.cure == self);
        row.expect("every way has its row")
    }
}

impl Remedy {
    /// The same for this token alone, although the row is about all tokens of the app.
    pub fn with_label(mut self, label: &str) -> Self {
        let command = format!("{} {label}", self.command);
        self.step = self.step.replace(&format!("`{}`", self.command), &format!("`{command}`"));
        Self { command, ..self }
    }
}
