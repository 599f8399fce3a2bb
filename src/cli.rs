//! Reads what was typed. The doc comments are the help; `help` lays it out.

mod completion;
mod help;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use self::completion::{KnownNames, completable};
pub use self::help::{
    GROUPS, HelpTopic, TOPICS, command, find, formats, help_of, known_elsewhere, parse,
};

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
    /// [default: healthy]
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
  metatoken status                    all tokens, the worst first
  metatoken status brand              a page about one token
  metatoken status --within 7d        what expires within a week
  metatoken status --problems --json  only what needs attention, for a program
  metatoken status --owner anna@brand.example  what hangs on a person, declared or not
  metatoken status --token-file FILE  inspect an access token, store nothing")]
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
  metatoken deliver --test           try each target, and show the lines that would change
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
    /// Write a page to look at: what is wrong, each token's time, the last month
    #[command(after_help = "\
Examples:
  metatoken report --html FILE  then open it in a browser
  metatoken report --html -     print it")]
    Report(ReportArguments),
    /// Declare a token and take its access token
    #[command(after_help = "\
Examples:
  metatoken add anna --type user                   asks for the access token
  metatoken add anna --type user --pages all       and keeps all Pages of that person
  metatoken add brand-page --type page --parent brand --page-id 1234 --deliver config.ini#meta.token
  metatoken add whatsapp --type system-user --token-file FILE")]
    Add(AddArguments),
    /// Read a new access token and make it long-lived
    #[command(after_help = "\
Examples:
  metatoken exchange brand                    asks for the access token
  metatoken exchange brand --token-file FILE  reads it from a file
  metatoken exchange --stored                 exchange stored short-lived ones")]
    Exchange(ExchangeArguments),
    /// Take over the tokens of another program
    #[command(after_help = "\
Examples:
  metatoken import tokens.csv --dry-run                 show what would be taken over
  metatoken import tokens.csv                           CSV with label,type,access_token
  metatoken import users.json --map accessToken=access_token --map name=label
  metatoken import .env --from env                      variables that hold access tokens
  metatoken import myrcat.db --from myrcat              the SQLite table facebook_tokens
  metatoken import app.db --from flask-settings         the SQLite table settings
  metatoken import -                                    what psql or mongoexport writes into a pipe")]
    Import(ImportArguments),
    /// Get an access token from Meta's login dialog
    #[command(after_help = "\
Examples:
  metatoken login brand                      open the address it prints, paste the answer
  metatoken login brand --print-url          print the address, for the person who owns the token
  metatoken login brand --answer FILE        hand in the address in that person's address bar
  metatoken login brand --replace-identity   another person takes over")]
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
    /// List the Pages that a user token reaches, and which are kept here
    #[command(after_help = "\
Examples:
  metatoken pages brand            asks Meta
  metatoken pages brand --offline  what the store knows
  metatoken pages brand --json     for a program")]
    Pages(PagesArguments),
    /// Make a new System User access token by API
    #[command(after_help = "\
Examples:
  metatoken mint whatsapp               asks with the admin's token that the config names
  metatoken mint whatsapp --from admin  with this admin's token")]
    Mint(MintArguments),
    /// Make access tokens invalid at Meta, and prove that they are
    #[command(after_help = "\
Examples:
  metatoken revoke ads --generation 1       the old one, after a rotation
  metatoken revoke brand --all --dry-run    list all that would die with it
  metatoken revoke brand --all              all that its owner granted the app
  metatoken revoke brand --all --yes=brand  without a terminal
  metatoken revoke --owner anna@brand.example --all  what hung on a person; lists it, then asks")]
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
  metatoken promote brand            the token that `backup` of [token.brand] names
  metatoken promote brand --dry-run  ask Meta, and change nothing")]
    Promote(PromoteArguments),
    /// Delete a token's access tokens here; its history stays
    #[command(after_help = "\
Examples:
  metatoken forget old-brand              what the config no longer declares
  metatoken forget old-brand --dry-run    list what would be deleted, and the files that hold it
  metatoken forget old-brand --targets    empty these files too
  metatoken forget shop --undeclare       remove its file in tokens.d first
  metatoken forget --owner anna@brand.example  what hung on a person; lists it, then asks")]
    Forget(ForgetArguments),
    /// Write a first config by asking, and check the app with Meta
    #[command(after_help = "\
Examples:
  metatoken init                                      asks for everything
  metatoken init --app-id 123 --app-secret-file FILE  store and app, no token yet
  metatoken init --type page --label shop             one Page's token; asks for the rest")]
    Init(InitArguments),
    /// Check the config and everything it names, or show it with every default
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check the config and everything it names; the same as `config check`
    #[command(hide = true)]
    Doctor(ConfigCheckArguments),
    /// Change the key that opens the store, or print it for a safe
    #[command(subcommand)]
    Key(KeyCommand),
    /// Copy the store to a file, while runs go on
    #[command(subcommand)]
    Store(StoreCommand),
    /// Send a test message to the channels that are notified
    #[command(after_help = "\
Examples:
  metatoken notify --test      to every channel; pings are sent as after a good run
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
  metatoken --sandbox dialog ADDRESS                      serve it to a browser on this machine
  metatoken --sandbox dialog ADDRESS --as 'Anna Example'  grant everything as Anna
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

/// `notify`.
#[derive(Debug, Args)]
pub struct NotifyArguments {
    /// Send a test message
    #[arg(long, required = true)]
    pub test: bool,
    /// The channel that it is sent to [default: all]
    #[arg(value_name = "CHANNEL")]
    pub channel: Option<String>,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell: bash, zsh or fish
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub shell: TypedShell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The folder; it is made if it is missing, and pages that are there are replaced
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// `help`.
#[derive(Debug, Args)]
pub struct HelpArguments {
    /// A command, or one of config, delivery, exit-codes, json, logs, sandbox, monitoring, meta,
    /// upgrade, move, restore, uninstall
    #[arg(value_name = "COMMAND or TOPIC")]
    pub words: Vec<String>,
}

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
    /// Show only what hangs on this owner, as the config names them
    #[arg(long, value_name = "OWNER", conflicts_with = "token_file")]
    pub owner: Option<String>,
    /// Show only what hangs on the person, account or System User with this id
    #[arg(long = "user", value_name = "ID", conflicts_with = "token_file")]
    pub user_id: Option<String>,
    /// Show only what hangs on this app; with `--token-file`, ask with this app
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
}

/// What tokens hang on, for commands that work on many.
#[derive(Debug, Args)]
pub struct HangsOnArguments {
    /// What hangs on this owner, as the config names them: tokens, Pages under them, labels that are no
    /// longer declared
    #[arg(long, value_name = "OWNER")]
    pub owner: Option<String>,
    /// What hangs on the person, account or System User with this id
    #[arg(long = "user", value_name = "ID")]
    pub user_id: Option<String>,
    /// What hangs on this app
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

/// `add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// What to call it: letters, digits, `-` and `_`
    #[arg(value_name = "LABEL")]
    pub label: String,
    /// What it is: user, page, system-user, instagram, threads or app
    #[arg(long = "type", value_name = "TYPE", hide_possible_values = true)]
    pub token_type: TypedTokenType,
    /// The app that it belongs to; needed only where several fit
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// The label of the person or System User whose Page this is
    #[arg(long, value_name = "LABEL")]
    pub parent: Option<String>,
    /// The Page's id
    #[arg(long, value_name = "ID")]
    pub page_id: Option<String>,
    /// Keep all Pages of this person: `--pages all`
    #[arg(long, value_name = "all", value_parser = ["all"], hide_possible_values = true)]
    pub pages: Option<String>,
    /// Deliver it to this key of this file; without `#KEY` as the whole file
    #[arg(long, value_name = "FILE#KEY")]
    pub deliver: Vec<String>,
    /// Who can log in again, such as `anna@client.example`
    #[arg(long, value_name = "OWNER")]
    pub owner: Option<String>,
    /// Meta's id of the person or System User that it must belong to
    #[arg(long, value_name = "ID")]
    pub user_id: Option<String>,
    /// Read the access token from this file instead of standard input
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Take it even if the label has one that expires later or can do more
    #[arg(long)]
    pub replace: bool,
    /// Take it even if the label has one of another person
    #[arg(long)]
    pub replace_identity: bool,
    /// Show what would happen, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Wait this long for another run to finish
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `exchange`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that can be typed")]
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
    /// Show what would happen, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Wait this long for another run to finish
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `login`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that can be typed")]
pub struct LoginArguments {
    /// The token's label
    #[arg(value_name = "LABEL")]
    pub label: String,
    /// Read the address in the address bar of the browser from the terminal or standard input [default]
    #[arg(long, conflicts_with_all = ["print_url", "answer"])]
    pub paste: bool,
    /// Have a browser on this machine bring the answer, for a Facebook app in development
    #[arg(
        long,
        value_name = "PORT",
        num_args = 0..=1,
        require_equals = true,
        conflicts_with_all = ["paste", "print_url", "answer"]
    )]
    pub listen: Option<Option<u16>>,
    /// Print the address of the dialog and end; the answer is handed in later with --answer
    #[arg(long, conflicts_with = "answer")]
    pub print_url: bool,
    /// Read the address in the address bar of the browser from this file, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub answer: Option<PathBuf>,
    /// Take the answer for this long, at most 7d
    #[arg(long, value_name = "DURATION", default_value = "1h", conflicts_with = "answer")]
    pub valid: String,
    /// Take it only if the person with this id logged in
    #[arg(long, value_name = "ID")]
    pub expect_user: Option<String>,
    /// Take it even if it lacks what is required, or Pages that work today were not ticked
    #[arg(long)]
    pub replace: bool,
    /// Take it even if it belongs to another person
    #[arg(long)]
    pub replace_identity: bool,
    /// Wait this long for another run to finish
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `dialog`.
#[derive(Debug, Args)]
pub struct DialogArguments {
    /// The address that `login --print-url` printed in the sandbox
    #[arg(value_name = "ADDRESS")]
    pub address: String,
    /// Log in as this person, by name, username or id, and grant what is asked
    #[arg(long = "as", value_name = "PERSON", conflicts_with = "cancel")]
    pub person: Option<String>,
    /// Tick this permission or Page off
    #[arg(long, value_name = "NAME", requires = "person")]
    pub without: Vec<String>,
    /// Press Cancel
    #[arg(long)]
    pub cancel: bool,
}

/// `deliver`.
#[derive(Debug, Args)]
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
    /// How long to wait for another run to end
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
    #[arg(long, value_name = "N", group = "scope", requires = "label")]
    pub generation: Option<u32>,
    /// Revoke all that this person or System User granted the app
    #[arg(long, group = "scope")]
    pub all: bool,
    /// Revoke it also while a file or a program still has it
    #[arg(long)]
    pub force: bool,
    /// Do not ask: the label that is listed, or how many labels are
    #[arg(long, value_name = "LABEL|COUNT", require_equals = true)]
    pub yes: Option<String>,
    /// Show what would happen; change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for another run to end
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
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
    /// Show what would happen; change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for another run to end
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `promote`.
#[derive(Debug, Args)]
pub struct PromoteArguments {
    /// The label of the token whose backup takes its place
    #[arg(value_name = "LABEL")]
    pub label: String,
    /// Show what would happen; change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for another run to end
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
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
    #[arg(long, value_name = "COUNT", require_equals = true)]
    pub yes: Option<String>,
    /// Empty the files that still hold an access token of theirs
    #[arg(long)]
    pub targets: bool,
    /// Remove the files in `tokens.d` that declare them first
    #[arg(long)]
    pub undeclare: bool,
    /// Show what would happen; change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for another run to end
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The file (`-` for standard input): CSV or JSON with the columns `label`, `type`, `access_token`,
    /// and if there are any `app`, `user_id`, `page_id`, `parent`, `expires_at`, `issued_at`, `owner`
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Read the file of this kind of program: env, myrcat or flask-settings
    #[arg(long, value_name = "KIND", hide_possible_values = true)]
    pub from: Option<TypedShape>,
    /// Read COLUMN as if it were called NAME; of a `.env`, the variable COLUMN as the label NAME
    #[arg(long, value_name = "COLUMN=NAME")]
    pub map: Vec<String>,
    /// Show what would happen; change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How long to wait for another run to end
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `--from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypedShape {
    /// Variables
    Env,
    /// The table `facebook_tokens`
    Myrcat,
    /// The table `settings`
    FlaskSettings,
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

/// `init`. What no option answers is asked on a terminal.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// The id of the app (App settings, Basic)
    #[arg(long, value_name = "ID")]
    pub app_id: Option<String>,
    /// Read the app's secret from this file (`-` for standard input)
    #[arg(long, value_name = "FILE")]
    pub app_secret_file: Option<PathBuf>,
    /// Whose app it is: facebook, instagram or threads [default: facebook]
    #[arg(long, value_name = "KIND")]
    pub app_kind: Option<String>,
    /// Declare a first token of this type: user, page, system-user, instagram, threads or app
    #[arg(long = "type", value_name = "TYPE")]
    pub token_type: Option<String>,
    /// Call the first token so
    #[arg(long, value_name = "LABEL")]
    pub label: Option<String>,
    /// The Page, for `--type page`
    #[arg(long, value_name = "ID")]
    pub page_id: Option<String>,
    /// Write the first token into this file, at this key
    #[arg(long, value_name = "FILE#KEY")]
    pub deliver: Option<String>,
    /// Write the config into this folder [default: `~/.config/metatoken`; for root `/etc/metatoken`]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Write this address into `[endpoints]`, for a Graph that is simulated or reached by a gateway
    #[arg(long = "endpoint", value_name = "KIND=URL")]
    pub endpoints: Vec<String>,
}

/// `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check the config and everything it names (alias: doctor)
    #[command(after_help = "\
Examples:
  metatoken config check         before the first run, and after every change
  metatoken doctor               the same
  metatoken config check --live  also ask Meta about the apps
  metatoken config check --json  for a deployment")]
    Check(ConfigCheckArguments),
    /// Show every setting with its value and where it came from
    #[command(after_help = "\
Examples:
  metatoken config show         what holds, with every default
  metatoken config show --json  for a program")]
    Show,
}

/// `config check`.
#[derive(Debug, Args)]
pub struct ConfigCheckArguments {
    /// Also ask Meta whether each app's id and secret fit and its Graph version works
    #[arg(long)]
    pub live: bool,
}

/// `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Change the key that opens the store
    #[command(after_help = "\
Examples:
  metatoken key rotate             where the key is the file that metatoken made: all in one
  metatoken key rotate --new FILE  elsewhere: from now on the new key opens the store too
  metatoken key rotate --finish    once the config leads to the new key: drop the old one
  metatoken key rotate --reseal    after a theft: seal all access tokens again")]
    Rotate(KeyRotateArguments),
    /// Print the key that opens the store, for a safe
    #[command(after_help = "\
Examples:
  metatoken key export")]
    Export,
}

/// `key rotate`.
#[derive(Debug, Args)]
pub struct KeyRotateArguments {
    /// Have the key in this file (`-` for standard input) open the store too
    #[arg(long, value_name = "FILE", conflicts_with = "finish")]
    pub new: Option<PathBuf>,
    /// Have the old key open it no longer; refused until the config leads to the new one
    #[arg(long)]
    pub finish: bool,
    /// Also seal all access tokens again, with a new data key
    #[arg(long)]
    pub reseal: bool,
    /// Wait this long for another run to finish
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub lock_wait: String,
}

/// `store`.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Copy the store to a new file while runs go on, without the key
    #[command(after_help = "\
Examples:
  metatoken store backup /backup/metatoken.db")]
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
    /// The answer to an HTTP request
    Http,
}

/// `--type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypedTokenType {
    /// A person's
    User,
    /// A Page's
    Page,
    /// A System User's, also for WhatsApp
    SystemUser,
    /// An Instagram account's
    Instagram,
    /// A Threads account's
    Threads,
    /// The app's own
    App,
}

/// A shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TypedShell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
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
