//! Names the ways in which a token is put right, and what a row of their table says: who acts, the one
//! command to run, and what to expect after it.

use super::remedy::Remedy;

/// A way in which a token is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemedyKind {
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
    /// The import that was to bring it is typed again.
    ImportAgain,
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
    /// A person who manages the Page gives the person a role on it again; or it is given up.
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
    /// Either the old name or the claim to it goes out of the config.
    DropOldName,
    /// Of two tokens that claim one old name, one gives it up.
    ChooseNewName,
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
    /// The same for an app, and so for all of its tokens.
    AppSetting,
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
    pub kind: RemedyKind,
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
