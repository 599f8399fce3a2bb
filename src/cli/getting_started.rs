//! The arguments of the commands that begin: `init`, `add`, `login`, `import`, `config`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::changing::RunArguments;

/// `init`. What no option answers is asked on a terminal.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// The id of the app (App settings, Basic)
    #[arg(long, value_name = "ID")]
    pub app_id: Option<String>,
    /// Read the app's secret from this file (`-` for standard input)
    #[arg(long, value_name = "FILE")]
    pub app_secret_file: Option<PathBuf>,
    /// The kind of app: facebook, instagram or threads; one of another kind is added to a config that
    /// exists [default: facebook]
    #[arg(long, value_name = "KIND")]
    pub app_kind: Option<String>,
    /// Declare a first token of this type: user, page, system-user, instagram, threads or app
    #[arg(long = "type", value_name = "TYPE")]
    pub token_type: Option<String>,
    /// The label of the first token
    #[arg(long, value_name = "LABEL")]
    pub label: Option<String>,
    /// The Page, for `--type page`
    #[arg(long, value_name = "ID")]
    pub page_id: Option<String>,
    /// Write the first token into this file, at this key
    #[arg(long, value_name = "FILE#KEY")]
    pub deliver: Option<String>,
    /// Add the key, or the file, where `--deliver` finds none
    #[arg(long, requires = "deliver")]
    pub create: bool,
    /// Write the config into this folder [default: `~/.config/metatoken`; for root `/etc/metatoken`]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Write this address into `[endpoints]`, for a Graph that is simulated or reached by a gateway
    #[arg(long = "endpoint", value_name = "KIND=URL")]
    pub endpoints: Vec<String>,
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
    /// Add the key, or the file, where `--deliver` finds none
    #[arg(long, requires = "deliver")]
    pub create: bool,
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
    #[command(flatten)]
    pub run: RunArguments,
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
    #[command(flatten)]
    pub run: RunArguments,
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
