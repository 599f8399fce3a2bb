//! The arguments of the commands of every day: `status`, `refresh`, `deliver`, `check`, `history`, `report`;
//! and of those that use tokens: `token`, `exec`, `pages`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `status`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that can be typed")]
pub struct StatusArguments {
    /// Labels; `*` matches any characters
    #[arg(value_name = "LABEL", conflicts_with = "token_file")]
    pub labels: Vec<String>,
    /// Ask Graph about every token, however recent its last check
    #[arg(long, conflicts_with = "offline")]
    pub live: bool,
    /// Show what is stored, and never ask Graph
    #[arg(long)]
    pub offline: bool,
    /// Show only tokens that the next `refresh` would do something about
    #[arg(long)]
    pub due: bool,
    /// Show only tokens with a problem
    #[arg(long)]
    pub problems: bool,
    /// Show only tokens that expire within this time, such as `7d`, the soonest first
    #[arg(long, value_name = "DURATION")]
    pub within: Option<String>,
    /// Sort by expiry, config or health [default: health; with `--within` expiry]
    #[arg(long, value_name = "ORDER", hide_possible_values = true)]
    pub sort: Option<TypedSort>,
    /// Show each healthy Page in a row of its own
    #[arg(long)]
    pub all: bool,
    /// Exit with the codes of `check`
    #[arg(long)]
    pub exit_code: bool,
    /// Inspect the access token in this file (`-` for standard input), and store nothing
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    pub token_file: Option<PathBuf>,
    /// Show only what depends on this owner, as the config names them
    #[arg(long, value_name = "OWNER", conflicts_with = "token_file")]
    pub owner: Option<String>,
    /// Show only what depends on the person, account or System User with this id
    #[arg(long = "user", value_name = "ID", conflicts_with = "token_file")]
    pub user_id: Option<String>,
    /// Show only what depends on this app; with `--token-file`, ask with this app
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
}

/// What tokens hang on, for commands that work on many.
#[derive(Debug, Args)]
pub struct HangsOnArguments {
    /// What depends on this owner, as the config names them: tokens, Pages under them, labels that are no
    /// longer declared
    #[arg(long, value_name = "OWNER")]
    pub owner: Option<String>,
    /// What depends on the person, account or System User with this id
    #[arg(long = "user", value_name = "ID")]
    pub user_id: Option<String>,
    /// What depends on this app
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
}

/// `refresh`.
#[derive(Debug, Args)]
pub struct RefreshArguments {
    /// Labels; `*` matches any characters. Graph is asked about a named token first
    #[arg(value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Renew the named tokens although they are not due
    #[arg(long, requires = "labels")]
    pub force: bool,
    /// Show what would happen, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Count this run as a timer's
    #[arg(long)]
    pub scheduled: bool,
    /// Wait this long for another run to finish
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    pub lock_wait: String,
}

/// `deliver`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that can be typed")]
pub struct DeliverArguments {
    /// Labels; `*` matches any characters
    #[arg(value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Overwrite what is there, also a value that metatoken never wrote
    #[arg(long, requires = "labels", conflicts_with_all = ["restore", "test"])]
    pub force: bool,
    /// Put back what the last delivery of this token replaced in its files
    #[arg(long, value_name = "LABEL", conflicts_with_all = ["labels", "test"])]
    pub restore: Option<String>,
    /// Try each target, also before there is an access token: show the lines that would change
    #[arg(long)]
    pub test: bool,
    /// Show what would happen, and change nothing
    #[arg(short = 'n', long, conflicts_with = "test")]
    pub dry_run: bool,
    /// Count this run as a timer's
    #[arg(long)]
    pub scheduled: bool,
    /// Wait this long for another run to finish
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `check`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that can be typed")]
pub struct CheckArguments {
    /// Labels; `*` matches any characters
    #[arg(value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Ask Graph, for eight seconds at most
    #[arg(long)]
    pub live: bool,
    /// Judge only the tokens
    #[arg(long, conflicts_with = "system")]
    pub tokens: bool,
    /// Judge only the system: the timer, deliveries, key, files
    #[arg(long)]
    pub system: bool,
    /// Give performance data for few tokens (at most 20 that expire, else the soonest), all, or none
    #[arg(long, value_name = "WHICH", default_value = "few", hide_possible_values = true)]
    pub perfdata: TypedPerfdata,
    /// Also write the metrics to this file, for a node exporter
    #[arg(long, value_name = "FILE")]
    pub textfile: Option<PathBuf>,
    /// Also send the notifications that are due and write the config's metrics file, as `refresh`
    /// does
    #[arg(long, conflicts_with_all = ["labels", "tokens", "system"])]
    pub notify: bool,
    /// With `--format http`: from which health on the answer is 503, critical or warning
    /// [default: critical]
    #[arg(long, value_name = "HEALTH", hide_possible_values = true)]
    pub fail_on: Option<TypedFailOn>,
    /// With `--format http`: answer with all that `--json` has
    #[arg(long)]
    pub detail: bool,
}

/// `history`.
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// Labels; `*` matches any characters
    #[arg(value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Show this many events or runs, the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Show only what happened since then: `30d`, or `2026-01-01`
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Show only what failed
    #[arg(long)]
    pub failed: bool,
    /// Show only events of this kind, such as `delivered`; can be given more than once
    #[arg(long, value_name = "EVENT")]
    pub event: Vec<String>,
    /// Show only the success rate, by event and by trigger
    #[arg(long, conflicts_with_all = ["event", "runs"])]
    pub summary: bool,
    /// List the runs instead of the events: command, trigger, time and exit code
    #[arg(long, conflicts_with_all = ["labels", "event"])]
    pub runs: bool,
}

/// `report`.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// Write the page to this file (`-` for standard output)
    #[arg(long, value_name = "FILE", required = true)]
    pub html: PathBuf,
}

/// `token`.
#[derive(Debug, Args)]
pub struct TokenArguments {
    /// The token's label
    #[arg(value_name = "LABEL")]
    pub label: String,
    /// Print this earlier generation, if it is still kept; `status LABEL` lists them
    #[arg(long, value_name = "N")]
    pub generation: Option<u32>,
    /// Print it even if Meta has called it dead
    #[arg(long)]
    pub dead: bool,
    /// Print it even if it is an admin's that no program gets (`use = "mint"`)
    #[arg(long)]
    pub admin: bool,
}

/// `exec`.
#[derive(Debug, Args)]
pub struct ExecArguments {
    /// Put the access token into this variable, or another token's [default: `META_ACCESS_TOKEN`]
    #[arg(long = "env", value_name = "NAME[=LABEL]")]
    pub variables: Vec<String>,
    /// Hand it over on standard input, without a line end and without a variable
    #[arg(long, conflicts_with_all = ["variables", "fd"])]
    pub stdin: bool,
    /// The same, from this descriptor
    #[arg(long, value_name = "N", conflicts_with = "variables")]
    pub fd: Option<u32>,
    /// Run it even if Meta has called the access token dead
    #[arg(long)]
    pub dead: bool,
    /// The token's label
    #[arg(value_name = "LABEL")]
    pub label: String,
    /// The program and its arguments
    #[arg(value_name = "CMD", last = true, required = true)]
    pub command: Vec<OsString>,
}

/// `pages`.
#[derive(Debug, Args)]
pub struct PagesArguments {
    /// The label of a user or System User token
    #[arg(value_name = "LABEL")]
    pub label: String,
    /// Show what is stored, and never ask Graph
    #[arg(long)]
    pub offline: bool,
}

/// `--sort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypedSort {
    /// What expires first, first
    Expiry,
    /// As the config has them
    Config,
    /// The worst first
    Health,
}

/// `--perfdata`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypedPerfdata {
    /// All with an end while they are at most 20, else the soonest
    Few,
    /// All with an end
    All,
    /// None, only the counts
    None,
}

/// `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypedFailOn {
    /// What is critical, and what is unknown
    Critical,
    /// A warning too
    Warning,
}
