//! What was typed. The doc comments are the help.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// Keeps Meta access tokens alive: knows what each is worth, renews it before it dies, and says
/// what only a person can do.
#[derive(Debug, Parser)]
#[command(name = "metatoken", version, disable_help_subcommand = true)]
#[command(after_help = "Try it without a Meta account: metatoken --sandbox refresh")]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// The config [default: `$METATOKEN_CONFIG`, else `$XDG_CONFIG_HOME/metatoken/metatoken.toml`,
    /// else `/etc/metatoken/metatoken.toml`]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The form of the report
    #[arg(long, global = true, value_name = "FORMAT")]
    pub format: Option<TypedFormat>,

    /// The same as `--format json`
    #[arg(long, global = true, conflicts_with = "format")]
    pub json: bool,

    /// Print nothing unless a person has something to do
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say what is decided and why; twice: every call to Graph
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// The form of the log, and with it of everything on standard error
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: TypedLogFormat,

    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: TypedColour,

    /// Run against a simulated Graph that lives in DIR and needs no account and no network
    /// [default DIR: `$XDG_STATE_HOME/metatoken/sandbox`]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true
    )]
    pub sandbox: Option<Option<PathBuf>>,

    /// What the simulated Graph is like [default: healthy]
    #[arg(long, global = true, value_name = "NAME")]
    pub scenario: Option<String>,

    /// The time to work at: `+45d` from the sandbox's start, or an instant. Outside the sandbox
    /// only with endpoints on this machine
    #[arg(long, global = true, value_name = "TIME", allow_hyphen_values = true)]
    pub now: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What each token is worth: validity, clocks, scopes, deliveries, what to do next
    Status(StatusArguments),
    /// Renew what is due, verify what was not proven lately, derive pages, deliver
    Refresh(RefreshArguments),
    /// Bring every token to the files and programs that have not got it
    Deliver(DeliverArguments),
    /// Every generation, attempt and delivery, with success rate
    History(HistoryArguments),
    /// Read a new string from standard input and make it long-lived
    Exchange(ExchangeArguments),
    /// One verdict for monitoring: a Nagios line, exit 0, 1, 2 or 3
    Check(CheckArguments),
    /// Print the current string, and nothing else
    Token(TokenArguments),
    /// Check the config, or show it with every default filled in
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Copy the store to a file, while runs go on
    #[command(subcommand)]
    Store(StoreCommand),
}

/// `status`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that can be typed")]
pub struct StatusArguments {
    /// Labels; `*` matches anything
    #[arg(value_name = "LABEL", conflicts_with = "token_file")]
    pub labels: Vec<String>,
    /// Ask Graph about every token, however fresh its proof
    #[arg(long, conflicts_with = "offline")]
    pub live: bool,
    /// Never ask Graph
    #[arg(long)]
    pub offline: bool,
    /// Only tokens that the next `refresh` would do something about
    #[arg(long)]
    pub due: bool,
    /// Only tokens that are not well
    #[arg(long)]
    pub problems: bool,
    /// Only tokens that expire within this time, such as `7d`, the soonest first
    #[arg(long, value_name = "DURATION")]
    pub within: Option<String>,
    /// Sort by expiry, config or health [default: health; with `--within` expiry]
    #[arg(long, value_name = "ORDER")]
    pub sort: Option<TypedSort>,
    /// Show each healthy Page in a row of its own
    #[arg(long)]
    pub all: bool,
    /// Exit with the codes of `check`
    #[arg(long)]
    pub exit_code: bool,
    /// Inspect the string in this file (`-` for standard input) and store nothing
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    pub token_file: Option<PathBuf>,
    /// The app to ask with, for `--token-file`
    #[arg(long, value_name = "APP", requires = "token_file")]
    pub app: Option<String>,
}

/// `refresh`.
#[derive(Debug, Args)]
pub struct RefreshArguments {
    /// Labels; `*` matches anything. A token that is named is asked about first
    #[arg(value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Renew the named tokens although they are not due
    #[arg(long, requires = "labels")]
    pub force: bool,
    /// Show what would happen; change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Count this run as a timer's
    #[arg(long)]
    pub scheduled: bool,
    /// How long to wait for another run to end
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    pub lock_wait: String,
}

/// `exchange`.
#[derive(Debug, Args)]
pub struct ExchangeArguments {
    /// The token's label; with `--stored`, any number of patterns
    #[arg(value_name = "LABEL", required_unless_present = "stored")]
    pub labels: Vec<String>,
    /// Exchange the short-lived strings that are in the store
    #[arg(long, conflicts_with = "token_file")]
    pub stored: bool,
    /// Read the string from this file instead of standard input
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Show what would happen; change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for another run to end
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `deliver`.
#[derive(Debug, Args)]
pub struct DeliverArguments {
    /// Labels; `*` matches anything
    #[arg(value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Overwrite what is there, also a string that is none of ours
    #[arg(long, requires = "labels", conflicts_with_all = ["restore", "test"])]
    pub force: bool,
    /// Put back what the last delivery to each of the token's files replaced
    #[arg(long, value_name = "LABEL", conflicts_with_all = ["labels", "test"])]
    pub restore: Option<String>,
    /// Show what would change, and whether it could; change nothing
    #[arg(long)]
    pub test: bool,
    /// Count this run as a timer's
    #[arg(long)]
    pub scheduled: bool,
    /// How long to wait for another run to end
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `history`.
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// Labels; `*` matches anything
    #[arg(value_name = "LABEL")]
    pub labels: Vec<String>,
    /// How many events to show, the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Only since then: `30d`, or `2026-01-01`
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only what failed
    #[arg(long)]
    pub failed: bool,
    /// Only the success rate
    #[arg(long)]
    pub summary: bool,
}

/// `check`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that can be typed")]
pub struct CheckArguments {
    /// Labels; `*` matches anything
    #[arg(value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Ask Graph, for eight seconds at most
    #[arg(long)]
    pub live: bool,
    /// Judge only what the tokens are worth
    #[arg(long, conflicts_with = "system")]
    pub tokens: bool,
    /// Judge only the machinery: the timer, deliveries, key, files
    #[arg(long)]
    pub system: bool,
    /// Which tokens get performance data: those with an end while they are at most 20, all of them,
    /// or none
    #[arg(long, value_name = "WHICH", default_value = "few")]
    pub perfdata: TypedPerfdata,
    /// Write the metrics to this file besides, for a node exporter
    #[arg(long, value_name = "FILE")]
    pub textfile: Option<PathBuf>,
    /// Tell people what they have not been told yet and write the config's metrics file, as
    /// `refresh` does; writes down that it did
    #[arg(long, conflicts_with_all = ["labels", "tokens", "system"])]
    pub notify: bool,
}

/// `token`.
#[derive(Debug, Args)]
pub struct TokenArguments {
    /// The token's label
    #[arg(value_name = "LABEL")]
    pub label: String,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say whether the config is right
    Check,
    /// Every setting with its value and where that came from; secrets as references
    Show,
}

/// `store`.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Write a consistent copy of the store to a new file; the store key is not in it
    Backup {
        /// The new file; one that exists is not overwritten
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypedFormat {
    /// For people
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For monitoring
    Nagios,
    /// Metrics
    Prometheus,
    /// Annotations of a workflow
    Github,
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

/// `--log-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypedLogFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypedColour {
    /// On a terminal
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

impl Command {
    /// Its name, as typed.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Refresh(_) => "refresh",
            Self::History(_) => "history",
            Self::Exchange(_) => "exchange",
            Self::Deliver(_) => "deliver",
            Self::Check(_) => "check",
            Self::Token(_) => "token",
            Self::Config(_) => "config",
            Self::Store(_) => "store",
        }
    }
}
