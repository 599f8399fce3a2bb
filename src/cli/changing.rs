//! The arguments of the commands that change tokens: `exchange`, `rollback`, `promote`, `mint`, `revoke`,
//! `forget`.

use std::path::PathBuf;

use clap::Args;

use super::every_day::HangsOnArguments;

/// How a command runs that changes tokens.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Show what would happen, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Wait this long for another run to finish
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `exchange`.
#[derive(Debug, Args)]
pub struct ExchangeArguments {
    /// The token's label; with `--stored`, any number of patterns
    #[arg(value_name = "LABEL", required_unless_present = "stored")]
    pub labels: Vec<String>,
    /// Exchange the short-lived access tokens that are stored
    #[arg(long, conflicts_with = "token_file")]
    pub stored: bool,
    /// Read the access token from this file instead of standard input
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Take it even if it expires earlier or lacks what is required
    #[arg(long, conflicts_with = "stored")]
    pub replace: bool,
    /// Take it even if it belongs to another person
    #[arg(long, conflicts_with = "stored")]
    pub replace_identity: bool,
    #[command(flatten)]
    pub run: RunArguments,
}

/// `rollback`.
#[derive(Debug, Args)]
pub struct RollbackArguments {
    /// The token's label
    #[arg(value_name = "LABEL")]
    pub label: String,
    /// Put this generation back; `status LABEL` lists them [default: the newest earlier one]
    #[arg(long, value_name = "N")]
    pub generation: Option<u32>,
    #[command(flatten)]
    pub run: RunArguments,
}

/// `promote`.
#[derive(Debug, Args)]
pub struct PromoteArguments {
    /// The label of the token whose backup takes its place
    #[arg(value_name = "LABEL")]
    pub label: String,
    #[command(flatten)]
    pub run: RunArguments,
}

/// `mint`.
#[derive(Debug, Args)]
pub struct MintArguments {
    /// The label of a System User's token
    #[arg(value_name = "LABEL")]
    pub label: String,
    /// Ask with this admin's token, which says `use = "mint"` [default: `mint` of the config]
    #[arg(long, value_name = "LABEL")]
    pub from: Option<String>,
    /// Ask for 60 days although the current one never expires, and take it even if it lacks what is
    /// required
    #[arg(long)]
    pub replace: bool,
    /// Wait this long for another run to finish
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `revoke`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("scope").required(true))]
pub struct RevokeArguments {
    /// The token's label
    #[arg(
        value_name = "LABEL",
        required_unless_present_any = ["owner", "user_id", "app"],
        conflicts_with_all = ["owner", "user_id", "app"]
    )]
    pub label: Option<String>,
    #[command(flatten)]
    pub hangs_on: HangsOnArguments,
    /// Revoke this access token of a System User; `status LABEL` lists them
    #[arg(
        long,
        value_name = "N",
        group = "scope",
        requires = "label",
        conflicts_with_all = ["owner", "user_id", "app"]
    )]
    pub generation: Option<u32>,
    /// Revoke all that this person or System User granted the app
    #[arg(long, group = "scope")]
    pub all: bool,
    /// Revoke it also while a file or a program still has it
    #[arg(long)]
    pub force: bool,
    /// Do not ask: the label that is listed, or how many labels are
    #[arg(long, value_name = "LABEL|COUNT", require_equals = true, num_args = 0..=1, default_missing_value = "")]
    pub yes: Option<String>,
    #[command(flatten)]
    pub run: RunArguments,
}

/// `forget`.
#[derive(Debug, Args)]
pub struct ForgetArguments {
    /// Labels that the config does not declare any more; `*` matches anything
    #[arg(value_name = "LABEL", required_unless_present_any = ["owner", "user_id", "app"])]
    pub labels: Vec<String>,
    #[command(flatten)]
    pub hangs_on: HangsOnArguments,
    /// Do not ask, for --owner, --user and --app: this many tokens are listed
    #[arg(long, value_name = "COUNT", require_equals = true, num_args = 0..=1, default_missing_value = "")]
    pub yes: Option<String>,
    /// Empty the files that still hold an access token of theirs
    #[arg(long)]
    pub targets: bool,
    /// Remove the files in `tokens.d` that declare them first
    #[arg(long)]
    pub undeclare: bool,
    #[command(flatten)]
    pub run: RunArguments,
}
