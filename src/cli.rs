//! Reads what was typed. The doc comments are the help; `help` lays it out.

mod changing;
mod completion;
mod every_day;
mod getting_started;
mod help;
mod housekeeping;
mod parse;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use self::changing::{
    ExchangeArguments, ForgetArguments, MintArguments, PromoteArguments, RevokeArguments,
    RollbackArguments,
};
pub use self::completion::{KnownNames, completable};
pub use self::every_day::{
    CheckArguments, DeliverArguments, ExecArguments, HangsOnArguments, HistoryArguments,
    PagesArguments, RefreshArguments, ReportArguments, StatusArguments, TokenArguments,
    TypedFailOn, TypedPerfdata, TypedSort,
};
pub use self::getting_started::{
    AddArguments, ConfigCheckArguments, ConfigCommand, DialogArguments, ImportArguments,
    InitArguments, LoginArguments, TypedShape, TypedTokenType,
};
pub use self::help::{
    GROUPS, HelpTopic, TOPICS, command, commands_of, find, formats, help_of, known_elsewhere,
};
pub use self::housekeeping::{
    CompletionsArguments, HelpArguments, KeyCommand, KeyRotateArguments, ManArguments,
    NotifyArguments, StoreCommand, TypedShell,
};
pub use self::parse::parse;

/// Keeps Meta access tokens alive: renews them before they expire, delivers them to the programs that
/// use them, and says what only a person can do.
#[derive(Debug, Parser)]
#[command(name = "metatoken", version, disable_help_subcommand = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten, next_help_heading = "Global options")]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Read this config [default: `$METATOKEN_CONFIG`, `~/.config/metatoken/metatoken.toml` or
    /// `/etc/metatoken/metatoken.toml`, the first that exists]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Print the report in this format
    #[arg(long, global = true, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<TypedFormat>,

    /// Print JSON; the same as `--format json`
    #[arg(long, global = true, conflicts_with = "format")]
    pub json: bool,

    /// Print nothing unless a person has something to do
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Log what is decided and why; twice: also every call to Graph
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,

    /// Write the log and everything else on standard error as text or json
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    pub log_format: TypedLogFormat,

    /// Use color: auto, always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: TypedColour,

    /// Work with a simulated Graph that is kept in DIR, without account and network
    /// [default DIR: `~/.local/state/metatoken/sandbox`]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true
    )]
    pub sandbox: Option<Option<PathBuf>>,

    /// Simulate this state of things in the sandbox; `metatoken help sandbox` lists the scenarios
    /// [default: the last one named, at first healthy]
    #[arg(long, global = true, value_name = "NAME")]
    pub scenario: Option<String>,

    /// Move the sandbox's clock to this time, such as `+45d` from its start; elsewhere it needs
    /// endpoints on this machine
    #[arg(long, global = true, value_name = "TIME", allow_hyphen_values = true)]
    pub now: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what each token is worth; with one LABEL, a page about it
    #[command(after_help = "\
Examples:
  metatoken status                             all tokens, the worst first
  metatoken status brand                       a page about one token
  metatoken status --within 7d                 what expires within a week
  metatoken status --problems --json           what needs attention, as JSON
  metatoken status --owner anna@brand.example  what depends on a person
  metatoken status --token-file FILE           inspect one, store nothing")]
    Status(StatusArguments),
    /// Renew what is due, check the others, derive Pages, deliver
    #[command(after_help = "\
Examples:
  metatoken refresh                      what the timer runs
  metatoken refresh --dry-run            show what it would do
  metatoken refresh brand                ask about one token now
  metatoken refresh --quiet --scheduled  for cron: silent if all is well")]
    Refresh(RefreshArguments),
    /// Bring each token to the files and programs that lack it
    #[command(after_help = "\
Examples:
  metatoken deliver --test           try each target, and show the lines
  metatoken deliver                  deliver what is pending
  metatoken deliver --dry-run        show what that would write and run
  metatoken deliver --force brand    overwrite what another program wrote
  metatoken deliver --restore brand  put back what the last delivery replaced")]
    Deliver(DeliverArguments),
    /// List generations, attempts and deliveries, with the success rate
    #[command(after_help = "\
Examples:
  metatoken history --limit 5             the last five events
  metatoken history --failed --since 30d  what went wrong in a month
  metatoken history --event delivered     what reached the programs, and when
  metatoken history --runs                each run with its exit code
  metatoken history --summary             only the success rate
  metatoken history --format csv          for a spreadsheet")]
    History(HistoryArguments),
    /// Write a page to look at: what is wrong, and the last month
    #[command(after_help = "\
Examples:
  metatoken report --html FILE  then open it in a browser
  metatoken report --html -     print it")]
    Report(ReportArguments),
    /// Declare a token and take its access token
    #[command(after_help = "\
Examples:
  metatoken add anna --type user              asks for the access token
  metatoken add anna --type user --pages all  and keeps all Pages of that person
  metatoken add shop --type page --parent anna --page-id 501 --deliver .env#FB
  metatoken add whatsapp --type system-user --token-file FILE")]
    Add(AddArguments),
    /// Read a new access token and make it long-lived
    #[command(after_help = "\
Examples:
  metatoken exchange brand                    asks for the access token
  metatoken exchange brand --token-file FILE  reads it from a file
  metatoken exchange --stored                 the short-lived ones in the store")]
    Exchange(ExchangeArguments),
    /// Take over the tokens of another program
    #[command(after_help = "\
Examples:
  metatoken import tokens.csv --dry-run          what would be taken over
  metatoken import tokens.csv                    label,type,access_token
  metatoken import users.json --map accessToken=access_token --map name=label
  metatoken import .env --from env               variables with access tokens
  metatoken import myrcat.db --from myrcat       SQLite: facebook_tokens
  metatoken import app.db --from flask-settings  SQLite: settings
  metatoken import -                             a pipe from psql or mongoexport")]
    Import(ImportArguments),
    /// Get an access token from Meta's login dialog
    #[command(after_help = "\
Examples:
  metatoken login brand                     open the address, paste the answer
  metatoken login brand --print-url         print the address for its owner
  metatoken login brand --answer FILE       hand in what that person sent back
  metatoken login brand --replace-identity  another person takes over")]
    Login(LoginArguments),
    /// Print one verdict for monitoring (Nagios line, exit 0 to 3)
    #[command(after_help = "\
Examples:
  metatoken check                         judge what is stored
  metatoken check --live                  ask Graph first, 8 seconds at most
  metatoken check --textfile FILE         also write metrics for Prometheus
  metatoken check --format github --live  annotate a workflow run
  metatoken check --format http           answer one HTTP request")]
    Check(CheckArguments),
    /// Print the current access token, and nothing else
    #[command(after_help = "\
Examples:
  metatoken token brand         for a script: TOKEN=$(metatoken token brand)
  metatoken token --dead brand  also one that Meta has called dead")]
    Token(TokenArguments),
    /// Run a program with the access token in its environment
    #[command(after_help = "\
Examples:
  metatoken exec brand -- env                 sets META_ACCESS_TOKEN
  metatoken exec --env FB_TOKEN brand -- env  sets FB_TOKEN instead
  metatoken exec --stdin brand -- cat         hands it over on standard input")]
    Exec(ExecArguments),
    /// List the Pages a user token reaches, and which are kept here
    #[command(after_help = "\
Examples:
  metatoken pages brand            asks Meta
  metatoken pages brand --offline  what the store knows
  metatoken pages brand --json     for a program")]
    Pages(PagesArguments),
    /// Make a new System User access token by API
    #[command(after_help = "\
Examples:
  metatoken mint whatsapp               with the token that `mint` names
  metatoken mint whatsapp --from admin  with this admin's token")]
    Mint(MintArguments),
    /// Make access tokens invalid at Meta, and prove that they are
    #[command(after_help = "\
Examples:
  metatoken revoke ads --generation 1                the old one, once replaced
  metatoken revoke brand --all --dry-run             list what would be revoked
  metatoken revoke brand --all                       all that its owner granted
  metatoken revoke brand --all --yes=brand           without a terminal
  metatoken revoke --owner anna@brand.example --all  what depends on a person")]
    Revoke(RevokeArguments),
    /// Put an earlier access token back
    #[command(after_help = "\
Examples:
  metatoken rollback brand                 the newest earlier one that works
  metatoken rollback brand --generation 2  this one
  metatoken rollback brand --dry-run       ask Meta, and change nothing")]
    Rollback(RollbackArguments),
    /// Put the backup in a token's place
    #[command(after_help = "\
Examples:
  metatoken promote brand            the token that its `backup` names
  metatoken promote brand --dry-run  ask Meta, and change nothing")]
    Promote(PromoteArguments),
    /// Delete a token's access tokens here; its history stays
    #[command(after_help = "\
Examples:
  metatoken forget old-brand            what the config no longer declares
  metatoken forget old-brand --dry-run  list what would go, and who still has it
  metatoken forget old-brand --targets  empty the files that still hold it too
  metatoken forget shop --undeclare     remove its file in tokens.d first
  metatoken forget --owner anna@brand.example  what hung on a person")]
    Forget(ForgetArguments),
    /// Write a first config by asking, and check the app with Meta
    #[command(after_help = "\
Examples:
  metatoken init                                      asks for everything
  metatoken init --app-id 123 --app-secret-file FILE  an app, and no token yet
  metatoken init --type page --label shop             asks for the rest
  metatoken init --app-kind instagram                 adds a second app")]
    Init(InitArguments),
    /// Check the config and everything it names, or show it with every default
    #[command(
        subcommand,
        after_help = "\
Examples:
  metatoken config check  before the first run, and after every change
  metatoken config show   what holds, with every default"
    )]
    Config(ConfigCommand),
    /// Check the config and everything it names; the same as `config check`
    #[command(
        hide = true,
        after_help = "\
Examples:
  metatoken doctor         before the first run, and after every change
  metatoken doctor --live  also ask Meta about the apps"
    )]
    Doctor(ConfigCheckArguments),
    /// Change the key that opens the store, or print it for a safe
    #[command(
        subcommand,
        after_help = "\
Examples:
  metatoken key rotate  another key from now on
  metatoken key export  print it, for a safe"
    )]
    Key(KeyCommand),
    /// Copy the store to a file, while runs go on
    #[command(
        subcommand,
        after_help = "\
Examples:
  metatoken store backup /backup/metatoken.db"
    )]
    Store(StoreCommand),
    /// Send a test message to the channels that are notified
    #[command(after_help = "\
Examples:
  metatoken notify --test      to every channel; a ping as after a good run
  metatoken notify --test ops  to one channel")]
    Notify(NotifyArguments),
    /// Print the script that completes command lines in a shell
    #[command(after_help = "\
Examples:
  metatoken completions bash  for /etc/bash_completion.d/metatoken
  metatoken completions zsh   for _metatoken in a folder of `fpath`
  metatoken completions fish  for ~/.config/fish/completions/metatoken.fish")]
    Completions(CompletionsArguments),
    /// Write the manual into a folder
    #[command(after_help = "\
Examples:
  metatoken man DIR  then read one: man -l DIR/metatoken-refresh.1")]
    Man(ManArguments),
    /// Play a login dialog of the sandbox, in a browser or, with --as, without one
    #[command(
        hide = true,
        after_help = "\
Examples:
  metatoken --sandbox dialog ADDRESS                      serve it to a browser
  metatoken --sandbox dialog ADDRESS --as 'Anna Example'  grant all as Anna
  metatoken --sandbox dialog ADDRESS --cancel             press Cancel"
    )]
    Dialog(DialogArguments),
    /// Print the help of a command or a topic
    #[command(after_help = "\
Examples:
  metatoken help refresh  the help of a command
  metatoken help json     the fields of JSON, and every reason code")]
    Help(HelpArguments),
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
    /// The answer to an HTTP request
    Http,
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
            Self::Add(_) => "add",
            Self::Status(_) => "status",
            Self::Refresh(_) => "refresh",
            Self::History(_) => "history",
            Self::Report(_) => "report",
            Self::Exchange(_) => "exchange",
            Self::Login(_) => "login",
            Self::Deliver(_) => "deliver",
            Self::Check(_) => "check",
            Self::Token(_) => "token",
            Self::Mint(_) => "mint",
            Self::Revoke(_) => "revoke",
            Self::Rollback(_) => "rollback",
            Self::Promote(_) => "promote",
            Self::Forget(_) => "forget",
            Self::Init(_) => "init",
            Self::Exec(_) => "exec",
            Self::Pages(_) => "pages",
            Self::Import(_) => "import",
            Self::Config(_) | Self::Doctor(_) => "config",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Dialog(_) => "dialog",
            Self::Help(_) => "help",
            Self::Key(KeyCommand::Rotate(_)) => "key",
            Self::Key(KeyCommand::Export) => "key export",
            Self::Store(_) => "store",
            Self::Notify(_) => "notify",
        }
    }
}
